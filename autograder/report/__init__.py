"""The renderings of a report: one module a format, each a pure function of `autograder.report.model.Report`.

Every string in a report may quote a submission, so each module escapes for its own format.
"""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.report.model import Report

# What each is, as the command line says it. The terminal's is not among them: it is not text alone.
FORMATS = {
    "json": "The report as JSON; `autograder schema` describes it.",
    "junit": "JUnit XML.",
    "html": "The student's page, self-contained.",
    "markdown": "A summary in Markdown.",
}


def render(report: Report, form: str) -> str:
    """The text of `report` in one of FORMATS."""
    if form == "json":
        return json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n"
    text: str = importlib.import_module(f"{__name__}.{form}").render(report)
    return text
