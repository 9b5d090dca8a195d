"""A report in the structure of Gradescope's `results.json`.

Source: Gradescope, "Autograder specifications", https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

from collections.abc import Iterable, Iterator
from typing import Any

from markupsafe import Markup

from autograder.report import summary
from autograder.report.html import prose
from autograder.report.model import Check, Outcome, PartReport, Report, clean

# When students see a test, by Gradescope's own names.
VISIBILITIES = {
    "visible": "at once",
    "after_due_date": "after the due date",
    "after_published": "when the grades are published",
    "hidden": "to the course staff alone",
}


def render(
    report: Report, visibility: str = "visible", finished: bool = True, upload: int | None = None
) -> dict[str, Any]:
    """The results with one test a check, numbered part.check.

    Arguments:
        visibility: when students see the checks that the notebook's worked examples do not show, one of VISIBILITIES.
        finished: whether this is the last word, or may be, should the grading be stopped.
        upload: Gradescope's number of the submission.
    """
    open_to_all = visibility == "visible"
    tests = [test for number, part in enumerate(report.parts, 1) for test in _tests(number, part, visibility)]
    if not open_to_all and report.parts:
        tests.insert(0, _test("What to do next", _html(_advice(report)), visibility, number="0"))
    blocks = [*_opening(report, finished), *(_advice(report) if open_to_all else _promise(report, visibility))]
    return {
        "score": report.score,
        "execution_time": round(report.duration_s, 2),
        "output": _html([*blocks, *_footer(report)]),
        "output_format": "html",
        "test_output_format": "html",
        "test_name_format": "text",
        "visibility": "visible",
        # The grader's own log is for staff; what students should read is in `output`.
        "stdout_visibility": "hidden",
        "extra_data": {
            "submission": upload,
            "sha256": report.sha256,
            "seed": report.seed,
            "isolation": report.isolation,
            "finished": finished,
        },
        "tests": tests,
    }


def _test(name: str, output: str, visibility: str, **more: object) -> dict[str, Any]:
    texts = {"name": name, "name_format": "text", "output": output, "output_format": "html"}
    return texts | {"visibility": visibility} | more


def _tests(number: int, part: PartReport, visibility: str) -> Iterator[dict[str, Any]]:
    numbers = {id(check): f"{number}.{index}" for index, check in enumerate(part.checks, 1)}
    told: dict[tuple[object, ...], Check] = {}
    for check in part.checks:
        shown = "visible" if check.worked_example else visibility
        # What an earlier check has said, to the same readers, is not said again.
        said = [check.message, *(f"Hint: {hint}" for hint in check.hints)]
        first = told.setdefault((shown, check.outcome, *said), check)
        repeats = first is not check and any(said)
        output = _html([f"As in {numbers[id(first)]}."] if repeats else [*said, *_reproduction(check)])
        yield _test(
            f"{part.name}: {clean(check.name)}",
            output,
            shown,
            number=numbers[id(check)],
            score=check.score,
            max_score=check.max_score,
            status="passed" if check.outcome is Outcome.PASSED else "failed",
            tags=[part.name],
        )


def _reproduction(check: Check) -> Iterator[str]:
    if check.reproduction:
        yield summary.paste(check.reproduction)
        yield Markup("<pre>{}</pre>").format(str(check.reproduction))


def _opening(report: Report, finished: bool) -> Iterator[str]:
    if not finished:
        yield (
            "Grading did not finish. The points are those of the checks that ended before it stopped. Hand in once "
            "more; if this happens again, tell the course staff, who find the reason in the autograder's output."
        )
    if report.error:
        yield report.error


def _advice(report: Report) -> Iterator[str]:
    """Where the student is, the next step, notes, and what the module printed."""
    yield Markup("<p><strong>{}</strong> {}</p>").format(*summary.headline(report))
    step = summary.next_step(report)
    if step and not report.error:
        yield f"Next: `{step.part}`, {step.title}"
        yield step.message
        yield from (f"Hint: {hint}" for hint in step.hints)
        where = summary.section(report, step.part)
        yield where and f"Section of the notebook: {where}"
    yield from (note for part in report.parts for note in part.notes)
    yield from (f"Note: {clean(note)}" for note in report.notes)
    if report.output.strip():
        yield "What your code printed:"
        yield Markup("<pre>{}</pre>").format(report.output.strip("\n"))


def _promise(report: Report, visibility: str) -> Iterator[str]:
    """What students are told while most checks are hidden."""
    if not report.error and report.parts:
        yield "Your module was read and could be imported."
    now = sum(check.worked_example for part in report.parts for check in part.checks)
    later = sum(len(part.checks) for part in report.parts) - now
    if now:
        yield f"You see {summary.counted(now, 'check')} on the notebook's worked examples now."
    if later:
        yield f"{later} {'more' if now else 'checks'} are shown {VISIBILITIES[visibility]}."


def _footer(report: Report) -> Iterator[str]:
    if report.sha256:
        isolation = clean(report.isolation)
        yield f"Isolation: {isolation}. Seed: {report.seed}. sha256: {clean(report.sha256)}."


def _html(blocks: Iterable[str]) -> str:
    """Paragraphs of text, with what stands between backticks as code; Markup is left as it is."""
    return "".join(block if isinstance(block, Markup) else _paragraph(block) for block in blocks if block)


def _paragraph(text: str) -> Markup:
    return Markup("<p>{}</p>").format(Markup("<br>").join(prose(line) for line in text.split("\n")))
