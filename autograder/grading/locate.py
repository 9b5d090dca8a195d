"""The place in a source that a wrong answer depends on, where no named mistake explains it.

The lines that reproduce the failure are run with one small change of the module at a time. Where a change makes them
right and the check passes with it, the student reads which place was changed, and not how: this is fault localization
by mutation (Papadakis and Le Traon, "Metallaxis-FL", 2015).
"""

from __future__ import annotations

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

SECONDS = 4.0  # for all changes of a submission: no further one is tried then. One alone has no more, either


def locate(grading: Grading, sandbox: Sandbox) -> None:
    """Name, in checks that failed for no named mistake, the place that they depend on."""
    ends = time.monotonic() + SECONDS
    for failed in grading.to_reproduce:
        if failed.check.reproduction is None or not unlocated(grading.assignment, failed.check):
            continue
        for edit in grading.submission.edits(list(_places(failed.part, grading))):
            if time.monotonic() > ends:
                return
            changed = sandbox.submission(edit.of(grading.submission.source), seconds=SECONDS)
            if _helps(changed, failed, grading):
                how = "without" if edit.removes else "with something else in place of"
                lines = f"line{'s' * (len(set(edit.lines)) > 1)} {listed(map(str, dict.fromkeys(edit.lines)))}"
                failed.check.message += f" This check passes {how} `{edit.shown}` in {lines}."
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
