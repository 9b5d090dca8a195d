"""The pictures of a report: what the smoke run reconstructs and generates, beside the reference after the same run."""

import io
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from autograder.assignments.cvae.assignment import (
    IMAGE_SIDE,
    NUM_CATEGORIES,
    NUM_EPOCHS,
    SEED,
    SMOKE_BATCH_SIZE,
    SMOKE_DIGITS,
    SMOKE_LATENT_DIMENSIONALITY,
    SMOKE_LEARNING_RATE,
    SMOKE_STEPS,
)
from autograder.assignments.cvae.checks.network import Sizes, draw_parameters
from autograder.assignments.cvae.digits import draw_digits
from autograder.assignments.cvae.solution import cs5814_vae as reference
from autograder.assignments.cvae.training import train
from autograder.grading.harness import Challenge
from autograder.report.model import Figure, Gallery, Picture

if TYPE_CHECKING:
    from autograder.assignments.cvae.checks.test_training import Smoke


def gallery(kept: Mapping[str, Any]) -> Gallery | None:
    """The pictures of what the checks left, one digit of each class in a row; None if they came to none.

    Held-out originals, their reconstructions, and generated digits.
    """
    smoke: Smoke | None = kept.get("smoke")
    if smoke is None:
        return None
    rows = [int((smoke.classes == digit).nonzero()[0]) for digit in range(NUM_CATEGORIES)]
    originals, one_hots = smoke.originals[rows], torch.eye(NUM_CATEGORIES)
    generated_rows = [int((smoke.generated_classes == digit).nonzero()[0]) for digit in range(NUM_CATEGORIES)]
    model = trained_reference(smoke.steps)
    with torch.no_grad(), torch.random.fork_rng():
        torch.default_generator.manual_seed(SEED)
        latents = torch.randn(NUM_CATEGORIES, SMOKE_LATENT_DIMENSIONALITY)
        means = model(originals, one_hots)[1]
        reference_reconstructions = model.decoder(torch.cat((means, one_hots), -1))
        reference_generated = model.decoder(torch.cat((latents, one_hots), -1))
    asked = "when asked for 0, 1, 2 and so on to 9."
    same = "The same digits, in the same order, as"
    lead = (
        f"Your model and a reference model were trained for {smoke.steps} steps each. Expect blurry digits: after "
        f"{NUM_EPOCHS} epochs in the notebook, they are sharper."
    )
    said, names = smoke.stood_in
    return Gallery(
        " ".join((lead, *said)),
        [
            Figure(
                "Reconstructions, decoded from the means",
                [
                    Picture("original", "Digits that were put into the models.", png(originals)),
                    Picture("yours", f"{same} your decoder gives them.", png(smoke.reconstructions[rows])),
                    Picture("reference", f"{same} the reference's decoder gives them.", png(reference_reconstructions)),
                ],
            ),
            Figure(
                "Generated, one for each class from 0 to 9",
                [
                    Picture(
                        "yours", f"Ten digits that your model generates {asked}", png(smoke.generated[generated_rows])
                    ),
                    Picture("reference", f"Ten digits that the reference generates {asked}", png(reference_generated)),
                ],
            ),
        ],
        names,
    )


@cache
def trained_reference(steps: int = SMOKE_STEPS) -> reference.ConditionalVariationalAutoencoder:
    """The reference network after so many steps, with the initialization that the smoke run gives every network."""
    images, labels = draw_digits(SMOKE_DIGITS, SEED)
    images, one_hots = images.flatten(1), F.one_hot(labels, NUM_CATEGORIES).float()
    sizes, challenge = Sizes(latent=SMOKE_LATENT_DIMENSIONALITY), Challenge(SEED, "the reference's pictures")
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(SEED)
        model = reference.ConditionalVariationalAutoencoder(sizes.input_dim, sizes.num_categories, sizes.latent)
        shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
        model.load_state_dict(draw_parameters(shapes, sizes, challenge, images.mean(0)))
        batches = challenge.integers(SMOKE_DIGITS, steps, SMOKE_BATCH_SIZE)
        parameters = list(model.parameters())
        train(model, reference.loss_function, parameters, images, one_hots, batches, SMOKE_LEARNING_RATE)
    return model


def png(images: Tensor) -> bytes:
    """(N, INPUT_DIM) images in [0, 1] as one row in a PNG file."""
    row = torch.cat(list(images.clamp(0, 1).reshape(-1, IMAGE_SIDE, IMAGE_SIDE)), 1)
    file = io.BytesIO()
    Image.fromarray((row * 255).round().to(torch.uint8).numpy()).save(file, "PNG")
    return file.getvalue()
