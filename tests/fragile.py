"""An assignment whose checks hang, die or break down where a submission says so."""

from pathlib import Path

from autograder.assignment import Assignment, load

ASSIGNMENT = """
from pathlib import Path
from autograder.assignment import Assignment, Part

FOLDER = Path(__file__).resolve().parent
ASSIGNMENT = Assignment(
    folder=FOLDER, root=FOLDER, course="C", title="T", module="m.py", seed=1,
    due="2026-10-01T23:59:00-04:00", kit="k", notebook="",
    parts=(Part("first", 2, "s"), Part("second", 8, "s")),
)
"""
CHECKS = """
import os, pytest, re, signal
from autograder.grading.harness import check

@pytest.mark.first
@check("it is quick", 1)
def test_quick(submission):
    submission.load()

@pytest.mark.second
@check("it is quick, too", 1)
def test_also_quick(): ...

@pytest.mark.second
@check("it goes wrong", 3)
def test_wrong(submission):
    if b"hang" in submission.source:
        re.match("(a+)+$", "a" * 64 + "b")  # years, without a bytecode in between
    if b"crash" in submission.source:
        [][len(submission.source)]
    if b"die" in submission.source:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def write_fragile(folder: Path) -> Assignment:
    """Write the assignment into a folder."""
    for name, text in {
        "assignment.py": ASSIGNMENT,
        "checks/conftest.py": "from autograder.grading.fixtures import *\n",
        "checks/test_all.py": CHECKS,
        "hints/bank.py": "MISCONCEPTIONS = {}\n",
        "solution/m.py": "x = 1\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return load(folder)
