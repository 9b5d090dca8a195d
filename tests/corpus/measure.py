"""Grade the corpus in warm sandboxes, and compare what grading says with what the oracle saw."""

import atexit
import hashlib
import importlib
import json
import multiprocessing
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import torch

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.assignment import PARTS
from autograder.grading.grade import grade_source
from autograder.grading.results import Results
from autograder.output import write
from autograder.report.model import Outcome, Report
from autograder.sandbox.client import Sandbox
from tests.submissions import wrong

from . import claims, mutations, oracle, styles
from .mutations import Mutant

_sandbox: Sandbox
_ORACLE = Path(oracle.__file__).read_text("utf-8")


@dataclass(frozen=True)
class Module:
    """A module of the corpus. `base` is the correct source that a mutant was made from, None for any other.

    `verdict` is what is known of a module that is no mutant: nothing against a correct one; `named` the mistakes that
    hints should name, where they are known. Otherwise each hint's claim is tried on the module.
    """

    name: str
    source: str
    base: str | None = None
    verdict: oracle.Verdict = field(default_factory=oracle.Verdict)
    named: frozenset[str] | None = None


@dataclass(frozen=True)
class Finding:
    """How a module was graded with one seed, beside what it should have come to."""

    name: str
    seed: int
    wrong: bool  # by the oracle
    set_aside: bool = False  # a mutant that does the same as its base
    lost: frozenset[str] = frozenset()  # parts
    spared: frozenset[str] = frozenset()  # parts that should have lost points and did not
    robbed: frozenset[str] = frozenset()  # parts that lost points and should not have
    failing: tuple[str, ...] = ()  # checks, as part: name
    hints: tuple[str, ...] = ()  # misconceptions named
    false_hints: tuple[str, ...] = ()  # those of them whose claim does not hold of the module
    told: tuple[str, ...] = field(default=(), repr=False)  # what the student reads, a line a check

    @property
    def false_accept(self) -> bool:
        return self.wrong and not self.lost

    @property
    def hints_absent(self) -> bool:
        return self.wrong and not self.hints

    @property
    def hints_right(self) -> bool:
        return self.wrong and bool(self.hints) and not self.false_hints

    @property
    def mistaken(self) -> bool:
        """Whether grading is: in what it takes, or in what it says."""
        return self.false_accept or self.false_reject or bool(self.robbed or self.spared or self.false_hints)

    @property
    def false_reject(self) -> bool:
        return not self.wrong and not self.set_aside and bool(self.lost)


def wrong_modules() -> list[Module]:
    """The mutants, those that do the same as before among them."""
    return [_of(mutant) for mutant in mutations.corpus()]


def pairs(count: int = mutations.PAIRS) -> list[Module]:
    """Modules with two mistakes."""
    return [_of(mutant) for mutant in mutations.pairs(count)]


def hand_made() -> list[Module]:
    """The wrong modules of `submissions.wrong`, with what is said there of the parts that they lose."""
    modules = []
    for each in wrong.WRONG:
        loses, one_of = (each.loses, frozenset()) if each.loses else (frozenset(), each.may_lose)
        verdict = oracle.Verdict(loses, one_of, each.may_lose)
        named = frozenset((each.misconception or "").split())
        modules.append(Module(each.name, wrong.source(each), None, verdict, named))
    return modules


def correct_modules() -> list[Module]:
    """The compositions."""
    return [Module(name, source) for name, source in styles.compose().items()]


def _of(mutant: Mutant) -> Module:
    bases = mutations.bases()
    return Module(mutant.name, mutant.source, bases[mutant.base.split("/")[0]])


def measure(
    modules: Sequence[Module], seeds: Iterable[int], kept: Path, processes: int | None = None
) -> Iterator[Finding]:
    """A finding for each module and seed, in order. Reports are kept in the folder `kept`, and not made again."""
    context = multiprocessing.get_context("spawn")  # a fork of a process that has used torch's threads may hang
    with ProcessPoolExecutor(processes or os.cpu_count(), mp_context=context, initializer=_start) as executor:
        jobs = [(module, seed, kept) for seed in seeds for module in modules]
        yield from executor.map(_examine, jobs, chunksize=4)


def _start() -> None:
    global _sandbox
    torch.set_num_threads(1)
    _sandbox = Sandbox()
    atexit.register(_sandbox.close)


def _examine(job: tuple[Module, int, Path]) -> Finding:
    module, seed, kept = job
    verdict = module.verdict
    if module.base is not None:
        verdict = _verdict(module.base, module.source, kept)
        if verdict.equivalent:
            return Finding(module.name, seed, wrong=False, set_aside=True)
    return compare(module, seed, verdict, _report(module, seed, kept))


def _verdict(base: str, source: str, kept: Path) -> oracle.Verdict:
    digest = hashlib.sha256("\0".join((base, source, _ORACLE)).encode()).hexdigest()
    path = kept / f"{digest}.verdict.json"
    if path.exists():
        return oracle.Verdict(*map(frozenset, json.loads(path.read_text())))
    verdict = oracle.judge(base, source)
    write(path, json.dumps([sorted(each) for each in (verdict.loses, verdict.one_of, verdict.may_lose)]))
    return verdict


def _report(module: Module, seed: int, kept: Path) -> Report:
    source, results = module.source.encode(), Results(kept, CVAE, seed)
    report = results.find(source)
    if report is None:
        report = grade_source(module.name, source, _sandbox, seed=seed)
        results.keep(source, report)
    return report


def compare(module: Module, seed: int, verdict: oracle.Verdict, report: Report) -> Finding:
    """What grading took, held against what the module does."""
    checks = [
        (part.name, check) for part in report.parts for check in part.checks if check.outcome is not Outcome.PASSED
    ]
    lost = frozenset(part.name for part in report.parts if part.score < part.max_score)
    hints = sorted({name for _, check in checks for name in check.misconceptions})
    if module.named is None:
        with torch.enable_grad():  # trying a claim runs the module, which may leave gradients off
            false = claims.false_of(module.source, hints)
    else:
        false = [name for name in hints if name not in module.named]
    return Finding(
        module.name,
        seed,
        wrong=not verdict.equivalent,
        lost=lost,
        spared=verdict.spared(lost),
        robbed=verdict.robbed(lost),
        failing=tuple(f"{part}: {check.name}" for part, check in checks),
        hints=tuple(hints),
        false_hints=tuple(false),
        told=tuple(
            f"{part}: {check.outcome}: {check.message} [{', '.join(check.misconceptions)}]" for part, check in checks
        ),
    )


def check_names() -> list[str]:
    """The graded checks as part: name, in the order of the files."""
    found = []
    for part in PARTS:
        module = importlib.import_module(f"autograder.assignments.cvae.checks.test_{part.name}")
        for value in vars(module).values():
            for mark in getattr(value, "pytestmark", ()) if callable(value) else ():
                if mark.name == "check":
                    found.append(f"{part.name}: {mark.kwargs['name']}")
    return found
