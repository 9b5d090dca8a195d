"""A control group (version 2) that limits a tree of processes as a whole, where available.

The group is a sibling of this process's own, because a group with processes cannot have limited groups below it.
Source: the kernel's Documentation/admin-guide/cgroup-v2.rst.
"""

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

GONE_S = 5.0


def found() -> Path | None:
    """The folder for a new group whose memory is counted; None if there is none."""
    with contextlib.suppress(OSError, StopIteration):
        own = next(line[4:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::/"))
        mounts = (line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines())
        mounted = next(Path(fields[4]) for fields in mounts if "cgroup2" in fields[fields.index("-") :])
        folder = (mounted / own).parent
        counted = own and "memory" in (folder / "cgroup.subtree_control").read_text().split()
        if counted and os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK):
            return folder
    return None


@contextlib.contextmanager
def bounded(memory: int, tasks: int, folder: Path | None) -> Iterator[list[str]]:
    """A group of at most `memory` bytes, and `tasks` processes and threads if the kernel counts them.

    Yields what to put before a command to run it in the group: nothing without a `folder` (see `found`). All processes
    in the group are killed at the end.
    """
    if folder is None:
        yield []
        return
    group = folder / f"autograder-{secrets.token_hex(4)}"
    group.mkdir()
    try:
        (group / "memory.max").write_text(str(memory))
        for file, value in (("memory.swap.max", 0), ("memory.oom.group", 1), ("pids.max", tasks)):
            if (group / file).exists():
                (group / file).write_text(str(value))
        yield ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs")]
    finally:
        with contextlib.suppress(OSError):
            (group / "cgroup.kill").write_text("1")
        _remove(group)


def _remove(group: Path) -> None:
    """Remove a group once its last process is gone."""
    end = time.monotonic() + GONE_S
    while time.monotonic() < end:
        try:
            group.rmdir()
        except OSError:
            time.sleep(0.02)
        else:
            return
