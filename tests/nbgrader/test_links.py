"""Nothing that a student hands in is followed, copied or opened as a link, on any way into the gradebook."""

import glob
import io
import itertools
import os
import pwd
import re
import shutil
import tarfile
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.converters.base import BaseConverter
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.platforms.nbgrader import collect, guards
from autograder.platforms.nbgrader.answers import notes_on
from autograder.platforms.nbgrader.attempts import Attempt, students_own, time_of
from autograder.platforms.nbgrader.collect import ByFolder, Collect, Downloads
from autograder.platforms.nbgrader.files import complete
from autograder.platforms.nbgrader.roster import folder_name, is_id
from autograder.platforms.nbgrader.submitted import module_in
from autograder.submissions.files import MAX_DEPTH, Listing, in_folder
from autograder.submissions.find import NothingToGrade
from autograder.submissions.layouts import read_upload
from autograder.submissions.times import read_moment
from tests.nbgrader.class_of_students import BLANK, NOTEBOOK, PERFECT

MODULE = CVAE.module
SECRET = "the solution, or another student's"
LINKS = ("/etc/passwd", "../../../secret", "{secret}", "{secret_folder}", ".", "..", "loop", "nowhere", "/dev/zero")


# Names that a file system or an archive allows: bytes that are no text, signs of patterns, of paths and of logs, and
# names that are too long once something stands before them.
SIGNS = st.text(st.sampled_from("a.*?[]!~+ \n\r\t\\{}%-\x1b\x7f\x9b\xe9\u540d\u202e\udcff"), min_size=1, max_size=12)
NAMES = st.one_of(
    SIGNS,
    st.builds("{}{}".format, SIGNS, st.sampled_from(["n" * 200, "\u540d" * 65])),
    st.binary(min_size=1, max_size=40).map(lambda raw: os.fsdecode(raw.translate(None, b"/\0"))),
)


@pytest.fixture
def course(tmp_path: Path, new_gradebook: Callable[[Path], str]) -> Path:
    return course_in(tmp_path, new_gradebook)


def course_in(tmp_path: Path, new_gradebook: Callable[[Path], str]) -> Path:
    new_gradebook(tmp_path)
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "cvae.ipynb").write_text(SECRET)
    (tmp_path / "secrets" / "cs5814_vae.py").write_text(SECRET)
    for step in ("source", "release"):
        (tmp_path / step / CVAE.kit).mkdir(parents=True)
        (tmp_path / step / CVAE.kit / f"{NOTEBOOK}.ipynb").write_text("{}")
    return tmp_path


def linked(folder: Path, course: Path) -> None:
    """Fill a submission's folder with links of every kind, under names that mean something and that do not."""
    (folder / "data").mkdir(parents=True)
    for index, target in enumerate(LINKS):
        to = target.format(secret=course / "secret", secret_folder=course / "secrets")
        (folder / "data" / f"link{index}").symlink_to(to)
    (folder / "digits").symlink_to(course / "secrets")
    for name in ("cs5814_vae.py", f"{NOTEBOOK}.ipynb", "timestamp.txt", "public_checks.py", "collected.txt"):
        (folder / name).symlink_to(course / "secret")
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "pipe.py")
    (folder / "own.txt").write_text("mine")


def contents(folder: Path) -> bytes:
    assert not [path for path in folder.rglob("*") if path.is_symlink()]
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_autograde_copies(course: Path) -> None:
    linked(course / "submitted" / "ada" / CVAE.kit, course)
    converter = Autograde(coursedir=CourseDirectory(root=str(course)))
    guards._take_over(converter, CVAE.kit, "ada")
    copied = contents(course / "autograded")
    assert copied == b"mine"


@pytest.mark.parametrize("level", ["ada", f"ada/{CVAE.kit}"])
def test_a_linked_folder_is_no_submission(course: Path, level: str) -> None:
    bob = course / "submitted" / "bob" / CVAE.kit
    bob.mkdir(parents=True)
    (bob / "cs5814_vae.py").write_text(PERFECT)
    link = course / "submitted" / level
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(bob.parent if level == "ada" else bob)
    folder = course / "submitted" / "ada" / CVAE.kit
    with pytest.raises(NothingToGrade, match="symbolic link"):
        module_in(folder, CVAE)
    assert any("symbolic link" in note for note in notes_on(folder))
    guards._take_over(Autograde(coursedir=CourseDirectory(root=str(course))), CVAE.kit, "ada")
    assert not (course / "autograded").exists()


def test_a_linked_module_gives_the_reason(course: Path) -> None:
    folder = course / "submitted" / "ada" / CVAE.kit
    linked(folder, course)
    with pytest.raises(NothingToGrade, match=r"cs5814_vae\.py is a symbolic link, which is never followed"):
        module_in(folder, CVAE)


def test_nothing_is_written_through_a_link(course: Path) -> None:
    """The released notebook is put next to a module without one."""
    folder = course / "submitted" / "ada" / CVAE.kit
    folder.mkdir(parents=True)
    (folder / f"{NOTEBOOK}.ipynb").symlink_to(course / "written")
    complete(course, CVAE)
    assert not (course / "written").exists()


# --- nbgrader's exchange ------------------------------------------------------------------------------------------


def collector(course: Path, check_owner: bool = False) -> Collect:
    made = Collect(coursedir=CourseDirectory(root=str(course), course_id="c", assignment_id=CVAE.kit))
    made.root, made.check_owner, made.assignments = str(course / "exchange"), check_owner, [CVAE.where]
    return made


def inbound(course: Path, student: str, time: str = "2025-11-30 10:00:00 UTC") -> Path:
    return course / "exchange" / "c" / "inbound" / f"{student}+{CVAE.kit}+{time}+xyz"


def test_what_collect_copies(course: Path) -> None:
    linked(inbound(course, "ada"), course)
    collector(course).start()
    folder = course / "submitted" / "ada" / CVAE.kit
    copied = contents(folder)
    assert SECRET.encode() not in copied
    assert (folder / "own.txt").read_text() == "mine"
    assert "cs5814_vae.py" in (folder / "collected.txt").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")
def test_a_hard_link_to_anothers_file_is_not_copied(course: Path) -> None:
    folder = inbound(course, "ada")
    folder.mkdir(parents=True)
    (folder / "own.py").write_text("mine")
    (folder / "own-too.py").hardlink_to(folder / "own.py")
    (folder / "cs5814_vae.py").hardlink_to(course / "secret")
    for path in (folder, folder / "own.py"):
        os.chown(path, 12345, 12345)
    collector(course).start()
    copied = contents(course / "submitted" / "ada")
    assert SECRET.encode() not in copied
    assert copied.count(b"mine") == 2


def test_one_bad_folder_ends_collect_for_nobody(course: Path) -> None:
    for student in ("ada", "zoe"):
        inbound(course, student).mkdir(parents=True)
        (inbound(course, student) / "cs5814_vae.py").write_text(BLANK)
    inbound(course, "bob").symlink_to(course / "secrets")
    inbound(course, "cam").write_text("a file")
    inbound(course, "dan", "no time").mkdir()
    inbound(course, "zoe", "2025-11-30 11:00:00 UTC").symlink_to(inbound(course, "ada"))
    large = inbound(course, "eve")
    large.mkdir()
    with (large / "data.bin").open("wb") as file:
        file.truncate(200_000_000)
    (large / "cs5814_vae.py").write_text(BLANK)
    with pytest.raises(Exception, match=r"bob.* is a link or no folder; .*cam"):
        collector(course).start()
    assert sorted(path.name for path in (course / "submitted").iterdir()) == ["ada", "dan", "eve", "zoe"]
    assert SECRET.encode() not in contents(course / "submitted")
    assert "data.bin" in (course / "submitted" / "eve" / CVAE.kit / "collected.txt").read_text()


@pytest.mark.parametrize("by", ["a link", "another folder", "a file", "nothing"])
@pytest.mark.parametrize("level", ["", "more"])
def test_what_is_put_in_place_is_not_taken(course: Path, by: str, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A student can change the exchange after the grader has looked at it: the folder, or one in it."""
    for student in ("ada", "mal", "zoe"):
        (inbound(course, student) / "more").mkdir(parents=True)
        (inbound(course, student) / "more" / "note.txt").write_text("mine")

    def put_in_place() -> None:
        path = inbound(course, "mal") / level
        path.rename(course / "away")
        if by == "a link":
            path.symlink_to(course / "secrets")
        elif by == "another folder":
            shutil.copytree(course / "secrets", path)
        elif by == "a file":
            path.write_text(SECRET)

    def listed(folder: int) -> Listing:
        found = in_folder(folder)
        if level and not (course / "away").exists() and (course / "submitted" / "mal" / CVAE.kit).exists():
            put_in_place()
        return found

    def copy_files(self: Collect) -> None:
        if not level:
            put_in_place()
        copied(self)

    copied = ExchangeCollect.copy_files
    monkeypatch.setattr(ExchangeCollect, "copy_files", copy_files)
    monkeypatch.setattr(collect, "in_folder", listed)
    with pytest.raises(Exception, match=r"but these: [^;]*mal[^;]* cannot be copied: [^;]*$"):
        collector(course, check_owner=True).start()
    assert sorted(path.name for path in (course / "submitted").glob(f"*/{CVAE.kit}/more/*")) == ["note.txt"] * 2
    assert SECRET.encode() not in contents(course / "submitted")


@given(
    folders=st.lists(st.tuples(st.sampled_from(["own", "staff", "other", "another"]), st.integers(1, 9)), min_size=1),
    known=st.booleans(),
)
def test_a_strangers_folder_counts_for_nobody(folders: list[tuple[str, int]], known: bool) -> None:
    """Of a student's folders, what the student or staff put there counts; if there is none, that is doubtful."""
    users = {"own": pwd.getpwnam("daemon").pw_uid, "staff": os.geteuid(), "other": 12345, "another": 12346}
    student = "daemon" if known else "who.is.no.user"
    attempts = []
    for number, (whose, time) in enumerate(folders):
        attempt = Attempt(Path(f"{student}+hw+2025-11-{number % 28 + 1:02} 10:00:00 UTC+x"), "hw")
        attempt.facts = os.stat_result((0o40755, 1, 1, 1, users[whose], 1, 0, 0, 0, time))
        attempts.append(attempt)
    trusted = {users["staff"], *([users["own"]] if known else [])}
    counted = students_own(attempts)
    assert counted
    assert all(each.owner in trusted for each in counted) or not trusted.intersection(each.owner for each in attempts)
    assert len({each.owner for each in counted} - trusted) <= 1
    said = " ".join(counted[0].doubts)
    assert said.count("passed over") == len(attempts) - len(counted)
    assert ("somebody else" in said) == (counted[0].owner not in trusted and (known or len(counted) < len(attempts)))


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")
def test_nobodys_work_is_replaced_by_another_user(course: Path) -> None:
    times = {"daemon": "2025-11-27 10:00:00 UTC", "nobody": "2025-11-28 10:00:00 UTC", "bin": "2099-01-01 10:00 UTC"}
    for owner, time in times.items():
        folder = inbound(course, "daemon", time)
        folder.mkdir(parents=True)
        (folder / MODULE).write_text(f"# {owner}")
        os.chown(folder, pwd.getpwnam(owner).pw_uid, -1)
    collector(course, check_owner=True).start()
    folder = course / "submitted" / "daemon" / CVAE.kit
    assert (folder / MODULE).read_text() == "# daemon"
    for owner in ("nobody", "bin"):
        assert f"it belongs to the user {owner}" in (folder / "collected.txt").read_text()


def test_a_time_to_come_is_the_first_attempt(course: Path) -> None:
    for time in ("2099-01-01 10:00:00 UTC", "2025-11-29 10:00:00 UTC", "2025-11-28 10:00:00 UTC"):
        inbound(course, "ada", time).mkdir(parents=True)
        (inbound(course, "ada", time) / MODULE).write_text(f"# {time}")
    inbound(course, "bob", "2099-01-01 10:00:00 UTC").mkdir()
    collector(course).start()
    assert (course / "submitted" / "ada" / CVAE.kit / MODULE).read_text() == "# 2025-11-29 10:00:00 UTC"
    assert "yet to come" in (course / "submitted" / "bob" / CVAE.kit / "collected.txt").read_text()


NAMED = datetime(2025, 11, 29, 12, tzinfo=UTC)


@given(
    named=st.booleans(),
    stamp=st.none()
    | st.sampled_from([b"", b"\xff\xfe\0", b"2099-01-01 10:00 UTC", b"9999-12-31 23:59:59 -1400", b"yesterday"])
    | st.integers(-2, 2).map(lambda hours: f"{NAMED + timedelta(hours=hours):%Y-%m-%d %H:%M:%S} UTC".encode()),
    minutes=st.sampled_from([0, 1, 600]),
)
def test_no_time_counts_silently_but_nbgraders(named: bool, stamp: bytes | None, minutes: int) -> None:
    attempt = Attempt(inbound(Path(), "ada", f"{NAMED:%Y-%m-%d %H:%M:%S} UTC" if named else "never"), CVAE.kit)
    when, notes = time_of(attempt, stamp, (NAMED + timedelta(minutes=minutes)).timestamp())
    assert when == NAMED if named else (when is None) == (not stamp or not stamp.startswith(b"20"))
    nbgraders = named and stamp == f"{NAMED:%Y-%m-%d %H:%M:%S} UTC".encode() and minutes < 10
    assert nbgraders == (not notes)


def test_a_line_break_in_a_name_stops_nobody(course: Path, caplog: pytest.LogCaptureFixture) -> None:
    for student in ("ada", "new\nline", "bob"):
        folder = course / "submitted" / student / CVAE.kit
        folder.mkdir(parents=True)
        for name in ("cvae.ipynb", "cvae\n.ipynb"):
            (folder / name).write_text("{}")
    converter = Autograde(coursedir=CourseDirectory(root=str(course), assignment_id=CVAE.kit))
    guards._without_line_breaks(converter)
    found = {
        Path(folder).parent.name: [Path(each).name for each in each] for folder, each in converter.assignments.items()
    }
    assert found == {"ada": ["cvae.ipynb"], "bob": ["cvae.ipynb"]}
    assert "new\\u000aline" in caplog.text


@pytest.mark.parametrize("student", ["ada", "ada+hw", "2026+04", "o'brien"])
@pytest.mark.parametrize("zone", ["UTC", "EST", "+04", "-03", "+0530", "+05:45", "+00"])
@pytest.mark.parametrize("random", ["+rndada", "+20261120", "+", ""])
def test_a_zone_may_begin_with_a_plus(student: str, zone: str, random: str) -> None:
    """Python's name for Dubai's zone, Istanbul's and Singapore's is a number."""
    attempt = Attempt(Path(f"{student}+hw3+2025-11-20 12:00:00.123456 {zone}{random}"), "hw3")
    assert attempt.student == student
    assert attempt.handed_in == read_moment(f"2025-11-20 12:00:00.123456 {zone}")
    assert attempt.doubts == []


def test_the_folders_name_says_when(course: Path) -> None:
    """The file in it may say that it was early."""
    folder = inbound(course, "ada", "2025-11-29 12:00:00.000000 UTC")
    folder.mkdir(parents=True)
    (folder / "timestamp.txt").write_text("2025-11-20 12:00:00.000000 UTC")
    collector(course).start()
    copied = course / "submitted" / "ada" / CVAE.kit
    assert (copied / "timestamp.txt").read_text() == "2025-11-29 12:00:00.000000 UTC"
    notes = (copied / "collected.txt").read_text()
    assert "its timestamp.txt says 2025-11-20 12:00:00 UTC" in notes
    assert "a file in it was changed on" in notes


# Names by which nbgrader or the grader looks for a file, and others.
WANTED = [
    MODULE,
    f"{NOTEBOOK}.ipynb",
    f"{NOTEBOOK}.html",
    "zz.html",
    "zz.ipynb",
    "hints.json",
    "hints",
    "timestamp.txt",
]
WANTED += ["collected.txt", "submission_secret.txt", "own.txt", "data", "cvae_ipynb", "cvae.ipynb_"]
CONTENT = st.sampled_from([b"", b"\xff\xfe\0", b"2026-11-27 10:00 America/Argentina", b"{}", b"5" * 300])


@given(
    files=st.dictionaries(
        st.sampled_from(WANTED), CONTENT | st.dictionaries(st.sampled_from(WANTED), CONTENT, min_size=1), max_size=5
    )
)
@example(files={"submission_secret.txt": b"\xff\xfe"})
@example(files={"submission_secret.txt": b""})
@example(files={"timestamp.txt": b"\xff\xfe\0"})
@example(files={"zz.html": {"a.txt": b"x"}})
@example(files={"hints.json": {"a.txt": b"x"}})
@example(files={"cvae.ipynb": {"a.txt": b"x"}})
@settings(deadline=None, max_examples=12)
def test_no_file_ends_a_command_for_another(
    files: dict[str, bytes | dict[str, bytes]], new_gradebook: Callable[[Path], str]
) -> None:
    with tempfile.TemporaryDirectory() as temporary, pytest.MonkeyPatch.context() as patch:
        course = course_in(Path(temporary), new_gradebook)
        for name in ("hints.json", "hints"):
            (course / "source" / CVAE.kit / name).write_text("{}")
        for student in ("ada", "mal"):
            inbound(course, student).mkdir(parents=True)
            (inbound(course, student) / MODULE).write_text(PERFECT)
        for name, content in files.items():
            path = inbound(course, "mal") / name
            path.unlink(missing_ok=True)
            for below, data in content.items() if isinstance(content, dict) else [("", content)]:
                path.mkdir(exist_ok=True) if below else None
                (path / below).write_bytes(data)
        collector(course).start()
        assert_each_is_graded_alone(course)
        patch.setattr(BaseConverter, "init_assignment", guards._take_over)
        released = released_to(course)
        assert released == 2


def released_to(course: Path) -> int:
    """How many students' feedback is released, after nbgrader has copied what it copies on the way there."""
    address = f"sqlite:///{course}/gradebook.db"
    with Gradebook(address) as book:
        book.update_or_create_assignment(CVAE.kit)
        book.update_or_create_notebook(NOTEBOOK, CVAE.kit)
    directory = CourseDirectory(root=str(course), db_url=address, course_id="c", assignment_id=CVAE.kit)
    for folder in sorted(course.glob(f"submitted/*/{CVAE.kit}")):
        student = folder.parent.name
        converter = Autograde(coursedir=directory)
        converter.notebooks = glob.glob(f"{folder}/*.ipynb")
        converter.init_assignment(CVAE.kit, student)
        GenerateFeedback(coursedir=directory).init_assignment(CVAE.kit, student)
        (course / "feedback" / student / CVAE.kit).mkdir(parents=True, exist_ok=True)
        (course / "feedback" / student / CVAE.kit / f"{NOTEBOOK}.html").write_text(student)
    complete(course, CVAE)
    release = ExchangeReleaseFeedback(coursedir=directory)
    release.root = str(course / "exchange")
    release.start()
    return len([*(course / "exchange" / "c" / "feedback").iterdir()])


def test_what_lies_too_deep_to_copy_is_said(course: Path) -> None:
    folder = inbound(course, "ada")
    deep = folder.joinpath(*["more"] * (MAX_DEPTH + 1))
    deep.mkdir(parents=True)
    for path in (folder, deep):
        (path / MODULE).write_text(BLANK)
    collector(course).start()
    copied = course / "submitted" / "ada" / CVAE.kit
    assert [*copied.rglob(MODULE)] == [copied / MODULE]
    assert f"below {MAX_DEPTH} levels of folders" in (copied / "collected.txt").read_text()


def test_a_name_that_nobody_sees_is_nobodys(course: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Everyone may make a folder in the exchange: its name could hold a terminal's codes, or look like another's."""
    names = ["mal\x1b]0;owned\x07\x1b[2Jlory", "a\u202eda", "ad\u200ba", "zo\x9be", "", "a\x7f"]
    for student in [*names, "ada", "d\\ben", "j\u00fcrgen+2"]:
        inbound(course, student).mkdir(parents=True)
    with pytest.raises(Exception, match="names nobody") as raised:
        collector(course).start()
    assert f"{raised.value}".count("names nobody") == len(names)
    assert sorted(path.name for path in (course / "submitted").iterdir()) == ["ada", "d\\ben", "j\u00fcrgen+2"]


@given(NAMES)
def test_an_id_that_nbgrader_takes_stays_as_it_is(name: str) -> None:
    """In the roster as in the exchange, where its folder has it: else one student has two rows."""
    assert (folder_name(name) == name) is (is_id(name) and "/" not in name)


def assert_each_is_graded_alone(course: Path) -> None:
    """nbgrader finds each submission, and each notebook in it, by patterns: none is found for another, or for none."""
    converter = Autograde(coursedir=CourseDirectory(root=str(course), assignment_id=CVAE.kit))
    pattern = converter._format_source("(?P<assignment_id>.*)", "(?P<student_id>.*)", escape=True)
    folders = {path.name: f"{path / CVAE.kit}" for path in (course / "submitted").iterdir()}
    assert sorted(glob.glob(converter._format_source(CVAE.kit, "*"))) == sorted(folders.values())
    for student, folder in folders.items():
        assert glob.glob(converter._format_source(CVAE.kit, student)) == [folder]
        found = re.match(pattern, folder)
        assert found is not None
        assert found["student_id"] == student
        for notebook in glob.glob(f"{folder}/*.ipynb"):
            name = converter.init_single_notebook_resources(notebook)["nbgrader"]["notebook"]
            assert f"{folder}/{name}.ipynb".encode() == notebook.encode()


@given(students=st.lists(NAMES, max_size=4), notebooks=st.lists(NAMES, max_size=3))
@settings(deadline=None, max_examples=40)
def test_no_name_in_the_exchange_costs_another(
    students: list[str], notebooks: list[str], new_gradebook: Callable[[Path], str]
) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        course = course_in(Path(temporary), new_gradebook)
        for student in ("ada", *students):
            with suppress(OSError):  # longer than the file system allows
                inbound(course, student).mkdir(parents=True)
            for name in (MODULE, *(f"{each}.ipynb" for each in notebooks)):
                with suppress(OSError):
                    (inbound(course, student) / name).write_text("{}")
        handed_in = [path.name for path in inbound(course, "ada").parent.iterdir() if path.name[0] != "."]
        said = ""
        try:
            collector(course).start()
        except Exception as error:
            said = f"{error}"
        assert (course / "submitted" / "ada" / CVAE.kit / MODULE).exists()
        assert len([*(course / "submitted").iterdir()]) + said.count("names nobody") == len(handed_in)
        assert "cannot be copied" not in said
        assert_each_is_graded_alone(course)


@given(text=st.text() | st.text("\x1b[]0;2J\x07\r\x9b:#"), arguments=st.sampled_from([(), ("\x1b[2J",)]))
def test_no_line_of_the_log_moves_a_terminal(text: str, arguments: tuple[str, ...]) -> None:
    message = text.replace("%", "%%") + "%s" if arguments else text
    said = guards._PrintableRecord("nbgrader", 20, "", 1, message, arguments, None).getMessage()
    assert not [letter for letter in said if unicodedata.category(letter) == "Cc" and letter not in "\n\t"]
    assert ("«U+001B»[2J" in said) >= bool(arguments)


# --- downloads ----------------------------------------------------------------------------------------------------


def extracted(course: Path, *downloads: dict[str, bytes], damaged: bytes = b"") -> dict[str, set[str]]:
    """The names of the files that zip_collect takes, by student, from archives with these, the older ones first.

    In the archives, the content `damaged` is so.
    """
    archive, to = course / "archive", course / "extracted"
    archive.mkdir(exist_ok=True)
    to.mkdir()
    for number, files in enumerate(downloads):
        path = archive / f"submissions{f' ({number})' if number else ''}.zip"
        with zipfile.ZipFile(path, "w") as download:
            for name, content in files.items():
                download.writestr(name, content)
        path.write_bytes(path.read_bytes().replace(damaged, b"?" * len(damaged)))
        os.utime(path, (number, number))
    plugin = Downloads(assignments=[CVAE.where])
    directory = CourseDirectory(root=str(course), assignment_id=CVAE.kit)
    plugin.__dict__["parent"] = None
    app = SimpleNamespace(coursedir=directory, fail=pytest.fail)
    plugin._trait_values["parent"] = app
    plugin.extract(str(archive), str(to))
    found: dict[str, set[str]] = {}
    for path in sorted(to.rglob("*")):
        if path.is_file() and (info := ByFolder().collect(str(path))):
            found.setdefault(info["student_id"], set()).add(info["file_id"])
    return found


@pytest.mark.parametrize("listed", [True, False])
def test_zip_collect_goes_on_next_to_what_is_of_nobody(course: Path, listed: bool) -> None:
    (course / "archive").mkdir()
    (course / "archive" / "notes.txt").write_text("downloaded on Monday")
    if listed:
        (course / "roster.csv").write_text("id,name,canvas_user_id\nada_1,Ada Lee,1\n")
    with pytest.raises(pytest.fail.Exception, match="no folders, archives or modules"):
        extracted(course)
    shutil.rmtree(course / "extracted")
    found = extracted(course, {"ada_1_2_cs5814_vae.py": b"x = 1", "bob_3_4_cs5814_vae.py": b"x = 2"})
    assert "cs5814_vae.py" in found["ada_1"]


@pytest.mark.parametrize("name", ["lory.zip", "homework 3.zip"])
@pytest.mark.parametrize(
    "odd", ["results_100_128_adam.png", "lovelaceada_101_99999_notes.txt", "submission_metadata.yml"]
)
def test_zip_collect_takes_no_students_archive_for_a_class(course: Path, name: str, odd: str) -> None:
    (course / "roster.csv").write_text("id,name,canvas id\nada,Ada Lovelace,101\nlory,Mal Lory,103\n")
    (course / "archive").mkdir()
    with zipfile.ZipFile(course / "archive" / name, "w") as archive:
        for each in (odd, "cs5814_vae.py"):
            archive.writestr(each, b"x = 3")
    ours = {"lovelaceada_101_67880_cs5814_vae.py": b"x = 1", "lorymal_103_67881_cs5814_vae.py": b"x = 2"}
    with pytest.raises(pytest.fail.Exception, match="Everyone was collected but") if "home" in name else nullcontext():
        extracted(course, ours)
    assert (course / "extracted" / "ada" / "cs5814_vae.py").read_bytes() == b"x = 1"
    assert {each.name for each in (course / "extracted" / "ada").iterdir()} == {"cs5814_vae.py"}


def archived(name: str, kind: str) -> bytes:
    """A student's archive with one link in it."""
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, 0o120777 << 16
            archive.writestr(entry, "/etc/passwd")
    else:
        with tarfile.open(fileobj=file, mode="w:gz") as tar:
            member = tarfile.TarInfo(name)
            member.type = tarfile.SYMTYPE if kind == "tar" else tarfile.LNKTYPE
            member.linkname = "/etc/passwd"
            tar.addfile(member)
    return file.getvalue()


@pytest.mark.parametrize(("kind", "suffix"), [("zip", "zip"), ("tar", "tar.gz"), ("hard", "tar.gz")])
@pytest.mark.parametrize("name", ["cs5814_vae.py", "cvae.ipynb"])
def test_links_in_archives_are_not_taken(course: Path, kind: str, suffix: str, name: str) -> None:
    found = extracted(course, {f"ada_1_2_hw.{suffix}": archived(name, kind), "bob_3_4_cs5814_vae.py": b"x = 1"})
    assert found == {"ada_1": {"collected.txt"}, "bob_3": {"cs5814_vae.py"}}


def test_one_bad_archive_ends_zip_collect_for_nobody(course: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(3000):
            archive.writestr(f"{index}.py", b"")
    found = extracted(
        course,
        {
            "ada_1_2_hw.zip": b"PK\x03\x04 cut off",
            "ben_3_4_hw.zip": bomb.getvalue(),
            "cam_5_6_hw.tar.gz": b"no archive",
            "dee_7_8_hw.7z": b"7z\xbc\xaf\x27\x1c",
            "eve_9_10_cs5814_vae.py": BLANK.encode(),
            "wangwei_11_12_cs5814_vae (1)-1.py": BLANK.encode(),
            "wangwei_13_14_cvae-2.ipynb": b"{}",
            "wangwei_13_15_cvae-3.ipynb": b"{}",
        },
    )
    module, notes = {"cs5814_vae.py"}, {"collected.txt"}
    assert found == {
        "ada_1": notes, "ben_3": notes, "cam_5": notes, "dee_7": notes, "eve_9": module,
        "wangwei_11": module | notes, "wangwei_13": {"cvae.ipynb"} | notes,
    }  # fmt: skip
    with pytest.raises(NothingToGrade, match=r"cannot be read as a zip archive"):
        module_in_extracted(course, "ada_1")


@given(name=NAMES, other=NAMES, person=NAMES, packed=st.sampled_from(["zip", "tar.gz", ""]))
@settings(deadline=None, max_examples=60)
def test_no_name_in_a_download_costs_another(
    name: str, other: str, person: str, packed: str, new_gradebook: Callable[[Path], str]
) -> None:
    notebooks = {f"{each}.ipynb": f'{{"is": {number}}}'.encode() for number, each in enumerate((name, name + other))}
    text = {each.encode("utf-8", "replace").decode(): content for each, content in notebooks.items()}
    hers = f"{person.encode('utf-8', 'replace').decode()}_7_assignsubmission_file_"
    files = {f"{hers}{MODULE}": b"x = 1", f"Ada L_11_assignsubmission_file_{MODULE}": b"x = 2"}
    files |= (
        {f"{hers}hw.{packed}": packed_as(packed, notebooks)} if packed else {hers + each: text[each] for each in text}
    )
    with tempfile.TemporaryDirectory() as temporary:
        course = course_in(Path(temporary), new_gradebook)
        found = extracted(course, files)
        assert found.pop("Ada L_11") == {MODULE}
        (course / "submitted").mkdir()
        for student in ("Ada L_11", *found):
            (course / "submitted" / student).mkdir()
            (course / "extracted" / student).rename(course / "submitted" / student / CVAE.kit)
        assert_each_is_graded_alone(course)


def packed_as(kind: str, files: dict[str, bytes]) -> bytes:
    """A student's archive with these files, whose names need not be text."""
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in files.items():
                archive.writestr(zipfile.ZipInfo(name.encode("utf-8", "replace").decode()), content)
    else:
        with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


def module_in_extracted(course: Path, student: str) -> None:
    folder = course / "submitted" / student / CVAE.kit
    folder.parent.mkdir(parents=True)
    (course / "extracted" / student).rename(folder)
    module_in(folder, CVAE)


def test_a_roster_that_cannot_be_read_ends_zip_collect_first(course: Path) -> None:
    (course / "roster.csv").write_text('id,name\nada,"Ada\nbob,Bob\n')
    with pytest.raises(pytest.fail.Exception, match=r"roster\.csv, line 2: "):
        extracted(course, {"ada_1_2_cs5814_vae.py": b"x = 1"})
    assert not list((course / "extracted").iterdir())


def test_what_was_not_taken_is_told_once_and_kept(course: Path) -> None:
    """Also when the class is graded from `submitted`, where only the collector's own files are left of an upload."""
    found = extracted(
        course, {"ada_1_2_notes.html": b"<p>", "bob_3_4_cs5814_vae.py.txt": b"x = 1", "bob_3_5_a.pdf": b""}
    )
    assert found == {"ada_1": {"collected.txt"}, "bob_3": {"cs5814_vae.py", "collected.txt"}}
    notes = (course / "extracted" / "bob_3" / "collected.txt").read_text()
    assert "cs5814_vae.py.txt` was graded as cs5814_vae.py" in notes
    assert "a.pdf" in notes.split("not taken over")[1]
    assert ".py.txt" not in notes.split("not taken over")[1]
    with pytest.raises(NothingToGrade) as raised:
        module_in_extracted(course, "ada_1")
    (row,) = read_upload(course / "submitted", CVAE).submitted
    assert row.reason == str(raised.value)
    assert "notes.html" in row.reason
    assert "collected.txt" not in row.reason


def test_every_notebook_is_taken_or_named(course: Path) -> None:
    """Canvas' download has the files of one attempt alone: two notebooks are two answers."""
    notebooks = {f"lada_11_{901 + index}_cvae-{index}.ipynb": b'{"is": %d}' % index for index in range(1, 4)}
    many = {f"king_12_{801 + index}_part{index}.ipynb": b'{"of": %d}' % index for index in range(20)}
    again = {"cy_13_1001_cvae.ipynb": b"{}", "cy_13_1002_cvae-1.ipynb": b"{}"}
    found = extracted(course, {**notebooks, **many, **again})
    for student, handed_in in (("lada_11", notebooks), ("king_12", many)):
        folder = course / "extracted" / student
        taken = {(folder / name).read_bytes() for name in found[student]}
        notes = (folder / "collected.txt").read_text()
        assert all(content in taken or name in notes for name, content in handed_in.items())
    assert (course / "extracted" / "lada_11" / "cvae.ipynb").read_bytes() == notebooks["lada_11_904_cvae-3.ipynb"]
    assert {*notebooks.values()} <= {path.read_bytes() for path in (course / "extracted" / "lada_11").iterdir()}
    assert found["cy_13"] == {"cvae.ipynb", "collected.txt"}


@pytest.mark.parametrize("name", ["doe_LATE_12_901_{}", "HW 3_doe_attempt_2026-12-05-22-14-05_{}", "doe/{}"])
def test_no_time_of_a_students_own_is_collected(course: Path, name: str) -> None:
    files = {
        name.format("cs5814_vae.py"): b"x = 1",
        name.replace("901", "902").format("timestamp.txt"): b"2026-11-01 05:30 UTC",
    }
    ((student, taken),) = extracted(course, files).items()
    assert taken == {"cs5814_vae.py", "collected.txt"}
    notes = (course / "extracted" / student / "collected.txt").read_text()
    assert "timestamp.txt` is the student's own file" in notes
    assert ("marks this as late but gives no time" in notes) is ("LATE" in name)


@pytest.mark.parametrize("order", list(itertools.permutations([901, 955, 958])))
def test_canvas_numbers_decide_between_downloads(
    course: Path, order: tuple[int, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """The times of the archives on disk, which copying changes, make no difference."""
    downloads = [
        {
            f"lada_{'LATE_' * (number > 901)}11_{number}_{'hw3.zip' if number == 901 else MODULE}": b"%d" % number,
            f"lada_{'LATE_' * (number > 901)}11_{number - 1}_cvae.ipynb": b"[%d]" % number,
            f"bob_12_800_{MODULE}": b"x = 1",
        }
        for number in order
    ]
    assert extracted(course, *downloads) == {
        "lada_11": {MODULE, "cvae.ipynb", "collected.txt"},
        "bob_12": {MODULE},
    }
    ada = course / "extracted" / "lada_11"
    assert ((ada / MODULE).read_bytes(), (ada / "cvae.ipynb").read_bytes()) == (b"958", b"[958]")
    notes = (ada / "collected.txt").read_text()
    assert "marks this as late" in notes
    assert "No module" not in notes
    assert "lada_11" in caplog.text
    assert "No module" not in caplog.text
    assert "bob_12" not in caplog.text


@pytest.mark.parametrize("numbers", [(901, 955), (955, 901)])
def test_a_last_attempt_without_a_module_names_the_earlier(course: Path, numbers: tuple[int, int]) -> None:
    names = {901: MODULE, 955: "report.pdf"}
    found = extracted(course, *({f"lada_11_{number}_{names[number]}": b"x = 1"} for number in numbers))
    assert found == {"lada_11": {"collected.txt"}}
    notes = (course / "extracted" / "lada_11" / "collected.txt").read_text()
    assert notes.startswith("No module: ")
    assert f"submissions{' (1)' * (numbers[1] == 901)}.zip has an earlier attempt with a module" in notes


@pytest.mark.parametrize("same", [True, False])
def test_between_downloads_without_numbers_a_guess_is_told(course: Path, same: bool) -> None:
    name = f"Ada L_11_assignsubmission_file_{MODULE}"
    extracted(course, {name: b"x = 1"}, {name: b"x = 1" if same else b"x = 2"})
    ada = course / "extracted" / "Ada L_11"
    assert (ada / MODULE).read_bytes() == (b"x = 1" if same else b"x = 2")
    assert (ada / "collected.txt").exists() is not same
    if not same:
        assert "what is in submissions (1).zip counts, the newer file on disk" in (ada / "collected.txt").read_text()


@pytest.mark.parametrize("newer", ["unreadable", "claimed"])
def test_a_module_is_not_given_up_for_what_cannot_be_read(
    course: Path, caplog: pytest.LogCaptureFixture, newer: str
) -> None:
    """Where nothing says which came last: else a module would be lost to a damaged archive, or to a namesake."""
    (course / "roster.csv").write_text("id,name\nada,Ada Lovelace\nbob,Bob King\n")
    name = "Ada Lovelace_{}_assignsubmission_file_" + MODULE
    bob = {f"Bob King_13_assignsubmission_file_{MODULE}": b"x = 4"}
    second = bob | {name.format(11): b"x = 2"}
    if newer == "claimed":
        second[name.format(12)] = b"x = 3"
    damaged = b"x = 2" if newer == "unreadable" else b""
    found = extracted(course, bob | {name.format(11): b"x = 1"}, second, damaged=damaged)
    assert (course / "extracted" / "ada" / MODULE).read_bytes() == b"x = 1"
    assert found["ada"] == {MODULE, "collected.txt"}
    said = "what is in submissions.zip counts, the older file on disk, since nothing can be taken from the newer one: "
    why = "is damaged: download it again" if newer == "unreadable" else "which one is it?"
    for told in (caplog.text, (course / "extracted" / "ada" / "collected.txt").read_text()):
        assert said in told
        assert why in told.split(said)[1]
