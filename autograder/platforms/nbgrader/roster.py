"""The roster in the course folder, and its students in nbgrader's gradebook."""

from collections.abc import Callable
from pathlib import Path

from nbgrader.api import Gradebook

from autograder.submissions.roster import Roster, Student, read_roster, same

ROSTER = "roster.csv"


def course_roster(course: Path) -> Roster | None:
    """The roster in the course folder, if there is one. RosterError where it cannot be read."""
    return read_roster(course / ROSTER) if (course / ROSTER).exists() else None


def same_student(course: Path, student: str) -> Callable[[str], bool]:
    """Whether a key, as people write it, means the student whom nbgrader knows by this id."""
    roster = course_roster(course)
    known = roster.find(student) if roster else None

    def is_same(key: str) -> bool:
        return same(key) == same(student) or (roster is not None and known is not None and roster.find(key) is known)

    return is_same


def enroll(gradebook: Gradebook, roster: Roster) -> None:
    """Give everyone in the roster a row in the gradebook, with the roster's names; others there stay as they are."""
    there = {student.id: student for student in gradebook.students}
    for each in roster.students:
        facts = facts_of(each)
        known = there.get(each.id)
        if known is None or any(getattr(known, name) != value for name, value in facts.items()):
            gradebook.update_or_create_student(each.id, **facts)


def facts_of(student: Student) -> dict[str, str]:
    """What nbgrader keeps of a student, as far as the roster has it."""
    row = {column.casefold().replace("_", " "): cell for column, cell in student.row.items()}
    last, comma, first = student.name.partition(",")
    if not comma:
        first, _, last = student.name.rpartition(" ")
    facts = {
        "first_name": row.get("first name", first.strip()),
        "last_name": row.get("last name", last.strip()),
        "email": student.keys.get("email", ""),
        "lms_user_id": student.keys.get("canvas", ""),
    }
    return {name: value for name, value in facts.items() if value}
