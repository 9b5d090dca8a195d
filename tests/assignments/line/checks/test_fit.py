"""Both parts of a fit, on points that scatter about a line."""

import pytest
from torch import Tensor

from autograder.assignments.line.hints.bank import diagnose
from autograder.assignments.line.solution.line import fit
from autograder.grading.harness import Challenge, check, close, fail, only, require_shape
from autograder.sandbox.client import Submission


class Fit:
    """One fit of the submission's: its arguments, and what came back."""

    def __init__(self, submission: Submission, challenge: Challenge, scatter: float = 1.0, count: int = 50) -> None:
        self.x = challenge.uniform(1, 3, count)
        self.y = challenge.uniform(2, 4, 1) * self.x + challenge.uniform(5, 9, 1) + scatter * challenge.normal(count)
        outputs = submission.call("fit", self.x, self.y).outputs
        self.found = require_shape(only(outputs, "fit"), (2,), "The result of fit")

    def judge(self, actual: Tensor, expected: Tensor, what: str) -> None:
        if not close(actual, expected):
            fail(f"The {what} is {actual:.2f} where {expected:.2f} fits best.", diagnose(self.x, self.y, self.found))


@pytest.mark.slope
@check("The slope of points on a line", 1, worked_example=True)
def test_slope_exact(submission: Submission, challenge: Challenge) -> None:
    line = Fit(submission, challenge, scatter=0.0)
    line.judge(line.found[0], fit(line.x, line.y)[0], "slope")


@pytest.mark.slope
@check("The slope of points that scatter", 2)
def test_slope(submission: Submission, challenge: Challenge) -> None:
    line = Fit(submission, challenge)
    line.judge(line.found[0], fit(line.x, line.y)[0], "slope")


@pytest.mark.intercept
@check("The line runs through the points' center", 1)
def test_intercept(submission: Submission, challenge: Challenge) -> None:
    line = Fit(submission, challenge)
    line.judge(line.found[1], line.y.mean() - line.found[0] * line.x.mean(), "intercept")
