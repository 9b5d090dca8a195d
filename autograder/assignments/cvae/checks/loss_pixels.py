"""What a wrong reconstruction term makes of a pixel: of some explanations, the one that fits its values up to rounding.

A term that is off by less than a percent is nearly explained by each of them, so how well they fit decides.
"""

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from autograder.assignments.cvae.assignment import INPUT_DIM, LATENT_DIMENSIONALITY
from autograder.assignments.cvae.checks.loss_mistakes import wrong_values
from autograder.assignments.cvae.checks.loss_values import (
    CHANGES,
    HIGH,
    LOW,
    TOLERANCE,
    WEIGHED,
    Form,
    change,
    of_flat_images,
    value_on,
)
from autograder.assignments.cvae.hints.formulas import EXACT, POINTS, formula, of_pixel
from autograder.assignments.cvae.solution import cs5814_vae as reference
from autograder.grading.harness import Challenge, Wrong, close
from autograder.report.summary import listed
from autograder.sandbox.client import Submission
from autograder.sandbox.errors import SubmissionError

# Of reconstructions from 0 or 1: a bound that keeps logarithms finite is finer.
FINEST, MARGINS = 5e-4, (5e-4, 5e-3, 0.03)
# Where a pixel is looked at: nearer to 0 and 1, a constant that keeps logarithms finite would show.
RECONSTRUCTIONS, ORIGINALS = (0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95), (0.0, 0.1, 0.4, 0.5, 0.7, 0.9, 1.0)
UNEXPLAINED = 0.02  # of what a term is off by, the most that an explanation may leave open
ROUNDING = 3e-6  # of what a pixel adds to a loss
MOST_IN_LOGARITHMS = 1e-4  # the largest constant in a logarithm that is right
SHOWN = 1e-4  # of a pixel, what is said in a message
Loss = Callable[..., float]


@dataclass(frozen=True)
class Explanation:
    """A mistake in a cross-entropy, the (R, X) values of a pixel nearest to its own, and what to say of it."""

    mistake: str
    values: Tensor
    said: str = ""


def about_pixels(submission: Submission, challenge: Challenge, form: Form) -> tuple[list[str], str]:
    """The mistakes of a wrong reconstruction term of the usual size and what to say of them, in words."""
    if form.half:
        return ["reconstruction-other"], ""  # its rounding would be taken for a mistake
    if stops := edges(submission, form):
        return stops, ""
    loss, flat = of_flat_images(submission, form)
    with contextlib.suppress(SubmissionError, Wrong):
        seen = pixel_values(loss, flat, challenge)
        if seen is None:
            return pixel_weights(loss, flat, challenge) or ["reconstruction-other"], ""
        if found := explained(*seen):
            return [found.mistake], found.said
    return ["reconstruction-other"], pixel_written_out(submission, challenge, form)


def pixel_values(loss: Loss, form: Form, challenge: Challenge) -> tuple[Tensor, Tensor, Tensor] | None:
    """(R, X) reconstructions, originals and what a pixel adds to the loss; None for a loss that is no sum over pixels.

    What does not count pixels, such as the divergence, is told by images of half the pixels.
    """
    image, _, *latents = form.inputs(challenge, 1, WEIGHED)
    points = torch.meshgrid(torch.tensor(RECONSTRUCTIONS), torch.tensor(ORIGINALS), indexing="ij")
    r, x, *_ = form.within(*points, *latents)
    pixels, half = image.shape[1], image.shape[1] // 2

    def of_one(at: tuple[int, int], pixels: int = pixels) -> float:
        return loss(*(each[at].expand(len(image), pixels).clone() for each in (r, x)), *latents)

    middle = 3, 3
    if form.any_pixels:
        rest = (pixels * of_one(middle, half) - half * of_one(middle)) / (pixels - half)
    else:
        rest = float(reference.loss_function(0 * image, 0 * image, *latents))
    rows, columns = range(len(RECONSTRUCTIONS)), range(len(ORIGINALS))
    totals = torch.tensor([[of_one((row, column)) for column in columns] for row in rows], dtype=torch.float64)
    values = (totals - rest) / pixels
    for _ in range(CHANGES):
        chosen = challenge.integers(len(rows), *image.shape), challenge.integers(len(columns), *image.shape)
        mixed, expected = loss(r[chosen], x[chosen], *latents), rest + float(values[chosen].sum()) / len(image)
        if not math.isclose(mixed, expected, rel_tol=EXACT):
            return None
    return r.double(), x.double(), values


def explained(r: Tensor, x: Tensor, values: Tensor) -> Explanation | None:
    """The first explanation of (R, X) values of a pixel that fits as well as any; None where none fits."""
    right = _up_to_originals(x * -r.log() + (1 - x) * -(1 - r).log(), values)
    off = float((values - right).abs().max())
    tried = [(float((values - each.values).abs().max()), each) for each in explanations(r, x, values)]
    best = min((error for error, _ in tried if math.isfinite(error)), default=math.inf)
    if not best <= UNEXPLAINED * off:
        return None
    alike = max(3 * best, ROUNDING * max(1.0, float(values.abs().max())))
    return next(each for error, each in tried if error <= alike)


def _up_to_originals(fit: Tensor, values: Tensor) -> Tensor:
    """Fitted (R, X) values, with what the term may add for each original."""
    return fit + (values - fit).mean(0)


def explanations(r: Tensor, x: Tensor, values: Tensor) -> Iterator[Explanation]:
    """What a cross-entropy with each mistake would give a pixel, simple ones before those that include them."""
    white, black = -r.log(), -(1 - r).log()  # what pixels of 1 and of 0 should add
    of_white, of_black, total = x * white, (1 - x) * black, _changes(values)
    right = _changes(of_white + of_black)
    factor = float((total * right).sum() / right.square().sum())
    if factor > 0:
        yield Explanation("reconstruction-scaled", _up_to_originals(factor * (of_white + of_black), values))
    colors = torch.stack((_changes(of_white), _changes(of_black)), -1).flatten(0, 1)
    of_summands = torch.linalg.lstsq(colors, total.flatten()[:, None]).solution[:, 0]
    of_originals = (total * right).sum(0) / right.square().sum(0)
    for weights, fit in (
        (of_summands.flip(0), of_summands[0] * of_white + of_summands[1] * of_black),
        (of_originals, of_originals * (of_white + of_black)),
    ):
        if float(weights.min()) > 0:
            of_colors = zip(("black", "white"), (f"{each:.4g}" for each in weights[[0, -1]].tolist()), strict=True)
            counted_so = [f"{color} pixels count {weight} times" for color, weight in of_colors if weight != "1"]
            said = f" In your loss, {' and '.join(counted_so)} as much as they should." * bool(counted_so)
            yield Explanation("reconstruction-weighted", _up_to_originals(fit, values), said)
    yield from of_reconstructions(r, x, values)
    by_original = _changes(white - black)
    counted = (_changes(values - black) * by_original).sum(0) / by_original.square().sum(0)
    if float(counted.max() - counted.min()) > SHOWN:  # and they enter
        fit = _up_to_originals(counted * white + (1 - counted) * black, values)
        yield Explanation("originals-changed", fit, said_of_change(x[0], counted, "original", "with", "x"))


def _changes(values: Tensor) -> Tensor:
    """(R, X) values from their averages over the reconstructions."""
    return values - values.mean(0)


def of_reconstructions(r: Tensor, x: Tensor, values: Tensor) -> Iterator[Explanation]:
    """What a cross-entropy gives with constants in its logarithms, and of other numbers than the reconstructions."""
    ends = torch.stack((1 - x[0], x[0]), 1)
    black, white = torch.linalg.lstsq(ends, values.T).solution  # (R,) what pixels of 0 and of 1 add
    constants = [float(((-cost).exp() - given).mean()) for cost, given in ((white, r[:, 0]), (black, 1 - r[:, 0]))]
    if min(constants) > -SHOWN / 10 and max(constants) > MOST_IN_LOGARITHMS:
        of_white, of_black = constants
        fit = -x * (r + of_white).log() - (1 - x) * (1 - r + of_black).log()
        added = [
            f"log({given} + {each:.3g})" if each > SHOWN / 10 else f"log({given})"
            for given, each in zip(("r", "1 - r"), constants, strict=True)
        ]
        yield Explanation("reconstruction-log-constant", fit, f" It has {listed(added)} for each reconstruction r.")
    given = (black - white).sigmoid()
    fit = -x * given.log()[:, None] - (1 - x) * (1 - given).log()[:, None]
    yield Explanation("reconstruction-rescaled", fit, said_of_change(r[:, 0], given, "reconstruction", "of", "r"))


def said_of_change(plain: Tensor, taken: Tensor, what: str, preposition: str, name: str) -> str:
    """What a cross-entropy takes for some (P,) originals or reconstructions, in words."""
    line = torch.stack((plain, torch.ones_like(plain)), 1)
    slope, offset = torch.linalg.lstsq(line, taken[:, None]).solution[:, 0].tolist()
    off = (taken - plain).abs()
    if float((slope * plain + offset - taken).abs().max()) < min(SHOWN, UNEXPLAINED * float(off.max())):
        return f" It is the cross-entropy {preposition} {linear(slope, offset, name)} for each {what} {name}."
    most = [at for at in range(len(plain)) if off[at] > 0.9 * float(off.max())][:2]
    pairs = [f"one of {float(plain[at]):.4g} for {float(taken[at]):.4g}" for at in most]
    article = "an" if what == "original" else "a"
    return f" It takes {article} {what} {listed(pairs).removeprefix('one ')}."


def linear(slope: float, offset: float, name: str) -> str:
    """`0.5 · x + 0.5`, or `x / 255`."""
    if 0 < slope < 0.1 and abs(1 / slope - round(1 / slope)) < 0.01 / slope:
        said = f"{name} / {round(1 / slope)}"
    else:
        said = name if abs(slope - 1) < SHOWN else f"{round(slope, 4):.4g} · {name}"
    return said if abs(offset) < SHOWN else f"{said} {'-' if offset < 0 else '+'} {abs(round(offset, 4)):.4g}"


def pixel_weights(loss: Loss, form: Form, challenge: Challenge) -> list[str]:
    """The mistake of a cross-entropy in which some pixels count more than others; empty for any other."""
    reconstructions, originals, *parameters = form.inputs(challenge, 1, WEIGHED)
    originals = (originals > 0.7).float()  # a gray pixel would mix the weights of black and white
    weights: list[list[float]] = []
    for pixel in range(WEIGHED):
        changed = [reconstructions.clone() for _ in range(3)]
        for each, value in zip(changed, (0.1, 0.5, 0.9), strict=True):
            each[0, pixel] = value
        losses = [loss(each, originals, *parameters) for each in changed]
        right = [float(reference.loss_function(each, originals, *parameters)) for each in changed]
        steps = [right[at] - right[at + 1] for at in range(2)]
        if min(map(abs, steps)) < 0.02:  # rounding would decide
            continue
        steps_taken = [losses[at] - losses[at + 1] for at in range(2)]
        weights.append([taken / step for taken, step in zip(steps_taken, steps, strict=True)])
    least, most = (bound(one for one, _ in weights) if weights else 1.0 for bound in (min, max))
    alike = all(abs(one - other) <= 0.1 * (most - least) for one, other in weights)
    return ["reconstruction-weighted"] if alike and least > 0 and most > 1.005 * least else []


def pixel_written_out(submission: Submission, challenge: Challenge, form: Form) -> str:
    """What a wrong reconstruction term computes for a pixel, as a formula in words; empty for no short one."""
    image, _, *parameters = form.inputs(challenge, 1, 12)
    reconstructions, originals = challenge.uniform(LOW, HIGH, POINTS), challenge.uniform(0.05, 0.95, POINTS)
    pairs = zip(reconstructions, originals, strict=True)
    points = [(image * 0 + reconstruction, image * 0 + original, *parameters) for reconstruction, original in pairs]
    values = wrong_values(submission, points)
    found = None if values is None else formula(values / image.numel(), of_pixel(reconstructions, originals))
    return f" For one pixel, your reconstruction term is {found}, up to a constant." if found else ""


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
