"""Find the one module in a file, a folder or an archive.

The module is the first of these in which something is written; between equal candidates, none is chosen:

1. the file with exactly the assignment's name, nearest to the top;
2. a file whose name differs only by case, separators, a copy's number or `.txt` (`names.alike`);
3. the same in an archive next to it;
4. the only Python file that defines what the assignment asks for, under any name, then the same in an archive.

If nothing is written in any, it is the first. Notes report guesses, and other candidates that were not graded. For the
staff to look at: a candidate with other code than the module, what has code that the module lacks, and what may be or
hold the module and cannot be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from autograder.assignment import Assignment
from autograder.report.summary import few, some_of
from autograder.sandbox.limits import LIMITS
from autograder.submissions import bounds
from autograder.submissions.copied import is_untouched, same_code
from autograder.submissions.files import (
    MAX_ARCHIVE_ENTRIES,
    MAX_DEPTH,
    MAX_FILES,
    CannotRead,
    File,
    Listing,
    NothingToGrade,
    in_archive,
    in_folder,
    is_archive,
    on_disk,
    room_to_unpack,
)
from autograder.submissions.names import (
    ARCHIVES,
    ATTEMPT,
    LONGEST,
    UNREAD,
    alike,
    path_of,
    shown,
    stem,
    suffix,
    without_copy,
)
from autograder.submissions.spelling import squeezed
from autograder.submissions.traces import (
    MAX_NOTEBOOKS,
    Room,
    beyond,
    cells_that_write,
    changing,
    defining,
    interface,
    not_the_source,
    of_the_module,
    with_code,
    written,
)

__all__ = ["MAX_ARCHIVE_ENTRIES", "CannotRead", "Found", "NothingToGrade", "choose", "find_module"]

MAX_ARCHIVES = 8  # opened in one submission
MAX_PYTHON = 20  # files searched in one submission
COLLECTED = "collected.txt"  # what a collector says of a submission: a line for each note
NO_MODULE = "No module: "  # how the line begins that says why there is none
MAX_NOTES = 20_000  # bytes of it
_NUMBERED = rf"(?P<word>{ATTEMPT}|submission|version|revision|try|draft|take|v)[-_ ]?(?P<number>\d{{1,18}})"
_ATTEMPT = re.compile(rf"{_NUMBERED}(?: - (?:on time|late))?", re.IGNORECASE)
_WITHIN = re.compile(rf"(?<![^\W_]){_NUMBERED}(?!\d)", re.IGNORECASE)  # of a name
# The year first; without separators it needs a time, since students' numbers may begin with a year.
_DATE = re.compile(
    r"(?<!\d)(?<!\d[-_.]\d[-_.])(?<!\d[-_.]\d\d[-_.])(?P<year>\d{4})"  # behind day and month, a time may follow
    r"(?:(?P<between>[-_.])(?P<month>\d\d)(?P=between)(?P<day>\d\d)|(?P<compact>\d{4})(?=[T _-]\d\d|\d{6}(?!\d)))"
    r"(?:(?:[T _-]|(?<=\d{8})(?=\d{6}(?!\d)))(?P<hour>\d\d)[-_.:h]?(?P<minute>\d\d)(?:[-_.:]?(?P<second>\d\d))?"
    r"(?P<zone>Z?))?(?!\d)",
    re.ASCII,
)
# The day first, or the month, as is certain from the 13th on, or where there are points: `30.11.2026 23_43`.
_DAY_FIRST = re.compile(
    r"(?<!\d)(?P<first>\d{1,2})(?P<between>[-_.])(?P<second>\d{1,2})(?P=between)(?P<year>\d{4})"
    r"(?:[T _-]+(?P<hour>\d{1,2})[-_.:h](?P<minute>\d\d)(?:[-_.:](?P<seconds>\d\d))?(?: ?(?P<noon>[AP]M))?)?(?!\d)",
    re.ASCII | re.IGNORECASE,
)
_COUNTED = re.compile(r"\d{1,3}|1\d{9}(?:\d{3})?", re.ASCII)  # attempts; or seconds or milliseconds since 1970
_COPIED = re.compile(r"(?P<name>.*?)[ _]*\((?P<number>\d{1,4})\)", re.DOTALL)  # a file of which there was one already
ELSEWHERE = "is in another assignment's folder"  # the trouble of a file that is not handed in for this one
_NOT_SEARCHED = "`{}` was graded, but what lies next to it is too large to be searched whole"
_NOT_IN_TIME = "`{}` was graded, but what lies next to it takes too long to be searched whole"
_LISTED = 5
_ATTEMPT_DEPTH = 3  # folders above those of attempts
_ONE_FILE = (".gz", ".bz2", ".xz", ".zst", ".lzma")  # data more often than modules
PACKAGES = {"site-packages", "dist-packages", "node_modules"}  # folders in which package managers install
ENVIRONMENT = "pyvenv.cfg"  # in the folder of a virtual environment, https://docs.python.org/3/library/venv.html
_DRAFTS = {"draft", "drafts"}  # of what a student has not handed in
SETTINGS = "user_assignment_settings.json"  # of Submitty: which version the student has chosen
_POINTER = b"version https://git-lfs.github.com/spec/"
_MAX_SHORTCUT = 4096  # bytes


class Found(NamedTuple):
    """The module to grade: where it was, its source, what was guessed, and what staff should look at.

    `folder` is the first of those above it; empty if there is none. `apart` is for the staff too: where the handout is,
    if that is in another folder. In everybody's it is the course's own.
    """

    name: str
    source: bytes
    notes: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()
    folder: str = ""
    apart: tuple[str, ...] = ()


class _NoModule(NothingToGrade):
    """There is no module. `closed`: there is something that cannot be opened."""

    def __init__(self, why: str, closed: bool) -> None:
        super().__init__(why)
        self.closed = closed


@bounds.limited_time()
def find_module(path: Path, assignment: Assignment) -> Found:
    """The module to grade: `path` itself, or the one in a folder or an archive.

    Raises:
        NothingToGrade: there is none, or more than one; CannotRead: the grader may not read it.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        raise NothingToGrade(f"{path} does not exist") from None
    except OSError as error:
        raise CannotRead(f"{path} cannot be read: {error.strerror}") from error
    if path.is_dir() and not path.is_symlink():
        found = choose(in_folder(path), assignment, str(path))
    else:
        file = replace(on_disk(path.absolute().parent, (path.name,)), label=str(path))
        if suffix(path.name) not in (*ARCHIVES, *UNREAD) and (suffix(path.name) or not is_archive(file)):
            source = _source(file)
            return Found(str(path), source, _if_empty(str(path), source))
        with in_archive(file) as listing:
            found = choose(listing, assignment, str(path), nested=True)
    return found._replace(name=f"{path}/{found.name}", attention=(*found.apart, *found.attention), apart=())


def choose(listing: Listing, assignment: Assignment, where: str = "what was handed in", nested: bool = False) -> Found:
    """The module among the files of a submission, called `where` in messages; errors are those of `find_module`.

    With `nested`, the module is not in an archive among the files; these are only searched for other code.
    """
    room = Room()
    search = _Search(listing, assignment, where, nested, room)
    try:
        found = search.module()
    except _NoModule as error:
        why, denied = str(error), any(file.denied for file in search.files)
        if not nested and not denied:
            why = _as_collected(search.files) or f"{why}. {_advice(assignment.module, error.closed)}"
        raise (CannotRead if denied else NothingToGrade)(why) from None
    said = [_NOT_SEARCHED.format(found.name)] if room.full else []
    said += [_NOT_IN_TIME.format(found.name)] if bounds.is_over() else []
    folder = found.file.steps[0] if len(found.file.steps) > 1 else ""
    return Found(found.name, found.source, tuple(few(found.notes)), (*few(found.attention), *said), folder, found.apart)


def _advice(module: str, closed: bool) -> str:
    if closed:
        return f"Hand in {module} itself, or in a small zip archive without a password"
    return f"Name your file exactly {module} and hand it in again"


def _as_collected(files: list[File]) -> str:
    """Why there was no module when the grader took this from an upload; of that, it has kept only some files.

    A student may hand in a file of this name too.
    """
    for file in files:
        if file.name == COLLECTED and file.staffs and not file.trouble:
            for line in file.read(MAX_NOTES).decode("utf-8", "replace").splitlines():
                if line.startswith(NO_MODULE):
                    return line.removeprefix(NO_MODULE)
    return ""


def attempt(folder: str) -> tuple[str, int] | None:
    """The order of a folder that holds one of several attempts, and among which; None if its name does not say.

    It is numbered, `attempt-10`, or dated, `2026-11-30-22-14-05`. A date alone does not tell when on that day.
    """
    if match := _ATTEMPT.fullmatch(folder):
        return match["word"].lower(), int(match["number"])
    if dated := _DATE.fullmatch(folder):
        return _time(dated)
    return _time_day_first(dated) if (dated := _DAY_FIRST.fullmatch(folder)) else None


def attempt_in(name: str) -> tuple[str, str, tuple[str, int]] | None:
    """What is in a name before and after a date, or a number as in `v2`, and what `attempt` says of that."""
    for pattern in (_DATE, _DAY_FIRST, _WITHIN):
        found = pattern.search(name[:LONGEST])
        if found and (order := attempt(found[0])):
            return name[: found.start()], name[found.end() :], order
    return None


def undated(name: str) -> tuple[str, tuple[str, int]] | None:
    """A file's name without a date and time at its start or end, as ILIAS adds, and what `attempt` says of that."""
    before, after, order = attempt_in(name) or ("", "", ("", 0))
    end = suffix(name)
    if not order[0].startswith("time") or (before and after.lower() not in (end, ".py.txt")):
        return None
    rest = f"{before.rstrip('-_ .')}{after}" if before else after.lstrip("-_ ")
    return (rest, order) if suffix(rest) == end and stem(rest) != rest else None


def _without_dates(files: list[File], module: str) -> tuple[list[File], set[File], list[str]]:
    """The files, under the names that students gave them where a platform added the date to all in a folder.

    The date orders them as a platform's number does. Of those with the `module`'s name the last counts: what was handed
    in before, and what is to be said of that, are given too.
    """
    named = {file: undated(file.name) for file in files if file.version is None}
    folders: dict[tuple[str, ...], list[File]] = {}
    for file in files:
        folders.setdefault(file.steps[:-1], []).append(file)
    renamed: dict[File, File] = {}
    earlier, notes = set[File](), []
    for together in folders.values():
        dated = [(file, *said) for file in together if (said := named.get(file))]
        if len(dated) < len(together) or len({kind for *_, (kind, _) in dated}) > 1:
            continue
        versions = [replace(file, steps=(*file.steps[:-1], name), version=when) for file, name, (_, when) in dated]
        renamed |= zip(together, versions, strict=True)
        modules = [file for file in versions if alike(file.name, module)]
        last = max((file.version or 0 for file in modules), default=0)
        if older := [file for file in modules if (file.version or 0) < last]:
            counting = next(file for file in modules if file.version == last)
            notes.append(f"the last of {len(modules)} attempts counts: `{counting.label}`")
            earlier |= {*older}
    return [renamed.get(file, file) for file in files], earlier, notes


def _time(dated: re.Match[str]) -> tuple[str, int] | None:
    month, day = (dated["month"], dated["day"]) if dated["month"] else (dated["compact"][:2], dated["compact"][2:])
    clock = [int(dated[each] or 0) for each in ("hour", "minute", "second")]
    kind = "date" if dated["hour"] is None else f"time{dated['zone']}"
    return _ordered(kind, int(dated["year"]), int(month), int(day), *clock)


def _time_day_first(dated: re.Match[str]) -> tuple[str, int] | None:
    day, month = int(dated["first"]), int(dated["second"])
    if dated["between"] != "." and max(day, month) <= 12 and day != month:
        return None
    day, month = (month, day) if month > 12 else (day, month)
    hour, minute, second = (int(dated[each] or 0) for each in ("hour", "minute", "seconds"))
    hour = hour % 12 + 12 * (dated["noon"].upper() == "PM") if dated["noon"] else hour
    kind = "date" if dated["hour"] is None else "time"
    return _ordered(kind, int(dated["year"]), month, day, hour, minute, second)


def _ordered(kind: str, year: int, month: int, day: int, hour: int, minute: int, second: int) -> tuple[str, int] | None:
    """The kind and the seconds since 1970 of a date with a time; None if there is no such date."""
    try:
        return kind, int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _last_attempts(listing: Listing, module: str) -> tuple[list[File], list[File], list[str]]:
    """The files, those of earlier attempts, and what was guessed.

    Of folders next to each other that are numbered or dated, such as `attempt-9` and `attempt-10`, the last one counts,
    empty or not; so does the last of files with such a number or date next to the `module`'s name. Of Submitty's, the
    one that the student has chosen counts.
    """
    files, replaced, said = _without_dates([file for file in listing.files if not file.junk], module)
    attempts: dict[tuple[tuple[str, ...], str], dict[str, int]] = {}
    folders = sorted({*listing.folders, *(file.steps[:-1] for file in files)})
    numbered = _numbered(files, module)
    for folder in folders:
        for depth, step in enumerate(folder[:_ATTEMPT_DEPTH]):
            number = ("", int(step)) if _COUNTED.fullmatch(step) and folder[:depth] in numbered else None
            if order := number or attempt(step):
                attempts.setdefault((folder[:depth], order[0]), {})[step] = order[1]
    for file in files:
        before, after, (kind, when) = attempt_in(file.name) or ("", "", ("", 0))
        if alike(after.lstrip("-_ ."), module) or alike(before.rstrip("-_ .") + after, module):
            attempts.setdefault((file.steps[:-1], f"{kind}/{before}/{after}"), {})[file.name] = when
    earlier, notes = _not_chosen(files, folders)
    for (above, _), numbers in attempts.items():
        last = max(numbers, key=lambda name: numbers[name])
        older = {(*above, name) for name, number in numbers.items() if number < numbers[last]}
        if older:
            notes.append(f"the last of {len(numbers)} attempts counts: `{path_of((*above, last))}`")
            earlier |= older
    old = replaced | {
        file for file in files if any(file.steps[:depth] in earlier for depth in range(1, _ATTEMPT_DEPTH + 2))
    }
    notes += said
    return [file for file in files if file not in old], [file for file in files if file in old], few(notes, _LISTED)


def _numbered(files: list[File], module: str) -> set[tuple[str, ...]]:
    """Where folders with numbers for names hold the same file each, the module: attempts, and no parts.

    Other numbers may be those of students.
    """
    holding: dict[tuple[tuple[str, ...], tuple[str, ...]], set[str]] = {}
    for file in [file for file in files if alike(file.name, module)]:
        for depth, step in enumerate(file.steps[:-1][:_ATTEMPT_DEPTH]):
            if _COUNTED.fullmatch(step):
                holding.setdefault((file.steps[:depth], file.steps[depth + 1 :]), set()).add(step)
    chosen = {file.steps[:-1] for file in files if file.name == SETTINGS}
    return {above for (above, _), steps in holding.items() if len(steps) > 1} - chosen


def _not_chosen(files: list[File], folders: list[tuple[str, ...]]) -> tuple[set[tuple[str, ...]], list[str]]:
    """The folders of Submitty's versions that do not count, next to the file that says which one does; and that."""
    dropped, notes = set[tuple[str, ...]](), []
    for file in [file for file in files if file.name == SETTINGS and len(file.steps) <= _ATTEMPT_DEPTH]:
        above = file.steps[:-1]
        below = {folder[: len(above) + 1] for folder in folders if len(folder) > len(above)}
        versions = {each for each in below if each[:-1] == above and each[-1].isdecimal()}
        if (chosen := (*above, str(_active(file)))) in versions and len(versions) > 1:
            dropped |= versions - {chosen}
            notes.append(f"`{path_of(chosen)}` counts, the version that `{SETTINGS}` says is active")
    return dropped, notes


def _if_empty(name: str, source: bytes) -> tuple[str, ...]:
    return () if source.strip() else (f"`{name}` is empty",)


def _source(file: File) -> bytes:
    """The source in a file; errors are those of `File.read`."""
    source = file.read(LIMITS.source + 1)
    if source.startswith(_POINTER):
        raise NothingToGrade(f"{file.label} is a pointer of Git LFS, not the file: the content was not handed in")
    if _is_shortcut(source):
        raise NothingToGrade(f"{file.label} is a link to a web page, not the file: the content was not handed in")
    return source


def _is_shortcut(source: bytes) -> bool:
    """Whether this is what Google Drive, Windows or macOS keeps for a file that is elsewhere."""
    if len(source) > _MAX_SHORTCUT:
        return False
    if source.lstrip().startswith(b"[InternetShortcut]") or (b"<plist" in source and b"<key>URL</key>" in source):
        return True
    try:
        read = json.loads(source)
    except (ValueError, RecursionError):
        return False
    return isinstance(read, dict) and isinstance(read.get("url"), str)


class _Candidate(NamedTuple):
    """A file that may be the module.

    Attributes:
        file: this file, or the archive that holds it.
        name: its path as it was handed in.
        named: whether it has the assignment's name, or one like it.
        untouched: whether nothing is written in it.
        apart: see `Found`.
    """

    file: File
    name: str
    source: bytes
    named: bool
    untouched: bool
    notes: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()


class _Search:
    """The search for the module among the files of a submission.

    Attributes:
        files: those that count.
        unread: why a file that may be the module, or may hold it, was not read.
    """

    def __init__(
        self,
        listing: Listing,
        assignment: Assignment,
        where: str,
        nested: bool,
        searched: Room,
        room: bounds.Room | None = None,
        innermost: bool = False,
    ) -> None:
        self.files, self._earlier, self._notes = _last_attempts(listing, assignment.module)
        self.unread: dict[File, str] = {}
        self._listing, self._assignment, self._where, self._nested = listing, assignment, where, nested
        self._module = assignment.module
        self._archives = [file for file in self.files if _is_packed(file) and file.trouble != ELSEWHERE]
        self._opened = False  # the archives
        self._innermost = innermost  # whether no archive among the files is opened
        self._room, self._searched = room or room_to_unpack(), searched  # for the archives, and for what may hold code
        self._others: list[_Candidate] | None = None  # once they were read
        self._further: list[_Candidate] = []  # what was read after the module was found
        self._closed: list[File] = []  # archives that could not be read then
        self._without: list[str] = []  # why there is no module in archives that were opened
        self._read: list[_Candidate] = []
        self._unsure: list[str] = []  # why there may be a module under another name

    def module(self) -> _Candidate:
        """The module. _NoModule if there is none, NothingToGrade if there are several."""
        untouched: _Candidate | None = None
        for candidates in self._ways():
            self._check_time()
            if started := [each for each in candidates if not each.untouched]:
                chosen = self._nearest(started)
                self._look_further(chosen)
                return self._told(chosen)
            untouched = untouched or next(iter(candidates), None)
        self._check_time()
        hidden = of_the_module([file for file in self._listing.files if file.junk], self._module)
        lost = few(not_the_source([*self.files, *hidden]), _LISTED)
        if untouched is None:
            if backups := with_code(hidden, self._assignment, self._searched):
                self._unsure.append(f"{_names(backups)} has code")
            closed = bool(lost or self.unread) or (self._nested and bool(self._archives))
            raise _NoModule("; ".join([self._why_not(), *lost]), closed)
        said = tuple(
            f"`{untouched.name}` is empty or still the handout, but {why}" for why in self._elsewhere(hidden) + lost
        )
        return self._told(untouched._replace(attention=(*untouched.attention, *said)))

    def _check_time(self) -> None:
        """NothingToGrade if not all was read that counts before what is chosen."""
        if bounds.is_over():
            raise NothingToGrade(
                f"{self._where} takes the grader more than {bounds.SECONDS:g} seconds to read: "
                f"hand in {self._module} alone"
            )

    def _elsewhere(self, hidden: list[File]) -> list[str]:
        """Where the code may be, if nothing is written in the module; `hidden` are files that bear its name."""
        said = [*self._unsure, *self._without]
        packed = [file for file in self._earlier if _is_packed(file) and not self._is_data(file)]
        unpacked = [file for file in self._earlier if not _is_packed(file)]
        if earlier := [*with_code(unpacked, self._assignment, self._searched), *packed]:
            said.append(f"an earlier attempt has {_names(earlier)}")
        if self._nested and self._archives:
            said.append(f"{_names(self._archives)} was not opened")
        read = {*self.unread, *(each.file for each in (*self._read, *(self._others or ())))}
        rest = [file for file in self.files if file not in read and not _is_packed(file) and not self._is_data(file)]
        if others := with_code([*rest, *hidden], self._assignment, self._searched):
            said.append(f"the code may be in {_names(others)}")
        if others := changing([file for file in rest if file not in others], self._assignment, self._searched):
            said.append(f"the code may be in {_names(others)}")
        return said

    def _ways(self) -> Iterator[list[_Candidate]]:
        """The candidates, in the order in which they count."""
        exact = [file for file in self.files if file.name == self._module]
        near = [file for file in self.files if file.name != self._module and alike(file.name, self._module)]
        by_name = [self._by_name(exact), self._by_name(near)]
        yield from by_name
        packed = [] if self._nested else self._in_archives()
        by_content = self._by_content()
        yield [each for each in packed if each.named]
        yield by_content
        if not self._unsure:
            yield [each for each in packed if not each.named]

    def _by_name(self, named: list[File]) -> list[_Candidate]:
        """The nearest files of these that can be read. CannotRead if the grader may read none of them."""
        named = sorted(named, key=lambda file: (len(file.steps), -(file.version or 0)))
        found = []
        for file in ([file for file in named if not file.denied] or named)[:MAX_PYTHON]:
            source = self._source_of(file)
            if source is not None:
                guess = (f"`{file.label}` was graded as {self._module}",) if file.name != self._module else ()
                untouched = is_untouched(source, self._assignment)
                found.append(_Candidate(file, file.label, source, True, untouched, guess))
        self._read += found
        return found

    def _source_of(self, file: File) -> bytes | None:
        """The source, or None if it cannot be read. CannotRead if that is not the student's fault."""
        try:
            return _source(file)
        except CannotRead:
            raise
        except NothingToGrade as error:
            self.unread[file] = str(error)
            return None

    def _in_archives(self) -> list[_Candidate]:
        """The module of each archive."""
        self._opened = True
        found = []
        for file in self._archives[:MAX_ARCHIVES]:
            try:
                found.append(self._in_archive(file))
            except CannotRead:
                raise
            except NothingToGrade as error:
                if isinstance(error, _NoModule) and not error.closed:
                    self._without.append(str(error))
                else:
                    self.unread[file] = str(error)
        for file in self._archives[MAX_ARCHIVES:]:
            self.unread[file] = f"{file.label} was not opened: the grader opens {MAX_ARCHIVES} archives"
        self._read += found
        return found

    def _in_archive(self, file: File) -> _Candidate:
        with in_archive(file, self._room) as inside:
            files = [replace(each, label=f"{file.label}/{each.label}") for each in inside.files]
            within = replace(inside, files=files)
            search = _Search(within, self._assignment, file.label, True, self._searched, self._room, self._nested)
            return search.module()._replace(file=file)

    def _by_content(self) -> list[_Candidate]:
        """The only Python file under another name that defines one of the names of the assignment."""
        fitting = self._python()
        started = _newest([each for each in fitting if not each.untouched])
        if len({each.source for each in started}) > 1:
            self._unsure.append(f"{_names(each.file for each in started)} define what the assignment asks for")
            return []
        found = []
        for each in (started or fitting)[:1]:
            why = "it defines the required names"
            if not any(each.named for each in self._read):
                why = "no file has that name, but this one defines the required names"
            found.append(each._replace(notes=(f"`{each.name}` was graded as {self._module}: {why}",)))
        self._read += found
        return found

    def _python(self) -> list[_Candidate]:
        """The Python files under other names that define one of the names of the assignment."""
        if self._others is not None:
            return self._others
        self._others = []
        ours = {self._module, *self._assignment.kit_files}
        python = [
            file for file in self.files if suffix(file.name) == ".py" and not file.trouble and file.name not in ours
        ]
        python = [file for file in python if not alike(file.name, self._module)]
        names = interface(self._assignment)
        if not names or len(python) > MAX_PYTHON:
            self._unsure += [f"{len(python)} other Python files were not searched"] if names else []
            return []
        defined = defining(names)
        for file in python:
            source = self._source_of(file)
            if source is not None and defined.search(source):
                untouched = is_untouched(source, self._assignment)
                self._others.append(_Candidate(file, file.label, source, False, untouched))
        return self._others

    def _look_further(self, chosen: _Candidate) -> None:
        """Read what else may be the module, for the staff: what cannot be read is nobody's fault here."""
        archives = [] if self._opened or self._innermost else self._archives
        for file in archives[:MAX_ARCHIVES]:
            try:
                self._further.append(self._in_archive(file))
            except NothingToGrade as error:
                if not isinstance(error, _NoModule) or error.closed:
                    self._closed.append(file)
        self._closed += archives[MAX_ARCHIVES:]
        unread = {**self.unread}
        try:
            python = [] if self._searched.full else self._python()
        except CannotRead:
            python = []
        self.unread = unread
        self._searched.left -= sum(len(each.source) for each in python)
        self._further += [each for each in python if self._may_replace(each.source, chosen.source)]
        for file in [file for file in self.files if suffix(file.name) == ".ipynb" and not file.trouble][:MAX_NOTEBOOKS]:
            sources = cells_that_write(file, self._module, self._searched)
            if not any(same_code(each, chosen.source) for each in sources):
                self._further += [
                    _Candidate(file, file.label, each, True, is_untouched(each, self._assignment))
                    for each in sources[-1:]
                    if self._may_replace(each, chosen.source)
                ]

    def _may_replace(self, other: bytes, source: bytes) -> bool:
        """Whether there is as much in another source as in the module, or something that the module lacks."""
        names = interface(self._assignment)
        whole = {*defining(names).findall(other)} == {each.encode() for each in names}
        there = written(other, names)
        return whole or (bool(there) and not there < written(source, names))

    def _nearest(self, candidates: list[_Candidate]) -> _Candidate:
        """The one nearest to the top, or the last numbered by a platform; NothingToGrade if several differ."""
        depth = min(len(each.file.steps) for each in candidates)
        nearest = [each for each in candidates if len(each.file.steps) == depth]
        nearest = _newest(nearest)
        if len({each.source for each in nearest}) == 1:
            return nearest[0]
        kit = self._assignment.kit  # in nbgrader's folders, the assignment's name; in those of Teams, one like it
        ours = [each for each in nearest if each.file.steps[0] == kit]
        ours = ours or [each for each in nearest if squeezed(each.file.steps[0]) == squeezed(kit)]
        copies = any(_is_copy(each.file.steps[0], kit) for each in nearest)
        if len({each.source for each in ours}) == 1 and not copies:
            said = f"`{ours[0].name}` was graded, since the assignment is called {kit}"
            return ours[0]._replace(attention=(*ours[0].attention, said))
        if last := _last_copy(nearest):
            return last
        first, second = sorted(each.name for each in nearest)[:2]
        if first == second:
            packed = next((each.file.download for each in nearest if each.name == first), "")
            said = f"`{first}` is in {packed or self._where} more than once, and the copies differ: keep one"
            raise (CannotRead if packed else NothingToGrade)(said)
        raise NothingToGrade(
            f"{self._where} has more than one {self._module}: {first} and {second}; name the one to grade"
        )

    def _told(self, chosen: _Candidate) -> _Candidate:
        """The candidate with everything that is to be said of the choice."""
        others = [each for each in self._read if each.source != chosen.source]
        further = [each for each in self._further if each.source != chosen.source and not each.untouched]
        blank = [each.name for each in others if each.untouched and not chosen.untouched]
        rest = [each.name for each in (*others, *further) if each.name not in blank]
        rest += [file.label for file in self.unread if file.trouble == ELSEWHERE]
        notes = [*self._notes, *chosen.notes, *_if_empty(chosen.name, chosen.source)]
        if rest := [*dict.fromkeys(rest)]:
            notes.append(f"`{chosen.name}` was graded, not {_listed(rest)}")
        empty = [each.file for each in others if each.name in blank]
        later = any((file.version or 0) > (chosen.file.version or 0) for file in empty)
        near = [file.steps[:-1] for file in empty if len(file.steps) <= len(chosen.file.steps)]
        apart = any(folder != chosen.file.steps[:-1] for folder in near)  # the folder may be somebody else's
        replaced = [f"{_listed(blank)}: empty or still the handout, so `{chosen.name}` was graded"] if blank else []
        notes += replaced
        every = [*self._read, *self._further]
        equal = [each for each in every if each.source == chosen.source and each.file.steps != chosen.file.steps]
        if same := [each.name for each in equal if not each.untouched]:
            notes.append(f"{_listed([*dict.fromkeys(same)])} is the same as `{chosen.name}`, which was graded")
        if self._closed:
            notes.append(f"{_names(self._closed)}: could not be opened; the module next to it was graded")
        attention = [*(replaced if later else ()), *self._in_odd_folder(chosen), *self._other_code(chosen)]
        if not chosen.untouched and (more := self._beyond(chosen)):
            attention.append(f"`{chosen.name}` was graded, but {_names(more)} has code that it lacks")
        if not chosen.untouched and (notebooks := changing(self.files, self._assignment, self._searched)):
            attention.append(f"`{chosen.name}` was graded, but {_names(notebooks)} has a cell that changes the module")
        if links := [file for file in self.files if "link" in file.trouble]:
            attention.append(f"{_names(links)}: a link was handed in, and links are never followed")
        if denied := [file for file in self.files if file.denied]:
            attention.append(f"{_names(denied)} {denied[0].trouble}")
        for file, why in self.unread.items():
            if not (file in links or file.trouble == ELSEWHERE or self._is_data(file)):
                attention.append(f"`{chosen.name}` was graded, but {why}")
        elsewhere = tuple(replaced if apart and not later else ())
        return chosen._replace(notes=tuple(notes), attention=(*chosen.attention, *attention), apart=elsewhere)

    def _in_odd_folder(self, chosen: _Candidate) -> list[str]:
        """What staff should know of a module in a folder for another assignment, or in one that a program fills."""
        steps = chosen.file.steps
        said = [f"`{shown(step)}` names another assignment" for step in steps if _is_other(step, self._assignment.kit)]
        places = {steps[:depth] for depth in range(1, len(steps))}
        environment = any(file.name == ENVIRONMENT and file.steps[:-1] in places for file in self._listing.files)
        if environment or not PACKAGES.isdisjoint(steps[:-1]):
            said.append("it is where Python or another program keeps packages")
        if not _DRAFTS.isdisjoint(step.casefold() for step in steps[:-1]):
            said.append("it is in a folder of drafts")
        if any(file.steps == (SETTINGS,) and _active(file) == 0 for file in self.files):
            said.append(f"`{SETTINGS}` says that no version is active")
        return [f"`{chosen.name}` was graded, but {why}: see whether it counts" for why in said]

    def _other_code(self, chosen: _Candidate) -> list[str]:
        """What staff should know of the candidates with other code than the one that was chosen."""
        every = _newest([chosen, *self._read, *self._further])
        other = [each for each in every if not each.untouched and not same_code(each.source, chosen.source)]
        number = chosen.file.version
        later = [each for each in other if number is not None and (each.file.version or 0) > number]
        rest = [each for each in other if each not in later]
        return [
            f"`{chosen.name}` was graded, but there is other code in "
            f"{_listed([*dict.fromkeys(each.name for each in candidates)])}{when}: see which one was meant"
            for candidates, when in ((later, ", which was handed in later"), (rest, ""))
            if candidates
        ]

    def _beyond(self, chosen: _Candidate) -> list[File]:
        """The notebooks and texts with code that the module lacks, but for those already named."""
        named = {chosen.file, *(each.file for each in (*self._read, *self._further))}
        rest = [file for file in self.files if file not in named and not _is_packed(file) and not self._is_data(file)]
        try:
            return beyond(rest, chosen.source, self._assignment, self._searched)
        except NothingToGrade:
            return []

    def _is_data(self, file: File) -> bool:
        """Whether it is more likely data than a module that is packed."""
        one = suffix(file.name) in _ONE_FILE and suffix(stem(file.name)) != ".py"
        return one or self._assignment.data_folder in file.steps[:-1]

    def _why_not(self) -> str:
        """Why there is nothing to grade: what was found instead."""
        said = [why for file, why in self.unread.items() if not _is_packed(file)]
        if not said:
            rest = [file for file in self.files if not file.trouble and not _is_packed(file)]
            telling = with_code(rest, self._assignment, self._searched)
            rest = [*telling, *(file for file in rest if file not in telling)]
            readable = " that can be graded" if self.unread else ""
            but = f", but {_names(rest)}" if rest else ""
            said.append(f"there is no {self._module}{readable} in {self._where}{but}")
        said += [f"{file.label} is an archive without its ending" for file in self._without_ending()[:_LISTED]]
        if self._listing.cut:
            said.append(
                f"the grader does not search what is below {MAX_DEPTH} levels of folders or after {MAX_FILES} files"
            )
        said += [*self._without, *(why for file, why in self.unread.items() if _is_packed(file))][:_LISTED]
        troubled = [file for file in self.files if file.trouble and file not in self.unread]
        said += [f"{file.label} {file.trouble}" for file in troubled[:_LISTED]]
        if self._nested and self._archives:
            said.append(f"{_names(self._archives)}: an archive within an archive, which the grader does not open")
        if self._earlier:
            said.append(f"an earlier attempt has {_names(self._earlier)}")
        if not (self.files or self._earlier or self._listing.cut):
            said.append("it is empty" if not self._listing.files else "it has only hidden files")
        return "; ".join([*said, *self._unsure])

    def _without_ending(self) -> list[File]:
        """The archives whose names do not say so, among the first files."""
        found = []
        for file in [file for file in self.files if not suffix(file.name) and not file.trouble][:MAX_PYTHON]:
            with suppress(NothingToGrade):
                found += [file] if is_archive(file) else []
        return found


def _newest(candidates: list[_Candidate]) -> list[_Candidate]:
    """The candidates without those that were handed in again under the same name, by a platform's numbers."""
    last: dict[tuple[str, ...], int] = {}
    for each in candidates:
        if each.file.version is not None:
            last[each.file.steps] = max(each.file.version, last.get(each.file.steps, 0))
    return [each for each in candidates if each.file.version in (None, last.get(each.file.steps))]


def _last_copy(candidates: list[_Candidate]) -> _Candidate | None:
    """The last of files in one folder with numbers for one name, `cs1(1).py` and `cs1(2).py`; None if they are not."""
    found = {each: _COPIED.fullmatch(stem(each.file.name)) for each in candidates}
    names = {(each.file.steps[:-1], match["name"]) if match else None for each, match in found.items()}
    numbers = {int(match["number"]): each for each, match in found.items() if match}
    if None in names or len(names) > 1 or len(numbers) < len(candidates):
        return None
    last = numbers[max(numbers)]
    return last._replace(notes=(*last.notes, f"the last of {len(numbers)} copies counts: `{last.name}`"))


def _is_copy(name: str, kit: str) -> bool:
    """Whether a folder is a copy of the assignment's: `HW 3 part 3 (1)`, of which the 3 is no copy's number."""
    rest = squeezed(name).removeprefix(squeezed(kit))
    return "" != rest != squeezed(name) and squeezed(kit).startswith(squeezed(without_copy(name)))


def _active(file: File) -> int | None:
    """The version that counts, by Submitty's notes: 0 if the student has canceled the submission."""
    try:
        found = re.search(rb'"active_version"\s*:\s*(\d{1,9})\b', file.read(LIMITS.source))
    except NothingToGrade:
        return None
    return int(found[1]) if found else None


def _is_other(name: str, kit: str) -> bool:
    """Whether a name gives a word of the assignment's name another number: `HW 2`, or `part2`, for `hw3-part3`."""
    named, ours = _numbers(name), _numbers(kit)
    return any(named[word].isdisjoint(ours[word]) for word in named.keys() & ours.keys())


def _numbers(name: str) -> dict[str, set[str]]:
    """The numbers that follow each word of a name."""
    found: dict[str, set[str]] = {}
    for word, number in re.findall(r"([^\W\d_]{1,40})[\W_]{0,3}0*(\d{1,9})", name[:LONGEST].casefold()):
        found.setdefault(word, set()).add(number)
    return found


def _is_packed(file: File) -> bool:
    return suffix(file.name) in (*ARCHIVES, *UNREAD)


def _names(files: Iterable[File]) -> str:
    return _listed([file.label for file in files])


def _listed(labels: list[str]) -> str:
    return some_of([f"`{label}`" for label in labels], _LISTED)
