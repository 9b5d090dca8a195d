"""Build the students' kit: a zip with all that they need, without solutions or hidden checks."""

import re
from collections.abc import Mapping
from pathlib import Path

from autograder import output
from autograder.assignment import Assignment
from autograder.authoring.rollover import require_in_step
from autograder.fill_in import fill_in


def build_kit(assignment: Assignment, out: Path, data: Mapping[str, bytes] | None = None) -> Path:
    """Write the assignment's kit, a zip, into the folder `out` and return its path.

    All files are in one folder with the kit's name. The same sources give the same bytes.

    Arguments:
        data: files for students whose machine has no network, by their path in the kit; those of the assignment's
            `kit.data` by default.

    Raises:
        FileNotFoundError: outside the course's repository, which has the notebook.
        ValueError: a file there contradicts the assignment's constants.
    """
    files = {f"{assignment.kit}/{name}": content for name, content in kit_files(assignment, data).items()}
    return output.write_archive(out / f"{assignment.kit}.zip", files)


def kit_files(assignment: Assignment, data: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """The students' files by their path in the kit. For `data` and the errors see `build_kit`."""
    files = {assignment.module: fill_in(assignment).encode()}
    for name, source in {Path(assignment.notebook).name: assignment.notebook, **assignment.kit_files}.items():
        files[name] = _checkout(assignment.root / source).read_bytes().replace(b"\r\n", b"\n")
    require_in_step(assignment)
    if data is None and assignment.has("kit"):
        data = assignment.piece("kit").data()
    return files | dict(data or {})


def filled_in(template: Path, words: Mapping[str, str]) -> bytes:
    """A template with its placeholders, words in capitals, replaced."""
    text = template.read_text("utf-8")
    found = re.compile("|".join(rf"\b{re.escape(placeholder)}\b" for placeholder in words))
    return found.sub(lambda place: words[place[0]], text).encode()


def _checkout(path: Path) -> Path:
    if not path.exists():
        raise FileNotFoundError(f"{path.name} is missing: build the kit in a checkout of the course's repository")
    return path
