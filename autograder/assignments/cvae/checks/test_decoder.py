"""The decoder, by weight transplant (see `network`), called as the notebook calls it: on [latent | one-hot class]."""

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from autograder.assignments.cvae.checks import probes
from autograder.assignments.cvae.checks.network import (
    BATCH,
    GRAY,
    MOST,
    Model,
    Piece,
    Sizes,
    concatenate,
    drawn_as,
    find_shrink,
    find_spread,
    in_rows,
    shrink_of,
)
from autograder.assignments.cvae.checks.recognition import (
    Taken,
    end_differs_by_mode,
    explain_reconstruction,
    mixes_rows,
    recognize,
    require_one_row,
    require_same_again,
    require_use,
    take,
)
from autograder.assignments.cvae.checks.stacks import LARGE, ROUNDING, Match, varies
from autograder.assignments.cvae.checks.verdicts import (
    DEPTHS,
    describe_activations,
    describe_layers,
    describe_modes,
    has_last_layer,
    law_of_rows,
    named_layers,
    require_float32,
    said_of_normalization,
    said_of_place,
)
from autograder.assignments.cvae.hints.network import OUTPUT_ACTIVATIONS
from autograder.grading.harness import Challenge, Grading, Wrong, check, fail, once, require_shape
from autograder.report.summary import listed
from autograder.sandbox.client import Submission
from autograder.sandbox.errors import SubmissionError

pytestmark = pytest.mark.decoder

DEPTH = DEPTHS["decoder"]
WIDTH = "decoder-output-width"
OUTPUT_MISTAKES = {
    "none": "decoder-no-sigmoid",
    "two sigmoids": "decoder-sigmoid-twice",
    "ReLU, then sigmoid": "decoder-relu-before-sigmoid",
}


def decode(model: Model, challenge: Challenge, grading: Grading) -> Taken:
    """The decoder's output on random latents and classes; fails the check with the reason if there is none."""
    model.require("decoder")
    latents, conditions = model.latents(challenge), model.inputs(challenge)[1]
    taken = take(model, "decoder", latents, conditions, challenge)
    if taken and (shrink := find_shrink(model, grading, "decoder", *taken.piece.arguments, most=MOST)) < model.shrink:
        model.draw(challenge, shrink)
        taken = take(model, "decoder", latents, conditions, challenge)
    if taken and taken.wrong is None and find_spread(model, grading, challenge, "decoder", latents, conditions):
        taken = take(model, "decoder", latents, conditions, challenge)
    if taken is None:
        require_same_again(model, "decoder")
        model.call("decoder", concatenate(latents, conditions))  # says why it cannot be called
        fail("No gradient reaches the parameters of your decoder.", "not-trainable")
    shape, expected = tuple(taken.piece.output.shape), (BATCH, model.sizes.input_dim)
    if shape != expected:
        before = f"{taken.wrong[0]} " if taken.wrong else ""
        said = f"{before}The output of your decoder has shape {shape}; it should have {expected}."
        as_many = math.prod(shape) == math.prod(expected)
        if shape[:1] != (BATCH,) or not (as_many or len(shape) == 2):
            fail(said, "wrong-shape")
        # Which costs the check of sizes alone.
        taken.wrong = (said, "decoder-shape") if as_many else (said + said_of_width(shape[1], model.sizes), WIDTH)
    require_shape(taken.piece.output, shape, "The output of your decoder")
    return taken


def said_of_width(width: int, sizes: Sizes) -> str:
    """What to add to a message about a decoder that gives another number of numbers than there are pixels."""
    known = {sizes.num_categories: "classes", sizes.latent: "latent dimensions", sizes.input_dim: "pixels"}
    more = width - sizes.input_dim
    as_many = f", as many as there are {known[more]}" if more in known else ""
    return f" It gives {abs(more)} numbers too {'many' if more > 0 else 'few'} for each latent{as_many}."


@dataclass
class Decoded:
    """A model, how its decoder was called and what it made of some latents, and the stack that this is.

    The error is that of a decoder that cannot be called, of which forward has shown what it is.
    """

    model: Model
    taken: Taken
    match: Match
    error: SubmissionError | None = None


@pytest.fixture(scope="module")
def decoded(submission: Submission, grading: Grading) -> Callable[[], Decoded]:
    """Decodes, once for the checks that judge what the decoder is; fails the check if nothing can be decoded."""

    def find() -> Decoded:
        challenge = Challenge(grading.seed, "decoded")
        drawn = drawn_as(grading)
        large = Model(submission, challenge, scale=LARGE, **drawn)
        model = Model(submission, challenge, **drawn)
        try:
            taken = decode(model, challenge, grading)
        except SubmissionError as error:
            found = explain_reconstruction(model, large, *model.inputs(challenge), challenge.seed())
            if found is None:
                raise
            return Decoded(model, Taken(found[0]), found[1], error)
        if drawn_as(grading) != drawn:
            large.spreads = model.spreads
            large.draw(challenge, shrink_of(grading))
        if taken.wrong is not None:
            grading.kept["decoder interface"] = taken.wrong
        if (width := taken.piece.output.shape[-1:]) != (model.sizes.input_dim,):
            grading.kept["decoder width"] = width
        return Decoded(model, taken, recognize(model, large, taken.piece, OUTPUT_ACTIVATIONS))

    return once(find)


@check("Three linear layers of hidden_size, and one to the pixels", 5, probes=probes.DECODER_LAYERS)
def test_layers(decoded: Callable[[], Decoded], challenge: Challenge, grading: Grading) -> None:
    found = decoded()
    require_own(found.model, found.taken.piece, found.match, challenge)
    describe_layers(found.model, found.match, found.taken.piece, "decoder", DEPTH, grading)


def require_own(model: Model, decoder: Piece, match: Match, challenge: Challenge) -> None:
    """Fail the check if the decoder works with parameters of the encoder's."""
    images, conditions = model.inputs(challenge)
    encoder = take(model, "encoder", images, conditions, challenge)
    shared = [name for name in decoder.parameters if encoder and name in encoder.piece.parameters]
    if shared:
        names = listed([f"`{name}`" for name in shared[:4]])
        twice = f" Your decoder uses its {said_of_place(match.twice)} linear layer twice." if match.twice else ""
        fail(f"Your encoder and your decoder both use {names}.{twice}", "decoder-not-apart")


@check("A ReLU after each of the first three linear layers, and nothing else", 3, probes=probes.DECODER_ACTIVATIONS)
def test_activations(decoded: Callable[[], Decoded]) -> None:
    found = decoded()
    describe_activations(found.model, found.match, found.taken.piece, "decoder")


def said_of_minibatch(model: Model, piece: Piece) -> str:
    """How an image depends on the others of its minibatch, in words; empty if it does not.

    Where some pixels are 0 and 1, as with the usual weights, stretching changes nothing.
    """
    with model.changed({name: GRAY * value for name, value in piece.parameters.items()}):
        gray = model.piece("decoder", *piece.arguments)
        if gray is None or not mixes_rows(model, gray):
            return ""
    found = zip(("smallest", "largest"), gray.output.aminmax(), (0, 1), strict=True)
    ends = [f"the {which} pixel is always {end}" for which, pixel, end in found if abs(float(pixel) - end) < 1e-5]
    said = "For an image, your decoder gives other pixels in another minibatch."
    return f"{said} In each minibatch, {listed(ends)}." if ends else said


@check("A sigmoid turns the output into probabilities", 4, probes=probes.DECODER_OUTPUT)
def test_output(decoded: Callable[[], Decoded], grading: Grading) -> None:
    piece, last = decoded().taken.piece, decoded().match.last
    if end_differs_by_mode(decoded().model, piece):
        held = named_layers(decoded().model, "decoder")
        said = "After its last linear layer, your decoder does something else in training mode than in evaluation mode"
        fail(f"{said}{held}.", "decoder-normalisation")
    unnamed = not last or last == "sigmoid"
    if unnamed and not grading.failed("decoder") and (said := said_of_minibatch(decoded().model, piece)):
        fail(said, "decoder-normalisation")
    if last == "sigmoid" and varies(in_rows(piece.output), ROUNDING):
        return
    grading.kept["decoder gives"] = last
    mixed = " For an image it gives other pixels in another minibatch." if mixes_rows(decoded().model, piece) else ""
    if unnamed:
        if not has_last_layer(decoded().model, piece):
            describe_modes(decoded().model, piece, "decoder")
        if law := law_of_rows(decoded().model, piece):
            fail(f"Each row that your decoder gives {law}.{mixed}", "decoder-output-activation")
        model = decoded().model
        outside, held = bool(((piece.output < 0) | (piece.output > 1)).any()), named_layers(model, "decoder")
        normalizes = said_of_normalization(model, piece, lambda width: width == model.sizes.input_dim)
        if normalizes:
            mistake = "decoder-output-activation" if outside else "decoder-normalisation"
            fail(f"Your decoder {normalizes}.{mixed}", mistake)
        unknown = "decoder-normalisation" if held else "decoder-other" if piece.parameters else "not-trainable"
        fail(
            f"The output of your decoder goes from {piece.output.min():.2f} to {piece.output.max():.2f}. "
            f"How it ends could not be recognized{held}.{mixed}",
            "decoder-output-activation" if outside else unknown,
        )
    fail(
        "The last layer of your decoder has no sigmoid, so pixels can leave [0, 1]."
        if last == "none"
        else f"Your decoder ends in {last}; the assignment asks for a sigmoid.{mixed}",
        OUTPUT_MISTAKES.get(last, "decoder-output-activation"),
    )


@check(
    "Takes [latent | one-hot] and gives a row of pixels; sizes follow the constructor's arguments",
    3,
    probes=probes.DECODER_SIZES,
)
def test_sizes(submission: Submission, challenge: Challenge, decoded: Callable[[], Decoded], grading: Grading) -> None:
    usual, model, error = decoded().taken, decoded().model, decoded().error
    if error is not None:
        raise error
    require_float32(model, "decoder", grading)
    latents, classes = usual.piece.input[:, : model.sizes.latent], usual.piece.input[:, model.sizes.latent :]
    require_use(model, usual, latents, classes, grading.kept.get("cut parameters", ()))
    if usual.wrong is not None:
        fail(*usual.wrong)
    if not grading.blamed("decoder", "decoder-normalisation"):  # which may need several rows
        require_one_row(model, "decoder", usual.piece.arguments, "decoder-of-one-row")
    model.require_early("decoder")
    if lazy := [each for each in decoded().model.lazy if each.startswith("decoder.")]:
        fail(f"Before the first pass `{lazy[0]}` has no shape.", "lazy-layer")
    sizes = Sizes.random(challenge)
    try:
        again = decode(Model(submission, challenge, sizes, **drawn_as(grading)), challenge, grading)
        if again.wrong:
            fail(*again.wrong)
    except (SubmissionError, Wrong) as error:
        mistake, square = "decoder-sizes-hard-coded", Sizes(25, sizes.num_categories, sizes.latent)
        with contextlib.suppress(SubmissionError, Wrong):
            other = Model(submission, challenge, square, **drawn_as(grading))
            if decode(other, challenge, grading).wrong is None:
                mistake = "square-images-assumed"
        fail(f"With {sizes}, your decoder does not work. {error}", mistake)
