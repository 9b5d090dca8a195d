"""One student of a class: what was handed in, the report on it, and what staff should look at."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from autograder.points import shown, total
from autograder.report.model import Check, Outcome, Report, clean
from autograder.report.summary import obstacle
from autograder.submissions.copied import has_no_code
from autograder.submissions.layouts import Submitted
from autograder.submissions.traces import defining

NAME_LIMIT = 120
REASON_LIMIT = 400

_ENDS = re.compile(r"[.?!]$")  # of a sentence
_EMPTY = hashlib.sha256(b"").hexdigest()


class Standing(StrEnum):
    """How far a submission came: each has exactly one. The statistics are of those that were graded."""

    GRADED = "graded"
    NOT_STARTED = "not started"  # a file without code, or the fill-in as it was handed out
    STOPPED = "stopped"  # a module that cannot be imported, or that ended the grading: nothing is known of its parts
    NO_MODULE = "no module"  # something was handed in, but no module that could be graded
    NOTHING = "nothing handed in"
    GRADER_FAILED = "grader failed"  # the grader could not read it, or broke down: no fault of the submission's


@dataclass(frozen=True)
class Recorded:
    """What a gradebook has of one student's submission.

    Attributes:
        automatic: the points of the checks, as they stand there: staff may have changed them.
        by_hand: the points that staff gave; None as long as they are missing.
        most: what can be had, by hand included.
        penalty: what is taken off for lateness.
        late, handed_in, until: as in `Submitted`.
    """

    automatic: float
    by_hand: float | None
    most: float
    penalty: float = 0.0
    late: bool | None = None
    handed_in: datetime | None = None
    until: datetime | None = None

    @property
    def final(self) -> float:
        """The grade: never below 0."""
        return max(0, total((self.automatic, self.by_hand or 0, -self.penalty)))


@dataclass(frozen=True)
class Repair:
    """A small change with which a module that stops early gets further: for staff, and never a grade.

    Attributes:
        line: of the module, from 1.
        text: that line as the repair has it.
        score: what the whole module gets with it.
    """

    line: int
    text: str
    score: float

    def __str__(self) -> str:
        text = clean(self.text.strip(), 160).replace("`", "'")
        reads = f"reading `{text}`" if text not in ("", "pass") else "removed"
        return f"with line {self.line} {reads}, this module gets {shown(self.score)}"


@dataclass(frozen=True)
class Entry:
    """One student's submission and its report.

    Attributes:
        student: the id, as the upload or the roster has it: nobody vouches for that text.
        report: pictures in it are not shown.
        page: the link to the student's page, relative to the class page and percent-encoded.
        submitted: what was handed in and how it was read, where that is known.
        recorded: what a gradebook has of it, where one was read.
        repair: a small change with which it gets further, where one was found.
    """

    student: str
    report: Report
    page: str | None = None
    submitted: Submitted | None = None
    recorded: Recorded | None = None
    repair: Repair | None = None

    @property
    def name(self) -> str:
        """The person's name; the id where no other is known."""
        return clean((self.submitted and self.submitted.name) or self.student, NAME_LIMIT)

    @property
    def standing(self) -> Standing:
        return standing(self.report, self.submitted)

    @property
    def score(self) -> float | None:
        """The points of the checks; None where the grader failed: that is no zero of the student's."""
        return None if self.standing is Standing.GRADER_FAILED else self.report.score

    @property
    def final(self) -> float | None:
        """The grade that goes out: the gradebook's if there is one. None where there is none to give."""
        if self.recorded:
            return self.recorded.final
        return None if self.standing is Standing.NOTHING else self.score

    @property
    def cause(self) -> str | None:
        """Why nothing could be graded, without what a student is advised to do; None where something was."""
        found = obstacle(self.report)
        return found.message if found else self.report.error

    @property
    def reasons(self) -> list[str]:
        """Why staff should look at this submission; empty where nobody needs to. Every output goes by this."""
        report = self.report
        said = [cause] if (cause := self.cause) and self.standing is not Standing.NOTHING else []
        said += report.attention
        if self.standing is Standing.GRADED and not self.score and self._has_no_name:
            said.append("the module defines none of the required names: see whether it is for this assignment")
        if self.recorded and self.score is not None and self.recorded.automatic != self.score:
            said.append(
                f"the gradebook has {shown(self.recorded.automatic)} points of the checks and this report "
                f"{shown(self.score)}: points were changed there, or it has to be graded again"
            )
        begun = {each for each in said for other in said if _ENDS.search(each) and other.startswith(f"{each} ")}
        return [clean(reason, REASON_LIMIT) for reason in dict.fromkeys(said) if reason not in begun]

    @property
    def _has_no_name(self) -> bool:
        """Whether the module defines nothing of what the parts are about; so may a file of another week."""
        names = {part.place[0] for part in self.report.parts if part.place}
        source = self.submitted.source if self.submitted else None
        return bool(names and source) and not defining(names).search(source or b"")

    @property
    def lacks_hand_points(self) -> bool:
        """Whether staff still have to give points to it by hand."""
        return self.recorded is not None and self.recorded.by_hand is None

    @property
    def late(self) -> bool | None:
        known = self.recorded or self.submitted
        return known.late if known else None

    @property
    def handed_in(self) -> datetime | None:
        known = (self.recorded and self.recorded.handed_in) or (self.submitted and self.submitted.handed_in)
        return known or None

    @property
    def until(self) -> datetime | None:
        known = (self.recorded and self.recorded.until) or (self.submitted and self.submitted.until)
        return known or None


def standing(report: Report, submitted: Submitted | None = None) -> Standing:
    """Where a submission stands; see `Standing`.

    A module in which no check passes and none found anything written is the handout, whatever else was edited in it.
    """
    if report.grader_failed:
        return Standing.GRADER_FAILED
    if submitted and submitted.source is None:
        return Standing.NOTHING if submitted.nothing else Standing.NO_MODULE
    if report.sha256 == _EMPTY or (submitted and submitted.source is not None and has_no_code(submitted.source)):
        return Standing.NOT_STARTED
    if report.error:
        graded = submitted or report.sha256 or report.attention
        return Standing.STOPPED if graded else Standing.NO_MODULE
    untouched = all(check.outcome in (Outcome.SKIPPED, Outcome.NOT_WRITTEN) for check in checks_of(report))
    return Standing.NOT_STARTED if untouched else Standing.GRADED


def checks_of(report: Report) -> list[Check]:
    return [check for part in report.parts for check in part.checks]


def lateness(submitted: Submitted) -> list[str]:
    """What is known of when it was handed in, for the student and the staff; nothing if it was in time."""
    until = f"; the extension ends on {_time(submitted.until)}" if submitted.until else ""
    if submitted.late:
        return [f"handed in late{f', on {_time(submitted.handed_in)}' if submitted.handed_in else ''}{until}"]
    if submitted.until and submitted.late is None and submitted.source is not None:
        return [f"whether it came in time is not known{until}"]
    return [f"handed in within the extension, on {_time(submitted.handed_in)}"] if until and submitted.handed_in else []


def _time(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def iso(when: datetime | None) -> str | None:
    return when.astimezone(UTC).isoformat(timespec="seconds") if when else None


def person(entry: Entry) -> dict[str, Any]:
    """A student as plain data."""
    return {"student": clean(entry.student, NAME_LIMIT), "name": entry.name, "page": entry.page}


def people(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return [person(entry) for entry in entries]
