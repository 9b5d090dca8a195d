"""Run a notebook's cells and write what they put out: the program inside the sandbox, with nothing worth stealing.

For each cell, a line with its number and how it ended and a line with its outputs go to the standard output as soon as
they are there, so that what ran before a kernel died is kept. Nobody believes these lines: the kernel could write them
itself.
"""

import asyncio
import json
import os
import resource
import shutil
import sys
from pathlib import Path

sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # jsonschema can do without, and it takes a second
import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError


async def run(folder: Path, results: int, cell_seconds: int) -> None:
    notebook = nbformat.read(folder / "notebook.ipynb", 4)
    # The sandbox has no network. By default the sockets' path would be relative, and the kernel runs elsewhere.
    manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=str(Path.cwd() / "kernel"))
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=cell_seconds,
        startup_timeout=60,
        allow_errors=True,
        interrupt_on_timeout=True,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--HistoryManager.hist_file=:memory:"],
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
                lines = lines[os.write(results, lines) :]
            if ending == "The kernel died.":
                return


LIMITS = {
    resource.RLIMIT_NOFILE: 512,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_MEMLOCK: 0,
    resource.RLIMIT_MSGQUEUE: 0,
}


def main() -> None:
    for kind, most in LIMITS.items():
        resource.setrlimit(kind, (most, most))
    submission, cell_seconds = Path(sys.argv[1]), int(sys.argv[2])
    # The kernel inherits the standard output: keep it from writing between the lines by accident.
    results = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    folder = Path.cwd() / "work"
    shutil.copytree(submission, folder, symlinks=True)
    asyncio.run(run(folder, results, cell_seconds))


if __name__ == "__main__":
    main()
