"""The words and signs of a module, for comparing it with others: whether Python can read it or not."""

import keyword
import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

# A module of an assignment has some 10 KiB and 500 tokens. What has more than these is compared with nobody.
MAX_BYTES = 128 * 1024
MAX_TOKENS = 4000

_WORD = re.compile(r"\w+|[^\w\s]")
# A comment, a string, a name or a number, or a sign. Each alternative takes what it can and gives nothing back, and an
# open string ends with the line or the source: the time grows with the length, whatever is in it.
_LEXEME = re.compile(
    r"#[^\n]*+"
    r"|\"{3}(?:[^\"\\]|\\.|\"(?!\"\"))*+(?:\"{3})?"
    r"|'{3}(?:[^'\\]|\\.|'(?!''))*+(?:'{3})?"
    r"|\"(?:[^\"\\\n]|\\.)*+\"?"
    r"|'(?:[^'\\\n]|\\.)*+'?"
    r"|(?P<word>\w++)"
    r"|[^\w\s]",
    re.DOTALL,
)
_CODING = re.compile(rb"#[^\n]{0,80}?coding[:=][ \t]*([-\w.]{1,40})")
# Encodings that students' editors write. Decoding some of the others takes quadratic time.
_ENCODINGS = {"utf8": "utf-8-sig", "latin1": "latin-1", "iso88591": "latin-1", "cp1252": "cp1252"}


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
    for lexeme in _LEXEME.finditer(text):
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


def decoded(source: bytes) -> str:
    """The beginning of a source, its line ends as Python takes them. What cannot be decoded is shown as such."""
    source = source[:MAX_BYTES]
    named = _CODING.search(b"\n".join(source[:1000].split(b"\n")[:2]))
    encoding = re.sub(r"[-_.]", "", named[1].decode("ascii", "replace").lower()) if named else "utf8"
    text = source.decode(_ENCODINGS.get(encoding, "utf-8-sig"), errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lines_of(text: str) -> frozenset[str]:
    return frozenset(squeezed(line) for line in text.splitlines())


def squeezed(line: str) -> str:
    return " ".join(line.split())
