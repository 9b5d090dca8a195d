"""A term of 24, from Canvas' download to grades and feedback on Canvas: at each step the numbers add up."""

import csv
import json
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook

from autograder.assignment import due_date
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.platforms.nbgrader.course import build_course
from autograder.points import split
from autograder.sandbox.isolation import why_not
from tests.nbgrader.class_of_students import BLANK, WRONG
from tests.nbgrader.conftest import Command, command_in
from tests.pages import Page
from tests.submissions import correct

pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_not("bubblewrap") is not None, reason="bubblewrap")]

RIGHT = correct.CORRECT["sub-modules"]
MODULES = {"right": RIGHT, "variance": WRONG["variance-as-std"], "no-exp": WRONG["kl-without-exp"], "blank": BLANK}
KINDS = [*["right"] * 9, *["variance"] * 5, *["no-exp"] * 4, "blank", "late", "extended", "wrong name", "broken", ""]
NUMBERS = range(101, 125)
COLUMN = "Homework 3 Part 3 (998877)"
DUE = due_date(CVAE.due)
AFTER = DUE + timedelta(hours=25)
BY_HAND = 8.0
FINAL = "final"


def kinds() -> dict[int, str]:
    assert len(KINDS) == len(NUMBERS)
    return dict(zip(NUMBERS, KINDS, strict=True))


def file_of(number: int, kind: str) -> tuple[str, bytes] | None:
    late = "LATE_" if kind in ("late", "extended") else ""
    start = f"doe{number}x_{late}{number}_{number + 9000}"
    match kind:
        case "":
            return None
        case "wrong name":
            return f"{start}_report.txt", b"see my notebook"
        case "broken":
            return f"{start}_homework.zip", b"PK\x03\x04 cut off"
    return f"{start}_{CVAE.module}", MODULES.get(kind, RIGHT).encode()


@dataclass
class Term:
    """The course folder, and what is run in it."""

    course: Path
    nbgrader: Command

    def autograder(self, *arguments: object) -> str:
        command = [sys.executable, "-m", "autograder", *map(str, arguments)]
        run = subprocess.run(command, cwd=self.course, capture_output=True, text=True, check=False, timeout=900)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def grade(self, *options: object) -> str:
        return self.autograder(
            "class", "submitted", "--out", "class", "--results", "reports", "--roster", "roster.csv", *options
        )

    @property
    def gradebook(self) -> str:
        return f"sqlite:///{self.course / 'gradebook.db'}"

    def give(self, numbers: list[int]) -> None:
        """Points by hand, as formgrader writes them."""
        assert CVAE.by_hand is not None
        shares = CVAE.by_hand.shares
        points = dict(zip(shares, split(BY_HAND, list(shares.values())), strict=True))
        with Gradebook(self.gradebook) as book:
            for number in numbers:
                submission = book.find_submission(CVAE.kit, f"L{number}")
                for grade in (grade for notebook in submission.notebooks for grade in notebook.grades):
                    if grade.name in points:
                        grade.manual_score, grade.needs_manual_grade = points[grade.name], False
            book.db.commit()

    def recorded(self) -> dict[str, float]:
        """The final grades in the gradebook, penalty taken off, of those who handed in."""
        with Gradebook(self.gradebook) as book:
            return {
                each.student.id: max(0.0, round(each.score - each.late_submission_penalty, 2))
                for each in book.assignment_submissions(CVAE.kit)
            }

    def figures(self) -> dict[str, Any]:
        return json.loads((self.course / "class" / "class.json").read_text("utf-8"))

    def balanced(self) -> dict[str, Any]:
        """The figures of the class, after everything that must be equal was compared."""
        found, folder = self.figures(), self.course / "class"
        standings = ("graded", "not_started", "stopped", "no_module", "nothing_handed_in", "grader_failed")
        assert sum(found[each] for each in standings) == found["submissions"] == len(found["students"]) == 24
        table = rows(folder / "grades.csv")
        page = Page((folder / "index.html").read_text("utf-8"))
        for column, key in (("score", "score"), (FINAL, FINAL), ("points_by_hand", "by_hand"), ("penalty", "penalty")):
            assert {row["student"]: number(row[column]) for row in table} == {
                row["student"]: row[key] for row in found["students"]
            }
        review = {row["student"] for row in table if row["attention"]}
        assert review == {row["student"] for row in found["attention"]}
        assert page.text.split("All students")[1].count("review by hand") == len(review)
        assert sum(bar["students"] for bar in found["distribution"]) == found["graded"]
        if found[FINAL]:
            assert found[FINAL]["complete"] + len(found[FINAL]["lacking"]) == found[FINAL]["students"]
            assert sum(bar["students"] for bar in found[FINAL]["distribution"]) == found[FINAL]["complete"]
            recorded = self.recorded()
            assert {row["student"]: row[FINAL] for row in found["students"] if row["student"] in recorded} == recorded
        return found


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def number(cell: str) -> float | None:
    return float(cell) if cell else None


@pytest.fixture
def term(tmp_path: Path) -> Term:
    course = tmp_path / "course"
    build_course(CVAE, course)
    lines = [f"Student;ID;SIS User ID;SIS Login ID;Section;{COLUMN}", "    Points Possible;;;;;100"]
    lines += [f"Doe, N{each};{each};s{each};L{each};S1;" for each in NUMBERS]
    (course / "roster.csv").write_text("\n".join(lines))
    (course / "extensions.csv").write_text(f"student,until\nL{NUMBERS[20]},{(AFTER + timedelta(days=1)).isoformat()}\n")
    nbgrader = command_in(course, tmp_path)
    nbgrader("generate_assignment", CVAE.kit)
    nbgrader("db", "assignment", "add", CVAE.kit, f"--duedate={CVAE.due}")
    archive = course / "downloaded" / CVAE.kit / "archive"
    archive.mkdir(parents=True)
    with zipfile.ZipFile(archive / "submissions.zip", "w") as download:
        for who, kind in kinds().items():
            if file := file_of(who, kind):
                download.writestr(*file)
    nbgrader("zip_collect", CVAE.kit)
    for who in (NUMBERS[19], NUMBERS[20]):
        (course / "submitted" / f"L{who}" / CVAE.kit / "timestamp.txt").write_text(AFTER.isoformat())
    return Term(course, nbgrader)


def test_a_term_of_24(term: Term) -> None:
    term.grade("--seed", 1, "--no-repairs")
    first = term.balanced()
    assert (first["graded"], first["not_started"], first["no_module"], first["nothing_handed_in"]) == (20, 1, 2, 1)
    assert len(first["late"]) == 1
    fast = ("--RunNotebook.enabled=False", "--TrustedGrades.seed=1")
    term.nbgrader("autograde", CVAE.kit, *fast)

    term.grade("--seed", 1)  # the gradebook of the course is found
    lacking = term.balanced()[FINAL]["lacking"]
    assert len(lacking) == 23
    term.give([who for who, kind in kinds().items() if kind and who != NUMBERS[0]])
    said = term.grade("--seed", 1, "--gradebook", term.gradebook)
    found = term.balanced()
    assert [each["student"] for each in found[FINAL]["lacking"]] == [f"L{NUMBERS[0]}"]
    assert "Hand-graded points missing: 1" in said
    assert [each["student"] for each in found["late"]] == [f"L{NUMBERS[19]}"]
    assert [each["student"] for each in found["extended"]] == [f"L{NUMBERS[20]}"]
    late = next(row for row in found["students"] if row["student"] == f"L{NUMBERS[19]}")
    assert (late["score"], late["penalty"], late[FINAL]) == (CVAE.points, 20, CVAE.points + BY_HAND - 20)
    assert [group["members"][0]["student"] for group in found["groups"] if len(group["members"]) == 11] != []

    # A check turns out to be unfair.
    lost = next(check for part in found["parts"] for check in part["checks"] if check["students"] == 4)
    before = {path: path.read_bytes() for path in (term.course / "class").rglob("*") if path.is_file()}
    said = term.grade("--seed", 1, "--compare", "class", "--drop", lost["name"])
    assert "points rise for 4, fall for 0, and stay the same for 20" in said
    assert before == {path: path.read_bytes() for path in (term.course / "class").rglob("*") if path.is_file()}
    drop = f"--TrustedGrades.drop={lost['name']}"
    term.nbgrader("autograde", CVAE.kit, "--force", *fast, drop)
    term.grade("--seed", 1, "--drop", lost["name"])
    changed = term.balanced()
    assert len(changed["adjusted"]) == 1
    assert not [row for row in changed["attention"] if "gradebook has" in " ".join(row["reasons"])]
    scores = {row["student"]: row["score"] for row in found["students"]}
    gained = [row for row in changed["students"] if row["score"] > scores[row["student"]]]
    assert len(gained) == int(re.search(r"points rise for (\d+)", said)[1])  # type: ignore[index]

    # Out to Canvas.
    options = ("--canvas", "roster.csv", "--submissions", f"downloaded/{CVAE.kit}/archive/submissions.zip")
    said = term.autograder("export", "class", *options, "--dry-run")
    assert not (term.course / "out").exists()
    assert len(said.strip().splitlines()) == 24 + 2
    assert "24 students: 22 with points, 2 without; 23 with feedback." in said
    term.autograder("export", "class", *options, "--parts")
    possible, *uploaded = rows(term.course / "out" / "canvas.csv")
    assert float(possible[COLUMN]) == 100
    final = {row["student"]: row[FINAL] for row in changed["students"] if not row["lacks_hand_points"]}
    assert {row["SIS Login ID"]: number(row[COLUMN]) for row in uploaded} == final | {f"L{NUMBERS[0]}": None}
    with zipfile.ZipFile(term.course / "out" / "feedback.zip") as feedback:
        for name in feedback.namelist():  # as Canvas reads it: the first two numbers between underscores
            student, attachment = [piece for piece in name.split("_") if piece.isdigit()][:2]
            assert int(attachment) == int(student) + 9000
        assert len(feedback.namelist()) == 23
    with zipfile.ZipFile(term.course / "out" / "feedback.zip") as feedback:
        assert b"was dropped for everyone" in feedback.read(
            f"doe{NUMBERS[1]}x_{NUMBERS[1]}_{NUMBERS[1] + 9000}_feedback.html"
        )
