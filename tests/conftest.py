"""How Hypothesis runs in these tests, and the marks of the graded checks, for those that run a check by itself."""

import pytest
from hypothesis import settings

from autograder.assignment import PARTS

# The same examples each time, and none judged by the clock.
settings.register_profile("tests", derandomize=True, deadline=None, database=None, max_examples=50)
settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    for name in ("check", *(part.name for part in PARTS)):
        config.addinivalue_line("markers", f"{name}: see autograder/checks")
