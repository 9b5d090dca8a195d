"""The pages for people, judged by axe-core in a real browser, and walked through with the keyboard."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from autograder.classroom.sides import side_by_side
from autograder.report import html
from tests import test_class_page, test_reports
from tests.pages import barriers, opened, overflow

pytestmark = pytest.mark.browser


def student_page() -> str:
    report = test_reports.partial_report()
    report.gallery = test_reports.a_gallery()
    return html.render(report)


def class_page() -> str:
    entries = test_class_page.a_class(40)
    return test_class_page.index_of(entries, test_class_page.pairs_of(entries))


PAGES = {
    "student": student_page,
    "blank": lambda: html.render(test_reports.blank_report()),
    "unreadable": lambda: html.render(test_reports.unreadable_report()),
    "hostile": lambda: html.render(test_reports.hostile_report()),
    "class": class_page,
    "pair": lambda: side_by_side(("ada", b"x = 1\ny = 2\n"), ("bob", b"x = 1\ny = 3\n"), ""),
}


@pytest.mark.parametrize(
    ("name", "width", "scheme"), [("student", 1280, "light"), *((name, 390, "dark") for name in PAGES)]
)
def test_nobody_is_kept_out(name: str, width: int, scheme: str, browser: Any, tmp_path: Path) -> None:
    with opened(browser, PAGES[name](), tmp_path, width, scheme) as (page, complaints):
        assert barriers(page) == []
        assert overflow(page) <= 0
    assert complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_headings_are_in_order_and_the_page_has_a_language(name: str) -> None:
    source = PAGES[name]()
    assert '<html lang="en">' in source
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", source)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_part_opens_from_the_keyboard(browser: Any, tmp_path: Path) -> None:
    with opened(browser, student_page(), tmp_path, 390) as (page, _):
        page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = false)")
        reached = set()
        for _ in range(20):
            page.keyboard.press("Tab")
            fold = page.evaluate("document.activeElement.closest('summary')?.parentElement.id")
            if fold and fold not in reached:
                page.keyboard.press("Enter")
                reached.add(fold)
        assert reached == {f"part-{number}" for number in range(1, 7)}
        assert page.evaluate("document.querySelectorAll('details[open]').length") == 6


def test_motion_stops_for_who_asks_for_less(browser: Any, tmp_path: Path) -> None:
    with opened(browser, student_page(), tmp_path, 390) as (page, _):
        for motion, behavior in (("no-preference", "smooth"), ("reduce", "auto")):
            page.emulate_media(reduced_motion=motion)
            assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == behavior
