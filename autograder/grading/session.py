"""pytest with the checks collected, at the service of one submission after another in this process.

Starting pytest would be a sixth of a warm grade's time. So its session stays open, in a thread of its own: its loop
waits for a grading, runs all checks on it, and waits for the next.
"""

from __future__ import annotations

import gc
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from itertools import zip_longest
from pathlib import Path
from queue import SimpleQueue
from types import ModuleType

import pytest
import torch

from autograder.assignment import Assignment
from autograder.grading import GraderError
from autograder.grading.harness import ASSIGNMENT, GRADING, Grading, about, part_of

_NO_PLUGINS = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
# pytest's own plugins that no check uses, which cost time at each of them.
_NOT_NEEDED = (
    "cacheprovider", "doctest", "faulthandler", "junitxml", "legacypath", "logging", "monkeypatch", "pastebin",
    "recwarn", "setuponly", "setupplan", "stepwise", "subtests", "threadexception", "tmpdir", "unittest",
    "unraisableexception",
)  # fmt: skip

Chosen = Callable[[str, str], bool]  # whether to run the check of a part with a name


class Session:
    """An open pytest session with the checks of an assignment. GraderError if pytest cannot be started, or ends."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self._waiting: SimpleQueue[tuple[Grading, Chosen]] = SimpleQueue()
        self._answers: SimpleQueue[str | None] = SimpleQueue()  # that it is ready, or why it ended
        # Nothing in the caller's folder or environment can configure this pytest, and it prints nothing.
        with _environment(), redirect_stdout(io.StringIO()) as said, redirect_stderr(said):
            threading.Thread(target=self._main, args=(said,), daemon=True).start()
            self._wait()

    def run(self, grading: Grading, chosen: Chosen) -> None:
        """Run the chosen checks; how each of them ended is in `grading` then."""
        self._waiting.put((grading, chosen))
        self._wait()

    def _wait(self) -> None:
        if reason := self._answers.get():
            raise GraderError(reason)

    def _main(self, said: io.StringIO) -> None:
        checks = str(self.assignment.checks)
        arguments = [checks, "-c", os.devnull, "--rootdir", checks, "-q", "-s", "--no-header", "--tb=native"]
        for plugin in _NOT_NEEDED:
            arguments += ["-p", f"no:{plugin}"]
        code: object = None
        try:
            code = pytest.main([*arguments, "--noconftest"], plugins=[self, self.assignment.piece("checks.conftest")])
        except Exception as error:
            code = error
        finally:
            self._answers.put(f"pytest ended with {code!r}:\n{said.getvalue()[-3000:]}")

    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Collector:
        return pytest.Dir.from_parent(parent, path=path)

    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> pytest.Module:
        return _CheckFile.from_parent(parent, path=module_path)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        session.config.pluginmanager.unregister(name="terminalreporter")  # which would keep all that happened
        torch.set_num_threads(1)
        gc.freeze()  # what is imported stays, so that the collections below are quick
        self._answers.put(None)
        while True:
            grading, chosen = self._waiting.get()
            items = [item for item in session.items if chosen(part_of(item), about(item)["name"])]
            session.config.stash[GRADING] = grading  # not as a plugin: pytest keeps those for ever
            with torch.enable_grad():  # whatever a check leaves behind
                for item, following in zip_longest(items, items[1:]):
                    session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            del session.config.stash[GRADING], grading
            gc.collect()  # a failed check is a cycle of frames
            self._answers.put(None)


class _CheckFile(pytest.Module):
    """A file of checks, imported as the assignment's own: pytest's names for it would depend on where it lies.

    Two assignments may have a file of the same name, and one may be called as a module of Python's.
    """

    def _getobj(self) -> ModuleType:
        return self.config.stash[ASSIGNMENT].piece(f"checks.{self.path.stem}")


_lock = threading.Lock()
_sessions: dict[Assignment, Session] = {}


def run_checks(grading: Grading, chosen: Chosen = lambda part, name: True) -> None:
    """Run checks in this process's session, all or those chosen by the names of their part and their own.

    GraderError if pytest itself fails.
    """
    with _lock:
        session = _sessions.pop(grading.assignment, None) or Session(grading.assignment)
        session.run(grading, chosen)
        _sessions[grading.assignment] = session  # one that failed is not used again


@contextmanager
def _environment() -> Iterator[None]:
    saved = {key: os.environ.pop(key, None) for key in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", _NO_PLUGINS)}
    os.environ[_NO_PLUGINS] = "1"
    try:
        yield
    finally:
        del os.environ[_NO_PLUGINS]
        os.environ.update({key: value for key, value in saved.items() if value is not None})
