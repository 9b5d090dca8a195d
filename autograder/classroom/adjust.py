"""Checks that turn out to be unfair: dropped for everyone, or their points given to everyone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autograder.classroom.entries import Standing, checks_of, standing
from autograder.points import rescaled, shown, split
from autograder.report.model import Check, Outcome, PartReport, Report

_SAID = ("The check “", "Everyone gets the points ")
_STAND_INS = ("Handed in", "What was left to check")  # of reports on what could not be graded to the end


class NoSuchCheck(ValueError):
    """No check has this name, or several have it; or a check is named twice."""


@dataclass(frozen=True)
class Adjustments:
    """What is changed for everyone.

    Attributes:
        drop: checks that count for nothing. The others of the part share their points, so that every total stays what
            it was.
        give: checks whose points everyone gets whose module could be graded.

    A check is named by its name, or by a piece of it that no other check has.
    """

    drop: tuple[str, ...] = ()
    give: tuple[str, ...] = ()

    def apply(self, report: Report) -> Report:
        """The report with the changes, which its notes name. NoSuchCheck where a name is unknown or not clear."""
        where = standing(report)
        changed = report
        named: dict[str, str] = {}
        for name, change in (*((name, _dropped) for name in self.drop), *((name, _given) for name in self.give)):
            if (there := _find(report, name)) is None:
                continue
            if earlier := named.get(there[1].name):
                raise NoSuchCheck(f"“{earlier}” and “{name}” are the same check, “{there[1].name}”: name it once")
            named[there[1].name] = name
            if (found := _find(changed, there[1].name)) and (change is _dropped or where is Standing.GRADED):
                part, check = found
                said, part = change(part, check)
                parts = [part if each.name == part.name else each for each in changed.parts]
                changed = replace(changed, parts=parts, notes=[*changed.notes, said])
        return changed


def is_adjustment(note: str) -> bool:
    """Whether this note of a report is one of those that `apply` adds."""
    return note.startswith(_SAID)


def _find(report: Report, name: str) -> tuple[PartReport, Check] | None:
    """The check called `name` with its part; None in a report that need not have it."""
    every = [(part, check) for part in report.parts for check in part.checks]
    wanted = name.strip().casefold()
    found = [each for each in every if each[1].name.casefold() == wanted]
    found = found or [each for each in every if wanted in each[1].name.casefold()]
    if len(found) == 1 and wanted:
        return found[0]
    if not found and (not every or any(check.name in _STAND_INS for check in checks_of(report))):
        return None
    names = "\n".join(f"  {check.name}" for _, check in found or every)
    raise NoSuchCheck(f"{'several checks are' if found else 'no check is'} called “{name}”:\n{names}")


def _dropped(part: PartReport, check: Check) -> tuple[str, PartReport]:
    rest = [each for each in part.checks if each is not check]
    if not rest:
        raise NoSuchCheck(f"“{check.name}” is the only check of {part.name}: give its points to everyone instead")
    worth = split(part.max_score, _weights(part, rest))
    checks = [
        replace(each, score=rescaled(each.score, each.max_score, most) if each.score else 0.0, max_score=most)
        for each, most in zip(rest, worth, strict=True)
    ]
    said = f"{_SAID[0]}{check.name}” was dropped for everyone. The other checks of `{part.name}` share its points."
    return said, replace(part, checks=checks)


def _weights(part: PartReport, rest: Sequence[Check]) -> list[float]:
    return [each.max_score for each in rest] if any(each.max_score for each in rest) else [1.0] * len(rest)


def _given(part: PartReport, check: Check) -> tuple[str, PartReport]:
    said = f"{_SAID[1]}({shown(check.max_score)}) of the check “{check.name}”."
    passed = replace(check, outcome=Outcome.PASSED, score=check.max_score, message=said, hints=[])
    return said, replace(part, checks=[passed if each is check else each for each in part.checks])
