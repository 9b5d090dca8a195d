"""A new term by editing the assignment file alone: everything follows, and last term's answers lose points."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.assignment import Assignment
from autograder.assignments.cvae import assignment, digits, passages, reference_curve
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.authoring import kit as release
from autograder.authoring import rollover
from tests import notebook_cells

ROOT = Path(__file__).parents[1]
LAST_TERM = CVAE.solution.read_text("utf-8")

# The new term, whatever the present one is.
HIDDEN = 96 if assignment.HIDDEN_SIZE != 96 else 64
LATENT = 20 if assignment.LATENT_DIMENSIONALITY != 20 else 15
SEED = 2027 if assignment.SEED != 2027 else 5814
DUE, DUE_IN_WORDS = "2027-02-28T20:00:00-05:00", "Sunday, February 28, 2027, 20:00 (UTC-05:00)"
POINTS = {part.name: part.points for part in assignment.PARTS}
POINTS = POINTS | {"encoder": POINTS["encoder"] + 3, "decoder": POINTS["decoder"] - 3}


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What is imported for the first time while a constant is patched would keep it for all later tests."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("autograder", "check_tools", "public_checks", assignment.MODULE[:-3]):
            parent, _, child = name.rpartition(".")
            if parent in sys.modules:
                vars(sys.modules[parent]).pop(child, None)
            del sys.modules[name]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what takes part, to change at will."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("autograder", "notebooks", "docs", "examples"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.png"))
    shutil.copy(ROOT / assignment.MODULE, folder)
    return folder


# In this process, with the constants patched ----------------------------------------------------------------------


def renewed(name: str, data: Path | None = None) -> str:
    """The text of a file as the assignment makes it; KeyError if that changes nothing."""
    return rollover.out_of_step(assignment.ASSIGNMENT, data)[ROOT / name][1]


def checked_out(folder: Path) -> Assignment:
    """The assignment as it lies in another checkout."""
    return replace(CVAE, root=folder, folder=folder / CVAE.folder.relative_to(CVAE.root))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("HIDDEN_SIZE", 20, "HIDDEN_SIZE is 20; choose a whole number from 48 to 256"),
        ("HIDDEN_SIZE", 96.0, "HIDDEN_SIZE is 96.0"),
        ("LATENT_DIMENSIONALITY", 10, "LATENT_DIMENSIONALITY is 10"),
        ("DUE", "30 November", "DUE is '30 November'; write date, time and offset"),
    ],
)
def test_an_assignment_that_cannot_be_taught_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: Any, reason: str
) -> None:
    monkeypatch.setattr(assignment, name, value)
    with pytest.raises(rollover.CannotRollOver, match=re.escape(reason)):
        rollover.out_of_step(CVAE)


def test_a_reworded_passage_is_an_error_and_not_passed_over(monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    monkeypatch.setitem(passages.CELLS, "encoder", ("projects to {hidden} numbers;",))
    with pytest.raises(rollover.CannotRollOver, match=r"cvae\.ipynb: 'projects to \{hidden\} numbers;' was not found"):
        rollover.out_of_step(checked_out(checkout))


def test_figures_may_be_rounded_differently_but_not_be_wrong(checkout: Path) -> None:
    path = checkout / "notebooks" / "cvae.ipynb"
    text = path.read_text("utf-8")
    (loss,) = map(float, re.findall(r"the loss is ([\d.]+\d)", text)[:1])
    for other, in_step in ((loss + 3e-6, True), (loss + 1e-3, False)):
        path.write_text(text.replace(f"the loss is {loss}", f"the loss is {other}"), "utf-8")
        assert (rollover.out_of_step(checked_out(checkout)) == {}) == in_step
    path.write_text(text, "utf-8")


def test_two_passages_for_one_place_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(passages.CELLS, "encoder", ("the hidden size, {hidden};", "hidden size, {latent};"))
    with pytest.raises(rollover.CannotRollOver, match="mean the same place"):
        rollover.out_of_step(CVAE)


@pytest.mark.parametrize("name", ["docs/student.md", "notebooks/cvae.ipynb"])
def test_a_published_notebook_gets_a_badge_for_colab(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(assignment, "COLAB", "vt/hw3-part3/blob/main/cvae.ipynb")
    link = "](https://colab.research.google.com/github/vt/hw3-part3/blob/main/cvae.ipynb)"
    assert link not in (ROOT / name).read_text("utf-8")
    (way,) = re.findall(rf".*{re.escape(link)}.*", renewed(name))
    assert "Save a copy in Drive" in way  # Colab does not write to GitHub


def test_nothing_is_released_that_contradicts_the_grading(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(assignment, "DUE", DUE)
    with pytest.raises(rollover.OutOfStep, match=r"docs/student\.md.*notebooks/cvae\.ipynb; run `autograder rollover`"):
        release.build_kit(CVAE, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_notebook_says_if_the_curve_is_of_another_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignment, "REFERENCE_SETTINGS", passages.training_settings() | {"hidden size": 80})
    text = renewed("notebooks/cvae.ipynb")
    assert (
        "on MNIST with the settings above (but with hidden size 80, so that only the shape compares), over 20" in text
    )


def test_a_measured_reference_curve_replaces_the_old_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(assignment, "HIDDEN_SIZE", HIDDEN)
    curve = {0: (200.1, 201.0), 19: (100.0, 101.5)}
    monkeypatch.setattr(reference_curve, "measure", lambda data, solution: curve)
    constants, helpers = (
        renewed(name, tmp_path) for name in ("autograder/assignments/cvae/assignment.py", "notebooks/cvae_helpers.py")
    )
    for text in (constants, helpers):
        assert re.findall(r"    (\d+: \([\d.]+, [\d.]+\)),", text) == ["0: (200.1, 201.0)", "19: (100.0, 101.5)"]
    assert f'REFERENCE_SETTINGS = {{"hidden size": {HIDDEN},' in constants
    assert "on MNIST with the settings above, over 20 seeds" in notebook_cells.source("curve-text")


@pytest.mark.slow
def test_the_reference_curve_comes_from_training_the_solution(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reference_curve, "SEEDS", 2)
    monkeypatch.setattr(reference_curve, "NUM_EPOCHS", 4)
    monkeypatch.setattr(reference_curve, "BATCH_SIZE", 32)
    curve = reference_curve.measure(digits.write_mnist(tmp_path, train=320, test=10), rollover.solution(CVAE))
    assert list(curve) == [0, 1, 2, 3]
    assert all(lowest <= highest for lowest, highest in curve.values())
    assert curve[3][1] < 0.8 * curve[0][0]


def test_without_mnist_it_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not hold MNIST"):
        reference_curve.measure(tmp_path, rollover.solution(CVAE))


points = st.integers(1, 200).map(lambda units: units / 2) | st.integers(1, 9999).map(lambda units: units / 100)


def total(cells: list[nbformat.NotebookNode]) -> Decimal:
    """The points of these cells, added exactly."""
    return sum((Decimal(str(cell.metadata.nbgrader.points)) for cell in cells), Decimal())


@settings(max_examples=10)
@given(st.lists(points, min_size=len(CVAE.parts), max_size=len(CVAE.parts)), points)
def test_the_notebook_s_points_add_up_whatever_they_are(worth: list[float], by_hand: float) -> None:
    parts = tuple(replace(part, points=each) for part, each in zip(CVAE.parts, worth, strict=True))
    assert CVAE.by_hand is not None
    new = replace(CVAE, parts=parts, by_hand=replace(CVAE.by_hand, points=by_hand))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assignment, "ASSIGNMENT", new)
        notebook = nbformat.reads(rollover.out_of_step(new)[ROOT / "notebooks/cvae.ipynb"][1], 4)
    cells = {cell.id: cell for cell in notebook.cells}
    graded = [cell for cell in cells.values() if "nbgrader" in cell.metadata]
    assert total(graded) == Decimal(str(new.points)) + Decimal(str(by_hand))
    tasks = [cell for cell in graded if cell.metadata.nbgrader.task]
    table = list(map(Decimal, re.findall(r"\| ([\d.]+) \|$", cells["intro"].source, re.MULTILINE)))
    assert (sum(table), table[-1]) == (total(graded), total(tasks))
    for task in tasks:
        (told,) = re.findall(r"Graded by hand, ([\d.]+) points", task.source)[:1]
        criteria = re.findall(r"^- \(([\d.]+)\) ", task.source, re.MULTILINE)
        assert sum(map(Decimal, criteria)) == Decimal(told) == total([task])


# In a checkout, by the command line -------------------------------------------------------------------------------


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a checkout, whose package comes before the installed one."""
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def commands(checkout: Path) -> list[subprocess.CompletedProcess[str]]:
    """What the commands of a new term said: check, roll over, check again."""
    path = checkout / "autograder" / "assignments" / "cvae" / "assignment.py"
    text = path.read_text("utf-8")
    for old, new in (
        (r"^HIDDEN_SIZE = \d+", f"HIDDEN_SIZE = {HIDDEN}"),
        (r"^LATENT_DIMENSIONALITY = \d+", f"LATENT_DIMENSIONALITY = {LATENT}"),
        (r"^SEED = \d+", f"SEED = {SEED}"),
        (r'^DUE = "[^"]+"', f'DUE = "{DUE}"'),
        *((rf'Part\("{name}", [\d.]+', f'Part("{name}", {points:g}') for name, points in POINTS.items()),
    ):
        text, found = re.subn(old, new, text, flags=re.MULTILINE)
        assert found == 1
    path.write_text(text, "utf-8")
    return [python(checkout, "-m", "autograder", "rollover", *options) for options in (["--check"], [], ["--check"])]


@pytest.fixture
def new_term(checkout: Path, commands: list[subprocess.CompletedProcess[str]]) -> Path:
    """The checkout of the new term."""
    assert commands[1].returncode == 0, commands[1].stderr
    return checkout


@pytest.mark.slow
def test_check_shows_what_changes_until_it_has(commands: list[subprocess.CompletedProcess[str]]) -> None:
    before, rolled, after = commands
    assert before.returncode == 1
    for line in (
        "autograder/assignments/cvae/solution/cs5814_vae.py",
        f"-        self.hidden_size = {assignment.HIDDEN_SIZE}",
        f"+        self.hidden_size = {HIDDEN}",
        f'+"seed": {SEED},',
        f"+| encoder | {POINTS['encoder']:g} |",
        "notebooks/cvae.ipynb",
        "cs5814_vae.py",
    ):
        assert re.search(rf"^ *{re.escape(line)}$", before.stdout, re.MULTILINE), line
    assert (rolled.returncode, after.returncode) == (0, 0), rolled.stderr + after.stderr
    assert "Everything is in step" in after.stdout


GRADE = """
import json, sys
from pathlib import Path
from autograder.grading.grade import grade_source
from autograder.sandbox.client import Sandbox

with Sandbox() as sandbox:
    reports = [grade_source(path, Path(path).read_bytes(), sandbox) for path in sys.argv[1:]]
print(json.dumps([report.to_json() for report in reports]))
"""


@pytest.mark.slow
def test_last_terms_answers_lose_points_and_this_terms_get_all(new_term: Path, tmp_path: Path) -> None:
    last_term = tmp_path / assignment.MODULE
    last_term.write_text(LAST_TERM, "utf-8")
    solution = str(new_term / "autograder" / "assignments" / "cvae" / "solution" / assignment.MODULE)
    example = str(new_term / "examples" / "perfect-in-another-style" / assignment.MODULE)
    run = python(new_term, "-c", GRADE, str(last_term), assignment.MODULE, solution, solution, example)
    assert run.returncode == 0, run.stderr
    stale, blank, *right = json.loads(run.stdout)
    assert [report["score"] for report in (blank, *right)] == [0, *[sum(POINTS.values())] * 3]

    lost = {part["name"] for part in stale["parts"] if part["score"] < part["max_score"]}
    assert lost == {"encoder", "decoder"}
    failed = [check for part in stale["parts"] for check in part["checks"] if check["outcome"] != "passed"]
    told = [f"{check['message']} {check['hint']}" for check in failed]
    width = f"have width {assignment.HIDDEN_SIZE}; the assignment asks for {HIDDEN}."
    assert sum(width in each for each in told) == 2


@pytest.mark.slow
def test_the_notebook_runs_and_prints_the_new_examples(new_term: Path, tmp_path: Path) -> None:
    drawn = digits.write_mnist(tmp_path / "drawn", train=600, test=100)
    solution = (new_term / "autograder" / "assignments" / "cvae" / "solution" / assignment.MODULE).read_text("utf-8")
    (folder := tmp_path / "kit").mkdir()
    run = notebook_cells.execute(folder, solution, drawn, new_term / "notebooks" / "cvae.ipynb")
    assert run.returncode == 0, run.stderr
    cells = {cell.id: cell for cell in nbformat.read(folder / "out.ipynb", 4).cells}
    torch.manual_seed(SEED)
    latents = torch.exp(torch.tensor(0.5)) * torch.randn(1, LATENT)
    assert str(latents) in cells["sample-example"].outputs[0].text
    assert cells["sample-example"].outputs[0].text.strip() in cells["sample-example-text"].source
    (told,) = map(float, re.findall(r"the loss is ([\d.]+\d)", cells["loss-example-text"].source)[:1])
    assert told == pytest.approx(8.834553718566895 + (LATENT - 15) / 2, abs=1e-5)
    assert float(cells["loss-example"].outputs[0].text.split()[-1]) == pytest.approx(told, abs=1e-5)
    assert {cells[f"check-{name.replace('_', '-')}"].metadata.nbgrader.points for name in POINTS} == {*POINTS.values()}


@pytest.fixture
def public_checks(new_term: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The new term's public checks, looking at `tmp_path`."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "check_tools", raising=False)
    spec = importlib.util.spec_from_file_location("public_checks", new_term / "notebooks" / "public_checks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys.modules["check_tools"], "_path", lambda: tmp_path / assignment.MODULE)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_the_public_checks_pass_this_terms_network_alone(
    new_term: Path, public_checks: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], part: str
) -> None:
    module = tmp_path / assignment.MODULE
    module.write_text(
        (new_term / "autograder" / "assignments" / "cvae" / "solution" / assignment.MODULE).read_text("utf-8"), "utf-8"
    )
    public_checks.check(part)
    module.write_text(LAST_TERM, "utf-8")
    with pytest.raises(public_checks.ChecksFailedError):
        public_checks.check(part)
    if part == "encoder":
        assert f"`self.hidden_size` is {assignment.HIDDEN_SIZE}; it should be {HIDDEN}." in capsys.readouterr().out


@pytest.mark.slow
def test_students_read_the_new_due_date(new_term: Path) -> None:
    for name in ("notebooks/cvae.ipynb", "docs/student.md"):
        assert DUE_IN_WORDS in (new_term / name).read_text("utf-8")
    assert f'--duedate="{DUE}"' in (new_term / "docs" / "ta.md").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.skipif(
    (assignment.HIDDEN_SIZE, assignment.LATENT_DIMENSIONALITY, assignment.SEED) != (64, 15, 5814),
    reason="other numbers than these have other meanings in the notebook, too",
)
@pytest.mark.parametrize("name", ["notebooks/cvae.ipynb", "docs/student.md", assignment.MODULE])
def test_no_constant_of_the_first_term_is_left(new_term: Path, name: str) -> None:
    text = (new_term / name).read_text("utf-8").replace("(but with hidden size 64,", "")
    text = text.replace("after 15 minutes of grace", "")  # which the course's configuration says, not the assignment
    text = re.sub(r'"image/png": "[^"]*"', "", text)
    assert not re.findall(r".*(?:\b64\b|\b15\b|(?<!CS )\b5814\b).*", text)
