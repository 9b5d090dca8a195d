"""Reproductions: a few lines that show a failed check in the notebook, what they print there, and what they should.

A check states its probes. Each is run as it stands, in a fresh process with the submission's module as it was handed
in, and out here with the reference. The first whose two answers differ is shown, if it answers alike once more in a
process with another random state: what a module draws at its import is nobody's to repeat.
"""

from __future__ import annotations

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
        tolerance: how far a number may be from the right one, relative to it and to the average of all: what is
            estimated from draws needs more.
    """

    lines: str
    tolerance: float = 2e-3


@dataclass(frozen=True)
class Failed:
    """A check that did not pass, whether for want of an answer or for a wrong one, and the probes that may show it."""

    part: str
    check: Check
    no_answer: bool
    probes: tuple[Probe, ...]


def reproduce(every: Iterable[Failed], submission: Submission, assignment: Assignment) -> None:
    """Put a reproduction under each check that did not pass, where one of its probes shows the failure."""
    until = time.monotonic() + PATIENCE_S
    known: dict[tuple[str, ...], Reproduction] = {}  # by what was said of a check
    with contextlib.suppress(TimedOut):  # where lines hang, so may the next
        for failed in every:
            if MACHINE & set(failed.check.misconceptions):
                continue
            said = (failed.part, failed.check.message, *failed.check.misconceptions)
            found = known.get(said) or _first_that_shows(failed, submission, assignment, until)
            if found is not None:
                failed.check.reproduction = known[said] = found


def _first_that_shows(
    failed: Failed, submission: Submission, assignment: Assignment, until: float
) -> Reproduction | None:
    """The first probe that shows a failure.

    For a wrong answer, rather one that answers than one that raises; to show an error, rather one that should print
    numbers than one that should print a type.
    """
    other = None
    for probe in failed.probes:
        if time.monotonic() > until:
            break
        expected = reference_prints(assignment, probe.lines)
        first, raised = _submission_prints(submission, probe.lines, 0)
        if first is None or agree(first, expected, probe.tolerance):
            continue
        if not raised and not agree(first, _submission_prints(submission, probe.lines, 1)[0] or "", probe.tolerance):
            continue
        found = Reproduction(probe.lines, first, expected, approximate=probe.tolerance > 1e-2)
        if not raised or (failed.no_answer and _NUMBER.search(expected)):
            return found
        other = other or found
    return other


def _submission_prints(submission: Submission, lines: str, seed: int) -> tuple[str | None, bool]:
    """What the lines print with the submission's module, or None; and whether that is an exception."""
    try:
        return submission.run(lines, seed).strip(), False
    except TimedOut:
        raise
    except Raised as error:
        return (None, True) if error.not_written else (error.said.strip(), True)
    except SubmissionError:
        return None, False


@functools.cache
def reference_prints(assignment: Assignment, lines: str) -> str:
    """What the lines print with the reference."""
    import torch

    printed: list[str] = []

    def show(*values: object) -> None:
        printed.append(" ".join(map(str, values)))

    names = {"torch": torch, "F": torch.nn.functional, "print": show}
    exec(lines, names | {Path(assignment.module).stem: assignment.reference})  # of ours
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
