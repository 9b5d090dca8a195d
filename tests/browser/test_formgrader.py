"""A TA's session in formgrader, in a real headless Chromium: the class, a submission, points by hand, a comment."""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed")
pytest.importorskip("nbgrader.apps", reason="nbgrader is not installed")
sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "nbgrader")]
from class_of_students import Student, students  # noqa: E402
from nbgrader.api import Gradebook  # noqa: E402
from playwright.sync_api import Browser, Page, expect, sync_playwright  # noqa: E402

from autograder.nbgrader import ASSIGNMENT, NOTEBOOK  # noqa: E402
from autograder.nbgrader.course import build_course  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed"),
]

MINUTE = 60_000  # milliseconds
ROOT = Path(__file__).parents[2]
SHOWN = ("ann", "ben", "cam", "dee", "lou", "mel", "gus")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A person's own settings, with nbgrader's extensions on."""
    home = tmp_path_factory.mktemp("home")
    variables = os.environ | {"HOME": str(home), "PYTHONPATH": str(ROOT), "JUPYTER_CONFIG_DIR": str(home / "config")}
    variables.pop("NBGRADER_DB", None)
    return variables


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """A small class, graded, with the pictures of two."""
    folder = tmp_path_factory.mktemp("term") / "cs5814"
    build_course(folder)

    def nbgrader(*arguments: str) -> None:
        command = [sys.executable, "-m", "nbgrader", *arguments]
        run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
        assert run.returncode == 0, run.stderr[-3000:]

    nbgrader("generate_assignment", ASSIGNMENT)
    someone: tuple[Student, ...] = students(folder)
    for student in someone:
        if student.name in SHOWN:
            shutil.copytree(folder / "release" / ASSIGNMENT, folder / "submitted" / student.name / ASSIGNMENT)
            student.fill(folder / "submitted" / student.name / ASSIGNMENT)
    nbgrader("autograde", ASSIGNMENT, "--RunNotebook.enabled=False")
    for name in ("cam", "lou"):
        nbgrader("autograde", ASSIGNMENT, "--force", f"--student={name}")
    return folder


@pytest.fixture(scope="module")
def server(course: Path, environment: dict[str, str]) -> Iterator[str]:
    """The address of a Jupyter server with formgrader, to put a path into."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    enabled = "{'nbgrader.server_extensions.formgrader': True}"
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"),
        *(
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={token}",
            f"--ServerApp.jpserver_extensions={enabled}",
        ),
    ]
    process = subprocess.Popen(
        command, cwd=course, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status?token={token}", timeout=5)
                break
            except OSError:
                time.sleep(0.5)
        else:
            pytest.fail("the Jupyter server does not start")
        yield f"http://127.0.0.1:{port}/%s?token={token}"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """A new browser, logged in."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(MINUTE)
    page.goto(server % "login")
    yield page
    page.close()


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the screenshots go: a folder that SCREENSHOTS names, so that they can be kept."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def submission_of(course: Path, student: str) -> str:
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        return book.find_submission_notebook(NOTEBOOK, ASSIGNMENT, student).id


def total(course: Path, student: str) -> float:
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        return book.find_submission(ASSIGNMENT, student).score


def test_lists_the_class(server: str, page: Page, course: Path, artefacts: Path) -> None:
    page.goto(server % f"formgrader/manage_submissions/{ASSIGNMENT}")
    for student in SHOWN:
        expect(page.locator("body")).to_contain_text(student)
    expect(page.locator("tbody tr", has_text="cam")).to_contain_text(f"{total(course, 'cam'):g} / 100")
    page.screenshot(path=artefacts / "formgrader-class.png")


def test_takes_points_and_a_comment_for_the_figures(server: str, page: Page, course: Path, artefacts: Path) -> None:
    before = total(course, "cam")
    page.goto(server % f"formgrader/submissions/{submission_of(course, 'cam')}/")
    expect(page.locator("body")).to_contain_text("Hint:")
    expect(page.locator(".output_png img, img[src^='data:image/png']").first).to_be_visible()
    expect(page.locator("input.score#sample_latent")).to_have_attribute("placeholder", re.compile(r"\d"))
    page.get_by_text("of 20 points").scroll_into_view_if_needed()
    page.screenshot(path=artefacts / "formgrader-hints.png")
    page.screenshot(path=artefacts / "formgrader-submission.png", full_page=True)

    panel = page.locator(".nbgrader_cell", has_text="Your turn: read the figures")
    points = panel.locator("input.score")
    points.scroll_into_view_if_needed()
    points.fill("8")
    points.press("Tab")
    comment = panel.locator("textarea.comment")
    comment.fill("The walk is smooth; say more about style.")
    comment.press("Tab")
    deadline = time.monotonic() + 30
    while total(course, "cam") != before + 8 and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    assert total(course, "cam") == before + 8
    page.screenshot(path=artefacts / "formgrader-by-hand.png")
    page.reload()
    expect(panel.locator("input.score")).to_have_value("8")
    expect(panel.locator("textarea.comment")).to_have_value("The walk is smooth; say more about style.")


@pytest.mark.parametrize("student", ["lou", "mel"])
def test_no_script_of_a_students_runs(server: str, page: Page, course: Path, student: str) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(server % f"formgrader/submissions/{submission_of(course, student)}/")
    expect(page.locator("body")).to_contain_text("points")
    page.wait_for_timeout(1000)
    assert page.title() != "owned"
    assert dialogs == []


def test_feedback_that_a_student_receives(
    course: Path, environment: dict[str, str], page: Page, artefacts: Path
) -> None:
    command = [sys.executable, "-m", "nbgrader", "generate_feedback", ASSIGNMENT]
    subprocess.run(command, cwd=course, env=environment, check=True, capture_output=True)
    for student in ("cam", "gus", "lou"):
        page.goto(f"file://{course}/feedback/{student}/{ASSIGNMENT}/{NOTEBOOK}.html")
        expect(page.locator("body")).to_contain_text("Comment" if student == "cam" else "points")
        page.wait_for_timeout(500)
        assert page.title() != "owned"
        page.screenshot(path=artefacts / f"feedback-{student}.png")
        page.screenshot(path=artefacts / f"feedback-{student}-whole.png", full_page=True)
