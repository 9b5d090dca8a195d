"""What goes through a forward pass, step by step, and what its results and gradients say."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any

import torch
from torch import Tensor

from autograder.assignments.cvae.assignment import HIDDEN_SIZE
from autograder.assignments.cvae.checks.layouts import holds_matrix
from autograder.assignments.cvae.checks.network import (
    BATCH,
    ROWS,
    SIGMAS,
    Model,
    Order,
    concatenate,
    find_shrink,
    in_rows,
    in_shape,
    left_out,
    side_by_side,
    tell_stand_ins,
)
from autograder.assignments.cvae.checks.recognition import (
    factor_to_far,
    places_of,
    rescaled,
    take,
)
from autograder.assignments.cvae.checks.verdicts import first_few
from autograder.assignments.cvae.hints.network import HEAD_ACTIVATIONS
from autograder.grading.harness import (
    Challenge,
    Grading,
    close,
    fail,
    require_shape,
)
from autograder.report.summary import listed
from autograder.sandbox.client import Reply, Submission
from autograder.sandbox.errors import Raised, SubmissionError
from autograder.sandbox.limits import LIMITS

MANY = 128  # images, to see what is done to some of them by chance
MOST_STARTS = 256  # columns at which the numbers that are looked for may start
MOST_TRIED = 32  # parameters, of those that no gradient reaches
CALM = 3.0  # at most, log-variances whose draws do not make a network with another activation overflow
STEPS, FEWER_STEPS = 6, 3  # of all parameters at random, and of one
STEP, LONGER_STEP = 1e-4, 3e-4  # of the parameters' size: enough for float32, and so small that few ReLUs switch
SMOOTH = 0.01  # at most, by how much of itself the change of a row differs ahead and back
LEAST_CHANGE = 1e-5  # of a row's numbers, far above rounding
LEAST_ROWS = 4
SLOPE_TOLERANCE, FACTOR_TOLERANCE = 0.02, 0.05  # rounding reaches 0.002, and 0.01 with one parameter alone
COTANGENTS = (0.01, 10.0)  # sizes, from the smallest to the largest of a training with the notebook's loss
STILL = -60.0  # a log-variance at which a draw is its mean
HEADS = "mean_layer", "logvariance_layer"
NAMES = "means", "log-variances"  # of what they give
RESULT_NAMES = "reconstruction", *NAMES
PIECES = {"encoder": ("encoder", *HEADS), "decoder": ("decoder",)}  # by the part that judges them


@dataclass(frozen=True, eq=False)
class Mode:
    """How forward is called, and what a message says of something that is so only then."""

    only: str
    evaluate: bool = False
    gradients: bool = True

    @property
    def arguments(self) -> dict[str, Any]:
        """For `Model.forward`."""
        return {"evaluate": self.evaluate, "gradients": self.gradients}


EVALUATION = Mode("In evaluation mode only", evaluate=True)


def needs_several_rows(model: Model, challenge: Challenge) -> bool:
    """Whether a piece of the network works on two rows and not on one, which its own part judges."""
    images, conditions = model.inputs(challenge, 2)
    latents, hidden = model.latents(challenge, 2), challenge.normal(2, HIDDEN_SIZE)
    given = {"encoder": concatenate(images, conditions), "decoder": concatenate(latents, conditions)}
    given |= dict.fromkeys(HEADS, hidden)
    return any(model.piece(name, x) and not model.piece(name, x[:1]) for name, x in given.items())


def find_order(model: Model, images: Tensor, conditions: Tensor, challenge: Challenge) -> Order | None:
    """Where the three results are among those of forward: by their shapes, and by what a draw changes.

    None where that does not tell: then each check that needs them fails with what forward returned.
    """
    sizes, results = model.sizes, list[list[Tensor]]()
    for _ in range(2):
        with contextlib.suppress(SubmissionError):
            reply = model.submission.call(
                "", images, conditions, on=model.handle, seed=challenge.seed(), results=3, unpack=True
            )
            results.append(reply.outputs)
    if len(results) < 2 or len(results[0]) != len(results[1]):
        return None
    drawn = [not close(one, other) for one, other in zip(*results, strict=False)]
    flat = {at: tuple(each.flatten(1).shape) for at, each in enumerate(results[0]) if each.dim() > 1}
    pixels = [at for at, shape in flat.items() if shape == (BATCH, sizes.input_dim)]
    pixels = [at for at in pixels if drawn[at]] or pixels  # the images themselves may come back as well
    latents = [at for at, shape in flat.items() if shape == (BATCH, sizes.latent)]
    if len(latents) > 2:
        latents = [at for at in latents if not drawn[at]]
    if len(pixels) != 1 or len(latents) != 2:
        return None
    heads = expected_heads(model, concatenate(images, conditions))
    if heads and all(close(results[0][at], head) for at, head in zip(latents, reversed(heads), strict=True)):
        latents.reverse()
    return Order((pixels[0], latents[0], latents[1]), len(results[0]), unpack=True)


def built(submission: Submission, challenge: Challenge, grading: Grading) -> Model:
    """The submission's model, with layers of the grader's for pieces that their own part found missing or unfit.

    Fails the check for a model without a layer, of which nothing that forward does would be worth anything.
    """
    if "unfit pieces" not in grading.kept:
        if grading.failed("encoder") or grading.failed("decoder"):
            model = Model(submission, challenge, **left_out(grading))
            find_shrink(model, grading, "", *model.inputs(challenge, MANY), most=CALM)
        grading.kept["unfit pieces"] = find_unfit(submission, challenge, grading)
    given = left_out(grading)
    model = Model(submission, challenge, **given)
    missing = [name for name in ("encoder", "decoder") if grading.failed(name) and not model.has(name)]
    if missing:
        try:
            model.forward(*model.inputs(challenge), 0)
        except SubmissionError:  # else forward has no need of an attribute of this name
            given["missing"] += missing
            model = Model(submission, challenge, **given)
    tell_stand_ins(given, grading)
    odd, replaced = grading.kept.get("head widths", {}), grading.kept["unfit pieces"]
    model.relu_before = grading.kept.get("last ReLU in forward", [])
    model.head_paths = {name: path for name, path in grading.kept.get("head paths", {}).items() if not model.has(name)}
    model.head_widths = {name: width for name, width in odd.items() if name not in replaced}
    if not any(holds_matrix(each.shape) for each in model.parameters.values()):
        fail("Your model has no layer that training can change.", "not-trainable")
    return model


def find_unfit(submission: Submission, challenge: Challenge, grading: Grading) -> list[str]:
    """The pieces whose sizes keep forward from working, as few as do: it works with layers of the grader's for them.

    Only those whose own part has failed, which has charged the sizes.
    """
    given = left_out(grading)
    judged = [name for part, names in PIECES.items() if grading.failed(part) for name in names]
    if not judged:
        return []
    there = Model(submission, challenge, **given)
    suspects = [name for name in judged if there.has(name) and name not in given["missing"]]
    for replaced in chain.from_iterable(combinations(suspects, count) for count in range(len(suspects) + 1)):
        try:
            model = Model(submission, challenge, **given | {"missing": [*given["missing"], *replaced]})
            reply = model.forward(*model.inputs(challenge), challenge.seed())
            if "decoder" not in replaced and reply.outputs[0].shape[-1:] == grading.kept.get("decoder width"):
                continue
        except SubmissionError as error:
            if isinstance(error, Raised) or error.code == "no-numbers":
                continue  # else it ran, and what it returned is judged
        return list(replaced)
    return []


def shaped(reply: Reply, batch: int, model: Model) -> tuple[Tensor, Tensor, Tensor]:
    """The three results in a reply of forward; fails the check if their shapes are wrong."""
    means, logvariances = shaped_parameters(reply, batch, model)
    output, shape = reply.outputs[0], (batch, model.sizes.input_dim)
    as_many = output.numel() == batch * model.sizes.input_dim
    return require_shape(output, output.shape if as_many else shape, "Your reconstruction"), means, logvariances


def shaped_parameters(reply: Reply, batch: int, model: Model) -> tuple[Tensor, Tensor]:
    """The means and the log-variances in a reply of forward; fails the check if their shapes are wrong."""
    outputs, sizes = reply.outputs, model.sizes
    shapes = [tuple(output.shape) for output in outputs]
    expected = [(batch, size) for size in (sizes.input_dim, sizes.latent, sizes.latent)]
    for at, name in enumerate(HEADS, 1):  # a head of another width, which is judged above, may give that
        odd = (batch, model.head_widths.get(name, sizes.latent))
        expected[at] = odd if shapes[at] == odd else expected[at]
    if shapes != expected and sorted(shapes) == sorted(expected):
        fail(f"Your `forward` returns shapes {shapes}; they should be {expected}.", "outputs-swapped")
    means = require_shape(outputs[1], expected[1], "Your tensor of means")
    return means, require_shape(outputs[2], expected[2], "Your tensor of log-variances")


@dataclass
class FarPass:
    """A pass in which the heads give numbers beyond `FAR`: these, what came of it, and which results are judged.

    Those are the results that usual numbers leave as the heads give them.
    """

    heads: list[Tensor]
    reply: Reply
    judged: list[int]


def far_pass(model: Model, images: Tensor, conditions: Tensor, challenge: Challenge) -> FarPass | None:
    """Let the heads give far means and log-variances; None where they cannot, or nothing can be told then."""
    x, seed, hidden = concatenate(images, conditions), challenge.seed(), challenge.normal(BATCH, HIDDEN_SIZE)
    pieces = [model.piece(model.head_paths.get(name, name), hidden) for name in HEADS]
    names = {name for piece in pieces if piece for name in piece.parameters}
    heads = expected_heads(model, x, seed)
    if heads is None or (factor := factor_to_far(*heads)) is None:
        return None
    usual = model.forward(images, conditions, seed, **EVALUATION.arguments).outputs[1:]
    judged = [at for at, (result, head) in enumerate(zip(usual, heads, strict=True)) if close(result, head)]
    with contextlib.suppress(SubmissionError), model.changed({name: factor * model.parameters[name] for name in names}):
        heads = expected_heads(model, x, seed)
        reply = model.forward(images, conditions, seed, capture=["sample_latent"], **EVALUATION.arguments)
        if heads is not None and all(bool(each.isfinite().all()) for each in heads):
            return FarPass(heads, reply, judged)
    return None


FEW_DIGITS = 0.02  # by how much results of half precision are off on average, relative to their size


def half_precision(reply: Reply, result: int, expected: Tensor, steps: Sequence[str]) -> str:
    """The type of half precision that a result is nearly right in, and whose digits a step to it has; empty if none is.

    A step is what one of the pieces `steps` gets or gives during the pass, or the result.
    """
    found = reply.outputs[result]
    if found.numel() != expected.numel() or not found.isfinite().all():
        return ""
    # Of the whole, for a single number may be off by several percent after some layers.
    if not (found.reshape(expected.shape) - expected).norm() <= FEW_DIGITS * expected.norm():
        return ""
    seen = (each for name in steps for kind in ("argument", "result") for each in reply.captured(name, kind))
    passed = [each for each in (found, *seen) if each.is_floating_point()]
    several = [each for each in passed if len(each.unique()) > BATCH and not torch.equal(each, each.round())]
    kinds = (torch.bfloat16, torch.float16)  # what bfloat16 can hold, float16 often can as well
    few = (kind for kind in kinds if any(torch.equal(each, each.to(kind).to(each.dtype)) for each in several))
    return str(next(few, "")).removeprefix("torch.")


def said_of_half(model: Model, kind: str) -> str:
    """What to say of results that are right in half precision alone."""
    digits = "two or three" if kind == "bfloat16" else "about three"
    used = " Your file uses `autocast`." if model.submission.outline.uses("autocast") else ""
    return f"The numbers agree to {digits} digits, as numbers of {kind} do.{used}"


def encoder_output(model: Model, x: Tensor, seed: int) -> Tensor | None:
    """What the encoder gives for `x`; None if it cannot be called, or gives too many numbers to tell."""
    try:
        encoded = side_by_side(model.call("encoder", x, seed=seed, evaluate=True).outputs)
    except SubmissionError:
        return None
    if encoded is None or len(encoded) != len(x) or encoded.shape[1] > len(x) // 2 or len(model.relu_before) == 1:
        return None
    if not encoded.is_floating_point() or not torch.isfinite(encoded).all():
        return None
    return encoded.float().relu() if model.relu_before else encoded.float()


def is_linear(observed: Tensor, encoded: Tensor) -> bool:
    """Whether one linear layer makes `observed` of `encoded`, a matrix of more rows than columns."""
    x = torch.cat((encoded, torch.ones(len(encoded), 1)), -1).double()
    fitted = x @ torch.linalg.lstsq(x, observed.double(), driver="gelsd").solution
    return close(observed, fitted.float())


def other_orders(images: Tensor, conditions: Tensor) -> Sequence[tuple[Tensor, str, str]]:
    """What an encoder may be given instead of [image | one-hot], each with the mistake and its words."""
    return (
        (concatenate(conditions, images), "condition-first", "[one-hot | image]"),
        (concatenate(images, torch.zeros_like(conditions)), "condition-missing", "the image without its class"),
    )


def other_class(given: Tensor, conditions: Tensor) -> str:
    """What a network gets in the place of the one-hot class, for a message."""
    one_hot = ((given == 0) | (given == 1)).all() and (given.sum(1) == 1).all()
    wrong = int((given.float() - conditions).abs().amax(1).argmax())
    right = int(conditions[wrong].argmax())
    if one_hot:
        return f"gets class {int(given[wrong].argmax())} for an image of class {right}"
    shown = ", ".join(f"{each:.3g}" for each in given[wrong].tolist())
    return f"does not get the one-hot class as it is. For an image of class {right}, it gets [{shown}]"


def expected_heads(model: Model, x: Tensor, seed: int = 0) -> list[Tensor] | None:
    """What the submission's own encoder and heads make of `x`, or None if they cannot be called one by one.

    Where the encoder draws random numbers, which its own part has judged, it draws those that forward finds there.
    """
    try:
        return given_by_heads(model, model.call("encoder", x, seed=seed, evaluate=True).outputs[0])
    except SubmissionError:
        return None


def given_by_heads(model: Model, encoded: Tensor) -> list[Tensor] | None:
    """What the submission's heads make of what its encoder gave, or None if they cannot be called."""
    given = {name: torch.relu(encoded) if name in model.relu_before else encoded for name in HEADS}
    try:
        return [model.call(model.head_paths.get(name, name), given[name], evaluate=True).outputs[0] for name in HEADS]
    except SubmissionError:
        return None


def expected_pixels(model: Model, x: Tensor) -> list[Tensor] | None:
    """What the submission's decoder makes of `x`, or None if it cannot be called on that."""
    try:
        return model.call("decoder", x, evaluate=True).outputs
    except SubmissionError:
        return None


def holds(given: Tensor, block: Tensor) -> bool:
    """Whether the columns of `block` stand among those of `given`, in order and side by side."""
    return start_of(given, block) is not None


def start_of(given: Tensor, block: Tensor) -> int | None:
    """The first column of `given` from which on it has the columns of `block`; None if it does not."""
    width = block.shape[-1]
    found = (at for at in starts_in(given, width) if torch.equal(given[:, at : at + width], block))
    return next(found, None) if len(given) == len(block) else None


def starts_in(wide: Tensor, width: int) -> range:
    """Where so many columns may start in a matrix: as far as one that is a few times wider than it should be goes."""
    return range(min(wide.shape[-1] - width + 1, MOST_STARTS))


def follows(observed: Tensor, head: Tensor, activated: bool = True) -> bool:
    """Equal, or equal up to some columns more or an activation, if the encoder's part may have charged one."""
    width = observed.shape[-1]
    if head.numel() == observed.numel():  # in another shape, which forward may have changed
        head = head.reshape(observed.shape)
    if head.dim() != 2:
        return False
    head = head.expand(-1, width) if head.shape[-1] == 1 else head
    blocks = [head[:, at : at + width] for at in starts_in(head, width)] or [head]
    activations = HEAD_ACTIVATIONS.values() if activated else [HEAD_ACTIVATIONS["none"]]
    return any(close(observed, activation(block)) for activation in activations for block in blocks)


def twice(model: Model, images: Tensor, conditions: Tensor, challenge: Challenge, mode: Mode) -> tuple[Reply, Reply]:
    """Two passes over the same images."""
    one, other = (
        model.forward(images, conditions, challenge.seed(), capture=["decoder"], **mode.arguments) for _ in range(2)
    )
    return one, other


def to_probabilities(decoded: Tensor, reconstruction: Tensor) -> Callable[[Tensor], Tensor] | None:
    """How forward turns what the decoder gives into probabilities: by a sigmoid, exp, or a factor and a sum."""
    if decoded.shape != reconstruction.shape or reconstruction.min() < 0 or reconstruction.max() > 1:
        return None
    for function in (torch.sigmoid, torch.exp):
        if close(reconstruction, function(decoded)):
            return function
    change = rescaled(reconstruction, decoded)
    return change.of(lambda output: output) if change else None


def results_of(reply: Reply, name: str) -> list[list[Tensor]]:
    """What each call of a piece or a function gave in this pass, as far as calls come back."""
    return [[*reply.captured(name, "result", call)] for call in range(LIMITS.captured)]


def averages(results: Sequence[Tensor], rows: int) -> Iterator[tuple[int, Tensor]]:
    """What several for each row may be averaged to, with their number: of several calls, or of one with more rows."""
    if len(results) > 1 and {each.shape for each in results} == {results[0].shape}:
        yield from ((len(results) - at, torch.stack([*results[at:]]).mean(0)) for at in range(len(results) - 1))
    for each in results:
        if each.dim() == 3:
            yield from ((each.shape[dim], each.mean(dim)) for dim in (0, 1) if each.shape[dim] > 1)
        count = len(each) // rows
        if each.dim() == 2 and count > 1 and count * rows == len(each):
            yield count, each.unflatten(0, (count, rows)).mean(0)
            yield count, each.unflatten(0, (rows, count)).mean(1)


@dataclass
class Pass:
    """One pass of forward over a minibatch of these classes, and its mode."""

    model: Model
    conditions: Tensor
    reply: Reply
    mode: Mode

    @property
    def given(self) -> Tensor:
        """What the decoder was given, all arguments side by side: (rows, latent + K) if it is right."""
        return torch.cat(self.reply.captured("decoder", "argument"), -1)


def known_as(one: Pass, latents: Tensor, heads: list[Tensor] | None) -> None:
    """Fail the check if the decoder is given the means or log-variances where a draw belongs.

    Those are what the heads give, in any order that forward returns them; failing that, what forward returns.
    """
    named = ("the means", "mean-instead-of-sample"), ("the log-variances", "logvariance-instead-of-sample")
    for sources in (heads or [], one.reply.outputs[1:]):
        for source, (what, mistake) in zip(sources, named, strict=False):
            if close(latents, source):
                fail(f"Your decoder gets {what} instead of a draw.", mistake)


def said_of_average(blocks: list[Tensor], drawn: list[Tensor]) -> str:
    """What to add to a message where the decoder is given the average of draws, of one call or of several."""
    for count, average in averages(drawn, len(blocks[0])):
        if any(close(each, average) for each in blocks):
            return f" Your decoder gets the average of {count} draws."
    return ""


def said_of_change(blocks: list[Tensor], draw: Tensor) -> str:
    """What to add to a message where the decoder is given something made of the draw, if it is known what."""
    for block in blocks:
        passed = (name for name, function in HEAD_ACTIVATIONS.items() if close(block, function(draw)))
        if name := next(passed, ""):
            return f" They pass through {name}."
        zero = block == 0
        if zero.any() and not zero.all() and rescaled(block[~zero], draw[~zero]):
            return f" {float(zero.float().mean()):.0%} of them are set to 0."
        if found := rescaled(block, draw):
            return f" They get {found.said}."
        if places := places_of(block, draw):
            return f" They are the numbers that it returned, {places}."
    return ""


def layout_of(arguments: list[Tensor], sources: list[list[Tensor]]) -> Callable[[Tensor], Tensor]:
    """What turns the arguments of sample_latent, and so what it gives, into rows of latents, from any layout."""
    rows, columns = sources[0][0].shape
    turns: tuple[Callable[[Tensor], Tensor], ...] = (
        lambda x: x.reshape(rows, columns),
        lambda x: x.reshape(columns, rows).T,
    )

    def fits(turn: Callable[[Tensor], Tensor]) -> bool:
        turned = [turn(each) for each in arguments[:2]]
        return any(all(map(close, turned, source)) for source in sources)

    unusual = any(each.shape != (rows, columns) for each in arguments[:2])
    if len(arguments) < 2 or not unusual or any(each.numel() != rows * columns for each in arguments[:2]):
        return lambda x: in_shape(x, (rows, columns))
    turn = next(filter(fits, turns), turns[0])
    return lambda x: turn(x) if x.numel() == rows * columns else x


def said_of_parts(arguments: list[Tensor], sources: list[list[Tensor]]) -> str:
    """What to say where sample_latent gets more or fewer numbers than there are means, unless forward joins draws."""
    arguments = arguments[:2]  # it may take more
    found, expected = (list(dict.fromkeys(tuple(each.shape) for each in given)) for given in (arguments, sources[0]))
    if len(arguments) < 2 or found == expected:
        return ""
    return (
        f"Your `sample_latent` gets shape {listed(found)}, where means and log-variances have {listed(expected)}. "
        "Your decoder gets no draw from these."
    )


def once_each(argument: Tensor, rows: int) -> Tensor:
    """What an argument of sample_latent holds several times, for as many draws at once, or the argument as it is."""
    return next((average for _, average in averages([argument], rows) if len(average) == rows), argument)


def draws_when_made(one: Pass, images: Tensor, grading: Grading, challenge: Challenge) -> bool:
    """Whether two new models with the same parameters decode other latents of the same images, under the same seed."""
    latents, seed = list[Tensor](), challenge.seed()
    for _ in range(2):
        model = Model(one.model.submission, challenge, **left_out(grading))
        model.set(one.model.parameters)
        latents.append(latents_in(Pass(model, one.conditions, one.reply, one.mode), images, one.conditions, seed))
    return not close(latents[0], latents[1])


def is_noise(noise: Tensor) -> bool:
    """Whether the numbers of a matrix are standard normal and its rows share none, by mean, deviation and kurtosis."""
    error = SIGMAS / noise.numel() ** 0.5
    kurtosis = float((noise / noise.std()).pow(4).mean())
    usual = abs(float(noise.mean())) <= error and abs(float(noise.std()) - 1) <= error / 2**0.5
    return usual and abs(kurtosis - 3) <= 24**0.5 * error and not shared_in_rows(noise)


def shared_in_rows(noise: Tensor) -> bool:
    """Whether the averages of the rows vary more than those of independent numbers do."""
    rows, columns = noise.shape
    return bool(columns * float(noise.mean(1).var() / noise.var()) > 1 + SIGMAS * (2 / rows) ** 0.5)


def latents_in(one: Pass, images: Tensor, conditions: Tensor, seed: int) -> Tensor:
    """The latents that the decoder is given, if they come first in its input."""
    reply = one.model.forward(images, conditions, seed, capture=["decoder"], **one.mode.arguments)
    return torch.cat(reply.captured("decoder", "argument"), -1)[:, : one.model.sizes.latent].float()


def differs_by_mode(model: Model, images: Tensor, conditions: Tensor, challenge: Challenge) -> bool:
    """Whether a piece of the network computes something else in training mode, or differently each time."""
    images, conditions = images[:BATCH], conditions[:BATCH]
    inputs = ("encoder", images), ("decoder", model.latents(challenge))
    taken = [take(model, name, data, conditions, challenge) for name, data in inputs]
    hidden = challenge.normal(BATCH, HIDDEN_SIZE)
    pieces = [each.piece for each in taken if each] + [model.piece(name, hidden) for name in HEADS]
    for piece in filter(None, pieces):
        with contextlib.suppress(SubmissionError, IndexError):
            outputs = [model.call(piece.name, *piece.arguments, seed=seed).outputs[0] for seed in (1, 2)]
            if not all(close(each, piece.output) for each in outputs):
                return True
    return False


def same_distribution(one: Pass, images: Tensor, challenge: Challenge) -> bool:
    """Whether many passes over a few images vary as decoding draws of our own does: center and spread of every pixel.

    The images stand in no order, so that each row must be decoded from its own.
    """
    which = torch.arange(ROWS) % len(images)
    which = which[challenge.uniform(0, 1, ROWS).argsort()]
    model, many = one.model, (images[which], one.conditions[which])
    reply = model.forward(*many, challenge.seed(), **one.mode.arguments)
    observed, means, logvariances = shaped(reply, ROWS, model)
    if means.shape != logvariances.shape:
        return False
    latents = means + torch.exp(0.5 * logvariances) * challenge.normal(*means.shape)
    expected = in_rows(model.call("decoder", concatenate(latents, many[1])).outputs[0])
    observed = observed.reshape(ROWS, -1)
    if observed.shape != expected.shape or not torch.isfinite(observed).all():
        return False
    for at in range(len(images)):
        found, right = observed[which == at], expected[which == at]
        spread = right.std(0) + 1e-4
        centered = ((found.mean(0) - right.mean(0)).abs() <= SIGMAS * spread * (2 / len(found)) ** 0.5).all()
        if not (bool(centered) and 0.9 < float((found.std(0) / spread).mean()) < 1.1):
            return False
    return True


def that_show(names: Sequence[str], model: Model, images: Tensor, conditions: Tensor, challenge: Challenge) -> set[str]:
    """Those of some parameters that make a difference to the reconstruction."""
    if not names:
        return set()
    seed, found = challenge.seed(), set[str]()
    one, again = (model.forward(images, conditions, seed).outputs[0] for _ in range(2))
    for name in names if torch.equal(one, again) else ():
        with model.changed({name: challenge.normal(*model.parameters[name].shape)}):
            if not torch.equal(one, model.forward(images, conditions, seed).outputs[0]):
                found.add(name)
    return found


def without_slope(model: Model, images: Tensor, conditions: Tensor, challenge: Challenge) -> set[str]:
    """The parameters through which the reconstruction's gradient is 0, though it is there."""
    seed = challenge.seed()
    shape = model.forward(images, conditions, seed).outputs[0].shape
    reply = model.forward(images, conditions, seed, cotangents={0: challenge.normal(*shape)})
    return {name for name, gradient in reply.gradients("parameter").items() if not gradient.any()}


@dataclass
class Slopes:
    """How forward's results change along small steps of some parameters, under one seed."""

    steps: list[dict[str, Tensor]]
    changes: list[list[Tensor]]  # of each result, for each step: (N, numbers)
    rows: list[Tensor]  # (N, 1) of each result: 1 where the changes tell slopes, and 0 where a ReLU switches

    def tell(self, index: int) -> bool:
        """Whether enough is known of a result."""
        return int(self.rows[index].sum()) >= LEAST_ROWS


def find_slopes(model: Model, inputs: tuple[Tensor, Tensor, int], names: Sequence[str], challenge: Challenge) -> Slopes:
    """Take some steps at random, each of a small share of these parameters' sizes, ahead and back."""
    count, length = (FEWER_STEPS, LONGER_STEP) if len(names) == 1 else (STEPS, STEP)
    usual, here = model.parameters, results_in_rows(model, inputs)
    sizes = {name: float(usual[name].square().mean().sqrt()) for name in names}
    found = Slopes([], [[] for _ in here], [each.norm(dim=1, keepdim=True) < torch.inf for each in here])
    for _ in range(count):
        step = {name: size * challenge.normal(*usual[name].shape) for name, size in sizes.items()}
        with model.changed({name: usual[name] + length * each for name, each in step.items()}):
            ahead = results_in_rows(model, inputs)
        with model.changed({name: usual[name] - length * each for name, each in step.items()}):
            back = results_in_rows(model, inputs)
        found.steps.append(step)
        for at, (middle, one, other) in enumerate(zip(here, ahead, back, strict=True)):
            change, bend = one - other, one - 2 * middle + other
            size = change.norm(dim=1, keepdim=True)
            found.rows[at] &= bend.norm(dim=1, keepdim=True) <= SMOOTH * size
            found.rows[at] &= size >= LEAST_CHANGE * middle.norm(dim=1, keepdim=True)
            found.changes[at].append(change / (2 * length))
    return found


def results_in_rows(model: Model, inputs: tuple[Tensor, Tensor, int]) -> list[Tensor]:
    """The three results of forward, in double precision so that differences add no rounding."""
    return [in_rows(each).double() for each in model.forward(*inputs).outputs]


def compare_slopes(
    model: Model, inputs: tuple[Tensor, Tensor, int], slopes: Slopes, index: int, size: float, challenge: Challenge
) -> tuple[Tensor, Tensor]:
    """By what a weighted sum of a result changes along each step, as measured and as its gradient says it."""
    shape = model.forward(*inputs).outputs[index].shape
    weights = size * challenge.normal(*slopes.rows[index].shape[:1], slopes.changes[index][0].shape[1])
    weights = slopes.rows[index] * weights
    gradients = model.forward(*inputs, cotangents={index: weights.reshape(shape)}).gradients("parameter")
    measured = torch.stack([(weights * each).sum() for each in slopes.changes[index]])
    said = [sum((gradients[name] * step[name]).sum() for name in step.keys() & gradients) for step in slopes.steps]
    return measured, torch.tensor([float(each) for each in said]).double()


def apart(measured: Tensor, said: Tensor, tolerance: float = SLOPE_TOLERANCE) -> bool:
    """Whether a gradient says something else of a result than is measured."""
    return bool((measured - said).norm() > tolerance * torch.maximum(measured.norm(), said.norm()))


def slope_fault(model: Model, images: Tensor, conditions: Tensor, challenge: Challenge) -> str | None:
    """Which gradient of a result is not its slope, in words: the parameters are moved a little, with the same draws.

    That holds the gradient against what the same pass computes, right or wrong. None where nothing can be told.
    """
    inputs = images, conditions, challenge.seed()
    try:
        slopes = find_slopes(model, inputs, [*model.parameters], challenge)
        for index in (1, 2, 0):  # a fault of the means or the log-variances is in the reconstruction, too
            if slopes.tell(index):
                if said := fault_of(model, inputs, slopes, index, challenge):
                    return said
            elif index == 0:  # perhaps the seed does not reach its draws
                with model.changed(without_spread(model, challenge)):
                    slopes = find_slopes(model, inputs, [*model.parameters], challenge)
                    return fault_of(model, inputs, slopes, 0, challenge) if slopes.tell(0) else None
    except SubmissionError:  # of numbers that are not usual, which it does not get otherwise
        return None
    return None


def without_spread(model: Model, challenge: Challenge) -> dict[str, Tensor]:
    """Parameters of the log-variances' head with which each draw is its mean."""
    name = model.head_paths.get("logvariance_layer", "logvariance_layer")
    head = model.piece(name, challenge.normal(BATCH, HIDDEN_SIZE))
    own = head.parameters if head else {}
    return {each: torch.full_like(value, STILL if value.dim() == 1 else 0.0) for each, value in own.items()}


def fault_of(
    model: Model, inputs: tuple[Tensor, Tensor, int], slopes: Slopes, index: int, challenge: Challenge
) -> str | None:
    """What is wrong with the gradient of one result, and with respect to which parameters; None if nothing is."""
    wrong = [size for size in COTANGENTS if apart(*compare_slopes(model, inputs, slopes, index, size, challenge))]
    if not wrong:
        return None
    factors, along = dict[str, float](), slopes
    for name in [*reversed(model.parameters)][:MOST_TRIED]:  # the nearest to the result first
        alone = find_slopes(model, inputs, [name], challenge)
        if alone.tell(index) and apart(*(found := compare_slopes(model, inputs, alone, index, wrong[-1], challenge))):
            measured, said = found
            factor = float(measured @ said / (measured @ measured))
            factors[name] = factor if not apart(factor * measured, said, FACTOR_TOLERANCE) else torch.nan
            along = alone
    what = f"The gradient of your {RESULT_NAMES[index]}"
    if factors:
        what += f" with respect to {first_few([*factors])}"
    if not grows(model, inputs, along, index, challenge):
        return f"{what} is not the right one: it does not grow in proportion to the loss."
    known = torch.tensor([*factors.values()])
    if factors and known.isfinite().all() and not apart(known.median().expand_as(known), known, FACTOR_TOLERANCE):
        return f"{what} is {known.median():.2g} times the right one."
    return f"{what} is not the right one."


def grows(model: Model, inputs: tuple[Tensor, Tensor, int], slopes: Slopes, index: int, challenge: Challenge) -> bool:
    """Whether the gradient of a result is in proportion to what comes back to it."""
    seed = challenge.seed()
    small, large = (
        compare_slopes(model, inputs, slopes, index, size, Challenge(seed, "weights"))[1] / size for size in COTANGENTS
    )
    return not apart(small, large)


def of_a_piece(
    submission: Submission, images: Tensor, conditions: Tensor, challenge: Challenge, grading: Grading
) -> bool:
    """Whether a wrong gradient is of an encoder or a decoder that has cost points: it is there without forward, too."""
    if not grading.failed("encoder") and not grading.failed("decoder"):
        return False
    try:
        model = Model(submission, challenge, **left_out(grading) | {"composed": True})
        model.forward(images, conditions, challenge.seed())
        return slope_fault(model, images, conditions, challenge) is not None
    except SubmissionError:
        return True
    finally:
        submission.stop()  # the next process does not know the grader's pass
