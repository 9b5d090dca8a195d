"""The students' kit: complete, the same each time, and free of what students must not see."""

import re
import zipfile
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
import yaml

from autograder.assignments.cvae import assignment
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.kit import data
from autograder.authoring import kit as release
from autograder.fill_in import fill_in

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release.build_kit(CVAE, tmp_path_factory.mktemp("release"), data=data(40, 20))


@pytest.fixture(scope="module")
def folder(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked kit."""
    target = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(kit) as archive:
        archive.extractall(target)
    return target / CVAE.kit


def test_holds_what_a_student_needs(folder: Path) -> None:
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {
        "README.md",
        "check_tools.py",
        "cs5814_vae.py",
        "cvae.ipynb",
        "cvae_helpers.py",
        "environment.yml",
        "hints.json",
        "public_checks.py",
        *(
            f"digits/MNIST/raw/{split}-{kind}-ubyte"
            for split in ("train", "t10k")
            for kind in ("images-idx3", "labels-idx1")
        ),
    }
    assert (folder / assignment.MODULE).read_text("utf-8") == fill_in(CVAE)
    assert nbformat.read(folder / "cvae.ipynb", 4) == nbformat.read(ROOT / "notebooks" / "cvae.ipynb", 4)


def test_names_are_portable(kit: Path) -> None:
    with zipfile.ZipFile(kit) as archive:
        for name in archive.namelist():
            assert re.fullmatch(r"hw3-part3(/[A-Za-z0-9_.-]+)+", name)


def test_holds_neither_solution_nor_hidden_checks(folder: Path) -> None:
    solved = set(CVAE.solution.read_text("utf-8").splitlines()) - set(fill_in(CVAE).splitlines())
    secrets = {line.strip() for line in solved if len(line.strip()) > len("nn.ReLU(),")}
    assert len(secrets) > 15
    hidden = {path.name for path in (ROOT / "autograder" / "assignments" / "cvae" / "checks").glob("test_*.py")}
    for path in folder.rglob("*"):
        assert path.name not in hidden
        if path.suffix in {".py", ".ipynb", ".md", ".yml", ".json"}:
            text = path.read_text("utf-8")
            assert "SOLUTION" not in text
            assert "autograder.assignments.cvae.checks" not in text
            assert not [secret for secret in secrets if secret in text]


def test_same_sources_give_the_same_bytes(kit: Path, tmp_path: Path) -> None:
    assert release.build_kit(CVAE, tmp_path, data=data(40, 20)).read_bytes() == kit.read_bytes()


def test_no_file_is_dated_before_the_course(kit: Path) -> None:
    with zipfile.ZipFile(kit) as archive:
        assert min(entry.date_time for entry in archive.infolist()) > (2025, 1, 1)


def test_digits_are_read_by_torchvision(folder: Path) -> None:
    torchvision = pytest.importorskip("torchvision")
    assert len(torchvision.datasets.MNIST(folder / "digits", train=True)) == 40
    assert len(torchvision.datasets.MNIST(folder / "digits", train=False)) == 20


def test_outside_of_a_checkout_says_where_to_build(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="in a checkout of the course's repository"):
        release.build_kit(replace(CVAE, root=tmp_path), tmp_path)


def test_environment_and_instructions_pin_what_the_course_pins(folder: Path) -> None:
    constraints = (ROOT / "constraints.txt").read_text("utf-8")
    pins = re.findall(r"^(torch(?:vision)?==\S+)", constraints, re.MULTILINE)
    assert len(pins) == 2
    packages = yaml.safe_load((folder / "environment.yml").read_text("utf-8"))["dependencies"][-1]["pip"]
    assert set(pins) <= set(packages)
    assert f"pip install {' '.join(packages)}" in (folder / "README.md").read_text("utf-8")


def test_the_oldest_torch_promised_is_the_one_tried(folder: Path) -> None:
    promised = re.search(r"any PyTorch from ([\d.]+) on", (folder / "README.md").read_text("utf-8"))
    assert promised is not None
    assert f" torch=={promised[1]} " in (ROOT / "Makefile").read_text("utf-8")


def test_points_in_the_instructions_are_those_of_the_assignment(folder: Path) -> None:
    rows = re.findall(r"^\|[^|]+\| (\d+) \|$", (folder / "README.md").read_text("utf-8"), re.MULTILINE)
    assert [int(points) for points in rows] == [*(p.points for p in assignment.PARTS), assignment.VISUALIZATION_POINTS]
