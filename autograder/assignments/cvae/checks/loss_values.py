"""What a loss takes and gives: its value, the change between two arguments, what moves from call to call."""

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
import torch
from torch import Tensor

from autograder.assignments.cvae.assignment import (
    INPUT_DIM,
    LATENT_DIMENSIONALITY,
)
from autograder.assignments.cvae.solution import cs5814_vae as reference
from autograder.grading.harness import Challenge, Grading, Wrong, close, fail
from autograder.report.model import Outcome
from autograder.sandbox.client import Reply, Submission
from autograder.sandbox.errors import SubmissionError

# Away from 0 and 1, so that a small constant inside a hand-written logarithm makes no difference that counts.
LOW, HIGH = 0.05, 0.95
# float32 sums of 784 terms round to some 1e-6 of their value; a constant of 1e-5 in a logarithm adds 1e-4.
TOLERANCE = 2e-4
MOST_RESULTS = 4  # of a loss that returns its terms, too
COARSE = 0.02  # of a change, for a loss in half precision
CHANGES = 3  # of the loss, on which each term is judged
LATENTS = 23  # dimensions on which the divergence is judged: a number that nobody writes into a loss
MOVED = 1e-5  # between gradients of equal calls: float32 gives the same ones far more exactly
WEIGHED = 24  # pixels, to see whether all count alike


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
        least: the fewest images for which it is right. Being wrong for one image costs the check of image shapes.
    """

    flat: bool = True
    any_pixels: bool = True
    any_latents: bool = True
    pixels: str = "any"
    latents: str = "any"
    half: Mapping[str, str] = field(default_factory=dict)
    least: int = 1

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
        sides = [side for side in range(1, int(pixels**0.5)) if pixels % side == 0]
        height = 28 if pixels == INPUT_DIM else max(sides, default=1)
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
        batch = max(batch, self.least)
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


def fewest_images(submission: Submission, challenge: Challenge, form: Form) -> int:
    """2 for a loss that is right for two images and more, and wrong for one, or stops there; 1 for any other loss."""

    def right(images: int) -> bool:
        with contextlib.suppress(SubmissionError, Wrong):
            arguments = form.inputs(challenge, images)
            value = torch.tensor(value_on(submission, *arguments))
            return close(value, reference.loss_function(*arguments), form.tolerance)
        return False

    # A wrong loss may come out right by chance where its errors have both signs, but not each time.
    return 2 if not right(1) and all(map(right, (2, 5, 3, 2, 4))) else 1


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


def without_moving(arguments: tuple[Tensor, ...], moving: Moving | None) -> tuple[Tensor, ...]:
    """The arguments, but such that a right term is next to 0 if it is the one that changes from call to call."""
    images, latents = arguments[:2], arguments[2:]
    if moving and "reconstruction" in moving.terms:
        images = (0 * images[0] + 1e-6, 0 * images[1])
    if moving and "kl" in moving.terms:
        latents = tuple(0 * each for each in latents)
    return (*images, *latents)


def of_flat_images(submission: Submission, form: Form) -> tuple[Callable[..., float], Form]:
    """The loss as a function of flat images, and their form."""

    def loss(reconstructions: Tensor, originals: Tensor, *parameters: Tensor, seed: int = 0) -> float:
        images = form.shaped(reconstructions), form.shaped(originals)
        return value_on(submission, *images, *parameters, seed=seed)

    return loss, replace(form, flat=True)


def should_change(observed: Tensor, expected: Tensor) -> str:
    """How the loss should change and how it does, with three digits, or more where those do not tell the two apart."""
    largest = max(abs(float(each)) for each in (observed, expected) if each.isfinite())
    first = max(3, min(len(f"{largest:.0f}"), 7))
    said = ([f"{float(each):.{digits}g}" for each in (expected, observed)] for digits in range(first, 10))
    right, wrong = next(pair for pair in said if len({*pair}) > 1)
    return f"Your loss should change by {right}, but changes by {wrong}."


Pair = tuple[tuple[Tensor, ...], tuple[Tensor, ...]]  # arguments that differ in one term alone


def first_wrong(term: str, submission: Submission, challenge: Challenge, form: Form) -> tuple[Pair, Tensor, Tensor]:
    """The first of some changes of the loss that is not as it should be, or the last: one may be right by chance."""
    by_pixels = [partial(pair_of_reconstructions, worse=each) for each in ("any", "brighter", "bolder")]
    for draw in by_pixels if term == "reconstruction" else [pair_of_latents] * CHANGES:
        pair = draw(challenge, form)
        if form.half:  # the rounding of the other term would hide this one
            pair = alone(term, pair[0]), alone(term, pair[1])
        observed, expected = change(submission, *pair)
        if not close(observed, expected, form.of_term(term)):
            break
    return pair, observed, expected


def pair_of_reconstructions(
    challenge: Challenge, form: Form, latent: int = LATENT_DIMENSIONALITY, worse: str = "any"
) -> Pair:
    """One image with two reconstructions.

    All gray pixels of the worse one may be brighter, or bolder: further from the middle. Then a little that is off in
    one direction, or in the contrast, adds up.
    """
    _, originals, *parameters = form.inputs(challenge, 1, latent=latent, low=0.2)
    # Mostly dark, as in MNIST: a weight that balances black and white would be 1 for gray images.
    black, white = (challenge.uniform(0, 1, *originals.shape) < share for share in (0.5, 0.1))
    originals = torch.where(black, 0.0, torch.where(white, 1.0, originals))
    better = (0.8 * originals + 0.2 * challenge.uniform(LOW, HIGH, *originals.shape)).clamp(LOW, HIGH)
    other = challenge.uniform(LOW, HIGH, *originals.shape)
    if worse != "any":
        end = torch.where((originals >= 0.5) | (worse == "brighter"), HIGH, LOW)
        moved = torch.lerp(better, end, challenge.uniform(0.2, 1, *originals.shape))
        other = torch.where(black | white, other, moved)
    return (other, originals, *parameters), (better, originals, *parameters)


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
        factor, other = float(first / right), float(second / also_right)
        if abs(factor - 1) <= 2 * TOLERANCE:  # a mistake that these changes do not show
            return False
        # However small the factor is, the terms have it in common: more exactly than it is off.
        if not (factor > 0 and abs(factor - other) <= abs(other) * min(4 * TOLERANCE, 0.1 * abs(factor - 1))):
            return False
    return True


NAMES = {"reconstruction": "reconstruction term", "kl": "KL divergence"}


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


def flat_and_shaped(
    submission: Submission, images: Sequence[Tensor], parameters: tuple[Tensor, Tensor]
) -> tuple[Tensor, ...]:
    """The losses of shaped images as flat ones, twice, and as they are."""
    flat = [image.flatten(1) for image in images]
    given = (flat, 0), (flat, 1), (images, 0)
    return tuple(torch.tensor(value_on(submission, *each, *parameters, seed=seed)) for each, seed in given)


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


def finite(submission: Submission, arguments: tuple[Tensor, ...], differentiate: bool) -> bool:
    """Whether the loss of four images, and with `differentiate` each of its gradients, is finite."""
    reply = with_gradients(submission, arguments)
    found = [value_of(reply, len(arguments[2])), *(reply.gradients("argument").values() if differentiate else ())]
    return all(bool(torch.isfinite(each).all()) for each in found)
