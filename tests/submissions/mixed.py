"""A class of any size, drawn evenly from the correct, the wrong and the hostile modules."""

import random
from pathlib import Path

from . import correct, hostile, wrong

BENIGN = [
    *(correct.encoded(source) for source in correct.CORRECT.values()),
    *(wrong.source(each).encode() for each in wrong.WRONG),
]


def mixed(count: int, hostile_share: float, canary: Path) -> list[bytes]:
    """So many different sources. `canary` is a folder that the hostile ones may try to harm."""
    bad = round(count * hostile_share)
    attacks = [
        hostile.armed(hostile.HOSTILE[index * len(hostile.HOSTILE) // bad], canary=canary, port=9, marker="mixed")
        for index in range(bad)
    ]
    every = [BENIGN[index * len(BENIGN) // count % len(BENIGN)] for index in range(count - bad)] + attacks
    random.Random(0).shuffle(every)
    return [source + b"\n# submission %d\n" % number for number, source in enumerate(every)]
