"""Grade one submission: find the module, run the checks with pytest, and put together the report."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from autograder.assignment import MODULE, PARTS
from autograder.report import Check, Outcome, PartReport, Report
from autograder.sandbox.client import Sandbox, SubmissionError
from autograder.sandbox.limits import LIMITS

MAX_ARCHIVE_ENTRIES = 2000
MAX_DEPTH = 16


class NothingToGrade(Exception):
    """There is no submission at the path. The message says what was looked for."""


class GraderError(Exception):
    """The grader itself failed; the submission is not to blame and gets no grade."""


def find_module(path: Path) -> tuple[str, bytes]:
    """The module to grade: `path` itself, or the one `cs5814_vae.py` in a folder or a zip archive.

    Of several, the one nearest to the top counts. A symbolic link is never followed: it could name anybody's file.
    NothingToGrade if there is none, or if two are equally near.
    """
    if path.is_dir():
        chosen = _only([file.relative_to(path).as_posix() for file in nearest(path, lambda name: name == MODULE)], path)
        return f"{path}/{chosen}", _read(path / chosen)
    if not path.exists():
        raise NothingToGrade(f"{path} does not exist")
    if path.suffix.lower() == ".zip":
        return _in_archive(path)
    return str(path), _read(path)


def nearest(folder: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """The regular files in `folder` whose names are `wanted`, of those the nearest to the top, by name.

    No more than `MAX_DEPTH` levels down: whoever nests deeper hides something, and paths have an end.
    """
    level = [folder]
    for _ in range(MAX_DEPTH):
        below: list[Path] = []
        found: list[Path] = []
        for each in level:
            with suppress(OSError), os.scandir(each) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        below.append(each / entry.name)
                    elif wanted(entry.name) and entry.is_file(follow_symlinks=False):
                        found.append(each / entry.name)
        if found:
            return sorted(found)
        level = below
    return []


def _in_archive(path: Path) -> tuple[str, bytes]:
    """The module in a zip archive. An archive is a program's input that anyone may write: nothing in it is believed."""
    with readable_archive(path) as archive:
        entries = archive.infolist()
        if len(entries) > MAX_ARCHIVE_ENTRIES:
            raise NothingToGrade(f"{path} holds {len(entries)} files; a submission holds a few")
        named = {entry: entry.filename.replace("\\", "/") for entry in entries if is_file(entry)}
        named = {entry: name for entry, name in named.items() if f"/{name}".endswith(f"/{MODULE}")}
        named = {entry: name for entry, name in named.items() if "__MACOSX" not in name}
        depth = min((name.count("/") for name in named.values()), default=0)
        chosen = _only([name for name in named.values() if name.count("/") == depth], path)
        entry = next(entry for entry, name in named.items() if name == chosen)
        with archive.open(entry) as file:  # never more than the limit, whatever the archive promises
            return f"{path}/{chosen}", file.read(LIMITS.source + 1)


@contextmanager
def readable_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """An opened zip archive; NothingToGrade for all that goes wrong with it, whatever its parser raises."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except NothingToGrade:
        raise
    except Exception as error:  # of all that a damaged archive makes zipfile raise there is no list
        reason = str(error) or type(error).__name__
        raise NothingToGrade(f"{path} cannot be read as a zip archive: {reason}") from error


def is_file(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry is a regular file of the usual compression.

    zipfile unpacks bzip2 and LZMA without a bound on memory: an archive of 3 KiB can take 8 GiB.
    """
    kind = stat.S_IFMT(entry.external_attr >> 16)
    usual = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    return usual and not entry.is_dir() and kind in (0, stat.S_IFREG)


def _only(candidates: list[str], path: Path) -> str:
    if not candidates:
        raise NothingToGrade(f"there is no {MODULE} in {path}")
    if len(candidates) > 1:
        first, second = sorted(candidates)[:2]
        raise NothingToGrade(f"{path} holds more than one {MODULE}: {first} and {second}; name the one to grade")
    return candidates[0]


def _read(path: Path) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise NothingToGrade(f"{path} is not a regular file")
    try:
        with path.open("rb") as file:
            return file.read(LIMITS.source + 1)
    except OSError as error:
        raise NothingToGrade(f"{path} cannot be read: {error.strerror}") from error


def grade(
    path: Path | str,
    *,
    seed: int | None = None,
    isolation: str | None = None,
    sandbox: Sandbox | None = None,
    pictures: bool = False,
) -> Report:
    """Grade the submission at `path` (a module, a folder or a zip that holds one).

    Arguments:
        seed: repeats the challenges of an earlier run; drawn anew by default.
        isolation: the isolation level; the strongest that works here by default.
        sandbox: a warm sandbox to use, and to leave running; one is started and ended by default.
        pictures: whether to draw the pictures of the smoke run into the report.

    Raises:
        NothingToGrade: there is no submission at the path.
        SandboxError, GraderError: the grader itself failed.
    """
    name, source = find_module(Path(path))
    with nullcontext(sandbox) if sandbox else Sandbox(isolation) as running:
        return grade_source(name, source, running, seed=seed, pictures=pictures)


def grade_source(
    name: str,
    source: bytes,
    sandbox: Sandbox,
    *,
    seed: int | None = None,
    pictures: bool = False,
    progress: Callable[[Report], None] | None = None,
) -> Report:
    """Grade the source of a module, called `name` in the report. For the rest see `grade`.

    `progress` is called with the report so far whenever a check has ended.
    """
    started = time.perf_counter()
    report = Report(
        submission=name,
        sha256=hashlib.sha256(source).hexdigest(),
        isolation=sandbox.level.name,
        seed=secrets.randbits(53) if seed is None else seed,
        parts=[],
    )
    if not sandbox.level.strong:
        report.notes.append(
            f"Weak isolation ({sandbox.level.name}: {sandbox.level.summary}). Do not grade strangers' code this way."
        )
    if len(source) > LIMITS.source:
        refused = nothing(f"The file is larger than {LIMITS.source // 1024} KiB, which no {MODULE} needs to be")
        report.parts, report.error = refused.parts, refused.error
    else:
        _run_checks(report, source, sandbox, pictures, progress)
    report.duration_s = time.perf_counter() - started
    report.__post_init__()
    return report


def nothing(reason: str) -> Report:
    """A report of zero for every part, with the reason."""
    reason = f"{reason[:1].upper()}{reason[1:].removesuffix('.')}."
    parts = [
        PartReport(part.name, part.points, [Check("Handed in", Outcome.ERROR, 0.0, part.points, reason)])
        for part in PARTS
    ]
    return Report(submission=MODULE, sha256="", isolation="", seed=0, parts=parts, error=reason)


def _run_checks(
    report: Report, source: bytes, sandbox: Sandbox, pictures: bool, progress: Callable[[Report], None] | None
) -> None:
    clock = time.perf_counter()

    def lap(phase: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        report.timings[phase], clock = now - clock, now

    import torch  # noqa: F401

    lap("import torch")
    from autograder.checks.errors import explain, note_on_work
    from autograder.checks.harness import Grading
    from autograder.checks.session import run_checks

    lap("import the checks")
    sandbox.wait_until_ready()
    lap("wait for the sandbox")
    with sandbox.submission(source) as submission:
        try:
            submission.load()
        except SubmissionError as error:
            cause = explain(error, source)
            report.error = f"{cause.message} {cause.text}".strip()
        else:
            report.notes += filter(None, [note_on_work(source)])
        lap("import the submission")
        grading = Grading(submission, report.seed)
        if progress is not None:
            grading.progress = lambda: progress(replace(report, parts=grading.reports(), output=submission.output))
        run_checks(grading)
        report.output = submission.output
    lap("run the checks")
    report.timings |= {f"of that: {part}": seconds for part, seconds in grading.seconds.items()}
    report.parts, report.attention = grading.reports(), grading.attention
    if grading.crash is not None:
        where = grading.crash.traceback[-1]
        report.grader_failed = True
        report.error = (
            f"The grader itself failed in a check, which is no fault of the submission's: {grading.crash.exconly()} "
            f"({Path(str(where.path)).name}, line {where.lineno + 1})"
        )
    if pictures and grading.smoke is not None:
        from autograder.pictures import draw_pictures

        report.pictures = draw_pictures(grading.smoke)
        lap("pictures")
