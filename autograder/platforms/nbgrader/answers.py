"""Finding a student's text: in the notebook of the right name, in a copy under another, under a mountain of outputs."""

import contextlib
import json
import os
import re
import tempfile
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import nbformat
from nbconvert.exporters import NotebookExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_markdown_cell, new_notebook
from nbgrader.coursedir import CourseDirectory

from autograder.platforms.nbgrader import markup
from autograder.platforms.nbgrader.dates import Unreadable, submitted_at
from autograder.platforms.nbgrader.files import collected, files_of, is_linked
from autograder.platforms.nbgrader.pictures import Room
from autograder.platforms.nbgrader.reading import read_notebook
from autograder.platforms.nbgrader.submitted import MAX_ALL_CODE, MAX_ALL_TEXT, MAX_CELLS, text_of, with_pictures
from autograder.report.model import clean
from autograder.report.summary import counted, sentence
from autograder.submissions.files import File
from autograder.submissions.find import NO_MODULE
from autograder.submissions.names import alike

MAX_NOTEBOOKS = 8  # that are looked at in one submission

_NUMBERED = re.compile(r"cell-(\d+)")  # as `text_of` numbers them


@dataclass
class Answers:
    """What a student wrote, as a notebook that is safe to show, and what a TA should know of where it comes from."""

    notebook: NotebookNode
    notes: list[str] = field(default_factory=list)
    outputs: dict[int, bytes] = field(default_factory=dict)  # by the number of the cell: JSON of a list, unread
    ids: dict[int, str] = field(default_factory=dict)  # of released cells, by the number of the cell that is one


def find_answers(wanted: Path, released: NotebookNode | None) -> Answers:
    """The student's notebook in the folder of `wanted`, which has that name or, where it says nothing, another.

    Arguments:
        released: what the student was given. A notebook that says no more than this one is not what was handed in, as
            long as there is another.
    """
    known = _texts(released.cells) if released else set()
    notes, room = list[str](), Room()
    # What is shown: outputs fill memory, and are held of this notebook alone.
    name, notebook, outputs = wanted.name, new_notebook(), dict[int, bytes]()
    found, says_more = 0, list[tuple[str, NotebookNode]]()
    candidates = _candidates(wanted)
    for file in candidates[:MAX_NOTEBOOKS]:
        try:
            text, put_out, count = _read(file, room)
        except Exception as error:  # every way in which a file can fail to be a notebook
            notes.append(f"`{file.label}` cannot be read: {clean(str(error) or type(error).__name__, 300)}")
            continue
        if count > MAX_CELLS:
            notes.append(f"of `{file.label}`, which has {count} cells, the first {MAX_CELLS} are shown")
        says = bool(_texts(text.cells) - known)
        if not found or (says and not says_more):
            name, notebook, outputs = file.label, text, put_out
        says_more += [(file.label, text)] if says else []
        found += 1
    if unread := [f"`{file.label}`" for file in candidates[MAX_NOTEBOOKS:]]:
        listed = f"{', '.join(unread[:5])}{' …' if unread[5:] else ''}"
        notes.append(f"{counted(len(candidates), 'notebook')} were handed in, of which these are not read: {listed}")
    if name != wanted.name:
        notes.append(f"this is the notebook `{name}`")
    known |= _texts(notebook.cells)
    for other_name, other in says_more:
        more = [cell for cell in other.cells if _texts([cell]) - known]
        if more:
            fit = _that_fit(more, notebook)
            left_out = f", but for {counted(len(more) - len(fit), 'cell')}, which are too many" if more != fit else ""
            notes.append(f"what only `{other_name}` says is at the end{left_out}")
            notebook.cells += [_said(f"<p><b>From</b> {markup.prose(f'`{other_name}`')}</p>"), *fit]
            known |= _texts(more)
    if released and not says_more:
        none = "no notebook could be read" if notes else "there is no notebook"
        notes.append(_without_an_answer(notebook, outputs, known) if found else none)
    ids = _released_ids(notebook, released)
    for cell in notebook.cells:
        if "autograder" not in cell.metadata:
            with_pictures(cell, room)
    return Answers(notebook, notes, outputs, ids)


def _without_an_answer(notebook: NotebookNode, outputs: dict[int, bytes], released: set[str]) -> str:
    """What to say of a notebook with no text but what was released, which stands in where none was handed in."""
    if not outputs and _texts(notebook.cells) == released:
        return "no notebook was handed in but the released one"
    figures = any(b'"image/' in each for each in outputs.values())
    return f"no answer was written in this notebook{'; its figures are there' * figures}"


def _read(file: File, room: Room) -> tuple[NotebookNode, dict[int, bytes], int]:
    """As `read_notebook`, with what is kept of the text."""
    notebook, outputs, count = read_notebook(file)
    return text_of(notebook, room), outputs, count


def _that_fit(more: list[NotebookNode], notebook: NotebookNode) -> list[NotebookNode]:
    """The cells for which a notebook has room, within what one notebook may have; without their numbers."""
    room = {"code": MAX_ALL_CODE, "markdown": MAX_ALL_TEXT}
    for cell in notebook.cells:
        room[cell.cell_type] -= len(cell.source)
    fit = []
    for cell in more[: max(MAX_CELLS - len(notebook.cells), 0)]:
        room[cell.cell_type] -= len(cell.source)
        if room[cell.cell_type] >= 0:
            fit.append(cell)
            cell.id = "more"
    return fit


def noted(answers: Answers, notes: Iterable[str] = ()) -> NotebookNode:
    """The notebook, its notes and these in a cell at the top."""
    notebook = answers.notebook
    if said := [*answers.notes, *notes]:
        listed = "".join(f"<li>{markup.prose(sentence(each))}</li>" for each in said)
        notebook.cells.insert(0, _said(f"<p><b>Notes of the grader</b></p><ul>{listed}</ul>"))
    for index, cell in enumerate(notebook.cells):
        if "id" not in cell or not _NUMBERED.fullmatch(cell.id):  # the student's cells keep their numbers
            cell.id = f"more-{index}"
    return notebook


def _said(html: str) -> NotebookNode:
    """A cell of the grader's."""
    return new_markdown_cell(markup.block(html), metadata={"autograder": "note"})


def number_of(cell: NotebookNode) -> int | None:
    """The number that a cell has in the notebook that was handed in; None where it came from elsewhere."""
    found = _NUMBERED.fullmatch(cell.get("id", ""))
    return int(found[1]) if found else None


def _candidates(wanted: Path) -> list[File]:
    """The notebooks in a submission, the likeliest first: the name itself, a copy of it, any other."""
    found = [file for file in files_of(wanted.parent) if ".ipynb" in file.name.lower()]
    found.sort(key=lambda file: (file.steps != (wanted.name,), not _copies(file.name, wanted.name), len(file.steps)))
    return found


def _copies(name: str, wanted: str) -> bool:
    """Whether `name` is that of a copy of the notebook `wanted`, which a program made."""
    name = re.sub(r"(?i)(\.ipynb)\.(json|txt)$|-Copy(?=\d)", lambda end: end[1] or "-", name)
    return alike(name, wanted)


def _released_ids(notebook: NotebookNode, released: NotebookNode | None) -> dict[int, str]:
    """Which released cell each cell is, by its number: one with the same text, or else the one between its neighbors.

    Ids would be simpler, but programs that students use write new ones.
    """
    theirs = ["".join(cell.source).strip() for cell in notebook.cells]
    given = released.cells if released else []
    ours = ["".join(cell.source).strip() for cell in given]
    found: dict[int, str] = {}
    for kind, first, last, start, end in SequenceMatcher(None, theirs, ours, autojunk=False).get_opcodes():
        if kind == "equal" or (kind == "replace" and last - first == end - start):
            found |= {index: given[start + index - first].get("id", "") for index in range(first, last)}
    return found


def _texts(cells: Iterable[NotebookNode]) -> set[str]:
    return {text for cell in cells if (text := "".join(cell.source).replace("\N{WORD JOINER}", "").strip())}


class Shelf:
    """What was found of each submission, on disk while a command runs: a file that a student made is parsed once."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the shelf)
        self._places: dict[Path, tuple[int, int]] = {}
        self._last: tuple[Path, dict[int, bytes]] = Path(), {}  # the outputs of one submission
        weakref.finalize(self, self._file.close)

    def find(self, wanted: Path, released: NotebookNode | None, outputs: bool = False) -> Answers:
        """As `find_answers`; with the `outputs` only where they are needed, for they can be large."""
        wanted = wanted.absolute()
        if wanted not in self._places or (outputs and self._last[0] != wanted):
            found = find_answers(wanted, released)
            self._last = wanted, found.outputs
            kept = json.dumps([found.notebook, found.notes, [*found.ids.items()]]).encode()
            self._places[wanted] = self._file.seek(0, os.SEEK_END), len(kept)
            self._file.write(kept)
        place, length = self._places[wanted]
        self._file.seek(place)
        notebook, notes, ids = json.loads(self._file.read(length))
        return Answers(from_dict(notebook), notes, self._last[1] if outputs else {}, dict(ids))


def shelf_of(converter: Any) -> Shelf:
    """What was found of the submissions that `converter` works on."""
    if converter not in _shelves:
        _shelves[converter] = Shelf()
    return _shelves[converter]


_shelves: WeakKeyDictionary[Any, Shelf] = WeakKeyDictionary()


class SubmittedNotebooks(NotebookExporter):
    """Reads what a student handed in, whatever it is: without this, a damaged notebook would cost the module's points.

    nbgrader reads each notebook twice: as it was handed in, and as we have kept it then.
    """

    def from_filename(self, filename: str, resources: dict[str, Any] | None = None, **kw: Any) -> tuple[Any, Any]:
        path = Path(filename)
        resources = ResourcesDict(**(resources or {}))
        resources["metadata"] = ResourcesDict(name=path.stem, path=str(path.parent))
        if not getattr(self.parent, "_sanitizing", True):
            return self.from_notebook_node(nbformat.read(path, 4), resources, **kw)
        find = shelf_of(self.parent).find if self.parent else find_answers
        answers = find(path, self._released(path, resources))
        for note in (*answers.notes, *(notes := notes_on(path.parent))):
            self.log.warning("%s: %s", path.parent, note)
        return self.from_notebook_node(noted(answers, notes), resources, **kw)

    def _released(self, path: Path, resources: dict[str, Any]) -> NotebookNode | None:
        """The notebook that students were given; None where it is not there to compare with."""
        course = getattr(self.parent, "coursedir", None)
        return released_notebook(course, resources["nbgrader"]["assignment"], path.name) if course else None


def released_notebook(course: CourseDirectory, assignment: str, name: str) -> NotebookNode | None:
    """The notebook that students were given; None where the course does not hold it."""
    for step in (course.release_directory, course.source_directory):
        with contextlib.suppress(OSError, ValueError):
            return nbformat.read(Path(course.format_path(step, ".", assignment)) / name, 4)
    return None


def notes_on(folder: Path) -> list[str]:
    """What else a TA should know of a submission: links, which were not followed, and a time that cannot be read."""
    notes = [line for line in collected(folder) if not line.startswith(NO_MODULE)]
    if links := [f"`{file.label}`" for file in files_of(folder) if "link" in file.trouble]:
        notes.append(f"a link was handed in, and no link is followed: {', '.join(links[:5])}")
    if is_linked(folder):
        notes.append("the submission's folder is a symbolic link, which is never followed")
    try:
        submitted_at(folder)
    except Unreadable as error:
        notes.append(str(error).replace(f"{folder}/", ""))
    return notes
