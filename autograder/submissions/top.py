"""The entries at the top of a class's upload, in a folder or a zip archive.

People pack the folder with the class, and browsers, Google Drive and Finder rename what they pack: a class is looked
for in a folder or an archive that is alone at the top, at any depth.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import islice
from pathlib import Path

from autograder.assignment import Assignment
from autograder.report.summary import some_of
from autograder.submissions.files import (
    MAX_ARCHIVE_ENTRIES,
    MAX_DEPTH,
    MAX_DIRECTORY,
    MAX_FILES,
    MAX_STUDENT_DIRECTORY,
    CannotRead,
    File,
    Listing,
    NothingToGrade,
    Packed,
    in_folder,
    on_disk,
    open_download,
)
from autograder.submissions.find import COLLECTED, ELSEWHERE, ENVIRONMENT, PACKAGES, SETTINGS, attempt, undated
from autograder.submissions.matching import Known, Match, matched
from autograder.submissions.names import (
    ARCHIVES,
    UNREAD,
    PlatformName,
    alike,
    is_feedback,
    is_junk,
    is_partial,
    path_of,
    platform_names,
    shown,
    stem,
    suffix,
    without_copy,
)
from autograder.submissions.roster import Roster, Student
from autograder.submissions.spelling import in_any_order, same, squeezed, without_id

METADATA = "submission_metadata.yml"
SUBMISSION = re.compile(r"submission_\d+")
SUBMITTED = "submitted"  # nbgrader's folder: in it one for each student, and in that one for each assignment
_COURSE = "nbgrader_config.py"  # in an nbgrader course, next to that folder

_TEAMS = ("Submitted files", "Working files")  # of a class in Microsoft Teams: in each, a folder for each student
_EXPORT = re.compile(r"assignment_\d+_export")
_DRIVE = re.compile(r"-\d{8}T\d{6}Z(?:-\d+)*$")  # which Google Drive adds to what it packs
_SELECTED = "drive-download"  # what it calls several files and folders
_READ = "`{}` was read as a class, and not as one student's"
_SEVERAL = 3  # folders with modules are a class; two may be what one student has now and had before
_LISTED = 3
MAX_OPENED = 40  # entries of which it is not known whose they are, and that are looked into
_RESULT = re.compile(r"[0-9a-f]{64}(?:\.repair)?\.json")
_EXPORTED = {"canvas.csv", "gradescope.csv", "feedback.zip"}  # which may be put next to what was graded
_OF_STUDENTS = {"feedback", "students"}  # what the archive, or the folder, with a page for each student is called
_GENERATOR = b'<meta name="generator" content="autograder">'  # near the start of such a page
_REPORT = {"submission", "sha256", "parts"}  # what a report has
_START = 2000  # bytes of a page
_MAX_OUTPUT = 1 << 28  # bytes of a file that is looked into
_OF_A_CLASS = {"class.json", "grades.csv", "index.html", "reports"}  # which each run of `autograder class` writes
_WRITTEN = _OF_A_CLASS | {"students", "pairs", "results"}
_CLASS = {"schema", "students"}  # what a class.json has
# Loose files of these kinds belong to the staff: a list, a letter, a table.
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


@dataclass(frozen=True, eq=False)
class Entry:
    """One entry at the top: a file, or a folder, whose files have steps that begin below it.

    `inside` has the entries in a folder or a zip archive, as if that were the upload; `named` is what its name says, by
    the platform that gave the names of this download; `download` is which, where there may be several. `doubts` are
    what staff should look at. It may be `packed` in an archive.
    """

    name: str
    folder: bool
    listing: Callable[[], Listing]
    inside: Callable[[], Top] | None = None
    named: PlatformName | None = None
    download: str = ""
    doubts: tuple[str, ...] = ()
    packed: bool = False

    @property
    def platform(self) -> PlatformName | None:
        """What its name says, if a platform gave it. Canvas gives names to files alone."""
        named = self.named
        return named if named and (not self.folder or named.attempt or "canvas" not in named.keys) else None

    @property
    def staffs(self) -> bool:
        """Whether this looks like a file of the course staff."""
        name = self.name.lower()
        return self.loose and not name.endswith(".py.txt") and suffix(name) in _STAFFS

    @property
    def loose(self) -> bool:
        """Whether this is a file to which no platform gave the name."""
        return not (self.folder or self.platform)

    @property
    def document(self) -> bool:
        """Whether this is a loose file that neither is nor holds code, such as a rubric."""
        loose = self.loose and not self.name.lower().endswith(".py.txt")
        code = suffix(self.name) in ("", ".py", ".ipynb", *ARCHIVES, *UNREAD)
        return loose and not (code or self.partial)

    @property
    def partial(self) -> bool:
        """Whether this is a part of what staff downloaded: what a platform named is as a student handed it in."""
        return self.platform is None and is_partial(self.name)


@dataclass(frozen=True)
class Top:
    """The entries, the names of skipped ones with the reasons, what was guessed, and whether nbgrader laid it out."""

    entries: list[Entry]
    aside: list[str]
    guessed: tuple[str, ...] = ()
    nbgraders: bool = False

    @property
    def students(self) -> list[Entry]:
        return [entry for entry in self.entries if not entry.staffs]

    @property
    def gradescopes(self) -> bool:
        """Whether this is Gradescope's export."""
        names = {entry.name: entry.folder for entry in self.entries}
        return names.get(METADATA) is False and any(
            folder and SUBMISSION.fullmatch(name) for name, folder in names.items()
        )


def top_of(path: Path, outputs: set[Path], stack: ExitStack, assignment: Assignment, roster: Roster | None) -> Top:
    """The entries of the class that is at `path`, or somewhere in it. NothingToGrade if nothing can be read there."""
    if not path.exists():
        raise NothingToGrade(f"{path} does not exist")
    names = _beyond_ascii(roster)
    if path.is_file():
        top, packed_as = _in_zip(path, stack, names, listed=MAX_DIRECTORY), stem(path.name)
    else:
        if _is_output(path, set()):
            raise NothingToGrade(f"{path} was written by this command: run it on what students handed in")
        top, packed_as = _in_folder(path, outputs, stack, names), path.resolve().name
    nbgraders = without_copy(packed_as) == SUBMITTED
    for _ in range(MAX_DEPTH):
        top = _without_output(top, roster)
        within = _within(top, packed_as, assignment, roster)
        if within is None:
            break
        nbgraders = nbgraders or any(without_copy(_named(entry)) == SUBMITTED for entry in top.entries)
        top, packed_as = within, ""
    if nbgraders and not top.gradescopes:
        return replace(_of_assignment(top, assignment), nbgraders=True)
    folders = [_folders(each) for each in top.entries if each.folder and not each.platform]
    return replace(top, nbgraders=2 * sum(assignment.kit in each for each in folders) > len(folders))


def _beyond_ascii(roster: Roster | None) -> frozenset[str]:
    """The names of students, with each word first, that look otherwise in another encoding."""
    called = (name for who in (roster.students if roster else ()) for name in who.names)
    return frozenset(squeezed(each) for name in called if not name.isascii() for each in in_any_order(name))


def _of_assignment(top: Top, assignment: Assignment) -> Top:
    """nbgrader's `submitted`, in which only the folders with the assignment's name count, if anyone has it.

    A name that differs by capitals and separators alone counts for who has no folder with the exact one. A
    folder that no other student has, with no number in its name, is no assignment of a course: what is in it counts.
    """
    kit = assignment.kit
    folders = {entry: _folders(entry) for entry in top.entries if entry.folder and not entry.platform}
    names = {name for each in folders.values() for name in each if squeezed(name) == squeezed(kit)}
    if not names:
        return _of_any(top, assignment)
    count = Counter(name for each in folders.values() for name in each)
    own = {
        entry: each
        for entry, each in folders.items()
        if each and all(count[name] == 1 and not re.search(r"\d", name) for name in each)
        if not names & each and _holds_module(entry, assignment)
    }
    read = {
        entry: kit if kit in each else min(names & each, default=kit)
        for entry, each in folders.items()
        if entry not in own
    }
    doubts = {
        entry: (f"what is in {', '.join(f'`{shown(name)}`' for name in sorted(each))} was read as handed in for {kit}",)
        for entry, each in own.items()
    }
    doubts |= {
        entry: (f"what is in `{shown(name)}` was read as handed in for {kit}",)
        for entry, name in read.items()
        if name != kit and not all(name in each for each in folders.values())
    }
    entries = [
        replace(each, listing=partial(_for, kit, read[each], each), doubts=doubts.get(each, ()))
        if each in read
        else replace(each, doubts=doubts.get(each, each.doubts))
        for each in top.entries
    ]
    guessed = tuple(f"`{shown(name)}` was read as the folder of {kit}" for name in sorted({*read.values()} - {kit}))
    return replace(top, entries=entries, guessed=(*top.guessed, *guessed))


def _of_any(top: Top, assignment: Assignment) -> Top:
    """nbgrader's `submitted`, in which nobody has a folder with the assignment's name: what is graded is said."""
    named = {
        entry: {f.steps[0] for f in entry.listing().files if len(f.steps) == 2 and alike(f.name, assignment.module)}
        for entry in top.entries
        if entry.folder and not entry.platform
    }
    names = sorted({name for each in named.values() for name in each})
    if not names:
        return top
    listed = ", ".join(f"`{shown(name)}`" for name in names[:_LISTED])
    said = f"nobody in `{SUBMITTED}` has a folder `{assignment.kit}`: what is in {listed} was read as handed in for it"
    doubted = [entry for entry in top.entries if len(names) > 1 and named.get(entry)]
    entries = [replace(each, doubts=(said,)) if each in doubted else each for each in top.entries]
    if len(names) == 1:  # everybody's, and so the assignment's name in this course
        entries = [replace(each, listing=partial(_as_kit, assignment.kit, names[0], each)) for each in entries]
    return replace(top, entries=entries, guessed=(*top.guessed, said))


def _as_kit(kit: str, folder: str, entry: Entry) -> Listing:
    """The files of a student, those in `folder` as in one of the assignment's name."""
    listing = entry.listing()
    named = [len(file.steps) > 1 and file.steps[0] == folder for file in listing.files]
    files = [
        replace(file, steps=(kit, *file.steps[1:])) if ours else file
        for file, ours in zip(listing.files, named, strict=True)
    ]
    return replace(listing, files=files)


def _for(kit: str, folder: str, entry: Entry) -> Listing:
    """The files of a student in nbgrader's `submitted`, those in `folder` as handed in for `kit`."""
    listing = entry.listing()
    files = listing.files
    loose = any(len(file.steps) == 1 and not file.junk for file in files)
    if loose and not any(file.steps[0] == folder for file in files):
        return listing
    return replace(listing, files=[_marked(file, kit, folder) for file in files])


def _marked(file: File, kit: str, folder: str) -> File:
    if len(file.steps) > 1 and file.steps[0] != folder:
        return replace(file, trouble=file.trouble or ELSEWHERE)
    steps = (kit, *file.steps[1:]) if len(file.steps) > 1 else file.steps
    return replace(file, steps=steps, staffs=steps == (kit, COLLECTED))


def _folders(entry: Entry) -> set[str]:
    return {file.steps[0] for file in entry.listing().files if len(file.steps) > 1 and not file.junk}


# --- what a folder and an archive hold ----------------------------------------------------------------------------


def _in_folder(path: Path, outputs: set[Path], stack: ExitStack, names: frozenset[str]) -> Top:
    def entry(name: str) -> Entry:
        below = path / name
        if _is_folder(below):
            inside = cache(lambda: _in_folder(below, outputs, stack, names))
            return Entry(name, True, lambda: in_folder(path, (name,)), inside)
        zipped = suffix(name) == ".zip" and below.is_file() and not below.is_symlink()
        within = cache(lambda: _in_zip(below, stack, names)) if zipped else None
        return Entry(name, False, lambda: Listing([on_disk(path, (name,))]), within)

    try:
        there = sorted(os.listdir(path))
        skipped = {name: _holding(_hidden(path, name)) for name in there if is_junk(name)}
        skipped |= {name: " (written by this program)" for name in there if _is_output(path / name, outputs)}
        _require_ours([path / name for name in skipped if (path / name).resolve() in outputs])
        given = [name for name in there if name not in skipped and is_feedback(name)]
        return Top(
            _read_names([entry(name) for name in there if name not in skipped and name not in given]),
            [*(f"{shown(name)}{why}" for name, why in skipped.items()), *_feedback(given)],
        )
    except PermissionError as error:
        raise CannotRead(f"{path} cannot be read: {error.strerror}") from error


def _feedback(names: list[str]) -> list[str]:
    """What is said of the names of feedback, at once."""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return [f"{shown(names[0])}{more} (feedback, not handed in)"] if names else []


def _hidden(path: Path, name: str) -> set[str]:
    """The folders with code in a hidden folder: a recycle bin or a sync program may keep a student's there."""
    if not _is_folder(path / name):
        return set()
    try:
        return {path_of(file.steps[:-1]) for file in in_folder(path, (name,)).files if _is_code(file.steps)}
    except (NothingToGrade, OSError):
        return set()


def _is_code(steps: tuple[str, ...]) -> bool:
    """Whether a file below a hidden folder may be somebody's work, by its path."""
    made = any(map(is_junk, steps)) or not PACKAGES.isdisjoint(steps)
    return len(steps) > 1 and not made and suffix(steps[-1]) in (".py", ".ipynb", *ARCHIVES)


def _holding(folders: set[str]) -> str:
    return f" (holds {some_of(sorted(folders), _LISTED)})" if folders else ""


def _require_ours(folders: list[Path]) -> None:
    """NothingToGrade if one of the folders to write to is an entry that this program did not write."""
    for folder in folders:
        names = {each.name for each in islice(os.scandir(folder), MAX_FILES)} - _WRITTEN - _EXPORTED
        if any(not (is_junk(name) or _RESULT.fullmatch(name)) for name in names):
            raise NothingToGrade(
                f"`{shown(folder.name)}` is in the upload, and has files that this command did not write: choose "
                "another folder for --out and --results"
            )


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _is_output(path: Path, outputs: set[Path], levels: int = 3) -> bool:
    """Whether this folder has only what `autograder class` writes, now or earlier."""
    try:
        if not _is_folder(path) or not levels:
            return False
        if path.resolve() in outputs:
            return True
        names = {entry.name for entry in islice(os.scandir(path), MAX_FILES)}
    except OSError:
        return False
    if any(suffix(name) in (".py", ".ipynb", *ARCHIVES) for name in names):
        return False  # a student handed that in
    if names >= _OF_A_CLASS:
        return has_class(path)
    if path.name in _OF_STUDENTS and names and all(suffix(name) == ".html" for name in names):
        return _has_mark(on_disk(path, (min(names),)))
    if {"reports", "students"} <= names <= _WRITTEN:
        return any(_has_keys(each, _REPORT) for each in islice(path.glob("reports/*.json"), 1))
    if names and all(_RESULT.fullmatch(name) for name in names):
        return _has_keys(path / min(names), _REPORT)
    return 0 < len(names) < 20 and all(_is_output(path / name, outputs, levels - 1) for name in names)


def _without_output(top: Top, roster: Roster | None) -> Top:
    """The entries without archives of what this program wrote, which may lie next to what it graded, or with it."""
    others = [each for each in top.entries if not (each.platform or _is_known(each, roster))]
    folders = [each for each in others if each.folder and each.packed]
    archives = [each for each in others if each.inside and not each.folder]
    archives = [each for each in archives if not each.packed or stem(each.name) in _OF_STUDENTS]  # which are copied
    archives.sort(key=lambda entry: stem(entry.name) not in _OF_STUDENTS)
    ours = {each for each in (*folders, *archives[:MAX_OPENED]) if _is_ours(each)}
    aside = [f"{shown(each.name)} (written by this program)" for each in top.entries if each in ours]
    return replace(top, entries=[each for each in top.entries if each not in ours], aside=[*top.aside, *aside])


def _is_ours(entry: Entry) -> bool:
    """Whether an archive, or a folder in one, has only what this program writes."""
    try:
        within = [entry] if entry.folder else entry.inside().entries if entry.inside else []
        listed = [(each, file) for each in within for file in each.listing().files]
    except (NothingToGrade, OSError):
        return False
    files = {(each.name, *file.steps) if each.folder else (each.name,): file for each, file in listed}
    if not files or any(suffix(steps[-1]) in (".py", ".ipynb", *ARCHIVES) for steps in files):
        return False
    if stem(entry.name) in _OF_STUDENTS and all(suffix(steps[-1]) == ".html" for steps in files):
        return _has_mark(next(iter(files.values())))
    above = next((steps[:-1] for steps in files if steps[-1] == "class.json"), None)
    if above is None or any(steps[: len(above)] != above for steps in files):
        return False
    names = {steps[len(above)] for steps in files}
    try:
        written = _OF_A_CLASS <= names <= _WRITTEN | _EXPORTED
        found = json.loads(files[*above, "class.json"].read(_MAX_OUTPUT)) if written else None
    except (NothingToGrade, OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.keys() >= _CLASS


def _has_mark(page: File) -> bool:
    try:
        return _GENERATOR in page.read(_START)
    except (NothingToGrade, OSError):
        return False


def has_class(path: Path) -> bool:
    """Whether `autograder class` has written a class to this folder."""
    return _has_keys(path / "class.json", _CLASS)


def _has_keys(path: Path, keys: set[str]) -> bool:
    """Whether a file of the names that this program gives is its own: students may give them, too."""
    try:
        found = json.loads(path.read_bytes()) if path.stat().st_size <= _MAX_OUTPUT else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and keys <= found.keys()


def _in_zip(
    path: Path,
    stack: ExitStack,
    names: frozenset[str],
    file: File | None = None,
    listed: int = MAX_STUDENT_DIRECTORY,
) -> Top:
    """What is in a zip archive. Any may be a student's, but for the one that the command is run on."""
    try:
        packed = stack.enter_context(open_download(path, file, listed, names))
        top = _grouped(packed, stack, names)
        said = f"the names in `{shown(path.name)}` were read in the code page {packed.page}, as the roster has them"
        return replace(top, guessed=(said,)) if packed.page else top
    except PermissionError as error:
        raise CannotRead(f"{path} cannot be read: {error.strerror}") from error


def _grouped(packed: Iterable[Packed], stack: ExitStack, names: frozenset[str]) -> Top:
    """The entries at the top of an archive. Drives and ways up in their names are ignored, not what is below them."""
    folders: dict[str, list[Packed]] = {}
    loose: dict[str, list[File]] = {}
    hidden, given = dict[str, set[str]](), dict[str, None]()
    for each in packed:
        if not each.steps:
            continue
        top = each.steps[0]
        if is_junk(top):
            below = each.steps[1:]
            hidden.setdefault(top, set()).update([path_of(below[:-1])] if each.file and _is_code(below) else [])
        elif is_feedback(top):
            given[top] = None
        elif each.file is not None and len(each.steps) == 1:
            loose.setdefault(top, []).append(each.file)
        else:
            folders.setdefault(top, []).append(replace(each, steps=each.steps[1:]))

    def zipped(name: str, file: File) -> Callable[[], Top] | None:
        return cache(lambda: _in_zip(Path(name), stack, names, file)) if suffix(name) == ".zip" else None

    entries = [
        Entry(name, True, partial(_below, found), cache(partial(_grouped, found, stack, names)), packed=True)
        for name, found in folders.items()
    ]
    entries += [
        Entry(name, False, partial(Listing, found), zipped(name, found[0]), packed=True)
        for name, found in loose.items()
    ]
    aside = sorted(f"{shown(name)}{_holding(folders)}" for name, folders in hidden.items())
    return Top(_read_names(entries), [*aside, *_feedback([*given])])


def _read_names(entries: list[Entry]) -> list[Entry]:
    """The entries of one download, with what their names say."""
    said = platform_names([entry.name for entry in entries], {entry.name for entry in entries if entry.folder})
    return [replace(entry, named=said.get(entry.name)) for entry in entries]


def _below(packed: list[Packed]) -> Listing:
    """The files of a folder at the top, by their steps below it."""
    files = [replace(each.file, steps=each.steps, label=path_of(each.steps)) for each in packed if each.file]
    folders = tuple(each.steps for each in packed if each.steps and each.file is None)
    return Listing(sorted(files, key=lambda file: len(file.steps))[:MAX_FILES], len(files) > MAX_FILES, folders)


# --- a class that is packed within ---------------------------------------------------------------------------------


def _within(top: Top, packed_as: str, assignment: Assignment, roster: Roster | None) -> Top | None:
    """The class in what is alone at the top; None if that is a student's, or if the class is here.

    Several entries are looked into only if each of them holds a platform's names, or those that bear nobody's name if
    they hold what is of students of the roster: so an upload under a student's name has no row for somebody else.
    Documents next to them, such as a rubric, are of the staff.
    """
    students = [each for each in top.students if not (_is_document(each, roster) or (each.partial and not each.folder))]
    if top.gradescopes or not students:
        return None
    nobodys = documents_of_nobody(top.entries, roster)
    others = {*students, *nobodys}
    loose = [each for each in top.entries if each not in others]  # which may be somebody's
    top = replace(top, aside=[*top.aside, *(shown(each.name) for each in nobodys)])
    if course := _submitted_in_course(top):
        return course
    teams = [each for each in students if each.folder and each.name in _TEAMS]
    if _is_teams(teams):
        submitted = _submitted_in_teams(teams, top)
        rest = [each for each in students if each not in teams]
        return replace(submitted, entries=[*submitted.entries, *rest, *loose])
    drives = _packed_by_drive(students)
    unnamed = students if drives or roster is None else _unnamed(students, roster)
    alone = _is_one_download(students)
    found: dict[Entry, Top] = {}
    for each in unnamed or students:
        inside = _part(each, drives, assignment) if drives else _class_in(each, alone, packed_as, assignment, roster)
        if inside is not None:
            found[each] = inside
        elif drives or not unnamed or (roster is None and not alone):
            return None
    if alone and len(students) > 1 and not drives:
        found = _on_one_level(found, students, assignment, roster)
    exports = [each for each, inside in found.items() if inside.gradescopes]
    if roster and len(exports) < len(students):  # a student's archive may hold the files of an export
        found = {each: inside for each, inside in found.items() if each not in exports or is_export(each)}
    if roster and len(found) < len(students):
        found = {each: _said(each, inside) for each, inside in found.items() if _is_of(roster, inside)}
    if not found:
        return None
    _refuse_two_kinds(found)
    rest = [each for each in students if each not in found]
    entries = _told_apart([(_download(entry), inside) for entry, inside in found.items()], rest)
    entries = _as_one(entries) if drives else entries
    return Top(
        [*([replace(entry, download="") for entry in entries] if drives else entries), *rest, *loose],
        [*top.aside, *(name for each in found.values() for name in each.aside)],
        tuple(dict.fromkeys((*top.guessed, *(said for each in found.values() for said in each.guessed)))),
    )


def _submitted_in_course(top: Top) -> Top | None:
    """The folder `submitted` of an nbgrader course, which also has what was released and graded; None if it is none."""
    folders = {each.name: each.inside for each in top.entries if each.folder}
    submitted = folders.get(SUBMITTED)
    if submitted is None or not any(each.name == _COURSE and not each.folder for each in top.entries):
        return None
    inside = submitted()
    others = ", ".join(f"`{shown(each.name)}`" for each in top.entries if each.name != SUBMITTED)
    said = f"this is an nbgrader course: `{SUBMITTED}` was read as the class, without {others}"
    return replace(inside, aside=[*top.aside, *inside.aside], guessed=(*top.guessed, *inside.guessed, said))


def _is_one_download(entries: list[Entry]) -> bool:
    """Whether an entry is alone, or all are one download, packed or not: `hw3.zip`, `hw3`, `hw3 2`.

    What is unpacked is called as the archive, or as what is alone in it. `Group 1` and `Group 2` are no copies.
    """
    common = {same(_named(each)) for each in entries}
    for each in entries if len(common) > 1 else []:
        common = common & _originals(each) if common else common
    return bool(common)


def _originals(entry: Entry) -> set[str]:
    within = [] if entry.platform else _students_in(entry)
    return {_original(each) for each in (entry, *(within if len(within) == 1 else []))}


def _original(entry: Entry) -> str:
    """What an entry may have been called before it was packed, downloaded or unpacked once more."""
    return same(without_copy(_DRIVE.sub("", without_copy(_named(entry)))))


def _students_in(entry: Entry) -> list[Entry]:
    """The entries in one that may be students'; none if it cannot be opened."""
    try:
        return entry.inside().students if entry.inside else []
    except (NothingToGrade, OSError):
        return []


def _on_one_level(
    found: dict[Entry, Top], entries: list[Entry], assignment: Assignment, roster: Roster | None
) -> dict[Entry, Top]:
    """The class that is in several entries, packed in more folders in some of them; a part of it is no other class."""
    for _ in range(MAX_DEPTH):
        deeper = {
            each: further
            for each, inside in found.items()
            if len(inside.students) == 1 and (further := _class_in(inside.students[0], True, "", assignment, roster))
        }
        if len(deeper) in (0, len(found)):
            break
        found = found | deeper
    names = {each.name for inside in found.values() for each in inside.students}
    parts = [each for each in entries if each.inside and each not in found]
    parts = [each for each in parts if (there := {student.name for student in _students_in(each)}) and there <= names]
    return found | {each: each.inside() for each in parts if each.inside}


def _unnamed(students: list[Entry], roster: Roster) -> list[Entry]:
    """The entries that bear the name of nobody in the roster, if they are few: of many, each is somebody's."""
    found = of_nobody([each for each in students if each.inside and not each.platform], roster)
    return found if len(found) <= MAX_OPENED else []


def _is_of(roster: Roster, inside: Top) -> bool:
    """Whether a class may be that of the roster; whose Gradescope's folders are, their names do not say."""
    sure = any(match.people and not match.attention for match in _meant(inside.students, roster).values())
    return sure or inside.gradescopes


def _said(entry: Entry, inside: Top) -> Top:
    return replace(inside, guessed=tuple(dict.fromkeys((*inside.guessed, _READ.format(shown(entry.name))))))


def _refuse_two_kinds(found: dict[Entry, Top]) -> None:
    exports = [entry for entry, inside in found.items() if inside.gradescopes]
    others = [entry for entry in found if entry not in exports]
    if exports and others:
        raise NothingToGrade(
            f"`{shown(exports[0].name)}` is Gradescope's export, and `{shown(others[0].name)}` is from another "
            "platform: run the command on each"
        )


def _download(entry: Entry) -> str:
    """What a download is called that may be packed in another one, as folders of one name are in several archives."""
    return f"{entry.download}/{shown(entry.name)}" if entry.download else shown(entry.name)


def _told_apart(downloads: list[tuple[str, Top]], rest: list[Entry]) -> list[Entry]:
    """The entries of all downloads. Where several have an entry, the labels of its files name the download too.

    The `rest` is next to them.
    """

    def listing(entry: Entry, download: str) -> Listing:
        found = entry.listing()
        return replace(found, files=[replace(file, label=f"{file.label} (in {download})") for file in found.files])

    count = Counter(entry.name for top in (Top(rest, []), *(top for _, top in downloads)) for entry in top.entries)
    return [
        replace(
            entry,
            listing=partial(listing, entry, download) if count[entry.name] > 1 else entry.listing,
            download=download,
        )
        for download, top in downloads
        for entry in top.entries
    ]


def _class_in(
    entry: Entry, alone: bool, packed_as: str, assignment: Assignment, roster: Roster | None, depth: int = 0
) -> Top | None:
    """What is in a folder or a zip archive, if that is a class; None if it is one student's."""
    name = _named(entry)
    if entry.inside is None or entry.platform or depth > MAX_DEPTH or _is_known(entry, roster):
        return None
    try:
        inside = entry.inside()
    except (NothingToGrade, OSError):
        return None
    students = inside.students
    section = _is_section(entry, inside, assignment, roster)  # in which one file may lack a student's name
    if _has_module(inside, assignment) and not (alone and section):
        return None
    export = is_export(entry)
    if inside.gradescopes and (export or sum(SUBMISSION.fullmatch(each.name) is not None for each in students) > 1):
        return inside
    if sum(each.platform is not None for each in students) * 2 > len(students):
        return inside
    if not alone and section:
        return _said(entry, inside)
    if not alone:
        return _packed_again(inside, assignment, roster, depth)
    whole = entry.folder and packed_as and name in (packed_as, without_copy(_DRIVE.sub("", without_copy(packed_as))))
    if whole or export:
        return inside
    if _is_teams(students) or _submitted_in_course(inside):
        return inside
    if any(_is_known(each, roster) or _is_groups(each, roster) for each in students):
        return inside
    meant = _meant(students, roster).values() if roster else ()
    if len({who.id for match in meant for who in (*match.people, *match.claims)}) > 1:
        return inside
    if _is_students(inside, assignment):
        return None
    if len(students) == 1:
        return inside if _class_in(students[0], True, "", assignment, roster, depth + 1) else None
    archives = [each for each in students if not each.folder and suffix(each.name) in ARCHIVES]
    folders = [each for each in students if each.folder and not attempt(each.name)]
    if len(archives) + len(folders) < len(students):
        return None
    holding = islice((each for each in folders if _holds_module(each, assignment)), _SEVERAL)
    if len(archives) + len(list(holding)) < _SEVERAL:
        return None
    said = f"`{shown(entry.name)}`, alone at the top, was read as a class: each folder and archive in it as a student's"
    return replace(inside, guessed=(*inside.guessed, said))


def _is_section(entry: Entry, inside: Top, assignment: Assignment, roster: Roster | None) -> bool:
    """Whether most of what an entry holds is of several students of the roster, and the entry itself is nobody's."""
    if roster is None or any(each.name == assignment.kit for each in inside.students):
        return False
    meant = _meant(inside.students, roster).values()
    theirs = [match for match in meant if (match.people and not match.attention) or match.claims]
    several = len({who.id for match in theirs for who in (*match.people, *match.claims)}) > 1
    sure = any(match.people and not match.attention for match in theirs)
    sure &= not all(each.document for each in inside.students)  # comments on what they handed in
    return sure and several and 2 * len(theirs) > len(inside.students) and _whose(entry, roster) == Match()


def _is_teams(entries: list[Entry]) -> bool:
    """Whether these are the two folders that Teams keeps for a class."""
    return sorted(entry.name for entry in entries if entry.inside and entry.folder) == [*_TEAMS] and len(entries) == 2


def _submitted_in_teams(folders: list[Entry], top: Top) -> Top:
    """The submitted files of a class in Teams. Who has working files alone has handed in nothing that counts."""
    submitted, working = (each.inside() for each in sorted(folders, key=lambda each: each.name) if each.inside)

    def draft(entry: Entry) -> Listing:
        listing = entry.listing()
        said = f"is in `{_TEAMS[1]}`: it was not handed in"
        return replace(listing, files=[replace(file, trouble=file.trouble or said) for file in listing.files])

    drafts = {same(entry.name): entry for entry in working.entries if entry.folder}
    handed_in = [each for each in submitted.entries if same(each.name) not in drafts or _has_files(each)]
    there = {same(entry.name) for entry in handed_in}
    drafts = {name: entry for name, entry in drafts.items() if name not in there}
    return Top(
        [*handed_in, *(replace(each, listing=partial(draft, each), inside=None) for each in drafts.values())],
        [*top.aside, *submitted.aside],
        (*top.guessed, f"`{_TEAMS[0]}` was read as the class, without `{_TEAMS[1]}`"),
    )


def _has_files(entry: Entry) -> bool:
    listing = entry.listing()
    return bool(listing.files) or listing.cut


def _packed_again(inside: Top, assignment: Assignment, roster: Roster | None, depth: int) -> Top | None:
    """What is in the folder that is alone in one of several downloads, if that is a class."""
    if len(inside.students) != 1:
        return None
    deeper = _class_in(inside.students[0], False, "", assignment, roster, depth + 1)
    return replace(deeper, aside=[*inside.aside, *deeper.aside]) if deeper else None


def _packed_by_drive(students: list[Entry]) -> str:
    """What Google Drive calls the folder, or the selection, that it packed into these archives in parts; or nothing."""
    names = [without_copy(stem(entry.name)) for entry in students if suffix(entry.name) == ".zip"]
    folders = {_DRIVE.sub("", name) for name in names if _DRIVE.search(name)}
    if len(names) < len(students) or len(folders) != 1:
        return ""
    (folder,) = folders
    return folder if len(names) > 1 or folder == _SELECTED else ""


def _part(entry: Entry, folder: str, assignment: Assignment) -> Top | None:
    """What one of these archives has of the folder; None if there is anything else in it."""
    try:
        inside = entry.inside() if entry.inside else None
        if inside is None:
            return None
        if folder == _SELECTED:
            return None if _has_module(inside, assignment) else inside
        (there,) = inside.students
        return there.inside() if there.inside and there.folder and there.name == folder else None
    except (NothingToGrade, OSError, ValueError):
        return None


def _as_one(entries: list[Entry]) -> list[Entry]:
    """The entries of all parts that Google Drive packed: a folder in several of them is one, with what each has."""
    by_name: dict[str, list[Entry]] = {}
    for entry in entries:
        by_name.setdefault(entry.name if entry.folder and entry.inside else "", []).append(entry)
    loose = by_name.pop("", [])
    return [*loose, *(parts[0] if len(parts) == 1 else _joined(parts) for parts in by_name.values())]


def _joined(parts: list[Entry]) -> Entry:
    def listing() -> Listing:
        found = [part.listing() for part in parts]
        files = sorted((file for each in found for file in each.files), key=lambda file: len(file.steps))
        folders = tuple(steps for each in found for steps in each.folders)
        return Listing(files[:MAX_FILES], len(files) > MAX_FILES or any(each.cut for each in found), folders)

    def inside() -> Top:
        tops = [part.inside() for part in parts if part.inside]
        entries = [replace(each, named=None) for top in tops for each in top.entries]
        return Top(_read_names(_as_one(entries)), [name for top in tops for name in top.aside])

    return replace(parts[0], listing=listing, inside=cache(inside))


def may_be_class(entry: Entry, top: Top, assignment: Assignment, roster: Roster | None) -> bool:
    """Whether an entry that was read as a student's may hold a class: it would be one if it were alone, or is alone."""
    if entry.platform or _is_known(entry, roster):
        return False
    alone = sum(not _is_document(each, roster) for each in top.students) == 1
    if entry.inside is None:
        return alone and suffix(entry.name) in (*ARCHIVES, *UNREAD)
    return alone or _class_in(entry, True, "", assignment, roster) is not None


def is_export(entry: Entry) -> bool:
    """Whether this has the name that Gradescope gives to an export."""
    return _EXPORT.fullmatch(without_copy(_named(entry))) is not None


def students_within(entry: Entry, assignment: Assignment, roster: Roster) -> dict[Student, bool]:
    """Who in the roster may have handed in something that is in an entry, by the names at its top.

    What is alone there is looked into. Each is given with whether that may hold code.
    """
    named, students = list[Entry](), [entry]
    for _ in range(MAX_DEPTH):
        if len(students) != 1 or students[0].platform or students[0].inside is None:
            break
        try:
            students = students[0].inside().students
        except (NothingToGrade, OSError):
            break
        named += [each for each in students if not alike(each.name, assignment.module)]
    documents = {_known(each).student for each in named if each.document}
    found: dict[Student, bool] = {}
    for student, match in _meant(named, roster).items():
        for who in (*match.people, *match.claims):
            found[who] = found.get(who, False) or student not in documents
    return found


def names_within(entry: Entry, assignment: Assignment) -> set[str]:
    """The names in an entry that may be students': of folders with code, archives and modules, without the module's."""
    try:
        files = entry.listing().files if entry.folder else []
    except (NothingToGrade, OSError):
        files = []
    code = [file for file in files if suffix(file.name) in (".py", ".ipynb", *ARCHIVES) and not file.junk]
    names = {step for file in code for step in (*file.steps[:-1], stem(file.name))}
    packed = [] if entry.folder else _students_in(entry)
    for _ in range(MAX_DEPTH):
        names |= {_named(each) for each in packed}
        packed = _students_in(packed[0]) if len(packed) == 1 else []
    return {name.replace(stem(assignment.module), "").strip("-_ .") for name in names}


def like_class(entry: Entry, assignment: Assignment) -> bool:
    """Whether an entry, or what is alone in it, holds several folders or archives, or is a tar archive."""
    for _ in range(MAX_DEPTH):
        if _several(entry, assignment):
            return True
        try:
            students = entry.inside().students if entry.inside else []
        except (NothingToGrade, OSError):
            return False
        if len(students) != 1 or students[0].name == assignment.kit:
            break
        entry = students[0]
    return entry.inside is None and suffix(entry.name) in ARCHIVES


def may_be_sections(top: Top, assignment: Assignment, roster: Roster | None) -> bool:
    """Whether all entries may hold a class each: each has several folders or archives, which no other one has.

    What students have in theirs, such as `code` and `data`, has the same name in more than one of many.
    """
    seen = set[str]()
    for entry in top.students:
        names = set() if entry.platform or _is_known(entry, roster) else _several(entry, assignment)
        if not names or seen & names:
            return False
        seen |= names
    return len(top.students) > 1


def _several(entry: Entry, assignment: Assignment) -> set[str]:
    """The names of the folders and archives in an entry, if there are several, nothing else, and no attempts."""
    try:
        inside = entry.inside() if entry.inside else Top([], [])
    except (NothingToGrade, OSError):
        return set()
    within = inside.students
    if len(within) < 2 or not all(each.folder or suffix(each.name) in ARCHIVES for each in within):
        return set()
    names = {each.name if each.folder else stem(each.name) for each in within}
    return set() if _is_students(inside, assignment) or any(map(attempt, names)) else names


def _is_students(inside: Top, assignment: Assignment) -> bool:
    """Whether this is in a student's folder: nbgrader's, with assignments, or Submitty's, with versions."""
    return any(each.name in (assignment.kit, SETTINGS) for each in inside.entries)


def _is_document(entry: Entry, roster: Roster | None) -> bool:
    return entry.document and not _is_known(entry, roster)


def is_environment(entry: Entry, assignment: Assignment, roster: Roster | None) -> bool:
    """Whether this is a folder in which a program keeps packages, and neither a student's nor with a module in it."""
    if not entry.folder or entry.platform or _is_known(entry, roster):
        return False
    try:
        files = [file for file in entry.listing().files if PACKAGES.isdisjoint(file.steps)]
    except (NothingToGrade, OSError):
        return False
    made = entry.name in PACKAGES or any(file.steps == (ENVIRONMENT,) for file in files)
    return made and not any(alike(file.name, assignment.module) for file in files)


def documents_of_nobody(entries: list[Entry], roster: Roster | None) -> list[Entry]:
    """The loose documents that bear the id or the name of nobody in the roster."""
    documents = [each for each in entries if not each.staffs and _is_document(each, roster)]
    return of_nobody(documents, roster) if roster else documents


def of_nobody(entries: list[Entry], roster: Roster) -> list[Entry]:
    """Those that bear the id or the name of nobody in the roster."""
    whose = _meant(entries, roster)
    return [each for each in entries if whose.get(_known(each).student) == Match()]


def _whose(entry: Entry, roster: Roster) -> Match:
    return matched([_known(entry)], roster)[_known(entry).student]


def _meant(entries: list[Entry], roster: Roster) -> dict[str, Match]:
    """Whom in the roster the names of these entries mean; of very many, the first."""
    known = {each.student: each for each in map(_known, entries[:MAX_ARCHIVE_ENTRIES])}
    return matched([*known.values()], roster)


def _named(entry: Entry) -> str:
    return entry.name if entry.folder else stem(entry.name)


def _known(entry: Entry) -> Known:
    if said := entry.platform:
        return Known(said.student, said.name, said.keys, "_" if "login" in said.keys else "")
    name = _named(entry)
    return Known(name, name, {"id": name}, "-" if entry.folder else "")


def _is_known(entry: Entry, roster: Roster | None) -> bool:
    """Whether it has the id or the name of a student of the roster."""
    name = _named(entry)
    return roster is not None and (
        roster.find(name) is not None or len(roster.named(name)) == 1 or roster.held(name) is not None
    )


def _is_groups(entry: Entry, roster: Roster | None) -> bool:
    """Whether it has the name of a group of the roster, which an id may follow: `Group 1(3f2b)`."""
    name = _named(entry)
    return roster is not None and not roster.groups.isdisjoint((same(name), same(without_id(name))))


def _has_module(top: Top, assignment: Assignment) -> bool:
    return any(not each.folder and alike(each.name, assignment.module) for each in top.students)


def _holds_module(entry: Entry, assignment: Assignment) -> bool:
    """Whether a folder holds the module, or an archive, which may hold it."""
    return any(
        not file.junk and (alike(name, assignment.module) or suffix(name) in ARCHIVES)
        for file in entry.listing().files
        for name in (file.name, *(undated(file.name) or ())[:1])
    )
