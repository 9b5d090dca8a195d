"""What nobody can see in a text is shown: by Unicode's own categories and its published list."""

import re
import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.report.model import MOST_MARKS, clean, pasteable, printable

# Default_Ignorable_Code_Point, of Unicode's DerivedCoreProperties.txt (16.0).
IGNORABLE = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
# Prepended_Concatenation_Mark (PropList.txt): of the category of format characters, but drawn around digits.
DRAWN = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"}


def unseen(code: int) -> bool:
    if chr(code) in "\t\n " or code in DRAWN:
        return False
    ignorable = any(low <= code <= high for low, high in IGNORABLE)
    nothing = 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE
    hieroglyphic = 0x13430 <= code <= 0x1343F  # of the category of format characters, since Unicode 15
    blank = code in (0x2800, 0x1D159)  # a pattern without dots, a note without a head
    return ignorable or nothing or hieroglyphic or blank or unicodedata.category(chr(code)) in UNSEEN


def test_every_character_is_itself_or_its_code_point() -> None:
    for start in range(0, sys.maxunicode + 1, 4096):
        codes = range(start, start + 4096)
        shown = clean("".join(f"a{chr(code)}b" for code in codes), 100_000)
        assert shown == "".join(f"a«U+{code:04X}»b" if unseen(code) else f"a{chr(code)}b" for code in codes)


texts = st.text(st.characters() | st.sampled_from("\u200b\u0301\u0489\u3164\ufe0f\x1b\r\n\U000e0041"), max_size=60)


@given(texts, st.integers(1, 80))
def test_what_is_clean_stays_and_fits(text: str, limit: int) -> None:
    shown = clean(text, limit)
    assert len(shown) <= limit
    assert clean(shown, limit) == shown
    shown.encode()


@given(texts, texts)
def test_two_texts_that_differ_look_different(one: str, other: str) -> None:
    def seen(text: str) -> str:
        return text.replace("\r\n", "\n")

    assert (clean(one) == clean(other)) == (seen(one) == seen(other)) or "«U+" in one + other


@pytest.mark.parametrize("text", ["Zoë", "Zoe\u0308", "Nguyễn", "Ng\u0075\u0302\u0303n", "שָׁלוֹם", "हिन्दी", "学生", "n̈̃"])
def test_names_are_left_as_they_are(text: str) -> None:
    assert clean(text) == text


def test_a_flood_of_marks_covers_nothing() -> None:
    shown = clean("a" + "\u0301" * 50 + "b\n\u0301c")
    assert shown.startswith("a" + "\u0301" * MOST_MARKS + "«U+0301»")
    assert shown.endswith("«U+0301»b\n«U+0301»c")


@given(st.lists(st.text(st.sampled_from(" :#[]av\t\u2003"), max_size=12), max_size=4).map("\n".join))
def test_lines_to_paste_hold_no_command_of_a_log(text: str) -> None:
    shown = pasteable(text)
    assert not re.search(r"^\s*::|##\w*\[", shown, re.MULTILINE)
    assert shown.replace("\N{WORD JOINER}", "") == clean(text)


@pytest.mark.parametrize("line", ["x[::2]", "    print(x[0, ::4].detach())  # every fourth", "# gives ::error::"])
def test_lines_to_paste_stay_python(line: str) -> None:
    assert pasteable(line) == line


def test_time_grows_with_the_length() -> None:
    for character in ("\u200b", "\u0301", "é", "\x1b", "\r\n", ":", "##a["):
        started = time.process_time()
        printable(character * 1_000_000, 70_000)
        assert time.process_time() - started < 1.0
