"""The student's notebook: sound metadata, in step with the assignment, and it runs from top to bottom."""

import ast
import importlib
import json
import math
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import nbformat
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.assignments.cvae import assignment, digits, kit
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.authoring import kit as release
from autograder.fill_in import fill_in

pytest.importorskip("nbconvert")
from tests import notebook_cells
from tests.notebook_cells import NOTEBOOK

HELPERS = NOTEBOOK.with_name("cvae_helpers.py")
TEST_CELLS = ("encoder", "decoder", "sample_latent", "forward", "loss_function", "training")
FIGURES = (
    *("display-data", "curve", "generate", "sample-grid", "reconstruct", "walk", "style"),
    *("terms", "kl", "traverse", "told", "beta"),
)


@pytest.fixture(scope="module")
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, 4)


def test_is_valid_and_holds_no_outputs(notebook: nbformat.NotebookNode) -> None:
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def test_no_line_of_code_is_cut_off_in_jupyterlab(notebook: nbformat.NotebookNode) -> None:
    """Next to its file browser, a window of 1280 pixels shows 105 characters."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert [line for source in code for line in source.splitlines() if len(line) > 100] == []


def test_nbgrader_accepts_the_metadata(notebook: nbformat.NotebookNode) -> None:
    pytest.importorskip("nbgrader.nbgraderformat").MetadataValidator().validate_nb(notebook)


def test_graded_cells_are_locked_and_carry_their_points(notebook: nbformat.NotebookNode) -> None:
    graded = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if "nbgrader" in cell.metadata}
    assert CVAE.by_hand is not None
    assert set(graded) == {*TEST_CELLS, *CVAE.by_hand.shares}
    assert tuple(name for name in graded if name in TEST_CELLS) == TEST_CELLS
    for part in assignment.PARTS:
        cell = graded[part.name]
        assert cell.source == f'check("{part.name}")'
        data = cell.metadata.nbgrader
        assert (data.grade, data.locked, data.solution, data.task) == (True, True, False, False)
        assert data.points == part.points


def test_tasks_share_the_points_by_hand_and_each_says_what_for(notebook: nbformat.NotebookNode) -> None:
    tasks = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("task")]
    assert sum(task.metadata.nbgrader.points for task in tasks) == assignment.VISUALIZATION_POINTS
    for task in tasks:
        assert (task.cell_type, task.metadata.nbgrader.locked) == ("markdown", True)
        criteria = re.findall(r"^- \((\d+)\)", task.source, re.MULTILINE)
        assert sum(map(int, criteria)) == task.metadata.nbgrader.points


def test_table_of_points(notebook: nbformat.NotebookNode) -> None:
    rows = re.findall(r"^\|[^|]+\|[^|]+\| (\d+) \|$", notebook.cells[0].source, re.MULTILINE)
    points = {part.name: part.points for part in assignment.PARTS}
    assert [int(row) for row in rows] == [*(points[name] for name in TEST_CELLS), assignment.VISUALIZATION_POINTS]


def test_every_section_that_hints_refer_to_is_a_heading(notebook: nbformat.NotebookNode) -> None:
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    assert {part.section for part in assignment.PARTS} <= set(headings)


def assigned(cell_id: str) -> dict[str, Any]:
    """The names that a cell sets to literal values; of several, the first."""
    return assigned_in(notebook_cells.source(cell_id))


def assigned_in(source: str) -> dict[str, Any]:
    """The names that some code sets to literal values; of several, the first."""
    values: dict[str, Any] = {}
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            try:
                values.setdefault(statement.targets[0].id, ast.literal_eval(statement.value))
            except ValueError:
                continue
    return values


def test_constants_are_those_of_the_assignment() -> None:
    assert assigned_in(HELPERS.read_text("utf-8"))["REFERENCE_CURVE"] == assignment.REFERENCE_CURVE
    assert assigned_in(HELPERS.read_text("utf-8"))["UPLOAD"] == assignment.UPLOAD
    assert assigned("load-digits")["batch_size"] == assignment.BATCH_SIZE
    assert assigned("train")["num_epochs"] == assignment.NUM_EPOCHS
    assert assigned("train")["latent_dimensionality"] == assignment.TRAINING_LATENT_DIMENSIONALITY
    assert f"lr={assignment.LEARNING_RATE:g}" in notebook_cells.source("train")
    assert f"num_classes = {assignment.NUM_CATEGORIES}" in notebook_cells.source("train-model")
    assert f"image_size = {assignment.IMAGE_SIDE} * {assignment.IMAGE_SIDE}" in notebook_cells.source("train-model")
    for cell in ("setup", "sample-example", "train"):
        assert f"torch.manual_seed({assignment.SEED})" in notebook_cells.source(cell)


def test_worked_examples_are_those_of_the_assignment() -> None:
    for cell in ("sample-example", "loss-example"):
        assert f"size = (1, {assignment.LATENT_DIMENSIONALITY})" in notebook_cells.source(cell)
    for logits in (assignment.EXAMPLE_RECONSTRUCTION_LOGITS, assignment.EXAMPLE_ORIGINAL_LOGITS):
        assert str([list(row) for row in logits]) in notebook_cells.source("loss-example")


# The helpers ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return digits.write_mnist(tmp_path_factory.mktemp("digits"), train=600, test=100)


def forget_the_kit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the modules of the kit imported again."""
    for name in (CVAE.module, *CVAE.kit_files):
        monkeypatch.delitem(sys.modules, Path(name).stem, raising=False)


@pytest.fixture
def helpers(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """cvae_helpers.py, imported anew."""
    monkeypatch.syspath_prepend(NOTEBOOK.parent)
    forget_the_kit(monkeypatch)
    return importlib.import_module("cvae_helpers")


def test_images_are_in_memory_with_pixels_in_unit_range(helpers: ModuleType, drawn: Path) -> None:
    images, labels = helpers.load_digits(drawn, train=True)
    assert (images.shape, images.dtype, labels.shape) == ((600, 784), torch.float32, (600,))
    assert (images.min(), images.max()) == (0, 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(1, 400), batch_size=st.integers(1, 130))
def test_minibatches_cover_the_images_but_an_incomplete_last_one(
    helpers: ModuleType, count: int, batch_size: int
) -> None:
    loader = helpers.Minibatches(torch.arange(float(count)).unsqueeze(1), torch.arange(count), batch_size)
    batches = list(loader)
    assert len(batches) == len(loader) == count // batch_size
    seen = [int(label) for _, labels in batches for label in labels]
    assert len(set(seen)) == len(seen) == batch_size * len(loader)
    assert all(rows.squeeze(1).equal(labels.float()) for rows, labels in batches)


@pytest.mark.parametrize("where", ["kit", "repository"])
def test_without_mnist_the_drawn_digits_are_used_with_a_notice(
    helpers: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    drawn: Path,
    capsys: pytest.CaptureFixture[str],
    where: str,
) -> None:
    def unreachable(*args: object, **kwargs: object) -> None:
        raise OSError("no network")

    monkeypatch.chdir(tmp_path)
    if where == "kit":
        shutil.copytree(drawn, tmp_path / "digits")
    monkeypatch.setattr(helpers.datasets, "MNIST", unreachable)
    monkeypatch.setattr(digits, "write_mnist", lambda root, train, test: drawn)
    folder, name = helpers.find_digits()
    assert name == "computer-drawn digits"
    assert folder == (Path("digits") if where == "kit" else drawn)
    assert "NOTICE: MNIST is not available (no network)" in capsys.readouterr().out


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_training_stops_at_a_loss_that_is_no_number(helpers: ModuleType, loss: float) -> None:
    assert helpers.finite(3.5, epoch=2) == 3.5
    with pytest.raises(helpers.TrainingStopped, match="In epoch 2, the loss became") as stopped:
        helpers.finite(loss, epoch=2)
    assert "log(0)" in stopped.value._render_traceback_()[0]


def test_each_epoch_takes_the_place_of_the_one_before(
    helpers: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(helpers, "clear_output", lambda wait: shown.append(capsys.readouterr().out))
    assert list(helpers.on_one_line(range(3))) == [0, 1, 2]
    assert ["2 epochs to go" in shown[0], "1 epochs to go" in shown[1]] == [True, True]
    assert capsys.readouterr().out.startswith("3 epochs took")


# Handing in -----------------------------------------------------------------------------------------------------


@pytest.fixture
def submitted(
    helpers: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cells: dict[str, nbformat.NotebookNode]
) -> Path:
    """A folder with the executed notebook, saved and answered, and the module; hand_in runs there."""
    notebook = nbformat.from_dict({"cells": list(cells.values()), "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    write(tmp_path, notebook, lambda cell: "An answer." if cell.id.startswith("answer") else cell.source)
    (tmp_path / "cs5814_vae.py").write_text(CVAE.solution.read_text("utf-8"), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.setattr(helpers.public_checks, "outcomes", lambda part: iter([("holds", "", None)]))
    return tmp_path


def write(folder: Path, notebook: nbformat.NotebookNode, source: Callable[[nbformat.NotebookNode], str]) -> None:
    changed = [nbformat.from_dict({**cell, "source": source(cell)}) for cell in notebook.cells]
    nbformat.write(nbformat.from_dict({**notebook, "cells": changed}), folder / "cvae.ipynb")


def test_a_complete_submission_is_zipped_under_the_right_names(
    helpers: ModuleType, submitted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    helpers.hand_in()
    said = capsys.readouterr().out
    assert "✓ All checks pass, and the saved notebook holds all figures and answers." in said
    assert f"Upload it to {assignment.UPLOAD}." in said
    with zipfile.ZipFile(submitted / "handin.zip") as archive:
        assert sorted(archive.namelist()) == ["cs5814_vae.py", "cvae.ipynb"]
        assert archive.read("cvae.ipynb") == (submitted / "cvae.ipynb").read_bytes()
        assert archive.read("cs5814_vae.py") == CVAE.solution.read_bytes()


def test_the_zip_is_written_and_what_is_missing_is_said(
    helpers: ModuleType, submitted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def outcomes(part: str) -> Iterator[tuple[str, str, int | None]]:
        yield "holds", "It does not." if part == "forward" else "", None

    monkeypatch.setattr(helpers.public_checks, "outcomes", outcomes)
    notebook = nbformat.read(submitted / "cvae.ipynb", 4)
    next(cell for cell in notebook.cells if cell.id == "walk").outputs = []
    write(submitted, notebook, lambda cell: helpers.PLACEHOLDER if cell.id == "answer-zero" else cell.source)
    helpers.hand_in()
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("✗")] == [
        "✗ The check of forward fails.",
        '✗ The answer is missing: "Question: why is the loss never 0?".',
        '✗ The figure is missing: "A walk through latent space".',
    ]
    assert (submitted / "handin.zip").exists()


def test_the_released_notebook_lacks_every_figure_and_answer(helpers: ModuleType) -> None:
    missing = helpers.missing_from(json.loads(NOTEBOOK.read_text("utf-8")))
    assert sum(line.startswith("The figure") for line in missing) == len(FIGURES)
    assert CVAE.by_hand is not None
    assert sum(line.startswith("The answer") for line in missing) == len(CVAE.by_hand.shares)


@pytest.mark.parametrize("name", ["my work.ipynb", "cvae (1).ipynb", "cvae-Copy1.ipynb"])
@pytest.mark.parametrize("editor", ["JupyterLab", "VS Code", "unknown"])
def test_a_renamed_notebook_is_found(
    helpers: ModuleType, submitted: Path, monkeypatch: pytest.MonkeyPatch, name: str, editor: str
) -> None:
    (submitted / "cvae.ipynb").rename(submitted / name)
    if editor == "JupyterLab":
        monkeypatch.setenv("JPY_SESSION_NAME", f"/home/ada/hw 3/{name}")
    shell = SimpleNamespace(user_ns={"__vsc_ipynb_file__": f"/home/ada/{name}"} if editor == "VS Code" else {})
    monkeypatch.setattr(helpers, "get_ipython", lambda: shell)
    assert helpers.read_notebook() == (submitted / name).read_text("utf-8")


def test_on_colab_the_notebook_that_is_open_is_handed_in(
    helpers: ModuleType, submitted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads: list[str] = []
    message = SimpleNamespace(blocking_request=lambda name, timeout_sec: {"ipynb": {"cells": [], "open": True}})
    files = SimpleNamespace(download=downloads.append)
    monkeypatch.setitem(sys.modules, "google", ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace(_message=message, files=files))
    helpers.hand_in()
    with zipfile.ZipFile(submitted / "handin.zip") as archive:
        assert json.loads(archive.read("cvae.ipynb"))["open"]
    assert downloads == ["handin.zip"]


# Google Colab: the notebook stands alone, the kit beside it as a zip -------------------------------------------


def set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_the_kit(monkeypatch)
    exec(re.sub(r"^%.*\n", "", notebook_cells.source("setup"), flags=re.MULTILINE), {})


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder, with a blank in its name, in which the set-up cell runs."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    (folder := tmp_path / "a folder").mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("name", ["hw3-part3.zip", "hw3-part3 (1).zip"])
def test_on_colab_the_kit_is_unpacked_once(monkeypatch: pytest.MonkeyPatch, alone: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match="Upload hw3-part3"):
        set_up(monkeypatch)
    release.build_kit(CVAE, alone, data=kit.data(10, 10)).rename(alone / name)
    set_up(monkeypatch)
    assert Path.cwd() == alone / CVAE.kit
    Path("cs5814_vae.py").write_text("# my work", "utf-8")
    set_up(monkeypatch)
    monkeypatch.chdir(alone)  # as after a restart of the kernel
    set_up(monkeypatch)
    assert Path("cs5814_vae.py").read_text("utf-8") == "# my work"


def test_on_colab_the_work_is_kept_in_drive(monkeypatch: pytest.MonkeyPatch, alone: Path, tmp_path: Path) -> None:
    mounted: list[str] = []
    monkeypatch.setitem(sys.modules, "google", ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace(drive=SimpleNamespace(mount=mounted.append)))
    monkeypatch.setattr(notebook_cells, "source", _in_place_of_drive(tmp_path / "drive"))
    release.build_kit(CVAE, alone, data=kit.data(10, 10))
    set_up(monkeypatch)
    assert mounted == [str(tmp_path / "drive")]
    assert Path.cwd() == tmp_path / "drive" / "MyDrive" / CVAE.kit


def _in_place_of_drive(folder: Path) -> Callable[[str], str]:
    source = notebook_cells.source
    return lambda cell: source(cell).replace("/content/drive", str(folder))


# The whole notebook ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory, drawn: Path) -> Path:
    """The folder where the notebook has run with the reference."""
    folder = tmp_path_factory.mktemp("reference")
    run = notebook_cells.execute(folder, CVAE.solution.read_text("utf-8"), drawn)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(scope="module")
def cells(executed: Path) -> dict[str, Any]:
    return {cell.id: cell for cell in nbformat.read(executed / "out.ipynb", 4).cells}


def printed(cell: nbformat.NotebookNode) -> str:
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)


def test_runs_with_the_reference_without_error_or_stderr(cells: dict[str, nbformat.NotebookNode]) -> None:
    for cell in cells.values():
        for output in cell.get("outputs", ()):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text


def test_test_cells_pass_and_give_no_partial_credit(cells: dict[str, nbformat.NotebookNode]) -> None:
    for part in assignment.PARTS:
        cell = cells[f"check-{part.name.replace('_', '-')}"]
        kinds = {output.output_type for output in cell.outputs}
        assert kinds == {"display_data", "stream"}, "nbgrader takes a result for the score"
        assert f"All checks of {part.name} pass." in printed(cell)


def test_worked_examples_come_out_as_printed(cells: dict[str, nbformat.NotebookNode]) -> None:
    assert printed(cells["sample-example"]).strip() == cells["sample-example-text"].source.split("```")[1].strip()
    loss = float(printed(cells["loss-example"]).split()[-1])
    (told, *_) = re.findall(r"the loss is ([\d.]+\d)", cells["loss-example-text"].source)
    assert loss == pytest.approx(float(told), abs=1e-6)


def test_every_figure_is_drawn(cells: dict[str, nbformat.NotebookNode]) -> None:
    drawn = [
        name
        for name, cell in cells.items()
        if any("image/png" in out.get("data", ()) for out in cell.get("outputs", ()))
    ]
    assert tuple(name for name in drawn if name != "optional") == FIGURES  # a perfect classifier draws none


def test_every_figure_has_a_small_picture_to_compare_it_with(notebook: nbformat.NotebookNode) -> None:
    compared = set()
    for text in notebook.cells:
        for name in re.findall(r"\(attachment:([\w-]+)\.png\)", text.source):
            compared.add(name)
            assert len(text.attachments[f"{name}.png"]["image/png"]) < 40_000
    assert compared == set(FIGURES) - {"display-data", "curve"}, "the curve has its band"
    assert NOTEBOOK.stat().st_size < 400_000


def test_each_saved_picture_is_the_digit_it_names(executed: Path) -> None:
    image = pytest.importorskip("PIL.Image")

    def pixels(name: str) -> torch.Tensor:
        with image.open(executed / name) as picture:
            gray = picture.convert("L")
            return torch.tensor(list(gray.tobytes()), dtype=torch.float32).view(gray.height, gray.width)

    row = pixels("your_result.jpg")
    assert row.shape == (28, 280)
    for digit in range(10):
        single = pixels(f"your_result_{digit}.jpg")
        assert single.shape == (28, 28)
        differences = [(single - other).abs().mean() for other in row.split(28, dim=1)]
        assert torch.stack(differences).argmin() == digit


def test_training_prints_one_line_and_the_loss_falls(cells: dict[str, nbformat.NotebookNode]) -> None:
    assert printed(cells["train"]).count("Average loss") == 1
    ((first, last),) = re.findall(r"from ([\d.]+) to ([\d.]+) nats", printed(cells["train"]))
    assert float(last) < float(first) / 2


def test_a_blank_fill_in_stops_at_the_first_check(tmp_path: Path, drawn: Path) -> None:
    run = notebook_cells.execute(tmp_path, fill_in(CVAE), drawn)
    assert run.returncode != 0
    assert 'check("encoder")' in run.stderr
    assert "encoder is not done yet." in run.stderr
    assert "decoder is not done" not in run.stderr
    assert "public_checks.py" not in run.stderr, "no wall of traceback"
