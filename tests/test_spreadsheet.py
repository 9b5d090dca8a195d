"""No cell that a spreadsheet finds in our tables is a formula, wherever it splits their lines."""

import csv
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.classroom.outgoing import table

TEXT = st.lists(st.sampled_from([*"=+-@|%＝＋－＠;,\t\n\r\"' a1", "=1+1", "\u00a0", "\u3000", "; ", ";;"]), max_size=9)


@given(st.lists(TEXT.map("".join), min_size=1, max_size=4), st.sampled_from(";,\t"))
@example(["ValueError: ;=1+1;=cmd|calc!A0;"], ";")
@example([';"=1'], ";")
def test_no_cell_is_a_formula_in_any_locale(texts: list[str], separator: str) -> None:
    for row in csv.reader(table([texts]).splitlines(), delimiter=separator):
        for cell in row:
            assert not unicodedata.normalize("NFKC", cell.strip(' \t"')).startswith(tuple("=+-@|%")), cell


@pytest.mark.parametrize("text", ["a; b", "shapes (3, -1)", "x = 1; y = 2", "Ann-Marie; O'Neil", "a; 'b'"])
def test_ordinary_text_stays(text: str) -> None:
    assert table([[text]]) == f'"{text}"\n'
