"""The JSON of a notebook that a student made: counted before it is built, so that a small file fills no memory.

What a notebook's code has put out can be larger than all else, and is taken out first.
"""

import codecs
import io
import json
import re
from dataclasses import dataclass
from typing import Any

MAX_PIECES = 1_000_000  # texts, commas and brackets: under a second. 500 long cells have a twentieth of that.
MAX_STEPS = 2_000_000  # through the outputs: a second or two
MAX_LISTS = 20_000  # of outputs
MAX_WITHOUT_OUTPUTS = 32 << 20  # bytes
MAX_DEPTH = 100  # of lists and objects in each other; what Jupyter writes has ten

_CHUNK = 1 << 20
_PIECE = re.compile(rb'[^"\[\]{},]*+(?:("(?:[^"\\]++|\\.)*+")|([\[{])|([\]}])|,)', re.DOTALL)
_OUTPUTS = re.compile(rb'"outputs"\s*:\s*\[')
_STEP = re.compile(rb'[^"\[\]]*+(?:("(?:[^"\\]++|\\.)*+")|([\[\]]))', re.DOTALL)  # to the next text or bracket
_STEPS = {1: 0, 2: 1, 3: -1, None: 0}  # into or out of a list or an object, by the group of _PIECE


@dataclass
class Room:
    """How many pieces, and steps through outputs, are still read: of one notebook, or of several that share it."""

    pieces: int = MAX_PIECES
    steps: int = MAX_STEPS


def in_utf8(data: bytes) -> bytes:
    """The text of a file in UTF-8, in which a byte of the JSON's marks stands for nothing else."""
    if data[:2] not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return data
    letters, text = codecs.getincrementaldecoder("utf-16")(), io.BytesIO()
    for start in range(0, len(data), _CHUNK):  # one emoji makes Python take four bytes for every letter next to it
        text.write(letters.decode(data[start : start + _CHUNK], final=start + _CHUNK >= len(data)).encode())
    return text.getvalue()


def parsed(data: bytes, room: Room | None = None) -> Any:
    """What JSON in UTF-8 says. ValueError, fit for the student, where it is none or holds more than a notebook does.

    Nor is it read where there is no `room` for it.
    """
    room = room or Room()
    start = depth = 0
    while piece := _PIECE.match(data, start):
        room.pieces -= 1
        if room.pieces <= 0:
            raise ValueError(f"it has more than {MAX_PIECES:,} texts, commas and brackets")
        start, depth = piece.end(), depth + _STEPS[piece.lastindex]
        if depth > MAX_DEPTH:
            raise ValueError(f"it has lists within lists, more than {MAX_DEPTH} deep")
    try:
        return json.loads(data.decode("utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from error


def placeholder(number: int) -> list[dict[str, str]]:
    """What stands for the outputs with this number, while a parser holds the rest: a valid list of outputs."""
    return [{"output_type": "stream", "name": "stdout", "text": f"{number}"}]


def outputs_apart(data: bytes, room: Room | None = None) -> tuple[bytes, list[memoryview]]:
    """A notebook in UTF-8, a `placeholder` for every list of outputs before a parser has to hold it, and the lists.

    The lists are views of the notebook, of which most are never shown: a copy would take its memory twice.
    ValueError where the outputs have no end, or there is no `room` for their pieces, or the rest is too large.
    """
    room = room or Room()
    data = in_utf8(data)
    whole = memoryview(data)
    pieces: list[bytes | memoryview] = []
    outputs: list[memoryview] = []
    start = 0
    while match := _OUTPUTS.search(data, start):
        if len(outputs) >= MAX_LISTS:
            raise ValueError(f"it has the outputs of more than {MAX_LISTS:,} cells")
        pieces.append(whole[start : match.end() - 1])
        begin, start, depth = match.end() - 1, match.end(), 1
        while depth:
            step = _STEP.match(data, start)
            if step is None:
                raise ValueError("it ends within a cell's outputs")
            depth += {b"[": 1, b"]": -1, None: 0}[step[2]]
            start = step.end()
            room.steps -= 1
            if room.steps <= 0:
                raise ValueError("its outputs are in too many pieces")
        pieces.append(json.dumps(placeholder(len(outputs))).encode())
        outputs.append(whole[begin:start])
    pieces.append(whole[start:])
    if sum(map(len, pieces)) > MAX_WITHOUT_OUTPUTS:
        raise ValueError(f"without its outputs it is still larger than {MAX_WITHOUT_OUTPUTS >> 20} MiB")
    return b"".join(pieces), outputs
