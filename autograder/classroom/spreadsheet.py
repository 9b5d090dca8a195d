"""Tables for spreadsheets: no cell of them is run."""

import re


def harmless_cell(cell: object) -> object:
    """`cell`, so that no spreadsheet takes it for a formula: what a student chose as a name must not be run."""
    if not isinstance(cell, str):
        return cell
    line = re.sub(r"[\x00-\x1f\x7f]+", " ", cell)
    return f"'{line}" if line.lstrip()[:1] in tuple("=+-@|%＝＋－＠") else line
