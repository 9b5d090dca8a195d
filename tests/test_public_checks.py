"""The checks that students run: they pass what is right, say what grading says, and hold no solution."""

import ast
import html
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import chain, combinations
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

from autograder.assignments.cvae import assignment
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.kit import table_of_hints
from autograder.fill_in import fill_in, without_solutions
from autograder.grading import hints
from autograder.grading.grade import grade_source
from autograder.report.model import Report
from autograder.sandbox.client import Sandbox
from tests.submissions import correct, wrong
from tests.submissions.thinned import thinned

PUBLIC_CHECKS = Path(__file__).parents[1] / "notebooks" / "public_checks.py"
FILES = [PUBLIC_CHECKS.with_name(name) for name in ("public_checks.py", "check_tools.py", "hints.json")]
PARTS = [part.name for part in assignment.PARTS]
SOLUTION = CVAE.solution.read_text("utf-8")
# Where the notebook and grading may differ: the module and the part, and why.
DIFFERENT = {
    ("decoder-with-steep-softplus", "decoder"): "only the many numbers of grading show it: it is within 0.014 of ReLU",
    ("gradient-of-a-weight-scaled", "forward"): "the notebook replaces the layers, and so their hooks",
    ("wrong-draw-by-a-helper-of-both", "forward"): "one mistake costs points once, and the notebook shows each place",
    ("everything-frozen", "decoder"): "the same",
    ("logvariance-head-on-the-image", "forward"): "the same",
    ("all-biases-buffers", "decoder"): "the same",
    ("all-weights-in-plain-tensors", "decoder"): "the same",
    ("all-weights-in-plain-tensors", "forward"): "the same",
    ("weights-of-double-precision", "decoder"): "the same",
    ("default-type-of-double-precision", "decoder"): "the same",
    ("default-type-of-double-precision", "sample_latent"): "the notebook's own numbers get the default type, too",
    ("default-type-of-double-precision", "loss_function"): "the notebook's own numbers get the default type, too",
    ("everything-detached-by-a-class-of-layers", "decoder"): "the same",
}


def load_public_checks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("public_checks", PUBLIC_CHECKS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The public checks, looking at `tmp_path / "cs5814_vae.py"`."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)  # where a module may leave files
    module = load_public_checks()
    monkeypatch.setattr(sys.modules["check_tools"], "_path", lambda: tmp_path / "cs5814_vae.py")
    threads = torch.get_num_threads()
    yield module
    # Some submissions change PyTorch for everyone.
    torch.set_grad_enabled(True)
    torch.set_num_threads(threads)
    torch.set_default_dtype(torch.float32)
    torch.autograd.set_detect_anomaly(False)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], int]:
    """Write the module that the checks look at."""
    return lambda source: (tmp_path / "cs5814_vae.py").write_bytes(correct.encoded(source))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as found:
        yield found


def passes(checks: ModuleType, part: str) -> bool:
    try:
        checks.check(part)
    except checks.ChecksFailedError:
        return False
    return True


def judged(checks: ModuleType) -> dict[str, bool]:
    """Whether each part passes, without those that are skipped because another part has to be right first."""
    found = {}
    for part in PARTS:
        told = [hint for _, hint, _ in checks.outcomes(part) if hint]
        if not told or not all(hint.startswith("Skipped: ") for hint in told):
            found[part] = not told
    return found


def edited(old: str, new: str) -> str:
    assert old in SOLUTION
    return SOLUTION.replace(old, new, 1)


def test_parts_and_sizes_are_those_of_the_assignment(checks: ModuleType) -> None:
    assert list(checks.CHECKS) == PARTS
    assert checks.table()["sizes"] == {
        "input_dim": assignment.INPUT_DIM,
        "num_categories": assignment.NUM_CATEGORIES,
        "latent_dimensionality": assignment.LATENT_DIMENSIONALITY,
        "hidden_size": assignment.HIDDEN_SIZE,
    }


@pytest.mark.parametrize("part", PARTS)
def test_solution_passes(
    checks: ModuleType, write: Callable[[str], int], capfd: pytest.CaptureFixture[str], part: str
) -> None:
    write(SOLUTION)
    checks.check(part)
    out, err = capfd.readouterr()
    assert "✗" not in out
    assert "✓" in out
    assert err == "", "nbgrader gives no points to a test cell that writes to stderr"


# One judgment -------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("default")  # what a module warns of is not ours
@pytest.mark.parametrize("name", thinned(correct.CORRECT))
def test_every_correct_style_passes(checks: ModuleType, write: Callable[[str], int], name: str) -> None:
    write(correct.CORRECT[name])
    assert judged(checks) == dict.fromkeys(PARTS, True)


def differences(checks: ModuleType, report: Report, name: str) -> set[str]:
    """The parts that the public checks judge, and judge otherwise than grading did."""
    graded = {part.name: part.score == part.max_score for part in report.parts}
    return {part for part, passed in judged(checks).items() if passed != graded[part] and (name, part) not in DIFFERENT}


@pytest.mark.parametrize("mistake", thinned(wrong.WRONG))
def test_notebook_and_grading_agree_part_by_part(
    checks: ModuleType, write: Callable[[str], int], mistake: wrong.Wrong, sandbox: Sandbox
) -> None:
    source = wrong.source(mistake)
    write(source)
    report = grade_source(mistake.name, correct.encoded(source), sandbox, seed=assignment.SEED)
    assert differences(checks, report, mistake.name) == set()


EXAMPLES = {path.name for path in (Path(__file__).parents[1] / "examples").iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EXAMPLES - {"endless-loop"}))  # which a notebook waits for until it is stopped
def test_notebook_and_grading_agree_on_the_examples(
    checks: ModuleType, write: Callable[[str], int], name: str, sandbox: Sandbox
) -> None:
    source = (Path(__file__).parents[1] / "examples" / name / "cs5814_vae.py").read_text("utf-8")
    write(source)
    assert differences(checks, grade_source(name, source.encode(), sandbox, seed=assignment.SEED), name) == set()


def test_every_exception_names_a_module_there_is() -> None:
    names = {each.name for each in wrong.WRONG} | {*correct.CORRECT}
    assert {name for name, _ in DIFFERENT} <= names


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("    return means + std", "    return std", "training"),
        ("/ means.shape[0]", "", "training"),
    ],
)
def test_what_needs_another_part_is_skipped_and_says_so(
    checks: ModuleType, write: Callable[[str], int], capsys: pytest.CaptureFixture[str], old: str, new: str, part: str
) -> None:
    write(edited(old, new))
    assert not passes(checks, part)
    assert "Skipped: training uses everything above" in capsys.readouterr().out
    assert judged(checks)["forward"], "which a stand-in judges"


# Hints ---------------------------------------------------------------------------------------------------------------

HINTS = [
    ("0.5 * logvariances)", "logvariances)", "sample_latent", "variance-as-std"),
    ("torch.randn_like(std)", "torch.randn_like(std[:1])", "sample_latent", "noise-shared-across-rows"),
    ("torch.randn_like(std)", "torch.rand_like(std)", "sample_latent", "uniform-noise"),
    ("/ means.shape[0]", "", "loss_function", "summed-over-batch"),
    ("logvariances.exp())", "logvariances)", "loss_function", "kl-without-exp"),
    ('reduction="sum"', 'reduction="mean"', "loss_function", "reconstruction-averaged-over-pixels"),
    ("1 + logvariances", "1 + 2 * logvariances", "loss_function", "kl-logvariance-weight"),
    ("-0.5 *", "-0.05 *", "loss_function", "kl-scaled"),
    ("            nn.Sigmoid(),\n", "", "decoder", "decoder-no-sigmoid"),
    ("nn.ReLU()", "nn.Tanh()", "encoder", "encoder-activation"),
    ("nn.ReLU()", "nn.ReLU6()", "encoder", "encoder-activation"),
    ("nn.ReLU()", "nn.Dropout(0.3)", "encoder", "encoder-normalisation"),
    ("self.mean_layer(hidden)\n", "self.mean_layer(hidden).relu()\n", "encoder", "mean-head-activated"),
    ("self.logvariance_layer(hidden)\n", "self.logvariance_layer(hidden).exp()\n", "encoder",
     "logvariance-head-activated"),
    ("mean_params, logvariance_params\n", "mean_params, logvariance_params.exp()\n", "forward", "result-changed"),
    ("decoder(torch.cat((latents,", "decoder(torch.cat((mean_params,", "forward", "mean-instead-of-sample"),
    ("sample_latent(mean_params, logvariance_params)\n",
     "sample_latent(mean_params, logvariance_params) if self.training else mean_params\n", "forward",
     "no-draw-in-evaluation"),
    ("torch.cat((latents, condition)", "torch.cat((condition, latents)", "forward", "condition-first"),
    ("import torch\n", "import torch:\n", "encoder", "syntax"),
    ("import torch\n", "import torch\n  x = 1\n", "encoder", "indentation"),
    ("nn.Linear", "nn.Liner", "encoder", "not-in-library"),
    ("torch.cat((latents, condition), dim=-1)", "latents", "forward", "decoder-row-length"),
    ("import torch\n", "import torch  # \0\n", "encoder", "null-byte"),
    ("import torch\n", "import torch\nHALF = \u2212 0.5\n", "encoder", "invalid-character"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "part", "mistake"), HINTS, ids=[f"{each[3]}-{i}" for i, each in enumerate(HINTS)]
)
def test_hints_are_those_of_grading_word_by_word(
    checks: ModuleType, write: Callable[[str], int], old: str, new: str, part: str, mistake: str
) -> None:
    write(edited(old, new))
    known = hints.hint(CVAE, mistake)
    told = [line for _, hint, _ in checks.outcomes(part) for line in hint.splitlines()[1:]]
    assert f"{known.title}. {known.text}" in told


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "cp1252"])
def test_a_module_in_another_encoding_is_told_as_such(checks: ModuleType, tmp_path: Path, encoding: str) -> None:
    (tmp_path / "cs5814_vae.py").write_bytes(f"{SOLUTION}\nname = 'naïve'\n".encode(encoding, "replace"))
    known = hints.hint(CVAE, "encoding")
    ((_, told, _), *_) = [each for each in checks.outcomes("encoder") if each[1]]
    assert f"{known.title}. {known.text}" in told
    assert ("can't decode byte" if encoding == "cp1252" else encoding[:6].upper()) in told


def test_a_hint_names_file_line_and_sizes(
    checks: ModuleType, write: Callable[[str], int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(edited("nn.ReLU()", "nn.Tanh()"))
    assert not passes(checks, "encoder")
    told = " ".join(capsys.readouterr().out.split())
    line = 1 + SOLUTION[: SOLUTION.index("def __init__")].count("\n")
    assert f"{tmp_path / 'cs5814_vae.py'}, saved on" in told
    sizes = f"input_dim={assignment.INPUT_DIM}, num_categories={assignment.NUM_CATEGORIES}"
    assert f"(cs5814_vae.py, `__init__` from line {line}; with {sizes}, latent_dim" in told


def test_hints_are_printed_in_short_lines(
    checks: ModuleType, write: Callable[[str], int], capsys: pytest.CaptureFixture[str]
) -> None:
    write(edited("logvariances.exp())", "logvariances)"))
    assert not passes(checks, "loss_function")
    assert max(map(len, capsys.readouterr().out.splitlines()[1:])) <= 100


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("        self.mean_layer = nn", "        mean_layer = nn", "makes a local variable `mean_layer`, without"),
        ("        self.mean_layer = nn.Linear(hidden, latent_dimensionality)", "        self.mean_layer = None",
         "`self.mean_layer` is None"),
        ("        self.mean_layer = nn", "        self.means_layer = nn",
         "no attribute `mean_layer`; there is `self.means_layer`"),
        ("        hidden = self.hidden_size\n", "        raise NotImplementedError('Set it.')\n        hidden = 64\n",
         "still raises NotImplementedError. Set it. What you wrote below that line never runs"),
    ],
)  # fmt: skip
def test_slips_in_the_constructor_are_said_as_such(
    checks: ModuleType, write: Callable[[str], int], old: str, new: str, said: str
) -> None:
    write(edited(old, new))
    assert said in next(hint for _, hint, _ in checks.outcomes("encoder") if hint)


@pytest.mark.parametrize(
    ("part", "old", "new", "said"),
    [
        ("encoder", "super().__init__()", "super().__init__(",
         "SyntaxError in line 31, `super().__init__(`: '(' was never closed. (cs5814_vae.py)"),
        ("encoder", "nn.ReLU(),", "nn.ReLU()",
         "SyntaxError in line 43, `nn.ReLU()`: invalid syntax. Perhaps you forgot a comma? (cs5814_vae.py)"),
        ("loss_function", ', reduction="sum")', ")", "The check changed the reconstruction of one image of 784 pixels "
         "in two ways, and nothing else. Your loss changed 784 times too little. "),
        ("loss_function", "means.pow(2)", "means.abs()", "The check changed the means or the log-variances of one "
         "image of 784 pixels in three ways, and nothing else. Your loss changed by "),
        ("loss_function", 'F.binary_cross_entropy(reconstructions, originals, reduction="sum")',
         "-sum(originals * reconstructions.log() + (1 - originals) * (1 - reconstructions).log()).sum()",
         "For an original of 0 and a reconstruction of 0, your loss is nan."),
        ("loss_function", 'F.binary_cross_entropy(reconstructions, originals, reduction="sum")',
         'sum(F.binary_cross_entropy(*each, reduction="sum") for each in zip(reconstructions, originals))',
         "There is a loop in line 128."),
    ],
)  # fmt: skip
def test_what_was_observed_is_said_once(
    checks: ModuleType, write: Callable[[str], int], part: str, old: str, new: str, said: str
) -> None:
    write(edited(old, new))
    told = next(hint for _, hint, _ in checks.outcomes(part) if hint)
    assert said in told.splitlines()[0]


def shown(monkeypatch: pytest.MonkeyPatch, lines: list[str]) -> dict[str, str]:
    """What a notebook gets of these lines, by MIME type."""
    display, tools = pytest.importorskip("IPython.display"), sys.modules["check_tools"]
    found: list[dict[str, str]] = []
    monkeypatch.setattr(display, "display", lambda data, raw: found.append(data))
    monkeypatch.setattr(tools, "_shell", lambda: SimpleNamespace(kernel=True))
    tools.show(lines)
    (data,) = found
    return data


def test_a_notebook_gets_lines_that_break_between_words(
    checks: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["✗ has <three> linear layers & heads", "    Your encoder has `2` layers. " + 20 * "Count them. "]
    data = shown(monkeypatch, lines)
    assert capsys.readouterr().out == ""
    assert data["text/html"].count("<div") == len(lines), "the browser wraps each one where it is as wide as the window"
    assert "<code>2</code>" in data["text/html"]
    text = html.unescape(re.sub("</div>|<[^>]*>", lambda tag: "\n" * (tag[0] == "</div>"), data["text/html"]))
    assert text.split() == " ".join(lines).replace("`", "").split()
    assert data["text/plain"].split() == " ".join(lines).split()
    assert max(map(len, data["text/plain"].splitlines())) <= 90


def test_what_stops_every_part_is_said_once(
    checks: ModuleType, write: Callable[[str], int], capsys: pytest.CaptureFixture[str]
) -> None:
    write(edited("super().__init__()", "super().__init__("))
    for part in PARTS:
        assert not passes(checks, part)
    out = capsys.readouterr().out
    assert out.count("Read its message above") == 1
    assert out.count("Same error as in `encoder`.") == len(PARTS) - 1
    assert "Skipped" not in out


def test_blank_says_what_to_write(
    checks: ModuleType, write: Callable[[str], int], capsys: pytest.CaptureFixture[str]
) -> None:
    source = fill_in(CVAE)
    write(source)
    stubs = [number for number, line in enumerate(source.splitlines(), 1) if "raise NotImplementedError" in line]
    for part in PARTS[:-1]:
        with pytest.raises(checks.ChecksFailedError, match=f"{part} is not done yet"):
            checks.check(part)
        out = capsys.readouterr().out
        told = re.findall(r"line (\d+) still raises\s+NotImplementedError\. \w+", out)
        assert {*map(int, told)} <= {*stubs}
        assert bool(told) is ("Same error as in" not in out)
    assert not passes(checks, "training")
    assert "– learns ten patterns" not in capsys.readouterr().out, "which the first skipped check says already"


# The table -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    return json.loads(PUBLIC_CHECKS.with_name("hints.json").read_text("utf-8"))


def test_the_table_is_up_to_date() -> None:
    made = PUBLIC_CHECKS.with_name("hints.json").read_text("utf-8")
    assert made == table_of_hints(), "the bank has changed: run `autograder rollover`"


def test_no_two_mistakes_give_the_same_numbers(checks: ModuleType, table: dict[str, Any]) -> None:
    """Each row of the network and of forward tells its mistake from all others in its list."""
    lists = [*table["encoder"].values(), *table["decoder"].values(), table["forward"]]
    for rows in lists:
        for (one, mistakes, _), (other, others, _) in combinations(rows, 2):
            assert mistakes == others or not all(map(checks.near, one, other)), (mistakes, others)


def test_no_two_draws_have_the_same_centers_and_spreads(table: dict[str, Any]) -> None:
    for (one, mistakes, _), (other, others, _) in combinations(table["sample_latent"], 2):
        apart = max(abs(a - b) / max(abs(a), abs(b), 1e-3) for a, b in zip(chain(*one), chain(*other), strict=True))
        assert mistakes == others or apart > 0.1, (mistakes, others)


def test_no_two_terms_of_the_loss_have_the_same_values(checks: ModuleType, table: dict[str, Any]) -> None:
    for name in ("reconstructions", "divergences"):
        for (mistakes, one), (others, other) in combinations(table["loss_function"][name], 2):
            assert mistakes == others or not all(map(checks.near, one, other)), (mistakes, others)


def test_every_mistake_that_the_table_names_has_its_hint(table: dict[str, Any]) -> None:
    named = set(re.findall(r'"([a-z]+(?:-[a-z0-9]+)+)"', json.dumps(list(table.values())[3:-3])))
    assert len(named) > 60
    assert named <= {*table["hints"]}
    for name, (title, text) in table["hints"].items():
        known = hints.hint(CVAE, name)
        assert (title, text) == (known.title, known.text)


# No solution ---------------------------------------------------------------------------------------------------------


def calls(path: Path) -> set[str]:
    """The names of all that a file calls, as it is written: `nn.Linear`, `exp`."""
    tree = ast.parse(path.read_text("utf-8"))
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


@pytest.mark.parametrize("path", FILES[:2], ids=lambda path: path.name)
def test_no_file_computes_what_students_write(path: Path) -> None:
    made = {name.rpartition(".")[2] for name in calls(path)}
    assert not made & {"exp", "exp2", "expm1", "log", "log2", "log1p", "logaddexp", "pow", "Linear", "ReLU", "relu",
                       "Sigmoid", "binary_cross_entropy", "BCELoss", "kl_div", "kl_divergence", "Normal", "lerp",
                       "randn_like", "rsample"}  # fmt: skip
    text = path.read_text("utf-8")
    assert not re.search(r"0?\.5 \* log|/ 2\b.*log|\*\* 2|\.square\(\)|math\.e\b", text)


def test_the_table_holds_numbers_and_the_banks_words_only(table: dict[str, Any]) -> None:
    sentences = {text for hint in table["hints"].values() for text in hint}
    said = {text for text in strings(table) if len(text) > 40} - sentences
    said -= {pattern for pattern, _ in table["errors"]} | {pattern for _, pattern, _ in table["closer"]}
    assert not [text for text in said if re.search(r"exp\(|log\(|\*\*|[=+*]|Linear\(", text)]


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings(each)


ANSWERS_OF_THE_TABLE = """
import json
import torch
from torch import nn

TABLE = json.loads({table!r})
SPREADS = dict(zip({logvariances}, TABLE["sample_latent"][0][0][1]))


def sample_latent(means, logvariances):
    known = torch.tensor(list(SPREADS))
    nearest = (logvariances[..., None] - known).abs().argmin(-1)
    return means + torch.tensor(list(SPREADS.values()))[nearest] * torch.randn_like(means)


def loss_function(reconstructions, originals, means, logvariances):
    row = {{(20, 1): 0, (30, 3): 1, (25, 3): 2}}.get((means.shape[1], means.shape[0]), 3)
    loss = TABLE["loss_function"]
    both = loss["reconstructions"][0][1][row] + loss["divergences"][0][1][row]
    return both / len(means) + 0 * (reconstructions.sum() + means.sum() + logvariances.sum())
"""


def test_the_tables_numbers_are_not_the_answer(
    checks: ModuleType, write: Callable[[str], int], table: dict[str, Any], sandbox: Sandbox
) -> None:
    """Who copies the right numbers out of the table fails, in the notebook and in grading."""
    logvariances = sys.modules["check_tools"].LOGVARIANCES
    numbers = json.dumps({name: table[name] for name in ("sample_latent", "loss_function")})
    source = ANSWERS_OF_THE_TABLE.format(table=numbers, logvariances=logvariances)
    write(source)
    assert not judged(checks)["loss_function"]
    scores = {part.name: part.score for part in grade_source("table", source.encode(), sandbox, seed=1).parts}
    assert scores["loss_function"] == 0
    failed = [check.name for part in grade_source("table", source.encode(), sandbox, seed=1).parts
              if part.name == "sample_latent" for check in part.checks if check.score < check.max_score]  # fmt: skip
    assert "The spread is the standard deviation" in failed


# In the notebook and in a terminal -----------------------------------------------------------------------------------


def half_written(*steps: str) -> str:
    """The fill-in, of which these steps are done."""
    blocks = re.split(r"( *### BEGIN SOLUTION: .*?### END SOLUTION\n)", SOLUTION, flags=re.DOTALL)
    done = dict(zip(("encoder", "decoder", "forward", "sample_latent", "loss_function"), range(1, 11, 2), strict=True))
    for step in steps:
        blocks[done[step]] = "".join(blocks[done[step]].splitlines(keepends=True)[1:-1])
    return without_solutions("".join(blocks))


@pytest.mark.parametrize(
    ("steps", "passed"),
    [
        (("encoder",), {"encoder"}),
        (("encoder", "decoder"), {"encoder", "decoder"}),
        (("sample_latent",), {"sample_latent"}),
        (("encoder", "decoder", "sample_latent", "forward"), {"encoder", "decoder", "sample_latent", "forward"}),
    ],
)
def test_each_step_is_checked_before_the_next_is_written(
    checks: ModuleType, write: Callable[[str], int], steps: tuple[str, ...], passed: set[str]
) -> None:
    write(half_written(*steps))
    assert {part for part in PARTS if passes(checks, part)} == passed


def test_edits_count_at_once(checks: ModuleType, write: Callable[[str], int]) -> None:
    write(fill_in(CVAE))
    assert not passes(checks, "sample_latent")
    write(half_written("sample_latent"))
    assert passes(checks, "sample_latent")
    write("def sample_latent(means")
    assert not passes(checks, "sample_latent")


def test_failure_is_one_line_in_jupyter(checks: ModuleType) -> None:
    assert checks.ChecksFailedError("one line: and more")._render_traceback_() == ["one line."]


def test_random_state_is_left_alone(checks: ModuleType, write: Callable[[str], int]) -> None:
    write(SOLUTION)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    checks.check("training")
    assert torch.get_rng_state().equal(before)


def test_unknown_part_names_the_parts(checks: ModuleType) -> None:
    with pytest.raises(ValueError, match="choose from encoder, decoder"):
        checks.check("econder")


@pytest.mark.parametrize(("source", "code"), [(fill_in(CVAE), 1), (SOLUTION, 0)], ids=["blank", "solution"])
def test_same_file_runs_under_pytest(tmp_path: Path, source: str, code: int) -> None:
    for file in FILES:
        shutil.copy(file, tmp_path)
    (tmp_path / "cs5814_vae.py").write_text(source, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "public_checks.py"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
    assert run.returncode == code, run.stdout + run.stderr
    assert f"6 {'failed' if code else 'passed'}" in run.stdout


CELLS = """
from IPython.core.interactiveshell import InteractiveShell
from pathlib import Path
shell, module = InteractiveShell.instance(), Path("cs5814_vae.py")
shell.run_cell("%load_ext autoreload\\n%autoreload 2\\nimport cs5814_vae\\nfrom public_checks import check")
right = module.read_text("utf-8")
module.write_text(right + "EDITED = True\\n", "utf-8")
shell.run_cell("print('taken over:', cs5814_vae.EDITED)")
module.write_text(right.replace("super().__init__()", "super().__init__("), "utf-8")
shell.run_cell("check('encoder')")
shell.run_cell("print('after:', cs5814_vae.EDITED)")
shell.run_cell("cs5814_vae.sample_latent(0, 0)")
module.write_text(right, "utf-8")
shell.run_cell("import torch; print('again:', cs5814_vae.sample_latent(torch.zeros(2, 3), torch.zeros(2, 3)).shape)")
"""


def test_a_syntax_error_is_told_once_and_without_a_traceback(tmp_path: Path) -> None:
    for file in FILES:
        shutil.copy(file, tmp_path)
    (tmp_path / "cs5814_vae.py").write_text(SOLUTION, "utf-8")
    command = [sys.executable, "-c", CELLS]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert "taken over: True" in run.stdout
    checked, after = re.split(r",\s+saved\s+on\s", run.stdout)[1].split("encoder is not done")
    for said in (checked, after):  # the check says it, and so does the next use of the module
        assert said.count("SyntaxError in line") == 1
    assert after.index("after: True") < after.index("Your last edit of cs5814_vae.py does not run.")
    assert "again: torch.Size([2, 3])" in after
    assert "Traceback" not in run.stdout + run.stderr
    assert "autoreload of" not in run.stdout + run.stderr
