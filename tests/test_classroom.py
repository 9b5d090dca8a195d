"""A class on Dask: every report once, whatever dies on the way, and the same as when graded alone."""

import gc
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import Client
from distributed.security import Security

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.classroom.run import DEATHS, grade_class, interruptible, local_cluster
from autograder.classroom.written import file_names
from autograder.grading import GraderError
from autograder.grading.grade import grade_source
from autograder.grading.results import Results
from autograder.output import only_one
from autograder.report.model import Report
from autograder.sandbox.client import Sandbox
from tests.class_graders import accident_prone, logged, quick
from tests.submissions import correct, wrong
from tests.submissions.mixed import mixed

ROOT = Path(__file__).parents[1]
SEED = 5814


@pytest.fixture(scope="module")
def cluster() -> Iterator[Client]:
    with local_cluster(2) as client:
        yield client


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results", CVAE, SEED)


def sources(count: int) -> list[bytes]:
    return [b"submission %d" % number for number in range(count)]


def test_each_source_is_graded_once(cluster: Client, results: Results) -> None:
    first = dict(grade_class([*sources(5), *sources(3)], results, cluster, grader=quick))
    assert {source: report.error for source, report in first.items()} == {
        source: f"Read {source.decode()}." for source in sources(5)
    }
    again = dict(grade_class(sources(6), results, cluster, grader=quick))
    assert list(again) == [b"submission 5"]


def test_another_seed_is_another_grade(cluster: Client, results: Results, tmp_path: Path) -> None:
    for seed in (SEED, SEED + 1, None):
        assert len(dict(grade_class(sources(1), Results(results.folder, CVAE, seed), cluster, grader=quick))) == 1


def test_a_report_that_was_cut_off_is_made_again(cluster: Client, results: Results) -> None:
    list(grade_class(sources(1), results, cluster, grader=quick))
    results.file(sources(1)[0]).write_text('{"schema": 2')
    assert len(list(grade_class(sources(1), results, cluster, grader=quick))) == 1


def test_what_kills_its_worker_stops_nobody_else(cluster: Client, results: Results) -> None:
    reports = dict(grade_class([*sources(3), b"kill", *sources(6)], results, cluster, grader=accident_prone))
    assert set(reports) == {b"kill", *sources(6)}
    assert all(reports[source].error == f"Read {source.decode()}." for source in sources(6))
    assert reports[b"kill"].score == 0
    assert f"{DEATHS} times" in (reports[b"kill"].error or "")
    assert reports[b"kill"].attention


def test_a_failure_of_the_graders_own_is_not_kept(cluster: Client, results: Results) -> None:
    for _ in range(2):
        reports = dict(grade_class([b"raise", *sources(2)], results, cluster, grader=accident_prone))
        assert reports[b"raise"].grader_failed
        assert "a check broke down" in (reports[b"raise"].error or "")


def test_workers_with_other_checks_are_refused(cluster: Client, results: Results) -> None:
    with pytest.raises(GraderError, match="another version"):
        list(grade_class([b"old"], results, cluster, grader=accident_prone))


def test_the_cluster_takes_no_work_from_strangers(cluster: Client) -> None:
    address: str = cluster.scheduler_info()["address"]
    assert address.startswith("tls://127.0.0.1:")
    for security in (None, Security.temporary()):
        with pytest.raises((OSError, TimeoutError)):
            Client(address.replace("tls", "tls" if security else "tcp"), timeout=5, security=security)


def test_names_of_files_are_safe_and_distinct() -> None:
    students = ["ada", "Ada", "Ada-2", "../../etc/passwd", "..\\x", "a b", "a_b", "", ".hidden", "=cmd|x"]
    students += ["x" * 300, "é", "e\u0301", "学" * 200]
    names = file_names({each: each for each in students})
    assert (names["a_b"], names["Ada-2"]) == ("a_b", "Ada-2"), "whose name can stay as it is keeps it"
    assert len({name.casefold() for name in names.values()}) == len(names)
    assert all(name and not {"/", "\\"} & {*name} and name[0] != "." and len(name) < 110 for name in names.values())


# --- whatever dies ------------------------------------------------------------------------------------------------

_RUN = """
import sys
from pathlib import Path
from tests.class_graders import logged
from autograder.assignment import load
from autograder.classroom.run import grade_class, local_cluster
from autograder.grading.results import Results
if __name__ == "__main__":
    with local_cluster(2) as client:
        print("grading", flush=True)
        results = Results(Path(sys.argv[1]), load("cvae"), 5814)
        for _ in grade_class([b"submission %d" % n for n in range(60)], results, client, grader=logged):
            pass
    print("done", flush=True)
"""


@pytest.mark.parametrize(
    "times", [pytest.param(4, marks=pytest.mark.slow), pytest.param(20, marks=pytest.mark.exhaustive)]
)
def test_killed_at_any_point_nothing_is_lost_or_done_twice(
    times: int, results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client is killed so often, or more often where it is slow to keep anything, then its workers as often."""
    monkeypatch.setenv("GRADING_LOG", str(tmp_path))
    chance = random.Random(5814)
    kept: dict[Path, tuple[int, bytes]] = {}

    def compare() -> None:
        for file, (inode, content) in kept.items():
            assert (file.stat().st_ino, file.read_bytes()) == (inode, content)
        kept.update({file: (file.stat().st_ino, file.read_bytes()) for file in results.folder.glob("*.json")})

    for attempt in range(40):
        if attempt >= times and len(kept) > 5:
            break
        command = [sys.executable, "-c", _RUN, str(results.folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, start_new_session=True) as client:
            assert client.stdout
            client.stdout.readline()
            time.sleep(chance.uniform(0, 0.15 * (attempt + 4)))  # longer each time, for a busy machine
            os.killpg(client.pid, signal.SIGKILL)
        compare()
    assert len(kept) > 5
    assert not list(tmp_path.glob("twice-*"))
    with local_cluster(2) as survivor:
        deaths = threading.Thread(target=_kill_workers, args=(survivor, times, chance))
        deaths.start()
        for _ in grade_class(sources(10 * times + 60), results, survivor, grader=logged):
            pass
        deaths.join()
    compare()
    for source in sources(10 * times + 60):
        report = results.find(source)
        assert report is not None
        assert report.error == f"Read {source.decode()}."


def _kill_workers(client: Client, times: int, chance: random.Random) -> None:
    assert client.cluster is not None
    for _ in range(times):
        time.sleep(chance.uniform(0.2, 0.8))
        nannies = list(client.cluster.workers.values())
        if pid := chance.choice(nannies).pid:
            os.kill(pid, signal.SIGKILL)


# --- the same grades ----------------------------------------------------------------------------------------------


def judged(report: Report) -> dict[str, Any]:
    """What must not depend on how a submission was graded."""
    incidental = ("duration_s", "timings", "submission", "isolation")
    return {key: value for key, value in report.to_json().items() if key not in incidental}


MIXED = {
    "reference": correct.encoded(next(iter(correct.CORRECT.values()))),
    **{each.name: wrong.source(each).encode() for each in wrong.WRONG[::60]},
    "leaves-at-once": b"import os\nos._exit(0)\n",
    "harms-its-neighbours": b"import os, signal\nfor pid in (os.getppid(), 0, -1):\n"
    b"    try:\n        os.kill(pid, signal.SIGKILL)\n    except OSError:\n        pass\n",
    "fills-the-scratch-folder": b"open('x', 'wb').write(bytes(80 << 20))\n",
}


@pytest.fixture(scope="module")
def alone() -> dict[str, dict[str, Any]]:
    """The grades of a few submissions, each in a sandbox that has seen no other."""
    grades = {}
    for name, source in MIXED.items():
        with Sandbox() as sandbox:
            grades[name] = judged(grade_source("x", source, sandbox, seed=SEED))
    return grades


def write_class(folder: Path) -> Path:
    for name, source in MIXED.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "cs5814_vae.py").write_bytes(source)
    (folder / "handed-in-nothing").mkdir()
    return folder


def run_class(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autograder", "class", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, **options)  # type: ignore


def grades(out: Path) -> dict[str, dict[str, Any]]:
    reports = {file.stem: Report.from_json(json.loads(file.read_text())) for file in (out / "reports").iterdir()}
    return {student: judged(report) for student, report in reports.items() if student in MIXED}


@pytest.mark.slow
@pytest.mark.parametrize("order", [1, -1])
def test_neighbours_and_order_change_no_grade(
    order: int, alone: dict[str, dict[str, Any]], cluster: Client, results: Results
) -> None:
    shuffled = list(MIXED)[::order]
    reports = dict(grade_class([MIXED[name] for name in shuffled], results, cluster))
    assert {name: judged(reports[MIXED[name]]) for name in MIXED} == alone


@pytest.mark.exhaustive
def test_200_get_the_grades_that_each_gets_alone(cluster: Client, results: Results, tmp_path: Path) -> None:
    class_of_200 = mixed(200, 0.05, tmp_path)
    reports = dict(grade_class(class_of_200, results, cluster))
    for source in class_of_200:
        with Sandbox() as sandbox:
            alone = judged(grade_source("x", source, sandbox, seed=SEED))
        together = judged(reports[source])
        if b"time.sleep" in source:  # how much a thread prints meanwhile is up to the clock
            del alone["output"], together["output"]
        assert together == alone, source.decode()


@pytest.mark.slow
def test_the_command_grades_a_class(alone: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    run = run_class(write_class(tmp_path / "class"), "--out", tmp_path / "out", "--seed", SEED)
    assert run.returncode == 0, run.stderr
    assert grades(tmp_path / "out") == alone
    summary = json.loads((tmp_path / "out" / "class.json").read_text())
    assert len(summary["students"]) == len(MIXED) + 1
    assert "handed-in-nothing" in (tmp_path / "out" / "grades.csv").read_text()
    assert "data:image/png" in (tmp_path / "out" / "students" / "reference.html").read_text()
    assert (tmp_path / "out" / "index.html").exists()


@pytest.mark.slow
def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(alone: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    folder, out = write_class(tmp_path / "class"), tmp_path / "out"
    command = [sys.executable, "-m", "autograder", "class", str(folder), "--out", str(out), "--seed", str(SEED)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    ) as stopped:
        while len(list(out.glob("reports/*"))) < 3 and stopped.poll() is None:
            time.sleep(0.05)
        os.killpg(stopped.pid, signal.SIGINT)  # as the terminal does, to everyone
        _, said = stopped.communicate(timeout=60)
    assert stopped.returncode == 130, said
    assert "the same command goes on" in said
    assert "Traceback" not in said
    assert run_class(folder, "--out", out, "--seed", SEED).returncode == 0
    assert grades(out) == alone


def test_ctrl_c_is_not_lost_in_a_callback_of_the_collector() -> None:
    def interrupted(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            signal.raise_signal(signal.SIGINT)

    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        with interruptible() as go_on:
            gc.callbacks.append(interrupted)
            gc.collect()  # Python drops what its callbacks raise
            gc.callbacks.remove(interrupted)
            with pytest.raises(KeyboardInterrupt):
                go_on()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, usual)


@pytest.mark.slow
def test_another_machines_cluster_gives_the_same_grades(alone: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    address = tmp_path / "scheduler.json"
    commands = [["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(address)]]
    commands += [["worker", "--scheduler-file", str(address), "--nthreads", "1", "--no-dashboard"]] * 2
    processes = []
    try:
        for index, arguments in enumerate(commands):
            folder = tmp_path / f"machine-{index}"
            folder.mkdir()
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "dask", *arguments],
                    cwd=folder,
                    env=environment,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
            while not address.exists():
                time.sleep(0.1)
        scheduler = json.loads(address.read_text())["address"]
        out = tmp_path / "out"
        run = run_class(write_class(tmp_path / "class"), "--out", out, "--seed", SEED, "--scheduler", scheduler)
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert run.returncode == 0, run.stderr
    assert grades(out) == alone


def test_a_scheduler_that_is_not_there_is_told(tmp_path: Path) -> None:
    run = run_class(write_class(tmp_path / "class"), "--out", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9")
    assert run.returncode == 3
    assert "no Dask scheduler answers" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_folder_of_results_has_one_command_at_a_time(tmp_path: Path) -> None:
    results = tmp_path / "results"
    with only_one(results):
        run = run_class(write_class(tmp_path / "class"), "--out", tmp_path / "out", "--results", results)
    assert run.returncode == 2
    assert f"Another command is writing to {results}" in run.stderr
    assert not any(results.iterdir())


def test_nobody_to_grade(tmp_path: Path) -> None:
    run = run_class(tmp_path / "missing", "--out", tmp_path / "out")
    assert run.returncode == 2
    assert "does not exist" in run.stderr
