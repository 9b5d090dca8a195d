"""docs/new-assignment.md, followed to the letter in an empty folder."""

import csv
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "new-assignment.md").read_text("utf-8")
# A block of code, and the file before it whose content it shows, if there is one.
BLOCK = re.compile(
    r"(?:^`(?P<file>[^`]+)`[^`\n]*:\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder after everything on the page."""
    folder = tmp_path_factory.mktemp("new")
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for block in BLOCK.finditer(PAGE):
        if block["language"] == "sh":
            ended = subprocess.run(
                ["bash", "-euc", block["text"]],
                cwd=folder,
                env=os.environ | {"PATH": programs},
                capture_output=True,
                text=True,
                timeout=600,
                check=False,
            )
            assert ended.returncode == 0, f"{block['text']}\n{ended.stdout}{ended.stderr}"
        else:
            (folder / block["file"]).write_text(block["text"], "utf-8")
    return folder


@pytest.mark.slow
def test_the_class_of_the_page_is_graded(followed: Path) -> None:
    with (followed / "graded" / "grades.csv").open(newline="") as file:
        assert {row["student"]: float(row["score"]) for row in csv.DictReader(file)} == {"ada": 10, "bob": 0, "cyd": 2}


@pytest.mark.slow
def test_the_hint_of_the_page_reaches_the_student(followed: Path) -> None:
    assert "How many numbers does it get?" in (followed / "graded" / "students" / "cyd.html").read_text("utf-8")


@pytest.mark.slow
def test_the_kit_of_the_page_holds_no_solution(followed: Path) -> None:
    with zipfile.ZipFile(followed / "out" / "hw1.zip") as archive:
        assert set(archive.namelist()) == {"hw1/mean.py", "hw1/mean.ipynb"}
        assert b'raise NotImplementedError("the mean")' in archive.read("hw1/mean.py")


def test_every_file_of_the_page_has_its_name_before_it() -> None:
    blocks = list(BLOCK.finditer(PAGE))
    assert len(blocks) == PAGE.count("```") / 2
    assert all(block["file"] for block in blocks if block["language"] != "sh")
