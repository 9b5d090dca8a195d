"""What may follow a linear layer, by the name that a message gives it: the right one, and what is taken for it."""

from collections.abc import Callable, Iterator
from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Tensor

Activation = Callable[[Tensor], Tensor]


def _identity(x: Tensor) -> Tensor:
    return x


ACTIVATIONS: dict[str, Activation] = {
    "ReLU": torch.relu,
    "none": _identity,
    "leaky ReLU": F.leaky_relu,
    "ELU": F.elu,
    "GELU": F.gelu,
    "SiLU": F.silu,
    "softplus": F.softplus,
    "squared ReLU": lambda x: torch.relu(x) ** 2,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softmax": lambda x: torch.softmax(x, -1),
    "ReLU, then tanh": lambda x: torch.tanh(torch.relu(x)),
    "ReLU, then sigmoid": lambda x: torch.sigmoid(torch.relu(x)),
    "ReLU, then softmax": lambda x: torch.softmax(torch.relu(x), -1),
    "tanh, then ReLU": lambda x: torch.relu(torch.tanh(x)),
    "softmax, then ReLU": lambda x: torch.relu(torch.softmax(x, -1)),
}
HEAD_ACTIVATIONS: dict[str, Activation] = {
    "none": _identity,
    "ReLU": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": F.softplus,
    "exp": torch.exp,
    "halving, then exp": lambda x: torch.exp(0.5 * x),
    "leaky ReLU": F.leaky_relu,
    "absolute value": torch.abs,
    "square": torch.square,
}
OUTPUT_ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": torch.sigmoid,
    "none": _identity,
    "two sigmoids": lambda x: torch.sigmoid(torch.sigmoid(x)),
    "ReLU, then sigmoid": lambda x: torch.sigmoid(torch.relu(x)),
    "tanh": torch.tanh,
    "ReLU": torch.relu,
    "clamping": lambda x: x.clamp(0, 1),
    "softmax": lambda x: torch.softmax(x, -1),
    "the sigmoid of 2x, which is a rescaled tanh": lambda x: (torch.tanh(x) + 1) / 2,
    "tanh, then sigmoid": lambda x: torch.sigmoid(torch.tanh(x)),
    "hard sigmoid": F.hardsigmoid,
    "softplus": F.softplus,
    "logarithm of a sigmoid": F.logsigmoid,
    "sigmoid, then tanh": lambda x: torch.tanh(torch.sigmoid(x)),
    "sigmoid, then softmax": lambda x: torch.softmax(torch.sigmoid(x), -1),
    "softmax, then sigmoid": lambda x: torch.sigmoid(torch.softmax(x, -1)),
}


def hidden_activations(depth: int) -> Iterator[tuple[str, ...]]:
    """Ways to follow `depth` linear layers by activations, the right one first, the likelier mistakes early."""
    right = ("ReLU",) * depth
    yield right
    for missing in range(1, depth + 1):
        for places in combinations(range(depth), missing):
            yield tuple("none" if place in places else "ReLU" for place in range(depth))
    for name in (name for name in ACTIVATIONS if name not in ("ReLU", "none")):
        yield (name,) * depth
        yield (*((name,) * (depth - 1)), "none")
        for place in range(depth):
            yield (*right[:place], name, *right[place + 1 :])
