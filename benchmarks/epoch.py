"""An epoch of the notebook's training against one of the hand-out's loop, on the same machine in the same run.

Usage: python benchmarks/epoch.py [MNIST folder]   (else MNIST_ROOT, else ../shared/mnist beside the checkout)
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torchvision import datasets, transforms

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
import autograder.solution.cs5814_vae as solution  # noqa: E402
from autograder.assignment import BATCH_SIZE, INPUT_DIM, TRAINING_LATENT_DIMENSIONALITY  # noqa: E402

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


def timed(train_model: Callable, loader) -> tuple[list[float], list[float]]:
    """The seconds and the average loss of each epoch, from the same initial weights."""
    torch.manual_seed(5814)
    model = solution.ConditionalVariationalAutoencoder(INPUT_DIM, latent_dimensionality=TRAINING_LATENT_DIMENSIONALITY)
    seconds, losses = [], []
    for epoch in range(EPOCHS):
        start = time.perf_counter()
        losses.append(train_model(epoch, model, loader))
        seconds.append(time.perf_counter() - start)
    return seconds, losses


def main() -> None:
    default = os.environ.get("MNIST_ROOT") or ROOT.parent / "shared" / "mnist"
    os.environ["MNIST_ROOT"] = str(Path(sys.argv[1] if len(sys.argv) > 1 else default).resolve())
    names = notebook()
    if names["digits_name"] != "MNIST":
        sys.exit("The comparison needs MNIST: name its folder.")
    handout = torch.utils.data.DataLoader(
        datasets.MNIST(os.environ["MNIST_ROOT"], train=True, transform=transforms.ToTensor()),
        batch_size=BATCH_SIZE,
        shuffle=True,
        drop_last=True,
        num_workers=2,
    )
    names["device"] = "cpu"
    ours = names["Minibatches"](names["train_images"].cpu(), names["train_labels"].cpu(), BATCH_SIZE)
    results = {"hand-out": timed(names["train_model"], handout), "notebook": timed(names["train_model"], ours)}
    print(f"\n{'':10}{'seconds an epoch':>24}{'average losses':>32}")
    for name, (seconds, losses) in results.items():
        print(f"{name:10}{min(seconds):24.2f}{'  '.join(f'{loss:8.2f}' for loss in losses):>32}")
    ratio = min(results["hand-out"][0]) / min(results["notebook"][0])
    print(f"The notebook's epoch is {ratio:.1f} times as fast ({torch.get_num_threads()} threads, best of {EPOCHS}).")


if __name__ == "__main__":
    main()
