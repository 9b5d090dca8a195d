"""Who handed in what, in each layout that a course may have, and which attempt counts."""

import zipfile
from pathlib import Path

import pytest

from autograder.grading import NothingToGrade
from autograder.submissions import MAX_DOWNLOAD_ENTRIES, find_submissions


def put(file: Path, text: str = "x = 1\n") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("work/cs5814_vae.py", text)
    else:
        file.write_text(text, "utf-8")
    return file


def found(path: Path) -> dict[str, str | None]:
    return {each.student: each.source.decode() if each.source is not None else None for each in find_submissions(path)}


def test_a_folder_or_an_archive_for_each_student(tmp_path: Path) -> None:
    put(tmp_path / "ada" / "hw3" / "cs5814_vae.py", "ada")
    put(tmp_path / "bob.zip", "bob")
    put(tmp_path / "eve" / "upload.zip", "eve")
    put(tmp_path / "notes.txt")
    assert found(tmp_path) == {"ada": "ada", "bob": "bob", "eve": "eve"}


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
    assert found(download) == {"doejane": "new", "roerichard": "late"}


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
    expected = {"7": "new", "b@x.edu": "pair", "Eve": "pair"}
    assert found(tmp_path) == found(export) == expected


def test_who_handed_in_no_module_is_told_why(tmp_path: Path) -> None:
    put(tmp_path / "ada" / "cvae.ipynb")
    put(tmp_path / "bob.zip").write_bytes(b"not a zip")
    reasons = {each.student: each.reason for each in find_submissions(tmp_path)}
    assert "no cs5814_vae.py in what was handed in" in reasons["ada"]
    assert "cannot be read as a zip archive" in reasons["bob"]


def test_links_lead_nowhere(tmp_path: Path) -> None:
    secret = put(tmp_path / "secret" / "cs5814_vae.py", "secret")
    submitted = tmp_path / "submitted"
    (submitted / "mallory").mkdir(parents=True)
    (submitted / "mallory" / "cs5814_vae.py").symlink_to(secret)
    (submitted / "mallet").symlink_to(secret.parent)
    assert found(submitted) == {"mallory": None}


@pytest.mark.parametrize("make", ["missing", "empty", "bomb", "text"])
def test_nobody_to_grade(tmp_path: Path, make: str) -> None:
    path = tmp_path / "class.zip"
    if make == "empty":
        path.mkdir()
    elif make == "text":
        path.write_text("hello")
    elif make == "bomb":
        with zipfile.ZipFile(path, "w") as archive:
            for index in range(MAX_DOWNLOAD_ENTRIES + 1):
                archive.writestr(str(index), "")
    with pytest.raises(NothingToGrade):
        find_submissions(path)
