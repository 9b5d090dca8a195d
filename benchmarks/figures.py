"""Measure what docs/measured.md says: run each block of commands there, and write what it prints into the block below.

A block that fails keeps its old figures, and the command ends with 1.

Usage: python -m benchmarks.figures [HEADING ...]     only the sections whose heading holds one of these words
       python -m benchmarks.figures --machine         what the figures of today are measured on
"""

import argparse
import os
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "measured.md"
MEASUREMENT = re.compile(r"```sh\n(?P<commands>.*?)```\n\n```text\n(?P<figures>.*?)```", re.DOTALL)


def machine() -> str:
    """The processor, the system and the versions that a figure depends on."""
    name = platform.processor() or platform.machine()
    packages = ", ".join(f"{each} {version(each)}" for each in ("torch", "nbgrader", "pytest"))
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores ({name}), {system}, {packages}"


def measured(section: str) -> tuple[str, bool]:
    """The section with today's figures, and whether all of its commands succeeded."""
    good = True

    def run(found: re.Match[str]) -> str:
        nonlocal good
        print(found["commands"].strip(), flush=True)
        bash = ["bash", "-euo", "pipefail", "-c", found["commands"]]
        ended = subprocess.run(bash, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        print(ended.stdout, flush=True)
        if ended.returncode:
            good = False
            return found[0]
        lines = [line.rstrip() for line in ended.stdout.strip().splitlines()]
        return found[0].replace(f"```text\n{found['figures']}", "\n".join(["```text", *lines, ""]))

    return MEASUREMENT.sub(run, section), good


def main() -> None:
    """Measure the sections that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("headings", nargs="*", metavar="HEADING")
    parser.add_argument("--machine", action="store_true")
    given = parser.parse_args()
    if given.machine:
        print(machine())
        return
    failed = []
    heading = re.compile(r"^(?=## )", re.MULTILINE)
    for number, section in enumerate(heading.split(PAGE.read_text("utf-8"))):
        title = section.splitlines()[0]
        if not given.headings or any(word.lower() in title.lower() for word in given.headings):
            text, good = measured(section)
            sections = heading.split(PAGE.read_text("utf-8"))
            sections[number] = text
            PAGE.write_text("".join(sections), "utf-8")  # at once: the next may take an hour
            failed += [] if good else [title]
    if failed:
        sys.exit(f"These failed and keep their old figures: {', '.join(failed)}")


if __name__ == "__main__":
    main()
