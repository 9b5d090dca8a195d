"""How a report is read, whatever the format: what works, the one thing to fix next, and each thing said once."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from autograder.points import shown, total
from autograder.report.model import Check, Hint, Outcome, PartReport, Report, Reproduction, clean

ENDED = {
    Outcome.PASSED: "works",
    Outcome.FAILED: "not right yet",
    Outcome.ERROR: "stopped with an error",
    Outcome.NOT_WRITTEN: "not written yet",
    Outcome.TIMEOUT: "took too long",
    Outcome.SKIPPED: "waiting for another check",
}

MOST_SAID = 20  # lines about one upload

_NUMBER = re.compile(r"\d+")
_CODE = re.compile(r"`([^`\n]+)`")


def sentence(text: str) -> str:
    """The text with a capital and an end; a name of a file or of code that begins it stays as it is."""
    first = text.split(" ", 1)[0]
    begins = text if re.search(r"[^a-z',;:-]", first) else f"{text[:1].upper()}{text[1:]}"
    return begins if begins.endswith(("?", "!")) else f"{begins.removesuffix('.')}."


def few(said: Iterable[str], most: int = MOST_SAID) -> list[str]:
    """What is said of one upload, as far as people read: a small file can give reason for thousands of lines."""
    every = [*said]
    more = len(every) - most
    return [*every[:most], f"{more:,} more like these are left out"] if more > 0 else every


def some_of(names: Sequence[str], most: int) -> str:
    """The first names, for a message, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


@dataclass(frozen=True)
class Finding:
    """Checks of one part that did not pass and have the same to say."""

    part: str
    checks: tuple[Check, ...]
    whole: bool  # whether these are all the checks of the part, and more than one
    given: tuple[Hint, ...] = ()  # what earlier findings of the part have said
    shown: tuple[Reproduction, ...] = ()  # what they have shown

    @property
    def title(self) -> str:
        if self.whole:
            return f"All {len(self.checks)} checks" if len(self.checks) > 2 else "Both checks"
        return self.names if len(self.checks) < 3 else f"{len(self.checks)} checks, same reason"

    @property
    def names(self) -> str:
        return "; ".join(clean(check.name, 200) for check in self.checks)

    @property
    def mistakes(self) -> set[str]:
        """The names of the mistakes that were recognized."""
        return {name for check in self.checks for name in check.misconceptions}

    @property
    def outcome(self) -> Outcome:
        return self.checks[0].outcome

    @property
    def message(self) -> str:
        return self.checks[0].message.strip()

    @property
    def said(self) -> tuple[object, ...]:
        return _said(self.checks[0])

    @property
    def hints(self) -> list[Hint]:
        """What is new to who has read the part so far, after the titles of what is not."""
        every = self.checks[0].hints
        again = [
            Hint("", f"{hint.title}{' (see above)' * bool(hint.name)}", "") for hint in every if hint in self.given
        ]
        return [*again, *(hint for hint in every if hint not in self.given)]

    @property
    def reproduction(self) -> Reproduction | None:
        """The lines that show it, unless an earlier finding of the part has shown them."""
        found = next((check.reproduction for check in self.checks if check.reproduction), None)
        return None if found in self.shown else found

    @property
    def fix_first(self) -> list[Hint]:
        """The advice to fix something else first, which names no mistake."""
        return [hint for hint in self.checks[0].hints if not hint.name]

    @property
    def line(self) -> int | None:
        return next((check.line for check in self.checks if check.line), None)

    @property
    def worth(self) -> float:
        """The points still to be earned here."""
        return total(check.max_score - check.score for check in self.checks)

    @property
    def points(self) -> str:
        """`0 of 6 points`: next to what passes, `6 points` alone would look earned."""
        earned, most = (total(getattr(check, name) for check in self.checks) for name in ("score", "max_score"))
        return f"{shown(earned)} of {counted(most, 'point')}"


def _said(check: Check) -> tuple[object, ...]:
    """What a check has to say: of an error in a line, without its numbers, which come from the sizes of the inputs."""
    stopped = check.outcome is Outcome.ERROR and check.line is not None
    return (check.line, _NUMBER.sub("0", check.message)) if stopped else (check.message,)


def paste(*shown: Reproduction) -> str:
    """What to do with lines that show a failure."""
    restart = "Restart the kernel, run" if any(each.restart for each in shown) else "Run"
    return (
        f"{restart} the notebook's first code cell, then paste these lines into a new cell. They use other inputs than "
        "the check, so the numbers can differ from those above."
    )


def findings(part: PartReport) -> list[Finding]:
    """What did not pass in `part`, in order; checks with the same outcome, message and hint are one finding.

    A check without a word of its own stands alone: only a message can make two checks the same.
    """
    alike: dict[tuple[object, ...], list[Check]] = {}
    for check in part.checks:
        if check.outcome is not Outcome.PASSED:
            told = check.message or any(map(str, check.hints))
            said = (*_said(check), *map(str, check.hints)) if told else (id(check),)
            alike.setdefault((check.outcome, *said), []).append(check)
    found: list[Finding] = []
    given: list[Hint] = []
    shown: list[Reproduction] = []
    for checks in alike.values():
        whole = 1 < len(checks) == len(part.checks)
        found.append(Finding(part.name, tuple(checks), whole, tuple(given), tuple(shown)))
        given += checks[0].hints
        shown += filter(None, [found[-1].reproduction])
    return found


def next_step(report: Report) -> Finding | None:
    """The first finding in the order of the notebook; what was skipped only waits for another, so it comes last."""
    ordered = [finding for part in report.parts for finding in findings(part)]
    return min(ordered, key=lambda finding: finding.outcome is Outcome.SKIPPED, default=None)


def same_reason(report: Report, step: Finding) -> list[Finding]:
    """The other findings that go away with `step`: they say the same, or no mistake was recognized but its own."""
    others = [finding for part in report.parts for finding in findings(part) if finding != step]
    said = step.said, step.checks[0].hints
    return [
        each
        for each in others
        if (each.mistakes and each.mistakes <= step.mistakes)
        or (step.message and (each.said, each.checks[0].hints) == said)
    ]


def same_error(report: Report, finding: Finding) -> str:
    """The first part that an error stopped, where it stops another part, too; empty for anything else."""
    for part in report.parts if finding.outcome is Outcome.ERROR and finding.message else ():
        if part.name == finding.part:
            break
        if any(each.outcome is Outcome.ERROR and each.said == finding.said for each in findings(part)):
            return part.name
    return ""


def waiting(report: Report) -> Iterator[Finding]:
    """The findings that may be gone once something earlier is right: they were skipped, or say what to fix first."""
    for part in report.parts:
        for finding in findings(part):
            if finding.outcome is Outcome.SKIPPED or finding.fix_first:
                yield finding


def may_follow(report: Report, step: Finding) -> float:
    """The points of checks that may pass once `step` is fixed, apart from those lost for the same reason."""
    others = [finding for finding in waiting(report) if finding != step and finding not in same_reason(report, step)]
    fixed_first = f"`{step.part}`"
    return total(
        each.worth
        for each in others
        if each.part == step.part or any(fixed_first in hint.title for hint in each.fix_first)
    )


def worth(report: Report, step: Finding) -> str:
    """What there is to earn: in the step itself, in checks that fail for the same reason, and in those that wait."""
    alike = same_reason(report, step)
    again, later = total(each.worth for each in alike), may_follow(report, step)
    said = [counted(step.worth + again, "point")]
    if again:
        said[0] += f" for this error in {sum(len(each.checks) for each in (step, *alike))} checks"
    if later:
        said.append(f"up to {shown(later)} more in checks that depend on {'them' if again else 'this one'}")
    return ", and ".join(said)


def used_its_own(*names: str, where: str) -> str:
    """Say where pieces of the grader's stand in for these, which are wrong or were not reached."""
    these = listed(f"`{name}`" for name in names)
    yours = f"yours {'does' if len(names) == 1 else 'do'} not pass yet"
    return f"{where}, the grader used its own {these}, because {yours}."


def stood_in(report: Report) -> list[str]:
    """The functions that are not right yet, for which the grader's own stood in where others build on them."""
    return [part.name for part in report.parts if part.stand_in and not complete(part)]


def obstacle(report: Report) -> Finding | None:
    """What the checks say about that which kept anything from being graded, where they say it."""
    every = (finding for part in report.parts for finding in findings(part))
    return next((each for each in every if report.error and each.message and each.message in report.error), None)


def unreached(report: Report, check: Check) -> bool:
    """Whether a check could not run, for the reason that the whole report gives."""
    said = check.message.strip()
    return bool(report.error) and (
        (check.outcome is Outcome.SKIPPED and not report.grader_failed)
        or str(report.error) in said
        or bool(said and said in str(report.error))
    )


def ended(report: Report, check: Check) -> str:
    """How a check that does not pass ended, in words."""
    return "not reached" if unreached(report, check) else ENDED[check.outcome]


def passed(part: PartReport) -> list[Check]:
    return [check for check in part.checks if check.outcome is Outcome.PASSED]


def complete(part: PartReport) -> bool:
    """Whether nothing is left to do in `part`."""
    return bool(part.checks) and len(passed(part)) == len(part.checks)


def tally(part: PartReport) -> str:
    """How many of the checks of `part` pass, in words."""
    count, total = len(passed(part)), len(part.checks)
    if not total:
        return "not graded"
    return f"{count} of {counted(total, 'check')}"


def headline(report: Report) -> tuple[str, str]:
    """A title and a sentence for the top of a report: true, and what works before what does not."""
    done = sum(complete(part) for part in report.parts)
    if report.error:
        return "Your file could not be graded.", "Fix the error below, and every part is checked."
    if report.parts and done == len(report.parts):
        return "Everything works.", "Every check passes."
    if report.score == 0:
        return "Ready for the first points.", "No points yet. Follow the notebook, one part at a time."
    if done == 0:
        return "You are on your way.", "Some checks pass already. Go on with the one below."
    builds = " Some checks build on earlier ones, and may pass once those are right." if any(waiting(report)) else ""
    return f"{done} of {counted(len(report.parts), 'part')} {'is' if done == 1 else 'are'} done.", (
        f"You keep the points for what works.{builds}"
    )


def by_hand(report: Report) -> str:
    """What the score leaves out: the points that a TA gives; empty where there are none."""
    if not report.by_hand or report.error:
        return ""
    return f"A TA grades {report.by_hand_for} for another {counted(report.by_hand, 'point')}."


def about(report: Report, finding: Finding) -> str:
    """The part in which the cause of a finding is: the one that its message begins with, if it names another."""
    named = re.match(r"Your `(\w+)`", finding.message)
    return named[1] if named and any(each.name == named[1] for each in report.parts) else finding.part


def place(report: Report, part: str) -> tuple[str, int | None]:
    """Where the module defines the part called `part`: its dotted name, and the line where that is known."""
    found = next((each for each in report.parts if each.name == part), None)
    return (".".join(found.place) if found else "", found.line if found else None)


def uses(report: Report, part: str) -> dict[str, int]:
    """What of the module makes the part called `part` or is called there, with the lines where it begins."""
    return next((each.uses for each in report.parts if each.name == part), {})


def section(report: Report, part: str) -> str:
    """The section of the notebook that teaches the part called `part`; empty where there is none."""
    return next((each.section for each in report.parts if each.name == part), "")


def without_section(text: str, section: str) -> str:
    """A hint without its sentence on the section to read, for a page that names the section elsewhere."""
    return text.replace(f"Read “{section}” in the notebook.", "").strip()


def counted(count: float, noun: str) -> str:
    """`1 point`, `2.5 points`."""
    return f"{shown(count)} {noun}{'' if count == 1 else 's'}"


def listed(things: Iterable[object]) -> str:
    """`64`, `64 and 256`, `64, 256 and 512`."""
    *others, last = map(str, things)
    return f"{', '.join(others)} and {last}" if others else last


def prose(text: str) -> Iterator[tuple[bool, str]]:
    """The pieces of `text`, each with whether it stands between backticks and so is code."""
    for index, piece in enumerate(_CODE.split(text)):
        if piece:
            yield index % 2 == 1, piece
