"""How long one submission holds a grader, and what a class has of it: ten modules that take as long as they can.

Each is graded alone, then five of them in the first places of a class of 20, on two workers.

Usage: python -m benchmarks.worst [--alone NAME ...] [--no-class]
"""

import argparse
import tempfile
import time
from pathlib import Path

from autograder.assignments.cvae.assignment import ASSIGNMENT
from autograder.classroom.run import grade_class, local_cluster
from autograder.grading.process import GRADE_S, GradingProcess
from autograder.grading.results import Results
from tests.submissions import correct
from tests.submissions.worst import WORST

IN_CLASS = (
    "sleeps-in-every-call", "burns-in-every-call", "sleeps-in-every-step", "fills-memory-in-every-call",
    "combining-marks",
)  # fmt: skip


def alone(names: list[str]) -> None:
    """Grade each by itself and print how long it took."""
    with GradingProcess(ASSIGNMENT) as process:
        process.grade("reference", correct.module().encode())
        for name in names:
            started = time.monotonic()
            report = process.grade(name, WORST[name])
            seconds = time.monotonic() - started
            print(f"{name:28} {seconds:6.1f} s  {report.score:4g} points", flush=True)
            assert seconds < GRADE_S + 5
            assert not report.grader_failed, report.error


def in_class(workers: int) -> tuple[float, float, float]:
    """Seconds until 15 honest students have their grades, until the first of the worst is done, and until all are."""
    honest = [correct.encoded(each) for each in list(correct.CORRECT.values())[:15]]
    worst = [WORST[name] for name in IN_CLASS]
    with tempfile.TemporaryDirectory() as folder, local_cluster(workers) as client:
        started, done = time.monotonic(), {}
        for source, report in grade_class([*worst, *honest], Results(Path(folder), ASSIGNMENT), client):
            done[source] = time.monotonic() - started
            assert source in worst or report.score == ASSIGNMENT.points
    return max(done[source] for source in honest), min(done[source] for source in worst), max(done.values())


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--alone", nargs="*", default=list(WORST), choices=list(WORST), metavar="NAME")
    arguments.add_argument("--no-class", action="store_true")
    chosen = arguments.parse_args()
    alone(chosen.alone)
    if not chosen.no_class:
        honest, first, everyone = in_class(2)
        print(f"class of 20: the honest 15 after {honest:.1f} s, the first of the worst after {first:.1f} s, all "
              f"after {everyone:.1f} s")  # fmt: skip


if __name__ == "__main__":
    main()
