"""Reproductions: a few lines that show a failed check in the notebook, what they print there, and what they should.

A check states its probes. Each is run as it stands, in a process with the submission's module as it was handed in, and
out here with the reference. The first whose two answers differ is shown, if it answers alike once more in a fresh
process with another random state: neither what a module draws at its import nor what it remembers can be repeated.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from autograder.assignment import Assignment
from autograder.report.model import Check, Reproduction
from autograder.sandbox.client import Submission
from autograder.sandbox.errors import Raised, SubmissionError, TimedOut

PATIENCE_S = 8.0  # for all reproductions of a submission: no further one is started then
# Mistakes that show only where something is lacking, which a student's machine may have.
MACHINE = frozenset({"no-gpu-here", "import-missing", "nothing-outside", "memory"})
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|inf|nan)", re.ASCII)
_ASIDE = re.compile(
    r",\s*(?:dtype=[\w.]+|grad_fn=<\w*>|requires_grad=\w+)"
)  # what a tensor's text says next to numbers


@dataclass(frozen=True)
class Probe:
    """Lines that print what a check is about, on inputs that a person can read.

    Attributes:
        lines: Python, for a notebook with torch, torch.nn.functional as F and the module imported. They seed torch
            where something is drawn, and hold nothing of the solution.
        restart: whether they show it only in a kernel that has just been started.
        tolerance: how far a number may be from the right one, relative to it and to the average of all: what is
            estimated from draws needs more.
    """

    lines: str
    tolerance: float = 2e-3
    restart: bool = False


@dataclass(frozen=True)
class Failed:
    """A check that did not pass, and the probes that may show it.

    Attributes:
        raises: whether lines that raise show it best, as where the code stopped; None if any do.
    """

    part: str
    check: Check
    raises: bool | None
    probes: tuple[Probe, ...]


def reproduce(every: Iterable[Failed], submission: Submission, assignment: Assignment) -> None:
    """Put a reproduction under each check that did not pass, where one of its probes shows the failure."""
    notebook = _Notebook(submission, time.monotonic() + PATIENCE_S)
    known: dict[tuple[str, ...], Reproduction] = {}  # by what was said of a check
    with contextlib.suppress(TimedOut):  # where lines hang, so may the next
        for failed in every:
            if MACHINE & set(failed.check.misconceptions):
                continue
            said = (failed.part, failed.check.message, *failed.check.misconceptions)
            found = known.get(said) or _first_that_shows(failed, notebook, assignment)
            # A module may remember what was called before: then only fresh processes tell.
            found = found or _first_that_shows(failed, notebook, assignment, always_fresh=True)
            if found is not None:
                failed.check.reproduction = known[said] = found


@dataclass
class _Notebook:
    """A Python with the submission's module, restarted when asked; no further lines are run after `until`."""

    submission: Submission
    until: float
    restarts: int = 0

    def prints(self, lines: str, restart: bool) -> tuple[str | None, bool]:
        """What the lines print, or None; and whether that is an exception. Each restart has another random state."""
        self.restarts += restart
        try:
            return self.submission.run(lines, self.restarts, restart).strip(), False
        except TimedOut:
            raise
        except Raised as error:
            return (None, True) if error.not_written else (error.said.strip(), True)
        except SubmissionError:
            return None, False


def _first_that_shows(
    failed: Failed, notebook: _Notebook, assignment: Assignment, always_fresh: bool = False
) -> Reproduction | None:
    """The first probe that shows a failure.

    For a wrong answer, rather one that answers than one that raises. To show an error, rather one that raises, and of
    those rather one that should print numbers than one that should print a type.
    """
    others = dict[bool | None, Reproduction]()  # the first that raises, and the first that answers
    for probe in failed.probes:
        if time.monotonic() > notebook.until:
            break
        expected = reference_prints(assignment, probe.lines)
        fresh = always_fresh or not notebook.restarts
        said, raised = notebook.prints(probe.lines, restart=fresh)
        if said is None or agree(said, expected, probe.tolerance):
            continue
        if not (raised and fresh):
            again, raises = notebook.prints(probe.lines, restart=True)
            alike = agree(said, again or "", probe.tolerance) or (raised and raises)
            if not alike or again is None or agree(again, expected, probe.tolerance):
                continue
            said = again
        restart = probe.restart or always_fresh
        if not restart:
            later, _ = notebook.prints(probe.lines, restart=False)
            restart = agree(later or "", expected, probe.tolerance)
        found = Reproduction(probe.lines, said, expected, approximate=probe.tolerance > 1e-2, restart=restart)
        if raised and notebook.prints(first := _first_statement(probe.lines), restart=restart) == (said, True):
            return Reproduction(first, said, "", restart=restart)  # which is all that it takes
        if failed.raises in (raised, None) and (not raised or _NUMBER.search(expected)):
            return found
        others.setdefault(raised, found)
    return others.get(failed.raises) or next(iter(others.values()), None)


def _first_statement(lines: str) -> str:
    return "\n".join(lines.splitlines()[: ast.parse(lines).body[0].end_lineno])


@functools.cache
def reference_prints(assignment: Assignment, lines: str) -> str:
    """What the lines print with the reference, whose functions stay as they are."""
    import torch

    printed: list[str] = []

    def show(*values: object) -> None:
        printed.append(" ".join(map(str, values)))

    names = {"torch": torch, "F": torch.nn.functional, "print": show}
    before = dict(vars(assignment.reference))
    try:
        exec(lines, names | {Path(assignment.module).stem: assignment.reference})  # of ours
    finally:
        vars(assignment.reference).update(before)
    return "\n".join(printed).strip()


def agree(one: str, other: str, tolerance: float) -> bool:
    """Whether two printed texts say the same, their numbers up to the tolerance."""
    one, other = (_ASIDE.sub("", text) for text in (one, other))
    if _around_numbers(one) != _around_numbers(other):
        return False
    numbers, expected = ([float(each) for each in _NUMBER.findall(text)] for text in (one, other))
    finite = [abs(each) for each in expected if abs(each) < float("inf")]
    scale = sum(finite) / len(finite) if finite else 0.0
    return all(_close(*pair, scale, tolerance) for pair in zip(numbers, expected, strict=True))


def _around_numbers(text: str) -> list[str]:
    """What stands before, between and after the numbers of a text, without white space."""
    return ["".join(each.split()) for each in _NUMBER.split(text)]


def _close(number: float, expected: float, scale: float, tolerance: float) -> bool:
    if number == expected or (number != number and expected != expected):
        return True
    return abs(number - expected) <= tolerance * (abs(expected) + scale) and abs(expected) < float("inf")
