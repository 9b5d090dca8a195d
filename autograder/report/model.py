"""What a grading run found: the model that every rendering reads.

Nothing in it is trusted to be harmless: messages quote submissions. Text is cleaned of control characters here,
once; each rendering escapes for its own format.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment
from autograder.points import total

SCHEMA = 5
JSON_SCHEMA = Path(__file__).with_name("schema.json")  # of what `Report.to_json` gives

# What has no shape of its own on a page, so that two texts look the same, or that a terminal or a parser acts on: the
# controls but tab and newline, the halves of characters, private use and what is none, spaces but the usual one, line
# separators, and Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt).
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f"
    r"\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ud800-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
    + "".join(rf"\U{plane:04x}fffe\U{plane:04x}ffff" for plane in range(15))
    + "]"
)
MOST_MARKS = 4  # combining marks in a row, as many as languages write; more of them cover what stands around
_RUN = re.compile(r"^\s*::|##\w*\[")  # what a line that holds a command looks like, and no line of Python
_COMMAND = re.compile(r"(?<=:):|(?<=##)(?=\w*\[)")


def clean(text: str, limit: int = 2000) -> str:
    """`text` with all that cannot be seen shown as its code point, «U+200B» for a zero-width space; cut at `limit`.

    That takes emoji and Indic or Persian words with joiners apart: for who compares names, visible beats pretty.
    """
    text = _UNSEEN.sub(_code_point, text.replace("\r\n", "\n")[: limit + 1])
    if not text.isascii():
        text = _without_floods(text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _code_point(character: re.Match[str]) -> str:
    return f"«U+{ord(character[0]):04X}»"


def _without_floods(text: str) -> str:
    """`text` with the combining marks shown as code points that follow no letter, or too many others."""
    shown, marks = [], MOST_MARKS
    for character in text:
        if unicodedata.category(character) in ("Mn", "Me"):
            marks += 1
            shown.append(character if marks <= MOST_MARKS else f"«U+{ord(character):04X}»")
        else:
            marks = MOST_MARKS if character.isspace() else 0
            shown.append(character)
    return "".join(shown)


def pasteable(lines: str, limit: int = 2000) -> str:
    """`printable` for lines that are printed unbroken, to be copied: code stays as it is, where it is no command."""
    return "\n".join(printable(line) if _RUN.search(line) else line for line in clean(lines, limit).split("\n"))


def printable(text: str, limit: int = 2000) -> str:
    """`clean` text for a terminal, whose output may be a CI system's log: those run lines of the log as commands.

    GitHub's begin with `::` after any space, or hold `##[`; Azure's hold `##vso[`. An invisible letter breaks both.
    """
    return _COMMAND.sub("\N{WORD JOINER}\\g<0>", clean(text, limit))


class Outcome(StrEnum):
    """How a check ended. Only `passed` earns its points."""

    PASSED = "passed"
    FAILED = "failed"  # the submission answered, wrongly
    ERROR = "error"  # the submission raised or crashed
    NOT_WRITTEN = "not_written"  # it met the NotImplementedError of the fill-in
    TIMEOUT = "timeout"
    SKIPPED = "skipped"  # something it builds on failed


@dataclass
class Hint:
    """What a mistake that was recognized means.

    Attributes:
        name: of the mistake in the bank; empty for advice that is about no mistake.
        title: what is wrong, in at most ten words.
        text: what that means for the student's code, and how to find out more. It can stand without the title.
    """

    name: str
    title: str
    text: str

    def __post_init__(self) -> None:
        self.name, self.title, self.text = clean(self.name, 200), clean(self.title, 200), clean(self.text)

    def __str__(self) -> str:
        return f"{self.title}. {self.text}".strip()


@dataclass
class Reproduction:
    """Lines that show a failure in the notebook, and how.

    Attributes:
        lines: of Python, to be pasted.
        received, expected: what they print, or the exception that ends them; and what they should print.
        approximate: whether the numbers that they should print are estimated from draws.
        restart: whether they show it only in a kernel that has just been started.
    """

    lines: str
    received: str
    expected: str
    approximate: bool = False
    restart: bool = False

    def __post_init__(self) -> None:
        self.lines, self.received, self.expected = (
            clean(each.expandtabs(), 1200) for each in (self.lines, self.received, self.expected)
        )

    def __str__(self) -> str:
        """The lines with both answers as comments, so that all of it can be pasted."""
        should = "should be about" if self.approximate else "should be"
        expected = _comment(should, self.expected) if self.expected else "# should give no error"
        return "\n".join((self.lines, _comment("gives", self.received), expected))


def _comment(word: str, text: str) -> str:
    first, *others = text.split("\n")
    return "\n".join((f"# {word} {first}", *(f"#     {other}" for other in others)))


@dataclass
class Check:
    """One check: what it looked at, how it ended, and what the student should read."""

    name: str
    outcome: Outcome
    score: float
    max_score: float
    message: str = ""
    hints: list[Hint] = field(default_factory=list)
    line: int | None = None  # of the module, where an exception names one: the submission's word, any number
    worked_example: bool = False  # whether the notebook's worked examples have shown how it ends
    reproduction: Reproduction | None = None

    def __post_init__(self) -> None:
        self.name, self.message = clean(self.name, 200), clean(self.message)

    @property
    def misconceptions(self) -> list[str]:
        """The names of the mistakes that were recognized."""
        return [hint.name for hint in self.hints if hint.name]

    def to_json(self) -> dict[str, Any]:
        """The check as plain data, with the texts of its hints as one string, and their names."""
        texts = "\n".join(hint.text for hint in self.hints)
        return asdict(self) | {"hint": texts, "misconceptions": self.misconceptions}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Check:
        """The check that `to_json` gave."""
        own = {each.name: data[each.name] for each in fields(cls)}
        own |= {"outcome": Outcome(data["outcome"]), "hints": [Hint(**hint) for hint in data["hints"]]}
        if own["reproduction"] is not None:
            own["reproduction"] = Reproduction(**own["reproduction"])
        return cls(**own)


@dataclass
class PartReport:
    """One part of the assignment (see `autograder.assignment.Part`) and its checks, in the order they ran."""

    name: str
    max_score: float
    checks: list[Check] = field(default_factory=list)
    section: str = ""
    place: tuple[str, ...] = ()
    stand_in: bool = False
    line: int | None = None  # of the module, where the part is defined
    uses: dict[str, int] = field(default_factory=dict)  # what of the module makes it or is called there, with the lines
    notes: list[str] = field(default_factory=list)  # what of the grader's stood in for all of it, a sentence each

    @property
    def score(self) -> float:
        return total(check.score for check in self.checks)


def part_reports(assignment: Assignment, checks: Mapping[str, list[Check]]) -> list[PartReport]:
    """The parts of the assignment, in its order, each with its checks so far."""
    return [
        PartReport(part.name, part.points, checks.get(part.name, []), part.section, part.place, part.stand_in)
        for part in assignment.parts
    ]


def about(assignment: Assignment) -> dict[str, Any]:
    """The fields of a report that only say which assignment it is on."""
    by_hand = assignment.by_hand
    return {
        "course": assignment.course,
        "title": assignment.title,
        "module": assignment.module,
        "by_hand": by_hand.points if by_hand else 0.0,
        "by_hand_for": by_hand.what if by_hand else "",
    }


@dataclass
class Picture:
    """A PNG image, with a label, and a description for those who cannot see it."""

    label: str
    description: str
    png: bytes


@dataclass
class Figure:
    """Pictures that belong together, one below the other."""

    caption: str
    pictures: list[Picture]


@dataclass
class Gallery:
    """What the submission draws: a sentence on how the figures were made, the figures, and what was the grader's."""

    lead: str
    figures: list[Figure]
    stood_in: list[str] = field(default_factory=list)  # pieces of the model for which the grader's own were used


@dataclass
class Report:
    """The result of grading one submission. `error` says why nothing could be graded, where that is so.

    It carries what its renderings need of the assignment, so that none of them has to know it.
    """

    submission: str
    sha256: str
    isolation: str
    seed: int
    parts: list[PartReport]
    course: str = ""
    title: str = ""
    module: str = ""
    by_hand: float = 0.0  # points that a TA gives by hand
    by_hand_for: str = ""  # what the TA looks at
    duration_s: float = 0.0
    error: str | None = None
    grader_failed: bool = False  # a check broke down by itself: the score is a lower bound, and a person must look
    notes: list[str] = field(default_factory=list)  # warnings for the reader, such as weak isolation
    attention: list[str] = field(default_factory=list)  # why a person should have a look: crashes, time-outs
    output: str = ""  # what the submission printed, cut
    timings: dict[str, float] = field(default_factory=dict)  # seconds by phase
    gallery: Gallery | None = None

    @classmethod
    def of(cls, assignment: Assignment, **values: Any) -> Report:
        """A report on a submission to the assignment; `values` are the other fields, as far as they are known."""
        blank = {"submission": assignment.module, "sha256": "", "isolation": "", "seed": 0, "parts": []}
        return cls(**about(assignment) | blank | values)

    def __post_init__(self) -> None:
        self.submission = clean(self.submission, 400)
        self.output = clean(self.output, 70_000)
        if self.error is not None:
            self.error = clean(self.error)

    @property
    def score(self) -> float:
        return total(part.score for part in self.parts)

    @property
    def max_score(self) -> float:
        return total(part.max_score for part in self.parts)

    def to_json(self) -> dict[str, Any]:
        """The report as plain data, by the contract of `--json` (the gallery left out)."""
        return {
            "schema": SCHEMA,
            "course": self.course,
            "title": self.title,
            "module": self.module,
            "by_hand": self.by_hand,
            "by_hand_for": self.by_hand_for,
            "submission": self.submission,
            "sha256": self.sha256,
            "score": self.score,
            "max_score": self.max_score,
            "isolation": self.isolation,
            "seed": self.seed,
            "duration_s": round(self.duration_s, 3),
            "error": self.error,
            "grader_failed": self.grader_failed,
            "notes": self.notes,
            "attention": self.attention,
            "parts": [
                {
                    "name": part.name,
                    "score": part.score,
                    "max_score": part.max_score,
                    "section": part.section,
                    "place": list(part.place),
                    "stand_in": part.stand_in,
                    "line": part.line,
                    "uses": part.uses,
                    "notes": part.notes,
                    "checks": [check.to_json() for check in part.checks],
                }
                for part in self.parts
            ],
            "output": self.output,
            "timings": {phase: round(seconds, 3) for phase, seconds in self.timings.items()},
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Report:
        """The report that `to_json` gave."""
        parts = [
            PartReport(
                part["name"],
                part["max_score"],
                [Check.from_json(check) for check in part["checks"]],
                part["section"],
                tuple(part["place"]),
                part["stand_in"],
                part["line"],
                part.get("uses", {}),
                part.get("notes", []),
            )
            for part in data["parts"]
        ]
        same = (
            "submission", "sha256", "isolation", "seed", "course", "title", "module", "by_hand", "by_hand_for",
            "duration_s", "error", "grader_failed", "notes", "attention", "output", "timings",
        )  # fmt: skip
        return cls(parts=parts, **{name: data[name] for name in same})


@dataclass(frozen=True)
class Observed:
    """What was seen of the figures in a notebook that was handed in, for the TA who gives points by hand.

    Attributes:
        said: what was seen, a sentence each.
        doubts: why the figures may not be those of this module, a sentence each: the notebook is then run again.
        personal: the cells whose pictures only a student's own training draws, by their ids, with what they show.
    """

    said: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    personal: Mapping[str, str] = field(default_factory=dict)
