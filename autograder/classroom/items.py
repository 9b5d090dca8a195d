"""How well the checks of an assignment tell students apart: classical item analysis.

Formulas: the corrected item-total correlation is Pearson's r between the points of a check and the points of all
others (Nunnally & Bernstein, Psychometric Theory, 1994, section 8). Cronbach's alpha of k checks is
k/(k−1) · (1 − Σ s²(check) / s²(total)) (Cronbach, Psychometrika 16, 1951).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograder.report.model import Report

SMALL = 20  # submissions, below which counts stand in place of percentages, and correlations say little
LOW = 0.1  # a discrimination below this is worth a look

Item = tuple[str, str]  # a check, by the names of its part and its own


@dataclass(frozen=True)
class Analysis:
    """What the checks say together.

    Attributes:
        discrimination: of each check; None where all students, or all totals, are alike.
        alpha: of the whole; None where it is not defined.
    """

    discrimination: dict[Item, float | None]
    alpha: float | None
    students: int

    @property
    def said(self) -> str:
        """What to make of it, for staff."""
        if self.students < SMALL:
            return ""
        if self.alpha is None:
            return "Cronbach’s α is not defined here: the points do not differ."
        if self.alpha >= 0.9:
            meaning = "Totals are very consistent. Some checks may measure the same thing twice."
        elif self.alpha >= 0.7:
            meaning = "Totals are consistent enough to compare students."
        else:
            meaning = "Totals depend much on which checks there are: do not read small differences as skill."
        return (
            f"Cronbach’s α is {self.alpha:.2f}. {meaning} Checks that build on each other raise α. A check with a "
            f"discrimination below {LOW} is lost by strong students as often as by others: see whether it is fair."
        )


def analyze(reports: Sequence[Report]) -> Analysis:
    """The item analysis of the reports on graded submissions.

    A check that only few reports have, as where the grading was stopped, is no item; where it is missing, its points
    were lost.
    """
    points = [{(part.name, check.name): check.score for part in report.parts for check in part.checks}
              for report in reports]  # fmt: skip
    known = Counter(item for each in points for item in each)
    items = [item for item, count in known.items() if 2 * count >= len(reports)]
    table = np.array([[each.get(item, 0.0) for item in items] for each in points]).reshape(len(reports), len(items))
    totals = table.sum(axis=1)
    found = {item: _correlation(column, totals - column) for item, column in zip(items, table.T, strict=True)}
    return Analysis(found, _alpha(table), len(reports))


def _correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.corrcoef(one, other)[0, 1])


def _alpha(table: np.ndarray) -> float | None:
    students, items = table.shape
    if students < 3 or items < 2:
        return None
    whole = table.sum(axis=1).var(ddof=1)
    return float(items / (items - 1) * (1 - table.var(axis=0, ddof=1).sum() / whole)) if whole > 0 else None
