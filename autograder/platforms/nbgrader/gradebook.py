"""The grades in nbgrader's gradebook, joined with a class: points by hand, lateness, extensions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from nbgrader.api import Grade, Gradebook, MissingEntry, SubmittedAssignment
from nbgrader.api import Student as Known
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from autograder.assignment import Assignment
from autograder.classroom.entries import Recorded
from autograder.platforms.nbgrader.roster import folder_name
from autograder.points import total
from autograder.submissions.layouts import Submitted, Upload, natural


class NoGradebook(ValueError):
    """A gradebook cannot be read, or is that of another class."""


def join(upload: Upload, address: str, assignment: Assignment) -> tuple[Upload, Mapping[str, Recorded]]:
    """The class with everyone in the gradebook in it, and what the gradebook has of each student.

    NoGradebook if there is none at this address, or if it knows nobody in the class.
    """
    students = _read(address, assignment.kit, assignment.by_hand.shares if assignment.by_hand else ())
    by_key: dict[str, Submitted] = {}
    for each in upload.submitted:
        for key in filter(None, (*each.keys.values(), each.student)):
            by_key[folder_name(key)] = each
    rows = {each.student: each for each in upload.submitted}
    recorded = {}
    for student in students:
        row = by_key.get(student.id) or (by_key.get(folder_name(student.canvas)) if student.canvas else None)
        if row is None:
            row = Submitted(student.id, None, "nothing was handed in", student.name, nothing=True)
            if upload.enrolled is not None:  # everyone in the roster has a row already
                row = replace(row, unlisted=True, attention=("not in the roster",))
        elif student.name and row.name in ("", row.student):
            row = replace(rows[row.student], name=student.name)
        rows[row.student] = row
        if student.recorded:
            recorded[row.student] = student.recorded
    if students and upload.submitted and len(rows) == len(upload.submitted) + len(students):
        raise NoGradebook(
            f"nobody in the gradebook is in this class: it knows {students[0].id}, and the class has "
            f"{upload.submitted[0].student}"
        )
    submitted = sorted(rows.values(), key=lambda each: (natural(each.name.casefold()), natural(each.student)))
    return replace(upload, submitted=submitted), recorded


def due_in(address: str, assignment: str) -> datetime | None:
    """When the assignment is due by the gradebook at this address; None if it does not say, or cannot be read."""
    try:
        if not _is_there(address):
            return None
        with Gradebook(address) as gradebook:
            return _utc(gradebook.find_assignment(assignment).duedate)
    except (SQLAlchemyError, ModuleNotFoundError, MissingEntry):
        return None


def _is_there(address: str) -> bool:
    """Whether a file of SQLite's is there: a connection would make one. SQLAlchemyError for what is no address."""
    database = make_url(address).database
    return not address.startswith("sqlite:") or bool(database and Path(database).is_file())


@dataclass(frozen=True)
class _Student:
    id: str
    name: str
    canvas: str
    recorded: Recorded | None


def _read(address: str, assignment: str, by_hand: Collection[str]) -> list[_Student]:
    """Everyone in the gradebook at this address, with what it has of the assignment."""
    try:
        if not _is_there(address):
            raise NoGradebook(f"there is no gradebook at {address}")
        with Gradebook(address) as gradebook:
            return [_of(student, gradebook, assignment, by_hand) for student in gradebook.students]
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise NoGradebook(f"the gradebook at {address} cannot be read: {str(error).splitlines()[0]}") from error


def _of(student: Known, gradebook: Gradebook, assignment: str, by_hand: Collection[str]) -> _Student:
    name = " ".join(filter(None, (student.first_name, student.last_name)))
    try:
        recorded = _recorded(gradebook.find_submission(assignment, student.id), by_hand)
    except MissingEntry:
        recorded = None
    return _Student(student.id, name, student.lms_user_id or "", recorded)


def without_points(submission: SubmittedAssignment) -> bool:
    """Whether a cell still needs points: neither the checks nor staff gave any."""
    return any(map(_without_points, _grades(submission)))


def _grades(submission: SubmittedAssignment) -> list[Grade]:
    return [grade for notebook in submission.notebooks for grade in notebook.grades]


def _without_points(grade: Grade) -> bool:
    return grade.needs_manual_grade and grade.manual_score is None and grade.auto_score is None


def _recorded(submission: SubmittedAssignment, by_hand: Collection[str]) -> Recorded:
    """Everything but the points of the cells `by_hand` is those of the checks."""
    automatic, given = [], []
    for grade in _grades(submission):
        if grade.name in by_hand:
            given.append(None if _without_points(grade) else _number(grade.score))
        else:
            automatic.append(_number(grade.score))
    due = submission.duedate
    known = submission.timestamp is not None and due is not None
    return Recorded(
        automatic=total(automatic),
        by_hand=None if None in given else total(each for each in given if each is not None),
        most=_number(submission.max_score),
        penalty=_number(submission.late_submission_penalty or 0),
        late=submission.total_seconds_late > 0 if known else None,
        handed_in=_utc(submission.timestamp),
        until=_utc(due) if submission.extension else None,
    )


def _number(points: float | None) -> float:
    return total([points or 0.0])


def _utc(when: datetime | None) -> datetime | None:
    return when.replace(tzinfo=UTC) if when else None
