"""Build what students get: a zip, or a template repository, with everything they need and nothing they must not see."""

import re
from collections.abc import Mapping
from pathlib import Path

from autograder.assignment import Assignment
from autograder.authoring.fill_in import fill_in
from autograder.authoring.rollover import require_in_step
from autograder.submissions.archive import write_archive

_PACKAGE = Path(__file__).parents[1]
_TEMPLATE = _PACKAGE / "platforms" / "github" / "template"
# What the public checks' report is made of: with these, a student's own workflow can write it.
_PUBLIC = (
    "__init__.py",
    "assignment.py",
    "assignments/__init__.py",
    *(f"platforms/{name}.py" for name in ("__init__", "github/__init__", "github/public", "github/workflow")),
    *(f"report/{name}.py" for name in ("__init__", "junit", "markdown", "model", "summary")),
    "sandbox/__init__.py",
    "sandbox/outline.py",
)


def build_kit(assignment: Assignment, out: Path, data: Mapping[str, bytes] | None = None) -> Path:
    """Write the assignment's kit, a zip, into the folder `out` and return its path.

    All files lie in one folder of the kit's name. The same sources give the same bytes.

    Arguments:
        data: files for students whose machine has no network, by their path in the kit; those of the assignment's
            `kit.data` by default.

    Raises:
        FileNotFoundError: outside of the course's repository, which holds the notebook.
        ValueError: a file there contradicts the assignment's constants.
    """
    files = {f"{assignment.kit}/{name}": content for name, content in kit_files(assignment, data).items()}
    return write_archive(out / f"{assignment.kit}.zip", files)


def build_template(
    assignment: Assignment,
    out: Path,
    repository: str | None = None,
    ref: str | None = None,
    data: Mapping[str, bytes] | None = None,
) -> Path:
    """Write the kit's folder, ready to be pushed as a template repository, into `out` and return its path.

    It holds the kit and a workflow that grades each push: with the public checks, which lie in the template; or, where
    the course's own `repository` (OWNER/NAME) and a tag or commit of it, `ref`, are given, with the graded checks by
    the reusable workflow there.

    Raises:
        ValueError: a repository or a ref that GitHub would not understand, or one without the other; or a file that
            contradicts the assignment's constants.
        FileExistsError: the folder is there already, perhaps with somebody's work in it.
        FileNotFoundError: outside of the course's repository, which holds the notebook.
    """
    if (repository is None) != (ref is None):
        raise ValueError("a repository needs a ref, the tag or commit to grade with, and a ref needs a repository")
    if repository is not None and not re.fullmatch(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", repository):
        raise ValueError(f"{repository!r} is not of the form OWNER/NAME")
    if ref is not None and not re.fullmatch(r"[A-Za-z0-9._/+-]+", ref):
        raise ValueError(f"{ref!r} is neither a tag nor a commit")

    files = kit_files(assignment, data)
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
        workflow = filled_in(_TEMPLATE / "public.yml", words | {"PINNED": _pinned(assignment)})
        files |= {f".github/autograder/{name}": (_PACKAGE / name).read_bytes() for name in _PUBLIC}
        home = f".github/autograder/assignments/{assignment.name}"
        files |= {
            f"{home}/__init__.py": b"",
            f"{home}/assignment.py": (assignment.folder / "assignment.py").read_bytes(),
        }
    else:
        workflow = filled_in(_TEMPLATE / "graded.yml", {"OWNER/NAME": repository, "REF": str(ref)})
    files[".github/workflows/grade.yml"] = workflow

    folder = out / assignment.kit
    if folder.exists():
        raise FileExistsError(f"{folder} exists already: remove it, or name another folder with --out")
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def kit_files(assignment: Assignment, data: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """The students' files by their path in the kit. For `data` and the errors see `build_kit`."""
    files = {assignment.module: fill_in(assignment).encode()}
    for name, source in {Path(assignment.notebook).name: assignment.notebook, **assignment.kit_files}.items():
        files[name] = _checkout(assignment.root / source).read_bytes().replace(b"\r\n", b"\n")
    require_in_step(assignment)
    if data is None and assignment.has("kit"):
        data = assignment.piece("kit").data()
    return files | dict(data or {})


def filled_in(template: Path, words: Mapping[str, str]) -> bytes:
    """A template with its placeholders, words in capitals, replaced."""
    text = template.read_text("utf-8")
    found = re.compile("|".join(rf"\b{re.escape(placeholder)}\b" for placeholder in words))
    return found.sub(lambda place: words[place[0]], text).encode()


def _pinned(assignment: Assignment) -> str:
    """The versions of torch and torchvision that constraints.txt pins, as pip takes them."""
    lines = _checkout(assignment.root / "constraints.txt").read_text("utf-8").splitlines()
    return " ".join(line for line in lines if line.startswith("torch"))


def _checkout(path: Path) -> Path:
    if not path.exists():
        raise FileNotFoundError(f"{path.name} is missing: build the kit in a checkout of the course's repository")
    return path
