"""loss_function: each term by itself, their average over a minibatch, gradients, and no loops.

The terms are told apart by differences between calls that change one of them alone, on a single image. Where one is
wrong, the average, the shapes and the gradients are judged by what the submission itself makes of a single image, so
that each mistake costs its own points and no others.
"""

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from autograder.assignments.cvae.assignment import (
    EXAMPLE_ORIGINAL_LOGITS,
    EXAMPLE_RECONSTRUCTION_LOGITS,
    INPUT_DIM,
    LATENT_DIMENSIONALITY,
)
from autograder.assignments.cvae.hints.bank import LossProbe, diagnose_loss, diagnose_terms
from autograder.assignments.cvae.solution import cs5814_vae as reference
from autograder.grading.harness import Challenge, Grading, Wrong, check, close, fail, once
from autograder.report.model import Outcome
from autograder.sandbox.client import Raised, Submission, SubmissionError

pytestmark = pytest.mark.loss_function

# Away from 0 and 1, so that a small constant inside a hand-written logarithm makes no difference that counts.
LOW, HIGH = 0.05, 0.95
# float32 sums of 784 terms round to some 1e-6 of their value; a constant of 1e-5 in a logarithm adds 1e-4.
TOLERANCE = 2e-4


def probe(submission: Submission, *arguments: Tensor) -> LossProbe:
    """One call of the submission's function, its value as a number (a single element will do)."""
    reconstructions, originals, means, logvariances = arguments
    value = value_of(submission.call("loss_function", *arguments).outputs, len(means))
    return LossProbe(reconstructions.flatten(1), originals.flatten(1), means, logvariances, float(value))


def value_of(outputs: list[Tensor], images: int) -> Tensor:
    if len(outputs) != 1:
        fail(f"loss_function returned {len(outputs)} values where one scalar was expected.", "wrong-number-of-results")
    if outputs[0].numel() != 1:
        shape = tuple(outputs[0].shape)
        per_image = "loss-per-image" if images > 1 and outputs[0].numel() == images else "loss-not-scalar"
        fail(f"loss_function returned shape {shape} where a scalar was expected.", per_image)
    return outputs[0].reshape(())


def inputs(
    challenge: Challenge, batch: int, pixels: int = INPUT_DIM, latent: int = LATENT_DIMENSIONALITY, low: float = -2
) -> tuple[Tensor, ...]:
    """Random reconstructions, originals, means and log-variances."""
    images = (challenge.uniform(LOW, HIGH, batch, pixels) for _ in range(2))
    return (*images, 2 * challenge.normal(batch, latent), challenge.uniform(low, 2, batch, latent))


@pytest.fixture(scope="module")
def mistakes(submission: Submission, grading: Grading) -> Callable[[], list[str]]:
    """Finds the mistakes behind wrong values, once for all the checks that such a value fails."""
    return once(lambda: diagnose(submission, Challenge(grading.seed, "mistakes")))


def diagnose(submission: Submission, challenge: Challenge) -> list[str]:
    """The mistakes that explain the values on several minibatches, log-variances of either sign or positive."""
    for low in (-2.0, 0.2):
        try:
            probes = [
                probe(submission, *inputs(challenge, batch, pixels, latent, low))
                for batch, pixels, latent in ((1, 12, 5), (5, 20, 3), (3, 9, 8))
            ]
        except SubmissionError:
            return []
        except Wrong as error:
            return error.misconceptions
        if found := diagnose_loss(probes):
            return found
    try:
        return diagnose_terms(
            lambda arguments: probe(submission, *arguments).value,
            [list(inputs(challenge, 1, 11, 7)) for _ in range(16)],
        )
    except SubmissionError:
        return []
    except Wrong as error:
        return error.misconceptions


@check("Reconstruction term: binary cross-entropy, summed over the pixels", 6)
def test_reconstruction(submission: Submission, challenge: Challenge, mistakes: Callable[[], list[str]]) -> None:
    observed, expected = change_of_reconstruction(submission, challenge)
    if not close(observed, expected, TOLERANCE) and not by_one_factor(submission, challenge):
        fail(
            f"Between two reconstructions of an image the loss should differ by {expected:.4f}, not {observed:.4f}.",
            *_about("reconstruction", mistakes()),
        )


@check("KL divergence in closed form, summed over the latent dimensions", 7)
def test_divergence(submission: Submission, challenge: Challenge, mistakes: Callable[[], list[str]]) -> None:
    observed, expected = change_of_divergence(submission, challenge)
    if not close(observed, expected, TOLERANCE) and not by_one_factor(submission, challenge):
        fail(
            "Between two pairs of means and log-variances the loss of one image should differ by "
            f"{expected:.4f}; it differs by {observed:.4f}.",
            *_about("kl", mistakes()),
        )


def change_of_reconstruction(submission: Submission, challenge: Challenge) -> tuple[Tensor, Tensor]:
    """How the loss of one image changes with its reconstruction alone, and how it should."""
    _, originals, *parameters = inputs(challenge, 1, low=0.2)
    better = (0.8 * originals + 0.2 * challenge.uniform(LOW, HIGH, *originals.shape)).clamp(LOW, HIGH)
    worse = challenge.uniform(LOW, HIGH, *originals.shape)
    return change(submission, (worse, originals, *parameters), (better, originals, *parameters))


def change_of_divergence(submission: Submission, challenge: Challenge) -> tuple[Tensor, Tensor]:
    """How the loss of one image changes with its means and log-variances alone, and how it should."""
    # So far apart that every summand of the divergence changes by a known sign, none can cancel another, and the
    # rounding of the pixels is nothing beside the difference.
    *pixels, means, logvariances = inputs(challenge, 1, low=1)
    near = (0.2 * means, challenge.uniform(-0.5, 0.2, *logvariances.shape))
    return change(submission, (*pixels, means, logvariances), (*pixels, *near))


def change(submission: Submission, one: tuple[Tensor, ...], other: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """The difference between two losses, observed and expected."""
    observed = probe(submission, *one).value - probe(submission, *other).value
    return torch.tensor(observed), reference.loss_function(*one) - reference.loss_function(*other)


def by_one_factor(submission: Submission, challenge: Challenge) -> bool:
    """Whether both terms are right but for one factor: that is a wrong average, which is judged by itself."""
    (first, right), (second, also_right) = (
        each(submission, challenge) for each in (change_of_reconstruction, change_of_divergence)
    )
    return bool(first / right > 0) and close(first / right, second / also_right, 2 * TOLERANCE)


def _about(term: str, mistakes: list[str]) -> list[str]:
    """The mistakes in one term where there are any, else all of them."""
    return [name for name in mistakes if name.startswith(term)] or mistakes


def right_terms(grading: Grading) -> tuple[bool, bool]:
    """Whether the reconstruction term and the divergence, judged above, are right; skips the check where neither is."""
    outcomes = [check.outcome is Outcome.PASSED for check in grading.checks.get("loss_function", [])[:2]]
    reconstruction, divergence = outcomes if len(outcomes) == 2 else (True, True)
    if not reconstruction and not divergence:
        pytest.skip("Judged once one of the two terms is right.")
    return reconstruction, divergence


@check("Average over the minibatch", 5)
def test_minibatch(
    submission: Submission, challenge: Challenge, grading: Grading, mistakes: Callable[[], list[str]]
) -> None:
    both_right = all(right_terms(grading))
    for batch in (challenge.integer(5, 9), challenge.integer(20, 40)):
        arguments = inputs(challenge, batch, low=-2 if both_right else 0.2)  # a wrong term may take their logarithm
        observed, what = probe(submission, *arguments).value, "the loss should be"
        if both_right:
            expected = float(reference.loss_function(*arguments))
        else:  # a wrong term has cost its points: what is left is the average, of whatever one image gives
            ones = zip(*(argument.split(1) for argument in arguments), strict=True)
            expected, what = sum(probe(submission, *one).value for one in ones) / batch, "the average of the losses is"
        if not close(torch.tensor(observed), torch.tensor(expected), TOLERANCE):
            fail(
                f"On a minibatch of {batch} images {what} {expected:.4f}; the loss is {observed:.4f}.",
                *mistakes(),
            )


@check("Images of shape (N, 1, H, W): the worked example and a minibatch", 2, worked_example=True)
def test_image_shape(
    submission: Submission, challenge: Challenge, grading: Grading, mistakes: Callable[[], list[str]]
) -> None:
    both_right = all(right_terms(grading))
    reconstruction, original = (
        torch.sigmoid(torch.tensor(logits)).reshape(1, 1, 2, 2)
        for logits in (EXAMPLE_RECONSTRUCTION_LOGITS, EXAMPLE_ORIGINAL_LOGITS)
    )
    flattened = (reconstruction.flatten(1), original.flatten(1))
    parameters = (torch.ones(1, LATENT_DIMENSIONALITY), torch.zeros(1, LATENT_DIMENSIONALITY))
    expected = float(reference.loss_function(reconstruction, original, *parameters))
    try:
        example = probe(submission, reconstruction, original, *parameters).value
    except Raised as error:
        probe(submission, *inputs(challenge, 1))  # if this fails too, the shape is not what is wrong
        fail(f"On the notebook's worked example, images of shape (1, 1, 2, 2): {error}", "loss-image-shape")
    if both_right and abs(example - expected) > TOLERANCE:
        plain = probe(submission, *flattened, *parameters).value
        fail(
            f"The notebook's worked example gives {example:.4f} where {expected:.4f} is printed.",
            *(["loss-image-shape"] if abs(plain - expected) <= TOLERANCE else mistakes()),
        )
    images = [challenge.uniform(LOW, HIGH, 3, 1, 5, 4) for _ in range(2)]
    flat = [image.flatten(1) for image in images]
    parameters = (challenge.normal(3, 6), challenge.uniform(0.2, 2, 3, 6))
    if not close(
        torch.tensor(probe(submission, *images, *parameters).value),
        torch.tensor(probe(submission, *flat, *parameters).value),
        TOLERANCE,
    ):
        fail("Images shaped (N, 1, H, W) and flattened to (N, H·W) give different losses.", "loss-image-shape")


@check("Differentiable with respect to reconstructions, means and log-variances", 3)
def test_gradients(
    submission: Submission, challenge: Challenge, grading: Grading, mistakes: Callable[[], list[str]]
) -> None:
    arguments = inputs(challenge, 1)
    reply = submission.call("loss_function", *arguments, cotangents={0: torch.ones(())})
    value_of(reply.outputs, 1)
    if reply.changed:
        fail("After the call, the tensors that were passed hold other numbers.", "inputs-modified")
    gradients = reply.gradients("argument")
    if not gradients:  # a result of shape (1,) takes a cotangent of that shape
        reply = submission.call("loss_function", *arguments, cotangents={0: torch.ones(1)})
        gradients = reply.gradients("argument")
    if not gradients:
        fail("No gradient comes back through the loss.", "loss-detached")
    leaves = [argument.clone().requires_grad_() for argument in arguments]
    expected = torch.autograd.grad(reference.loss_function(*leaves), leaves)
    reconstruction, divergence = right_terms(grading)
    if reconstruction and divergence:  # a factor of both is a wrong average, which is judged above
        near = (arguments[1].clamp(0.2, 0.8), arguments[1], 0 * arguments[2], 0 * arguments[3])
        changed = probe(submission, *arguments).value - probe(submission, *near).value
        factor = changed / float(reference.loss_function(*arguments) - reference.loss_function(*near))
        expected = tuple(factor * each for each in expected)
    for index, name, right in (
        (0, "reconstructions", reconstruction), (2, "means", divergence), (3, "log-variances", divergence)
    ):  # fmt: skip
        gradient = gradients.get(str(index))
        if right and (gradient is None or not close(gradient, expected[index], 1e-2)):
            how = "does not reach" if gradient is None else "is wrong with respect to"
            fail(f"The gradient of the loss {how} the {name}.", "kl-detached" if index else "reconstruction-detached")
        if not right and (gradient is None or not gradient.any()):  # a wrong term has a gradient all the same
            fail(f"The gradient of the loss does not reach the {name}.", *mistakes())


@check("No loops over the minibatch", 2)
def test_vectorised(submission: Submission, challenge: Challenge, grading: Grading) -> None:
    right_terms(grading)
    usual = {"batch": 4, "pixels": 6, "latent": 3}
    small = submission.work("loss_function", *inputs(challenge, **usual))
    for size, what in (("batch", "images"), ("pixels", "pixels"), ("latent", "latent dimensions")):
        large = submission.work("loss_function", *inputs(challenge, **(usual | {size: 64})))
        for kind, unit in (("operators", "torch operations"), ("bytecodes", "steps of Python")):
            if large[kind] > 2 * small[kind] + 50:
                fail(
                    f"With {usual[size]} {what} the loss takes {small[kind]} {unit}, with 64 it takes {large[kind]}."
                    + describe_loops(submission.outline.loops),
                    "loop-over-batch" if size == "batch" else "loop-over-elements",
                )


def describe_loops(lines: Sequence[int]) -> str:
    """Where the module loops, for the hint: the verdict comes from counting."""
    return f" There is a loop in line {', '.join(map(str, lines[:5]))}." if lines else ""
