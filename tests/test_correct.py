"""Whatever style correct code is written in, it gets full marks."""

import re
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.report.model import Outcome, Report
from tests.submissions.correct import CORRECT, SAYS
from tests.submissions.side_by_side import Pool, grade_correct, selected


@pytest.fixture(scope="module")
def reports(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Report]]]:
    pool = Pool()
    yield pool.submit(grade_correct, selected(request, "name"))
    pool.close()


@pytest.mark.parametrize("name", CORRECT)
def test_full_marks(name: str, reports: dict[str, Future[Report]]) -> None:
    report = reports[name].result()
    lost = [
        f"{part.name}: {check.name}: {check.outcome} {check.message}"
        for part in report.parts
        for check in part.checks
        if check.outcome is not Outcome.PASSED
    ]
    assert (report.error, lost) == (None, [])
    assert report.score == report.max_score == CVAE.points


@pytest.mark.parametrize("name", CORRECT)
def test_work_at_import_is_noted(name: str, reports: dict[str, Future[Report]]) -> None:
    noted = "\n".join(reports[name].result().notes)
    assert re.search(SAYS[name], noted) if name in SAYS else "Importing your module" not in noted
