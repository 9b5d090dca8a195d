"""Figures as the notebook draws them, made of drawn digits, and the outputs that hold them."""

import base64
import functools
import io
from pathlib import Path

import nbformat
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torchvision.utils import make_grid

from autograder.assignments.cvae.assignment import NUM_EPOCHS, REFERENCE_CURVE
from autograder.assignments.cvae.digits import draw_digits
from autograder.sandbox.outputs import Shown

LAST = NUM_EPOCHS - 1


def digits(rows: int, seed: int = 0) -> Tensor:
    """(10 * rows, 28, 28) drawn digits, each row from 0 to 9."""
    images, labels = draw_digits(20 * rows, seed)
    order = torch.stack([(labels == digit).nonzero().flatten()[:rows] for digit in range(10)], 1)
    return images[order.flatten()]


def figure(images: Tensor, columns: int = 10, scale: float = 2.0) -> Image.Image:
    """A grid of images as the notebook draws it: gray lines, on a white page with labels around it."""
    grid = (make_grid(images.unsqueeze(1), nrow=columns, padding=2, pad_value=0.3)[0] * 255).to(torch.uint8)
    picture = Image.fromarray(grid.numpy())
    picture = picture.resize((int(picture.width * scale), int(picture.height * scale)), Image.Resampling.BILINEAR)
    page = Image.new("RGB", (picture.width + 60, picture.height + 70), "white")
    page.paste(picture.convert("RGB"), (40, 30))
    ImageDraw.Draw(page).text((45, 5), "a title, and labels", fill="black")
    ImageDraw.Draw(page).text((45, picture.height + 40), "0      1      2", fill="black")
    return page


def pixels(picture: Image.Image) -> Tensor:
    return torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).reshape(picture.height, picture.width, 3)


def drawn(**cells: Tensor) -> dict[str, list[Shown]]:
    return {
        name.replace("_", "-"): [Shown(0, "picture", pixels=pixels(figure(images)))] for name, images in cells.items()
    }


def table(last: float, epochs: int = NUM_EPOCHS) -> dict[str, list[Shown]]:
    losses = [last + 5 * (epochs - 1 - epoch) for epoch in range(epochs)]
    lines = [f"====> Epoch: {epoch} Average loss: {loss:.4f}\n" for epoch, loss in enumerate(losses)]
    return {"train": [Shown(0, "stdout", "".join(lines))]}


@functools.cache
def outputs(seed: int) -> dict[str, list[dict[str, object]]]:
    """The outputs of a notebook that ran, by the cells' ids."""
    cells = {"generate": 1, "sample-grid": 8, "reconstruct": 2, "walk": 4, "style": 6}
    found: dict[str, list[dict[str, object]]] = {}
    for name, rows in cells.items():
        file = io.BytesIO()
        figure(digits(rows, seed)).save(file, "PNG")
        data = {"image/png": base64.b64encode(file.getvalue()).decode()}
        found[name] = [{"output_type": "display_data", "metadata": {}, "data": data}]
    text = table(sum(REFERENCE_CURVE[LAST]) / 2)["train"][0].text
    return found | {"train": [{"output_type": "stream", "name": "stdout", "text": text}]}


def hand_in(notebook: Path, seed: int) -> None:
    """Put figures into a notebook, as if it had run."""
    content = nbformat.read(notebook, 4)
    for cell in content.cells:
        if cell.id in (ran := outputs(seed)):
            cell.outputs = [nbformat.from_dict(each) for each in ran[cell.id]]
    nbformat.write(content, notebook)
