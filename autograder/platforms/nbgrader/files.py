"""What lies in a student's folder of a course. Nothing there is followed, and nothing is opened that is no file."""

import os
import re
import secrets
import shutil
from pathlib import Path

from autograder.assignment import Assignment
from autograder.submissions.files import File, NothingToGrade, in_folder, on_disk
from autograder.submissions.find import COLLECTED, MAX_NOTES

TIMESTAMP = "timestamp.txt"  # when a submission was handed in
SECRET = "submission_secret.txt"  # of nbgrader: whoever has its text finds the feedback
MAX_STAMP = 200  # bytes of either, at most


def is_linked(folder: Path) -> bool:
    """Whether a student's folder for an assignment, or the student's folder around it, is a symbolic link."""
    return folder.is_symlink() or folder.parent.is_symlink()


def files_of(folder: Path) -> list[File]:
    """The files in a student's folder for an assignment, nearest to the top first; a link has a `trouble`."""
    return [] if is_linked(folder) else [file for file in in_folder(folder).files if not file.junk]


def read(path: Path, most: int) -> bytes | None:
    """The first `most` bytes of a file; None if it is not there. NothingToGrade says why it cannot be read."""
    return on_disk(path.parent, (path.name,)).read(most) if os.path.lexists(path) else None


def collected(folder: Path) -> list[str]:
    """What the collector noted when it took this submission from an upload."""
    try:
        return (read(folder / COLLECTED, MAX_NOTES) or b"").decode("utf-8", "replace").splitlines()
    except NothingToGrade:
        return []


def is_secret(data: bytes) -> bool:
    """Whether `nbgrader submit` writes such a secret: an empty one, or one that is no text, ends release_feedback."""
    return re.fullmatch(rb"[0-9a-f]{128}", data) is not None


def complete(course: Path, assignment: Assignment) -> None:
    """Put the released notebook beside every module that was handed in without one, and let feedback be released to
    a class of which some handed in by a learning platform.

    nbgrader passes over a submission without a notebook, and with it over the points of its module. And it releases
    no feedback at all where one student's lacks the files that only `nbgrader submit` writes.
    """
    name = Path(assignment.notebook).name
    notebooks = (course / step / assignment.kit / name for step in ("release", "source"))
    released = next((path for path in notebooks if path.exists()), None)
    for folder in course.glob(f"submitted/*/{assignment.kit}"):
        if released and folder.is_dir() and not is_linked(folder) and not os.path.lexists(folder / name):
            shutil.copyfile(released, folder / name)
    for folder in course.glob(f"feedback/*/{assignment.kit}"):
        if not is_secret(_start(folder / SECRET)):
            _replace(folder / SECRET, secrets.token_hex(64))
        if not (start := _start(folder / TIMESTAMP)) or not start.isascii() or len(start) == MAX_STAMP:
            _replace(folder / TIMESTAMP, "")


def _start(path: Path) -> bytes:
    try:
        return read(path, MAX_STAMP) or b""
    except NothingToGrade:
        return b""


def _replace(path: Path, text: str) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.write_text(text)
