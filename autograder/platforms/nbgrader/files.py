"""What lies in a student's folder of a course. Nothing there is followed, and nothing is opened that is no file."""

import os
from pathlib import Path

from autograder.submissions.files import File, NothingToGrade, in_folder, on_disk

COLLECTED = "collected.txt"  # what a collector says of a submission: a line for each note
NO_MODULE = "No module: "  # how the line begins that says why there is none
MAX_NOTES = 20_000


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
