"""Reports that are kept, so that no module is graded twice by the same checks."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autograder import output
from autograder.assignment import Assignment
from autograder.report.model import SCHEMA, Figure, Gallery, Picture, Report
from autograder.sandbox.isolation import level

PACKAGE = Path(__file__).resolve().parents[1]
_ENGINE = ("assignment.py", "points.py", "grading", "sandbox")  # what grades are made by


@dataclass(frozen=True)
class Results:
    """A folder of reports, one file for each source, version of the checks and seed (None: drawn for each).

    With `require_isolation`, a report that was made at a weak level counts as none.
    """

    folder: Path
    assignment: Assignment
    seed: int | None = None
    require_isolation: bool = False

    def file(self, source: bytes) -> Path:
        """Where the report on `source` is, or would be."""
        seed = "drawn" if self.seed is None else str(self.seed)
        parts = (hashlib.sha256(source).hexdigest(), checks_version(self.assignment), seed)
        return self.folder / (hashlib.sha256("-".join(parts).encode()).hexdigest() + ".json")

    def find(self, source: bytes) -> Report | None:
        """The report that was kept on `source`; None if there is none, or none that can be read."""
        try:
            report = decode(json.loads(self.file(source).read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        weak = report.isolation and not level(report.isolation).strong
        return None if weak and self.require_isolation else report

    def keep(self, source: bytes, report: Report) -> None:
        """Keep a report: whole or not at all, whoever else writes it at the same time."""
        output.write(self.file(source), json.dumps(encode(report), ensure_ascii=False))


def encode(report: Report) -> dict[str, Any]:
    """A report as plain data, the gallery included."""
    gallery = asdict(report.gallery) if report.gallery else None
    for figure in gallery["figures"] if gallery else ():
        for picture in figure["pictures"]:
            picture["png"] = base64.b64encode(picture["png"]).decode()
    return report.to_json() | {"gallery": gallery}


def decode(data: dict[str, Any]) -> Report:
    """The report that `encode` gave."""
    report = Report.from_json(data)
    if gallery := data["gallery"]:
        figures = [
            Figure(
                figure["caption"],
                [Picture(**picture | {"png": base64.b64decode(picture["png"])}) for picture in figure["pictures"]],
            )
            for figure in gallery["figures"]
        ]
        report.gallery = Gallery(gallery["lead"], figures)
    return report


@functools.cache
def checks_version(assignment: Assignment) -> str:
    """Changes whenever a grade could: a digest of everything that takes part in grading.

    That is the engine's files that grade, the assignment's but those in `grade_depends_not_on`, its constants likewise,
    and the points of the parts.
    """
    digest = hashlib.sha256(f"{version('torch')} {sys.version_info[:2]} {SCHEMA}".encode())
    apart = assignment.grade_depends_not_on
    files = ((path.relative_to(assignment.folder).parts[0], path) for path in assignment.folder.rglob("*.py"))
    own = [path for top, path in files if top not in apart | {"assignment.py"}]
    engine = [path for name in _ENGINE for path in (PACKAGE / name, *(PACKAGE / name).rglob("*.py")) if path.is_file()]
    for root, paths in ((PACKAGE, engine), (assignment.folder, own)):
        for path in sorted(paths):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    constants = vars(assignment.piece("assignment"))
    for name in sorted(name for name in constants if name.isupper() and name not in apart):
        if constants[name] not in (assignment, assignment.parts):
            digest.update(f"{name} = {constants[name]!r}\n".encode())
    digest.update(repr([(part.name, part.points) for part in assignment.parts]).encode())
    return digest.hexdigest()
