"""Set up an nbgrader course with this assignment, and configure nbgrader for it."""

import re
import secrets
import shutil
from pathlib import Path
from typing import Any

from autograder import output
from autograder.assignment import Assignment, load
from autograder.report.summary import counted


def build_course(assignment: Assignment, folder: Path) -> Path:
    """Make `folder` an nbgrader course, or refresh the assignment in one; its configuration and grades are kept.

    The source holds what the students' kit holds, so there is no solution in it that a release could leak. The folder's
    README.md, which names the due date, is written anew. Errors are those of `build_kit`.
    """
    from autograder.authoring.kit import filled_in, kit_files

    data = assignment.piece("kit").course_data() if assignment.has("kit") else None
    files = kit_files(assignment, data)
    source = folder / "source" / assignment.kit
    output.write_folder(source, files)
    by_hand = assignment.by_hand
    words = {
        "COURSE": assignment.course,
        "COURSE_ID": re.sub(r"\W+", "", assignment.course).lower(),
        "TITLE": assignment.title,
        "ASSIGNMENT": assignment.kit,
        "MODULE": assignment.module,
        "DUE": assignment.due,
        "WHERE": assignment.where,
        "BY_HAND": f"`{by_hand.name}` ({counted(by_hand.points, 'point')}) is yours to give"
        if by_hand
        else "no points are by hand",
    }
    for template in sorted(Path(__file__).with_name("template").glob("*.*")):
        destination = folder / template.name
        if template.name == "README.md" or not destination.exists():
            output.write(destination, filled_in(template, words))
    return source


def configure(c: Any, *where: str) -> None:
    """Set up everything that makes the grades trustworthy. Called by the course's nbgrader_config.py.

    `where` are the assignments of the course, each as `autograder.assignment.load` takes it.
    """
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
    assignments = [load(each) for each in where or (None,)]
    for plugin in (c.TrustedGrades, c.RunNotebook, c.Downloads):
        plugin.assignments = [each.where for each in assignments]
    c.Autograde.exclude_overwriting = {each.kit: [each.module] for each in assignments}
    c.ZipCollectApp.collector_plugin = Downloads
    c.FileNameCollectorPlugin.valid_ext = [".ipynb", ".py"]
    c.AssignLatePenalties.plugin_class = LatePenalty
    for each in assignments:
        complete(Path.cwd(), each)


def complete(course: Path, assignment: Assignment) -> None:
    """Put the released notebook beside every module that was handed in without one, and let feedback be released to
    a class of which some handed in by a learning platform.

    nbgrader passes over a submission without a notebook, and with it over the points of its module. And it releases
    no feedback at all where one student's lacks the files that only `nbgrader submit` writes.
    """
    released = course / "release" / assignment.kit / Path(assignment.notebook).name
    for folder in course.glob(f"submitted/*/{assignment.kit}"):
        if released.exists() and not (folder / released.name).exists():
            shutil.copy(released, folder)
    for folder in course.glob(f"feedback/*/{assignment.kit}"):
        if not (folder / "submission_secret.txt").exists():
            (folder / "submission_secret.txt").write_text(secrets.token_hex(64))
        (folder / "timestamp.txt").touch()
