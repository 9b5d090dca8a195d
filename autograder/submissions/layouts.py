"""Who of a class handed in what: one reader for every layout that courses use.

- a folder, an archive or a module for each student, named as the student; nbgrader's `submitted/` too;
- nbgrader's exchange: `student+assignment+time+random` folders;
- Canvas', Moodle's and Blackboard's downloads, whose names `names.platform_name` reads;
- Gradescope's export: `submission_12345` folders and `submission_metadata.yml`.

Every entry at the top is somebody's, or is listed as left aside. Of several attempts the last counts, where a platform
numbers or dates them. Whatever one student hands in costs nobody else, and a bounded amount.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment
from autograder.sandbox.limits import LIMITS
from autograder.submissions.files import (
    MAX_FILES,
    CannotRead,
    File,
    Listing,
    NothingToGrade,
    Packed,
    in_folder,
    on_disk,
    open_download,
)
from autograder.submissions.find import choose, interface
from autograder.submissions.names import PlatformName, alike, is_junk, path_of, platform_name, shown, stem, suffix
from autograder.submissions.roster import Roster, Student, moment, same

METADATA = "submission_metadata.yml"

_EXPORT = re.compile(r"assignment_\d+_export")
_SUBMISSION = re.compile(r"submission_\d+")
_RESULT = re.compile(r"[0-9a-f]{64}\.json")
_WRITTEN = {"class.json", "grades.csv", "index.html", "reports", "students", "pairs", "results"}
# Loose files of these kinds lie there for the staff: a list, a letter, a table.
_STAFFS = {
    "",
    ".md",
    ".txt",
    ".csv",
    ".tsv",
    ".json",
    ".yml",
    ".yaml",
    ".toml",
    ".xls",
    ".xlsx",
    ".html",
    ".log",
    ".sh",
}


@dataclass(frozen=True)
class Submitted:
    """What one student handed in: the source of the module, or in words why there is none.

    Attributes:
        student: unique in a class, and the same at each reading.
        source: None where there is none.
        reason: why there is none.
        name: the person's, to show; the student's id where no other is known.
        nothing: whether nothing at all was handed in.
        unreadable: whether the grader could not read it: no fault of the student's.
        notes: what was guessed, for the student too.
        attention: what staff should look at.
        late: whether it came after the due date or the extension; None where that is not known.
        handed_in: when, where that is known.
        until: the student's extension, if there is one.
        unlisted: whether a roster was given that lacks this student.
        keys: ids by which a platform or the roster knows the student, by their kinds; see `roster.KEYS`.
    """

    student: str
    source: bytes | None
    reason: str = ""
    name: str = ""
    nothing: bool = False
    unreadable: bool = False
    notes: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()
    late: bool | None = None
    handed_in: datetime | None = None
    until: datetime | None = None
    unlisted: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """The name and, where they differ, the id."""
        return f"{self.name} ({self.student})" if self.name and self.name != self.student else self.student


@dataclass(frozen=True)
class Upload:
    """A class: what each student handed in, by name, and the entries at the top that are nobody's.

    `warnings` are for the staff: what does not fit together.
    """

    submitted: list[Submitted]
    aside: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    enrolled: int | None = None  # how many the roster lists, where there is one


@dataclass(frozen=True, eq=False)
class _Entry:
    """One entry at the top: a file, or a folder, whose files have steps that begin below it."""

    name: str
    folder: bool
    listing: Callable[[], Listing]


@dataclass(frozen=True, eq=False)
class _Piece:
    """An entry with its owner.

    Attributes:
        student, name, keys: as the platform knows the owner; see `names.PlatformName`.
        attempt: tells a student's attempts apart; the pieces of one attempt belong together.
        order: grows from one attempt to the next.
        handed_in: when, if the zone is known too.
        late: whether the platform marks it as late; None where it marks nothing.
        attention: what staff should look at.
    """

    student: str
    name: str
    entry: _Entry
    keys: Mapping[str, str] = field(default_factory=dict)
    attempt: str = ""
    order: datetime | None = None
    handed_in: datetime | None = None
    late: bool | None = None
    attention: tuple[str, ...] = ()


def read_upload(
    path: Path,
    assignment: Assignment,
    roster: Roster | None = None,
    extensions: Mapping[str, datetime] | None = None,
    outputs: Sequence[Path] = (),
    visit: Callable[[str, Listing], None] | None = None,
) -> Upload:
    """What each student handed in, in a folder or in the zip archive of a platform's download.

    Arguments:
        roster: its students all have a row, and its names stand in place of the platform's.
        extensions: until when a student may hand in, by any id that the roster or the upload has.
        outputs: what this program writes, which is nobody's.
        visit: is given each student's files, while they can be opened; what it raises for one costs all.

    Raises:
        NothingToGrade: nothing can be read at the path, or nobody handed in anything.
    """
    extended = _Extensions(extensions or {})
    with ExitStack() as stack:
        entries, aside = _entries(path, {each.resolve() for each in outputs}, stack)
        metadata = next((entry for entry in entries if entry.name == METADATA and not entry.folder), None)
        if metadata and any(entry.folder and _SUBMISSION.fullmatch(entry.name) for entry in entries):
            pieces, more = _gradescope(metadata, entries)
        else:
            pieces, more = _pieces(entries, assignment, roster)
        if not pieces and roster is None:
            raise NothingToGrade(f"there are no folders, archives or modules of students in {path}")
        owners = _owners(pieces, roster)
        if roster and pieces and not any(owner.enrolled and owner.pieces for owner in owners):
            examples = f"`{roster.students[0].id}` there, `{shown(pieces[0].student)}` here"
            raise NothingToGrade(f"nobody who handed in is in the roster: it knows students by other ids ({examples})")
        found = [_submitted(owner, assignment, extended, roster is not None, visit) for owner in owners]
    found.sort(key=lambda each: (natural(each.name.casefold()), natural(each.student)))
    return Upload(found, sorted([*aside, *more]), extended.unused(), len(roster.students) if roster else None)


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key by which attempt-2 stands before attempt-10."""
    pieces = re.findall(r"[0-9]{1,18}|[^0-9]+", text)
    return [(0, int(piece), "") if piece[0] in "0123456789" else (1, 0, piece) for piece in pieces]


# --- what lies at the top -----------------------------------------------------------------------------------------


def _entries(path: Path, outputs: set[Path], stack: ExitStack) -> tuple[list[_Entry], list[str]]:
    """The entries at the top of a folder or a zip archive, and those left aside, each with the reason."""
    try:
        if not path.exists():
            raise NothingToGrade(f"{path} does not exist")
        if path.is_file():
            entries, aside = _grouped(stack.enter_context(open_download(path)), stem(path.name))
        else:
            names = [name for name in sorted(os.listdir(path)) if not is_junk(name)]
            if len(names) == 1 and _EXPORT.fullmatch(names[0]) and _is_folder(path / names[0]):
                return _entries(path / names[0], outputs, stack)
            aside = [shown(name) for name in sorted(os.listdir(path)) if is_junk(name)]
            aside += [f"{shown(name)} (written by this program)" for name in names if _is_output(path / name, outputs)]
            entries = [_on_disk(path, name) for name in names if not _is_output(path / name, outputs)]
    except PermissionError as error:
        raise CannotRead(f"{path} cannot be read: {error.strerror}") from error
    return entries, aside


def _on_disk(path: Path, name: str) -> _Entry:
    if _is_folder(path / name):
        return _Entry(name, True, lambda: in_folder(path, (name,)))
    return _Entry(name, False, lambda: Listing([on_disk(path, (name,))]))


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _is_output(path: Path, outputs: set[Path], levels: int = 3) -> bool:
    """Whether this folder holds what `autograder class` writes, now or at an earlier time, and nothing else."""
    try:
        if not _is_folder(path) or not levels:
            return False
        if path.resolve() in outputs:
            return True
        names = {entry.name for entry in islice(os.scandir(path), MAX_FILES)}
    except OSError:
        return False
    if names >= {"class.json", "grades.csv", "index.html", "reports"} or {"reports", "students"} <= names <= _WRITTEN:
        return True
    if names and all(_RESULT.fullmatch(name) for name in names):
        return True
    return 0 < len(names) < 20 and all(_is_output(path / name, outputs, levels - 1) for name in names)


def _grouped(packed: Iterable[Packed], packed_as: str) -> tuple[list[_Entry], list[str]]:
    """The entries at the top of an archive, and the names that lead out of it, which are left aside."""
    folders: dict[str, list[Packed]] = {}
    loose: dict[str, list[File]] = {}
    aside = set()
    for each in packed:
        top = each.steps[0]
        if each.absurd:
            aside.add(f"{path_of(each.steps)} (its path leads out of the archive)")
        elif is_junk(top):
            aside.add(shown(top))
        elif each.file is not None and len(each.steps) == 1:
            loose.setdefault(top, []).append(each.file)
        else:
            folders.setdefault(top, []).append(replace(each, steps=each.steps[1:]))
    if len(folders) == 1 and not loose:
        name, inner = next(iter(folders.items()))
        if name == packed_as or _EXPORT.fullmatch(name):  # a whole folder was packed
            entries, more = _grouped((each for each in inner if each.steps), "")
            return entries, sorted({*aside, *more})
    entries = [_Entry(name, True, partial(_below, found)) for name, found in folders.items()]
    entries += [_Entry(name, False, partial(Listing, found)) for name, found in loose.items()]
    return entries, sorted(aside)


def _below(packed: list[Packed]) -> Listing:
    """The files of a folder at the top, by their steps below it."""
    files = [replace(each.file, steps=each.steps, label=path_of(each.steps)) for each in packed if each.file]
    return Listing(sorted(files, key=lambda file: len(file.steps))[:MAX_FILES], cut=len(files) > MAX_FILES)


# --- whose it is --------------------------------------------------------------------------------------------------


def _pieces(entries: list[_Entry], assignment: Assignment, roster: Roster | None) -> tuple[list[_Piece], list[str]]:
    """Whose each entry is by its name, and the names of files that are nobody's."""
    pieces: list[_Piece] = []
    staffs: list[_Entry] = []
    for entry in entries:
        named = platform_name(entry.name)
        if named and (not entry.folder or named.attempt or "canvas" not in named.keys):
            pieces.append(_by_platform(entry, named))
        elif entry.folder:
            keys = {"id": entry.name, **(named.keys if named else {})}
            pieces.append(
                _Piece(entry.name, named.name if named else entry.name, entry, keys, late=named.late if named else None)
            )
        elif suffix(entry.name) in _STAFFS and not entry.name.lower().endswith(".py.txt"):
            staffs.append(entry)
        else:
            pieces.append(_loose(entry, assignment))
    known = {same(piece.student) for piece in pieces}
    aside = []
    for entry in staffs:
        student = stem(entry.name)
        theirs = same(student) in known or (roster is not None and roster.find(student) is not None)
        if theirs or any(file.trouble for file in entry.listing().files):
            pieces.append(_loose(entry, assignment))
        else:
            aside.append(shown(entry.name))
    return pieces, aside


def _by_platform(entry: _Entry, named: PlatformName) -> _Piece:
    def listing() -> Listing:
        if entry.folder:
            return entry.listing()
        files = [replace(file, steps=(named.file,), version=named.version) for file in entry.listing().files]
        return Listing(files if named.file else [])

    when = _moment(named.attempt)
    return _Piece(
        named.student,
        named.name,
        replace(entry, listing=listing),
        named.keys,
        named.attempt,
        when or _moment(f"{named.attempt} UTC"),  # Blackboard's times lack a zone, and are all of the same
        when,
        named.late if named.version is not None else None,
    )


def _loose(entry: _Entry, assignment: Assignment) -> _Piece:
    """A file at the top that is called as its student: a module, or an archive or a notebook with it."""
    student, rest = stem(entry.name), suffix(entry.name)
    if entry.name.lower().endswith(".py.txt"):
        student, rest = entry.name[: -len(".py.txt")], ".py.txt"

    def listing() -> Listing:
        name = f"{assignment.module}{rest.removeprefix('.py')}" if rest in (".py", ".py.txt") else entry.name
        return Listing([replace(file, steps=(name,)) for file in entry.listing().files])

    whose = (
        (f"`{shown(entry.name)}` lies in no student's folder: whose is it?",)
        if alike(entry.name, assignment.module)
        else ()
    )
    return _Piece(student, student, replace(entry, listing=listing), {"id": student}, attention=whose)


def _moment(text: str) -> datetime | None:
    try:
        return moment(text)
    except ValueError:
        return None


def _gradescope(metadata: _Entry, entries: list[_Entry]) -> tuple[list[_Piece], list[str]]:
    """Gradescope's export: its metadata names, for each folder, the submitters and the time."""
    facts = _metadata(metadata)
    folders = {entry.name: entry for entry in entries if entry.folder}
    nowhere = Listing([])
    pieces, emails = [], dict[str, str]()
    for name, of_it in {**{name: {} for name in folders}, **facts}.items():
        said = of_it if isinstance(of_it, dict) else {}
        entry = folders.get(name) or _Entry(name, True, lambda: nowhere)
        notes = () if name in folders else (f"the export lacks the folder {shown(name)} that its metadata names",)
        if name not in facts:
            notes = (f"the metadata of the export does not name {shown(name)}",)
        given = said.get(":created_at", "")
        when = _moment(given if isinstance(given, str) else "")
        submitters = said.get(":submitters")
        people = [each for each in submitters if isinstance(each, dict)] if isinstance(submitters, list) else []
        for person in people or [{}]:
            sid, email, called = (
                value.strip() if isinstance(value := person.get(key), str) else ""
                for key in (":sid", ":email", ":name")
            )
            student = sid or email or (f"{called} ({name})" if called else name)
            if sid and email and same(emails.setdefault(same(sid), email)) != same(email):
                student = f"{sid} ({email})"  # one id for two people
            keys = {kind: value for kind, value in (("id", sid), ("email", email)) if value}
            pieces.append(_Piece(student, called or student, entry, keys, name, when, when, attention=notes))
    aside = [shown(entry.name) for entry in entries if not entry.folder and entry is not metadata]
    return pieces, aside


def _metadata(entry: _Entry) -> dict[str, Any]:
    """What the metadata says of each folder, all as text: without numbers, dates and merges there is no guess in it."""
    import yaml

    (file, *_) = entry.listing().files
    try:
        text = file.read(LIMITS.body).decode("utf-8")
        read = yaml.load(text, getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError, TypeError) as error:
        raise NothingToGrade(f"{METADATA} cannot be read: {error}") from error
    return {name: facts for name, facts in read.items() if isinstance(name, str)} if isinstance(read, dict) else {}


# --- a row for each student ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Owner:
    """A student and the pieces that are theirs; `enrolled` where the roster has the student."""

    student: str
    name: str
    pieces: list[_Piece]
    enrolled: Student | None = None
    notes: tuple[str, ...] = ()


def _owners(pieces: list[_Piece], roster: Roster | None) -> list[_Owner]:
    """The pieces by student; with a roster by its students, and after them those whom it lacks."""
    groups: dict[str, list[_Piece]] = {}
    for piece in pieces:
        groups.setdefault(piece.student, []).append(piece)
    if roster is None:
        return [_Owner(shown(student), shown(each[0].name), each) for student, each in groups.items()]
    by_key = {student: _enrolled(each[0], roster) for student, each in groups.items()}
    by_name = {student: _by_name(each[0], roster) for student, each in groups.items() if by_key[student] is None}
    claims = Counter(each.id for each in (*by_key.values(), *by_name.values()) if each)
    owned: dict[str, list[_Piece]] = {}
    notes: dict[str, tuple[str, ...]] = {}
    unlisted = []
    for student, each in groups.items():
        who, guess = by_key[student], by_name.get(student)
        if who is None and guess and claims[guess.id] == 1:
            who = guess
            notes[who.id] = (f"`{shown(student)}` was taken for {who.name} of the roster, by the name",)
        if who:
            owned.setdefault(who.id, []).extend(each)
        else:
            unlisted.append(_Owner(shown(student), shown(each[0].name), each))
    listed = [
        _Owner(shown(who.id), shown(who.name), owned.get(who.id, []), who, notes.get(who.id, ()))
        for who in roster.students
    ]
    taken = {owner.student for owner in listed}
    return listed + [
        replace(owner, student=f"{owner.student} (not in the roster)") if owner.student in taken else owner
        for owner in unlisted
    ]


def _enrolled(piece: _Piece, roster: Roster) -> Student | None:
    """The student of the roster who has one of the piece's ids; None if none has, or several have."""
    has_canvas = any("canvas" in each.keys for each in roster.students)
    for kind, key in piece.keys.items():
        if kind == "canvas":
            found = roster.find(key, "canvas") if has_canvas else roster.find(key)
        elif kind == "login":  # Blackboard's, after the name of the assignment: either may hold underscores
            steps = piece.student.split("_")
            tails = ("_".join(steps[start:]) for start in range(len(steps)))
            found = next(filter(None, (roster.find(tail, "login", "id", "sis") for tail in tails)), None)
        else:
            found = roster.find(key, kind) or roster.find(key, "id", "login", "sis", "email")
        if found:
            return found
    return None


def _by_name(piece: _Piece, roster: Roster) -> Student | None:
    """The only student of this name: as it is written, or squeezed as Canvas does, `lovelaceada`."""
    people = roster.named(piece.name)
    if not people and "canvas" in piece.keys:
        people = [each for each in roster.students if _squeezed(piece.name) in _sorted_names(each.name)]
    return people[0] if len(people) == 1 else None


def _sorted_names(name: str) -> set[str]:
    """A name with its family name first, squeezed. Where no comma says which that is, any of the words may begin it."""
    words = name.split()
    starts = [0] if "," in name else range(len(words))
    return {_squeezed("".join(words[start:] + words[:start])) for start in starts}


def _squeezed(name: str) -> str:
    return re.sub(r"[\W_]", "", same(name))


def _submitted(
    owner: _Owner,
    assignment: Assignment,
    extensions: _Extensions,
    listed: bool,
    visit: Callable[[str, Listing], None] | None,
) -> Submitted:
    """The row of one student. Whatever goes wrong with what was handed in is told in it."""
    until = extensions.of(owner)
    keys = {kind: key for piece in owner.pieces for kind, key in piece.keys.items()}
    keys |= owner.enrolled.keys if owner.enrolled else {}
    unlisted = listed and owner.enrolled is None
    row = Submitted(owner.student, None, name=owner.name, until=until, unlisted=unlisted, keys=keys)
    if not owner.pieces:
        return replace(row, reason="nothing was handed in", nothing=True)
    notes = owner.notes
    attention: tuple[str, ...] = ("not in the roster",) if row.unlisted else ()
    if len(under := {piece.student for piece in owner.pieces}) > 1:
        attention += (f"handed in under several names: {', '.join(map(shown, sorted(under)))}",)
    try:
        pieces, said = _last(owner.pieces)
        notes += said
        attention += tuple(dict.fromkeys(chain.from_iterable(piece.attention for piece in pieces)))
        listing = _together(pieces)
        if visit:
            visit(row.student, listing)
        row = replace(row, **_lateness(pieces, listing, assignment, until))
        if not listing.files and not listing.cut:
            return replace(row, reason="nothing was handed in but an empty folder", nothing=True, attention=attention)
        found = choose(listing, assignment.module, interface(assignment))
    except CannotRead as error:
        return replace(row, reason=str(error), unreadable=True, notes=notes, attention=(*attention, str(error)))
    except NothingToGrade as error:
        return replace(row, reason=str(error), notes=notes, attention=attention)
    return replace(row, source=found.source, notes=(*notes, *found.notes), attention=(*attention, *found.attention))


def _last(pieces: list[_Piece]) -> tuple[list[_Piece], tuple[str, ...]]:
    """The pieces of a student's last attempt; NothingToGrade if it is not known which that is."""
    attempts: dict[str, list[_Piece]] = {}
    for piece in pieces:
        attempts.setdefault(piece.attempt, []).append(piece)
    if len(attempts) == 1:
        return pieces, ()
    times = {attempt: each[0].order for attempt, each in attempts.items()}
    known = [when for when in times.values() if when is not None]
    if len(known) < len(times) or known.count(max(known)) > 1:
        names = ", ".join(f"`{shown(each[0].entry.name)}`" for each in attempts.values())
        raise NothingToGrade(f"there are several attempts, and it is not known which is the last: {names}")
    last = max(times, key=lambda attempt: times[attempt] or known[0])
    return attempts[last], (f"of {len(attempts)} attempts the last counts, `{shown(attempts[last][0].entry.name)}`",)


def _together(pieces: list[_Piece]) -> Listing:
    """The files of all pieces. Where there are several, those in folders are called by the folder too."""
    files: list[File] = []
    cut = False
    for piece in pieces:
        listing = piece.entry.listing()
        cut = cut or listing.cut
        several = len(pieces) > 1 and piece.entry.folder
        top = shown(piece.entry.name)
        files += [replace(file, label=f"{top}/{file.label}") if several else file for file in listing.files]
    return Listing(sorted(files, key=lambda file: len(file.steps)), cut)


# --- lateness -----------------------------------------------------------------------------------------------------


class _Extensions:
    """Until when each student may hand in."""

    def __init__(self, until: Mapping[str, datetime]) -> None:
        self._until = {same(key): (key, when) for key, when in until.items()}
        self._used: set[str] = set()

    def of(self, owner: _Owner) -> datetime | None:
        ids = [owner.student, *(owner.enrolled.keys.values() if owner.enrolled else ())]
        ids += [each for piece in owner.pieces for each in (piece.student, *piece.keys.values())]
        for each in map(same, ids):
            if each in self._until:
                self._used.add(each)
                return self._until[each][1]
        return None

    def unused(self) -> list[str]:
        """A warning for each student of the list whom nobody is."""
        return [
            f"the extension of {shown(key)} is for nobody here: look for a typing error"
            for each, (key, _) in self._until.items()
            if each not in self._used
        ]


def _lateness(pieces: list[_Piece], listing: Listing, assignment: Assignment, until: datetime | None) -> dict[str, Any]:
    """When it was handed in, and whether that was late, as far as the platform says."""
    handed_in = max((piece.handed_in for piece in pieces if piece.handed_in), default=None) or _stamp(
        listing, assignment
    )
    deadline = until or _moment(assignment.due)
    if handed_in and deadline:
        return {"handed_in": handed_in, "late": handed_in > deadline}
    flags = [piece.late for piece in pieces if piece.late is not None]
    marked = any(flags) if flags else None
    return {"handed_in": handed_in, "late": None if marked and until else marked}


def _stamp(listing: Listing, assignment: Assignment) -> datetime | None:
    """When nbgrader collected it: its file is one of the folder of the assignment."""
    wanted = ((assignment.kit, "timestamp.txt"), ("timestamp.txt",))
    for file in listing.files:
        if file.steps in wanted and not file.trouble:
            return _moment(file.read(100).decode("utf-8", "replace"))
    return None
