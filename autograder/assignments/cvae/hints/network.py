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
    "a softmax over the images of the minibatch": lambda x: torch.softmax(x, 0),
    "tanh(x), scaled and shifted to lie between 0 and 1, which is sigmoid(2x)": lambda x: (torch.tanh(x) + 1) / 2,
    "tanh, then sigmoid": lambda x: torch.sigmoid(torch.tanh(x)),
    "hard sigmoid": F.hardsigmoid,
    "softplus": F.softplus,
    "logarithm of a sigmoid": F.logsigmoid,
    "sigmoid, then tanh": lambda x: torch.tanh(torch.sigmoid(x)),
    "sigmoid, then softmax": lambda x: torch.softmax(torch.sigmoid(x), -1),
    "softmax, then sigmoid": lambda x: torch.sigmoid(torch.softmax(x, -1)),
}
# What a layer may make of its weights (out, in) before it uses them, as a message says it.
WEIGHTS: dict[str, Activation] = {
    "their squares": torch.square,
    "their absolute values": torch.abs,
    "their exponentials": torch.exp,
    "the softplus of them": F.softplus,
    "the tanh of them": torch.tanh,
    "the sigmoid of them": torch.sigmoid,
    "the ReLU of them": torch.relu,
    "the softmax of each row": lambda w: torch.softmax(w, -1),
    "their signs": torch.sign,
    "their signs times their average size": lambda w: w.sign() * w.abs().mean(),
    "their signs times the average size of each row": lambda w: w.sign() * w.abs().mean(1, keepdim=True),
    "scaled so that each row has length 1": lambda w: F.normalize(w, dim=1),
    "scaled so that each column has length 1": lambda w: F.normalize(w, dim=0),
    "divided by their norm": lambda w: w / w.norm(),
    "divided by their largest singular value": lambda w: w / torch.linalg.matrix_norm(w, 2),
    "standardized in each row": lambda w: (w - w.mean(1, keepdim=True)) / w.std(1, keepdim=True),
    "standardized in each row, by the biased deviation": lambda w: F.layer_norm(w, w.shape[1:], eps=0.0),
    "standardized as a whole": lambda w: (w - w.mean()) / w.std(),
}
# What a layer may make of its input (rows, columns) before it uses it, as a message says it.
INPUT_CHANGES: dict[str, Activation] = {
    "centered over the minibatch (its average is subtracted)": lambda x: x - x.mean(0),
    "centered within each row (the row's average is subtracted)": lambda x: x - x.mean(1, keepdim=True),
    "centered (the average of all numbers is subtracted)": lambda x: x - x.mean(),
    "standardized over the minibatch": lambda x: F.batch_norm(x, None, None, training=True),
    "standardized over the minibatch, by the unbiased deviation": lambda x: (x - x.mean(0)) / x.std(0),
    "standardized within each row": lambda x: F.layer_norm(x, x.shape[1:]),
    "scaled to length 1 within each row": lambda x: F.normalize(x, dim=1),
    "passed through ReLU": torch.relu,
    "passed through tanh": torch.tanh,
    "passed through a sigmoid": torch.sigmoid,
    "passed through a softmax": lambda x: torch.softmax(x, 1),
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
