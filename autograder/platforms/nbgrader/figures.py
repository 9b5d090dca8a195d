"""The figures of a class: those that were handed in, and where they leave a doubt those of a run of the grader's.

Figures that were looked at are kept by content, like reports, so that whoever runs the command again waits for nothing
twice. Notebooks are run again on all cores, before nbgrader comes to the first of them: it takes one at a time.
"""

import base64
import contextlib
import functools
import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from rich.console import Console
from rich.progress import track
from traitlets import Enum, Integer, List, Unicode

from autograder import output
from autograder.assignment import Assignment
from autograder.platforms.nbgrader import answers, kernel, reading, rerun
from autograder.platforms.nbgrader.answers import number_of, released_notebook, shelf_of
from autograder.platforms.nbgrader.rerun import Bounds, Runner, Script
from autograder.platforms.nbgrader.submitted import assignment_of, module_in, source_folder
from autograder.report.model import Observed, clean
from autograder.report.summary import counted
from autograder.sandbox import isolation
from autograder.sandbox.client import Sandbox
from autograder.sandbox.errors import SubmissionError
from autograder.sandbox.outputs import Shown, png
from autograder.submissions.find import CannotRead, NothingToGrade

PACKAGE = Path(__file__).resolve().parents[2]
MAX_NAMES = 3  # of other students, in one sentence

HANDED_IN = "Handed in with the notebook"
RUN_AGAIN = "Run again by the grader, briefly trained"


@dataclass
class Drawn:
    """One output of a cell, fit to be shown; `png` for a picture that was written anew."""

    cell: int
    kind: str  # as in `autograder.sandbox.outputs`
    text: str = ""
    png: bytes = b""


@dataclass
class Figures:
    """What the cells of one notebook put out, and what was seen in it."""

    drawn: list[Drawn] = field(default_factory=list)
    observed: Observed = field(default_factory=Observed)
    note: str = ""  # why there is no more of it

    @property
    def pictures(self) -> list[Drawn]:
        return [each for each in self.drawn if each.png]

    def to_json(self) -> dict[str, Any]:
        """The figures as plain data."""
        drawn = [[each.cell, each.kind, each.text, base64.b64encode(each.png).decode()] for each in self.drawn]
        return {"drawn": drawn, "observed": vars(self.observed), "note": self.note}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Figures":
        """The figures that `to_json` gave."""
        drawn = [Drawn(cell, kind, text, base64.b64decode(held)) for cell, kind, text, held in data["drawn"]]
        return cls(drawn, Observed(**data["observed"]), data["note"])


@dataclass
class Submission:
    """One student's notebook: what was seen of it, and where its figures are kept."""

    student: str
    ids: dict[int, str]  # of the released cells, by the numbers of the student's
    handed_in: str  # the key of what was handed in
    observed: Observed
    pictures: int
    compared: set[str]  # digests of the pictures that nobody else should have
    doubts: list[str]  # why it is run again
    again: str = ""  # the key of what the run gave


class Kept:
    """A folder of figures, one file for each content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, key: str) -> Figures | None:
        """The figures kept under `key`; None if there are none that can be read."""
        try:
            return Figures.from_json(json.loads((self.folder / f"{key}.json").read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, key: str, figures: Figures) -> None:
        """Keep figures: whole or not at all."""
        output.write(self.folder / f"{key}.json", json.dumps(figures.to_json(), ensure_ascii=False))


class RunNotebook(NbGraderPreprocessor):
    """Shows the figures that were handed in under their cells, and runs the notebook again where they leave a doubt.

    Figures never give points by themselves. `nbgrader autograde --RunNotebook.enabled=False` goes without them.
    """

    rerun = Enum(
        ["doubt", "all", "never"],
        "doubt",
        help="Which notebooks are run again: those that leave a doubt, all, or none.",
    ).tag(config=True)
    workers = Integer(0, help="How many notebooks run at once; 0: one a core.").tag(config=True)
    seconds = Integer(Bounds.seconds, help="Wall time for a whole notebook.").tag(config=True)
    cell_seconds = Integer(Bounds.cell_seconds, help="Wall time for one cell.").tag(config=True)
    memory_mib = Integer(Bounds.memory_mib, help="Memory of all its processes together.").tag(config=True)
    processes = Integer(Bounds.processes, help="How many processes it may have.").tag(config=True)
    threads = Integer(Bounds.threads, help="How many threads they may have together.").tag(config=True)
    files = Integer(Bounds.files, help="How many files it may write.").tag(config=True)
    data = Unicode("", help="A folder with the data that students use, in place of what is in the kit.").tag(
        config=True
    )
    assignments = List(Unicode(), help="The assignments of the course, by name or folder.").tag(config=True)
    reports = Unicode("reports", help="Where figures are kept, below the course folder.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        assignment = assignment_of(self, resources)
        if resources["nbgrader"]["notebook"] != Path(assignment.notebook).stem:
            return nb, resources
        album = self._album(assignment)
        submission = album.of(resources["nbgrader"]["student"])
        handed_in, again = album.figures(submission)
        for cell in nb.cells:
            if cell.cell_type == "code":
                number = number_of(cell)
                cell.outputs = _outputs(handed_in, number, HANDED_IN)
                if not cell.outputs or any(each.cell == number for each in again.pictures):  # or it says the same twice
                    cell.outputs += _outputs(again, number, RUN_AGAIN)
                cell.execution_count = None
        if again.note and (unfinished := _unfinished(nb, again)):
            unfinished.outputs += [_labelled(RUN_AGAIN), new_output("stream", name="stderr", text=f"{again.note}\n")]
        resources["autograder_figures"] = submission, handed_in, again
        return nb, resources

    def _album(self, assignment: Assignment) -> "Album":
        """The figures of the class, looked at before the first notebook of it."""
        converter = self.parent.parent
        albums = _albums.setdefault(converter, {})
        if assignment.kit not in albums:
            bounds = Bounds(**{name: getattr(self, name) for name in vars(Bounds())})
            album = Album(self, assignment, bounds)
            album.look(folder for folder in map(Path, converter.assignments) if is_next(converter, folder))
            albums[assignment.kit] = album
        return albums[assignment.kit]


_albums: WeakKeyDictionary[Any, dict[str, "Album"]] = WeakKeyDictionary()


def albums(converter: Any) -> list["Album"]:
    """The albums that were made while `converter` worked."""
    return list(_albums.get(converter, {}).values())


def is_next(converter: Any, folder: Path) -> bool:
    """Whether nbgrader is about to come to a submission, as far as that can be known before."""
    course = converter.coursedir
    graded = course.format_path(course.autograded_directory, folder.parent.name, folder.name)
    return converter.force or not Path(graded).exists()


class _WhenNeeded:
    """A sandbox that is started when it is first asked for; a context that ends it."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._running = contextlib.ExitStack()
        self._sandbox: Sandbox | None = None

    @property
    def sandbox(self) -> Sandbox:
        if self._sandbox is None:
            self._sandbox = self._running.enter_context(Sandbox(assignment=self._assignment))
        return self._sandbox

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self._sandbox = None
        self._running.close()


class Album:
    """The figures of one assignment's class."""

    def __init__(self, plugin: RunNotebook, assignment: Assignment, bounds: Bounds) -> None:
        self.assignment, self.bounds = assignment, bounds
        self.course = plugin.parent.parent.coursedir
        self.kept = Kept(Path(self.course.root) / plugin.reports / "figures")
        self.rerun, self.workers, self.log = plugin.rerun, plugin.workers or os.cpu_count() or 1, plugin.log
        self._ours = source_folder(plugin, assignment)
        self._data = Path(plugin.data).resolve(strict=True) if plugin.data else None
        self._name = Path(assignment.notebook).name
        self._released = released_notebook(self.course, assignment.kit, self._name)
        self._shelf = shelf_of(plugin.parent.parent)
        self._submissions: dict[str, Submission] = {}
        self._sandboxed = _WhenNeeded(assignment)

    # --- what nbgrader asks ---------------------------------------------------------------------------------------

    def look(self, ahead: Iterable[Path]) -> None:
        """Look at what everyone handed in, and run again what is `ahead` and leaves a doubt."""
        submitted = Path(self.course.root, self.course.submitted_directory)
        with self._sandboxed:
            for folder in sorted(submitted.glob(f"*/{self.assignment.kit}")):
                self._look_at(folder)
            self._compare()
            self._run(folder.parent.name for folder in ahead)

    def of(self, student: str) -> Submission:
        """A student's notebook, run again if that is due and was not done before."""
        submission = self._submissions[student]
        if not submission.again:
            with self._sandboxed:
                self._run([student])
        return submission

    def figures(self, submission: Submission) -> tuple[Figures, Figures]:
        """The figures that a student handed in, and those of the run, if there was one."""
        return self.kept.find(submission.handed_in) or Figures(), self.kept.find(submission.again) or Figures()

    @property
    def size(self) -> int:
        """How many students handed in."""
        return len(self._submissions)

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many handed figures in, how many notebooks were run again, and how many of those gave no figure."""
        found = self._submissions.values()
        empty = sum(1 for each in found if each.again and not (self.kept.find(each.again) or Figures()).pictures)
        return sum(1 for each in found if each.pictures), sum(1 for each in found if each.again), empty

    # --- looking --------------------------------------------------------------------------------------------------

    def _look_at(self, folder: Path) -> None:
        found = self._shelf.find(folder / self._name, self._released, outputs=True)
        outputs = [found.outputs[cell] for cell in sorted(found.outputs)]  # as they are: text of them takes four times
        key = _digest("handed in", self._version, sorted(found.ids.items()), sorted(found.outputs), *outputs)
        figures = self.kept.find(key)
        if figures is None:
            figures = self._seen(found.outputs, found.ids)
            self.kept.keep(key, figures)
        personal = [each for each in figures.pictures if found.ids.get(each.cell) in figures.observed.personal]
        compared = {_digest(each.png) for each in personal}
        doubts = list(figures.observed.doubts) if figures.pictures else ["No figure was handed in."]
        doubts += [figures.note] if figures.note else []
        self._submissions[folder.parent.name] = Submission(
            folder.parent.name, found.ids, key, figures.observed, len(figures.pictures), compared, doubts
        )

    def _seen(self, outputs: dict[int, bytes], ids: dict[int, str]) -> Figures:
        """The figures among a notebook's outputs, and what the assignment says of them."""
        if not outputs:
            return Figures()
        try:
            shown = self._sandboxed.sandbox.shown(outputs)
        except SubmissionError as error:
            return Figures(note=clean(str(error), 300))
        return Figures([_drawn(each) for each in shown], self._observed(shown, ids))

    def _observed(self, shown: list[Shown], ids: dict[int, str]) -> Observed:
        """What the assignment says of the outputs; a mistake in that is nobody else's trouble."""
        if not self.assignment.has("figures"):
            return Observed()
        cells: dict[str, list[Shown]] = defaultdict(list)
        for each in shown:
            cells[ids.get(each.cell) or f"{each.cell}"].append(each)
        try:
            found: Observed = self.assignment.piece("figures").observe(cells)
        except Exception as error:
            self.log.warning("figures.py of the assignment failed: %s", error)
            return Observed(doubts=["The grader could not look at these figures."])
        return found

    def _compare(self) -> None:
        """Say of figures that they are another student's, too."""
        owners: dict[str, set[str]] = defaultdict(set)
        for each in self._submissions.values():
            for digest in each.compared:
                owners[digest].add(each.student)
        for each in self._submissions.values():
            others = sorted({other for digest in each.compared for other in owners[digest]} - {each.student})
            if others:
                same = sum(1 for digest in each.compared if len(owners[digest]) > 1)
                names = ", ".join(others[:MAX_NAMES]) + (" and others" if len(others) > MAX_NAMES else "")
                of = f"{same} of {counted(len(each.compared), 'figure')}"
                each.doubts.append(f"{of} are the same, pixel by pixel, as those of {names}.")

    # --- running --------------------------------------------------------------------------------------------------

    def _run(self, students: Iterable[str]) -> None:
        """Run the notebooks of those of the students who need it, on all cores."""
        wanted = [self._submissions[each] for each in students if self._is_due(self._submissions[each])]
        scripts = {each.student: self._script(each) for each in wanted}
        waiting: dict[str, list[Submission]] = defaultdict(list)
        for each in wanted:
            each.again = self._key(scripts[each.student])
            if self.kept.find(each.again) is None:
                waiting[each.again].append(each)
        if not waiting:
            return
        if (reason := isolation.why_not("bubblewrap")) is not None:
            self.log.warning("No notebook is run again, because it cannot be kept apart: %s", reason)
            return
        with Runner() as runner, ThreadPoolExecutor(self.workers) as pool:
            first = {key: scripts[same[0].student] for key, same in waiting.items()}
            jobs = {pool.submit(runner.run, script, self.bounds): key for key, script in first.items()}
            for job in _shown_progress(as_completed(jobs), len(jobs)):
                key = jobs[job]
                try:
                    outputs, note = job.result()
                except OSError as error:  # of this machine: the next command tries again
                    self.log.warning("%s: the notebook was not run again: %s", waiting[key][0].student, error)
                    continue
                figures = self._seen(outputs, waiting[key][0].ids)
                figures.note = note or figures.note
                self.kept.keep(key, figures)
                for each in waiting[key] if figures.note else ():
                    self.log.warning("%s: %s", each.student, figures.note)

    def _is_due(self, submission: Submission) -> bool:
        return self.rerun == "all" or (self.rerun == "doubt" and bool(submission.doubts))

    def _script(self, submission: Submission) -> Script:
        """What is run for a student: the notebook's cells but those that are graded elsewhere, and the module."""
        folder = Path(self.course.format_path(self.course.submitted_directory, submission.student, self.assignment.kit))
        graded = {part.name for part in self.assignment.parts}
        code = {
            index: cell.source
            for index, cell in enumerate(self._shelf.find(folder / self._name, self._released).notebook.cells)
            if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade_id") not in graded
        }
        names = [
            name
            for name in self.assignment.kit_files
            if name.endswith((".py", ".json")) and (self._ours / name).exists()
        ]
        files = {name: (self._ours / name).read_bytes() for name in names}
        with contextlib.suppress(NothingToGrade, CannotRead):
            files[self.assignment.module] = module_in(folder, self.assignment).source
        laid = self._ours / self.assignment.data_folder if self.assignment.data_folder else None
        return Script(code, files, laid, self._data, self.assignment.notebook_environment)

    def _key(self, script: Script) -> str:
        given = [
            (str(path.relative_to(root)), path.stat().st_size, path.stat().st_mtime_ns)
            for root in (script.folder, script.data)
            if root is not None and root.is_dir()
            for path in sorted(root.rglob("*"))
        ]
        code, files = sorted(script.code.items()), sorted(script.files.items())
        return _digest("run", self._version, code, files, given, sorted(script.variables.items()), self.bounds)

    @functools.cached_property
    def _version(self) -> str:
        """Changes whenever a figure, or what is seen of it, could."""
        own = [PACKAGE / "sandbox" / "outputs.py", PACKAGE / "sandbox" / "limits.py", Path(rerun.__file__)]
        own += [Path(kernel.__file__), Path(answers.__file__), Path(reading.__file__)]
        theirs = [path for path in self.assignment.folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
        return _digest(*(path.read_bytes() for path in sorted([*own, *theirs])))


def _shown_progress(jobs: Iterator[Any], total: int) -> Iterable[Any]:
    """The jobs as they are done, with one line of progress for all of them."""
    console = Console(stderr=True)
    if not console.is_terminal:
        console.print(f"Running {counted(total, 'notebook')} for figures")
        return jobs
    return track(jobs, description="Running notebooks for figures", total=total, console=console)


def _digest(*parts: object) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(
            hashlib.sha256(part if isinstance(part, bytes) else repr(part).encode("utf-8", "replace")).digest()
        )
    return digest.hexdigest()


# --- on the page ------------------------------------------------------------------------------------------------------


def _drawn(shown: Shown) -> Drawn:
    if shown.pixels is not None:
        return Drawn(shown.cell, shown.kind, png=png(shown.pixels))
    return Drawn(shown.cell, shown.kind, clean(shown.text, 20_000))


def _outputs(figures: Figures, number: int | None, label: str) -> list[NotebookNode]:
    """The outputs of a cell, under a label that says where they come from."""
    found = [_output(each, label) for each in figures.drawn if each.cell == number]
    if not found:
        return []
    return [_labelled(label), *found]


def _labelled(label: str) -> NotebookNode:
    html = f'<p style="color: #666; font-size: 85%; margin: 0.5em 0 0">{label}:</p>'
    return new_output("display_data", data={"text/html": html, "text/plain": f"{label}:"})


def _unfinished(nb: NotebookNode, figures: Figures) -> NotebookNode | None:
    """The first cell that should have run and has no output of it."""
    done = {each.cell for each in figures.drawn}
    cells = (cell for cell in nb.cells if cell.cell_type == "code" and number_of(cell) is not None)
    last = max(done, default=-1)
    return next((cell for cell in cells if (number_of(cell) or 0) > last), None)


def _output(drawn: Drawn, label: str) -> NotebookNode:
    if drawn.png:
        # Without a description, nbconvert warns at every picture.
        about = {"image/png": {"alt": f"A figure. {label}."}}
        return new_output("display_data", data={"image/png": base64.b64encode(drawn.png).decode()}, metadata=about)
    if drawn.kind == "left out":
        return new_output("stream", name="stdout", text=f"An output is not shown: {drawn.text}.\n")
    if drawn.kind in ("stdout", "stderr"):
        return new_output("stream", name=drawn.kind, text=drawn.text)
    return new_output("display_data", data={"text/plain": drawn.text})
