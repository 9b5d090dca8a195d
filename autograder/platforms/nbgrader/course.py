"""Set up an nbgrader course with this assignment, and configure nbgrader for it."""

import secrets
import shutil
import zipfile
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from autograder.assignments.cvae.assignment import MODULE
from autograder.platforms.nbgrader import ASSIGNMENT, NOTEBOOK

# Enough for the notebook's smoke run. Every submission holds a copy.
TRAIN_DIGITS, TEST_DIGITS = 2000, 200


def build_course(folder: Path) -> Path:
    """Make `folder` an nbgrader course, or refresh the assignment in one; its configuration and grades are kept.

    The source holds what the students' kit holds, so there is no solution in it that a release could leak. The folder's
    README.md, which names the due date, is written anew. Errors are those of `build_kit`.
    """
    from autograder.authoring.kit import KIT, build_kit  # imports torch, which most nbgrader commands can do without

    source = folder / "source" / ASSIGNMENT
    with TemporaryDirectory() as temporary:
        kit = build_kit(Path(temporary), TRAIN_DIGITS, TEST_DIGITS)
        with zipfile.ZipFile(kit) as archive:
            archive.extractall(temporary)
        shutil.rmtree(source, ignore_errors=True)
        shutil.copytree(Path(temporary) / KIT, source)
    for template in (resources.files("autograder.platforms.nbgrader") / "template").iterdir():
        destination = folder / template.name
        if template.is_file() and (template.name == "README.md" or not destination.exists()):
            destination.write_text(template.read_text("utf-8"), "utf-8")
    return source


def configure(c: Any) -> None:
    """Set up everything that makes the grades trustworthy. Called by the course's nbgrader_config.py."""
    from nbgrader.preprocessors import (
        AssignLatePenalties,
        CheckCellMetadata,
        ClearOutput,
        LimitOutput,
        OverwriteCells,
        OverwriteKernelspec,
        SaveAutoGrades,
    )

    from autograder.platforms.nbgrader.grades import TrustedGrades
    from autograder.platforms.nbgrader.pictures import RunNotebook
    from autograder.platforms.nbgrader.plugins import Downloads, LatePenalty
    from autograder.platforms.nbgrader.submitted import RestoreCells, SubmittedNotebooks

    c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", ".pytest_cache"]
    c.Autograde.exporter_class = SubmittedNotebooks
    c.Autograde.sanitize_preprocessors = [
        RestoreCells,
        ClearOutput,
        OverwriteKernelspec,
        OverwriteCells,
        CheckCellMetadata,
    ]
    c.Autograde.autograde_preprocessors = [
        OverwriteKernelspec,
        RunNotebook,
        LimitOutput,
        TrustedGrades,  # after everything that a submission can influence
        SaveAutoGrades,
        AssignLatePenalties,
        CheckCellMetadata,
    ]
    c.Autograde.exclude_overwriting = {ASSIGNMENT: [MODULE]}
    c.ZipCollectApp.collector_plugin = Downloads
    c.FileNameCollectorPlugin.valid_ext = [".ipynb", ".py"]
    c.AssignLatePenalties.plugin_class = LatePenalty
    complete(Path.cwd())


def complete(course: Path) -> None:
    """Put the released notebook beside every module that was handed in without one, and let feedback be released to
    a class of which some handed in by a learning platform.

    nbgrader passes over a submission without a notebook, and with it over the points of its module. And it releases
    no feedback at all where one student's lacks the files that only `nbgrader submit` writes.
    """
    released = course / "release" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    for folder in course.glob(f"submitted/*/{ASSIGNMENT}"):
        if released.exists() and not (folder / released.name).exists():
            shutil.copy(released, folder)
    for folder in course.glob(f"feedback/*/{ASSIGNMENT}"):
        if not (folder / "submission_secret.txt").exists():
            (folder / "submission_secret.txt").write_text(secrets.token_hex(64))
        (folder / "timestamp.txt").touch()
