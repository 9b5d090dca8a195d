"""Judge a network by weight transplant, in any style that it may be written in.

The grader writes random numbers into the submission's parameters, asks for outputs and gradients, and looks for a
stack of linear layers and activations that gives the same outputs with the same parameters. The right stack passes;
another one names the mistake. Which parameters belong to an output is read off the gradients, not off names.

Pieces are asked in evaluation mode, so that dropout and batch normalization do not hide the layers around them, and
once more in training mode, which shows that something of that kind is there. They are asked at two scales: a stack of
ReLUs grows with its parameters, one that is cut off somewhere does not. What no known stack explains is judged by what
can be read off it: its chain of matrices, and what it makes of the bias of its last layer.
"""

from __future__ import annotations

import contextlib
import functools
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, islice, pairwise, product
from typing import Any, NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autograder.assignments.cvae.assignment import HIDDEN_SIZE, INPUT_DIM, LATENT_DIMENSIONALITY, NUM_CATEGORIES
from autograder.assignments.cvae.checks.layouts import (
    MAX_SHUFFLED,
    Layer,
    arrangements,
    holds_matrix,
    is_weight,
    owner_of,
    shapes_of,
    unfold,
    weight_normalized,
)
from autograder.assignments.cvae.hints.network import (
    ACTIVATIONS,
    HEAD_ACTIVATIONS,
    OUTPUT_ACTIVATIONS,
    Activation,
    hidden_activations,
)
from autograder.grading.harness import Challenge, Grading, close, fail
from autograder.report.summary import listed, used_its_own
from autograder.sandbox.client import Reply, Step, Submission
from autograder.sandbox.errors import Raised, SubmissionError, Unfit

CLASS = "ConditionalVariationalAutoencoder"

# The pass that stands in for a forward that was judged to be wrong. No file that a submission can read has it.
PASS = (
    Step("hidden", "encoder", [["images", "conditions"]]),
    Step("means", "mean_layer", [["hidden"]]),
    Step("logvariances", "logvariance_layer", [["hidden"]]),
    Step("latents", "sample_latent", [["means"], ["logvariances"]], on="module"),
    Step("reconstructions", "decoder", [["latents", "conditions"]]),
)
RESULTS = ("reconstructions", "means", "logvariances")

BATCH = 24  # rows of a challenge
LARGE = 500.0  # the second scale: hidden values of some hundred, where ReLU6 and every usual clamp have long cut
# A network of 50 layers must not keep the grader busy: this many ways to arrange parameters are tried, and only the
# registered one where there are more layers than anyone could mean.
MAX_ORDERS = 150
MAX_STACKS = 2000  # of orders and activations together
MAX_SKIPS = 3  # layers with skip connections
MAX_PRODUCTS = 20_000_000_000  # of numbers, in all stacks that are tried


@dataclass(frozen=True)
class Sizes:
    """Constructor arguments."""

    input_dim: int = INPUT_DIM
    num_categories: int = NUM_CATEGORIES
    latent: int = LATENT_DIMENSIONALITY

    def __str__(self) -> str:
        return f"input_dim={self.input_dim}, num_categories={self.num_categories}, latent_dimensionality={self.latent}"

    @classmethod
    def random(cls, challenge: Challenge) -> Sizes:
        """Unusual sizes, all different, so that none can be hard-coded or mistaken for another.

        The pixels are no square number, so that a side which is worked out from them fails with every seed.
        """
        pixels = (20, 21, 22, 23, 24, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35)
        return cls(pixels[challenge.integer(0, len(pixels) - 1)], challenge.integer(3, 6), challenge.integer(7, 12))


class Model:
    """The submission's model, built with `sizes` under the handle "model", its parameters drawn by the grader.

    With `own_start`, everything stays as the constructor left it; for `mean_image` and `scale` see `draw_parameters`.
    `missing` are attributes that the constructor has not set, or not to what fits: layers of the grader's stand in for
    them. With `complete`, what the decoder or a head gave stands in for a None among the results of forward. `order` is
    where the three results are among those of forward. With `composed`, a pass of the grader's through the model's
    pieces stands in for forward.
    """

    def __init__(
        self,
        submission: Submission,
        challenge: Challenge,
        sizes: Sizes | None = None,
        mean_image: Tensor | None = None,
        own_start: bool = False,
        scale: float = 1.0,
        missing: Sequence[str] = (),
        complete: bool = False,
        order: Order | None = None,
        composed: bool = False,
    ) -> None:
        self.submission, self.sizes = submission, sizes or Sizes()
        self.order = (order if not composed else None) or Order()
        self.handle = "model" if scale == 1 else "large"
        self.last_relu_in_forward = False  # where the encoder's part found it
        self.head_widths: Mapping[str, int] = {}  # of heads that the encoder's part found to be of another width
        self.misnamed: Raised | None = None  # what building it by the arguments' names raised
        self._incomplete = self._construct(challenge.seed())
        self.frozen, self.unregistered = submission.frozen, submission.unregistered
        for name in missing:
            submission.stand_in_layer(self.handle, name, *self._widths(name), sigmoid=name == "decoder")
        if composed:
            submission.stand_in_pass(self.handle, ("images", "conditions"), PASS, RESULTS)
        if complete and not composed:
            submission.complete_results(self.handle, ["decoder", "mean_layer", "logvariance_layer"])
        self.lazy: list[str] = []  # parameters that had no shape before the first pass
        self.parameters: dict[str, Tensor] = {}
        shapes = self._shapes()
        if not own_start:
            self.set(draw_parameters(shapes, self.sizes, challenge, mean_image, scale, submission.ones))

    def _construct(self, seed: int) -> SubmissionError | None:
        """Build the model as the notebook does, by the arguments' names; by their order if it does not know the names.

        Returns what the constructor raised half-way.
        """
        pixels, rest = self.sizes.input_dim, (self.sizes.num_categories, self.sizes.latent)
        named = dict(zip(("num_categories", "latent_dimensionality"), rest, strict=True))
        incomplete = self.submission.construct(self.handle, CLASS, pixels, seed=seed, **named)
        unknown = r"__init__\(\) got an unexpected keyword argument '(num_categories|latent_dimensionality)'"
        if not isinstance(incomplete, Raised) or incomplete.line is not None or not re.search(unknown, incomplete.text):
            return incomplete
        self.misnamed = incomplete
        return self.submission.construct(self.handle, CLASS, pixels, *rest, seed=seed)

    def _widths(self, name: str) -> tuple[int, int]:
        """What goes into a piece of the network, and what comes out."""
        pixels, classes, latent = self.sizes.input_dim, self.sizes.num_categories, self.sizes.latent
        ends = {"encoder": (pixels + classes, HIDDEN_SIZE), "decoder": (latent + classes, pixels)}
        return ends.get(name, (HIDDEN_SIZE, latent))

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        try:
            shapes = self.submission.parameters(self.handle)
            if self.submission.lazy:
                self.lazy = self.submission.lazy
                blank = torch.zeros(BATCH, self.sizes.input_dim), torch.zeros(BATCH, self.sizes.num_categories)
                with contextlib.suppress(SubmissionError):
                    self.submission.call("", *blank, on=self.handle, evaluate=True)
                shapes = self.submission.parameters(self.handle)
        except SubmissionError:
            self._raise_incomplete()
            raise
        return shapes

    def _raise_incomplete(self) -> None:
        """Raise what kept the constructor from finishing, if anything did."""
        if self._incomplete is not None:
            raise self._incomplete

    def require(self, *names: str) -> None:
        """The attributes are there; otherwise raise what kept the constructor from setting them."""
        found = self.submission.attributes(self.handle, names)
        missing = [name for name in names if found.get(name) in (None, "NoneType")]
        if missing:
            self._raise_incomplete()
            code = "attribute-missing" if found.get(missing[0]) is None else "attribute-none"
            raise Unfit(code, owner=CLASS, name=missing[0])

    def has(self, name: str) -> bool:
        """Whether the attribute is there and not None."""
        return self.submission.attributes(self.handle, [name]).get(name) not in (None, "NoneType")

    def head(self, name: str, position: int, inputs: tuple[Tensor, Tensor]) -> str | None:
        """Where the layer is that gives the result of forward at this position, by its dotted name.

        The attribute `name`, a submodule of this name inside another, or what alone this result depends on. None if
        there is none of them.
        """
        if self.has(name):
            return name
        inside = [path for path in self.submodules() if path.endswith(f".{name}")]
        if inside:
            return inside[0]
        try:
            mine, other = (
                self.reached(self.forward(*inputs, 0, reach=[each], evaluate=True)) for each in (position, 3 - position)
            )
        except SubmissionError:
            return None
        owners = {owner_of(key) for key, value in mine.items() if key not in other and is_weight(value.shape)}
        return owners.pop() or None if len(owners) == 1 else None

    def inputs(self, challenge: Challenge, rows: int = BATCH) -> tuple[Tensor, Tensor]:
        """Random images (rows, input_dim) in [0, 1] and one-hot classes (rows, K)."""
        images = challenge.uniform(0, 1, rows, self.sizes.input_dim)
        return images, challenge.one_hot(rows, self.sizes.num_categories)

    def latents(self, challenge: Challenge, rows: int = BATCH) -> Tensor:
        """Random latents (rows, latent)."""
        return challenge.normal(rows, self.sizes.latent)

    def call(
        self, name: str, *arguments: Tensor, seed: int = 0, reach: Sequence[int] = (), evaluate: bool = False
    ) -> Reply:
        """Call an attribute of the model, or a submodule by its dotted name."""
        self._restore()
        rows = len(arguments[0])  # a piece of a network gives a row for each
        return self.submission.call(
            name, *arguments, on=self.handle, seed=seed, reach=reach, evaluate=evaluate, rows=rows
        )

    def set(self, parameters: dict[str, Tensor]) -> None:
        """Give the model these parameters."""
        self.parameters = parameters
        self.submission.set_parameters(self.handle, parameters)

    @contextlib.contextmanager
    def changed(self, parameters: dict[str, Tensor]) -> Iterator[None]:
        """Some other parameters, for as long as this lasts."""
        before = self.parameters
        self.set(before | parameters)
        yield
        self.set(before)

    def _restore(self) -> None:
        """Set the parameters again where another model, which has layers in common with this one, was set meanwhile."""
        if self.submission.shared and self.parameters:
            self.set(self.parameters)

    def piece(self, name: str, *arguments: Tensor) -> Piece | None:
        """An attribute called in evaluation mode, with the parameters that its output depends on; None if that fails.

        Several arguments count as one: the matrix of their columns.
        """
        try:
            reply = self.call(name, *arguments, reach=[0], evaluate=True)
            return Piece(name, reply.outputs[0], self.reached(reply), torch.cat(arguments, -1), arguments)
        except SubmissionError:
            return None

    def submodules(self, name: str = "") -> dict[str, str]:
        """The submodules, or those of an attribute, by dotted name, with their types: the submission's word."""
        try:
            found = self.submission.submodules(self.handle)
        except SubmissionError:
            return {}
        return {path: kind for path, kind in found.items() if not name or path == name or path.startswith(f"{name}.")}

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
        capture: Sequence[str] = (),
        evaluate: bool = False,
    ) -> Reply:
        """Call the model; Unfit unless it returns as many tensors as are known. The reply has the three in order."""
        at = self.order.positions
        self._restore()
        try:
            reply = self.submission.call(
                "",
                images,
                conditions,
                on=self.handle,
                seed=seed,
                cotangents={at[index]: each for index, each in (cotangents or {}).items()},
                reach=[at[index] for index in reach],
                results=self.order.count,
                unpack=self.order.unpack,
                capture=capture,
                evaluate=evaluate,
            )
            return replace(reply, outputs=[reply.outputs[each] for each in at])
        except Raised as error:
            if error.kind != "NotImplementedError":
                self._raise_incomplete()
            raise


def constant_heads(grading: Grading) -> list[str]:
    """The head that was found to be the same for every input, which has cost its check; none if both are."""
    found: list[str] = grading.kept.get("constant heads", [])
    return found if len(found) == 1 else []


def left_out(grading: Grading) -> dict[str, Any]:
    """What earlier checks have charged as missing or unfit, as arguments of `Model`, so that the rest can be judged."""
    return {
        "missing": [*grading.kept.get("missing heads", ()), *grading.kept.get("unfit pieces", ())],
        "complete": "None among the results" in grading.kept,
        "order": grading.kept.get("order of results"),
    }


def stood_in(given: Mapping[str, Any]) -> list[str]:
    """What to say of the pieces for which a `Model` with these arguments uses the grader's, a sentence each."""
    missing = dict.fromkeys(given.get("missing", ()))
    networks = [name for name in missing if name in ("encoder", "decoder")]
    heads = [name for name in missing if name not in networks]
    said = [
        f"Your `{name}` does not pass yet, so the grader replaced it with a single layer here." for name in networks
    ]
    said += [used_its_own(*heads)] if heads else []
    return said + ([used_its_own("forward")] if given.get("composed") else [])


@dataclass(frozen=True)
class Order:
    """Where reconstruction, means and log-variances are among the results of forward, and how many these are.

    With `unpack`, they are in another container than a tuple, or in several.
    """

    positions: tuple[int, int, int] = (0, 1, 2)
    count: int = 3
    unpack: bool = False


@dataclass
class Piece:
    """What part of a model gave for an input, and the parameters that it depends on, by name."""

    name: str
    output: Tensor
    parameters: dict[str, Tensor]
    input: Tensor  # the columns of all arguments
    arguments: tuple[Tensor, ...]

    @property
    def has_layer(self) -> bool:
        """Whether a matrix of parameters stands behind the output."""
        return any(holds_matrix(each.shape) for each in self.parameters.values())


def concatenate(data: Tensor, classes: Tensor) -> Tensor:
    """[data | one-hot classes], row by row."""
    return torch.cat((data, classes), -1)


def side_by_side(tensors: Sequence[Tensor]) -> Tensor | None:
    """The columns of all; None unless they are matrices with as many rows. What was captured can have any shape."""
    if not tensors or any(each.dim() != 2 or len(each) != len(tensors[0]) for each in tensors):
        return None
    return torch.cat(tuple(tensors), -1)


def in_rows(output: Tensor) -> Tensor:
    """(rows, everything else): an image a row in one line, a number a row as a column."""
    return output.flatten(1) if output.dim() > 1 else output[:, None]


def draw_parameters(
    shapes: Mapping[str, Sequence[int]],
    sizes: Sizes,
    challenge: Challenge,
    mean_image: Tensor | None = None,
    scale: float = 1.0,
    gains: Collection[str] = (),
) -> dict[str, Tensor]:
    """Random parameters of these shapes.

    Of a layer that holds no matrix, the weight is 1 and the bias 0, so that a normalization passes on what it gets; so
    are the `gains`, which were 1 before and can have any name.
    With another `scale`, hidden values are so many times larger, and what leaves the network is not.

    Weights get the scale that keeps activations alive through ReLU layers, biases one that shows. With the (input_dim,)
    mean image of what will be trained on, any network starts calmly, one without ReLUs or of another width as well:
    the weights are smaller, the heads' much smaller, the biases zero, but for those of the pixels, which start at the
    mean image so that no step is spent on it.
    """
    gain, bias_scale = (2.0, 0.4) if mean_image is None else (1.0, 0.0)
    with_matrix = {owner_of(name) for name, shape in shapes.items() if len(shape) == 2 or holds_matrix(shape)}
    pixel_biases = None if mean_image is None else mean_image.clamp(0.01, 0.99).logit()
    outward = (sizes.input_dim, sizes.latent)  # what layers that lead out of the hidden ones give
    parameters = {}
    for name, shape in shapes.items():
        numbers = challenge.normal(*shape)
        if owner_of(name) not in with_matrix and name in gains:
            parameters[name] = torch.ones(tuple(shape))
        elif owner_of(name) not in with_matrix and re.search(r"(^|\.)(weight|bias)$", name) and len(shape) < 2:
            slope = 0.25 if math.prod(shape) == 1 else 1.0  # one number is the slope of a PReLU
            parameters[name] = torch.full(tuple(shape), slope if name.endswith("weight") else 0.0)
        elif pixel_biases is not None and not is_weight(shape) and math.prod(shape) == sizes.input_dim:
            parameters[name] = pixel_biases.reshape(shape)
        elif holds_matrix(shape):
            inputs = fan_in(shape, sizes)
            spread = (gain / inputs) ** 0.5 * (0.1 if mean_image is not None and sizes.latent in shape else 1.0)
            if inputs != HIDDEN_SIZE:
                spread *= scale
            elif any(size in shape for size in outward):
                spread /= scale
            parameters[name] = spread * numbers
            if pixel_biases is not None and sorted(shape) == sorted((HIDDEN_SIZE + 1, sizes.input_dim)):
                rows = parameters[name] if shape[0] == HIDDEN_SIZE + 1 else parameters[name].T  # the bias among them
                rows[-1] = pixel_biases
        else:
            grows = math.prod(shape) not in outward
            parameters[name] = bias_scale * (scale if grows else 1.0) * numbers
    for name, of in weight_normalized(shapes).items():  # so that the layer's weight is the direction as it is
        parameters[name] = parameters[of].square().sum_to_size(tuple(shapes[name])).sqrt()
    return parameters


def fan_in(shape: Sequence[int], sizes: Sizes) -> int:
    """The number of inputs of a weight, whether it is stored as (out, in) or as (in, out), with its bias or without."""
    inputs = sizes.input_dim + sizes.num_categories, sizes.latent + sizes.num_categories
    return next((size for size in shape if size in inputs or size - 1 in inputs), HIDDEN_SIZE)


def stack(layers: Sequence[Layer], activations: Sequence[Activation], x: Tensor) -> Tensor:
    """The output of linear layers, each followed by its activation."""
    for (weight, bias), activation in zip(layers, activations, strict=True):
        x = activation(F.linear(x, weight, bias))
    return x


@dataclass
class Match:
    """What a piece is: its layers, the activations after them, and what follows the last.

    `hidden` is None where no known stack explains the piece: then the layers are a chain that its matrices make, if
    they make one, and `last` is read off the last layer's bias.
    """

    layers: list[Layer]
    hidden: tuple[str, ...] | None
    last: str
    twice: int = 0  # the layer, counted from 1, that is there two times
    skips: bool = False  # whether what a layer got is added to what it gives
    classes_again: tuple[int, ...] = ()  # the layers, counted from 1, that get the class once more
    cut: tuple[str, ...] = ()  # parameters that are in use, but get no gradient

    @property
    def depth(self) -> int:
        return len(self.layers)


@dataclass
class Observation:
    """What came out of a piece for one draw of its parameters, and what may follow its last linear layer, by name."""

    parameters: dict[str, Tensor]
    x: Tensor
    output: Tensor
    tails: Mapping[str, Activation]

    def orders(self, width: int | None) -> list[list[Layer]]:
        outputs = width or self.output.shape[-1]
        return list(islice(arrangements(self.parameters, self.x.shape[-1], outputs), MAX_ORDERS))

    def registered(self) -> list[Layer]:
        """The weights, (out, in), with their biases, in the order of registration, whether or not they make a chain."""
        parameters = unfold(self.parameters)
        biases = {owner_of(name): each.flatten() for name, each in parameters.items() if not is_weight(each.shape)}
        weights = {owner_of(name): each for name, each in parameters.items() if is_weight(each.shape)}
        layers = [(each, biases.get(owner, torch.zeros(len(each)))) for owner, each in weights.items()]
        return [(weight, bias) for weight, bias in layers if len(weight) == len(bias)]


def comparable(observations: Sequence[Observation]) -> bool:
    """Whether these are observations of one piece: rows of as many numbers, by parameters of the same shapes.

    What comes back for another scale, or from another model, can have any shape.
    """
    first = observations[0]
    return all(
        each.x.shape == first.x.shape
        and each.output.shape == first.output.shape
        and shapes_of(each.parameters) == shapes_of(first.parameters)
        for each in observations
    ) and (first.output.dim() == first.x.dim() == 2 and len(first.output) == len(first.x))


def explain_stack(
    observations: Sequence[Observation], activated_last: bool = False, width: int | None = None
) -> Match | None:
    """The stack of linear layers that explains all observations of one piece, or None if none of those known does.

    The last layer is followed by one of the tails; with `activated_last`, it belongs to the hidden ones, which ReLU
    follows, and the tail comes after that. `width` is the number of outputs of the last layer where it is not that of
    the output. Outputs that are the same for every input, or that cannot be compared, explain nothing.
    """
    first = observations[0]
    if not comparable(observations) or not varies(first.output):
        return None
    orders = list(zip(*(each.orders(width) for each in observations), strict=True))
    if not orders:
        return None
    body = len(orders[0][0]) if activated_last else len(orders[0][0]) - 1
    names = islice(product(hidden_activations(body) if body else [()], orders), most_stacks(observations))
    few = orders[: 2 if body else 0]  # without a hidden layer, there is no activation to be fitted
    fitted = (guess for order in few for guess in fitted_activations(observations, order, body, activated_last))
    for hidden, layers in chain(names, fitted):
        activations = [ACTIVATIONS.get(name) or fitted_activation(name) for name in hidden]
        for tail in first.tails:
            if all(
                close(each.output, stack_output(each, order, activations, activated_last, tail))
                for each, order in zip(observations, layers, strict=True)
            ):
                return Match(layers[0], hidden, tail)
    return None


def most_stacks(observations: Sequence[Observation]) -> int:
    """How many stacks may be tried on these observations, so that no network keeps the grader busy."""
    products = sum(len(each.x) * sum(value.numel() for value in each.parameters.values()) for each in observations)
    return min(MAX_STACKS, MAX_PRODUCTS // max(products, 1))


def repeated_layer(observations: Sequence[Observation], activated_last: bool) -> Match | None:
    """The stack, with a ReLU after each hidden layer, in which one layer is used twice; None if that is none."""
    tries = most_stacks(observations) // len(observations[0].tails)
    for order in islice(zip(*(each.orders(None) for each in observations), strict=False), MAX_SHUFFLED):
        for at, (weight, _) in islice(enumerate(order[0]), tries // MAX_SHUFFLED):
            if len(weight) != weight.shape[1]:
                continue
            layers = [[*each[: at + 1], *each[at:]] for each in order]
            hidden = ("ReLU",) * (len(layers[0]) if activated_last else len(layers[0]) - 1)
            activations = [ACTIVATIONS["ReLU"]] * len(hidden)
            for tail in observations[0].tails:
                if all(
                    close(each.output, stack_output(each, own, activations, activated_last, tail))
                    for each, own in zip(observations, layers, strict=True)
                ):
                    return Match(layers[0], hidden, tail, twice=at + 1)
    return None


def skipping_stack(observations: Sequence[Observation], activated_last: bool) -> Match | None:
    """The stack of ReLUs in which some layers have their input added before or after the ReLU; None if that is none."""
    tails, tries = observations[0].tails, most_stacks(observations) // MAX_SHUFFLED
    for order in islice(zip(*(each.orders(None) for each in observations), strict=False), MAX_SHUFFLED):
        body = len(order[0]) if activated_last else len(order[0]) - 1
        square = [at for at, (weight, _) in enumerate(order[0][:body]) if weight.shape[0] == weight.shape[1]]
        chosen = chain.from_iterable(combinations(square, count) for count in range(1, 1 + min(len(square), MAX_SKIPS)))
        ways = product(islice(chosen, tries), (True, False), tails)
        for skips, inside, tail in islice(ways, tries):
            found = (
                _skip_output(each, layers, body, skips, inside)
                for each, layers in zip(observations, order, strict=True)
            )
            if all(
                close(each.output, each.tails[tail](output)) for each, output in zip(observations, found, strict=True)
            ):
                return Match(order[0], ("ReLU",) * body, tail, skips=True)
    return None


def class_in_each_layer(observations: Sequence[Observation], activated_last: bool, classes: int) -> Match | None:
    """The stack of ReLUs in which later layers get the class, the last columns of the input, once more; or None."""
    orders = [each.registered() for each in observations]
    body = len(orders[0]) - (not activated_last)
    for tail, class_first in product(observations[0].tails, (False, True)):
        again: tuple[int, ...] = ()
        for observed, layers in zip(observations, orders, strict=True):
            hidden, one_hots, again = observed.x, observed.x[:, -classes:], ()
            for at, (weight, bias) in enumerate(layers):
                if weight.shape[1] == hidden.shape[-1] + classes:
                    hidden = torch.cat((one_hots, hidden) if class_first else (hidden, one_hots), -1)
                    again += (at + 1,)
                if weight.shape[1] != hidden.shape[-1]:
                    return None
                hidden = F.linear(hidden, weight, bias)
                hidden = torch.relu(hidden) if at < body else hidden
            if not again or not close(observed.output, observed.tails[tail](hidden)):
                break
        else:
            return Match(orders[0], ("ReLU",) * body, tail, classes_again=again)
    return None


def _skip_output(observed: Observation, layers: list[Layer], body: int, skips: tuple[int, ...], inside: bool) -> Tensor:
    """The output of a stack of ReLUs before its tail, with the input added inside or outside of some of them."""
    hidden = observed.x
    for at, (weight, bias) in enumerate(layers[:body]):
        skip = hidden if at in skips else torch.zeros(())
        linear = F.linear(hidden, weight, bias)
        hidden = torch.relu(linear + skip) if inside else torch.relu(linear) + skip
    return F.linear(hidden, *layers[-1]) if body < len(layers) else hidden


def stack_output(
    observed: Observation, layers: list[Layer], activations: Sequence[Activation], activated_last: bool, tail: str
) -> Tensor:
    """The output of layers and activations, the tail included."""
    hidden = stack(layers[: len(activations)], activations, observed.x)
    return observed.tails[tail](hidden if activated_last else F.linear(hidden, *layers[-1]))


def fitted_activation(name: str) -> Activation:
    """The activation behind a name that `fitted_activations` gave."""
    number = float(name.split()[-1])
    if name.startswith(LEAKY):
        return lambda x: F.leaky_relu(x, number)
    return lambda x: x.clamp(0, number)


LEAKY, CAPPED = "leaky ReLU with slope", "ReLU cut off at"


def fitted_activations(
    observations: Sequence[Observation], layers: tuple[list[Layer], ...], body: int, activated_last: bool
) -> Iterator[tuple[tuple[str, ...], tuple[list[Layer], ...]]]:
    """Activations with a number in them, the same after each layer or all but the last, with the likeliest number."""
    slopes, caps = torch.linspace(-0.5, 0.95, 59), torch.logspace(-1, 3, 81)
    for kind, numbers, index in ((LEAKY, slopes, 0), (CAPPED, caps, -1)):
        for plain in (0, 1)[: 1 + (body > 1)]:
            misfit = functools.partial(
                _misfit, kind, body - plain, plain, observations[index], layers[index], activated_last
            )
            errors = [misfit(float(number)) for number in numbers]
            best = errors.index(min(errors))
            low, high = (float(numbers[min(max(best + step, 0), len(numbers) - 1)]) for step in (-1, 1))
            for _ in range(40):
                third = (high - low) / 3
                low, high = (low, high - third) if misfit(low + third) < misfit(high - third) else (low + third, high)
            name = f"{kind} {(low + high) / 2:.4g}"
            yield (name,) * (body - plain) + ("ReLU",) * plain, layers


def _misfit(
    kind: str, count: int, plain: int, observed: Observation, layers: list[Layer], activated_last: bool, number: float
) -> float:
    """How far the first known tail of a stack is from the output, with so many of an activation and then ReLUs."""
    guess = [fitted_activation(f"{kind} {number}")] * count + [torch.relu] * plain
    output = stack_output(observed, layers, guess, activated_last, next(iter(observed.tails)))
    return float((output - observed.output).abs().sum())


def varies(output: Tensor) -> bool:
    """Whether the rows differ. Where they do not, nothing can be told of how they came about."""
    return output.dim() > 0 and not close(output, output.roll(1, 0))


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
    for width in dict.fromkeys(size for shape in own for size in reversed(shape)):
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
    """The stack that explains a piece which ends with the pixels' part of a matrix of another piece; None if none does.

    That is a decoder with the transposed weights of the encoder's first layer, which take the class as well.
    """
    outputs = in_rows(piece.output).shape[-1]
    borrowed = next(
        (name for name, each in piece.parameters.items() if each.dim() == 2 and each.shape[1] > outputs), None
    )
    if borrowed is None or borrowed.startswith(f"{piece.name}."):
        return None
    if any(borrowed not in each.parameters for each in observations):
        return None
    own_bias = next((name for name, each in piece.parameters.items() if each.shape == (outputs,)), "of another.bias")
    parts = []
    for each in observations:
        own = {name: value for name, value in each.parameters.items() if name != borrowed}
        own[f"{owner_of(own_bias)}.weight"] = each.parameters[borrowed][:, :outputs].T
        parts.append(replace(each, parameters=own))
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
    grid = torch.linspace(-4, 4, outputs)
    changed = {weights[0]: torch.zeros_like(last[weights[0]]), biases[0]: grid.reshape(last[biases[0]].shape)}
    with model.changed(changed):
        shown = model.piece(piece.name, *piece.arguments)
    if shown is None:
        return "", None
    rows, found = grid.expand(len(piece.input), -1), in_rows(shown.output)
    for name, tail in tails.items():
        if close(found, tail(rows)):
            return name, None
    low, high = float(found.min()), float(found.max())
    for name, tail in tails.items():
        if low < high and close(found, tail(rows).clamp(low, high)):
            return f"{name}, cut off to [{low:.3g}, {high:.3g}]", lambda x, of=tail: of(x).clamp(low, high)
    for name, tail in tails.items():
        if found_as := rescaled(found, tail(rows)):
            return ", then ".join(filter(None, ("" if name == "none" else name, found_as.said))), found_as.of(tail)
    if bool(((found > 0) & (found < 1)).all()) and (inside := rescaled(found.logit(), rows)):
        return f"{inside.said}, then sigmoid", lambda x: torch.sigmoid(inside.of(_same)(x))
    return "", None


def _same(x: Tensor) -> Tensor:
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


def first_few(names: Sequence[str]) -> str:
    """Some names of parameters, for a message."""
    return ", ".join(names[:4]) + " and others" * (len(names) > 4)


def describe_layers(model: Model, match: Match, piece: Piece | None, part: str, depth: int) -> None:
    """Fail the check if the stack has another depth or another width than the assignment's, or no biases."""
    if not match.layers:
        describe_unexplained(model, piece, part)
    if match.cut:
        fail(
            f"Your {part} works with {first_few(match.cut)}, but no gradient comes back there.",
            "layers-detached",
        )
    require_trained(model, list(piece.parameters) if piece else [], part)
    if match.twice:
        fail(
            f"Your {part} uses its linear layer number {match.twice} twice; "
            f"the assignment asks for {depth} different ones.",
            f"{part}-layer-twice",
        )
    if match.depth != depth and match.hidden is None:
        fail(
            f"In your {part}, {match.depth} weight matrices follow each other; the assignment asks for {depth} layers.",
            f"{part}-other",
        )
    if match.depth != depth:
        registered = sum(key.startswith(f"{part}.") and is_weight(each.shape) for key, each in model.parameters.items())
        acting = f", of which {match.depth} act on its output" if registered == depth > match.depth else ""
        count = depth if acting else match.depth
        fail(
            f"Your {part} has {count} linear layer{'s' * (count != 1)}{acting}; the assignment asks for {depth}.",
            f"{part}-depth",
        )
    widths = {len(bias) for _, bias in match.layers[: depth if part == "encoder" else depth - 1]}
    if widths != {HIDDEN_SIZE}:
        found = f"width{'s' * (len(widths) > 1)} {listed(sorted(widths))}"
        fail(f"The layers of your {part} have {found}; the assignment asks for {HIDDEN_SIZE}.", f"{part}-width")
    if match.hidden is not None and any(not bias.any() for _, bias in match.layers):
        fail(f"A linear layer of your {part} has no trainable bias.", f"{part}-bias")


def require_trained(model: Model, names: Sequence[str], part: str) -> None:
    """Fail the check if parameters of these names are frozen, not found by PyTorch, or also another model's."""
    if frozen := [name for name in names if name in model.frozen]:
        fail(f"{first_few(frozen)} of your {part} are frozen: training does not change them.", "layers-frozen")
    if hidden := [name for name in names if name in model.unregistered]:
        fail(
            f"PyTorch does not find {first_few(hidden)} of your {part}, so training does not change them.",
            "not-trainable",
        )
    if shared := [name for name in names if name in model.submission.shared]:
        fail(f"Two models that were built one after the other have {first_few(shared)} in common.", "layers-kept")


def describe_activations(model: Model, match: Match, piece: Piece | None, part: str) -> None:
    """Fail the check if anything but a ReLU follows the hidden layers, however many there are."""
    if piece is not None:
        describe_modes(model, piece, part)
    if match.classes_again:
        layers = f"layer{'s' * (len(match.classes_again) > 1)} {listed(match.classes_again)}"
        fail(f"In your {part}, the class goes again into linear {layers}.", f"{part}-class-again")
    if match.hidden is None:
        describe_unexplained(model, piece, part)
    if not match.hidden:
        fail(f"Your {part} has no hidden layer that a ReLU could follow.", f"{part}-depth")
    if match.skips:
        fail(f"In your {part}, what a layer got is added to what it gives.", f"{part}-skip")
    if set(match.hidden) == {"ReLU"}:
        if weight_normalized(shapes_of(model.parameters)).keys() & (piece.parameters.keys() if piece else set()):
            fail(f"The weights of the layers in your {part} are normalized.", f"{part}-normalisation")
        return
    if set(match.hidden) <= {"ReLU", "none"}:
        last_only = part == "encoder" and match.hidden[:-1] == ("ReLU",) * (len(match.hidden) - 1)
        without = [index + 1 for index, name in enumerate(match.hidden) if name == "none"]
        fail(
            f"No ReLU follows linear layer{'s' * (len(without) > 1)} {listed(without)} of your {part}.",
            "encoder-missing-last-relu" if last_only else f"{part}-missing-relu",
        )
    other = next(name for name in match.hidden if name not in ("ReLU", "none"))
    fail(
        f"The hidden layers of your {part} are followed by {other}; the assignment asks for ReLU.", f"{part}-activation"
    )


def describe_modes(model: Model, piece: Piece, part: str, called: str = "") -> None:
    """Fail the check if the piece computes something else in training mode, in which the notebook uses it.

    A part is "encoder", "decoder" or "head", as mistakes are named after it.
    """
    called = called or f"Your {part}"
    if not piece.parameters:
        return  # nothing is trained, which the other checks of the piece say
    try:
        first, second = (model.call(piece.name, *piece.arguments, seed=seed).outputs[0] for seed in (1, 2))
    except SubmissionError:
        return
    named = named_layers(model, piece.name)
    if not close(first, second):
        made = not has_last_layer(model, piece) and not named
        mistake = "layers-made-in-forward" if made else f"{part}-normalisation"
        fail(f"{called} gives different outputs for the same input{named}.", mistake)
    if not close(first, piece.output):
        fail(f"{called} gives other outputs in training mode than in evaluation mode{named}.", f"{part}-normalisation")


def has_last_layer(model: Model, piece: Piece) -> bool:
    """Whether a matrix among the piece's own parameters gives as many numbers as the piece does."""
    outputs = in_rows(piece.output).shape[-1]
    own = [each for name, each in model.parameters.items() if name.startswith(f"{piece.name}.")]
    return any(is_weight(each.shape) and outputs in each.shape for each in own or piece.parameters.values())


def describe_unexplained(model: Model, piece: Piece | None, part: str) -> NoReturn:
    """Fail the check for a piece that is no known stack, with what can be said all the same."""
    named = named_layers(model, part)
    registered = any(name.startswith(f"{part}.") for name in model.parameters)
    if not registered and not (piece and piece.parameters):
        fail(f"The output of your {part} depends on no layer that training can change.", "not-trainable")
    if named:
        kinds = {kind for kind in model.submodules(part).values() if kind not in _EXPECTED}
        activation = all(hasattr(nn.modules.activation, kind) for kind in kinds)
        fail(
            f"Something other than linear layers and ReLU acts in your {part}{named}.",
            f"{part}-{'activation' if activation else 'normalisation'}",
        )
    if piece is not None and (law := law_of_rows(piece.output)):
        fail(f"Each row that your {part} gives {law}.", f"{part}-normalisation")
    if piece is not None and not has_last_layer(model, piece):
        describe_modes(model, piece, part)
    if piece is not None and (changed := input_changed(model, piece)):
        fail(f"Your {part} changes the numbers that it gets before its first layer: {changed}.", f"{part}-rescales")
    fail(
        f"Your {part} does not act like linear layers with one activation after each.{_misfit_of_widths(model, piece)}",
        f"{part}-other",
    )


def law_of_rows(output: Tensor) -> str:
    """What holds of each row where something rescales it as a whole, in words; empty where nothing does."""
    one = torch.ones(len(output))
    if output.dim() != 2 or output.shape[-1] < 3:
        return ""
    if close(output.norm(dim=1), one):
        return "has length 1"
    if close(output.sum(1), one):
        return "sums to 1"
    if close(output.std(1, correction=0), one, 1e-2) and float(output.mean(1).abs().max()) < 1e-2:
        return "has mean 0 and standard deviation 1"
    return ""


def input_changed(model: Model, piece: Piece) -> str:
    """What a piece multiplies its data by and adds to them before its first layer, in words; empty if it does not.

    With layers that pass on some of the numbers as they are, its output shows them.
    """
    names = [name for name, each in piece.parameters.items() if is_weight(each.shape)]
    shapes = [tuple(piece.parameters[name].shape) for name in names]
    width, data = piece.input.shape[-1], model.sizes.input_dim if piece.name == "encoder" else model.sizes.latent
    if (
        any(len(each) != 2 for each in shapes)
        or not shapes
        or width < data
        or shapes[0][1] != width
        or any(given != taken for (given, _), (_, taken) in pairwise(shapes))
    ):
        return ""
    chosen = torch.linspace(0, data - 1, min(data, *(given for given, _ in shapes))).long()
    passing = {name: torch.zeros_like(each) for name, each in piece.parameters.items()}
    for at, name in enumerate(names):
        passing[name][range(len(chosen)), chosen if at == 0 else range(len(chosen))] = 1.0
    above = 10.0  # so that no ReLU cuts anything off
    shifts = {owner_of(names[0]): above} | ({owner_of(names[-1]): -above} if piece.name == "decoder" else {})
    for name, each in passing.items():
        if not is_weight(each.shape):
            each += shifts.get(owner_of(name), 0.0)
    small = piece.input / piece.input.abs().max()
    with model.changed(passing):
        shown = model.piece(piece.name, *small.split([each.shape[-1] for each in piece.arguments], -1))
    if shown is None or in_rows(shown.output).shape[-1] < len(chosen):
        return ""
    output, plain = in_rows(shown.output)[:, : len(chosen)], small[:, chosen]
    for found in (output - above, output, output.logit()):
        changed = rescaled(found, plain) if torch.isfinite(found).all() else None
        misfit = (found - changed.of(_same)(plain)).abs().max() if changed else torch.inf
        if changed and float(misfit) < 0.01 * float(found.std()):
            return changed.said
    return ""


def _misfit_of_widths(model: Model, piece: Piece | None) -> str:
    """What the matrices behind a piece take and give, for a message, where those of two in a row do not fit."""
    linear = {path for path, kind in model.submodules().items() if kind == "Linear"}
    parameters = piece.parameters.items() if piece else ()
    shapes = [tuple(each.shape) for key, each in parameters if each.dim() == 2 and owner_of(key) in linear]
    if all(given == taken for (given, _), (_, taken) in pairwise(shapes)):
        return ""
    taken, given = (", ".join(str(shape[at]) for shape in shapes) for at in (1, 0))
    return f" In the order of your constructor, its layers take {taken} numbers and give {given}."


_EXPECTED = {"Linear", "ReLU", "Sequential", "Sigmoid", "ModuleList", "ModuleDict", "Identity", "Flatten", "Unflatten"}


def named_layers(model: Model, part: str) -> str:
    """What of the kinds that torch has stands among a piece's layers and is not asked for, for a message."""
    found = {
        path: kind
        for path, kind in model.submodules(part).items()
        if kind not in _EXPECTED and (hasattr(nn, kind) or hasattr(nn.utils.parametrizations, kind))
    }
    shown = [f"{kind.lstrip('_')} (`self.{path}`)" for path, kind in found.items()]
    return f": it holds {', '.join(shown[:3])}" if shown else ""
