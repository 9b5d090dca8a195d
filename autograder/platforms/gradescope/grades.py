"""A class's grades for Gradescope's roster, in the columns of its own "Download Grades"."""

from __future__ import annotations

from collections import Counter

from autograder.classroom.outgoing import Graded, Rows, cells, table
from autograder.classroom.written import file_names
from autograder.submissions.spelling import same


def gradebook(rows: Rows, graded: Graded, column: str, parts: bool) -> str:
    """Everyone in the roster, with the points, and with `parts` those of each part."""
    names = list(graded.parts) if parts else []
    header = ["First Name", "Last Name", "SID", "Email", column, f"{column} - Max Points"]
    lines = []
    for student, grade in rows:
        first, _, last = student.name.rpartition(" ")
        if "," in student.name:
            last, first = (each.strip() for each in student.name.split(",", 1))
        row = {title.casefold(): cell for title, cell in student.row.items()}
        who = [row.get("first name", first), row.get("last name", last), row.get("sid", student.id)]
        points, *rest = cells(grade, names)
        lines.append([*who, student.keys.get("email", ""), points, graded.most, *rest])
    return table([[*header, *names], *lines])


def feedback_names(rows: Rows) -> dict[str, str]:
    """A name for each student's feedback, by the student's id: the address if it is no one else's, or else the id."""
    addresses = Counter(same(student.keys.get("email", "")) for student, _ in rows)
    graded = [student for student, grade in rows if grade]
    own = {each.id: email for each in graded if addresses[same(email := each.keys.get("email", ""))] == 1 and email}
    names = file_names(own | {each.id: each.id for each in graded if each.id not in own})
    return {student: f"{name}.html" for student, name in names.items()}
