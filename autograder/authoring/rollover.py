"""A new term: update every copy of the assignment's constants from its `assignment.py`.

Students' files cannot import the constants, so they contain copies. The assignment's `passages.py` defines:

- `PASSAGES` (by file below the assignment's root) and `CELLS` (by cell of the notebook): the passages with a constant;
- `fields`: the text for each constant, and `sizes`: those of the solution;
- `require_sound`, which refuses constants that cannot be taught;
- `measure`, which computes the figures that depend on data;
- `generated`, if there: the files that are made as a whole;
- `warning`: what lets last term's answers pass.

Without a `passages.py`, only the points in the notebook and the fill-in are updated.
"""

import difflib
import json
import math
import re
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment
from autograder.fill_in import without_solutions
from autograder.points import shown


class CannotRollOver(ValueError):
    """The assignment file has an unsuitable value, or a passage is not where it should be."""


class OutOfStep(CannotRollOver):
    """Files differ from what the assignment makes of them."""


def out_of_step(assignment: Assignment, data: Path | None = None) -> dict[Path, tuple[str, str]]:
    """The files that differ from what the assignment makes of them: as they are, and as they should be.

    With a folder of `data`, the figures that depend on it are measured again. CannotRollOver if the constants are
    unsuitable or a passage is missing; FileNotFoundError outside the repository.
    """
    if not (assignment.root / assignment.notebook).exists():
        raise FileNotFoundError(f"{assignment.notebook} is missing: work in a checkout of the course's repository")
    term = _term(assignment)
    term.require_sound()
    reference = solution(assignment)
    values = term.fields(reference, None if data is None else term.measure(data, reference))
    name_of_solution = _solution_name(assignment)
    names = dict.fromkeys((name_of_solution, *term.PASSAGES, assignment.notebook))
    files = {}
    for name in names:
        text = (assignment.root / name).read_text("utf-8")
        try:
            if name == assignment.notebook:
                files[name] = (text, _renew_notebook(text, term.CELLS, values, assignment))
            else:
                files[name] = (text, _renew(text, term.PASSAGES.get(name, ()), values))
        except CannotRollOver as error:
            raise CannotRollOver(f"{name}: {error}") from None
    for name, text in getattr(term, "generated", dict)().items():
        path = assignment.root / name
        files[name] = (path.read_text("utf-8") if path.exists() else "", text)
    if (blank := assignment.root / assignment.module).exists():
        files[assignment.module] = (blank.read_text("utf-8"), without_solutions(files[name_of_solution][1]))
    return {assignment.root / name: pair for name, pair in files.items() if pair[0] != pair[1]}


def warning(assignment: Assignment) -> str | None:
    """What lets last term's answers pass, if anything does."""
    said = _term(assignment).warning(assignment.solution.read_text("utf-8"))
    return str(said) if said else None


def _term(assignment: Assignment) -> Any:
    """The assignment's passages.py, or one that lists nothing."""
    return assignment.piece("passages") if assignment.has("passages") else _NO_PASSAGES


_NO_PASSAGES = types.SimpleNamespace(
    PASSAGES={},
    CELLS={},
    fields=lambda *_: {},
    sizes=dict,
    require_sound=lambda: None,
    measure=lambda *_: None,
    warning=lambda _: None,
)


def require_in_step(assignment: Assignment) -> None:
    """OutOfStep if any file is, so that nothing published contradicts the grading."""
    if files := out_of_step(assignment):
        names = ", ".join(path.relative_to(assignment.root).as_posix() for path in files)
        raise OutOfStep(f"out of step with {assignment.name}'s assignment.py: {names}; run `autograder rollover`")


def changed_lines(old: str, new: str) -> list[str]:
    """The removed lines, marked -, and the added lines, marked +."""
    difference = difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
    return [line for line in list(difference)[2:] if not line.startswith("@@")]


def solution(assignment: Assignment) -> types.ModuleType:
    """The solution as the assignment makes it, even if another version has been imported."""
    term = _term(assignment)
    module = types.ModuleType("solution")
    passages = term.PASSAGES.get(_solution_name(assignment), ())
    source = _renew(assignment.solution.read_text("utf-8"), passages, term.sizes())
    exec(compile(source, str(assignment.solution), "exec"), module.__dict__)
    return module


def _solution_name(assignment: Assignment) -> str:
    return assignment.solution.relative_to(assignment.root).as_posix()


# --- passages -----------------------------------------------------------------------------------------------------


_NUMBER = r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?"


def _renew(text: str, passages: Iterable[str], values: Mapping[str, str]) -> str:
    """`text` with the fields of all passages replaced by `values`, at each place."""
    renewed: list[str] = []
    for passage in passages:
        words = re.split(r"\{([a-z_]+)\}", passage)  # words, field, words, field, …, words
        fields = words[1::2]
        pattern = "".join(_like(values[word]) if index % 2 else re.escape(word) for index, word in enumerate(words))
        found = list(re.finditer(pattern, text, flags=re.DOTALL))
        if not found:
            raise CannotRollOver(f"{passage!r} was not found; if you reworded it, reword it in passages.py too")
        for place in reversed(found):  # the last first, so that the others do not move
            words[1::2] = [
                _settle(field, old, values[field]) for field, old in zip(fields, place.groups(), strict=True)
            ]
            renewed.append("".join(words))
            text = text[: place.start()] + renewed[-1] + text[place.end() :]
    if lost := next((each for each in renewed if each not in text), None):
        raise CannotRollOver(f"{lost!r} was overwritten: two passages in passages.py mean the same place")
    return text


def _like(value: str) -> str:
    """Match what `value` may replace: a number for a number, else anything up to the next words."""
    return f"({_NUMBER if re.fullmatch(_NUMBER, value) else '.+?'})"


def _settle(field: str, old: str, new: str) -> str:
    """`new`, or `old` for a computed figure that differs only by rounding, as between processors."""
    if not field.startswith("example_") or re.sub(_NUMBER, "", old) != re.sub(_NUMBER, "", new):
        return new
    pairs = zip(*(map(float, re.findall(_NUMBER, each)) for each in (old, new)), strict=True)
    return old if all(math.isclose(*pair, abs_tol=1.1e-4) for pair in pairs) else new


def _renew_notebook(
    text: str, passages: Mapping[str, Iterable[str]], values: Mapping[str, str], assignment: Assignment
) -> str:
    notebook = json.loads(text)
    cells = {cell.get("id"): cell for cell in notebook["cells"]}
    for name, own in passages.items():
        if name not in cells:
            raise CannotRollOver(f"there is no cell {name!r}")
        source = _renew("".join(cells[name]["source"]), own, values)
        cells[name]["source"] = source.splitlines(keepends=True)
    points = {part.name: part.points for part in assignment.parts}
    if assignment.by_hand:
        points |= assignment.by_hand.shares
    for cell in notebook["cells"]:
        data = cell["metadata"].get("nbgrader", {})
        if data.get("grade") or data.get("task"):
            if data["grade_id"] not in points:
                known = ", ".join(points)
                raise CannotRollOver(f"the test cell {data['grade_id']!r} must have the name of a part: {known}")
            data["points"] = json.loads(shown(points[data["grade_id"]]))
    return text if notebook == json.loads(text) else json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
