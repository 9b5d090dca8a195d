"""Results are written whole or not at all, never in place of a pipe, and what cannot be written is said first."""

import json
import os
import resource
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder import output
from autograder.assignment import load
from autograder.fill_in import fill_in
from autograder.output import CannotWrite, NotWritable
from autograder.sandbox.limits import LIMITS

ASSIGNMENT = load()
ROOT = Path(__file__).parents[1]
UNWRITABLE = Path("/proc")  # for root too

needs_proc = pytest.mark.skipif(not UNWRITABLE.is_dir(), reason="no /proc here")


def autograder(*arguments: object, cwd: Path = ROOT, **options: Any) -> subprocess.CompletedProcess[Any]:
    """The command, run in a separate process."""
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | options.pop("env", {})
    command = [sys.executable, "-m", "autograder", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, timeout=120, check=False, **(streams | options))


def listing(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, with what is in it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def too_large(tmp_path: Path) -> Path:
    """A module that is graded without being run, which takes no time."""
    folder = tmp_path / "submission"
    folder.mkdir()
    (folder / ASSIGNMENT.module).write_bytes(b"#" * (LIMITS.source + 1))
    return folder


@pytest.fixture
def pipe(tmp_path: Path) -> Callable[[], bytes]:
    """A named pipe `pipe` that is read; gives what came."""
    path, came = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: came.append(path.read_bytes()), daemon=True)
    reader.start()

    def read() -> bytes:
        reader.join(60)
        return came[0]

    return read


# --- writing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_gets_the_usual_permissions(tmp_path: Path, umask: int) -> None:
    usual = os.umask(umask)
    try:
        output.write(tmp_path / "made" / "report", "é")
    finally:
        os.umask(usual)
    assert (tmp_path / "made" / "report").read_text("utf-8") == "é"
    assert stat.S_IMODE((tmp_path / "made" / "report").stat().st_mode) == 0o666 & ~umask


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report"
    path.write_text("old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(CannotWrite, match=r"report: No space left on device$"):
        output.write(path, "new")
    assert listing(tmp_path) == {"report": b"old"}


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_followed(tmp_path: Path, exists: bool) -> None:
    (tmp_path / "real").mkdir()
    if exists:
        (tmp_path / "real" / "report").write_text("old")
    (tmp_path / "link").symlink_to("real/report")
    output.require_writable(tmp_path / "link")
    output.write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "report").read_text() == "new"


def test_a_pipe_stays_one(tmp_path: Path, pipe: Callable[[], bytes]) -> None:
    output.require_writable(tmp_path / "pipe")
    output.write(tmp_path / "pipe", "new")
    assert pipe() == b"new"
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@needs_proc
@pytest.mark.parametrize("name", ["/dev/fd/{}", "/proc/self/fd/{}", "/proc/thread-self/fd/{}", "{folder}/link"])
def test_an_open_descriptor_is_written_to(tmp_path: Path, name: str) -> None:
    with (tmp_path / "log").open("w") as log:
        log.write("before ")
        log.flush()
        (tmp_path / "link").symlink_to(f"/dev/fd/{log.fileno()}")
        path = Path(name.format(log.fileno(), folder=tmp_path))
        output.require_writable(path)
        output.write(path, "report ")
        log.write("after")
    assert (tmp_path / "log").read_text() == "before report after"


def test_what_is_open_for_reading_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("old")
    with (tmp_path / "log").open() as log, pytest.raises(NotWritable, match="for reading only"):
        output.require_writable(Path(f"/dev/fd/{log.fileno()}"))


def test_a_folder_is_written_whole_and_replaces_none(tmp_path: Path) -> None:
    folder = tmp_path / "kit"
    output.write_folder(folder, {"a": b"1", "b/c": b"2"})
    assert listing(folder) == {"a": b"1", "b/c": b"2"}
    with pytest.raises(CannotWrite, match="kit: File exists"):
        output.write_folder(folder, {"a": b"3", "a/c": b"4"})
    assert listing(tmp_path) == {"kit/a": b"1", "kit/b/c": b"2"}
    with pytest.raises(CannotWrite, match="kit: Directory not empty"):
        output.write_folder(folder, {"d": b"5"})
    assert listing(tmp_path) == {"kit/a": b"1", "kit/b/c": b"2"}


# --- what cannot be written -------------------------------------------------------------------------------------------

# Arguments of `grade` in the folder of the submission, and what is said.
REFUSED = {
    "a folder": (["--json", "."], "--json|Cannot write .: it is a folder"),
    "no folder": (["--html", "none/page"], "Cannot write none/page: the folder none does not exist"),
    "a file as a folder": (
        ["--junit", f"{ASSIGNMENT.module}/x"],
        f"Cannot write {ASSIGNMENT.module}/x: Not a directory",
    ),
    "a long name": (["--json", "x" * 300], "File name too long"),
    "a read-only place": (["--gradescope", "/proc/report"], "Cannot write /proc/report: "),
    "two of one name": (["--json", "x", "--html", "../submission/x"], "--json and --html are the same file"),
    "two on one stream": (["--json", "-", "--markdown", "/dev/stdout"], "--json and --markdown are the same file"),
    "the submission": (["--json", ASSIGNMENT.module], "the submission and --json are the same file"),
    "a loop of links": (["--json", "loop"], "Cannot write loop: Too many levels of symbolic links"),
}


@needs_proc
@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_grade_says_in_one_line_what_it_cannot_write(case: tuple[list[str], str], too_large: Path) -> None:
    (too_large / "loop").symlink_to("loop")
    before = listing(too_large)
    result = autograder("grade", ASSIGNMENT.module, *case[0], cwd=too_large)
    assert (result.returncode, result.stdout, len(result.stderr.splitlines())) == (2, "", 1), result.stderr
    assert case[1].rpartition("|")[2] in result.stderr
    assert listing(too_large) == before


COMMANDS = {
    "class": ["class", "examples", "--out"],
    "class --results": ["class", "examples", "--out", "OUT", "--results"],
    "course": ["course"],
    "gradescope": ["gradescope", "--out"],
    "release": ["release", "--out"],
    "release --github": ["release", "--github", "--out"],
    "fill-in": ["fill-in"],
}


@needs_proc
@pytest.mark.parametrize("where", ["a file", "a read-only place"])
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_each_command_says_in_one_line_what_it_cannot_write(command: list[str], where: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    place = UNWRITABLE / "out" if where == "a read-only place" else tmp_path / "file" / "out"
    result = autograder(*(str(tmp_path / "out") if word == "OUT" else word for word in command), place)
    assert (result.returncode, result.stdout, len(result.stderr.splitlines())) == (2, "", 1), result.stderr
    assert f"Cannot write {place}: " in result.stderr
    assert listing(tmp_path) == {"file": b"old"}


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with no room; skips where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        (folder / "filling").write_bytes(bytes(48 << 10))
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_told_before_any_work(full_disk: Path, too_large: Path) -> None:
    for check, path in ((output.require_writable, full_disk / "report"), (output.require_folder, full_disk / "new")):
        with pytest.raises(NotWritable, match="No space left on device"):
            check(path)
    for command in (["grade", too_large, "--json", full_disk / "report"], ["class", "examples", "--out", full_disk]):
        result = autograder(*command)
        assert (result.returncode, len(result.stderr.splitlines())) == (2, 1), result.stderr
        assert "No space left on device" in result.stderr
    assert [path.name for path in full_disk.iterdir()] == ["filling"]


@pytest.mark.slow
def test_a_disk_that_fills_up_does_not_lose_the_grade(tmp_path: Path) -> None:
    (tmp_path / ASSIGNMENT.module).write_text("print('x' * 100_000)")  # so that the report is larger than the limit
    (tmp_path / "page").write_text("old")
    before = listing(tmp_path)
    files = ["--json", "report", "--html", "page"]
    limit = (1 << 16, 1 << 16)
    result = autograder(
        "grade",
        ".",
        "--quiet",
        *files,
        cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )
    assert (result.returncode, result.stdout) == (3, f"0/{ASSIGNMENT.points:g}\n"), result.stderr
    assert result.stderr.splitlines() == [f"Cannot write {name}: File too large" for name in ("report", "page")]
    assert listing(tmp_path) == before


# --- streams ----------------------------------------------------------------------------------------------------------


def test_a_dash_is_standard_output_for_the_report_alone(too_large: Path) -> None:
    result = autograder("grade", too_large, "--json", "-", "--timings", env={"PYTHONIOENCODING": "ascii"})
    assert result.returncode == 0
    assert json.loads(result.stdout)["max_score"] == ASSIGNMENT.points
    assert "Where the time went" in result.stderr


def test_standard_output_of_a_file_is_added_to(too_large: Path, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        log.write("before\n")
        log.flush()
        result = autograder("grade", too_large, "--markdown", "/dev/stdout", "--quiet", stdout=log)
    lines = (tmp_path / "log").read_text("utf-8").splitlines()
    assert (lines[0], lines[1][:5], result.stderr) == ("before", "## 0 ", f"0/{ASSIGNMENT.points:g}\n")


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1:strict"},
        {"PYTHONIOENCODING": "cp1252"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_no_glyph_ends_the_grading(too_large: Path, variables: dict[str, str]) -> None:
    named = too_large.rename(too_large.with_name("año ☂"))
    result = autograder("grade", named, "--min-score", 1, env=variables, text=False, encoding=None)
    assert result.returncode == 1, result.stderr
    assert b"/ 90" in result.stdout
    assert result.stderr == b""


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "| head -c 0", "> /dev/null"])
def test_no_closed_stream_changes_the_exit_code(too_large: Path, redirection: str) -> None:
    command = f"{sys.executable} -m autograder grade {too_large} --min-score 1 {redirection}"
    script = f"set -o pipefail; {command}; echo $? >{too_large}/code"
    subprocess.run(["bash", "-c", script], cwd=ROOT, check=True, timeout=120)
    assert (too_large / "code").read_text() == "1\n"


def test_a_report_to_a_closed_stream_is_refused(too_large: Path) -> None:
    command = f"{sys.executable} -m autograder grade {too_large} --json - >&-"
    result = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (result.returncode, result.stderr) == (2, "Cannot write -: this stream is closed\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_one_file_that_fails_stops_no_other(too_large: Path, tmp_path: Path) -> None:
    result = autograder("grade", too_large, "--quiet", "--json", "/dev/full", "--markdown", tmp_path / "summary")
    assert (result.returncode, result.stdout) == (3, f"0/{ASSIGNMENT.points:g}\n")
    assert result.stderr == "Cannot write /dev/full: No space left on device\n"
    assert (tmp_path / "summary").read_text("utf-8").startswith("## 0 ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("arguments", [["--json", "-"], []])
def test_what_is_lost_at_the_end_is_told(too_large: Path, arguments: list[str]) -> None:
    with open("/dev/full", "w") as full:
        result = autograder("grade", too_large, "--quiet", *arguments, stdout=full)
    assert result.returncode == 3
    assert "Cannot write" in result.stderr
    assert "No space left on device" in result.stderr


def test_the_fill_in_goes_where_a_report_goes(tmp_path: Path, pipe: Callable[[], bytes]) -> None:
    assert autograder("fill-in", "-").stdout == fill_in(ASSIGNMENT)
    assert autograder("fill-in", tmp_path / "pipe").returncode == 0
    assert pipe().decode() == fill_in(ASSIGNMENT)


def test_the_version_is_printed() -> None:
    result = autograder("--version")
    assert (result.returncode, result.stdout.split()[0]) == (0, "autograder")
