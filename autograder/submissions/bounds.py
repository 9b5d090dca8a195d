"""What it may cost to read one submission: bytes, whether or not anything comes of them, and time."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

SECONDS = 30.0  # of processor time; most take a hundredth of a second

_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)


class TooMuch(Exception):
    """A file holds more than is read of it, or costs more. The message is the end of a sentence."""


@dataclass
class Room:
    """What all archives of one submission share, in bytes: how much may still be read and unpacked, and listed."""

    left: int
    listed: int

    def read(self, size: int) -> None:
        """Take `size` bytes that were read or unpacked. TooMuch if there are not so many."""
        self.left -= size
        if self.left < 0:
            raise TooMuch("holds too much to be read, together with other archives")

    def take(self, size: int) -> None:
        """Take `size` bytes for a list of files. TooMuch if there are not so many."""
        self.listed -= size
        if self.listed < 0:
            raise TooMuch("lists too many files for a submission")


@contextmanager
def limited_time() -> Iterator[None]:
    """Within it, this thread reads files for `SECONDS`. What it takes is not counted by one around it."""
    around, started = _deadline.get(), time.thread_time()
    _deadline.set(started + SECONDS)
    try:
        yield
    finally:
        _deadline.set(around + time.thread_time() - started)


def is_over() -> bool:
    """Whether there is no more time."""
    return time.thread_time() > _deadline.get()


def check_time() -> None:
    """TooMuch if there is no more time."""
    if is_over():
        raise TooMuch(f"was not read: what was handed in takes the grader more than {SECONDS:g} seconds to read")
