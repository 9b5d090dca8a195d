"""Grade a class in the background, on all cores: nbgrader comes to one student at a time, and waits for that one."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from autograder.grading import GraderError
from autograder.grading.process import MOST_SLOW, PATIENCE_S, GradingProcess
from autograder.grading.results import Results
from autograder.report.model import Report

SHARE = 4  # modules for each worker, which takes seconds to start


class Background:
    """Grades modules in the order given, each once, and keeps their reports; a context that ends what still goes on.

    Threads wait for the processes that grade.

    Arguments:
        sources: what is graded at once, in this order.
        reuse: whether a report that was kept before counts.
        workers: how many modules are graded at once; 0: one a core.
    """

    def __init__(self, results: Results, sources: Sequence[bytes], reuse: bool = True, workers: int = 0) -> None:
        workers = max(1, min(workers or os.cpu_count() or 1, len(sources) // SHARE))
        self._results, self._reuse = results, reuse
        self._places = threading.Semaphore(workers)
        self._lock = threading.Lock()
        self._all: list[GradingProcess] = []
        self._idle: list[GradingProcess] = []
        self._ended = False
        self._threads = ThreadPoolExecutor(workers * (1 + MOST_SLOW))
        self._jobs: dict[bytes, Future[Report]] = {}
        for source in sources:
            self._begin(source)

    def report(self, source: bytes) -> Report:
        """The report on a module, once it is there. GraderError, SandboxError: the grader itself failed."""
        return self._begin(source).result()

    def _begin(self, source: bytes) -> Future[Report]:
        if source not in self._jobs:
            self._jobs[source] = self._threads.submit(self._report, source)
        return self._jobs[source]

    def _report(self, source: bytes) -> Report:
        report = self._results.find(source) if self._reuse else None
        return report or self._grade(source)

    def _grade(self, source: bytes) -> Report:
        places = [self._places]  # left once: when it takes long, or at the end

        def leave() -> None:
            if places:
                places.pop().release()

        self._places.acquire()
        try:
            process = self._process()
            try:
                module, seed = self._results.assignment.module, self._results.seed
                report = process.grade(module, source, seed=seed, pictures=True, patience=PATIENCE_S, slow=leave)
            finally:
                self._idle.append(process)
        finally:
            leave()
        if report.grader_failed:
            raise GraderError(report.error or " ".join(report.attention))
        self._results.keep(source, report)
        return report

    def _process(self) -> GradingProcess:
        """A process that grades nothing now, which is warm if there is one."""
        with self._lock:
            if self._ended:
                raise GraderError("nbgrader was stopped")
            if self._idle:
                return self._idle.pop()
            process = GradingProcess(self._results.assignment, require_isolation=self._results.require_isolation)
            self._all.append(process)
            return process

    def __enter__(self) -> Background:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._ended = True
            for process in self._all:
                if process not in self._idle:
                    process.stop()
        self._threads.shutdown(cancel_futures=True)
        for process in self._all:
            process.close()
