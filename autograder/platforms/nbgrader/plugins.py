"""nbgrader's own plugins, for this course: late penalties, downloads from a learning platform, grades out."""

import csv
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbgrader.api import Assignment, Gradebook, MissingEntry, Student, SubmittedAssignment
from nbgrader.plugins import ExportPlugin, FileNameCollectorPlugin, LateSubmissionPlugin
from traitlets import Float, List, Unicode

from autograder.assignment import load
from autograder.classroom.spreadsheet import inert
from autograder.points import total

# --- late submissions ---------------------------------------------------------------------------------------------


class LatePenalty(LateSubmissionPlugin):
    """So many points for each day begun. nbgrader takes them off the total, never below zero.

    Points rather than a share of the score: nbgrader computes the penalty when it autogrades, before the points that
    are given by hand are known.
    """

    points_per_day = Float(10.0, help="Points for each day begun.").tag(config=True)
    grace_minutes = Float(15.0, help="Minutes that are not counted.").tag(config=True)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float:
        seconds = total_seconds_late - 60 * self.grace_minutes
        return max(0.0, self.points_per_day * math.ceil(seconds / 86400))


# --- downloads from a learning platform ---------------------------------------------------------------------------


class Downloads(FileNameCollectorPlugin):
    """Finds the notebook and the module in what Canvas' "Download Submissions" gives, loose or in a student's zip.

    The names there are `doejane_12345_67890_homework-1.ipynb` or `doejane_LATE_12345_67890_homework.zip`; set
    `named_regexp` for another platform: it is matched with the name of each folder on the way down and of the file, and
    gives the student_id. Of several copies the one nearest to the top counts, and of Canvas' versions the last.
    """

    assignments = List(Unicode(), help="The assignments of the course, by name or folder.").tag(config=True)

    def collect(self, submitted_file: str) -> dict[str, str] | None:
        path = Path(submitted_file)
        root = next((folder for folder in path.parents if folder.name == "extracted"), path.parent)
        student, name = self._student(path.relative_to(root)), self._wanted(path.name)
        if student is None or name is None:
            return None
        rivals = [
            rival
            for rival in root.rglob(f"*{Path(name).suffix}")
            if self._wanted(rival.name) == name and self._student(rival.relative_to(root)) == student
        ]
        best = max(rivals, key=lambda rival: (-len(rival.parts), _copy_number(rival.name), str(rival)))
        return {"student_id": student, "file_id": name} if path == best else None

    def _student(self, path: Path) -> str | None:
        pattern = re.compile(self.named_regexp or r"(?P<student_id>[^_]+)_(LATE_)?\d+_\d+_")
        return next((match["student_id"] for part in path.parts if (match := pattern.match(part))), None)

    def _wanted(self, filename: str) -> str | None:
        """The name in an assignment that `filename` stands for, or None."""
        stem = _COPY.sub("", Path(filename).stem)
        for assignment in map(load, self.assignments):
            for name in (Path(assignment.notebook).name, assignment.module):
                same_type = Path(filename).suffix == Path(name).suffix
                if same_type and re.search(rf"(^|_){re.escape(Path(name).stem)}$", stem):
                    return name
        return None


_COPY = re.compile(r"(?:-(?P<canvas>\d+)| ?\((?P<browser>\d+)\))$")


def _copy_number(filename: str) -> int:
    match = _COPY.search(Path(filename).stem)
    return int(match["canvas"] or match["browser"]) if match else 0


# --- grades out ---------------------------------------------------------------------------------------------------


class RosterExport(ExportPlugin):
    """Shared by the two below: one row a student, one column an assignment."""

    file = ""

    def export(self, gradebook: Gradebook) -> None:
        assignments = [each for each in gradebook.assignments if not self.assignment or each.name in self.assignment]
        students = [each for each in gradebook.students if not self.student or each.id in self.student]
        destination = self.to or self.file
        with open(destination, "w", newline="", encoding="utf-8") as file:
            for row in self.rows(gradebook, assignments, students):
                csv.writer(file, quoting=csv.QUOTE_NONNUMERIC).writerow([inert(cell) for cell in row])
        self.log.info("Wrote %s", destination)

    def rows(self, gradebook: Gradebook, assignments: list[Assignment], students: list[Student]) -> Iterator[list[Any]]:
        raise NotImplementedError


class CanvasExport(RosterExport):
    """A file for Canvas' "Import Grades": export the roster from Canvas, and name it in `roster`, so that Canvas knows
    each student by its own ID; without it, students are known by their login.

    A student who handed nothing in gets an empty cell: Canvas leaves those as they are.
    """

    file = "canvas.csv"
    roster = Unicode("", help='The file of Canvas\' "Export Entire Gradebook".').tag(config=True)

    def rows(self, gradebook: Gradebook, assignments: list[Assignment], students: list[Student]) -> Iterator[list[Any]]:
        identity = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
        enrolled = self._enrolled()
        columns = [enrolled.get("", {}).get(each.name, each.name) for each in assignments]
        yield identity + columns
        yield ["    Points Possible", "", "", "", "", *(total([each.max_score]) for each in assignments)]
        for student in students:
            known = enrolled.get(student.id) if student.id else None
            if enrolled and known is None:
                self.log.warning("%s is not in the roster and is left out", student.id)
                continue
            known = known or {
                "Student": _name(student, "{last}, {first}"),
                "ID": student.lms_user_id or "",
                "SIS Login ID": student.id,
            }
            scores = [_score(submission) for submission in _submissions(gradebook, assignments, student)]
            yield [known.get(column, "") for column in identity] + scores

    def _enrolled(self) -> dict[str, dict[str, str]]:
        """The roster's rows by login; under "" the columns of the assignments, `hw3-part3 (12345)`, by name."""
        if not self.roster:
            return {}
        with open(self.roster, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        enrolled = {row["SIS Login ID"]: row for row in rows if row.get("SIS Login ID")}
        enrolled[""] = {re.sub(r" \(\d+\)$", "", column): column for column in rows[0]} if rows else {}
        return enrolled


class GradescopeExport(RosterExport):
    """The layout of Gradescope's own "Download Grades", for whoever reads that."""

    file = "gradescope.csv"

    def rows(self, gradebook: Gradebook, assignments: list[Assignment], students: list[Student]) -> Iterator[list[Any]]:
        header = ["First Name", "Last Name", "SID", "Email", "Sections"]
        for each in assignments:
            header += [each.name, f"{each.name} - Max Points", f"{each.name} - Submission Time"]
            header += [f"{each.name} - Lateness (H:M:S)"]
        yield header
        for student in students:
            row = [student.first_name or "", student.last_name or "", student.id, student.email or "", ""]
            for each, submission in zip(assignments, _submissions(gradebook, assignments, student), strict=True):
                time = late = ""
                if submission and submission.timestamp:
                    seconds = int(submission.total_seconds_late)
                    time = f"{submission.timestamp:%Y-%m-%d %H:%M:%S} +0000"
                    late = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
                row += [_score(submission), total([each.max_score]), time, late]
            yield row


def _name(student: Student, form: str) -> str:
    if student.first_name or student.last_name:
        return form.format(first=student.first_name or "", last=student.last_name or "")
    return student.id


def _submissions(
    gradebook: Gradebook, assignments: list[Assignment], student: Student
) -> Iterator[SubmittedAssignment | None]:
    for assignment in assignments:
        try:
            yield gradebook.find_submission(assignment.name, student.id)
        except MissingEntry:
            yield None


def _score(submission: SubmittedAssignment | None) -> float | str:
    """With the penalty for lateness taken off; empty where nothing was handed in."""
    return max(0.0, total((submission.score, -submission.late_submission_penalty))) if submission else ""
