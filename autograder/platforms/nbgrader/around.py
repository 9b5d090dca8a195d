"""The nbgrader course around a folder of submissions: what it has is used where nothing else is named."""

import os
from pathlib import Path


def course_around(submissions: Path) -> Path | None:
    """The course folder in which these submissions lie; None if they lie in none."""
    course = submissions.resolve().parent
    return course if (course / "nbgrader_config.py").is_file() else None


def gradebook_of(course: Path | None) -> str | None:
    """The address of the course's gradebook, if there is one."""
    if course is None:
        return None
    database = course / "gradebook.db"
    return os.environ.get("NBGRADER_DB") or (f"sqlite:///{database}" if database.is_file() else None)


def extensions_of(course: Path | None) -> Path | None:
    """The course's list of extensions, if there is one."""
    return course / "extensions.csv" if course and (course / "extensions.csv").is_file() else None
