"""A short training run with the notebook's loop on embedded digits, judged by what the trained network does.

The trained parameters come out here and go into a fresh process, which has never seen an image: what it decodes is
a function of the parameters alone.
"""

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.assignments.cvae.assignment import (
    BATCH_SIZE,
    INPUT_DIM,
    NUM_CATEGORIES,
    SEED,
    SMOKE_BATCH_SIZE,
    SMOKE_DIGITS,
    SMOKE_LATENT_DIMENSIONALITY,
    SMOKE_LEARNING_RATE,
    SMOKE_STEPS,
    TRAINING_LATENT_DIMENSIONALITY,
)
from autograder.assignments.cvae.checks import probes
from autograder.assignments.cvae.checks.layouts import holds_matrix
from autograder.assignments.cvae.checks.network import (
    Model,
    Sizes,
    concatenate,
    in_rows,
    left_out,
    side_by_side,
    stood_in,
    tell_stand_ins,
)
from autograder.assignments.cvae.checks.recognition import by_class, take
from autograder.assignments.cvae.checks.verdicts import first_few
from autograder.assignments.cvae.digits import draw_digits
from autograder.assignments.cvae.solution import cs5814_vae as reference
from autograder.grading.harness import Challenge, Grading, Wrong, check, close, fail, require_shape
from autograder.report.model import Outcome
from autograder.sandbox.client import Submission
from autograder.sandbox.errors import Raised, SubmissionError

pytestmark = pytest.mark.training

HELD_OUT = 100
SAMPLES = 20  # a class
# The reference ends near 0.84 times the cross-entropy of the mean image, and some 98% of its samples are recognized; a
# network that ignores the class gets 10%, with a standard error of 2%. In between is room for one that learns, but is
# not the assignment's: one that has to learn four numbers for each class may only come to 35% in so few steps.
MAX_LOSS, MIN_RECOGNIZED = 0.95, 0.25
CONTROLS = 10  # for a network that learned nothing may still hit upon the classes of some
TRIES = 2  # for a network that learns may still be unlucky with what it starts from
FIRST_STEPS = 5  # of training, after which every layer has a gradient that will ever have one
# At the first step. The notebook's training comes down from a divergence of 1e12 to a loss of 157, from
# 7e13 to one of 500, which is above that of the mean image, and from 8e16 to 1e7. Where 83% of the pixels are exactly 0
# or 1, though the latents are usual, it ends like any other; where 95% are, above 1e4.
MOST_DIVERGENCE, MOST_SATURATED = 1e14, 0.93
USUAL_DIVERGENCE = 1e6  # far above that of usual starts, of which one is enough
STARTS = 9  # the median of which is judged, for the largest log-variance varies
SLOW_STEPS = 4 * SMOKE_STEPS  # of one more try, for a network whose layers have cost points and may learn more slowly


@dataclass
class Smoke:
    """What the training run left: held-out digits with their reconstructions, and generated ones."""

    originals: Tensor  # (M, input_dim), as the next
    classes: Tensor  # (M,)
    reconstructions: Tensor
    generated: Tensor  # (S, input_dim), of the classes below
    generated_classes: Tensor  # (S,)
    controls: list[Tensor]  # generated likewise from parameters that were never trained, or were put out of order
    stood_in: tuple[list[str], list[str]]  # see `network.stood_in`
    steps: int = SMOKE_STEPS


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
    weights: Tensor = torch.linalg.solve(x.T @ x + 30 * torch.eye(x.shape[1]), x.T @ y)
    return weights


def with_bias(images: Tensor) -> Tensor:
    return torch.cat((images, torch.ones(len(images), 1)), 1)


def recognized(images: Tensor, classes: Tensor) -> float:
    """The share of images that the classifier takes for their class."""
    return float(((with_bias(images) @ classifier()).argmax(1) == classes).float().mean())


def train(
    submission: Submission, challenge: Challenge, grading: Grading, given: dict[str, Any], steps: int = SMOKE_STEPS
) -> Smoke:
    """Train the model, built with the arguments in `given`, for so many steps, and look at what it does then."""
    sizes: Sizes = given["sizes"]
    images, labels = digits(SMOKE_DIGITS, SEED)
    held_out, held_out_labels = digits(HELD_OUT, SEED + 1)
    class_of, order = exchanged(challenge), rearranged(challenge)
    images, seen = images[:, order], held_out[:, order]
    one_hots, held_out_one_hots = (
        F.one_hot(class_of[each], NUM_CATEGORIES).float() for each in (labels, held_out_labels)
    )
    model = Model(submission, challenge, mean_image=start_image(images, grading, steps), **given)
    model.parameters = parameters = learned(model, images, one_hots, steps, challenge)
    means = require_shape(
        model.forward(seen, held_out_one_hots, challenge.seed()).outputs[1],
        (HELD_OUT, sizes.latent),
        "Your tensor of means",
    )
    submission.stop()  # what follows is decoded by a process that has seen no image
    model = Model(submission, challenge, **given)
    classes = torch.arange(NUM_CATEGORIES).repeat(SAMPLES)
    latents = challenge.normal(len(classes), sizes.latent)
    class_one_hots = F.one_hot(class_of[classes], NUM_CATEGORIES).float()
    latents, one_hots = torch.cat((means, latents)), torch.cat((held_out_one_hots, class_one_hots))
    taken = take(model, "decoder", latents, one_hots, challenge)

    def decode() -> Tensor:
        arguments: Sequence[Tensor] = [concatenate(latents, one_hots)]
        if "made of the class" in grading.kept:
            arguments = [next_to_class(model, latents, one_hots, grading.kept["made of the class"] == "first")]
        elif "draw changed by the class" in grading.kept:
            arguments = [with_class(model, latents, one_hots, challenge)]
        elif taken and len(taken.piece.input) == len(latents):
            arguments = taken.piece.arguments
        decoded = in_rows(model.call("decoder", *arguments).outputs[0])
        if (start := grading.kept.get("pixels of the decoder")) is not None:
            decoded = decoded[:, start : start + sizes.input_dim]
        decoded = require_shape(decoded, (len(latents), sizes.input_dim), "The decoder's output")
        decoded = decoded[:, order.argsort()]
        turn = grading.kept.get("probabilities in forward")
        return turn(decoded) if turn else decoded

    controls = [decode()[HELD_OUT:]]
    model.set(parameters)
    decoded = decode()
    for _ in range(CONTROLS - 1):
        model.set(out_of_order(parameters, sizes.input_dim, challenge))
        controls.append(decode()[HELD_OUT:])
        if recognized(controls[-1], classes) < MIN_RECOGNIZED:
            break  # the digits are gone: by chance, some remain in one of fifteen controls
    model.set(parameters)
    pieces = stood_in(given, "For your pictures")
    reconstructions, generated = decoded[:HELD_OUT], decoded[HELD_OUT:]
    return Smoke(held_out, held_out_labels, reconstructions, generated, classes, controls, pieces, steps)


def exchanged(challenge: Challenge) -> Tensor:
    """The class that each digit has in this run: another digit's, so that it must be learned."""
    order, class_of = challenge.uniform(0, 1, NUM_CATEGORIES).argsort(), torch.zeros(NUM_CATEGORIES, dtype=torch.long)
    class_of[order] = order.roll(1)
    return class_of


def rearranged(challenge: Challenge) -> Tensor:
    """The order of the pixels for this run: turned, mirrored and shifted, so that digits have other places."""
    places = torch.arange(INPUT_DIM).reshape(28, 28).rot90(challenge.integer(0, 3))
    places = places.T if challenge.integer(0, 1) else places
    return places.roll((challenge.integer(0, 27), challenge.integer(0, 27)), (0, 1)).flatten()


def learned(model: Model, images: Tensor, one_hots: Tensor, steps: int, challenge: Challenge) -> dict[str, Tensor]:
    """The parameters after so many training steps."""
    batches = challenge.integers(SMOKE_DIGITS, steps, SMOKE_BATCH_SIZE)
    try:
        trained = model.submission.train(
            "model",
            "loss_function",
            tensors={"images": images, "conditions": one_hots, "batches": batches},
            options={"learning_rate": SMOKE_LEARNING_RATE},
            seed=challenge.seed(),
        )
    except Raised:
        model.raise_incomplete()  # which explains what is missing
        raise
    if len(trained.losses) != steps or not torch.isfinite(trained.losses).all():
        fail(f"Your loss is not a finite number in each of the {steps} training steps.", "not-finite")
    return {
        name: require_shape(trained.parameters[name], tuple(value.shape), f"The parameter {name}")
        for name, value in model.parameters.items()
        if name in trained.parameters
    }


def start_image(images: Tensor, grading: Grading, steps: int) -> Tensor:
    """The image that the network starts at: the mean image, of which its pixels' biases are the logits.

    Without a sigmoid, which the decoder's part has judged, the long run starts at biases of 0.5, in the middle of what
    a hard sigmoid or a clamp lets through.
    """
    if steps == SLOW_STEPS and "decoder gives" in grading.kept and "probabilities in forward" not in grading.kept:
        return torch.full((images.shape[-1],), 0.5).sigmoid()
    return images.mean(0)


def out_of_order(parameters: Mapping[str, Tensor], pixels: int, challenge: Challenge) -> dict[str, Tensor]:
    """The parameters, the numbers of each weight in a random order: nothing that was learned is left in them.

    Biases stay, vectors of no more numbers than there are pixels. So no decoder can tell by a look at its parameters,
    whose distribution is the same, that they are a control.
    """
    changed = dict(parameters)
    for name, each in parameters.items():
        if each.numel() > pixels or sum(size > 1 for size in each.shape) > 1:
            order = challenge.uniform(0, 1, each.numel()).argsort()
            changed[name] = each.flatten()[order].reshape(each.shape)
    return changed


def next_to_class(model: Model, latents: Tensor, one_hots: Tensor, class_first: bool) -> Tensor:
    """The latents with what forward gives its decoder for these classes, for one that takes no one-hot class.

    The decoder's part has judged that. Forward gets blank images, so that this is a function of the class alone.
    """
    blank = torch.zeros(len(latents), model.sizes.input_dim)
    given = side_by_side(model.forward(blank, one_hots, 0, capture=["decoder"]).captured("decoder", "argument"))
    if given is None or len(given) != len(latents):
        fail("For many images your decoder gets something other than for a few.")
    width = given.shape[-1] - model.sizes.latent
    return torch.cat((given[:, :width], latents) if class_first else (latents, given[:, -width:]), -1)


def with_class(model: Model, latents: Tensor, one_hots: Tensor, challenge: Challenge) -> Tensor:
    """The latents as forward changes a draw by the class, for a decoder that is not told the class.

    The decoder's part has judged that. Forward gets images of noise, so that nothing of a digit is in the change.
    """
    noise = challenge.uniform(0, 1, len(latents), model.sizes.input_dim)
    reply = model.forward(noise, one_hots, challenge.seed(), capture=["sample_latent", "decoder"])
    drawn, given = (
        side_by_side(reply.captured(*each)) for each in (("sample_latent", "result"), ("decoder", "argument"))
    )
    changes = None if drawn is None or given is None else by_class(given, drawn, one_hots)
    if changes is None:
        fail("For many images your decoder gets something other than for a few.")
    factors, shifts = (each[one_hots.argmax(1)] for each in changes)
    return factors * latents + shifts


@check("The network can learn from its initial weights", 1, probes=probes.START)
def test_start(submission: Submission, challenge: Challenge, grading: Grading) -> None:
    with_stand_in(grading, lambda given: judge_start(submission, challenge, given))


def with_stand_in(grading: Grading, judge: Callable[[dict[str, Any]], None]) -> None:
    """Judge the model as it is; where what has cost its points is in the way, without that. Note what stands in.

    Another pass stands in for a wrong forward; and where encoder and decoder are wrong, their sizes may be fixed.
    """
    given = left_out(grading)
    layers = grading.checks.get("encoder", [])[:2]
    no_encoder = "encoder" in given["missing"] or not any(check.outcome is Outcome.PASSED for check in layers)
    if "decoder" in given["missing"] and no_encoder:
        fail("The grader replaced your decoder, and no layer of your encoder passes, so there is nothing to train.")
    try:
        judge(given)
        tell_stand_ins(given, grading)
    except (SubmissionError, Wrong) as error:
        others: list[dict[str, Any]] = [{"composed": True}] if grading.failed("forward") else []
        others += [{"sizes": Sizes()}] if grading.failed("encoder") and grading.failed("decoder") else []
        for other in others:
            with contextlib.suppress(SubmissionError, Wrong):
                if "composed" in other:
                    grading.forget_fits()
                judge(given | other)
                tell_stand_ins(given | other, grading)
                return
        raise error from None


def judge_start(submission: Submission, challenge: Challenge, given: dict[str, Any]) -> None:
    """Fail the check if some parameters of the model, built with the arguments in `given`, cannot start to learn."""
    judge_first_step(submission, challenge, given)
    own = starting_gradients(submission, challenge, given, own_start=True)
    if not any(holds_matrix(gradient.shape) for gradient in own.values()):
        fail("No gradient reaches the weights of a layer.", "not-trainable")
    stuck = without_gradient(own)
    if stuck:  # behind layers that start at zero, and learn at once, it is zero for a step
        own = starting_gradients(submission, challenge, given, own_start=True, steps=FIRST_STEPS)
        stuck = [name for name in stuck if name in without_gradient(own)]
    if stuck:
        ours = starting_gradients(submission, challenge, given, own_start=False)
        initialized_so = all(bool((ours[name] != 0).any()) for name in stuck if name in ours)
        fail(
            f"The gradient is zero for {first_few(stuck)}.",
            "stuck-start" if initialized_so else None,
        )
    alike = [name for name, gradient in own.items() if holds_matrix(gradient.shape) and same_rows(gradient)]
    if alike:
        fail(f"All units of a layer get the same gradient: see {', '.join(alike[:4])}.", "units-alike")


@dataclass
class FirstStep:
    """What a new model gives for a minibatch in the notebook's training."""

    divergence: float  # infinite if it, or a result, is not finite
    saturated: float  # the share of pixels that are exactly 0 or 1
    mean: float  # the largest
    logvariance: float

    @property
    def usual(self) -> bool:
        """Whether the divergence is nothing to worry about."""
        return self.divergence <= USUAL_DIVERGENCE

    @property
    def bad(self) -> bool:
        """Whether training cannot come down from there, as it does where far latents alone make pixels 0 or 1."""
        return self.divergence > MOST_DIVERGENCE or (self.usual and self.saturated > MOST_SATURATED)

    @property
    def said(self) -> str:
        """What is bad, for a message."""
        if not math.isfinite(self.mean) or not math.isfinite(self.logvariance):
            return "your `forward` gives NaN or infinite numbers for a first minibatch."
        if self.usual:
            return f"{self.saturated:.0%} of the pixels of a first minibatch come out as exactly 0 or 1."
        size = f"{self.divergence:.1e}" if math.isfinite(self.divergence) else "not finite"
        up_to = f"the log-variances of a first minibatch go up to {self.logvariance:.3g}"
        return f"{up_to}, and the means to {self.mean:.3g}. The loss is {size}."


def judge_first_step(submission: Submission, challenge: Challenge, given: dict[str, Any]) -> None:
    """Fail the check if training cannot bring down the loss that the constructor's weights start with.

    Another mistake can make a network overflow. So it is only for one that does not with the grader's weights.
    """
    first = first_step(submission, challenge, given)
    if first is None or (first.usual and not first.bad):
        return
    others = [first_step(submission, challenge, given) for _ in range(STARTS - 1)]
    starts = sorted(filter(None, (first, *others)), key=lambda each: (each.divergence, each.saturated))
    seen = starts[len(starts) // 2]
    if not seen.bad:
        return
    ours = first_step(submission, challenge, given | {"shrink": 1.0, "spreads": {}}, own_start=False)
    if ours and not ours.bad:
        fail(f"With your starting weights, {seen.said}", "start-too-large")


def first_step(
    submission: Submission, challenge: Challenge, given: dict[str, Any], own_start: bool = True
) -> FirstStep | None:
    """The first step of the notebook's training; None where the sizes do not fit, which is judged elsewhere."""
    sizes = Sizes(latent=TRAINING_LATENT_DIMENSIONALITY)
    images, labels = (each[:BATCH_SIZE] for each in digits(SMOKE_DIGITS, SEED))
    try:
        model = Model(submission, challenge, own_start=own_start, **{"sizes": sizes} | given)
        one_hots = F.one_hot(labels, NUM_CATEGORIES).float()
        results = [each.float() for each in model.forward(images, one_hots, challenge.seed()).outputs]
    except SubmissionError:
        return None
    pixels, means, logvariances = results
    if not means.shape == logvariances.shape == (len(images), model.sizes.latent):
        return None
    divergence = float(reference.loss_function(torch.ones(1), torch.ones(1), means, logvariances))
    finite = all(bool(each.isfinite().all()) for each in results) and math.isfinite(divergence)
    saturated = float(((pixels == 0) | (pixels == 1)).float().mean())
    largest = float(means.abs().max()), float(logvariances.max())
    return FirstStep(divergence if finite else math.inf, saturated, *largest)


def without_gradient(gradients: dict[str, Tensor]) -> list[str]:
    return [name for name, gradient in gradients.items() if gradient.numel() and not bool((gradient != 0).any())]


def same_rows(gradient: Tensor) -> bool:
    """Whether all rows of a matrix are equal, up to rounding, however small its numbers are."""
    if len(gradient) < 2 or not gradient.any():
        return False
    gradient = gradient / gradient.abs().max()
    return close(gradient, gradient[:1].expand_as(gradient), 1e-4)


def starting_gradients(
    submission: Submission, challenge: Challenge, given: dict[str, Any], own_start: bool, steps: int = 0
) -> dict[str, Tensor]:
    """The parameters' gradients in a fresh model, with the constructor's own numbers in them or with ours.

    With `steps`, after so many of training.
    """
    model = Model(submission, challenge, own_start=own_start, **given)
    if steps:
        pictures, labels = digits(SMOKE_DIGITS, SEED)
        model.set(learned(model, pictures, F.one_hot(labels, NUM_CATEGORIES).float(), steps, challenge))
    images, conditions = model.inputs(challenge)
    seed = challenge.seed()
    outputs = model.forward(images, conditions, seed).outputs
    cotangents = {index: challenge.normal(*output.shape) for index, output in enumerate(outputs)}
    return model.forward(images, conditions, seed, cotangents).gradients("parameter")


@check(
    "After a short training run it reconstructs unseen digits, and generates the requested class",
    4,
    probes=probes.LEARNS,
)
def test_learns(submission: Submission, challenge: Challenge, grading: Grading) -> None:
    with_stand_in(grading, lambda given: judge_learning(submission, challenge, grading, given))


def judge_learning(submission: Submission, challenge: Challenge, grading: Grading, given: dict[str, Any]) -> None:
    """Fail the check unless the model, built with the arguments in `given`, learns, and by gradients."""
    by_draw = "draw changed by the class" in grading.kept  # through which more comes if it is wider
    given = {"sizes": Sizes() if by_draw else Sizes(latent=SMOKE_LATENT_DIMENSIONALITY)} | given
    charged = grading.failed("encoder") or grading.failed("decoder")
    for steps in [SMOKE_STEPS] * TRIES + [SLOW_STEPS] * charged:
        grading.kept["smoke"] = smoke = train(submission, challenge, grading, given, steps)
        shortcoming = judge(smoke)
        if shortcoming is None:
            break
    if shortcoming is not None:
        untold = grading.blamed("decoder", "decoder-without-condition") and grading.kept.get("decoder gets no class")
        fail(f"{shortcoming} Your decoder is not told the class." if untold else shortcoming)
    require_gradient_steps(submission, challenge, grading, given)
    shares = [recognized(each, smoke.generated_classes) for each in smoke.controls]
    if shares[0] >= MIN_RECOGNIZED:
        fail("Your decoder shows the same digits with untrained parameters, so they do not come from training.")
    if min(shares[1:]) >= MIN_RECOGNIZED:
        fail("Your decoder shows the same digits with its weights out of order, so they do not come from training.")


def require_gradient_steps(
    submission: Submission, challenge: Challenge, grading: Grading, given: dict[str, Any]
) -> None:
    """Fail the check unless a training step moves the parameters as Adam's first step does, and nothing else does.

    That step is the learning rate against the sign of the gradient (Kingma & Ba 2015, algorithm 1), which the grader
    takes from another pass under the same seed. Where that is no such gradient, the step can be no longer all the same,
    and what no gradient reaches stays.
    """
    sizes, seed = given["sizes"], challenge.seed()
    images, labels = (each[:SMOKE_BATCH_SIZE] for each in digits(SMOKE_DIGITS, SEED))
    one_hots = F.one_hot(labels, NUM_CATEGORIES).float()
    model = Model(submission, challenge, mean_image=images.mean(0), **given)
    outputs, again = (model.forward(images, one_hots, seed).outputs for _ in range(2))
    shapes = [tuple(each.flatten(1).shape) if each.dim() > 1 else () for each in outputs]
    # Forward is judged by its shapes elsewhere, and may draw from a generator that the seed does not reach.
    known = shapes == expected_shapes(sizes) and all(map(close, outputs, again))
    slopes = (
        slopes_of_loss(submission, grading, images, outputs)
        if known
        else {at: challenge.normal(*each.shape) for at, each in enumerate(outputs)}
    )
    gradients = model.forward(images, one_hots, seed, cotangents=slopes).gradients("parameter")
    trained = submission.train(
        model.handle,
        "loss_function",
        tensors={"images": images, "conditions": one_hots, "batches": torch.arange(SMOKE_BATCH_SIZE)[None]},
        options={"learning_rate": SMOKE_LEARNING_RATE},
        seed=seed,
    ).parameters
    clear = 1e-4 * max((float(each.abs().max()) for each in gradients.values() if each.numel()), default=0.0)
    for name, before in model.parameters.items():
        moved = trained.get(name, before) - before
        gradient = gradients.get(name, torch.zeros_like(before))
        expected = -SMOKE_LEARNING_RATE * gradient / (gradient.abs() + 1e-8)
        judged = gradient.abs() > clear if known else torch.zeros_like(gradient, dtype=torch.bool)
        off = ((moved - expected).abs() > 0.02 * SMOKE_LEARNING_RATE)[judged]  # elsewhere, rounding decides
        too_far = bool((moved.abs() > 1.02 * SMOKE_LEARNING_RATE).any()) or (not gradient.any() and bool(moved.any()))
        if too_far or (off.numel() and float(off.float().mean()) > 0.01):
            fail(f"A training step does not move `{name}` along its gradient: something else changes it.")


def slopes_of_loss(
    submission: Submission, grading: Grading, images: Tensor, outputs: Sequence[Tensor]
) -> dict[int, Tensor]:
    """The gradients of the loss with respect to the three results of forward: of the submission's, if it is right."""
    if not grading.failed("loss_function"):
        reconstructions, means, logvariances = outputs
        arguments = (reconstructions.flatten(1), images, means, logvariances)
        ones = {0: torch.ones(())}
        own = submission.call("loss_function", *arguments, cotangents=ones, constants=[1]).gradients("argument")
        return {of: own[str(at)].reshape(outputs[of].shape) for of, at in enumerate((0, 2, 3)) if str(at) in own}
    leaves = [each.requires_grad_() for each in outputs]
    reconstructions, *latents = (each.flatten(1) for each in leaves)
    loss = reference.loss_function(reconstructions.clamp(1e-6, 1 - 1e-6), images, *latents)
    return dict(enumerate(torch.autograd.grad(loss, leaves)))


def expected_shapes(sizes: Sizes) -> list[tuple[int, ...]]:
    """Those of the three results of forward for a minibatch, flattened."""
    return [(SMOKE_BATCH_SIZE, size) for size in (sizes.input_dim, sizes.latent, sizes.latent)]


def judge(smoke: Smoke) -> str | None:
    """What the trained network cannot do, or None."""
    mean_image = digits(SMOKE_DIGITS, SEED)[0].mean(0).expand_as(smoke.originals)
    loss, bound = (  # away from 0 and 1, where one pixel off would cost more than all others
        float(F.binary_cross_entropy(images.clamp(1e-3, 1 - 1e-3), smoke.originals, reduction="sum")) / HELD_OUT
        for images in (smoke.reconstructions, mean_image)
    )
    if not loss <= MAX_LOSS * bound:
        return (
            f"After {smoke.steps} steps, the cross-entropy of your reconstructions of unseen digits is {loss:.1f} nats "
            f"per image. Predicting the average training digit for every image gives {bound:.1f}; the assignment's "
            f"network gets below {MAX_LOSS * bound:.1f} in as many steps."
        )
    share = recognized(smoke.generated, smoke.generated_classes)
    if not share >= MIN_RECOGNIZED:
        return (
            f"Of {len(smoke.generated)} digits that your trained decoder generated, {share:.0%} show the right "
            f"class; {MIN_RECOGNIZED:.0%} is enough."
        )
    return None
