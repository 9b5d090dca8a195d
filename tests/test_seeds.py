"""The reference gets all points whatever the seed, and the blank fill-in none."""

from pathlib import Path

import pytest

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.grading.grade import grade_source
from autograder.sandbox.client import Sandbox

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
        assert part.checks[0].message.startswith("Not written yet")
        assert all("Traceback" not in check.message for check in part.checks)
