"""The words and signs of a module, for comparing it with others: whether Python can read it or not."""

import keyword
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from autograder.submissions.source import LEXEME, MAX_BYTES, decoded

MAX_TOKENS = 4000  # a module of an assignment has some 500. What has more is compared with nobody.

_WORD = re.compile(r"\w+|[^\w\s]")


class Token(NamedTuple):
    line: int  # from 1
    text: str
    is_name: bool = False  # of a variable, which renaming would change
    is_comment: bool = False  # or of a long string: as in a comment, any words may stand there
    definition: tuple[int, str] = (0, "")  # it stands in: its number, and its first line if that is the handout's

    @property
    def blanked(self) -> str:
        """The token with the names of variables set aside."""
        return "name" if self.is_name else self.text


def own_tokens(source: bytes, given: frozenset[str]) -> list[Token] | None:
    """The words and signs that the student wrote, those on a line of the handout left out; None if too many."""
    text = decoded(source)
    own = list(islice(_tokens(text, given), MAX_TOKENS + 1))
    return None if len(own) > MAX_TOKENS or len(source) > MAX_BYTES else own


def arranged(tokens: Iterable[Token]) -> list[Token]:
    """The tokens with the definitions in an order that neither moving them, renaming nor comments change."""
    pieces: dict[tuple[int, str], list[Token]] = {}
    for token in tokens:
        pieces.setdefault(token.definition, []).append(token)

    def rank(definition: tuple[int, str]) -> tuple[bool, str, int, list[str]]:
        code = [token.blanked for token in pieces[definition] if not token.is_comment]
        return not definition[1], definition[1], len(code), code

    return [token for definition in sorted(pieces, key=rank) for token in pieces[definition]]


def _tokens(text: str, given: frozenset[str]) -> Iterator[Token]:
    """The words and signs of a source, comments and strings word by word, but those on lines that are given.

    Of a line of the handout that the student put a comment on, the comment is the student's.
    """
    whole = [squeezed(line) in given for line in text.split("\n")]
    code = [line if same or line in given else "" for line, same in zip(_code(text), whole, strict=True)]
    line, end, attribute = 1, 0, False
    within = (0, "")
    for lexeme in LEXEME.finditer(text):
        start = lexeme.start()
        line += text.count("\n", end, start)
        end = start
        if lexeme["word"] in ("def", "class"):
            within = within[0] + 1, code[line - 1]
        if (word := lexeme["word"]) and not code[line - 1]:
            # What follows a dot belongs to a library or to the handout, and renaming it would break the module.
            is_name = not attribute and not word[0].isdigit() and not keyword.iskeyword(word)
            yield Token(line, word, is_name, definition=within)
        elif not word:
            as_given = whole if lexeme[0][0] == "#" else code
            comment = lexeme[0].startswith(("#", '"""', "'''"))
            for number, piece in enumerate(lexeme[0].split("\n"), line):
                if not as_given[number - 1]:
                    yield from (Token(number, each, False, comment, within) for each in _WORD.findall(piece))
        attribute = lexeme[0] == "."


def lines_of(text: str) -> frozenset[str]:
    return frozenset((*map(squeezed, text.split("\n")), *_code(text)))


def _code(text: str) -> list[str]:
    """The lines without their comments."""
    code = LEXEME.sub(lambda lexeme: "" if lexeme[0][0] == "#" else lexeme[0], text)
    return [squeezed(line) for line in code.split("\n")]


def squeezed(line: str) -> str:
    return " ".join(line.split())
