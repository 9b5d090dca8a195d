"""What students handed in, into `submitted`: by nbgrader's exchange, or by a learning platform's download.

Nothing is followed, one student's upload costs nobody else's, and what was left out or guessed is noted with it.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from filecmp import cmp
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.exchange.default import ExchangeCollect
from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
from traitlets import List, Unicode

from autograder.assignment import Assignment, load
from autograder.platforms.nbgrader.attempts import Attempt, students_own, time_of
from autograder.platforms.nbgrader.dates import as_nbgrader
from autograder.platforms.nbgrader.files import MAX_STAMP, SECRET, TIMESTAMP, complete, is_secret, read
from autograder.platforms.nbgrader.roster import course_roster, enroll, facts_of, folder_name, is_id, is_name
from autograder.report.model import clean
from autograder.report.summary import few
from autograder.submissions.files import (
    MAX_DEPTH,
    MAX_FILES,
    MAX_STUDENT_DIRECTORY,
    CannotRead,
    File,
    Listing,
    NobodyThere,
    NothingToGrade,
    in_archive,
    in_folder,
    open_download,
    room_to_unpack,
)
from autograder.submissions.find import COLLECTED, NO_MODULE
from autograder.submissions.layouts import Submitted, Upload, read_upload
from autograder.submissions.matching import Known, Match, matched
from autograder.submissions.names import ARCHIVES, alike, is_junk, path_of, platform_name, shown, stem, suffix
from autograder.submissions.roster import Roster, RosterError
from autograder.submissions.top import METADATA, SUBMISSION

MAX_NOTEBOOK = 128 << 20
MAX_NOTEBOOKS = 8  # that are taken from one submission

# Why one file of a submission cannot lie in a folder, though others can.
_NO_PLACE = (errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR)

_NOBODY = "no student's id is empty, hidden or long, or has letters that nobody sees or that stand for others"

# --- nbgrader's exchange ------------------------------------------------------------------------------------------


class Collect(ExchangeCollect):
    """`nbgrader collect`: copies files that are the student's own, and goes on where one submission cannot be copied.

    Everyone may write into the exchange: a folder there can hold links to anybody's files, and have any name.
    """

    assignments = List(Unicode(), help="The assignments of the course, by name or folder.").tag(config=True)

    def _path_to_record(self, path: str) -> dict[str, Any]:
        attempt = Attempt(Path(path), self.coursedir.assignment_id)
        for doubt in attempt.doubts:
            self.log.error("%s: %s", shown(attempt.path.name), doubt)
        when = as_nbgrader(attempt.rank) if attempt.rank else datetime.min
        return {"username": attempt.student, "filename": attempt.path.name, "timestamp": when, "attempt": attempt}

    def _sort_by_timestamp(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The last one first, of those that count for one student."""
        attempts = [record["attempt"] for record in records]
        own = students_own(attempts) if self.check_owner else [each for each in attempts if each.facts] or attempts
        records = [record for record in records if any(record["attempt"] is each for each in own)]
        return sorted(records, key=lambda record: record["timestamp"], reverse=True)

    def copy_files(self) -> None:
        course = Path(self.coursedir.root)
        roster = _roster(course, self.fail)
        self._failed: list[str] = []
        self._attempts: dict[str, Attempt] = {}
        inbound, usable = Path(self.inbound_path), list[dict[str, Any]]()
        for record in self.src_records:
            path, student = inbound / record["filename"], record["username"]
            if not is_id(student) or clean(student) != student:
                self._failed.append(f"{inbound / shown(path.name)} names nobody: {_NOBODY}")
            elif record["attempt"].facts:
                usable.append(record)
                self._attempts[path.name] = record["attempt"]
            else:
                self._failed.append(f"{inbound / shown(path.name)} is a link or no folder")
        self.src_records: list[dict[str, Any]] = usable
        self.check_owner = False  # that was done; nbgrader would look again, at what has the name now
        super().copy_files()
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            if roster:
                enroll(gradebook, roster)
        for assignment in map(load, self.assignments):
            complete(course, assignment)
        if self._failed:
            self.fail("Everyone was collected but these: " + "; ".join(self._failed))

    def do_copy(self, src: str, dest: str, log: object = None) -> None:
        """Copy the regular files of one submission. Whatever fails is told when everyone has been collected."""
        attempt, to = self._attempts[Path(src).name], Path(dest)
        notes = [*attempt.doubts]
        try:
            with attempt.opened() as folder:
                to.mkdir(parents=True)
                when, doubts = self._copy(folder, to, attempt, notes)
            notes[:0] = doubts
            if when:
                (to / TIMESTAMP).write_text(f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC")
            write_notes(to, few(notes))
        except (OSError, NothingToGrade) as error:
            self._failed.append(f"{attempt.path.parent / shown(attempt.path.name)} cannot be copied: {error}")
            shutil.rmtree(to, ignore_errors=True)
        for note in few(notes):
            self.log.warning("%s: %s", shown(attempt.path.name), note)

    def _copy(self, folder: int, to: Path, attempt: Attempt, notes: list[str]) -> tuple[datetime | None, list[str]]:
        """Copy what is below the folder, a descriptor; when that was handed in, and what is doubtful about the time.

        What is left out or renamed is added to the notes.
        """
        course, stamp = self.coursedir, None
        left, changed = course.max_dir_size * 1000, 0.0
        listing = in_folder(folder)
        if listing.cut:
            notes.append(f"what is below {MAX_DEPTH} levels of folders or after {MAX_FILES} files was left out")
        for file in listing.files:
            if file.denied:
                raise CannotRead(f"{file.label} {file.trouble}")
            if any(fnmatch(step, each) for step in file.steps for each in course.ignore) or file.name == COLLECTED:
                continue
            try:
                with _opened(file, attempt.owner, min(course.max_file_size * 1000, left)) as (opened, facts):
                    changed = max(changed, facts.st_ctime)
                    if file.steps == (TIMESTAMP,):
                        stamp = opened.read(MAX_STAMP)
                    elif file.steps == (SECRET,):
                        _keep_secret(opened, to)
                    else:
                        left -= copied(opened, _place_for(file, to, notes), facts.st_size)
            except CannotRead:
                raise
            except NothingToGrade as error:
                notes.append(f"{error}: it was left out")
            except OSError as error:
                if error.errno not in _NO_PLACE:
                    raise
                notes.append(f"`{file.label}` has no place next to the others ({error.strerror}): it was left out")
        return time_of(attempt, stamp, changed)


@contextmanager
def _opened(file: File, owner: int | None, most: int) -> Iterator[tuple[File, os.stat_result]]:
    """A file of the exchange while it is open, and what is known of that. NothingToGrade if it is not to be taken."""
    if file.trouble:
        raise NothingToGrade(f"`{file.label}` {file.trouble}")
    try:
        content = file.open()
    except OSError as error:
        raise CannotRead(f"{file.label} cannot be read: {error.strerror}") from error
    with content:
        facts = os.fstat(content.fileno())
        if facts.st_nlink > 1 and facts.st_uid != owner:
            raise NothingToGrade(f"`{file.label}` is a hard link to a file of somebody else's")
        if facts.st_size > most:
            raise NothingToGrade(f"`{file.label}` takes {facts.st_size >> 20} MiB, more than there may be")
        yield replace(file, open=lambda: content), facts


def _keep_secret(file: File, to: Path) -> None:
    if not is_secret(secret := file.read(MAX_STAMP)):
        raise NothingToGrade(f"`{file.label}` is not nbgrader's, so its fetch_feedback finds nothing")
    (to / SECRET).write_bytes(secret)


def _place_for(file: File, to: Path, notes: list[str]) -> Path:
    """Where a file of the exchange goes: no folder gets a name by which nbgrader or the grader looks for a file."""
    above = [
        f"{step}_" if _is_notebook(step) or step in (COLLECTED, TIMESTAMP, SECRET) else step for step in file.steps
    ]
    path = to.joinpath(*above[:-1], file.name)
    if _is_notebook(file.name):
        path, _ = _place(path.parent, file.name)
    if path.relative_to(to).parts != file.steps:
        notes.append(f"`{file.label}` was taken as `{path_of(path.relative_to(to).parts)}`")
    return path


def _roster(course: Path, fail: Callable[[str], object]) -> Roster | None:
    """The course's roster, if there is one; where it cannot be read, `fail` ends the command."""
    try:
        return course_roster(course)
    except RosterError as error:
        fail(str(error))
        return None


def copied(file: File, to: Path, most: int) -> int:
    """Copy a file of an upload; how many bytes there were."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with to.open("xb") as target:
        return file.copy(target, most)


def write_notes(folder: Path, notes: list[str]) -> None:
    """Note with a submission what a TA should know of where it comes from."""
    if notes:
        (folder / COLLECTED).write_text("".join(f"{' '.join(note.split())}\n" for note in notes), "utf-8")


def _is_notebook(name: str) -> bool:
    return ".ipynb" in name.lower()


def _place(folder: Path, name: str) -> tuple[Path, list[Path]]:
    """Where a notebook called so goes, and those that are called so already; a name that nbgrader cannot take is ours.

    The folder need not be there.
    """
    name = name if is_name(name) else "notebook.ipynb"
    path, there = folder / name, list[Path]()
    while path.exists():
        there.append(path)
        path = folder / f"{len(there) + 1}-{name}"
    return path, there


# --- downloads from a learning platform ---------------------------------------------------------------------------


class _Uploaded:
    """What of each student's files is taken next to the module: the notebooks."""

    def __init__(self, to: Path, assignment: Assignment) -> None:
        self._to, self._assignment = to, assignment
        self.notes: dict[str, list[str]] = {}  # by student
        self.numbers: dict[str, int] = {}  # the highest of a student's files, on platforms that number them
        self._left = 0  # bytes that may still be copied of this student's, what is not kept included

    def folder(self, student: str) -> Path:
        return self._to / folder_name(student)

    def take(self, student: str, listing: Listing) -> None:
        """Take over what is one student's. CannotRead if anything fails while it is taken."""
        try:
            self._take_all(self.folder(student), student, listing)
        except (OSError, ValueError) as error:
            raise CannotRead(f"what was handed in cannot be copied: {error}") from error

    def _take_all(self, folder: Path, student: str, listing: Listing) -> None:
        folder.mkdir(parents=True)
        if numbers := [file.version for file in listing.files if file.version is not None]:
            self.numbers[student] = max(numbers)
        notes = self.notes[student] = []
        self._left = MAX_NOTEBOOKS * MAX_NOTEBOOK
        self._take(listing, folder, notes)
        room = room_to_unpack()
        for archive in [file for file in listing.files if suffix(file.name) in ARCHIVES][:MAX_NOTEBOOKS]:
            try:
                with in_archive(archive, room) as inside:
                    self._take(inside, folder, notes)
            except NothingToGrade as error:
                notes.append(str(error))

    def _take(self, listing: Listing, folder: Path, notes: list[str]) -> None:
        ours = {Path(self._assignment.notebook).name, *self._assignment.kit_files, TIMESTAMP}
        others = []
        # Of a file that was handed in again, the last keeps its name.
        for file in sorted(listing.files, key=lambda file: -(file.version or 0)):
            if file.junk or file.trouble or suffix(file.name) in ARCHIVES:
                continue
            if _is_notebook(file.name):
                self._keep(file, folder, notes)
            elif (
                suffix(file.name) != ".py"
                and not alike(file.name, self._assignment.module)  # of these, the notes tell which was graded
                and file.name not in ours
                and self._assignment.data_folder not in file.steps
            ):
                others.append(f"`{file.label}`")
        if others:
            notes.append(f"also handed in, and not taken over: {', '.join(others[:5])}{' …' if others[5:] else ''}")

    def _keep(self, file: File, folder: Path, notes: list[str]) -> None:
        to, there = _place(folder, file.name)
        if len(list(folder.iterdir())) >= MAX_NOTEBOOKS:
            notes.append(f"`{file.label}` was left out: {MAX_NOTEBOOKS} notebooks were taken before it")
            return
        if self._left <= 0:
            notes.append(f"`{file.label}` was left out: the notebooks before it are too large")
            return
        try:
            if copied(file, to, MAX_NOTEBOOK + 1) > MAX_NOTEBOOK:
                notes.append(f"`{file.label}` is larger than {MAX_NOTEBOOK >> 20} MiB and was left out")
            elif not any(cmp(to, each, shallow=False) for each in there):
                if to.name != file.name:
                    other = f", next to another {shown(there[0].name)}" if there else ""
                    notes.append(f"`{file.label}` was taken as `{shown(to.name)}`{other}")
                return
        except (NothingToGrade, OSError) as error:
            notes.append(str(error))
        finally:
            self._left -= to.stat().st_size if to.exists() else 0
        to.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Taken:
    """What one download has of a student.

    Attributes:
        row: what was read.
        download: the name of the file or folder.
        uploaded: what was taken from it.
        notes: what a TA should know of where it comes from.
    """

    row: Submitted
    download: str
    uploaded: _Uploaded
    notes: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return self.uploaded.folder(self.row.student)

    def later_than(self, other: _Taken) -> float | None:
        """Positive if this was handed in later, 0 if both are of one time; None if nothing says so.

        Canvas numbers all files in the order of upload; other platforms give times.
        """
        number, before = (each.uploaded.numbers.get(each.row.student) for each in (self, other))
        if number is not None and before is not None:
            return number - before
        if self.row.handed_in and other.row.handed_in:
            return (self.row.handed_in - other.row.handed_in).total_seconds()
        return None

    def same_as(self, other: _Taken) -> bool:
        """Whether both have the same module and the same notebooks."""
        names, others = (
            sorted(path.name for path in each.folder.iterdir()) if each.folder.exists() else []
            for each in (self, other)
        )
        same = self.row.source == other.row.source and names == others
        return same and all(cmp(self.folder / name, other.folder / name, shallow=False) for name in names)


class Downloads(ExtractorPlugin):
    """`nbgrader zip_collect`: reads the downloads in `archive` as `autograder class` does, whatever their layout.

    `extracted` then holds a folder for each student, with the module and the notebooks under their right names. With a
    roster in the course folder, students have its ids and names, and those who handed in nothing are enrolled too.
    """

    assignments = List(Unicode(), help="The assignments of the course, by name or folder.").tag(config=True)

    def extract(self, archive_path: str, extracted_path: str) -> None:
        archive, extracted = Path(archive_path), Path(extracted_path)
        course = self.parent.coursedir
        assignment = next((each for each in map(load, self.assignments) if each.kit == course.assignment_id), None)
        if assignment is None:
            raise SystemExit(f"the assignment {course.assignment_id!r} is none that nbgrader_config.py names")
        roster = _roster(Path(course.root), self.parent.fail)
        with tempfile.TemporaryDirectory() as temporary:
            taken, failed = self._taken(archive, Path(temporary), assignment, roster)
            for each in taken.values():
                if not each.row.nothing:
                    self._lay_out(each, assignment, extracted)
        rows = [each.row for each in taken.values()]
        with Gradebook(course.db_url, course.course_id) as gradebook:
            if roster:
                enroll(gradebook, roster)
            for row in rows:
                if row.unlisted or not roster:
                    gradebook.update_or_create_student(folder_name(row.student), **_facts(row))
        self._count(rows, roster)
        if failed:
            self.parent.fail("Everyone was collected but those in these: " + "; ".join(failed))

    def _taken(
        self, archive: Path, temporary: Path, assignment: Assignment, roster: Roster | None
    ) -> tuple[dict[str, _Taken], list[str]]:
        """What each student handed in last, by id, and what could not be read; the notebooks lie in `temporary`.

        Next to the archive of a class may lie what is nobody's.
        """
        taken: dict[str, _Taken] = {}
        nobodys, failed = list[str](), list[str]()
        for number, download in enumerate(_downloads(archive, temporary / "loose", roster)):
            uploaded = _Uploaded(temporary / str(number), assignment)
            try:
                upload = read_upload(download, assignment, roster, visit=uploaded.take, stamps=False)
            except NobodyThere as error:
                nobodys.append(str(error).replace(str(temporary / "loose"), str(archive)))
                continue
            except NothingToGrade as error:
                failed.append(f"{download}: {error}")
                continue
            self._tell(upload, download)
            for row in upload.submitted:
                new, old = _Taken(row, download.name, uploaded), taken.get(row.student)
                if old is None or old.row.nothing:
                    taken[row.student] = new
                elif not row.nothing:
                    taken[row.student] = self._last(old, new)
        if not taken and (nobodys or failed):
            self.parent.fail("; ".join([*nobodys, *failed]))
        for said in nobodys:
            self.log.warning("%s", said)
        return taken, failed

    def _last(self, old: _Taken, new: _Taken) -> _Taken:
        """Which of two downloads has what a student handed in last; `new` is of the file that is newer on disk.

        Where nothing else decides, a module is not given up for what cannot be read, or may be somebody else's.
        """
        later = new.later_than(old)
        if later == 0 or (later is None and old.same_as(new)):
            return new
        lost = later is None and new.row.unreadable and old.row.source is not None
        last, first = (old, new) if lost or (later is not None and later < 0) else (new, old)
        said = f"is in {first.download} and in {last.download}: what is in {last.download} counts"
        if lost:
            said += f", the older file on disk, since nothing can be taken from the newer one: {new.row.reason}"
        elif later is None:
            said += ", the newer file on disk, since nothing else says which came last"
        if later is None:
            last = replace(last, notes=(f"{last.row.shown} {said}",))
        if last.row.source is None and first.row.source is not None:
            last = replace(last, notes=(*last.notes, f"{first.download} has an earlier attempt with a module"))
        self.log.warning("%s %s", last.row.shown, said)
        return last

    def _lay_out(self, taken: _Taken, assignment: Assignment, extracted: Path) -> None:
        """One student's folder in `extracted`."""
        row = taken.row
        if row.unreadable:
            self.log.error("%s cannot be collected: %s", row.shown, row.reason)
            return
        folder = extracted / folder_name(row.student)
        shutil.rmtree(folder, ignore_errors=True)
        if taken.folder.exists():
            shutil.move(taken.folder, folder)
        folder.mkdir(parents=True, exist_ok=True)
        notes = [*taken.notes, *row.notes, *row.attention, *few(taken.uploaded.notes.get(row.student, ()))]
        if row.source is None:
            notes.insert(0, NO_MODULE + row.reason)
        else:
            (folder / assignment.module).write_bytes(row.source)
        there = Path(self.parent.coursedir.format_path("submitted", folder.name, assignment.kit))
        if row.handed_in:
            (folder / TIMESTAMP).write_text(f"{row.handed_in.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC")
        elif (kept := _kept_time(there, assignment, row.source)) is not None:
            (folder / TIMESTAMP).write_bytes(kept)
        elif row.late:
            notes.append(f"the platform marks this as late but gives no time: write when it came into {TIMESTAMP}")
        write_notes(folder, notes)
        for note in notes:
            self.log.warning("%s: %s", row.shown, note)

    def _tell(self, upload: Upload, download: Path) -> None:
        for aside in upload.aside:
            self.log.warning("%s: left aside, since it is nobody's: %s", download.name, aside)
        for warning in upload.warnings:
            self.log.warning("%s: %s", download.name, warning)

    def _count(self, rows: list[Submitted], roster: Roster | None) -> None:
        """Say what became of everyone, in figures that add up."""
        ends = Counter(
            "handed in nothing"
            if row.nothing
            else "could not be read"
            if row.unreadable
            else "without a module"
            if row.source is None
            else "with a module"
            for row in rows
        )
        unlisted = sum(row.unlisted for row in rows)
        of = f"{len(rows) - unlisted} in the roster and {unlisted} besides" if roster else f"{len(rows)} students"
        self.log.info("%s: %s", of, ", ".join(f"{count} {end}" for end, count in ends.items()))


class ByFolder(FileNameCollectorPlugin):
    """Takes what `Downloads` has laid out: a folder for each student."""

    def collect(self, submitted_file: str) -> dict[str, str] | None:
        path = Path(submitted_file)
        return {"student_id": path.parent.name, "file_id": path.name}


def _downloads(archive: Path, loose: Path, roster: Roster | None) -> list[Path]:
    """What lies in the folder `archive`, each as one upload of a class: the archives of a class, the oldest first, and
    the rest together, copied to `loose` where there are both."""
    entries = [path for path in sorted(archive.iterdir()) if not is_junk(path.name)]
    zips = [path for path in entries if suffix(path.name) == ".zip" and not path.is_symlink()]
    classes = [path for path in zips if not platform_name(path.name) and (len(entries) == 1 or _is_class(path, roster))]
    classes.sort(key=lambda path: path.stat().st_mtime)
    if len(classes) == len(entries):
        return classes
    if not classes:
        return [archive]
    skipped = {path.name for path in classes}
    shutil.copytree(archive, loose, symlinks=True, ignore=lambda folder, names: skipped & {*names})
    return [*classes, loose]


def _is_class(path: Path, roster: Roster | None) -> bool:
    """Whether most of what an archive holds is several students' by a platform's names, and its own name is nobody's.

    So no student's archive is taken for a class because of one file in it.
    """
    whose = Known(stem(path.name), stem(path.name), {"id": stem(path.name)})
    if roster and matched([whose], roster)[whose.student] != Match():
        return False
    try:
        with open_download(path, listed=MAX_STUDENT_DIRECTORY) as packed:
            steps = {entry.steps for entry in packed}
    except (NothingToGrade, OSError):
        return False
    names = {each[0] for each in steps}
    if len(names) == 1 and not any(map(platform_name, names)):  # a folder with all of them
        names = {each[1] for each in steps if len(each) > 1}
    if METADATA in names:
        return sum(SUBMISSION.fullmatch(name) is not None for name in names) > 1
    return 2 * sum(platform_name(name) is not None for name in names) > len(names)


def _kept_time(there: Path, assignment: Assignment, source: bytes | None) -> bytes | None:
    """The timestamp.txt of this module as it was collected before: somebody may have written it by hand."""
    try:
        if source is not None and read(there / assignment.module, len(source) + 1) == source:
            return read(there / TIMESTAMP, MAX_STAMP)
    except NothingToGrade:
        pass
    return None


def _facts(row: Submitted) -> dict[str, str]:
    return facts_of(row.name or row.student, row.keys)
