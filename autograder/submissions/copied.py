"""Whether a module is the instructor's."""

from __future__ import annotations

import functools
import io
import tokenize

from autograder.assignment import Assignment

_MAX_LINE = 2000  # tokenize takes quadratic time in the length of a line
_LAYOUT = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING
}  # fmt: skip


def is_solution(source: bytes, assignment: Assignment) -> bool:
    """Whether `source` is the instructor's module, except for comments, docstrings and white space."""
    solution = _solution(assignment)
    if source == solution:
        return True
    if len(source) > 4 * len(solution) or max(map(len, source.split(b"\n"))) > _MAX_LINE:
        return False
    return (code := _code(source)) is not None and code == _code(solution)


@functools.cache
def _solution(assignment: Assignment) -> bytes:
    return assignment.solution.read_bytes()


def _code(source: bytes) -> list[str] | None:
    """The tokens of a module that run; None if they cannot be told, as in what is no Python."""
    code: list[str] = []
    starts = True  # whether a statement begins here
    try:
        for token in tokenize.tokenize(io.BytesIO(source).readline):
            if token.type not in _LAYOUT and not (starts and token.type == tokenize.STRING):
                code.append(token.string)
            starts = token.type in _LAYOUT or (starts and token.type == tokenize.STRING)
    except Exception:  # the source names the codec that decodes it: of all that one raises there is no list
        return None
    return code
