"""Small repairs, tried in the sandbox, of modules that stop early. For staff; no grade changes by them.

A repair is read off what Python says: a name that is not there becomes one that is, `self.` is added, a leftover raise
is removed. Each is graded like any submission, and only what gains points is told.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import inspect
import keyword
import re
import time
from collections.abc import Iterator
from itertools import islice

from rapidfuzz.distance.Indel import normalized_similarity
from rapidfuzz.process import extract

from autograder.classroom.entries import Repair, Standing, checks_of, standing
from autograder.grading import GraderError
from autograder.grading.process import GradingProcess
from autograder.report.model import Check, Outcome, Report
from autograder.sandbox.client import SandboxError
from autograder.submissions.source import MAX_BYTES, decoded

MOST = 20  # repairs that are tried of a module
SECONDS = 10.0  # for all of them
LOOK_S = 1.0  # to see whether there is one to try
NEAR = 0.5  # how much alike two names have to be: the share of their letters that both have in the same order
MAX_NAME, MAX_NAMES = 80, 1000  # letters of a name, and names, that are compared

_NAME = re.compile(r"[^\W\d]\w*")
_UNDEFINED = re.compile(r"name '(\w+)' is not defined|local variable '(\w+)'")
_LACKS = re.compile(r"'(\w+)' object has no attribute '(\w+)'|module '([\w.]+)' has no attribute '(\w+)'")
_KEYWORD = re.compile(r"(?:(\w+)(?:\.__init__)?\(\) )?got an unexpected keyword argument '(\w+)'")
_QUOTED = re.compile(r"`(?:self\.)?(\w+)`")
# Of whose functions staff's own Python may be asked for the names.
_LIBRARIES = ("torch", "torch.nn", "torch.nn.functional", "math", "numpy")

Change = tuple[int, str]  # the first line that a repair changes, from 1, and the whole source with it
# What is looked for, a step at a time: each takes time linear in the source, and where it finds nothing it gives None.
Steps = Iterator[Change | None]


class _TooSlow(Exception):
    pass


def stops_early(report: Report, source: bytes) -> bool:
    """Whether something keeps checks from being answered of a module that is more than the handout.

    Not where this takes longer than LOOK_S to see.
    """
    if len(source) > MAX_BYTES or standing(report) not in (Standing.GRADED, Standing.STOPPED):
        return False
    return any(True for _ in candidates(decoded(source), report, LOOK_S))


def best(source: bytes, report: Report, process: GradingProcess, seconds: float = SECONDS) -> Repair | None:
    """The repair that gains the most points; None if none does, or if the time is up before one is found."""
    ends = time.monotonic() + seconds
    found: Repair | None = None
    text = decoded(source)

    def too_slow() -> None:
        raise _TooSlow

    for line, changed in islice(candidates(text, report, seconds), MOST):
        left = ends - time.monotonic()
        if left <= 0:
            break
        try:
            graded = process.grade(
                process.assignment.module, changed.encode(), seed=report.seed, patience=left, slow=too_slow
            )
        except _TooSlow:
            process.kill()
            break
        except (SandboxError, GraderError):
            break
        if not graded.grader_failed and graded.score > (found.score if found else report.score):
            found = Repair(line, changed.split("\n")[line - 1], graded.score)
            if graded.score == graded.max_score:
                break
    return found


def candidates(text: str, report: Report, seconds: float = SECONDS) -> Iterator[Change]:
    """The repairs to try, each once, those of the first thing that went wrong first; those found in the time."""
    ends = time.monotonic() + seconds
    tried = {text}
    for check in _troubles(report):
        if time.monotonic() > ends:
            return
        for change in _repairs(text, check):
            if time.monotonic() > ends:
                return
            if change is not None and change[1] not in tried:
                tried.add(change[1])
                yield change


def _troubles(report: Report) -> Iterator[Check]:
    """What kept checks from being answered, each message once."""
    said = {"": None}
    for check in checks_of(report):
        stopped = check.outcome in (Outcome.ERROR, Outcome.NOT_WRITTEN) or _MISSING & set(check.misconceptions)
        if stopped and check.message not in said:
            said[check.message] = None
            yield check


_MISSING = {"definition-missing", "attribute-missing", "attribute-none", "forward-missing"}


def _repairs(text: str, check: Check) -> Steps:
    """What might repair the trouble that a check met with."""
    lines = text.split("\n")
    line = check.line or _line(check.message)
    if _MISSING & set(check.misconceptions):
        yield from _renamed_everywhere(text, check.message)
    if line is None or line > len(lines):
        return
    if check.outcome is Outcome.NOT_WRITTEN:
        yield from _without_raise(lines, line)
    if match := _UNDEFINED.search(check.message):
        yield from _other_names(lines, line, match[1] or match[2])
    elif match := _LACKS.search(check.message):
        yield from _other_attributes(lines, line, match[2] or match[4], match[3])
    elif match := _KEYWORD.search(check.message):
        for name in _near(match[2], _names(text) | _parameters(match[1] or "")):
            yield from _replaced(lines, line, line, rf"\b{match[2]}(?=\s*=)", name)


def _line(message: str) -> int | None:
    match = re.search(r"line (\d{1,6})\b", message)
    return int(match[1]) if match else None


def _renamed_everywhere(text: str, message: str) -> Steps:
    """The name that is missing in place of one like it; its definition counts, and every use of it."""
    quoted = _QUOTED.findall(message)
    for wanted in quoted:
        defined = set(re.findall(r"^[ \t]*(?:def|class)[ \t]+(\w+)|\bself\.(\w+)[ \t]*=[^=]", text, re.MULTILINE))
        names = {name for pair in defined for name in pair if name} - {wanted}
        for name in [*(each for each in quoted if each in names), *_near(wanted, names)]:
            lines = text.split("\n")
            yield from _replaced(lines, 1, len(lines), rf"\b{name}\b", wanted)
        local = rf"^([ \t]+){wanted}([ \t]*=[^=])"  # `self.` was forgotten
        changed = re.sub(local, rf"\1self.{wanted}\2", text, flags=re.MULTILINE)
        yield (_first_change(text, changed), changed) if changed != text else None


def _without_raise(lines: list[str], line: int) -> Steps:
    """A function without its raise, if it holds something else."""
    first, last = _function(lines, line)
    body = re.sub(r'("""|\'\'\').*?\1', "", "\n".join(lines[first:last]), flags=re.DOTALL).split("\n")
    written = [each for each in body if each.strip() and not each.lstrip().startswith(("#", "raise"))]
    if written and lines[line - 1].lstrip().startswith("raise"):
        indent = lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]
        end, depth = line, _opened(lines[line - 1])
        while end < last and depth > 0:
            depth += _opened(lines[end])
            end += 1
        yield line, "\n".join([*lines[: line - 1], f"{indent}pass", *[""] * (end - line), *lines[end:]])


def _opened(line: str) -> int:
    """How many more parentheses a line opens than it closes."""
    return line.count("(") - line.count(")")


def _other_names(lines: list[str], line: int, name: str) -> Steps:
    """A name that is defined in place of one that is not: in the line, then in the whole function."""
    first, last = _function(lines, line)
    function = "\n".join(lines[max(first - 1, 0) : last])
    attributes = set(re.findall(r"\bself\.(\w+)[ \t]*=[^=]", "\n".join(lines)))
    near_attributes = [name, *_near(name, attributes)] if name in attributes else _near(name, attributes)[:1]
    own = rf"(?<![\w.]){name}\b(?!\s*=[^=])"
    header, _, body = function.partition(":\n")
    unused = sorted(_names(header.partition("(")[2]) - set(re.findall(r"\w+", body)))[:MOST]
    local = list(dict.fromkeys((*unused, *_near(name, _names(function), 0.3))))
    others = _near(name, (_names("\n".join(lines)) | set(dir(builtins))) - set(local))
    for attribute in dict.fromkeys(near_attributes):
        yield from _replaced(lines, line, line, own, f"self.{attribute}")
        yield from _replaced(lines, first, last, own, f"self.{attribute}")
    for other in [*local, *others]:
        yield from _replaced(lines, line, line, own, other)
        yield from _replaced(lines, first, last, own, other)


def _other_attributes(lines: list[str], line: int, name: str, module: str | None) -> Steps:
    """An attribute that exists in place of one that does not: in the line, or where it is kept, or everywhere."""
    text = "\n".join(lines)
    if module in _LIBRARIES:
        names = set(dir(importlib.import_module(module)))
    else:
        names = _attributes(text) if f"self.{name}" in lines[line - 1] else _attributes(text) | _tensors()
    for other in _near(name, names - {name}):
        yield from _replaced(lines, line, line, rf"(?<=\.){name}\b", other)
        if re.search(rf"\bself\.{other}[ \t]*=[^=]", text):
            yield from _replaced(lines, 1, len(lines), rf"(?<=self\.){other}\b", name)
        yield from _replaced(lines, 1, len(lines), rf"(?<=\.){name}\b", other)
    forgotten = rf"^([ \t]+){name}([ \t]*=[^=])"  # `self.`
    local = re.sub(forgotten, rf"\1self.{name}\2", text, flags=re.MULTILINE)
    yield (_first_change(text, local), local) if local != text else None


def _parameters(function: str) -> set[str]:
    """The names of the parameters of a library's function or class.

    The submission says which, so it is looked up in what is there: `getattr` would import what a module loads lazily.
    """
    found = set()
    for module in map(importlib.import_module, _LIBRARIES):
        with contextlib.suppress(KeyError, TypeError, ValueError):
            found |= set(inspect.signature(vars(module)[function]).parameters)
    return found


def _tensors() -> set[str]:
    import torch

    return {each for each in dir(torch.Tensor) if not each.startswith("_")}


def _attributes(text: str) -> set[str]:
    return set(re.findall(r"\bself\.(\w+)", text)) | set(re.findall(r"^[ \t]+def[ \t]+(\w+)", text, re.MULTILINE))


def _names(text: str) -> set[str]:
    """All names in a piece of source that are no attributes of something."""
    found = {match[0] for match in _NAME.finditer(text) if text[match.start() - 1 : match.start()] != "."}
    return {name for name in found if not keyword.iskeyword(name)}


def _near(name: str, others: set[str], cutoff: float = NEAR) -> list[str]:
    """The names among `others` that are like `name`, nearest first."""
    names = [each for each in sorted(others - {name}) if len(each) <= MAX_NAME][:MAX_NAMES]
    found = extract(name[: MAX_NAME + 1], names, scorer=normalized_similarity, score_cutoff=cutoff, limit=6)
    return [each for each, _, _ in found]


def _function(lines: list[str], line: int) -> tuple[int, int]:
    """The first and the last line of the innermost function around a line, from 1."""
    indent = len(lines[line - 1]) - len(lines[line - 1].lstrip())
    first = line
    while first > 1 and not (
        (match := re.match(r"([ \t]*)(?:async[ \t]+)?def[ \t]", lines[first - 1])) and len(match[1]) < max(indent, 1)
    ):
        first -= 1
    start = len(lines[first - 1]) - len(lines[first - 1].lstrip())
    last = line
    while last < len(lines) and (not lines[last].strip() or len(lines[last]) - len(lines[last].lstrip()) > start):
        last += 1
    return first, last


def _replaced(lines: list[str], first: int, last: int, pattern: str, by: str) -> Steps:
    """The source with a pattern replaced from one line to another; None if it is not there."""
    changed = [re.sub(pattern, by, each) if first <= number <= last else each for number, each in enumerate(lines, 1)]
    text = "\n".join(changed)
    yield (_first_change("\n".join(lines), text), text) if changed != lines else None


def _first_change(before: str, after: str) -> int:
    pairs = zip(before.split("\n"), after.split("\n"), strict=False)
    return next((number for number, (old, new) in enumerate(pairs, 1) if old != new), 1)
