"""The code of notebooks/cvae.ipynb, cell by cell or all of it, for the tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "cvae.ipynb"


def source(cell_id: str) -> str:
    """The source of one cell; KeyError if there is none of that name."""
    return {cell.id: cell.source for cell in nbformat.read(NOTEBOOK, 4).cells}[cell_id]


def run(monkeypatch: pytest.MonkeyPatch, module: ModuleType, *cell_ids: str) -> dict[str, Any]:
    """Run these cells after the set-up cell, with `module` as the student's, and return their names and values."""
    monkeypatch.chdir(NOTEBOOK.parent)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setitem(sys.modules, "cs5814_vae", module)
    names: dict[str, Any] = {}
    for cell_id in ("setup", *cell_ids):
        lines = source(cell_id).splitlines(keepends=True)
        exec("".join(line for line in lines if not line.startswith("%")), names)
    return names


def execute(folder: Path, source: str, drawn: Path, notebook: Path = NOTEBOOK) -> subprocess.CompletedProcess[str]:
    """Run the notebook in smoke mode, in a folder like the unpacked kit, with this student module."""
    shutil.copy(notebook, folder)
    for name, path in CVAE.kit_files.items():
        if Path(path).parent.name == notebook.parent.name:
            shutil.copy(notebook.with_name(name), folder)
    shutil.copytree(drawn, folder / "digits")
    (folder / "cs5814_vae.py").write_text(source, "utf-8")
    environment = os.environ | {"CS5814_SMOKE": "1", "MNIST_ROOT": str(folder / "none"), "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    command = [
        sys.executable,
        "-m",
        "nbconvert",
        "--to",
        "notebook",
        "--execute",
        "--output",
        "out.ipynb",
        NOTEBOOK.name,
    ]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
