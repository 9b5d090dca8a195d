"""A report on the terminal. Only `Text` objects are printed: Rich reads no markup in them."""

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from autograder.points import shown
from autograder.report import summary
from autograder.report.model import Hint, Outcome, PartReport, Report, pasteable, printable
from autograder.report.summary import Finding

OUTPUT_LINES = 12
OUTPUT_COLUMNS = 200
MESSAGE_LIMIT = 800
REPRODUCTION_LIMIT = 4000


def render(report: Report, console: Console) -> None:
    """Print `report` on `console`: points by part, what to fix and how, lines to paste, then how it was graded."""
    title, sentence = summary.headline(report)
    console.print()
    console.print(
        Text.assemble((f"{shown(report.score)} / {shown(report.max_score)}", "bold cyan"), "  ", (title, "bold"))
    )
    console.print(Text(sentence, "dim"))
    if report.error:
        found = summary.obstacle(report)
        console.print(Text(printable(found.message if found else report.error, MESSAGE_LIMIT), "red"))
        for hint in found.hints if found else ():
            console.print(_hint(hint))
    step = summary.next_step(report)
    console.print(_table(report, step))
    _print_lines(report, console)
    if step and not report.error:
        console.print(
            Text.assemble(
                ("Next: ", "bold cyan"),
                step.part if len(step.checks) > 1 else f"{step.part}, {step.title}",
                (_where(summary.section(report, step.part)), "dim"),
            )
        )
    for note in report.notes:
        console.print(Text.assemble(("Note: ", "bold yellow"), printable(note)))
    if report.output.strip():
        console.print(_output(report.output))
    console.print(
        Text(
            f"isolation {printable(report.isolation)} · seed {report.seed} · {report.duration_s:.1f} s"
            f" · sha256 {printable(report.sha256)[:12]}",
            "dim",
        )
    )


def _table(report: Report, step: Finding | None) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, expand=False)
    table.add_column("part", no_wrap=True)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("what was found", overflow="fold", ratio=1)
    for part in report.parts:
        points = Text.assemble((shown(part.score), "bold"), (f" / {shown(part.max_score)}", "dim"))
        told = step is not None and step.part == part.name  # which section to read, below the table
        table.add_row(Text(printable(part.name), "bold"), points, _found(report, part, "" if told else part.section))
    return table


def _found(report: Report, part: PartReport, section: str) -> Table:
    """How many checks pass; then each finding once, and the section to read."""
    error = report.error
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    if summary.complete(part):
        grid.add_row(Text("✓", "green"), Text(summary.tally(part)))
        for said in (*filter(None, (check.message for check in part.checks)), *part.notes):
            grid.add_row("", Text(printable(said, MESSAGE_LIMIT), "dim"))
        return grid
    found = [
        finding
        for finding in summary.findings(part)
        if not (error and (error in finding.message or (finding.message and finding.message in error)))
    ]
    if not (found and found[0].whole):
        grid.add_row("", Text(summary.tally(part), "dim"))
    for finding in found:  # what repeats the report's error was said above, once
        title = Text.assemble((finding.title, "bold"), (f" ({finding.points})", "dim"))
        grid.add_row(_mark(finding.outcome), title)
        if first := summary.same_error(report, finding):
            grid.add_row("", Text(f"Same error as in `{printable(first)}`."))
            continue
        if finding.message:
            grid.add_row("", Text(printable(finding.message, MESSAGE_LIMIT)))
        for hint in finding.hints:
            grid.add_row("", _hint(hint, part.section))
        if finding.reproduction:
            grid.add_row("", Text("Code that shows the mistake is below the table.", "cyan"))
    for note in part.notes:
        grid.add_row("", Text(printable(note, MESSAGE_LIMIT), "dim"))
    elsewhere = [summary.same_error(report, finding) for finding in found]
    if section and not error and not (found and all(elsewhere)):
        grid.add_row("", Text(f"Read “{printable(section)}” in the notebook.", "dim"))
    return grid


def _hint(hint: Hint, section: str = "") -> Text:
    """A hint, but for the section to read, which is named once."""
    said = summary.without_section(str(hint), section)
    return Text.assemble(("Hint: ", "cyan"), printable(said, MESSAGE_LIMIT))


def _print_lines(report: Report, console: Console) -> None:
    """The lines that show each failure: at the left edge and never broken, so that they survive being copied."""
    found = [finding for part in report.parts for finding in summary.findings(part)]
    shown = [(each, each.reproduction) for each in found if each.reproduction and not summary.same_error(report, each)]
    if not shown or report.error:
        return
    console.print(Text(summary.paste(*(reproduction for _, reproduction in shown)), "cyan"))
    for finding, reproduction in shown:
        console.print()
        heading = " ".join(f"# {finding.part}: {finding.title}".split())
        lines = pasteable(f"{heading}\n{reproduction}", REPRODUCTION_LIMIT)
        console.print(Text(lines), soft_wrap=True)
    console.print()


def _mark(outcome: Outcome) -> Text:
    return Text("–", "dim") if outcome is Outcome.SKIPPED else Text("✗", "yellow")


def _where(section: str) -> str:
    return f" (notebook: {section})" if section else ""


def _output(output: str) -> Padding:
    """The first lines of what the submission printed."""
    lines = printable(output, len(output) + 1).strip("\n").splitlines()
    shown = [line if len(line) <= OUTPUT_COLUMNS else line[: OUTPUT_COLUMNS - 1] + "…" for line in lines[:OUTPUT_LINES]]
    left = len(lines) - len(shown)
    more = f"{left} more lines; --html shows them" if left else None
    panel = Panel(Text("\n".join(shown)), title="printed by the submission", subtitle=more, title_align="left")
    return Padding(panel, (1, 0))
