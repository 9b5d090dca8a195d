"""Every date that is written, or that people are told to write, through the programs that read it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.converters.base import BaseConverter
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc

from autograder.assignment import BadAssignment, due_date
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.grading import GraderError
from autograder.platforms.nbgrader import course, guards
from autograder.platforms.nbgrader.dates import Extensions, LatePenalty, Unreadable, extended_until, submitted_at
from autograder.platforms.nbgrader.roster import folder_name
from autograder.submissions.roster import RosterError

ROOT = Path(__file__).parents[2]
ZONES = ("America/New_York", "America/St_Johns", "Asia/Kolkata", "Pacific/Auckland", "UTC")
STOCK = parse_utc  # as nbgrader has it, before any course is configured


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    """In zones east and west; half of them within a day of a change of the clocks."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    change = st.sampled_from([datetime(2026, 11, 1), datetime(2027, 3, 14), datetime(2026, 9, 27)])
    near = st.builds(lambda day, minutes: day + timedelta(minutes=minutes), change, st.integers(-1440, 1440))
    anywhere = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(lambda when: when.replace(microsecond=0))
    return draw(near | anywhere).replace(tzinfo=zone)


def naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


@given(moments())
def test_a_due_date_is_read_alike_by_nbgrader(moment: datetime) -> None:
    text = moment.isoformat()
    assert due_date(text) == moment.astimezone(UTC)
    assert STOCK(text) == naive(moment)


@pytest.mark.parametrize(
    "text",
    ["2026-11-30 23:59 -0500", "2026-11-30 23:59", "2026-11-30T23:59:00", "2026-11-31T23:59:00-05:00", "30 November",
     "2026-11-30T23:59:00 EST", "20261130T2359-0500", "2026-11-30T23:59:00-25:00", ""],
)  # fmt: skip
def test_another_form_of_due_date_is_refused(text: str) -> None:
    with pytest.raises(BadAssignment, match=re.escape(repr(text))):
        due_date(text)


def test_the_documents_dates_are_the_assignments(tmp_path: Path) -> None:
    """Each date after --duedate= and each in ISO form, in what TAs read."""
    course.build_course(CVAE, tmp_path)
    for text in ((ROOT / "docs" / "ta.md").read_text("utf-8"), (tmp_path / "README.md").read_text("utf-8")):
        (due,) = re.findall(r'--duedate="([^"]+)"', text)
        assert STOCK(due) == naive(due_date(CVAE.due))
    for text in re.findall(r"2\d{3}-\d\d-\d\dT[0-9:]+[-+]\d\d:\d\d", (ROOT / "docs" / "ta.md").read_text("utf-8")):
        assert STOCK(text.rstrip('".')) is not None


WRITINGS = {
    "as nbgrader submits": lambda when: when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC"),
    "ISO": lambda when: when.isoformat(),
    "ISO with a blank": lambda when: when.isoformat(" "),
    "offset after a blank": lambda when: when.strftime("%Y-%m-%d %H:%M:%S %z"),
    "offset with a colon": lambda when: when.strftime("%Y-%m-%d %H:%M:%S ") + when.isoformat()[-6:],
    "with a line's end and a byte order mark": lambda when: f"\ufeff{when.isoformat()}\r\n",
}


@pytest.mark.parametrize("form", WRITINGS)
@given(moment=moments())
def test_a_written_time_is_read_as_it_is_meant(
    tmp_path_factory: pytest.TempPathFactory, form: str, moment: datetime
) -> None:
    folder = tmp_path_factory.mktemp("ada")
    (folder / "timestamp.txt").write_text(WRITINGS[form](moment), "utf-8")
    assert submitted_at(folder) == moment.astimezone(UTC)


def test_abbreviations_of_the_united_states_are_read(tmp_path: Path) -> None:
    (tmp_path / "timestamp.txt").write_text("2026-11-30 23:59 EST")
    assert submitted_at(tmp_path) == datetime(2026, 12, 1, 4, 59, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-30 23:59", "Monday, late evening", "30/11/2026 23:59 UTC", "1.5e9", "\0"])
def test_a_time_that_is_none_says_which_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "timestamp.txt").write_text(text)
    with pytest.raises(Unreadable, match=r"timestamp\.txt holds .* write it like 2026-11-30T23:59:00-05:00"):
        submitted_at(tmp_path)


@pytest.mark.parametrize("target", ["/dev/zero", "/etc/hostname", "elsewhere"])
def test_a_link_is_no_time(tmp_path: Path, target: str) -> None:
    (tmp_path / "elsewhere").write_text("2026-11-30T23:59:00-05:00")
    (tmp_path / "timestamp.txt").symlink_to(target)
    with pytest.raises(Unreadable, match="link"):
        submitted_at(tmp_path)


@pytest.fixture
def course_folder(tmp_path: Path, new_gradebook: Callable[[Path], str]) -> Path:
    """The folder of a course, with an empty gradebook."""
    new_gradebook(tmp_path)
    return tmp_path


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """nbgrader with our readers, put back afterwards."""
    for where, name in (
        (utils, "parse_utc"),
        (CourseDirectory, "get_existing_timestamp"),
        (NbGraderAPI, "get_submitted_timestamp"),
        (BaseConverter, "init_assignment"),
    ):
        monkeypatch.setattr(where, name, getattr(where, name))
    guards.install()


def test_last_terms_due_date_is_read_right(guarded: None, course_folder: Path) -> None:
    with Gradebook(f"sqlite:///{course_folder}/gradebook.db") as book:
        book.update_or_create_assignment("hw", duedate="2026-11-30 23:59 -0500")
        assert book.find_assignment("hw").duedate == datetime(2026, 12, 1, 4, 59)


def test_nobody_is_late_by_a_time_without_a_zone(guarded: None, tmp_path: Path) -> None:
    folder = tmp_path / "submitted" / "ada" / "hw"
    folder.mkdir(parents=True)
    (folder / "timestamp.txt").write_text("2026-12-24 23:59")
    assert CourseDirectory(root=str(tmp_path)).get_existing_timestamp(str(folder)) is None


# --- extensions and penalties -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "points"), [(0.1, 0), (0.25, 0), (0.3, 10), (24, 10), (24.2, 10), (24.3, 20), (240.2, 100)]
)
def test_late_penalty(hours: float, points: float) -> None:
    assert LatePenalty().late_submission_penalty("zoe", 90, hours * 3600) == points


@pytest.mark.parametrize("page", ["docs/student.md", "docs/ta.md", "notebooks/cvae.ipynb"])
def test_the_penalty_is_said_as_a_course_takes_it(page: str, tmp_path: Path) -> None:
    course.build_course(CVAE, tmp_path)
    settings = (tmp_path / "nbgrader_config.py").read_text("utf-8")
    points, minutes = (
        re.findall(rf"c\.LatePenalty\.{name} = (\d+)", settings) for name in ("points_per_day", "grace_minutes")
    )
    said = f"{points[0]} points for each day or part of a day, after {minutes[0]} minutes of grace."
    assert said in (ROOT / page).read_text("utf-8")


DUE = datetime(2026, 12, 1, 4, 59)


def seconds_late(folder: Path, student: str, handed_in: datetime) -> float:
    """How late the gradebook says that a student is, after extensions.csv of the course in `folder` was read."""
    address = f"sqlite:///{folder}/gradebook.db"
    assert (folder / "gradebook.db").exists()
    with Gradebook(address) as book:
        book.update_or_create_assignment("hw", duedate=DUE)
        book.update_or_create_student(student)
        book.update_or_create_submission("hw", student, timestamp=handed_in)
    extensions = Extensions()
    extensions.parent = None
    course = SimpleNamespace(coursedir=SimpleNamespace(root=str(folder)))
    object.__setattr__(
        extensions, "_trait_values", {**extensions._trait_values, "parent": SimpleNamespace(parent=course)}
    )
    resources = {"nbgrader": {"student": student, "assignment": "hw", "db_url": address}}
    extensions.preprocess(NotebookNode(), resources)
    with Gradebook(address) as book:
        return book.find_submission("hw", student).total_seconds_late


@pytest.mark.parametrize(
    ("key", "until", "late_by"),
    [
        ("ada", "2026-12-03T23:59:00-05:00", 0),
        ("ADA", "2026-12-03 23:59 America/New_York", 0),
        ("ada@x.edu", "2026-12-01T22:00:00-05:00", 3600),
        ("ada", "2026-11-01T23:59:00-05:00", 3600 * 23 + 60),
        ("bob", "2026-12-03T23:59:00-05:00", 3600 * 23 + 60),
    ],
)
def test_an_extension_counts_from_its_end(course_folder: Path, key: str, until: str, late_by: float) -> None:
    (course_folder / "roster.csv").write_text("id,name,email\nada,Ada Lovelace,ada@x.edu\nbob,Bob,b@x.edu\n")
    (course_folder / "extensions.csv").write_text(f"student,until\n{key},{until}\n")
    assert seconds_late(course_folder, "ada", DUE + timedelta(hours=23, minutes=1)) == late_by


@pytest.mark.parametrize(
    ("key", "has"),
    [
        ("zoe", {"zoe"}),
        ("z9", {"zoe"}),
        ("shared@x.edu", set()),
        ("b7", set()),
        ("2026/CS/005", {folder_name("2026/CS/005")}),
    ],
)
def test_an_extension_is_that_of_who_has_the_id(
    course_folder: Path, caplog: pytest.LogCaptureFixture, key: str, has: set[str]
) -> None:
    """A login or an address may be another student's id, or that of several."""
    (course_folder / "roster.csv").write_text(
        "id,name,login,email,github username\nzoe,Zoe Ames,z9,shared@x.edu,b7\nbob,Bob Boole,zoe,shared@x.edu,bb\n"
        "2026/CS/005,Cy Clarke,b7,c@x.edu,zoe\n"
    )
    (course_folder / "extensions.csv").write_text(f"student,until\n{key},2026-12-03T23:59:00-05:00\n")
    students = ["zoe", "bob", folder_name("2026/CS/005")]
    found = {each for each in students if extended_until(course_folder, each, ["hw"], "")}
    assert found == has
    course.check_extensions(course_folder)
    assert ("does not count, since several have it" in caplog.text) is (not found)


def test_an_extension_before_the_due_date_is_told(course_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (course_folder / "extensions.csv").write_text("student,until\nada,2025-12-03T23:59:00-05:00\n")
    assert seconds_late(course_folder, "ada", DUE) == 0
    assert "ada ends on 2025-12-03 23:59-05:00, which is not after the due date" in caplog.text


def test_an_extension_that_is_taken_back_is_gone(course_folder: Path) -> None:
    (course_folder / "extensions.csv").write_text("student,until\nada,2026-12-03T23:59:00-05:00\n")
    assert seconds_late(course_folder, "ada", DUE + timedelta(hours=1)) == 0
    (course_folder / "extensions.csv").write_text("student,until\nbob,2026-12-03T23:59:00-05:00\n")
    assert seconds_late(course_folder, "ada", DUE + timedelta(hours=1)) == 3600


def test_extensions_that_cannot_be_read_stop_the_grading(course_folder: Path) -> None:
    (course_folder / "extensions.csv").write_text("student,until\nada,Thursday\n")
    with pytest.raises(GraderError, match=r"extensions\.csv, line 2"):
        seconds_late(course_folder, "ada", DUE)
    with pytest.raises(RosterError, match=r"extensions\.csv, line 2"):
        course.check_extensions(course_folder)


def test_an_extension_for_nobody_is_told(course_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (course_folder / "submitted" / "ada").mkdir(parents=True)
    (course_folder / "extensions.csv").write_text(
        "student,until\nada,2026-12-03T23:59:00-05:00\nadda,2026-12-03T23:59:00-05:00\n"
    )
    course.check_extensions(course_folder)
    assert "'adda'" in caplog.text
    assert "'ada'" not in caplog.text
