"""Measure what the solution's loss reaches on MNIST: the curve that the notebook shows students theirs against."""

from pathlib import Path
from statistics import mean, stdev
from types import ModuleType

import torch
import torch.nn.functional as F

from autograder.assignments.cvae.assignment import (
    BATCH_SIZE,
    INPUT_DIM,
    LEARNING_RATE,
    NUM_CATEGORIES,
    NUM_EPOCHS,
    TRAINING_LATENT_DIMENSIONALITY,
)

SEEDS = 20
ROOM = 4  # standard deviations on both sides: with three of ten seeds, one of another ten lay outside


def measure(mnist: Path, solution: ModuleType) -> dict[int, tuple[float, float]]:
    """The average loss of an epoch in nats per image, as a band around that of `SEEDS` seeds, by epoch.

    Trains as the notebook does, on the MNIST below `mnist` in torchvision's layout: twenty minutes on an idle core.
    FileNotFoundError if there is none.
    """
    from torchvision import datasets

    try:
        digits = datasets.MNIST(mnist, train=True)
    except RuntimeError:
        raise FileNotFoundError(f"{mnist} does not hold MNIST, in torchvision's layout: MNIST/raw/…") from None
    images = digits.data.flatten(1).float().div(255)
    one_hots = F.one_hot(digits.targets, NUM_CATEGORIES).float()
    torch.set_num_threads(1)  # as in the notebook; on a busy machine more take far longer
    return band([_train(images, one_hots, solution, seed) for seed in range(SEEDS)])


def band(curves: list[list[float]]) -> dict[int, tuple[float, float]]:
    """The average of the curves, and `ROOM` standard deviations on both sides, by epoch."""
    return {
        epoch: (round(mean(values) - ROOM * stdev(values), 1), round(mean(values) + ROOM * stdev(values), 1))
        for epoch, values in enumerate(zip(*curves, strict=True))
    }


def _train(images: torch.Tensor, one_hots: torch.Tensor, solution: ModuleType, seed: int) -> list[float]:
    torch.manual_seed(seed)
    model = solution.ConditionalVariationalAutoencoder(INPUT_DIM, NUM_CATEGORIES, TRAINING_LATENT_DIMENSIONALITY)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    curve = []
    for _ in range(NUM_EPOCHS):
        losses = []
        for rows in torch.randperm(len(images)).split(BATCH_SIZE)[: len(images) // BATCH_SIZE]:
            reconstructions, means, logvariances = model(images[rows], one_hots[rows])
            loss = solution.loss_function(reconstructions, images[rows], means, logvariances)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        curve.append(sum(losses) / len(losses))
    return curve
