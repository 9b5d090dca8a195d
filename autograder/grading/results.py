"""Reports that are kept, so that no module is graded twice by the same checks."""

from __future__ import annotations

import ast
import base64
import functools
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autograder import output
from autograder.assignment import Assignment
from autograder.report.model import SCHEMA, Figure, Gallery, Picture, Report, about
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
        """The report that was kept on `source`, under the assignment's title of today.

        None if there is none, or none that can be read or used.
        """
        try:
            report = decode(json.loads(self.file(source).read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        weak = report.isolation and not level(report.isolation).strong
        return None if weak and self.require_isolation else replace(report, **about(self.assignment))

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
        report.gallery = Gallery(gallery["lead"], figures, gallery["stood_in"])
    return report


@functools.cache
def checks_version(assignment: Assignment) -> str:
    """Changes whenever a grade or a hint could: a digest of everything that takes part in grading.

    That is the engine's files that grade and the assignment's own, but what students get and what it names in
    `no_grade_depends_on`. A report has the title from elsewhere; see `Results.find`.
    """
    digest = hashlib.sha256(f"{version('torch')} {sys.version_info[:2]} {SCHEMA}".encode())
    engine = [path for name in _ENGINE for path in (PACKAGE / name, *(PACKAGE / name).rglob("*.py")) if path.is_file()]
    for root, paths in ((PACKAGE, engine), (assignment.folder, _own_files(assignment))):
        for path in sorted(paths):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    for statement in ast.parse((assignment.folder / "assignment.py").read_bytes()).body:
        docstring = isinstance(statement, ast.Expr)
        if not docstring and not _names(statement) & {"ASSIGNMENT", *assignment.no_grade_depends_on}:
            digest.update(ast.unparse(statement).encode() + b"\n")
    facts = (assignment.module, assignment.parts, assignment.seed, assignment.interface, assignment.training)
    digest.update(repr(facts).encode())
    return digest.hexdigest()


def _own_files(assignment: Assignment) -> Iterator[Path]:
    """The assignment's files that a grade can depend on, but its assignment.py."""
    given = {
        assignment.root / each for each in (assignment.module, assignment.notebook, *assignment.kit_files.values())
    }
    apart = {
        "assignment.py",
        "kit.py",
        "passages.py",
        "pictures.py",
        "figures.py",
        "comments.md",
        *assignment.no_grade_depends_on,
    }
    for path in assignment.folder.rglob("*"):
        inside = path.relative_to(assignment.folder).parts
        hidden = any(name.startswith(".") or name == "__pycache__" for name in inside)
        if path.is_file() and not hidden and inside[0] not in apart and path not in given:
            yield path


def _names(statement: ast.stmt) -> set[str]:
    """What a statement assigns to."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}
