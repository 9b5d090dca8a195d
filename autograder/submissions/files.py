"""The files of an upload, in a folder or an archive: listed from the top down, read within bounds.

Nothing here is trusted, and nothing is unpacked to disk under a name from the upload. Symbolic links are never
followed, at any step of a path. Devices, pipes and sockets are never opened.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from autograder.submissions import tar
from autograder.submissions.bounds import Room, TooMuch, check_time
from autograder.submissions.names import ARCHIVES, UNREAD, is_junk, path_of, suffix
from autograder.submissions.spelling import squeezed

MAX_DEPTH = 16  # levels of folders
MAX_FILES = 20_000  # searched in one submission's folder
MAX_HIDDEN = 2000  # searched in its hidden folders
MAX_ARCHIVE_ENTRIES = 2000
MAX_UPLOAD = 256 << 20  # bytes of one student's archive, packed or unpacked
# Bytes of the list of files in an archive, about 90 each: in the archive of a class, and in one student's.
MAX_DIRECTORY, MAX_STUDENT_DIRECTORY = 64 << 20, 4 << 20
# Of all archives of one student, copies of those within others included: one that is too large, packed and unpacked,
# leaves room for another.
MAX_UNPACKED, MAX_LISTED = 3 * MAX_UPLOAD, 12 << 20
_MAX_NAMES = 1 << 15  # bytes of names in an archive by which their code page is found
MAX_RECORD = 8 << 10  # bytes of the name and the attributes of one file: zipfile takes quadratic time over some

_CHUNK = 1 << 16
_LOCAL_HEADER = 30  # bytes before the name of a file in a zip archive
_SEARCHED = (".ipynb_checkpoints", "__pycache__")  # hidden folders in which a copy of the module may be
_TOO_DEEP = f"is nested in more than {MAX_DEPTH} folders"
# In which programs write names into zip archives without saying so, the most frequent first.
_CODE_PAGES: tuple[str, ...] = ("cp437", "cp850", "cp1252", "gb18030", "cp932", "cp949", "big5hkscs", "cp866", "cp1251")
_CODE_PAGES += ("cp852", "cp1250")
_CODE_PAGES += ("cp737", "cp1253", "cp857", "cp1254", "cp862", "cp1255", "cp720", "cp1256", "cp775", "cp1257", "cp874")
_SIGNATURES = (
    (b"7z\xbc\xaf\x27\x1c", ".7z"),
    (b"Rar!", ".rar"),
    (b"\xfd7zXZ\x00", ".xz"),
    (b"\x28\xb5\x2f\xfd", ".zst"),
    (b"PK", ".zip"),
    (b"\x1f\x8b", ".tar.gz"),
    (b"BZh", ".tar.bz2"),
)


class NothingToGrade(Exception):
    """There is no submission at the path. The message says what is missing."""


class NobodyThere(NothingToGrade):
    """Nothing in the upload of a class is a student's."""


class CannotRead(NothingToGrade):
    """The grader may not read the upload, or the disk fails: not the student's fault."""


@dataclass(frozen=True, eq=False)
class File:
    """One file of an upload.

    Attributes:
        steps: its path, from the top of the submission.
        label: its path as it was handed in, for people.
        open: opens it for reading bytes; `read` reports what it raises.
        trouble: why it is never opened, as the end of a sentence: `is a symbolic link`; empty for a usual file.
        denied: whether the trouble is that the grader may not read it, or that staff packed it so.
        version: grows with each upload of a file, on platforms that number them.
        download: the archive of the class that holds it: what is wrong with that is no student's fault.
        staffs: whether it lies where staff's tools write, and no student does.
    """

    steps: tuple[str, ...]
    label: str
    open: Callable[[], IO[bytes]]
    trouble: str = ""
    denied: bool = False
    version: int | None = None
    download: str = ""
    staffs: bool = False

    @property
    def name(self) -> str:
        return self.steps[-1] if self.steps else ""

    @property
    def junk(self) -> bool:
        return any(map(is_junk, self.steps))

    def refuse(self) -> None:
        """Raise NothingToGrade, or CannotRead, if there is a trouble."""
        if self.trouble:
            raise (CannotRead if self.denied else NothingToGrade)(f"{self.label} {self.trouble}")

    def read(self, most: int) -> bytes:
        """The first `most` bytes. NothingToGrade if it cannot be read, CannotRead if the grader may not."""
        file = io.BytesIO()
        self.copy(file, most)
        return file.getvalue()

    def copy(self, to: IO[bytes], most: int) -> int:
        """Copy the first `most` bytes and return their number. Errors are those of `read`."""
        self.refuse()
        copied = 0
        try:
            check_time()
            with self.open() as file:
                while copied < most and (piece := file.read(min(_CHUNK, most - copied))):
                    copied += to.write(piece)
                    check_time()
        except TooMuch as error:
            raise NothingToGrade(f"{self.label} {error}") from error
        except NothingToGrade:
            raise
        except OSError as error:
            raise CannotRead(f"{self.label} cannot be read: {error.strerror or error}") from error
        except Exception as error:  # of all that a damaged archive makes its parser raise there is no list
            said = f"{self.label} cannot be read: {str(error) or type(error).__name__}"
            if self.download:
                raise CannotRead(f"{said}. {self.download} is damaged: download it again") from error
            raise NothingToGrade(said) from error
        return copied


@dataclass(frozen=True)
class Listing:
    """Files, from the top down. `cut`: there are more, not searched. `folders`: the steps of all, empty or not."""

    files: list[File]
    cut: bool = False
    folders: tuple[tuple[str, ...], ...] = ()


# --- folders ------------------------------------------------------------------------------------------------------


def in_folder(root: Path | int, steps: tuple[str, ...] = ()) -> Listing:
    """The files below the folder at `steps` below `root`; their own steps begin there. Only `root` is trusted.

    That is a path or, of a folder whose name others may give to another one, a descriptor, open until all is read.
    Hidden folders are searched after the others, but for those in which Jupyter and Python keep copies.
    """
    files: list[File] = []
    folders: list[tuple[str, ...]] = []
    hidden: list[tuple[str, ...]] = []
    level, seen = [steps], 0
    for _ in range(MAX_DEPTH):
        deeper: list[tuple[str, ...]] = []
        for folder in level:
            try:
                with _directory(root, folder) as descriptor, os.scandir(descriptor) as entries:
                    for entry in entries:
                        seen += 1
                        if seen > MAX_FILES:
                            return Listing(_nearest_first(files), True, tuple(folders))
                        below = (*folder, entry.name)
                        if not entry.is_dir(follow_symlinks=False):
                            files.append(on_disk(root, below, steps))
                        elif is_junk(entry.name) and entry.name not in _SEARCHED:
                            files.append(_failing(below[len(steps) :], "is hidden"))
                            hidden.append(below)
                        else:
                            deeper.append(below)
                            folders.append(below[len(steps) :])
            except OSError as error:
                said = f"cannot be read: {error.strerror}"
                files.append(_failing(folder[len(steps) :], said, denied=True))
        level = sorted(deeper)
    files += _in_hidden(root, sorted(hidden), steps)
    return Listing(_nearest_first(files), bool(level), tuple(folders))


def _in_hidden(root: Path | int, level: list[tuple[str, ...]], above: tuple[str, ...]) -> list[File]:
    """The first files below these folders, from the top down. What cannot be searched is left out."""
    files: list[File] = []
    seen = 0
    for _ in range(MAX_DEPTH):
        deeper: list[tuple[str, ...]] = []
        for folder in level:
            with suppress(OSError), _directory(root, folder) as descriptor, os.scandir(descriptor) as entries:
                for entry in entries:
                    seen += 1
                    if seen > MAX_HIDDEN:
                        return files
                    below = (*folder, entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        deeper.append(below)
                    else:
                        files.append(on_disk(root, below, above))
        level = sorted(deeper)
    return files


def _nearest_first(files: list[File]) -> list[File]:
    return sorted(files, key=lambda file: (len(file.steps), file.steps))


def on_disk(root: Path | int, steps: tuple[str, ...], above: tuple[str, ...] = ()) -> File:
    """The file at `steps` below `root`; its own steps begin below `above`. Only `root` is trusted."""
    own = steps[len(above) :]
    try:
        with _directory(root, steps[:-1]) as folder:
            mode = os.stat(steps[-1], dir_fd=folder, follow_symlinks=False).st_mode
    except OSError as error:
        return _failing(own, f"cannot be read: {error.strerror}", denied=True)
    if stat.S_ISLNK(mode):
        return _failing(own, "is a symbolic link, which is never followed")
    if not stat.S_ISREG(mode):
        return _failing(own, "is not a regular file")

    def opened() -> IO[bytes]:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        with _directory(root, steps[:-1]) as folder:
            file = os.fdopen(os.open(steps[-1], flags, dir_fd=folder), "rb")
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise OSError(errno.EINVAL, "it is not a regular file")
        return file

    return File(own, path_of(own), opened)


@contextmanager
def _directory(root: Path | int, steps: tuple[str, ...]) -> Iterator[int]:
    """A descriptor of the folder at `steps` below `root`; no step may be a link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    descriptor = os.open(".", flags, dir_fd=root) if isinstance(root, int) else os.open(root, flags)
    try:
        for step in steps:
            below = os.open(step, flags | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def _failing(steps: tuple[str, ...], trouble: str, denied: bool = False) -> File:
    return File(steps, path_of(steps) or "the folder", _never, trouble, denied)


def _never() -> IO[bytes]:
    raise AssertionError("a file with a trouble is not opened")


# --- archives -----------------------------------------------------------------------------------------------------


def room_to_unpack() -> Room:
    """What the archives of one submission may take together."""
    return Room(MAX_UNPACKED, MAX_LISTED)


@contextmanager
def in_archive(archive: File, room: Room | None = None) -> Iterator[Listing]:
    """The files in an archive, while it is open. NothingToGrade says what is wrong with it.

    Its first bytes tell the format, because people rename archives. The archives of one submission share the `room`.
    """
    archive.refuse()
    room = room or room_to_unpack()
    with ExitStack() as stack:
        packed = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=16 << 20))
        try:
            archive.copy(packed, min(MAX_UPLOAD, room.left) + 1)
        finally:  # also where it is damaged at the end
            room.left -= packed.tell()
        if room.left < 0:
            raise NothingToGrade(f"{archive.label} is too large, together with other archives")
        if packed.tell() > MAX_UPLOAD:
            raise NothingToGrade(f"{archive.label} is larger than {MAX_UPLOAD >> 20} MiB")
        packed.seek(0)
        kind = _kind(packed.read(512)) or suffix(archive.name)
        if kind in UNREAD:
            raise NothingToGrade(f"{archive.label} is in the {UNREAD[kind]} format, which the grader does not open")
        zipped = kind == ".zip"
        try:
            if zipped:
                opened = stack.enter_context(_zip(packed, MAX_STUDENT_DIRECTORY, room))
                entries = list(_packed(opened))
            else:
                kept = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=16 << 20))
                packed.seek(0)
                entries = list(_in_tar(tar.entries(packed, kind, kept, MAX_UPLOAD, room), kept))
        except (NothingToGrade, TooMuch) as error:
            raise NothingToGrade(f"{archive.label} {error}") from error
        except Exception as error:  # of all that a damaged archive makes its parser raise there is no list
            if (named := suffix(archive.name)) in UNREAD:
                said = f"is in the {UNREAD[named]} format, which the grader does not open"
                raise NothingToGrade(f"{archive.label} {said}") from error
            said = str(error) or type(error).__name__
            name = "zip" if zipped else "tar"
            raise NothingToGrade(f"{archive.label} cannot be read as a {name} archive: {said}") from error
        files = [each.file for each in entries if each.file]
        if (count := sum(not file.junk for file in files)) > MAX_ARCHIVE_ENTRIES:
            raise NothingToGrade(f"{archive.label} has {count} files, too many for a submission")
        yield Listing(_nearest_first(files), folders=tuple(each.steps for each in entries if each.file is None))


def is_cut_off(archive: File) -> bool:
    """Whether an archive ends too early, as where a download was interrupted. Errors are those of `File.copy`."""
    with ExitStack() as stack:
        packed, kept = (stack.enter_context(tempfile.SpooledTemporaryFile(max_size=16 << 20)) for _ in range(2))
        if archive.copy(packed, MAX_UPLOAD) in (0, MAX_UPLOAD):
            return packed.tell() == 0
        packed.seek(0)
        kind = _kind(packed.read(512)) or suffix(archive.name)
        packed.seek(0)
        if kind == ".zip":
            return _kind(packed.read(512)) == kind and not zipfile.is_zipfile(packed)
        try:
            for _ in tar.entries(packed, kind, kept, MAX_UPLOAD, room_to_unpack()):
                pass
        except EOFError:
            return True
        except Exception:  # of all that a damaged archive makes its parser raise there is no list
            return False
    return False


def is_archive(file: File) -> bool:
    """Whether a file begins as an archive does; errors are those of `File.read`."""
    return bool(_kind(file.read(512)))


def _kind(start: bytes) -> str:
    """The format of an archive by its first bytes, as a suffix; empty if they do not tell."""
    return next((kind for signature, kind in _SIGNATURES if start.startswith(signature)), "")


def _zip(file: IO[bytes], most: int, room: Room | None) -> zipfile.ZipFile:
    """A zip archive, whose reading takes from the `room`. NothingToGrade or TooMuch if it is made to cost much."""
    careful = _Careful(file, most, room)
    archive = zipfile.ZipFile(careful)
    careful.is_listed = True
    end = 0
    for entry in sorted(archive.filelist, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise NothingToGrade("has files that lie over each other: pack it again with another program")
        end = entry.header_offset + _LOCAL_HEADER + entry.compress_size
    return archive


class _Careful(io.RawIOBase):
    """A zip archive whose list of files is not read if it has more than `most` bytes, or than the `room` has.

    Nor is it read if the record of one file has more than `MAX_RECORD`. Once it `is_listed`, each byte that is read
    counts, as often as it is: deflate has blocks of which nothing comes.
    """

    def __init__(self, file: IO[bytes], most: int, room: Room | None = None) -> None:
        self._file, self._most, self._room = file, most, room
        self.is_listed = False

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size > self._most:
            raise NothingToGrade("lists too many files for a submission")
        data, at = self._file.read(size), 0
        if self.is_listed:
            check_time()
            if self._room:
                self._room.read(len(data))
            return data
        while data.startswith(b"PK\1\2", at) and at + 46 <= len(data):
            record = sum(struct.unpack_from("<HHH", data, at + 28))  # name, attributes and comment
            if record > MAX_RECORD:
                raise NothingToGrade("has a file with too long a name, or too many attributes")
            at += 46 + record
        if self._room:
            self._room.take(at)
        return data

    def seek(self, where: int, whence: int = 0) -> int:
        return self._file.seek(where, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def steps_of(name: str) -> tuple[str, ...]:
    """The steps of a name in an archive, with either separator, and without drives or ways up."""
    steps = [step for step in name.replace("\\", "/").split("/") if step not in ("", ".", "..")]
    if len(steps) > MAX_DEPTH + 2:  # too deep to be read
        steps[MAX_DEPTH:-1] = ["…"]
    return tuple(step for step in steps if not (step.endswith(":") and re.fullmatch(r"[A-Za-z]:", step)))


@dataclass(frozen=True)
class Packed:
    """An entry of an archive: its file, or None for a folder."""

    steps: tuple[str, ...]
    file: File | None


class Entries(list[Packed]):
    """The entries of an archive; `page` is the code page in which their names were read, if that was guessed."""

    page = ""


@contextmanager
def open_download(
    path: Path, file: File | None = None, listed: int = MAX_DIRECTORY, names: Collection[str] = ()
) -> Iterator[Entries]:
    """The entries of the zip archive of a class, while it is open. NothingToGrade if it is not one.

    With `file`, that is the archive, of at most `MAX_UPLOAD`, and `path` its name in messages. Its list of files has at
    most `listed` bytes. The `names` of students, as `squeezed`, tell the code page of those in the archive.
    """
    kind = ""
    with ExitStack() as stack:
        try:
            raw: IO[bytes] = stack.enter_context(tempfile.TemporaryFile() if file else path.open("rb"))  # noqa: SIM115
            if file and file.copy(raw, MAX_UPLOAD + 1) > MAX_UPLOAD:
                raise NothingToGrade(f"is larger than {MAX_UPLOAD >> 20} MiB")
            raw.seek(0)
            kind = _kind(start := raw.read(512)) or ("HTML" if _is_page(start) else "")
            room = room_to_unpack() if listed < MAX_DIRECTORY else None
            archive = stack.enter_context(_zip(raw, listed, room))
            page = _code_page(archive, names)
            entries = Entries(_packed(archive, path.name, page))
            entries.page = page
        except (NothingToGrade, TooMuch) as error:
            raise NothingToGrade(f"{path} {error}") from error
        except PermissionError:
            raise
        except Exception as error:  # of all that a damaged archive makes its parser raise there is no list
            said = f"is neither a folder nor a zip archive that can be read: {_advice(kind, path, error)}"
            raise NothingToGrade(f"{path} {said}") from error
        yield entries


def _advice(kind: str, path: Path, error: Exception) -> str:
    """What to do about a download that is no zip archive."""
    if (kind or suffix(path.name)) == ".zip":
        return f"it is damaged or incomplete ({str(error) or type(error).__name__}). Download it again"
    if kind == "HTML":
        return "it is a web page, such as the platform's login. Log in and download it again"
    if (kind or suffix(path.name)) in (*ARCHIVES, *UNREAD):
        return "it is another kind of archive. Unpack it, and give the folder"
    return "it is something else. Give the folder or the zip archive that the platform lets you download"


def _is_page(start: bytes) -> bool:
    return re.match(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|\?xml)", start, re.IGNORECASE) is not None


def _code_page(archive: zipfile.ZipFile, names: Collection[str]) -> str:
    """The code page in which the names in an archive have most of these; empty if it is the usual one."""
    unread = {name: entry for entry in archive.filelist if (name := _zip_name(entry)) == entry.filename}
    raw = [name for name, entry in unread.items() if names and not (name.isascii() or entry.flag_bits & 0x800)]
    steps = dict.fromkeys(step for name in raw for step in name.split("/") if not step.isascii())
    text = "\n".join(steps)[:_MAX_NAMES].encode("cp437", "replace")
    read = {page: squeezed(text.decode(page, "replace")) for page in _CODE_PAGES if raw} or {"": ""}
    best = max(read, key=lambda page: sum(name in read[page] for name in names))
    return "" if best == "cp437" else best


def _packed(archive: zipfile.ZipFile, download: str = "", page: str = "") -> Iterator[Packed]:
    for entry in archive.filelist:
        name = _zip_name(entry, page)
        steps = steps_of(name)
        if steps:
            yield Packed(steps, None if _is_folder(entry, name) else _zip_file(archive, entry, steps, download))


def _zip_name(entry: zipfile.ZipInfo, page: str = "") -> str:
    """The name of an entry. Finder and rubyzip write UTF-8 without the flag that zipfile wants for it.

    Others write a code page, and do not say which.
    """
    if not entry.flag_bits & 0x800:
        with suppress(UnicodeError):
            raw = entry.orig_filename.encode("cp437")
            for data, encoding in ((_unicode_path(entry.extra, raw) or raw, "utf-8"), (raw, page)):
                with suppress(UnicodeError, LookupError):
                    return data.decode(encoding).partition("\0")[0]
    return entry.filename


def _unicode_path(extra: bytes, raw: bytes) -> bytes:
    """The UTF-8 name in Info-ZIP's field for it, if that is of the name `raw` (PKWARE's APPNOTE, 4.6.9)."""
    at, version = 0, struct.pack("<BL", 1, zlib.crc32(raw))
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        field, at = extra[at + 4 : at + 4 + size], at + 4 + size
        if kind == 0x7075 and len(field) == size and field[:5] == version:
            return field[5:]
    return b""


def _is_folder(entry: zipfile.ZipInfo, name: str) -> bool:
    """Whether an entry is a folder. Windows PowerShell writes a backslash after its name, others MS-DOS' attribute."""
    return name.endswith(("/", "\\")) or bool(entry.external_attr & 0x10 and not entry.file_size)


def _zip_file(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, steps: tuple[str, ...], download: str) -> File:
    packed = _packing(entry)
    if packed and download:
        packed = f"{packed} in {download}: unpack {download} with another program, and grade the folder"
    trouble = _zip_trouble(entry) or packed or (_TOO_DEEP if len(steps) > MAX_DEPTH else "")
    return File(steps, path_of(steps), lambda: archive.open(entry), trouble, bool(packed and download), None, download)


def _zip_trouble(entry: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a symbolic link, which is never followed"
    if kind not in (0, stat.S_IFREG):
        return "is not a regular file"
    return ""


def _packing(entry: zipfile.ZipInfo) -> str:
    """Why an entry is not unpacked: zipfile unpacks bzip2 and LZMA without a bound on memory, to 8 GiB from 3 KiB."""
    if entry.flag_bits & 1:
        return "is encrypted"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "uses a compression method other than deflate"
    if entry.compress_size > 2 * entry.file_size + 1000:
        return "is packed into more than twice its size: pack it again with another program"
    return ""


def _in_tar(entries: Iterator[tar.Entry], kept: IO[bytes]) -> Iterator[Packed]:
    """The entries of a tar archive, whose content is in `kept`. NothingToGrade beyond `MAX_FILES`."""
    for index, entry in enumerate(entries):
        if index >= MAX_FILES:
            raise NothingToGrade("lists too many files for a submission")
        steps = steps_of(entry.name)
        if not steps:
            continue
        trouble = entry.trouble or (_TOO_DEEP if len(steps) > MAX_DEPTH else "")
        file = File(steps, path_of(steps), partial(_content, kept, entry), trouble)
        yield Packed(steps, None if entry.is_folder else file)


def _content(kept: IO[bytes], entry: tar.Entry) -> IO[bytes]:
    return io.BufferedReader(_Section(kept, entry))


class _Section(io.RawIOBase):
    """The content of one entry in the file that holds those of all."""

    def __init__(self, kept: IO[bytes], entry: tar.Entry) -> None:
        self._kept, self._at, self._end = kept, entry.start, entry.start + entry.size

    def readable(self) -> bool:
        return True

    def readinto(self, to: Any) -> int:
        self._kept.seek(self._at)
        data = self._kept.read(min(len(to), self._end - self._at))
        to[: len(data)] = data
        self._at += len(data)
        return len(data)
