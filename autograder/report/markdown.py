"""A report in GitHub's Markdown, for job summaries."""

import re

from autograder.points import shown
from autograder.report import summary
from autograder.report.model import PartReport, Report, clean
from autograder.report.summary import Finding

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
# GitHub looks for mentions and issue numbers in the finished text, where no escape is left to stop it. A word
# joiner cannot be seen and stops it.
_REFERENCE = re.compile(r"[@#]|(?<=GH)-|(?<=://)|(?<=www)\.", re.IGNORECASE)


def render(report: Report, reproduce: str | None = None) -> str:
    """The score, the table of parts, the next step, then the rest, folded; last the command that repeats it all."""
    title, sentence = summary.headline(report)
    blocks = [
        f"## {shown(report.score)} / {shown(report.max_score)} · {text(title)}",
        text(sentence),
        "\n".join(
            [
                "| Part | Points | Checks |",
                "| :-- | --: | :-- |",
                *map(_row, report.parts),
            ]
        ),
    ]
    step = summary.next_step(report)
    if report.error:
        message, *hints = report.error.split("\nHint: ")
        blocks += ["### Fix this first", fence(message), *map(_titled, hints)]
    elif step:
        where = summary.section(report, step.part)
        blocks += [f"### {'Fix next' if report.score else 'Start here'}: {code(step.part)}", *_finding(step, where)]
        if where:
            blocks.append(f"Section of the notebook: *{text(where)}*")
        rest = [finding for part in report.parts for finding in summary.findings(part) if finding != step]
        if rest:
            blocks.append(f"<details><summary>After that ({summary.counted(len(rest), 'finding')})</summary>")
            for finding in rest:
                same_as = summary.same_error(report, finding)
                blocks += [f"#### {code(finding.part)}", *_finding(finding, same_as=same_as)]
            blocks.append("</details>")
    blocks += [f"**Note:** {text(note)}" for note in report.notes]
    if report.output.strip():
        blocks += ["<details><summary>What the submission printed</summary>", fence(report.output), "</details>"]
    blocks.append(
        f"{code(report.submission)} · isolation {text(report.isolation)} · seed {report.seed}"
        f" · sha256 {code(report.sha256)}"
    )
    command = reproduce or f"autograder grade {report.module} --seed {report.seed}"
    blocks.append(f"For staff, to repeat this grading: {code(command)}")
    return "\n\n".join(blocks) + "\n"


def _row(part: PartReport) -> str:
    points = f"{shown(part.score)} / {shown(part.max_score)}"
    return f"| {code(part.name, cell=True)} | {points} | {summary.tally(part)} |"


def _finding(finding: Finding, section: str = "", same_as: str = "") -> list[str]:
    """What there is to say of a finding, but for the section to read, where that is named below it.

    An error that has stopped another part, `same_as`, is not described again.
    """
    blocks = [f"**{text(finding.title)}** ({summary.ENDED[finding.outcome]}, {finding.points})"]
    if same_as:
        return [*blocks, f"Same error as in {code(same_as)}."]
    if finding.message:
        blocks.append(fence(finding.message) if "\n" in finding.message else prose(finding.message))
    for hint in finding.hints:
        said = summary.without_section(hint.text, section)
        blocks.append(f"> **Hint: {prose(hint.title)}.** {prose(said)}".rstrip())
    if finding.reproduction:
        blocks += [summary.paste(finding.reproduction), fence(str(finding.reproduction), "python")]
    return blocks


def _titled(hint: str) -> str:
    """A hint that is given as its title and its text in one line."""
    title, _, said = hint.partition(". ")
    return f"> **Hint: {prose(title)}.** {prose(said)}"


def text(raw: str) -> str:
    """`raw` on one line, so that GitHub shows it as it is: no Markdown, HTML, image, mention or reference in it."""
    line = " ".join(clean(raw).split())
    return _PUNCTUATION.sub(r"\\\g<0>", _REFERENCE.sub("\\g<0>\N{WORD JOINER}", line))


def prose(raw: str) -> str:
    """`raw` on one line as text, with what stands between backticks as code."""
    return "".join(code(piece) if is_code else _padded(piece) for is_code, piece in summary.prose(clean(raw)))


def _padded(piece: str) -> str:
    """`text(piece)` with the spaces around it kept, so that it does not touch the code next to it."""
    return " " * piece[:1].isspace() + text(piece) + " " * piece[-1:].isspace()


def code(raw: str, cell: bool = False) -> str:
    """`raw` as a code span, which nothing inside it can close; in a table's `cell`, pipes are escaped too."""
    line = " ".join(clean(raw).split()) or "–"
    if cell:
        line = line.replace("|", "\\|")
    ticks = "`" * (_longest_run(line) + 1)
    return f"{ticks} {line} {ticks}" if "`" in line else f"{ticks}{line}{ticks}"


def fence(raw: str, language: str = "text") -> str:
    """`raw` as a code block, under a fence longer than any run of backticks in it."""
    body = clean(raw, 70_000).strip("\n")
    ticks = "`" * max(3, _longest_run(body) + 1)
    return f"{ticks}{language}\n{body}\n{ticks}"


def _longest_run(raw: str) -> int:
    return max(map(len, re.findall("`+", raw)), default=0)
