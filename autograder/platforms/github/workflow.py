"""A report in a step of a GitHub workflow: job summary, annotations on the module's lines, points and outputs.

Sources: GitHub, "Workflow commands for GitHub Actions", https://docs.github.com/actions/reference/workflow-commands;
for the points, the reporter that GitHub Classroom read, https://github.com/classroom-resources/autograding-grading-reporter
"""

import base64
import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

from autograder.points import shown
from autograder.report import markdown, summary
from autograder.report.model import Outcome, Report
from autograder.report.summary import Finding

FILES = ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")  # the files that a step writes to, by the variable that names each
ANNOTATIONS = 10  # of one kind in one step: GitHub shows no more


@contextmanager
def step() -> Iterator[list[str]]:
    """Print everything inside as plain text, and the workflow commands in the yielded list at the end.

    A runner treats a line as a command if it starts with `::` or contains `##[`. So everything that comes from a
    submission is printed while commands are stopped, until a word that the submission cannot know. Stopping commands
    does not stop setup-python's matcher, which turns each traceback into an error, so that is removed first.
    """
    token = secrets.token_hex(16)
    commands: list[str] = []
    print("::remove-matcher owner=python::", f"::stop-commands::{token}", sep="\n", flush=True)
    try:
        with redirect_stderr(sys.stdout):  # two streams have no common order, so all output goes to stdout
            yield commands
    finally:
        print("", f"::{token}::", *commands, sep="\n", flush=True)


def publish(report: Report, source: bytes, file: str, page: str | None = None) -> list[str]:
    """Write the job summary and the outputs of this step, and return its workflow commands.

    Arguments:
        source: the module that was graded, whose lines are counted.
        file: its path in the student's repository.
        page: the job summary; the Markdown report by default.

    KeyError outside a step, where no variable names the files to write to.
    """
    for variable, text in zip(FILES, (page or markdown.render(report), _outputs(report)), strict=True):
        with Path(os.environ[variable]).open("a", encoding="utf-8") as opened:
            opened.write(text)
    return [*_annotations(report, source, file), *_points(report)]


def _points(report: Report) -> list[str]:
    """The two notices of GitHub Classroom's reporter, from which tools read the points."""
    score, most = shown(report.score), shown(report.max_score)
    return [
        _command("notice", f"Points {score}/{most}", title="Autograding complete"),
        _command(
            "notice",
            f'{{"totalPoints":{score},"maxPoints":{most}}}',
            title="Autograding report",
        ),
    ]


def _outputs(report: Report) -> str:
    """`score`, `max-score`, and `result`, which GitHub Classroom's reporter takes: JSON in base64.

    That reporter prints names and messages as they are, so there is no word of the submission's in it.
    """
    result = {
        "version": 1,
        "status": "pass" if all(map(summary.complete, report.parts)) else "fail",
        "max_score": report.max_score,
        "tests": [
            {
                "name": f"{part.name}: {check.name}",
                "status": "pass" if check.outcome is Outcome.PASSED else "fail",
                "score": check.score,
                "message": None if check.outcome is Outcome.PASSED else summary.ended(report, check),
            }
            for part in report.parts
            for check in part.checks
        ],
    }
    encoded = base64.b64encode(json.dumps(result).encode()).decode()
    return f"score={shown(report.score)}\nmax-score={shown(report.max_score)}\nresult={encoded}\n"


def _annotations(report: Report, source: bytes, file: str) -> list[str]:
    """An error at the line of each finding, in the notebook's order, without those that wait for another."""
    found = [finding for part in report.parts for finding in summary.findings(part)]
    if report.error:  # then every part says the same
        line = next((finding.checks[0].line for finding in found), None)
        where = {} if report.grader_failed else _at(file, _existing(line, source))
        return [_command("error", report.error, **where, title="Fix this first")]
    lines = {part.name: part.line for part in report.parts}
    return [
        _command(
            "error",
            _said(finding),
            **_at(file, _existing(finding.checks[0].line, source) or _existing(lines[finding.part], source)),
            title=f"{finding.part}: {finding.title}",
        )
        for finding in found
        if finding.outcome is not Outcome.SKIPPED
    ][:ANNOTATIONS]


def _said(finding: Finding) -> str:
    worth = f"{summary.ENDED[finding.outcome]}, {finding.points}"
    return "\n".join(filter(None, (finding.message, *(f"Hint: {hint}" for hint in finding.hints), f"({worth})")))


def _at(file: str, line: int | None) -> dict[str, str]:
    """The properties that put an annotation on a line; none if the line is unknown."""
    return {"file": file, "line": str(line)} if line else {}


def _existing(line: int | None, source: bytes) -> int | None:
    return line if line is not None and 0 < line <= source.count(b"\n") + 1 else None


def _command(name: str, message: str, **properties: str) -> str:
    """A workflow command on one line; `message` and `properties` may contain anything."""
    escaped = ",".join(f"{key}={_escaped(value, ':', ',')}" for key, value in properties.items())
    return f"::{name} {escaped}::{_escaped(message)}"


def _escaped(text: str, *also: str) -> str:
    for character in ("%", "\r", "\n", *also):
        text = text.replace(character, f"%{ord(character):02X}")
    return text
