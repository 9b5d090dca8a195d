"""A name is shown so that people can tell it from every other."""

import hashlib

from hypothesis import example, given
from hypothesis import strategies as st

from autograder.report.model import clean
from autograder.submissions.names import NAME_LIMIT, shown

LETTERS = st.sampled_from([
    *("a", "e", "f", "0", "1", "u", "x", "U", "+", "»", "«", "\\", "\\\\", "`", " ", "…", "é", "\u0301"),
    *("\u200b", "\u200d", "\u202e", "\u1fff", "\u2fff", "\u3164", "\ufffe", "\U0001fffe", "\U0002fffe", "\U000e0041"),
    *("\udc80", "\udcff", "\ud800", "\n", "\x07", "x41", "u0060", "u1fff", "U0001fffe", "U+200B»", "U+1FFFE»"),
    *("\\u1fff", "\\U0001fffe", "\\xff", "«U+3164»", "«U+200D»", "n" * NAME_LIMIT, "n" * (NAME_LIMIT - 10), "… "),
])  # fmt: skip
NAMES = st.lists(LETTERS, max_size=6).map("".join)


def said(name: str) -> str:
    """As a report has it."""
    return clean(shown(name))


@given(NAMES, NAMES)
@example("ada\u1fffe", "ada\U0001fffe")
@example("bob«U+3164»", "bob\u3164")
@example("\\`", "\\u0060")
@example("\\\u3164", "\\\\u3164")
def test_different_names_stay_different(one: str, other: str) -> None:
    for name in (one, other):
        for again in (shown(name), said(name), f"{name}e", name[:-1]):  # what looks like it, and is another
            assert again == name or said(again) != said(name)
    assert one == other or said(one) != said(other)


@given(st.lists(LETTERS, min_size=3).map("".join))
def test_no_name_is_that_of_one_that_was_cut(name: str) -> None:
    long = name * NAME_LIMIT
    digest = hashlib.sha256(long.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    assert shown(long)[-8:] == digest
    for like in (shown(long), f"{long[: NAME_LIMIT - 10]}… {digest}"):
        assert said(like) != said(long)


def test_ordinary_names_are_shown_as_they_are() -> None:
    for name in ("Ada Lovelace", "DOMAIN\\ada", "DOMAIN\\éva", "Zoë «the» O'Neil", "नम\u200dस्ते", "a… 12345678"):
        assert shown(name) == name
