"""The decoder, by weight transplant (see `network`), called as the notebook calls it: on [latent | one-hot class]."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from autograder.assignments.cvae.checks.network import (
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
from autograder.assignments.cvae.hints.network import OUTPUT_ACTIVATIONS
from autograder.grading.harness import Challenge, Grading, Wrong, check, fail, once, require_shape
from autograder.sandbox.client import Submission
from autograder.sandbox.errors import SubmissionError

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
                "Your decoder takes the latent alone, without the one-hot class.",
                "decoder-without-condition",
            )
        model.call("decoder", x)  # says why it cannot be called
        fail("No gradient reaches the parameters of your decoder.", "not-trainable")
    require_shape(piece.output, (BATCH, model.sizes.input_dim), "The output of your decoder")
    return Piece(piece.output, piece.parameters, x)


@dataclass
class Decoded:
    """A model, what its decoder made of some latents, and the stack that this is, if it is one."""

    model: Model
    piece: Piece
    match: Match | None


@pytest.fixture(scope="module")
def decoded(submission: Submission, grading: Grading) -> Callable[[], Decoded]:
    """Decodes, once for the checks that judge what the decoder is; fails the check if nothing can be decoded."""

    def find() -> Decoded:
        challenge = Challenge(grading.seed, "decoded")
        model = Model(submission, challenge)
        piece = decode(model, challenge)
        return Decoded(model, piece, explain_stack(piece.parameters, piece.input, piece.output, OUTPUT_ACTIVATIONS))

    return once(find)


@pytest.fixture(scope="module")
def decoder_stack(decoded: Callable[[], Decoded]) -> Callable[[], Match]:
    """Finds the stack that the decoder is; fails the check where there is none."""

    def find() -> Match:
        found = decoded()
        return found.match or describe_unexplained(found.model, "decoder", found.piece.input)

    return once(find)


@check("Three linear layers of hidden_size, and one to the pixels", 5)
def test_layers(decoder_stack: Callable[[], Match]) -> None:
    describe_layers(decoder_stack(), "decoder", DEPTH)


@check("A ReLU after each of the first three", 3)
def test_activations(decoder_stack: Callable[[], Match]) -> None:
    describe_activations(decoder_stack(), "decoder")


@check("A sigmoid makes the output probabilities", 4)
def test_output(decoded: Callable[[], Decoded]) -> None:
    piece, match = decoded().piece, decoded().match
    if match is None:
        outside = bool((piece.output < 0).any() or (piece.output > 1).any())
        fail(
            f"The output of your decoder goes from {piece.output.min():.2f} to {piece.output.max():.2f}. "
            "How it ends could not be recognized.",
            "decoder-no-sigmoid" if outside else "decoder-other" if piece.parameters else "not-trainable",
        )
    if match.last != "sigmoid":
        fail(
            "The last layer of your decoder has no sigmoid, so pixels can leave [0, 1]."
            if match.last == "none"
            else f"Your decoder ends in {match.last}; the assignment asks for a sigmoid.",
            OUTPUT_MISTAKES.get(match.last, "decoder-output-activation"),
        )


@check("Sizes follow the constructor's arguments", 3)
def test_sizes(submission: Submission, challenge: Challenge, decoded: Callable[[], Decoded]) -> None:
    decoded()
    sizes = Sizes.random(challenge)
    try:
        decode(Model(submission, challenge, sizes), challenge)
    except (SubmissionError, Wrong) as error:
        fail(f"With {sizes}, your decoder does not work. {error}", "decoder-sizes-hard-coded")
