"""Make some system calls for a submission's process: the worker's half of `filter.supervise`.

A submission's process cannot create, open for writing, rename or delete a file, nor start a thread. The kernel stops
such a call and notifies this module. It makes the call instead, only in the submission's folder and a bounded number of
times, and adds an opened file to the submission's descriptors. So these bounds need no namespaces, no Landlock and no
separate user. Sources: seccomp_unotify(2), openat2(2).
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from autograder.sandbox import filter as system_calls
from autograder.sandbox.limits import Limits

_libc = ctypes.CDLL(None, use_errno=True)

_RECEIVE, _RESPOND, _PUT_DESCRIPTOR = 0xC0502100, 0xC0182101, 0x40182103  # SECCOMP_IOCTL_NOTIF_*
_CONTINUE, _AND_RESPOND = 1, 2
_REQUEST = struct.Struct("=QIIiIQ6Q")  # struct seccomp_notif: id, pid, flags, number, architecture, address, arguments
_OPENAT2, _BENEATH = 437, 0x08 | 0x04 | 0x02  # RESOLVE_BENEATH, NO_SYMLINKS, NO_MAGICLINKS
_HERE, _REMOVEDIR, _TMPFILE = -100, 0x200, 0x400000
_PASSED_ON = os.O_ACCMODE | os.O_CREAT | os.O_EXCL | os.O_TRUNC | os.O_APPEND | os.O_DIRECTORY
_PAGE, _PATH_MAX = 4096, 4096


def path_at(memory: int, address: int) -> bytes:
    """The path at an address of a process whose memory is open.

    OSError where the kernel would find none: EFAULT, also of a process that is gone by now, or ENAMETOOLONG.
    """
    found = b""
    while len(found) < _PATH_MAX:
        try:
            piece = os.pread(memory, min(_PAGE - address % _PAGE, _PATH_MAX - len(found)), address)
        except (OSError, OverflowError):  # Python's offsets end at 2**63
            piece = b""
        if not piece:  # which is also all that can be read of a process that is gone
            raise OSError(errno.EFAULT, "no memory there")
        before, end, _ = piece.partition(b"\0")
        found += before
        if end:
            return found
        address += len(piece)
    raise OSError(errno.ENAMETOOLONG, "a path without an end")


class Supervisor:
    """Decides on the calls of one submission's process.

    Arguments:
        listener: the descriptor of the kernel's notifications, from `filter.supervise`.
        memory: the process's memory, opened for reading: it has the paths.
        home: its folder.
        owner: the user who owns what is created, if different from this process's.
        limits: how many files and threads it may make.
    """

    def __init__(self, listener: int, memory: int, home: Path, owner: int | None, limits: Limits) -> None:
        self._listener, self._memory, self._owner, self._limits = listener, memory, owner, limits
        self._names = [os.fsencode(each) for each in dict.fromkeys((home, home.resolve()))]
        self._home = os.open(home, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._folder = b"."  # the process's current folder, below its home
        self._threads = self._files = 0
        here = _HERE
        handlers: dict[str, Callable[..., None]] = {
            "clone": self._start_thread,
            "open": lambda path, flags, mode, *_: self._open(here, path, flags, mode),
            "openat": self._open,
            "creat": lambda path, mode, *_: self._open(here, path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode),
            "mkdir": lambda path, mode, *_: self._make_folder(here, path, mode),
            "mkdirat": self._make_folder,
            "unlink": lambda path, *_: self._remove(here, path, 0),
            "rmdir": lambda path, *_: self._remove(here, path, _REMOVEDIR),
            "unlinkat": self._remove,
            "rename": lambda old, new, *_: self._rename(here, old, here, new, 0),
            "renameat": lambda old_at, old, new_at, new, *_: self._rename(old_at, old, new_at, new, 0),
            "renameat2": self._rename,
            "chdir": self._change_folder,
        }
        self._handlers = system_calls.by_number(handlers)

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._listener

    def close(self) -> None:
        """Stop answering: the process's calls fail from now on."""
        for descriptor in (self._listener, self._memory, self._home):
            os.close(descriptor)

    def answer(self) -> None:
        """Answer one call."""
        request = bytearray(_REQUEST.size)
        with contextlib.suppress(OSError):  # the process is gone, or a signal interrupted the call
            fcntl.ioctl(self._listener, _RECEIVE, request)
            self._call, _, _, number, _, _, *arguments = _REQUEST.unpack(request)
            try:
                self._handlers[number](*arguments)
            except OSError as error:
                outside = error.errno in (errno.EXDEV, errno.ELOOP)
                self._respond(error=errno.EACCES if outside or not error.errno else error.errno)

    def _respond(self, value: int = 0, error: int = 0, flags: int = 0) -> None:
        fcntl.ioctl(self._listener, _RESPOND, struct.pack("=QqiI", self._call, value, -error, flags))

    # --- the calls ------------------------------------------------------------------------------------------------

    def _start_thread(self, *_: int) -> None:
        if self._threads == self._limits.threads:
            raise OSError(errno.EAGAIN, "too many threads")
        self._threads += 1
        self._respond(flags=_CONTINUE)

    def _open(self, at: int, path: int, flags: int, mode: int, *_: int) -> None:
        if flags & _TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "no files without a name")
        if path_at(self._memory, path) == b"/dev/null":
            descriptor = os.open("/dev/null", flags & os.O_ACCMODE | os.O_CLOEXEC)
        else:
            descriptor = self._opened(self._place(at, path), flags & _PASSED_ON, mode & 0o777)
        try:
            self._hand_over(descriptor, flags & os.O_CLOEXEC)
        finally:
            os.close(descriptor)

    def _opened(self, place: bytes, flags: int, mode: int) -> int:
        if not flags & os.O_EXCL:
            try:
                return self._beneath(place, flags & ~os.O_CREAT)
            except FileNotFoundError:
                if not flags & os.O_CREAT:
                    raise
        self._count_file()
        descriptor = self._beneath(place, flags | os.O_EXCL, mode)
        if self._owner is not None:
            os.fchown(descriptor, self._owner, self._owner)
        return descriptor

    def _hand_over(self, descriptor: int, flags: int) -> None:
        """Answer with an open file."""
        put = struct.pack("=QIIII", self._call, _AND_RESPOND, descriptor, 0, flags)
        try:
            fcntl.ioctl(self._listener, _PUT_DESCRIPTOR, put)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            # Before Linux 5.14. With a bytearray, ioctl returns the result of the call, not the bytes.
            put_alone = bytearray(struct.pack("=QIIII", self._call, 0, descriptor, 0, flags))
            self._respond(value=fcntl.ioctl(self._listener, _PUT_DESCRIPTOR, put_alone))

    def _make_folder(self, at: int, path: int, mode: int, *_: int) -> None:
        with self._parent(self._place(at, path)) as (parent, name):
            self._count_file()
            os.mkdir(name, mode & 0o777, dir_fd=parent)
            if self._owner is not None:
                os.chown(name, self._owner, self._owner, dir_fd=parent, follow_symlinks=False)
        self._respond()

    def _remove(self, at: int, path: int, flags: int, *_: int) -> None:
        with self._parent(self._place(at, path)) as (parent, name):
            (os.rmdir if flags & _REMOVEDIR else os.unlink)(name, dir_fd=parent)
        self._respond()

    def _rename(self, old_at: int, old: int, new_at: int, new: int, flags: int, *_: int) -> None:
        if flags:
            raise OSError(errno.EINVAL, "no exchange")
        with (
            self._parent(self._place(old_at, old)) as (old_parent, old_name),
            self._parent(self._place(new_at, new)) as (new_parent, new_name),
        ):
            os.rename(old_name, new_name, src_dir_fd=old_parent, dst_dir_fd=new_parent)
        self._respond()

    def _change_folder(self, path: int, *_: int) -> None:
        try:
            place = self._place(_HERE, path)
            os.close(self._beneath(place, os.O_PATH | os.O_DIRECTORY))
            self._folder = place
        except OSError:
            self._folder = b".."  # outside its home, if anywhere: from there, relative paths cannot be changed
        self._respond(flags=_CONTINUE)

    # --- where ----------------------------------------------------------------------------------------------------

    def _count_file(self) -> None:
        """Count a new file or folder, even if it is deleted later: it may still be open."""
        if self._files == self._limits.files:
            raise OSError(errno.EDQUOT, "too many files")
        self._files += 1

    def _place(self, at: int, address: int) -> bytes:
        """The path at an address of the process, relative to its home; it may lead out of the home."""
        path = path_at(self._memory, address)
        if not path:
            raise FileNotFoundError(errno.ENOENT, "an empty path")
        if path.startswith(b"/"):
            return self._below(path)
        if ctypes.c_int(at & 0xFFFFFFFF).value != _HERE:
            # Only a privileged worker could tell what the descriptor is open on. No module may depend on that.
            raise PermissionError(errno.EACCES, "relative to a descriptor")
        return self._folder + b"/" + path

    def _below(self, path: bytes) -> bytes:
        for name in self._names:
            if path == name or path.startswith(name + b"/"):
                return b"./" + path[len(name) :].lstrip(b"/")
        raise PermissionError(errno.EACCES, "outside its folder")

    def _beneath(self, place: bytes, flags: int, mode: int = 0) -> int:
        """Open a path below the home, without following links."""
        how = struct.pack("=QQQ", flags | os.O_CLOEXEC | os.O_NONBLOCK * (not flags & os.O_PATH), mode, _BENEATH)
        descriptor: int = _libc.syscall(_OPENAT2, self._home, place, how, len(how))
        if descriptor < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return descriptor

    @contextlib.contextmanager
    def _parent(self, place: bytes) -> Iterator[tuple[int, bytes]]:
        """The opened folder of a path, and the name in it."""
        folder, _, name = place.rstrip(b"/").rpartition(b"/")
        if name in (b"", b".", b".."):
            raise OSError(errno.EEXIST, "not a name")
        parent = self._beneath(folder or b".", os.O_PATH | os.O_DIRECTORY)
        try:
            yield parent, name
        finally:
            os.close(parent)
