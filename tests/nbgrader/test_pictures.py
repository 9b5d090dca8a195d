"""A notebook runs in the sandbox for its pictures, and nothing that its kernel does reaches further."""

import base64
import os
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.platforms.nbgrader import pictures
from autograder.platforms.nbgrader.pictures import RunNotebook
from autograder.sandbox.isolation import why_not

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(why_not("bubblewrap") is not None, reason=f"bubblewrap: {why_not('bubblewrap')}"),
]

DRAWS = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
MIB = 1 << 20


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, *sources: str, **limits: int) -> list[nbformat.NotebookNode]:
    """The outputs of each cell, all in one list a cell, after a run with these cells."""
    monkeypatch.setattr(pictures, "submitted_folder", lambda *_: folder)
    monkeypatch.setattr(pictures, "source_folder", lambda *_: folder)
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    resources = {"metadata": {"path": str(folder)}, "nbgrader": {"student": "zoe", "assignment": CVAE.kit}}
    runner = RunNotebook(assignments=[CVAE.where], **limits)
    notebook, _ = runner.preprocess(notebook, resources)
    for process in psutil.process_iter(["cmdline"]):
        assert "/worker/kernel.py" not in (process.info["cmdline"] or ()), "a process is left over"
    return [cell.outputs for cell in notebook.cells]


def drawn(outputs: list[nbformat.NotebookNode]) -> bool:
    return any("image/png" in output.get("data", {}) for output in outputs)


def said(outputs: list[nbformat.NotebookNode]) -> str:
    return "".join(output.get("text", "") + output.get("evalue", "") for output in outputs)


def test_draws_and_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cs5814_vae.py").write_text("ANSWER = 42")
    picture, printed = run(tmp_path, monkeypatch, DRAWS, "import cs5814_vae\nprint(cs5814_vae.ANSWER)")
    assert drawn(picture)
    assert said(printed) == "42\n"


def test_sees_nothing_and_reaches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("secret")
    outputs = run(
        tmp_path,
        monkeypatch,
        f"import os\nprint([os.path.exists(p) for p in ({str(tmp_path)!r}, {str(CVAE.root / 'pyproject.toml')!r})])",
        "import socket\nsocket.create_connection(('127.0.0.1', 22), 1)",
        "print(sorted(os.environ))",
        "open('/worker/kernel.py', 'a')",
    )
    assert said(outputs[0]) == "[False, False]\n"
    assert outputs[1][0].output_type == "error"
    assert "NBGRADER" not in said(outputs[2])
    assert outputs[3][0].ename == "OSError"


@pytest.mark.parametrize(
    ("attack", "says", "limits"),
    [
        ("while True:\n    pass", "", {"cell_seconds": 5}),
        (
            "import time\nwhile True:\n    try:\n        time.sleep(9)\n    except BaseException:\n        pass",
            "stopped",
            {"seconds": 15},
        ),
        ("import os\nos._exit(1)", "died", {}),
        # Nobody else is there, and the first process of a namespace cannot be killed from inside.
        ("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)", "", {}),
        ("import os\nos.kill(-1, 9)", "No such process", {}),
        ("while True:\n    print('x' * 100_000)", "", {"seconds": 40, "cell_seconds": 20}),
        ("import numpy\nhog = [numpy.ones(50 * 2**20 // 8) for _ in range(100)]", "memory", {"memory_mib": 1024}),
        (
            "import os, time\nfor _ in range(100):\n    if not os.fork():\n        time.sleep(60)\ntime.sleep(30)",
            "stopped",
            {},
        ),
        ("open('/scratch/large', 'wb').write(bytes(2**30))", "No space left", {}),
        (
            "import mmap\nhog = [mmap.mmap(-1, 2**26) for _ in range(40)]\nfor each in hog: each.write(bytes(2**26))",
            "memory",
            {"memory_mib": 1024},
        ),
        (
            "import ctypes\nctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\nhog = [b'x' * 2**26 for _ in range(40)]",
            "memory",
            {"memory_mib": 1024},
        ),
        (
            "import threading, time\nthreading.stack_size(2**15)\n"
            "for _ in range(900):\n    threading.Thread(target=time.sleep, args=(60,)).start()\ntime.sleep(30)",
            "threads",
            {},
        ),
        (
            "import os\nfor number in range(30_000):\n    open(f'/scratch/{number}', 'w').close()\n"
            "import time\ntime.sleep(30)",
            "files",
            {},
        ),
        ("import os\nos.memfd_create('x')", "not permitted", {}),
        ("import ctypes\nprint('unshare:', ctypes.CDLL(None).unshare(0x10000000))", "unshare: -1", {}),
        ("import ctypes\nprint('shared:', ctypes.CDLL(None).shmget(0, 4096, 0o1600))", "shared: -1", {}),
    ],
    ids=[
        *("hangs", "resists", "dies", "kills-its-parent", "kills-all", "floods", "memory", "forks", "fills-the-disk"),
        *("shared-memory", "hidden-memory", "threads", "files", "memory-without-a-mapping", "namespaces", "stays"),
    ],
)
def test_a_bad_kernel_costs_its_own_pictures_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attack: str, says: str, limits: dict[str, int]
) -> None:
    before = psutil.Process().memory_info().rss
    started = time.monotonic()
    first, attacked, _ = run(tmp_path, monkeypatch, DRAWS, attack, DRAWS, **limits)
    assert drawn(first)
    assert says in said(attacked)
    assert time.monotonic() - started < limits.get("seconds", 180) + 15
    assert psutil.Process().memory_info().rss - before < 300 * MIB


def test_what_a_kernel_sends_is_believed_only_as_text_and_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(8) + (10**6).to_bytes(4) * 2).decode()
    shows = "from IPython.display import display\ndisplay({%r: %r, 'text/plain': 'plain'}, raw=True)"
    outputs = run(
        tmp_path,
        monkeypatch,
        shows % ("text/html", "<script>alert(1)</script>"),
        shows % ("application/javascript", "alert(1)"),
        shows % ("image/svg+xml", "<svg onload='alert(1)'/>"),
        shows % ("image/png", '"><script>alert(1)</script>'),
        shows % ("image/png", bad),
        "print('\\x1b]0;owned\\x07\\u202e')",
    )
    for cell in outputs[:5]:
        assert [dict(output.data) for output in cell] == [{"text/plain": "'plain'"}] or [
            dict(output.data) for output in cell
        ] == [{"text/plain": "plain"}]
    assert not set(said(outputs[5])) & {"\x1b", "\x07", "\u202e"}


def test_is_not_run_where_it_cannot_be_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures.isolation, "why_not", lambda _: "no bwrap")
    monkeypatch.setattr(os, "fork", None)
    assert run(tmp_path, monkeypatch, DRAWS) == [[]]
