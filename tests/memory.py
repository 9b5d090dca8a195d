"""How much more memory this process holds while something runs."""

import contextlib
from collections.abc import Callable
from pathlib import Path


def watch_memory() -> Callable[[], float]:
    """Return a function that gives the most memory held since now, its threads' included, above that of now, in GiB.

    The kernel keeps the peak (VmHWM in proc(5)) for the life of a process, and tests of other files have raised it:
    it is set back first. Where the kernel refuses that, only what exceeds the old peak is seen.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    return lambda: peak() - before


def peak() -> float:
    """The process's peak of resident memory, in GiB."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / (1 << 20)
