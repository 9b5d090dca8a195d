"""The JSON of a notebook that a student made: counted before it is built, so that a small file fills no memory."""

import json
import re
from typing import Any

MAX_PIECES = 1_000_000  # texts, commas and brackets: under a second. 500 long cells have a twentieth of that.
MAX_DEPTH = 100  # of lists and objects in each other; what Jupyter writes has ten

_PIECE = re.compile(rb'[^"\[\]{},]*+(?:("(?:[^"\\]++|\\.)*+")|([\[{])|([\]}])|,)', re.DOTALL)
_STEPS = {1: 0, 2: 1, 3: -1, None: 0}  # into or out of a list or an object, by the group of _PIECE


def in_utf8(data: bytes) -> bytes:
    """The text of a file in UTF-8, in which a byte of the JSON's marks stands for nothing else."""
    return data.decode("utf-16").encode() if data[:2] in (b"\xff\xfe", b"\xfe\xff") else data


def parsed(data: bytes) -> Any:
    """What the JSON says. ValueError, fit for the student, where it is none or holds more than any notebook does."""
    data = in_utf8(data)
    start = depth = 0
    for _ in range(MAX_PIECES):
        piece = _PIECE.match(data, start)
        if piece is None:
            break
        start, depth = piece.end(), depth + _STEPS[piece.lastindex]
        if depth > MAX_DEPTH:
            raise ValueError(f"it has lists within lists, more than {MAX_DEPTH} deep")
    else:
        raise ValueError(f"it has more than {MAX_PIECES:,} texts, commas and brackets")
    try:
        return json.loads(data.decode("utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from error
