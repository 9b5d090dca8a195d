"""Checks for line.py that you can run as often as you like: pytest public_checks.py."""

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

X = torch.tensor([0.0, 1.0, 2.0, 3.0])


def _is(index: int, expected: float) -> Callable[[], str]:
    def hint() -> str:
        found = runpy.run_path(str(Path(__file__).with_name("line.py")))["fit"](X, 2 * X + 1)
        return "" if abs(float(found[index]) - expected) < 1e-4 else f"fit gives {found.tolist()} for y = 2x + 1."

    return hint


CHECKS = {"slope": [("The slope is 2", _is(0, 2))], "intercept": [("The intercept is 1", _is(1, 1))]}


def outcomes(part: str) -> Iterator[tuple[str, str, int | None]]:
    """What holds, or the hint why not, for each check of a part."""
    for label, hint in CHECKS[part]:
        try:
            yield label, hint(), None
        except Exception as error:
            yield label, str(error), None


@pytest.mark.parametrize("part", CHECKS)
def test_part(part: str) -> None:
    assert not [hint for _, hint, _ in outcomes(part) if hint]
