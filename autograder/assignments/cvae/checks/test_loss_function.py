"""loss_function: each term by itself, their average over a minibatch, gradients, and no loops.

The terms are told apart by differences between calls that change one of them alone, on a single image. Where one is
wrong, the average, the shapes and the gradients are judged by what the submission itself makes of a single image, so
that each mistake costs its own points and no others.
"""

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise, product
from typing import NoReturn

import pytest
import torch
from torch import Tensor

from autograder.assignments.cvae.assignment import (
    EXAMPLE_ORIGINAL_LOGITS,
    EXAMPLE_RECONSTRUCTION_LOGITS,
    INPUT_DIM,
    LATENT_DIMENSIONALITY,
    TRAINING_LATENT_DIMENSIONALITY,
)
from autograder.assignments.cvae.checks import probes
from autograder.assignments.cvae.checks.network import CLASS
from autograder.assignments.cvae.hints.formulas import POINTS, Formula, exponent_in, formula, of_divergence, of_pixel
from autograder.assignments.cvae.hints.loss import COPIES, copied, diagnose
from autograder.assignments.cvae.solution import cs5814_vae as reference
from autograder.grading.harness import Challenge, Grading, Wrong, check, close, fail, once, require_arguments_unchanged
from autograder.report.model import Outcome
from autograder.report.summary import listed
from autograder.sandbox.client import Reply, Submission
from autograder.sandbox.errors import Raised, SubmissionError
from autograder.sandbox.outline import Outline

pytestmark = pytest.mark.loss_function

# Away from 0 and 1, so that a small constant inside a hand-written logarithm makes no difference that counts.
LOW, HIGH = 0.05, 0.95
# float32 sums of 784 terms round to some 1e-6 of their value; a constant of 1e-5 in a logarithm adds 1e-4.
TOLERANCE = 2e-4
MOST_CHANGE = 0.2  # from call to call, for an average still to be seen: a divergence of one draw changes by less
MOST_RESULTS = 4  # of a loss that returns its terms, too
# Beyond the usual ones, where a bound on them shows, and how far off the divergence may be there: a constant of 1e-6
# next to a variance of exp(-12.5) changes its logarithm by 0.24.
FAR_LOGVARIANCES = ((-12.5, 0.015), (12.0, TOLERANCE))
COARSE = 0.02  # of a change, for a loss in half precision
CHANGES = 3  # of the loss, on which each term is judged
LATENTS = 23  # dimensions on which the divergence is judged: a number that nobody writes into a loss
MOVED = 1e-5  # between gradients of equal calls: float32 gives the same ones far more exactly
WEIGHED = 24  # pixels, to see whether all count alike
# Of reconstructions from 0 or 1: a bound that keeps logarithms finite is finer.
FINEST, MARGINS = 5e-4, (5e-4, 5e-3, 0.03)
ROUGH = 0.02  # of a change to a margin: a constant of 1e-4 in a logarithm changes it by that much
FAR_MEAN = 12.0  # the largest mean at which a bound on means is looked for
EXAMPLE_TOLERANCE = 0.01  # of the worked example's 8.83: the largest right constant in a logarithm changes it by 0.006
MOST_AT_ZERO = 150  # times what a reconstruction of FINEST costs, for one of 0: 1,000 for each pixel


def value_on(submission: Submission, *arguments: Tensor, seed: int = 0, averaged: bool = False) -> float:
    """The loss of these arguments by one call of the submission's function."""
    reply = submission.call("loss_function", *arguments, seed=seed, results=1, unpack=True)
    return float(value_of(reply, len(arguments[2]), averaged))


def value_of(reply: Reply, images: int, averaged: bool = False) -> Tensor:
    """The loss of so many images in a reply; fails the check if it is no scalar (a single element will do).

    Of one number for each image, it is the average: that these are not `averaged` costs the check of the average alone.
    Of three or four results, it is the one that is the sum of the others, or else the first: that there are more costs
    the check of gradients. Five hold more than a loss and its terms, and the first counts: no candidate is picked. In
    (loss, reconstruction, -divergence), as public code logs them, the sum in the middle is none. Two may be the two
    terms, of which none is the loss.
    """
    loss, *more = reply.outputs
    if 1 < len(more) < MOST_RESULTS and all(each.shape == loss.shape for each in more):
        # Where a term is near 0, the other one is nearly such a sum, too: the nearest counts.
        total = sum(more, loss)
        off = [float((total - 2 * each).abs().max()) if each.numel() else 0.0 for each in reply.outputs]
        nearest = reply.outputs[min(range(len(off)), key=off.__getitem__)]
        before_terms = len(more) == 2 and nearest is more[0] and bool((more[1] < 0).all())
        loss = nearest if close(total - nearest, nearest) and not before_terms else loss
    if reply.packing and (loss.numel() != 1 or len(more) == 1):
        raise reply.packing
    per_image = loss.numel() == images and loss.numel() > 1
    if loss.numel() != 1 and (averaged or not per_image):
        named = "loss-per-image" if per_image else "loss-not-scalar"
        fail(f"Your loss has shape {tuple(loss.shape)}; the assignment asks for a scalar.", named)
    return loss.mean()


@dataclass(frozen=True)
class Form:
    """What the loss takes: images that are flat or shaped (N, 1, H, W), and any numbers or only the usual ones.

    Shapes that it does not take cost the check of image shapes, values of pixels that of the reconstruction term, and
    latents that of the divergence. Everything else is judged on what it takes.

    Attributes:
        pixels, latents: which values they may have, see `PIXELS_TAKEN` and `LATENTS_TAKEN`.
        half: the terms that are right but in half precision, and the type. That costs the check of their sum.
    """

    flat: bool = True
    any_pixels: bool = True
    any_latents: bool = True
    pixels: str = "any"
    latents: str = "any"
    half: Mapping[str, str] = field(default_factory=dict)

    @property
    def tolerance(self) -> float:
        """How far off a loss may be, relative to it."""
        return COARSE if self.half else TOLERANCE

    def of_term(self, term: str) -> float:
        """How far off a change of this term may be, relative to it."""
        return COARSE if term in self.half else TOLERANCE

    @property
    def takes_any_values(self) -> bool:
        """Whether it stops for no pixels and latents of a usual size."""
        return self.pixels == self.latents == "any"

    def within(self, *arguments: Tensor) -> tuple[Tensor, ...]:
        """The arguments, or values in their proportions that the loss takes."""
        images, latents = arguments[:2], arguments[2:]
        return *PIXELS_TAKEN[self.pixels](*images), *LATENTS_TAKEN[self.latents](*latents)

    def shaped(self, images: Tensor) -> Tensor:
        """(N, D) images in this form; no sides are equal but those of the usual images."""
        pixels = images.shape[-1]
        height = 28 if pixels == INPUT_DIM else max(side for side in range(1, int(pixels**0.5)) if pixels % side == 0)
        return images if self.flat else images.reshape(len(images), 1, height, pixels // height)

    def inputs(
        self,
        challenge: Challenge,
        batch: int,
        pixels: int = INPUT_DIM,
        latent: int = LATENT_DIMENSIONALITY,
        low: float = -2,
    ) -> tuple[Tensor, ...]:
        """Random reconstructions, originals, means and log-variances."""
        pixels = pixels if self.any_pixels else INPUT_DIM
        latent = latent if self.any_latents else LATENT_DIMENSIONALITY
        images = (self.shaped(challenge.uniform(LOW, HIGH, batch, pixels)) for _ in range(2))
        return self.within(*images, 2 * challenge.normal(batch, latent), challenge.uniform(low, 2, batch, latent))

    def widest(self, challenge: Challenge, latent: int = LATENT_DIMENSIONALITY) -> tuple[Tensor, ...]:
        """Arguments that have all that it can get: the ends of the latents, and no number that comes by chance."""
        *images, _, _ = replace(self, pixels="any").inputs(challenge, 2, 12, latent)
        images[0].flatten(1)[:, :2] = torch.tensor([LOW, HIGH])
        ends = torch.linspace(-1, 1, latent).expand(2, -1)
        return self.within(*images, 9 * ends, 2 * ends)


# What a loss takes that stops for other values: reconstructions and originals away from the ends, or black and white.
PIXELS_TAKEN: dict[str, Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]] = {
    "any": lambda reconstructions, originals: (reconstructions, originals),
    "black and white": lambda reconstructions, originals: (reconstructions, (originals > 0.5).float()),
    "middle": lambda reconstructions, originals: (0.3 + 0.4 * reconstructions, 0.3 + 0.4 * originals),
}
# Latents on one side of 0, or next to it.
LATENTS_TAKEN: dict[str, Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]] = {
    "any": lambda means, logvariances: (means, logvariances),
    "below 0": lambda means, logvariances: (means, -logvariances.abs() - 0.1),
    "above 0": lambda means, logvariances: (means, logvariances.abs() + 0.1),
    "small": lambda means, logvariances: (means / 10, logvariances / 10),
}


@pytest.fixture(scope="module")
def form(submission: Submission, grading: Grading) -> Form:
    """The first form that the loss takes without an error; the usual one if it takes none."""
    challenge = Challenge(grading.seed, "form")

    def takes(form: Form, latent: int = LATENT_DIMENSIONALITY) -> bool:
        with contextlib.suppress(Raised):
            submission.call("loss_function", *form.widest(challenge, latent))
            return True
        return False

    shapes = [Form(flat, any_pixels) for flat, any_pixels in product((True, False), repeat=2)]
    values = product(PIXELS_TAKEN, LATENTS_TAKEN)
    forms = (replace(each, pixels=pixels, latents=latents) for (pixels, latents), each in product(values, shapes))
    with contextlib.suppress(SubmissionError):
        if taken := next(filter(takes, forms), None):
            return replace(taken, any_latents=takes(taken, LATENTS), half=rounded_terms(submission, challenge, taken))
    return Form()


def alone(term: str, arguments: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The arguments of one term, where the other term is 0."""
    reconstructions, originals, means, logvariances = arguments
    if term == "kl":
        return 0 * reconstructions, 0 * originals, means, logvariances
    return reconstructions, originals, 0 * means, 0 * logvariances


def rounded_terms(submission: Submission, challenge: Challenge, form: Form) -> dict[str, str]:
    """The terms that are nearly right, but in half precision: bfloat16 or float16."""
    if not form.takes_any_values:
        return {}
    with contextlib.suppress(SubmissionError, Wrong):
        kinds = {term: half_precision(submission, challenge, form, term) for term in NAMES}
        return {term: kind for term, kind in kinds.items() if kind}
    return {}


def half_precision(submission: Submission, challenge: Challenge, form: Form, term: str) -> str:
    """The type of a term whose values have few digits, or are the same for arguments of few digits; else empty."""
    # The few digits first: to these, many arguments give the same.
    signs = {(sign, kind): None for sign in ("digits", "arguments") for kind in ("bfloat16", "float16")}
    for _ in range(CHANGES):  # one number may have few digits by chance
        arguments = alone(term, form.inputs(challenge, 1))
        value = torch.tensor(value_on(submission, *arguments))
        if not close(value, reference.loss_function(*arguments), 0.03):
            return ""
        for sign, kind in [*signs]:
            few = [each.to(getattr(torch, kind)).float() for each in (value, *arguments)]
            if value != (few[0] if sign == "digits" else value_on(submission, *few[1:])):
                del signs[sign, kind]
        if not signs:
            return ""
    return next(kind for _, kind in signs)


def said_of_half(submission: Submission, challenge: Challenge, form: Form) -> str:
    """What to say of terms in half precision, with the value that is off most among a few of one term."""
    points = [(term, alone(term, form.inputs(challenge, 1))) for term in form.half for _ in range(6)]
    found = [(term, value_on(submission, *each), float(reference.loss_function(*each))) for term, each in points]
    term, value, right = max(found, key=lambda each: abs(each[1] / each[2] - 1))
    digits = "two or three" if form.half[term] == "bfloat16" else "about three"
    said = f"Your {NAMES[term]} has {digits} digits, as numbers of {form.half[term]} have."
    return f"{said} For one image it is {value:.6g} instead of {right:.6g}."


@dataclass(frozen=True)
class Moving:
    """What changes in a loss from call to call, with the same arguments.

    Attributes:
        terms: those that change. None, where the sum of the two is multiplied or added to.
        wrong: the mistake of each other term that is wrong in every call, by its gradients; empty for one without them.
    """

    terms: frozenset[str]
    wrong: dict[str, str]


@pytest.fixture(scope="module")
def moving(submission: Submission, grading: Grading, form: Form) -> Moving | None:
    """What changes in the loss from call to call; None for a loss that depends on its arguments alone."""
    with contextlib.suppress(SubmissionError, Wrong):
        return find_moving(submission, Challenge(grading.seed, "moving"), form)
    return None


def find_moving(submission: Submission, challenge: Challenge, form: Form) -> Moving | None:
    """Compare equal calls by their gradients: the value of a call is one sum, but each term has its own gradient."""
    arguments = form.inputs(challenge, 1, WEIGHED, low=0.2)  # a wrong term may take their logarithm
    leaves = [argument.clone().requires_grad_() for argument in arguments]
    right = by_term(torch.autograd.grad(reference.loss_function(*leaves), leaves))
    replies = [with_gradients(submission, arguments, challenge.seed()) for _ in range(CHANGES)]
    values, gradients = [value_of(each, 1) for each in replies], [each.gradients("argument") for each in replies]
    if not all(gradients) or not torch.stack(values).isfinite().all():
        return None
    calls = [by_term([found.get(str(at), 0 * each) for at, each in enumerate(arguments)]) for found in gradients]
    moved = {term for term in right if not all(close(call[term], calls[0][term], MOVED) for call in calls)}
    if not moved and close(torch.stack(values), values[0].expand(CHANGES), MOVED):
        return None
    factors = [{term: factor_of(call[term], right[term]) for term in right} for call in calls]
    # Both terms are the same multiple of the right ones in each call. One that moves alone does so however little.
    if len(moved) != 1 and all(each["kl"] and _alike(each["reconstruction"], each["kl"]) for each in factors):
        return Moving(frozenset(), {})
    wrong = {}
    for term in right.keys() - moved:
        if not all(_alike(each[term], 1) for each in factors):
            named = f"{term}-{'scaled' if factors[0][term] else 'other'}"
            wrong[term] = named if calls[0][term].any() else ""
    return Moving(frozenset(moved), wrong)


def with_gradients(submission: Submission, arguments: tuple[Tensor, ...], seed: int = 0) -> Reply:
    """The reply to one call with its gradients; of a loss in any shape, those of its sum."""
    cotangents = {0: torch.ones(())}
    return submission.call(
        "loss_function", *arguments, seed=seed, cotangents=cotangents, constants=[1], results=1, unpack=True
    )


def by_term(gradients: Sequence[Tensor]) -> dict[str, Tensor]:
    """What each term has in the gradients by the four arguments."""
    return {"reconstruction": gradients[0].flatten(), "kl": torch.cat([each.flatten() for each in gradients[2:]])}


def factor_of(found: Tensor, right: Tensor) -> float | None:
    """The factor by which (P,) numbers differ from the right ones everywhere; None where it is none above 0."""
    factor = float(found @ right / right.square().sum())
    return factor if factor > 0 and close(found, factor * right) else None


def _alike(one: float | None, other: float) -> bool:
    return one is not None and math.isclose(one, other, rel_tol=1e-3)


_MOVES = "Two calls of your loss with the same arguments gave two different values."


def judge_moving(term: str, moving: Moving, grading: Grading) -> None:
    """Judge one term of a loss that changes from call to call, by its gradients."""
    name = NAMES[term]
    if term in moving.terms:
        fail(f"{_MOVES} Your {name} changes from call to call.", "loss-changes")
    if term in moving.wrong:
        fail(f"{_MOVES} In each call, the gradient of your {name} is wrong.", moving.wrong[term])
    grading.replaced.append(
        f"Your loss changes from call to call. Its gradients show that the {name} is right in each call."
    )


def without_moving(arguments: tuple[Tensor, ...], moving: Moving | None) -> tuple[Tensor, ...]:
    """The arguments, but such that a right term is next to 0 if it is the one that changes from call to call."""
    images, latents = arguments[:2], arguments[2:]
    if moving and "reconstruction" in moving.terms:
        images = (0 * images[0] + 1e-6, 0 * images[1])
    if moving and "kl" in moving.terms:
        latents = tuple(0 * each for each in latents)
    return (*images, *latents)


@pytest.fixture(scope="module")
def mistakes(submission: Submission, grading: Grading, form: Form) -> Callable[[], list[str]]:
    """Finds the mistakes behind wrong values, once for all the checks that such a value fails."""
    return once(lambda: find_mistakes(submission, Challenge(grading.seed, "mistakes"), form))


def find_mistakes(submission: Submission, challenge: Challenge, form: Form) -> list[str]:
    loss, flat = of_flat_images(submission, form)
    try:
        *images, means, logvariances = flat.inputs(challenge, 2, WEIGHED)  # few pixels hide no small change
        for scale in (1, 20):  # so that each term counts once
            values = [loss(*images, scale * means, logvariances, seed=challenge.seed()) for _ in range(3)]
            if max(values) - min(values) > TOLERANCE * abs(values[0]):
                return ["loss-changes"]
        if form.half:
            return []  # its rounding would be taken for a mistake
        points = [flat.inputs(challenge, 1) for _ in range(6)]
        numbers = torch.tensor([loss(*each) for each in points])
        right = torch.stack([reference.loss_function(*each) for each in points])
        found = diagnose(loss, partial(flat.inputs, challenge))
        if not numbers.isfinite().any() and all(each.endswith("-other") for each in found):
            return ["loss-infinite"]
        if found == ["loss-constant-off"] and averages_first(loss, flat, challenge):
            return ["averaged-too-early"]
        if found == ["divided-by-constant"]:
            return by_divisor(loss, flat, challenge)
        if found == ["loss-constant-off"] and close(numbers, right, TOLERANCE):
            several = flat.inputs(challenge, 6)
            if not close(torch.tensor(loss(*several)), reference.loss_function(*several), TOLERANCE):
                return mixing_terms(mixed_arguments(loss, flat, challenge)) or ["batch-other"]
            return by_divisor(loss, flat, challenge)
        sums = [each for each in found if each.endswith(("-summed-over-batch", "batch-other"))]
        if sums and (mixed := mixed_arguments(loss, flat, challenge)):  # then copies of one image tell of no sum
            return [*(each for each in found if each not in sums), *(mixing_terms(mixed) or ["batch-other"])]
        if found == ["reconstruction-other"]:
            return (
                (["loss-off-by-originals"] if off_by_originals(loss, flat, challenge) else [])
                or edges(submission, form)
                or constant_in_logarithms(loss, flat, challenge)
                or pixel_weights(loss, flat, challenge)
                or (["originals-changed"] if counted_originals(loss, flat, challenge) else [])
                or (["reconstruction-rescaled"] if rescaling(loss, flat, challenge) else [])
                or found
            )
        return found
    except SubmissionError:
        return []
    except Wrong as error:
        return error.misconceptions


def of_flat_images(submission: Submission, form: Form) -> tuple[Callable[..., float], Form]:
    """The loss as a function of flat images, and their form."""

    def loss(reconstructions: Tensor, originals: Tensor, *parameters: Tensor, seed: int = 0) -> float:
        images = form.shaped(reconstructions), form.shaped(originals)
        return value_on(submission, *images, *parameters, seed=seed)

    return loss, replace(form, flat=True)


SIZES = (
    (2, 12, 7),
    (150, 12, 7),
    (150, 12, 200),
    (150, 200, 7),
)  # of images, pixels and latents: far apart, in any order
DIVISORS: dict[str, Callable[[int, int, int], int]] = {
    "the number of images": lambda n, d, latent: n,
    "the larger of the numbers of images and latent dimensions": lambda n, d, latent: max(n, latent),
    "the smaller of the numbers of images and latent dimensions": lambda n, d, latent: min(n, latent),
    "the larger of the numbers of images and pixels": lambda n, d, latent: max(n, d),
    "the smaller of the numbers of images and pixels": lambda n, d, latent: min(n, d),
}


def divisor(loss: Callable[..., float], form: Form, challenge: Challenge) -> str:
    """What the sum over the images is divided by, in words; empty where that is unknown."""
    found = []
    for batch, pixels, latent in SIZES:
        arguments = form.inputs(challenge, batch, pixels, latent, low=0.2)
        sizes = batch, arguments[1].shape[-1], arguments[2].shape[-1]
        found.append((sizes, batch * float(reference.loss_function(*arguments)) / loss(*arguments)))
    laws = {"a fixed number": lambda *_: found[0][1], **DIVISORS}
    return next(
        (name for name, law in laws.items() if all(math.isclose(law(*at), each, rel_tol=1e-3) for at, each in found)),
        "",
    )


def by_divisor(loss: Callable[..., float], form: Form, challenge: Challenge) -> list[str]:
    """The mistake of a loss that is right but for its divisor, on minibatches of one or a few images."""
    law = divisor(loss, form, challenge)
    named = {"": "batch-other", "a fixed number": "divided-by-constant", "the number of images": "loss-constant-off"}
    return [named.get(law, "divided-by-other-size")]


def off_by_originals(loss: Callable[..., float], form: Form, challenge: Challenge) -> bool:
    """Whether what a loss is off by depends on the originals, and on no other argument."""
    depends = set()
    for _ in range(CHANGES):
        start, other = (form.inputs(challenge, 1, WEIGHED, low=0.2) for _ in range(2))
        points = [tuple(other[each] if each == at else start[each] for each in range(4)) for at in (None, *range(4))]
        first, *others = (loss(*each) - float(reference.loss_function(*each)) for each in points)
        depends |= {ARGUMENTS[at] for at, each in enumerate(others) if not abs(each - first) < 0.01}
    return depends == {"originals"}


ARGUMENTS = "reconstructions", "originals", "means", "log-variances"
# What a loss may average over the minibatch before it does anything else: each of an argument, by its place.
AVERAGES: dict[str, tuple[int, Callable[[Tensor], Tensor]]] = {
    **{name: (at, lambda each: each.mean(0, keepdim=True)) for at, name in enumerate(ARGUMENTS)},
    "variances": (3, lambda each: each.exp().mean(0, keepdim=True).log()),
    "standard deviations": (3, lambda each: 2 * (each / 2).exp().mean(0, keepdim=True).log()),
}
SPREADS = "log-variances", "variances", "standard deviations"


def averages_first(loss: Callable[..., float], form: Form, challenge: Challenge) -> str:
    """Of which of its arguments the loss takes the average over the minibatch first, in words; empty for none.

    That is right for one image.
    """
    minibatches = [form.inputs(challenge, 6, WEIGHED) for _ in range(CHANGES)]  # one may fit by chance
    observed = torch.tensor([loss(*each) for each in minibatches])

    def fits(*chosen: str) -> bool:
        expected = []
        for arguments in minibatches:
            averaged = list(arguments)
            for at, average in (AVERAGES[name] for name in chosen):
                averaged[at] = average(arguments[at]).expand_as(arguments[at])
            expected.append(reference.loss_function(*averaged))
        return close(observed, torch.stack(expected), TOLERANCE)

    images, latents = ARGUMENTS[:2], [("means", each) for each in SPREADS]
    tried = [(name,) for name in AVERAGES] + [images, *latents, *((*images, *each) for each in latents)]
    found = [] if fits() else [chosen for chosen in tried if fits(*chosen)]
    return listed([f"the {name}" for name in found[0]]) if found else ""


def mixed_arguments(loss: Callable[..., float], form: Form, challenge: Challenge) -> set[tuple[int, int]]:
    """Pairs of arguments, by their places, for which the loss mixes one image's with another's; one may be both.

    In an average over the images, what a change of one image makes of the loss is the same for all values of another.
    """

    def value(start: tuple[Tensor, ...], other: tuple[Tensor, ...], first: int | None, second: int | None) -> float:
        """With the argument `first` of the first half of the images changed, and `second` of the other half."""
        arguments = [each.clone() for each in start]
        for at, rows in ((first, slice(0, 3)), (second, slice(3, 6))):
            if at is not None:
                arguments[at][rows] = other[at][rows]
        return loss(*arguments)

    pairs = set()
    for _ in range(CHANGES):  # what a maximum or a median is of may stay the same
        start, other = (form.inputs(challenge, 6, WEIGHED, low=0.2) for _ in range(2))
        changed = partial(value, start, other)
        unchanged = changed(None, None)
        firsts, seconds = [changed(at, None) for at in range(4)], [changed(None, at) for at in range(4)]
        for first, second in product(range(4), repeat=2):
            both = changed(first, second)
            off = both - firsts[first] - seconds[second] + unchanged
            largest = max(map(abs, (both, firsts[first], seconds[second], unchanged)))
            if abs(off) > TOLERANCE * largest:
                pairs.add((first, second))
    return pairs


def mixing_terms(pairs: set[tuple[int, int]]) -> list[str]:
    """The mistake of each term that mixes images by itself; empty where both of them meet."""
    terms = {tuple(sorted({"reconstruction" if at < 2 else "kl" for at in pair}, reverse=True)) for pair in pairs}
    return [] if any(len(each) > 1 for each in terms) else [f"{term}-mixes-images" for (term,) in sorted(terms)[::-1]]


def pixel_weights(loss: Callable[..., float], form: Form, challenge: Challenge) -> list[str]:
    """The mistake of a cross-entropy in which some pixels count more than others; empty for any other."""
    reconstructions, originals, *parameters = form.inputs(challenge, 1, WEIGHED)
    originals = (originals > 0.7).float()  # a gray pixel would mix the weights of black and white
    weights = []
    for pixel in range(WEIGHED):
        changed = [reconstructions.clone() for _ in range(3)]
        for each, value in zip(changed, (0.1, 0.5, 0.9), strict=True):
            each[0, pixel] = value
        losses = [loss(each, originals, *parameters) for each in changed]
        right = [float(reference.loss_function(each, originals, *parameters)) for each in changed]
        steps = [right[at] - right[at + 1] for at in range(2)]
        if min(map(abs, steps)) < 0.02:  # rounding would decide
            continue
        one, other = ((losses[at] - losses[at + 1]) / step for at, step in enumerate(steps))
        if not (one > 0 and close(torch.tensor(one), torch.tensor(other), 0.05)):
            return []
        weights.append(one)
    return ["reconstruction-weighted"] if weights and max(weights) > 1.05 * min(weights) else []


def counted_originals(loss: Callable[..., float], form: Form, challenge: Challenge) -> list[tuple[float, float]]:
    """Some originals and what a cross-entropy takes for each; empty if that is them, or does not follow from them."""
    images, _, *parameters = form.inputs(challenge, 1, WEIGHED)
    counts = []
    for original in (0.1, 0.4, 0.7, 0.9):
        gray = torch.full_like(images, original)
        losses = {each: loss(torch.full_like(images, each), gray, *parameters) for each in (0.3, 0.5, 0.8)}
        counted = []  # as this original, by each pair of reconstructions
        for one, other in pairwise(losses):
            white, black = math.log(one / other), math.log((1 - one) / (1 - other))
            change = (losses[other] - losses[one]) / images.numel()
            counted.append((change - black) / (white - black))
        if not abs(counted[0] - counted[1]) < 0.01:
            return []
        counts.append((original, counted[0]))
    depends = abs(counts[-1][1] - counts[0][1]) > 1e-3
    return counts if depends and any(abs(one - other) > 0.02 for one, other in counts) else []


def rescaling(loss: Callable[..., float], form: Form, challenge: Challenge) -> tuple[float, float] | None:
    """The a and b of a cross-entropy of a · r + b in place of the reconstructions r; None for any other."""
    images = [form.inputs(challenge, 1, WEIGHED) for _ in range(CHANGES)]
    plain, _, *parameters = images[0]
    low, high = 0.6, 0.9  # where 2 · r - 1 is a probability, too

    def ratio(original: float) -> float:
        """What a pixel's probability of this color at `high` is, times that at `low`."""
        values = [loss(0 * plain + each, 0 * plain + original, *parameters) for each in (low, high)]
        return math.exp(max(-50.0, min((values[0] - values[1]) / plain.numel(), 50.0)))

    white, black = ratio(1), ratio(0)
    if math.isclose(white, black):
        return None
    at_low = (1 - black) / (white - black)
    slope = (white - 1) * at_low / (high - low)
    offset = at_low - slope * low
    for (one, originals, *_), (other, *_) in pairwise(images):
        pair = [low + (high - low) * each for each in (one, other)]
        given = [each * slope + offset for each in pair]
        if not all(bool(((each > 0) & (each < 1)).all()) for each in given):
            return None
        losses = [loss(each, originals, *parameters) for each in pair]
        right = [reference.loss_function(each, originals, *parameters) for each in given]
        if not close(torch.tensor(losses[0] - losses[1]), right[0] - right[1]):
            return None
    return None if math.isclose(slope, 1, abs_tol=1e-2) and abs(offset) < 1e-2 else (slope, offset)


def said_of_pixels(submission: Submission, challenge: Challenge, form: Form, mistakes: list[str]) -> str:
    """What a cross-entropy takes for the pixels that it changes first, in words; empty for other mistakes."""
    loss, flat = of_flat_images(submission, form)
    with contextlib.suppress(SubmissionError, Wrong):
        if mistakes == ["reconstruction-rescaled"] and (line := rescaling(loss, flat, challenge)):
            return f" It is the cross-entropy of {linear(*line, 'r')} for each reconstruction r."
        if mistakes == ["originals-changed"] and (counts := counted_originals(loss, flat, challenge)):
            (first, one), *_, (last, other) = counts
            slope = (other - one) / (last - first)
            if all(abs(one + slope * (each - first) - counted) < 0.005 for each, counted in counts):
                return f" It is the cross-entropy with {linear(slope, one - slope * first, 'x')} for each original x."
            original, counted = max(counts, key=lambda each: abs(each[0] - each[1]))
            return f" It takes an original of {original:g} for {counted:.3g}."
    return ""


def linear(slope: float, offset: float, name: str) -> str:
    """`0.5 · x + 0.5`, or `x / 255`."""
    if 0 < slope < 0.1 and abs(1 / slope - round(1 / slope)) < 0.01 / slope:
        said = f"{name} / {round(1 / slope)}"
    else:
        said = name if abs(slope - 1) < 1e-3 else f"{slope:.3g} · {name}"
    return said if abs(offset) < 2e-3 else f"{said} {'-' if offset < 0 else '+'} {abs(offset):.3g}"


def constant_in_logarithms(loss: Callable[..., float], form: Form, challenge: Challenge) -> list[str]:
    """The mistake of a cross-entropy of log(r + c) and log(1 - r + c) with a c that shows; empty for any other."""
    images = [form.inputs(challenge, 1, WEIGHED) for _ in range(3)]
    *_, means, logvariances = images[0]

    def change(one: Tensor, other: Tensor, originals: Tensor) -> float:
        return loss(one, originals, means, logvariances) - loss(other, originals, means, logvariances)

    white = torch.ones_like(images[0][0])
    ratio = math.exp(min(change(0.05 * white, 0.5 * white, white) / white.numel(), 10.0))  # (0.5 + c) / (0.05 + c)
    constant = (0.5 - 0.05 * ratio) / (ratio - 1) if ratio > 1 else 0.0
    if constant < 1e-4:
        return []
    for (one, originals, *_), (other, *_) in pairwise(images):
        terms = [
            (originals * (each + constant).log() + (1 - originals) * (1 - each + constant).log()).sum()
            for each in (one, other)
        ]
        if not close(torch.tensor(change(one, other, originals)), terms[1] - terms[0]):
            return []
    return ["reconstruction-log-constant"]


@check("Reconstruction term: binary cross-entropy, summed over the pixels", 6, probes=probes.RECONSTRUCTION)
def test_reconstruction(
    submission: Submission,
    challenge: Challenge,
    grading: Grading,
    form: Form,
    moving: Moving | None,
    mistakes: Callable[[], list[str]],
) -> None:
    if form.pixels != "any":
        value_on(submission, *replace(form, pixels="any").widest(challenge))  # which stops
    if moving:
        judge_moving("reconstruction", moving, grading)
        return
    pair, observed, expected = first_wrong(pair_of_reconstructions, submission, challenge, form)
    if not close(observed, expected, form.of_term("reconstruction")):
        if by_one_factor(submission, challenge, form):
            grading.replaced.append(_ONE_FACTOR)
            return
        found = mistakes_in_term("reconstruction", mistakes(), observed, partial(change_of_copies, submission, pair))
        if found in (["reconstruction-other"], ["reconstruction-scaled"]):  # usual images may hide what is near 0 and 1
            found = near_the_ends(submission, challenge, form) or found
        more = of_copies(submission, pair, found) or said_of_factor("reconstruction", found, observed, expected)
        if found == ["reconstruction-other"]:
            more = pixel_written_out(submission, challenge, form)
        more = more or said_of_pixels(submission, challenge, form, found)
        said = "The grader changed the reconstruction and nothing else. "
        fail_value(f"{said}{should_change(observed, expected)}{more}", found)
    if not form.half:  # which rounds what is near 1 to 1
        require_margins(submission, challenge, form)


def near_the_ends(submission: Submission, challenge: Challenge, form: Form) -> list[str]:
    """The mistake of a cross-entropy that is wrong for reconstructions near 0 or 1; empty for any other."""
    return edges(submission, form) or constant_in_logarithms(*of_flat_images(submission, form), challenge)


def require_margins(submission: Submission, challenge: Challenge, form: Form) -> None:
    """Fail the check where reconstructions near 0 or 1 do not count as they should: most pixels of MNIST are there."""
    images, _, *parameters = form.inputs(challenge, 1, low=0.2)  # a wrong term may take their logarithm
    for original, margin, bright in product((1.0, 0.0), MARGINS, (False, True)):
        reached, originals = 1 - margin if bright else margin, 0 * images + original
        pair = [(0 * images + each, originals, *parameters) for each in (reached, 0.5)]
        observed, expected = change(submission, *pair)
        if not close(observed, expected, ROUGH):
            fail(
                f"The grader changed all reconstructions of {'white' if original else 'black'} pixels from 0.5 to "
                f"{reached:g}. {should_change(observed, expected)}",
                *(near_the_ends(submission, challenge, form) or ["reconstruction-other"]),
            )


@check("KL divergence in closed form, summed over the latent dimensions", 6, probes=probes.DIVERGENCE)
def test_divergence(
    submission: Submission,
    challenge: Challenge,
    grading: Grading,
    form: Form,
    moving: Moving | None,
    mistakes: Callable[[], list[str]],
) -> None:
    if form.latents != "any":
        value_on(submission, *replace(form, latents="any").widest(challenge))  # which stops
    if moving:
        judge_moving("kl", moving, grading)
        return
    require_any_latents(submission, challenge, form)
    pair, observed, expected = first_wrong(pair_of_latents, submission, challenge, form)
    if not close(observed, expected, form.of_term("kl")):
        if by_one_factor(submission, challenge, form):
            grading.replaced.append(_ONE_FACTOR)
            return
        found = mistakes_in_term("kl", mistakes(), observed, partial(change_of_copies, submission, pair))
        more = of_copies(submission, pair, found) or said_of_factor("kl", found, observed, expected)
        if found == ["kl-other"] and stops_at_means(submission, challenge, form):
            found = ["kl-mean-clamped"]
        elif latents := latents_written_in(submission, challenge, form, float(observed / expected)):
            found = ["latents-written-in"]
            more = f" There are {LATENTS} latent dimensions here. With {latents}, your KL divergence is right."
        elif found == ["kl-other"] and not form.half and (mixed := mixed_dimensions(submission, challenge, form)):
            found = ["kl-mixes-dimensions"]
            more = f" What one latent dimension adds depends on the {listed(mixed)} of the others."
        elif "kl-other" in found:
            more = written_out(submission, challenge, form) or in_one_dimension(submission, challenge, form)
        if "kl-logvariance-as-log-std" in found and grading.blamed("sample_latent", "variance-as-std"):
            more = " Your `sample_latent` also treats `logvariances` as log σ."
        said = "The grader kept the image and changed the means and log-variances. "
        fail_value(f"{said}{should_change(observed, expected)}{more}", found)
    judge_far(submission, challenge, form)
    if not form.half and not grading.failed("loss_function"):
        arguments = form.inputs(challenge, 1)
        value, right = torch.tensor(value_on(submission, *arguments)), reference.loss_function(*arguments)
        if not close(value, right, TOLERANCE):
            grading.replaced.append("Only changes of the divergence count here. Another check judges constants.")


def judge_far(submission: Submission, challenge: Challenge, form: Form) -> None:
    """Fail the check for a divergence that stops at some log-variance; where it is not finite, another check judges."""
    *pixels, means, logvariances = form.inputs(challenge, 1)
    if form.half:  # the rounding of the pixels would hide the divergence
        pixels = [0 * each for each in pixels]
    for logvariance, tolerance in FAR_LOGVARIANCES:
        latents = [(means, 0 * logvariances + each) for each in (logvariance, 0.0)]
        observed, expected = change(submission, *((*pixels, *each) for each in latents))
        if observed.isfinite() and not close(observed, expected, max(tolerance, form.of_term("kl"))):
            fail(
                f"The grader changed all log-variances from 0 to {logvariance:g}. " + should_change(observed, expected),
                "kl-clamped",
            )
    for mean in (-FAR_MEAN, FAR_MEAN):
        ends = [(0 * means + each, 0 * logvariances) for each in (mean, 0.0)]
        observed, expected = change(submission, *((*pixels, *each) for each in ends))
        if not close(observed, expected, form.of_term("kl")):
            fail(
                f"The grader changed all means from 0 to {mean:g}. {should_change(observed, expected)}",
                "kl-mean-clamped" if stops_at_means(submission, challenge, form) else "kl-other",
            )


def stops_at_means(submission: Submission, challenge: Challenge, form: Form) -> bool:
    """Whether the divergence is right for means between -1 and 1, and no longer changes with one far from 0."""
    *pixels, means, logvariances = form.inputs(challenge, 1)
    points = {each: (*pixels, 0 * means + each, 0 * logvariances) for each in (-13, -12, -1, 0, 1, 12, 13)}
    with contextlib.suppress(SubmissionError, Wrong):
        stops = any(
            value_on(submission, *points[12 * side]) == value_on(submission, *points[13 * side]) for side in (-1, 1)
        )
        return stops and all(close(*change(submission, points[each], points[0]), TOLERANCE) for each in (-1, 1))
    return False


def require_any_latents(submission: Submission, challenge: Challenge, form: Form) -> None:
    """Fail the check if the loss takes the usual number of latent dimensions, and stops for another one."""
    if form.any_latents:
        return
    try:
        value_on(submission, *replace(form, any_latents=True).inputs(challenge, 1, latent=LATENTS))
    except Raised as error:
        takes = f"Your loss takes {LATENT_DIMENSIONALITY} latent dimensions, and stops for {LATENTS}."
        fail(f"{takes} {error}", "latents-written-in")


def latents_written_in(submission: Submission, challenge: Challenge, form: Form, ratio: float) -> int | None:
    """The number of latent dimensions for which a divergence is right that is wrong for LATENTS; None for no number.

    It may be a usual one, or what the average is multiplied by: `ratio` is of the wrong change to the right one.
    """
    averaged = round(min(max(LATENTS * ratio, 0), 1000)) if math.isfinite(ratio) else 0
    for latent in dict.fromkeys((LATENT_DIMENSIONALITY, TRAINING_LATENT_DIMENSIONALITY, averaged)):
        if latent < 2 or latent == LATENTS:
            continue
        pairs = (pair_of_latents(challenge, form, latent) for _ in range(CHANGES))
        with contextlib.suppress(SubmissionError, Wrong):
            if all(close(*change(submission, *pair), TOLERANCE) for pair in pairs):
                return latent
    return None


def said_of_factor(term: str, mistakes: list[str], observed: Tensor, expected: Tensor) -> str:
    """By what a term is multiplied whose mistake that is, in words, and which logarithms are; empty for others."""
    return said_of_ratio(float(observed / expected)) if mistakes == [f"{term}-scaled"] else ""


def said_of_ratio(factor: float) -> str:
    """How many times the right value a wrong one is, for a message."""
    said = f" That is {factor:.4g} times as much."
    bases = [base for base in (2, 10) if math.isclose(factor, 1 / math.log(base), rel_tol=1e-3)]
    return said + "".join(f" A logarithm to base {base} is {factor:.4g} times the natural one." for base in bases)


def mixed_dimensions(submission: Submission, challenge: Challenge, form: Form) -> list[str]:
    """The latents, means or log-variances, of which a dimension's count depends on those of others."""
    found = {}
    for at in (2, 3) * CHANGES:  # what a maximum is of may stay the same
        start, other = ([*form.inputs(challenge, 1, 12, 4, low=0.2)] for _ in range(2))
        start[at], other[at] = 0.3 * start[at], 3 * other[at]
        values = []
        for first, second in product((False, True), repeat=2):
            changed = [
                other[at][:, :2] if first else start[at][:, :2],
                other[at][:, 2:] if second else start[at][:, 2:],
            ]
            values.append(value_on(submission, *start[:at], torch.cat(changed, 1), *start[at + 1 :]))
        off = values[3] - values[1] - values[2] + values[0]
        if abs(off) > TOLERANCE * max(map(abs, values)):
            found[at] = ARGUMENTS[at]
    return [found[at] for at in sorted(found)]


def written_out(submission: Submission, challenge: Challenge, form: Form) -> str:
    """What a wrong divergence of one latent dimension computes, as a formula in words; empty for no short one."""
    *images, start, _ = form.inputs(challenge, 1, 12, 1)
    for lowest, limits in ((-3.0, ""), (0.2, ", with a log-variance above 0,")):
        means, logvariances = challenge.uniform(-2, 2, POINTS), challenge.uniform(lowest, 3, POINTS)
        points = [(*images, start * 0 + mean, start * 0 + each) for mean, each in zip(means, logvariances, strict=True)]
        values = wrong_values(submission, points)
        if values is None:
            continue
        found = formula(
            values, of_divergence(means, logvariances, exponent := exponent_in(values, means, logvariances))
        )
        if found and adds_up(found, exponent, submission, challenge, form, lowest):
            return f" In one latent dimension{limits} it is {found}, up to a constant."
    return ""


def adds_up(
    found: Formula, exponent: float, submission: Submission, challenge: Challenge, form: Form, lowest: float
) -> bool:
    """Whether the divergence of many latent dimensions is the sum or the average of what the formula gives for each."""
    *images, _, _ = form.inputs(challenge, 1, 12, 1)
    latents = [(challenge.uniform(-3, 3, 1, 40), challenge.uniform(lowest, 3, 1, 40)) for _ in range(3)]
    try:
        values = torch.tensor([value_on(submission, *images, *each) for each in latents])
    except (SubmissionError, Wrong):
        return False
    expected = torch.stack([found.at(of_divergence(*each, exponent)).sum() for each in latents])
    (first, second), (one, other) = values.diff().tolist(), expected.diff().tolist()
    return bool(abs(first * other - second * one) <= 1e-2 * abs(second * other))


def pixel_written_out(submission: Submission, challenge: Challenge, form: Form) -> str:
    """What a wrong reconstruction term computes for a pixel, as a formula in words; empty for no short one."""
    image, _, *parameters = form.inputs(challenge, 1, 12)
    reconstructions, originals = challenge.uniform(LOW, HIGH, POINTS), challenge.uniform(0.05, 0.95, POINTS)
    pairs = zip(reconstructions, originals, strict=True)
    points = [(image * 0 + reconstruction, image * 0 + original, *parameters) for reconstruction, original in pairs]
    values = wrong_values(submission, points)
    found = None if values is None else formula(values / image.numel(), of_pixel(reconstructions, originals))
    return f" For one pixel, your reconstruction term is {found}, up to a constant." if found else ""


def wrong_values(submission: Submission, points: Sequence[tuple[Tensor, ...]]) -> Tensor | None:
    """The losses at these points; None where they are not finite or change from one to another as they should."""
    try:
        values = torch.tensor([value_on(submission, *point) for point in points])
    except (SubmissionError, Wrong):
        return None
    right = torch.stack([reference.loss_function(*point) for point in points])
    if not values.isfinite().all() or close(values - values[0], right - right[0], TOLERANCE):
        return None  # what is wrong shows elsewhere
    return values


def should_change(observed: Tensor, expected: Tensor) -> str:
    """How the loss should change and how it does, with three digits, or more where those do not tell the two apart."""
    largest = max(abs(float(each)) for each in (observed, expected) if each.isfinite())
    first = max(3, min(len(f"{largest:.0f}"), 7))
    said = ([f"{float(each):.{digits}g}" for each in (expected, observed)] for digits in range(first, 10))
    right, wrong = next(pair for pair in said if len({*pair}) > 1)
    return f"Your loss should change by {right}, but changes by {wrong}."


STEPS = ((1, 0), (-2, 0), (1, 1))  # the value that one argument gets instead of 0, and that of the other


def in_one_dimension(submission: Submission, challenge: Challenge, form: Form) -> str:
    """What a wrong divergence of one latent dimension gives, and which argument it is right for, in words."""
    *images, means, _ = form.inputs(challenge, 1, 12, 1)
    said, right = "", []
    for what, other in (("mean", "log-variance"), ("log-variance", "mean")):
        changes = []
        for value, held in STEPS:
            pairs = [(means * 0 + value, means * 0 + held), (means * 0, means * 0 + held)]
            one, start = pairs if what == "mean" else [pair[::-1] for pair in pairs]
            try:
                changes.append(change(submission, (*images, *one), (*images, *start)))
            except (SubmissionError, Wrong):
                return ""
        if not all(observed.isfinite() for observed, _ in changes):
            return ""
        off = [each for each, (observed, expected) in enumerate(changes) if not close(observed, expected, 5e-3)]
        if not off:
            right.append(what)
        elif not said:
            (observed, expected), (value, held) = changes[off[0]], STEPS[off[0]]
            said = (
                f" In one latent dimension, it changes by {observed:.3f} instead of {expected:.3f} when the {what} "
                f"goes from 0 to {value}{f', with {other} {held}' if held else ''}."
            )
    return said + (f" It is right when only the {right[0]} changes." if said and right else "")


def fail_value(message: str, mistakes: list[str]) -> NoReturn:
    """Fail the check for a wrong value; for a loss that changes from call to call, no value says what is wrong."""
    if mistakes == ["loss-changes"]:
        message = _MOVES
    fail(message, *mistakes)


Pair = tuple[tuple[Tensor, ...], tuple[Tensor, ...]]  # arguments that differ in one term alone
Draw = Callable[[Challenge, Form], Pair]


def first_wrong(draw: Draw, submission: Submission, challenge: Challenge, form: Form) -> tuple[Pair, Tensor, Tensor]:
    """The first of some changes of the loss that is not as it should be, or the last: one may be right by chance."""
    term = "kl" if draw is pair_of_latents else "reconstruction"
    for _ in range(CHANGES):
        pair = draw(challenge, form)
        if form.half:  # the rounding of the other term would hide this one
            pair = alone(term, pair[0]), alone(term, pair[1])
        observed, expected = change(submission, *pair)
        if not close(observed, expected, form.of_term(term)):
            break
    return pair, observed, expected


def pair_of_reconstructions(challenge: Challenge, form: Form, latent: int = LATENT_DIMENSIONALITY) -> Pair:
    """One image with two reconstructions."""
    _, originals, *parameters = form.inputs(challenge, 1, latent=latent, low=0.2)
    # Mostly dark, as in MNIST: a weight that balances black and white would be 1 for gray images.
    black, white = (challenge.uniform(0, 1, *originals.shape) < share for share in (0.5, 0.1))
    originals = torch.where(black, 0.0, torch.where(white, 1.0, originals))
    better = (0.8 * originals + 0.2 * challenge.uniform(LOW, HIGH, *originals.shape)).clamp(LOW, HIGH)
    worse = challenge.uniform(LOW, HIGH, *originals.shape)
    return (worse, originals, *parameters), (better, originals, *parameters)


def pair_of_latents(challenge: Challenge, form: Form, latent: int = LATENTS) -> Pair:
    """One image with two means and log-variances."""
    # So far apart that every summand of the divergence changes by a known sign, none can cancel another, and the
    # rounding of the pixels is far smaller than the difference.
    *pixels, means, logvariances = form.inputs(challenge, 1, latent=latent, low=1)
    near = (0.2 * means, challenge.uniform(-0.5, 0.2, *logvariances.shape))
    return (*pixels, means, logvariances), form.within(*pixels, *near)


def change(submission: Submission, one: tuple[Tensor, ...], other: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """The difference between two losses, observed and expected."""
    observed = value_on(submission, *one) - value_on(submission, *other)
    return torch.tensor(observed), reference.loss_function(*one) - reference.loss_function(*other)


def change_of_copies(submission: Submission, pair: Pair) -> Tensor:
    """The difference between the losses of some copies of the image."""
    return change(submission, *map(copied, pair))[0]


def of_copies(submission: Submission, pair: Pair, mistakes: list[str]) -> str:
    """What copies of an image change in a term whose mistake is about their number, in words; empty for others."""
    if not any(each.endswith(IN_DIVISOR) for each in mistakes):
        return ""
    observed = float(change_of_copies(submission, pair))
    return f" On {COPIES} copies of the image, it should change by as much, but changes by {observed:.3g}."


def by_one_factor(submission: Submission, challenge: Challenge, form: Form) -> bool:
    """Whether both terms are right but for one factor, not 1: that is a wrong average, which is judged by itself."""
    for _ in range(CHANGES):
        try:
            (first, right), (second, also_right) = (
                change(submission, *each(challenge, form, LATENTS))
                for each in (pair_of_reconstructions, pair_of_latents)
            )
        except (SubmissionError, Wrong):
            return False
        factor, other = first / right, second / also_right
        if close(factor, torch.ones(()), TOLERANCE):  # a mistake that these changes do not show
            return False
        if factor <= 0 or not close(factor / other, torch.ones(()), 2 * TOLERANCE):  # however small the factor is
            return False
    return True


# What the names of the mistakes in a term begin with.
TERMS = {"reconstruction": ("reconstruction-", "originals-", "pixels-"), "kl": ("kl-", "loss-arguments-")}
NAMES = {"reconstruction": "reconstruction term", "kl": "KL divergence"}
# The ends of the names of mistakes in what one term is divided by, and of those that a single image does not show.
IN_DIVISOR = ("-divided-by-constant", "-divided-by-latent", "-divided-by-pixels", "divided-by-batch-twice")
OF_SEVERAL = ("summed-over-batch", "divided-by-batch-twice", "mixes-images", "batch-other", "averaged-too-early")


def mistakes_in_term(term: str, mistakes: list[str], observed: Tensor, of_copies: Callable[[], Tensor]) -> list[str]:
    """The mistakes in one term where there are any, else those in neither.

    An average over all numbers that is divided once more is a mistake in the divisor alone, of the term that copies of
    an image make smaller.
    """
    (other,) = TERMS.keys() - {term}
    seen = [name for name in mistakes if not name.endswith(OF_SEVERAL)]
    found = [name for name in seen if name.startswith(TERMS[term])]
    divided = any(name.endswith("divided-by-batch-twice") for name in mistakes)
    if found and divided and all("-averaged-over-" in name for name in found):
        twice = close(of_copies() * COPIES, observed, 0.02)
        return [*found, f"{term}-divided-by-batch-twice"] if twice else found
    found = found or [name for name in seen if not name.startswith((*TERMS[other], "loss-constant-off"))]
    return found or [f"{term}-other"]  # nothing is found on gray pixels


# Under a check that passes next to a mistake.
_ONE_FACTOR = "Both of your terms are off by the same factor. The check of the two terms together takes points for it."


def right_terms(grading: Grading, judged: str = "") -> tuple[bool, bool]:
    """Whether the reconstruction term and the divergence, judged above, are right; skips the check where neither is.

    Where one is wrong, a check that passes says what was `judged`; {} in it is the right term.
    """
    outcomes = [check.outcome is Outcome.PASSED for check in grading.checks.get("loss_function", [])[:2]]
    reconstruction, divergence = outcomes if len(outcomes) == 2 else (True, True)
    if not reconstruction and not divergence:
        pytest.skip("Skipped: the reconstruction term or the KL divergence must be right first.")
    terms = [*NAMES.values()]
    right, wrong = terms if reconstruction else terms[::-1]
    if judged and not (reconstruction and divergence):
        grading.replaced.append(f"Only {judged.format(right)} judged here, because the {wrong} is not right yet.")
    return reconstruction, divergence


@check("The two terms together, averaged over the minibatch", 5, probes=probes.MINIBATCH)
def test_minibatch(
    submission: Submission,
    challenge: Challenge,
    grading: Grading,
    form: Form,
    moving: Moving | None,
    mistakes: Callable[[], list[str]],
) -> None:
    told = {name for check in grading.checks.get("loss_function", ()) for name in check.misconceptions}
    in_divisor = any(each.endswith(IN_DIVISOR) for each in told)
    judged = "the average of the {} is" if in_divisor else "the average over the images is"
    reconstruction, divergence = right_terms(grading, judged)
    if moving and not moving.terms:
        fail(f"{_MOVES} The sum of the two terms is multiplied by something, or added to.", "loss-changes")
    both_right = reconstruction and divergence
    low = -2 if both_right else 0.2  # a wrong term may take their logarithm
    sizes = (
        (challenge.integer(5, 9), LATENT_DIMENSIONALITY),
        (challenge.integer(20, 40), challenge.integer(2, 60)),
        (challenge.integer(100, 160), TRAINING_LATENT_DIMENSIONALITY),
    )
    for batch, latent in sizes:
        arguments = form.inputs(challenge, batch, latent=latent, low=low)
        # What a wrong term is made of is the same for all images: a function of its average, which has cost its points,
        # is then the average of the function.
        wrong = (set() if reconstruction else {0, 1}) | (set() if divergence else {2, 3})
        arguments = without_moving(with_equal_rows(arguments, wrong), moving)
        observed, what = value_on(submission, *arguments, averaged=True), "it should be"
        tolerance = form.tolerance
        if form.half and not math.isfinite(observed):  # float16 ends at 65504
            break
        if both_right:
            expected = float(reference.loss_function(*arguments))
        elif in_divisor:  # which has cost its points: only what the other term changes is judged
            equal = with_equal_rows(arguments, {0, 1, 2, 3})
            _, right = change(submission, arguments, equal)
            expected = value_on(submission, *equal) + float(right)
        else:  # a wrong term has cost its points: what remains to judge is the average over the images
            others = (value_on(submission, *arguments, seed=each) for each in range(1, 6))
            changes = max(abs(observed - other) for other in others) / max(abs(observed), 1e-6)
            if not changes <= MOST_CHANGE:
                fail(f"Two calls of your loss on the same {batch} images differ by {changes:.0%}.", "loss-changes")
            tolerance += min((batch + 1) * changes, MOST_CHANGE)  # that it changes at all is judged above
            expected = average_of_each(partial(value_on, submission), arguments)
            what = "the average of your losses for each image alone is"
        if not close(torch.tensor(observed), torch.tensor(expected), tolerance):
            told |= {f"{term}-other" for term, at in (("reconstruction", 0), ("kl", 2)) if at in wrong}
            found = [name for name in mistakes() if name not in told]
            found = found or (["batch-other"] if told or form.half else mistakes())
            if (batch, latent) != sizes[0]:  # which a constant would have changed as well
                found = [name for name in found if name != "loss-constant-off"]
            latent = arguments[2].shape[1]
            more = of_several(submission, challenge, form, found)
            if found == ["loss-scaled"]:
                more = said_of_ratio(observed / expected)
            fail_value(
                f"On a minibatch of {batch} images with {latent} latent dimensions, your loss is {observed:.4f}; "
                f"{what} {expected:.4f}.{more}",
                found,
            )
    if form.half:
        fail(said_of_half(submission, challenge, form), "loss-imprecise")


def with_equal_rows(arguments: tuple[Tensor, ...], which: set[int]) -> tuple[Tensor, ...]:
    """The arguments of a minibatch in which some, by their places, are for all images what they are for the first."""
    return tuple(each[:1].expand_as(each).clone() if at in which else each for at, each in enumerate(arguments))


def average_of_each(loss: Callable[..., float], arguments: tuple[Tensor, ...]) -> float:
    """The average of the losses of each image alone."""
    ones = list(zip(*(argument.split(1) for argument in arguments), strict=True))
    return sum(loss(*one) for one in ones) / len(ones)


def of_several(submission: Submission, challenge: Challenge, form: Form, mistakes: list[str]) -> str:
    """Which arguments make the difference in a loss that is no average of its images', in words; empty if unknown."""
    loss, flat = of_flat_images(submission, form)
    if form.half:
        return ""  # its rounding would be taken for a difference
    with contextlib.suppress(SubmissionError, Wrong):
        if mistakes == ["averaged-too-early"]:
            averaged = averages_first(loss, flat, challenge)
            return f" Your loss counts only the averages of {averaged} over the images." if averaged else ""
        if mistakes == ["divided-by-other-size"]:
            return f" It is divided by {divisor(loss, flat, challenge)}."
        if mistakes == ["loss-off-by-originals"]:
            return " How far it is off depends only on the originals."
        if "batch-other" not in mistakes and not any(each.endswith("-mixes-images") for each in mistakes):
            return ""
        arguments = flat.inputs(challenge, 6, WEIGHED, low=0.2)
        if mixed := {at for pair in mixed_arguments(loss, flat, challenge) for at in pair}:
            said = f" Your loss mixes the {listed([ARGUMENTS[at] for at in sorted(mixed)])} of different images."
            equal = with_equal_rows(arguments, mixed)
            if close(torch.tensor(loss(*equal)), torch.tensor(average_of_each(loss, equal)), TOLERANCE):
                said += " Where these are the same for all images, it is right."
            return said
        return differing(loss, flat, challenge)
    return ""


def differing(loss: Callable[..., float], form: Form, challenge: Challenge) -> str:
    """On which arguments it depends how far a loss is from the average of its images', in words."""
    start, other = (form.inputs(challenge, 6, WEIGHED, low=0.2) for _ in range(2))

    def off(at: int | None) -> float:
        arguments = tuple(other[each] if each == at else start[each] for each in range(len(start)))
        return loss(*arguments) - average_of_each(loss, arguments)

    names = [name for at, name in enumerate(ARGUMENTS) if not close(torch.tensor(off(at)), torch.tensor(off(None)))]
    return f" How far it is off depends only on the {listed(names)}." if 0 < len(names) < len(ARGUMENTS) else ""


def takes_either_shape(submission: Submission, challenge: Challenge, form: Form) -> bool:
    """Whether a loss that takes the usual number of pixels only is the same for (N, 784) and (N, 1, 28, 28)."""
    if form.any_pixels:
        return False
    *images, means, logvariances = form.inputs(challenge, 3, low=0.2)  # a wrong term may take their logarithm
    with contextlib.suppress(SubmissionError, Wrong):
        one, other = (
            value_on(submission, *(each.reshape(3, *shape) for each in images), means, logvariances)
            for shape in ((INPUT_DIM,), (1, 28, 28))
        )
        return close(torch.tensor(one), torch.tensor(other), TOLERANCE)
    return False


@check(
    "Images of shape (N, 1, H, W): the worked example and a minibatch",
    2,
    worked_example=True,
    probes=probes.IMAGE_SHAPE,
)
def test_image_shape(
    submission: Submission,
    challenge: Challenge,
    grading: Grading,
    form: Form,
    moving: Moving | None,
    mistakes: Callable[[], list[str]],
) -> None:
    charged = judge_worked_example(submission, challenge, grading, form, moving is not None, mistakes)
    if not form.flat:
        fail("Your loss takes images of shape (N, 1, H, W), but not flat ones, (N, 784).", "loss-image-shape")
    latent = 6 if form.any_latents else LATENT_DIMENSIONALITY
    images = [challenge.uniform(LOW, HIGH, 3, 1, 5, 4) for _ in range(2)]
    parameters = (challenge.normal(3, latent), challenge.uniform(0.2, 2, 3, latent))
    *images, means, logvariances = form.within(*images, *parameters)
    parameters = means, logvariances
    if moving and "kl" in moving.terms:
        *_, means, logvariances = without_moving((*images, *parameters), moving)
        parameters = means, logvariances
    try:
        first, second, shaped = flat_and_shaped(submission, images, parameters)
    except Raised as error:
        squares = [challenge.uniform(LOW, HIGH, 3, 1, 5, 5) for _ in range(2)]
        require_any_sides(submission, form.within(*squares, *parameters)[:2], parameters, error)
        raise
    changes = not close(first, second, 0.1 * TOLERANCE)  # from call to call, which is judged above
    if not changes and not close(shaped, first, form.tolerance):
        if charged and (said := divisor_of_shape(submission, challenge, right_terms(grading))):
            grading.replaced.append(
                f"With images of shape (N, 1, H, W), {said}. Another check takes points for the divisor."
            )
            return
        fail("Images of shape (N, 1, H, W) and the same pixels as (N, H·W) give different losses.", "loss-image-shape")
    right = reference.loss_function(images[0], images[1], *parameters)
    if not grading.failed("loss_function") and not close(first, right, TOLERANCE):
        found = pixels_written_in(submission, challenge, form) or mistakes()
        fail(f"For 3 images of 20 pixels, your loss is {first:.4f}; it should be {right:.4f}.", *found)


def pixels_written_in(submission: Submission, challenge: Challenge, form: Form) -> list[str]:
    """The mistake of a loss that is right for the usual number of pixels, and wrong for another; else empty."""

    def right(images: int, pixels: int) -> bool:
        arguments = form.inputs(challenge, images, pixels)
        return close(torch.tensor(value_on(submission, *arguments)), reference.loss_function(*arguments), TOLERANCE)

    with contextlib.suppress(SubmissionError, Wrong):
        usual, few = (all(right(images, pixels) for images in (1, 6)) for pixels in (INPUT_DIM, 12))
        return ["pixels-written-in"] if usual and not few else []
    return []


def judge_worked_example(
    submission: Submission,
    challenge: Challenge,
    grading: Grading,
    form: Form,
    moved: bool,
    mistakes: Callable[[], list[str]],
) -> bool:
    """Fail the check for a wrong value on the notebook's example, unless another check took points for it.

    Returns:
        Whether one did. With `moved`, the loss changes from call to call, which costs another check, too.
    """
    both_right = all(right_terms(grading))
    reconstruction, original = (
        torch.sigmoid(torch.tensor(logits)).reshape(1, 1, 2, 2)
        for logits in (EXAMPLE_RECONSTRUCTION_LOGITS, EXAMPLE_ORIGINAL_LOGITS)
    )
    flattened = (reconstruction.flatten(1), original.flatten(1))
    parameters = (torch.ones(1, LATENT_DIMENSIONALITY), torch.zeros(1, LATENT_DIMENSIONALITY))
    expected = float(reference.loss_function(reconstruction, original, *parameters))
    try:
        example = value_on(submission, reconstruction, original, *parameters)
    except Raised as error:
        value_on(submission, *form.inputs(challenge, 1))  # if this fails too, the shape is not what is wrong
        if not form.takes_any_values:
            grading.replaced.append(
                "Your loss stops on the notebook's worked example. Another check takes points for it."
            )
            return True
        fail(
            f"Your code stopped on the notebook's worked example, with images of shape (1, 1, 2, 2). {error}",
            "loss-pixels-only" if takes_either_shape(submission, challenge, form) else "loss-image-shape",
        )
    as_expected = abs(example - expected) <= EXAMPLE_TOLERANCE
    charged = not both_right or moved or bool(form.half) or charged_for_one_image(submission, challenge, grading, form)
    if charged and not as_expected:
        grading.replaced.append(
            "Your loss changes from call to call. On the notebook's worked example, only the shapes count here."
            if grading.blamed("loss_function", "loss-changes")  # the student may see another number
            else f"On the notebook's worked example, your loss is still {example:.4f} instead of {expected:.4f}. Here, "
            "only the shapes count."
        )
    if not charged and not as_expected:
        plain, twice = example, example
        if form.flat:
            plain = value_on(submission, *flattened, *parameters)
            twice = value_on(submission, *(each.repeat(2, 1) for each in (*flattened, *parameters)))
        if abs(plain - expected) <= EXAMPLE_TOLERANCE:
            found = ["loss-image-shape"]
        elif abs(twice - expected) <= EXAMPLE_TOLERANCE:
            found = ["loss-of-one-image"]
        else:
            found = pixels_written_in(submission, challenge, form) or mistakes()
        fail_value(f"On the notebook's worked example your loss is {example:.4f}; it should be {expected:.4f}.", found)
    return charged


def flat_and_shaped(
    submission: Submission, images: Sequence[Tensor], parameters: tuple[Tensor, Tensor]
) -> tuple[Tensor, ...]:
    """The losses of shaped images as flat ones, twice, and as they are."""
    flat = [image.flatten(1) for image in images]
    given = (flat, 0), (flat, 1), (images, 0)
    return tuple(torch.tensor(value_on(submission, *each, *parameters, seed=seed)) for each, seed in given)


def require_any_sides(
    submission: Submission, squares: Sequence[Tensor], parameters: tuple[Tensor, Tensor], error: Raised
) -> None:
    """Fail the check if the loss stops for images whose sides differ, and takes these square ones, flat or shaped."""
    with contextlib.suppress(Raised):
        flat, _, shaped = flat_and_shaped(submission, squares, parameters)
        if close(shaped, flat, TOLERANCE):
            said = "Your loss takes square images of 5 by 5 pixels, but stopped for images of 5 by 4."
            fail(f"{said} {error}", "loss-square-images")


def charged_for_one_image(submission: Submission, challenge: Challenge, grading: Grading, form: Form) -> bool:
    """Whether the check of the two terms together has taken points for what a single image shows as well.

    That is a wrong factor of both terms, or a constant. The worked example is such an image.
    """
    outcomes = [each.outcome for each in grading.checks.get("loss_function", [])]
    if outcomes[2:3] != [Outcome.FAILED]:
        return False
    arguments = form.inputs(challenge, 1)
    value, right = torch.tensor(value_on(submission, *arguments)), reference.loss_function(*arguments)
    return not close(value, right, TOLERANCE)


def divisor_of_shape(submission: Submission, challenge: Challenge, right: tuple[bool, bool]) -> str:
    """What is another multiple of the right value with shaped images than with flat ones, in words; else empty.

    It is the whole loss, or a term that is not `right`.
    """
    factors = []  # flat and shaped, of each term
    for _ in range(CHANGES):
        (*one, means, spreads), (*other, far, wide) = (Form().inputs(challenge, 3, 20, 6, low=0.2) for _ in range(2))
        for changed in ((*other, means, spreads), (*one, 3 * far, wide)):
            flat = (*one, means, spreads), changed
            shaped = ((*(each.reshape(3, 1, 5, 4) for each in by[:2]), *by[2:]) for by in flat)
            for pair in (flat, shaped):
                observed, expected = change(submission, *pair)
                factors.append(observed / expected)
    by_term = torch.stack(factors).reshape(CHANGES, 2, 2)
    if not close(by_term, by_term[:1].expand_as(by_term)) or not (by_term > 0).all():
        return ""
    pixels, latents = (by_term[0, :, 1] / by_term[0, :, 0]).tolist()
    match right:
        case True, True if math.isclose(pixels, latents, rel_tol=1e-3):
            return f"your loss is {pixels:.3g} times that of the same flat images"
        case False, True if abs(latents - 1) < TOLERANCE:
            return f"your reconstruction term is {pixels:.3g} times that of the same flat images"
        case True, False if abs(pixels - 1) < TOLERANCE:
            return f"your KL divergence is {latents:.3g} times that with the same flat images"
    return ""


def edges(submission: Submission, form: Form) -> list[str]:
    """The mistake of a loss that is right for usual reconstructions, and the same near 0 or near 1; else empty."""
    parameters = torch.zeros(1, LATENT_DIMENSIONALITY), torch.zeros(1, LATENT_DIMENSIONALITY)

    def at(reconstruction: float, original: float) -> tuple[Tensor, ...]:
        images = (torch.full((1, INPUT_DIM), each) for each in (reconstruction, original))
        return form.within(*map(form.shaped, images), *parameters)

    usual = [change(submission, at(0.3, each), at(0.7, each)) for each in (0.0, 1.0)]
    if not all(close(*each, TOLERANCE) for each in usual):
        return []
    white, black = [at(each, 1.0) for each in (FINEST, 6e-4)], [at(1 - each, 0.0) for each in (FINEST, 6e-4)]
    stops = any(value_on(submission, *one) == value_on(submission, *other) for one, other in (white, black))
    return ["reconstruction-cut-off"] if stops else []


@check("Differentiable with respect to reconstructions, means and log-variances", 3, probes=probes.LOSS_GRADIENTS)
def test_gradients(
    submission: Submission, challenge: Challenge, grading: Grading, form: Form, moving: Moving | None
) -> None:
    averaged = [check.outcome is Outcome.PASSED for check in grading.checks.get("loss_function", [])[:3]]
    batch = 3 if all(averaged) else 1  # a wrong average has cost its points
    arguments = form.inputs(challenge, batch)
    reply = with_gradients(submission, arguments)
    value_of(reply, batch)
    if reply.packing:
        raise reply.packing
    require_arguments_unchanged(submission, reply, ("loss_function",))
    gradients = reply.gradients("argument")
    if not gradients:
        fail("No gradient comes back through your loss.", "loss-detached")
    leaves = [argument.clone().requires_grad_() for argument in arguments]
    expected = torch.autograd.grad(reference.loss_function(*leaves), leaves)
    reconstruction, divergence = right_terms(grading, "the gradient of the {} is")
    if reconstruction and divergence:  # a factor of both is a wrong average, which is judged above
        near = (arguments[1].clamp(0.2, 0.8), arguments[1], 0 * arguments[2], 0 * arguments[3])
        changed = value_on(submission, *arguments) - value_on(submission, *near)
        factor = changed / float(reference.loss_function(*arguments) - reference.loss_function(*near))
        if moving and "2" in gradients:  # then two calls have two factors
            factor = float((gradients["2"] * expected[2]).sum() / expected[2].square().sum())
        expected = tuple(factor * each for each in expected)
    for index, name, right in (
        (0, "reconstructions", reconstruction), (2, "means", divergence), (3, "log-variances", divergence)
    ):  # fmt: skip
        gradient = gradients.get(str(index))
        if right and (gradient is None or not close(gradient, expected[index], 0.1 if form.half else 1e-2)):
            how = "does not reach" if gradient is None else "is wrong for"
            off = None if gradient is None else factor_of(gradient.flatten(), expected[index].flatten())
            more = f" It is {off:.2g} times what it should be." if off else ""
            named = "kl-detached" if index else "reconstruction-detached"
            fail(f"The gradient of your loss {how} the {name}.{more}", named)


@check("Finite for pixels of exactly 0 and 1, and for reconstructions down to 0", 2, probes=probes.FINITE)
def test_finite(
    submission: Submission, challenge: Challenge, grading: Grading, form: Form, moving: Moving | None
) -> None:
    """What MNIST and a sigmoid give: a float32 sigmoid is exactly 0 below -89 and exactly 1 above 17.

    A loss that is not finite for a reconstruction of exactly 1 gets a note, and no points are taken.
    The gradient is asked for a little above 0: at 0 itself, a logarithm that is cut off afterwards has none.
    """
    reconstruction, divergence = right_terms(grading, "the {} is")  # a wrong term is kept to where it is usual
    if reconstruction and not moving:
        require_no_jump(submission, challenge, form)
    for lowest, what, differentiate in ((0.0, "your loss", False), (1e-38, "the gradient of your loss", True)):
        width = WEIGHED if form.half else INPUT_DIM  # float16 ends at 65504
        *images, means, logvariances = form.inputs(challenge, 4, width, low=-2 if divergence else 0.2)
        if reconstruction:
            size, shape = images[0].numel(), images[0].shape
            reached = torch.tensor([lowest, 1e-38, 0.5, 1 - 6e-8])[challenge.integers(4, size)].reshape(shape)
            pixels = torch.tensor([0.0, 0.5, 1.0])[challenge.integers(3, size)].reshape(shape)
            if not finite(submission, (reached, pixels, means, logvariances), differentiate):
                fail(
                    f"For pixels of 0, 0.5 and 1 and reconstructions from {lowest:g} to just below 1, {what} is not "
                    "finite.",
                    "loss-not-finite",
                )
        far = challenge.uniform(-30, 5 if form.half else 20, *logvariances.shape)
        if divergence and not finite(submission, (*images, means, far), differentiate):
            fail(f"For log-variances from -30 to 20, {what} is not finite.", "not-finite")


def require_no_jump(submission: Submission, challenge: Challenge, form: Form) -> None:
    """Fail the check where a white pixel reconstructed as 0 costs less than one a little above 0, or absurdly much."""
    images, _, *parameters = form.inputs(challenge, 1, low=0.2)
    middle, low, zero = (
        value_on(submission, 0 * images + each, 0 * images + 1, *parameters) for each in (0.5, FINEST, 0)
    )
    if math.isfinite(zero) and not 0.95 <= (zero - middle) / (low - middle) <= MOST_AT_ZERO:
        fail(
            f"On an image of white pixels, your loss is {low:,.6g} where all reconstructions are {FINEST}, and "
            f"{zero:,.6g} where they are 0. It should {'be larger there' if zero < low else 'not grow as much'}.",
            "loss-jumps-at-zero",
        )


def finite(submission: Submission, arguments: tuple[Tensor, ...], differentiate: bool) -> bool:
    """Whether the loss of four images, and with `differentiate` each of its gradients, is finite."""
    reply = with_gradients(submission, arguments)
    found = [value_of(reply, len(arguments[2])), *(reply.gradients("argument").values() if differentiate else ())]
    return all(bool(torch.isfinite(each).all()) for each in found)


@check("No loops over the minibatch", 1, probes=probes.LOOPS)
def test_vectorised(submission: Submission, challenge: Challenge, grading: Grading, form: Form) -> None:
    right_terms(grading)
    usual = {"batch": 4, "pixels": 6, "latent": 3}
    small = submission.work("loss_function", *form.inputs(challenge, **usual))
    for size, what in (("batch", "images"), ("pixels", "pixels"), ("latent", "latent dimensions")):
        if (size == "pixels" and not form.any_pixels) or (size == "latent" and not form.any_latents):
            continue
        large = submission.work("loss_function", *form.inputs(challenge, **(usual | {size: 64})))
        for kind, unit in (("operators", "torch operations"), ("bytecodes", "steps of Python")):
            if large[kind] > 2 * small[kind] + 50:
                fail(
                    f"With {usual[size]} {what} your loss takes {small[kind]} {unit}; with 64 it takes {large[kind]}."
                    + describe_loops(submission.outline),
                    "loop-over-batch" if size == "batch" else "loop-over-elements",
                )


def describe_loops(outline: Outline) -> str:
    """Where the module loops outside of the model, for the hint: the verdict comes from counting."""
    around = {line: outline.around(line) for line in outline.loops}
    lines = [str(line) for line, where in around.items() if where is None or where.place[0] != CLASS][:5]
    if not lines:
        return ""
    return f" There is a loop in line {lines[0]}." if len(lines) == 1 else f" There are loops in lines {listed(lines)}."
