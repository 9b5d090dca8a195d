"""A class on this machine: submissions a minute by number of workers, against other graders; memory; and scaling.

The others are stock nbgrader and, where the command is on the PATH, `otter run`; both run the public checks.

Every rate counts all seconds: starting the workers, and importing torch in each. No report is reused. The other graders
run half before and half after ours, for a shared machine is not always equally fast. Memory is that of a worker and of
everything it started, each shared page divided among those who share it (PSS). The submissions are correct styles,
wrong modules and, except against other graders, hostile ones.

Usage: python -m benchmarks.throughput [--others N] [--workers 1 2] [--sizes 50 100 200]
       python -m benchmarks.throughput --others 0 --workers 2 --sizes 1000      how memory grows with the class
"""

import argparse
import os
import shutil
import subprocess
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.assignment import MODULE, PARTS
from autograder.classroom.run import grade_class, local_cluster
from autograder.grading.results import Results
from benchmarks.course import STOCK, course, graded
from tests.submissions.mixed import mixed

ROOT = Path(__file__).parents[1]
SAMPLED_S = 5.0
QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class Memory(threading.Thread):
    """Samples the memory of each worker's process and its descendants while a class is graded."""

    def __init__(self, pids: list[int]) -> None:
        super().__init__(daemon=True)
        self.pids, self.done = pids, threading.Event()
        self.samples: list[float] = []

    def run(self) -> None:
        while not self.done.wait(SAMPLED_S):
            self.samples.append(max(self._of(pid) for pid in self.pids))

    @staticmethod
    def _of(pid: int) -> float:
        total = 0
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            try:
                total += process.memory_full_info().pss
            except psutil.NoSuchProcess:
                continue
        return total / 2**30


def measure(sources: list[bytes], workers: int) -> tuple[float, list[float], list[float]]:
    """Seconds in all, the moment at which each was done, and samples of the largest worker's memory in GiB."""
    finished = []
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        with local_cluster(workers) as client:
            memory = Memory(list(client.run(os.getpid).values()))
            memory.start()
            for _ in grade_class(sources, Results(Path(folder), CVAE, seed=1), client):
                finished.append(time.perf_counter() - started)
            seconds = time.perf_counter() - started
            memory.done.set()
            memory.join()
    return seconds, finished, memory.samples


OTTER_TEST = """
from otter.test_files import test_case

OK_FORMAT = False
name = {part!r}
points = {points}


@test_case()
def test_part():
    import shutil, sys

    shutil.copy({checks!r}, ".")
    sys.path.insert(0, ".")
    import public_checks

    public_checks.check({part!r})
"""


def otter_run(modules: list[bytes], folder: Path) -> float:
    """Seconds for `otter run` on each of these modules, with a test a part that runs the public checks."""
    tests, archive = folder / "tests", folder / "autograder.zip"
    tests.mkdir()
    for part in PARTS:
        test = OTTER_TEST.format(
            part=part.name, points=part.points, checks=str(ROOT / "notebooks" / "public_checks.py")
        )
        (tests / f"{part.name}.py").write_text(test)
    nothing_else = ("--no-environment", "--no-requirements", "--no-config")
    subprocess.run(["otter", "generate", "-t", tests, "-o", archive, *nothing_else], cwd=folder, check=True, **QUIET)
    started = time.perf_counter()
    for number, module in enumerate(modules):
        submission = folder / str(number)
        submission.mkdir()
        (submission / MODULE).write_bytes(module)
        subprocess.run(["otter", "run", MODULE, "-a", archive, "--no-logo"], cwd=submission, check=False, **QUIET)
    return time.perf_counter() - started


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument(
        "--others", type=int, default=12, help="submissions for the other graders; 0: leave them out"
    )
    arguments.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    arguments.add_argument("--sizes", type=int, nargs="+", default=[50, 100, 200])
    chosen = arguments.parse_args()

    modules = mixed(chosen.others, 0, ROOT)
    before = time_others(modules[::2])
    runs = []
    for workers in chosen.workers:
        for size in chosen.sizes:
            with tempfile.TemporaryDirectory() as canary:
                seconds, finished, memory = measure(mixed(size, 0 if modules else 0.05, Path(canary)), workers)
            run, rate = f"{workers} worker{'s' * (workers > 1)}, {size:5} submissions", 60 * size / seconds
            runs.append((run, rate))
            print(f"{run}  {rate:6.1f} a minute")
            gaps = sorted(later - earlier for earlier, later in pairwise(finished))
            each = sum(gaps) / len(gaps)
            print(f"    {finished[0]:.1f} s to the first, then {each:.2f} s each, at most {gaps[-1]:.1f} s")
            if len(memory) > 4:
                at_100 = memory[min(len(memory) - 1, int(finished[min(99, size - 1)] / SAMPLED_S))]
                print(f"    largest worker: {max(memory):.2f} GiB; {at_100:.2f} at the 100th, {memory[-1]:.2f} at last")
    after = time_others(modules[1::2])
    for name, seconds in before.items():
        other = 60 * len(modules) / (seconds + after.get(name, 0.0))
        print(f"{name}: {other:.1f} a minute ({len(modules)} benign submissions)")
        for run, rate in runs:
            print(f"    {run}: {rate / other:.1f} times that")


def time_others(modules: list[bytes]) -> dict[str, float]:
    """The seconds that each of the other graders takes over these modules."""
    if not modules:
        return {}
    graders = {"stock nbgrader": lambda folder: graded(course(STOCK, modules, folder / "stock"))}
    if shutil.which("otter"):
        graders["otter run"] = lambda folder: otter_run(modules, folder)
    seconds = {}
    for name, grade in graders.items():
        with tempfile.TemporaryDirectory() as folder:
            seconds[name] = grade(Path(folder))
    return seconds


if __name__ == "__main__":
    main()
