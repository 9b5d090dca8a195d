"""Measure what the solution's loss reaches on MNIST: the curve that the notebook shows students theirs against."""

from pathlib import Path
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

SEEDS = 3
SHOWN = (0, 1, 2, 3, 4, 5, 6, 9, 14)  # and the last; straight lines between them are the curve


def measure(mnist: Path, solution: ModuleType) -> dict[int, tuple[float, float]]:
    """The average loss of an epoch in nats per image, lowest and highest of a few seeds, by epoch.

    Trains as the notebook does, on the MNIST below `mnist` in torchvision's layout: some minutes on two cores.
    FileNotFoundError if there is none.
    """
    from torchvision import datasets

    try:
        digits = datasets.MNIST(mnist, train=True)
    except RuntimeError:
        raise FileNotFoundError(f"{mnist} does not hold MNIST, in torchvision's layout: MNIST/raw/…") from None
    images = digits.data.flatten(1).float().div(255)
    one_hots = F.one_hot(digits.targets, NUM_CATEGORIES).float()
    curves = [_train(images, one_hots, solution, seed) for seed in range(SEEDS)]
    shown = [epoch for epoch in SHOWN if epoch < NUM_EPOCHS - 1] + [NUM_EPOCHS - 1]
    return {
        epoch: (round(min(each[epoch] for each in curves), 1), round(max(each[epoch] for each in curves), 1))
        for epoch in shown
    }


def _train(images: torch.Tensor, one_hots: torch.Tensor, solution: ModuleType, seed: int) -> list[float]:
    torch.manual_seed(seed)
    model = solution.ConditionalVariationalAutoencoder(INPUT_DIM, NUM_CATEGORIES, TRAINING_LATENT_DIMENSIONALITY)
    curve = []
    for _ in range(NUM_EPOCHS):
        optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)  # made anew, as in the notebook
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
