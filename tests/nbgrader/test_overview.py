"""What a TA sees at the box for points by hand, for any module of a student."""

import re
from pathlib import Path

import pytest
import torch
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_markdown_cell, new_notebook

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.platforms.nbgrader import overview
from autograder.platforms.nbgrader.figures import Drawn, Figures, Submission
from autograder.platforms.nbgrader.overview import MAX_LINES, ForStudents, Overview
from autograder.report.model import Check, Hint, Observed, Outcome, PartReport, Report
from autograder.sandbox.outputs import png


def page(monkeypatch: pytest.MonkeyPatch, source: bytes, for_students: bool = False, hint: str = "Two layers") -> str:
    """The page with the box, of a student whose figures are somebody else's and whose module has one mistake."""
    monkeypatch.setattr(overview, "assignment_of", lambda *_: CVAE)
    about = {"grade": False, "grade_id": "visualization", "locked": True, "points": 6, "schema_version": 3}
    task = new_markdown_cell("The task", metadata={"nbgrader": about | {"solution": False, "task": True}})
    check = Check("Depth", Outcome.FAILED, 0, 5, "wrong", [Hint("depth", hint, "")])
    report = Report.of(CVAE, parts=[PartReport("encoder", 15, [check], line=2)])
    observed = Observed(["9 of 10 are recognized."], [], {"generate": "one of each"})

    figures = Figures([Drawn(3, "picture", png=png(torch.zeros(4, 4, 3, dtype=torch.uint8)))], observed)
    submission = Submission("ada", {3: "generate"}, "", observed, 1, set(), ["The same as those of bob."])
    resources = {"autograder_report": (report, source), "autograder_figures": (submission, figures, Figures())}
    notebook, _ = Overview().preprocess(new_notebook(cells=[task]), resources)
    if for_students:
        notebook, _ = ForStudents().preprocess(notebook, {})
    shown: str = HTMLExporter(template_name="basic").from_notebook_node(notebook)[0]
    return shown


def test_figures_observations_and_hints_stand_above_the_box(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = page(monkeypatch, b"import torch\nclass Model: ...\n")
    for text in ("Please look closely", "those of bob", "9 of 10 are recognized.", "one of each", "class Model: ..."):
        assert shown.index(text) < shown.index("The task")
    assert "line 2: encoder: Two layers" in shown
    assert shown.count("<img") == 1


@pytest.mark.parametrize("mark", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\ufeff", "é"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_hint_stands_under_the_line_that_python_means(
    monkeypatch: pytest.MonkeyPatch, mark: str, encoding: str
) -> None:
    shown = page(monkeypatch, f"# coding: {encoding} {mark}\rclass Model: ...\r\n# c\n".encode(encoding, "replace"))
    _, row, _ = re.split(r"<tr style[^>]*>|<div style=\"background[^>]*>", shown, maxsplit=2)
    assert ">2</td>" in row
    assert "class Model: ..." in row


@pytest.mark.parametrize(("lines", "said"), [(MAX_LINES, ""), (MAX_LINES + 1, "1 more line"), (300_000, "more lines")])
def test_lines_that_are_left_out_are_counted(monkeypatch: pytest.MonkeyPatch, lines: int, said: str) -> None:
    shown = page(monkeypatch, b"a\r\n" * lines)
    assert (f"{said} of the module: not shown" in shown) == bool(said)


def test_no_student_reads_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = page(monkeypatch, b"x = 1\ny = 2\n", for_students=True)
    assert "bob" not in shown
    assert "9 of 10 are recognized." in shown


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "</td></table></div>\n\n<img src=x onerror=alert(1)>",
        "$<img src=x onerror=alert(1)>$ $$\\text{<script>alert(1)</script>}$$",
        "![x](javascript:alert(1)) [y](javascript:alert(1)) <javascript:alert(1)>",
        "```\n\n</div>\n\n# <svg onload=alert(1)>\n\n~~~",
        "\x0c<!--\x00-->\u2028\u202e&lt;script&gt;",
    ],
)
@pytest.mark.parametrize("where", ["source", "hint"])
def test_no_script_of_a_module_reaches_the_page(monkeypatch: pytest.MonkeyPatch, attack: str, where: str) -> None:
    source = f"class A: ...\nclass B: ...\n{attack}\n" if where == "source" else "class A: ...\nclass B: ...\n"
    shown = page(monkeypatch, source.encode(), hint=attack if where == "hint" else "Two layers")
    for sign in ("<script>alert", "<img src=x", "<svg", 'href="javascript', 'onerror="', "<h1"):
        assert sign not in shown.lower()
    assert shown.rindex("</div>") > shown.index("The task")
    assert Path(CVAE.module).name in shown
