"""A class's grades for Gradescope's roster, in the columns of its own "Download Grades"."""

from __future__ import annotations

from autograder.classroom.outgoing import Graded, Rows, cells, table


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
    """A name for each student's feedback, by the student's id: the address, or else the id."""
    return {
        student.id: f"{student.keys.get('email') or student.id}.html".replace("/", "_")
        for student, grade in rows
        if grade
    }
