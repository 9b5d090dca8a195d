"""The engine names no assignment and imports none, and `load` finds an assignment wherever it lies."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograder
from autograder.assignment import NoSuchAssignment, load

PACKAGE = Path(autograder.__file__).parent
ENGINE = [
    path
    for path in sorted(PACKAGE.rglob("*"))
    if path.is_file() and "__pycache__" not in path.parts and PACKAGE / "assignments" not in path.parents
]
OF_THE_FIRST_ASSIGNMENT = re.compile(
    r"(?<![a-z])(sample_latent|loss_function|(auto)?encoders?|decoders?|latents?|latent_dimensionality|vaes?|cvae|cs5814"
    r"|mnist|digits?|input_dim|num_categories|hidden_size|mean_layer|logvariance_layer)(?![a-z])"
)


def words(text: str) -> str:
    """`text` in small letters, with CamelCase taken apart."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text).lower()


@pytest.mark.parametrize("file", ENGINE, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_no_file_of_the_engine_names_an_assignment(file: Path) -> None:
    text = words(f"{file.relative_to(PACKAGE)}\n{file.read_text('utf-8')}")
    assert [found[0] for found in OF_THE_FIRST_ASSIGNMENT.finditer(text)] == []


@pytest.mark.parametrize(
    ("text", "named"),
    [("EncoderLayer", True), ("the_latents", True), ("Autoencoder", True), ("VAELoss", True), ("28x28 digits", True),
     ("encoded, encoding, decode", False), ("name.isdigit()", False), ("a vaet", False)],
)  # fmt: skip
def test_words_are_told_from_other_words(text: str, named: bool) -> None:
    assert bool(OF_THE_FIRST_ASSIGNMENT.search(words(text))) is named


def test_imports_go_one_way() -> None:
    pytest.importorskip("importlinter", reason="import-linter is not installed")
    command = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [command, "--no-cache", "--no-logo"], cwd=PACKAGE.parent, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout


# --- load -------------------------------------------------------------------------------------------------------------


def folder_of(folder: Path, source: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "assignment.py").write_text(source, "utf-8")
    return folder


SOURCE = """
from pathlib import Path
from autograder.assignment import Assignment
ASSIGNMENT = Assignment(
    folder=Path(__file__).parent, course="", title="", module="x.py", parts=(), due="2026-10-01T23:59:00-04:00",
    kit="x", notebook="x.ipynb",
)
"""


def test_a_name_a_folder_and_nothing_find_the_installed_one() -> None:
    assert load() is load("cvae") is load(PACKAGE / "assignments" / "cvae")


def test_a_folder_is_found_again_by_another_process(tmp_path: Path) -> None:
    found = load(folder_of(tmp_path / "elsewhere", SOURCE))
    assert (found.name, found.root, found.where) == ("elsewhere", tmp_path / "elsewhere", str(tmp_path / "elsewhere"))
    assert load(found.where) is found


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("not-a-name", SOURCE, "rename it, for example to 'not_a_name'"),
        ("cvae", SOURCE, "another assignment named 'cvae'"),
        ("empty", "", "does not define ASSIGNMENT"),
    ],
)
def test_a_folder_that_will_not_do_is_told_why(name: str, source: str, said: str, tmp_path: Path) -> None:
    load()
    with pytest.raises(NoSuchAssignment, match=said):
        load(folder_of(tmp_path / name, source))


def test_an_unknown_name_is_answered_with_those_there_are(tmp_path: Path) -> None:
    for where in ("no-such", tmp_path):
        with pytest.raises(NoSuchAssignment, match="name one of cvae, or a folder"):
            load(where)
