"""What a tree of processes uses, measured from outside, for limits on all of them together."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass
class Usage:
    """What processes use together; `memory` in bytes."""

    processes: int = 0
    threads: int = 0
    memory: int = 0
    files: int = 0


def usage(pid: int, scratch: str) -> Usage:
    """What the descendants of a process use, including their private `scratch` file system."""
    used = Usage()
    try:
        family = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return used
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess, OSError):
            # Not what `status` says, where a process's name may look like this number.
            used.threads += os.stat(f"/proc/{member.pid}/task").st_nlink - 2
            used.memory += _memory(member)
            used.processes += 1
    for member in reversed(family):  # the first may see another /scratch
        with contextlib.suppress(OSError):
            found = os.statvfs(f"/proc/{member.pid}/root{scratch}")
            used.memory += (found.f_blocks - found.f_bfree) * found.f_frsize
            used.files = found.f_files - found.f_ffree
            break
    return used


def _memory(process: psutil.Process) -> int:
    """Its memory, swapped or not, with its share of shared memory."""
    try:
        rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    except OSError:  # it hides its memory: count all that is resident
        return int(process.memory_info().rss)
    fields = (line.split() for line in rollup.splitlines()[1:])
    return sum(1024 * int(size) for name, size, *_ in fields if name in ("Pss:", "SwapPss:"))
