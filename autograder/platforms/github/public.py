"""Report the public checks, in the workflow of a student's repository.

`autograder release --github` copies this file and some of report/ into its template. So this file reveals no solution
and no hidden check, and only the process that runs the checks needs torch. The report is feedback for the student: code
that shares a process with its checks could make them pass.
"""

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from autograder import output
from autograder.assignment import Assignment, load
from autograder.platforms.github import workflow as github
from autograder.points import split
from autograder.report import junit, markdown
from autograder.report.model import Check, Outcome, PartReport, Report, part_reports
from autograder.sandbox.outline import Outline, describe

CHECKS = "public_checks.py"
SECONDS = 300  # for all the checks together
NOTE = (
    "These are the public checks. Your grade comes from checks that ask the same with other numbers and more cases, "
    "and the course staff compute it from what you have pushed."
)


def grade(folder: Path, assignment: Assignment) -> Report:
    """Run `public_checks.py` in `folder` on the module next to it, in a separate process.

    The checks of a part share its points equally.
    """
    started = time.perf_counter()
    source = (folder / assignment.module).read_bytes()
    command = [
        sys.executable,
        "-P",
        "-c",
        "from autograder.platforms.github import public; public.answer()",
        str(folder / CHECKS),
        str(folder / assignment.module),
    ]
    variables = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ} | {"OMP_NUM_THREADS": "1"}
    # Files, not pipes: a process that the submission leaves behind would keep a pipe open forever.
    with tempfile.TemporaryFile() as answers, tempfile.TemporaryFile() as printed:
        try:
            ended = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=answers,
                stderr=printed,
                env=variables | {"PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONDONTWRITEBYTECODE": "1"},
                timeout=SECONDS,
                check=False,
            )
            why = f"Python ended with code {ended.returncode} before this check was done."
        except subprocess.TimeoutExpired:
            why = f"Not done within {SECONDS} s."
        answers.seek(0)
        printed.seek(0)
        parts = _parts(answers.read(1 << 20).decode("utf-8", "replace"), why, assignment)
        output = printed.read(1 << 16).decode("utf-8", "replace")
    said = {part.checks[0].message for part in parts}
    return Report.of(
        assignment,
        sha256=hashlib.sha256(source).hexdigest(),
        isolation="none",
        seed=assignment.seed,
        parts=parts,
        duration_s=time.perf_counter() - started,
        error=said.pop() or None if len(said) == 1 else None,  # a module that cannot be imported stops every part
        notes=[NOTE],
        output=output,
    )


def answer() -> None:
    """In the process that runs the checks: what the module's source shows, the labels by part, then how each check
    ended, a line of JSON each.
    """
    # What the submission prints goes elsewhere.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        outline = None
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            outline = describe(Path(sys.argv[2]).read_bytes())
        print(json.dumps(outline), file=answers, flush=True)
        spec = importlib.util.spec_from_file_location("public_checks", sys.argv[1])
        assert spec is not None
        assert spec.loader is not None
        checks: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(checks)
        labels = {part: [label for label, _ in each] for part, each in checks.CHECKS.items()}
        print(json.dumps(labels), file=answers, flush=True)
        for part in labels:
            told = checks.outcomes(part)
            last = ("", "", None)
            for label in labels[part]:
                last = next(told, last)  # where the code does not run at all, the other checks would repeat it
                print(json.dumps([part, label, *last[1:]]), file=answers, flush=True)


def _parts(answers: str, why: str, assignment: Assignment) -> list[PartReport]:
    """The parts of the assignment, in its order; a check without an answer failed because of `why`."""
    # What follows the last line break was not written to its end.
    shown, *lines = [_said(line) for line in answers.split("\n")[:-1]] or [None]
    labels: dict[str, list[str]] = next(filter(_are_labels, lines), {})
    ended = {(part, label): (hint, line) for part, label, hint, line in filter(_is_end, lines)}
    graded: dict[str, list[Check]] = {}
    for part in assignment.parts:
        names = labels.get(part.name, ["The public checks run"])
        checks = []
        for name, worth in zip(names, split(part.points, [1] * len(names)), strict=True):
            hint, line = ended.get((part.name, name), (why, None))
            outcome = Outcome.ERROR if line or hint is why else Outcome.FAILED if hint else Outcome.PASSED
            checks.append(Check(name, outcome, 0.0 if hint else worth, worth, hint, line=line))
        graded[part.name] = checks
    outline, reports = Outline.read(shown), part_reports(assignment, graded)
    for report in reports:
        report.line = outline.line(report.place)
    return reports


def _said(line: str) -> Any:
    """What a line says; None where it is no JSON: the module can write among the answers, and cut them."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _are_labels(said: Any) -> bool:
    """Whether these are the labels of checks, by part."""
    texts = said.values() if isinstance(said, dict) else ()
    return bool(texts) and all(isinstance(each, list) and each and {*map(type, each)} == {str} for each in texts)


def _is_end(said: Any) -> bool:
    """Whether this says how a check ended: its part, its label, a hint and a line."""
    texts = isinstance(said, list) and len(said) == 4 and [*map(type, said[:3])] == [str] * 3
    return texts and (said[3] is None or type(said[3]) is int)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="autograder.platforms.github.public", description="Run the public checks and report."
    )
    parser.add_argument("folder", nargs="?", type=Path, default=Path())
    parser.add_argument("--junit", type=Path, help="write JUnit XML")
    parser.add_argument("--github", action="store_true", help="job summary, annotations, points, outputs")
    options = parser.parse_args()
    assignment = load()
    for name in (assignment.module, CHECKS):
        if not (options.folder / name).is_file():
            parser.error(f"{options.folder / name} is missing")
    if options.junit:
        try:
            output.require_writable(options.junit)
        except output.NotWritable as error:
            parser.error(str(error))
    with github.step() if options.github else contextlib.nullcontext() as commands:
        report = grade(options.folder, assignment)
        summary = markdown.render(report, reproduce=f"pytest {CHECKS}")
        print(summary)
        if options.junit:
            output.write(options.junit, junit.render(report))
        if commands is not None:
            source = (options.folder / assignment.module).read_bytes()
            commands += github.publish(report, source, assignment.module, summary)


if __name__ == "__main__":
    main()
