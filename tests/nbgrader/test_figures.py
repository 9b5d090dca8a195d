"""What the grader sees in the figures of a class, and which notebooks it runs again."""

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import torch
from nbgrader.coursedir import CourseDirectory
from PIL import Image

from autograder.assignments.cvae import figures as seen
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.assignment import NUM_EPOCHS, REFERENCE_CURVE
from autograder.platforms.nbgrader import figures
from autograder.platforms.nbgrader.figures import Album, Figures, RunNotebook
from autograder.platforms.nbgrader.rerun import Bounds, Script
from autograder.sandbox import isolation
from autograder.sandbox.client import Sandbox
from autograder.sandbox.outputs import Shown
from tests.nbgrader.drawn_figures import LAST, digits, drawn, figure, hand_in, outputs, pixels, table

NOTEBOOK = Path(CVAE.notebook).name

ALL = drawn(generate=digits(1), sample_grid=digits(8), reconstruct=digits(2), walk=digits(4), style=digits(6))


def test_every_cell_that_is_named_is_in_the_notebook() -> None:
    notebook = nbformat.read(CVAE.root / CVAE.notebook, 4)
    assert set(seen.FIGURES) <= {cell.id for cell in notebook.cells}


@pytest.mark.parametrize("scale", [0.9, 1.45, 2.0, 3.3])
@pytest.mark.parametrize("rows", [1, 2, 8])
def test_a_figure_is_taken_apart_into_its_images(rows: int, scale: float) -> None:
    images = seen.tiles(pixels(figure(digits(rows), scale=scale)), 10)
    assert images is not None
    assert images.shape == (10 * rows, 28, 28)
    assert (images - digits(rows)).abs().mean() < 0.1


def test_good_figures_leave_no_doubt() -> None:
    found = seen.observe(ALL | table(sum(REFERENCE_CURVE[LAST]) / 2))
    assert found.doubts == []
    assert any("inside the band" in sentence for sentence in found.said)


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (table(15_000.0), "outside the band"),
        (table(60.0), "outside the band"),
        (table(float("nan")), "outside the band"),
        (table(200.0, 3) | {"train": [Shown(0, "stdout", "Epoch: 0 Average loss: 5\nEpoch: 1 Average loss: 6")]},
         "does not fall"),
        ({"train": []}, "No table of losses"),
        ({"walk": []}, "1 of 5 figures are missing"),
        (drawn(generate=digits(1).flip(0), sample_grid=torch.rand(80, 28, 28), style=torch.rand(60, 28, 28)),
         "Digits recognized as the requested class: 0 of 10"),
        (drawn(reconstruct=torch.cat((digits(1), digits(1).flip(0)))), "reconstructions resemble"),
        ({"generate": [Shown(0, "picture", pixels=pixels(Image.new("RGB", (300, 300), "white")))]}, "not laid out"),
    ],
    ids=["summed", "too-low", "nan", "rises", "no-losses", "missing", "noise", "other-digits", "another-figure"],
)  # fmt: skip
def test_what_does_not_fit_is_a_doubt(change: Mapping[str, list[Shown]], doubt: str) -> None:
    good = ALL | table(sum(REFERENCE_CURVE[LAST]) / 2)
    assert any(doubt in sentence for sentence in seen.observe({**good, **change}).doubts)


def test_a_table_of_one_line_and_a_further_training() -> None:
    """The notebook may keep the last epoch's line alone, and trains other models for its experiments afterwards."""
    line = f"The loss went from 215.0 to 115.0\n====> Epoch: {LAST} Average loss: 115.0"
    later = [Shown(0, "stdout", "====> Epoch: 0 Average loss: 400.0")]
    found = seen.observe(ALL | {"train": [Shown(0, "stdout", line)], "beta": later})
    assert found.doubts == []
    assert found.said[0].startswith(f"{NUM_EPOCHS} epochs; the loss ends at 115.0, inside the band")


@pytest.mark.parametrize("last", [float("nan"), float("inf"), 1e12, -5.0, 0.0])
def test_no_loss_that_is_printed_stops_the_grader(last: float) -> None:
    assert seen.observe(ALL | table(last))


# --- a class ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Ada and Bob handed in figures; Cyd and Dan handed in Eve's; Fay handed in none."""
    release = tmp_path / "release" / CVAE.kit
    release.mkdir(parents=True)
    (release / NOTEBOOK).write_bytes((CVAE.root / CVAE.notebook).read_bytes())
    for student, seed in {"ada": 1, "bob": 2, "cyd": 3, "dan": 3, "fay": None}.items():
        folder = tmp_path / "submitted" / student / CVAE.kit
        folder.mkdir(parents=True)
        (folder / CVAE.module).write_text(f"# by {student}")
        shutil.copy(release / NOTEBOOK, folder)
        if seed is not None:
            hand_in(folder / NOTEBOOK, seed)
    return tmp_path


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


class Ran(list[Script]):
    """Stands in for what runs notebooks: what it was to run."""

    def run(self, script: Script, bounds: Bounds) -> tuple[dict[int, bytes], str]:
        self.append(script)
        number = next(number for number, source in script.code.items() if "your_result.jpg" in source)
        return {number: json.dumps(outputs(7)["generate"]).encode()}, ""


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Ran:
    stand_in = Ran()
    monkeypatch.setattr(figures, "Sandbox", lambda assignment: contextlib.nullcontext(sandbox))
    monkeypatch.setattr(figures, "Runner", lambda: contextlib.nullcontext(stand_in))
    monkeypatch.setattr(isolation, "why_not", lambda _: None)
    return stand_in


class Command:
    """Stands for nbgrader's command, which knows the folders of the course."""

    def __init__(self, directory: CourseDirectory) -> None:
        self.coursedir = directory


def album(course: Path, rerun: str, *students: str) -> Album:
    """The album of a command that grades these students."""
    plugin = RunNotebook(assignments=[CVAE.where], rerun=rerun, workers=1)
    plugin.parent = None
    directory = CourseDirectory(root=str(course))
    stand_in = SimpleNamespace(
        parent=SimpleNamespace(parent=Command(directory)), log=plugin.log, rerun=rerun, workers=1,
        data="", reports="reports",
    )  # fmt: skip
    made = Album(stand_in, CVAE, Bounds())  # type: ignore[arg-type]
    made.look([course / "submitted" / student / CVAE.kit for student in students])
    return made


EVERYONE = ("ada", "bob", "cyd", "dan", "fay")


def test_who_leaves_a_doubt_is_run_again(course: Path, ran: Ran) -> None:
    made = album(course, "doubt", *EVERYONE)
    doubts = {student: made.of(student).doubts for student in EVERYONE}
    assert [student for student in EVERYONE if doubts[student]] == ["cyd", "dan", "fay"]
    assert "as those of dan" in doubts["cyd"][0]
    assert doubts["fay"] == ["No figure was handed in."]
    assert sorted(script.files[CVAE.module] for script in ran) == [b"# by cyd", b"# by dan", b"# by fay"]
    assert made.counts == (4, 3, 0)


def test_what_ran_is_kept(course: Path, ran: Ran) -> None:
    album(course, "doubt", *EVERYONE)
    count = len(ran)
    made = album(course, "doubt", *EVERYONE)
    assert len(ran) == count
    handed_in, again = made.figures(made.of("fay"))
    assert handed_in == Figures()
    assert len(again.pictures) == 1


@pytest.mark.parametrize(("rerun", "count"), [("all", 5), ("never", 0)])
def test_all_or_none_are_run_where_that_is_asked_for(course: Path, ran: Ran, rerun: str, count: int) -> None:
    album(course, rerun, *EVERYONE)
    assert len(ran) == count


def test_one_student_is_compared_with_the_whole_class(course: Path, ran: Ran) -> None:
    made = album(course, "doubt", "cyd")
    assert "as those of dan" in made.of("cyd").doubts[0]
    assert len(ran) == 1


def test_no_graded_cell_is_run(course: Path, ran: Ran) -> None:
    album(course, "all", *EVERYONE)
    assert not any(source.startswith("check(") for script in ran for source in script.code.values())
