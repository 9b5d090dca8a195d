"""Whose grade changes from one grading of a class to the next, by how much, and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from autograder.classroom.entries import NAME_LIMIT, Entry, Standing
from autograder.classroom.written import last_run
from autograder.points import shown, total
from autograder.report.model import Outcome, Report, clean
from autograder.report.summary import counted, some_of

_LISTED = 10  # students in one message
LOST = "The last run had work of this student, and this one has none: see whether the upload is whole."
_WITHOUT_CODE = (Standing.NO_MODULE, Standing.NOT_STARTED)


class NotAClass(ValueError):
    """A folder does not hold what `autograder class` writes."""


@dataclass(frozen=True)
class Earlier:
    """What an earlier grading says of a student: the points, None where the grader failed, and the report."""

    name: str
    score: float | None
    report: Report


@dataclass(frozen=True)
class Change:
    """A student whose points change.

    Attributes:
        before, after: None where there are no points, or no such student.
        why: in words, the costliest reason first.
    """

    name: str
    before: float | None
    after: float | None
    why: tuple[str, ...]

    @property
    def by(self) -> float:
        return total((self.after or 0, -(self.before or 0)))

    def __str__(self) -> str:
        before, after = ("–" if each is None else shown(each) for each in (self.before, self.after))
        by = f" ({'+' if self.by > 0 else '−'}{shown(abs(self.by))})" if self.by else ""
        return f"{self.name}: {before} → {after}{by}. {'; '.join(self.why)}."


def read_class(folder: Path) -> dict[str, Earlier]:
    """What `autograder class` wrote to `folder`, by student. NotAClass if it did not, or not to the end."""
    try:
        rows = json.loads((folder / "class.json").read_text("utf-8"))["students"]
        return {row["student"]: Earlier(row["name"], row["score"], _report(folder, row["page"])) for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotAClass(f"{folder} does not hold a class that was graded: {error}") from error


@dataclass(frozen=True)
class Gone:
    """Whose work was in the last run and is not in this one: `warnings`, and the ids of `students` who have a row."""

    warnings: list[str]
    students: frozenset[str]


def gone(folder: Path, entries: Sequence[Entry]) -> Gone:
    """Who handed in something in the class that `folder` has, and is not among the `entries`, or without that work.

    Somebody under another id now, with the same module or name, is not gone, but may lack the work. A module that
    somebody else has now is not gone either: staff have moved it.
    """
    try:
        rows = (last_run(folder) or {}).get("students", ())
        earlier = {row["student"]: [str(row[key] or "") for key in ("name", "sha256", "standing")] for row in rows}
        already = {row["student"] for row in rows if LOST in row["attention"]}
    except (KeyError, TypeError):
        return Gone([], frozenset())
    new = {clean(entry.student, NAME_LIMIT): entry for entry in entries}
    names = {entry.name: entry for student, entry in new.items() if student not in earlier}
    had = {student: sha256 for student, (_, sha256, _) in earlier.items()}
    moved = Counter(entry.report.sha256 for student, entry in new.items() if entry.report.sha256 != had.get(student))
    missing, empty = [], dict[str, str]()
    for student, (name, sha256, standing) in earlier.items():
        entry = new.get(student) or (None if sha256 and moved[sha256] else names.get(name))
        as_before = student in already and entry and (entry.report.sha256 or "") == sha256
        if not as_before and (standing == Standing.NOTHING or (entry and not _has_lost_work(standing, entry))):
            continue
        if sha256 and moved[sha256]:
            moved[sha256] -= 1
        elif entry:
            empty[entry.student] = f"{entry.name} ({entry.student})" if entry.name != entry.student else entry.student
        else:
            missing.append(name if name == student else f"{name} ({student})")
    lost = f"in the last run, but not in this one: {some_of(missing, _LISTED)}. Their reports were removed"
    without = f"their work was in the last run, but is not in this one: {some_of([*empty.values()], _LISTED)}"
    return Gone([lost] * bool(missing) + [without] * bool(empty), frozenset(empty))


def _has_lost_work(standing: str, entry: Entry) -> bool:
    """Whether something was handed in, by the `standing` in the last run, and nothing is now, or no code any more."""
    if entry.standing is Standing.NOTHING:
        return standing != Standing.GRADER_FAILED  # for then it may have been somebody else's
    return standing in (Standing.GRADED, Standing.STOPPED) and entry.standing in _WITHOUT_CODE


def _report(folder: Path, page: str) -> Report:
    name = Path(unquote(page)).stem
    return Report.from_json(json.loads((folder / "reports" / f"{name}.json").read_text("utf-8")))


def changes(earlier: dict[str, Earlier], entries: Sequence[Entry]) -> list[Change]:
    """The students whose points are not what they were, those who lose most first."""
    found = []
    left = dict(earlier)
    for entry in entries:
        old = left.pop(clean(entry.student, NAME_LIMIT), None)
        if old is None:
            found.append(Change(entry.name, None, entry.score, ("was not in the class",)))
        elif old.score != entry.score:
            found.append(Change(entry.name, old.score, entry.score, _why(old.report, entry.report)))
    found += [Change(old.name, old.score, None, ("is no longer in the class",)) for old in left.values()]
    return sorted(found, key=lambda change: (change.by, change.name.casefold()))


def _why(old: Report, new: Report) -> tuple[str, ...]:
    """What differs between two reports on a student, by the points that it is worth."""
    reasons: list[tuple[float, str]] = []
    if old.sha256 != new.sha256:
        reasons.append((1e9, "another module was handed in" if new.sha256 else "there is no module now"))
    if old.error != new.error:
        reasons.append((1e8, f"now: {new.error}" if new.error else "the module can be graded now"))
    for part in sorted({part.name for part in (*old.parts, *new.parts)}):
        before, after = (
            {check.name: check for each in report.parts if each.name == part for check in each.checks}
            for report in (old, new)
        )
        for name in dict.fromkeys((*after, *before)):
            was, now = before.get(name), after.get(name)
            by = total(((now.score if now else 0), -(was.score if was else 0)))
            if by == 0:
                continue
            kind = "is new" if was is None else "is gone" if now is None else _verdict(was.outcome, now.outcome)
            reasons.append((abs(by), f"“{name}” {kind} ({'+' if by > 0 else '−'}{shown(abs(by))})"))
    return tuple(said for _, said in sorted(reasons, key=lambda each: -each[0])) or ("the grader failed before",)


def _verdict(before: Outcome, after: Outcome) -> str:
    if before is after:
        return "has other points"
    return "passes now" if after is Outcome.PASSED else f"ends with “{after.value.replace('_', ' ')}” now"


def lines(found: Sequence[Change], entries: Sequence[Entry]) -> list[str]:
    """What the terminal shows: each change, and the counts, which add up."""
    here = [change for change in found if "is no longer in the class" not in change.why]
    up, down = sum(change.by > 0 for change in here), sum(change.by < 0 for change in here)
    same = len(entries) - len(here)
    counts = f"{counted(len(entries), 'student')}: points rise for {up}, fall for {down}, and stay the same for {same}"
    if rest := len(here) - up - down:
        counts += f", {rest} without points before or after"
    if gone := len(found) - len(here):
        counts += f"; {gone} no longer in the class"
    return [*map(str, found), f"{counts}."]
