"""What the nbgrader tests share: a course, the command, and formgrader in a browser."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nbgrader.apps", reason="nbgrader is not installed")

from nbgrader.api import Gradebook

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.platforms.nbgrader.course import build_course

Command = Callable[..., str]
ROOT = Path(__file__).parents[2]


def command_in(folder: Path, home: Path, **variables: str) -> Command:
    """`nbgrader …` run in `folder` as a person would; returns what it printed, and fails the test when it fails."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NBGRADER", "JUPYTER"))}
    environment = clean | {"PYTHONPATH": str(ROOT), "HOME": str(home), "PYTHONWARNINGS": "ignore"} | variables

    def nbgrader(*arguments: str, cwd: Path = folder) -> str:
        run = subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )
        assert run.returncode == 0, f"nbgrader {' '.join(arguments)}:\n{run.stdout[-5000:]}"
        return run.stdout

    return nbgrader


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new course, with nothing released yet and its exchange beside it."""
    folder = tmp_path_factory.mktemp("term") / "cs5814"
    build_course(CVAE, folder)
    exchange = folder.parent / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    with (folder / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.Exchange.root = {str(exchange)!r}\n")
    return folder


@pytest.fixture(scope="module")
def nbgrader(course: Path) -> Command:
    """The command, run in the course folder."""
    home = course.parent / "home"
    home.mkdir(exist_ok=True)
    return command_in(course, home)


@pytest.fixture(scope="session")
def new_gradebook(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """Puts an empty gradebook into a course folder and returns its address. nbgrader takes seconds to make one."""
    made = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    Gradebook(f"sqlite:///{made}").close()

    def put(folder: Path) -> str:
        if not (folder / "gradebook.db").exists():
            shutil.copy(made, folder / "gradebook.db")
        return f"sqlite:///{folder}/gradebook.db"

    return put


# --- formgrader -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(course: Path) -> Iterator[str]:
    """The address of a Jupyter server with formgrader, to put a path into. It has the settings of nobody else."""
    home = course.parent / "ta"
    home.mkdir()
    variables = {"HOME": str(home), "PYTHONPATH": str(ROOT), "JUPYTER_CONFIG_DIR": str(home / "config")}
    environment = {name: value for name, value in os.environ.items() if name != "NBGRADER_DB"} | variables
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"),
        *("--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"),
        "--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}",
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


@pytest.fixture
def page(browser: Any, server: str) -> Iterator[Any]:
    """A new page, logged in."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(60_000)
    page.goto(server % "login")
    yield page
    page.close()


@pytest.fixture
def expect() -> Any:
    """Playwright's assertions, which wait for what they assert."""
    return pytest.importorskip("playwright.sync_api", reason="Playwright is not installed").expect


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the screenshots go: a folder that SCREENSHOTS names, so that they can be kept."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
