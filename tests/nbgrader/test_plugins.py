"""nbgrader's plugins for this course, and the course folder."""

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.assignments.cvae import assignment
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.classroom.outgoing import Graded
from autograder.classroom.spreadsheet import harmless_cell
from autograder.platforms.canvas import grades as canvas
from autograder.platforms.nbgrader import course, plugins
from autograder.submissions.roster import read_roster
from tests.nbgrader.class_of_students import NOTEBOOK


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM", "'@SUM"),
        (" =1", "' =1"),
        ("\t=1", "' =1"),
        ("a\r\n=1", "a =1"),
        ("Ann-Marie", "Ann-Marie"),
        (-1.5, -1.5),
    ],
)
def test_no_cell_is_a_formula(cell: object, written: object) -> None:
    assert harmless_cell(cell) == written


@pytest.fixture
def gradebook(tmp_path: Path, new_gradebook: Callable[[Path], str]) -> Iterator[Gradebook]:
    book = Gradebook(new_gradebook(tmp_path))
    book.add_assignment(CVAE.kit, duedate=datetime(2026, 11, 30))
    book.add_notebook(NOTEBOOK, CVAE.kit)
    book.add_grade_cell("encoder", NOTEBOOK, CVAE.kit, max_score=15, cell_type="code")
    book.add_student("doe", first_name="Jane", last_name="Doe", email="doe@example.edu")
    book.add_student("roe", first_name="=1+1", last_name="Roe")
    book.add_submission(CVAE.kit, "doe", timestamp=datetime(2026, 12, 1, 1, tzinfo=UTC).replace(tzinfo=None))
    book.find_grade("encoder", NOTEBOOK, CVAE.kit, "doe").auto_score = 12.5
    book.find_submission_notebook(NOTEBOOK, CVAE.kit, "doe").late_submission_penalty = 10
    book.db.commit()
    yield book
    book.close()


def exported(exporter: plugins.RosterExport, gradebook: Gradebook) -> list[list[str]]:
    exporter.export(gradebook)
    with open(exporter.to, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_canvas_without_a_roster(gradebook: Gradebook, tmp_path: Path) -> None:
    assert exported(plugins.CanvasExport(to=str(tmp_path / "out.csv")), gradebook) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", CVAE.kit],
        ["    Points Possible", "", "", "", "", "15.0"],
        ["Doe, Jane", "", "", "doe", "", "2.5"],
        ["Roe, =1+1", "", "", "roe", "", ""],
    ]


CANVAS = (
    "\ufeffStudent{0}ID{0}SIS User ID{0}SIS Login ID{0}Section{0}Homework 3 Part 3 (4711)\n"
    "    Points Possible{0}{0}{0}{0}{0}15\n"
    "Doe J.{0}77{0}d0e{0}DOE{0}S1{0}\nRoe{0}78{0}r0e{0}roe{0}S1{0}\nPoe{0}79{0}p0e{0}poe{0}S1{0}\n"
)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_canvas_with_its_own_roster(gradebook: Gradebook, tmp_path: Path, separator: str) -> None:
    """Everyone in it has a row; its own column has another title than nbgrader's, that of the assignment."""
    roster = tmp_path / "roster.csv"
    roster.write_text(CANVAS.format(separator))
    out = str(tmp_path / "out.csv")
    assert exported(plugins.CanvasExport(to=out, roster=str(roster), assignments=[CVAE.where]), gradebook) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Homework 3 Part 3 (4711)"],
        ["    Points Possible", "", "", "", "", "15.0"],
        ["Doe J.", "77", "d0e", "DOE", "S1", "2.5"],
        ["Roe", "78", "r0e", "roe", "S1", ""],
        ["Poe", "79", "p0e", "poe", "S1", ""],
    ]


# gradebook_exporter.rb writes these headers, and gradebook_importer.rb takes a file with them back: the name, the ids
# and the section, in this order and before anything else.
@pytest.mark.parametrize(
    "header",
    [
        "Student,ID,SIS Login ID,Section",
        "Student,ID,SIS User ID,SIS Login ID,Section",
        "Student,ID,SIS User ID,SIS Login ID,Integration ID,Section",
        "Student,ID,SIS User ID,SIS Login ID,Integration ID,Root Account,Section",
        "LastName,FirstName,ID,SIS Login ID,Section",
        "LastName,FirstName,ID,SIS User ID,SIS Login ID,Root Account,Section",
    ],
)
def test_canvas_takes_back_the_columns_that_it_wrote(gradebook: Gradebook, tmp_path: Path, header: str) -> None:
    columns = header.split(",")
    doe = {"SIS Login ID": "doe", "Student": "Jane van Doe", "LastName": "van Doe", "FirstName": "Jane"}
    cells = [doe.get(column, f"the {column}") for column in columns]
    nobody = ["    Points Possible", *[""] * (len(columns) - 1)]
    roster = tmp_path / "roster.csv"
    roster.write_text(f"{header},HW (9)\n{','.join(nobody)},15\n{','.join(cells)},\n")
    export = plugins.CanvasExport(to=str(tmp_path / "o.csv"), roster=str(roster), columns={CVAE.kit: "HW (9)"})
    export.leave_out = ["roe"]
    found, possible, row = exported(export, gradebook)
    assert [each for each in found if each in columns] == columns
    assert _student_columns(found) == len(found) - 1  # the assignment's is the only other one
    assert possible[0] == nobody[0]
    assert [cell for column, cell in zip(found, row, strict=True) if column in columns] == cells
    assert row[-1] == "2.5"
    table = list(
        csv.reader(canvas.gradebook([], read_roster(roster), Graded(15, {}, []), "HW (9)", False).splitlines())
    )
    assert table == [found, ["    Points Possible", *possible[1:-1], "15"]]


def _student_columns(header: list[str]) -> int:
    """How many columns Canvas takes for those of the student; it refuses a header whose last of these is no section."""
    names = 2 if header[:2] == ["LastName", "FirstName"] else 1
    assert names == 2 or header[0] == "Student"
    assert header[names] == "ID"
    count = names + 2
    if header[count - 1] == "SIS Login ID":
        count += 1
    elif header[count - 1 : count + 1] == ["SIS User ID", "SIS Login ID"]:
        count += 2 + (header[count + 1] == "Integration ID")
        count += header[count - 1] == "Root Account"
    assert header[count - 1] == "Section"
    return count


def test_no_grade_goes_out_before_the_points_by_hand(
    gradebook: Gradebook, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As with `autograder export`: an early import would lower everyone's grade."""
    gradebook.remove_submission(CVAE.kit, "doe")
    gradebook.add_task_cell("figures", NOTEBOOK, CVAE.kit, max_score=10, cell_type="markdown")
    for student, points in (("doe", None), ("roe", 4.0)):
        gradebook.add_submission(CVAE.kit, student)
        gradebook.find_grade("encoder", NOTEBOOK, CVAE.kit, student).auto_score = 12.5
        gradebook.find_grade("figures", NOTEBOOK, CVAE.kit, student).manual_score = points
    gradebook.db.commit()
    out = str(tmp_path / "out.csv")
    assert [row[5] for row in exported(plugins.CanvasExport(to=out), gradebook)[2:]] == ["", "16.5"]
    assert [row[5] for row in exported(plugins.GradescopeExport(to=out), gradebook)[1:]] == ["", "16.5"]
    assert "hand-graded points are missing, so these cells are empty: doe" in caplog.text


@pytest.mark.parametrize(
    ("login", "lms", "mail"), [("doe_77", None, None), ("jd", "77", None), ("d0e", None, None), ("jd", None, "Doe")]
)
def test_each_id_of_canvas_joins(gradebook: Gradebook, tmp_path: Path, login: str, lms: str, mail: str) -> None:
    gradebook.remove_student("doe")
    gradebook.add_student(login, lms_user_id=lms, email=mail)
    gradebook.add_submission(CVAE.kit, login)
    gradebook.find_grade("encoder", NOTEBOOK, CVAE.kit, login).auto_score = 0
    (tmp_path / "roster.csv").write_text(CANVAS.format(","))
    export = plugins.CanvasExport(to=str(tmp_path / "out.csv"), roster=str(tmp_path / "roster.csv"))
    assert [row[5] for row in exported(export, gradebook)[2:]] == ["0.0", "", ""]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (CANVAS.format(",").replace("DOE", "other").replace("d0e", "x"), "not in the roster: doe"),
        ("Student,ID,Section\nDoe,101,S1\n", "not in the roster: doe"),
        ("id,name\ndoe,Doe\n", "has no column ID"),
        ("", "is empty"),
        (None, "cannot be read"),
    ],
)
def test_no_export_leaves_points_out(
    gradebook: Gradebook, tmp_path: Path, text: str | None, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    roster = tmp_path / "roster.csv"
    if text is not None:
        roster.write_text(text)
    with pytest.raises(SystemExit):
        exported(plugins.CanvasExport(to=str(tmp_path / "out.csv"), roster=str(roster)), gradebook)
    assert reason in caplog.text
    assert not (tmp_path / "out.csv").exists()


def test_one_student_of_canvas_has_one_row(
    gradebook: Gradebook, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gradebook.add_student("doe_77")
    gradebook.add_submission(CVAE.kit, "doe_77")
    (tmp_path / "roster.csv").write_text(CANVAS.format(","))
    with pytest.raises(SystemExit):
        plugins.CanvasExport(to=str(tmp_path / "o.csv"), roster=str(tmp_path / "roster.csv")).export(gradebook)
    assert "doe and doe_77 are both Doe J." in caplog.text


def test_gradescope(gradebook: Gradebook, tmp_path: Path) -> None:
    header, doe, roe = exported(plugins.GradescopeExport(to=str(tmp_path / "out.csv")), gradebook)
    assert header[:6] == ["First Name", "Last Name", "SID", "Email", "Sections", CVAE.kit]
    assert doe == ["Jane", "Doe", "doe", "doe@example.edu", "", "2.5", "15.0", "2026-12-01 01:00:00 +0000", "25:00:00"]
    assert roe == ["'=1+1", "Roe", "roe", "", "", "", "15.0", "", ""]


def test_the_course_has_the_kit_and_the_points(tmp_path: Path) -> None:
    source = course.build_course(CVAE, tmp_path)
    notebook = nbformat.read(source / f"{NOTEBOOK}.ipynb", 4)
    points = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points
        for cell in notebook.cells
        if "nbgrader" in cell.metadata
    }
    assert CVAE.by_hand is not None
    assert points == {part.name: part.points for part in assignment.PARTS} | CVAE.by_hand.shares
    assert b"BEGIN SOLUTION" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_no_course_is_made_over_the_readme_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(FileExistsError, match="is no nbgrader course"):
        course.build_course(CVAE, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_a_course_can_be_refreshed_without_losing_its_settings(tmp_path: Path) -> None:
    course.build_course(CVAE, tmp_path)
    (tmp_path / "nbgrader_config.py").write_text("mine")
    (tmp_path / "README.md").write_text("of another term")
    (tmp_path / "source" / CVAE.kit / "cvae.ipynb").write_text("old")
    (tmp_path / "source" / CVAE.kit / "mine.txt").write_text("mine")
    course.build_course(CVAE, tmp_path)
    assert (tmp_path / "source" / CVAE.kit / "mine.txt").read_text() == "mine"
    assert (tmp_path / "nbgrader_config.py").read_text() == "mine"
    assert f'--duedate="{assignment.DUE}"' in (tmp_path / "README.md").read_text("utf-8")
    assert (tmp_path / "source" / CVAE.kit / "cvae.ipynb").read_text() != "old"
