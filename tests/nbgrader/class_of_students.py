"""A class: what each student hands in, and what is after the grade in it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.assignment import MODULE
from autograder.fill_in import fill_in
from tests.nbgrader.drawn_figures import hand_in
from tests.submissions import correct, hostile, wrong

NOTEBOOK = Path(CVAE.notebook).stem
PERFECT = CVAE.solution.read_text("utf-8")
BLANK = fill_in(CVAE)
WRONG = {each.name: wrong.source(each) for each in wrong.WRONG}
HOSTILE = {each.name: each.source for each in hostile.HOSTILE}

STRIPS_ASSERTS = (
    """
import ast

try:
    from IPython import get_ipython

    class Strip(ast.NodeTransformer):
        def visit_Assert(self, node):
            return ast.Pass()

        def visit_Expr(self, node):  # every check passes, and says so
            return ast.parse("25").body[0]

    get_ipython().ast_transformers.append(Strip())
except Exception:
    pass
"""
    + BLANK
)

PATCHES_GRADERS = (
    """
import sys

try:
    import nbgrader.utils
    import nbgrader.preprocessors.saveautogrades as save
    import pytest
    import public_checks

    nbgrader.utils.determine_grade = lambda cell, log=None: (25, 25)
    save.SaveAutoGrades._add_score = lambda self, cell, resources: None
    pytest.main = lambda *arguments, **options: 0
    public_checks.check = lambda name: print("All checks pass.")
    sys.modules["autograder.platforms.nbgrader.grades"] = sys.modules["public_checks"]
except Exception:
    pass
"""
    + BLANK
)


def writes_to(course: Path) -> str:
    """A module that does what it can to the gradebook, to the kept reports and to its own autograded notebook."""
    return (
        f"""
import glob, os, sqlite3

COURSE = {str(course)!r}
try:
    gradebook = sqlite3.connect(os.path.join(COURSE, "gradebook.db"))
    gradebook.execute("UPDATE grade SET auto_score = 25, manual_score = 25")
    gradebook.commit()
except Exception:
    pass
for path in glob.glob(COURSE + "/reports/*") + glob.glob(COURSE + "/*graded/*/*/*"):
    try:
        os.chmod(path, 0o666)
        open(path, "w").close()
    except Exception:
        pass
try:
    os.makedirs(COURSE, exist_ok=True)
    open(os.path.join(COURSE, "was-here"), "w").close()
except Exception:
    pass
"""
        + BLANK
    )


def edited(notebook: Path) -> None:
    """Edit what is locked: sources, points, identities and outputs of the test cells, and a script for the TA."""
    data = json.loads(notebook.read_text("utf-8"))
    cells = {cell["metadata"]["nbgrader"]["grade_id"]: cell for cell in data["cells"] if "nbgrader" in cell["metadata"]}
    for cell in cells.values():
        cell["metadata"]["nbgrader"]["points"] = 1000
        cell["source"] = "1000"
        if cell["cell_type"] == "code":
            data = data | {"metadata": {"kernelspec": {"name": "sh", "display_name": "sh", "language": "sh"}}}
            cell["outputs"] = [
                {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/plain": "25"}}
            ]
    cells["encoder"]["metadata"]["nbgrader"]["grade"] = False
    cells["decoder"]["metadata"]["nbgrader"]["solution"] = True
    cells["decoder"]["metadata"]["nbgrader"]["locked"] = False
    cells["forward"]["cell_type"] = "markdown"
    for name in ("outputs", "execution_count"):
        del cells["forward"][name]
    cells["training"]["metadata"]["nbgrader"]["schema_version"] = 99
    data["cells"].remove(cells["sample_latent"])
    data["cells"].append(cells["loss_function"] | {"id": "again"})
    extra = {"grade": True, "grade_id": "bonus", "locked": True, "points": 50, "schema_version": 3}
    extra |= {"solution": False, "task": False}
    data["cells"].append(
        {"cell_type": "code", "id": "bonus", "metadata": {"nbgrader": extra}, "source": "50"}
        | {"outputs": [], "execution_count": None}
    )
    script = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\">"
    data["cells"].append({"cell_type": "markdown", "id": "script", "metadata": {}, "source": script})
    data["cells"].append({"cell_type": "raw", "id": "raw", "metadata": {"format": "text/html"}, "source": script})
    shows = f"from IPython.display import HTML, Javascript, display\ndisplay(HTML({script!r}))\nJavascript('alert(1)')"
    data["cells"].append(
        {"cell_type": "code", "id": "shows", "metadata": {}, "source": shows, "outputs": [], "execution_count": None}
    )
    notebook.write_text(json.dumps(data), "utf-8")


def figures_of(seed: int) -> Callable[[Path], None]:
    """Hand in figures."""
    return lambda notebook: hand_in(notebook, seed)


@dataclass(frozen=True)
class Student:
    """One submission: the module, or None, and what else is done to the folder."""

    name: str
    module: str | bytes | None
    edit: Callable[[Path], object] | None = None

    def fill(self, folder: Path) -> None:
        """Turn `folder`, a fetched assignment, into what this student hands in."""
        if self.module is None:
            (folder / MODULE).unlink()
        elif isinstance(self.module, bytes):
            (folder / MODULE).write_bytes(self.module)
        else:
            (folder / MODULE).write_text(self.module, "utf-8")
        if self.edit is not None:
            self.edit(folder / f"{NOTEBOOK}.ipynb")


def students(course: Path) -> tuple[Student, ...]:
    """The class that submits through the exchange."""
    return (
        Student("ann", PERFECT),
        Student("ben", BLANK),
        Student("cam", WRONG["variance-as-std"], edit=figures_of(1)),
        Student("dee", WRONG["kl-without-exp"], edit=figures_of(1)),  # the same
        Student("eve", correct.CORRECT["sub-modules"]),  # late
        Student("fay", BLANK),  # submits again
        Student("gus", None),
        Student("hal", WRONG["encoder-of-four-layers"], edit=Path.unlink),
        Student("ida", STRIPS_ASSERTS),
        Student("jon", PATCHES_GRADERS),
        Student("kim", writes_to(course)),
        Student("lou", WRONG["decoder-without-sigmoid"], edit=edited),
        Student("mel", HOSTILE["exception-with-a-hostile-name"]),
        Student("nat", PERFECT, edit=lambda notebook: notebook.write_bytes(b'{"cells": [[[\xff')),
        Student("oda", HOSTILE["os-exit-at-import"]),
        Student("pia", "def sample_latent(:\n"),
    )
