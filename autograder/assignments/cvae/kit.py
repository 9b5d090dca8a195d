"""The drawn digits of the students' kit, for machines that cannot reach MNIST."""

import tempfile
from pathlib import Path

from autograder.assignments.cvae.assignment import ASSIGNMENT
from autograder.assignments.cvae.digits import write_mnist


def data(train_digits: int = 6000, test_digits: int = 1000) -> dict[str, bytes]:
    """So many drawn digits, in the files that torchvision reads, by their path in the kit."""
    with tempfile.TemporaryDirectory() as folder:
        digits = write_mnist(Path(folder), train_digits, test_digits)
        return {
            f"{ASSIGNMENT.data_folder}/{path.relative_to(digits).as_posix()}": path.read_bytes()
            for path in sorted(digits.rglob("*-ubyte"))
        }


def course_data() -> dict[str, bytes]:
    """Enough for the notebook's short run: in a course, every submission holds a copy."""
    return data(2000, 200)
