"""Who is in a class, and who has an extension: tables from the course staff.

A roster is a CSV file whose first line names its columns: one of your own (`id,name`), Canvas' “Export Entire
Gradebook”, nbgrader's `students.csv`, or what Gradescope, Moodle or Blackboard export. Separator and encoding are
detected.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache, partial
from itertools import combinations
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from autograder.submissions.spelling import (
    as_written,
    has_case,
    in_any_order,
    is_changed,
    is_power,
    may_become,
    name_key,
    names_of,
    same,
    squeezed,
    unpadded,
    whole_names,
    without_nickname,
    words_of,
    worn,
)

Key = TypeVar("Key")
Row = dict[str, str]  # by the name of the column, as the file writes it; without outer white space

# The kinds of keys by which a platform knows a person, with their columns; the first kind that everybody in a roster
# has is the id.
KEYS: dict[str, tuple[str, ...]] = {
    "id": (
        "student id",
        "sid",
        "student number",
        "id number",
        "matrikelnummer",
        "orgdefinedid",
        "id",
    ),
    "other id": (),  # of two columns with ids: see `_with_other_id`
    "identifier": (
        "identifier",
        "identifiant",
        "identificador",
        "identificativo",
        "identificatie",
        "roster identifier",
    ),  # Moodle's “Participant 12345”, next to an ID number; GitHub Classroom's
    "login": (
        "sis login id",
        "login",
        "login id",
        "username",
        "user name",
        "netid",
        "pid",
        "uid",
        "tu id",
        "user id",
        "benutzername",
        "anmeldename",
        "nom d utilisateur",
        "nombre de usuario",
        "nome utente",
        "gebruikersnaam",
        "user",
    ),
    "sis": ("sis user id", "sis id"),
    "canvas": ("canvas id", "canvas user id", "lms user id"),
    "email": (
        "email",
        "e mail",
        "email address",
        "e mail adresse",
        "adresse de courriel",
        "courriel",
        "dirección de correo",
        "correo electrónico",
        "indirizzo email",
        "e mailadres",
    ),
    "other email": (),  # of two addresses in one cell
    "github": ("github username",),
    "likely id": (),  # in a column that is not known: see `_likely_ids`
    "other login": (),  # of two lines of one student: see `_one_student`
    "other github": (),
}
_NAME: tuple[str, ...] = ("name", "full name", "student name")
_NAME += ("vollständiger name", "nombre completo", "nom complet", "nome completo", "volledige naam", "naam")
_NAME += (
    "imię i nazwisko",
    "姓名",
    "氏名",
    "名前",
    "이름",
    "성명",
    "фио",
    "ф и о",
    "ad soyad",
    "adı soyadı",
    "név",
    "teljes név",
    "jméno a příjmení",
    "meno a priezvisko",
    "nama",
    "nama lengkap",
    "họ và tên",
    "họ tên",
    "ονοματεπώνυμο",
    "піб",
    "п і б",
    "שם",
    "שם מלא",
    "الاسم",
    "الاسم الكامل",
    "ชื่อ นามสกุล",
    "namn",
    "navn",
    "nimi",
)
_FIRST: tuple[str, ...] = (
    "first name",
    "firstname",
    "first",
    "given name",
    "given names",
    "given",
    "forename",
    "vorname",
)
_FIRST += ("prénom", "prenom", "nombre", "nombres", "nome", "voornaam")
_FIRST += ("vornamen", "keresztnév", "utónév", "eesnimi", "krstné meno", "meno", "křestní jméno", "prenume")
_FIRST += (
    "nama depan",
    "vardas",
    "vārds",
    "όνομα",
    "ім я",
    "імʼя",
    "שם פרטי",
    "الاسم الأول",
    "ชื่อ",
    "tên",
    "名",
    "名字",
)
_FIRST += ("primer nombre", "imię", "imiona", "förnamn", "fornavn", "etunimi", "jméno", "ime", "имя", "ad", "adı")
_LAST: tuple[str, ...] = ("last name", "lastname", "last", "surname", "family name", "family", "nachname")
_LAST += ("familienname", "nom", "nom de famille", "apellido", "apellidos", "cognome", "sobrenome", "achternaam")
_LAST += (
    "primer apellido",
    "apellido paterno",
    "nazwisko",
    "efternamn",
    "efternavn",
    "etternavn",
    "sukunimi",
    "příjmení",
    "prezime",
    "фамилия",
    "soyad",
    "soyadı",
    "családnév",
    "vezetéknév",
    "perekonnanimi",
    "perenimi",
    "priezvisko",
    "nume",
    "nume de familie",
    "nama belakang",
    "pavardė",
    "uzvārds",
    "επώνυμο",
    "прізвище",
    "שם משפחה",
    "اسم العائلة",
    "اللقب",
    "นามสกุล",
    "họ",
    "姓",
    "姓氏",
)
# Parts of a name between these two and after them, which people and platforms may leave out.
_MIDDLE: tuple[str, ...] = ("middle name", "middle names", "middle initial", "middle", "segundo nombre", "infix")
_MIDDLE += ("tussenvoegsel", "tussenvoegsels", "voorvoegsel", "voorvoegsels", "other names", "patronymic", "отчество")
_AFTER = ("suffix", "name suffix", "segundo apellido", "apellido materno", "second surname")
# What Moodle writes into its column “Identifier”, which is called “ID” in other languages.
_PARTICIPANT = re.compile(
    r"(?:participante?|teilnehmer(?:[/:*_]?in)?|partecipante|deelnemer|deltagare|deltager|deltaker)\s*(\d+)",
    re.IGNORECASE,
)
# Part of a name with anything next to it, as in “Legal First Name” and “Last Name (Official)”; of another person, of
# another time, or another name.
_PART = re.compile(
    r"(?:.* )?(?:(?P<first>first|given|f|fore)|(?P<last>last|family|l|sur)) ?names?(?: .*)?"
    r"|(?:legal|official|primary|preferred|chosen|passport) (?:(?P<first_alone>first|given)|last|family)"
)
_OF_OTHERS = re.compile(
    r"\b(?:advis[eo]rs?|instructors?|teachers?|professors?|faculty|parents?|guardians?|mothers?|fathers?|contacts?"
    r"|emergency|tas?|graders?|tutors?|mentors?|supervisors?|spouses?|partners?|former|previous|maiden|birth|middle)\b"
)
# A whole name in another language or script: `Chinese Name`, `Name in English`.
_LANGUAGE = (
    r"(?:arabic|chinese|english|greek|hebrew|hindi|japanese|korean|persian|russian|thai|vietnamese|native|local|latin"
    r"|roman(?:i[sz]ed)?|hangul|hanzi|kana|kanji|pinyin|romaji|alternate|alternative|legal|official)"
)
_OTHER_NAME = re.compile(
    rf"(?:full )?{_LANGUAGE} (?:full )?names?|(?:full )?names? (?:in )?{_LANGUAGE}(?: (?:characters|letters|script))?"
    r"|pinyin|romaji|furigana|(?:中文|英文|外文)(?:名字?|姓名)|(?:姓名)?拼音|フリガナ|ふりがな|ローマ字(?:氏名)?"
    r"|(?:영문|한글) ?(?:이름|성명)"
)
_CHOSEN = re.compile(r"\b(?:preferred|chosen|nick\w*|used|known|called)\b")
# An id as institutions call it, with the word for a number: `Roll No.`, `Reg. Number`, `University ID`.
_ID = re.compile(
    r"(?:(?:student|university|uni|college|school|campus|institution(?:al)?|registration|regd?|register|roll"
    r"|enrollment|enrolment|matric(?:ul(?:ation|ate)?)?|admission|index|candidate|exam(?:ination)?|banner|empl|user) ?)"
    r"(?:id|no|nr|num|number|code|#)"
    r"|(?:student|studien|studie|matrikel|opiskelija|leerling) ?(?:nr|no|nummer|num|numero)"
    r"|(?:n|no|nº|n°|nr|num|numéro|numero|número|numer|código|codigo|code) ?(?:d )?(?:de )?(?:l )?"
    r"(?:étudiant|etudiant|estudiante|aluno|alumno|matrícula|matricula|matricola|matricule|control|cuenta|albumu|indeksu"
    r"|inscription|inscripción|inscrição|expediente|carné|carnet)(?: étudiant)?"
    r"|matrícula|matricula|matricola|matricule|legajo|expediente|boleta|carné|carnet|prn|usn|ucid|puid|cwid|emplid"
    r"|(?:öğrenci|ogrenci|nr|numer) ?(?:no|numarası|albumu|indeksu)|学号|學號|学籍番号|학번|номер студенческого билета"
)
_LOGIN = re.compile(
    r"(?:campus|university|uni|computing|net|andrew|domain|sso|unix|(?:jupyter ?)?hub) ?"
    r"(?:login|user(?: ?name)?|account)"
    r"|(?:net|andrew|computing|asurite|login|campus) ?id|kerberos(?: (?:id|login|principal))?|onyen|unikey|zid|upi"
    r"|uniqname|user login|account(?: name)?|sam ?account ?name|логин"
)
_EMAIL = re.compile(
    r"(?:(?:student|university|uni|school|college|campus|institution(?:al)?|primary|official|work|login|edu) )?"
    r"(?:e ?mail|mail)(?: ?(?:id|address|addr|adresse))?"
    r"|user ?principal ?name|upn|correo(?: (?:institucional|electronico))?|e ?mail institu[ct]ional"
    r"|e ?post(?:adresse?)?"
)
_GITHUB = re.compile(r"(?:github|gh|git ?hub)(?: ?(?:user ?name|user|id|handle|account|login|name))?")
_MEANT = ((_ID, "student number"), (_LOGIN, "login id"), (_EMAIL, "email"), (_GITHUB, "github username"))
_PREFERRED: tuple[str, ...] = ("preferred name", "preferred first name", "chosen name", "chosen first name", "nickname")
_PREFERRED += ("goes by", "known as", "called", "also known as", "aka", "rufname", "roepnaam", "nome social")
_PREFERRED += ("prénom usuel", "prénom d usage", "tilltalsnamn", "nombre preferido", "nombre social", "kutsumanimi")
_PREFERRED += ("display name",)
_CALLED = tuple(
    each
    for each in _PREFERRED
    if each not in ("preferred name", "chosen name", "nickname", "nome social", "display name")
)
# What the heading of an unknown column with ids ends in, and what others end in it or have different cells too.
_LIKE_ID = re.compile(
    r"(?:.*[ -])?(?:\w*ids?|n(?:umber|um|umero|úmero|o|r)|#|user ?name|account|login|code|matric\w*)[. ]*"
)
_NO_IDS = re.compile(
    r"\b(?:section|course|class|assignment|group|team|project|quiz|lab|row|line|seat|room|term|phone|mobile|cell|tel\w*"
    r"|fax|handy|handynummer|zip|postal|postcode|address|street|time\w*|date|birth\w*|dob|url|link|repository|submission"
    r"|attempt|response|transaction|order|grade|score|points|mark|total|passport|ssn|social security|tax|card|clicker"
    r"|device|zoom|discord|slack|orcid|password|pin|token|key|version|count|semester|credits?|crn|hw|homework|exam)s?\b"
)
_ID_SHAPE = re.compile(r"(?=.{3,40}$)[#\w]+(?:[-.@/+\\]\w+)*")
_NUMBERED = re.compile(r"(?!\d{1,4}$|\d+(?:[-./]\d+){1,2}$).*\d.*")  # and no mark, date or phone number
_ROLE = ("role", "roles", "course role")
_STAFF = re.compile(
    r"\b(?:tas?|teach\w*|instructors?|professors?|faculty|staff|graders?|readers?|designers?|observers?|assistants?"
    r"|managers?|admin\w*|(?:ta|teacher|designer|observer)enrollment)\b"
)
_GROUP = ("group name", "group", "team name", "team", "groupe", "gruppe", "grupo", "gruppo", "groep", "équipe")
_GROUPS = "groups"  # a list with commas
_STATUS = "status"
# What Moodle's grading worksheet and Gradescope's list of scores say of who has handed something in.
_HANDED_IN = re.compile(r"submitted for (?:grading|marking)\b.*|(?:un)?graded", re.IGNORECASE)
_UNTIL = ("until", "extended until", "due", "new due date")
# What else a list of extensions tells: for what each is, whether it was granted, and what limits none.
_FOR = ("assignment", "assignment name", "homework", "hw", "project", "task", "exercise", "lab", "quiz", "activity")
_COURSE = ("course", "course code", "course id", "course name", "class", "subject")
_DECISION = ("status", "approved", "granted", "accepted", "approval", "decision", "state", "active", "valid")
_GRANTED = re.compile(r"yes|y|true|t|1|ok(?:ay)?|x|✓|✔|approved?|granted|accepted|confirmed|active|valid|done")
_DENIED = re.compile(
    r"no|n|false|f|0|✗|denied|deny|rejected|declined|refused|pending|requested|open|new|waiting|withdrawn|canceled|cancelled"
    r"|revoked|expired|inactive|invalid|not (?:granted|approved|accepted|valid|active)"
)
_ASIDE = ("why", "reason", "reasons", "note", "notes", "comment", "comments", "section", "timestamp")
_KNOWN = {
    *_NAME,
    *_FIRST,
    *_MIDDLE,
    *_LAST,
    *_AFTER,
    *_UNTIL,
    "student",
    "display name",
    *(each for columns in KEYS.values() for each in columns),
}
_NAMES = {*_NAME, *_FIRST, *_MIDDLE, *_LAST, *_AFTER, *_PREFERRED, "student"}
_LETTERS = {
    each.replace(" ", ""): each for each in (*_PREFERRED, *_ROLE, *_GROUP, _GROUPS, _STATUS, *sorted(_KNOWN))
}  # of columns that are written in one word
_NAMED = {*_LETTERS.values(), *_FOR, *_COURSE, *_DECISION, *_ASIDE}  # columns that are known
_OF_STUDENTS = r"(?: (?:of|students?|enrolled|count))*\s*"
_TOTAL = re.compile(  # people are called Sum, Mean and Count: these need a colon
    rf"(?:(?:grand )?(?:total|average){_OF_STUDENTS}[:=]?|(?:sum|count|mean|students){_OF_STUDENTS}[:=])"
    r"\s*[\d.,]*(?: students?)?",
    re.IGNORECASE,
)
_FIGURE = re.compile(  # what figures at the end of a spreadsheet are called
    r"(?:(?:class|overall|course|grand) )?(?:mean|median|average|avg|sum|count|total|max(?:imum)?|min(?:imum)?|range"
    r"|st(?:andar)?d\.?[ -]*dev(?:iation|\.)?|stdev|variance|points possible|(?:max(?:imum)?|possible) points|out of"
    r"|mittelwert|durchschnitt|summe|anzahl|standardabweichung|moyenne|médiane|écart[- ]type|somme"
    r"|media|mediana|promedio|suma|desviación estándar|gemiddelde|medel(?:värde)?|n|students|enrolled|registered)[:=]?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[-\d.,%]+(?: (?:students?|of \d+))?", re.IGNORECASE)
_IDS = ("id", "other id", "login", "sis", "likely id")
_ADDRESSES = (*_IDS, "identifier", "email", "other email")  # what may tell a login
_WEBMAIL = re.compile(
    r"(?:gmail|googlemail|outlook|hotmail|live|msn|yahoo|ymail|icloud|me|aol|gmx|web|proton|protonmail|qq|163|126|naver"
    r"|mail|yandex)(?:\.[a-z]{2,3}){1,2}"
)  # where everybody chooses the login
_SEPARATORS = ",;\t|"
_LONG = 3  # characters of a number; fewer are the same by chance
_TITLE = 20  # lines above the names of the columns, which exports have for a title
_WORDS = 100  # of a text in which names are looked for
_RUN = 8  # words that are compared with a whole name
_TEST_STUDENT = "test student"  # from Canvas, if an instructor tried the student view
_PREVIEW_USER = "_previewuser"  # at the end of the user name under which Blackboard shows it to an instructor
_NO_ID = re.compile(
    r"[\W_]*|tba|tbd|n/?a|<na>|nan|nat|none|null|nil|undefined|unknown|pending|missing|#n/a|0+(?:\.0+)?", re.IGNORECASE
)
_ERROR = re.compile(r"#\S+[!?]|#n/?[avd]|##+", re.IGNORECASE)  # a spreadsheet's, in place of what it could not show

_MARKS = (  # the first bytes of a text file, with its encoding
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_INVISIBLE = re.compile("[\u200b\u2060\ufeff\x1a]")  # spaces without width, a mark put twice, the end of a file in DOS
_FIRST_YEAR, _LAST_YEAR = 2000, 2100  # of a date that somebody hands in, or may hand in until
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx, .ods and .numbers; .xls


class RosterError(Exception):
    """A roster or a list of extensions cannot be read. The message names file, line and problem."""


@dataclass(frozen=True, eq=False)
class Student:
    """One student of a roster.

    Attributes:
        id: unique in the roster.
        name: as people write it; the id where the roster has no name.
        keys: the keys by which a platform may know the student, by their kind in `KEYS`.
        row: the line of the file, by its columns.
        line: its number in the file.
        groups: as in Canvas' list of a group set.
        others: the student's other names, from the columns for them, or without a part that may be left out.
        status: what the roster says of it if the student has handed something in.
    """

    id: str
    name: str
    keys: Mapping[str, str]
    row: Mapping[str, str]
    line: int
    groups: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    status: str = ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All names of the student."""
        return tuple(dict.fromkeys((self.name, *self.others)))

    def group_like(self, name: str) -> str:
        """The student's group of this name, with any separators; empty if there is none."""
        keys = group_keys(name)
        return next((group for key in keys for group in self.groups if group_keys(group)[0] == key), "")


def group_keys(name: str) -> list[str]:
    """How the group of this name may be written, apart from separators: `Group 01` is `group1`, or `1` alone."""
    key = re.sub(r"(?<!\d)0+(?=\d)", "", squeezed(name))
    number = re.fullmatch(r"(?:group|grp|groupe|gruppe|grupo|gruppo|groep|team|équipe|equipe|equipo)(\d+)", key)
    return [key, number[1]] if number else [key]


@dataclass(frozen=True, eq=False)
class Roster:
    """The students of a roster in the order of the file.

    Attributes:
        columns: the names of the file's columns, in order.
        notes: what was guessed while reading the file, and which rows are not students.
        ids: the columns in which ids were looked for.
        encoding: that the file's was guessed; empty if it is known.
        institution: the domain of its addresses, where the roster has none.
        unread: the columns that are not known.
        staff: what else people in it are than students, by their keys and names for comparison.
    """

    students: list[Student]
    columns: list[str]
    notes: list[str]
    ids: tuple[str, ...] = ()
    encoding: str = ""
    institution: str = ""
    unread: tuple[str, ...] = ()
    staff: Mapping[str, str] = field(default_factory=dict)

    def no_student(self, name: str, keys: Collection[str]) -> str:
        """Why the roster has no row for whom these are the name and the keys; empty if it does not say."""
        if any(same(key).endswith(_PREVIEW_USER) for key in keys):
            return "Blackboard's preview user"
        return next((self.staff[each] for each in (*map(same, keys), name_key(name)) if each in self.staff), "")

    def find(self, key: str, *kinds: str) -> Student | None:
        """The only student with this key, in any case; None if nobody has it, or more than one.

        The `kinds` (see `KEYS`) are tried in this order; by default all of them, the id first. Where nobody has it, who
        has it as a spreadsheet or a file's name changes ids has it; else an address tells whose login it is, if it is
        at the institution: see `addressed`.
        """
        wanted = same(key)
        further = [f"other {kind}" for kind in kinds if kind in ("login", "github")]
        for kind in (*kinds, *further) or ("id", *KEYS):
            if found := self._by_key.get((kind, wanted)):
                return found[0] if wanted and len(found) == 1 else None
        if (not kinds or "id" in kinds) and not self.having(key) and (changed := self._changed(key)):
            return changed[0] if len(changed) == 1 and not {*self.named(key)} - {*changed} else None
        found = self.addressed(key) if not kinds or "login" in kinds else []
        domains = {_institution_of(each) for who in found for each in _having_login(who, login_of(key) or wanted)}
        if len(found) != 1 or not domains & {self._institution, ""}:
            return None
        return None if {*self.named(key)} - {found[0]} else found[0]

    def _changed(self, key: str) -> list[Student]:
        """The students whose id is this one without zeros and `.0`, or a date that a spreadsheet makes of it.

        So are those whose id is `written_otherwise`.
        """
        number = unpadded(key)
        found = self._by_number.get(number, []) if len(number) >= _LONG and number.isdecimal() else []
        dates = [who for who, cell in self._dates if may_become(key, cell)]
        return [*dict.fromkeys([*found, *dates, *self.written_otherwise(key)])]

    def written_otherwise(self, key: str) -> list[Student]:
        """The students whose id this is with other separators: `2026-CS-005` for `2026/CS/005`, which names no file.

        Where the id has numbers, separators may be missing.
        """
        words = words_of(key)  # brackets have a copy's number
        found = [] if re.search(r"[@(\[]", key) or self.having(key) else self._by_joined.get("".join(words), [])
        return [who for who in found if any(_are_words(words, words_of(each)) for each in _ids_of(who))]

    @cached_property
    def _by_joined(self) -> dict[str, list[Student]]:
        joined = {who: {"".join(words_of(key)) for key in _ids_of(who)} for who in self.students}
        return _index(self.students, lambda who: {text for text in joined[who] if len(text) >= _LONG})

    @cached_property
    def _by_number(self) -> dict[str, list[Student]]:
        return _index(self.students, lambda who: {*map(unpadded, _ids_of(who))})

    @cached_property
    def _dates(self) -> list[tuple[Student, str]]:
        cells = [(who, key) for who in self.students for key in _ids_of(who)]
        return [(who, cell) for who, cell in cells if is_changed(cell) and not is_power(cell)]

    def addressed(self, key: str) -> list[Student]:
        """The students with this login, as far as addresses tell: `ada` or `ada@cs.x.edu` for ada@x.edu.

        An address is at the institution, and that of a student who has the login alone is, too.
        """
        if not (login := login_of(key)):
            return self._by_login.get(same(key), [])
        having = [] if self.having(key) else [*self._by_login.get(login, ()), *self._with_login.get(login, ())]
        return [*dict.fromkeys(having)] if _institution_of(key) in (self._institution, "") else []

    def elsewhere(self, key: str) -> tuple[Student, str] | None:
        """The only student with this email address in another column, and that column; not one of other people."""
        found = self._by_cell.get(same(key), []) if "@" in key and not self.having(key) else []
        return found[0] if len({who.id for who, _ in found}) == 1 else None

    @cached_property
    def _by_cell(self) -> dict[str, list[tuple[Student, str]]]:
        found: dict[str, list[tuple[Student, str]]] = {}
        for who in self.students:
            for column, cell in who.row.items():
                for address in _addresses(cell) if not _OF_OTHERS.search(_form(column)) else ():
                    found.setdefault(same(address), []).append((who, column))
        return found

    def logins(self, who: Student) -> list[str]:
        """What the student's addresses have before the @, if that tells whose it is."""
        return [login for key in _ids_of(who, _ADDRESSES) if (login := login_of(key)) and self.find(login) is who]

    @cached_property
    def _by_login(self) -> dict[str, list[Student]]:
        return _index(self.students, lambda who: {login_of(key) for key in _ids_of(who, _ADDRESSES)} - {""})

    @cached_property
    def _with_login(self) -> dict[str, list[Student]]:
        return _index(self.students, lambda who: {*map(same, _ids_of(who))})

    def at_institution(self, addresses: Collection[str], entries: int) -> Roster:
        """The roster; if it has no addresses, with the institution of those that most `entries` have."""
        domains = Counter(_institution_of(each) for each in addresses)
        most = (each for each, count in domains.items() if 2 * count > entries and not _WEBMAIL.fullmatch(each))
        domain = next(most, "")
        if not domain or any("@" in key for who in self.students for key in _ids_of(who, _ADDRESSES)):
            return self
        return self._elsewhere.setdefault(domain, replace(self, institution=domain))

    @cached_property
    def _elsewhere(self) -> dict[str, Roster]:
        return {}

    @cached_property
    def _institution(self) -> str:
        """The institution at which more than half of those with an address have one; empty if none is so."""
        theirs = [[_institution_of(key) for key in _ids_of(who, _ADDRESSES) if "@" in key] for who in self.students]
        domains = Counter(domain for domains in theirs for domain in dict.fromkeys(domains))
        (domain, count), *_ = [*domains.most_common(1), ("", 0)]
        return domain if 2 * count > sum(map(bool, theirs)) else self.institution

    def having(self, key: str) -> list[Student]:
        """All students with this key, of any kind, in any case."""
        wanted = same(key)
        found = {who.id: who for kind in KEYS for who in self._by_key.get((kind, wanted), ()) if wanted}
        return [*found.values()]

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], list[Student]]:
        found: dict[tuple[str, str], list[Student]] = {}
        for each in self.students:
            for kind, key in dict.fromkeys(
                [("id", same(each.id)), *((kind, same(key)) for kind, key in each.keys.items())]
            ):
                found.setdefault((kind, key), []).append(each)
        return found

    @cached_property
    def groups(self) -> frozenset[str]:
        """The names of all groups, for comparison as `same`."""
        return frozenset(same(group) for each in self.students for group in each.groups)

    def named(self, name: str) -> list[Student]:
        """The students of this name, written “Ada Lovelace” or “Lovelace, Ada”, in any case.

        If nobody is written so, those whose name is `spelled` so.
        """
        return self._by_name.get(name_key(name), []) or self.spelled(name)

    def spelled(self, name: str) -> list[Student]:
        """The students whose whole name this is, apart from accents, punctuation and white space."""
        return _all_of(self._by_spelling, whole_names(name))

    def turned(self, name: str) -> list[Student]:
        """The students of this name with its words in another order: Wang Li for `Li Wang`. A comma tells the order."""
        there = [*self.named(name), *self.spelled(name)]
        turned = _all_of(self._by_turned, whole_names(name)) if "," not in name else []
        return [each for each in turned if each not in there]

    def within(self, words: list[str]) -> list[Student]:
        """The students whose whole name these `words_of` a text hold, next to each other."""
        words = words[:_WORDS]
        starts = {(start, end) for end in range(len(words) + 1) for start in range(max(0, end - _RUN), end)}
        runs = {"".join(words[start:end]) for start, end in starts if end - start > 1 or not has_case(words[start])}
        return _all_of(self._by_turned, {(run, False) for run in runs})

    def joined(self, words: list[str]) -> list[Student]:
        """The students whose whole name is one of these `words_of` a text, which may be a login: `gracehopper`."""
        return _all_of(self._by_turned, {(word, False) for word in words[:_WORDS]})

    def worn(self, name: str, least: int) -> list[Student]:
        """The students whose name this is, with `least` or more signs in place of each letter beyond ASCII."""
        return [who for who, patterns in self._worn(least) if any(each.fullmatch(same(name)) for each in patterns)]

    def _worn(self, least: int) -> list[tuple[Student, list[re.Pattern[str]]]]:
        if least not in self._patterns:
            names = {who: [name for each in who.names for name in in_any_order(each)] for who in self.students}
            found = [(who, [re.compile(text) for name in names[who] if (text := worn(name, least))]) for who in names]
            self._patterns[least] = [(who, patterns) for who, patterns in found if patterns]
        return self._patterns[least]

    @cached_property
    def _patterns(self) -> dict[int, list[tuple[Student, list[re.Pattern[str]]]]]:
        return {}

    @cached_property
    def _by_name(self) -> dict[str, list[Student]]:
        return _index(self.students, lambda who: {key for name in who.names for key in names_of(name) if key})

    @cached_property
    def _by_spelling(self) -> dict[tuple[str, bool], list[Student]]:
        names = {who: {key for name in who.names for key in as_written(name)} for who in self.students}
        return _index(self.students, lambda who: {each for name in names[who] for each in whole_names(name)})

    @cached_property
    def _by_turned(self) -> dict[tuple[str, bool], list[Student]]:
        called = {who: {key for name in who.names for key in names_of(name)} for who in self.students}
        names = {who: {key for name in called[who] for key in in_any_order(name)} for who in self.students}
        return _index(self.students, lambda who: {each for name in names[who] for each in whole_names(name)})

    def with_id(self, name: str) -> Student | None:
        """The student of whom this is an id and the whole name, in any order, and nothing else: `2026001 王伟`."""
        found = _all_of(self._by_both, {text for text, _ in whole_names(name)})
        return found[0] if len(found) == 1 else None

    def joined_with_id(self, words: list[str]) -> list[Student]:
        """The students of whom one of these `words_of` a text is an id and the whole name: `2026001王伟`."""
        return _all_of(self._by_both, {*words})

    @cached_property
    def _by_both(self) -> dict[str, list[Student]]:
        def both(who: Student) -> set[str]:
            ids = {key for each in _ids_of(who) if len(key := "".join(words_of(each))) >= _LONG}
            called = {each for name in who.names if name != who.id for each in in_any_order(name)}
            names = {name for each in called for name, _ in whole_names(each)}
            return {text for id in ids for name in names for text in (id + name, name + id)}

        return _index(self.students, both)

    def held(self, name: str) -> Student | None:
        """The student whose email address alone is in this name, or who is called so: `Lovelace, Ada (ada)`.

        A nickname may stand between name and id: `Lovelace, Ada (Addie)(ada)`. JupyterHub escapes the name of a home:
        `claim-ada-40x-2eedu` is that of ada@x.edu.
        """
        if who := self.with_id(name):
            return who
        if "-40" in name and "@" not in name:
            home = re.sub(r"^(?:claim|volume|jupyter|home)-", "", name)
            return self.held(re.sub(r"-([0-9a-f]{2})", lambda escaped: chr(int(escaped[1], 16)), home))
        called = re.fullmatch(r"(.+)\(([^()]+)\)", name)
        if called and (who := self.find(called[2])):
            return who if who in self.named(without_nickname(called[1])) else None
        if name.count("@") != 1:
            return None
        ids = {who: _ids_of(who, _ADDRESSES) for who in self.students}
        found = [who for who, keys in ids.items() if any(_has_address(same(name), same(key)) for key in keys)]
        return found[0] if len(found) == 1 else None


def _institution_of(email: str) -> str:
    """`x.edu` for an address at `x.edu` or `students.x.edu`, `x.ac.uk` for one at `cs.x.ac.uk`; empty for a login."""
    labels = email.casefold().partition("@")[2].split(".")
    shared = len(labels[-1]) == 2 and labels[-2:-1] and labels[-2] in ("ac", "edu", "co", "com", "org", "gov")
    return ".".join(labels[-3 if shared else -2 :])


def login_of(key: str) -> str:
    r"""The login in an address, `ada` in ada@x.edu, or in one of Windows, `X\ada`; empty if this is neither."""
    address = re.fullmatch(r"([^\s@]+)@[^\s@]+|[\w.-]+\\([\w.-]+)", same(key))
    return (address[1] or address[2]) if address else ""


def _having_login(who: Student, login: str) -> list[str]:
    """The student's ids that are this login, and the addresses that tell it."""
    return [key for key in _ids_of(who, _ADDRESSES) if login in (same(key), login_of(key))]


def _ids_of(who: Student, kinds: tuple[str, ...] = _IDS) -> list[str]:
    return [*dict.fromkeys((who.id, *(who.keys[kind] for kind in kinds if kind in who.keys)))]


def _are_words(words: list[str], key: list[str]) -> bool:
    """Whether these are the words of an id, of which some may be written together if it has numbers."""
    between = " ?" if re.search(r"\d", "".join(key)) else " "
    return re.fullmatch(between.join(key), " ".join(words)) is not None


def _index(students: list[Student], keys: Callable[[Student], set[Key]]) -> dict[Key, list[Student]]:
    found: dict[Key, list[Student]] = {}
    for each in students:
        for key in keys(each):
            found.setdefault(key, []).append(each)
    return found


def _all_of(index: Mapping[Key, list[Student]], keys: set[Key]) -> list[Student]:
    """The students under any of these keys, each once, in order."""
    found = {who.line: who for key in keys for who in index.get(key, ())}
    return [found[line] for line in sorted(found)]


def _has_address(text: str, email: str) -> bool:
    """Whether `email` stands in `text` and is not a part of a longer address."""
    if "@" not in email or email not in text:
        return False
    return re.search(rf"(?<![\w.+-]){re.escape(email)}(?![.-]?[^\W_])", text) is not None


def read_roster(path: Path) -> Roster:
    """The students in the CSV file at `path`. RosterError names the line that is wrong."""
    table = _Table(path)
    try:
        return _read(path, table)
    except RosterError as error:
        said = re.sub("[“”’…]", "", str(error))
        if not table.encoding or said.isascii():
            raise
        remedy = "If that shows other letters than the file has, save it as “CSV UTF-8”"
        raise RosterError(f"{error}. {table.encoding}. {remedy}") from error


def _read(path: Path, table: _Table) -> Roster:
    kinds, name, canvas = _columns(table)
    people: list[tuple[int, Row, Row, str]] = []
    notes, staff = list(table.notes), dict[str, str]()
    no_ids = _no_ids(table, [*kinds.values()])
    above = True
    asides = _asides(table, [*kinds.values()], name)
    common = Counter(
        _institution_of(each) for _, row in table.rows for each in _addresses(row.get(kinds.get("email", ""), ""))
    )
    for line, row in table.rows:
        given = {kind: row[column] for kind, column in kinds.items() if (column, same(row[column])) not in no_ids}
        keys = {kind: cell.removeprefix("#") for kind, cell in given.items() if cell}  # Brightspace writes #jdoe
        if "github" in keys:  # as `@ada`, or as the address of its page
            keys["github"] = re.sub(r"^(?:(?:https?://)?(?:www\.)?github\.com/|@)", "", keys["github"]).strip("/")
        if moodles := _PARTICIPANT.fullmatch(keys.get("identifier", keys.get("id", ""))):
            keys["identifier"] = f"Participant {moodles[1]}"
        if addresses := _addresses(keys.get("email", "")):
            ranked = sorted(addresses, key=lambda each: -common[_institution_of(each)])
            keys |= dict(zip(("email", "other email"), ranked, strict=False))
        if re.fullmatch(r"[^\s@]+@[^\s@]+", keys.get("identifier", "")):  # in GitHub Classroom's list
            keys.setdefault("email", keys["identifier"])
        called = " ".join(filter(None, (row[column] for column in name)))
        numbered = not called or _NUMBER.fullmatch(called) is not None
        person = not numbered and any(_tells(kind, key, len(people)) for kind, key in keys.items())
        partial = bool(name) and (bool(called) != bool(keys) or numbered)
        why = "" if person else _figure(row, partial)
        why = why or asides.get(line, "")
        why = why or _no_student(row, keys, called or next(iter(keys.values()), ""))
        again = "" if why else _again(table, line, row, [*kinds.values(), *name])
        above, why = above or bool(again), why or again
        if canvas and not why and (not keys.get("canvas") or name_key(called) == _TEST_STUDENT):
            if not keys.get("canvas") and not above:  # “Points Possible” and “Manual Posting” are above the students
                raise RosterError(f"{path.name}, line {line}: {called or 'this student'} has no ID")
            why = f"“{called}” is not a student"
        if why:
            notes.append(f"{path.name}, line {line}: {why}")
            if role := _staff_role(row):
                staff |= dict.fromkeys([*map(same, keys.values()), *filter(None, [name_key(called)])], role)
        else:
            people.append((line, row, keys, called))
            above = False
    if not people:
        raise RosterError(f"{path.name} lists no students")
    students, said = _told_apart(path, people, kinds, name)
    notes += said
    if "likely id" in kinds:
        notes.append(f"{path.name}: “{kinds['likely id']}” was read as ids: each student has another one")
    if not name and (unread := [each for each in table.columns if "name" in _form(each)]):
        read = {*_GROUP, *_FOR, *_COURSE, "student repository name"}
        unread = [each for each in unread if each not in kinds.values() and _meaning(each) not in read]
        notes += [f"{path.name}: no column is known to hold names; “{each}” was not read" for each in unread]
    if len(parts := [each for each in name if _meaning(each) in (*_FIRST, *_LAST, *_CALLED)]) == 1:
        notes.append(f"{path.name}: “{parts[0]}” is the only column known to hold a part of the name")
    ids = tuple(dict.fromkeys(kinds.values()))
    unknown = tuple(
        each for each in table.columns if each and each not in (*ids, *name) and _meaning(each) not in _NAMED
    )
    return Roster(students, table.columns, notes, ids, table.encoding, staff=staff, unread=unknown)


def _told_apart(
    path: Path, people: list[tuple[int, Row, Row, str]], kinds: dict[str, str], name: list[str]
) -> tuple[list[Student], list[str]]:
    """The students in these lines, each with an id that nobody else has, and what was guessed.

    RosterError where one id is that of people with different names.
    """
    id_kind = _identifying(path, people, kinds)
    notes = [] if id_kind else [f"{path.name}: nobody has an id, so all are known by their names"]
    seen: dict[str, list[Student]] = {}
    addressed: dict[tuple[str, str], list[Student]] = {}
    for line, row, keys, called in sorted(people, key=lambda person: id_kind not in person[2]):
        given, column = next(((key, kinds.get(kind, kind)) for kind, key in keys.items()), ("", ""))
        own = called or given
        if id_kind in keys:
            own = keys[id_kind] if id_kind == "email" else row[kinds[id_kind]].removeprefix("#")
        where = f"{path.name}, line {line}"
        having = seen.setdefault(same(own), [])
        if id_kind not in keys:
            by, no = "name" if called else column, kinds.get(id_kind, "id")
            notes += [f"{where}: {own} has no {no}, and is known by the {by}"] if id_kind else []
            if having:
                raise RosterError(f"{where}: {own} has no {no}, and the {by} is in line {having[0].line} too")
        others = (*_shorter(row, name), *_other_names(row, called))
        student = Student(own, called or own, keys, row, line, _groups(row), others, _status(row))
        if other := next((each for each in having if not _one_name(each.name, student.name)), None):
            said = f"the {kinds[id_kind]} {own} is also that of {other.name} in line {other.line}"
            raise RosterError(f"{where}: {said}{_rounded(own)}")
        address = same(keys.get("email", "")), name_key(called)
        if all(address) and not any(_one_student(each, student) for each in having):
            having = addressed.get(address, having)
        if earlier := next((each for each in having if _one_student(each, student)), None):
            named = f" as {earlier.name}" if same(earlier.name) != same(student.name) else ""
            differing = [key for kind, key in keys.items() if same(earlier.keys.get(kind, key)) != same(key)]
            named += "".join(f", and is known as {key} as well" for key in differing)
            of = own if same(own) == same(earlier.id) else earlier.id
            notes.append(f"{where}: {of} is in line {earlier.line} too{named}")
            having[having.index(earlier)] = _joined(earlier, student)
        else:
            having = seen[same(own)]
            having.append(student)
            addressed.setdefault(address, having)
    for several in (having for having in seen.values() if len(having) > 1):
        lines = " and ".join(str(each.line) for each in several)
        several[:] = [replace(each, id=f"{each.id} ({_telling(each, several)})") for each in several]
        named = " and ".join(each.id for each in several)
        notes.append(f"{path.name}, lines {lines}: one id with different other ids, so these are {named}")
    return sorted((each for having in seen.values() for each in having), key=lambda each: each.line), notes


def _rounded(key: str) -> str:
    """What to do if a spreadsheet wrote an id as a power of ten."""
    if not is_power(key):
        return ""
    return ": a spreadsheet rounded the numbers. Give the file as it was exported, or save the column as text"


def _one_student(student: Student, other: Student) -> bool:
    """Whether two lines with one id are of one student: no other id contradicts, or one alone of who has one name too.

    Where that id is a name, as in GitHub Classroom's list, one that a line lacks contradicts too.
    """
    is_name = re.fullmatch(r"[^\d@]+\s[^\d@]+", student.name if student.id == student.name else "")
    kinds = student.keys.keys() | other.keys.keys() if is_name else student.keys.keys() & other.keys.keys()
    differing = [kind for kind in kinds if same(student.keys.get(kind, "")) != same(other.keys.get(kind, ""))]
    named = student.id != student.name and other.id != other.name
    return not differing or (
        named and len(differing) == 1 and f"other {differing[0]}" in KEYS.keys() - other.keys.keys()
    )


def _telling(student: Student, students: list[Student]) -> str:
    """An id of the student that none of the others has; else the line."""
    theirs = {same(key) for each in students if each is not student for key in each.keys.values()}
    return next((key for key in student.keys.values() if same(key) not in theirs), f"line {student.line}")


def _joined(earlier: Student, student: Student) -> Student:
    """One student of whom there are two lines, with what either says."""
    groups = tuple({same(group): group for group in (*student.groups, *earlier.groups)}.values())
    keys = {**student.keys, **earlier.keys}
    further = {f"other {kind}": key for kind, key in student.keys.items() if same(keys[kind]) != same(key)}
    keys = {**further, **keys}
    others, status = (*earlier.others, *student.others), earlier.status or student.status
    return replace(earlier, keys=keys, groups=groups, others=others, status=status)


def _no_ids(table: _Table, columns: list[str]) -> set[tuple[str, str]]:
    """The cells, by their columns, that say that there is no id, as several rows do. One alone may be somebody's id.

    A spreadsheet's error is none.
    """
    count = Counter((column, same(row[column])) for _, row in table.rows for column in columns)
    return {
        (column, cell)
        for (column, cell), rows in count.items()
        if _ERROR.fullmatch(cell) or (rows > 1 and _NO_ID.fullmatch(cell))
    }


def _asides(table: _Table, ids: list[str], name: list[str]) -> dict[int, str]:
    """Why some lines are not a student's, by the form of the others: a text alone in its line, or a comment.

    A text has a space where no other id has one, or a number where no other name has one. A comment begins with `#`,
    unless half of the lines do, as in Brightspace. RosterError where a text may be a student's cells in one.
    """
    rows = {
        line: {column: cell for column, cell in row.items() if cell and _form(cell) != _form(column)}
        for line, row in table.rows
    }
    usual = [row for row in rows.values() if len(row) > 1]
    signs = dict.fromkeys(ids, r"\s") | dict.fromkeys(name, r"\d")
    signs = {each: sign for each, sign in signs.items() if not any(re.search(sign, row.get(each, "")) for row in usual)}
    marked = sum(next(iter(row.values())).startswith("#") for row in usual)
    forms = {_shape(row[column]) for row in usual for column in ids if column in row}
    found = {}
    for line, row in rows.items():
        column, cell = next(iter(row.items()), ("", ""))
        if len(row) == 1 < len(usual) and column in signs and re.search(signs[column], cell):
            if not cell.startswith("#") and _may_be_cells(cell, forms):
                said = f"“{cell}” may be a student whose cells are in one: write each in its column"
                raise RosterError(
                    f"{table.path.name}, line {line}: {said}, or begin a line that is no student's with #"
                )
            found[line] = f"“{cell}” is not a student: nothing else is in this line, and no id or name is written so"
        elif (
            cell.startswith("#")
            and column in (*ids, *name)
            and 2 * marked < len(usual)
            and not (_NO_ID.fullmatch(cell) or _ERROR.fullmatch(cell))
        ):
            found[line] = f"“{cell}” is not a student: a line that begins with # is a comment"
    return found


def _may_be_cells(text: str, forms: set[str]) -> bool:
    """Whether a text may be a student's id and name in one: a separator, an address, or an id of these `forms`."""
    words = re.findall(r"[^\s,;|<>()]+", text)
    names = [word for word in words if not re.search(r"[\d\W_]", word)]
    if any(re.search(r"\d", word) and _shape(word) in forms for word in words):
        return len(names) > 1
    return len(words) <= _RUN and (re.search(r"\S[,;|\t] *\S|\S@\S", text) is not None)


def _shape(key: str) -> str:
    """The form of an id: `a0` for letters before a number; of a number alone, its length."""
    return str(len(key)) if key.isdecimal() else re.sub(r"\d+", "0", re.sub(r"[^\W\d_]+", "a", key))


def _again(table: _Table, line: int, row: Row, read: list[str]) -> str:
    """Why a row is not a student's, if it names the columns again, as where two rosters were put into one file.

    Of columns that are not `read`, such as the homework's, the names may differ. Who has an id is a person, by any
    name: the cells in all columns read must name columns. RosterError if these are others.
    """
    cells = {column: cell for column, cell in row.items() if cell}
    equal = {column for column, cell in cells.items() if _form(cell) == _form(column)}
    there = {column for column in read if column in cells}
    if equal == {*cells} or (len(there) > 1 and there == {*read} <= equal):
        return "the names of the columns again"
    known = sum(_meaning(cell) in _KNOWN for cell in cells.values())
    names = _KNOWN | {*map(_form, table.columns)}
    if (
        known > 1
        and 2 * known > len(cells)
        and all({_meaning(cells[each]), _form(cells[each])} & names for each in there)
    ):
        raise RosterError(f"{table.path.name}, line {line}: this line names other columns; give one roster at a time")
    return ""


def _tells(kind: str, key: str, above: int) -> bool:
    """Whether a key may be a person's, and not a figure: the number of students `above`, or one in place of an address.

    People may be called `Total: 7`.
    """
    return "@" in key if kind == "email" else key != str(above)


def _no_student(row: Row, keys: Row, called: str) -> str:
    """Why a row is not a student's; empty if it is."""
    if all(re.fullmatch(r":?-{2,}:?|", cell) for cell in row.values()):  # below the heads of a table in Markdown
        return f"“{called}” is not a student: there are only dashes in this line"
    if role := _staff_role(row):
        return f"“{called}” is not a student: {role}"
    if any(same(key).endswith(_PREVIEW_USER) for key in keys.values()):
        return f"“{called}” is not a student: Blackboard's preview user"
    return ""


def _one_name(name: str, other: str) -> bool:
    """Whether two names are one person's, where the id is the same: one has all words of the other."""
    words, others = ({*re.findall(r"\w+", same(each))} for each in (name, other))
    return words <= others or others <= words


def _groups(row: Row) -> tuple[str, ...]:
    """The student's group, as in Canvas' list of a group set, or all of them as in Moodle's; nothing if unknown."""
    one = [cell for column, cell in row.items() if _meaning(column) in _GROUP and cell][:1]
    several = [cell for column, cell in row.items() if _meaning(column) == _GROUPS]
    return tuple(one or filter(None, (group.strip() for cell in several for group in re.split("[,;]", cell))))


def _shorter(row: Row, name: list[str]) -> list[str]:
    """The name without the parts that may be left out, middle names and what follows the name, or one of these."""
    optional = [each for each in name if _meaning(each) in (*_MIDDLE, *_AFTER) and row[each]]
    dropped = [{*each} for count in range(1, len(optional) + 1) for each in combinations(optional, count)]
    shorter = [[row[each] for each in name if each not in left and row[each]] for left in dropped]
    return [" ".join(words) for words in shorter if len(words) > 1]


def _other_names(row: Row, name: str) -> list[str]:
    """The names by which the student prefers to be called, and those in other languages, in full."""
    called = [cell for column, cell in row.items() if _meaning(column) in _PREFERRED and cell]
    others = (cell for column, cell in row.items() if _meaning(column) in _FIRST)  # legal ones, next to usual ones
    called = called or [cell for cell in others if cell and same(cell) not in same(name)][:1]
    last = name.partition(",")[0] if "," in name else " ".join(name.split()[-1:])
    family = next((cell for column, cell in row.items() if _meaning(column) in _LAST and cell), last)
    found = [each if {*words_of(family)} <= {*words_of(each)} else f"{each} {family}" for each in called]
    for cell in [cell for column, cell in row.items() if _OTHER_NAME.fullmatch(_form(column))]:
        given_alone = len(cell.split()) == 1 and has_case(cell)
        found.append(f"{cell} {family}" if given_alone else cell)
    return [each for each in found if each]


def _addresses(cell: str) -> list[str]:
    """The email addresses in a cell: `ada@x.edu; ada@mail.com`, `mailto:ada@x.edu`, `Ada <ada@x.edu>`."""
    found = re.findall(r"[^\s,;|/<>()]+@[^\s,;|/<>()]+", re.sub("mailto:", " ", cell, flags=re.IGNORECASE))
    return [*dict.fromkeys(found)]


def _status(row: Row) -> str:
    """What the roster says of who has handed something in; empty where it does not say that."""
    said = (cell for column, cell in row.items() if _meaning(column) == _STATUS)
    return next(filter(_HANDED_IN.fullmatch, said), "")


def _figure(row: Row, partial: bool) -> str:
    """Why a row is not a student's, if a spreadsheet's total or another figure of the class is all there is in it.

    A `partial` row has a name and no id, or an id and no name but a number.
    """
    cells = [*filter(None, row.values())]
    said = next((each for each in cells if not _NUMBER.fullmatch(each)), cells[0])
    figures = all(_NUMBER.fullmatch(each) for each in cells if each is not said)
    named = _TOTAL.fullmatch(said) or (partial and len(cells) > 1 and _FIGURE.fullmatch(said))
    return f"“{said}” is not a student" if len(row) > 1 and figures and named else ""


def _staff_role(row: Row) -> str:
    """The role of a person who is staff and no student too; empty for everyone else."""
    role = next((cell for column, cell in row.items() if _meaning(column) in _ROLE), "")
    roles = [same(each) for each in re.split(r"[,;/|]", role)]
    return role if any(map(_STAFF.search, roles)) and not {"student", "learner"}.intersection(roles) else ""


def _columns(table: _Table) -> tuple[dict[str, str], list[str], bool]:
    """The columns with keys, by kind; those that make up the name; and whether this is Canvas' gradebook."""
    by_form = table.by_form
    kinds = {kind: by_form[each] for kind, columns in KEYS.items() for each in reversed(columns) if each in by_form}
    whole = [by_form[each] for each in _NAME if each in by_form][:1]
    groups = ((*_FIRST, *_CALLED), _MIDDLE, _LAST, _AFTER)
    parts = [by_form[there[0]] for group in groups if (there := [each for each in group if each in by_form])]
    parts = parts if any(_meaning(each) not in (*_MIDDLE, *_AFTER) for each in parts) else []
    if not whole and not parts:
        whole = [by_form[each] for each in _PREFERRED if each in by_form and each.endswith(" name")][:1]
    if not whole and not parts:
        whole = [column for form, column in by_form.items() if _OTHER_NAME.fullmatch(form)][:1]
    own = {"section", "sis user id", "sis login id"} if "student" in by_form else {"sis login id"} if parts else set()
    canvas = "id" in by_form and own & by_form.keys()
    if canvas:
        kinds = {kind: column for kind, column in kinds.items() if kind != "id"} | {"canvas": by_form["id"]}
    if "student" in by_form and not kinds:
        kinds["id"] = by_form["student"]
    elif "student" in by_form and not whole and not parts:
        whole = [by_form["student"]]
    kinds = _with_other_id(table, kinds, [*whole, *parts])
    if known := {*kinds.values(), *whole, *parts}:  # else the first line may be a student's
        kinds |= _likely_ids(table, known)
    if not kinds and (not (whole or parts) or _may_hold_ids(table, whole or parts)):
        raise RosterError(
            f"{table.path.name}, line {table.first}: no column is called id, student, login or email, and the "
            f"file must begin with the names of its columns. It has {', '.join(f'“{each}”' for each in table.columns)}"
        )
    return kinds, whole or parts, bool(canvas)


def _with_other_id(table: _Table, kinds: dict[str, str], name: list[str]) -> dict[str, str]:
    """The columns with keys, with another one for ids, if there is one: folders may be called by either.

    One that counts the rows is none, nor is one with words. `id` or `student` with logins is the first of both.
    """
    by_form, used = table.by_form, {*kinds.values(), *name}
    forms = [
        each for each in ("id", "student", *KEYS["id"], *KEYS["login"]) if each in by_form and by_form[each] not in used
    ]
    forms += [each for each, column in by_form.items() if column not in used and _meaning(column) in KEYS["id"]]
    for form in dict.fromkeys(forms):
        cells = [same(row[by_form[form]]) for _, row in table.rows if row[by_form[form]]]
        words = sum(re.search(r"\s", cell) is not None for cell in cells)
        if "identifier" not in kinds and words and all(map(_PARTICIPANT.fullmatch, cells)):
            return {**kinds, "identifier": by_form[form]}
        if 2 * max(words, _of_rows(cells)) >= len(cells):
            continue
        is_login = len({*cells}) == len(cells) < 2 * sum(not cell.isdecimal() for cell in cells)
        if "id" not in kinds or (is_login and form in ("id", "student")):
            return {**kinds, "id": by_form[form]} | ({"other id": kinds["id"]} if "id" in kinds else {})
        return {**kinds, "other id": by_form[form]}
    return kinds


def _likely_ids(table: _Table, known: set[str]) -> dict[str, str]:
    """The column that is not known and has what looks like an id, another one for each student, if there is one.

    Of several, it is the only one whose heading ends like that of an id. No cell in it is in a `known` column, as a
    partner's login would be.
    """
    called, numbered = list[str](), list[str]()
    rows = [row for _, row in table.rows]
    others = {same(row[column]) for row in rows for column in known}
    unknown = [each for each in table.columns if each not in known and _meaning(each) not in _NAMED]
    for column in [each for each in unknown if not (_NO_IDS.search(_form(each)) or _OF_OTHERS.search(_form(each)))]:
        cells = [cell for row in rows if _ID_SHAPE.fullmatch(cell := same(row[column]))]
        most = len({*cells}) == len(cells) > 1 and 4 * len(cells) > 3 * len(rows) and 2 * _of_rows(cells) < len(cells)
        if most and others.isdisjoint(cells):
            called += [column] if _LIKE_ID.fullmatch(same(column)) else []
            numbered += [column] if all(map(_NUMBERED.fullmatch, cells)) else []
    found = called or numbered
    return {"likely id": found[0]} if len(found) == 1 else {}


def _may_hold_ids(table: _Table, name: list[str]) -> bool:
    """Whether an unknown column has a different word for each student, and does not count the rows."""
    for column in [each for each in table.columns if each not in name]:
        cells = [same(row[column]) for _, row in table.rows]
        if len({*cells}) == len(cells) > max(1, 2 * _of_rows(cells)) and not any(re.search(r"\s|^$", c) for c in cells):
            return True
    return False


def _of_rows(cells: list[str]) -> int:
    """How many of these may be no ids but numbers of rows, of which some may be deleted."""
    return sum(cell.isdecimal() and int(cell[:18]) <= 2 * len(cells) for cell in cells)


def _identifying(path: Path, people: list[tuple[int, Row, Row, str]], kinds: dict[str, str]) -> str:
    """The first kind of key that everybody has; else the one that most have; empty if nobody has any.

    Who lacks it must have a name or another key.
    """
    in_order = [kind for kind in KEYS if kind in kinds]
    having = Counter(kind for _, _, keys, _ in people for kind in in_order if kind in keys)
    if complete := [kind for kind in in_order if having[kind] == len(people)]:
        return complete[0]
    for line, _, keys, called in people:
        if not (keys or called):
            first = in_order[0] if in_order else "name"
            raise RosterError(f"{path.name}, line {line}: this student has no {first}, and no other id is complete")
    return max(in_order, key=lambda kind: having[kind]) if having else ""


class Extensions(dict[str, datetime]):
    """Each student's extended due date, by the ids in the file; the `notes` say what was not read of it."""

    notes: list[str]


def read_extensions(path: Path, names: Collection[str] = (), course: str = "") -> Extensions:
    """The extensions in a CSV file with the columns `student` and `until`, of which a student's latest counts.

    Students are ids as written in the file; the dates have zones. RosterError names the line that is wrong, and one of
    which it is not sure that it counts.

    Arguments:
        names: of the assignment, and of its `course`, for a list that has those of several.
    """
    table = _Table(path)
    by_form = table.by_form
    ids = ("student", *(each for columns in KEYS.values() for each in columns))
    who = next((by_form[each] for each in ids if each in by_form), None)
    until = next((by_form[each] for each in _UNTIL if each in by_form), None)
    if who is None or until is None:
        raise RosterError(f"{path.name}, line {table.first}: the columns must be student and until")
    found = Extensions()
    keys: dict[str, str] = {}
    aside: dict[str, list[int]] = {}
    several: dict[str, None] = {}
    limits = {column: kind for column in table.columns if (kind := _limiting(column, names, course))}
    for line, row in table.rows:
        if not row[who]:
            raise RosterError(f"{path.name}, line {line}: no student is named")
        for column, (counts, what) in limits.items():
            if (sure := counts(row[column])) is None:
                said = f"“{row[column]}” in “{column}” does not tell whether this extension counts here; write {what}"
                raise RosterError(f"{path.name}, line {line}: {said}")
            if not sure:
                aside.setdefault(f"“{row[column]}” in “{column}”", []).append(line)
                break
        else:
            try:
                when = moment(row[until])
            except ValueError as error:
                raise RosterError(f"{path.name}, line {line}: {error}") from None
            key = keys.setdefault(same(row[who]), row[who])
            several |= {key: None} if found.get(key, when) != when else {}
            found[key] = max(when, found.get(key, when))
    lines = {said: ", ".join(map(str, at)) for said, at in aside.items()}
    found.notes = [f"{path.name}: {said}: not counted (line{'s' * (',' in at)} {at})" for said, at in lines.items()]
    found.notes += [f"{path.name}: {key} has several extensions: the latest counts" for key in several]
    read = {*ids, *_NAME, *_FIRST, *_LAST, *_GROUP, *_ASIDE, _meaning(until)}
    unread = [each for each in table.columns if each and each not in limits and _meaning(each) not in read]
    found.notes += [f"{path.name}: “{each}” was not read: see whether it limits an extension" for each in unread]
    return found


def _limiting(column: str, names: Collection[str], course: str) -> tuple[Callable[[str], bool | None], str] | None:
    """What tells by a cell of this column whether an extension counts, with None if it is not sure, and what to write.

    None if the column does not tell that.
    """
    form = _form(column)
    if form in _DECISION:
        return _is_granted, "yes or no"
    called = [*names] if form in _FOR else [course] if form in _COURSE and course else []
    return (partial(_is_of, called), called[0]) if called else None


def _is_granted(cell: str) -> bool | None:
    return True if _GRANTED.fullmatch(same(cell)) else False if _DENIED.fullmatch(same(cell)) else None


def _is_of(names: Collection[str], cell: str) -> bool | None:
    """Whether this names what has these names; it does not if another number is at the same place in it."""
    if squeezed(cell) in map(squeezed, names):
        return True
    numbers, *others = ([int(each[:18]) for each in re.findall(r"\d+", text, re.ASCII)] for text in (cell, *names))
    differ = all(any(a != b for a, b in zip(numbers, other, strict=False)) for other in others)
    return False if differ else None


def moment(text: str) -> datetime:
    """A date and time with its zone: `2026-11-30 23:59 -0500`, `2026-11-30T23:59:00-05:00`, `… UTC`, `… Z`, or
    `2026-11-30 23:59 America/New_York`. ValueError says what is missing; nothing else is raised for any text.

    Zone abbreviations such as EST are refused: several zones share one. So are years in which nobody hands in: at the
    ends of the calendar, a moment cannot be written in every zone.
    """
    said = f"“{text}” is not a date with its zone, such as 2026-11-30 23:59 -0500"
    match = re.fullmatch(
        r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(Z|UTC|[+-]\d\d:?\d\d|[A-Za-z]+(?:/[\w+-]+)+)",
        text.strip(),
        re.ASCII,
    )
    if match is None:
        raise ValueError(said)
    day, time, zone = match.groups()
    time = re.sub(r"(\.\d{6})\d*", r"\1", time)
    if not _FIRST_YEAR <= int(day[:4]) <= _LAST_YEAR:
        raise ValueError(f"{said}: the year is not from {_FIRST_YEAR} to {_LAST_YEAR}")
    try:
        if zone in ("Z", "UTC"):
            return datetime.fromisoformat(f"{day} {time}").replace(tzinfo=UTC)
        if "/" in zone:
            when = datetime.fromisoformat(f"{day} {time}").replace(tzinfo=ZoneInfo(zone))
            if when.utcoffset() != when.replace(fold=1).utcoffset():
                raise ValueError("the clocks change in this hour; write the offset from UTC")
            return when
        return datetime.fromisoformat(f"{day} {time}{zone}")
    except (LookupError, OSError):  # America/Argentina is a folder of zones
        raise ValueError(f"{said}: there is no zone {zone}") from None
    except ValueError as error:
        raise ValueError(f"{said}: {error}") from None


class _Table:
    """A CSV file whose first line names its columns; blank lines do not count."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        self.encoding = ""
        text, self._before = self._text(), 0
        if match := re.match(r'"?sep=."?\n', text, re.IGNORECASE):  # Excel's mark of the separator
            text, self._before = text[match.end() :], 1
        text = _unwrapped(text)
        header = text.lstrip("\n").partition("\n")[0]
        if above := self._title(text):
            self._before, text = self._before + above, text.split("\n", above)[above]
            self.notes.append(f"{path.name}: the names of the columns are in line {self._before + 1}")
            header = text.partition("\n")[0]
        separator = max(_SEPARATORS, key=lambda each: self._known(header, each))
        lines = [(line, row) for line, row in self._parsed(text, separator) if any(row)]
        if not lines:
            raise RosterError(f"{path.name} is empty")
        self.first, self.columns = lines[0]
        self._lines = [(line, self._in_one_line(line, row, separator)) for line, row in lines[1:]]
        self._join_columns()
        self._refuse_swallowed(self.first, self.columns, separator, 1)
        for line, row in self._lines:
            self._refuse_swallowed(line, row, separator, len(self.columns) - 1)

    def _parsed(self, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
        """The rows with the lines where they begin. RosterError where quotes do not fit."""
        reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True, skipinitialspace=True)
        while True:
            line = self._before + reader.line_num + 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise RosterError(
                    f"{self.path.name}, line {line}: this line cannot be read as CSV ({error}). A cell that begins "
                    'with a quote (") must end with one; write a quote inside it twice'
                ) from error
            if row is None:
                return
            # A spreadsheet keeps the zeros of ="0012".
            yield line, [re.sub(r'^="([^"]*)"$', r"\1", cell.strip()).strip() for cell in row]

    def _in_one_line(self, line: int, row: list[str], separator: str) -> list[str]:
        """The row; a name over several lines has spaces. What may be other students' rows in it stays as it is."""
        cells = []
        for at, cell in enumerate(row):
            first, *further = cell.split("\n")
            named = at < len(self.columns) and _meaning(self.columns[at]) in _NAMES
            rows = any(separator in each or re.search(r"[\d@]|^[\W_a-z]", each) for each in further)
            if named and further and not rows:
                self.notes.append(f"{self.path.name}, line {line}: a name over several lines was read as one")
                cell = " ".join((first, *further))
            cells.append(cell)
        return cells

    def _join_columns(self) -> None:
        """Of columns of one name, keep the first, if the cells in them are equal or are addresses. Else RosterError."""
        forms = [*map(_form, self.columns)]
        for other in range(len(forms) - 1, 0, -1):
            form, first = forms[other], forms.index(forms[other])
            if first == other or form not in _KNOWN:
                continue
            for _, row in self._lines:
                cells = {same(row[at]): row[at] for at in (other, first) if at < len(row) and row[at]}
                if len(cells) > 1 and form not in KEYS["email"]:
                    raise RosterError(f"{self.path.name}, line {self.first}: more than one column is called {form}")
                if cells:
                    row[first] = " ".join([*cells.values()][::-1])
                del row[other : other + 1]
            del self.columns[other]
            self.notes.append(f"{self.path.name}: the columns called {form} were read as one")

    def _refuse_swallowed(self, line: int, row: list[str], separator: str, most: int) -> None:
        """RosterError for a cell over several lines that may be other students' rows behind a quote left open.

        That is so where a line in it has `most` separators, and in every column by which students are told apart.
        """
        for index, cell in enumerate(row):
            _, *further = cell.split("\n")
            column = self.columns[index : index + 1]
            telling = row is not self.columns and any(_meaning(each) in _KNOWN for each in column)
            if further and (telling or any(each.count(separator) >= most for each in further)):
                raise RosterError(
                    f"{self.path.name}, line {line}: a cell in quotes goes on over {len(further) + 1} lines. Close its "
                    "quote in the same line, or write the cell without line breaks"
                )

    @property
    def by_form(self) -> dict[str, str]:
        """The columns by what they are called; of two that mean the same, the one that is written so."""
        meant = {_meaning(column): column for column in reversed(self.columns)}
        return meant | {_form(column): column for column in reversed(self.columns)}

    @property
    def rows(self) -> Iterator[tuple[int, Row]]:
        for line, row in self._lines:
            if len(row) > len(self.columns) and any(row[len(self.columns) :]):
                raise RosterError(
                    f"{self.path.name}, line {line}: {len(row)} cells under {len(self.columns)} columns; put a cell "
                    "that holds the separator in quotes"
                )
            yield line, {column: row[index] if index < len(row) else "" for index, column in enumerate(self.columns)}

    def _text(self) -> str:
        """The file's text with `\\n` at the ends of lines."""
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise RosterError(f"{self.path} cannot be read: {error.strerror}") from error
        if data.startswith(_WORKBOOKS):
            raise RosterError(f"{self.path.name} is a spreadsheet, not a CSV file: save it as “CSV UTF-8”")
        marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "")
        data = data if marked else data.rstrip(b"\0\x1a")  # with which DOS ends a file
        # Excel's “CSV (Macintosh)” ends lines with a carriage return alone.
        other = "mac_roman" if b"\r" in data and b"\n" not in data else "cp1252"
        for encoding in (marked,) if marked else ("utf-8-sig", other):
            try:
                text = data.decode(encoding)
            except UnicodeDecodeError:
                continue
            if "\0" in text:
                break
            if encoding == other:
                name = {"cp1252": "Windows-1252", "mac_roman": "Mac Roman"}[other]
                self.encoding = f"{self.path.name} is not UTF-8; read as {name}: check names with accents"
                self.notes.append(self.encoding)
            return _INVISIBLE.sub("", re.sub(r"\r\n?", "\n", text))
        raise RosterError(f"{self.path.name} is neither UTF-8 nor marked UTF-16: save it as “CSV UTF-8”")

    def _title(self, text: str) -> int:
        """How many lines are above one with the names of several columns, if no column is named in them."""
        lines = text.split("\n", _TITLE)[:_TITLE]
        for above, line in enumerate(lines):
            if known := max(self._known(line, each) for each in _SEPARATORS):
                return above if known > 1 and any(lines[:above]) else 0
        return 0

    @staticmethod
    def _known(header: str, separator: str) -> int:
        """How many columns of the header have a known name, if this is the separator."""
        reader = csv.reader([header], delimiter=separator, skipinitialspace=True)
        with suppress(csv.Error):  # which reading the whole file tells with its line
            return sum(_meaning(cell) in _KNOWN for row in reader for cell in row)
        return 0


def _unwrapped(text: str) -> str:
    """The text without quotes around each whole line, which Excel puts there if the separator is not its own."""
    lines = text.split("\n")
    wrapped = all(re.fullmatch(r'"(?:[^"]|"")*+"', line) for line in lines if line)
    if not wrapped or not any(each in next(filter(None, lines), "") for each in _SEPARATORS):
        return text
    return "\n".join(line[1:-1].replace('""', '"') for line in lines)


@lru_cache(4096)  # for it is asked of each cell
def _form(column: str) -> str:
    """The name of a column without case and punctuation; `Given name(s)` is `given names`."""
    text = re.sub(r"(?<=\w)\((s|n|en|e)\)", r"\1", same(column).replace("_", " "))
    if text.isascii():
        return " ".join(re.findall(r"\w+", text))
    return " ".join("".join(each if _is_of_word(each) else " " for each in text).split())


def _is_of_word(letter: str) -> bool:
    """Whether this is in a word: in Thai and Hindi, marks are letters."""
    return letter.isalnum() or unicodedata.category(letter)[0] == "M"


@lru_cache(4096)  # for it is asked of each column in each row
def _meaning(column: str) -> str:
    """The `_form` of a column that is called so, in one word or as the student's: `StudentID`, `Student Email`."""
    form = _form(column)
    if form in _KNOWN:
        return form
    forms = [form.replace(" ", ""), re.sub(r"^students? ?(?:s )?", "", form).replace(" ", "")]
    if known := next((_LETTERS[each] for each in forms if each in _LETTERS), ""):
        return known
    if _OF_OTHERS.search(form):
        return form
    for pattern, meant in _MEANT:
        if pattern.fullmatch(form):
            return meant
    part = _PART.fullmatch(form)
    if part is None:
        return form
    first = part["first"] or part["first_alone"]
    if _CHOSEN.search(form):
        return "preferred first name" if first else form
    return "first name" if first else "last name"
