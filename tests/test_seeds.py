"""The reference gets all points with any seed, the blank fill-in none, and a mistake costs the same with each."""

from pathlib import Path

import pytest

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.grading.grade import grade_source
from autograder.sandbox.client import Sandbox
from tests.submissions.correct import encoded
from tests.submissions.thinned import thinned
from tests.submissions.wrong import WRONG, Wrong, source

ROOT = Path(__file__).parents[1]


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
    with Sandbox() as sandbox:
        reports = [grade_source(wrong.name, encoded(source(wrong)), sandbox, seed=seed) for seed in range(100, 104)]
    verdicts = [
        {(part.name, check.name): (check.score, check.misconceptions) for part in each.parts for check in part.checks}
        for each in reports
    ]
    assert [each for each in verdicts if each != verdicts[0]] == []
