"""How far correct spellings disagree, how little a mistake changes, and that every tolerance lies well between.

The checks themselves run here, on trusted functions and without a sandbox, and what they compare is recorded: a
*margin* of 1 is the tolerance. `pytest tests/test_tolerances.py -s` prints the figures.
"""

import inspect
import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise, product
from typing import Any, cast

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.checks import latents, loss_mistakes, loss_pixels, loss_values
from autograder.assignments.cvae.checks import test_loss_function as loss_checks
from autograder.assignments.cvae.checks import test_sample_latent as sample_checks
from autograder.assignments.cvae.checks.layouts import Layer, arrangements
from autograder.assignments.cvae.checks.network import BATCH, Sizes, draw_parameters
from autograder.assignments.cvae.checks.stacks import Observation, changed_weights, explain_stack, stack, varies
from autograder.assignments.cvae.hints.loss import DIVERGENCES, RECONSTRUCTIONS, REDUCTIONS, Reduction
from autograder.assignments.cvae.hints.loss import Term as Formula
from autograder.assignments.cvae.hints.network import (
    ACTIVATIONS,
    OUTPUT_ACTIVATIONS,
    WEIGHTS,
    Activation,
    hidden_activations,
)
from autograder.assignments.cvae.solution import cs5814_vae as reference
from autograder.grading.harness import Challenge, Grading, Wrong, close
from autograder.sandbox.client import Reply, Submission
from tests.memory import watch_memory

SEEDS = 3
FAR = 10  # how many times a tolerance is above what rounding does, and below what a mistake does

Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
Term = Callable[[Tensor, Tensor], Tensor]


# --- correct spellings, as students write them ------------------------------------------------------------------------


def with_epsilon(epsilon: float) -> Term:
    return lambda r, x: -(x * torch.log(r + epsilon) + (1 - x) * torch.log(1 - r + epsilon)).flatten(1).sum(1)


def clamped(epsilon: float) -> Term:
    return lambda r, x: with_epsilon(0)(r.clamp(epsilon, 1 - epsilon), x)


CROSS_ENTROPIES: dict[str, Term] = {
    "F.binary_cross_entropy, summed": lambda r, x: F.binary_cross_entropy(r, x, reduction="none").flatten(1).sum(1),
    "nn.BCELoss, column after column": lambda r, x: nn.BCELoss(reduction="none")(r, x).flatten(1).cumsum(1)[:, -1],
    "mean, times the pixels": lambda r, x: (
        F.binary_cross_entropy(r, x, reduction="none").flatten(1).mean(1) * x[0].numel()
    ),
    "with logits": lambda r, x: (
        F.binary_cross_entropy_with_logits(torch.logit(r), x, reduction="none").flatten(1).sum(1)
    ),
    "Bernoulli.log_prob": lambda r, x: (
        -Independent(Bernoulli(probs=r.flatten(1), validate_args=False), 1).log_prob(x.flatten(1))
    ),
    "two products": lambda r, x: (
        -(torch.einsum("n...,n...->n", x, r.log()) + torch.einsum("n...,n...->n", 1 - x, (1 - r).log()))
    ),
    **{f"log(r + {epsilon:g})": with_epsilon(epsilon) for epsilon in (1e-10, 1e-8, 1e-7, 1e-6)},
    **{f"log of r clamped at {epsilon:g}": clamped(epsilon) for epsilon in (1e-8, 1e-7, 1e-6, 1e-4)},
}
KLS: dict[str, Term] = {
    "appendix B": lambda mu, logvar: -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(1),
    "term after term": lambda mu, logvar: (
        0.5 * (mu.square().sum(1) + logvar.exp().sum(1) - logvar.sum(1) - mu.shape[1])
    ),
    "kl_divergence": lambda mu, logvar: kl_divergence(
        Normal(mu, torch.exp(0.5 * logvar)), Normal(torch.zeros_like(mu), torch.ones_like(mu))
    ).sum(1),
    "by the standard deviation": lambda mu, logvar: (lambda std: (0.5 * (mu**2 + std**2 - 1) - torch.log(std)).sum(1))(
        torch.exp(logvar / 2)
    ),
    "with expm1": lambda mu, logvar: 0.5 * (torch.expm1(logvar) - logvar + mu * mu).sum(1),
    "log(σ² + 1e-8)": lambda mu, logvar: 0.5 * (mu**2 + logvar.exp() - 1 - torch.log(logvar.exp() + 1e-8)).sum(1),
}
AVERAGES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "sum, divided": lambda r, kl: (r.sum() + kl.sum()) / len(kl),
    "mean": lambda r, kl: torch.mean(r + kl),
    "two means": lambda r, kl: r.mean() + kl.mean(),
}


def loss_of(cross_entropy: Term, kl: Term, average: Callable[[Tensor, Tensor], Tensor]) -> Loss:
    return lambda r, x, mu, logvar: average(cross_entropy(r, x), kl(mu, logvar))


def correct_losses() -> Iterator[tuple[str, Loss]]:
    """Each spelling of a term or of the average beside the first spelling of the others."""
    first = next(iter(CROSS_ENTROPIES)), next(iter(KLS)), next(iter(AVERAGES))
    for name in CROSS_ENTROPIES:
        yield name, loss_of(CROSS_ENTROPIES[name], KLS[first[1]], AVERAGES[first[2]])
    for name in KLS:
        yield name, loss_of(CROSS_ENTROPIES[first[0]], KLS[name], AVERAGES[first[2]])
    for name in AVERAGES:
        yield name, loss_of(CROSS_ENTROPIES[first[0]], KLS[first[1]], AVERAGES[name])


def wrong_losses() -> Iterator[tuple[str, Loss]]:
    """Every single mistake of the bank."""
    r, d, mean = RECONSTRUCTIONS[0], DIVERGENCES[0], REDUCTIONS[0]

    def loss(reconstruction: Formula, divergence: Formula, reduction: Reduction) -> Loss:
        def of(r: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
            r, x = r.flatten(1), x.flatten(1)
            weights = reduction.weights(len(mu), x.shape[1], mu.shape[1])
            return weights[0] * reconstruction.predict(r, x).sum() + weights[1] * divergence.predict(mu, logvar).sum()

        return of

    yield from ((" ".join(each.mistakes), loss(each, d, mean)) for each in RECONSTRUCTIONS[1:])
    yield from ((" ".join(each.mistakes), loss(r, each, mean)) for each in DIVERGENCES[1:])
    yield from ((" ".join(each.mistakes), loss(r, d, each)) for each in REDUCTIONS[1:])


DRAWS: dict[str, Term] = {
    "exp of the half": lambda mu, logvar: mu + torch.exp(0.5 * logvar) * torch.randn_like(mu),
    "root of the exp": lambda mu, logvar: mu + torch.sqrt(torch.exp(logvar)) * torch.randn(*mu.shape),
    "exp to the half": lambda mu, logvar: torch.randn_like(logvar).mul(logvar.exp() ** 0.5).add(mu),
    "power of e": lambda mu, logvar: torch.addcmul(mu, math.e ** (logvar / 2), torch.randn_like(mu)),
    "Normal.rsample": lambda mu, logvar: Normal(mu, (logvar / 2).exp()).rsample(),
}


# --- the checks, without a sandbox ------------------------------------------------------------------------------------


class Trusted:
    """Answers like a sandboxed submission, from functions of this file."""

    source = b""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        self.function = function

    def call(
        self,
        name: str,
        *arguments: Tensor,
        seed: int = 0,
        cotangents: dict[int, Tensor] | None = None,
        constants: Sequence[int] = (),
        results: int | None = None,
        unpack: bool = False,
        evaluate: bool = False,
    ) -> Reply:
        leaves = [argument.clone().requires_grad_() for argument in arguments]
        torch.manual_seed(seed)
        value = self.function(*leaves)
        tensors = {}
        if cotangents and cotangents[0].shape == value.shape:
            found = torch.autograd.grad((value * cotangents[0]).sum(), leaves, allow_unused=True)
            tensors = {f"gradient.argument.{i}": each for i, each in enumerate(found) if each is not None}
        return Reply([value.detach()], [value.dtype], [], [], tensors)


@pytest.fixture
def margins(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the checks compare, as a share of what they tolerate, in the order of the comparisons."""
    seen: list[float] = []

    def close(actual: Tensor, expected: Tensor, tolerance: float = 1e-3) -> bool:
        seen.append(margin(actual, expected, tolerance))
        return seen[-1] <= 1

    for module in (loss_checks, loss_mistakes, loss_pixels, loss_values, sample_checks, latents):
        monkeypatch.setattr(module, "close", close)
    return seen


def margin(actual: Tensor, expected: Tensor, tolerance: float = 1e-3) -> float:
    """As `harness.close` measures: 1 is the most that it accepts."""
    if not torch.isfinite(actual).all():
        return math.inf
    actual, expected = actual.detach().double(), expected.detach().double()
    return float(((actual - expected).abs() / (tolerance * (expected.abs() + expected.abs().mean() + 1e-6))).max())


LOSS_CHECKS = {
    check.__name__: check
    for check in (
        loss_checks.test_reconstruction,
        loss_checks.test_divergence,
        loss_checks.test_minibatch,
        loss_checks.test_image_shape,
        loss_checks.test_gradients,
    )
}


def judged(check: Callable[..., None], function: Callable[..., Tensor], seed: int) -> str:
    """What a check says about a function; nothing if it passes."""
    submission = Trusted(function)
    given = {
        "submission": submission,
        "challenge": Challenge(seed, check.__name__),
        "grading": Grading(cast(Submission, submission), CVAE),
        "form": loss_values.Form(),
        "moving": None,  # a loss that gives the same each time
        "mistakes": list,
        "domain": lambda: latents.Domain(cast(Submission, submission)),  # that of a right draw
    }
    try:
        check(**{name: given[name] for name in inspect.signature(check).parameters})
    except Wrong as error:
        return str(error)
    return ""


# --- between rounding and mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", LOSS_CHECKS.values(), ids=LOSS_CHECKS)
def test_rounding_stays_far_below_the_tolerance_of_the_loss(check: Any, margins: list[float]) -> None:
    for (name, loss), seed in product(correct_losses(), range(SEEDS)):
        assert not judged(check, loss, seed), name
    if margins:
        print(f"{check.__name__}: rounding reaches {max(margins):.1g} of the tolerance")
        assert max(margins) < 1 / FAR


def test_every_mistake_in_the_loss_lies_far_above_its_tolerance(
    margins: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss_mistakes, "diagnose", lambda *_: [])  # takes long, and is not what is measured
    values = [LOSS_CHECKS[f"test_{name}"] for name in ("reconstruction", "divergence", "minibatch")]
    smallest = math.inf
    for (name, loss), seed in product(wrong_losses(), range(SEEDS)):
        margins.clear()
        said = [judged(check, loss, seed) for check in values]
        assert any(said), name
        smallest = min(smallest, max(margins))
    print(f"loss_function: the smallest effect of a mistake is {smallest:.2g} times the tolerance")
    assert smallest > FAR


@pytest.mark.parametrize("name", DRAWS)
def test_rounding_stays_far_below_the_tolerance_of_a_draw(name: str, margins: list[float]) -> None:
    for seed in range(SEEDS):
        margins.clear()
        assert not judged(sample_checks.test_gradients, DRAWS[name], seed)
        _, *slopes = margins  # after the comparison that shows whether anything is drawn
        assert len(slopes) == 2  # the derivatives on paper were enough
        assert max(slopes) < 1 / FAR


Layers = list[Layer]


def network(part: str, seed: int) -> tuple[Layers, Tensor]:
    """The layers of the encoder or the decoder with the numbers that the grader would write into them, and an input."""
    sizes, challenge = Sizes(), Challenge(seed, part)
    inputs = sizes.num_categories + (sizes.input_dim if part == "encoder" else sizes.latent)
    widths = [inputs, 64, 64, 64, *([sizes.input_dim] if part == "decoder" else [])]
    shapes: dict[str, tuple[int, ...]] = {}
    for index, (before, after) in enumerate(pairwise(widths)):
        shapes |= {f"{index}.weight": (after, before), f"{index}.bias": (after,)}
    numbers = list(draw_parameters(shapes, sizes, challenge).values())
    x = challenge.uniform(0, 1, BATCH, inputs) if part == "encoder" else challenge.normal(BATCH, inputs)
    return list(zip(numbers[::2], numbers[1::2], strict=True)), x


def output(layers: Layers, x: Tensor, activations: list[Activation], dtype: torch.dtype = torch.float64) -> Tensor:
    return stack([(weight.to(dtype), bias.to(dtype)) for weight, bias in layers], activations, x.to(dtype))


@pytest.mark.parametrize("dim", [0, 1, None])
def test_a_normalized_weight_is_its_direction(dim: int | None) -> None:
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(794, 64), dim=dim)  # type: ignore[arg-type]
    model = nn.Sequential(layer)
    shapes = {name: value.shape for name, value in model.named_parameters()}
    drawn = draw_parameters(shapes, Sizes(), Challenge(1, "weights"))
    model.load_state_dict(drawn)
    assert torch.allclose(layer.weight, drawn["0.parametrizations.weight.original1"], atol=1e-6)


@given(
    st.dictionaries(
        st.sampled_from(("", "a.")).flatmap(
            lambda at: st.sampled_from((f"{at}weight_g", f"{at}weight_v", f"{at}bias"))
        ),
        st.lists(st.sampled_from((0, 1, 2, 15, 64)), max_size=4),
    ),
    st.booleans(),
)
def test_parameters_of_any_name_and_shape_are_drawn(shapes: dict[str, list[int]], calm: bool) -> None:
    mean_image = torch.full((784,), 0.5) if calm else None
    drawn = draw_parameters(shapes, Sizes(), Challenge(1, "parameters"), mean_image)
    assert {name: list(value.shape) for name, value in drawn.items()} == shapes
    list(arrangements(drawn, 64, 15))


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_rounding_and_mistakes_of_a_network_are_far_apart(part: str) -> None:
    right: list[Activation] = [torch.relu, torch.relu, torch.relu]
    if part == "decoder":
        right.append(torch.sigmoid)
    wrong: list[list[Activation]] = [
        [*right[:place], activation, *right[place + 1 :]]
        for place, others in enumerate([ACTIVATIONS] * 3 + ([OUTPUT_ACTIVATIONS] if part == "decoder" else []))
        for activation in others.values()
        if activation is not right[place]
    ]
    rounding, smallest = 0.0, math.inf
    for seed in range(SEEDS):
        layers, x = network(part, seed)
        expected = output(layers, x, right)
        rounding = max(rounding, margin(output(layers, x, right, torch.float32), expected))
        smallest = min(smallest, *(margin(output(layers, x, each), expected) for each in wrong))
    print(f"{part}: rounding reaches {rounding:.1g} of the tolerance, the smallest mistake {smallest:.2g} times it")
    assert rounding < 1 / FAR
    assert smallest > FAR


def observed_with(changed: Activation, biases: float, seed: int) -> Observation:
    """A decoder whose layers make this of their weights before they use them, and scale their biases."""
    layers, x = network("decoder", seed)
    parameters = {
        f"{at}.{name}": each for at, layer in enumerate(layers) for name, each in zip("wb", layer, strict=True)
    }
    used = [(changed(weight), biases * bias) for weight, bias in layers]
    given = stack(used, [torch.relu, torch.relu, torch.relu, torch.sigmoid], x)
    return Observation(parameters, x, given, OUTPUT_ACTIVATIONS)


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("root", [0.0, -0.5])
def test_what_layers_make_of_their_weights_is_told(name: str, root: float) -> None:
    observed = observed_with(lambda weight: WEIGHTS[name](weight) * weight.shape[1] ** root, 1.0, 1)
    found = changed_weights([observed], activated_last=False)
    if not varies(observed.output):
        assert found is None
    else:
        assert found is not None
        assert found.weights == name + ", divided by the root of the number of inputs" * (root < 0)
        assert (found.hidden, found.last) == (("ReLU",) * 3, "sigmoid")


@given(st.floats(0.2, 4), st.sampled_from(["all", "biases", "size"]), st.integers(1, 1000))
@settings(max_examples=15)
def test_the_factor_of_all_weights_is_told(factor: float, kind: str, seed: int) -> None:
    """By a factor for all layers, and perhaps their biases, or by one that follows the number of their inputs."""
    power, with_biases = -0.5 * (kind == "size"), kind == "biases"
    factor = factor * 64**-power
    observed = observed_with(lambda w: factor * w.shape[1] ** power * w, factor if with_biases else 1.0, seed)
    found = changed_weights([observed], activated_last=False)
    assert found is not None
    told = re.findall(r"[0-9.]+[0-9]|[0-9]", found.weights)
    for each, size in zip(told, (25, 64, 64, 64), strict=True):
        assert math.isclose(float(each), factor * size**power, rel_tol=0.01)
    assert ("biases" in found.weights) is with_biases


# --- why the challenges keep to their ranges --------------------------------------------------------------------------


def disagreement(loss: Loss, arguments: tuple[Tensor, ...]) -> float:
    """Of a loss in single precision with the reference in double, relative."""
    expected = float(reference.loss_function(*(argument.double() for argument in arguments)))
    return abs(float(loss(*arguments)) - expected) / abs(expected)


def minibatch(batch: int, logits: float | None, low: float, high: float) -> tuple[Tensor, ...]:
    """Reconstructions as sigmoids of logits of this spread, or in the checks' own range; log-variances in a range."""
    challenge = Challenge(batch, f"{logits} {low}")
    if logits is None:
        r, x = (challenge.uniform(loss_values.LOW, loss_values.HIGH, batch, 784) for _ in range(2))
    else:
        r = torch.sigmoid(logits * challenge.normal(batch, 784))
        x = (challenge.uniform(0, 1, batch, 784) > 0.8).float()
    return r, x, 2 * challenge.normal(batch, 15), challenge.uniform(low, high, batch, 15)


@pytest.mark.parametrize("batch", [1, 4096])
def test_in_the_range_of_the_challenges_correct_losses_agree(batch: int) -> None:
    arguments = minibatch(batch, None, -2, 2)
    worst = {name: disagreement(loss, arguments) for name, loss in correct_losses()}
    print(f"batch {batch}: {max(worst.values()):.1g} at most, by {max(worst, key=lambda name: worst[name])}")
    assert max(worst.values()) < loss_values.TOLERANCE / FAR
    # The diagnosis, with its 3e-4, compares with the same formulas.
    exact = [value for name, value in worst.items() if "1e-" not in name and "0.0001" not in name]
    assert max(exact) < 1e-6


@pytest.mark.parametrize("batch", [1, pytest.param(4096, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize(("logits", "low", "high"), [(None, -30, 10), (6, -2, 2), (30, -2, 2), (30, -30, 10)])
def test_outside_of_it_they_do_not(batch: int, logits: float | None, low: float, high: float) -> None:
    arguments = minibatch(batch, logits, low, high)
    worst = {name: disagreement(loss, arguments) for name, loss in correct_losses()}
    finite = {name: value for name, value in worst.items() if math.isfinite(value)}
    where = "in range" if logits is None else f"sigmoid of N(0, {logits}²)"
    print(
        f"batch {batch}, reconstructions {where}, log-variances {low} to {high}: up to {max(finite.values()):.1g}"
        f" by {max(finite, key=lambda name: finite[name])}; not finite: {len(worst) - len(finite)}"
    )
    assert max(worst.values()) > loss_values.TOLERANCE or len(finite) < len(worst)


@pytest.mark.parametrize("name", DRAWS)
def test_draws_agree_over_all_log_variances(name: str) -> None:
    challenge = Challenge(0, name)
    means, logvariances = torch.zeros(4096, 15), challenge.uniform(-30, 10, 4096, 15)
    torch.manual_seed(0)
    noise = torch.randn(4096, 15)
    torch.manual_seed(0)
    expected = logvariances.double().div(2).exp() * noise.double()
    assert ((DRAWS[name](means, logvariances) - expected) / expected).abs().max() < 1e-5


@given(st.floats(0.02, 300), st.sampled_from((1, -1)), st.integers(0, 10**6))
def test_an_added_constant_is_told_as_one(size: float, sign: int, seed: int) -> None:
    submission = Trusted(lambda *arguments: reference.loss_function(*arguments) + sign * size)
    found = loss_mistakes.find_mistakes(cast(Submission, submission), Challenge(seed, "mistakes"), loss_values.Form())
    assert found == ["loss-constant-off"]


def by_logarithms(r: Tensor, x: Tensor, constants: tuple[float, float] = (0, 0), white: float = 1) -> Tensor:
    return -(white * x * (r + constants[0]).log() + (1 - x) * (1 - r + constants[1]).log()).sum()


def cross_entropy(r: Tensor, x: Tensor, weight: Tensor | None = None) -> Tensor:
    return F.binary_cross_entropy(r, x, weight, reduction="sum")


# Changes of a cross-entropy that are alike where they are small, the mistake, and what is said of a hundredth.
SMALL_CHANGES: dict[str, tuple[Callable[[Tensor, Tensor, float], Tensor], str, str]] = {
    "smoothed": (lambda r, x, e: cross_entropy(r, x + e * (1 - 2 * x)), "originals-changed", "0.98 · x + 0.01"),
    "smoothed, with logarithms that are kept finite": (
        lambda r, x, e: by_logarithms(r, x + e * (1 - 2 * x), (1e-6, 1e-6)), "originals-changed", "0.98 · x + 0.01"
    ),
    "darker": (lambda r, x, e: cross_entropy(r, x * (1 - e)), "originals-changed", "0.99 · x"),
    "clamped": (lambda r, x, e: cross_entropy(r, x.clamp(e, 1 - e)), "originals-changed", "0 for 0.01 and one of 1"),
    "power": (lambda r, x, e: cross_entropy(r, x ** (1 + e)), "originals-changed", "0.5 for 0.4965"),
    "off the ends": (
        lambda r, x, e: cross_entropy(r + e * (1 - 2 * r), x), "reconstruction-rescaled", "0.98 · r + 0.01"
    ),
    "scaled reconstructions": (lambda r, x, e: cross_entropy(r * (1 - e), x), "reconstruction-rescaled", "0.99 · r"),
    "power of reconstructions": (
        lambda r, x, e: cross_entropy(r ** (1 + e), x), "reconstruction-rescaled", "0.5 for 0.4965"
    ),
    "constants": (lambda r, x, e: by_logarithms(r, x, (e, e)), "reconstruction-log-constant", "log(1 - r + 0.01)"),
    "one constant": (lambda r, x, e: by_logarithms(r, x, (e, 0)), "reconstruction-log-constant", "and log(1 - r) "),
    "more": (lambda r, x, e: (1 + e) * cross_entropy(r, x), "reconstruction-scaled", ""),
    "less": (lambda r, x, e: (1 - e) * cross_entropy(r, x), "reconstruction-scaled", ""),
    "weight of white": (lambda r, x, e: by_logarithms(r, x, white=1 + e), "reconstruction-weighted", "count 1.01 t"),
    "weight by original": (
        lambda r, x, e: cross_entropy(r, x, 1 + e * x.detach()), "reconstruction-weighted", "count 1.01 t"
    ),
}  # fmt: skip


@given(st.sampled_from(sorted(SMALL_CHANGES)), st.floats(3e-4, 0.03), st.integers(0, 10**6), st.booleans())
@example("smoothed", 0.01, 0, True)
def test_a_pixel_that_is_changed_a_little_is_told_as_that(name: str, size: float, seed: int, flat: bool) -> None:
    for each in (size, 0.01):
        function, mistake, says = SMALL_CHANGES[name]

        def loss(r: Tensor, x: Tensor, mu: Tensor, logvar: Tensor, of: Any = function, size: float = each) -> Tensor:
            return (of(r, x, size) + mu.square().sum()) / len(mu)  # any divergence will do

        submission, form = Trusted(loss), loss_values.Form(flat=flat)
        found, said = loss_pixels.about_pixels(cast(Submission, submission), Challenge(seed, "pixels"), form)
        assert found == [mistake]
        assert says in said or each == size


@given(st.integers(0, 10**6))
def test_a_pixel_that_depends_on_others_has_no_formula(seed: int) -> None:
    def loss(r: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
        return (cross_entropy(0.99 * r + 0.01 * r.mean(), x) + mu.square().sum()) / len(mu)

    submission = cast(Submission, Trusted(loss))
    found = loss_pixels.about_pixels(submission, Challenge(seed, "pixels"), loss_values.Form())
    assert found == (["reconstruction-other"], "")


@pytest.mark.parametrize(
    ("constant", "expected"),
    [
        (lambda n, d, latent: -0.5 * n, ["loss-constant-counts-images"]),
        (lambda n, d, latent: 0.5 * latent * (1 - n), ["loss-constant-counts-images"]),
        (lambda n, d, latent: 0.5 / n, ["loss-constant-counts-images"]),
        (lambda n, d, latent: 0.9 * d, ["loss-constant-off"]),
        (lambda n, d, latent: 0.4 * latent, ["loss-constant-off"]),
        (lambda n, d, latent: 0.4 * latent + d, ["loss-constant-off"]),
    ],
)
def test_a_constant_is_told_by_what_it_counts(constant: Callable[..., float], expected: list[str]) -> None:
    def loss(*arguments: Tensor) -> Tensor:
        sizes = len(arguments[2]), arguments[1].shape[1], arguments[2].shape[1]
        return reference.loss_function(*arguments) + constant(*sizes)

    submission = cast(Submission, Trusted(loss))
    for seed in range(SEEDS):
        found = loss_mistakes.find_mistakes(submission, Challenge(seed, "mistakes"), loss_values.Form())
        assert found == expected
        off = loss_mistakes.offsets(lambda *given: float(loss(*given)), loss_values.Form(), Challenge(seed, "offsets"))
        assert loss_mistakes.said_of_offsets(off).startswith(" Compared with 2 images of 12 pixels")


@given(st.floats(100, 1000), st.floats(0, 1) | st.floats(0, 1000), st.permutations(range(3)))
def test_the_loss_among_its_terms_is_their_sum(reconstruction: float, divergence: float, order: list[int]) -> None:
    """However small a term is: the other one is nearly a sum of the rest then."""
    terms = torch.tensor([reconstruction, divergence])
    numbers = [terms[0], terms[1], terms.sum()]
    found = loss_values.value_of(Reply([numbers[at] for at in order], [], [], [], {}), 4)
    assert float(found) == pytest.approx(float(terms.sum()), rel=1e-6)


@given(st.floats(100, 1000), st.floats(0.1, 90))
def test_a_loss_comes_before_its_terms_of_any_sign(reconstruction: float, divergence: float) -> None:
    """As in public code that logs the divergence as the formula in the paper has it, with a minus."""
    terms = torch.tensor([reconstruction, -divergence])
    found = loss_values.value_of(Reply([terms[0] - terms[1], *terms], [], [], [], {}), 4)
    assert float(found) == pytest.approx(reconstruction + divergence, rel=1e-6)


# --- what is tried on a network costs a bounded amount ----------------------------------------------------------------

MOST_MORE_GIB, MOST_CPU_S = 0.1, 30.0  # a fifth of that is usual


@pytest.mark.parametrize("depth", range(1, 8))
def test_each_way_to_leave_out_a_relu_is_tried_once(depth: int) -> None:
    """The right one first, and the fewer are missing the earlier."""
    tried = list(islice(hidden_activations(depth), 2**depth))
    assert sorted(tried) == sorted(product(("ReLU", "none"), repeat=depth))
    assert [names.count("none") for names in tried] == sorted(names.count("none") for names in tried)


@pytest.mark.parametrize("depth", [10, 30, 60, 2000])
@pytest.mark.parametrize("activation", [torch.relu, torch.sin], ids=["ReLU", "sine"])
def test_no_depth_of_a_network_fills_the_grader(depth: int, activation: Activation) -> None:
    """Its ReLUs are told however deep it is."""
    layers = [(2 * torch.randn(8, 8) / 8**0.5, 0.1 * torch.randn(8)) for _ in range(depth)]
    parameters = {
        f"{at}.{name}": each for at, layer in enumerate(layers) for name, each in zip("wb", layer, strict=True)
    }
    x = torch.randn(BATCH, 8)
    output = stack(layers, [activation] * depth, x)
    observed = Observation(parameters, x, output + 1e-3 * torch.rand(BATCH, 1), OUTPUT_ACTIVATIONS)
    more_memory, started = watch_memory(), time.process_time()
    explain_stack([observed, observed], activated_last=True)
    changed_weights([observed], activated_last=True)
    observed.output = output
    found = explain_stack([observed, observed], activated_last=True)
    assert more_memory() < MOST_MORE_GIB
    assert time.process_time() - started < MOST_CPU_S
    if activation is torch.relu and depth <= 60:  # of more, nothing that varies comes out
        assert found is not None
        assert (found.hidden, found.last) == (("ReLU",) * depth, "none")


@given(
    st.lists(st.floats(0.3, 1) | st.floats(-1, -0.3), min_size=1, max_size=40),
    st.lists(st.floats(-45, 38.5), min_size=1, max_size=40),
    st.integers(0, 39),
)
@example([1.0] * 40, [38.5], 3)
@example([-0.5, 0.5], [38.5, 0.0], 0)
@example([1.0], [-45.0], 0)
def test_numbers_of_any_size_are_compared(parts: list[float], sizes: list[float], at: int) -> None:
    """As far as float32 goes, where sums and multiples of a number are infinite."""
    count, most = min(len(parts), len(sizes)), torch.finfo(torch.float32).max
    numbers = torch.tensor([part * 10**size for part, size in zip(parts, sizes, strict=False)], dtype=torch.float64)
    numbers = numbers.clamp(-most, most).float()
    assert close(numbers, numbers.clone())
    at = int(numbers.abs().argmax()) if count > 1 else at % count
    if numbers[at].abs() > 1e-3:
        for changed in (0.5 * numbers[at], -numbers[at]):
            other = numbers.clone()
            other[at] = changed
            assert not close(other, numbers)


@given(
    st.lists(st.floats(-100, 100, width=32).filter(lambda x: abs(x) > 0.1), min_size=3, max_size=60),
    st.sampled_from([1e5, 1e20, math.inf, math.nan]),
    st.floats(0.02, 0.5),
)
def test_no_element_excuses_what_another_is_off_by(usual: list[float], odd: float, off: float) -> None:
    numbers = torch.tensor([*usual, odd])
    changed = numbers.clone()
    changed[0] += off * (numbers[:-1].abs().max() + numbers[0].abs())
    assert not close(changed, numbers)
    assert not close(numbers, changed)
    assert close(numbers, numbers.clone()) == math.isfinite(odd)
