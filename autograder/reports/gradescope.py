"""A report in the structure of Gradescope's `results.json`.

Source: Gradescope, "Autograder specifications", https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

from typing import Any

from autograder.report import Outcome, PartReport, Report, clean
from autograder.reports import reading


def render(report: Report) -> dict[str, Any]:
    """The results with one test a check, numbered part.check, each in plain text, which Gradescope escapes."""
    return {
        "score": report.score,
        "execution_time": round(report.duration_s, 2),
        "output": _summary(report),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        # The grader's own log is for staff; what students should read is in `output`.
        "stdout_visibility": "hidden",
        "extra_data": {"sha256": report.sha256, "seed": report.seed, "isolation": report.isolation},
        "tests": [test for number, part in enumerate(report.parts, 1) for test in _tests(number, part)],
    }


def _tests(number: int, part: PartReport) -> list[dict[str, Any]]:
    first = {id(check): finding.checks[0] for finding in reading.findings(part) for check in finding.checks}
    numbers = {id(check): f"{number}.{index}" for index, check in enumerate(part.checks, 1)}
    tests = []
    for check in part.checks:
        if check.outcome is Outcome.PASSED or first[id(check)] is check:
            output = "\n\n".join(filter(None, (check.message, check.hint and f"Hint: {check.hint}")))
        else:
            output = f"As in {numbers[id(first[id(check)])]}."
        tests.append(
            {
                "name": f"{part.name}: {clean(check.name)}",
                "name_format": "text",
                "number": numbers[id(check)],
                "score": check.score,
                "max_score": check.max_score,
                "status": "passed" if check.outcome is Outcome.PASSED else "failed",
                "output": output,
                "output_format": "text",
                "visibility": "visible",
            }
        )
    return tests


def _summary(report: Report) -> str:
    """What stands above the tests: where the student is, the next step, notes, what was printed, how to reproduce."""
    paragraphs = [" ".join(reading.headline(report))]
    step = reading.next_step(report)
    if report.error:
        paragraphs.append(report.error)
    elif step:
        where = reading.section(step.part)
        paragraphs.append(
            "\n".join(
                filter(
                    None,
                    (
                        f"Next: {step.part}, {step.title}",
                        step.message,
                        step.hint and f"Hint: {step.hint}",
                        where and f"Section of the notebook: {where}",
                    ),
                )
            )
        )
    paragraphs += [f"Note: {clean(note)}" for note in report.notes]
    if report.output.strip():
        paragraphs.append(f"What your code printed:\n{report.output.strip()}")
    paragraphs.append(f"Isolation: {clean(report.isolation)}. Seed: {report.seed}. sha256: {clean(report.sha256)}.")
    return "\n\n".join(paragraphs)
