"""Whether a module is the instructor's: the solution, or the fill-in as it was handed out."""

from __future__ import annotations

import functools
import io
import re
import tokenize

from autograder.assignment import Assignment
from autograder.fill_in import fill_in
from autograder.submissions.source import decoded, is_plain

_MAX_LINE = 2000  # tokenize takes quadratic time in the length of a line
_MAX_CODE = 1 << 17  # bytes
_LAYOUT = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING,
    tokenize.ENDMARKER,
}  # fmt: skip
_CONSTANTS = {tokenize.NUMBER, tokenize.STRING}
_FORMATTED = re.compile(r"[rR]?[fFtT]")  # the beginning of a string that holds code


def is_solution(source: bytes, assignment: Assignment) -> bool:
    """Whether `source` is the instructor's module, except for comments, docstrings and white space."""
    return same_code(source, _solution(assignment))


def same_code(source: bytes, known: bytes) -> bool:
    """Whether two modules are the same, except for comments, docstrings and white space."""
    quick = len(known) <= _MAX_CODE and _longest_line(known) <= _MAX_LINE
    return source == known or (quick and _comparable(source, known) and _same(_code(source), _code(known)))


@functools.lru_cache(1024)  # the standing of a row is computed many times
def has_no_code(source: bytes) -> bool:
    """Whether a module is blank, or has only comments and docstrings."""
    quick = len(source) <= _MAX_CODE and _longest_line(source) <= _MAX_LINE
    return not source.strip() or (quick and _code(source) == [])


def is_untouched(source: bytes, assignment: Assignment) -> bool:
    """Whether nothing is written in `source`: it has no code, or that of the fill-in.

    Numbers and texts may differ: those of another term do.
    """
    if not source.strip():
        return True
    blank = _blank(assignment)
    if source == blank:
        return True
    return _comparable(source, blank) and (_code(source) == [] or _same(_code(source, True), _code(blank, True)))


@functools.cache
def _solution(assignment: Assignment) -> bytes:
    return assignment.solution.read_bytes()


@functools.cache
def _blank(assignment: Assignment) -> bytes:
    try:
        return fill_in(assignment).encode()
    except ValueError:  # a mistyped marker: no kit can be built either
        return b""


def _comparable(source: bytes, known: bytes) -> bool:
    """Whether comparing them takes little time."""
    return len(source) <= 4 * len(known) and _longest_line(source) <= _MAX_LINE


def _longest_line(source: bytes) -> int:
    return max(map(len, source.replace(b"\r", b"\n").split(b"\n")))


def _same(code: list[str] | None, known: list[str] | None) -> bool:
    return code is not None and code == known


def _code(source: bytes, bare: bool = False) -> list[str] | None:
    """The tokens of a module that run; None if they cannot be told, as in what is no Python.

    If `bare`, constants are all the same.
    """
    if not is_plain(source):
        return None
    code: list[str] = []
    starts = True  # whether a statement begins here
    try:
        for token in tokenize.generate_tokens(io.StringIO(decoded(source, "strict")).readline):
            constant = token.type in _CONSTANTS and not _FORMATTED.match(token.string)
            docstring = starts and constant and token.type == tokenize.STRING
            if token.type not in _LAYOUT and not docstring:
                code.append("" if bare and constant else token.string)
            starts = token.type in _LAYOUT or docstring
    except Exception:  # of all that tokenize raises there is no list
        return None
    return code
