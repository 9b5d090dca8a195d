"""Grade one submission: find the module, run the checks with pytest, and put together the report."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.assignment import Assignment, load
from autograder.report.model import Check, Outcome, Report, clean, part_reports
from autograder.report.summary import few, sentence
from autograder.sandbox import isolation as levels
from autograder.sandbox.client import Sandbox
from autograder.sandbox.errors import SubmissionError
from autograder.sandbox.limits import LIMITS
from autograder.submissions.find import find_module
from autograder.submissions.source import doubts

if TYPE_CHECKING:
    from autograder.grading.harness import Grading


UNJUDGED = "A check could not judge"  # the start of what staff read where a submission broke a check


def grade(
    path: Path | str,
    *,
    seed: int | None = None,
    isolation: str | None = None,
    sandbox: Sandbox | None = None,
    pictures: bool = False,
    assignment: str | Path | None = None,
) -> Report:
    """Grade the submission at `path` (a module, a folder or a zip that holds one).

    Arguments:
        seed: repeats the challenges of an earlier run; drawn anew by default.
        isolation: the isolation level; the strongest that works here by default.
        sandbox: a warm sandbox to use, and to leave running; one is started and ended by default.
        pictures: whether to draw what the submission makes into the report.
        assignment: the name or the folder of the assignment; by default the sandbox's, or the one that is installed.

    Raises:
        NothingToGrade: there is no submission at the path.
        SandboxError, GraderError: the grader itself failed.
    """
    chosen = sandbox.assignment if sandbox else load(assignment)
    found = find_module(Path(path), chosen)
    with nullcontext(sandbox) if sandbox else Sandbox(isolation, chosen) as running:
        report = grade_source(found.name, found.source, running, seed=seed, pictures=pictures)
    return told(report, found.notes, found.attention)


def grade_source(
    name: str,
    source: bytes,
    sandbox: Sandbox,
    *,
    seed: int | None = None,
    pictures: bool = False,
    starts: Callable[[], None] = lambda: None,
    checked: Callable[[str, Check], None] = lambda part, check: None,
) -> Report:
    """Grade the source of a module, called `name` in the report. For the rest see `grade`.

    `starts` is called when all is ready and the submission is about to run, `checked` whenever a check has ended, with
    the name of its part.
    """
    started = time.perf_counter()
    assignment = sandbox.assignment
    report = Report.of(
        assignment,
        submission=name,
        sha256=hashlib.sha256(source).hexdigest(),
        isolation=sandbox.level.name,
        seed=secrets.randbits(53) if seed is None else seed,
    )
    if not sandbox.level.strong:
        what = levels.summary(sandbox.level.name)
        report.notes.append(f"Weak isolation ({sandbox.level.name}: {what}). Do not grade strangers' code this way.")
    if len(source) > LIMITS.source:
        reason = f"The file is larger than {LIMITS.source // 1024} KiB, which no {assignment.module} needs to be"
        refused = nothing(assignment, reason)
        report.parts, report.error = refused.parts, refused.error
    else:
        _run_checks(report, source, sandbox, pictures, starts, checked)
    report.duration_s = time.perf_counter() - started
    report.__post_init__()
    return report


def told(report: Report, notes: Iterable[str], attention: Iterable[str]) -> Report:
    """The report with what was guessed when the module was looked for, and with what staff should look at."""
    return replace(
        report, notes=[*map(sentence, few(notes)), *report.notes], attention=[*few(attention), *report.attention]
    )


def nothing(assignment: Assignment, reason: str) -> Report:
    """A report of zero for every part, with the reason."""
    reason = sentence(reason)
    checks = {part.name: [Check("Handed in", Outcome.ERROR, 0.0, part.points, reason)] for part in assignment.parts}
    return Report.of(assignment, parts=part_reports(assignment, checks), error=reason)


def _tell_more(report: Report, grading: Grading, sandbox: Sandbox) -> None:
    """Add reproductions, notes and places. They change no grade, so an error of ours in them is only logged."""
    from autograder.grading.locate import locate
    from autograder.grading.notes import join_mistakes, notes
    from autograder.grading.reproduce import PATIENCE_S, reproduce

    try:
        reproduce(grading.to_reproduce, grading.submission, grading.assignment)
        if report.timings["import the submission"] < PATIENCE_S:
            report.notes += notes(grading)
            join_mistakes(grading)
            locate(grading, sandbox)
    except Exception:
        logging.getLogger(__name__).exception("a submission was graded, but its failures were not reproduced")


def _breaks_on_solution(sandbox: Sandbox, seed: int) -> bool:
    """Whether a check breaks down on the solution too, so that it was not the submission that broke it."""
    from autograder.grading.harness import Grading
    from autograder.grading.session import run_checks

    with sandbox.submission(sandbox.assignment.solution.read_bytes()) as submission:
        grading = Grading(submission, sandbox.assignment, seed)
        submission.load()
        run_checks(grading)
    return grading.crash is not None


def _run_checks(
    report: Report,
    source: bytes,
    sandbox: Sandbox,
    pictures: bool,
    starts: Callable[[], None],
    checked: Callable[[str, Check], None],
) -> None:
    clock = time.perf_counter()

    def lap(phase: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        report.timings[phase], clock = now - clock, now

    import torch  # noqa: F401

    lap("import torch")
    from autograder.grading.errors import explain, note_on_newer, note_on_notebook, note_on_work
    from autograder.grading.harness import Grading
    from autograder.grading.session import run_checks

    lap("import the checks")
    sandbox.wait_until_ready()
    lap("wait for the sandbox")
    starts()
    with sandbox.submission(source) as submission:
        grading = Grading(submission, sandbox.assignment, report.seed)
        grading.checked = checked
        try:
            submission.load()
        except SubmissionError as error:
            cause = explain(error, submission.outline, sandbox.assignment)
            report.error = "\n".join((cause.message, *(f"Hint: {each}" for each in cause.hints(sandbox.assignment))))
            grading.unloaded = error
        else:
            notes = note_on_work(submission.outline), note_on_notebook(submission.notebook_line)
            report.notes += filter(None, (*notes, note_on_newer(submission.newer)))
        lap("import the submission")
        run_checks(grading)
        report.output = submission.output
        lap("run the checks")
        if report.error is None:
            _tell_more(report, grading, sandbox)
    lap("reproduce what failed, and notes")
    report.timings |= {f"of that: {part}": seconds for part, seconds in grading.seconds.items()}
    report.parts, report.attention = grading.reports(), [*doubts(source), *grading.attention]
    for part in report.parts:
        part.place = submission.outline.place_of(part.place, part.name)
        part.line = submission.outline.line(part.place)
    places = [part.place for part in report.parts]
    for part in report.parts:
        in_class, alone = len(part.place) > 1, places.count(part.place) == 1  # else a call may be for another part
        attributes = sandbox.assignment.part(part.name).attributes or (part.name,)
        made = submission.outline.made_by(part.place[0], attributes) if in_class else {}  # which a method sets
        found = made or (submission.outline.called_by(part.place, apart=places) if alone else {})
        part.uses = {clean(name, 100): line for name, line in found.items()}
    if grading.crash is not None:
        where = grading.crash.traceback[-1]
        said = f"{grading.crash.exconly()} ({Path(str(where.path)).name}, line {where.lineno + 1})"
        report.grader_failed = _breaks_on_solution(sandbox, report.seed)
        if report.grader_failed:
            report.error = f"The grader itself failed in a check, which is no fault of the submission's: {said}"
        else:
            report.attention.append(f"{UNJUDGED} what this submission gives, and took it for wrong: {said}")
    if pictures and sandbox.assignment.has("pictures"):
        report.gallery = sandbox.assignment.piece("pictures").gallery(grading.kept)
        lap("pictures")
