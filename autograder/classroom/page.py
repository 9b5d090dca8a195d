"""A whole class: the page that says what to re-teach, the table of grades, and the numbers behind both."""

import csv
import hashlib
import io
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment
from autograder.classroom.cells import inert
from autograder.classroom.similarity import Pair
from autograder.grading import hints
from autograder.points import total
from autograder.report import html, summary
from autograder.report.model import Check, Outcome, Report, clean
from autograder.submissions.layouts import Submitted, Upload

SCHEMA = 2
BIN = 10  # points, in the distribution of scores
PAIRS_SHOWN = 50
NAME_LIMIT = 120
REASON_LIMIT = 400


@dataclass(frozen=True)
class Entry:
    """One student's submission and its report.

    Attributes:
        student: the id, as the upload or the roster has it: nobody vouches for that text.
        report: pictures in it are not shown.
        page: the link to the student's page, relative to the class page and percent-encoded.
        submitted: what was handed in and how it was read, where that is known.
    """

    student: str
    report: Report
    page: str | None = None
    submitted: Submitted | None = None

    @property
    def name(self) -> str:
        """The person's name; the id where no other is known."""
        return clean((self.submitted and self.submitted.name) or self.student, NAME_LIMIT)

    @property
    def standing(self) -> "Standing":
        return standing(self.report, self.submitted)


class Standing(StrEnum):
    """How far a submission came: each has exactly one. The statistics are of those that were graded."""

    GRADED = "graded"
    NOT_STARTED = "not started"  # an empty file, or the fill-in as it was handed out
    STOPPED = "stopped"  # a module that cannot be imported, or that ended the grading: nothing is known of its parts
    NO_MODULE = "no module"  # something was handed in, but no module that could be graded
    NOTHING = "nothing handed in"
    GRADER_FAILED = "grader failed"  # the grader could not read it, or broke down: no fault of the submission's


# The closing line counts in these words.
_COUNTED = {
    Standing.GRADED: "graded",
    Standing.NOT_STARTED: "not started",
    Standing.STOPPED: "stopped",
    Standing.NO_MODULE: "without a module",
    Standing.NOTHING: "handed in nothing",
    Standing.GRADER_FAILED: "that the grader could not read or grade",
}
_EMPTY = hashlib.sha256(b"").hexdigest()


def standing(report: Report, submitted: Submitted | None = None) -> Standing:
    """Where a submission stands; see `Standing`.

    A module in which no check passes and none found anything written is the hand-out, whatever else was edited in it.
    """
    if report.grader_failed:
        return Standing.GRADER_FAILED
    if submitted and submitted.source is None:
        return Standing.NOTHING if submitted.nothing else Standing.NO_MODULE
    checks = _checks(report)
    if report.sha256 == _EMPTY or not (submitted or report.attention or (checks and report.sha256)):
        return Standing.NOT_STARTED
    if report.error:
        return Standing.STOPPED
    untouched = all(check.outcome in (Outcome.SKIPPED, Outcome.NOT_WRITTEN) for check in checks)
    return Standing.NOT_STARTED if untouched else Standing.GRADED


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


def _iso(when: datetime | None) -> str | None:
    return when.astimezone(UTC).isoformat(timespec="seconds") if when else None


def closing(found: dict[str, Any]) -> str:
    """The counts of a class in one sentence: they add up to its students. `found` is what `figures` gives."""
    counts = [f"{found[_key(each)]} {words}" for each, words in _COUNTED.items() if found[_key(each)]]
    more = len(found["not_in_roster"])
    everybody = summary.counted(found["submissions"], "student")
    if found["roster"] is not None:
        everybody = f"{found['roster']} in the roster" + (
            f" and {more} who {'is' if more == 1 else 'are'} not" if more else ""
        )
    return f"{everybody}: {', '.join(counts) or 'nobody'}."


def closing_lines(found: dict[str, Any]) -> list[str]:
    """What a terminal shows of a class when it is graded: the counts, and whatever does not fit together."""
    lines = [closing(found)]
    for words, key in (("Late", "late"), ("Not in the roster", "not_in_roster")):
        if found[key]:
            lines.append(f"{words}: {', '.join(map(_named, found[key]))}.")
    if found["left_aside"]:
        lines.append(f"Left aside: {', '.join(found['left_aside'])}.")
    return [*lines, *(f"Check: {warning}" for warning in found["warnings"])]


def _named(person: dict[str, Any]) -> str:
    name, student = person["name"], person["student"]
    return f"{name} ({student})" if name != student else name


def _key(each: Standing) -> str:
    return each.value.replace(" ", "_")


def index(entries: Sequence[Entry], pairs: Sequence[Pair], assignment: Assignment, upload: Upload | None = None) -> str:
    """The class page, self-contained: no script, no request.

    Links go to `Entry.page` and `Pair.page` where they are set. Of the pairs, which are ranked, the first
    `PAIRS_SHOWN` are shown.
    """
    found = figures(entries, pairs, assignment, upload)
    widest = max((bar["students"] for bar in found["distribution"]), default=0)
    return html.page(
        "class.html.j2",
        ["page.css.j2", "class.css.j2"],
        Path(__file__).parent,
        assignment=assignment,
        counted=summary.counted,
        found=found,
        closing=closing(found),
        widest=max(widest, 1),
        pairs_shown=PAIRS_SHOWN,
        alike={student for pair in found["pairs"][:PAIRS_SHOWN] for student in (pair["first"], pair["second"])},
        frame=_frame(assignment),
        by_standing={each.name: [row for row in found["students"] if row["standing"] == each] for each in Standing},
    )


def _frame(assignment: Assignment) -> dict[str, Any]:
    """Where the bar of each part begins and how wide it is, in points, with gaps between them."""
    parts, x = {}, 0.0
    for part in assignment.parts:
        parts[part.name] = (round(x, 2), part.points)
        x += part.points + 2
    return {"width": round(x - 2, 2), "parts": parts}


def table(entries: Iterable[Entry], assignment: Assignment) -> str:
    """`grades.csv`: a row a student, a column a part, for a spreadsheet, which will take no cell for a formula.

    Write it with `newline=""`.
    """
    parts = [part.name for part in assignment.parts]
    file = io.StringIO()
    # All text quoted: where spreadsheets take semicolons for separators, a cell could end before its time.
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    last = ["name", "late", "handed_in", "extension", "notes"]
    writer.writerow(
        ["student", "score", "max_score", *parts, "standing", "sha256", "seed", "error", "attention", *last]
    )
    for entry in sorted(entries, key=_by_name):
        report = entry.report
        known = entry.standing is not Standing.GRADER_FAILED  # else an empty cell: it is no zero of the student's
        points = {part.name: part.score for part in report.parts} if known else {}
        row = [
            clean(entry.student),
            report.score if known else "",
            report.max_score,
            *(points.get(part, "") for part in parts),
            entry.standing.value,
            clean(report.sha256),
            report.seed,
            clean(report.error or ""),
            clean("; ".join(report.attention)),
            entry.name,
            *_handed_in(entry.submitted),
            clean("; ".join(report.notes)),
        ]
        writer.writerow([inert(cell) for cell in row])
    return file.getvalue()


def _handed_in(submitted: Submitted | None) -> list[str]:
    """Late or not, when it was handed in, and the extension, for a table; empty where it is not known."""
    if submitted is None:
        return ["", "", ""]
    late = {True: "yes", False: "no", None: ""}[submitted.late]
    return [late, _iso(submitted.handed_in) or "", _iso(submitted.until) or ""]


def figures(
    entries: Sequence[Entry], pairs: Sequence[Pair], assignment: Assignment, upload: Upload | None = None
) -> dict[str, Any]:
    """`class.json`: what the page shows, as plain data. All text in it is cleaned of control characters.

    Shares and means are of the students whose submission was graded (`Standing`); `mean_of_all` counts the others as
    the zero that they have.
    """
    entries = sorted(entries, key=_by_name)
    graded = [entry for entry in entries if entry.standing is Standing.GRADED]
    scores = [entry.report.score for entry in graded]
    highest = max((entry.report.max_score for entry in entries), default=assignment.points)
    count = Counter(entry.standing for entry in entries)
    names = {entry.student: entry.name for entry in entries}
    known = [entry.report.score for entry in entries if entry.standing is not Standing.GRADER_FAILED]
    upload = upload or Upload([])
    return {
        "schema": SCHEMA,
        "assignment": f"{assignment.course}, {assignment.title}",
        "max_score": highest,
        "submissions": len(entries),
        **{_key(each): count[each] for each in Standing},
        "roster": upload.enrolled,
        "not_in_roster": _people(entry for entry in entries if entry.submitted and entry.submitted.unlisted),
        "late": _people(entry for entry in entries if entry.submitted and entry.submitted.late),
        "left_aside": [clean(name) for name in upload.aside],
        "warnings": [clean(warning) for warning in upload.warnings],
        "mean": _rounded(statistics.fmean(scores)) if scores else None,
        "median": _rounded(statistics.median(scores)) if scores else None,
        "mean_of_all": _rounded(statistics.fmean(known)) if known else None,
        "full_marks": sum(score >= highest for score in scores),
        "distribution": _distribution(scores, highest),
        "misconceptions": _misconceptions(graded, assignment),
        "unnamed": _people(
            entry for entry in graded if entry.report.score < entry.report.max_score and not _mistakes(entry.report)
        ),
        "parts": _parts(graded),
        "attention": [{**_person(entry), "reasons": reasons} for entry in entries if (reasons := _reasons(entry))],
        "guesses": [
            {**_person(entry), "notes": [clean(note, REASON_LIMIT) for note in entry.submitted.notes]}
            for entry in entries
            if entry.submitted and entry.submitted.notes
        ],
        "pairs": [
            asdict(pair)
            | {side: clean(getattr(pair, side), NAME_LIMIT) for side in ("first", "second")}
            | {"names": [names.get(student, clean(student, NAME_LIMIT)) for student in (pair.first, pair.second)]}
            for pair in pairs
        ],
        "students": [_row(entry) for entry in entries],
    }


def _by_name(entry: Entry) -> tuple[str, str]:
    return entry.name.casefold(), entry.student


def _checks(report: Report) -> list[Check]:
    return [check for part in report.parts for check in part.checks]


def _rounded(number: float) -> float:
    return round(number, 2)


def _person(entry: Entry) -> dict[str, Any]:
    return {"student": clean(entry.student, NAME_LIMIT), "name": entry.name, "page": entry.page}


def _people(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return [_person(entry) for entry in entries]


def _reasons(entry: Entry) -> list[str]:
    """Why staff should look at this submission: also where nothing in it could be graded."""
    report = entry.report
    reasons = [report.error] if report.error and entry.standing is not Standing.NOTHING else []
    return [clean(reason, REASON_LIMIT) for reason in dict.fromkeys((*reasons, *report.attention))]


def _row(entry: Entry) -> dict[str, Any]:
    report, submitted = entry.report, entry.submitted
    return {
        **_person(entry),
        "standing": entry.standing.value,
        "score": report.score if entry.standing is not Standing.GRADER_FAILED else None,
        "max_score": report.max_score,
        "parts": [
            {"name": clean(part.name, NAME_LIMIT), "score": part.score, "max_score": part.max_score}
            for part in report.parts
        ],
        "misconceptions": list(_mistakes(report)) if entry.standing is Standing.GRADED else [],
        "sha256": clean(report.sha256, NAME_LIMIT),
        "seed": report.seed,
        "error": clean(report.error, REASON_LIMIT) if report.error else None,
        "attention": [clean(reason, REASON_LIMIT) for reason in report.attention],
        "notes": [clean(note, REASON_LIMIT) for note in report.notes],
        "late": submitted.late if submitted else None,
        "handed_in": _iso(submitted.handed_in) if submitted else None,
        "extension": _iso(submitted.until) if submitted else None,
    }


def _distribution(scores: Sequence[float], highest: float) -> list[dict[str, Any]]:
    """Students by score, in steps of `BIN` points; full marks have a bar of their own."""
    bars = [
        {
            "from": start,
            "below": min(start + BIN, highest),
            "students": sum(start <= score < min(start + BIN, highest) for score in scores),
        }
        for start in range(0, math.ceil(highest), BIN)
    ]
    return [*bars, {"from": highest, "below": None, "students": sum(score >= highest for score in scores)}]


# --- misconceptions -----------------------------------------------------------------------------------------------


def _mistakes(report: Report) -> dict[str, str]:
    """The mistakes that the checks named, each with the part of the first check that named it."""
    named: dict[str, str] = {}
    for part in report.parts:
        for check in part.checks:
            for name in check.misconceptions:
                named.setdefault(clean(name, NAME_LIMIT), part.name)
    return named


def _misconceptions(graded: Sequence[Entry], assignment: Assignment) -> list[dict[str, Any]]:
    """The mistakes by how many students made them, each student counted once; of equals, in the notebook's order."""
    made: dict[str, list[Entry]] = {}
    fallback: dict[str, str] = {}
    for entry in graded:
        for name, part in _mistakes(entry.report).items():
            made.setdefault(name, []).append(entry)
            fallback.setdefault(name, part)
    if not made:
        return []
    known = hints.bank(assignment)
    sections = {part.name: part.section for part in assignment.parts}
    parts, names = list(sections), list(known)

    def place(row: dict[str, Any]) -> tuple[int, int]:
        """In the notebook's order; what belongs to no part, or has no name in the bank, comes last."""
        return _place(parts, row["part"]), _place(names, row["name"])

    rows = []
    for name, who in made.items():
        mistake = known.get(name)
        part = (mistake and mistake.part) or fallback[name]
        rows.append(
            {
                "name": name,
                "title": mistake.title if mistake else name,
                "text": mistake.text if mistake else "",
                "part": clean(part, NAME_LIMIT),
                "section": sections.get(part, ""),
                "count": len(who),
                "share": round(len(who) / len(graded), 4),
                "students": _people(who),
            }
        )
    return sorted(rows, key=lambda row: (-row["count"], place(row)))


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


# --- points lost --------------------------------------------------------------------------------------------------


def _parts(graded: Sequence[Entry]) -> list[dict[str, Any]]:
    """The points that each part and each check cost, the costliest part first, the check that most failed first."""
    found: dict[str, dict[str, Any]] = {}
    for entry in graded:
        for part in entry.report.parts:
            row = found.setdefault(
                part.name, {"max_score": part.max_score, "section": part.section, "lost": [], "checks": {}}
            )
            row["lost"].append(total((part.max_score, -part.score)))
            for check in part.checks:
                row["checks"].setdefault(check.name, (check.max_score, []))[1].append(check.outcome is Outcome.PASSED)
    parts = [
        {
            "name": clean(name, NAME_LIMIT),
            "section": row["section"],
            "max_score": row["max_score"],
            "mean_lost": _rounded(statistics.fmean(row["lost"])),
            "students": sum(lost > 0 for lost in row["lost"]),
            "share": round(sum(lost > 0 for lost in row["lost"]) / len(row["lost"]), 4),
            "checks": sorted(
                (
                    {
                        "name": clean(check, 200),
                        "max_score": max_score,
                        "students": passed.count(False),
                        "share": round(passed.count(False) / len(passed), 4),
                    }
                    for check, (max_score, passed) in row["checks"].items()
                ),
                key=lambda check: -check["students"],
            ),
        }
        for name, row in found.items()
    ]
    return sorted(parts, key=lambda part: -part["mean_lost"])
