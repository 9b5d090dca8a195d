"""The autograder zip, unpacked into a container that plays Gradescope: what students and staff get to see."""

import json
import os
import platform
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.assignment import MODULE, PARTS
from autograder.platforms.gradescope.build import build_zip
from autograder.sandbox import isolation
from tests.submissions.hostile import HOSTILE

ROOT = Path(__file__).parents[1]

# https://gradescope-autograders.readthedocs.io/en/latest/specs/, "Output format"
_VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
_FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
_TEST = {
    "score": {"type": "number"},
    "max_score": {"type": "number"},
    "status": {"enum": ["passed", "failed"]},
    "name": {"type": "string"},
    "name_format": _FORMAT,
    "number": {"type": "string"},
    "output": {"type": "string"},
    "output_format": _FORMAT,
    "tags": {"type": "array", "items": {"type": "string"}},
    "visibility": _VISIBILITY,
    "extra_data": {"type": "object"},
}
PUBLISHED = {
    "type": "object",
    "additionalProperties": False,
    "anyOf": [{"required": ["score"]}, {"required": ["tests"]}],
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": _FORMAT,
        "test_output_format": _FORMAT,
        "test_name_format": _FORMAT,
        "visibility": _VISIBILITY,
        "stdout_visibility": _VISIBILITY,
        "extra_data": {"type": "object"},
        "tests": {"type": "array", "items": {"type": "object", "additionalProperties": False, "properties": _TEST}},
        "leaderboard": {"type": "array"},
    },
}

# https://gradescope-autograders.readthedocs.io/en/latest/submission_metadata/
SECRET = "ada@example.edu"
METADATA = {
    "id": 123456,
    "created_at": "2026-11-29T14:22:32.365935-07:00",
    "assignment": {
        "due_date": "2026-11-30T23:00:00.000000-07:00",
        "group_size": None,
        "group_submission": False,
        "id": 25828,
        "course_id": 1234,
        "late_due_date": None,
        "release_date": "2026-11-02T00:00:00.000000-07:00",
        "title": "Homework 3, part 3",
        "total_points": "100.0",
    },
    "submission_method": "upload",
    "users": [{"email": SECRET, "id": 1234, "name": "Ada"}],
    "previous_submissions": [{"submission_time": "2026-11-28T14:24:48.087023-07:00", "score": 0.0, "results": {}}],
}

# What root may do in a container that Docker starts, unless it is told otherwise.
CAPABILITIES = """
    CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL
    AUDIT_WRITE
"""


class Gradescope:
    """A folder in Gradescope's layout, and a container in which it is /autograder.

    The container has the default rights of Docker's: root, but no user namespaces, and here no network either.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("source", "submission", "results"):
            (folder / name).mkdir()
        with zipfile.ZipFile(build_zip(CVAE, folder / "upload")) as archive:
            archive.extractall(folder / "source")
        shutil.copy(folder / "source" / "run_autograder", folder)
        (folder / "run_autograder").chmod(0o755)
        (folder / "submission_metadata.json").write_text(json.dumps(METADATA))

    def submit(self, source: bytes | None) -> None:
        """A student's upload; None: a file that is no module."""
        for name in ("submission", "results"):
            shutil.rmtree(self.folder / name)
            (self.folder / name).mkdir()
        name = MODULE if source is not None else "notes.txt"
        (self.folder / "submission" / name).write_bytes(source or b"")

    def start(self, script: str, landlock: bool = True, **variables: str) -> subprocess.Popen[str]:
        """Start /autograder/SCRIPT in the container."""
        program = isolation.bubblewrap()
        assert program is not None
        command = [program, "--unshare-net", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--clearenv"]
        command += [
            "--cap-drop",
            "ALL",
            *(word for each in CAPABILITIES.split() for word in ("--cap-add", f"CAP_{each}")),
        ]
        command += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/tmp"]
        for path in (Path("/usr"), Path("/etc"), Path(sys.base_prefix), Path(sys.prefix)):
            for above in reversed(path.parents[:-1]):
                command += ["--perms", "755", "--dir", str(above)]
            command += ["--ro-bind", str(path), str(path)]
        for path in filter(Path.is_symlink, map(Path, ("/bin", "/lib", "/lib64"))):
            command += ["--symlink", os.readlink(path), str(path)]
        command += ["--bind", str(self.folder), "/autograder"]
        for name, value in ({"PATH": "/usr/bin:/bin", "AUTOGRADER_PYTHON": sys.executable} | variables).items():
            command += ["--setenv", name, value]
        with tempfile.TemporaryFile() as filters:
            filters.write(_refusing(landlock))
            filters.seek(0)
            return subprocess.Popen(
                [
                    *command,
                    "--chdir",
                    "/autograder",
                    "--seccomp",
                    str(filters.fileno()),
                    "bash",
                    f"/autograder/{script}",
                ],
                pass_fds=[filters.fileno()],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def grade(self, source: bytes | None, landlock: bool = True, **variables: str) -> tuple[dict[str, Any], str]:
        """Upload and grade; the results, and what was printed."""
        self.submit(source)
        run = self.start("run_autograder", landlock, **variables)
        printed, _ = run.communicate(timeout=300)
        assert run.returncode == 0, printed
        return self.results(), printed

    def results(self) -> dict[str, Any]:
        """results.json, as Gradescope publishes its format."""
        results = json.loads((self.folder / "results" / "results.json").read_text("utf-8"))
        jsonschema.validate(results, PUBLISHED)
        return results


def _refusing(landlock: bool) -> bytes:
    """A seccomp filter that refuses user namespaces, as Docker's does, and, without `landlock`, Landlock."""
    unshare, clone, clone3, create_ruleset = {"x86_64": (272, 56, 435, 444), "aarch64": (97, 220, 435, 444)}[
        platform.machine()
    ]
    eperm, enosys = 0x50000 | 1, 0x50000 | 38
    program = [(0x20, 0, 0, 0)]  # load the number of the call
    for number, answer in [(unshare, eperm), (clone3, enosys), *([] if landlock else [(create_ruleset, enosys)])]:
        program += [(0x15, 0, 1, number), (0x06, 0, 0, answer)]
    program += [(0x15, 0, 3, clone), (0x20, 0, 0, 16), (0x45, 0, 1, 0x10000000), (0x06, 0, 0, eperm)]
    return b"".join(struct.pack("=HBBI", *each) for each in [*program, (0x06, 0, 0, 0x7FFF0000)])


@pytest.fixture(scope="module")
def gradescope() -> Iterator[Gradescope]:
    if os.geteuid() or isolation.why_not("bubblewrap") or platform.machine() not in ("x86_64", "aarch64"):
        pytest.skip("playing the platform, where the grader is root, needs root and bubblewrap")
    with tempfile.TemporaryDirectory(prefix="gradescope-") as folder:
        os.chmod(folder, 0o755)  # by itself open to everyone, as /autograder is
        yield Gradescope(Path(folder))


def shown(results: dict[str, Any], *visibilities: str) -> str:
    """What students read of the tests with these visibilities, and above them."""
    tests = [test for test in results["tests"] if test["visibility"] in visibilities]
    return "\n".join([results["output"], *(f"{test['name']}: {test['output']}" for test in tests)])


def points(results: dict[str, Any]) -> dict[str, float]:
    """The points by part."""
    scored = [test for test in results["tests"] if "score" in test]
    return {part.name: sum(test["score"] for test in scored if test["tags"] == [part.name]) for part in PARTS}


FULL = {part.name: part.points for part in PARTS}


# --- the zip ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def uploaded(tmp_path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(build_zip(CVAE, tmp_path))


def test_the_zip_has_what_gradescope_asks_for_at_its_root(uploaded: zipfile.ZipFile) -> None:
    for name in ("setup.sh", "run_autograder"):
        assert uploaded.read(name).startswith(b"#!/usr/bin/env bash\n")
        assert uploaded.getinfo(name).external_attr >> 16 == 0o755
        subprocess.run(["bash", "-n"], input=uploaded.read(name), check=True)
    top = {name.split("/")[0] for name in uploaded.namelist()}
    assert top == {"setup.sh", "run_autograder", "requirements.txt", "constraints.txt", "unfinished.json", "autograder"}
    assert not [name for name in uploaded.namelist() if "__pycache__" in name]
    jsonschema.validate(json.loads(uploaded.read("unfinished.json")), PUBLISHED)


def test_what_it_installs_is_pinned_to_what_it_was_built_with(uploaded: zipfile.ZipFile) -> None:
    pins = dict(line.split("==") for line in uploaded.read("constraints.txt").decode().split())
    assert {f"{name}=={pins[name]}" for name in ("torch", "torchvision")} <= set(
        (ROOT / "constraints.txt").read_text().split()
    )
    assert "nbgrader" not in uploaded.read("requirements.txt").decode()


def test_the_zip_hides_checks_until_its_due_date(tmp_path: Path) -> None:
    script = zipfile.ZipFile(build_zip(CVAE, tmp_path, "after_published")).read("run_autograder").decode()
    assert "--visibility after_published" in script
    with pytest.raises(ValueError, match="after_due_date"):
        build_zip(CVAE, tmp_path, "tomorrow")


def test_the_same_sources_make_the_same_zip(tmp_path: Path) -> None:
    assert build_zip(CVAE, tmp_path / "a").read_bytes() == build_zip(CVAE, tmp_path / "b").read_bytes()


# --- on the platform --------------------------------------------------------------------------------------------------


def test_a_missing_module_is_a_readable_zero(gradescope: Gradescope) -> None:
    results, _ = gradescope.grade(None)
    assert results["score"] == 0
    assert f"no {MODULE}" in results["output"]
    assert f"Name your file exactly {MODULE}" in results["output"]
    assert [test["max_score"] for test in results["tests"] if "score" in test] == list(FULL.values())


def test_a_grader_that_does_not_start_leaves_something_readable(gradescope: Gradescope) -> None:
    results, printed = gradescope.grade(b"", AUTOGRADER_PYTHON="/no/such/python")
    assert "did not finish" in results["output"]
    assert "exit code 127" in printed


@pytest.mark.slow
def test_nothing_is_graded_where_the_solution_could_be_read(gradescope: Gradescope) -> None:
    script = gradescope.folder / "run_autograder"
    kept = script.read_text("utf-8")
    script.write_text(kept.replace("chmod go=", "chmod go=rx"))
    try:
        results, printed = gradescope.grade(CVAE.solution.read_bytes(), landlock=False)
    finally:
        script.write_text(kept)
    assert "only 'process' isolation works here" in printed
    assert results["score"] == 0
    assert "did not finish" in results["output"]


@pytest.mark.slow
def test_setup_builds_and_tries_the_image(gradescope: Gradescope) -> None:
    setup = gradescope.start("source/setup.sh")
    printed, _ = setup.communicate(timeout=300)
    assert setup.returncode == 0, printed
    assert "90 / 90" in printed
    assert (gradescope.folder / "source" / "autograder" / "__pycache__").is_dir()


# Does the work, and looks around while it is imported.
SPY = """

import ctypes, os, socket, struct

def attempt(what, action):
    try:
        print(what, "GOT", action())
    except OSError as error:
        print(what, "refused")

print("user", os.getuid(), os.geteuid(), os.getgroups())
header, held = struct.pack("=Ii", 0x20080522, 0), ctypes.create_string_buffer(24)
print("capabilities", ctypes.CDLL(None).capget(header, held), held.raw.hex())
for path in ("", "/source", "/source/autograder/assignments/cvae/solution", "/submission", "/results"):
    attempt("list", lambda: os.listdir("/autograder" + path))
for path in ("submission_metadata.json", "results/results.json", "results/stdout", "submission/cs5814_vae.py",
             "source/autograder/assignments/cvae/solution/cs5814_vae.py", "source/autograder/grading/harness.py",
             "run_autograder"):
    attempt("read", lambda: open("/autograder/" + path).read())
    attempt("write", lambda: open("/autograder/" + path, "w").write('{"score": 90}'))
    attempt("delete", lambda: os.remove("/autograder/" + path))
for pid in range(1, 100):
    if pid != os.getpid():
        for name in ("environ", "root/autograder/submission_metadata.json", "mem", "fd/3"):
            attempt("process", lambda: open(f"/proc/{pid}/{name}", "rb").read(100))
attempt("connect", lambda: socket.create_connection(("127.0.0.1", 9), 1))
attempt("become root", lambda: os.setresuid(0, 0, 0))
"""


@pytest.fixture(scope="module", params=[True, False], ids=["landlock", "no-landlock"])
def spied(request: pytest.FixtureRequest, gradescope: Gradescope) -> tuple[dict[str, Any], str]:
    return gradescope.grade(CVAE.solution.read_bytes() + SPY.encode(), landlock=request.param)


@pytest.mark.slow
def test_a_right_module_gets_all_points_and_hidden_checks_hide(spied: tuple[dict[str, Any], str]) -> None:
    results, printed = spied
    assert points(results) == FULL, printed
    assert results["score"] == CVAE.points
    assert "90 / 90" in printed
    assert results["extra_data"]["isolation"] == "confined"
    assert results["extra_data"]["submission"] == METADATA["id"]
    assert results["stdout_visibility"] == "hidden"
    at_once = [test["name"] for test in results["tests"] if test["visibility"] == "visible"]
    assert f"{len(at_once)} checks on the notebook" in results["output"]
    assert {test["visibility"] for test in results["tests"]} == {"visible", "after_due_date"}


@pytest.mark.slow
def test_a_spy_is_an_unprivileged_user_and_finds_nothing(spied: tuple[dict[str, Any], str]) -> None:
    told = shown(spied[0], "visible", "after_due_date")
    assert "user 6" in told
    assert f"capabilities 0 {'00' * 24}" in told
    assert "become root refused" in told
    assert "GOT" not in told
    assert SECRET not in json.dumps(spied[0])


@pytest.mark.slow
def test_a_wrong_module_is_told_what_is_wrong_after_the_due_date(gradescope: Gradescope) -> None:
    results, _ = gradescope.grade((ROOT / "examples" / "four-layer-encoder" / MODULE).read_bytes())
    lost = {part for part, score in points(results).items() if score < FULL[part]}
    assert lost == {"encoder"}
    assert results["score"] == sum(points(results).values())
    assert "encoder" not in shown(results, "visible")
    assert "linear layers" in shown(results, "after_due_date")


@pytest.mark.exhaustive
def test_a_module_that_cannot_be_read_is_told_at_once(gradescope: Gradescope) -> None:
    results, _ = gradescope.grade(b"def sample_latent(:\n")
    assert results["score"] == 0
    assert "SyntaxError" in results["output"]


FORGERS = (
    "walks-the-file-system",
    "reads-proc",
    "files-written-outside",
    "results-written",
    "patched-worker",
    "verdict-printed",
)


@pytest.mark.exhaustive
@pytest.mark.parametrize("landlock", [True, False], ids=["landlock", "no-landlock"])
@pytest.mark.parametrize("hostile", [each for each in HOSTILE if each.name in FORGERS], ids=lambda each: each.name)
def test_an_attack_earns_nothing_that_it_did_not_compute(gradescope: Gradescope, hostile: Any, landlock: bool) -> None:
    results, _ = gradescope.grade(hostile.source.replace(b"{canary}", b"/autograder/results"), landlock)
    assert hostile.min_score <= results["score"] <= hostile.max_score
    assert results["extra_data"]["finished"]
    assert SECRET not in json.dumps(results)
    assert os.listdir(gradescope.folder / "results") == ["results.json"]


@pytest.mark.slow
def test_a_grading_that_is_killed_leaves_what_was_graded_so_far(gradescope: Gradescope) -> None:
    source = CVAE.solution.read_text("utf-8").replace(
        "def loss_function(", "def loss_function(*_):\n    while True: pass\n\ndef _("
    )
    gradescope.submit(source.encode())
    run = gradescope.start("run_autograder")
    file = gradescope.folder / "results" / "results.json"
    while not (file.exists() and len(gradescope.results()["tests"]) > 6):
        assert run.poll() is None, run.stdout and run.stdout.read()
        time.sleep(0.1)
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=60)
    results = gradescope.results()
    assert "did not finish" in results["output"]
    assert points(results) == {part: 20 if part == "sample_latent" else 0 for part in FULL}
    assert results["score"] == 20


def test_its_own_time_limit_comes_before_gradescopes(gradescope: Gradescope) -> None:
    results, printed = gradescope.grade(CVAE.solution.read_bytes(), AUTOGRADER_DEADLINE="0.1s")
    assert "did not finish" in results["output"]
    assert "exit code 124" in printed
