"""Find the one module in a file, a folder or an archive.

The module is the first of these; between equal candidates, none is chosen:

1. the file with exactly the assignment's name, nearest to the top;
2. a file whose name differs only by case, separators, a copy's number or `.txt` (`names.alike`);
3. the same in an archive next to it;
4. the only Python file that defines what the assignment asks for, under any name.

All but the first are guesses, which notes report. Notes also name other candidates that were not graded.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from autograder.assignment import Assignment
from autograder.sandbox.limits import LIMITS
from autograder.submissions.files import (
    MAX_ARCHIVE_ENTRIES,
    MAX_DEPTH,
    MAX_FILES,
    CannotRead,
    File,
    Listing,
    NothingToGrade,
    in_archive,
    in_folder,
    on_disk,
)
from autograder.submissions.names import ARCHIVES, UNREAD, alike, path_of, suffix

__all__ = ["MAX_ARCHIVE_ENTRIES", "CannotRead", "Found", "NothingToGrade", "choose", "find_module", "interface"]

MAX_ARCHIVES = 8  # opened in one submission
MAX_PYTHON = 20  # files searched in one submission
COLLECTED = "collected.txt"  # what a collector says of a submission: a line for each note
NO_MODULE = "No module: "  # how the line begins that says why there is none
MAX_NOTES = 20_000  # bytes of it
_LISTED = 5
_ATTEMPT = re.compile(r"(?:attempt|submission)[-_ ]?(\d{1,18})", re.IGNORECASE)


class Found(NamedTuple):
    """The module to grade: where it was, its source, what was guessed, and what staff should look at."""

    name: str
    source: bytes
    notes: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()


def interface(assignment: Assignment) -> tuple[str, ...]:
    """The names that a module for the assignment defines."""
    return tuple(dict.fromkeys(part.place[0] for part in assignment.parts if part.place))


def find_module(path: Path, module: str, defines: Collection[str] = ()) -> Found:
    """The module to grade: `path` itself, or the one in a folder or an archive.

    Arguments:
        module: the name of the file to grade.
        defines: names that identify the module in a file with another name; by default none.

    Raises:
        NothingToGrade: there is none, or more than one; CannotRead: the grader may not read it.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        raise NothingToGrade(f"{path} does not exist") from None
    except OSError as error:
        raise CannotRead(f"{path} cannot be read: {error.strerror}") from error
    if path.is_dir() and not path.is_symlink():
        found = choose(in_folder(path), module, defines, str(path))
    else:
        file = replace(on_disk(path.absolute().parent, (path.name,)), label=str(path))
        if suffix(path.name) not in (*ARCHIVES, *UNREAD):
            return Found(str(path), file.read(LIMITS.source + 1))
        with in_archive(file) as listing:
            found = choose(listing, module, defines, str(path), nested=True)
    return found._replace(name=f"{path}/{found.name}")


def choose(
    listing: Listing,
    module: str,
    defines: Collection[str] = (),
    where: str = "what was handed in",
    nested: bool = False,
) -> Found:
    """The module among the files of a submission, called `where` in messages; errors are those of `find_module`.

    With `nested`, no archive among the files is opened.
    """
    files, notes, attention = [file for file in listing.files if not file.junk], [], []
    if links := [file for file in files if "link" in file.trouble]:
        attention.append(f"{_names(links)}: a link was handed in, and links are never followed")
    if denied := [file for file in files if file.denied]:
        attention.append(f"{_names(denied)} {denied[0].trouble}")
    files, said = _last_attempt(files)
    notes += said
    archives = _Archives([] if nested else files, module, defines, where)
    loose = _by_name(files, module, where)
    if loose and archives.files:
        notes.append(f"{_names(archives.files)}: not opened, because the module is next to it")
    found = loose or archives.by_name() or _by_content(files, module, defines) or archives.by_content()
    if found is None:
        why = _why_not(files, listing, module, where, archives.reasons)
        if not nested:
            why = _as_collected(files) or f"{why}. Name your file exactly {module} and hand it in again"
        raise (CannotRead if denied else NothingToGrade)(why)
    return found._replace(notes=(*notes, *found.notes), attention=(*attention, *found.attention))


def _as_collected(files: list[File]) -> str:
    """Why there was no module when the grader took this from an upload; of that, it has kept only some files."""
    for file in files:
        if file.name == COLLECTED and not file.trouble:
            for line in file.read(MAX_NOTES).decode("utf-8", "replace").splitlines():
                if line.startswith(NO_MODULE):
                    return line.removeprefix(NO_MODULE)
    return ""


def _last_attempt(files: list[File]) -> tuple[list[File], list[str]]:
    """The files of the last attempt, if the folders at the top are numbered, such as `attempt-10`."""
    numbers = {
        file.steps[0]: int(match[1])
        for file in files
        if len(file.steps) > 1 and (match := _ATTEMPT.fullmatch(file.steps[0]))
    }
    if len(numbers) < 2:
        return files, []
    last = max(numbers.values())
    rest = [file for file in files if numbers.get(file.steps[0], last) == last]
    names = [path_of((folder,)) for folder, number in numbers.items() if number == last]
    return rest, [f"the last of {len(numbers)} attempts counts: `{names[0]}`"]


def _by_name(files: list[File], module: str, where: str) -> Found | None:
    """The module by its name, exact or similar; None if there is none."""
    exact = [file for file in files if file.name == module]
    near = [file for file in files if file.name != module and alike(file.name, module)]
    for named in (exact, near):
        usable = [file for file in named if not file.trouble] or named
        if usable:
            chosen = _only(usable, module, where)
            others = [file for file in (*exact, *near) if file is not chosen and not file.trouble]
            source = chosen.read(LIMITS.source + 1)
            notes = [f"`{chosen.label}` was graded as {module}"] if chosen in near else []
            if others:
                notes.append(f"`{chosen.label}` was graded, not {_names(others)}")
            return Found(chosen.label, source, tuple(notes))
    return None


def _only(files: list[File], module: str, where: str) -> File:
    """The file nearest to the top, or the last numbered by a platform; NothingToGrade if there are several."""
    depth = min(len(file.steps) for file in files)
    nearest = [file for file in files if len(file.steps) == depth]
    if len({file.steps for file in nearest}) == 1 and all(file.version is not None for file in nearest):
        return max(nearest, key=lambda file: file.version or 0)
    if len(nearest) > 1:
        first, second = sorted(file.label for file in nearest)[:2]
        raise NothingToGrade(f"{where} has more than one {module}: {first} and {second}; name the one to grade")
    return nearest[0]


def _by_content(files: list[File], module: str, defines: Collection[str]) -> Found | None:
    """The only Python file that defines one of the names; None if there is none, or more than one."""
    python = [file for file in files if suffix(file.name) == ".py" and not file.trouble]
    if not defines or len(python) > MAX_PYTHON:
        return None
    wanted = re.compile(
        rb"^[ \t]*(?:def|class)[ \t]+(?:%s)\b" % b"|".join(re.escape(each.encode()) for each in defines), re.M
    )
    read = [(file, file.read(LIMITS.source + 1)) for file in python]
    fitting = [(file, source) for file, source in read if wanted.search(source)]
    if len(fitting) != 1:
        return None
    file, source = fitting[0]
    note = f"`{file.label}` was graded as {module}: no file has that name, but this one defines the required names"
    return Found(file.label, source, (note,))


class _Archives:
    """The archives among the files of a submission. `reasons`: why nothing in them was graded."""

    def __init__(self, files: list[File], module: str, defines: Collection[str], where: str) -> None:
        self.files = [file for file in files if suffix(file.name) in ARCHIVES or suffix(file.name) in UNREAD]
        self._module, self._defines, self._where = module, defines, where
        self.reasons: list[str] = []
        self._by_content: list[tuple[File, Found]] = []

    def by_name(self) -> Found | None:
        """The module by its name, exact or similar, if only one archive has it."""
        named: list[tuple[File, Found]] = []
        for file in self.files[:MAX_ARCHIVES]:
            try:
                with in_archive(file) as listing:
                    found = choose(listing, self._module, self._defines, file.label, nested=True)
            except CannotRead:
                raise
            except NothingToGrade as error:
                self.reasons.append(str(error))
                continue
            found = found._replace(name=f"{file.label}/{found.name}")
            (named if alike(found.name.rpartition("/")[2], self._module) else self._by_content).append((file, found))
        return self._one(named)

    def by_content(self) -> Found | None:
        """The module under another name, if only one archive has it."""
        return self._one(self._by_content)

    def _one(self, found: list[tuple[File, Found]]) -> Found | None:
        if not found:
            return None
        chosen = _only([file for file, _ in found], self._module, self._where)
        others = [file for file, _ in found if file is not chosen]
        result = next(each for file, each in found if file is chosen)
        notes = (f"`{chosen.label}` was graded, not {_names(others)}",) if others else ()
        return result._replace(notes=(*notes, *result.notes))


def _why_not(files: list[File], listing: Listing, module: str, where: str, reasons: list[str]) -> str:
    """Why there is nothing to grade: what was found instead, and what to do."""
    rest = [file for file in files if not file.trouble and suffix(file.name) not in (*ARCHIVES, *UNREAD)]
    said = [f"there is no {module} in {where}" + (f", but {_names(rest)}" if rest else "")]
    if listing.cut:
        said.append(
            f"the grader does not search what is below {MAX_DEPTH} levels of folders or after {MAX_FILES} files"
        )
    if reasons:
        said += reasons[:_LISTED]
    unread = [file for file in files if file.trouble]
    said += [f"{file.label} {file.trouble}" for file in unread[:_LISTED]]
    nested = [file for file in files if not file.trouble and suffix(file.name) in (*ARCHIVES, *UNREAD)]
    if nested and not reasons:
        said.append(f"{_names(nested)}: an archive within an archive, which the grader does not open")
    if not files and not listing.cut:
        said.append("it is empty" if not listing.files else "it has only hidden files")
    return "; ".join(said)


def _names(files: Iterable[File]) -> str:
    files = list(files)
    more = f" and {len(files) - _LISTED} more" if len(files) > _LISTED else ""
    return ", ".join(f"`{file.label}`" for file in files[:_LISTED]) + more
