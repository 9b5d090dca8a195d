"""Attach the solution's figures, small, to the notebook's texts: what students compare theirs with.

Usage: python -m autograder.assignments.cvae.reference_pictures EXECUTED.ipynb

EXECUTED.ipynb is the notebook after a run with the solution on MNIST. A text cell that shows `attachment:NAME.png`
gets the figure that the cell NAME drew. Run it after the figures or the constants that they depend on have changed.
"""

import base64
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from autograder.assignments.cvae.assignment import ASSIGNMENT

WIDTH = 360  # pixels
SHADES = 16


def attach(notebook: dict[str, Any], executed: dict[str, Any]) -> None:
    """Attach to each text of `notebook` the figures that it shows, from `executed`; KeyError if one is not drawn."""
    drawn = {
        cell["id"]: output["data"]["image/png"]
        for cell in executed["cells"]
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    }
    for cell in notebook["cells"]:
        names = re.findall(r"\(attachment:([\w-]+)\.png\)", "".join(cell["source"]))
        if names:
            cell["attachments"] = {f"{name}.png": {"image/png": small(drawn[name])} for name in names}


def small(png: str) -> str:
    """A picture as a few kilobytes: narrow, with few colors. Both are PNG files in base64."""
    with Image.open(io.BytesIO(base64.b64decode(png))) as picture:
        height = round(picture.height * WIDTH / picture.width)
        shrunk = (
            picture.convert("RGB")
            .resize((WIDTH, height), Image.Resampling.LANCZOS)
            .quantize(SHADES, Image.Quantize.FASTOCTREE)
        )
    file = io.BytesIO()
    shrunk.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def main() -> None:
    """Renew the attachments of the notebook in this checkout."""
    path = ASSIGNMENT.root / ASSIGNMENT.notebook
    notebook = json.loads(path.read_text("utf-8"))
    attach(notebook, json.loads(Path(sys.argv[1]).read_text("utf-8")))
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
