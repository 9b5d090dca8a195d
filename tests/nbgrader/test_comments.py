"""Comments to use again: every line that a TA writes is offered at its cell, and stays the TA's."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_notebook
from traitlets.config import Config

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.platforms.nbgrader.comments import FOLDER, read_comments
from autograder.platforms.nbgrader.course import build_course, configure

words = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1)
comments = st.lists(st.lists(words, min_size=1, max_size=5).map(" ".join), min_size=1, max_size=5)
cells = st.dictionaries(st.from_regex(r"[a-z][a-z_0-9-]{0,20}", fullmatch=True), comments, max_size=4)


@given(cells)
def test_every_comment_is_offered_at_its_cell(written: dict[str, list[str]]) -> None:
    sections = (f"## `{cell}`\n\n" + "".join(f"- {text}\n" for text in texts) for cell, texts in written.items())
    assert read_comments("# For TAs\n\n- not at a cell\n\n" + "\n".join(sections)) == written


def test_the_assignment_has_comments_for_each_cell_by_hand() -> None:
    assert CVAE.by_hand
    assert list(read_comments((CVAE.folder / "comments.md").read_text("utf-8"))) == sorted(CVAE.by_hand.shares)


def test_the_page_offers_what_the_ta_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):  # a refresh of the course keeps what was written
        build_course(CVAE, tmp_path)
        monkeypatch.chdir(tmp_path)
        path = tmp_path / FOLDER / f"{CVAE.kit}.md"
        path.write_text("## visualization\n- </script><script>alert(1)</script> $\\mu$ ümlaut\n", "utf-8")
    build_course(CVAE, tmp_path)
    configure(config := Config(), CVAE.where)
    resources = {"assignment_id": CVAE.kit, "index": 0, "total": 1}
    page, _ = HTMLExporter(config=config).from_notebook_node(new_notebook(), resources)
    (data,) = re.findall(r"const comments = (.*);", page)
    assert json.loads(data) == {"visualization": ["</script><script>alert(1)</script> $\\mu$ ümlaut"]}
    assert "<script>alert" not in page
