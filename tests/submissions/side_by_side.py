"""Grade many submissions side by side: two processes, each with a warm sandbox of its own.

Grading is mostly waiting for the sandbox, and pytest within pytest cannot share a process with other threads.
"""

import atexit
import contextlib
import dataclasses
import multiprocessing
import os
import secrets
import shutil
import signal
import site
import socket
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from autograder.grading import locate
from autograder.grading.grade import grade_source
from autograder.report.model import Report
from autograder.sandbox import client, isolation
from autograder.sandbox.client import Sandbox
from autograder.sandbox.limits import LIMITS
from tests.settings import Setting

from . import correct, hostile, wrong

PROCESSES = 2
# Attacks that hang are given less time than students are, so that the tests end.
SHORT = dataclasses.replace(LIMITS, import_s=5.0, call_s=3.0, training_s=12.0, total_s=25.0)
GRADER_S = 60  # by then grading has ended, or the grader hangs
# What attacks print when they got somewhere.
BOASTS = ("READ", "TRACED", "CONNECTED", "LISTENS", "LIMITED", "OPENED", "ALLOWED")


Result = TypeVar("Result")


class Pool:
    """Runs jobs in the background; each test then waits for its own."""

    def __init__(self, setting: Setting | None = None) -> None:
        level = os.environ.get("AUTOGRADER_TEST_ISOLATION")  # default: the strongest that works here
        setting = setting or Setting(level or isolation.strongest().name)
        # Spawned, because a fork of a process that has used torch's threads may hang.
        context = multiprocessing.get_context("spawn")
        self._executor = ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=_start, initargs=(setting,))

    def submit(self, job: Callable[[str], Result], names: Iterable[str]) -> dict[str, Future[Result]]:
        """A future for each name, in order."""
        return {name: self._executor.submit(job, name) for name in dict.fromkeys(names)}

    def close(self) -> None:
        self._executor.shutdown(cancel_futures=True)


_sandbox: Sandbox


def _start(setting: Setting) -> None:
    global _sandbox
    setting.enter(pytest.MonkeyPatch())
    _sandbox = Sandbox(setting.level)
    atexit.register(_stop)


def selected(request: pytest.FixtureRequest, parameter: str) -> list[Any]:
    """What the tests of the requesting module that are about to run have for `parameter`, in order."""
    items = [item for item in request.session.items if getattr(item, "module", None) is request.module]
    every = [item.callspec.params for item in items if hasattr(item, "callspec")]
    return [parameters[parameter] for parameters in every if parameter in parameters]


def grade_correct(name: str) -> Report:
    """Grade the correct module of that name in this process's warm sandbox."""
    return grade_source(name, correct.encoded(correct.CORRECT[name]), _sandbox)


def grade_wrong(name: str) -> Report:
    """Grade the wrong module of that name in this process's warm sandbox, with the seed that its name gives.

    A test that fails can be run again so. Other seeds are for `make corpus`.
    """
    locate.SECONDS = 0.0  # tests/test_locate.py looks at places, which takes seconds
    module = next(each for each in wrong.WRONG if each.name == name)
    return grade_source(name, wrong.source(module).encode(), _sandbox, seed=zlib.crc32(name.encode()))


def _stop() -> None:
    _sandbox.close()
    os._exit(0)  # without unloading torch, which takes seconds


@dataclass
class Aftermath:
    """How grading a hostile module ended, and what it left behind."""

    report: Report
    seconds: float
    damage: list[str] = field(default_factory=list)  # what it did outside its sandbox, in words


def attack(name: str) -> Aftermath:
    """Grade a hostile module with a canary, a listener and a name of its own, and look around afterwards."""
    module = next(each for each in hostile.HOSTILE if each.name == name)
    marker, secret = f"esc-{secrets.token_hex(4)}", secrets.token_hex(16)
    before = _niceness()
    with contextlib.ExitStack() as stack:
        canary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="canary-")))
        for file in ("alive", "secret"):
            (canary / file).write_text(secret)
        canary.chmod(0o755)
        listeners = [stack.enter_context(each) for each in _listeners(marker)]
        port = listeners[0].getsockname()[1]
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(client, "LIMITS", SHORT)
        signal.signal(signal.SIGALRM, _give_up)
        signal.alarm(GRADER_S)
        started = time.monotonic()
        try:
            source = hostile.armed(module, canary=canary, port=port, marker=marker)
            report = grade_source(name, source, _sandbox)
        finally:
            signal.alarm(0)
        result = Aftermath(report, time.monotonic() - started)
        if sorted(each.name for each in canary.iterdir()) != ["alive", "secret"]:
            result.damage.append(f"the canary's folder holds {os.listdir(canary)}")
        elif any((canary / file).read_text() != secret for file in ("alive", "secret")):
            result.damage.append("the canary was written to")
        if secret in report.output:
            result.damage.append("the canary's secret was read")
        result.damage += [f"it boasts: {line}" for line in report.output.splitlines() if line.startswith(BOASTS)]
        for listener in listeners:
            with contextlib.suppress(BlockingIOError):
                listener.accept()
                result.damage.append(f"it connected to {listener.getsockname()}")
        result.damage += _processes_called(marker[:15]) + _files_called(marker)
        for pid, nice in _niceness().items():
            if nice != before.get(pid, before[os.getpid()]):
                result.damage.append(f"process {pid} of the grader has niceness {nice}")
    return result


def _give_up(*_: object) -> None:
    raise RuntimeError(f"the grader itself was still busy after {GRADER_S} s")


def _listeners(marker: str) -> list[socket.socket]:
    tcp = socket.create_server(("127.0.0.1", 0))
    unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    unix.bind(f"\0{marker}" if sys.platform == "linux" else f"{tempfile.gettempdir()}/{marker}.socket")
    unix.listen()
    for listener in (tcp, unix):
        listener.setblocking(False)
    return [tcp, unix]


def _processes_called(comm: str) -> list[str]:
    """Processes of this name that are there two seconds later still."""
    for _ in range(20):
        found = [path.parent.name for path in Path("/proc").glob("[0-9]*/comm") if _read(path).strip() == comm]
        if not found:
            return []
        time.sleep(0.1)
    return [f"process {pid} was left behind" for pid in found]


def _files_called(marker: str) -> list[str]:
    """Files with the marker in their name, in the places where an attack may drop them. They are deleted."""
    places = {"/", "/tmp", "/var/tmp", "/dev/shm", "/root", "/home", os.getcwd(), os.path.dirname(os.getcwd())}
    places |= {tempfile.gettempdir(), str(Path.home()), site.getusersitepackages(), *site.getsitepackages(), *sys.path}
    found = [path for place in places if os.path.isdir(place) for path in Path(place).glob(f"*{marker}*")]
    for path in found:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return [f"{path} was written" for path in found if not path.name.endswith(".socket")]


def _niceness() -> dict[int, int]:
    """The niceness of this process and of all below it."""
    found, todo = {}, [os.getpid()]
    while todo:
        pid = todo.pop()
        with contextlib.suppress(OSError):
            found[pid] = os.getpriority(os.PRIO_PROCESS, pid)
            todo += map(int, _read(Path(f"/proc/{pid}/task/{pid}/children")).split())
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
