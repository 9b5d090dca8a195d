"""Whether a module is the instructor's: the solution, or the fill-in as it was handed out."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from autograder.assignment import Assignment
from autograder.fill_in import fill_in
from autograder.submissions.source import MAX_BYTES, STRING, WORD, as_python_reads, decoded, is_plain, number_as_read

_MAX_CODE = MAX_BYTES  # comments included: a comment of any length hides no copy
# As LEXEME, with the prefix of a string, and a number as one token. The time grows with the length alone; that of the
# module tokenize grows with the square of a line.
_TOKEN = re.compile(
    rf"(?P<left>#[^\n]*+|\\\n)|(?P<prefix>[a-zA-Z]{{0,2}})(?P<string>{STRING})"
    rf"|(?P<number>\.?\d(?:[\w.]|(?<=[eE])[-+])*+)|{WORD}|\S",
    re.DOTALL,
)
_FORMATTED = re.compile(r"[rR]?[fFtT]")  # the beginning of a string that holds code


def is_solution(source: bytes, assignment: Assignment) -> bool:
    """Whether `source` is the instructor's module, but for comments, docstrings, white space and numbers' spelling."""
    return same_code(source, _solution(assignment))


def same_code(source: bytes, known: bytes) -> bool:
    """Whether two modules are the same, except for comments, docstrings and white space."""
    quick = len(source) <= _MAX_CODE and len(known) <= _MAX_CODE
    return source == known or (quick and _same(_code(source), _code(known)))


@functools.lru_cache(1024)  # the standing of a row is computed many times
def has_no_code(source: bytes) -> bool:
    """Whether a module is blank, or has only comments and docstrings."""
    return not source.strip() or (len(source) <= _MAX_CODE and _code(source) == ())


def is_untouched(source: bytes, assignment: Assignment) -> bool:
    """Whether nothing is written in `source`: it has no code, or that of the fill-in.

    Numbers and texts may differ: those of another term do.
    """
    if not source.strip():
        return True
    blank = _blank(assignment)
    if source == blank:
        return True
    return len(source) <= _MAX_CODE and (_code(source) == () or _same(_code(source, True), _code(blank, True)))


def is_handed_out(name: str, content: bytes, assignment: Assignment) -> bool:
    """Whether a file is as the staff has it: the fill-in or the solution, or another file of the kit, by its name."""
    content = content.replace(b"\r\n", b"\n")
    return bool(content) and content in (_blank(assignment), _solution(assignment), _kit(assignment).get(name))


@functools.cache
def _kit(assignment: Assignment) -> dict[str, bytes]:
    """The files of the kit that are copied into it, by their names; none of those that a wheel lacks."""
    files = {Path(assignment.notebook).name: assignment.notebook, **assignment.kit_files}
    there = {name: assignment.root / source for name, source in files.items()}
    return {name: file.read_bytes().replace(b"\r\n", b"\n") for name, file in there.items() if file.is_file()}


@functools.cache
def _solution(assignment: Assignment) -> bytes:
    return assignment.solution.read_bytes()


@functools.cache
def _blank(assignment: Assignment) -> bytes:
    try:
        return fill_in(assignment).encode()
    except ValueError:  # a mistyped marker: no kit can be built either
        return b""


def _same(code: tuple[str, ...] | None, known: tuple[str, ...] | None) -> bool:
    return code is not None and code == known


@functools.lru_cache(4)  # one module is compared with many
def _code(source: bytes, bare: bool = False) -> tuple[str, ...] | None:
    """The tokens of a module that run; None if they cannot be told, as where a string is left open.

    If `bare`, constants are all the same.
    """
    if not is_plain(source):
        return None
    try:
        text = decoded(source, "strict")
    except UnicodeError:
        return None
    code: list[str] = []
    end, starts = 0, True  # whether a statement may begin here
    for token in _TOKEN.finditer(text):
        starts = starts or "\n" in text[end : token.start()]
        end, string = token.end(), token["string"]
        if string and not _is_closed(string):
            return None
        constant = token["number"] or (string and not _FORMATTED.match(token["prefix"]))
        if not (token["left"] or (starts and string and constant)):
            read = number_as_read if token["number"] else as_python_reads
            code.append("" if bare and constant else read(token[0]))
            starts = False
    return tuple(code)


def _is_closed(string: str) -> bool:
    quote = string[0] * (3 if string.startswith(string[0] * 3) else 1)
    return len(string) >= 2 * len(quote) and string.endswith(quote)
