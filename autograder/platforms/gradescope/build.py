"""Gradescope: the zip with its autograder, and a results.json that is readable at any time during grading."""

import contextlib
import json
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from pathlib import Path
from typing import Any

from autograder import output
from autograder.assignment import Assignment
from autograder.authoring.kit import filled_in
from autograder.grading.results import PACKAGE
from autograder.platforms.gradescope import results as gradescope
from autograder.points import shown
from autograder.report.model import Report

ZIP = "autograder.zip"
SCRIPTS = ("setup.sh", "run_autograder")


def build_zip(assignment: Assignment, out: Path, visibility: str = "after_due_date") -> Path:
    """Write `autograder.zip` into the folder `out` and return its path.

    Arguments:
        visibility: when students see the checks that the notebook's worked examples do not show: "visible",
            "after_due_date", "after_published" or "hidden".

    The zip has the two scripts that Gradescope needs, this package, and its requirements in the versions that are
    installed here. PackageNotFoundError if the package is not installed, only on the path.
    """
    if visibility not in gradescope.VISIBILITIES:
        raise ValueError(f"visibility must be one of {', '.join(gradescope.VISIBILITIES)}, not {visibility!r}")
    required = [each for each in requires(distribution()) or [] if "extra ==" not in each]
    words = {"VISIBILITY": visibility, "MAX_SCORE": shown(assignment.points), "ASSIGNMENT": assignment.name}
    files = {name: filled_in(Path(__file__).with_name(name), words) for name in SCRIPTS}
    files["requirements.txt"] = "".join(f"{each}\n" for each in required).encode()
    files["constraints.txt"] = "".join(_pins(required)).encode()
    files["unfinished.json"] = _json(gradescope.render(Report.of(assignment), visibility, finished=False)).encode()
    home = PACKAGE / "assignments"
    engine = [path for path in PACKAGE.rglob("*") if path.parent == home or home not in path.parents]
    for root, below, paths in (
        (PACKAGE, "autograder", engine),
        (assignment.folder, f"autograder/assignments/{assignment.name}", assignment.folder.rglob("*")),
    ):
        for path in sorted(paths):
            if path.is_file() and "__pycache__" not in path.parts:
                files[f"{below}/{path.relative_to(root).as_posix()}"] = path.read_bytes()
    return output.write_archive(out / ZIP, files, executable=SCRIPTS)


def distribution() -> str:
    """The name under which this package is installed; PackageNotFoundError if it is not."""
    found = packages_distributions().get("autograder")
    if not found:
        raise PackageNotFoundError("autograder")
    return found[0]


def _pins(required: list[str]) -> list[str]:
    """The installed versions, without a suffix such as in torch's 2.14.1+cpu."""
    pins = []
    for requirement in required:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            pins.append(f"{name}=={version(name).partition('+')[0]}\n")
        except PackageNotFoundError:  # for another platform
            continue
    return pins


@dataclass(frozen=True)
class ResultsFile:
    """Gradescope's results.json at `path`, complete at any time, because grading may be stopped."""

    path: Path
    assignment: Assignment
    visibility: str = "visible"

    def progress(self, report: Report) -> None:
        """Write what is graded so far, marked as unfinished; grading continues if this fails."""
        if output.replaceable(self.path):
            with contextlib.suppress(output.CannotWrite):
                self._write(report, finished=False)

    def finish(self, report: Report) -> None:
        """Write the report."""
        self._write(report, finished=True)

    def _write(self, report: Report, finished: bool) -> None:
        output.write(self.path, _json(gradescope.render(report, self.visibility, finished, self.metadata().get("id"))))

    def metadata(self) -> dict[str, Any]:
        """What Gradescope says about the upload, in a file next to its folder of results; empty elsewhere.

        Its format: https://gradescope-autograders.readthedocs.io/en/latest/submission_metadata/
        """
        try:
            found = json.loads((self.path.absolute().parents[1] / "submission_metadata.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def complaint(self) -> str | None:
        """What the course staff should fix in Gradescope's settings, or None."""
        try:
            total = float(self.metadata()["assignment"]["total_points"])
        except (KeyError, TypeError, ValueError):
            return None
        if total >= self.assignment.points:
            return None
        most = shown(self.assignment.points)
        return f"The assignment is worth {shown(total)} points on Gradescope, but the checks give {most}."


def _json(results: dict[str, Any]) -> str:
    return json.dumps(results, indent=2, ensure_ascii=False) + "\n"
