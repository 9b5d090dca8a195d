"""Every hint keeps the form that students can read, and every mistake that anything names has one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import autograder
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.hints import draws, loss
from autograder.assignments.cvae.hints.bank import CAUSES
from autograder.grading.hints import Misconception, bank, hint

BANK = bank(CVAE)
# Words that readers stumble over, and British spellings.
NOT_OURS = re.compile(
    r"\b(mend\w*|beside|whatever|whichever|of its own|is asked for|are due|colour|centred?"
    r"|(recogn|initial|normal|regular|optim|general)is(e|ed|es|ing|ation))\b"
)
LONGEST_SENTENCE = 30  # words: a list of things to look for may be this long


@pytest.mark.parametrize("each", BANK.values(), ids=BANK)
def test_a_hint_has_a_short_title_and_a_text_of_its_length(each: Misconception) -> None:
    assert 2 <= len(each.title.split()) <= 10
    assert not each.title.endswith((".", ":"))
    assert 25 <= len(each.text.split()) <= 100
    assert "?" in each.text


@pytest.mark.parametrize("each", BANK.values(), ids=BANK)
def test_a_hint_is_in_plain_american_english(each: Misconception) -> None:
    said = f"{each.title}. {each.text}"
    assert not NOT_OURS.findall(said)
    sentences = re.split(r"(?<=[.?:])\s", said)
    assert max(len(sentence.split()) for sentence in sentences) <= LONGEST_SENTENCE


def test_no_hint_holds_a_line_of_the_solution() -> None:
    lines = {line.split("#")[0].strip() for line in CVAE.solution.read_text("utf-8").splitlines()}
    answers = {line for line in lines if re.search(r"[=(]", line) and len(line) > 15}
    assert answers
    for each in BANK.values():
        assert not [answer for answer in answers if answer in each.text]


def test_a_hint_on_the_assignment_ends_with_the_section_to_read() -> None:
    for name, each in BANK.items():
        if each.part is not None:
            assert hint(CVAE, name).text.endswith(f"Read “{CVAE.part(each.part).section}” in the notebook.")


def predicted() -> Iterator[str]:
    """The mistakes that predictions name."""
    yield from (each.mistake for each in draws.DRAWS)
    for terms in (loss.RECONSTRUCTIONS, loss.DIVERGENCES, loss.REDUCTIONS):
        for term in terms:
            yield from term.mistakes
    yield from (each.mistake for each in (*loss.KL_FEATURES, *loss.RECONSTRUCTION_FEATURES))


def test_every_prediction_is_of_a_mistake_in_the_bank() -> None:
    assert set(predicted()) <= set(BANK)


def test_every_name_in_the_bank_is_used() -> None:
    """Names are literals, so that a search finds them; only the part that begins some is put in front."""
    used = {name for _, name in CAUSES}
    package = Path(autograder.__file__).parent
    for path in (*(package / "grading").glob("*.py"), *CVAE.folder.rglob("*.py")):
        if path.name not in ("bank.py", "hints.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    used.add(node.value)
                    used |= {f"{before}{node.value}" for before in ("encoder", "decoder", "kl", "reconstruction")}
    assert set(BANK) <= used
