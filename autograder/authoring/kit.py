"""Build what students get: a zip, or a template repository, with everything they need and nothing they must not see."""

import re
import tempfile
from pathlib import Path

from autograder.assignments.cvae.assignment import MODULE
from autograder.assignments.cvae.digits import write_mnist
from autograder.authoring.fill_in import fill_in
from autograder.authoring.rollover import require_in_step
from autograder.submissions.archive import write_archive

KIT = "hw3-part3"
TRAIN_DIGITS, TEST_DIGITS = 6000, 1000

_PACKAGE = Path(__file__).parents[1]
_REPOSITORY = _PACKAGE.parent
_FILES = {
    "cvae.ipynb": "notebooks/cvae.ipynb",
    "public_checks.py": "notebooks/public_checks.py",
    "environment.yml": "notebooks/environment.yml",
    "README.md": "docs/student.md",
}
_TEMPLATE = _PACKAGE / "platforms" / "github" / "template"
# What `autograder.platforms.github.public` is made of: with these, a student's own workflow reports the public checks.
_PUBLIC = (
    "__init__.py",
    "assignments/__init__.py",
    "assignments/cvae/__init__.py",
    "assignments/cvae/assignment.py",
    *(f"platforms/{name}.py" for name in ("__init__", "github/__init__", "github/public", "github/workflow")),
    *(f"report/{name}.py" for name in ("__init__", "junit", "markdown", "model", "summary")),
)


def build_kit(out: Path, train_digits: int = TRAIN_DIGITS, test_digits: int = TEST_DIGITS) -> Path:
    """Write `hw3-part3.zip` into the folder `out` and return its path.

    All files lie in one folder, `hw3-part3/`, with as many drawn digits as asked for, for students whose machine
    cannot reach MNIST. The same sources give the same bytes. FileNotFoundError outside of the course's repository,
    which holds the notebook; ValueError where a file there contradicts the assignment's constants.
    """
    files = {f"{KIT}/{name}": content for name, content in _kit(train_digits, test_digits).items()}
    return write_archive(out / f"{KIT}.zip", files)


def build_template(
    out: Path,
    repository: str | None = None,
    ref: str | None = None,
    train_digits: int = TRAIN_DIGITS,
    test_digits: int = TEST_DIGITS,
) -> Path:
    """Write the folder `hw3-part3`, ready to be pushed as a template repository, into `out` and return its path.

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

    files = _kit(train_digits, test_digits)
    files["student.md"] = files["README.md"]
    for name in ("README.md", ".gitignore"):
        files[name] = (_TEMPLATE / name.removeprefix(".")).read_bytes()
    if repository is None:
        workflow = (_TEMPLATE / "public.yml").read_text("utf-8").replace("PINNED", _pinned())
        files |= {f".github/autograder/{name}": (_PACKAGE / name).read_bytes() for name in _PUBLIC}
    else:
        workflow = (
            (_TEMPLATE / "graded.yml").read_text("utf-8").replace("OWNER/NAME", repository).replace("@REF", f"@{ref}")
        )
    files[".github/workflows/grade.yml"] = workflow.encode()

    folder = out / KIT
    if folder.exists():
        raise FileExistsError(f"{folder} exists already: remove it, or name another folder with --out")
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def _kit(train_digits: int, test_digits: int) -> dict[str, bytes]:
    """The students' files by name."""
    files = {MODULE: fill_in().encode()}
    for name, source in _FILES.items():
        files[name] = _checkout(source).read_bytes().replace(b"\r\n", b"\n")
    require_in_step()
    with tempfile.TemporaryDirectory() as folder:
        digits = write_mnist(Path(folder), train_digits, test_digits)
        for path in sorted(digits.rglob("*-ubyte")):
            files[f"digits/{path.relative_to(digits).as_posix()}"] = path.read_bytes()
    return files


def _pinned() -> str:
    """The versions of torch and torchvision that constraints.txt pins, as pip takes them."""
    lines = _checkout("constraints.txt").read_text("utf-8").splitlines()
    return " ".join(line for line in lines if line.startswith("torch"))


def _checkout(name: str) -> Path:
    path = _REPOSITORY / name
    if not path.exists():
        raise FileNotFoundError(f"{name} is missing: build the kit in a checkout of the course's repository")
    return path
