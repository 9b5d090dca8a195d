"""Ids and names in the spellings of rosters, platforms and people, for comparison."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from contextlib import suppress
from itertools import product
from urllib.parse import unquote

# Letters that Unicode does not take apart, and what people write who lack the keys; ß becomes ss without case.
_STROKES = {"æ": "ae", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l", "ø": "o", "œ": "oe", "ŧ": "t", "þ": "th"}
# Forms of one letter in Arabic and Persian, and the line that widens a word, as Lucene's normalizers read them.
_STROKES |= {"ی": "ي", "ى": "ي", "ے": "ي", "ک": "ك", "ة": "ه", "ہ": "ه", "ە": "ه", "ـ": ""}
_PLAIN = str.maketrans(_STROKES)
# In German and Scandinavian: ae, oe and so on.
_TWO_LETTERS = str.maketrans({letter: f"{base}e" for letter, base in zip("äöøü", "aoou", strict=True)} | {"å": "aa"})
_SELECTOR = re.compile("[\u034f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_MONTHS: tuple[str, ...] = ("january", "february", "march", "april", "may", "june", "july", "august")
_MONTHS += ("september", "october", "november", "december")
_POWER = re.compile(r"\d(?:[.,](\d{1,15}))?e\+?\d{1,3}", re.ASCII)  # as a spreadsheet shows a number: 2.00E+05
_LONGEST = 255  # characters of a name
_CODE_PAGES = ("cp437", "cp850", "cp1252", "latin-1", "mac_roman")  # in which archives have been written
_LEFT = 3  # letters of a name that lost others
_SIGN = r"[\W_]"  # what may be in place of a letter that could not be written
_TITLE = re.compile(  # how people are addressed: `Dr. Ada Lovelace`
    r"\s*(?:(?:mr|mrs|ms|miss|mx|dr|prof|herr|frau|monsieur|madame|mme|mlle|sra?|srta|señora?|dhr|mevr)\b\.?\s+)+",
    re.IGNORECASE,
)
_EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # the family name comes first, without a space


def same(text: str) -> str:
    """An id or a name for comparison: without case, composed letters, invisible ones and outer white space.

    Numbers in any script are the usual ones.
    """
    if not text.isascii():
        text = "".join(each for each in unicodedata.normalize("NFC", text) if unicodedata.category(each) != "Cf")
        text = "".join(str(unicodedata.decimal(each, each)) for each in text)
    return text.strip().casefold()


def squeezed(text: str) -> str:
    """An id or a name for comparison, without its separators, too."""
    return re.sub(r"[\W_]", "", same(text))


def plain(text: str) -> str:
    """A text for comparison, in letters of the usual width and without accents and strokes, which people leave out."""
    text = same(text)
    if text.isascii():
        return text
    letters = unicodedata.normalize("NFD", same(unicodedata.normalize("NFKC", text))).translate(_PLAIN)
    return unicodedata.normalize("NFC", "".join(each for each in letters if not _is_accent(each)))


def _is_accent(letter: str) -> bool:
    """Whether this is a mark that people may leave out, by its class in Unicode: an accent, or a point for a vowel.

    Points are in Hebrew, Arabic and Syriac (10 to 36). Other classes are of letters, as が in Japanese and ु in Hindi.
    What selects a variant of a letter or an emoji may be missing, too.
    """
    kind = unicodedata.combining(letter)
    return 10 <= kind <= 36 or kind >= 200 or _SELECTOR.match(letter) is not None


def spellings(text: str) -> list[str]:
    """A text as `plain`, and with two letters for one: `jorg` and `joerg` for Jörg; for å alone, too."""
    text = same(text)
    return [*dict.fromkeys(map(plain, (text, text.translate(_TWO_LETTERS), text.replace("å", "aa"))))]


def words_of(text: str) -> list[str]:
    """The words of a text as `plain`, with the marks in them that are letters."""
    text = plain(text)
    if not text.isascii():
        text = "".join(each if each.isalnum() or unicodedata.category(each)[0] == "M" else " " for each in text)
    return re.findall(r"[^\W_]+" if text.isascii() else r"[^\W_]\S*", text)


def readings(name: str) -> list[str]:
    """What a name was before something wrote it with escapes, or read it with the wrong encoding.

    Info-ZIP writes `#U00eb` for ë, and others `%C3%AB` or `&euml;`. UTF-8 read as a code page of Windows is `├½`.
    """
    if len(name) > _LONGEST:
        return []
    escaped = re.sub(r"#(?:U([0-9a-fA-F]{4})|L(0[0-9a-fA-F]{5}))", lambda code: chr(int(code[1] or code[2], 16)), name)
    found = {escaped: None, unquote(name): None, html.unescape(name): None}
    for wrong, right in product(_CODE_PAGES, ("utf-8", *_CODE_PAGES)) if not name.isascii() else ():
        with suppress(UnicodeError):
            found[name.encode(wrong, "surrogateescape").decode(right)] = None
    return [each for each in found if each != name]


def parted(text: str) -> str:
    """A text with a space where a capital begins the next word: `hw3GraceHopper` is `hw3 Grace Hopper`."""
    pairs = zip(f" {text}", text, strict=False)
    begins = [each.isupper() and last.isalnum() and not last.isupper() for last, each in pairs]
    return "".join(f" {each}" if begin else each for each, begin in zip(text, begins, strict=True))


def worn(name: str, least: int) -> str:
    """A pattern of the name with `least` to 4 signs for each letter beyond ASCII: `Zo_ Salda__a`, or `Zo Saldaa`.

    Empty where less than half of the letters would be left, or no letter is lost.
    """
    text = same(name)
    letters = [each for each in text if each.isalpha()]
    if text.isascii() or sum(map(str.isascii, letters)) < max(_LEFT, len(letters) / 2):
        return ""
    words = (re.findall(r"[ -~]+|[^ -~]+", word) for word in re.findall(r"[^\W_]+", text))
    return r"[\W_]+".join(
        "".join(
            each if each.isascii() else f"(?:{re.escape(plain(each))}|{_SIGN}{{{least * len(each)},{4 * len(each)}}})"
            for each in word
        )
        for word in words
    )


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
    """The name as it is, and with the name in parentheses in place of the one before it, or left out.

    A title may be missing, as may one of two scripts.
    """
    names = [name, without_nickname(name), re.sub(r"\S+ *\(([^()]+)\)", r"\1", name)]
    if len(untitled := _TITLE.sub("", name).split()) > 1:
        names.append(" ".join(untitled))
    return {name_key(each) for each in (*names, *_in_one_script(name))}


def _in_one_script(name: str) -> list[str]:
    """The two names in one that is written in Latin letters and in others: `WANG Wei` and `王伟`."""
    words = re.sub(r"[()/|]", " ", name).split() if not name.isascii() else []
    latin = [word for word in words if _is_latin(word)]
    other = [word for word in words if not _is_latin(word)]
    whole = len(other) > 1 or (len(other) == 1 and len(other[0]) > 1 and _EAST_ASIAN.search(other[0]))
    return [" ".join(latin), " ".join(other)] if len(latin) > 1 and whole else []


def _is_latin(word: str) -> bool:
    letters = [each for each in word if each.isalpha()]
    return all(each.isascii() or unicodedata.name(each, "").startswith("LATIN") for each in letters)


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


def unpadded(key: str) -> str:
    """An id as a spreadsheet leaves it: without zeros at the start, and without the `.0` that it adds."""
    number = re.fullmatch(r"0*([1-9]\d*)(?:\.0)?", same(key), re.ASCII)
    return number[1] if number else same(key)


def is_changed(cell: str) -> bool:
    """Whether a cell looks like what a spreadsheet makes of an id: a date, or a number with a power of ten."""
    named = re.search(r"[a-z]", same(cell)) and re.search(r"[-/. ]", same(cell))
    return is_power(cell) or _date(cell).total() > (1 if named else 2)


def is_power(cell: str) -> bool:
    """Whether a cell is a number with a power of ten, which a spreadsheet may have rounded."""
    return _POWER.fullmatch(same(cell)) is not None


def may_become(key: str, cell: str) -> bool:
    """Whether a spreadsheet may show an id as this `cell`, which `is_changed`: `mar3` is `3-Mar`, `2e5` is `2E+05`."""
    power, number = _POWER.fullmatch(same(cell)), re.fullmatch(r"\d{1,40}(?:e\d{1,3})?", same(key), re.ASCII)
    if power and number:
        return float(f"{float(same(key)):.{len(power[1] or '')}e}") == float(same(cell).replace(",", "."))
    date = _date(key)
    return bool(date) and date <= _date(cell)


def _date(text: str) -> Counter[int]:
    """The month, the day and the year of a date, without the century and in any order; nothing if it is none."""
    parts = re.findall(r"[a-z]+|\d+", same(text))
    if len(text) > _LONGEST or not 2 <= len(parts) <= 3 or not re.fullmatch(r"[a-z0-9/. ,-]+", same(text)):
        return Counter()
    months = [at for part in parts for at, name in enumerate(_MONTHS, 1) if len(part) > 2 and name.startswith(part[:4])]
    numbers = [int(part) % 100 for part in parts if part.isdecimal() and len(part) <= 4]
    return Counter([*months, *numbers]) if len(months) < 2 and len(months) + len(numbers) == len(parts) else Counter()
