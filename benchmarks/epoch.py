"""An epoch of the notebook's training against one of the hand-out's loop, and against itself on a busy machine.

Usage: python -m benchmarks.epoch [MNIST folder]   (else MNIST_ROOT, else ../shared/mnist next to the checkout)
"""

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

import autograder.assignments.cvae.solution.cs5814_vae as solution
from autograder.assignments.cvae.assignment import (
    BATCH_SIZE,
    INPUT_DIM,
    LEARNING_RATE,
    NUM_CATEGORIES,
    TRAINING_LATENT_DIMENSIONALITY,
)

ROOT = Path(__file__).parents[1]
EPOCHS = 3


def notebook() -> dict[str, Any]:
    """The names that the notebook's data and training cells define; its choice of threads holds from then on."""
    os.environ["CS5814_SMOKE"] = "0"
    os.chdir(ROOT / "notebooks")
    sys.modules["cs5814_vae"] = solution
    cells = {cell["id"]: cell["source"] for cell in json.loads(Path("cvae.ipynb").read_text("utf-8"))["cells"]}
    names: dict[str, Any] = {}
    for name in ("setup", "load-digits", "train-model"):
        exec("".join(line for line in cells[name] if not line.startswith("%")), names)
    return names


def handout_epoch(epoch: int, model: torch.nn.Module, train_loader: DataLoader[Any]) -> float:
    """The hand-out's training loop, as it stands there."""
    model.train()
    curr_train_loss = 0.0
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for data, labels in train_loader:
        optimizer.zero_grad()
        one_hot_labels = torch.eye(NUM_CATEGORIES)[labels]
        data = data.view(-1, INPUT_DIM)
        data_recon, mean_params, logvariance_params = model(data, one_hot_labels)
        loss = solution.loss_function(data_recon, data, mean_params, logvariance_params)
        optimizer.zero_grad()
        loss.backward()
        curr_train_loss += loss.item()
        optimizer.step()
    return curr_train_loss / len(train_loader)


@contextmanager
def busy_cores() -> Iterator[None]:
    """Keep every core busy with something else."""
    others = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(os.cpu_count() or 1)]
    for other in others:
        other.start()
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.join()


def _spin() -> None:
    while True:
        pass


def main() -> None:
    default = os.environ.get("MNIST_ROOT") or ROOT.parent / "shared" / "mnist"
    os.environ["MNIST_ROOT"] = str(Path(sys.argv[1] if len(sys.argv) > 1 else default).resolve())
    threads = {"hand-out": torch.get_num_threads()}
    names = notebook()
    threads["notebook"] = torch.get_num_threads()
    if names["digits_name"] != "MNIST":
        sys.exit("The comparison needs MNIST: name its folder.")
    images = datasets.MNIST(os.environ["MNIST_ROOT"], train=True, transform=transforms.ToTensor())
    handout = DataLoader(images, batch_size=BATCH_SIZE, shuffle=True, drop_last=True, num_workers=2)
    ours = names["Minibatches"](names["train_images"].cpu(), names["train_labels"].cpu(), BATCH_SIZE)
    models: dict[str, torch.nn.Module] = {}
    seconds: dict[str, list[float]] = {name: [] for name in threads}
    for name in threads:
        torch.manual_seed(5814)
        latent = TRAINING_LATENT_DIMENSIONALITY
        models[name] = solution.ConditionalVariationalAutoencoder(INPUT_DIM, latent_dimensionality=latent)
    optimizer = torch.optim.Adam(models["notebook"].parameters(), lr=LEARNING_RATE, fused=True)
    epochs = {
        "hand-out": lambda epoch: handout_epoch(epoch, models["hand-out"], handout),
        "notebook": lambda epoch: names["train_model"](epoch, models["notebook"], ours, optimizer),
    }

    def timed(name: str, epoch: int) -> float:
        torch.set_num_threads(threads[name])
        start = time.perf_counter()
        epochs[name](epoch)
        return time.perf_counter() - start

    for epoch in range(EPOCHS):  # by turns, so that a busy machine is as unkind to one as to the other
        for name in epochs:
            seconds[name].append(timed(name, epoch))
    with busy_cores():
        seconds["notebook, cores busy"] = [timed("notebook", EPOCHS + epoch) for epoch in range(EPOCHS)]

    print("\nseconds an epoch")
    for name, values in seconds.items():
        print(name.ljust(22), *(f"{value:8.2f}" for value in values))
    handout_best, best, busy_best = (min(values) for values in seconds.values())
    print(f"The notebook's epoch is {handout_best / best:.1f} times as fast as the hand-out's (best of {EPOCHS}),")
    print(f"and takes {busy_best / best:.1f} times as long while every core is busy elsewhere.")


if __name__ == "__main__":
    main()
