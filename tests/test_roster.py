"""Rosters and extensions, as Canvas, nbgrader, spreadsheets and people write them."""

import csv
import io
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.submissions.roster import RosterError, moment, read_extensions, read_roster

CANVAS = [
    ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "hw3-part3 (12345)"],
    ["", "", "", "", "", "Manual Posting"],
    ["    Points Possible", "", "", "", "", "100"],
    ["Lovelace, Ada", "101", "9", "ada", "S1", ""],
    ["Wang, Wei", "102", "10", "wwang", "S1", ""],
    ["Wang, Wei", "103", "11", "wwang2", "S1", ""],
    ["Student, Test", "7", "", "a0b1c2", "S1", ""],
]


def text_of(rows: list[list[str]], separator: str = ",") -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=separator).writerows(rows)
    return file.getvalue()


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    file = folder / "table.csv"
    file.write_bytes(text.encode(encoding))
    return file


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_canvas_gradebook(tmp_path: Path, separator: str, encoding: str) -> None:
    roster = read_roster(written(tmp_path, text_of(CANVAS, separator), encoding))
    assert [(each.id, each.name) for each in roster.students] == [
        ("ada", "Lovelace, Ada"), ("wwang", "Wang, Wei"), ("wwang2", "Wang, Wei")
    ]  # fmt: skip
    assert [each.keys["canvas"] for each in roster.students] == ["101", "102", "103"]
    assert roster.columns == CANVAS[0]
    assert len(roster.notes) == 3  # every row that is no student's is told


def test_a_canvas_gradebook_without_logins_has_canvas_ids(tmp_path: Path) -> None:
    rows = [[row[0], row[1], row[4], row[5]] for row in CANVAS]
    assert [each.id for each in read_roster(written(tmp_path, text_of(rows))).students] == ["101", "102", "103"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id,first_name,last_name,email,lms_user_id\nada,Ada,Lovelace,a@x.edu,7\n", ("ada", "Ada Lovelace")),
        ("First Name,Last Name,SID,Email,Sections\nAda,Lovelace,ada,a@x.edu,\n", ("ada", "Ada Lovelace")),
        ('"Last Name"\t"First Name"\t"Username"\nLovelace\tAda\tada\n', ("ada", "Ada Lovelace")),
        ("sep=;\nid;name\nada;Ada Lovelace\n", ("ada", "Ada Lovelace")),
        ("student\nada\n", ("ada", "ada")),
    ],
)
def test_other_rosters(tmp_path: Path, text: str, expected: tuple[str, str]) -> None:
    (student,) = read_roster(written(tmp_path, text)).students
    assert (student.id, student.name) == expected


def test_students_are_found_by_any_key_unless_two_share_it(tmp_path: Path) -> None:
    roster = read_roster(written(tmp_path, text_of(CANVAS)))
    assert [roster.find(key).id for key in ("ADA", "101", " 9 ")] == ["ada", "ada", "ada"]  # type: ignore[union-attr]
    assert roster.find("9", "canvas") is None
    assert roster.find("") is None
    assert len(roster.named("wei wang")) == 2


def test_what_is_guessed_is_said(tmp_path: Path) -> None:
    roster = read_roster(written(tmp_path, "id,name\nbob,Bób\n", "cp1252"))
    assert roster.students[0].name == "Bób"
    assert "Windows-1252" in roster.notes[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("id,name\n", "lists no students"),
        ("ada\nbob\n", "line 1: no column"),
        ("id,name\nada,Ada\n,Bob\n", "line 3: this student has no id"),
        ("id,name\nada,Ada\n\nADA,Another\n", "line 4: the id ADA is also that of Ada in line 2"),
        ("id,name\nada,Lovelace, Ada\n", "line 2: 3 cells"),
        ("Student,ID,Section\nA,1,S\nB,,S\n", "line 3: B has no ID"),
    ],
)
def test_a_roster_that_is_wrong_names_the_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(RosterError, match=f"table.csv.*{reason}"):
        read_roster(written(tmp_path, text))


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)).map(lambda when: when.replace(microsecond=0)),
    st.integers(-14 * 60, 14 * 60),
)
def test_a_moment_is_read_as_it_was_meant(when: datetime, minutes: int) -> None:
    zoned = when.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    for form in ("%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S%z"):
        assert moment(zoned.strftime(form)) == zoned
    assert moment(zoned.isoformat()) == zoned
    assert moment(when.strftime("%Y-%m-%d %H:%M:%S UTC")) == when.replace(tzinfo=UTC)


def test_a_zones_name_follows_daylight_saving() -> None:
    assert moment("2026-10-31 23:59 America/New_York") == moment("2026-10-31 23:59 -0400")
    assert moment("2026-11-01 23:59 America/New_York") == moment("2026-11-01 23:59 -0500")
    with pytest.raises(ValueError, match="clocks change"):
        moment("2026-11-01 01:30 America/New_York")


def test_extensions(tmp_path: Path) -> None:
    text = "student;until;why\nada;2026-12-02 23:59 -0500;ill\nbob;2026-12-03T23:59:00Z;\n"
    assert read_extensions(written(tmp_path, text)) == {
        "ada": datetime(2026, 12, 3, 4, 59, tzinfo=UTC),
        "bob": datetime(2026, 12, 3, 23, 59, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("student,until\nada,2026-12-02 23:59\n", "line 2: .* its zone"),
        ("student,until\nada,2026-12-02 23:59 EST\n", "line 2: .* its zone"),
        ("student,until\nada,2026-02-30 23:59 UTC\n", "line 2: .* its zone"),
        ("student,until\n,2026-02-20 23:59 UTC\n", "line 2: no student"),
        ("student,until\nada,2026-02-20 23:59 UTC\nADA,2026-02-21 23:59 UTC\n", "line 3: ADA is in line 2"),
        ("student,date\nada,2026-02-20\n", "line 1: the columns"),
    ],
)
def test_extensions_that_are_wrong_name_the_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(RosterError, match=f"table.csv, {reason}"):
        read_extensions(written(tmp_path, text))
