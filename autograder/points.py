"""Points, exact to the hundredth: checks sum to their part, and parts to the total.

Inside, points are whole hundredths. Outside, they are floats, each the nearest to its decimal.
"""

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

MOST = 1_000_000  # far below where floats no longer tell hundredths apart
_UNITS = 100  # in a point
_QUARTER = _UNITS // 4


def exact(points: float) -> float:
    """`points` whole, or as the nearest float to a decimal with two places; ValueError if they are not valid."""
    try:
        value = float(points)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{points!r} is not a number of points") from None
    if not 0 < value <= MOST:  # NaN neither
        raise ValueError(f"{value:g} points: write a number above 0, at most {MOST}")
    rounded = round(value, 2)
    if not (rounded and math.isclose(value, rounded, rel_tol=1e-12)):
        raise ValueError(f"{value!r} points are too fine: write at most two decimal places")
    return int(rounded) if rounded.is_integer() else rounded


def total(values: Iterable[float]) -> float:
    """The sum of points, rounded once; an integer if all of them are."""
    values = list(values)
    return sum(values) if all(isinstance(value, int) for value in values) else round(math.fsum(values), 2)


def split(points: float, weights: Sequence[float]) -> list[float]:
    """Share out `points` by `weights` so that the shares sum to them exactly.

    Shares are quarters of a point, which floats add exactly in any program; or hundredths, if the points are not
    quarters or there are too few. Shares are rounded down, those with the largest remainders up. Each weight above 0
    gets a share, as long as there is a hundredth for each.

    ValueError if a weight is negative or not a number, or if all are 0.
    """
    if not (all(0 <= weight < math.inf for weight in weights) and any(weights)):
        raise ValueError(f"weights must not be negative, and not all 0: {', '.join(map(str, weights)) or 'none'}")
    due = round(points * _UNITS)
    exactly = [Fraction(str(weight)) for weight in weights]
    whole = sum(exactly)
    quarters = due % _QUARTER == 0 and due // _QUARTER >= sum(weight > 0 for weight in weights)
    unit = _QUARTER if quarters else 1
    counts = _apportion(due // unit, [due // unit * weight / whole for weight in exactly])
    return [unit * count / _UNITS for count in counts]


def _apportion(seats: int, shares: Sequence[Fraction]) -> list[int]:
    """Whole numbers close to `shares` that sum to `seats`: the largest remainders are rounded up (Hamilton, 1792)."""
    counts = [math.floor(share) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda index: counts[index] - shares[index])
    for index in by_remainder[: seats - sum(counts)]:
        counts[index] += 1
    for index, share in sorted(enumerate(shares), key=lambda each: each[1], reverse=True):
        richest = max(range(len(shares)), key=lambda other: (counts[other], counts[other] - shares[other]))
        if share > 0 and counts[index] == 0 and counts[richest] > 1:
            counts[index], counts[richest] = 1, counts[richest] - 1
    return counts


def rescaled(score: float, most: float, to: float) -> float:
    """`score` of `most` points, scaled to `to` points: full marks stay full, and nothing exceeds `to`."""
    if score >= most:
        return to
    return min(round(score * to / most, 2), to)


def shown(points: float) -> str:
    """Points as people write them, with all decimal places: `15`, `12.5`, `7.25`."""
    return repr(float(points)).removesuffix(".0")
