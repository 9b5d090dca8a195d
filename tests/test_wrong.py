"""A mistake costs the part that it belongs to, no other, and is called by its name and by no other."""

import re
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.grading.hints import bank
from autograder.report.model import Outcome, Report
from tests.submissions.side_by_side import Pool, grade_wrong, selected
from tests.submissions.wrong import WRONG, Wrong, source


@pytest.fixture(scope="module")
def reports(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Report]]]:
    pool = Pool()
    yield pool.submit(grade_wrong, [wrong.name for wrong in selected(request, "wrong")])
    pool.close()


def misconceptions(wrong: Wrong) -> set[str]:
    return set((wrong.misconception or "").split())


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_loses_the_right_part_and_gets_the_right_hints_only(wrong: Wrong, reports: dict[str, Future[Report]]) -> None:
    report: Report = reports[wrong.name].result()
    told = "\n".join(
        f"{part.name}: {check.name}: {check.outcome} {check.message} {check.misconceptions}"
        for part in report.parts
        for check in part.checks
        if check.outcome is not Outcome.PASSED
    )
    lost = {part.name for part in report.parts if part.score < part.max_score}
    assert lost, "it gets full marks"
    assert wrong.loses <= lost <= wrong.loses | wrong.may_lose, told
    assert wrong.says in told
    named = {name for part in report.parts for check in part.checks for name in check.misconceptions}
    assert named == misconceptions(wrong), told
    for part in report.parts[:2]:  # the networks, whose mistakes no other section teaches
        sections = {
            said for check in part.checks for each in check.hints for said in re.findall("Read “(.*)”", each.text)
        }
        assert sections <= {part.section}, told
    failed = [check for part in report.parts if part.name in wrong.loses for check in part.checks if check.score == 0]
    assert len(failed) == (wrong.checks or len(failed)), told


def test_every_misconception_is_made_by_a_module() -> None:
    assert set().union(*map(misconceptions, WRONG)) == set(bank(CVAE))


def test_no_two_modules_are_the_same() -> None:
    assert len({source(wrong) for wrong in WRONG}) == len({wrong.name for wrong in WRONG}) == len(WRONG)
