"""The notebook in a file that a student made, which can be anything, and the outputs in it apart."""

from itertools import chain, islice
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_notebook

from autograder.platforms.nbgrader.submitted import MAX_CELLS
from autograder.submissions.files import File
from autograder.submissions.notebooks import outputs_apart, parsed

MAX_NOTEBOOK = 128 << 20  # with its outputs: pictures, and training that printed a line a step
MAX_OUTPUTS = 16 << 20  # of one cell, and of all of them: what is more is not shown
MAX_ALL_OUTPUTS = 48 << 20

_READ = ("cell_type", "source", "input", "level", "attachments", "outputs")  # of a cell; two are of older formats


def read_notebook(file: File) -> tuple[NotebookNode, dict[int, bytes], int]:
    """The first cells of the notebook in a file, without outputs, these by the number of their cell, and how many cells
    there are. ValueError, with a reason fit for the student, if it is none.

    nbformat would first build all of what a file holds, and warn of each cell that it does not like.
    """
    text, outputs = outputs_apart(_content(file))
    given = parsed(text)
    try:
        old = given.get("nbformat", 4) < 4
        lists = [sheet["cells"] for sheet in (given["worksheets"] if old else [given])]
        cells = [_cell(cell, old) for cell in islice(chain.from_iterable(lists), MAX_CELLS)]
        notebook = new_notebook()
        notebook.cells = cells
        return notebook, _of_cells(cells, outputs), sum(map(len, lists))
    except (AttributeError, LookupError, TypeError) as error:
        raise ValueError("it is JSON, but not that of a notebook") from error


def _content(file: File) -> bytes:
    data = file.read(MAX_NOTEBOOK + 1)
    if len(data) > MAX_NOTEBOOK:
        raise ValueError(f"it is larger than {MAX_NOTEBOOK >> 20} MiB")
    return data


def _cell(given: dict[str, Any], old: bool) -> NotebookNode:
    """What is looked at of a cell. An exception if it is none; `old`: as it was written before 2014."""
    cell = from_dict({key: given[key] for key in _READ if key in given})
    cell.setdefault("cell_type", "raw")  # its text is shown, as that of any cell that is not code
    for text in cell.keys() & {"source", "input"}:
        cell[text] = _joined(cell[text])
    if old:
        _modernize(cell)
    cell.source = _joined(cell.source)  # or it is none
    cell.metadata = NotebookNode()
    match given.get("metadata"):
        case {"nbgrader": {"grade_id": str(name)}}:
            cell.metadata.nbgrader = NotebookNode(grade_id=name)
    return cell


def _modernize(cell: NotebookNode) -> None:
    """Write a cell of 2013 or earlier as it is written today.

    nbformat's own conversion makes text from the student's numbers: as many # as the level of a heading says.
    """
    match cell.cell_type:
        case "code":
            cell.source = cell.pop("input", "")
        case "heading":
            level = cell.get("level")
            marks = "#" * (min(max(level, 1), 6) if isinstance(level, int) else 1)
            cell.cell_type = "markdown"
            cell.source = f"{marks} {' '.join(cell.get('source', '').splitlines())}"


def _joined(text: Any) -> str:
    if isinstance(text, str):
        return text
    if not isinstance(text, list):
        raise TypeError
    return "".join(text)


def _of_cells(cells: list[NotebookNode], outputs: list[memoryview]) -> dict[int, bytes]:
    """The outputs that are shown, by the number of their cell, whose placeholder is taken out."""
    room, found = MAX_ALL_OUTPUTS, {}
    for index, cell in enumerate(cells):
        match cell.get("outputs"):
            case [{"text": str(number)}] if cell.cell_type == "code" and number.isdecimal() and len(number) < 8:
                held = outputs[int(number)] if int(number) < len(outputs) else memoryview(b"")
                if len(held) > 2 and len(held) <= min(room, MAX_OUTPUTS):  # not the brackets alone
                    found[index] = bytes(held)
                    room -= len(held)
        cell.pop("outputs", None)
    return found
