"""Grades and feedback on their way out: what a graded class has for each student, joined with a platform's roster."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from autograder.classroom.spreadsheet import harmless_cell
from autograder.points import shown
from autograder.report.summary import counted, listed
from autograder.submissions.roster import Roster, Student
from autograder.submissions.spelling import plain, same

_IDS = ("id", "other id", "likely id")  # kinds of keys between which there is no difference
_SPLIT = ("LastName", "FirstName")  # in place of “Student”, from a gradebook that shows names split


class CannotExport(ValueError):
    """A class and a roster do not fit together, or the class is not graded to the end."""


@dataclass(frozen=True)
class Grade:
    """What goes out for one student.

    Attributes:
        student, name, keys: as the class knows the student; the keys by their kinds, see `roster.KEYS`.
        points: the grade; None where nothing goes out.
        why: why nothing does.
        parts: the points of each part; empty where there is no grade.
        page: the file with the student's page.
    """

    student: str
    name: str
    keys: Mapping[str, str]
    points: float | None
    why: str
    parts: Mapping[str, float]
    page: Path

    @property
    def shown(self) -> str:
        """The name and, where they differ, the id."""
        return _with_id(self.name, self.student)


@dataclass(frozen=True)
class Graded:
    """A graded class: what can be had in all and in each part, and a grade for each student."""

    most: float
    parts: Mapping[str, float]
    grades: list[Grade]


def read_graded(folder: Path) -> Graded:
    """What `autograder class` wrote to `folder`. CannotExport if it did not, or not to the end."""
    try:
        found = json.loads((folder / "class.json").read_text("utf-8"))
        most = found["final"]["max_score"] if found["final"] else found["max_score"]
        parts = {part["name"]: part["max_score"] for row in found["students"] for part in row["parts"]}
        return Graded(most, parts, [_grade(row, folder) for row in found["students"]])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotExport(f"{folder} does not hold a class that was graded: {error}") from error


def _grade(row: dict[str, Any], folder: Path) -> Grade:
    why = ""
    if row["final"] is None:
        why = row["standing"]
    elif row["lacks_hand_points"]:
        why = "hand-graded points are missing"
    parts = {} if why else {part["name"]: part["score"] for part in row["parts"]}
    page = folder / unquote(row["page"])
    return Grade(row["student"], row["name"], row["keys"], None if why else row["final"], why, parts, page)


Rows = list[tuple[Student, Grade | None]]  # everyone in a roster, each with the grade


def joined(graded: Graded, roster: Roster) -> Rows:
    """Everyone in the roster, each with the grade. CannotExport where one with points has no own place there."""
    places: dict[str, Grade] = {}
    missing, said = [], []
    for grade in graded.grades:
        student, unclear = enrolled(grade.student, grade.name, grade.keys, roster)
        if student and student.id in places:
            said.append(f"{grade.shown} and {places[student.id].shown} are both {_shown(student)}")
        elif student:
            places[student.id] = grade
        elif grade.points is not None:
            said += [f"{unclear}: grade the class with that roster"] * bool(unclear)
            missing += [grade.shown] * (not unclear)
    if missing:
        ids = listed(dict.fromkeys(roster.students[0].keys.values()))
        said += [f"not in the roster: {', '.join(missing)}", f"it lists students by ids such as {ids}"]
    if said:
        raise CannotExport("; ".join(said))
    return [(student, places.get(student.id)) for student in roster.students]


def enrolled(student: str, name: str, keys: Mapping[str, str], roster: Roster) -> tuple[Student | None, str]:
    """Who in the roster has these keys, or else this id or an id of any kind; and if that is unclear, why."""
    people = _by_kind(keys, roster)
    if len(people) == 1:
        return people[0], ""
    people = people or _by_any_id(student, name, keys, roster)
    shown = _with_id(name, student)
    if len(people) > 1:
        return None, f"{shown} may be {' or '.join(map(_shown, people))} in the roster"
    for who in people:
        if name != student and who.name != who.id and no_shared_word(name, who.name):
            return None, f"{shown} has an id of {_shown(who)} in the roster, but another name"
    return next(iter(people), None), ""


def _by_kind(keys: Mapping[str, str], roster: Roster) -> list[Student]:
    """Who has one of these keys alone, as a key of the same kind; if nobody has, an address may be a login."""
    found: dict[Student, None] = {}
    for alike in ((_IDS,), (_IDS, ("email", "login"))):
        for kind, key in keys.items() if not found else ():
            kinds = next((each for each in alike if kind in each), (kind,))
            people = [
                who for who in roster.having(key) if same(key) in {same(who.keys.get(each, "")) for each in kinds}
            ]
            found |= dict.fromkeys(people) if len(people) == 1 else {}
    return list(found)


def _by_any_id(student: str, name: str, keys: Mapping[str, str], roster: Roster) -> list[Student]:
    """Who has this id, which may be another's id of another kind: then the name may decide."""
    ids = [each for each in (student, *(keys.get(kind, "") for kind in _IDS)) if each]
    people = list(dict.fromkeys(who for key in ids for who in roster.having(key)))
    named = [who for who in people if who in roster.named(name)]
    if people:
        return named if len(named) == 1 else people
    by_kind = (roster.find(key, kind) for kind, key in keys.items() if kind not in _IDS)
    return list(islice(filter(None, chain(by_kind, map(roster.find, ids))), 1))


def no_shared_word(name: str, other: str) -> bool:
    """Whether no word of a name is in the other one, with or without accents."""
    words, others = ({*re.findall(r"\w+", plain(each))} for each in (name, other))
    return words.isdisjoint(others)


def _shown(student: Student) -> str:
    return _with_id(student.name, student.id)


def _with_id(name: str, id: str) -> str:
    return name if same(name) == same(id) else f"{name} ({id})"


def canvas_identity(columns: Iterable[str] = ()) -> list[str]:
    """The columns by which Canvas knows a student, of a gradebook with these columns.

    Canvas takes a file only with all of them before the grades, in this order and under exactly these names.
    """
    there = {bare(each) for each in columns}
    split = all(bare(each) in there for each in _SPLIT)
    optional = [each for each in ("Integration ID", "Root Account") if bare(each) in there]
    return [*(_SPLIT if split else ("Student",)), "ID", "SIS User ID", "SIS Login ID", *optional, "Section"]


def identify(student: Student, identity: list[str]) -> list[str]:
    """What a gradebook has of a student in these columns; empty where it lacks one."""
    known = {bare(column): cell for column, cell in student.row.items()}
    return [known.get(bare(each), "") for each in identity]


def bare(title: str) -> str:
    """A title for comparison: without case, punctuation and spaces."""
    return re.sub(r"[\W_]", "", title.casefold())


def table(rows: Iterable[Iterable[object]]) -> str:
    """Rows as CSV, all text quoted, and no cell of it a formula."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([harmless_cell(cell) for cell in row] for row in rows)
    return file.getvalue()


def cells(grade: Grade | None, parts: Iterable[str]) -> list[float | str]:
    """The grade and the points of these parts, for a table; empty where nothing goes out."""
    if grade is None or grade.points is None:
        return [""] * (1 + len(list(parts)))
    return [grade.points, *(grade.parts.get(part, "") for part in parts)]


def lines(rows: Rows, most: float, feedback: Mapping[str, str]) -> list[str]:
    """Who gets what, a line each, and the counts, which add up. `feedback` has the file for a student, by id."""
    said = []
    for student, grade in rows:
        if grade is None or grade.points is None:
            gets = f"nothing ({grade.why if grade else 'not in the class'})"
        else:
            gets = f"{shown(grade.points)} of {shown(most)}"
        said.append(f"{_shown(student)}: {gets}{f', {feedback[student.id]}' if student.id in feedback else ''}")
    graded = sum(grade is not None and grade.points is not None for _, grade in rows)
    with_feedback = sum(student.id in feedback for student, _ in rows)
    return [
        *said,
        f"{counted(len(rows), 'student')}: {graded} with points, {len(rows) - graded} without; "
        f"{with_feedback} with feedback.",
    ]


def feedback(rows: Rows, names: Mapping[str, str]) -> dict[str, bytes]:
    """The files of the zip, by name."""
    return {names[student.id]: grade.page.read_bytes() for student, grade in rows if grade and student.id in names}
