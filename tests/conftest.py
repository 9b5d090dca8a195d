"""How torch and Hypothesis run in these tests, and the marks of the graded checks, for those that run one by itself."""

import os

import pytest
from hypothesis import settings

from autograder.assignment import PARTS

# Tests run side by side, where two processes' threads take ten times as long: each waits for others that have no core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples each time, and none judged by the clock.
settings.register_profile("tests", derandomize=True, deadline=None, database=None, max_examples=50)
settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    for name in ("check", *(part.name for part in PARTS)):
        config.addinivalue_line("markers", f"{name}: see autograder/checks")
