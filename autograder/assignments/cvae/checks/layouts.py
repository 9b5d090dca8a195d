"""Which chains of linear layers a set of parameters can make, in any layout.

Weights may be stored as (out, in) or (in, out), in stacks, as convolutions over a single number, in two parts for the
two parts of an input, or with the bias among their columns.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations, product
from typing import TypeVar

import torch
from torch import Tensor

_T = TypeVar("_T")
Layer = tuple[Tensor, Tensor]  # weight (out, in), bias (out)

# Layers whose order is tried out, and matrices in a stack: where there are more, only the order of their registration
# is, and the stack is none, so that no network keeps the grader busy.
MAX_SHUFFLED = 6


def shapes_of(parameters: Mapping[str, Tensor]) -> dict[str, Sequence[int]]:
    """The shapes of parameters, by name."""
    return {name: value.shape for name, value in parameters.items()}


def owner_of(name: str) -> str:
    """The dotted name of the module that holds a parameter, through a parametrization."""
    return name.rpartition(".")[0].partition(".parametrizations.")[0]


def weight_normalized(shapes: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """The magnitudes of weights that are normalized, each with the name of its direction, as torch calls the two.

    A magnitude is one number, or one for each index of an axis of its direction.
    """
    pairs = (
        (name, re.sub(r"original0$", "original1", re.sub(r"weight_g$", "weight_v", name)))
        for name in shapes
        if re.search(r"(\.parametrizations\.weight\.original0|(^|\.)weight_g)$", name)
    )
    return {name: of for name, of in pairs if of in shapes and _is_magnitude(shapes[name], shapes[of])}


def _is_magnitude(shape: Sequence[int], direction: Sequence[int]) -> bool:
    kept = [[size if axis == each else 1 for each, size in enumerate(direction)] for axis in range(len(direction))]
    return list(shape) in ([], *kept)


def is_weight(shape: Sequence[int]) -> bool:
    """Whether a parameter of this shape is a matrix: a bias may be written as a row or a column.

    A convolution whose kernel is a single number has a matrix, too.
    """
    return len(shape) >= 2 and 1 not in shape[:2] and set(shape[2:]) <= {1}


def holds_matrix(shape: Sequence[int]) -> bool:
    """Whether a parameter of this shape is a matrix or a stack of them."""
    return is_weight(shape) or (len(shape) == 3 and 1 not in shape)


def unfold(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The parameters, every matrix (rows, columns): those in stacks one by one, and biases in stacks of that height."""
    stacks = (each for each in parameters.values() if each.dim() == 3 and not is_weight(each.shape))
    heights = {len(each) for each in stacks if len(each) <= MAX_SHUFFLED}
    widths = {size for each in parameters.values() if each.dim() == 3 for size in each.shape[1:]}
    unfolded = {}
    for name, each in parameters.items():
        if is_weight(each.shape) and not (len(each) in heights and each.dim() == 2 and each.shape[1] in widths):
            unfolded[name] = each.reshape(each.shape[:2])
        elif each.dim() in (2, 3) and len(each) in heights:
            unfolded |= {f"{name}[{at}]": part for at, part in enumerate(each)}
        else:
            unfolded[name] = each
    return unfolded


def arrangements(parameters: dict[str, Tensor], inputs: int, outputs: int) -> Iterator[list[Layer]]:
    """Ways in which the parameters make a chain of linear layers from `inputs` to `outputs`, the likeliest first.

    Weights and biases are paired by the module that holds both where there is one, else in every possible way. A
    weight whose module holds no bias gets zeros, or its own first or last column where there are no biases at all. Two
    weights may share the input, of which each takes a part.
    """
    parameters = unfold(parameters)
    magnitudes = weight_normalized(shapes_of(parameters))  # which `draw_parameters` made to do nothing
    parameters = {name: value for name, value in parameters.items() if name not in magnitudes}
    weights = {name: value for name, value in parameters.items() if is_weight(value.shape)}
    with_matrix = {owner_of(name) for name in weights}
    biases = {
        name: value.flatten()
        for name, value in parameters.items()
        if name not in weights and (owner_of(name) in with_matrix or not re.search(r"\.(weight|bias)$", name))
    }
    if not weights or any(value.dim() > 2 for value in parameters.values()):
        return
    by_owner = {owner_of(name): value for name, value in biases.items()}
    if len(by_owner) == len(biases) and by_owner.keys() <= with_matrix:  # of several weights, the first gets the bias
        pairings: Iterable[Sequence[Tensor | None]] = [[by_owner.pop(owner_of(name), None) for name in weights]]
    elif len(biases) == len(weights):
        pairings = shuffles(list(biases.values()))
    else:
        return
    sides = [list(weights.values()), [value.T for value in weights.values()]]
    orders = [_orders(side, inputs, outputs) for side in sides]  # which no bias changes
    for count, pairing in enumerate(pairings):
        for side, chained in zip(sides, orders, strict=True):
            layers: list[Layer] = []
            for weight, bias in zip(side, pairing, strict=True):
                layers.append((weight, torch.zeros(len(weight)) if bias is None else bias))
            if all(len(bias) == len(weight) for weight, bias in layers):
                yield from ([layers[at] for at in order] for order in chained)
                for joined in _joined(layers, inputs) if count == 0 else ():
                    yield from _chains(joined, inputs, outputs)
    if not biases:
        for transposed, first in product((False, True), repeat=2):
            whole = [value.T if transposed else value for value in weights.values()]
            layers = [(each[:, 1:], each[:, 0]) if first else (each[:, :-1], each[:, -1]) for each in whole]
            yield from _chains(layers, inputs, outputs)


def _joined(layers: list[Layer], inputs: int) -> Iterator[list[Layer]]:
    """The layers, with two that take a part of the inputs each, and whose outputs are added, as one."""
    few = len(layers) <= MAX_SHUFFLED
    for one, other in permutations(range(len(layers)), 2) if few else ():
        (weight, bias), (second, more) = layers[one], layers[other]
        if len(weight) == len(second) and weight.shape[1] + second.shape[1] == inputs:
            rest = [each for at, each in enumerate(layers) if at not in (one, other)]
            yield [(torch.cat((weight, second), 1), bias + more), *rest]


def _chains(layers: list[Layer], inputs: int, outputs: int) -> list[list[Layer]]:
    weights = [weight for weight, _ in layers]
    return [[layers[at] for at in order] for order in _orders(weights, inputs, outputs)]


def _orders(weights: list[Tensor], inputs: int, outputs: int) -> list[tuple[int, ...]]:
    """The orders in which these matrices, (out, in), make a chain."""
    if not (
        any(len(each) == outputs for each in weights) and any(each.shape[1] == inputs for each in weights)
    ):  # then no order has a first and a last one
        return []
    sizes = [(len(weight), weight.shape[1]) for weight in weights]
    return [
        order
        for order in shuffles(list(range(len(sizes))))
        if [inputs, *(sizes[at][0] for at in order)] == [*(sizes[at][1] for at in order), outputs]
    ]


def shuffles(items: list[_T]) -> Iterator[tuple[_T, ...]]:
    """The orders of a few items, theirs first; only theirs of many."""
    return permutations(items) if len(items) <= MAX_SHUFFLED else iter([tuple(items)])
