"""The place in a source that a wrong answer depends on, where the hint of its mistake leaves that open.

The lines that reproduce the failure are run with one small change of the module at a time. Where a change makes them
right and the check passes with it, the student reads which place was changed, and not how: this is fault localization
by mutation (Papadakis and Le Traon, "Metallaxis-FL", 2015).
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Iterator

from autograder.grading.harness import Grading
from autograder.grading.hints import unlocated
from autograder.grading.reproduce import Failed, agree, reference_prints
from autograder.grading.session import run_checks
from autograder.report.model import Outcome
from autograder.report.summary import listed
from autograder.sandbox.client import Sandbox, Submission
from autograder.sandbox.edits import Edit
from autograder.sandbox.errors import SubmissionError

MOST = 100  # changes of a submission that are tried
SECONDS = 60.0  # for all of them, where the machine is so busy that MOST takes longer
SECONDS_EACH = 15.0


def locate(grading: Grading, sandbox: Sandbox) -> None:
    """Name the place that a failed check depends on, where the hints of its mistakes leave that open."""
    ends, left = time.monotonic() + SECONDS, MOST
    edits = functools.cache(lambda part: grading.submission.edits(list(_places(part, grading))))
    for failed in grading.to_reproduce:
        if failed.check.reproduction is None or not unlocated(grading.assignment, failed.check):
            continue
        for edit in edits(failed.part):
            where = _where(edit, grading.submission.source)
            if not where:
                continue
            if not left or time.monotonic() > ends:
                return
            left -= 1
            changed = sandbox.submission(edit.of(grading.submission.source), seconds=SECONDS_EACH)
            if _helps(changed, failed, grading):
                how = "without it" if edit.removes else "with something else there"
                failed.check.message += f" Look at {where}: {how}, this check passes."
                failed.check.line = min(edit.lines)
                break


def _where(edit: Edit, source: bytes) -> str:
    """What a change is at, for a message; empty where the same text is in one of its lines more often than that."""
    numbers = sorted(set(edit.lines))
    line = source.split(b"\n")[numbers[0] - 1].decode(errors="replace")
    text = edit.shown.removesuffix("…").split("(…)")[0]
    places, here = edit.lines.count(numbers[0]), _count(text, line)
    if here > max(places, 1):
        return ""
    twice = {1: "", 2: ", twice"}.get(places, f", {places} times") if len(numbers) == 1 else ""
    return f"`{edit.shown}`{twice} in line{'s' * (len(numbers) > 1)} {listed(map(str, numbers))}"


def _count(text: str, line: str) -> int:
    """How often a line has a text, as whole words and numbers."""
    words = r"\s*".join(map(re.escape, text.split()))
    return len(re.findall(rf"(?<![\w.]){words}(?!\w)" if text[:1].isalnum() else rf"{words}(?!\w)", line))


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
