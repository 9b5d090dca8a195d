"""The code of notebooks/cvae.ipynb, cell by cell, for tests that need a piece of it."""

import sys
from pathlib import Path
from types import ModuleType

import nbformat

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "cvae.ipynb"


def source(cell_id: str) -> str:
    """The source of one cell; KeyError if there is none of that name."""
    return {cell.id: cell.source for cell in nbformat.read(NOTEBOOK, 4).cells}[cell_id]


def run(monkeypatch, module: ModuleType, *cell_ids: str) -> dict:
    """Run these cells after the set-up cell, with `module` as the student's, and return their names and values."""
    monkeypatch.chdir(NOTEBOOK.parent)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setitem(sys.modules, "cs5814_vae", module)
    names: dict = {}
    for cell_id in ("setup", *cell_ids):
        lines = source(cell_id).splitlines(keepends=True)
        exec("".join(line for line in lines if not line.startswith("%")), names)
    return names
