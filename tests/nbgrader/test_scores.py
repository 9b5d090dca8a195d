"""nbgrader takes the score of each part, whatever its points, and adds up to the report's."""

import os
import sysconfig
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook
from nbgrader.utils import determine_grade

from autograder.assignment import load
from autograder.platforms.nbgrader.grades import result
from autograder.points import split
from autograder.report.model import Check, Outcome, PartReport, Report

ASSIGNMENT = load()
points = st.integers(1, 100).map(lambda units: units / 2) | st.integers(1, 9999).map(lambda units: units / 100)
weights = st.lists(st.integers(1, 20), min_size=1, max_size=8)


@st.composite
def parts(draw: st.DrawFn) -> PartReport:
    worth = draw(points)
    checks = [
        Check("a check", Outcome.PASSED if right else Outcome.FAILED, share * right, share)
        for share in split(worth, draw(weights))
        for right in [draw(st.booleans())]
    ]
    return PartReport("part", worth, checks)


def recorded(part: PartReport, worth: float) -> tuple[float, float]:
    """The score and the points that nbgrader takes from the cell of a part that is worth so many points there."""
    report = Report.of(ASSIGNMENT, parts=[part])
    claims: dict[str, Any] = {"grade": True, "solution": False, "points": worth, "grade_id": "part"}
    cell = new_code_cell("", metadata={"nbgrader": claims}, outputs=[result(part, report, worth)])
    score, most = determine_grade(cell)
    assert score is not None
    return score, most


@given(parts())
def test_nbgrader_reads_the_score_to_the_last_digit(part: PartReport) -> None:
    assert recorded(part, part.max_score) == (part.score, part.max_score)


@given(parts(), st.floats(0.01, 200) | points | st.just(0.0))
def test_nbgrader_accepts_points_that_a_ta_changed(part: PartReport, worth: float) -> None:
    score, most = recorded(part, worth)
    assert 0 <= score <= most == worth
    for check in part.checks:
        check.score, check.outcome = check.max_score, Outcome.PASSED
    assert recorded(part, worth) == (worth, worth)


@pytest.fixture(scope="module")
def book() -> Iterator[Gradebook]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", sysconfig.get_path("scripts"), prepend=os.pathsep)  # nbgrader runs alembic by name
        gradebook = Gradebook("sqlite:///:memory:")
    with gradebook:
        gradebook.add_student("ada")
        yield gradebook


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # of nbgrader's own
@settings(max_examples=10)
@given(st.lists(parts(), min_size=2, max_size=7), st.uuids())
def test_the_gradebook_adds_up_to_the_report(book: Gradebook, reported: list[PartReport], name: UUID) -> None:
    named = [replace(part, name=f"part {index}") for index, part in enumerate(reported)]
    report = Report.of(ASSIGNMENT, parts=named)
    homework = str(name)
    book.update_or_create_assignment(homework)
    book.update_or_create_notebook("nb", homework)
    for part in named:
        book.update_or_create_grade_cell(part.name, "nb", homework, max_score=part.max_score, cell_type="code")
    submission = book.update_or_create_submission(homework, "ada")
    for part in named:
        book.find_grade(part.name, "nb", homework, "ada").auto_score, _ = recorded(part, part.max_score)
    book.db.commit()
    # The database adds floats: what it gives is right to the last digit that points have.
    assert round(Decimal(submission.score), 2) == Decimal(str(report.score))
    assert round(Decimal(submission.max_score), 2) == Decimal(str(report.max_score))
