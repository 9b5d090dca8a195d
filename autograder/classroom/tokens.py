"""The words and signs of a module, for comparing it with others: whether Python can read it or not."""

import keyword
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from autograder.submissions.source import (
    LEXEME,
    MAX_BYTES,
    as_python_reads,
    decoded,
    number_as_read,
    with_names_as_read,
)

MAX_TOKENS = 4000  # a module of an assignment has some 500. What has more is compared with nobody.

_WORD = re.compile(r"\w+|[^\w\s]")
_FORM = frozenset("(),'\"")  # signs that can change while the syntax tree stays: others would change it
_LINE_ENDS = re.compile(r"[ \t]*+(?:[#\n]|\Z)")


class Token(NamedTuple):
    line: int  # from 1
    text: str
    is_name: bool = False  # of a variable, which renaming would change
    is_comment: bool = False  # or of a string that is long or a statement: as in a comment, any words may stand there
    definition: tuple[int, str] = (0, "")  # it stands in: its number, and its first line if that is the handout's

    @property
    def blanked(self) -> str:
        """The token with the names of variables set aside."""
        return "name" if self.is_name else self.text

    @property
    def is_code(self) -> bool:
        """Whether the syntax tree depends on it."""
        return not self.is_comment and self.text not in _FORM


def own_tokens(source: bytes, given: frozenset[str]) -> list[Token] | None:
    """The words and signs that the student wrote, those on a line of the handout left out; None if too many."""
    text = _in_lines(with_names_as_read(decoded(source)))
    own = list(islice(_tokens(text, given), MAX_TOKENS + 1))
    return None if len(own) > MAX_TOKENS or len(source) > MAX_BYTES else own


def arranged(tokens: Iterable[Token]) -> list[Token]:
    """The tokens with the definitions in an order that neither moving them, renaming nor comments change."""
    pieces: dict[tuple[int, str], list[Token]] = {}
    for token in tokens:
        pieces.setdefault(token.definition, []).append(token)

    def rank(definition: tuple[int, str]) -> tuple[bool, str, int, list[str]]:
        code = [token.blanked for token in pieces[definition] if token.is_code]
        return not definition[1], definition[1], len(code), code

    return [token for definition in sorted(pieces, key=rank) for token in pieces[definition]]


def _tokens(text: str, given: frozenset[str]) -> Iterator[Token]:
    """The words and signs of a source, comments and strings word by word, but those on lines that are given.

    Of a line of the handout that the student put a comment on, the comment is the student's.
    """
    whole = [squeezed(line) in given for line in text.split("\n")]
    code = [
        line if same or line in given or _bare(line) in given else ""
        for line, same in zip(_code(text), whole, strict=True)
    ]
    line, end, last, attribute = 1, 0, 0, False
    within = (0, "")
    for lexeme in LEXEME.finditer(text):
        start = lexeme.start()
        line += text.count("\n", end, start)
        end = start
        if lexeme["word"] in ("def", "class"):
            within = within[0] + 1, code[line - 1]
        if (word := lexeme["word"]) and not code[line - 1]:
            # What follows a dot belongs to a library or to the handout, and renaming it would break the module.
            is_name = not attribute and not keyword.iskeyword(word)
            yield Token(line, word, is_name, definition=within)
        elif number := lexeme["number"]:
            if not code[line - 1]:
                pieces = _WORD.findall(number_as_read(number))
                yield from (Token(line, piece, definition=within) for piece in pieces)
        elif not word:
            alone = "\n" in text[last:start] and _LINE_ENDS.match(text, lexeme.end()) is not None
            as_given = whole if lexeme[0][0] == "#" else code
            comment = lexeme[0].startswith(("#", '"""', "'''")) or (lexeme[0][0] in "\"'" and alone)
            for number, piece in enumerate(lexeme[0].split("\n"), line):
                if not as_given[number - 1]:
                    words = map(as_python_reads, _WORD.findall(piece))
                    yield from (Token(number, word, False, comment, within) for word in words)
        last, attribute = lexeme.end(), lexeme[0] == "."


def lines_of(text: str) -> frozenset[str]:
    text = with_names_as_read(text)
    code = _code(text)
    return frozenset((*map(squeezed, text.split("\n")), *code, *map(_bare, code)))


def _in_lines(text: str) -> str:
    """The text with each statement on a line: what a backslash splits is joined, what a semicolon joins is split."""
    pieces, end = [], 0
    for lexeme in LEXEME.finditer(text):
        if lexeme[0] == ";" or (lexeme[0] == "\\" and text.startswith("\n", lexeme.end())):
            pieces += [text[end : lexeme.start()], "\n" if lexeme[0] == ";" else " "]
            end = lexeme.end() + (lexeme[0] == "\\")
    return "".join((*pieces, text[end:]))


def _bare(line: str) -> str:
    """A line without parentheses and white space."""
    return re.sub(r"[()\s]", "", line)


def _code(text: str) -> list[str]:
    """The lines without their comments."""
    code = LEXEME.sub(lambda lexeme: "" if lexeme[0][0] == "#" else lexeme[0], text)
    return [squeezed(line) for line in code.split("\n")]


def squeezed(line: str) -> str:
    return " ".join(line.split())
