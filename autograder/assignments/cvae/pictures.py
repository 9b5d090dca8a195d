"""The pictures of a report: what the smoke run reconstructs and generates, beside the reference after the same run."""

import io
from functools import cache

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from autograder.assignments.cvae.assignment import (
    IMAGE_SIDE,
    NUM_CATEGORIES,
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
from autograder.grading.harness import Challenge, Smoke
from autograder.report.model import Pictures


def draw_pictures(smoke: Smoke) -> Pictures:
    """One digit of each class, in a row: held-out originals, their reconstructions, and generated digits."""
    rows = [int((smoke.classes == digit).nonzero()[0]) for digit in range(NUM_CATEGORIES)]
    originals, one_hots = smoke.originals[rows], torch.eye(NUM_CATEGORIES)
    generated_rows = [int((smoke.generated_classes == digit).nonzero()[0]) for digit in range(NUM_CATEGORIES)]
    model = trained_reference()
    with torch.no_grad(), torch.random.fork_rng():
        torch.default_generator.manual_seed(SEED)
        latents = torch.randn(NUM_CATEGORIES, SMOKE_LATENT_DIMENSIONALITY)
        means = model(originals, one_hots)[1]
        reference_reconstructions = model.decoder(torch.cat((means, one_hots), -1))
        reference_generated = model.decoder(torch.cat((latents, one_hots), -1))
    return Pictures(
        originals=png(originals),
        reconstructions=png(smoke.reconstructions[rows]),
        generated=png(smoke.generated[generated_rows]),
        reference_reconstructions=png(reference_reconstructions),
        reference_generated=png(reference_generated),
    )


@cache
def trained_reference() -> reference.ConditionalVariationalAutoencoder:
    """The reference network after the smoke run, with the initialisation that the smoke run gives every network."""
    images, labels = draw_digits(SMOKE_DIGITS, SEED)
    images, one_hots = images.flatten(1), F.one_hot(labels, NUM_CATEGORIES).float()
    sizes, challenge = Sizes(latent=SMOKE_LATENT_DIMENSIONALITY), Challenge(SEED, "the reference's pictures")
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(SEED)
        model = reference.ConditionalVariationalAutoencoder(sizes.input_dim, sizes.num_categories, sizes.latent)
        shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
        model.load_state_dict(draw_parameters(shapes, sizes, challenge, images.mean(0)))
        batches = challenge.integers(SMOKE_DIGITS, SMOKE_STEPS, SMOKE_BATCH_SIZE)
        parameters = list(model.parameters())
        train(model, reference.loss_function, parameters, images, one_hots, batches, SMOKE_LEARNING_RATE)
    return model


def png(images: Tensor) -> bytes:
    """(N, INPUT_DIM) images in [0, 1] as one row in a PNG file."""
    row = torch.cat(list(images.clamp(0, 1).reshape(-1, IMAGE_SIDE, IMAGE_SIDE)), 1)
    file = io.BytesIO()
    Image.fromarray((row * 255).round().to(torch.uint8).numpy()).save(file, "PNG")
    return file.getvalue()
