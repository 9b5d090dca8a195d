"""What nbgrader has no setting for.

It follows links in submissions, misreads times that people write, prints names as they are, and says four lines about
each file.
"""

import functools
import logging
import os
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from weakref import WeakKeyDictionary

from nbgrader import api, utils
from nbgrader.apps.api import NbGraderAPI
from nbgrader.converters import Autograde
from nbgrader.converters.base import BaseConverter
from nbgrader.coursedir import CourseDirectory
from traitlets.log import get_logger

from autograder.platforms.nbgrader.dates import Unreadable, as_nbgrader, submitted_at
from autograder.platforms.nbgrader.figures import albums
from autograder.platforms.nbgrader.files import files_of
from autograder.platforms.nbgrader.grades import graded_ahead
from autograder.report.model import printable
from autograder.report.summary import counted
from autograder.submissions.files import NothingToGrade
from autograder.submissions.names import shown, suffix
from autograder.submissions.times import read_moment

# What formgrader may show next to a notebook. A page or a drawing with a script in it would run in the TA's name.
SHOWN = (".py", ".txt", ".csv", ".png", ".jpg", ".jpeg", ".gif")
MAX_FILE = 32 << 20
MAX_LINE = 100_000  # characters of a message

_init_assignment = BaseConverter.init_assignment
_init_notebooks = BaseConverter.init_notebooks
_init_destination = BaseConverter.init_destination
_convert_notebooks = BaseConverter.convert_notebooks
_create_engine = api.create_engine
_parse_utc = utils.parse_utc


def install() -> None:
    """Guard every nbgrader command of this process, and formgrader."""
    # Each notebook opens the gradebook a dozen times: an engine keeps the queries that it has compiled.
    api.create_engine = functools.cache(_create_engine)
    utils.parse_utc = _read_utc  # for due dates on their way into the gradebook
    CourseDirectory.get_existing_timestamp = _existing_timestamp
    NbGraderAPI.get_submitted_timestamp = _submitted_timestamp
    BaseConverter.init_notebooks = _without_line_breaks
    BaseConverter.init_assignment = _take_over
    Autograde.init_destination = _note_skipped
    Autograde.convert_notebooks = _in_one_line
    logging.setLogRecordFactory(_PrintableRecord)


class _PrintableRecord(logging.LogRecord):
    """A line of the log, which may be a terminal: names of students' files and folders can hold its codes."""

    def getMessage(self) -> str:  # noqa: N802  (logging's name)
        return printable(super().getMessage(), MAX_LINE)


def _read_utc(time: datetime | str | None) -> datetime | None:
    try:
        return as_nbgrader(read_moment(time)) if isinstance(time, str) else _parse_utc(time)
    except ValueError:  # none of our forms: nbgrader's own, which takes what has no zone for UTC
        found = _parse_utc(time)
        get_logger().warning("%r is read as %s UTC; write it like 2026-11-30T23:59:00-05:00", time, found)
        return found


def _existing_timestamp(course: CourseDirectory, folder: str) -> datetime | None:
    try:
        found = submitted_at(Path(folder))
    except Unreadable as error:
        if course.submitted_directory in Path(folder).parts:  # it is copied from there
            course.log.warning(str(error))
        return None
    return as_nbgrader(found) if found else None


def _submitted_timestamp(api: NbGraderAPI, assignment: str, student: str) -> datetime | None:
    folder = api.coursedir.format_path(api.coursedir.submitted_directory, student, assignment)
    return _existing_timestamp(api.coursedir, folder)


def _without_line_breaks(converter: BaseConverter) -> None:
    """Find what there is to convert, but for names with a line break: nbgrader would stop for everyone at the first.

    The text of a notebook with such a name is read with the others of its folder.
    """
    _init_notebooks(converter)
    for folder, notebooks in [*converter.assignments.items()]:
        if "\n" in folder:
            converter.log.error(
                "%s is left out: rename the folder, whose name has a line break",
                shown(os.path.relpath(folder, converter.coursedir.root)),
            )
            del converter.assignments[folder]
        else:
            converter.assignments[folder] = [each for each in notebooks if "\n" not in each]


def _take_over(converter: BaseConverter, assignment: str, student: str) -> None:
    """Copy what was handed in next to the notebook, from `submitted` to `autograded`: regular files, never a link.

    nbgrader lays the files of `source` over them afterwards, and looks for others by their names: no folder may have
    one of these. What cannot be copied is not shown, and costs nothing else.
    """
    if not isinstance(converter, Autograde):
        return _init_assignment(converter, assignment, student)
    course = converter.coursedir
    source, to = (Path(form(assignment, student)) for form in (converter._format_source, converter._format_dest))
    masters = Path(course.format_path(course.source_directory, ".", assignment))
    names = {path.name for path in masters.rglob("*") if path.is_file()}
    for file in files_of(source):
        ignored = any(fnmatch(step, each) for step in file.steps for each in course.ignore)
        as_files = any("." in step or step in names for step in file.steps[:-1])
        if file.trouble or ignored or as_files or suffix(file.name) not in SHOWN:
            continue
        try:
            to.joinpath(*file.steps[:-1]).mkdir(parents=True, exist_ok=True)
            with to.joinpath(*file.steps).open("wb") as copy:
                file.copy(copy, MAX_FILE)
        except (OSError, NothingToGrade) as error:
            course.log.warning("%s: %s is not shown next to the notebook: %s", student, file.label, error)
    return None


def _note_skipped(converter: Autograde, assignment: str, student: str) -> bool:
    """As nbgrader decides whether a submission needs grading; those that do not are counted."""
    due = _init_destination(converter, assignment, student)
    if not due:
        _skipped.setdefault(converter, []).append(student)
    return due


def _in_one_line(converter: Autograde) -> None:
    """Grade, and say at the end how everyone came out, in place of four lines about each file."""
    log = converter.log
    handlers = [handler for handler in log.handlers if handler.level == logging.INFO]
    for handler in handlers:
        handler.setLevel(logging.WARNING)
    try:
        with graded_ahead(converter):
            _convert_notebooks(converter)
    finally:
        for handler in handlers:
            handler.setLevel(logging.INFO)
        log.info(_ending(converter))


def _ending(converter: Autograde) -> str:
    """How everyone came out: the numbers add up to the submissions."""
    found, skipped = len(converter.assignments), len(_skipped.get(converter, ()))
    graded = sum(1 for folder in converter.assignments if _autograded(converter, Path(folder)).exists()) - skipped
    parts = [f"{graded} graded"]
    parts += [f"{skipped} graded before (--force grades them again)"] if skipped else []
    parts += [f"{found - graded - skipped} failed"] if found > graded + skipped else []
    line = f"{counted(found, 'submission')}: {', '.join(parts)}."
    for album in albums(converter):
        handed_in, again, empty = album.counts
        line += f" Figures: {handed_in} of {album.size} handed in, {again} run again"
        line += f", {empty} of them without a figure." if empty else "."
    return line


def _autograded(converter: Autograde, folder: Path) -> Path:
    """Where the graded copy of a submission is."""
    course = converter.coursedir
    return Path(course.format_path(course.autograded_directory, folder.parent.name, folder.name))


_skipped: WeakKeyDictionary[Autograde, list[str]] = WeakKeyDictionary()
