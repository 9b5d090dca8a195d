"""Prints what each isolation level stops: every hostile module at every level that works here, by class of attack.

    python tests/hostile_table.py            or: make hostile

An attack is stopped when it earned no more than it computed, did nothing outside its sandbox, and the report says so in
words that no reader of it acts on. What got through is listed below the table, with what it did.
"""

import sys
from concurrent.futures import Future

from submissions.hostile import ATTACKS, HOSTILE, Hostile
from submissions.side_by_side import GRADER_S, Aftermath, Pool, attack
from test_hostile import assert_inert

from autograder.sandbox import isolation


def got_through(hostile: Hostile, future: Future) -> list[str]:
    """What an attack achieved, in words."""
    try:
        result: Aftermath = future.result()
    except Exception as error:
        return [f"the grader failed: {type(error).__name__}: {error}"]
    achieved = [*result.damage]
    if result.report.score > hostile.max_score:
        achieved.append(f"it earned {result.report.score:g} points")
    if result.report.grader_failed:
        achieved.append(f"a check broke down: {result.report.error}")
    if result.seconds > GRADER_S:
        achieved.append(f"it took {result.seconds:.0f} s")
    try:
        assert_inert(result.report)
    except AssertionError as error:
        achieved.append(f"a rendering of its report: {error}")
    return achieved


def main() -> None:
    levels = [level.name for level in isolation.LEVELS if isolation.why_not(level.name) is None]
    found: dict[tuple[str, str], list[str]] = {}
    for level in levels:
        pool = Pool(level)
        jobs = pool.submit(attack, [hostile.name for hostile in HOSTILE])
        for hostile in HOSTILE:
            found[level, hostile.name] = got_through(hostile, jobs[hostile.name])
            print(
                f"\r{level}: {len([key for key in found if key[0] == level])} of {len(HOSTILE)}",
                end="",
                file=sys.stderr,
            )
        pool.close()
        print(file=sys.stderr)
    print(f"| attacks on | tried | {' | '.join(levels)} |\n| --- | --: |{' --: |' * len(levels)}")
    for kind in ATTACKS:
        tried = [hostile.name for hostile in HOSTILE if hostile.attack == kind]
        stopped = [str(sum(not found[level, name] for name in tried)) for level in levels]
        print(f"| {kind} | {len(tried)} | {' | '.join(stopped)} |")
    totals = [str(sum(not found[level, hostile.name] for hostile in HOSTILE)) for level in levels]
    print(f"| all | {len(HOSTILE)} | {' | '.join(totals)} |\n")
    for (level, name), achieved in found.items():
        if achieved:
            print(f"- {level}: {name}: {achieved[0]}{f', and {len(achieved) - 1} more' * (len(achieved) > 1)}")


if __name__ == "__main__":
    main()
