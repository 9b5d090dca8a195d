"""A program's header is understood to its last line, and no part of the program."""

from pathlib import Path

import pytest

from tests.submissions.programs import Program, read

KEYS = frozenset({"attack", "score"})


def test_what_follows_the_header_is_the_program(tmp_path: Path) -> None:
    source = b"# coding: latin-1\r\n# caf\xe9\r\n\r\n\n\nx = 1"
    (tmp_path / "odd.py").write_bytes(b"# attack: parsers\n# score: 0 to 90 (why: it is right)\n\n" + source)
    expected = {"attack": "parsers", "score": "0 to 90 (why: it is right)"}
    assert list(read(tmp_path, KEYS)) == [Program("odd", source, expected)]


@pytest.mark.parametrize(
    "header", ["# scores: 0", "# score: 0\n# score: 90", "# score:", "# score 0", "score: 0", "import torch"]
)
def test_a_header_that_is_not_understood_is_refused(tmp_path: Path, header: str) -> None:
    (tmp_path / "odd.py").write_text(f"# attack: parsers\n{header}\n\nx = 1\n")
    with pytest.raises(ValueError, match=r"odd\.py"):
        list(read(tmp_path, KEYS))
