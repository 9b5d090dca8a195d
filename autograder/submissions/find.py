"""The one module in a file, a folder or a zip archive."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from autograder.sandbox.limits import LIMITS

MAX_ARCHIVE_ENTRIES = 2000
MAX_DEPTH = 16


class NothingToGrade(Exception):
    """There is no submission at the path. The message says what was looked for."""


def find_module(path: Path, module: str) -> tuple[str, bytes]:
    """The module to grade: `path` itself, or the one file called `module` in a folder or a zip archive.

    Of several, the one nearest to the top counts. A symbolic link is never followed: it could name anybody's file.
    NothingToGrade if there is none, or if two are equally near.
    """
    if path.is_dir():
        found = nearest(path, lambda name: name == module)
        chosen = _only([file.relative_to(path).as_posix() for file in found], path, module)
        return f"{path}/{chosen}", _read(path / chosen)
    if not path.exists():
        raise NothingToGrade(f"{path} does not exist")
    if path.suffix.lower() == ".zip":
        return _in_archive(path, module)
    return str(path), _read(path)


def nearest(folder: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """The regular files in `folder` whose names are `wanted`, of those the nearest to the top, by name.

    No more than `MAX_DEPTH` levels down: whoever nests deeper hides something, and paths have an end.
    """
    level = [folder]
    for _ in range(MAX_DEPTH):
        below: list[Path] = []
        found: list[Path] = []
        for each in level:
            with suppress(OSError), os.scandir(each) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        below.append(each / entry.name)
                    elif wanted(entry.name) and entry.is_file(follow_symlinks=False):
                        found.append(each / entry.name)
        if found:
            return sorted(found)
        level = below
    return []


def _in_archive(path: Path, module: str) -> tuple[str, bytes]:
    """The module in a zip archive. An archive is a program's input that anyone may write: nothing in it is believed."""
    with readable_archive(path) as archive:
        entries = archive.infolist()
        if len(entries) > MAX_ARCHIVE_ENTRIES:
            raise NothingToGrade(f"{path} holds {len(entries)} files; a submission holds a few")
        named = {entry: entry.filename.replace("\\", "/") for entry in entries if is_file(entry)}
        named = {entry: name for entry, name in named.items() if f"/{name}".endswith(f"/{module}")}
        named = {entry: name for entry, name in named.items() if "__MACOSX" not in name}
        depth = min((name.count("/") for name in named.values()), default=0)
        chosen = _only([name for name in named.values() if name.count("/") == depth], path, module)
        entry = next(entry for entry, name in named.items() if name == chosen)
        with archive.open(entry) as file:  # never more than the limit, whatever the archive promises
            return f"{path}/{chosen}", file.read(LIMITS.source + 1)


@contextmanager
def readable_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """An opened zip archive; NothingToGrade for all that goes wrong with it, whatever its parser raises."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except NothingToGrade:
        raise
    except Exception as error:  # of all that a damaged archive makes zipfile raise there is no list
        reason = str(error) or type(error).__name__
        raise NothingToGrade(f"{path} cannot be read as a zip archive: {reason}") from error


def is_file(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry is a regular file of the usual compression.

    zipfile unpacks bzip2 and LZMA without a bound on memory: an archive of 3 KiB can take 8 GiB.
    """
    kind = stat.S_IFMT(entry.external_attr >> 16)
    usual = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    return usual and not entry.is_dir() and kind in (0, stat.S_IFREG)


def _only(candidates: list[str], path: Path, module: str) -> str:
    if not candidates:
        raise NothingToGrade(f"there is no {module} in {path}")
    if len(candidates) > 1:
        first, second = sorted(candidates)[:2]
        raise NothingToGrade(f"{path} holds more than one {module}: {first} and {second}; name the one to grade")
    return candidates[0]


def _read(path: Path) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise NothingToGrade(f"{path} is not a regular file")
    try:
        with path.open("rb") as file:
            return file.read(LIMITS.source + 1)
    except OSError as error:
        raise NothingToGrade(f"{path} cannot be read: {error.strerror}") from error
