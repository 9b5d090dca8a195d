"""Stand-ins for grading, which the workers of a cluster can import: fast, and with the accidents that tests need."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.grading.grade import nothing
from autograder.grading.results import Results, checks_version, encode


def quick(source: bytes, where: str, seed: int | None, require_isolation: bool) -> dict[str, Any]:
    """A report that says what the source is."""
    report = nothing(CVAE, f"read {source.decode()}")
    report.seed = seed or 0
    return {"report": encode(report), "version": checks_version(CVAE)}


def accident_prone(source: bytes, where: str, seed: int | None, require_isolation: bool) -> dict[str, Any]:
    """Does what the source says."""
    if source == b"kill":
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    if source == b"raise":
        raise RuntimeError("a check broke down")
    if source == b"old":
        return quick(source, where, seed, require_isolation) | {"version": "last year's"}
    return quick(source, where, seed, require_isolation)


def logged(source: bytes, where: str, seed: int | None, require_isolation: bool) -> dict[str, Any]:
    """Takes a while, and notes in $GRADING_LOG each grading that begins although there is a report already."""
    folder = Path(os.environ["GRADING_LOG"])
    if Results(folder / "results", CVAE, seed).find(source):
        (folder / f"twice-{source.decode()}").touch()
    time.sleep(0.15)
    return quick(source, where, seed, require_isolation)
