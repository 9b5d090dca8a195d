"""A notebook runs again in the sandbox for its figures, and nothing that its kernel does reaches further."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.platforms.nbgrader.rerun import Bounds, Script
from autograder.platforms.nbgrader.rerun import run as run_again
from autograder.sandbox.client import Sandbox
from autograder.sandbox.isolation import why_not
from autograder.sandbox.outputs import Shown

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(why_not("bubblewrap") is not None, reason=f"bubblewrap: {why_not('bubblewrap')}"),
]

DRAWS = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
MIB = 1 << 20


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        run(running, DRAWS)  # so that what is imported at the first run counts for nobody
        yield running


def run(sandbox: Sandbox, *sources: str, **bounds: int) -> list[list[Shown]]:
    """What each cell shows after a run with these cells, and why the run ended early, in a list of its own."""
    files = {"cs5814_vae.py": b"ANSWER = 42"}
    outputs, note = run_again(Script(dict(enumerate(sources)), files), Bounds(**bounds))
    assert not left_over()
    shown = sandbox.shown(outputs)
    return [[each for each in shown if each.cell == cell] for cell in range(len(sources))] + [
        [Shown(-1, "stderr", note)]
    ]


def left_over() -> list[psutil.Process]:
    """Kernels below this process, and those that lost their parent, two seconds later: other tests may run theirs."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if "/worker/kernel.py" in (process.info["cmdline"] or ()):
            with contextlib.suppress(psutil.NoSuchProcess):
                above = [each for each in process.parents() if each.pid != 1]
                if not above or psutil.Process() in above or above[-1].name() == "bwrap":
                    found.append(process)
    return psutil.wait_procs(found, timeout=2)[1]


def drawn(outputs: list[Shown]) -> bool:
    return any(each.kind == "picture" for each in outputs)


def said(outputs: list[Shown]) -> str:
    return "".join(each.text for each in outputs)


def test_draws_and_prints(sandbox: Sandbox) -> None:
    picture, printed, _ = run(sandbox, DRAWS, "import cs5814_vae\nprint(cs5814_vae.ANSWER)")
    assert drawn(picture)
    assert said(printed) == "42\n"


def test_sees_nothing_and_reaches_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    outputs = run(
        sandbox,
        f"import os\nprint([os.path.exists(p) for p in ({str(tmp_path)!r}, {str(CVAE.root / 'pyproject.toml')!r})])",
        "import socket\nsocket.create_connection(('127.0.0.1', 22), 1)",
        "print(sorted(os.environ))",
        "open('/worker/kernel.py', 'a')",
    )
    assert said(outputs[0]) == "[False, False]\n"
    assert outputs[1][0].kind == "error"
    assert "NBGRADER" not in said(outputs[2])
    assert said(outputs[3]).startswith("OSError")


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
def test_a_bad_kernel_costs_its_own_figures_alone(
    sandbox: Sandbox, attack: str, says: str, limits: dict[str, int]
) -> None:
    before = psutil.Process().memory_info().rss
    started = time.monotonic()
    first, attacked, _, note = run(sandbox, DRAWS, attack, DRAWS, **limits)
    assert drawn(first)
    assert says in said(attacked) + said(note)
    assert time.monotonic() - started < limits.get("seconds", 180) + 15
    assert psutil.Process().memory_info().rss - before < 300 * MIB
