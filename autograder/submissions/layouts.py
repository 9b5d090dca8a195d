"""Finding the submissions of a class: who handed in what, in the layouts that courses use.

- a folder or zip archive for each student (nbgrader's `submitted/` too), with the module anywhere below;
- nbgrader's exchange: `student+assignment+timestamp+…` folders;
- Canvas' download, loose files and archives: `doejane_LATE_12345_67890_homework-1.py`;
- Gradescope's export: `submission_12345` folders and `submission_metadata.yml`.

Of several attempts the last counts.
"""

from __future__ import annotations

import contextlib
import datetime
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox.limits import LIMITS
from autograder.submissions.find import NothingToGrade, find_module, is_file, nearest, readable_archive

# Of the archive that a platform gives for a whole class; a student's own may hold pictures and data.
MAX_DOWNLOAD_ENTRIES, MAX_DOWNLOAD, MAX_UPLOAD = 100_000, 4 << 30, 256 << 20
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


def find_submissions(path: Path, module: str) -> list[Submitted]:
    """The last submission of each student in a folder, or in the zip archive of a platform's download, by name.

    `module` is the name of the file to grade. NothingToGrade if there is no submission at all.
    """
    if not path.exists():
        raise NothingToGrade(f"{path} does not exist")
    if path.is_file():
        with tempfile.TemporaryDirectory() as temporary:
            _unpack(path, Path(temporary))
            return find_submissions(Path(temporary), module)
    entries = [each for each in path.iterdir() if each.name != "__MACOSX" and not each.name.startswith(".")]
    if len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink() and (entries[0] / METADATA).is_file():
        return find_submissions(entries[0], module)
    attempts: dict[str, list[tuple[Order, Path]]] = {}
    for student, attempt, file in _gradescope(path) if (path / METADATA).is_file() else _attempts(entries, module):
        attempts.setdefault(student, []).append((attempt, file))
    if not attempts:
        raise NothingToGrade(f"there are no folders, archives or modules of students in {path}")
    return [_last(student, sorted(attempts[student]), module) for student in sorted(attempts, key=natural)]


def natural(text: str) -> Order:
    """A sort key by which attempt-2 stands before attempt-10."""
    pieces = re.findall(r"[0-9]{1,18}|[^0-9]+", text)
    return [(0, int(piece), "") if piece[0] in "0123456789" else (1, 0, piece) for piece in pieces]


def _attempts(entries: list[Path], module: str) -> Iterator[Attempt]:
    """For each attempt whose it is, a key that grows with time, and where it lies."""
    for entry in entries:
        if entry.is_symlink():
            continue
        name = entry.name.removesuffix(entry.suffix) if entry.is_file() else entry.name
        canvas, exchange = _CANVAS.fullmatch(name), _EXCHANGE.match(entry.name)
        if entry.is_file() and not (_is_archive(entry.name) or entry.suffix == ".py"):
            continue
        if canvas and (_is_archive(entry.name) or _COPY.sub("", canvas["name"]) == Path(module).stem):
            yield canvas["student"], natural(f"{canvas['file']} {canvas['name']}"), entry
        elif canvas is None and entry.is_dir():
            student = exchange["student"] if exchange else entry.name
            yield from ((student, natural(attempt), place) for attempt, place in _attempts_below(entry, module))
        elif canvas is None and _is_archive(entry.name):
            yield name, natural(entry.name), entry


def _is_archive(name: str) -> bool:
    return name.lower().endswith(".zip")


def _attempts_below(folder: Path, module: str) -> Iterator[tuple[str, Path]]:
    """A student's folder itself, or what lies in it where it holds several attempts of the same depth."""
    for wanted in (lambda name: name == module, _is_archive):
        found = nearest(folder, wanted)
        for file in found:
            yield f"{folder.name}/{file.relative_to(folder)}", file
        if found:
            return
    yield folder.name, folder


def _gradescope(path: Path) -> Iterator[Attempt]:
    """Gradescope's export: its metadata names, for each folder, the submitters and the time."""
    import yaml

    try:
        metadata = yaml.safe_load((path / METADATA).read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, OSError, ValueError) as error:
        raise NothingToGrade(f"{path / METADATA} cannot be read: {error}") from error
    folders = {each.name: each for each in path.iterdir() if each.is_dir() and not each.is_symlink()}
    for name, facts in metadata.items() if isinstance(metadata, dict) else ():
        if not isinstance(name, str) or name not in folders or not isinstance(facts, dict):
            continue
        submitters = facts.get(":submitters")
        for submitter in submitters if isinstance(submitters, list) else ():
            said = submitter if isinstance(submitter, dict) else {}
            who = [said.get(key) for key in (":sid", ":email", ":name")]
            student = next((str(each) for each in who if each and isinstance(each, str | int)), name)
            created = facts.get(":created_at", "")
            yield student, natural(str(created) if isinstance(created, str | datetime.date) else ""), folders[name]


def _last(student: str, attempts: list[tuple[Order, Path]], module: str) -> Submitted:
    place = attempts[-1][1]
    try:
        return Submitted(student, find_module(place, module)[1])
    except NothingToGrade as error:
        return Submitted(student, None, str(error).replace(str(place), "what was handed in"))


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack what matters in the archive of a class: modules, archives, metadata. NothingToGrade if it is none.

    Of every other file the name is kept, so that it is seen who handed in something. What of one student's cannot be
    unpacked is left out, so that it is that student's trouble alone.
    """
    written = 0
    with readable_archive(archive) as opened:
        entries = opened.infolist()
        if len(entries) > MAX_DOWNLOAD_ENTRIES:
            raise NothingToGrade(f"{archive} holds {len(entries)} files, more than a class hands in")
        for entry in entries:
            steps = [step for step in re.split(r"[/\\]", entry.filename) if step not in ("", ".")]
            if not steps or ".." in steps or not (entry.is_dir() or is_file(entry)):
                continue
            place = folder.joinpath(*steps)
            with contextlib.suppress(OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error):
                (place if entry.is_dir() else place.parent).mkdir(parents=True, exist_ok=True)
                written += 0 if entry.is_dir() else _unpack_file(opened, entry, place)
            if written > MAX_DOWNLOAD:
                raise NothingToGrade(f"{archive} unpacks to more than a class hands in")


def _unpack_file(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, place: Path) -> int:
    """One file, no more of it than could be graded; how many bytes were written."""
    most = {".py": LIMITS.source + 1, ".zip": MAX_UPLOAD, ".yml": LIMITS.body}.get(place.suffix.lower(), 0)
    with place.open("wb") as file:
        if most:
            with archive.open(entry) as packed:
                while file.tell() < most and file.write(packed.read(1 << 16)):
                    pass
        return file.tell()
