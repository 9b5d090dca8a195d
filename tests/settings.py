"""Isolation levels as they are on different machines: which kernel, and what a container allows."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograder.sandbox import isolation

OLDER_KERNEL = Path(__file__).with_name("older_kernel.py")


@dataclass(frozen=True)
class Setting:
    """An isolation level where some mechanisms (see `older_kernel`) are missing."""

    level: str
    missing: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.level} without {' or '.join(self.missing)}" if self.missing else self.level

    def why_not(self) -> str | None:
        """Why this machine cannot show it, or None."""
        if {"landlock", "capabilities"} & {*self.missing} and os.geteuid() != 0:
            return "only root is confined by another user"
        if self.missing == ("landlock",) and not _readable_by_others(Path(sys.executable)):
            return "other users cannot read the interpreter"
        return isolation.why_not(self.level)

    def enter(self, patch: pytest.MonkeyPatch) -> None:
        """Start workers in this setting from now on."""
        if self.missing:
            start_worker, start = isolation.start_worker, subprocess.Popen
            prefix = [sys.executable, str(OLDER_KERNEL), ",".join(self.missing), "--"]

            def start_there(*arguments: Any) -> Any:
                with pytest.MonkeyPatch.context() as around:
                    around.setattr(subprocess, "Popen", lambda command, **rest: start([*prefix, *command], **rest))
                    return start_worker(*arguments)

            patch.setattr(isolation, "start_worker", start_there)


SETTINGS = (
    Setting("bubblewrap"),
    Setting("confined"),
    Setting("confined", ("landlock",)),
    Setting("confined", ("capabilities",)),
    Setting("process"),
)


def _readable_by_others(path: Path) -> bool:
    path = path.resolve()
    return all(each.stat().st_mode & 0o001 for each in (path, *path.parents))
