"""What a submission's process can change, use up or leave behind: the same at every level, on old kernels and new."""

import ctypes
import errno
import mmap
import os
import platform
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.sandbox import confine, isolation
from autograder.sandbox import filter as system_calls
from autograder.sandbox.client import GONE_S, Sandbox
from autograder.sandbox.errors import Died
from autograder.sandbox.limits import LIMITS, MIB
from autograder.sandbox.supervisor import path_at
from tests.settings import SETTINGS, Setting

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="the system-call filter needs Linux")

HEADERS = {0: Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), 1: Path("/usr/include/asm-generic/unistd.h")}


@pytest.fixture(scope="module", params=SETTINGS, ids=lambda setting: setting.name)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    setting: Setting = request.param
    if reason := setting.why_not():
        pytest.skip(f"{setting.name}: {reason}")
    with pytest.MonkeyPatch.context() as patch:
        setting.enter(patch)
        with Sandbox(setting.level) as running:
            yield running


def run(sandbox: Sandbox, source: str) -> str:
    """Import a module and return what it printed."""
    with sandbox.submission(textwrap.dedent(source).encode()) as submission:
        submission.load()
        submission.stop()
        return submission.output


# --- what it can do to others ---------------------------------------------------------------------------------------

TRIES = """
import ctypes, errno, os, struct

libc = ctypes.CDLL(None, use_errno=True)
parent = os.getppid()
open("own", "w").close()
os.mkdir("folder")

def tried(name, *arguments):
    if isinstance(name, int):
        name, arguments = "syscall", (name, *arguments)
    ctypes.set_errno(0)
    result = getattr(libc, name)(*arguments)
    return result >= 0 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS, errno.EACCES)

who, flag = ctypes.c_int(parent), ctypes.c_int(1)
"""
# Each of these reaches another process, another's file, or something that stays.
REACHES = {
    "an owner of a descriptor": "tried('ioctl', 3, 0x8901, ctypes.byref(who))",
    "an owner of a socket": "tried('ioctl', 3, 0x8902, ctypes.byref(who))",
    "signals from a descriptor": "tried('ioctl', 3, 0x5452, ctypes.byref(flag))",
    "an owner by fcntl": "tried('fcntl', 3, 8, parent)",
    "an owner by fcntl, extended": "tried('fcntl', 3, 15, struct.pack('ii', 1, parent))",
    "which signal": "tried('fcntl', 3, 10, 9)",
    "signals by a flag": "tried('fcntl', 3, 4, 0x2000)",
    "a lease": "tried('fcntl', os.open('own', os.O_RDONLY), 1024, 0)",
    "a lock": "tried('flock', os.open('own', os.O_RDONLY), 1)",
    "a lock by fcntl": "tried('fcntl', os.open('own', os.O_RDONLY), 6, struct.pack('hhqqi4x', 0, 0, 0, 0, 0))",
    "typing into a terminal": "tried('ioctl', 0, 0x5412, b'x')",
    "kill of the parent": "tried('kill', parent, 0)",
    "kill of everyone": "tried('kill', -1, 0)",
    "kill of a group": "tried('kill', 0, 0)",
    "tgkill of the parent": "tried('tgkill', parent, parent, 0)",
    "sigqueue": "tried('sigqueue', parent, 0, None)",
    "a handle of the parent": "tried(434, parent, 0)",
    "a signal by a handle": "tried(424, 3, 0, None, 0)",
    "ptrace": "tried('ptrace', 16, parent, None, None)",
    "memory of the parent": "tried('process_vm_readv', parent, None, 0, None, 0, 0)",
    "limits of the parent": "tried('prlimit', parent, 7, None, None)",
    "priority of all": "tried('setpriority', 2, os.getuid(), 5)",
    "processors of the parent": "tried('sched_setaffinity', parent, 8, b'\\x01' * 8)",
    "its parent's end": "tried('prctl', 1, 0, 0, 0, 0)",
    "its memory for others": "tried('prctl', 4, 1, 0, 0, 0)",
    "another session": "tried('setsid')",
    "another group": "tried('setpgid', 0, 0)",
    "mode": "tried('chmod', b'own', 0o777)",
    "mode of a descriptor": "tried('fchmod', os.open('own', os.O_RDONLY), 0o777)",
    "mode below a folder": "tried('fchmodat', -100, b'own', 0o777, 0)",
    "owner": "tried('chown', b'own', os.getuid(), os.getgid())",
    "owner of a link": "tried('lchown', b'own', os.getuid(), os.getgid())",
    "times": "tried('utimensat', -100, b'own', None, 0)",
    "older times": "tried('utimes', b'own', None)",
    "attributes": "tried('setxattr', b'own', b'user.x', b'x', 1, 0)",
    "attributes of a descriptor": "tried('fsetxattr', os.open('own', os.O_RDONLY), b'user.x', b'x', 1, 0)",
    "cutting by name": "tried('truncate', b'own', 0)",
    "cutting while reading": "tried('open', b'own', os.O_RDONLY | os.O_TRUNC)",
    "a link": "tried('link', b'own', b'hard')",
    "a symbolic link": "tried('symlink', b'/', b'soft')",
    "a pipe with a name": "tried('mkfifo', b'fifo', 0o600)",
    "a socket": "tried('socket', 1, 1, 0)",
    "a socket of the network": "tried('socket', 2, 1, 0)",
    "a pair of sockets": "tried('socketpair', 1, 2, 0, ctypes.create_string_buffer(8))",
    "a message to an address": "tried('sendto', 3, b'x', 0, 0, b'\\x01\\0x', 3)",
    "a message out of band": "tried('sendto', 3, b'x', 0, 1, None, 0)",
    "a handle of the other end": "tried('getsockopt', 3, 1, 77, b'\\0' * 4, struct.pack('i', 4))",
    "a message with descriptors": "tried('sendmsg', 3, ctypes.create_string_buffer(56), 0)",
    "a connection": "tried('connect', 3, b'\\x01\\0x', 3)",
    "memory without a mapping": "tried('memfd_create', b'x', 0)",
    "shared memory": "tried('shmget', 0, 4096, 0o1600)",
    "a semaphore": "tried('semget', 0, 1, 0o1600)",
    "a queue": "tried('msgget', 0, 0o1600)",
    "a queue with a name": "tried('mq_open', b'/x', 0o100, 0o600, None) if hasattr(libc, 'mq_open') else False",
    "a timer": "tried('timer_create', 0, None, ctypes.create_string_buffer(8))",
    "a timer with a descriptor": "tried('timerfd_create', 0, 0)",
    "signals by a descriptor": "tried('signalfd', -1, ctypes.create_string_buffer(128), 0)",
    "a watch": "tried('inotify_init')",
    "events": "tried('eventfd', 0, 0)",
    "an epoll": "tried('epoll_create1', 0)",
    "a larger pipe": "tried('fcntl', os.pipe()[1], 1031, 1 << 20)",
    "pages into a pipe": "tried('vmsplice', os.pipe()[1], None, 0, 0)",
    "locked memory": "tried('mlock', ctypes.create_string_buffer(4096), 4096)",
    "what is in memory": "tried('mincore', None, 0, None)",
    "another root": "tried('chroot', b'.')",
    "namespaces": "tried('unshare', 0x10000000)",
    "a mount": "tried('mount', b'x', b'folder', b'tmpfs', 0, None)",
    "another user": "tried('setuid', os.getuid())",
    "writing all to disk": "tried(162 if os.uname().machine == 'x86_64' else 81)",
    "io_uring": "tried(425, 1, None)",
    "a key": "tried(248 if os.uname().machine == 'x86_64' else 217, b'user', b'x', b'x', 1, -4)",
}


def test_nothing_reaches_out_of_the_process(sandbox: Sandbox) -> None:
    source = TRIES + "".join(
        f"try:\n    if {code}: print({name!r})\nexcept OSError: pass\n" for name, code in REACHES.items()
    )
    assert run(sandbox, source + "print('end')") == "end\n"


@pytest.mark.parametrize("column", HEADERS)
def test_numbers_of_system_calls_are_the_kernels(column: int) -> None:
    if not HEADERS[column].exists():
        pytest.skip(f"no {HEADERS[column]}")
    defined = re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", HEADERS[column].read_text())
    kernels = {"newfstatat": 79} | {name: int(number) for name, number in defined}
    tables = system_calls.ALLOWED | system_calls.CHANGES | system_calls.OPENS | system_calls.NOTEBOOK
    tables |= system_calls.ARGUMENTS
    ours = {name: numbers[column] for name, numbers in tables.items() if numbers[column] is not None}
    assert ours == {name: kernels[name] for name in ours}


def test_every_call_that_is_not_listed_is_refused(sandbox: Sandbox) -> None:
    tables = system_calls.ALLOWED | system_calls.CHANGES | system_calls.OPENS | system_calls.ARGUMENTS
    column = {"x86_64": 0, "aarch64": 1}[platform.machine()]
    listed = {numbers[column] for numbers in tables.values()} | {335, 336}  # uprobes' own, which are not for programs
    source = f"""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    for number in sorted({{*range(480), *range(1 << 30, (1 << 30) + 480)}} - {listed}):
        ctypes.set_errno(0)
        if libc.syscall(number, 0, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() not in (1, 38):
            print(number, ctypes.get_errno())
    print("end")
    """
    assert run(sandbox, source) == "end\n"


# --- what it can do to files -----------------------------------------------------------------------------------------


def test_files_of_its_own_work_as_anywhere(sandbox: Sandbox) -> None:
    source = """
    import json, os, pathlib, shutil, tempfile, torch
    os.makedirs("a/b/c", exist_ok=True)
    os.makedirs(os.path.join(os.getcwd(), "a/b/c"), exist_ok=True)
    pathlib.Path("a/b/c/text").write_text("1")
    with open("a/b/c/text", "a") as file: file.write("2")
    with open("a/b/c/text", "r+") as file: assert file.read() == "12"; file.write("3")
    os.rename("a/b/c/text", "a/moved")
    os.replace(os.path.abspath("a/moved"), os.path.abspath("a/b/moved"))
    shutil.copyfile("a/b/moved", "copied")
    assert open("copied").read() == "123"
    os.chdir("a/b")
    open("here", "w").close()
    os.chdir("../..")
    assert sorted(os.listdir("a/b")) == ["c", "here", "moved"], os.listdir("a/b")
    os.remove("a/b/here"); os.rmdir("a/b/c")
    with tempfile.TemporaryDirectory() as folder: os.mkdir(folder + "/d"); open(folder + "/d/f", "w").close()
    os.makedirs("tree/b/c"); open("tree/b/c/f", "w").close(); shutil.rmtree("tree")
    assert not os.path.exists(folder) and not os.path.exists("tree")
    with tempfile.TemporaryFile() as file: file.write(b"x")
    with tempfile.NamedTemporaryFile() as file: file.write(b"x")
    torch.save({"weights": torch.ones(300, 300)}, "weights.pt")
    assert torch.load("weights.pt")["weights"].sum() == 90_000
    with open(os.devnull, "w") as file: file.write("x")
    for mode in ("x", "r"):
        try:
            open({"x": "copied", "r": "missing"}[mode], mode)
            print("no error")
        except OSError as error:
            print(type(error).__name__)
    pathlib.Path("copied").touch()
    print(sorted(os.listdir()))
    """
    said = run(sandbox, source).splitlines()
    assert said[:2] == ["FileExistsError", "FileNotFoundError"]
    assert re.sub(r"'\w+\.py', ", "", said[2]) == "['a', 'copied', 'weights.pt']"


def test_matplotlib_can_be_imported_and_draws(sandbox: Sandbox) -> None:
    source = """
    import matplotlib.pyplot as plt
    plt.plot([1, 2]); plt.savefig("figure.png")
    print("drawn")
    """
    assert "drawn" in run(sandbox, source)


def test_nothing_outside_can_be_changed(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    for each in (tmp_path, tmp_path / "file", tmp_path / "folder", *list(tmp_path.parents)[:2]):
        each.chmod(0o777)
    up = "../" * 12 + str(tmp_path).lstrip("/")
    source = f"""
    import os, sys, threading
    outside, up = {str(tmp_path)!r}, {up!r}
    open("own", "w").close()
    os.mkdir("d")
    def refused(action, *arguments, **named):
        try:
            action(*arguments, **named)
            print("came through:", action.__name__, arguments)
        except (OSError, ValueError):
            pass
    places = [outside, up, f"{{os.getcwd()}}/{{up}}", f"d/../{{up}}"]
    places += [f"/proc/self/cwd/{{up}}", f"/proc/self/root{{outside}}"]
    for place in places:
        for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_RDONLY | os.O_TRUNC):
            refused(os.open, place + "/file", flags)
        for flags in (os.O_CREAT, os.O_CREAT | os.O_EXCL | os.O_WRONLY, os.O_CREAT | os.O_RDWR):
            refused(os.open, place + "/new", flags, 0o600)
        refused(os.open, place, os.O_RDWR | 0o20000000 | os.O_DIRECTORY, 0o600)
        refused(os.mkdir, place + "/new"); refused(os.rmdir, place + "/folder"); refused(os.unlink, place + "/file")
        refused(os.rename, place + "/file", "stolen"); refused(os.rename, "own", place + "/new")
        refused(os.rename, place + "/folder", place + "/moved"); refused(os.rename, place, "stolen")
    for path in (outside, "/"):
        try:
            at = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        rest = os.path.relpath(outside, path)
        refused(os.open, rest + "/new", os.O_CREAT | os.O_WRONLY, dir_fd=at)
        refused(os.unlink, rest + "/file", dir_fd=at); refused(os.mkdir, rest + "/new", dir_fd=at)
    try:
        os.chdir(outside)
    except OSError:
        pass
    else:
        refused(open, "new", "w"); refused(os.unlink, "file"); refused(os.mkdir, "new")
    for place in ("/tmp", "/var/tmp", "/dev/shm", "/run", "/", os.path.dirname(os.path.dirname(os.__file__))):
        refused(open, place + "/autograder-escape", "w")
    print("end")
    """
    assert run(sandbox, source) == "end\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "kept"


def test_a_path_that_changes_while_it_is_looked_at_leads_nowhere(sandbox: Sandbox, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    source = f"""
    import ctypes, os, threading, time
    libc = ctypes.CDLL(None, use_errno=True)
    good, bad = b"own".ljust(400, b"\\0"), {os.fsencode(tmp_path)!r} + b"/new"
    path = ctypes.create_string_buffer(good, 400)
    end = time.monotonic() + 1
    def swap():
        while time.monotonic() < end:
            ctypes.memmove(path, bad, len(bad) + 1)
            ctypes.memmove(path, good, len(good))
    threading.Thread(target=swap).start()
    while time.monotonic() < end:
        os.close(max(libc.open(path, os.O_CREAT | os.O_WRONLY, 0o600), 0) or os.dup(0))
    print(os.path.exists({str(tmp_path)!r} + "/new"))
    """
    assert run(sandbox, source) == "False\n"
    assert list(tmp_path.iterdir()) == []


# --- what it can use up ----------------------------------------------------------------------------------------------


def test_files_are_bounded_in_number_and_size(sandbox: Sandbox) -> None:
    source = """
    import errno, os
    made = 0
    def make(what):
        global made
        try:
            while True:
                what(f"{what.__name__}{made}")
                made += 1
        except OSError as error:
            print(error.strerror)
    def full(name):
        try:
            with open(name, "wb", buffering=0) as file:
                file.write(bytes(1 << 20))
                file.write(b"x")
        except OSError as error:
            if error.errno != errno.EFBIG: raise
    def deleted(name):
        open(name, "w").close()
        os.unlink(name)
    for _ in range(20): full("full")
    for number in range(20): full(f"full{number}"); made += 1
    for number in range(20): deleted(f"deleted{number}"); made += 1
    make(os.mkdir); make(full); make(deleted)
    print(made)
    """
    said = run(sandbox, source).splitlines()
    assert said[:3] == ["Disk quota exceeded"] * 3
    assert int(said[3]) == LIMITS.files - 2  # the module, and the file that was written over


@pytest.mark.parametrize("action", ["os.truncate(file.fileno(), {})", "os.posix_fallocate(file.fileno(), 0, {})"])
def test_no_file_is_larger_than_allowed(sandbox: Sandbox, action: str) -> None:
    source = "import os\nfile = open('large', 'wb')\n"
    for size in (LIMITS.file, LIMITS.file + 1):
        source += f"try:\n    {action.format(size)}\n    print('done')\n"
        source += "except OSError as error: print(error.errno)\n"
    assert run(sandbox, source) == "done\n27\n"


def test_threads_are_bounded_in_number(sandbox: Sandbox) -> None:
    source = """
    import threading, time
    threading.stack_size(32768)
    started = 0
    try:
        while started < 1000:
            threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
            started += 1
    except RuntimeError as error:
        print(error)
    print(started)
    """
    assert run(sandbox, source) == f"can't start new thread\n{LIMITS.threads}\n"


def test_memory_is_bounded_however_it_is_taken(sandbox: Sandbox) -> None:
    source = """
    import mmap, os, torch
    taken, kept = 0, []
    def take(what, size):
        global taken
        try:
            while taken < 1 << 36:
                kept.append(what(size))
                taken += size
        except (OSError, MemoryError, RuntimeError, ValueError):
            pass
    with open("file", "wb") as file: file.truncate(1 << 20)
    file = os.open("file", os.O_RDWR)
    take(lambda size: mmap.mmap(-1, size), 64 << 20)
    take(lambda size: mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | 0x4000), 16 << 20)
    take(lambda size: mmap.mmap(file, size), 1 << 20)
    take(lambda size: torch.empty(size, dtype=torch.uint8), 1 << 20)
    take(bytearray, 1 << 18)
    size = taken
    kept.clear()
    def fill(size):
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        return os.write(writing, bytes(size))
    taken = 0
    take(fill, 1 << 16)
    print(size >> 20, taken >> 20)
    """
    mapped, piped = map(int, run(sandbox, source).split())
    freed = 8 * MIB  # at most, of what the process had before its limit was set
    assert LIMITS.memory // 2 < mapped * MIB <= LIMITS.memory + freed
    assert piped <= LIMITS.open_files // 2 * 64 // 1024


# --- what it hands to the worker, and when it ends --------------------------------------------------------------------

PAGES = 3
ADDRESSES = st.integers(0, 2**64 - 1) | st.builds(
    lambda power, near: (2**power + near) % 2**64, st.integers(0, 64), st.integers(-2, 2)
)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> mmap.mmap:
    """Some pages of slashes, and one more that is mapped but cannot be read."""
    path = tmp_path_factory.mktemp("text") / "file"
    path.write_bytes(bytes((PAGES + 1) * mmap.PAGESIZE))
    with path.open("r+b") as file:
        mapped = mmap.mmap(file.fileno(), 0)
        mapped[: PAGES * mmap.PAGESIZE] = b"/" * (PAGES * mmap.PAGESIZE)
        file.truncate(PAGES * mmap.PAGESIZE)
    return mapped


def kernels_number(address: int) -> int:
    """Why the kernel finds no path at this address, as an error number; 0 where there is one."""
    libc = ctypes.CDLL(None, use_errno=True)
    ctypes.set_errno(0)
    libc.access(ctypes.c_void_p(address), 0)
    return ctypes.get_errno() if ctypes.get_errno() in (errno.EFAULT, errno.ENAMETOOLONG) else 0


@given(
    start=st.integers(0, PAGES * mmap.PAGESIZE - 1)
    | st.builds(lambda left: PAGES * mmap.PAGESIZE - left, st.integers(1, 5000)),
    length=st.integers(0, 5000),
    elsewhere=st.none() | ADDRESSES,
    most=st.integers(1, 5000),
)
@example(start=0, length=4095, elsewhere=None, most=5000)
@example(start=1, length=4096, elsewhere=None, most=5000)
@example(start=0, length=0, elsewhere=2**63, most=5000)
def test_a_path_is_read_as_the_kernel_reads_it(
    text: mmap.mmap, start: int, length: int, elsewhere: int | None, most: int
) -> None:
    end, pread = start + length, os.pread
    address = ctypes.addressof(ctypes.c_char.from_buffer(text)) + start if elsewhere is None else elsewhere
    memory = confine.open_memory()
    if end < PAGES * mmap.PAGESIZE:
        text[end] = 0
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "pread", lambda file, size, at: pread(file, min(size, most), at))
            found, number = path_at(memory, address), 0
    except OSError as error:
        found, number = b"", error.errno or 0
    finally:
        expected = kernels_number(address)
        if end < PAGES * mmap.PAGESIZE:
            text[end] = ord("/")
        os.close(memory)
    assert number == expected
    assert elsewhere is not None or number or found == b"/" * length


@given(address=ADDRESSES)
def test_a_process_that_is_gone_has_no_paths(gone: int, address: int) -> None:
    with pytest.raises(OSError, match="no memory") as failure:
        path_at(gone, address)
    assert failure.value.errno == errno.EFAULT


@pytest.fixture(scope="module")
def gone() -> Iterator[int]:
    """The opened memory of a process that has ended."""
    with subprocess.Popen(["sleep", "600"]) as process:
        memory = os.open(f"/proc/{process.pid}/mem", os.O_RDONLY)
        process.kill()
    yield memory
    os.close(memory)


def test_odd_arguments_get_the_kernels_answer(sandbox: Sandbox) -> None:
    column = {"x86_64": 0, "aarch64": 1}[platform.machine()]
    numbers = [
        each[column] for each in (system_calls.CHANGES | system_calls.OPENS).values() if each[column] is not None
    ]
    source = f"""
    import ctypes, errno, os, random
    libc = ctypes.CDLL(None, use_errno=True)
    kept = [ctypes.create_string_buffer(each) for each in (b"", b"no/x", b"./" * 3000, b"none")]
    odd = [(1 << power) + near for power in (0, 12, 31, 32, 47, 48, 62, 63, 64) for near in (-4096, -100, -1, 0, 1)]
    odd = [each % 2**64 for each in odd] + [ctypes.addressof(each) for each in kept]
    def number(name, *arguments):
        ctypes.set_errno(0)
        assert getattr(libc, name)(*map(ctypes.c_void_p, arguments)) == -1, (name, arguments)
        return ctypes.get_errno() if ctypes.get_errno() in (errno.EFAULT, errno.ENAMETOOLONG) else 0
    here, none = 2**64 - 100, odd[-1]
    for name, *arguments in (
        ("mkdir", None, 0o700), ("mkdirat", here, None, 0o700), ("rmdir", None), ("unlink", None),
        ("unlinkat", here, None, 0), ("rename", None, none), ("rename", none, None),
        ("renameat", here, None, here, none), ("creat", None, 0o600), ("open", None, os.O_CREAT | os.O_RDWR),
        ("openat", here, None, os.O_CREAT), ("chdir", None),
    ):
        for address in odd[:-1]:
            given = [address if each is None else each for each in arguments]
            if number(name, *given) != number("access", address, 0):
                print(name, hex(address))
    draw = random.Random(1)
    for _ in range(2000):
        libc.syscall(draw.choice({numbers}), *(ctypes.c_void_p(draw.choice(odd)) for _ in range(6)))
    print("end")
    """
    worker = sandbox._process.pid
    assert run(sandbox, source) == "end\n"
    assert sandbox._process.pid == worker


def test_a_process_that_ends_amid_its_calls_costs_no_time(sandbox: Sandbox) -> None:
    source = """
    import ctypes, os, threading, time
    libc = ctypes.CDLL(None)
    long, new = b"./" * 1900 + b"x", b"./y"
    os.mkdir("x")
    def call():
        while True:
            libc.rename(long, new)
    for _ in range(3):
        threading.Thread(target=call, daemon=True).start()
    time.sleep(0.02)
    os.kill(os.getpid(), 9)
    """
    worker = sandbox._process.pid
    for _ in range(30):
        started = time.monotonic()
        with pytest.raises(Died, match="SIGKILL"):
            run(sandbox, source)
        assert time.monotonic() - started < GONE_S
    assert sandbox._process.pid == worker


# --- what it leaves --------------------------------------------------------------------------------------------------

PLANT = """
import builtins, ctypes, os, signal, sys, threading, time, torch
def planted(action):
    try:
        action()
    except (OSError, RuntimeError, AttributeError, ImportError):
        pass
libc = ctypes.CDLL(None)
planted(lambda: os.makedirs("left/deep"))
for place in (".", "..", "/tmp", "/var/tmp", "/dev/shm", os.environ["HOME"], os.path.dirname(torch.__file__)):
    planted(lambda: open(place + "/autograder-left", "w").close())
planted(lambda: os.setxattr(".", "user.left", b"1"))
planted(lambda: os.umask(0o707))
planted(lambda: os.environ.update(LEFT="1"))
planted(lambda: libc.shmget(0x5814, 4096, 0o1666))
planted(lambda: libc.semget(0x5814, 1, 0o1666))
planted(lambda: libc.msgget(0x5814, 0o1666))
planted(lambda: libc.syscall(248, b"user", b"left", b"1", 1, -4))
planted(lambda: signal.setitimer(signal.ITIMER_REAL, 1000))
planted(lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN))
planted(lambda: os.nice(3))
planted(lambda: os.sched_setaffinity(0, {0}))
planted(lambda: __import__("resource").setrlimit(4, (0, 0)))
planted(lambda: threading.Thread(target=time.sleep, args=(600,)).start())
planted(lambda: os.dup2(1, 77))
planted(lambda: libc.prctl(15, b"left", 0, 0, 0))
builtins.left = sys.left = torch.left = 1
torch.manual_seed(77)
torch.set_default_dtype(torch.float64)
torch.nn.Linear.forward = None
sys.path.append("/left")
planted(lambda: open("/proc/self/comm", "w").write("left"))
"""
LOOK = """
import builtins, ctypes, os, resource, signal, sys, threading, torch
libc = ctypes.CDLL(None)
print(sorted(name for name in os.listdir() if not name.endswith(".py")), len(os.environ), "LEFT" in os.environ)
for place in ("..", "/tmp", "/var/tmp", "/dev/shm", os.environ["HOME"], os.path.dirname(torch.__file__)):
    print(place[-9:], os.path.exists(place + "/autograder-left"))
print(os.umask(0o22), [libc.shmget(0x5814, 4096, 0), libc.semget(0x5814, 1, 0), libc.msgget(0x5814, 0)])
print(libc.syscall(249, b"user", b"left", None, 0), signal.getitimer(signal.ITIMER_REAL))
print(signal.getsignal(signal.SIGUSR1), os.getpriority(os.PRIO_PROCESS, 0), len(os.sched_getaffinity(0)))
print([resource.getrlimit(kind) for kind in range(3)], resource.getrlimit(4), threading.active_count())
print([number for number in range(128) if os.path.exists(f"/dev/fd/{number}")], torch.rand(1), torch.ones(1).dtype)
print([hasattr(each, "left") for each in (builtins, sys, torch)], torch.nn.Linear.forward is None, sys.path[-1])
print([os.getpgid(0) == os.getpid(), os.getsid(0) == os.getpid(), os.getuid(), os.getgroups()])
name = ctypes.create_string_buffer(16)
libc.prctl(16, name, 0, 0, 0)
print(name.value, torch.get_num_threads(), os.getppid())
"""


def test_nothing_survives_the_process(sandbox: Sandbox) -> None:
    before = run(sandbox, LOOK)
    assert before.count("\n") > 12
    run(sandbox, PLANT)
    assert run(sandbox, LOOK) == before
    left = [place for place in ("/tmp", "/var/tmp", "/dev/shm") if Path(place, "autograder-left").exists()]
    assert left == []


def test_stopping_takes_no_longer_for_what_was_made(sandbox: Sandbox) -> None:
    source = """
    import os
    os.umask(0o777)
    for _ in range(40):
        try:
            os.mkdir("d" * 250); os.chdir("d" * 250)
        except OSError:
            break
    for number in range(100):
        try:
            open(bytes([1 + number]) * 9 + b"\\n\\xff", "w").close()
        except OSError:
            break
    """
    with sandbox.submission(textwrap.dedent(source).encode()) as submission:
        submission.load()
        started = time.monotonic()
        assert submission.stop() is not None
        assert time.monotonic() - started < 10


@pytest.mark.slow
def test_a_neighbor_is_out_of_reach(sandbox: Sandbox, request: pytest.FixtureRequest) -> None:
    setting: Setting = request.node.callspec.params["sandbox"]
    waits = b"import os, time\nprint(os.getcwd(), os.getpid(), os.getuid(), flush=True)\nopen('own', 'w').close()\n"
    waits += b"def here(x):\n    return x + len(os.listdir())\n"
    with Sandbox(sandbox.level.name) as beside, beside.submission(waits) as submission:
        count = submission.call("here", torch.zeros(1)).outputs[0].item()
        deadline = time.monotonic() + 20
        while not submission.output.endswith("\n") and time.monotonic() < deadline:  # on a busy machine it comes later
            submission.call("here", torch.zeros(1))
        folder, pid, user = submission.output.split()
        if sandbox.level.name == "bubblewrap":
            folder = "/proc/1/root" + folder
        source = f"""
        import os
        def tried(action):
            try:
                action(); print("came through", action.__code__.co_consts)
            except OSError: pass
        tried(lambda: open({folder!r} + "/new", "w"))
        tried(lambda: open({folder!r} + "/own", "r+"))
        tried(lambda: os.unlink({folder!r} + "/own"))
        tried(lambda: os.kill({pid}, 0) if {sandbox.level.name != "bubblewrap"} else os.kill(1, 0))
        tried(lambda: open("/proc/{pid}/mem", "rb") if {sandbox.level.name != "bubblewrap"} else os.kill(1, 0))
        print(os.getuid())
        """
        said = run(sandbox, source).splitlines()
        assert len(said) == 1
        if setting.level == "confined" and os.geteuid() == 0 and "capabilities" not in setting.missing:
            assert said[0] != user
        assert submission.call("here", torch.zeros(1)).outputs[0].item() == count


GRADER = """
import sys
from autograder.sandbox.client import Sandbox
level, name, then = sys.argv[1:]
source = f"import ctypes, time; libc = ctypes.CDLL(None); libc.prctl(15, b'{name}'); open('left', 'w').close(); {then}"
with Sandbox(level) as sandbox, sandbox.submission(source.encode()) as submission:
    sandbox.wait_until_ready()
    print(sandbox._process.pid, flush=True)
    submission.load()
"""
WAITS = "time.sleep(600)"
CALLS = "any(libc.unlink(b'./' * 1900) == 0 for _ in iter(int, 1))"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ended", "then"),
    [("worker", WAITS), ("grader", WAITS), ("grader", CALLS)],
    ids=["worker", "grader", "grader-amid-calls"],
)
@pytest.mark.parametrize("level", [level.name for level in isolation.LEVELS])
def test_a_process_ends_with_those_that_started_it(level: str, ended: str, then: str, tmp_path: Path) -> None:
    if reason := isolation.why_not(level):
        pytest.skip(f"{level}: {reason}")
    tmp_path.chmod(0o755)
    marker = f"end-{os.getpid() % 10000}-{ended}"
    command = [sys.executable, "-c", GRADER, level, marker, then]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)}) as grader:
        assert grader.stdout is not None
        worker = int(grader.stdout.readline())
        try:
            assert within(120, lambda: called(marker))
            os.kill(worker if ended == "worker" else grader.pid, signal.SIGKILL)
            assert within(30, lambda: not called(marker) and not runs(worker))
        finally:
            grader.kill()
    if ended == "grader":
        assert within(30, lambda: not [each for each in tmp_path.rglob("*") if not each.name.startswith("autograder-")])


def called(marker: str) -> bool:
    """Whether there is a process of this name."""
    return any(read(path).strip() == marker for path in Path("/proc").glob("[0-9]*/comm"))


def runs(pid: int) -> bool:
    """Whether the process is there and not just waiting to be reaped."""
    return read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()[:1] not in ([], ["Z"])


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Whether the condition comes to hold in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
