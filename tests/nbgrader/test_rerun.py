"""A notebook runs again in the sandbox for its figures, and nothing that its kernel does reaches further."""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.platforms.nbgrader import rerun
from autograder.platforms.nbgrader.rerun import Bounds, Runner, Script
from autograder.sandbox import isolation
from autograder.sandbox.client import Sandbox
from autograder.sandbox.isolation import why_not
from autograder.sandbox.outputs import Shown
from autograder.sandbox.watch import Usage, usage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(why_not("bubblewrap") is not None, reason=f"bubblewrap: {why_not('bubblewrap')}"),
]

DRAWS = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
MIB = 1 << 20


RUNNERS: list[Runner] = []  # that are in use


@contextlib.contextmanager
def new_runner() -> Iterator[Runner]:
    with Runner() as runner:
        RUNNERS.append(runner)
        try:
            yield runner
        finally:
            RUNNERS.remove(runner)
    assert not left_over()


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with new_runner() as running:
        yield running


@pytest.fixture(scope="module")
def sandbox(runner: Runner) -> Iterator[Sandbox]:
    with Sandbox() as running:
        run(running, runner, DRAWS)  # so that what is imported at the first run counts for nobody
        yield running


def run(sandbox: Sandbox, runner: Runner, *sources: str, **bounds: int) -> list[list[Shown]]:
    """What each cell shows after a run with these cells, and why the run ended early, in a list of its own."""
    files = {"cs5814_vae.py": b"ANSWER = 42"}
    outputs, note = runner.run(Script(dict(enumerate(sources)), files), Bounds(**bounds))
    assert not left_over()
    shown = sandbox.shown(outputs)
    return [[each for each in shown if each.cell == cell] for cell in range(len(sources))] + [
        [Shown(-1, "stderr", note)]
    ]


def left_over() -> list[psutil.Process]:
    """Kernels below this process, and those that lost their parent, a minute later: other tests may run theirs.

    A server that waits for the next notebook is not left over.
    """
    waiting = {pid for runner in RUNNERS for warm in runner._warm.values() for pid in (warm._server, warm._process.pid)}
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if "/worker/kernel.py" in (process.info["cmdline"] or ()) and process.pid not in waiting:
            with contextlib.suppress(psutil.NoSuchProcess):
                above = [each for each in process.parents() if each.pid != 1]
                if not above or psutil.Process() in above or above[-1].name() == "bwrap":
                    found.append(process)
    return [each for each in psutil.wait_procs(found, timeout=60)[1] if not ended(each)]


def ended(process: psutil.Process) -> bool:
    """Whether it is gone, or only its parent does not ask for it: of an orphan, the system's first process may not."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def drawn(outputs: list[Shown]) -> bool:
    return any(each.kind == "picture" for each in outputs)


def said(outputs: list[Shown]) -> str:
    return "".join(each.text for each in outputs)


def test_draws_and_prints(sandbox: Sandbox, runner: Runner) -> None:
    picture, printed, _ = run(sandbox, runner, DRAWS, "import cs5814_vae\nprint(cs5814_vae.ANSWER)")
    assert drawn(picture)
    assert said(printed) == "42\n"


def test_shows_what_a_notebook_would(sandbox: Sandbox, runner: Runner) -> None:
    cleared, updated, stopped, after, _ = run(
        sandbox,
        runner,
        "from IPython.display import clear_output, display\nprint('old')\nclear_output()\nprint('new')",
        "shown = display('old', display_id=True)\nshown.update('new')",
        "import time\ntime.sleep(60)",
        "print('after')",
        cell_seconds=3,
    )
    assert said(cleared) == "new\n"
    assert said(updated) == "'new'"
    assert "KeyboardInterrupt" in said(stopped)
    assert said(after) == "after\n"


def test_sees_nothing_and_reaches_nothing(sandbox: Sandbox, runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    outputs = run(
        sandbox,
        runner,
        f"import os\nprint([os.path.exists(p) for p in ({str(tmp_path)!r}, {str(CVAE.root / 'pyproject.toml')!r})])",
        "import socket\nsocket.create_connection(('127.0.0.1', 22), 1)",
        "print(sorted(os.environ))",
        "open('/worker/kernel.py', 'a')",
    )
    assert said(outputs[0]) == "[False, False]\n"
    assert outputs[1][0].kind == "error"
    assert "NBGRADER" not in said(outputs[2])
    assert said(outputs[3]).startswith("OSError")


# Threads queue for the pipe that the grader reads, and take the bytes that wake it.
STEALS = """
import os, signal, threading, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
writing, reading = os.open('/proc/1/fd/3', os.O_WRONLY), os.open('/proc/1/fd/3', os.O_RDONLY)
def take():
    while True:
        os.read(reading, 1)
for _ in range(100):
    threading.Thread(target=take, daemon=True).start()
time.sleep(1)
for _ in range(60):
    os.write(writing, b'x')
    time.sleep(0.1)
time.sleep(600)
"""


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
        (STEALS, "", {"seconds": 25, "cell_seconds": 5}),
        (
            "import ctypes, threading, time\nctypes.CDLL(None).prctl(15, b'Threads:\\t0', 0, 0, 0)\n"
            "threading.stack_size(2**15)\n"
            "for _ in range(900):\n    threading.Thread(target=time.sleep, args=(60,)).start()\ntime.sleep(30)",
            "threads",
            {},
        ),
        ("import socket\nsocket.socket(socket.AF_VSOCK)", "not permitted", {}),
        ("import fcntl\nfcntl.fcntl(open('/worker/kernel.py'), fcntl.F_SETLEASE, fcntl.F_WRLCK)", "not permitted", {}),
        (
            "import os\npipe = os.open('/proc/1/fd/3', os.O_WRONLY)\n"
            "for _ in range(3000):\n    os.write(pipe, b'{}\\n')",
            "more cells",
            {},
        ),
    ],
    ids=[
        *("hangs", "resists", "dies", "kills-its-parent", "kills-all", "floods", "memory", "forks", "fills-the-disk"),
        *("shared-memory", "hidden-memory", "threads", "files", "memory-without-a-mapping", "namespaces", "stays"),
        *("steals", "threads-under-a-name", "another-network", "leases", "answers-for-others"),
    ],
)
def test_a_bad_kernel_costs_its_own_figures_alone(
    sandbox: Sandbox, runner: Runner, attack: str, says: str, limits: dict[str, int]
) -> None:
    before = psutil.Process().memory_info().rss
    started = time.monotonic()
    first, attacked, _, note = run(sandbox, runner, DRAWS, attack, DRAWS, **limits)
    assert drawn(first)
    assert says in said(attacked) + said(note)
    assert time.monotonic() - started < limits.get("seconds", 180) + 15
    assert psutil.Process().memory_info().rss - before < 300 * MIB


def test_what_was_drawn_before_a_stop_is_kept(
    sandbox: Sandbox, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(pid: int, scratch: str) -> Usage:  # as on a busy machine
        time.sleep(8)
        return usage(pid, scratch)

    monkeypatch.setattr(rerun, "usage", late)
    first, _, note = run(sandbox, runner, DRAWS, "import os, time\nos.fork()\ntime.sleep(30)", processes=3)
    assert "processes" in said(note)
    assert drawn(first)


# --- one notebook after another in a sandbox --------------------------------------------------------------------------

LOOK = r"""
import builtins, glob, json, os, re, resource, socket, subprocess, sys

def connected(family, address):
    with socket.socket(family) as trial:
        trial.settimeout(1)
        return trial.connect_ex(address) == 0

def under(folder):
    found = [os.path.join(above, name) for above, folders, files in os.walk(folder) for name in folders + files]
    return sorted(re.sub(r"tmp\w{8}", "tmp", path) for path in found)

status = dict(line.split(":", 1) for line in open("/proc/self/status"))
network = [line.split()[7:] for line in open("/proc/net/unix")]
print(json.dumps({
    "files": {folder: under(folder) for folder in ("/scratch", "/tmp", "/dev", "/submission", "/worker")},
    "modes": [oct(os.lstat(path).st_mode) for path in sorted(glob.glob("/dev/*"))],
    "processes": sorted(name for name in os.listdir("/proc") if name.isdigit()),
    "shared": [open(f"/proc/sysvipc/{kind}").read().splitlines()[1:] for kind in ("shm", "msg", "sem")],
    "sockets": sorted(name for names in network for name in names if name.startswith("@")),
    "tcp": open("/proc/net/tcp").read().count("\n"),
    "connected": [connected(socket.AF_UNIX, "\0left"), connected(socket.AF_INET, ("127.0.0.1", 5814))],
    "status": {name: status[name] for name in status if re.match("Cap|NoNew|Sec|Cpus_allowed|Umask|SigIgn", name)},
    "program": subprocess.check_output([sys.executable, "-c", "print(open('/proc/self/status').read())"], text=True)
    .partition("CapEff:")[2].split()[0],
    "limits": [resource.getrlimit(kind) for kind in range(16)],
    "nice": os.nice(0),
    "oom": open("/proc/self/oom_score_adj").read(),
    "environment": dict(os.environ),
    "mounts": open("/proc/self/mounts").read(),
    "descriptors": len(os.listdir("/proc/self/fd")),
    "modules": sorted(sys.modules),
    "left": hasattr(builtins, "left"),
}))
"""

ATTACK = r"""
import builtins, contextlib, ctypes, os, resource, signal, socket, stat, sys, time
from pathlib import Path

libc, done = ctypes.CDLL(None), []

def attempt(attack):
    with contextlib.suppress(Exception):
        done.append((attack.__name__, attack()))

@attempt
def leaves_files():
    for folder in ("/scratch", "/tmp", "/dev", "/dev/shm", "/dev/mqueue", "/submission", "/worker", "/", "/proc"):
        with contextlib.suppress(OSError):
            Path(folder, "left").write_text("left")
        with contextlib.suppress(OSError):
            os.mkfifo(Path(folder, "fifo"))

@attempt
def changes_modes():
    changed = []
    folders = ("/dev", "/dev/pts", "/submission", "/worker", "/proc/self/fd")
    for path in [path for folder in folders for path in Path(folder).iterdir()]:
        with contextlib.suppress(OSError):
            mode = path.stat().st_mode
            if stat.S_ISCHR(mode) or stat.S_ISDIR(mode) or stat.S_ISREG(mode):
                path.chmod(stat.S_IMODE(mode))  # as it is: this may be the system's own
                changed.append(str(path))
    print("changed:", changed)

@attempt
def writes_below_proc():
    opened = []
    for folder, _, names in os.walk("/proc"):
        for name in names:
            with contextlib.suppress(OSError):
                if not os.path.islink(f"{folder}/{name}"):
                    os.close(os.open(f"{folder}/{name}", os.O_WRONLY | os.O_NONBLOCK))
                    opened.append(f"{folder}/{name}")
    print("writable:", opened)

@attempt
def leaves_memory():
    libc.shmget(5814, 4096, 0o1666), libc.msgget(5814, 0o1666), libc.semget(5814, 1, 0o1666)
    libc.syscall(240, b"left", 0o102, 0o666, None)
    libc.syscall(248, b"user", b"left", b"left", 4, -4)

@attempt
def leaves_processes():
    for number in range(9):
        if os.fork() == 0:
            os.setsid()
            for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(each, signal.SIG_IGN)
            held = socket.socket(socket.AF_UNIX), socket.socket()
            with contextlib.suppress(OSError):
                held[0].bind("\0left")
                held[0].listen()
                held[1].bind(("127.0.0.1", 5814))
                held[1].listen()
            if os.fork():
                os._exit(0)
            os.nice(19)
            while number % 2 or time.sleep(600) is None:
                pass

@attempt
def slows_everybody():
    for which in (os.PRIO_PROCESS, os.PRIO_PGRP, os.PRIO_USER):
        for who in (0, 1, os.getuid()):
            with contextlib.suppress(OSError):
                os.setpriority(which, who, 19)
    for pid in range(1, 50):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(pid, {0})
        with contextlib.suppress(OSError):
            os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))

@attempt
def stops_the_server():
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    os.kill(0, signal.SIGUSR1)
    for pid in {1, *range(10_000, 10_000 + 100)}:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGSTOP)
        with contextlib.suppress(OSError):
            os.kill(-pid, signal.SIGKILL)
        libc.ptrace(16, pid, 0, 0)

@attempt
def limits_the_first_process():
    resource.prlimit(1, resource.RLIMIT_NPROC, (64, 64))

@attempt
def takes_namespaces_and_mounts():
    results = [libc.unshare(flag) for flag in (0x20000, 0x10000000, 0x20000000)]
    results += [libc.umount2(b"/scratch", 2), libc.mount(b"", b"/proc", b"", 32 | 4096, None), libc.setns(0, 0)]
    print(f"taken: {[each for each in results if each != -1]}", flush=True)

print("attacked:", len(done), flush=True)

@attempt
def answers_for_the_server():  # in between what is printed, too
    for path in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            os.write(descriptor, b'0\n{"cell": 7, "ending": "left"}\n[]\n')

os.umask(0)
os.environ["LEFT"] = "left"
builtins.left = sys.modules["left"] = sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
"""


def state(pid: int) -> list[object]:
    """What a notebook might change of the server's process."""
    server = psutil.Process(pid)
    scores = [Path(f"/proc/{pid}/{name}").read_text() for name in ("oom_score_adj", "autogroup", "limits")]
    return [
        os.sched_getscheduler(pid),
        server.nice(),
        server.cpu_affinity(),
        server.status(),
        server.num_fds(),
        server.num_threads(),
        *scores,
    ]


def looked(runner: Runner) -> dict[str, object]:
    """What a notebook sees of its surroundings."""
    outputs, note = runner.run(Script({0: LOOK}, {"cs5814_vae.py": b""}), Bounds())
    assert not note
    return json.loads("".join(each["text"] for each in json.loads(outputs[0])))


def server_of(runner: Runner) -> int:
    """The process that forks for the next notebook."""
    return next(iter(runner._warm.values()))._server


def test_a_notebook_leaves_nothing_for_the_next(sandbox: Sandbox) -> None:
    with new_runner() as runner:
        clean = looked(runner)
        assert clean["program"] == "0" * 16  # no capability comes back with a new program
        server = server_of(runner)
        before = state(server)
        attacked, _ = run(sandbox, runner, ATTACK)
        assert "writable: []\n" in said(attacked)
        assert "changed: []\n" in said(attacked)
        assert "taken: []\n" in said(attacked)
        assert "attacked: " in said(attacked)
        assert server_of(runner) == server
        assert state(server) == before
        assert looked(runner) == clean


@pytest.mark.parametrize("noticed", [True, False])
def test_a_server_that_ended_costs_no_notebook(
    sandbox: Sandbox, noticed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not noticed:
        monkeypatch.setattr(rerun._Sandbox, "fits", lambda *_: True)
    with new_runner() as runner:
        assert drawn(run(sandbox, runner, DRAWS)[0])
        psutil.Process(server_of(runner)).kill()
        next(iter(runner._warm.values()))._process.wait()
        assert drawn(run(sandbox, runner, DRAWS)[0])


def test_without_nested_namespaces_each_has_a_sandbox(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "NESTING", ())
    isolation.can_nest.cache_clear()
    try:
        assert not isolation.can_nest()
        with new_runner() as runner:
            for source in (ATTACK, DRAWS):
                shown, _ = run(sandbox, runner, source)
                assert not runner._warm
            assert drawn(shown)
    finally:
        isolation.can_nest.cache_clear()
