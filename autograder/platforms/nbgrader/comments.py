"""Comments to use again, which formgrader offers under the comment box of each cell that is graded by hand."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from traitlets import Bool, Unicode

FOLDER = "comments"  # of the course, with a file for each assignment


def read_comments(text: str) -> dict[str, list[str]]:
    """The comments for each cell: items of a list, under a heading that is the cell's grade_id."""
    found: dict[str, list[str]] = defaultdict(list)
    cell = ""
    for line in text.splitlines():
        if heading := re.fullmatch(r"##\s+`?([\w-]+)`?.*", line):
            cell = heading[1]
        elif cell and (item := re.fullmatch(r"[-*]\s+(\S.*?)\s*", line)):
            found[cell].append(item[1])
    return dict(found)


class ReusableComments(Preprocessor):
    """Gives the page of a submission the comments, which it shows by the template in `pages/formgrader`."""

    enabled = Bool(True, help="Whether comments are offered.").tag(config=True)
    folder = Unicode(FOLDER, help="Where the comments are.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        path = Path(self.folder, f"{resources.get('assignment_id')}.md")
        resources["comments"] = read_comments(path.read_text("utf-8", "replace")) if path.is_file() else {}
        return nb, resources
