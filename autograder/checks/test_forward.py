"""forward: what it makes of the submission's own encoder, heads, sampling and decoder, whatever those are worth."""

import pytest
import torch
from torch import Tensor

from autograder.checks.harness import Challenge, Grading, check, close, fail, require_shape
from autograder.checks.network import BATCH, Model, concatenate, explain_means
from autograder.misconceptions import HEAD_ACTIVATIONS
from autograder.sandbox.client import Submission, SubmissionError
from autograder.solution import cs5814_vae as reference

pytestmark = pytest.mark.forward

ROWS = 1024  # of the statistics that judge an unusual way of drawing


@check("Returns the reconstruction, the means and the log-variances", 2)
def test_results(submission: Submission, challenge: Challenge) -> None:
    model = Model(submission, challenge)
    outputs = model.forward(*model.inputs(challenge), challenge.seed()).outputs
    expected = [(BATCH, model.sizes.input_dim), (BATCH, model.sizes.latent), (BATCH, model.sizes.latent)]
    shapes = [tuple(output.shape) for output in outputs]
    if shapes != expected and sorted(shapes) == sorted(expected):
        fail(f"forward returns shapes {shapes} where {expected} was expected.", "outputs-swapped")
    if shapes[1:] == expected[1:] and outputs[0].numel() == BATCH * model.sizes.input_dim:
        if shapes[0] != expected[0]:
            fail(f"The reconstruction has shape {shapes[0]} where {expected[0]} was expected.", "reconstruction-shape")
    for output, shape, what in zip(outputs, expected, ("reconstruction", "means", "log-variances"), strict=True):
        require_shape(output, shape, f"forward's result “{what}”")


@check("Means and log-variances come from [image | one-hot] through the encoder and its heads", 3)
def test_encoding(submission: Submission, challenge: Challenge) -> None:
    model = Model(submission, challenge)
    images, conditions = model.inputs(challenge)
    outputs = model.forward(images, conditions, challenge.seed()).outputs
    heads = expected_heads(model, concatenate(images, conditions))
    if heads is None:  # the encoder is no callable piece: the whole is judged by transplant
        whole = explain_means(model, images, conditions, challenge)
        if whole is None:
            pytest.skip("Judged once the encoder is recognised.")
        if whole.condition_first:
            fail("The encoder is given [one-hot | image] where [image | one-hot] is asked for.", "condition-first")
        return
    observed = outputs[1:]
    if all(follows(output, head) for output, head in zip(observed, heads, strict=True)):
        return
    if follows(observed[0], heads[1]) and follows(observed[1], heads[0]):
        fail("The means are what logvariance_layer gives, and the other way round.", "heads-swapped")
    if follows(observed[0], heads[0]) and follows(observed[1], heads[0]):
        fail("The log-variances are what mean_layer gives.", "one-head-twice")
    if follows(observed[0], heads[1]) and follows(observed[1], heads[1]):
        fail("The means are what logvariance_layer gives.", "one-head-twice")
    if follows(observed[1], heads[1]):
        again = model.forward(images, conditions, challenge.seed()).outputs
        if not close(again[1], outputs[1]):
            fail("The means differ between two passes over the same images.", "latent-returned")
    for x, mistake, what in (
        (concatenate(conditions, images), "condition-first", "[one-hot | image]"),
        (concatenate(images, torch.zeros_like(conditions)), "condition-missing", "the image without its class"),
    ):
        other = expected_heads(model, x)
        if other is not None and follows(observed[0], other[0]):
            fail(f"The encoder is given {what} where [image | one-hot] is asked for.", mistake)
    fail("The means and log-variances are not what the encoder and its heads give for [image | one-hot].")


def expected_heads(model: Model, x: Tensor) -> list[Tensor] | None:
    """What the submission's own encoder and heads make of `x`, or None if they cannot be called one by one."""
    try:
        encoded = model.call("encoder", x).outputs[0]
        return [model.call(name, encoded).outputs[0] for name in ("mean_layer", "logvariance_layer")]
    except (SubmissionError, IndexError):
        return None


def follows(observed: Tensor, head: Tensor) -> bool:
    """Equal, or equal up to an activation that the encoder's part has already judged."""
    return any(close(observed, activation(head)) for activation in HEAD_ACTIVATIONS.values())


@check("The reconstruction is decoded from [a draw of sample_latent | one-hot]", 3)
def test_decoding(submission: Submission, challenge: Challenge, grading: Grading) -> None:
    model = Model(submission, challenge)
    images, conditions = model.inputs(challenge)
    seed = challenge.seed()
    reconstruction, means, logvariances = model.forward(images, conditions, seed).outputs
    reconstruction = reconstruction.reshape(len(reconstruction), -1)

    def decoded(latents: Tensor, classes: Tensor = conditions) -> Tensor | None:
        try:
            return model.call("decoder", concatenate(latents, classes)).outputs[0]
        except (SubmissionError, IndexError, RuntimeError):
            return None

    def matches(latents: Tensor | None, classes: Tensor = conditions) -> bool:
        output = None if latents is None else decoded(latents, classes)
        return output is not None and close(reconstruction, output)

    if decoded(means) is None:
        pytest.skip("Judged once the decoder can be called on [latent | one-hot].")
    draws = possible_draws(submission, grading, means, logvariances, seed)
    if any(matches(draw) for draw in draws):
        return
    for latents, mistake, what in (
        (means, "mean-instead-of-sample", "the means"),
        (logvariances, "logvariance-instead-of-sample", "the log-variances"),
    ):
        if matches(latents):
            fail(f"The decoder is given {what} where a draw is asked for.", mistake)
    swapped = possible_draws(submission, grading, logvariances, means, seed)
    for draw in draws:
        if draw.shape == means.shape:
            if matches(conditions, draw):
                fail("The decoder is given [one-hot | latent] where [latent | one-hot] is asked for.", "condition-first")
            if matches(draw, torch.zeros_like(conditions)):
                fail("The decoder is given the latent without the class.", "condition-missing")
    if any(matches(draw) for draw in swapped):
        fail("sample_latent is given the log-variances where it expects the means.", "sample-arguments-swapped")
    if same_distribution(model, images[:1], conditions[:1], challenge):
        return
    fail("The reconstruction is not what the decoder gives for [draw | one-hot].")


def possible_draws(
    submission: Submission, grading: Grading, means: Tensor, logvariances: Tensor, seed: int
) -> list[Tensor]:
    """The latents that forward may have drawn under `seed`: by the submission's sample_latent, by ours, or inline."""
    torch.manual_seed(seed)
    draws = [reference.sample_latent(means, logvariances)]
    if grading.drawn is not None and grading.drawn.shape == means.shape:
        draws.append(grading.drawn)
    if not grading.failed("sample_latent"):
        try:
            draws += submission.call("sample_latent", means, logvariances, seed=seed).outputs
        except SubmissionError:
            pass
    return draws


def same_distribution(model: Model, image: Tensor, condition: Tensor, challenge: Challenge) -> bool:
    """Whether many passes over one image vary as decoding draws of our own does: centre and spread of every pixel."""
    images, conditions = image.expand(ROWS, -1), condition.expand(ROWS, -1)
    observed, means, logvariances = model.forward(images.contiguous(), conditions.contiguous(), challenge.seed()).outputs
    latents = means + torch.exp(0.5 * logvariances) * challenge.normal(*means.shape)
    expected = model.call("decoder", concatenate(latents, conditions)).outputs[0]
    observed = observed.reshape(ROWS, -1)
    if observed.shape != expected.shape or not torch.isfinite(observed).all():
        return False
    spread = expected.std(0) + 1e-4
    centred = ((observed.mean(0) - expected.mean(0)).abs() <= 7 * spread * (2 / ROWS) ** 0.5).all()
    return bool(centred) and 0.85 < float((observed.std(0) / spread).mean()) < 1.15


@check("The gradient of the reconstruction reaches every parameter", 2)
def test_gradients(submission: Submission, challenge: Challenge) -> None:
    model = Model(submission, challenge)
    images, conditions = model.inputs(challenge)
    seed = challenge.seed()
    shape = model.forward(images, conditions, seed).outputs[0].shape
    reply = model.forward(images, conditions, seed, cotangents={0: challenge.normal(*shape)})
    reached = reply.gradients("parameter")
    missing = [name for name in model.parameters if name not in reached]
    if not model.parameters:
        fail("The model has no parameters.")
    if missing:
        others = model.forward(images, conditions, seed, cotangents={1: torch.ones_like(reply.outputs[1]), 2: torch.ones_like(reply.outputs[2])})
        cut = set(missing) & others.gradients("parameter").keys()
        fail(
            f"No gradient of the reconstruction reaches {', '.join(missing[:4])}{' and others' * (len(missing) > 4)}.",
            "forward-detached" if cut or not reached else "unused-parameters",
        )
