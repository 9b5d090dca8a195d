"""Lets plain pytest grade: `pytest autograder/checks --submission cs5814_vae.py`."""

from pathlib import Path

import pytest

from autograder.assignment import MODULE, PARTS
from autograder.checks.harness import Grading
from autograder.sandbox.client import Sandbox


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("grading")
    group.addoption("--submission", type=Path, default=Path(MODULE), help="the module to grade")
    group.addoption("--seed", dest="challenge_seed", type=int, help="repeat the challenges of an earlier run")
    group.addoption("--isolation", help="the isolation level (default: the strongest that works)")


def pytest_configure(config: pytest.Config) -> None:
    for part in PARTS:
        config.addinivalue_line("markers", f"{part.name}: checks of the part {part.name}")
    config.addinivalue_line("markers", "check(name, weight): a graded check")
    if any(isinstance(plugin, Grading) for plugin in config.pluginmanager.get_plugins()):
        return
    sandbox = Sandbox(config.getoption("--isolation"))
    config.add_cleanup(sandbox.close)
    submission = sandbox.submission(config.getoption("--submission").read_bytes())
    config.add_cleanup(lambda: submission.__exit__(None))
    seed = config.getoption("challenge_seed")
    grading = Grading(submission) if seed is None else Grading(submission, seed)
    config.pluginmanager.register(grading)
