"""The commands in the README and in docs/, as their reader would type them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(
    r"^ *(?:<!-- not run: (?P<why_not>[^>]+) -->\n *)?```sh\n(?P<commands>.*?)^ *```$", re.DOTALL | re.MULTILINE
)
BY_CI = "make test"  # a test cannot run all tests


class Block(NamedTuple):
    """A block of commands, and why no test runs it, if none does."""

    commands: str
    why_not: str | None


def blocks(page: str) -> list[Block]:
    """The blocks of commands of a page, in order."""
    return [Block(found["commands"], found["why_not"]) for found in BLOCK.finditer((ROOT / page).read_text("utf-8"))]


def runnable(page: str) -> Iterator[str]:
    """The commands of a page, block by block, without those that no test runs."""
    for block in blocks(page):
        if block.why_not is None:
            yield "".join(line for line in block.commands.splitlines(True) if not line.startswith(BY_CI))


def checkout(folder: Path) -> Path:
    """A new clone of the repository, as it lies here, with the environment that `make demo` would set up."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").mkdir()
    for path in Path(sys.prefix).iterdir():
        if path.name != "ready":
            (folder / ".venv" / path.name).symlink_to(path)
    (folder / ".venv" / "ready").touch()
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "The repository"]):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *command], cwd=folder, check=True)
    return folder


def typed(commands: str, folder: Path, **environment: str) -> str:
    """What the commands print in that folder; AssertionError with it if one of them fails."""
    programs = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=os.environ | {"PATH": programs, "PYTHONPATH": str(folder), "COLUMNS": "200"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert ended.returncode == 0, f"{commands}\n{ended.stdout[-5000:]}"
    return ended.stdout
