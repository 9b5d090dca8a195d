"""Whole programs as files. The first lines of each say what grading it must show:

    # attack: verdict
    # score: 0 to 8 (what the first argument is worth as an answer)
    # says: exit|ended

After a blank line comes the program as a student would hand it in. To see what grading it shows:

    autograder grade tests/submissions/hostile/exit-hooks.py

Programs are untrusted code: they are read, never imported.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"# (\w+): (.+)")


@dataclass(frozen=True)
class Program:
    """The program of one file, without its header.

    Attributes:
        expected: what its header says, by key.
    """

    name: str
    source: bytes
    expected: dict[str, str]


def read(folder: Path, keys: frozenset[str]) -> Iterator[Program]:
    """The programs in a folder, by name. ValueError for a header with a line that is not understood."""
    for path in sorted(folder.glob("*.py")):
        header, _, source = path.read_bytes().partition(b"\n\n")
        expected: dict[str, str] = {}
        for line in header.decode().splitlines():
            found = _LINE.fullmatch(line)
            if not found or found[1] not in keys - expected.keys():
                raise ValueError(f"{path}: the header has a line {line!r}; its keys are {', '.join(sorted(keys))}")
            expected[found[1]] = found[2]
        yield Program(path.stem, source, expected)
