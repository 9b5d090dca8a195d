"""A small classifier of handwritten digits, with which the grader looks at the figures that students hand in.

Its weights lie next to this file. To train it anew, on MNIST in torchvision's layout and on the embedded digits:
python -m autograder.assignments.cvae.recognizer FOLDER
"""

import functools
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from autograder.assignments.cvae.assignment import IMAGE_SIDE, NUM_CATEGORIES, SEED
from autograder.assignments.cvae.digits import draw_digits

WEIGHTS = Path(__file__).with_name("recognizer.safetensors")  # float16
EPOCHS = 3


def recognize(images: Tensor) -> Tensor:
    """The classes (N,) that it takes images (N, IMAGE_SIDE, IMAGE_SIDE) in [0, 1] for."""
    with torch.no_grad():
        scores: Tensor = _trained()(images.unsqueeze(1))
    return scores.argmax(1)


@functools.cache
def _trained() -> nn.Module:
    network = _network()
    network.load_state_dict({name: weights.float() for name, weights in load_file(WEIGHTS).items()})
    return network.eval()


def _network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2, padding=2), nn.ReLU(),
        nn.Conv2d(8, 16, 5, stride=2, padding=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(16 * (IMAGE_SIDE // 4) ** 2, NUM_CATEGORIES),
    )  # fmt: skip


def train(mnist: Path) -> float:
    """Train it and write its weights; the share of MNIST's test images that it recognizes."""
    from torchvision import datasets

    digits, test = datasets.MNIST(mnist, train=True), datasets.MNIST(mnist, train=False)
    drawn, drawn_labels = draw_digits(12_000, SEED)
    images = torch.cat((digits.data.float().div(255), drawn)).unsqueeze(1)
    labels = torch.cat((digits.targets, drawn_labels))
    torch.manual_seed(SEED)
    network = _network()
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(images)).split(128):
            optimizer.zero_grad()
            F.cross_entropy(network(_as_a_model_draws(images[rows])), labels[rows]).backward()
            optimizer.step()
    save_file({name: weights.half() for name, weights in network.state_dict().items()}, WEIGHTS)
    _trained.cache_clear()
    return float((recognize(test.data.float().div(255)) == test.targets).float().mean())


def _as_a_model_draws(images: Tensor) -> Tensor:
    """Half of the images blurred, all of them shifted by a pixel or so: a figure is drawn, and taken apart again."""
    blurred = F.avg_pool2d(images, 3, 1, 1)
    images = torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, blurred, images)
    rows, columns = torch.randint(-2, 3, (2,)).tolist()
    return images.roll((rows, columns), (2, 3))


if __name__ == "__main__":
    print(f"{train(Path(sys.argv[1])):.1%} of MNIST's test images recognized")
