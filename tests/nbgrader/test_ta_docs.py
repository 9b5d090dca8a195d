"""docs/ta.md, as a TA would: every command block, in order, in a fresh home, with its outcome looked at."""

import csv
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder.assignments.cvae import assignment
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.grading.grade import grade_source
from autograder.sandbox.client import Sandbox
from autograder.sandbox.isolation import why_not
from tests.documents import ROOT, blocks
from tests.nbgrader.class_of_students import BLANK, PERFECT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_not("bubblewrap") is not None, reason="bubblewrap")]

PAGE = (ROOT / "docs" / "ta.md").read_text("utf-8")
BLOCKS = blocks("docs/ta.md")


def test_every_block_is_run_or_says_why_not() -> None:
    assert PAGE.count("```") == 2 * len(BLOCKS)
    assert [block.why_not for block in BLOCKS if block.why_not] == ["needs an administrator", "opens a browser"]
    assert PAGE.count("<!-- not run") == 2


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a TA who has typed every block: in the repository first, with what Canvas gave in ~/Downloads."""
    home = tmp_path_factory.mktemp("home")
    (home / "Downloads").mkdir()
    (home / "repository").mkdir()
    (home / "repository" / ".venv").symlink_to(sys.prefix)
    (home / "Downloads" / "canvas-gradebook.csv").write_text(
        f"Student,ID,SIS User ID,SIS Login ID,Section,{CVAE.kit} (55)\n    Points Possible,,,,,100\n"
        '"Lovelace, Ada",101,9,ada,S1,\n"Boole, Bob",102,10,bob,S1,\n'
    )
    with zipfile.ZipFile(home / "Downloads" / "submissions.zip", "w") as archive:
        archive.writestr("lovelaceada_LATE_101_900_cs5814_vae.py", PERFECT)
        archive.writestr("boolebob_102_901_cs5814_vae.py", BLANK)
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("NBGRADER", "JUPYTER", "VIRTUAL"))
    }
    path = ":".join(each for each in clean["PATH"].split(":") if Path(each) != Path(sys.prefix) / "bin")
    script = "set -e\n" + "\n".join(block.commands for block in BLOCKS if not block.why_not)
    run = subprocess.run(
        ["bash", "-c", script],
        cwd=home / "repository",
        env=clean | {"HOME": str(home), "PATH": path, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=3000,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-5000:]
    return home / "cs5814"


def test_the_term_ends_with_everyones_points(home: Path) -> None:
    with (home / "grades.csv").open(newline="") as file:
        assert {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)} == {
            "ada": CVAE.points,
            "bob": 0,
        }
    with (home / "canvas.csv").open(newline="") as file:  # no command gives the points by hand
        found = {row["SIS Login ID"]: row[f"{CVAE.kit} (55)"] for row in csv.DictReader(file)}
    assert {login: score for login, score in found.items() if login} == {"ada": "", "bob": ""}
    assert len(list((home / "feedback").glob(f"*/{CVAE.kit}/*.html"))) == 2
    assert (home / "class" / "index.html").exists()
    assert (home / "gradescope.csv").exists()


def test_the_exchange_is_the_tas_alone(home: Path) -> None:
    assert (home / "exchange").stat().st_mode & 0o077 == 0
    assert (home / "exchange" / "root" / "cs5814" / "outbound" / CVAE.kit).is_dir()


@pytest.mark.parametrize("page", ["ta.md", "rollover.md"])
def test_what_a_rollover_costs_last_terms_solution(page: str) -> None:
    said = re.search(r"[Ll]ast term's\s+solution\s+(then\s+)?loses (\d+)", (ROOT / "docs" / page).read_text("utf-8"))
    assert said is not None
    other = PERFECT.replace(
        f"self.hidden_size = {assignment.HIDDEN_SIZE}", f"self.hidden_size = {assignment.HIDDEN_SIZE + 32}"
    )
    with Sandbox(None, CVAE) as sandbox:
        report = grade_source(CVAE.module, other.encode(), sandbox)
    assert report.max_score - report.score == int(said[2])
