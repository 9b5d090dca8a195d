"""Which submissions are nearly the same, in groups, for a person to look at.

Two modules are compared by the share of their tokens that stand in both in the same order, comments included word by
word, white space and everything that the handout provides set aside. They are listed if they also share enough that
is in none of the modules that everybody may know: the solution, the examples. Equal modules are always listed, also
those that are too short or too long to be compared in parts, unless they hold only lines of the handout.

This finds copies: as they are, reformatted, also with other parentheses, quotes, semicolons and line breaks, with
definitions in another order, with some lines moved or added, or with the variables renamed and other comments. It does
not find one solution retold, by a person or by a program. Nor does it prove anything: the assignment is short, and
good solutions are alike.
"""

from __future__ import annotations

import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from itertools import product

import numpy as np
from rapidfuzz.distance import LCSseq
from rapidfuzz.distance.Indel import normalized_similarity

from autograder.classroom.tokens import Token, arranged, lines_of, own_tokens

# Idiomatic modules without a comment, put together from independent pieces, are alike to 0.86 at most, with the names
# set aside to 0.91; those that share two pieces of four by chance, to 0.93 and 0.96 in nineteen of twenty.
THRESHOLD = 0.95
RENAMED_THRESHOLD = 0.98  # with comments, the names of variables, and signs that the syntax tree forgets set aside
MIN_TOKENS = 40  # that are not the handout's: with fewer, only whole modules are compared
MIN_EVIDENCE = 20  # tokens that two share and that no module has which everybody may know
KNOWN_THRESHOLD = 0.99  # to a module that everybody may know: those who read it closely write nearly the same
ANSWERS_THRESHOLD = 0.8  # of the words of written answers
MIN_WORDS = 40
MOST_LINKS = 4  # pairs of a group that are shown side by side
SECONDS = 30.0  # for all comparisons, after which the rest is left out and said so
_BLOCK = 64  # modules that are compared with all others between two looks at the clock


@dataclass(frozen=True)
class Pair:
    """Two modules that are nearly the same, each by its student or its label.

    Attributes:
        similarity: the share of the tokens that stand in both in the same order, 0 to 1.
        identical: whether nothing but white space, semicolons and backslashes differs.
        renamed: whether they are this alike only with comments and the names of variables set aside.
        page: the link to the page with the two side by side, relative to the class page and percent-encoded;
            `dataclasses.replace` sets it.
    """

    first: str
    second: str
    similarity: float
    identical: bool
    renamed: bool = False
    page: str | None = None


@dataclass(frozen=True)
class Group:
    """Students who handed in nearly the same, each linked to another one by a pair.

    Attributes:
        members: students of the class.
        outside: the labels of what else is nearly the same: a module of an earlier term, the solution, an example.
        links: the closest pairs, at most `MOST_LINKS`, identical ones first.
        what: "module", or "answers" for what was written in the notebook.
    """

    members: tuple[str, ...]
    outside: tuple[str, ...]
    links: tuple[Pair, ...]
    what: str = "module"

    @property
    def similarity(self) -> float:
        """Of the closest pair."""
        return self.links[0].similarity

    @property
    def identical(self) -> bool:
        """Whether all are."""
        return all(link.identical for link in self.links)

    @property
    def renamed(self) -> bool:
        return all(link.renamed for link in self.links)


@dataclass(frozen=True)
class Alike:
    """What was found in a class.

    Attributes:
        groups: most similar first.
        too_long: students whose modules are too long to be compared: a person has to look at those.
        too_short: students with fewer than `MIN_TOKENS` tokens of their own, but some: if that gives many points, a
            person has to look.
        not_compared: what else was left out, in words.
    """

    groups: list[Group] = field(default_factory=list)
    too_long: list[str] = field(default_factory=list)
    too_short: list[str] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Node:
    """All who have the same tokens, or the same module where tokens are not compared: then `tokens` is empty."""

    tokens: list[Token]
    members: list[str]

    @cached_property
    def written(self) -> str:
        return _encoded(token.text for token in self.tokens)

    @cached_property
    def code(self) -> str:
        """With the names of variables and the comments set aside; empty if that is too short to be compared."""
        code = [token.blanked for token in self.tokens if token.is_code]
        return _encoded(code) if len(code) >= MIN_TOKENS else ""

    @cached_property
    def arranged(self) -> _Node:
        return _Node(arranged(self.tokens), self.members)

    def evidence(self, known: frozenset[str], text: Callable[[Token], str]) -> str:
        """What is on lines that no known module has."""
        return _encoded(word for words in _lines(self.tokens, text) if " ".join(words) not in known for word in words)


def alike_modules(
    sources: Mapping[str, bytes],
    blank: str,
    known: Mapping[str, bytes] | None = None,
    earlier: Mapping[str, bytes] | None = None,
    threshold: float = THRESHOLD,
    seconds: float = SECONDS,
) -> Alike:
    """The groups of students whose modules are nearly the same.

    Arguments:
        sources: each student's module, as it was handed in, in any encoding or none.
        blank: the fill-in module; its lines count for nobody.
        known: modules that everybody may know, by label: the solution, the examples. Who has one of those, word for
            word or nearly, is told; what stands in them is no sign that two students copied from each other.
        earlier: modules of earlier terms, by label.
        threshold: the similarity with names and comments as they are. Without comments, and with the names of variables
            blanked, it takes `RENAMED_THRESHOLD` if that is higher.
        seconds: how long that may take.

    Modules that are too short or too long to be compared are in a group with equal ones alone.
    """
    ends = time.monotonic() + seconds
    given, earlier = lines_of(blank), earlier or {}

    @cache
    def own(source: bytes) -> list[Token] | None:
        return own_tokens(source, given)

    known_tokens = {label: own(source) or [] for label, source in (known or {}).items()}
    students, others = _nodes(sources, own), _nodes(earlier, own)
    nodes = students + others
    pairs, compared = _pairs(nodes, len(students), known_tokens.values(), threshold, ends)
    nodes += _whole([*sources.items(), *earlier.items()], own)
    groups = _merged(_groups(nodes, pairs, set(sources)), _of_known(students, known_tokens))
    too_long = [student for student, source in sources.items() if own(source) is None]
    too_short = [student for student, source in sources.items() if 0 < len(own(source) or ()) < MIN_TOKENS]
    said = []
    if compared < len(students):
        left = sum(len(node.members) for node in students[compared:])
        said.append(f"{left} modules were not compared with all others, for want of time")
    return Alike(sorted(groups, key=lambda group: (-group.similarity, group.members)), too_long, too_short, said)


def alike_answers(answers: Mapping[str, str], seconds: float = SECONDS) -> list[Group]:
    """The groups of students whose written answers, those of at least `MIN_WORDS` words, are nearly the same."""
    nodes: dict[str, _Node] = {}
    for student, text in answers.items():
        tokens = [Token(1, word) for word in text.casefold().split()][:4000]
        if len(tokens) >= MIN_WORDS:
            nodes.setdefault(" ".join(token.text for token in tokens), _Node(tokens, [])).members.append(student)
    each = list(nodes.values())
    best, _ = _similar([node.written for node in each], len(each), ANSWERS_THRESHOLD, time.monotonic() + seconds)
    pairs = {places: (similarity, False) for places, similarity in best.items()}
    return [replace(group, what="answers") for group in _groups(each, pairs, set(answers))]


def similar_pairs(sources: Mapping[str, bytes], blank: str, threshold: float = THRESHOLD) -> list[Pair]:
    """The pairs that tie the groups of `alike_modules` together, most similar first."""
    links = [link for group in alike_modules(sources, blank, threshold=threshold).groups for link in group.links]
    return sorted(links, key=lambda link: -link.similarity)


_Own = Callable[[bytes], list[Token] | None]  # the tokens of a student's own in a source; None if too many


def _nodes(sources: Mapping[str, bytes], own: _Own) -> list[_Node]:
    """The modules whose tokens are compared, each once."""
    nodes: dict[tuple[str, ...], _Node] = {}
    for label, source in sources.items():
        tokens = own(source) or []
        if len(tokens) >= MIN_TOKENS:
            nodes.setdefault(tuple(token.text for token in tokens), _Node(tokens, [])).members.append(label)
    return list(nodes.values())


def _whole(sources: Iterable[tuple[str, bytes]], own: _Own) -> list[_Node]:
    """The other modules, each once but for white space, without those that hold nothing but the handout."""
    nodes: dict[bytes, _Node] = {}
    for label, source in sources:
        tokens = own(source)
        if tokens is None or 0 < len(tokens) < MIN_TOKENS:
            nodes.setdefault(b" ".join(source.split()), _Node([], [])).members.append(label)
    return list(nodes.values())


_Pairs = dict[tuple[int, int], tuple[float, bool]]  # by places: the similarity, and whether the names were set aside


def _pairs(
    nodes: list[_Node], rows: int, known: Iterable[list[Token]], threshold: float, ends: float
) -> tuple[_Pairs, int]:
    """The similar pairs of which one is among the first `rows`, and how many of those were compared by the end.

    Each is compared as it is written and with the definitions in one order.
    """
    known = list(known)
    found: _Pairs = {}
    compared = rows
    kinds: tuple[tuple[bool, float, Callable[[Token], str]], ...] = (
        (False, threshold, lambda token: token.text),
        (True, max(threshold, RENAMED_THRESHOLD), lambda token: token.blanked),
    )
    for (renamed, cutoff, text), each in product(kinds, (nodes, [node.arranged for node in nodes])):
        base = frozenset(" ".join(words) for tokens in known for words in _lines(tokens, text))
        sequences = [node.code if renamed else node.written for node in each]
        similar, done = _similar(sequences, rows, cutoff, ends)
        compared = min(compared, done)
        evidence: dict[int, str] = {}
        for (i, j), similarity in similar.items():
            if time.monotonic() > ends:
                compared = min(compared, i)
                break
            for place in {i, j} - evidence.keys() if base else ():
                evidence[place] = each[place].evidence(base, text)
            shared = LCSseq.similarity(evidence[i], evidence[j]) if base else None
            enough = shared is None or shared >= MIN_EVIDENCE
            if enough and similarity > found.get((i, j), (0.0, False))[0]:
                found[i, j] = similarity, renamed
    return found, compared


def _similar(
    sequences: Sequence[str], rows: int, cutoff: float, ends: float
) -> tuple[dict[tuple[int, int], float], int]:
    """The pairs of sequences (i < j, i < rows) that are alike to at least `cutoff`, and how many rows were compared.

    Most are ruled out by their counts of tokens: no order of them can have more in common than the smaller counts.
    """
    counts = [Counter(sequence) for sequence in sequences]
    several = Counter(token for count in counts for token in count)
    # One column for each first, second, … occurrence of a token, so that a product of rows sums the smaller counts.
    occurrences = [
        [(token, n) for token, times in count.items() if several[token] > 1 for n in range(times)] for count in counts
    ]
    column = {each: place for place, each in enumerate({each for row in occurrences for each in row})}
    table = np.zeros((len(sequences), len(column)), dtype=np.float32)
    for place, row in enumerate(occurrences):
        table[place, [column[each] for each in row]] = 1
    lengths = np.array([max(len(sequence), 1) for sequence in sequences])
    found: dict[tuple[int, int], float] = {}
    for start in range(0, rows, _BLOCK):
        stop = min(start + _BLOCK, rows)
        if time.monotonic() > ends:
            return found, start
        bound = 2 * (table[start:stop] @ table.T) / (lengths[start:stop, None] + lengths)
        for i, j in zip(*np.nonzero(bound >= cutoff), strict=True):
            first = start + int(i)
            if time.monotonic() > ends:
                return found, first
            if first < j and (ratio := normalized_similarity(sequences[first], sequences[j], score_cutoff=cutoff)):
                found[first, int(j)] = round(ratio, 4)
    return found, rows


def _groups(nodes: list[_Node], pairs: _Pairs, students: set[str]) -> list[Group]:
    """The students of all nodes that pairs tie together, and of each node that several have."""
    leader = list(range(len(nodes)))

    def find(place: int) -> int:
        while leader[place] != place:
            place = leader[place]
        return place

    ranked = sorted(pairs.items(), key=lambda each: (-each[1][0], each[0]))
    for (i, j), _ in ranked:
        leader[max(find(i), find(j))] = min(find(i), find(j))
    together: dict[int, list[int]] = {}
    for place in range(len(nodes)):
        together.setdefault(find(place), []).append(place)
    links: dict[int, list[Pair]] = {place: [] for place in together}
    for place, node in enumerate(nodes):
        if len(node.members) > 1:
            links[find(place)].append(Pair(node.members[0], node.members[1], 1.0, True))
    for (i, j), (similarity, renamed) in ranked:
        links[find(i)].append(Pair(nodes[i].members[0], nodes[j].members[0], similarity, False, renamed))
    groups = []
    for place, places in together.items():
        everyone = [member for each in places for member in nodes[each].members]
        members = tuple(sorted(member for member in everyone if member in students))
        outside = tuple(sorted(member for member in everyone if member not in students))
        if links[place] and members and len(everyone) > 1:
            groups.append(Group(members, outside, tuple(links[place][:MOST_LINKS])))
    return groups


def _of_known(students: list[_Node], known: Mapping[str, list[Token]]) -> list[Group]:
    """Who handed in one of the known modules, or nearly so: each student with the closest of them."""
    texts = {label: _encoded(token.text for token in tokens) for label, tokens in known.items() if tokens}
    found: dict[str, list[Pair]] = {}
    for node in students:
        scores = {
            label: normalized_similarity(node.written, text, score_cutoff=KNOWN_THRESHOLD)
            for label, text in texts.items()
        }
        label = max(scores, key=lambda each: scores[each], default="")
        if label and scores[label]:
            same = node.written == texts[label]
            found.setdefault(label, []).extend(
                Pair(member, label, round(scores[label], 4), same) for member in node.members
            )
    return [
        Group(tuple(sorted(pair.first for pair in pairs)), (label,), tuple(pairs[:MOST_LINKS]))
        for label, pairs in found.items()
    ]


def _merged(groups: list[Group], known: list[Group]) -> list[Group]:
    """The groups, each of students once: what they all have of the known modules is told with them."""
    by_members = {group.members: group for group in groups}
    for group in known:
        same = by_members.get(group.members)
        by_members[group.members] = replace(same, outside=same.outside + group.outside) if same else group
    return list(by_members.values())


def _lines(tokens: Iterable[Token], text: Callable[[Token], str]) -> Iterable[list[str]]:
    """The words of each line."""
    lines: dict[int, list[str]] = {}
    for token in tokens:
        lines.setdefault(token.line, []).append(text(token))
    return lines.values()


def _encoded(tokens: Iterable[str]) -> str:
    """One character a token, which RapidFuzz compares fastest. Two tokens in a million share theirs."""
    return "".join(map(_character, tokens))


@lru_cache(maxsize=100_000)
def _character(token: str) -> str:
    code = zlib.crc32(token.encode("utf-8", "replace")) % 0x10F000
    return chr(code if code < 0xD800 else code + 0x800)  # passing over the surrogates
