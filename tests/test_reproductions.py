"""The lines under a failed check print in a student's own Python what the report says that they print."""

import ast
import dataclasses
import io
import json
import re
import subprocess
import symtable
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import autograder.assignments.cvae.solution.cs5814_vae as solution
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.checks import probes
from autograder.grading.grade import grade_source
from autograder.grading.reproduce import MACHINE, Failed, Probe, agree, reference_prints, reproduce
from autograder.platforms.gradescope import results
from autograder.platforms.nbgrader import grades
from autograder.report import html, junit, markdown, summary, terminal
from autograder.report.model import Check, Outcome, PartReport, Report, Reproduction
from autograder.sandbox import client
from autograder.sandbox.client import Sandbox
from autograder.sandbox.errors import Raised
from autograder.sandbox.limits import LIMITS
from tests.submissions.side_by_side import Pool, grade_wrong, selected
from tests.submissions.wrong import WRONG, Wrong, source

EVERY, SLOW = 24, 6  # of the wrong modules: those that are tried every time, and where slow tests run
PROBES = list(
    {each for name, every in vars(probes).items() if re.fullmatch("[A-Z]+(_[A-Z]+)*", name) for each in every}
)
# A student's Python: for each line of stdin, a folder and a text, a fresh process that has imported torch and nothing
# else pastes the text and tells what it printed.
_STUDENT = """
import json, os, sys
import torch
import torch.nn.functional as F
torch.set_num_threads(1)
for line in sys.stdin:
    folder, text = json.loads(line)
    if os.fork() == 0:
        os.chdir(folder)
        printed = []
        names = {"torch": torch, "F": F, "print": lambda *values: printed.append(" ".join(map(str, values)))}
        try:
            exec("import cs5814_vae", names)
            exec(text, names)
            said = "\\n".join(printed)
        except (Exception, SystemExit) as error:
            said = f"{type(error).__name__}: {error}".removesuffix(": ")
        os.write(1, (json.dumps(said) + "\\n").encode())
        os._exit(0)
    os.wait()
"""


@pytest.fixture(scope="module")
def student() -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", _STUDENT], stdin=pipe, stdout=pipe, text=True, bufsize=1) as process:
        yield process


def printed(student: subprocess.Popen[str], module: str, folder: Path, texts: list[str]) -> list[str]:
    """What each text prints, pasted into a Python of its own next to the module."""
    assert student.stdin
    assert student.stdout
    (folder / CVAE.module).write_text(module, "utf-8")
    found = []
    for text in texts:
        student.stdin.write(json.dumps([str(folder), text]) + "\n")
        found.append(next(json.loads(line) for line in student.stdout if line.startswith('"')))
    return found


@pytest.fixture(scope="module")
def reports(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Report]]]:
    pool = Pool()
    yield pool.submit(grade_wrong, [wrong.name for wrong in selected(request, "wrong")])
    pool.close()


def failed(report: Report) -> list[Check]:
    ended = (Outcome.FAILED, Outcome.ERROR)
    return [check for part in report.parts for check in part.checks if check.outcome in ended]


def marks(index: int) -> tuple[pytest.MarkDecorator, ...]:
    """How often the module of this number is tried."""
    if index % EVERY == 0:
        return ()
    return (pytest.mark.slow,) if index % SLOW == 0 else (pytest.mark.exhaustive,)


@pytest.mark.parametrize(
    "wrong",
    [pytest.param(wrong, id=wrong.name, marks=marks(index)) for index, wrong in enumerate(WRONG)],
)
def test_pasted_lines_print_what_is_said(
    wrong: Wrong, reports: dict[str, Future[Report]], student: subprocess.Popen[str], tmp_path: Path
) -> None:
    report: Report = reports[wrong.name].result()
    shown = list({str(each): each for check in failed(report) if (each := check.reproduction)}.values())
    for each, found in zip(
        shown, printed(student, source(wrong), tmp_path, [str(each) for each in shown]), strict=True
    ):
        tolerance = 0.01 if each.approximate else 1e-5
        assert agree(found.strip(), each.received, tolerance), each
        assert not agree(found.strip(), each.expected, tolerance), each
    if report.error is None:
        bare = [check for check in failed(report) if check.reproduction is None]
        assert all("training run" in check.name or MACHINE & set(check.misconceptions) for check in bare), bare


def test_the_solution_prints_what_is_expected(student: subprocess.Popen[str], tmp_path: Path) -> None:
    own = Path(str(solution.__file__)).read_text("utf-8")
    for probe, found in zip(PROBES, printed(student, own, tmp_path, [each.lines for each in PROBES]), strict=True):
        assert agree(found, reference_prints(CVAE, probe.lines), 1e-4), probe


def test_no_lines_change_the_reference() -> None:
    """It is that of the next submissions, too."""
    before = dict(vars(solution))
    for probe in PROBES:
        reference_prints(CVAE, probe.lines)
    reference_prints(CVAE, "cs5814_vae.sample_latent = None\nprint(1)")
    assert {name: value for name, value in vars(solution).items() if name in before} == before


def test_no_lines_hold_the_solution() -> None:
    own = Path(str(solution.__file__)).read_text("utf-8")
    written = "".join(re.findall(r"### BEGIN SOLUTION.*?\n(.*?)### END SOLUTION", own, re.DOTALL))
    lines = {line.strip() for line in written.splitlines() if "(" in line}
    assert len(lines) > 15
    said = "\n".join(probe.lines for probe in PROBES)
    assert not [line for line in lines if line in said]
    assert not re.search(r"\b(exp|randn\w*|log|pow|square|binary_cross_entropy\w*|ReLU|Sigmoid|Linear)\(", said)


def names_of(lines: str) -> tuple[set[str], set[str]]:
    """The names that lines assign on the outermost level, and those of that level that they use anywhere."""
    outermost = symtable.symtable(lines, "lines", "exec")
    tables = [outermost]
    for table in tables:
        tables += table.get_children()
    symbols = [(table, symbol) for table in tables for symbol in table.get_symbols()]
    return (
        {
            each.get_name()
            for table, each in symbols
            if table is outermost and (each.is_assigned() or each.is_imported())
        },
        {
            each.get_name()
            for table, each in symbols
            if each.is_referenced() and (table is outermost or each.is_global())
        },
    )


def test_no_lines_overwrite_what_a_later_cell_uses() -> None:
    cells = json.loads((CVAE.root / CVAE.notebook).read_text("utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    made = [names_of(re.sub(r"(?m)^(\s*)[%!].*", r"\1pass", text)) for text in texts]
    shared = {name for assigned, used in made for name in used - assigned}
    assert {"condition", "losses", "cvae_model", "train_model"} <= shared
    assert not [probe for probe in PROBES if names_of(probe.lines)[0] & shared]


_TEXTS = st.text(st.characters(codec="utf-8"), max_size=80)


@given(_TEXTS, _TEXTS, st.booleans())
def test_answers_never_become_code(received: str, expected: str, approximate: bool) -> None:
    lines = "model = 1\nprint(model)"
    shown = str(Reproduction(lines, received, expected, approximate))
    assert ast.dump(ast.parse(shown)) == ast.dump(ast.parse(lines))


_NUMBERS = st.lists(st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-3), min_size=1, max_size=5)


_PRINTED = st.lists(
    st.sampled_from(("#", "tensor([", ", ", "])", " ", "\n", "inf", "nan", "1", "-2.5e3", "1e999", "\ud800", "²", "_"))
    | st.text(max_size=3)
).map("".join)


@given(_PRINTED, _PRINTED)
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    assert agree(one, one, 1e-3)
    assert agree(one, other, 1e-3) == agree(other, one, 1e-3) or re.search(r"\d|inf", one + other)


class _Prints:
    """In a submission's place: prints this, or raises an exception that is called so."""

    def __init__(self, text: str, raised: bool) -> None:
        self.text, self.raised = text, raised

    def run(self, lines: str, seed: int, fresh: bool) -> str:
        if self.raised:
            raise Raised(self.text, self.text)
        return self.text


class _Stops:
    """In a submission's place: lines that hold "stop" raise, and others print what they should not."""

    def run(self, lines: str, seed: int, fresh: bool) -> str:
        if "stop" in lines:
            raise Raised("RuntimeError", "sizes")
        return "0"


@pytest.mark.parametrize("raises", [False, True])
def test_an_error_is_shown_by_lines_that_raise_it(raises: bool) -> None:
    submission: Any = _Stops()
    check, every = (
        Check("a check", Outcome.FAILED, 0, 1),
        tuple(Probe(f"print(len({text!r}))") for text in ("go", "stop")),
    )
    reproduce([Failed("a part", check, raises, every)], submission, CVAE)
    assert check.reproduction is not None
    assert ("stop" in check.reproduction.lines) is raises


@given(_PRINTED, st.booleans(), st.booleans(), st.sampled_from(PROBES))
def test_whatever_is_printed_is_shown_or_not(text: str, raised: bool, raises: bool, probe: Probe) -> None:
    submission: Any = _Prints(text, raised)
    check = Check("a check", Outcome.FAILED, 0, 1)
    reproduce([Failed("a part", check, raises, (probe,))], submission, CVAE)
    assert check.reproduction is None or probe.lines.startswith(check.reproduction.lines)


@given(_NUMBERS, st.floats(0.001, 0.3))
def test_texts_agree_up_to_the_tolerance(numbers: list[float], tolerance: float) -> None:
    near = [x * (1 + 0.5 * tolerance) for x in numbers]
    far = [x + 3 * tolerance * (abs(x) + sum(map(abs, numbers))) for x in numbers]
    expected = f"tensor({numbers})"
    assert agree(f"tensor({near}, grad_fn=<MulBackward0>)", expected, tolerance)
    assert not agree(f"tensor({far})", expected, tolerance)
    assert not agree(f"tensor({[*numbers, 1.0]})", expected, tolerance)
    assert not agree(f"tensor({[float('nan'), *numbers[1:]]})", expected, tolerance)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def test_lines_that_hang_are_not_repeated(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LIMITS", dataclasses.replace(LIMITS, run_s=1.0))
    looping = Path(str(solution.__file__)).read_text("utf-8").replace(
        "    std = torch.exp(0.5 * logvariances)\n",
        "    while len(means) == 10000: pass\n    std = torch.exp(logvariances)\n",
    )  # fmt: skip
    report = grade_source("looping", looping.encode(), sandbox, seed=1)
    assert failed(report)
    assert not any(check.reproduction for check in failed(report))
    assert report.timings["reproduce what failed, and notes"] < 6


def test_lines_that_always_show_it_need_no_restart(sandbox: Sandbox) -> None:
    wrong = SOLUTION.replace("torch.exp(0.5 * logvariances)", "torch.exp(logvariances)")
    shown = [check.reproduction for check in failed(grade_source("wrong", wrong.encode(), sandbox, seed=1))]
    assert [each and each.restart for each in shown] == [False]


def test_the_order_of_restart_first_cell_and_lines_is_said() -> None:
    stays, restart = (Reproduction("print(1)", "1", "2", restart=each) for each in (False, True))
    assert "estart" not in summary.paste(stays)
    for said in (summary.paste(restart), summary.paste(stays, restart)):
        places = [said.index(words) for words in ("Restart the kernel", "first code cell", "paste these lines")]
        assert places == sorted(places)


@pytest.mark.parametrize("right", ["calls == 1", "calls > 1", "calls > 2", "calls % 2"])
def test_what_a_module_remembers_is_shown_as_it_is_when_fresh(
    sandbox: Sandbox, student: subprocess.Popen[str], tmp_path: Path, right: str
) -> None:
    remembers = "calls = 0\n" + SOLUTION.replace(
        "    std = torch.exp(0.5 * logvariances)\n",
        f"    global calls\n    calls += 1\n    std = torch.exp((0.5 if {right} else 1.0) * logvariances)\n",
    )
    (tmp_path / CVAE.module).write_text(remembers, "utf-8")
    with sandbox.submission(remembers.encode()) as submission:
        check = Check("spread", Outcome.FAILED, 0, 1)
        every = (*probes.INDEPENDENT, *probes.SPREAD)
        reproduce([Failed("sample_latent", check, False, every)], submission, CVAE)
    shown = check.reproduction
    assert (shown is None) == (right in ("calls == 1", "calls % 2"))
    if shown:
        assert shown.restart
        assert agree(printed(student, remembers, tmp_path, [shown.lines])[0], shown.received, 1e-3)


def test_lines_run_without_stand_ins(sandbox: Sandbox) -> None:
    with sandbox.submission(b"def double(x): return 3 * x\n") as submission:
        submission.stand_in({"double": lambda x: 2 * x})
        module = CVAE.module.removesuffix(".py")
        assert submission.run(f"print({module}.double(2))") == "6"


OF_THE_LOSS = "RECONSTRUCTION", "DIVERGENCE", "MINIBATCH", "IMAGE_SHAPE", "LOSS_GRADIENTS", "FINITE", "LOOPS"
SOLUTION = Path(str(solution.__file__)).read_text("utf-8")


@pytest.mark.parametrize(
    ("given_back", "kind"),
    [("loss, loss", "tuple"), ("float(loss)", "float"), ("None", "NoneType"), ("[loss] * 3", "list")],
)
def test_a_loss_that_is_no_tensor_is_shown_as_that(
    sandbox: Sandbox, given_back: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.grading.reproduce.PATIENCE_S", 60.0)
    own = "_own = loss_function\ndef loss_function(*given):\n    loss = _own(*given)\n    return "
    with sandbox.submission(f"{SOLUTION}\n{own}{given_back}\n".encode()) as submission:
        checks = [Check(name, Outcome.FAILED, 0, 1, name) for name in OF_THE_LOSS]
        every = [Failed("loss_function", each, None, getattr(probes, each.name)) for each in checks]
        reproduce(every, submission, CVAE)
    shown = [each.reproduction for each in checks]
    assert [(each.received, each.expected) for each in shown if each] == [(kind, "Tensor")] * len(checks)


@pytest.mark.parametrize("name", OF_THE_LOSS)
def test_an_error_is_shown_where_a_number_is_due(sandbox: Sandbox, name: str) -> None:
    with sandbox.submission(b"def loss_function(*given):\n    raise ValueError('no scale')\n") as submission:
        check = Check(name, Outcome.ERROR, 0, 1, name)
        reproduce([Failed("loss_function", check, True, getattr(probes, name))], submission, CVAE)
    shown = check.reproduction
    assert shown
    assert "no scale" in shown.received
    assert re.search(r"\d", shown.expected) or not any(
        re.search(r"\d", reference_prints(CVAE, each.lines)) for each in getattr(probes, name)
    )


@pytest.mark.parametrize("cut", [1e-12, 1e-6])
@pytest.mark.parametrize("log", ["torch.log({} + CUT)", "torch.log(({}).clamp(min=CUT))"])
def test_logarithms_may_be_cut_off_anywhere_near_0(
    student: subprocess.Popen[str], log: str, cut: float, tmp_path: Path
) -> None:
    black, white = (log.format(each) for each in ("1 - reconstructions", "reconstructions"))
    by_hand = f"-(originals * {white} + (1 - originals) * {black}).sum()"
    source = re.sub(r"F\.binary_cross_entropy\(.*\)", by_hand.replace("CUT", repr(cut)), SOLUTION)
    assert by_hand.replace("CUT", repr(cut)) in source
    shown = [probe.lines for probe in probes.FINITE]
    for lines, found in zip(shown, printed(student, source, tmp_path, shown), strict=True):
        assert agree(found, reference_prints(CVAE, lines), 1e-3), lines


def test_every_rendering_shows_the_lines() -> None:
    lines = Reproduction("print(f(1) < 2)", "<b>`no`", "True\nand more")
    check = Check("A check", Outcome.FAILED, 0.0, CVAE.points, "Wrong.", reproduction=lines)
    report = Report.of(CVAE, parts=[PartReport("encoder", CVAE.points, [check])])
    console = Console(record=True, width=120, file=io.StringIO())
    terminal.render(report, console)
    text = ElementTree.fromstring(junit.render(report)).find(".//failure")
    shown = {
        "html": html.render(report),
        "markdown": markdown.render(report),
        "terminal": console.export_text(),
        "junit": (text.text if text is not None else None) or "",
        "nbgrader": grades.result(report.parts[0], report, CVAE.points)["data"]["text/html"],
        "gradescope": json.dumps(results.render(report)),
    }
    escaped = {"html", "nbgrader", "gradescope"}
    for name, page in shown.items():
        page = page.replace("&#39;", "'")
        wanted = ("print(f(1) < 2)", "# gives <b>`no`", "# should be True", "#     and more")
        for line in wanted:
            line = line.replace("<", "&lt;").replace(">", "&gt;") if name in escaped else line
            assert line in page, (name, line)
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report
