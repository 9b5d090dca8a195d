"""Give up resources, privileges and files before running untrusted code (for system calls, see `filter`).

These are direct system calls through ctypes: each mechanism is a page of code, and a native extension would have to be
built on every platform. Sources: setrlimit(2), prctl(2), capset(2), landlock(7), namespaces(7).
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import resource
import secrets
import signal
import socket
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from autograder.sandbox.limits import Limits

_libc = ctypes.CDLL(None, use_errno=True)

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_KEEPCAPS = 1, 4, 8
_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 36, 38


class NotSupportedError(OSError):
    """This kernel or platform does not offer the mechanism."""


def check(result: int, what: str) -> int:
    """The result of a system call; NotSupportedError if it failed."""
    if result < 0:
        errno = ctypes.get_errno()
        raise NotSupportedError(errno, f"{what}: {os.strerror(errno)}")
    return result


def _prctl(option: int, *arguments: int) -> None:
    padded = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]]
    check(_libc.prctl(option, *padded), f"prctl {option}")


def hide_memory(hidden: bool = True) -> None:
    """Make this process's memory and environment unreadable to other processes of the same user, or readable again."""
    if sys.platform == "linux":
        _prctl(_PR_SET_DUMPABLE, not hidden)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose parent ends, so that none escapes."""
    if sys.platform == "linux":
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends. Call it after every change of user."""
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def die_first() -> None:
    """Make the kernel kill this process first when the machine runs out of memory."""
    if sys.platform != "linux":
        return
    with _own_files(), contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def open_memory() -> int:
    """A descriptor that lets another process read this process's memory."""
    if sys.platform != "linux":
        return os.open(os.devnull, os.O_RDONLY)
    with _own_files():
        return os.open("/proc/self/mem", os.O_RDONLY | os.O_CLOEXEC)


@contextlib.contextmanager
def _own_files() -> Iterator[None]:
    """Own the files below /proc/self for a moment; with hidden memory, they belong to root."""
    _prctl(_PR_SET_DUMPABLE, 1)
    try:
        yield
    finally:
        _prctl(_PR_SET_DUMPABLE, 0)


def remove_contents(folder: Path) -> None:
    """Empty a folder of any depth: deeper folders are moved up first, so paths stay short."""
    while entries := list(os.scandir(folder)):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry)
                continue
            os.chmod(entry, 0o700)
            for inner in os.scandir(entry):
                if inner.is_dir(follow_symlinks=False):
                    os.chmod(inner, 0o700)
                    os.rename(inner, folder / secrets.token_hex(8))
                else:
                    os.unlink(inner)
            os.rmdir(entry)


def no_new_privileges() -> None:
    """Keep set-user-id programs from giving this process more rights."""
    if sys.platform == "linux":
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def limit_resources(limits: Limits) -> None:
    """Limit the CPU time, memory, files and core dumps of this process."""
    bounds = {
        resource.RLIMIT_CPU: limits.cpu_s,
        resource.RLIMIT_FSIZE: limits.file,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":  # macOS does not enforce RLIMIT_AS and lacks the others
        bounds |= dict.fromkeys((resource.RLIMIT_MEMLOCK, resource.RLIMIT_MSGQUEUE), 0)
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        bounds[resource.RLIMIT_AS] = mapped + limits.memory
    for kind, bound in bounds.items():
        hard = resource.getrlimit(kind)[1]
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(kind, (bound, bound))


_CHOWN, _DAC_OVERRIDE, _DAC_READ_SEARCH, _FOWNER, _KILL, _SETGID, _SETUID = (1 << bit for bit in (0, 1, 2, 3, 5, 6, 7))
# To start a process as another user, to give it files, and to end it and remove them.
_TO_CHANGE_USER = _CHOWN | _DAC_OVERRIDE | _FOWNER | _KILL | _SETGID | _SETUID


def keep_capabilities(kept: int = 0) -> None:
    """Give up every capability outside the mask `kept`; root without any only owns root's files."""
    if sys.platform == "linux":
        header = struct.pack("=Ii", 0x20080522, 0)  # version 3, this process
        check(_libc.capset(header, struct.pack("=6I", kept, kept, 0, 0, 0, 0)), "capset")


def _capabilities() -> int:
    """The mask of the capabilities in effect."""
    found = ctypes.create_string_buffer(24)
    check(_libc.capget(struct.pack("=Ii", 0x20080522, 0), found), "capget")
    return int(struct.unpack("=6I", found.raw)[0])


def try_user(user: int) -> None:
    """Become `user` as a submission would. NotSupportedError where that fails: not every root can change its user.

    A container may drop capabilities, or map only some users.
    """
    if os.geteuid() != 0:
        raise NotSupportedError(errno.EPERM, "this user is not root")
    if _TO_CHANGE_USER & ~_capabilities():
        raise NotSupportedError(
            errno.EPERM, "it lacks one of the capabilities CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID and SETUID"
        )
    become(user, keep_reading=False)


def can_become(user: int) -> bool:
    """Whether `try_user` works, in a child."""
    if sys.platform != "linux":
        return False
    child = os.fork()
    if child == 0:
        code = 1
        try:
            try_user(user)
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def become(user: int, keep_reading: bool) -> None:
    """Leave root for the unprivileged `user`.

    With `keep_reading`, keep the capability to read files of any mode by path, if root has it (not in a Docker
    container). Use it under Landlock, which then decides what can be read: an interpreter below a private home folder
    still works.
    """
    if keep_reading:
        _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    try:
        keep_capabilities(_DAC_READ_SEARCH if keep_reading else 0)
    except NotSupportedError:
        keep_capabilities()


# --- namespaces: what a process sees of the system ------------------------------------------------------------------

_MOUNTS, _IPC, _PROCESSES, _NETWORK = 0x20000, 0x08000000, 0x20000000, 0x40000000
_READONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND = 1, 2, 4, 8, 32, 4096
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "pts")
_SET_INTERFACE_FLAGS, _UP = 0x8914, 1


def fork_apart(scratch: Path, size: int) -> int:
    """Fork a child that is the first process in new namespaces; 0 in the child, which is then in `scratch`.

    The child sees only its own processes and network, and `scratch` is empty and has `size` bytes. When it ends, the
    kernel ends all its processes and removes all of that. The caller keeps the new namespaces, so it should only wait.
    It needs the capabilities SYS_ADMIN and NET_ADMIN in its user namespace.
    """
    check(_libc.unshare(_MOUNTS | _IPC | _PROCESSES | _NETWORK), "unshare")
    if child := os.fork():
        return child
    _mount("tmpfs", scratch, _NOSUID | _NODEV, f"size={size},mode=0755")
    # Read-only, because root outside is root here, without capabilities: system parameters, and modes of the devices.
    _mount("proc", Path("/proc"), _READONLY | _NOSUID | _NODEV | _NOEXEC)
    for device in _DEVICES:
        _mount("", Path("/dev", device), _REMOUNT | _BIND | _READONLY | _NOSUID | _NOEXEC)
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SET_INTERFACE_FLAGS, struct.pack("16sH14x", b"lo", _UP))
    os.chdir(scratch)
    return 0


def _mount(kind: str, path: Path, flags: int, options: str = "") -> None:
    arguments = (kind.encode(), os.fsencode(path), kind.encode(), ctypes.c_ulong(flags), options.encode())
    check(_libc.mount(*arguments), f"mount {path}")


# --- Landlock: which files can be opened --------------------------------------------------------------------------

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ_FILE, _READ_DIR, _EXECUTE = 1 << 2, 1 << 3, 1 << 0
_FILE_RIGHTS = 0b1 | 0b10 | 0b100 | 1 << 14 | 1 << 15  # execute, write, read, truncate, device ioctl


def landlock_version() -> int:
    """The kernel's Landlock ABI; NotSupportedError if there is none."""
    if sys.platform != "linux":
        raise NotSupportedError(0, "Landlock is a Linux mechanism")
    return check(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1)), "Landlock")


def has_landlock() -> bool:
    """Whether the kernel has Landlock and allows its use."""
    try:
        return landlock_version() > 0
    except NotSupportedError:
        return False


def restrict_files(readable: Iterable[Path], writable: Iterable[Path], listable: Iterable[Path]) -> None:
    """Allow opening only what is below these paths (Landlock), and no TCP if the kernel can refuse it.

    `listable` directories can be listed, as Python's import system does, but their files cannot be read.
    """
    version = landlock_version()
    every_right = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    network = 0b11 if version >= 4 else 0
    scope = 0b11 if version >= 6 else 0  # no signal to, and no abstract socket of, a process outside
    attributes = struct.pack("=QQQ", every_right, network, scope)[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = check(_libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0), "Landlock")
    grants = [(path, _READ_FILE | _READ_DIR | _EXECUTE) for path in readable]
    grants += [(path, _READ_DIR) for path in listable]
    grants += [(path, every_right) for path in writable]
    try:
        for path, rights in grants:
            try:
                descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            try:
                allowed = rights & every_right if path.is_dir() else rights & every_right & _FILE_RIGHTS
                rule = struct.pack("=Qi", allowed, descriptor)
                check(_libc.syscall(_ADD_RULE, ruleset, 1, rule, 0), f"Landlock rule for {path}")
            finally:
                os.close(descriptor)
        no_new_privileges()
        check(_libc.syscall(_RESTRICT_SELF, ruleset, 0), "Landlock")
    finally:
        os.close(ruleset)
