"""Prints what each isolation level stops: every hostile module at every level that works here, by class of attack.

    python -m tests.hostile_table            or: make hostile
    python -m tests.hostile_table confined "confined without landlock"

An attack is stopped when it earned no more than it computed, did nothing outside its sandbox, and the report says so in
words that no reader of it acts on. What got through is listed below the table, with what it did.
"""

import os
import platform
import sys
from concurrent.futures import Future

from autograder.grading.grade import UNJUDGED
from tests.settings import SETTINGS
from tests.submissions.hostile import ATTACKS, HOSTILE, Hostile
from tests.submissions.side_by_side import GRADER_S, Aftermath, Pool, attack
from tests.test_hostile import assert_harmless


def got_through(hostile: Hostile, future: Future[Aftermath]) -> list[str]:
    """What an attack achieved, in words."""
    try:
        result: Aftermath = future.result()
    except Exception as error:
        return [f"the grader failed: {type(error).__name__}: {error}"]
    achieved = [*result.damage]
    if result.report.score > hostile.max_score:
        achieved.append(f"it earned {result.report.score:g} points")
    if result.report.grader_failed:
        achieved.append(f"the grader failed: {result.report.error}")
    achieved += [each for each in result.report.attention if each.startswith(UNJUDGED)]
    if result.seconds > GRADER_S:
        achieved.append(f"it took {result.seconds:.0f} s")
    try:
        assert_harmless(result.report)
    except AssertionError as error:
        achieved.append(f"a rendering of its report: {error}")
    return achieved


def main() -> None:
    settings = [each for each in SETTINGS if each.why_not() is None and each.name in (sys.argv[1:] or [each.name])]
    found: dict[tuple[str, str], list[str]] = {}
    for setting in settings:
        pool = Pool(setting)
        jobs = pool.submit(attack, [hostile.name for hostile in HOSTILE])
        for count, hostile in enumerate(HOSTILE, 1):
            found[setting.name, hostile.name] = got_through(hostile, jobs[hostile.name])
            print(f"\r{setting.name}: {count} of {len(HOSTILE)}", end="", file=sys.stderr, flush=True)
        pool.close()
        print(file=sys.stderr)
    print(f"| attacks on | tried | {' | '.join(each.name for each in settings)} |")
    print(f"| --- | --: |{' --: |' * len(settings)}")
    for kind in (*ATTACKS, "all"):
        tried = [hostile.name for hostile in HOSTILE if kind in ("all", hostile.attack)]
        stopped = [str(sum(not found[setting.name, name] for name in tried)) for setting in settings]
        print(f"| {kind} | {len(tried)} | {' | '.join(stopped)} |")
    print(f"\nGraded by {'root' if os.geteuid() == 0 else 'a user who is not root'}, Linux {platform.release()}.")
    for (setting_name, name), achieved in found.items():
        if achieved:
            print(f"- {setting_name}: {name}: {achieved[0]}{f', and {len(achieved) - 1} more' * (len(achieved) > 1)}")


if __name__ == "__main__":
    main()
