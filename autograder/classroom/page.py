"""The page of a class, which says what to explain again, and the table of grades."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment
from autograder.classroom import items
from autograder.classroom.entries import Entry, Standing, iso
from autograder.classroom.figures import by_name, figures, key
from autograder.classroom.similarity import Alike
from autograder.classroom.spreadsheet import harmless_cell
from autograder.report import html, summary
from autograder.report.model import clean
from autograder.submissions.layouts import Upload

GROUPS_SHOWN = 50

# The closing line counts in these words.
_COUNTED = {
    Standing.GRADED: "graded",
    Standing.NOT_STARTED: "not started",
    Standing.STOPPED: "stopped",
    Standing.NO_MODULE: "without a module",
    Standing.NOTHING: "handed in nothing",
    Standing.GRADER_FAILED: "not read or not graded",
}


def closing(found: dict[str, Any]) -> str:
    """The counts of a class in one sentence: they add up to its students. `found` is what `figures` gives."""
    counts = [f"{found[key(each)]} {words}" for each, words in _COUNTED.items() if found[key(each)]]
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
    counted = [("To review by hand", found["attention"])]
    if final := found["final"]:
        counted.append(("Hand-graded points missing", final["lacking"]))
    lines += [f"{words}: {len(people)} ({_named(people)})." for words, people in counted if people]
    for words, people in (("Late", found["late"]), ("Not in the roster", found["not_in_roster"])):
        if people:
            lines.append(f"{words}: {_named(people)}.")
    if found["groups"]:
        lines.append(f"Nearly the same: {summary.counted(len(found['groups']), 'group')}.")
    if found["left_aside"]:
        lines.append(f"Left aside: {', '.join(found['left_aside'])}.")
    return [*lines, *found["adjusted"], *(f"Check: {warning}" for warning in found["warnings"])]


def _named(people: list[dict[str, Any]], most: int = 30) -> str:
    names = [
        f"{each['name']} ({each['student']})" if each["name"] != each["student"] else each["name"] for each in people
    ]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def index(
    entries: Sequence[Entry],
    alike: Alike,
    assignment: Assignment,
    upload: Upload | None = None,
    adjusted: Sequence[str] = (),
    anonymous: bool = False,
) -> str:
    """The class page, self-contained: no script, no request. With `anonymous`, nothing on it says who anyone is.

    Links go to `Entry.page` and `Pair.page` where they are set. Of the groups, which are ranked, the first
    `GROUPS_SHOWN` are shown.
    """
    found = figures(entries, alike, assignment, upload, adjusted)
    final = found["final"]
    mistakes = found["misconceptions"]
    groups = found["groups"]
    return html.page(
        "class.html.j2",
        ["page.css.j2", "class.css.j2"],
        Path(__file__).parent,
        assignment=assignment,
        anonymous=anonymous,
        counted=summary.counted,
        found=found,
        closing=closing(found),
        small=found["graded"] < items.SMALL,
        shared=[row for row in mistakes if row["count"] > 1],
        single=[row for row in mistakes if row["count"] == 1],
        histograms=[("Points of the checks", found["distribution"])]
        + ([("Final grades", final["distribution"])] if final and final["complete"] else []),
        groups_shown=GROUPS_SHOWN,
        alike={each["student"] for group in groups[:GROUPS_SHOWN] for each in group["members"]},
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
    last = [
        "name",
        "late",
        "handed_in",
        "extension",
        "notes",
        "points_by_hand",
        "penalty",
        "final",
        "lacks_hand_points",
    ]
    writer.writerow(
        ["student", "score", "max_score", *parts, "standing", "sha256", "seed", "error", "attention", *last, "repair"]
    )
    for entry in sorted(entries, key=by_name):
        report, recorded = entry.report, entry.recorded
        known = entry.score is not None  # else an empty cell: it is no zero of the student's
        points = {part.name: part.score for part in report.parts} if known else {}
        row = [
            clean(entry.student),
            _cell(entry.score),
            report.max_score,
            *(_cell(points.get(part)) for part in parts),
            entry.standing.value,
            clean(report.sha256),
            report.seed if report.sha256 else "",
            clean(entry.cause or ""),
            clean("; ".join(entry.reasons)),
            entry.name,
            {True: "yes", False: "no", None: ""}[entry.late],
            iso(entry.handed_in) or "",
            iso(entry.until) or "",
            clean("; ".join(report.notes)),
            _cell(recorded.by_hand if recorded else None),
            _cell(recorded.penalty if recorded else None),
            _cell(entry.final),
            ("yes" if entry.lacks_hand_points else "no") if recorded else "",
            str(entry.repair or ""),
        ]
        writer.writerow([harmless_cell(cell) for cell in row])
    return file.getvalue()


def _cell(points: float | None) -> float | str:
    return "" if points is None else points
