"""What the nbgrader tests share: a course, the command, and a class of students with their submissions."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("nbgrader.apps", reason="nbgrader is not installed")
sys.path.insert(0, str(Path(__file__).parents[1]))

from autograder.nbgrader.course import build_course

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
    build_course(folder)
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
