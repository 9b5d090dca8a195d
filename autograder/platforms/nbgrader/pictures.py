"""Run a submitted notebook in the sandbox, for its pictures alone: no score comes from here."""

import contextlib
import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade
from traitlets import Integer, List, Unicode

from autograder.assignment import Assignment
from autograder.platforms.nbgrader import kernel
from autograder.platforms.nbgrader.submitted import (
    MAX_TEXT,
    assignment_of,
    module_in,
    picture,
    source_folder,
    submitted_folder,
)
from autograder.report.model import clean
from autograder.sandbox import cgroup, filter, isolation
from autograder.sandbox.watch import usage
from autograder.submissions.find import NothingToGrade

MIB = 1 << 20
MAX_RESULTS = 64 * MIB  # of all cells together
MAX_OUTPUTS = 200  # of one cell
SCRATCH = 256 * MIB
POLL_S = 0.25

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


class RunNotebook(NbGraderPreprocessor):
    """Executes the cells that are not graded, in smoke mode, in bubblewrap, so that the TA sees what they draw.

    A kernel that hangs, dies or floods costs its own notebook the pictures that are not drawn yet. Switch it off with
    `nbgrader autograde --RunNotebook.enabled=False`.
    """

    seconds = Integer(180, help="Wall time for the whole notebook.").tag(config=True)
    cell_seconds = Integer(60, help="Wall time for one cell.").tag(config=True)
    memory_mib = Integer(4096, help="Memory of all its processes together.").tag(config=True)
    processes = Integer(64, help="How many processes it may have.").tag(config=True)
    threads = Integer(512, help="How many threads they may have together.").tag(config=True)
    files = Integer(20_000, help="How many files it may write.").tag(config=True)
    data = Unicode("", help="A folder with the data that students use, in place of what is in the kit.").tag(
        config=True
    )
    assignments = List(Unicode(), help="The assignments of the course, by name or folder.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        code = [cell for cell in nb.cells if cell.cell_type == "code"]
        if (reason := isolation.why_not("bubblewrap")) is not None:
            self.log.warning("The notebook is not run, because it cannot be kept apart: %s", reason)
            return nb, resources
        for cell in code:
            cell.outputs = []
        assignment = assignment_of(self, resources)
        with tempfile.TemporaryDirectory(prefix="notebook-") as temporary:
            self._lay_out(nb, resources, assignment, Path(temporary))
            note = ""
            try:
                for line in self._lines(Path(temporary), assignment):
                    note = _record(line, nb) or note
            except _Stopped as stopped:
                note = str(stopped)
        if note:
            self.log.warning("%s: %s", resources["nbgrader"]["student"], note)
            unfinished = next((cell for cell in code if not is_grade(cell) and not cell.outputs), None)
            if unfinished is not None:
                unfinished.outputs = [new_output("stream", name="stderr", text=f"{note}\n")]
        return nb, resources

    def _lay_out(self, nb: NotebookNode, resources: dict[str, Any], assignment: Assignment, to: Path) -> None:
        """The notebook and what it needs, in the folder that the sandbox will show it."""
        nbformat.write(nb, to / "notebook.ipynb")
        try:
            (to / assignment.module).write_bytes(module_in(submitted_folder(self, resources), assignment).source)
        except NothingToGrade as error:
            self.log.warning("%s: %s", resources["nbgrader"]["student"], error)
        ours = source_folder(self, assignment)
        for name in assignment.kit_files:
            if name.endswith((".py", ".json")) and (ours / name).exists():
                shutil.copy(ours / name, to)
        if assignment.data_folder and (ours / assignment.data_folder).is_dir():
            shutil.copytree(ours / assignment.data_folder, to / assignment.data_folder)

    def _lines(self, folder: Path, assignment: Assignment) -> Iterator[bytes]:
        """What the sandbox says, line by line. `_Stopped` when it had to be ended before the notebook's end."""
        variables = isolation.environment(isolation.SCRATCH, "") | {
            **assignment.notebook_environment,
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "IPYTHONDIR": isolation.SCRATCH,
            "JUPYTER_RUNTIME_DIR": f"{isolation.SCRATCH}/r",  # a short path: a socket's has room for 107 bytes
        }
        del variables["PYTHONPATH"]
        shown = {"/worker/kernel.py": Path(kernel.__file__), "/submission": folder}
        if self.data:
            shown["/data"] = Path(self.data).resolve(strict=True)
        program = os.memfd_create("filter")
        os.write(program, filter.notebook_program())
        os.lseek(program, 0, os.SEEK_SET)
        command = isolation.bubblewrapped(shown, variables, SCRATCH, program)
        command += [sys.executable, "/worker/kernel.py", "/submission", str(self.cell_seconds)]
        # The watch says why it stops a notebook; the control group, where there is one, is never late.
        bound = int(1.25 * self.memory_mib * MIB)
        with cgroup.bounded(bound, 2 * self.threads, cgroup.found()) as within:
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
                yield from self._watched(process)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # bubblewrap takes the whole process namespace along
                process.wait()
                assert process.stdout is not None
                process.stdout.close()

    def _watched(self, process: subprocess.Popen[bytes]) -> Iterator[bytes]:
        assert process.stdout is not None
        deadline = time.monotonic() + self.seconds
        received, pending = 0, b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                if time.monotonic() > deadline:
                    raise _Stopped(f"The notebook was stopped after {self.seconds} s.")
                if why := self._greedy(process.pid):
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
                *lines, pending = (pending + data).split(b"\n")
                yield from lines

    def _greedy(self, pid: int) -> str | None:
        """Why the processes below `pid` use too much, or None.

        Watched from outside, since resource limits count one process at a time.
        """
        used = usage(pid, isolation.SCRATCH)
        for what, much, most in (
            ("started more than {} processes", used.processes, self.processes),
            ("started more than {} threads", used.threads, self.threads),
            ("wrote more than {} files", used.files, self.files),
            ("used more than {} MiB of memory", used.memory // MIB, self.memory_mib),
        ):
            if much > most:
                return f"The notebook was stopped: it {what.format(most)}."
        return None


class _Stopped(Exception):
    """The sandbox was ended before the notebook's end; the message says why."""


def _record(line: bytes, nb: NotebookNode) -> str:
    """Put what the sandbox says of one cell into that cell, as far as it is fit to be shown. Returns how it ended."""
    try:
        said = json.loads(line)
        index, outputs, ending = said["cell"], said["outputs"], said["ending"]
        cell = nb.cells[index] if type(index) is int and index >= 0 else None
        if cell is None or cell.cell_type != "code" or is_grade(cell) or not isinstance(outputs, list):
            return ""
        cell.outputs = _joined([kept for output in outputs[:MAX_OUTPUTS] if (kept := _fit(output))])
        return clean(ending, 100) if isinstance(ending, str) else ""
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return ""  # not a line of ours


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Printed text in one piece, as a notebook shows it: a kernel sends a line at a time."""
    joined: list[NotebookNode] = []
    for output in outputs:
        if joined and output.output_type == "stream" and (joined[-1].get("name") == output.name):
            joined[-1].text = clean(joined[-1].text + output.text, MAX_TEXT)
        else:
            joined.append(output)
    return joined


def _fit(output: dict[str, Any]) -> NotebookNode | None:
    """The output with nothing in it but text and pictures: HTML and scripts would run in the TA's browser."""
    kind = output["output_type"]
    if kind == "stream":
        return new_output(
            "stream", name="stderr" if output["name"] == "stderr" else "stdout", text=_text(output["text"])
        )
    if kind == "error":
        name, value = _text(str(output["ename"]), 200), _text(str(output["evalue"]), 2000)
        traceback = [_text(str(line), 2000) for line in output["traceback"][:60]]
        return new_output("error", ename=name, evalue=value, traceback=traceback)
    if kind in ("display_data", "execute_result"):
        for mime in ("image/png", "image/jpeg"):
            if data := picture(mime, output["data"].get(mime)):
                # Without a description, nbconvert warns at every picture.
                return new_output("display_data", data={mime: data}, metadata={mime: {"alt": "what this cell drew"}})
        if "text/plain" in output["data"]:
            return new_output("display_data", data={"text/plain": _text(output["data"]["text/plain"])})
    return None


def _text(text: str, limit: int = MAX_TEXT // 5) -> str:
    return clean(_ANSI.sub("", text), limit)
