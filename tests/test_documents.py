"""Every command in the README and in docs/ is run, or its page says why no test can.

docs/ta.md and docs/new-assignment.md have tests of their own, which look further.
"""

import csv
import json
import zipfile
from pathlib import Path

import pytest

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from tests.documents import BY_CI, ROOT, blocks, checkout, runnable, typed
from tests.submissions.correct import CORRECT, encoded

PAGES = ("README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))
# Pages with blocks that no test can run, and the reasons that they give.
NOT_RUN = {
    "docs/ci.md": ["needs GitHub", "needs GitHub", "needs GitHub"],
    "docs/class.md": ["needs a cluster"],
    "docs/measured.md": ["make figures does"] * 13,
    "docs/rollover.md": ["opens a browser", "downloads MNIST", "downloads MNIST"],
    "docs/ta.md": ["needs an administrator", "opens a browser"],
}


@pytest.mark.parametrize("page", PAGES)
def test_a_block_is_run_or_says_why_not(page: str) -> None:
    assert [block.why_not for block in blocks(page) if block.why_not] == NOT_RUN.get(page, [])
    assert (ROOT / page).read_text("utf-8").count("```sh\n") == len(blocks(page))


def test_ci_runs_what_no_test_can() -> None:
    assert BY_CI in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout(tmp_path_factory.mktemp("clone"))


@pytest.mark.slow
def test_the_readme(repository: Path) -> None:
    said = [typed(commands, repository) for commands in runnable("README.md")]
    assert len(list((repository / "out" / "demo").glob("*.html"))) == len(list((ROOT / "examples").iterdir())) + 2
    assert (repository / "out" / f"{CVAE.kit}.zip").exists()
    assert json.loads((repository / "report.json").read_text())["isolation"] in ("bubblewrap", "confined")
    students = repository / "out" / "graded" / "students"
    assert len(list(students.glob("*.html"))) == len(list((ROOT / "examples").iterdir()))
    assert "bubblewrap" in said[-1]


@pytest.mark.slow
def test_the_class(tmp_path: Path) -> None:
    right = encoded(next(iter(CORRECT.values())))
    (tmp_path / "submissions" / "ada").mkdir(parents=True)
    (tmp_path / "submissions" / "ada" / CVAE.module).write_bytes(right)
    with zipfile.ZipFile(tmp_path / "canvas.zip", "w") as archive:
        archive.writestr(f"lovelaceada_LATE_101_900_{CVAE.module}", right)
    (tmp_path / "gradebook.csv").write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,Homework 3 Part 3 (7)\nPoints Possible,,,,,100\n"
        '"Lovelace, Ada",101,9,ada,S1,\n"Boole, Bob",102,10,bob,S1,\n'
    )
    (tmp_path / "extensions.csv").write_text("student,until\nada,2027-01-03T23:59:00-05:00\n")
    alone, canvas, nbgrader, compare, export = runnable("docs/class.md")
    typed(alone, tmp_path)
    with (tmp_path / "graded" / "grades.csv").open(newline="") as file:
        assert {row["student"]: float(row["score"]) for row in csv.DictReader(file)} == {"ada": CVAE.points}
    assert "stay the same for 1" in typed(compare, tmp_path)
    assert "2 in the roster" in typed(canvas, tmp_path)
    typed(export, tmp_path)
    with zipfile.ZipFile(tmp_path / "out" / "feedback.zip") as archive:
        assert archive.namelist() == ["lovelaceada_LATE_101_900_feedback.html"]
    gradebook = pytest.importorskip("nbgrader.api", reason="nbgrader is not installed").Gradebook
    (tmp_path / "submissions").rename(tmp_path / "submitted")
    with gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as book:
        book.add_student("ada", first_name="Ada", last_name="Lovelace")
        book.add_student("bob")
    assert "2 students: 1 graded, 1 handed in nothing." in typed(nbgrader, tmp_path)


@pytest.mark.slow
def test_continuous_integration(repository: Path) -> None:
    for commands in runnable("docs/ci.md"):
        typed(commands, repository)
    workflows = [repository / folder / CVAE.kit / ".github" / "workflows" for folder in ("out", "out/graded")]
    assert all(folder.is_dir() for folder in workflows)


@pytest.mark.slow
def test_a_rollover(tmp_path: Path) -> None:
    folder = checkout(tmp_path)
    said = [
        typed(
            commands.replace("rollover --check", "rollover --check || true"),
            folder,
            EDITOR="sed -i s/^HIDDEN_SIZE.*/HIDDEN_SIZE=96/",
            HOME=str(tmp_path),
            GIT_AUTHOR_NAME="a",
            GIT_AUTHOR_EMAIL="a@b.c",
            GIT_COMMITTER_NAME="a",
            GIT_COMMITTER_EMAIL="a@b.c",
        )
        for commands in runnable("docs/rollover.md")
    ]
    assert "96" in said[0]
    assert "hidden_size = 96" in (folder / CVAE.module).read_text("utf-8")
