"""A class goes through every nbgrader command, from the release to the exported grades, and through formgrader."""

import csv
import hashlib
import json
import re
import shutil
import sqlite3
import time
import zipfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.assignment import MODULE, PARTS, VISUALIZATION_POINTS
from autograder.grading.grade import grade_source
from autograder.platforms.nbgrader.comments import read_comments
from autograder.sandbox.client import Sandbox
from autograder.sandbox.isolation import why_not
from autograder.submissions.find import find_module
from tests.nbgrader.class_of_students import NOTEBOOK, PERFECT, WRONG, Student, students
from tests.nbgrader.conftest import Command, command_in

pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_not("bubblewrap") is not None, reason="bubblewrap")]

DUE = datetime.now(UTC) + timedelta(days=1)
FAST = "--RunNotebook.enabled=False"
assert CVAE.by_hand
COMMENTS = read_comments((CVAE.folder / "comments.md").read_text("utf-8"))[CVAE.by_hand.name]
EXPORTERS = "autograder.platforms.nbgrader.plugins"
EXCHANGE = 8  # so many students fetch and submit by nbgrader's own commands, which take seconds each


@pytest.fixture(scope="module")
def released(course: Path, nbgrader: Command) -> Path:
    nbgrader("generate_assignment", CVAE.kit)
    nbgrader("db", "assignment", "add", CVAE.kit, f"--duedate={DUE:%Y-%m-%d %H:%M:%S} UTC")
    nbgrader("release_assignment", CVAE.kit)
    return course


@pytest.fixture(scope="module")
def submitted(released: Path, nbgrader: Command) -> Path:
    """Everyone has handed in: by the exchange, by the learning platform, or into the TA's own hands."""
    exchange = ("--course=cs5814", f"--Exchange.root={released.parent / 'exchange'}")

    def submit(student: Student) -> None:
        home = released.parent / "students" / student.name
        home.mkdir(parents=True)
        own = command_in(home, home)
        own("fetch_assignment", CVAE.kit, *exchange)
        student.fill(home / CVAE.kit)
        own("submit", CVAE.kit, *exchange, f"--student={student.name}")

    everyone = students(released)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(submit, everyone[:EXCHANGE]))
    for student in everyone[EXCHANGE:]:
        folder = released / "submitted" / student.name / CVAE.kit
        shutil.copytree(released / "release" / CVAE.kit, folder)
        student.fill(folder)
        (folder / "timestamp.txt").write_text(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f} UTC")
    nbgrader("collect", CVAE.kit, "--ExchangeCollect.check_owner=False")
    hand_in_by_platform(released)
    nbgrader("zip_collect", CVAE.kit)
    late = f"{DUE + timedelta(days=1, hours=1):%Y-%m-%d %H:%M:%S.%f} UTC"
    (released / "submitted" / "eve" / CVAE.kit / "timestamp.txt").write_text(late)
    return released


def hand_in_by_platform(course: Path) -> None:
    """What Canvas gives for two students: one uploaded two files, the second time; the other a zip of the folder."""
    archive = course / "downloaded" / CVAE.kit / "archive"
    archive.mkdir(parents=True)
    release = course / "release" / CVAE.kit
    with zipfile.ZipFile(archive / "submissions.zip", "w") as everyone:
        everyone.writestr(f"quinnray_LATE_1001_20001_{MODULE[:-3]}-1.py", PERFECT)
        everyone.write(release / f"{NOTEBOOK}.ipynb", f"quinnray_LATE_1001_20002_{NOTEBOOK}-1.ipynb")
        everyone.writestr("quinnray_LATE_1001_20003_notes.py", "print('not asked for')")
        own = course.parent / "own.zip"
        with zipfile.ZipFile(own, "w") as folder:
            folder.writestr(f"{CVAE.kit}/{MODULE}", WRONG["summed-over-batch"])
            folder.writestr(f"{CVAE.kit}/old/{MODULE}", PERFECT)
            folder.write(release / f"{NOTEBOOK}.ipynb", f"{CVAE.kit}/{NOTEBOOK}.ipynb")
            folder.writestr(f"{CVAE.kit}/timestamp.txt", "2000-01-01 00:00:00 UTC")
        everyone.write(own, f"ruizsam_1002_20004_{CVAE.kit}.zip")


@pytest.fixture(scope="module")
def graded(submitted: Path, nbgrader: Command) -> Path:
    nbgrader("autograde", CVAE.kit, FAST)
    return submitted


def gradebook(course: Path) -> Gradebook:
    return Gradebook(f"sqlite:///{course}/gradebook.db")


def scores(course: Path, student: str) -> dict[str, float]:
    """The scores that the gradebook holds, by test cell."""
    assert CVAE.by_hand is not None
    with gradebook(course) as book:
        submission = book.find_submission_notebook(NOTEBOOK, CVAE.kit, student)
        return {grade.name: grade.auto_score for grade in submission.grades if grade.name not in CVAE.by_hand.shares}


def autograded(course: Path, student: str) -> dict[str, nbformat.NotebookNode]:
    notebook = nbformat.read(course / "autograded" / student / CVAE.kit / f"{NOTEBOOK}.ipynb", 4)
    return {cell.metadata.get("nbgrader", {}).get("grade_id", cell.id): cell for cell in notebook.cells}


def test_release_holds_no_solution(released: Path) -> None:
    for path in released.glob("release/**/*"):
        if path.is_file():
            assert b"BEGIN SOLUTION" not in path.read_bytes()
            assert b"0.5 * logvariances" not in path.read_bytes()
    assert (released / "release" / CVAE.kit / MODULE).read_text().count("raise NotImplementedError") == 5


def test_every_student_is_graded(graded: Path) -> None:
    everyone = [student.name for student in students(graded)] + ["quinnray_1001", "ruizsam_1002"]
    with gradebook(graded) as book:
        assert sorted(student.id for student in book.students) == sorted(everyone)
        assert len(book.find_assignment(CVAE.kit).submissions) == len(everyone)


def test_each_grade_is_the_one_that_autograder_grade_gives(graded: Path) -> None:
    seeds = {}
    for path in (graded / "reports").iterdir():
        report = json.loads(path.read_text())
        seeds[report["sha256"]] = report["seed"]
    by_source = defaultdict(list)  # several handed in the same
    for module in sorted(graded.glob(f"submitted/*/{CVAE.kit}/{MODULE}")):
        by_source[find_module(module, CVAE)[1]].append(module.parent.parent.name)
    with Sandbox() as sandbox:
        for source, who in by_source.items():
            alone = grade_source(MODULE, source, sandbox, seed=seeds[hashlib.sha256(source).hexdigest()])
            for student in who:
                assert scores(graded, student) == {part.name: part.score for part in alone.parts}, student


@pytest.mark.parametrize(
    ("student", "expected"),
    [
        ("ann", CVAE.points),
        ("ben", 0),
        ("eve", CVAE.points),
        ("gus", 0),
        ("nat", CVAE.points),
        ("oda", 0),
        ("pia", 0),
        ("quinnray_1001", CVAE.points),
    ],
)
def test_scores_of_the_clear_cases(graded: Path, student: str, expected: float) -> None:
    assert sum(scores(graded, student).values()) == expected


@pytest.mark.parametrize("student", ["ida", "jon", "kim"])
def test_attacks_earn_nothing(graded: Path, student: str) -> None:
    assert sum(scores(graded, student).values()) == 0
    assert not (graded / "was-here").exists()


@pytest.mark.parametrize(
    ("student", "part"),
    [
        ("cam", "sample_latent"),
        ("dee", "loss_function"),
        ("hal", "encoder"),
        ("lou", "decoder"),
        ("ruizsam_1002", "loss_function"),
    ],
)
def test_a_mistake_costs_its_part_alone_and_is_explained(graded: Path, student: str, part: str) -> None:
    points = {each.name: each.points for each in PARTS}
    found = scores(graded, student)
    assert found[part] < points[part]
    for other in points.keys() - {part, "training"}:
        assert found[other] == points[other]
    (output,) = autograded(graded, student)[part].outputs
    assert float(output.data["text/plain"]) == found[part]
    assert "Hint:" in output.data["text/html"]


def test_a_missing_module_gets_zeros_with_the_reason(graded: Path) -> None:
    for part in PARTS:
        (output,) = autograded(graded, "gus")[part.name].outputs
        assert "There is no cs5814_vae.py in what you handed in" in output.data["text/html"]
        assert str(graded) not in output.data["text/html"]


def test_edited_cells_are_restored(graded: Path) -> None:
    cells = autograded(graded, "lou")
    for part in PARTS:
        assert cells[part.name].source == f'check("{part.name}")'
        assert cells[part.name].metadata.nbgrader.points == part.points
    assert "bonus" not in cells
    assert cells["visualization"].source.startswith("### Your turn")
    with gradebook(graded) as book:
        assert book.find_submission(CVAE.kit, "lou").max_score == CVAE.points + VISUALIZATION_POINTS


def test_late_submission_pays_for_each_day_begun(graded: Path) -> None:
    with gradebook(graded) as book:
        assert book.find_submission(CVAE.kit, "eve").late_submission_penalty == 20
        assert book.find_submission(CVAE.kit, "ann").late_submission_penalty == 0


def test_grading_again_reuses_every_report(graded: Path, nbgrader: Command) -> None:
    before = {path: path.stat().st_mtime_ns for path in (graded / "reports").iterdir()}
    nbgrader("autograde", CVAE.kit, FAST, "--force", "--student=oda")
    assert {path: path.stat().st_mtime_ns for path in (graded / "reports").iterdir()} == before
    assert sum(scores(graded, "oda").values()) == 0


def test_a_resubmission_keeps_the_points_given_by_hand(graded: Path, nbgrader: Command) -> None:
    with gradebook(graded) as book:
        grade = book.find_grade("visualization", NOTEBOOK, CVAE.kit, "fay")
        grade.manual_score, grade.needs_manual_grade = 5, False
        book.db.commit()
    home = graded.parent / "students" / "fay"
    shutil.copy(graded.parent / "students" / "ann" / CVAE.kit / MODULE, home / CVAE.kit)
    exchange = ("--course=cs5814", f"--Exchange.root={graded.parent / 'exchange'}")
    command_in(home, home)("submit", CVAE.kit, *exchange, "--student=fay")
    nbgrader("collect", CVAE.kit, "--update", "--ExchangeCollect.check_owner=False")
    nbgrader("autograde", CVAE.kit, FAST)
    assert sum(scores(graded, "fay").values()) == CVAE.points
    with gradebook(graded) as book:
        grade = book.find_grade("visualization", NOTEBOOK, CVAE.kit, "fay")
        assert grade.manual_score == 5
        assert book.find_submission(CVAE.kit, "fay").score == CVAE.points + 5
        assert book.find_submission(CVAE.kit, "eve").late_submission_penalty == 20  # not touched


@pytest.fixture(scope="module")
def pictured(graded: Path, nbgrader: Command) -> Path:
    """The class, of which the notebooks of two have run."""
    for student in ("cam", "lou"):
        before = scores(graded, student)
        nbgrader("autograde", CVAE.kit, "--force", f"--student={student}")
        assert scores(graded, student) == before
    return graded


def test_pictures_come_from_the_sandbox_and_scripts_do_not(pictured: Path) -> None:
    ours = {part.name for part in PARTS}
    pictures = dict.fromkeys(("cam", "lou"), 0)
    for student in pictures:
        for name, cell in autograded(pictured, student).items():
            for output in cell.get("outputs", ()) if name not in ours else ():
                data = output.get("data", {})
                pictures[student] += "image/png" in data
                assert set(data) <= {"image/png", "text/plain", "text/html"}
                assert "text/html" not in data or re.fullmatch(r"<p style=[^<>]*>[\w ,]+:</p>", data["text/html"])
    assert pictures["lou"] >= 7, "nothing was handed in"
    assert pictures["cam"] >= 5 + 7, "five figures were handed in, which are another student's"


def test_autograde_ends_in_one_line_that_adds_up(pictured: Path, nbgrader: Command) -> None:
    said = nbgrader("autograde", CVAE.kit, FAST)
    everyone = len(students(pictured)) + 2
    assert f"{everyone} submissions: 0 graded, {everyone} graded before" in said
    assert len(said.splitlines()) < 10


# --- a TA's session in formgrader, in a real headless Chromium --------------------------------------------------------


def submission_of(course: Path, student: str) -> str:
    with gradebook(course) as book:
        return book.find_submission_notebook(NOTEBOOK, CVAE.kit, student).id


def total(course: Path, student: str) -> float:
    with gradebook(course) as book:
        return book.find_submission(CVAE.kit, student).score


@pytest.mark.browser
def test_lists_the_class(server: str, page: Any, expect: Any, graded: Path, artifacts: Path) -> None:
    page.goto(server % f"formgrader/manage_submissions/{CVAE.kit}")
    for student in students(graded):
        expect(page.locator("body")).to_contain_text(student.name)
    expect(page.locator("tbody tr", has_text="cam")).to_contain_text(f"{total(graded, 'cam'):g} / 100")
    page.screenshot(path=artifacts / "formgrader-class.png")


@pytest.mark.browser
def test_takes_points_and_a_comment_for_the_figures(
    server: str, page: Any, expect: Any, pictured: Path, artifacts: Path
) -> None:
    before = total(pictured, "cam")
    page.goto(server % f"formgrader/submissions/{submission_of(pictured, 'cam')}/")
    expect(page.locator("body")).to_contain_text("Hint:")
    expect(page.locator(".output_png img, img[src^='data:image/png']").first).to_be_visible()
    expect(page.locator("input.score#sample_latent")).to_have_attribute("placeholder", re.compile(r"\d"))
    expect(page.get_by_text("Handed in with the notebook").first).to_be_visible()
    expect(page.get_by_text("Run again by the grader").first).to_be_visible()
    expect(page.locator("body")).to_contain_text("5 of 5 figures are the same, pixel by pixel, as those of dee.")
    page.get_by_text("Please look closely").evaluate("each => each.scrollIntoView()")
    page.mouse.wheel(0, -90)
    page.wait_for_timeout(300)
    page.screenshot(path=artifacts / "formgrader-figures.png")
    page.get_by_text("of 20 points").scroll_into_view_if_needed()
    page.screenshot(path=artifacts / "formgrader-hints.png")
    page.screenshot(path=artifacts / "formgrader-submission.png", full_page=True)

    panel = page.locator(".nbgrader_cell", has_text="Your turn: read the figures")
    points = panel.locator("input.score")
    points.scroll_into_view_if_needed()
    points.fill("5")
    points.press("Tab")
    comment = panel.locator("textarea.comment")
    saves: list[Any] = []
    page.route("**/api/comment/*", lambda route: saves.append(route))
    comment.fill("The walk is smooth.")
    offered = panel.locator(".reusable-comments button")
    offered.nth(3).click()
    comment.press("Alt+5")
    said = "\n\n".join(["The walk is smooth.", COMMENTS[3], COMMENTS[4]])
    expect(comment).to_have_value(said)
    offered.nth(3).click()
    expect(comment).to_have_value(said)
    for save in saves:  # the answer to a slow save leaves the box as it is
        with page.expect_request_finished(lambda request: "/api/comment/" in request.url):
            save.continue_()
        page.wait_for_timeout(100)
        assert comment.input_value() == said
    deadline = time.monotonic() + 30
    while total(pictured, "cam") != before + 5 and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    assert total(pictured, "cam") == before + 5
    panel.evaluate("each => each.scrollIntoView()")
    page.mouse.wheel(0, -80)
    page.wait_for_timeout(300)
    page.screenshot(path=artifacts / "formgrader-by-hand.png")
    page.reload()
    expect(panel.locator("input.score")).to_have_value("5")
    expect(panel.locator("textarea.comment")).to_have_value(said)


@pytest.mark.browser
@pytest.mark.parametrize("student", ["lou", "mel"])
def test_no_script_of_a_students_runs(server: str, page: Any, expect: Any, pictured: Path, student: str) -> None:
    dialogs: list[str] = []

    def dismiss(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.goto(server % f"formgrader/submissions/{submission_of(pictured, student)}/")
    expect(page.locator("body")).to_contain_text("points")
    page.wait_for_timeout(1000)
    assert page.title() != "owned"
    assert dialogs == []


# --- what goes out ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def feedback(pictured: Path, nbgrader: Command) -> Path:
    nbgrader("generate_feedback", CVAE.kit)
    return pictured


def test_feedback_reaches_the_student(feedback: Path, nbgrader: Command) -> None:
    nbgrader("release_feedback", CVAE.kit)
    home = feedback.parent / "students" / "cam"
    exchange = ("--course=cs5814", f"--Exchange.root={feedback.parent / 'exchange'}")
    command_in(home, home)("fetch_feedback", CVAE.kit, *exchange, "--student=cam")
    (page,) = home.glob(f"{CVAE.kit}/feedback/*/{NOTEBOOK}.html")
    assert "Hint:" in page.read_text()
    assert "Handed in with the notebook" in page.read_text()
    assert "as those of" not in page.read_text(), "it names another student"
    assert all(f"<code>{part.name}</code>" in page.read_text() for part in PARTS)
    for student in ("lou", "mel"):
        text = (feedback / "feedback" / student / CVAE.kit / f"{NOTEBOOK}.html").read_text()
        assert not re.search(r"<script>(document|alert)", text)
        assert "<img src=x" not in text


@pytest.mark.browser
@pytest.mark.parametrize("student", ["cam", "gus", "lou"])
def test_no_script_runs_in_the_feedback(feedback: Path, page: Any, expect: Any, artifacts: Path, student: str) -> None:
    page.goto(f"file://{feedback}/feedback/{student}/{CVAE.kit}/{NOTEBOOK}.html")
    expect(page.locator("body")).to_contain_text("Comment" if student == "cam" else "points")
    page.wait_for_timeout(500)
    assert page.title() != "owned"
    page.screenshot(path=artifacts / f"feedback-{student}.png")
    page.screenshot(path=artifacts / f"feedback-{student}-whole.png", full_page=True)


def test_exports(graded: Path, nbgrader: Command) -> None:
    with sqlite3.connect(graded / "gradebook.db") as database:
        database.execute("UPDATE student SET first_name = '=1+1', last_name = '@SUM(A1)' WHERE id = 'ben'")
        database.execute("UPDATE grade SET needs_manual_grade = 0")  # the TA gave the points by hand: 0
    nbgrader("export", "--to=grades.csv")
    nbgrader("export", f"--exporter={EXPORTERS}.CanvasExport", "--to=canvas.csv")
    nbgrader("export", f"--exporter={EXPORTERS}.GradescopeExport", "--to=gradescope.csv")
    stock = {row["student_id"]: row for row in rows(graded / "grades.csv")}
    canvas = {row["SIS Login ID"] or row["ID"]: row for row in rows(graded / "canvas.csv")}
    gradescope = {row["SID"]: row for row in rows(graded / "gradescope.csv")}
    assert float(stock["ann"]["score"]) == CVAE.points
    assert float(stock["eve"]["score"]) == CVAE.points - 20
    assert float(canvas[""][CVAE.kit]) == 100
    for student, row in stock.items():
        known = student.rpartition("_")[2]  # by Canvas' own number, where it is from Canvas
        assert float(canvas[known][CVAE.kit]) == float(gradescope[student][CVAE.kit]) == float(row["score"])
    assert gradescope["eve"][f"{CVAE.kit} - Lateness (H:M:S)"] == "25:00:00"
    assert canvas["ben"]["Student"] == "'@SUM(A1), =1+1"
    assert gradescope["ben"]["First Name"] == "'=1+1"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
