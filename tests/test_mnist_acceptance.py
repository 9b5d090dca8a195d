"""What the reference reaches on real MNIST, trained by the notebook's own code. Skipped where MNIST is absent."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import autograder.assignments.cvae.solution.cs5814_vae as solution
from autograder.assignments.cvae.assignment import (
    INPUT_DIM,
    LEARNING_RATE,
    NUM_CATEGORIES,
    NUM_EPOCHS,
    REFERENCE_CURVE,
    REFERENCE_SETTINGS,
    TRAINING_LATENT_DIMENSIONALITY,
)
from autograder.assignments.cvae.passages import training_settings

pytest.importorskip("torchvision")
from tests import notebook_cells

MNIST = Path(os.environ.get("MNIST_ROOT") or Path(__file__).parents[2] / "shared" / "mnist")

pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.skipif(not (MNIST / "MNIST" / "raw").is_dir(), reason="no MNIST in MNIST_ROOT or ../shared/mnist"),
]


@pytest.fixture(scope="module")
def names() -> Iterator[dict[str, Any]]:
    """The notebook's names, MNIST loaded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_ROOT", str(MNIST))
        patch.delenv("CS5814_SMOKE", raising=False)
        patch.delenv("NBGRADER_EXECUTION", raising=False)
        yield notebook_cells.run(patch, solution, "load-digits", "train-model")


@pytest.fixture(scope="module")
def classify(names: dict[str, Any]) -> Callable[[Tensor], Tensor]:
    """A classifier of digits that is right on more than 97% of MNIST's test images."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(INPUT_DIM, 256), nn.ReLU(), nn.Linear(256, NUM_CATEGORIES)).to(names["device"])
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for _ in range(4):
        for images, labels in names["data_loader_train"]:
            optimizer.zero_grad()
            F.cross_entropy(network(images), labels).backward()
            optimizer.step()

    def classes(images: Tensor) -> Tensor:
        with torch.no_grad():
            return network(images).argmax(-1)

    assert (classes(names["test_images"]) == names["test_labels"]).float().mean() > 0.97
    return classes


@pytest.mark.parametrize("seed", range(3))
def test_reference_learns_mnist(names: dict[str, Any], classify: Callable[[Tensor], Tensor], seed: int) -> None:
    assert names["digits_name"] == "MNIST"
    torch.manual_seed(seed)
    device, latent = names["device"], TRAINING_LATENT_DIMENSIONALITY
    model = solution.ConditionalVariationalAutoencoder(INPUT_DIM, NUM_CATEGORIES, latent).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    losses = [names["train_model"](epoch, model, names["data_loader_train"], optimizer) for epoch in range(NUM_EPOCHS)]
    if training_settings() == REFERENCE_SETTINGS:
        for epoch, (lowest, highest) in REFERENCE_CURVE.items():
            assert lowest <= losses[epoch] <= highest, "the band in the notebook would mislead"

    labels = torch.arange(NUM_CATEGORIES, device=device).repeat(200)
    codes = torch.cat((torch.randn(len(labels), latent, device=device), F.one_hot(labels).float()), -1)
    with torch.no_grad():
        recognized = (classify(model.decoder(codes)) == labels).float().mean().item()
    print(f"seed {seed}: epoch 0 {losses[0]:.2f}, epoch {NUM_EPOCHS - 1} {losses[-1]:.2f}, recognized {recognized:.1%}")
    assert recognized >= 0.85
