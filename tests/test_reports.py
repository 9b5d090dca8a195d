"""Each rendering of a report, through its front door: what a reader finds, and what a submission cannot do to it."""

import base64
import hashlib
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from PIL import Image
from rich.console import Console

from autograder.assignment import Part
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.grading.hints import after
from autograder.platforms.gradescope import results as gradescope
from autograder.platforms.nbgrader import grades
from autograder.report import html, junit, markdown, summary, terminal
from autograder.report.model import (
    JSON_SCHEMA,
    Check,
    Figure,
    Gallery,
    Hint,
    Outcome,
    PartReport,
    Picture,
    Report,
    Reproduction,
    part_reports,
)
from tests.pages import Page, opened, overflow

SCHEMA = json.loads(JSON_SCHEMA.read_text("utf-8"))
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)> [red]bold[/red] [link=https://evil.example]x[/link] "
    "\x1b[31mred\x1b]0;title\x07 ]]> ```\nfence ```` ![i](https://evil.example/p.png) @everyone #1 | cell | "
    '=HYPERLINK("https://evil.example") \u202egnp.exe \x00\ufffe\ud800 {{ 7 * 7 }} </pre></details> ' + "x" * 1500
)


def report_of(checks: dict[str, list[Check]] | None = None, **more: object) -> Report:
    """A report with the given checks in the parts of the assignment, by name."""
    about = {
        "submission": "alice/cs5814_vae.py",
        "sha256": SHA256,
        "isolation": "bubblewrap",
        "seed": 271828,
        "duration_s": 1.94,
        "parts": part_reports(CVAE, checks or {}),
    }
    return Report.of(CVAE, **about | more)


def part_of(report: Report, name: str) -> PartReport:
    return next(part for part in report.parts if part.name == name)


def checks_of(part: Part, outcome: Outcome, message: str = "") -> list[Check]:
    """Five checks that end alike and share the points of `part`."""
    worth = part.points / 5
    names = ("shape", "values", "gradients", "batches of other sizes", "inputs left as they are")
    score = worth if outcome is Outcome.PASSED else 0
    return [Check(name, outcome, score, worth, message) for name in names]


def all_checks(outcome: Outcome, message: str = "") -> dict[str, list[Check]]:
    return {part.name: checks_of(part, outcome, message.format(part=part.name)) for part in CVAE.parts}


def blank_report() -> Report:
    """The fill-in as it is handed out."""
    training = checks_of(CVAE.part("training"), Outcome.SKIPPED, "Skipped: fix the network first.")
    return report_of(all_checks(Outcome.NOT_WRITTEN, "`{part}` raises NotImplementedError.") | {"training": training})


def passing() -> dict[str, list[Check]]:
    return {part.name: checks_of(part, Outcome.PASSED) for part in CVAE.parts}


def perfect_report() -> Report:
    return report_of(all_checks(Outcome.PASSED))


KL_HINT = Hint("kl-without-exp", "The variance is missing", "The KL term needs σ². What turns its logarithm into it?")
HEAD_HINT = Hint("mean-head-activated", "A head has an activation", "What ends a head?")


def partial_report() -> Report:
    """A loss without exp(), a head with a ReLU, and a training run that only waits for them."""
    checks = all_checks(Outcome.PASSED)
    message = "Your loss is 7.31 where 8.83 is expected."
    checks["loss_function"][1] = Check("values on random minibatches", Outcome.FAILED, 0, 5, message, [KL_HINT])
    checks["loss_function"][2] = Check("gradients", Outcome.FAILED, 0, 5, "The gradient is constant.")
    checks["encoder"][4] = Check("the heads", Outcome.FAILED, 0, 3, "No mean is ever negative.", [HEAD_HINT])
    checks["training"] = checks_of(CVAE.part("training"), Outcome.SKIPPED, "Training waits for a loss.")
    return report_of(checks, output="epoch 0: 215.3\nepoch 1: 178.2\n", notes=["Your module trained at import."])


def out_of(scored: Report | PartReport) -> str:
    return f"{scored.score:g} / {scored.max_score:g}"


def unreadable_report() -> Report:
    message = "cs5814_vae.py cannot be parsed: line 31: '(' was never closed"
    return report_of(all_checks(Outcome.ERROR, message), error=message)


def hostile_report() -> Report:
    """Submission text everywhere that it could come to stand."""
    hint = Hint(HOSTILE, HOSTILE, HOSTILE)
    checks = {
        part.name: [Check(f"{each} {HOSTILE}", each, 0, 1, HOSTILE, [hint]) for each in list(Outcome)[1:]]
        for part in CVAE.parts
    }
    return report_of(checks, submission=HOSTILE, notes=[HOSTILE], output=HOSTILE * 20, isolation=HOSTILE)


def a_gallery() -> Gallery:
    """Five pictures."""
    buffer = io.BytesIO()
    Image.new("L", (280, 28)).save(buffer, "PNG")
    pictures = [Picture(f"{number}", f"picture {number}", buffer.getvalue()) for number in range(5)]
    return Gallery("How they were made.", [Figure("Reconstructions", pictures[:2]), Figure("Samples", pictures[2:])])


def printed(report: Report, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False, color_system=None)
    terminal.render(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


REPORTS = [blank_report, perfect_report, partial_report, unreadable_report, hostile_report]


# What all renderings agree on


@pytest.mark.parametrize("make", REPORTS)
def test_every_rendering_takes_every_report(make: Callable[[], Report]) -> None:
    report = make()
    assert printed(report)
    assert html.render(report)
    assert markdown.render(report)
    assert junit.render(report)
    assert gradescope.render(report)


def test_next_step_is_the_first_failing_check_of_the_notebook() -> None:
    step = summary.next_step(partial_report())
    assert step is not None
    assert (step.part, step.title) == ("encoder", "the heads")


def test_next_step_skips_a_check_that_waits_for_another() -> None:
    checks = all_checks(Outcome.PASSED)
    checks["encoder"][0].outcome, checks["forward"][0].outcome = Outcome.SKIPPED, Outcome.FAILED
    step = summary.next_step(report_of(checks))
    assert step is not None
    assert step.part == "forward"


def test_a_perfect_report_has_no_next_step() -> None:
    assert summary.next_step(perfect_report()) is None


def test_checks_with_one_message_are_one_finding() -> None:
    (finding,) = summary.findings(part_of(blank_report(), "sample_latent"))
    assert len(finding.checks) == 5
    assert finding.worth == 20


def test_checks_without_a_message_stay_apart() -> None:
    part = PartReport("forward", 10, checks_of(CVAE.part("forward"), Outcome.FAILED))
    assert len(summary.findings(part)) == 5


# Terminal


def test_terminal_shows_points_findings_hint_seed_and_isolation() -> None:
    text = printed(partial_report(), width=160)
    for expected in (
        out_of(partial_report()),
        out_of(part_of(partial_report(), "loss_function")),
        "Your loss is 7.31",
        f"Hint: {KL_HINT}",
        "seed 271828",
        "bubblewrap",
        "epoch 1",
    ):
        assert expected in text


def test_terminal_says_a_shared_message_once() -> None:
    assert printed(blank_report()).count("`loss_function` raises NotImplementedError.") == 1


def test_terminal_reads_no_markup_in_a_submission() -> None:
    assert "[red]bold[/red]" in printed(hostile_report(), width=4000)


def test_terminal_passes_no_control_character_on() -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", printed(hostile_report()))


def test_terminal_keeps_to_its_width() -> None:
    assert max(map(len, printed(hostile_report(), width=80).splitlines())) <= 80


@given(st.lists(st.text(st.characters(codec="ascii", exclude_characters="\r")), min_size=1), st.integers(40, 120))
def test_terminal_keeps_lines_to_paste_as_they_are(lines: list[str], width: int) -> None:
    checks = all_checks(Outcome.PASSED)
    code = "\n".join(f"print({line!r}[::2])" for line in lines)
    shown = Reproduction(code, "1", "2")
    checks["encoder"][4] = Check("the heads", Outcome.FAILED, 0, 3, "No mean.", [HEAD_HINT], reproduction=shown)
    text = printed(report_of(checks), width)
    assert f"\n# encoder: the heads\n{shown}\n" in text


def test_terminal_sets_a_hint_apart_from_the_error() -> None:
    report = unreadable_report()
    hint = Hint("syntax", "Python cannot read your file", "Count the brackets.")
    for check in (check for part in report.parts for check in part.checks):
        check.hints = [hint]
    report.error = f"{report.error}\nHint: {hint}"
    lines = printed(report).splitlines()
    assert [line for line in lines if "Count the brackets." in line] == [f"Hint: {hint}"]


def test_terminal_names_each_section_once() -> None:
    section = CVAE.part("encoder").section
    checks = all_checks(Outcome.PASSED)
    hint = Hint("mean-head-activated", "A head", f"What ends it? Read “{section}” in the notebook.")
    checks["encoder"][4] = Check("the heads", Outcome.FAILED, 0, 3, "No mean is negative.", [hint])
    assert printed(report_of(checks), width=200).count(section) == 1
    checks["encoder"][0] = Check("first", Outcome.PASSED, 3, 3)
    checks["decoder"], checks["encoder"] = checks["encoder"], checks["decoder"]
    assert printed(report_of(checks), width=200).count(section) == 1


def test_terminal_cuts_long_output() -> None:
    text = printed(report_of(output="line\n" * 500))
    assert text.count("line\n") + text.count("line ") < 20
    assert "488 more lines" in text


# HTML


def test_page_shows_what_works_then_what_to_fix_then_the_rest() -> None:
    text = Page(html.render(partial_report())).text
    places = [
        text.index(heading)
        for heading in ("What works so far", "Fix this next", "Part by part", "What your code printed")
    ]
    assert places == sorted(places)


def test_page_names_the_section_to_read() -> None:
    assert f"“{CVAE.part('encoder').section}” in the notebook" in Page(html.render(partial_report())).text


def test_page_greets_a_blank_fill_in_with_a_first_step() -> None:
    text = Page(html.render(blank_report())).text
    assert "Ready for the first points." in text
    assert "Start here" in text
    assert text.count("encoder raises NotImplementedError.") == 1
    assert "not written yet" in text


def test_page_of_a_perfect_report_asks_for_nothing() -> None:
    page = Page(html.render(perfect_report()))
    assert "Everything works." in page.text
    assert not [section for section in page.named("section") if section.get("id") == "next"]


def test_page_says_once_why_nothing_could_be_graded() -> None:
    assert Page(html.render(unreadable_report())).text.count("was never closed") == 1


def test_an_error_that_stops_several_parts_is_described_once() -> None:
    checks, said = all_checks(Outcome.PASSED), "RuntimeError: shapes ({}x15 and 25x64) (line 80: `f(x)`)"
    lines = Reproduction("f(x)", "RuntimeError", "")
    for part, hint in (("encoder", HEAD_HINT), ("training", after(["encoder"]))):
        for number, check in enumerate(checks[part]):
            found = Check(check.name, Outcome.ERROR, 0, 3, said.format(24 + number), [hint], 80, reproduction=lines)
            checks[part][number] = found
    report = report_of(checks)
    first, last = report.parts[0], report.parts[-1]
    assert [len(summary.findings(part)) for part in (first, last)] == [1, 1], "the numbers are those of the inputs"
    for text in (Page(html.render(report)).text, markdown.render(report).replace("\\", ""), printed(report)):
        text = " ".join(text.replace("`", "").split())
        assert text.count("(24x15 and 25x64)") == 1
        assert text.count(HEAD_HINT.title) == 1
        assert text.count("should give no error") == 1
        assert "Same error as in encoder" in text


def test_another_line_or_another_hint_is_another_error() -> None:
    checks = all_checks(Outcome.PASSED)
    for number, (line, hint) in enumerate([(80, HEAD_HINT), (81, HEAD_HINT), (80, KL_HINT)]):
        checks["encoder"][number] = Check(f"c{number}", Outcome.ERROR, 0, 3, "Stopped at 1.", [hint], line)
    assert len(summary.findings(report_of(checks).parts[0])) == 3
    checks["encoder"][:2] = [Check(f"c{number}", Outcome.FAILED, 0, 3, f"Off by {number}.") for number in range(2)]
    assert len(summary.findings(report_of(checks).parts[0])) == 3, "what was measured counts"


def test_page_counts_what_else_the_next_step_costs() -> None:
    checks = all_checks(Outcome.PASSED)
    also = Hint("summed-over-batch", "A sum", "Why a sum?")
    for number, hints in ((1, [KL_HINT]), (2, [KL_HINT]), (3, [KL_HINT, also])):
        checks["loss_function"][number] = Check("loss", Outcome.FAILED, 0, 5, f"Wrong in way {number}.", hints)
    text = " ".join(Page(html.render(report_of(checks))).text.split())
    assert "10 points for this error in 2 checks" in text
    assert "depend on this one" not in text


def test_page_counts_what_may_follow_the_next_step_once() -> None:
    checks = all_checks(Outcome.PASSED)
    checks["encoder"][0] = Check("first", Outcome.FAILED, 0, 3, "Wrong.", [HEAD_HINT])
    checks["encoder"][1] = Check("second", Outcome.SKIPPED, 0, 3, "Skipped: fix the check above first.")
    checks["training"][0] = Check("third", Outcome.FAILED, 0, 1, "Does not learn.", [after(["encoder"])])
    checks["loss_function"][0] = Check("fourth", Outcome.FAILED, 0, 5, "Another matter.", [KL_HINT])
    report = report_of(checks)
    step = summary.next_step(report)
    assert step is not None
    assert (step.worth, summary.may_follow(report, step)) == (3, 4)
    assert "3 points, and up to 4 more in checks that depend on this one" in Page(html.render(report)).text
    checks["encoder"][2] = Check("fifth", Outcome.FAILED, 0, 2, "Wrong.", [HEAD_HINT])
    checks["decoder"][0] = Check("sixth", Outcome.FAILED, 0, 5, "Wrong likewise.", [HEAD_HINT])
    step = summary.next_step(report_of(checks))
    assert step is not None
    assert summary.worth(report_of(checks), step) == (
        "10 points for this error in 3 checks, and up to 4 more in checks that depend on them"
    )


def test_page_says_that_checks_build_on_others_where_some_do() -> None:
    alone = all_checks(Outcome.PASSED)
    alone["encoder"][4] = Check("the heads", Outcome.FAILED, 0, 3, "No mean is negative.", [HEAD_HINT])
    assert "build on earlier ones" not in summary.headline(report_of(alone))[1]
    assert "build on earlier ones" in summary.headline(partial_report())[1]


def test_nothing_waits_for_a_mistake_that_repeats() -> None:
    checks = all_checks(Outcome.PASSED)
    for index in range(2):
        checks["encoder"][index] = Check(f"{index}", Outcome.FAILED, 0, 3, f"Head {index}.", [HEAD_HINT])
    report = report_of(checks)
    assert list(summary.waiting(report)) == []
    assert "build on earlier ones" not in summary.headline(report)[1]
    for index in range(2):
        checks["training"][index] = Check(f"{index}", Outcome.FAILED, 0, 1, f"Loss {index}.", [after(["encoder"])])
    assert len(list(summary.waiting(report_of(checks)))) == 2


def test_what_stood_in_for_a_part_is_said_once_of_all_of_it() -> None:
    report, said = (
        partial_report(),
        "In encoder and training, the grader used its own draw, because yours does not pass yet.",
    )
    part_of(report, "encoder").notes = [said]
    cell = grades.result(part_of(report, "encoder"), report, 15.0)["data"]["text/html"]
    shown = Page(html.render(report)).text, printed(report), gradescope.render(report)["output"], cell
    assert [" ".join(each.split()).count(said) for each in shown] == [1] * len(shown)


def test_page_names_the_students_own_class() -> None:
    report = partial_report()
    part_of(report, "encoder").uses = {"EncoderNet": 9}
    text = " ".join(Page(html.render(report)).text.split())
    assert "and EncoderNet, from line 9" in text.replace(" ,", ",")


def test_a_part_gives_each_hint_once() -> None:
    checks = all_checks(Outcome.PASSED)
    other = Hint("divided-by-batch-twice", "You divide twice", "Where is the second division?")
    for index, hints in enumerate(([KL_HINT], [KL_HINT, other], [other])):
        checks["loss_function"][index] = Check(f"{index}", Outcome.FAILED, 0, 5, f"Loss {index}.", hints)
    found = summary.findings(part_of(report_of(checks), "loss_function"))
    said = [hint for finding in found for hint in finding.hints]
    assert [said.count(each) for each in (KL_HINT, other)] == [1, 1]
    assert [len(finding.hints) for finding in found] == [1, 2, 1]
    assert found[2].hints[0].title == "You divide twice (see above)"


def test_page_tells_the_section_to_read_once() -> None:
    for hint in (HEAD_HINT, Hint("mean-head-activated", "A head", f"Read “{CVAE.part('encoder').section}”.")):
        checks = all_checks(Outcome.PASSED)
        checks["encoder"][4] = Check("the heads", Outcome.FAILED, 0, 3, "No mean is negative.", [hint])
        box = re.search(r'id="next".*?</section>', html.render(report_of(checks)), re.DOTALL)
        assert box is not None
        assert box[0].count(CVAE.part("encoder").section) == 1


def test_page_does_not_say_that_blank_parts_fail_for_one_reason() -> None:
    assert "same reason" not in Page(html.render(partial_report())).text


def test_page_gives_the_reason_for_nothing_graded_with_its_hint() -> None:
    report = unreadable_report()
    for check in (check for part in report.parts for check in part.checks):
        check.hints = [Hint("syntax", "Unreadable", "Count the brackets.")]
    report.error = f"{report.error} Count the brackets."
    text = Page(html.render(report)).text
    assert text.count("was never closed") == text.count("Count the brackets.") == 1
    assert printed(report).count("was never closed") == 1


def test_no_check_that_was_not_reached_has_an_end_of_its_own() -> None:
    report = unreadable_report()
    for outcome in (Outcome.ERROR, Outcome.TIMEOUT, Outcome.SKIPPED):
        for check in (check for part in report.parts for check in part.checks):
            check.outcome = outcome
        text = Page(html.render(report)).text
        assert text.count("not reached") == len(report.parts)
        assert summary.ENDED[outcome] not in text
        cells = [grades.result(part, report, part.max_score)["data"]["text/html"] for part in report.parts]
        assert all("not reached" in cell for cell in cells)


@pytest.mark.parametrize("score", [0, 2])
def test_points_that_were_lost_do_not_look_earned(score: int) -> None:
    checks = all_checks(Outcome.PASSED)
    checks["encoder"][4] = Check("the heads", Outcome.FAILED, score, 3, "No mean.", [HEAD_HINT])
    report = report_of(checks)
    for text in (" ".join(Page(html.render(report)).text.split()), markdown.render(report), printed(report)):
        assert f"{score} of 3 points" in text


def test_page_says_where_the_graders_own_function_stood_in() -> None:
    checks = all_checks(Outcome.PASSED)
    checks["loss_function"][0].outcome = Outcome.FAILED
    text = " ".join(Page(html.render(report_of(checks, gallery=a_gallery()))).text.split())
    assert "For your pictures, the grader used its own loss_function, because yours does not pass yet." in text
    assert "stood in" not in Page(html.render(perfect_report())).text


def test_page_tells_how_to_reproduce() -> None:
    text = Page(html.render(partial_report())).text
    assert "autograder grade cs5814_vae.py --seed 271828" in text
    assert SHA256 in text


def test_page_holds_no_tag_of_a_submission() -> None:
    hostile, tame = Page(html.render(hostile_report())), Page(html.render(partial_report()))
    assert not hostile.named("script")
    assert not hostile.named("img")
    assert {tag for tag, _ in hostile.tags} <= {tag for tag, _ in tame.tags}
    assert not [
        name for _, attributes in hostile.tags for name in attributes if name.startswith("on") or name == "style"
    ]


def test_page_evaluates_no_template_of_a_submission() -> None:
    assert "{{ 7 * 7 }}" in Page(html.render(hostile_report())).text


def test_page_refers_to_nothing_outside_itself() -> None:
    page = Page(html.render(report_of(gallery=a_gallery())))
    links = [value for _, attributes in page.tags for key, value in attributes.items() if key in ("src", "href")]
    assert links
    assert all(link and link.startswith(("#", "data:image/png;base64,")) for link in links)


def test_page_policy_allows_its_own_style_and_nothing_else() -> None:
    source = html.render(perfect_report())
    style = re.search("<style>(.*?)</style>", source, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    (policy,) = [meta["content"] for meta in Page(source).named("meta") if "http-equiv" in meta]
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_page_shows_pictures_with_their_descriptions() -> None:
    images = Page(html.render(report_of(gallery=a_gallery()))).named("img")
    assert len({image["alt"] for image in images if image["alt"]}) == 5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back"),
    [
        ("ink", "paper"), ("ink", "card"), ("ink", "soft"), ("muted", "paper"), ("muted", "soft"),
        ("accent", "paper"), ("accent", "soft"), ("on-accent", "accent"),
    ],
)  # fmt: skip
def test_page_colours_have_the_contrast_of_wcag_aa(scheme: int, front: str, back: str) -> None:
    source = html.render(perfect_report())
    colors = {name: re.findall(rf"--{name}: #(\w{{6}})", source)[scheme] for name in (front, back)}

    def luminance(color: str) -> float:
        channels = [int(color[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(colors[front]), luminance(colors[back])))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_page_scrolls_long_output_by_keyboard() -> None:
    (output,) = Page(html.render(report_of(output="x" * 5000))).named("pre")
    assert output["tabindex"] == "0"


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("make", REPORTS)
def test_page_fits_the_screen_and_its_own_policy(
    make: Callable[[], Report], width: int, browser: Any, tmp_path: Path
) -> None:
    with opened(browser, html.render(make()), tmp_path, width) as (page, complaints):
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        assert overflow(page) <= 0
        assert page.evaluate("getComputedStyle(document.querySelector('.next, .hero')).display") != "inline"
    assert complaints == []


# Markdown


def as_html(source: str) -> Page:
    return Page(MarkdownIt("commonmark", {"html": True}).enable("table").render(source))


def test_markdown_shows_score_table_next_step_and_hint() -> None:
    text = as_html(markdown.render(partial_report())).text
    for expected in (
        out_of(partial_report()),
        "loss_function",
        out_of(part_of(partial_report(), "loss_function")),
        "Fix next",
        "Your loss is 7.31",
        "Hint:",
        "--seed 271828",
    ):
        assert expected in text


def test_markdown_holds_no_tag_of_a_submission() -> None:
    allowed = {"h2", "h3", "h4", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "pre", "strong", "em"}
    allowed |= {"blockquote", "details", "summary"}
    assert {tag for tag, _ in as_html(markdown.render(hostile_report())).tags} <= allowed


def test_markdown_shows_hostile_text_as_it_is() -> None:
    text = as_html(markdown.render(hostile_report())).text
    assert "<script>alert(1)</script>" in text
    assert "[red]bold[/red]" in text


def test_markdown_mentions_nobody_outside_code() -> None:
    source = re.sub(r"(`{3,})text\n.*?\n\1\n", "", markdown.render(hostile_report()), flags=re.DOTALL)
    source = re.sub(r"(`+)[^`].*?\1(?!`)", "", source)
    assert not re.search(r"[@#]\w", source)


def test_markdown_fence_is_longer_than_any_in_the_output() -> None:
    source = markdown.render(report_of(output="a\n`````\n![i](x)"))
    assert "``````text\na\n`````\n![i](x)\n``````\n" in source


def test_markdown_cell_cannot_be_split() -> None:
    part = PartReport("a|b\n`c`", 1, checks_of(CVAE.parts[0], Outcome.PASSED))
    (row,) = re.findall(r"^\| `.*$", markdown.render(Report("x", SHA256, "none", 1, [part])), re.MULTILINE)
    assert len(re.findall(r"(?<!\\)\|", row)) == 4


# JUnit


def suite_of(report: Report) -> ElementTree.Element:
    suite = ElementTree.fromstring(junit.render(report).encode()).find("testsuite")
    assert suite is not None
    return suite


def test_junit_has_a_case_for_each_check_of_each_part() -> None:
    cases = suite_of(partial_report()).findall("testcase")
    assert [case.get("classname") for case in cases] == [part.name for part in CVAE.parts for _ in range(5)]


@pytest.mark.parametrize(
    ("outcome", "tag"),
    [
        ("failed", "failure"),
        ("error", "error"),
        ("timeout", "error"),
        ("not_written", "failure"),
        ("skipped", "skipped"),
        ("passed", None),
    ],
)
def test_junit_tells_outcomes_apart(outcome: str, tag: str | None) -> None:
    part = PartReport("forward", 10, [Check("shapes", Outcome(outcome), 0, 10, "why", [KL_HINT])])
    (case,) = suite_of(Report("x", SHA256, "none", 1, [part])).findall("testcase")
    assert [child.tag for child in case] == ([tag] if tag else [])


def test_junit_counts_agree_with_its_cases() -> None:
    suite = suite_of(partial_report())
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["30", "3", "0", "5"]


def test_junit_survives_text_that_xml_does_not_allow() -> None:
    (first, *_) = suite_of(hostile_report()).findall("testcase/failure")
    assert "]]>" in (first.text or "")


def test_junit_of_an_ungraded_submission_is_not_green() -> None:
    suite = suite_of(Report("x", SHA256, "none", 1, [], error="no such file in the zip"))
    assert suite.get("errors") == "1"


# Gradescope


def test_gradescope_numbers_and_scores_each_check() -> None:
    tests = gradescope.render(partial_report())["tests"]
    number = [part.name for part in CVAE.parts].index("loss_function")
    test = tests[5 * number + 1]
    assert test == {
        "name": "loss_function: values on random minibatches",
        "name_format": "text",
        "number": f"{number + 1}.2",
        "score": 0,
        "max_score": 5,
        "status": "failed",
        "output": test["output"],
        "output_format": "html",
        "visibility": "visible",
        "tags": ["loss_function"],
    }
    assert f"<p>Hint: {KL_HINT}" in test["output"]


def test_gradescope_total_is_the_sum_of_its_tests() -> None:
    results = gradescope.render(partial_report())
    assert results["score"] == sum(test["score"] for test in results["tests"]) == partial_report().score


def test_gradescope_says_a_shared_message_once() -> None:
    outputs = [test["output"] for test in gradescope.render(blank_report())["tests"][:5]]
    assert outputs == ["<p><code>encoder</code> raises NotImplementedError.</p>"] + ["<p>As in 1.1.</p>"] * 4


def test_gradescope_names_no_hidden_check() -> None:
    report = blank_report()
    report.parts[0].checks[2].worked_example = True
    tests = gradescope.render(report, "after_due_date")["tests"][1:6]
    assert [test["visibility"] == "visible" for test in tests] == [False, False, True, False, False]
    assert "raises NotImplementedError" in tests[2]["output"]
    assert tests[3]["output"] == "<p>As in 1.1.</p>"


@pytest.mark.parametrize("visibility", gradescope.VISIBILITIES)
def test_gradescope_results_hold_no_html_of_a_submission(visibility: str) -> None:
    results = json.loads(json.dumps(gradescope.render(hostile_report(), visibility), allow_nan=False))
    outputs = [results["output"], *(test["output"] for test in results["tests"])]
    assert {results["output_format"], *(test["output_format"] for test in results["tests"])} == {"html"}
    assert {test["name_format"] for test in results["tests"]} == {"text"}
    for output in outputs:
        assert set(re.findall("</?([a-z]+)", output)) <= {"p", "br", "code", "pre", "strong"}
        assert not re.search("<[a-z]+ ", output)


def test_gradescope_hides_the_log_and_shows_the_next_step() -> None:
    results = gradescope.render(partial_report())
    assert results["stdout_visibility"] == "hidden"
    assert "Next: <code>encoder</code>, the heads" in results["output"]
    assert "epoch 1: 178.2" in results["output"]


def test_gradescope_tells_nothing_early_of_what_is_hidden() -> None:
    results = gradescope.render(partial_report(), "after_due_date")
    assert {test["visibility"] for test in results["tests"]} == {"after_due_date"}
    assert "30 checks are shown after the due date." in results["output"]
    assert "encoder" not in results["output"]
    assert "178.2" not in results["output"]
    later = results["tests"][0]
    assert "Next: <code>encoder</code>" in later["output"]
    assert "score" not in later


def test_gradescope_shows_at_once_why_nothing_could_be_graded() -> None:
    assert "was never closed" in gradescope.render(unreadable_report(), "hidden")["output"]


def test_gradescope_says_that_a_grading_did_not_finish() -> None:
    report = partial_report()
    report.parts = [part for part in report.parts if part.name == "sample_latent"]
    results = gradescope.render(report, "after_due_date", finished=False)
    assert "did not finish" in results["output"]
    assert results["score"] == 20


# The report as data


@pytest.mark.parametrize("make", REPORTS[:-1])  # no grading makes the last, whose isolation level is hostile too
def test_every_report_keeps_the_published_schema(make: Callable[[], Report]) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(make().to_json())))


@pytest.mark.parametrize(
    "change", [{"score": "90"}, {"grade": "A"}, {"isolation": "none"}, {"parts": [{"name": "loss"}]}, {"schema": 1}]
)
def test_the_schema_refuses_what_is_no_report(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(perfect_report().to_json() | change)


def test_a_report_survives_being_written_and_read() -> None:
    report = partial_report()
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report
