"""The encoder and its two heads, by weight transplant (see `network`)."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import NoReturn

import pytest
import torch
from torch import Tensor

from autograder.assignments.cvae.assignment import HIDDEN_SIZE, INPUT_DIM, LATENT_DIMENSIONALITY, NUM_CATEGORIES
from autograder.assignments.cvae.checks import probes
from autograder.assignments.cvae.checks.layouts import holds_matrix, owner_of, shapes_of, weight_normalized
from autograder.assignments.cvae.checks.network import (
    BATCH,
    CLASS,
    MOST,
    ROWS,
    Model,
    Piece,
    Sizes,
    Spread,
    calm_heads,
    concatenate,
    constant_heads,
    drawn_as,
    find_shrink,
    find_spread,
    in_rows,
    is_draw,
    side_by_side,
)
from autograder.assignments.cvae.checks.recognition import (
    Taken,
    close_within_far,
    explain_means,
    factor_to_far,
    recognize,
    require_one_row,
    require_same_again,
    require_use,
    said_of_limits,
    take,
)
from autograder.assignments.cvae.checks.stacks import (
    LARGE,
    ROUNDING,
    Match,
    Observation,
    changed_weights,
    explain_stack,
    varies,
)
from autograder.assignments.cvae.checks.verdicts import (
    DEPTHS,
    describe_activations,
    describe_layers,
    describe_modes,
    describe_unexplained,
    first_few,
    in_python,
    named_layers,
    require_biases,
    require_float32,
    require_gradients,
    require_trained,
    said_of_mixing,
    said_of_normalization,
)
from autograder.assignments.cvae.hints.network import ACTIVATIONS, HEAD_ACTIVATIONS, INPUT_CHANGES
from autograder.grading.harness import Challenge, Grading, Wrong, check, close, fail, once, require_shape
from autograder.report.summary import listed
from autograder.sandbox.client import MOST_NUMBERS, Submission
from autograder.sandbox.errors import SubmissionError, Unfit

pytestmark = pytest.mark.encoder

HEADS = {"mean_layer": (1, "mean-head-activated"), "logvariance_layer": (2, "logvariance-head-activated")}
DEPTH = DEPTHS["encoder"]


@dataclass
class Encoded:
    """A model, its encoder as it can be called, if it can, and the stack that it is, if forward does not hold it.

    `names` are those of the parameters of a stack that forward holds. Where the encoder lacks its last ReLU, `relu_in`
    are the heads that begin with it, and `relu_before` those that forward gives what it makes of the encoder's output,
    if the other head gets something else or one begins with it.
    """

    model: Model
    taken: Taken | None
    match: Match
    names: list[str]
    relu_before: Sequence[str] = ()
    relu_in: tuple[str, ...] = ()


@pytest.fixture(scope="module")
def encoded(submission: Submission, grading: Grading) -> Callable[[], Encoded]:
    """Finds the stack that the encoder is, once for the checks that judge it."""
    return once(lambda: explain(submission, Challenge(grading.seed, "encoder_stack"), grading))


@check("Three linear layers to hidden_size", 5, probes=probes.ENCODER_LAYERS)
def test_layers(encoded: Callable[[], Encoded], grading: Grading) -> None:
    found = encoded()
    require_trained(found.model, found.names, "encoder", grading)
    describe_layers(found.model, found.match, found.taken.piece if found.taken else None, "encoder", DEPTH, grading)


@check("A ReLU after each linear layer, and nothing else", 3, probes=probes.ENCODER_ACTIVATIONS)
def test_activations(encoded: Callable[[], Encoded], grading: Grading) -> None:
    found = encoded()
    if found.relu_in or found.relu_before:
        fail(said_of_last_relu(found), "encoder-missing-last-relu")
    describe_activations(found.model, found.match, found.taken.piece if found.taken else None, "encoder")
    if found.names and found.model.has("encoder"):
        grading.replaced.append(said_of_forward(found, grading.kept.get("encoder in forward", ())))


def said_of_last_relu(found: Encoded) -> str:
    """Where the ReLU is that should end the encoder, in words, and which head does without."""
    by_forward = [name for name in found.relu_before if name not in found.relu_in]
    where = [f"in `{name}`" for name in found.relu_in] + [f"in what `forward` gives `{name}`" for name in by_forward]
    known = {*found.relu_in} <= {*found.relu_before}  # else forward gives a head something else
    without = [name for name in HEADS if known and name not in found.relu_before]
    said = f"The ReLU after your encoder's third linear layer is not in the encoder, but {listed(where)}."
    return said + "".join(f" `{name}` gets the numbers without it." for name in without)


def said_of_forward(found: Encoded, by_itself_followed: Sequence[str]) -> str:
    """What to say of an encoder that is right with forward's help alone.

    The activations after its layers, without that help, are known if the help consists of ReLUs.
    """
    without = [at for at, name in enumerate(by_itself_followed, 1) if name != "ReLU"]
    if found.taken is None:
        kind = found.model.submission.attributes(found.model.handle, ["encoder"])["encoder"]
        by_itself = (
            f"Your `self.encoder` is a {kind}. It cannot be called by itself; your `forward` applies its layers."
        )
    elif without == [DEPTH]:
        by_itself = "Your `self.encoder` lacks its last ReLU, which your `forward` applies."
    elif without and {*by_itself_followed} <= {"ReLU", "none"}:
        which = f"ReLU{'s' * (len(without) > 1)} after linear layer{'s' * (len(without) > 1)} {listed(without)}"
        by_itself = f"Your `self.encoder` lacks the {which}. Your `forward` applies what is missing."
    else:
        by_itself = "Your `forward` does a part of what `self.encoder` should do by itself."
    return f"{by_itself} That costs no points here, but code that calls `model.encoder` would go wrong."


def explain(submission: Submission, challenge: Challenge, grading: Grading) -> Encoded:
    """The stack that the encoder is, alone or with forward's help; fails the check where there is none."""
    before = drawn_as(grading)
    large = Model(submission, challenge, scale=LARGE)
    images, conditions = large.inputs(challenge)
    plain = {"none": ACTIVATIONS["none"]}
    model = Model(submission, challenge)
    taken = take(model, "encoder", images, conditions, challenge) if model.has("encoder") else None
    if taken and (shrink := find_shrink(model, grading, "encoder", *taken.piece.arguments, most=MOST)) < 1:
        model = Model(submission, challenge, shrink=shrink)
        taken = take(model, "encoder", images, conditions, challenge)
    if taken and taken.wrong is None and find_spread(model, grading, challenge, "encoder", images, conditions):
        taken = take(model, "encoder", images, conditions, challenge)
    if taken and taken.wrong is None:
        calm_heads(grading, taken.piece.output)
    if drawn_as(grading) != before:
        large = Model(submission, challenge, scale=LARGE, **drawn_as(grading))
    names: list[str] = []
    match = None if taken is None else recognize(model, large, taken.piece, plain, activated_last=True)
    relu_before: list[str] = []
    if match is None or match.hidden != ("ReLU",) * DEPTH:
        # The activations, or all of the calculation, may stand in forward instead.
        whole = explain_means(model, large, images, conditions, challenge.seed())
        last_missing = match is not None and match.hidden == ("ReLU",) * (DEPTH - 1) + ("none",)
        relu_in: tuple[str, ...] = ()
        if last_missing and taken is not None:
            relu_in = heads_with_relu(model, taken.piece.output, (images, conditions))
            relu_before = heads_behind_relu(model, taken.piece.output, (images, conditions), challenge.seed())
        if last_missing and whole is not None and whole.match.hidden == ("ReLU",) * DEPTH:
            relu_before = relu_before or [*HEADS]
        grading.kept["last ReLU in forward"], grading.kept["heads with ReLU"] = relu_before, relu_in
        if match is not None and relu_in:
            return Encoded(model, taken, match, names, relu_before, relu_in)
        if match is not None and len(relu_before) == 1:
            return Encoded(model, taken, match, names, relu_before)
        if whole is not None and (match is None or match.hidden is None or whole.match.hidden == ("ReLU",) * DEPTH):
            grading.kept["encoder in forward"] = (match.hidden if match else None) or ()
            match, names = whole.match, whole.names
    if match is None:
        model.require("encoder")
        require_same_again(model, "encoder")
        model.call("encoder", concatenate(images, conditions))  # says why it cannot be called
        describe_unexplained(model, None, "encoder")
    return Encoded(model, taken, match, names)


def heads_with_relu(model: Model, encoded: Tensor, inputs: tuple[Tensor, Tensor]) -> tuple[str, ...]:
    """The heads that begin with a ReLU: what they give of numbers below 0 is what they give of 0."""
    found = []
    for name, (position, _) in HEADS.items():
        path = model.head(name, position, inputs) or ""
        plain, behind = (model.piece(path, each) for each in (encoded, encoded.relu()))
        if plain and behind and varies(in_rows(plain.output)) and close(plain.output, behind.output, ROUNDING):
            found.append(name)
    return tuple(found)


def heads_behind_relu(model: Model, encoded: Tensor, inputs: tuple[Tensor, Tensor], seed: int) -> list[str]:
    """The heads that forward gives what a ReLU makes of the encoder's output; none where one gets something else."""
    found = []
    with contextlib.suppress(SubmissionError):
        results = model.forward(*inputs, seed, evaluate=True).outputs
        for name, (position, _) in HEADS.items():
            path = model.head(name, position, inputs) or ""
            plain, behind = (model.call(path, each, evaluate=True).outputs[0] for each in (encoded, encoded.relu()))
            if close(behind, results[position]):
                found.append(name)
            elif not close(plain, results[position]):
                return []
    return found


@check("The mean head: one linear layer, no activation", 2, probes=probes.MEAN_HEAD)
def test_mean_head(submission: Submission, challenge: Challenge, grading: Grading) -> None:
    judge_head(submission, challenge, grading, "mean_layer")


@check("The log-variance head: a separate linear layer, no activation", 2, probes=probes.LOGVARIANCE_HEAD)
def test_logvariance_head(submission: Submission, challenge: Challenge, grading: Grading) -> None:
    judge_head(submission, challenge, grading, "logvariance_layer")


def judge_head(submission: Submission, challenge: Challenge, grading: Grading, name: str) -> None:
    """One head by itself, wherever it is, then what forward makes of it."""
    model = Model(submission, challenge, **drawn_as(grading))
    position, activated = HEADS[name]
    images, conditions = model.inputs(challenge)
    path = model.head(name, position, (images, conditions))
    if path is None:
        judge_missing_head(model, name, (images, conditions), grading)
    model.require_early(name)
    taken = take(model, "encoder", images, conditions, challenge)
    encoded = taken.piece if taken else None
    hidden = challenge.normal(BATCH, HIDDEN_SIZE) / model.spreads.get(name, Spread()).factor
    if name in grading.kept.get("heads with ReLU", ()):
        hidden = hidden.relu()
        grading.replaced.append(f"`{path}` begins with a ReLU, which has cost its points above.")
    head = model.piece(path, hidden)
    if head is None and encoded is not None and encoded.output.dim() == 2:  # another width, which is judged above
        hidden = challenge.normal(*encoded.output.shape)
        head = model.piece(path, hidden)
    if head is None:
        require_input_width(model, path, (images, conditions), challenge)
        model.call(path, hidden)  # says why it cannot be called
        fail(f"No gradient reaches the parameters of `{path}`.", "not-trainable")
    if head.output.dim() and head.output.shape != (BATCH, model.sizes.latent):
        grading.kept["head widths"] = {**grading.kept.get("head widths", {}), name: head.output.shape[-1]}
        if head.output.dim() == 2 and len(head.output) == BATCH:
            shape, asked = tuple(head.output.shape), (BATCH, model.sizes.latent)
            fail(f"The output of `{path}` has shape {shape}; it should have {asked}.", "head-output-width")
    require_shape(head.output, (BATCH, model.sizes.latent), f"The output of `{path}`")
    if not varies(head.output):
        grading.kept["constant heads"] = [*grading.kept.get("constant heads", []), name]
        fail(f"The output of `{path}` is the same for every input.", "head-constant")
    if path != name:
        grading.kept["head paths"] = {**grading.kept.get("head paths", {}), name: path}
    second = next(each for each in HEADS if each != name)
    other_path = model.head(second, HEADS[second][0], (images, conditions))
    other = model.piece(other_path, hidden) if other_path else None
    if model.other_types.get(path) != model.other_types.get("encoder"):  # else the encoder's own check charges it
        require_float32(model, path, grading)
    half, match = explain_head(model, head, hidden)
    if name == "logvariance_layer" and other is not None and other.parameters.keys() & head.parameters.keys():
        halves = {half, explain_head(model, other, hidden)[0]}
        if None in halves or len(halves) == 1:
            fail("`mean_layer` and `logvariance_layer` share their parameters.", "heads-shared")
    if match is None:
        judge_unknown_head(model, head, hidden, activated)
    judge_layer(model, head, match, activated, grading)
    judge_bounds(model, head, hidden, activated)
    if not takes_one_image(model):
        require_one_row(model, path, (hidden,), "encoder-of-one-row")
    judge_use(model, (path, other_path), name, encoded, (images, conditions), challenge, grading)


def judge_layer(model: Model, head: Piece, match: Match, activated: str, grading: Grading) -> None:
    """Fail the check for a head that is a known stack, but not one linear layer that is trained."""
    require_gradients(model, match, head, "head", grading)
    if weight_normalized(shapes_of(model.parameters)).keys() & head.parameters.keys():
        fail(f"The weights of `{head.name}` are normalized.", "head-normalisation")
    require_trained(model, list(head.parameters), "head", grading)
    require_biases(match, "head", f"`{head.name}`", grading)
    if match.weights:
        said = f"`{head.name}` does not use its weights as they are, but {match.weights}."
        fail(said, "head-normalisation")
    if match.last != "none":
        fail(f"The output of `{head.name}` passes through {match.last}.", activated)
    if match.depth != 1:
        fail(f"`{head.name}` has {match.depth} linear layers; the assignment asks for one.", "head-depth")
    describe_modes(model, head, "head", f"`{head.name}`")


def judge_missing_head(model: Model, name: str, inputs: tuple[Tensor, Tensor], grading: Grading) -> NoReturn:
    """Fail the check, and say which layers forward uses instead, if it does not need the attribute."""
    position, _ = HEADS[name]
    mine, other = dict[str, Tensor](), dict[str, Tensor]()
    with contextlib.suppress(SubmissionError):
        mine, other = (
            model.reached(model.forward(*inputs, 0, reach=[at], evaluate=True)) for at in (position, 3 - position)
        )
    if not any(holds_matrix(each.shape) for each in mine.values()):
        grading.kept["missing heads"] = [*grading.kept.get("missing heads", []), name]
        model.require(name)
        raise Unfit("attribute-missing", owner=CLASS, name=name)  # though it is there by now
    encoder = model.piece("encoder", concatenate(*inputs))
    inside = encoder.parameters if encoder else mine
    heads = [key for key, each in mine.items() if key not in inside and holds_matrix(each.shape)]
    own = [key for key in heads if key not in other]
    places = [f"`self.{in_python(owner_of(key) or key)}`" for key in own or heads]
    if not places:
        raise Unfit("attribute-missing", owner=CLASS, name=name)
    both = "" if own else ", for both means and log-variances"
    state = "is None" if model.submission.attributes(model.handle, [name]).get(name) else "is missing"
    fail(f"Your `self.{name}` {state}; your `forward` uses {listed(places)} instead{both}.", "attribute-missing")


def require_input_width(model: Model, path: str, inputs: tuple[Tensor, Tensor], challenge: Challenge) -> None:
    """Fail the check for a head that takes another number of inputs than the encoder gives."""
    shapes = [tuple(each.shape) for name, each in model.parameters.items() if name.startswith(f"{path}.")]
    taken = {shape[1] for shape in shapes if len(shape) == 2}
    width = taken.pop() if len(taken) == 1 else HIDDEN_SIZE
    if (
        width != HIDDEN_SIZE
        and BATCH * width <= MOST_NUMBERS
        and (head := model.piece(path, challenge.normal(BATCH, width)))
    ):
        if width == model.sizes.latent and head.output.shape == (BATCH, HIDDEN_SIZE):
            said = (
                f"`{path}` takes {width} numbers and gives {HIDDEN_SIZE}; it must take {HIDDEN_SIZE} and give {width}."
            )
            fail(said, "head-sizes-swapped")
        said = f"`{path}` takes {width} numbers; it must take the {HIDDEN_SIZE} that the encoder gives."
        if width == HIDDEN_SIZE + model.sizes.num_categories:
            fail(said, "head-input-width")
        given, runs = given_to_head(model, path, inputs, challenge)
        if given:
            fail(f"{said} Your `forward` gives it {given}.", "head-input-other")
        fail(said, None if runs else "sizes-do-not-fit")


def given_to_head(model: Model, path: str, inputs: tuple[Tensor, Tensor], challenge: Challenge) -> tuple[str, bool]:
    """What forward gives a head that does not take the encoder's output alone, if known, and whether forward runs."""
    try:
        reply = model.forward(*inputs, challenge.seed(), capture=["encoder", *HEADS, path], evaluate=True)
    except SubmissionError:
        return "", False
    known = {"the image": inputs[0], "the one-hot class": inputs[1]}
    for name in ("encoder", *HEADS):
        if name != path and (results := reply.captured(name, "result")):
            known[f"the output of `{name}`"] = results[0]
    given = reply.captured(path, "argument")
    for few in (*permutations(known, 1), *permutations(known, 2)) if given else ():
        joined = side_by_side([known[each] for each in few])
        if few != ("the output of `encoder`",) and joined is not None and close(joined, given[0]):
            return listed(few), True
    return "", True


def judge_use(
    model: Model,
    paths: tuple[str, str | None],
    name: str,
    encoded: Piece | None,
    inputs: tuple[Tensor, Tensor],
    challenge: Challenge,
    grading: Grading,
) -> None:
    """Fail the check of a head if forward passes what it gives through an activation."""
    (position, activated), path = HEADS[name], paths[0]
    try:
        reply = model.forward(*inputs, challenge.seed(), capture=[path, "sample_latent"], evaluate=True)
        given, observed = reply.captured(path, "argument"), reply.outputs[position]
        source = given[0] if given else encoded.output if encoded else None
        linear = None if source is None else model.call(path, source, evaluate=True).outputs[0]
    except SubmissionError:
        return  # forward is judged by its own part
    if linear is None or close(observed, linear):
        return
    for activation, function in HEAD_ACTIVATIONS.items():
        if activation != "none" and close(observed, function(linear)):
            drawn_from = reply.captured("sample_latent", "argument")
            if drawn_from:
                right = len(drawn_from) == 2 and close(drawn_from[position - 1], linear)
            else:
                right = draws_by_itself(model, paths if position == 1 else paths[::-1], challenge)
            if right:  # forward changes it on return, and its own part will say so
                grading.kept.setdefault("changed on return", {})[path] = activation
                return
            fail(f"Your `forward` passes the output of `{path}` through {activation}.", activated)


def draws_by_itself(model: Model, paths: Sequence[str | None], challenge: Challenge) -> bool:
    """Whether a forward that does not call `sample_latent` gives its decoder a draw from what the two heads give."""
    heads = [each for each in paths if each is not None]
    if len(heads) < len(paths):
        return False
    try:
        reply = model.forward(
            *model.inputs(challenge, ROWS), challenge.seed(), capture=["decoder", *heads], evaluate=True
        )
        given = side_by_side(reply.captured("decoder", "argument"))
        gave = [side_by_side(reply.captured(each, "result")) for each in heads]
    except SubmissionError:
        return False
    means, logvariances = gave
    latent = model.sizes.latent
    if (
        given is None
        or means is None
        or logvariances is None
        or not means.shape == logvariances.shape == (ROWS, latent)
    ):
        return False
    starts = {0, given.shape[-1] - latent} if given.shape[-1] >= latent and len(given) == ROWS else set()
    return any(is_draw(given[:, start : start + latent], means, logvariances) for start in starts)


def explain_head(model: Model, head: Piece, hidden: Tensor) -> tuple[int | None, Match | None]:
    """What a head is, and which half it is, if it is one, of a layer that both heads have in common.

    Two halves of one linear layer are two linear layers.
    """
    latent = model.sizes.latent
    if match := explain_stack([Observation(head.parameters, hidden, head.output, HEAD_ACTIVATIONS)]):
        return None, match
    held = {name: value for name, value in model.parameters.items() if name.startswith(f"{head.name}.")}
    cut = tuple(name for name in held if name not in head.parameters)
    if cut and (match := explain_stack([Observation(held, hidden, head.output, HEAD_ACTIVATIONS)])):
        return None, replace(match, cut=cut)
    if match := changed_weights([Observation(head.parameters, hidden, head.output, HEAD_ACTIVATIONS)], False):
        return None, match
    for half in (0, 1):
        own = {
            name: value.chunk(2)[half].squeeze(0) if value.dim() and len(value) in (2, 2 * latent) else value
            for name, value in head.parameters.items()
        }
        if match := explain_stack([Observation(own, hidden, head.output, HEAD_ACTIVATIONS)]):
            return half, match
    return None, None


def judge_bounds(model: Model, head: Piece, hidden: Tensor, activated: str) -> None:
    """Fail the check for a head that is linear near 0 and cuts off what lies further."""
    factor, zero = factor_to_far(head.output), model.piece(head.name, torch.zeros_like(hidden))
    far = model.piece(head.name, factor * hidden) if factor else None
    if not factor or not zero or not far or not zero.output.shape == head.output.shape == far.output.shape:
        return
    linear = torch.lerp(zero.output, head.output, factor)
    if not close_within_far(far.output, linear):
        said = said_of_limits(far.output, linear) or "no linear function of what the head gets"
        fail(f"Far from 0, the output of `{head.name}` is {said}.", activated)


def points_of_activation(head: Piece, hidden: Tensor) -> list[tuple[float, float]]:
    """What a head's linear layer gives at two points, and what the head makes of it; empty if it is no function of it.

    A function shows in this: what the head gives for numbers close to each other is close to each other, too.
    """
    shapes = {each.dim(): each for each in head.parameters.values()}
    if len(head.parameters) != 2 or shapes.keys() != {1, 2} or shapes[2].shape != (len(shapes[1]), hidden.shape[-1]):
        return []
    linear = (hidden @ shapes[2].T + shapes[1]).flatten()
    given = head.output.flatten()
    if given.shape != linear.shape:
        return []
    order = linear.argsort()
    steps = given[order].diff().abs()
    if not float(steps.mean()) < 0.05 * float(given.std()):
        return []
    return [(float(linear[order[at]]), float(given[order[at]])) for at in (len(order) // 8, 7 * len(order) // 8)]


def judge_unknown_head(model: Model, head: Piece, hidden: Tensor, activated: str) -> NoReturn:
    """Fail the check for a head that is no known stack, with what can be said all the same."""
    if not head.parameters:
        fail(f"The output of `{head.name}` depends on no layer that training can change.", "not-trainable")
    if not any(holds_matrix(each.shape) for each in head.parameters.values()):
        fail(f"PyTorch finds no weights of `{head.name}`, only {first_few(list(head.parameters))}.", "not-trainable")
    zero, near = (model.piece(head.name, share * hidden) for share in (0.0, 0.05))
    if zero and near and zero.output.shape == near.output.shape:
        linear = torch.lerp(zero.output, near.output, 1 / 0.05)
        if said := said_of_limits(head.output, linear):
            fail(f"The output of `{head.name}` is {said}.", activated)
    named = named_layers(model, head.name)
    if said := said_of_normalization(model, head, lambda _: True):
        fail(f"`{head.name}` {said}{named}.", "head-normalisation")
    for done, change in INPUT_CHANGES.items():
        if explain_stack([Observation(head.parameters, change(hidden), head.output, {"none": ACTIVATIONS["none"]})]):
            fail(f"Inside `{head.name}`, the input is {done}.", "head-normalisation")
    if said := said_of_mixing(model, head, f"`{head.name}`"):
        fail(f"{said}.", "head-normalisation")
    far = model.piece(head.name, LARGE * hidden)
    if far is not None and float(far.output.abs().max()) < 2 * float(head.output.abs().max()):
        low, high = float(far.output.min()), float(far.output.max())
        fail(
            f"The output of `{head.name}` stays between {low:.3g} and {high:.3g}, however large its inputs are{named}.",
            activated,
        )
    if not named and (points := points_of_activation(head, hidden)):
        said = " and ".join(f"{given:.3g} where its linear layer gives {linear:.3g}" for linear, given in points)
        fail(f"`{head.name}` gives {said}.", activated)
    if far is not None and zero and close(far.output, torch.lerp(zero.output, head.output, LARGE)):
        fail(f"`{head.name}` is linear, but with other weights than its parameters as they are.", "head-normalisation")
    mistake = "head-normalisation" if named else "encoder-other"
    fail(f"`{head.name}` does not act like a linear layer{named}.", mistake)


@check(
    "Takes [image | one-hot]; sizes follow the constructor's arguments and are kept as attributes",
    3,
    probes=probes.ENCODER_SIZES,
)
def test_sizes(submission: Submission, challenge: Challenge, grading: Grading, encoded: Callable[[], Encoded]) -> None:
    model = Model(submission, challenge, **drawn_as(grading))
    require_float32(model, "encoder", grading)
    usual = encode_with(submission, challenge, Sizes(), grading)
    sizes = Sizes.random(challenge)
    try:
        again = encode_with(submission, challenge, sizes, grading)
        if again.wrong and not usual.wrong:
            fail(*again.wrong)
    except (SubmissionError, Wrong) as error:
        mistake, square = "encoder-sizes-hard-coded", Sizes(25, sizes.num_categories, sizes.latent)
        with contextlib.suppress(SubmissionError, Wrong):
            works = encode_with(submission, challenge, square, grading).wrong is None
            if works:
                mistake = "square-images-assumed"
        fail(f"With {sizes}, your encoder does not work. {error}", mistake)
    require_attributes(submission, sizes, encoded)
    require_order(submission, sizes)
    if model.misnamed is not None:
        raise model.misnamed
    if usual.wrong is not None:
        fail(*usual.wrong)


def require_attributes(submission: Submission, sizes: Sizes, encoded: Callable[[], Encoded]) -> None:
    """Fail the check unless the model built with these sizes keeps them.

    A `hidden_size` that is the width of the layers was judged as that.
    """
    expected = {
        "input_dim": sizes.input_dim,
        "num_categories": sizes.num_categories,
        "latent_dimensionality": sizes.latent,
        "hidden_size": HIDDEN_SIZE,
    }
    usual = {"input_dim": INPUT_DIM, "num_categories": NUM_CATEGORIES, "latent_dimensionality": LATENT_DIMENSIONALITY}
    found = submission.attributes("model", list(expected))
    for name, value in expected.items():
        if found.get(name) != value:
            if name == "hidden_size" and widths(encoded) == {found.get(name)}:
                continue
            message = f"Your `self.{name}` is {found.get(name)}; it should be {value}."
            if found.get(name) is None:
                fail(f"Your `self.{name}` is missing; it should be {value}.", "attribute-missing")
            fail(message, "encoder-sizes-hard-coded" if found[name] == usual.get(name) else "attribute-wrong")


def require_order(submission: Submission, sizes: Sizes) -> None:
    """Fail the check if the constructor takes its arguments in another order than the assignment's.

    One that takes them by name alone is what the notebook needs.
    """
    handles = "by name", "by name again", "by order"
    named = {"num_categories": sizes.num_categories, "latent_dimensionality": sizes.latent}
    with contextlib.suppress(SubmissionError):
        submission.construct(handles[0], CLASS, sizes.input_dim, **named)
        submission.construct(handles[1], CLASS, sizes.input_dim, **named)
        submission.construct(handles[2], CLASS, sizes.input_dim, *named.values())
        one, again, other = (submission.parameters(each) for each in handles)
        if one == again != other:
            fail(f"With {sizes} in this order, your constructor makes another model than by name.", "wrong-parameters")


def widths(encoded: Callable[[], Encoded]) -> set[int]:
    """Of the encoder's layers, where they are known."""
    with contextlib.suppress(SubmissionError, Wrong):
        return {len(bias) for _, bias in encoded().match.layers}
    return set()


def encode_with(submission: Submission, challenge: Challenge, sizes: Sizes, grading: Grading) -> Taken:
    """Build a model of these sizes and see that means and log-variances come out of it in the right shape.

    What the heads' own checks have judged is no matter here: layers of the grader's stand in for missing heads, and
    heads may have another width. Returns how the encoder was called; fails the check where a head is not under its own
    name.
    """
    missing = grading.kept.get("missing heads", ())
    model = Model(submission, challenge, sizes, missing=missing, **drawn_as(grading))
    model.require("encoder")
    images, conditions = model.inputs(challenge)
    paths = {name: model.head(name, position, (images, conditions)) for name, (position, _) in HEADS.items()}
    taken = take(model, "encoder", images, conditions, challenge)
    if taken is not None:
        require_one_result(model, taken)
    if taken is not None and taken.piece.output.dim() == 2 and paths == {name: name for name in HEADS}:
        heads = [call_head(model, name, taken.piece.output, challenge, grading) for name in HEADS]
    else:
        reply = model.forward(images, conditions, challenge.seed(), reach=[1, 2])
        heads = [*reply.outputs[1:]]
        taken = taken or Taken(Piece("", images, model.reached(reply), images, (images, conditions)))
        if not taken.piece.has_layer:
            fail("Your means and log-variances depend on no layer that training can change.", "not-trainable")
    before = f"{taken.wrong[0]} " if taken.wrong else ""
    for tensor, name in zip(heads, HEADS, strict=True):
        if tensor is None:
            continue
        if name not in grading.kept.get("head widths", {}):  # which another width has cost
            require_shape(tensor, (BATCH, sizes.latent), f"{before}The output of `{name}`")
        if name not in constant_heads(grading) and not varies(tensor, ROUNDING):
            fail(f"The output of `{name}` is the same for every image.", "encoder-other")
    if taken.piece.name:
        require_use(model, taken, images, conditions, grading.kept.get("cut parameters", ()))
    model.require_early("encoder")
    if lazy := [each for each in model.lazy if each.startswith(("encoder.", *HEADS))]:
        fail(f"Before the first pass `{lazy[0]}` has no shape.", "lazy-layer")
    if other := {name: path for name, path in paths.items() if path not in (name, None)}:
        states = {"None" if submission.attributes("model", [name]).get(name) else "missing" for name in other}
        names, used = ([f"`self.{each}`" for each in found] for found in (other, map(in_python, other.values())))
        said = f"Your {listed(names)} {'is' if len(names) == 1 else 'are'} {' or '.join(sorted(states))}; "
        fail(f"{said}your `forward` uses {listed(used)} instead.", "attribute-missing")
    needs_several = grading.blamed("encoder", "encoder-normalisation")  # perhaps
    if taken.piece.name and not needs_several and not takes_one_image(model):
        require_one_row(model, "encoder", taken.piece.arguments, "encoder-of-one-row")
    return taken


def takes_one_image(model: Model) -> bool:
    """Whether forward gives means and log-variances of one image, no matter what its pieces give by themselves."""
    one_hot = torch.eye(model.sizes.num_categories)[:1]
    try:
        reply = model.forward(torch.zeros(1, model.sizes.input_dim), one_hot, 0, evaluate=True)
    except SubmissionError:
        return False
    return all(each.shape == (1, model.sizes.latent) for each in reply.outputs[1:])


def require_one_result(model: Model, taken: Taken) -> None:
    """Fail the check for an encoder that gives several tensors."""
    count = len(model.call("encoder", *taken.piece.arguments, evaluate=True).outputs)
    if count != 1:
        fail(
            f"Your encoder gives {count} tensors; it should give one, {HIDDEN_SIZE} numbers for each image, which both "
            "heads take.",
            "wrong-number-of-results",
        )


def call_head(model: Model, name: str, encoded: Tensor, challenge: Challenge, grading: Grading) -> Tensor | None:
    """What a head gives for what the encoder gave.

    Where the two do not fit together, one of them has another width, which its own check has judged: then for hidden
    numbers of the right width, and None for a head that does not take these.
    """
    try:
        return model.call(name, encoded, evaluate=True).outputs[0]
    except SubmissionError:
        if not grading.failed("encoder"):
            raise
    head = model.piece(name, challenge.normal(BATCH, HIDDEN_SIZE))
    return head.output if head else None
