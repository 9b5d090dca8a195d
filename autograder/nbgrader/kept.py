"""Reports that are kept, so that no module is graded twice. Nothing here imports nbgrader: workers start faster."""

import functools
import hashlib
import json
import os
import tempfile
from multiprocessing.util import Finalize
from pathlib import Path

from autograder.assignment import MODULE
from autograder.grading import GraderError, grade_source
from autograder.report import Check, Outcome, PartReport, Report
from autograder.sandbox.client import Sandbox, SandboxError

PACKAGE = Path(__file__).resolve().parent.parent


def kept_file(folder: Path, source: bytes, seed: int | None) -> Path:
    """Where the report on `source` is kept: the same module, checks and seed have the same file."""
    parts = (hashlib.sha256(source).hexdigest(), version(), "drawn" if seed is None else str(seed))
    return folder / (hashlib.sha256("-".join(parts).encode()).hexdigest() + ".json")


def read(file: Path) -> Report:
    """A report that was kept."""
    data = json.loads(file.read_text("utf-8"))
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


def grade_into(file: Path, source: bytes, seed: int | None, require_isolation: bool) -> Report:
    """Grade a module and keep the report in `file`. SandboxError or GraderError where that is not to be believed."""
    sandbox = _sandbox()
    if require_isolation and not sandbox.level.strong:
        raise SandboxError(f"only {sandbox.level.name!r} isolation works here, which is weak; see `autograder doctor`")
    report = grade_source(MODULE, source, sandbox, seed=seed)
    if report.grader_failed:
        raise GraderError(report.error)
    _write(file, json.dumps(report.to_json(), indent=2, ensure_ascii=False))
    return report


@functools.cache
def _sandbox() -> Sandbox:
    """One warm sandbox for all that this process grades."""
    sandbox = Sandbox()
    Finalize(None, sandbox.close, exitpriority=1)  # unlike atexit, also at the end of a worker
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


def _write(path: Path, text: str) -> None:
    """Whole or not at all, whoever else writes it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    os.replace(file.name, path)
