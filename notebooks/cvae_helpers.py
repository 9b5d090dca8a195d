"""What the notebook needs besides ideas: data, pictures, progress, handing in. Read it if you like; nothing is graded.

The notebook imports these functions, so that its own cells show the model and nothing else.
"""

import io
import json
import math
import os
import re
import socket
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from IPython import get_ipython
from IPython.display import clear_output, display
from torch import Tensor
from torchvision import datasets
from torchvision.utils import make_grid

import public_checks
from check_tools import show

MODULE = "cs5814_vae.py"
NOTEBOOK = "cvae.ipynb"
ZIP = "handin.zip"
UPLOAD = "Canvas, under Homework 3, part 3"

# A short rehearsal instead of the real training, for automatic runs of the notebook.
SMOKE = "NBGRADER_EXECUTION" in os.environ or os.environ.get("CS5814_SMOKE") == "1"

# Where the solution's average loss on MNIST lies, by epoch: that of twenty seeds, and some room on both sides.
REFERENCE_CURVE = {
    0: (213.1, 218.4),
    1: (173.5, 185.6),
    2: (149.5, 164.6),
    3: (137.4, 150.4),
    4: (131.9, 141.8),
    5: (127.6, 136.7),
    6: (124.6, 133.0),
    7: (122.3, 130.1),
    8: (120.5, 128.0),
    9: (119.0, 126.6),
    10: (117.9, 125.4),
    11: (116.9, 124.3),
    12: (116.2, 123.4),
    13: (115.5, 122.7),
    14: (114.8, 122.2),
    15: (114.0, 121.8),
    16: (113.4, 121.5),
    17: (112.8, 121.1),
    18: (112.4, 120.7),
    19: (111.9, 120.4),
}

plt.rcParams["image.cmap"] = "gray"
plt.rcParams["font.size"] = 12


# The machine ----------------------------------------------------------------------------------------------------


def choose_device() -> str:
    """The fastest device there is: "cuda", "mps" or "cpu"."""
    # The layers are so small that more threads gain little. On a shared machine, where threads wait for each other,
    # two took 20 times as long as one.
    torch.set_num_threads(1)
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


# Data -----------------------------------------------------------------------------------------------------------


def find_digits() -> tuple[Path, str]:
    """The folder that holds the digits, in torchvision's MNIST layout, and what they are."""
    mnist = Path(os.environ.get("MNIST_ROOT") or Path.home() / ".cache" / "cs5814-mnist")
    socket.setdefaulttimeout(20)  # a network that never answers is no network
    try:
        datasets.MNIST(mnist, download=not SMOKE)
        return mnist, "MNIST"
    except Exception as error:
        reason = str(error).strip().partition("\n")[0].rstrip(":")
        show(
            [
                f"NOTICE: MNIST is not available ({reason}).",
                "Using the smaller set of computer-drawn digits instead: your losses will differ.",
            ]
        )
    finally:
        socket.setdefaulttimeout(None)
    drawn = Path("digits")
    if not drawn.exists():  # in the course's repository, which draws them when they are needed
        from autograder.assignments.cvae.digits import write_mnist

        drawn = write_mnist(Path(tempfile.mkdtemp()), train=2000, test=200)
    return drawn, "computer-drawn digits"


def load_digits(root: Path, train: bool, device: str = "cpu") -> tuple[Tensor, Tensor]:
    """Images (N, 784) in [0, 1] and their labels (N,)."""
    digits = datasets.MNIST(root, train=train)
    images, labels = digits.data.flatten(1).float().div(255), digits.targets
    if SMOKE:
        images, labels = images[:6000], labels[:6000]
    return images.to(device), labels.to(device)


class Minibatches:
    """Minibatches in a new order each time; an incomplete last one is left out."""

    def __init__(self, images: Tensor, labels: Tensor, batch_size: int) -> None:
        self.images, self.labels = images, labels
        self.batch_size = 32 if SMOKE else batch_size  # a rehearsal has few images, and needs many steps

    def __len__(self) -> int:
        return len(self.images) // self.batch_size

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.images), device=self.images.device)
        for rows in order.split(self.batch_size)[: len(self)]:
            yield self.images[rows], self.labels[rows]


# Training -------------------------------------------------------------------------------------------------------


class TrainingStopped(Exception):
    """Why training cannot go on, in words for the student. Jupyter shows it without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"Training stopped. {self}"]


def finite(loss: float, epoch: int) -> float:
    """The loss, if it is a number; TrainingStopped, with a hint, if it is not."""
    if math.isfinite(loss):
        return loss
    raise TrainingStopped(
        f"In epoch {epoch}, the loss became {loss}. Where does your loss take a logarithm? "
        "The sigmoid rounds very sure pixels to exactly 0 or 1, and log(0) is -inf. "
        "Where does it take an exponential? A large log-variance makes it overflow. "
        'Read "Logarithms of zero" in the section "Loss implementation".'
    )


def epochs_here(epochs: int, minibatches: Minibatches) -> range:
    """As many epochs as `epochs` of MNIST are worth: more of the computer-drawn digits, fewer in a rehearsal."""
    if SMOKE:  # 1,600 steps for 20 epochs; few for the experiments, whose figures nobody grades
        return range(max(1, 4 * epochs**2 // len(minibatches)))
    return range(epochs if len(minibatches) > 200 else 5 * epochs)


def on_one_line(epochs: range) -> Iterator[int]:
    """The epochs in turn. What is printed in one of them takes the place of what the one before has printed."""
    start = time.monotonic()
    for done, epoch in enumerate(epochs, 1):
        yield epoch
        seconds, left = time.monotonic() - start, len(epochs) - done
        if left:
            print(f"{left} epochs to go, about {left * seconds / done:.0f} s")
            clear_output(wait=True)  # as soon as something else is printed
        else:
            print(f"{done} epochs took {seconds:.0f} s.")


# Pictures -------------------------------------------------------------------------------------------------------


def display_data(
    data_tensors: Tensor,
    title: str = "",
    columns: int = 16,
    column_names: Iterable = (),
    row_names: Iterable = (),
) -> None:
    """Show images (N, 784) or (N, 1, 28, 28) in a grid, row by row."""
    images = data_tensors.detach().cpu().reshape(-1, 1, 28, 28)
    grid = make_grid(images, nrow=columns, padding=2, pad_value=0.3)[0]
    fig = plt.figure(figsize=(0.02 * grid.shape[1], 0.02 * grid.shape[0]))
    ax = fig.add_axes((0, 0, 1, 1), frame_on=False)
    ax.imshow(grid, vmin=0, vmax=1)
    for axis, names in ((ax.xaxis, list(column_names)), (ax.yaxis, list(row_names))):
        axis.set_ticks([16 + 30 * place for place in range(len(names))], [str(name) for name in names])
    ax.tick_params(length=0)
    ax.set_title(title)
    plt.show()


def plot_losses(losses: list[float], digits_name: str, with_reference: bool) -> None:
    """Show the average loss by epoch, in front of the band where the solution's loss lies on MNIST."""
    _, ax = plt.subplots(figsize=(8, 4))
    if with_reference:
        lowest, highest = zip(*REFERENCE_CURVE.values(), strict=True)
        band = {"color": "moccasin", "edgecolor": "orange", "label": "reference solution"}
        ax.fill_between(list(REFERENCE_CURVE), lowest, highest, **band)
    ax.plot(losses, marker="o", markersize=4, label=f"yours, on {digits_name}")
    _label(ax, "Training: the loss by epoch", "average loss (nats per image)")
    ax.legend()
    plt.show()


def plot_terms(train_terms: list[tuple], test_terms: list[tuple]) -> None:
    """Show both terms of the loss by epoch, for training and test images, from (reconstruction, KL) pairs."""
    _, axes = plt.subplots(1, 2, figsize=(10, 3.5), layout="constrained")
    for term, (ax, name) in enumerate(zip(axes, ("Reconstruction", "KL divergence"), strict=True)):
        for terms, whose, style in ((train_terms, "training images", "-"), (test_terms, "test images", "--")):
            ax.plot([float(values[term]) for values in terms], style, label=whose)
        _label(ax, name, "nats per image")
    axes[0].legend()
    plt.show()


def plot_kl(per_dimension: Tensor) -> None:
    """Show the KL divergence of each latent dimension, the largest first."""
    values = per_dimension.cpu().sort(descending=True).values
    _, ax = plt.subplots(figsize=(8, 3))
    ax.bar(range(len(values)), values)
    ax.set_title("KL divergence of each latent dimension")
    ax.set_xlabel("latent dimensions, the most used first")
    ax.set_ylabel("nats per image")
    plt.show()


def _label(ax: plt.Axes, title: str, y: str) -> None:
    ax.set_title(title)
    ax.set_xlabel("epoch")
    ax.set_ylabel(y)
    ax.xaxis.get_major_locator().set_params(integer=True)


def show_table(columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> None:
    """Show a table, with names above its columns and before its rows."""
    lines = [("", *columns), ("---:",) * (1 + len(columns)), *((name, *cells) for name, cells in rows.items())]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    display({"text/plain": table, "text/markdown": table}, raw=True)


# Handing in -----------------------------------------------------------------------------------------------------

PLACEHOLDER = "Double-click here and write your answer"
TITLE = re.compile(r"^(?:#+ |\*\*)(.+?)\.?(?:\*\*|$)", re.MULTILINE)
DRAWS = re.compile(r"^(?:display_data|plot_\w+)\(", re.MULTILINE)


def hand_in() -> None:
    """Run all checks, look for the figures and the answers, say what is missing, and write both files into one zip."""
    if SMOKE:
        print("This is an automatic run: nothing is written.")
        return
    saved = read_notebook()
    failed = [part for part in public_checks.CHECKS if not passes(part)]
    missing = [f"The check of {part} fails." for part in failed] + missing_from(json.loads(saved))
    said = ["✓ All checks pass, and the saved notebook holds all figures and answers."]
    if missing:
        said = [f"✗ {line}" for line in missing]
        said.append("    When all of it is done, save the notebook (Ctrl+S, on a Mac ⌘S) and run this cell again.")
    module = next(path for path in (Path(MODULE), Path("..", MODULE)) if path.exists())
    with zipfile.ZipFile(ZIP, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(module, MODULE)
        archive.writestr(NOTEBOOK, saved)
    show([*said, "", f"{Path(ZIP).resolve()} holds {MODULE} and {NOTEBOOK}. Upload it to {UPLOAD}."])
    if "google.colab" in sys.modules:
        from google.colab import files

        files.download(ZIP)


def passes(part: str) -> bool:
    """Whether the check of this part passes."""
    with redirect_stdout(io.StringIO()):
        return not any(hint for _, hint, _ in public_checks.outcomes(part))


def read_notebook() -> str:
    """The notebook as it is saved now; on Colab, which keeps it elsewhere, as Colab has it."""
    if "google.colab" in sys.modules:
        from google.colab import _message

        return json.dumps(_message.blocking_request("get_ipynb", timeout_sec=60)["ipynb"])
    shell = get_ipython()
    named = (shell.user_ns.get("__vsc_ipynb_file__") if shell else None) or os.environ.get("JPY_SESSION_NAME") or ""
    paths = [Path(Path(named).name), Path(NOTEBOOK), *sorted(Path().glob("*.ipynb"))]
    return next(path for path in paths if path.is_file()).read_text("utf-8")


def missing_from(notebook: dict) -> list[str]:
    """What the notebook lacks: figures that are not drawn, and questions that are not answered."""
    missing, heading = [], ""
    for number, cell in enumerate(notebook["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            heading = next(iter(TITLE.findall(source)[::-1]), heading)
        drawn = any("image/png" in output.get("data", {}) for output in cell.get("outputs", ()))
        if cell["cell_type"] == "code" and DRAWS.search(source) and not drawn:
            missing.append(f'The figure is missing: "{heading}".')
        if cell["metadata"].get("nbgrader", {}).get("task"):
            after = notebook["cells"][number + 1 : number + 2]
            answer = "".join(line for cell in after if cell["cell_type"] == "markdown" for line in cell["source"])
            if not answer.strip() or PLACEHOLDER in answer:
                missing.append(f'The answer is missing: "{heading}".')
    return missing
