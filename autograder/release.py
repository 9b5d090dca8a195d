"""Build the students' kit: a zip with everything they need and nothing they must not see."""

import tempfile
import zipfile
from pathlib import Path

from autograder.assignment import MODULE
from autograder.digits import write_mnist
from autograder.fill_in import fill_in

KIT = "hw3-part3"
TRAIN_DIGITS, TEST_DIGITS = 6000, 1000

_REPOSITORY = Path(__file__).parents[1]
_FILES = {
    "cvae.ipynb": "notebooks/cvae.ipynb",
    "public_checks.py": "notebooks/public_checks.py",
    "environment.yml": "notebooks/environment.yml",
    "README.md": "docs/student.md",
}


def build_kit(out: Path, train_digits: int = TRAIN_DIGITS, test_digits: int = TEST_DIGITS) -> Path:
    """Write `hw3-part3.zip` into the folder `out` and return its path.

    All files lie in one folder, `hw3-part3/`, with as many drawn digits as asked for, for students whose machine
    cannot reach MNIST. The same sources give the same bytes. FileNotFoundError outside of the course's repository,
    which holds the notebook.
    """
    files = {MODULE: fill_in().encode()}
    for name, source in _FILES.items():
        path = _REPOSITORY / source
        if not path.exists():
            raise FileNotFoundError(f"{source} is missing: build the kit in a checkout of the course's repository")
        files[name] = path.read_bytes().replace(b"\r\n", b"\n")
    with tempfile.TemporaryDirectory() as folder:
        digits = write_mnist(Path(folder), train_digits, test_digits)
        for path in sorted(digits.rglob("*-ubyte")):
            files[f"digits/{path.relative_to(digits).as_posix()}"] = path.read_bytes()

    out.mkdir(parents=True, exist_ok=True)
    kit = out / f"{KIT}.zip"
    with zipfile.ZipFile(kit, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{KIT}/{name}")  # its date is 1980, whenever the kit is built
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is built: Windows would leave the mode unset
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return kit
