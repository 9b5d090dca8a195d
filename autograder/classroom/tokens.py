"""The words and signs of a module, for comparing it with others: whether Python can read it or not."""

import keyword
import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from autograder.submissions.source import LEXEME, MAX_BYTES, decoded

MAX_TOKENS = 4000  # a module of an assignment has some 500. What has more is compared with nobody.

_WORD = re.compile(r"\w+|[^\w\s]")


class Token(NamedTuple):
    line: int  # from 1
    text: str
    is_name: bool = False  # of a variable, which renaming would change

    @property
    def blanked(self) -> str:
        """The token with the names of variables set aside."""
        return "name" if self.is_name else self.text


def own_tokens(source: bytes, given: frozenset[str]) -> list[Token] | None:
    """The words and signs that the student wrote, those on a line of the handout left out; None if too many."""
    text = decoded(source)
    is_given = [squeezed(line) in given for line in text.split("\n")]
    own = list(islice(_tokens(text, is_given), MAX_TOKENS + 1))
    return None if len(own) > MAX_TOKENS or len(source) > MAX_BYTES else own


def _tokens(text: str, is_given: list[bool]) -> Iterator[Token]:
    """The words and signs of a source, comments and strings word by word, but those on lines that are given."""
    line, end, attribute = 1, 0, False
    for lexeme in LEXEME.finditer(text):
        start = lexeme.start()
        line += text.count("\n", end, start)
        end = start
        if (word := lexeme["word"]) and not is_given[line - 1]:
            # What follows a dot belongs to a library or to the handout, and renaming it would break the module.
            yield Token(line, word, not attribute and not word[0].isdigit() and not keyword.iskeyword(word))
        elif not word:
            for number, piece in enumerate(lexeme[0].split("\n"), line):
                if not is_given[number - 1]:
                    yield from (Token(number, each) for each in _WORD.findall(piece))
        attribute = lexeme[0] == "."


def lines_of(text: str) -> frozenset[str]:
    return frozenset(squeezed(line) for line in text.split("\n"))


def squeezed(line: str) -> str:
    return " ".join(line.split())
