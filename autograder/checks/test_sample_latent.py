"""sample_latent: right draws, judged by their statistics so that any correct way of drawing is accepted.

Bounds on statistics lie 7 standard errors out: a correct draw crosses one of them once in some 10^11 runs.
"""

import pytest
import torch
from torch import Tensor

from autograder.checks.harness import Challenge, check, close, fail, require_shape
from autograder.misconceptions import diagnose_draws
from autograder.sandbox.client import Submission

pytestmark = pytest.mark.sample_latent

ROWS, COLUMNS = 8192, 8
SIDE = 128  # rows and columns of the draw whose independence is judged
SIGMAS = 7.0


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
        if self.mistake is None and (self.latents - self.latents[0]).abs().max() < 1e-6:
            self.mistake = "noise-shared-across-rows"


def draw(submission: Submission, means: Tensor, logvariances: Tensor, seed: int) -> Tensor:
    """One call of the submission's function: (N, latent) latents."""
    outputs = submission.call("sample_latent", means.contiguous(), logvariances.contiguous(), seed=seed).outputs
    return require_shape(only(outputs), tuple(means.shape), "The result of sample_latent")


def only(outputs: list[Tensor]) -> Tensor:
    """The single output of a call."""
    if len(outputs) != 1:
        fail(f"sample_latent returned {len(outputs)} values where one tensor was expected.")
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
            draws.mistake,
        )


@check("The spread is the standard deviation", 7)
def test_spread(submission: Submission, challenge: Challenge) -> None:
    draws = Draws(submission, challenge)
    spread = draws.noise.std(0)
    if ((spread - 1).abs() > SIGMAS * (1 / (2 * ROWS)) ** 0.5).any():
        worst = int((spread - 1).abs().argmax())
        logvariance, observed = draws.logvariances[worst], draws.latents[:, worst].std()
        fail(
            f"Over {ROWS} draws with log-variance {logvariance:.2f} the standard deviation was {observed:.2f}.",
            draws.mistake,
        )


@check("The noise is standard normal", 3)
def test_normal(submission: Submission, challenge: Challenge) -> None:
    draws = Draws(submission, challenge)
    spread = draws.latents.std(0)
    if (spread < 1e-6).any():
        fail("The draws do not vary.", draws.mistake or "no-noise")
    noise = (draws.latents - draws.latents.mean(0)) / spread
    kurtosis, skewness = (noise**4).mean(), (noise**3).mean()
    if abs(kurtosis - 3) > SIGMAS * (24 / noise.numel()) ** 0.5 or abs(skewness) > SIGMAS * (6 / noise.numel()) ** 0.5:
        uniform = draws.mistake == "uniform-noise" or abs(kurtosis - 1.8) < 0.1
        named = "uniform-noise" if uniform else draws.mistake or "noise-not-normal"
        fail(f"The noise has kurtosis {kurtosis:.2f} and skewness {skewness:.2f}; a Gaussian has 3 and 0.", named)


@check("Fresh, independent noise for every element and call", 3)
def test_independent(submission: Submission, challenge: Challenge) -> None:
    means, logvariances = challenge.normal(SIDE, SIDE), challenge.uniform(-1, 1, SIDE, SIDE)
    first, second = (draw(submission, means, logvariances, challenge.seed()) for _ in range(2))
    if close(first, second, 1e-5):
        without = any(close(first, each, 1e-5) for each in (means, means + torch.exp(0.5 * logvariances)))
        fail("Two calls on the same input gave the same latents.", "no-noise" if without else "fixed-seed")
    a, b = ((latents - means) / torch.exp(0.5 * logvariances) for latents in (first, second))
    # Noise shared along a dimension makes the averages along the other one vary far too much.
    scale = a.std()
    if (a - a.mean()).mean(0).std() / scale > 0.5:
        fail("All rows of the minibatch share their noise.", "noise-shared-across-rows")
    if (a - a.mean()).mean(1).std() / scale > 0.5:
        fail("All latent dimensions of a row share their noise.", "noise-shared-across-columns")
    if _correlation(a, b) > SIGMAS / a.numel() ** 0.5:
        fail("The noise of two calls is correlated.", "fixed-seed")
    for noise, what in ((a, "rows"), (a.T, "latent dimensions")):
        if torch.corrcoef(noise).fill_diagonal_(0).abs().max() > SIGMAS / SIDE**0.5:
            fail(f"The noise of two {what} is correlated: draw every element independently.")


def _correlation(a: Tensor, b: Tensor) -> float:
    return float(((a - a.mean()) * (b - b.mean())).mean().abs() / (a.std() * b.std()))


@check("Differentiable with respect to means and log-variances", 2)
def test_gradients(submission: Submission, challenge: Challenge) -> None:
    means, logvariances, cotangent = challenge.normal(6, 5), challenge.uniform(-1, 1, 6, 5), challenge.normal(6, 5)
    seed = challenge.seed()
    reply = submission.call("sample_latent", means, logvariances, seed=seed, cotangents={0: cotangent})
    latents = require_shape(only(reply.outputs), (6, 5), "The result of sample_latent")
    gradients = reply.gradients("argument")
    if not any(gradient.any() for gradient in gradients.values()):
        fail("No gradient comes back through the draw.", "sample-detached")
    by_mean, by_logvariance = (gradients.get(index, torch.zeros_like(means)) for index in "01")
    # z = μ + σ·ε: the derivative by μ is 1, by log σ² half of what the noise added. A draw with another σ, which is
    # judged above, may have another derivative, but then its own.
    exact = close(by_mean, cotangent) and close(by_logvariance, cotangent * 0.5 * (latents - means))
    if exact or follows_slope(submission, means, logvariances, cotangent, seed, by_mean, by_logvariance):
        return
    if "1" not in gradients:
        fail("No gradient reaches the log-variances.", "std-detached")
    if "0" not in gradients:
        fail("No gradient reaches the means.", "sample-detached")
    fail("The gradients are not the slopes of the draw.")


def follows_slope(
    submission: Submission,
    means: Tensor,
    logvariances: Tensor,
    cotangent: Tensor,
    seed: int,
    by_mean: Tensor,
    by_logvariance: Tensor,
    step: float = 0.02,
) -> bool:
    """Whether the gradients are the draw's own slopes, by central differences under the same seed."""
    one = torch.full_like(means, step)
    slopes = []
    for shift in ((one, 0 * one), (0 * one, one)):
        ahead, behind = (
            draw(submission, means + sign * shift[0], logvariances + sign * shift[1], seed) for sign in (1, -1)
        )
        slopes.append(cotangent * (ahead - behind) / (2 * step))
    moves = all(bool((slope != 0).any()) for slope in slopes)
    return moves and close(by_mean, slopes[0], 0.02) and close(by_logvariance, slopes[1], 0.02)


@check("The arguments are left as they were", 1)
def test_inputs_unchanged(submission: Submission, challenge: Challenge) -> None:
    means, logvariances = challenge.normal(6, 5), challenge.normal(6, 5)
    reply = submission.call("sample_latent", means, logvariances, seed=challenge.seed())
    latents = require_shape(only(reply.outputs), (6, 5), "The result of sample_latent")
    if reply.message.get("changed") != []:
        fail("After the call, the tensors that were passed hold other numbers.", "inputs-modified")
    if close(latents, means, 1e-5) or close(latents, torch.zeros_like(means), 1e-5):
        fail("Nothing was drawn.", "no-noise")
