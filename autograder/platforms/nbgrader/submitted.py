"""What is kept of a submission: the text of its cells and its module. Everything else comes from the gradebook."""

import base64
import binascii
import re
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook, Notebook, SourceCell
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.assignment import Assignment, load
from autograder.grading import GraderError
from autograder.platforms.nbgrader.files import is_linked
from autograder.report.model import clean
from autograder.submissions.find import CannotRead, Found, NothingToGrade, find_module

MAX_CELLS = 500
MAX_TEXT = 100_000  # of one cell
MAX_PICTURE = 4 << 20
MAX_SIDE = 4000  # pixels: a small file can unpack to a picture that fills a browser's memory

_TAG_OR_ENTITY = re.compile(r"<(?=[a-zA-Z/!?])|&(?=[a-zA-Z#])")
_SCHEME = re.compile(r"(?<=[a-zA-Z0-9\\])(?<!\bhttp)(?<!\bhttps)(?<!\bmailto)(?<!\battachment):(?=\S)")
_PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


def submitted_folder(preprocessor: NbGraderPreprocessor, resources: dict[str, Any]) -> Path:
    """Where the submission lies that `preprocessor` works on, as it was handed in."""
    course, where = preprocessor.parent.parent.coursedir, resources["nbgrader"]  # the exporter's converter's
    return Path(course.format_path(course.submitted_directory, where["student"], where["assignment"]))


def source_folder(preprocessor: NbGraderPreprocessor, assignment: Assignment) -> Path:
    """Where what students were given lies, as the course has it: nothing there comes from a submission."""
    course = preprocessor.parent.parent.coursedir
    return Path(course.format_path(course.source_directory, ".", assignment.kit))


def assignment_of(preprocessor: NbGraderPreprocessor, resources: dict[str, Any]) -> Assignment:
    """The assignment that the submission is to, of those that the course has. GraderError where it is none of them."""
    name = resources["nbgrader"]["assignment"]
    known = {each.kit: each for each in map(load, preprocessor.assignments)}
    if name not in known:
        raise GraderError(f"the assignment {name!r} is none that nbgrader_config.py names: {', '.join(known)}")
    return known[name]


def module_in(folder: Path, assignment: Assignment) -> Found:
    """The module in a student's folder. NothingToGrade, with a reason fit for the student, if there is none.

    CannotRead where the grader may not read it.
    """
    if is_linked(folder):
        raise NothingToGrade("what you handed in is a symbolic link, which is never followed: hand in the files")
    try:
        return find_module(folder, assignment)
    except CannotRead:
        raise
    except NothingToGrade as error:
        raise NothingToGrade(str(error).replace(f"{folder}", "what you handed in")) from error


def text_of(notebook: NotebookNode) -> NotebookNode:
    """A new notebook with the text of the cells, the pictures pasted into them, and which cells they claim to be."""
    kept = new_notebook(metadata={"language_info": {"name": "python"}})
    for index, cell in enumerate(notebook.cells[:MAX_CELLS]):
        source = clean(cell.source, MAX_TEXT)
        if cell.cell_type == "code":
            copy = new_code_cell(source)
        else:
            copy = new_markdown_cell(harmless(source))
            if attachments := _pictures(cell.get("attachments")):
                copy.attachments = attachments
        copy.id = f"cell-{index}"
        claims = cell.metadata.get("nbgrader")
        if isinstance(claims, dict) and all(isinstance(claim, str | int | float) for claim in claims.values()):
            copy.metadata.nbgrader = NotebookNode(claims)
        kept.cells.append(copy)
    return kept


def harmless(markdown: str) -> str:
    """`markdown` without HTML, and with no link but to the web: it is shown in formgrader, where a script could give
    grades in the TA's name.

    An invisible word joiner stops what looks like a tag, an entity or a scheme from being one, in prose and in code
    alike, and cannot be seen where it was none.
    """
    joiner = "\N{WORD JOINER}"
    return _SCHEME.sub(f"{joiner}:", _TAG_OR_ENTITY.sub(rf"\g<0>{joiner}", markdown.replace("\t", "    ")))


def picture(mime: str, data: object) -> str | None:
    """The base64 text of a picture of type `mime`, or None if `data` is none that can be shown safely."""
    if mime not in _PICTURES or not isinstance(data, str) or len(data) > MAX_PICTURE * 4 // 3:
        return None
    try:
        content = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    if not content.startswith(_PICTURES[mime]):
        return None
    sides = (int.from_bytes(content[16:20]), int.from_bytes(content[20:24])) if mime == "image/png" else (1, 1)
    if not all(1 <= side <= MAX_SIDE for side in sides):
        return None
    return base64.b64encode(content).decode()


def _pictures(attachments: object) -> dict[str, dict[str, str]]:
    kept = {}
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        for mime, data in bundle.items() if isinstance(bundle, dict) else ():
            if checked := picture(mime, data):
                kept[clean(str(name), 100)] = {mime: checked}
    return kept


class RestoreCells(NbGraderPreprocessor):
    """Makes each cell that counts exactly what was released, once, and every other cell one that does not count.

    nbgrader's own OverwriteCells restores the text of a locked cell, but refuses a whole submission whose metadata
    disagrees with it: a student who edits a cell's metadata would lose the points of the module.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        where = resources["nbgrader"]
        with Gradebook(where["db_url"]) as gradebook:
            released = gradebook.find_notebook(where["notebook"], where["assignment"])
            missing = {cell.name: cell for cell in released.source_cells}
            for index, cell in enumerate(nb.cells):
                claims = cell.metadata.pop("nbgrader", {})
                if source_cell := missing.pop(claims.get("grade_id"), None):
                    nb.cells[index] = _restored(cell, source_cell, released)
            for source_cell in sorted(missing.values(), key=lambda cell: _is_task(cell, released)):
                self.log.warning("Cell %r is missing from the submission and was added back", source_cell.name)
                nb.cells.append(_restored(None, source_cell, released))
        return nb, resources


def _is_task(source_cell: SourceCell, released: Notebook) -> bool:
    return any(cell.name == source_cell.name for cell in released.task_cells)


def _restored(cell: NotebookNode | None, source_cell: SourceCell, released: Notebook) -> NotebookNode:
    """The released cell; the student's text where it is one for students to write in."""
    points = {cell.name: cell.max_score for cell in (*released.grade_cells, *released.task_cells)}
    task = _is_task(source_cell, released)
    source = source_cell.source if source_cell.locked or cell is None else cell.source
    new = new_code_cell if source_cell.cell_type == "code" else new_markdown_cell
    restored = new(source, id=source_cell.name[:64])
    restored.metadata.nbgrader = {
        "cell_type": source_cell.cell_type,
        "checksum": source_cell.checksum,
        "grade": source_cell.name in points and not task,
        "grade_id": source_cell.name,
        "locked": source_cell.locked,
        "schema_version": 3,
        "solution": any(cell.name == source_cell.name for cell in released.solution_cells),
        "task": task,
    }
    if source_cell.name in points:
        restored.metadata.nbgrader["points"] = points[source_cell.name]
    return restored
