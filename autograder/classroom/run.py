"""Grade a class on Dask: a warm sandbox a worker, a report kept the moment it is done.

Submissions travel to the workers as bytes and reports travel back, so that workers need no shared disk. Only as many
submissions are on their way as there are workers: memory stays flat, and when a worker dies it is clear at what.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import json
import logging
import multiprocessing
import multiprocessing.util
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from autograder.assignment import load
from autograder.classroom import page, repairs
from autograder.classroom.adjust import Adjustments, is_adjustment
from autograder.classroom.compare import LOST, gone
from autograder.classroom.entries import Entry, Recorded, Repair, lateness
from autograder.classroom.figures import figures
from autograder.classroom.sides import side_by_side
from autograder.classroom.similarity import Alike, alike_answers, alike_modules
from autograder.classroom.written import file_names, last_run, pages_of, require_own
from autograder.fill_in import fill_in
from autograder.grading import GraderError
from autograder.grading.grade import nothing, told
from autograder.grading.process import MOST_SLOW, PATIENCE_S, GradingProcess, temporary_folder
from autograder.grading.results import Results, checks_version, decode, encode
from autograder.output import write
from autograder.report import render
from autograder.report.model import Report, clean
from autograder.sandbox.client import SandboxError
from autograder.submissions.copied import is_solution
from autograder.submissions.layouts import Submitted, Upload

if TYPE_CHECKING:
    from distributed import Client

LOST_S = 120.0  # without any worker: those that died are started again sooner
DEATHS = 3  # of its worker, after which a submission is not tried again
TOO_LONG = "The module is too long to be compared with the others: look for copied code by hand."
TOO_SHORT = "The module has many points, but too little code to be compared: look for copied code by hand."
WORKER_MEMORY = "2GiB"  # of the worker alone, which does little; what grades has limits of its own

# Grades a source of an assignment with a seed, and is told whether weak isolation will do: what runs on a worker.
Grader = Callable[[bytes, str, int | None, bool], dict[str, Any]]


@contextlib.contextmanager
def local_cluster(workers: int = 0) -> Iterator[Client]:
    """A cluster on this machine; one worker a core by default. GraderError where none can be started."""
    _require_cluster()
    import dask
    from distributed import Client, LocalCluster

    settings = {
        "distributed.scheduler.allowed-failures": DEATHS - 1,
        "distributed.deploy.lost-worker-timeout": "1 hour",  # by default, a worker that starts slowly is not waited for
        "distributed.admin.system-monitor.disk": False,
        "distributed.worker.profile.enabled": False,  # it looks at the stack a hundred times a second
        # In place of Dask's malloc settings, with which every tensor is made of new pages: only blocks of 1 MiB and
        # more are, so that the largest frames of one submission leave no holes for the next ones to grow around.
        "distributed.nanny.pre-spawn-environ": {
            "OMP_NUM_THREADS": 1,
            "MKL_NUM_THREADS": 1,
            "MALLOC_MMAP_THRESHOLD_": 1 << 20,
        },
    }
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what dies is told in its report
    with dask.config.set(settings):
        with _without_interrupts():  # Ctrl-C is for the client, which then ends the workers
            cluster = LocalCluster(
                n_workers=workers or _cores(),
                threads_per_worker=1,
                memory_limit=WORKER_MEMORY,
                dashboard_address="127.0.0.1:0",
                host="127.0.0.1",
                silence_logs=logging.CRITICAL,  # the workers' own
                security=True,  # a key of its own: whoever reaches a scheduler runs code as its user
            )
        with cluster, Client(cluster) as client:
            yield client


def _require_cluster() -> None:
    """GraderError unless this machine has what processes that work together need."""
    try:
        multiprocessing.Lock()
    except OSError as error:
        raise GraderError(
            f"a class needs shared memory, and /dev/shm cannot be used: {error.strerror}. Mount one that can be "
            "written to (in Kubernetes, an emptyDir with `medium: Memory`)."
        ) from None
    try:
        os.chdir(Path.cwd())  # as every process of the cluster does
    except OSError as error:
        raise GraderError(
            f"the current folder cannot be used: {error.strerror}. Change to another one and run the command again."
        ) from None
    temporary_folder().cleanup()


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Processes that are started meanwhile ignore Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


@contextlib.contextmanager
def interruptible() -> Iterator[Callable[[], None]]:
    """Ctrl-C raises KeyboardInterrupt; the function given here raises it again, in case Python dropped it.

    That happens in a finalizer and in a callback of the garbage collector, such as Dask's.
    """
    usual, tell = signal.getsignal(signal.SIGINT), sys.unraisablehook
    interrupted = threading.Event()

    def raise_if_interrupted() -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt

    def on_interrupt(*_: object) -> None:
        interrupted.set()
        raise_if_interrupted()

    def tell_others(dropped: sys.UnraisableHookArgs) -> None:
        if not isinstance(dropped.exc_value, KeyboardInterrupt):
            tell(dropped)

    if usual is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield raise_if_interrupted
        return
    signal.signal(signal.SIGINT, on_interrupt)
    sys.unraisablehook = tell_others
    try:
        yield raise_if_interrupted
    finally:
        signal.signal(signal.SIGINT, usual)
        sys.unraisablehook = tell


@contextlib.contextmanager
def existing_cluster(address: str) -> Iterator[Client]:
    """The cluster whose scheduler listens at `address`. GraderError if it cannot be reached."""
    from distributed import Client

    try:
        client = Client(address, timeout=10)
    except (OSError, TimeoutError, ValueError) as error:
        raise GraderError(f"no Dask scheduler answers at {address}: {error}") from error
    with client:
        yield client


def grade_class(
    sources: Iterable[bytes],
    results: Results,
    client: Client,
    require_isolation: bool = False,
    grader: Grader | None = None,
) -> Iterator[tuple[bytes, Report]]:
    """Grade each source that has no report in `results` yet; keep each report and yield it as it is done.

    A report that the grader's own failure spoilt is yielded but not kept, so that the next run tries again.

    Arguments:
        grader: what runs on a worker; `grade_on_worker` by default.

    Raises:
        GraderError, SandboxError: the workers cannot grade at all. What was graded before is kept.
    """
    waiting = deque(source for source in dict.fromkeys(sources) if results.find(source) is None)
    suspects: list[bytes] = []
    run = functools.partial(_run, results, client, require_isolation, grader or grade_on_worker)
    for source, report in run(waiting):
        if report is None:
            suspects.append(source)  # or it ran next to the one that did it: alone, it will show
        else:
            yield source, report
    for suspect in suspects:
        for source, report in run(deque([suspect])):
            if report is None:
                report = nothing(results.assignment, f"grading it ended the grading process itself, {DEATHS} times")
                report.attention.append(report.error or "")
                results.keep(source, report)
            yield source, report


def _run(
    results: Results, client: Client, require_isolation: bool, grader: Grader, waiting: deque[bytes]
) -> Iterator[tuple[bytes, Report | None]]:
    """Grade the sources that are waiting, and keep their reports; None for one whose workers died.

    As many are graded at once as there are workers. Those that take longer than `PATIENCE_S` do not count, up to
    `MOST_SLOW` for each worker: nobody waits for what runs into its time limit.
    """
    running: dict[Any, tuple[bytes, float]] = {}
    alive = time.monotonic()
    try:
        while waiting or running:
            now, workers = time.monotonic(), sum(client.nthreads().values())
            alive = now if workers else alive
            if now - alive > LOST_S:
                raise GraderError("the cluster has no workers left; run the same command again to go on")
            ages = [now - since for _, since in running.values()]
            quick = [age for age in ages if age < PATIENCE_S]
            for _ in range(min(len(waiting), workers - len(quick), workers * (1 + MOST_SLOW) - len(ages))):
                source = waiting.popleft()
                arguments = source, results.assignment.where, results.seed, require_isolation
                running[client.submit(grader, *arguments, pure=False)] = source, now
            for future in _done(running, PATIENCE_S - max(quick, default=0.0) if waiting else PATIENCE_S):
                source, _ = running.pop(future)
                yield source, _report(future, results, source)
    except (OSError, CancelledError) as error:
        raise GraderError(f"the cluster was lost ({error}); run the same command again to go on") from error
    finally:
        with contextlib.suppress(Exception):
            client.cancel(list(running))


def _done(running: Iterable[Any], seconds: float) -> list[Any]:
    """Those of the futures that are done, as soon as one is; none after so many seconds."""
    from distributed import wait

    if not running:
        time.sleep(min(seconds, 0.5))  # no worker is there yet
        return []
    try:
        return list(wait(list(running), timeout=seconds, return_when="FIRST_COMPLETED").done)
    except TimeoutError:
        return []


def _report(future: Any, results: Results, source: bytes) -> Report | None:
    """The report that a worker gave, kept if the grader did not fail; None if the workers died."""
    from distributed import KilledWorker

    try:
        answer = future.result()
        future.release()  # or it would be graded again if the worker died now
    except KilledWorker:
        return None
    except (SandboxError, CancelledError):
        raise
    except Exception as error:
        reason = f"the grader itself failed, which is no fault of the submission's: {error}"
        report = nothing(results.assignment, reason)
        report.grader_failed = True
    else:
        if answer["version"] != checks_version(results.assignment):
            raise GraderError(
                "a worker has another version of the autograder: its files were changed meanwhile, or a machine of the "
                "cluster has another one installed. Run the same command again"
            )
        report = decode(answer["report"])
    if not report.grader_failed:
        results.keep(source, report)
    return report


def grade_on_worker(source: bytes, where: str, seed: int | None, require_isolation: bool) -> dict[str, Any]:
    """Grade a submission to the assignment that `load` finds `where`, in a process that is kept warm here.

    The report and the version of the checks, as plain data. A grade that takes long makes room for another one.
    """
    from distributed import secede

    idle = _idle.setdefault((where, require_isolation), [])
    process = idle.pop() if idle else GradingProcess(load(where), require_isolation=require_isolation)
    try:
        module = process.assignment.module
        report = process.grade(module, source, seed=seed, pictures=True, patience=PATIENCE_S, slow=secede)
    finally:
        if idle:  # another one has come to be meanwhile
            process.close()
        else:
            idle.append(process)
    return {"report": encode(report), "version": checks_version(process.assignment)}


def repair_on_worker(
    source: bytes, report: dict[str, Any], where: str, require_isolation: bool
) -> dict[str, Any] | None:
    """The best small repair of a module that stops early, as plain data; None if none helps."""
    idle = _idle.setdefault((where, require_isolation), [])
    process = idle.pop() if idle else GradingProcess(load(where), require_isolation=require_isolation)
    try:
        found = repairs.best(source, decode(report), process)
    finally:
        idle.append(process)
    return dataclasses.asdict(found) if found else None


_idle: dict[tuple[str, bool], list[GradingProcess]] = {}


def _close_idle() -> None:
    for processes in _idle.values():
        for process in processes:
            process.close()


multiprocessing.util.Finalize(None, _close_idle, exitpriority=1)  # unlike atexit, also at the end of a worker


@dataclass(frozen=True)
class Options:
    """What is made of a class besides its grades.

    Attributes:
        adjustments: checks that are dropped, or given to everyone.
        recorded: what a gradebook has of each student.
        known: modules that everybody may know, by label; see `similarity.alike_modules`.
        earlier: modules of earlier terms, by label.
        answers: what each student wrote in the notebook.
        anonymous: whether the class page names nobody.
        repairs: whether small repairs are tried on modules that stop early.
        write: whether reports, pages and grades are written.
    """

    adjustments: Adjustments = field(default_factory=Adjustments)
    recorded: Mapping[str, Recorded] = field(default_factory=dict)
    known: Mapping[str, bytes] = field(default_factory=dict)
    earlier: Mapping[str, bytes] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    anonymous: bool = False
    repairs: bool = True
    write: bool = True


class Class:
    """A class to be graded, and the folder that its reports, pages and grades go to."""

    def __init__(self, upload: Upload, results: Results, out: Path, options: Options | None = None) -> None:
        self.upload, self.results, self.out, self.options = upload, results, out, options or Options()
        self._names = file_names({each.student: each.student for each in upload.submitted})
        self._same: dict[bytes, list[Submitted]] = {}  # who handed in this source
        for each in upload.submitted:
            if each.source is not None:
                self._same.setdefault(each.source, []).append(each)
        self._entries: dict[str, Entry] = {}  # by student, their reports without pictures
        self.figures: dict[str, Any] = {}  # of class.json, once `finish` has written it

    @property
    def graded(self) -> int:
        """How many students have a report."""
        return len(self._entries)

    @property
    def entries(self) -> list[Entry]:
        """Everyone in the class, once all are graded."""
        return [self._entries[each.student] for each in self.upload.submitted]

    def require_own(self) -> None:
        """NotWritable if files would be replaced that no run of this command wrote."""
        if self.options.write:
            require_own(self.out, self._names.values())

    def forget(self) -> None:
        """Drop the reports that are kept on this class."""
        for source in self._same:
            self.results.file(source).unlink(missing_ok=True)
            self._repair_file(source).unlink(missing_ok=True)

    def resume(self) -> list[Entry]:
        """Write the pages of those who need no more grading, and return them.

        NoSuchCheck where a check is to be changed that is not there.
        """
        for each in self.upload.submitted:
            if each.source is not None:
                report = self.results.find(each.source)
            else:
                report = nothing(self.results.assignment, each.reason)
                report.grader_failed = each.unreadable
            if report is not None:
                self._write(each, report)
        return list(self._entries.values())

    def grade(
        self, scheduler: str | None = None, workers: int = 0, require_isolation: bool = False
    ) -> Iterator[list[Entry]]:
        """Grade who has no report yet, here or on a cluster; those who handed in the same module come together.

        The report and the page of each student are written at once. At the end, small repairs are tried on modules
        that stop early.
        """
        missing = [source for source, same in self._same.items() if same[0].student not in self._entries]
        stopped = self._to_repair() if not missing else None
        if not missing and not stopped:
            return
        most = min(workers or _cores(), len(missing) or len(stopped or ()))
        with existing_cluster(scheduler) if scheduler else local_cluster(most) as client:
            for source, report in grade_class(missing, self.results, client, require_isolation):
                yield [self._write(each, report) for each in self._same[source]]
            self._repair(client, require_isolation)

    def _to_repair(self) -> dict[bytes, Report]:
        """The modules that stop early and on which no repair was tried yet, with their reports."""
        if not self.options.repairs:
            return {}
        found = {}
        for source in self._same:
            report = self.results.find(source)
            if report and not self._repair_file(source).exists() and repairs.stops_early(report, source):
                found[source] = report
        return found

    def _repair_file(self, source: bytes) -> Path:
        return self.results.file(source).with_suffix(".repair.json")

    def _repair(self, client: Client, require_isolation: bool) -> None:
        """Try small repairs, and keep what was found, for as long as the cluster answers."""
        from distributed import as_completed

        where = self.results.assignment.where
        futures = {}
        for source, report in self._to_repair().items():
            future = client.submit(repair_on_worker, source, encode(report), where, require_isolation, pure=False)
            futures[future] = source
        with contextlib.suppress(TimeoutError):
            for future in as_completed(list(futures), timeout=LOST_S + 2 * repairs.SECONDS * len(futures)):
                with contextlib.suppress(Exception):  # what is not found changes no grade
                    write(self._repair_file(futures[future]), json.dumps(future.result()))

    def _found_repair(self, source: bytes | None) -> Repair | None:
        if source is None or not self.options.repairs:
            return None
        try:
            found = json.loads(self._repair_file(source).read_text("utf-8"))
            return Repair(found["line"], found["text"], found["score"]) if found else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _write(self, submitted: Submitted, report: Report) -> Entry:
        attention = [*submitted.attention]
        if submitted.source is not None and is_solution(submitted.source, self.results.assignment):
            attention.append("equals the instructor's solution, apart from comments and white space")
        report = self.options.adjustments.apply(report)
        report = dataclasses.replace(report, submission=submitted.shown)
        report = told(report, [*submitted.notes, *lateness(submitted)], attention)
        name = self._names[submitted.student]
        if self.options.write:
            write(self.out / "reports" / f"{name}.json", render(report, "json"))
            write(self.out / "students" / f"{name}.html", render(report, "html"))
        entry = Entry(
            submitted.student,
            dataclasses.replace(report, gallery=None),
            f"students/{quote(name)}.html",
            submitted,
            self.options.recorded.get(submitted.student),
        )
        self._entries[submitted.student] = entry
        return entry

    def _tidy(self) -> None:
        """Remove what the last run wrote for students whom the class now lacks, or knows by another id."""
        mine = {name for each in self._names.values() for name in (f"{each}.json", f"{each}.html")}
        for path in pages_of(self.out):
            if path.parent.name == "pairs" or path.name not in mine:
                path.unlink(missing_ok=True)

    def finish(self) -> list[str]:
        """Write the page of the class, its grades and their summary; the students on whom the grader itself failed."""
        self._tidy()
        alike, lost = self._alike(), gone(self.out, self.entries)
        too_short = [student for student in alike.too_short if _is_worth_more(self._entries[student].report)]
        doubts = dict.fromkeys(alike.too_long, TOO_LONG) | dict.fromkeys(too_short, TOO_SHORT)
        for student, said in (doubts | dict.fromkeys(lost.students, LOST)).items():
            entry = self._entries[student]
            report = dataclasses.replace(entry.report, attention=[*entry.report.attention, said])
            self._entries[student] = dataclasses.replace(entry, report=report)
        entries = [
            dataclasses.replace(entry, repair=self._found_repair(each.source))
            for entry, each in zip(self.entries, self.upload.submitted, strict=True)
        ]
        assignment, adjusted = self.results.assignment, _adjusted(entries)
        warnings = [*self.upload.warnings, *lost.warnings, *_given_up(self.out, adjusted)]
        upload = dataclasses.replace(self.upload, warnings=warnings)
        shown = page.index(entries, alike, assignment, upload, adjusted, self.options.anonymous)
        write(self.out / "index.html", shown)
        write(self.out / "grades.csv", page.table(entries, assignment))
        self.figures = figures(entries, alike, assignment, upload, adjusted)
        write(self.out / "class.json", json.dumps(self.figures, indent=2, ensure_ascii=False) + "\n")
        return [each.shown for each in self.upload.submitted if self._entries[each.student].report.grader_failed]

    def _alike(self) -> Alike:
        """Who handed in nearly the same, with the pages that show two modules side by side."""
        theirs: dict[object, list[Submitted]] = {}  # one submission of a group is no copy of itself
        for each in self.upload.submitted:
            theirs.setdefault((each.together, each.source) if each.together else each.student, []).append(each)
        sharing = {first.student: [each.student for each in (first, *others)] for first, *others in theirs.values()}
        sources = {first.student: first.source for first, *_ in theirs.values() if first.source is not None}
        names = {each.student: each.shown for each in self.upload.submitted}
        known = _called_apart(self.options.known, names)
        earlier = _called_apart(self.options.earlier, {**names, **known})
        everything = {**known, **earlier, **sources}
        blank = fill_in(self.results.assignment)
        found = alike_modules(sources, blank, known, earlier)
        groups = []
        numbers = itertools.count(1)
        for group in found.groups[: page.GROUPS_SHOWN]:
            links = []
            for link in group.links:
                link = dataclasses.replace(link, page=f"pairs/{next(numbers)}.html")
                first, second = ((names.get(each, each), everything[each]) for each in (link.first, link.second))
                write(self.out / str(link.page), side_by_side(first, second, blank))
                links.append(link)
            groups.append(dataclasses.replace(group, links=tuple(links)))
        answers = {student: text for student, text in self.options.answers.items() if student in sharing}
        groups += [*found.groups[page.GROUPS_SHOWN :], *alike_answers(answers)]

        def every(students: Iterable[str]) -> list[str]:
            return [each for first in students for each in sharing[first]]

        groups = [dataclasses.replace(each, members=tuple(sorted(every(each.members)))) for each in groups]
        return dataclasses.replace(
            found, groups=groups, too_long=every(found.too_long), too_short=every(found.too_short)
        )


def _called_apart(modules: Mapping[str, bytes], taken: Collection[str]) -> dict[str, bytes]:
    """The modules by labels that are not taken: a student may be called as one of them."""
    found = {}
    for label, source in modules.items():
        while label in taken:
            label += " (not in this class)"
        found[label] = source
    return found


def _is_worth_more(report: Report) -> bool:
    """Whether it has more points than a few lines earn."""
    return report.score > report.max_score / 3


def _adjusted(entries: Iterable[Entry]) -> list[str]:
    """What was changed for everyone, as the reports say it."""
    notes = (note for entry in entries for note in entry.report.notes)
    return list(dict.fromkeys(note for note in notes if is_adjustment(note)))


def _given_up(out: Path, adjusted: Iterable[str]) -> Iterator[str]:
    """What the last run changed for everyone and this one does not: the option may have been forgotten."""
    earlier = (last_run(out) or {}).get("adjusted", ())
    for said in earlier if isinstance(earlier, list) else ():
        if said not in map(clean, adjusted):
            yield f"in the last run, but not in this one: {said} Repeat --drop or --give to keep that"


def _cores() -> int:
    return os.cpu_count() or 1
