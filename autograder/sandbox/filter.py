"""System calls that untrusted code can make (seccomp): a list of what is allowed; the kernel refuses the rest.

The filters are written here by hand, because bindings of libseccomp need its library on the system.
Sources: seccomp(2), seccomp_unotify(2), and the kernel's tables of system calls.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Mapping
from typing import TypeVar

from autograder.sandbox.confine import NotSupportedError, check, no_new_privileges

_libc = ctypes.CDLL(None, use_errno=True)

T = TypeVar("T")

# AUDIT_ARCH, the number of seccomp(2), and the column of the tables below.
_ARCHITECTURES = {"x86_64": (0xC000003E, 317, 0), "aarch64": (0xC00000B7, 277, 1)}

# What a numerical program needs. No call here reaches another process, changes anything outside its folder, or makes
# anything that outlives it. On aarch64 the older calls do not exist.
ALLOWED: dict[str, tuple[int | None, int | None]] = {
    # read and write what is open
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66), "pread64": (17, 67),
    "pwrite64": (18, 68), "preadv": (295, 69), "pwritev": (296, 70), "lseek": (8, 62), "close": (3, 57),
    "close_range": (436, 436), "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24), "pipe": (22, None),
    "pipe2": (293, 59), "ftruncate": (77, 46), "fallocate": (285, 47), "fsync": (74, 82), "fdatasync": (75, 83),
    "sendfile": (40, 71), "copy_file_range": (326, 285), "poll": (7, None), "ppoll": (271, 73),
    "select": (23, None), "pselect6": (270, 72), "recvfrom": (45, 207),
    "getsockname": (51, 204), "getpeername": (52, 205),
    # look at files
    "stat": (4, None), "fstat": (5, 80), "lstat": (6, None), "newfstatat": (262, 79), "statx": (332, 291),
    "statfs": (137, 43), "fstatfs": (138, 44), "access": (21, None), "faccessat": (269, 48),
    "faccessat2": (439, 439), "readlink": (89, None), "readlinkat": (267, 78), "getcwd": (79, 17),
    "getdents": (78, None), "getdents64": (217, 61), "listxattr": (194, 11),
    "llistxattr": (195, 12), "flistxattr": (196, 13),
    "umask": (95, 166),
    # memory
    "mmap": (9, 222), "munmap": (11, 215), "mprotect": (10, 226), "mremap": (25, 216), "msync": (26, 227),
    "brk": (12, 214),
    # its own signals, timers and threads
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "rt_sigpending": (127, 136),
    "rt_sigsuspend": (130, 133), "rt_sigtimedwait": (128, 137), "sigaltstack": (131, 132), "pause": (34, None),
    "restart_syscall": (219, 128), "nanosleep": (35, 101), "clock_nanosleep": (230, 115), "alarm": (37, None),
    "getitimer": (36, 102), "setitimer": (38, 103), "futex": (202, 98), "futex_waitv": (449, 449),
    "set_tid_address": (218, 96), "set_robust_list": (273, 99), "rseq": (334, 293), "arch_prctl": (158, None),
    "sched_yield": (24, 124), "exit": (60, 93), "exit_group": (231, 94), "wait4": (61, 260), "waitid": (247, 95),
    # what time, where, who
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "gettimeofday": (96, 169), "time": (201, None),
    "times": (100, 153), "getpid": (39, 172), "getppid": (110, 173), "gettid": (186, 178), "getuid": (102, 174),
    "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177), "getgroups": (115, 158),
    "getresuid": (118, 148), "getresgid": (120, 150), "getpgid": (121, 155), "getpgrp": (111, None),
    "getsid": (124, 156), "getrlimit": (97, 163), "setrlimit": (160, 164), "getrusage": (98, 165),
    "getpriority": (140, 141), "sysinfo": (99, 179), "uname": (63, 160), "capget": (125, 90), "getcpu": (309, 168),
    "getrandom": (318, 278), "sched_getaffinity": (204, 123), "sched_getscheduler": (145, 120),
    "sched_getparam": (143, 121), "sched_getattr": (315, 275), "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126),
}  # fmt: skip
# Calls that change files, by path. `Supervisor` makes them for a submission.
CHANGES: dict[str, tuple[int | None, int | None]] = {
    "creat": (85, None), "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "unlink": (87, None),
    "unlinkat": (263, 35), "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276),
    "chdir": (80, 49),
}  # fmt: skip
OPENS: dict[str, tuple[int | None, int | None]] = {"open": (2, None), "openat": (257, 56)}
# Calls that are allowed with some arguments.
ARGUMENTS: dict[str, tuple[int | None, int | None]] = {
    "ioctl": (16, 29), "fcntl": (72, 25), "prctl": (157, 167), "madvise": (28, 233), "sendto": (44, 206),
    "kill": (62, 129), "tgkill": (234, 131), "prlimit64": (302, 261), "clone": (56, 220), "getsockopt": (55, 209),
}  # fmt: skip
# Calls of a Jupyter kernel, a tree of processes in their own namespaces that talk over sockets.
NOTEBOOK: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198), "socketpair": (53, 199), "bind": (49, 200), "connect": (42, 203), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242), "shutdown": (48, 210), "sendto": (44, 206), "sendmsg": (46, 211),
    "recvmsg": (47, 212), "sendmmsg": (307, 269), "recvmmsg": (299, 243), "setsockopt": (54, 208),
    "getsockopt": (55, 209),
    "epoll_create": (213, None), "epoll_create1": (291, 20), "epoll_ctl": (233, 21), "epoll_wait": (232, None),
    "epoll_pwait": (281, 22), "epoll_pwait2": (441, 441), "eventfd": (284, None), "eventfd2": (290, 19),
    "timerfd_create": (283, 85), "timerfd_settime": (286, 86), "timerfd_gettime": (287, 87), "signalfd4": (289, 74),
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "setsid": (112, 157), "setpgid": (109, 154),
    "kill": (62, 129), "tgkill": (234, 131), "tkill": (200, 130), "fchdir": (81, 50), "chmod": (90, None),
    "fchmod": (91, 52), "fchmodat": (268, 53), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "link": (86, None), "linkat": (265, 37),
    "symlink": (88, None), "symlinkat": (266, 36), "truncate": (76, 45), "flock": (73, 32), "mincore": (27, 232),
    "sched_setscheduler": (144, 119), "sched_setparam": (142, 118), "sched_setaffinity": (203, 122),
    "setpriority": (141, 140), "fadvise64": (221, 223), "membarrier": (324, 283),
    "prlimit64": (302, 261), "fcntl": (72, 25), "prctl": (157, 167), "madvise": (28, 233),
}  # fmt: skip

# Arguments that are allowed. ioctl: is it a terminal, how much can be read, block or not, close on exec.
_IOCTLS = (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
_TYPE_INTO_A_TERMINAL = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
# fcntl: duplicate; flags; the size of a pipe. No owner, lease or watch that signals; no lock, no larger pipe.
_FCNTLS = (0, 1, 2, 3, 4, 1030, 1032)
_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6: others, such as AF_VSOCK, reach beyond a network namespace
_NETLINK = 16  # whose protocol 0 says which network addresses there are
_PRCTLS = (15, 16, 0x53564D41)  # the name of a thread, of a mapping
_PEER_HANDLE = 77  # SO_PEERPIDFD
_OUT_OF_BAND = 1  # MSG_OOB
_ADVICE = (0, 1, 2, 3, 4, 8, 14, 15, 16, 17)  # about its own memory only
_THREAD = 0x00010F00  # CLONE_VM, FS, FILES, SIGHAND, THREAD
_THREAD_OPTIONS = 0x017C0000  # CLONE_SYSVSEM, SETTLS, PARENT_SETTID, CHILD_CLEARTID, DETACHED, CHILD_SETTID
_NAMESPACES = 0x7E020080
O_TRUNC, _O_ASYNC = 0x200, 0x2000
WRITES = 0x3 | 0x40 | O_TRUNC | 0x400000  # O_ACCMODE, O_CREAT, O_TRUNC, O_TMPFILE: what makes an open a change

_KILL_PROCESS, _ERRNO, _NOTIFY, _ALLOW = 0x80000000, 0x00050000, 0x7FC00000, 0x7FFF0000
_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_SET_MODE_FILTER, _GET_ACTION_AVAIL, _NEW_LISTENER = 1, 2, 1 << 3
_X32 = 0x40000000
_FIRST_NEW = 424  # from here the numbers are the same everywhere, and libraries work without missing calls


def restrict() -> None:
    """Allow this process only what a submission needs; NotSupportedError if there is no such filter."""
    _install(submission_program(os.getpid()))


def restrict_notebook() -> None:
    """Allow this process only what a notebook's kernel needs; NotSupportedError if there is no such filter."""
    _install(notebook_program())


def supervise() -> int:
    """Let another process decide on threads and file changes; returns the descriptor of the notifications.

    NotSupportedError before Linux 5.9, where an answer cannot hand over an open file.
    """
    number = _here()[1]
    version = [int(part) for part in platform.release().split("-")[0].split(".")[:2] if part.isdigit()]
    available = _libc.syscall(number, _GET_ACTION_AVAIL, 0, struct.pack("=I", _NOTIFY)) == 0
    if version < [5, 9] or not available:
        raise NotSupportedError(0, "this kernel cannot let another process answer a system call")
    return _install(supervised_program(), _NEW_LISTENER)


def by_number(handlers: Mapping[str, T]) -> dict[int, T]:
    """The handlers by the number of their call on this machine."""
    tables, column = ARGUMENTS | CHANGES | OPENS, _here()[2]
    return {number: each for name, each in handlers.items() if (number := tables[name][column]) is not None}


def _install(program: bytes, flags: int = 0) -> int:
    number = _here()[1]
    no_new_privileges()
    buffer = ctypes.create_string_buffer(program, len(program))
    fprog = struct.pack("=H6xQ", len(program) // 8, ctypes.addressof(buffer))
    return check(_libc.syscall(number, _SET_MODE_FILTER, flags, fprog), "seccomp")


def _here() -> tuple[int, int, int]:
    if sys.platform != "linux" or platform.machine() not in _ARCHITECTURES:
        raise NotSupportedError(0, f"seccomp filter: no table for {sys.platform} on {platform.machine()}")
    return _ARCHITECTURES[platform.machine()]


def submission_program(own_pid: int) -> bytes:
    """The filter of a submission's process, which has the process id `own_pid`."""
    program = _Program()
    for numbers in (*ALLOWED.values(), *CHANGES.values()):
        program.on(numbers, [_return(_ALLOW)])
    for name, numbers in OPENS.items():
        flags = _argument(1 if name == "open" else 2)
        # Older versions of Landlock allow truncating a file that is opened for reading.
        program.on(numbers, [flags, _instruction(_AND, 0x3 | O_TRUNC), *_refuse_if(O_TRUNC), _return(_ALLOW)])
    program.on(ARGUMENTS["ioctl"], _one_of(1, _IOCTLS))
    setting_async = [_argument(1), _instruction(_EQUAL, 4, on_false=4), _argument(2), _instruction(_AND, _O_ASYNC)]
    program.on(ARGUMENTS["fcntl"], [*setting_async, *_refuse_if(_O_ASYNC), *_one_of(1, _FCNTLS)])
    program.on(ARGUMENTS["prctl"], _one_of(0, _PRCTLS))
    program.on(ARGUMENTS["madvise"], _one_of(2, _ADVICE))
    program.on(ARGUMENTS["kill"], _one_of(0, (own_pid,)))
    program.on(ARGUMENTS["tgkill"], _one_of(0, (own_pid,)))
    program.on(ARGUMENTS["prlimit64"], _one_of(0, (0, own_pid)))
    program.on(ARGUMENTS["getsockopt"], [_argument(2), *_refuse_if(_PEER_HANDLE), _return(_ALLOW)])
    in_band = [_argument(3), _instruction(_AND, _OUT_OF_BAND), *_refuse_if(_OUT_OF_BAND)]
    no_address = [_argument(4), _instruction(_EQUAL, 0, on_false=3), _argument(4, high=True)]
    program.on(
        ARGUMENTS["sendto"], [*in_band, *no_address, _instruction(_EQUAL, 0, on_false=1), _return(_ALLOW), _refuse()]
    )
    program.on(
        ARGUMENTS["clone"],
        [_argument(0), _instruction(_AND, 0xFFFFFFFF & ~_THREAD_OPTIONS), *_allow_if(_THREAD), _refuse()],
    )
    return program.end(_refuse(), _return(_ERRNO | errno.ENOSYS))


def supervised_program() -> bytes:
    """The filter that notifies the supervisor of calls that it decides on."""
    program = _Program()
    for numbers in (ARGUMENTS["clone"], *CHANGES.values()):
        program.on(numbers, [_return(_NOTIFY)])
    for name, numbers in OPENS.items():
        flags = [_argument(1 if name == "open" else 2), _instruction(_AND, WRITES)]
        program.on(numbers, [*flags, *_allow_if(0), _return(_NOTIFY)])
    return program.end(_return(_ALLOW), _return(_ALLOW))


def notebook_program() -> bytes:
    """The filter of a notebook's kernel, in its own namespaces."""
    program = _Program()
    typing = [part for request in _TYPE_INTO_A_TERMINAL for part in _refuse_if(request)]
    program.on(ARGUMENTS["ioctl"], [_argument(1), *typing, _return(_ALLOW)])
    program.on(ARGUMENTS["clone"], [_argument(0), _instruction(_AND, _NAMESPACES), *_allow_if(0), _refuse()])
    addresses = [_argument(0), _instruction(_EQUAL, _NETLINK, on_false=4), _argument(2), *_allow_if(0), _refuse()]
    program.on(NOTEBOOK["socket"], [*addresses, *_one_of(0, _FAMILIES)])
    program.on(NOTEBOOK["socketpair"], _one_of(0, _FAMILIES[:1]))
    # Leases and locks would hold up those outside who use the same files: a lock seems to succeed.
    program.on(ARGUMENTS["fcntl"], _one_of(1, _FCNTLS))
    program.on(NOTEBOOK["flock"], [_return(_ERRNO)])
    for numbers in (ALLOWED | CHANGES | OPENS | NOTEBOOK).values():
        program.on(numbers, [_return(_ALLOW)])
    return program.end(_refuse(), _return(_ERRNO | errno.ENOSYS))


class _Program:
    """A BPF program: each block handles one call, and is skipped for all others."""

    def __init__(self) -> None:
        architecture, _, self._column = _here()
        self._code = [
            _instruction(_LOAD, 4),  # seccomp_data.arch
            _instruction(_EQUAL, architecture, on_true=1),
            _return(_KILL_PROCESS),
            _instruction(_LOAD, 0),  # seccomp_data.nr
        ]
        if self._column == 0:  # the x32 numbers of x86-64 would bypass the tables
            self._code += [_instruction(_AT_LEAST, _X32, on_false=1), _refuse()]

    def on(self, numbers: tuple[int | None, int | None], body: list[bytes]) -> None:
        """Add instructions for a call, given its number on each architecture."""
        if (number := numbers[self._column]) is not None:
            self._code += [_instruction(_EQUAL, number, on_false=len(body)), *body]

    def end(self, other: bytes, newer: bytes) -> bytes:
        """The whole program, with the actions for all other calls."""
        return b"".join([*self._code, _instruction(_AT_LEAST, _FIRST_NEW, on_false=1), newer, other])


def _instruction(code: int, k: int, on_true: int = 0, on_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, on_true, on_false, k)


def _return(action: int) -> bytes:
    return _instruction(_RETURN, action)


def _refuse() -> bytes:
    return _return(_ERRNO | errno.EPERM)


def _argument(index: int, high: bool = False) -> bytes:
    """Load a word of seccomp_data.args[index]; the kernel's own `int` arguments are the low one."""
    return _instruction(_LOAD, 16 + 8 * index + 4 * high)


def _allow_if(value: int) -> list[bytes]:
    return [_instruction(_EQUAL, value, on_false=1), _return(_ALLOW)]


def _refuse_if(value: int) -> list[bytes]:
    return [_instruction(_EQUAL, value, on_false=1), _refuse()]


def _one_of(index: int, values: tuple[int, ...]) -> list[bytes]:
    return [_argument(index), *(part for value in values for part in _allow_if(value)), _refuse()]
