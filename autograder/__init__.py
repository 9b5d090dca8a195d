"""The autograder of CS 5814, homework 3, part 3: a conditional variational autoencoder.

    import autograder
    report = autograder.grade("cs5814_vae.py")
    print(report.score, report.to_json())

Light on purpose: the sandboxed worker imports this package too, so nothing here may import torch.
"""

from typing import TYPE_CHECKING, Any

__version__ = "1.0.0"
__all__ = ["GraderError", "NothingToGrade", "Report", "grade"]

if TYPE_CHECKING:
    from autograder.grading import GraderError, NothingToGrade, grade
    from autograder.report import Report
else:

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from autograder import grading

        return getattr(grading, name)
