"""Hostile and broken modules earn nothing that they did not compute, touch nothing outside, and end in time."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from xml.etree import ElementTree

import pytest
from rich.console import Console

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.classroom import page as classroom
from autograder.classroom.entries import Entry
from autograder.classroom.similarity import Alike
from autograder.grading.grade import UNJUDGED
from autograder.platforms.gradescope import results as gradescope
from autograder.platforms.nbgrader.grades import result
from autograder.report import html, junit, markdown, terminal
from autograder.report.model import Outcome, Report
from tests.pages import Page
from tests.submissions.hostile import ATTACKS, HOSTILE, Hostile
from tests.submissions.side_by_side import GRADER_S, Aftermath, Pool, attack, selected

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.fixture(scope="module")
def aftermaths(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Aftermath]]]:
    pool = Pool()
    yield pool.submit(attack, [hostile.name for hostile in selected(request, "hostile")])
    pool.close()


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
def test_hostile(hostile: Hostile, aftermaths: dict[str, Future[Aftermath]]) -> None:
    result = aftermaths[hostile.name].result()
    report = result.report
    told = "\n".join(
        f"{part.name}: {check.name}: {check.outcome} {check.message} {[hint.text for hint in check.hints]}"
        for part in report.parts
        for check in part.checks
        if check.outcome is not Outcome.PASSED
    )
    assert hostile.min_score <= report.score <= hostile.max_score, f"{report.error}\n{told}"
    assert result.damage == []
    assert "grader itself" not in f"{report.error}\n{told}"
    assert not any(each.startswith(UNJUDGED) for each in report.attention), report.attention
    assert result.seconds < GRADER_S
    for part in report.parts:
        for check in part.checks:
            assert check.outcome is Outcome.PASSED or check.message, f"{check.name} does not say what happened"
    assert re.search(hostile.says, f"{report.error}\n{told}\n{report.notes}", re.IGNORECASE), f"{report.error}\n{told}"
    assert_harmless(report)
    strings = list(_strings(report.to_json()))
    assert [text for text in strings if CONTROL.search(text)] == []
    assert max(map(len, strings)) <= 80_000
    json.dumps(report.to_json()).encode()


def assert_harmless(report: Report) -> None:
    """No rendering of the report holds anything that its reader would act on."""
    console = Console(file=io.StringIO(), width=100, force_terminal=False, color_system=None)
    terminal.render(report, console)
    assert isinstance(console.file, io.StringIO)
    printed = console.file.getvalue()
    student, entry = html.render(report), Entry(report.output[:100], report, "p.html")
    pages = student, classroom.index([entry], Alike(), CVAE)
    cells = list(csv.reader(io.StringIO(classroom.table([entry], CVAE), newline="")))
    for text in (printed, *pages, markdown.render(report), junit.render(report), json.dumps(gradescope.render(report))):
        assert not CONTROL.search(text)
    assert not re.search(r"(?m)^\s*::|##\[", printed)
    for page in pages:
        tags = Page(page).tags
        assert not {tag for tag, _ in tags} & {"script", "img", "iframe", "object", "form", "link", "base"}
        assert not [name for _, attributes in tags for name in attributes if name.startswith("on") or name == "style"]
        assert all(link.startswith(("#", "./")) for link in Page(page).links())
    assert len(cells) == 2
    assert not [cell for cell in cells[1] if re.match(r"\s*[=+@|%-]", cell)]
    names = [case.get("name") for case in ElementTree.fromstring(junit.render(report).encode()).iter("testcase")]
    assert names == [check.name for part in report.parts for check in part.checks]
    for part in report.parts:
        shown = Page(result(part, report, part.max_score).data["text/html"])
        assert {tag for tag, _ in shown.tags} <= {"div", "p", "b", "code", "br", "pre"}


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for each in pair for text in _strings(each))
    elif isinstance(value, list):
        yield from (text for each in value for text in _strings(each))


def test_every_class_of_attack_is_tried() -> None:
    assert {hostile.attack for hostile in HOSTILE} == set(ATTACKS)


def test_each_attack_has_its_own_name() -> None:
    """Otherwise one would be graded for both."""
    assert [name for name, times in Counter(hostile.name for hostile in HOSTILE).items() if times > 1] == []
