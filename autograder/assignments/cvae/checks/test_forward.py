"""forward: what it makes of the submission's own encoder, heads, sampling and decoder, right or wrong."""

from collections.abc import Callable, Container, Sequence
from typing import NoReturn

import pytest
import torch
from torch import Tensor

from autograder.assignments.cvae.assignment import HIDDEN_SIZE
from autograder.assignments.cvae.checks import probes
from autograder.assignments.cvae.checks.layouts import holds_matrix
from autograder.assignments.cvae.checks.network import (
    BATCH,
    CLASS,
    GRAY,
    ROWS,
    SIGMAS,
    Model,
    Sizes,
    concatenate,
    constant_heads,
    in_rows,
    in_shape,
    is_draw,
    left_out,
    side_by_side,
)
from autograder.assignments.cvae.checks.passes import (
    EVALUATION,
    HEADS,
    MANY,
    MOST_TRIED,
    NAMES,
    PIECES,
    Mode,
    Pass,
    averages,
    built,
    differs_by_mode,
    draws_when_made,
    encoder_output,
    expected_heads,
    expected_pixels,
    far_pass,
    find_order,
    follows,
    given_by_heads,
    half_precision,
    holds,
    is_linear,
    is_noise,
    known_as,
    latents_in,
    layout_of,
    needs_several_rows,
    of_a_piece,
    once_each,
    other_class,
    other_orders,
    results_of,
    said_of_average,
    said_of_change,
    said_of_half,
    said_of_parts,
    same_distribution,
    shaped,
    shaped_parameters,
    shared_in_rows,
    slope_fault,
    start_of,
    that_show,
    to_probabilities,
    twice,
    without_slope,
)
from autograder.assignments.cvae.checks.recognition import (
    close_within_far,
    explain_means,
    in_order,
    places_of,
    rescaled,
    said_of_limits,
    tells_class,
)
from autograder.assignments.cvae.checks.stacks import LARGE, ROUNDING, Observation, explain_stack, varies
from autograder.assignments.cvae.checks.verdicts import first_few
from autograder.assignments.cvae.hints import draws as known_draws
from autograder.assignments.cvae.hints.network import OUTPUT_ACTIVATIONS, Activation
from autograder.assignments.cvae.solution import cs5814_vae as reference
from autograder.grading.harness import (
    Challenge,
    Grading,
    Wrong,
    check,
    close,
    fail,
    only_where,
    require_arguments_unchanged,
    said_of_seed,
)
from autograder.report.model import Outcome
from autograder.report.summary import listed
from autograder.sandbox.client import Reply, Submission
from autograder.sandbox.errors import SubmissionError, Unfit

pytestmark = pytest.mark.forward
PASSES = 6  # over other images each, whose draws are judged together
FEW = 4  # images, each in many rows

TRAINING = Mode("In training mode only")
WITHOUT_GRADIENTS = Mode("Under `torch.no_grad()` only", evaluate=True, gradients=False)


def judge_in(modes: Sequence[Mode], judge: Callable[[Mode], None]) -> None:
    """Judge forward in each mode; where it fails in some of them only, the message begins with these."""
    failures = dict[Mode, Wrong]()
    for mode in modes:
        try:
            judge(mode)
        except Wrong as failure:
            failures[mode] = failure
        except (SubmissionError, pytest.skip.Exception):
            if not failures:
                raise
            raise next(iter(failures.values())) from None  # nothing can be told of this mode
    if not failures:
        return
    first, wrong = next(iter(failures.items()))
    failing, passing = ({mode.evaluate for mode in modes if (mode in failures) is failed} for failed in (True, False))
    if [*failures] != [WITHOUT_GRADIENTS] and (failing & passing or not passing):
        raise wrong
    with only_where(first.only):
        raise wrong


@check("Returns the reconstruction, the means and the log-variances", 2, probes=probes.FORWARD_RESULTS)
def test_results(submission: Submission, challenge: Challenge, grading: Grading) -> None:
    model = built(submission, challenge, grading)
    (images, conditions), seed = model.inputs(challenge), challenge.seed()
    try:
        reply = model.forward(images, conditions, seed, capture=["decoder"])
    except Unfit as error:
        if error.code == "not-a-tensor" and error.fields["kind"] == "None":
            grading.kept["None among the results"] = True  # which costs this check, and no other
        elif error.code in ("not-a-tensor", "result-count"):
            grading.kept["order of results"] = find_order(model, images, conditions, challenge)
        raise
    try:
        reconstruction, *parameters = shaped(reply, BATCH, model)
    except Wrong:
        grading.kept["order of results"] = find_order(model, images, conditions, challenge)
        raise
    constant = constant_heads(grading)  # which the encoder's part has judged
    counted = [each for each, name in zip(parameters, HEADS, strict=True) if name not in constant]
    if not all(varies(each, ROUNDING) for each in (reconstruction.reshape(BATCH, -1), *counted)):
        fail("One of the results is the same for every image.", "same-for-every-image")
    require_layers_in_use(model, images, conditions, challenge, seed, reply.outputs)
    require_arguments_unchanged(submission, reply, (CLASS, "forward"))
    decoded = reply.captured("decoder", "result")
    if reconstruction.shape != images.shape and not (decoded and decoded[0].shape == reconstruction.shape):
        fail(
            f"Your reconstruction has shape {tuple(reconstruction.shape)}; it should have {tuple(images.shape)}.",
            "reconstruction-shape",
        )
    judge_sizes(submission, challenge, grading)
    if model.stopped_late:  # an earlier stop costs the points of the layers after it
        raise model.stopped_late


def require_layers_in_use(
    model: Model, images: Tensor, conditions: Tensor, challenge: Challenge, seed: int, before: Sequence[Tensor]
) -> None:
    """Fail the check if forward gives the results that it gave before, though all weights have changed."""
    usual = model.parameters
    model.draw(challenge, model.shrink)  # no larger, so that a right network, and what it asserts, can bear them
    after = model.forward(images, conditions, seed).outputs
    model.set(usual)
    if all(one.shape == other.shape and close(one, other) for one, other in zip(before, after, strict=True)):
        fail("Your `forward` gives the same results for any weights of the layers.", "not-trainable")


def judge_sizes(submission: Submission, challenge: Challenge, grading: Grading) -> None:
    """Fail the check if forward does not take one image of an unusual size, though encoder and decoder would."""
    judged = [grading.checks[part][-1] for part in ("encoder", "decoder") if grading.checks.get(part)]
    if grading.kept.get("head widths") or any(check.outcome is not Outcome.PASSED for check in judged):
        return  # the last check of a part is that of its sizes
    sizes = Sizes.random(challenge)
    model = Model(submission, challenge, sizes, **left_out(grading))
    images, conditions = model.inputs(challenge)[0][:1], torch.eye(sizes.num_categories)[:1]
    said = f"With {sizes}, your `forward` does not work on one image."
    try:
        reply = model.forward(images, conditions, challenge.seed(), evaluate=True)
        shapes, latent = [tuple(each.shape) for each in reply.outputs], (1, sizes.latent)
        said += f" It returns shapes {shapes}."
        right = len(shapes[0]) > 1 and shapes[0][0] == 1 and shapes[1:] == [latent, latent]
    except SubmissionError as error:
        said, right = f"{said} {error}", False
    if not right and not needs_several_rows(model, challenge):
        fail(said, "forward-sizes-hard-coded")


@check(
    "Means and log-variances come from [image | one-hot] through the encoder and its heads",
    3,
    probes=probes.FORWARD_ENCODING,
)
def test_encoding(submission: Submission, challenge: Challenge, grading: Grading) -> None:
    model = built(submission, challenge, grading)
    images, conditions = model.inputs(challenge, MANY)
    # In evaluation mode first, in which dropout, which the encoder's part has judged, makes no difference.
    modes = [EVALUATION, WITHOUT_GRADIENTS]
    modes += [] if differs_by_mode(model, images, conditions, challenge) else [TRAINING]
    for mode in modes if model.head_widths else ():  # which take long to compare, so the first failure is enough
        judge_encoding(model, images, conditions, challenge, grading, mode)
    if not model.head_widths:
        judge_in(modes, lambda mode: judge_encoding(model, images, conditions, challenge, grading, mode))
    if far := far_pass(model, images, conditions, challenge):
        for at, (result, head, what) in enumerate(zip(far.reply.outputs[1:], far.heads, NAMES, strict=True)):
            if at in far.judged and not close_within_far(result, head):
                judge_change(far.reply.outputs[1:], far.heads, activated=False)
                fail(f"Where your {what} are far from 0, they are not what `{HEADS[at]}` gives.", "encoding-other")


def judge_encoding(
    model: Model, images: Tensor, conditions: Tensor, challenge: Challenge, grading: Grading, mode: Mode
) -> None:
    """Fail the check unless means and log-variances are what the encoder and its heads give."""
    x, seed = concatenate(images, conditions), challenge.seed()
    before = expected_heads(model, x, seed)
    reply = model.forward(images, conditions, seed, capture=["encoder", *HEADS, "decoder"], **mode.arguments)
    observed = shaped_parameters(reply, len(images), model)
    constant = constant_heads(grading)
    if not all(varies(each, ROUNDING) for each, name in zip(observed, HEADS, strict=True) if name not in constant):
        fail("Your means and log-variances are the same for every image.", "same-for-every-image")
    heads = expected_heads(model, x, seed)
    require_unchanged("encoder or a head", before, heads, expected_heads(model, x, seed))
    of_heads = reply.captured(HEADS[0], "argument")
    if heads and of_heads and "encoder in forward" in grading.kept and not model.relu_before:
        judge_order_of_whole(model, images, conditions, challenge)
        if close(observed[0], model.forward(images, conditions, seed, evaluate=True).outputs[1]):  # else dropout
            heads = given_by_heads(model, of_heads[0])
    given = side_by_side(reply.captured("encoder", "argument"))
    if changed := grading.kept.get("changed on return"):
        said = "Your `forward` draws from what `{}` gives, but returns it passed through {}."
        fail(" ".join(said.format(*each) for each in changed.items()), "result-changed")
    if heads is None and judge_other_heads(model, observed, images, conditions, seed):
        return
    if heads is None and given is not None:  # it takes something else, which the encoder's part has judged
        if not holds(given, images):
            fail("Your encoder does not get the image.", "encoding-other")
        if model.piece("encoder", x) is None:
            said = (
                "Your encoder takes other input than [image | one-hot], and your `forward` gives it that. Change both."
            )
            grading.replaced.append(said)
        heads = next((given_by_heads(model, each) for each in reply.captured("encoder", "result")), None)
        if heads is None:
            require_layers(model, images, conditions, seed)
            return
    if heads is None:  # the encoder is no callable piece: the whole is judged by transplant
        judge_order_of_whole(model, images, conditions, challenge)
        return
    activated = grading.failed("encoder")
    off = [at for at, head in enumerate(heads) if not follows(observed[at], head, activated)]
    if not off:
        return
    what, source = ("means and log-variances", "your heads") if len(off) > 1 else (NAMES[off[0]], f"`{HEADS[off[0]]}`")
    give = f"what your encoder and {source} give for [image | one-hot]."
    if all(kinds := [half_precision(reply, 1 + at, heads[at], ("encoder", HEADS[at])) for at in off]):
        grading.kept["few digits"] = True
        fail(f"Your {what} are nearly {give} {said_of_half(model, kinds[0])}", "half-precision")
    if follows(observed[0], heads[1]) and follows(observed[1], heads[0]):
        fail("Your second result comes from `logvariance_layer`, and your third from `mean_layer`.", "heads-swapped")
    if any(all(follows(output, head) for output in observed) for head in heads):
        fail("Your means and log-variances come from the same head.", "one-head-twice")
    if follows(observed[1], heads[1]):
        again = model.forward(images, conditions, challenge.seed(), **mode.arguments)
        if not close(again.outputs[1], observed[0]):
            fail("Your means differ between two passes over the same images.", "latent-returned")
    judge_order(model, observed[0], images, conditions, seed)
    judge_change(observed, heads, activated)
    if given is not None:
        again = model.forward(images, conditions, challenge.seed(), capture=["encoder"], **mode.arguments)
        judge_encoder_input(reply, again, images, conditions)
    judge_between(reply, model.relu_before)
    judge_places(observed, heads)
    fail(f"Your {what} are not {give}", "encoding-other")


def judge_order_of_whole(model: Model, images: Tensor, conditions: Tensor, challenge: Challenge) -> None:
    """Fail the check if an encoder that cannot be called gets the class first; skip it if that cannot be told."""
    large = Model(model.submission, challenge, scale=LARGE, shrink=model.shrink, spreads=model.spreads)
    whole = explain_means(model, large, images, conditions, challenge.seed())
    if whole is None:
        pytest.skip("Skipped: fix the encoder first.")
    if whole.condition_first:
        fail("Your encoder gets [one-hot | image] instead of [image | one-hot].", "condition-first")


def judge_other_heads(  # noqa: RET503
    model: Model, observed: Sequence[Tensor], images: Tensor, conditions: Tensor, seed: int
) -> bool:
    """Judge heads that are not under their names, which the encoder's part has judged; False if that cannot be told.

    The layers that act as heads, in any layout, give linear functions of what the encoder gives.
    """
    if all(map(model.has, HEADS)) or (encoded := encoder_output(model, concatenate(images, conditions), seed)) is None:
        return False
    if close(observed[0], observed[1]):
        fail("Your means and log-variances come from the same head.", "one-head-twice")
    if all(is_linear(each, encoded) for each in observed):
        return True
    for x, mistake, what in other_orders(images, conditions):
        other = encoder_output(model, x, seed)
        if other is not None and all(is_linear(each, other) for each in observed):
            fail(f"Your encoder gets {what} instead of [image | one-hot].", mistake)
    off = [name for name, each in zip(NAMES, observed, strict=True) if not is_linear(each, encoded)]
    fail(f"Your {' and '.join(off)} are no linear function of what your encoder gives for [image | one-hot].")


def require_layers(model: Model, images: Tensor, conditions: Tensor, seed: int) -> None:
    """Fail the check unless layers of the network, which nothing more is known of, make means and log-variances."""
    for at, what in enumerate(("means", "log-variances"), 1):
        reached = model.reached(model.forward(images, conditions, seed, reach=[at], evaluate=True))
        if not any(holds_matrix(each.shape) for each in reached.values()):
            fail(f"Your {what} depend on no layer that training can change.", "encoding-other")


def judge_order(model: Model, means: Tensor, images: Tensor, conditions: Tensor, seed: int) -> None:
    """Fail the check if the means are those of an encoder that gets the class first, or no class."""
    for x, mistake, what in other_orders(images, conditions):
        other = expected_heads(model, x, seed)
        if other is not None and follows(means, other[0]):
            fail(f"Your encoder gets {what} instead of [image | one-hot].", mistake)


def judge_change(observed: Sequence[Tensor], heads: list[Tensor], activated: bool) -> None:
    """Fail the check if forward passes what a head gives through a function, and say what it does."""
    for output, head, what in zip(observed, heads, ("means", "log-variances"), strict=True):
        if follows(output, head, activated):
            continue
        if limits := said_of_limits(output, head):
            fail(f"Your `forward` cuts off the {what}: they are {limits}.", "encoding-cut-off")
        if changed := rescaled(output, head):
            fail(f"Your `forward` changes the {what} that the head gives: {changed.said}.", "encoding-other")
        if in_order(output, head):
            at = int((output - head).abs().argmax())
            where = f"where it gives {float(head.flatten()[at]):.3g}, they are {float(output.flatten()[at]):.3g}"
            fail(f"Your `forward` changes the {what} that the head gives: {where}.", "encoding-other")


def judge_places(observed: Sequence[Tensor], heads: Sequence[Tensor]) -> None:
    """Fail the check if what the heads give comes back in other places."""
    for output, head, name, what in zip(observed, heads, HEADS, NAMES, strict=True):
        if places := places_of(output, head):
            fail(f"Your {what} are the numbers that `{name}` gives, {places}.", "numbers-rearranged")
    if places := places_of(torch.cat(tuple(observed), -1), torch.cat(tuple(heads), -1)):
        said = f"Your means and log-variances together are the numbers that the two heads give, {places}"
        fail(f"{said}: each of them holds numbers of both heads.", "numbers-rearranged")


def judge_between(reply: Reply, relu_before: Sequence[str]) -> None:
    """Fail the check if a head gets other numbers than the encoder gives, or than a ReLU makes of them, and say which.

    `relu_before` are the heads with that ReLU, which the encoder's part has judged.
    """
    gave = side_by_side(reply.captured("encoder", "result"))
    for name in HEADS:
        given = side_by_side(reply.captured(name, "argument"))
        encoded = gave.relu() if gave is not None and name in relu_before else gave
        if encoded is None or given is None or encoded.shape != given.shape or close(given, encoded):
            continue
        if places := places_of(given, encoded):
            said = f"Your `forward` gives `{name}` the numbers that your encoder gives, {places}."
            fail(said, "numbers-rearranged")
        zeroed = float((given == 0)[encoded != 0].float().mean())
        how = (
            f"it sets {zeroed:.0%} of them to 0"
            if zeroed > 0.01
            else f"on average, they differ by {float((given - encoded).abs().mean()):.3g}"
        )
        fail(f"Your `forward` changes the numbers between your encoder and `{name}`: {how}.", "encoding-other")


def require_unchanged(what: str, before: list[Tensor] | None, *after: list[Tensor] | None) -> None:
    """Fail the check if a piece gives something else since forward ran, each time the same: it is another one now."""
    if before is None or any(each is None or len(each) != len(before) for each in after):
        return
    first, second = ([*each] for each in after if each is not None)
    if all(map(close, first, second)) and not all(map(close, before, first)):
        fail(f"After a pass through `forward`, your {what} gives another output.", "layers-made-in-forward")


def judge_encoder_input(reply: Reply, other: Reply, images: Tensor, conditions: Tensor) -> None:
    """Fail the check if the encoder is given other numbers than the image or than the one-hot class, and say which.

    The replies are to two passes over the same images.
    """
    given, again = (side_by_side(each.captured("encoder", "argument")) for each in (reply, other))
    decoded = side_by_side(reply.captured("decoder", "argument"))
    if given is None or given.shape != (len(images), images.shape[-1] + conditions.shape[-1]):
        return
    image, classes = given[:, : images.shape[-1]].float(), given[:, images.shape[-1] :]
    if not close(image, images):
        if places := places_of(image, images):
            fail(f"Your encoder gets the right pixels, {places}.", "numbers-rearranged")
        difference = float((image - images).abs().mean())
        random = again is not None and again.shape == given.shape and not close(again[:, : images.shape[-1]], image)
        fail(
            f"The pixels that your encoder gets are off by {difference:.3g} on average."
            + (" Another pass over the same image gives it other pixels." if random else ""),
            "encoder-pixels-changed",
        )
    if not close(classes, conditions):
        both = decoded is not None and torch.equal(decoded[:, -conditions.shape[-1] :].float(), classes)
        too = " Your decoder gets the same numbers in place of the class." if both else ""
        fail(f"Your encoder {other_class(classes, conditions)}.{too}", "encoder-class-changed")


@check("The reconstruction is decoded from [a draw of sample_latent | one-hot]", 3, probes=probes.FORWARD_DECODING)
def test_decoding(submission: Submission, challenge: Challenge, grading: Grading) -> None:
    model = built(submission, challenge, grading)
    images, conditions = model.inputs(challenge, MANY)
    random = differs_by_mode(model, images, conditions, challenge)

    def pass_others() -> None:  # of which nothing may be left in the next pass
        model.forward(images.flip(0), conditions.roll(1, 1), challenge.seed())

    pass_others()
    one, other = twice(model, images, conditions, challenge, TRAINING)
    still = close(one.outputs[0], other.outputs[0])

    def judge(mode: Mode) -> None:
        one, other = twice(model, images, conditions, challenge, mode)
        after, again = (
            model.forward(images, conditions, None, capture=["decoder"], **mode.arguments) for _ in range(2)
        )
        if mode.evaluate and not still and close(one.outputs[0], other.outputs[0]):
            said = "Two passes over the same images give the same reconstruction"
            image, condition = (each[:1].expand(len(images), -1) for each in (images, conditions))
            alike = model.forward(image, condition, challenge.seed(), **mode.arguments).outputs[0]
            if varies(in_rows(alike), ROUNDING):
                fail(f"{said}, though something is drawn.{said_of_seed(one, other)}", "fixed-seed")
            fail(f"{said}: nothing is drawn.", "no-draw-in-evaluation")
        pass_others()
        judge_decoding(model, images, conditions, challenge, grading, random, mode)
        seed = said_of_seed(one, other)
        if decode_alike(one, other, grading):
            fail_as_repeated(f"Two passes over the same images decode the same latents.{seed}", "fixed-seed", grading)
        elif decode_alike(after, again, grading):
            said = f"Two passes in a row over the same images decode the same latents.{seed}"
            fail_as_repeated(said, "fixed-seed" if seed else "generator-restarted", grading)

    judge_in([EVALUATION, WITHOUT_GRADIENTS] if random else [TRAINING, EVALUATION, WITHOUT_GRADIENTS], judge)
    if far := far_pass(model, images, conditions, challenge):
        arguments, sources = far.reply.captured("sample_latent", "argument"), [far.reply.outputs[1:], far.heads]
        arguments = [layout_of(arguments, sources)(each) for each in arguments]
        for at, name in enumerate(NAMES) if len(arguments) == 2 and not said_of_parts(arguments, sources) else ():
            if at in far.judged and not any(close_within_far(arguments[at], source[at]) for source in sources):
                fail(
                    f"Where they are far from 0, your `sample_latent` does not get the {name} as they are.",
                    "sample-arguments-changed",
                )
    if not random and not grading.failed("decoder"):
        judge_gray(model, images, conditions, challenge)


def decode_alike(one: Reply, other: Reply, grading: Grading) -> bool:
    """Whether two passes give the decoder the same numbers; or give the same images, where it is not called."""
    given = [side_by_side(each.captured("decoder", "argument")) for each in (one, other)]
    if given[0] is None or given[1] is None:
        return not grading.failed("decoder") and close(one.outputs[0], other.outputs[0])
    return close(given[0], given[1])


def fail_as_repeated(said: str, mistake: str, grading: Grading) -> None:
    """Fail the check for draws that come again, if that is no mistake that sample_latent has, too."""
    if not grading.blamed("sample_latent", mistake):
        fail(said, mistake)
    grading.replaced.append("Your `forward` draws by itself, with the mistake that your `sample_latent` has.")


def judge_gray(model: Model, images: Tensor, conditions: Tensor, challenge: Challenge) -> None:
    """Fail the check if forward changes pixels none of which is near 0 or 1, as where it divides by the largest."""
    model.draw(challenge, GRAY * model.shrink)
    seed = challenge.seed()
    reply = model.forward(images, conditions, seed, capture=["decoder"], **EVALUATION.arguments)
    reconstruction = shaped(reply, len(images), model)[0].reshape(len(images), -1)
    given = reply.captured("decoder", "argument")
    if (joined := side_by_side(given)) is None or len(joined) != len(images):
        return
    decoded = in_rows(model.call("decoder", *given, evaluate=True).outputs[0])
    if not close(reconstruction, decoded):
        judge_after_decoder(model, (images, conditions, seed), decoded, reconstruction, EVALUATION)


def judge_decoding(
    model: Model,
    images: Tensor,
    conditions: Tensor,
    challenge: Challenge,
    grading: Grading,
    random: bool,
    mode: Mode,
) -> None:
    """Fail the check unless the reconstruction is what the decoder gives for a draw and the class.

    A piece may be `random` in training mode, which its part has judged.
    """
    seed = challenge.seed()
    probe = concatenate(model.latents(challenge, len(images)), conditions)
    before = expected_pixels(model, probe)
    reply = model.forward(images, conditions, seed, capture=["encoder", "sample_latent", "decoder"], **mode.arguments)
    if not mode.evaluate:
        require_unchanged("decoder", before, expected_pixels(model, probe), expected_pixels(model, probe))
    reconstruction = shaped(reply, len(images), model)[0].reshape(len(images), -1)
    one, given = Pass(model, conditions, reply, mode), reply.captured("decoder", "argument")
    if not varies(reconstruction, ROUNDING):
        fail("Your reconstruction is the same for every image.", "same-for-every-image")
    joined = side_by_side(given)
    judge_average(results_of(reply, "decoder"), reconstruction)
    if joined is None or len(joined) != len(images):
        judge_by_transplant(one, images, seed, grading, challenge)
        return
    judge_decoder_input(one, images, grading, challenge)
    decoded = in_rows(model.call("decoder", *given, evaluate=mode.evaluate).outputs[0])
    gave = reply.captured("decoder", "result") if random else []  # by chance, as the decoder's part has judged
    decoded = in_rows(gave[0]) if gave else decoded
    if decoded.shape == reconstruction.shape and close(reconstruction, decoded):
        return
    if grading.failed("decoder") and holds(decoded, reconstruction):  # it gives more, which its own part has judged
        grading.kept["pixels of the decoder"] = start_of(decoded, reconstruction)
        grading.replaced.append(
            "Your decoder gives more than the pixels, and your `forward` returns a part of that. "
            "Once the decoder is right, `forward` can return all that it gives."
        )
        return
    if "decoder gives" in grading.kept and (turn := to_probabilities(decoded, reconstruction)):
        grading.kept["probabilities in forward"] = turn  # the decoder gives none, which its own part has judged
        grading.replaced.append(
            "Your decoder gives no probabilities, and your `forward` turns what it gives into some. Let the decoder "
            "alone do that, with a sigmoid."
        )
        return
    if kind := half_precision(reply, 0, decoded, ["decoder"]):
        said = f"Your reconstruction is nearly what your decoder gives for its input. {said_of_half(model, kind)}"
        if "few digits" not in grading.kept:
            fail(said, "half-precision")
        grading.replaced.append("Your reconstruction has few digits, too. That has cost its points above.")
        return
    judge_after_decoder(model, (images, conditions, seed), decoded, reconstruction, mode)
    judge_repeats(reply, reconstruction)
    fail("Your reconstruction is not what your decoder gives for its input.", "decoding-other")


# What may become of the pixels of each image, besides what may end a decoder.
CHANGES: dict[str, Activation] = {
    "rounding": torch.round,
    "a stretch of each image, to pixels from 0 to 1": lambda x: (
        (x - x.amin(1, True)) / (x.amax(1, True) - x.amin(1, True))
    ),
    "a division of each image by its largest pixel": lambda x: x / x.amax(1, keepdim=True),
    "a division of each image by its sum": lambda x: x / x.sum(1, keepdim=True),
    "a division of each image by its length": lambda x: x / x.norm(dim=1, keepdim=True),
    "a standardization of each image": lambda x: (x - x.mean(1, True)) / x.std(1, keepdim=True),
    "a division by the largest pixel of the minibatch": lambda x: x / x.max(),
    "a stretch of the minibatch, to pixels from 0 to 1": lambda x: (x - x.min()) / (x.max() - x.min()),
}


def judge_after_decoder(
    model: Model, inputs: tuple[Tensor, Tensor, int], decoded: Tensor, reconstruction: Tensor, mode: Mode
) -> None:
    """Fail the check if forward changes what the decoder gives, and say by which function, or by which layers."""
    if decoded.shape != reconstruction.shape:
        return
    known = OUTPUT_ACTIVATIONS | CHANGES
    name = next((each for each, function in known.items() if close(reconstruction, function(decoded))), "")
    if name:
        fail(f"Your `forward` passes the decoder's output through {name}.", "reconstruction-changed")
    if found := rescaled(reconstruction, decoded):
        fail(f"Your `forward` changes the decoder's output: {found.said}.", "reconstruction-changed")
    pieces = "encoder", "decoder", *HEADS
    others = {path: kind for path, kind in model.submodules().items() if not path.startswith(pieces)}
    paths = [*others][:MOST_TRIED]
    reply = model.forward(*inputs, capture=["decoder", *paths], **mode.arguments)
    gave = reply.captured("decoder", "result")
    called = {path: reply.captured(path, "result") for path in paths if reply.captured(path, "argument")}
    at, through = gave[0] if gave else decoded, list[str]()
    for path, result in called.items():
        given = reply.captured(path, "argument")[0]
        if result and given.numel() == at.numel() and close(given.reshape(at.shape), at):
            through, at = [*through, f"`self.{path}` ({others[path]})"], result[0]
    if through:
        fail(f"Your `forward` passes the decoder's output through {listed(through)}.", "reconstruction-changed")
    if places := places_of(reconstruction, decoded):
        fail(f"Your reconstruction has the numbers that your decoder gives, {places}.", "numbers-rearranged")
    if in_order(reconstruction, decoded):
        most = int((reconstruction - decoded).abs().argmax())
        one, other = (float(each.flatten()[most]) for each in (decoded, reconstruction))
        said = f"where your decoder gives {one:.3g}, it returns {other:.3g}"
        fail(f"Your `forward` changes the decoder's output: {said}.", "reconstruction-changed")


def judge_average(calls: Sequence[Sequence[Tensor]], reconstruction: Tensor) -> None:
    """Fail the check if the reconstruction is the average of what the decoder gave for several latents of an image."""
    gave = [each[0].float() for each in calls if len(each) == 1]
    if any(each.shape == reconstruction.shape and close(reconstruction, each) for each in gave):
        return
    for count, average in averages(gave, len(reconstruction)):
        if average.shape == reconstruction.shape and close(reconstruction, average):
            said = (
                f"Your `forward` decodes {count} latents for each image and returns the average of the {count} results."
            )
            fail(said, "decoding-repeated")


def judge_repeats(reply: Reply, reconstruction: Tensor) -> None:
    """Fail the check if the decoder was called more than once, and what is returned comes of that."""
    calls = results_of(reply, "decoder")
    gave = [each[0].flatten(1) for each in calls if len(each) == 1 and each[0].dim() > 1]
    gave = [each for each in gave if each.shape == reconstruction.shape]
    if len(gave) > 1 and any(close(reconstruction, each) for each in gave):
        fail("Your reconstruction is what your decoder gives when it is called once more.", "decoding-repeated")
    if len(gave) > 1 and calls[-1]:  # perhaps more than are kept
        fail(f"Your `forward` calls the decoder {len(gave)} times or more.", "decoding-repeated")
    if len(gave) > 1:
        fail(f"Your `forward` calls the decoder {len(gave)} times, and returns something else.", "decoding-repeated")


def judge_decoder_input(one: Pass, images: Tensor, grading: Grading, challenge: Challenge) -> None:
    """Fail the check unless the decoder is given a draw and the class."""
    latent, given = one.model.sizes.latent, one.given
    calls = results_of(one.reply, "sample_latent")
    drawn = [each.float() for results in calls for each in results]
    sources = [one.reply.outputs[1:]]  # what was returned wrongly is judged above; the draw may come from the heads
    heads = expected_heads(one.model, concatenate(images, one.conditions))
    encoded = side_by_side(one.reply.captured("encoder", "argument"))  # which is judged above
    if heads:
        sources.append(heads)
    if encoded is not None and (others := expected_heads(one.model, encoded)):
        sources.append(others)
    arguments = one.reply.captured("sample_latent", "argument")
    starts = (0, given.shape[-1] - latent)  # where the latent may stand
    averaged = said_of_average([given[:, at : at + latent] for at in starts], drawn)
    turn = layout_of(arguments, sources)  # in which it gets the means and the log-variances, and gives a draw
    arguments, drawn = ([turn(each) for each in tensors] for tensors in (arguments, drawn))
    calls = [[turn(each) for each in results] for results in calls]
    in_parts = said_of_parts(arguments, sources) if drawn and not averaged else ""
    if drawn and not in_parts:
        judge_arguments(arguments, sources)
        judge_noise(arguments, drawn[0], grading)
    for call, results in enumerate(calls[1:], 1):  # of several draws, the decoder may be given a later one
        if any(close(given[:, at : at + latent], each.float()) for at in starts for each in results):
            later = [turn(each) for each in one.reply.captured("sample_latent", "argument", call)]
            judge_later_draw(later, sources, drawn)
    start = next((start for start in starts for each in drawn if close(given[:, start : start + latent], each)), None)
    if start is None and averaged:
        fail(f"Your decoder does not get what `sample_latent` returned.{averaged}", "draw-changed")
    if start is None and drawn and drawn[0].shape == given[:, :latent].shape:
        difference = float((given[:, :latent] - drawn[0]).abs().mean())
        known_as(one, given[:, :latent], heads)
        if "decoder interface" in grading.kept and tells_class(given, drawn[0], one.conditions):
            grading.kept["draw changed by the class"] = True
            grading.replaced.append(
                "Your decoder is not told the class. Your `forward` changes the draw by the class instead. Change both."
            )
            return  # which the decoder's part has judged
        changed = said_of_change([given[:, at : at + latent] for at in starts], drawn[0])
        changed = changed or (f" `forward` calls `sample_latent` {len(calls)} times or more." if all(calls) else "")
        fail(
            "Your decoder does not get what `sample_latent` returned: on average, the latents differ by "
            f"{difference:.3g}.{changed}",
            "draw-changed",
        )
    if start is None:
        try:
            start = judge_draw(one, images, starts, grading, challenge)
        except Wrong:
            if in_parts:
                fail(in_parts, "sample-arguments-changed")
            raise
    elif len(arguments) < 2 and not grading.failed("sample_latent"):  # what it gets is no means and log-variances
        judge_rows(one, start, challenge)
    rest = torch.cat((given[:, :start], given[:, start + latent :]), -1)
    judge_class(one, rest, start, encoded, grading)


def judge_class(one: Pass, rest: Tensor, start: int, encoded: Tensor | None, grading: Grading) -> None:
    """Fail the check unless the rest of what the decoder is given, next to the latent, is the one-hot class.

    Arguments:
        start: the column at which the latent starts.
        encoded: what the encoder is given.
    """
    if start == 0 and rest.shape == one.conditions.shape and torch.equal(rest, one.conditions):
        if "decoder-two-arguments" in grading.kept.get("decoder interface", ()):
            grading.replaced.append("Your decoder takes two arguments, and your `forward` gives it two. Change both.")
        return
    if rest.shape == one.conditions.shape and torch.equal(rest, one.conditions):
        fail("Your decoder gets [one-hot | latent] instead of [latent | one-hot].", "condition-first")
    encoded_class = torch.empty(0) if encoded is None else encoded[:, -one.conditions.shape[-1] :]
    if grading.blamed("forward", "condition-missing", "encoder-class-changed") and torch.equal(rest, encoded_class):
        said = "In place of the one-hot class, your decoder gets the same numbers as your encoder."
        grading.replaced.append(f"{said} Only the draw counts here: give both networks the one-hot class.")
        return  # what happens to the class before both networks is judged above
    if not rest.numel() and "decoder interface" in grading.kept:  # which the decoder's part has judged
        grading.kept["decoder gets no class"] = True
        grading.replaced.append("Your decoder takes no class yet. When it does, your `forward` must give it one.")
        return
    if rest.numel() and rest.any() and not varies(rest):
        fail("Your decoder gets the same class for each image of a minibatch.", "decoder-class-changed")
    if not rest.numel() or not varies(rest):
        fail("Your decoder gets the latent without the class.", "condition-missing")
    same_class = one.conditions @ one.conditions.T == 1
    apart = torch.cdist(rest.float(), rest.float(), compute_mode="donot_use_mm_for_euclid_dist")
    if "decoder interface" in grading.kept and torch.equal(apart < 1e-4, same_class):
        grading.kept["made of the class"] = "first" if start else "last"  # where it stands next to the latent
        said = "Your decoder takes something made of the class, and your `forward` gives it that. Change both."
        grading.replaced.append(said)
        return  # which the decoder's part has judged
    if start == 0 and rest.shape == one.conditions.shape:
        fail(f"Your decoder gets the draw, but it {other_class(rest, one.conditions)}.", "decoder-class-changed")
    fail("Your decoder does not get [draw | one-hot].", "decoding-other")


def judge_later_draw(arguments: list[Tensor], sources: list[list[Tensor]], drawn: list[Tensor]) -> None:
    """Fail the check unless a draw after the first has the means and log-variances for arguments, as the first has."""
    if len(arguments) == 2 and not any(all(map(close, arguments, source)) for source in sources):
        means = sources[0][0]
        alike = arguments[0].shape == means.shape
        away = f": on average, they differ by {(arguments[0] - means).abs().mean():.3g}" if alike else ""
        fail(
            f"Your `forward` calls `sample_latent` {len(drawn)} times, and your decoder gets a draw around other "
            f"numbers than the means{away}.",
            "draw-changed",
        )


def judge_arguments(arguments: list[Tensor], sources: list[list[Tensor]]) -> None:
    """Fail the check unless sample_latent is given the means and log-variances, as they are and in this order.

    For several draws at once, it is given them several times.
    """
    if len(arguments) < 2:
        return
    rows = len(sources[0][0])
    arguments = [once_each(each, rows) for each in arguments[:2]]  # it may take more
    for means, logvariances in sources:
        if close(arguments[0], means) and close(arguments[1], logvariances):
            return
    if any(close(arguments[0], logvariances) and close(arguments[1], means) for means, logvariances in sources):
        fail("Your `sample_latent` gets the log-variances where it expects the means.", "sample-arguments-swapped")
    for at, name in enumerate(NAMES):
        if any(all(close(argument, source[at]) for argument in arguments) for source in sources):
            fail(f"Your `sample_latent` gets the {name} as both of its arguments.", "sample-arguments-changed")
    changed = [name for at, name in enumerate(NAMES) if not any(close(arguments[at], source[at]) for source in sources)]
    fail(
        f"Your `sample_latent` does not get the {' and the '.join(changed or NAMES)} as they are.",
        "sample-arguments-changed",
    )


def judge_noise(arguments: list[Tensor], drawn: Tensor, grading: Grading) -> None:
    """Fail the check if sample_latent, right by its own part, gives no draw when forward calls it."""
    if grading.failed("sample_latent") or [each.shape for each in arguments[:2]] != 2 * [drawn.shape]:
        return
    means, logvariances = (each.float() for each in arguments[:2])
    usual = (logvariances.abs() < 10) & (means.abs() < 1000)  # else rounding shows
    noise = ((drawn - means) / torch.exp(0.5 * logvariances))[usual]
    error = SIGMAS / max(noise.numel(), 1) ** 0.5
    if noise.numel() > 1 and not (noise.mean().abs() < error and (noise.std() - 1).abs() < error):
        fail(
            f"Called by `forward`, your `sample_latent` draws noise with standard deviation {noise.std():.2f}; "
            "1 is right.",
            "draw-changed",
        )


def judge_draw(  # noqa: RET503
    one: Pass, images: Tensor, starts: tuple[int, ...], grading: Grading, challenge: Challenge
) -> int:
    """Where the latent stands in the decoder's input, by the statistics of many passes over one image.

    Fails the check where it is no draw from the means and log-variances.
    """
    model, latent = one.model, one.model.sizes.latent
    many = [each[:1].expand(ROWS, -1).contiguous() for each in (images, one.conditions)]
    reply = model.forward(many[0], many[1], challenge.seed(), capture=["decoder"], **one.mode.arguments)
    given = side_by_side(reply.captured("decoder", "argument"))
    if given is None or given.shape != (ROWS, one.given.shape[-1]) or given.shape[-1] < latent:
        fail("For many images your decoder gets something other than for a few.", "decoding-other")
    means, logvariances = shaped_parameters(reply, ROWS, model)
    heads = expected_heads(model, concatenate(*many)) or []
    sources = [each for each in ([means, logvariances], heads) if {x.shape for x in each} == {(ROWS, latent)}]
    if not sources:  # widths of the heads, which their own part has judged
        fail(f"What your decoder gets is no draw of {latent} numbers.", "decoding-other")
    blocks = {start: given[:, start : start + latent].float() for start in starts}
    for (center, *_), (log_of_spread, *_) in sources:
        for start, block in blocks.items():
            if is_draw(block, center, log_of_spread):
                judge_rows(one, start, challenge)
                return start
    known_as(one, one.given[:, :latent], expected_heads(model, concatenate(images, one.conditions)))
    means, logvariances = (each[0] for each in sources[0])
    if not any(varies(block) for block in blocks.values()):
        if not close(latents_in(one, many[0], many[1], challenge.seed()), blocks[0]):
            fail("In your `forward`, all rows of a minibatch get the same noise.", "noise-shared-across-rows")
        said = "Nothing is drawn: for one image your decoder gets the same latent each time."
        if draws_when_made(one, images, grading, challenge):
            said += " Its noise was drawn once, when the model was made: another model gives it another latent."
        fail(said, "no-draw-in-forward")
    spread = float((blocks[0].std(0) / torch.exp(0.5 * logvariances)).mean())
    named, seed = known_draws.diagnose(blocks[0], means, logvariances), challenge.seed()
    # From other images in every row, for equal rows do not show all that is done to a draw.
    passes = [(*model.inputs(challenge, MANY), seed + each) for each in range(3)]
    varied = [latents_in(one, *each) for each in passes]
    if known_draws.normalized(varied):
        fail("Your `forward` draws by itself, and normalizes what it draws.", "draw-normalized")
    if named == "arguments-unused" and not close(latents_in(one, *passes[1][:2], seed), varied[0], 1e-5):
        named = None if close(latents_in(one, *passes[0]), varied[0], 1e-5) else named
    if named and grading.blamed("sample_latent", named):
        grading.replaced.append("Your `forward` draws by itself, with the mistake that your `sample_latent` has.")
        return 0
    fail(
        f"Your `forward` draws by itself; the standard deviation is {spread:.2f} times the right one.",
        named or "decoding-other",
    )


def judge_rows(one: Pass, start: int, challenge: Challenge) -> None:
    """Fail the check unless the latents in the decoder's input are draws where all images differ, each row its own."""
    width, before = one.model.sizes.latent, None
    noises: dict[int, list[Tensor]] = {}  # by where means and log-variances come from
    for _ in range(PASSES):
        images, conditions = one.model.inputs(challenge, MANY)
        reply = one.model.forward(images, conditions, challenge.seed(), capture=["decoder"], **one.mode.arguments)
        given = side_by_side(reply.captured("decoder", "argument"))
        if given is None:
            continue
        latents = given[:, start : start + width].float()
        if before is not None and close(latents, before):
            fail("Two passes over other images decode the same latents.", "latents-kept")
        before = latents
        for at, source in enumerate((reply.outputs[1:], expected_heads(one.model, concatenate(images, conditions)))):
            if source and all(each.shape == latents.shape for each in source):
                noise = (latents - source[0]) / torch.exp(0.5 * source[1])
                noises.setdefault(at, []).append(noise.float())
    found = [torch.cat(each) for each in noises.values()]
    if not found or any(map(is_noise, found)):
        return
    noise = min(found, key=lambda each: abs(float(each.std()) - 1))
    shared = " It is shared by the latent dimensions of a row." if shared_in_rows(noise) else ""
    fail(
        f"Where the images differ, the noise that your `forward` draws has mean {noise.mean():.2f}, standard deviation "
        f"{noise.std():.2f} and kurtosis {((noise / noise.std()) ** 4).mean():.2f}; 0, 1 and 3 are right.{shared}",
        "noise-shared-across-columns" if shared else "decoding-other",
    )


def judge_by_transplant(one: Pass, images: Tensor, seed: int, grading: Grading, challenge: Challenge) -> None:
    """For a decoder that is no module, or that forward does not call: judge it by the reconstruction alone."""
    model, conditions = one.model, one.conditions
    reconstruction, means, logvariances = shaped(one.reply, len(images), model)
    reconstruction = reconstruction.reshape(len(images), -1)
    if not varies(reconstruction):
        pytest.skip("Skipped: your reconstructions of two images are too much alike to tell. Fix the decoder first.")
    torch.default_generator.manual_seed(seed)
    draws = [in_shape(each.float(), means.shape) for each in one.reply.captured("sample_latent", "result")]
    draws = [each for each in draws if each.shape == means.shape]
    if not draws and means.shape == logvariances.shape:  # else a head has another width, which is judged above
        draws = [reference.sample_latent(means, logvariances)]

    def decoded(latents: Tensor) -> Tensor | None:
        try:
            return in_rows(model.call("decoder", concatenate(latents, conditions)).outputs[0])
        except SubmissionError:
            return None

    if decoded(means) is None:  # no callable piece
        reached, others = (model.reached(model.forward(images, conditions, seed, reach=of)) for of in ([0], [1, 2]))
        beyond = {name: value for name, value in reached.items() if name not in others}
        for each in draws:
            x = concatenate(each, conditions)
            if explain_stack([Observation(beyond, x, reconstruction, OUTPUT_ACTIVATIONS)]):
                return
        pytest.skip("Skipped: make the decoder callable on [latent | one-hot] first.")
    for latents, mistake, what in (
        (means, "mean-instead-of-sample", "the means"),
        (logvariances, "logvariance-instead-of-sample", "the log-variances"),
    ):
        output = decoded(latents)
        if output is not None and close(reconstruction, output):
            fail(f"Your decoder gets {what} instead of a draw.", mistake)
    for each in draws:
        output = decoded(each)
        if output is not None and close(reconstruction, output):
            return
    if same_distribution(one, images[:FEW], challenge):
        return
    given = concatenate(means, conditions)
    once, again = (model.call("decoder", given, seed=challenge.seed()).outputs[0] for _ in range(2))
    if grading.failed("decoder") and not close(once, again):
        pytest.skip(
            "Skipped: your decoder gives something else for the same input at each call. Fix the decoder first."
        )
    fail("Your reconstruction is not what your decoder gives for [draw | one-hot].", "decoding-other")


def fail_without_gradient(missing: Sequence[str], reached: Container[str], grading: Grading) -> NoReturn:
    """Fail the check for parameters whose gradient is missing: it is 0 for those that are `reached`, else None."""
    none = [name for name in missing if name not in reached]
    zero = [name for name in missing if name in reached]
    said = f"No gradient of your reconstruction reaches {first_few(none)}. " if none else ""
    said += f"The gradient of your reconstruction is 0 for {first_few(zero)}." if zero else ""
    named = ("forward-detached" if none else None, "forward-gradient-zero" if zero else None)
    fail(said.strip(), *(() if grading.failed("forward") else named))  # a wrong connection, told above, explains this


@check("Gradients flow from the three results to every parameter they depend on", 2, probes=probes.FORWARD_GRADIENTS)
def test_gradients(submission: Submission, challenge: Challenge, grading: Grading) -> None:
    model = built(submission, challenge, grading)
    if grading.blamed("forward", "not-trainable"):
        pytest.skip("Skipped: the results of forward must come from its layers first.")
    images, conditions = model.inputs(challenge)
    reached, *by_head = (
        model.reached(model.forward(images, conditions, challenge.seed(), reach=[index])) for index in range(3)
    )
    still = without_slope(model, images, conditions, challenge)
    judged_before = {*model.unregistered, *grading.kept.get("cut parameters", ())}
    missing = [
        name for name in model.parameters if (name not in reached or name in still) and name not in judged_before
    ]
    unused = {name.partition(".")[0] for name in missing}
    if unused == {"logvariance_layer"} and grading.blamed("forward", "mean-instead-of-sample", "no-draw-in-forward"):
        missing = []  # which cost its points above
    if len(unused) == 1 and unused <= set(HEADS) and grading.blamed("forward", "one-head-twice"):
        missing = []
    if not model.parameters:
        fail("Your model has no parameters.")
    if missing:
        hidden = challenge.normal(len(images), HIDDEN_SIZE)
        pieces = (
            model.piece("encoder", concatenate(images, conditions)),
            model.piece("mean_layer", hidden),
            model.piece("logvariance_layer", hidden),
            model.piece("decoder", concatenate(model.latents(challenge), conditions)),
        )
        in_use = {name for piece in pieces if piece for name in piece.parameters}
        judged = tuple(f"{name}." for part, names in PIECES.items() if grading.failed(part) for name in names)
        others = [name for name in missing if name not in in_use and not name.startswith(judged)]
        if left_out(grading)["missing"]:  # the layer that should be in the place of a missing one goes unused
            others = []
        # A layer that no result depends on, as a leftover, costs nothing: what should be there is judged by itself.
        cut = that_show(others[:MOST_TRIED], model, images, conditions, challenge)
        missing = [name for name in missing if name in in_use or name in cut]
    if missing:
        fail_without_gradient(missing, reached, grading)
    encoder = model.piece("encoder", concatenate(images, conditions))
    for name, what, found in zip(HEADS, ("means", "log-variances"), by_head, strict=True):
        head = model.piece(name, challenge.normal(len(images), HIDDEN_SIZE))
        if name in constant_heads(grading) or (head is not None and not head.parameters):
            continue  # nothing comes back through the head itself, which the encoder's part has judged
        inside = encoder.parameters if encoder else {}
        elsewhere = grading.blamed("encoder", "head-input-other")  # a head that takes other numbers
        # An encoder may hold the heads, of which each has its own parameters.
        if inside and not elsewhere and not inside.keys() & found.keys():
            fail(f"No gradient of your {what} reaches the encoder.", "results-detached")
    if grading.blamed("forward", "layers-made-in-forward"):
        return  # which take no step with the parameters
    if any(grading.blamed(part, f"{part}-normalisation") for part in PIECES):
        return  # a small step that switches a ReLU for one row may change all rows then
    if (said := slope_fault(model, images, conditions, challenge)) and not of_a_piece(
        submission, images, conditions, challenge, grading
    ):
        fail(said, "gradient-changed")
