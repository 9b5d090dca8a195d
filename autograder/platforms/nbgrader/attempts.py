"""Whose a folder of nbgrader's exchange is, and when it was handed in.

Everyone may write into the exchange: a folder there has the name that somebody gave it, and a `timestamp.txt` the text.
What nobody can choose is who owns a folder, and when a file in it was last changed.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autograder.platforms.nbgrader.files import TIMESTAMP
from autograder.submissions.names import shown
from autograder.submissions.times import read_moment, read_stamp

_CLOCK = timedelta(hours=1)  # by which the clock of another machine may be ahead
_COPYING = timedelta(minutes=10)  # that handing in may take


@dataclass
class Attempt:
    """A folder of the exchange, by its name and as it was when it was found.

    Attributes:
        assignment: what nbgrader looks for; its name is between the student and the time.
        student: by the folder's name.
        handed_in: by the folder's name; None if that is no time.
        facts: of the folder; None if there is none of this name: a file, a link.
        doubts: what a TA should know of whose it is, and when it was handed in.
    """

    path: Path
    assignment: str
    student: str = ""
    handed_in: datetime | None = None
    facts: os.stat_result | None = None
    doubts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.student, _, time = self.path.name.partition(f"+{self.assignment}+")
        # A zone without letters begins with a plus, too: +04. What nbgrader adds at random can be switched off.
        for text in (time, time.rpartition("+")[0]):
            with suppress(ValueError):
                self.handed_in, time = read_moment(text), text
                break
        if self.handed_in is None:
            self.doubts.append("the folder's name has no time that can be read: it counts as the first attempt")
        if self.handed_in and not self.rank:
            self.doubts.append(f"the time in the folder's name is yet to come, {time}: it counts as the first attempt")
        try:
            facts = self.path.lstat()
        except OSError:
            return
        self.facts = facts if stat.S_ISDIR(facts.st_mode) else None

    @property
    def rank(self) -> datetime | None:
        """By which the last attempt is found. A time to come is none, but may make a submission late."""
        return self.handed_in if self.handed_in and self.handed_in <= datetime.now(UTC) + _CLOCK else None

    @property
    def owner(self) -> int | None:
        return self.facts and self.facts.st_uid

    @contextmanager
    def opened(self) -> Iterator[int]:
        """A descriptor of the folder that was found. OSError if another one, or a link, has its name now."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if self.facts is None or not os.path.samestat(os.fstat(descriptor), self.facts):
                raise OSError("another folder has its name now")
            yield descriptor
        finally:
            os.close(descriptor)


def students_own(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Of the folders with one student's name, those that count: of that user, or put there by who collects.

    Where none is, and they belong to several users, those of the user whose folder is the oldest. What is passed over,
    and what counts though it is another user's, is doubtful.
    """
    folders = [each for each in attempts if each.facts]
    if not folders:
        return [*attempts]
    try:
        user = pwd.getpwnam(folders[0].student).pw_uid
    except (KeyError, ValueError):
        user = None
    known = [each for each in folders if each.owner in (user, os.geteuid())]
    first = min(folders, key=lambda each: each.facts.st_ctime if each.facts else 0.0)
    own = known or [each for each in folders if each.owner == first.owner]
    doubts = [
        f"`{shown(each.path.name)}` was passed over: it belongs to {_named(each.owner)}"
        for each in folders
        if each.owner not in {each.owner for each in own}
    ]
    if not known and (user is not None or doubts):
        doubts.insert(
            0, f"the folder belongs to {_named(first.owner)}, who may be somebody else: look at who handed it in"
        )
    for each in own:
        each.doubts += doubts
    return own


def _named(owner: int | None) -> str:
    try:
        return f"the user {shown(pwd.getpwuid(owner or 0).pw_name)}"
    except KeyError:
        return f"the user number {owner}"


def time_of(attempt: Attempt, stamp: bytes | None, changed: float) -> tuple[datetime | None, list[str]]:
    """When a submission was handed in, and what is doubtful about that.

    nbgrader writes one time into the folder's name and into the file `stamp`. `changed`, in seconds since 1970, is when
    the last file was changed.
    """
    try:
        written = None if stamp is None else read_stamp(stamp, TIMESTAMP)
    except ValueError:
        written = None
    when = attempt.handed_in or written
    if when is None:
        return None, [f"nothing says when it was handed in, so it counts as on time: write that into {TIMESTAMP}"]
    notes = []
    if attempt.handed_in is None:
        notes.append(f"the time of the {TIMESTAMP} in it counts, which the student may have written: {_utc(when)}")
    elif written is None or abs(written - when) > timedelta(seconds=1):
        said = f"says {_utc(written)}" if written else "is missing" if stamp is None else "says none"
        notes.append(f"the time in the folder's name counts, {_utc(when)}: its {TIMESTAMP} {said}")
    last = datetime.fromtimestamp(changed, UTC)
    if last > when + _COPYING:
        notes.append(f"a file in it was changed on {_utc(last)}, after the time that counts: look whether it is late")
    return when, notes


def _utc(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
