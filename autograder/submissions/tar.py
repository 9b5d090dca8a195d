"""A tar archive of a student's, read once from start to end in linear time, however it was made.

`tarfile` takes quadratic time over some headers, as `gzip` and `bz2` do over many empty streams. Here the standard
library reads one header of 512 bytes at a time, and `zlib` and `bz2` unpack a piece of the file at a time.
"""

from __future__ import annotations

import bz2
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO

from autograder.submissions.bounds import Room, TooMuch, check_time

MAX_HEADERS = 8 << 20  # bytes of headers with long names and attributes: 10,000 files of a Mac have 7 MB
MAX_NAMES, MAX_NAME = 4 << 20, 8 << 10  # bytes of all names, and of one
MAX_STREAMS = 10_000  # in one file: parallel programs make one for each 64 KiB or more

_MANY = "lists too many files for a submission"
_BLOCK = tarfile.BLOCKSIZE
_CHUNK = 1 << 16
_PACKED = 512  # bytes that are unpacked at once: bzip2 makes 11 MiB of them at most
_PAX, _GLOBAL, _LONG_NAME = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE), tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME
_EXTENDED = (*_PAX, _GLOBAL, _LONG_NAME, tarfile.GNUTYPE_LONGLINK)
_GAPS = {"GNU.sparse.name", "GNU.sparse.size", "GNU.sparse.realsize"}  # one of them is in each of the formats
_RECORDS = {"path", "size", *_GAPS}


@dataclass(frozen=True)
class Entry:
    """One entry of an archive; the content of a regular file is at `start` in the file that `entries` wrote."""

    name: str
    is_folder: bool
    trouble: str = ""
    start: int = 0
    size: int = 0


def entries(packed: IO[bytes], kind: str, kept: IO[bytes], most: int, room: Room) -> Iterator[Entry]:
    """The entries of the archive `packed` of this `kind`, a suffix. The content of its files is written to `kept`.

    TooMuch beyond `most` bytes or the `room`. tarfile.TarError, zlib.error, OSError, EOFError or ValueError if damaged.
    """
    if kind in (".tar.gz", ".tgz"):
        pieces = _unpacked(packed, partial(zlib.decompressobj, wbits=31))
    elif kind in (".tar.bz2", ".tbz2"):
        pieces = _unpacked(packed, bz2.BZ2Decompressor)
    else:
        pieces = iter(partial(packed.read, _CHUNK), b"")
    plain = _Stream(pieces, most, room)
    names = extended = 0
    long_name, pax = "", dict[str, str]()
    while (header := plain.read(_BLOCK)).strip(b"\0"):
        found = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        if found.type in _EXTENDED:
            extended += _BLOCK + found.size
            if found.size < 0 or extended > MAX_HEADERS:
                raise TooMuch(_MANY)
            room.take(_BLOCK + found.size)
            body = b"".join(plain.pieces(found.size))
            if found.type == _LONG_NAME:
                long_name = _text(body.partition(b"\0")[0])
            elif found.type in _PAX:
                pax = _pax(body)
            continue
        more_gaps = found.type == tarfile.GNUTYPE_SPARSE and header[482]
        while more_gaps:  # GNU tar's own format lists them in blocks after the header
            more_gaps = plain.read(_BLOCK)[504]
        name = pax.get("GNU.sparse.name") or pax.get("path") or long_name or found.name
        names += len(name)
        if len(name) > MAX_NAME:
            raise TooMuch("has a file with too long a name")
        if names > MAX_NAMES:
            raise TooMuch(_MANY)
        room.take(_BLOCK + len(name))
        yield _entry(found, name, pax, plain, kept)
        long_name, pax = "", {}


def _entry(found: tarfile.TarInfo, name: str, pax: dict[str, str], plain: _Stream, kept: IO[bytes]) -> Entry:
    """The entry that a header begins, and its content where it is a file."""
    size, start = int(pax.get("size", found.size)), kept.tell()
    if size < 0:
        raise tarfile.ReadError("a file has less than no bytes")
    trouble = ""
    if found.issym() or found.islnk():
        trouble = "is a link, which is never followed"
    elif found.type == tarfile.GNUTYPE_SPARSE or _GAPS & pax.keys():
        trouble = "is stored with gaps (sparse), which the grader does not read: pack it again, as a zip archive"
    elif not found.isreg():
        trouble = "is not a regular file"
    if found.isreg() or found.type not in tarfile.SUPPORTED_TYPES:  # only these have content, even if others state one
        for piece in plain.pieces(size):
            if not trouble:
                kept.write(piece)
    return Entry(name, found.isdir(), trouble, start, size)


def _pax(body: bytes) -> dict[str, str]:
    """The `_RECORDS` of a pax header (POSIX.1-2008). Each is its length in decimal, a space, `key=value`, a newline."""
    records, at = dict[str, str](), 0
    while at < len(body) and body[at]:
        space = body.find(b" ", at, at + 10)
        length = int(body[at:space]) if space > at else 0
        if length < 1 or length <= space + 1 - at:
            raise tarfile.ReadError("a pax header is damaged")
        key, _, value = body[space + 1 : at + length - 1].partition(b"=")
        if (name := _text(key)) in _RECORDS:
            records[name] = _text(value)
        at += length
    return records


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


class _Stream:
    """Bytes that come in pieces, read from start to end. TooMuch beyond `most` bytes or the `room`."""

    def __init__(self, pieces: Iterator[bytes], most: int, room: Room) -> None:
        self._pieces, self._piece, self._room = pieces, io.BytesIO(), room
        self._left, self._most = min(most, room.left), most

    def read(self, size: int) -> bytes:
        """The next `size` bytes, or fewer where there are no more."""
        parts = []
        while size:
            part = self._piece.read(size)
            if not part and not self._next():
                break
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def pieces(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes, and past what fills the last block."""
        left = size
        while left:
            piece = self.read(min(_CHUNK, left))
            if not piece:
                raise EOFError("the archive ends too early")
            left -= len(piece)
            yield piece
        self.read(-size % _BLOCK)

    def _next(self) -> bool:
        piece = next(self._pieces, b"")
        self._left -= len(piece)
        self._room.left -= len(piece)
        if self._left < 0:
            whose = "" if self._room.left >= 0 else ", together with other archives"
            raise TooMuch(f"unpacks to more than {self._most >> 20} MiB{whose}")
        self._piece = io.BytesIO(piece)
        return bool(piece)


def _unpacked(packed: IO[bytes], new: Callable[[], zlib._Decompress | bz2.BZ2Decompressor]) -> Iterator[bytes]:
    """What streams of gzip or bzip2, one after the other, unpack to. EOFError if the last has no end."""
    stream, streams, rest = new(), 1, b""
    while data := rest or packed.read(_PACKED):
        check_time()  # a stream may give nothing for any number of bytes
        if stream.eof:
            stream, streams = new(), streams + 1
            if streams > MAX_STREAMS:
                raise TooMuch("is packed in too many pieces")
        if piece := stream.decompress(data):
            yield piece
        rest = stream.unused_data
    if not stream.eof:
        raise EOFError("the compressed file ends too early")
