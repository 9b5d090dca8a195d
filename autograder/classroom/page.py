"""A whole class: the page that says what to re-teach, the table of grades, and the numbers behind both."""

import csv
import hashlib
import io
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from autograder.assignment import Assignment
from autograder.classroom.cells import inert
from autograder.classroom.similarity import Pair
from autograder.grading import hints
from autograder.report import html, summary
from autograder.report.model import Check, Outcome, Report, clean

SCHEMA = 1
BIN = 10  # points, in the distribution of scores
PAIRS_SHOWN = 50
NAME_LIMIT = 120
REASON_LIMIT = 400


@dataclass(frozen=True)
class Entry:
    """One student's submission and its report.

    Attributes:
        student: who, as the folder or the file was called: nobody vouches for that text.
        report: pictures in it are not shown.
        page: the link to the student's page, relative to the class page and percent-encoded.
    """

    student: str
    report: Report
    page: str | None = None

    @property
    def name(self) -> str:
        return clean(self.student, NAME_LIMIT)


class Standing(StrEnum):
    """How far a submission came. The statistics are of those that were graded."""

    GRADED = "graded"
    NOT_STARTED = "not started"  # nothing handed in, an empty file, or the fill-in as it was handed out
    NOT_GRADED = (
        "not graded"  # handed in, but it cannot be imported, or the grader failed: nothing is known of its parts
    )


def standing(report: Report) -> Standing:
    """Where a submission stands; see `Standing`.

    A module in which no check passes and none found anything written is the hand-out, whatever else was edited in it.
    """
    checks = _checks(report)
    nothing = not checks or report.sha256 in ("", hashlib.sha256(b"").hexdigest())
    if nothing and not (report.grader_failed or report.attention):
        return Standing.NOT_STARTED
    if report.error or report.grader_failed:
        return Standing.NOT_GRADED
    untouched = (check.outcome is Outcome.SKIPPED or check.message.startswith("Not written yet") for check in checks)
    return Standing.NOT_STARTED if all(untouched) else Standing.GRADED


def index(entries: Sequence[Entry], pairs: Sequence[Pair], assignment: Assignment) -> str:
    """The class page, self-contained: no script, no request.

    Links go to `Entry.page` and `Pair.page` where they are set. Of the pairs, which are ranked, the first
    `PAIRS_SHOWN` are shown.
    """
    found = figures(entries, pairs, assignment)
    widest = max((bar["students"] for bar in found["distribution"]), default=0)
    return html.page(
        "class.html.j2",
        ["page.css.j2", "class.css.j2"],
        assignment=assignment,
        counted=summary.counted,
        found=found,
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
    writer.writerow(["student", "score", "max_score", *parts, "standing", "sha256", "seed", "error", "attention"])
    for entry in sorted(entries, key=_by_name):
        report = entry.report
        points = {part.name: part.score for part in report.parts}
        row = [
            clean(entry.student),
            report.score,
            report.max_score,
            *(points.get(part, "") for part in parts),
            standing(report).value,
            clean(report.sha256),
            report.seed,
            clean(report.error or ""),
            clean("; ".join(report.attention)),
        ]
        writer.writerow([inert(cell) for cell in row])
    return file.getvalue()


def figures(entries: Sequence[Entry], pairs: Sequence[Pair], assignment: Assignment) -> dict[str, Any]:
    """`class.json`: what the page shows, as plain data. All text in it is cleaned of control characters.

    Shares and means are of the students whose submission was graded (`Standing`); `mean_of_all` counts the others as
    the zero that they have.
    """
    entries = sorted(entries, key=_by_name)
    graded = [entry for entry in entries if standing(entry.report) is Standing.GRADED]
    scores = [entry.report.score for entry in graded]
    highest = max((entry.report.max_score for entry in entries), default=assignment.points)
    count = Counter(standing(entry.report) for entry in entries)
    return {
        "schema": SCHEMA,
        "assignment": f"{assignment.course}, {assignment.title}",
        "max_score": highest,
        "submissions": len(entries),
        **{each.value.replace(" ", "_"): count[each] for each in Standing},
        "mean": _rounded(statistics.fmean(scores)) if scores else None,
        "median": _rounded(statistics.median(scores)) if scores else None,
        "mean_of_all": _rounded(statistics.fmean(entry.report.score for entry in entries)) if entries else None,
        "full_marks": sum(score >= highest for score in scores),
        "distribution": _distribution(scores, highest),
        "misconceptions": _misconceptions(graded, assignment),
        "unnamed": _people(
            entry for entry in graded if entry.report.score < entry.report.max_score and not _mistakes(entry.report)
        ),
        "parts": _parts(graded),
        "attention": [
            {**_person(entry), "reasons": reasons} for entry in entries if (reasons := _reasons(entry.report))
        ],
        "pairs": [
            asdict(pair) | {side: clean(getattr(pair, side), NAME_LIMIT) for side in ("first", "second")}
            for pair in pairs
        ],
        "students": [_row(entry) for entry in entries],
    }


def _by_name(entry: Entry) -> tuple[str, str]:
    return entry.student.casefold(), entry.student


def _checks(report: Report) -> list[Check]:
    return [check for part in report.parts for check in part.checks]


def _rounded(number: float) -> float:
    return round(number, 2)


def _person(entry: Entry) -> dict[str, Any]:
    return {"student": entry.name, "page": entry.page}


def _people(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return [_person(entry) for entry in entries]


def _reasons(report: Report) -> list[str]:
    """Why a person should look at this submission: also where none was found in what was handed in."""
    reasons = [report.error] if report.error else []
    return [clean(reason, REASON_LIMIT) for reason in dict.fromkeys((*reasons, *report.attention))]


def _row(entry: Entry) -> dict[str, Any]:
    report = entry.report
    return {
        **_person(entry),
        "standing": standing(report).value,
        "score": report.score,
        "max_score": report.max_score,
        "parts": [
            {"name": clean(part.name, NAME_LIMIT), "score": part.score, "max_score": part.max_score}
            for part in report.parts
        ],
        "misconceptions": list(_mistakes(report)) if standing(report) is Standing.GRADED else [],
        "sha256": clean(report.sha256, NAME_LIMIT),
        "seed": report.seed,
        "error": clean(report.error, REASON_LIMIT) if report.error else None,
        "attention": [clean(reason, REASON_LIMIT) for reason in report.attention],
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
                "text": mistake.text if mistake else name,
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
            row["lost"].append(round(part.max_score - part.score, 2))
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
