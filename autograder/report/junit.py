"""A report as JUnit XML, for continuous integration."""

import re
from xml.etree import ElementTree

from autograder.points import shown
from autograder.report.model import Check, Outcome, Report
from autograder.report.summary import paste

# What XML 1.0 (section 2.2) does not allow even as a character reference.
_INVALID = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

TAGS = {
    Outcome.FAILED: "failure",
    Outcome.ERROR: "error",
    Outcome.NOT_WRITTEN: "failure",
    Outcome.TIMEOUT: "error",
    Outcome.SKIPPED: "skipped",
}


def render(report: Report) -> str:
    """One `testsuite` with a `testcase` for each check; `classname` is the part."""
    cases = [(part.name, check) for part in report.parts for check in part.checks]
    if report.error and not cases:  # so that no reader takes an empty suite for a success
        cases = [("submission", Check("can be graded", Outcome.ERROR, 0, 0, report.error))]
    tags = [TAGS.get(check.outcome) for _, check in cases]
    counts = {
        "tests": str(len(cases)),
        "failures": str(tags.count("failure")),
        "errors": str(tags.count("error")),
        "skipped": str(tags.count("skipped")),
        "time": f"{report.duration_s:.3f}",
    }
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": report.module, **counts})
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (
        ("submission", report.submission),
        ("sha256", report.sha256),
        ("score", shown(report.score)),
        ("max_score", shown(report.max_score)),
        ("isolation", report.isolation),
        ("seed", str(report.seed)),
    ):
        ElementTree.SubElement(properties, "property", {"name": name, "value": _valid(value)})
    for part, check in cases:
        _add(suite, part, check)
    if report.error or report.notes or report.output:
        said = [report.error or "", *report.notes, report.output]
        ElementTree.SubElement(suite, "system-out").text = _valid("\n".join(filter(None, said)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _add(suite: ElementTree.Element, part: str, check: Check) -> None:
    # No check is timed on its own, and some readers want the attribute.
    case = ElementTree.SubElement(
        suite, "testcase", {"classname": _valid(part), "name": _valid(check.name), "time": "0"}
    )
    tag = TAGS.get(check.outcome)
    if tag is None:
        return
    ended = ElementTree.SubElement(case, tag, {"message": _valid(check.message)})
    if tag != "skipped":
        ended.set("type", check.outcome.value)
    said = [check.message, *(f"Hint: {hint}" for hint in check.hints)]
    if check.reproduction:
        said.append(f"{paste(check.reproduction)}\n{check.reproduction}")
    ended.text = _valid("\n\n".join(filter(None, said)))


def _valid(text: str) -> str:
    return _INVALID.sub("\N{REPLACEMENT CHARACTER}", text)
