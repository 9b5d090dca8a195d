"""The grades that nbgrader records: each test cell gets the score of its part from the sandboxed autograder."""

import contextlib
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from html import escape
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade
from traitlets import Bool, Integer, Unicode

from autograder.assignment import MODULE, PARTS
from autograder.grading import GraderError, NothingToGrade
from autograder.nbgrader.kept import grade_into, kept_file, read
from autograder.nbgrader.submitted import module_in, submitted_folder
from autograder.report import Check, Outcome, PartReport, Report
from autograder.reports import reading


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
    reports = Unicode("reports", help="Where reports are kept, below the course folder.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        student = resources["nbgrader"]["student"]
        kept = Path(self.parent.parent.coursedir.root) / self.reports  # the exporter's converter knows the course
        report = self.report(submitted_folder(self, resources), kept)
        self.log.info("%s: %g of %g points by the autograder", student, report.score, report.max_score)
        parts = {part.name: part for part in report.parts}
        for cell in nb.cells:
            if is_grade(cell) and cell.cell_type == "code":
                name = cell.metadata.nbgrader.grade_id
                if name not in parts:
                    raise GraderError(f"the test cell {name!r} names no part of the assignment: {', '.join(parts)}")
                cell.outputs = [result(parts[name], report, cell.metadata.nbgrader.points)]
                cell.execution_count = None
        return nb, resources

    def report(self, submitted: Path, kept: Path) -> Report:
        """The report on the module in the folder `submitted`, one of those `kept` if it is there."""
        try:
            source = module_in(submitted)
        except NothingToGrade as error:
            return nothing(str(error))
        file = kept_file(kept, source, self.seed)
        if self.reuse and not file.exists():
            self._grade_ahead(kept)
        if self.reuse and file.exists():
            return read(file)
        return grade_into(file, source, self.seed, self.require_isolation)

    def _grade_ahead(self, kept: Path) -> None:
        """Grade every module that nbgrader is about to come to, on all cores at once: nbgrader takes one at a time.

        What fails here is left for its own turn, to fail where nbgrader tells whose it was.
        """
        sources: dict[Path, bytes] = {}
        for folder in self.parent.parent.assignments:
            with contextlib.suppress(NothingToGrade):
                source = module_in(Path(folder))
                sources[kept_file(kept, source, self.seed)] = source
        missing = {file: source for file, source in sources.items() if not file.exists() and file not in _tried}
        _tried.update(missing)
        workers = min(self.workers or os.cpu_count() or 1, len(missing) // 4)  # a worker takes seconds to start
        if workers < 2:
            return
        self.log.info("Grading %d modules with %d workers", len(missing), workers)
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            jobs = [
                pool.submit(grade_into, file, source, self.seed, self.require_isolation)
                for file, source in missing.items()
            ]
            for job in jobs:
                if error := job.exception():
                    self.log.warning("%s", error)


_tried: set[Path] = set()  # so that a module that breaks the grader is graded ahead once, not at every student's turn


def nothing(reason: str) -> Report:
    """The report on a submission without a module: zero for every part, with the reason."""
    reason = f"{reason[:1].upper()}{reason[1:]}."
    parts = [
        PartReport(part.name, part.points, [Check("Handed in", Outcome.ERROR, 0.0, part.points, reason)])
        for part in PARTS
    ]
    return Report(submission=MODULE, sha256="", isolation="", seed=0, parts=parts, error=reason)


def result(part: PartReport, report: Report, points: float) -> NotebookNode:
    """The output of a test cell: nbgrader reads the plain text, which is the score, and people read the HTML.

    Where a TA changed the cell's `points` in the notebook, the score is scaled to them.
    """
    score = round(part.score * points / part.max_score, 2)
    page = [f"<p><b>{score:g} of {points:g} points</b> &middot; {escape(reading.tally(part))} passed</p>"]
    for check in reading.passed(part):
        page.append(f"<p>&#10003; {escape(check.name)}</p>")
    for finding in reading.findings(part):
        page.append(f"<p>&#10007; <b>{escape(finding.title)}</b>: {escape(reading.ENDED[finding.outcome])}</p>")
        said = "".join(f"<p>{_prose(text)}</p>" for text in (finding.message,) if text)
        said += f"<p><b>Hint:</b> {_prose(finding.hint)}</p>" if finding.hint else ""
        page.append(f'<div style="margin-left: 1.5em">{said}</div>')
    page += [f"<p><b>Note:</b> {escape(note)}</p>" for note in report.notes]
    if report.sha256:
        page.append(
            f'<p style="color: #666; font-size: 85%">Graded by the autograder on {MODULE}: '
            f"sha256 {report.sha256[:12]}, isolation {escape(report.isolation)}, seed {report.seed}</p>"
        )
    return new_output("execute_result", data={"text/plain": f"{score:g}", "text/html": "\n".join(page)})


def _prose(text: str) -> str:
    """`text` as HTML, what stands between backticks as code, line breaks kept."""
    pieces = (f"<code>{escape(piece)}</code>" if code else escape(piece) for code, piece in reading.prose(text))
    return "".join(pieces).replace("\n", "<br>")
