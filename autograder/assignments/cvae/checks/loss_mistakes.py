"""Which mistakes the values of a wrong loss show, and what to say of them."""

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations, product

import torch
from torch import Tensor

from autograder.assignments.cvae.assignment import (
    INPUT_DIM,
    LATENT_DIMENSIONALITY,
    TRAINING_LATENT_DIMENSIONALITY,
)
from autograder.assignments.cvae.checks.loss_values import (
    CHANGES,
    LATENTS,
    NAMES,
    TOLERANCE,
    WEIGHED,
    Form,
    Pair,
    change,
    of_flat_images,
    pair_of_latents,
    value_on,
)
from autograder.assignments.cvae.checks.network import CLASS
from autograder.assignments.cvae.hints.formulas import POINTS, Formula, exponent_in, formula, of_divergence
from autograder.assignments.cvae.hints.loss import COPIES, copied, diagnose
from autograder.assignments.cvae.solution import cs5814_vae as reference
from autograder.grading.harness import Challenge, Wrong, close
from autograder.report.summary import listed
from autograder.sandbox.client import Submission
from autograder.sandbox.errors import Raised, SubmissionError
from autograder.sandbox.outline import Outline


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
        if found in (["summed-over-batch"], ["batch-other"]) and pairs_images(loss, flat, challenge):
            return ["terms-broadcast"]
        if not numbers.isfinite().any() and all(each.endswith("-other") for each in found):
            return ["loss-infinite"]
        if found == ["loss-constant-off"] and averages_first(loss, flat, challenge):
            return ["averaged-too-early"]
        if found == ["loss-constant-off"] and changes_with(offsets(loss, flat, challenge).get("image", [])):
            return ["loss-constant-counts-images"]
        if found == ["divided-by-constant"]:
            return by_divisor(loss, flat, challenge)
        if found == ["loss-constant-off"] and close(numbers, right, TOLERANCE):
            if mixed := mixed_arguments(loss, flat, challenge):
                return mixing_terms(mixed) or ["batch-other"]
            return by_divisor(loss, flat, challenge)
        sums = [each for each in found if each.endswith(("-summed-over-batch", "batch-other"))]
        if sums and (mixed := mixed_arguments(loss, flat, challenge)):  # then copies of one image tell of no sum
            return [*(each for each in found if each not in sums), *(mixing_terms(mixed) or ["batch-other"])]
        if found == ["reconstruction-other"] and off_by_originals(loss, flat, challenge):
            return ["loss-off-by-originals"]
        return found
    except SubmissionError:
        return []
    except Wrong as error:
        return error.misconceptions


def pairs_images(loss: Callable[..., float], form: Form, challenge: Challenge) -> bool:
    """Whether the loss adds each image's reconstruction term to the divergence of each image.

    With 3 images and 2 rows of means, each term then counts as many times as the other has rows. In a loss that adds up
    each term by itself, both count once, and where there is one sum for each image, it stops.
    """
    r, x, means, logvariances = form.inputs(challenge, 3, WEIGHED, low=0.2)
    few = means[:2], logvariances[:2]
    moved, shifted = 0.2 + 0.6 * r, (few[0] + 1, few[1])
    right = reference.loss_function
    of_images = 3 * float(right(moved, x, means, logvariances) - right(r, x, means, logvariances))
    of_latents = 2 * float(right(r[:2], x[:2], *shifted) - right(r[:2], x[:2], *few))
    with contextlib.suppress(SubmissionError, Wrong):
        start = loss(r, x, *few)
        counts = (loss(moved, x, *few) - start) / of_images, (loss(r, x, *shifted) - start) / of_latents
        return math.isclose(3 * counts[0], 2 * counts[1], rel_tol=1e-3)
    return False


Offsets = dict[str, list[tuple[int, float]]]  # by what is counted: how many there are, and what a loss is off by
COUNTED = {"image": (2, 5, 9), "pixel": (12, 20, 30), "latent dimension": (7, 11, 16)}
SAME_OFFSET = 0.02


def offsets(loss: Callable[..., float], form: Form, challenge: Challenge) -> Offsets:
    """What a loss is off by for the numbers of `COUNTED`, one of them changed at a time; empty if not by a constant."""
    found: Offsets = {}
    for name, sizes in COUNTED.items() if form.any_pixels and form.any_latents else ():
        for size in sizes:
            batch, pixels, latent = (size if each == name else least for each, (least, *_) in COUNTED.items())
            draws = [form.inputs(challenge, batch, pixels, latent, low=0.2) for _ in range(2)]
            one, other = (loss(*each) - float(reference.loss_function(*each)) for each in draws)
            if not abs(one - other) < SAME_OFFSET / 2:
                return {}
            found.setdefault(name, []).append((size, (one + other) / 2))
    return found


def changes_with(points: list[tuple[int, float]]) -> bool:
    """Whether what a loss is off by is not the same at each of these points."""
    off = [each for _, each in points]
    return bool(off) and max(off) - min(off) > SAME_OFFSET


def said_of_offsets(found: Offsets) -> str:
    """With which sizes it changes what a loss is off by, and how, in words; empty for a constant of any sizes."""
    said = []
    for name, points in found.items():
        (first, one), (second, two), (last, three) = points
        slope = (three - one) / (last - first)
        linear = abs(two - one - slope * (second - first)) < SAME_OFFSET
        if changes_with(points):
            by = f"by {slope:.3g} with each {name}" if linear else f"by {three - one:.3g} with {last} {name}s"
            said.append(by)
    start = "{} images of {} pixels with {} latent dimensions".format(*(least for least, *_ in COUNTED.values()))
    return f" Compared with {start}, how far it is off changes {listed(said)}." if said else ""


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


def values_at_sizes(
    loss: Callable[..., float], form: Form, challenge: Challenge
) -> list[tuple[tuple[int, int, int], float, float]]:
    """Numbers of images, pixels and latents, and what the loss of such a minibatch is and should be."""
    found = []
    for batch, pixels, latent in SIZES:
        arguments = form.inputs(challenge, batch, pixels, latent, low=0.2)
        sizes = batch, arguments[1].shape[-1], arguments[2].shape[-1]
        found.append((sizes, loss(*arguments), float(reference.loss_function(*arguments))))
    return found


def divisor(values: Sequence[tuple[tuple[int, int, int], float, float]]) -> str:
    """What the sum over the images is divided by, in words; empty where that is unknown."""
    found = [(sizes, sizes[0] * right / value) for sizes, value, right in values]
    laws = {"a fixed number": lambda *_: found[0][1], **DIVISORS}
    return next(
        (name for name, law in laws.items() if all(math.isclose(law(*at), each, rel_tol=1e-3) for at, each in found)),
        "",
    )


def by_divisor(loss: Callable[..., float], form: Form, challenge: Challenge) -> list[str]:
    """The mistake of a loss that is right but for its divisor, on minibatches of one or a few images."""
    values = values_at_sizes(loss, form, challenge)
    off = [value - right for _, value, right in values]
    if min(map(abs, off)) > 1e-2 and all(math.isclose(each, off[0], rel_tol=1e-2) for each in off):
        return ["loss-constant-off"]  # one and the same number is added to each
    law = divisor(values)
    named = {"": "batch-other", "a fixed number": "divided-by-constant", "the number of images": "loss-constant-off"}
    return [named.get(law, "divided-by-other-size")]


def off_by_originals(loss: Callable[..., float], form: Form, challenge: Challenge) -> bool:
    """Whether what a loss is off by depends on the originals, and on no other argument."""
    most = dict.fromkeys(ARGUMENTS, 0.0)
    for _ in range(CHANGES):
        start, other = (form.inputs(challenge, 1, WEIGHED, low=0.2) for _ in range(2))
        points = [tuple(other[each] if each == at else start[each] for each in range(4)) for at in (None, *range(4))]
        first, *others = (loss(*each) - float(reference.loss_function(*each)) for each in points)
        most = {name: max(most[name], abs(each - first)) for name, each in zip(ARGUMENTS, others, strict=True)}
    by_originals = most.pop("originals")
    return by_originals > 0.01 and all(each < 0.02 * by_originals for each in most.values())


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


COUNTED_OFTEN = "kl-in-every-pixel", "reconstruction-in-every-dimension"


def said_of_factor(term: str, mistakes: list[str], observed: Tensor, expected: Tensor) -> str:
    """By what a term is multiplied whose mistake that is, in words, and which logarithms are; empty for others."""
    multiplied = len(mistakes) == 1 and mistakes[0] in (f"{term}-scaled", *COUNTED_OFTEN)
    return said_of_ratio(float(observed / expected)) if multiplied else ""


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


def change_of_copies(submission: Submission, pair: Pair) -> Tensor:
    """The difference between the losses of some copies of the image."""
    return change(submission, *map(copied, pair))[0]


def of_copies(submission: Submission, pair: Pair, mistakes: list[str]) -> str:
    """What copies of an image change in a term whose mistake is about their number, in words; empty for others."""
    if not any(each.endswith(IN_DIVISOR) for each in mistakes):
        return ""
    observed = float(change_of_copies(submission, pair))
    return f" On {COPIES} copies of the image, it should change by as much, but changes by {observed:.3g}."


# What the names of the mistakes in a term begin with.
TERMS = {"reconstruction": ("reconstruction-", "originals-", "pixels-"), "kl": ("kl-", "loss-arguments-")}
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
            return f" It is divided by {divisor(values_at_sizes(loss, flat, challenge))}."
        if mistakes in (["loss-constant-off"], ["loss-constant-counts-images"]):
            return said_of_offsets(offsets(loss, flat, challenge))
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


def pixels_written_in(submission: Submission, challenge: Challenge, form: Form) -> list[str]:
    """The mistake of a loss that is right for the usual number of pixels, and wrong for another; else empty."""

    def right(images: int, pixels: int) -> bool:
        arguments = form.inputs(challenge, images, pixels)
        return close(torch.tensor(value_on(submission, *arguments)), reference.loss_function(*arguments), TOLERANCE)

    with contextlib.suppress(SubmissionError, Wrong):
        usual, few = (all(right(images, pixels) for images in (1, 6)) for pixels in (INPUT_DIM, 12))
        return ["pixels-written-in"] if usual and not few else []
    return []


SIDES = {"N": 3, "H": 5, "W": 4}  # of images of shape (N, 1, H, W)


def changes_by_shape(submission: Submission, challenge: Challenge, form: Form) -> tuple[Tensor, Tensor]:
    """What some changes of each term alone make of the loss, and what they should: of flat and of shaped images each.

    Returns:
        two (changes, 2, 2) tensors: by change, term, and flat or shaped.
    """
    images, height, width = SIDES.values()
    found = []
    for _ in range(CHANGES):
        (*one, means, spreads), (*other, far, wide) = (
            replace(form, flat=True).inputs(challenge, images, height * width, 6, low=0.2) for _ in range(2)
        )
        for changed in ((*other, means, spreads), (*one, 3 * far, wide)):
            flat = (*one, means, spreads), changed
            shaped = ((*(each.reshape(images, 1, height, width) for each in by[:2]), *by[2:]) for by in flat)
            found += [torch.stack(change(submission, *pair)) for pair in (flat, shaped)]
    return tuple(torch.stack(found).reshape(CHANGES, 2, 2, 2).unbind(-1))  # type: ignore[return-value]


def said_of_shape(submission: Submission, challenge: Challenge, form: Form) -> str:
    """Which term of a loss is another one for shaped images than for flat ones, and by which size; empty if unknown."""
    if not (form.flat and form.any_pixels and form.takes_any_values):
        return ""
    try:
        observed, _ = changes_by_shape(submission, challenge, form)
    except Raised as error:
        return f" For 3 images in shape (3, 1, 5, 4), it stops. {error}"
    except (SubmissionError, Wrong):
        return ""
    ratios = observed[:, :, 1] / observed[:, :, 0]
    names = [*NAMES.values()]
    if not ratios.isfinite().all():
        return ""
    off = [at for at in range(2) if not close(ratios[:, at], torch.ones(CHANGES), TOLERANCE)]
    multiples = [at for at in off if close(ratios[:, at], ratios[:1, at].expand(CHANGES), TOLERANCE)]
    if multiples != off:
        return f" Only your {names[off[0]]} depends on the shape of the images." if len(off) == 1 else ""
    factors = [float(ratios[0, at]) for at in off]
    if len(off) == 2 and math.isclose(*factors, rel_tol=1e-3):
        names, off = ["loss"], [0]
    said = [f"your {names[at]} is {said_of_size(factor)}" for at, factor in zip(off, factors, strict=False)]
    return f" For images of shape (N, 1, H, W), {listed(said)}." if said else ""


def said_of_size(factor: float) -> str:
    """How many times as large as it should be something is, by a product of the sizes in `SIDES` if there is one."""
    products = {
        "·".join(each): math.prod(SIDES[name] for name in each)
        for count in range(1, 4)
        for each in combinations(SIDES, count)
    }
    times = max(factor, 1 / factor) if factor > 0 else 0
    if found := [each for each, size in products.items() if math.isclose(times, size, rel_tol=1e-3)]:
        return f"too {'small' if factor < 1 else 'large'} by a factor of {found[0]}"
    return f"{factor:.3g} times that of the same flat images" if abs(factor) > 1e-3 else "the same for all values"


def divisor_of_shape(submission: Submission, challenge: Challenge, right: tuple[bool, bool]) -> str:
    """What is another multiple of the right value with shaped images than with flat ones, in words; else empty.

    It is the whole loss, or a term that is not `right`.
    """
    observed, expected = changes_by_shape(submission, challenge, Form())
    by_term = observed / expected
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


def describe_loops(outline: Outline) -> str:
    """Where the module loops outside of the model, for the hint: the verdict comes from counting."""
    around = {line: outline.around(line) for line in outline.loops}
    lines = [str(line) for line, where in around.items() if where is None or where.place[0] != CLASS][:5]
    if not lines:
        return ""
    return f" There is a loop in line {lines[0]}." if len(lines) == 1 else f" There are loops in lines {listed(lines)}."
