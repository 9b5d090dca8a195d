"""The mistakes that have a name, each with what it would return."""

from torch import Tensor

from autograder.assignments.line.solution.line import fit
from autograder.grading.harness import close
from autograder.grading.hints import Misconception

MISCONCEPTIONS = {
    each.name: each
    for each in (
        Misconception("coordinates-exchanged", "slope", "x and y changed places: the distances are vertical, along y."),
        Misconception("through-the-origin", "intercept", "Your line runs through the origin. Which term is zero?"),
        Misconception("results-exchanged", "slope", "The intercept came first: return the slope before it."),
    )
}


def diagnose(x: Tensor, y: Tensor, found: Tensor) -> str | None:
    """The mistake that gives what was found, if one does."""
    origin = (x * y).sum() / (x * x).sum()
    predicted = {
        "coordinates-exchanged": fit(y, x),
        "through-the-origin": origin * found.new_tensor([1.0, 0.0]),
        "results-exchanged": fit(x, y).flip(0),
    }
    return next((name for name, expected in predicted.items() if close(found, expected)), None)
