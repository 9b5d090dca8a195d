"""Every hint keeps the form that students can read, and every mistake that anything names has one."""

import ast
import itertools
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor

import autograder
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.checks.loss_mistakes import (
    averages_first,
    in_one_dimension,
    mistakes_in_term,
    mixed_arguments,
    mixing_terms,
)
from autograder.assignments.cvae.checks.loss_values import Form, should_change
from autograder.assignments.cvae.checks.passes import said_of_average
from autograder.assignments.cvae.hints import draws, loss
from autograder.assignments.cvae.hints.bank import CAUSES, CLOSER
from autograder.assignments.cvae.hints.formulas import POINTS, exponent_in, formula, of_divergence
from autograder.grading.harness import Challenge, close
from autograder.grading.hints import Misconception, bank, hint
from autograder.sandbox.client import Submission
from autograder.sandbox.limits import LIMITS

BANK = bank(CVAE)


@pytest.mark.parametrize("each", BANK.values(), ids=BANK)
def test_a_hint_has_a_short_title_and_a_text_of_its_length(each: Misconception) -> None:
    assert 2 <= len(each.title.split()) <= 10
    assert not each.title.endswith((".", ":"))
    assert 25 <= len(each.text.split()) <= 100
    assert "?" in each.text


def test_no_hint_holds_a_line_of_the_solution() -> None:
    lines = {line.split("#")[0].strip() for line in CVAE.solution.read_text("utf-8").splitlines()}
    answers = {line for line in lines if re.search(r"[=(]", line) and len(line) > 15}
    assert answers
    for each in BANK.values():
        assert not [answer for answer in answers if answer in each.text]


def test_a_hint_on_the_assignment_ends_with_the_section_to_read() -> None:
    for name, each in BANK.items():
        for part in filter(None, (each.part, *each.also)):
            assert hint(CVAE, name, part).text.endswith(f"Read “{CVAE.part(part).section}” in the notebook.")


def test_a_hint_names_the_section_of_its_own_part() -> None:
    own = CVAE.part("sample_latent").section
    assert hint(CVAE, "variance-as-std", "forward").text.endswith(f"Read “{own}” in the notebook.")
    assert "Read “" not in hint(CVAE, "layers-frozen").text, "it is of two parts, and which is not known"


NORMALIZED: dict[str, Callable[[Tensor], Tensor]] = {
    "over the minibatch": lambda z: (z - z.mean(0)) / z.std(0),
    "centered over the minibatch": lambda z: z - z.mean(0),
    "scaled over the minibatch": lambda z: z / z.std(0),
    "within rows": lambda z: torch.nn.functional.layer_norm(z, z.shape[1:]),
    "to length 1": torch.nn.functional.normalize,
    "to one length": lambda z: 3 * z / z.norm(dim=1, keepdim=True),
    "as a whole": lambda z: (z - z.mean()) / z.std(),
    "by softmax": lambda z: z.softmax(1),
}
PLAIN: dict[str, Callable[[Tensor], Tensor]] = {
    "right": lambda z: z,
    "scaled": lambda z: 0.01 * z,
    "tanh": torch.tanh,
    "shared by rows": lambda z: z[:1] + 0.5 * z.roll(1, 1),
    "arguments unused": torch.randn_like,
}


@given(st.sampled_from([*NORMALIZED, *PLAIN]), st.integers(0, 10**6))
def test_a_draw_is_told_as_normalized_where_it_is(name: str, seed: int) -> None:
    challenge = Challenge(seed, name)
    several = [3 * challenge.normal(24, 8) + challenge.uniform(-3, 3, 24, 8) for _ in range(3)]
    changed = [(NORMALIZED | PLAIN)[name](each) for each in several]
    assert draws.normalized(changed) == (name in NORMALIZED)


@pytest.mark.parametrize(
    ("spread", "said"),
    [
        (lambda m, v: 1.62 * v.abs(), "1.6 · |log-variance|"),
        (lambda m, v: v.exp() / 2, "0.5 · exp(log-variance)"),
        (lambda m, v: 2 ** (v / 2), "exp(0.35 · log-variance)"),
        (lambda m, v: (-v).exp(), "exp(-log-variance)"),
        (lambda m, v: (1 + v / 2).abs(), "|0.5 · log-variance + 1|"),
        (lambda m, v: (v - 0.5).abs(), "|log-variance - 0.5|"),
        (lambda m, v: 1 + (v / 2).exp(), "exp(0.5 · log-variance) + 1"),
        (lambda m, v: 0.5 * v**2, "0.5 · |log-variance|^2"),
        (lambda m, v: torch.sigmoid(v), "the sigmoid of the log-variance"),
        (lambda m, v: (m / 2).exp(), "exp(0.5 · mean)"),
        (lambda m, v: 2 + 0 * v, "2"),
        (lambda m, v: (v.abs() / 2).exp(), None),
        (lambda m, v: torch.sqrt(torch.nn.functional.softplus(v)), "softplus(log-variance)^0.5"),
        (lambda m, v: torch.nn.functional.elu(v) + 1, "elu(log-variance) + 1"),
        (lambda m, v: v.expm1().abs().sqrt(), "|exp(log-variance) - 1|^0.5"),
        (lambda m, v: (v.exp() + 0.1).sqrt(), "(exp(log-variance) + 0.1)^0.5"),
        (lambda m, v: torch.nn.functional.softplus(v) * v.exp(), None),
    ],
)
def test_the_function_that_a_spread_follows_is_told(
    spread: Callable[[Tensor, Tensor], Tensor], said: str | None
) -> None:
    means = torch.tensor([-2.9, 1.6, 2.2, -1.7, 2.8, -2.4, 1.9, -2.0])
    logvariances = torch.tensor([-4.7, -2.9, -1.8, -0.6, 0.5, 1.1, 1.6, 2.0])
    observed = spread(means, logvariances)
    assert (draws.law_of(observed, logvariances, "log-variance") or draws.law_of(observed, means, "mean")) == said


def test_a_tie_of_laws_is_told_only_where_they_are_alike() -> None:
    above = torch.linspace(0.1, 2, 8)
    assert draws.law_of(above.expm1().sqrt(), above, "log-variance") == "(exp(log-variance) - 1)^0.5"
    means, wide = torch.linspace(-1, 1, 8), torch.full((8,), 0.5)
    assert draws.law_of_centers(means + 0.3, wide, means, -means) is None


CENTERS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    **{name: law for name, law in draws.CENTERS.items() if name != "0"},
    "0.5 · mean": lambda m, s: 0.5 * m,
    "-mean": lambda m, s: -m,
    "mean + 1": lambda m, s: m + 1,
    "mean - σ": lambda m, s: m - s,
    "mean + 2 · σ": lambda m, s: m + 2 * s,
    "mean + 0.5 · σ²": lambda m, s: m + s**2 / 2,
}


@given(st.sampled_from([*CENTERS]), st.integers(0, 10**6))
def test_the_function_that_centers_follow_is_told(name: str, seed: int) -> None:
    challenge = Challenge(seed, name)
    means = (2 * challenge.integers(2, 8) - 1) * challenge.uniform(1.5, 3, 8)
    assume(bool((means < 0).any()) and bool((means > 0).any()))
    logvariances = torch.cat((challenge.uniform(-5, -0.5, 4), challenge.uniform(0.5, 1, 4)))
    sigma = (0.5 * logvariances).exp()
    error = 7 * sigma / 8192**0.5
    observed = CENTERS[name](means, sigma) + error / 70 * challenge.normal(8)
    assert draws.law_of_centers(observed, error, means, logvariances) == name
    assert draws.law_of_centers(observed * means.cos(), error, means, logvariances) != name


@given(st.floats(-1e9, 1e9, width=32), st.floats(allow_nan=True, width=32))
def test_a_wrong_change_reads_otherwise_than_the_right(right: float, wrong: float) -> None:
    observed, expected = torch.tensor(wrong), torch.tensor(right)
    assume(not close(observed, expected, 2e-4))
    said = should_change(observed, expected)
    numbers = re.fullmatch(r"Your loss should change by (\S+), but changes by (\S+)\.", said)
    assert numbers
    assert numbers[1] != numbers[2]
    assert float(numbers[1]) == pytest.approx(right, rel=5e-3)


@pytest.mark.parametrize(
    ("divergence", "said"),
    [
        (
            lambda m, v: (m**2 + v.exp() - 1 - v**2) / 2,
            "by -2.432 instead of 0.568 when the log-variance goes from 0 to -2."
            " It is right when only the mean changes.",
        ),
        (
            lambda m, v: (m.abs() + v.exp() - 1 - v) / 2,
            "by 1.000 instead of 2.000 when the mean goes from 0 to -2."
            " It is right when only the log-variance changes.",
        ),
        (lambda m, v: m.sigmoid() + v.tanh(), "by 0.231 instead of 0.500 when the mean goes from 0 to 1."),
        (  # right for each alone, and no sum of two functions
            lambda m, v: (m**2 + v.exp() - 1 - v) / 2 + m * v,
            "by 1.500 instead of 0.500 when the mean goes from 0 to 1, with log-variance 1.",
        ),
        (lambda m, v: (m**2 + v.log()) / 2, ""),
    ],
)
def test_what_a_wrong_divergence_gives_is_told(divergence: Callable[[Tensor, Tensor], Tensor], said: str) -> None:
    def call(name: str, images: Tensor, originals: Tensor, *latents: Tensor, **how: object) -> SimpleNamespace:
        reconstruction = torch.nn.functional.binary_cross_entropy(images, originals, reduction="sum")
        return SimpleNamespace(outputs=[reconstruction + divergence(*latents).sum()], packing=None)

    submission = cast(Submission, SimpleNamespace(call=call))
    found = in_one_dimension(submission, Challenge(1, "one dimension"), Form())
    assert found == (said and f" In one latent dimension, it changes {said}")


@pytest.mark.parametrize(
    ("divergence", "said"),
    [
        (lambda m, v: m**2 + v**2 - (v**2).log(), "mean² + logvariance² - 2 · log(logvariance)"),
        (lambda m, v: (v + m**2 * (-v).exp()) / 2 + 3, "0.5 · logvariance + 0.5 · mean² · exp(-logvariance)"),
        (lambda m, v: -(m**2) / 4, "-0.25 · mean²"),
        (lambda m, v: m**2 / 2 - v + 3 * 10 ** (v / 10), "0.5 · mean² - logvariance + 3 · exp(0.23 · logvariance)"),
        (lambda m, v: (m * v).sin(), "None"),
        (lambda m, v: m.sigmoid() + v.exp(), "None"),
        (lambda m, v: 0 * m, "None"),
    ],
)
def test_a_wrong_divergence_is_written_out(divergence: Callable[[Tensor, Tensor], Tensor], said: str) -> None:
    points = torch.rand(2, POINTS, generator=torch.Generator().manual_seed(1))
    means, logvariances = 4 * points[0] - 2, 0.2 + 3 * points[1]
    values = divergence(means, logvariances)
    summands = of_divergence(means, logvariances, exponent_in(values, means, logvariances))
    assert str(formula(values, summands)) == said


@given(st.integers(2, LIMITS.captured), st.integers(0, 1000))
def test_an_average_of_draws_is_told_as_that(count: int, seed: int) -> None:
    """Of several calls, the first perhaps unused, or of one call: in an axis, in blocks of rows, or row by row."""
    draws = torch.randn(count, 24, 5, generator=torch.Generator().manual_seed(seed))
    ways = [*draws], [draws], [draws.transpose(0, 1)], [draws.flatten(0, 1)], [draws.transpose(0, 1).flatten(0, 1)]
    for drawn in (*ways, [draws[0] + 1, *draws]):
        said = f" Your decoder gets the average of {count} draws."
        assert said_of_average([draws[0] + 2, draws.mean(0)], [*drawn]) == said


def test_what_is_no_average_is_not_told_as_one() -> None:
    one, other, last = torch.randn(3, 24, 5)
    for drawn in ([one], [one, other, last], [one[None]], [torch.stack((one, last))], [one, other[:, :3]]):
        assert said_of_average([one, (one + other) / 2], drawn) == ""


def predicted() -> Iterator[str]:
    """The mistakes that predictions name."""
    yield from (each.mistake for each in draws.DRAWS)
    for terms in (loss.RECONSTRUCTIONS, loss.DIVERGENCES, loss.REDUCTIONS):
        for term in terms:
            yield from term.mistakes
    yield from (each.mistake for each in (*loss.KL_FEATURES, *loss.RECONSTRUCTION_FEATURES))


def test_every_prediction_is_of_a_mistake_in_the_bank() -> None:
    assert set(predicted()) <= set(BANK)


def test_every_name_in_the_bank_is_used() -> None:
    """Names are literals, so that a search finds them; only the part that begins some is put in front."""
    used = {name for _, name in CAUSES} | {name for *_, name in CLOSER}
    package = Path(autograder.__file__).parent
    for path in (*(package / "grading").glob("*.py"), *CVAE.folder.rglob("*.py")):
        if path.name not in ("bank.py", "hints.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    used.add(node.value)
                    used |= {f"{before}{node.value}" for before in ("encoder", "decoder", "kl", "reconstruction")}
    assert set(BANK) <= used


# --- the diagnosis of a loss --------------------------------------------------------------------------------------

RIGHT = loss.RECONSTRUCTIONS[0], loss.DIVERGENCES[0], loss.REDUCTIONS[0]


def named(function: Callable[..., Tensor | float], seed: int = 5814) -> list[str]:
    """The mistakes that are found in a loss of this formula."""
    challenge = Challenge(seed, "named")
    return loss.diagnose(
        lambda *arguments: float(function(*arguments)),
        lambda images, pixels, latent, lowest: (
            challenge.uniform(0.05, 0.95, images, pixels),
            challenge.uniform(0.05, 0.95, images, pixels),
            2 * challenge.normal(images, latent),
            challenge.uniform(lowest, 2, images, latent),
        ),
    )


def combined(reconstruction: loss.Term, divergence: loss.Term, reduction: loss.Reduction) -> Callable[..., Tensor]:
    def of(r: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
        weights = reduction.weights(len(mu), x.shape[1], mu.shape[1])
        return weights[0] * reconstruction.predict(r, x).sum() + weights[1] * divergence.predict(mu, logvar).sum()

    return of


@given(st.integers(0, 80), st.integers(1, 5), st.sampled_from((math.nan, math.inf, -math.inf, 3e38, 0.0)))
def test_a_loss_that_is_not_always_finite_is_named(first: int, every: int, value: float) -> None:
    calls = itertools.count()

    def sometimes(r: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> float:
        number = next(calls)
        is_odd = number >= first and number % every == 0
        return value if is_odd else float((3 * r * x).sum() + mu.abs().sum().sin())

    mistakes = named(sometimes)
    assert mistakes
    if every == 1 and first <= 33 and not math.isfinite(value):  # while the first term is looked at, at the latest
        assert mistakes == ["not-finite"]


@pytest.mark.parametrize("wrong", loss.RECONSTRUCTIONS[1:], ids=lambda wrong: wrong.mistakes[0])
def test_each_mistake_in_the_reconstruction_is_named(wrong: loss.Term) -> None:
    assert set(named(combined(wrong, RIGHT[1], RIGHT[2]))) == set(wrong.mistakes)


@pytest.mark.parametrize("wrong", loss.DIVERGENCES[1:], ids=lambda wrong: wrong.mistakes[0])
def test_each_mistake_in_the_divergence_is_named(wrong: loss.Term) -> None:
    assert set(named(combined(RIGHT[0], wrong, RIGHT[2]))) == set(wrong.mistakes)


@pytest.mark.parametrize("wrong", loss.REDUCTIONS[1:], ids=lambda wrong: wrong.mistakes[0])
def test_each_mistake_in_the_reduction_is_named(wrong: loss.Reduction) -> None:
    assert set(named(combined(RIGHT[0], RIGHT[1], wrong))) == set(wrong.mistakes)


def cross_entropy(r: Tensor, x: Tensor) -> Tensor:
    return loss.RECONSTRUCTIONS[0].predict(r, x).mean()


def divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    return loss.DIVERGENCES[0].predict(mu, logvar).mean()


DISTORTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "exp": torch.exp,
    "square": torch.square,
    "root": lambda term: (term + 1).sqrt(),
    "log": lambda term: (term + 1).log(),
    "tanh": torch.tanh,
    "sine": torch.sin,
    "thousandfold": lambda term: 1e3 * term,
    "shifted far": lambda term: 1e4 + term.square(),
    "cut off": lambda term: term.clamp(max=8),
    "rounded": torch.round,
}


@given(st.integers(0, 2**32), st.sampled_from(sorted(DISTORTIONS)))
def test_a_right_divergence_is_never_called_wrong(seed: int, name: str) -> None:
    distort = DISTORTIONS[name]
    mistakes = named(lambda r, x, mu, lv: distort(cross_entropy(r, x)) + divergence(mu, lv), seed)
    assert not [mistake for mistake in mistakes if mistake.startswith("kl-")]


@given(st.integers(0, 2**32), st.sampled_from(sorted(DISTORTIONS)))
def test_a_right_reconstruction_is_never_called_wrong(seed: int, name: str) -> None:
    distort = DISTORTIONS[name]
    mistakes = named(lambda r, x, mu, lv: cross_entropy(r, x) + distort(divergence(mu, lv)), seed)
    assert not [mistake for mistake in mistakes if mistake.startswith("reconstruction-")]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda r, x, mu, lv: cross_entropy(r, x) + 3 * divergence(mu, lv), "kl-scaled"),
        (lambda r, x, mu, lv: 3 * cross_entropy(r, x) + divergence(mu, lv), "reconstruction-scaled"),
        (lambda r, x, mu, lv: cross_entropy(r, x) + divergence(mu, lv) + 1, "loss-constant-off"),
        (lambda r, x, mu, lv: cross_entropy(r, x) * divergence(mu, lv), "terms-not-added"),
        (lambda r, x, mu, lv: (cross_entropy(r, x) + divergence(mu, lv)) * len(mu) / 7, "divided-by-constant"),
        (lambda r, x, mu, lv: (cross_entropy(r, x) + divergence(mu, lv)) / len(mu), "divided-by-batch-twice"),
        (lambda r, x, mu, lv: cross_entropy(r, x) + divergence(mu, lv) - mu.square().sum(1).mean(), "kl-term-sign"),
        (lambda r, x, mu, lv: cross_entropy(r, x) + mu.abs().sum(1).mean(), "kl-other"),
        (lambda r, x, mu, lv: cross_entropy(r, x.sqrt()) + divergence(mu, lv), "reconstruction-other"),
        (lambda r, x, mu, lv: float("nan"), "not-finite"),
    ],
)
def test_a_loss_outside_of_the_bank_is_named_term_by_term(function: Callable[..., Tensor], expected: str) -> None:
    assert named(function) == [expected]


@given(st.sampled_from(("reconstruction", "kl")), st.floats(1e-7, 0.05), st.integers(0, 10**6))
def test_a_term_with_a_fixed_divisor_is_named_by_itself(term: str, factor: float, seed: int) -> None:
    def function(r: Tensor, x: Tensor, mu: Tensor, lv: Tensor) -> Tensor:
        fixed = factor * len(mu)
        first, second = (fixed, 1.0) if term == "reconstruction" else (1.0, fixed)
        return first * cross_entropy(r, x) + second * divergence(mu, lv)

    assert named(function, seed) == [f"{term}-divided-by-constant"]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (  # the other term has its own mistake
            lambda r, x, mu, lv: cross_entropy(r, x) / r.shape[1] + len(mu) * divergence(mu, lv) / 100352,
            ["reconstruction-averaged-over-pixels", "kl-divided-by-constant"],
        ),
        (
            lambda r, x, mu, lv: cross_entropy(r, x) / r.shape[1] + 1e-6 * divergence(mu, lv) / mu.shape[1],
            ["reconstruction-averaged-over-pixels", "kl-averaged-over-latent", "kl-scaled"],
        ),
        (
            lambda r, x, mu, lv: len(mu) * (cross_entropy(r, x) / 128 + divergence(mu, lv) / 60000),
            ["reconstruction-divided-by-constant", "kl-divided-by-constant"],
        ),
        (lambda r, x, mu, lv: cross_entropy(r, x) + 1e-6 * divergence(mu, lv), ["kl-scaled"]),
        (lambda r, x, mu, lv: cross_entropy(r, x) + 1e-7 * mu.abs().sum(1).mean(), ["kl-other"]),
        (  # a weight, and no divisor
            lambda r, x, mu, lv: cross_entropy(r, x) + 3 * len(mu) * divergence(mu, lv),
            ["kl-scaled", "kl-summed-over-batch"],
        ),
        (
            lambda r, x, mu, lv: len(mu) * cross_entropy(r, x) + 0.1 * divergence(mu, lv),
            ["reconstruction-summed-over-batch", "kl-scaled"],
        ),
        (
            lambda r, x, mu, lv: len(mu) * (cross_entropy(r, x) + 0.1 * divergence(mu, lv)),
            ["kl-scaled", "summed-over-batch"],
        ),
        (lambda r, x, mu, lv: (cross_entropy(r, x) + divergence(mu, lv)) * len(mu) / (1 + len(mu)), ["batch-other"]),
    ],
)
def test_each_term_is_divided_by_what_it_is_said_to_be(function: Callable[..., Tensor], expected: list[str]) -> None:
    assert named(function) == expected


@pytest.mark.parametrize(
    ("mistakes", "of_pixels", "of_latents"),
    [
        ("reconstruction-averaged-over-pixels kl-divided-by-constant", 0, 1),
        ("kl-capacity originals-rounded", 1, 0),
        ("kl-other kl-summed-over-batch", None, 0),
        ("loss-constant-off", None, None),
        ("summed-over-batch kl-mixes-images", None, None),
    ],
)
def test_a_term_gets_no_hint_of_the_other(mistakes: str, of_pixels: int | None, of_latents: int | None) -> None:
    for term, place in (("reconstruction", of_pixels), ("kl", of_latents)):
        found = mistakes_in_term(term, mistakes.split(), torch.ones(()), lambda: torch.ones(()))
        assert found == [f"{term}-other" if place is None else mistakes.split()[place]]


def mixture(mu: Tensor, lv: Tensor) -> Tensor:
    center = mu.mean(0, keepdim=True)
    return divergence(center, (lv.exp().mean(0, keepdim=True) + (mu - center).square().mean(0, keepdim=True)).log())


@pytest.mark.parametrize(
    ("function", "pairs", "terms"),
    [
        (lambda r, x, mu, lv: cross_entropy(r, x) + divergence(mu, lv), set(), []),
        (lambda r, x, mu, lv: len(mu) * cross_entropy(r, x) + 0.1 * divergence(mu, lv), set(), []),
        (lambda r, x, mu, lv: cross_entropy(r, x) + (mu @ mu.T).sum() / len(mu), {(2, 2)}, ["kl-mixes-images"]),
        (
            lambda r, x, mu, lv: cross_entropy(r, x.roll(1, 0)) + divergence(mu, lv),
            {(0, 1), (1, 0)},
            ["reconstruction-mixes-images"],
        ),
        (
            lambda r, x, mu, lv: cross_entropy(r, x) + mixture(mu, lv),
            {(2, 2), (2, 3), (3, 2), (3, 3)},
            ["kl-mixes-images"],
        ),
        (
            lambda r, x, mu, lv: cross_entropy(r, x.roll(1, 0)) + (mu @ mu.T).sum(),
            {(0, 1), (1, 0), (2, 2)},
            ["reconstruction-mixes-images", "kl-mixes-images"],
        ),
        (
            lambda r, x, mu, lv: torch.logsumexp(0.1 * loss.RECONSTRUCTIONS[0].predict(r, x) + mu.square().mean(1), 0),
            {(one, other) for one in range(3) for other in range(3)},
            [],
        ),
    ],
)
def test_the_arguments_that_are_mixed_are_told(
    function: Callable[..., Tensor], pairs: set[tuple[int, int]], terms: list[str]
) -> None:
    for seed in range(5):
        found = mixed_arguments(lambda *each: float(function(*each)), Form(), Challenge(seed, "mixed"))
        assert found <= pairs
        assert mixing_terms(found) == terms
        assert bool(found) == bool(pairs)


def mean(each: Tensor) -> Tensor:
    return each.mean(0, keepdim=True)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda r, x, mu, lv: cross_entropy(r, x) + divergence(mu, lv), ""),
        (lambda r, x, mu, lv: cross_entropy(r, x) + mixture(mu, lv), ""),
        (lambda r, x, mu, lv: cross_entropy(r, x) + divergence(mean(mu), mean(lv)), "the means and the log-variances"),
        (
            lambda r, x, mu, lv: cross_entropy(r, x) + divergence(mean(mu), mean(lv.exp()).log()),
            "the means and the variances",
        ),
        (
            lambda r, x, mu, lv: cross_entropy(r, x) + divergence(mu, 2 * mean((lv / 2).exp()).log() + 0 * lv),
            "the standard deviations",
        ),
        (lambda r, x, mu, lv: cross_entropy(mean(r) + 0 * r, x) + divergence(mu, lv), "the reconstructions"),
    ],
)
def test_what_is_averaged_first_is_told(function: Callable[..., Tensor], said: str) -> None:
    for seed in range(5):
        assert averages_first(lambda *each: float(function(*each)), Form(), Challenge(seed, "averaged")) == said
