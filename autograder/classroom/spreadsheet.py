"""Tables for spreadsheets: no cell of them is run."""

import re

_STARTS = "=+@|%＝＋－＠-"  # what a formula begins with
_AFTER_SEPARATOR = re.compile(rf"(;[\s\"]*)(?=[{_STARTS}])")


def harmless_cell(cell: object) -> object:
    """`cell`, so that no spreadsheet takes it for a formula: what a student chose as a name must not be run.

    Where commas are written in numbers, a spreadsheet splits lines at semicolons, also at those in quotes.
    """
    if not isinstance(cell, str):
        return cell
    line = _AFTER_SEPARATOR.sub(r"\1'", re.sub(r"[\x00-\x1f\x7f]+", " ", cell))
    return f"'{line}" if line.lstrip()[:1] in tuple(_STARTS) else line
