"""Notes, without points: what works here and stops or misleads elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
