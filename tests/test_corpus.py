"""Grading is not mistaken about a corpus of modules made by rule: see `corpus`, whose command prints the figures."""

from pathlib import Path

import pytest

from tests.corpus import measure
from tests.corpus.measure import Finding, Module

TENTH_SEED = 10
# A few of each kind where seconds count; `make corpus` grades them all.
FEW = 7


def mistakes(findings: list[Finding]) -> list[Finding]:
    return [each for each in findings if each.mistaken]


def every(count: int, modules: list[Module]) -> list[Module]:
    return modules[count // 2 :: count]


def test_a_sample_is_graded_right(tmp_path: Path) -> None:
    wrong, correct = measure.wrong_modules(), measure.correct_modules()
    sample = every(len(wrong) // FEW, wrong) + every(len(correct) // FEW, correct)
    findings = list(measure.measure(sample, [0], tmp_path, processes=2))
    assert not mistakes(findings)
    assert sum(each.wrong for each in findings) > FEW // 2


@pytest.mark.exhaustive
@pytest.mark.parametrize("modules", [measure.wrong_modules, measure.hand_made, measure.pairs, measure.correct_modules])
def test_the_whole_corpus_is_graded_right(modules: object, tmp_path: Path) -> None:
    findings = list(measure.measure(modules(), range(TENTH_SEED), tmp_path))  # type: ignore[operator]
    assert not mistakes(findings)
    wrong = [each for each in findings if each.wrong]
    assert sum(each.hints_right for each in wrong) >= 0.8 * len(wrong)


def test_no_two_modules_of_the_corpus_are_the_same() -> None:
    for modules in (measure.wrong_modules(), measure.correct_modules()):
        assert len({module.source for module in modules}) == len(modules)
