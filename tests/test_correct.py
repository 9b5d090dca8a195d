"""Whatever style correct code is written in, it gets full marks."""

from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from submissions.correct import CORRECT
from submissions.side_by_side import Pool, grade_correct, selected

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.report.model import Outcome, Report


@pytest.fixture(scope="module")
def reports(request: pytest.FixtureRequest) -> Iterator[dict[str, Future]]:
    pool = Pool()
    yield pool.submit(grade_correct, selected(request, "name"))
    pool.close()


@pytest.mark.parametrize("name", CORRECT)
def test_full_marks(name: str, reports: dict[str, Future]) -> None:
    report: Report = reports[name].result()
    lost = [
        f"{part.name}: {check.name}: {check.outcome} {check.message}"
        for part in report.parts
        for check in part.checks
        if check.outcome is not Outcome.PASSED
    ]
    assert (report.error, lost) == (None, [])
    assert report.score == report.max_score == CVAE.points


@pytest.mark.parametrize("name", ["trains-at-import", "plots-at-import", "plain"])
def test_work_at_import_is_noted(name: str, reports: dict[str, Future]) -> None:
    noted = any("Importing your module runs the loop in line" in note for note in reports[name].result().notes)
    assert noted == name.endswith("at-import")


def test_there_are_many_styles() -> None:
    assert len(set(CORRECT.values())) == len(CORRECT) >= 36
