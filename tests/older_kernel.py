"""Runs a command as if on an older kernel, or in a container that offers less.

    python tests/older_kernel.py landlock,namespaces -- autograder doctor

A system-call filter answers what the kernel would answer if it did not have the mechanism. It cannot be taken off.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

# By mechanism: the calls that are not there (x86-64, aarch64), and what they answer.
MISSING = {
    "landlock": [((444, 444), errno.ENOSYS), ((445, 445), errno.ENOSYS), ((446, 446), errno.ENOSYS)],
    "namespaces": [((272, 97), errno.EPERM), ((435, 435), errno.ENOSYS)],  # unshare; clone3, whose flags are in memory
    "supervision": [],
    "filter": [((317, 277), errno.EPERM)],  # seccomp
    "capabilities": [],
}
_LOAD, _EQUAL, _ANY_BIT, _RETURN, _ERRNO, _ALLOW = 0x20, 0x15, 0x45, 0x06, 0x00050000, 0x7FFF0000
_CLONE, _SECCOMP, _NEW_NAMESPACES, _NEW_LISTENER = (56, 220), (317, 277), 0x7E020000, 1 << 3


def do_without(*mechanisms: str) -> None:
    """Take these mechanisms, keys of MISSING, away from this process and all that it starts."""
    column = {"x86_64": 0, "aarch64": 1}[platform.machine()]
    code = [_instruction(_LOAD, 0)]
    for mechanism in mechanisms:
        for numbers, error in MISSING[mechanism]:
            code += [_instruction(_EQUAL, numbers[column], on_false=1), _instruction(_RETURN, _ERRNO | error)]
    for mechanism, numbers, argument, bits in (
        ("namespaces", _CLONE, 0, _NEW_NAMESPACES),
        ("supervision", _SECCOMP, 1, _NEW_LISTENER),
    ):
        if mechanism in mechanisms:
            refuse = [_instruction(_ANY_BIT, bits, on_false=1), _instruction(_RETURN, _ERRNO | errno.EPERM)]
            body = [_instruction(_LOAD, 16 + 8 * argument), *refuse, _instruction(_RETURN, _ALLOW)]
            code += [_instruction(_EQUAL, numbers[column], on_false=len(body)), *body]
    libc = ctypes.CDLL(None, use_errno=True)
    if "capabilities" in mechanisms:
        for capability in range(64):
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP: what root then starts has none
    program = b"".join([*code, _instruction(_RETURN, _ALLOW)])
    buffer = ctypes.create_string_buffer(program, len(program))
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    if libc.prctl(22, 2, struct.pack("=H6xQ", len(program) // 8, ctypes.addressof(buffer)), 0, 0):
        raise OSError(ctypes.get_errno(), "this kernel has no seccomp")


def _instruction(code: int, k: int, on_true: int = 0, on_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, on_true, on_false, k)


if __name__ == "__main__":
    do_without(*sys.argv[1].split(","))
    os.execvp(sys.argv[3], sys.argv[3:])
