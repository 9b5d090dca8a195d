"""Two modules next to each other on one page, for a person to judge."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from markupsafe import Markup, escape
from rapidfuzz.distance import Indel, Levenshtein

from autograder.classroom.tokens import lines_of, squeezed
from autograder.report import html
from autograder.report.model import clean
from autograder.submissions.source import decoded

MAX_LINES = 2000
MAX_WIDTH = 300


def side_by_side(first: tuple[str, bytes], second: tuple[str, bytes], blank: str) -> str:
    """A page with two modules next to each other, each given as the student and the source, for a person to judge.

    Lines of `blank`, the fill-in module, are grayed. The lines are matched by RapidFuzz:
    `difflib.HtmlDiff` can be kept busy for hours by sources written for that.
    """
    sides = [decoded(source).rstrip("\n").split("\n") for _, source in (first, second)]
    left, right = ([clean(line, MAX_WIDTH) for line in side[:MAX_LINES]] for side in sides)
    return html.page(
        "pair.html.j2",
        ["page.css.j2", "pair.css.j2"],
        Path(__file__).parent,
        students=[clean(student, 200) for student, _ in (first, second)],
        rows=list(_rows(left, right, lines_of(blank))),
        cut=any(len(side) > MAX_LINES or max(map(len, side)) > MAX_WIDTH for side in sides),
    )


@dataclass(frozen=True)
class _Line:
    number: int
    text: Markup  # with the words marked that differ from the line next to it
    kind: str  # "given" by the handout, "same" as in the other module, or "own"


def _rows(left: list[str], right: list[str], given: frozenset[str]) -> Iterator[tuple[_Line | None, _Line | None]]:
    """The lines of the two modules, matched so that the fewest differ; white space does not count."""
    plain = [squeezed(line) for line in left], [squeezed(line) for line in right]

    def line(side: int, index: int, text: Markup, same: bool) -> _Line:
        kind = "given" if plain[side][index] in given else "same" if same else "own"
        return _Line(index + 1, text, kind)

    i = j = 0
    # The runs of lines that both have, and an empty one at the end; what stands between two runs is set side by side.
    for block in Indel.editops(*plain).as_matching_blocks():
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
