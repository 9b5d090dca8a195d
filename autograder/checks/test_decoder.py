"""The decoder, by weight transplant (see `network`), called as the notebook calls it: on [latent | one-hot class]."""

import pytest

from autograder.checks.harness import Challenge, Wrong, check, fail, require_shape
from autograder.checks.network import (
    BATCH,
    Match,
    Model,
    Piece,
    Sizes,
    concatenate,
    describe_activations,
    describe_layers,
    describe_unexplained,
    explain_stack,
)
from autograder.misconceptions import OUTPUT_ACTIVATIONS
from autograder.sandbox.client import Submission, SubmissionError

pytestmark = pytest.mark.decoder

DEPTH = 4
OUTPUT_MISTAKES = {
    "none": "decoder-no-sigmoid",
    "two sigmoids": "decoder-sigmoid-twice",
    "ReLU, then sigmoid": "decoder-relu-before-sigmoid",
}


def decode(model: Model, challenge: Challenge) -> Piece:
    """The decoder's output on random latents and classes; fails the check with the reason if there is none."""
    model.require("decoder")
    latents, conditions = model.latents(challenge), model.inputs(challenge)[1]
    x = concatenate(latents, conditions)
    piece = model.piece("decoder", x)
    if piece is None:
        if model.piece("decoder", latents) is not None:
            fail(
                "The decoder does not take the latent with the one-hot class, but the latent alone.",
                "decoder-without-condition",
            )
        model.call("decoder", x)  # says why it cannot be called
        fail("No gradient reaches the parameters of the decoder.", "not-trainable")
    require_shape(piece.output, (BATCH, model.sizes.input_dim), "The output of the decoder")
    return Piece(piece.output, piece.parameters, x)


def explain(piece: Piece) -> Match | None:
    return explain_stack(piece.parameters, piece.input, piece.output, OUTPUT_ACTIVATIONS)


def require_match(submission: Submission, challenge: Challenge) -> Match:
    """The stack that the decoder is; fails the check where there is none."""
    model = Model(submission, challenge)
    piece = decode(model, challenge)
    return explain(piece) or describe_unexplained(model, "decoder", piece.input)


@check("Three linear layers of hidden_size, and one to the pixels", 5)
def test_layers(submission: Submission, challenge: Challenge) -> None:
    describe_layers(require_match(submission, challenge), "decoder", DEPTH)


@check("A ReLU after each of the first three", 3)
def test_activations(submission: Submission, challenge: Challenge) -> None:
    describe_activations(require_match(submission, challenge), "decoder")


@check("A sigmoid makes the output probabilities", 4)
def test_output(submission: Submission, challenge: Challenge) -> None:
    piece = decode(Model(submission, challenge), challenge)
    if (match := explain(piece)) is None:
        outside = bool((piece.output < 0).any() or (piece.output > 1).any())
        fail(
            "What the decoder does to its output could not be recognised.",
            "decoder-no-sigmoid" if outside else "decoder-other" if piece.parameters else "not-trainable",
        )
    if match.last != "sigmoid":
        fail(
            f"After the last linear layer comes {match.last} where a sigmoid is asked for.",
            OUTPUT_MISTAKES.get(match.last, "decoder-output-activation"),
        )


@check("Sizes follow the constructor's arguments", 3)
def test_sizes(submission: Submission, challenge: Challenge) -> None:
    decode(Model(submission, challenge), challenge)
    sizes = Sizes.random(challenge)
    try:
        decode(Model(submission, challenge, sizes), challenge)
    except (SubmissionError, Wrong) as error:
        fail(f"With {sizes}, the decoder does not work: {error}", "decoder-sizes-hard-coded")
