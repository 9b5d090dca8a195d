"""Times: when a submission was handed in, until when each student may, and what lateness costs."""

import math
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Float, List, Unicode

from autograder.assignment import load
from autograder.grading import GraderError
from autograder.platforms.nbgrader.files import MAX_STAMP, TIMESTAMP, read
from autograder.platforms.nbgrader.roster import same_student
from autograder.submissions.files import NothingToGrade
from autograder.submissions.roster import RosterError, read_extensions
from autograder.submissions.times import read_stamp

EXTENSIONS = "extensions.csv"
ON_TIME = "until then the submission counts as handed in on time"


class Unreadable(ValueError):
    """A time cannot be read. The message names the file and says what to write."""


def submitted_at(folder: Path) -> datetime | None:
    """When the submission in `folder` was handed in, by its timestamp.txt; None where that is not there.

    Unreadable where it is empty or no moment: nbgrader's own reader would take a time without a zone for UTC, and the
    -0500 of `2026-11-30 23:59 -0500` for seconds.
    """
    path = folder / TIMESTAMP
    try:
        data = read(path, MAX_STAMP)
        return None if data is None else read_stamp(data, str(path))
    except NothingToGrade as error:
        raise Unreadable(f"{path.parent}: {error}; {ON_TIME}") from None
    except ValueError as error:
        raise Unreadable(f"{error}; {ON_TIME}") from None


def as_nbgrader(moment: datetime) -> datetime:
    """`moment` as nbgrader keeps it: in UTC, and without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)


# --- extensions ---------------------------------------------------------------------------------------------------


def extended_until(course: Path, student: str, names: Collection[str], title: str) -> datetime | None:
    """Until when extensions.csv in the course folder lets this student hand in; None if it does not name them.

    `names` are those of the assignment, and `title` is the course's. RosterError where the file, or the roster that its
    keys are looked up in, cannot be read.
    """
    same, found = same_student(course, student), read_extensions(course / EXTENSIONS, names, title)
    return max((until for key, until in found.items() if same(key)), default=None)


class Extensions(NbGraderPreprocessor):
    """Takes each student's extension from extensions.csv into the gradebook, which counts lateness from its end.

    Without such a file, extensions that were granted by nbgrader's own API stay.
    """

    assignments = List(Unicode(), help="The assignments of the course, by name or folder.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        where, course = resources["nbgrader"], Path(self.parent.parent.coursedir.root)
        if not (course / EXTENSIONS).exists():
            return nb, resources
        known = next((each for each in map(load, self.assignments) if each.kit == where["assignment"]), None)
        names, title = (known.names, known.course) if known else ((where["assignment"],), "")
        try:
            until = extended_until(course, where["student"], names, title)
        except RosterError as error:
            raise GraderError(str(error)) from error
        with Gradebook(where["db_url"]) as gradebook:
            submission = gradebook.find_submission(where["assignment"], where["student"])
            due = submission.assignment.duedate
            granted = as_nbgrader(until) - due if until and due else timedelta(0)
            submission.extension = granted if granted > timedelta(0) else None
            gradebook.db.commit()
            if until and due and not submission.extension:
                self.log.warning(
                    "The extension of %s ends on %s, which is not after the due date: it does not count. Check it",
                    where["student"],
                    until.isoformat(" ", "minutes"),
                )
            elif until:
                self.log.info("%s may hand in until %s", where["student"], until.isoformat(" "))
        return nb, resources


# --- lateness -----------------------------------------------------------------------------------------------------


class LatePenalty(LateSubmissionPlugin):
    """So many points for each day begun. nbgrader takes them off the total, never below zero.

    Points rather than a share of the score: nbgrader computes the penalty when it autogrades, before the points that
    are given by hand are known.
    """

    points_per_day = Float(10.0, help="Points for each day begun.").tag(config=True)
    grace_minutes = Float(15.0, help="Minutes that are not counted.").tag(config=True)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float:
        seconds = total_seconds_late - 60 * self.grace_minutes
        return max(0.0, self.points_per_day * math.ceil(seconds / 86400))
