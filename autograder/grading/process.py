"""A process that grades one submission after another, and is ended at the one that takes too long.

The limits on a submission hold inside its sandbox, and the grader's own work on its answers is bounded by what the
channel lets through. This is for what nobody thought of: a grade takes `GRADE_S` at most, even where the grader hangs
in the middle of a call into C. What was known by then becomes the report.
"""

from __future__ import annotations

import contextlib
import faulthandler
import functools
import gc
import hashlib
import os
import resource
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment, load
from autograder.grading import GraderError
from autograder.report.model import Check, Outcome, Report, part_reports
from autograder.sandbox.client import Sandbox, SandboxError
from autograder.sandbox.confine import hide_memory, remove_contents
from autograder.sandbox.limits import LIMITS

GRADE_S = LIMITS.total_s + 10.0  # everything about one submission
START_S = 300.0  # to import torch and to start a sandbox, from a cold disk
CLOSE_S = 5.0
PATIENCE_S = 10.0  # for a grade in a class, after which another one starts
MOST_SLOW = 2  # such grades for each worker
TRIES = 3  # where the process ends by itself
MEMORY = 2 << 30  # address space beyond what it has at its first grade


class _Ended(Exception):
    """The process is gone."""


class GradingProcess:
    """Grades submissions to an assignment in a process of its own, which is started when first needed.

    Arguments:
        isolation: the isolation level of its sandbox; the strongest that works by default.
        require_isolation: whether weak isolation will not do.
    """

    def __init__(self, assignment: Assignment, isolation: str | None = None, require_isolation: bool = False) -> None:
        self.assignment = assignment
        self._how = (assignment.where, isolation, require_isolation)
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def start(self) -> None:
        """Start the process, if none runs; its imports go on while the caller does something else."""
        if self._process is not None:
            return
        self._scratch = temporary_folder()
        os.chmod(self._scratch.name, 0o711)
        self._connection, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-c",
                    "from autograder.grading.process import main; main()",
                    str(theirs.fileno()),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.PIPE,  # which closes when this process ends, however it does
                stdout=sys.stderr if _has_descriptor(sys.stderr) else subprocess.DEVNULL,
                env=os.environ | {"TMPDIR": self._scratch.name},
            )
        if self._stopped:
            self._process.kill()
        with contextlib.suppress(_Ended):  # which the first grade will meet, too
            self._send(self._how)

    def grade(
        self,
        name: str,
        source: bytes,
        *,
        seed: int | None = None,
        pictures: bool = False,
        progress: Callable[[Report], None] | None = None,
        patience: float = GRADE_S,
        slow: Callable[[], None] = lambda: None,
    ) -> Report:
        """Grade the source of a module, called `name` in the report.

        Arguments:
            seed: repeats the challenges of an earlier run; drawn anew by default.
            pictures: whether to draw what the submission makes into the report.
            progress: called with the report so far whenever a check has ended.
            patience: seconds after which `slow` is called, once, if it still grades.

        Raises:
            SandboxError, GraderError: the grader itself failed.
        """
        grade = _Grade(self.assignment, name, source, secrets.randbits(53) if seed is None else seed, progress)
        for _ in range(TRIES):
            self.start()
            try:
                self._send((name, source, grade.seed, pictures))
                report = self._follow(grade, patience, slow)
            except _Ended:
                self.kill()
                if self._stopped:
                    raise GraderError("grading was stopped") from None
                continue
            if report is None:
                self.kill()
                return grade.stopped(f"Grading took more than {GRADE_S:.0f} s and was stopped.")
            return report
        report = grade.stopped(f"The process that grades ended by itself, {TRIES} times.")
        report.grader_failed = True
        return report

    def _follow(self, grade: _Grade, patience: float, slow: Callable[[], None]) -> Report | None:
        """What the process tells until it is done: the report, or None where that is too late."""
        deadline, waits_until = time.monotonic() + START_S, float("inf")
        while True:
            now = time.monotonic()
            if now >= waits_until:
                slow()
                waits_until = float("inf")
            if now >= deadline:
                return None
            match self._receive(min(deadline, waits_until) - now):
                case None:
                    continue
                case "starts", level, strong:
                    if not strong:
                        hide_memory()  # from a submission of the same user
                    self._send("go on")
                    deadline = grade.start(level)
                    waits_until = deadline - GRADE_S + patience
                case "checked", part, check:
                    grade.checked(part, check)
                case "graded", Report() as report:
                    return report
                case "failed", error:
                    raise error

    def _send(self, message: object) -> None:
        try:
            self._connection.send(message)
        except OSError as error:
            raise _Ended from error

    def _receive(self, seconds: float) -> Any:
        """The next message; None if none comes within the time."""
        try:
            return self._connection.recv() if self._connection.poll(seconds) else None
        except (EOFError, OSError) as error:
            raise _Ended from error

    def kill(self) -> None:
        """End the process at once, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self.close()

    def stop(self) -> None:
        """End the grade that goes on in another thread, which raises GraderError there; grade nothing more."""
        self._stopped = True
        if (process := self._process) is not None:
            process.kill()

    def close(self) -> None:
        """End the process and everything in it."""
        if self._process is None:
            return
        self._connection.close()
        try:
            self._process.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process = None
        remove_contents(Path(self._scratch.name))
        self._scratch.cleanup()

    def __enter__(self) -> GradingProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """A new folder for temporary files. GraderError where none can be made."""
    try:
        return tempfile.TemporaryDirectory(prefix="autograder-", ignore_cleanup_errors=True)
    except OSError as error:
        raise GraderError(
            f"no temporary file can be made: {error.strerror}. Set TMPDIR to a folder that can be written to."
        ) from None


class _Grade:
    """One grade from the outside: since when it goes on, and what is known so far."""

    def __init__(
        self, assignment: Assignment, name: str, source: bytes, seed: int, progress: Callable[[Report], None] | None
    ) -> None:
        self.assignment, self.name, self.seed, self.progress = assignment, name, seed, progress
        self.sha256, self.isolation = hashlib.sha256(source).hexdigest(), ""
        self.checks: dict[str, list[Check]] = {}
        self.started = 0.0

    def start(self, level: str) -> float:
        """Note that it starts, at an isolation level; the time by which it has to end, however often it is tried."""
        self.isolation, self.checks = level, {}
        self.started = self.started or time.monotonic()
        return self.started + GRADE_S

    def checked(self, part: str, check: Check) -> None:
        self.checks.setdefault(part, []).append(check)
        if self.progress is not None:
            self.progress(self.report())

    def report(self) -> Report:
        """The report so far."""
        return Report.of(
            self.assignment,
            submission=self.name,
            sha256=self.sha256,
            isolation=self.isolation,
            seed=self.seed,
            parts=part_reports(self.assignment, {part: list(checks) for part, checks in self.checks.items()}),
        )

    def stopped(self, reason: str) -> Report:
        """The report on a grade that was stopped: what was not checked by then has no points."""
        report = self.report()
        for part in report.parts:
            left = round(part.max_score - sum(check.max_score for check in part.checks), 6)
            if left > 0:
                part.checks = [*part.checks, Check("What was left to check", Outcome.TIMEOUT, 0.0, left, reason)]
        report.attention, report.error = [reason], None if self.checks else reason
        report.duration_s = time.monotonic() - self.started if self.started else 0.0
        return report


def _has_descriptor(stream: object) -> bool:
    try:
        return int(stream.fileno()) >= 0  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False


# --- in the process ---------------------------------------------------------------------------------------------------


def main() -> None:
    """Grade what comes in over the connection with this descriptor, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the caller, who then ends this process
    threading.Thread(target=_end_with_caller, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        _serve(Connection(int(sys.argv[1])))
    os._exit(0)  # unloading torch in good order would take another second


def _end_with_caller() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _serve(connection: Connection) -> None:
    where, isolation, require_isolation = connection.recv()
    try:
        sandbox = Sandbox(isolation, load(where))
        if require_isolation:
            sandbox.require_strong()
    except Exception as error:
        _fail(connection, error)
        return
    with sandbox:
        while True:
            task = connection.recv()
            try:
                _grade(connection, sandbox, *task)
            except Exception as error:
                _fail(connection, error)


def _grade(connection: Connection, sandbox: Sandbox, name: str, source: bytes, seed: int, pictures: bool) -> None:
    from autograder.grading.grade import grade_source

    def starts() -> None:
        _limit_memory()
        connection.send(("starts", sandbox.level.name, sandbox.level.strong))
        connection.recv()
        faulthandler.dump_traceback_later(GRADE_S + CLOSE_S, exit=True)  # should the caller be gone by then

    report = grade_source(
        name,
        source,
        sandbox,
        seed=seed,
        pictures=pictures,
        starts=starts,
        checked=lambda part, check: connection.send(("checked", part, check)),
    )
    faulthandler.cancel_dump_traceback_later()
    connection.send(("graded", report))
    gc.collect()  # pytest leaves cycles that hold tensors
    _freeze()


def _fail(connection: Connection, error: Exception) -> None:
    """Tell the caller of an error of the grader's own."""
    faulthandler.cancel_dump_traceback_later()
    said = "" if isinstance(error, (SandboxError, GraderError)) else traceback.format_exc()
    connection.send(("failed", GraderError(f"{type(error).__name__}: {error}") if said else error))
    print(said, end="", file=sys.stderr)  # after the caller is known to be there: it may be what ended this grade


@functools.cache
def _freeze() -> None:
    """Let later collections pass over all that is there after the first grade: it stays."""
    gc.freeze()


@functools.cache
def _limit_memory() -> None:
    """Set a bound on what is allocated from now on, where the system has one."""
    mapped = Path("/proc/self/statm")
    if mapped.exists():
        most = int(mapped.read_text().split()[0]) * resource.getpagesize() + MEMORY
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
