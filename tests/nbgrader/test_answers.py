"""A student's text reaches the TA from any notebook, and what cannot be read says so."""

import codecs
import json
import time
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import nbformat
import pytest
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.platforms.nbgrader import answers
from autograder.platforms.nbgrader.answers import Answers, Shelf, find_answers, noted, number_of
from autograder.platforms.nbgrader.pictures import MAX_HELD
from autograder.platforms.nbgrader.submitted import MAX_CELLS
from autograder.submissions import notebooks
from autograder.submissions.names import path_of
from autograder.submissions.notebooks import outputs_apart, placeholder
from tests.nbgrader.test_submitted import png_of

RELEASED = new_notebook(cells=[new_markdown_cell("Write here."), new_code_cell("check('encoder')")])


def notebook(*texts: str, lines: int = 0) -> str:
    cells = [*RELEASED.cells, *map(new_markdown_cell, texts)]
    made = new_notebook(cells=[NotebookNode(cell) for cell in cells])
    made = json.loads(nbformat.writes(made))
    outputs = [{"output_type": "stream", "name": "stdout", "text": ["x" * 99 + "\n"] * lines}] if lines else []
    made["cells"][1]["outputs"] = outputs
    return json.dumps(made)


def shown(folder: Path) -> str:
    """All that a TA reads of the submission in `folder`."""
    return "\n".join(cell.source for cell in noted(find_answers(folder / "cvae.ipynb", RELEASED)).cells)


@pytest.mark.parametrize(
    "name",
    ["cvae.ipynb", "cvae (1).ipynb", "cvae-Copy1.ipynb", "Copy of cvae.ipynb", "CVAE.ipynb", "cvae - Copy (2).ipynb",
     "my homework.ipynb", "hw3/cvae.ipynb", "cvae.ipynb.json", "cvae.ipynb.txt"],
)  # fmt: skip
@pytest.mark.parametrize("beside", [None, "released", "damaged"])
def test_the_text_is_found_under_any_name(tmp_path: Path, name: str, beside: str | None) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    if beside and name != "cvae.ipynb":
        (tmp_path / "cvae.ipynb").write_text(notebook() if beside == "released" else "{")
    (tmp_path / name).write_text(notebook("MY ANSWER"))
    text = shown(tmp_path)
    assert "MY ANSWER" in text
    assert (f"<code>{name}</code>" in text) == (name != "cvae.ipynb"), "a guess is said"


def test_the_text_of_every_notebook_is_shown(tmp_path: Path) -> None:
    (tmp_path / "cvae.ipynb").write_text(notebook("ONE"))
    (tmp_path / "answers.ipynb").write_text(notebook("TWO"))
    text = shown(tmp_path)
    assert {"ONE", "TWO"} <= set(text.split("\n"))
    assert "<b>From</b> <code>answers.ipynb</code>" in text


NAMES = st.sampled_from([
    *("b", "`", "~~", " ", "**10 of 10.**", "$x$", "$$", r"\color{red}{x}", "<b>", "</div>", "&lt;"),
    *("\n\n", "\n# ", "_", "[x](mailto:a@b.edu)", "![x](y)", "\\", "|", "\u202e", "](attachment:a)", "<!--"),
])  # fmt: skip


@given(st.lists(NAMES, max_size=8).map(lambda pieces: "".join(pieces).replace("/", "")))
def test_the_name_of_a_file_is_text_in_the_notes(name: str) -> None:
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "cvae.ipynb").write_text(notebook("ONE"))
        (folder / f"{name}1.ipynb").write_text("{")
        (folder / f"{name}2.ipynb").write_text(notebook("TWO"))
        page, _ = HTMLExporter(template_name="basic").from_notebook_node(
            noted(find_answers(folder / "cvae.ipynb", None))
        )
    soup = BeautifulSoup(page, "html.parser")
    notes, other = [box.extract() for box in soup(class_="tex2jax_ignore")]
    assert {tag.name for tag in (*notes(True), *other(True))} == {"p", "b", "ul", "li", "code"}
    assert other.get_text() == f"From {path_of((f'{name}2.ipynb',))}"
    assert [code.get_text() for code in notes("code")].count(path_of((f"{name}1.ipynb",))) == 1
    assert not soup(["em", "strong", "a", "img", "h1"])
    assert "$" not in soup.get_text()


def test_a_mountain_of_outputs_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "cvae.ipynb").write_text(notebook("MY ANSWER", lines=400_000))
    assert (tmp_path / "cvae.ipynb").stat().st_size > 39_000_000
    assert "MY ANSWER" in shown(tmp_path)


def test_a_notebook_of_colab_is_read(tmp_path: Path) -> None:
    """Colab writes the format's first version, without ids, and metadata of its own."""
    cells = [
        {"cell_type": "markdown", "source": ["MY ", "ANSWER"], "metadata": {"id": "aB3"}},
        {"cell_type": "code", "source": [], "metadata": {"colab": {"base_uri": "x"}, "id": "c", "outputId": "d"},
         "execution_count": 4, "outputs": [{"output_type": "stream", "name": "stdout", "text": ["1\n"]}]},
    ]  # fmt: skip
    made = {"nbformat": 4, "nbformat_minor": 0, "metadata": {"colab": {"provenance": []}, "accelerator": "GPU"}}
    (tmp_path / "cvae.ipynb").write_text(json.dumps(made | {"cells": cells}))
    assert "MY ANSWER" in shown(tmp_path)


def test_what_was_released_says_nothing_of_the_students(tmp_path: Path) -> None:
    """Compared is what was written, not what is shown of it."""
    released = new_notebook(cells=[new_markdown_cell("Run this: `a`<br>\n```bash\nls\n```\n![x](/x.png) [y](y.html)")])
    (tmp_path / "cvae.ipynb").write_text(nbformat.writes(released))
    found = find_answers(tmp_path / "cvae.ipynb", released)
    assert found.ids == {0: released.cells[0].id}
    assert found.notes == ["no notebook was handed in but the released one"]
    assert "bash" not in found.notebook.cells[0].source


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"{", "cannot be read"), (b'{"cells": [{"outputs": [', "cannot be read"), (None, "There is no notebook"),
     (notebook().encode(), "no notebook was handed in but the released one"),
     (notebook(lines=1).encode(), "no answer was written in this notebook."),
     (notebook(lines=1).replace('"x', '"image/png').encode(), "no answer was written in this notebook; its figures"),
     (notebook().replace("Write here.", "").encode(), "no answer was written in this notebook.")],
)  # fmt: skip
def test_what_is_no_answer_says_so(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "cvae.ipynb").write_bytes(content)
    assert said.lower() in shown(tmp_path).lower()


def test_cells_that_are_left_out_are_told(tmp_path: Path) -> None:
    (tmp_path / "cvae.ipynb").write_text(notebook(*map(str, range(MAX_CELLS))))
    assert f"has {MAX_CELLS + 2} cells" in shown(tmp_path)


def test_a_linked_notebook_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.ipynb").write_text(notebook("SECRET"))
    folder = tmp_path / "ada" / "hw"
    folder.mkdir(parents=True)
    (folder / "cvae.ipynb").symlink_to(tmp_path / "elsewhere.ipynb")
    text = shown(folder)
    assert "SECRET" not in text
    assert "symbolic link" in text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('a"\\[]{}:,é')),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["outputs", "cells", "x"]), inner),
    max_leaves=12,
)


def apart(value: object, lists: list[object]) -> object:
    """`value` with each list of outputs replaced by its placeholder and put to the `lists`."""
    if isinstance(value, dict):
        found: dict[str, object] = {}
        for key, each in value.items():
            if key == "outputs" and isinstance(each, list):
                found[key] = placeholder(len(lists))
                lists.append(each)
            else:
                found[key] = apart(each, lists)
        return found
    return [apart(each, lists) for each in value] if isinstance(value, list) else value


@given(value=JSON, indent=st.sampled_from([None, 1]))
def test_outputs_alone_are_taken_out(value: object, indent: int | None) -> None:
    text, outputs = outputs_apart(json.dumps(value, indent=indent, ensure_ascii=False).encode())
    lists: list[object] = []
    assert json.loads(text) == apart(value, lists)
    assert [json.loads(bytes(each)) for each in outputs] == lists


@pytest.mark.parametrize(
    "data", [b'{"outputs":["' + b'\\"' * 10**7, b'"outputs":[' * 10**6, b'{"outputs":[' + b'"a",' * 3 * 10**6 + b"]}"]
)
def test_no_notebook_holds_the_grader(data: bytes) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match="outputs"):
        outputs_apart(data)
    assert time.process_time() - began < 10


def test_text_without_end_is_not_copied() -> None:
    data = b'{"cells": [{"outputs": [], "source": "' + b"a" * (64 << 20) + b'"}]}'
    tracemalloc.start()
    with pytest.raises(ValueError, match="still larger than 32 MiB"):
        outputs_apart(data)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1 << 20


KIND = st.sampled_from(["code", "markdown", "raw", "heading", "?"])
CELL = ("cell_type", "source", "metadata", "outputs", "attachments", "nbgrader", "grade_id", "input", "level")
FILLED = st.recursive(
    st.none() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(CELL), inner, max_size=5),
    max_leaves=20,
)

TEXT = st.text(max_size=99) | st.lists(st.text(max_size=9))
OTHERS = dict.fromkeys(("metadata", "outputs", "attachments", "id"), FILLED)
CELLS = st.fixed_dictionaries({"cell_type": KIND, "source": TEXT}, optional=OTHERS)
CELL_WITHOUT_ID = b'{"cell_type":"raw","source":""}'


@given(
    cells=st.lists(CELLS) | st.lists(CELLS | FILLED),
    top=st.dictionaries(st.sampled_from(["nbformat", "worksheets", "metadata", "cells"]), FILLED, max_size=2),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_feedback_can_be_made_of_anything(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], cells: list[object], top: dict[str, object]
) -> None:
    """The page is nbconvert's, and nothing that a file holds is told on the terminal."""
    (tmp_path / "cvae.ipynb").write_text(json.dumps({"nbformat": 4, "cells": cells} | top))
    made = noted(find_answers(tmp_path / "cvae.ipynb", RELEASED))
    page, _ = HTMLExporter(template_name="basic").from_notebook_node(made)
    assert len(page) < 200_000
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b'{"nbformat":4, "cells":[], "metadata":{"x":[%s]}}' % b",".join([b"{}"] * 2_000_000), "1,000,000 texts, commas"),
     (b'{"nbformat":4, "cells":[%s]}' % b",".join([CELL_WITHOUT_ID] * 200_000), "1,000,000 texts, commas"),
     (b'{"nbformat":4, "cells":[%s]}' % b",".join([b'{"outputs":[]}'] * 900_000), "outputs of more than 20,000 cells"),
     (b'{"nbformat":4, "cells":%s}' % (b"[" * 500 + b"]" * 500), "more than 100 deep"),
     (b'{"nbformat":4, "cells":"%s' % (b'\\"' * 10_000_000), "not JSON")],
    ids=["values", "cells", "outputs", "depth", "text"],
)  # fmt: skip
def test_a_notebook_too_large_is_not_built(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "cvae.ipynb").write_bytes(content)
    (tmp_path / "answers.ipynb").write_text(notebook("MY ANSWER"))
    began = time.process_time()
    tracemalloc.start()
    text = shown(tmp_path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert said in text
    assert "MY ANSWER" in text
    assert most < 5 * len(content) + (64 << 20)
    assert time.process_time() - began < 30


def test_many_notebooks_take_little_more_memory_than_one(tmp_path: Path) -> None:
    """Each is within its own bounds: what is held of all of them together has to be bounded, too."""
    pixels = png_of(10, 10)
    pasted = {f"{name}.png": {"image/png": pixels + "A" * (4 << 20)} for name in "abc"}
    most = []
    for number in range(8):
        made = json.loads(notebook(f"ANSWER {number}"))
        made["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * (15 << 20)}]
        made["cells"][-1]["attachments"] = pasted
        (tmp_path / f"cvae-Copy{number}.ipynb").write_text(json.dumps(made))
        if number in (0, 7):
            tracemalloc.start()
            found = find_answers(tmp_path / "cvae.ipynb", RELEASED)
            most.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            assert [len(held) >> 20 for held in found.outputs.values()] == [15]
    assert "ANSWER 7" in "".join(cell.source for cell in found.notebook.cells)
    assert most[1] < most[0] + 3 * (15 << 20) + MAX_HELD, "the outputs of eight would be 8 * 15 MiB"


@given(text=st.text(st.sampled_from("a\u6f22\U0001f600\n"), max_size=99), order=st.sampled_from(["le", "be"]))
def test_utf_16_is_read_in_pieces(text: str, order: str) -> None:
    mark = codecs.BOM_UTF16_LE if order == "le" else codecs.BOM_UTF16_BE
    with patch.object(notebooks, "_CHUNK", 7):  # within a letter, too
        assert notebooks.in_utf8(mark + text.encode(f"utf-16-{order}")) == text.encode()


def test_a_file_whose_name_is_a_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "x`![x](attachment:a.png)`.ipynb").write_text("{")
    exported, _ = HTMLExporter(template_name="basic").from_notebook_node(
        noted(find_answers(tmp_path / "cvae.ipynb", RELEASED))
    )
    assert "cannot be read" in exported


def test_many_cells_with_one_id_are_read_quietly(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cell = {"id": "a", "cell_type": "raw", "metadata": {}, "source": "MY ANSWER"}
    (tmp_path / "cvae.ipynb").write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "cells": [cell] * 5000}))
    assert "has 5000 cells" in shown(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_large_pictures_in_outputs_are_read(tmp_path: Path) -> None:
    made = json.loads(notebook("MY ANSWER"))
    made["cells"][1]["outputs"] = [
        {"output_type": "display_data", "metadata": {}, "data": {"image/png": "A" * (15 << 20)}}
    ]
    made["metadata"]["widgets"] = {f"{index}": {"state": {"value": index, "layout": "x"}} for index in range(50_000)}
    (tmp_path / "cvae.ipynb").write_text(json.dumps(made))
    found = find_answers(tmp_path / "cvae.ipynb", RELEASED)
    assert found.notes == []
    assert {index: len(outputs) > 15 << 20 for index, outputs in found.outputs.items()} == {1: True}


def test_a_notebook_of_2013_is_read(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["MY ANSWER"], "metadata": {}},
        {"cell_type": "code", "input": ["1"], "language": "python", "collapsed": False, "metadata": {},
         "outputs": [{"output_type": "stream", "stream": "stdout", "text": ["1\n"]}]},
    ]  # fmt: skip
    made = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": cells, "metadata": {}}],
    }
    (tmp_path / "cvae.ipynb").write_text(json.dumps(made))
    found = find_answers(tmp_path / "cvae.ipynb", RELEASED)
    assert [cell.source for cell in found.notebook.cells] == ["## MY ANSWER", "1"]
    assert list(found.outputs) == [1]


NUMBERS = st.integers() | st.integers(10**6, 10**30) | st.floats() | st.booleans() | st.none() | st.text(max_size=3)
NUMBERED = (
    *("level", "collapsed", "prompt_number", "execution_count", "nbformat", "nbformat_minor", "metadata"),
    *("attachments", "outputs", "width"),
)


@given(
    cells=st.lists(
        st.dictionaries(st.sampled_from(NUMBERED), NUMBERS | st.dictionaries(st.sampled_from(NUMBERED), NUMBERS)),
        max_size=3,
    ),
    kind=st.sampled_from(["heading", "code", "markdown", "html", "raw"]),
    version=NUMBERS | st.integers(1, 5),
    old=st.booleans(),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_number_in_a_notebook_makes_text(
    tmp_path: Path, cells: list[dict[str, Any]], kind: str, version: object, old: bool
) -> None:
    text = [each | {"cell_type": kind, "source": "MY ANSWER", "input": "MY ANSWER"} for each in cells]
    held: dict[str, Any] = {"worksheets": [{"cells": text}]} if old else {"cells": text}
    (tmp_path / "cvae.ipynb").write_text(json.dumps({"nbformat": 3 if old else version} | held))
    found = noted(find_answers(tmp_path / "cvae.ipynb", RELEASED))
    assert len(json.dumps(found)) < 3000


@pytest.mark.parametrize(
    ("level", "marks"), [(1, 1), (6, 6), (700_000_000, 6), (-3, 1), (True, 1), ("9" * 9, 1), (2.5, 1), (None, 1)]
)
def test_a_heading_of_2013_has_one_to_six_marks(tmp_path: Path, level: object, marks: int) -> None:
    cell = {"cell_type": "heading", "level": level, "source": ["MY\n", "ANSWER"]}
    made = {"nbformat": 3, "worksheets": [{"cells": [cell]}]}
    (tmp_path / "cvae.ipynb").write_text(json.dumps(made))
    (read,) = find_answers(tmp_path / "cvae.ipynb", RELEASED).notebook.cells
    assert read.source == "#" * marks + " MY ANSWER"


@pytest.mark.parametrize("version", [3, 4])
def test_a_cell_of_no_type_costs_no_other(tmp_path: Path, version: int) -> None:
    cells = [{"source": ["OF NO TYPE"], "metadata": {}}, {"cell_type": "markdown", "source": "MY ANSWER"}]
    held = {"cells": cells} if version == 4 else {"worksheets": [{"cells": cells}]}
    (tmp_path / "cvae.ipynb").write_text(json.dumps({"nbformat": version} | held))
    found = find_answers(tmp_path / "cvae.ipynb", RELEASED)
    assert found.notes == []
    assert [cell.source for cell in found.notebook.cells] == ["OF NO TYPE", "MY ANSWER"]


def test_a_notebook_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = json.loads(notebook("MY ANSWER", lines=1))
    (tmp_path / "cvae.ipynb").write_text(json.dumps(made))
    alone = find_answers(tmp_path / "cvae.ipynb", RELEASED)
    parsed: list[Path] = []

    def counting(wanted: Path, released: NotebookNode | None) -> Answers:
        parsed.append(wanted)
        return find_answers(wanted, released)

    monkeypatch.setattr(answers, "find_answers", counting)
    shelf = Shelf()
    for outputs in (False, True, False, False):
        found = shelf.find(tmp_path / "cvae.ipynb", RELEASED, outputs=outputs)
        assert (found.notebook, found.notes, found.ids) == (alone.notebook, alone.notes, alone.ids)
        assert found.outputs == (alone.outputs if outputs else {})
        noted(found, ["a note"])
    assert len(parsed) == 1


def test_each_output_stays_with_its_cell(tmp_path: Path) -> None:
    made = new_notebook(
        cells=[new_code_cell("1"), new_markdown_cell("MY ANSWER"), new_code_cell("2"), new_code_cell("3")]
    )
    made.cells[0].metadata["outputs"] = []
    for index in (0, 3):
        made.cells[index].outputs = [nbformat.v4.new_output("stream", text=f"of {index} ]")]
    nbformat.write(made, tmp_path / "cvae.ipynb")
    handed_in = find_answers(tmp_path / "cvae.ipynb", RELEASED)
    found = {index: json.loads(outputs)[0]["text"] for index, outputs in handed_in.outputs.items()}
    assert {index: "".join(text) for index, text in found.items()} == {0: "of 0 ]", 3: "of 3 ]"}
    numbers = [number_of(cell) for cell in noted(handed_in, ["a note"]).cells]
    assert numbers == [None, 0, 1, 2, 3]
