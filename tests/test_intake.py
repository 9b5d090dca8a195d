"""Everyone who hands in comes out: once in each output, with points or a reason, whatever the others hand in."""

import csv
import io
import json
import os
import re
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.classroom.run import Class
from autograder.cli import app
from autograder.grading.results import Results
from autograder.report.model import Check, Outcome, Report, part_reports
from autograder.submissions.find import NothingToGrade
from autograder.submissions.layouts import Submitted, Upload, read_upload
from autograder.submissions.roster import read_roster

SEED = 5814
MODULE = "cs5814_vae.py"


# --- what people hand in ------------------------------------------------------------------------------------------


def zip_of(*entries: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()


def tar_of(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def encrypted(source: bytes) -> bytes:
    data = bytearray(zip_of((MODULE, source)))
    for signature, where in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + where] |= 1
    return bytes(data)


@dataclass(frozen=True)
class Kind:
    """One way to hand in: the files of a submission, and whether the module in it is graded."""

    name: str
    files: Callable[[bytes], dict[str, bytes]] = field(repr=False)
    graded: bool


KINDS = [
    Kind("the module", lambda source: {MODULE: source}, True),
    Kind("in a folder", lambda source: {f"hw3/part3/{MODULE}": source, "cvae.ipynb": b"{}"}, True),
    Kind("a browser's copy", lambda source: {"cs5814_vae (1).py": source}, True),
    Kind("Windows' copy", lambda source: {"cs5814_vae - Copy (2).py": source}, True),
    Kind("macOS' copy", lambda source: {"cs5814_vae copy.py": source, "._cs5814_vae copy.py": b"x"}, True),
    Kind("upper case", lambda source: {"CS5814_VAE.PY": source}, True),
    Kind("text", lambda source: {"cs5814_vae.py.txt": source}, True),
    Kind("text of Safari", lambda source: {"cs5814_vae.py.download": source}, True),
    Kind("second of a browser", lambda source: {"cs5814_vae.py (1)": source}, True),
    Kind("second of wget", lambda source: {"cs5814_vae.py.1": source}, True),
    Kind("old copy of an editor", lambda source: {"cs5814_vae.py~": source}, False),
    Kind("another name", lambda source: {"final.py": b"def loss_function(): 0\n" + source}, True),
    Kind("a zip", lambda source: {"hw3.zip": zip_of((MODULE, source))}, True),
    Kind("a tar", lambda source: {"hw3.tar.gz": tar_of(f"hw3/{MODULE}", source)}, True),
    Kind("a zip by another name", lambda source: {"hw3.tgz": zip_of((MODULE, source))}, True),
    Kind("attempts", lambda source: {f"attempt-9/{MODULE}": b"old", f"attempt-10/{MODULE}": source}, True),
    Kind("with junk", lambda source: {MODULE: source, ".DS_Store": b"", f"__MACOSX/._{MODULE}": b"x"}, True),
    Kind("a notebook", lambda _: {"cvae.ipynb": b"{}"}, False),
    Kind("another homework", lambda _: {"cs5814_gan.py": b"import torch\n"}, False),
    Kind("bytecode", lambda _: {"cs5814_vae.pyc": b"\x00"}, False),
    Kind("two modules", lambda source: {f"a/{MODULE}": source, f"b/{MODULE}": b"x = 1\n"}, False),
    Kind("7-Zip", lambda _: {"hw3.7z": b"7z\xbc\xaf\x27\x1c..."}, False),
    Kind("a damaged zip", lambda source: {"hw3.zip": zip_of((MODULE, source))[:-30]}, False),
    Kind("an encrypted zip", lambda source: {"hw3.zip": encrypted(source)}, False),
    Kind("a zip in a zip", lambda source: {"a.zip": zip_of(("b.zip", zip_of((MODULE, source))))}, False),
    Kind("many entries", lambda _: {"a.zip": zip_of(*((f"{number}/x", b"") for number in range(2500)))}, False),
    Kind("ways out", lambda _: {"a.zip": zip_of(("../../etc/passwd", b"x"), ("C:\\x\\y.txt", b""))}, False),
    Kind("metadata of its own", lambda _: {"submission_metadata.yml": b"x:\n  :submitters:\n  - :name: Eve\n"}, False),
    Kind("an output of its own", lambda _: {"class.json": b"{}", "reports/a.json": b"{}"}, False),
    Kind("nothing", lambda _: {}, False),
    Kind("a link", lambda _: {MODULE: b"-> /etc/passwd"}, False),
    Kind("not for the grader", lambda source: {"denied.zip": zip_of((MODULE, source))}, False),
]


@dataclass(frozen=True)
class Person:
    name: str
    number: int
    kind: Kind

    @property
    def source(self) -> bytes:
        return f"def loss_function(): return {self.number}\n".encode()

    @property
    def files(self) -> dict[str, bytes]:
        return self.kind.files(self.source)


letters = st.characters(categories=("Lu", "Ll", "Lo", "Lt", "Mn", "Nd", "Zs", "Pd"), include_characters="_'&=<>\u202e")
names = (
    st.text(letters, min_size=1, max_size=30)
    .filter(lambda name: len(name.encode()) < 200 and name.strip() and not name.startswith(("~$", "-")))
    .filter(
        lambda name: (
            not re.search(
                r"_\d+_|^anon_|^(attempt|submission)|^(reports|results|students|submitted|__pycache__|__MACOSX)$",
                name,
                re.I,
            )
        )
    )
)
people = st.lists(
    st.tuples(names, st.sampled_from(KINDS)), min_size=1, max_size=6, unique_by=lambda person: person[0].casefold()
).map(lambda each: [Person(name, number, kind) for number, (name, kind) in enumerate(each, 1001)])


# --- how a platform writes it down --------------------------------------------------------------------------------


def put(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith(b"-> "):
            file.symlink_to(content.removeprefix(b"-> ").decode())
        else:
            file.write_bytes(content)


def folders(upload: Path, class_of: list[Person]) -> dict[str, Person]:
    for person in class_of:
        (upload / person.name).mkdir()
        put(upload / person.name, person.files)
    return {person.name: person for person in class_of}


def canvas(upload: Path, class_of: list[Person]) -> dict[str, Person]:
    """Every third is late, all have one name, and files lie loose, so that a folder's are those of a zip."""
    students = {}
    for person in class_of:
        late = "LATE_" if person.number % 3 == 0 else ""
        files = person.files
        if any("/" in name for name in files):
            files = {"all.zip": zip_of(*files.items())}
        for index, (name, content) in enumerate(files.items()):
            put(upload, {f"wangwei_{late}{person.number}_{9000 + index}_{name}": content})
        if files:
            students[f"wangwei_{person.number}"] = person
    return students


def gradescope(upload: Path, class_of: list[Person]) -> dict[str, Person]:
    """Each second has no ID and no e-mail address, and all have one name."""
    students, metadata = {}, {}
    for person in class_of:
        folder = f"submission_{person.number}"
        (upload / folder).mkdir()
        put(upload / folder, person.files)
        sid = f"s{person.number}" if person.number % 2 else ""
        who = {":name": "Wei Wang", ":sid": sid}
        metadata[folder] = {":submitters": [who], ":created_at": "2026-11-01 00:30:00.0 -05:00"}
        students[sid or f"Wei Wang ({folder})"] = person
    (upload / "submission_metadata.yml").write_text(json.dumps(metadata))
    return students


def exchange(upload: Path, class_of: list[Person]) -> dict[str, Person]:
    """Everybody handed in twice: the later one, an hour behind on the clock of another zone, counts."""
    for person in class_of:
        put(upload / f"{person.number}+hw3-part3+2026-11-01 05:30:00 UTC+x", {MODULE: b"an earlier one"})
        last = upload / f"{person.number}+hw3-part3+2026-11-01 06:00:00 UTC+y"
        last.mkdir()
        put(last, person.files)
    return {str(person.number): person for person in class_of}


LAYOUTS = [folders, canvas, gradescope, exchange]


# --- grading, for next to nothing ---------------------------------------------------------------------------------


@contextmanager
def denied() -> Iterator[None]:
    """Nothing called `denied.zip` may be opened: the superuser, who runs some tests, may open everything."""
    usual = os.open

    def refusing(path: str, *arguments: int, **options: int) -> int:
        if str(path).endswith("denied.zip"):
            raise PermissionError(13, "Permission denied")
        return usual(path, *arguments, **options)

    with mock.patch("os.open", refusing):
        yield


def full_marks(source: bytes) -> Report:
    checks = {part.name: [Check("All", Outcome.PASSED, part.points, part.points)] for part in CVAE.parts}
    return Report.of(CVAE, parts=part_reports(CVAE, checks), sha256=source.hex(), seed=SEED)


def graded(upload: Upload, out: Path) -> Class:
    """A class whose outputs are written, every module with full marks."""
    results = Results(out / "results", CVAE, SEED)
    for each in upload.submitted:
        if each.source is not None:
            results.keep(each.source, full_marks(each.source))
    taught = Class(upload, results, out)
    taught.resume()
    taught.finish()
    return taught


def students_in_outputs(out: Path) -> dict[str, list[str]]:
    """The students in each output, each as often as it stands there."""
    found = json.loads((out / "class.json").read_text("utf-8"))
    with (out / "grades.csv").open(newline="", encoding="utf-8") as file:
        table = [row["student"] for row in csv.DictReader(file)]
    page = (out / "index.html").read_text("utf-8")
    rows = re.findall(r"<tr><th scope=\"row\">", page[page.index('<table class="students">') :])
    return {
        "class.json": [row["student"] for row in found["students"]],
        "grades.csv": [re.sub("^'", "", student) for student in table],
        "reports": [path.name for path in (out / "reports").iterdir()],
        "students": [path.name for path in (out / "students").iterdir()],
        "index.html": ["" for _ in rows],
    }


def check_row(row: Submitted, person: Person) -> None:
    if person.kind.graded:
        assert row.source is not None, (person.kind, row.reason)
        assert person.source in row.source
    else:
        assert row.source is None, (person.kind, row.source)
        assert row.reason
    assert row.unreadable == (person.kind.name == "not for the grader"), (person.kind, row.reason)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_way_to_hand_in(layout: Callable[[Path, list[Person]], dict[str, Person]], tmp_path: Path) -> None:
    expected = layout(tmp_path, [Person(f"student {number}", number, kind) for number, kind in enumerate(KINDS, 1001)])
    with denied():
        rows = {each.student: each for each in read_upload(tmp_path, CVAE).submitted}
    assert rows.keys() == expected.keys()
    for student, person in expected.items():
        check_row(rows[student], person)


@given(people, st.sampled_from(LAYOUTS), st.booleans())
@settings(max_examples=40)
def test_everyone_in_is_out_once(
    class_of: list[Person], layout: Callable[[Path, list[Person]], dict[str, Person]], junk: bool
) -> None:
    with tempfile.TemporaryDirectory() as temporary, denied():
        upload, out = Path(temporary) / "upload", Path(temporary) / "out"
        upload.mkdir()
        expected = layout(upload, class_of)
        if junk:
            put(upload, {".DS_Store": b"", "__MACOSX/._x": b"", "Thumbs.db": b"", "desktop.ini": b""})
        if not expected:
            return
        read = read_upload(upload, CVAE)
        rows = {each.student: each for each in read.submitted}
        assert len(rows) == len(read.submitted) == len(expected)
        by_number = {person.number: person for person in expected.values()}
        for student, person in expected.items():
            if student in rows:  # as it is, where every letter can be seen
                check_row(rows[student], person)
        assert sum(row.source is not None for row in rows.values()) == sum(
            person.kind.graded for person in by_number.values()
        )
        graded(read, out)
        for output, students in students_in_outputs(out).items():
            assert len(students) == len(expected), output
        found = json.loads((out / "class.json").read_text("utf-8"))
        standings = ("graded", "not_started", "stopped", "no_module", "nothing_handed_in", "grader_failed")
        assert sum(found[each] for each in standings) == found["submissions"] == len(expected)
        if junk:
            assert len(read.aside) == 4


@given(people.filter(lambda class_of: len(class_of) > 2), st.sampled_from(LAYOUTS))  # one alone may be a class
@settings(max_examples=25)
def test_no_upload_changes_anothers_row(
    class_of: list[Person], layout: Callable[[Path, list[Person]], dict[str, Person]]
) -> None:
    with tempfile.TemporaryDirectory() as temporary, denied():
        rows = []
        for number, some in enumerate((class_of, class_of[1:])):
            upload = Path(temporary) / str(number)
            upload.mkdir()
            if layout(upload, some):
                rows.append({each.student: each for each in read_upload(upload, CVAE).submitted})
        if len(rows) == 2:
            assert rows[1].items() <= rows[0].items()


def packed(folder: Path, file: Path, top: str) -> None:
    """The folder as a zip archive, with its files below `top`; links stay links."""
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(folder.rglob("*")):
            info = zipfile.ZipInfo(f"{top}{path.relative_to(folder)}{'/' if path.is_dir() else ''}")
            info.external_attr = path.lstat().st_mode << 16
            archive.writestr(
                info, b"" if path.is_dir() else os.readlink(path) if path.is_symlink() else path.read_bytes()
            )


readable = people.map(lambda class_of: [person for person in class_of if person.kind.name != "not for the grader"])
holders = st.lists(st.sampled_from(("folder", "zip", "zip with a folder")), max_size=3)


@given(readable.filter(lambda class_of: len(class_of) > 1), st.sampled_from([canvas, gradescope, exchange]), holders)
@settings(max_examples=30)
def test_a_class_is_found_in_what_holds_it_alone(
    class_of: list[Person], layout: Callable[[Path, list[Person]], dict[str, Person]], around: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        upload = Path(temporary) / "submissions"
        upload.mkdir()
        if not layout(upload, class_of):
            return
        expected = {each.student: each.source for each in read_upload(upload, CVAE).submitted}
        for number, kind in enumerate(around):
            holder = Path(temporary) / str(number)
            holder.mkdir()
            if kind == "folder":
                upload.rename(holder / "HW3 submissions")
            else:
                packed(upload, holder / "submissions (1).zip", "hw3/" if kind == "zip with a folder" else "")
            put(holder, {".DS_Store": b"", "__MACOSX/._x": b"", "read me.txt": b""})
            upload = holder
        assert {each.student: each.source for each in read_upload(upload, CVAE).submitted} == expected


NEXT_TO_IT: dict[str, Callable[[bytes], bytes]] = {  # in a student's folder of a class, with one who has a module
    "notes.txt": lambda source: b"I mailed it",
    "hw3.zip": lambda source: zip_of((f"hw3/{MODULE}", source)),
    "hw3.tar.gz": lambda source: tar_of(MODULE, source),
    "hw3.7z": lambda source: b"7z\xbc\xaf\x27\x1c",
}


@given(st.lists(st.sampled_from([*NEXT_TO_IT]), min_size=1, max_size=3), st.integers(0, 2), st.booleans())
@settings(max_examples=20)
def test_nobody_is_passed_over_next_to_a_module(files: list[str], depth: int, packed: bool) -> None:
    """Without a roster, a class is known by three modules or archives. Where it is not, the only row is for review."""
    source = "def sample_latent(means, logvariances):\n    return means + {}\n"
    there = {f"ada/{MODULE}": source.format(0).encode()}
    there |= {f"s{at}/{file}": NEXT_TO_IT[file](source.format(at).encode()) for at, file in enumerate(files, 1)}
    above = "".join(f"{letter}/" for letter in "xyz"[:depth])
    with tempfile.TemporaryDirectory() as temporary:
        upload = Path(temporary) / "u"
        put(
            upload,
            {"subs.zip": zip_of(*((f"{above}{name}", data) for name, data in there.items()))}
            if packed
            else {f"subs/{above}{name}": data for name, data in there.items()},
        )
        rows = read_upload(upload, CVAE).submitted
    if len(rows) == 1:
        assert rows[0].attention, "it may be a class"
    else:
        assert {row.student for row in rows} == {name.partition("/")[0] for name in there}


CUT: dict[str, Callable[[bytes], bytes]] = {
    "cyd.zip": lambda source: zip_of((MODULE, source)),
    "cyd.tar.gz": lambda source: tar_of(MODULE, source),
    "submissions.zip": lambda source: zip_of(*((f"{each}/{MODULE}", source) for each in "abcd")),
    "doecyd_12_34_hw3.zip": lambda source: zip_of((MODULE, source)),
}


@given(st.sampled_from([*CUT]), st.floats(0, 0.999), st.booleans(), st.booleans())
@settings(max_examples=40)
def test_a_download_that_is_cut_off_is_no_zero(name: str, part: float, alone: bool, listed: bool) -> None:
    """The score is empty, and it is for review; what a platform named is as the student handed it in."""
    whole = CUT[name](b"def loss_function(): 0\n" * 50)
    with tempfile.TemporaryDirectory() as temporary:
        upload = Path(temporary) / "u"
        put(upload, {name: whole[: int(part * len(whole))], **({} if alone else {f"ada/{MODULE}": b"x = 1\n"})})
        (Path(temporary) / "r.csv").write_text("id,name\nada,Ada\ncyd,Cyd Doe\n")
        roster = read_roster(Path(temporary) / "r.csv")
        if (alone, name) == (True, "submissions.zip"):
            with pytest.raises(NothingToGrade, match="is cut off: download it again"):
                read_upload(upload, CVAE, roster)
        rows = read_upload(upload, CVAE, roster if listed and "cyd." in name else None).submitted
    if "doecyd" not in name:
        (row,) = (row for row in rows if row.student == name.partition(".")[0])
        assert row.unreadable
        assert f"`{name}` is cut off: download it again" in row.reason
        assert row.reason in row.attention


# What browsers and other programs leave of a download that has not ended, and the parts of archives that were split.
PARTS = [".crdownload", ".opdownload", ".part", ".partial", ".download", ".filepart", ".aria2", ".z01", ".001", ".TMP"]


@given(st.sampled_from(PARTS), st.sampled_from(["hw3.zip", "hw3 (1).tar.gz", "all.7z"]), st.booleans(), st.booleans())
@settings(max_examples=40)
def test_a_part_of_a_download_is_no_zero(ending: str, archive: str, packed: bool, listed: bool) -> None:
    """It is for review, and so is who has no work; a part of a document is not."""
    with tempfile.TemporaryDirectory() as temporary:
        upload, table = Path(temporary) / "u", Path(temporary) / "r.csv"
        table.write_text("id,name\nada,Ada Lee\ncyd,Cyd Doe\nbob,Bob Ray\ndan,Dan Poe\n")
        put(upload, {f"{archive}{ending}": b"PK", "rubric.pdf.part": b"%PDF"})
        class_of = [(f"{each}/{MODULE}", b"def loss_function(): 0\n") for each in ("ada", "bob", "dan")]
        put(upload, {"class.zip": zip_of(*class_of)} if packed else dict(class_of))
        read = read_upload(upload, CVAE, read_roster(table) if listed else None)
    rows = {row.student: row for row in read.submitted}
    (part,) = (row for row in rows.values() if row.unreadable)
    assert part.reason == f"`{archive}{ending}` is only a part of a download: download it again"
    assert part.reason in part.attention
    assert all(rows[each].source for each in ("ada", "bob", "dan"))
    assert not rows["ada"].attention
    assert not listed or (rows["cyd"].nothing and rows["cyd"].attention)
    assert not listed or read.aside == ["rubric.pdf.part"]


@given(st.sampled_from(["{} (1)", "{} 2", "{} copy", "{} - Copy", "{} - Kopie (2)", "{}-1"]), st.booleans())
def test_a_copy_next_to_its_original_is_for_review(copy: str, loose: bool) -> None:
    """People unpack a second download next to the first. Without a roster, each is a row, and both are listed."""
    names = ["ada", copy.format("ada"), copy.format("eve"), "bob"]
    with tempfile.TemporaryDirectory() as temporary:
        put(Path(temporary), {f"{each}.py" if loose else f"{each}/{MODULE}": each.encode() for each in names})
        rows = {row.student: row for row in read_upload(Path(temporary), CVAE).submitted}
    assert rows.keys() == {*names}
    for student in names[:2]:
        assert any(f"`{names[0]}`" in said and f"`{names[1]}`" in said for said in rows[student].attention)
    assert not any(rows[student].attention for student in names[2:])


@pytest.mark.parametrize(("inner", "told"), [(b"+ 1", True), (b"+ 0", False)])
def test_other_code_is_found_in_an_archives_archive(inner: bytes, told: bool, tmp_path: Path) -> None:
    """The module in it does not count, and is compared with the one that does."""
    source = b"def sample_latent(means, logvariances):\n    return means "
    packed = zip_of((f"a/{MODULE}", source + b"+ 0"), ("b/hw3.zip", zip_of((MODULE, source + inner))))
    put(tmp_path, {"ada.zip": packed, f"bob/{MODULE}": source})
    (row, _) = read_upload(tmp_path, CVAE).submitted
    assert row.source == source + b"+ 0"
    assert any(f"ada.zip/b/hw3.zip/{MODULE}" in said for said in row.attention) is told


@given(people, st.integers(0, 3))
@settings(max_examples=25)
def test_a_roster_has_a_row_for_everybody(class_of: list[Person], absent: int) -> None:
    with tempfile.TemporaryDirectory() as temporary, denied():
        upload = Path(temporary) / "upload"
        upload.mkdir()
        handed_in = canvas(upload, class_of)
        if not handed_in:
            return
        listed = list(handed_in.values())[: max(1, len(handed_in) - 1)]
        ids = [person.number for person in listed] + [5000 + number for number in range(absent)]
        with (Path(temporary) / "roster.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("Student", "ID", "Section"), *(("Wang, Wei", each, "1") for each in ids)])
        read = read_upload(upload, CVAE, read_roster(Path(temporary) / "roster.csv"))
        rows = {each.student: each for each in read.submitted}
        assert set(map(str, ids)) <= rows.keys()
        assert len(rows) == len(read.submitted) == len(ids) + len(handed_in) - len(listed)
        assert sum(row.unlisted for row in rows.values()) == len(handed_in) - len(listed)
        assert sum(row.nothing for row in rows.values()) == absent
        assert all(rows[str(person.number)].name == "Wang, Wei" for person in listed)
        for person in listed:
            check_row(rows[str(person.number)], person)


# --- the command --------------------------------------------------------------------------------------------------


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["class", *map(str, arguments), "--seed", str(SEED)])


def test_the_counts_add_up_and_are_the_same_everywhere(tmp_path: Path) -> None:
    upload, out = tmp_path / "upload", tmp_path / "out"
    put(upload, {f"wangwei_101_1_{MODULE}": b"x = 1\n", f"wangwei_LATE_102_2_{MODULE}": b"x = 2\n"})
    put(upload, {"bo_103_3_cvae.ipynb": b"{}", f"eve\x1b[2J_999_4_{MODULE}": b"x = 3\n", ".DS_Store": b""})
    roster = tmp_path / "roster.csv"
    roster.write_text("id,name\n101,Wei Wang\n102,Wei Wang\n103,Bo\n104,Ada\n")
    graded(read_upload(upload, CVAE), out)  # so that nothing is left to grade
    said = run(upload, "--out", out, "--roster", roster)
    assert said.exit_code == 0, said.output
    line = "4 in the roster and 1 who is not: 3 graded, 1 without a module, 1 handed in nothing."
    assert line in said.output
    assert "Late: Wei Wang (102)." in said.output
    assert len(list((out / "reports").iterdir())) == 5  # none of the run before, which knew them by other ids
    assert "Not in the roster: eve" in said.output
    assert "Left aside: .DS_Store." in said.output
    assert "\x1b[2J" not in said.output
    assert line in (out / "index.html").read_text("utf-8")
    found = json.loads((out / "class.json").read_text("utf-8"))
    assert (found["graded"], found["no_module"], found["nothing_handed_in"], found["roster"]) == (3, 1, 1, 4)
    with (out / "grades.csv").open(newline="", encoding="utf-8") as file:
        table = {row["student"]: row for row in csv.DictReader(file)}
    assert (table["102"]["name"], table["102"]["late"], float(table["102"]["score"])) == ("Wei Wang", "yes", 90)
    assert table["104"]["standing"] == "nothing handed in"


def test_what_was_guessed_in_the_roster_is_in_each_output(tmp_path: Path) -> None:
    upload, out = tmp_path / "upload", tmp_path / "out"
    put(upload, {f"w1@x.edu/{MODULE}": b"x = 1\n", f"w2@x.edu/{MODULE}": b"x = 2\n"})
    lines = "1,Wei Wang,w1@x.edu,wang1\n1,Wei Wang,w2@x.edu,wang2\nTotal,,,\n3,Bo,b@x.edu,bo\n"
    (tmp_path / "r.csv").write_text(f"id,name,email,login\n{lines}")
    read = read_upload(upload, CVAE, read_roster(tmp_path / "r.csv"))
    assert {row.student: row.source for row in read.submitted} == {
        "1 (wang1)": b"x = 1\n",
        "1 (wang2)": b"x = 2\n",
        "3": None,
    }
    graded(read, out)
    said = run(upload, "--out", out, "--roster", tmp_path / "r.csv").output
    found = json.loads((out / "class.json").read_text("utf-8"))
    for note in ("r.csv, lines 2 and 3: one id", "r.csv, line 4: “Total” is not a student"):
        assert said.count(note) == 1
        assert any(note in warning for warning in found["warnings"])
        assert note in (out / "index.html").read_text("utf-8")


def test_work_under_both_addresses_of_one_student_is_reviewed(tmp_path: Path) -> None:
    put(tmp_path / "u", {f"w1@x.edu/{MODULE}": b"x = 1\n", f"w2@x.edu/{MODULE}": b"x = 2\n"})
    (tmp_path / "r.csv").write_text("id,name,email\n1,Wei Wang,w1@x.edu\n1,Wei Wang,w2@x.edu\n3,Bo,b@x.edu\n")
    rows = {row.student: row for row in read_upload(tmp_path / "u", CVAE, read_roster(tmp_path / "r.csv")).submitted}
    assert rows.keys() == {"1", "3"}
    assert (rows["1"].source, rows["1"].unreadable) == (None, True)


@pytest.mark.parametrize("kind", ["nothing", "an empty folder"])
def test_who_handed_in_by_the_roster_has_no_silent_zero(tmp_path: Path, kind: str) -> None:
    """As Moodle's grading worksheet and Gradescope's list of scores say."""
    said = {
        "Submitted for grading": True,
        "Submitted for grading - 2 hours late": True,
        "Graded": True,
        "Ungraded": True,
        "No submission": False,
        "No submission - Graded": False,
        "Draft (not submitted)": False,
        "Missing": False,
        "": False,
    }
    upload, out = tmp_path / "upload", tmp_path / "out"
    put(upload, {f"0/{MODULE}": b"x = 1\n"})
    table = "id,name,Status\n0,Ada,Graded\n"
    for number, status in enumerate(said, 1):
        table += f"{number},S{number} T,{status}\n"
        if kind == "an empty folder":
            (upload / str(number)).mkdir()
    (tmp_path / "r.csv").write_text(table)
    graded(read_upload(upload, CVAE, read_roster(tmp_path / "r.csv")), out)
    found = json.loads((out / "class.json").read_text("utf-8"))
    listed = {each["student"] for each in found["attention"]} - {"0"}
    assert listed == {str(number) for number, status in enumerate(said, 1) if said[status]}
    assert found["nothing_handed_in"] == len(said)


def test_what_the_grader_may_not_read_is_no_zero(tmp_path: Path) -> None:
    upload, out = tmp_path / "upload", tmp_path / "out"
    put(upload, {f"ada/{MODULE}": b"x = 1\n", "bob/denied.zip": b"PK"})
    with denied():
        graded(read_upload(upload, CVAE), out)
        said = run(upload, "--out", out)
    assert said.exit_code == 3
    assert "could not read or grade bob" in said.output
    with (out / "grades.csv").open(newline="", encoding="utf-8") as file:
        scores = {row["student"]: row["score"] for row in csv.DictReader(file)}
    assert float(scores["ada"]) == 90
    assert scores["bob"] == ""


@pytest.mark.parametrize(
    ("option", "text", "reason"),
    [
        ("--roster", "person\nada\n", "line 1"),
        ("--extensions", "student,until\nada,tomorrow\n", "line 2"),
        ("--roster", "id\nbob\n", "nobody who handed in is in the roster"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, option: str, text: str, reason: str) -> None:
    put(tmp_path / "upload", {f"ada/{MODULE}": b"x = 1\n"})
    (tmp_path / "table.csv").write_text(text)
    said = run(tmp_path / "upload", "--out", tmp_path / "out", option, tmp_path / "table.csv")
    assert said.exit_code == 2
    assert reason in re.sub(r"[\s│]+", " ", said.output)
    assert not (tmp_path / "out").exists()


def test_the_submissions_are_no_place_for_the_output(tmp_path: Path) -> None:
    put(tmp_path, {f"ada/{MODULE}": b"x = 1\n"})
    assert run(tmp_path, "--out", tmp_path).exit_code == 2


def test_a_copy_of_the_solution_is_reported(tmp_path: Path) -> None:
    put(tmp_path / "upload", {f"ada/{MODULE}": CVAE.solution.read_bytes(), f"bob/{MODULE}": b"x = 1\n"})
    graded(read_upload(tmp_path / "upload", CVAE), tmp_path / "out")
    reports = {path.stem: json.loads(path.read_text("utf-8")) for path in (tmp_path / "out" / "reports").iterdir()}
    assert "instructor's solution" in reports["ada"]["attention"][0]
    assert reports["bob"]["attention"] == []
