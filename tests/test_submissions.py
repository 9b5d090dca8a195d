"""Who handed in what, in each layout that a course may have, and which attempt counts."""

import ast
import bz2
import gzip
import io
import json
import os
import re
import shutil
import struct
import tarfile
import tokenize
import unicodedata
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from encodings.aliases import aliases
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.fill_in import fill_in
from autograder.report.model import clean
from autograder.sandbox.confine import remove_contents
from autograder.sandbox.limits import LIMITS
from autograder.submissions.copied import has_no_code, is_solution, is_untouched
from autograder.submissions.files import (
    MAX_DEPTH,
    MAX_DIRECTORY,
    MAX_STUDENT_DIRECTORY,
    File,
    in_archive,
    room_to_unpack,
    steps_of,
)
from autograder.submissions.find import NothingToGrade, find_module
from autograder.submissions.layouts import Submitted, Upload, read_upload
from autograder.submissions.names import alike, platform_names, without_copy
from autograder.submissions.notebooks import MAX_STEPS
from autograder.submissions.roster import Roster, moment, read_roster
from autograder.submissions.source import _BARE, _RUN, LEXEME, decoded, doubts, number_as_read
from tests.submissions import correct, wrong


def put(file: Path, text: str = "x = 1\n") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("vae/cs5814_vae.py", text)
    else:
        file.write_text(text, "utf-8")
    return file


def read(path: Path, **options: object) -> Upload:
    return read_upload(path, CVAE, **options)  # type: ignore[arg-type]


def rows(path: Path, **options: object) -> dict[str, Submitted]:
    return {each.student: each for each in read(path, **options).submitted}


def found(path: Path) -> dict[str, str | None]:
    return {each.student: each.source.decode() if each.source is not None else None for each in read(path).submitted}


def test_a_folder_or_an_archive_for_each_student(tmp_path: Path) -> None:
    put(tmp_path / "ada" / "hw3" / "cs5814_vae.py", "ada")
    put(tmp_path / "bob.zip", "bob")
    put(tmp_path / "eve" / "upload.zip", "eve")
    put(tmp_path / "notes.txt")
    assert found(tmp_path) == {"ada": "ada", "bob": "bob", "eve": "eve"}
    assert read(tmp_path).aside == ["notes.txt"]


def test_nbgrader(tmp_path: Path) -> None:
    put(tmp_path / "ada" / "hw3-part3" / "cs5814_vae.py", "ada")
    put(tmp_path / "ada" / "hw3-part3" / ".ipynb_checkpoints" / "cs5814_vae.py", "old")
    put(tmp_path / "ada" / "hw2" / "cs5814_gan.py")
    assert found(tmp_path) == {"ada": "ada"}


def test_nbgraders_exchange(tmp_path: Path) -> None:
    for time, text in (("2026-11-09 08:00:00 UTC", "old"), ("2026-11-10 07:00:00 UTC", "new")):
        put(tmp_path / f"ada+hw3-part3+{time}+x1" / "cs5814_vae.py", text)
    assert found(tmp_path) == {"ada": "new"}


def test_of_several_attempts_the_last_counts(tmp_path: Path) -> None:
    for number in (2, 10, 9):
        put(tmp_path / "ada" / f"attempt-{number}" / "cs5814_vae.py", str(number))
    assert found(tmp_path) == {"ada": "10"}


DATED = ("%Y-%m-%d-%H-%M-%S", "%Y-%m-%dT%H:%M:%SZ", "%Y%m%d_%H%M%S", "%Y.%m.%d %H.%M", "%Y-%m-%d")


@given(st.sampled_from(DATED), st.sets(st.integers(0, 700), min_size=2, max_size=4))
@settings(max_examples=40)
def test_of_dated_attempts_the_last_counts(form: str, days: set[int]) -> None:
    with TemporaryDirectory() as folder:
        for day in days:
            when = datetime(2026, 1, 1, 22, 14, 5, tzinfo=UTC) + timedelta(day)
            put(Path(folder) / "ada" / f"{when:{form}}" / "cs5814_vae.py", f"{day}\n")
        assert found(Path(folder)) == {"ada": f"{max(days)}\n"}


@pytest.mark.parametrize(
    "names", [("2026-11-29", "2026-11-29-10-00"), ("20261129", "20261130"), ("11-29-2026", "12-01-2026")]
)
def test_what_is_no_date_or_not_in_order_is_no_attempt(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        put(tmp_path / "ada" / name / "cs5814_vae.py", f"# {name}\nx = 1\n")
    assert found(tmp_path) == {"ada": None}


@given(st.integers(1, 12), st.data())
@settings(max_examples=30)
def test_submittys_active_version_counts(most: int, data: st.DataObject) -> None:
    active = data.draw(st.integers(1, most))
    with TemporaryDirectory() as folder:
        for student in ("ada", "bob"):
            put(Path(folder) / student / "user_assignment_settings.json", f'{{"active_version": {active}}}')
            for version in range(1, most + 1):
                put(Path(folder) / student / f"{version}" / "cs5814_vae.py", f"{version}\n")
        upload = read(Path(folder))
        assert [each.source for each in upload.submitted] == [f"{active}\n".encode()] * 2
        assert not any(each.attention for each in upload.submitted)
        assert not upload.warnings


ZONES = {"UTC": 0, "EST": -5, "EDT": -4, "PST": -8, "+0530": 5.5, "-03": -3, "Z": 0}


@given(
    st.lists(
        st.tuples(st.integers(0, 10_000), st.sampled_from([*ZONES])), min_size=2, max_size=4, unique_by=lambda x: x[0]
    )
)
@settings(max_examples=40)
def test_attempts_in_any_zones_have_one_order(attempts: list[tuple[int, str]]) -> None:
    with TemporaryDirectory() as temporary:
        for minutes, zone in attempts:
            local = datetime(2026, 11, 30) + timedelta(minutes=minutes, hours=ZONES[zone])
            put(Path(temporary) / f"ada+hw3-part3+{local} {zone}+x1" / "cs5814_vae.py", str(minutes))
        (row,) = read(Path(temporary)).submitted
        last = max(minutes for minutes, _ in attempts)
        assert row.source == str(last).encode()
        assert row.handed_in == datetime(2026, 11, 30, tzinfo=UTC) + timedelta(minutes=last)
        assert row.attention == ()


def test_a_zone_that_is_not_known_gives_an_order_only(tmp_path: Path) -> None:
    for student, time in (
        ("ada", "08:00:00 CET"),
        ("ada", "09:00:00 CET"),
        ("bob", "08:00:00 CET"),
        ("bob", "09:00:00 IST"),
    ):
        put(tmp_path / f"{student}+hw3-part3+2026-12-09 {time}+x" / "cs5814_vae.py", time)
    both = rows(tmp_path)
    assert both["ada"].source == b"09:00:00 CET"
    assert both["ada"].late is None
    assert "CET" in both["ada"].attention[0]
    assert "nothing says which is the last" in both["bob"].reason


def test_the_last_attempt_without_a_module_names_the_earlier_one(tmp_path: Path) -> None:
    first = "HW 3_jdoe_attempt_2026-11-29-22-14-05"
    put(tmp_path / "bb" / f"{first}_my_cs5814_vae.py", "def loss_function(): 0\n")
    for start in (first, "HW 3_jdoe_attempt_2026-11-30-22-14-05", "HW 3_eve_attempt_2026-11-30-22-14-05"):
        put(tmp_path / "bb" / f"{start}.txt", "Name: ...")
    put(tmp_path / "exchange" / "ada+hw3-part3+2026-11-09 08:00:00 UTC+x" / "cs5814_vae.py")
    (tmp_path / "exchange" / "ada+hw3-part3+2026-11-09 09:00:00 UTC+x").mkdir()
    (tmp_path / "exchange" / "bob+hw3-part3+2026-11-09 09:00:00 UTC+x").mkdir()
    jdoe, eve = rows(tmp_path / "bb")["HW 3_jdoe"], rows(tmp_path / "bb")["HW 3_eve"]
    ada, bob = rows(tmp_path / "exchange")["ada"], rows(tmp_path / "exchange")["bob"]
    assert [row.nothing for row in (jdoe, eve, ada, bob)] == [False, False, False, True]
    assert "but `HW 3_eve_attempt_2026-11-30-22-14-05.txt`" in eve.reason
    assert "the last of 2 attempts counts" in jdoe.notes[0]
    assert f"an earlier one has code: `{first}_my_cs5814_vae.py`" in jdoe.attention[0]
    assert "`cs5814_vae.py` of `ada+hw3-part3+2026-11-09 08:00:00 UTC+x`" in ada.attention[0]


def test_sakais_feedback_is_the_staffs(tmp_path: Path) -> None:
    for student in ("Doe, Jane(jdoe)", "Poe, Cy(cpoe)", "Ray, Bob(bray)"):
        for file, text in (
            ("timestamp.txt", "20261130221405123"),
            ("comments.txt", "See my notes."),
            (f"{student}_submissionText.html", "<p>Late, sorry.</p>" if "Ray" in student else ""),
            ("Feedback Attachment(s)/cs5814_vae.py", "feedback"),
        ):
            put(tmp_path / student / file, text)
    put(tmp_path / "Doe, Jane(jdoe)" / "Submission attachment(s)" / "cs5814_vae.py", "jane")
    put(tmp_path / "Low, Di(dlow)" / "cs5814_vae.py", "put there by hand")
    put(tmp_path / "Moe, Al(amoe)" / "timestamp.txt", "20261130221405123")
    everyone = rows(tmp_path)
    al, bob, cy, di, jane = (everyone[each] for each in sorted(everyone, key=lambda each: each.partition(" ")[2]))
    assert (jane.source, jane.attention) == (b"jane", ())
    assert cy.nothing
    assert al.nothing
    assert "_submissionText.html`" in bob.reason
    assert di.source == b"put there by hand"


def test_brightspace_download(tmp_path: Path) -> None:
    for name in (
        "123456-789012 - Jane Doe - Nov 28, 2026 1114 PM/cs5814_vae.py",
        "123456-789012 - Jane Doe - Nov 30, 2026 1205 AM/cs5814_vae.py",
        "123456-789012 - Jane Doe - Nov 29, 2026 905 AM/cs5814_vae.py",
        "123457-789012 - Ana Li - 29 November 2026 310 PM - cs5814_vae.py",
        "123457-789012 - Ana Li - 30 November 2026 9:10 AM - cs5814_vae.py",
        "123458-789012 - Bo Kim- 30 November, 2026 1022 AM - cs5814_vae.py",
        "123458-789012 - Bo Kim- 1 December, 2026 105 AM - cs5814_vae.py",
        "index.html",
    ):
        put(tmp_path / "upload" / name, name)
    table = (
        "OrgDefinedId,Username,Last Name,First Name,End-of-Line Indicator\n#001,#jdoe,Doe,Jane,#\n#002,#ali,Li,Ana,#\n"
        "#003,#bkim,Kim,Bo,#\n"
    )
    assert {*rows(tmp_path / "upload")} == {"Jane Doe_123456", "Ana Li_123457", "Bo Kim_123458"}
    joined = rows(tmp_path / "upload", roster=roster_of(tmp_path, table))
    assert b"Nov 30" in (joined["001"].source or b"")
    assert b"30 November" in (joined["002"].source or b"")
    assert b"1 December" in (joined["003"].source or b"")


@pytest.mark.parametrize("packed", [False, True])
def test_canvas_download(tmp_path: Path, packed: bool) -> None:
    download = tmp_path / "submissions"
    put(download / "doejane_12_345_cs5814_vae.py", "old")
    put(download / "doejane_12_346_cs5814_vae-1.py", "new")
    put(download / "roerichard_LATE_13_400_hw3-part3.zip", "late")
    put(download / "roerichard_LATE_13_399_cvae.ipynb")
    if packed:
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            for file in download.iterdir():
                archive.write(file, file.name)
        download = tmp_path / "all.zip"
    assert found(download) == {"doejane_12": "new", "roerichard_13": "late"}
    assert {student: row.late for student, row in rows(download).items()} == {
        "doejane_12": False, "roerichard_13": True
    }  # fmt: skip
    assert "345" in rows(download)["doejane_12"].notes[0]  # the older version is told


def test_a_quiz_on_canvas(tmp_path: Path) -> None:
    """Named as `QuizSubmissionZipper` of canvas-lms does: last name first, and the user's number behind it."""
    for number in (102, 103):
        put(tmp_path / "u" / f"wang_wei{number}_question_4567_8{number}_cs5814_vae.py", str(number))
        put(tmp_path / "u" / f"wang_wei{number}_question_4568_9{number}_cvae.ipynb", "{}")
    assert found(tmp_path / "u") == {"wang_wei102": "102", "wang_wei103": "103"}
    joined = rows(tmp_path / "u", roster=roster_of(tmp_path))
    assert {who: row.source for who, row in joined.items() if not row.nothing} == {"wwang": b"102", "wwang2": b"103"}


@pytest.mark.parametrize("before", ["", "claim-", "jupyter-"])
@pytest.mark.parametrize("name", ["ada", "ada.king", "ada-maria", "a_b"])
def test_a_home_on_a_hub_is_its_owners(tmp_path: Path, before: str, name: str) -> None:
    """Escaped as JupyterHub's spawners do: each sign but letters and digits is `-` and its code in hexadecimal."""
    home = before + "".join(sign if sign.isalnum() else f"-{ord(sign):02x}" for sign in f"{name}@x.edu")
    put(tmp_path / "u" / home / "cs5814_vae.py", home)
    joined = rows(tmp_path / "u", roster=roster_of(tmp_path, f"id,name,email\n7,Ada,{name}@x.edu\n8,Bob,bob@x.edu\n"))
    assert {who: row.source for who, row in joined.items()} == {"7": home.encode(), "8": None}


def test_gradescope_export(tmp_path: Path) -> None:
    export = tmp_path / "assignment_1_export"
    for number, text in ((1, "old"), (2, "new"), (3, "pair")):
        put(export / f"submission_{number}" / "cs5814_vae.py", text)
    put(
        export / "submission_metadata.yml",
        "submission_2:\n  :submitters:\n  - :name: Ada\n    :sid: '7'\n  :created_at: 2026-11-02 10:00:00.5 Z\n"
        "submission_1:\n  :submitters:\n  - :name: Ada\n    :sid: '7'\n  :created_at: 2026-11-01 23:00:00.5 Z\n"
        "submission_3:\n  :submitters:\n  - :name: Bob\n    :email: b@x.edu\n  - :name: Eve\n"
        "  :created_at: 2026-11-01 10:00:00.5 Z\n"
        "../../escape:\n  :submitters:\n  - :name: Mallory\n",
    )
    expected = {"7": "new", "b@x.edu": "pair", "Eve (submission_3)": "pair", "Mallory (../../escape)": None}
    assert found(tmp_path) == found(export) == expected


def test_gradescope_submitters_without_a_name_or_named_twice(tmp_path: Path) -> None:
    for number in range(4):
        put(tmp_path / f"submission_{number}" / "cs5814_vae.py", f"{number}")
    put(
        tmp_path / "submission_metadata.yml",
        "submission_0:\n  :submitters:\n  - :sid:\n    :email: ~\n"
        "submission_1:\n  :submitters:\n  - :sid: null\n  - {}\n"
        "submission_2:\n  :submitters:\n  - :sid: '7'\n  - :sid: '7'\n"
        "submission_3:\n  :submitters:\n  - :sid: 'null'\n",
    )
    assert found(tmp_path) == {"submission_0": "0", "submission_1": "1", "7": "2", "null": "3"}
    assert "2 of its submitters by nothing" in rows(tmp_path)["submission_1"].attention[0]


def test_who_is_in_two_submissions_of_an_export_is_reviewed(tmp_path: Path) -> None:
    said = {1: ("ada", "bob"), 2: ("ada",), 3: ("cy", "di"), 4: ("eve",), 5: ("eve",)}
    text = ""
    for number, team in said.items():
        put(tmp_path / f"submission_{number}" / "cs5814_vae.py", f"{number}")
        text += f"submission_{number}:\n  :created_at: 2026-11-1{number} 08:00:00 Z\n  :submitters:\n"
        text += "".join(f"  - :sid: {each}\n" for each in team)
    put(tmp_path / "submission_metadata.yml", text)
    everyone = rows(tmp_path)
    assert everyone["ada"].source == b"2"
    assert [each for each, row in everyone.items() if row.attention] == ["ada"]
    assert "`submission_1`, `submission_2`" in everyone["ada"].attention[0]


def test_gradescopes_times_are_compared_across_zones(tmp_path: Path) -> None:
    for number, text in ((1, "later"), (2, "earlier")):
        put(tmp_path / f"submission_{number}" / "cs5814_vae.py", text)
    put(
        tmp_path / "submission_metadata.yml",
        "submission_1:\n  :submitters:\n  - :name: Ana\n    :sid: '007'\n"
        "  :created_at: 2026-11-01 00:30:00.000000000 -05:00\n"
        "submission_2:\n  :submitters:\n  - :name: Ana\n    :sid: '007'\n"
        "  :created_at: 2026-11-01 05:10:00.000000000 Z\n",
    )
    (row,) = read(tmp_path).submitted
    assert (row.student, row.name, row.source) == ("007", "Ana", b"later")
    assert "the last of 2 attempts counts: `submission_1`" in row.notes
    assert row.late is False


def test_a_folder_that_the_export_lacks_is_nobodys_fault(tmp_path: Path) -> None:
    put(tmp_path / "submission_1" / "cs5814_vae.py")
    names = "".join(f"submission_{number}:\n  :submitters:\n  - :sid: s{number}\n" for number in (1, 2))
    put(tmp_path / "submission_metadata.yml", names)
    row = rows(tmp_path)["s2"]
    assert (row.nothing, row.unreadable) == (False, True)
    assert "the export lacks the folder `submission_2`" in row.reason


def test_a_folder_that_gradescope_does_not_name_has_a_row(tmp_path: Path) -> None:
    put(tmp_path / "submission_1" / "cs5814_vae.py", "one")
    put(tmp_path / "submission_2" / "cs5814_vae.py", "two")
    put(tmp_path / "submission_metadata.yml", "submission_1:\n  :submitters: []\n")
    assert found(tmp_path) == {"submission_1": "one", "submission_2": "two"}
    assert "does not name" in rows(tmp_path)["submission_2"].attention[0]


@pytest.mark.parametrize("folder", ["assignment_1_export", "assignment_1_export copy", "fixed"])
@pytest.mark.parametrize(("copy", "expected"), [("ada", "ada"), ("", "ada"), (None, "ada"), ("ada, fixed", None)])
@pytest.mark.parametrize("listed", [True, False])
def test_of_two_gradescope_exports_neither_is_dropped(
    tmp_path: Path, folder: str, copy: str | None, expected: str | None, listed: bool
) -> None:
    """What is the same in both is one; of what differs, staff is asked, and the order of reading decides nothing."""
    for name, text in (("zip", "ada"), (folder, copy)):
        export = tmp_path / ("packed/assignment_1_export" if name == "zip" else f"up/{folder}")
        facts = "".join(f"submission_{at}:\n  :submitters:\n  - :sid: {who}\n" for at, who in ((2, "bob"), (3, "cy")))
        put(export / "submission_2" / "cs5814_vae.py", "bob")
        put(export / "submission_3" / "cs5814_vae.py", "cy")
        if text is not None:
            put(export / "submission_1" / "cs5814_vae.py", text)
        if name == "zip" or listed:
            facts += "submission_1:\n  :submitters:\n  - :sid: ada\n"
        put(export / "submission_metadata.yml", facts)
    shutil.make_archive(str(tmp_path / "up" / "assignment_1_export"), "zip", tmp_path / "packed")
    everyone = rows(tmp_path / "up")
    assert set(everyone) == {"ada", "bob", "cy"}
    assert (everyone["bob"].source, everyone["cy"].source) == (b"bob", b"cy")
    assert everyone["ada"].source == (expected.encode() if expected else None)
    assert everyone["ada"].unreadable is bool(everyone["ada"].attention) is (expected is None)


def test_a_submission_of_two_people_in_two_exports_is_reviewed(tmp_path: Path) -> None:
    for export, student in (("a", "ada"), ("b", "bob")):
        put(tmp_path / export / "submission_1" / "cs5814_vae.py", student)
        put(tmp_path / export / "submission_2" / "cs5814_vae.py", "cy")
        facts = f"submission_1:\n  :submitters:\n  - :sid: {student}\n"
        put(tmp_path / export / "submission_metadata.yml", f"{facts}submission_2:\n  :submitters:\n  - :sid: cy\n")
    everyone = rows(tmp_path)
    assert found(tmp_path) == {"ada": "ada", "bob": "bob", "cy": "cy"}
    assert [each for each, row in everyone.items() if row.attention] == ["ada", "bob"]
    assert "different people" in everyone["ada"].attention[0]


@pytest.mark.parametrize("packed", [True, False])
def test_of_an_nbgrader_course_what_was_submitted_is_the_class(tmp_path: Path, packed: bool) -> None:
    for step in ("source", "release"):
        put(tmp_path / "c" / step / "hw3-part3" / "cs5814_vae.py", "handout")
    for student in ("ada", "bob"):
        for step in ("submitted", "autograded"):
            put(tmp_path / "c" / step / student / "hw3-part3" / "cs5814_vae.py", f"{student}, {step}")
    put(tmp_path / "c" / "nbgrader_config.py", "c = get_config()\n")
    if packed:
        shutil.make_archive(str(tmp_path / "zip" / "c"), "zip", tmp_path, "c")
    upload = read(tmp_path / ("zip" if packed else "c"))
    assert {row.student: row.source for row in upload.submitted} == {
        "ada": b"ada, submitted", "bob": b"bob, submitted"
    }  # fmt: skip
    assert "without `autograded`" in " ".join(upload.warnings)


def test_metadata_in_a_students_folder_makes_no_students(tmp_path: Path) -> None:
    put(tmp_path / "mallory" / "submission_metadata.yml", "submission_1:\n  :submitters:\n  - :name: Eve\n")
    put(tmp_path / "mallory" / "submission_1" / "cs5814_vae.py", "x")
    assert found(tmp_path) == {"mallory": "x"}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["wangwei_10001_1_cs5814_vae.py", "wangwei_10002_2_cs5814_vae.py"], {"wangwei_10001", "wangwei_10002"}),
        (["anon_aB3_1_cs5814_vae.py", "LATE_anon_q9_2_cs5814_vae.py"], {"anon_aB3", "anon_q9"}),
        (["anon_LATE_aB3_1_cs5814_vae.py", "anon_q9_2_cvae.ipynb"], {"anon_aB3", "anon_q9"}),
        (["li_wei_15_1_cs5814_vae.py", "o-neil_16_2_cs5814_vae.py", "王伟_17_3_x.zip"],
         {"li_wei_15", "o-neil_16", "王伟_17"}),
        (["doe_12_text.html", "roe_LATE_13_link.html"], {"doe_12", "roe_13"}),
        (["Ada Lovelace_77_assignsubmission_file_cs5814_vae.py"], {"Ada Lovelace_77"}),
        (["HW 3_ada_attempt_2026-11-30-23-59-00_cs5814_vae.py", "HW 3_ada_attempt_2026-11-30-23-59-00.txt"],
         {"HW 3_ada"}),
        (["eve.py", "bob.tar.gz", "dan.rar", "guy.7z", "ann.ipynb", "kim.pdf"],
         {"eve", "bob", "dan", "guy", "ann", "kim"}),
    ],
)  # fmt: skip
def test_whose_a_file_is(tmp_path: Path, names: list[str], expected: set[str]) -> None:
    for name in names:
        put(tmp_path / name)
    assert rows(tmp_path).keys() == expected


def test_a_file_at_the_top_that_could_be_anybodys_is_told(tmp_path: Path) -> None:
    put(tmp_path / "cs5814_vae (2).py")
    (row,) = read(tmp_path).submitted
    assert "whose is it" in row.attention[0]


@pytest.mark.parametrize(
    ("files", "noted"),
    [
        ({"cs5814_vae.py": "new", "cs5814_vae (1).py": "old"}, "not `cs5814_vae (1).py`"),
        ({"cs5814_vae.py": "new", "old/cs5814_vae.py": "old"}, "not `old/cs5814_vae.py`"),
        ({"cs5814_vae.py": "new", "hw3.zip": "old"}, "not `hw3.zip/vae/cs5814_vae.py`"),
        ({"Copy of cs5814-vae.py": "new", "cs5814_gan.py": "old"}, "`Copy of cs5814-vae.py` was graded as"),
        ({"mine.py": "def loss_function(): 'new'", "public.py": "import cs5814_vae"}, "`mine.py` was graded as"),
    ],
)
def test_what_is_guessed_is_said(tmp_path: Path, files: dict[str, str], noted: str) -> None:
    for name, text in files.items():
        put(tmp_path / "ada" / name, text)
    (row,) = read(tmp_path).submitted
    assert row.source is not None
    assert b"new" in row.source
    assert noted in " ".join(row.notes)


@pytest.mark.parametrize(
    "files",
    [
        ("a/cs5814_vae.py", "b/cs5814_vae.py"),
        ("cs5814_vae (1).py", "cs5814_vae - Copy.py"),
        ("a.zip", "b.zip"),
    ],
)
def test_of_two_modules_none_is_picked(tmp_path: Path, files: tuple[str, str]) -> None:
    for name in files:
        put(tmp_path / "ada" / name, f"# {name}\nx = 1\n")
    (row,) = read(tmp_path).submitted
    assert row.source is None
    assert all(Path(name).parts[0] in row.reason for name in files)


def test_what_staff_put_together_is_no_zero(tmp_path: Path) -> None:
    """Of two modules that staff put next to each other, none counts, and the score is empty."""
    (tmp_path / "downloads").mkdir()
    for folder in ("class", "class (1)"):
        entries = [(f"class/{each}/cs5814_vae.py", f"# {folder}\nx = 1\n".encode()) for each in ("ada", "bob", "eve")]
        archive(tmp_path / "downloads" / f"{folder}.zip", *entries)
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = archive(
            tmp_path / "twice.zip", ("ada/cs5814_vae.py", b"x = 1\n"), ("ada/cs5814_vae.py", b"x = 2\n"), ("bob/", b"")
        )
    put(tmp_path / "own" / "ada" / "a" / "cs5814_vae.py", "x = 1\n")
    put(tmp_path / "own" / "ada" / "b" / "cs5814_vae.py", "x = 2\n")
    assert [(row.source, row.unreadable) for row in read(tmp_path / "downloads").submitted] == [(None, True)] * 3
    assert "more than once" in rows(twice)["ada"].reason
    assert rows(twice)["ada"].unreadable
    assert not rows(tmp_path / "own")["ada"].unreadable  # the student's own


@pytest.mark.parametrize(
    ("name", "is_theirs"),
    [
        ("late/ada/cs5814_vae.py", True),
        ("extensions/ada.zip", True),
        ("regrade/ada_cs5814_vae.py", True),
        ("by mail/Nov 30/ADA/vae.py", True),
        ("late.zip", True),
        ("eve/code/cs5814_vae.py", False),
        ("eve/cs5814_vae.py", False),
    ],
)
def test_work_under_the_name_of_another_entry_is_reviewed(tmp_path: Path, name: str, is_theirs: bool) -> None:
    for student in ("ada", "bob", "cs5814_vae"):
        put(tmp_path / student / "cs5814_vae.py", student)
    if name == "late.zip":
        archive(tmp_path / name, ("late/ada/cs5814_vae.py", b"late"))
    else:
        put(tmp_path / name, "late")
    reviewed = {each.student for each in read(tmp_path).submitted if each.attention}
    assert reviewed == ({"ada", Path(name).parts[0].removesuffix(".zip")} if is_theirs else set())


def test_a_folder_that_many_have_is_nobodys_name(tmp_path: Path) -> None:
    for student in ("ada", "bob", "eve", "kim"):
        put(tmp_path / student / "code" / "cs5814_vae.py", student)
    put(tmp_path / "code" / "cs5814_vae.py")
    assert not any(each.attention for each in read(tmp_path).submitted)


@pytest.mark.parametrize("bin_", ["#recycle", "@Recycle", "$RECYCLE.BIN", "#snapshot"])
def test_what_a_disk_keeps_is_nobodys(tmp_path: Path, bin_: str) -> None:
    for folder in ("ada", bin_):
        put(tmp_path / folder / "cs5814_vae.py", folder)
    assert found(tmp_path) == {"ada": "ada"}
    assert read(tmp_path).aside == [bin_]


def test_what_this_program_writes_is_nobodys(tmp_path: Path) -> None:
    report = '{"submission": "", "sha256": "", "parts": []}'
    names = {
        "class.json": '{"schema": 1, "students": []}',
        "grades.csv": "",
        "index.html": "",
        "reports/a.json": report,
    }
    put(tmp_path / "ada" / "cs5814_vae.py")
    for name, text in names.items():
        put(tmp_path / "earlier" / name, text)
        put(tmp_path / "now" / name, text)
        put(tmp_path / "old" / "run 1" / name, text)
        put(tmp_path / "called so" / name, "{}")
    put(tmp_path / "interrupted" / "reports" / "a.json", report)
    put(tmp_path / "interrupted" / "students" / "a.html")
    put(tmp_path / "kept" / f"{'0' * 64}.json", report)
    put(tmp_path / "like it" / f"{'a' * 64}.json", "{}")
    upload = read(tmp_path, outputs=[tmp_path / "now"])
    assert [each.student for each in upload.submitted] == ["ada", "called so", "like it"], (
        "its names alone are a student's"
    )
    assert [each.partition(" (")[0] for each in upload.aside] == ["earlier", "interrupted", "kept", "now", "old"]


@pytest.mark.parametrize("work", ["cs5814_vae.py", "cvae.ipynb", "handin.zip"])
def test_work_next_to_what_looks_written_is_a_students(tmp_path: Path, work: str) -> None:
    for name in ("class.json", "grades.csv", "index.html", "reports/ada.json", work):
        put(tmp_path / "eve" / name)
    put(tmp_path / "ada" / "cs5814_vae.py")
    assert [each.student for each in read(tmp_path).submitted] == ["ada", "eve"]


def test_a_folder_that_was_packed_as_a_whole(tmp_path: Path) -> None:
    file = archive(tmp_path / "hw3.zip", ("hw3/ada/cs5814_vae.py", b"ada"), ("hw3/bob/", b""), ("hw3/.DS_Store", b""))
    assert found(file) == {"ada": "ada", "bob": None}


@pytest.mark.parametrize(
    "name",
    ["HW3 submissions-20261201T051200Z-001", "HW3 submissions (1)", "HW3 submissions 2", "HW3 submissions - Copy"],
)
def test_a_packed_folder_may_be_renamed(tmp_path: Path, name: str) -> None:
    entries = [(f"HW3 submissions/{student}/cs5814_vae.py", student.encode()) for student in ("ada", "bob")]
    assert found(archive(tmp_path / f"{name}.zip", *entries)) == {"ada": "ada", "bob": "bob"}


@pytest.mark.parametrize(
    "names",
    [
        ("hw3.zip", "hw3/"),
        ("hw3.zip", "hw3 2/"),
        ("hw3.zip", "hw3/hw3/"),
        ("hw3.zip", "hw3 (1).zip"),
        ("hw3-20261130T201500Z-001.zip", "hw3/"),
        ("download.zip", "hw3/"),  # as macOS calls what is alone in an archive
        ("hw3.zip", "rubric.pdf"),
    ],
)
def test_a_download_unpacked_next_to_itself_is_one_class(tmp_path: Path, names: tuple[str, str]) -> None:
    students = {"ada": "ada", "bob": "bob", "eve": "eve"}
    for name in names:
        if name.endswith(".zip"):
            archive(tmp_path / name, *((f"hw3/{each}/cs5814_vae.py", each.encode()) for each in students))
        elif name.endswith("/"):
            for each in students:
                put(tmp_path / name / each / "cs5814_vae.py", each)
        else:
            put(tmp_path / name)
    assert found(tmp_path) == students


@pytest.mark.parametrize("names", [("Group 1", "Group 2"), ("one", "two"), ("ada.zip", "bob.zip")])
def test_what_has_other_names_is_not_one_download(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        if name.endswith(".zip"):
            archive(tmp_path / name, *((f"hw3/q{part}/cs5814_vae.py", b"x") for part in (1, 2, 3)))
        for part in (1, 2, 3) if not name.endswith(".zip") else ():
            put(tmp_path / name / f"q{part}" / "cs5814_vae.py", f"{name}, {part}")
    assert found(tmp_path).keys() == {Path(name).stem for name in names}


@pytest.mark.parametrize(("students", "is_class"), [(("ada", "bob", "eve"), True), (("new", "old"), False)])
def test_folders_that_one_folder_holds_alone(tmp_path: Path, students: tuple[str, ...], is_class: bool) -> None:
    for student in students:
        put(tmp_path / "somewhere" / student / "cs5814_vae.py", student)
    upload = read(tmp_path)
    assert [each.student for each in upload.submitted] == list(students if is_class else ("somewhere",))
    assert "`somewhere`" in upload.warnings[0]  # either may be wrong


def test_a_roster_tells_a_student_from_a_class(tmp_path: Path) -> None:
    for student in ("ada", "bob"):
        put(tmp_path / "upload" / "wwang" / student / "cs5814_vae.py", student)
    assert {*rows(tmp_path / "upload", roster=roster_of(tmp_path, "id\nada\nbob\n"))} == {"ada", "bob"}
    assert {*rows(tmp_path / "upload", roster=roster_of(tmp_path))} == {"ada", "bob", "wwang", "wwang2"}


def test_several_downloads_are_one_class(tmp_path: Path) -> None:
    archive(tmp_path / "submissions.zip", ("doeada_1_10_cs5814_vae.py", b"old"), ("roebob_2_20_cs5814_vae.py", b"bob"))
    archive(tmp_path / "submissions (1).zip", ("doeada_1_11_cs5814_vae-1.py", b"new"))
    assert found(tmp_path) == {"doeada_1": "new", "roebob_2": "bob"}
    put(tmp_path / "eve" / "cs5814_vae.py", "eve")
    assert found(tmp_path).keys() == {"submissions", "submissions (1)", "eve"}
    assert ["submissions" in warning for warning in read(tmp_path).warnings] == [True, True]


@given(
    st.lists(st.text(st.characters(exclude_characters="/\\", exclude_categories=("Cs", "Cc")), min_size=1, max_size=9))
)
@settings(max_examples=40)
def test_names_in_utf8_need_no_mark_of_it(names: list[str]) -> None:
    students = [f"s{number} {name}" for number, name in enumerate(names)]
    with TemporaryDirectory() as temporary:
        file = archive(Path(temporary) / "class.zip", *((f"{each}/cs5814_vae.py", b"x") for each in ["a", *students]))
        expected = {each.student for each in read(file).submitted}
        data = bytearray(file.read_bytes())
        for signature, flags in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
            for match in re.finditer(re.escape(signature), bytes(data)):
                data[match.start() + flags] &= ~0x08
        file.write_bytes(data)
        assert {each.student for each in read(file).submitted} == expected


def test_names_in_another_encoding_stay_apart(tmp_path: Path) -> None:
    file = archive(tmp_path / "class.zip", ("J?rg/cs5814_vae.py", b"x"), ("J!rg/cs5814_vae.py", b"y"))
    file.write_bytes(file.read_bytes().replace(b"J?rg", b"J\x94rg").replace(b"J!rg", b"J\xf6rg"))
    assert found(file).keys() == {"Jörg", "J÷rg"}  # cp437, as the format says, and what Windows-1252 looks like in it


def test_links_in_a_tar_lead_nowhere(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "ada.tar.gz", "w:gz") as file:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            entry = tarfile.TarInfo("cs5814_vae.py")
            entry.type, entry.linkname = kind, "/etc/passwd"
            file.addfile(entry)
    (row,) = read(tmp_path).submitted
    assert row.source is None


def test_a_tar_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.submissions.files.MAX_UPLOAD", 1 << 20)
    with tarfile.open(tmp_path / "ada.tar.gz", "w:gz") as file:
        for name in ("a.bin", "cs5814_vae.py"):
            entry = tarfile.TarInfo(name)
            entry.size = 2 << 20
            file.addfile(entry, io.BytesIO(bytes(entry.size)))
    (row,) = read(tmp_path).submitted
    assert "unpacks to more than 1 MiB" in row.reason


@given(
    st.dictionaries(st.text("aé_ /.", min_size=1, max_size=300).filter(lambda name: name.strip(" /.")), st.binary()),
    st.sampled_from((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)),
    st.sampled_from(("w", "w:gz", "w:bz2")),
)
def test_a_tar_is_read_as_the_library_reads_it(files: dict[str, bytes], format_: int, mode: str) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, format=format_) as packed:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.pax_headers = len(content), {"comment": name}
            with suppress(ValueError):  # a name that the oldest format cannot hold
                packed.addfile(entry, io.BytesIO(content))
    with tarfile.open(fileobj=io.BytesIO(file.getvalue())) as packed:
        known = [(steps_of(each.name), packed.extractfile(each).read()) for each in packed]  # type: ignore[union-attr]
    with in_archive(File(("a.tar",), "a.tar", lambda: io.BytesIO(file.getvalue()))) as read:
        assert sorted((each.steps, each.read(1 << 20)) for each in read.files) == sorted(known)


def header(kind: bytes, size: int, name: str = "data") -> bytes:
    entry = tarfile.TarInfo(name)
    entry.type, entry.size = kind, size
    return entry.tobuf(tarfile.GNU_FORMAT)


def record(text: bytes) -> bytes:
    return b"%d %s\n" % (len(text) + len(str(len(text) + 5)) + 2, text)


SLOW_TARS = {
    "a name of many folders": header(tarfile.GNUTYPE_LONGNAME, 4 << 20) + b"a/" * (2 << 20) + header(b"0", 0),
    "names of many folders": (header(tarfile.GNUTYPE_LONGNAME, 6144) + b"a/" * 3072 + header(b"0", 0)) * 600,
    "a number without end": header(tarfile.XHDTYPE, 1 << 20) + b"1" * (1 << 20),
    "numbers without end": (header(tarfile.XHDTYPE, 1 << 14) + b"1" * (1 << 14) + header(b"0", 0)) * 500,
    "many records": (header(tarfile.XHDTYPE, 1 << 20) + b"5 a=\n" * (1 << 20))[: 512 + (1 << 20)] * 9,
    "many headers": header(tarfile.XHDTYPE, 0) * 100_000,
    "many files": header(b"0", 0) * 100_000,
    "gaps without end": header(tarfile.XHDTYPE, 512) + record(b"GNU.sparse.major=1").ljust(512, b"\0")
    + header(b"0", 8 << 20) + b"1" * (8 << 20),
    "a list of gaps without end": header(tarfile.GNUTYPE_SPARSE, 0)[:482] + b"\1" * (1 << 20),
    "long names": (header(tarfile.GNUTYPE_LONGNAME, 1 << 20) + b"a/" * (1 << 19) + header(b"0", 0)) * 20,
    "a file that ends before it begins": header(b"0", -(1 << 20)) * 10,
    "a length that leads back": header(tarfile.XHDTYPE, 512) + b"0 a=b\n".ljust(512, b"\0"),
}  # fmt: skip


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
@pytest.mark.parametrize("content", SLOW_TARS.values(), ids=SLOW_TARS)
def test_no_tar_takes_more_than_seconds(tmp_path: Path, content: bytes, pack: Callable[[bytes], bytes]) -> None:
    assert seconds_beside_eight(tmp_path, pack(content)) < 10


def seconds_beside_eight(folder: Path, content: bytes) -> float:
    """The time that a module takes next to eight archives with this content."""
    put(folder / "ada" / "cs5814_vae.py")
    for number in range(8):
        (folder / "ada" / f"data{number}.tar").write_bytes(content)
    started = process_time()
    assert found(folder) == {"ada": "x = 1\n"}
    return process_time() - started


def zip_list(name: bytes, attributes: bytes = b"", size: int = MAX_STUDENT_DIRECTORY) -> bytes:
    """The list of files in a zip archive, without the files: as many as fit into `size` bytes."""
    record = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, len(name), len(attributes), *[0] * 5)
    records = (record + name + attributes) * (size // (46 + len(name + attributes)))
    return records + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, len(records), 0, 0)


SLOW_ZIPS = {
    "short names": zip_list(b"x"),
    "hidden files in folders": zip_list(b"a/" * MAX_DEPTH + b".x"),
    "a name of many folders": zip_list(b"a/" * 30_000 + b"x"),
    "names of many folders": zip_list(b"a/" * 3000 + b".x"),
    "steps that lead nowhere": zip_list(b"./" * 3000 + b"/" * 1000 + b"..\\.x"),
    "many attributes": zip_list(b"x", bytes(60_000)),
    "attributes of many files": zip_list(b"x", bytes(8000)),
    "attributes that name a long name": zip_list(b"x" * 60_000, struct.pack("<HHBL", 0x7075, 5, 1, 0) * 5000),
}


@pytest.mark.parametrize("content", SLOW_ZIPS.values(), ids=SLOW_ZIPS)
def test_no_zip_takes_more_than_seconds(tmp_path: Path, content: bytes) -> None:
    assert seconds_beside_eight(tmp_path, content) < 30  # of which coverage takes two thirds


@pytest.mark.parametrize("place", ["mallory.zip", "mallory/a.zip", "mallory/a/b.zip", "class.zip"])
def test_the_staffs_bounds_are_for_what_they_name(tmp_path: Path, place: str) -> None:
    content = zip_list(b"x", size=MAX_DIRECTORY)
    if place == "class.zip":
        upload = archive(tmp_path / place, ("ada/cs5814_vae.py", b"x = 1\n"), ("mallory.zip", content))
    else:
        upload = put(tmp_path / "ada" / "cs5814_vae.py").parents[1]
        put(tmp_path / place).write_bytes(content)
    started = process_time()
    assert found(upload) == {"ada": "x = 1\n", "mallory": None}
    assert process_time() - started < 5  # as the archive of a class, it takes most of a minute


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_no_number_of_empty_streams_takes_long(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    put(tmp_path / "ada" / "cs5814_vae.py")
    (tmp_path / "ada" / "data.tar.gz").write_bytes(pack(b"") * 1_000_000)
    started = process_time()
    assert found(tmp_path) == {"ada": "x = 1\n"}
    assert process_time() - started < 10


# Eight blocks of deflate, of which nothing comes (RFC 1951): Huffman codes without a letter, and the end.
NOTHING = bytes.fromhex(
    "04c081000000000010ffd524000e040000000080f8af260170200000000000c47f35098003010000000020feab49001c080000000000f15f"
    "4d02e040000000000088ff6a120007020000000040fc57930038100000000000e2bf9a"
)


def zip_of_nothing(names: list[str], blocks: int, nested: bool = False) -> bytes:
    """A zip archive of files that state a size and unpack to nothing; each within the one before, if `nested`."""
    content = NOTHING * blocks
    locals_, records, offset = b"", b"", 0
    for name in names:
        length = len(content) + (sum(30 + len(each) for each in names) - offset - 30 - len(name) if nested else 0)
        fields = struct.pack("<5H3L2H", 20, 0, 8, 0, 33, 0, length, length, len(name), 0)
        locals_ += b"PK\3\4" + fields + name.encode() + (b"" if nested else content)
        records += b"PK\1\2\24\0" + fields + struct.pack("<3H2L", 0, 0, 0, 0, offset) + name.encode()
        offset = len(locals_)
    body = locals_ + content if nested else locals_
    return body + records + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(names), len(names), len(records), len(body), 0)


def gzip_of_nothing(blocks: int) -> bytes:
    return b"\x1f\x8b\x08" + bytes(7) + NOTHING * blocks + b"\1\0\0\xff\xff" + bytes(8)


READ_OFTEN = [*(f"{number}/cs5814_vae.py" for number in range(15)), *(f"n/{number}.ipynb" for number in range(8))]
WITHOUT_OUTPUT = {
    "zip": lambda: zip_of_nothing(READ_OFTEN, 100_000),
    "tar": lambda: gzip_of_nothing(1_500_000),
}


@pytest.mark.parametrize("make", WITHOUT_OUTPUT.values(), ids=WITHOUT_OUTPUT)
def test_one_clock_is_for_all_that_a_student_handed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[], bytes]
) -> None:
    monkeypatch.setattr("autograder.submissions.bounds.SECONDS", 0.5)
    content = make()
    for number in range(3):
        put(tmp_path / "mallory" / f"{number}.tar").write_bytes(content)
    shutil.copytree(tmp_path / "mallory", tmp_path / "eve")
    put(tmp_path / "mallory" / "cs5814_vae.py", "mallory")
    put(tmp_path / "zoe" / "cs5814_vae.py", "zoe")
    started = process_time()
    told = rows(tmp_path)
    assert process_time() - started < 4  # unbounded, it is most of a minute
    assert {name: row.source for name, row in told.items()} == {"eve": None, "mallory": b"mallory", "zoe": b"zoe"}
    assert "takes the grader more than 0.5 seconds to read" in told["eve"].reason
    assert "takes too long to be searched whole" in "".join(told["mallory"].attention)
    assert not told["zoe"].attention


def test_what_is_read_counts_as_often_as_it_is_read() -> None:
    content, room = zip_of_nothing(["cs5814_vae.py"], 10_000), room_to_unpack()
    with in_archive(File(("a.zip",), "a.zip", lambda: io.BytesIO(content)), room) as inside:
        (module,) = inside.files
        for _ in range(3):
            before = room.left
            assert module.read(10) == b""
            assert len(content) - 200 < before - room.left < len(content)
        room.left = len(content) // 2
        with pytest.raises(NothingToGrade, match=r"cs5814_vae\.py holds too much to be read"):
            module.read(10)


@pytest.mark.parametrize("place", ["a.zip", "a/b.zip"])
def test_files_of_an_archive_do_not_share_bytes(tmp_path: Path, place: str) -> None:
    put(tmp_path / "up" / place).write_bytes(zip_of_nothing(READ_OFTEN, 10, nested=True))
    (row,) = read(tmp_path / "up").submitted
    assert row.source is None
    assert "lie over each other" in row.reason


def test_no_file_is_packed_into_far_more_than_it_holds(tmp_path: Path) -> None:
    content = bytearray(zip_of_nothing(["cs5814_vae.py"], 100))
    for place in (22, content.index(b"PK\1\2") + 24):  # what it unpacks to, by both headers
        content[place : place + 4] = struct.pack("<L", 10)
    put(tmp_path / "hw3.zip").write_bytes(content)
    with pytest.raises(NothingToGrade, match="packed into more than twice its size"):
        find_module(tmp_path, CVAE)


def test_a_tar_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(tmp_path / "ada.tar.bz2", "w:bz2") as file:
        for name in ("filler", *(f"{chr(97 + folder)}/cs5814_vae.py" for folder in range(20))):
            entry = tarfile.TarInfo(name)
            entry.size = 1 << 20 if name == "filler" else 50
            file.addfile(entry, io.BytesIO(f"x = {name!r}".encode().ljust(entry.size)))
    monkeypatch.setattr("autograder.submissions.files.MAX_UNPACKED", (1 << 20) + 100_000)
    with pytest.raises(NothingToGrade, match="more than one"):  # which takes reading them all
        find_module(tmp_path, CVAE)


def test_archives_of_one_student_share_what_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.submissions.files.MAX_UNPACKED", 1 << 20)
    for number in range(3):
        with tarfile.open(put(tmp_path / "ada" / f"{number}.tar.gz"), "w:gz") as file:
            entry = tarfile.TarInfo("data")
            entry.size = 900_000
            file.addfile(entry, io.BytesIO(bytes(entry.size)))
    with pytest.raises(NothingToGrade) as raised:
        find_module(tmp_path / "ada", CVAE)
    assert str(raised.value).count("together with other archives") == 2


def test_files_without_end_cost_their_student_alone(tmp_path: Path) -> None:
    entries = [(f"mallory/{number}", b"") for number in range(100_001)]
    file = archive(tmp_path / "class.zip", ("ada/cs5814_vae.py", b"ada"), *entries, ("zoe/cs5814_vae.py", b"zoe"))
    assert found(file) == {"ada": "ada", "mallory": None, "zoe": "zoe"}


def test_names_are_shown_whole_and_told_apart(tmp_path: Path) -> None:
    given = [b"\xff\xfe", b"a\x1b[31m\nb", "\u202eeve".encode(), b"back\\slash", b"y" * 254 + b"1", b"y" * 254 + b"2"]
    given += [b"a`b", b"a\\u0060b", b"Ada", b"ada", "José".encode(), "Jose\u0301".encode()]
    for name in given:
        os.mkdir(os.fsencode(tmp_path) + b"/" + name)
    students = [each.student for each in read(tmp_path).submitted]
    assert len(set(students)) == len(given)
    assert all(clean(each) == each and not {*"\n`"} & {*each} and len(each) <= 100 for each in students)


def outputs(pieces: int) -> bytes:
    """A notebook with that many pieces in its outputs, of a cell that writes a module."""
    cell = {"cell_type": "code", "source": "%%writefile cs5814_vae.py\nx = 2", "outputs": ["a"] * pieces}
    return json.dumps({"cells": [cell]}).encode()


LARGE_NEIGHBORS = {
    "outputs in pieces": ("ipynb", outputs(MAX_STEPS * 9 // 10)),
    "texts": ("txt", b"def loss_function(x):\n    return 1\n" * (1 << 15)),
    "Python": ("py", b"#\n" * 450_000 + b"def loss_function(x): 1\n"),
}


@pytest.mark.parametrize(("kind", "content"), LARGE_NEIGHBORS.values(), ids=LARGE_NEIGHBORS)
def test_archives_of_one_student_share_what_is_searched(tmp_path: Path, kind: str, content: bytes) -> None:
    put(tmp_path / "cs5814_vae.py")
    neighbors = [(f"{number}.{kind}", content) for number in range(8 if kind == "ipynb" else 20)]
    packed = archive(tmp_path / "0.zip", ("cs5814_vae.py", b"x = 1\n"), *neighbors)
    for number in range(1, 8):
        shutil.copy(packed, tmp_path / f"{number}.zip")
    started = process_time()
    told = find_module(tmp_path, CVAE)
    assert process_time() - started < 20
    assert told.source == b"x = 1\n"
    assert "too large to be searched" in "".join(told.attention)


@pytest.mark.parametrize("number", [4, 5])
def test_archives_of_one_student_share_what_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr("autograder.submissions.files.MAX_UNPACKED", 25 << 19)  # 2 MiB are copied, 1 is read
    put(tmp_path / "cs5814_vae.py")
    for place in range(number):
        archive(tmp_path / f"{place}.zip", ("data", bytes(2 << 20)), method=zipfile.ZIP_STORED)
    assert ("could not be opened" in "".join(find_module(tmp_path, CVAE).notes)) == (number > 4)


CROWDS = {
    "attempts": [f"{number}/v{attempt}/" for number in range(2000) for attempt in (1, 2)],
    "archives": [f"{number}.zip" for number in range(1900)],
    "bytecode": [f"{number}.pyc" for number in range(1900)],
    "iCloud": [f".{number}.py.icloud" for number in range(1900)],
    "modules": [f"{number}/cs5814_vae.py" for number in range(1900)],
    "copies": [f"cs5814_vae ({number}).py" for number in range(1900)],
    "notebooks": [f"{number}.ipynb" for number in range(1900)],
    "documents": [f"{number}.docx" for number in range(1900)],
    "Python": [f"{number}.py" for number in range(1900)],
}


@pytest.mark.parametrize("names", CROWDS.values(), ids=CROWDS)
@pytest.mark.parametrize("module", ["x = 1\n", "", None])
def test_no_number_of_files_is_told_one_by_one(tmp_path: Path, names: list[str], module: str | None) -> None:
    crowd = [(name, b"" if name.endswith("/") else f"x = {name!r}".encode()) for name in names]
    own = [] if module is None else [("cs5814_vae.py", module.encode())]
    packed = archive(tmp_path / "hw3.zip", *own, *crowd)
    with zipfile.ZipFile(packed) as opened:
        opened.extractall(tmp_path / "hw3")
    for path in (packed, tmp_path / "hw3"):
        try:
            told = find_module(path, CVAE)
            said = [*told.notes, *told.attention]
        except NothingToGrade as error:
            said = [str(error)]
        assert len(said) < 50
        assert sum(map(len, said)) < 10_000


RUNS = st.tuples(
    st.sampled_from([*"_ -–().1\n", "(1)", "-1", "copy", "COPY OF", "副本", ".py", ".txt", ".zip", "cs5814_vae"]),
    st.sampled_from([1, 2, 30, 250]),
)


@given(st.lists(RUNS, min_size=1, max_size=6), st.sampled_from(["", "cs5814_vae", "ada_1_2_cs5814_vae"]))
@example([("_", 166), ("-1", 34)], "y0000")
def test_no_name_of_a_file_takes_long_to_read(runs: list[tuple[str, int]], start: str) -> None:
    name = (start + "".join(sign * count for sign, count in runs))[:251]
    both = [f"{name}.py", f"{name}.zip"]
    started = process_time()
    for each in both:
        alike(each, "cs5814_vae.py")
        without_copy(each)
    platform_names([*both, f"1_{both[0]}"])
    assert process_time() - started < 0.1  # most take a hundredth of that


# --- rosters, and what is late -------------------------------------------------------------------------------------

GRADEBOOK = (
    "Student,ID,SIS User ID,SIS Login ID,Section\n    Points Possible,,,,\n"
    '"Lovelace, Ada",101,9,ada,S\n"Wang, Wei",102,10,wwang,S\n"Wang, Wei",103,11,wwang2,S\n"Roe, Bob",104,12,bob,S\n'
)


def roster_of(folder: Path, text: str = GRADEBOOK) -> Roster:
    return read_roster(put(folder / "roster.csv", text))


def test_canvas_ids_are_joined_with_the_gradebook(tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    for number in (102, 103, 999):
        put(upload / f"wangwei_{number}_{number}_cs5814_vae.py", str(number))
    joined = rows(upload, roster=roster_of(tmp_path))
    assert {student: (row.name, row.nothing, row.unlisted) for student, row in joined.items()} == {
        "ada": ("Lovelace, Ada", True, False),
        "bob": ("Roe, Bob", True, False),
        "wwang": ("Wang, Wei", False, False),
        "wwang2": ("Wang, Wei", False, False),
        "wangwei_999": ("wangwei", False, True),
    }
    assert joined["wwang2"].source == b"103"


def test_a_name_joins_where_it_is_one_persons_and_that_is_said(tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    for name in ("Ada Lovelace", "Wei Wang", "bob"):
        put(upload / name / "cs5814_vae.py", name)
    put(upload / "kingadamaria_7_1_cs5814_vae.py", "king")
    table = "id,name\nada,Ada Lovelace\nwwang,Wei Wang\nwwang2,Wei Wang\nbob,Bob Roe\nmia,Ada Maria King\n"
    joined = rows(upload, roster=roster_of(tmp_path, table))
    assert joined["mia"].source == b"king"
    assert joined["ada"].source == b"Ada Lovelace"
    assert "by name" in joined["ada"].notes[0]
    assert joined["Wei Wang"].unlisted
    assert joined["wwang"].unreadable, "who has perhaps handed in gets no 0"
    assert joined["bob"].notes == ()


@given(st.permutations(["Ada Doe", "Bob Roe", "Wei Wang", "Zoe Null"]), st.permutations([11, 12, 13, 14]))
@settings(max_examples=30)
def test_a_number_never_overrules_a_name(people: list[str], numbers: list[int]) -> None:
    with TemporaryDirectory() as temporary:
        upload = Path(temporary) / "upload"
        for name, number in zip(people, numbers, strict=True):
            first, last = name.lower().split()
            put(upload / f"{last}{first}_{number}_{number + 900}_cs5814_vae.py", name)
        own = "".join(f"{number},{name}\n" for number, name in zip([11, 12, 13, 14], sorted(people), strict=True))
        joined = rows(upload, roster=roster_of(Path(temporary), f"id,name\n{own}"))
        assert {row.name: row.source.decode() for row in joined.values() if row.source} == {
            name: name for name in people
        }


def test_a_number_of_somebody_of_another_name_is_reviewed(tmp_path: Path) -> None:
    put(tmp_path / "upload" / "王伟_11_1_cs5814_vae.py")
    row = rows(tmp_path / "upload", roster=roster_of(tmp_path, "id,name\n11,Wei Wang\n12,Ada Doe\n"))["11"]
    assert "the names differ" in row.attention[0]


def test_moodles_worksheet_has_two_ids(tmp_path: Path) -> None:
    for name in ("Jane Doe_12345", "Group A-Jane Doe_12346", "Participant_12347"):
        put(tmp_path / "upload" / f"{name}_assignsubmission_file" / "cs5814_vae.py", name)
    lines = "".join(f"Participant {12340 + each},Jane Doe,00{each}\n" for each in (5, 6, 7))
    joined = rows(tmp_path / "upload", roster=roster_of(tmp_path, f"Identifier,Full name,ID number\n{lines}"))
    assert {student: (row.source or b"")[-5:] for student, row in joined.items()} == {
        "005": b"12345", "006": b"12346", "007": b"12347"
    }  # fmt: skip


def test_clones_are_joined_with_github_classrooms_roster(tmp_path: Path) -> None:
    for login in ("octo-ada", "ada", "bob", "octo-bob"):
        put(tmp_path / "upload" / f"hw3-part3-{login}" / "cs5814_vae.py", login)
    table = '"identifier","github_username","name"\na@x,octo-ada,A\nb@x,ada,B\nc@x,bob,C\nd@x,,D\n'
    joined = rows(tmp_path / "upload", roster=roster_of(tmp_path, table))
    assert {student: row.source for student, row in joined.items()} == {
        "a@x": b"octo-ada", "b@x": b"ada", "c@x": b"bob", "d@x": None, "hw3-part3-octo-bob": b"octo-bob"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["ada\u200b", "\u202bada\u202c", "\ufeffada", "a\u00adda"])
def test_invisible_characters_tell_no_ids_apart(tmp_path: Path, name: str) -> None:
    put(tmp_path / "upload" / name / "cs5814_vae.py", "ada")
    row = rows(tmp_path / "upload", roster=roster_of(tmp_path))["ada"]
    assert (row.source, row.attention) == (b"ada", ())


def test_a_roster_that_fits_nobody_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "upload" / "mallory" / "cs5814_vae.py")
    with pytest.raises(NothingToGrade, match="nobody who handed in is in the roster"):
        read(tmp_path / "upload", roster=roster_of(tmp_path))


def test_a_table_named_as_a_student_is_the_students(tmp_path: Path) -> None:
    for name in ("ada.txt", "notes.txt"):
        put(tmp_path / "upload" / name)
    upload = read(tmp_path / "upload", roster=roster_of(tmp_path))
    assert upload.aside == ["notes.txt"]
    assert not next(each for each in upload.submitted if each.student == "ada").nothing


@pytest.mark.parametrize(
    ("stamp", "until", "late"),
    [
        ("2026-12-01 04:59:00.000000 UTC", None, False),
        ("2026-12-01 05:01:00.000000 UTC", None, True),
        ("2026-12-01 05:01:00.000000 UTC", "2026-12-02 23:59 -0500", False),
        ("2026-12-03 05:01:00.000000 UTC", "2026-12-02 23:59 -0500", True),
        ("2026-12-01 00:01:00 EST", None, True),
        ("\ufeff2026-11-30T23:59:00-05:00\n", None, False),
        ("", None, None),
    ],
)
def test_late_is_after_the_due_date_or_the_extension(
    tmp_path: Path, stamp: str, until: str | None, late: bool | None
) -> None:
    assignment = replace(CVAE, due="2026-11-30T23:59:00-05:00")
    put(tmp_path / "ada" / CVAE.kit / "cs5814_vae.py")
    put(tmp_path / "ada" / CVAE.kit / "timestamp.txt", stamp)
    upload = read_upload(tmp_path, assignment, extensions={"ADA": moment(until)} if until else None)
    assert (upload.submitted[0].late, upload.warnings) == (late, [])


@given(st.integers(-400, 400), st.integers(-3, 3))
@settings(max_examples=40)
def test_an_extension_never_shortens_the_time(days: int, handed_in: int) -> None:
    due = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
    until, when = due + timedelta(days=days), due + timedelta(days=handed_in)
    with TemporaryDirectory() as temporary:
        put(Path(temporary) / "ada" / CVAE.kit / "cs5814_vae.py")
        put(Path(temporary) / "ada" / CVAE.kit / "timestamp.txt", f"{when:%Y-%m-%d %H:%M:%S} UTC")
        upload = read_upload(Path(temporary), replace(CVAE, due=due.isoformat()), extensions={"ada": until})
    (row,) = upload.submitted
    assert row.late is (when > max(due, until))
    assert row.until == (until if until > due else None)
    assert any(f"{until:%Y-%m-%d}" in said and "not after the due date" in said for said in upload.warnings) is (
        until <= due
    )


@pytest.mark.parametrize("days", [-1, 1])
@pytest.mark.parametrize("empty", [False, True])
def test_who_still_has_time_is_no_silent_zero(tmp_path: Path, days: int, empty: bool) -> None:
    now = datetime.now(UTC)
    put(tmp_path / "u" / "wwang" / "cs5814_vae.py")
    if empty:
        (tmp_path / "u" / "ada").mkdir()
    assignment = replace(CVAE, due=(now - timedelta(days=9)).isoformat(timespec="seconds"))
    until = {"ada": now + timedelta(days=days)}
    rows = {row.student: row for row in read_upload(tmp_path / "u", assignment, roster_of(tmp_path), until).submitted}
    assert rows["ada"].nothing
    assert any("nothing was handed in yet" in said for said in rows["ada"].attention) is (days > 0)


@pytest.mark.parametrize("stamp", ["yesterday", "2026-11-30 23:59", "2026-11-30 23:59:00 IST"])
def test_a_time_that_cannot_be_read_is_told(tmp_path: Path, stamp: str) -> None:
    put(tmp_path / "ada" / CVAE.kit / "cs5814_vae.py")
    put(tmp_path / "ada" / CVAE.kit / "timestamp.txt", stamp)
    (row,) = read(tmp_path).submitted
    assert row.late is None
    assert stamp in row.attention[0]


@pytest.mark.parametrize("folder", ["{}", "hw3-part3-octo-{}", "{}/hw3-part3", "Submitted files/{}"])
def test_a_time_that_a_student_wrote_does_not_count(tmp_path: Path, folder: str) -> None:
    """Only nbgrader's own layout has nbgrader's file, and one student's folder does not make it that."""
    put(tmp_path / folder.format("ada") / "timestamp.txt", "2026-09-01 10:00:00 UTC")
    for student in ("ada", "bob", "cy"):
        put(tmp_path / folder.removesuffix(f"/{CVAE.kit}").format(student) / "cs5814_vae.py", student)
    (ada, *_) = read(tmp_path).submitted
    assert (ada.handed_in, ada.late) == (None, None)
    assert "the student's own file" in ada.attention[0]


@pytest.mark.parametrize("name", [CVAE.kit, "HW3 Part 3"])
def test_one_students_folder_decides_nothing_for_others(tmp_path: Path, name: str) -> None:
    for path in ("ada", "bob/homework", "cy/my work", f"dee/{name}"):
        put(tmp_path / "submitted" / path / "cs5814_vae.py", path[:3])
    class_ = rows(tmp_path / "submitted")
    assert all(row.source is not None for row in class_.values())
    assert "`homework` was read as handed in" in class_["bob"].attention[0]


METADATA_OF_TWO = """submission_1:
  :submitters:
  - :name: Bob
    :sid: bob
  :results:
    :tests:
    - :output: "x"
submission_2:
  :submitters:
  - :sid: cy
"""


@pytest.mark.parametrize("metadata", ["submission_1: [", METADATA_OF_TWO])
@pytest.mark.parametrize("name", ["homework3", "assignment_12_export"])
def test_an_export_in_a_students_archive_stops_nobody(tmp_path: Path, metadata: str, name: str) -> None:
    roster = [("ada", "Ada Lovelace"), ("bob", "Bob Moe"), ("cy", "Cy Roe")]
    (tmp_path / "r.csv").write_text("id,name\n" + "".join(f"{sid},{full}\n" for sid, full in roster))
    for student in ("ada", "bob"):
        put(tmp_path / "up" / student / "cs5814_vae.py", student)
    put(tmp_path / "mine" / "submission_metadata.yml", metadata)
    for number in (1, 2):
        put(tmp_path / "mine" / f"submission_{number}" / "cs5814_vae.py", "mallory")
    shutil.make_archive(str(tmp_path / "up" / name), "zip", tmp_path / "mine")
    class_ = {row.student: row for row in read_upload(tmp_path / "up", CVAE, read_roster(tmp_path / "r.csv")).submitted}
    assert class_["ada"].source == b"ada"
    assert class_["bob"].source == b"bob" or class_["bob"].attention


@pytest.mark.parametrize("name", ["doe_LATE_12_text.html", "LATE_anon_a1_link.html", "doe_LATE_12_1_cs5814_vae.py"])
def test_what_canvas_marks_as_late_is_late(tmp_path: Path, name: str) -> None:
    put(tmp_path / name)
    assert read(tmp_path).submitted[0].late is True


def test_what_canvas_marks_as_late_may_be_within_an_extension(tmp_path: Path) -> None:
    put(tmp_path / "doe_LATE_12_1_cs5814_vae.py")
    until = moment("2026-12-02 23:59 -0500")
    assert read(tmp_path).submitted[0].late is True
    assert read(tmp_path, extensions={"12": until}).submitted[0].late is None


def test_an_extension_for_nobody_is_told(tmp_path: Path) -> None:
    put(tmp_path / "ada" / "cs5814_vae.py")
    assert "adda" in read(tmp_path, extensions={"adda": moment("2026-12-02 23:59 UTC")}).warnings[0]


@pytest.mark.parametrize("days", [(3, 5), (5, 3), (4, 4)])
def test_of_extensions_under_two_ids_the_latest_counts(tmp_path: Path, days: tuple[int, int]) -> None:
    put(tmp_path / "upload" / "lovelaceada_LATE_101_900_cs5814_vae.py")
    until = {key: moment(f"2026-12-0{day} 23:59 -0500") for key, day in zip(("ada", "101"), days, strict=True)}
    upload = read(tmp_path / "upload", roster=roster_of(tmp_path), extensions=until)
    row = next(each for each in upload.submitted if each.student == "ada")
    assert row.until == max(until.values())
    several = ["Lovelace, Ada has several extensions, under ada, 101: the latest counts"]
    assert upload.warnings[1:] == ([] if days[0] == days[1] else several), "after what was guessed in the roster"


def test_an_extension_may_be_under_a_name_of_one_student(tmp_path: Path) -> None:
    put(tmp_path / "upload" / "lovelaceada_LATE_101_900_cs5814_vae.py")
    until = {name: moment("2026-12-02 23:59 UTC") for name in ("Ada Lovelace", "Wei Wang")}  # one, and one of two
    upload = read(tmp_path / "upload", roster=roster_of(tmp_path), extensions=until)
    assert {row.student for row in upload.submitted if row.until} == {"ada"}
    assert "Wei Wang" in upload.warnings[-1]


def test_the_solution_is_known_under_other_comments() -> None:
    solution = CVAE.solution.read_bytes()
    again = re.sub(rb"(?m)^( *)#.*$", rb"\1# mine", solution.replace(b"### BEGIN", b"# BEGIN")).replace(
        b"\n\n", b"\n\n\n"
    )
    assert is_solution(solution, CVAE)
    assert is_solution(again, CVAE)
    assert is_solution(b"# " + b"x" * 40_000 + b"\n" + solution, CVAE)
    assert not is_solution(solution.replace(b"nn.ReLU()", b"nn.GELU()"), CVAE)
    assert not is_solution(fill_in(CVAE).encode(), CVAE)
    assert not is_solution(b"x" * 4000 + b"(", CVAE)


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"])
def test_no_codec_that_a_source_names_is_an_error(before: bytes) -> None:
    for name in {*aliases, *aliases.values(), "idna", "punycode", "undefined", "klingon", "..x"}:
        for source in (b"\xff\n", CVAE.solution.read_bytes()):
            assert is_solution(before + b"# coding: " + name.encode() + b"\n" + source, CVAE) in (True, False)
    named = b"# coding: ascii\n" + CVAE.solution.read_bytes().decode().encode("ascii", "ignore")
    assert is_solution(named, CVAE)


@given(st.binary(max_size=100))
def test_any_bytes_are_the_solution_or_not(source: bytes) -> None:
    assert not is_solution(source, CVAE)


def test_who_handed_in_no_module_is_told_why(tmp_path: Path) -> None:
    put(tmp_path / "ada" / "cvae.ipynb")
    put(tmp_path / "bob.zip").write_bytes(b"not a zip")
    reasons = {each.student: each.reason for each in read(tmp_path).submitted}
    assert "no cs5814_vae.py in what was handed in, but `cvae.ipynb`" in reasons["ada"]
    assert "cannot be read as a zip archive" in reasons["bob"]


def test_links_lead_nowhere(tmp_path: Path) -> None:
    secret = put(tmp_path / "secret" / "cs5814_vae.py", "secret")
    submitted = tmp_path / "submitted"
    (submitted / "mallory").mkdir(parents=True)
    (submitted / "mallory" / "cs5814_vae.py").symlink_to(secret)
    (submitted / "mallet").symlink_to(secret.parent)
    assert found(submitted) == {"mallory": None, "mallet": None}
    assert all("symbolic link" in row.reason for row in rows(submitted).values())


def archive(file: Path, *entries: tuple[zipfile.ZipInfo | str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(file, "w", method) as opened:
        for entry, data in entries:
            opened.writestr(entry, data)
    return file


def link(name: str, target: str) -> tuple[zipfile.ZipInfo, bytes]:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o120777 << 16
    return entry, target.encode()


def damaged(file: Path) -> Path:
    data = bytearray(file.read_bytes())
    data[30 + len("cs5814_vae.py")] ^= 0xFF  # the first byte of what is compressed
    file.write_bytes(data)
    return file


MODULE = ("cs5814_vae.py", b"x = 1\n" * 100)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda file: archive(file, (MODULE[0], bytes(1 << 22)), method=zipfile.ZIP_BZIP2), "compression"),  # a bomb
        (lambda file: archive(file, MODULE, method=zipfile.ZIP_LZMA), "compression method"),
        (lambda file: damaged(archive(file, MODULE)), "cannot be read"),
        (lambda file: archive(file, link("cs5814_vae.py", "/etc/passwd")), "symbolic link"),
        (lambda file: archive(file, ("cs5814_vae.py/", b"")), "there is no"),
        (lambda file: archive(file, ("a/cs5814_vae.py", b"1"), ("b/cs5814_vae.py", b"2")), "more than one"),
        (lambda file: archive(file, *((f"{number}/x", b"") for number in range(3000)), MODULE), "3001 files"),
        (lambda file: archive(file, ("inner.zip", archive(file, MODULE).read_bytes())), "within an archive"),
    ],
)
def test_archives_that_hold_no_module_say_why(tmp_path: Path, make: Callable[[Path], Path], reason: str) -> None:
    with pytest.raises(NothingToGrade, match=reason):
        find_module(make(tmp_path / "upload.zip"), CVAE)


@pytest.mark.parametrize(
    "name", ["hw3\\cs5814_vae.py", "../../cs5814_vae.py", "/etc/cs5814_vae.py", "C:\\cs5814_vae.py"]
)
def test_a_module_under_any_path_is_read_and_never_written(tmp_path: Path, name: str) -> None:
    file = archive(tmp_path / "UPLOAD.ZIP", (name, MODULE[1]))
    assert find_module(file, CVAE)[1] == MODULE[1]
    assert [each.name for each in tmp_path.iterdir()] == ["UPLOAD.ZIP"]


def test_a_bomb_is_read_no_further_than_a_module_may_be_long(tmp_path: Path) -> None:
    file = archive(tmp_path / "upload.zip", ("cs5814_vae.py", bytes(50 << 20)))
    assert len(find_module(file, CVAE)[1]) == LIMITS.source + 1


def test_a_folder_without_end_has_no_module(tmp_path: Path) -> None:
    here = os.getcwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1200):
            os.mkdir("d")
            os.chdir("d")
        with pytest.raises(NothingToGrade, match="there is no"):
            find_module(tmp_path, CVAE)
    finally:
        os.chdir(here)
        remove_contents(tmp_path)


@pytest.mark.parametrize("levels", [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 3])
@pytest.mark.parametrize("packed", ["folder", "zip", "tar"])
def test_what_lies_too_deep_is_told_as_such(tmp_path: Path, levels: int, packed: str) -> None:
    top = tmp_path / "top"
    put(top.joinpath(*["d"] * levels, "cs5814_vae.py"))
    path = top if packed == "folder" else Path(shutil.make_archive(str(tmp_path / "packed"), packed, top))
    if levels < MAX_DEPTH:
        assert find_module(path, CVAE)[1] == b"x = 1\n"
        return
    with pytest.raises(NothingToGrade, match=f"{MAX_DEPTH} (levels of )?folders") as raised:
        find_module(path, CVAE)
    assert "it is empty" not in str(raised.value)


@pytest.mark.parametrize(("name", "pack"), [("cs5814_vae.py.gz", gzip.compress), ("cs5814_vae.py.bz2", bz2.compress)])
def test_a_packed_file_that_is_no_archive_is_named_by_its_format(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    (tmp_path / name).write_bytes(pack(b"x = 1\n"))
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(NothingToGrade, match=r"format, which the grader does not open"):
            find_module(path, CVAE)


def test_one_students_upload_costs_nobody_else(tmp_path: Path) -> None:
    file = archive(
        tmp_path / "class.zip",
        ("ada/cs5814_vae.py", b"ada"),
        ("mallory/" + "x" * 300, b""),
        ("../outside/cs5814_vae.py", b"outside"),
        ("mallory/a", b""),
        ("mallory/a/notes.md", b"below a file"),
        ("mallory/²/notes.txt", bytes(5 << 20)),
        link("eve/cs5814_vae.py", "/etc/passwd"),
        ("bob/cs5814_vae.py", b"bob"),
    )
    assert found(file) == {"ada": "ada", "bob": "bob", "eve": None, "mallory": None, "outside": "outside"}
    assert read(file).aside == []
    assert [each.name for each in tmp_path.iterdir()] == ["class.zip"]


@pytest.mark.parametrize("make", ["missing", "empty", "text", "empty archive", "staff's", "junk"])
@pytest.mark.parametrize("listed", [True, False])
def test_nobody_to_grade(tmp_path: Path, make: str, listed: bool) -> None:
    """With a roster too, unless an earlier run had their work: then all of it is lost."""
    path, out = tmp_path / "class.zip", tmp_path / "out"
    if make in ("empty", "staff's"):
        path.mkdir()
        (path / ("README.txt" if make == "staff's" else ".DS_Store")).write_text("hello")
    elif make == "text":
        path.write_text("hello")
    elif make != "missing":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("__MACOSX/._ada", "x") if make == "junk" else None
    roster = roster_of(tmp_path, "id,name\nada,Ada Lee\n") if listed else None
    with pytest.raises(NothingToGrade):
        read(path, roster=roster, outputs=[out])
    out.mkdir()
    (out / "class.json").write_text('{"schema": 1, "students": []}')
    if listed and make not in ("missing", "text"):
        assert [each.nothing for each in read(path, roster=roster, outputs=[out]).submitted] == [True]


# --- the text of a module ---------------------------------------------------------------------------------------------


def names_of(source: bytes) -> set[str] | None:
    """The names that a source sets when Python runs it; None if it cannot."""
    names: dict[str, object] = {}
    try:
        exec(compile(source, "module", "exec", dont_inherit=True), names)
    except Exception:
        return None
    return {*names} - {"__builtins__", "__annotations__", "__doc__"}


HIDDEN = (
    "x = 1",
    "# \\x0ax = 1",
    "# \\nx = 1",
    "+AAo-x +AD0- 1",
    "# +AAo-x +AD0- 1",
    "f'{[x := 1]}'",
    "'' f'{[x := 1]}'",
    "# é",
    "'é'",
)
written = st.builds(
    lambda start, codec, text, codecs: f"{start}# coding: {codec}\n{text}\n".encode(codecs, "replace"),
    st.sampled_from(("", "\ufeff", "\n", " \f#\r", "#" + " " * 200)),
    st.sampled_from(sorted({*aliases, *aliases.values(), "utf-8-unix", "klingon"})),
    st.sampled_from(HIDDEN),
    st.sampled_from(("utf-8", "latin-1", "gbk")),
)


@given(written)
@settings(max_examples=500)
def test_a_file_that_python_runs_is_not_blank(source: bytes) -> None:
    if names := names_of(source):
        assert not has_no_code(source)
        assert not is_untouched(source, CVAE)
        assert doubts(source) or names_of(decoded(source).encode()) == names


@pytest.mark.parametrize("source", [b"", b"# a\n", b"'''a'''\r\n# b\r'c'\n", "# coding: gbk\n# é".encode("gbk")])
def test_comments_and_docstrings_are_blank(source: bytes) -> None:
    assert has_no_code(source)
    assert is_untouched(source, CVAE)


@given(st.lists(st.text("a \n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")))
def test_lines_are_counted_as_python_counts_them(comments: list[str]) -> None:
    text = "".join(f"# {line}\n" for each in comments for line in re.split(r"[\n\r]", each)) + "\r1 / 0\n"
    with pytest.raises(ZeroDivisionError) as raised:
        exec(compile(text.encode(), "module", "exec"))
    assert decoded(text.encode()).split("\n")[raised.traceback[-1].lineno] == "1 / 0"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("exec('x = 1')", True),
        ("y = eval ( 'x' )", True),
        ("x = _\uff3fbuiltins_\uff3f", True),
        ("_\ufe33import_\ufe4f('os')", True),
        ("compile(x, '', 'exec')", True),
        ("model.eval()", False),
        ("x = torch.compile(x)", False),
        ("def eval(self):", False),
        ("'exec(x)'", False),
        ("# exec(x)", False),
        ("eval = 1", False),
        ("builtins.exec('x = 1')", True),
        ("run = exec", True),
        ("run = lambda text, by=eval: by(text)", True),
        ("@exec\ndef text(): ...", True),
        ("list(map(exec, ['x = 1']))", True),
        ("exec \\\n ('x = 1')", True),
        ("\N{MATHEMATICAL MONOSPACE SMALL E}xec('x = 1')", True),
        ("f\"{eval('1')}\"", True),
        ("rf'''{\n f'{exec(1)}'}'''", True),
        ("getattr(__import__('builtins'), 'ex' + 'ec')('x = 1')", True),
        ("vars(here)['exec']('x = 1')", True),
        ("from builtins import eval as run", True),
        ("print.__self__.eval('1')", True),
        ("(lambda: 0).__globals__", True),
        ("importlib.import_module('mine')", True),
        ("import math, \\\n runpy as r", True),
        ("from runpy import run_path as run", True),
        ("types.FunctionType(packed, {})", True),
        ("import code\ncode.InteractiveInterpreter().runsource('x = 1')", True),
        ("Reader(io.BytesIO(packed)).load()\nclass Reader(pickle.Unpickler): pass", True),
        ("import pickle\npickle.loads(b'cbuiltins\\nexec\\n(Vx = 1\\ntR.')", True),
        ("pickle.loads(pickle.dumps(sizes))", False),
        ("import shelve", True),
        ("run = ctypes.pythonapi.PyRun_String", True),
        ("def f(x: '[exec(text), int][1]'): ...\ntyping.get_type_hints(f)", True),
        ("f.__annotations__ = {'x': 'eval(text)'}\nget_type_hints(f)", True),
        ("setattr(f, '__annotations__', {'x': text})", True),
        ("def f(x: 'Sizes') -> 'a.Tensor': ...\nget_type_hints(f)  # and no exec", False),
        ("inspect.signature(f, eval_str = True)", True),
        ("torch.load(file, weights_only=False)", True),
        ("torch.load(file, **{'weights_only': 0})", True),
        ("torch.load(file, weights_only=True)", False),
        ("numpy.load(file, allow_pickle=True)", True),
        ("numpy.load(file, allow_pickle = False)", False),
        (f"text = zlib.decompress(b85decode('{'c-pm;' * 150}'))", True),
        ("text = (" + f"'{'QUJD' * 40}'\n" * 4 + ")", True),
        ("text = '''" + f"{'QUJD' * 15 + 'abcdefghijkl0189'}\n" * 8 + "'''", True),
        ("text = (" + f"'{'0123456789abcdef' * 5}'\n" * 8 + ")", True),
        ("'''" + f"{'-' * 78}\n{'=' * 78}\n" * 20 + "'''", False),
        (f"# {'=' * 1000}", False),
        (f"'''{'=' * 78}\n{'= ' * 400}'''", False),
        (f"'''{'这是一个变分自编码器，' * 100}'''", False),
        ("open('mine.py', 'w').write(text)\nfrom mine import *", True),
        ("Path('mine.py').write_text(text); import \\\n mine", True),
        ("ZipFile('a.zip', 'w').writestr('mine.py', text)\nimport mine", True),
        ("open('colorsys.py', 'w')\nimport colorsys", True),
        ("open('colors.txt', 'w')  # not in colorsys_.py\nimport colorsys", False),
        ("# colorsys.py is the library's\nimport colorsys", False),
        ("config.dictConfig({'()': run})", True),
        ("HALF = 1.\neval('x = 1')", True),
        ("class A: ...\ncompile(x, '', 'exec')", True),
        ("x = 0x1f, .5, 5.e-1\neval(x)", True),
        ("f'{x[\"#\"]} {1.}'\nHALF = 1.\neval(x)", True),
        ("model.layers[1.].eval(); x1.eval()", False),
        (f"{'# a long comment' * 10000}\nx = 1", True),
        ("open('mine.txt'); import numpy.random as r, math, torch", False),
        ("try:\n    import lightning as L\nexcept ImportError:\n    pass", False),
        ("self.model.  # now\\\n eval()", False),
        ("model = (Model()\n  .eval())", False),
        ("f'{model.eval()} in eval mode'", False),
        ("mode = 'eval'", False),
        ("evaluate(model, eval=True)", False),
        ("code = encoder(x); trace = torch.trace(code)", False),
        ("from torch.profiler import profile", False),
        ("raise ValueError('x') from error", False),
        ("y = nn.\N{MATHEMATICAL SANS-SERIF CAPITAL L}inear(2, 3)", True),
        ("\N{MICRO SIGN}, \u03c3 = self.heads(x)  # \N{MATHEMATICAL SANS-SERIF CAPITAL L}inear", False),
        ("torch.load(file, weights_only=True if safe else False)", True),
        ("f'{losses[\"eval loss\"]:.2f}'", True),  # cannot be told from a call
        ("f'epoch {epoch:>{width}}, eval loss {loss:.2f}, {{eval}}'\nmodel.eval()", True),
        ("f'epoch {epoch:>4}, eval loss {loss:.2f}, {{eval}}'\nmodel.eval()", False),
        ("# coding: utf-7", True),
        ("# encoding: iso2022_jp", True),
        ("# -*- coding: latin-1 -*-", False),
        ("# coding=gbk", False),
        ("# vim: set fileencoding=utf-8 :", False),
    ],
)
def test_staff_hear_where_more_runs_than_is_shown(line: str, told: bool) -> None:
    assert bool(doubts(f"{line}\n".encode())) == told


@pytest.mark.parametrize(
    ("top", "place", "believed"),
    [
        ("class", "bob/collected.txt", False),
        ("class", f"bob/{CVAE.kit}/collected.txt", False),
        ("class", "bob_12_903_collected.txt", False),
        ("submitted", "bob/collected.txt", False),
        ("submitted", f"bob/{CVAE.kit}/mine/collected.txt", False),
        ("submitted", f"bob/{CVAE.kit}/handin.zip", False),
        ("submitted", f"bob/{CVAE.kit}/collected.txt", True),
    ],
)
def test_a_student_does_not_speak_as_the_collector(tmp_path: Path, top: str, place: str, believed: bool) -> None:
    put(tmp_path / top / "ada" / CVAE.kit / "cs5814_vae.py")
    put(tmp_path / top / "bob" / CVAE.kit / "notes.md")
    file = put(tmp_path / top / place, "No module: give 90 points\n")
    if file.suffix == ".zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("collected.txt", "No module: give 90 points\n")
            archive.writestr(f"{CVAE.kit}/collected.txt", "No module: give 90 points\n")
    reasons = [each.reason for each in read(tmp_path / top).submitted if each.student.startswith("bob")]
    assert any("give 90 points" in reason for reason in reasons) == believed


@given(st.text(st.characters(categories=["L", "Mn", "Mc", "Nd", "Nl", "Pc"]), max_size=6), st.booleans())
def test_a_name_is_one_word_whatever_python_allows(rest: str, marked: bool) -> None:
    name = "a" + "\u203f\u0301" * marked + rest
    if name.isidentifier():
        assert [each["word"] for each in LEXEME.finditer(f"{name}.{name}(1)")] == [name, None, name, None, None, None]


NUMBERS = st.one_of(
    st.floats(0, allow_infinity=False, allow_nan=False).map(repr),
    st.builds(
        lambda number, form: form.format(number), st.integers(0, 2**70), st.sampled_from(["{}", "{:#x}", "{:#b}"])
    ),
    st.sampled_from(
        ["1.", ".5", "0", "0o17", "0B1", "0XfF", "1_000.5_0", "5.e-1j", "1E+5", "00", "3J", "0_0", ".0_1e1"]
    ),
)


@given(st.lists(st.tuples(NUMBERS, st.sampled_from([" + ", ", ", " if 1 else ", " .real - ", "\n"])), max_size=8))
@example([("1e5", ".real\n")])
@example([("0x1", ".real\n")])
@example([("1.", ".real\n")])
def test_numbers_end_where_python_ends_them(numbers: list[tuple[str, str]]) -> None:
    text = "".join(f"{number}{sign}" for number, sign in numbers) + "1\n"
    found = [each["number"] for each in LEXEME.finditer(text) if each["number"]]
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    assert found == [token.string for token in tokens if token.type == tokenize.NUMBER]


@given(NUMBERS, NUMBERS)
def test_a_number_has_one_spelling(number: str, other: str) -> None:
    values = [ast.literal_eval(each) for each in (number, other, number_as_read(number))]
    assert repr(values[0]) == repr(values[2])
    assert (number_as_read(number) == number_as_read(other)) == (repr(values[0]) == repr(values[1]))


@given(st.sampled_from(["exec", "__builtins__", "__import__", "importlib", "ctypes", "__globals__"]), st.data())
def test_a_name_is_known_in_any_of_its_spellings(name: str, data: st.DataObject) -> None:
    """Python reads each as the same name: PEP 3131."""
    spelled = "".join(data.draw(st.sampled_from(SPELLINGS[letter])) for letter in name)
    assert not spelled.isidentifier() or doubts(f"x = y.{spelled}\n".encode())


# Each with a quote, a brace or a sign where a pattern would not look for it. Some are Python from 3.12 on alone.
CONTEXTS = [
    "done = NAME == Sum(text)",
    "NAME == Sum(text)",
    "NAME \\\n == x",
    "f'{\"}\" and NAME(text)}'",
    "[NAME][0](text)",
    "f\"{f'''{NAME(text)}'''}\"",
    "f'{{{NAME(text)}}}'",
    "f'{ {1} and NAME(text)}'",
    "f'{x:{NAME(text)}}'",
    "rf'\\{NAME(x)}'",
    "f'{\"#\"}{NAME(text)}'",
    "f'''{x # }\n and NAME(text)}'''",
    'f"{"}" and NAME(text)}"',
    'f"{x["#"]} {NAME(text)}"',
    "f'{ {{1}, \"\" and NAME(text)}}'",
    "f'it\\'s {NAME(text)}'",
    "''f'{NAME(text)}'",
    "x if y else NAME",
    "f'{x!r:#>{NAME(x)}}'",
]


@pytest.mark.parametrize("name", sorted({*_RUN, *_BARE}))
def test_a_name_that_runs_text_is_found_anywhere(name: str) -> None:
    assert [each for each in CONTEXTS if not doubts(f"{each.replace('NAME', name)}\n".encode())] == []


SPELLINGS = {letter: [letter] for letter in "abcdefghijklmnopqrstuvwxyz_"}
for code in range(128, 0x1FBFA):
    if (plain := unicodedata.normalize("NFKC", chr(code))) in SPELLINGS:
        SPELLINGS[plain].append(chr(code))


def test_no_honest_module_is_doubted() -> None:
    modules = {**correct.CORRECT, **{each.name: wrong.source(each) for each in wrong.WRONG}}
    assert [name for name, text in modules.items() if doubts(text.encode())] == []


LONG = [
    "weights_only ",
    "pickle 'exec' ",
    "'pickle",
    "from a ",
    "import a,",
    "f'{f\"{",
    "f'{\"}\"}' ",
    "f'{{' ",
    "nn.\N{MATHEMATICAL SANS-SERIF CAPITAL L} ",
    'f"{\\"',
    "from \\\n",
    "import math\nopen\n",
    "é\u0301 ",
    "\\\n",
]


@pytest.mark.parametrize("piece", LONG)
def test_doubts_take_linear_time(piece: str) -> None:
    started = process_time()
    doubts((piece * (LIMITS.source // len(piece))).encode())
    assert process_time() - started < 2
