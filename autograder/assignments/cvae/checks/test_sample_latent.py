"""sample_latent: right draws, judged by their statistics so that any correct way of drawing is accepted.

Bounds on statistics lie 7 standard errors out: a correct draw crosses one of them once in some 10^11 runs. Noise
that is used as it should be, but is no standard normal, costs the check of the noise alone. What pure noise, a constant
or the means themselves would pass earns nothing.
"""

import contextlib
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import NoReturn

import pytest
import torch
from torch import Tensor

from autograder.assignments.cvae.checks import probes
from autograder.assignments.cvae.checks.network import Model
from autograder.assignments.cvae.hints.draws import diagnose, in_digits, known_law_of, law_of, law_of_centers
from autograder.assignments.cvae.hints.draws import normalized as are_normalized
from autograder.assignments.cvae.hints.network import HEAD_ACTIVATIONS
from autograder.grading.harness import (
    Challenge,
    Grading,
    Wrong,
    check,
    close,
    fail,
    once,
    only_where,
    require_arguments_unchanged,
    require_shape,
)
from autograder.report.summary import counted, listed
from autograder.sandbox.client import Submission
from autograder.sandbox.errors import Raised, SubmissionError

pytestmark = pytest.mark.sample_latent

ROWS, COLUMNS = 8192, 8
CALLS = 1024  # that stand for rows where a whole call shares its noise
CALLS_APART = 30  # among which noise that comes again is looked for
ROWS_USED = 256  # of the draws that tell whether the arguments are in use
ROWS_ALIKE, COLUMNS_ALIKE = 128, 120  # of the draw whose independence is judged
SIGMAS = 7.0
UNIFORM_KURTOSIS = 1.8
WIDEST = 4.0  # of the noise alone, times the deviation that it should have
NARROWEST = 0.02  # of the noise, times the deviation that it should have: less is the means with rounding
WIDE = 1.4  # standard errors of an average beyond this say nothing of where it is
FAR_LOGVARIANCES = (-6.0, 5.0)  # beyond the usual ones, where a bound on them shows
FAR_MEAN = 12.0  # the largest mean at which a bound on means is looked for
BOUNDED = ((-12.5, -13.0), (12.5, 13.0))  # log-variances that a bound nearer to 0 makes equal
QUIET = -30.0  # a log-variance that leaves next to no noise
MOST_AVERAGED = 20  # draws whose number can be told from the spread of their average
LEAST_FACTOR, USUAL_FACTORS = 3e-4, (0.1, 4.0)  # of noise: less is like rounding, and these need no other means
SIZES = {1024, 512, 256, 200, 128, 100, 64, 50, 32, 20, 16, 15, 10}  # that people write into their code
FEWEST_ROWS = 16  # of a call, where a draw takes several
LEAST_NUMBER = 1e-3  # of noise that is one number, which rounding leaves as it is
MARGIN = 0.1  # of what must be above 0, for roots and logarithms are steep there
ROOM = 20  # deviations of 1 from the middle of two limits to each, far more than a draw needs
SHARED = 0.1  # of the widest draws at one number: they are cut off there
VARIED = 24  # rows of the draws, no two from the same arguments, that tell a normalized draw
MOST_REPEATED = 0.02  # of the numbers in two calls: float32 repeats 0.002, uniform numbers of 24 bits 0.004
FAR = 4.5  # over the root of the number of draws: Kolmogorov and Smirnov's distance passes it once in 10^17


ONE_NUMBER = (
    "One number is the noise of all your draws. So the grader reads it off: it is the same for all means and "
    "log-variances, and the rest of the draw is right."
)


@dataclass(frozen=True)
class Sized:
    """A function that draws so many rows or latent dimensions only, or at most: more of them take several calls.

    Attributes:
        rows, columns: how many, None for any number.
        said: which sizes do not work, for a message.
    """

    submission: Submission
    rows: int | None
    columns: int | None
    said: str

    def shape(self, *given: int) -> tuple[int, int]:
        """The shape of what one call takes, as many as given where any number works."""
        return self.rows or given[0], self.columns or given[1]

    def pieces(self, *given: int) -> Iterator[tuple[slice, slice]]:
        """What each call covers of a draw of this shape, the last ones with some more."""
        rows, columns = self.shape(*given)
        for top, left in product(range(0, given[0], rows), range(0, given[1], columns)):
            yield slice(top, top + rows), slice(left, left + columns)

    def draw(self, means: Tensor, logvariances: Tensor, seed: int | None, gradients: bool, evaluate: bool) -> Tensor:
        """What `draw` gives, put together from calls on the sizes that work, with a seed for each."""
        rows, columns = (
            torch.arange(-(-size // own) * own) % size
            for size, own in zip(means.shape, self.shape(*means.shape), strict=True)
        )
        given = [each[rows][:, columns] for each in (means, logvariances)]
        latents = torch.empty_like(given[0])
        for index, place in enumerate(self.pieces(*means.shape)):
            own = None if seed is None else seed + index
            latents[place] = draw(self.submission, given[0][place], given[1][place], own, gradients, evaluate)
        return latents[: means.shape[0], : means.shape[1]]


Source = Submission | Sized


@dataclass(frozen=True)
class Limits:
    """Numbers that no draw is below or above, infinite where there is none; or how far from its mean a draw can be.

    Attributes:
        share: of the widest draws, how many are exactly at a limit.
    """

    low: float
    high: float
    around_means: bool
    share: float

    def inside(self, means: Tensor, logvariances: Tensor) -> tuple[Tensor, Tensor]:
        """Means and log-variances in these proportions, but whose draws stay inside the limits."""
        low = self.low if self.low > -math.inf else self.high - 2 * ROOM
        high = self.high if self.high < math.inf else self.low + 2 * ROOM
        room = min(-low, high) if self.around_means else (high - low) / 2
        scale = min(room / ROOM, 1.0)
        means = means if self.around_means else (low + high) / 2 + scale * means
        return means, logvariances + 2 * math.log(scale)

    @property
    def said(self) -> str:
        """The limits, for a message."""
        ends = [(each, side) for each, side in ((self.low, "below"), (self.high, "above")) if abs(each) < math.inf]
        at = listed([f"{abs(each):.3g} {side}" if self.around_means else f"{each:.3g}" for each, side in ends])
        return (
            f"Your draws, and not the noise alone, are cut off at {at}{' their means' * self.around_means}: "
            f"where the log-variance is about 5, {self.share:.0%} of them are exactly there."
        )


@dataclass(frozen=True)
class Domain:
    """Which arguments a draw can be made from, and what others brought.

    Any, only means or log-variances above 0, those whose draws stay inside limits, or means as large as the noise.

    Attributes:
        source: what draws.
        one_number: whether the noise of all elements and calls is one number that was drawn.
        factor: of the noise, if it is far from 1. The means have it, too: so the draws are right ones times the factor.
    """

    source: Source
    positive_means: bool = False
    positive_logvariances: bool = False
    one_number: bool = False
    otherwise: Raised | Wrong | None = None
    limits: Limits | None = None
    factor: float = 1.0

    def within(self, means: Tensor, logvariances: Tensor) -> tuple[Tensor, Tensor]:
        """The arguments, or numbers in their proportions where they cannot be taken as they are."""
        means, logvariances = self.positive(means, logvariances)
        return self.limits.inside(means, logvariances) if self.limits else (self.factor * means, logvariances)

    def positive(self, means: Tensor, logvariances: Tensor) -> tuple[Tensor, Tensor]:
        """The arguments, or numbers of their size above 0 where that is needed."""
        return (
            means.abs() + MARGIN if self.positive_means else means,
            logvariances.abs() + MARGIN if self.positive_logvariances else logvariances,
        )


@pytest.fixture(scope="module")
def domain(submission: Submission, grading: Grading) -> Callable[[], Domain]:
    """Finds the arguments that the draw can be made from, once: a wrong one costs its own check, and no other."""
    return once(lambda: find_domain(submission, Challenge(grading.seed, "domain")))


def find_domain(submission: Submission, challenge: Challenge) -> Domain:
    """The widest domain in which numbers come back; the whole one where there is none."""
    source = find_sizes(submission, challenge) or submission
    arguments, seed, otherwise = (challenge.normal(6, 5), challenge.normal(6, 5)), challenge.seed(), None
    for means, logvariances in ((False, False), (False, True), (True, False), (True, True)):
        tried = Domain(source, means, logvariances)
        try:
            draw(source, *tried.within(*arguments), seed)
        except (Raised, Wrong) as error:
            otherwise = otherwise or error
            continue
        if otherwise:
            return replace(tried, otherwise=otherwise)
        if is_one_number(source, challenge):
            return replace(tried, one_number=True)
        limits = find_limits(source, challenge)
        return Domain(source, limits=limits, factor=1.0 if limits else find_factor(source, challenge))
    return Domain(source)


def find_sizes(submission: Submission, challenge: Challenge) -> Sized | None:
    """The largest sizes that work, where others do not; None where all do, or none, or where nothing new is drawn."""
    seed, few, many = challenge.seed(), (6, 5), (ROWS, COLUMNS_ALIKE)

    def fails(rows: int, columns: int) -> Raised | Wrong | None:
        ones = torch.ones(rows, columns)
        try:
            one, other = (draw(submission, 0.3 * ones, ones, seed + each) for each in range(2))
        except (Raised, Wrong) as error:
            return error
        return Wrong("") if float((one == other).float().mean()) > SHARED else None

    wide = (few, (many[0], few[1]), (few[0], many[1]))
    failed = {shape: error for shape in wide if (error := fails(*shape))}
    said = " ".join(each.text if isinstance(each, Raised) else str(each) for each in failed.values())
    tried = {size for shape in wide for size in shape}
    known = {int(each) for each in re.findall(r"\b\d{1,4}\b", said)} - tried - {0, 1}
    if not known:
        return None
    every = sorted(known | SIZES, reverse=True)
    alone = [*((size, None) for size in every), *((None, size) for size in every)]
    for rows, columns in (*alone, *(pair for pair in product(every, known) if pair[0] != pair[1])):
        shapes = product((rows,) if rows else (few[0], many[0]), (columns,) if columns else (few[1], many[1]))
        if (rows or ROWS) >= FEWEST_ROWS and not any(fails(*shape) for shape in shapes):
            shape, error = next((shape, error) for shape, error in failed.items() if str(error))
            taken = [f"{size} {what}" for size, what in ((rows, "rows"), (columns, "latent dimensions")) if size]
            works = f"{'' if few in failed else 'up to '}{listed(taken)}"
            said = f"Your `sample_latent` works with {works}. It does not with means of shape {shape}: {error}"
            return Sized(submission, rows, columns, f"{said.removesuffix('.')}.")
    return None


def is_one_number(source: Source, challenge: Challenge) -> bool:
    """Whether each draw is the mean plus a deviation times one number, with more digits than people write down."""
    means, logvariances = challenge.uniform(-3, 3, VARIED, COLUMNS), torch.linspace(-13, 13, VARIED * COLUMNS)
    logvariances, one = logvariances.reshape(VARIED, COLUMNS), torch.zeros(1, 1)
    with contextlib.suppress(SubmissionError, Wrong):
        number = float(draw(source, one, one, challenge.seed()))
        short = abs(number - float(f"{number:.3g}")) < 1e-6 * abs(number)
        if short or not LEAST_NUMBER < abs(number) < WIDEST:
            return False
        drawn = [draw(source, means, logvariances, challenge.seed()) for _ in range(2)]
        found = torch.stack([(each - means) / torch.exp(0.5 * logvariances) for each in drawn])
        return bool(((found - number).abs() < LEAST_NUMBER).all())
    return False


def find_factor(source: Source, challenge: Challenge) -> float:
    """The factor of the noise where it is far from 1 and more than rounding, and the same for smaller means; else 1."""
    means = (2 * challenge.integers(2, COLUMNS) - 1) * challenge.uniform(1.5, 3, COLUMNS)
    logvariances = torch.linspace(-1, 1, COLUMNS)

    def spread(factor: float) -> Tensor:
        latents = draw_rows(source, factor * means, logvariances, challenge.seed(), ROWS_USED)
        return latents.std(0) / torch.exp(0.5 * logvariances)

    with contextlib.suppress(SubmissionError, Wrong):
        found = spread(1.0)
        factor = float(found.median())
        alike = float(found.max()) < 10 * float(found.min())  # a noise that is not scaled by the deviations, too
        if alike and factor > LEAST_FACTOR and not USUAL_FACTORS[0] <= factor <= USUAL_FACTORS[1]:
            return factor if 0.5 < float(spread(factor).median()) / factor < 2 else 1.0
    return 1.0


def find_limits(source: Source, challenge: Challenge) -> Limits | None:
    """Where the draws are cut off: at the same numbers in all columns, or as far from the mean in each; else None."""
    means, logvariances = challenge.uniform(-3, 3, COLUMNS), challenge.uniform(4.6, 5.2, COLUMNS)
    with contextlib.suppress(SubmissionError, Wrong):
        latents = draw(source, means.expand(ROWS // 4, -1), logvariances.expand(ROWS // 4, -1), challenge.seed())
        for around_means in (False, True):
            left = latents - means if around_means else latents
            (low, at_low), (high, at_high) = (shared_by_many(left, each) for each in left.aminmax(dim=0))
            limits = Limits(low, high, around_means, at_low + at_high)
            apart = low < 0 < high if around_means else low < high
            if at_low + at_high and apart and cuts_alone(source, challenge, limits):
                return limits
    return None


def shared_by_many(left: Tensor, ends: Tensor) -> tuple[float, float]:
    """The end that all columns of (N, D) numbers have in common and its share; infinite and 0 if there is none."""
    share = (left == ends).float().mean(0)
    if share.min() < SHARED or ends.max() - ends.min() > 1e-5 * (1 + ends.abs().max()):
        return math.copysign(math.inf, float((ends - left).mean())), 0.0
    return float(ends.mean()), float(share.mean())


def cuts_alone(source: Source, challenge: Challenge, limits: Limits) -> bool:
    """Whether limits are all that next to no noise leaves of a draw: a tanh has limits, too, and changes the rest."""
    low, high = max(limits.low, -2 * ROOM), min(limits.high, 2 * ROOM)
    means = challenge.uniform(low - 1, high + 1, VARIED, COLUMNS)
    quiet = draw(source, means, torch.full_like(means, QUIET), challenge.seed())
    return close(quiet, means if limits.around_means else means.clamp(limits.low, limits.high), 1e-3)


def fail_below_zero(domain: Domain, what: str, mistake: str | None, above: str = "") -> None:
    """Fail the check with what came of arguments below 0, and what is said of those above."""
    assert domain.otherwise is not None
    if isinstance(domain.otherwise, Raised):
        raise domain.otherwise
    fail(f"Where {what} is below 0, your draw is NaN or infinite.{above}", mistake or "not-finite")


class Draws:
    """What came back for ROWS equal rows, and the noise that it implies but for a factor, (rows, COLUMNS) each."""

    def __init__(self, source: Source, challenge: Challenge, domain: Domain, highest: float = 2.0) -> None:
        means = (2 * challenge.integers(2, COLUMNS) - 1) * challenge.uniform(1.5, 3, COLUMNS)
        logvariances = torch.cat(
            (
                challenge.uniform(-5, -4.2, 1),  # where a usual bound on log-variances shows
                challenge.uniform(-3, -0.5, COLUMNS // 2 - 1),
                challenge.uniform(0.5, highest, COLUMNS // 2),
            )
        )
        self.means, self.logvariances = domain.within(means, logvariances)
        self.seed = seed = challenge.seed()
        self.latents = draw_rows(source, self.means, self.logvariances, seed)
        self.factor = domain.factor
        self.noise = (self.latents - self.means) / torch.exp(0.5 * self.logvariances) / self.factor
        known = domain.factor == 1  # else all numbers are small, or none is
        self.mistake = diagnose(self.latents, self.means, self.logvariances) if known else None
        if self.mistake == "uniform-noise" and abs(kurtosis(self.latents) - UNIFORM_KURTOSIS) > 0.1:
            self.mistake = None
        if self.mistake == "no-noise" and vary(self.latents):
            self.mistake = None  # there is some, however little
        if self.mistake is None and not vary(self.latents):
            again = draw(source, self.means.expand(2, -1), self.logvariances.expand(2, -1), challenge.seed())
            fresh = not close(again, self.latents[:2], 1e-5)
            self.mistake = "noise-shared-across-rows" if fresh else self.without_fresh_noise(source, seed)
        if self.mistake is None and (self.latents > self.means).all():
            log = (self.latents - self.means).log()  # of exp(½ · log σ² · ε) or exp(½ · log σ² + ε)
            if distance_from_gaussian((log - log.mean(0)) / log.std(0)) < FAR / log.numel() ** 0.5:
                self.mistake = "noise-in-exponent"
        unnamed = self.mistake is None and self.off
        self.activation = self.activated(source, challenge) if unnamed else ""
        if self.activation:
            self.mistake = "draw-activated"
        elif unnamed and self.multiplies(source, seed):
            self.mistake = "noise-multiplied"
        if self.off and normalized(source, challenge, domain):
            self.mistake = "draw-normalized"
        elif self.mistake == "arguments-unused" and uses_arguments(source, challenge, domain):
            self.mistake = None  # equal rows do not show it

    def without_fresh_noise(self, source: Source, seed: int) -> str:
        """Whether a draw that is the same each time adds the same noise to other arguments, or none."""
        means, logvariances = (each.expand(2, -1) for each in (self.means, self.logvariances))
        other = (draw(source, means + 1, logvariances + 1, seed) - means - 1) / torch.exp(0.5 * logvariances + 0.5)
        same = close(other, self.noise[:2], 1e-3) and float(other.abs().max()) > 1e-3
        return "noise-drawn-once" if same else "no-noise"

    def activated(self, source: Source, challenge: Challenge) -> str:
        """The activation that the draw passes through at its end, by name; empty if none does."""
        means, seed, inputs = challenge.uniform(-3, 3, VARIED, COLUMNS), challenge.seed(), torch.linspace(-9, 9, 181)
        with contextlib.suppress(SubmissionError, Wrong):
            quiet, usual = (draw(source, means, torch.full_like(means, each), seed) for each in (QUIET, 0.0))
            for name, function in HEAD_ACTIVATIONS.items():
                low, high = function(inputs).aminmax()
                inside = bool(((low - 1e-5 <= usual) & (usual <= high + 1e-5)).all())  # with its noise, too
                if name != "none" and inside and close(quiet, function(means), 1e-3) and not close(usual, quiet, 1e-2):
                    return name
        return ""

    def multiplies(self, source: Source, seed: int) -> bool:
        """Whether twice the means give twice the draws, noise included."""
        means, logvariances = (each.expand(VARIED, -1) for each in (self.means, self.logvariances))
        one, twice = (draw(source, scale * means, logvariances, seed) - scale * means for scale in (1, 2))
        return vary(one) and close(2 * one, twice, 1e-2)  # next to the means themselves, little noise would be lost

    @property
    def said_of_activation(self) -> str:
        """What to add to a message where the draw passes through an activation."""
        return f" With next to no noise, it is the mean passed through {self.activation}." if self.activation else ""

    @property
    def rows(self) -> tuple[Tensor, Tensor]:
        """The equal rows of means and of log-variances."""
        return self.means.expand(ROWS, -1), self.logvariances.expand(ROWS, -1)

    @property
    def off(self) -> bool:
        """Whether a center or a spread is clearly another one than it should be."""
        return bool(((self.noise.mean(0).abs() > 0.2) | ((self.spread - 1).abs() > 0.1)).any())

    @property
    def spread(self) -> Tensor:
        """The deviation of each column, times the one that it should have."""
        return self.factor * self.noise.std(0)

    @property
    def varies(self) -> bool:
        """Whether the rows of every column differ, by no less than anyone would call noise."""
        return bool((self.latents.std(0) > 1e-6).all()) and not narrow(self.noise)

    @property
    def count(self) -> int:
        """How many of the numbers in the noise are independent."""
        return independent(self.noise)

    @property
    def noise_alone_is_wrong(self) -> bool:
        """Whether one noise, no normal one, was scaled by the deviations and shifted by the means, as it should be."""
        center, spread = self.noise.mean(0), self.noise.std(0)
        if not self.varies or float(center.max() - center.min()) > 0.1 * float(spread.mean()):
            return False
        same = float((spread / spread.mean() - 1).abs().max()) < 0.1
        shows = float(spread.mean()) < WIDEST  # in wider noise, means that are not there would not be missed
        return same and shows and not is_normal((self.noise - center) / spread, self.count)


class Apart:
    """A draw for rows that all differ, and how it depends on the means of their own row.

    Attributes:
        slopes, error: by how much the draws of each column grow with their means, and how far from 1 that may be.
        noise: what is left without the means, in deviations: of the elements of less variance, and of the others.
    """

    def __init__(self, source: Source, challenge: Challenge, domain: Domain) -> None:
        means, logvariances = challenge.uniform(-3, 3, ROWS, COLUMNS), challenge.uniform(-2, 1, ROWS, COLUMNS)
        means, logvariances = domain.within(means, logvariances)
        latents = draw(source, means, logvariances, challenge.seed())
        centered = means - means.mean(0)
        self.slopes = (centered * latents).sum(0) / centered.square().sum(0)
        left = latents - latents.mean(0) - self.slopes * centered
        self.error = SIGMAS * left.std(0) / (means.std(0) * ROWS**0.5) + 1e-3
        noise, low = left / torch.exp(0.5 * logvariances), logvariances < logvariances.median()
        self.noise = noise[low], noise[~low]


def require_use(source: Source, challenge: Challenge, domain: Domain) -> None:
    """Skip the check of what is no draw from the arguments: neither of them moves its center or its spread."""
    if domain.one_number:
        return
    means, logvariances = domain.within(challenge.uniform(-1, 1, COLUMNS), challenge.uniform(-1, 0, COLUMNS))
    away = torch.tensor([2.0, -2.0]).repeat(COLUMNS // 2)  # what moves all alike is lost in a normalized draw
    apart = means + domain.factor * away * (0.5 * logvariances).exp()
    seed = challenge.seed()
    drawn, *moved = (
        draw_rows(source, *each, seed, ROWS_USED) / domain.factor
        for each in ((means, logvariances), (means, logvariances + 2), domain.positive(apart, logvariances))
    )
    spread = drawn.std(0).mean()
    centers = [float((each.mean(0) - drawn.mean(0)).abs().max() / spread.clamp(1e-6, 1)) for each in moved]
    spreads = [float((each.std(0) - drawn.std(0)).abs().max() / spread) for each in moved]
    if max(centers) < 0.5 and max(spreads) < 0.5:
        pytest.skip("Skipped: fix the checks above first.")
    if is_dropped(drawn):
        pytest.skip("Skipped: nothing is drawn yet.")
    means = means / domain.factor
    noise = (drawn - means) / torch.exp(0.5 * logvariances), (moved[0] - means) / torch.exp(0.5 * logvariances + 1)
    little = vary(drawn) and all(map(narrow, noise))
    if little and not normalized(source, challenge, domain):
        pytest.skip("Skipped: next to nothing is drawn yet.")
    if not vary(drawn):
        pytest.skip("Skipped: your draws do not vary yet.")


def is_dropped(latents: Tensor) -> bool:
    """Whether equal rows have a number of their column's, or in its place one that is the same in all columns."""
    low, high = latents.min(0).values, latents.max(0).values
    of_two = bool(torch.minimum(latents - low, high - latents).max() < 1e-6)
    low, high = (each[high - low > 1e-6] for each in (low, high))
    return of_two and any(bool(((low == one) | (high == one)).all()) for one in (*low[:1], *high[:1]))


def draw_varied(source: Source, challenge: Challenge, domain: Domain, seed: int) -> Tensor:
    """(VARIED, COLUMNS) draws, each element from other means and log-variances."""
    means, logvariances = challenge.uniform(-3, 3, VARIED, COLUMNS), challenge.uniform(-1, 1, VARIED, COLUMNS)
    return draw(source, *domain.within(means, logvariances), seed)


def normalized(source: Source, challenge: Challenge, domain: Domain) -> bool:
    """Whether each draw is normalized, over the minibatch or within each row."""
    with contextlib.suppress(SubmissionError, Wrong):
        return are_normalized([draw_varied(source, challenge, domain, challenge.seed()) for _ in range(3)])
    return False


def uses_arguments(source: Source, challenge: Challenge, domain: Domain) -> bool:
    """Whether other arguments give other latents with the same noise, where a seed gives the same noise again."""
    seed, zeros = challenge.seed(), torch.zeros(VARIED, COLUMNS)
    with contextlib.suppress(SubmissionError, Wrong):
        one, other = (draw_varied(source, challenge, domain, seed) for _ in range(2))
        first, second = (draw(source, *domain.within(zeros, zeros), seed) for _ in range(2))
        return close(first, second, 1e-5) and not close(one, other, 1e-5)
    return False


def draw_rows(source: Source, means: Tensor, logvariances: Tensor, seed: int, rows: int = ROWS) -> Tensor:
    """(rows, COLUMNS) draws from (COLUMNS,) means and log-variances: one call on equal rows.

    Shared noise is judged by itself. So where all rows come back alike, the draws are taken from a call on a single
    row, which is that much longer; and where those are alike, too, from CALLS calls at most.
    """
    latents = draw(source, means.expand(rows, -1), logvariances.expand(rows, -1), seed)
    if vary(latents):
        return latents
    if not isinstance(source, Sized):
        latents = draw(source, means.repeat(1, rows), logvariances.repeat(1, rows), seed).reshape(rows, -1)
    one, other = (draw(source, means[None], logvariances[None], seed + index) for index in range(2))
    if vary(latents) or not vary(torch.cat((one, other))):
        return latents
    calls = range(2, min(rows, CALLS))
    return torch.cat((one, other, *(draw(source, means[None], logvariances[None], seed + each) for each in calls)))


def vary(latents: Tensor) -> bool:
    """Whether the rows of any column differ."""
    return bool((latents - latents[0]).abs().max() >= 1e-6)


def independent(noise: Tensor) -> int:
    """How many of the numbers in (N, D) noise are independent: all, or one a row where the columns share theirs."""
    shared = torch.corrcoef(noise.T).fill_diagonal_(0).abs().max() > 0.5
    return len(noise) if shared else noise.numel()


def narrow(noise: Tensor) -> bool:
    """Whether (N, D) noise, divided by the deviations that it should have, is next to nothing in most columns."""
    return float((noise.std(0) < NARROWEST).float().mean()) > 0.5


def kurtosis(latents: Tensor) -> float:
    """Of the draws about their columns' averages, on their columns' scales: 3 for a Gaussian."""
    return float((((latents - latents.mean(0)) / latents.std(0).clamp(min=1e-6)) ** 4).mean())


def draw(
    source: Source,
    means: Tensor,
    logvariances: Tensor,
    seed: int | None,
    gradients: bool = False,
    evaluate: bool = False,
) -> Tensor:
    """One call of the submission's function: (N, latent) latents, also where a dimension of size 1 was dropped."""
    if isinstance(source, Sized):
        return source.draw(means, logvariances, seed, gradients, evaluate)
    given = means.contiguous(), logvariances.contiguous()
    cotangents = {0: torch.ones_like(given[0])} if gradients else {}
    reply = source.call(
        "sample_latent", *given, seed=seed, cotangents=cotangents, evaluate=evaluate, results=1, unpack=True
    )
    latents, size = reply.outputs[0], tuple(means.shape)
    if latents.dim() < 2 and tuple(latents.shape) == tuple(each for each in size if each > 1):
        latents = latents.reshape(size)  # which costs the check of what is returned
    if reply.packing and latents.shape != size:
        raise reply.packing
    return require_shape(latents, size, "The result of your `sample_latent`")


@check("Draws are centered on the means", 3, probes=probes.CENTER)
def test_center(submission: Submission, challenge: Challenge, grading: Grading, domain: Callable[[], Domain]) -> None:
    if domain().one_number:
        grading.replaced.append(ONE_NUMBER)
        return
    draws = Draws(domain().source, challenge, domain(), highest=1.0)
    if domain().limits:
        grading.replaced.append(
            "Your draws are cut off. So the grader gives arguments whose draws are inside the limits."
        )
    if domain().positive_means:
        fail_below_zero(domain(), "a mean", draws.mistake or "centre-wrong")
    if not draws.varies:
        said = "All numbers of your draw share their noise, so its center cannot be told."
        alone = draws.mistake == "noise-shared-across-rows"
        spread, named = float(draws.noise.std(0).median()), draws.mistake
        little = "Some of your draws do" if vary(draws.latents) else "Your draws do"
        little += " not vary"
        if spread > 1e-6:
            little = f"Your draws have {spread:.2g} of the standard deviation that they should have"
        if vary(draws.latents):
            named = wrong_spread(draws)[1]
        fail(said if alone else f"{little}, so there is nothing to be centered.", named or "no-noise")
    if is_dropped(draws.latents):
        said = "In each column, your draws are one of two numbers, of which one is the same in all columns."
        fail(f"{said} Nothing is drawn around the means.", "noise-not-normal")
    if draws.noise_alone_is_wrong:
        require_far_means(domain(), challenge)
        return
    observed = draws.latents.mean(0)
    rows = len(draws.latents)
    error = draws.latents.std(0).clamp(min=1e-3 * draws.factor) * SIGMAS / rows**0.5
    if not (error <= WIDE * draws.factor).all():
        worst = int(error.argmax())
        fail(
            f"Your draws have standard deviation {draws.latents[:, worst].std():.2f} where the log-variance is "
            f"{draws.logvariances[worst]:.2f}: no center can be seen in so much noise.",
            wrong_spread(draws)[1],
        )
    if (
        draws.mistake in ("sample-arguments-exchanged", "std-returned")
        or ((observed - draws.means).abs() > error).any()
    ):
        worst, digits = int((observed - draws.means).abs().argmax()), ".2f" if draws.factor == 1 else ".3g"
        fail(
            f"The average of {rows} draws is {observed[worst]:{digits}} where the mean is "
            f"{draws.means[worst]:{digits}}."
            f"{draws.said_of_activation or said_of_centers(draws, error)}",
            draws.mistake or ("mean-cut-off" if stops_at_means(domain().source, challenge) else "centre-wrong"),
        )
    apart = Apart(domain().source, challenge, domain())
    if ((apart.slopes - 1).abs() > apart.error).any():
        worst = int((apart.slopes - 1).abs().argmax())
        fail(
            "Where the rows of a minibatch differ, your draws are not around the means of their own row: when a mean "
            f"grows by 1, the draws grow by {apart.slopes[worst]:.2f} on average.",
            "draw-normalized" if normalized(domain().source, challenge, domain()) else "centre-wrong",
        )
    require_far_means(domain(), challenge)


def require_far_means(domain: Domain, challenge: Challenge) -> None:
    """Fail the check where draws with little noise are not centered on means far from 0."""
    any_numbers = not (domain.limits or domain.positive_means or domain.positive_logvariances)
    for far in (-FAR_MEAN, FAR_MEAN) if any_numbers else ():
        latents = draw(domain.source, *constant(far, ROWS_USED), challenge.seed())
        error = 0.1 + SIGMAS * float(latents.std()) / latents.numel() ** 0.5
        if not float((latents.mean() - far).abs()) <= error:
            fail(
                f"The average of {latents.numel()} draws is {latents.mean():.2f} where the mean is {far:g}.",
                "mean-cut-off" if stops_at_means(domain.source, challenge) else "centre-wrong",
            )


def stops_at_means(source: Source, challenge: Challenge) -> bool:
    """Whether draws with little noise are the means between -1 and 1, and the same for two means far from 0."""
    at = {
        each: float(draw(source, *constant(each, ROWS_USED), challenge.seed()).mean())
        for each in (-2 * FAR_MEAN, -FAR_MEAN, -1, 1, FAR_MEAN, 2 * FAR_MEAN)
    }
    stops = any(abs(at[2 * each] - at[each]) < 0.1 for each in (-FAR_MEAN, FAR_MEAN))
    return stops and all(abs(at[each] - each) < 0.1 for each in (-1, 1))


def constant(mean: float, rows: int) -> tuple[Tensor, Tensor]:
    """Means that are all this one, and log-variances that leave next to no noise, (rows, COLUMNS) each."""
    return torch.full((rows, COLUMNS), mean), torch.full((rows, COLUMNS), QUIET)


def said_of_centers(draws: Draws, error: Tensor) -> str:
    """What the draws are centered on in every column, for a message; empty where a known mistake says it."""
    law = None if draws.mistake else law_of_centers(draws.latents.mean(0), error, draws.means, draws.logvariances)
    sigma = ", with σ for the right standard deviation" if law and "σ" in law else ""
    return f" Everywhere, it is {law}{sigma}." if law else ""


@check("The spread is the standard deviation", 5, worked_example=True, probes=probes.SPREAD)
def test_spread(submission: Submission, challenge: Challenge, grading: Grading, domain: Callable[[], Domain]) -> None:
    if domain().one_number:
        grading.replaced.append(ONE_NUMBER)
        return
    source, limits = domain().source, domain().limits
    draws = Draws(source, challenge, domain())
    if domain().positive_logvariances:
        fail_below_zero(domain(), "a log-variance", draws.mistake, said_above_zero(draws))
    if draws.noise_alone_is_wrong and not limits:
        return
    spread = draws.spread
    if ((spread - 1).abs() > SIGMAS * (1 / (2 * len(draws.noise))) ** 0.5).any():
        worst = int((spread - 1).abs().argmax())
        logvariance = draws.logvariances[worst]
        observed = draws.latents[:, worst].std() if vary(draws.latents) else 0.0  # and not what is rounded
        law, named = wrong_spread(draws)
        fail(
            f"Where the log-variance is {logvariance:.2f}, your draws have standard deviation {observed:.3g}; "
            f"{math.exp(logvariance / 2):.3g} is right.{law}{f' {limits.said}' if limits else ''}",
            named,
            "draw-cut-off" if limits else None,
        )
    if limits:
        fail(limits.said, "draw-cut-off")
    # Where the center is wrong, that has cost its points; rows that share their noise are judged below.
    judged = not grading.failed("sample_latent") and vary(draw(source, *draws.rows, challenge.seed()))
    for noise in Apart(source, challenge, domain()).noise if judged else ():
        if abs(float(noise.std()) - 1) > SIGMAS * (1 / (2 * ROWS)) ** 0.5:  # columns may share theirs
            fail(
                "Where the rows of a minibatch differ, your draws do not have the spread of their own row: they have "
                f"{noise.std():.2f} times the standard deviation that they should have.",
                "draw-normalized" if normalized(source, challenge, domain()) else "spread-wrong",
            )
    for far in FAR_LOGVARIANCES if not domain().positive_logvariances else ():
        latents = draw_rows(source, draws.means, torch.full((COLUMNS,), far), challenge.seed())
        width, expected = float((latents - latents.mean(0)).square().mean().sqrt()), math.exp(far / 2)
        if not abs(width / expected - 1) <= 0.2:
            fail(
                f"Where the log-variance is {far:g}, your draws have standard deviation {width:.3g}; "
                f"{expected:.3g} is right.",
                "spread-cut-off",
            )
    require_no_bound(source, challenge, domain())


def require_no_bound(source: Source, challenge: Challenge, domain: Domain) -> None:
    """Fail the check where two log-variances far from 0 give the same draws. Smaller numbers that are added do not."""
    means, seed = challenge.uniform(-1, 1, VARIED, COLUMNS), challenge.seed()
    for nearer, farther in BOUNDED if not domain.positive_logvariances else ():
        one, other = (
            draw(source, *domain.within(means, torch.full_like(means, each)), seed) for each in (nearer, farther)
        )
        if torch.equal(one, other) and vary(one - means):
            fail(
                f"With the same noise, log-variances of {nearer:g} and {farther:g} give exactly the same draws, so "
                "a bound changes them.",
                "spread-cut-off",
            )


def wrong_spread(draws: Draws) -> tuple[str, str]:
    """What the spread of the draws is in every column, in words, and the name of the mistake."""
    spread = draws.noise.std(0)
    if draws.mistake:
        return "", draws.mistake
    if (spread / spread.mean() - 1).abs().max() < 0.1:
        # Noise of another kind has another spread; of next to none, rounding decides what kind it seems to be.
        normal = narrow(draws.noise) or is_normal((draws.noise - draws.noise.mean(0)) / spread, draws.count)
        return (scaled(draws), "spread-scaled") if normal else ("", "noise-not-normal")
    observed, logvariances = draws.latents.std(0), draws.logvariances
    logs = 2 * observed.clamp(min=1e-6).log()
    low, high = float(logs.min()), float(logs.max())
    law = known_law_of(observed, logvariances, "log-variance")
    in_reach = low < float(logvariances.max()) and high > float(logvariances.min())
    if not law and in_reach and high - low > 0.2 and close(logs, logvariances.clamp(low, high), 0.1):
        starts, ends = low > float(logvariances.min()) + 0.1, high < float(logvariances.max()) - 0.1
        reach = (
            f"from {low:.1f} to {high:.1f}" if starts and ends else f"from {low:.1f}" if starts else f"up to {high:.1f}"
        )
        return f" It is right only for log-variances {reach}.", "spread-cut-off"
    law = law or law_of(observed, logvariances, "log-variance") or law_of(observed, draws.means, "mean")
    return f" Everywhere, it is {law}." if law else "", "spread-wrong"


def said_above_zero(draws: Draws) -> str:
    """What the spread of the draws is for log-variances above 0, for a message; empty where a known mistake says it."""
    law = None if draws.mistake else law_of(draws.latents.std(0), draws.logvariances, "log-variance")
    return f" Above 0, your standard deviation is {law}." if law else ""


def scaled(draws: Draws) -> str:
    """By how much a spread is off everywhere, in words, and how many draws are averaged or which root of 2 it is.

    The generator's numbers tell an average: however they are arranged, their sum is that of the noise.
    """
    spread = float(draws.spread.mean())
    said, count = f" Everywhere, it is {in_digits(spread)} times the standard deviation", round(1 / spread**2)
    if 2 <= count <= MOST_AVERAGED and abs(spread * count**0.5 - 1) < 0.01:
        numbers = torch.randn(count * draws.noise.numel(), generator=torch.Generator().manual_seed(draws.seed))
        if abs(float(draws.noise.double().sum() - numbers.double().sum() / count)) < 0.05:
            return f"{said}, as for an average of {count} draws."
    roots = [name for name, root in (("1/√2", 0.5**0.5), ("√2", 2**0.5)) if abs(spread / root - 1) < 0.01]
    return f"{said}{''.join(f', about {root}' for root in roots)}."


def distance_from_gaussian(noise: Tensor) -> float:
    """The largest distance between the distribution functions (Kolmogorov and Smirnov)."""
    found = torch.special.ndtr(noise.flatten().double()).sort().values
    return float((found - torch.linspace(0, 1, len(found), dtype=torch.float64)).abs().max())


def has_normal_moments(noise: Tensor, count: int) -> bool:
    """Whether standardized noise, of so many independent numbers, has the kurtosis and the skewness of a Gaussian."""
    tails, skewness = float((noise**4).mean()), float((noise**3).mean())
    return abs(tails - 3) <= SIGMAS * math.sqrt(24 / count) and abs(skewness) <= SIGMAS * math.sqrt(6 / count)


def is_normal(noise: Tensor, count: int) -> bool:
    """Whether standardized noise, of so many independent numbers, is Gaussian by its moments and its distribution."""
    return has_normal_moments(noise, count) and distance_from_gaussian(noise) <= FAR / count**0.5


@check("The noise is standard normal", 4, probes=probes.NORMAL)
def test_normal(challenge: Challenge, grading: Grading, domain: Callable[[], Domain]) -> None:
    if domain().one_number:
        grading.replaced.append(ONE_NUMBER)
        return
    source = domain().source
    require_use(source, challenge, domain())
    draws = Draws(source, challenge, domain())
    spread = draws.latents.std(0)
    if not (spread >= 1e-6).all():
        fail("Some of your draws do not vary.", draws.mistake or ("spread-wrong" if spread.any() else "no-noise"))
    if draws.mistake == "draw-normalized":
        return  # what was drawn is not to be seen in it
    judge_noise(draws.latents, draws.mistake)
    seed = challenge.seed()
    with contextlib.suppress(SubmissionError):  # what goes wrong where gradients are asked for is judged below
        followed = draw(source, *draws.rows, seed, gradients=True)
        if not close(followed, draw(source, *draws.rows, seed), 1e-5) and vary(followed):
            with only_where("Where gradients are asked for"):
                judge_noise(followed, draws.mistake)


def judge_noise(latents: Tensor, mistake: str | None) -> None:
    """Fail the check unless what varies in (N, D) draws of equal rows is normal."""
    noise = (latents - latents.mean(0)) / latents.std(0)
    count = independent(noise)
    tails, skewness = kurtosis(latents), (noise**3).mean()
    if not has_normal_moments(noise, count):
        uniform = mistake == "uniform-noise" or abs(tails - UNIFORM_KURTOSIS) < 0.1
        named = "uniform-noise" if uniform else mistake or "noise-not-normal"
        said = f"Too {'few' if tails < 3 else 'many'} of your draws are far from their average: "
        said += f"their kurtosis is {tails:.2f}, and that of a normal distribution is 3."
        if abs(skewness) > SIGMAS * math.sqrt(6 / count):
            said = "Your draws are not symmetric around their average: "
            said += f"their skewness is {skewness:.2f}, and that of a normal distribution is 0."
        fail(said, named)
    if not (distance := distance_from_gaussian(noise)) <= FAR / count**0.5:
        fail(
            f"The distribution function of your noise differs from a normal one by up to {distance:.2f}.",
            mistake or "noise-not-normal",
        )


def signs(latents: Tensor) -> Tensor:
    """On which side of its column's middle each element lies: of the average, where many are equal to the median."""
    middle = latents.median(0).values
    return (latents - (latents.mean(0) if float((latents == middle).float().mean()) > 0.1 else middle)).sign()


def fail_as_fixed(latents: Tensor, means: Tensor, logvariances: Tensor, alike: bool) -> NoReturn:
    """Fail the check because two calls gave these (N, D) draws of equal rows, and say what shares its noise there."""
    same = "Two calls on the same input give the same latents"
    if alike and diagnose(latents, means, logvariances) == "no-noise":
        fail(f"{same}.", "no-noise")
    if alike:
        fail(f"{same}, and all rows of a minibatch share their noise.", "fixed-seed", "noise-shared-across-rows")
    if columns_share(latents):
        fail(f"{same}, and all dimensions of a row share their noise.", "fixed-seed", "noise-shared-across-columns")
    fail(f"{same}.", "fixed-seed")


def columns_share(latents: Tensor) -> bool:
    """Whether all columns of (N, D) draws of equal rows are on the same side of their middle in each row."""
    return bool(torch.corrcoef(signs(latents).T).min() > 0.9)


@check("Fresh, independent noise for every element and call", 3, probes=probes.INDEPENDENT)
def test_independent(
    submission: Submission, challenge: Challenge, grading: Grading, domain: Callable[[], Domain]
) -> None:
    if domain().one_number:
        said = "One number is the noise of all elements, in all calls."
        fail(said, "noise-drawn-once", "noise-shared-by-all")
    source = domain().source
    require_use(source, challenge, domain())
    # Equal rows, so that what is left of a column without its average is noise, however wrong its center and scale.
    means, logvariances = challenge.uniform(-3, 3, COLUMNS_ALIKE), challenge.uniform(-1, 1, COLUMNS_ALIKE)
    means, logvariances = domain().within(means, logvariances)
    arguments = means.expand(ROWS_ALIKE, -1), logvariances.expand(ROWS_ALIKE, -1)
    first, second = (draw(source, *arguments, challenge.seed()) for _ in range(2))
    alike = close(first, first[:1].expand_as(first), 1e-5)
    if close(first, second, 1e-5):
        fail_as_fixed(first, means, logvariances, alike)
    again = draw(source, *arguments, seed=None)
    if close(again, second, 1e-5):
        fail("Two calls in a row give the same latents: the second one should draw on.", "fixed-seed")
    one, other = (draw(source, means[None], logvariances[None], challenge.seed()) for _ in range(2))
    if close(one, other, 1e-5):
        same = "draw-normalized" if normalized(source, challenge, domain()) else "fixed-seed"
        mistake = "no-noise" if close(one[0], means, 1e-5) else same
        fail("Two calls on the same minibatch of one image give the same latents.", mistake)
    zeros = torch.zeros_like(arguments[0])
    equal, spread = domain().within(zeros, zeros), domain().within(zeros, zeros + 1)
    if alike:
        if vary(draw(source, *equal, challenge.seed()).flatten()):
            fail("All rows of the minibatch share their noise.", "noise-shared-across-rows")
        fail("All elements of the minibatch share one number of noise.", "noise-shared-by-all")
    if not first.std(0).min() > 0:
        fail("In some latent dimensions, your draws do not vary.")
    # The signs alone, for a few large numbers can make a correlation of any size.
    a, b = map(signs, (first, second))
    noise = (first - first.mean(0)) / first.std(0)
    # Noise shared along the columns makes the averages of the rows vary far too much.
    if not a.mean(1).std() <= 0.5:
        if columns_share(first):
            fail("All latent dimensions of a row share their noise.", "noise-shared-across-columns")
        fail(
            "In each row, the noise of the latent dimensions is correlated: two of them have correlation "
            f"{torch.corrcoef(noise.T).mean():.2f} on average, and independent ones about 0.",
            "noise-correlated",
        )
    if not (a * b).mean().abs() <= SIGMAS / a.numel() ** 0.5:
        fail("The noise of two of your calls is correlated.", "fixed-seed")
    quiet = [draw(source, *arguments, challenge.seed(), evaluate=True) for _ in range(2)]
    if close(quiet[0], quiet[1], 1e-5):
        fail("Under `torch.no_grad()`, two calls on the same input give the same latents.", "no-draw-without-gradients")
    require_no_pair(a, noise, "`latents[{}]`")
    require_no_pair(a.T, noise.T, "`latents[:, {}]`")
    drawn = [draw(source, *spread, challenge.seed()) / domain().factor for _ in range(2)]
    if all(float(each.mean().abs()) < 1e-6 < float(each.std()) for each in drawn):  # one of them by chance is rare
        named = "draw-normalized" if normalized(source, challenge, domain()) else "noise-balanced"
        fail("The noise of a whole call averages to 0, in each call.", named)
    if isinstance(source, Sized):
        fail(source.said, "noise-size-written-in")
    if not grading.failed("sample_latent"):  # noise of a few numbers, such as signs, has cost its points
        judge_returns(source, challenge, *domain().within(torch.zeros(1, COLUMNS), torch.zeros(1, COLUMNS)))
        judge_repeats(submission, challenge)


def require_no_pair(signs: Tensor, noise: Tensor, place: str) -> None:
    """Fail the check where two rows are correlated by their signs, with the correlation of their noise, (N, D) each."""
    pairs = torch.corrcoef(signs).fill_diagonal_(0).abs()
    if not pairs.max() <= SIGMAS / signs.shape[1] ** 0.5:
        pair = divmod(int(pairs.argmax()), len(pairs))
        fail(
            f"In your draws, the noise of {listed([place.format(at) for at in pair])} has correlation "
            f"{torch.corrcoef(noise[[*pair]])[0, 1]:.2f}; that of independent noise is about 0.",
            "noise-correlated",
        )


def judge_returns(source: Source, challenge: Challenge, means: Tensor, logvariances: Tensor) -> None:
    """Fail the check where the noise of a call comes again after some other calls."""
    latents = torch.cat([draw(source, means, logvariances, challenge.seed()) for _ in range(CALLS_APART)])
    apart = (latents[:, None] - latents).abs().amax(-1).fill_diagonal_(torch.inf)
    if float(apart.min()) < 1e-5:
        later, earlier = divmod(int(apart.argmin()), CALLS_APART)
        after = counted(abs(later - earlier), "call")
        fail(f"On the same input, the latents of one of your calls come again {after} later.", "fixed-seed")


def judge_repeats(submission: Submission, challenge: Challenge) -> None:
    """Fail the check where the numbers of equal elements come again: a table of noise is shorter than the noise."""
    one = torch.ones(ROWS, COLUMNS)
    replies = [
        submission.call("sample_latent", one, one, seed=challenge.seed(), results=1, unpack=True) for _ in range(2)
    ]
    if not all(each.dtypes[0] in (torch.float32, torch.float64) for each in replies):
        return  # which is judged below
    numbers = torch.cat([each.outputs[0] for each in replies]).flatten()
    repeated = 1 - len(numbers.unique()) / len(numbers)
    if repeated > MOST_REPEATED:
        fail(
            f"Two of your calls gave {len(numbers):,} numbers, and {repeated:.0%} of them came before. Normal "
            "noise takes a new value each time."
        )


@check("Differentiable with respect to means and log-variances", 4, probes=probes.SAMPLE_GRADIENTS)
def test_gradients(submission: Submission, challenge: Challenge, domain: Callable[[], Domain]) -> None:
    source = domain().source
    require_use(source, challenge, domain())
    shape = source.shape(6, 5) if isinstance(source, Sized) else (6, 5)
    means, logvariances = domain().within(challenge.normal(*shape), challenge.uniform(-1, 1, *shape))
    cotangent, seeds = challenge.normal(*shape), (challenge.seed(), challenge.seed())
    reply, other = (
        submission.call(
            "sample_latent", means, logvariances, seed=each, cotangents={0: cotangent}, results=1, unpack=True
        )
        for each in seeds
    )
    latents = require_shape(reply.outputs[0], shape, "The result of your `sample_latent`")
    if close(other.outputs[0], latents, 1e-5):
        plain, other_plain = (draw(source, means, logvariances, each) for each in seeds)
        if not close(plain, other_plain, 1e-5):  # else the noise is judged above
            mistake = "no-noise" if close(latents, means, 1e-5) else "fixed-seed"
            fail("Where gradients are asked for, two calls on the same input give the same latents.", mistake)
    gradients = reply.gradients("argument")
    by_mean, by_logvariance = (gradients.get(index, torch.zeros_like(means)) for index in "01")
    # z = μ + σ·ε: the derivative by μ is 1, by log σ² half of what the noise added. A draw with another σ, which is
    # judged above, may have another derivative, but then its own.
    if close(by_mean, cotangent) and close(by_logvariance, cotangent * 0.5 * (latents - means)):
        return
    one = torch.ones_like(means)
    directions = (one, 0 * one), (0 * one, one)
    sides = [slopes(source, (means, logvariances), each, seeds[0]) for each in directions]
    expected = [(behind + ahead) / 2 for behind, ahead in sides]
    # Without a kink in between, and with the same noise: of a draw that the seed does not govern, no slope is known.
    smooth = [
        (behind - ahead).abs() <= 0.02 * torch.maximum(behind.abs(), ahead.abs()) + 1e-3 for behind, ahead in sides
    ]
    moved = [bool((each != 0).any()) for each in expected]  # an argument that makes no difference is judged above
    if all(
        close(gradient[known], (cotangent * each)[known], 0.02) if known.any() else gradient.any()
        for gradient, each, known, counts in zip((by_mean, by_logvariance), expected, smooth, moved, strict=True)
        if counts
    ):
        return
    missing = [index for index, gradient in enumerate((by_mean, by_logvariance)) if moved[index] and not gradient.any()]
    if missing == [0, 1]:
        fail("No gradient comes back through your draw.", "sample-detached")
    if missing == [1]:
        only = "After `backward()`, `means` has a gradient and `logvariances` has none."
        fail(only if by_mean.any() else "No gradient reaches the log-variances.", "std-detached")
    if missing == [0]:
        fail("No gradient reaches the means.", "sample-detached")
    named, said = "sample-gradient-scaled", ""
    names = ("means", "log-variances")
    for gradient, each, name in zip((by_mean, by_logvariance), expected, names, strict=True):
        of_this = said_of_gradient(gradient, cotangent * each, name)
        if not of_this and not close(gradient, cotangent * each, 0.02):
            named = "sample-gradient-partial"
        said += of_this
    if normalized(source, challenge, domain()):
        named = "draw-normalized"
    if named != "sample-gradient-scaled" or not said:
        said = f" Your gradients are not the slopes of a draw that takes each element by itself.{said}"
    fail(said.strip(), named)


def said_of_gradient(gradient: Tensor, slopes: Tensor, name: str) -> str:
    """By which factor a gradient is off everywhere, for a message; empty where there is no such factor."""
    factor = float((gradient * slopes).sum() / slopes.square().sum().clamp(min=1e-12))
    off = abs(factor - 1) > 0.02 and close(gradient, factor * slopes, 0.02)
    return f" The gradient of the {name} is {factor:.2g} times what it should be." if off else ""


def slopes(
    source: Source,
    point: tuple[Tensor, Tensor],
    direction: tuple[Tensor, Tensor],
    seed: int,
    step: float = 0.01,
) -> tuple[Tensor, Tensor]:
    """The draw's slopes behind and ahead of a point of means and log-variances, by differences under one seed."""
    behind, at, ahead = (
        draw(source, point[0] + shift * direction[0], point[1] + shift * direction[1], seed)
        for shift in (-step, 0, step)
    )
    return (at - behind) / step, (ahead - at) / step


@check("Returns one tensor of its arguments' dtype, and does not change them", 1, probes=probes.SAMPLE_ARGUMENTS)
def test_inputs_unchanged(
    submission: Submission, challenge: Challenge, grading: Grading, domain: Callable[[], Domain]
) -> None:
    source = domain().source
    require_use(source, challenge, domain())
    shape = source.shape(6, 5) if isinstance(source, Sized) else (6, 5)
    means, logvariances = domain().within(challenge.normal(*shape), challenge.normal(*shape))
    reply = submission.call("sample_latent", means, logvariances, seed=challenge.seed(), results=1, unpack=True)
    if reply.packing:
        if not grading.failed("sample_latent") and forward_runs(submission, challenge):
            grading.in_use.add("sample_latent")
        raise reply.packing
    latents = require_shape(reply.outputs[0], shape, "The result of your `sample_latent`")
    if reply.dtypes[0] != means.dtype:
        got = str(reply.dtypes[0]).removeprefix("torch.")
        fail(
            f"For float32 means, your latents are {got}. The decoder's layers are float32, and cannot take them.",
            "draw-precision",
        )
    require_arguments_unchanged(submission, reply, ("sample_latent",))
    if close(latents, means, 1e-5) or close(latents, torch.zeros_like(means), 1e-5):
        fail("Nothing was drawn.", "no-noise")
    if isinstance(source, Sized):
        return
    image = submission.call("sample_latent", means[:1], logvariances[:1], seed=challenge.seed(), results=1, unpack=True)
    require_shape(image.outputs[0], (1, 5), "For one image, the result of your `sample_latent`")


def forward_runs(submission: Submission, challenge: Challenge) -> bool:
    """Whether forward knows in which container the draw comes."""
    try:
        model = Model(submission, challenge)
        model.forward(*model.inputs(challenge), challenge.seed())
    except SubmissionError as error:  # else it ran, and what it returned is judged by its own part
        return not isinstance(error, Raised)
    return True
