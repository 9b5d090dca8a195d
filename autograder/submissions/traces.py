"""Where a student's code may be, if nothing is written in the module: for the staff, who then look there."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from autograder.assignment import Assignment
from autograder.sandbox.limits import LIMITS
from autograder.submissions import notebooks
from autograder.submissions.copied import is_untouched
from autograder.submissions.files import File, NothingToGrade
from autograder.submissions.names import alike, stem, suffix
from autograder.submissions.notebooks import in_utf8, outputs_apart, parsed

MAX_NOTEBOOKS, MAX_NOTEBOOK = 8, 16 << 20  # searched for code, and bytes of each
MAX_TEXTS = 50  # other files that are searched
MAX_READ = 128 << 20  # bytes of both that are read of one submission, its archives included

_DOCUMENTS = (".doc", ".docx", ".odt", ".pages", ".pdf", ".rtf")  # which the grader does not open
_NO_TEXT = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".heic", ".pt", ".pth", ".npy", ".npz", ".pkl", ".pyc", ".ipynb")
_SPACE = rb"(?:\s|\xc2\xa0|&nbsp;|&#160;|<[^<>]{0,200}>){1,20}"  # in text and in web pages
_PYTHONS, _NOTEBOOKS = rb"(?:^|[\r\n])", rb'(?:"|\\n)'  # what comes before a line, in Python and in a notebook's JSON
_MAX_LINE = 500  # characters of a magic command
_ICLOUD = re.compile(r"\.(.+)\.icloud")  # what iCloud Drive keeps for a file that is not on the computer


@dataclass
class Room:
    """What is still read of one submission, its archives included, to see where else its code may be."""

    left: int = MAX_READ
    notebooks: notebooks.Room = field(default_factory=notebooks.Room)

    @property
    def full(self) -> bool:
        """Whether something may not have been read."""
        return min(self.left, self.notebooks.pieces, self.notebooks.steps) <= 0

    def read(self, file: File, most: int) -> bytes:
        """The first `most` bytes, or those for which there is room. Errors are those of `File.read`."""
        data = io.BytesIO()
        try:
            file.copy(data, min(most, self.left))
        finally:  # also where it is damaged at the end
            self.left -= data.tell()
        return data.getvalue()


def interface(assignment: Assignment) -> tuple[str, ...]:
    """The names that a module for the assignment defines."""
    return tuple(dict.fromkeys(part.place[0] for part in assignment.parts if part.place))


def defining(names: Iterable[str], before: bytes = rb"(?:^|\r)[ \t]*", space: bytes = rb"[ \t]+") -> re.Pattern[bytes]:
    """Finds where one of these is defined; the name is the first group."""
    listed = b"|".join(re.escape(each.encode()) for each in names)
    return re.compile(before + rb"(?:def|class)" + space + rb"(%s)\b" % listed, re.M)


def written(source: bytes, names: Iterable[str], line: bytes = _PYTHONS) -> set[bytes]:
    """Which of the names a source defines, and does not leave as the fill-in does. Before each line of it is `line`."""
    listed = b"|".join(re.escape(each.encode()) for each in names)
    telling = (
        rb"[ \t]*(?:def|class)[ \t]+(?P<name>%s)\b" % listed,
        rb"(?P<left>[ \t]*raise[ \t]+NotImplementedError)",
        rb"(?:def|class|@)",
    )
    found, name = set[bytes](), b""
    for match in re.finditer(line + rb"(?:%s)" % b"|".join(telling), source):
        if match["left"]:
            found.discard(name)
        else:
            name = match["name"] or b""
            found.update([name] if name else [])
    return found


def beyond(files: list[File], source: bytes, assignment: Assignment, room: Room) -> list[File]:
    """Those of the files, but for Python's, in which something is written that the module, `source`, lacks."""
    names = interface(assignment)
    lacking = {each.encode() for each in names} - written(source, names)
    texts = [file for file in files if suffix(file.name) not in (".py", *_DOCUMENTS)] if lacking else []
    found = []
    for file in with_code(texts, assignment, room):
        notebook = suffix(file.name) == ".ipynb"
        text = room.read(file, MAX_NOTEBOOK) if notebook else in_utf8(room.read(file, LIMITS.source))
        found += [file] if lacking & written(text, names, _NOTEBOOKS if notebook else _PYTHONS) else []
    return found


def cells_that_write(file: File, module: str, room: Room) -> list[bytes]:
    """The modules that cells of a notebook write as a file; those that only add to one belong to the cell before."""
    found: list[list[str]] = []
    for text in _code_cells(file, rb"%%", room):
        first, _, rest = text.lstrip().partition("\n")
        magic, *words = first[:_MAX_LINE].split() or [""]
        if magic not in ("%%writefile", "%%file") or not alike(" ".join(words[-1:]).rpartition("/")[2], module):
            continue
        if words[0] in ("-a", "--append") and found:
            found[-1].append(rest)
        else:
            found.append([rest])
    return ["\n".join(pieces).encode("utf-8", "replace") for pieces in found]


def changing(files: list[File], assignment: Assignment, room: Room) -> list[File]:
    """The notebooks with a cell that opens the module for writing, or gives something in it another value."""
    called, names = re.escape(stem(assignment.module)), "|".join(map(re.escape, interface(assignment)))
    quoted = rf"[^()\n]{{0,{_MAX_LINE}}}{called}\.py[\"'][ \t]*"
    writes = rf"\bopen\({quoted},[ \t]*(?:mode[ \t]*=[ \t]*)?[\"'][wax]|\({quoted}\)\.(?:write_|open\([\"'][wax])"
    found = []
    for file in [file for file in files if suffix(file.name) == ".ipynb" and not file.trouble][:MAX_NOTEBOOKS]:
        text = "\n".join(_code_cells(file, stem(assignment.module).encode(), room))
        imported = re.findall(rf"\b(?:import|from)[ \t]+{called}[ \t]+as[ \t]+(\w+)", text)[:MAX_NOTEBOOKS]
        aliases = "|".join([called, *map(re.escape, imported)])
        assigns = rf"^[ \t]*(?:{aliases})\.(?:{names})\b[\w.]{{0,{_MAX_LINE}}}[ \t]*=(?!=)"
        sets = rf"\bsetattr\([ \t]*(?:{aliases})\b"
        found += [file] if re.search("|".join([writes, sets, *([assigns] if names else [])]), text, re.M) else []
    return found


def _code_cells(file: File, telling: bytes, room: Room) -> list[str]:
    """The code of a notebook's cells; nothing if it cannot be read, or `telling` is not in it."""
    try:
        data = in_utf8(room.read(file, MAX_NOTEBOOK))
        told = parsed(outputs_apart(data, room.notebooks)[0], room.notebooks) if telling in data else {}
        cells = told.get("cells", [])
    except (NothingToGrade, ValueError, AttributeError):
        return []
    found = []
    for cell in cells if isinstance(cells, list) else []:
        source = cell.get("source", "") if isinstance(cell, dict) and cell.get("cell_type") == "code" else ""
        found.append("".join(map(str, source)) if isinstance(source, list) else str(source))
    return found


def with_code(files: list[File], assignment: Assignment, room: Room) -> list[File]:
    """Those of the files that define what the assignment asks for, and documents, which may do so.

    The course's own files do not count, nor those in which nothing is written.
    """
    names = interface(assignment)
    files = [file for file in files if not file.trouble and file.name not in assignment.kit_files]
    found = [file for file in files if suffix(file.name) in _DOCUMENTS]
    texts = [file for file in files if suffix(file.name) not in (*_DOCUMENTS, *_NO_TEXT)]
    defines = defining(names, rb"\b", _SPACE) if names else None
    for file in texts[:MAX_TEXTS]:
        try:
            source = in_utf8(room.read(file, LIMITS.source))
        except NothingToGrade:
            continue
        telling = alike(file.name, assignment.module) or (defines and defines.search(source))
        found += [file] if telling and not is_untouched(source, assignment) else []
    return found + _notebooks(files, assignment, names, room)


def _notebooks(files: list[File], assignment: Assignment, names: tuple[str, ...], room: Room) -> list[File]:
    """The notebooks in which one of the names is defined, but not in the one of the course."""
    begins = _NOTEBOOKS + rb"[ \t]*"
    candidates = [file for file in files if suffix(file.name) == ".ipynb"]
    if not names or not candidates:
        return []
    given = assignment.root / assignment.notebook
    known = {*defining(names, begins).findall(given.read_bytes())} if given.is_file() else set()
    found = []
    for file in candidates[:MAX_NOTEBOOKS]:
        try:
            defined = {*defining(names, begins).findall(room.read(file, MAX_NOTEBOOK))}
        except NothingToGrade:
            continue
        found += [file] if defined - known else []
    return found


def is_document(file: File) -> bool:
    """Whether this is a text that the grader does not open."""
    return suffix(file.name) in _DOCUMENTS


def of_the_module(files: list[File], module: str) -> list[File]:
    """The files that editors, JupyterLab and iCloud keep of the module, by its name in theirs."""
    return [file for file in files if stem(module).casefold() in file.name.casefold()]


def not_the_source(files: list[File]) -> list[str]:
    """What is to be said of files that stand for a module, but do not hold its source."""
    said = []
    for file in files:
        if suffix(file.name) == ".pyc":
            said.append(f"`{file.label}` is compiled Python, not the source")
        elif _ICLOUD.fullmatch(file.name):
            said.append(f"`{file.label}` stands for a file that was in iCloud alone: the content was not handed in")
    return said
