"""Each student's files in a class: one reader for every layout that courses use.

- a folder, an archive or a module for each student, named as the student; nbgrader's `submitted/` too;
- nbgrader's exchange: `student+assignment+time+random` folders;
- Canvas', Moodle's, Blackboard's and Brightspace's downloads, whose names `names.platform_name` reads;
- Sakai's: a folder for each student, with one for what was attached and one for feedback;
- Gradescope's export: `submission_12345` folders and `submission_metadata.yml`.

`top` finds the entries; each belongs to a student, or is listed as skipped. Of several attempts, the last counts, if a
platform numbers or dates them. One student's upload cannot affect another's, and takes bounded time and memory.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, partial
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment
from autograder.report.summary import some_of
from autograder.sandbox.limits import LIMITS
from autograder.submissions.bounds import limited_time
from autograder.submissions.copied import is_handed_out, is_untouched
from autograder.submissions.files import CannotRead, File, Listing, NobodyThere, NothingToGrade, is_cut_off
from autograder.submissions.find import Found, attempt, attempt_in, choose
from autograder.submissions.forms import SHORT, Holders, in_most
from autograder.submissions.matching import MANY, Known, Match, another_name, matched
from autograder.submissions.names import (
    ARCHIVES,
    LONGEST,
    PlatformName,
    alike,
    path_of,
    platform_name,
    shown,
    stem,
    suffix,
    without_copy,
)
from autograder.submissions.roster import Roster, Student, moment
from autograder.submissions.spelling import same, squeezed, words_of
from autograder.submissions.times import NO_ZONE, in_zone, read_stamp
from autograder.submissions.top import (
    MAX_OPENED,
    METADATA,
    SUBMISSION,
    Entry,
    Top,
    documents_of_nobody,
    has_class,
    is_environment,
    is_export,
    like_class,
    may_be_class,
    may_be_sections,
    names_within,
    of_nobody,
    students_within,
    top_of,
)
from autograder.submissions.traces import Room, defining, interface, is_document, with_code

_ATTACHED, _INLINE = "Submission attachment(s)", "_submissionText.html"  # what a student's folder from Sakai holds
_SAKAIS = {_ATTACHED, "Feedback Attachment(s)"}
_BY_SAKAI = {"timestamp.txt", "comments.txt", "feedbackText.html"}
# The names that platforms and people give to groups; Submitty numbers a team, and adds who began it: `00007_ada`.
_GROUP = re.compile(
    r"(?:groups?|grp|groupe|gruppe|grupo|gruppo|groep|teams?|équipe|equipe|equipo)(?![^\W\d_])|0\d{4}_", re.IGNORECASE
)
_AGAIN = {
    "late",
    "final",
    "fixed",
    "new",
    "again",
    "redo",
    "resubmit",
    "resubmitted",
    "resubmission",
    "revised",
    "updated",
}
# The results of the tests in Gradescope's metadata, which nothing is read from and which are most of it.
_RESULTS = re.compile(r"(?m)^  :?(?:results|history):.*\n(?:(?:   .*|  -.*|[ \t]*)\n)*+")
_MAX_METADATA = 1 << 20  # characters, of one of several exports: YAML takes a second for them
_LISTED = 3  # names, or questions whose work it is, in one message
_ONLY_FOLDER = "only an empty folder was handed in"
_OF_STAFF = ("solution", "starter", "starter code", "handout", "template", "skeleton", "release", "kit", "source")
_MAX_KIT, _MAX_KIT_FILE = 100, 4 << 20  # files, and bytes of each
_PACKED = (".7z", ".rar", ".tar.xz", ".txz")  # what is not opened, and may hold a module


@dataclass(frozen=True)
class Submitted:
    """What one student handed in: the source of the module, or the reason why there is none.

    Attributes:
        student: unique in a class, and the same each time it is read.
        source: None if there is none.
        reason: why there is none.
        name: of the person, for display; the id if no name is known.
        nothing: whether nothing at all was handed in.
        unreadable: whether the grader could not read it, which is not the student's fault.
        notes: what was guessed, for the student too.
        attention: what staff should look at.
        late: whether it came after the due date or the extension; None if not known.
        handed_in: when, if known.
        until: the student's extension, if there is one.
        unlisted: whether a given roster lacks this student.
        keys: ids by which a platform or the roster knows the student, by their kinds; see `roster.KEYS`.
        together: what it shares with the other members of a group, by its entries; empty if there is no module.
        folder: the one at the top of what was handed in that holds the module; empty if none does.
        apart: see `Found`; if most students' rows say the same, it is nothing to look at.
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
    together: tuple[tuple[str, str], ...] = ()
    folder: str = ""
    apart: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The name and, where they differ, the id."""
        return f"{self.name} ({self.student})" if self.name and self.name != self.student else self.student


@dataclass(frozen=True)
class Upload:
    """A class: what each student handed in, by name, and the skipped entries at the top.

    `warnings` tell the staff about contradictions, and what was guessed in the roster.
    """

    submitted: list[Submitted]
    aside: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    enrolled: int | None = None  # the number of students in the roster, if there is one


@dataclass(frozen=True, eq=False)
class _Piece:
    """An entry with its owner.

    Attributes:
        student, name, keys: as the platform knows the owner; see `names.PlatformName`.
        attempt: the same for all pieces of one attempt.
        order: grows from one attempt to the next, if both have the same `zone`; see `times.in_zone`.
        handed_in: when, if the zone is known too.
        late: whether the platform marks it as late; None if it marks nothing.
        attention: what staff should look at.
        cover: whether this is the platform's own text on an attempt, which counts only where nothing else is there.
        laid_out: whether nbgrader made this folder, so that a `timestamp.txt` in it is the staff's.
        separator: see `matching.Known`.
        team: who handed it in together, where the platform says so.
        nameless: whether this is a file with the module's name at the top, where a student's name is due.
        elsewhere: the other assignment that this was handed in for; empty if it is for this one.
        readings: what the name may say, if that is not certain.
    """

    student: str
    name: str
    entry: Entry
    keys: Mapping[str, str] = field(default_factory=dict)
    attempt: str = ""
    order: datetime | None = None
    zone: str = ""
    handed_in: datetime | None = None
    late: bool | None = None
    attention: tuple[str, ...] = ()
    cover: bool = False
    laid_out: bool = False
    separator: str = ""
    team: frozenset[str] = frozenset()
    nameless: bool = False
    elsewhere: str = ""
    readings: tuple[PlatformName, ...] = ()


def read_upload(
    path: Path,
    assignment: Assignment,
    roster: Roster | None = None,
    extensions: Mapping[str, datetime] | None = None,
    outputs: Sequence[Path] = (),
    visit: Callable[[str, Listing], None] | None = None,
    stamps: bool = True,
) -> Upload:
    """What each student handed in, in a folder or in the zip archive of a platform's download.

    Arguments:
        roster: each of its students gets a row; its names replace the platform's.
        extensions: extended due dates, by any id in the roster or the upload.
        outputs: what this program writes, to be skipped.
        visit: called with each student's files, while they can be opened; its exceptions end the reading.
        stamps: whether a `timestamp.txt` in a student's folder may be nbgrader's; else all are the students' own.

    Raises:
        NothingToGrade: nothing can be read at the path, or nobody handed in anything, and no run before had their work.
    """
    with ExitStack() as stack:
        top = top_of(path, {each.resolve() for each in outputs}, stack, assignment, roster)
        pieces, more = _of_all(top, assignment, roster)
        if not pieces and (roster is None or not any(map(has_class, outputs))):
            raise NobodyThere(f"there are no folders, archives or modules of students in {path}")
        if not stamps:
            pieces = [replace(piece, laid_out=False) for piece in pieces]
        owners = _with_those_within(_owners(pieces, roster), assignment, roster)
        if roster and pieces and not _are_of(owners):
            if cut_off := _cut_off(pieces):
                raise NothingToGrade(f"nobody who handed in is in the roster, and {cut_off}")
            holders = [piece.entry for piece in pieces if may_be_class(piece.entry, top, assignment, roster)]
            raise NothingToGrade(_nobody_known(owners, holders, roster))
        extended = _Extensions(extensions or {}, _moment(assignment.due), owners, roster)
        found = [_submitted(owner, assignment, extended, roster, visit) for owner in owners]
        said = "`{}` was read as one student's: if it holds a class, run the command on what is in it"
        doubts = {each: said.format(each) for each in _classes(owners, found, top, assignment, roster)}
        found = [
            replace(row, attention=(*row.attention, doubts[row.student]))
            if row.student in doubts and row.source and any(like_class(each.entry, assignment) for each in owner.pieces)
            else row
            for owner, row in zip(owners, found, strict=True)
        ]
        found, blank = _with_blanks(owners, _with_odd_folders(owners, _with_handouts(found)), assignment)
        if roster is None:
            found = _with_others_within(owners, _with_attempts(found), assignment)
        else:
            found = _with_groups(owners, _with_strangers(owners, found, assignment), assignment)
            found = _with_left_aside(owners, found, [*top.aside, *more], roster)
        found = _with_one_number(owners, found)
    found.sort(key=lambda each: (natural(each.name.casefold()), natural(each.student)))
    export = () if top.gradescopes else _like_export({each.name for each in top.entries if each.folder}, "the upload")
    warnings = [
        *(roster.notes if roster else ()),
        *top.guessed,
        *doubts.values(),
        *export,
        *_otherwise(owners, roster),
        *blank,
        *extended.warnings(),
    ]
    return Upload(found, sorted([*top.aside, *more]), warnings, len(roster.students) if roster else None)


def _otherwise(owners: list[_Owner], roster: Roster | None) -> list[str]:
    """What is said once of students whose ids are written otherwise in the upload."""
    pairs = [
        (key, owner.student)
        for owner in owners
        for key in {key for piece in owner.pieces for key in piece.keys.values()}
        if roster and owner.enrolled in roster.written_otherwise(key)
    ]
    if not pairs:
        return []
    there, listed = pairs[0]
    return [
        f"{len(pairs)} were matched to the roster by ids that are written otherwise: `{shown(there)}` for `{listed}`"
    ]


def _classes(
    owners: list[_Owner], rows: list[Submitted], top: Top, assignment: Assignment, roster: Roster | None
) -> list[str]:
    """The students in whose entry there may be a class."""
    sections = may_be_sections(top, assignment, roster)
    alone = len(top.students) == 1 and like_class(top.students[0], assignment)
    return [
        row.student
        for owner, row in zip(owners, rows, strict=True)
        if not row.unreadable
        and (sections or alone or row.source is None or row.notes)
        and any(sections or may_be_class(piece.entry, top, assignment, roster) for piece in owner.pieces)
    ]


def _with_handouts(rows: list[Submitted]) -> list[Submitted]:
    """The rows; for review where the handout lies in another folder than the module, unless it does so in most."""
    count = Counter(row.apart for row in rows if row.source is not None)
    return [
        row if in_most(count[row.apart], count.total()) else replace(row, attention=(*row.attention, *row.apart))
        for row in rows
    ]


def _with_blanks(
    owners: list[_Owner], rows: list[Submitted], assignment: Assignment
) -> tuple[list[Submitted], list[str]]:
    """The rows, and a warning where at least half of the class handed in nothing but empty files or the handout.

    Programs that copy a class lose what is in the files. One student alone, or few of many, may hand in that.
    """
    there = [row for owner, row in zip(owners, rows, strict=True) if owner.pieces]
    blank = {row.student for row in there if row.source is not None and is_untouched(row.source, assignment)}
    empty = {row.student for row in there if row.source is None and row.reason == _ONLY_FOLDER}
    blank |= empty if len(blank | empty) == len(there) else set()  # platforms make a folder for who handed in nothing
    if len(blank) < 2 or 2 * len(blank) < len(there):
        return rows, []
    what = "only empty files, empty folders or the handout"
    said = f"{len(blank)} of {len(there)} have {what}: see whether the upload is whole"
    return [replace(row, attention=(*row.attention, said)) if row.student in blank else row for row in rows], [said]


def _with_odd_folders(owners: list[_Owner], rows: list[Submitted]) -> list[Submitted]:
    """The rows; for review where the module is not in the folder of most, but in one that others have next to it.

    Platforms make such folders: one for what was handed in, others for the task and for what the staff gave back. Those
    of attempts differ.
    """
    count = Counter(row.folder for row in rows if row.source is not None)
    usual = next((name for name, rows in count.items() if name and rows > 1 and 2 * rows > count.total()), "")
    if not usual or len(count) == 1:
        return rows
    next_to_it = set[str]()
    for owner in owners:
        folders = {step for piece in owner.pieces for step in _tops(piece)}
        next_to_it |= folders if usual in folders else set()
    said = f"the module is in `{{}}`, but those of most students are in `{shown(usual)}`: see whether it was handed in"
    return [
        replace(row, attention=(*row.attention, said.format(shown(row.folder))))
        if row.folder != usual and row.folder in next_to_it and not (attempt(row.folder) or row.folder.isdecimal())
        else row
        for row in rows
    ]


def _with_left_aside(owners: list[_Owner], rows: list[Submitted], aside: list[str], roster: Roster) -> list[Submitted]:
    """The rows; for review where a student has no work, and something that was left aside has the name or id."""
    missing = {who for owner, row in zip(owners, rows, strict=True) if (who := owner.enrolled) and row.nothing}
    holders = Holders(roster)
    said: dict[str, list[str]] = {}
    for entry in [each for each in aside if "_assignfeedback_" not in each] if missing else []:
        for who in missing & holders.of(words_of(entry)):
            text = f"this was left aside, and has the name or id of {who.name}: {entry}. See whether it is work"
            said.setdefault(shown(who.id), []).append(text)
    return [replace(row, attention=(*row.attention, *said.get(row.student, ())[:_LISTED])) for row in rows]


def _with_strangers(owners: list[_Owner], rows: list[Submitted], assignment: Assignment) -> list[Submitted]:
    """The rows; for review where a student has no work, and some work is of nobody in the roster: it may be theirs.

    What bears a part of their names is only for those, and what holds no module is of the staff. Otherwise, a
    platform's id may tell that it is somebody else's, and what is a group's is not of who is in another one; unless
    most work is of nobody.
    """
    both = list(zip(owners, rows, strict=True))
    telling = _telling(owners)
    strangers = [owner for owner, row in both if not row.nothing and _is_strange(owner, telling)]
    works = [owner for owner, row in both if owner in strangers and _is_work(owner, row, assignment)]
    most = len(works) > sum(bool(owner.enrolled and owner.pieces) for owner in owners)
    missing = {row.student: who for owner, row in both if (who := owner.enrolled) and row.nothing and not owner.claimed}
    namesakes = _namesakes(missing, strangers)
    named = {student for students in namesakes.values() for student in students}
    groups = {shown(piece.student): None for owner in owners for piece in owner.pieces if _may_be_groups(owner, piece)}
    nameless = [
        owner.student for owner in strangers if any(_bears_no_name(piece, assignment.kit) for piece in owner.pieces)
    ]
    checked = []
    for row in rows:
        if (who := missing.get(row.student)) is None:
            checked.append(row)
            continue
        others = [each.student for each in works if each.student not in named and not _is_other(each, who, telling)]
        ways = [
            ([each for each in others if not (who.groups and each in groups)], "{} is of nobody in the roster"),
            ([] if who.groups else [*groups], "{} may be a group's, and the roster does not say whose"),
            (namesakes[row.student], "{} bears a part of this student's name"),
            (nameless, "{} bears nobody's name"),
        ]
        if most:
            ways = [([each.student for each in works], "{} and most other work is of nobody in the roster")]
        said = next((text.format(_some(students)) for students, text in reversed(ways) if students), "")
        doubts = (f"{said}: see whether it is this student's",) if said else ()
        checked.append(replace(row, attention=(*row.attention, *doubts)))
    return checked


def _is_work(owner: _Owner, row: Submitted, assignment: Assignment) -> bool:
    """Whether this may be a student's work of which nothing says whose it is: a module, or what could not be read."""
    if owner.named:
        return False
    if row.source is not None:
        script = all(each.entry.loose and not _before(each.entry.name, assignment.module) for each in owner.pieces)
        names = interface(assignment) if script else ()
        return not is_untouched(row.source, assignment) and not (names and not defining(names).search(row.source))
    if row.unreadable:
        return True
    try:
        files = [file for piece in owner.pieces for file in piece.entry.listing().files if not file.junk]
    except (NothingToGrade, OSError):
        return True
    packed = any(suffix(file.name) in (*ARCHIVES, *_PACKED) for file in files)
    return packed or bool(with_code([file for file in files if not is_document(file)], assignment, Room()))


def _with_groups(owners: list[_Owner], rows: list[Submitted], assignment: Assignment) -> list[Submitted]:
    """The rows; of who has no work and is in a group in which there is one piece of work alone: it may be everybody's.

    Where members handed in work that differs, each does one's own: the group is a section of the class.
    """
    works: dict[str, dict[bytes | str, _Owner]] = {}
    for owner, row in zip(owners, rows, strict=True):
        blank = row.nothing or (row.source is not None and is_untouched(row.source, assignment))
        for group in owner.enrolled.groups if owner.enrolled and owner.pieces and not blank else ():
            works.setdefault(same(group), {}).setdefault(row.source or row.student, owner)
    checked = []
    for owner, row in zip(owners, rows, strict=True):
        groups = owner.enrolled.groups if owner.enrolled and row.nothing else ()
        alone = [(group, [*works[same(group)].values()]) for group in groups if len(works.get(same(group), ())) == 1]
        said = "; ".join(
            f"`{shown(whose.pieces[0].entry.name)}` of {whose.name} may be the work of the whole group {shown(group)}"
            for group, (whose,) in alone
        )
        why = f"{said}: see whether it is this student's too"
        checked.append(replace(row, reason=why, nothing=False, unreadable=True) if alone else row)
    return checked


def _namesakes(missing: Mapping[str, Student], strangers: list[_Owner]) -> dict[str, list[str]]:
    """For each of the students, the strangers with a word of the name; what is in many, such as `code`, is no name."""
    words = {owner.student: {*words_of(owner.name)} for owner in strangers}
    count = Counter(word for each in words.values() for word in each)
    common = {word for word, times in count.items() if in_most(times, len(strangers))}
    found = {}
    for student, who in missing.items():
        own = {word for name in who.names for word in words_of(name) if len(word) >= SHORT} - common
        found[student] = [stranger for stranger, there in words.items() if not own.isdisjoint(there)]
    return found


def _telling(owners: list[_Owner]) -> set[str]:
    """The kinds of ids by which a platform and the roster agree on somebody."""
    return {
        kind
        for owner in owners
        for piece in owner.pieces
        for kind, key in piece.keys.items()
        if owner.enrolled and same(key) == same(owner.enrolled.keys.get(kind, "")) != same(piece.name)
    }


def _is_strange(owner: _Owner, telling: set[str]) -> bool:
    """Whether this is of nobody in the roster; or of a group, called as somebody, and the roster has no numbers."""
    groups = any(
        piece.readings or ("canvas" in piece.keys and re.search(r"_\d+\Z", piece.name)) for piece in owner.pieces
    )
    return owner.enrolled is None and (not owner.claimed or (groups and "canvas" not in telling))


def _is_other(owner: _Owner, who: Student, telling: set[str]) -> bool:
    """Whether an id of a kind that is `telling` says that this is not the work of `who`."""
    keys = [(kind, key) for piece in owner.pieces for kind, key in piece.keys.items() if key != piece.name]
    return any(kind in telling and who.keys.get(kind) and same(key) != same(who.keys[kind]) for kind, key in keys)


def _may_be_groups(owner: _Owner, piece: _Piece) -> bool:
    """Whether an entry is named like a group's that the roster lacks. Moodle puts the group before each one's name."""
    known = owner.enrolled is not None and (owner.enrolled.groups or "identifier" in piece.keys)
    return not known and _GROUP.match(piece.name) is not None


def _bears_no_name(piece: _Piece, kit: str) -> bool:
    """Whether an entry is named after the assignment alone: `hw3.mbox` for `hw3-part3`."""
    named = squeezed(piece.name)
    return piece.nameless or (len(named) >= SHORT and squeezed(kit).startswith(named))


def _some(students: Iterable[str]) -> str:
    names = [f"`{student}`" for student in dict.fromkeys(students)]
    return ", ".join(names[:_LISTED]) + (f" or {len(names) - _LISTED} more" if len(names) > _LISTED else "")


def _with_attempts(rows: list[Submitted]) -> list[Submitted]:
    """The rows; for review where names differ only by what tells one attempt, or one copy, from another.

    What most names have in common is no student's.
    """
    alike: dict[str, list[str]] = {}
    there = {_without_attempt(row.student) for row in rows}
    for row in rows:
        original = _without_attempt(without_copy(row.student))
        alike.setdefault(original if original in there else _without_attempt(row.student), []).append(row.student)
    said: dict[str, tuple[str, ...]] = {}
    for several in alike.values():
        if len(several) > 1 and not in_most(len(several), len(rows)):
            text = f"{' and '.join(f'`{each}`' for each in several[:_LISTED])} may be one student's: see which counts"
            said |= dict.fromkeys(several, (text,))
    return [replace(row, attention=(*row.attention, *said.get(row.student, ()))) for row in rows]


def _without_attempt(student: str) -> str:
    """A name for comparison without a date, a number as in `v2` and words such as `late`."""
    before, after, (kind, order) = attempt_in(student) or (student, "", ("", 0))
    if not kind.startswith(("date", "time")) and order >= MANY:
        before, after = student, ""
    words = words_of(f"{before} {after}")
    return " ".join([word for word in words if word not in _AGAIN] or words) or same(student)


def _with_one_number(owners: list[_Owner], rows: list[Submitted]) -> list[Submitted]:
    """The rows; for review where a platform's number has two names, as after a change of name on the platform."""
    names: dict[str, dict[str, set[str]]] = {}
    for owner in owners:
        for piece in owner.pieces:
            number = piece.student.removeprefix(f"{piece.name}_")
            if piece.entry.platform and number.isdecimal():
                names.setdefault(number, {}).setdefault(piece.student, set()).add(owner.student)
    said: dict[str, tuple[str, ...]] = {}
    for number, called in names.items():
        students = set().union(*called.values())
        if len(called) > 1 and len(students) > 1 and all(len(theirs) == 1 for theirs in called.values()):  # no group's
            text = f"{_some(map(shown, called))} have the number {number} on the platform: is this one student?"
            said |= dict.fromkeys(students, (text,))
    return [replace(row, attention=(*row.attention, *said.get(row.student, ()))) for row in rows]


def _with_others_within(owners: list[_Owner], rows: list[Submitted], assignment: Assignment) -> list[Submitted]:
    """The rows; for review where something in one has the name of another, as in `late/ada/` next to `ada/`.

    What is in many, such as `code`, is nobody's name.
    """
    students = {same(name): row.student for row in rows for name in (row.name, row.student) if len(name) >= SHORT}
    students.pop(same(assignment.kit), None)
    holders: dict[str, list[str]] = {}
    for owner in owners:
        entries = [piece.entry for piece in owner.pieces if not piece.entry.platform]
        inside = {same(name) for entry in entries for name in names_within(entry, assignment)}
        for student in {students[name] for name in inside.intersection(students)} - {owner.student}:
            holders.setdefault(student, []).append(owner.student)
    said: dict[str, list[str]] = {}
    for student, names in sorted(holders.items()):
        for holder in names if len(names) <= _LISTED else []:
            for each in (student, holder):
                said.setdefault(each, []).append(f"`{holder}` holds something called `{student}`: whose is it?")
    return [replace(row, attention=(*row.attention, *said.get(row.student, ())[:_LISTED])) for row in rows]


def _tops(piece: _Piece) -> set[str]:
    """The folders at the top of what a student handed in."""
    try:
        listing = piece.entry.listing() if piece.entry.folder else Listing([])
    except (NothingToGrade, OSError):
        return set()
    return {steps[0] for steps in (*listing.folders, *(file.steps[:-1] for file in listing.files)) if steps}


def _are_of(owners: list[_Owner]) -> bool:
    """Whether the upload is of the roster: somebody in it is known, or most of it may be somebody's in the roster."""
    unlisted = [owner for owner in owners if owner.enrolled is None]
    return any(owner.enrolled and owner.pieces for owner in owners) or (
        2 * sum(bool(owner.claimed) for owner in unlisted) > len(unlisted)
    )


def _nobody_known(owners: list[_Owner], holders: list[Entry], roster: Roster) -> str:
    """Why nobody is in the roster, and what to do about it; `holders` may hold a class."""
    listed, *_ = (owner for owner in owners if owner.enrolled)
    other, *_ = sorted((owner for owner in owners if not owner.enrolled), key=lambda owner: not owner.claimed)
    columns = ", ".join(f"“{each}”" for each in roster.ids)
    read = f"are read from {columns}" if roster.ids else "are names alone"
    read += f" (not read: {_some(roster.unread)})" if roster.unread else ""
    ids = f"`{listed.student}` in the roster, `{other.student}` in the upload; the roster's {read}"
    said = f"nobody who handed in is in the roster: its ids look different ({other.claimed or ids}). "
    if roster.encoding:
        said += f"{roster.encoding}. If it has other letters, save it as “CSV UTF-8”. "
    if holders:
        names = " and ".join(f"`{shown(entry.name)}`" for entry in holders[:_LISTED])
        if len(holders) > 1:
            return (
                f"{said}If {names} hold a class, put what is in them into one folder, and run the command on that: "
                "rename what has the same name in both, so that nothing is replaced"
            )
        return f"{said}If {names} holds a class, run the command on what is in it"
    return f"{said}Name what was handed in by the ids of the roster, or give a roster with other ids, or none"


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key that puts attempt-2 before attempt-10."""
    pieces = re.findall(r"[0-9]{1,18}|[^0-9]+", text)
    return [(0, int(piece), "") if piece[0] in "0123456789" else (1, 0, piece) for piece in pieces]


# --- the owner of each entry --------------------------------------------------------------------------------------


def _of_all(top: Top, assignment: Assignment, roster: Roster | None) -> tuple[list[_Piece], list[str]]:
    """The owner of each entry, and the names of files without an owner; others may be next to Gradescope's export."""
    if not top.gradescopes:
        staffs = _of_staff(top.entries, assignment, roster)
        rest = [each for each in top.entries if each not in staffs]
        given = _handed_out(rest, assignment, roster)
        rest = [each for each in rest if each not in given]
        pieces, aside = _pieces(rest, assignment, roster, nbgraders=top.nbgraders)
        aside += [f"{shown(each.name)} (not a student's: the same as in the kit or the solution)" for each in given]
        return pieces, [*aside, *(shown(each.name) for each in staffs)]
    exported = _gradescope(top.entries)
    theirs = {piece.entry for piece in exported}
    rest = [entry for entry in top.entries if entry not in theirs and entry.name != METADATA]
    if roster is None:
        said = "the metadata of the export does not name {}"
        rest = [replace(each, doubts=(said.format(shown(each.name)),)) if each.folder else each for each in rest]
    nobodys = {*documents_of_nobody(rest, roster)}
    pieces, aside = _pieces([entry for entry in rest if entry not in nobodys], assignment, roster)
    return [*exported, *pieces], [*aside, *(shown(entry.name) for entry in nobodys)]


def _of_staff(entries: list[Entry], assignment: Assignment, roster: Roster | None) -> list[Entry]:
    """The documents with no word of a name in the roster or the assignment's, and where programs keep packages."""
    packages = [each for each in entries if is_environment(each, assignment, roster)]
    if roster is None:
        return packages
    names = [
        *(name for who in roster.students for name in who.names),
        *roster.groups,
        assignment.kit,
        assignment.module,
    ]
    known = {word for name in names for word in words_of(name) if len(word) >= SHORT}
    documents = documents_of_nobody(entries, roster)
    words = {each: [word for word in words_of(stem(each.name)) if len(word) >= SHORT] for each in documents}
    nobodys = [
        each
        for each, own in words.items()
        if own and not any(word.startswith(other) or other.startswith(word) for word in own for other in known)
    ]
    return [*packages, *nobodys]


def _handed_out(entries: list[Entry], assignment: Assignment, roster: Roster | None) -> list[Entry]:
    """The solution and what students get, if that lies unchanged at the top, in a file or in all of the kit."""
    names = {squeezed(each) for each in (assignment.kit, stem(assignment.module), *_OF_STAFF)}
    named = {each: each.name if each.folder else stem(each.name) for each in entries if each.platform is None}
    like = [each for each, name in named.items() if squeezed(without_copy(name)) in names]
    unknown = of_nobody(like, roster) if roster and like else []
    return [each for each in unknown if _is_handed_out(each, assignment)]


def _is_handed_out(entry: Entry, assignment: Assignment) -> bool:
    try:
        inside = entry.inside() if entry.inside else None
        listings = [each.listing() for each in inside.entries] if inside else [entry.listing()]
        files = [file for listing in listings for file in listing.files if not file.junk]
        files = [file for file in files if not {assignment.data_folder} & {*file.steps[:-1]}]
        if not files or len(files) > _MAX_KIT or any(listing.cut for listing in listings):
            return False
        return all(is_handed_out(file.name or entry.name, file.read(_MAX_KIT_FILE), assignment) for file in files)
    except (NothingToGrade, OSError):
        return False


def _pieces(
    entries: list[Entry], assignment: Assignment, roster: Roster | None, nbgraders: bool = False
) -> tuple[list[_Piece], list[str]]:
    """The owner of each entry by its name, and the names of files without an owner; `nbgraders` if it laid them out."""
    pieces: list[_Piece] = []
    staffs: list[Entry] = []
    sakais = _sakais(entries)
    numbers = _Numbers(entries)
    for entry in entries:
        if entry.named and not (entry.folder and roster and roster.find(entry.name)):
            readings = _readings(entry.named, roster, numbers)
            pieces.append(_by_platform(entry, *readings) if len(readings) == 1 else _of_either(entry, readings))
        elif entry in sakais:
            entry = replace(entry, listing=cache(partial(_handed_in_to_sakai, entry)))
            pieces.append(_Piece(entry.name, entry.name, entry, {"id": entry.name}))
        elif entry.folder:
            keys = {"id": entry.name}
            pieces.append(
                _Piece(entry.name, entry.name, entry, keys, attention=entry.doubts, separator="-", laid_out=nbgraders)
            )
        elif entry.staffs:
            staffs.append(entry)
        else:
            pieces.append(_loose(entry, assignment))
    known = {same(piece.student) for piece in pieces}
    aside = []
    for entry in staffs:
        student = stem(entry.name)
        theirs = same(student) in known or (roster is not None and roster.find(student) is not None)
        files = entry.listing().files
        if theirs or any(file.trouble for file in files) or with_code(files, assignment, Room()):
            pieces.append(_loose(entry, assignment))
        else:
            aside.append(shown(entry.name))
    return _of_this(pieces, assignment.kit), aside


def _sakais(entries: list[Entry]) -> list[Entry]:
    """The folders of Sakai's “Download All”, if these are from there: each is called `Doe, Jane(jdoe)`."""
    folders = [entry for entry in entries if entry.folder]
    if not all(re.fullmatch(r".+\([^()]+\)", entry.name) for entry in folders):
        return []
    names = [{file.steps[0] for file in entry.listing().files} for entry in folders]
    if all(each.isdisjoint(_SAKAIS) for each in names):
        return []
    return [
        entry
        for entry, each in zip(folders, names, strict=True)
        if each & _SAKAIS or all(name in _BY_SAKAI or name.endswith(_INLINE) for name in each)
    ]


def _handed_in_to_sakai(entry: Entry) -> Listing:
    """What the student attached or wrote; the feedback, comments and the time are of the staff and of Sakai."""
    listing = entry.listing()
    files = [file for file in listing.files if len(file.steps) > 1 and file.steps[0] == _ATTACHED]
    texts = [file for file in listing.files if len(file.steps) == 1 and file.name.endswith(_INLINE)]
    return replace(listing, files=[*(file for file in texts if file.trouble or file.read(1)), *files])


def _of_this(pieces: list[_Piece], kit: str) -> list[_Piece]:
    """The pieces, with `elsewhere` where nbgrader's exchange has them for other assignments than `kit`.

    NothingToGrade if there are several assignments, and none is called so.
    """
    names = {piece.elsewhere for piece in pieces} - {""}
    ours = {name for name in names if same(name) == same(kit)} or (names if len(names) == 1 else set())
    if names and not ours:
        listed = ", ".join(f"`{shown(name)}`" for name in sorted(names))
        raise NothingToGrade(
            f"this holds several assignments, {listed}, and none is called {kit}: copy the one to grade"
        )
    return [replace(piece, elsewhere="") if piece.elsewhere in ours else piece for piece in pieces]


class _Numbers:
    """Canvas' numbers of students and of files, in the names of one upload that can be read in one way alone."""

    def __init__(self, entries: list[Entry]) -> None:
        sure = [said for each in entries if (said := each.named) and "canvas" in said.keys and not said.other]
        self._ids = sorted(_log(int(said.keys["canvas"])) for said in sure if said.version)
        self._files = sorted(_log(said.version) for said in sure if said.version)

    def is_students(self, number: int) -> bool:
        """Whether a number is nearer to those of students than to those of files."""
        return self._outside(self._ids, number) < self._outside(self._files, number)

    def is_files(self, number: int) -> bool:
        """Whether a number is among those of files, or not far from them."""
        return bool(self._files) and self._outside(self._files, number) < _log(2)

    def _outside(self, numbers: list[float], number: int) -> float:
        return max(numbers[0] - _log(number), _log(number) - numbers[-1], 0.0) if numbers else 0.0


def _log(number: int) -> float:
    return math.log(max(number, 1))


def _readings(named: PlatformName, roster: Roster | None, numbers: _Numbers) -> list[PlatformName]:
    """What a name from a platform says: of two ways to read one from Canvas, that which is certain; else both.

    `doejane_105_777_904_hw3.py` is Jane's file `904_hw3.py`, or `hw3.py` of the member 777 of a group that is called
    `doejane_105`. Whoever names a group or a file so must not change somebody else's grade.
    """
    if named.other is None:
        return [named]
    own, groups = sorted((named, named.other), key=lambda each: len(each.name))
    student, member = (roster.find(each.keys["canvas"], "canvas") if roster else None for each in (own, groups))
    if member and student:
        by_name = another_name(own.name, student) and not another_name(groups.name, member)
        return [groups] if by_name or member.group_like(groups.name) else [own, groups]
    if member or (not student and named is groups) or numbers.is_students(own.version or 0):
        return [groups]
    return [own, groups] if numbers.is_files(groups.version or 0) else [own]


def _of_either(entry: Entry, readings: list[PlatformName]) -> _Piece:
    """A file from Canvas that may be one student's or another's: it is nobody's until somebody says whose it is."""
    own, groups = readings
    said = (
        f"`{shown(entry.name)}` may be a file of {own.student}, or of the member {groups.keys['canvas']} of a group "
        f"called `{shown(groups.name)}`: whose is it?"
    )
    piece = _by_platform(entry, own)
    name = stem(entry.name)
    return replace(piece, student=name, name=name, keys={}, attention=(said,), readings=tuple(readings))


def _by_platform(entry: Entry, named: PlatformName) -> _Piece:
    def listing() -> Listing:
        found = entry.listing()
        if entry.folder and named.version is None:
            return found
        if entry.folder:  # which somebody has unpacked from an archive
            files = [replace(file, steps=(named.file, *file.steps), version=named.version) for file in found.files]
            return replace(found, files=files)
        name = named.file or entry.name
        return Listing([replace(file, steps=(name,), version=named.version) for file in entry.listing().files])

    order, zone = in_zone(named.attempt)
    return _Piece(
        named.student,
        named.name,
        replace(entry, listing=listing, named=named),
        named.keys,
        named.attempt,
        order,
        zone,
        None if zone else order,
        named.late,
        cover=not (entry.folder or named.file),
        separator="_" if "login" in named.keys else "",
        elsewhere=named.assignment,
    )


def _loose(entry: Entry, assignment: Assignment) -> _Piece:
    """A file at the top named after its student: a module, or an archive or notebook next to it."""
    student, rest = stem(entry.name), suffix(entry.name)
    if entry.name.lower().endswith(".py.txt"):
        student, rest = entry.name[: -len(".py.txt")], ".py.txt"

    def listing() -> Listing:
        name = f"{assignment.module}{rest.removeprefix('.py')}" if rest in (".py", ".py.txt") else entry.name
        return Listing([replace(file, steps=(name,)) for file in entry.listing().files])

    nameless = alike(entry.name, assignment.module)
    whose = (f"`{shown(entry.name)}` is not in a student's folder: whose is it?",) if nameless else ()
    keys = {"id": student}
    return _Piece(student, student, replace(entry, listing=listing), keys, attention=whose, nameless=nameless)


def _moment(text: str) -> datetime | None:
    try:
        return moment(text)
    except ValueError:
        return None


_NULL = "tag:yaml.org,2002:null"
_WHO = (":sid", ":email", ":name")  # how Gradescope's metadata names a submitter


def _gradescope(entries: list[Entry]) -> list[_Piece]:
    """The folders of Gradescope's exports: the metadata names, for each of them, the submitters and the time.

    An export's metadata tells of the folders in it; where it does not, that of another export does. One export may have
    a folder that another lacks.
    """
    exports = [each for each in entries if each.name == METADATA and not each.folder]
    told = {each.download: _metadata(each, several=len(exports) > 1 or bool(each.download)) for each in exports}
    facts = {name: said for each in told.values() for name, said in each.items()}
    folders = [each for each in entries if each.folder and (each.name in facts or SUBMISSION.fullmatch(each.name))]
    lacking = facts.keys() - {each.name for each in folders}
    folders += [Entry(name, True, partial(_lacking, name)) for name in facts if name in lacking]
    pieces, emails = list[_Piece](), dict[str, str]()
    for entry in folders:
        of_it = told.get(entry.download, {}).get(entry.name, facts.get(entry.name))
        pieces += _handed_in_to_gradescope(entry, of_it, emails)
    teams: dict[str, set[frozenset[str]]] = {}
    for piece in pieces:
        teams.setdefault(piece.entry.name, set()).add(piece.team)
    said = "the exports say of `{}` that different people handed it in: whose is it?"
    return [
        replace(piece, attention=(*piece.attention, said.format(shown(piece.entry.name))))
        if len(teams[piece.entry.name]) > 1
        else piece
        for piece in pieces
    ]


def _handed_in_to_gradescope(entry: Entry, facts: object, emails: dict[str, str]) -> list[_Piece]:
    """What is in a folder of the export, for each submitter; `facts` is None if no metadata names the folder.

    `emails` has the address of each id, so that one id for two people is noticed.
    """
    name, said = entry.name, _with_colons(facts)
    notes: tuple[str, ...] = (f"the metadata of the export does not name {shown(name)}",) if facts is None else ()
    given = said.get(":created_at", "")
    order, zone = in_zone(given if isinstance(given, str) else "")
    when = None if zone else order
    submitters = said.get(":submitters")
    people = (
        [_with_colons(each) for each in submitters if isinstance(each, dict)] if isinstance(submitters, list) else []
    )
    known = [tuple(v.strip() if isinstance(v := each.get(key), str) else "" for key in _WHO) for each in people]
    if nameless := sum(not any(each) for each in known):
        notes += (f"the metadata of the export names {nameless} of its submitters by nothing",)
    pieces, there = list[_Piece](), set[str]()
    for sid, email, called in known or [("", "", "")]:
        student = sid or email or (f"{called} ({name})" if called else name)
        if sid and email and same(emails.setdefault(same(sid), email)) != same(email):
            student = f"{sid} ({email})"  # one id for two people
        if same(student) in there:  # one person, named twice
            continue
        there.add(same(student))
        keys = {kind: value for kind, value in (("id", sid), ("email", email)) if value}
        attempt = f"{name} {given}"  # the same in all exports
        piece = _Piece(student, called or student, entry, keys, attempt, order, zone, when, attention=notes)
        pieces.append(replace(piece, team=frozenset("".join(each) for each in known)))
    return pieces


def _with_colons(facts: object) -> dict[str, Any]:
    """Facts of the metadata as Gradescope writes them, `:name`; programs that write them again leave out the colons."""
    if not isinstance(facts, dict):
        return {}
    return {f":{str(key).removeprefix(':')}": value for key, value in facts.items()}


def _lacking(name: str) -> Listing:
    raise CannotRead(
        f"the export lacks the folder `{shown(name)}`, in which its metadata says that this was handed in: "
        "download the export again"
    )


def _metadata(entry: Entry, *, several: bool) -> dict[str, Any]:
    """What the metadata says of each folder: text, so that YAML guesses no numbers or dates, or None for no value.

    Of `several` exports, one may be a student's own file: it is read within bounds, and says nothing if that fails.
    """
    import yaml

    class AsText(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc]
        """A loader that knows of null alone, https://yaml.org/type/null.html."""

    AsText.add_implicit_resolver(_NULL, re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
    AsText.add_constructor(_NULL, lambda loader, node: None)
    (file, *_) = entry.listing().files
    try:
        text = _RESULTS.sub("", file.read(LIMITS.body).decode("utf-8"))
        read = yaml.load(text, AsText) if len(text) <= _MAX_METADATA or not several else {}
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError, TypeError) as error:
        if several:
            return {}
        raise NothingToGrade(f"{METADATA} cannot be read: {error}") from error
    return {name: facts for name, facts in read.items() if isinstance(name, str)} if isinstance(read, dict) else {}


# --- a row for each student ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Owner:
    """A student with their pieces; `enrolled` if the roster has the student, `claimed` as in `matching.Match`.

    `named` tells of what nobody in the roster is known by whether something in it has the name of somebody there.
    """

    student: str
    name: str
    pieces: list[_Piece]
    enrolled: Student | None = None
    notes: tuple[str, ...] = ()
    claimed: str = ""
    named: bool = False


def _owners(pieces: list[_Piece], roster: Roster | None) -> list[_Owner]:
    """The pieces by student: first those of the roster, if there is one, then those it lacks."""
    groups: dict[str, list[_Piece]] = {}
    for piece in pieces:
        groups.setdefault(piece.student, []).append(piece)
    if roster is None:
        asked = {reading.student: piece.attention for piece in pieces for reading in piece.readings}
        groups = {
            student: [replace(each, attention=(*each.attention, *asked.get(student, ()))) for each in theirs]
            for student, theirs in groups.items()
        }
        return _by_number([_Owner(shown(student), shown(each[0].name), each) for student, each in groups.items()])
    known = [
        Known(
            student,
            piece.name,
            piece.keys,
            piece.separator,
            tuple(Known(each.student, each.name, each.keys) for each in piece.readings),
        )
        for student, (piece, *_) in groups.items()
    ]
    owned: dict[str, list[_Piece]] = {}
    notes: dict[str, tuple[str, ...]] = {}
    claimed: dict[str, dict[str, None]] = {}
    unlisted = []
    matches = matched(known, roster)
    several = Counter((each.people, _without_time(each.file)) for each in matches.values() if each.file)
    for student, match in matches.items():
        attempts = several[match.people, _without_time(match.file)] > 1
        for who in match.claims:
            claimed.setdefault(who.id, {})[match.claimed] = None
        theirs = [
            _one_of_several(replace(piece, attention=(*piece.attention, *match.attention)), match, attempts)
            for piece in groups[student]
        ]
        for who in match.people:
            owned.setdefault(who.id, []).extend(theirs)
            notes[who.id] = (*notes.get(who.id, ()), *match.notes)
        if not match.people:
            unlisted.append(_Owner(shown(student), shown(theirs[0].name), theirs, claimed=match.claimed))
    listed = [
        _Owner(
            shown(who.id),
            shown(who.name),
            owned.get(who.id, []),
            who,
            notes.get(who.id, ()),
            " ".join(islice(claimed.get(who.id, ()), _LISTED)),
        )
        for who in roster.students
    ]
    taken = {owner.student for owner in listed}
    return listed + [
        replace(owner, student=f"{owner.student} (not in the roster)") if owner.student in taken else owner
        for owner in _by_number(unlisted)
    ]


def _by_number(owners: list[_Owner]) -> list[_Owner]:
    """The owners; those who have one Canvas number in different downloads are one, under the name of the last file."""
    found: dict[str, list[_Owner]] = {}
    for owner in owners:
        number = next((piece.keys["canvas"] for piece in owner.pieces if "canvas" in piece.keys), "")
        found.setdefault(number if number and not owner.claimed else f"_{owner.student}", []).append(owner)
    merged = []
    for same_number in found.values():
        downloads = [{piece.entry.download for piece in owner.pieces} for owner in same_number]
        if len(same_number) > 1 and sum(map(len, downloads)) == len(set().union(*downloads)):
            newest = max(same_number, key=lambda owner: max(map(_number, owner.pieces)))
            merged.append(replace(newest, pieces=[piece for owner in same_number for piece in owner.pieces]))
        else:
            merged += same_number
    return merged


def _with_those_within(owners: list[_Owner], assignment: Assignment, roster: Roster | None) -> list[_Owner]:
    """The owners, with what may hold their work: an entry of nobody in the roster; of who has none, a folder too."""
    if roster is None:
        return owners
    others = sorted((owner for owner in owners if owner.enrolled is None), key=lambda owner: bool(owner.claimed))
    unlisted = [(owner, piece.entry) for owner in others for piece in owner.pieces][:MAX_OPENED]
    missing = {owner.enrolled for owner in owners if owner.enrolled and not owner.pieces and not owner.claimed}
    holding: dict[Student, list[str]] = {}
    named = set[str]()
    for owner, entry in unlisted:
        for who, may_be_code in students_within(entry, assignment, roster).items():
            named.add(owner.student)
            if may_be_code or who in missing:
                holding.setdefault(who, []).append(f"`{shown(entry.name)}`")
    within_unlisted = {*holding}
    for entry in [piece.entry for owner in owners if owner.enrolled for piece in owner.pieces] if missing else []:
        for who, folder in _folders_of(entry, missing, roster):
            holding.setdefault(who, []).append(f"`{folder}`")
    said = {
        who: f"{' and '.join(names[:_LISTED])} may hold what {who.name} handed in" for who, names in holding.items()
    }
    return [
        replace(owner, claimed=" ".join(filter(None, (owner.claimed, said[owner.enrolled]))))
        if owner.enrolled in within_unlisted or (owner.enrolled in missing and owner.enrolled in holding)
        else replace(owner, named=owner.enrolled is None and owner.student in named)
        for owner in owners
    ]


def _folders_of(entry: Entry, students: set[Student], roster: Roster) -> list[tuple[Student, str]]:
    """Which of the students have a folder in somebody's entry, by its whole name."""
    try:
        files = entry.listing().files
    except (NothingToGrade, OSError):
        return []
    folders = {file.steps[:depth] for file in files if not file.junk for depth in range(1, len(file.steps))}
    found = []
    for steps in sorted(folders):
        people = [*roster.having(steps[-1]), *roster.named(steps[-1])] if len(steps[-1]) >= SHORT else []
        found += [(who, path_of((entry.name, *steps))) for who in students.intersection(people)]
    return found


def _without_time(file: str) -> str:
    """The student's own name for a file without the time that a platform added."""
    before, after, (kind, _) = attempt_in(file) or ("", "", ("", 0))
    return f"{before} {after}" if kind.startswith("time") else file


def _one_of_several(piece: _Piece, match: Match, attempts: bool) -> _Piece:
    """One of several files at the top that one student handed in, under the student's own name for it.

    Of several `attempts`, the name is not the student's.
    """
    if not match.file or piece.entry.folder:
        return piece
    name = f"{match.file}{piece.entry.name[len(piece.student) :]}"

    def listing() -> Listing:
        return Listing([replace(file, steps=(name,)) for file in piece.entry.listing().files])

    entry = piece.entry if attempts else replace(piece.entry, listing=listing)
    return replace(piece, student=match.people[0].name, entry=entry)


@limited_time()
def _submitted(
    owner: _Owner,
    assignment: Assignment,
    extensions: _Extensions,
    roster: Roster | None,
    visit: Callable[[str, Listing], None] | None,
) -> Submitted:
    """The row of one student, which also tells what is wrong with the upload."""
    until = extensions.of(owner)
    keys = {kind: key for piece in owner.pieces for kind, key in piece.keys.items()}
    keys |= owner.enrolled.keys if owner.enrolled else {}
    unlisted = roster is not None and owner.enrolled is None
    row = Submitted(owner.student, None, name=owner.name, until=until, unlisted=unlisted, keys=keys)
    attention: tuple[str, ...] = ("not in the roster",) if row.unlisted else ()
    attention = (owner.claimed,) if owner.claimed else attention
    ours = _by_their_names([piece for piece in owner.pieces if not piece.elsewhere], assignment.module)
    if not ours:
        other = ", ".join(sorted({f"`{shown(piece.elsewhere)}`" for piece in owner.pieces}))
        reason = f"nothing was handed in{f' for {assignment.kit}, only for {other}' if other else ''}"
        if owner.claimed:  # somebody has handed it in, and who is not known
            return replace(row, reason=owner.claimed, unreadable=True)
        return replace(row, reason=reason, nothing=True, attention=(*attention, *_expected(owner, until)))
    notes, earlier, pieces = owner.notes, list[list[_Piece]](), list[_Piece]()
    if len(under := {piece.student for piece in ours}) > 1:
        attention += (f"handed in under several names: {', '.join(map(shown, sorted(under)))}",)
    teams = {(piece.entry.download, piece.team) for piece in ours}
    if len(teams) > len({download for download, _ in teams}):
        entries = ", ".join(dict.fromkeys(f"`{shown(piece.entry.name)}`" for piece in ours))
        attention += (f"handed in with others and without, or in several groups ({entries}): see which one counts",)
    try:
        pieces, earlier = _last(ours)
        if earlier:
            notes += (f"the last of {len(earlier) + 1} attempts counts: `{shown(pieces[0].entry.name)}`",)
        attention += tuple(dict.fromkeys(chain.from_iterable(piece.attention for piece in pieces)))
        listing = _together(pieces)
        if visit:
            with limited_time():
                visit(row.student, listing)
        times, said = _lateness(_not_replaced(pieces), listing, assignment, until)
        row, attention = replace(row, **times), (*attention, *said, *_like_export(_folders(listing)))
        if not any(each.files or each.cut for each in (listing, *map(_together, earlier))):
            return replace(
                row, reason=_ONLY_FOLDER, nothing=True, notes=notes, attention=(*attention, *_expected(owner, until))
            )
        found = _found(owner, pieces, listing, assignment, roster)
        attention += () if owner.enrolled else _in_download(pieces, found)
    except CannotRead as error:
        return replace(row, reason=str(error), unreadable=True, notes=notes, attention=(*attention, str(error)))
    except NothingToGrade as error:
        if cut_off := _cut_off(ours):
            return replace(row, reason=cut_off, unreadable=True, notes=notes, attention=(*attention, cut_off))
        if rivals := _rivals(pieces or ours, assignment):
            why = rivals if pieces else str(error)
            return replace(row, reason=why, unreadable=True, notes=notes, attention=(*attention, why))
        attention += _work_before("the last attempt has no module", earlier, assignment)
        return replace(row, reason=str(error), notes=notes, attention=attention)
    if is_untouched(found.source, assignment):
        attention += _work_before("the last attempt is empty or still the handout", earlier, assignment)
        attention += _in_covers(pieces, assignment)
    attention += found.attention
    row = replace(row, source=found.source, notes=(*notes, *found.notes), attention=attention)
    together = tuple(sorted({(piece.entry.download, piece.entry.name) for piece in pieces}))
    return replace(row, together=together, folder=found.folder, apart=found.apart)


def _cut_off(pieces: list[_Piece]) -> str:
    """Which of the downloads of staff for these students ends too early, and what to do; or nothing.

    What a platform named, or packed, is as the student handed it in.
    """
    if part := next((piece.entry.name for piece in pieces if piece.entry.partial), ""):
        return f"`{shown(part)}` is only a part of a download: download it again"
    for piece in [piece for piece in pieces if not (piece.entry.folder or piece.entry.platform)]:
        with suppress(NothingToGrade):
            for file in piece.entry.listing().files:
                if suffix(file.name) in ARCHIVES and not file.download and is_cut_off(file):
                    return f"`{shown(piece.entry.name)}` is cut off: download it again"
    return ""


def _rivals(pieces: list[_Piece], assignment: Assignment) -> str:
    """What to do where things that staff put together each have another module of one student; or nothing.

    What a platform lets staff download at once is as the student handed it in.
    """
    apart: dict[object, list[_Piece]] = {}
    for piece in pieces:
        one = (piece.entry.download, piece.attempt) if piece.entry.platform else piece
        apart.setdefault(one, []).append(piece)
    modules: list[tuple[str, bytes]] = []
    for together in apart.values():
        with suppress(NothingToGrade):
            found = choose(_together(together), assignment)
            above = f"{shown(together[0].entry.name)}/" if together[0].entry.folder and len(together) == 1 else ""
            modules += [] if is_untouched(found.source, assignment) else [(f"`{above}{found.name}`", found.source)]
    if len({source for _, source in modules}) < 2:
        return ""
    names = ", ".join(dict.fromkeys(name for name, _ in modules))
    return f"there are different modules, and nothing says which one counts: {names}. Keep one of them"


def _expected(owner: _Owner, until: datetime | None) -> tuple[str, ...]:
    """What staff should know of who has handed in nothing, if the roster says otherwise, or the time is not over."""
    said = owner.enrolled.status if owner.enrolled else ""
    expected: tuple[str, ...] = (f"the roster says “{said}”: see whether the download lacks something",) if said else ()
    if until and until > datetime.now(UTC):
        expected += (f"nothing was handed in yet: the extension ends on {until.isoformat(' ', 'minutes')}",)
    return expected


def _in_download(pieces: list[_Piece], found: Found) -> tuple[str, ...]:
    """What staff should know of a module that was found in a folder that a platform named, but not at the top."""
    above = [] if pieces[0].entry.platform else found.name.split("/")[:-1]
    given = [step for step in above if (said := platform_name(step)) and said.version is None]
    exports = [piece.entry for piece in pieces if is_export(piece.entry)]
    if not (given or exports):
        return ()
    return (f"`{found.name}` is in what a platform lets staff download: whose is it?",)


def _folders(listing: Listing) -> set[str]:
    return {file.steps[0] for file in listing.files if len(file.steps) > 1}


def _like_export(folders: set[str], where: str = "it") -> tuple[str, ...]:
    """What staff should know of folders that may be Gradescope's export, without the file that says whose is whose.

    Gradescope counts the submissions of all courses; a student's own, `submission_1` and so on, are few.
    """
    names = {name for name in folders if SUBMISSION.fullmatch(name) and len(name) >= len("submission_1000")}
    if len(names) < 2:
        return ()
    return (
        f"{where} holds {len(names)} folders such as `{min(names, key=natural)}`: if this is Gradescope's export, run "
        f"the command on a folder that has its {METADATA} too",
    )


def _by_their_names(pieces: list[_Piece], module: str) -> list[_Piece]:
    """The pieces of one student, as attempts if their names are the same but for a date or `v2`, or count one file.

    Numbers may be those of parts, so that these count only before the `module`'s name; of several in a name, none may
    fall from one attempt to the next.
    """
    if len(pieces) < 2 or any(piece.attempt or _number(piece) for piece in pieces):
        return pieces
    told: list[tuple[tuple[str, ...], tuple[int, ...]]] = []
    dates = [found for piece in pieces if (found := attempt_in(piece.entry.name))]
    if len(dates) == len(pieces):
        told = [((before, after, kind), (when,)) for before, after, (kind, when) in dates]
    else:
        named = [_before(piece.entry.name, module) for piece in pieces]
        split = [re.split(r"([0-9]{1,18})", name) for name in named if name]
        told = [(tuple(texts[::2]), tuple(map(int, texts[1::2]))) for texts in split]
    orders = sorted(order for _, order in told)
    if len(told) < len(pieces) or len({form for form, _ in told}) > 1 or len({*orders}) < len(orders):
        return pieces
    if any(a > b for earlier, later in pairwise(orders) for a, b in zip(earlier, later, strict=True)):
        return pieces
    return [
        replace(
            piece,
            student=pieces[0].student,
            attempt=piece.entry.name,
            order=datetime.fromtimestamp(orders.index(order), UTC),
        )
        for piece, (_, order) in zip(pieces, told, strict=True)
    ]


def _before(name: str, module: str) -> str:
    """What is before the module's name in that of an entry; empty if that is not its end."""
    ends = (at.end() for at in re.finditer(r"[-_ .]+", name[:LONGEST]))
    return next((name[:end] for end in ends if alike(name[end:], module)), "")


def _last(pieces: list[_Piece]) -> tuple[list[_Piece], list[list[_Piece]]]:
    """The pieces of a student's last attempt, and those of the earlier ones, the newest first.

    NothingToGrade if it is not known which is the last.
    """
    attempts: dict[str, list[_Piece]] = {}
    for piece in sorted(pieces, key=lambda piece: piece.cover):
        attempts.setdefault(piece.attempt, []).append(piece)
    if len(attempts) == 1:
        return pieces, []
    firsts = [each[0] for each in attempts.values()]
    times = [first.order for first in firsts if first.order is not None]
    if len(times) < len(firsts) or times.count(max(times)) > 1 or len({first.zone for first in firsts}) > 1:
        names = ", ".join(f"`{shown(first.entry.name)}`" for first in firsts)
        raise NothingToGrade(f"there are several attempts, and nothing says which is the last: {names}")
    last, *earlier = sorted(attempts.values(), key=lambda each: each[0].order or times[0], reverse=True)
    return last, earlier


def _found(
    owner: _Owner, pieces: list[_Piece], listing: Listing, assignment: Assignment, roster: Roster | None
) -> Found:
    """The module; if another is there, not one in a folder with the name of another student."""
    theirs = _names_of_others(owner, listing, roster)

    def rest(entry: Entry) -> Listing:
        listing = entry.listing()
        return replace(listing, files=[file for file in listing.files if theirs.isdisjoint(file.steps[:-1])])

    called = f"{', '.join(f'`{shown(step)}`' for step in sorted(theirs)[:_LISTED])}, which another student is called"
    if theirs:
        own = [replace(piece, entry=replace(piece.entry, listing=partial(rest, piece.entry))) for piece in pieces]
        with suppress(NothingToGrade):
            found = _chosen(own, _together(own), assignment)
            if not is_untouched(found.source, assignment):
                said = f"`{found.name}` was graded, and nothing in {called}: whose is it?"
                return found._replace(attention=(*found.attention, said))
    found = _chosen(pieces, listing, assignment)
    said = f"`{found.name}` was graded, but there is {called}: whose is it?"
    return found._replace(attention=(*found.attention, said)) if theirs else found


def _names_of_others(owner: _Owner, listing: Listing, roster: Roster | None) -> set[str]:
    """The folders with code in what a student of the roster handed in that have the whole name of another one."""
    if roster is None or owner.enrolled is None:
        return set()
    code = [file for file in listing.files if suffix(file.name) in (".py", ".ipynb", *ARCHIVES)]
    names = {step for file in code for step in file.steps[:-1] if len(words_of(step)) > 1}
    return {step for step in names if (people := roster.named(step)) and owner.enrolled not in people}


def _chosen(pieces: list[_Piece], listing: Listing, assignment: Assignment) -> Found:
    """The module in the student's newest download, if something is written there; else that in all downloads."""
    newest = _newest(pieces)
    older = [piece for piece in pieces if piece not in newest]
    if not older:
        return choose(listing, assignment)
    with suppress(NothingToGrade):
        found = choose(_together(newest), assignment)
        if not is_untouched(found.source, assignment):
            said = f"`{found.name}` was graded, not what was handed in before: {_names(older)}"
            return found._replace(notes=(*found.notes, said))
    found = choose(listing, assignment)
    said = f"`{found.name}` was graded, but what was handed in last has no module with code: {_names(newest)}"
    return found._replace(attention=(*found.attention, said))


def _names(pieces: list[_Piece]) -> str:
    return some_of([*dict.fromkeys(f"`{shown(piece.entry.name)}`" for piece in pieces)], _LISTED)


def _newest(pieces: list[_Piece]) -> list[_Piece]:
    """The pieces without those from Canvas that the student's newest download lacks: each has only the last attempt."""
    numbered = [piece for piece in pieces if piece.entry.download and _number(piece)]
    last = max(map(_number, numbered), default=0)
    newest = {piece.entry.download for piece in numbered if _number(piece) == last}
    there = {piece.entry.name for piece in numbered if piece.entry.download in newest}
    return [piece for piece in pieces if piece not in numbered or piece.entry.name in there]


def _not_replaced(pieces: list[_Piece]) -> list[_Piece]:
    """The `_newest` pieces without those of which Canvas has a newer one under the same name."""
    pieces = _newest(pieces)
    last: dict[str, int] = {}
    for piece in pieces:
        last[_file(piece)] = max(last.get(_file(piece), 0), _number(piece))
    return [piece for piece in pieces if not _number(piece) or _number(piece) == last[_file(piece)]]


def _number(piece: _Piece) -> int:
    """Canvas' number of a file; 0 for all else."""
    return (piece.entry.named and piece.entry.named.version) or 0


def _file(piece: _Piece) -> str:
    return piece.entry.named.file if piece.entry.named else piece.entry.name


def _work_before(said: str, earlier: list[list[_Piece]], assignment: Assignment) -> tuple[str, ...]:
    """What staff should know where the last attempt holds no work: the newest earlier one that does, or may."""
    doubtful: list[str] = []
    for pieces in earlier:
        where = f" of `{shown(pieces[0].entry.name)}`" if pieces[0].entry.folder else ""
        listing = _together(pieces)
        try:
            found = choose(listing, assignment)
        except NothingToGrade:
            doubtful += [_names(pieces)] if listing.files or listing.cut else []
            continue
        if not is_untouched(found.source, assignment):
            return (f"{said}, but an earlier one has code: `{found.name}`{where}",)
        doubtful += [f"`{found.name}`{where}"] if found.attention else []
    return (f"{said}; see whether an earlier one has code: {doubtful[0]}",) if doubtful else ()


def _in_covers(pieces: list[_Piece], assignment: Assignment) -> tuple[str, ...]:
    """What staff should know of code in the platform's text on an attempt in which nothing is written."""
    covers = [piece for piece in pieces if piece.cover]
    found = with_code([file for piece in covers for file in piece.entry.listing().files], assignment, Room())
    return (f"the module is empty or still the handout, but the code may be in {_names(covers)}",) if found else ()


def _together(pieces: list[_Piece]) -> Listing:
    """The files of all pieces. If there are several, the labels of those in folders name the folder."""
    files: list[File] = []
    folders: list[tuple[str, ...]] = []
    cut = False
    for piece in [piece for piece in pieces if not piece.cover] or pieces:
        listing = piece.entry.listing()
        cut = cut or listing.cut
        folders += listing.folders
        several = len(pieces) > 1 and piece.entry.folder
        top = shown(piece.entry.name)
        files += [replace(file, label=f"{top}/{file.label}") if several else file for file in listing.files]
    return Listing(sorted(files, key=lambda file: len(file.steps)), cut, tuple(folders))


# --- lateness -----------------------------------------------------------------------------------------------------


def _keys_of(owner: _Owner) -> tuple[list[str], list[str], list[str]]:
    """What a student may be called: by the own id; else by the roster's other ids; else by those in the upload."""
    there = [key for piece in owner.pieces for key in (piece.student, *piece.keys.values())]
    who = owner.enrolled
    return [owner.student, who.id if who else ""], [*who.keys.values()] if who else [], there


class _Extensions:
    """The extended due dates. One that is not after the due date of all is none."""

    def __init__(
        self, until: Mapping[str, datetime], due: datetime | None, owners: list[_Owner], roster: Roster | None
    ) -> None:
        self._until = {same(key): (key, when) for key, when in until.items()}
        self._due = due
        self._several: list[str] = []
        by_key: tuple[dict[str, list[_Owner]], ...] = ({}, {}, {})
        for owner in owners:
            for found, keys in zip(by_key, _keys_of(owner), strict=True):
                for key in {*map(same, keys)}:
                    found.setdefault(key, []).append(owner)
        self._whose: dict[str, list[_Owner]] = {}
        for each, (key, _) in self._until.items():
            people = next((found[each] for found in by_key if each in found), [])
            named = roster.named(key) if roster and not people else []
            self._whose[each] = people or [owner for owner in owners if len(named) == 1 and owner.enrolled in named]

    def _is_one(self, people: list[_Owner]) -> bool:
        """Whether these are one student, or a group that handed in together."""
        return len(people) == 1 or bool(people and set.intersection(*({*owner.pieces} for owner in people)))

    def of(self, owner: _Owner) -> datetime | None:
        """The student's extended due date, the latest if there are several."""
        found = [each for each, people in self._whose.items() if owner in people and self._is_one(people)]
        if len({self._until[each][1] for each in found}) > 1:
            keys = ", ".join(shown(self._until[each][0]) for each in found)
            self._several.append(f"{owner.name} has several extensions, under {keys}: the latest counts")
        until = max((self._until[each][1] for each in found), default=None)
        return None if until and self._due and until <= self._due else until

    def warnings(self) -> list[str]:
        """A warning for each extension that extends nothing or is nobody's here, and for whom has several."""
        return [
            *self._several,
            *(
                f"the extension of {shown(key)} ends on {when.isoformat(' ', 'minutes')}, which is not after the due "
                "date: it does not count. Check it"
                for each, (key, when) in self._until.items()
                if self._due and when <= self._due and self._is_one(self._whose[each])
            ),
            *(
                f"the extension of {shown(self._until[each][0])} does not count, since it may be that of "
                f"{some_of([f'{owner.name} ({owner.student})' for owner in people], _LISTED)}: give the student's id"
                for each, people in self._whose.items()
                if people and not self._is_one(people)
            ),
            *(
                f"the extension of {shown(key)} matches no student here: give an id of the roster or the upload"
                for each, (key, _) in self._until.items()
                if not self._whose[each]
            ),
        ]


def _lateness(
    pieces: list[_Piece], listing: Listing, assignment: Assignment, until: datetime | None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """When it was handed in and whether that was late, if the platform says so; and why that is not known."""
    handed_in = max((piece.handed_in for piece in pieces if piece.handed_in), default=None)
    deadline = until or _moment(assignment.due)
    said: list[str] = []
    if handed_in is None:
        zones = {piece.zone for piece in pieces} - {"", NO_ZONE}
        laid_out = [piece for piece in pieces if piece.laid_out]
        if not laid_out and not zones and (own := _stamped(listing, assignment)):
            said.append(f"`{own.label}` is the student's own file: the time in it does not count")
        try:
            handed_in = _stamp(_together(laid_out), assignment)
            if zones and handed_in is None:
                raise ValueError(f"its time is in a zone that is not known: {', '.join(sorted(zones))}")
        except ValueError as error:
            said += [f"{error}; so nothing says whether it is late"] if deadline else []
    if handed_in and deadline:
        return {"handed_in": handed_in, "late": handed_in > deadline}, tuple(said)
    flags = [piece.late for piece in pieces if piece.late is not None]
    marked = any(flags) if flags else None
    return {"handed_in": handed_in, "late": None if marked and until else marked}, tuple(said)


def _stamped(listing: Listing, assignment: Assignment) -> File | None:
    """The file where nbgrader notes when it collected this, at the top or in the assignment's folder."""
    wanted = ((assignment.kit, "timestamp.txt"), ("timestamp.txt",))
    return next((file for file in listing.files if file.steps in wanted and not file.trouble), None)


def _stamp(listing: Listing, assignment: Assignment) -> datetime | None:
    """When nbgrader collected it, by its file. ValueError if that is no time."""
    file = _stamped(listing, assignment)
    return read_stamp(file.read(200), f"`{file.label}`") if file else None
