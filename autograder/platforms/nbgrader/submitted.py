"""What is kept of a submission: the text of its cells and its module. Everything else comes from the gradebook."""

import re
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook, Notebook, SourceCell
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.assignment import Assignment, load
from autograder.grading import GraderError
from autograder.platforms.nbgrader import formulas, markup
from autograder.platforms.nbgrader.colors import LANGUAGE
from autograder.platforms.nbgrader.files import collected, is_linked
from autograder.platforms.nbgrader.formulas import JOINER
from autograder.platforms.nbgrader.pictures import Room, linked, pictures
from autograder.report.model import clean
from autograder.submissions.find import NO_MODULE, CannotRead, Found, NothingToGrade, find_module

MAX_CELLS = 500
# Characters in a cell, and in all cells; what students are given has a fifth. nbconvert's time grows with the square of
# a cell's Markdown, and with the length of code.
MAX_TEXT, MAX_ALL_TEXT = 12_000, 96_000
MAX_CODE, MAX_ALL_CODE = 100_000, 150_000

_LIMITS = f"a notebook may have {MAX_ALL_TEXT:,} characters of text, {MAX_TEXT:,} in a cell"
_CODE_LIMITS = f"a notebook may have {MAX_ALL_CODE:,} characters of code, {MAX_CODE:,} in a cell"
_CUT = {
    "markdown": f"\n\n**The grader left out the rest of this cell: {_LIMITS}.**",
    "code": f"\n# The grader left out the rest of this cell: {_CODE_LIMITS}.",
}
_WRITTEN = "<p>Written in the cell above, which is shown as it was released:</p>"
# Pygments has 500 languages: Bash's takes forever over 150 characters, others take minutes over a page, and nbconvert
# runs the drawings of one as scripts.
_PYTHON = {"python", "python3", "py", "py3", "ipython", "ipython3"}
_FENCE = re.compile(r"(?im)^([^a-z`~\n]*+(?:`{3,}+(?=[^`\n]*$)|~{3,}+))[^\S\n]*+(\S++)[^\n]*+")
# All but a picture that is pasted into its cell, under the plain name that `linked` gives it, whose description ends
# where it seems to: code, a formula or an escape in it could hide the bracket, and the address would be another.
_NO_PICTURE = re.compile(
    r"""!(?=\[)(?!\[[^][\\`<$\n]*+\]\([ ]*+attachment:[\w.%-]++(?:[ ]++(?:"[^"\\\n]*+"|'[^'\\\n]*+'))?[ ]*+\))"""
)
# A link that leads anywhere but to the web, to mail, to a place in the page or to a picture in the cell.
_ADDRESS = r"""<(?:https?://|mailto:)[^\s<>"'`\\]*+>"""
_ELSEWHERE = rf"(?!\s*+(?:{_ADDRESS}|<?#|https?://|mailto:|attachment:))"
_LINK = re.compile(rf"(?i)\](?=\({_ELSEWHERE})")
_DEFINITION = re.compile(rf"(?im)^([^\[\]a-z\n]*+\[(?:[^\\\[\]]|\\[\s\S]){{0,999}}+\]):{_ELSEWHERE}")
_TAG_OR_ENTITY = re.compile(rf"(?i)(?!{_ADDRESS})<(?=[a-z/!?])|&(?=[a-z#])")
# A colon after a word: before a space only where that word, or its end, is a scheme that runs scripts.
_SCHEME = re.compile(
    r"(?i)(?<=[a-z0-9\\])(?<!\bhttp)(?<!\bhttps)(?<!\bmailto)(?<!\battachment):"
    r"(?:(?=\S)|(?<=script:)|(?<=script\\:)|(?<=data:)|(?<=data\\:))"
)


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
        told = (line.removeprefix(NO_MODULE) for line in collected(folder) if line.startswith(NO_MODULE))
        raise NothingToGrade(next(told, str(error).replace(f"{folder}", "what you handed in"))) from error


def text_of(notebook: NotebookNode, pasted: Room) -> NotebookNode:
    """A new notebook with the text of the cells, the pictures pasted into them, and which cells they claim to be.

    `with_pictures` has to follow, once the text was compared with another's: until then, it is not `harmless`. All
    notebooks of a submission share the room for what is `pasted`.
    """
    kept = new_notebook(metadata={"language_info": {"name": "python", "pygments_lexer": LANGUAGE}})
    room = {"code": MAX_ALL_CODE, "markdown": MAX_ALL_TEXT}
    for index, cell in enumerate(notebook.cells[:MAX_CELLS]):
        if cell.cell_type == "code":
            copy = new_code_cell(_bounded(cell.source, MAX_CODE, "code", room))
        else:
            copy = new_markdown_cell(_bounded(cell.source.replace("\t", "    "), MAX_TEXT, "markdown", room))
            copy.attachments, left_out = pictures(cell.get("attachments"), pasted)
            copy.metadata.left_out = NotebookNode(left_out)
        copy.id = f"cell-{index}"
        claims = cell.metadata.get("nbgrader")
        if isinstance(claims, dict) and isinstance(claims.get("grade_id"), str):
            copy.metadata.nbgrader = NotebookNode(grade_id=claims["grade_id"])
        kept.cells.append(copy)
    return kept


def _bounded(source: str, most: int, kind: str, room: dict[str, int]) -> str:
    """The text of a cell as far as there is `room` for it, and where that is not far enough, a line that says so."""
    most = min(most, room[kind])
    text = clean(source, most + 1)
    room[kind] -= min(len(text), most)
    return text if len(text) <= most else f"{text[:most]}{_CUT[kind]}"


def with_pictures(cell: NotebookNode, room: Room) -> None:
    """Make the text of a cell `harmless`, and each link to a picture of its show one, or say why there is none.

    The cells of a notebook share the `room`. Formulas for which there is none are shown as text.
    """
    if cell.cell_type == "markdown":
        left_out = cell.metadata.pop("left_out", {})
        source, found = linked(cell.source, cell.pop("attachments", {}), left_out, room)
        size = formulas.length(source)
        fits = size <= room.formulas
        room.formulas -= size if fits else 0
        cell.source = harmless(source if fits else formulas.as_text(source, formulas.TOO_LONG))
        if found:
            cell.attachments = found


def harmless(markdown: str) -> str:
    """`markdown` without HTML, with no picture but pasted ones, and with no link but to the web or within the page.

    It is shown in formgrader, where a script could give grades in the TA's name, and where the browser asks for the
    address of a picture in that name, too. An invisible word joiner stops what looks like a tag, an entity, a scheme, a
    link, a picture or a command of LaTeX from being one, in prose and in code alike, and cannot be seen where it
    was none.
    """
    text = _FENCE.sub(_tame, markdown.replace("\t", "    "))
    text = _NO_PICTURE.sub(f"!{JOINER}", text)
    text = _DEFINITION.sub(rf"\1{JOINER}:", _LINK.sub(f"]{JOINER}", text))
    return _SCHEME.sub(f"{JOINER}:", _TAG_OR_ENTITY.sub(rf"\g<0>{JOINER}", formulas.tamed(text)))


def _tame(fence: re.Match[str]) -> str:
    """The first line of a block of code, in Python or in none."""
    return f"{fence[1]}{LANGUAGE if fence[2].lower() in _PYTHON else 'text'}"


class RestoreCells(NbGraderPreprocessor):
    """Makes each cell that counts exactly what was released, once, and every other cell one that does not count.

    nbgrader's own OverwriteCells restores the text of a locked cell, but refuses a whole submission whose metadata
    disagrees with it: a student who edits a cell's metadata would lose the points of the module.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        where = resources["nbgrader"]
        with Gradebook(where["db_url"]) as gradebook:
            for name in restore(nb, gradebook.find_notebook(where["notebook"], where["assignment"])):
                self.log.warning("Cell %r is missing from the submission and was added back", name)
        return nb, resources


def restore(nb: NotebookNode, released: Notebook) -> list[str]:
    """Restore the released cells of a submitted notebook, and give the names of those that it lacks.

    What a student wrote into a cell that is not for writing is kept below it.
    """
    missing = {cell.name: cell for cell in released.source_cells}
    cells = []
    for cell in nb.cells:
        source_cell = missing.pop(cell.metadata.pop("nbgrader", {}).get("grade_id"), None)
        if source_cell is None:
            cells.append(cell)
        elif source_cell.locked or cell.cell_type != source_cell.cell_type:
            cells += [_restored(None, source_cell, released), *_written_in(cell, source_cell)]
        else:
            cells.append(_restored(cell, source_cell, released))
    lacking = sorted(missing.values(), key=lambda cell: _is_task(cell, released))
    nb.cells = [*cells, *(_restored(None, each, released) for each in lacking)]
    return [each.name for each in lacking]


def _written_in(cell: NotebookNode, source_cell: SourceCell) -> list[NotebookNode]:
    """What a student's cell says that the released one does not, and a line on where it was; nothing if it does not."""
    room = Room()
    given = text_of(new_notebook(cells=[_new_cell(source_cell, source_cell.source)]), room).cells[0]
    with_pictures(given, room)
    known = {"", *map(_bare, given.source.split("\n"))}
    lines = cell.source.split("\n")
    if not (theirs := [number for number, line in enumerate(lines) if _bare(line) not in known]):
        return []
    cell.source = "\n".join(lines[theirs[0] : theirs[-1] + 1])
    cell.id = f"{cell.id}-edited"
    return [new_markdown_cell(markup.block(_WRITTEN), id=f"{cell.id}-note"), cell]


def _bare(line: str) -> str:
    return line.replace(JOINER, "").strip()


def _new_cell(source_cell: SourceCell, source: str, **settings: Any) -> NotebookNode:
    return (new_code_cell if source_cell.cell_type == "code" else new_markdown_cell)(source, **settings)


def _is_task(source_cell: SourceCell, released: Notebook) -> bool:
    return any(cell.name == source_cell.name for cell in released.task_cells)


def _restored(cell: NotebookNode | None, source_cell: SourceCell, released: Notebook) -> NotebookNode:
    """The released cell, with the text of the student's `cell` if there is one."""
    points = {cell.name: cell.max_score for cell in (*released.grade_cells, *released.task_cells)}
    task = _is_task(source_cell, released)
    restored = _new_cell(source_cell, cell.source if cell else source_cell.source, id=source_cell.name[:64])
    if cell and "attachments" in cell:
        restored.attachments = cell.attachments
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
