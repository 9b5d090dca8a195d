"""The grades that nbgrader records: each test cell gets the score of its part from the sandboxed autograder."""

import atexit
import functools
import hashlib
import json
import os
import tempfile
from html import escape
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade
from traitlets import Bool, Integer, Unicode

from autograder.assignment import MODULE, PARTS
from autograder.grading import GraderError, NothingToGrade, grade_source
from autograder.nbgrader.submitted import module_in, submitted_folder
from autograder.report import Check, Outcome, PartReport, Report
from autograder.reports import reading
from autograder.sandbox.client import Sandbox, SandboxError

PACKAGE = Path(__file__).resolve().parent.parent


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
        policy = "drawn" if self.seed is None else str(self.seed)
        key = hashlib.sha256("\n".join((hashlib.sha256(source).hexdigest(), version(), policy)).encode()).hexdigest()
        file = kept / f"{key}.json"
        if self.reuse and file.exists():
            return from_json(json.loads(file.read_text("utf-8")))
        sandbox = _sandbox()
        if self.require_isolation and not sandbox.level.strong:
            raise SandboxError(
                f"only {sandbox.level.name!r} isolation works here, which is weak; see `autograder doctor`"
            )
        report = grade_source(MODULE, source, sandbox, seed=self.seed)
        if report.grader_failed:
            raise GraderError(report.error)
        _write(file, json.dumps(report.to_json(), indent=2, ensure_ascii=False))
        return report


def nothing(reason: str) -> Report:
    """The report on a submission without a module: zero for every part, with the reason."""
    reason = f"{reason[:1].upper()}{reason[1:]}."
    parts = [
        PartReport(part.name, part.points, [Check("Handed in", Outcome.ERROR, 0.0, part.points, reason)])
        for part in PARTS
    ]
    return Report(submission=MODULE, sha256="", isolation="", seed=0, parts=parts, error=reason)


@functools.cache
def _sandbox() -> Sandbox:
    """One warm sandbox for the whole class."""
    sandbox = Sandbox()
    atexit.register(sandbox.close)
    return sandbox


@functools.cache
def version() -> str:
    """Changes whenever a grade could: a digest of everything that takes part in grading."""
    from importlib.metadata import version

    digest = hashlib.sha256(version("torch").encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] not in ("nbgrader", "reports", "cli.py", "release.py"):
            digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def from_json(data: dict[str, Any]) -> Report:
    """A report as `Report.to_json` wrote it."""
    parts = [
        PartReport(
            part["name"],
            part["max_score"],
            [Check(**(check | {"outcome": Outcome(check["outcome"])})) for check in part["checks"]],
        )
        for part in data["parts"]
    ]
    simple = ("submission", "sha256", "isolation", "seed", "duration_s", "error", "notes", "output", "timings")
    return Report(parts=parts, **{name: data[name] for name in simple})


def _write(path: Path, text: str) -> None:
    """Whole or not at all, whoever else writes it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    os.replace(file.name, path)


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
