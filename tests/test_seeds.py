"""The reference gets all points with any seed, the blank fill-in none, and a mistake costs the same with each."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.grading.grade import grade_source
from autograder.grading.harness import Challenge
from autograder.sandbox.client import Sandbox
from tests.submissions.correct import encoded
from tests.submissions.thinned import thinned
from tests.submissions.wrong import WRONG, Wrong, source

ROOT = Path(__file__).parents[1]
# Mistakes that some numbers show and others do not: a class that is absent, a bound that is passed.
SHOWN_BY_SOME_INPUTS = (
    "classes-counted-in-the-minibatch",
    "kl-held-at-a-capacity",
    "logvariances-bounded-from-above",
    "originals-drawn-as-bits",
)


@pytest.mark.parametrize("seeds", [range(10), pytest.param(range(10, 200), marks=pytest.mark.exhaustive)], ids=str)
def test_the_reference_gets_all_points_with_any_seed(seeds: range) -> None:
    source = CVAE.solution.read_bytes()
    with Sandbox() as sandbox:
        scores = {seed: grade_source("reference", source, sandbox, seed=seed).score for seed in seeds}
    assert scores == dict.fromkeys(seeds, CVAE.points)


def test_the_fill_in_gets_no_points_and_friendly_words() -> None:
    with Sandbox() as sandbox:
        report = grade_source("blank", (ROOT / "cs5814_vae.py").read_bytes(), sandbox)
    assert (report.score, report.max_score, report.error) == (0, CVAE.points, None)
    for part in report.parts:
        assert part.checks[0].message.startswith(("Not written yet", "Not reached yet"))
        assert all("Traceback" not in check.message for check in part.checks)


@pytest.mark.parametrize("wrong", thinned(WRONG))
def test_a_mistake_costs_the_same_with_each_seed(wrong: Wrong) -> None:
    assert_alike(wrong, range(100, 104))


@pytest.mark.slow
@pytest.mark.parametrize("name", SHOWN_BY_SOME_INPUTS)
def test_what_some_inputs_show_is_seen_with_each_seed(name: str) -> None:
    assert_alike(next(wrong for wrong in WRONG if wrong.name == name), range(5000, 5020))


def assert_alike(wrong: Wrong, seeds: range) -> None:
    with Sandbox() as sandbox:
        reports = [grade_source(wrong.name, encoded(source(wrong)), sandbox, seed=seed) for seed in seeds]
    verdicts = [
        {(part.name, check.name): (check.score, check.misconceptions) for part in each.parts for check in part.checks}
        for each in reports
    ]
    assert [each for each in verdicts if each != verdicts[0]] == []


@given(st.integers(0, 2**53), st.integers(1, 40), st.integers(1, 12))
def test_every_minibatch_holds_the_classes_alike(seed: int, count: int, categories: int) -> None:
    rows = Challenge(seed, "classes").one_hot(count, categories)
    assert rows.sum(1).tolist() == [1] * count
    assert rows.sum(0).max() - rows.sum(0).min() <= 1
