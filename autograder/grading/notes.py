"""Notes, without points: what works here and stops or misleads elsewhere, and which mistakes go together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograder.grading.reproduce import Probe, agree, reference_prints
from autograder.report.model import Outcome
from autograder.sandbox.errors import Raised, SubmissionError

if TYPE_CHECKING:
    from autograder.grading.harness import Grading

_SEED = 58_141_921  # which nobody sets
_SEEDED = (
    "Importing your module sets the seed of torch's generator, so whoever imports it draws the same numbers each time. "
    "Set seeds in the notebook, or draw from a generator of your own. No points are taken for this."
)


@dataclass(frozen=True)
class Note:
    """Something that code can be right without.

    Attributes:
        needs: parts that must be right before it is looked into.
        lines: run with the module, as those of a probe. `elsewhere()` is a context there, in which raises what would on
            a GPU.
        raises: a pattern. If the lines raise what it finds, the note is said.
        text: what is said, with where it happens in place of {line}, and what was raised after the pattern in place of
            {said}.
    """

    needs: tuple[str, ...]
    lines: str
    raises: str
    text: str


@dataclass(frozen=True)
class Together:
    """Two mistakes that undo each other: who fixes one of them alone breaks what has worked.

    Attributes:
        first, second: what shows one of the mistakes each, probes of checks in two parts.
        both: what prints the right answer with both mistakes.
        text: what is said under both checks, with the names of their parts in place of {first} and {second}.
    """

    first: Probe
    second: Probe
    both: Probe
    text: str


def join_mistakes(grading: Grading) -> None:
    """Say under two failed checks that their mistakes undo each other, where that is so."""
    own = grading.assignment.piece("notes") if grading.assignment.has("notes") else None
    for pair in getattr(own, "TOGETHER", ()):
        failed = [
            next((each for each in grading.to_reproduce if probe in each.probes), None)
            for probe in (pair.first, pair.second)
        ]
        first, second = failed
        if first is None or second is None:
            continue
        if [_prints_right(grading, probe) for probe in (pair.first, pair.second, pair.both)] == [False, False, True]:
            for each in (first, second):
                each.check.message += f" {pair.text.format(first=first.part, second=second.part)}"


def _prints_right(grading: Grading, probe: Probe) -> bool:
    """Whether the lines of a probe print with the module what they print with the reference."""
    try:
        said = grading.submission.run(probe.lines, fresh=False).strip()
    except Raised:
        return False
    return agree(said, reference_prints(grading.assignment, probe.lines), probe.tolerance)


def notes(grading: Grading) -> Iterator[str]:
    """What to say of a submission that was graded, next to its grade."""
    submission = grading.submission
    try:
        if submission.run("print(torch.initial_seed())", seed=_SEED) != str(_SEED):
            yield _SEEDED
        own = grading.assignment.piece("notes").NOTES if grading.assignment.has("notes") else ()
        for note in own:
            if not all(_right(grading, part) for part in note.needs):
                continue
            try:
                submission.run(note.lines, fresh=False)
            except Raised as error:
                if found := re.search(note.raises, error.said):
                    where = f" (line {error.line})" if error.line else ""
                    yield note.text.format(line=where, said=error.said[found.end() :].strip())
    except SubmissionError:
        return


def _right(grading: Grading, part: str) -> bool:
    checks = grading.checks.get(part, [])
    return bool(checks) and all(check.outcome is Outcome.PASSED for check in checks)
