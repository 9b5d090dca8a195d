"""The grades in nbgrader's gradebook, joined with a class: points by hand, lateness, extensions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path

from nbgrader.api import Grade, Gradebook, MissingEntry, SubmittedAssignment
from nbgrader.api import Student as Known
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from autograder.assignment import Assignment
from autograder.classroom.entries import Recorded
from autograder.classroom.outgoing import no_shared_word
from autograder.platforms.nbgrader.roster import folder_name
from autograder.points import total
from autograder.submissions.layouts import Submitted, Upload, natural
from autograder.submissions.roster import KEYS, login_of


class NoGradebook(ValueError):
    """A gradebook cannot be read, or is that of another class."""


def join(upload: Upload, address: str, assignment: Assignment) -> tuple[Upload, Mapping[str, Recorded]]:
    """The class with everyone in the gradebook in it, and what the gradebook has of each student.

    NoGradebook if there is none at this address, or if it knows nobody in the class.
    """
    students = _read(address, assignment.kit, assignment.by_hand.shares if assignment.by_hand else ())
    theirs, doubts = _matched(students, upload.submitted)
    rows = {each.student: each for each in upload.submitted}
    recorded = {}
    for student in students:
        row = theirs.get(student.id)
        if row is None:
            row = Submitted(student.id, None, "nothing was handed in", student.name, nothing=True)
            if upload.enrolled is not None:  # everyone in the roster has a row already
                row = replace(row, unlisted=True, attention=("not in the roster",))
        elif student.name and row.name in ("", row.student):
            row = replace(row, name=student.name)
        rows[row.student] = row
        if student.recorded:
            recorded[row.student] = student.recorded
    if students and upload.submitted and len(rows) == len(upload.submitted) + len(students):
        raise NoGradebook(
            f"nobody in the gradebook is in this class: it knows {students[0].id}, and the class has "
            f"{upload.submitted[0].student}"
        )
    for said, people in doubts.items():
        rows |= {each: replace(rows[each], attention=(*rows[each].attention, said)) for each in people}
    submitted = sorted(rows.values(), key=lambda each: (natural(each.name.casefold()), natural(each.student)))
    return replace(upload, submitted=submitted, warnings=[*upload.warnings, *doubts]), recorded


def _matched(students: list[_Student], rows: list[Submitted]) -> tuple[dict[str, Submitted], dict[str, set[str]]]:
    """The row of each student in the gradebook who has one, by id; and each doubt about that, with the rows' ids.

    A row's own id comes first, then Canvas' number, then other ids by their kinds, then the logins in them. Each row is
    of one student.
    """
    found: dict[str, Submitted] = {}
    ways: list[tuple[Callable[[_Student], str], Callable[[Submitted], str]]] = [
        (lambda student: student.id, lambda row: row.student),
        (lambda student: student.id, lambda row: folder_name(row.student)),
        (lambda student: student.canvas, lambda row: row.keys.get("canvas", "")),
        (lambda student: student.canvas, lambda row: row.student),
    ]
    for wanted, key in ways:
        taken = {row.student for row in found.values()}
        having = _by(key, [row for row in rows if row.student not in taken])
        for student in students:
            if student.id not in found and wanted(student) and len(people := having.get(wanted(student), [])) == 1:
                found[student.id] = people[0]
    by_kind = [_by(partial(_folder, kind), rows) for kind in KEYS]
    by_login = [_by(partial(_login, kind), rows) for kind in KEYS]
    doubts: dict[str, set[str]] = {}
    for student in [each for each in students if each.id not in found]:
        by_key = [there for each in by_kind if (there := each.get(student.id))]
        by_key = by_key or [there for each in by_login if (there := each.get(student.id))]
        may_be = {row.student: row for row in chain(*by_key)}
        first = by_key[0] if by_key else []
        taken = {row.student for row in found.values()}
        if len(first) == 1 and first[0].student not in taken and not _is_called_otherwise(first[0], student.name):
            found[student.id] = first[0]
        if len(may_be) > 1 or (may_be and student.id not in found):
            names = " or ".join(row.shown for row in may_be.values())
            mine = found.get(student.id)
            ends = f"it is read as {mine.shown}" if mine else f"its points are in the row of `{student.id}`"
            said = f"`{student.id}` in the gradebook may be {names}: {ends}"
            doubts[said] = {*may_be, mine.student if mine else student.id}
    return found, doubts


def _is_called_otherwise(row: Submitted, name: str) -> bool:
    return bool(name) and row.name not in ("", row.student) and no_shared_word(name, row.name)


def _folder(kind: str, row: Submitted) -> str:
    """The id in nbgrader that the row's key of this kind makes; empty if it has none."""
    return folder_name(row.keys[kind]) if row.keys.get(kind) else ""


def _login(kind: str, row: Submitted) -> str:
    """The id in nbgrader that the login in the row's key of this kind makes; empty if it is no address."""
    login = login_of(row.keys.get(kind, ""))
    return folder_name(login) if login else ""


def _by(key: Callable[[Submitted], str], rows: list[Submitted]) -> dict[str, list[Submitted]]:
    found: dict[str, list[Submitted]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


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
