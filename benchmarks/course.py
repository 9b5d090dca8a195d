"""A class in nbgrader: graded in the sandbox, without executing notebooks, against stock nbgrader with a kernel.

Stock nbgrader executes each notebook, whose test cells hold equivalent checks: the public ones, which travel with it.
Both grade the same submissions on the same machine in the same run, and no report is reused.

Usage: python benchmarks/course.py [submissions]
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[0] = str(ROOT)  # not this folder, where this file would stand for nbgrader itself
sys.path.insert(1, str(ROOT / "tests"))
import nbformat  # noqa: E402
from submissions import correct, wrong  # noqa: E402

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE  # noqa: E402
from autograder.assignments.cvae.assignment import MODULE  # noqa: E402
from autograder.platforms.nbgrader.course import build_course  # noqa: E402

STOCK = f"""
c = get_config()
c.CourseDirectory.course_id = "cs5814"
c.Autograde.exclude_overwriting = {{"{CVAE.kit}": ["{MODULE}"]}}
c.ExecutePreprocessor.timeout = c.Execute.timeout = 120
"""


def nbgrader(folder: Path, *arguments: str) -> float:
    """Run it; the seconds it took."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic by name
    ours = {"PATH": path, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    started = time.perf_counter()
    command = [sys.executable, "-m", "nbgrader", *arguments]
    run = subprocess.run(command, cwd=folder, env=os.environ | ours, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(run.stderr[-3000:])
    return time.perf_counter() - started


def only_tests(notebook: Path) -> None:
    """Leave of the notebook the set-up and the test cells, so that stock nbgrader need not train and draw either."""
    cells = nbformat.read(notebook, 4)
    needed = [cell for cell in cells.cells if cell.id == "setup" or "nbgrader" in cell.metadata]
    cells.cells = needed
    nbformat.write(cells, notebook)


def graded(config: str | None, modules: list[bytes], folder: Path) -> float:
    """Seconds to autograde these modules in a new course, with this configuration instead of ours."""
    source = build_course(CVAE, folder)
    if config is not None:
        (folder / "nbgrader_config.py").write_text(config, "utf-8")
        only_tests(source / Path(CVAE.notebook).name)
    nbgrader(folder, "generate_assignment", CVAE.kit)
    for index, module in enumerate(modules):
        submission = folder / "submitted" / f"student-{index:03}" / CVAE.kit
        shutil.copytree(folder / "release" / CVAE.kit, submission)
        (submission / MODULE).write_bytes(module)
    options = [] if config is not None else ["--RunNotebook.enabled=False"]
    return nbgrader(folder, "autograde", CVAE.kit, *options)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    pool = [correct.encoded(source) for source in correct.CORRECT.values()]
    pool += [wrong.source(each).encode() for each in wrong.WRONG]
    modules = [pool[index * len(pool) // count] for index in range(count)]
    with tempfile.TemporaryDirectory() as temporary:
        seconds = {
            "this pipeline, without executing": graded(None, modules, Path(temporary) / "ours"),
            "stock nbgrader, test cells alone": graded(STOCK, modules, Path(temporary) / "stock"),
        }
    for name, taken in seconds.items():
        print(f"{name:34} {taken:7.1f} s for {count} submissions  {60 * count / taken:6.1f} a minute")
    ours, stock = seconds.values()
    print(f"ratio {stock / ours:.1f}")


if __name__ == "__main__":
    main()
