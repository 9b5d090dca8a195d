"""nbgrader's plugins for this course, and the course folder."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
from class_of_students import NOTEBOOK
from nbgrader.api import Gradebook

from autograder.assignments.cvae import assignment
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.classroom.spreadsheet import inert
from autograder.platforms.nbgrader import course, plugins


@pytest.mark.parametrize(
    ("hours", "points"), [(0.1, 0), (0.25, 0), (0.3, 10), (24, 10), (24.2, 10), (24.3, 20), (240.2, 100)]
)
def test_late_penalty(hours: float, points: float) -> None:
    assert plugins.LatePenalty().late_submission_penalty("zoe", 90, hours * 3600) == points


def test_downloads_are_told_apart(tmp_path: Path) -> None:
    extracted = tmp_path / "extracted" / "submissions"
    expected = {
        "doejane_12_34_cvae.ipynb": ("doejane", "cvae.ipynb"),
        "doejane_LATE_12_34_cs5814_vae-1.py": None,
        "doejane_LATE_12_34_cs5814_vae-2.py": ("doejane", "cs5814_vae.py"),
        "doejane_12_34_cs5814_vae_old.py": None,
        "roe_1_2_hw3-part3/hw3-part3/cs5814_vae.py": ("roe", "cs5814_vae.py"),
        "roe_1_2_hw3-part3/hw3-part3/backup/cs5814_vae.py": None,
        "roe_1_2_hw3-part3/hw3-part3/cvae (1).ipynb": ("roe", "cvae.ipynb"),
        "roe_1_2_hw3-part3/hw3-part3/timestamp.txt": None,
        "roe_1_2_hw3-part3/__MACOSX/._cvae.ipynb": None,
        "notes.py": None,
    }
    for name in expected:
        path = extracted / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    collector = plugins.Downloads(assignments=[CVAE.where])
    for name, who in expected.items():
        found = collector.collect(str(extracted / name))
        assert (found and (found["student_id"], found["file_id"])) == who, name


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
    assert inert(cell) == written


@pytest.fixture
def gradebook(tmp_path: Path) -> Iterator[Gradebook]:
    book = Gradebook(f"sqlite:///{tmp_path}/gradebook.db")
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


def test_canvas_with_its_own_roster(gradebook: Gradebook, tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text(
        f"\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,{CVAE.kit} (4711)\n"
        '    Points Possible,,,,,15\n"Doe, J.",77,d0e,doe,S1,\n'
    )
    assert exported(plugins.CanvasExport(to=str(tmp_path / "out.csv"), roster=str(roster)), gradebook) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", f"{CVAE.kit} (4711)"],
        ["    Points Possible", "", "", "", "", "15.0"],
        ["Doe, J.", "77", "d0e", "doe", "S1", "2.5"],
    ]


def test_gradescope(gradebook: Gradebook, tmp_path: Path) -> None:
    header, doe, roe = exported(plugins.GradescopeExport(to=str(tmp_path / "out.csv")), gradebook)
    assert header[:6] == ["First Name", "Last Name", "SID", "Email", "Sections", CVAE.kit]
    assert doe == ["Jane", "Doe", "doe", "doe@example.edu", "", "2.5", "15.0", "2026-12-01 01:00:00 +0000", "25:00:00"]
    assert roe == ["'=1+1", "Roe", "roe", "", "", "", "15.0", "", ""]


def test_course_has_the_kit_as_its_source_and_the_points_of_the_assignment(tmp_path: Path) -> None:
    source = course.build_course(CVAE, tmp_path)
    notebook = nbformat.read(source / f"{NOTEBOOK}.ipynb", 4)
    points = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points
        for cell in notebook.cells
        if "nbgrader" in cell.metadata
    }
    assert points.pop("visualization") == assignment.VISUALIZATION_POINTS
    assert points == {part.name: part.points for part in assignment.PARTS}
    assert b"BEGIN SOLUTION" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_course_can_be_refreshed_without_losing_its_settings(tmp_path: Path) -> None:
    course.build_course(CVAE, tmp_path)
    (tmp_path / "nbgrader_config.py").write_text("mine")
    (tmp_path / "README.md").write_text("of another term")
    (tmp_path / "source" / CVAE.kit / "cvae.ipynb").write_text("old")
    course.build_course(CVAE, tmp_path)
    assert (tmp_path / "nbgrader_config.py").read_text() == "mine"
    assert f'--duedate="{assignment.DUE}"' in (tmp_path / "README.md").read_text("utf-8")
    assert (tmp_path / "source" / CVAE.kit / "cvae.ipynb").read_text() != "old"
