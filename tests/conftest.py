"""How torch, Hypothesis and the browser run in these tests, and the marks of the graded checks."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from autograder.assignment import Assignment
from autograder.assignments.cvae.assignment import PARTS
from tests.fragile import write_fragile

# Tests run side by side, where two processes' threads take ten times as long: each waits for others that have no core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples each time, and none judged by the clock.
settings.register_profile("tests", derandomize=True, deadline=None, database=None, max_examples=50)
settings.load_profile("tests")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes after their argument: an archive's hold a time, and workers must collect tests of the same names."""
    return argname if isinstance(val, bytes) else None


def pytest_configure(config: pytest.Config) -> None:
    for name in ("check", *(part.name for part in PARTS)):
        config.addinivalue_line("markers", f"{name}: see autograder/assignments/cvae/checks")


@pytest.fixture(scope="session")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    """An assignment whose checks hang or die where a submission says so."""
    return write_fragile(tmp_path_factory.mktemp("assignments") / "fragile")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium, started once for a file of tests; skips without one."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("no Chromium here")
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = driver.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()
