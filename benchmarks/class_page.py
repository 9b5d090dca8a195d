"""The page of a large class, from reports that are there already: seconds, by what they go to, and the page's size.

Nothing is graded: the reports are made up, and the modules are put together from a few ways to write each piece, with
comments of their own; one in fifty is a copy. Seconds are of CPU time, for a shared machine is not always equally fast.

Usage: python -m benchmarks.class_page [--students 1000]
"""

import argparse
import random
import tempfile
import time
from itertools import product
from pathlib import Path

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.classroom.others import known_modules
from autograder.classroom.run import Class, Options
from autograder.grading.results import Results
from autograder.submissions.layouts import Submitted, Upload
from tests.test_class_page import a_class
from tests.test_similarity import student

WORDS = ("here", "the", "noise", "comes", "from", "outside", "gradients", "flow", "divide", "by", "how", "many")


def modules(count: int) -> list[bytes]:
    """Modules of `count` students."""
    draw, pieces = random.Random(5814), list(product(range(3), repeat=4))
    made: list[bytes] = []
    for number in range(count):
        if made and number % 50 == 0:
            made.append(made[-1])
            continue
        lines = [
            f"{line}  # {' '.join(draw.choices(WORDS, k=4))}" if draw.random() < 0.1 else line
            for line in student(*draw.choice(pieces)).splitlines()
        ]
        made.append("\n".join(lines).encode())
    return made


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--students", type=int, default=1000)
    count = arguments.parse_args().students
    sources, entries = modules(count), a_class(count)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        results = Results(out / "results", CVAE, 1)
        for source, entry in zip(sources, entries, strict=True):
            results.keep(source, entry.report)
        upload = Upload([Submitted(f"s{number:04}", source) for number, source in enumerate(sources)])
        taught = Class(upload, results, out, Options(known=known_modules(CVAE, out), repairs=False))
        started = time.process_time()
        taught.resume()
        read = time.process_time()
        taught.finish()
        done = time.process_time()
        size = (out / "index.html").stat().st_size
    print(f"{count} students: {done - started:.1f} s of CPU time, the page has {size / 1e6:.2f} MB")
    print(f"  {read - started:.1f} s for the students' own pages and reports, {done - read:.1f} s for the class")
    print(f"  {len(taught.figures['groups'])} groups of nearly equal modules")


if __name__ == "__main__":
    main()
