"""Notes say what stops elsewhere, of no module that does not, and take no points."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import autograder.assignments.cvae.solution.cs5814_vae as solution
from autograder.grading.grade import grade_source
from autograder.report.model import Outcome
from autograder.sandbox.client import Sandbox
from autograder.sandbox.outline import describe
from tests.submissions.wrong import WRONG, source

STD = "    std = torch.exp(0.5 * logvariances)\n"
DRAW = "torch.randn_like(std)"
CROSS_ENTROPY = 'F.binary_cross_entropy(reconstructions, originals, reduction="sum")'
DIVERGENCE = "    divergence = -0.5 * torch.sum(1 + logvariances"
JOINED = "hidden = self.encoder(torch.cat((data_input, condition), dim=-1))"
LATENTS = "latents = sample_latent(mean_params, logvariance_params)"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def notes(sandbox: Sandbox, *edits: tuple[str, str]) -> str:
    """The notes on the solution with these edits, which keeps all points."""
    text = Path(str(solution.__file__)).read_text("utf-8")
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    report = grade_source("edited", text.encode(), sandbox, seed=1)
    assert report.score == report.max_score
    return "\n".join(note for note in report.notes if "isolation" not in note)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ((DRAW, "torch.randn(means.shape)"), "On a GPU, your `sample_latent` would stop"),
        ((DIVERGENCE, DIVERGENCE.replace("1 +", "torch.ones(means.shape[1]) +")), "On a GPU, your `loss_function`"),
        ((LATENTS, f"{LATENTS} + torch.zeros(15)[: mean_params.shape[1]]"), "On a GPU, your `forward` would stop"),
        ((JOINED, JOINED.replace("-1)", "-1).float()")), "After `model.double()`, your `forward` stops"),
        (("import torch\n", "import torch\ntorch.manual_seed(5814)\n"), "sets the seed"),
    ],
    ids=["randn", "ones", "zeros", "float", "seed"],
)
def test_what_stops_elsewhere_is_noted(sandbox: Sandbox, edit: tuple[str, str], said: str) -> None:
    found = notes(sandbox, edit)
    assert said in found
    assert len(found.splitlines()) == 1


JUDGED_IN_PART = {"The two terms", "Images of shape", "Differentiable", "Finite"}


@pytest.mark.parametrize(
    ("name", "noted"),
    [
        ("kl-missing", JUDGED_IN_PART),
        ("reconstruction-missing", JUDGED_IN_PART),
        ("constant-added", {"KL divergence in closed form", "Images of shape"}),
        ("terms-averaged", {"Reconstruction term", "Images of shape"}),
        ("kl-over-the-training-set", JUDGED_IN_PART),
        ("originals-drawn-as-bits", JUDGED_IN_PART | {"KL divergence in closed form"}),
    ],
)
def test_a_check_that_passes_next_to_a_mistake_says_so(sandbox: Sandbox, name: str, noted: set[str]) -> None:
    wrong = next(each for each in WRONG if each.name == name)
    report = grade_source(name, source(wrong).encode(), sandbox)
    checks = next(part for part in report.parts if part.name == "loss_function").checks
    said = {each.name: each.message for each in checks if each.outcome is Outcome.PASSED and each.message}
    assert len(said) == len(noted)
    assert all(each.startswith(tuple(noted)) for each in said)
    assert all("worked example" in text for check, text in said.items() if "worked example" in check)
    at_random = any("loss-changes" in each.misconceptions for each in checks)
    assert not at_random or not re.search(r"\d\.\d", " ".join(said.values())), "the student may see another number"


def written_out(of_r: str, of_rest: str) -> str:
    """The cross-entropy with what its two logarithms are taken of."""
    return f"-torch.sum(originals * torch.log({of_r}) + (1 - originals) * torch.log({of_rest}))"


def clamped(margin: str) -> str:
    return f"reconstructions.clamp({margin}, 1 - {margin})"


@pytest.mark.parametrize(
    ("term", "noted"),
    [
        (written_out("reconstructions + 1e-8", "1 - (reconstructions + 1e-8)"), True),
        (written_out(clamped("1e-8"), f"1 - {clamped('1e-8')}"), True),
        (written_out("reconstructions.clamp(min=1e-7)", "1 - reconstructions"), True),
        (written_out("reconstructions + 1e-8", "1 - reconstructions + 1e-8"), False),
        (written_out(clamped("1e-7"), f"1 - {clamped('1e-7')}"), False),
        (written_out(clamped("1e-6"), f"1 - {clamped('1e-6')}"), False),
        ("-torch.distributions.Bernoulli(reconstructions, validate_args=False).log_prob(originals).sum()", False),
        ('F.binary_cross_entropy(reconstructions.double(), originals.double(), reduction="sum").float()', False),
    ],
)
def test_a_loss_without_bound_at_one_is_noted(sandbox: Sandbox, term: str, noted: bool) -> None:
    found = notes(sandbox, (CROSS_ENTROPY, term))
    assert ("infinite or NaN" in found) == noted
    assert len(found.splitlines()) == noted


@pytest.mark.parametrize(
    ("of_r", "of_rest", "ends"),
    [
        ("reconstructions).clamp(min=-100", "1 - reconstructions).clamp(min=-100", "exactly 0 or 1"),
        ("reconstructions).clamp(min=-100", "1 - reconstructions.clamp(max=1 - 1e-6)", "exactly 0,"),
        ("reconstructions.clamp(min=1e-30)", "1 - reconstructions).clamp(min=-100", "exactly 1,"),
    ],
)
def test_a_bound_after_the_logarithm_is_noted_at_both_ends(
    sandbox: Sandbox, of_r: str, of_rest: str, ends: str
) -> None:
    assert ends in notes(sandbox, (CROSS_ENTROPY, written_out(of_r, of_rest)))


@pytest.mark.parametrize(
    "draw",
    [
        DRAW,
        "torch.randn(means.shape, device=means.device)",
        "torch.randn(means.shape).to(means)",
        "torch.empty_like(means).normal_()",
        "torch.tensor(1.0) * torch.randn_like(std)",
        "torch.normal(torch.zeros_like(std), 1.0)",
        "means.new_empty(means.shape).normal_()",
    ],
)
def test_what_runs_anywhere_is_not_noted(sandbox: Sandbox, draw: str) -> None:
    assert notes(sandbox, (DRAW, draw)) == ""


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("def work():\n    for _ in range(3): pass\nwork()\n", 2),
        ("def work():\n    for _ in range(3): pass\n", None),
        ("def work():\n    work()\nx = work()\n", None),
        ("def one(): pass\nif __name__ == '__main__':\n    for _ in range(3): one()\n", None),
    ],
)
def test_a_loop_in_a_function_called_at_import(source: str, line: int | None) -> None:
    assert describe(source.encode())["loop_at_import"] == line
