"""Gradescope: the zip that makes its autograder, and a results.json that can be read at every moment of a grading."""

import json
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from autograder.assignments.cvae.assignment import AUTOMATIC_POINTS, MODULE
from autograder.grading.results import PACKAGE, write
from autograder.platforms.gradescope import results as gradescope
from autograder.report.model import Report
from autograder.submissions.archive import write_archive

DISTRIBUTION = "cs5814-autograder"
ZIP = "autograder.zip"
SCRIPTS = ("setup.sh", "run_autograder")


def build_zip(out: Path, visibility: str = "after_due_date") -> Path:
    """Write `autograder.zip` into the folder `out` and return its path.

    Arguments:
        visibility: when students see the checks that the notebook's worked examples do not show: "visible",
            "after_due_date", "after_published" or "hidden".

    It holds the two scripts that Gradescope asks for, this package, and what the package requires in the versions
    that are installed here. PackageNotFoundError where the package is not installed, but merely on the path.
    """
    if visibility not in gradescope.VISIBILITIES:
        raise ValueError(f"visibility must be one of {', '.join(gradescope.VISIBILITIES)}, not {visibility!r}")
    required = [each for each in requires(DISTRIBUTION) or [] if "extra ==" not in each]
    values = {"VISIBILITY": visibility, "MAX_SCORE": f"{AUTOMATIC_POINTS:g}"}
    files = {name: _filled_in(Path(__file__).with_name(name), values) for name in SCRIPTS}
    files["requirements.txt"] = "".join(f"{each}\n" for each in required).encode()
    files["constraints.txt"] = "".join(_pins(required)).encode()
    files["unfinished.json"] = _json(gradescope.render(unstarted(), visibility, finished=False)).encode()
    for path in sorted(PACKAGE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            files[f"autograder/{path.relative_to(PACKAGE).as_posix()}"] = path.read_bytes()
    return write_archive(out / ZIP, files, executable=SCRIPTS)


def _filled_in(script: Path, values: dict[str, str]) -> bytes:
    text = script.read_text("utf-8")
    for name, value in values.items():
        text = re.sub(rf"\b{name}\b", value, text)
    return text.encode()


def _pins(required: list[str]) -> list[str]:
    """The installed versions; of torch's builds for a processor, such as 2.14.1+cpu, the version alone."""
    pins = []
    for requirement in required:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            pins.append(f"{name}=={version(name).partition('+')[0]}\n")
        except PackageNotFoundError:  # of another platform than this one
            continue
    return pins


def unstarted() -> Report:
    """The report of a grading that has not begun."""
    return Report(submission=MODULE, sha256="", isolation="", seed=0, parts=[])


@dataclass(frozen=True)
class ResultsFile:
    """Gradescope's results.json at `path`, whole at every moment: it may be the last thing that is written."""

    path: Path
    visibility: str = "visible"

    def progress(self, report: Report) -> None:
        """Write what is graded so far, and that the grading did not finish."""
        self._write(report, finished=False)

    def finish(self, report: Report) -> None:
        """Write the report."""
        self._write(report, finished=True)

    def _write(self, report: Report, finished: bool) -> None:
        write(self.path, _json(gradescope.render(report, self.visibility, finished, self.metadata().get("id"))))

    def metadata(self) -> dict[str, Any]:
        """What Gradescope says about the upload, in a file beside its folder of results; empty elsewhere.

        Its format: https://gradescope-autograders.readthedocs.io/en/latest/submission_metadata/
        """
        try:
            found = json.loads((self.path.absolute().parents[1] / "submission_metadata.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def complaint(self) -> str | None:
        """What the course staff should mend in Gradescope's settings."""
        try:
            total = float(self.metadata()["assignment"]["total_points"])
        except (KeyError, TypeError, ValueError):
            return None
        if total >= AUTOMATIC_POINTS:
            return None
        return f"The assignment is worth {total:g} points on Gradescope, but the checks give {AUTOMATIC_POINTS:g}."


def _json(results: dict[str, Any]) -> str:
    return json.dumps(results, indent=2, ensure_ascii=False) + "\n"
