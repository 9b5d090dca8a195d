"""A new term: bring every file that holds a copy of the assignment's constants in step with its `assignment.py`.

What students get has to stand by itself, so it cannot import the constants. The assignment's `passages.py` lists every
passage that holds one (`PASSAGES` by file below the assignment's root, `CELLS` by cell of the notebook), `fields` gives
what goes there, `sizes` those of the solution, `require_sound` refuses constants that cannot be taught, `measure` takes
the figures that depend on data, and `warning` says what lets last term's answers pass.
"""

import difflib
import json
import math
import re
import types
from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.assignment import Assignment
from autograder.authoring.fill_in import without_solutions
from autograder.points import shown


class CannotRollOver(ValueError):
    """The assignment file holds a value that will not do, or a passage is not where it should be."""


class OutOfStep(CannotRollOver):
    """Files differ from what the assignment makes of them."""


def out_of_step(assignment: Assignment, data: Path | None = None) -> dict[Path, tuple[str, str]]:
    """The files that differ from what the assignment makes of them: as they are, and as they should be.

    With a folder of `data`, the figures that depend on it are measured anew. CannotRollOver if the assignment cannot be
    taught so or a passage is missing; FileNotFoundError outside of the repository.
    """
    if not (assignment.root / assignment.notebook).exists():
        raise FileNotFoundError(f"{assignment.notebook} is missing: work in a checkout of the course's repository")
    term = assignment.piece("passages")
    term.require_sound()
    reference = solution(assignment)
    values = term.fields(reference, None if data is None else term.measure(data, reference))
    texts = {name: (assignment.root / name).read_text("utf-8") for name in (*term.PASSAGES, assignment.notebook)}
    files = {}
    for name, text in texts.items():
        try:
            if name == assignment.notebook:
                files[name] = (text, _renew_notebook(text, term.CELLS, values, assignment))
            else:
                files[name] = (text, _renew(text, term.PASSAGES[name], values))
        except CannotRollOver as error:
            raise CannotRollOver(f"{name}: {error}") from None
    blank = (assignment.root / assignment.module).read_text("utf-8")
    files[assignment.module] = (blank, without_solutions(files[_solution_name(assignment)][1]))
    return {assignment.root / name: pair for name, pair in files.items() if pair[0] != pair[1]}


def require_in_step(assignment: Assignment) -> None:
    """OutOfStep if any file is, so that nothing can be published that contradicts the grading.

    An assignment without passages holds no copies of its constants but the fill-in, which is made anew.
    """
    if assignment.has("passages") and (files := out_of_step(assignment)):
        names = ", ".join(path.relative_to(assignment.root).as_posix() for path in files)
        raise OutOfStep(f"out of step with {assignment.name}'s assignment.py: {names}; run `autograder rollover`")


def changed_lines(old: str, new: str) -> list[str]:
    """The lines that go, marked -, and those that come, marked +."""
    difference = difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
    return [line for line in list(difference)[2:] if not line.startswith("@@")]


def solution(assignment: Assignment) -> types.ModuleType:
    """The solution as the assignment makes it, even where another state of it has been imported."""
    term = assignment.piece("passages")
    module = types.ModuleType("solution")
    source = _renew(assignment.solution.read_text("utf-8"), term.PASSAGES[_solution_name(assignment)], term.sizes())
    exec(compile(source, str(assignment.solution), "exec"), module.__dict__)
    return module


def _solution_name(assignment: Assignment) -> str:
    return assignment.solution.relative_to(assignment.root).as_posix()


# --- passages -----------------------------------------------------------------------------------------------------


_NUMBER = r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?"


def _renew(text: str, passages: Iterable[str], values: Mapping[str, str]) -> str:
    """`text` with the fields of all passages, wherever they occur, as they are in `values`."""
    renewed: list[str] = []
    for passage in passages:
        words = re.split(r"\{([a-z_]+)\}", passage)  # words, field, words, field, …, words
        fields = words[1::2]
        pattern = "".join(_like(values[word]) if index % 2 else re.escape(word) for index, word in enumerate(words))
        found = list(re.finditer(pattern, text, flags=re.DOTALL))
        if not found:
            raise CannotRollOver(f"{passage!r} is not there; if you have reworded it, do so in passages.py too")
        for place in reversed(found):  # the last first: the others stay where they were found
            words[1::2] = [
                _settle(field, old, values[field]) for field, old in zip(fields, place.groups(), strict=True)
            ]
            renewed.append("".join(words))
            text = text[: place.start()] + renewed[-1] + text[place.end() :]
    if lost := next((each for each in renewed if each not in text), None):
        raise CannotRollOver(f"{lost!r} was overwritten: two passages in passages.py mean the same place")
    return text


def _like(value: str) -> str:
    """Matches what `value` may take the place of: a number that of a number, else anything up to the next words."""
    return f"({_NUMBER if re.fullmatch(_NUMBER, value) else '.+?'})"


def _settle(field: str, old: str, new: str) -> str:
    """`new`, or `old` for a computed figure that differs only as it may between processors, by rounding."""
    if not field.startswith("example_") or re.sub(_NUMBER, "", old) != re.sub(_NUMBER, "", new):
        return new
    pairs = zip(*(map(float, re.findall(_NUMBER, each)) for each in (old, new)), strict=True)
    return old if all(math.isclose(*pair, abs_tol=1.1e-4) for pair in pairs) else new


def _renew_notebook(
    text: str, passages: Mapping[str, Iterable[str]], values: Mapping[str, str], assignment: Assignment
) -> str:
    notebook = json.loads(text)
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    for name, own in passages.items():
        if name not in cells:
            raise CannotRollOver(f"there is no cell {name!r}")
        source = _renew("".join(cells[name]["source"]), own, values)
        cells[name]["source"] = source.splitlines(keepends=True)
    points = {part.name: part.points for part in assignment.parts}
    if assignment.by_hand:
        points[assignment.by_hand.name] = assignment.by_hand.points
    for cell in notebook["cells"]:
        if data := cell["metadata"].get("nbgrader"):
            data["points"] = json.loads(shown(points[data["grade_id"]]))
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
