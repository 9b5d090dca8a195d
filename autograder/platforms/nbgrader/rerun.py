"""Run a submitted notebook again, in the sandbox: for its figures alone, no score comes from here."""

import contextlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from autograder.platforms.nbgrader import kernel
from autograder.report.model import clean
from autograder.sandbox import cgroup, filter, isolation
from autograder.sandbox.watch import usage

MIB = 1 << 20
MAX_RESULTS = 64 * MIB  # of all cells together
MAX_HEADER = 1000  # of the line before a cell's outputs
SCRATCH = 256 * MIB
POLL_S = 0.25


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


def run(script: Script, bounds: Bounds) -> tuple[dict[int, bytes], str]:
    """What each cell put out, as the JSON of a list that nobody has read yet, and why the run ended early, if it did.

    A kernel that hangs, dies or floods costs its own notebook the figures that are not drawn yet. Needs bubblewrap.
    """
    outputs: dict[int, bytes] = {}
    note = ""
    with tempfile.TemporaryDirectory(prefix="notebook-") as temporary:
        _lay_out(script, Path(temporary))
        lines = _lines(Path(temporary), script, bounds)
        try:
            for header in lines:
                cell, ending = _header(header)
                held = next(lines, b"")
                note = ending or note
                if cell in script.code:
                    outputs[cell] = held
        except _Stopped as stopped:
            note = str(stopped)
        finally:
            lines.close()
    return outputs, note


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


def _lines(folder: Path, script: Script, bounds: Bounds) -> Generator[bytes, None, None]:
    """What the sandbox says, line by line. `_Stopped` when it had to be ended before the notebook's end."""
    variables = isolation.environment(isolation.SCRATCH, "") | {
        **script.variables,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "IPYTHONDIR": isolation.SCRATCH,
        "JUPYTER_RUNTIME_DIR": f"{isolation.SCRATCH}/r",  # a short path: a socket's has room for 107 bytes
    }
    del variables["PYTHONPATH"]
    shown = {"/worker/kernel.py": Path(kernel.__file__), "/submission": folder}
    if script.data:
        shown["/data"] = script.data
    program = os.memfd_create("filter")
    os.write(program, filter.notebook_program())
    os.lseek(program, 0, os.SEEK_SET)
    command = isolation.bubblewrapped(shown, variables, SCRATCH, program)
    command += [sys.executable, "/worker/kernel.py", "/submission", str(bounds.cell_seconds)]
    # The watch says why it stops a notebook; the control group, where there is one, is never late.
    memory = int(1.25 * bounds.memory_mib * MIB)
    with cgroup.bounded(memory, 2 * bounds.threads, cgroup.found()) as within:
        process = subprocess.Popen(
            [*within, *command],
            pass_fds=[program],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin")},
            start_new_session=True,
        )
        os.close(program)
        try:
            yield from _watched(process, bounds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # bubblewrap takes the whole process namespace along
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def _watched(process: subprocess.Popen[bytes], bounds: Bounds) -> Generator[bytes, None, None]:
    assert process.stdout is not None
    deadline = time.monotonic() + bounds.seconds
    received, pending = 0, list[bytes]()  # of a line, which may have as many bytes as all together
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if time.monotonic() > deadline:
                raise _Stopped(f"The notebook was stopped after {bounds.seconds} s.")
            if why := _greedy(process.pid, bounds):
                raise _Stopped(why)
            if not selector.select(POLL_S):
                continue
            data = os.read(process.stdout.fileno(), MIB)
            if not data:
                if process.wait(10):
                    raise _Stopped("The kernel died.")
                return
            received += len(data)
            if received > MAX_RESULTS:
                raise _Stopped(f"The notebook was stopped: it put out more than {MAX_RESULTS // MIB} MiB.")
            first, *rest = data.split(b"\n")
            pending.append(first)
            if rest:
                yield b"".join(pending)
                yield from rest[:-1]
                pending = rest[-1:]


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
