"""The command line's contract: exit codes, files, JSON, seeds, and what it makes of odd paths."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.assignment import PARTS
from autograder.cli import app
from autograder.fill_in import fill_in
from autograder.grading.grade import grade
from autograder.sandbox.limits import LIMITS
from autograder.submissions.find import MAX_ARCHIVE_ENTRIES, NothingToGrade, find_module

ROOT = Path(__file__).parents[1]
MODULE = "cs5814_vae.py"


def autograder(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "autograder", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def half_right(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A submission with one mistake, in a zip below a folder, as a learning platform hands it over."""
    archive = tmp_path_factory.mktemp("upload") / "ada lovelace.zip"
    source = CVAE.solution.read_text("utf-8").replace("torch.exp(0.5 * logvariances)", "torch.exp(logvariances)")
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(f"hw3/{MODULE}", source)
        file.writestr(f"__MACOSX/hw3/{MODULE}", "junk")
        file.writestr("hw3/notes.txt", "hello")
    return archive


@pytest.fixture(scope="module")
def graded(half_right: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    out = tmp_path_factory.mktemp("out")
    options = [f"--{kind}={out / kind}" for kind in ("json", "junit", "html", "gradescope", "markdown")]
    return out, autograder("grade", half_right, *options, "--seed", 7, "--timings", "--min-score", CVAE.points - 1)


def test_it_exits_with_1_below_the_minimum(graded: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    assert graded[1].returncode == 1, graded[1].stderr


def test_the_json_keeps_the_contract(graded: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    report = json.loads((graded[0] / "json").read_text("utf-8"))
    keys = {"schema", "submission", "sha256", "score", "max_score", "isolation", "duration_s", "error", "parts"}
    assert keys <= report.keys()
    assert (report["schema"], report["max_score"], report["error"], report["seed"]) == (5, CVAE.points, None, 7)
    assert [part["name"] for part in report["parts"]] == [part.name for part in PARTS]
    for part in report["parts"]:
        assert {"name", "score", "max_score", "checks"} <= part.keys()
        assert part["score"] == pytest.approx(sum(check["score"] for check in part["checks"]))
        assert part["max_score"] == pytest.approx(sum(check["max_score"] for check in part["checks"]))
        for check in part["checks"]:
            assert {"name", "outcome", "score", "max_score", "message", "hint"} <= check.keys()
            assert check["outcome"] in ("passed", "failed", "error", "timeout", "skipped")
    lost = {part["name"] for part in report["parts"] if part["score"] < part["max_score"]}
    assert lost == {"sample_latent"}
    assert report["score"] == pytest.approx(sum(part["score"] for part in report["parts"]))


def test_every_rendering_is_written(graded: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    out, _ = graded
    assert ElementTree.parse(out / "junit").getroot().tag in ("testsuite", "testsuites")
    assert (out / "html").read_text("utf-8").count("data:image/png") == 5
    assert "tests" in json.loads((out / "gradescope").read_text("utf-8"))
    assert "sample_latent" in (out / "markdown").read_text("utf-8")


def test_the_terminal_shows_points_hints_and_timings(graded: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    printed = graded[1].stdout
    for text in ("sample_latent", "Hint", "isolation", "import torch"):
        assert text in printed


def test_a_seed_repeats_a_run_to_the_letter(
    half_right: Path, graded: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    autograder("grade", half_right, "--seed", 7, "--json", tmp_path / "again.json", "--isolation", "process")
    first, second = (json.loads(path.read_text()) for path in (graded[0] / "json", tmp_path / "again.json"))
    assert first["parts"] == second["parts"]


def test_runs_differ_without_a_seed(half_right: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        autograder("grade", half_right, "--json", tmp_path / name)
    a, b = (json.loads((tmp_path / name).read_text()) for name in ("a", "b"))
    assert a["seed"] != b["seed"]
    first, second = (next(part for part in each["parts"] if part["name"] == "sample_latent") for each in (a, b))
    assert first["checks"][1]["message"] != second["checks"][1]["message"]


def test_what_cannot_be_parsed_is_graded(tmp_path: Path) -> None:
    (tmp_path / MODULE).write_text("def sample_latent(:\n")
    result = autograder("grade", tmp_path, "--json", tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert result.returncode == 0, result.stderr
    assert report["score"] == 0
    assert "SyntaxError" in report["error"]


def test_a_source_that_is_too_large_is_graded_zero(tmp_path: Path) -> None:
    (tmp_path / MODULE).write_bytes(b"#" * 10_000_000)
    result = autograder("grade", tmp_path, "--json", tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert (result.returncode, report["score"]) == (0, 0)
    assert "larger than" in report["error"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("grade",),
        ("grade", "/no/such/path"),
        ("grade", "docs"),
        ("grade", MODULE, "--json", "/no/such/folder/report.json"),
        ("grade", MODULE, "--isolation", "magic"),
        ("grade", MODULE, "--no-such-option"),
    ],
)
def test_bad_usage_exits_with_2_and_one_clear_line(arguments: tuple[str, ...]) -> None:
    result = autograder(*arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert result.stderr.strip()


def test_weak_isolation_is_refused_when_strong_is_required() -> None:
    result = autograder("grade", MODULE, "--isolation", "process", "--require-isolation")
    assert result.returncode == 3
    assert "weak" in " ".join(result.stderr.split())


def test_weak_isolation_is_told_in_the_report(tmp_path: Path) -> None:
    result = autograder("grade", MODULE, "--isolation", "process", "--json", tmp_path / "report.json", "--quiet")
    report = json.loads((tmp_path / "report.json").read_text())
    assert (result.stdout.strip(), report["isolation"]) == (f"0/{CVAE.points}", "process")
    assert "Weak isolation" in report["notes"][0]


def test_the_students_folder_cannot_configure_pytest(tmp_path: Path) -> None:
    (tmp_path / MODULE).write_text(fill_in(CVAE), "utf-8")
    (tmp_path / "conftest.py").write_text("raise SystemExit('pwned')")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --collect-only\n")
    result = subprocess.run(
        [sys.executable, "-m", "autograder", "grade", ".", "--quiet"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": "--collect-only"},
        check=False,
        timeout=120,
    )
    assert (result.returncode, result.stdout.strip()) == (0, f"0/{CVAE.points}")


def test_doctor_names_every_level() -> None:
    result = autograder("doctor")
    assert result.returncode == 0
    for text in ("Python", "torch", "bubblewrap", "confined", "process", "used by default"):
        assert text in result.stdout


def plain_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--pyargs",
        "autograder.assignments.cvae.checks",
        "-p",
        "no:cacheprovider",
        *arguments,
    ]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=120)


def test_plain_pytest_gives_the_same_points(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "four-layer-encoder" / MODULE, tmp_path)
    result = plain_pytest(tmp_path, "--challenge-seed", "7")
    expected = grade(tmp_path / MODULE, seed=7)
    for part in expected.parts:
        assert re.search(rf"{part.name} +{part.score:g} of {part.max_score:g}\n", result.stdout), result.stdout
    assert f"{expected.score:g} of {expected.max_score:g}    challenge seed 7" in result.stdout


def test_plain_pytest_grades_one_part(tmp_path: Path) -> None:
    result = plain_pytest(tmp_path, "-m", "loss_function", "--submission", str(CVAE.solution))
    assert "7 passed" in result.stdout, result.stdout + result.stderr
    points = next(part.points for part in PARTS if part.name == "loss_function")
    assert f"{points:g} of {points:g}" in result.stdout


def test_plain_pytest_says_what_is_missing(tmp_path: Path) -> None:
    result = plain_pytest(tmp_path)
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"{MODULE} does not exist" in result.stdout + result.stderr


# --- finding the module -----------------------------------------------------------------------------------------------


def zipped(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def test_the_module_nearest_to_the_top_counts(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {f"old/versions/{MODULE}": b"old", f"hw/{MODULE}": b"new"})
    assert find_module(archive, CVAE)[1] == b"new"


def test_two_modules_equally_near_are_not_guessed_between(tmp_path: Path) -> None:
    with pytest.raises(NothingToGrade, match="name the one to grade"):
        find_module(zipped(tmp_path / "a.zip", {f"a/{MODULE}": b"x = 1", f"b/{MODULE}": b"x = 2"}), CVAE)


def test_a_zip_bomb_is_read_no_further_than_the_limit(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "bomb.zip", {MODULE: b"#" * 50_000_000})
    assert len(find_module(archive, CVAE)[1]) == LIMITS.source + 1


def test_an_archive_of_thousands_of_files_is_refused(tmp_path: Path) -> None:
    entries = {f"{index}.txt": b"" for index in range(MAX_ARCHIVE_ENTRIES + 1)}
    with pytest.raises(NothingToGrade, match="has 2001 files"):
        find_module(zipped(tmp_path / "many.zip", entries), CVAE)


def test_what_is_no_zip_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"not a zip")
    with pytest.raises(NothingToGrade, match="zip archive"):
        find_module(tmp_path / "a.zip", CVAE)


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / MODULE).symlink_to(CVAE.solution)
    for path in (tmp_path, tmp_path / MODULE):
        with pytest.raises(NothingToGrade):
            find_module(path, CVAE)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / MODULE)
    with pytest.raises(NothingToGrade):
        find_module(tmp_path / MODULE, CVAE)


def test_an_option_given_twice_is_refused() -> None:
    """Of two rosters, the parser alone would read the last, and say nothing."""
    seen = set()
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        for option in command.params:
            if option.param_type_name == "option" and not option.is_eager:
                twice = [*option.opts[:1], *["1"] * (not option.is_flag)] * 2
                result = CliRunner().invoke(app, [name, *twice])
                assert (result.exit_code == 2 and "given twice" in result.output) is not option.multiple, result.output
                seen.add(f"{name} {option.opts[0]}")
    assert {"class --roster", "class --extensions", "class --out", "export --gradescope", "grade --json"} <= seen


@pytest.mark.parametrize(
    "options", [["--drop", "spread", "--drop", "spread"], ["--drop", "spread is", "--give", "spread"]]
)
def test_a_check_named_twice_is_said_to_be(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "u").mkdir()
    (tmp_path / "u" / "ada.py").write_bytes(CVAE.solution.read_bytes())
    done = autograder("class", tmp_path / "u", "--out", tmp_path / "out", "--no-repairs", *options)
    assert done.returncode == 2
    assert "are the same check" in " ".join(re.sub("[│\n]", " ", done.stderr).split())
