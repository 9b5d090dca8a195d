"""Reports that are kept, so that no module is graded twice by the same checks."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autograder.report.model import Pictures, Report

PACKAGE = Path(__file__).resolve().parents[1]
# No grade depends on these.
_BESIDE_GRADING = ("authoring", "classroom", "cli.py", "platforms", "report", "submissions")


@dataclass(frozen=True)
class Results:
    """A folder of reports, one file for each source, version of the checks and seed (None: drawn for each)."""

    folder: Path
    seed: int | None = None

    def file(self, source: bytes) -> Path:
        """Where the report on `source` is, or would be."""
        parts = (hashlib.sha256(source).hexdigest(), checks_version(), "drawn" if self.seed is None else str(self.seed))
        return self.folder / (hashlib.sha256("-".join(parts).encode()).hexdigest() + ".json")

    def find(self, source: bytes) -> Report | None:
        """The report that was kept on `source`; None if there is none, or none that can be read."""
        try:
            return decode(json.loads(self.file(source).read_text("utf-8")))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def keep(self, source: bytes, report: Report) -> None:
        """Keep a report: whole or not at all, whoever else writes it at the same time."""
        write(self.file(source), json.dumps(encode(report), ensure_ascii=False))


def encode(report: Report) -> dict[str, Any]:
    """A report as plain data, pictures included."""
    pictures = report.pictures and {key: base64.b64encode(png).decode() for key, png in asdict(report.pictures).items()}
    return report.to_json() | {"pictures": pictures}


def decode(data: dict[str, Any]) -> Report:
    """The report that `encode` gave."""
    report = Report.from_json(data)
    if data["pictures"]:
        report.pictures = Pictures(**{key: base64.b64decode(png) for key, png in data["pictures"].items()})
    return report


@functools.cache
def checks_version() -> str:
    """Changes whenever a grade could: a digest of everything that takes part in grading."""
    digest = hashlib.sha256(version("torch").encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] not in _BESIDE_GRADING:
            digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all, with the permissions that any new file gets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(file.name, 0o666 & ~umask)
    os.replace(file.name, path)
