"""Run a submitted notebook again, in the sandbox: for its figures alone, no score comes from here."""

import contextlib
import json
import os
import select
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
from nbformat.v4 import new_code_cell, new_notebook

from autograder.platforms.nbgrader import kernel
from autograder.report.model import clean
from autograder.sandbox import cgroup, confine, isolation
from autograder.sandbox.watch import usage

MIB = 1 << 20
MAX_RESULTS = 64 * MIB  # of all cells together
MAX_HEADER = 1000  # of the line before a cell's outputs
MAX_FORGED = 1000  # cells: each costs the grader a little time
SCRATCH = 256 * MIB
POLL_S = 0.25
DIED = "The kernel died."
START_S, END_S = 120.0, 10.0  # of a sandbox: a cold disk takes its time


@dataclass(frozen=True)
class Bounds:
    """What one notebook may use; watched from outside, since resource limits count one process at a time."""

    seconds: int = 180  # for the whole notebook
    cell_seconds: int = 60
    memory_mib: int = 4096  # of all its processes together
    processes: int = 64
    threads: int = 512
    files: int = 20_000


@dataclass(frozen=True)
class Script:
    """What is run: the code of the notebook's cells by their numbers, and what lies next to it.

    Attributes:
        files: by name.
        folder: a folder that is laid next to the notebook under its name, if it is there.
        data: what is shown as /data, if anything.
        variables: of the environment.
    """

    code: Mapping[int, str]
    files: Mapping[str, bytes] = field(default_factory=dict)
    folder: Path | None = None
    data: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


class _Stopped(Exception):
    """The sandbox was ended before the notebook's end; the message says why."""


class Runner:
    """Runs notebooks in sandboxes that stay warm: each thread has one, for one notebook after another. A context."""

    def __init__(self) -> None:
        self._warm: dict[int, _Sandbox] = {}  # by thread: bubblewrap ends with the one that started it

    def __enter__(self) -> "Runner":
        return self

    def __exit__(self, *_: object) -> None:
        while self._warm:
            self._warm.popitem()[1].close()

    def run(self, script: Script, bounds: Bounds) -> tuple[dict[int, bytes], str]:
        """What each cell put out, as the JSON of a list that nobody has read yet, and why the run ended early, if so.

        A kernel that hangs, dies or floods costs its own notebook the figures that are not drawn yet. Needs bubblewrap.
        """
        warm = self._warm.pop(threading.get_ident(), None)
        if warm and not warm.fits(script, bounds):
            warm.close()
        elif warm:
            outputs, note = self._run(warm, script)
            if outputs or note != DIED:  # otherwise it ended between two notebooks
                return outputs, note
        return self._run(_Sandbox(script, bounds, isolation.can_nest()), script)

    def _run(self, sandbox: "_Sandbox", script: Script) -> tuple[dict[int, bytes], str]:
        """What `run` gives, in this sandbox, which is kept for this thread's next notebook if it is fit for one."""
        outputs: dict[int, bytes] = {}
        note = ""
        with contextlib.ExitStack() as stack:
            stack.callback(sandbox.close)
            lines = stack.enter_context(contextlib.closing(sandbox.lines(script)))
            try:
                for count, header in enumerate(lines):
                    if count == len(script.code) + MAX_FORGED:
                        raise _Stopped("The notebook was stopped: it answered for more cells than it has.")
                    cell, ending = _header(header)
                    held = next(lines, b"")
                    note = ending or note
                    if cell in script.code:
                        outputs[cell] = held
                if sandbox.apart:
                    stack.pop_all()
                    self._warm[threading.get_ident()] = sandbox
            except _Stopped as stopped:
                note = str(stopped)
        return outputs, note


def run(script: Script, bounds: Bounds) -> tuple[dict[int, bytes], str]:
    """What `Runner.run` gives, of one notebook."""
    with Runner() as runner:
        return runner.run(script, bounds)


def _lay_out(script: Script, to: Path) -> None:
    """The notebook and what it needs, in the folder that the sandbox will show it."""
    cells = [new_code_cell(source, metadata={"number": number}) for number, source in script.code.items()]
    nbformat.write(new_notebook(cells=cells), to / "notebook.ipynb")
    for name, content in script.files.items():
        (to / name).write_bytes(content)
    if script.folder is not None and script.folder.is_dir():
        shutil.copytree(script.folder, to / script.folder.name)


def _header(line: bytes) -> tuple[int, str]:
    """The number of a cell, and how it ended; -1 for a line that is none of ours."""
    try:
        said = json.loads(line) if len(line) <= MAX_HEADER else {}
        cell, ending = said["cell"], said["ending"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return -1, ""
    return cell if type(cell) is int else -1, clean(ending, 100) if isinstance(ending, str) else ""


class _Sandbox:
    """A sandbox that runs one notebook after another, if it keeps them `apart`: otherwise it is good for one."""

    def __init__(self, script: Script, bounds: Bounds, apart: bool) -> None:
        self.apart = apart
        self._data, self._variables, self._bounds = script.data, dict(script.variables), bounds
        with contextlib.ExitStack() as stack:
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="notebook-")))
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            stack.callback(self._control.close)
            # The watch says why it stops a notebook; the control group, where there is one, is never late.
            memory = int(1.25 * bounds.memory_mib * MIB)
            within = stack.enter_context(cgroup.bounded(memory, 2 * bounds.threads, cgroup.found()))
            with theirs:
                self._process = subprocess.Popen(
                    [*within, *self._command(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env={"PATH": os.environ.get("PATH", "/usr/bin:/bin")},
                    start_new_session=True,
                )
            stack.callback(self._end)
            self._stack = stack.pop_all()
        self._server = 0

    def _command(self, control: int) -> list[str]:
        variables = isolation.environment(isolation.SCRATCH, "") | {
            **self._variables,
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "IPYTHONDIR": isolation.SCRATCH,
            "JUPYTER_RUNTIME_DIR": f"{isolation.SCRATCH}/r",  # a short path: a socket's has room for 107 bytes
        }
        del variables["PYTHONPATH"]
        shown = {**isolation.worker_files(), "/worker/kernel.py": Path(kernel.__file__), "/submission": self._folder}
        if self._data:
            shown["/data"] = self._data
        # Root outside could set system parameters through /proc, with no capability.
        options = ("--remount-ro", "/proc", *(isolation.NESTING if self.apart else ()))
        command = isolation.bubblewrapped(shown, variables, SCRATCH, options)
        arguments = (control, "/submission", self._bounds.cell_seconds, SCRATCH if self.apart else 0)
        return [*command, sys.executable, "/worker/kernel.py", *map(str, arguments)]

    def _end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # bubblewrap takes the whole process namespace along
        self._process.wait()

    def close(self) -> None:
        """End all processes in it."""
        self._stack.close()

    def fits(self, script: Script, bounds: Bounds) -> bool:
        """Whether it has what this notebook is to see, and may use what that may."""
        alike = (self._data, self._variables, self._bounds) == (script.data, dict(script.variables), bounds)
        ended = self._process.poll() is not None or select.select([self._control], [], [], 0)[0]
        return alike and not ended

    def lines(self, script: Script) -> Generator[bytes, None, None]:
        """What the run of a notebook says, line by line. `_Stopped` when it had to be ended before its end."""
        confine.remove_contents(self._folder)
        _lay_out(script, self._folder)
        deadline = time.monotonic() + self._bounds.seconds
        if not self._server:
            self._server = self._started()
            deadline = time.monotonic() + self._bounds.seconds
        results, theirs = os.pipe()
        os.set_blocking(results, False)  # the notebook could open the pipe again and read what is in it
        try:
            try:
                socket.send_fds(self._control, [b"run"], [theirs])
            except OSError:
                raise _Stopped(DIED) from None
            finally:
                os.close(theirs)
            yield from self._watched(results, deadline)
        finally:
            os.close(results)
        if self._said(END_S) != b"0":
            raise _Stopped(DIED)

    def _started(self) -> int:
        """The process id of the server, once it is ready."""
        ready = self._said(START_S) == b"ready"
        below = psutil.Process(self._process.pid).children(recursive=True)
        if not ready or not below:
            raise OSError("the sandbox for notebooks did not start")
        return below[-1].pid

    def _said(self, seconds: float) -> bytes:
        """What the server says in that time; nothing if it has ended."""
        self._control.settimeout(seconds)
        with contextlib.suppress(OSError):
            return self._control.recv(16)
        return b""

    def _watched(self, results: int, deadline: float) -> Generator[bytes, None, None]:
        received, pending = 0, list[bytes]()  # of a line, which may have as many bytes as all together
        with selectors.DefaultSelector() as selector:
            selector.register(results, selectors.EVENT_READ)
            while True:
                stop = _too_long(deadline, self._bounds) or _greedy(self._server, self._bounds)
                # What it wrote before it is stopped is read once more: a pipe holds less than one read takes.
                data = _read(results) if selector.select(0 if stop else POLL_S) else None
                if data == b"" and not stop:
                    return
                data = data or b""
                first, *rest = data.split(b"\n")
                received += len(data)
                pending.append(first)
                if rest:
                    yield b"".join(pending)
                    yield from rest[:-1]
                    pending = rest[-1:]
                if received > MAX_RESULTS:
                    stop = stop or f"The notebook was stopped: it put out more than {MAX_RESULTS // MIB} MiB."
                if stop:
                    raise _Stopped(stop)


def _read(pipe: int) -> bytes | None:
    """What is in it, nothing at its end; None if somebody else has read it by now."""
    with contextlib.suppress(BlockingIOError):
        return os.read(pipe, MIB)
    return None


def _too_long(deadline: float, bounds: Bounds) -> str | None:
    return f"The notebook was stopped after {bounds.seconds} s." if time.monotonic() > deadline else None


def _greedy(pid: int, bounds: Bounds) -> str | None:
    """Why the processes below `pid` use too much, or None."""
    used = usage(pid, isolation.SCRATCH)
    for what, much, most in (
        ("started more than {} processes", used.processes, bounds.processes),
        ("started more than {} threads", used.threads, bounds.threads),
        ("wrote more than {} files", used.files, bounds.files),
        ("used more than {} MiB of memory", used.memory // MIB, bounds.memory_mib),
    ):
        if much > most:
            return f"The notebook was stopped: it {what.format(most)}."
    return None
