"""What makes a kept report be used again: everything that can change a grade or a hint, and nothing else."""

import ast
import copy
import itertools
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.assignment import Assignment, load
from autograder.grading.results import Results, checks_version
from autograder.report.model import Check, Outcome, PartReport, Report

CVAE = load("cvae").folder
LINE = Path(__file__).with_name("assignments") / "line"
# What of an assignment no grade depends on: fields of ASSIGNMENT, and constants of cvae's.
FREE_FIELDS = {"folder", "root", "course", "title", "due", "kit", "by_hand", "data_folder", "notebook_environment"}
SAYING_WHAT_IS_FREE = {"notebook", "kit_files", "no_grade_depends_on"}
FREE_FILES = {
    "comments.md",
    "figures.py",
    "recognizer.py",
    "recognizer.safetensors",
    "README.md",
    "line.ipynb",
    "public_checks.py",
    "kit.py",
    "passages.py",
    "pictures.py",
    "reference_curve.py",
    "reference_pictures.py",
}
_numbers = itertools.count()


def copied(folder: Path, to: Path) -> Path:
    """A copy of the assignment, under a name of its own so that it can be loaded."""
    return Path(shutil.copytree(folder, to / f"copy_{next(_numbers)}", ignore=shutil.ignore_patterns("__pycache__")))


def version_after(folder: Path, file: str, content: bytes, to: Path) -> str:
    """The version of the checks once `file` of the assignment holds `content`."""
    copy = copied(folder, to)
    (copy / file).write_bytes(content)
    return checks_version(load(copy))


def other(value: str | int | float) -> str | int | float:
    """Another value of the same kind: a date stays one."""
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return f"2031{value[4:]}"
    if isinstance(value, str):
        return f"{value}1"
    return not value if isinstance(value, bool) else value + 1


def edits(folder: Path) -> Iterator[tuple[str, str, bytes]]:
    """assignment.py with one constant changed: what it belongs to, the field if that is ASSIGNMENT, and the source."""
    tree = ast.parse((folder / "assignment.py").read_bytes())
    for place, statement in enumerate(tree.body):
        if not isinstance(statement, ast.Assign):
            continue
        assert isinstance(statement.targets[0], ast.Name)
        for index, node in enumerate(ast.walk(statement)):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str | int | float):
                continue
            changed = copy.deepcopy(tree)
            twin = next(itertools.islice(ast.walk(changed.body[place]), index, None))
            assert isinstance(twin, ast.Constant)
            twin.value = other(node.value)
            field = ""
            if isinstance(statement.value, ast.Call):
                holders = (each for each in statement.value.keywords if node in ast.walk(each.value))
                field = next((each.arg or "" for each in holders), "")
            yield statement.targets[0].id, field, ast.unparse(changed).encode()


@pytest.mark.parametrize("folder", [CVAE, LINE], ids=lambda folder: folder.name)
def test_a_constant_counts_unless_no_grade_depends_on_it(folder: Path, tmp_path: Path) -> None:
    free = load(folder).no_grade_depends_on
    before = checks_version(load(folder))
    counted = set()
    for name, field, source in edits(folder):
        if field in SAYING_WHAT_IS_FREE:
            continue
        same = version_after(folder, "assignment.py", source, tmp_path) == before
        assert same is (name in free or field in FREE_FIELDS), f"{name} {field}"
        counted.add((field or name, same))
    assert {("title", True), ("due", True), ("parts", False)} <= {(name.lower(), same) for name, same in counted}


@pytest.mark.parametrize("folder", [CVAE, LINE], ids=lambda folder: folder.name)
def test_a_byte_counts_unless_no_grade_depends_on_its_file(folder: Path, tmp_path: Path) -> None:
    before = checks_version(load(folder))
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    names = [name for name in files if "__pycache__" not in name and name != "assignment.py"]
    same = {
        name for name in names if version_after(folder, name, (folder / name).read_bytes() + b"\n", tmp_path) == before
    }
    assert same == FREE_FILES & set(names)
    assert len(same) < len(names)


def report_of(assignment: Assignment, isolation: str = "bubblewrap") -> Report:
    checks = [Check("a check", Outcome.PASSED, 1, 1)]
    return Report.of(assignment, isolation=isolation, parts=[PartReport("slope", 1, checks)])


def test_a_kept_report_has_the_title_of_today(tmp_path: Path) -> None:
    line = load(LINE)
    Results(tmp_path, line).keep(b"", report_of(line))
    found = Results(tmp_path, replace(line, title="Another title", due="2027-01-01T12:00:00Z")).find(b"")
    assert found is not None
    assert (found.title, found.score) == ("Another title", 1)


@pytest.mark.parametrize(
    ("isolation", "require", "used"),
    [("process", True, False), ("process", False, True), ("bubblewrap", True, True), ("confined", True, True)],
)
def test_weak_isolation_is_not_used_where_strong_is_asked_for(
    isolation: str, require: bool, used: bool, tmp_path: Path
) -> None:
    line = load(LINE)
    Results(tmp_path, line).keep(b"", report_of(line, isolation))
    assert (Results(tmp_path, line, require_isolation=require).find(b"") is not None) is used
