"""What is made of grades: item analysis, changed checks, comparisons, what goes out, and small repairs."""

import csv
import dataclasses
import hashlib
import io
import json
import re
import statistics
import time
import zipfile
from itertools import islice
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.classroom import compare, items, outgoing
from autograder.classroom.adjust import Adjustments, NoSuchCheck
from autograder.classroom.entries import Entry, Recorded, Repair
from autograder.classroom.page import closing_lines, table
from autograder.classroom.repairs import MOST, best, candidates, stops_early
from autograder.classroom.run import Class, Options
from autograder.cli import app
from autograder.fill_in import fill_in
from autograder.grading.process import GradingProcess
from autograder.grading.results import Results
from autograder.output import NotWritable
from autograder.platforms.gradescope import grades as for_gradescope
from autograder.report.model import Check, Hint, Outcome, Report, part_reports
from autograder.submissions.layouts import Submitted, Upload, read_upload
from autograder.submissions.roster import read_roster
from autograder.submissions.source import decoded
from tests.pages import Page
from tests.submissions.correct import CORRECT
from tests.submissions.heavy import HEAVY
from tests.test_class_page import (
    CHECKS,
    MISTAKES,
    a_class,
    blank,
    entries_of,
    figures_of,
    missing,
    page_of,
    report_of,
    unreadable,
)  # fmt: skip
from tests.test_intake import full_marks

SEED = 5814
sets_of_mistakes = st.lists(st.sets(st.sampled_from(sorted(MISTAKES))), min_size=3, max_size=30)

# --- item analysis --------------------------------------------------------------------------------------------------


def columns(reports: list[Report]) -> dict[tuple[str, str], list[float]]:
    return {
        (part, name): [
            next(
                check.score for each in report.parts if each.name == part for check in each.checks if check.name == name
            )
            for report in reports
        ]
        for part, about in CHECKS.items()
        for name, _ in about
    }


@given(sets_of_mistakes)
def test_item_analysis_is_that_of_textbooks(mistakes: list[set[str]]) -> None:
    """Alpha from the covariances: k/(k−1) · (1 − trace C / sum C), as in Lord & Novick, 1968, equation 4.4.7."""
    reports = [report_of(*sorted(each)) for each in mistakes]
    found, points = items.analyze(reports), columns(reports)
    for item, scores in points.items():
        rest = [report.score - score for report, score in zip(reports, scores, strict=True)]
        if len(set(scores)) == 1 or len(set(rest)) == 1:
            assert found.discrimination[item] is None
        else:
            assert found.discrimination[item] == pytest.approx(statistics.correlation(scores, rest))
    covariances = [[statistics.covariance(one, other) for other in points.values()] for one in points.values()]
    whole, k = sum(map(sum, covariances)), len(points)
    if whole > 1e-9:
        trace = sum(covariances[place][place] for place in range(k))
        assert found.alpha == pytest.approx(k / (k - 1) * (1 - trace / whole))
    else:
        assert found.alpha is None


def test_analysis_of_nobody() -> None:
    assert items.analyze([]).alpha is None
    assert figures_of([])["reliability"]["checks"] == 0


def test_small_classes_get_counts() -> None:
    text = page_of(entries_of(*[report_of("kl-without-exp")] * 2, *[report_of()] * 6)).text
    assert "2 of 8" in text
    assert not re.search(r"\d ?%", text.rpartition("}")[2])  # after the style
    assert "Discrimination" not in text
    assert "α" not in text


def test_large_classes_get_shares_and_alpha() -> None:
    entries = a_class(60)
    text = page_of(entries).text
    assert f"Cronbach’s α is {figures_of(entries)['reliability']['alpha']:.2f}" in text
    assert "31%" in text


def test_a_mistake_of_one_student_is_no_card() -> None:
    entries = entries_of(report_of("kl-without-exp"), report_of("fixed-seed"), report_of("fixed-seed"), report_of())
    page = page_of(entries)
    assert sum(attributes.get("class") == "share" for _, attributes in page.tags) == 1
    assert "1 mistake, made by one student" in page.text


@pytest.mark.parametrize(
    ("worth", "labels"), [((4, 6), ["0–9", "10 full"]), ((4.5, 6), ["0–9.5", "10–10", "10.5 full"])]
)
def test_bars_are_labeled_with_the_points_in_them(worth: tuple[float, ...], labels: list[str]) -> None:
    name = CVAE.parts[0].name
    checks = {name: [Check(f"c{place}", Outcome.FAILED, 0.0, each) for place, each in enumerate(worth)]}
    parts = [
        dataclasses.replace(part, max_score=sum(worth)) for part in part_reports(CVAE, checks) if part.name == name
    ]
    found = figures_of(entries_of(Report.of(CVAE, sha256="x", parts=parts)))
    shown = [
        f"{bar['from']:g} full" if bar["below"] is None else f"{bar['from']:g}–{bar['to']:g}"
        for bar in found["distribution"]
    ]
    assert shown == labels


# --- one set of figures ---------------------------------------------------------------------------------------------


def recorded_class() -> list[Entry]:
    entries = a_class(40)
    return [
        dataclasses.replace(
            each,
            recorded=Recorded(
                each.report.score, None if place % 9 == 0 else 7.5, 100, 10.0 * (place % 7 == 0), place % 7 == 0
            ),
        )
        if place % 5
        else each
        for place, each in enumerate(entries)
    ]


def test_review_by_hand_is_one_number_everywhere() -> None:
    entries = recorded_class()
    entries[1] = dataclasses.replace(entries[1], recorded=Recorded(1.0, 2.0, 100))
    found = figures_of(entries)
    rows = list(csv.DictReader(io.StringIO(table(entries, CVAE), newline="")))
    expected = {entry.student for entry in entries if entry.reasons}
    assert entries[1].student in expected
    assert len(expected) == len(found["attention"]) == sum(bool(row["attention"]) for row in rows)
    assert len(expected) == sum(bool(row["attention"]) for row in found["students"])
    assert any(line.startswith(f"To review by hand: {len(expected)} ") for line in closing_lines(found))
    flags = page_of(entries).text.split("All students")[1]
    assert flags.count("review by hand") == len(expected)


def test_final_grades_balance() -> None:
    entries = recorded_class()
    final = figures_of(entries)["final"]
    assert final["students"] == sum(entry.recorded is not None for entry in entries)
    assert final["complete"] + len(final["lacking"]) == final["students"]
    assert sum(bar["students"] for bar in final["distribution"]) == final["complete"]


def test_grades_never_fall_below_zero() -> None:
    assert Recorded(5, 2.5, 100, 20).final == 0
    assert Recorded(50.25, 2.5, 100, 20).final == 32.75


# --- pages ----------------------------------------------------------------------------------------------------------


def test_an_anonymous_page_names_nobody() -> None:
    entries = [dataclasses.replace(each, student=f"Xq{place}zz", page=f"students/Xq{place}zz.html")
               for place, each in enumerate(recorded_class())]  # fmt: skip
    page = page_of(entries, anonymous=True)
    assert "Xq" not in page.text + " ".join(page.links())
    assert not [link for link in page.links() if link.startswith("./")]
    assert "Common mistakes" in page.text


def test_a_page_without_a_module_shows_no_seed() -> None:
    from autograder.report import render

    assert "Seed" not in Page(render(missing(), "html")).text
    assert "Seed" in Page(render(report_of(), "html")).text
    (row,) = csv.DictReader(io.StringIO(table(entries_of(missing()), CVAE), newline=""))
    assert row["seed"] == ""


def test_a_card_says_what_the_checks_saw() -> None:
    reports = [report_of("condition-first") for _ in range(3)]
    for report in reports:
        for check in (check for part in report.parts for check in part.checks if check.misconceptions):
            check.message = "Your `Model` has no attribute `mean_layer`."
    (row,) = figures_of(entries_of(*reports))["misconceptions"]
    assert row["seen"] == [{"message": "Your `Model` has no attribute `mean_layer`.", "students": 3}]


def test_a_card_names_all_parts_and_sections_that_it_costs() -> None:
    report = report_of("condition-first")
    first, second = report.parts[:2]
    second.checks[0].hints.append(Hint("of-two-parts", "The same in two parts", ""))
    first.checks[0].hints.append(Hint("of-two-parts", "The same in two parts", ""))
    rows = {row["name"]: row for row in figures_of(entries_of(report, report))["misconceptions"]}
    assert rows["of-two-parts"]["parts"] == [first.name, second.name]
    assert rows["of-two-parts"]["sections"] == [first.section, second.section]
    said = " ".join(page_of(entries_of(report, report)).text.split())
    assert f"{first.name} and {second.name} · “{first.section}” and “{second.section}”" in said


def test_a_card_quotes_what_differs_in_more_than_numbers() -> None:
    said = ["It is off by 3.5.", "It is off by 12, and negative.", "It is off by 2.25.", "It is off by -2."]
    reports = [report_of("condition-first") for _ in said]
    for report, message in zip(reports, said, strict=True):
        for check in (check for part in report.parts for check in part.checks if check.misconceptions):
            check.message = message
    (row,) = figures_of(entries_of(*reports))["misconceptions"]
    assert [(each["message"], each["students"]) for each in row["seen"]] == [(said[0], 3), (said[1], 1)]
    page = page_of(entries_of(*reports)).text
    assert f"3 students, for example: {said[0]}" in " ".join(page.split())
    assert f"1 student: {said[1]}" in " ".join(page.split())


# --- changed checks ---------------------------------------------------------------------------------------------------


@given(
    st.sets(st.sampled_from(sorted(MISTAKES))), st.sampled_from([name for each in CHECKS.values() for name, _ in each])
)
def test_points_add_up_whatever_check_is_dropped(mistakes: set[str], check: str) -> None:
    report = report_of(*sorted(mistakes))
    changed = Adjustments(drop=(check,)).apply(report)
    assert changed.max_score == report.max_score
    for part in changed.parts:
        assert sum(each.max_score for each in part.checks) == part.max_score
        assert all(each.score in (0, each.max_score) for each in part.checks)
    assert check in changed.notes[-1]
    assert check not in [each.name for part in changed.parts for each in part.checks]


@given(st.sets(st.sampled_from(sorted(MISTAKES))), st.sampled_from(CHECKS["loss_function"]))
def test_given_points_are_what_the_check_is_worth(mistakes: set[str], check: tuple[str, float]) -> None:
    report = report_of(*sorted(mistakes))
    lost = any(each.name == check[0] and not each.score for part in report.parts for each in part.checks)
    changed = Adjustments(give=(check[0],)).apply(report)
    assert changed.score == report.score + check[1] * lost


@pytest.mark.parametrize("make", [blank, unreadable, missing])
def test_no_points_are_given_to_who_could_not_be_graded(make: Any) -> None:
    assert Adjustments(give=("kl divergence",)).apply(make()).score == 0


@pytest.mark.parametrize("name", ["sizes follow", "no such check", ""])
def test_a_check_that_is_not_clear_is_refused(name: str) -> None:
    with pytest.raises(NoSuchCheck, match="The spread is" if name != "sizes follow" else "Sizes follow"):
        Adjustments(drop=(name,)).apply(report_of())


# --- comparing --------------------------------------------------------------------------------------------------------


@given(sets_of_mistakes, sets_of_mistakes)
def test_changes_balance(before: list[set[str]], after: list[set[str]]) -> None:
    old, new = (entries_of(*(report_of(*sorted(each)) for each in mistakes)) for mistakes in (before, after))
    earlier = {each.student: compare.Earlier(each.name, each.score, each.report) for each in old}
    found = compare.changes(earlier, new)
    gained = sum(entry.report.score for entry in new) - sum(entry.report.score for entry in old)
    assert sum(change.by for change in found) == gained
    stay = sum(1 for each in new if each.student in earlier and earlier[each.student].score == each.score)
    assert len(found) == len({*earlier, *(each.student for each in new)}) - stay
    assert all(change.why for change in found)


def test_a_change_says_why() -> None:
    old, new = report_of("kl-without-exp"), report_of("fixed-seed")
    earlier = {"student 0001": compare.Earlier("student 0001", old.score, old)}
    (change,) = compare.changes(earlier, entries_of(new))
    assert str(change).startswith("student 0001: 81 → 87 (+6). “KL divergence in closed form")
    assert "ends with “failed” now (−3)" in str(change)


# --- out --------------------------------------------------------------------------------------------------------------

GRADEBOOK = """Student;ID;SIS User ID;SIS Login ID;Section;Homework 3 Part 3 (77);Other (78)
    Points Possible;;;;;90;5
Doe, Ada;101;s101;ada;S1;;1
Wang, Wei;102;s102;wang1;S1;;
Wang, Wei;103;s103;wang2;S1;;
Nil, Nobody;104;s104;nil;S1;;
"""
DOWNLOAD = {
    "doeada_101_9001_cs5814_vae.py": b"def loss_function(): return 1\n",
    "wangwei_LATE_102_9002_cs5814_vae-1.py": b"def loss_function(): return 2\n",
    "wangwei_103_9003_notes.txt": b"?",
}


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    """A small class from Canvas, with full marks for every module; the folder that holds it all."""
    (tmp_path / "gradebook.csv").write_text(GRADEBOOK)
    with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as archive:
        for name, content in DOWNLOAD.items():
            archive.writestr(name, content)
    upload = read_upload(tmp_path / "submissions.zip", CVAE, read_roster(tmp_path / "gradebook.csv"))
    results = Results(tmp_path / "results", CVAE, SEED)
    for each in upload.submitted:
        if each.source is not None:
            results.keep(each.source, full_marks(each.source))
    taught = Class(upload, results, tmp_path / "graded", Options(repairs=False))
    taught.resume()
    taught.finish()
    return tmp_path


def test_points_without_code_to_compare_are_for_staff_to_look_at(tmp_path: Path) -> None:
    packed, padded = b"exec(bytes.fromhex('6f6b'))\n", b"x = 1\n" * 5000
    sources = {"ada": packed, "bob": packed, "eve": padded, "kim": b"y = 2\n", "max": fill_in(CVAE).encode()}
    upload = Upload([Submitted(student, source) for student, source in sources.items()])
    results = Results(tmp_path / "results", CVAE, SEED)
    for source in sources.values():
        results.keep(source, full_marks(source))
    results.keep(sources["kim"], blank())
    taught = Class(upload, results, tmp_path / "out", Options(repairs=False))
    taught.resume()
    taught.finish()
    said = {entry.student: " ".join(entry.report.attention) for entry in taught.entries}
    assert {student: re.findall("too (?:long|little)", text) for student, text in said.items()} == {
        "ada": ["too little"], "bob": ["too little"], "eve": ["too long"], "kim": [], "max": [],
    }  # fmt: skip
    (group,) = taught.figures["groups"]
    assert [each["student"] for each in group["members"]] == ["ada", "bob"]


def test_who_was_in_the_last_run_and_is_gone_is_told(tmp_path: Path) -> None:
    results = Results(tmp_path / "results", CVAE, SEED)
    sources = {name: f"def loss_function(): return '{name}'\n".encode() for name in ("ada", "bob", "dan", "new")}
    for source in sources.values():
        results.keep(source, full_marks(source))

    def warnings(*rows: Submitted) -> list[str]:
        taught = Class(Upload(list(rows)), results, tmp_path / "out", Options(repairs=False))
        taught.resume()
        taught.finish()
        return list(taught.figures["warnings"])

    ada, bob, dan = (Submitted(name, sources[name]) for name in ("ada", "bob", "dan"))
    lost, nobody = Submitted("lost", None, "no module"), Submitted("eve", None, "nothing", nothing=True)
    assert warnings(ada, bob, dan, lost, nobody) == []
    (said,) = warnings(Submitted("ada", sources["new"]), Submitted("9002", bob.source, name="Bob"))
    assert "dan, lost" in said
    assert "ada" not in said  # who handed in something else is here
    assert "bob" not in said  # nor is gone who has another id
    assert "eve" not in said
    assert warnings(ada) == ["in the last run, but not in this one: Bob (9002). Their reports were removed"]


def graded_again(out: Path, *rows: Submitted) -> Class:
    results = Results(out.parent / "results", CVAE, SEED)
    for row in rows:
        if row.source is not None:
            results.keep(row.source, full_marks(row.source))
    taught = Class(Upload(list(rows)), results, out, Options(repairs=False))
    taught.require_own()
    taught.resume()
    taught.finish()
    return taught


@pytest.mark.parametrize(
    "now",
    [
        Submitted("ada", None, "nothing was handed in", nothing=True),
        Submitted("ada", None, "there is no module"),
        Submitted("ada", b""),
    ],
)
def test_whose_work_is_gone_is_told_until_it_is_back(tmp_path: Path, now: Submitted) -> None:
    source, other = b"def loss_function(): return 1\n", b"def loss_function(): return 2\n"
    bob = Submitted("bob", other)
    assert not graded_again(tmp_path / "out", Submitted("ada", source), bob).figures["warnings"]
    for _ in range(2):
        taught = graded_again(tmp_path / "out", now, bob)
        assert taught.figures["warnings"] == ["their work was in the last run, but is not in this one: ada"]
        marked = {each["student"]: each["reasons"] for each in taught.figures["attention"]}
        assert compare.LOST in marked["ada"]
        assert compare.LOST not in marked["bob"]
    assert not graded_again(tmp_path / "out", Submitted("ada", source), bob).figures["warnings"]


def test_whose_id_is_corrected_may_have_lost_work_too(tmp_path: Path) -> None:
    source, bob = b"def loss_function(): return 1\n", Submitted("bob", b"def loss_function(): return 2\n")
    graded_again(tmp_path / "out", Submitted("a1", source, name="Ada Ash"), bob)
    taught = graded_again(tmp_path / "out", Submitted("a2", None, "nothing", nothing=True, name="Ada Ash"), bob)
    assert taught.figures["warnings"] == ["their work was in the last run, but is not in this one: Ada Ash (a2)"]
    assert not graded_again(tmp_path / "out", Submitted("a2", source, name="Ada Ash"), bob).figures["warnings"]


def test_work_that_staff_gave_to_another_student_is_not_gone(tmp_path: Path) -> None:
    ada, bob = (Submitted(name, b"def loss_function(): return 1\n") for name in ("ada", "bob"))
    without_ada, without_bob = (Submitted(name, None, "nothing", nothing=True) for name in ("ada", "bob"))
    graded_again(tmp_path / "out", ada, without_bob)
    assert not graded_again(tmp_path / "out", without_ada, bob).figures["warnings"]


TWO = Submitted("ada", b"def loss_function(): return 1\n"), Submitted("bob", b"def loss_function(): return 2\n")
FOREIGN = ["students/mine.html", "reports/final.json", "pairs/lab-pairs.html", "results/exam.csv", "notes.txt"]


def test_only_what_the_last_run_lists_is_removed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for name in FOREIGN:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("mine")
    graded_again(out, *TWO)
    assert (out / "students" / "bob.html").exists()
    graded_again(out, TWO[0])
    assert not (out / "students" / "bob.html").exists()
    assert not (out / "reports" / "bob.json").exists()
    assert {name: (out / name).read_text() for name in FOREIGN} == dict.fromkeys(FOREIGN, "mine")


@pytest.mark.parametrize(
    "name", ["index.html", "grades.csv", "class.json", "pairs/1.html", "students/ada.html", "reports/bob.json"]
)
def test_what_no_run_wrote_is_not_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / "out" / name).parent.mkdir(parents=True)
    (tmp_path / "out" / name).write_text('{"students": "mine"}')
    with pytest.raises(NotWritable, match=f"did not write, and would replace: {name}. Choose another folder"):
        graded_again(tmp_path / "out", *TWO)
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == [Path(name).name]


def test_an_adjustment_that_is_forgotten_is_told_once(tmp_path: Path) -> None:
    """It is in the class.json of the last run, as `--drop` and `--give` have it there."""
    assert graded_again(tmp_path / "out", *TWO).figures["warnings"] == []
    found = json.loads((tmp_path / "out" / "class.json").read_text("utf-8"))
    (tmp_path / "out" / "class.json").write_text(json.dumps(found | {"adjusted": ["The check “x” was dropped."]}))
    told = [graded_again(tmp_path / "out", *TWO).figures["warnings"] for _ in range(2)]
    said = "in the last run, but not in this one: The check “x” was dropped. Repeat --drop or --give to keep that"
    assert told == [[said], []]


@pytest.mark.parametrize("name", ["class.json", "index.html", "grades.csv", "reports/ada.json"])
def test_a_run_that_was_interrupted_or_damaged_goes_on(tmp_path: Path, name: str) -> None:
    graded_again(tmp_path / "out", *TWO)
    for damage in (Path.unlink, lambda path: path.write_text("{")):
        damage(tmp_path / "out" / name)
        graded_again(tmp_path / "out", *TWO)


def test_an_export_does_not_replace_its_own_gradebook(graded: Path) -> None:
    (graded / "out").mkdir()
    (graded / "gradebook.csv").rename(graded / "out" / "canvas.csv")
    command = ["export", str(graded / "graded"), "--canvas", str(graded / "out" / "canvas.csv")]
    run = CliRunner().invoke(app, [*command, "--to", str(graded / "out")])
    assert run.exit_code == 2
    assert "same file" in run.output
    assert (graded / "out" / "canvas.csv").read_text() == GRADEBOOK


def export(folder: Path, *options: str) -> Any:
    command = ["export", str(folder / "graded"), "--canvas", str(folder / "gradebook.csv"), *options]
    return CliRunner().invoke(app, [*command, "--to", str(folder / "out")])


def test_canvas_gets_a_row_for_everyone(graded: Path) -> None:
    run = export(graded, "--parts")
    assert run.exit_code == 0, run.output
    possible, *rows = csv.DictReader(io.StringIO((graded / "out" / "canvas.csv").read_text("utf-8"), newline=""))
    column = "Homework 3 Part 3 (77)"
    assert [row["ID"] for row in rows] == ["101", "102", "103", "104"]
    assert [row[column] for row in rows] == ["90", "90", "0.0", ""]
    assert possible[column] == "90"
    assert float(possible["Homework 3 Part 3: encoder"]) == 15
    assert "Other (78)" not in rows[0]


@pytest.mark.parametrize("download", ["submissions.zip", "submissions"])
def test_feedback_has_the_names_that_canvas_takes_back(graded: Path, download: str) -> None:
    with zipfile.ZipFile(graded / "submissions.zip") as archive:
        archive.extractall(graded / "submissions")  # as Safari does
    assert export(graded, "--submissions", str(graded / download)).exit_code == 0
    with zipfile.ZipFile(graded / "out" / "feedback.zip") as archive:
        names = archive.namelist()
    sent = {tuple(piece for piece in name.split("_") if piece.isdigit()) for name in DOWNLOAD}
    assert {tuple(piece for piece in name.split("_") if piece.isdigit()) for name in names} == sent


def test_feedback_takes_every_download_that_a_class_is_read_from(graded: Path) -> None:
    """In sections, and next to work from mail, whose student gets none and is named."""
    folder = graded / "sections"
    folder.mkdir()
    with zipfile.ZipFile(graded / "submissions.zip") as archive:
        names = archive.namelist()
        for at, name in enumerate(names[1:], 1):
            with zipfile.ZipFile(folder / f"section {at}.zip", "w") as section:
                section.writestr(name, archive.read(name))
    run = export(graded, "--submissions", str(folder))
    assert run.exit_code == 0, run.output
    assert "no feedback for 1 student with points, as sections has no file of theirs" in " ".join(run.output.split())
    with zipfile.ZipFile(graded / "out" / "feedback.zip") as archive:
        assert len(archive.namelist()) == len(names) - 1


def test_a_dry_run_writes_nothing_and_says_who_gets_what(graded: Path) -> None:
    run = export(graded, "--submissions", str(graded / "submissions.zip"), "--dry-run")
    assert not (graded / "out").exists()
    lines = run.output.splitlines()
    assert lines[0] == "Doe, Ada (101): 90 of 90, doeada_101_9001_feedback.html" or "(ada)" in lines[0]
    assert "Nil, Nobody" in lines[3]
    assert "nothing (nothing handed in)" in lines[3]
    assert lines[4] == "4 students: 3 with points, 1 without; 3 with feedback."


@pytest.mark.parametrize(
    ("column", "there"),
    [("Homework 3 Part 3 (77)", True), ("Homework 3 Part 3", True), ("HW3", False), ("Homework 3 Part 3 (7)", False)],
)
def test_a_column_that_canvas_lacks_is_told(graded: Path, column: str, there: bool) -> None:
    for dry in ([], ["--dry-run"]):
        run = export(graded, "--column", column, *dry)
        assert run.exit_code == 0
        assert (f"no column {column}, so Canvas will make a new assignment of it" in run.output) is not there
        assert ("It has Homework 3 Part 3 (77), Other (78)." in run.output) is not there


def test_a_roster_without_assignments_is_named(graded: Path) -> None:
    text = (graded / "gradebook.csv").read_text("utf-8")
    for column in ("Homework 3 Part 3 (77)", "Other (78)"):
        text = text.replace(column, column.partition(" (")[0])
    (graded / "gradebook.csv").write_text(text, "utf-8")
    run = export(graded)
    assert run.exit_code == 2
    assert "gradebook.csv has no column for an assignment" in " ".join(run.output.split())


@pytest.mark.parametrize("name", ["Ada Lovelace", "Lovelace, Ada"])
def test_gradescope_gets_first_and_last_names(tmp_path: Path, name: str) -> None:
    (tmp_path / "roster.csv").write_text(f'name,id\n"{name}",ada\n')
    student = read_roster(tmp_path / "roster.csv").students[0]
    _, row = csv.reader(
        io.StringIO(for_gradescope.gradebook([(student, None)], outgoing.Graded(90, {}, []), "HW", False))
    )
    assert row[:3] == ["Ada", "Lovelace", "ada"]


def test_who_is_not_in_the_roster_stops_the_export(graded: Path) -> None:
    short = "\n".join(line for line in GRADEBOOK.splitlines() if ";101;" not in line)
    (graded / "gradebook.csv").write_text(short)
    run = export(graded)
    assert run.exit_code == 2
    assert not (graded / "out").exists()


@pytest.mark.parametrize("content", [None, "{}", "[1]", '{"students": [{}]}'])
def test_a_folder_that_holds_no_class_is_told(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "class.json").write_text(content)
    with pytest.raises(outgoing.CannotExport, match="does not hold a class"):
        outgoing.read_graded(tmp_path)
    with pytest.raises(compare.NotAClass):
        compare.read_class(tmp_path)


def test_a_class_is_read_back_as_it_was(graded: Path) -> None:
    found = json.loads((graded / "graded" / "class.json").read_text("utf-8"))
    earlier = compare.read_class(graded / "graded")
    assert {student: each.score for student, each in earlier.items()} == {
        row["student"]: row["score"] for row in found["students"]
    }


def again(folder: Path, *options: str) -> Any:
    command = ["class", str(folder / "submissions.zip"), "--out", str(folder / "graded"), "--no-repairs"]
    command += ["--results", str(folder / "results"), "--roster", str(folder / "gradebook.csv")]
    return CliRunner().invoke(app, [*command, "--seed", str(SEED), *options])


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_comparison_writes_nothing(graded: Path) -> None:
    before = contents(graded)
    run = again(graded, "--compare", str(graded / "graded"))
    assert run.exit_code == 0, run.output
    assert "4 students: points rise for 0, fall for 0, and stay the same for 4." in run.output
    assert contents(graded) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--drop", "no such check"), "no check is called"),
        (("--give", "All"), "several checks are called"),
        (("--compare", "/nowhere"), "does not hold a class"),
        (("--gradebook", "sqlite:////nowhere/gradebook.db"), "there is no gradebook"),
        (("--compare-with", "/nowhere"), "does not exist"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: tuple[str, str], said: str, graded: Path) -> None:
    before = contents(graded / "graded")
    run = again(graded, *options)
    assert run.exit_code == 2
    assert said in " ".join(run.output.replace("│", " ").split())
    assert contents(graded / "graded") == before


def test_the_class_page_can_be_shown_in_a_lecture(graded: Path) -> None:
    assert again(graded, "--anonymous").exit_code == 0
    shown = (graded / "graded" / "index.html").read_text("utf-8")
    assert not re.search("Doe|Wang|Nobody|doeada|wangwei", shown)
    assert "Doe, Ada" in (graded / "graded" / "grades.csv").read_text("utf-8")


# --- small repairs ----------------------------------------------------------------------------------------------------

RIGHT = CORRECT["plain"]
TYPOS = {
    "a misspelled attribute": ("self.mean_layer(", "self.mean_layr("),
    "a forgotten self": ("self.encoder(", "encoder("),
    "an old name of an argument": ("def sample_latent(means,", "def sample_latent(mu,"),
    "a misspelled name": ("sample_latent(mean", "sample_latnt(mean"),
    "a misspelled function": ("def loss_function(", "def loss_functoin("),
    "a misspelled method of a tensor": (".exp(", ".expp("),
    "a misspelled argument of a library": ("reduction=", "reductoin="),
}


def broken_by(name: str) -> str:
    right, wrong = TYPOS[name]
    for source in (RIGHT, *CORRECT.values()):
        last = source.rfind(right)
        if last >= 0:
            return source[:last] + wrong + source[last + len(right) :]
    raise AssertionError(name)


@pytest.fixture(scope="module")
def process() -> Any:
    with GradingProcess(CVAE) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("name", TYPOS)
def test_a_repair_is_found_and_changes_no_grade(name: str, process: GradingProcess) -> None:
    source = broken_by(name).encode()
    report = process.grade(CVAE.module, source, seed=SEED)
    assert report.score < CVAE.points
    assert stops_early(report, source)
    found = best(source, report, process, seconds=300)
    assert found is not None
    assert found.score == CVAE.points
    assert process.grade(CVAE.module, source, seed=SEED).score == report.score


@pytest.mark.parametrize("make", [blank, missing, report_of, lambda: report_of("kl-without-exp")])
def test_what_does_not_stop_early_is_left_alone(make: Any) -> None:
    assert not stops_early(make(), fill_in(CVAE).encode())


def test_a_leftover_raise_goes_if_more_is_written() -> None:
    report = report_of()
    check = report.parts[0].checks[0]
    check.outcome, check.message, check.line, check.score = Outcome.NOT_WRITTEN, "Line 2 raises.", 2, 0
    written = "def f(x):\n    raise NotImplementedError('x')\n    return x\n"
    assert list(candidates(written, report)) == [(2, "def f(x):\n    pass\n    return x\n")]
    assert list(candidates(written.replace("    return x\n", ""), report)) == []


@given(st.text(alphabet="def self.x_()\n :=`'#\"raise", max_size=300), st.integers(1, 40))
def test_any_source_can_be_looked_at(text: str, line: int) -> None:
    report = report_of()
    kinds = ("name 'x' is not defined", "'M' object has no attribute 'x'", "f() got an unexpected keyword argument 'x'")
    for check, message in zip(report.parts[0].checks, kinds, strict=False):
        check.outcome, check.message, check.line = Outcome.ERROR, f"{message} (line {line})", line
    for place, changed in candidates(text, report):
        assert changed != text
        assert 1 <= place <= len(text.split("\n"))


@pytest.mark.parametrize("name", ["_dynamo", "Linear", "no_such_name", "__getattr__", "Tensor"])
def test_what_a_submission_names_is_not_imported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def loaded(attribute: str) -> None:
        raise AssertionError(attribute)

    for module in (torch, numpy):  # which load some modules when somebody first asks for them
        monkeypatch.setitem(vars(module), "__getattr__", loaded)
    report = report_of()
    check = report.parts[0].checks[0]
    check.outcome, check.line = Outcome.ERROR, 1
    check.message = f"TypeError: {name}() got an unexpected keyword argument 'in_featurs'"
    found = [changed for _, changed in candidates("layer = make(in_featurs=3)\n", report)]
    assert found[:1] == (["layer = make(in_features=3)\n"] if name == "Linear" else [])


@pytest.mark.parametrize("name", HEAVY)
def test_a_heavy_source_costs_little(name: str) -> None:
    report = report_of()
    check = report.parts[0].checks[0]
    check.outcome, check.message, check.line = Outcome.ERROR, "'M' object has no attribute 'x'", 9
    started = time.process_time()
    list(islice(candidates(decoded(HEAVY[name]), report), MOST))
    assert time.process_time() - started < 5


MANY_LINES = "def f(x):\n    raise NotImplementedError('((((')\n" + "    1\n" * 20_000
MANY_NAMES = "def f(" + ", ".join(f"n{number}" for number in range(9000)) + "):\n    return nope\n" + "    n0\n" * 5000
ALIKE = "".join(f"def A{'ab' * 33}{number:b}(): 0\n" for number in range(1400)).translate({48: "a", 49: "b"})
MANY_ALIKE = f"def f(x):\n    return {'a' * 100}{'b' * 99}\n{ALIKE}"
MANY_LIKE_IT = "def f(x):\n    raise x\n" + "    1\n" * 9000 + "".join(f"def wante{each}(): 0\n" for each in range(900))


@pytest.mark.parametrize(
    ("text", "outcome", "mistakes", "message"),
    [
        (MANY_LINES, Outcome.NOT_WRITTEN, [], "Not written yet"),
        (MANY_NAMES, Outcome.ERROR, [], "name 'nope' is not defined"),
        (MANY_ALIKE, Outcome.ERROR, [], f"name '{'a' * 100}{'b' * 99}' is not defined"),
        (MANY_LIKE_IT, Outcome.ERROR, ["attribute-missing"], " ".join(f"`wanted{each}`" for each in range(100))),
    ],
)
def test_looking_for_repairs_takes_bounded_time(text: str, outcome: Outcome, mistakes: list[str], message: str) -> None:
    report = report_of()
    for number, check in enumerate(check for part in report.parts for check in part.checks):
        check.outcome, check.line, check.hints = outcome, 2, [Hint(name, "a title", "a text") for name in mistakes]
        check.message = f"{message} {number}"
    started = time.process_time()
    assert len(list(candidates(text, report, seconds=1))) < 10_000
    assert time.process_time() - started < 2


def test_no_source_takes_the_place_of_a_repair(tmp_path: Path) -> None:
    ann = b"x = 1\n"
    sources = [ann, b"repair of " + ann, hashlib.sha256(ann).hexdigest().encode(), b".repair.json"]
    results = Results(tmp_path / "results", CVAE, SEED)
    taught = Class(Upload([Submitted("ann", ann)]), results, tmp_path / "out")
    taught._repair_file(ann).parent.mkdir(exist_ok=True)
    taught._repair_file(ann).write_text('{"line": 1, "text": "x = 2", "score": 90}')
    for source in sources:
        results.keep(source, blank())
        assert taught._found_repair(ann) == Repair(1, "x = 2", 90)


def test_a_repair_is_told_to_staff_alone() -> None:
    entry = dataclasses.replace(entries_of(report_of())[0], repair=Repair(79, "    self.hidden_size", 88))
    said = "ith line 79 reading self.hidden_size, this module gets 88."
    assert said in page_of([entry]).text
    assert figures_of([entry])["repairs"][0]["score"] == 88
    assert entry.final == entry.report.score
