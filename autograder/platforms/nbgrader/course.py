"""Set up an nbgrader course with this assignment, and configure nbgrader for it."""

import re
import traceback
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbgrader
from traitlets.log import get_logger

from autograder import output
from autograder.assignment import Assignment, load
from autograder.platforms.nbgrader.comments import FOLDER, ReusableComments
from autograder.platforms.nbgrader.dates import EXTENSIONS
from autograder.platforms.nbgrader.files import complete
from autograder.platforms.nbgrader.roster import course_roster, having
from autograder.report.summary import counted
from autograder.submissions.roster import RosterError, read_extensions
from autograder.submissions.spelling import same

FORMGRADER = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader"  # on whose pages ours are built


def build_course(assignment: Assignment, folder: Path) -> Path:
    """Make `folder` an nbgrader course, or refresh the assignment in one; what the TA wrote there is kept.

    The source gets what the students' kit holds, so there is no solution in it that a release could leak. A course's
    README.md, which names the due date, is written anew. Errors are those of `build_kit`; FileExistsError where the
    README.md is another folder's.
    """
    from autograder.authoring.kit import filled_in, kit_files

    data = assignment.piece("kit").course_data() if assignment.has("kit") else None
    files = kit_files(assignment, data)
    source = folder / "source" / assignment.kit
    if (folder / "README.md").exists() and not (folder / "nbgrader_config.py").exists():
        raise FileExistsError(f"{folder} has a README.md and is no nbgrader course: name another folder")
    for name, content in files.items():
        output.write(source / name, content)
    by_hand = assignment.by_hand
    cells = ", ".join(f"`{cell}`" for cell in by_hand.shares) if by_hand else ""
    words = {
        "COURSE": assignment.course,
        "COURSE_ID": re.sub(r"\W+", "", assignment.course).lower(),
        "TITLE": assignment.title,
        "ASSIGNMENT": assignment.kit,
        "MODULE": assignment.module,
        "DUE": assignment.due,
        "WHERE": assignment.where,
        "BY_HAND": f"the other {counted(by_hand.points, 'point')}, of {cells}, are yours to give"
        if by_hand
        else "no points are by hand",
    }
    private = folder / "exchange"  # nbgrader opens the exchange's root to everyone, so the folder around it is closed
    private.mkdir(mode=0o700, exist_ok=True)
    (private / "root").mkdir(exist_ok=True)
    for template in sorted(Path(__file__).with_name("template").glob("*.*")):
        destination = folder / template.name
        if template.name == "README.md" or not destination.exists():
            output.write(destination, filled_in(template, words))
    starter, comments = assignment.folder / "comments.md", folder / FOLDER / f"{assignment.kit}.md"
    if starter.exists() and not comments.exists():
        output.write(comments, starter.read_bytes())
    return source


def configure(c: Any, *where: str) -> None:
    """Set up everything that makes the grades trustworthy. Called by the course's nbgrader_config.py.

    `where` are the assignments of the course, each as `autograder.assignment.load` takes it. Whatever goes wrong ends
    nbgrader: it would go on without this configuration, and run what students handed in unprotected.
    """
    warnings.filterwarnings("ignore", "Object of type <Submitted")  # nbgrader's own use of SQLAlchemy
    try:
        assignments = [load(each) for each in where or (None,)]
        _configure(c, assignments)
        for each in assignments:
            complete(Path.cwd(), each)
        check_extensions(Path.cwd(), assignments)
    except Exception as error:
        reason = str(error) if isinstance(error, ValueError | OSError | RosterError) else traceback.format_exc()
        raise SystemExit(f"nbgrader is not started: {reason}") from error


def check_extensions(course: Path, assignments: Iterable[Assignment] = ()) -> None:
    """RosterError where extensions.csv, or the roster in which its students are looked up, cannot be read.

    A student there whom nobody knows is told: it may be a slip, and somebody would be late by it. So is what is not
    read for any of the assignments.
    """
    roster = course_roster(course)
    if not (course / EXTENSIONS).exists():
        return
    known = {same(path.name) for path in course.glob("submitted/*")}
    lists = [read_extensions(course / EXTENSIONS, each.names, each.course) for each in assignments]
    lists = lists or [read_extensions(course / EXTENSIONS)]
    for note in lists[0].notes:
        if all(note in each.notes for each in lists):
            get_logger().warning("%s", note)
    for student in dict.fromkeys(student for each in lists for student in each):
        people = having(student, roster) if roster else []
        if len(people) > 1:
            names = " and ".join(f"{each.name} ({each.id})" for each in people)
            get_logger().warning("%s: %r does not count, since several have it: %s", EXTENSIONS, student, names)
        elif not people and same(student) not in known:
            get_logger().warning("%s: nobody in the roster or in submitted/ is called %r", EXTENSIONS, student)


def _configure(c: Any, assignments: list[Assignment]) -> None:
    from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
    from nbgrader.preprocessors import (
        AssignLatePenalties,
        CheckCellMetadata,
        ClearOutput,
        GetGrades,
        LimitOutput,
        OverwriteCells,
        OverwriteKernelspec,
        SaveAutoGrades,
    )

    from autograder.platforms.nbgrader import guards
    from autograder.platforms.nbgrader.answers import SubmittedNotebooks
    from autograder.platforms.nbgrader.collect import ByFolder, Collect, Downloads
    from autograder.platforms.nbgrader.dates import Extensions, LatePenalty
    from autograder.platforms.nbgrader.figures import RunNotebook
    from autograder.platforms.nbgrader.grades import TrustedGrades
    from autograder.platforms.nbgrader.overview import FeedbackPage, ForStudents, Overview
    from autograder.platforms.nbgrader.submitted import RestoreCells

    guards.install()

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
        Overview,
        SaveAutoGrades,
        Extensions,
        AssignLatePenalties,
        CheckCellMetadata,
    ]
    c.GenerateFeedback.preprocessors = [GetGrades, ForStudents, CSSHTMLHeaderPreprocessor]
    c.GenerateFeedback.exporter_class = FeedbackPage
    _configure_pages(c)
    for plugin in (
        c.TrustedGrades,
        c.RunNotebook,
        c.Overview,
        c.Extensions,
        c.Collect,
        c.Downloads,
        c.CanvasExport,
    ):
        plugin.assignments = [each.where for each in assignments]
    c.Autograde.exclude_overwriting = {each.kit: [each.module] for each in assignments}
    c.ExchangeFactory.collect = Collect
    c.ZipCollectApp.extractor_plugin = Downloads
    c.ZipCollectApp.collector_plugin = ByFolder
    c.AssignLatePenalties.plugin_class = LatePenalty


def _configure_pages(c: Any) -> None:
    """Formgrader's pages, and those of the feedback."""
    pages = [str(Path(__file__).with_name("pages")), str(FORMGRADER / "templates")]
    c.HTMLExporter.template_name = "formgrader"
    c.HTMLExporter.extra_template_basedirs = pages
    c.HTMLExporter.extra_template_paths = pages[1:]
    c.HTMLExporter.preprocessors = [ReusableComments]
    # A heading would get its text as its id, and formgrader's scripts find the boxes of a cell by their ids.
    c.HTMLExporter.exclude_anchor_links = True
    c.ReusableComments.folder = str(Path.cwd() / FOLDER)
    c.FeedbackPage.template_name = "graded"
    c.FeedbackPage.extra_template_basedirs = pages
    c.FeedbackPage.preprocessors = []
    styles = FORMGRADER / "static" / "node_modules" / "bootstrap" / "dist" / "css"
    c.FeedbackPage.extra_template_paths = [str(styles), str(FORMGRADER / "templates")]
