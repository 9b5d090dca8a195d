"""What a draw takes, what it gives, and what its numbers say of center, spread and noise."""

import contextlib
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import torch
from torch import Tensor

from autograder.assignments.cvae.checks.network import Model, in_shape
from autograder.assignments.cvae.hints.draws import (
    diagnose,
    in_digits,
    known_law_of,
    law_of,
    law_of_centers,
    raised_law_of,
)
from autograder.assignments.cvae.hints.draws import normalized as are_normalized
from autograder.assignments.cvae.hints.network import HEAD_ACTIVATIONS
from autograder.grading.harness import (
    Challenge,
    Wrong,
    close,
    require_shape,
)
from autograder.report.summary import listed
from autograder.sandbox.client import Submission
from autograder.sandbox.errors import Raised, SubmissionError

ROWS, COLUMNS = 8192, 8
CALLS = 1024  # that stand for rows where a whole call shares its noise
ROWS_USED = 256  # of the draws that tell whether the arguments are in use
ROWS_ALIKE, COLUMNS_ALIKE = 128, 120  # of the draw whose independence is judged
SIGMAS = 7.0
RARE = 1 << 13  # numbers of a draw of which one may be infinite
UNIFORM_KURTOSIS = 1.8
WIDEST = 4.0  # of the noise alone, times the deviation that it should have
NARROWEST = 0.02  # of the noise, times the deviation that it should have: less is the means with rounding
FAR_MEAN = 12.0  # the largest mean at which a bound on means is looked for
QUIET = -30.0  # a log-variance that leaves next to no noise
MOST_AVERAGED = 20  # draws whose number can be told from the spread of their average
LEAST_FACTOR, USUAL_FACTORS = 3e-4, (0.1, 4.0)  # of noise: less is like rounding, and these need no other means
SIZES = {1024, 512, 256, 200, 128, 100, 64, 50, 32, 20, 16, 15, 10}  # that people write into their code
MOST_SIZES = 6  # that an error may name, for all of them to be tried
# Log-variances beyond the usual ones, where a bound or a constant shows, and how far off a spread may be there.
# Farthest out, a tiny constant shows, too, which keeps a root or a division from zero.
MOST_OFF = {-6.0: 0.1, 5.0: 0.1, -12.0: 0.65, 12.0: 0.65}
FARTHEST = 13.0
FEWEST_ROWS = 16  # of a call, where a draw takes several
LEAST_NUMBER = 1e-3  # of noise that is one number, which rounding leaves as it is
MARGIN = 0.1  # of what must be above 0, for roots and logarithms are steep there
ROOM = 20  # deviations of 1 from the middle of two limits to each, far more than a draw needs
SHARED = 0.1  # of the widest draws at one number: they are cut off there
VARIED = 24  # rows of the draws, no two from the same arguments, that tell a normalized draw
TIED_ROWS, TIED_CALLS = 12, 30  # of the draws whose statistics are compared from call to call
TIED = 0.3  # of how much a statistic should vary: of 30 values, less than that has a chance of 10^-11
EXACTLY_TIED = 1e-4  # of it: this and less is rounding
FAR = 4.5  # over the root of the number of draws: Kolmogorov and Smirnov's distance passes it once in 10^17


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


@dataclass(frozen=True)
class Alone:
    """A function whose noise is mixed in each row or each column: called so that each number is alone in its own.

    Attributes:
        by_row: whether each number is a row, or else each a column.
    """

    submission: Submission
    by_row: bool

    def draw(self, means: Tensor, logvariances: Tensor, seed: int | None, gradients: bool, evaluate: bool) -> Tensor:
        """What `draw` gives, from a call on a single column or a single row."""
        shape = (-1, 1) if self.by_row else (1, -1)
        given = means.reshape(shape), logvariances.reshape(shape)
        return draw(self.submission, *given, seed, gradients, evaluate).reshape(means.shape)


Source = Submission | Sized | Alone


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
        whole: what draws whole minibatches, where mixed noise makes the source draw each number alone.
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
    whole: Source | None = None

    @property
    def in_minibatches(self) -> Source:
        """What draws whole minibatches, with noise that may be mixed."""
        return self.whole or self.source

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
        if alone := find_mixed(submission, challenge) if source is submission else None:
            return Domain(alone, whole=source)
        limits = find_limits(source, challenge)
        return Domain(source, limits=limits, factor=1.0 if limits else find_factor(source, challenge))
    return Domain(source)


def find_mixed(submission: Submission, challenge: Challenge) -> Alone | None:
    """How to draw numbers whose noise is not mixed with others', where mixing is all that is wrong; else None.

    Sorted noise is an example. Without noise, the draws are the means. With it, their centers or spreads are off in a
    minibatch, the elements depend on each other, and a number that is alone in its row or column is right.
    """
    seed = challenge.seed()

    def off(noise: Tensor) -> bool:
        centers, spreads, error = noise.mean(0).abs(), (noise.std(0) - 1).abs(), SIGMAS / len(noise) ** 0.5
        return bool(((centers > error) | (spreads > error / 2**0.5)).any())

    with contextlib.suppress(SubmissionError, Wrong):
        zeros, means = torch.zeros(ROWS, COLUMNS), challenge.uniform(-3, 3, VARIED, COLUMNS)
        if not off(drawn := draw(submission, zeros, zeros, seed)) or not vary(drawn):
            return None
        if not close(draw(submission, means, torch.full_like(means, QUIET), seed), means):
            return None
        for by_row in (True, False):
            some = zeros if by_row else zeros[:CALLS]
            whole = drawn if by_row else draw(submission, some.T, some.T, seed).T
            alone = Alone(submission, by_row)
            if said_of_pair(whole, ""):
                single = draw(alone, some, some, seed)
                if not off(single) and is_normal(single, single.numel()):
                    return alone
    return None


def said_of_pair(noise: Tensor, place: str) -> str:
    """How two columns of (N, D) noise depend on each other, in words; empty if no two clearly do.

    By the signs, and by which absolute values are large: a few large numbers can make a correlation of any size.
    """
    for what, numbers in (("noise", noise), ("size of the noise", noise.abs())):
        pairs = torch.corrcoef(signs(numbers).T).nan_to_num(0).fill_diagonal_(0).abs()
        if float(pairs.max()) > SIGMAS / len(noise) ** 0.5:
            pair = sorted(divmod(int(pairs.argmax()), len(pairs)))
            one, other = (place.format(each) for each in pair)
            correlation = float(torch.corrcoef(numbers[:, pair].T)[0, 1])
            if abs(correlation) > 0.9999:
                sign = ", with the opposite sign" if correlation < 0 else ""
                a, b = numbers[:, pair[0]], numbers[:, pair[1]] * (-1) ** (correlation < 0)
                same = "equal to" if close(a, b) else "a multiple of"
                return f"In your draws, the {what} of {other} is {same} that of {one}{sign}."
            return (
                f"In your draws, the {what} of {one} and {other} has correlation {correlation:.2f}; that of "
                "independent noise is about 0."
            )
    return ""


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
    numbers = dict.fromkeys(int(each) for each in re.findall(r"\b\d{1,4}\b", said))
    known = {each for each in numbers if each not in tried and 1 < each <= ROWS}
    if not 0 < len(known) <= MOST_SIZES:  # PyTorch's errors name the sizes that do not fit, and nothing else
        return None
    every = sorted(known | SIZES, reverse=True)
    alone = [*((size, None) for size in every), *((None, size) for size in every)]
    pairs = (pair for pair in product(every, known) if pair[0] != pair[1] and pair[0] * pair[1] <= ROWS * COLUMNS_ALIKE)
    for rows, columns in (*alone, *pairs):
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


def away_from_zero(challenge: Challenge) -> Tensor:
    """(COLUMNS,) means of either sign in turn: a draw that has the size of a mean, not its sign, shows each time."""
    return (-1.0) ** (torch.arange(COLUMNS) + challenge.integer(0, 1)) * challenge.uniform(1.5, 3, COLUMNS)


def find_factor(source: Source, challenge: Challenge) -> float:
    """The factor of the noise where it is far from 1 and more than rounding, and the same for smaller means; else 1."""
    means = away_from_zero(challenge)
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


class Draws:
    """What came back for ROWS equal rows, and the noise that it implies but for a factor, (rows, COLUMNS) each."""

    def __init__(self, source: Source, challenge: Challenge, domain: Domain, highest: float = 2.0) -> None:
        means = away_from_zero(challenge)
        logvariances = torch.cat(
            (
                challenge.uniform(-5, -4.2, 1),  # where a usual bound on log-variances shows
                challenge.stratified(-3, -0.5, COLUMNS // 2 - 1),
                challenge.stratified(0.5, highest, COLUMNS // 2),
            )
        )
        self.source, self.domain = source, domain
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

    @cached_property
    def everywhere(self) -> tuple[Tensor, Tensor]:
        """Log-variances, the usual ones and those far from 0 where they can be told, and the spread at each.

        Two more are where the farthest spreads would be right: there, a hard bound differs most from a soft one.
        """
        logvariances, spread = self.logvariances, self.latents.std(0)
        if self.domain.positive_logvariances or self.domain.limits or self.factor != 1:
            return logvariances, spread
        with contextlib.suppress(SubmissionError, Wrong):
            far = [-FARTHEST, FARTHEST, *MOST_OFF]
            found = [far_spread(self, each) for each in far]
            begins = [float((2 * each.log()).clamp(-FARTHEST, FARTHEST)) for each in found[:2]]
            found += [far_spread(self, each) for each in begins]
            return torch.cat((torch.tensor([*far, *begins]), logvariances)), torch.cat((torch.stack(found), spread))
        return logvariances, spread

    @property
    def right_but_for_activation(self) -> bool:
        """Whether the draws have the distribution, in each column, that an activation makes of right draws."""
        if not self.activation:
            return False
        noise = torch.randn(self.latents.shape, generator=torch.Generator().manual_seed(self.seed + 1))
        right = HEAD_ACTIVATIONS[self.activation](self.means + torch.exp(0.5 * self.logvariances) * noise)
        pairs = zip(self.latents.T.contiguous(), right.T.contiguous(), strict=True)
        return all(distance_between(*each) <= FAR * (2 / len(right)) ** 0.5 for each in pairs)

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


# What noise may be adjusted to, by what a message calls it, and where: of each row, each column or each call.
STATISTICS: dict[str, Callable[..., Tensor]] = {
    "average": torch.mean,
    "standard deviation": torch.std,
    "root mean square": lambda each, dim: each.square().mean(dim).sqrt(),
    "average of the absolute values": lambda each, dim: each.abs().mean(dim),
    "largest absolute value": lambda each, dim: each.abs().amax(dim),
    "largest number": torch.amax,
    "smallest number": torch.amin,
}
PLACES: dict[str, tuple[int, ...]] = {"row": (2,), "column": (1,), "call": (1, 2)}


def tied_noise(source: Source, challenge: Challenge, domain: Domain) -> tuple[str, str]:
    """Where a statistic of the noise varies far too little for independent numbers, and which, in words; else empty.

    How much it should vary is seen where the numbers of each column are shuffled, over the rows of all calls.
    """
    if isinstance(source, Sized):
        return "", ""
    zeros, generator = torch.zeros(TIED_ROWS, COLUMNS), torch.Generator().manual_seed(challenge.seed())
    given = domain.within(zeros, zeros)
    noise = torch.stack([draw(source, *given, challenge.seed()) for _ in range(TIED_CALLS)])
    noise = noise / noise.std().clamp(min=1e-6)
    orders = torch.rand(4, TIED_CALLS * TIED_ROWS, COLUMNS, generator=generator).argsort(1)
    shuffled = [noise.reshape(-1, COLUMNS).gather(0, order).reshape(noise.shape) for order in orders]
    for place, dims in PLACES.items():
        ranges, ratios = {}, {}
        for name, statistic in STATISTICS.items():
            found, *others = (statistic(each, dim=dims) for each in (noise, *shuffled))
            usual, most = float(torch.stack(others).std()), torch.stack(others).quantile(torch.tensor([0.1, 0.9]))
            if float(most[1] - most[0]) < 1e-3:  # the same for nearly any order, as the largest of signs
                continue
            ratios[name] = max(float(found.std()) / usual, EXACTLY_TIED)
            ranges[name] = tuple(float(each.max() - each.min()) for each in (found, others[0]))
        name = min(ratios, key=ratios.__getitem__, default="")
        if name and ratios[name] < TIED:
            here, shuffled_range = ranges[name]
            return place, (
                f"In {TIED_CALLS} calls, the {name} of the noise in each {place} changes by at most {here:.1g}. With "
                f"the same numbers shuffled, it changes by up to {shuffled_range:.1g}."
            )
    return "", ""


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
    """One call of the submission's function: (N, latent) latents, from any layout."""
    if isinstance(source, Sized | Alone):
        return source.draw(means, logvariances, seed, gradients, evaluate)
    given = means.contiguous(), logvariances.contiguous()
    cotangents = {0: torch.ones(())} if gradients else {}
    reply = source.call(
        "sample_latent", *given, seed=seed, cotangents=cotangents, evaluate=evaluate, results=1, unpack=True
    )
    size = tuple(means.shape)
    latents = in_shape(reply.outputs[0], size)  # another shape costs the check of what is returned
    if reply.packing and latents.shape != size:
        raise reply.packing
    lost = ~latents.isfinite()
    if latents.shape == size and int(lost.sum()) * RARE <= lost.numel():
        # `torch.rand` gives a 0 once in 2**24 numbers, and its logarithm is infinite: no verdict depends on that.
        latents = torch.where(lost, means, latents)
    return require_shape(latents, size, "The result of your `sample_latent`")


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


def wrong_spread(draws: Draws, named: float = math.inf) -> tuple[str, str]:
    """What the spread is in every column, in words, and the mistake, where a message has named this log-variance."""
    spread = draws.noise.std(0)
    if draws.mistake:
        return "", draws.mistake
    raised, reach = said_of_far(draws, named)
    if not (raised or reach) and (spread / spread.mean() - 1).abs().max() < 0.1:
        # Noise of another kind has another spread; of next to none, rounding decides what kind it seems to be.
        normal = narrow(draws.noise) or is_normal((draws.noise - draws.noise.mean(0)) / spread, draws.count)
        return (scaled(draws), "spread-scaled") if normal else ("", "noise-not-normal")
    logvariances, observed = draws.everywhere
    law = known_law_of(observed, logvariances, "log-variance")
    if not law and (raised or reach):
        return raised or reach, "spread-wrong" if raised else "spread-cut-off"
    law = law or law_of(observed, logvariances, "log-variance") or law_of(draws.latents.std(0), draws.means, "mean")
    return f" Everywhere, it is {law}." if law else "", "spread-wrong"


def far_spread(draws: Draws, logvariance: float) -> Tensor:
    """The spread of draws with this log-variance, from the seed of the others."""
    means, _ = draws.domain.positive(0 * draws.means, draws.logvariances)
    latents = draw_rows(draws.source, means, torch.full((COLUMNS,), logvariance), draws.seed)
    return (latents - latents.mean(0)).square().mean().sqrt()


def said_of_far(draws: Draws, named: float) -> tuple[str, str]:
    """What is added to the right spread, and between which log-variances the spread follows them, in words.

    Each is empty where it does not hold. The log-variance that a message has named is not between the bounds.
    """
    logvariances, spread = draws.everywhere
    if law := raised_law_of(spread, logvariances, "log-variance"):
        return f" Everywhere, it is {law}.", ""
    usual, logs = draws.logvariances, 2 * spread.clamp(min=1e-6).log()
    low, high = float(logs[logvariances.argmin()]), float(logs[logvariances.argmax()])
    starts, ends = low > 1 - FARTHEST, high < FARTHEST - 1
    overlap = low + 0.2 < high and low < float(usual.max()) and high > float(usual.min())
    follows = bool(((logs - logvariances.clamp(low, high)).abs() <= 0.12).all()) if overlap else False
    if len(logs) > len(usual) and (starts or ends) and follows and not low < named < high:
        first, last = f"from {low:.1f}" * starts, f"{'to' if starts else 'up to'} {high:.1f}" * ends
        return "", f" It is right only for log-variances {f'{first} {last}'.strip()}."
    return "", ""


def said_above_zero(draws: Draws) -> str:
    """What the spread of the draws is for log-variances above 0, for a message; empty where a known mistake says it."""
    law = None if draws.mistake else law_of(draws.latents.std(0), draws.logvariances, "log-variance")
    return f" Above 0, your standard deviation is {law}." if law else ""


def scaled(draws: Draws) -> str:
    """By how much a spread is off everywhere, in words, and how many draws are averaged or which root of 2 it is.

    The generator's numbers tell an average: however they are arranged, their sum is that of the noise.
    """
    spread = float(draws.spread.mean())
    digits = f"{spread:.3g}" if abs(spread - 1) < 0.1 else in_digits(spread)
    said, count = f" Everywhere, it is {digits} times the standard deviation", round(1 / spread**2)
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


def distance_between(one: Tensor, other: Tensor) -> float:
    """The largest distance between the distribution functions of two samples of one size."""
    both = torch.cat((one, other))
    below = [torch.searchsorted(each.sort().values, both, right=True) for each in (one, other)]
    return float((below[0] - below[1]).abs().max()) / len(one)


def has_normal_moments(noise: Tensor, count: int) -> bool:
    """Whether standardized noise, of so many independent numbers, has the kurtosis and the skewness of a Gaussian."""
    tails, skewness = float((noise**4).mean()), float((noise**3).mean())
    return abs(tails - 3) <= SIGMAS * math.sqrt(24 / count) and abs(skewness) <= SIGMAS * math.sqrt(6 / count)


def is_normal(noise: Tensor, count: int) -> bool:
    """Whether standardized noise, of so many independent numbers, is Gaussian by its moments and its distribution."""
    return has_normal_moments(noise, count) and distance_from_gaussian(noise) <= FAR / count**0.5


def signs(latents: Tensor) -> Tensor:
    """On which side of its column's middle each element lies: of the average, where many are equal to the median."""
    middle = latents.median(0).values
    return (latents - (latents.mean(0) if float((latents == middle).float().mean()) > 0.1 else middle)).sign()


def columns_share(latents: Tensor) -> bool:
    """Whether all columns of (N, D) draws of equal rows are on the same side of their middle in each row."""
    return bool(torch.corrcoef(signs(latents).T).min() > 0.9)


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


def forward_runs(submission: Submission, challenge: Challenge) -> bool:
    """Whether forward knows in which container the draw comes."""
    try:
        model = Model(submission, challenge)
        model.forward(*model.inputs(challenge), challenge.seed())
    except SubmissionError as error:  # else it ran, and what it returned is judged by its own part
        return not isinstance(error, Raised)
    return True
