"""Recognize a piece of the submission's network by weight transplant, in any style that it may be written in.

The grader writes random numbers into the parameters, asks for outputs and gradients, and looks for the stack that gives
the same outputs with the same parameters. What no known stack explains is judged by what can be read off it: its chain
of matrices, and what it makes of the bias of its last layer.
"""

from __future__ import annotations

import contextlib
import functools
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.assignments.cvae.assignment import HIDDEN_SIZE
from autograder.assignments.cvae.checks.layouts import Layer, arrangements, holds_matrix, is_weight, owner_of
from autograder.assignments.cvae.checks.network import CLASS, Model, Piece, concatenate, in_rows, side_by_side
from autograder.assignments.cvae.checks.stacks import (
    MAX_ORDERS,
    ROUNDING,
    SLOPE,
    Match,
    Observation,
    changed_weights,
    class_in_each_layer,
    comparable,
    explain_stack,
    repeated_layer,
    skipping_stack,
    stack,
    varies,
)
from autograder.assignments.cvae.hints.network import ACTIVATIONS, HEAD_ACTIVATIONS, OUTPUT_ACTIVATIONS, Activation
from autograder.grading.harness import Challenge, close, fail
from autograder.sandbox.client import MOST_NUMBERS
from autograder.sandbox.errors import Raised, SubmissionError, Unfit

# The means and log-variances that `sample_latent` and the loss are judged with, so those that nothing may cut off.
FAR = -6.0, 5.0
NEUTRAL, MAX_GIVEN = (0.0, 1.0, 20.0), 2  # what layers may give that makes no difference, and how many of them
# A bound on what a piece gives that changes its numbers by no more than this makes no difference.
FINE_BOUND = 5e-4


def factor_to_far(*outputs: Tensor) -> float | None:
    """By what to multiply numbers so that each of some tensors goes beyond both ends of FAR; None where it cannot."""
    lowest, highest = (min(-float(each.min()) for each in outputs), min(float(each.max()) for each in outputs))
    return 1.3 * max(-FAR[0] / lowest, FAR[1] / highest, 1.0) if lowest > 0 and highest > 0 else None


def close_within_far(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors agree wherever they are no further than FAR."""
    return close(one.clamp(*FAR), other.clamp(*FAR))


def said_of_limits(output: Tensor, whole: Tensor) -> str:
    """Where a tensor is cut off, as "never below -4 or above 4"; empty where it is not the whole one between limits."""
    if output.shape != whole.shape:
        return ""
    low, high = float(output.min()), float(output.max())
    cut = output[(output - whole).abs() > 1e-3 * (1 + whole.abs())]  # more than rounding
    ends = [f"{word} {end:.3g}" for word, end in (("below", low), ("above", high)) if bool((cut == end).any())]
    return f"never {' or '.join(ends)}" if ends and close(output, whole.clamp(low, high)) else ""


@dataclass
class Means:
    """The means of a whole forward pass, explained: the encoder's stack, its parameters, and the order of its input."""

    match: Match
    names: list[str]
    condition_first: bool


def explain_means(model: Model, large: Model, images: Tensor, conditions: Tensor, seed: int) -> Means | None:
    """Explain the means that forward returns, for an encoder that cannot be called, or not without forward's help.

    The mean head is what the means depend on and the log-variances do not. `large` is the model at the other scale.
    """
    found = [_means_of(each, images, conditions, seed) for each in (model, large)]
    if any(each is None for each in found):
        return None
    for condition_first in (False, True):
        x = concatenate(conditions, images) if condition_first else concatenate(images, conditions)
        observations = [Observation(body, x, means, tails) for body, means, tails in filter(None, found)]
        if match := explain_stack(observations, activated_last=True, width=HIDDEN_SIZE):
            return Means(match, list(observations[0].parameters), condition_first)
    return None


def _means_of(
    model: Model, images: Tensor, conditions: Tensor, seed: int
) -> tuple[dict[str, Tensor], Tensor, dict[str, Activation]] | None:
    """The parameters before the mean head, the means, and what the head may make of hidden values, by activation."""
    try:
        means = model.forward(images, conditions, seed, evaluate=True).outputs[1]
        of_means, of_logvariances = (
            model.reached(model.forward(images, conditions, seed, reach=[index], evaluate=True)) for index in (1, 2)
        )
    except SubmissionError:
        return None
    head = {name: value for name, value in of_means.items() if name not in of_logvariances}
    body = {name: value for name, value in of_means.items() if name in of_logvariances}
    ways = islice(arrangements(head, HIDDEN_SIZE, model.sizes.latent), MAX_ORDERS)
    layer = next((each[0] for each in ways if len(each) == 1), None)
    if layer is None or means.shape != (len(images), model.sizes.latent):
        return None
    return body, means, {name: functools.partial(_head, each, layer) for name, each in HEAD_ACTIVATIONS.items()}


def explain_reconstruction(
    model: Model, large: Model, images: Tensor, conditions: Tensor, seed: int
) -> tuple[Piece, Match] | None:
    """Explain the reconstruction that forward returns, for a decoder that cannot be called.

    The decoder is what the reconstruction depends on and the means and the log-variances do not.
    """
    pieces = []
    for each in (model, large):
        try:
            reply = each.forward(images, conditions, seed, reach=[0], capture=["sample_latent"], evaluate=True)
            drawn_from = each.reached(each.forward(images, conditions, seed, reach=[1, 2], evaluate=True))
        except SubmissionError:
            return None
        latents, reached = reply.captured("sample_latent", "result"), each.reached(reply)
        x = side_by_side([latents[0], conditions]) if latents else None
        if x is None:
            return None
        own = {name: value for name, value in reached.items() if name not in drawn_from}
        pieces.append(Piece("decoder", reply.outputs[0], own, x, (x,)))
    match = explain_stack(
        [Observation(each.parameters, each.input, each.output, OUTPUT_ACTIVATIONS) for each in pieces]
    )
    return (pieces[0], match) if match else None


def _head(activation: Activation, layer: Layer, hidden: Tensor) -> Tensor:
    return activation(F.linear(hidden, *layer))


@dataclass
class Taken:
    """A piece of the model as it can be called, and what is wrong with that: a message and a mistake, or None."""

    piece: Piece
    wrong: tuple[str, str] | None = None


def take(model: Model, name: str, data: Tensor, classes: Tensor, challenge: Challenge) -> Taken | None:
    """Call a piece on [data | one-hot]; if that fails, in the other ways that it may have been written for.

    Those are two arguments, the data alone, and as many numbers as its first layer takes. None if nothing works.
    """
    if piece := model.piece(name, concatenate(data, classes)):
        return Taken(piece)
    asked = data.shape[-1] + classes.shape[-1]
    if piece := model.piece(name, data, classes):
        said = f"The {name} takes two arguments; it must take one tensor, {asked} numbers wide."
        return Taken(piece, (said, f"{name}-two-arguments"))
    if piece := model.piece(name, data):
        said = f"The {name} takes {data.shape[-1]} numbers; it must take {asked}: these and the one-hot class."
        return Taken(piece, (said, f"{name}-without-condition"))
    every = {key: value.shape for key, value in model.parameters.items()}
    own = [shape for key, shape in every.items() if key.startswith(f"{name}.")] or [*every.values()]  # of a property
    widths = dict.fromkeys(size for shape in own for size in reversed(shape) if size * len(data) <= MOST_NUMBERS)
    for width in widths:
        if piece := model.piece(name, challenge.uniform(0, 1, len(data), width)):
            said = f"The {name} takes {width} numbers; it must take {asked} = {data.shape[-1]} + {classes.shape[-1]}."
            return Taken(piece, (said, f"{name}-input-width"))
    return None


def require_same_again(model: Model, name: str) -> None:
    """Fail the check if an attribute of two models of the same sizes, one built after the other, has other layers."""
    sizes, built = model.sizes, []
    for handle in ("once", "again"):
        model.submission.construct(
            handle, CLASS, sizes.input_dim, num_categories=sizes.num_categories, latent_dimensionality=sizes.latent
        )
        shapes = model.submission.parameters(handle)
        built.append([shape for key, shape in shapes.items() if key.startswith(f"{name}.")])
    if built[0] != built[1]:
        one, other = (f"{len(shapes)} parameters" for shapes in built)
        found = f"{one} in one and {other} in the next" if one != other else "parameters of other shapes in the next"
        fail(f"Of two models of the same sizes, built one after the other, the {name} has {found}.", "layers-kept")


def require_use(model: Model, taken: Taken, data: Tensor, classes: Tensor, cut: Collection[str] = ()) -> None:
    """Fail the check for a piece without a layer, or one to which the data or the class make no difference.

    Layers of which the parameters `cut` get no gradient were judged as that.
    """
    name, output = taken.piece.name, in_rows(taken.piece.output)
    if not taken.piece.has_layer and not any(each.startswith(f"{name}.") for each in cut):
        fail(f"The output of your {name} depends on no layer that training can change.", "not-trainable")
    if not varies(output, ROUNDING):
        fail(f"The output of your {name} is the same for every input.", f"{name}-other")
    if taken.wrong is None:
        for x, what in (
            (concatenate(data.roll(1, 0), classes), "the data"),
            (concatenate(data, classes.roll(1, 1)), "the class"),
        ):
            other = model.piece(name, x)
            if other is not None and close(in_rows(other.output), output, ROUNDING):
                fail(f"The output of your {name} does not depend on {what} that it gets.", f"{name}-other")


def require_one_row(model: Model, path: str, arguments: Sequence[Tensor], mistake: str) -> None:
    """Fail the check for a piece that gives a row for each of several rows, and none for a single one."""
    asked = (1, *model.call(path, *arguments, evaluate=True).outputs[0].shape[1:])
    try:
        found = model.call(path, *(each[:1] for each in arguments), evaluate=True).outputs[0]
        shape = str(tuple(found.shape))
    except Unfit as error:
        if error.code != "wrong-rows":
            raise
        shape = str(error.fields["shape"])
    except Raised as error:
        fail(f"`{path}` stops on a single row. {error}", mistake)
    if shape != str(asked):
        fail(f"For a single row, the output of `{path}` has shape {shape}; it should have {asked}.", mistake)


def recognize(
    model: Model, large: Model, piece: Piece, tails: Mapping[str, Activation], activated_last: bool = False
) -> Match:
    """What a piece is, by both scales; see `Match` for what can be told of one that no known stack explains."""
    again = large.piece(piece.name, *piece.arguments)
    if again is None:
        large.call(piece.name, *piece.arguments, reach=[0], evaluate=True)  # says why
    observations = [
        Observation(each.parameters, each.input, in_rows(each.output), tails) for each in (piece, again) if each
    ]
    outputs = in_rows(piece.output).shape[-1]
    if match := _known(observations, (model, large), piece, activated_last):
        bounded = "" if activated_last else read_tail(model, piece, outputs, {match.last: tails[match.last]})[0]
        return replace(match, last=bounded) if bounded.startswith(f"{match.last}, cut off") else match
    require_same_again(model, piece.name)
    last, tail = ("none", None) if activated_last else read_tail(model, piece, outputs, tails)
    if tail is not None:
        observations = [replace(each, tails={last: tail}) for each in observations]
        if match := explain_stack(observations):
            return match
    if not activated_last and again and (match := hidden_stack((model, large), (piece, again), last)):
        return replace(match, last_changed=tail is not None)
    matrices = {key: value for key, value in piece.parameters.items() if is_weight(value.shape)}
    layers = next(arrangements(piece.parameters, piece.input.shape[-1], outputs), None) or next(
        arrangements(matrices, piece.input.shape[-1], outputs), []
    )
    return Match(layers, None, last)


def _known(
    observations: Sequence[Observation], models: Sequence[Model], piece: Piece, activated_last: bool
) -> Match | None:
    """The first known explanation of a piece that was observed in these models; None if there is none."""
    if not comparable(observations):
        return None
    match = explain_stack(observations, activated_last)
    if match is None or set(match.hidden or ()) != {"ReLU"}:
        match = _with_learned_activation(models, piece, observations[0].tails, activated_last) or match
        if starts_with_relu(models[0], piece):
            behind = [replace(each, x=each.x.relu()) for each in observations]
            match = match or explain_stack(behind, activated_last)
            match = replace(match, relu_first=True) if match else None
    for explain in (repeated_layer, skipping_stack, changed_weights):
        match = match or explain(observations, activated_last)
    return match or (
        class_in_each_layer(observations, activated_last, models[0].sizes.num_categories)
        or _with_cut_parameters(observations, models, piece, activated_last)
        or _with_weights_of_another(observations, piece, activated_last)
        or _with_gains(observations, models[0], activated_last)
        or _without_others(models, piece, observations[0].tails, activated_last)
    )


def starts_with_relu(model: Model, piece: Piece) -> bool:
    """Whether a piece gives the same where a ReLU has acted on its input, of any sign, and not the same for all."""
    signed = [each - each.mean() for each in piece.arguments]
    plain, behind = (model.piece(piece.name, *given) for given in (signed, [each.relu() for each in signed]))
    if plain is None or behind is None or not varies(in_rows(plain.output)):
        return False
    return close(in_rows(plain.output), in_rows(behind.output), ROUNDING)


def _with_learned_activation(
    models: Sequence[Model], piece: Piece, tails: Mapping[str, Activation], activated_last: bool
) -> Match | None:
    """The stack that a piece is where its activations have parameters, such as slopes; None if it is none."""
    matrices = {owner_of(name) for name, each in piece.parameters.items() if holds_matrix(each.shape)}
    learned = [name for name in piece.parameters if owner_of(name) not in matrices]
    observations = _with_constants(models, piece, tails, dict.fromkeys(learned, SLOPE)) if learned else []
    match = explain_stack(observations, activated_last) if observations else None
    known = match is not None and match.hidden is not None and not {*match.hidden} <= {"ReLU", "none"}
    return replace(match, learned=tuple(learned)) if match and known else None


def _with_constants(
    models: Sequence[Model], piece: Piece, tails: Mapping[str, Activation], constants: Mapping[str, float]
) -> list[Observation]:
    """A piece, observed with some of its parameters at constants, which are not among those observed; empty if none."""
    found = []
    for model in models:
        with model.changed({name: torch.full_like(piece.parameters[name], each) for name, each in constants.items()}):
            shown = model.piece(piece.name, *piece.arguments)
        if shown is None:
            return []
        rest = {name: model.parameters[name] for name in piece.parameters if name not in constants}
        found.append(Observation(rest, piece.input, in_rows(shown.output), tails))
    return found if comparable(found) else []


def _with_cut_parameters(
    observations: Sequence[Observation], models: Sequence[Model], piece: Piece, activated_last: bool
) -> Match | None:
    """The stack that explains a piece together with those of its parameters that get no gradient; None if none does."""
    held = [
        {name: value for name, value in each.parameters.items() if name.startswith(f"{piece.name}.")} for each in models
    ]
    cut = tuple(name for name in held[0] if name not in piece.parameters)
    whole = [replace(each, parameters=own) for each, own in zip(observations, held, strict=False)]
    match = explain_stack(whole, activated_last) if cut else None
    return replace(match, cut=cut) if match else None


def _with_gains(observations: Sequence[Observation], model: Model, activated_last: bool) -> Match | None:
    """The stack whose layers multiply by parameters of their own, which were drawn to do nothing; None if none is."""
    gains = [name for name in observations[0].parameters if name in model.submission.ones]
    rest = [
        replace(each, parameters={name: value for name, value in each.parameters.items() if name not in gains})
        for each in observations
    ]
    match = (explain_stack(rest, activated_last) or changed_weights(rest, activated_last)) if gains else None
    if match and not {*(match.hidden or ())} <= {"ReLU", "none"}:
        return replace(match, learned=tuple(gains), set_to=1.0)
    said = f"multiplied by parameters ({', '.join(gains[:4])})"
    return replace(match, weights=", ".join(filter(None, (match.weights, said)))) if match else None


def _without_others(
    models: Sequence[Model], piece: Piece, tails: Mapping[str, Activation], activated_last: bool
) -> Match | None:
    """The stack that a piece is where some of its parameters are zero; None if it is none.

    Those are the further matrices of each layer, or all of the layers that take the class alone.
    """
    matrices = {name: owner_of(name) for name, each in piece.parameters.items() if is_weight(each.shape)}
    first = {owner: name for name, owner in reversed(matrices.items())}
    further = [name for name, owner in matrices.items() if first[owner] != name]
    classes = models[0].sizes.num_categories
    small = {owner for name, owner in matrices.items() if piece.parameters[name].shape[1] == classes}
    of_class = [name for name in piece.parameters if owner_of(name) in small]
    for others in filter(None, (further, of_class)):
        found = _with_constants(models, piece, tails, dict.fromkeys(others, 0.0))
        if found and (match := explain_stack(found, activated_last) or changed_weights(found, activated_last)):
            if others is of_class:
                return replace(match, of_class=tuple(of_class))
            return replace(match, weights=f"put together with other parameters ({', '.join(further[:4])})")
    return _with_data_alone(models, piece, tails, activated_last, of_class)


def _with_data_alone(
    models: Sequence[Model],
    piece: Piece,
    tails: Mapping[str, Activation],
    activated_last: bool,
    of_class: Sequence[str],
) -> Match | None:
    """The stack that a piece makes of its data where the layers of the class give 0, 1 or a large number; or None.

    One of these makes no difference, where such a layer gives a summand, a factor or what a sigmoid makes a factor of.
    """
    classes, biases = (
        models[0].sizes.num_categories,
        [name for name in of_class if not is_weight(piece.parameters[name].shape)],
    )
    few = (
        product(NEUTRAL, repeat=len(biases))
        if len(biases) <= MAX_GIVEN
        else ((each,) * len(biases) for each in NEUTRAL)
    )
    for given in few if biases else ():
        constants = dict.fromkeys(of_class, 0.0) | dict(zip(biases, given, strict=True))
        found = _with_constants(models, piece, tails, constants)
        found = [replace(each, x=each.x[:, :-classes]) for each in found]
        if found and (match := explain_stack(found, activated_last)):
            return replace(match, of_class=tuple(of_class))
    return None


def _with_weights_of_another(observations: Sequence[Observation], piece: Piece, activated_last: bool) -> Match | None:
    """The stack that explains a piece which uses transposed matrices of another piece; None if none does.

    That is a decoder tied to the encoder, whose first layer takes the class as well: the decoder needs its other part.
    """
    outputs = in_rows(piece.output).shape[-1]
    matrices = [name for name, each in piece.parameters.items() if is_weight(each.shape) and each.dim() == 2]
    borrowed = [name for name in matrices if not name.startswith(f"{piece.name}.")]
    if not borrowed:
        return None
    parts = []
    for each in observations:
        own = {name: value for name, value in each.parameters.items() if name not in borrowed}
        own |= {name: each.parameters[name][:, :outputs].T for name in borrowed}
        # Under names that pair no bias with a matrix.
        parts.append(replace(each, parameters={f"number {at}": value for at, value in enumerate(own.values())}))
    return explain_stack(parts, activated_last)


def by_class(latents: Tensor, draws: Tensor, conditions: Tensor) -> tuple[Tensor, Tensor] | None:
    """The (K, latent) factors and shifts that make latents of draws, by class; None where no such do."""
    if latents.shape != draws.shape:
        return None
    classes, found = conditions.argmax(1), []
    for number in range(conditions.shape[1]):
        given, drawn = (each[classes == number].double() for each in (latents, draws))
        centered = drawn - drawn.mean(0)
        factor = (centered * given).sum(0) / centered.square().sum(0)
        shift = (given - factor * drawn).mean(0)
        if not close(factor * drawn + shift, given):
            return None
        found.append((factor.float(), shift.float()))
    factors, shifts = zip(*found, strict=True)
    return torch.stack(factors), torch.stack(shifts)


def tells_class(latents: Tensor, draws: Tensor, conditions: Tensor) -> bool:
    """Whether latents are draws that are changed by the class, and by nothing else, as a factor for all would be."""
    factors, shifts = by_class(latents, draws, conditions) or (torch.zeros(1, 1), torch.zeros(1, 1))
    return varies(factors) or (varies(shifts) and close(factors, torch.ones_like(factors)))


def end_differs_by_mode(model: Model, piece: Piece) -> bool:
    """Whether what follows the last linear layer of a piece acts otherwise in training mode than in evaluation mode.

    Where that layer gets nothing, what acts before it makes no difference.
    """
    for bias, others in silenced(piece, in_rows(piece.output).shape[-1]):
        grid = torch.linspace(-2, 2, piece.parameters[bias].numel()).reshape(piece.parameters[bias].shape)
        with model.changed({**others, bias: grid}), contextlib.suppress(SubmissionError):
            quiet = model.call(piece.name, *piece.arguments, evaluate=True).outputs[0]
            noisy = (model.call(piece.name, *piece.arguments, seed=seed).outputs[0] for seed in (1, 2))
            if torch.isfinite(quiet).all():
                return not all(close(each, quiet) for each in noisy)
    return False


def mixes_rows(model: Model, piece: Piece) -> bool:
    """Whether what a piece gives for a row depends on the other rows."""
    middle = len(piece.input) // 2
    for half in (slice(middle), slice(middle, None)):  # one of them may have both ends of all
        alone = model.piece(piece.name, *(each[half] for each in piece.arguments))
        if alone is not None and not close(alone.output, piece.output[half]):
            return True
    return False


def hidden_stack(models: Sequence[Model], pieces: Sequence[Piece], last: str) -> Match | None:
    """The stack whose hidden layers those of a piece are, no matter what follows them; None if it is none known.

    Where the hidden numbers are known, so is which change of the last weight makes no difference to the output.
    """
    columns = pieces[0].input.shape[-1], in_rows(pieces[0].output).shape[-1]
    layers = next(arrangements(pieces[0].parameters, *columns), [])
    if len(layers) < 2 or not varies(in_rows(pieces[0].output)):
        return None
    for name in ("ReLU", *(each for each in ACTIVATIONS if each != "ReLU")):
        hidden = (name,) * (len(layers) - 1)
        if all(_last_takes(model, piece, hidden, columns) for model, piece in zip(models, pieces, strict=True)):
            return Match(layers, hidden, last)
    return None


def _last_takes(model: Model, piece: Piece, hidden: Sequence[str], columns: tuple[int, int]) -> bool:
    """Whether the last layer of a piece takes what its other layers give with these activations after them."""
    layers = next(arrangements(piece.parameters, *columns), [])
    last = next((key for key, each in piece.parameters.items() if layers and _same_matrix(each, layers[-1][0])), "")
    if not last:
        return False
    numbers = stack(layers[:-1], [ACTIVATIONS[each] for each in hidden], piece.input).double()
    if not numbers.any():
        return False
    unseen = torch.linspace(-1, 1, numbers.shape[-1], dtype=torch.float64).cos().mul(1e3).sin()
    seen = numbers.T @ torch.linalg.lstsq(numbers.T, unseen[:, None], driver="gelsd").solution
    unseen = unseen[:, None] - seen
    rising = torch.linspace(1, 2, columns[1], dtype=torch.float64)

    def changed(direction: Tensor) -> Tensor | None:
        by = (rising[:, None] @ direction.T / numbers.abs().mean()).float()
        weight = piece.parameters[last]
        by = by if weight.shape[:2] == by.shape else by.T
        with model.changed({last: weight + by.reshape(weight.shape)}):
            shown = model.piece(piece.name, *piece.arguments)
        return shown.output if shown else None

    same, other = changed(unseen), changed(seen)
    return same is not None and other is not None and close(same, piece.output) and not close(other, piece.output)


def _same_matrix(parameter: Tensor, weight: Tensor) -> bool:
    """Whether a parameter is this matrix (out, in), or its transpose."""
    if not is_weight(parameter.shape):
        return False
    matrix = parameter.reshape(parameter.shape[:2])
    return torch.equal(matrix, weight) or torch.equal(matrix.T, weight)


def read_tail(
    model: Model, piece: Piece, outputs: int, tails: Mapping[str, Activation]
) -> tuple[str, Activation | None]:
    """What follows the last linear layer: where it gets nothing, the output shows its bias through it.

    One of the tails, or one of them cut off, or scaled and shifted, which its name says; the empty string if neither.
    """
    for bias, others in silenced(piece, outputs):

        def show(grid: Tensor, bias: str = bias, others: dict[str, Tensor] = others) -> tuple[Tensor, Tensor] | None:
            """The rows that the last layer gives, and what comes out."""
            with model.changed({**others, bias: grid.reshape(piece.parameters[bias].shape)}):
                shown = model.piece(piece.name, *piece.arguments)
            return (grid.expand(len(piece.input), -1), in_rows(shown.output)) if shown else None

        first, second, far = (show(torch.linspace(low, high, outputs)) for low, high in ((-4, 4), (-1, 3), (-16, 16)))
        if first is None or second is None or first[1].shape != first[0].shape:
            continue
        name, tail = tail_of(*first, tails)
        if tail is None:
            continue
        rows, found = second
        whole = (far[1], tail(far[0])) if far else second
        low, high = bounds_of(*whole) or (-math.inf, math.inf)
        if close(found, tail(rows).clamp(low, high)):
            felt = said_of_bounds(*(bounds_of(*whole, least=FINE_BOUND) or (-math.inf, math.inf)))
            called = "x" if name == "none" and felt else name
            return called + felt, lambda x, of=tail, ends=(low, high): of(x).clamp(*ends)
    return "", None


def silenced(piece: Piece, outputs: int) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """What may be the last bias of a piece, by name, each with parameters with which its layer gets nothing.

    Its weights are zero; or the biases before it so low that ReLUs give zero, where layers change their weights.
    """
    weights = {name: each for name, each in piece.parameters.items() if is_weight(each.shape)}
    owners = {owner_of(name) for name in weights}
    vectors = {
        name: each
        for name, each in piece.parameters.items()
        if name not in weights and (owner_of(name) in owners or not re.search(r"\.(weight|bias)$", name))
    }
    last = {name: torch.zeros_like(each) for name, each in weights.items() if outputs in each.shape}
    biases = [name for name, each in vectors.items() if each.numel() == outputs][:-4:-1]  # the last few
    for others in (last, {name: torch.full_like(each, -1e6) for name, each in vectors.items() if name not in biases}):
        yield from ((bias, others) for bias in biases if others)


def tail_of(rows: Tensor, found: Tensor, tails: Mapping[str, Activation]) -> tuple[str, Activation | None]:
    """What makes `found` of `rows`: a tail, but for its bounds, or one scaled or shifted; the empty string if none."""
    for name, tail in tails.items():
        if close(found, tail(rows)):
            return name, tail
    for name, tail in tails.items():
        if float(found.max() - found.min()) > 1e-3 and bounds_of(found, tail(rows)):
            return name, tail
    if bool(((found > 0) & (found < 1)).all()) and (inside := rescaled(found.logit(), rows)):
        return f"{inside.said}, then sigmoid", lambda x: torch.sigmoid(inside.of(identity)(x))
    for name, tail in tails.items():
        if found_as := rescaled(found, tail(rows)):
            return ", then ".join(filter(None, ("" if name == "none" else name, found_as.said))), found_as.of(tail)
    return "", None


def bounds_of(found: Tensor, whole: Tensor, least: float = ROUNDING) -> tuple[float, float] | None:
    """The bounds that make `found` of the whole; None if no bounds do. Those that change it by less are infinite."""
    low, high = (float(end) for end in found.aminmax())
    low = low if low > float(whole.min()) + least else -math.inf
    high = high if high < float(whole.max()) - least else math.inf
    return (low, high) if close(found, whole.clamp(low, high)) else None


def said_of_bounds(low: float, high: float) -> str:
    """What a message adds to the name of a tail with these bounds; empty if it has none."""
    if math.isfinite(low) and math.isfinite(high):
        return f", cut off to [{low:.3g}, {high:.3g}]"
    return f", cut off below {low:.3g}" if math.isfinite(low) else f", cut off above {high:.3g}" * math.isfinite(high)


def identity(x: Tensor) -> Tensor:
    return x


@dataclass
class Rescaled:
    """What numbers were multiplied by, and what was added then."""

    factor: float
    shift: float

    @property
    def said(self) -> str:
        """What a message calls it."""
        factor = f"a factor of {self.factor:.4g}" if abs(self.factor - 1) > 1e-3 else ""
        return ", then ".join(filter(None, (factor, f"{self.shift:+.4g}" if abs(self.shift) > 1e-3 else "")))

    def of(self, function: Activation) -> Activation:
        """The function with this after it."""
        return lambda x: self.factor * function(x) + self.shift


def rescaled(found: Tensor, plain: Tensor) -> Rescaled | None:
    """What makes `found` of `plain`, if the same factor and the same sum do everywhere; None for what is constant."""
    if found.shape != plain.shape or float(plain.std()) < 1e-6 or float(found.std()) < 1e-6:
        return None
    factor = float(((found - found.mean()) * (plain - plain.mean())).mean() / plain.var(correction=0))
    shift = float(found.mean()) - factor * float(plain.mean())
    return Rescaled(factor, shift) if close(found, factor * plain + shift) else None


def in_order(found: Tensor, plain: Tensor) -> bool:
    """Whether the elements of `found` have the order of those of `plain`, as a function that only grows gives them."""
    if found.shape != plain.shape or float(found.std()) < 1e-6:
        return False
    steps = found.flatten()[plain.flatten().argsort()].diff()
    return bool((steps >= -1e-5 * found.abs().max()).all())


def places_of(found: Tensor, plain: Tensor) -> str:
    """Where `found`, of a row for each image, has the numbers of `plain`, in words; empty if its numbers are others."""
    if found.shape != plain.shape or found.dim() != 2 or close(found, plain):
        return ""
    if close(found.sort(1).values, plain.sort(1).values, ROUNDING):
        return "in another order within each row"
    if close(found.flatten().sort().values, plain.flatten().sort().values, ROUNDING):
        return "in the rows of other images"
    return ""
