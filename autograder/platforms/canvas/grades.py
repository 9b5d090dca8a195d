"""A class's grades for Canvas: a file for "Import Grades", and feedback for "Upload submissions"."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

from autograder.assignment import Assignment
from autograder.classroom.outgoing import CannotExport, Graded, Rows, bare, canvas_identity, cells, identify, table
from autograder.report.summary import counted, some_of
from autograder.submissions.roster import Roster, Student
from autograder.submissions.top import top_of

FEEDBACK = "feedback.html"


def gradebook(rows: Rows, roster: Roster, graded: Graded, column: str, parts: bool) -> str:
    """The file for "Import Grades": an empty cell leaves what Canvas has.

    With `parts`, a column for each part follows the assignment's own; Canvas makes an assignment of each.
    """
    identity = canvas_identity(roster.columns)
    names = list(graded.parts) if parts else []
    possible = [graded.most, *(graded.parts[name] for name in names)]
    return table(
        [
            [*identity, column, *(f"{column.partition(' (')[0]}: {name}" for name in names)],
            ["    Points Possible", *[""] * (len(identity) - 1), *possible],
            *([*identify(student, identity), *cells(grade, names)] for student, grade in rows),
        ]
    )


def column_of(assignment: Assignment, roster: Roster, source: str) -> str:
    """Canvas' column for the assignment, which it knows by a number, in the gradebook of the file `source`.

    CannotExport where that is not clear.
    """
    titles = {bare(title) for title in assignment.names}
    numbered = [column for column in roster.columns if re.fullmatch(r".+ \(\d+\)", column)]
    if not numbered:
        raise CannotExport(
            f"{source} has no column for an assignment. Is it Canvas' exported gradebook? If so, name the column with "
            "--column."
        )
    found = [column for column in numbered if bare(column.rpartition(" (")[0]) in titles]
    if len(found) != 1:
        raise CannotExport(f"name the assignment's column with --column: {source} has {', '.join(numbered)}")
    return found[0]


def new_column(column: str, roster: Roster) -> list[str]:
    """A warning if the gradebook lacks the column: Canvas knows an assignment by its number, or by its exact title."""
    if column in {known for each in roster.columns for known in (each, re.sub(r" \(\d+\)$", "", each))}:
        return []
    there = ", ".join(each for each in roster.columns if re.fullmatch(r".+ \(\d+\)", each)) or "none of an assignment"
    return [
        f"Warning: the gradebook has no column {column}, so Canvas will make a new assignment of it. It has {there}."
    ]


def feedback_names(download: Path, rows: Rows, roster: Roster, assignment: Assignment) -> dict[str, str]:
    """The name of each student's feedback in the zip for "Upload submissions", by the student's id.

    Canvas takes the first two numbers between the underscores of a name for those of the student and of a file that
    the student handed in. So each name begins as one in the `download`, which is read as a class is, and only who
    handed in a file gets feedback.
    """
    by_number: dict[str, Student] = {}
    for student, _ in rows:
        other = by_number.setdefault(student.keys.get("canvas", student.id), student)
        if other is not student:
            names = f"{other.name} ({other.id}) and {student.name} ({student.id})"
            raise CannotExport(f"{names} have one number of Canvas in the gradebook: export it again")
    with ExitStack() as stack:
        entries = top_of(download, set(), stack, assignment, roster).entries
        numbers = {student.keys.get("canvas", "") for student in roster.students}
        begins = _beginnings((entry.name for entry in entries if not entry.folder), numbers)
    return {
        student.id: f"{begins[number]}_{FEEDBACK}"
        for student, grade in rows
        if grade and (number := student.keys.get("canvas", "")) in begins
    }


def without_feedback(rows: Rows, names: Mapping[str, str], download: Path) -> list[str]:
    """A warning that names who gets points and no feedback, for want of a name in the `download`."""
    missing = [
        f"{student.name} ({student.id})"
        for student, grade in rows
        if grade and grade.points is not None and student.id not in names
    ]
    if not missing:
        return []
    there = f"{download.name} has no file of theirs with Canvas' numbers"
    return [
        f"Warning: no feedback for {counted(len(missing), 'student')} with points, as {there}: {some_of(missing, 10)}."
    ]


def _beginnings(names: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """The beginning of the first name of each student, by the student's number in Canvas, which is one of these.

    A name in which the numbers of two can be read, such as that of a group, tells of neither.
    """
    found: dict[str, str] = {}
    for name in names:
        steps = name.split("_")
        numbers = [place for place, step in enumerate(steps) if re.fullmatch(r"\d+", step, re.ASCII)]
        students = {steps[one] for one, other in pairwise(numbers) if other == one + 1 and steps[one] in known}
        if students and students == {steps[numbers[0]]}:
            found.setdefault(steps[numbers[0]], "_".join(steps[: numbers[1] + 1]))
    return found
