"""The student's notebook: sound metadata, in step with the assignment, and it runs from top to bottom."""

import ast
import re
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
import torch

import autograder.assignments.cvae.solution.cs5814_vae as solution
from autograder.assignments.cvae import assignment, digits, kit
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.authoring import kit as release
from autograder.authoring.fill_in import fill_in

pytest.importorskip("nbconvert")
import notebook_cells
from notebook_cells import NOTEBOOK

TEST_CELLS = ("encoder", "decoder", "sample_latent", "forward", "loss_function", "training")
FIGURES = ("display-data", "curve", "generate", "sample-grid", "reconstruct", "walk", "style")


@pytest.fixture(scope="module")
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, 4)


def test_is_valid_and_holds_no_outputs(notebook):
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def test_nbgrader_accepts_the_metadata(notebook):
    pytest.importorskip("nbgrader.nbgraderformat").MetadataValidator().validate_nb(notebook)


def test_graded_cells_are_locked_and_carry_the_points_of_the_assignment(notebook):
    graded = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if "nbgrader" in cell.metadata}
    assert tuple(graded) == (*TEST_CELLS, "visualization")
    for part in assignment.PARTS:
        cell = graded[part.name]
        assert cell.source == f'check("{part.name}")'
        data = cell.metadata.nbgrader
        assert (data.grade, data.locked, data.solution, data.task) == (True, True, False, False)
        assert data.points == part.points
    task = graded["visualization"]
    assert task.cell_type == "markdown"
    assert (task.metadata.nbgrader.task, task.metadata.nbgrader.locked) == (True, True)
    assert task.metadata.nbgrader.points == assignment.VISUALIZATION_POINTS
    assert (
        sum(int(points) for points in re.findall(r"^- \((\d+)\)", task.source, re.MULTILINE))
        == task.metadata.nbgrader.points
    )


def test_table_of_points(notebook):
    rows = re.findall(r"^\|[^|]+\|[^|]+\| (\d+) \|$", notebook.cells[0].source, re.MULTILINE)
    points = {part.name: part.points for part in assignment.PARTS}
    assert [int(row) for row in rows] == [*(points[name] for name in TEST_CELLS), assignment.VISUALIZATION_POINTS]


def test_every_section_that_hints_refer_to_is_a_heading(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    assert {part.section for part in assignment.PARTS} <= set(headings)


def assigned(cell_id: str) -> dict:
    """The names that a cell sets to literal values; of several, the first."""
    values: dict = {}
    for statement in ast.parse(notebook_cells.source(cell_id)).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            try:
                values.setdefault(statement.targets[0].id, ast.literal_eval(statement.value))
            except ValueError:
                continue
    return values


def test_constants_are_those_of_the_assignment():
    assert assigned("curve")["REFERENCE_CURVE"] == assignment.REFERENCE_CURVE
    assert assigned("load-digits")["batch_size"] == assignment.BATCH_SIZE
    assert assigned("train")["num_epochs"] == assignment.NUM_EPOCHS
    assert assigned("train")["latent_dimensionality"] == assignment.TRAINING_LATENT_DIMENSIONALITY
    assert f"lr={assignment.LEARNING_RATE:g}" in notebook_cells.source("train-model")
    assert f"num_classes = {assignment.NUM_CATEGORIES}" in notebook_cells.source("train-model")
    assert f"image_size = {assignment.IMAGE_SIDE} * {assignment.IMAGE_SIDE}" in notebook_cells.source("train-model")
    for cell in ("setup", "sample-example", "train"):
        assert f"torch.manual_seed({assignment.SEED})" in notebook_cells.source(cell)


def test_worked_examples_are_those_of_the_assignment():
    for cell in ("sample-example", "loss-example"):
        assert f"size = (1, {assignment.LATENT_DIMENSIONALITY})" in notebook_cells.source(cell)
    for logits in (assignment.EXAMPLE_RECONSTRUCTION_LOGITS, assignment.EXAMPLE_ORIGINAL_LOGITS):
        assert str([list(row) for row in logits]) in notebook_cells.source("loss-example")


# The data -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    return digits.write_mnist(tmp_path_factory.mktemp("digits"), train=600, test=100)


@pytest.fixture
def data(monkeypatch, drawn) -> dict:
    """The names of the data cell, smoke mode, reading drawn digits where MNIST should be."""
    monkeypatch.setenv("MNIST_ROOT", str(drawn))
    monkeypatch.setenv("CS5814_SMOKE", "1")
    return notebook_cells.run(monkeypatch, solution, "load-digits")


def test_images_are_in_memory_with_pixels_in_unit_range(data):
    assert data["digits_name"] == "MNIST"
    assert data["train_images"].shape == (600, 784)
    assert data["train_images"].dtype == torch.float32
    assert (data["train_images"].min(), data["train_images"].max()) == (0, 1)


def test_minibatches_cover_the_images_in_a_new_order_each_time(data):
    images = torch.arange(300.0).unsqueeze(1)
    loader = data["Minibatches"](images, torch.arange(300), 128)
    assert len(loader) == 2
    first, second = (torch.cat([labels for _, labels in loader]) for _ in range(2))
    assert len(first) == len(first.unique()) == 256
    assert not first.equal(second)
    for rows, labels in loader:
        assert rows.squeeze(1).equal(labels.float())


@pytest.mark.parametrize("where", ["kit", "repository"])
def test_without_mnist_the_drawn_digits_are_used_with_a_notice(data, monkeypatch, tmp_path, drawn, capsys, where):
    def unreachable(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.chdir(tmp_path)
    if where == "kit":
        shutil.copytree(drawn, tmp_path / "digits")
    monkeypatch.setattr(data["datasets"], "MNIST", unreachable)
    monkeypatch.setattr(digits, "write_mnist", lambda root, train, test: drawn)
    folder, name = data["find_digits"]()
    assert name == "drawn digits"
    assert folder == (Path("digits") if where == "kit" else drawn)
    assert "NOTICE: MNIST is not available (no network)" in capsys.readouterr().out


# Google Colab: the notebook stands alone, the kit beside it as a zip -------------------------------------------


def set_up(monkeypatch) -> None:
    monkeypatch.delitem(sys.modules, "cs5814_vae", raising=False)
    monkeypatch.delitem(sys.modules, "public_checks", raising=False)
    exec(re.sub(r"^%.*\n", "", notebook_cells.source("setup"), flags=re.MULTILINE), {})


def test_on_colab_the_kit_is_unpacked_once(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="Upload hw3-part3"):
        set_up(monkeypatch)
    release.build_kit(CVAE, tmp_path, data=kit.data(10, 10))
    set_up(monkeypatch)
    assert Path.cwd() == tmp_path / CVAE.kit
    Path("cs5814_vae.py").write_text("# my work", "utf-8")
    set_up(monkeypatch)
    monkeypatch.chdir(tmp_path)  # as after a restart of the kernel
    set_up(monkeypatch)
    assert Path("cs5814_vae.py").read_text("utf-8") == "# my work"


# The whole notebook ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def executed(tmp_path_factory, drawn) -> Path:
    """The folder where the notebook has run with the reference."""
    folder = tmp_path_factory.mktemp("reference")
    run = notebook_cells.execute(folder, CVAE.solution.read_text("utf-8"), drawn)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(scope="module")
def cells(executed) -> dict:
    return {cell.id: cell for cell in nbformat.read(executed / "out.ipynb", 4).cells}


def printed(cell: nbformat.NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def test_runs_with_the_reference_without_error_or_stderr(cells):
    for cell in cells.values():
        for output in cell.get("outputs", ()):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text


def test_test_cells_pass_and_give_no_partial_credit(cells):
    for part in assignment.PARTS:
        cell = cells[f"check-{part.name.replace('_', '-')}"]
        assert {output.output_type for output in cell.outputs} == {"stream"}, "nbgrader takes a result for the score"
        assert f"All checks of {part.name} pass." in printed(cell)


def test_worked_examples_come_out_as_printed(cells):
    assert printed(cells["sample-example"]).strip() == cells["sample-example-text"].source.split("```")[1].strip()
    loss = float(printed(cells["loss-example"]).split()[-1])
    told = re.search(r"the loss is ([\d.]+\d)", cells["loss-example-text"].source)
    assert loss == pytest.approx(float(told[1]), abs=1e-6)


def test_every_figure_is_drawn(cells):
    drawn = [
        name
        for name, cell in cells.items()
        if any("image/png" in out.get("data", ()) for out in cell.get("outputs", ()))
    ]
    assert tuple(drawn) == FIGURES


def test_each_saved_picture_is_the_digit_it_names(executed):
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


def test_loss_falls_in_smoke_mode(cells):
    losses = [float(loss) for loss in re.findall(r"Average loss: ([\d.]+)", printed(cells["train"]))]
    assert losses[-1] < losses[0] / 2


def test_blank_fill_in_stops_at_the_first_check_and_says_what_to_do(tmp_path, drawn):
    run = notebook_cells.execute(tmp_path, fill_in(CVAE), drawn)
    assert run.returncode != 0
    assert 'check("encoder")' in run.stderr
    line = 1 + fill_in(CVAE)[: fill_in(CVAE).index("raise NotImplementedError")].count("\n")
    assert f"Not written yet: line {line} still raises NotImplementedError." in " ".join(run.stderr.split())
    assert "encoder is not done yet: edit cs5814_vae.py, save it, and run this cell again." in run.stderr
    assert "decoder is not done" not in run.stderr
    assert "public_checks.py" not in run.stderr, "no wall of traceback"
