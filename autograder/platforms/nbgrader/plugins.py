"""Grades out of nbgrader: a file for Canvas, and one in Gradescope's layout."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbgrader.api import Assignment, Gradebook, MissingEntry, Student, SubmittedAssignment
from nbgrader.plugins import ExportPlugin
from traitlets import Dict, List, Unicode

from autograder.assignment import load
from autograder.classroom.outgoing import bare, canvas_identity, enrolled, identify
from autograder.classroom.spreadsheet import harmless_cell
from autograder.platforms.nbgrader.gradebook import without_points
from autograder.platforms.nbgrader.roster import ROSTER, folder_name
from autograder.points import total
from autograder.submissions.roster import Roster, RosterError, read_roster
from autograder.submissions.roster import Student as Enrolled


class RosterExport(ExportPlugin):
    """Shared by the two below: one row for each student, one column for each assignment."""

    file = ""

    def export(self, gradebook: Gradebook) -> None:
        assignments = [each for each in gradebook.assignments if not self.assignment or each.name in self.assignment]
        students = [each for each in gradebook.students if not self.student or each.id in self.student]
        self._tell_missing(gradebook, assignments, students)
        destination = self.to or self.file
        try:
            rows = list(self.rows(gradebook, assignments, students))
            with open(destination, "w", newline="", encoding="utf-8") as file:
                for row in rows:
                    csv.writer(file, quoting=csv.QUOTE_NONNUMERIC).writerow([harmless_cell(cell) for cell in row])
        except (RosterError, OSError) as error:
            self.log.error("No grades were exported: %s", error)
            raise SystemExit(1) from error
        self.log.info("Wrote %s", destination)

    def _tell_missing(self, gradebook: Gradebook, assignments: list[Assignment], students: list[Student]) -> None:
        for each in assignments:
            found = ((student.id, *_submissions(gradebook, [each], student)) for student in students)
            if lacking := [student for student, submission in found if submission and without_points(submission)]:
                self.log.warning(
                    "%s: hand-graded points are missing, so these cells are empty: %s", each.name, ", ".join(lacking)
                )

    def rows(self, gradebook: Gradebook, assignments: list[Assignment], students: list[Student]) -> Iterator[list[Any]]:
        raise NotImplementedError


class CanvasExport(RosterExport):
    """A file for Canvas' "Import Grades".

    With the gradebook that Canvas exports as `roster`, everyone in it has a row with the identity and the columns that
    Canvas knows. A student who handed nothing in, or whose hand-graded points are missing, gets an empty cell: Canvas
    leaves those as they are.
    """

    file = "canvas.csv"
    roster = Unicode(
        "",
        help='The file of Canvas\' "Export Entire Gradebook". By default roster.csv in the course folder.',
    ).tag(config=True)
    columns = Dict(Unicode(), help="Canvas' column for an assignment, as in hw1='Homework 1 (12345)'.").tag(config=True)
    leave_out = List(Unicode(), help="Students with points who may be missing in Canvas.").tag(config=True)
    assignments = List(Unicode(), help="The assignments of the course, by name or folder.").tag(config=True)

    def rows(self, gradebook: Gradebook, assignments: list[Assignment], students: list[Student]) -> Iterator[list[Any]]:
        roster = self._roster()
        identity = canvas_identity(roster.columns if roster else ())
        possible = ["    Points Possible", *[""] * (len(identity) - 1)]
        yield identity + [self._column(each.name, roster) for each in assignments]
        yield possible + [total([each.max_score]) for each in assignments]
        scores = {
            student.id: [_score(each) for each in _submissions(gradebook, assignments, student)] for student in students
        }
        if roster is None:
            for student in students:
                known = {"Student": _name(student, "{last}, {first}"), "ID": student.lms_user_id or ""}
                known["SIS Login ID"] = "" if known["ID"] else student.id
                yield [known.get(column, "") for column in identity] + scores[student.id]
            return
        graded = self._joined(students, roster, scores)
        for each in roster.students:
            student = graded.get(each.id)
            if student or not self.student:
                cells = scores[student.id] if student else [""] * len(assignments)
                yield identify(each, identity) + cells

    def _roster(self) -> Roster | None:
        """RosterError where the file that is named is no gradebook of Canvas'."""
        own = Path(self.parent.coursedir.root if self.parent else "") / ROSTER
        if not self.roster and not own.exists():
            return None
        roster = read_roster(Path(self.roster) if self.roster else own)
        if all("canvas" in each.keys for each in roster.students):
            return roster
        if not self.roster:
            self.log.warning("%s is not a Canvas gradebook: name one with --CanvasExport.roster", own)
            return None
        raise RosterError(f"{self.roster} is not a Canvas gradebook: it has no column ID")

    def _column(self, name: str, roster: Roster | None) -> str:
        """The column of an assignment, which Canvas knows by its number: `Homework 3 part 3 (12345)`."""
        if roster is None or name in self.columns:
            return self.columns.get(name, name)
        known = next((each for each in map(load, self.assignments) if each.kit == name), None)
        titles = {bare(title) for title in (name, *(known.names if known else ()))}
        numbered = {column: match[1] for column in roster.columns if (match := re.fullmatch(r"(.+) \(\d+\)", column))}
        found = [column for column, title in numbered.items() if bare(title) in titles]
        if len(found) == 1:
            return found[0]
        self.log.warning(
            "The roster has no column for %s, so Canvas will ask; name it with --CanvasExport.columns=\"%s=COLUMN\". "
            "It has: %s", name, name, ", ".join(numbered) or "none of an assignment",
        )  # fmt: skip
        return name

    def _joined(
        self, students: list[Student], roster: Roster, scores: dict[str, list[float | str]]
    ) -> dict[str, Student]:
        """The students by their id in the roster. RosterError where one with points has no own place there."""
        joined: dict[str, Student] = {}
        missing, twice = [], []
        for student in students:
            known, unclear = _enrolled(student, roster)
            if known and known.id in joined:
                first, second = sorted((joined[known.id].id, student.id))
                twice.append(f"{first} and {second} are both {known.name} ({known.id})")
            elif known:
                joined[known.id] = student
            elif student.id in self.leave_out or all(score == "" for score in scores[student.id]):
                self.log.warning("%s is not in the roster and is left out", student.id)
            elif unclear:
                twice.append(f"{unclear}; nbgrader db student add {student.id} --lms-user-id=NUMBER says which")
            else:
                missing.append(student.id)
        if twice:
            raise RosterError("; ".join(twice))
        if missing:
            first = roster.students[0]
            raise RosterError(
                f"not in the roster: {', '.join(missing)}. It knows students by {', '.join(first.keys.values())}, for "
                f"example. To leave somebody out: --CanvasExport.leave_out={missing[0]}"
            )
        return joined


def _enrolled(student: Student, roster: Roster) -> tuple[Enrolled | None, str]:
    """The student in the roster by Canvas' number, address or id, and why that is unclear; see `outgoing.enrolled`.

    A number at the end of the id is Canvas', where the id is none of the roster's: the download has it too.
    """
    own = next((each.id for each in roster.students if folder_name(each.id) == student.id), student.id)
    keys = {"canvas": student.lms_user_id or "", "email": student.email or "", "id": own}
    name = _name(student, "{first} {last}") if student.first_name or student.last_name else own
    known, unclear = enrolled(own, name, {kind: key for kind, key in keys.items() if key}, roster)
    number = re.search(r"_(\d+)$", student.id)
    return (known or (roster.find(number[1], "canvas") if number and not unclear else None)), unclear


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
        return form.format(first=student.first_name or "", last=student.last_name or "").strip(", ")
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
    """With the penalty for lateness taken off; empty where nothing was handed in, or points by hand are missing."""
    if submission is None or without_points(submission):
        return ""
    return max(0.0, total((submission.score, -submission.late_submission_penalty)))
