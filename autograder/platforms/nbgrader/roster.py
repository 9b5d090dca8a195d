"""The roster in the course folder, and its students in nbgrader's gradebook."""

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from nbgrader.api import Gradebook

from autograder.classroom.outgoing import bare
from autograder.submissions.roster import Roster, Student, read_roster
from autograder.submissions.spelling import same

ROSTER = "roster.csv"
MAX_NAME = 120  # characters, and bytes twice that: nbgrader's tables hold 128 characters, a name on disk 255 bytes

_UNFIT = r"\x00-\x1f\x7f-\x9f\ud800-\udfff"  # what a line of a log, a table or a path cannot hold
_PATTERN = r"\[\]*?"  # what nbgrader's patterns take for more than itself


def course_roster(course: Path) -> Roster | None:
    """The roster in the course folder, if there is one. RosterError where it cannot be read."""
    return read_roster(course / ROSTER) if (course / ROSTER).exists() else None


def same_student(course: Path, student: str) -> Callable[[str], bool]:
    """Whether a key, as people write it, means the student whom nbgrader knows by this id."""
    roster = course_roster(course)
    people = roster.students if roster else []
    known = [who for who in people if folder_name(who.id) == student] or (having(student, roster) if roster else [])

    def is_same(key: str) -> bool:
        return same(key) == same(student) or (roster is not None and len(known) == 1 and having(key, roster) == known)

    return is_same


def having(key: str, roster: Roster) -> list[Student]:
    """Who has this as the own id, or else as an id of any kind, which several students may have."""
    own = [who for who in roster.students if same(who.id) == same(key)]
    return own or roster.having(key) or [who for who in [roster.find(key)] if who]


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
    fit = {column: _cut(re.sub(rf"[{_UNFIT}]", "_", value)) for column, value in facts.items()}
    return {column: value for column, value in fit.items() if value or column == "first_name"}


def is_name(name: str) -> bool:
    """Whether something called so can be copied, listed and logged by this name, wherever it comes from."""
    return name == _cut(name) and not re.search(rf"[{_UNFIT}]", name)


def is_id(name: str) -> bool:
    """Whether nbgrader takes this for the id of one student: its patterns pass over hidden folders."""
    return is_name(name) and name == (name.strip(" .") or "_") and not re.search(rf"[{_PATTERN}]", name)


def folder_name(student: str) -> str:
    """The student's id in nbgrader: a name that `is_id`, and no other student's."""
    name = _cut(re.sub(rf"[{_PATTERN}{_UNFIT}/]", "_", student)).strip(" .") or "_"
    if name == student:
        return name
    return f"{name}-{hashlib.sha256(student.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"


def _cut(name: str) -> str:
    return name[:MAX_NAME].encode("utf-8", "surrogatepass")[: 2 * MAX_NAME].decode("utf-8", "ignore")
