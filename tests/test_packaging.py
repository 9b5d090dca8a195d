"""The wheel, installed in an environment of its own and used from outside the repository."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import autograder
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.assignment import MODULE
from autograder.fill_in import fill_in
from autograder.platforms.gradescope.build import build_zip
from autograder.report.model import JSON_SCHEMA

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of what the wheel is made of, so that nothing is left behind in the repository."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "autograder", source / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = ["wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([sys.executable, "-m", "pip", *build, out, source], check=True)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment, which borrows the dependencies from the one that runs the tests."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    programs = folder / "bin"
    install = ["install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", programs / "python", *install], check=True)
    borrowed = folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages" / "borrowed.pth"
    borrowed.write_text(f"{sysconfig.get_path('purelib')}\n")
    return programs


def run(
    installed: Path, folder: Path, *command: object, status: int = 0, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment in `folder`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    result = subprocess.run(
        [str(installed / str(command[0])), *map(str, command[1:])],
        cwd=folder,
        env=clean | variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == status, result.stdout + result.stderr
    return result


def test_the_api_is_typed_and_imports_nothing_heavy() -> None:
    code = "import autograder, sys; print('torch' in sys.modules, sorted(autograder.__all__))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.startswith("False")
    assert all(hasattr(autograder, name) for name in autograder.__all__)
    assert not hasattr(autograder, "no_such_thing")
    assert (Path(autograder.__file__).parent / "py.typed").exists()


@pytest.mark.slow
def test_the_wheel_has_the_package_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = {path for path in (ROOT / "autograder").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert names == {path.relative_to(ROOT).as_posix() for path in package}


GRADE = """
import json, sys
import autograder
from autograder.sandbox.client import Sandbox
with Sandbox() as sandbox:
    print(json.dumps([autograder.grade(path, sandbox=sandbox).to_json() for path in sys.argv[1:]]))
"""


@pytest.mark.slow
def test_the_wheel_grades_from_outside_of_the_repository(installed: Path, tmp_path: Path) -> None:
    right, wrong = (ROOT / "examples" / name for name in ("perfect-in-another-style", "condition-first"))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / MODULE).write_text("def sample_latent(:\n")
    (tmp_path / "blank").mkdir()
    (tmp_path / "blank" / MODULE).write_text(fill_in(CVAE))
    reports = json.loads(run(installed, tmp_path, "python", "-c", GRADE, right, wrong, "broken", "blank").stdout)
    assert reports[0]["score"] == 90
    assert 0 < reports[1]["score"] < 90
    assert [report["score"] for report in reports[2:]] == [0, 0]
    schema = json.loads(run(installed, tmp_path, "autograder", "schema").stdout)
    for report in reports:
        jsonschema.Draft202012Validator(schema).validate(report)


@pytest.mark.slow
def test_the_command_of_the_wheel_does_what_needs_no_repository(installed: Path, tmp_path: Path) -> None:
    assert f"Wrote {MODULE}" in run(installed, tmp_path, "autograder", "fill-in").stdout
    assert (tmp_path / MODULE).read_text() == fill_in(CVAE)
    page = tmp_path / "page.html"
    assert run(installed, tmp_path, "autograder", "grade", ".", "--quiet", "--html", page).stdout == "0/90\n"
    assert "<!doctype html>" in page.read_text("utf-8").lower()
    run(installed, tmp_path, "autograder", "gradescope", "--out", ".")
    assert (tmp_path / "autograder.zip").read_bytes() == build_zip(CVAE, tmp_path / "checkout").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["release", "course"])
def test_what_needs_the_repository_says_so(installed: Path, tmp_path: Path, command: str) -> None:
    needs = run(
        installed, tmp_path, "autograder", command, *(["--out", "."] if command == "release" else ["."]), status=2
    )
    assert "checkout of the course's repository" in " ".join(needs.stderr.replace("│", " ").split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "offered"), [("gr", ["grade", "gradescope"]), ("grade --requ", ["--require-isolation"])]
)
def test_the_shell_completes_commands_and_options(
    installed: Path, tmp_path: Path, typed: str, offered: list[str]
) -> None:
    words = f"autograder {typed}"
    asked: dict[str, Any] = {
        "_AUTOGRADER_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    assert run(installed, tmp_path, "autograder", **asked).stdout.split() == offered


@pytest.mark.parametrize(
    ("published", "files"),
    [
        (["--builtin-schema", "vendor.citation-file-format"], [ROOT / "CITATION.cff"]),
        (["--builtin-schema", "vendor.github-issue-forms"], [*(ROOT / ".github" / "ISSUE_TEMPLATE").iterdir()]),
        (["--check-metaschema"], [JSON_SCHEMA]),
    ],
    ids=["citation", "issue-forms", "report-schema"],
)
def test_files_that_others_read_keep_their_published_schema(published: list[str], files: list[Path]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", *published, "--default-filetype", "yaml", *map(str, files)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == autograder.__version__
    assert f"## {autograder.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")
