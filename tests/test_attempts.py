"""Which of a student's attempts counts, what is nobody's work, and who may share the work of a group."""

import shutil
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.fill_in import fill_in
from autograder.submissions.files import NothingToGrade
from autograder.submissions.layouts import Submitted, Upload, read_upload
from autograder.submissions.roster import read_roster

BLANK = fill_in(CVAE)
ROSTER = "id,name,email\nada7,Ada Lovelace,ada7@x.edu\nbob8,Bob Stone,bob8@x.edu\ncy9,Cy Young,cy9@x.edu\n"
STUDENTS = {"ada7": "Ada_Lovelace", "bob8": "Bob_Stone", "cy9": "Cy_Young"}


def read(upload: Path, table: str = ROSTER) -> Upload:
    (upload.parent / "roster.csv").write_text(table, "utf-8")
    return read_upload(upload, CVAE, read_roster(upload.parent / "roster.csv") if table else None)


def rows(upload: Path, table: str = ROSTER) -> dict[str, Submitted]:
    return {each.student: each for each in read(upload, table).submitted}


def work(text: str) -> str:
    return f"def loss_function(): return {text!r}\n"


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


# --- attempts ---------------------------------------------------------------------------------------------------------

# Where an attempt is, and what tells the attempts apart: the first came first.
DATED = {
    "{id}_{when}/cs5814_vae.py": ("20261129T200000", "20261130T080000"),
    "{name}_{id}@x.edu_{when}/cs5814_vae.py": ("2026-11-29_20-00-00_UTC", "2026-11-30_22-05-00_UTC"),
    "{id}-{when}/cs5814_vae.py": ("2026-11-29-20-00-00", "2026-11-30-22-05-00"),
    "{id}_{when}_cs5814_vae.py": ("20261129200000", "20261129200001"),
    "{id} {when}/cs5814_vae.py": ("v9", "v10"),
    "{id}-{when}.py": ("attempt-9", "attempt-10"),
    "{id}@x.edu_1_hw3-vae_1_{when}_cs5814_vae.py": ("2_9000", "10_9100"),
    "{id}/{when}/cs5814_vae.py": ("9", "10"),
    "{id}/{when}/src/cs5814_vae.py": ("1795982400", "1796076300"),
    "{id}/{when}_cs5814_vae.py": ("20261129200000", "20261130220500"),
    "{id}/{when}-cs5814_vae.py": ("2026-11-29T20:00:00Z", "2026-11-30T22:05:00Z"),
    "{id}/cs5814_vae_{when}.py": ("v9", "v10"),
    "{id}/submission_{when}/cs5814_vae.py": ("1", "2"),
}


@pytest.mark.parametrize("form", DATED)
def test_the_last_attempt_counts_and_it_is_said(tmp_path: Path, form: str) -> None:
    for person, name in STUDENTS.items():
        for number, when in enumerate(DATED[form]):
            put(tmp_path / "u" / form.format(id=person, name=name, when=when), work(f"{person} {number}"))
    for person, row in rows(tmp_path / "u").items():
        assert row.source == work(f"{person} 1").encode()
        assert any("the last of 2 attempts counts" in note for note in row.notes)
        assert row.attention == ()


WHEN = {  # in order
    "year first": ("20261129T220500", "20261130T080000", "20261201T000000"),
    "days": ("2026-11-29", "2026-11-30", "2026-12-01"),
    "day first": ("29-11-2026-22-05", "30-11-2026-08-00", "30-11-2026-23-59"),
    "with points": ("29.11.2026 22_05", "30.11.2026 08_00", "01.12.2026 00_00"),
    "month first": ("11-29-2026 9-05 AM", "11-29-2026 12-05 PM", "11-30-2026 8-00 AM"),
    "numbers": ("v1", "v2", "v10"),
    "German": ("Versuch 1", "Versuch 2", "Versuch 10"),
}
AGAIN = ["{own}_{when}", "{when}_{own}", "{own} {when}", "{own}-{when}-hw3"]


@given(
    st.sampled_from([*WHEN]),
    st.sampled_from(AGAIN),
    st.sampled_from(["ada7", "ada", "Ada Lovelace", "ada7@x.edu"]),
    st.permutations(range(3)),
    st.booleans(),
)
def test_one_students_attempts_among_plain_names(
    kind: str, form: str, own: str, order: list[int], folder: bool
) -> None:
    """The last counts where the roster says whose they are, also if nobody else's work has that form."""
    names = [form.format(own=own, when=WHEN[kind][at]) for at in order]
    table = (ROSTER.replace("ada7,", "ada,") if own == "ada" else ROSTER) + "di4,Di Dee,\n"
    with TemporaryDirectory() as temporary:
        for at, name in zip(order, names, strict=True):
            put(Path(temporary) / "u" / (f"{name}/cs5814_vae.py" if folder else f"{name}.py"), work(str(at)))
        for person in ("bob8", "cy9", "di4"):
            put(Path(temporary) / "u" / person / "cs5814_vae.py", work(person))
        there = rows(Path(temporary) / "u", table)
    row = there["ada" if own == "ada" else "ada7"]
    if row.source is None:  # an id of three letters may be there by chance, and an address may go on
        assert own in ("ada", "ada7@x.edu")
        assert "hw3" in form
        assert row.unreadable
        return
    assert row.source == work("2").encode()
    assert len(there) == 4
    assert any("the last of 3 attempts counts" in note for note in row.notes)
    assert bool(row.attention) == ("hw3" in form)


@pytest.mark.parametrize("kind", ["V00123456", "v123456"])
def test_an_id_that_looks_like_a_number_of_an_attempt_is_an_id(tmp_path: Path, kind: str) -> None:
    ids = [f"{kind[:-1]}{digit}" for digit in "6789"]
    table = "id,name\n" + "".join(f"{each},Pat P{each[-1]}\n" for each in ids)
    for each in ids:
        put(tmp_path / "u" / f"hw3_{each}" / "cs5814_vae.py", work(each))
    for each, row in rows(tmp_path / "u", table).items():
        assert row.source == work(each).encode()
    assert all(not row.attention for row in rows(tmp_path / "u", "").values())


@given(
    st.sampled_from([*WHEN]),
    st.sampled_from(["{own}_{when}", "{when}_{own}", "{own} {when}"]),
    st.sampled_from(["ada", "Ada Lovelace", "new", "late"]),
)
def test_without_a_roster_what_may_be_one_students_is_reviewed(kind: str, form: str, own: str) -> None:
    names = [form.format(own=own, when=when) for when in WHEN[kind][:2]]
    others = ["bob", "bob_late", "bob (1)", "cy", "team-1", "team-2", "hw3_V00123456", "hw3_V00123457", "eve_new_7"]
    with TemporaryDirectory() as temporary:
        for name in [*names, *others]:
            put(Path(temporary) / "u" / name / "cs5814_vae.py", work(name))
        there = rows(Path(temporary) / "u", "")
    assert {*there} == {*names, *others}
    assert {name for name, row in there.items() if row.attention} == {*names, "bob", "bob_late", "bob (1)"}
    for name in names:
        assert all(f"`{other}`" in "".join(there[name].attention) for other in names)
    assert all(row.source for row in there.values())


NUMBERED = {
    "Moodle": "{name}_{number}_assignsubmission_file/cs5814_vae.py",
    "Canvas": "{joined}_{number}_{file}_cs5814_vae.py",
    "Brightspace": "{number}-456 - {name} - Nov 30, 2026 1005 AM/cs5814_vae.py",
}


@pytest.mark.parametrize("platform", NUMBERED)
@pytest.mark.parametrize("table", ["", "id,name\na,Ada Ek\nb,Bo Li\nc,Cy Au\n"])
def test_one_number_under_two_names_is_reviewed(tmp_path: Path, platform: str, table: str) -> None:
    """As after a change of name on the platform, between two downloads."""
    for at, (name, number) in enumerate([("Ada Ek", 7001), ("Ada Lov", 7001), ("Bo Li", 7002), ("Cy Au", 7003)]):
        first, last = name.lower().split()
        where = NUMBERED[platform].format(name=name, joined=last + first, number=number, file=9000 + at)
        put(tmp_path / "u" / where, work(name))
    said = [row.name for row in read(tmp_path / "u", table).submitted if "the number 7001" in "".join(row.attention)]
    assert len(said) == 2
    assert len(read(tmp_path / "u", table).submitted) == 4


# What does not tell which came last: parts, other numbers, one that grows while another falls, and the same time.
UNSURE = {
    "{id}_part{when}.py": ("1", "2"),
    "{id}-{when}.py": ("2026-11-29", "attempt-2"),
    "{id}_{when}_cs5814_vae.py": ("1_9", "2_8"),
    "{id}/{when}/cs5814_vae.py": ("old", "new"),
    "{id}/part{when}/cs5814_vae.py": ("1", "2"),
}


@pytest.mark.parametrize("form", UNSURE)
def test_where_nothing_tells_which_is_last_a_person_decides(tmp_path: Path, form: str) -> None:
    for person in STUDENTS:
        for number, when in enumerate(UNSURE[form]):
            put(tmp_path / "u" / form.format(id=person, when=when), work(f"{person} {number}"))
    for row in rows(tmp_path / "u").values():
        assert row.source is None
        assert row.reason
        assert not row.nothing


def test_of_numbered_copies_the_last_counts_and_is_reviewed(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        put(tmp_path / "u" / "ada7" / f"cs5814_vae({number}).py", work(str(number)))
    row = rows(tmp_path / "u")["ada7"]
    assert row.source == work("10").encode()
    assert "the last of 3 copies counts" in " ".join(row.notes)
    assert "there is other code" in " ".join(row.attention)


# --- what is nobody's work --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["comments/a.html", "editpdf/b.pdf", "file/cs5814_vae.py", "file_notes.pdf"])
@pytest.mark.parametrize("table", ["", "id,name\n1,Ada Lovelace\n2,Bob Stone\n"])
def test_feedback_from_moodle_is_left_aside_once(tmp_path: Path, kind: str, table: str) -> None:
    for number, name in enumerate(("Ada Lovelace", "Bob Stone"), 7000):
        put(tmp_path / "u" / f"{name}_{number}_assignsubmission_file" / "cs5814_vae.py", work(name))
        put(tmp_path / "u" / f"{name}_{number}_assignfeedback_{kind}", work("a teacher's"))
    upload = read(tmp_path / "u", table)
    assert [row.source for row in upload.submitted] == [work(name).encode() for name in ("Ada Lovelace", "Bob Stone")]
    assert all(row.attention == () for row in upload.submitted)
    (aside,) = upload.aside
    assert "Ada Lovelace_7000_assignfeedback_" in aside
    assert "and 1 more" in aside


PAGE = '<!doctype html>\n<head>\n<meta name="generator" content="autograder">\n'
OUTPUT = {"class.json": '{"schema": 1, "students": []}', "grades.csv": "", "index.html": "", "reports/ada7.json": "{}"}
WRITTEN = {  # what this program writes, and what only looks so
    "graded/": (OUTPUT, True),
    "graded.zip": (OUTPUT, True),
    "mine.zip": ({f"g/{name}": text for name, text in OUTPUT.items()}, True),
    "feedback.zip": ({"lovelaceada_7000_900_feedback.html": PAGE, "stonebob_7001_901_feedback.html": PAGE}, True),
    "students/": ({"ada7.html": PAGE, "bob8.html": PAGE}, True),
    "pages.zip": ({"ada7.html": PAGE}, False),
    "cy9.zip": (OUTPUT, False),
    "work.zip": ({**OUTPUT, "reports/cs5814_vae.py": work("somebody")}, False),
    "feedback/": ({"notes.html": "<p>read this</p>"}, False),
}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("table", ["", ROSTER])
def test_what_this_program_wrote_is_left_aside(tmp_path: Path, name: str, packed: bool, table: str) -> None:
    files, ours = WRITTEN[name]
    if (packed and name in ("graded.zip", "mine.zip")) or (name == "cy9.zip" and not table):
        return  # an archive in an archive is somebody's, and a name without a roster nobody's
    for person in ("ada7", "bob8"):
        put(tmp_path / "u" / person / "cs5814_vae.py", work(person))
    if name.endswith("/"):
        for each, text in files.items():
            put(tmp_path / "u" / name / each, text)
    else:
        with ZipFile(tmp_path / "u" / name, "w") as archive:
            for each, text in files.items():
                archive.writestr(each, text)
    upload = tmp_path / "u"
    if packed:
        upload = Path(shutil.make_archive(str(tmp_path / "class"), "zip", upload))
    found = read(upload, table)
    there = {row.student for row in found.submitted if not row.nothing}
    assert (there == {"ada7", "bob8"}) is ours
    assert any(each.startswith(name.strip("/")) and "written by" in each for each in found.aside) is ours
    assert not any(row.attention for row in found.submitted if ours)


def test_a_students_page_says_who_wrote_it() -> None:
    assert PAGE.splitlines()[-1] in resources.files("autograder").joinpath("report/page.html.j2").read_text("utf-8")


@pytest.mark.parametrize(("others", "doubtful"), [(2, False), (0, True)])
def test_the_handout_in_everybodys_folder_is_no_doubt(tmp_path: Path, others: int, doubtful: bool) -> None:
    for number, person in enumerate(STUDENTS):
        if number in (0, *range(1, others + 1)):
            put(tmp_path / "u" / person / "1_task" / "cs5814_vae.py", BLANK)
        put(tmp_path / "u" / person / "2_submissions" / "cs5814_vae.py", work(person))
    ada = rows(tmp_path / "u")["ada7"]
    assert ada.source == work("ada7").encode()
    assert bool(ada.attention) is doubtful


@pytest.mark.parametrize("name", ["notes.docx", "Rubric HW.pdf", "venv/pyvenv.cfg", "node_modules/x/y.js"])
def test_documents_and_packages_are_nobodys(tmp_path: Path, name: str) -> None:
    for person in STUDENTS:
        put(tmp_path / "u" / person / "cs5814_vae.py", work(person))
    put(tmp_path / "u" / name, "x")
    upload = read(tmp_path / "u")
    assert [row.student for row in upload.submitted] == [*STUDENTS]
    assert upload.aside == [name.split("/")[0]]


@pytest.mark.parametrize(
    "name", ["Stone.docx", "bob8.pdf", "Bobby.pdf", "hw3.docx", "bob8/pyvenv.cfg", "venv/cs5814_vae.py"]
)
def test_what_may_be_somebodys_is_not_left_aside(tmp_path: Path, name: str) -> None:
    for person in ("ada7", "cy9"):
        put(tmp_path / "u" / person / "cs5814_vae.py", work(person))
    put(tmp_path / "u" / name, "x = 1")
    upload = read(tmp_path / "u")
    assert upload.aside == []
    assert sum(not row.nothing for row in upload.submitted) >= 3


# --- groups -----------------------------------------------------------------------------------------------------------


SECTIONS = st.lists(st.sampled_from(["", "a", "b", "handout"]), min_size=1, max_size=4).filter(
    lambda works: works.count("handout") < 2  # more of so few would be marked as such
)


@given(SECTIONS, st.sampled_from(["", "Team 1-"]))
def test_only_the_one_work_of_a_group_may_be_everybodys(works: list[str], before: str) -> None:
    """Differing work makes a group a section of the class: who handed in nothing there has 0, and no mark."""
    people = [f"Kim{'abcd'[number]} Lee" for number in range(len(works))]
    with TemporaryDirectory() as folder:
        upload = Path(folder) / "u"
        put(upload / f"{before}Zoe Fox_6999_assignsubmission_file" / "cs5814_vae.py", work("of another group"))
        for number, (person, text) in enumerate(zip(people, works, strict=True), 7000):
            place = upload / f"{before}{person}_{number}_assignsubmission_file" / "cs5814_vae.py"
            if text:
                put(place, BLANK if text == "handout" else work(text))
        table = "id,name,group_name\nz,Zoe Fox,Team 2\n" + "".join(f"{each},{each},Team 1\n" for each in people)
        found = rows(upload, table)
    shared = len({*works} - {"", "handout"}) == 1
    for person, text in zip(people, works, strict=True):
        row = found[person]
        assert (row.source is not None) is bool(text)
        assert row.nothing is (not text and not shared)
        assert row.unreadable is (not text and shared)
        assert row.attention == ()
        if row.unreadable:
            assert "the whole group Team 1" in row.reason


# --- dates that a platform puts before names, and what is left aside --------------------------------------------------


@pytest.mark.parametrize("later", ["cs5814_vae (1).py", "CS5814_VAE.py", "cs5814_vae.py"])
def test_of_dated_names_the_last_counts(tmp_path: Path, later: str) -> None:
    put(tmp_path / "up" / "ada7" / "20261129101500_cs5814_vae.py", work("first"))
    put(tmp_path / "up" / "ada7" / f"20261130221405_{later}", work("last"))
    row = rows(tmp_path / "up")["ada7"]
    assert row.source == work("last").encode()
    assert not row.attention
    assert any("the last of 2 attempts counts" in note for note in row.notes)


@pytest.mark.parametrize("date", ["20261130221405_{}", "20261130_221405-{}", "20261130T221405Z {}"])
def test_a_date_is_no_part_of_a_name(tmp_path: Path, date: str) -> None:
    put(tmp_path / "up" / "ada7" / date.format("cs5814_vae.py"), work("it"))
    put(tmp_path / "up" / "ada7" / date.format("test_vae.py"), work("a test"))
    row = rows(tmp_path / "up")["ada7"]
    assert row.source == work("it").encode()
    assert not any("no file has that name" in note for note in row.notes)


def test_a_date_next_to_the_plain_name_is_the_students(tmp_path: Path) -> None:
    put(tmp_path / "up" / "ada7" / "cs5814_vae.py", work("it"))
    put(tmp_path / "up" / "ada7" / "20261130221405_cs5814_vae.py", work("a copy"))
    assert rows(tmp_path / "up")["ada7"].source == work("it").encode()


@pytest.mark.parametrize("place", [".ada7", ".Trash-1000/files/ada7", ".Ada Lovelace"])
def test_who_may_have_work_that_was_left_aside_is_for_review(tmp_path: Path, place: str) -> None:
    put(tmp_path / "up" / place / "cs5814_vae.py", work("it"))
    put(tmp_path / "up" / "bob8" / "cs5814_vae.py", work("other"))
    found = rows(tmp_path / "up")
    assert found["ada7"].nothing
    assert "left aside" in " ".join(found["ada7"].attention)
    assert not found["bob8"].attention
    assert not found["cy9"].attention


def test_a_students_folder_is_no_place_to_write_to(tmp_path: Path) -> None:
    put(tmp_path / "up" / "ada7" / "cs5814_vae.py", work("it"))
    put(tmp_path / "up" / "bob8" / "cs5814_vae.py", work("other"))
    with pytest.raises(NothingToGrade, match="choose another folder"):
        read_upload(tmp_path / "up", CVAE, outputs=[tmp_path / "up" / "ada7"])


def test_the_whole_name_after_one_text_counts(tmp_path: Path) -> None:
    table = "id,name\na1,Ann Lee\na2,Ann Lee Smith\na3,Bo Ek\na4,Cy Young\n"
    for name in ("Ann Lee", "Ann Lee Smith", "Bo Ek", "Cy Young"):
        put(tmp_path / "up" / f"hw3 {name}" / "cs5814_vae.py", work(name))
    found = rows(tmp_path / "up", table)
    assert {id: row.source for id, row in found.items()} == {
        id: work(name).encode()
        for id, name in zip(("a1", "a2", "a3", "a4"), ("Ann Lee", "Ann Lee Smith", "Bo Ek", "Cy Young"), strict=True)
    }
    assert not any(row.attention for row in found.values())


def test_a_guessed_encoding_is_said_where_nobody_matches(tmp_path: Path) -> None:
    put(tmp_path / "up" / "Анна Смирнова" / "cs5814_vae.py", work("it"))
    (tmp_path / "roster.csv").write_bytes("id,name\nst0,Анна Смирнова\n".encode("cp1251"))
    with pytest.raises(NothingToGrade, match=r"not UTF-8.*save it as “CSV UTF-8”"):
        read_upload(tmp_path / "up", CVAE, read_roster(tmp_path / "roster.csv"))
