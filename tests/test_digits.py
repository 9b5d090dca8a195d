"""The embedded digits: digits, balanced, reproducible, and in torchvision's layout."""

from pathlib import Path

import torch
from torchvision import datasets

from autograder.assignments.cvae.digits import draw_digits, write_mnist


def test_the_seed_decides_the_drawing() -> None:
    images, labels = draw_digits(30, seed=1)
    again, _ = draw_digits(30, seed=1)
    other, _ = draw_digits(30, seed=2)
    assert images.shape == (30, 28, 28)
    assert torch.equal(images, again)
    assert not torch.equal(images, other)
    assert labels.bincount().tolist() == [3] * 10


def test_pixels_are_ink_on_paper() -> None:
    images, _ = draw_digits(100, seed=3)
    assert images.min() == 0
    assert images.max() == 1
    assert 0.05 < images.mean() < 0.25  # MNIST has 0.13
    assert images[:, 0].max() == 0  # nothing runs off the top


def test_a_simple_classifier_tells_them_apart() -> None:
    (images, labels), (unseen, unseen_labels) = draw_digits(1000, seed=4), draw_digits(300, seed=5)
    x, y = images.flatten(1), torch.nn.functional.one_hot(labels, 10).float()
    weights = torch.linalg.solve(x.T @ x + 30 * torch.eye(x.shape[1]), x.T @ y)
    assert ((unseen.flatten(1) @ weights).argmax(1) == unseen_labels).float().mean() > 0.9


def test_drawings_of_one_digit_vary() -> None:
    images, labels = draw_digits(200, seed=6)
    sevens = images[labels == 7].flatten(1)
    distances = torch.cdist(sevens, sevens) + 100 * torch.eye(len(sevens))
    assert distances.min() > 1


def test_torchvision_reads_them(tmp_path: Path) -> None:
    write_mnist(tmp_path, train=40, test=20, seed=7)
    for train, count in ((True, 40), (False, 20)):
        data = datasets.MNIST(tmp_path, train=train, download=False)
        images, labels = draw_digits(count, seed=7 if train else 8)
        assert torch.equal(data.targets, labels)
        assert (data.data / 255 - images).abs().max() < 1 / 255
