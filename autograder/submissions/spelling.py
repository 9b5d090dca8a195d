"""Ids and names in the spellings of rosters, platforms and people, for comparison."""

from __future__ import annotations

import re
import unicodedata

# Latin letters that Unicode does not take apart, and what people write who lack the keys; ß becomes ss without case.
_STROKES = str.maketrans(
    {"æ": "ae", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l", "ø": "o", "œ": "oe", "ŧ": "t", "þ": "th"}
)
# In German and Scandinavian: ae, oe and so on.
_TWO_LETTERS = str.maketrans({letter: f"{base}e" for letter, base in zip("äöøü", "aoou", strict=True)} | {"å": "aa"})
_LONGEST = 255  # characters of a name
_EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # the family name comes first, without a space


def same(text: str) -> str:
    """An id or a name for comparison: without case, composed letters and outer white space."""
    return unicodedata.normalize("NFC", text).strip().casefold()


def squeezed(text: str) -> str:
    """An id or a name for comparison, without its separators, too."""
    return re.sub(r"[\W_]", "", same(text))


def plain(text: str) -> str:
    """A text for comparison, without the accents and strokes of Latin letters, which people leave out."""
    letters = unicodedata.normalize("NFD", same(text).translate(_STROKES))
    return unicodedata.normalize("NFC", re.sub(r"(?<=[a-z])[\u0300-\u036f]+", "", letters))


def spellings(text: str) -> list[str]:
    """A text as `plain`, and with two letters for one: `jorg` and `joerg` for Jörg."""
    return [*dict.fromkeys((plain(text), plain(same(text).translate(_TWO_LETTERS))))]


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", plain(text))


def has_case(text: str) -> bool:
    """Whether some of its letters have capitals. Scripts without them need no space between two names."""
    return text.lower() != text.upper()


def name_key(name: str) -> str:
    """A name for comparison, with the given name first: a comma is after the family name."""
    last, comma, first = same(name).partition(",")
    return " ".join(f"{first} {last}".split() if comma else last.split())


def whole_names(name: str) -> set[tuple[str, bool]]:
    """The spellings of a name without punctuation and white space, and whether it is one word; none if it is too long.

    One word may be a login, and then is not the name of two: `kimkay` is not Kim Kay.
    """
    words = [words_of(each) for each in spellings(name_key(name))] if len(name) <= _LONGEST else []
    return {("".join(each), len(each) == 1 and has_case(name)) for each in words if each}


def names_of(name: str) -> set[str]:
    """The name as it is, and with the name in parentheses in place of the one before it, or left out."""
    return {name_key(each) for each in (name, without_nickname(name), re.sub(r"\S+ *\(([^()]+)\)", r"\1", name))}


def without_nickname(name: str) -> str:
    return re.sub(r" *\([^()]+\)", "", name)


def without_id(name: str) -> str:
    """The name without the id in parentheses that Sakai puts behind it."""
    return re.sub(r"\([^()]+\)$", "", name)


def in_any_order(name: str) -> list[str]:
    """The name for comparison, with each of its words first: any of them may begin the family name."""
    words = name_key(name).split()
    return [" ".join(words[start:] + words[:start]) for start in range(len(words))]


def as_written(name: str) -> set[str]:
    """The names that `name` stands for, in the order in which people write them."""
    names = names_of(name)
    return names | {turned for each in names if _EAST_ASIAN.search(each) for turned in in_any_order(each)}
