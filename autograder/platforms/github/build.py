"""GitHub: the template for students' repositories, with a workflow that grades each push."""

import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from autograder import output
from autograder.assignment import Assignment
from autograder.authoring.kit import filled_in, kit_files
from autograder.platforms.github.public import CHECKS

_PACKAGE = Path(__file__).parents[2]
_TEMPLATE = Path(__file__).with_name("template")
# What a student's own workflow needs to report the public checks.
_PUBLIC = (
    "__init__.py",
    "assignment.py",
    "output.py",
    "points.py",
    "assignments/__init__.py",
    *(f"platforms/{name}.py" for name in ("__init__", "github/__init__", "github/public", "github/workflow")),
    *(f"report/{name}.py" for name in ("__init__", "junit", "markdown", "model", "summary")),
    "sandbox/__init__.py",
    "sandbox/outline.py",
)


def build_template(
    assignment: Assignment,
    out: Path,
    repository: str | None = None,
    ref: str | None = None,
    data: Mapping[str, bytes] | None = None,
) -> Path:
    """Write the kit's folder, ready to be pushed as a template repository, into `out` and return its path.

    It has the kit and a workflow that grades each push. By default, it runs the public checks in the template.
    Given the course's `repository` (OWNER/NAME) and a tag or commit `ref`, it calls the reusable workflow there, which
    runs the graded checks.

    Raises:
        ValueError: a malformed repository or ref, or one without the other; or a file that contradicts the
            assignment's constants.
        FileExistsError: the folder exists, perhaps with somebody's work in it.
        FileNotFoundError: outside the course's repository, which has the notebook; or the kit lacks a README.md or the
            public checks.
    """
    if (repository is None) != (ref is None):
        raise ValueError("a repository needs a ref, the tag or commit to grade with, and a ref needs a repository")
    if repository is not None and not re.fullmatch(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", repository):
        raise ValueError(f"{repository!r} is not of the form OWNER/NAME")
    if ref is not None and not re.fullmatch(r"[A-Za-z0-9._/+-]+", ref):
        raise ValueError(f"{ref!r} is neither a tag nor a commit")

    files = kit_files(assignment, data)
    for name in ("README.md", CHECKS) if repository is None else ("README.md",):
        if name not in files:
            raise FileNotFoundError(f"the template needs a {name}: name it in {assignment.name}'s kit_files")
    files["student.md"] = files["README.md"]
    words = {
        "COURSE": assignment.course,
        "TITLE": assignment.title,
        "MODULE": assignment.module,
        "NOTEBOOK": Path(assignment.notebook).name,
    }
    for name in ("README.md", ".gitignore"):
        files[name] = filled_in(_TEMPLATE / name.removeprefix("."), words)
    if repository is None:
        workflow = filled_in(_TEMPLATE / "public.yml", words | {"PINNED": _pinned()})
        files |= {f".github/autograder/{name}": (_PACKAGE / name).read_bytes() for name in _PUBLIC}
        home = f".github/autograder/assignments/{assignment.name}"
        files |= {
            f"{home}/__init__.py": b"",
            f"{home}/assignment.py": (assignment.folder / "assignment.py").read_bytes(),
        }
    else:
        named = {"OWNER/NAME": repository, "REF": str(ref), "ASSIGNMENT": assignment.name}
        workflow = filled_in(_TEMPLATE / "graded.yml", named)
    files[".github/workflows/grade.yml"] = workflow

    folder = out / assignment.kit
    if folder.exists():
        raise FileExistsError(f"{folder} already exists: remove it, or name another folder with --out")
    output.write_folder(folder, files)
    return folder


def _pinned() -> str:
    """The installed versions of torch and torchvision, as requirements for pip."""
    return " ".join(f"{name}=={version(name).partition('+')[0]}" for name in ("torch", "torchvision"))
