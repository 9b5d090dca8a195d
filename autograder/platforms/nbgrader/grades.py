"""The grades that nbgrader records: each test cell gets the score of its part from the sandboxed autograder."""

import contextlib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.converters import Autograde
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade
from traitlets import Bool, Integer, List, Unicode

from autograder.assignment import Assignment
from autograder.classroom.adjust import Adjustments, NoSuchCheck
from autograder.grading import GraderError
from autograder.grading.grade import nothing, told
from autograder.grading.results import Results
from autograder.platforms.nbgrader.background import Background
from autograder.platforms.nbgrader.figures import is_next
from autograder.platforms.nbgrader.submitted import assignment_of, module_in, submitted_folder
from autograder.points import rescaled, shown
from autograder.report import summary
from autograder.report.model import PartReport, Report
from autograder.submissions.copied import is_solution
from autograder.submissions.find import CannotRead, NothingToGrade


class TrustedGrades(NbGraderPreprocessor):
    """Writes the score, messages and hints of each part as the output of its test cell.

    nbgrader's SaveAutoGrades, which comes next in the chain, takes a test cell's score from its output. All output
    that was there before is dropped, so nothing but the sandboxed run decides. A test cell that names no part is an
    error: nbgrader gives full marks to a cell without output.
    """

    seed = Integer(None, allow_none=True, help="Repeat the inputs of an earlier run; drawn anew if None.").tag(
        config=True
    )
    reuse = Bool(True, help="Whether a module that was graded before, by the same checks, keeps its report.").tag(
        config=True
    )
    require_isolation = Bool(True, help="Whether to refuse to grade where only weak isolation works.").tag(config=True)
    workers = Integer(0, help="How many modules are graded at once; 0: one a core.").tag(config=True)
    assignments = List(Unicode(), help="The assignments of the course, by name or folder.").tag(config=True)
    drop = List(Unicode(), help="Checks that count for nothing: the others of their part share the points.").tag(
        config=True
    )
    give = List(Unicode(), help="Checks whose points everyone gets whose module could be graded.").tag(config=True)
    reports = Unicode("reports", help="Where reports are kept, below the course folder.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        student = resources["nbgrader"]["student"]
        report, source = self.report(submitted_folder(self, resources), assignment_of(self, resources))
        resources["autograder_report"] = report, source
        points = f"{shown(report.score)} of {summary.counted(report.max_score, 'point')}"
        self.log.info("%s: %s by the autograder", student, points)
        parts = {part.name: part for part in report.parts}
        for cell in nb.cells:
            if is_grade(cell) and cell.cell_type == "code":
                name = cell.metadata.nbgrader.grade_id
                if name not in parts:
                    raise GraderError(f"the test cell {name!r} names no part of the assignment: {', '.join(parts)}")
                cell.outputs = [result(parts[name], report, cell.metadata.nbgrader.points)]
                cell.execution_count = None
        return nb, resources

    def report(self, submitted: Path, assignment: Assignment) -> tuple[Report, bytes]:
        """The report on the module in the folder `submitted`, and the module."""
        try:
            found = module_in(submitted, assignment)
        except CannotRead as error:
            raise GraderError(str(error)) from error
        except NothingToGrade as error:
            return nothing(assignment, str(error)), b""
        source = found.source
        for each in found.attention:
            self.log.warning("%s: %s", submitted, each)
        if is_solution(source, assignment):
            self.log.warning("%s: this is the instructor's solution, but for comments and white space", submitted)
        report = _running[self.parent.parent].report(source)
        try:
            report = Adjustments(tuple(self.drop), tuple(self.give)).apply(report)
        except NoSuchCheck as error:
            raise GraderError(str(error)) from error
        return told(report, found.notes, found.attention), source

    def begin(self) -> Background:
        """Grade in the background every module that nbgrader is about to come to."""
        converter = self.parent.parent
        assignment = assignment_of(self, {"nbgrader": {"assignment": converter.coursedir.assignment_id}})
        kept = Path(converter.coursedir.root) / self.reports
        sources = {}  # in nbgrader's order
        for folder in map(Path, sorted(converter.assignments)):
            with contextlib.suppress(NothingToGrade, CannotRead):
                if is_next(converter, folder):
                    sources[module_in(folder, assignment).source] = folder
        results = Results(kept, assignment, self.seed, self.require_isolation)
        return Background(results, list(sources), self.reuse, self.workers)


@contextlib.contextmanager
def graded_ahead(converter: Autograde) -> Iterator[None]:
    """Modules are graded in the background while `converter` comes to one student after another."""
    with contextlib.ExitStack() as ends:
        with contextlib.suppress(GraderError):  # which every student's turn will meet
            _running[converter] = ends.enter_context(TrustedGrades(parent=converter.exporter).begin())
        yield


_running: WeakKeyDictionary[Autograde, Background] = WeakKeyDictionary()


def result(part: PartReport, report: Report, points: float) -> NotebookNode:
    """The output of a test cell: nbgrader reads the plain text, which is the score, and people read the HTML.

    Where a TA changed the cell's `points` in the notebook, the score is scaled to them.
    """
    score = rescaled(part.score, part.max_score, points)
    earned = f"{shown(score)} of {summary.counted(points, 'point')}"
    page = [f"<p><b>{earned}</b> &middot; {escape(summary.tally(part))} passed</p>"]
    for check in summary.passed(part):
        page.append(f"<p>&#10003; {escape(check.name)}</p>")
        if check.message:
            page.append(f'<div style="margin-left: 1.5em"><p>{_prose(check.message)}</p></div>')
    for finding in summary.findings(part):
        page.append(
            f"<p>&#10007; <b>{escape(finding.title)}</b>: {escape(summary.ended(report, finding.checks[0]))}</p>"
        )
        said = "".join(f"<p>{_prose(text)}</p>" for text in (finding.message,) if text)
        said += "".join(f"<p><b>Hint:</b> {_prose(str(hint))}</p>" for hint in finding.hints)
        if finding.reproduction:
            said += f"<p>{summary.paste(finding.reproduction)}</p><pre>{escape(str(finding.reproduction))}</pre>"
        page.append(f'<div style="margin-left: 1.5em">{said}</div>')
    page += [f"<p>{_prose(note)}</p>" for note in part.notes]
    page += [f"<p><b>Note:</b> {escape(note)}</p>" for note in report.notes]
    if report.sha256:
        page.append(
            f'<p style="color: #666; font-size: 85%">Graded by the autograder on {escape(report.module)}: '
            f"sha256 {report.sha256[:12]}, isolation {escape(report.isolation)}, seed {report.seed}</p>"
        )
    # MathJax runs on nbgrader's pages, and would take what stands between two dollar signs for a formula.
    html = '<div class="tex2jax_ignore mathjax_ignore">' + "\n".join(page) + "</div>"
    return new_output("execute_result", data={"text/plain": shown(score), "text/html": html})


def _prose(text: str) -> str:
    """`text` as HTML, what stands between backticks as code, line breaks kept."""
    pieces = (f"<code>{escape(piece)}</code>" if code else escape(piece) for code, piece in summary.prose(text))
    return "".join(pieces).replace("\n", "<br>")
