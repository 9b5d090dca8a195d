"""An epoch of the notebook's training against one of the hand-out's loop, on the same machine in the same run.

Usage: python benchmarks/epoch.py [MNIST folder]   (else MNIST_ROOT, else ../shared/mnist beside the checkout)
"""

import json
import os
import sys
import time
from pathlib import Path

import torch
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
import autograder.assignments.cvae.solution.cs5814_vae as solution  # noqa: E402
from autograder.assignments.cvae.assignment import (  # noqa: E402
    BATCH_SIZE,
    INPUT_DIM,
    NUM_CATEGORIES,
    TRAINING_LATENT_DIMENSIONALITY,
)

EPOCHS = 3


def notebook() -> dict:
    """The names that the notebook's data and training cells define."""
    os.environ["CS5814_SMOKE"] = "0"
    os.chdir(ROOT / "notebooks")
    sys.modules["cs5814_vae"] = solution
    cells = {cell["id"]: cell["source"] for cell in json.loads(Path("cvae.ipynb").read_text("utf-8"))["cells"]}
    names: dict = {}
    for name in ("setup", "load-digits", "train-model"):
        exec("".join(line for line in cells[name] if not line.startswith("%")), names)
    return names


def handout_epoch(epoch: int, model: torch.nn.Module, train_loader) -> float:
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


def main() -> None:
    default = os.environ.get("MNIST_ROOT") or ROOT.parent / "shared" / "mnist"
    os.environ["MNIST_ROOT"] = str(Path(sys.argv[1] if len(sys.argv) > 1 else default).resolve())
    names = notebook()
    if names["digits_name"] != "MNIST":
        sys.exit("The comparison needs MNIST: name its folder.")
    images = datasets.MNIST(os.environ["MNIST_ROOT"], train=True, transform=transforms.ToTensor())
    handout = DataLoader(images, batch_size=BATCH_SIZE, shuffle=True, drop_last=True, num_workers=2)
    ours = names["Minibatches"](names["train_images"].cpu(), names["train_labels"].cpu(), BATCH_SIZE)
    contenders = {"hand-out": (handout_epoch, handout), "notebook": (names["train_model"], ours)}

    models, seconds, losses = {}, {}, {}
    for name in contenders:
        torch.manual_seed(5814)
        latent = TRAINING_LATENT_DIMENSIONALITY
        models[name] = solution.ConditionalVariationalAutoencoder(INPUT_DIM, latent_dimensionality=latent)
        seconds[name], losses[name] = [], []
    for epoch in range(EPOCHS):  # by turns, so that a busy machine is as unkind to one as to the other
        for name, (train, loader) in contenders.items():
            start = time.perf_counter()
            losses[name].append(train(epoch, models[name], loader))
            seconds[name].append(time.perf_counter() - start)

    print(f"\n{'':10}{'seconds an epoch':>30}{'average loss':>30}")
    for name in contenders:
        print(name.ljust(10), *("".join(f"{value:10.2f}" for value in row) for row in (seconds[name], losses[name])))
    ratio = min(seconds["hand-out"]) / min(seconds["notebook"])
    print(f"The notebook's epoch is {ratio:.1f} times as fast ({torch.get_num_threads()} threads, best of {EPOCHS}).")


if __name__ == "__main__":
    main()
