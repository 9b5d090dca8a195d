"""What the checks are written with: points on the check itself, random challenges, and ways to fail.

A check asks the sandboxed submission for values and compares them out here with the reference. How it ends:
returning earns its points; `fail` is a wrong answer; a `SubmissionError` is the submission's own trouble; any other
exception is the grader's, and stops the grading.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import math
import secrets
import textwrap
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from typing import Any, NoReturn, TypeVar, cast

import pytest
import torch
from torch import Tensor

from autograder.assignment import Assignment, Part
from autograder.grading import hints
from autograder.grading.errors import about_comma, about_unused, explain
from autograder.grading.reproduce import Failed, Probe
from autograder.report.model import Check, Outcome, PartReport, part_reports, printable
from autograder.report.summary import listed, used_its_own
from autograder.sandbox.client import Reply, Submission
from autograder.sandbox.errors import Died, Raised, SubmissionError, TimedOut

_F = TypeVar("_F", bound=Callable[..., None])
_T = TypeVar("_T")


def check(name: str, weight: float, worked_example: bool = False, probes: tuple[Probe, ...] = ()) -> Callable[[_F], _F]:
    """Make a test a graded check: its display name, and its share of the part's points among the part's checks.

    With `worked_example`, who ran the notebook's worked examples knows how it ends: a platform that hides checks until
    the due date shows this one at once. Where the check fails, the first of its `probes` that shows it is reported.
    """
    return pytest.mark.check(name=name, weight=weight, worked_example=worked_example, probes=probes)


class Wrong(Exception):
    """The submission answered wrongly. `misconceptions` are names in the bank."""

    def __init__(self, message: str, *misconceptions: str) -> None:
        super().__init__(message)
        self.misconceptions = list(misconceptions)


def fail(message: str, *misconceptions: str | None) -> NoReturn:
    """End the check as wrong, with what was observed and the mistakes recognized."""
    raise Wrong(message, *(name for name in misconceptions if name))


class Challenge:
    """Random inputs of one check, from the seed of the run and the check's own name."""

    def __init__(self, seed: int, name: str) -> None:
        digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
        self._generator = torch.Generator().manual_seed(int.from_bytes(digest[:7]))

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers."""
        return torch.randn(shape, generator=self._generator)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Uniform numbers between `low` and `high`."""
        return low + (high - low) * torch.rand(shape, generator=self._generator)

    def stratified(self, low: float, high: float, count: int) -> Tensor:
        """A uniform number in each of so many equal parts from `low` to `high`, in ascending order.

        Few numbers that are only uniform may all be close together, where two functions differ little.
        """
        return low + (high - low) * (torch.arange(count) + self.uniform(0, 1, count)) / count

    def integer(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(torch.randint(low, high + 1, (), generator=self._generator))

    def integers(self, high: int, *shape: int) -> Tensor:
        """Whole numbers from 0 to `high` - 1."""
        return torch.randint(high, shape, generator=self._generator)

    def seed(self) -> int:
        """A seed for the submission's own generator."""
        return self.integer(0, 2**31)

    def one_hot(self, count: int, categories: int) -> Tensor:
        """(count, categories) one-hot rows in random order, of each class as many as of any other, or one more."""
        rounds = [torch.randperm(categories, generator=self._generator) for _ in range(-(-count // categories))]
        classes = torch.cat(rounds)[:count]
        return torch.eye(categories)[classes[torch.randperm(count, generator=self._generator)]]


@dataclass(eq=False)
class Grading:
    """One grading run: what the checks are given, and how they ended. The hooks in fixtures.py keep it up to date."""

    submission: Submission
    assignment: Assignment
    seed: int = field(default_factory=lambda: secrets.randbits(53))
    checks: dict[str, list[Check]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)  # by part
    crash: pytest.ExceptionInfo[BaseException] | None = None  # of a check itself, in what the submission gave or not
    attention: list[str] = field(default_factory=list)  # what a person should look into
    checked: Callable[[str, Check], None] = lambda part, check: None  # called whenever a check has ended
    kept: dict[str, Any] = field(default_factory=dict)  # what checks leave for the pictures
    unloaded: SubmissionError | None = None  # what kept the module from being imported
    replaced: list[str] = field(default_factory=list)  # what this check uses of the grader's or passes over: sentences
    stand_ins: list[str] = field(default_factory=list)  # the grader's functions that this check uses
    where: str = ""  # the part of this check, in words
    to_reproduce: list[Failed] = field(default_factory=list)
    in_use: set[str] = field(default_factory=set)  # failed functions that fit the rest of the module as they are
    layouts: dict[str, Callable[[Tensor], Tensor]] = field(default_factory=dict)  # in which others take their results
    _standing_in: frozenset[str] = frozenset()
    _used: dict[str, dict[str, None]] = field(default_factory=dict)  # the grader's functions, in order, by part
    _stopped: dict[tuple[str, int | None], str] = field(default_factory=dict)  # what was said of a line first, by part
    _notes: dict[str, list[str]] = field(default_factory=dict)  # what else is so for a whole part: sentences

    def failed(self, part_name: str) -> bool:
        """Whether a check of the part ran and did not pass."""
        return any(check.outcome is not Outcome.PASSED for check in self.checks.get(part_name, []))

    def stand_in_for_failed_functions(self) -> frozenset[str]:
        """Let the reference's functions, computed out here, replace the submission's wrong ones from now on."""
        failed = frozenset(part.name for part in self.assignment.parts if part.stand_in and self.failed(part.name))
        failed -= self.in_use
        if failed != self._standing_in:
            functions = {name: self._stand_in(name) for name in sorted(failed)}
            self.submission.stand_in(functions, Challenge(self.seed, "what stand-ins draw").seed())
            self._standing_in = failed
        return failed

    def forget_fits(self) -> None:
        """Let the reference's functions stand in as they are, where nothing of the module that they fit is in use."""
        self.in_use.clear()
        self.layouts.clear()
        self.stand_in_for_failed_functions()

    def blamed(self, part_name: str, *mistakes: str) -> bool:
        """Whether a check of the part found one of these mistakes."""
        return any(name in mistakes for check in self.checks.get(part_name, []) for name in check.misconceptions)

    def _stand_in(self, name: str) -> Callable[..., Tensor]:
        reference = getattr(self.assignment.reference, name)

        @functools.wraps(reference)  # its parameters' names are asked for
        def stand_in(*tensors: Tensor) -> Tensor:
            _require_small(*tensors)
            self.stand_ins.append(name)
            result = cast(Tensor, reference(*tensors))
            return self.layouts[name](result) if name in self.layouts else result

        return stand_in

    def reports(self) -> list[PartReport]:
        """The parts, in the assignment's order, with the checks that ran."""
        parts = part_reports(self.assignment, self.checks)
        used: dict[tuple[str, ...], list[str]] = {}  # the grader's functions, by the parts in which it used them
        for function in dict.fromkeys(each for part in parts for each in self._used.get(part.name, ())):
            names = tuple(part.name for part in parts if function in self._used.get(part.name, ()))
            used.setdefault(names, []).append(function)
        said = [(places, used_its_own(*functions, where=_where(*places))) for places, functions in used.items()]
        also: dict[str, list[str]] = {}  # what else is so, and in which parts
        for part in parts:
            for note in self._notes.get(part.name, ()):
                also.setdefault(note.removeprefix(_where(part.name)), []).append(part.name)
        said += [(tuple(places), f"{_where(*places)}{note}") for note, places in also.items()]
        for part in parts:  # what is so in several is said in the first of them
            part.notes = [sentence for places, sentence in said if places[0] == part.name]
        return parts

    def prepare(self, item: pytest.Item) -> None:
        """Make ready for a check."""
        self.replaced, self.stand_ins = [], []
        self.where = _where(part_of(item))
        torch.default_generator.manual_seed(Challenge(self.seed, f"{item.name}: the reference's own draws").seed())
        if not self.assignment.part(part_of(item)).stand_in:
            self.stand_in_for_failed_functions()

    def conclude(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Record how a check ended, and say it in pytest's report."""
        error = call.excinfo.value if call.excinfo else None
        if self.unloaded and isinstance(error, pytest.skip.Exception):
            error = self.unloaded  # it waits for no other check: none can run
        if call.when == "call" or error is not None:
            self._record(item, call, error)
            if isinstance(error, (Wrong, SubmissionError)):
                report.longrepr = textwrap.indent(printable(str(error)), "E   ", lambda _: True)  # printed as it is
        forget_locals(error)

    def _record(self, item: pytest.Item, call: pytest.CallInfo[None], error: BaseException | None) -> None:
        part = self.assignment.part(part_of(item))
        outcome, message, mistakes = Outcome.PASSED, "", list[str]()
        match error:
            case None:
                message = self._passed_over(part)
            case Wrong():
                outcome, message, mistakes = Outcome.FAILED, str(error), error.misconceptions
            case SubmissionError():
                cause = explain(error, self.submission.outline, self.assignment)
                outcome, message, mistakes = cause.outcome, cause.message, cause.misconceptions
                if isinstance(error, Raised) and error.given:  # the numbers of one check are enough
                    message = self._stopped.setdefault((part.name, error.line), message)
                if isinstance(error, Raised) and not self.unloaded:
                    called = (name for name in sorted(self._standing_in) if f"{name}(" in error.statement)
                    message += "".join(f" Here, the grader's `{name}` stands in for yours." for name in called)
                if isinstance(error, (Died, TimedOut)) and str(error) not in self.attention:
                    self.attention.append(str(error))
            case pytest.skip.Exception():
                outcome, message = Outcome.SKIPPED, str(error.msg)
            case _:
                outcome = Outcome.ERROR
                message = f"The grader could not judge this ({type(error).__name__}). Please tell the course staff."
                self.crash = self.crash or call.excinfo
        outline = self.submission.outline
        if outcome is not Outcome.PASSED and (comma := about_comma(message, outline)):
            message, mistakes = f"{message} {comma}", ["trailing-comma"]
        if outcome in (Outcome.FAILED, Outcome.ERROR) and (unused := about_unused(part, outline)):
            message, mistakes = f"{message} {unused}", ["result-unused", *mistakes]
        mistakes = [name for name in mistakes if hints.holds(self.assignment, name, outline)]
        said = [hints.hint(self.assignment, name, part.name) for name in mistakes]
        earlier = [name for name in part.follows if self.failed(name)]
        if earlier and not self.unloaded and outcome not in (Outcome.PASSED, Outcome.NOT_WRITTEN):
            said = [hints.after(earlier)]
        line = error.line if isinstance(error, Raised) else None
        if outcome is Outcome.NOT_WRITTEN and not self.unloaded and (stopped := self._not_reached(line, part)):
            (line, message), outcome = stopped, Outcome.SKIPPED
        points = item.stash[POINTS]
        score = points if outcome is Outcome.PASSED else 0.0
        shown = about(item)["worked_example"]
        check = Check(about(item)["name"], outcome, score, points, message, said, line, shown)
        self.checks.setdefault(part.name, []).append(check)
        if outcome in (Outcome.FAILED, Outcome.ERROR) and not isinstance(error, Died):
            said_of = error.__context__ if isinstance(error, Wrong) and not error.__suppress_context__ else error
            raises = True if isinstance(said_of, Raised) else None if isinstance(error, SubmissionError) else False
            self.to_reproduce.append(Failed(part.name, check, raises, about(item)["probes"]))
        self.seconds[part.name] = self.seconds.get(part.name, 0.0) + call.duration
        self.checked(part.name, check)

    def _not_reached(self, line: int | None, part: Part) -> tuple[int, str] | None:
        """The line that stops this part first, and what to say, where another part is not written yet at that line.

        This part may be written below it. One that builds on others is stopped by the first of them.
        """
        for other in self.assignment.parts:
            checks = self.checks.get(other.name, [])
            stops = [each.line for each in checks if each.outcome is Outcome.NOT_WRITTEN and each.line is not None]
            if other is part or not other.place or not stops:
                continue
            if line in stops or other.name in part.follows:
                first = line if line in stops else stops[0]
                return first, f"Not reached yet: line {first} stops `{other.place[-1]}` first."
        return None

    def _passed_over(self, part: Part) -> str:
        """What to say of a check that passes where something is passed over, unless its part has said so.

        A sentence that begins with the part is about all of it, and is kept for its notes.
        """
        self._used.setdefault(part.name, {}).update(dict.fromkeys(self.stand_ins))
        said = dict.fromkeys(self.replaced)
        notes = self._notes.setdefault(part.name, [])
        notes += [each for each in said if each.startswith(self.where) and each not in notes]
        before = [check.message for check in self.checks.get(part.name, []) if check.outcome is Outcome.PASSED]
        of_check = (each for each in said if each not in notes)
        return " ".join(each for each in of_check if not any(each in message for message in before))


def _where(*parts: str) -> str:
    """How sentences on whole parts begin."""
    return f"In {listed(f'`{part}`' for part in parts)}"


def forget_locals(error: BaseException | None) -> None:
    """Empty the frames that an error came through: they hold what the submission sent, and pytest keeps the error."""
    if error is not None:
        traceback.clear_frames(error.__traceback__)
        forget_locals(error.__cause__ or error.__context__)


def _require_small(*tensors: Tensor) -> None:
    """ValueError for tensors of which two would fill the grader's memory once they are broadcast to each other."""
    for first, second in combinations_with_replacement(tensors, 2):
        with contextlib.suppress(RuntimeError):  # these two cannot be, and what needs it says so
            if math.prod(torch.broadcast_shapes(first.shape, second.shape)) > MAX_STAND_IN:
                raise ValueError("the tensors are far larger together than any minibatch")


MAX_STAND_IN = 1 << 20  # numbers, in what a stand-in computes
POINTS = pytest.StashKey[float]()  # of a check
ASSIGNMENT = pytest.StashKey[Assignment]()  # whose checks they are
GRADING = pytest.StashKey[Grading]()  # what the checks are run for


def part_of(item: pytest.Item) -> str:
    """The name of the part that a check belongs to."""
    assignment = item.config.stash[ASSIGNMENT]
    return next(each.name for each in assignment.parts if item.get_closest_marker(each.name))


def about(item: pytest.Item) -> dict[str, Any]:
    """What `check` was given."""
    marker = item.get_closest_marker("check")
    assert marker is not None, f"{item.nodeid} needs @check(name, weight)"
    return dict(marker.kwargs)


def once(find: Callable[[], _T]) -> Callable[[], _T]:
    """`find`, called no more than once: what it returned or how the submission failed it is kept for later calls."""

    @functools.cache
    def outcome() -> tuple[_T, None] | tuple[None, Wrong | SubmissionError]:
        try:
            return find(), None
        except (Wrong, SubmissionError) as error:
            return None, error

    def found() -> _T:
        value, error = outcome()
        if error is not None:
            raise error.with_traceback(None)  # or it grows with every check that raises it
        return cast(_T, value)

    return found


def only(outputs: Sequence[Tensor], what: str) -> Tensor:
    """The single output of a call of `what`; a failed check where there are more, or none."""
    if len(outputs) != 1:
        fail(f"`{what}` returned {len(outputs)} values where one tensor was expected.", "collection-returned")
    return outputs[0]


def require_shape(tensor: Tensor, shape: tuple[int, ...], what: str) -> Tensor:
    """The tensor as float32, or a failed check if it has another shape, no real numbers or a NaN."""
    if tuple(tensor.shape) != shape:
        fail(f"{what} has shape {tuple(tensor.shape)}; it should have {shape}.", "wrong-shape")
    if not tensor.dtype.is_floating_point:
        fail(f"{what} holds {str(tensor.dtype).removeprefix('torch.')} numbers; it should hold real ones.")
    if not torch.isfinite(tensor).all():
        fail(f"{what} holds NaN or infinite numbers.", "not-finite")
    return tensor.float()


@contextlib.contextmanager
def only_where(words: str) -> Iterator[None]:
    """Begin with these words what is said of a check that fails in here."""
    try:
        yield
    except Wrong as wrong:
        said = str(wrong)
        raise Wrong(f"{words}, {said[:1].lower()}{said[1:]}", *wrong.misconceptions) from None


def require_arguments_unchanged(submission: Submission, reply: Reply, place: tuple[str, ...]) -> None:
    """Fail the check if the call that this replies to, of the definition at this place, changed an argument."""
    if not reply.changed:
        return
    own = submission.outline.find(place)
    names = own.parameters[len(place) - 1 :] if own else ()  # a method's first one is the object
    changed = [f"`{names[at]}`" if at < len(names) else f"number {at + 1}" for at in reply.changed]
    fail(f"Your `{place[-1]}` changes its argument{'s' * (len(changed) > 1)} {listed(changed)}.", "inputs-modified")


def said_of_seed(one: Reply, other: Reply) -> str:
    """What to add to a message where two calls, each with another seed before it, set the same one; else empty."""
    if one.seed is None or one.seed != other.seed:
        return ""
    return f" Your code sets a seed: after each of them, the seed of torch's generator is {one.seed}."


def close(actual: Tensor, expected: Tensor, tolerance: float = 1e-3) -> bool:
    """Whether two finite tensors agree: every element within `tolerance` of its value or of the tensor's scale.

    The scale term covers rounding: float32 sums of 800 products differ by some 1e-6 of their scale between
    orders of summation, 1,000 times less than this.
    """
    if actual.shape != expected.shape or not all(torch.isfinite(each).all() for each in (actual, expected)):
        return False
    # A submission can send tensors of which five copies fill the memory: so in place, and in their own precision.
    magnitudes = expected.abs()
    allowed = tolerance * _scale(magnitudes)
    return bool(((actual - expected).abs_() <= magnitudes.mul_(tolerance).add_(allowed)).all())


def _scale(magnitudes: Tensor) -> float:
    """The size of a tensor's usual elements: a few huge ones must not excuse what the others are off by."""
    positive = magnitudes[magnitudes > 0]
    if not positive.numel():
        return 1e-6
    most = 10 * float(positive.kthvalue(int(0.9 * (len(positive) - 1)) + 1).values)
    most = min(most, torch.finfo(magnitudes.dtype).max)
    del positive
    unit = max(most, 1.0)  # the sum of huge numbers would be infinite, and an infinite scale excuses anything
    return unit * float(magnitudes.clamp(max=most).div_(unit).mean()) + 1e-6
