"""What a process gives up before it runs untrusted code: resources, privileges, files, system calls.

Straight system calls through ctypes: each mechanism is a page of code, and a native extension would be one more
thing to build on every platform. Sources: setrlimit(2), prctl(2), capset(2), landlock(7), seccomp(2).
"""

import ctypes
import os
import platform
import resource
import secrets
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

from autograder.sandbox.limits import Limits

_libc = ctypes.CDLL(None, use_errno=True)

_PR_SET_DUMPABLE, _PR_SET_KEEPCAPS, _PR_SET_SECCOMP = 4, 8, 22
_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 36, 38


class NotSupportedError(OSError):
    """This kernel or platform does not offer the mechanism."""


def _check(result: int, what: str) -> int:
    if result < 0:
        errno = ctypes.get_errno()
        raise NotSupportedError(errno, f"{what}: {os.strerror(errno)}")
    return result


def _prctl(option: int, *arguments: int) -> None:
    padded = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]]
    _check(_libc.prctl(option, *padded), f"prctl {option}")


def hide_memory() -> None:
    """Make this process's memory and environment unreadable to other processes of the same user."""
    if sys.platform == "linux":
        _prctl(_PR_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none can slip away."""
    if sys.platform == "linux":
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def remove_contents(folder: Path) -> None:
    """Empty a folder, however deep: whatever lies below the second level is moved up first, so paths stay short."""
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
    """No set-user-id program can raise this process again."""
    if sys.platform == "linux":
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def limit_resources(limits: Limits) -> None:
    """CPU time, memory, files and core dumps of this process."""
    bounds = {
        resource.RLIMIT_CPU: limits.cpu_s,
        resource.RLIMIT_FSIZE: limits.file,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":  # macOS does not enforce it
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        bounds[resource.RLIMIT_AS] = mapped + limits.memory
    for kind, bound in bounds.items():
        hard = resource.getrlimit(kind)[1]
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(kind, (bound, bound))


_DAC_READ_SEARCH = 1 << 2


def keep_capabilities(kept: int = 0) -> None:
    """Give up every capability but those in the mask `kept`; root without any is a user that owns root's files."""
    if sys.platform == "linux":
        header = struct.pack("=Ii", 0x20080522, 0)  # version 3, this process
        _check(_libc.capset(header, struct.pack("=6I", kept, kept, 0, 0, 0, 0)), "capset")


def become(user: int, keep_reading: bool) -> None:
    """Leave root for the unprivileged `user`.

    With `keep_reading`, keep the capability to read files by path whatever their mode, where root has it (in a Docker
    container it does not): for use under Landlock, which alone then decides what can be read, so that an interpreter
    below a private home directory still works.
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


# --- Landlock: which files can be opened --------------------------------------------------------------------------

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ_FILE, _READ_DIR, _EXECUTE = 1 << 2, 1 << 3, 1 << 0
_FILE_RIGHTS = 0b1 | 0b10 | 0b100 | 1 << 14 | 1 << 15  # execute, write, read, truncate, device ioctl


def landlock_version() -> int:
    """The kernel's Landlock ABI; NotSupportedError if there is none."""
    if sys.platform != "linux":
        raise NotSupportedError(0, "Landlock is a Linux mechanism")
    return _check(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1)), "Landlock")


def has_landlock() -> bool:
    """Whether the kernel has Landlock, and lets us use it."""
    try:
        return landlock_version() > 0
    except NotSupportedError:
        return False


def restrict_files(readable: Iterable[Path], writable: Iterable[Path], listable: Iterable[Path]) -> None:
    """Allow opening nothing but what is below these paths (Landlock), and no TCP, where the kernel can refuse it.

    `listable` directories can be listed, which Python's import system does, without their files being readable.
    """
    version = landlock_version()
    every_right = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    network = 0b11 if version >= 4 else 0
    scope = 0b11 if version >= 6 else 0  # no signal to, and no abstract socket of, a process outside
    attributes = struct.pack("=QQQ", every_right, network, scope)[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = _check(_libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0), "Landlock")
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
                _check(_libc.syscall(_ADD_RULE, ruleset, 1, rule, 0), f"Landlock rule for {path}")
            finally:
                os.close(descriptor)
        no_new_privileges()
        _check(_libc.syscall(_RESTRICT_SELF, ruleset, 0), "Landlock")
    finally:
        os.close(ruleset)


# --- seccomp: which system calls can be made ----------------------------------------------------------------------

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # AUDIT_ARCH and the column below

# Refused outright: new programs and namespaces, other processes' memory, signals that name no process, sockets,
# shared memory and queues that outlive a process, kernel interfaces with a history.
_REFUSED = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "process_madvise": (440, 440), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "socket": (41, 198), "unshare": (272, 97), "setns": (308, 268),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "mount_setattr": (442, 442), "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "shmget": (29, 194),
    "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "adjtimex": (159, 171), "sethostname": (170, 161), "setdomainname": (171, 162),
    "quotactl": (179, 60), "syslog": (103, 116), "vhangup": (153, 58), "memfd_secret": (447, 447),
    "setpriority": (141, 140), "ioprio_set": (251, 30),  # they reach every process of a user
}  # fmt: skip
# Allowed for the process itself alone: call -> (numbers, which argument names the process, whether 0 means itself).
_SELF_ONLY = {
    "kill": ((62, 129), 0, False),
    "tgkill": ((234, 131), 0, False),
    "prlimit64": ((302, 261), 0, True),
    "sched_setaffinity": ((203, 122), 0, True),
    "sched_setscheduler": ((144, 119), 0, True),
    "sched_setparam": ((142, 118), 0, True),
    "sched_setattr": ((314, 274), 0, True),
}
_CLONE, _CLONE3, _FCNTL = (56, 220), (435, 435), (72, 25)
_CLONE_THREAD, _F_SETOWN, _F_SETOWN_EX, _F_SETSIG = 0x10000, 8, 15, 10
_EPERM, _ENOSYS = 1, 38
_KILL_PROCESS, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06


def restrict_system_calls() -> None:
    """Refuse (with EPERM) what a numerical program never needs; threads stay possible, processes do not."""
    if sys.platform != "linux" or platform.machine() not in _ARCHITECTURES:
        raise NotSupportedError(0, f"seccomp filter: no table for {sys.platform} on {platform.machine()}")
    no_new_privileges()
    program = b"".join(_filter(os.getpid()))
    buffer = ctypes.create_string_buffer(program, len(program))
    fprog = struct.pack("=H6xQ", len(program) // 8, ctypes.addressof(buffer))
    _check(_libc.prctl(_PR_SET_SECCOMP, 2, fprog, 0, 0), "seccomp")


def _instruction(code: int, k: int, on_true: int = 0, on_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, on_true, on_false, k)


def _filter(own_pid: int) -> list[bytes]:
    """The BPF program. Each block tests the call's number, skips itself if it is another, else returns."""
    architecture, column = _ARCHITECTURES[platform.machine()]
    refuse = _instruction(_RETURN, _ERRNO | _EPERM)
    allow = _instruction(_RETURN, _ALLOW)
    program = [
        _instruction(_LOAD, 4),  # seccomp_data.arch
        _instruction(_EQUAL, architecture, on_true=1),
        _instruction(_RETURN, _KILL_PROCESS),
        _instruction(_LOAD, 0),  # seccomp_data.nr
    ]
    if column == 0:  # the x32 numbers of x86-64 would walk around the table
        program += [_instruction(_AT_LEAST, 0x40000000, on_false=1), refuse]

    def block(number: int, body: list[bytes]) -> None:
        program.append(_instruction(_EQUAL, number, on_false=len(body)))
        program.extend(body)

    def argument(index: int) -> bytes:
        return _instruction(_LOAD, 16 + 8 * index)  # the low word of seccomp_data.args[index]

    for numbers in _REFUSED.values():
        if (number := numbers[column]) is not None:
            block(number, [refuse])
    for numbers, index, zero_is_self in _SELF_ONLY.values():
        tests = [_instruction(_EQUAL, own_pid, on_false=1), allow]
        if zero_is_self:
            tests += [_instruction(_EQUAL, 0, on_false=1), allow]
        block(numbers[column], [argument(index), *tests, refuse])
    block(_CLONE[column], [argument(0), _instruction(_ANY_BIT, _CLONE_THREAD, on_false=1), allow, refuse])
    block(_CLONE3[column], [_instruction(_RETURN, _ERRNO | _ENOSYS)])  # its flags cannot be read; libc falls back
    owner = [
        part for k in (_F_SETOWN, _F_SETOWN_EX, _F_SETSIG) for part in (_instruction(_EQUAL, k, on_false=1), refuse)
    ]
    block(_FCNTL[column], [argument(1), *owner, allow])
    program.append(allow)
    return program
