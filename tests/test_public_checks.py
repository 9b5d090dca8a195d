"""The checks that students run: they pass what is right, say what is wrong, and agree with the assignment."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch
from submissions import correct, wrong

from autograder.assignments.cvae import assignment
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.authoring.fill_in import fill_in, without_solutions

PUBLIC_CHECKS = Path(__file__).parents[1] / "notebooks" / "public_checks.py"
PARTS = [part.name for part in assignment.PARTS]


def thinned(cases) -> list:
    """All cases, of which every tenth is quick enough in sum for each run of the tests."""
    names = [case if isinstance(case, str) else case.name for case in cases]
    return [
        pytest.param(case, id=name, marks=() if index % 10 == 0 else pytest.mark.exhaustive)
        for index, (case, name) in enumerate(zip(cases, names, strict=True))
    ]


def load_public_checks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("public_checks", PUBLIC_CHECKS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checks(tmp_path, monkeypatch) -> Iterator[ModuleType]:
    """The public checks, looking at `tmp_path / "cs5814_vae.py"`."""
    module = load_public_checks()
    monkeypatch.setattr(module, "_path", lambda: tmp_path / "cs5814_vae.py")
    threads = torch.get_num_threads()
    yield module
    # Some submissions change PyTorch for everyone.
    torch.set_grad_enabled(True)
    torch.set_num_threads(threads)
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def write(tmp_path):
    """Write the module that the checks look at."""
    return lambda source: (tmp_path / "cs5814_vae.py").write_bytes(correct.encoded(source))


def passes(checks: ModuleType, part: str) -> bool:
    try:
        checks.check(part)
    except checks.ChecksFailedError:
        return False
    return True


def test_constants_are_those_of_the_assignment(checks):
    assert list(checks.CHECKS) == PARTS
    assert len(checks.EXAMPLE_LATENTS) == assignment.LATENT_DIMENSIONALITY
    for name in ("SEED", "HIDDEN_SIZE", "EXAMPLE_RECONSTRUCTION_LOGITS", "EXAMPLE_ORIGINAL_LOGITS"):
        assert getattr(checks, name) == getattr(assignment, name)


@pytest.mark.parametrize("part", PARTS)
def test_solution_passes(checks, write, capfd, part):
    write(CVAE.solution.read_text("utf-8"))
    checks.check(part)
    out, err = capfd.readouterr()
    assert "✗" not in out
    assert "✓" in out
    assert err == "", "nbgrader gives no points to a test cell that writes to stderr"


@pytest.mark.parametrize("name", thinned(correct.CORRECT))
def test_every_correct_style_passes(checks, write, name, capsys):
    write(correct.CORRECT[name])
    failed = [part for part in PARTS if not passes(checks, part)]
    assert not failed, capsys.readouterr().out


@pytest.mark.parametrize("mistake", thinned(wrong.WRONG))
def test_a_mistake_is_not_held_against_other_parts(checks, write, mistake, capsys):
    write(wrong.source(mistake))
    # The training and forward checks use the student's own functions, so they need those to be right.
    judged = set(PARTS) - {"training"} - ({"forward"} if mistake.loses else set())
    failed = {part for part in judged if not passes(checks, part)}
    assert failed <= mistake.loses | mistake.may_lose, capsys.readouterr().out


def test_blank_says_what_to_write(checks, write, capsys):
    write(fill_in(CVAE))
    for part in PARTS:
        name = part if part in ("sample_latent", "loss_function") else "__init__"
        with pytest.raises(checks.ChecksFailedError, match=f"{part} is not done yet: edit cs5814_vae.py"):
            checks.check(part)
        assert f"`{name}` is not written yet (cs5814_vae.py, line" in capsys.readouterr().out


def half_written(*steps: str) -> str:
    """The fill-in, of which these steps are done."""
    solution = CVAE.solution.read_text("utf-8")
    blocks = re.split(r"( *### BEGIN SOLUTION: .*?### END SOLUTION\n)", solution, flags=re.DOTALL)
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
def test_each_step_is_checked_before_the_next_is_written(checks, write, steps, passed):
    write(half_written(*steps))
    assert {part for part in PARTS if passes(checks, part)} == passed


def test_edits_count_at_once(checks, write):
    write(fill_in(CVAE))
    assert not passes(checks, "sample_latent")
    write(half_written("sample_latent"))
    assert passes(checks, "sample_latent")
    write("def sample_latent(means")
    assert not passes(checks, "sample_latent")


@pytest.mark.parametrize(
    ("old", "new", "part", "hint"),
    [
        ("0.5 * logvariances)", "logvariances)", "sample_latent", "what is σ² here, and then σ?"),
        ("torch.randn_like(std)", "torch.randn_like(std[:1])", "sample_latent", "All rows get the same noise"),
        ("/ means.shape[0]", "", "loss_function", "summed over the minibatch"),
        ("logvariances.exp())", "logvariances)", "loss_function", "which of them are σ²"),
        ('reduction="sum"', 'reduction="mean"', "loss_function", "Four gray images"),
        ("self.logvariance_layer = nn.Linear(hidden, latent_dimensionality)", "", "encoder", "logvariance_layer"),
        ("            nn.Linear(hidden, input_dim),\n", "", "decoder", "should have shape (5, 20)"),
        ("            nn.Sigmoid(),\n", "", "decoder", "Pixels go from"),
        ("decoder(torch.cat((latents,", "decoder(torch.cat((mean_params,", "forward", "Does it use sample_latent?"),
        ("import torch\n", "import torch:\n", "encoder", "cs5814_vae.py, line 11, cannot be read as Python"),
    ],
)
def test_hints(checks, write, capsys, old, new, part, hint):
    solution = CVAE.solution.read_text("utf-8")
    assert old in solution
    write(solution.replace(old, new, 1))
    assert not passes(checks, part)
    assert hint in capsys.readouterr().out


def test_failure_is_one_line_in_jupyter(checks):
    assert checks.ChecksFailedError("one line")._render_traceback_() == ["one line"]


def test_random_state_and_torch_are_left_alone(checks, write):
    write(CVAE.solution.read_text("utf-8"))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    checks.check("training")
    assert torch.get_rng_state().equal(before)


def test_unknown_part_names_the_parts(checks):
    with pytest.raises(ValueError, match="choose from encoder, decoder"):
        checks.check("econder")


@pytest.mark.parametrize(("source", "code"), [(fill_in(CVAE), 1), (CVAE.solution.read_text("utf-8"), 0)])
def test_same_file_runs_under_pytest(tmp_path, source, code):
    shutil.copy(PUBLIC_CHECKS, tmp_path)
    (tmp_path / "cs5814_vae.py").write_text(source, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "public_checks.py"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == code, run.stdout + run.stderr
    assert f"6 {'failed' if code else 'passed'}" in run.stdout
