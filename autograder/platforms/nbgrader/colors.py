"""Colors for a student's Python, in time that grows with its length alone.

That of Pygments' own lexers grows with the square of blank lines, of zeros after a percent sign and of much else.
"""

import builtins
import keyword
from collections.abc import Iterator
from typing import Any

from pygments.lexer import Lexer
from pygments.lexers import LEXERS
from pygments.token import Comment, Keyword, Name, Number, Operator, String, Text

from autograder.submissions.source import LEXEME

__all__ = ["LinearPython"]  # what Pygments loads from here: lexers alone

LANGUAGE = "linear-python"  # by which a notebook's metadata and blocks of code ask for it


class LinearPython(Lexer):
    name = "Python in linear time"
    aliases = (LANGUAGE,)

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, Any, str]]:
        end = 0
        for lexeme in LEXEME.finditer(text):
            if end < lexeme.start():
                yield end, Text, text[end : lexeme.start()]
            yield lexeme.start(), _kind(lexeme[0]), lexeme[0]
            end = lexeme.end()
        if end < len(text):
            yield end, Text, text[end:]


def _kind(lexeme: str) -> Any:
    if lexeme[0] == "#":
        return Comment.Single
    if lexeme[0] in "\"'":
        return String
    if lexeme.lstrip(".")[:1].isdigit():
        return Number
    if keyword.iskeyword(lexeme):
        return Keyword
    if lexeme[0].isalpha() or lexeme[0] == "_":
        return Name.Builtin if hasattr(builtins, lexeme) else Name
    return Operator


LEXERS["LinearPython"] = (__name__, LinearPython.name, (LANGUAGE,), (), ())
