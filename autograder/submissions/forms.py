"""Whose name or id stands in a text, and the form that a platform gave to names which no pattern knows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from autograder.submissions.names import LONGEST
from autograder.submissions.roster import Roster, Student
from autograder.submissions.spelling import names_of, plain, same, spellings, squeezed, unpadded, words_of

SHORT = 3  # letters of an id: with fewer, a name holds it by chance
SEVERAL = 3  # names in one form; two may be alike by chance
_WORDS = 40  # of a name, in which ids are looked for
_RUN = 6  # words of an id: `jose.luis-perez@vt.edu`


def in_most(count: int, entries: int) -> bool:
    """Whether so many of all entries have something in common: several, and more than half."""
    return count >= SEVERAL and 2 * count > entries


class Holders:
    """The students of a roster by the words of their names and ids."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._ids: dict[Student, list[list[str]]] = {}
        self._called: dict[Student, list[list[str]]] = {}

    def ids(self, who: Student) -> list[list[str]]:
        """The words of each id, and of the group's name, that is too long to be in a name by chance."""
        if who not in self._ids:
            keys = {who.id, *who.keys.values(), *self._roster.logins(who)}
            addresses = {key.replace("@", "") for key in keys if "@" in key}  # as in a file's name
            ids = [words_of(key) for key in {*keys, *addresses, *who.groups, *map(unpadded, keys)}]
            self._ids[who] = [words for words in ids if len("".join(words)) >= SHORT]
        return self._ids[who]

    def called(self, who: Student) -> list[list[str]]:
        """The words of the student's names that have several; of three, initials may be left out: `Jane A. Doe`."""
        if who not in self._called:
            spelled = [
                text for each in who.names if each != who.id for name in names_of(each) for text in spellings(name)
            ]
            names = [words_of(text) for text in spelled]
            names += [[word for word in words if len(word) > 1] for words in names]
            self._called[who] = [words for words in names if len(words) > 1]
        return self._called[who]

    def of(self, words: list[str]) -> set[Student]:
        """Who has an id or the group in these words, or all words of the name, if several; or both in one word."""
        return self.joined_with_id(words) | {
            who for word in {*words} for who in self._by_word.get(word, ()) if self._is_held(who, words)
        }

    def besides(self, who: Student, words: list[str]) -> set[Student]:
        """Who else is in these words, without those of this student's name: it may be the name of others too."""
        count = Counter(words)
        named = [name for name in (*self.called(who), *self._only_words(who)) if Counter(name) <= count]
        longest: list[str] = max(named, key=len, default=[])
        own = Counter(longest)
        left = []
        for word in words:
            left.append("" if own[word] else word)
            own[word] -= 1
        return self.named(left) - {who}

    def apart(self, words: list[str]) -> list[tuple[set[Student], bool]]:
        """Who is in these words, each by words that are in no longer name or id there, and whether by an id.

        Namesakes are in one set. A short number may count something else, and a group's name is of several.
        """
        left = [*map(unpadded, words[:_WORDS])]
        keys: dict[tuple[tuple[str, ...], bool], set[Student]] = {}
        indices = (self._by_word, self._by_only_word)
        for who in {who for word in left for index in indices for who in index.get(word, ())}:
            for name in (*self.called(who), *self._only_words(who)):
                keys.setdefault((tuple(sorted(name)), False), set()).add(who)
            for id in self.ids(who):
                if not _is_short_number(id) and id not in map(words_of, who.groups):
                    keys.setdefault((tuple(map(unpadded, id)), True), set()).add(who)
        found = []
        for (key, by_id), people in sorted(keys.items(), key=lambda each: (-len(each[0][0]), each[0])):
            if Counter(key) <= Counter(left) and (not by_id or _has_words(left, [*key])):
                found.append((people, by_id))
                for word in key:
                    left[left.index(word)] = ""
        return found

    def joined_with_id(self, words: list[str]) -> set[Student]:
        """Who has an id and the whole name in one of these words."""
        return {*self._roster.joined_with_id(words)}

    def named(self, words: list[str]) -> set[Student]:
        """Who is in these words, and whose name is one of them."""
        return self.of(words) | {who for word in {*words} for who in self._by_only_word.get(word, ())}

    def _only_words(self, who: Student) -> list[list[str]]:
        """The names of one word, which may be in a text by chance if it has few letters."""
        names = [words_of(name) for name in who.names if name != who.id]
        return [name for name in names if len(name) == 1 and (len(name[0]) >= SHORT or not name[0].isascii())]

    @cached_property
    def _by_only_word(self) -> dict[str, list[Student]]:
        found: dict[str, list[Student]] = {}
        for who in self._roster.students:
            for (word,) in self._only_words(who):
                found.setdefault(word, []).append(who)
        return found

    @cached_property
    def by_key(self) -> dict[str, Student]:
        """The only student with an id, by that."""
        keys = {key for who in self._roster.students for key in (who.id, *who.keys.values(), *self._roster.logins(who))}
        return {same(key): who for key in keys if (who := self._roster.find(key))}

    @cached_property
    def _by_word(self) -> dict[str, list[Student]]:
        found: dict[str, list[Student]] = {}
        for who in self._roster.students:
            for word in {words[0] for words in (*self.called(who), *self.ids(who))}:
                found.setdefault(word, []).append(who)
        return found

    def _is_held(self, who: Student, words: list[str]) -> bool:
        count = Counter(words)
        return any(Counter(name) <= count for name in self.called(who)) or any(
            _has_words(words, key) for key in self.ids(who)
        )


@dataclass(frozen=True)
class Place:
    """Where a student's id stands in a name.

    Attributes:
        id: as it stands there.
        long: whether it is too long to be there by chance.
        telling: whether it is certain to be the student's, and not a part of somebody else's name.
        form: all that is before it and the separator after it, or the other way round; or all on both sides. Numbers,
            which vary, are 0 in it.
        file: the student's own name for the file.
    """

    who: Student
    id: str
    long: bool
    telling: bool
    form: tuple[str, str, bool]
    file: str = ""


def ids_in_one_form(names: Sequence[str], entries: int, holders: Holders) -> dict[str, Place]:
    """Whose id stands in names to which a platform gave one form, such as `[1] - jdoe - homework`.

    That is so if ids are in one place in the names of at least three students, and in more than half of all `entries`.
    A name in which somebody else is named too is nobody's. What is in all names, such as the homework's, tells nothing.
    """
    names = [name for name in names if len(name) <= LONGEST]
    there = Counter(who for name in names for who in holders.named(words_of(name)))
    common = {who for who, count in there.items() if in_most(count, len(names))}
    forms: dict[tuple[str, str, bool], dict[str, list[Place]]] = {}
    for name in names:
        for place in _places(name, holders, common):
            forms.setdefault(place.form, {}).setdefault(name, []).append(place)
    best: dict[str, Place] = {}
    most = (0, 0, False)
    for (*_, by_one_side), fitting in forms.items():
        found = {name: each[0] for name, each in fitting.items() if len({place.who for place in each}) == 1}
        students = {place.who for place in found.values() if place.telling}
        size = (len(found), len(students), by_one_side)
        if len(students) >= SEVERAL and 2 * len(found) > entries and size > most:
            best, most = found, size
    files = Counter(numberless(place.file) for place in best.values())
    return {
        name: replace(place, telling=place.telling or (place.long and files[numberless(place.file)] >= SEVERAL))
        for name, place in best.items()
    }


def _places(name: str, holders: Holders, common: set[Student]) -> Iterator[Place]:
    """The places in a name where an id of somebody stands, and nobody else is named.

    A number may count something else. So it tells by one side alone only where the name is next to it. An id that is a
    word of the name may be another person's, and tells by both sides only.
    """
    spans = [word.span() for word in re.finditer(r"[^\W_]+", name)][:_WORDS]
    words = [plain(name[start:end]) for start, end in spans]
    for first, last in ((at, end) for at in range(len(spans)) for end in range(at + 1, min(at + _RUN, len(spans)) + 1)):
        start, end = spans[first][0], spans[last - 1][1]
        key, before, after = name[start:end], name[:start], name[end:]
        who = holders.by_key.get(same(key))
        if who is None or not (before or after) or before.endswith("@") or after.startswith("@"):
            continue
        rest = [*words_of(before), "", *words_of(after)]
        called = holders.called(who)
        if _is_in_name(words, first, last, called) or holders.besides(who, rest) - common:
            continue
        long = len(squeezed(key)) >= SHORT
        yield Place(who, key, long, long, (numberless(before), numberless(after), False))
        names = {word for words in called for word in words if len(word) >= SHORT}
        if re.search(r"[^\W\d_]", key) or not names.isdisjoint(rest):
            left, right = separator_of(before[::-1])[::-1], separator_of(after)
            telling = long and plain(key) not in names
            yield Place(who, key, long, telling, (numberless(before), right, True), after.removeprefix(right))
            yield Place(who, key, long, telling, (left, numberless(after), True), before.removesuffix(left))


def _is_in_name(words: list[str], first: int, last: int, names: list[list[str]]) -> bool:
    """Whether the words from `first` to before `last` are a part of the student's whole name there."""
    return any(
        sorted(words[start : start + len(name)]) == sorted(name)
        for name in names
        if len(name) > last - first
        for start in range(max(0, last - len(name)), first + 1)
    )


def numberless(text: str) -> str:
    """The text with 0 for each word that has a number."""
    return re.sub(r"[^\W_]*\d[^\W_]*", "0", text)


def separator_of(rest: str) -> str:
    """What separates a name from the rest after it; brackets belong to the rest: `Jane Doe - (1) hw`.

    So do signs that letters become in another code page.
    """
    match = re.match(r"(?:[^\w()\[\]\xa1-\xbf\u20a7\u2200-\u25ff]|_)*", rest)
    return match[0] if match else ""


def has_id(words: list[str], key: list[str]) -> bool:
    """Whether an id is in these words, apart from what a spreadsheet changes in it."""
    return _has_words([*map(unpadded, words)], [*map(unpadded, key)])


def _is_short_number(key: list[str]) -> bool:
    text = "".join(key)
    return text.isdecimal() and len(text) <= SHORT


def _has_words(words: list[str], key: list[str]) -> bool:
    return f" {' '.join(key)} " in f" {' '.join(words)} "
