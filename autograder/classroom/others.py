"""What a class is compared with: modules that everybody may know, and those of earlier terms; written answers."""

import os
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment
from autograder.report.model import clean
from autograder.submissions.files import File, Listing, NothingToGrade
from autograder.submissions.layouts import read_upload
from autograder.submissions.notebooks import outputs_apart, parsed

MAX_NOTEBOOK = 8 << 20  # bytes, outputs included
MAX_NOTEBOOKS = 3  # of a student that are read
SECONDS = 20.0  # for reading all notebooks


def known_modules(assignment: Assignment, apart_from: Path) -> dict[str, bytes]:
    """The solution and the examples next to the assignment, by label, but those that are in the class itself."""
    found = {"the solution": assignment.solution.read_bytes()}
    for path in sorted(assignment.root.glob(f"examples/*/{assignment.module}")):
        if not path.resolve().is_relative_to(apart_from.resolve()):
            found[f"examples/{path.parent.name}"] = path.read_bytes()
    return found


def earlier_modules(folders: Iterable[Path], assignment: Assignment) -> dict[str, bytes]:
    """The modules in these folders or downloads of earlier terms, by label. NothingToGrade where one has none."""
    found: dict[str, bytes] = {}
    for folder, called in _told_apart(folders).items():
        for each in read_upload(folder, assignment).submitted:
            if each.source is not None:
                label = f"{called}/{each.student}"
                found[f"{label} ({folder})" if label in found else label] = each.source
    return found


def _told_apart(folders: Iterable[Path]) -> dict[Path, str]:
    """Each folder once, with as much of the end of its path as no other folder's path ends with."""
    paths = list(dict.fromkeys(Path(os.path.abspath(folder)) for folder in folders))
    ends = {path: [path.parts[start:] for start in reversed(range(len(path.parts)))] for path in paths}
    count = Counter(end for path in paths for end in ends[path])
    return {path: "/".join(next(end for end in ends[path] if count[end] == 1)) for path in paths}


class Answers:
    """What each student wrote in the notebook; to be given to `read_upload` as `visit`."""

    def __init__(self, assignment: Assignment) -> None:
        released = assignment.root / assignment.notebook
        self._released = set(_texts(released.read_bytes())) if released.is_file() else set()
        self._left = SECONDS
        self.texts: dict[str, str] = {}

    def __call__(self, student: str, listing: Listing) -> None:
        notebooks = [file for file in listing.files if file.name.lower().endswith(".ipynb") and not file.junk]
        started = time.monotonic()
        for file in notebooks[:MAX_NOTEBOOKS] if self._left > 0 else ():
            own = [text for text in self._read(file) if text not in self._released]
            if own:
                self.texts[student] = "\n".join(own)
                break
        self._left -= time.monotonic() - started

    @staticmethod
    def _read(file: File) -> list[str]:
        try:
            data = file.read(MAX_NOTEBOOK + 1)
        except NothingToGrade:
            return []
        return _texts(data) if len(data) <= MAX_NOTEBOOK else []


def _texts(notebook: bytes) -> list[str]:
    """The text cells of a notebook; none if it is no notebook."""
    try:
        without_outputs, _ = outputs_apart(notebook)
        cells: Any = parsed(without_outputs)["cells"]
        written = (cell["source"] for cell in cells if cell["cell_type"] == "markdown")
        return [clean("".join(text), 20_000).strip() for text in written]
    except (ValueError, KeyError, TypeError):
        return []
