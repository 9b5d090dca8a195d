"""What a notebook's outputs show, as pixels and text: nothing of a file that a student made is passed on as it is.

A hostile file aims at what parses it, so `decode` runs in a process of the sandbox, within its limits.
What comes back is checked by `read`; whoever shows a picture writes a new file from its pixels.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograder.sandbox.limits import LIMITS

if TYPE_CHECKING:
    from torch import Tensor

KINDS = ("picture", "stdout", "stderr", "error", "text", "left out")
LEFT_OUT = {  # why an output is not shown
    "damaged": "it cannot be read",
    "large": f"it is larger than {LIMITS.pixels >> 20} million pixels or {LIMITS.side} pixels a side",
    "many": f"the first {LIMITS.outputs} outputs are shown, with {LIMITS.all_pixels >> 20} million pixels at most",
    "active": "HTML, drawings and scripts are never shown",
}


@dataclass(frozen=True)
class Shown:
    """One output of a cell.

    Attributes:
        cell: the number of its cell in the notebook.
        kind: one of KINDS.
        text: what was printed or raised; of one that is left out, the reason. Not yet cleaned.
        pixels: (H, W, 3) bytes, of a picture.
    """

    cell: int
    kind: str
    text: str = ""
    pixels: Tensor | None = None


# --- in the sandbox ---------------------------------------------------------------------------------------------------

Found = tuple[str, Any]  # a kind, and an array of pixels, a text or a reason


def decode(cells: Mapping[int, bytes]) -> tuple[list[list[Any]], dict[str, Tensor]]:
    """The outputs of each cell, given as the JSON of a list: a header for `read`, and the pixels and texts."""
    import torch

    header: list[list[Any]] = []
    tensors: dict[str, Tensor] = {}
    pixels = text = 0
    for cell, data in cells.items():
        for kind, value in _outputs(data):
            if kind == "picture":
                pixels += value.shape[0] * value.shape[1]
            elif kind != "left out":
                value = value[: max(LIMITS.all_text - text, 0)]
                text += len(value)
                if not value:
                    continue
            if len(header) >= LIMITS.outputs or pixels > LIMITS.all_pixels:
                return [*header[: LIMITS.outputs], [cell, "left out", "many"]], tensors
            if kind == "left out":
                header.append([cell, kind, value])
                continue
            data_of = value if kind == "picture" else bytearray(value.encode("utf-8", "replace"))
            tensors[f"{len(header)}"] = (
                torch.as_tensor(data_of) if kind == "picture" else torch.frombuffer(data_of, dtype=torch.uint8)
            )
            header.append([cell, kind, ""])
    return header, tensors


def _outputs(data: bytes) -> Iterator[Found]:
    """What a cell put out, printed text in one piece."""
    try:
        outputs = json.loads(data)
    except (ValueError, RecursionError):
        outputs = None
    if not isinstance(outputs, list):
        yield "left out", "damaged"
        return
    printed: list[str] = []
    stream = ""
    for output in outputs:
        kind = output.get("output_type") if isinstance(output, dict) else None
        if kind == "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            if name != stream:
                yield from _printed(stream, printed)
                stream, printed = name, []
            printed.append(_joined(output.get("text")))
            continue
        yield from _printed(stream, printed)
        stream, printed = "", []
        if kind == "error":
            yield "error", f"{_joined(output.get('ename'))}: {_joined(output.get('evalue'))}"[: LIMITS.text]
        elif kind in ("display_data", "execute_result", "update_display_data"):
            yield from _displayed(output.get("data"))
    yield from _printed(stream, printed)


def _printed(stream: str, pieces: list[str]) -> Iterator[Found]:
    """Printed text as a terminal shows it: what a carriage return wrote over is gone."""
    lines = "".join(pieces)[: LIMITS.text].replace("\r\n", "\n").split("\n")
    if text := "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines):
        yield stream, text


def _displayed(data: object) -> Iterator[Found]:
    """The picture in a bundle, else its text; of anything else, that it is left out."""
    bundle = data if isinstance(data, dict) else {}
    for mime in ("image/png", "image/jpeg"):
        if mime in bundle:
            try:
                yield _pixels(_joined(bundle[mime]))
            except Exception:  # every way in which a file can fail to be a picture
                yield "left out", "damaged"
            return
    if text := _joined(bundle.get("text/plain"))[: LIMITS.text]:
        yield "text", text
    elif bundle:
        yield "left out", "active"


def _pixels(text: str) -> Found:
    """The first frame of a PNG or JPEG image, on white."""
    import numpy
    from PIL import Image

    if len(text) > LIMITS.encoded:
        return "left out", "large"
    Image.MAX_IMAGE_PIXELS = None  # our own limit is lower
    with Image.open(io.BytesIO(base64.b64decode(text)), formats=("PNG", "JPEG")) as image:
        width, height = image.size
        if max(width, height) > LIMITS.side or width * height > LIMITS.pixels:
            return "left out", "large"
        opaque = Image.new("RGBA", image.size, "white")
        opaque.alpha_composite(image.convert("RGBA"))
        return "picture", numpy.array(opaque.convert("RGB"))


def _joined(text: object) -> str:
    """A text as notebooks hold it: in one piece or in lines."""
    lines = text if isinstance(text, list) else [text]
    return "".join(line for line in lines if isinstance(line, str))


# --- outside ----------------------------------------------------------------------------------------------------------


def read(header: object, tensors: Mapping[str, Tensor], cells: Collection[int]) -> list[Shown]:
    """What `decode` gave, as far as it is what it should be: whoever took the process over can send pixels and text."""
    import torch

    shown: list[Shown] = []
    pixels = text = 0
    for position, entry in enumerate(header[: LIMITS.outputs + 1] if isinstance(header, list) else []):
        match entry:
            case [int(cell), "left out", str(reason)] if cell in cells and reason in LEFT_OUT:
                shown.append(Shown(cell, "left out", LEFT_OUT[reason]))
                continue
            case [int(cell), str(kind), _] if cell in cells and kind in KINDS:
                value = tensors.get(f"{position}")
            case _:
                continue
        if value is None or value.dtype != torch.uint8:
            continue
        if kind == "picture":
            fits = value.dim() == 3 and value.shape[2] == 3 and all(0 < side <= LIMITS.side for side in value.shape)
            pixels += value.numel() // 3
            if fits and pixels <= LIMITS.all_pixels:
                shown.append(Shown(cell, kind, pixels=value))
        elif value.dim() == 1 and (text := text + value.numel()) <= 4 * LIMITS.all_text:  # bytes of a character
            shown.append(Shown(cell, kind, value.numpy().tobytes().decode("utf-8", "replace")))
    return shown


def png(pixels: Tensor) -> bytes:
    """(H, W, 3) bytes as a PNG file that holds nothing else."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels.numpy()).save(file, "PNG")
    return file.getvalue()
