"""Nothing that a student typed is lost: it is in the autograded notebook, or its notes say what is not there."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook, Notebook

from autograder.platforms.nbgrader.answers import MAX_NOTEBOOKS, find_answers, noted
from autograder.platforms.nbgrader.submitted import restore

QUESTION = "### Your turn\n\nWhy is the noise drawn outside of the network?\n\n```python\nx = 1\n```"
CELLS = {
    "question": new_markdown_cell(QUESTION),  # a task: not for writing
    "answer": new_markdown_cell("Write here."),
    "test": new_code_cell('check("part")'),
    "code": new_code_cell("# Your code"),
}
PLAIN = [new_markdown_cell("# Lesson\n\nSome text."), new_code_cell("import torch")]


def released_notebook() -> NotebookNode:
    made = new_notebook(cells=[PLAIN[0], *CELLS.values(), PLAIN[1]])
    for name, cell in CELLS.items():
        cell.metadata.nbgrader = {"grade_id": name, "locked": name in ("question", "test")}
    return nbformat.from_dict(copy.deepcopy(made))


RELEASED = released_notebook()


@pytest.fixture(scope="module")
def released() -> Iterator[Notebook]:
    """The notebook as the gradebook has it."""
    with Gradebook("sqlite:///:memory:") as book:
        book.add_assignment("hw")
        book.add_notebook("nb", "hw")
        book.add_task_cell("question", "nb", "hw", max_score=4, cell_type="markdown")
        book.add_grade_cell("test", "nb", "hw", max_score=5, cell_type="code")
        book.add_solution_cell("answer", "nb", "hw")
        for name, cell in CELLS.items():
            locked = bool(cell.metadata.nbgrader.locked)
            book.add_source_cell(name, "nb", "hw", cell_type=cell.cell_type, source=cell.source, locked=locked)
        yield book.find_notebook("nb", "hw")


def autograded(files: dict[str, list[dict[str, Any]]], released: Notebook) -> NotebookNode:
    """What a TA sees of notebooks with these cells, by name."""
    with TemporaryDirectory() as temporary:
        for name, cells in files.items():
            made = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
            (Path(temporary) / name).write_text(json.dumps(made))
        shown = noted(find_answers(Path(temporary) / "nb.ipynb", RELEASED))
    restore(shown, released)
    return shown


def text_of_all(shown: NotebookNode) -> str:
    return "\n".join(cell.source for cell in shown.cells)


def released_cells() -> list[dict[str, Any]]:
    return copy.deepcopy(json.loads(nbformat.writes(RELEASED)))["cells"]


EDITS = st.tuples(
    st.sampled_from([
        *("append", "prepend", "amid", "retype", "clear", "delete", "copy", "copy before", "move", "split", "merge"),
        *("markdown", "code", "raw", "paste metadata", "drop metadata"),
    ]),
    st.integers(0, 30),
    st.integers(0, 30),
)  # fmt: skip


def edit(cells: list[dict[str, Any]], kind: str, at: int, to: int, word: str) -> None:
    """Edit a notebook as `kind` says, where something is typed, with `word` in it."""
    at, to = at % len(cells), to % len(cells)
    cell, text = cells[at], "".join(cells[at]["source"])
    match kind:
        case "append":
            cell["source"] = f"{text}\n\n{word}"
        case "prepend":
            cell["source"] = f"{word} {text}"
        case "amid":
            cell["source"] = f"{text[: len(text) // 2]}{word}{text[len(text) // 2 :]}"
        case "retype":
            cell["source"] = word
        case "copy" | "copy before":
            cells.insert(at + (kind == "copy"), copy.deepcopy(cell) | {"source": f"{text}\n{word}"})
        case "split":
            cells.insert(at + 1, copy.deepcopy(cell) | {"source": f"{text[len(text) // 2 :]}\n{word}"})
            cell["source"] = text[: len(text) // 2]
        case "markdown" | "code" | "raw":
            cell |= {"cell_type": kind, "source": f"{text}\n{word}"}
            cell |= {"outputs": [], "execution_count": None} if kind == "code" else {}
        case "paste metadata":
            cell |= {"metadata": copy.deepcopy(cells[to]["metadata"]), "source": f"{text}\n{word}"}
        case "drop metadata":
            cell |= {"metadata": {}, "source": f"{text}\n{word}"}
        case "move":
            cells.insert(to, cells.pop(at))
        case "merge" if to != at:
            cell["source"] = text + "\n" + "".join(cells[to]["source"])
            del cells[to]
        case "clear" if "word" not in text:
            cell["source"] = ""
        case "delete" if "word" not in text and len(cells) > 1:
            del cells[at]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(EDITS, max_size=6), min_size=1, max_size=3))
def test_each_word_that_was_typed_is_shown(released: Notebook, notebooks: list[list[tuple[str, int, int]]]) -> None:
    files = {}
    for number, edits in enumerate(notebooks):
        cells = files[f"other{number}.ipynb" if number else "nb.ipynb"] = released_cells()
        for step, (kind, at, to) in enumerate(edits):
            edit(cells, kind, at, to, f"word{number}x{step}")
    typed = {
        word
        for cells in files.values()
        for cell in cells
        for word in "".join(cell["source"]).replace("\n", " ").split()
        if word.startswith("word")
    }
    shown = autograded(files, released)
    text = text_of_all(shown)
    assert {word for word in typed if word not in text} == set()
    for name, cell in CELLS.items():
        (restored,) = (each for each in shown.cells if each.metadata.get("nbgrader", {}).get("grade_id") == name)
        assert restored.cell_type == cell.cell_type
        if cell.metadata.nbgrader.locked:
            assert restored.source == cell.source


def test_what_is_kept_of_a_question_is_what_was_written(released: Notebook) -> None:
    """In a cell below it, and once: the question's own text is not repeated."""
    cells = released_cells()
    cells[1]["source"] = QUESTION + "\n\nSo that gradients pass, we think."
    shown = autograded({"nb.ipynb": cells}, released).cells
    at = next(number for number, cell in enumerate(shown) if cell.id == "question")
    assert shown[at].source == QUESTION
    assert "Written in the cell above" in shown[at + 1].source
    assert shown[at + 2].source == "So that gradients pass, we think."
    assert "nbgrader" not in shown[at + 2].metadata
    assert len(shown) == len(cells) + 2


def test_an_untouched_notebook_gets_no_cell_more(released: Notebook) -> None:
    shown = autograded({"nb.ipynb": released_cells()}, released)
    assert [cell.source for cell in shown.cells[1:]] == [cell.source for cell in RELEASED.cells]


def test_a_code_cell_with_an_answers_name_runs_no_script(released: Notebook) -> None:
    """The text of code is not made harmless, so it never becomes the text of an answer."""
    cells = released_cells()
    cells[2] |= {"cell_type": "code", "source": "<script>alert(1)</script>", "outputs": [], "execution_count": None}
    shown = autograded({"nb.ipynb": cells}, released)
    (cell,) = (each for each in shown.cells if "<script>" in each.source)
    assert cell.cell_type == "code"


def test_notebooks_that_are_not_read_are_named(released: Notebook) -> None:
    files = {f"{number}.ipynb": released_cells() for number in range(MAX_NOTEBOOKS + 1)}
    assert f"{MAX_NOTEBOOKS + 1} notebooks were handed in" in text_of_all(autograded(files, released))
