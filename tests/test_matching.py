"""Whose work is whose: an id decides, a contradiction is told, and no name that looks like another's merges two."""

import re
import shutil
import string
from collections.abc import Callable
from contextlib import suppress
from itertools import permutations
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from urllib.parse import quote
from zipfile import ZipFile, ZipInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.fill_in import fill_in
from autograder.submissions.find import NothingToGrade
from autograder.submissions.layouts import Submitted, read_upload
from autograder.submissions.names import platform_names
from autograder.submissions.roster import read_roster

words = st.text(string.ascii_lowercase, min_size=1, max_size=4)


def read(upload: Path, table: str = "", **options: object) -> dict[str, Submitted]:
    """The rows of a class by student, with the roster in `table`."""
    roster = None
    if table:
        (upload.parent / "roster.csv").write_text(table, "utf-8")
        roster = read_roster(upload.parent / "roster.csv")
    return {each.student: each for each in read_upload(upload, CVAE, roster, **options).submitted}  # type: ignore[arg-type]


def put(upload: Path, *names: str, text: str = "") -> None:
    for name in names:
        (upload / name).parent.mkdir(parents=True, exist_ok=True)
        (upload / name).write_text(text or name, "utf-8")


# --- a student's own name for a file --------------------------------------------------------------------------------

# How each platform names what a student handed in: `{word}` tells the students apart, `{id}` and `{number}` too.
NAMED = {
    "Canvas": "doe{word}_{id}_{number}_{file}",
    "Canvas, late": "doe{word}_LATE_{id}_{number}_{file}",
    "Canvas, anonymous": "anon_{word}0_{number}_{file}",
    "Moodle": "{Word} Doe_{id}_assignsubmission_file_{file}",
    "Moodle, folders": "{Word} Doe_{id}_assignsubmission_file/{file}",
    "Blackboard": "HW 3_{word}_attempt_2026-11-30-01-45-00_{file}",
    "Blackboard, one word": "HW3_{word}_attempt_2026-11-30-01-45-00_{file}",
    "Blackboard, in Dutch": "HW 3_{word}_poging_2026-11-30-01-45-00_{file}",
    "Autolab": "{word}@x.edu_1_{file}",
    "Brightspace": "{id}-77 - {Word} Doe - Nov 30, 2026 1005 AM - {file}",
    "Brightspace, with ids": "{id}-77 - N{id} - {Word} Doe - 30 November 2026 10:05 - {file}",
    "Brightspace, flat": "{id}-77 - N{id} - {Word} Doe- 30 November, 2026 1005 AM - {file}",
    "Brightspace, folders": "{id}-77 - {Word} Doe - Nov 30, 2026 1005 AM/{file}",
    "exchange": "{word}+hw3-part3+2026-11-30 23:01:12 UTC+x/{file}",
    "by hand": "{word}/{file}",
}
OWN = ["{file}", "{id}_{file}", "{id}_{number}_{file}", "LATE_{id}_{number}_{file}", "Nov 30, 2026 1005 AM - {file}"]


def named(pattern: str, person: tuple[str, int, int], file: str) -> str:
    word, number, attachment = person
    return pattern.format(word=word, Word=word.title(), id=number, number=attachment, file=file)


@pytest.mark.parametrize("platform", NAMED)
@given(
    st.lists(
        st.tuples(words, st.integers(100, 10**6), st.integers(10**7, 10**8), st.sampled_from([*NAMED.values(), *OWN])),
        min_size=1,
        max_size=4,
        unique_by=(lambda person: person[0], lambda person: person[1], lambda person: person[2]),
    ),
    st.permutations(range(4)),
    st.booleans(),
)
@settings(max_examples=15)
def test_no_name_of_a_file_moves_it_to_another(
    platform: str, class_of: list[tuple[str, int, int, str]], imitated: list[int], listed: bool
) -> None:
    """Each file is named as any platform names one of anybody's, that student's included.

    Without a roster, students' folders that all hold such names can be downloads of one student each.
    """
    listed = "anonymous" not in platform and (listed or platform == "by hand")
    with TemporaryDirectory() as temporary:
        lines = ["name,id,canvas_user_id,identifier,login_id,email"]
        for index, (word, number, attachment, own) in enumerate(class_of):
            other = class_of[imitated[index] % len(class_of)]
            file = named(own, other[:3], "cs5814_vae.py").replace("/", "_").replace(":", "")
            text = f"def loss_function():\n    return {number}\n"
            put(Path(temporary) / "upload", named(NAMED[platform], (word, number, attachment), file), text=text)
            lines.append(f"{word.title()} Doe,{word},{number},Participant {number},{word},{word}@x.edu")
        rows = read(Path(temporary) / "upload", "\n".join(lines) if listed else "")
    assert len(rows) == len(class_of)
    for word, number, _, _ in class_of:
        (row,) = (row for row in rows.values() if row.source and row.source.decode().split()[-1] == str(number))
        assert word in row.name.lower() or word in row.student
        assert not row.unlisted
        assert row.late in (("late" in platform, None) if "Canvas" in platform else (None, False))


def test_two_platforms_in_one_folder_are_both_read(tmp_path: Path) -> None:
    put(tmp_path / "u", "doeada_101_901_f.py", "doebob_102_902_cs5814_vae.py", "Cy Doe_103_assignsubmission_file_f.py")
    assert set(read(tmp_path / "u")) == {"doeada_101", "doebob_102", "Cy Doe_103"}


def test_a_very_long_name_costs_no_time(tmp_path: Path) -> None:
    """An archive can hold such names: work that grows with the square of 50 KB takes hours."""
    put(tmp_path / "u" / "ada", "cs5814_vae.py")
    with ZipFile(tmp_path / "u" / "bob.zip", "w") as archive:
        for number, each in enumerate("_ (-+1a" * 14, 10):
            archive.writestr(f"{each * 50_000}{number}.py", "x")
    assert read(tmp_path / "u")["ada"].source


HERS, THEIRS = "def loss_function():\n    return 1\n", "def loss_function():\n    return 2\n"
CLASS = {"ada": "Lovelace, Ada", "mal": "Mallory, M", "grace": "Hopper, Grace", "alan": "Turing, Alan"}


@pytest.mark.parametrize("listed", ["Canvas' gradebook", "without her", "names alone", ""])
@pytest.mark.parametrize(("number", "file"), [(105, 901), (340_934, 208_490_284), (5_000_000, 20_000_000)])
@pytest.mark.parametrize("own", ["vae.py", "cs5814_vae.py", ""])
def test_no_name_of_a_group_moves_its_file_to_another(
    tmp_path: Path, listed: str, number: int, file: int, own: str
) -> None:
    """Mallory, alone in a group, calls it as Canvas calls Ada: whose its file is may be doubtful, but Ada has hers."""
    numbers = {"ada": number, "mal": 7 * number + 42, "grace": number + 1, "alan": number + 2}
    put(tmp_path / "u", f"lovelaceada_{number}_{numbers['mal']}_{file + 3}_cs5814_vae.py", text=THEIRS)
    put(tmp_path / "u", f"hoppergrace_{number + 1}_{file}_a.py", f"turingalan_{number + 2}_{file + 1}_b.py")
    put(tmp_path / "u", *[f"lovelaceada_{number}_{file + 2}_{own}"] * bool(own), text=HERS)
    lines = [
        f'{who},"{name}"' + f",{numbers[who]}" * (listed != "names alone")
        for who, name in CLASS.items()
        if (who, listed) != ("mal", "without her")
    ]
    head = "id,name" if listed == "names alone" else "id,name,canvas id"
    rows = read(tmp_path / "u", "\n".join([head, *lines]) if listed else "")
    if own:
        assert rows["ada" if listed else f"lovelaceada_{number}"].source == HERS.encode()
    theirs = [row for row in rows.values() if row.source == THEIRS.encode()]
    assert len(theirs) == 1
    assert theirs[0].student in ("mal", f"lovelaceada_{number}_{numbers['mal']}") or theirs[0].attention
    assert not [row for row in rows.values() if row.nothing and not row.attention and (own or row.student == "mal")]


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("number", ["3_", "2026_", "1_2_", "03_part_3_", "5814_"])
def test_a_number_before_the_name_of_a_file_makes_no_group(tmp_path: Path, number: str, listed: bool) -> None:
    for at in range(4):
        file = f"poea_{340_934 + at}_{208_490_284 + at}_{number * (at < 2)}cs5814_vae.py"
        put(tmp_path / "u", file, text=HERS + f"# {at}")
    table = "Student,ID,Section\n" + "".join(f'"Poe, A",{340_934 + at},1\n' for at in range(4))
    rows = read(tmp_path / "u", table if listed else "")
    assert [(row.source or b"")[-1:] for row in rows.values()] == [b"0", b"1", b"2", b"3"]


# --- what only looks like Canvas' names -----------------------------------------------------------------------------


@given(words, st.integers(1, 9999), st.integers(1, 9999), st.sets(words, min_size=2, max_size=5), st.booleans())
@settings(max_examples=40)
def test_no_student_is_merged_into_another(
    title: str, first: int, second: int, students: set[str], counted: bool
) -> None:
    """`hw_3_3_ada.py`, `hw_3_3_bob.py`; or with a small number that counts them: `hw_3_1_ada.py`, `hw_3_2_bob.py`."""
    numbers = range(1, len(students) + 1) if counted else [second] * len(students)
    names = [f"{title}_{first}_{number}_{each}.py" for number, each in zip(numbers, sorted(students), strict=True)]
    with TemporaryDirectory() as temporary:
        put(Path(temporary) / "upload", *names)
        rows = read(Path(temporary) / "upload")
    assert {row.source for row in rows.values()} == {name.encode() for name in names}


def test_a_number_of_two_people_is_not_canvas(tmp_path: Path) -> None:
    put(tmp_path / "u", "ada_2026_11_cs5814_vae.py", "ada_2026_12_cs5814_vae.py", "bob_2026_11_cs5814_vae.py")
    assert len(read(tmp_path / "u")) == 3


@given(st.dictionaries(st.integers(1, 10**6), st.tuples(words, st.integers(1, 3)), min_size=1), st.integers(100, 10**8))
def test_what_canvas_writes_is_known_as_canvas(people: dict[int, tuple[str, int]], number: int) -> None:
    names = []
    for person, (name, count) in people.items():
        for _ in range(count):
            number += 1
            names.append(f"{name}_{person}_{number}_cs5814_vae.py")
    late = [name.replace("_", "_LATE_", 1) for name in names]  # after the due date has changed
    assert platform_names([*names, *late]).keys() == {*names, *late}


@given(
    st.dictionaries(words, st.sampled_from([".py", ".zip"]), min_size=2, max_size=4),
    st.sampled_from([" - Copy", " (1)", " copy", " (fixed)"]),
    st.sets(st.integers(0, 3), min_size=1),
    st.booleans(),
)
@settings(max_examples=40)
def test_what_lies_next_to_its_copy_is_one_persons(
    handed_in: dict[str, str], mark: str, touched: set[int], late: bool
) -> None:
    """The TA has unpacked the archives in place, into folders of their names, and copied modules."""
    with TemporaryDirectory() as temporary:
        upload = Path(temporary) / "u"
        for number, (word, end) in enumerate(handed_in.items()):
            name = f"doe{word}_{'LATE_' if late else ''}{101 + number}_{901 + number}_hw3"
            text = f"def loss_function(): return {number}"
            put(upload, f"{name}{end}", text=text)
            if number in touched and end == ".py":
                put(upload, f"{name}{mark}.py", text=text)
            elif number in touched:
                put(upload / name, "cs5814_vae.py", text=text)
        rows = read(upload)
    assert rows.keys() == {f"doe{word}_{101 + number}" for number, word in enumerate(handed_in)}
    for number, (word, end) in enumerate(handed_in.items()):
        row = rows[f"doe{word}_{101 + number}"]
        assert row.late is late
        assert (row.source is not None) == (end == ".py" or number in touched)


# --- nbgrader's exchange ---------------------------------------------------------------------------------------------

accounts = st.lists(words, min_size=1, max_size=2).map("+".join)


@given(st.dictionaries(accounts, st.sets(st.sampled_from(["hw1", "hw3-part3", "hw4"]), min_size=1), min_size=1))
@settings(max_examples=40)
def test_only_this_assignment_counts_in_the_exchange(handed_in: dict[str, set[str]]) -> None:
    names = {name for some in handed_in.values() for name in some}
    with TemporaryDirectory() as temporary:
        for account, some in handed_in.items():
            for day, name in enumerate(sorted(some), 10):
                folder = f"{account}+{name}+2026-12-{day} 20:00:00 UTC+ab"
                put(Path(temporary) / "u" / folder, "cs5814_vae.py", text=f"{account} {name}")
        if len(names) > 1 and "hw3-part3" not in names:
            with pytest.raises(NothingToGrade, match="several assignments"):
                read(Path(temporary) / "u")
            return
        rows = read(Path(temporary) / "u")
    wanted = "hw3-part3" if "hw3-part3" in names else min(names)
    assert rows.keys() == handed_in.keys()
    for account, row in rows.items():
        assert row.source == (f"{account} {wanted}".encode() if wanted in handed_in[account] else None)
        assert row.nothing == (wanted not in handed_in[account])
        assert not row.notes


# --- ids that contradict --------------------------------------------------------------------------------------------


def canvas(upload: Path, people: dict[str, int]) -> None:
    for name, number in people.items():
        put(upload, f"{name}_{number}_{9000 + number}_cs5814_vae.py", text=str(number))


def gradescope(upload: Path, people: dict[str, int]) -> None:
    metadata = ""
    for name, number in people.items():
        put(upload / f"submission_{number}", "cs5814_vae.py", text=str(number))
        metadata += f"submission_{number}:\n  :submitters:\n  - :name: {name}\n    :sid: '{number}'\n"
        metadata += f"    :email: {number}@x.edu\n  :created_at: 2026-11-01 10:00:00.5 Z\n"
    put(upload, "submission_metadata.yml", text=metadata)


def moodle(upload: Path, people: dict[str, int]) -> None:
    for name, number in people.items():
        put(upload / f"{name}_{number}_assignsubmission_file", "cs5814_vae.py", text=str(number))


ROSTERS: list[tuple[Callable[[Path, dict[str, int]], None], str, str]] = [
    (canvas, "Student,ID,Section", "{name},{number},1"),
    (gradescope, "name,id,email", "{name},{number},{number}@x.edu"),
    (moodle, "Identifier,Full name,Email address", "Participant {number},{name},{name}@x.edu"),
]


@pytest.mark.parametrize(("layout", "columns", "line"), ROSTERS)
@given(st.sets(words, min_size=2, max_size=4), st.permutations(range(101, 106)))
@settings(max_examples=20)
def test_nobody_gets_the_grade_of_another_id(
    layout: Callable[[Path, dict[str, int]], None], columns: str, line: str, names: set[str], numbers: list[int]
) -> None:
    """Each has a number in the upload and one in the roster; these differ where somebody was mixed up."""
    handed_in = dict(zip(sorted(names), range(101, 106), strict=False))
    listed = dict(zip(sorted(names), numbers, strict=False))
    assume({*handed_in.values()} & {*listed.values()})  # else nobody is in the roster, which ends the command
    with TemporaryDirectory() as temporary:
        layout(Path(temporary) / "upload", handed_in)
        lines = [line.format(name=name, number=number) for name, number in listed.items()]
        rows = read(Path(temporary) / "upload", "\n".join([columns, *lines]))
    for row in rows.values():
        number = row.source and row.source.decode()
        if number and not row.unlisted:
            assert number == row.keys.get("canvas", row.keys.get("identifier", row.keys.get("id", ""))).split()[-1]
    assert sorted(row.source.decode() for row in rows.values() if row.source) == sorted(map(str, handed_in.values()))


@given(st.booleans(), st.booleans())
def test_two_with_the_name_of_one_are_both_told(by_number: bool, same_platform: bool) -> None:
    with TemporaryDirectory() as temporary:
        upload = Path(temporary) / "u"
        canvas(upload / "canvas", {"lovelaceada": 101, "kingbob": 102})
        other = moodle if not same_platform else canvas
        name = "lovelaceada" if same_platform else "Ada Lovelace"
        other(upload / "more", {name: 201, "Cy Li": 203} if not same_platform else {name: 201})
        number = ",canvas id" if by_number else ""
        rows = read(
            upload,
            f"id,name{number}\n"
            + "".join(
                f"{each}{',' if by_number else ''}{key}\n"
                for each, key in (
                    ("ada,Ada Lovelace", "101" if by_number else ""),
                    ("bob,Bob King", "102" if by_number else ""),
                )
            ),
        )
    said = " ".join((*rows["ada"].attention, rows["ada"].reason))
    if by_number:
        assert rows["ada"].source == b"101"
    else:
        assert rows["ada"].source is None
        assert rows["ada"].unreadable, "who has perhaps handed in gets no 0"
    if not (by_number and same_platform):  # else the numbers tell them apart
        assert f"`lovelaceada_101` and `{name}_201` may both be Ada Lovelace" in said
        assert rows[f"{name}_201"].attention[0] in said


def test_who_only_has_the_name_is_told(tmp_path: Path) -> None:
    canvas(tmp_path / "u", {"wangwei": 999, "kingbob": 102})
    table = 'Student,ID,Section\n"Wang, Wei",111,1\n"King, Bob",102,1\n'
    row = read(tmp_path / "u", table)["wangwei_999"]
    assert row.unlisted
    assert "the Canvas number is 999 here and 111 there" in " ".join(row.attention)


def test_a_name_is_reviewed_if_no_number_fits(tmp_path: Path) -> None:
    """As after a spreadsheet has rounded all numbers."""
    canvas(tmp_path / "u", {"wangwei": 10230000000012345})
    row = read(tmp_path / "u", 'Student,ID,Section\n"Wang, Wei",1.023E+16,1\n')["1.023E+16"]
    assert row.source
    assert "1.023E+16 there" in row.attention[0]


def test_ids_of_two_people_are_reviewed(tmp_path: Path) -> None:
    gradescope(tmp_path / "u", {"Ada": 101})
    rows = read(tmp_path / "u", "name,id,email\nAda,101,a@x.edu\nBob,102,101@x.edu\n")
    assert rows["101"].source
    assert "also those of Bob" in rows["101"].attention[0]
    assert rows["102"].nothing


# --- work that nobody is known by -----------------------------------------------------------------------------------

WITHIN = [
    "Final {name}/cs5814_vae.py",
    "{first} - {last} - 30 nov/cs5814_vae.py",
    "{last}, {first} (late)/cs5814_vae.py",
    "{name}/cs5814_vae.py",
]
WITH_ID = [
    "{login}_cs5814_vae.py",
    "cs5814_vae_{login}.py",
    "hw3-part3-{login}-main/cs5814_vae.py",
    "{number}-2/cs5814_vae.py",
]
MAY_BE = [
    *WITH_ID,
    "({NUMBER})/cs5814_vae.py",
    "hw3_{login}@x.edu.py",
    "{last} cs5814_vae {first}.py",
    "{name} and Lou Li.py",
    *WITHIN,
]


CASELESS = {
    "Arabic": "محمد الأحمد",
    "Hebrew": "דוד לוי",
    "Hindi": "राम शर्मा",
    "Japanese": "太郎 山田",
    "Korean": "민수 김",
    "Thai": "สมชาย ใจดี",
}


@pytest.mark.parametrize("comma", [True, False])
@pytest.mark.parametrize("marks", [True, False])
def test_canvas_names_without_capitals_are_as_quiet_as_others(tmp_path: Path, comma: bool, marks: bool) -> None:
    """Canvas' `content_zipper.rb` leaves letters and their marks; what packs the files may lose the marks."""
    table, people = "id,name\n", {**CASELESS, "Latin": "Ada Lovelace"}
    for at, name in enumerate(people.values()):
        first, last = name.split()
        table += f's{at},"{last}, {first}"\n' if comma else f"s{at},{name}\n"
        called = re.sub("" if marks else r"\W", "", f"{last}{first}".lower())
        put(tmp_path / "u", f"{called}_{4000 + at}_{9000 + at}_cs5814_vae.py")
    rows = read(tmp_path / "u", table)
    assert len(rows) == len(people)
    assert [row.student for row in rows.values() if not row.source or row.attention] == []


WORDS = ["late", "hw3-part3", "REGRADE", "cs5814_vae", "DONE", "resubmission", "2026-12-01", "from-email", "Zoé"]


@given(
    st.sampled_from(["{id}_{word}", "{id} ({word})", "{word} {id}", "{word}-{id}-2", "{id}.{word}"]),
    st.sampled_from(["jdoe", "jdoe00", "906123456", "j.doe-2"]),
    st.sampled_from([*WORDS, "Grace", "glee"]),
    st.booleans(),
)
@settings(max_examples=60)
def test_an_id_with_other_words_is_a_guess(form: str, id: str, word: str, served: bool) -> None:
    """Only if no other student's name or id is in it, and the student has no other work."""
    entry, own = f"{form.format(id=id, word=word)}/cs5814_vae.py", f"{id}/cs5814_vae.py"
    with TemporaryDirectory() as temporary:
        put(Path(temporary) / "u", "c3/cs5814_vae.py", entry, *[own] * served)
        rows = read(Path(temporary) / "u", f"id,name\n{id},Jane Doe\nglee,Grace Lee\nmay,Al May\nc3,Moe Mo\n")
    guess = word in WORDS and not served
    assert rows[id].source == (own.encode() if served else entry.encode() if guess else None)
    assert rows[id].unreadable is not (guess or served)
    assert rows[id].attention or rows[id].unreadable
    assert len(rows) == 5 - guess


@pytest.mark.parametrize(("id", "entry"), [("may", "may late"), ("12345", "hw 12345"), ("jdoe", "Cleo King (jdoe)")])
def test_an_id_that_may_be_there_by_chance_is_asked_about(tmp_path: Path, id: str, entry: str) -> None:
    put(tmp_path / "u", "c3/cs5814_vae.py", f"{entry}/cs5814_vae.py")
    rows = read(tmp_path / "u", f"id,name\n{id},Jane Doe\nc3,Moe Mo\n")
    assert (rows[id].source, rows[id].unreadable, len(rows)) == (None, True, 3)


@given(st.lists(st.sampled_from(MAY_BE), min_size=1, max_size=3, unique=True), st.booleans(), st.booleans())
@settings(max_examples=60)
def test_whose_work_may_be_there_has_not_handed_in_nothing(names: list[str], namesake: bool, served: bool) -> None:
    """One entry with the whole name or an id is taken. What else may be a student's is told to both, work or not."""
    facts = {
        "login": "kimk",
        "number": "a1234567",
        "NUMBER": "A1234567",
        "name": "Kim Kay",
        "first": "Kim",
        "last": "Kay",
    }
    table = "id,name,login,email\na1234567,Kim Kay,kimk,kimk@x.edu\nb2,Lou Li,loul,loul@x.edu\nc3,Moe Mo,moem,\n"
    whole = WITHIN[-1] in names or (len(names) == 1 and names[0] in WITHIN)
    known = not served and ((whole and not namesake) or (len(names) == 1 and names[0] in WITH_ID))
    with TemporaryDirectory() as temporary:
        upload = Path(temporary) / "u"
        put(upload, "c3/cs5814_vae.py", *(name.format(**facts) for name in names))
        put(upload, *["kimk/cs5814_vae.py"] if served else [])
        rows = read(upload, table + ("d4,Kim Kay,dd4,\n" if namesake else ""))
    assert rows["b2"].unreadable is any("Lou" in name for name in names)
    assert rows["b2"].nothing is not rows["b2"].unreadable, "of whom there is no trace"
    unknown = {student: row for student, row in rows.items() if row.unlisted}
    assert len(unknown) == len(names) - known
    kims = rows["a1234567"]
    assert bool(kims.source) is (served or known)
    assert kims.unreadable is not (served or known), "who has perhaps handed in gets no 0"
    assert all("Kim Kay" in row.attention[0] for row in unknown.values())
    assert all(f"`{student}`" in " ".join((kims.reason, *kims.attention)) for student in unknown)


# How platforms write a student's name into that of a file, with the student's own name for it.
FORMS = [
    "{first} {last} - {file}",  # Google Classroom, Dropbox
    "{file} - {first} {last}",  # Google Forms
    "{file}_{first} {last}",  # MS Forms
    "{first} {last} - 2026-11-30 10:00:00",  # CodeGrade
    "{last} {first} - {file}",
    "{last}, {first} - {file}",
    "{last}_{first}_cs5814_vae",
    "{last} {first}",
    "{last}_{first}_{id}_{number}",  # ILIAS
    "0{number}_{last}_{first}",
    "{last}-{first}-{number}",
    "20261130-2{number}-{first} {last}-{file}",  # a mailbox
]
PEOPLE = {"id1": "Ann Ash", "id2": "Bo Bee", "id3": "Cy Coe", "id4": "Di Dee", "id5": "Ed Eve Fox"}
TABLE = "id,name\n" + "".join(f"{each},{name}\n" for each, name in PEOPLE.items())


@pytest.mark.parametrize("form", FORMS)
@given(st.sets(st.sampled_from(list(PEOPLE)), min_size=1), st.integers(0, 5), st.sampled_from(["", ".py", ".zip"]))
@settings(max_examples=12)
def test_a_platforms_form_tells_whose_it_is(form: str, there: set[str], others: int, end: str) -> None:
    """With three or more names of one form, and fewer others, nothing is left to review; else each is a guess."""
    with TemporaryDirectory() as temporary:
        upload = Path(temporary) / "u"
        put(upload, *(f"x{number}/cs5814_vae.py" for number in range(others)))
        for number, each in enumerate(sorted(there)):
            first, _, last = PEOPLE[each].partition(" ")
            file = ["cs5814_vae", "Copy of cs5814_vae", "my (last) one", "hw3-final", "a_b"][number]
            name = form.format(first=first, last=last, id=each, number=471 + number, file=file) + end
            put(upload, *[] if end == ".zip" else [f"{name}/f.py"] if not end else [name], text=each)
            if end == ".zip":
                upload.mkdir(exist_ok=True)
                with ZipFile(upload / name, "w") as packed:
                    packed.writestr("cs5814_vae.py", each)
        if not end:
            put(upload, *(f"{folder.name}/cs5814_vae.py" for folder in [*upload.iterdir()] if folder.name[0] != "x"))
        rows = read(upload, TABLE)
    sure = "{id}" in form or (len(there) >= 3 and len(there) > others)
    for each in PEOPLE:
        assert (rows[each].source is not None) is (each in there)
        assert rows[each].nothing is (each not in there)
        said = " ".join(rows[each].attention if not sure else rows[each].notes)
        assert ("by the name in it" in said or "by the id in it" in said) is (each in there)
        assert bool(rows[each].attention) is (not sure if each in there else others > 0)
    assert sum(row.unlisted for row in rows.values()) == others


@pytest.mark.parametrize("form", ["hw3-{}", "{}-hw3", "{}_hw3", "07-{}", "{}-7"])
@pytest.mark.parametrize("inner", [" ", "-"])
def test_a_hyphen_in_a_name_is_in_one_form_too(tmp_path: Path, form: str, inner: str) -> None:
    names = ["Ann Ash", "Bo Bee", "Cy Coe", "Jean-Luc Dee"]
    put(tmp_path / "u", *(f"{form.format(name.replace(' ', inner))}/cs5814_vae.py" for name in names))
    rows = read(tmp_path / "u", "id,name\n" + "".join(f"x{at},{name}\n" for at, name in enumerate(names)))
    assert all(row.source and not row.attention for row in rows.values())


def test_two_numbers_of_one_name_are_asked_about(tmp_path: Path) -> None:
    put(tmp_path / "u", *(f"0{at}_{name}/cs5814_vae.py" for at, name in enumerate(["Ash_Ann", "Bee_Bo", "Coe_Cy"])))
    put(tmp_path / "u", "07_Ash_Ann/cs5814_vae.py")
    rows = read(tmp_path / "u", TABLE)
    assert rows["id1"].unreadable
    assert [each for each, row in rows.items() if row.source and not row.attention] == ["id2", "id3"]


MIXED = ["{0} - cs5814_vae", "cs5814_vae {0}", "{0} {1}", "{0} for {1}", "{0} of the {last} family", "old-{0}", "{id}"]


@given(
    st.lists(
        st.tuples(st.sampled_from(list(PEOPLE)), st.sampled_from(MIXED), st.sampled_from(list(PEOPLE))),
        min_size=1,
        max_size=6,
        unique_by=lambda each: each[:2],
    )
)
@settings(max_examples=80)
def test_a_name_in_a_name_gives_nobody_anothers_work(entries: list[tuple[str, str, str]]) -> None:
    """Everything comes out, in the row of the one student named, or in its own with a question to all named."""
    with TemporaryDirectory() as temporary:
        upload = Path(temporary) / "u"
        holders: dict[str, set[str]] = {}
        for who, form, other in entries:
            name = form.format(PEOPLE[who], PEOPLE[other], last=PEOPLE[other].split()[-1], id=who)
            put(upload, f"{name}.py")
            holders[f"{name}.py"] = {who, other} if "{1}" in form else {who}
        put(upload, "zed.py")
        rows = read(upload, f"{TABLE}zed,Zed\n")
    assert rows.pop("zed").source == b"zed.py"
    assert sorted(row.source.decode() for row in rows.values() if row.source) == sorted(
        name for name in holders if not any(name in row.reason for row in rows.values())
    )
    for student, row in rows.items():
        if not row.unlisted:
            named = [name for name, people in holders.items() if student in people]
            assert row.nothing is (not named)
            assert not row.source or holders[row.source.decode()] == {student}
            assert len(named) < 2 or row.attention or row.reason
        elif row.source:
            assert "whose is it?" in row.attention[0]


@pytest.mark.parametrize("form", ["{} - {}", "{1} - {0}", "{1}_{0}"])
@pytest.mark.parametrize("files", [["cs5814_vae.py", "cvae.ipynb"], ["cs5814_vae.py", "cvae_helpers.py", "figure.png"]])
def test_files_in_a_platforms_form_belong_together(tmp_path: Path, form: str, files: list[str]) -> None:
    for name in PEOPLE.values():
        for file in files:
            stem, _, end = file.rpartition(".")
            put(tmp_path / "u", f"{form.format(name, stem)}.{end}", text=f"{name} {file}")
    put(tmp_path / "u", form.format(PEOPLE["id1"], "cs5814_vae (1)") + ".py", text="another")
    rows = read(tmp_path / "u", TABLE)
    assert {each: row.source for each, row in rows.items()} == {
        each: f"{name} cs5814_vae.py".encode() for each, name in PEOPLE.items()
    }
    assert [each for each, row in rows.items() if row.attention] == ["id1"]


@pytest.mark.parametrize(
    ("listed", "there"),
    [("Jane A. Doe", "Jane Doe"), ("José Pérez", "Jose Perez"), ("Jo (Li) Ash", "Li Ash"), ("Groß, Åsa", "asa gross")],
)
def test_initials_and_accents_may_be_missing_in_a_name(tmp_path: Path, listed: str, there: str) -> None:
    put(tmp_path / "u", f"{there} - hw3.py")
    rows = read(tmp_path / "u", f'id,name\n1,"{listed}"\n2,Al Poe\n')
    assert rows["1"].source
    assert rows["2"].nothing


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("{} - hw", "Di Dee-Lee - hw"),
        ("{} - hw", "Di Dee Lee - hw"),
        ("hw - {}", "hw - Mary Di Dee"),
        ("hw_{}", "hw_Di Dee_Lee"),
        ("{1}_{0}_hw", "Dee_Di_Mary_hw"),
    ],
)
def test_a_longer_name_in_a_platforms_form_is_reviewed(tmp_path: Path, form: str, name: str) -> None:
    for each in ("Ann Ash", "Bo Bee", "Cy Coe"):
        put(tmp_path / "u", f"{form.format(*each.split()) if '1' in form else form.format(each)}.py")
    put(tmp_path / "u", f"{name}.py")
    rows = read(tmp_path / "u", TABLE)
    assert [student for student, row in rows.items() if row.source] == ["id1", "id2", "id3", "id4"]
    assert [student for student, row in rows.items() if row.attention] == ["id4"]


@pytest.mark.parametrize("name", ["12-77 - {} - Nov 30, 2026 1005 AM", "{}_12_assignsubmission_file"])
@pytest.mark.parametrize("group", ["Team of Di Dee", "Di Dee Lee", "Dee Di 2"])
def test_a_platforms_longer_name_is_no_guess(tmp_path: Path, name: str, group: str) -> None:
    """The platform gives whole names: this is another person's or a group's."""
    put(tmp_path / "u", "id1/cs5814_vae.py", f"{name.format(group)}/cs5814_vae.py")
    rows = read(tmp_path / "u", TABLE)
    assert rows["id4"].unreadable
    assert "may be Di Dee (id4)" in rows["id4"].reason


@pytest.mark.parametrize("name", ["Di Dee - hw3", "hw3 Di Dee late", "Di Dee id4 again"])
@pytest.mark.parametrize("other", ["id4", "Di Dee", "Dee, Di (id4)"])
def test_a_guess_adds_nothing_to_other_work(tmp_path: Path, name: str, other: str) -> None:
    put(tmp_path / "u", f"{name}.py", f"{other}/cs5814_vae.py")
    rows = read(tmp_path / "u", TABLE)
    assert rows["id4"].source == f"{other}/cs5814_vae.py".encode()
    assert f"`{name}` may be Di Dee (id4)" in rows["id4"].attention[0]
    assert rows[name].unlisted


BY_ID = [  # next to an id, a name tells whose it is, even if it is another's in another order, or the family name alone
    "hw03-{login}-{first}-{last}-submission.zip",
    "{last}_{login}_cs5814_vae.py",
    "{last}_{login}_cs5814_vae-{first}",
    "{first} {last} {login}",
]


@given(st.sampled_from(BY_ID), st.lists(st.sampled_from(range(6)), min_size=1, unique=True), st.booleans())
@settings(max_examples=60)
def test_an_id_next_to_a_name_is_no_guess(form: str, handing_in: list[int], with_zeros: bool) -> None:
    people = [("Ann", "Lee", "90123451"), ("Lee", "Ann", "90123452"), ("Bo", "Xue", "901234"), ("Di", "Xue", "801234")]
    people += [("Ming", "Li", "30015"), ("Li", "Ek", "30054")]
    with TemporaryDirectory() as temporary:
        put(Path(temporary) / "u", "zoe/cs5814_vae.py")
        for at in handing_in:
            first, last, login = people[at]
            name = form.format(first=first, last=last, login=f"{'00' if with_zeros else ''}{login}")
            put(Path(temporary) / "u", name if "." in name else f"{name}/cs5814_vae.py", text=str(at))
            if name.endswith(".zip"):
                (Path(temporary) / "u" / name).unlink()
                with ZipFile(Path(temporary) / "u" / name, "w") as archive:
                    archive.writestr("cs5814_vae.py", str(at))
        table = "".join(f"{login},{first} {last}\n" for first, last, login in people)
        rows = read(Path(temporary) / "u", f"id,name\nzoe,Zoe Zo\n{table}")
    for at, (_, _, login) in enumerate(people):
        assert rows[login].source == (str(at).encode() if at in handing_in else None)
        assert rows[login].nothing is (at not in handing_in)
        assert rows[login].attention == ()


@given(st.integers(0, 2), st.booleans())
@settings(max_examples=10)
def test_a_file_of_nobodys_stops_no_class(depth: int, drive: bool) -> None:
    """It gets a separate row, and each student without work is for review."""
    names = [f"{name} - cs5814_vae.py" for name in ("Ada Lovelace", "Bob Roe", "Cyd Poe")]
    above = "HW 3/" * max(depth, int(drive))
    with TemporaryDirectory() as temporary:
        (Path(temporary) / "u").mkdir()
        for part, packed in enumerate((names, ["cs5814_vae.py"]) if drive else ([*names, "cs5814_vae.py"],), 1):
            zipped = f"drive-download-20261201T041500Z-00{part}.zip" if drive else "HW 3.zip"
            with ZipFile(Path(temporary) / "u" / zipped, "w") as archive:
                for name in packed:
                    archive.writestr(f"{above}{name}", name)
        rows = read(Path(temporary) / "u", "id,name\na,Ada Lovelace\nb,Bob Roe\nc,Cyd Poe\nd,Dan Doe\n")
    assert [rows[each].source for each in "abc"] == [name.encode() for name in names]
    assert rows["cs5814_vae"].attention
    assert any("`cs5814_vae`" in said for said in rows["d"].attention)


@pytest.mark.parametrize("served", [True, False])
def test_a_word_in_all_names_is_no_login(tmp_path: Path, served: bool) -> None:
    put(tmp_path / "u", *(f"{name} - cs5814_vae.py" for name in PEOPLE.values()))
    put(tmp_path / "u", *["vae/cs5814_vae.py"] * served)
    rows = read(tmp_path / "u", f"{TABLE}vae,Va Et\n")
    assert not any(row.attention or row.unlisted for row in rows.values())
    assert bool(rows["vae"].source) is served


@given(st.booleans(), st.booleans(), st.booleans(), st.sampled_from(["{}", "{}_101_assignsubmission_file"]))
def test_a_name_that_is_anothers_in_the_other_order(first: bool, turned: bool, both: bool, entry: str) -> None:
    """It counts if others show that names are written as in the roster."""
    with TemporaryDirectory() as temporary:
        names = ["Li Wang", *["Wang Li"] * both, *["Jane Doe"] * first, *["Roe John"] * turned]
        put(Path(temporary) / "u", *(f"{entry.format(name)}/cs5814_vae.py" for name in names), "x/cs5814_vae.py")
        put(Path(temporary) / "u", "x4/cs5814_vae.py")
        rows = read(Path(temporary) / "u", "id,name\nx1,Li Wang\nx2,Wang Li\nx3,Jane Doe\nx4,Al Poe\nx5,John Roe\n")
    sure = first and not turned
    assert (rows["x1"].source == f"{entry.format('Li Wang')}/cs5814_vae.py".encode()) is sure
    assert rows["x1"].unreadable is not sure
    assert bool(rows["x2"].source) is (sure and both)
    assert rows["x2"].unreadable is not sure
    assert bool(rows["x5"].source) is turned


@pytest.mark.parametrize("listed", ["12345", "12345.0", "00012345.0", "0012345"])
@pytest.mark.parametrize("entry", ["00012345", "HW 3_00012345_attempt_2026-11-30-01-45-00_f.py", "hw3 12345"])
def test_a_spreadsheets_zeros_make_nobody_a_stranger(tmp_path: Path, listed: str, entry: str) -> None:
    put(tmp_path / "u", entry if entry.endswith(".py") else f"{entry}/cs5814_vae.py")
    put(tmp_path / "u", "HW 3_bob_attempt_2026-11-30-01-45-00_f.py", "cat/cs5814_vae.py")
    rows = read(tmp_path / "u", f"id,username\n1,{listed}\n2,bob\n3,cat\n4,10012345\n")
    within = entry.startswith("hw3")  # where it may count something else
    assert rows["1"].unreadable is within
    assert not rows["1"].nothing
    assert any("a spreadsheet" in note or "the end of its name" in note for note in rows["1"].notes) is not within
    assert rows["4"].nothing
    assert [row.attention for row in rows.values() if row.unlisted] == [(rows["1"].reason,)] * within


@pytest.mark.parametrize(
    "form",
    [
        ["2026/CS/{}", "2026-CS-{}", "2026_cs_{}", "2026CS{}"],
        ["12.345.{}-1", "12345{}-1", "12-345-{}-1"],
        ["'00{}", "00{}"],
        ["cs:{}", "cs_{}"],
        ["j.doe.{}", "j_doe_{}", "jdoe{}"],
    ],
)
@given(st.data())
@settings(max_examples=10)
def test_separators_of_an_id_make_nobody_a_stranger(form: list[str], data: st.DataObject) -> None:
    """A file's name cannot hold each of them. It is said once for the class, and nobody is asked about it."""
    listed, *written = form
    entry = data.draw(st.sampled_from(written))
    with TemporaryDirectory() as temporary:
        put(Path(temporary) / "u", *(f"{entry.format(number)}/cs5814_vae.py" for number in (123, 124)))
        table = "".join(f"{listed.format(number)},P{number} Q\n" for number in (123, 124, 125))
        (Path(temporary) / "roster.csv").write_text(f"id,name\n{table}", "utf-8")
        upload = read_upload(Path(temporary) / "u", CVAE, read_roster(Path(temporary) / "roster.csv"))
    rows = {each.student: each for each in upload.submitted}
    assert [row.nothing for row in rows.values()] == [False, False, True]
    assert not any(row.attention for row in rows.values())
    assert [said[:14] for said in upload.warnings] == ["2 were matched"]


@pytest.mark.parametrize("entry", ["123 (4)", "123-4", "12 (34)", "1-234", "1.2.3.4"])
def test_another_number_is_another_id(tmp_path: Path, entry: str) -> None:
    put(tmp_path / "u", f"{entry}/cs5814_vae.py", "123/cs5814_vae.py")
    rows = read(tmp_path / "u", "id,name\n1234,Ada Ash\n12-34,Bo Bee\n123,Cy Coe\n")
    assert rows["1234"].source is rows["12-34"].source is None


@pytest.mark.parametrize(
    ("entries", "table"),
    [
        (["0012345", "12345"], "12345,Ada"),
        (["mar3", "3mar"], "3-Mar,Ada"),
        (["0012345"], "12345,Ada\n000012345,Eve"),
        (["mar3"], "3-Mar,Ada\n03-Mar,Eve"),
        (["007"], "7,Ada"),
    ],
)
def test_of_two_changed_ids_neither_is_taken(tmp_path: Path, entries: list[str], table: str) -> None:
    put(tmp_path / "u", *(f"{each}/cs5814_vae.py" for each in (*entries, "bob")))
    rows = read(tmp_path / "u", f"id,name\nbob,Bob\n{table}\n")
    (ada,) = (row for row in rows.values() if row.name == "Ada")
    assert ada.source is None
    assert ada.unreadable or ada.attention


CHANGED = {  # ids, and what spreadsheets show of them: dates in several languages' orders, and numbers
    "mar3": "3-Mar",
    "3mar": "03-Mar",
    "mar-3": "3.Mar",
    "dec1": "12/1/2026",
    "sept1": "1-Sep",
    "oct2024": "Oct-24",
    "march3": "2026-03-03",
    "2e5": "2.00E+05",
    "906123456": "9.06E+08",
    "9061234567": "9,06123E+09",
}
UNCHANGED = ["jan1", "mary3", "mar4", "3e5", "907123456", "mar", "3", "ada", "12.0"]


@given(
    st.sampled_from([*CHANGED]),
    st.sampled_from(["{}/cs5814_vae.py", "{}.py", "HW3_{}_attempt_2026-11-30-01-45-00_cs5814_vae.py"]),
)
def test_what_a_spreadsheet_makes_of_an_id_is_known(login: str, name: str) -> None:
    """A date that only one has is that student's; of a number digits may be lost. Nobody else is asked."""
    with TemporaryDirectory() as temporary:
        put(
            Path(temporary) / "u",
            name.format(login),
            name.format("zoe"),
            *(f"{each}/cs5814_vae.py" for each in UNCHANGED),
        )
        cells = [*CHANGED.values()]
        table = "login,name\nzoe,Zoe Zo\n" + "".join(f'"{cell}",P{at} Q\n' for at, cell in enumerate(cells))
        rows = read(Path(temporary) / "u", table)
    if login in ("dec1", "sept1", "oct2024"):
        assert rows[CHANGED[login]].source == name.format(login).encode()
        assert not any(row.attention for row in rows.values() if not row.unlisted and row.source)
        return
    asked = [row for row in rows.values() if row.unreadable]
    assert [row.student for row in asked] == [CHANGED[login]] or (
        {row.student for row in asked} <= {"3-Mar", "03-Mar", "3.Mar", "2026-03-03"} and "mar" in login
    )
    (work,) = (row for row in rows.values() if row.source == name.format(login).encode())
    assert all(f"({row.student})" in " ".join(work.attention) for row in asked[:3])


ACCENTED = ["Zoë Saldaña", "Jürgen Müller", "Iñigo Ibáñez", "Łukasz Żółć", "Siobhán O'Brien", "Иван Петров"]
PAGES = ["utf-8", "cp437", "cp850", "cp1252", "latin-1", "mac_roman"]
WORN = {  # how programs write names that they cannot, and whether all letters are there, changed or not
    "#U": lambda name: "".join(each if each.isascii() else f"#U{ord(each):04x}" for each in name),
    "%": lambda name: quote(name),
    "?": lambda name: name.encode("ascii", "replace").decode(),
    "__": lambda name: re.sub(r"[^\x00-\x7f]", "__", name),
    "dropped": lambda name: name.encode("ascii", "ignore").decode(),
}


@given(
    st.sampled_from([*WORN, *permutations(PAGES, 2)]), st.sampled_from(ACCENTED), st.sampled_from(["folders", "Moodle"])
)
@settings(max_examples=100)
def test_packing_makes_nobody_a_stranger(way: str | tuple[str, str], name: str, place: str) -> None:
    """Whose name it was has the work, or is asked; nobody else is, and lost letters are said."""
    with TemporaryDirectory() as temporary:
        try:
            changed = WORN[way](name) if isinstance(way, str) else name.encode(way[0]).decode(way[1])
            entry = PLACES[place].format(name=changed, number=77)
            put(Path(temporary) / "u", entry)
        except (UnicodeError, ValueError, OSError):
            assume(False)
        people = "".join(f"x{at},{each}\n" for at, each in enumerate(ACCENTED))
        put(Path(temporary) / "u", "zoe/cs5814_vae.py", "bob/cs5814_vae.py")
        rows = read(Path(temporary) / "u", f"id,name\nzoe,Zoe Zo\nbob,Bob Bo\n{people}")
    row = next(row for row in rows.values() if row.name == name and not row.unlisted)
    lost = way in ("?", "__", "dropped") and 2 * sum(map(str.isascii, name)) < len(name)
    if not lost:
        assert row.source == entry.encode()
        assert bool(row.attention) is (way == "dropped" and not name.isascii())
    assert row.source or row.attention
    assert lost or not any(each.attention for each in rows.values() if each is not row)


@pytest.mark.parametrize("name", ["Jörgen Müller", "Jurgen", "J__ Müller", "J_rgen M_ller", "Jrgen Mller"])
@pytest.mark.parametrize("other", ["Jörgen Möller", "Jærgen Møller"])
def test_another_letter_is_another_name(tmp_path: Path, name: str, other: str) -> None:
    put(tmp_path / "u", f"{name}/cs5814_vae.py", "bob/cs5814_vae.py")
    rows = read(tmp_path / "u", f"id,name\nx1,Jürgen Müller\nx2,{other}\nbob,Bob Bo\n")
    assert rows["x1"].source is None
    assert rows["x1"].attention or rows["x1"].unreadable


JOINED = ["{first}{last}", "{last}{first}_cs5814_vae", "vae-{first}{last}", "{last}{first}", "hw3{first}{last}"]


@given(
    st.sampled_from(JOINED),
    st.booleans(),
    st.sets(st.sampled_from(["Grace Hopper", "Anne-Marie Duff", "Siobhán O'Brien", "Ming Li"]), min_size=1),
)
def test_names_in_one_word_are_asked_or_usual(form: str, lower: bool, there: set[str]) -> None:
    """One may be a login. Where a capital begins the second word, it is a guess; in most entries, it is neither."""
    lower &= form in JOINED[:4]  # `hw3gracehopper` is none of its words
    with TemporaryDirectory() as temporary:
        put(Path(temporary) / "u", "u1/m.py", "u2/m.py")
        for name in there:
            first, last = (re.sub(r"[^\w]", "", each) for each in name.split())
            entry = form.format(first=first, last=last)
            put(Path(temporary) / "u", f"{entry.lower() if lower else entry}/cs5814_vae.py", text=name)
        people = ["Grace Hopper", "Anne-Marie Duff", "Siobhán O'Brien", "Ming Li"]
        table = "".join(f"x{at},{each}\n" for at, each in enumerate(people))
        rows = read(Path(temporary) / "u", f"id,name\nu1,Al Poe\nu2,Bo Poe\n{table}")
    for at, name in enumerate(people):
        row = rows[f"x{at}"]
        assert row.nothing is (name not in there)
        if name in there:
            sure = len(there) >= 3
            assert (row.source == name.encode()) is (sure or not lower)
            assert bool(row.attention) is (not sure and not lower)
            assert row.unreadable is (lower and not sure)


@pytest.mark.parametrize("group", ["janedoe", "doejane"])
def test_whose_name_stands_on_anothers_work_is_asked(tmp_path: Path, group: str) -> None:
    """Such as a group that is called as she is, with the number of its one member."""
    canvas(tmp_path / "u", {group: 700, "poeal": 701})
    rows = read(tmp_path / "u", 'Student,ID,Section\n"Roe, John",700,1\n"Doe, Jane",999,1\n"Poe, Al",701,1\n')
    assert rows["700"].source == b"700"
    assert rows["999"].unreadable
    assert "was given to Roe, John by an id, but may be Doe, Jane" in rows["999"].reason


@given(st.integers(1, 99), st.booleans())
def test_of_two_canvas_numbers_the_name_tells_which(number: int, first: bool) -> None:
    """Canvas leaves the end of the name `doe_7`; what follows may be the student's number or the group's member."""
    with TemporaryDirectory() as temporary:
        put(Path(temporary) / "u", f"doe_{number}_12345_67890_cs5814_vae.py", text="doe")
        put(Path(temporary) / "u", *[f"roejane_{number}_67891_cs5814_vae.py"] * first, text="roe")
        table = f'Student,ID,Section\ndoe_{number},12345,1\n"Roe, Jane",{number},1\n'
        rows = read(Path(temporary) / "u", table)
    assert rows["12345"].source == b"doe"
    assert rows[str(number)].source == (b"roe" if first else None)


HELD = ["{0} ({1})", "{0}({1})", "{0} (Kimmy)({1})", "{1}@x.edu handin", "({1}@X.EDU)", "{0} {1}@x.edu late"]
NOT_HELD = [
    "{0} ({2})",
    "Lou ({1})",
    "x{1}@x.edu",
    "a.{1}@x.edu",
    "{1}@x.education",
    "{1}@x.edu.au",
    "{1}@x.edu_{2}@x.edu",
]


@pytest.mark.parametrize("name", HELD + NOT_HELD)
def test_name_and_id_or_an_email_address_tell_whose_it_is(tmp_path: Path, name: str) -> None:
    put(tmp_path / "u", "c3/cs5814_vae.py", f"{name.format('Kay, Kim', 'kim', '1')}/cs5814_vae.py")
    rows = read(tmp_path / "u", "id,name,email\nkim,Kim Kay,kim@x.edu\n1,Lou Li,1@x.edu\nc3,Moe Mo,\n")
    assert bool(rows["kim"].source) is (name in HELD)
    assert not rows["1"].source
    assert ("by the id in it" in " ".join(rows["kim"].notes)) is (name in HELD)


@pytest.mark.parametrize("holder", ["Homework 3", "Homework 3.zip"])
def test_two_students_in_a_folder_are_known_by_the_roster(tmp_path: Path, holder: str) -> None:
    """As in Sakai's download."""
    names = [f"{each}/Submission attachment(s)/cs5814_vae.py" for each in ("Kay, Kim(kim)", "Kay, Kim(kim2)")]
    put(tmp_path / "u" / holder, *names if "." not in holder else ())
    if "." in holder:
        (tmp_path / "u").mkdir()
        with ZipFile(tmp_path / "u" / holder, "w") as packed:
            for name in names:
                packed.writestr(name, name)
    rows = read(tmp_path / "u", "id,name\nkim,Kim Kay\nkim2,Kim Kay\n")
    assert {each: (row.source or b"").decode() for each, row in rows.items()} == {"kim": names[0], "kim2": names[1]}


@pytest.mark.parametrize("name", ["kim7_cs5814_vae", "hw3 (kim7)", "Kim Kay and Lou Li", "nobody"])
def test_where_nobody_is_known_the_message_says_what_to_do(tmp_path: Path, name: str) -> None:
    put(tmp_path / "u", f"{name}/cs5814_vae.py", "someone/cs5814_vae.py")
    with pytest.raises(NothingToGrade, match="Name what was handed in by the ids of the roster") as raised:
        read(tmp_path / "u", "id,name\nkim7,Kim Kay\nlou,Lou Li\n")
    assert ("may be Kim Kay (kim7)" in str(raised.value)) is (name != "nobody")


@given(
    st.lists(st.sampled_from(["jdoe", "broe", "cpoe", "kim", "lee"]), min_size=1, unique=True),
    st.sampled_from(
        [
            "{}/cs5814_vae.py",
            "{}.py",
            "HW3_{}_attempt_2026-11-30-01-45-00_cs5814_vae.py",
            "{}+hw3-part3+2026-11-30 23:01:12 UTC+x/cs5814_vae.py",
        ]
    ),
    st.sampled_from(["login", "name", "address", ""]),
    st.lists(st.sampled_from(["", "students.", "cs."]), min_size=5, max_size=5),
)
@settings(max_examples=40)
def test_what_an_address_begins_with_is_a_login(
    logins: list[str], name: str, other: str, departments: list[str]
) -> None:
    """So it is for the addresses of one institution, unless somebody else has that login, name or beginning."""
    first = logins[0]
    cells = {
        "login": f"{first},Zo Zo,z@x.edu",
        "name": f"l9,{first},z@x.edu",
        "address": f"l9,Zo Zo,{first}@y.org",
        "": ",,",
    }
    addresses = [f"{each}@{at}x.edu" for each, at in zip(logins, departments, strict=False)]
    table = "id,login,name,email\n" + "".join(f"{at},,P{at} Q,{each}\n" for at, each in enumerate(addresses))
    with TemporaryDirectory() as temporary:
        put(Path(temporary) / "u", "known/cs5814_vae.py", *(name.format(each) for each in logins))
        rows = read(Path(temporary) / "u", f"{table}8,known,Known,k@x.edu\n9,{cells[other]}\n7,,Yo Yo,y@x.edu\n")
    for at, each in enumerate(logins):
        if other and each == first:
            assert rows[str(at)].source is None
            assert rows[str(at)].unreadable or rows["9"].source
        else:
            assert rows[str(at)].source == name.format(each).encode()
            assert rows[str(at)].attention == ()


@pytest.mark.parametrize(
    ("columns", "cell"),
    [
        ("SIS User ID,SIS Login ID", "9{at},{login}@x.edu"),
        ("OrgDefinedId,Username", "#9{at},#{login}@x.edu"),
        ("Login", "{login}@cs.x.edu"),
        ("id", "{login}@x.edu"),
        ("Username,Email", "{login}@x.edu,{login}.alias@mail.com"),
        ("User Principal Name", "{login}@students.x.edu"),
        ("id", "X\\{login}"),
        ("Login", "{login}"),
    ],
)
@pytest.mark.parametrize("entry", ["{}", "{}@x.edu", "{}@cs.x.edu", "jupyter-{}"])
def test_an_address_in_any_column_of_ids_tells_a_login(tmp_path: Path, columns: str, cell: str, entry: str) -> None:
    logins = ["alovelace1", "ghopper2", "aturing3", "kjohnson4"]
    people = [f"{cell.format(at=at, login=login)},P{at} Q{at}" for at, login in enumerate(logins)]
    put(tmp_path / "u", *(f"{entry.format(login)}/hw3-part3/cs5814_vae.py" for login in logins[:3]))
    rows = read(tmp_path / "u", "\n".join([f"{columns},Name", *people]))
    found = sorted(rows.values(), key=lambda row: row.name)
    assert [row.source is None for row in found] == [False, False, False, True]
    assert not any(row.attention or row.unlisted for row in found)


def test_logins_that_people_chose_for_their_mail_are_no_logins(tmp_path: Path) -> None:
    put(tmp_path / "u", *(f"{each}@gmail.com/cs5814_vae.py" for each in ("kim", "lee", "roe")), "moe/cs5814_vae.py")
    rows = read(tmp_path / "u", "login,name\nkim,Kim Kay\nlee,Lee Lo\nroe,Roe Ro\nmoe,Moe Mo\n")
    assert [rows[each].source is None for each in ("kim", "lee", "roe", "moe")] == [True, True, True, False]


@pytest.mark.parametrize("cell", ["kim@tu.de", "kim", "kim@x.edu"])
def test_an_address_at_another_institution_is_asked_about(tmp_path: Path, cell: str) -> None:
    """So is one that two may have: kim@x.edu and the login kim are two students."""
    known = [f"p{at}@x.edu" for at in range(4)]
    entry = "kim@cs.x.edu" if "x.edu" in cell else "kim@mail.org"
    put(tmp_path / "u", *(f"{each}/cs5814_vae.py" for each in (*known, entry)))
    other = "kim,Kim Other\n" if "x.edu" in cell else ""
    table = "login,name\n" + "".join(f"{each},{each[:2]} Q\n" for each in known)
    rows = read(tmp_path / "u", f"{table}{cell},Kim Kay\n{other}")
    assert rows[cell].source is None
    assert rows[cell].unreadable or rows[cell].attention
    assert rows[entry].unlisted


class InCodePage(ZipInfo):
    """An entry with a name in a code page, without the flag for UTF-8."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 (zipfile's)
        return self.filename.encode("cp437"), 0


WRITTEN = {
    "gbk": ["王伟", "李娜", "张小明"],
    "shift_jis": ["山田太郎", "佐藤花子", "表十蔵"],
    "cp949": ["김민수", "박철수", "이영희"],
    "big5": ["許功蓋", "陳怡君", "林志明"],
    "cp866": ["Иванов Иван", "Петрова Анна", "Ёлкин Олег"],
    "cp1251": ["Иванов Иван", "Петрова Анна", "Ёлкин Олег"],
    "cp1253": ["Γιώργος Παππάς", "Ελένη Νίκου", "Άννα Δήμου"],
    "cp1255": ["דוד לוי", "שרה כהן", "משה מזרחי"],
    "cp1256": ["محمد الأحمد", "ليلى حسن", "عمر خالد"],
    "cp852": ["Łukasz Żółć", "Petr Dvořák", "Ágnes Kőszegi"],
}


@pytest.mark.parametrize("page", WRITTEN)
@pytest.mark.parametrize(
    ("form", "listed"), [("{name}", "id,name"), ("{name} - {id}", "id,name"), ("{id}_{name}", "id")]
)
def test_the_roster_tells_the_code_page_of_an_archive(tmp_path: Path, page: str, form: str, listed: str) -> None:
    """Programs that write names so set no flag, and zipfile reads them in the code page of MS-DOS."""
    people = {f"s{at}01": name for at, name in enumerate(WRITTEN[page])}
    with ZipFile(tmp_path / "u.zip", "w") as archive:
        for own, name in people.items():
            raw = f"{form.format(id=own, name=name)}/cs5814_vae.py".encode(page)
            archive.writestr(InCodePage(raw.decode("cp437")), own)
    lines = [f"{own},{name}" if listed == "id,name" else own for own, name in people.items()]
    rows = read(tmp_path / "u.zip", "\n".join([listed, *lines]))
    assert {own: row.source for own, row in rows.items()} == {own: own.encode() for own in people}
    assert not any(row.attention for row in rows.values())


@given(st.integers(0, 3), st.integers(0, 4))
@settings(max_examples=20)
def test_where_some_work_matches_nobody_each_zero_is_listed(matching: int, others: int) -> None:
    """A few that match by accident hide nothing. Where none does, the command stops."""
    with TemporaryDirectory() as temporary:
        known = [f"p{at}" for at in range(matching)]
        put(
            Path(temporary) / "u", *(f"{each}/cs5814_vae.py" for each in (*known, *(f"gh{at}" for at in range(others))))
        )
        table = "id,name\n" + "".join(f"p{at},P{at} Q\n" for at in range(5))
        if not matching and others:
            with pytest.raises(NothingToGrade, match="ids look different"):
                read(Path(temporary) / "u", table)
            return
        assume(matching)
        rows = read(Path(temporary) / "u", table)
    for row in rows.values():
        if not row.unlisted:
            assert bool(row.attention) is (row.student not in known and others > 0)


@pytest.mark.parametrize("name", ["ghoper", "Грейс", "final_version", "1", "gbh", "Gracia Hoper"])
@pytest.mark.parametrize("empty", [False, True])
def test_work_of_nobody_leaves_no_silent_zero(tmp_path: Path, name: str, empty: bool) -> None:
    """Nor does it where the student's folder is empty. An empty folder of nobody's concerns nobody."""
    put(tmp_path / "u", f"{name}/cs5814_vae.py", "cy/m.py", "di/m.py", "ed/m.py")
    (tmp_path / "u" / ("ghopper" if empty else "nobody")).mkdir()
    rows = read(tmp_path / "u", "id,name\nghopper,Grace Hopper\ncy,Cy Coe\ndi,Di Dee\ned,Ed Eve\n")
    assert rows["ghopper"].nothing
    assert f"`{name}`" in rows["ghopper"].attention[0]
    assert "`nobody`" not in rows["ghopper"].attention[0]


HANDOUT = fill_in(CVAE)
NO_WORK = {
    "feedback/cy.txt": "well done",
    "comments/Cy Coe.pdf": "",
    "comments/Cy Coe.pdf, comments/Di Dee.pdf, comments/Ed Eve.pdf": "",
    "scripts/grade.py": "import os\n",
    "moss/index.html": "",
    "data/MNIST/raw/t10k-images-idx3-ubyte.gz": "",
    "outbound/hw3-part3/cs5814_vae.py": HANDOUT,
    "public_checks.py": "import cs5814_vae\n",
    "rename.py": "import os\n",
    "regrades/cy/cs5814_vae.py": "def loss_function(): return 1\n",
    "late mail/Di Dee/cs5814_vae.py": "def loss_function(): return 1\n",
}
WORK = {
    "zauditor/cs5814_vae.py": "x = 1\n",
    "zauditor/hw.rar": "",
    "zauditor.py": "def loss_function(): return 1\n",
    "zauditor.zip": "no zip",
    "zauditor/notes.txt": "def loss_function(): return 1\n",
}


@pytest.mark.parametrize("names", [*NO_WORK, *WORK])
def test_who_dropped_out_is_asked_about_nameless_work_alone(tmp_path: Path, names: str) -> None:
    """What the staff keep next to the class holds up nobody, and has a row to look at."""
    for name in names.split(", "):
        put(tmp_path / "u", name, text=(NO_WORK | WORK)[names] or "?")
    put(tmp_path / "u", "cy/cs5814_vae.py", "di/cs5814_vae.py", "ed/cs5814_vae.py")
    rows = read(tmp_path / "u", "id,name\ncy,Cy Coe\ndi,Di Dee\ned,Ed Eve\nzz,Zed Zee\n")
    assert bool(rows["zz"].attention) is (names in WORK)
    marked = {row.student for row in rows.values() if row.attention}
    assert len(marked - {"zz"}) == 1 + ("regrades" in names or "late" in names)


@given(st.integers(2, 9), st.integers(0, 9), st.sampled_from(["", " \n", "# empty\n", HANDOUT, None]), st.booleans())
@settings(max_examples=40)
def test_a_class_that_lost_its_files_is_no_class_of_zeros(there: int, lost: int, text: str | None, table: bool) -> None:
    """One empty file is somebody's; half of the class is a loss, of which each one's row tells."""
    lost = min(there, lost)
    with TemporaryDirectory() as temporary:
        for at in range(there):
            (Path(temporary) / "u" / f"p{at}").mkdir(parents=True)
            content = text if at < lost else f"def loss_function(): return {at}\n"
            if content is not None:
                (Path(temporary) / "u" / f"p{at}" / "cs5814_vae.py").write_text(content)
        (Path(temporary) / "r.csv").write_text("id,name\n" + "".join(f"p{at},P{at} Q{at}\n" for at in range(there + 3)))
        roster = read_roster(Path(temporary) / "r.csv") if table else None
        upload = read_upload(Path(temporary) / "u", CVAE, roster)
    doubtful = lost > 1 and 2 * lost >= there and (text is not None or lost == there)  # some make a folder for each
    for row in upload.submitted:
        assert bool(row.attention) is (doubtful and int(row.student[1:]) < lost)
    assert sum("see whether the upload is whole" in said for said in upload.warnings) == doubtful


def test_work_with_a_number_concerns_nobody_else(tmp_path: Path) -> None:
    """An auditor holds up nobody who has handed in nothing, unless that one is called so."""
    canvas(tmp_path / "u", {"coecy": 101, "deedi": 102, "roeal": 999})
    rows = read(tmp_path / "u", "name,canvas id\nCy Coe,101\nDi Dee,102\nEd Eve,103\nZoe Roe,104\n")
    assert [rows[each].attention for each in ("101", "102", "103")] == [(), (), ()]


DATES = [
    "30 nov. 2026 10 05",
    "30. November 2026 10.05",
    "1 déc. 2026 10h05",
    "30 de noviembre de 2026 1005",
    "mai 3, 2026 905",
]


@given(st.lists(st.sampled_from(DATES), min_size=1, max_size=3, unique=True))
def test_dates_in_any_language_make_no_further_students(dates: list[str]) -> None:
    with TemporaryDirectory() as temporary:
        upload = Path(temporary) / "u"
        put(upload, *(f"12-77 - Zoé Roy - {date}/cs5814_vae.py" for date in dates))
        put(upload, *(f"{each}-77 - Luc Roe - {DATES[0]}/cs5814_vae.py" for each in (13, 14)))
        rows = read(upload)
    assert rows.keys() == {"Zoé Roy_12", "Luc Roe_13", "Luc Roe_14"}
    assert (rows["Zoé Roy_12"].source is not None) is (len(dates) == 1), "which is the last is not guessed"


@pytest.mark.parametrize(
    "name",
    [
        "kim/cs5814_vae.py",
        "kimka/cs5814_vae.py",
        "akimk/cs5814_vae.py",
        "Kay Loo/cs5814_vae.py",
        "li_2.zip",
        "a12345678.py",
    ],
)
def test_a_part_of_a_name_or_an_id_is_nobodys(tmp_path: Path, name: str) -> None:
    put(tmp_path / "u", "c3/cs5814_vae.py", name)
    rows = read(tmp_path / "u", "id,name,login\na1234567,Kim Kay,kimk\nli,Li,lee\nc3,Moe Mo,moem\n")
    assert rows["a1234567"].nothing
    assert rows["li"].nothing


# --- a name in another spelling ---------------------------------------------------------------------------------------

# A name in the roster, and how platforms and people write it.
SPELLED = {
    "Siobhán O'Brien": ["Siobhán OBrien", "Siobhan O Brien", "siobhan o’brien", "SIOBHÁN O_BRIEN"],
    "Ngũgĩ wa Thiong'o": ["Ngũgĩ wa Thiongo", "Ngugi wa Thiong o"],
    "Anne/Marie Curie": ["AnneMarie Curie", "Anne Marie Curie", "Anne-Marie Curie"],
    "Ann-Marie Poe": ["AnnMarie Poe", "Ann Marie Poe", "Poe, AnnMarie"],
    'Robert "Bob" Smith Jr.': ["Robert Bob Smith Jr", "Robert Bob Smith Jr."],
    "Łukasz Żółć": ["Lukasz Zolc", "Łukasz Żółć"],
    "Søren Kjær": ["Soren Kjaer", "Soeren Kjaer"],
    "Ayşe Işık": ["Ayse Isik", "AYŞE IŞIK"],
    "Jörg Müller": ["Joerg Mueller", "Jorg Muller"],
    "Þóra Guðmundsdóttir": ["Thora Gudmundsdottir"],
    "Ute Großmann": ["Ute Grossmann"],
    "Đỗ Văn Đức": ["Do Van Duc", "Đỗ-Văn-Đức"],
    "伟 王": ["王伟", "王 伟", "伟王"],
    "민준 김": ["김민준", "민준김"],
    "Ng Ng": ["Ng Ng", "Ng-Ng"],
    "Алёна Йод": ["Алена Иод", "АЛЁНА ЙОД"],
    "Γιώργος Ιωάννου": ["ΓΙΩΡΓΟΣ ΙΩΑΝΝΟΥ", "Γιωργος Ιωαννου"],
    "أحمد کریمی": ["احمد كريمي", "أحـمد كريمى", "أَحْمَد كريمي"],
    "ﾀﾛｳ ﾔﾏﾀﾞ": ["タロウ ヤマダ"],
    "Ａｄａ Ｋｉｎｇ Ⅳ": ["Ada King IV"],
    "Suharto .": ["Suharto .", "Suharto"],
    "Sukarno": ["Sukarno", "sukarno"],
}
PLACES = {
    "folders": "{name}/cs5814_vae.py",
    "Moodle": "{name}_{number}_assignsubmission_file_/cs5814_vae.py",
    "Brightspace": "{number}-77 - {name} - Nov 30, 2026 1005 AM/cs5814_vae.py",
    "Google Classroom": "{name} - cs5814_vae.py",
    "Google Forms": "cs5814_vae - {name}.py",
}


@given(
    st.sampled_from(list(PLACES)),
    st.lists(st.sampled_from(list(SPELLED)), min_size=3, max_size=6, unique=True),
    st.randoms(use_true_random=False),
    st.booleans(),
)
@settings(max_examples=80)
def test_one_persons_name_in_any_spelling_is_that_persons(
    place: str, names: list[str], random: Random, stranger: bool
) -> None:
    with TemporaryDirectory() as temporary:
        upload = Path(temporary) / "u"
        handed_in = {}
        for number, name in enumerate(names[1:], 901):
            handed_in[name] = PLACES[place].format(name=random.choice(SPELLED[name]), number=number)
        if "/" not in place:
            put(upload, *handed_in.values())
        put(upload, *[PLACES[place].format(name="Zed Zee", number=999)] * stranger)
        table = "".join(f'x{number},"{name.replace(chr(34), chr(34) * 2)}"\n' for number, name in enumerate(names))
        rows = {row.name: row for row in read(upload, f"id,name\n{table}").values()}
    assume(place not in ("Google Classroom", "Google Forms") or len(handed_in) >= 3)
    assert rows[names[0]].nothing
    for name, entry in handed_in.items():
        assert (rows[name].source, rows[name].attention) == (entry.encode(), ())
    assert sum(row.unlisted for row in rows.values()) == stranger


@pytest.mark.parametrize(
    ("name", "other"),
    [("Алёна Ким", "Алена Ким"), ("أحمد علي", "احمد علی"), ("Zoë Ash", "Zoe Ash"), ("Νίκη Λη", "ΝΙΚΗ ΛΗ")],
)
def test_two_whose_names_differ_in_an_accent_are_two(tmp_path: Path, name: str, other: str) -> None:
    put(tmp_path / "u", f"{name}/cs5814_vae.py", f"{other}/cs5814_vae.py")
    rows = read(tmp_path / "u", f"id,name\n1,{name}\n2,{other}\n")
    assert {row.name: row.source for row in rows.values()} == {
        each: f"{each}/cs5814_vae.py".encode() for each in (name, other)
    }


@pytest.mark.parametrize(
    ("name", "other"), [("カナ モリ", "ガナ モリ"), ("सुमन देवी", "समन देवी"), ("น้ำ ใส", "นำ ใส"), ("김 기", "긴 기")]
)
def test_a_mark_that_is_a_letter_may_not_be_missing(tmp_path: Path, name: str, other: str) -> None:
    put(tmp_path / "u", f"{name}/cs5814_vae.py", "2/cs5814_vae.py")
    rows = read(tmp_path / "u", f"id,name\n1,{other}\n2,Al Poe\n")
    assert rows["1"].source is None
    assert rows[name].unlisted


@given(
    st.sampled_from(["Sio OBrien", "Sio O'Brien", "Sio O’Brien"]),
    st.sampled_from(list(PLACES)),
    st.booleans(),
    st.booleans(),
)
def test_of_two_who_may_be_spelled_so_nobody_has_a_silent_zero(
    written: str, place: str, twice: bool, others: bool
) -> None:
    with TemporaryDirectory() as temporary:
        upload = Path(temporary) / "u"
        put(upload, PLACES[place].format(name=written, number=901), "4/cs5814_vae.py")
        put(upload, *[PLACES[place].format(name=written, number=902).replace(".py", "_2.py")] * twice)
        put(upload, *[PLACES[place].format(name=name, number=903) for name in ("Al Poe", "Bo Roe")] * others)
        table = "id,name\n1,Sio O'Brien\n2,Sio OBrien\n3,Al Poe\n4,Cy Coe\n5,Bo Roe\n"
        rows = read(upload, table)
    assert not (rows["1"].source and rows["2"].source)
    for each in ("1", "2"):
        assert not rows[each].nothing
    assert rows["4"].attention == ()


# Who is in the roster, and what a file may bear that nobody else in it is called.
NEAR = {
    "Bob Ray Roe": ["Bob Roe", "Roe, Bob"],
    "Jane Quincy Doe": ["Jane Doe"],
    "María José Ruiz Soto": ["Maria Ruiz", "María Soto"],
    "DE LA POE,ANN MARIE": ["Ann de la Poe"],
    "Mary-Jane Smith-Jones": ["Mary Smith"],
    "Jörg Müller": ["Jorg Mueller", "Joerg Muller"],
    "Jane Fay": ["Jane Q Fay"],
}


@given(st.sampled_from(list(PLACES)), st.sampled_from(list(NEAR)), st.integers(0, 1), st.booleans())
@settings(max_examples=40)
def test_who_is_nearly_called_so_has_no_silent_zero(place: str, name: str, which: int, served: bool) -> None:
    written = NEAR[name][which % len(NEAR[name])]
    with TemporaryDirectory() as temporary:
        upload = Path(temporary) / "u"
        put(upload, PLACES[place].format(name=written, number=901), "y/cs5814_vae.py", *["x/cs5814_vae.py"] * served)
        rows = read(upload, f'id,name\nx,"{name}"\ny,Cy Coe\nz,Zed Zee\n')
    assert rows["z"].nothing
    assert not rows["x"].nothing
    if served:
        assert rows["x"].source == b"x/cs5814_vae.py"
    elif rows["x"].source is None:
        (other,) = (row for row in rows.values() if row.unlisted)
        assert rows["x"].reason in other.attention
    else:
        assert rows["x"].attention


def test_a_member_of_the_group_before_a_name_has_no_silent_zero(tmp_path: Path) -> None:
    put(
        tmp_path / "u", *(f"Team {name}_90{name[0]}_assignsubmission_file_/f.py" for name in ("1-Jane Doe", "2-Al Poe"))
    )
    rows = read(tmp_path / "u", "id,name,group\n1,Jane Doe,Team 1\n2,Bob Roe,Team 1\n3,Al Poe,Team 2\n4,Cy Coe,\n")
    assert [each for each, row in rows.items() if row.nothing] == ["4"]
    assert (
        "`Team 1-Jane Doe_901_assignsubmission_file_` of Jane Doe may be the work of the whole group"
        in rows["2"].reason
    )


PARTS = ["Robert Smith", "Robert Smith Jr.", "José García", "José García Márquez", "Ann Lee", "Mary Ann Lee", "Li Na"]
PARTS += ["Na Li", "Ng Ng", "Sukarno", "Sukarno Putra"]


@given(
    st.sampled_from(["{} - {}", "{1} - {0}", "{}_{}"]),
    st.sets(st.sampled_from(PARTS), min_size=3),
    st.sampled_from([["cs5814_vae.py"], ["cs5814_vae.py", "cvae.ipynb", "my work.docx"]]),
)
@settings(max_examples=60)
def test_in_a_platforms_form_the_whole_field_is_the_name(form: str, there: set[str], files: list[str]) -> None:
    """Of names in which others are, each is its own student's; who handed in nothing has no question."""
    assume(there & {"Li Na", "Na Li"} != there)
    with TemporaryDirectory() as temporary:
        for name in there:
            for file in files:
                stem, _, end = file.rpartition(".")
                put(Path(temporary) / "u", f"{form.format(name, stem)}.{end}", text=f"{name} {file}")
        rows = read(Path(temporary) / "u", "name,id\n" + "".join(f"{name},x{at}\n" for at, name in enumerate(PARTS)))
    assert {row.name: row.source and row.source.decode() for row in rows.values()} == {
        name: f"{name} cs5814_vae.py" if name in there else None for name in PARTS
    }
    assert not any(row.attention for row in rows.values())
    assert [row.nothing for row in rows.values()] == [row.name not in there for row in rows.values()]


# --- a number that a browser adds -------------------------------------------------------------------------------------


@given(
    st.sampled_from(["hw3 (1)", "hw3 (2)", "submissions(3)", "hw3 - Copy (1)"]),
    st.sampled_from(["folder", "zip"]),
    st.sets(st.integers(0, 3), min_size=1),
    st.sets(st.integers(0, 3), min_size=2),
)
@settings(max_examples=40)
def test_a_browsers_number_is_no_students_id(name: str, kind: str, first: set[int], second: set[int]) -> None:
    """Whose ids are 1, 2, … have the rows of a class with long ids, from two downloads of one assignment."""
    found = []
    names = ["Jane Doe", "Bob Roe", "Wei Chen", "Ann Poe"]
    for start in (1, 50001):
        with TemporaryDirectory() as temporary:
            for download, there in (("hw3", first), (name, second)):
                folder = Path(temporary) / ("u" if kind == "folder" else "unpacked") / download
                for each in there:
                    entry = f"{names[each]}_{900 + each}_assignsubmission_file_/cs5814_vae.py"
                    put(folder, entry, text=f"{download} {each}")
                if kind == "zip":
                    shutil.make_archive(str(Path(temporary) / "u" / download), "zip", folder)
            table = "".join(f"{number},{each}\n" for number, each in enumerate(names, start))
            rows = read(Path(temporary) / "u", f"id,name\n{table}")
        found.append(
            {row.name: (row.source, bool(row.attention) or not (row.source or row.nothing)) for row in rows.values()}
        )
    assert found[0] == found[1]
    for each in second:
        source, listed = found[0][names[each]]
        assert source == f"{name} {each}".encode() or listed, "the newer one is not passed over in silence"


@pytest.mark.parametrize("served", [True, False])
def test_all_who_are_in_what_is_nobodys_are_listed(tmp_path: Path, served: bool) -> None:
    """Such as a second download that is not read as a class."""
    put(tmp_path / "u" / "x", "Bob Roe/cs5814_vae.py", "a/cs5814_vae.py", "b/cs5814_vae.py", "c/cs5814_vae.py")
    put(tmp_path / "u", "1/cs5814_vae.py", *["2/cs5814_vae.py"] * served)
    rows = read(tmp_path / "u", "id,name\n1,Jane Doe\n2,Bob Roe\n")
    assert rows["1"].attention == ()
    assert bool(rows["2"].source) is served
    assert "`x` may hold what Bob Roe handed in" in " ".join((rows["2"].reason, *rows["2"].attention))


# --- titles in front of a login -------------------------------------------------------------------------------------

logins = st.lists(words, min_size=1, max_size=3).map("_".join)


@given(st.lists(words, min_size=1, max_size=3), st.sets(logins, min_size=1, max_size=5), st.sets(logins, max_size=2))
@settings(max_examples=60)
def test_a_login_is_what_follows_the_title(title: list[str], there: set[str], lacking: set[str]) -> None:
    """Blackboard's: a login and the end of somebody else's may be the same."""
    lacking -= there
    listed = there | {tail for each in lacking for tail in [each.rpartition("_")[2]] if tail != each}
    assume(len(there) > len(lacking - listed) and not lacking & listed)
    start = "HW 3 " + "_".join(title)
    assume(not any(f"{end}_{each}" in listed for each in there | lacking for end in tails("_".join(title))))
    with TemporaryDirectory() as temporary:
        upload = Path(temporary) / "upload"
        for each in there | lacking:
            put(upload, f"{start}_{each}_attempt_2026-11-30-01-45-00_cs5814_vae.py", text=each)
        rows = read(upload, "\n".join(["Username,Name", *(f"{each},The {each}" for each in sorted(listed))]))
    for each in there:
        assert rows[each].source == each.encode() or rows[each].attention
    for each in listed - there:
        assert rows[each].nothing or rows[each].unreadable
    assert {row.source.decode() for row in rows.values() if row.source and row.unlisted} <= lacking


def tails(name: str) -> list[str]:
    steps = name.split("_")
    return ["_".join(steps[start:]) for start in range(len(steps))]


def test_the_end_of_a_login_is_nobodys(tmp_path: Path) -> None:
    for login in ("ada_li", "bob"):
        put(tmp_path / "u", f"HW 3_{login}_attempt_2026-11-30-01-45-00_cs5814_vae.py", text=login)
    rows = read(tmp_path / "u", "Username,Name\nli,Cy Li\nbob,Bob\n")
    assert rows["li"].nothing
    assert rows["HW 3_ada_li"].unlisted
    assert "li" not in rows["HW 3_ada_li"].keys.values()


@given(st.sets(words, min_size=1, max_size=4), st.sets(st.sampled_from(["notes", "hw3-part3", "x-y", "old clones"])))
@settings(max_examples=30)
def test_a_folder_of_nobodys_stops_no_clones(accounts: set[str], others: set[str]) -> None:
    with TemporaryDirectory() as temporary:
        for account in accounts:
            put(Path(temporary) / "u" / f"hw3-part3-{account}", "cs5814_vae.py", text=account)
        for other in others:
            put(Path(temporary) / "u" / other, "read.me")
        table = "\n".join(["identifier,github_username", *(f"{each}@x.edu,{each}" for each in sorted(accounts))])
        rows = read(Path(temporary) / "u", table)
    assert {student: row.source.decode() for student, row in rows.items() if row.source} == {
        f"{account}@x.edu": account for account in accounts
    }
    assert {student for student, row in rows.items() if row.unlisted} == others


# --- groups ---------------------------------------------------------------------------------------------------------

person = st.lists(words, min_size=1, max_size=2).map("-".join)


@given(st.lists(words, min_size=1, max_size=3).map("-".join), st.sets(person, min_size=1, max_size=4))
@settings(max_examples=30)
def test_moodles_teams_stand_before_the_name(team: str, people: set[str]) -> None:
    names = {f"{each.title()} Doe": each for each in people}
    with TemporaryDirectory() as temporary:
        for number, name in enumerate(names, 2001):
            put(
                Path(temporary) / "u" / f"Team {team}-{name}_{number}_assignsubmission_file", "cs5814_vae.py", text=name
            )
        table = "\n".join(["Full name,Email address", *(f"{name},{each}@x.edu" for name, each in names.items())])
        rows = read(Path(temporary) / "u", table)
    for name, each in names.items():
        row = rows[f"{each}@x.edu"]
        assert row.source == name.encode() or row.attention or row.nothing
    assert len([row for row in rows.values() if row.source]) >= len(names) - 1


GROUPS = "Student,ID,SIS Login ID{}\n" + "".join(
    f'"{name}",{number},{login}{{}}\n'
    for name, number, login in (("Lovelace, Ada", 101, "ada"), ("King, Bob", 102, "bob"), ("Li, Cy", 103, "cy"))
)


TITLES = st.lists(words, min_size=1, max_size=3).map(" ".join)


@given(TITLES, st.sampled_from(["", "1", "_1", " 7"]), st.booleans(), st.booleans())
@settings(max_examples=40)
def test_each_member_gets_it_under_any_group_name(title: str, end: str, with_ada: bool, known: bool) -> None:
    """Canvas' `content_zipper.rb` leaves letters, digits and underscores of the name."""
    group = f"{title}{' and Ada' if with_ada else ''}{end}"
    file = f"{group.lower().replace(' ', '')}_101_901_cs5814_vae.py"
    with TemporaryDirectory() as temporary:
        put(Path(temporary) / "u", file, "licy_103_902_cs5814_vae.py")
        cells = [f",{group}", f",{group}", ","] if known else [""] * 3
        rows = read(Path(temporary) / "u", GROUPS.format(",group_name" if known else "", *cells))
    assert rows["ada"].source == file.encode()
    assert rows["cy"].source == b"licy_103_902_cs5814_vae.py"
    if known:
        assert rows["bob"].source == file.encode()
        assert not any(row.attention for row in rows.values())
    else:
        assert rows["bob"].nothing
        assert bool(rows["ada"].attention) == (2 * len(f"{title}{end}".replace(" ", "").replace("_", "")) > 0)


def test_what_canvas_names_after_a_group_is_reviewed(tmp_path: Path) -> None:
    put(tmp_path / "u", "team1_101_901_cs5814_vae.py", "licy_103_902_cs5814_vae.py")
    rows = read(tmp_path / "u", GROUPS.format("", "", "", ""))
    assert "`team1`, which is not that of Lovelace, Ada" in rows["ada"].attention[0]
    assert "other members" in rows["ada"].attention[0]
    assert rows["cy"].attention == ()
    assert rows["bob"].nothing


def test_a_roster_with_groups_gives_each_member_the_work(tmp_path: Path) -> None:
    put(tmp_path / "u", "team1_101_901_cs5814_vae.py", "licy_103_902_cs5814_vae.py")
    rows = read(tmp_path / "u", GROUPS.format(",group_name", ",Team 1", ",Team 1", ",Team 2"))
    assert rows["ada"].source == rows["bob"].source == b"team1_101_901_cs5814_vae.py"
    assert rows["cy"].source == b"licy_103_902_cs5814_vae.py"
    assert [row.attention for row in rows.values()] == [()] * 3


ID_FORMS = [  # which platforms give that no pattern knows; the number differs from one student to the next
    "group-{number}_{login}/cs5814_vae.py",
    "{login}-d{number}5147/cs5814_vae.py",
    "HW 3-{login}-{number}/cs5814_vae.py",
    "[{number}] - {login} - cs5814_vae.py",
    "{login}.final/cs5814_vae.py",
]


@given(st.sampled_from(ID_FORMS), st.sets(st.sampled_from(["jdoe", "jdoe2", "bray", "kim", "vae", "lee9"]), min_size=1))
@settings(max_examples=60)
def test_an_id_in_one_form_is_the_students(form: str, logins: set[str]) -> None:
    """From three students on, and more than half of all entries; else the students and the entries are for review."""
    with TemporaryDirectory() as temporary:
        names = {login: form.format(login=login, number=700 + 13 * at) for at, login in enumerate(sorted(logins))}
        put(Path(temporary) / "u", *names.values(), "somebody/cs5814_vae.py", "zoe/cs5814_vae.py")
        rows = read(
            Path(temporary) / "u", "id,name\nzoe,Zoe\n" + "".join(f"{each},P {each}\n" for each in sorted(logins))
        )
    for login in logins:
        row = rows[login]
        assert row.source in (None, names[login].encode())
        if len(logins) > 2 and "vae" not in logins:
            assert (row.source, row.attention) == (names[login].encode(), ())
        assert not row.nothing


# Where an id stands next to a name that the student chose.
NEXT_TO = [
    "[{number}] - {login} - {file}",
    "{login}.{number}_{file}",
    "{login} {file}",
    "{file} ({login})",
    "{login}-{file}",
]
LOGINS = ["jdoe", "wei-wang", "Wei_Wang", "zoé7", "zoe7", "lee@vt", "x", "yi"]


@given(
    st.sampled_from(NEXT_TO),
    st.sets(st.sampled_from(LOGINS), min_size=3),
    st.lists(st.sampled_from(["cs5814_vae", "hand in", "vae-final (2)"]), min_size=8, max_size=8),
    st.booleans(),
)
@settings(max_examples=60)
def test_an_id_beside_any_file_names_is_the_students(form: str, there: set[str], files: list[str], two: bool) -> None:
    """A second file, another file's name or a similar login changes nothing; a short login is said to be a guess."""
    assume(sum(len(login) > 2 for login in there) >= 3)
    with TemporaryDirectory() as temporary:
        for at, login in enumerate(sorted(there)):
            name = form.format(login=login, number=700 + at, file=files[at])
            put(Path(temporary) / "u", f"{name}.py", text=f"def loss_function(): return '{login}'")
            put(Path(temporary) / "u", *[f"{form.format(login=login, number=700 + at, file='cvae')}.ipynb"] * two)
        table = "".join(f"{at},Ann Ash,{login}\n" for at, login in enumerate(LOGINS, 101))
        rows = read(Path(temporary) / "u", f"student id,name,login\n{table}")
    assert len(rows) == len(LOGINS), "nobody is unlisted"
    for at, login in enumerate(LOGINS, 101):
        row = rows[str(at)]
        assert (row.source is not None and f"'{login}'" in row.source.decode()) is (login in there)
        assert row.nothing is (login not in there)
        assert bool(row.attention) is (login in there and len(login) < 3)


@given(st.lists(st.sampled_from(["ada", "bo1", "cy2", "dot"]), min_size=3, max_size=4, unique=True), st.integers(0, 3))
def test_a_number_in_a_name_is_an_id_only_next_to_a_name(strangers: list[str], first: int) -> None:
    """Platforms count: `hw_101_zed` is not the work of who has the id 101."""
    with TemporaryDirectory() as temporary:
        numbers = range(101 + first, 105 + first)
        put(Path(temporary) / "u", *(f"hw_{at}_{each}.py" for at, each in zip(numbers, strangers, strict=False)))
        table = "id,name\n" + "".join(f"{at},P{at} Q{at}\n" for at in range(101, 111))
        put(Path(temporary) / "u", "109/cs5814_vae.py")
        rows = read(Path(temporary) / "u", table)
    assert [row.student for row in rows.values() if row.source and not row.unlisted] == ["109"]


TWO_IN_ONE = [
    "{first} {last} ({id})",
    "{last}, {first}({id})",
    "{first} {last} - {id}",
    "{last}_{first}_{id}_{number}",
    "{id}-{first} {last}-hw",
]
PERSONS = {
    "ashx": "Ann Ash",
    "beex": "Bo Bee",
    "coex": "Cy Coe",
    "90041": "Di Dee",
    "90042": "Ed Fox",
    "grax": "Flo Gra",
}


@given(st.sampled_from(TWO_IN_ONE), st.permutations(list(PERSONS)), st.integers(2, 6), st.integers(0, 4))
@settings(max_examples=80)
def test_a_name_with_anothers_id_is_nobodys(form: str, ids: list[str], there: int, kept: int) -> None:
    """Both are for review. Whose name and id agree has the work without a question."""
    ids = [own if at < kept else ids[at] for at, own in enumerate(PERSONS)]
    entries = {}
    with TemporaryDirectory() as temporary:
        for at, (own, name) in enumerate([*PERSONS.items()][:there]):
            first, last = name.split()
            entry = form.format(first=first, last=last, id=ids[at], number=471 + at)
            put(Path(temporary) / "u", f"{entry}/cs5814_vae.py", text=entry)
            entries[entry] = {own, ids[at]}
        rows = read(Path(temporary) / "u", "id,name\n" + "".join(f"{id},{name}\n" for id, name in PERSONS.items()))
    for entry, people in entries.items():
        (holder,) = (row for row in rows.values() if row.source == entry.encode())
        asked = any(len(others) > 1 and people & others for others in entries.values())
        assert holder.unlisted is (len(people) > 1) or (asked and len(people) == 1)
        assert bool(holder.attention) is holder.unlisted or asked
        assert all(rows[who].attention or rows[who].unreadable for who in people if len(people) > 1)


BETWEEN = [", ", " - ", " & ", " + ", "_", "; ", " and ", "__", " (", ". ", " x ", "-", " "]
AROUND = ["{}", "HW3 - {}", "HW3_{}", "Pair 1 - {}", "{} - hw3", "{}_cs5814_vae", "20261130-2214 {}", "{} (1)"]
COUPLE = ["Ann Ash", "Bo Bee", "Cy Coe", "Di van Dee", "Jürgen Fox", "Gray-Hill, Flo", "Íde Ní Jay", "李娜"]
ACCOUNTS = ["ashann", "bee42", "90043", "dee_di", "fox@x.edu", "2026/CS/005", "jay.ide", "lina"]


def called(who: int, way: str) -> str:
    """A student as entries name one; a file's name has no slash."""
    name, id = COUPLE[who], ACCOUNTS[who].replace("/", "-")
    turned = " ".join(reversed(name.split(" ", 1)))
    return {"name": name, "turned": turned, "id": id, "both": f"{name} {id}", "lower": name.lower()}[way]


@given(
    st.sampled_from(BETWEEN),
    st.sampled_from(AROUND),
    st.lists(st.lists(st.integers(0, 7), min_size=2, max_size=3, unique=True), min_size=1, max_size=5),
    st.sampled_from(["name", "turned", "id", "lower"]),
    st.sampled_from(["name", "turned", "id", "both", "lower"]),
    st.sets(st.integers(0, 7)),
    st.sampled_from(["/cs5814_vae.py", ".py"]),
    st.sampled_from(["", "Group 1", "Ash & Co"]),
)
@settings(max_examples=100)
def test_an_entry_that_names_two_is_never_one_students_alone(
    between: str, around: str, teams: list[list[int]], way: str, other: str, alone: set[int], end: str, group: str
) -> None:
    """All whom it names have its points, as a group of the roster, or are asked about, or have other work."""
    entries = {}
    assume(max(sum(who in team for team in teams) for who in range(8)) < 3)  # by its id, the rest take it for a word
    with TemporaryDirectory() as temporary:
        for team in teams:
            said = between.join([called(team[0], way), *(called(who, other) for who in team[1:])])
            entries[around.format(said + ")" * (between == " (") * (len(team) - 1))] = team
        for entry in entries:
            put(Path(temporary) / "u", f"{entry}{end}", text=f"# {entry}\ndef forward(): ...\n")
        for who in alone:
            put(Path(temporary) / "u", f"{COUPLE[who]}{end}", text=f"# {who}\ndef forward(): ...\n")
        table = "".join(
            f'{ACCOUNTS[who]},"{name}",{group if who in teams[0] else ""}\n' for who, name in enumerate(COUPLE)
        )
        put(Path(temporary) / "u", "zed/cs5814_vae.py")
        rows = read(Path(temporary) / "u", f"id,name,group\n{table}zed,Zed Zee,\n")
    for entry, team in entries.items():
        text = f"# {entry}\n".encode()
        theirs = {ACCOUNTS[who] for who in team}
        having = {id for id, row in rows.items() if row.source and row.source.startswith(text)}
        quiet = {id for id in theirs if not rows[id].attention and not rows[id].unreadable}
        assert having <= {entry, *theirs}
        assert quiet <= having if group and team == teams[0] else having.isdisjoint(quiet)
        assert not any(rows[id].nothing for id in quiet)


def test_who_has_work_under_anothers_name_is_reviewed(tmp_path: Path) -> None:
    moodle(tmp_path / "u", {"Ada Lovelace": 11, "Cleo King": 12})
    table = "".join(
        f"Participant {at},{name}\n" for at, name in ((11, "Ada Lovelace"), (12, "Bob Ray"), (13, "Cleo King"))
    )
    rows = read(tmp_path / "u", f"Identifier,Full name\n{table}")
    assert rows["Participant 12"].source
    assert "`Cleo King_12` was given to Bob Ray by an id" in rows["Participant 12"].attention[0]
    assert rows["Participant 13"].unreadable
    assert rows["Participant 11"].attention == ()


def test_moodles_list_of_groups_gives_each_member_the_work(tmp_path: Path) -> None:
    put(tmp_path / "u", *(f"Group {name}_12345_assignsubmission_file_cs5814_vae.py" for name in "AB"))
    table = 'First name,Last name,ID number,Groups\nJane,Doe,jdoe,"Group A, Lab 2"\nBob,Ray,bray,"Lab 2, Group B"\n'
    rows = read(tmp_path / "u", table + 'Clara,Ziegler,cz,"Lab 2, Group A"\n')
    assert [(rows[each].source or b"")[6:7] for each in ("jdoe", "bray", "cz")] == [b"A", b"B", b"A"]
    assert [row.attention for row in rows.values()] == [()] * 3


BY_GROUP = {  # how each platform names what a group handed in
    "Blackboard": "HW 3_{group}_attempt_2026-11-30-01-45-00_{file}",
    "Brightspace": "{number}-77 - {group} - Nov 30, 2026 1005 AM/{file}",
    "Sakai": "{group}(3f2b-{number})/Submission attachment(s)/{file}",
    "GitHub": "hw3-part3-{slug}/{file}",
    "Canvas, whose numbers the roster lacks": "{squeezed}_{number}_9{number}_{file}",
    "by hand": "{group}/{file}",
}


@given(
    st.sampled_from(list(BY_GROUP)),
    st.lists(words.map("team ".__add__), min_size=1, max_size=4, unique=True),
    st.lists(st.integers(0, 4), min_size=2, max_size=8),
)
@settings(max_examples=60)
def test_all_members_get_what_their_group_handed_in(platform: str, groups: list[str], members: list[int]) -> None:
    table = "id,name,github_username,group_name\n"
    of = [groups[index] if index < len(groups) else "" for index in members]
    with TemporaryDirectory() as temporary:
        for number, group in enumerate(groups, 101):
            name = BY_GROUP[platform].format(
                group=group,
                number=number,
                slug=group.replace(" ", "-"),
                squeezed=group.replace(" ", ""),
                file="cs5814_vae.py",
            )
            put(Path(temporary) / "u", name, text=group)
        table += "".join(f"id{index},P{index} Q,gh{index},{group}\n" for index, group in enumerate(of))
        assume(any(of))
        rows = read(Path(temporary) / "u", table)
    for index, group in enumerate(of):
        row = rows[f"id{index}"]
        assert row.source == (group.encode() if group else None)
        assert row.nothing is (not group)
        assert row.attention == () or len(groups) == 1 or row.nothing


def test_a_groups_whole_name_comes_before_the_end_of_one(tmp_path: Path) -> None:
    put(tmp_path / "u", "team-one/cs5814_vae.py", "hw3-one/cs5814_vae.py")
    rows = read(tmp_path / "u", "id,group_name\nada,team-one\nbob,one\n")
    assert rows["ada"].source == b"team-one/cs5814_vae.py"
    assert rows["bob"].source == b"hw3-one/cs5814_vae.py"


@pytest.mark.parametrize(("name", "claimed"), [("HW3 Team A final", True), ("team_a", True), ("Team AB", False)])
def test_a_groups_name_may_be_anywhere(tmp_path: Path, name: str, claimed: bool) -> None:
    """Where it is not sure that it is the group's, its members have not handed in nothing."""
    put(tmp_path / "u", f"{name}/cs5814_vae.py", "cy/cs5814_vae.py")
    rows = read(tmp_path / "u", "id,group_name\nada,Team A\nbob,Team A\ncy,\ndan,Team-A\n")
    for each in ("ada", "bob", "dan"):
        assert rows[each].nothing is not claimed
        assert rows[each].unreadable is claimed


BOTH = {  # how work gets a name that is a group's and the id, the login or the name of `{who}`
    "{group}/{file}": "id name login github_username",
    "{group}.py": "id name login github_username",
    "HW 3_{group}_attempt_2026-11-30-01-45-00_{file}": "id login",
    "12-77 - {group} - Nov 30, 2026 1005 AM/{file}": "name",
    "hw3-part3-{group}/{file}": "github_username",
    "{group} - {file}": "name",
}


@given(st.sampled_from([(name, kind) for name, kinds in BOTH.items() for kind in kinds.split()]), st.booleans())
@settings(max_examples=40)
def test_what_may_be_a_groups_or_a_persons_is_nobodys(way: tuple[str, str], member: bool) -> None:
    """All concerned are for review. A member who is called like the group has the work, but not the others by that."""
    pattern, kind = way
    cells = {"id": "r0", "name": "Rose Red", "login": "rose", "github_username": "gh0"}
    group = {"id": "R0", "name": "Rose Red", "login": "Rose", "github_username": "GH0"}[kind]
    name = pattern.format(group=group, file="cs5814_vae.py")
    with TemporaryDirectory() as temporary:
        others = ("ida", "idb", "idc") if " - {" not in pattern else ("Ida Io - x.py", "Idb Io - x.py")
        put(Path(temporary) / "u", name, *(each if "." in each else f"{each}/cs5814_vae.py" for each in others))
        table = f"id,name,login,github_username,group_name\n{','.join(cells.values())},{group if member else ''}\n"
        table += "".join(f"id{each},Id{each} Io,lo{each},gi{each},\n" for each in "abc")
        table += "".join(f"id{each},Id{each} Io,lo{each},gi{each},{group}\n" for each in "xy")
        rows = read(Path(temporary) / "u", table)
    for student in ("idx", "idy", *(() if member else ("r0",))):
        assert (rows[student].source, rows[student].unreadable) == (None, True)
    concerned = [row for row in rows.values() if row.student not in ("ida", "idb", "idc")]
    for row in concerned:
        said = " ".join((row.reason, *row.attention))
        assert all(who in said for who in ("Rose Red", "Idx Io (idx)", "Idy Io (idy)"))
        assert row.source is None or row.attention
    assert [row.source for row in concerned].count(name.encode()) == 1, "a row has the work"
    assert bool(rows["r0"].source) is member


GROUPS_OF_NOBODY = [
    "Group 1",
    "Team 4",
    "Gruppe B",
    "Équipe 2",
    "group7",
    "group_0042",
    "grp_12",
    "Team-4 cy",
    "00007_cy",
]


@given(st.sampled_from(GROUPS_OF_NOBODY), st.booleans())
@settings(max_examples=30)
def test_who_may_be_in_a_group_has_no_unlisted_zero(name: str, column: bool) -> None:
    with TemporaryDirectory() as temporary:
        put(Path(temporary) / "u", f"{name}/m.py", "cy/m.py", "di/m.py")
        cells = [",Team X", ",", ",Team X", ","] if column else [""] * 4
        lines = (f"{each}{cell}\n" for each, cell in zip(("ada", "bob", "cy", "di"), cells, strict=True))
        rows = read(Path(temporary) / "u", f"id{',group' if column else ''}\n{''.join(lines)}")
    assert any(name in said for said in rows["bob"].attention)
    assert bool(rows["ada"].attention) is not column, "her group has another name"
    assert (rows["cy"].attention, rows["di"].attention) == ((), ())


HOLDING = ["late/{}/cs5814_vae.py", "extra time/{}.zip", "regrade/{}_cs5814_vae.py", "mail/a/{}/m.py", "late.zip"]


@given(st.sampled_from(HOLDING), st.sampled_from(["ada", "doebob_102", "Cy Coe"]), st.booleans())
@settings(max_examples=40)
def test_work_under_anothers_name_is_for_review_on_both_sides(form: str, student: str, all_hold: bool) -> None:
    """Without a roster, what holds it may be no student. What most students hold is nobody's."""
    with TemporaryDirectory() as temporary:
        upload = Path(temporary) / "u"
        put(
            upload,
            "ada/cs5814_vae.py",
            "doebob_102_902_cs5814_vae.py",
            "Cy Coe_103_assignsubmission_file/cs5814_vae.py",
        )
        put(upload, form.format(student))
        if form.endswith(".zip"):
            with ZipFile(upload / form.format(student), "w") as packed:
                packed.writestr("cs5814_vae.py" if "{}" in form else f"{student}/cs5814_vae.py", "x")
        others = [f"p{at}" for at in range(9)]
        put(upload, *(f"{each}/{student}/m.py" if all_hold else f"{each}/m.py" for each in others))
        rows = read(upload)
    concerned = {form.split("/")[0].removesuffix(".zip"), student.replace("Cy Coe", "Cy Coe_103")}
    assert {each for each, row in rows.items() if row.attention} == (set() if all_hold else concerned)


@pytest.mark.parametrize("name", ["Zoe/m.py", "doe.zip", "zoe_cs5814_vae.py", "hw3.mbox", "hw3/m.py", "cs5814_vae.py"])
def test_who_may_be_meant_has_no_unlisted_zero(tmp_path: Path, name: str) -> None:
    """A part of the name, and no name at all, are no reason to give a student the work, and none to look away."""
    put(tmp_path / "u", name, "cy/m.py", "di/m.py", "ed/m.py")
    rows = read(tmp_path / "u", "id,name\nada,Ada Loy\nzd,Zoe Doe\ncy,Cy Coe\ndi,Di Dee\ned,Ed Zoe\n")
    assert rows["zd"].nothing
    assert rows["zd"].attention
    assert bool(rows["ada"].attention) is (name in ("hw3.mbox", "hw3/m.py", "cs5814_vae.py"))
    assert [rows[each].attention for each in ("cy", "di", "ed")] == [()] * 3


@pytest.mark.parametrize("name", ["rosered_104_901_cs5814_vae.py", "Red, Rose (r0)/m.py", "Rose Red x@y.z/m.py"])
def test_another_id_tells_a_person_from_a_group(tmp_path: Path, name: str) -> None:
    put(tmp_path / "u", name, text=name)
    rows = read(
        tmp_path / "u", "id,name,canvas id,email,group\nr0,Rose Red,104,x@y.z,\nida,Ida Io,105,i@y.z,Rose Red\n"
    )
    assert (rows["r0"].unreadable, rows["ida"].unreadable) == (False, False)


@given(st.sets(st.integers(1, 10**9), max_size=5), st.booleans())
@settings(max_examples=20)
def test_an_export_without_its_metadata_is_reviewed(numbers: set[int], others: bool) -> None:
    """Its folders, packed together, look like the attempts of one student."""
    with TemporaryDirectory() as temporary:
        put(Path(temporary) / "u" / "HW3 export", "cs5814_vae.py", *(f"submission_{each}/f.py" for each in numbers))
        if others:
            put(Path(temporary) / "u" / "ada", "cs5814_vae.py")
        rows = read(Path(temporary) / "u")
        upload = read_upload(Path(temporary) / "u" / "HW3 export", CVAE)
    assert any("Gradescope" in said for said in rows["HW3 export"].attention) == (len(numbers) > 1)
    assert any("Gradescope" in said for said in upload.warnings) == (len(numbers) > 1)
    assert not others or rows["ada"].attention == ()


# --- a student's own timestamp.txt ----------------------------------------------------------------------------------

PLATFORMS = {
    "Canvas": "doejane_LATE_12345_{}_{{}}",
    "Canvas, anonymous": "LATE_anon_aB3_{}_{{}}",
    "Moodle": "Jane Doe_12345_assignsubmission_file/{{}}",
    "Blackboard": "HW 3_jdoe_attempt_2026-12-05-22-14-05_{{}}",
    "Brightspace": "11-21 - Jane Doe - Dec 5, 2026 1005 PM/{{}}",
    "exchange": "jdoe+hw3-part3+2026-12-05 22:14:05 UTC+x/{{}}",
    "exchange, zone not known": "jdoe+hw3-part3+2026-12-05 22:14:05 CET+x/{{}}",
    "Gradescope": "submission_1/{{}}",
    "Gradescope without a zone": "submission_1/{{}}",
    "a file of an unpacked Canvas download": "doejane_LATE_12345_678_hw3/{{}}",
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_no_students_own_file_says_when_it_was(tmp_path: Path, platform: str) -> None:
    rows = []
    for upload in (tmp_path / "honest", tmp_path / "forged"):
        put(upload, PLATFORMS[platform].format(901).format("cs5814_vae.py"), text="x = 1")
        put(upload, PLATFORMS[platform].format(902).format("cvae.ipynb"))
        if platform.startswith("Gradescope"):
            zone = "" if "without" in platform else " Z"
            text = f"submission_1:\n  :submitters:\n  - :sid: '1'\n  :created_at: 2026-12-05 05:30:00{zone}\n"
            put(upload, "submission_metadata.yml", text=text)
        if upload.name == "forged":
            put(upload, PLATFORMS[platform].format(903).format("timestamp.txt"), text="2026-11-01 05:30:00 UTC")
        (row,) = read(upload).values()
        rows.append(row)
    honest, forged = rows
    assert (forged.late, forged.handed_in, forged.source) == (honest.late, honest.handed_in, honest.source)
    assert forged.late is True or forged.attention


# --- one id, name or number of two ------------------------------------------------------------------------------------


@given(st.integers(1, 9999), st.sampled_from(["sis user id", "login", "email"]))
def test_an_id_of_two_students_is_reviewed(number: int, column: str) -> None:
    """A folder by hand may be called by any id."""
    with TemporaryDirectory() as temporary:
        put(Path(temporary) / "u", f"{number}/cs5814_vae.py", "cy/cs5814_vae.py", "444444/cs5814_vae.py")
        table = f"id,{column},canvas id\nada,{number},10011\nbob,b0b,{number}\ncy,cyau,10013\ndi,diek,444444\n"
        rows = read(Path(temporary) / "u", table)
    assert rows["cy"].source == b"cy/cs5814_vae.py"
    assert rows["di"].source == b"444444/cs5814_vae.py"
    for student in ("ada", "bob"):
        assert rows[student].unreadable
        assert f"`{number}` may be ada or bob in the roster" in rows[student].reason


def test_who_is_in_two_groups_is_reviewed(tmp_path: Path) -> None:
    put(tmp_path / "u", "team1_101_901_cs5814_vae.py", "team2_103_902_cs5814_vae.py")
    lines = ["ada,101,Team 1", "bob,102,Team 1", "bob,102,Team 2", "cy,103,Team 2", "ada,101,Team 1"]
    rows = read(tmp_path / "u", "\n".join(["login_id,canvas_user_id,group_name", *lines]))
    assert "team1_101, team2_103" in " ".join(rows["bob"].attention)
    assert (rows["ada"].attention, rows["cy"].attention) == ((), ())


@pytest.mark.parametrize("listed", [False, True])
def test_a_number_with_two_names_is_one_student(tmp_path: Path, listed: bool) -> None:
    put(tmp_path / "u" / "mon", "doejane_111_5001_cs5814_vae.py", "roebob_333_5002_cs5814_vae.py")
    put(tmp_path / "u" / "fri", "smithjane_111_7001_cs5814_vae-1.py", "roebob_333_5002_cs5814_vae.py")
    for folder in ("mon", "fri"):
        shutil.make_archive(str(tmp_path / "z" / folder), "zip", tmp_path / "u" / folder)
    roster = tmp_path / "r.csv"
    roster.write_text("id,name,canvas id\nbob,Bob Roe,333\ncy,Cy Au,444\n")
    found = read_upload(tmp_path / "z", CVAE, read_roster(roster) if listed else None).submitted
    (jane,) = (row for row in found if "jane" in row.student)
    assert jane.source == b"smithjane_111_7001_cs5814_vae-1.py"
    assert "doejane_111, smithjane_111" in " ".join(jane.attention)
    assert len(found) == 2 + listed


@pytest.mark.parametrize("folder", ["bob", "Bob Roe", "Roe, Bob"])
@pytest.mark.parametrize("there", [False, True])
def test_a_folder_in_anothers_work_may_be_whose_name_it_has(tmp_path: Path, folder: str, there: bool) -> None:
    names = [f"ada/peer reviews/{folder}/cs5814_vae.py", "ada/cs5814_vae.py"]
    put(tmp_path / "u", *names, *["bob/cs5814_vae.py"] * there)
    rows = read(tmp_path / "u", "id,name\nada,Ada Byron\nbob,Bob Roe\ncy,Cy Au\n")
    assert rows["cy"].nothing
    assert rows["ada"].source == b"ada/cs5814_vae.py"
    assert rows["bob"].source == (b"bob/cs5814_vae.py" if there else None)
    assert rows["bob"].unreadable is not there
    assert (f"`ada/peer reviews/{folder}` may hold what Bob Roe" in rows["bob"].reason) is not there


@pytest.mark.parametrize("own", ["x/cs5814_vae.py", "Jane Late.zip", "x/y/z/cs5814_vae.py", ""])
@pytest.mark.parametrize("folder", ["Wei Chen", "Chen, Wei", "wei chen"])
@pytest.mark.parametrize("served", [True, False])
def test_a_module_in_anothers_folder_is_not_picked(tmp_path: Path, own: str, folder: str, served: bool) -> None:
    """As in the staff's folder of late work, which is called as a student."""
    put(tmp_path / "u", f"late/{folder}/cs5814_vae.py", "bo/cs5814_vae.py", *["wc/cs5814_vae.py"] * served)
    if own.endswith(".zip"):
        with ZipFile(tmp_path / "u" / "late" / own, "w") as packed:
            packed.writestr("cs5814_vae.py", own)
    elif own:
        put(tmp_path / "u" / "late", own)
    rows = read(tmp_path / "u", "id,name\nlate,Jane Late\nwc,Wei Chen\nbo,Bo Roe\n")
    assert rows["late"].source == (own or f"late/{folder}/cs5814_vae.py").encode()
    assert any(f"`{folder}`, which another student is called" in said for said in rows["late"].attention)
    assert rows["wc"].unreadable is not served
    assert rows["bo"].attention == ()


def test_namesakes_in_two_sections_are_reviewed(tmp_path: Path) -> None:
    names = ["S 1/Ada Byron", "S 1/Wei Wang", "S 2/Wei Wang", "S 2/Bob Roe"]
    put(tmp_path / "u", *(f"{name}/cs5814_vae.py" for name in names))
    rows = read(tmp_path / "u", "id,name\nww1,Wei Wang\nww2,Wei Wang\nada,Ada Byron\nbob,Bob Roe\n")
    assert rows["ada"].source
    assert rows["bob"].source
    for student in ("ww1", "ww2"):
        assert rows[student].unreadable
    assert "S 1" in rows["Wei Wang"].reason
    assert "S 2" in rows["Wei Wang"].reason


def test_where_most_may_be_somebodys_there_are_rows(tmp_path: Path) -> None:
    names = ["123123_file1_submission1", "123123_file1_submission2", "123456+987654_file1_submission1"]
    put(tmp_path / "u", *(f"{name}/cs5814_vae.py" for name in names))
    rows = read(tmp_path / "u", "id,name\n123123,Ann Ash\n123456,Bo Li\n987654,Cy Au\n555555,Di Ek\n")
    assert {name for name, row in rows.items() if row.unreadable} == {"123123", "123456", "987654"}
    assert rows["555555"].nothing
    assert all("whose is it?" in rows[name].attention[0] for name in names)


@pytest.mark.parametrize("name", ["mallory", "Mallory", "m.allory", "777"])
@pytest.mark.parametrize("folder", ["mallory", "777"])
@pytest.mark.parametrize("served", [True, False])
def test_a_name_that_is_anothers_id_takes_no_work(tmp_path: Path, name: str, folder: str, served: bool) -> None:
    """Students choose their names, and an id that is exact says whose the work is."""
    put(tmp_path / "u", f"{folder}/cs5814_vae.py", "bo/cs5814_vae.py", *["eve/cs5814_vae.py"] * served)
    rows = read(tmp_path / "u", f"id,name,SIS ID\nmallory,Mal Ory,777\nbo,Bo Roe,778\neve,{name},779\n")
    assert rows["mallory"].source == f"{folder}/cs5814_vae.py".encode()
    assert not any(row.unreadable for row in rows.values())
    assert rows["eve"].source == (b"eve/cs5814_vae.py" if served else None)
    same = name.lower().replace(".", "") == folder
    told = any("which is also the name of" in each for each in rows["mallory"].attention)
    assert told or served or not same


@pytest.mark.parametrize("login", ["rdeniro", "RDeNiro"])
def test_an_unlinked_student_is_known_by_the_address(tmp_path: Path, login: str) -> None:
    """It is a guess, as anybody may choose a name on GitHub."""
    put(tmp_path / "u", *(f"hw3-part3-{each}/cs5814_vae.py" for each in ("octo-ada", "bobby", login)))
    linked = "ada@x.edu,octo-ada,Ada Loy\nbob@x.edu,bobby,Bob Poe\n"
    rows = read(tmp_path / "u", f"identifier,github_username,name\n{linked}rdeniro@x.edu,,Robert De Niro\n")
    assert rows["rdeniro@x.edu"].source == f"hw3-part3-{login}/cs5814_vae.py".encode()
    assert rows["rdeniro@x.edu"].attention
    assert rows["ada@x.edu"].source
    assert not rows["ada@x.edu"].attention


def test_gradescopes_metadata_may_lack_its_colons(tmp_path: Path) -> None:
    """As where a program has written it again."""
    gradescope(tmp_path / "u", {"Ada Loy": 1, "Bob Poe": 2})
    file = tmp_path / "u" / "submission_metadata.yml"
    file.write_text(re.sub(r"(?<=[ \n]):(?=[a-z])", "", file.read_text()))
    rows = read(tmp_path / "u")
    assert {student: row.name for student, row in rows.items()} == {"1": "Ada Loy", "2": "Bob Poe"}


# --- an id next to a name of one word -----------------------------------------------------------------------------

ONE_WORD = {  # how people and platforms put an id next to a name
    "{id} {name}",
    "{name} {id}",
    "{id}{name}",
    "{name}{id}",
    "{name}（{id}）",
    "hw3_{name}_{id}",
    "hw3 {id} {name}",
    "作业3-{name}-{id}",
    "{id} {name} hw3",
    "{id} {name}_88{at}_assignsubmission_file",
    "{name}{id}_88{at}_assignsubmission_file",
    "{id}{name}_实验3",
    "hw3-{name}{id}",
    "700{at}-456 - {id} {name} - Nov 30, 2026 1005 AM",
}
one_word = st.one_of(
    st.text("王伟李娜张明刘芳陈静", min_size=2, max_size=3),
    st.text("김민수이영희박지훈", min_size=2, max_size=3),
    st.text("محمدخالدليى", min_size=3, max_size=5),
    st.text("aeiuknrst", min_size=5, max_size=8).map(str.title),
)


def with_ids(upload: Path, form: str, names: list[str], ids: list[str], numbers: list[str]) -> dict[str, Submitted]:
    """The rows of a class in which each of the names is next to one of the ids; the roster's are the `numbers`."""
    for at, (name, id) in enumerate(zip(names, ids, strict=True)):
        put(upload, f"{form.format(name=name, id=id, at=at)}/cs5814_vae.py", text=f"def forward():\n    return {at}\n")
    return read(upload, "id,name\n" + "".join(map("{},{}\n".format, numbers, names)))


@given(
    st.sampled_from(sorted(ONE_WORD)),
    st.lists(one_word, min_size=2, max_size=5, unique_by=lambda name: "".join(sorted(name.lower()))),
    st.sampled_from(["20230145{}", "st1{}", "9001{}", "20261130{}7"]),
    st.integers(0, 5),
)
@settings(max_examples=150)
def test_an_id_next_to_a_name_of_one_word_is_the_students(form: str, names: list[str], id: str, wrong: int) -> None:
    """Two with each other's ids have no work without a question; the others have theirs."""
    numbers = [id.format(10 + at) for at in range(len(names))]
    wrong = wrong if wrong + 1 < len(names) else len(names)
    ids = [*numbers[:wrong], *reversed(numbers[wrong : wrong + 2]), *numbers[wrong + 2 :]]
    with TemporaryDirectory() as temporary:
        if len(names) == 2 and wrong == 0:
            with suppress(NothingToGrade):
                with_ids(Path(temporary) / "u", form, names, ids, numbers)
            return
        rows = with_ids(Path(temporary) / "u", form, names, ids, numbers)
    for at, number in enumerate(numbers):
        if at in (wrong, wrong + 1):
            assert rows[number].source is None or rows[number].attention
            assert not rows[number].nothing or rows[number].attention
        else:
            assert (rows[number].source or b"").split()[-1] == str(at).encode()
            assert rows[number].attention == ()


def test_the_whole_name_of_another_next_to_an_id_is_a_question(tmp_path: Path) -> None:
    put(
        tmp_path / "u",
        *(f"{name}/cs5814_vae.py" for name in ("2026001 Sukarno Putra", "2026003 Budi", "2026004 Ann Li")),
    )
    rows = read(tmp_path / "u", "id,name\n2026001,Sukarno\n2026002,Sukarno Putra\n2026003,Budi\n2026004,Ann Li\n")
    assert [rows[f"202600{at}"].unreadable for at in (1, 2, 3, 4)] == [True, True, False, False]
    assert "may be Sukarno (2026001) or Sukarno Putra (2026002)" in rows["2026001"].reason


@pytest.mark.parametrize("form", ["{}作业3", "作业3{}", "{}第3次作业"])
def test_a_text_in_most_names_is_no_part_of_a_joined_name(tmp_path: Path, form: str) -> None:
    names = ["王伟", "王伟明", "李娜", "张小明", "刘芳"]
    put(tmp_path / "u", *(f"{form.format(name)}.py" for name in names))
    rows = read(tmp_path / "u", "id,name\n" + "".join(f"{at},{name}\n" for at, name in enumerate(names)))
    assert [(rows[str(at)].source or b"").decode() for at in range(5)] == [f"{form.format(name)}.py" for name in names]
    assert [row.attention for row in rows.values()] == [()] * 5


# --- a name next to an address and a time -------------------------------------------------------------------------


@given(
    st.lists(st.tuples(words, words), min_size=3, max_size=6, unique=True),
    st.sets(st.integers(0, 5)),
    st.sampled_from(["{}_{}_{}x.edu_{}", "{1}_{0}_{2}@x.edu_{3}", "{}_{}_{}", "{0}, {1} ({2}x.edu) {3}"]),
    st.booleans(),
)
@settings(max_examples=80)
def test_a_name_next_to_a_time_that_all_have_is_no_guess(
    people: list[tuple[str, str]], again: set[int], form: str, emails: bool
) -> None:
    """As in zyBooks' download, which leaves out the @ of an address. The last attempt counts."""
    people = [(f"{last.title()}son", f"Mc{first.title()}an") for last, first in people]
    logins = [f"{last[:3]}{first}{'7' * (at % 2)}".lower() for at, (last, first) in enumerate(people)]
    with TemporaryDirectory() as temporary:
        for at, (last, first) in enumerate(people):
            for day in (29, 30) if at in again else (30,):
                when = f"2026-11-{day}_23-43-2{at}"
                name = form.format(last, first, *([when] if form.count("{") == 3 else [logins[at], when]))
                put(Path(temporary) / "u", f"{name}.py", text=f"def forward():\n    return '{at} {day}'\n")
        table = "".join(
            f"9001{at},{first} {last}{f',{logins[at]}@x.edu' * emails}\n" for at, (last, first) in enumerate(people)
        )
        rows = read(Path(temporary) / "u", f"id,name{',email' * emails}\n{table}")
    for at in range(len(people)):
        assert f"'{at} 30'" in (rows[f"9001{at}"].source or b"").decode()
        assert rows[f"9001{at}"].attention == ()


def test_a_name_next_to_another_address_is_a_guess(tmp_path: Path) -> None:
    names = {"Ash_Ann": "annx.edu", "Bee_Bo": "bobx.edu", "Coe_Cy": "cyx.edu", "Dee_Di": "zzzx.edu"}
    put(tmp_path / "u", *(f"{name}_{address}_2026-11-30_23-43-22.py" for name, address in names.items()))
    rows = read(
        tmp_path / "u", "id,name,email\n1,Ann Ash,ann@x.edu\n2,Bo Bee,bob@x.edu\n3,Cy Coe,cy@x.edu\n4,Di Dee,di@x.edu\n"
    )
    assert [len(rows[at].attention) for at in "1234"] == [0, 0, 0, 1]
    assert all(row.source for row in rows.values())


# --- groups and what is the staff's -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "cell", "entry"),
    [
        ("Group", "Group {}", "Group0{}.zip"),
        ("Group", "{}", "Group {}"),
        ("Team", "0{}", "team-{}"),
        ("Groups", "Lab A; Group {}", "Group {}"),
        ("group_name", "Gruppe 0{}", "Gruppe_{}"),
    ],
)
def test_the_number_of_a_group_tells_it(tmp_path: Path, column: str, cell: str, entry: str) -> None:
    people = [(f"p{at}", cell.format(at // 2 + 1)) for at in range(6)]
    for at in (1, 2, 3):
        name = entry.format(at)
        if name.endswith(".zip"):
            (tmp_path / "u").mkdir(exist_ok=True)
            with ZipFile(tmp_path / "u" / name, "w") as archive:
                archive.writestr("cs5814_vae.py", str(at))
        else:
            put(tmp_path / "u", f"{name}/cs5814_vae.py", text=str(at))
    rows = read(tmp_path / "u", f"id,name,{column}\n" + "".join(f"{own},Q{own},{group}\n" for own, group in people))
    assert {own: row.source for own, row in rows.items()} == {f"p{at}": str(at // 2 + 1).encode() for at in range(6)}
    assert not any(row.attention for row in rows.values())


@pytest.mark.parametrize("what", ["handout", "solution", "kit", "notebook", "edited", "stranger"])
def test_what_the_staff_handed_out_is_nobodys(tmp_path: Path, what: str) -> None:
    """It lies at the top, as it was. Where a word in it differs, or it has a name, it may be a student's."""
    put(tmp_path / "u", *(f"p{at}/cs5814_vae.py" for at in range(4)))
    handout = fill_in(CVAE)
    notebook = (CVAE.root / CVAE.notebook).read_bytes()
    if what == "kit" or what == "notebook":
        with ZipFile(tmp_path / "u" / "hw3-part3.zip", "w") as archive:
            archive.writestr("hw3-part3/cs5814_vae.py", handout)
            archive.writestr("hw3-part3/cvae.ipynb", notebook + b" " * (what == "notebook"))
            archive.writestr("hw3-part3/digits/x.bin", b"x")
    else:
        text = CVAE.solution.read_text("utf-8") if what == "solution" else handout
        name = {"solution": "solution/cs5814_vae.py", "stranger": "kim.py"}.get(what, "cs5814_vae.py")
        put(tmp_path / "u", name, text=text + "x = 1\n" * (what == "edited"))
    rows = read(tmp_path / "u", "id,name\n" + "".join(f"p{at},Q{at} R{at}\n" for at in range(6)))
    assert len(rows) == 6 + (what in ("notebook", "edited", "stranger"))
    assert [bool(rows[f"p{at}"].attention) for at in range(6)] == [False] * 4 + [what in ("notebook", "edited")] * 2


@pytest.mark.parametrize("column", ["Personal Email", "Secondary Email", "E-Mail privat", "email2", "Home"])
@pytest.mark.parametrize("entry", ["{}/cs5814_vae.py", "{}_2_cs5814_vae.py"])
def test_a_further_address_in_the_roster_is_the_students(tmp_path: Path, column: str, entry: str) -> None:
    """Not that of a partner or an advisor, nor one that several have."""
    put(tmp_path / "u", *(entry.format(each) for each in ("ada@m.com", "bob@m.com", "both@m.com", "prof@m.com")))
    table = f"id,name,Email,{column},Advisor Email\n1,Ada Ash,a@x.edu,ada@m.com,prof@m.com\n"
    table += "2,Bo Bee,b@x.edu,bob@m.com both@m.com,\n3,Cy Coe,c@x.edu,both@m.com,\n"
    rows = read(tmp_path / "u", table)
    assert {name: bool(row.source) for name, row in rows.items() if not row.unlisted} == {
        "1": True,
        "2": True,
        "3": False,
    }
    assert sum(row.unlisted for row in rows.values()) == 2
    assert rows["3"].attention


@pytest.mark.parametrize(
    "entry",
    ["Jane Roe_7999_assignsubmission_file/m.py", "jroe/m.py", "HW 3_jroe_previewuser_attempt_2026-11-30-22-14-05_m.py"],
)
def test_a_teachers_own_upload_concerns_no_student(tmp_path: Path, entry: str) -> None:
    put(tmp_path / "u", "ada/cs5814_vae.py", entry)
    rows = read(tmp_path / "u", "id,name,Roles\nada,Ada Ash,Student\nbob,Bo Bee,Student\njroe,Jane Roe,Teacher\n")
    assert (rows["bob"].nothing, rows["bob"].attention) == (True, ())
    (other,) = (row for row in rows.values() if row.unlisted)
    assert re.search("is not a student in the roster: (Teacher|Blackboard's preview user)", " ".join(other.attention))
