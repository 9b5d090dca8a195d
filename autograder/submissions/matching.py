"""Which student of a roster each name in an upload means.

An id decides. Where none is in the roster, a name that only one student has is taken, unless an id says that this is
somebody else. Then a whole name within another is taken, if it is of one student, who has no other work. Where it may
be a student's, but nothing is sure, the staff is asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, product

from autograder.submissions.find import attempt_in
from autograder.submissions.forms import (
    SEVERAL,
    SHORT,
    Holders,
    has_id,
    ids_in_one_form,
    in_most,
    numberless,
    separator_of,
)
from autograder.submissions.names import LONGEST, shown
from autograder.submissions.roster import Roster, Student, group_keys
from autograder.submissions.spelling import (
    has_case,
    in_any_order,
    is_changed,
    may_become,
    name_key,
    parted,
    plain,
    readings,
    same,
    spellings,
    squeezed,
    unpadded,
    without_id,
    words_of,
)

_LISTED = 3
_SEPARATORS = 8  # of the most frequent ones, to see which tells a name from the rest
_LONG_ID, _LONG_NUMBER = 4, 6  # characters of an id that is no word of a file's name by chance
_BETWEEN = "-_ ."  # a name and a date
MANY = 1000  # attempts: a longer number is an id
_COPY = re.compile(r" ?\(\d{1,2}\)$")  # what Google Drive adds to the second of two files with one name
_NUMBERS = re.compile(r"[\W_]*(?:\d++[\W_]++)++(?=[^\W\d_])")  # a date, or what a platform counts
_OF_A_BROWSER = re.compile(r"\d{1,2}")  # in brackets, behind a name that exists already; an id behind a person's name
_KINDS = ("id", "other id", "login", "sis", "email", "other email", "likely id")  # which a platform may confuse
_LOGINS = ("login", "id", "other id", "sis", "likely id")  # which may be at the end of a name
_OF_HUBS = ("jupyter-", "claim-", "volume-", "home-")  # before the login in the name of a home
_WORDS = {"canvas": "Canvas number", "email": "email address", "sis": "SIS id"}


@dataclass(frozen=True, eq=False)
class Known:
    """A student as an upload knows them.

    Attributes:
        student, name, keys: see `names.PlatformName`.
        separator: what may stand between an assignment's title and the login in `student`; empty if nothing does.
        readings: the students who may be meant, if the name can be read in several ways.
    """

    student: str
    name: str
    keys: Mapping[str, str]
    separator: str = ""
    readings: tuple[Known, ...] = ()


@dataclass(frozen=True)
class Match:
    """The students of the roster whose work this is: several if a group handed in, none if the roster lacks them.

    `notes` say what was guessed, `attention` what staff should look at. This may be the work of those that it `claims`;
    `claimed` says so. `file` is the student's own name for one of several files in names of one form; empty otherwise.
    """

    people: tuple[Student, ...] = ()
    notes: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()
    claims: tuple[Student, ...] = ()
    claimed: str = ""
    file: str = ""


def matched(students: Sequence[Known], roster: Roster) -> dict[str, Match]:
    """Whom in the roster each of the students of an upload is, by `Known.student`."""
    keys = [{key for key in each.keys.values() if "@" in key} for each in students]
    roster = roster.at_institution([key for theirs in keys for key in theirs], len(students))
    doubtful = [each for each in students if each.readings]
    asked = {each.student: Match() for each in doubtful}
    asked |= _claims(doubtful, {each.student: _meant(each, roster) for each in doubtful})
    certain = [each for each in students if not each.readings]
    return _with_attempts(certain, roster) | asked


def _with_attempts(students: Sequence[Known], roster: Roster) -> dict[str, Match]:
    """Whom the entries mean; of attempts, the last alone is matched, and the earlier ones are of the same student.

    It is read as any other entry, then by what is next to the date or number; else each of the attempts is.
    """
    shared = _of_several(students, roster)
    attempts = _attempts([each for each in students if each.student not in shared], roster)
    while True:
        last = {each[-1].student: ways[0] for each, ways in attempts}
        earlier = {each.student for several, _ in attempts for each in several[:-1]}
        matching = [last.get(each.student, each) for each in students if each.student not in earlier]
        found = _matched(matching, shared, roster)
        matches = [found[several[-1].student] for several, _ in attempts]
        doubted = [
            not each.people or (each.attention and len(ways) > 1)
            for each, (_, ways) in zip(matches, attempts, strict=True)
        ]
        if not any(doubted):
            break
        left = [
            (several, ways[1:] if doubt else ways) for (several, ways), doubt in zip(attempts, doubted, strict=True)
        ]
        attempts = [(several, ways) for several, ways in left if ways]
    for several, ways in attempts:
        student = several[-1].student
        match = found[student]
        if ways[0] is not several[-1] and not match.notes:
            said = f"`{shown(student)}` was matched to {match.people[0].name} in the roster by the id in it"
            found[student] = replace(match, notes=(said,))
        found |= {each.student: replace(match, notes=(), attention=()) for each in several[:-1]}
    return found


def _attempts(students: Sequence[Known], roster: Roster) -> list[tuple[list[Known], list[Known]]]:
    """Entries whose names differ only by a date or a number as in `v2`, in order, with how the last may be read.

    What is next to the date may be a whole name or id of the roster. What most entries have in common is no student's.
    """
    forms: dict[tuple[str, ...], list[tuple[int, Known]]] = {}
    for each in students:
        before, after, (kind, order) = attempt_in(each.student) or ("", "", ("", 0))
        varying = each.student[len(before) : len(each.student) - len(after)]
        known = roster.having(each.student) or roster.having(varying) or roster.named(each.student)
        if (
            kind
            and each.keys == {"id": each.student}
            and not known
            and (kind.startswith(("date", "time")) or order < MANY)
        ):
            forms.setdefault((same(before), same(after), kind), []).append((order, each))
    names = {same(each.student) for each in students}
    attempts = []
    for (before, after, _), several in forms.items():
        rest = before.rstrip(_BETWEEN) + after if before else after.lstrip(_BETWEEN)
        in_order = 1 < len(several) == len({order for order, _ in several})
        if not in_order or rest in names:
            continue
        having = roster.having(rest) if len(rest) >= SHORT else []
        named = roster.named(rest) if not having and len(words_of(rest)) > 1 else []
        theirs = [each for _, each in sorted(several, key=lambda each: each[0])]
        ways = [theirs[-1]]
        if len(having) + len(named) == 1:
            ways.append(replace(theirs[-1], name=rest, keys={"id": rest} if having else {}))
        if len(ways) > 1 or not in_most(len(several), len(students)):
            attempts.append((theirs, ways))
    return attempts


def _matched(entries: Sequence[Known], shared: Mapping[str, Match], roster: Roster) -> dict[str, Match]:
    """Whom each of the entries means; of those that are `shared`, that is known."""
    students = [each for each in entries if each.student not in shared]
    groups = _Groups(roster)
    ends = _by_title(students, "-", roster, partial(_who, roster, groups, "github"))
    ends |= _by_title(students, "_", roster, partial(_who, roster, groups, *_LOGINS))
    whole = {each.student for each in students if groups.named(each).people}
    titled = {name: match for name, (_, match) in ends.items() if name not in whole}
    by_key = {
        each.student: _by_key(each, roster) or titled.get(each.student) or _held(each, roster) for each in students
    }
    holders = Holders(roster)
    in_form = _by_id_in_form(students, by_key, holders)
    by_key |= in_form
    doubted = {each.student for each in students if any(_doubtful(each, who) for who in by_key[each.student].people)}
    telling = {kind for each in students for kind, key in each.keys.items() if roster.find(key, kind)}
    fields = _names_in_form(students, in_form, roster, holders)
    names = {each.student: fields[each.student].known if each.student in fields else each for each in students}
    named = [*names.values()]
    in_order = _in_order(named, roster)
    by_name = {
        each.student: _by_name(each, roster, telling, in_order)
        for each in named
        if not by_key[each.student].people or each.student in doubted
    }
    sure = {student: found for student, found in by_key.items() if student not in doubted}
    claimants = _claimants((*sure.items(), *by_name.items()))
    found = by_key
    for each in students:
        guess = by_name.get(each.student, Match())
        if any(_are_one(claimants[who.id], fields) for who in guess.people):
            (who,) = guess.people
            file = fields[each.student].file if len(claimants[who.id]) > 1 else ""
            found[each.student] = replace(guess, file=file)
        elif each.student in doubted:
            (who,) = found[each.student].people
            said = f"`{shown(each.student)}` was matched to {who.name} in the roster by number, but the names differ"
            found[each.student] = Match(() if who.id in claimants else (who,), attention=(said,))
        elif guess.people:
            (who,) = guess.people
            several = " and ".join(f"`{shown(student)}`" for student in claimants[who.id])
            twins = [twin for twin in roster.spelled(names[each.student].name) if twin is not who]
            found[each.student] = Match(
                claims=(who, *twins), claimed=f"{several} may both be {who.name} in the roster: which one is it?"
            )
        elif not found[each.student].people:
            found[each.student] = guess
        found[each.student] = _with_group(each, found[each.student], roster) or groups.named(each)
    for each in named:
        end = ends[each.student][0] if each.student in titled else ""
        found[each.student] = _or_groups(each, end, found[each.student], roster, groups)
    unknown = [each for each in students if found[each.student] == Match()]
    held = _held_in(unknown, roster, telling, groups, holders)
    unknown += [each for each in entries if each.student in shared]
    found |= _within(unknown, held, found, shared, len(students), roster, holders)
    return found | _in_anothers_name(named, found, roster, holders)


def _within(
    unknown: Sequence[Known],
    held: dict[str, list[Student]],
    known: Mapping[str, Match],
    shared: Mapping[str, Match],
    entries: int,
    roster: Roster,
    holders: Holders,
) -> dict[str, Match]:
    """Whom the `unknown` ones mean by a name or an id in theirs; else the question whose they are."""
    held |= {each: [*match.claims] for each, match in shared.items()}
    served = {who.id for match in known.values() for who in (*match.people, *match.claims)}
    served |= {who.id for match in shared.values() for who in match.people}
    found = {each.student: Match() for each in unknown}
    found |= _by_name_within(unknown, held, served, entries, holders)
    served |= {who.id for match in found.values() for who in match.people}
    found |= _by_id_within([each for each in unknown if found[each.student] == Match()], held, served, roster)
    found |= shared
    found |= _claims([each for each in unknown if found[each.student] == Match()], held)
    for each in unknown:
        role = roster.no_student(each.name, each.keys.values()) if found[each.student] == Match() else ""
        if role:
            said = f"`{shown(each.student)}` is not a student in the roster: {role}"
            found[each.student] = Match(claimed=said)
    unknown = [each for each in unknown if found[each.student] == Match()]
    return found | _claims(unknown, _near(unknown, {**known, **found}, roster, holders))


def _meant(student: Known, roster: Roster) -> list[Student]:
    """The students of the roster whom a name may mean that can be read in several ways."""
    by_key = {each.student: _by_key(each, roster) or Match() for each in student.readings}
    found = [who for each in student.readings for who in by_key[each.student].people or _named(each, roster)]
    return [*dict.fromkeys(found)]


def _claimants(matches: Iterable[tuple[str, Match]]) -> dict[str, list[str]]:
    """By the id of a student, the entries that were matched to the student."""
    claimants: dict[str, list[str]] = {}
    for student, match in matches:
        for who in match.people:
            claimants.setdefault(who.id, []).append(student)
    return claimants


# --- by an id -----------------------------------------------------------------------------------------------------


def _by_key(student: Known, roster: Roster) -> Match | None:
    """The only student of the roster with one of these ids, or None.

    An id that is the whole name of an entry may be of any kind, so it is nobody's if several students have it.
    """
    has_canvas = any("canvas" in each.keys for each in roster.students)
    for kind, key in student.keys.items():
        if kind == "canvas":
            found = roster.find(key, "canvas") if has_canvas else roster.find(key)
        elif kind == "id" and key == student.student:
            having = roster.having(key)
            found = having[0] if len(having) == 1 else None if having else roster.find(key)
        else:
            found = roster.find(key, kind) or roster.find(key, *_KINDS)
        if found:
            others = [who for kind, key in student.keys.items() if (who := roster.find(key, kind)) and who is not found]
            said = [f"the ids of `{shown(student.student)}` are also those of {who.name}" for who in others]
            by = "the id, which a spreadsheet changes so"
            by = "the login in an address" if found in roster.addressed(key) else by
            by = "the id, which is written otherwise there" if found in roster.written_otherwise(key) else by
            notes = [f"`{shown(student.student)}` was matched to {found.name} in the roster by {by}"]
            return Match((found,), tuple(notes if found not in roster.having(key) else ()), tuple(said))
    for key in student.keys.values():
        if there := roster.elsewhere(key):
            who, column = there
            note = f"`{shown(student.student)}` was matched to {who.name} in the roster by “{shown(column)}”"
            return Match((who,), (note,))
    return None


def _held(student: Known, roster: Roster) -> Match:
    """Who has the name and the id that a name has, or the email address, if no platform gave the name."""
    by_platform = student.keys.get("id") != student.student
    who = roster.with_id(student.name) if by_platform else roster.held(student.student)
    if who is None or _differing(student, who):
        return Match()
    return Match((who,), (f"`{shown(student.student)}` was matched to {who.name} in the roster by the id in it",))


def _by_id_in_form(students: Sequence[Known], by_key: Mapping[str, Match], holders: Holders) -> dict[str, Match]:
    """Whose id stands in names of one form, if those have no other work. It may be there by chance."""
    names = [each.student for each in students if each.keys.get("id") == each.student]
    places = ids_in_one_form(names, len(students), holders)
    served = {who.id for match in by_key.values() for who in match.people}
    count = Counter(place.who.id for place in places.values())
    matches = {}
    for name, place in places.items():
        if place.who.id not in served:
            said = f"`{shown(name)}` was matched to {place.who.name} in the roster by the id in it"
            file = place.file if count[place.who.id] > 1 else ""
            match = Match((place.who,), (said,)) if place.telling else Match((place.who,), (), (f"{said}: a guess",))
            matches[name] = replace(match, file=file)
    return matches


def _who(roster: Roster, groups: _Groups, *kinds_and_login: str) -> tuple[Student, ...]:
    """The student with this login, the last argument, or the members of the group of this name.

    GitHub Classroom lacks the account of who is not linked: it may be the login of the email address.
    """
    *kinds, login = kinds_and_login
    who = roster.find(login, *kinds)
    unlinked = [each for each in roster.addressed(login) if "github" not in each.keys] if kinds == ["github"] else []
    return (who,) if who else groups.members(login) or tuple(unlinked if len(unlinked) == 1 else ())


def _by_title(
    students: Sequence[Known], separator: str, roster: Roster, find: Callable[[str], tuple[Student, ...]]
) -> dict[str, tuple[str, Match]]:
    """The end of each name, after the assignment's title, and whom `find` finds by it: `ada-l` in `hw-3-ada-l`.

    Either may be longer. All of a download have one title. So of the titles that fit, the one counts that finds most
    students.
    """
    names = [each.student for each in students if each.separator == separator]
    fitting: Counter[str] = Counter()
    for name in names:
        fitting.update([title for title, login in _splits(name, separator) if find(login)][:1])
    sharing = {title: sum(name.startswith(title) for name in names) for title in fitting}

    def rank(split: tuple[str, str]) -> tuple[int, int, int]:
        return fitting[split[0]], sharing[split[0]], -len(split[0])

    matches = {}
    for name in names:
        splits = [split for split in _splits(name, separator) if split[0] in fitting]
        title, login = max(splits, key=rank, default=("", ""))
        if people := find(login):
            group = people[0].group_like(login)
            sure = (sharing[title] > 1 or separator not in title[:-1]) and not 0 < len(squeezed(group)) < SHORT
            accounts = {same(people[0].keys.get(kind, "")) for kind in ("github", "other github")}
            linked = title in _OF_HUBS or same(login) in accounts
            sure &= bool(group) or separator != "-" or linked
            whom = f"the group {group}" if group else people[0].name
            said = f"`{shown(name)}` was matched to {whom} in the roster by `{shown(login)}`, the end of its name"
            matches[name] = login, Match(people, () if roster.having(login) else (said,), () if sure else (said,))
    return matches


def _splits(name: str, separator: str) -> list[tuple[str, str]]:
    """Each way to split a name into a title, which is not empty, and a login."""
    return [(name[: end.end()], name[end.end() :]) for end in re.finditer(re.escape(separator), name) if end.start()]


def _doubtful(student: Known, who: Student) -> bool:
    """Whether a number, which need not be Canvas' in this roster, is that of somebody with quite another name."""
    return "canvas" in student.keys and "canvas" not in who.keys and another_name(student.name, who)


def another_name(named: str, who: Student) -> bool:
    """Whether the upload's name is mostly other words than those of the roster's, such as a group's name."""
    words = re.findall(r"\w+", same(" ".join(who.names))) if who.name != who.id else []
    rest = name = squeezed(named)
    for word in sorted(map(squeezed, words), key=len, reverse=True):
        rest = rest.replace(word, "", 1)
    return bool(words) and 2 * len(rest) > len(name)


# --- by the name --------------------------------------------------------------------------------------------------


def _by_name(student: Known, roster: Roster, telling: set[str], in_order: bool) -> Match:
    """The only student of this name, if no id contradicts. The kinds in `telling` are those by which some are found.

    Unless the upload is `in_order`, `Li Wang` may also be Wang Li.
    """
    people, turned = _named(student, roster), _turned(student, roster)
    lost = [] if people or turned else roster.worn(student.name, 0)
    people = people or lost
    if len(people) != 1 or (turned and not in_order):
        return Match()
    (who,) = people
    other = _differing(student, who)
    ids = {
        kind: f"the {_WORDS.get(kind, kind)} is {shown(student.keys[kind])} here and {shown(who.keys[kind])} there"
        for kind in other
    }
    if contradicting := [said for kind, said in ids.items() if kind in telling]:
        said = f"`{shown(student.student)}` has the name of {who.name} in the roster, but {contradicting[0]}"
        return Match(claims=(who,), claimed=f"{said}: whose is it?")
    by = "name" if student.keys else "the name in it"
    said = f"`{shown(student.student)}` was matched to {who.name} in the roster by {by}"
    doubts = [f"{said}, but {ids[kind]}" for kind in other if kind in ("canvas", "email")]
    doubts += [f"{said}, without its letters with accents: a guess"] if lost else []
    return Match((who,), (said,), tuple(doubts))


@dataclass(frozen=True)
class _Field:
    """What is next to a separator in the name of an entry: the student, by that name, and the name of the file.

    `number` is what is before both, such as a date.
    """

    known: Known
    file: str
    number: str = ""


def _names_in_form(
    students: Sequence[Known], in_form: Mapping[str, Match], roster: Roster, holders: Holders
) -> dict[str, _Field]:
    """The names in one form, but for those of which an id tells the student, or that have somebody else's next to it.

    Where no entry is `in_form` by an id, what is next to a name is the student's own, and tells only as a whole.
    """
    fields = {}
    for student, field in _in_one_form(students, roster).items():
        texts = (field.file, field.number)
        people = [*roster.named(field.known.name), *roster.turned(field.known.name)]
        others = {roster.find(text.strip(" -_()[]")) for text in texts} - {None, *people}
        others |= {who for text in texts for who in holders.of(words_of(text))} - {*people} if in_form else set()
        if student not in in_form and not others:
            fields[student] = field
    return fields


def _in_one_form(students: Sequence[Known], roster: Roster) -> dict[str, _Field]:
    """The names in entries to which a platform gave one form, such as `Jane Doe - homework.py`.

    That is so if a whole name of the roster is before the first of a separator, or after the last, in at least three
    entries and more than half of all. Numbers may be before the name: `20261130-2214-Jane Doe-homework`.
    """
    entries = [
        each.student for each in students if each.keys.get("id") == each.student and len(each.student) <= LONGEST
    ]
    numbers = {entry: _NUMBERS.match(entry) for entry in entries}
    count = Counter(separator for entry in entries for separator in {*re.findall(r"[\W_]+", entry)})
    best: dict[str, _Field] = {}
    for separator, _ in [each for each in count.most_common(_SEPARATORS) if each[0].strip()]:
        for first in (True, False):
            fields = {}
            for entry in entries:
                number = there[0] if first and (there := numbers[entry]) else ""
                if field := _split(entry, number, separator, first, roster):
                    fields[entry] = field
            best = max(best, fields, key=len)
    forms: dict[tuple[str, bool], dict[str, _Field]] = {}  # with one text before, or after, the name: `hw3 Jane Doe`
    called = [name for who in roster.students for name in who.names if name != who.id]
    lengths = {len(name) for name in called if not (has_case(name) or re.search(r"\d", name))}
    for entry in entries:
        gaps = [gap.span() for gap in re.finditer(r"[\W_]+", entry)]
        gaps += [(at, at) for at in {*lengths, *(len(entry) - each for each in lengths)} if 0 < at < len(entry)]
        for start, end in gaps:
            for name, text in ((entry[end:], entry[:end]), (entry[:start], entry[start:])):
                if (start < end or not has_case(name)) and (roster.named(name) or roster.turned(name)):
                    field = _Field(Known(entry, name, {}), text.strip())
                    forms.setdefault((text, entry.startswith(text)), {})[entry] = field
    best = max([best, *forms.values()], key=len)
    return best if in_most(len(best), len(students)) else {}


def _split(entry: str, number: str, separator: str, first: bool, roster: Roster) -> _Field | None:
    """The name before (or after) a separator, which may be in the name too: `hw3-Jean-Luc Picard`.

    None if nobody is called so, or two may be meant.
    """
    words = entry[len(number) :].split(separator)
    fields = []
    for count in range(1, len(words)):
        name, file = separator.join(words[:count]), separator.join(words[count:])
        name, file = (name, file) if first else (file, name)
        copy = _COPY.search(name)
        name, file = (name[: copy.start()], f"{file}{copy[0]}") if copy else (name, file)
        people = [*roster.named(name), *roster.turned(name)] if name == name.strip() else []
        if separator not in name or any(separator in each for who in people for each in who.names):
            fields += [_Field(Known(entry, name, {}), file, number)] if people else []
    return fields[0] if len(fields) == 1 else None


def _are_one(claimants: Sequence[str], fields: Mapping[str, _Field]) -> bool:
    """Whether these entries are of one student: there is one, or a platform has put one name into all of them.

    With numbers before the name, they may be attempts.
    """
    there = [fields.get(each) for each in claimants]
    names = {name_key(field.known.name) if field and not field.number else "" for field in there}
    return len(claimants) == 1 or (len(names) == 1 and "" not in names)


def _in_order(students: Sequence[Known], roster: Roster) -> bool:
    """Whether names are written as in the roster, as far as they show: some are, and none has its family name first."""
    there = [(bool(roster.named(each.name)), bool(_turned(each, roster))) for each in students]
    return (True, False) in there and (False, True) not in there


def _turned(student: Known, roster: Roster) -> list[Student]:
    """Who has this name with its words in another order. Canvas always writes the family name first."""
    return [] if "canvas" in student.keys else roster.turned(student.name)


def _differing(student: Known, who: Student) -> list[str]:
    """The kinds of ids by which this is somebody else."""
    return [
        kind
        for kind, key in student.keys.items()
        if who.keys.get(kind) and not _alike(who.keys[kind], key) and same(key) != same(student.name)
    ]


def _alike(key: str, other: str) -> bool:
    """Whether these are one id, apart from what a spreadsheet changes in it."""
    return same(key) == same(other) or unpadded(key) == unpadded(other)


def _named(student: Known, roster: Roster) -> list[Student]:
    """Who has this name, as written, after a group's as in Moodle, or squeezed as Canvas does: `lovelaceada`.

    Else, who has it apart from what packing and unpacking did to its letters with accents.
    """
    names = [student.name]
    if "identifier" in student.keys:
        names += [student.name[hyphen.end() :] for hyphen in re.finditer("-", student.name)]
    for name in names:
        if people := roster.named(name):
            return people
    if "canvas" in student.keys:
        called = squeezed(student.name)
        if people := [each for each in roster.students if any(called in _sorted_names(name) for name in each.names)]:
            return people
    read = [who for reading in readings(student.name) for who in (*roster.named(reading), *roster.turned(reading))]
    return [*dict.fromkeys(read)] or roster.worn(student.name, 1)


def _sorted_names(name: str) -> set[str]:
    """A name with its family name first, squeezed. Without a comma, any word may be the family name."""
    words = name.split()
    starts = [0] if "," in name else range(len(words))
    return {squeezed("".join(words[start:] + words[:start])) for start in starts}


# --- by the name within another -----------------------------------------------------------------------------------


def _by_name_within(
    unknown: Sequence[Known],
    held: Mapping[str, Sequence[Student]],
    served: set[str],
    entries: int,
    holders: Holders,
) -> dict[str, Match]:
    """Whose whole name is in that of an entry and who has no other work: `Jane Doe - homework`, `Doe Jane`.

    If more than half of all entries have one form, a platform has given it: then files in it with one student's name
    belong together, and nothing is to be reviewed. Nor is it where an id stands next to the name. An id in more than
    half of the names, such as the homework's, tells nothing.
    """
    counts = Counter(who.id for people in held.values() for who in people)
    common = {who for who, count in counts.items() if in_most(count, len(unknown))}
    places: dict[str, tuple[Student, _Place]] = {}
    holding: dict[str, list[str]] = {}
    for each in unknown:
        rare = {who for who in held[each.student] if who.id not in common}
        whole = {who: place for who in held[each.student] if (place := _place(each, who, holders))}
        there = {
            who.id: (who, whole.get(who) or (_surname_place(each, who, holders) if who in rare else None))
            for who in held[each.student]
        }
        telling = [id for id, (_, place) in there.items() if place or id not in common] or list(there)
        with_id = [id for id in telling if (place := there[id][1]) and place.with_id]
        with_id = [id for id in with_id if there[id][0] in whole or not whole]  # else it is next to another's name
        telling = with_id if len(with_id) == 1 else telling
        for id in telling:
            holding.setdefault(id, []).append(each.student)
        who, place = there[telling[0]] if len(telling) == 1 else (None, None)
        if who and place and who.id not in served:
            places[each.student] = (who, place)
    forms = Counter(form for _, place in places.values() for form in place.forms)
    form = next((form for form, count in forms.most_common() if in_most(count, entries)), None)
    by_id = in_most(sum(place.with_id for _, place in places.values()), len(places))
    matches = {}
    for student, (who, place) in places.items():
        given = [other in places and form in places[other][1].forms for other in holding[who.id]]
        said = f"`{shown(student)}` was matched to {who.name} in the roster by the name in it"
        named = re.search(r"[^\W\d_]", place.file) or _has_time(place.file)
        if all(given) and (len(given) == 1 or named) and (place.with_id or not by_id):
            matches[student] = Match((who,), (said,), file=place.file if len(given) > 1 else "")
        elif len(given) == 1 and not place.joined:
            matches[student] = Match((who,), (said,)) if place.with_id else Match((who,), (), (f"{said}: a guess",))
    return matches


@dataclass(frozen=True)
class _Place:
    """Where a student's name stands in another.

    Attributes:
        forms: what is before and after the name: the separator next to it, if that is not in the name, and all of it,
            with 0 for words with a number; for all words next to a time, which a platform adds.
        file: what is on the other side of the separator.
        with_id: whether the rest has an id of the student.
        joined: whether the name is one word, which may be a login.
    """

    forms: tuple[tuple[str, str], ...]
    file: str = ""
    with_id: bool = False
    joined: bool = False


def _has_time(text: str) -> bool:
    """Whether a date with a time is in this."""
    return (attempt_in(text) or ("", "", ("", 0)))[2][0].startswith("time")


def _surname_place(student: Known, who: Student, holders: Holders) -> _Place | None:
    """Where an id of the student is next to one of the names: `Doe_900123_homework`. That is no chance."""
    words = words_of(student.student)
    whole = [words_of(name) for name in who.names if name != who.id]  # which may be one word
    names = {word for name in (*holders.called(who), *whole) for word in name if len(word) > 1 or not word.isascii()}
    there = any(has_id(words, key) and not names.isdisjoint({*words} - {*key}) for key in holders.ids(who))
    there = there or who in holders.joined_with_id(words)
    return _Place(((student.student, ""),), with_id=True) if there else None


def _place(student: Known, who: Student, holders: Holders) -> _Place | None:
    """Where the words of the roster's name are, in sequence or with the family name first. A platform's is all of it.

    What is next to the name, such as ` - `, tells it from the rest; where it does not (`Doe_Jane_homework`), all that
    is before and after it does.
    """
    by_platform = student.keys.get("id") != student.student
    written = student.name if by_platform else student.student
    texts = [text for each in (parted(written), written, *readings(written)) for text in spellings(each)]
    names = [words_of(name) for called in holders.called(who) for name in in_any_order(" ".join(called))]
    for text, words in product(texts, names):
        pattern = r"[\W_]*".join(map(re.escape, "".join(words)))
        match = re.search(rf"(?<![^\W_]){pattern}(?![^\W_])", text)
        within = {*re.findall(r"[\W_]+", match[0])} if match else set()
        if match is None:
            continue
        joined = not within and has_case(match[0])
        before, after = text[: match.start()], text[match.end() :]
        if by_platform:
            return None if before or after else _Place((("", ""),), joined=joined)
        with_id = any(has_id(words_of(rest), key) for key in holders.ids(who) for rest in (before, after))
        if bool(before) == bool(after):
            return _Place(((before, after),), with_id=with_id, joined=joined)
        within -= {each for name in who.names for each in re.findall(r"[\W_]+", name)}  # of Tim Berners-Lee
        separator = separator_of(after) or separator_of(before[::-1])[::-1]
        texts = [numberless(before or after), *([] if separator in within else [separator])]
        texts += [re.sub(r"[^\W_]+", "0", before or after)] if _has_time(before or after) else []
        forms = tuple((text, "") if before else ("", text) for text in dict.fromkeys(texts))
        file = (before or after).removeprefix(separator).removesuffix(separator)
        return _Place(forms, file, with_id, joined)
    return None


def _by_id_within(
    unknown: Sequence[Known], held: Mapping[str, Sequence[Student]], served: set[str], roster: Roster
) -> dict[str, Match]:
    """Whose id is in the name of one entry alone, with nobody else's name or id: `jdoe_homework`, `jdoe (late)`.

    That is a guess, and none if the student has other work, or if nobody else has any: the roster may be another one.
    An id in brackets may be next to the name of a stranger.
    """
    unknown = unknown if served else []
    count = Counter(who.id for each in unknown for who in held[each.student])
    names = Counter(word for who in roster.students for word in _words_of_names(who))
    matches = {}
    for each in unknown:
        people = held[each.student] if each.keys.get("id") == each.student else []
        if len(people) != 1 or people[0].id in served or count[people[0].id] > 1:
            continue
        who, text = people[0], re.sub(r"\([^()]*\)\Z", "", each.student)
        if "@" in text and any("@" in key for key in who.keys.values()):  # which is another address
            continue
        words, own = f" {' '.join(words_of(text))} ", _words_of_names(who)
        keys = map(words_of, {who.id, *who.keys.values(), *roster.logins(who)})
        there = any(_is_telling(key) and f" {' '.join(key)} " in words for key in keys)
        if there and not any(names[word] > (word in own) for word in words_of(each.student)):
            said = f"`{shown(each.student)}` was matched to {who.name} in the roster by the id in it: a guess"
            matches[each.student] = Match((who,), (), (said,))
    return matches


def _is_telling(key: list[str]) -> bool:
    """Whether an id is too long to be in a name by chance; numbers may be a year, a course's or a homework's."""
    text = "".join(key)
    return len(text) >= (_LONG_NUMBER if text.isdecimal() else _LONG_ID)


def _words_of_names(who: Student) -> set[str]:
    names = [name for name in who.names if name != who.id]
    return {word for name in names for word in words_of(name) if len(word) >= SHORT}


# --- who may have handed in what nobody is known by ---------------------------------------------------------------


def _held_in(
    unknown: Sequence[Known], roster: Roster, telling: set[str], groups: _Groups, holders: Holders
) -> dict[str, list[Student]]:
    """Which students each of those who are `unknown` may be: by the whole name, or by an id or the name in it.

    A group's name means all its members.
    """
    cells = [(who, key) for who in roster.students for key in {who.id, *who.keys.values()} if is_changed(key)]
    held = {}
    for each in unknown:
        ids = {each.student, *each.keys.values()}
        texts = [words_of(text) for text in (*spellings(each.student), *readings(each.student))]
        texts += [[*map(unpadded, words)] for words in texts]
        may_be = {who.id for words in texts for who in holders.of(words)}
        texts.append(words_of(parted(each.student)))
        may_be |= {who.id for words in texts for who in (*roster.within(words), *roster.joined(words))}
        changed = {who.id for who, cell in cells if any(may_become(key, cell) for key in ids)}
        if called := re.fullmatch(r"(.*)\(([^()]+)\)", each.student, re.DOTALL):
            is_id = not _OF_A_BROWSER.fullmatch(called[2]) or roster.named(called[1])
            may_be |= {who.id for who in (roster.find(called[2]),) if who and is_id}
        may_be |= {who.id for who in roster.having(each.student)}
        may_be |= {who.id for key in ids for who in roster.addressed(key)}
        may_be |= {who.id for who in (*_named(each, roster), *roster.turned(each.name), *groups.like(each.name))}
        may_be |= {who.id for who in roster.worn(each.name, 0)}
        held[each.student] = [
            who
            for who in roster.students
            if who.id in changed or (who.id in may_be and not telling.intersection(_differing(each, who)))
        ]
    return held


def _near(
    unknown: Sequence[Known], found: Mapping[str, Match], roster: Roster, holders: Holders
) -> dict[str, list[Student]]:
    """Who without work may be called so: an entry has the first word of the name, and another one but for initials.

    Of more than two names, people and platforms leave out some.
    """
    working = {who.id for match in found.values() for who in match.people}
    by_first: dict[str, list[tuple[Student, set[str]]]] = {}
    for who in roster.students:
        for first, *rest in holders.called(who) if who.id not in working else ():
            rest = [_without_e(word) for word in rest if len(word) > 1]
            by_first.setdefault(_without_e(first), []).append((who, {*rest}))
    held = {}
    for each in unknown:
        words = {_without_e(word) for text in (each.student, parted(each.student)) for word in words_of(text)}
        near = {who.id for word in words for who, rest in by_first.get(word, ()) if not rest.isdisjoint(words - {word})}
        held[each.student] = [who for who in roster.students if who.id in near]
    return held


def _without_e(word: str) -> str:
    """A word with one letter for two, so that `mueller` and `muller` are one."""
    return re.sub(r"(?<=[aou])e", "", word)


def _claims(unknown: Sequence[Known], held: Mapping[str, Sequence[Student]]) -> dict[str, Match]:
    """The question whose work it is, to all who are `held` in its name, with work or without."""
    claims = {}
    for each in unknown:
        if people := held[each.student]:
            said = f"`{shown(each.student)}` may be {_listed(people)} in the roster: whose is it?"
            claims[each.student] = Match(claims=tuple(people), claimed=said)
    return claims


def _in_anothers_name(
    students: Sequence[Known], found: Mapping[str, Match], roster: Roster, holders: Holders
) -> dict[str, Match]:
    """The question whose work it is where the name is that of a student without work, and the id somebody else's.

    So it is where that name is one of several in it, and where somebody else has nearly the same name: an apostrophe
    may be missing. Where an upload has an id alone, it is whose id it is. Who was given work under somebody else's name
    by an id is for review too.
    """
    served = {who.id for match in found.values() for who in (*match.people, *match.claims)}
    called: dict[str, list[Student]] = {}
    for who in roster.students:
        for name in {squeezed(plain(name)) for each in who.names for name in in_any_order(each)}:
            called.setdefault(name, []).append(who)
    claims = {}
    for each in students:
        match, named = found[each.student], called.get(squeezed(plain(each.name)), [])
        if not named and match.people and each.keys.get("id") != each.student:
            there = [people for people, is_id in holders.apart(words_of(each.name)) if not is_id]
            named = [who for people in there if people.isdisjoint(match.people) for who in people]
        said = "by an id, but may be {} by the name"
        by_id = bool(named) and served.isdisjoint(who.id for who in named)
        if not by_id:
            said = "by the name, but may also be that of {}"
            named = [who for who in roster.spelled(each.name) if who.id not in served]
        if match.people and named:
            given = f"`{shown(each.student)}` was given to {match.people[0].name}"
            if _is_id(each.name, match.people):  # anybody may choose a name that is somebody else's id
                told = f"{given} by an id, which is also the name of {_listed(named)}"
                claims[each.student] = replace(match, attention=(*match.attention, told))
                continue
            asked = f"{given} {said.format(_listed(named))}: whose is it?"
            attention = match.attention or ((asked,) if by_id else ())
            claims[each.student] = replace(match, claims=tuple(named), claimed=asked, attention=attention)
    return claims


def _is_id(name: str, people: Sequence[Student]) -> bool:
    """Whether what stands for a name in an upload is no name, but an id of one of these students."""
    ids = {squeezed(plain(key)) for who in people for key in (who.id, *who.keys.values())}
    return squeezed(plain(name)) in ids


def _listed(people: Sequence[Student], between: str = " or ") -> str:
    names = [f"{who.name} ({who.id})" if who.name != who.id else who.id for who in people[:_LISTED]]
    names += [f"{len(people) - _LISTED} others"] if len(people) > _LISTED else []
    return between.join(names)


# --- two students in one name ---------------------------------------------------------------------------------------


def _of_several(students: Sequence[Known], roster: Roster) -> dict[str, Match]:
    """The entries in whose names are two students or more. They are all members' of a group; else whose is asked.

    An id tells of somebody next to the name of another. With the names of several, it is a word, such as `final`.
    """
    groups, holders = _Groups(roster), Holders(roster)
    found: dict[str, list[tuple[set[Student], bool]]] = {}
    for each in students:
        whole = each.keys.get("id") != each.student or len(each.student) > LONGEST or roster.having(each.student)
        if not (whole or roster.named(each.student) or roster.turned(each.student) or groups.named(each).people):
            names = (each.student, parted(each.student))
            texts = [words_of(text) for name in names for text in (*spellings(name), *readings(name))]
            found[each.student] = max(map(holders.apart, texts), key=len)
    next_to: dict[frozenset[Student], set[frozenset[Student]]] = {}  # the others whose names an id is with
    for sets in found.values():
        for (people, by_id), (others, also_by_id) in product(sets, sets):
            if by_id and not also_by_id and people.isdisjoint(others):
                next_to.setdefault(frozenset(people), set()).add(frozenset(others))
    words = {people for people, others in next_to.items() if len(others) >= SEVERAL}
    several = {}
    for each in students:
        there = [people for people, by_id in found.get(each.student, ()) if not (by_id and frozenset(people) in words)]
        if any(people.isdisjoint(others) for people, others in combinations(there, 2)):
            named = [who for who in roster.students if any(who in people for people in there)]
            several[each.student] = groups.of(each, named) or _claims([each], {each.student: named})[each.student]
    return several


# --- groups -------------------------------------------------------------------------------------------------------


class _Groups:
    """The groups of a roster by their names, of which platforms leave out spaces and punctuation."""

    def __init__(self, roster: Roster) -> None:
        self._members: dict[str, dict[str, list[Student]]] = {}  # by the squeezed name, then by the name
        for each in roster.students:
            for group in each.groups:
                if key := group_keys(group)[0]:
                    self._members.setdefault(key, {}).setdefault(same(group), []).append(each)

    def like(self, name: str) -> list[Student]:
        """The members of all groups that may be meant by a name."""
        return [each for members in self._like(name).values() for each in members]

    def _like(self, name: str) -> dict[str, list[Student]]:
        return next((self._members[key] for key in group_keys(name) if key in self._members), {})

    def members(self, name: str) -> tuple[Student, ...]:
        """The members of the group of this name; nobody if it may be that of several."""
        groups = self._like(name)
        only = next(iter(groups.values())) if len(groups) == 1 else []
        return tuple(groups.get(same(name), only))

    def named(self, student: Known) -> Match:
        """The members of the group under whose name this was handed in; in Sakai, its id follows: `Group 1(3f2b)`."""
        for name in (student.name, without_id(student.name)):
            if members := self.members(name):
                group = members[0].group_like(name)
                said = f"`{shown(student.student)}` was matched to the group {group} in the roster"
                return Match(members, (said,))
        return Match()

    def of(self, student: Known, people: Sequence[Student]) -> Match | None:
        """The match with these people, if they are all members of a group."""
        groups = (name for members in self._members.values() for name in members if {*members[name]} == {*people})
        if group := next(groups, ""):
            called = people[0].group_like(group)
            said = f"`{shown(student.student)}` was matched to the group {called} in the roster by its members in it"
            return Match(tuple(people), (said,))
        return None


def _or_groups(student: Known, end: str, found: Match, roster: Roster, groups: _Groups) -> Match:
    """The question whose work it is where its name, or the `end` of that, is a group's and somebody's outside it.

    Of a member who is called like the group, it is in any case; whether it is of the others is asked. What is under
    another id than that name is of who has this id.
    """
    if found.people and roster.held(student.student):
        return found
    names = [end, student.name, without_id(student.name), student.keys.get("login", "")]
    ids = {same(key) for key in student.keys.values()} - {*map(same, names)}
    if any(same(key) in ids for who in found.people for key in who.keys.values()):
        return found
    for name in filter(None, names):
        members = groups.like(name)
        people = [*roster.having(name), *roster.addressed(name), *roster.named(name), *roster.turned(name)]
        others = [who for who in members if who not in people]
        if not people or not others:
            continue
        outside = [who for who in dict.fromkeys(people) if who not in members]
        known = outside or [who for who in members if who in people]
        said = (
            f"`{shown(student.student)}` is the name of the group {others[0].group_like(name)} of "
            f"{_listed(members, ' and ')}, and of {_listed(known)}: whose is it?"
        )
        if found.people and not outside:
            return replace(
                found, people=tuple(known), attention=(*found.attention, said), claims=tuple(others), claimed=said
            )
        return Match(claims=tuple(dict.fromkeys((*people, *members, *found.claims))), claimed=said)
    return found


def _with_group(student: Known, found: Match, roster: Roster) -> Match | None:
    """What a group hands in on Canvas has the group's name and the number of one member: it is everybody's in it.

    None if nothing is known of whose it is.
    """
    if found == Match():
        return None
    if len(found.people) != 1 or "canvas" not in student.keys:
        return found
    (who,) = found.people
    if who.keys.get("canvas") != student.keys["canvas"]:
        return found
    if group := who.group_like(student.name):
        members = [each for each in roster.students if same(group) in map(same, each.groups)]
        return replace(found, people=tuple(members))
    if not another_name(student.name, who):
        return found
    said = (
        f"handed in under the name `{shown(student.name)}`, which is not that of {who.name}: if it is a group's, "
        "give its other members this grade by hand"
    )
    return replace(found, attention=(*found.attention, said))
