"""A term on each platform, from what it gives to what it takes: everyone in the roster has one row, with the points.

In each are namesakes, one who is late, one with an extension, a wrong file name, a missing module, and one who
handed in nothing.
"""

import csv
import io
import sqlite3
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from autograder.assignment import due_date
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.platforms.nbgrader.course import build_course
from autograder.sandbox.isolation import why_not
from tests.nbgrader.class_of_students import BLANK, NOTEBOOK, PERFECT
from tests.nbgrader.conftest import Command, command_in

pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_not("bubblewrap") is not None, reason="bubblewrap")]

FAST = "--RunNotebook.enabled=False"
EXPORTERS = "autograder.platforms.nbgrader.plugins"
DUE = due_date(CVAE.due)
LATE, EXTENDED = DUE + timedelta(hours=25), DUE + timedelta(hours=48)
FULL = CVAE.points
# The last is what the platform's file says: points without those given by hand, or nothing.
EXPECTED = {
    "ada": FULL, "wang1": FULL, "wang2": 0, "leo": FULL - 20, "eve": FULL, "win": FULL, "mia": 0, "bad": 0, "nil": "",
}  # fmt: skip
NAMES = {student: f"{student.title()} Doe" for student in EXPECTED} | {"wang1": "Wei Wang", "wang2": "Wei Wang"}


@pytest.fixture
def course(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    build_course(CVAE, folder)
    (folder / "extensions.csv").write_text(f"student,until\neve,{EXTENDED.isoformat()}\n")
    return folder


@pytest.fixture
def nbgrader(course: Path) -> Command:
    command = command_in(course, course.parent)
    command("generate_assignment", CVAE.kit)
    command("db", "assignment", "add", CVAE.kit, f"--duedate={CVAE.due}")
    return command


def zipped(files: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def give_nothing_by_hand(course: Path) -> None:
    """As a TA does who gives 0 points to everyone: no grade goes out before."""
    with sqlite3.connect(course / "gradebook.db") as database:
        database.execute("UPDATE grade SET manual_score = 0, needs_manual_grade = 0 WHERE auto_score IS NULL")


def points(found: list[dict[str, str]], who: Callable[[dict[str, str]], str], column: str) -> dict[str, float | str]:
    """The points by student. Everyone has one row."""
    names = [who(row) for row in found]
    assert sorted(names) == sorted(EXPECTED), "one row for everyone in the roster"
    return {name: float(row[column]) if row[column] else "" for name, row in zip(names, found, strict=True)}


def test_canvas(course: Path, nbgrader: Command) -> None:
    """From "Download Submissions" and the exported gradebook to the file for "Import Grades"."""
    numbers = {student: 101 + index for index, student in enumerate(EXPECTED)}
    column = "Homework 3 Part 3 (998877)"
    lines = [f"Student;ID;SIS User ID;SIS Login ID;Section;{column}", "    Points Possible;;;;;100"]
    for student, number in numbers.items():
        first, last = NAMES[student].split()
        lines.append(f"{last}, {first};{number};s{number};{student.upper()};S1;")
    (course / "roster.csv").write_text("\ufeff" + "\n".join(lines), "utf-8")
    notebook = (course / "release" / CVAE.kit / f"{NOTEBOOK}.ipynb").read_bytes()
    files: dict[str, str | bytes] = {
        "doeada_101_9001_cs5814_vae.py": PERFECT,
        "wangwei_102_9002_cs5814_vae.py": PERFECT,
        "wangwei_103_9003_cs5814_vae.py": BLANK,
        "wangwei_102_9004_cvae.ipynb": notebook,
        "doeleo_LATE_104_9005_cs5814_vae.py": PERFECT,
        "doeeve_LATE_105_9006_hw3.zip": zipped({"hw3-part3/cs5814_vae.py": PERFECT, "hw3-part3/cvae.ipynb": notebook}),
        "doewin_106_9007_cs5814_vae (1)-1.py": PERFECT,
        "doemia_107_9008_cvae (2).ipynb": notebook,
        "doebad_108_9009_homework.zip": b"PK\x03\x04 cut off",
    }
    archive = course / "downloaded" / CVAE.kit / "archive"
    archive.mkdir(parents=True)
    (archive / "submissions.zip").write_bytes(zipped(files))
    said = nbgrader("zip_collect", CVAE.kit)
    assert "9 in the roster and 0 besides" in said
    assert "gives no time" in said
    for student in ("LEO", "EVE"):
        (course / "submitted" / student / CVAE.kit / "timestamp.txt").write_text(LATE.isoformat())
    nbgrader("autograde", CVAE.kit, FAST)
    give_nothing_by_hand(course)
    nbgrader("export", f"--exporter={EXPORTERS}.CanvasExport", "--to=canvas.csv")
    _, *students = rows(course / "canvas.csv")
    assert points(students, lambda row: row["SIS Login ID"].lower(), column) == EXPECTED
    assert {row["ID"]: row["Student"] for row in students} == {
        str(numbers[student]): ", ".join(reversed(name.split())) for student, name in NAMES.items()
    }
    nbgrader("export", "--to=grades.csv")
    assert {(row["first_name"], row["last_name"]) for row in rows(course / "grades.csv")} == {
        tuple(name.split()) for name in NAMES.values()
    }


def test_gradescope(course: Path, nbgrader: Command) -> None:
    """From "Export Submissions" to points in the layout of Gradescope's "Download Grades"."""
    lines = [f"{first},{last},{student},{student}@x.edu" for student, (first, last) in split_names()]
    (course / "roster.csv").write_text("First Name,Last Name,SID,Email\n" + "\n".join(lines), "utf-8")
    top, metadata = "assignment_77_export", ""
    files: dict[str, str | bytes] = {}
    for number, (student, (name, content)) in enumerate(handed_in().items(), 1):
        when = LATE if student in ("leo", "eve") else DUE - timedelta(hours=number)
        metadata += (
            f"submission_{number}:\n  :submitters:\n  - :name: {NAMES[student]}\n    :sid: {student}\n"
            f"    :email: {student}@x.edu\n  :created_at: {when:%Y-%m-%d %H:%M:%S.000000000} -05:00\n"
        )
        files[f"{top}/submission_{number}/{name}"] = content
    files[f"{top}/submission_metadata.yml"] = metadata
    archive = course / "downloaded" / CVAE.kit / "archive"
    archive.mkdir(parents=True)
    (archive / "export.zip").write_bytes(zipped(files))
    nbgrader("zip_collect", CVAE.kit)
    nbgrader("autograde", CVAE.kit, FAST)
    give_nothing_by_hand(course)
    nbgrader("export", f"--exporter={EXPORTERS}.GradescopeExport", "--to=gradescope.csv")
    found = rows(course / "gradescope.csv")
    assert points(found, lambda row: row["SID"], CVAE.kit) == EXPECTED
    assert {row["SID"]: (row["First Name"], row["Last Name"]) for row in found} == dict(split_names())
    late = {row["SID"]: row[f"{CVAE.kit} - Lateness (H:M:S)"] for row in found}
    assert late == {student: "25:00:00" if student == "leo" else "00:00:00" for student in late} | {"nil": ""}
    times = {row["SID"]: row[f"{CVAE.kit} - Submission Time"] for row in found}
    assert datetime.strptime(times["leo"], "%Y-%m-%d %H:%M:%S %z") == LATE


def test_exchange(course: Path, nbgrader: Command) -> None:
    """From the exchange to nbgrader's own export; links, and a name without a time, are in the way of nobody."""
    lines = [f"{student},{first},{last}" for student, (first, last) in split_names()]
    (course / "roster.csv").write_text("id,first_name,last_name\n" + "\n".join(lines), "utf-8")
    nbgrader("release_assignment", CVAE.kit)
    inbound = course / "exchange" / "root" / "cs5814" / "inbound"
    secret = course / "solution.py"
    secret.write_text(PERFECT)
    for student, (name, content) in handed_in().items():
        when = LATE if student in ("leo", "eve") else DUE - timedelta(hours=1)
        when_utc = when.astimezone(UTC)
        stamp = f"{when_utc:%Y-%m-%d %H:%M:%S.%f} UTC" if student != "mia" else "no time"
        folder = inbound / f"{student}+{CVAE.kit}+{stamp}+xyz"
        folder.mkdir()
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        (folder / "timestamp.txt").write_text(stamp if student != "mia" else "")
        if student == "bad":
            (folder / name).unlink()
            (folder / "cs5814_vae.py").symlink_to(secret)
            (folder / "data").symlink_to(course)
    nbgrader("collect", CVAE.kit, "--ExchangeCollect.check_owner=False")
    assert not [path for path in (course / "submitted").rglob("*") if path.is_symlink()]
    nbgrader("autograde", CVAE.kit, FAST)
    nbgrader("export", "--to=grades.csv")
    found = rows(course / "grades.csv")
    for row in found:
        if row["student_id"] == "nil":
            row["score"] = row["timestamp"] and row["score"]  # nbgrader writes 0 where nothing was handed in
    assert points(found, lambda row: row["student_id"], "score") == EXPECTED
    kept = (course / "autograded" / "bad" / CVAE.kit / f"{NOTEBOOK}.ipynb").read_text("utf-8")
    assert "symbolic link" in kept


@pytest.mark.parametrize("file", ["extensions.csv", "roster.csv"])
def test_nbgrader_does_not_start_without_its_configuration(course: Path, file: str) -> None:
    """It would go on with its own, and run what students handed in unprotected."""
    (course / file).write_text("student,until\neve,Thursday\n" if file == "extensions.csv" else "x,y\n1,2\n")
    with pytest.raises(AssertionError, match=rf"nbgrader is not started: {file}, line"):
        command_in(course, course.parent)("autograde", CVAE.kit)


def split_names() -> list[tuple[str, tuple[str, str]]]:
    return [(student, (name.split()[0], name.split()[1])) for student, name in NAMES.items()]


def handed_in() -> dict[str, tuple[str, str | bytes]]:
    """One file of each student who handed in anything."""
    module = CVAE.module
    return {
        **{student: (module, PERFECT) for student in ("ada", "wang1", "leo", "eve")},  # noqa: C420
        "wang2": (module, BLANK),
        "win": ("CS5814_vae (1).py", PERFECT),
        "mia": ("notes.md", "no time"),
        "bad": ("homework.zip", b"PK\x03\x04 cut off"),
    }
