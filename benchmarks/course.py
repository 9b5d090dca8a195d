"""A class in nbgrader: graded in the sandbox, without executing notebooks, against stock nbgrader with a kernel.

Stock nbgrader executes each notebook, whose test cells hold equivalent checks: the public ones, which travel with it.
Both grade the same submissions on the same machine in the same run, and no report is reused. With --figures, nine of
ten students hand in their figures and all figures are looked at; and every notebook is run again, one after another as
a kernel for each student would, and on all cores.

Usage: python -m benchmarks.course [submissions] [--figures]
"""

import argparse
import base64
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from PIL import Image

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.assignment import MODULE
from autograder.platforms.nbgrader.course import build_course
from autograder.platforms.nbgrader.rerun import Bounds, Script, run
from tests.submissions import correct, wrong

ROOT = Path(__file__).parents[1]
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


def executed(source: Path) -> list[NotebookNode]:
    """The cells of the notebook in `source`, with what they put out after a short training of the solution."""
    notebook = nbformat.read(source / Path(CVAE.notebook).name, 4)
    code = {index: cell.source for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"}
    files = {name: (source / name).read_bytes() for name in CVAE.kit_files if name.endswith(".py")}
    files[MODULE] = CVAE.solution.read_bytes()
    outputs, note = run(Script(code, files, source / CVAE.data_folder, None, CVAE.notebook_environment), Bounds())
    if note:
        sys.exit(note)
    for index, held in outputs.items():
        notebook.cells[index].outputs = [NotebookNode(each) for each in json.loads(held)]
    return notebook.cells


def hand_in(cells: list[NotebookNode], index: int, notebook: Path) -> None:
    """Write these cells into a student's notebook, whose pictures differ from anybody else's by a pixel."""
    handed_in = nbformat.read(notebook, 4)
    handed_in.cells = json.loads(json.dumps(cells))
    for output in (each for cell in handed_in.cells for each in cell.get("outputs", ())):
        if png := output.get("data", {}).get("image/png"):
            image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
            image.putpixel((index % image.width, 0), (index % 256, 0, 0))
            file = io.BytesIO()
            image.save(file, "PNG")
            output["data"]["image/png"] = base64.b64encode(file.getvalue()).decode()
    notebook.write_text(json.dumps(handed_in), "utf-8")


def course(config: str | None, modules: list[bytes], folder: Path, figures: bool = False) -> Path:
    """A new course in which these modules were handed in, with this configuration instead of ours."""
    source = build_course(CVAE, folder)
    cells = executed(source) if figures else []
    if config is not None:
        (folder / "nbgrader_config.py").write_text(config, "utf-8")
        only_tests(source / Path(CVAE.notebook).name)
    nbgrader(folder, "generate_assignment", CVAE.kit)
    for index, module in enumerate(modules):
        submission = folder / "submitted" / f"student-{index:03}" / CVAE.kit
        shutil.copytree(folder / "release" / CVAE.kit, submission)
        (submission / MODULE).write_bytes(module)
        if cells and index % 10 != 9:
            hand_in(cells, index, submission / Path(CVAE.notebook).name)
    return folder


def graded(folder: Path, *options: str) -> float:
    """Seconds to autograde everybody, without anything that is kept from before."""
    shutil.rmtree(folder / "reports", ignore_errors=True)
    return nbgrader(folder, "autograde", CVAE.kit, "--force", *options)


def main() -> None:
    """Measure, and print seconds and rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("submissions", nargs="?", type=int, default=12)
    parser.add_argument("--figures", action="store_true")
    given = parser.parse_args()
    count = given.submissions
    pool = [correct.encoded(source) for source in correct.CORRECT.values()]
    pool += [wrong.source(each).encode() for each in wrong.WRONG]
    modules = [pool[index * len(pool) // count] for index in range(count)]
    with tempfile.TemporaryDirectory() as temporary:
        ours = course(None, modules, Path(temporary) / "ours", given.figures)
        stock = course(STOCK, modules, Path(temporary) / "stock")
        seconds = {
            "without figures": graded(ours, "--RunNotebook.enabled=False"),
            "stock nbgrader, test cells alone": graded(stock),
        }
        if given.figures:
            again = "--RunNotebook.rerun=all"
            seconds |= {
                "figures, run again in doubt": graded(ours),
                "figures, all run again, one by one": graded(ours, again, "--RunNotebook.workers=1"),
                "figures, all run again, all cores": graded(ours, again),
            }
    for name, taken in seconds.items():
        print(f"{name:36} {taken:7.1f} s for {count} submissions  {60 * count / taken:6.1f} a minute")
    plain, with_kernel, *pictured = seconds.values()
    print(f"without figures: {with_kernel / plain:.1f} times the rate of stock nbgrader")
    if pictured:
        print(f"with figures: {with_kernel / pictured[0]:.1f} times the rate of stock nbgrader")
        print(f"with figures: {pictured[0] / pictured[1]:.2f} of the time of running all notebooks one by one")


if __name__ == "__main__":
    main()
