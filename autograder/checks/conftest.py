"""Lets plain pytest grade: `pytest --pyargs autograder.checks --submission cs5814_vae.py`."""

import pytest

from autograder.assignment import PARTS
from autograder.checks.harness import Grading
from autograder.grading import NothingToGrade, find_module
from autograder.sandbox.client import Sandbox, SandboxError


def pytest_configure(config: pytest.Config) -> None:
    for part in PARTS:
        config.addinivalue_line("markers", f"{part.name}: checks of the part {part.name}")
    config.addinivalue_line("markers", "check(name, weight, worked_example): a graded check")
    if any(isinstance(plugin, Grading) for plugin in config.pluginmanager.get_plugins()):
        return
    try:
        _, source = find_module(config.getoption("--submission"))
        sandbox = Sandbox(config.getoption("--isolation"))
    except (NothingToGrade, SandboxError, ValueError) as error:
        config.pluginmanager.register(_CannotGrade(str(error)))
        return
    config.add_cleanup(sandbox.close)
    submission = sandbox.submission(source)
    config.add_cleanup(lambda: submission.__exit__(None))
    seed = config.getoption("--challenge-seed")
    grading = Grading(submission) if seed is None else Grading(submission, seed)
    config.pluginmanager.register(grading)
    config.pluginmanager.register(_Points(grading))


class _CannotGrade:
    """Says why after collection: pytest shows an error from in the middle of it as a traceback."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def pytest_collection_modifyitems(self) -> None:
        raise pytest.UsageError(self.reason)


class _Points:
    """Shows the points in pytest's own summary."""

    def __init__(self, grading: Grading) -> None:
        self.grading = grading

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("points")
        ran = [part for part in self.grading.reports() if part.checks]
        for part in ran:
            terminalreporter.write_line(f"{part.name:15}{part.score:6g} of {part.max_score:g}")
        total, most = sum(part.score for part in ran), sum(part.max_score for part in ran)
        terminalreporter.write_line(f"{'in all':15}{total:6g} of {most:g}    challenge seed {self.grading.seed}")
