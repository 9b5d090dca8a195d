"""A class on this machine: submissions a minute by number of workers, against stock nbgrader; memory; and scaling.

Every rate counts all seconds: starting the workers, and importing torch in each. No report is reused. Memory is that of
a worker and of everything it started, each shared page divided among those who share it (PSS). The submissions are
correct styles, wrong modules and, except against stock nbgrader, hostile ones.

Usage: python benchmarks/class.py [--stock N] [--workers 1 2] [--sizes 50 100 200]
       python benchmarks/class.py --stock 0 --workers 2 --sizes 1000      how memory grows with the class
"""

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
from course import STOCK, graded  # noqa: E402
from submissions import correct, hostile, wrong  # noqa: E402

from autograder.classroom import grade_class, local_cluster  # noqa: E402
from autograder.results import Results  # noqa: E402

BENIGN = [
    *(correct.encoded(source) for source in correct.CORRECT.values()),
    *(wrong.source(each).encode() for each in wrong.WRONG),
]


def submissions(count: int, hostile_share: float = 0.05) -> list[bytes]:
    """So many different submissions, spread evenly over all kinds."""
    bad = round(count * hostile_share)
    attacks = [
        hostile.armed(hostile.HOSTILE[index * len(hostile.HOSTILE) // max(bad, 1)], canary=ROOT, port=9, marker="bench")
        for index in range(bad)
    ]
    every = [BENIGN[index * len(BENIGN) // count % len(BENIGN)] for index in range(count - bad)] + attacks
    random.Random(0).shuffle(every)
    return [source + b"\n# submission %d\n" % number for number, source in enumerate(every)]


SAMPLED_S = 5.0


class Memory(threading.Thread):
    """Samples the memory of each worker's process and its descendants while a class is graded."""

    def __init__(self, pids: list[int]) -> None:
        super().__init__(daemon=True)
        self.pids, self.samples, self.done = pids, [], threading.Event()

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
            for _ in grade_class(sources, Results(Path(folder), seed=1), client):
                finished.append(time.perf_counter() - started)
            seconds = time.perf_counter() - started
            memory.done.set()
            memory.join()
    return seconds, finished, memory.samples


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--stock", type=int, default=12, help="submissions for stock nbgrader; 0: leave it out")
    arguments.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    arguments.add_argument("--sizes", type=int, nargs="+", default=[50, 100, 200])
    chosen = arguments.parse_args()

    stock = None
    if chosen.stock:
        with tempfile.TemporaryDirectory() as folder:
            stock = 60 * chosen.stock / graded(STOCK, submissions(chosen.stock, 0), Path(folder) / "stock")
        print(f"stock nbgrader                {stock:6.1f} a minute ({chosen.stock} benign submissions)")
    for workers in chosen.workers:
        for size in chosen.sizes:
            seconds, finished, memory = measure(submissions(size, 0 if stock else 0.05), workers)
            rate = 60 * size / seconds
            ratio = f"  {rate / stock:5.1f} times stock nbgrader" if stock else ""
            print(f"{workers} worker{'s' * (workers > 1)}, {size:5} submissions  {rate:6.1f} a minute{ratio}")
            gaps = sorted(later - earlier for earlier, later in pairwise(finished))
            each = sum(gaps) / len(gaps)
            print(f"    {finished[0]:.1f} s to the first, then {each:.2f} s each, at most {gaps[-1]:.1f} s")
            if len(memory) > 4:
                at_100 = memory[min(len(memory) - 1, int(finished[min(99, size - 1)] / SAMPLED_S))]
                print(f"    largest worker: {max(memory):.2f} GiB; {at_100:.2f} at the 100th, {memory[-1]:.2f} at last")


if __name__ == "__main__":
    main()
