"""A student is an id: what belongs to it is no one else's, even where another has it as a login or a number."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.classroom.others import earlier_modules
from autograder.classroom.outgoing import CannotExport, Grade, Graded, feedback, joined
from autograder.classroom.run import Class, Options
from autograder.grading.results import Results
from autograder.platforms.canvas import grades as for_canvas
from autograder.platforms.gradescope import grades as for_gradescope
from autograder.submissions.layouts import Submitted, Upload, read_upload
from autograder.submissions.roster import Roster, Student, read_roster

NAMES = ["Ann Ames", "Bob Boole", "Cleo Clarke", "Dora Dirac"]
KEYS = ["zoe", "abe77", "1001", "1002"]
KINDS = ["id", "login", "sis user id", "canvas id", "email", "github username"]
UNTIL = datetime(2027, 1, 1, tzinfo=UTC)


@st.composite
def rosters(draw: st.DrawFn) -> list[list[str]]:
    """Students with a name and a key of each kind, each of which may be another student's key of another kind."""
    columns = [draw(st.permutations(KEYS)) for _ in KINDS]
    return [list(row) for row in zip(NAMES, *columns, strict=True)]


def roster_of(folder: Path, rows: Sequence[Sequence[str]], kinds: Sequence[str] = KINDS) -> Roster:
    file = io.StringIO()
    places = [0, *(1 + KINDS.index(kind) for kind in kinds)]
    csv.writer(file).writerows([["name", *kinds], *([row[place] for place in places] for row in rows)])
    (folder / "roster.csv").write_text(file.getvalue())
    return read_roster(folder / "roster.csv")


def graded(students: Sequence[Student], page: Path = Path("page.html")) -> Graded:
    """Each student with as many points as their name's place in NAMES."""
    grades = [Grade(who.id, who.name, who.keys, NAMES.index(who.name), "", {}, page) for who in students]
    return Graded(90, {}, grades)


@settings(max_examples=40)
@given(rosters())
def test_an_extension_is_that_of_who_has_the_id(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("class")
    (folder / "upload" / "Ann Ames").mkdir(parents=True)
    roster = roster_of(folder, rows)
    until = {who.id: UNTIL + timedelta(days=day) for day, who in enumerate(roster.students)}
    upload = read_upload(folder / "upload", CVAE, roster, until)
    assert {row.student: row.until for row in upload.submitted} == until


@pytest.mark.parametrize("keys", [("zoe", "zoe"), ("zoe", "abe77")])
def test_an_extension_under_a_key_of_several_is_asked_about(tmp_path: Path, keys: tuple[str, str]) -> None:
    (tmp_path / "upload" / "Ann Ames").mkdir(parents=True)
    (tmp_path / "roster.csv").write_text(
        f"id,name,login,github username\nada,Ann Ames,{keys[0]},\nbob,Bob Boole,{keys[1]},zoe\n"
    )
    upload = read_upload(tmp_path / "upload", CVAE, read_roster(tmp_path / "roster.csv"), {"zoe": UNTIL})
    assert not any(row.until for row in upload.submitted)
    assert "zoe does not count, since it may be that of Ann Ames (ada), Bob Boole (bob)" in upload.warnings[-1]


@settings(max_examples=60)
@given(
    rosters(), st.lists(st.sampled_from(KINDS), min_size=1, unique=True), st.booleans(), st.sets(st.sampled_from(NAMES))
)
def test_points_go_to_no_one_else(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], kinds: list[str], named: bool, there: set[str]
) -> None:
    """Keys are joined with keys of the same kind in the other roster, or the export stops."""
    folder = tmp_path_factory.mktemp("class")
    found = graded([who for who in roster_of(folder, rows).students if who.name in there])
    if not named:
        found = replace(found, grades=[replace(grade, name=grade.student) for grade in found.grades])
    other = joined(found, roster_of(folder, rows, kinds))
    assert {who.name: grade.points for who, grade in other if grade} == {name: NAMES.index(name) for name in there}


def test_an_id_of_another_kind_is_refused_by_the_name(tmp_path: Path) -> None:
    """Zoe's id is Bob's login, and the other roster has logins alone."""
    (tmp_path / "roster.csv").write_text("login,name\nz9,Zoe Ames\nzoe,Bob Boole\n")
    roster = read_roster(tmp_path / "roster.csv")
    grade = Grade("zoe", "Zoe Ames", {"id": "zoe"}, 80, "", {}, Path("page.html"))
    with pytest.raises(CannotExport, match=r"Zoe Ames \(zoe\) has an id of Bob Boole \(zoe\) in the roster"):
        joined(Graded(90, {}, [grade]), roster)
    assert [each for _, each in joined(Graded(90, {}, [replace(grade, points=None)]), roster)] == [None, None]


def test_who_is_missing_is_named_with_the_id(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text("id,name\nada,Ada\n")
    grades = [Grade(student, "Wang, Wei", {"id": student}, 80, "", {}, Path()) for student in ("wwang1", "wwang2")]
    with pytest.raises(CannotExport, match=r"Wang, Wei \(wwang1\), Wang, Wei \(wwang2\)"):
        joined(Graded(90, {}, grades), read_roster(tmp_path / "roster.csv"))


EMAILS = ["none@x.edu", "None@x.edu", "x/y@z.edu", "x_y@z.edu", "x_y@z.edu-2", "..\\..\\evil", "b", "", "a"]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(EMAILS), min_size=5, max_size=5))
def test_each_students_feedback_is_a_file(tmp_path_factory: pytest.TempPathFactory, emails: list[str]) -> None:
    page = tmp_path_factory.mktemp("class") / "page.html"
    page.write_text("<p>")
    students = [
        Student(key, key, {"id": key, **({"email": email} if email else {})}, {}, line)
        for line, (key, email) in enumerate(zip("abcde", emails, strict=True))
    ]
    rows = [(who, Grade(who.id, who.name, who.keys, 1, "", {}, page)) for who in students]
    names = for_gradescope.feedback_names(list(rows))
    assert len({name.casefold() for name in names.values()}) == len(feedback(list(rows), names)) == 5
    assert not any({"/", "\\"} & {*name} or name.startswith(".") for name in names.values())
    for who, email in zip(students, emails, strict=True):
        if emails.count(email) == 1 and email in ("x_y@z.edu", "x_y@z.edu-2"):
            assert names[who.id] == f"{email}.html"


def test_two_with_one_number_of_canvas_stop_the_feedback(tmp_path: Path) -> None:
    (tmp_path / "download").mkdir()
    (tmp_path / "download" / "ames_101_9_cs5814_vae.py").write_text("x = 1\n")
    (tmp_path / "roster.csv").write_text("id,name,canvas id\nada,Ada Ames,101\nbob,Bob Boole,101\n")
    roster = read_roster(tmp_path / "roster.csv")
    rows = joined(Graded(90, {}, []), roster)
    with pytest.raises(CannotExport, match=r"Ada Ames \(ada\) and Bob Boole \(bob\) have one number of Canvas"):
        for_canvas.feedback_names(tmp_path / "download", rows, roster, CVAE)


@pytest.mark.parametrize("name", ["ateam_101_102_9", "ateam_102_101_9", "a_102_9_101_9", "3_102_9"])
def test_a_name_with_two_numbers_of_canvas_tells_of_nobody(tmp_path: Path, name: str) -> None:
    (tmp_path / "download").mkdir()
    for each in (name, "boole_102_8"):
        (tmp_path / "download" / f"{each}_cs5814_vae.py").write_text("x = 1\n")
    (tmp_path / "roster.csv").write_text("id,name,canvas id\nada,Ada Ames,101\nbob,Bob Boole,102\n")
    roster = read_roster(tmp_path / "roster.csv")
    rows = joined(
        Graded(90, {}, [Grade(who.id, who.name, who.keys, 1, "", {}, tmp_path) for who in roster.students]), roster
    )
    names = for_canvas.feedback_names(tmp_path / "download", rows, roster, CVAE)
    assert names == {"bob": "boole_102_8_feedback.html"}


def test_each_earlier_term_is_compared_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under as much of its path as tells it from the others."""
    folders = [tmp_path / place for place in ("2024/hw3", "2025/hw3", "2025/old/hw3", "extra")]
    for number, folder in enumerate(folders):
        (folder / "ada").mkdir(parents=True)
        (folder / "ada" / CVAE.module).write_text(f"def loss_function(): return {number}\n")
    monkeypatch.chdir(folders[0])
    found = earlier_modules([Path("."), Path("../../2025/hw3/."), *folders], CVAE)
    assert list(found) == ["2024/hw3/ada", "2025/hw3/ada", "old/hw3/ada", "extra/ada"]
    assert len({*found.values()}) == 4


def test_a_student_may_be_called_as_the_solution(tmp_path: Path) -> None:
    solution, other = CVAE.solution.read_bytes(), b"x = 1\n"
    rows = [Submitted("the solution", other), Submitted("bob", solution)]
    taught = Class(
        Upload(rows), Results(tmp_path / "results", CVAE, 1), tmp_path, Options(known={"the solution": solution})
    )
    (group,) = taught._alike().groups
    assert (group.members, group.outside) == (("bob",), ("the solution (not in this class)",))
