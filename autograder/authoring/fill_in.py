"""Make the students' fill-in module from the instructor's solution."""

import re
from pathlib import Path

from autograder.assignments.cvae.assignment import MODULE

SOLUTION = Path(__file__).parents[1] / "assignments" / "cvae" / "solution" / MODULE

_BLOCK = re.compile(
    r"^(?P<indent>[ ]*)### BEGIN SOLUTION: (?P<ask>[^\n]+)\n.*?^(?P=indent)### END SOLUTION\n",
    re.DOTALL | re.MULTILINE,
)


def fill_in(solution: str | None = None) -> str:
    """The source of the fill-in: each marked solution becomes one `raise NotImplementedError` that says what is asked.

    ValueError if a solution marker is left over, so that no solution can reach a student by a mistyped marker.
    """
    text = SOLUTION.read_text("utf-8") if solution is None else solution
    stripped = _BLOCK.sub(lambda block: f'{block["indent"]}raise NotImplementedError("{block["ask"]}")\n', text)
    if "SOLUTION" in stripped:
        line = next(number for number, line in enumerate(stripped.splitlines(), 1) if "SOLUTION" in line)
        raise ValueError(
            f"line {line} of the fill-in still holds a solution marker; write `### BEGIN SOLUTION: what is asked` "
            "and `### END SOLUTION` at the same indentation"
        )
    return stripped
