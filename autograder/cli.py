"""The command line: `autograder grade`, `class`, `doctor`, `schema`, and those that run a course."""

# Torch is imported late, inside the commands: the sandboxed worker must get a head start on importing it too.

import math
import os
import sys
import traceback
from collections import Counter
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperCommand, TyperOption

from autograder import __version__, output
from autograder.assignment import Assignment, BadAssignment, NoSuchAssignment, due_date, load
from autograder.points import shown
from autograder.report import FORMATS, render
from autograder.report.model import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from typer.models import OptionInfo

    from autograder.classroom.compare import Earlier
    from autograder.classroom.entries import Recorded
    from autograder.classroom.run import Class
    from autograder.platforms.gradescope.build import ResultsFile
    from autograder.report.model import Report
    from autograder.submissions.find import Found
    from autograder.submissions.layouts import Upload
    from autograder.submissions.roster import Extensions, Roster

OK, BELOW_MINIMUM, USAGE, GRADER_FAILED, INTERRUPTED = 0, 1, 2, 3, 130
OUT_OF_STEP = 1

# The panels of --help.
GRADE, COURSE, ABOUT = "Grade", "Run a course", "Look things up"
WRITE, HOW = "What to write", "How to grade"


def examples(*commands: tuple[str, str]) -> str:
    """The end of a command's help: what to type, and what it does."""
    # \b: the lines stay as they are
    return "\n".join(
        ["\b", "[bold]Examples[/]", *(f"  [dim]# {does}[/]\n  [cyan]{typed}[/]" for typed, does in commands)]
    )


app = typer.Typer(
    name="autograder",
    help="Grade programming homework in a sandbox, one submission or a whole class.",
    epilog=examples(
        ("autograder grade homework.zip --html page.html", "one submission, with a page for its student"),
        ("autograder class submissions/ --out graded/", "a whole class"),
        ("autograder gradescope --out .", "what to upload to Gradescope"),
        ("autograder --install-completion", "let the Tab key complete all of this"),
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
console = Console()
errors = Console(stderr=True)


class _Once(TyperCommand):
    """A command that refuses an option given twice, of which the parser would drop all but the last."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments that are left. BadParameter names an option that is no list and is given twice."""
        if not ctx.resilient_parsing and (args or not self.no_args_is_help):
            _, _, order = self.make_parser(ctx).parse_args(args=[*args])
            for option, count in Counter(order).items():
                if count > 1 and isinstance(option, TyperOption) and not (option.multiple or option.is_eager):
                    remedy = _REMEDIES.get(option.name or "", "give it once")
                    names = ", ".join((*option.opts, *option.secondary_opts))
                    raise typer.BadParameter(f"given twice: {remedy}", param_hint=names)
        return super().parse_args(ctx, args)


_REMEDIES = {
    "roster": "put both rosters, with the same columns, into one file",
    "extensions": "put both lists, with the same columns, into one file",
}
command = partial(app.command, cls=_Once)


def main() -> None:
    """Run the command line."""
    output.calm_streams()
    try:
        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    if complaint := output.lost():
        errors.print(complaint, style="red", markup=False, soft_wrap=True)
        code = code or GRADER_FAILED
    os._exit(code)  # unloading torch in good order would take another second


def _version(wanted: bool) -> None:
    if wanted:
        print(f"autograder {__version__}")
        raise typer.Exit


@app.callback()
def _app(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Keeps the commands sub-commands."""


@contextmanager
def one_line(*usage: type[Exception]) -> "Iterator[None]":
    """Turn what cannot be written, and errors of the kinds `usage`, into one line and the documented exit code."""
    refused: tuple[type[Exception], ...] = (output.NotWritable, *usage)
    try:
        yield
    except refused as error:
        _complain(str(error))
        raise typer.Exit(USAGE) from None
    except output.CannotWrite as error:
        _complain(str(error))
        raise typer.Exit(GRADER_FAILED) from None


@contextmanager
def exit_codes() -> "Iterator[None]":
    """Turn what can go wrong in grading into the documented exit codes and one clear line."""
    from autograder.grading import GraderError
    from autograder.sandbox.client import SandboxError
    from autograder.submissions.find import NothingToGrade

    try:
        with one_line():
            yield
    except NothingToGrade as error:
        _complain(f"Nothing to grade: {error}")
        raise typer.Exit(USAGE) from None
    except (GraderError, SandboxError) as error:
        _complain(f"The grader itself failed: {error}")
        raise typer.Exit(GRADER_FAILED) from None
    except (typer.Exit, typer.Abort, typer.BadParameter, KeyboardInterrupt):
        raise
    except Exception:
        traceback.print_exc()
        _complain("The grader itself failed: please report the traceback above.")
        raise typer.Exit(GRADER_FAILED) from None


def _complain(text: str, style: str = "red") -> None:
    errors.print(printable(text), style=style, markup=False, soft_wrap=True)


Which = Annotated[
    str | None,
    typer.Option("--assignment", help="An assignment's name, or its folder. \\[default: the installed one]"),
]


def chosen(assignment: str | None) -> Assignment:
    """The assignment that a command is about. BadParameter where there is none of this name, or it is wrong."""
    try:
        return load(assignment)
    except (NoSuchAssignment, BadAssignment) as error:
        raise typer.BadParameter(str(error), param_hint="--assignment") from None


Visibility = Literal["visible", "after_due_date", "after_published", "hidden"]


def _report_file(form: str) -> "OptionInfo":
    """The option that writes the report in one of FORMATS."""
    option: OptionInfo = typer.Option(f"--{form}", help=FORMATS[form], metavar="FILE", rich_help_panel=WRITE)
    return option


@command(
    rich_help_panel=GRADE,
    epilog=examples(
        ("autograder grade homework.py", "print points and hints"),
        ("autograder grade ada.zip --html ada.html --json ada.json", "and keep them"),
        ("autograder grade ada.zip --seed 1822098859308465", "repeat the inputs of a disputed grade"),
        ("autograder grade . --min-score 60 --quiet", "for a script: the score, and 1 if it is too low"),
    ),
)
def grade(
    submission: Annotated[Path, typer.Argument(help="The module, or a folder or zip archive that holds it.")],
    json: Annotated[Path | None, _report_file("json")] = None,
    junit: Annotated[Path | None, _report_file("junit")] = None,
    html: Annotated[Path | None, _report_file("html")] = None,
    markdown: Annotated[Path | None, _report_file("markdown")] = None,
    gradescope: Annotated[
        Path | None,
        typer.Option(
            help="Gradescope's results.json, renewed after each check.", metavar="FILE", rich_help_panel=WRITE
        ),
    ] = None,
    visibility: Annotated[
        Visibility,
        typer.Option(help="When Gradescope shows what is not on the worked examples.", rich_help_panel=WRITE),
    ] = "visible",
    github: Annotated[
        bool,
        typer.Option(
            "--github", help="In a GitHub workflow: job summary, annotations, points, outputs.", rich_help_panel=WRITE
        ),
    ] = False,
    min_score: Annotated[float | None, typer.Option(help="Exit with 1 below this score.", rich_help_panel=HOW)] = None,
    require_isolation: Annotated[
        bool, typer.Option("--require-isolation", help="Refuse to grade without strong isolation.", rich_help_panel=HOW)
    ] = False,
    isolation: Annotated[
        str | None,
        typer.Option(help="bubblewrap, confined or process. \\[default: strongest]", rich_help_panel=HOW),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Repeat the inputs of an earlier report.", min=0, rich_help_panel=HOW)
    ] = None,
    assignment: Which = None,
    timings: Annotated[bool, typer.Option("--timings", help="Print where the time went.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the score alone.")] = False,
) -> None:
    """Grade one submission.

    A FILE may also be a pipe or a device; - is standard output.

    \b
    Exit codes:
      0    graded, whatever the score
      1    graded, below --min-score
      2    bad usage, or nothing to grade
      3    the grader itself failed, or a file could not be written
      130  stopped by Ctrl-C
    """
    from autograder.grading.grade import told
    from autograder.grading.process import GradingProcess
    from autograder.platforms.github import workflow

    which = chosen(assignment)
    _require_sense(min_score, isolation, github)
    files = dict(zip(FORMATS, (json, junit, html, markdown), strict=True))
    step: AbstractContextManager[list[str]] = workflow.step() if github else nullcontext([])
    with step as commands, exit_codes():
        outputs = Outputs(
            {form: path for form, path in files.items() if path}, gradescope, commands if github else None
        )
        outputs.require_writable(submission)
        results = outputs.start(which, visibility)
        found = _module(submission, which, outputs)
        with GradingProcess(which, isolation, require_isolation) as process:
            progress = results.progress if results else None
            report = process.grade(found.name, found.source, seed=seed, pictures=bool(html), progress=progress)
        report = told(report, found.notes, found.attention)
        _print(report, outputs.terminal, quiet, timings)
        folder = submission if submission.is_dir() else Path.cwd()
        outputs.write(report, found.source, Path(os.path.relpath(found.name, folder)).as_posix())
    if report.grader_failed:
        _complain(report.error or "")
        raise typer.Exit(GRADER_FAILED)
    if min_score is not None and report.score < min_score:
        raise typer.Exit(BELOW_MINIMUM)


@dataclass
class Outputs:
    """Where the report of `grade` goes.

    Attributes:
        files: by format, one of FORMATS.
        gradescope: the file that Gradescope reads.
        commands: what GitHub's runner is told at the end of the step, in such a step.
    """

    files: dict[str, Path]
    gradescope: Path | None
    commands: list[str] | None
    _results: "ResultsFile | None" = None

    @property
    def _named(self) -> dict[str, Path]:
        paths = {f"--{form}": path for form, path in self.files.items()}
        return paths | ({"--gradescope": self.gradescope} if self.gradescope else {})

    @property
    def terminal(self) -> Console:
        """Where people read: not where a program reads the report."""
        return errors if any(output.descriptor(path) == 1 for path in self._named.values()) else console

    def require_writable(self, submission: Path) -> None:
        """NotWritable unless each can be written, to a place of its own that is not the submission's."""
        for path in self._named.values():
            output.require_writable(path)
        output.require_distinct({"the submission": submission} | self._named)
        if self.commands is not None and self.terminal is errors:
            raise output.NotWritable("--github needs standard output for itself: name a file instead of -")

    def start(self, assignment: Assignment, visibility: str) -> "ResultsFile | None":
        """Gradescope's results.json, which says from now on that the grading did not finish."""
        if self.gradescope is None:
            return None
        from autograder.platforms.gradescope.build import ResultsFile
        from autograder.report.model import Report

        self._results = ResultsFile(self.gradescope, assignment, visibility)
        self._results.progress(Report.of(assignment))
        if complaint := self._results.complaint():
            _complain(complaint, "yellow")
        return self._results

    def write(self, report: "Report", source: bytes, file: str) -> None:
        """Write all that can be written; CannotWrite that names the rest. `file` is the module's path for GitHub."""
        from autograder.platforms.github import workflow

        if self.commands is not None:
            self.commands += workflow.publish(report, source, file)
        failed: list[str] = []
        if self._results:
            with _noting(failed):
                self._results.finish(report)
        for form, path in self.files.items():
            with _noting(failed):
                output.write(path, render(report, form))
        if failed:
            raise output.CannotWrite("\n".join(failed))

    def refuse(self, assignment: Assignment, reason: str) -> None:
        """Tell the platforms, which would show an old report or none, that there is nothing to grade."""
        from autograder.grading.grade import nothing
        from autograder.platforms.github import workflow

        if self.commands is not None:
            self.commands += workflow.publish(nothing(assignment, reason), b"", "")
        if self._results:
            self._results.finish(nothing(assignment, reason))


@contextmanager
def _noting(failed: list[str]) -> "Iterator[None]":
    try:
        yield
    except output.CannotWrite as error:
        failed.append(str(error))


def _module(submission: Path, assignment: Assignment, outputs: Outputs) -> "Found":
    """The module to grade. Where there is none, the platforms are told, and NothingToGrade goes on."""
    from autograder.submissions.find import NothingToGrade, find_module

    try:
        return find_module(submission, assignment)
    except NothingToGrade as error:
        outputs.refuse(assignment, str(error))
        raise


def _require_sense(min_score: float | None, isolation: str | None, github: bool) -> None:
    """BadParameter for options that cannot be meant so."""
    from autograder.platforms.github import workflow
    from autograder.sandbox import isolation as levels

    if min_score is not None and not math.isfinite(min_score):
        raise typer.BadParameter(f"{min_score} is no score", param_hint="--min-score")
    if isolation is not None:
        try:
            levels.level(isolation)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--isolation") from None
    if github and not all(os.environ.get(variable) for variable in workflow.FILES):
        names = " and ".join(workflow.FILES)
        raise typer.BadParameter(f"--github is for a step of a GitHub workflow, which sets {names}")


def _print(report: "Report", to: Console, quiet: bool, timings: bool) -> None:
    if quiet:
        to.print(f"{shown(report.score)}/{shown(report.max_score)}", highlight=False)
    else:
        from autograder.report import terminal

        terminal.render(report, to)
    if timings:
        to.print(_timings(report))


def _timings(report: "Report") -> Table:
    table = Table("Phase", "Seconds", title="Where the time went")
    for phase, seconds in report.timings.items():
        table.add_row(phase, f"{seconds:.2f}")
    table.add_row("all of it", f"{report.duration_s:.2f}", style="bold")
    return table


@command(
    "class",
    rich_help_panel=GRADE,
    epilog=examples(
        ("autograder class submissions/ --out graded/", "then open graded/index.html"),
        ("autograder class canvas.zip --out graded/ --roster roster.csv", "a platform's download, by names"),
    ),
)
def class_command(
    submissions: Annotated[
        Path,
        typer.Argument(help="A folder with a folder, archive or module for each student, or a platform's download."),
    ],
    out: Annotated[Path, typer.Option(help="Where reports, pages and grades go.")],
    roster: Annotated[
        Path | None,
        typer.Option(help="A CSV file of ids and names, or a gradebook's export: who handed in nothing has a row too."),
    ] = None,
    extensions: Annotated[
        Path | None,
        typer.Option(
            help="A CSV file with the columns student and until, a date with its zone. "
            "\\[default: that of the course around SUBMISSIONS]"
        ),
    ] = None,
    gradebook: Annotated[
        str | None,
        typer.Option(
            help="nbgrader's gradebook, by its address: points by hand, lateness and extensions come from it. "
            "\\[default: that of the course around SUBMISSIONS]",
            metavar="URL",
        ),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(help="A check to leave out: the others of its part share its points.", metavar="CHECK"),
    ] = None,
    give: Annotated[
        list[str] | None,
        typer.Option(help="A check whose points everyone gets whose module could be graded.", metavar="CHECK"),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(
            help="What this command wrote before: list whose points change and why. Only saved results are written."
        ),
    ] = None,
    compare_with: Annotated[
        list[Path] | None,
        typer.Option(help="Submissions of an earlier term, in which copies are looked for too.", metavar="FOLDER"),
    ] = None,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="A class page without names, to show in a lecture.")
    ] = False,
    repairs: Annotated[
        bool, typer.Option("--repairs/--no-repairs", help="Try small repairs on modules that stop early, for staff.")
    ] = True,
    scheduler: Annotated[str | None, typer.Option(help="A Dask scheduler to use. \\[default: this machine]")] = None,
    workers: Annotated[int, typer.Option(help="How many are graded at once here; 0: one a core.", min=0)] = 0,
    seed: Annotated[int | None, typer.Option(help="The same inputs for everyone. \\[default: drawn]", min=0)] = None,
    results: Annotated[Path | None, typer.Option(help="Where results are kept. \\[default: OUT/results]")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Grade everything again.")] = False,
    require_isolation: Annotated[
        bool, typer.Option("--require-isolation", help="Refuse to grade without strong isolation.")
    ] = False,
    assignment: Which = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Grade a class. Interrupted? Run the same command again; it resumes.

    \b
    Exit codes:
      0    everyone has points, or the reason why not
      2    bad usage, or nobody to grade
      3    the grader itself failed, may not read what a student handed in, or could not write a file
      130  stopped by Ctrl-C
    """
    from autograder.classroom.adjust import Adjustments
    from autograder.classroom.compare import changes, lines
    from autograder.classroom.others import Answers, earlier_modules, known_modules
    from autograder.classroom.page import closing_lines
    from autograder.classroom.run import Class, Options
    from autograder.grading.results import Results
    from autograder.platforms.nbgrader.around import course_around, extensions_of, gradebook_of
    from autograder.submissions.layouts import read_upload

    which, course = chosen(assignment), course_around(submissions)
    if out.resolve() == submissions.resolve():
        raise typer.BadParameter("choose another folder than that of the submissions", param_hint="--out")
    with exit_codes():
        kept = Results(results or out / "results", which, seed, require_isolation)
        for folder in (out, kept.folder):
            output.require_folder(folder)
        enrolled, until, earlier = _staff_files(roster, extensions or extensions_of(course), compare, which)
        answers, book = Answers(which), gradebook or gradebook_of(course)
        due, said = _due(which, book)
        upload = read_upload(submissions, due, enrolled, until, outputs=(out, kept.folder), visit=answers)
        upload = replace(upload, warnings=[*said, *(until.notes if until else ()), *upload.warnings])
        upload, recorded = _with_gradebook(upload, book, which, named=gradebook is not None)
        options = Options(
            Adjustments(tuple(drop or ()), tuple(give or ())),
            recorded,
            known_modules(which, submissions),
            earlier_modules(compare_with or (), which),
            answers.texts,
            anonymous,
            repairs and not compare,
            write=not compare,
        )
        taught = Class(upload, kept, out, options)
        taught.require_own()
        with output.only_one(kept.folder):
            if fresh:
                taught.forget()
            _grade_all(taught, len(upload.submitted), scheduler, workers, require_isolation, shown=not quiet)
            failed = taught.finish() if earlier is None else []
        if earlier is not None:
            _say(lines(changes(earlier, taught.entries), taught.entries))
            there = any((out / each).exists() for each in ("class.json", "grades.csv"))
            what = f"The grades in {out} are as they were." if there else f"No grades were written to {out}."
            _say([f"{what} Without --compare, the same command writes the new ones."])
            return
        if not quiet:
            _say(closing_lines(taught.figures))
            _say([f"Open {out / 'index.html'} in a browser."])
    if failed:
        errors.print(
            f"The grader could not read or grade {printable(', '.join(failed))}, which is no fault of theirs: the page "
            "says why. Once that is fixed, run the same command again.",
            markup=False,
            soft_wrap=True,
        )
        raise typer.Exit(GRADER_FAILED)


def _grade_all(taught: "Class", count: int, scheduler: str | None, workers: int, strong: bool, *, shown: bool) -> None:
    """Grade everyone of a class; typer.Exit if that is interrupted."""
    from autograder.classroom.adjust import NoSuchCheck
    from autograder.classroom.progress import ClassProgress
    from autograder.classroom.run import interruptible
    from autograder.sandbox.confine import hide_memory

    hide_memory()  # at a weak level, from submissions of the same user: it has what the whole class handed in
    try:
        with interruptible() as go_on, ClassProgress(console, count, taught.resume(), shown=shown) as progress:
            for each in taught.grade(scheduler, workers, strong):
                progress.done(each)
                go_on()
    except NoSuchCheck as error:
        raise typer.BadParameter(printable(str(error)), param_hint="--drop, --give") from None
    except (KeyboardInterrupt, output.CannotWrite) as reason:
        _complain(f"Stopped. {taught.graded} of {count} are graded; the same command goes on from there.", "")
        if isinstance(reason, output.CannotWrite):
            raise
        raise typer.Exit(INTERRUPTED) from None


@command(
    rich_help_panel=COURSE,
    epilog=examples(
        ("autograder export graded/ --canvas gradebook.csv --submissions submissions.zip --dry-run", "who gets what"),
        ("autograder export graded/ --gradescope roster.csv --to out/", "write the files"),
    ),
)
def export(
    graded: Annotated[Path, typer.Argument(help="What `autograder class` wrote.")],
    to: Annotated[Path, typer.Option(help="The folder that gets the files.")] = Path("out"),
    canvas: Annotated[Path | None, typer.Option(help="Canvas' “Export Entire Gradebook”.")] = None,
    submissions: Annotated[
        Path | None, typer.Option(help="Canvas' “Download Submissions”: feedback takes its names from there.")
    ] = None,
    gradescope: Annotated[Path | None, typer.Option(help="Gradescope's roster.")] = None,
    column: Annotated[str | None, typer.Option(help="The assignment's column. \\[default: by its title]")] = None,
    parts: Annotated[bool, typer.Option("--parts", help="A column for each part, too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print who gets what; write nothing.")] = False,
    assignment: Which = None,
) -> None:
    """Write a class's grades and feedback in the files that Canvas or Gradescope takes.

    Exit codes: 0 written; 2 bad usage, or the class and the roster do not fit together; 3 could not be written.
    """
    from autograder.classroom.outgoing import CannotExport, feedback, joined, lines, read_graded
    from autograder.platforms.canvas import grades as for_canvas
    from autograder.platforms.gradescope import grades as for_gradescope
    from autograder.submissions.files import NothingToGrade
    from autograder.submissions.roster import RosterError, read_roster

    which = chosen(assignment)
    path = canvas or gradescope
    if path is None or (canvas and gradescope):
        raise typer.BadParameter("name one roster, with --canvas or --gradescope")
    if submissions and not canvas:
        raise typer.BadParameter("--submissions belongs to --canvas")
    with one_line(CannotExport, RosterError, NothingToGrade, OSError):
        found, roster = read_graded(graded), read_roster(path)
        rows = joined(found, roster)
        if canvas:
            names = for_canvas.feedback_names(submissions, rows, roster, which) if submissions else {}
            column = column or for_canvas.column_of(which, roster, path.name)
            warnings = for_canvas.new_column(column, roster)
            warnings += for_canvas.without_feedback(rows, names, submissions) if submissions else []
            content = for_canvas.gradebook(rows, roster, found, column, parts)
        else:
            warnings = []
            names = for_gradescope.feedback_names(rows)
            content = for_gradescope.gradebook(rows, found, column or which.title, parts)
        said = lines(rows, found.most, names)
        if dry_run:
            _say([*said, *warnings, "Nothing was written."])
            return
        output.require_folder(to)
        grades = to / ("canvas.csv" if canvas else "gradescope.csv")
        output.require_distinct({"the roster": path, "the file to write": grades})
        if submissions:
            output.require_distinct({"--submissions": submissions, "the file to write": to / "feedback.zip"})
        output.write(grades, content)
        written = [grades]
        if names:
            written.append(output.write_archive(to / "feedback.zip", feedback(rows, names)))
    _say([said[-1], *warnings, *(f"Wrote {each}" for each in written)])


def _say(lines: list[str]) -> None:
    for line in lines:
        console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def _staff_files(
    roster: Path | None, extensions: Path | None, compare: Path | None, assignment: Assignment
) -> "tuple[Roster | None, Extensions | None, dict[str, Earlier] | None]":
    """The roster, the extensions and the class to compare with, of those that are given."""
    from autograder.classroom.compare import NotAClass, read_class
    from autograder.submissions.roster import RosterError, read_extensions, read_roster

    try:
        return (
            read_roster(roster) if roster else None,
            read_extensions(extensions, assignment.names, assignment.course) if extensions else None,
            read_class(compare) if compare else None,
        )
    except (RosterError, NotAClass) as error:
        raise typer.BadParameter(printable(str(error))) from None


def _due(assignment: Assignment, gradebook: str | None) -> tuple[Assignment, list[str]]:
    """The assignment with the due date of the gradebook, by which nbgrader counts; and what to say if it is another."""
    if gradebook is None:
        return assignment, []
    try:
        from autograder.platforms.nbgrader.gradebook import due_in
    except ModuleNotFoundError:
        return assignment, []  # `_with_gradebook` says what is missing
    due = due_in(gradebook, assignment.kit)
    if due is None or due == due_date(assignment.due):
        return assignment, []
    said = f"the due date of the gradebook counts, {due:%Y-%m-%d %H:%M} UTC; that of the assignment is {assignment.due}"
    return replace(assignment, due=due.isoformat(timespec="seconds")), [said]


def _with_gradebook(
    upload: "Upload", address: str | None, assignment: Assignment, *, named: bool
) -> "tuple[Upload, Mapping[str, Recorded]]":
    """The class joined with nbgrader's gradebook, if one is named or the course has one that fits."""
    if address is None:
        return upload, {}
    try:
        from autograder.platforms.nbgrader.gradebook import NoGradebook, join
    except ModuleNotFoundError as error:
        raise typer.BadParameter(f"{error}: install the autograder with its extra `notebook`") from None
    try:
        return join(upload, address, assignment)
    except NoGradebook as error:
        if named:
            raise typer.BadParameter(printable(str(error)), param_hint="--gradebook") from None
        return replace(upload, warnings=[*upload.warnings, f"the course's gradebook was left out: {error}"]), {}


@command(rich_help_panel=ABOUT)
def doctor() -> None:
    """Show what this machine offers: Python, torch, isolation levels, and how a submission is bounded here."""
    from importlib.metadata import PackageNotFoundError, version

    from rich.markup import escape

    from autograder.grading import GraderError
    from autograder.grading.process import temporary_folder
    from autograder.sandbox import isolation as levels

    table = Table("What", "Found")
    table.add_row("Python", f"{sys.version.split()[0]} at {sys.executable}")
    for package in ("torch", "torchvision", "pytest", "nbgrader"):
        try:
            found = version(package)
        except PackageNotFoundError:
            found = "not installed"
        table.add_row(package, found)
    try:
        with temporary_folder() as folder:
            table.add_row("temporary files", escape(f"in {printable(os.path.dirname(folder))}"))
    except GraderError as error:
        table.add_row("temporary files", _plain(printable(str(error))))
    for level in levels.LEVELS:
        reason = levels.why_not(level.name) or levels.why_exposed(level.name, levels.PACKAGE / "assignments")
        strength = "strong" if level.strong else "weak"
        note = f"[green]works[/] ({strength}: {levels.summary(level.name)})" if reason is None else None
        table.add_row(f"isolation: {level.name}", note or _plain(f"does not work: {reason}"))
    table.add_row("used by default", levels.strongest().name)
    for what, bound in levels.bounds().items():
        table.add_row(f"bound: {what}", _plain(bound) if "not bounded" in bound else bound)
    console.print(table)


def _plain(text: str) -> Any:
    from rich.text import Text

    return Text(text, style="yellow")


@command(rich_help_panel=ABOUT)
def schema() -> None:
    """Print the JSON Schema of what `autograder grade --json` writes."""
    from autograder.report.model import JSON_SCHEMA

    print(JSON_SCHEMA.read_text("utf-8"), end="")


@command("fill-in", rich_help_panel=COURSE)
def fill_in_command(
    out: Annotated[Path | None, typer.Argument(help="Where to write it. \\[default: under its own name here]")] = None,
    assignment: Which = None,
) -> None:
    """Write the students' fill-in module, generated from the solution."""
    from autograder.fill_in import fill_in

    which = chosen(assignment)
    destination = out or Path(which.module)
    with one_line(OSError, ValueError):
        output.require_writable(destination)
        output.write(destination, fill_in(which))
    if output.descriptor(destination) != 1:
        console.print(f"Wrote {destination}", markup=False, soft_wrap=True)


@command(rich_help_panel=COURSE)
def rollover(
    check: Annotated[bool, typer.Option("--check", help="Show what is out of step; change nothing.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="Measure the figures that depend on the data in this folder (minutes).")
    ] = None,
    assignment: Which = None,
) -> None:
    """Bring the solution, the notebook, its checks and the manuals in step with the assignment's assignment.py.

    Exit codes: 0 in step; 1 with --check, something is not; 2 the assignment file or a passage needs a person.
    """
    from autograder.authoring import rollover as term

    which = chosen(assignment)
    if data is not None:
        console.print("Training the solution on the data; this takes some minutes.")
    with one_line(OSError, ValueError):
        files = term.out_of_step(which, data)
        warning = term.warning(which)
        if not check:
            for path in files:
                output.require_writable(path)
        for path, (old, new) in files.items():
            _show_change(path.relative_to(which.root).as_posix(), term.changed_lines(old, new))
            if not check:
                output.write(path, new)
    if not files:
        console.print(f"Everything is in step with {which.name}'s assignment.py.", markup=False)
        return
    if warning:
        console.print(warning, style="yellow", markup=False)
    if check:
        console.print(f"Files out of step: {len(files)}. To bring them in step, run: autograder rollover")
        raise typer.Exit(OUT_OF_STEP)
    console.print(f"Files written: {len(files)}. Now run the tests and look at the notebook, as docs/rollover.md says.")


def _show_change(name: str, lines: list[str]) -> None:
    console.print(name, style="bold", highlight=False)
    for line in lines:
        style = "red" if line.startswith("-") else "green"
        console.print(f"  {line}", style=style, markup=False, highlight=False, soft_wrap=True)


@command(rich_help_panel=COURSE)
def release(
    out: Annotated[Path, typer.Option(help="The folder that gets the kit.")] = Path("out"),
    github: Annotated[bool, typer.Option("--github", help="A template repository whose workflow grades.")] = False,
    repository: Annotated[
        str | None, typer.Option(help="With --github: OWNER/NAME of your repository. \\[default: public checks alone]")
    ] = None,
    ref: Annotated[str | None, typer.Option(help="With --repository: the tag or commit of it to grade with.")] = None,
    assignment: Which = None,
) -> None:
    """Build the students' kit, a zip: the notebook and what goes with it, without any solution.

    With --github a folder to push as a template repository, which grades each push: with the public checks, or, with
    --repository and --ref, with the graded ones. docs/ci.md explains who can read and change what.
    """
    from autograder.authoring.kit import build_kit
    from autograder.platforms.github.build import build_template

    if (repository or ref) and not github:
        raise typer.BadParameter("--repository and --ref belong to --github")
    which = chosen(assignment)
    with one_line(OSError, ValueError):
        output.require_folder(out)
        kit = build_template(which, out, repository, ref) if github else build_kit(which, out)
    console.print(f"Wrote {kit}", markup=False, soft_wrap=True)


@command(rich_help_panel=COURSE)
def course(
    folder: Annotated[Path, typer.Argument(help="The nbgrader course to make, or to refresh the assignment in.")],
    assignment: Which = None,
) -> None:
    """Set up an nbgrader course with this assignment."""
    try:
        from autograder.platforms.nbgrader.course import build_course
    except ModuleNotFoundError as error:
        raise typer.BadParameter(f"{error}: install the autograder with its extra `notebook`") from None
    which = chosen(assignment)
    with one_line(OSError, ValueError):
        output.require_folder(folder)
        source = build_course(which, folder)
    console.print(f"Wrote {source}. Go on in {folder}: README.md there has the commands.", markup=False)


@command(
    rich_help_panel=COURSE,
    epilog=examples(("autograder gradescope --out .", "then upload autograder.zip; docs/ci.md has the settings")),
)
def gradescope(
    out: Annotated[Path, typer.Option(help="The folder that gets autograder.zip.")],
    visibility: Annotated[
        Visibility, typer.Option(help="When students see the checks that are not on the worked examples.")
    ] = "after_due_date",
    assignment: Which = None,
) -> None:
    """Build the autograder that Gradescope runs on each upload."""
    from importlib.metadata import PackageNotFoundError

    from autograder.platforms.gradescope.build import build_zip

    which = chosen(assignment)
    with one_line(OSError, ValueError):
        output.require_folder(out)
        try:
            built = build_zip(which, out, visibility)
        except PackageNotFoundError:
            raise typer.BadParameter("install the autograder first: pip install .") from None
    console.print(f"Wrote {built}. Upload it under “Configure Autograder”; docs/ci.md has the settings.", markup=False)
