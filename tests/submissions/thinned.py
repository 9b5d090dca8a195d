"""Parameters of a test that takes too long for every submission: some in each run, all of them when asked."""

from collections.abc import Iterable

import pytest
from _pytest.mark.structures import ParameterSet

from . import wrong


def thinned(cases: Iterable[str | wrong.Wrong]) -> list[ParameterSet]:
    """All cases, of which every fortieth is quick enough in sum for each run of the tests."""
    names = [case if isinstance(case, str) else case.name for case in cases]
    return [
        pytest.param(case, id=name, marks=() if index % 40 == 0 else pytest.mark.exhaustive)
        for index, (case, name) in enumerate(zip(cases, names, strict=True))
    ]
