"""Run notebooks and write what their cells put out: the program inside the sandbox, with nothing worth stealing.

This process is a fork server. It imports once what notebooks use, and never sees one: for each it forks a process, the
first in new namespaces (see `confine.fork_apart`), which forks the kernel.

For each cell, a line with its number and how it ended and a line with its outputs are written as soon as they are
there, so that what ran before a kernel died is kept. Nobody believes these lines: the kernel could write them itself.
"""

import asyncio
import contextlib
import gc
import importlib
import json
import os
import resource
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import Any

sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # jsonschema can do without, and it takes a second
import nbformat
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from autograder.sandbox import confine, filter

WARM = ("matplotlib.pyplot", "torch._dynamo", "torchvision")
LIMITS = {
    resource.RLIMIT_NOFILE: 512,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_MEMLOCK: 0,
    resource.RLIMIT_MSGQUEUE: 0,
}
RESULTS = 3  # the descriptor that a notebook's process writes to, and the only one that it inherits


def main(control: socket.socket, submission: Path, cell_seconds: int, scratch: int) -> None:
    """Run the notebook in `submission` for each order on `control`, and say there whether it ended well, with 0.

    An order comes with the descriptor of a pipe for the lines. `scratch` is the size of the notebook's own folder; 0:
    separate namespaces cannot be made here, and the sandbox is for one notebook.
    """
    for name in WARM:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    sys.path.remove(str(Path(__file__).parent))
    gc.collect()
    gc.freeze()  # children share these pages instead of touching them
    confine.hide_memory()
    control.send(b"ready")
    while True:
        order, pipes, _, _ = socket.recv_fds(control, 16, 1)
        if not order:
            os._exit(0)
        child = os.fork()
        if child == 0:
            control.detach()
            serve(pipes[0], submission, cell_seconds, scratch)
        os.close(pipes[0])
        _, status = os.waitpid(child, 0)
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)  # nothing is left, unless the kernel ended that child for want of memory
        with contextlib.suppress(ChildProcessError):
            while True:
                os.wait()
        control.send(b"%d" % (status != 0))


def serve(pipe: int, submission: Path, cell_seconds: int, scratch: int) -> None:
    """Turn this fork into the processes of one notebook. Never returns."""
    code = 1
    try:
        confine.hide_memory(False)  # its use of memory is watched
        os.dup2(pipe, RESULTS)
        os.closerange(RESULTS + 1, 1 << 16)
        if scratch and (first := confine.fork_apart(Path.cwd(), scratch)):
            os.close(RESULTS)
            _, status = os.waitpid(first, 0)
            code = int(status != 0)
            return
        os.setsid()  # or the kernel could signal the server's group
        nothing = os.open(os.devnull, os.O_RDWR)  # what the server has comes from outside: root could change its mode
        for standard in range(3):
            os.dup2(nothing, standard)
        os.close(nothing)
        for kind, most in LIMITS.items():
            resource.setrlimit(kind, (most, most))
        confine.keep_capabilities()
        filter.restrict_notebook()
        draw_anew()
        folder = Path.cwd() / "work"
        shutil.copytree(submission, folder, symlinks=True)
        asyncio.run(run(folder, cell_seconds, started(folder)))
        code = 0
    finally:
        os._exit(code)


def draw_anew() -> None:
    """Seed what draws random numbers: a fork would draw what the one before it drew."""
    for name in ("torch", "numpy.random"):
        if module := sys.modules.get(name):
            module.seed()


class Forked:
    """A kernel that is a fork of this process, in the place of a subprocess.Popen."""

    stdin = stdout = stderr = None

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                os.closerange(RESULTS, 1 << 16)
                os.chdir(folder)
                IPKernelApp.launch_instance(arguments)
            finally:
                os._exit(0)

    def poll(self) -> int | None:
        if self.returncode is None and os.waitpid(self.pid, os.WNOHANG)[0]:
            self.returncode = 0
        return self.returncode

    wait = poll  # the provisioner waits itself

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


class Provisioner(LocalProvisioner):
    """Hands over a kernel that is there already: once an event loop runs, it is too late for a fork."""

    def __init__(self, kernel: Forked, **traits: Any) -> None:
        super().__init__(**traits)
        self.process: Any = kernel
        self.pgid: Any = kernel.pid

    async def launch_kernel(self, cmd: list[str], **_: Any) -> Any:
        return self.connection_info


def started(folder: Path) -> AsyncKernelManager:
    """The manager of a new kernel."""
    # The sandbox has no network. By default the sockets' path would be relative, and the kernel runs elsewhere.
    manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=str(Path.cwd() / "kernel"))
    manager.write_connection_file()
    kernel = Forked(["-f", manager.connection_file, "--HistoryManager.hist_file=:memory:"], folder)
    manager.provisioner = Provisioner(kernel, parent=manager, kernel_spec=manager.kernel_spec)
    return manager


async def run(folder: Path, cell_seconds: int, manager: AsyncKernelManager) -> None:
    """Run the notebook in `folder` and write what its cells put out."""
    notebook = nbformat.read(folder / "notebook.ipynb", 4)
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=cell_seconds,
        startup_timeout=60,
        allow_errors=True,
        interrupt_on_timeout=True,
        resources={"metadata": {"path": str(folder)}},
    )
    async with client.async_setup_kernel(cwd=str(folder)):
        for index, cell in enumerate(notebook.cells):
            ending = ""
            try:
                await client.async_execute_cell(cell, index)
            except (CellExecutionError, CellTimeoutError) as error:
                ending = type(error).__name__
            except DeadKernelError:
                ending = "The kernel died."
            header = {"cell": cell.metadata["number"], "ending": ending}
            lines = f"{json.dumps(header)}\n{json.dumps(cell.outputs)}\n".encode()
            while lines:
                lines = lines[os.write(RESULTS, lines) :]
            if ending == "The kernel died.":
                return


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
