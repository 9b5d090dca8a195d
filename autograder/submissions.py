"""Finding the submissions of a class: who handed in what, in the layouts that courses use.

- a folder or zip archive for each student (nbgrader's `submitted/` too), with the module anywhere below;
- nbgrader's exchange: `student+assignment+timestamp+…` folders;
- Canvas' download, loose files and archives: `doejane_LATE_12345_67890_cs5814_vae-1.py`;
- Gradescope's export: `submission_12345` folders and `submission_metadata.yml`.

Of several attempts the last counts.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.assignment import MODULE
from autograder.grading import NothingToGrade, find_module

MAX_DOWNLOAD_ENTRIES, MAX_DOWNLOAD = 20_000, 2 << 30  # of the archive that a platform gives for a whole class
METADATA = "submission_metadata.yml"

Order = list[tuple[int, int, str]]  # grows from one attempt of a student to the next
Attempt = tuple[str, Order, Path]  # whose it is, when, and where it lies

_CANVAS = re.compile(r"(?P<student>[^_]+)_(?:LATE_)?(?P<user>\d+)_(?P<file>\d+)_(?P<name>.+)")
_EXCHANGE = re.compile(r"(?P<student>[^+]+)\+[^+]+\+(?P<attempt>[^+]+)")
_COPY = re.compile(r"(?:-(\d+)| ?\((\d+)\))$")  # what Canvas and browsers add to a name that exists already


@dataclass(frozen=True)
class Submitted:
    """What one student handed in: the source of the module, or in words why there is none."""

    student: str
    source: bytes | None
    reason: str = ""


def find_submissions(path: Path) -> list[Submitted]:
    """The last submission of each student in a folder, or in the zip archive of a platform's download, by name.

    NothingToGrade if there is none at all.
    """
    if not path.exists():
        raise NothingToGrade(f"{path} does not exist")
    if path.is_file():
        with tempfile.TemporaryDirectory() as temporary:
            _unpack(path, Path(temporary))
            return find_submissions(Path(temporary))
    entries = [each for each in path.iterdir() if each.name != "__MACOSX" and not each.name.startswith(".")]
    if len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink() and (entries[0] / METADATA).is_file():
        return find_submissions(entries[0])
    attempts: dict[str, list[tuple[Order, Path]]] = {}
    for student, attempt, file in _gradescope(path) if (path / METADATA).is_file() else _attempts(entries):
        attempts.setdefault(student, []).append((attempt, file))
    if not attempts:
        raise NothingToGrade(f"there are no folders, archives or modules of students in {path}")
    return [_last(student, sorted(attempts[student])) for student in sorted(attempts, key=natural)]


def natural(text: str) -> Order:
    """A sort key by which attempt-2 stands before attempt-10."""
    return [(0, int(piece), "") if piece.isdigit() else (1, 0, piece) for piece in re.findall(r"\d+|\D+", text)]


def _attempts(entries: list[Path]) -> Iterator[Attempt]:
    """For each attempt whose it is, a key that grows with time, and where it lies."""
    for entry in entries:
        if entry.is_symlink():
            continue
        name = entry.name.removesuffix(entry.suffix) if entry.is_file() else entry.name
        canvas, exchange = _CANVAS.fullmatch(name), _EXCHANGE.match(entry.name)
        if entry.is_file() and entry.suffix not in (".py", ".zip"):
            continue
        if canvas and (entry.suffix == ".zip" or _COPY.sub("", canvas["name"]) == Path(MODULE).stem):
            yield canvas["student"], natural(f"{canvas['file']} {canvas['name']}"), entry
        elif canvas is None and entry.is_dir():
            student = exchange["student"] if exchange else entry.name
            yield from ((student, natural(attempt), place) for attempt, place in _attempts_below(entry))
        elif canvas is None and entry.suffix == ".zip":
            yield name, natural(entry.name), entry


def _attempts_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """A student's folder itself, or what lies in it where it holds several attempts of the same depth."""
    for pattern in (MODULE, "*.zip"):
        found = [file for file in folder.rglob(pattern) if file.is_file() and not file.is_symlink()]
        depth = min((len(file.parts) for file in found), default=0)
        for file in found:
            if len(file.parts) == depth:
                yield f"{folder.name}/{file.relative_to(folder)}", file
        if found:
            return
    yield folder.name, folder


def _gradescope(path: Path) -> Iterator[Attempt]:
    """Gradescope's export: its metadata names, for each folder, the submitters and the time."""
    import yaml

    try:
        metadata = yaml.safe_load((path / METADATA).read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise NothingToGrade(f"{path / METADATA} cannot be read: {error}") from error
    for name, facts in metadata.items() if isinstance(metadata, dict) else ():
        folder = path / str(name)
        if not isinstance(facts, dict) or folder.parent != path or not folder.is_dir() or folder.is_symlink():
            continue
        for submitter in facts.get(":submitters") or ():
            who = next((str(submitter[key]) for key in (":sid", ":email", ":name") if submitter.get(key)), folder.name)
            yield who, natural(str(facts.get(":created_at", ""))), folder


def _last(student: str, attempts: list[tuple[Order, Path]]) -> Submitted:
    place = attempts[-1][1]
    try:
        return Submitted(student, find_module(place)[1])
    except NothingToGrade as error:
        return Submitted(student, None, str(error).replace(str(place), "what was handed in"))


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack the archive of a class. NothingToGrade if it is none, or if it is a bomb."""
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
            if len(entries) > MAX_DOWNLOAD_ENTRIES or sum(entry.file_size for entry in entries) > MAX_DOWNLOAD:
                raise NothingToGrade(f"{archive} unpacks to more than a class hands in")
            opened.extractall(folder)  # which keeps every path inside the folder
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise NothingToGrade(f"{archive} is neither a folder nor a zip archive that can be read: {error}") from error
