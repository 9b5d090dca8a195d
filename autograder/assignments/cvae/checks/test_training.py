"""A short training run with the notebook's loop on embedded digits, judged by what the trained network does.

The trained parameters come out here and go into a fresh process, which has never seen an image: what it decodes is
a function of the parameters alone.
"""

from dataclasses import dataclass
from functools import cache

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.assignments.cvae.assignment import (
    NUM_CATEGORIES,
    SEED,
    SMOKE_BATCH_SIZE,
    SMOKE_DIGITS,
    SMOKE_LATENT_DIMENSIONALITY,
    SMOKE_LEARNING_RATE,
    SMOKE_STEPS,
)
from autograder.assignments.cvae.checks.network import Model, Sizes, concatenate
from autograder.assignments.cvae.digits import draw_digits
from autograder.grading.harness import Challenge, Grading, check, fail, require_shape
from autograder.sandbox.client import Submission

pytestmark = pytest.mark.training

HELD_OUT = 100
SAMPLES = 20  # a class
# The reference ends near 0.84 times the cross-entropy of the mean image, and some 98% of its samples are recognised; a
# network that ignores the class gets 10%. In between is room for one that learns, but is not the assignment's.
MAX_LOSS, MIN_RECOGNISED = 0.95, 0.45
TRIES = 2  # for a network that learns may still be unlucky with what it starts from


@dataclass
class Smoke:
    """What the training run left: held-out digits with their reconstructions, and generated ones."""

    originals: Tensor  # (M, input_dim), as the next
    classes: Tensor  # (M,)
    reconstructions: Tensor
    generated: Tensor  # (S, input_dim), of the classes below
    generated_classes: Tensor  # (S,)
    control: Tensor  # generated likewise from parameters that were never trained


@cache
def digits(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Embedded digits as (count, 784) images and (count,) labels."""
    images, labels = draw_digits(count, seed)
    return images.flatten(1), labels


@cache
def classifier() -> Tensor:
    """(785, 10) weights of a linear classifier of the embedded digits, by ridge regression."""
    images, labels = digits(SMOKE_DIGITS, SEED)
    x, y = with_bias(images), 2 * F.one_hot(labels, NUM_CATEGORIES).float() - 1
    return torch.linalg.solve(x.T @ x + 30 * torch.eye(x.shape[1]), x.T @ y)


def with_bias(images: Tensor) -> Tensor:
    return torch.cat((images, torch.ones(len(images), 1)), 1)


def recognised(images: Tensor, classes: Tensor) -> float:
    """The share of images that the classifier takes for their class."""
    return float(((with_bias(images) @ classifier()).argmax(1) == classes).float().mean())


def train(submission: Submission, challenge: Challenge) -> Smoke:
    sizes = Sizes(latent=SMOKE_LATENT_DIMENSIONALITY)
    images, labels = digits(SMOKE_DIGITS, SEED)
    held_out, held_out_labels = digits(HELD_OUT, SEED + 1)
    one_hots, held_out_one_hots = (F.one_hot(each, NUM_CATEGORIES).float() for each in (labels, held_out_labels))
    model = Model(submission, challenge, sizes, mean_image=images.mean(0))
    batches = challenge.integers(SMOKE_DIGITS, SMOKE_STEPS, SMOKE_BATCH_SIZE)
    trained = submission.train(
        "model",
        "loss_function",
        tensors={"images": images, "conditions": one_hots, "batches": batches},
        options={"learning_rate": SMOKE_LEARNING_RATE},
        seed=challenge.seed(),
    )
    if len(trained.losses) != SMOKE_STEPS or not torch.isfinite(trained.losses).all():
        fail(f"The loss is not a finite number in every one of the {SMOKE_STEPS} training steps.", "not-finite")
    parameters = {
        name: require_shape(trained.parameters[name], tuple(value.shape), f"The parameter {name}")
        for name, value in model.parameters.items()
        if name in trained.parameters
    }
    means = require_shape(
        model.forward(held_out, held_out_one_hots, challenge.seed()).outputs[1], (HELD_OUT, sizes.latent), "The means"
    )
    submission.stop()  # what follows is decoded by a process that has seen no image
    model = Model(submission, challenge, sizes)
    classes = torch.arange(NUM_CATEGORIES).repeat(SAMPLES)
    latents, class_one_hots = challenge.normal(len(classes), sizes.latent), F.one_hot(classes, NUM_CATEGORIES).float()
    x = concatenate(torch.cat((means, latents)), torch.cat((held_out_one_hots, class_one_hots)))

    def decode() -> Tensor:
        return require_shape(model.call("decoder", x).outputs[0], (len(x), sizes.input_dim), "The decoder's output")

    control = decode()[HELD_OUT:]
    submission.set_parameters("model", parameters)
    decoded = decode()
    return Smoke(held_out, held_out_labels, decoded[:HELD_OUT], decoded[HELD_OUT:], classes, control)


@check("From its own starting weights, the network can learn", 1)
def test_start(submission: Submission, challenge: Challenge) -> None:
    own = starting_gradients(submission, challenge, own_start=True)
    if not own:
        fail("No gradient reaches any parameter.")
    stuck = [name for name, gradient in own.items() if not bool((gradient != 0).any())]
    if stuck:
        ours = starting_gradients(submission, challenge, own_start=False)
        initialised_so = all(bool((ours[name] != 0).any()) for name in stuck if name in ours)
        fail(
            f"The gradient is zero for {', '.join(stuck[:4])}{' and others' * (len(stuck) > 4)}.",
            "stuck-start" if initialised_so else None,
        )


def starting_gradients(submission: Submission, challenge: Challenge, own_start: bool) -> dict[str, Tensor]:
    """The parameters' gradients in a fresh model, with the constructor's own numbers in them or with ours."""
    model = Model(submission, challenge, own_start=own_start)
    images, conditions = model.inputs(challenge)
    seed = challenge.seed()
    outputs = model.forward(images, conditions, seed).outputs
    cotangents = {index: challenge.normal(*output.shape) for index, output in enumerate(outputs)}
    return model.forward(images, conditions, seed, cotangents).gradients("parameter")


@check("After a short training run it reconstructs unseen digits, and generates the class asked for", 4)
def test_learns(submission: Submission, challenge: Challenge, grading: Grading) -> None:
    for _ in range(TRIES):
        grading.kept["smoke"] = smoke = train(submission, challenge)
        shortcoming = judge(smoke)
        if shortcoming is None:
            break
    if shortcoming is not None:
        fail(shortcoming)
    if recognised(smoke.control, smoke.generated_classes) >= MIN_RECOGNISED:
        fail("The decoder shows the same digits with untrained parameters: they do not come from training.")


def judge(smoke: Smoke) -> str | None:
    """What the trained network cannot do, or None."""
    mean_image = digits(SMOKE_DIGITS, SEED)[0].mean(0).clamp(1e-3, 1 - 1e-3).expand_as(smoke.originals)
    loss, bound = (
        float(F.binary_cross_entropy(images.clamp(0, 1), smoke.originals, reduction="sum")) / HELD_OUT
        for images in (smoke.reconstructions, mean_image)
    )
    if not loss <= MAX_LOSS * bound:
        return (
            f"After {SMOKE_STEPS} steps the cross-entropy on unseen digits is {loss:.1f}; showing the mean digit to "
            f"everything gives {bound:.1f}, and a network that learns gets below {MAX_LOSS * bound:.1f}."
        )
    share = recognised(smoke.generated, smoke.generated_classes)
    if not share >= MIN_RECOGNISED:
        return (
            f"Of {len(smoke.generated)} digits that the trained decoder generated, {share:.0%} show the class asked "
            f"for; at least {MIN_RECOGNISED:.0%} should."
        )
    return None
