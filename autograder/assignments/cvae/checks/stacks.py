"""Stacks of linear layers and activations that may explain what a piece of a network gave for drawn parameters.

The right stack passes; another one names the mistake. Pieces are observed at two scales: a stack of ReLUs grows with
its parameters, one that is cut off somewhere does not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, islice, product

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.assignments.cvae.checks.layouts import (
    MAX_SHUFFLED,
    Layer,
    arrangements,
    is_weight,
    owner_of,
    shapes_of,
    unfold,
)
from autograder.assignments.cvae.hints.network import ACTIVATIONS, WEIGHTS, Activation, hidden_activations
from autograder.grading.harness import close
from autograder.report.summary import listed

LARGE = 500.0  # the second scale: hidden values of some hundred, where ReLU6 and every usual clamp have long cut
# A network of 50 layers must not keep the grader busy: this many ways to arrange parameters are tried, and only the
# registered one where there are more layers than anyone could mean.
MAX_ORDERS = 150
MAX_STACKS = 2000  # of orders and activations together
FOR_A_FIT = 1000  # stacks that must be within the limits: fitting an activation tries some more
ROUNDING = 1e-5  # what differs by less is the same; what differs by more may still be too little to tell how
SLOPE = 0.5  # of an activation whose parameter the grader sets
MAX_SKIPS = 3  # layers with skip connections
MAX_PRODUCTS = 20_000_000_000  # of numbers, in all stacks that are tried
LEAST_PRODUCTS = 100_000  # which take as long as it takes to call a layer, however small it is


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
    weights: str = ""  # what the layers use instead of their weights as they are
    of_class: tuple[str, ...] = ()  # parameters of layers that take the class alone, and change what the others give
    learned: tuple[str, ...] = ()  # parameters of the activations, which are `hidden` where all of them are `set_to`
    set_to: float = SLOPE
    last_changed: bool = (
        False  # whether the last layer gets, or makes of its input, something else, and a tail is known
    )
    relu_first: bool = False  # whether a ReLU acts on the input before the first layer

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
    """Whether these are observations of one piece: rows of as many numbers, by the same parameters in the same order.

    What comes back for another scale, or from another model, can have any shape.
    """
    first = observations[0]
    return all(
        each.x.shape == first.x.shape
        and each.output.shape == first.output.shape
        and list(shapes_of(each.parameters).items()) == list(shapes_of(first.parameters).items())
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
    # No `product` here: it first makes all of what it is given, which grows with a power of two.
    guesses = ((hidden, order) for hidden in (hidden_activations(body) if body else [()]) for order in orders)
    most = most_stacks(observations)
    names = islice(guesses, most)
    tried = min(2, most // FOR_A_FIT) if body else 0  # without a hidden layer, there is no activation to be fitted
    few = orders[:tried]
    fitted = (guess for order in few for guess in fitted_activations(observations, order, body, activated_last))
    for hidden, layers in chain(names, fitted):
        activations = [ACTIVATIONS.get(name) or fitted_activation(name) for name in hidden]
        if tail := tail_after(observations, layers, activations, activated_last):
            return Match(layers[0], hidden, tail)
    return None


def tail_after(
    observations: Sequence[Observation],
    orders: Sequence[list[Layer]],
    activations: Sequence[Activation],
    activated_last: bool,
) -> str | None:
    """The first tail with which a stack explains all observations, whose layers are in `orders`; None if none does."""
    tails = list(observations[0].tails)
    for observed, layers in zip(observations, orders, strict=True):
        output = stack_output(observed, layers, activations, activated_last)
        tails = [each for each in tails if close(observed.output, observed.tails[each](output))]
        if not tails:
            return None
    return tails[0]


def most_stacks(observations: Sequence[Observation]) -> int:
    """How many stacks may be tried on these observations, so that no network keeps the grader busy."""
    sizes = [len(each.x) * value.numel() for each in observations for value in each.parameters.values()]
    products = sum(max(size, LEAST_PRODUCTS) for size in sizes)
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
            if tail := tail_after(observations, layers, activations, activated_last):
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


def changed_weights(observations: Sequence[Observation], activated_last: bool) -> Match | None:
    """The stack of ReLUs whose layers make something of their weights before they use them; None if that is none."""
    observed, found = observations[0], islice(observations[0].orders(None), 1)
    if most_stacks(observations) < FOR_A_FIT or not varies(observed.output):
        return None
    for layers in found:
        relus = [ACTIVATIONS["ReLU"]] * (len(layers) if activated_last else len(layers) - 1)
        for said, changed in _ways_to_use(observed, layers, relus, activated_last):
            if tail := tail_after([observed], [changed], relus, activated_last):
                return Match(layers, ("ReLU",) * len(relus), tail, weights=said)
    return None


def _ways_to_use(
    observed: Observation, layers: list[Layer], relus: list[Activation], activated_last: bool
) -> Iterator[tuple[str, list[Layer]]]:
    """The layers with what they may use for weights, and what a message says of that."""
    for name, function in WEIGHTS.items():
        yield name, [(function(weight), bias) for weight, bias in layers]
        for root, said in ((-0.5, "divided"), (0.5, "multiplied")):
            yield (
                f"{name}, {said} by the root of the number of inputs",
                [(function(weight) * weight.shape[1] ** root, bias) for weight, bias in layers],
            )
    tail = next(iter(observed.tails.values()))
    for power, with_bias in product((0.0, -0.5), (False, True)):

        def scaled(factor: float, power: float = power, with_bias: bool = with_bias) -> list[Layer]:
            factors = [factor * weight.shape[1] ** power for weight, _ in layers]
            return [(by * w, by * b if with_bias else b) for by, (w, b) in zip(factors, layers, strict=True)]

        def misfit(factor: float, scaled: Callable[[float], list[Layer]] = scaled) -> float:
            output = tail(stack_output(observed, scaled(factor), relus, activated_last))
            return float((output - observed.output).abs().sum())

        factor = least(misfit, torch.logspace(-2, 2, 41))
        shown = [f"{factor * weight.shape[1] ** power:.3g}" for weight, _ in layers]
        if {*shown} == {"1"}:
            continue  # they are used as they are
        yield f"multiplied by {listed(shown)}" + ", and their biases with them" * with_bias, scaled(factor)


def least(misfit: Callable[[float], float], numbers: Tensor) -> float:
    """The number with the least misfit, between the neighbors of the best of some."""
    errors = [misfit(float(number)) for number in numbers]
    best = errors.index(min(errors))
    low, high = (float(numbers[min(max(best + step, 0), len(numbers) - 1)]) for step in (-1, 1))
    for _ in range(40):
        third = (high - low) / 3
        low, high = (low, high - third) if misfit(low + third) < misfit(high - third) else (low + third, high)
    return (low + high) / 2


def _skip_output(observed: Observation, layers: list[Layer], body: int, skips: tuple[int, ...], inside: bool) -> Tensor:
    """The output of a stack of ReLUs before its tail, with the input added inside or outside of some of them."""
    hidden = observed.x
    for at, (weight, bias) in enumerate(layers[:body]):
        skip = hidden if at in skips else torch.zeros(())
        linear = F.linear(hidden, weight, bias)
        hidden = torch.relu(linear + skip) if inside else torch.relu(linear) + skip
    return F.linear(hidden, *layers[-1]) if body < len(layers) else hidden


def stack_output(
    observed: Observation, layers: list[Layer], activations: Sequence[Activation], activated_last: bool
) -> Tensor:
    """The output of layers and activations, before the tail."""
    hidden = stack(layers[: len(activations)], activations, observed.x)
    return hidden if activated_last else F.linear(hidden, *layers[-1])


@dataclass(frozen=True)
class Family:
    """Activations with a number in them: numbers to start from, the scale that shows them best, and what they are."""

    numbers: Tensor
    scale: int  # the observation
    function: Callable[[Tensor, float], Tensor]


FAMILIES = {
    "leaky ReLU with slope": Family(torch.linspace(-0.5, 0.95, 59), 0, F.leaky_relu),
    "ReLU cut off at": Family(torch.logspace(-1, 3, 81), -1, lambda x, cap: x.clamp(0, cap)),
    "softplus with beta": Family(torch.logspace(-1, 2.5, 81), 0, F.softplus),
    "ELU with alpha": Family(torch.linspace(0.05, 4, 80), 0, F.elu),
    "SiLU with beta": Family(torch.logspace(-1, 1.5, 61), 0, lambda x, beta: x * torch.sigmoid(beta * x)),
}


def fitted_activation(name: str) -> Activation:
    """The activation behind a name that `fitted_activations` gave."""
    kind, _, number = name.rpartition(" ")
    return lambda x: FAMILIES[kind].function(x, float(number))


def fitted_activations(
    observations: Sequence[Observation], layers: tuple[list[Layer], ...], body: int, activated_last: bool
) -> Iterator[tuple[tuple[str, ...], tuple[list[Layer], ...]]]:
    """Activations with a number in them, the same after each layer or all but the last, with the likeliest number."""
    for kind, family in FAMILIES.items():
        numbers = family.numbers
        for plain in (0, 1)[: 1 + (body > 1)]:
            misfit = functools.partial(
                _misfit, kind, body - plain, plain, observations[family.scale], layers[family.scale], activated_last
            )
            name = f"{kind} {least(misfit, numbers):.4g}"
            yield (name,) * (body - plain) + ("ReLU",) * plain, layers


def _misfit(
    kind: str, count: int, plain: int, observed: Observation, layers: list[Layer], activated_last: bool, number: float
) -> float:
    """How far the first known tail of a stack is from the output, with so many of an activation and then ReLUs."""
    guess = [fitted_activation(f"{kind} {number}")] * count + [torch.relu] * plain
    first = next(iter(observed.tails.values()))
    output = first(stack_output(observed, layers, guess, activated_last))
    return float((output - observed.output).abs().sum())


def varies(output: Tensor, tolerance: float = 1e-3) -> bool:
    """Whether the rows differ. Where they do not, nothing can be told of how they came about."""
    return output.dim() > 0 and not close(output, output.roll(1, 0), tolerance)
