"""What the grader sees in the figures that a student hands in: the losses, and whether the digits can be read."""

import re
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.assignments.cvae.assignment import IMAGE_SIDE, NUM_CATEGORIES, NUM_EPOCHS, REFERENCE_CURVE
from autograder.assignments.cvae.recognizer import recognize
from autograder.report.model import Observed
from autograder.sandbox.outputs import Shown

# The notebook's cells that draw a figure which is graded by hand, by their ids.
FIGURES = {
    "generate": "one digit of each class",
    "sample-grid": "several of each class",
    "reconstruct": "original and reconstruction",
    "walk": "a walk through latent space",
    "style": "the same latent in all classes",
}
BY_CLASS = ("generate", "sample-grid", "style")  # a column for each class
PAD = 2  # pixels between the images of a figure, and around them
MIN_RECOGNIZED = 0.6  # the solution's figures have 0.9 and more of their digits recognized, noise has 0.1
MIN_RESEMBLANCE = 0.5  # correlation of a reconstruction with its original; the solution's have 0.9 on average
MARGIN = 0.02  # of the band, beyond its ends: another version of PyTorch is not another model

_EPOCH = re.compile(r"Epoch:\s*(\d{1,6})\s+Average loss:\s*(-?\d{1,12}(?:\.\d{1,12})?|nan|-?inf)\b", re.IGNORECASE)
_WENT = re.compile(r"loss went from (-?\d{1,12}(?:\.\d{1,12})?|nan|-?inf)\b", re.IGNORECASE)


def observe(cells: Mapping[str, Sequence[Shown]]) -> Observed:
    """What is seen in the outputs of the notebook's cells, given by the ids of the cells."""
    pictures = {name: [each.pixels for each in shown if each.pixels is not None] for name, shown in cells.items()}
    printed = {name: "\n".join(each.text for each in shown if each.kind == "stdout") for name, shown in cells.items()}
    everything = "\n".join(printed.values())
    training = printed.get("train", "")
    said, doubts = _losses(training if _EPOCH.search(training) else everything, "drawn digits" in everything)
    missing = [title for name, title in FIGURES.items() if not pictures.get(name)]
    if missing:
        doubts.append(f"{len(missing)} of {len(FIGURES)} figures are missing: {', '.join(missing)}.")
    for each in (_digits(pictures), _reconstructions(pictures)):
        said += each[0]
        doubts += each[1]
    return Observed(said, doubts, FIGURES)


Found = tuple[list[str], list[str]]  # sentences for the TA, and doubts


def _losses(printed: str, drawn: bool) -> Found:
    """Where the losses of the last training run end, next to the reference's band where it applies.

    Arguments:
        drawn: whether it was trained on the drawn digits: the band is for MNIST.
    """
    losses: dict[int, float] = {}
    for epoch, loss in _EPOCH.findall(printed):
        losses = {**(losses if int(epoch) else {}), int(epoch): float(loss)}
    if not losses:
        return [], ["No table of losses is there."]
    last = max(losses)
    end = f"{last + 1} epochs; the loss ends at {losses[last]:.1f}"
    lowest, highest = REFERENCE_CURVE[NUM_EPOCHS - 1]
    band = f"the band for MNIST, {lowest:g} to {highest:g}"
    if drawn or last != NUM_EPOCHS - 1:
        start = losses[min(losses)] if len(losses) > 1 else float(went[1]) if (went := _WENT.search(printed)) else None
        if start is None:
            return [f"{end}."], []
        if losses[last] < start:
            return [f"{end}, down from {start:.1f}."], []
        return [f"{end}; it began at {start:.1f}."], ["The loss does not fall."]
    if lowest <= losses[last] <= highest:
        return [f"{end}, inside {band}."], []
    if lowest * (1 - MARGIN) <= losses[last] <= highest * (1 + MARGIN):
        return [f"{end}, close to {band}."], []
    return [], [f"{end}, outside {band}."]


def _digits(pictures: Mapping[str, Sequence[Tensor]]) -> Found:
    """How many of the generated digits are recognized as the class that they were asked for."""
    said, right, count, unread = [], 0, 0, []
    for name in BY_CLASS:
        if not pictures.get(name):
            continue
        images = tiles(pictures[name][0], NUM_CATEGORIES)
        if images is None:
            unread.append(FIGURES[name])
            continue
        hits = int((recognize(images) == torch.arange(len(images)) % NUM_CATEGORIES).sum())
        said.append(f"{hits} of {len(images)} ({FIGURES[name]})")
        right, count = right + hits, count + len(images)
    doubts = [f"These figures are not laid out as the notebook draws them: {', '.join(unread)}."] if unread else []
    if not count:
        return [], doubts
    sentence = f"Digits recognized as the requested class: {', '.join(said)}."
    return ([sentence], doubts) if right >= MIN_RECOGNIZED * count else ([], [*doubts, sentence])


def _reconstructions(pictures: Mapping[str, Sequence[Tensor]]) -> Found:
    """How far the reconstructions resemble their originals, which are in the row above."""
    found = pictures.get("reconstruct")
    images = tiles(found[0], NUM_CATEGORIES) if found else None
    if images is None or len(images) != 2 * NUM_CATEGORIES:
        return [], []
    rows = images.flatten(1) - images.flatten(1).mean(1, keepdim=True)
    alike = F.cosine_similarity(rows[:NUM_CATEGORIES], rows[NUM_CATEGORIES:])
    like = int((alike > MIN_RESEMBLANCE).sum())
    sentence = f"{like} of {NUM_CATEGORIES} reconstructions resemble their original."
    return ([sentence], []) if like >= MIN_RECOGNIZED * NUM_CATEGORIES else ([], [sentence])


def tiles(picture: Tensor, columns: int) -> Tensor | None:
    """The images (N, IMAGE_SIDE, IMAGE_SIDE) in [0, 1], row by row, of a figure (H, W, 3) that shows a grid of them.

    None where there is no such grid: titles and labels around it, on white, do not matter.
    """
    gray = picture.float().mean(2) / 255
    drawn = (gray < 0.97).float()
    inside = _span(drawn.mean(1) > 0.5)
    across = _span(drawn[inside].mean(0) > 0.9)  # the gray lines at the sides; white ink is as white as the page
    grid = gray[inside, across]
    if min(grid.shape) < IMAGE_SIDE:
        return None
    step = IMAGE_SIDE + PAD
    width = columns * step + PAD
    rows = round((grid.shape[0] / grid.shape[1] * width - PAD) / step)
    if not 1 <= rows <= 50 or abs((rows * step + PAD) / width - grid.shape[0] / grid.shape[1]) > 0.05:
        return None
    exact = F.interpolate(grid[None, None], size=(rows * step + PAD, width), mode="area")[0, 0]
    patches = exact[PAD:, PAD:].unfold(0, IMAGE_SIDE, step).unfold(1, IMAGE_SIDE, step)
    return patches.reshape(-1, IMAGE_SIDE, IMAGE_SIDE)


def _span(marks: Tensor) -> slice:
    """From the first True to the last; empty if there is none."""
    found = marks.nonzero().flatten().tolist()
    return slice(found[0], found[-1] + 1) if found else slice(0, 0)
