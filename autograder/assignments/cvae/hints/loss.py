"""What each mistake in the loss would give, and the diagnosis of a loss from its values alone.

The loss is a sum over images of a reconstruction term and a divergence, each weighed by how it is reduced. The first
diagnosis tries every combination of the formulas below. Where none fits, each term is looked at by itself: it is
fitted as a weighted sum of features, all else held fixed, and how it grows from one image to several shows the average.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import ContinuousBernoulli

from autograder.assignments.cvae.assignment import INPUT_DIM


@dataclass(frozen=True)
class Term:
    """A formula for one term of each image: the mistakes in it, none in the right one, and its (N,) values.

    Its arguments are reconstructions and originals, (N, D), or means and log-variances, (N, L).
    """

    mistakes: tuple[str, ...]
    predict: Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Reduction:
    """How the terms become one number: the mistakes in it, and the weights of the two summed terms for N, D and L."""

    mistakes: tuple[str, ...]
    weights: Callable[[int, int, int], tuple[float, float]]


@dataclass(frozen=True)
class Feature:
    """What a term may be a weighted sum of: its weight in the right term, and the mistake.

    The mistake is that the feature is missing, for one with a weight, else that it is there.
    """

    mistake: str
    weight: float
    predict: Callable[[Tensor, Tensor], Tensor]
    weighted: str = ""  # the mistake where it has another weight than this


def _cross_entropy(reconstructions: Tensor, originals: Tensor) -> Tensor:
    return F.binary_cross_entropy(reconstructions, originals, reduction="none").sum(-1)


def _divergence(means: Tensor, logvariances: Tensor) -> Tensor:
    return -0.5 * (1 + logvariances - means.square() - logvariances.exp()).sum(-1)


def _reversed_divergence(means: Tensor, logvariances: Tensor) -> Tensor:
    """KL(N(0, I) ‖ N(μ, σ²))."""
    return 0.5 * (logvariances - 1 + (1 + means.square()) * (-logvariances).exp()).sum(-1)


RECONSTRUCTIONS = (
    Term((), _cross_entropy),
    Term(("reconstruction-mse",), lambda r, x: (r - x).square().sum(-1)),
    Term(("reconstruction-mse",), lambda r, x: (r - x).square().mean(-1)),
    Term(("reconstruction-l1",), lambda r, x: (r - x).abs().sum(-1)),
    Term(("reconstruction-l1",), lambda r, x: (r - x).abs().mean(-1)),
    Term(("reconstruction-missing",), lambda r, x: 0 * r.sum(-1)),
    Term(("reconstruction-arguments-swapped",), lambda r, x: _cross_entropy(x, r)),
    Term(("reconstruction-averaged-over-pixels",), lambda r, x: _cross_entropy(r, x) / r.shape[-1]),
    Term(("reconstruction-sign-flipped",), lambda r, x: -_cross_entropy(r, x)),
    Term(("reconstruction-sigmoid-twice",), lambda r, x: _cross_entropy(torch.sigmoid(r), x)),
    Term(("reconstruction-half",), lambda r, x: -(x * r.log()).sum(-1)),
    Term(("reconstruction-half",), lambda r, x: -((1 - x) * (1 - r).log()).sum(-1)),
    Term(("originals-rounded",), lambda r, x: _cross_entropy(r, (x > 0.5).to(x.dtype))),
    Term(("reconstruction-one-plus",), lambda r, x: -(x * r.log() + (1 - x) * (1 + r).log()).sum(-1)),
    Term(("reconstruction-inverted",), lambda r, x: _cross_entropy(1 - r, x)),
    Term(("reconstruction-continuous",), lambda r, x: -ContinuousBernoulli(probs=r).log_prob(x).sum(-1)),
    Term(("reconstruction-softmax",), lambda r, x: F.cross_entropy(r, x, reduction="none")),
)
DIVERGENCES = (
    Term((), _divergence),
    Term(("kl-without-exp",), lambda mu, logvar: -0.5 * (1 + logvar - mu.square() - logvar).sum(-1)),
    Term(("kl-with-log",), lambda mu, logvar: -0.5 * (1 + logvar - mu.square() - logvar.log()).sum(-1)),
    Term(("kl-with-log",), lambda mu, logvar: -0.5 * (1 + logvar.log() - mu.square() - logvar).sum(-1)),
    Term(("kl-sign-flipped",), lambda mu, logvar: -_divergence(mu, logvar)),
    Term(("kl-missing",), lambda mu, logvar: 0 * mu.sum(-1)),
    Term(("kl-without-half",), lambda mu, logvar: 2 * _divergence(mu, logvar)),
    Term(("kl-without-half", "kl-sign-flipped"), lambda mu, logvar: -2 * _divergence(mu, logvar)),
    Term(("kl-mean-not-squared",), lambda mu, logvar: -0.5 * (1 + logvar - mu - logvar.exp()).sum(-1)),
    Term(("kl-averaged-over-latent",), lambda mu, logvar: _divergence(mu, logvar) / mu.shape[-1]),
    Term(("kl-without-constant",), lambda mu, logvar: -0.5 * (logvar - mu.square() - logvar.exp()).sum(-1)),
    Term(("kl-without-logvariance",), lambda mu, logvar: -0.5 * (1 - mu.square() - logvar.exp()).sum(-1)),
    Term(("kl-without-variance",), lambda mu, logvar: -0.5 * (1 + logvar - mu.square()).sum(-1)),
    Term(("kl-without-mean",), lambda mu, logvar: -0.5 * (1 + logvar - logvar.exp()).sum(-1)),
    Term(("kl-std-for-variance",), lambda mu, logvar: -0.5 * (1 + logvar - mu.square() - (0.5 * logvar).exp()).sum(-1)),
    Term(("kl-logvariance-as-log-std",), lambda mu, logvar: _divergence(mu, 2 * logvar)),
    Term(
        ("kl-logvariance-as-log-std",),
        lambda mu, logvar: -0.5 * (1 + logvar - mu.square() - (2 * logvar).exp()).sum(-1),
    ),
    Term(("loss-arguments-exchanged",), lambda mu, logvar: _divergence(logvar, mu)),
    Term(("kl-reversed",), _reversed_divergence),
    Term(
        ("kl-sum-squared",),
        lambda mu, logvar: -0.5 * ((1 + logvar - logvar.exp()).sum(-1) - mu.sum(-1).square()),
    ),
    Term(("kl-half-misplaced",), lambda mu, logvar: (-0.5 + logvar - mu.square() - logvar.exp()).sum(-1)),
    Term(("kl-half-misplaced",), lambda mu, logvar: (-0.5 * (1 + logvar) - mu.square() - logvar.exp()).sum(-1)),
    Term(("kl-half-misplaced",), lambda mu, logvar: (-0.5 * (1 + logvar - mu.square()) - logvar.exp()).sum(-1)),
)
REDUCTIONS = (
    Reduction((), lambda n, d, latent: (1 / n, 1 / n)),
    Reduction(("summed-over-batch",), lambda n, d, latent: (1, 1)),
    Reduction(("reconstruction-summed-over-batch",), lambda n, d, latent: (1, 1 / n)),
    Reduction(("kl-summed-over-batch",), lambda n, d, latent: (1 / n, 1)),
    Reduction(("kl-in-every-pixel",), lambda n, d, latent: (1 / n, d / n)),
    Reduction(("kl-in-every-pixel", "summed-over-batch"), lambda n, d, latent: (1, d)),
    Reduction(("reconstruction-in-every-dimension",), lambda n, d, latent: (latent / n, 1 / n)),
    Reduction(("reconstruction-in-every-dimension", "summed-over-batch"), lambda n, d, latent: (latent, 1)),
    Reduction(("reconstruction-divided-by-pixels",), lambda n, d, latent: (1 / d, 1 / n)),
    Reduction(("kl-divided-by-latent",), lambda n, d, latent: (1 / n, 1 / latent)),
    Reduction(("averaged-over-everything",), lambda n, d, latent: (1 / (n * d), 1 / (n * latent))),
    Reduction(("reconstruction-averaged-over-pixels", "kl-summed-over-batch"), lambda n, d, latent: (1 / (n * d), 1)),
    Reduction(
        ("reconstruction-summed-over-batch", "kl-averaged-over-latent"), lambda n, d, latent: (1, 1 / (n * latent))
    ),
    Reduction(("reconstruction-divided-by-batch-twice",), lambda n, d, latent: (1 / n**2, 1 / n)),
    Reduction(("kl-divided-by-batch-twice",), lambda n, d, latent: (1 / n, 1 / n**2)),
    Reduction(("divided-by-latent",), lambda n, d, latent: (1 / latent, 1 / latent)),
    Reduction(("divided-by-latent",), lambda n, d, latent: (1 / (n * latent), 1 / (n * latent))),
    Reduction(("divided-by-pixels",), lambda n, d, latent: (1 / d, 1 / d)),
    Reduction(("divided-by-all-pixels",), lambda n, d, latent: (1 / (n * d), 1 / (n * d))),
)
KL_FEATURES = (
    Feature("kl-without-logvariance", -0.5, lambda mu, logvar: logvar.sum(-1), "kl-logvariance-weight"),
    Feature("kl-without-mean", 0.5, lambda mu, logvar: mu.square().sum(-1), "kl-mean-weight"),
    Feature("kl-without-variance", 0.5, lambda mu, logvar: logvar.exp().sum(-1), "kl-variance-weight"),
    Feature("kl-mean-not-squared", 0, lambda mu, logvar: mu.sum(-1)),
    Feature("kl-std-for-variance", 0, lambda mu, logvar: (0.5 * logvar).exp().sum(-1)),
    Feature("kl-logvariance-as-log-std", 0, lambda mu, logvar: (2 * logvar).exp().sum(-1)),
)
RECONSTRUCTION_FEATURES = (
    Feature("reconstruction-half", -1.0, lambda r, x: (x * r.log()).sum(-1)),
    Feature("reconstruction-half", -1.0, lambda r, x: ((1 - x) * (1 - r).log()).sum(-1)),
    Feature("reconstruction-mse", 0, lambda r, x: (r - x).square().sum(-1)),
    Feature("reconstruction-l1", 0, lambda r, x: (r - x).abs().sum(-1)),
    Feature("reconstruction-sigmoid-twice", 0, lambda r, x: _cross_entropy(torch.sigmoid(r), x)),
    Feature("reconstruction-arguments-swapped", 0, lambda r, x: _cross_entropy(x, r)),
    Feature("originals-rounded", 0, lambda r, x: _cross_entropy(r, (x > 0.5).to(x.dtype))),
)

USUAL = 16  # points at which a term is fitted
COPIES = 4  # of an image, to see how a term grows
SMALL = 1e-3  # a factor that hides a term in the rounding of the other one
Arguments = tuple[Tensor, ...]  # reconstructions and originals (N, D), means and log-variances (N, L)
Loss = Callable[..., float]  # of Arguments


def diagnose(loss: Loss, draw: Callable[[int, int, int, float], Arguments]) -> list[str]:
    """The mistakes that explain the values of a loss, the fewest that do; never none.

    `draw` gives random arguments for at least so many images, and for so many pixels and latent dimensions, with
    log-variances from the lowest.
    """
    for lowest in (-2.0, 0.2):  # of either sign, and positive: a wrong term may take their logarithm
        probes = [draw(*sizes, lowest) for sizes in ((1, 12, 5), (5, 20, 3), (3, 9, 8))]
        if found := _by_combination(probes, [loss(*probe) for probe in probes]):
            for term in ("reconstruction", "kl"):
                if (missing := f"{term}-missing") in found:
                    others = [each for each in found if each != missing]
                    found = others + _about_little(loss, term, probes[0])
            return found
    return _by_term(loss, [draw(1, 11, 7, -2.0) for _ in range(USUAL)])


def _by_combination(probes: list[Arguments], values: list[float]) -> list[str]:
    """The mistakes of the combination that gives the values, of as few as will do; empty if none does."""
    if not any(map(math.isfinite, values)):  # NaN and infinity alone say nothing
        return []
    terms = [
        (
            [float(term.predict(r, x).sum()) for term in RECONSTRUCTIONS],
            [float(term.predict(mu, logvar).sum()) for term in DIVERGENCES],
            [reduction.weights(len(mu), x.shape[-1], mu.shape[-1]) for reduction in REDUCTIONS],
            value,
        )
        for (r, x, mu, logvar), value in zip(probes, values, strict=True)
    ]
    candidates = [
        [*RECONSTRUCTIONS[i].mistakes, *DIVERGENCES[j].mistakes, *REDUCTIONS[k].mistakes]
        for i, j, k in product(range(len(RECONSTRUCTIONS)), range(len(DIVERGENCES)), range(len(REDUCTIONS)))
        if all(_same(r[i] * w[k][0] + kl[j] * w[k][1], value) for r, kl, w, value in terms)
    ]
    if candidates:
        return min(candidates, key=lambda names: (len(names), _says_too_much(names)))
    # A weight of the divergence that explains every probe, taken from the one where the divergence says most.
    right = [(r[0] * w[0][0], kl[0] * w[0][1], value) for r, kl, w, value in terms]
    r, kl, value = max(right, key=lambda each: abs(each[1] / (each[0] or 1)))
    factor = (value - r) / kl if kl else 1.0
    scaled = all(_same(r + factor * kl, value) for r, kl, value in right)
    return ["kl-scaled"] if scaled and abs(factor - 1) > 0.01 else []


def _says_too_much(mistakes: list[str]) -> bool:
    """Whether both terms are said to be divided by something, where one of them is missing."""
    missing = any(each.endswith("-missing") for each in mistakes)
    return missing and any(each.startswith(("averaged-", "divided-")) for each in mistakes)


def _by_term(loss: Loss, images: list[Arguments]) -> list[str]:
    """What can be said of each term by itself, from many arguments for one image."""
    sizes = []
    for one, other in (images[:2], images[2:4], images[4:6]):  # two reconstructions of a pair may be equally good
        crossed = [loss(*first[:2], *second[2:]) for first in (one, other) for second in (one, other)]
        if not all(map(math.isfinite, crossed)):
            return ["not-finite"]
        sizes.append(max(map(abs, crossed)))
        if abs(crossed[0] - crossed[1] - crossed[2] + crossed[3]) > 1e-3 * sizes[-1]:
            return ["terms-not-added"]
    first = images[0]
    mistakes: list[str] = []
    factors: list[float | None] = []
    growth: list[float | None] = []  # of a term's change, from one image to COPIES like it
    for term, vary, features in (
        ("reconstruction", slice(0, 2), RECONSTRUCTION_FEATURES),
        ("kl", slice(2, 4), KL_FEATURES),
    ):
        points = [(*first[: vary.start], *each[vary], *first[vary.stop :]) for each in images]
        if term == "kl":  # and far from the others, where a bound or a fold would show
            points += [(*first[:2], 5 * means, logvariances) for *_, means, logvariances in images[:2]]
        values = torch.tensor([loss(*point) for point in points])
        if not values.isfinite().all():
            return ["not-finite"]
        varied = [torch.stack(each) for each in zip(*(point[vary] for point in points), strict=True)]
        predictions = torch.stack([each.predict(*varied).mean(1) for each in features], 1)
        found, factor = _about_term(term, values, predictions, features)
        seen = found == ["kl-other"] or (not found and factor is not None)
        if term == "kl" and seen:
            if _right_when_far(loss, first):
                found = ["kl-cut-off"]
            elif _distance_from_target(loss, first):
                found = ["kl-capacity"]
        high, low = int(values[:USUAL].argmax()), int(values[:USUAL].argmin())  # any two may be nearly equal by chance
        alone = float(values[high] - values[low])
        hidden = alone <= 1e-4 * sizes[0]
        if found in ([f"{term}-other"], [f"{term}-missing"]) or (hidden and not found):
            little = _factor(loss, term, first)
            if little is not None and little < SMALL:
                mistakes += _about_little(loss, term, first)
                factors.append(None)
                growth.append(None)
                continue
        mistakes += found
        factors.append(factor)
        together = [] if hidden else [loss(*copied(points[at])) for at in (high, low)]
        if not all(map(math.isfinite, together)):
            return ["not-finite"]
        growth.append((together[0] - together[1]) / alone if together else None)
    return mistakes + _about_average(factors, growth, first[0].shape[-1], first[2].shape[-1]) or ["loss-constant-off"]


def copied(point: Arguments, copies: int = COPIES) -> Arguments:
    """A minibatch of so many copies of these images."""
    return tuple(torch.cat([each] * copies) for each in point)


def _steps(term: str, point: Arguments) -> list[Arguments]:
    """Arguments between which only this term changes, and by so much that a small factor of it shows.

    The divergence is made large, so that it does not get lost in the rounding of the pixels, or else kept at 0. The
    last one has the least.
    """
    r, x, means, _ = point
    zeros = 0 * means
    if term == "kl":
        latents = (zeros + 1000, zeros), (300 * means, zeros), (zeros, zeros + 12), (zeros, zeros)
        return [(r, x, *each) for each in latents]
    return [(images, x, zeros, zeros) for images in (0 * r + 0.05, 0 * r + 0.95, r, x)]


def _factor(loss: Loss, term: str, point: Arguments, copies: int = 1) -> float | None:
    """What a term is multiplied by, however little that is; None where it is no multiple of the right one.

    Of several copies of an image, the term of one counts.
    """
    steps = _steps(term, point)
    right = [float((_divergence(*each[2:]) if term == "kl" else _cross_entropy(*each[:2])).sum()) for each in steps]
    values = [loss(*copied(step, copies)) for step in steps]
    changes = [(value - values[-1], each - right[-1]) for value, each in zip(values, right, strict=True)]
    first, *others = (observed / expected for observed, expected in changes[:-1])
    alike = all(math.isclose(first, each, rel_tol=1e-2) for each in others)
    return first if first > 0 and math.isfinite(first) and alike else None


def _about_little(loss: Loss, term: str, point: Arguments) -> list[str]:
    """The mistakes in a term of one image that next to the other one is so small that it seems to be missing."""
    factor = _factor(loss, term, point)
    if factor is None:
        most, *_, least = _steps(term, point)
        return [f"{term}-missing" if loss(*most) == loss(*least) else f"{term}-other"]
    if _about_growth((_factor(loss, term, point, COPIES) or 0) / factor) == "summed":
        return [f"{term}-divided-by-constant"]
    vary, averaged = (slice(2, 4), "latent") if term == "kl" else (slice(0, 2), "pixels")
    wide = (*point[: vary.start], *(each.repeat(1, 2) for each in point[vary]), *point[vary.stop :])
    is_average = math.isclose(2 * (_factor(loss, term, wide) or 0), factor, rel_tol=1e-2)
    scaled = not (is_average and _same(1, factor * point[vary.start].shape[-1], 1e-2))
    return [f"{term}-averaged-over-{averaged}"] * is_average + [f"{term}-scaled"] * scaled


def _distance_from_target(loss: Loss, point: Arguments) -> bool:
    """Whether the divergence enters by its distance from a fixed number above 0, the capacity of some models."""
    *images, means, _ = point

    def at(divergence: float) -> float:
        mean = (2 * divergence / means.numel()) ** 0.5
        return loss(*images, 0 * means + mean, 0 * means)

    low, high, prior = 500.0, 1000.0, at(0)
    slope = (at(high) - at(low)) / (high - low)
    target = (high - (at(high) - prior) / slope) / 2 if slope > 0 else 0.0
    between = (0.3 * target, target, 1.5 * target, 4 * target)
    return target > 0.05 and all(
        _same(prior - slope * (target - abs(each - target)), at(each), 1e-3) for each in between
    )


def _right_when_far(loss: Loss, point: Arguments) -> bool:
    """Whether the divergence is right where each latent dimension's is large, and flat at the prior."""
    *images, means, _ = point
    steps = (4 * torch.ones_like(means), 0 * means), (5 * torch.ones_like(means), 0 * means + 2)
    values, right = [loss(*images, *each) for each in steps], [float(_divergence(*each).sum()) for each in steps]
    at_prior, nearby = (0 * means, 0 * means), (0 * means, 0 * means + 0.05)
    near = [loss(*images, *each) for each in (at_prior, nearby)]
    shows = float(_divergence(*nearby).sum()) > torch.finfo(torch.float32).eps * abs(near[0])  # and is not rounded away
    return near[0] == near[1] and shows and _same(right[1] - right[0], values[1] - values[0], 1e-3)


def _about_average(factors: list[float | None], growth: list[float | None], pixels: int, latent: int) -> list[str]:
    """The mistakes in the average, from the factor that each term is off by and its growth with the minibatch."""
    kinds = [_about_growth(each) if each is not None else None for each in growth]
    seen = {kind for kind in kinds if kind is not None}
    mistakes = []
    match factors:
        case [float(first), float(second)] if _same(first, second, 1e-3) and not _same(1.0, first, 1e-3):
            if seen == {"summed"} and first < 1:
                return ["divided-by-constant"]
            if "" not in seen:
                mistakes.append("pixels-written-in" if _same(INPUT_DIM / pixels, first, 1e-3) else "loss-scaled")
            factors = [None, None]
    off = [each is not None and not _same(1.0, each, 1e-3) for each in factors]
    divided = [
        kind == "summed" and is_off and factor is not None and factor < 1
        for kind, is_off, factor in zip(kinds, off, factors, strict=True)
    ]
    apart = seen == {"summed", "averaged"}
    for at, (term, size) in enumerate((("reconstruction", pixels), ("kl", latent))):
        if divided[at] and (apart or all(divided)):
            own = factors[at] is not None and _same(1 / size, factors[at] or 0.0, 1e-3)
            mistakes.append(f"{term}-divided-by-{(('pixels', 'latent')[at] if own else 'constant')}")
            continue
        if off[at] and (factor := factors[at]) is not None:
            mistakes.append(_about_factor(term, factor, size))
        if apart and kinds[at] == "summed":
            mistakes.append(f"{term}-summed-over-batch")
    if seen == {"summed"} and not all(divided):
        mistakes.append("summed-over-batch")
    elif "divided" in seen and seen <= {"divided", "averaged"}:
        of_term = "" if "averaged" not in seen else "reconstruction-" if kinds[0] == "divided" else "kl-"
        mistakes.append(f"{of_term}divided-by-batch-twice")
    elif not apart and not seen <= {"summed", "averaged"}:
        mistakes.append("batch-other")
    return mistakes


def _about_factor(term: str, factor: float, size: int) -> str:
    """The mistake in a term that is multiplied by a factor, and should be the sum of so many numbers."""
    if _same(1 / size, factor, 1e-3):
        return f"{term}-averaged-over-{'latent' if term == 'kl' else 'pixels'}"
    if term == "reconstruction" and _same(INPUT_DIM / size, factor, 1e-3):
        return "pixels-written-in"
    return f"{term}-scaled"


def _about_growth(growth: float) -> str:
    """How a term that grows so much from one image to COPIES like it is made of theirs; empty for no usual way."""
    kinds = {"summed": COPIES, "averaged": 1, "divided": 1 / COPIES}
    return next((kind for kind, each in kinds.items() if _same(each, growth, 0.01)), "")


def _about_term(
    term: str, values: Tensor, predictions: Tensor, features: tuple[Feature, ...]
) -> tuple[list[str], float | None]:
    """The mistake in one term, and the factor that it is off by where it is right but for that.

    Arguments:
        values: (P,) losses, where only this term varies. Those after the first USUAL are of points far from the others.
        predictions: (P, F) what the features give.

    Nothing is said of a term that is lost in the rounding of a far larger one.
    """
    right = [float(each.weight) for each in features if each.weight]
    usual = values[:USUAL]
    spread = float(usual.std())
    term_alone = predictions[:, : len(right)] @ torch.tensor(right, dtype=predictions.dtype)
    if 1e-6 * float(values.abs().max()) > 1e-3 * max(float(term_alone[:USUAL].std()), spread):
        return [], None
    if spread < 1e-6 * max(1.0, float(values.abs().max())):
        return [f"{term}-missing"], None
    matrix = torch.cat((predictions, torch.ones(len(values), 1)), 1).double()
    found = torch.linalg.lstsq(matrix, values.double()[:, None], driver="gelsd").solution
    allowed = 2e-3 * (values - usual.mean()).abs().clamp(min=spread)
    if ((matrix @ found)[:, 0] - values).abs().gt(allowed).any():
        return [f"{term}-other"], None
    weights = (found[:-1, 0] * (found[:-1, 0].abs() * predictions[:USUAL].std(0) > 5e-3 * spread)).tolist()
    extra = [each.mistake for each, weight in zip(features, weights, strict=True) if weight and not each.weight]
    ratios = [weight / each for weight, each in zip(weights, right, strict=False)]
    there = [ratio for ratio in ratios if ratio]
    alike = all(_same(abs(there[0]), abs(ratio), 0.01) for ratio in there)
    one_sign = len({ratio > 0 for ratio in there}) < 2
    if extra:
        replaces = len(extra) == 1 and (not there or (alike and len(there) == len(ratios) - 1))
        return [extra[0] if replaces else f"{term}-other"], None
    if not alike:
        off = [each for each, ratio in zip(features, ratios, strict=False) if ratio and not _same(1.0, ratio, 0.01)]
        weighted = [each.weighted for each in off if each.weighted]
        told = len(there) == len(ratios) and len(off) == len(weighted) < len(ratios)
        return (weighted if told else [f"{term}-other"]), None
    if len(there) < len(ratios):
        absent = [each.mistake for each, ratio in zip(features, ratios, strict=False) if not ratio]
        return [*absent, *([] if one_sign or term != "kl" else ["kl-term-sign"])], None
    if not one_sign:
        return ["kl-term-sign" if term == "kl" else "reconstruction-other"], None
    if ratios[0] < 0:
        return [f"{term}-sign-flipped"], None
    deviations = (term_alone - term_alone.mean()).double()  # their slope is less noisy than the weight of one feature
    return [], float(deviations @ values.double() / deviations.square().sum())


def _same(expected: float, value: float, tolerance: float = 3e-4) -> bool:
    if not (math.isfinite(expected) and math.isfinite(value)):
        return expected == value or (expected != expected and value != value)
    return abs(expected - value) <= tolerance * max(abs(value), 1e-2)
