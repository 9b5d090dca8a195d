"""The encoder and its two heads, by weight transplant (see `network`)."""

from collections.abc import Callable

import pytest

from autograder.assignments.cvae.assignment import HIDDEN_SIZE, INPUT_DIM, LATENT_DIMENSIONALITY, NUM_CATEGORIES
from autograder.assignments.cvae.checks.network import (
    BATCH,
    Match,
    Model,
    Sizes,
    concatenate,
    describe_activations,
    describe_layers,
    describe_unexplained,
    explain_means,
    explain_stack,
)
from autograder.assignments.cvae.hints.network import ACTIVATIONS, HEAD_ACTIVATIONS
from autograder.grading.harness import Challenge, Grading, Wrong, check, close, fail, once, require_shape
from autograder.sandbox.client import Submission
from autograder.sandbox.errors import SubmissionError

pytestmark = pytest.mark.encoder

HEADS = {"mean_layer": (1, "mean-head-activated"), "logvariance_layer": (2, "logvariance-head-activated")}
DEPTH = 3


@pytest.fixture(scope="module")
def encoder_stack(submission: Submission, grading: Grading) -> Callable[[], Match]:
    """Finds the stack that the encoder is, once for the checks that judge it."""
    return once(lambda: explain(submission, Challenge(grading.seed, "encoder_stack")))


@check("Three linear layers to hidden_size", 5)
def test_layers(encoder_stack: Callable[[], Match]) -> None:
    describe_layers(encoder_stack(), "encoder", DEPTH)


@check("A ReLU after each of them", 3)
def test_activations(encoder_stack: Callable[[], Match]) -> None:
    describe_activations(encoder_stack(), "encoder")


def explain(submission: Submission, challenge: Challenge) -> Match:
    """The stack that the encoder is, alone or with forward's help; fails the check where there is none."""
    model = Model(submission, challenge)
    model.require("encoder")
    images, conditions = model.inputs(challenge)
    x = concatenate(images, conditions)
    piece = model.piece("encoder", x)
    plain = {"none": ACTIVATIONS["none"]}
    match = None if piece is None else explain_stack(piece.parameters, x, piece.output, plain, activated_last=True)
    if match is None or match.hidden != ("ReLU",) * DEPTH:
        # The activations, or all of the calculation, may stand in forward instead.
        whole = explain_means(model, images, conditions, challenge)
        if whole is not None and (match is None or whole.match.hidden == ("ReLU",) * DEPTH):
            match = whole.match
    if match is not None:
        return match
    if piece is None:
        if model.piece("encoder", images) is not None:
            fail(
                "Your encoder takes the image alone, without its one-hot class.",
                "encoder-without-condition",
            )
        model.call("encoder", x)  # says why it cannot be called
    return describe_unexplained(model, "encoder", x)


@check("The mean head: one linear layer, no activation", 2)
def test_mean_head(submission: Submission, challenge: Challenge) -> None:
    judge_head(submission, challenge, "mean_layer")


@check("The log-variance head: one linear layer of its own, no activation", 2)
def test_logvariance_head(submission: Submission, challenge: Challenge) -> None:
    judge_head(submission, challenge, "logvariance_layer")


def judge_head(submission: Submission, challenge: Challenge, name: str) -> None:
    """One head by itself, then what forward makes of it."""
    model = Model(submission, challenge)
    model.require(name)
    position, activated = HEADS[name]
    images, conditions = model.inputs(challenge)
    encoded = model.piece("encoder", concatenate(images, conditions))
    hidden = challenge.normal(BATCH, HIDDEN_SIZE)
    head = model.piece(name, hidden)
    if head is None and encoded is not None and encoded.output.dim() == 2:  # another width, which is judged above
        hidden = challenge.normal(*encoded.output.shape)
        head = model.piece(name, hidden)
    if head is None:
        model.call(name, hidden)  # says why it cannot be called
        fail(f"No gradient reaches the parameters of `{name}`.", "not-trainable")
    require_shape(head.output, (BATCH, model.sizes.latent), f"The output of `{name}`")
    match = explain_stack(head.parameters, hidden, head.output, HEAD_ACTIVATIONS)
    if match is None:
        fail(
            f"`{name}` does not act like a linear layer.",
            "encoder-other" if head.parameters else "not-trainable",
        )
    if any(not bias.any() for _, bias in match.layers):
        fail(f"`{name}` has no bias.", "encoder-bias")
    if match.last != "none":
        fail(f"The output of `{name}` passes through {match.last}.", activated)
    if match.depth != 1:
        fail(f"`{name}` has {match.depth} linear layers; the assignment asks for one.", "head-depth")
    other = model.piece(next(each for each in HEADS if each != name), hidden)
    if name == "logvariance_layer" and other is not None and other.parameters.keys() & head.parameters.keys():
        fail("`mean_layer` and `logvariance_layer` share their parameters.", "heads-shared")
    try:
        observed = model.forward(images, conditions, challenge.seed()).outputs[position]
        linear = model.call(name, encoded.output).outputs[0] if encoded else None
    except SubmissionError:
        return  # forward is judged by its own part
    if linear is None or close(observed, linear):
        return
    for activation, function in HEAD_ACTIVATIONS.items():
        if activation != "none" and close(observed, function(linear)):
            fail(f"Your `forward` passes the output of `{name}` through {activation}.", activated)


@check("Sizes follow the constructor's arguments, and stand in the attributes", 3)
def test_sizes(submission: Submission, challenge: Challenge) -> None:
    sizes = Sizes.random(challenge)
    try:
        encode_with(submission, challenge, sizes)
    except (SubmissionError, Wrong) as error:
        encode_with(submission, challenge, Sizes())  # if this fails too, the sizes are not what is wrong
        fail(f"With {sizes}, your encoder does not work. {error}", "encoder-sizes-hard-coded")
    expected = {
        "input_dim": sizes.input_dim,
        "num_categories": sizes.num_categories,
        "latent_dimensionality": sizes.latent,
        "hidden_size": HIDDEN_SIZE,
    }
    found = submission.attributes("model", list(expected))
    for name, value in expected.items():
        if found.get(name) != value:
            message = f"Your `self.{name}` is {found.get(name)}; it should be {value}."
            usual = {
                "input_dim": INPUT_DIM,
                "num_categories": NUM_CATEGORIES,
                "latent_dimensionality": LATENT_DIMENSIONALITY,
            }
            if found.get(name) is None:
                fail(message, "attribute-missing")
            fail(message, "encoder-sizes-hard-coded" if found[name] == usual.get(name) else "attribute-wrong")


def encode_with(submission: Submission, challenge: Challenge, sizes: Sizes) -> None:
    """Build a model of these sizes and see that means and log-variances come out of it in the right shape."""
    model = Model(submission, challenge, sizes)
    model.require("encoder", "mean_layer", "logvariance_layer")
    images, conditions = model.inputs(challenge)
    encoded = model.piece("encoder", concatenate(images, conditions))
    if encoded is not None:
        heads = [model.call(name, encoded.output).outputs[0] for name in HEADS]
    else:
        heads = model.forward(images, conditions, challenge.seed()).outputs[1:]
    for tensor, name in zip(heads, HEADS, strict=True):
        require_shape(tensor, (BATCH, sizes.latent), f"The output of `{name}`")
