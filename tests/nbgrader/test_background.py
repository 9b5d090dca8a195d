"""A class that is graded in the background: one report for each module, and an end with the command."""

import threading
import time
from pathlib import Path

import pytest

from autograder.assignment import Assignment
from autograder.grading import GraderError
from autograder.grading.results import Results
from autograder.platforms.nbgrader import background
from autograder.platforms.nbgrader.background import Background

GOOD = [f"x = {number}".encode() for number in range(8)]


@pytest.fixture
def results(tmp_path: Path, fragile: Assignment) -> Results:
    return Results(tmp_path / "reports", fragile)


def test_each_module_has_its_report_in_any_order(results: Results) -> None:
    with Background(results, GOOD, workers=2) as graded:
        reports = [graded.report(source) for source in reversed([*GOOD, b"y = 1"])]
        assert graded.report(GOOD[0]) is reports[-1]
    assert [report.sha256 for report in reversed(reports)] == [
        results.find(source).sha256  # type: ignore[union-attr]
        for source in [*GOOD, b"y = 1"]
    ]
    with Background(results, GOOD) as kept, Background(results, GOOD[:1], reuse=False) as anew:
        seeds = {each.report(GOOD[0]).seed for each in (kept, anew)}
    assert seeds >= {reports[-1].seed}
    assert len(seeds) == 2


def test_a_module_that_breaks_the_grader_costs_no_other(results: Results) -> None:
    sources = [b"die = 1", *GOOD[:3]]
    with Background(results, sources, workers=1) as graded:
        assert [graded.report(source).score for source in GOOD[:3]] == [10, 10, 10]
        for _ in range(2):
            with pytest.raises(GraderError, match="ended by itself"):
                graded.report(b"die = 1")
    assert results.find(b"die = 1") is None


def test_nobody_waits_for_one_that_hangs(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "PATIENCE_S", 0.5)
    before = set(threading.enumerate())
    with Background(results, [b"hang = 1", *GOOD[:3]], workers=1) as graded:
        assert [graded.report(source).score for source in GOOD[:3]] == [10, 10, 10]
        started = time.monotonic()
    assert time.monotonic() - started < 10
    assert not [each for each in threading.enumerate() if each not in before]
