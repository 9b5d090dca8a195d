"""The place in a source that a wrong answer depends on, where the hint of its mistake leaves that open.

The lines that reproduce the failure are run with one small change of the module at a time. Where a change makes them
right and the check passes with it, the student reads which place was changed, and not how: this is fault localization
by mutation (Papadakis and Le Traon, "Metallaxis-FL", 2015).
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator

from autograder.grading.harness import Grading
from autograder.grading.hints import unlocated
from autograder.grading.reproduce import Failed, agree, reference_prints
from autograder.grading.session import run_checks
from autograder.report.model import Outcome
from autograder.report.summary import listed
from autograder.sandbox.client import Sandbox, Submission
from autograder.sandbox.errors import SubmissionError

MOST = 100  # changes of a submission that are tried
SECONDS = 15.0  # for all of them, on a machine that is busy; one alone has no more, either


def locate(grading: Grading, sandbox: Sandbox) -> None:
    """Name the place that a failed check depends on, where the hints of its mistakes leave that open."""
    ends, left = time.monotonic() + SECONDS, MOST
    edits = functools.cache(lambda part: grading.submission.edits(list(_places(part, grading))))
    for failed in grading.to_reproduce:
        if failed.check.reproduction is None or not unlocated(grading.assignment, failed.check):
            continue
        for edit in edits(failed.part):
            if not left or time.monotonic() > ends:
                return
            left -= 1
            changed = sandbox.submission(edit.of(grading.submission.source), seconds=SECONDS)
            if _helps(changed, failed, grading):
                lines = sorted(set(edit.lines))
                where = f"`{edit.shown}` in line{'s' * (len(lines) > 1)} {listed(map(str, lines))}"
                how = "without it" if edit.removes else "with something else there"
                failed.check.message += f" Look at {where}: {how}, this check passes."
                failed.check.line = lines[0]
                break


def _places(part_name: str, grading: Grading) -> Iterator[tuple[str, ...]]:
    """Where a part may be wrong: its own place, what of the module is no part, and its class."""
    outline, parts = grading.submission.outline, grading.assignment.parts
    part = grading.assignment.part(part_name)
    yield (place := outline.place_of(part.place, part.name))
    of_parts = {each.place[0] for each in parts if each.place}
    yield from (each.place for each in outline.definitions if len(each.place) == 1 and each.name not in of_parts)
    yield place[:1]


def _helps(changed: Submission, failed: Failed, grading: Grading) -> bool:
    """Whether the check passes with the changed module, and all others of its part that pass without the change."""
    assert failed.check.reproduction is not None
    lines = failed.check.reproduction.lines
    tolerance = next((each.tolerance for each in failed.probes if each.lines == lines), 0.0)
    others = {name: list(checks) for name, checks in grading.checks.items() if name != failed.part}
    again = Grading(changed, grading.assignment, grading.seed, checks=others)
    with changed:
        try:
            if not agree(changed.run(lines), reference_prints(grading.assignment, lines), tolerance):
                return False
            changed.stop()  # the checks get a process that has called nothing yet
            changed.load()
        except SubmissionError:
            return False
        run_checks(again, lambda part, name: part == failed.part)
    passed = {each.name for each in again.checks[failed.part] if each.outcome is Outcome.PASSED}
    before = (each.name for each in grading.checks[failed.part] if each.outcome is Outcome.PASSED)
    return passed.issuperset([failed.check.name, *before])
