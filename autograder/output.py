"""Where results go: files and folders, pipes and devices, and the terminal.

A trial write before any work shows whether something can be written.
"""

import contextlib
import fcntl
import io
import os
import re
import secrets
import shutil
import stat
import sys
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

STDOUT = Path("-")
_ROOM = 1 << 16  # bytes that must fit where a report is to go
_DATE = (2026, 1, 1, 0, 0, 0)  # of every file in an archive: today's would change the bytes, and 1980 looks broken


class CannotWrite(Exception):
    """Something could not be written. The message names it and says why."""


class NotWritable(CannotWrite):
    """Nothing can be written there; found out before any work was done."""


# --- files ------------------------------------------------------------------------------------------------------------


def write(path: Path, content: str | bytes) -> None:
    """Write a file as a whole or not at all, with the usual permissions; its folder is made if necessary.

    A symbolic link is followed. Anything but a regular file, such as a pipe, a device or `/dev/fd/63`, is written to
    and never replaced; `-` is standard output. CannotWrite if that fails.
    """
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    with _told(path):
        number = descriptor(path)
        if number is not None:
            with _readers_may_leave(number), os.fdopen(os.dup(number), "wb") as stream:
                stream.write(data)
            return
        target = Path(os.path.realpath(path))
        if _kind(target) in (None, stat.S_IFREG):
            target.parent.mkdir(parents=True, exist_ok=True)
            with _new_file(target.parent, data) as temporary:
                os.replace(temporary, target)
        else:
            with target.open("wb") as stream:
                stream.write(data)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files, by their path in it, as a whole or not at all. CannotWrite if it has files."""
    with _told(folder):
        target = Path(os.path.realpath(folder))
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(target.parent)
        try:
            for name, content in files.items():
                (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                (temporary / name).write_bytes(content)
            temporary.rename(target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def write_archive(path: Path, files: Mapping[str, bytes], executable: Collection[str] = ()) -> Path:
    """Write a zip of `files`, by name, to `path` and return it. The names in `executable` are programs.

    The same files give the same bytes on every machine and at any time.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, for Windows would leave the mode unset
            entry.external_attr = (0o755 if name in executable else 0o644) << 16
            archive.writestr(entry, content)
    write(path, packed.getvalue())
    return path


def require_writable(path: Path) -> None:
    """NotWritable unless `write` can write to `path`. Nothing is left behind. The folder must exist."""
    with _told(path, NotWritable):
        number = descriptor(path)
        if number is not None:
            if {1: sys.__stdout__, 2: sys.__stderr__}.get(number, True) is None:
                raise NotWritable(f"Cannot write {path}: this stream is closed")
            if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
                raise NotWritable(f"Cannot write {path}: it is open for reading only")
            return
        target = Path(os.path.realpath(path))
        kind = _kind(target)
        if kind == stat.S_IFDIR:
            raise NotWritable(f"Cannot write {path}: it is a folder")
        if not target.parent.is_dir():
            raise NotWritable(f"Cannot write {path}: the folder {path.parent} does not exist")
        if kind in (None, stat.S_IFREG):
            with _new_file(target.parent, bytes(_ROOM)):
                pass
        elif kind == stat.S_IFSOCK or not os.access(target, os.W_OK):
            raise NotWritable(f"Cannot write {path}: it cannot be written to")


def require_folder(folder: Path) -> None:
    """NotWritable unless files can be written in `folder`, which may not exist yet. Nothing is left behind."""
    with _told(folder, NotWritable):
        nearest = next(each for each in (folder, *folder.absolute().parents) if os.path.lexists(each))
        if not nearest.is_dir():
            raise NotWritable(f"Cannot write {folder}: {nearest} is not a folder")
        with _new_file(nearest, bytes(_ROOM)):
            pass


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """NotWritable where another command is in this block with the same folder, which is made if necessary."""
    with _told(folder, NotWritable):
        folder.mkdir(parents=True, exist_ok=True)
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            said = f"Another command is writing to {folder}. Run this one again once that has ended"
            raise NotWritable(said) from None
        except OSError:
            pass  # a file system without locks
        yield
    finally:
        os.close(number)


def require_distinct(paths: Mapping[str, Path]) -> None:
    """NotWritable if two of `paths` (by their purpose) lead to the same file."""
    known: dict[str, str] = {}
    for name, path in paths.items():
        number = descriptor(path)
        place = os.path.realpath(path) if number is None else f"descriptor {number}"
        if place in known:
            raise NotWritable(f"{known[place]} and {name} are the same file: {path}")
        known[place] = name


def descriptor(path: Path) -> int | None:
    """The open file of this process that `path` names, as `-`, `/dev/stdout` and `/dev/fd/63` do, or None."""
    if path == STDOUT:
        return 1
    for _ in range(40):  # links, as many as Linux follows
        folder = os.path.realpath(path.parent)
        if re.fullmatch(rf"/proc/{os.getpid()}/(task/\d+/)?fd|/dev/fd", folder) and path.name.isdecimal():
            return int(path.name)
        if not path.is_symlink():
            break
        path = Path(folder) / path.readlink()
    return None


def replaceable(path: Path) -> bool:
    """Whether `write` would replace or make a file, not write to a stream."""
    return descriptor(path) is None and _kind(Path(os.path.realpath(path))) in (None, stat.S_IFREG)


def _kind(path: Path) -> int | None:
    """What is at `path`, as a `stat.S_IFMT` type; None if nothing is."""
    try:
        return stat.S_IFMT(path.stat().st_mode)
    except FileNotFoundError:
        return None


def _temporary(folder: Path) -> Path:
    return folder / f".{secrets.token_hex(8)}.tmp"


@contextlib.contextmanager
def _new_file(folder: Path, data: bytes) -> Iterator[Path]:
    """A fully written file in `folder`; removed at the end, unless moved elsewhere."""
    temporary = _temporary(folder)
    try:
        with temporary.open("xb") as file:  # not by `tempfile`, whose files nobody else may read
            file.write(data)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _told(path: Path, kind: type[CannotWrite] = CannotWrite) -> Iterator[None]:
    """Turn an error of the system into one line about `path`."""
    try:
        yield
    except OSError as error:
        name = "standard output" if path == STDOUT else path
        raise kind(f"Cannot write {name}: {error.strerror or error}") from error


@contextlib.contextmanager
def _readers_may_leave(number: int) -> Iterator[None]:
    """Ignore a reader of standard output that leaves early, as `head` does."""
    try:
        yield
    except BrokenPipeError:
        if number != 1:
            raise


# --- the terminal -----------------------------------------------------------------------------------------------------


class _Stream(io.FileIO):
    """A stream that never ends the program: what cannot be written is dropped, and `failed` says why.

    A reader that leaves early is not a failure.
    """

    failed: OSError | None = None

    def write(self, data: Any) -> int | None:  # type: ignore[override]
        try:
            return super().write(data)
        except BrokenPipeError:
            pass
        except OSError as error:
            self.failed = error
        return memoryview(data).nbytes


def calm_streams() -> None:
    """Keep printing from ending the program, despite odd glyphs, closed streams and readers that leave."""
    for number in range(3):  # or the next opened file would get the number, and the output
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            os.set_inheritable(number, True)
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        calm = io.TextIOWrapper(
            io.BufferedWriter(_Stream(number, "w", closefd=False)),
            encoding=stream.encoding if stream else "utf-8",
            errors="replace",
            line_buffering=stream.line_buffering if stream else True,
        )
        setattr(sys, name, calm)


def lost() -> str | None:
    """Flush what was printed; the reason if some of it could not be written."""
    sys.stdout.flush()
    sys.stderr.flush()
    failed = getattr(getattr(sys.stdout.buffer, "raw", None), "failed", None)
    return f"Cannot write standard output: {failed.strerror}" if failed else None
