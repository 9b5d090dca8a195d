"""Make the students' fill-in module from the instructor's solution."""

import re

from autograder.assignment import Assignment

_BLOCK = re.compile(
    r"^(?P<indent>[ ]*)### BEGIN SOLUTION: (?P<ask>[^\n]+)\n.*?^(?P=indent)### END SOLUTION\n",
    re.DOTALL | re.MULTILINE,
)


def fill_in(assignment: Assignment) -> str:
    """The source of the assignment's fill-in; see `without_solutions`."""
    return without_solutions(assignment.solution.read_text("utf-8"))


def without_solutions(solution: str) -> str:
    """The source of the fill-in: each marked solution becomes one `raise NotImplementedError` that names the task.

    ValueError if a solution marker is left over: a mistyped marker must not give students a solution.
    """
    stripped = _BLOCK.sub(lambda block: f'{block["indent"]}raise NotImplementedError("{block["ask"]}")\n', solution)
    if "SOLUTION" in stripped:
        line = next(number for number, line in enumerate(stripped.splitlines(), 1) if "SOLUTION" in line)
        raise ValueError(
            f"line {line} of the fill-in still has a solution marker; write `### BEGIN SOLUTION: the task` "
            "and `### END SOLUTION` at the same indentation"
        )
    return stripped
