"""The engine knows no assignment: another one, in a folder outside of the package, goes through every command."""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import autograder
from autograder.assignment import load
from autograder.fill_in import fill_in
from autograder.sandbox import confine, isolation
from autograder.sandbox.client import Sandbox

FOLDER = Path(__file__).with_name("assignments") / "line"
LINE = load(FOLDER)
SOLUTION = LINE.solution.read_text("utf-8")
POINTS = {"slope": 6, "intercept": 4}
PARTIAL = SOLUTION.replace("y.mean() - slope * x.mean()", "y.mean()")  # 6 of 10


def command(*arguments: str | Path, cwd: Path) -> str:
    """`python -m ARGUMENTS`, which must succeed; what it printed."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls those of its packages
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NBGRADER", "JUPYTER"))}
    variables = clean | {"PATH": programs, "HOME": str(cwd), "PYTHONWARNINGS": "ignore"}
    run = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=cwd,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:]
    return run.stdout


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(assignment=LINE) as running:
        yield running


def graded(source: str, sandbox: Sandbox, folder: Path) -> autograder.Report:
    (folder / LINE.module).write_text(source, "utf-8")
    return autograder.grade(folder, sandbox=sandbox)


def test_the_solution_gets_every_point(sandbox: Sandbox, tmp_path: Path) -> None:
    report = graded(SOLUTION, sandbox, tmp_path)
    assert {part.name: part.score for part in report.parts} == POINTS
    assert (report.course, report.title, report.module) == (LINE.course, LINE.title, "line.py")


def test_the_fill_in_gets_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    report = graded(fill_in(LINE), sandbox, tmp_path)
    assert (report.score, report.max_score) == (0, 10)


MISTAKES = {
    "coordinates-exchanged": SOLUTION.replace("dx, dy = ", "x, y = y, x\n    dx, dy = "),
    "through-the-origin": SOLUTION.replace("x - x.mean(), y - y.mean()", "x, y").replace(
        "y.mean() - slope * x.mean()", "0 * slope"
    ),
    "results-exchanged": SOLUTION.replace("slope, y.mean() - slope * x.mean()", "y.mean() - slope * x.mean(), slope"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_of_its_bank_is_named(mistake: str, sandbox: Sandbox, tmp_path: Path) -> None:
    report = graded(MISTAKES[mistake], sandbox, tmp_path)
    named = {name for part in report.parts for check in part.checks for name in check.misconceptions}
    assert named == {mistake}
    assert report.score < 10


@pytest.mark.slow
def test_a_class_gets_a_row_for_each_student(tmp_path: Path) -> None:
    handed_in = {"ada": SOLUTION, "bob": fill_in(LINE), "cyd": PARTIAL}
    for student, source in handed_in.items():
        (tmp_path / "in" / student).mkdir(parents=True)
        (tmp_path / "in" / student / "line.py").write_text(source, "utf-8")
    command("autograder", "class", "in", "--out", "out", "--workers", "1", "--assignment", FOLDER, cwd=tmp_path)
    with (tmp_path / "out" / "grades.csv").open(newline="") as file:
        rows = {row["student"]: (row["slope"], row["intercept"]) for row in csv.DictReader(file)}
    assert {student: tuple(map(float, points)) for student, points in rows.items()} == {
        "ada": (6, 4),
        "bob": (0, 0),
        "cyd": (6, 0),
    }
    assert LINE.title in (tmp_path / "out" / "index.html").read_text("utf-8")


@pytest.mark.slow
def test_the_zip_for_gradescope_grades_an_upload(tmp_path: Path) -> None:
    command("autograder", "gradescope", "--out", tmp_path, "--assignment", FOLDER, cwd=tmp_path)
    home = tmp_path / "autograder"
    with zipfile.ZipFile(tmp_path / "autograder.zip") as archive:
        archive.extractall(home / "source")
    assert [path.name for path in (home / "source/autograder/assignments").iterdir() if path.is_dir()] == ["line"]
    shutil.copy(home / "source" / "run_autograder", home)
    (home / "submission").mkdir()
    (home / "submission" / "line.py").write_text(PARTIAL, "utf-8")
    if not isolation.strongest().strong:
        pytest.skip("no strong isolation works here")
    subprocess.run(
        ["bash", home / "run_autograder"],
        env={"PATH": os.environ["PATH"], "AUTOGRADER_PYTHON": sys.executable},
        stdout=subprocess.DEVNULL,
        timeout=600,
        check=True,
    )
    results = json.loads((home / "results" / "results.json").read_text("utf-8"))
    assert results["extra_data"]["finished"]
    assert (results["score"], sum(test.get("max_score", 0) for test in results["tests"])) == (6, 10)


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """The unpacked kit."""
    command("autograder", "release", "--out", tmp_path, "--assignment", FOLDER, cwd=tmp_path)
    with zipfile.ZipFile(tmp_path / "hw1-line.zip") as archive:
        archive.extractall(tmp_path)
    return tmp_path / "hw1-line"


@pytest.mark.slow
def test_the_kit_holds_checks_and_no_solution(kit: Path) -> None:
    assert {path.name for path in kit.iterdir()} == {"README.md", "line.ipynb", "line.py", "public_checks.py"}
    assert (kit / "line.py").read_text("utf-8") == fill_in(LINE)
    (kit / "line.py").write_text(SOLUTION, "utf-8")
    assert "2 passed" in command("pytest", "-q", "public_checks.py", cwd=kit)


@pytest.mark.slow
def test_the_template_for_github_grades_a_push(tmp_path: Path) -> None:
    command("autograder", "release", "--github", "--out", tmp_path, "--assignment", FOLDER, cwd=tmp_path)
    student = tmp_path / "hw1-line"
    (student / "line.py").write_text(PARTIAL, "utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "autograder.platforms.github.public"],
        cwd=student,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": ".github", "PYTHONSAFEPATH": "1"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
        check=True,
    )
    assert "## 6 / 10" in run.stdout


@pytest.mark.slow
def test_a_course_in_nbgrader_records_the_points(tmp_path: Path) -> None:
    api = pytest.importorskip("nbgrader.api", reason="nbgrader is not installed")
    course = tmp_path / "course"
    command("autograder", "course", course, "--assignment", FOLDER, cwd=tmp_path)
    command("nbgrader", "generate_assignment", LINE.kit, cwd=course)
    submitted = course / "submitted" / "ada" / LINE.kit
    shutil.copytree(course / "release" / LINE.kit, submitted)
    (submitted / "line.py").write_text(PARTIAL, "utf-8")
    command("nbgrader", "autograde", LINE.kit, cwd=course)
    with api.Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        recorded = gradebook.find_submission(LINE.kit, "ada")
        assert (recorded.score, recorded.max_score) == (6, 10)


# --- the folder of an assignment that lies elsewhere ------------------------------------------------------------------


@pytest.mark.parametrize("level", ["bubblewrap", "confined"])
def test_an_assignment_among_the_interpreters_files_is_refused(level: str) -> None:
    folder = Path(sys.prefix) / "line"
    assert f"move {folder} out of it" in str(isolation.why_exposed(level, folder))
    assert isolation.strongest(folder).name == "process"
    assert isolation.why_exposed(level, FOLDER) is None


def test_without_landlock_file_modes_must_hide_the_assignment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confine, "has_landlock", lambda: False)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        assert f"chmod -R o-rwx {folder}" in str(isolation.why_exposed("confined", Path(folder)))
        os.chmod(folder, 0o750)
        assert isolation.why_exposed("confined", Path(folder)) is None
