"""The notebook's training loop, as the smoke run uses it: the one file of the assignment that a sandbox sees."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.adam import adam


def train(
    model: Callable[..., Any],
    loss_function: Callable[..., Tensor],
    parameters: Sequence[Tensor],
    images: Tensor,
    conditions: Tensor,
    batches: Tensor,
    learning_rate: float,
) -> Tensor:
    """Forward, loss, backward and an Adam step for each minibatch.

    Arguments:
        images, conditions: (M, input_dim) and (M, K) tensors.
        batches: (steps, N) row numbers.

    Returns:
        losses: (steps,) the loss before each step.

    The functional Adam of torch.optim, because the first torch.optim.Adam imports the compiler, a second's work.
    """
    first, second = ([torch.zeros_like(parameter) for parameter in parameters] for _ in range(2))
    steps = [torch.tensor(0.0, dtype=torch.float32) for _ in parameters]
    losses = []
    for batch in batches:
        for parameter in parameters:
            parameter.grad = None
        data_recon, means, logvariances = model(images[batch], conditions[batch])
        if data_recon.numel() == images[batch].numel():  # a decoder that gives images is judged by itself
            data_recon = data_recon.reshape(images[batch].shape)
        loss = loss_function(data_recon, images[batch], means, logvariances)
        loss.backward()
        losses.append(loss.detach())
        moving = [index for index, parameter in enumerate(parameters) if parameter.grad is not None]
        with torch.no_grad():
            adam(
                [parameters[index] for index in moving],
                [gradient for parameter in parameters if (gradient := parameter.grad) is not None],
                [first[index] for index in moving],
                [second[index] for index in moving],
                [],
                [steps[index] for index in moving],
                foreach=False,
                fused=True,
                amsgrad=False,
                beta1=0.9,
                beta2=0.999,
                lr=learning_rate,
                weight_decay=0.0,
                eps=1e-8,
                maximize=False,
            )
    return torch.stack(losses).reshape(-1).float()


def warm_up() -> None:
    """Take a step on numbers that mean nothing, so that no submission's process pays for the first one."""
    decode = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.Sigmoid())
    images, batches = torch.rand(2, 64), torch.zeros(1, 2, dtype=torch.int64)

    def model(images: Tensor, _: Tensor) -> tuple[Tensor, ...]:
        return decode(images + torch.randn_like(images) * torch.exp(0.5 * images)), images, images

    def loss_function(reconstructions: Tensor, originals: Tensor, *_: Tensor) -> Tensor:
        return F.binary_cross_entropy(reconstructions, originals, reduction="sum")

    train(model, loss_function, list(decode.parameters()), images, images, batches, 0.0)
