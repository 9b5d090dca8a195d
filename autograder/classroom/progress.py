"""The progress of a class on the terminal: a bar with rate and remaining time, and how grades fall so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from autograder.classroom.entries import Entry

OUTCOMES = ("full marks", "half or more", "less than half", "0 points")
REVIEW = "of these, to review by hand"


def outcomes(entry: Entry) -> list[str]:
    """Which of OUTCOMES a student counts to, and REVIEW where a person has to look."""
    report = entry.report
    share = report.score / report.max_score if report.max_score else 0
    score = OUTCOMES[0 if share == 1 else 1 if share >= 0.5 else 2 if share > 0 else 3]
    return [score, REVIEW] if entry.reasons else [score]


def _counted(entries: Sequence[Entry]) -> Counter[str]:
    return Counter(name for entry in entries for name in outcomes(entry))


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{60 * task.speed:.0f} a minute" if task.speed else "")


class ClassProgress:
    """Shows a class being graded, `known` of it already; a context manager, silent where `shown` is false."""

    def __init__(self, console: Console, total: int, known: Sequence[Entry] = (), shown: bool = True) -> None:
        self._bar = Progress(
            TextColumn("Grading"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console,
        )
        self._task = self._bar.add_task("", total=total, completed=len(known))
        self._counts = _counted(known)
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=4) if shown else None

    def _render(self) -> Group:
        columns = (*OUTCOMES, REVIEW)
        table = Table(*columns, box=None)
        table.add_row(*(str(self._counts[name]) for name in columns))
        return Group(self._bar, table)

    def done(self, entries: Sequence[Entry]) -> None:
        """Count students who were just graded."""
        self._counts.update(_counted(entries))
        self._bar.advance(self._task, len(entries))

    def __enter__(self) -> ClassProgress:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()
            if not self._live.console.is_terminal:
                self._live.console.print()  # ends the line, which rich leaves open
