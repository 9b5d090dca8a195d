"""Files of a submission, read as they lie there: nothing is followed, and nothing that never ends is opened."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from autograder.submissions.find import MAX_DEPTH


def is_linked(folder: Path) -> bool:
    """Whether a student's folder for an assignment, or the student's folder around it, is a symbolic link."""
    return folder.is_symlink() or folder.parent.is_symlink()


def entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Everything in a submission's folder but folders, level by level and by name."""
    level = [] if is_linked(folder) else [str(folder)]
    for _ in range(MAX_DEPTH):
        below = []
        for each in level:
            try:
                with os.scandir(each) as found:
                    listed = sorted(found, key=lambda entry: entry.name)
            except OSError:
                continue
            below += [entry.path for entry in listed if entry.is_dir(follow_symlinks=False)]
            yield from (entry for entry in listed if not entry.is_dir(follow_symlinks=False))
        level = below


def regular_files(folder: Path) -> list[Path]:
    """The files in a submission's folder that hold what they say: no links and no devices."""
    return [Path(entry.path) for entry in entries(folder) if entry.is_file(follow_symlinks=False)]


def read_regular(path: Path, most: int) -> bytes:
    """No more than `most` bytes of a regular file. OSError, which says why, where it is a link or no file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(error.errno, "it is a symbolic link") from None
        raise
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is not a file")
        return file.read(most)
