"""What a TA needs where points are given by hand, on one screen; and the page that the student gets back."""

import base64
from collections import defaultdict
from typing import Any

from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_task
from traitlets import List, Unicode

from autograder.platforms.nbgrader.figures import HANDED_IN, RUN_AGAIN, Drawn, Figures, Submission
from autograder.platforms.nbgrader.markup import block, text
from autograder.platforms.nbgrader.submitted import assignment_of
from autograder.report import render, summary
from autograder.report.model import Report, clean
from autograder.submissions.source import decoded

MAX_LINES = 1500  # of the module, and characters of a line
MAX_LINE = 300

# For the figures and the module side by side, in the notebook's own width.
_COLUMNS = "display: flex; flex-wrap: wrap; gap: 1em; align-items: flex-start"
_FIGURES = "flex: 1 1 16em; min-width: 0"
_MODULE = "flex: 1 1 24em; min-width: 0"
_SCROLLED = "max-height: 32em; overflow: auto; border: 1px solid #ddd; background: #fff; font-size: 12px"
_NUMBER = "color: #888; text-align: right; padding: 0 0.6em; user-select: none; vertical-align: top"
_HINT = "background: #fff3cd; border-left: 3px solid #b8860b; padding: 0.1em 0.6em; font-family: sans-serif"


class Overview(NbGraderPreprocessor):
    """Puts before the box for points by hand what there is to see, and keeps the report for the feedback."""

    assignments = List(Unicode(), help="The assignments of the course, by name or folder.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        report, source = resources.pop("autograder_report")
        nb.metadata["autograder"] = {"report": render(report, "html")}
        by_hand = assignment_of(self, resources).by_hand
        tasks = {cell.metadata.nbgrader.grade_id: at for at, cell in reversed([*enumerate(nb.cells)]) if is_task(cell)}
        if tasks:
            at = tasks.get(by_hand.name if by_hand else "", min(tasks.values()))
            seen = resources.pop("autograder_figures", None)
            cells = [_cell(_overview(seen, report, source), "overview")]
            if seen and (seen[0].doubts or seen[2].note):
                cells.insert(0, _cell(_doubts(seen[0], seen[2]), "for the TA"))
            nb.cells[at:at] = cells
        return nb, resources


class FeedbackPage(HTMLExporter):
    """The page that a student gets back, by the template in `pages`; formgrader keeps its own."""


class ForStudents(NbGraderPreprocessor):
    """Takes out of the feedback what is for the TA alone: it can name other students."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        nb.cells = [cell for cell in nb.cells if cell.metadata.get("autograder") != "for the TA"]
        return nb, resources


def _cell(html: str, kind: str) -> NotebookNode:
    return new_markdown_cell(html, metadata={"autograder": kind})


def _overview(seen: tuple[Submission, Figures, Figures] | None, report: Report, source: bytes) -> str:
    pieces = []
    if seen:
        submission, handed_in, again = seen
        pieces.append((_FIGURES, _sheet(submission, handed_in, HANDED_IN)))
        pieces += [(_FIGURES, _sheet(submission, again, RUN_AGAIN))] if again.drawn else []
    if source:
        pieces.append((_MODULE, f"<p><b>{text(report.module)}</b></p>{_code(report, source)}"))
    columns = "".join(f'<div style="{style}">{piece}</div>' for style, piece in pieces)
    points = f"{report.score:g} of {summary.counted(report.max_score, 'point')} by the autograder"
    return block(f'<p><b>At a glance</b> &middot; {points}</p><div style="{_COLUMNS}">{columns}</div>')


def _sheet(submission: Submission, figures: Figures, label: str) -> str:
    """The figures that count, small, and what was seen in them."""
    titles, ids = figures.observed.personal, submission.ids
    shown = [each for each in figures.pictures if not titles or ids.get(each.cell) in titles]
    small = "".join(_small(each, titles.get(ids.get(each.cell, ""), "a figure")) for each in shown)
    said = "".join(f"<p>{text(sentence)}</p>" for sentence in figures.observed.said)
    sheet = f'<div style="columns: 2; column-gap: 1em; margin-bottom: 0.5em">{small}</div>' if small else "<p>None.</p>"
    return f"<p><b>{label}</b></p>{sheet}{said}"


def _small(drawn: Drawn, title: str) -> str:
    data = base64.b64encode(drawn.png).decode()
    return (
        f'<div style="break-inside: avoid; margin-bottom: 0.5em"><img alt="{text(title)}" style="max-width: 100%; '
        f'max-height: 14em; margin: 0; border: 0" src="data:image/png;base64,{data}">'
        f'<div style="font-size: 85%">{text(title)}</div></div>'
    )


def _doubts(submission: Submission, again: Figures) -> str:
    doubts = [*submission.doubts, *(f"In the run: {each}" for each in again.observed.doubts)]
    doubts += [f"The run ended early: {again.note}"] if again.note else []
    listed = "".join(f"<li>{text(each)}</li>" for each in doubts)
    return block(f"<p><b>Please look closely</b> (students do not see this)</p><ul>{listed}</ul>", "#b8860b")


def _code(report: Report, source: bytes) -> str:
    """What the hints say, and the module, in which they stand under the line that they are about."""
    lines = decoded(source).removesuffix("\n").split("\n")[:MAX_LINES]
    hints = _hints(report, len(lines))
    rows = []
    for number, line in enumerate(lines, 1):
        code = text(clean(line.expandtabs(4), MAX_LINE))
        marked = ' style="background: #fff3cd"' if number in hints else ""
        rows.append(
            f'<tr{marked}><td style="{_NUMBER}">{number}</td>'
            f'<td style="text-align: left; white-space: pre; font-family: monospace">{code}</td></tr>'
        )
        rows += [
            f'<tr><td></td><td style="text-align: left"><div style="{_HINT}">{text(hint)}</div></td></tr>'
            for hint in hints.get(number, ())
        ]
    if (more := len(source.splitlines()) - len(lines)) > 0:
        rows.append(f"<tr><td></td><td><b>{summary.counted(more, 'more line')} of the module: not shown</b></td></tr>")
    listed = [f"<li>line {number}: {text(hint)}</li>" for number in sorted(hints) for hint in hints[number]]
    above = f'<ul style="margin: 0 0 0.5em 1.5em">{"".join(listed)}</ul>' if listed else ""
    table = f'<table style="border: none; margin: 0; width: 100%">{"".join(rows)}</table>'
    return f'{above}<div style="{_SCROLLED}">{table}</div>'


def _hints(report: Report, most: int) -> dict[int, list[str]]:
    """What is to be said of a line of the module, by its number: where an error was raised, else where the part is."""
    said: dict[int, list[str]] = defaultdict(list)
    for part in report.parts:
        for finding in summary.findings(part):
            lines = [line for line in (*(check.line for check in finding.checks), part.line) if line and line <= most]
            title = "; ".join(hint.title for hint in finding.hints) or finding.message or finding.title
            if lines and (sentence := f"{part.name}: {clean(title, 300)}") not in said[lines[0]]:
                said[lines[0]].append(sentence)
    return said
