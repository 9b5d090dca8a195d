"""The options of `pytest --pyargs autograder.assignments.cvae.checks`: a plugin, for pytest reads options before it collects checks."""

from pathlib import Path

import pytest

from autograder.assignments.cvae.assignment import MODULE


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("grading")
    group.addoption("--submission", type=Path, default=Path(MODULE), help="the module to grade")
    group.addoption(
        "--challenge-seed", type=int, metavar="SEED", help="repeat the challenges of an earlier run (default: drawn)"
    )
    group.addoption("--isolation", help="the isolation level (default: the strongest that works)")
