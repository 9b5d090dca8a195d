"""Recognize a piece of the submission's network by weight transplant, in any style that it may be written in.

The grader writes random numbers into the parameters, asks for outputs and gradients, and looks for the stack that gives
the same outputs with the same parameters. What no known stack explains is judged by what can be read off it: its chain
of matrices, and what it makes of the bias of its last layer.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.assignments.cvae.assignment import HIDDEN_SIZE
from autograder.assignments.cvae.checks.layouts import Layer, arrangements, is_weight
from autograder.assignments.cvae.checks.network import CLASS, Model, Piece, concatenate, in_rows, side_by_side
from autograder.assignments.cvae.checks.stacks import (
    MAX_ORDERS,
    Match,
    Observation,
    class_in_each_layer,
    comparable,
    explain_stack,
    repeated_layer,
    skipping_stack,
    varies,
)
from autograder.assignments.cvae.hints.network import HEAD_ACTIVATIONS, OUTPUT_ACTIVATIONS, Activation
from autograder.grading.harness import Challenge, close, fail
from autograder.sandbox.client import MOST_NUMBERS
from autograder.sandbox.errors import SubmissionError


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
    own = [value.shape for key, value in model.parameters.items() if key.startswith(f"{name}.")]
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


def require_use(model: Model, taken: Taken, data: Tensor, classes: Tensor) -> None:
    """Fail the check for a piece without a layer, or one to which the data or the class make no difference."""
    name, output = taken.piece.name, in_rows(taken.piece.output)
    if not taken.piece.has_layer:
        fail(f"The output of your {name} depends on no layer that training can change.", "not-trainable")
    if not varies(output):
        fail(f"The output of your {name} is the same for every input.", f"{name}-other")
    if taken.wrong is None:
        for x, what in (
            (concatenate(data.roll(1, 0), classes), "the data"),
            (concatenate(data, classes.roll(1, 1)), "the class"),
        ):
            other = model.piece(name, x)
            if other is not None and close(in_rows(other.output), output):
                fail(f"The output of your {name} does not depend on {what} that it gets.", f"{name}-other")


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
    if match := _known(observations, (model, large), piece, activated_last):
        return match
    require_same_again(model, piece.name)
    outputs = in_rows(piece.output).shape[-1]
    last, tail = ("none", None) if activated_last else read_tail(model, piece, outputs, tails)
    if tail is not None:
        observations = [replace(each, tails={last: tail}) for each in observations]
        if match := explain_stack(observations):
            return match
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
    for explain in (explain_stack, repeated_layer, skipping_stack):
        if match := explain(observations, activated_last):
            return match
    return (
        class_in_each_layer(observations, activated_last, models[0].sizes.num_categories)
        or _with_cut_parameters(observations, models, piece, activated_last)
        or _with_weights_of_another(observations, piece, activated_last)
    )


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


def read_tail(
    model: Model, piece: Piece, outputs: int, tails: Mapping[str, Activation]
) -> tuple[str, Activation | None]:
    """What follows the last linear layer: with its weight at zero, the output shows its bias through it.

    One of the tails, or one of them scaled and shifted, which then comes with its name; the empty string if neither.
    """
    last = {name: value for name, value in piece.parameters.items() if outputs in value.shape}
    weights = [name for name, value in last.items() if is_weight(value.shape)]
    biases = [name for name, value in last.items() if not is_weight(value.shape)]
    if len(weights) != 1 or len(biases) != 1 or last[biases[0]].numel() != outputs:
        return "", None

    def show(grid: Tensor) -> tuple[Tensor, Tensor] | None:
        """The rows that the last layer gives, and what comes out."""
        bias = grid.reshape(last[biases[0]].shape)
        with model.changed({weights[0]: torch.zeros_like(last[weights[0]]), biases[0]: bias}):
            shown = model.piece(piece.name, *piece.arguments)
        return (grid.expand(len(piece.input), -1), in_rows(shown.output)) if shown else None

    first, second = (show(torch.linspace(low, high, outputs)) for low, high in ((-4, 4), (-1, 3)))
    if first is None or second is None:
        return "", None
    name, tail = tail_of(*first, tails)
    rows, found = second
    return (name, tail) if tail is not None and close(found, tail(rows)) else ("", None)


def tail_of(rows: Tensor, found: Tensor, tails: Mapping[str, Activation]) -> tuple[str, Activation | None]:
    """What makes `found` of `rows`: a tail, or one cut off, scaled or shifted; the empty string if none of them."""
    for name, tail in tails.items():
        if close(found, tail(rows)):
            return name, tail
    low, high = float(found.min()), float(found.max())
    for name, tail in tails.items():
        if low < high and close(found, tail(rows).clamp(low, high)):
            return f"{name}, cut off to [{low:.3g}, {high:.3g}]", lambda x, of=tail: of(x).clamp(low, high)
    for name, tail in tails.items():
        if found_as := rescaled(found, tail(rows)):
            return ", then ".join(filter(None, ("" if name == "none" else name, found_as.said))), found_as.of(tail)
    if bool(((found > 0) & (found < 1)).all()) and (inside := rescaled(found.logit(), rows)):
        return f"{inside.said}, then sigmoid", lambda x: torch.sigmoid(inside.of(identity)(x))
    return "", None


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
