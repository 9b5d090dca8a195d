"""forward: what it makes of the submission's own encoder, heads, sampling and decoder, whatever those are worth."""

import contextlib

import pytest
import torch
from torch import Tensor

from autograder.assignments.cvae.assignment import HIDDEN_SIZE
from autograder.assignments.cvae.checks.network import BATCH, Model, Sizes, concatenate, explain_means, explain_stack
from autograder.assignments.cvae.hints.bank import HEAD_ACTIVATIONS, OUTPUT_ACTIVATIONS
from autograder.assignments.cvae.solution import cs5814_vae as reference
from autograder.grading.harness import Challenge, Grading, check, close, fail, require_shape
from autograder.sandbox.client import Reply, Submission, SubmissionError

pytestmark = pytest.mark.forward

ROWS = 1024  # of the statistics that judge an unusual way of drawing


@check("Returns the reconstruction, the means and the log-variances", 2)
def test_results(submission: Submission, challenge: Challenge) -> None:
    model = Model(submission, challenge)
    images, conditions = model.inputs(challenge)
    reply = model.forward(images, conditions, challenge.seed())
    reconstruction = shaped(reply, BATCH, model.sizes)[0]
    if reply.changed:
        fail("After the pass, the tensors that were given to forward hold other numbers.", "inputs-modified")
    if reconstruction.shape != images.shape:
        fail(
            f"The reconstruction has shape {tuple(reconstruction.shape)} where {tuple(images.shape)} was expected.",
            "reconstruction-shape",
        )


def results(model: Model, images: Tensor, conditions: Tensor, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """What forward returns, the shapes checked; the reconstruction may still be shaped like an image."""
    return shaped(model.forward(images, conditions, seed), len(images), model.sizes)


def shaped(reply: Reply, batch: int, sizes: Sizes) -> tuple[Tensor, Tensor, Tensor]:
    """The three results in a reply of forward; fails the check if their shapes are wrong."""
    outputs = reply.outputs
    expected = [(batch, size) for size in (sizes.input_dim, sizes.latent, sizes.latent)]
    shapes = [tuple(output.shape) for output in outputs]
    if shapes != expected and sorted(shapes) == sorted(expected):
        fail(f"forward returns shapes {shapes} where {expected} was expected.", "outputs-swapped")
    means, logvariances = (
        require_shape(output, shape, f"The {what} that forward returns")
        for output, shape, what in zip(outputs[1:], expected[1:], ("means", "log-variances"), strict=True)
    )
    shape = expected[0] if outputs[0].numel() != batch * sizes.input_dim else shapes[0]
    return require_shape(outputs[0], shape, "The reconstruction that forward returns"), means, logvariances


@check("Means and log-variances come from [image | one-hot] through the encoder and its heads", 3)
def test_encoding(submission: Submission, challenge: Challenge) -> None:
    model = Model(submission, challenge)
    images, conditions = model.inputs(challenge)
    _, *observed = results(model, images, conditions, challenge.seed())
    heads = expected_heads(model, concatenate(images, conditions))
    if heads is None:  # the encoder is no callable piece: the whole is judged by transplant
        whole = explain_means(model, images, conditions, challenge)
        if whole is None:
            pytest.skip("Judged once the encoder is recognised.")
        if whole.condition_first:
            fail("The encoder is given [one-hot | image] where [image | one-hot] is asked for.", "condition-first")
        return
    if not all(map(varies, observed)):
        fail("The means and log-variances are the same for every image.", "same-for-every-image")
    if all(follows(output, head) for output, head in zip(observed, heads, strict=True)):
        return
    if follows(observed[0], heads[1]) and follows(observed[1], heads[0]):
        fail("The means are what logvariance_layer gives, and the other way round.", "heads-swapped")
    if any(all(follows(output, head) for output in observed) for head in heads):
        fail("Means and log-variances are what one and the same head gives.", "one-head-twice")
    if follows(observed[1], heads[1]):
        again = results(model, images, conditions, challenge.seed())
        if not close(again[1], observed[0]):
            fail("The means differ between two passes over the same images.", "latent-returned")
    for x, mistake, what in (
        (concatenate(conditions, images), "condition-first", "[one-hot | image]"),
        (concatenate(images, torch.zeros_like(conditions)), "condition-missing", "the image without its class"),
    ):
        other = expected_heads(model, x)
        if other is not None and follows(observed[0], other[0]):
            fail(f"The encoder is given {what} where [image | one-hot] is asked for.", mistake)
    fail(
        "The means and log-variances are not what the encoder and its heads give for [image | one-hot].",
        "encoding-other",
    )


def expected_heads(model: Model, x: Tensor) -> list[Tensor] | None:
    """What the submission's own encoder and heads make of `x`, or None if they cannot be called one by one."""
    try:
        encoded = model.call("encoder", x).outputs[0]
        return [model.call(name, encoded).outputs[0] for name in ("mean_layer", "logvariance_layer")]
    except SubmissionError:
        return None


def varies(output: Tensor) -> bool:
    """Whether the rows differ. Where they do not, nothing can be told of how they came about."""
    return not close(output, output.roll(1, 0))


def follows(observed: Tensor, head: Tensor) -> bool:
    """Equal, or equal up to an activation that the encoder's part has already judged."""
    return any(close(observed, activation(head)) for activation in HEAD_ACTIVATIONS.values())


@check("The reconstruction is decoded from [a draw of sample_latent | one-hot]", 3)
def test_decoding(submission: Submission, challenge: Challenge, grading: Grading) -> None:
    model = Model(submission, challenge)
    images, conditions = model.inputs(challenge)
    seed = challenge.seed()
    reconstruction, means, logvariances = results(model, images, conditions, seed)
    reconstruction = reconstruction.reshape(len(images), -1)
    heads = expected_heads(model, concatenate(images, conditions))
    draws = possible_draws(submission, grading, means, logvariances, seed)
    # What was returned wrongly is judged above, and may not be what the draw was made from.
    if heads and heads[0].shape == heads[1].shape == means.shape:
        draws += possible_draws(submission, grading, heads[0], heads[1], seed)
        if follows(means, heads[1]) and follows(logvariances, heads[0]) and not follows(means, heads[0]):
            means, logvariances = logvariances, means
        elif not close(means, results(model, images, conditions, challenge.seed())[1]):
            means = heads[0]

    def decoded(x: Tensor) -> Tensor | None:
        try:
            return model.call("decoder", x).outputs[0]
        except SubmissionError:
            return None

    def matches(latents: Tensor, classes: Tensor = conditions) -> bool:
        output = decoded(concatenate(latents, classes))
        return output is not None and close(reconstruction, output)

    if decoded(concatenate(means, conditions)) is None:  # no callable piece: judged by transplant
        reached, other = (model.reached(model.forward(images, conditions, seed, reach=of)) for of in ([0], [1, 2]))
        beyond = {name: value for name, value in reached.items() if name not in other}
        for each in draws:
            if explain_stack(beyond, concatenate(each, conditions), reconstruction, OUTPUT_ACTIVATIONS):
                return
        pytest.skip("Judged once the decoder can be called on [latent | one-hot].")
    if not varies(reconstruction):
        fail("The reconstruction is the same for every image.", "same-for-every-image")
    if any(matches(each) for each in draws):
        return
    for latents, mistake, what in (
        (means, "mean-instead-of-sample", "the means"),
        (logvariances, "logvariance-instead-of-sample", "the log-variances"),
    ):
        if matches(latents):
            fail(f"The decoder is given {what} where a draw is asked for.", mistake)
    for each in draws:
        if matches(conditions, each):
            fail("The decoder is given [one-hot | latent] where [latent | one-hot] is asked for.", "condition-first")
        if matches(each, torch.zeros_like(conditions)):
            fail("The decoder is given the latent without the class.", "condition-missing")
    if any(matches(each) for each in possible_draws(submission, grading, logvariances, means, seed)):
        fail("sample_latent is given the log-variances where it expects the means.", "sample-arguments-swapped")
    if same_distribution(model, images[:1], conditions[:1], challenge):
        return
    for change in (torch.exp, lambda each: torch.exp(0.5 * each), lambda each: 0.5 * each):
        if any(matches(each) for each in possible_draws(submission, grading, means, change(logvariances), seed)):
            fail("sample_latent is not given the log-variances as they are.", "sample-arguments-changed")
    outputs = [output for each in draws if (output := decoded(concatenate(each, conditions))) is not None]
    for name, activation in OUTPUT_ACTIVATIONS.items():
        if any(close(reconstruction, activation(output)) for output in outputs):
            fail(f"forward passes what the decoder gives through {name}.", "reconstruction-changed")
    fail("The reconstruction is not what the decoder gives for [draw | one-hot].", "decoding-other")


def possible_draws(
    submission: Submission, grading: Grading, means: Tensor, logvariances: Tensor, seed: int
) -> list[Tensor]:
    """The latents that forward may have drawn under `seed`: by the submission's sample_latent, by ours, or inline."""
    torch.default_generator.manual_seed(seed)
    draws = [reference.sample_latent(means, logvariances)]
    if (drawn := submission.stood_in.get("sample_latent")) is not None:
        draws.append(drawn)
    elif not grading.failed("sample_latent"):
        with contextlib.suppress(SubmissionError):
            draws += submission.call("sample_latent", means, logvariances, seed=seed).outputs
    return [each.float() for each in draws if each.shape == means.shape]


def same_distribution(model: Model, image: Tensor, condition: Tensor, challenge: Challenge) -> bool:
    """Whether many passes over one image vary as decoding draws of our own does: centre and spread of every pixel."""
    images, conditions = image.expand(ROWS, -1), condition.expand(ROWS, -1)
    observed, means, logvariances = results(model, images.contiguous(), conditions.contiguous(), challenge.seed())
    latents = means + torch.exp(0.5 * logvariances) * challenge.normal(*means.shape)
    expected = model.call("decoder", concatenate(latents, conditions)).outputs[0]
    observed = observed.reshape(ROWS, -1)
    if observed.shape != expected.shape or not torch.isfinite(observed).all():
        return False
    spread = expected.std(0) + 1e-4
    centred = ((observed.mean(0) - expected.mean(0)).abs() <= 7 * spread * (2 / ROWS) ** 0.5).all()
    return bool(centred) and 0.85 < float((observed.std(0) / spread).mean()) < 1.15


@check("The gradients of the three results reach every parameter behind them", 2)
def test_gradients(submission: Submission, challenge: Challenge, grading: Grading) -> None:
    model = Model(submission, challenge)
    images, conditions = model.inputs(challenge)
    reached, *by_head = (
        model.reached(model.forward(images, conditions, challenge.seed(), reach=[index])) for index in range(3)
    )
    missing = [name for name in model.parameters if name not in reached]
    if not model.parameters:
        fail("The model has no parameters.")
    if missing:
        hidden = challenge.normal(len(images), HIDDEN_SIZE)
        pieces = (
            model.piece("encoder", concatenate(images, conditions)),
            model.piece("mean_layer", hidden),
            model.piece("logvariance_layer", hidden),
            model.piece("decoder", concatenate(model.latents(challenge), conditions)),
        )
        in_use = {name for piece in pieces if piece for name in piece.parameters}
        mistake = "forward-detached" if in_use & set(missing) or not reached else "unused-parameters"
        fail(
            f"No gradient of the reconstruction reaches {', '.join(missing[:4])}{' and others' * (len(missing) > 4)}.",
            None if grading.failed("forward") else mistake,  # a wrong connection is told above, and explains this
        )
    encoder = model.piece("encoder", concatenate(images, conditions))
    for what, found in zip(("means", "log-variances"), by_head, strict=True):
        cut = [name for name in (encoder.parameters if encoder else ()) if name not in found]
        if cut:
            fail(f"No gradient of the {what} reaches {', '.join(cut[:4])} in the encoder.", "forward-detached")
