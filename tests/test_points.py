"""Points add up: checks to their part, parts to the total, in every format, for any points an instructor writes."""

import base64
import csv
import io
import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.assignment import Assignment, BadAssignment, ByHand, Part, load
from autograder.classroom import page
from autograder.classroom.entries import Entry
from autograder.grading.grade import grade_source, nothing
from autograder.platforms.github import public, workflow
from autograder.platforms.gradescope import results as gradescope
from autograder.points import exact, rescaled, shown, split, total
from autograder.report import junit, markdown
from autograder.report.model import Check, Outcome, Report, part_reports
from autograder.sandbox.client import Sandbox

ASSIGNMENT = load()

halves = st.integers(1, 100).map(lambda units: units / 2)
hundredths = st.integers(1, 10_000).map(lambda units: units / 100)
points = halves | hundredths
weights = st.lists(st.integers(1, 20) | st.floats(0.01, 1000), min_size=1, max_size=12)


def decimal_sum(values: Sequence[float]) -> Decimal:
    """As who adds up the numbers in a file by hand."""
    return sum((Decimal(str(value)) for value in values), Decimal(0))


@given(points, weights)
def test_shares_sum_to_the_points_exactly(worth: float, by: list[float]) -> None:
    shares = split(worth, by)
    assert decimal_sum(shares) == Decimal(str(worth))
    assert all(share == round(share, 2) >= 0 for share in shares)
    assert all(share > 0 for share in shares) or worth * 100 < len(by)


@given(st.integers(1, 400).map(lambda units: units / 4), weights)
def test_shares_of_quarters_add_as_floats_do(worth: float, by: list[float]) -> None:
    shares = split(worth, by)
    if worth * 4 >= len(by):
        assert all(sum(order) == worth for order in itertools.islice(itertools.permutations(shares), 10))


@given(points, weights)
@example(0.02, [1, 2, 8])
def test_a_heavier_check_is_never_worth_less(worth: float, by: list[float]) -> None:
    shares = [share for _, share in sorted(zip(by, split(worth, by), strict=True))]
    assert shares == sorted(shares)


@given(points, weights, st.integers(2, 9))
def test_shares_depend_on_the_ratio_of_weights(worth: float, by: list[float], factor: int) -> None:
    whole = [round(weight) + 1 for weight in by]
    assert split(worth, whole) == split(worth, [factor * weight for weight in whole])


@pytest.mark.parametrize("by", [[], [0], [1, -1], [1, float("nan")], [1, float("inf")]])
def test_weights_that_share_out_nothing_are_refused(by: list[float]) -> None:
    with pytest.raises(ValueError, match="weights must not be negative, and not all 0"):
        split(1, by)


@given(points, points, st.data())
def test_a_rescaled_score_is_full_only_up_to_full(most: float, to: float, data: st.DataObject) -> None:
    score = data.draw(st.integers(0, round(most * 100)).map(lambda units: units / 100))
    assert 0 <= rescaled(score, most, to) <= to
    assert rescaled(most, most, to) == to
    assert rescaled(score, most, most) == score


@given(points)
def test_points_are_shown_to_the_last_digit(worth: float) -> None:
    assert float(shown(worth)) == worth
    assert Decimal(shown(worth)) == Decimal(str(worth))
    written: Any = Decimal(str(worth))
    assert exact(worth) == exact(written) == worth


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf"), 10**400, 1e9, 0.001, 7.255, "many", None])
def test_points_that_nobody_can_give_are_refused(bad: float) -> None:
    with pytest.raises(BadAssignment, match=r"^essay has .*point"):
        Part("essay", bad, "Essay")
    with pytest.raises(BadAssignment, match=r"^essay has .*point"):
        ByHand("essay", bad, "your essay")


def test_an_assignment_with_bad_points_says_so_at_load(tmp_path: Path) -> None:
    folder = tmp_path / "essay_writing"
    folder.mkdir()
    (folder / "assignment.py").write_text("from autograder.assignment import Part\nPart('essay', float('nan'), '')\n")
    with pytest.raises(BadAssignment, match="essay has nan points"):
        load(folder)


def test_two_parts_of_one_name_are_refused() -> None:
    with pytest.raises(BadAssignment, match=ASSIGNMENT.parts[0].name):
        replace(ASSIGNMENT, parts=(*ASSIGNMENT.parts, ASSIGNMENT.parts[0]))


# --- reports ----------------------------------------------------------------------------------------------------------


@st.composite
def graded(draw: st.DrawFn) -> tuple[Assignment, Report]:
    """An assignment with any points, and the report on a submission to it: some checks pass."""
    parts = [replace(part, points=draw(points)) for part in ASSIGNMENT.parts]
    assignment = replace(ASSIGNMENT, parts=tuple(parts))
    checks = {}
    for part in parts:
        ended = [(worth, draw(st.booleans())) for worth in split(part.points, draw(weights))]
        checks[part.name] = [
            Check(f"check {index}", Outcome.PASSED if right else Outcome.FAILED, worth * right, worth)
            for index, (worth, right) in enumerate(ended)
        ]
    return assignment, Report.of(assignment, parts=part_reports(assignment, checks), seed=7, sha256="0" * 64)


@given(graded())
def test_the_json_report_adds_up_and_comes_back(case: tuple[Assignment, Report]) -> None:
    assignment, report = case
    data = json.loads(json.dumps(report.to_json()))
    for kind in ("score", "max_score"):
        assert decimal_sum([part[kind] for part in data["parts"]]) == Decimal(str(data[kind]))
        for part in data["parts"]:
            assert decimal_sum([check[kind] for check in part["checks"]]) == Decimal(str(part[kind]))
    assert data["max_score"] == assignment.points
    assert Report.from_json(data) == report


@given(graded())
def test_a_report_without_a_mistake_has_full_points(case: tuple[Assignment, Report]) -> None:
    assignment, report = case
    for check in (check for part in report.parts for check in part.checks):
        check.score = check.max_score
    assert report.score == report.max_score == assignment.points
    assert all(part.score == part.max_score for part in report.parts)
    assert nothing(assignment, "it is not there").max_score == assignment.points


@given(graded())
def test_gradescope_s_tests_sum_to_its_score(case: tuple[Assignment, Report]) -> None:
    _, report = case
    found = json.loads(json.dumps(gradescope.render(report)))
    assert decimal_sum([test["score"] for test in found["tests"]]) == Decimal(str(found["score"]))
    assert decimal_sum([test["max_score"] for test in found["tests"]]) == Decimal(str(report.max_score))


@given(graded())
def test_the_class_s_table_adds_up(case: tuple[Assignment, Report]) -> None:
    assignment, report = case
    table = page.table([Entry("ada", report), Entry("bob", nothing(assignment, "lost"))], assignment)
    for row in csv.DictReader(io.StringIO(table)):
        assert decimal_sum([float(row[part.name]) for part in assignment.parts]) == Decimal(row["score"])
        assert Decimal(row["max_score"]) == Decimal(str(assignment.points))


@given(graded())
def test_junit_markdown_and_github_tell_every_digit(case: tuple[Assignment, Report]) -> None:
    _, report = case
    score, most = shown(report.score), shown(report.max_score)
    properties = {each.get("name"): each.get("value") for each in ElementTree.fromstring(junit.render(report)).iter()}
    assert (properties["score"], properties["max_score"]) == (score, most)
    assert f"## {score} / {most} " in markdown.render(report)
    told = dict(line.split("=", 1) for line in workflow._outputs(report).splitlines())
    assert (told["score"], told["max-score"]) == (score, most)
    tests = json.loads(base64.b64decode(told["result"]))["tests"]
    assert decimal_sum([test["score"] for test in tests]) == Decimal(score)


@given(halves, st.integers(1, 12))
def test_public_checks_share_their_part(worth: float, count: int) -> None:
    assignment = replace(ASSIGNMENT, parts=(replace(ASSIGNMENT.parts[0], points=worth),))
    labels = {assignment.parts[0].name: [f"check {index}" for index in range(count)]}
    part = public._parts(json.dumps(labels) + "\n", "why", assignment)[0]
    assert decimal_sum([check.max_score for check in part.checks]) == Decimal(str(worth))


@given(st.lists(hundredths, min_size=1, max_size=40))
def test_a_total_is_rounded_once(values: list[float]) -> None:
    assert Decimal(str(total(values))) == decimal_sum(values)


# --- the graded checks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("worth", [(10, 30), (20, 0.05)])
def test_the_checks_of_an_assignment_sum_to_its_parts(worth: tuple[float, float]) -> None:
    new = dict(zip(("encoder", "loss_function"), worth, strict=True))
    parts = tuple(replace(part, points=new.get(part.name, part.points)) for part in ASSIGNMENT.parts)
    assignment = replace(ASSIGNMENT, parts=parts)
    with Sandbox(None, assignment) as sandbox:
        report = grade_source(assignment.module, assignment.solution.read_bytes(), sandbox, seed=7)
    assert report.score == assignment.points
    for part, graded_part in zip(parts, report.parts, strict=True):
        assert decimal_sum([check.score for check in graded_part.checks]) == Decimal(str(part.points))


def test_points_are_documented() -> None:
    """docs/points.md lists every check with what it is worth, in the order of the report."""
    told: dict[str, list[tuple[str, str]]] = {}
    for line in (Path(__file__).parents[1] / "docs" / "points.md").read_text("utf-8").splitlines():
        if heading := re.fullmatch(r"## (\w+): ([\d.]+) points", line):
            told[heading[1]] = []
            assert ASSIGNMENT.part(heading[1]).points == float(heading[2])
        elif row := re.fullmatch(r"\| (.+) \| ([\d.]+) \| (.+\S) \|", line.replace("\\|", "\N{BROKEN BAR}")):
            told[list(told)[-1]].append((row[1].replace("\N{BROKEN BAR}", "|"), row[2]))
    with Sandbox() as sandbox:
        report = grade_source("solution", ASSIGNMENT.solution.read_bytes(), sandbox, seed=1)
    assert told == {part.name: [(check.name, shown(check.max_score)) for check in part.checks] for part in report.parts}


def lost_by(source: str) -> Check:
    """The only check that takes points for a module."""
    with Sandbox() as sandbox:
        report = grade_source(ASSIGNMENT.module, source.encode(), sandbox, seed=7)
    (lost,) = (check for part in report.parts for check in part.checks if check.score < check.max_score)
    return lost


@pytest.mark.parametrize("place", ["import", "constructor"])
def test_gradients_that_are_turned_off_cost_the_training_alone(place: str) -> None:
    source, off = ASSIGNMENT.solution.read_text("utf-8"), "torch.set_grad_enabled(False)"
    source = (
        f"{source}\n{off}\n"
        if place == "import"
        else source.replace("super().__init__()", f"super().__init__(); {off}")
    )
    lost = lost_by(source)
    assert lost.max_score == 4
    assert "turns gradients off" in lost.message


def test_inference_mode_costs_the_training_alone() -> None:
    source, start = ASSIGNMENT.solution.read_text("utf-8"), "    def __init__("
    assert source.count(start) == 1
    lost = lost_by(source.replace(start, "    @torch.inference_mode()\n" + start))
    assert lost.max_score == 4
    assert "inference_mode" in lost.message


@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
def test_a_forward_of_few_digits_costs_one_check(kind: str) -> None:
    source, start = ASSIGNMENT.solution.read_text("utf-8"), "    def forward("
    assert source.count(start) == 1
    lost = lost_by(source.replace(start, f'    @torch.autocast("cpu", dtype=torch.{kind})\n{start}'))
    assert f"as numbers of {kind} do" in lost.message


BOUNDS = {
    "nn.Sigmoid(), nn.Hardtanh(0.0001, 0.9999)": "",
    "nn.Hardtanh(-8, 8), nn.Sigmoid()": "",
    "nn.Sigmoid(), nn.Hardtanh(0.001, 0.999)": "cut off to [0.001, 0.999]",
    "nn.Sigmoid(), nn.Hardtanh(0.01, 0.99)": "cut off to [0.01, 0.99]",
    "nn.Hardtanh(-5, 5), nn.Sigmoid()": "cut off to [0.00669, 0.993]",
    "nn.Sigmoid(), nn.Hardtanh(0, 0.999)": "cut off above 0.999",
    "nn.Sigmoid(), nn.Threshold(0.002, 0.002)": "cut off below 0.002",
}


@pytest.mark.parametrize("end", BOUNDS)
def test_a_bound_on_pixels_counts_from_a_thousandth_on(end: str) -> None:
    source = ASSIGNMENT.solution.read_text("utf-8").replace("nn.Sigmoid()", end)
    with Sandbox() as sandbox:
        reports = [grade_source(ASSIGNMENT.module, source.encode(), sandbox, seed=seed) for seed in (1, 2)]
    for report in reports:
        lost = [check for part in report.parts for check in part.checks if check.score < check.max_score]
        assert [check.max_score for check in lost] == ([4.0] if BOUNDS[end] else [])
        assert all(BOUNDS[end] in check.message for check in lost)


@pytest.mark.parametrize(("kept", "said"), [(0, "after linear layers 1, 2 and 3"), (2, "its last ReLU")])
def test_an_encoder_whose_relus_are_in_forward_gets_a_note(kept: int, said: str) -> None:
    before, encoder, after = re.split(
        r"(self\.encoder = .*?\n        \))", ASSIGNMENT.solution.read_text("utf-8"), flags=re.S
    )
    parts = encoder.split("            nn.ReLU(),\n")
    source = before + "            nn.ReLU(),\n".join(parts[: kept + 1]) + "".join(parts[kept + 1 :]) + after
    whole = re.search(r"self\.encoder\((torch\.cat\(.+?\))\)", source)
    assert whole
    inner = f"[h := {whole[1]}, *(h := torch.relu(layer(h)) for layer in self.encoder)][-1]"
    source = source.replace(whole[0], f"torch.relu({whole[0]})" if kept else inner)
    with Sandbox() as sandbox:
        report = grade_source(ASSIGNMENT.module, source.encode(), sandbox, seed=7)
    assert report.score == report.max_score
    assert any(said in check.message for part in report.parts for check in part.checks)
