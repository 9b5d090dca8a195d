"""Who handed in what, in each layout that a course may have, and which attempt counts."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.sandbox.confine import remove_contents
from autograder.sandbox.limits import LIMITS
from autograder.submissions.find import NothingToGrade, find_module
from autograder.submissions.layouts import Submitted, Upload, read_upload


def put(file: Path, text: str = "x = 1\n") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("work/cs5814_vae.py", text)
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
        (lambda file: archive(file, (MODULE[0], bytes(1 << 22)), method=zipfile.ZIP_BZIP2), "another method"),  # a bomb
        (lambda file: archive(file, MODULE, method=zipfile.ZIP_LZMA), "another method"),
        (lambda file: damaged(archive(file, MODULE)), "cannot be read"),
        (lambda file: archive(file, link("cs5814_vae.py", "/etc/passwd")), "symbolic link"),
        (lambda file: archive(file, ("cs5814_vae.py/", b"")), "there is no"),
        (lambda file: archive(file, ("a/cs5814_vae.py", b""), ("b/cs5814_vae.py", b"")), "more than one"),
        (lambda file: archive(file, *((f"{number}/x", b"") for number in range(3000)), MODULE), "3001 files"),
        (lambda file: archive(file, ("inner.zip", archive(file, MODULE).read_bytes())), "within an archive"),
    ],
)
def test_archives_that_hold_no_module_say_why(tmp_path: Path, make: Callable[[Path], Path], reason: str) -> None:
    with pytest.raises(NothingToGrade, match=reason):
        find_module(make(tmp_path / "upload.zip"), CVAE.module)


@pytest.mark.parametrize(
    "name", ["hw3\\cs5814_vae.py", "../../cs5814_vae.py", "/etc/cs5814_vae.py", "C:\\cs5814_vae.py"]
)
def test_a_module_under_any_path_is_read_and_never_written(tmp_path: Path, name: str) -> None:
    file = archive(tmp_path / "UPLOAD.ZIP", (name, MODULE[1]))
    assert find_module(file, CVAE.module)[1] == MODULE[1]
    assert [each.name for each in tmp_path.iterdir()] == ["UPLOAD.ZIP"]


def test_a_bomb_is_read_no_further_than_a_module_may_be_long(tmp_path: Path) -> None:
    file = archive(tmp_path / "upload.zip", ("cs5814_vae.py", bytes(50 << 20)))
    assert len(find_module(file, CVAE.module)[1]) == LIMITS.source + 1


def test_a_folder_without_end_has_no_module(tmp_path: Path) -> None:
    here = os.getcwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1200):
            os.mkdir("d")
            os.chdir("d")
        with pytest.raises(NothingToGrade, match="there is no"):
            find_module(tmp_path, CVAE.module)
    finally:
        os.chdir(here)
        remove_contents(tmp_path)


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
    assert found(file) == {"ada": "ada", "bob": "bob", "eve": None, "mallory": None}
    assert read(file).aside == ["outside/cs5814_vae.py (its path leads out of the archive)"]
    assert [each.name for each in tmp_path.iterdir()] == ["class.zip"]


@pytest.mark.parametrize("make", ["missing", "empty", "text"])
def test_nobody_to_grade(tmp_path: Path, make: str) -> None:
    path = tmp_path / "class.zip"
    if make == "empty":
        path.mkdir()
    elif make == "text":
        path.write_text("hello")
    with pytest.raises(NothingToGrade):
        read(path)
