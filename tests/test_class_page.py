"""The class page, the table of grades and the numbers behind them, from reports put together here."""

import base64
import csv
import hashlib
import io
import json
import random
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.classroom import page as classroom
from autograder.classroom.entries import Entry, Standing, standing
from autograder.classroom.figures import figures
from autograder.classroom.progress import REVIEW, outcomes
from autograder.classroom.similarity import Alike, Group, Pair
from autograder.grading import hints
from autograder.report.model import Check, Hint, Outcome, PartReport, Report, part_reports
from autograder.submissions.layouts import Submitted
from tests.pages import Page, opened, overflow

HOSTILE = (
    "=cmd()",
    "<script>alert(1)</script>",
    "\u202egnp.exe\u2066",
    "a\x00\x1b[31m\nb",
    "</title><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}",
    "Wolfeschlegelsteinhausenbergerdorff" * 5,
    "\ud800",
)
CHECKS = {
    "sample_latent": (
        ("Draws are centered on the means", 4),
        ("The spread is the standard deviation", 7),
        ("The noise is standard normal", 3),
        ("Fresh, independent noise for every element and call", 3),
        ("Differentiable with respect to means and log-variances", 2),
        ("The arguments are left as they were", 1),
    ),
    "loss_function": (
        ("Reconstruction term: binary cross-entropy, summed over the pixels", 6),
        ("KL divergence in closed form, summed over the latent dimensions", 7),
        ("The two terms together, averaged over the minibatch", 5),
        ("Images of shape (N, 1, H, W): the worked example and a minibatch", 2),
        ("Differentiable with respect to reconstructions, means and log-variances", 3),
        ("No loops over the minibatch", 2),
    ),
    "encoder": (
        ("Three linear layers to hidden_size, ReLU after each", 8),
        ("The mean head: one linear layer, no activation", 2),
        ("The log-variance head: a separate linear layer, no activation", 2),
        ("Sizes follow the constructor's arguments, and stand in the attributes", 3),
    ),
    "decoder": (
        ("Three linear layers of hidden_size with ReLU, and one to the pixels", 8),
        ("A sigmoid turns the output into probabilities", 4),
        ("Sizes follow the constructor's arguments", 3),
    ),
    "forward": (
        ("Returns the reconstruction, the means and the log-variances", 2),
        ("Means and log-variances come from [image | one-hot] through the encoder and its heads", 3),
        ("The reconstruction is decoded from [a draw of sample_latent | one-hot]", 3),
        ("The gradient of the reconstruction reaches every parameter", 2),
    ),
    "training": (
        ("The network can learn from its initial weights", 1),
        ("After a short training run it reconstructs digits that it has not seen", 2),
        ("It generates digits of the requested class", 2),
    ),
}
# Which checks of which part a mistake fails, for a class that looks like one.
MISTAKES = {
    "variance-as-std": ("sample_latent", (1,)),
    "fixed-seed": ("sample_latent", (3,)),
    "sample-detached": ("sample_latent", (4,)),
    "kl-without-exp": ("loss_function", (1, 3)),
    "kl-sign-flipped": ("loss_function", (1,)),
    "summed-over-batch": ("loss_function", (2, 3)),
    "reconstruction-averaged-over-pixels": ("loss_function", (0, 3)),
    "loop-over-batch": ("loss_function", (5,)),
    "logvariance-head-activated": ("encoder", (2,)),
    "encoder-sizes-hard-coded": ("encoder", (3,)),
    "decoder-no-sigmoid": ("decoder", (1,)),
    "decoder-missing-relu": ("decoder", (0,)),
    "condition-first": ("forward", (1, 2)),
    "mean-instead-of-sample": ("forward", (2,)),
}


def report_of(*mistakes: str, unnamed: str | None = None, **more: object) -> Report:
    """A report in which the checks that these mistakes fail have failed, and one of the part `unnamed`, unexplained."""
    checks = {
        part: [Check(name, Outcome.PASSED, worth, worth) for name, worth in about] for part, about in CHECKS.items()
    }
    for mistake in mistakes:
        part, failed = MISTAKES[mistake]
        for check in (checks[part][number] for number in failed):
            check.outcome, check.score = Outcome.FAILED, 0
            check.hints.append(hints.hint(CVAE, mistake))
    if unnamed is not None:
        checks[unnamed][0].outcome, checks[unnamed][0].score = Outcome.FAILED, 0
    about = {"sha256": "9f86d081" * 8, "isolation": "bubblewrap", "seed": 271828, "parts": part_reports(CVAE, checks)}
    return Report.of(CVAE, **about | more)


def part_of(report: Report, name: str) -> PartReport:
    return next(part for part in report.parts if part.name == name)


def ending_alike(outcome: Outcome, message: str, **more: Any) -> Report:
    """A report in which every check ended with the same message."""
    report = report_of(**more)
    for check in (check for part in report.parts for check in part.checks):
        check.outcome, check.score, check.message = outcome, 0, message
    return report


def blank() -> Report:
    report = ending_alike(Outcome.NOT_WRITTEN, "Line 40 raises NotImplementedError.")
    for check in report.parts[-1].checks:
        check.outcome, check.message = Outcome.SKIPPED, "Waits for the loss."
    return report


def unreadable() -> Report:
    message = "SyntaxError: '(' was never closed (cs5814_vae.py, line 31)"
    return ending_alike(Outcome.ERROR, message, error=message)


def missing() -> Report:
    message = "There is no cs5814_vae.py in doe.zip."
    return ending_alike(Outcome.ERROR, message, sha256="", error=message)


def timed_out() -> Report:
    return report_of("kl-without-exp", attention=["loss_function did not come back within 20 s; it was stopped."])


def broken() -> Report:
    return report_of("fixed-seed", error="The grader itself failed in a check: KeyError: 'x'", grader_failed=True)


def entries_of(*reports: Report) -> list[Entry]:
    return [Entry(f"student {number:04}", report) for number, report in enumerate(reports, 1)]


def a_class(size: int) -> list[Entry]:
    """As a class might be: many of a few mistakes, few of many, some who need a person, and names of all kinds."""
    draw = random.Random(5814)
    firsts = ("Ann", "Chidi", "Dana", "Elif", "Fatima", "Guo", "Hana", "Ivan", "José", "Lena", "Mika", "Priya", "Quinn")
    lasts = ("Abe", "Brown", "Castillo-Hernández", "Doe", "Eze", "Fischer", "García", "Hussain", "Ito", "Müller", "Li")
    weights = [9 / (place + 1) for place in range(len(MISTAKES))]
    special = {3: blank(), 11: blank(), 17: missing(), 23: unreadable(), 31: timed_out(), 37: broken()}
    names = [*HOSTILE[:2], "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff the Younger", HOSTILE[2]]
    entries = []
    for number in range(size):
        name = f"{draw.choice(lasts)}, {draw.choice(firsts)} {number}"
        mistakes = set(draw.choices(list(MISTAKES), weights, k=draw.choice((0, 0, 1, 1, 2, 3, 5))))
        unnamed = draw.choice(("encoder", "forward", "training", *[None] * 9))
        report = special.get(number) or report_of(*sorted(mistakes), unnamed=unnamed)
        entries.append(Entry(names.pop() if number % 15 == 7 and names else name, report, f"pages/{number}.html"))
    return entries


def alike_of(*pairs: Pair) -> Alike:
    """A group for each of these pairs."""
    return Alike([Group((pair.first, pair.second), (), (pair,)) for pair in pairs])


def pairs_of(entries: Sequence[Entry]) -> Alike:
    if len(entries) < 12:
        return Alike()
    one, two, three, four, five, six = (entries[place].student for place in (1, 2, 7, 9, 4, 10))
    return alike_of(
        Pair(one, two, 1.0, True, page="pairs/1.html"),
        Pair(three, four, 0.9921, False, renamed=True, page="pairs/2.html"),
        Pair(five, six, 0.9613, False),
    )


def index_of(entries: Sequence[Entry], alike: Alike | None = None, **options: Any) -> str:
    return classroom.index(entries, alike or Alike(), CVAE, **options)


def page_of(entries: Sequence[Entry], alike: Alike | None = None, **options: Any) -> Page:
    return Page(index_of(entries, alike, **options))


def rows_of(entries: Iterable[Entry]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(classroom.table(entries, CVAE), newline="")))


def figures_of(entries: Sequence[Entry], alike: Alike | None = None) -> dict[str, Any]:
    return figures(entries, alike or Alike(), CVAE)


# Who counts


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (report_of, Standing.GRADED),
        (timed_out, Standing.GRADED),
        (blank, Standing.NOT_STARTED),
        (missing, Standing.NO_MODULE),
        (lambda: report_of(parts=[], sha256="", error="no such file"), Standing.NO_MODULE),
        (lambda: report_of(parts=[], error="no such thing"), Standing.STOPPED),
        (lambda: report_of(sha256=hashlib.sha256(b"").hexdigest()), Standing.NOT_STARTED),
        (unreadable, Standing.STOPPED),
        (broken, Standing.GRADER_FAILED),
        (lambda: report_of(parts=[], sha256="", error="It died", attention=["It died"]), Standing.STOPPED),
        (lambda: report_of(parts=[], error="The sandbox died", grader_failed=True), Standing.GRADER_FAILED),
        (lambda: ending_alike(Outcome.FAILED, "The loss is wrong."), Standing.GRADED),
    ],
)
def test_standing(make: Callable[[], Report], expected: Standing) -> None:
    assert standing(make()) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b" \r\n\t\n", Standing.NOT_STARTED),
        (b"# TODO\n\n    # later\n", Standing.NOT_STARTED),
        (b'"""Homework 3."""\n', Standing.NOT_STARTED),
        (b"pass\n", Standing.GRADED),
        (b"# TODO\n(", Standing.GRADED),
    ],
)
def test_a_file_without_code_is_not_started(source: bytes, expected: Standing) -> None:
    assert standing(report_of(), Submitted("ada", source)) is expected


def test_statistics_are_of_what_was_graded() -> None:
    found = figures_of(entries_of(report_of(), report_of("variance-as-std"), blank(), missing(), unreadable()))
    assert (found["submissions"], found["graded"], found["not_started"], found["no_module"], found["stopped"]) == (
        5, 2, 1, 1, 1
    )  # fmt: skip
    assert (found["mean"], found["median"], found["mean_of_all"], found["full_marks"]) == (86.5, 86.5, 34.6, 1)
    assert found["parts"][0]["share"] == 0.5


def test_page_says_what_it_leaves_out() -> None:
    text = page_of(entries_of(report_of(), blank(), unreadable())).text
    assert "All figures count the 1 graded submission. With 0 points for the 2 students without" in text
    assert "3 students: 1 graded, 1 not started, 1 stopped." in text
    assert (
        "for the 1 student without a graded submission, the mean is" in page_of(entries_of(report_of(), blank())).text
    )


def test_a_quoted_reason_is_told_as_quoted() -> None:
    for attention, quoted in (("Your file ends early.", True), ("The file name is a guess.", False)):
        report = report_of()
        report.attention = [attention]
        text = page_of(entries_of(report)).text
        assert attention in text
        assert ("quoted from the report" in text) == quoted


# Misconceptions


def test_a_misconception_counts_once_a_student() -> None:
    (row,) = figures_of(entries_of(report_of("kl-without-exp")))["misconceptions"]
    assert (row["name"], row["count"], row["share"]) == ("kl-without-exp", 1, 1.0)
    assert (row["part"], row["section"]) == ("loss_function", "Loss implementation")


@pytest.mark.parametrize(("mistakes", "cost"), [(["fixed-seed"], 3 + 1), (["fixed-seed", "variance-as-std"], 3)])
def test_a_mistake_costs_what_waits_for_it_alone(mistakes: list[str], cost: float) -> None:
    report = report_of(*mistakes)
    for part in ("sample_latent", "loss_function"):
        check = part_of(report, part).checks[-1]
        check.outcome, check.score = Outcome.SKIPPED, 0
    rows = figures_of(entries_of(report))["misconceptions"]
    assert next(row["mean_cost"] for row in rows if row["name"] == "fixed-seed") == cost


def test_page_says_that_nothing_is_left_to_review() -> None:
    said = "No submission to review by hand.", "No near-duplicates."
    assert [each in page_of(entries_of(report_of(), report_of("fixed-seed"))).text for each in said] == [True, True]
    doubtful = report_of(attention=["A doubt."])
    assert [each in page_of(entries_of(report_of(), doubtful)).text for each in said] == [False, True]


def test_each_of_several_misconceptions_of_one_check_counts() -> None:
    found = figures_of(entries_of(report_of("kl-without-exp", "kl-sign-flipped")))
    assert {row["name"] for row in found["misconceptions"]} == {"kl-without-exp", "kl-sign-flipped"}


def test_misconceptions_are_ranked_and_ties_follow_the_notebook() -> None:
    reports = [
        report_of("condition-first", "kl-without-exp"),
        report_of("condition-first", "variance-as-std"),
        report_of("condition-first", "kl-without-exp"),
        report_of("decoder-no-sigmoid"),
    ]
    names = [row["name"] for row in figures_of(entries_of(*reports))["misconceptions"]]
    assert names == ["condition-first", "kl-without-exp", "decoder-no-sigmoid", "variance-as-std"]


MOST_COMMON = ("kl-without-exp", "condition-first", "fixed-seed", "decoder-no-sigmoid")


def test_page_gives_the_three_most_common_mistakes_first() -> None:
    reports = [report_of(name) for count, name in zip((5, 4, 3, 1), MOST_COMMON, strict=True) for _ in range(count)]
    text = page_of(entries_of(*reports)).text
    titles = [hints.bank(CVAE)[name].title for name in MOST_COMMON]
    places = [text.index(words) for words in ("Common mistakes", *titles, "Where points were lost")]
    assert places == sorted(places)


def test_a_mistake_that_the_bank_lacks_keeps_its_name() -> None:
    report = report_of("condition-first")
    for check in part_of(report, "forward").checks[1:3]:
        check.hints = [Hint("named-later", "A title", "A text")]
    (row,) = figures_of(entries_of(report))["misconceptions"]
    assert (row["title"], row["part"]) == ("named-later", "forward")


def test_points_lost_without_a_named_mistake_are_told() -> None:
    unwritten = report_of()
    for check in part_of(unwritten, "decoder").checks:
        check.outcome, check.score = Outcome.NOT_WRITTEN, 0
    found = figures_of(entries_of(report_of(), report_of("fixed-seed"), report_of(unnamed="encoder"), unwritten))
    assert [person["student"] for person in found["unnamed"]] == ["student 0003"]


# Scores and parts


def test_every_graded_score_is_in_one_bar() -> None:
    entries = a_class(200)
    found = figures_of(entries)
    assert sum(bar["students"] for bar in found["distribution"]) == found["graded"]
    assert found["distribution"][-1] == {"from": 90, "below": None, "to": None, "students": found["full_marks"]}


def test_parts_are_ranked_by_points_and_checks_by_students() -> None:
    reports = [report_of("variance-as-std"), report_of("variance-as-std", "fixed-seed"), report_of("condition-first")]
    first, second, *_ = figures_of(entries_of(*reports))["parts"]
    assert (first["name"], first["mean_lost"], first["students"]) == ("sample_latent", 5.67, 2)
    assert [(check["name"], check["students"]) for check in first["checks"][:2]] == [
        ("The spread is the standard deviation", 2),
        ("Fresh, independent noise for every element and call", 1),
    ]
    assert second["name"] == "forward"


# Who needs a person


def test_crashes_and_broken_checks_are_reviewed_and_blanks_not() -> None:
    entries = entries_of(timed_out(), unreadable(), broken(), blank(), missing(), report_of())
    found = {row["student"]: row["reasons"] for row in figures_of(entries)["attention"]}
    assert set(found) == {"student 0001", "student 0002", "student 0003", "student 0005"}
    assert found["student 0001"] == ["loss_function did not come back within 20 s; it was stopped."]
    assert "KeyError" in page_of(entries).text


def test_a_reason_that_another_begins_with_is_not_repeated() -> None:
    report = timed_out()
    report.error = f"{report.attention[0]} Line 2 has a loop."
    report.attention += ["`a.py`", "`a.py` has other code", report.attention[0]]
    assert Entry("a", report).reasons == [report.error, "`a.py`", "`a.py` has other code"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (b"class Gan:\n    pass\n", True),
        (b"import torch\n", True),
        (b"def sample_latent(x):\n    return\n", False),
    ],
)
@pytest.mark.parametrize("graded", [True, False])
def test_a_module_for_something_else_is_reviewed(source: bytes, told: bool, graded: bool) -> None:
    """A zero for a module without any of the required names may be a wrong upload."""
    report = ending_alike(Outcome.FAILED, "There is no such function.") if graded else blank()
    entry = Entry("ada", report, submitted=Submitted("ada", source))
    assert any("none of the required names" in reason for reason in entry.reasons) is (told and graded)


def test_progress_counts_students_to_review_by_their_score_too() -> None:
    report = report_of()
    assert outcomes(Entry("ada", report)) == ["full marks"]
    report.attention.append("Its process was killed.")
    assert outcomes(Entry("ada", report)) == ["full marks", REVIEW]
    assert outcomes(Entry("ada", report_of("kl-without-exp"))) == ["half or more"]
    assert outcomes(Entry("ada", missing())) == ["0 points", REVIEW]


def test_pairs_are_shown_with_a_link_and_a_caution() -> None:
    entries = a_class(30)
    page = page_of(entries, pairs_of(entries))
    assert "./pairs/1.html" in page.links()
    assert "Similar code does not prove copying" in page.text


def test_of_very_many_pairs_the_first_are_shown() -> None:
    pairs = [Pair(f"a{number}", f"b{number}", 1.0, True, page=f"pairs/{number}.html") for number in range(5000)]
    page = page_of(entries_of(report_of()), alike_of(*pairs))
    assert len([link for link in page.links() if "pairs" in link]) == classroom.GROUPS_SHOWN
    assert "4950 groups less alike" in page.text


# The page


@pytest.mark.parametrize("size", [0, 1, 60])
def test_page_of_any_class(size: int) -> None:
    entries = a_class(size)
    assert f"{size} student" in page_of(entries, pairs_of(entries)).text


@pytest.mark.parametrize("make", [blank, missing, unreadable, broken, report_of])
def test_page_of_a_class_of_one(make: Callable[[], Report]) -> None:
    assert "1 student" in page_of(entries_of(make())).text


def test_page_of_a_thousand_is_small() -> None:
    entries = a_class(1000)
    assert len(index_of(entries, pairs_of(entries)).encode()) < 1_500_000


def test_students_are_sorted_by_name_with_links_to_their_pages() -> None:
    entries = [Entry("zoe", report_of(), "pages/zoe.html"), Entry("Adam", report_of(), "pages/a%20b%3F.html")]
    page = page_of(entries)
    assert page.links()[-4:] == ["./pages/a%20b%3F.html", "#t", "./pages/zoe.html", "#t"]


@pytest.mark.parametrize("name", HOSTILE)
def test_page_holds_no_tag_and_no_control_character_of_a_name(name: str) -> None:
    report = report_of("fixed-seed", attention=[name])
    checks = part_of(report, "sample_latent").checks
    checks[0].name, checks[3].hints = name, [Hint(name, name, name)]
    entries = [Entry(name, report, name), Entry(name + "2", unreadable())]
    source = index_of(entries, alike_of(Pair(name, name + "2", 0.99, False, page=name)))
    source.encode()
    hostile, tame = Page(source), page_of(a_class(60), pairs_of(a_class(60)))
    assert {tag for tag, _ in hostile.tags} <= {tag for tag, _ in tame.tags}
    assert not [key for _, attributes in hostile.tags for key in attributes if key.startswith("on") or key == "style"]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", source)


@pytest.mark.parametrize(
    "path", ["javascript:alert(1)", "//evil.example/", "https://evil.example/", "\\\\evil.example"]
)
def test_no_link_leaves_the_folder_of_the_class(path: str) -> None:
    links = page_of([Entry("doe", report_of(), path)]).links()
    assert all(link.startswith(("./", "#")) and ":" not in link and "\\" not in link for link in links)
    assert not [link for link in links if link.startswith(".//")]


def test_page_policy_allows_its_own_style_and_nothing_else() -> None:
    source = index_of(a_class(60))
    style = re.search("<style>(.*?)</style>", source, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    (policy,) = [attributes["content"] for tag, attributes in Page(source).tags if "http-equiv" in attributes]
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert f"style-src 'sha256-{digest}'" in policy


def test_every_table_has_heads_and_every_id_is_used_once() -> None:
    entries = a_class(60)
    page = page_of(entries, pairs_of(entries))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("table") == tags.count("thead")
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("size", [0, 1, 60])
def test_page_fits_the_screen_and_its_own_policy(size: int, width: int, browser: Any, tmp_path: Path) -> None:
    entries = a_class(size)
    with opened(browser, index_of(entries, pairs_of(entries)), tmp_path, width) as (page, complaints):
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        assert overflow(page) <= 0
        assert page.screenshot(full_page=True).startswith(b"\x89PNG")
    assert complaints == []


# grades.csv and class.json


def test_table_has_a_row_a_student_and_a_column_a_part() -> None:
    rows = rows_of([Entry("doe", report_of("variance-as-std")), Entry("Abe", missing()), Entry("roe", timed_out())])
    assert [row["student"] for row in rows] == ["Abe", "doe", "roe"]
    assert (rows[1]["score"], rows[1]["max_score"], rows[1]["sample_latent"], rows[1]["seed"]) == (
        "83", "90", "13", "271828"
    )  # fmt: skip
    assert (rows[0]["score"], rows[0]["max_score"], rows[0]["encoder"], rows[0]["standing"]) == (
        "0", "90", "0", "no module"
    )  # fmt: skip
    assert rows[0]["error"] == "There is no cs5814_vae.py in doe.zip."
    assert rows[2]["attention"].startswith("loss_function did not come back")


def test_table_holds_no_formula() -> None:
    entries = [Entry(name, report_of(error=name, attention=[name, name])) for name in (*HOSTILE, "+1", "-1", "@x")]
    text = classroom.table(entries, CVAE)
    text.encode()
    for row in csv.reader(io.StringIO(text, newline="")):
        for cell in row:
            assert not re.match(r"\s*[=+@|%-]", cell), cell
            assert "\n" not in cell
    assert len(rows_of(entries)) == len(entries)


def test_summary_is_json_with_a_row_a_student() -> None:
    entries = a_class(60)
    found = json.loads(json.dumps(figures_of(entries, pairs_of(entries)), allow_nan=False))
    assert len(found["students"]) == 60
    assert found["groups"][0]["pairs"][0]["page"] == "pairs/1.html"
    assert {"student", "score", "parts", "misconceptions", "standing", "seed", "sha256"} <= set(found["students"][0])


def test_summary_of_nobody_has_no_mean() -> None:
    found = figures_of([])
    assert (found["mean"], found["median"], found["full_marks"], found["misconceptions"]) == (None, None, 0, [])
