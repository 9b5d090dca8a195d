"""A class joined with nbgrader's gradebook: everyone in either has one row, with the gradebook's numbers."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.classroom.entries import Entry, Recorded
from autograder.classroom.figures import figures
from autograder.classroom.page import closing
from autograder.classroom.similarity import Alike
from autograder.cli import app
from autograder.platforms.nbgrader import gradebook
from autograder.platforms.nbgrader.around import course_around, extensions_of, gradebook_of
from autograder.platforms.nbgrader.gradebook import NoGradebook, join
from autograder.submissions.layouts import Submitted, Upload
from tests.test_class_page import missing

DUE = datetime(2026, 12, 1, 4, 59)
MADE = Callable[[Path], str]


@pytest.fixture
def address(new_gradebook: MADE, tmp_path: Path) -> str:
    """A gradebook with the assignment, an automatic part and one by hand, and three students."""
    address = new_gradebook(tmp_path)
    assert CVAE.by_hand is not None
    with Gradebook(address) as book:
        book.add_assignment(CVAE.kit, duedate=DUE)
        book.add_notebook("cvae", CVAE.kit)
        for name, points in (("encoder", CVAE.points), *CVAE.by_hand.shares.items()):
            book.add_grade_cell(name, "cvae", CVAE.kit, max_score=points, cell_type="code")
        for student in ("ada", "bob", "eve"):
            number = {} if student == "eve" else {"lms_user_id": f"1{student}"}
            book.add_student(student, first_name=student.title(), last_name="Doe", **number)
    return address


def hand_in(address: str, student: str, automatic: float, by_hand: float | None, **facts: Any) -> None:
    assert CVAE.by_hand is not None
    with Gradebook(address) as book:
        submission = book.add_submission(CVAE.kit, student, **facts)
        grades = {grade.name: grade for notebook in submission.notebooks for grade in notebook.grades}
        grades["encoder"].auto_score = automatic
        for name, share in CVAE.by_hand.shares.items():
            grades[name].manual_score = None if by_hand is None else by_hand * share / CVAE.by_hand.points
            grades[name].needs_manual_grade = by_hand is None
        book.db.commit()


def upload(*students: str) -> Upload:
    return Upload([Submitted(student, b"x = 1", name=student) for student in students])


def test_everyone_in_either_has_one_row(address: str) -> None:
    joined, recorded = join(upload("ada", "zoe"), address, CVAE)
    assert sorted(each.student for each in joined.submitted) == ["ada", "bob", "eve", "zoe"]
    assert {each.student: each.nothing for each in joined.submitted} == {
        "ada": False, "bob": True, "eve": True, "zoe": False
    }  # fmt: skip
    assert {each.name for each in joined.submitted} == {"Ada Doe", "Bob Doe", "Eve Doe", "zoe"}
    assert recorded == {}


@pytest.mark.parametrize(("enrolled", "line"), [
    (1, "1 in the roster and 2 who are not: 1 without a module, 2 handed in nothing."),
    (None, "3 students: 1 without a module, 2 handed in nothing."),
])  # fmt: skip
def test_who_left_the_roster_is_counted_apart(address: str, enrolled: int | None, line: str) -> None:
    """The gradebook keeps everyone who was ever in the roster."""
    row = Submitted("ada", None, "there is none", name="ada")
    joined, _ = join(Upload([row], enrolled=enrolled), address, CVAE)
    entries = [Entry(each.student, missing(), submitted=each) for each in joined.submitted]
    assert closing(figures(entries, Alike(), CVAE, joined)) == line
    assert {each.student for each in joined.submitted if each.unlisted} == ({"bob", "eve"} if enrolled else set())


def test_numbers_are_those_of_the_gradebook(address: str) -> None:
    late = DUE + timedelta(hours=25)
    hand_in(address, "ada", 83.5, 7.5, timestamp=late)
    hand_in(address, "bob", 90, None, timestamp=late, extension=timedelta(days=2))
    with Gradebook(address) as book:
        book.find_submission_notebook("cvae", CVAE.kit, "ada").late_submission_penalty = 20
        book.db.commit()
        expected = {each.student.id: each.score - 20 * (each.student.id == "ada")
                    for each in book.assignment_submissions(CVAE.kit)}  # fmt: skip
    _, recorded = join(upload("ada", "bob", "eve"), address, CVAE)
    assert {student: each.final for student, each in recorded.items()} == expected
    assert (recorded["ada"].late, recorded["ada"].until, recorded["ada"].by_hand) == (True, None, 7.5)
    assert (recorded["bob"].late, recorded["bob"].by_hand) == (False, None)
    assert recorded["bob"].until is not None
    assert recorded["bob"].until.replace(tzinfo=None) == DUE + timedelta(days=2)


@pytest.mark.parametrize("due", ["2026-11-10", "2026-12-01", "2026-12-07"])
def test_the_gradebooks_due_date_counts_for_everyone(address: str, tmp_path: Path, due: str) -> None:
    """Whether or not nbgrader has graded somebody, with or without an extension."""
    for student in ("ada", "bob"):
        folder = tmp_path / "submitted" / student / CVAE.kit
        folder.mkdir(parents=True)
        (folder / "timestamp.txt").write_text("2026-12-03 12:00:00 UTC")
    extended = tmp_path / "extensions.csv"
    extended.write_text("student,until\nbob,2026-12-04 04:59 UTC\n")
    with Gradebook(address) as book:
        book.update_or_create_assignment(CVAE.kit, duedate=datetime.fromisoformat(f"{due} 04:59"))
    arguments = ["class", str(tmp_path / "submitted"), "--out", str(tmp_path / "out"), "--gradebook", address]
    ended = CliRunner().invoke(app, [*arguments, "--extensions", str(extended)])
    assert ended.exit_code == 0, ended.output
    found = json.loads((tmp_path / "out" / "class.json").read_text())
    late = {row["student"]: row["late"] for row in found["students"]}
    assert (late["ada"], late["bob"]) == (due < "2026-12-03", False)
    assert any("not after the due date" in said for said in found["warnings"]) is (due > "2026-12-04")
    assert any(f"the due date of the gradebook counts, {due}" in said for said in found["warnings"]) is (
        due != f"{DUE:%Y-%m-%d}"
    )


def test_each_cell_by_hand_is_one_that_the_ta_gives(address: str) -> None:
    """With one of them still to be given the grade is not complete; and none of them is points of the checks."""
    assert CVAE.by_hand is not None
    for name in CVAE.by_hand.shares:
        hand_in(address, "ada", 90, 10)
        with Gradebook(address) as book:
            grade = book.find_grade(name, "cvae", CVAE.kit, "ada")
            grade.manual_score, grade.needs_manual_grade = None, True
            book.db.commit()
        _, recorded = join(upload("ada"), address, CVAE)
        assert (recorded["ada"].automatic, recorded["ada"].by_hand) == (90, None)
        with Gradebook(address) as book:
            book.remove_submission(CVAE.kit, "ada")


def test_students_are_found_by_canvas_number(address: str) -> None:
    hand_in(address, "ada", 80, 5)
    each = Submitted("doeada_17", b"", name="doeada", keys={"canvas": "1ada"})
    joined, recorded = join(Upload([each]), address, CVAE)
    assert list(recorded) == ["doeada_17"]
    assert len(joined.submitted) == 3


KINDS = ["login", "sis", "canvas", "email", "github"]


@settings(max_examples=50)
@given(st.lists(st.permutations(["ada", "bob", "eve"]), min_size=len(KINDS), max_size=len(KINDS)))
def test_a_students_points_are_those_under_the_own_id(columns: list[list[str]]) -> None:
    """A key of any kind, such as a login or a name on GitHub, may be another student's id."""
    students = ["ada", "bob", "eve"]
    keys = [dict(zip(KINDS, each, strict=True)) for each in zip(*columns, strict=True)]
    rows = [
        Submitted(student, b"", name=student.title(), keys={"id": student, **theirs})
        for student, theirs in zip(students, keys, strict=True)
    ]
    book = [
        gradebook._Student(row.student, "", row.keys["canvas"], Recorded(80, place, 100))
        for place, row in enumerate(rows)
    ]
    with mock.patch.object(gradebook, "_read", return_value=book):
        joined, recorded = join(Upload(rows), "", CVAE)
    assert [recorded[student].by_hand for student in students] == [0, 1, 2]
    assert len(joined.submitted) == 3
    assert not joined.warnings


@pytest.mark.parametrize(
    ("first", "second", "whose", "said"),
    [
        ({"github": "ada"}, {"login": "ada"}, "2", "Ada Ames (2) or Ada Doe (1): it is read as Ada Ames (2)"),
        ({"email": "ada"}, {"email": "ada"}, "ada", "Ada Doe (1) or Ada Ames (2): its points are in the row of `ada`"),
        ({"login": "ada"}, {}, "1", ""),
        ({"login": "ada@x.edu"}, {}, "1", ""),
        ({}, {"login": "bob"}, "ada", "`bob` in the gradebook may be Ada Ames (2): its points are in the row of `bob`"),
    ],
)
def test_an_id_that_may_be_several_students_is_said(
    address: str, first: dict[str, str], second: dict[str, str], whose: str, said: str
) -> None:
    """What an institution gives comes before what students choose; one with another name is another student."""
    hand_in(address, "ada", 80, 5)
    rows = [
        Submitted("1", b"", name="Ada Doe", keys=first),
        Submitted("2", b"", name="Ada Ames", keys=second),
        Submitted("eve", b""),
    ]
    joined, recorded = join(Upload(rows), address, CVAE)
    assert list(recorded) == [whose]
    assert [each.split("in the gradebook may be ")[1] for each in joined.warnings] == [
        said.split("in the gradebook may be ")[-1]
    ] * bool(said)
    marked = {each.student for each in joined.submitted if each.attention}
    assert bool(marked) == bool(said)


def test_the_gradebook_of_another_class_is_refused(address: str) -> None:
    with pytest.raises(NoGradebook, match="nobody in the gradebook is in this class"):
        join(upload("x", "y"), address, CVAE)


@pytest.mark.parametrize("wrong", ["sqlite:///no/such/gradebook.db", "nonsense", "sqlite://"])
def test_a_gradebook_that_is_not_there_is_told(wrong: str) -> None:
    with pytest.raises(NoGradebook):
        join(upload("ada"), wrong, CVAE)
    assert not Path("no").exists()


def test_the_course_around_submissions_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBGRADER_DB", raising=False)
    (tmp_path / "submitted").mkdir()
    assert course_around(tmp_path / "submitted") is None
    assert (gradebook_of(None), extensions_of(None)) == (None, None)
    (tmp_path / "nbgrader_config.py").touch()
    (tmp_path / "gradebook.db").touch()
    course = course_around(tmp_path / "submitted")
    assert gradebook_of(course) == f"sqlite:///{tmp_path / 'gradebook.db'}"
    assert extensions_of(course) is None
