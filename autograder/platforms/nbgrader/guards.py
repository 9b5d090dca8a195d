"""What nbgrader has no setting for: it follows links in submissions, and misreads times that people write."""

from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path

from nbgrader import utils
from nbgrader.apps.api import NbGraderAPI
from nbgrader.converters import Autograde
from nbgrader.converters.base import BaseConverter
from nbgrader.coursedir import CourseDirectory
from traitlets.log import get_logger

from autograder.platforms.nbgrader.dates import Unreadable, as_nbgrader, read_moment, submitted_at
from autograder.platforms.nbgrader.files import files_of
from autograder.submissions.names import suffix

# What formgrader may show next to a notebook. A page or a drawing with a script in it would run in the TA's name.
SHOWN = (".py", ".txt", ".csv", ".png", ".jpg", ".jpeg", ".gif")
MAX_FILE = 32 << 20

_init_assignment = BaseConverter.init_assignment
_parse_utc = utils.parse_utc


def install() -> None:
    """Guard every nbgrader command of this process, and formgrader."""
    utils.parse_utc = _read_utc  # for due dates on their way into the gradebook
    CourseDirectory.get_existing_timestamp = _existing_timestamp
    NbGraderAPI.get_submitted_timestamp = _submitted_timestamp
    BaseConverter.init_assignment = _take_over


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


def _take_over(converter: BaseConverter, assignment: str, student: str) -> None:
    """Copy what was handed in next to the notebook, from `submitted` to `autograded`: regular files, never a link.

    nbgrader lays the files of `source` over them afterwards.
    """
    if not isinstance(converter, Autograde):
        return _init_assignment(converter, assignment, student)
    source, to = (Path(form(assignment, student)) for form in (converter._format_source, converter._format_dest))
    for file in files_of(source):
        ignored = any(fnmatch(step, each) for step in file.steps for each in converter.coursedir.ignore)
        if not file.trouble and not ignored and suffix(file.name) in SHOWN:
            to.joinpath(*file.steps[:-1]).mkdir(parents=True, exist_ok=True)
            with to.joinpath(*file.steps).open("wb") as copy:
                file.copy(copy, MAX_FILE)
    return None
