"""Of a submitted notebook, the text is kept, and nothing else is believed."""

import base64
import json
import re
from pathlib import Path

import pytest
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.platforms.nbgrader.answers import SubmittedNotebooks
from autograder.platforms.nbgrader.submitted import harmless, module_in, picture, text_of
from autograder.submissions.find import NothingToGrade

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_only_text_claims_and_pasted_pictures_are_kept() -> None:
    code = new_code_cell("x = 1", metadata={"nbgrader": {"grade_id": "encoder"}, "tags": ["<b>"]})
    code.outputs = [NotebookNode(output_type="stream", name="stdout", text="20")]
    text = new_markdown_cell("![](attachment:a.png)", metadata={"nbgrader": {"grade_id": {"not": "a name"}}})
    text.attachments = {
        "a.png": {"image/png": PIXEL},
        "b.svg": {"image/svg+xml": "<svg/>"},
        "c.png": {"image/png": "<"},
    }
    kept = text_of(new_notebook(cells=[code, text], metadata={"widgets": {"state": 1}}))
    assert kept.metadata == {"language_info": {"name": "python"}}
    assert kept.cells[0].outputs == []
    assert kept.cells[0].metadata == {"nbgrader": {"grade_id": "encoder"}}
    assert kept.cells[1].metadata == {}
    assert kept.cells[1].attachments == {"a.png": {"image/png": PIXEL}}


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "<svg/onload=alert(1)>",
        "<!-- --><iframe src='javascript:alert(1)'></iframe>",
        "[click](javascript:alert(1))",
        "[click](  JaVaScRiPt:alert(1))",
        "[click](java&#115;cript:alert(1))",
        "[click](javascript&colon;alert(1))",
        "[click](javascript\\:alert(1))",
        "[click](<\tjavascript\t:alert(1)>)",
        "[click][1]\n\n[1]: javascript:alert(1)",
        "![x](data:text/html,alert)",
        '![x](x"onerror="alert(1))',
        "<javascript:alert(1)>",
        "```\n</code></pre><script>alert(1)</script>\n```",
        "$\\text{<script>alert(1)</script>}$",
        "$$<img src=x onerror=alert(1)>$$",
    ],
)
def test_no_script_of_a_students_reaches_a_page(attack: str) -> None:
    page, _ = HTMLExporter(template_name="basic").from_notebook_node(
        new_notebook(cells=[new_markdown_cell(harmless(attack))])
    )
    for sign in ("<script>alert", "<img src=x", "<svg", "<iframe", 'href="javascript:', 'onerror="'):
        assert sign not in page.lower()
    for address in re.findall(r'(?:href|src)="([^"]*)"', page):
        scheme = re.match(r"\s*([a-zA-Z][a-zA-Z0-9+.-]*):", address)
        assert scheme is None or scheme[1] in ("http", "https")


def test_ordinary_markdown_stays_as_it_is() -> None:
    text = (
        "# Title: a\n\n> quoted, $a < b$ and `x <= y`: [so](https://example.edu)\n\na|b\n:--|--:\n![](attachment:a.png)"
    )
    assert harmless(text) == text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"[]",
        b'{"cells": 1, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        b'{"cells": [{"cell_type": "code", "source": {"a": 1}, "metadata": {}}], "nbformat": 4, "nbformat_minor": 5}',
        b'{"nbformat": 3, "worksheets": "none"}',
        b"[" * 100_000,
        b'{"nbformat": 4, "metadata": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b', "cells": []}',
    ],
)
def test_a_file_that_is_no_notebook_is_an_empty_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cvae.ipynb"
    path.write_bytes(content)
    text, _ = SubmittedNotebooks().from_filename(str(path))
    assert all(cell["cell_type"] == "markdown" for cell in json.loads(text)["cells"])


def test_pictures_are_pictures() -> None:
    assert picture("image/png", PIXEL) == PIXEL
    assert picture("image/png", "\n".join((PIXEL[:10], PIXEL[10:]))) == PIXEL
    huge = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(8) + (10**6).to_bytes(4) * 2).decode()
    for data in ("", "<script>", PIXEL + "<", huge, None, ["x"]):
        assert picture("image/png", data) is None
    assert picture("image/svg+xml", PIXEL) is None


def test_a_link_is_no_module(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text("secret = 1")
    (tmp_path / "zoe").mkdir()
    (tmp_path / "zoe" / "cs5814_vae.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(NothingToGrade, match="symbolic link, which is never followed"):
        module_in(tmp_path / "zoe", CVAE)
