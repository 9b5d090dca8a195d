"""The figures of a class, `class.json`: what the page, the table and the terminal show, as plain data."""

import math
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from autograder.assignment import Assignment
from autograder.classroom import items
from autograder.classroom.entries import NAME_LIMIT, REASON_LIMIT, Entry, Standing, checks_of, iso, people, person
from autograder.classroom.similarity import Alike
from autograder.grading import hints
from autograder.points import total
from autograder.report.model import Outcome, Report, clean
from autograder.report.summary import counted, few
from autograder.sandbox.isolation import LEVELS
from autograder.submissions.layouts import Upload

SCHEMA = 3
BIN = 10  # points, in the distribution of scores
SEEN = 3  # messages that are shown of a mistake, none like another but for its numbers
NAMED = 12  # students who are named next to a check
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")  # with its sign


def key(each: Standing) -> str:
    """The name of a standing's count."""
    return each.value.replace(" ", "_")


def figures(
    entries: Sequence[Entry],
    alike: Alike,
    assignment: Assignment,
    upload: Upload | None = None,
    adjusted: Sequence[str] = (),
) -> dict[str, Any]:
    """What is known of the class. All text in it is cleaned of control characters.

    Shares and means are of the students whose submission was graded (`Standing`); `mean_of_all` counts the others as
    the zero that they have. `adjusted` says which checks were dropped, or given to all.
    """
    entries = sorted(entries, key=by_name)
    graded = [entry for entry in entries if entry.standing is Standing.GRADED]
    scores = [entry.report.score for entry in graded]
    highest = max((entry.report.max_score for entry in entries), default=assignment.points)
    count = Counter(entry.standing for entry in entries)
    known = [entry.score for entry in entries if entry.score is not None]
    analysis = items.analyze([entry.report for entry in graded])
    upload = upload or Upload([])
    return {
        "schema": SCHEMA,
        "assignment": f"{assignment.course}, {assignment.title}",
        "max_score": highest,
        "submissions": len(entries),
        **{key(each): count[each] for each in Standing},
        "roster": upload.enrolled,
        "adjusted": [clean(each) for each in adjusted],
        **_lists(entries),
        "left_aside": [clean(name) for name in upload.aside],
        "warnings": [clean(warning) for warning in [*upload.warnings, *_weakly_isolated(graded)]],
        **_spread(scores),
        "mean_of_all": _rounded(statistics.fmean(known)) if known else None,
        "full_marks": sum(score >= highest for score in scores),
        "distribution": _distribution(scores, highest, _step(graded)),
        "final": _final(entries, assignment),
        "misconceptions": _misconceptions(graded, assignment),
        "unnamed": people(entry for entry in graded if _fails_a_check(entry.report) and not mistakes(entry.report)),
        "parts": _parts(graded, analysis.discrimination),
        "reliability": {
            "alpha": None if analysis.alpha is None else round(analysis.alpha, 4),
            "students": analysis.students,
            "checks": len(analysis.discrimination),
            "said": analysis.said,
        },
        **_alike(alike, entries),
        "students": [_row(entry) for entry in entries],
    }


def _fails_a_check(report: Report) -> bool:
    """Whether points were lost for code that is written."""
    return any(check.outcome in (Outcome.FAILED, Outcome.ERROR, Outcome.TIMEOUT) for check in checks_of(report))


def _weakly_isolated(graded: Sequence[Entry]) -> list[str]:
    """A warning where submissions could read files of the grader's."""
    weak = {each.name for each in LEVELS if not each.strong}
    count = sum(entry.report.isolation in weak for entry in graded)
    return [f"{counted(count, 'submission')} ran with weak isolation; see autograder doctor."] if count else []


def _lists(entries: Sequence[Entry]) -> dict[str, list[dict[str, Any]]]:
    """Who has something that staff should know."""
    return {
        "not_in_roster": people(entry for entry in entries if entry.submitted and entry.submitted.unlisted),
        "late": people(entry for entry in entries if entry.late),
        "extended": people(entry for entry in entries if entry.until),
        "attention": [{**person(entry), "reasons": entry.reasons} for entry in entries if entry.reasons],
        "repairs": [
            {**person(entry), "line": each.line, "text": clean(each.text.strip(), REASON_LIMIT), "score": each.score}
            | {"said": str(each)}
            for entry in entries
            if (each := entry.repair)
        ],
        "guesses": [
            {**person(entry), "notes": [clean(note, REASON_LIMIT) for note in few(entry.submitted.notes)]}
            for entry in entries
            if entry.submitted and entry.submitted.notes
        ],
    }


def by_name(entry: Entry) -> tuple[str, str]:
    """The order in which a class is listed."""
    return entry.name.casefold(), entry.student


def _rounded(number: float) -> float:
    return round(number, 2)


def _spread(scores: Sequence[float]) -> dict[str, float | None]:
    return {
        "mean": _rounded(statistics.fmean(scores)) if scores else None,
        "median": _rounded(statistics.median(scores)) if scores else None,
    }


def _row(entry: Entry) -> dict[str, Any]:
    report, recorded, submitted = entry.report, entry.recorded, entry.submitted
    return {
        **person(entry),
        "keys": {kind: clean(each, NAME_LIMIT) for kind, each in submitted.keys.items()} if submitted else {},
        "standing": entry.standing.value,
        "score": entry.score,
        "max_score": report.max_score,
        "by_hand": recorded.by_hand if recorded else None,
        "penalty": recorded.penalty if recorded else None,
        "final": entry.final,
        "lacks_hand_points": entry.lacks_hand_points,
        "parts": [
            {"name": clean(part.name, NAME_LIMIT), "score": part.score, "max_score": part.max_score}
            for part in report.parts
        ],
        "misconceptions": list(mistakes(report)) if entry.standing is Standing.GRADED else [],
        "sha256": clean(report.sha256, NAME_LIMIT),
        "seed": report.seed if report.sha256 else None,
        "error": clean(report.error, REASON_LIMIT) if report.error else None,
        "attention": entry.reasons,
        "repair": str(entry.repair) if entry.repair else None,
        "notes": [clean(note, REASON_LIMIT) for note in report.notes],
        "late": entry.late,
        "handed_in": iso(entry.handed_in),
        "extension": iso(entry.until),
    }


def _final(entries: Sequence[Entry], assignment: Assignment) -> dict[str, Any] | None:
    """The grades of the gradebook, and whose hand-graded points are missing; None where no gradebook was read."""
    recorded = [entry for entry in entries if entry.recorded]
    if not recorded:
        return None
    whole = assignment.points + (assignment.by_hand.points if assignment.by_hand else 0)
    highest = max((entry.recorded.most for entry in recorded if entry.recorded), default=whole)
    complete = [entry for entry in recorded if not entry.lacks_hand_points]
    grades = [entry.final for entry in complete if entry.final is not None]
    return {
        "max_score": highest,
        "students": len(recorded),
        "complete": len(complete),
        **_spread(grades),
        "full_marks": sum(grade >= highest for grade in grades),
        "distribution": _distribution(grades, highest, _unit(grades)),
        "lacking": people(entry for entry in recorded if entry.lacks_hand_points),
        "penalized": people(entry for entry in recorded if entry.recorded and entry.recorded.penalty),
    }


def _distribution(scores: Sequence[float], highest: float, unit: float) -> list[dict[str, Any]]:
    """Students by score, in steps of `BIN` points; full marks have a bar of their own.

    `to` is the highest score that counts to a bar, where scores are multiples of `unit`.
    """
    bars = []
    for start in range(0, math.ceil(highest), BIN):
        below = min(start + BIN, highest)
        inside = sum(start <= score < below for score in scores)
        bars.append({"from": start, "below": below, "to": max(start, total((below, -unit))), "students": inside})
    full = sum(score >= highest for score in scores)
    return [*bars, {"from": highest, "below": None, "to": None, "students": full}]


def _step(graded: Sequence[Entry]) -> float:
    """The unit of the points that checks give."""
    return _unit({check.max_score for entry in graded for check in checks_of(entry.report)})


def _unit(points: Iterable[float]) -> float:
    """The largest of a point, a half, a quarter and a hundredth of which all `points` are multiples."""
    hundredths = {round(100 * each) for each in points}
    return next(unit / 100 for unit in (100, 50, 25, 1) if all(each % unit == 0 for each in hundredths))


def _alike(alike: Alike, entries: Sequence[Entry]) -> dict[str, Any]:
    """The groups of nearly equal modules, with the names of their students."""
    names = {entry.student: entry.name for entry in entries}

    def member(student: str) -> dict[str, Any]:
        return {"student": clean(student, NAME_LIMIT), "name": names.get(student, clean(student, NAME_LIMIT))}

    return {
        "pairs": [
            asdict(link)
            | {side: clean(getattr(link, side), NAME_LIMIT) for side in ("first", "second")}
            | {"names": [member(side)["name"] for side in (link.first, link.second)]}
            for group in alike.groups
            for link in group.links
            if {link.first, link.second} <= {*group.members}
        ],
        "groups": [
            {
                "members": [member(each) for each in group.members],
                "outside": [clean(each, NAME_LIMIT) for each in group.outside],
                "similarity": group.similarity,
                "identical": group.identical,
                "renamed": group.renamed,
                "what": group.what,
                "pairs": [
                    {
                        "names": [member(side)["name"] for side in (link.first, link.second)],
                        "similarity": link.similarity,
                        "identical": link.identical,
                        "renamed": link.renamed,
                        "page": link.page,
                    }
                    for link in group.links
                ],
            }
            for group in alike.groups
        ],
        "not_compared": [clean(each) for each in alike.not_compared],
    }


# --- misconceptions -----------------------------------------------------------------------------------------------


def mistakes(report: Report) -> dict[str, list[str]]:
    """The mistakes that the checks named, each with the parts of these checks."""
    named: dict[str, list[str]] = {}
    for part in report.parts:
        for name in dict.fromkeys(clean(each, NAME_LIMIT) for check in part.checks for each in check.misconceptions):
            named.setdefault(name, []).append(part.name)
    return named


def _messages(report: Report) -> dict[str, str]:
    """What the first check that named a mistake said of it: it names the object."""
    said: dict[str, str] = {}
    for check in checks_of(report):
        for name in check.misconceptions:
            if check.message:
                said.setdefault(clean(name, NAME_LIMIT), clean(check.message, REASON_LIMIT))
    return said


def _cost(report: Report, mistake: str) -> float:
    """The points lost in the checks that named a mistake, and in those that wait where a part has no other mistake."""
    costs = []
    for part in report.parts:
        named = [{clean(name, NAME_LIMIT) for name in check.misconceptions} for check in part.checks]
        alone = set().union(*named) == {mistake}
        costs += [
            check.max_score - check.score
            for check, names in zip(part.checks, named, strict=True)
            if mistake in names or (alone and check.outcome is Outcome.SKIPPED)
        ]
    return total(costs)


def _misconceptions(graded: Sequence[Entry], assignment: Assignment) -> list[dict[str, Any]]:
    """The mistakes by how many students made them, each student counted once; of equals, in the notebook's order."""
    made: dict[str, list[Entry]] = {}
    found_in: dict[str, set[str]] = {}  # the parts whose checks named a mistake
    said: dict[str, dict[str, list[str]]] = {}  # messages by mistake and kind
    for entry in graded:
        for name, found in mistakes(entry.report).items():
            made.setdefault(name, []).append(entry)
            found_in.setdefault(name, set()).update(found)
        for name, message in _messages(entry.report).items():
            said.setdefault(name, {}).setdefault(_NUMBER.sub("0", message), []).append(message)
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
        where = sorted(found_in[name], key=lambda part: _place(parts, part))
        part = (mistake and mistake.part_where(where)) or where[0]
        rows.append(
            {
                "name": name,
                "title": mistake.title if mistake else name,
                "text": mistake.text if mistake else "",
                "part": clean(part, NAME_LIMIT),
                "section": sections.get(part, ""),
                "parts": [clean(each, NAME_LIMIT) for each in where],
                "sections": [said for each, said in sections.items() if said and each in {part, *where}],
                "count": len(who),
                "share": round(len(who) / len(graded), 4),
                "mean_cost": _rounded(statistics.fmean(_cost(entry.report, name) for entry in who)),
                "seen": [
                    {"message": alike[0], "students": len(alike)}
                    for alike in sorted(said.get(name, {}).values(), key=len, reverse=True)[:SEEN]
                ],
                "students": people(who),
            }
        )
    return sorted(rows, key=lambda row: (-row["count"], place(row)))


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


# --- points lost --------------------------------------------------------------------------------------------------


def _parts(graded: Sequence[Entry], discrimination: Mapping[items.Item, float | None]) -> list[dict[str, Any]]:
    """The points that each part and each check cost, the costliest part first, the check that most failed first."""
    found: dict[str, dict[str, Any]] = {}
    for entry in graded:
        for part in entry.report.parts:
            row = found.setdefault(
                part.name, {"max_score": part.max_score, "section": part.section, "lost": [], "checks": {}}
            )
            row["lost"].append(total((part.max_score, -part.score)))
            for check in part.checks:
                row["checks"].setdefault(check.name, (check.max_score, []))[1].append(
                    None if check.outcome is Outcome.PASSED else entry
                )
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
                        "students": len(who := people(filter(None, failed))),
                        "of": len(failed),
                        "share": round(len(who) / len(failed), 4),
                        "who": who[:NAMED],
                        "discrimination": None if (r := discrimination.get((name, check))) is None else round(r, 4),
                    }
                    for check, (max_score, failed) in row["checks"].items()
                ),
                key=lambda check: -check["students"],
            ),
        }
        for name, row in found.items()
    ]
    return sorted(parts, key=lambda part: -part["mean_lost"])
