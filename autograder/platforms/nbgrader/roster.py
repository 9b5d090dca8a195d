"""The roster in the course folder, and its students in nbgrader's gradebook."""

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from nbgrader.api import Gradebook

from autograder.classroom.outgoing import bare
from autograder.submissions.roster import Roster, read_roster, same

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
        known, facts = there.get(folder_name(each.id)), facts_of(each.name, each.keys, each.row)
        if known is None or any(getattr(known, name) != value for name, value in facts.items()):
            gradebook.update_or_create_student(folder_name(each.id), **facts)


def facts_of(name: str, keys: Mapping[str, str], row: Mapping[str, str] | None = None) -> dict[str, str]:
    """What nbgrader keeps of a student, as far as it is known: names, and the ids by which platforms know them."""
    given = {bare(column): cell for column, cell in (row or {}).items()}
    last, comma, first = name.partition(",")
    if not comma:
        first, _, last = name.rpartition(" ")
    facts = {
        "first_name": given.get("firstname", first.strip()),
        "last_name": given.get("lastname", last.strip()),
        "email": keys.get("email", ""),
        "lms_user_id": keys.get("canvas", ""),
    }
    return {column: value for column, value in facts.items() if value or column == "first_name"}


def folder_name(student: str) -> str:
    """The student's id in nbgrader: a folder's name without what nbgrader's patterns take for more than itself."""
    name = re.sub(r"[\[\]*?+/\\\x00-\x1f\x7f-\x9f]", "_", student).strip(" .") or "_"
    return name if name == student else f"{name}-{hashlib.sha256(student.encode('utf-8', 'replace')).hexdigest()[:6]}"
