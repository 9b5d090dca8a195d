"""What a grading run found: the model that every rendering reads.

Nothing in it is trusted to be harmless: messages quote submissions. Text is cleaned of control characters here,
once; each rendering escapes for its own format.
"""

import re
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

SCHEMA = 1
JSON_SCHEMA = Path(__file__).with_name("schema.json")  # of what `Report.to_json` gives

# Everything a terminal or a parser could act on: C0 and C1 controls but tab and newline, bidirectional overrides,
# line separators, lone surrogates, and invisible letters.
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff"
    r"\U000e0000-\U000e007f]"
)
_COMMAND = re.compile(r"(?<=:):|(?<=##)(?=\w*\[)")


def clean(text: str, limit: int = 2000) -> str:
    """`text` without control characters, cut at `limit` characters."""
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def printable(text: str, limit: int = 2000) -> str:
    """`clean` text for a terminal, whose output may be a CI system's log: those run lines of the log as commands.

    GitHub's begin with `::` after any space, or hold `##[`; Azure's hold `##vso[`. An invisible letter breaks both.
    """
    return _COMMAND.sub("\N{WORD JOINER}\\g<0>", clean(text, limit))


class Outcome(StrEnum):
    """How a check ended. Only `passed` earns its points."""

    PASSED = "passed"
    FAILED = "failed"  # the submission answered, wrongly
    ERROR = "error"  # the submission raised, crashed or is not written yet
    TIMEOUT = "timeout"
    SKIPPED = "skipped"  # something it builds on failed


@dataclass
class Check:
    """One check: what it looked at, how it ended, and what the student should read."""

    name: str
    outcome: Outcome
    score: float
    max_score: float
    message: str = ""
    hint: str = ""
    misconception: str | None = (
        None  # the name of the mistake in `autograder.assignments.cvae.hints.bank`, where it was recognised
    )
    line: int | None = None  # of the module, where an exception names one: the submission's word, any number
    worked_example: bool = False  # whether the notebook's worked examples have shown how it ends

    def __post_init__(self) -> None:
        self.name, self.message, self.hint = clean(self.name, 200), clean(self.message), clean(self.hint)


@dataclass
class PartReport:
    """One part of the assignment and its checks, in the order they ran."""

    name: str
    max_score: float
    checks: list[Check] = field(default_factory=list)

    @property
    def score(self) -> float:
        return round(sum(check.score for check in self.checks), 2)


@dataclass
class Pictures:
    """PNG images of the smoke run, as bytes; the reference's, made the same way, beside the submission's."""

    originals: bytes
    reconstructions: bytes
    generated: bytes  # one digit a class, 0 to 9, in a row
    reference_reconstructions: bytes
    reference_generated: bytes


@dataclass
class Report:
    """The result of grading one submission. `error` says why nothing could be graded, where that is so."""

    submission: str
    sha256: str
    isolation: str
    seed: int
    parts: list[PartReport]
    duration_s: float = 0.0
    error: str | None = None
    grader_failed: bool = False  # a check broke down by itself: the score is a lower bound, and a person must look
    notes: list[str] = field(default_factory=list)  # warnings for the reader, such as weak isolation
    attention: list[str] = field(default_factory=list)  # why a person should have a look: crashes, time-outs
    output: str = ""  # what the submission printed, cut
    timings: dict[str, float] = field(default_factory=dict)  # seconds by phase
    pictures: Pictures | None = None

    def __post_init__(self) -> None:
        self.submission = clean(self.submission, 400)
        self.output = clean(self.output, 70_000)
        if self.error is not None:
            self.error = clean(self.error)

    @property
    def score(self) -> float:
        return round(sum(part.score for part in self.parts), 2)

    @property
    def max_score(self) -> float:
        return sum(part.max_score for part in self.parts)

    def to_json(self) -> dict[str, Any]:
        """The report as plain data, by the contract of `--json` (pictures left out)."""
        return {
            "schema": SCHEMA,
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
                    "checks": [asdict(check) for check in part.checks],
                }
                for part in self.parts
            ],
            "output": self.output,
            "timings": {phase: round(seconds, 3) for phase, seconds in self.timings.items()},
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Report":
        """The report that `to_json` gave."""
        parts = [
            PartReport(
                part["name"],
                part["max_score"],
                [Check(**(check | {"outcome": Outcome(check["outcome"])})) for check in part["checks"]],
            )
            for part in data["parts"]
        ]
        same = (
            "submission", "sha256", "isolation", "seed", "duration_s", "error", "grader_failed", "notes", "attention",
            "output", "timings",
        )  # fmt: skip
        return cls(parts=parts, **{name: data[name] for name in same})
