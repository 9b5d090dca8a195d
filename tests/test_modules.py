"""Which module of a submission is graded, and in what a class may be packed."""

import io
import json
import re
import shutil
import struct
import time
import zipfile
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.fill_in import fill_in
from autograder.grading.grade import nothing
from autograder.submissions.copied import has_no_code, is_untouched, same_code
from autograder.submissions.find import NothingToGrade, find_module
from autograder.submissions.layouts import Submitted, Upload, read_upload
from autograder.submissions.names import shown
from autograder.submissions.roster import Roster, read_roster

MODULE = CVAE.module
WRITTEN = b"def loss_function(): return 1\n"
BLANK = fill_in(CVAE).encode()
WHOLE = b"".join(b"def %s(): return 1\n" % part.place[0].encode() for part in CVAE.parts if part.place)


def zip_of(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()


def put(file: Path, content: bytes) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def read(path: Path, **options: object) -> Upload:
    return read_upload(path, CVAE, **options)  # type: ignore[arg-type]


def rows(path: Path, **options: object) -> dict[str, Submitted]:
    return {each.student: each for each in read(path, **options).submitted}


def sources(path: Path, **options: object) -> dict[str, bytes | None]:
    return {student: row.source for student, row in rows(path, **options).items()}


# --- untouched modules, copies, and what cannot be read --------------------------------------------------------------

BLANKS = {
    "as handed out": BLANK,
    "empty": b"",
    "a comment": b"# my homework\n",
    "with Windows' line ends": BLANK.replace(b"\n", b"\r\n"),
    "with a name": b"# Ada\n" + BLANK + b"\n\n",
    "of another term": BLANK.replace(b"=10", b"=12").replace(b"Set `self.decoder`.", b"Set it."),
}
PLACES = {
    "exact": lambda source: {MODULE: source},
    "in a folder": lambda source: {f"hw3/{MODULE}": source},
    "in a kit": lambda source: {f"{CVAE.kit}/{MODULE}": source},
    "a copy": lambda source: {"cs5814_vae (1).py": source},
    "OneDrive's copy": lambda source: {"cs5814_vae 1.py": source},
    "packed": lambda source: {"handin.zip": zip_of((MODULE, source))},
    "the kit's zip": lambda source: {f"{CVAE.kit}.zip": zip_of((f"{CVAE.kit}/{MODULE}", source))},
    "another name": lambda source: {"vae_final.py": source},
    "packed under another name": lambda source: {"final.zip": zip_of(("vae_final.py", source))},
}


@given(
    st.dictionaries(st.sampled_from(list(PLACES)), st.sampled_from(list(BLANKS)), max_size=3),
    st.sampled_from(list(PLACES)),
)
@settings(max_examples=80)
def test_a_written_module_comes_before_untouched_ones(blanks: dict[str, str], place: str) -> None:
    with TemporaryDirectory() as temporary:
        ada = Path(temporary) / "ada"
        for where, blank in blanks.items():
            for name, content in PLACES[where](BLANKS[blank]).items():
                put(ada / name, content)
        for name, content in PLACES[place](WRITTEN).items():
            put(ada / name, content)
        assert find_module(ada, CVAE).source == WRITTEN
        put(Path(temporary) / "bob" / MODULE, WRITTEN)
        row = rows(Path(temporary))["ada"]
        assert row.source == WRITTEN
        if "exact" in blanks and place != "exact":
            assert any(f"`{MODULE}`" in note and "empty or still the handout" in note for note in row.notes)


@given(st.sampled_from(list(PLACES)), st.sampled_from(list(PLACES)), st.sampled_from(list(BLANKS)))
@settings(max_examples=30)
def test_where_nothing_is_written_that_is_graded(first: str, second: str, blank: str) -> None:
    by_name = [each for each in PLACES if "another" not in each]
    with TemporaryDirectory() as temporary:
        for where in (first, second, by_name[0]):
            for name, content in PLACES[where](BLANKS[blank]).items():
                put(Path(temporary) / "ada" / name, content)
        put(Path(temporary) / "bob" / MODULE, WRITTEN)
        row = rows(Path(temporary))["ada"]
        assert row.source == BLANKS[blank]


@given(st.sampled_from(list(BLANKS)), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.sampled_from(list(PLACES)))
@settings(max_examples=40)
def test_what_is_written_depends_on_no_line_ends(blank: str, ends: bytes, place: str) -> None:
    assert is_untouched(re.sub(rb"\r?\n", lambda _: ends, BLANKS[blank]), CVAE)
    for comment in (b"", b"# Ada's\n"):
        written = (comment + WRITTEN).replace(b"\n", ends)
        assert not has_no_code(written)
        assert same_code(written, WRITTEN)
        with TemporaryDirectory() as temporary:
            for name, content in PLACES[place](written).items():
                put(Path(temporary) / name, content)
            assert find_module(Path(temporary), CVAE).source == written


@given(
    st.lists(
        st.sampled_from(["'", '"', "\\", "\\'", "0", ".", "e", "+", "f", "#", "x ", "\n", "é"]), min_size=1, max_size=6
    )
)
@settings(max_examples=60, deadline=None)
def test_code_is_compared_in_linear_time(pieces: list[str]) -> None:
    """A search compares some sixty modules before any clock runs."""
    source = "".join(pieces).encode() * 20_000
    began = time.process_time()
    assert same_code(source[: 1 << 17], source[: (1 << 17) - 1] + b"~") in (True, False)
    has_no_code(source[: 1 << 17])
    assert time.process_time() - began < 2


def test_two_written_modules_next_to_an_untouched_one_are_named(tmp_path: Path) -> None:
    for name, content in ((MODULE, BLANK), ("one.py", WRITTEN), ("two.py", WRITTEN + b"x = 1\n")):
        put(tmp_path / "ada" / name, content)
    (row,) = read(tmp_path).submitted
    assert row.source == BLANK
    assert "but `one.py`, `two.py` define" in row.attention[0]


def test_the_last_attempt_untouched_names_the_earlier_one(tmp_path: Path) -> None:
    put(tmp_path / "ada" / "attempt-1" / MODULE, WRITTEN)
    put(tmp_path / "ada" / "attempt-2" / MODULE, BLANK)
    (row,) = read(tmp_path).submitted
    assert f"an earlier attempt has `attempt-1/{MODULE}`" in row.attention[0]


DATED = {  # where the file of an attempt on this day lies
    "nbgrader's exchange": "ada+hw3-part3+2026-11-{} 08:00:00 UTC+x/{}",
    "Blackboard": "HW 3_ada_attempt_2026-11-{}-22-14-05_{}",
    "Brightspace": "1-9 - Ada - Nov {}, 2026 1005 AM/{}",
    "Gradescope": "submission_{}/{}",
    "by hand": "ada/attempt-{}/{}",
    "Teams": "ada/HW 3/Version {}/{}",
    "Schoology": "ada/Revision {} - On time/{}",
}


@given(
    st.sampled_from(list(DATED)),
    st.dictionaries(
        st.integers(10, 19),
        st.sampled_from([*BLANKS, "exact", "a copy", "packed", "another name"]),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from(list(BLANKS)),
)
@settings(max_examples=100)
def test_an_earlier_attempt_with_work_is_named(platform: str, days: dict[int, str], blank: str) -> None:
    """Where nothing is written in the last attempt, the row is for review exactly if an earlier one has work."""
    fact = "submission_{0}:\n  :submitters:\n  - :sid: ada\n  :created_at: 2026-11-{0} 08:00:00 Z\n"
    with TemporaryDirectory() as temporary:
        for day, how in {**days, 20: blank}.items():
            files = {MODULE: BLANKS[how]} if how in BLANKS else PLACES[how](WRITTEN)
            for name, content in files.items():
                put(Path(temporary) / DATED[platform].format(day, name), content)
        if platform == "Gradescope":
            put(Path(temporary) / "submission_metadata.yml", "".join(map(fact.format, [*days, 20])).encode())
        elif DATED[platform].startswith("ada/"):
            put(Path(temporary) / "bob" / MODULE, WRITTEN)
        row = next(row for row in read(Path(temporary)).submitted if "bob" not in row.student)
    written = [day for day, how in days.items() if how not in BLANKS]
    assert row.source == BLANKS[blank]
    assert bool(row.attention) is bool(written)
    assert not written or any(str(day) in row.attention[0] for day in written)


ELSEWHERE = {
    "a text": ("vae.txt", WRITTEN),
    "a page": ("onlinetext.html", b"<p>def&nbsp;<b>loss_function</b>(x): return 0</p>"),
    "UTF-16": ("vae_final.py", WRITTEN.decode().encode("utf-16")),
    "a backup": (f"{MODULE}.bak", WRITTEN),
    "an editor's backup": (f"old/{MODULE}~", WRITTEN),
    "Jupyter's": (".ipynb_checkpoints/cs5814_vae-checkpoint.py", WRITTEN),
    "in a hidden folder": (f".venv/lib/x/{MODULE}", WRITTEN),
    "in a bin": (f".Trash/{MODULE}", WRITTEN),
    "in Windows' bin": (f"$RECYCLE.BIN/S-1-5/{MODULE}", WRITTEN),
    "compiled": ("__pycache__/cs5814_vae.cpython-312.pyc", b"\xcb\r"),
    "in iCloud": (f".{MODULE}.icloud", b"bplist00"),
    "a document": ("hw3.docx", b"PK"),
    "packed": ("mine.zip", zip_of(("vae.txt", WRITTEN))),
}
NOWHERE = {
    "a note": ("notes.txt", b"I was ill. My loss_function is not done.\n"),
    "a backup": (f"{MODULE}.bak", BLANK),
    "Jupyter's": (".ipynb_checkpoints/cs5814_vae-checkpoint.py", BLANK),
    "a figure": ("samples.png", b"\x89PNG"),
    "hidden, as handed out": (f".local/{MODULE}", BLANK),
    "hidden": (".git/config", b"def loss_function(): 0"),
    "the kit's": (next(iter(CVAE.kit_files)), b"def loss_function(): 0"),
}


@given(
    st.sets(st.sampled_from(list(ELSEWHERE)), max_size=4),
    st.sets(st.sampled_from(list(NOWHERE)), min_size=1),
    st.sampled_from([*BLANKS, ""]),
    st.booleans(),
)
@settings(max_examples=100)
def test_where_the_code_may_be_is_named(there: set[str], rest: set[str], blank: str, packed: bool) -> None:
    """Next to a module in which nothing is written, all that may hold the code is named, and nothing else."""
    files = dict([NOWHERE[each] for each in sorted(rest)] + [ELSEWHERE[each] for each in sorted(there)])
    files |= {MODULE: BLANKS[blank]} if blank else {}
    with TemporaryDirectory() as temporary:
        for name, content in files.items():
            put(Path(temporary) / "ada" / name, content)
        if packed:
            put(Path(temporary) / "ada.zip", zip_of(*files.items()))
            shutil.rmtree(Path(temporary) / "ada")
        put(Path(temporary) / "bob" / MODULE, WRITTEN)
        row = rows(Path(temporary))["ada"]
    assert all(ELSEWHERE[each][0] in " ".join((*row.attention, row.reason)) for each in there)
    assert bool(row.attention) is bool(there and blank)
    assert (row.source is None) is (blank == "")


SEVEN = b"7z\xbc\xaf\x27\x1c" + bytes(50)


@pytest.mark.parametrize(
    ("name", "content"),
    [("new.7z", SEVEN), ("new.zip", zip_of((MODULE, WRITTEN))[:60]), ("new.zip", SEVEN), ("cs5814_vae.py.gz", b"x")],
)
@pytest.mark.parametrize("older", ["packed", "another name", "the kit's zip"])
def test_what_cannot_be_read_is_named_for_review(tmp_path: Path, name: str, content: bytes, older: str) -> None:
    for each, source in PLACES[older](WRITTEN).items():
        put(tmp_path / "ada" / each, source)
    put(tmp_path / "ada" / name, content)
    (row,) = read(tmp_path).submitted
    assert row.source == WRITTEN
    assert name in row.attention[0]


def test_packed_data_needs_no_review(tmp_path: Path) -> None:
    put(tmp_path / "ada" / "handin.zip", zip_of((MODULE, WRITTEN)))
    put(tmp_path / "ada" / "train-images-idx3-ubyte.gz", b"\x1f\x8b..")
    put(tmp_path / "ada" / CVAE.data_folder / "all.rar", b"Rar!...")
    (row,) = read(tmp_path).submitted
    assert (row.source, row.notes, row.attention) == (WRITTEN, (), ())


def test_a_pointer_of_git_lfs_is_no_module(tmp_path: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935\nsize 12345\n"
    put(tmp_path / "ada" / MODULE, pointer)
    put(tmp_path / "bob" / MODULE, pointer)
    put(tmp_path / "bob" / "vae.py", WRITTEN)
    both = rows(tmp_path)
    assert "is a pointer of Git LFS" in both["ada"].reason
    assert both["bob"].source == WRITTEN
    assert "is a pointer of Git LFS" in both["bob"].attention[0]
    with pytest.raises(NothingToGrade, match="is a pointer of Git LFS"):
        find_module(tmp_path / "ada" / MODULE, CVAE)


def encrypted() -> bytes:
    data = bytearray(zip_of((MODULE, WRITTEN)))
    for signature, where in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + where] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("hw3.zip", encrypted(), True),
        ("hw3.zip", zip_of((MODULE, WRITTEN))[:60], True),
        ("hw3.7z", SEVEN, True),
        ("hw3.rar", b"Rar!\x1a\x07\x01\0", True),
        ("hw3.zip", zip_of(*((f"venv/{number}.py", b"") for number in range(2100)), (MODULE, WRITTEN)), True),
        ("hw3.zip", zip_of(("inner.zip", zip_of((MODULE, WRITTEN)))), True),
        ("hw3.zip", zip_of(("report.pdf", b"")), False),
        ("my_work.py", b"x = 1\n", False),
        ("report.pdf", b"%PDF", False),
    ],
    ids=["encrypted", "cut", "7z", "rar", "too many files", "zip in zip", "no Python", "other code", "PDF"],  # no times
)
def test_the_advice_fits_what_is_wrong(tmp_path: Path, name: str, content: bytes, named: bool) -> None:
    put(tmp_path / "ada" / name, content)
    (row,) = read(tmp_path).submitted
    assert ("Name your file exactly" in row.reason) is not named
    assert (f"Hand in {MODULE} itself, or in a small zip archive without a password" in row.reason) is named


@given(st.permutations(list(PLACES)), st.booleans())
@settings(max_examples=60)
def test_other_code_next_to_the_module_is_reviewed(places: list[str], same: bool) -> None:
    """The row is for review exactly if the two modules differ in their code."""
    other = b"# once more\n\n" + WHOLE if same else WHOLE + b"x = 2\n"
    with TemporaryDirectory() as temporary:
        for place, source in zip(places, (WHOLE, other), strict=False):
            for name, content in PLACES[place](source).items():
                put(Path(temporary) / "ada" / name, content)
        put(Path(temporary) / "bob" / MODULE, WRITTEN)
        row = rows(Path(temporary))["ada"]
        if row.source is None:
            assert "more than one" in row.reason
        else:
            assert any("there is other code" in said for said in row.attention) is not same
            assert row.notes


@pytest.mark.parametrize(
    ("folder", "reviewed"),
    [
        ("HW 3 part 2/Version 1", True),
        ("hw3-part2", True),
        ("hw4/src", True),
        ("Part 04", True),
        ("part2 (1)", True),
        ("HW 03 part 3", False),
        ("hw3-part3 (2)", False),
        ("hw3", False),
        ("vae2", False),
        ("venv/Lib/site-packages", True),
        ("node_modules/x", True),
        ("env", True),
        ("env2/lib", True),
        ("Draft", True),
        ("draft 2", False),
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_a_module_in_an_odd_folder_is_reviewed(tmp_path: Path, folder: str, reviewed: bool, packed: bool) -> None:
    """A folder whose number is not the assignment's, or in which programs keep packages, is told to staff."""
    files = {f"{folder}/{MODULE}": WHOLE, "env/pyvenv.cfg": b"", "env2/pyvenv.cfg": b""}
    for name, content in {"ada.zip": zip_of(*files.items())}.items() if packed else files.items():
        put(tmp_path / "u" / name if packed else tmp_path / "u" / "ada" / name, content)
    put(tmp_path / "u" / "bob" / MODULE, WRITTEN)
    row = rows(tmp_path / "u")["ada"]
    assert (row.source, bool(row.attention)) == (WHOLE, reviewed)


@pytest.mark.parametrize(("version", "reviewed"), [(0, True), (1, False), (10, False)])
def test_a_canceled_submission_is_reviewed(tmp_path: Path, version: int, reviewed: bool) -> None:
    put(tmp_path / "ada" / "1" / MODULE, WHOLE)
    put(tmp_path / "ada" / "user_assignment_settings.json", json.dumps({"active_version": version}).encode())
    (row,) = read(tmp_path).submitted
    assert (row.source, bool(row.attention)) == (WHOLE, reviewed)


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize(
    ("folder", "next_to", "reviewed"),
    [
        ("3_corrections", "2_submissions", True),
        ("3_corrections", "", True),
        ("returned", "2_submissions", True),
        ("2_submissions", "3_corrections", False),
        ("my homework", "", False),
        ("", "", False),
    ],
)
def test_a_module_outside_the_folder_of_most_is_reviewed(
    tmp_path: Path, folder: str, next_to: str, reviewed: bool, packed: bool
) -> None:
    """A folder that others have next to the usual one may hold what the staff gave back."""
    files = {f"{who}/2_submissions/{MODULE}": who.encode() for who in ("bob", "eve", "kim")}
    files |= {"bob/3_corrections/notes.pdf": b"", f"ada/{folder}/{MODULE}".replace("//", "/"): WHOLE}
    files |= {f"ada/{next_to}/photo.png": b""} if next_to else {}
    for name, content in {"u.zip": zip_of(*files.items())}.items() if packed else files.items():
        put(tmp_path / name if packed else tmp_path / "u" / name, content)
    row = rows(tmp_path / ("u.zip" if packed else "u"))["ada"]
    assert (row.source, bool(row.attention)) == (WHOLE, reviewed)


@pytest.mark.parametrize(("blank", "reviewed"), [("2_submissions", True), ("3_corrections", False), ("", True)])
def test_work_in_another_folder_than_the_blank_is_reviewed(tmp_path: Path, blank: str, reviewed: bool) -> None:
    put(tmp_path / "ada" / blank / MODULE, BLANK)
    put(tmp_path / "ada" / "3_corrections" / ("mine.py" if not reviewed else MODULE), WHOLE)
    (row,) = read(tmp_path).submitted
    assert (row.source, bool(row.attention)) == (WHOLE, reviewed)


@pytest.mark.parametrize(
    "name", [f"old/{MODULE}", "helper.py", "handin.zip"], ids=["untouched", "a part", "a zip without a module"]
)
def test_what_is_no_other_module_needs_no_review(tmp_path: Path, name: str) -> None:
    put(tmp_path / "ada" / MODULE, WHOLE)
    put(tmp_path / "ada" / name, {"helper.py": WRITTEN, "handin.zip": zip_of(("a.pdf", b""))}.get(name, BLANK))
    (row,) = read(tmp_path).submitted
    assert (row.source, row.attention) == (WHOLE, ())


NAMES = sorted({part.place[0] for part in CVAE.parts if part.place})
FORMS = {
    "mine.py": lambda source: source,
    "cvae.ipynb": lambda source: notebook_of(source.decode()),
    "notes.txt": lambda source: b"My code:\n" + source,
    "page.html": lambda source: b"<pre>\n" + source + b"</pre>",
}


def notebook_of(*cells: str) -> bytes:
    return json.dumps({"cells": [{"cell_type": "code", "source": text.splitlines(True)} for text in cells]}).encode()


def defining(names: set[str], written: set[str], value: int) -> bytes:
    left = '    raise NotImplementedError("later")\n'
    bodies = {name: f"    return {value}\n" if name in written else left for name in sorted(names)}
    return "\n\n".join(f"def {name}():\n{body}" for name, body in bodies.items()).encode()


@given(
    st.sets(st.sampled_from(NAMES), min_size=1), st.sets(st.sampled_from(NAMES), min_size=1), st.sampled_from([*FORMS])
)
def test_code_that_the_module_lacks_is_reviewed(there: set[str], other: set[str], form: str) -> None:
    """So is as much code in another Python file. What the module has and a notebook or text has too is no other one."""
    with TemporaryDirectory() as temporary:
        put(Path(temporary) / "ada" / MODULE, defining({*NAMES}, there, 1))
        put(Path(temporary) / "ada" / form, FORMS[form](defining(other, other, 2)))
        (row,) = read(Path(temporary)).submitted
    lost = bool(other - there) or (form == "mine.py" and other == there)
    assert row.source == defining({*NAMES}, there, 1)
    assert any(f"`{form}`" in said for said in row.attention) == lost


@pytest.mark.parametrize("name", [MODULE, f"/content/{MODULE}", "other.py"])
def test_a_cell_that_writes_another_module_is_reviewed(tmp_path: Path, name: str) -> None:
    cells = [f"%%writefile {name}\n{WHOLE.decode()}", f"%%writefile -a {name}\nx = 1\n"]
    put(tmp_path / "ada" / MODULE, WHOLE)
    put(tmp_path / "bob" / MODULE, WHOLE + b"x = 1\n")
    for student in ("ada", "bob"):
        put(tmp_path / student / "cvae.ipynb", notebook_of("import torch\n", *cells))
    both = rows(tmp_path)
    assert any("other code in `cvae.ipynb`" in said for said in both["ada"].attention) == name.endswith(MODULE)
    assert (both["bob"].notes, both["bob"].attention) == ((), ())


@pytest.mark.parametrize("blank", [False, True], ids=["written", "untouched"])
@pytest.mark.parametrize(
    ("cell", "changes"),
    [
        ("open('cs5814_vae.py', 'w').write(code)", True),
        ("with open('/content/cs5814_vae.py', mode=\"a\") as file:\n    file.write(code)", True),
        ("Path('cs5814_vae.py').write_text(code)", True),
        ("import cs5814_vae as v\nv.sample_latent = lambda means, logvariances: means", True),
        ("cs5814_vae.ConditionalVariationalAutoencoder.forward = mine", True),
        ("setattr(cs5814_vae, 'loss_function', mine)", True),
        ("print(open('cs5814_vae.py').read())", False),
        ("with open('losses.txt', 'w') as file:\n    file.write('x')", False),
        ("import cs5814_vae\nz = cs5814_vae.sample_latent(m, v)", False),
        ("assert cs5814_vae.sample_latent == mine", False),
        ("shutil.copy('cs5814_vae.py', '/content/drive')", False),
    ],
)
def test_a_cell_that_changes_the_module_is_reviewed(tmp_path: Path, cell: str, changes: bool, blank: bool) -> None:
    put(tmp_path / "ada" / MODULE, BLANK if blank else WHOLE)
    put(tmp_path / "ada" / "cvae.ipynb", notebook_of("import torch\n", f"# cs5814_vae\n{cell}"))
    put(tmp_path / "ada" / "given.ipynb", (CVAE.root / CVAE.notebook).read_bytes())
    (row,) = read(tmp_path).submitted
    assert not any("`given.ipynb`" in said for said in row.attention)
    assert any("`cvae.ipynb`" in said for said in row.attention) is changes


@pytest.mark.parametrize("blank", BLANKS)
def test_an_untouched_file_that_came_later_is_reviewed(tmp_path: Path, blank: str) -> None:
    for student, numbers in (("ada_11", (901, 955)), ("bob_12", (956, 902))):
        put(tmp_path / f"l{student}_{numbers[0]}_{MODULE}", WRITTEN)
        put(tmp_path / f"l{student}_{numbers[1]}_cs5814_vae-1.py", BLANKS[blank])
    both = rows(tmp_path)
    assert both["lada_11"].source == both["lbob_12"].source == WRITTEN
    assert "`lada_11_955_cs5814_vae-1.py`: empty or still the handout" in both["lada_11"].attention[0]
    assert both["lbob_12"].attention == ()


@pytest.mark.parametrize("copy", ["", " 1", " (1)"])
def test_a_copy_of_what_was_handed_in_again_is_the_last(tmp_path: Path, copy: str) -> None:
    """OneDrive and browsers rename files where there is one of that name."""
    put(tmp_path / f"lada_11_901_cs5814_vae{copy}.py", WRITTEN)
    put(tmp_path / f"lada_11_955_cs5814_vae-1{copy}.py", WHOLE)
    (row,) = read(tmp_path).submitted
    assert row.source == WHOLE


def test_what_is_empty_is_told_so(tmp_path: Path) -> None:
    assert find_module(put(tmp_path / MODULE, b""), CVAE).notes == (f"`{tmp_path / MODULE}` is empty",)
    put(tmp_path / "class" / "ada" / MODULE, b"\n")
    (row,) = read(tmp_path / "class").submitted
    assert row.notes == (f"`{MODULE}` is empty",)


def test_an_archive_needs_no_suffix(tmp_path: Path) -> None:
    assert find_module(put(tmp_path / "handin", zip_of((MODULE, WRITTEN))), CVAE).source == WRITTEN
    assert find_module(put(tmp_path / "module", WRITTEN), CVAE).source == WRITTEN


@given(st.permutations([901, 955]), st.sampled_from(["cs5814_vae.py", "vae.py", "hw3.zip"]))
@settings(max_examples=12)
def test_canvas_numbers_tell_what_came_later(numbers: list[int], name: str) -> None:
    """Two downloads unpacked into one folder: under the same name the higher number counts, under another one staff."""
    sources = [WHOLE, WHOLE + b"x = 2\n"]
    files = [zip_of((MODULE, each)) if name == "hw3.zip" else each for each in sources]
    with TemporaryDirectory() as temporary:
        for number, content in zip(numbers, files, strict=True):
            put(Path(temporary) / "same" / f"lada_11_{number}_{name}", content)
        (row,) = read(Path(temporary) / "same").submitted
        assert (row.source, row.attention) == (sources[numbers.index(955)], ())
        put(Path(temporary) / "other" / f"lada_11_{numbers[0]}_{MODULE}", sources[0])
        put(Path(temporary) / "other" / f"lada_11_{numbers[1]}_my_{name}", files[1])
        (row,) = read(Path(temporary) / "other").submitted
        assert row.source == sources[0]
        assert ("which was handed in later" in row.attention[0]) is (numbers[1] == 955)


@pytest.mark.parametrize("packed", [False, True])
def test_code_in_a_notebook_alone_is_reviewed(tmp_path: Path, packed: bool) -> None:
    cell = {"cell_type": "code", "source": [f"%%writefile {MODULE}\n", WRITTEN.decode()]}
    notebook = json.dumps({"cells": [cell]}).encode()
    for student, files in (
        ("ada", {MODULE: BLANK, "cvae.ipynb": notebook}),
        ("bob", {MODULE: BLANK, "cvae.ipynb": (CVAE.root / CVAE.notebook).read_bytes()}),
    ):
        upload = tmp_path / f"of {student}"  # of both together, most would have handed in the handout
        put(upload / f"{student}.zip", zip_of(*files.items())) if packed else None
        for name, content in () if packed else files.items():
            put(upload / student / name, content)
    ada, bob = rows(tmp_path / "of ada")["ada"], rows(tmp_path / "of bob")["bob"]
    assert "the code may be in `" in ada.attention[0]
    assert "cvae.ipynb`" in ada.attention[0]
    assert (bob.source, bob.attention) == (BLANK, ())


@pytest.mark.parametrize(
    "content",
    [
        b'{"url": "https://docs.google.com/open?id=1", "doc_id": "1"}',
        b"[InternetShortcut]\r\nURL=https://x.edu\r\n",
        b'<?xml version="1.0"?><plist version="1.0"><dict><key>URL</key><string>https://x.edu</string></dict></plist>',
    ],
)
def test_a_link_to_a_page_is_no_module(tmp_path: Path, content: bytes) -> None:
    put(tmp_path / "ada" / MODULE, content)
    (row,) = read(tmp_path).submitted
    assert row.source is None
    assert "is a link to a web page, not the file" in row.reason


@pytest.mark.parametrize("document", ["rubric.pdf", "Rubric.docx", "notes.txt", "figure.PNG"])
@pytest.mark.parametrize("known", [True, False])
def test_a_document_next_to_downloads_is_the_staffs(tmp_path: Path, document: str, known: bool) -> None:
    for section, students in (("section 001", ("ada_101", "bob_102")), ("section 002", ("cyli_103",))):
        files = ((f"{student}_9{student[-3:]}_{MODULE}", WRITTEN) for student in students)
        put(tmp_path / "u" / f"{section}.zip", zip_of(*files))
    put(tmp_path / "u" / document, b"x")
    roster = read_roster(put(tmp_path / "r.csv", b"id,name\n101,Ada\n102,Bob\n103,Cy Li\n")) if known else None
    upload = read(tmp_path / "u", roster=roster)
    assert len(upload.submitted) == 3
    assert {row.source for row in upload.submitted} == {WRITTEN}
    assert upload.aside == [document]


def test_a_document_next_to_students_is_a_students(tmp_path: Path) -> None:
    put(tmp_path / "ada" / MODULE, WRITTEN)
    put(tmp_path / "bob.pdf", b"%PDF")
    assert sources(tmp_path) == {"ada": WRITTEN, "bob": None}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_packed_twice_is_named_once(tmp_path: Path) -> None:
    put(tmp_path / "ada.zip", zip_of((MODULE, WRITTEN), (MODULE, WHOLE)))
    (row,) = read(tmp_path).submitted
    assert f"/{MODULE}` is in ada.zip more than once, and the copies differ" in row.reason


# --- attempts, and other assignments ---------------------------------------------------------------------------------


@given(
    st.sampled_from(["attempt-", "Version ", "v", "submission_", "Draft"]),
    st.sampled_from(["", "HW3 part 3/", "a/b/"]),
    st.sets(st.integers(0, 30), min_size=1, max_size=4),
)
@settings(max_examples=30)
def test_numbered_folders_are_attempts_at_any_depth(word: str, above: str, numbers: set[int]) -> None:
    with TemporaryDirectory() as temporary:
        for number in numbers:
            put(Path(temporary) / "ada" / f"{above}{word}{number}" / MODULE, b"x = %d" % number)
        put(Path(temporary) / "bob" / MODULE, WRITTEN)
        row = rows(Path(temporary))["ada"]
        assert row.source == b"x = %d" % max(numbers)
        assert any("attempts counts" in note for note in row.notes) == (len(numbers) > 1)


@pytest.mark.parametrize("packed", ["", ".zip", ".tar"])
def test_an_empty_last_attempt_is_the_last(tmp_path: Path, packed: str) -> None:
    put(tmp_path / "ada" / "Version 1" / MODULE, WRITTEN)
    (tmp_path / "ada" / "Version 2").mkdir()
    if packed:
        shutil.make_archive(str(tmp_path / "ada"), packed.removeprefix("."), tmp_path / "ada")
        shutil.rmtree(tmp_path / "ada")
    (row,) = read(tmp_path).submitted
    assert row.source is None
    assert "an earlier attempt has `" in row.reason


@given(
    st.dictionaries(
        st.sampled_from(["ada", "bob", "eve"]),
        st.sets(st.sampled_from([CVAE.kit, "hw4", f"{CVAE.kit}-regrade", "ps1"]), min_size=1),
        min_size=1,
    ).filter(lambda course: any(CVAE.kit in names for names in course.values())),
    st.booleans(),
)
@settings(max_examples=40)
def test_of_nbgraders_folders_one_assignment_counts(course: dict[str, set[str]], packed: bool) -> None:
    with TemporaryDirectory() as temporary:
        files = {f"{student}/{name}/{MODULE}": name.encode() for student, names in course.items() for name in names}
        path = Path(temporary) / "submitted"
        for name, content in files.items():
            put(path / name, content)
        if packed:
            path = put(path.with_suffix(".zip"), zip_of(*files.items()))
        found = rows(path)
        assert {student: row.source for student, row in found.items()} == {
            student: CVAE.kit.encode() if CVAE.kit in names else None for student, names in course.items()
        }
        assert all("another assignment's folder" in row.reason for row in found.values() if row.source is None)


@given(
    st.dictionaries(
        st.sampled_from(["ada", "bob", "eve"]),
        st.sampled_from(
            [CVAE.kit, CVAE.kit.upper(), CVAE.kit.replace("-", "_"), CVAE.kit.replace("-", ""), "hw2", "ps1"]
        ),
        min_size=1,
    )
)
@settings(max_examples=60, deadline=None)
def test_an_assignments_name_is_spelled_in_many_ways(course: dict[str, str]) -> None:
    """What is in a folder with another spelling of the name is graded, and what was guessed is said."""
    ours = {name for name in course.values() if name not in ("hw2", "ps1")}
    with TemporaryDirectory() as temporary:
        for student, name in course.items():
            put(Path(temporary) / "submitted" / student / name / MODULE, name.encode())
        upload = read(Path(temporary) / "submitted")
    assert bool(upload.warnings) == (ours != {CVAE.kit})
    for row in upload.submitted:
        name = course[row.student]
        graded = name in ours or not ours
        assert row.source == (name.encode() if graded else None)
        assert bool(row.attention) == (graded and name != CVAE.kit and len({*course.values()}) > 1)


def test_a_class_by_hand_has_no_other_assignments(tmp_path: Path) -> None:
    put(tmp_path / "ada" / CVAE.kit / MODULE, WRITTEN)
    put(tmp_path / "bob" / "my work" / MODULE, WRITTEN)
    assert sources(tmp_path) == {"ada": WRITTEN, "bob": WRITTEN}


@pytest.mark.parametrize("ours", [CVAE.kit, "HW 3 part 3", "HW3_Part3"])
def test_the_assignments_folder_counts_and_is_reviewed(tmp_path: Path, ours: str) -> None:
    """With any separators between the words of its name, as in the folders of Teams."""
    for name in (ours, "HW 3 part 2"):
        put(tmp_path / "ada" / name / "Version 1" / MODULE, name.encode())
        put(tmp_path / "bob" / name.replace("HW 3 part 2", f"{ours} (1)") / MODULE, name.encode())
    both = rows(tmp_path)
    assert both["ada"].source == ours.encode()
    assert "since the assignment is called" in both["ada"].attention[0]
    assert both["bob"].source is None


# --- archives of a class ---------------------------------------------------------------------------------------------


@given(st.sampled_from(["/", "\\", "C:\\Users\\ta\\subs\\", "../", "../../subs/", "./", "//server/share/"]))
@settings(max_examples=20)
def test_a_prefix_of_all_names_loses_nobody(prefix: str) -> None:
    students = ["ada", "bob", "eve"]
    with TemporaryDirectory() as temporary:
        path = Path(temporary) / "class.zip"
        put(path, zip_of(*((f"{prefix}{each}\\{MODULE}", each.encode()) for each in students)))
        assert sources(path) == {each: each.encode() for each in students}
        roster = read_roster(put(Path(temporary) / "r.csv", b"id\nada\nbob\neve\ndan\n"))
        assert sources(path, roster=roster) == {**{each: each.encode() for each in students}, "dan": None}


@pytest.mark.parametrize("prefix", ["/", "\\", "../", "C:\\"])
def test_a_prefix_of_one_name_loses_nobody(tmp_path: Path, prefix: str) -> None:
    names = [f"{prefix}ada", "bob", "eve"]
    path = put(tmp_path / "class.zip", zip_of(*((f"{name}/{MODULE}", WRITTEN) for name in names)))
    assert sources(path) == {"ada": WRITTEN, "bob": WRITTEN, "eve": WRITTEN}


def zipped_wrongly(how: str, *names: str) -> bytes:
    """An archive of the class whose entries Python's zipfile cannot read, by the fields of APPNOTE 4.3.7 and 4.3.12."""
    data = bytearray(zip_of(*((name, WRITTEN * 9) for name in names)))
    for signature, flags, name in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        at = data.find(signature)
        while at >= 0:
            if how == "encrypted":
                data[at + flags] |= 1
            elif how == "Zstandard":
                data[at + flags + 2] = 93
            elif name == 30:
                data[at + name + data[at + 26] + 4] ^= 0xFF
            at = data.find(signature, at + 4)
    return bytes(data)


@pytest.mark.parametrize("how", ["encrypted", "Zstandard", "damaged"])
@pytest.mark.parametrize(
    "each", ["{0}_1{1}_90{1}_" + MODULE, "{0}/" + MODULE, "{0}/hw3/vae.py", "{0}_1{1}_90{1}_hw3.zip"]
)
def test_a_download_that_cannot_be_read_is_nobodys_fault(tmp_path: Path, how: str, each: str) -> None:
    names = (each.format(student, number) for number, student in enumerate(("adal", "bobk", "cyli")))
    put(tmp_path / "class.zip", zipped_wrongly(how, *names))
    found = read(tmp_path / "class.zip").submitted
    assert len(found) == 3
    assert all(row.unreadable and "class.zip" in row.reason for row in found)
    assert not any("Hand in" in row.reason or "Name your file" in row.reason for row in found)


@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("class.tar.gz", b"\x1f\x8b\x08", "Unpack it, and give the folder"),
        ("class.7z", SEVEN, "Unpack it, and give the folder"),
        ("class.zip", SEVEN, "Unpack it, and give the folder"),
        ("class.zip", zip_of((MODULE, WRITTEN))[:60], "damaged or incomplete"),
        ("class.zip", b"", "damaged or incomplete"),
        ("class.zip", b"\n<!DOCTYPE html><html>", "Log in and download it again"),
        ("class.csv", b"id\nada\n", "Give the folder or the zip archive"),
    ],
)
def test_what_is_no_download_is_told_with_the_remedy(tmp_path: Path, name: str, content: bytes, advice: str) -> None:
    with pytest.raises(NothingToGrade, match=advice):
        read(put(tmp_path / name, content))


def folder_entry(name: str, attributes: int = 0x10) -> tuple[zipfile.ZipInfo, bytes]:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = attributes
    return entry, b""


@pytest.mark.parametrize(
    "empty", [folder_entry("bob\\"), folder_entry("bob\\", 0), folder_entry("bob"), folder_entry("bob/", 0)]
)
def test_an_empty_folder_is_one_whoever_packed_it(tmp_path: Path, empty: tuple[zipfile.ZipInfo, bytes]) -> None:
    path = put(tmp_path / "class.zip", zip_of(empty, (f"ada\\{MODULE}", WRITTEN)))
    bob = rows(path)["bob"]
    assert (bob.nothing, bob.reason) == (True, "only an empty folder was handed in")
    roster = read_roster(put(tmp_path / "r.csv", b"id\nada\nbob\n"))
    assert rows(path, roster=roster)["bob"].nothing


def in_windows_encoding(name: str, encoding: str, known: str | None = None) -> zipfile.ZipInfo:
    """An entry as Info-ZIP and WinZip write it: its name, and in a field for it that of `known` in UTF-8."""
    raw = name.encode(encoding)

    class Entry(zipfile.ZipInfo):
        def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 (zipfile's)
            return raw, 0

    entry = Entry(raw.decode("cp437"))
    field = struct.pack("<BL", 1, zlib.crc32((known or name).encode(encoding))) + name.encode()
    entry.extra = struct.pack("<HH", 0x5455, 1) + b"\0" + struct.pack("<HH", 0x7075, len(field)) + field
    return entry


@given(
    st.sampled_from(["cp1252", "gbk", "cp437", "shift_jis", "koi8_r"]),
    st.lists(st.text(min_size=1, max_size=8), max_size=3),
)
@settings(max_examples=60)
def test_the_unicode_names_of_entries_are_read(encoding: str, names: list[str]) -> None:
    allowed = re.compile(r"[/\\\x00-\x1f:]")
    names = [allowed.sub("", name.encode(encoding, "ignore").decode(encoding)) for name in names]
    students = ["ada", *(f"s{number} {name}x" for number, name in enumerate(names))]
    with TemporaryDirectory() as temporary:
        (plain, coded) = (Path(temporary) / each for each in ("plain.zip", "coded.zip"))
        put(plain, zip_of(*((f"{each}/{MODULE}", WRITTEN) for each in students)))
        put(coded, zip_of(*((in_windows_encoding(f"{each}/{MODULE}", encoding), WRITTEN) for each in students)))
        assert sources(coded) == sources(plain)


def test_a_unicode_name_of_another_entry_is_ignored(tmp_path: Path) -> None:
    entry = in_windows_encoding(f"José/{MODULE}", "cp437", known=f"Eve/{MODULE}")
    entry.extra = entry.extra.replace("José".encode(), b"Mallo")
    assert sources(put(tmp_path / "class.zip", zip_of((entry, WRITTEN)))).keys() == {"José"}


def canvas(student: int) -> dict[str, bytes]:
    return {f"doeada_{student}_{900 + student}_{MODULE}": b"%d" % student}


def moodle(student: int) -> dict[str, bytes]:
    return {f"Ada Doe_{student}_assignsubmission_file/{MODULE}": b"%d" % student}


def blackboard(student: int) -> dict[str, bytes]:
    start = f"HW 3_ada{student}_attempt_2026-11-30-22-14-05"
    return {f"{start}_{MODULE}": b"%d" % student, f"{start}.txt": b"Name: x"}


def brightspace(student: int) -> dict[str, bytes]:
    return {f"{student}-21 - Ada Doe - Nov 30, 2026 1005 PM/{MODULE}": b"%d" % student, "index.html": b""}


def gradescope(student: int) -> dict[str, bytes]:
    return {f"submission_{student}/{MODULE}": b"%d" % student}


def metadata(students: set[int]) -> bytes:
    lines = "submission_{0}:\n  :submitters:\n  - :name: Ada\n    :sid: 'n{0}'\n  :created_at: 2026-11-30 22:00:00 Z\n"
    return ("---\n" + "".join(lines.format(each) for each in sorted(students))).encode()


def download(layout: object, students: set[int], name: str) -> dict[str, bytes]:
    files = {path: content for each in students for path, content in layout(each).items()}  # type: ignore[operator]
    if layout is gradescope:
        files["submission_metadata.yml"] = metadata(students)
        files = {f"{name}/{path}": content for path, content in files.items()}
    return files


parts = st.lists(st.sets(st.integers(11, 16), min_size=1), min_size=1, max_size=3)


@given(st.sampled_from([canvas, moodle, blackboard, brightspace, gradescope]), parts, st.booleans())
@settings(max_examples=60)
def test_several_downloads_are_the_class_of_all(layout: object, each: list[set[int]], packed: bool) -> None:
    with TemporaryDirectory() as temporary:
        together = Path(temporary) / "together" / "assignment_1_export.zip"
        put(together, zip_of(*download(layout, set.union(*each), "assignment_1_export").items()))
        for number, students in enumerate(each, 1):
            name = f"assignment_{number}_export"
            files = download(layout, students, name)
            if packed:
                put(Path(temporary) / "apart" / f"{name}.zip", zip_of(*files.items()))
            for path, content in () if packed else files.items():
                put(Path(temporary) / "apart" / (path if layout is gradescope else f"{name}/{path}"), content)
        apart = rows(Path(temporary) / "apart")
        expected = rows(together)
        assert {student: row.source for student, row in apart.items()} == {
            student: row.source for student, row in expected.items()
        }
        assert [row.notes for row in apart.values()] == [row.notes for row in expected.values()]


PEOPLE = {11: "Ann Lee", 12: "Bob Roe", 13: "Cy Kim", 14: "Dee Poe", 15: "Eve Sun", 16: "Fay Orr"}


def enrolled(folder: Path) -> Roster:
    lines = [f"n{each},{name},ada{each},{each},Participant {each}" for each, name in PEOPLE.items()]
    return read_roster(put(folder / "r.csv", "\n".join(["id,name,login,canvas id,identifier", *lines]).encode()))


def called(path: str) -> str:
    """The path with the name of the person whose number comes first in it."""
    number = re.search(r"(?<!\d)1[1-6](?!\d)", path)
    if number is None:
        return path
    given, family = PEOPLE[int(number[0])].split()
    return path.replace("Ada Doe", f"{given} {family}").replace("doeada", f"{family}{given}".lower())


@given(
    st.sampled_from([canvas, moodle, blackboard, brightspace, gradescope]),
    st.sets(st.sampled_from([*PEOPLE]), min_size=1),
    st.dictionaries(
        st.sampled_from([*PEOPLE]), st.sampled_from(["n{}/", "n{}/vae/", "n{}.zip", "ada{}.py"]), min_size=1
    ),
    st.sampled_from([".zip", ""]),
    st.sampled_from(["", "submissions/"]),
)
@settings(max_examples=80, deadline=None)
def test_others_next_to_a_download_are_in_its_class(
    layout: object, inside: set[int], loose: dict[int, str], packed: str, above: str
) -> None:
    """A late mail next to the zip of all: everyone has their own work, and who has two is reviewed."""
    with TemporaryDirectory() as temporary:
        upload, name = Path(temporary) / "u", "assignment_1_export"
        files = {called(above + path): content for path, content in download(layout, inside, name).items()}
        for each, where in loose.items():
            content = b"x = %d" % each
            place = upload / where.format(each)
            put(
                place / MODULE if where.endswith("/") else place,
                zip_of((MODULE, content)) if ".zip" in where else content,
            )
        if packed:
            put(upload / f"{name}.zip", zip_of(*files.items()))
        for path, content in () if packed else files.items():
            put(upload / (path if layout is gradescope and not above else f"{name}/{path}"), content)
        found = read(upload, roster=enrolled(Path(temporary)))
    assert len(found.warnings) >= 1, "that it was read as a class is said"
    assert all(row.attention for row in found.submitted if row.unlisted)
    listed = [row for row in found.submitted if not row.unlisted]
    assert len(listed) == len(PEOPLE)
    for row in listed:
        number = int(row.student[1:])
        if number in inside and number in loose:
            assert row.attention or row.source is None
        else:
            there = {b"%d" % number: number in inside, b"x = %d" % number: number in loose}
            assert [row.source] * any(there.values()) == [content for content, is_there in there.items() if is_there]
        assert row.nothing == (number not in inside and number not in loose)


@given(
    st.dictionaries(st.sampled_from([*PEOPLE]), st.sampled_from(["", "Section A", "Section B", "late by mail"])),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_no_one_of_the_roster_is_lost_in_a_folder(where: dict[int, str], packed: bool) -> None:
    """Of each student, the work is graded, or the folder that may hold it is named."""
    with TemporaryDirectory() as temporary:
        upload = Path(temporary) / "u"
        put(upload / "n17" / MODULE, WRITTEN)
        for folder in {*where.values()}:
            files = {f"n{each}/{MODULE}": b"x = %d" % each for each, there in where.items() if there == folder}
            if packed and folder:
                put(upload / f"{folder}.zip", zip_of(*files.items()))
            for path, content in () if packed and folder else files.items():
                put(upload / folder / path, content)
        lines = ["id,name", "n17,Gil Fox", *(f"n{each},{name}" for each, name in PEOPLE.items())]
        roster = read_roster(put(Path(temporary) / "r.csv", "\n".join(lines).encode()))
        found = rows(upload, roster=roster)
    for each in PEOPLE:
        row, above = found[f"n{each}"], where.get(each)
        assert row.nothing == (above is None)
        if above and sum(there == above for there in where.values()) == 1:
            assert row.unreadable
            assert f"`{above}" in row.reason
        else:
            assert row.source == (None if above is None else b"x = %d" % each)


@pytest.mark.parametrize(
    "name", ["hw3_ada.txt", "cs5814_vae_ada", "Ada hw3.md", "ada.HTML", "123+456_file1_submission1"]
)
@pytest.mark.parametrize("packed", [True, False])
def test_a_loose_file_with_code_is_a_students(tmp_path: Path, name: str, packed: bool) -> None:
    files = [(f"doebob_12_902_{MODULE}", WRITTEN), (name, WHOLE), ("list.txt", b"ada"), (f"{name}.log", BLANK)]
    for path, content in files[1:] if packed else files:
        put(tmp_path / "u" / path, content)
    if packed:
        put(tmp_path / "u" / "submissions.zip", zip_of(*files[:1]))
    upload = read(tmp_path / "u")
    ours, theirs = sorted(upload.submitted, key=lambda row: row.source is not None)
    assert theirs.student == "doebob_12"
    assert not ours.nothing
    assert f"but `{name}`" in ours.reason
    assert upload.aside == [f"{name}.log", "list.txt"]


ATTEMPTS = {
    "cs5814_vae.py": True,
    "cs5814_vae-1.py": True,
    "final.py": True,
    "handin.zip": True,
    "cvae.ipynb": False,
    "text.html": False,
    "notes.zip": False,
    "cs5814_vae-2.py": False,  # as handed out
}


@given(
    st.lists(st.sampled_from(list(ATTEMPTS)), min_size=2, max_size=3),
    st.permutations([30, 41, 52]),
    st.permutations(["LATE_", "", ""]),
    st.booleans(),
)
@settings(max_examples=80)
def test_canvas_newest_download_counts(names: list[str], numbers: list[int], late: list[str], packed: bool) -> None:
    """Each download has only a student's last attempt, under any file name."""
    codes = [WRITTEN + b"x = %d\n" % number for number in numbers]
    with TemporaryDirectory() as temporary:
        for name, number, mark, code in zip(names, numbers, late, codes, strict=False):
            inner = MODULE if ATTEMPTS[name] else "notes.txt"
            content = zip_of((inner, code)) if name.endswith(".zip") else code if ATTEMPTS[name] else BLANK
            file, other = f"lovelaceada_{mark}11_{number}_{name}", f"doebob_12_{60 + number}_{MODULE}"
            folder = Path(temporary) / "u" / f"submissions {number}"
            if packed:
                put(folder.with_suffix(".zip"), zip_of((file, content), (other, WRITTEN)))
            else:
                put(folder / file, content)
                put(folder / other, WRITTEN)
        row = rows(Path(temporary) / "u")["lovelaceada_11"]
    attempts = sorted(zip(numbers, names, late, codes, strict=False), reverse=True)
    _, last, mark, code = attempts[0]
    assert row.late is bool(mark)
    if ATTEMPTS[last]:
        assert (row.source, row.attention) == (code, ())
        assert "not what was handed in before" in row.notes[-1]
    elif any(ATTEMPTS[name] for _, name, _, _ in attempts):
        assert row.source is None or last in row.attention[-1], "no module of an earlier attempt counts silently"


ATTEMPT = [(f"lovelaceada_11_30_{MODULE}", WRITTEN), ("lovelaceada_11_31_cvae.ipynb", b"{}")]


def test_what_both_downloads_have_is_one_attempt(tmp_path: Path) -> None:
    for number in "12":
        put(tmp_path / f"{number}.zip", zip_of(*ATTEMPT))
    row = rows(tmp_path)["lovelaceada_11"]
    assert (row.source, row.notes, row.attention) == (WRITTEN, (), ())


def test_google_drives_parts_are_one_download(tmp_path: Path) -> None:
    for number, (name, content) in enumerate(ATTEMPT, 1):
        put(tmp_path / f"hw3-20261201T080000Z-1-00{number}.zip", zip_of((f"hw3/{name}", content)))
    row = rows(tmp_path)["lovelaceada_11"]
    assert (row.source, row.notes, row.attention) == (WRITTEN, (), ())


def test_different_files_of_two_downloads_are_told_apart(tmp_path: Path) -> None:
    for name, content in (("m1.zip", b"x = 1"), ("m2.zip", b"x = 2")):
        put(tmp_path / name, zip_of((f"Ada L_11_assignsubmission_file/{MODULE}", content), *moodle_of_bob()))
    row = rows(tmp_path)["Ada L_11"]
    assert row.source is None
    assert "(in m1.zip)" in row.reason
    assert "(in m2.zip)" in row.reason


def moodle_of_bob() -> list[tuple[str, bytes]]:
    return [(f"Bob K_12_assignsubmission_file/{MODULE}", WRITTEN)]


def test_exports_next_to_others_make_no_students_of_theirs(tmp_path: Path) -> None:
    put(tmp_path / "mallory.zip", zip_of(*download(gradescope, {11, 12}, "x").items()))
    put(tmp_path / "ada.zip", zip_of((MODULE, WRITTEN)))
    assert rows(tmp_path).keys() == {"mallory", "ada"}


def test_downloads_of_gradescope_and_another_platform_are_named(tmp_path: Path) -> None:
    put(tmp_path / "export.zip", zip_of(*download(gradescope, {11, 12}, "x").items()))
    put(tmp_path / "moodle.zip", zip_of(*moodle_of_bob()))
    with pytest.raises(NothingToGrade, match=r"`export\.zip` is Gradescope's export, and `moodle\.zip` is"):
        rows(tmp_path)


@pytest.mark.parametrize("above", ["", "CS 5814 - Student Work/"])
def test_the_submitted_files_in_teams_count(tmp_path: Path, above: str) -> None:
    files = {
        f"{above}Submitted files/Ada/HW 3/Version 1/{MODULE}": b"x = 1\n",
        f"{above}Submitted files/Ada/HW 3/Version 2/{MODULE}": WRITTEN,
        f"{above}Working files/Ada/HW 3/{MODULE}": WHOLE,
        f"{above}Working files/Bob/HW 3/{MODULE}": WHOLE,
        f"{above}Working files/Eve/HW 3/{MODULE}": WHOLE,
        f"{above}Submitted files/Eve/HW 3/": b"",
    }
    upload = read(put(tmp_path / "class.zip", zip_of(*files.items())))
    ada, bob, eve = upload.submitted
    assert (ada.student, ada.source) == ("Ada", WRITTEN)
    assert (bob.student, bob.source, eve.student, eve.source) == ("Bob", None, "Eve", None)
    for row in (bob, eve):
        assert "is in `Working files`: it was not handed in" in row.reason
    assert "without `Working files`" in upload.warnings[0]


@pytest.mark.parametrize("name", ["eve.py", f"eve/{MODULE}", "eve.zip"])
@pytest.mark.parametrize("layout", ["Teams", "Gradescope"])
def test_others_next_to_an_unpacked_download_have_rows(tmp_path: Path, name: str, layout: str) -> None:
    files = {f"Submitted files/Ada/HW 3/{MODULE}": WHOLE, f"Working files/Bob/HW 3/{MODULE}": WHOLE}
    if layout == "Gradescope":
        files = {"submission_metadata.yml": metadata({11, 12}), **gradescope(11), **gradescope(12)}
    content = zip_of((MODULE, WRITTEN)) if name.endswith(".zip") else WRITTEN
    for path, written in {**files, name: content, "rubric.pdf": b"%PDF"}.items():
        put(tmp_path / path, written)
    upload = read(tmp_path)
    assert {row.student for row in upload.submitted} - {"n11", "n12", "Ada", "Bob"} == {"eve"}
    assert next(row for row in upload.submitted if row.student == "eve").source == WRITTEN
    assert upload.aside == ["rubric.pdf"]


def test_google_drives_parts_are_one_class(tmp_path: Path) -> None:
    parts = {"001": (f"ada/{MODULE}", f"bob/{MODULE}"), "002": ("bob/report.pdf", f"eve/{MODULE}")}
    for number, names in parts.items():
        files = ((f"HW3/{name}", WRITTEN) for name in names)
        put(tmp_path / f"HW3-20261201T120000Z-{number}.zip", zip_of(*files))
    assert sources(tmp_path) == {"ada": WRITTEN, "bob": WRITTEN, "eve": WRITTEN}


@given(st.dictionaries(st.sampled_from("abcd"), st.sets(st.integers(0, 2), min_size=1), min_size=1), st.booleans())
@settings(max_examples=40)
def test_what_was_selected_in_google_drive_is_one_class(people: dict[str, set[int]], loose: bool) -> None:
    """Drive names what it packs `drive-download` then, and nobody is called so."""
    with TemporaryDirectory() as temporary:
        upload = Path(temporary) / "u"
        for part in set.union(*people.values()):
            files = [(f"{each}/{MODULE}", each.encode()) for each in people if part == min(people[each])]
            files += [(f"{each}/figure {part}.png", b"") for each in people if part in people[each]]
            packed = zip_of(*files, *[("notes.txt", b"")] * loose)
            put(upload / f"drive-download-20261201T080000Z-{part + 1:03}.zip", packed)
        assert sources(upload) == {each: each.encode() for each in people}


@given(
    st.dictionaries(st.sampled_from(["Jane Doe", "Bob Ray", "Li Wang", "Eve Fox"]), st.integers(1, 3), min_size=3),
    st.sampled_from(["{} - cs5814_vae.py", "{}/cs5814_vae.py"]),
    st.sampled_from(["", "HW 3/"]),
)
@settings(max_examples=40)
def test_a_folder_in_several_parts_is_one_class(people: dict[str, int], form: str, above: str) -> None:
    """What Google Drive packs in parts is read as if it were one archive, wherever each student's file went."""
    with TemporaryDirectory() as temporary:
        listed = Path(temporary) / "roster.csv"
        listed.write_text("id,name\n" + "".join(f"{name[:2]}99,{name}\n" for name in people))
        for part in {*people.values()}:
            there = [name for name in people if people[name] == part]
            files = [(f"HW 3 part 3/{above}{form.format(name)}", name.encode()) for name in there]
            put(Path(temporary) / "u" / f"drive-download-20261201T100000Z-{part:03}.zip", zip_of(*files))
        upload = read(Path(temporary) / "u", roster=read_roster(listed))
    assert {row.name: row.source for row in upload.submitted} == {name: name.encode() for name in people}


SECTIONS = {
    "zips": {"A.zip": ["ada/x.py", "bob/x.py"], "B.zip": ["cy/x.py", "dan/notes.txt"]},
    "folders": {"A": ["ada/x.py", "bob/cvae.ipynb"], "B": ["cy/x.py", "dan/y.txt", "eve/y.txt"]},
    "zips in folders": {"A": ["ada.zip", "bob.zip"], "B": ["cy.zip", "dan.zip"]},
    "Teams": {"Submitted files": ["Ada/hw3/x.py", "Bob/hw3/Version 1/x.py", "Bob/hw3/Version 2/cvae.ipynb"]},
    "late and in time": {"late.zip": ["ada/hw3/x.py", "bob/hw3/x.py"], "on time.zip": ["cy/hw3/x.py", "dan/y.txt"]},
}
STUDENTS = {
    "the same folders": {"ada": ["code/x.py", "figures/a.png"], "bob": ["code/x.py", "data/a.bin"]},
    "one folder": {"ada": ["code/x.py"], "bob": ["src/x.py", "figures/a.png"]},
    "loose files": {"ada": ["x.py", "one/a", "two/a"], "bob.zip": ["x.py", "three/a", "four/a"]},
    "attempts": {"ada": ["attempt-1/x.py", "attempt-2/x.py"], "bob": ["version1/x.py", "version2/x.py"]},
    "assignments": {"ada": [f"{CVAE.kit}/x.py", "hw1/x.py"], "bob": ["hw2/x.py", "hw4/x.py"]},
}


@pytest.mark.parametrize("case", [*SECTIONS, *STUDENTS])
def test_a_class_read_as_one_student_is_reviewed(tmp_path: Path, case: str) -> None:
    entries = SECTIONS.get(case) or STUDENTS[case]
    for entry, names in entries.items():
        files = [(name, zip_of(("x.py", WRITTEN)) if name.endswith(".zip") else WRITTEN) for name in names]
        if entry.endswith(".zip"):
            put(tmp_path / entry, zip_of(*files))
        for name, content in files if not entry.endswith(".zip") else ():
            put(tmp_path / entry / name, content)
    upload = read(tmp_path)
    doubted = [any("read as one student's" in said for said in row.attention) for row in upload.submitted]
    assert doubted == [case in SECTIONS] * len(entries)
    assert len(upload.warnings) == sum(doubted)
    known = "\n".join(["id", *(entry.removesuffix(".zip") for entry in entries)])
    roster = put(tmp_path.parent / f"{tmp_path.name}.csv", known.encode())
    assert not any("read as one student's" in said for said in read(tmp_path, roster=read_roster(roster)).warnings)


@pytest.mark.parametrize("name", ["submissions.tar.gz", "class.tgz", "all.rar", "hw3.7z", "submissions.tar"])
def test_an_archive_alone_may_hold_a_class(tmp_path: Path, name: str) -> None:
    put(tmp_path / "u" / name, b"of no format")
    put(tmp_path / "u" / "rubric.pdf", b"")
    assert "run the command on what is in it" in read(tmp_path / "u").warnings[0]
    roster = put(tmp_path / "roster.csv", b"id\nada\n")
    with pytest.raises(NothingToGrade, match=f"If `{name}` holds a class"):
        read(tmp_path / "u", roster=read_roster(roster))


@pytest.mark.parametrize("name", ["handin.rar", "ada_work.zip", "cs5814_vae.py"])
def test_a_name_at_the_start_of_a_reason_keeps_its_case(name: str) -> None:
    report = nothing(CVAE, f"{name} cannot be read")
    assert report.error == f"{name} cannot be read."
    assert nothing(CVAE, "only an empty folder was handed in").error == "Only an empty folder was handed in."


@given(*[st.text("\\xu20aeé\u202e\udc80\n", max_size=9)] * 2)
@settings(max_examples=300)
def test_names_that_are_shown_stay_different(name: str, other: str) -> None:
    assert (shown(name) == shown(other)) is (name == other)
    assert shown(f"DOMAIN\\{name}".rstrip("\\")).isprintable()


@pytest.mark.parametrize("login", ["DOMAIN\\ada", "DOMAIN\\xavier", "DOMAIN\\émile", "a\\"])
def test_a_login_with_a_backslash_is_written_as_it_is(login: str) -> None:
    assert shown(login) == login
