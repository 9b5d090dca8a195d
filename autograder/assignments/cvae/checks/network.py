"""Judge a network by weight transplant, whatever style it is written in.

The grader writes random numbers into the submission's parameters, asks for outputs and gradients, and looks for a
stack of linear layers and activations that gives the same outputs with the same parameters. The right stack passes;
another one names the mistake. Which parameters belong to an output is read off the gradients, not off names.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, permutations, product
from typing import NoReturn, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.assignments.cvae.assignment import HIDDEN_SIZE, INPUT_DIM, LATENT_DIMENSIONALITY, NUM_CATEGORIES
from autograder.assignments.cvae.hints.bank import ACTIVATIONS, HEAD_ACTIVATIONS, Activation, hidden_activations
from autograder.grading.harness import Challenge, close, fail
from autograder.sandbox.client import Raised, Reply, Submission, SubmissionError, Unfit

CLASS = "ConditionalVariationalAutoencoder"
_T = TypeVar("_T")
Layer = tuple[Tensor, Tensor]  # weight (out, in), bias (out)

BATCH = 24  # rows of a challenge
# A network of 50 layers must not keep the grader busy: this many ways to arrange parameters are tried, and only the
# registered one where there are more layers than anyone could mean.
MAX_ORDERS, MAX_SHUFFLED = 150, 6
MAX_STACKS = 2000  # of orders and activations together
MAX_PRODUCTS = 20_000_000_000  # of numbers, in all stacks that are tried


@dataclass(frozen=True)
class Sizes:
    """Constructor arguments."""

    input_dim: int = INPUT_DIM
    num_categories: int = NUM_CATEGORIES
    latent: int = LATENT_DIMENSIONALITY

    @classmethod
    def random(cls, challenge: Challenge) -> Sizes:
        """Unusual sizes, all different, so that none can be hard-coded or mistaken for another."""
        return cls(challenge.integer(20, 36), challenge.integer(3, 6), challenge.integer(7, 12))


class Model:
    """The submission's model, built with `sizes` under the handle "model", its parameters drawn by the grader.

    With `own_start`, everything stays as the constructor left it; for `mean_image` see `draw_parameters`.
    """

    def __init__(
        self,
        submission: Submission,
        challenge: Challenge,
        sizes: Sizes | None = None,
        mean_image: Tensor | None = None,
        own_start: bool = False,
    ) -> None:
        self.submission, self.sizes = submission, sizes or Sizes()
        arguments = (self.sizes.input_dim, self.sizes.num_categories, self.sizes.latent)
        self._incomplete = submission.construct("model", CLASS, *arguments, seed=challenge.seed())
        self.parameters: dict[str, Tensor] = {}
        if not own_start:
            self.parameters = draw_parameters(self._shapes(), self.sizes, challenge, mean_image)
            submission.set_parameters("model", self.parameters)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        try:
            return self.submission.parameters("model")
        except SubmissionError:
            self._raise_incomplete()
            raise

    def _raise_incomplete(self) -> None:
        """Raise what kept the constructor from finishing, if anything did."""
        if self._incomplete is not None:
            raise self._incomplete

    def require(self, *names: str) -> None:
        """The attributes are there; otherwise raise what kept the constructor from setting them."""
        found = self.submission.attributes("model", names)
        missing = [name for name in names if found.get(name) is None]
        if missing:
            self._raise_incomplete()
            raise Unfit(f"the model has no `{missing[0]}`: the constructor must set it")

    def inputs(self, challenge: Challenge) -> tuple[Tensor, Tensor]:
        """Random images (BATCH, input_dim) in [0, 1] and one-hot classes (BATCH, K)."""
        images = challenge.uniform(0, 1, BATCH, self.sizes.input_dim)
        return images, challenge.one_hot(BATCH, self.sizes.num_categories)

    def latents(self, challenge: Challenge) -> Tensor:
        """Random latents (BATCH, latent)."""
        return challenge.normal(BATCH, self.sizes.latent)

    def call(self, name: str, *arguments: Tensor, seed: int = 0, reach: Sequence[int] = ()) -> Reply:
        """Call an attribute of the model, which gives a row for each row of its first argument."""
        return self.submission.call(name, *arguments, on="model", seed=seed, reach=reach, rows=len(arguments[0]))

    def piece(self, name: str, x: Tensor) -> Piece | None:
        """An attribute called on one tensor, with the parameters that its output depends on; None if that fails."""
        try:
            reply = self.call(name, x, reach=[0])
            return Piece(reply.outputs[0], self.reached(reply), x)
        except SubmissionError:
            return None

    def reached(self, reply: Reply) -> dict[str, Tensor]:
        """The parameters that a call reached, in the order of their registration."""
        names = set(reply.reached)
        return {name: value for name, value in self.parameters.items() if name in names}

    def forward(
        self,
        images: Tensor,
        conditions: Tensor,
        seed: int,
        cotangents: dict[int, Tensor] | None = None,
        reach: Sequence[int] = (),
    ) -> Reply:
        """Call the model; Unfit unless it returns three tensors."""
        try:
            reply = self.submission.call(
                "", images, conditions, on="model", seed=seed, cotangents=cotangents, reach=reach
            )
        except Raised as error:
            if error.kind != "NotImplementedError":
                self._raise_incomplete()
            raise
        if len(reply.outputs) != 3:
            raise Unfit(
                "forward must return three tensors, the reconstruction, the means and the log-variances; "
                f"it returned {len(reply.outputs)}"
            )
        return reply


@dataclass
class Piece:
    """What part of a model gave for an input, and the parameters that it depends on, by name."""

    output: Tensor
    parameters: dict[str, Tensor]
    input: Tensor


def concatenate(data: Tensor, classes: Tensor) -> Tensor:
    """[data | one-hot classes], row by row."""
    return torch.cat((data, classes), -1)


def draw_parameters(
    shapes: Mapping[str, Sequence[int]], sizes: Sizes, challenge: Challenge, mean_image: Tensor | None = None
) -> dict[str, Tensor]:
    """Random parameters of these shapes.

    Weights get the scale that keeps activations alive through ReLU layers, biases one that shows. With the (input_dim,)
    mean image of what will be trained on, any network starts calmly, one without ReLUs or of another width as well:
    the weights are smaller, the heads' much smaller, the biases zero, but for those of the pixels, which start at the
    mean image so that no step is spent on it.
    """
    gain, bias_scale = (2.0, 0.4) if mean_image is None else (1.0, 0.0)
    parameters = {}
    for name, shape in shapes.items():
        if mean_image is not None and not is_weight(shape) and math.prod(shape) == sizes.input_dim:
            parameters[name] = mean_image.clamp(0.01, 0.99).logit().reshape(shape)
            continue
        scale = (gain / fan_in(shape, sizes)) ** 0.5 if is_weight(shape) else bias_scale
        if mean_image is not None and sizes.latent in shape:
            scale *= 0.1
        parameters[name] = scale * challenge.normal(*shape)
    return parameters


def is_weight(shape: Sequence[int]) -> bool:
    """Whether a parameter of this shape is a matrix: a bias may be written as a row or a column."""
    return len(shape) == 2 and 1 not in shape


def fan_in(shape: Sequence[int], sizes: Sizes) -> int:
    """The number of inputs of a weight, whether it is stored as (out, in) or as (in, out)."""
    inputs = {sizes.input_dim + sizes.num_categories, sizes.latent + sizes.num_categories}
    return next((size for size in shape if size in inputs), HIDDEN_SIZE)


def arrangements(parameters: dict[str, Tensor], inputs: int, outputs: int) -> Iterator[list[Layer]]:
    """Ways in which the parameters make a chain of linear layers from `inputs` to `outputs`, the likeliest first.

    Weights and biases are paired by the module that holds both where there is one, else in every possible way. A
    weight whose module holds no bias gets zeros.
    """
    weights = {name: value for name, value in parameters.items() if is_weight(value.shape)}
    biases = {name: value.flatten() for name, value in parameters.items() if name not in weights}
    if not weights or any(value.dim() > 2 for value in parameters.values()):
        return
    owners: dict[str, Tensor | None] = {name.rpartition(".")[0]: None for name in weights}
    by_owner = len(owners) == len(weights)
    for name, value in biases.items():
        owner = name.rpartition(".")[0]
        by_owner = by_owner and owner in owners and owners[owner] is None
        owners[owner] = value
    if by_owner:
        pairings: Iterable[Sequence[Tensor | None]] = [list(owners.values())]
    elif len(biases) == len(weights):
        pairings = shuffles(list(biases.values()))
    else:
        return
    for pairing in pairings:
        for transposed in (False, True):
            layers: list[Layer] = []
            for value, bias in zip(weights.values(), pairing, strict=True):
                weight = value.T if transposed else value
                layers.append((weight, torch.zeros(len(weight)) if bias is None else bias))
            if all(len(bias) == len(weight) for weight, bias in layers):
                yield from _chains(layers, inputs, outputs)


def _chains(layers: list[Layer], inputs: int, outputs: int) -> Iterator[list[Layer]]:
    for order in shuffles(layers):
        widths = [inputs, *(len(bias) for _, bias in order)]
        if widths[-1] == outputs and all(
            weight.shape[1] == width for (weight, _), width in zip(order, widths, strict=False)
        ):
            yield list(order)


def shuffles(items: list[_T]) -> Iterator[tuple[_T, ...]]:
    """The orders of a few items, theirs first; only theirs of many."""
    return permutations(items) if len(items) <= MAX_SHUFFLED else iter([tuple(items)])


def stack(layers: Sequence[Layer], activations: Sequence[Activation], x: Tensor) -> Tensor:
    """The output of linear layers, each followed by its activation."""
    for (weight, bias), activation in zip(layers, activations, strict=True):
        x = activation(F.linear(x, weight, bias))
    return x


@dataclass
class Match:
    """A stack that explains an output: its layers, the activations after them, and what follows the last."""

    layers: list[Layer]
    hidden: tuple[str, ...]
    last: str

    @property
    def depth(self) -> int:
        return len(self.layers)


def explain_stack(
    parameters: dict[str, Tensor],
    x: Tensor,
    output: Tensor,
    tails: Mapping[str, Activation],
    activated_last: bool = False,
    width: int | None = None,
) -> Match | None:
    """The stack of linear layers that maps `x` to `output`, or None if none of those known does.

    The last layer is followed by one of `tails`; with `activated_last`, it belongs to the hidden ones, which ReLU
    follows, and the tail comes after that. `width` is the number of outputs of the last layer where it is not that of
    `output`.
    """
    if output.dim() != 2 or len(output) != len(x):
        return None
    orders = list(islice(arrangements(parameters, x.shape[-1], width or output.shape[-1]), MAX_ORDERS))
    if not orders:
        return None
    products = len(x) * sum(value.numel() for value in parameters.values())
    body = len(orders[0]) if activated_last else len(orders[0]) - 1
    ways = product(hidden_activations(body) if body else [()], orders)
    for names, layers in islice(ways, min(MAX_STACKS, MAX_PRODUCTS // max(products, 1))):
        hidden = stack(layers[:body], [ACTIVATIONS[name] for name in names], x)
        linear = hidden if activated_last else F.linear(hidden, *layers[-1])
        for name, tail in tails.items():
            if close(output, tail(linear)):
                return Match(layers, names, name)
    return None


@dataclass
class Means:
    """The means of a whole forward pass, explained: the encoder's stack, and the order of its input."""

    match: Match
    condition_first: bool


def explain_means(model: Model, images: Tensor, conditions: Tensor, challenge: Challenge) -> Means | None:
    """Explain the means that forward returns, for an encoder that cannot be called, or not without forward's help.

    The mean head is what the means depend on and the log-variances do not.
    """
    seed = challenge.seed()
    try:
        means = model.forward(images, conditions, seed).outputs[1]
        of_means, of_logvariances = (
            model.reached(model.forward(images, conditions, seed, reach=[index])) for index in (1, 2)
        )
    except SubmissionError:
        return None
    if means.shape != (BATCH, model.sizes.latent):
        return None
    head = {name: value for name, value in of_means.items() if name not in of_logvariances}
    body = {name: value for name, value in of_means.items() if name in of_logvariances}
    for layers in arrangements(head, HIDDEN_SIZE, means.shape[-1]):
        if len(layers) != 1:
            continue
        tails = {
            name: (lambda hidden, activation=activation, layer=layers[0]: activation(F.linear(hidden, *layer)))
            for name, activation in HEAD_ACTIVATIONS.items()
        }
        for condition_first in (False, True):
            x = concatenate(conditions, images) if condition_first else concatenate(images, conditions)
            if match := explain_stack(body, x, means, tails, activated_last=True, width=HIDDEN_SIZE):
                return Means(match, condition_first)
    return None


def describe_unexplained(model: Model, part: str, x: Tensor) -> NoReturn:
    """Fail the check for a piece that is no known stack, with what can be said all the same."""
    first, second = (model.call(part, x, seed=seed).outputs[0] for seed in (1, 2))
    if not close(first, second):
        fail(f"The {part} gives different outputs for the same input.", f"{part}-normalisation")
    # A row's output that depends on the rows beside it is the mark of normalisation over the minibatch.
    if not close(model.call(part, x[: BATCH // 2]).outputs[0], first[: BATCH // 2]):
        fail(
            f"In the {part}, the output for one image depends on the others in the minibatch.", f"{part}-normalisation"
        )
    parameters = [value for name, value in model.parameters.items() if name.startswith(f"{part}.")]
    if sum(value.dim() == 1 for value in parameters) > sum(value.dim() == 2 for value in parameters):
        fail(f"The {part} has parameters that no linear layer has.", f"{part}-normalisation")
    registered = any(name.startswith(f"{part}.") for name in model.parameters)
    piece = model.piece(part, x)
    fail(
        f"With its own parameters, the {part} does not compute what the assignment describes.",
        f"{part}-other" if registered or (piece and piece.parameters) else "not-trainable",
    )


def describe_layers(match: Match, part: str, depth: int) -> None:
    """Fail the check if the stack has another depth or another width than the assignment's, or no biases."""
    if any(not bias.any() for _, bias in match.layers):
        fail(f"A linear layer of the {part} has no bias.", f"{part}-bias")
    if match.depth != depth:
        fail(
            f"The {part} behaves like {match.depth} linear layer{'s' * (match.depth != 1)} where {depth} are due.",
            f"{part}-depth",
        )
    widths = {len(bias) for _, bias in match.layers[: depth if part == "encoder" else depth - 1]}
    if widths != {HIDDEN_SIZE}:
        fail(f"The {part}'s layers have widths {sorted(widths)} where {HIDDEN_SIZE} is asked for.", f"{part}-width")


def describe_activations(match: Match, part: str) -> None:
    """Fail the check if anything but a ReLU follows the hidden layers, however many there are."""
    if not match.hidden:
        fail(f"The {part} has no hidden layer that a ReLU could follow.", f"{part}-depth")
    if set(match.hidden) == {"ReLU"}:
        return
    if set(match.hidden) <= {"ReLU", "none"}:
        last_only = part == "encoder" and match.hidden[:-1] == ("ReLU",) * (len(match.hidden) - 1)
        without = [index + 1 for index, name in enumerate(match.hidden) if name == "none"]
        fail(
            f"No ReLU acts after linear layer {', '.join(map(str, without))} of the {part}.",
            "encoder-missing-last-relu" if last_only else f"{part}-missing-relu",
        )
    other = next(name for name in match.hidden if name not in ("ReLU", "none"))
    fail(f"The {part}'s hidden layers are followed by {other} where ReLU is asked for.", f"{part}-activation")
