"""Rosters and extensions, as Canvas, nbgrader, spreadsheets and people write them."""

import csv
import io
import re
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from zoneinfo import TZPATH

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from autograder.submissions.roster import RosterError, moment, read_extensions, read_roster
from autograder.submissions.times import in_zone, read_moment, read_stamp

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


@pytest.mark.parametrize(
    ("cell", "groups"),
    [("Group A", ("Group A",)), ("Group A, Lab 2", ("Group A", "Lab 2")), ("", ()), (" , Lab 2,", ("Lab 2",))],
)
def test_moodles_groups_are_a_list(tmp_path: Path, cell: str, groups: tuple[str, ...]) -> None:
    rows = [["First name", "Last name", "Email address", "Groups"], ["Ada", "Lovelace", "a@x.edu", cell]]
    (ada,) = read_roster(written(tmp_path, text_of(rows))).students
    assert ada.groups == groups


def test_a_name_of_which_a_part_is_missing_is_told(tmp_path: Path) -> None:
    roster = read_roster(written(tmp_path, "id,Surname,Moniker\nada,Lovelace,Ada\n"))
    assert (roster.students[0].name, len(roster.notes)) == ("Lovelace", 1)


@pytest.mark.parametrize(
    ("header", "row", "keys"),
    [
        ("Roll No.,Name", "21CS{},Ada", {"id": "21CS4"}),
        ("S.No,Reg. Number,Student Name", "{},R7{},Ada", {"id": "R74"}),  # the first counts the rows
        ("Registration No,Roll No,Name", "R7{},21CS{},Ada", {"id": "R74", "other id": "21CS4"}),
        ("Matric No,First Name,Last Name", "U7{},Ada,Lovelace", {"id": "U74"}),
        ("Enrolment Number,Name,Email ID", "E7{},Ada,a{}@x.edu", {"id": "E74", "email": "a4@x.edu"}),
        ("matricola,cognome,nome", "S7{},Lovelace,Ada", {"id": "S74"}),
        ("Nº de matrícula,Nombre,Apellidos", "A7{},Ada,Lovelace", {"id": "A74"}),
        ("Nr albumu,Imię,Nazwisko", "77{},Ada,Lovelace", {"id": "774"}),
        ("学号,姓名", "2026{},Ada", {"id": "20264"}),
        ("University ID,Preferred Name,Mail", "N7{},Ada,a{}@x.edu", {"id": "N74", "email": "a4@x.edu"}),
        ("Andrew ID,Name", "ada{},Ada", {"login": "ada4"}),
        ("GitHub,Name,Student ID", "ada-{},Ada,7{}", {"github": "ada-4", "id": "74"}),
        ("Section number,Team number,Name,Login", "2,5,Ada,ada{}", {"login": "ada4"}),
        ("Parent Email,Name,Roll No", "p@x.org,Ada,R7{}", {"id": "R74"}),  # another person's
    ],
)
def test_institutions_call_ids_otherwise(tmp_path: Path, header: str, row: str, keys: dict[str, str]) -> None:
    rows = [row.replace("{}", str(number)) for number in range(4, 8)]
    student = read_roster(written(tmp_path, "\n".join([header, *rows, ""]))).students[0]
    assert dict(student.keys) == keys
    assert "Ada" in student.name.split()


@pytest.mark.parametrize("form", ["ada{}", "90012345{}", "a-{}b", "2026/{}"])
@pytest.mark.parametrize(
    "heading", ["HokiePID", "J Number", "Perm #", "Tufts Username", "GT Account", "SPR Code", "eID"]
)
@pytest.mark.parametrize("other", ["", "email", "id"])
def test_an_unknown_column_with_ids_is_read_and_said(tmp_path: Path, form: str, heading: str, other: str) -> None:
    """Where there is a known one, that stays the id."""
    rows = [
        ["Name", heading, "Section ID", other],
        *(["A", form.format(at), f"3{at}4", f"a{at}@x.edu"] for at in range(4)),
    ]
    roster = read_roster(written(tmp_path, text_of([row if other else row[:3] for row in rows])))
    assert [each.id for each in roster.students] == [row[3] if other else row[1] for row in rows[1:]]
    assert [roster.find(row[1]) for row in rows[1:]] == roster.students
    assert [heading in each for each in roster.notes] == [True]


def test_lines_of_text_hide_no_column_with_ids(tmp_path: Path) -> None:
    rows = "".join(f"h{at}7,Ada{at}\n" for at in range(6))
    roster = read_roster(written(tmp_path, f"HokiePID,Name\n{rows}Waitlisted students,\nHokiePID,Name\nh97,Eve\n"))
    assert [each.id for each in roster.students] == [*(f"h{at}7" for at in range(6)), "h97"]


@pytest.mark.parametrize(
    ("heading", "form"),
    [("UIN", "90012345{}"), ("NIM", "13519{}"), ("Nº Mec.", "m{}77"), ("Zachová", "z{}ab")],
)
def test_an_unknown_column_may_be_told_by_its_cells(tmp_path: Path, heading: str, form: str) -> None:
    rows = [
        ["Name", heading, "Score", "Seen"],
        *(["A", form.format(at), f"8{at}.5", f"2026-11-0{at}"] for at in range(1, 5)),
    ]
    assert [each.id for each in read_roster(written(tmp_path, text_of(rows))).students] == [row[1] for row in rows[1:]]


@pytest.mark.parametrize(
    ("heading", "form"),
    [
        ("Section ID", "s{}77"), ("Phone", "540231123{}"), ("Row #", "{}"), ("Score", "8{}.5"), ("Seen", "2026-11-0{}"),
        ("Group Number", "g{}11"), ("Buddy ID", "a{}@x.edu"), ("Passport No", "P12345{}"),
        ("Advisor ID", "adv{}"), ("Team ID", "t1"),
    ],
)  # fmt: skip
def test_other_columns_hold_no_ids(tmp_path: Path, heading: str, form: str) -> None:
    rows = [["Name", "email", heading], *(["A", f"a{at}@x.edu", form.format(at)] for at in range(1, 5))]
    roster = read_roster(written(tmp_path, text_of(rows)))
    assert [dict(each.keys) for each in roster.students] == [{"email": row[1]} for row in rows[1:]]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("Legal First", "Legal Last"), ("Vorname(n)", "Nachname"), ("Keresztnév", "Családnév"), ("Όνομα", "Επώνυμο"),
        ("שם פרטי", "שם משפחה"), ("名", "姓"), ("Nama Depan", "Nama Belakang"), ("Prenume", "Nume"),
        ("Eesnimi", "Perekonnanimi"), ("ชื่อ", "นามสกุล"), ("Tên", "Họ"), ("Ім’я", "Прізвище"), ("Ім'я", "Прізвище"),
        ("Vārds", "Uzvārds"), ("Vardas", "Pavardė"), ("Meno", "Priezvisko"), ("الاسم الأول", "اسم العائلة"),
        ("Prénom usuel", "Nom de famille"), ("Pre\u0301nom", "Nom"),
    ],
)  # fmt: skip
def test_a_name_is_read_in_any_language(tmp_path: Path, first: str, last: str) -> None:
    roster = read_roster(written(tmp_path, f"id,{last},{first}\na1,Lovelace,Ada\nb2,By,Bo\n"))
    assert [each.name for each in roster.students] == ["Ada Lovelace", "Bo By"]
    assert roster.notes == []


@pytest.mark.parametrize(
    "column",
    [
        "Goes By", "Known As", "Rufname", "Roepnaam", "Nome Social", "Prénom d'usage", "Tilltalsnamn",
        "Preferred First", "Display Name", "Preferred Name",
    ],
)  # fmt: skip
@pytest.mark.parametrize("cell", ["Gus", "Gus Lovelace"])
def test_what_a_student_is_called_is_a_name_too(tmp_path: Path, column: str, cell: str) -> None:
    roster = read_roster(written(tmp_path, f"id,First Name,Last Name,{column}\na1,Ada,Lovelace,{cell}\nb2,Bo,By,\n"))
    assert [roster.named(name) for name in ("Ada Lovelace", "Gus Lovelace")] == [roster.students[:1]] * 2


def test_a_canvas_gradebook_without_logins_has_canvas_ids(tmp_path: Path) -> None:
    rows = [[row[0], row[1], row[4], row[5]] for row in CANVAS]
    assert [each.id for each in read_roster(written(tmp_path, text_of(rows))).students] == ["101", "102", "103"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id,first_name,last_name,email,lms_user_id\nada,Ada,Lovelace,a@x.edu,7\n", ("ada", "Ada Lovelace")),
        ("Surname,Given name(s),ID number\nLovelace,Ada,ada\n", ("ada", "Ada Lovelace")),
        ("First Name,Last Name,SID,Email,Sections\nAda,Lovelace,ada,a@x.edu,\n", ("ada", "Ada Lovelace")),
        ('"Last Name"\t"First Name"\t"Username"\nLovelace\tAda\tada\n', ("ada", "Ada Lovelace")),
        ("sep=;\nid;name\nada;Ada Lovelace\n", ("ada", "Ada Lovelace")),
        ('"Sep=;"\r\nid;name\r\nada;Ada Lovelace\r\n', ("ada", "Ada Lovelace")),
        ('id,name\n="0012",Bob\n', ("0012", "Bob")),
        ("\ufeff\ufeffid,name\n\u200bada,Ada\n\x1a", ("ada", "Ada")),
        ("student\nada\n", ("ada", "ada")),
        ("name,pid\nAda Lovelace,ada\n", ("ada", "Ada Lovelace")),
        ("ID,Student ID,Name\n1,n17,Ada Lovelace\n", ("n17", "Ada Lovelace")),
        ("Student ID,ID,Name\nn17,1,Ada Lovelace\n", ("n17", "Ada Lovelace")),
        ("id,name\nada,Ada\nTotal: 1,\n", ("ada", "Ada")),
        ("name,id\nAda,ada\nTotal,1\n", ("ada", "Ada")),
        ("id,name\nada,Ada\nTotal: 4 students,\n", ("ada", "Ada")),
        ("Nachname;Vorname;Benutzername\nLovelace;Ada;ada\n", ("ada", "Ada Lovelace")),
        ("Nom;Prénom;Adresse de courriel\nLovelace;Ada;a@x.fr\n", ("a@x.fr", "Ada Lovelace")),
        ("Apellido(s),Nombre,Nombre de usuario\nLovelace,Ada,ada\n", ("ada", "Ada Lovelace")),
        ("Identifiant,Nom complet\nParticipant 7,Ada Lovelace\n", ("Participant 7", "Ada Lovelace")),
        ("TU-ID;Vorname;Nachname\nab12cdef;Ada;Lovelace\n", ("ab12cdef", "Ada Lovelace")),
        ("UID,UIN,Name,Role\na@x.edu,7,Ada,Student\n", ("a@x.edu", "Ada")),
        ("id,name\ntotal,Ada Total\n", ("total", "Ada Total")),
        ("name,student id\nMean Sokha,906123456\n", ("906123456", "Mean Sokha")),
        ("name,student id\nSum Yi,906123457\nStudents: 1,\n", ("906123457", "Sum Yi")),
        ("id,section\nsum,1\n", ("sum", "sum")),
        ("First,Last,ID\nAda,Lovelace,ada\n", ("ada", "Ada Lovelace")),
        ("Given Names,First Name,Family,ID\nAda King,Ada,Lovelace,ada\n", ("ada", "Ada Lovelace")),
        ("ID,Legal First Name,Legal Last Name\nada,Ada,Lovelace\n", ("ada", "Ada Lovelace")),
        ("ID,Last Name (Official),First Name (Official)\nada,Lovelace,Ada\n", ("ada", "Ada Lovelace")),
        ("ID,Advisor First Name,Fname,Lname,Advisor Last Name\nada,Kim,Ada,Lovelace,Lee\n", ("ada", "Ada Lovelace")),
        ("ID,first name(s),Primary Family Name\nada,Ada,Lovelace\n", ("ada", "Ada Lovelace")),
        ("ID,Preferred First Name,Surname\nada,Ada,Lovelace\n", ("ada", "Ada Lovelace")),
        ("ID,Mother's First Name,Last Name,First Name\nada,Anne,Lovelace,Ada\n", ("ada", "Ada Lovelace")),
        ('id, name\nada, "Lovelace, Ada"\n', ("ada", "Lovelace, Ada")),
        (
            "\ufeffID;Vollständiger Name;E-Mail-Adresse\nTeilnehmer/in12;Zoë Groß;z@x.de\n",
            ("Teilnehmer/in12", "Zoë Groß"),
        ),
        ("Vorname,Nachname,Matrikelnummer\nZoë,Groß,77\n", ("77", "Zoë Groß")),
    ],
)
def test_other_rosters(tmp_path: Path, text: str, expected: tuple[str, str]) -> None:
    (student,) = read_roster(written(tmp_path, text)).students
    assert (student.id, student.name) == expected


@given(st.lists(st.sampled_from(["CS 5814, Fall 2026", "Printed on;Nov 30", "Class list", ""]), max_size=4))
def test_a_title_may_stand_above_the_columns(title: list[str]) -> None:
    """What is above them is told, and a line that is wrong has its own number all the same."""
    above = "".join(f"{line}\n" for line in title)
    with tempfile.TemporaryDirectory() as temporary:
        roster = read_roster(written(Path(temporary), f"{above}id,name\nada,Ada Lovelace\n"))
        with pytest.raises(RosterError, match=f"line {len(title) + 3}: the id ada is also that"):
            read_roster(written(Path(temporary), f"{above}id,name\nada,Ada Lovelace\nada,Bob Roe\n"))
    assert [(each.id, each.name, each.line) for each in roster.students] == [("ada", "Ada Lovelace", len(title) + 2)]
    assert len(roster.notes) == any(title)


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ("StudentID,FullName", "id"),
        ("Student Number,Student's Name", "id"),
        ("Student Email;Fullname", "email"),
        ("Advisor Email;Student E-mail Address;Name", "email"),
        ("UserName\tFirstName", "login"),
        ("Anmeldename;Nachname", "login"),
        ("student_login,name", "login"),
    ],
)
def test_a_column_may_be_written_in_one_word(tmp_path: Path, columns: str, kind: str) -> None:
    separator = next(each for each in ",;\t" if each in columns)
    row = [
        (
            "prof"
            if "Advisor" in each
            else "Ada"
            if "ame" in each.replace("UserName", "").replace("Anmeldename", "")
            else "a@x"
        )
        for each in columns.split(separator)
    ]
    (ada,) = read_roster(written(tmp_path, f"{columns}\n{separator.join(row)}\n")).students
    assert (ada.name, ada.keys) == ("Ada", {kind: "a@x"})


def test_names_of_columns_in_the_middle_are_nobody(tmp_path: Path) -> None:
    roster = read_roster(written(tmp_path, "id,name\nada,Ada\nID,Name\nbob,Bob\n"))
    assert [each.id for each in roster.students] == ["ada", "bob"]
    assert "line 3" in roster.notes[0]
    with pytest.raises(RosterError, match="line 3"):
        read_roster(written(tmp_path, "id,name\nada,Ada\nname,login\nBob,bob\n"))


@pytest.mark.parametrize(
    ("columns", "other", "rows"),
    [
        ("Student,ID,SIS Login ID,Section,HW 3 (11)", "HW 3 (22)", [" Points Possible,,,,9", '"Roe, {0}",{1},u{1},S,']),
        ("id,name,Grade", "Mark", ["u{1},{0} Roe,"]),
        ("First Name,Last Name,Email,HW 1", "HW 2", ["{0},Roe,u{1}@x,7"]),
    ],
)
def test_rosters_of_one_form_may_be_joined(tmp_path: Path, columns: str, other: str, rows: list[str]) -> None:
    """Columns that are not read may have other names."""
    names = [columns, columns.rpartition(",")[0] + f",{other}"]
    lines = [line.format(name, at) for at, name in enumerate(["Ada", "Bob"], 7) for line in [names[at - 7], *rows]]
    roster = read_roster(written(tmp_path, "\n".join(lines)))
    assert len(roster.students) == 2
    assert any(f"line {len(rows) + 2}: the names of the columns again" in note for note in roster.notes)


@pytest.mark.parametrize(
    "text", ["Waitlisted students,,", "Generated on 2026-11-30,,", ",7 in all,", "#eve,Eve Ely,e@x"]
)
@pytest.mark.parametrize("at", [1, 3])
def test_a_line_of_text_is_nobody_and_said(tmp_path: Path, text: str, at: int) -> None:
    lines = ["id,name,email", "ada,Ada Ash,a@x", "bob,Bob Bee,b@x", "late,,", ",Cy Coe,"]
    roster = read_roster(written(tmp_path, "\n".join([*lines[:at], text, *lines[at:]])))
    assert [each.id for each in roster.students] == ["ada", "bob", "late", "Cy Coe"]
    assert any(f"line {at + 1}: “{text.strip(',').split(',')[0]}” is not a student" in note for note in roster.notes)


GLUED = [
    "{0};{1}",
    "{0}\t{1}",
    "{0} {1}",
    '"{0},{1}"',
    "{0} - {1},",
    "{1} ({0})",
    "{1} <{0}@x.edu>",
    '"Late, Zed",',
    "{0}|{1}",
]


@pytest.mark.parametrize("form", GLUED)
@pytest.mark.parametrize("ids", ["kim{}", "90{}00", "a-{}-b"])
def test_a_student_in_one_cell_is_no_text(tmp_path: Path, form: str, ids: str) -> None:
    rows = "".join(f"{ids.format(at)},Ada Number{at}\n" for at in range(4)).replace("Number0", "Ash")
    rows = re.sub(r"Number\d", "Bee", rows)
    with pytest.raises(RosterError, match=r"line 6: “.*” may be a student whose cells are in one"):
        read_roster(written(tmp_path, f"id,name\n{rows}{form.format(ids.format(7), 'Zed Late')}\n"))


@pytest.mark.parametrize(
    "text", ["CS5814 waitlist", "Generated on 2026-11-30", "Section 12 (Monday)", "End of the list"]
)
def test_a_text_with_a_number_is_no_student(tmp_path: Path, text: str) -> None:
    roster = read_roster(written(tmp_path, f"id,name\nada1,Ada Ash\nbob22,Bob Bee\n{text},\n"))
    assert [each.id for each in roster.students] == ["ada1", "bob22"]


@pytest.mark.parametrize(
    "error", ["#NAME?", "#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#BEZUG!", "#¿NOMBRE?", "#NV", "######"]
)
def test_who_has_a_spreadsheets_error_for_an_id_has_a_row(tmp_path: Path, error: str) -> None:
    roster = read_roster(written(tmp_path, f"id,name\nada1,Ada Ash\nbob22,Bob Bee\n{error},Cy Coe\n"))
    assert [each.id for each in roster.students] == ["ada1", "bob22", "Cy Coe"]
    assert "Cy Coe has no id, and is known by the name" in " ".join(roster.notes)


def test_what_most_lines_begin_with_makes_no_comments(tmp_path: Path) -> None:
    for columns, lines in (("id,name", "#{0},A{0}"), ("section,id,name", "#1,{0},A{0}")):
        text = "\n".join([columns, *(lines.format(number) for number in "123"), lines.format(4).replace("#", "")])
        assert len(read_roster(written(tmp_path, text)).students) == 4


def test_another_first_name_is_a_name_too(tmp_path: Path) -> None:
    table = [["id", "Legal First Name", "Usual First Name", "Last Name"], ["1", "Alexander", "Sasha", "Roe"]]
    roster = read_roster(written(tmp_path, text_of(table)))
    assert [each.name for each in roster.students] == ["Alexander Roe"]
    assert [each.id for each in roster.named("Sasha Roe")] == ["1"]


@given(
    st.sampled_from(["id", "ID", "student"]),
    st.sampled_from(["Student ID", "SID", "Student Number", "ID Number", "Matrikelnummer", "Org Defined ID"]),
    st.sampled_from(["ada{}", "k{}", "90{}", "{}"]),
    st.integers(2, 6),
    st.booleans(),
)
def test_two_columns_with_ids_are_both_read(own: str, number: str, form: str, count: int, turned: bool) -> None:
    """A folder may be called by either, unless one counts the rows."""
    rows = [[own, number], *([form.format(at), f"50{at}"] for at in range(1, count + 1))]
    rows = [
        [*row[::-1], name] if turned else [*row, name] for row, name in zip(rows, ["name", *"ABCDEF"], strict=False)
    ]
    with TemporaryDirectory() as temporary:
        roster = read_roster(written(Path(temporary), text_of([*rows, ["Total:", str(count), ""]])))
    for at, who in enumerate(roster.students, 1):
        assert roster.find(f"50{at}") is who
        assert roster.find(form.format(at)) is (None if form == "{}" else who)
        assert who.id == (form.format(at) if form[0].isalpha() else f"50{at}"), "logins are ids, where there are both"


WORDS = ["First", "Last", "Name", "Email", "Login", "Id", "Nombre", "Apellido", "Total:", "Mean:", "Total: 7", "Kim"]


@given(st.sampled_from(WORDS), st.sampled_from(WORDS), st.sampled_from(["id", "email", "github_username"]))
def test_who_has_an_id_is_a_person_by_any_name(first: str, last: str, kind: str) -> None:
    """One student's name stops no class, and costs nobody the row."""
    key = "mal@x.edu" if kind == "email" else "mal"
    rows = [["First name", "Surname", kind, "Points"], ["Ada", "Lovelace", "ada@x.edu", ""], [first, last, key, "7"]]
    whole = [["name", *row[2:]] if row is rows[0] else [" ".join(row[:2]), *row[2:]] for row in rows]
    for text in (text_of(rows), text_of(whole)):
        with TemporaryDirectory() as temporary:
            roster = read_roster(written(Path(temporary), text))
        assert [each.name for each in roster.students] == ["Ada Lovelace", f"{first} {last}"]


def test_columns_that_are_not_known_are_named(tmp_path: Path) -> None:
    with pytest.raises(RosterError, match="It has “Kennzahl”, “Person”"):
        read_roster(written(tmp_path, "Kennzahl,Person\n7,Ada\n"))


@pytest.mark.parametrize("word", ["Participant ", "Teilnehmer/in", "Teilnehmer", "Participante ", "Deelnemer "])
@pytest.mark.parametrize("column", ["Identifier", "ID"])
def test_moodles_number_is_known_in_any_language(tmp_path: Path, word: str, column: str) -> None:
    roster = read_roster(written(tmp_path, f"{column},Status\n{word}12,\n{word}13,\n"))
    assert [each.id for each in roster.students] == [f"{word}12", f"{word}13"]
    assert roster.find("Participant 13", "identifier") is roster.students[1]


@pytest.mark.parametrize("name", ["Elizabeth (Liz) Smith", "Smith, Elizabeth (Liz)"])
def test_a_nickname_in_the_roster_is_a_name_too(tmp_path: Path, name: str) -> None:
    roster = read_roster(written(tmp_path, text_of([["id", "name"], ["es", name], ["bs", "Liz (Bo) Smith"]])))
    found = {said: [each.id for each in roster.named(said)] for said in ("Smith, Elizabeth", "Bo Smith", "Liz Smith")}
    assert found == {"Smith, Elizabeth": ["es"], "Bo Smith": ["bs"], "Liz Smith": ["es", "bs"]}


def test_students_are_found_by_any_key_unless_two_share_it(tmp_path: Path) -> None:
    roster = read_roster(written(tmp_path, text_of(CANVAS)))
    assert [roster.find(key).id for key in ("ADA", "101", " 9 ")] == ["ada", "ada", "ada"]  # type: ignore[union-attr]
    assert roster.find("9", "canvas") is None
    assert roster.find("") is None
    assert len(roster.named("wei wang")) == 2


ROLES = {
    True: [
        "Student",
        "student",
        "Learner",
        "",
        "StudentEnrollment",
        "Undergraduate student",
        "Student, Teaching Assistant",
    ],
    False: [
        "TA",
        "Instructor",
        "Teacher",
        "Non-editing teacher",
        "Course Grader",
        "Observer",
        "TaEnrollment",
        "Reader",
    ],
}


@given(st.lists(st.sampled_from([*ROLES[True], *ROLES[False]]), max_size=8))
def test_staff_are_no_students(roles: list[str]) -> None:
    """Who is staff, and nothing else, is told and has no row, with or without an id."""
    rows = [["Name", "ID", "Role"], ["Ada", "0", "Student"]]
    rows += [[f"N{number}", str(number) if role in ROLES[True] else "", role] for number, role in enumerate(roles, 1)]
    with tempfile.TemporaryDirectory() as folder:
        roster = read_roster(written(Path(folder), text_of(rows)))
    assert [each.id for each in roster.students] == [row[1] for row in rows[1:] if row[2] in ROLES[True]]
    assert len(roster.notes) == sum(role in ROLES[False] for role in roles)


def test_what_is_guessed_is_said(tmp_path: Path) -> None:
    roster = read_roster(written(tmp_path, "id,name\nbob,Bób\n", "cp1252"))
    assert roster.students[0].name == "Bób"
    assert "Windows-1252" in roster.notes[0]


# As gradebook_exporter.rb writes it with “Split Student Names”.
SPLIT = [[*[*row[0].split(", "), ""][:2], *row[1:]] for row in [["LastName, FirstName", *CANVAS[0][1:]], *CANVAS[1:]]]


def test_a_canvas_gradebook_with_split_names_is_the_same(tmp_path: Path) -> None:
    whole, split = (read_roster(written(tmp_path, text_of(rows))) for rows in (CANVAS, SPLIT))
    assert [(each.id, each.keys) for each in split.students] == [(each.id, each.keys) for each in whole.students]
    assert [each.name for each in split.students] == ["Ada Lovelace", "Wei Wang", "Wei Wang"]
    assert len(split.notes) == len(whole.notes)


ENDS = st.sampled_from(["\n", "\r\n", "\r"])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"])
CELLS = st.text(st.sampled_from('aé ,;"'), min_size=1, max_size=6).map(str.strip).filter(bool)


@given(st.lists(CELLS, min_size=1, max_size=4), ENDS, ENCODINGS, st.sampled_from(",;\t|"), st.sampled_from([0, 1]))
def test_a_table_is_read_as_any_program_saves_it(
    names: list[str], end: str, encoding: str, separator: str, quoting: Literal[0, 1]
) -> None:
    """QUOTE_MINIMAL or QUOTE_ALL, with any ends of lines, separator and encoding."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerows([("id", "name"), *((f"s{number}", name) for number, name in enumerate(names))])
    with tempfile.TemporaryDirectory() as folder:
        roster = read_roster(written(Path(folder), file.getvalue(), encoding))
    assert [(each.id, each.name) for each in roster.students] == [(f"s{n}", name) for n, name in enumerate(names)]


@given(st.lists(CELLS, min_size=1, max_size=4), st.integers(0, 400), st.sampled_from([0, 1]))
def test_no_quote_swallows_a_student(names: list[str], at: int, quoting: Literal[0, 1]) -> None:
    """A quote too much or too few anywhere in the file costs nobody the row, or the file is refused."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n", quoting=quoting)
    writer.writerows([("id", "name", "note"), *((f"s{number}", name, "x") for number, name in enumerate(names))])
    text = file.getvalue()
    quotes = [index for index, letter in enumerate(text) if letter == '"']
    if quotes and at % 2:
        at = quotes[at % len(quotes)]
        text = text[:at] + text[at + 1 :]
    else:
        at = at // 2 % len(text)
        text = f'{text[:at]}"{text[at:]}'
    with tempfile.TemporaryDirectory() as folder:
        try:
            read = len(read_roster(written(Path(folder), text)).students)
        except RosterError:
            return
    assert read == len(names)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('id,name\nada,"Lovelace,\nAda"\n', "Lovelace, Ada"),
        ('id,name\nada,"Ada Lovelace\r\n王伟"\n', "Ada Lovelace 王伟"),
        ("id,name\nada,Ada Lovelace\n\x1a\0", "Ada Lovelace"),
        ("name,id,Name\nAda Lovelace,ada,ada lovelace\n", "Ada Lovelace"),
        ("id,name,Name,Section\nada,,Ada Lovelace,7\n", "Ada Lovelace"),
        ("id,name,ID,Section,Name\nada,Ada Lovelace,ada,7,Ada Lovelace\n", "Ada Lovelace"),
    ],
)
def test_one_odd_cell_or_column_stops_nobody(tmp_path: Path, text: str, name: str) -> None:
    (ada,) = read_roster(written(tmp_path, text)).students
    assert (ada.id, ada.name) == ("ada", name)


def test_two_columns_of_addresses_are_both_read(tmp_path: Path) -> None:
    text = "id,Email Address,Email Address\nada,ada@x.edu,ada@mail.com\nbob,,bob@x.edu\n"
    roster = read_roster(written(tmp_path, text))
    assert [roster.find(each) for each in ("ada@x.edu", "ada@mail.com")] == roster.students[:1] * 2
    assert roster.find("bob@x.edu") is roster.students[1]
    assert len(roster.notes) == 1


@pytest.mark.parametrize("digits", ["٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "๐๑๒๓๔๕๖๗๘๙", "０１２３４５６７８９"])
def test_digits_of_any_script_are_one_number(tmp_path: Path, digits: str) -> None:
    number = "900120".translate(str.maketrans("0123456789", digits))
    for there, key in ((number, "900120"), ("900120", number)):
        roster = read_roster(written(tmp_path, f"id,name\n{there},Ada\n900121,Bob\n"))
        assert roster.find(key) is roster.students[0]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_unclosed_quote_names_the_line_where_it_opens(tmp_path: Path, end: str) -> None:
    lines = ["student,until", "ada,2026-12-02T23:59Z", 'bob,"2026-12-02T23:59Z', "eve,2026-12-02T23:59Z", ""]
    for read in (read_roster, read_extensions):
        with pytest.raises(RosterError, match=r"table\.csv, line 3: "):
            read(written(tmp_path, end.join(lines)))


def test_a_note_may_go_on_over_several_lines(tmp_path: Path) -> None:
    text = 'id,name,feedback\nada,Ada,"Well done,\nbut late"\nbob,Bob,\n,,good\n'
    with pytest.raises(RosterError, match="line 5: this student has no id"):
        read_roster(written(tmp_path, text))
    assert len(read_roster(written(tmp_path, text.replace("\n,,", "\neve,Eve,"))).students) == 3


FIGURES = [
    "Mean",
    "Median",
    "Std Dev",
    "Std. Deviation",
    "Maximum",
    "Min",
    "Sum",
    "Count",
    "Class Average",
    "Mittelwert",
]
FIGURES += ["Moyenne", "Points Possible", "Average", "Total", "Promedio", "max:"]


@given(st.sampled_from(FIGURES), st.sampled_from(["{},,,94.5", ",{},,-3"]), st.booleans())
def test_a_figure_of_the_class_is_nobody_and_said(figure: str, form: str, with_id: bool) -> None:
    """Who has an id and is called so is a student, with points or without; so is who has no points and no id."""
    row = "s1,{},,7" if with_id else form
    with TemporaryDirectory() as temporary:
        lines = [f"{row.format(figure)}", f",{figure} Kim,,5"]
        roster = read_roster(written(Path(temporary), "id,name,email,hw2\nada,Ada,a@x.edu,95\n" + "\n".join(lines)))
    names = [each.name for each in roster.students]
    assert names == ["Ada", *[figure] * with_id, f"{figure} Kim"]
    assert any(f"“{figure}” is not a student" in note for note in roster.notes) is not with_id


@given(st.lists(st.booleans(), min_size=2, max_size=5))
def test_who_has_no_id_yet_is_known_by_the_name(having: list[bool]) -> None:
    """One student who was added late stops no class; the note says so."""
    assume(any(having))
    with TemporaryDirectory() as temporary:
        lines = "".join(f"{f'u{at}' if there else ''},Pat P{at},\n" for at, there in enumerate(having))
        roster = read_roster(written(Path(temporary), f"id,name,email\n{lines}"))
    assert [each.id for each in roster.students] == [
        f"u{at}" if there else f"Pat P{at}" for at, there in enumerate(having)
    ]
    assert len(roster.notes) == having.count(False)


def test_who_is_there_twice_is_told(tmp_path: Path) -> None:
    roster = read_roster(written(tmp_path, "id,name\nada,Ada\nADA,ada\n"))
    assert [each.id for each in roster.students] == ["ada"]
    assert roster.notes == ["table.csv, line 3: ADA is in line 2 too"]


@pytest.mark.parametrize("start", [b"PK\x03\x04\x14", b"\xd0\xcf\x11\xe0\xa1", "id,name\na,b\n".encode("utf-16-le")])
def test_what_is_no_csv_file_is_told_with_the_remedy(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "roster.csv").write_bytes(start + bytes(100))
    with pytest.raises(RosterError, match="save it as “CSV UTF-8”"):
        read_roster(tmp_path / "roster.csv")


def test_excel_for_mac_saves_in_mac_roman(tmp_path: Path) -> None:
    roster = read_roster(written(tmp_path, "id;name\rbob;Zoë Ünal\r", "mac_roman"))
    assert roster.students[0].name == "Zoë Ünal"
    assert "Mac Roman" in roster.notes[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ('id,name\nada, "Lovelace, Ada" x\n', "line 2: .*as CSV"),
        ('id,name\nada,"Lovelace\nbob"\n', "line 2: a cell in quotes goes on over 2 lines"),
        ('id,name\nada,"Lovelace\nS123"\n', "line 2: a cell in quotes goes on over 2 lines"),
        ("id,name,section\nada,Ada,1\nid,section,name\nbob,2,Bob\n", "line 3: this line names other columns"),
        ("id,name,Name\nada,Ada,Bob\n", "line 1: more than one column is called name"),
        ("id,name,ID\nada,Ada,7\n", "line 1: more than one column is called id"),
        ("id,name\n", "lists no students"),
        ("ada\nbob\n", "line 1: no column"),
        ("david,David Ek\nada,Ada Lo\nbob,Bob By\n", "line 1: no column"),
        ("ada77@x.edu\nbob78@x.edu\neve79@x.edu\n", "line 1: no column"),
        ("Q1,Q2\nYour ID,Your name\nada77,Ada\nbob78,Bob\neve79,Eve\nkim80,Kim\n", "line 1: no column"),
        ("id,section\nada,A\n,B\n", "line 3: this student has no id"),
        ("Kennung,Kurz,name\nada7,x71,Ada\nbob8,x81,Bob\n", "line 1: no column is called id"),
        ("name,section\nAda Ek,1\nada ek,1\n", "line 3: ada ek has no id, and the name is in line 2 too"),
        ("id,name\n1.2E+11,Ada\n1.2E+11,Bob\n", "a spreadsheet rounded the numbers"),
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


# All that the database of zones has a file or a folder for, and what a path can be.
PLACES = {path.relative_to(root) for root in map(Path, TZPATH) for path in root.rglob("*")}
PLACES |= {Path(name) for name in ("America/Argentina", "America/Nowhere", "Etc/__init__", "a/b/c/d", "a/" + "b" * 300)}
STAMPS = st.one_of(
    st.builds(
        "{:04}-{:02}-{:02}{}{:02}:{:02}{} {}".format,
        st.sampled_from([0, 1, 1999, 2000, 2026, 2100, 2101, 9999]) | st.integers(0, 9999),
        st.sampled_from([1, 12]) | st.integers(0, 13),
        st.sampled_from([1, 31]) | st.integers(0, 32),
        st.sampled_from(" T"),
        st.integers(0, 24),
        st.integers(0, 60),
        st.sampled_from(["", ":59", ":59.999999999", ":60"]),
        st.sampled_from(sorted(map(str, PLACES)))
        | st.sampled_from(["UTC", "Z", "EST", "CET", "-03", "+14:00", "-1400", "-2359", "+9999"]),
    ),
    st.text("0123456789-:T .+ZUTC/_America\n\0\ufeff\udcff\u0662", max_size=40),
    st.text(max_size=40),
)


@given(STAMPS)
@example("9999-12-31 23:59:59 -1400")
@example("0001-01-01 00:00 +1400")
@example("2026-11-27 10:00 America/Argentina")
@settings(max_examples=400)
def test_any_text_is_a_moment_or_is_none(text: str) -> None:
    """A student writes it, into a folder's name or a file: it must be a time that can be written in every zone."""
    for read in (moment, read_moment):
        try:
            when = read(text)
        except ValueError:
            continue
        assert 1999 <= when.astimezone(UTC).year <= 2101
        assert when.astimezone(timezone(timedelta(hours=-23))) == when.astimezone(timezone(timedelta(hours=23)))
    in_zone(text)


@given(st.binary(max_size=60) | STAMPS.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_stamp_or_are_none(data: bytes) -> None:
    with suppress(ValueError):
        assert read_stamp(data, "timestamp.txt").tzinfo is not None


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
        ("student,until,granted\nada,2026-02-20 23:59 UTC,perhaps\n", "line 2: “perhaps” in “granted” .*write yes"),
        ("student,until,hw\nada,2026-02-20 23:59 UTC,hw3\n", "line 2: “hw3” in “hw” .*write hw3-part3"),
        ("student,until,hw\nada,2026-02-20 23:59 UTC,\n", "line 2: “” in “hw” .*write hw3-part3"),
        ("student,date\nada,2026-02-20\n", "line 1: the columns"),
    ],
)
def test_extensions_that_are_wrong_name_the_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(RosterError, match=f"table.csv, {reason}"):
        read_extensions(written(tmp_path, text), ["hw3-part3", "Homework 3, part 3"], "CS 5814")


LIMITS = {
    "hw": {"hw3-part3": True, "Homework 3 Part 3": True, "hw2": False, "HW 4": False, "hw3-part2": False},
    "Course": {"cs5814": True, "CS 2104": False},
    "status": {"Approved": True, "denied": False, "pending": False},
    "granted": {"yes": True, "x": True, "No": False},
    "why": {"ill": True},
}


@given(
    st.sampled_from([*LIMITS]).flatmap(
        lambda each: st.tuples(st.just(each), st.lists(st.sampled_from([*LIMITS[each]]), min_size=1, max_size=4))
    )
)
def test_an_extension_counts_where_its_line_says_so(given: tuple[str, list[str]]) -> None:
    """Of several, the latest counts, in any order; what does not count is said."""
    column, cells = given
    lines = "".join(
        f"{'ADA' if at % 2 else 'ada'},2026-12-{20 - at} 23:59 UTC,{cell}\n" for at, cell in enumerate(cells)
    )
    with TemporaryDirectory() as temporary:
        table = written(Path(temporary), f"student,until,{column}\n{lines}")
        found = read_extensions(table, ["hw3-part3", "Homework 3, part 3"], "CS 5814")
    days = [20 - at for at, cell in enumerate(cells) if LIMITS[column][cell]]
    assert [when.day for when in found.values()] == days[:1]
    left_out = {cell for cell in cells if not LIMITS[column][cell]}
    assert sum("not counted" in note for note in found.notes) == len(left_out)
    assert sum("the latest counts" in note for note in found.notes) == (len(days) > 1)


def test_a_column_of_extensions_that_is_not_read_is_named(tmp_path: Path) -> None:
    found = read_extensions(written(tmp_path, "student,until,Valid for\nada,2026-12-02 23:59 UTC,quizzes\n"))
    assert [*found] == ["ada"]
    assert "“Valid for” was not read" in found.notes[0]


@given(st.permutations(["Jane Doe", "Jane A. Doe", "Doe, Jane"]), st.sampled_from(["", "Jo Doe"]))
def test_a_student_listed_again_has_one_row(names: list[str], other: str) -> None:
    lines = "".join(f'jdoe,"{name}"\n' for name in (*names, *filter(None, [other])))
    with tempfile.TemporaryDirectory() as folder:
        table = written(Path(folder), f"id,name\n{lines}")
        if other:
            with pytest.raises(RosterError, match="the id jdoe is also that of"):
                read_roster(table)
        else:
            roster = read_roster(table)
            assert [(each.id, each.name) for each in roster.students] == [("jdoe", names[0])]
            assert len(roster.notes) == 2


@pytest.mark.parametrize(
    ("columns", "first", "second"),
    [
        ("id,name,email", "ada1,Ada Ash,ada@x.edu", "ada1,Ada Ash,ada@mail.com"),
        ("id,name,github_username", "ada1,Ada Ash,ada", "ada1,ada ash,ash"),
        ("email,name,login", "ada@x.edu,Ada Ash,ada1", "ada@x.edu,Ada Ash,ash2"),
        ("email,name,id", "ada@x.edu,Ada Ash,9001", "ada@x.edu,Ada Ash,9002"),
        ("login,name,id", "ada,Ada Ash,9001", "ash,Ada Ash,9001"),
        ("email,name,github_username", "ada@x.edu,Ada Ash,ada", "ADA@x.edu,Ada Ash,ash"),
    ],
)
def test_one_id_and_one_name_are_one_student_by_either_key(
    tmp_path: Path, columns: str, first: str, second: str
) -> None:
    filler = ",".join(["bob2", "Bo Bee", "bob@x.edu"])
    roster = read_roster(written(tmp_path, f"{columns}\n{first}\n{filler}\n{second}\n"))
    assert [each.name for each in roster.students] == ["Ada Ash", "Bo Bee"]
    for key in {*first.split(","), *second.split(",")} - {"Ada Ash", "ada ash"}:
        assert roster.having(key) == [roster.students[0]]
    assert "is in line 2 too, and is known as" in " ".join(roster.notes)


@pytest.mark.parametrize("account", ["https://github.com/octo-ada", "github.com/octo-ada/", "@octo-ada", "octo-ada"])
def test_an_account_may_be_the_address_of_its_page(tmp_path: Path, account: str) -> None:
    roster = read_roster(written(tmp_path, f"id,name,github_username\nada1,Ada Ash,{account}\n"))
    assert roster.find("octo-ada", "github") is roster.students[0]


CELL = st.sampled_from(["", "a", "b"])


@given(
    st.sampled_from(["1001", "wwang", "Wei Wang"]),
    st.lists(st.tuples(CELL, CELL, st.sampled_from(["", "Lab 1"])), min_size=1, max_size=4),
)
def test_no_two_people_are_one_row(own: str, lines: list[tuple[str, str, str]]) -> None:
    """Who is in two lines has one row only if no id contradicts. All that a line knows a student by stays."""
    text = "".join(f"{own},{email},{login},{group}\n" for email, login, group in lines)
    with tempfile.TemporaryDirectory() as folder:
        roster = read_roster(written(Path(folder), f"identifier,email,github_username,group\n{text}"))
    assert len({each.id for each in roster.students}) == len(roster.students)
    assert len(roster.notes) >= (len(lines) > 1)
    for email, login, group in lines:
        known = [
            each
            for each in roster.students
            if each.keys.get("email", "") in ("", email) or not email
            if each.keys.get("github", "") in ("", login) or not login
        ]
        assert any(
            {email, login} - {""} <= {*each.keys.values()} and (not group or group in each.groups) for each in known
        )
    for column in (0, 1):
        assert len(roster.students) >= len({line[column] for line in lines} - {""})
    if own == "Wei Wang":
        assert len(roster.students) == len({line[:2] for line in lines})
    if len(roster.students) > 1:
        assert roster.find(own) is None, "nobody is picked"
        assert {*roster.having(own)} == {*roster.students}


@pytest.mark.parametrize("cell", ["TBA", "n/a", "-", "None", "#N/A", "nan", "<NA>", "0", "0000", "0.0"])
def test_what_says_that_there_is_no_id_is_none(tmp_path: Path, cell: str) -> None:
    roster = read_roster(written(tmp_path, f"id,name,email\nada,Ada,a@x\n{cell},Bo Li,{cell}\n{cell},Cy Au,{cell}\n"))
    assert [each.id for each in roster.students] == ["ada", "Bo Li", "Cy Au"]
    assert "Bo Li has no id, and is known by the name" in roster.notes[0]
    with pytest.raises(RosterError, match="line 3: Bo Li has no id, and the name is in line 2 too"):
        read_roster(written(tmp_path, f"id,name\n{cell},Bo Li\n{cell},Bo Li\n"))
    alone = read_roster(written(tmp_path, f"id,name\nada,Ada\n{cell},Bo Li\n")).students[1]
    assert alone.id == ("Bo Li" if cell.startswith("#") else cell), "which may be somebody's, but for an error"


@pytest.mark.parametrize("columns", ["name,section", "id,name,section", "Last Name,First Name", "Chinese Name,points"])
def test_a_roster_may_have_names_alone(tmp_path: Path, columns: str) -> None:
    """Google Classroom, Google Forms and Dropbox know no ids."""
    cells = {"id": "", "section": "1", "points": "90"}
    names = [("Ada", "Ek"), ("Bo", "Li"), ("Cy", "Au")]
    rows = [
        {**cells, "name": f"{first} {last}", "Chinese Name": f"{first} {last}", "First Name": first, "Last Name": last}
        for first, last in names
    ]
    lines = [",".join(row[each] for each in columns.split(",")) for row in rows]
    roster = read_roster(written(tmp_path, "\n".join([columns, *lines])))
    assert [each.id for each in roster.students] == ["Ada Ek", "Bo Li", "Cy Au"]
    assert roster.notes == ["table.csv: nobody has an id, so all are known by their names"]


UNLINKED = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=5)


@given(UNLINKED)
def test_github_classrooms_grades_are_a_roster(having: list[tuple[bool, bool]]) -> None:
    """A student may lack an account there, and an account a student."""
    assume(any(identifier or account for identifier, account in having))
    lines = [
        f"hw3,{f'gh{at}' if account else ''},{f'u{at}@x.edu' if identifier else ''},"
        for at, (identifier, account) in enumerate(having)
    ]
    text = "\n".join(["assignment_name,github_username,roster_identifier,student_repository_name", *lines])
    with TemporaryDirectory() as temporary:
        table = written(Path(temporary), text)
        if (False, False) in having:
            with pytest.raises(RosterError, match="this student has no"):
                read_roster(table)
            return
        roster = read_roster(table)
    assert len(roster.students) == len(having)
    for at, (identifier, account) in enumerate(having):
        who = roster.students[at]
        assert {who.keys.get("identifier"), who.keys.get("github")} == {
            f"u{at}@x.edu" if identifier else None,
            f"gh{at}" if account else None,
        }
        assert who.id in who.keys.values()
    assert not any("was not read" in note for note in roster.notes)


def test_no_two_ids_of_different_kinds_make_one_student(tmp_path: Path) -> None:
    text = "github_username,roster_identifier\nalex,\n,alex\n"
    with pytest.raises(
        RosterError, match="line 2: alex has no roster_identifier, and the github_username is in line 3"
    ):
        read_roster(written(tmp_path, text))


WORD = st.sampled_from(["Ann", "Bo", "Luther", "Mary", "van der", "O'Neil", "Jr.", "III"])


@given(WORD, st.sampled_from(["", "Luther", "van der"]), WORD, st.sampled_from(["", "Jr.", "López"]))
def test_parts_of_a_name_are_read_and_may_be_missing(first: str, middle: str, last: str, after: str) -> None:
    for columns in (
        "First Name,Middle Name,Last Name,Suffix",
        "Nombre,Segundo nombre,Primer apellido,Segundo apellido",
    ):
        with TemporaryDirectory() as temporary:
            roster = read_roster(written(Path(temporary), f"id,{columns}\ns1,{first},{middle},{last},{after}\n"))
        (who,) = roster.students
        assert who.name == " ".join(filter(None, (first, middle, last, after)))
        for parts in ((first, last), (first, middle, last), (first, last, after)):
            assert roster.named(" ".join(filter(None, parts))) == [who]


@pytest.mark.parametrize(
    "column", ["Chinese Name", "Name in Chinese", "Name (Chinese)", "Native Name", "中文姓名", "Legal Name"]
)
def test_a_name_in_another_language_is_a_name_too(tmp_path: Path, column: str) -> None:
    roster = read_roster(written(tmp_path, f"id,name,{column}\ns1,Wei Wang,王伟\ns2,Li Ma,Lily\ns3,Bo Ek,\n"))
    assert [each.id for name in ("王伟", "Wei Wang", "Lily Ma") for each in roster.named(name)] == ["s1", "s1", "s2"]
    assert roster.students[2].names == ("Bo Ek",)


@pytest.mark.parametrize("title", ["Mr.", "Ms", "Dr.", "Prof. Dr.", "Herr", "Frau"])
def test_a_title_is_no_part_of_a_name(tmp_path: Path, title: str) -> None:
    roster = read_roster(written(tmp_path, f"id,name\ns1,{title} Ada Ek\ns2,Frau\ns3,Drew Mrs\ns4,Miss\n"))
    named = {name: [each.id for each in roster.named(name)] for name in ("Ada Ek", f"{title} Ada Ek", "Drew Mrs", "Ek")}
    assert named == {"Ada Ek": ["s1"], f"{title} Ada Ek": ["s1"], "Drew Mrs": ["s3"], "Ek": []}


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("WANG Wei 王伟", ["wang wei", "王伟", "Wei Wang"]),
        ("王伟 (Wei Wang)", ["王伟", "wei wang"]),
        ("Иван Петров / Ivan Petrov", ["Иван Петров", "Ivan Petrov"]),
    ],
)
def test_either_script_of_a_name_is_the_name(tmp_path: Path, name: str, names: list[str]) -> None:
    roster = read_roster(written(tmp_path, f"id,name\ns1,{name}\ns2,Bo Ek\n"))
    for each in names:
        assert [who.id for who in (roster.named(each) or roster.turned(each))] == ["s1"]


@pytest.mark.parametrize("cell", ["mailto:ada@x.edu", "Ada <ada@x.edu>", "ada@x.edu; a@y.com", "a@y.com, ada@x.edu"])
def test_an_address_is_found_in_its_cell(tmp_path: Path, cell: str) -> None:
    roster = read_roster(written(tmp_path, f'name,email\nAda Ek,"{cell}"\nBo Li,bo@x.edu\nCy Au,cy@x.edu\n'))
    assert roster.students[0].id == "ada@x.edu"
    assert [each.id for each in roster.addressed("ada")] == ["ada@x.edu"]
    if "y.com" in cell:
        assert roster.find("a@y.com") is roster.students[0]


def test_a_table_is_read_where_each_line_is_in_quotes(tmp_path: Path) -> None:
    roster = read_roster(written(tmp_path, '"id,name"\n"ada,""Ek, Ada"""\n"bob,Bob"\n'))
    assert [(each.id, each.name) for each in roster.students] == [("ada", "Ek, Ada"), ("bob", "Bob")]


def test_a_table_in_markdown_has_a_line_of_dashes(tmp_path: Path) -> None:
    roster = read_roster(written(tmp_path, "| id | name |\n|:---|---:|\n| ada | Ada |\n| -- | Bob |\n"))
    assert [each.name for each in roster.students] == ["Ada", "Bob"]
    assert "only dashes" in roster.notes[0]


@pytest.mark.parametrize("encoding", ["cp949", "gb18030", "shift_jis", "big5"])
def test_a_stop_says_that_letters_may_be_misread(tmp_path: Path, encoding: str) -> None:
    heading = {"cp949": "학번,이름", "gb18030": "编号,姓名", "shift_jis": "番号,氏名", "big5": "編號,姓名"}[encoding]
    with pytest.raises(RosterError, match=r"(no column.*not|neither) UTF-8.*save it as “CSV UTF-8”"):
        read_roster(written(tmp_path, f"{heading}\n7,Ada\n", encoding))


def test_blackboards_preview_user_is_no_student(tmp_path: Path) -> None:
    roster = read_roster(written(tmp_path, "Username,First Name\njprof,Jo\njprof_PreviewUser,Jo\n"))
    assert [each.id for each in roster.students] == ["jprof"]
    assert "Blackboard's preview user" in roster.notes[0]


@pytest.mark.parametrize("name", ["Sasha Roe", "Roe, Sasha", "Alexander Roe"])
@pytest.mark.parametrize("preferred", ["Sasha", "Sasha Roe"])
@pytest.mark.parametrize("columns", ["id,name", "id,last name,first name"])
def test_a_preferred_name_is_a_name_too(tmp_path: Path, name: str, preferred: str, columns: str) -> None:
    listed = '1,"Roe, Alexander"' if columns == "id,name" else "1,Roe,Alexander"
    roster = read_roster(written(tmp_path, f"{columns},Preferred Name\n{listed},{preferred}\n"))
    assert [each.id for each in roster.named(name)] == ["1"]


@pytest.mark.parametrize(
    "line",
    [
        "Total,7", "Average,85.2", "Mean,85", "N,7", "Count,7", "Summe,7", "Total students:,7", "Total,7 students",
        "Enrolled,7 of 40",
    ],
)  # fmt: skip
def test_a_figure_under_two_columns_is_nobody(tmp_path: Path, line: str) -> None:
    roster = read_roster(written(tmp_path, f"id,name\nada,Ada\nbob,Bob\n{line}\n"))
    assert [each.id for each in roster.students] == ["ada", "bob"]
    assert len(roster.notes) == 1


@pytest.mark.parametrize("line", ["s7,7", "n,Ng", "sum,Kim Sum", "total,Ada Total"])
def test_a_short_name_or_id_is_no_figure(tmp_path: Path, line: str) -> None:
    assert len(read_roster(written(tmp_path, f"id,name\nada,Ada\nbob,Bob\n{line}\n")).students) == 3
