"""sample_latent: right draws, judged by their statistics so that any correct way of drawing is accepted.

Bounds on statistics lie 7 standard errors out: a correct draw crosses one of them once in some 10^11 runs.
"""

import pytest
import torch
from torch import Tensor

from autograder.assignments.cvae.hints.bank import diagnose_draws
from autograder.grading.harness import Challenge, check, close, fail, require_shape
from autograder.sandbox.client import Submission

pytestmark = pytest.mark.sample_latent

ROWS, COLUMNS = 8192, 8
ROWS_ALIKE, COLUMNS_ALIKE = 128, 120  # of the draw whose independence is judged
SIGMAS = 7.0
UNIFORM_KURTOSIS = 1.8
FAR = 4.5  # over the root of the number of draws: Kolmogorov and Smirnov's distance passes it once in 10^17


class Draws:
    """One call on ROWS equal rows: what came back, and the noise that it implies, (ROWS, COLUMNS) each."""

    def __init__(self, submission: Submission, challenge: Challenge) -> None:
        self.means = challenge.uniform(-3, 3, COLUMNS)
        self.logvariances = torch.cat(
            (challenge.uniform(-3, -0.5, COLUMNS // 2), challenge.uniform(0.5, 2, COLUMNS // 2))
        )
        self.latents = draw(
            submission, self.means.expand(ROWS, -1), self.logvariances.expand(ROWS, -1), challenge.seed()
        )
        self.noise = (self.latents - self.means) / torch.exp(0.5 * self.logvariances)
        self.mistake = diagnose_draws(self.latents, self.means, self.logvariances)
        if self.mistake == "uniform-noise" and abs(kurtosis(self.latents) - UNIFORM_KURTOSIS) > 0.1:
            self.mistake = None
        if self.mistake is None and (self.latents - self.latents[0]).abs().max() < 1e-6:
            again = draw(submission, self.means.expand(2, -1), self.logvariances.expand(2, -1), challenge.seed())
            self.mistake = "no-noise" if close(again, self.latents[:2], 1e-5) else "noise-shared-across-rows"


def kurtosis(latents: Tensor) -> float:
    """Of the draws about their columns' averages, on their columns' scales: 3 for a Gaussian."""
    return float((((latents - latents.mean(0)) / latents.std(0).clamp(min=1e-6)) ** 4).mean())


def draw(submission: Submission, means: Tensor, logvariances: Tensor, seed: int) -> Tensor:
    """One call of the submission's function: (N, latent) latents."""
    outputs = submission.call("sample_latent", means.contiguous(), logvariances.contiguous(), seed=seed).outputs
    return require_shape(only(outputs), tuple(means.shape), "The result of sample_latent")


def only(outputs: list[Tensor]) -> Tensor:
    """The single output of a call."""
    if len(outputs) != 1:
        fail(f"sample_latent returned {len(outputs)} values where one tensor was expected.", "wrong-number-of-results")
    return outputs[0]


@check("Draws are centred on the means", 4)
def test_centre(submission: Submission, challenge: Challenge) -> None:
    draws = Draws(submission, challenge)
    observed = draws.latents.mean(0)
    error = draws.latents.std(0).clamp(min=1e-3) * SIGMAS / ROWS**0.5
    if (
        draws.mistake in ("sample-arguments-exchanged", "std-returned")
        or ((observed - draws.means).abs() > error).any()
    ):
        worst = int((observed - draws.means).abs().argmax())
        fail(
            f"Over {ROWS} draws with mean {draws.means[worst]:.2f} the average was {observed[worst]:.2f}.",
            draws.mistake or "centre-wrong",
        )


@check("The spread is the standard deviation", 7, worked_example=True)
def test_spread(submission: Submission, challenge: Challenge) -> None:
    draws = Draws(submission, challenge)
    spread = draws.noise.std(0)
    if ((spread - 1).abs() > SIGMAS * (1 / (2 * ROWS)) ** 0.5).any():
        worst = int((spread - 1).abs().argmax())
        logvariance, observed = draws.logvariances[worst], draws.latents[:, worst].std()
        named = "spread-scaled" if (spread / spread.mean() - 1).abs().max() < 0.1 else "spread-wrong"
        if named == "spread-scaled" and distance_from_gaussian(draws.noise / spread) > FAR / draws.noise.numel() ** 0.5:
            named = "noise-not-normal"  # whatever it is made of has a spread of its own
        fail(
            f"Over {ROWS} draws with log-variance {logvariance:.2f} the standard deviation was {observed:.2f}.",
            draws.mistake or named,
        )


def distance_from_gaussian(noise: Tensor) -> float:
    """The largest distance between the distribution functions (Kolmogorov and Smirnov)."""
    found = torch.special.ndtr(noise.flatten().double()).sort().values
    return float((found - torch.linspace(0, 1, len(found), dtype=torch.float64)).abs().max())


@check("The noise is standard normal", 3)
def test_normal(submission: Submission, challenge: Challenge) -> None:
    draws = Draws(submission, challenge)
    spread = draws.latents.std(0)
    if (spread < 1e-6).any():
        fail("Some of the draws do not vary.", draws.mistake or ("spread-wrong" if spread.any() else "no-noise"))
    noise = (draws.latents - draws.latents.mean(0)) / spread
    shared = torch.corrcoef(noise.T).fill_diagonal_(0).abs().max() > 0.5  # which is judged below
    count = ROWS if shared else noise.numel()  # of independent draws
    tails, skewness = kurtosis(draws.latents), (noise**3).mean()
    if abs(tails - 3) > SIGMAS * (24 / count) ** 0.5 or abs(skewness) > SIGMAS * (6 / count) ** 0.5:
        uniform = draws.mistake == "uniform-noise" or abs(tails - UNIFORM_KURTOSIS) < 0.1
        named = "uniform-noise" if uniform else draws.mistake or "noise-not-normal"
        fail(f"The noise has kurtosis {tails:.2f} and skewness {skewness:.2f}; a Gaussian has 3 and 0.", named)
    if (distance := distance_from_gaussian(noise)) > FAR / count**0.5:
        fail(
            f"The distribution function of the noise is off by up to {distance:.2f} from a Gaussian's.",
            draws.mistake or "noise-not-normal",
        )


@check("Fresh, independent noise for every element and call", 3)
def test_independent(submission: Submission, challenge: Challenge) -> None:
    # Equal rows, so that what is left of a column without its average is noise, however wrong its centre and scale.
    means, logvariances = challenge.uniform(-3, 3, COLUMNS_ALIKE), challenge.uniform(-1, 1, COLUMNS_ALIKE)
    arguments = means.expand(ROWS_ALIKE, -1), logvariances.expand(ROWS_ALIKE, -1)
    first, second = (draw(submission, *arguments, challenge.seed()) for _ in range(2))
    alike = close(first, first[:1].expand_as(first), 1e-5)
    if close(first, second, 1e-5):
        mistake = (diagnose_draws(first, means, logvariances) or "no-noise") if alike else "fixed-seed"
        fail("Two calls on the same input gave the same latents.", mistake)
    if alike:
        fail("All rows of the minibatch share their noise.", "noise-shared-across-rows")
    # The signs alone, for a few large numbers can make a correlation of any size.
    a, b = ((latents - latents.median(0).values).sign() for latents in (first, second))
    # Noise shared along the columns makes the averages of the rows vary far too much.
    if a.mean(1).std() > 0.5:
        fail("All latent dimensions of a row share their noise.", "noise-shared-across-columns")
    if (a * b).mean().abs() > SIGMAS / a.numel() ** 0.5:
        fail("The noise of two calls is correlated.", "fixed-seed")
    for noise, what in ((a, "rows"), (a.T, "latent dimensions")):
        if torch.corrcoef(noise).fill_diagonal_(0).abs().max() > SIGMAS / noise.shape[1] ** 0.5:
            fail(f"The noise of two {what} is correlated.", "noise-correlated")


@check("Differentiable with respect to means and log-variances", 2)
def test_gradients(submission: Submission, challenge: Challenge) -> None:
    means, logvariances, cotangent = challenge.normal(6, 5), challenge.uniform(-1, 1, 6, 5), challenge.normal(6, 5)
    seed = challenge.seed()
    reply = submission.call("sample_latent", means, logvariances, seed=seed, cotangents={0: cotangent})
    latents = require_shape(only(reply.outputs), (6, 5), "The result of sample_latent")
    gradients = reply.gradients("argument")
    by_mean, by_logvariance = (gradients.get(index, torch.zeros_like(means)) for index in "01")
    # z = μ + σ·ε: the derivative by μ is 1, by log σ² half of what the noise added. A draw with another σ, which is
    # judged above, may have another derivative, but then its own.
    if close(by_mean, cotangent) and close(by_logvariance, cotangent * 0.5 * (latents - means)):
        return
    one = torch.ones_like(means)
    slopes = [
        slope(submission, (means, logvariances), direction, seed) for direction in ((one, 0 * one), (0 * one, one))
    ]
    moved = [bool((each != 0).any()) for each in slopes]
    if all(moved) and all(
        close(gradient, cotangent * each, 0.02)
        for gradient, each in zip((by_mean, by_logvariance), slopes, strict=True)
    ):
        return
    missing = [index for index, gradient in enumerate((by_mean, by_logvariance)) if not gradient.any()]
    for index in missing:
        if not moved[index]:
            which = ("means", "log-variances")[index]
            fail(f"The draw does not depend on the {which}, and so has no gradient there.", "argument-ignored")
    if missing == [0, 1]:
        fail("No gradient comes back through the draw.", "sample-detached")
    if missing == [1]:
        fail("No gradient reaches the log-variances.", "std-detached")
    if missing == [0]:
        fail("No gradient reaches the means.", "sample-detached")
    fail("The gradients are not the slopes of the draw.", "sample-gradient-partial")


def slope(submission: Submission, point: tuple[Tensor, Tensor], direction: tuple[Tensor, Tensor], seed: int) -> Tensor:
    """The draw's slope at a point of means and log-variances, by a central difference under one seed."""
    step = 0.02
    ahead, behind = (
        draw(submission, point[0] + shift * direction[0], point[1] + shift * direction[1], seed)
        for shift in (step, -step)
    )
    return (ahead - behind) / (2 * step)


@check("The arguments are left as they were", 1)
def test_inputs_unchanged(submission: Submission, challenge: Challenge) -> None:
    means, logvariances = challenge.normal(6, 5), challenge.normal(6, 5)
    reply = submission.call("sample_latent", means, logvariances, seed=challenge.seed())
    latents = require_shape(only(reply.outputs), (6, 5), "The result of sample_latent")
    if reply.changed:
        fail("After the call, the tensors that were passed hold other numbers.", "inputs-modified")
    if close(latents, means, 1e-5) or close(latents, torch.zeros_like(means), 1e-5):
        fail("Nothing was drawn.", "no-noise")
