"""Which submissions are nearly the same, for a person to look at.

Two modules are compared by the share of their tokens that stand in both in the same order, comments included word by
word, white space and everything that the hand-out provides set aside.

This finds copies: as they are, reformatted, with some lines moved or added, or with the variables renamed. It does not
find one solution retold, by a person or by a program. Nor does it prove anything: the assignment is short, and good
solutions are alike.
"""

import keyword
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path

import numpy as np
from markupsafe import Markup, escape
from rapidfuzz.distance import Indel, Levenshtein
from rapidfuzz.process import cdist

from autograder.report import html
from autograder.report.model import clean

# Idiomatic modules without a comment, put together from independent pieces, are alike to 0.86 at most, with the names
# set aside to 0.91; those that share two pieces of four by chance, to 0.93 and 0.96 in nineteen of twenty.
THRESHOLD = 0.95
RENAMED_THRESHOLD = 0.98  # with the names of variables set aside
MIN_TOKENS = 40  # of its own: below, there is nothing to compare
MOST_PAIRS = 200

# A module of this assignment has some 10 KiB and 500 tokens. What has more than these is compared with nobody.
_MAX_BYTES = 128 * 1024
_MAX_TOKENS = 4000
# What is shown of a module, beside another.
_MAX_LINES = 2000
_MAX_WIDTH = 300

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


@dataclass(frozen=True)
class Pair:
    """Two students whose modules are nearly the same.

    Attributes:
        similarity: the share of the tokens that stand in both in the same order, 0 to 1.
        identical: whether nothing but white space differs.
        renamed: whether they are this alike only with the names of variables set aside.
        page: the link to the page with the two side by side, relative to the class page and percent-encoded;
            `dataclasses.replace` sets it.
    """

    first: str
    second: str
    similarity: float
    identical: bool
    renamed: bool = False
    page: str | None = None


def similar_pairs(
    sources: Mapping[str, bytes], blank: str, threshold: float = THRESHOLD, most: int = MOST_PAIRS
) -> list[Pair]:
    """The pairs of students whose modules are alike to at least `threshold`, most similar first.

    Arguments:
        sources: each student's module, as it was handed in, in any encoding or none.
        blank: the fill-in module; its lines count for nobody.
        threshold: the similarity with names and comments as they are. With the names of variables blanked, it takes
            `RENAMED_THRESHOLD` if that is higher.
        most: how many pairs to give at most: a whole class may share one source.

    Modules with fewer than `MIN_TOKENS` tokens of their own, and those in `too_long`, are compared with nobody.
    """
    given = _lines_of(blank)
    tokens = {student: _own_tokens(source, given) or [] for student, source in sources.items()}
    students = [student for student, own in tokens.items() if len(own) >= MIN_TOKENS]
    if len(students) < 2:
        return []
    renamed_threshold = max(threshold, RENAMED_THRESHOLD)
    as_written = [_encoded(token.text for token in tokens[student]) for student in students]
    blanked = [_encoded("name" if token.is_name else token.text for token in tokens[student]) for student in students]
    kept = _similarities(as_written, threshold)
    renamed = _similarities(blanked, renamed_threshold)
    best = np.triu(np.maximum(kept, renamed), 1)
    firsts, seconds = np.nonzero(best)
    ranked = np.lexsort((seconds, firsts, -best[firsts, seconds]))[:most]
    return [
        Pair(
            first=students[i],
            second=students[j],
            similarity=round(float(best[i, j]), 4),
            identical=as_written[i] == as_written[j],
            renamed=not kept[i, j],
        )
        for i, j in zip(firsts[ranked], seconds[ranked], strict=True)
    ]


def _similarities(sequences: list[str], cutoff: float) -> np.ndarray:
    """All pairs at once; 0 below the cut-off. RapidFuzz passes over most of those by length or early on."""
    return cdist(sequences, sequences, scorer=Indel.normalized_similarity, score_cutoff=cutoff, dtype=np.float32)


@dataclass(frozen=True)
class _Token:
    line: int  # from 1
    text: str
    is_name: bool = False  # of a variable, which renaming would change


def too_long(sources: Mapping[str, bytes], blank: str) -> list[str]:
    """The students whose modules are too long to be compared: a person has to look at those."""
    given = _lines_of(blank)
    return [student for student, source in sources.items() if _own_tokens(source, given) is None]


def _own_tokens(source: bytes, given: frozenset[str]) -> list[_Token] | None:
    """The words and signs that the student wrote, those on a line of the hand-out left out; None if too many."""
    text = _decoded(source)
    is_given = [_squeezed(line) in given for line in text.split("\n")]
    own = list(islice((token for token in _tokens(text) if not is_given[token.line - 1]), _MAX_TOKENS + 1))
    return None if len(own) > _MAX_TOKENS or len(source) > _MAX_BYTES else own


def _tokens(text: str) -> Iterator[_Token]:
    """The words and signs of a source, comments and strings word by word; whether Python can read it or not."""
    line, end, attribute = 1, 0, False
    for lexeme in _LEXEME.finditer(text):
        line += text.count("\n", end, lexeme.start())
        end = lexeme.start()
        if word := lexeme["word"]:
            # What follows a dot belongs to a library or to the hand-out, and renaming it would break the module.
            yield _Token(line, word, not attribute and not word[0].isdigit() and not keyword.iskeyword(word))
        else:
            for number, piece in enumerate(lexeme[0].split("\n"), line):
                yield from (_Token(number, each) for each in _WORD.findall(piece))
        attribute = lexeme[0] == "."


def _decoded(source: bytes) -> str:
    """The beginning of a source, its line ends as Python takes them. What cannot be decoded is shown as such."""
    source = source[:_MAX_BYTES]
    named = _CODING.search(b"\n".join(source[:1000].split(b"\n")[:2]))
    encoding = re.sub(r"[-_.]", "", named[1].decode("ascii", "replace").lower()) if named else "utf8"
    text = source.decode(_ENCODINGS.get(encoding, "utf-8-sig"), errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _lines_of(text: str) -> frozenset[str]:
    return frozenset(_squeezed(line) for line in text.splitlines())


def _squeezed(line: str) -> str:
    return " ".join(line.split())


def _encoded(tokens: Iterator[str]) -> str:
    """One character a token, which RapidFuzz compares fastest. Two tokens in a million share theirs."""
    codes = (zlib.crc32(token.encode("utf-8", "replace")) % 0x10F000 for token in tokens)
    return "".join(chr(code if code < 0xD800 else code + 0x800) for code in codes)  # passing over the surrogates


def side_by_side(first: tuple[str, bytes], second: tuple[str, bytes], blank: str) -> str:
    """A page with two modules beside each other, each given as the student and the source, for a person to judge.

    Lines of `blank`, the fill-in module, are greyed. The lines are matched by RapidFuzz:
    `difflib.HtmlDiff` can be kept busy for hours by sources written for that.
    """
    sides = [_decoded(source).rstrip("\n").split("\n") for _, source in (first, second)]
    left, right = ([clean(line, _MAX_WIDTH) for line in side[:_MAX_LINES]] for side in sides)
    return html.page(
        "pair.html.j2",
        ["page.css.j2", "pair.css.j2"],
        Path(__file__).parent,
        students=[clean(student, 200) for student, _ in (first, second)],
        rows=list(_rows(left, right, _lines_of(blank))),
        cut=any(len(side) > _MAX_LINES or max(map(len, side)) > _MAX_WIDTH for side in sides),
    )


@dataclass(frozen=True)
class _Line:
    number: int
    text: Markup  # with the words marked that differ from the line beside it
    kind: str  # "given" by the hand-out, "same" as in the other module, or "own"


def _rows(left: list[str], right: list[str], given: frozenset[str]) -> Iterator[tuple[_Line | None, _Line | None]]:
    """The lines of the two modules, matched so that the fewest differ; white space does not count."""
    squeezed = [_squeezed(line) for line in left], [_squeezed(line) for line in right]

    def line(side: int, index: int, text: Markup, same: bool) -> _Line:
        kind = "given" if squeezed[side][index] in given else "same" if same else "own"
        return _Line(index + 1, text, kind)

    i = j = 0
    # The runs of lines that both have, and an empty one at the end; what stands between two runs is set side by side.
    for block in Indel.editops(*squeezed).as_matching_blocks():
        for at, beside in zip_longest(range(i, block.a), range(j, block.b)):
            if at is None or beside is None:
                yield (
                    None if at is None else line(0, at, escape(left[at]), False),
                    None if beside is None else line(1, beside, escape(right[beside]), False),
                )
            else:
                texts = _marked(left[at], right[beside])
                yield line(0, at, texts[0], False), line(1, beside, texts[1], False)
        i, j = block.a + block.size, block.b + block.size
        for at, beside in zip(range(block.a, i), range(block.b, j), strict=True):
            yield line(0, at, escape(left[at]), True), line(1, beside, escape(right[beside]), True)


def _marked(left: str, right: str) -> tuple[Markup, Markup]:
    """Two lines with the words marked that differ."""
    words = [re.findall(r"\w+|\s+|[^\w\s]", line) for line in (left, right)]
    marked = [Markup(), Markup()]
    for step in Levenshtein.opcodes(*words):
        form = Markup("{}" if step.tag == "equal" else "<mark>{}</mark>")
        for side, (start, end) in enumerate(((step.src_start, step.src_end), (step.dest_start, step.dest_end))):
            if start < end:
                marked[side] += form.format("".join(words[side][start:end]))
    return marked[0], marked[1]
