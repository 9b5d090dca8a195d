"""The process that grades: the same grade as without it, and an end to whatever takes too long."""

import dataclasses
import gc
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.assignment import Assignment
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.grading import GraderError
from autograder.grading import process as grading_process
from autograder.grading.grade import UNJUDGED, grade_source
from autograder.grading.harness import Wrong, forget_locals
from autograder.grading.process import TRIES, GradingProcess
from autograder.report.model import Check, Outcome, Report
from autograder.sandbox.client import Sandbox
from tests.submissions import correct

RIGHT = correct.module().encode()


@pytest.fixture
def process(fragile: Assignment) -> Iterator[GradingProcess]:
    with GradingProcess(fragile) as running:
        yield running


def test_a_grade_is_the_same_as_without_the_process() -> None:
    with Sandbox() as sandbox:
        alone = grade_source(CVAE.module, RIGHT, sandbox, seed=5)
    told: list[Report] = []
    with GradingProcess(CVAE) as process:
        report = process.grade(CVAE.module, RIGHT, seed=5, progress=told.append)
    timeless: dict[str, Any] = {"duration_s": 0.0, "timings": {}}
    assert dataclasses.replace(report, **timeless) == dataclasses.replace(alone, **timeless)
    assert [sum(len(part.checks) for part in each.parts) for each in told] == list(range(1, len(told) + 1))
    assert told[-1].parts[0].checks == report.parts[0].checks


def test_a_grader_that_hangs_in_c_is_stopped(process: GradingProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    assert process.grade("m.py", b"x = 1").score == 10
    monkeypatch.setattr(grading_process, "GRADE_S", 2.0)
    slow: list[float] = []
    started = time.monotonic()
    report = process.grade("m.py", b"hang = 1", patience=0.5, slow=lambda: slow.append(time.monotonic()))
    assert time.monotonic() - started < 8
    assert len(slow) == 1
    assert [(part.score, part.max_score) for part in report.parts] == [(2, 2), (2, 8)]
    assert report.parts[1].checks[-1] == Check(
        "What was left to check", Outcome.TIMEOUT, 0, 6, "Grading took more than 2 s and was stopped."
    )
    assert report.attention
    assert not report.grader_failed
    monkeypatch.undo()
    assert process.grade("m.py", b"x = 1").score == 10


def test_a_process_that_dies_is_tried_again_and_said(process: GradingProcess) -> None:
    report = process.grade("m.py", b"die = 1")
    assert report.grader_failed
    assert f"{TRIES} times" in report.attention[0]
    assert sum(check.max_score for part in report.parts for check in part.checks) == 10
    assert process.grade("m.py", b"x = 1").score == 10


def test_what_breaks_a_check_costs_it_and_is_told(process: GradingProcess) -> None:
    report = process.grade("m.py", b"crash = 1")
    assert (report.score, report.grader_failed, report.error) == (4, False, None)
    assert [each.startswith(UNJUDGED) for each in report.attention] == [True]
    assert "IndexError" in report.attention[0]
    assert "could not judge" in report.parts[1].checks[-1].message


class Large:
    """What a check was sent, for a weak reference."""


def test_a_failed_check_holds_nothing_of_what_it_was_sent() -> None:
    """Neither in its own frames nor in those of the errors before, though they are cycles."""
    held = []

    def ask() -> None:
        answer = Large()
        held.append(weakref.ref(answer))
        raise ValueError

    def judge(suppress: bool) -> None:
        answer = Large()
        held.append(weakref.ref(answer))
        try:
            ask()
        except ValueError as error:
            seen = error
            if suppress:
                raise Wrong("x") from None
            raise Wrong(str(seen)) from error

    gc.disable()
    try:
        for suppress in (False, True):
            with pytest.raises(Wrong) as kept:
                judge(suppress)
            forget_locals(kept.value)
            assert [each() for each in held] == [None] * len(held)
    finally:
        gc.enable()


def test_a_check_that_breaks_on_the_solution_too_is_the_graders(fragile: Assignment) -> None:
    broken = fragile.solution.with_name("broken.py")
    broken.write_text("crash = 1")
    with Sandbox(assignment=dataclasses.replace(fragile, module=broken.name)) as sandbox:
        report = grade_source("m.py", b"crash = 1", sandbox)
    assert report.grader_failed
    assert "no fault of the submission's: IndexError" in (report.error or "")


def test_a_sandbox_that_does_not_work_is_said(fragile: Assignment) -> None:
    with GradingProcess(fragile, "nonsense") as process, pytest.raises(GraderError, match="nonsense"):
        process.grade("m.py", b"x = 1")


def test_nothing_is_left_when_it_is_closed(process: GradingProcess) -> None:
    process.grade("m.py", b"open('left', 'w').write('x')")
    pid, scratch = process._process.pid, Path(process._scratch.name)  # type: ignore[union-attr]
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    process.close()
    assert not scratch.exists()
    time.sleep(0.5)
    for each in (pid, *map(int, children)):
        with pytest.raises(ProcessLookupError):
            os.kill(each, signal.SIG_DFL)


CALLER = """
import sys
from pathlib import Path
from autograder.assignment import load
from autograder.grading.process import GradingProcess

process = GradingProcess(load(Path(sys.argv[1])))
process.grade("m.py", b"x = 1")
print(process._process.pid, flush=True)
process.grade("m.py", b"hang = 1")
"""


def test_it_ends_with_a_caller_that_is_killed(process: GradingProcess) -> None:
    command = [sys.executable, "-c", CALLER, process.assignment.where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout is not None
        pid = int(caller.stdout.readline())
        caller.kill()
    gone(pid)


def gone(pid: int) -> None:
    """Wait for a process to end; the test fails if it goes on."""
    for _ in range(100):
        try:
            os.kill(pid, signal.SIG_DFL)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail(f"process {pid} goes on")
