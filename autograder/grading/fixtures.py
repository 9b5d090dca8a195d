"""Gives the checks of an assignment their points and fixtures, in the order in which they must run.

The conftest.py of an assignment's checks imports all of it. Plain pytest grades as well, with the options of
`pytest_options`.
"""

from collections.abc import Generator
from pathlib import Path

import pytest

from autograder.assignment import BadAssignment, NoSuchAssignment, load
from autograder.grading.harness import ASSIGNMENT, GRADING, POINTS, Challenge, Grading, about, part_of
from autograder.grading.session import Session
from autograder.points import shown, split, total
from autograder.sandbox.client import Sandbox, SandboxError, Submission
from autograder.submissions.find import NothingToGrade, find_module


def pytest_configure(config: pytest.Config) -> None:
    session = _session(config)
    try:
        assignment = session.assignment if session else load(config.getoption("--assignment"))
    except (NoSuchAssignment, BadAssignment) as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[ASSIGNMENT] = assignment
    for part in assignment.parts:
        config.addinivalue_line("markers", f"{part.name}: checks of the part {part.name}")
    config.addinivalue_line("markers", "check(name, weight, worked_example): a graded check")
    if session:
        return
    try:
        submission_path = config.getoption("--submission") or Path(assignment.module)
        source = find_module(submission_path, assignment).source
        sandbox = Sandbox(config.getoption("--isolation"), assignment)
    except (NothingToGrade, SandboxError, ValueError) as error:
        config.pluginmanager.register(_CannotGrade(str(error)))
        return
    config.add_cleanup(sandbox.close)
    submission = sandbox.submission(source)
    config.add_cleanup(lambda: submission.__exit__(None))
    seed = config.getoption("--challenge-seed")
    grading = Grading(submission, assignment) if seed is None else Grading(submission, assignment, seed)
    config.stash[GRADING] = grading
    config.pluginmanager.register(_Points(grading))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What the reference can stand in for comes first; else the order is the assignment's."""
    parts = sorted(config.stash[ASSIGNMENT].parts, key=lambda part: not part.stand_in)
    order = [part.name for part in parts]
    items.sort(key=lambda item: order.index(part_of(item)))
    for part in parts:
        checks = [item for item in items if part_of(item) == part.name]
        if not checks and _session(config) is None:
            continue  # plain pytest was asked for some files alone
        try:
            worth = split(part.points, [about(check)["weight"] for check in checks])
        except ValueError as error:
            raise pytest.UsageError(f"the checks of {part.name}: {error}") from None
        for check, points in zip(checks, worth, strict=True):
            check.stash[POINTS] = points


def _session(config: pytest.Config) -> Session | None:
    """The session that grades one submission after another; None in plain pytest."""
    return next((plugin for plugin in config.pluginmanager.get_plugins() if isinstance(plugin, Session)), None)


@pytest.fixture(scope="session")
def grading(request: pytest.FixtureRequest) -> Grading:
    return request.config.stash[GRADING]


@pytest.fixture(scope="session")
def submission(grading: Grading) -> Submission:
    return grading.submission


@pytest.fixture
def challenge(grading: Grading, request: pytest.FixtureRequest) -> Challenge:
    return Challenge(grading.seed, request.node.name)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    item.config.stash[GRADING].prepare(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.config.stash[GRADING].conclude(item, call, report)
    return report


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
            terminalreporter.write_line(f"{part.name:15}{shown(part.score):>6} of {shown(part.max_score)}")
        score, most = total(part.score for part in ran), total(part.max_score for part in ran)
        seed = self.grading.seed
        terminalreporter.write_line(f"{'in all':15}{shown(score):>6} of {shown(most)}    challenge seed {seed}")
