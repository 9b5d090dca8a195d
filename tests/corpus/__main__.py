"""Grade the corpus and print how often grading is mistaken: `python -m tests.corpus --help`."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.corpus import measure
from tests.corpus.measure import Finding, Module

KEPT = Path(__file__).resolve().parents[2] / "out" / "corpus"
console = Console(soft_wrap=True, highlight=False)


def main() -> int:
    """The command. 1 where a wrong module got full marks, a correct one did not, or points or hints went astray."""
    parser = argparse.ArgumentParser(prog="corpus", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="grade each module with this many seeds (default: 1)")
    parser.add_argument("--first-seed", type=int, default=0, metavar="SEED", help="the first of them (default: 0)")
    parser.add_argument("--sample", type=int, metavar="N", help="take every N-th module only")
    parser.add_argument("--only", metavar="WORDS", help="take modules with this in their name only")
    parser.add_argument("--processes", type=int, help="grade so many at once (default: one a core)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every finding")
    parser.add_argument(
        "--kept", type=Path, default=KEPT, help="folder of kept reports, never made twice (default: out/corpus)"
    )
    options = parser.parse_args()
    groups = {
        "correct": measure.correct_modules(),
        "by hand": measure.hand_made(),
        "one mistake": measure.wrong_modules(),
        "two mistakes": measure.pairs(),
    }
    findings: dict[str, list[Finding]] = {}
    for name, modules in groups.items():
        chosen = [module for module in modules[:: options.sample] if (options.only or "") in module.name]
        findings[name] = list(_graded(name, chosen, options))
    console.print(table(findings))
    everything = [finding for group in findings.values() for finding in group]
    exceptions(everything)
    needs(everything)
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in everything], default=sorted, indent=1))
    return int(any(each.mistaken for each in everything))


def _graded(name: str, modules: Sequence[Module], options: argparse.Namespace) -> list[Finding]:
    found = []
    total = len(modules) * options.seeds
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    for finding in measure.measure(modules, seeds, options.kept, options.processes):
        found.append(finding)
        if len(found) % 50 == 0 or len(found) == total:
            print(f"{name}: {len(found)} of {total}", file=sys.stderr, flush=True)
    return found


def table(findings: dict[str, list[Finding]]) -> Table:
    """The figures, a column a group of modules."""
    shown = Table("", *findings)
    for column in shown.columns[1:]:
        column.justify = "right"
    graded = {name: [each for each in group if not each.set_aside] for name, group in findings.items()}

    def row(what: str, count: dict[str, object]) -> None:
        shown.add_row(what, *(str(count[name]) for name in findings))

    def counted(what: str, holds: str) -> None:
        row(what, {name: sum(bool(getattr(each, holds)) for each in group) for name, group in graded.items()})

    row("modules", {name: len({each.name for each in group}) for name, group in graded.items()})
    row("set aside, for they do the same", {n: len({e.name for e in g if e.set_aside}) for n, g in findings.items()})
    row("seeds", {name: len({each.seed for each in group}) for name, group in graded.items()})
    counted("false accepts", "false_accept")
    counted("false rejects", "false_reject")
    counted("points taken from the wrong part", "robbed")
    counted("points left in a wrong part", "spared")
    for what, holds in (
        ("hints right", "hints_right"),
        ("hints wrong", "false_hints"),
        ("hints absent", "hints_absent"),
    ):
        counted(what, holds)
    return shown


def exceptions(findings: Sequence[Finding]) -> None:
    """Each mistake of grading by the module's name, and each wrong module without a hint."""
    for each in findings:
        for what, which in (
            ("false accept", each.false_accept),
            ("false reject", each.false_reject),
            ("wrong part", each.wrong and each.robbed),
            ("part spared", each.wrong and each.spared),
            ("wrong hint", each.false_hints),
            ("no hint", each.hints_absent),
        ):
            if which:
                named = f" ({', '.join(sorted(which))})" if not isinstance(which, bool) else ""
                console.print(f"{what}{named}: {each.name}, seed {each.seed}", markup=False)


def needs(findings: Sequence[Finding]) -> None:
    """For each check, the wrong modules that no other check catches."""
    alone = Counter(each.failing[0] for each in findings if each.wrong and len(each.failing) == 1)
    failed = Counter(name for each in findings if each.wrong for name in each.failing)
    shown = Table("check", "fails", "alone", title="wrong modules that a check catches, and that only it catches")
    for name in measure.check_names():
        shown.add_row(escape(name), str(failed[name]), str(alone[name]))
    console.print(shown)


if __name__ == "__main__":
    sys.exit(main())
