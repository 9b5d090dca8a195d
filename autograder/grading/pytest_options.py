"""The options with which plain pytest grades: a plugin, because pytest reads options before it collects checks."""

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("grading")
    group.addoption("--submission", type=Path, help="the module to grade (default: here)")
    group.addoption("--assignment", help="the name or the folder of the assignment (default: the one installed)")
    group.addoption(
        "--challenge-seed", type=int, metavar="SEED", help="repeat the challenges of an earlier run (default: drawn)"
    )
    group.addoption("--isolation", help="the isolation level (default: the strongest that works)")
