"""The grades that nbgrader records: each test cell gets the score of its part from the sandboxed autograder."""

import atexit
import contextlib
import functools
import os
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade
from traitlets import Bool, Integer, List, Unicode

from autograder.assignment import Assignment, load
from autograder.classroom.adjust import Adjustments, NoSuchCheck
from autograder.grading import GraderError
from autograder.grading.grade import nothing, told
from autograder.grading.process import GradingProcess
from autograder.grading.results import Results
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

    seed = Integer(None, allow_none=True, help="Repeat the challenges of an earlier run; drawn anew if None.").tag(
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
        kept = Path(self.parent.parent.coursedir.root) / self.reports  # the exporter's converter knows the course
        report, source = self.report(submitted_folder(self, resources), kept, assignment_of(self, resources))
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

    def report(self, submitted: Path, kept: Path, assignment: Assignment) -> tuple[Report, bytes]:
        """The report on the module in the folder `submitted`, one of those `kept` if it is there; and the module."""
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
        results = Results(kept, assignment, self.seed, self.require_isolation)
        report = results.find(source) if self.reuse else None
        if self.reuse and report is None:
            self._grade_ahead(results)
            report = results.find(source)
        try:
            report = Adjustments(tuple(self.drop), tuple(self.give)).apply(report or self._grade(source, results))
        except NoSuchCheck as error:
            raise GraderError(str(error)) from error
        return told(report, found.notes, found.attention), source

    def _grade(self, source: bytes, results: Results) -> Report:
        process = warm_process(results.assignment.where, self.require_isolation)
        report = process.grade(results.assignment.module, source, seed=self.seed)
        if report.grader_failed:
            raise GraderError(report.error)
        results.keep(source, report)
        return report

    def _grade_ahead(self, results: Results) -> None:
        """Grade every module that nbgrader is about to come to, on all cores at once: nbgrader takes one at a time.

        What fails here is left for its own turn, to fail where nbgrader tells whose it was. By the command, whose
        workers start faster than copies of nbgrader would.
        """
        sources = set()
        for folder in self.parent.parent.assignments:
            with contextlib.suppress(NothingToGrade):
                sources.add(module_in(Path(folder), results.assignment).source)
        missing = [source for source in sources if results.file(source) not in _tried and results.find(source) is None]
        _tried.update(map(results.file, missing))
        workers = min(self.workers or os.cpu_count() or 1, len(missing) // 4)  # a worker takes seconds to start
        if workers < 2:
            return
        self.log.info("Grading %d modules with %d workers", len(missing), workers)
        with tempfile.TemporaryDirectory() as temporary:
            for index, source in enumerate(missing):
                folder = Path(temporary) / "class" / str(index)
                folder.mkdir(parents=True)
                (folder / results.assignment.module).write_bytes(source)
            command = [sys.executable, "-m", "autograder", "class", f"{temporary}/class", "--out", f"{temporary}/out"]
            command += ["--assignment", results.assignment.where, "--results", str(results.folder)]
            command += ["--workers", str(workers), "--quiet", "--no-repairs"]
            command += ["--seed", str(self.seed)] if self.seed is not None else []
            command += ["--require-isolation"] if self.require_isolation else []
            run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            self.log.warning("Grading ahead stopped: %s", run.stderr.strip())


@functools.cache
def warm_process(where: str, require_isolation: bool) -> GradingProcess:
    """One process for all submissions to an assignment that are graded here."""
    process = GradingProcess(load(where), require_isolation=require_isolation)
    atexit.register(process.close)
    return process


_tried: set[Path] = set()  # so that a module that breaks the grader is graded ahead once, not at every student's turn


def result(part: PartReport, report: Report, points: float) -> NotebookNode:
    """The output of a test cell: nbgrader reads the plain text, which is the score, and people read the HTML.

    Where a TA changed the cell's `points` in the notebook, the score is scaled to them.
    """
    score = rescaled(part.score, part.max_score, points)
    earned = f"{shown(score)} of {summary.counted(points, 'point')}"
    page = [f"<p><b>{earned}</b> &middot; {escape(summary.tally(part))} passed</p>"]
    for check in summary.passed(part):
        page.append(f"<p>&#10003; {escape(check.name)}</p>")
    for finding in summary.findings(part):
        page.append(f"<p>&#10007; <b>{escape(finding.title)}</b>: {escape(summary.ENDED[finding.outcome])}</p>")
        said = "".join(f"<p>{_prose(text)}</p>" for text in (finding.message,) if text)
        said += "".join(f"<p><b>Hint:</b> {_prose(str(hint))}</p>" for hint in finding.hints)
        if finding.reproduction:
            said += f"<p>{summary.PASTE}</p><pre>{escape(str(finding.reproduction))}</pre>"
        page.append(f'<div style="margin-left: 1.5em">{said}</div>')
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
