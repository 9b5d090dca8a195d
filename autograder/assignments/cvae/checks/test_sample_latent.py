"""sample_latent: right draws, judged by their statistics so that any correct way of drawing is accepted.

Bounds on statistics lie 7 standard errors out: a correct draw crosses one of them once in some 10^11 runs. Noise
that is used as it should be, but is no standard normal, costs the check of the noise alone. What pure noise, a constant
or the means themselves would pass earns nothing.
"""

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import NoReturn

import pytest
import torch
from torch import Tensor

from autograder.assignments.cvae.checks import probes
from autograder.assignments.cvae.checks.latents import (
    CALLS,
    COLUMNS,
    COLUMNS_ALIKE,
    FAR,
    FAR_MEAN,
    MOST_OFF,
    ROWS,
    ROWS_ALIKE,
    ROWS_USED,
    SIGMAS,
    UNIFORM_KURTOSIS,
    VARIED,
    Apart,
    Domain,
    Draws,
    Sized,
    Source,
    columns_share,
    constant,
    distance_from_gaussian,
    draw,
    draw_rows,
    far_spread,
    find_domain,
    forward_runs,
    has_normal_moments,
    independent,
    is_dropped,
    kurtosis,
    narrow,
    normalized,
    said_above_zero,
    said_of_centers,
    said_of_far,
    said_of_gradient,
    said_of_pair,
    signs,
    slopes,
    stops_at_means,
    tied_noise,
    vary,
    wrong_spread,
)
from autograder.assignments.cvae.checks.network import in_shape, layout_in
from autograder.assignments.cvae.hints.draws import diagnose
from autograder.grading.harness import (
    Challenge,
    Grading,
    check,
    close,
    fail,
    once,
    only_where,
    require_arguments_unchanged,
    require_shape,
    said_of_seed,
)
from autograder.report.summary import counted, listed
from autograder.sandbox.client import Submission
from autograder.sandbox.errors import Raised, SubmissionError

pytestmark = pytest.mark.sample_latent
MORE = 15  # draws of as many numbers: in a million, the sum of 12 uniform numbers shows its kurtosis of 2.9
CALLS_APART = 30  # among which noise that comes again is looked for
WIDE = 1.4  # standard errors of an average beyond this say nothing of where it is
BOUNDED = ((-12.5, -13.0), (12.5, 13.0))  # log-variances that a bound nearer to 0 makes equal
BEYOND = 30  # numbers of a sample, on average
MOST_REPEATED = 0.02  # of the numbers in two calls: float32 repeats 0.002, uniform numbers of 24 bits 0.004

ONE_NUMBER = (
    "One number is the noise of all your draws. So the grader reads it off: it is the same for all means and "
    "log-variances, and the rest of the draw is right."
)


@pytest.fixture(scope="module")
def domain(submission: Submission, grading: Grading) -> Callable[[], Domain]:
    """Finds the arguments that the draw can be made from, once: a wrong one costs its own check, and no other."""
    return once(lambda: find_domain(submission, Challenge(grading.seed, "domain")))


@pytest.fixture(scope="module")
def tied(grading: Grading, domain: Callable[[], Domain]) -> Callable[[], tuple[str, str]]:
    """Finds what the noise is adjusted to, once."""
    return once(lambda: tied_noise(domain().source, Challenge(grading.seed, "tied"), domain()))


def fail_below_zero(domain: Domain, what: str, mistake: str | None, above: str = "") -> None:
    """Fail the check with what came of arguments below 0, and what is said of those above."""
    assert domain.otherwise is not None
    if isinstance(domain.otherwise, Raised):
        raise domain.otherwise
    fail(f"Where {what} is below 0, your draw is NaN or infinite.{above}", mistake or "not-finite")


def is_charged(draws: Draws, grading: Grading) -> bool:
    """Whether an activation after the draw, which the first check has charged, is all that is wrong. Note that."""
    charged = grading.blamed("sample_latent", "draw-activated") and draws.right_but_for_activation
    if charged:
        grading.replaced.append(
            f"Your draw passes through {draws.activation}, which has cost its points above. Before that, it is right."
        )
    return charged


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


@check("The spread is the standard deviation", 5, worked_example=True, probes=probes.SPREAD)
def test_spread(
    submission: Submission,
    challenge: Challenge,
    grading: Grading,
    domain: Callable[[], Domain],
    tied: Callable[[], tuple[str, str]],
) -> None:
    if domain().one_number:
        grading.replaced.append(ONE_NUMBER)
        return
    source, limits = domain().source, domain().limits
    draws = Draws(source, challenge, domain())
    if is_charged(draws, grading):
        return
    if domain().positive_logvariances:
        fail_below_zero(domain(), "a log-variance", draws.mistake, said_above_zero(draws))
    if draws.noise_alone_is_wrong and not limits:
        return
    spread = draws.spread
    errors = [SIGMAS * (1 / (2 * count)) ** 0.5 for count in (len(draws.noise), independent(draws.noise))]
    if float((spread - 1).abs().max()) > errors[0] or abs(float(spread.mean()) - 1) > errors[1]:
        worst = int((spread - 1).abs().argmax())
        logvariance = draws.logvariances[worst]
        observed = draws.latents[:, worst].std() if vary(draws.latents) else 0.0  # and not what is rounded
        law, named = wrong_spread(draws, float(logvariance))
        if named == "spread-scaled" and tied()[1]:
            law, named = f"{law} {tied()[1]}", "noise-normalized"
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
    usual = float(spread.square().mean().sqrt())
    for far, most in MOST_OFF.items() if not domain().positive_logvariances else ():
        width, expected = float(far_spread(draws, far)), math.exp(far / 2)
        if not abs(width / usual / expected - 1) <= max(most, 2 * errors[1]):
            raised, reach = said_of_far(draws, far)
            fail(
                f"Where the log-variance is {far:g}, your draws have standard deviation {width:.3g}; "
                f"{expected:.3g} is right.{raised or reach}",
                "spread-cut-off" if reach else "spread-wrong",
            )
    require_no_bound(source, challenge, domain(), draws)


def require_no_bound(source: Source, challenge: Challenge, domain: Domain, draws: Draws) -> None:
    """Fail the check where two log-variances far from 0 give the same draws. Smaller numbers that are added do not."""
    means, seed = challenge.uniform(-1, 1, VARIED, COLUMNS), challenge.seed()
    for nearer, farther in BOUNDED if not domain.positive_logvariances else ():
        one, other = (
            draw(source, *domain.within(means, torch.full_like(means, each)), seed) for each in (nearer, farther)
        )
        if torch.equal(one, other) and vary(one - means):
            fail(
                f"With the same noise, log-variances of {nearer:g} and {farther:g} give exactly the same draws, so "
                f"a bound changes them.{said_of_far(draws, nearer)[1]}",
                "spread-cut-off",
            )


@check("The noise is standard normal", 4, probes=probes.NORMAL)
def test_normal(
    challenge: Challenge, grading: Grading, domain: Callable[[], Domain], tied: Callable[[], tuple[str, str]]
) -> None:
    if domain().one_number:
        grading.replaced.append(ONE_NUMBER)
        return
    source = domain().source
    require_use(source, challenge, domain())
    draws = Draws(source, challenge, domain())
    if is_charged(draws, grading):
        return
    spread = draws.latents.std(0)
    if not (spread >= 1e-6).all():
        fail("Some of your draws do not vary.", draws.mistake or ("spread-wrong" if spread.any() else "no-noise"))
    if draws.mistake == "draw-normalized":
        return  # what was drawn is not to be seen in it
    if tied()[0] == "row":
        grading.replaced.append("The noise of each row is adjusted, which changes its shape. Another check judges it.")
        return
    more = [] if isinstance(source, Sized) else range(MORE)  # which would take a thousand calls
    again = [draw_rows(source, draws.means, draws.logvariances, challenge.seed()) for _ in more]
    judge_noise(draws.latents, draws.mistake, again)
    seed = challenge.seed()
    with contextlib.suppress(SubmissionError):  # what goes wrong where gradients are asked for is judged below
        followed = draw(source, *draws.rows, seed, gradients=True)
        if not close(followed, draw(source, *draws.rows, seed), 1e-5) and vary(followed):
            with only_where("Where gradients are asked for"):
                judge_noise(followed, draws.mistake)


def judge_noise(latents: Tensor, mistake: str | None, more: Sequence[Tensor] = ()) -> None:
    """Fail the check unless what varies in (N, D) draws of equal rows is normal.

    Their kurtosis and skewness are judged with those of `more` such draws.
    """
    draws = torch.cat((latents, *more))
    noise = (draws - draws.mean(0)) / draws.std(0)
    count = independent(noise)
    tails, skewness = kurtosis(draws), (noise**3).mean()
    if not has_normal_moments(noise, count):
        uniform = mistake == "uniform-noise" or abs(tails - UNIFORM_KURTOSIS) < 0.1
        named = "uniform-noise" if uniform else mistake or "noise-not-normal"
        said = f"Too {'few' if tails < 3 else 'many'} of your draws are far from their average: "
        said += f"their kurtosis is {tails:.2f}, and that of a normal distribution is 3."
        if abs(skewness) > SIGMAS * math.sqrt(6 / count):
            said = "Your draws are not symmetric around their average: "
            said += f"their skewness is {skewness:.2f}, and that of a normal distribution is 0."
        fail(said, named)
    noise = (latents - latents.mean(0)) / latents.std(0)
    count = independent(noise)
    # Beyond this lie BEYOND numbers of normal noise on average; that there is none is far too unlikely.
    far = -float(torch.special.ndtri(torch.tensor(BEYOND / count)))
    for end, side in ((float(noise.max()), "above"), (-float(noise.min()), "below")):
        if end < far:
            said = (
                f"Of {count} numbers of your noise, none is more than {end:.2f} standard deviations {side} the average."
            )
            fail(f"{said} Of normal noise, about {BEYOND} are more than {far:.2f}.", mistake or "noise-not-normal")
    if not (distance := distance_from_gaussian(noise)) <= FAR / count**0.5:
        fail(
            f"The distribution function of your noise differs from a normal one by up to {distance:.2f}.",
            mistake or "noise-not-normal",
        )


def seed_set(submission: Submission, challenge: Challenge, domain: Domain) -> str:
    """What to add to a message where each call sets one seed; else empty."""
    shape = domain.source.shape(6, 5) if isinstance(domain.source, Sized) else (6, 5)
    given = domain.within(torch.zeros(shape), torch.zeros(shape))
    one, other = (
        submission.call("sample_latent", *given, seed=challenge.seed(), results=1, unpack=True) for _ in range(2)
    )
    return said_of_seed(one, other)


def fail_as_fixed(latents: Tensor, means: Tensor, logvariances: Tensor, alike: bool, seed: str) -> NoReturn:
    """Fail the check because two calls gave these (N, D) draws of equal rows, and say what shares its noise there."""
    same = "Two calls on the same input give the same latents"
    if alike and diagnose(latents, means, logvariances) == "no-noise":
        fail(f"{same}.", "no-noise")
    if alike:
        said = f"{same}, and all rows of a minibatch share their noise.{seed}"
        fail(said, "fixed-seed", "noise-shared-across-rows")
    if columns_share(latents):
        said = f"{same}, and all dimensions of a row share their noise.{seed}"
        fail(said, "fixed-seed", "noise-shared-across-columns")
    fail(f"{same}.{seed}", "fixed-seed")


def require_next_draw(
    submission: Submission, challenge: Challenge, domain: Domain, given: tuple[Tensor, Tensor]
) -> None:
    """Fail the check if a call does not draw on from where the one before it has ended."""
    seed = challenge.seed()
    means, logvariances = given
    seeded, one, other, again = (
        draw(domain.in_minibatches, means, logvariances, each) for each in (seed, None, None, seed)
    )
    if close(one, other, 1e-5) or close(seeded, one, 1e-5):
        said = seed_set(submission, challenge, domain)
        follows = close(seeded, again, 1e-5) and not said  # the noise follows the seed, and is not kept
        fail(
            f"Two calls in a row give the same latents: the second one should draw on.{said}",
            "generator-restarted" if follows else "fixed-seed",
        )


@check("Fresh, independent noise for every element and call", 3, probes=probes.INDEPENDENT)
def test_independent(
    submission: Submission,
    challenge: Challenge,
    grading: Grading,
    domain: Callable[[], Domain],
    tied: Callable[[], tuple[str, str]],
) -> None:
    if domain().one_number:
        said = "One number is the noise of all elements, in all calls."
        fail(said, "noise-drawn-once", "noise-shared-by-all")
    source = domain().in_minibatches
    require_use(domain().source, challenge, domain())
    # Equal rows, so that what is left of a column without its average is noise, however wrong its center and scale.
    means, logvariances = challenge.uniform(-3, 3, COLUMNS_ALIKE), challenge.uniform(-1, 1, COLUMNS_ALIKE)
    means, logvariances = domain().within(means, logvariances)
    arguments = means.expand(ROWS_ALIKE, -1), logvariances.expand(ROWS_ALIKE, -1)
    first, second = (draw(source, *arguments, challenge.seed()) for _ in range(2))
    alike = close(first, first[:1].expand_as(first), 1e-5)
    if close(first, second, 1e-5):
        fail_as_fixed(first, means, logvariances, alike, seed_set(submission, challenge, domain()))
    require_next_draw(submission, challenge, domain(), arguments)
    one, other = (draw(source, means[None], logvariances[None], challenge.seed()) for _ in range(2))
    if close(one, other, 1e-5):
        same = "draw-normalized" if normalized(source, challenge, domain()) else "fixed-seed"
        mistake = "no-noise" if close(one[0], means, 1e-5) else same
        fail("Two calls on the same minibatch of one image give the same latents.", mistake)
    zeros = torch.zeros_like(arguments[0])
    equal = domain().within(zeros, zeros)
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
        if (first.diff(dim=0) >= 0).all() or (first.diff(dim=0) <= 0).all():
            fail("In each latent dimension, the noise is sorted from row to row.", "noise-correlated")
        if columns_share(first):
            fail("All latent dimensions of a row share their noise.", "noise-shared-across-columns")
        steps = draw(source, *equal, challenge.seed()).diff(dim=1)
        if (steps >= 0).all() or (steps <= 0).all():
            fail("In each row, the noise is sorted from one latent dimension to the next.", "noise-correlated")
        fail(
            "In each row, the noise of the latent dimensions is correlated: two of them have correlation "
            f"{torch.corrcoef(noise.T).mean():.2f} on average, and independent ones about 0.",
            "noise-correlated",
        )
    if not (a * b).mean().abs() <= SIGMAS / a.numel() ** 0.5:
        fail("The noise of two of your calls is correlated.", "fixed-seed")
    quiet = [draw(source, *arguments, challenge.seed(), evaluate=True) for _ in range(2)]
    if close(quiet[0], quiet[1], 1e-5):
        said = "Under `torch.no_grad()`, two calls on the same input give the same latents."
        fail(said, "fixed-seed" if vary(quiet[0]) else "no-draw-without-gradients")
    require_no_pair(noise)
    # Of a few numbers, most calls have the largest.
    judged = ("draw-normalized", "noise-normalized", "noise-not-normal")
    if tied()[1] and not any(grading.blamed("sample_latent", each) for each in judged):
        fail(tied()[1], "draw-normalized" if normalized(source, challenge, domain()) else "noise-normalized")
    if isinstance(source, Sized):
        fail(source.said, "noise-size-written-in")
    judge_neighbors(domain(), challenge, any(grading.blamed("sample_latent", each) for each in judged))
    if not grading.failed("sample_latent"):  # noise of a few numbers, such as signs, has cost its points
        judge_returns(source, challenge, *domain().within(torch.zeros(1, COLUMNS), torch.zeros(1, COLUMNS)))
        judge_repeats(submission, challenge)


def require_no_pair(noise: Tensor) -> None:
    """Fail the check where two columns or two rows of (N, D) noise depend on each other."""
    for numbers, place in ((noise.T, "`latents[{}]`"), (noise, "`latents[:, {}]`")):
        if said := said_of_pair(numbers, place):
            fail(said, "noise-correlated")


def judge_neighbors(domain: Domain, challenge: Challenge, charged: bool) -> None:
    """Fail the check where a few rows or columns depend on each other in many numbers, or where noise is mixed.

    Noise whose own distribution is `charged` is not judged: its numbers may tell nothing here.
    """
    for rows, columns in ((ROWS, COLUMNS), (COLUMNS, CALLS)) if domain.whole or not charged else ():
        zeros = torch.zeros(rows, columns)
        noise = draw(domain.in_minibatches, *domain.within(zeros, zeros), challenge.seed())
        said = said_of_pair(noise, "`latents[:, {}]`") if rows > columns else said_of_pair(noise.T, "`latents[{}]`")
        if said:
            fail(said, "noise-correlated")
    if domain.whole:
        fail("In a minibatch, the numbers of your noise depend on each other.", "noise-correlated")


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
    source = domain().in_minibatches
    require_use(domain().source, challenge, domain())
    shape = source.shape(6, 5) if isinstance(source, Sized) else (6, 5)
    means, logvariances = domain().within(challenge.normal(*shape), challenge.uniform(-1, 1, *shape))
    cotangent, seeds = challenge.normal(*shape), (challenge.seed(), challenge.seed())
    given = submission.call("sample_latent", means, logvariances, seed=seeds[0], results=1, unpack=True).outputs[0]
    weights = cotangent
    if in_shape(given, shape).shape == shape != given.shape:
        weights = layout_in(given.shape, shape)(cotangent)
    reply, other = (
        submission.call(
            "sample_latent", means, logvariances, seed=each, cotangents={0: weights}, results=1, unpack=True
        )
        for each in seeds
    )
    latents, others = (in_shape(each.outputs[0], shape) for each in (reply, other))
    require_shape(latents, shape, "The result of your `sample_latent`")
    if close(others, latents, 1e-5):
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
    if missing:
        fail_without_gradient(missing, [index for index in missing if str(index) in gradients], bool(by_mean.any()))
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


def fail_without_gradient(missing: list[int], zero: list[int], others: bool) -> NoReturn:
    """Fail the check for the arguments, by their index, whose gradient is missing, and is `zero` rather than None.

    `others` is whether the means have one.
    """
    none = [index for index in missing if index not in zero]
    said, names = [], []
    if none == [0, 1]:
        said.append("No gradient comes back through your draw.")
    elif none == [1] and others:
        said.append("After `backward()`, `means` has a gradient and `logvariances` has none.")
    elif none:
        said.append(f"No gradient reaches the {('means', 'log-variances')[none[0]]}.")
    if none:
        names.append("std-detached" if none == [1] else "sample-detached")
    if zero:
        given = [f"`{('means', 'logvariances')[index]}.grad`" for index in zero]
        is_zero = f"{given[0]} is" if len(given) == 1 else f"{listed(given)} are"
        said.append(f"After `backward()`, {is_zero} 0 everywhere.")
        names.append("sample-gradient-zero")
    fail(" ".join(said), *names)


@check("Returns one tensor of its arguments' dtype, and does not change them", 1, probes=probes.SAMPLE_ARGUMENTS)
def test_inputs_unchanged(
    submission: Submission, challenge: Challenge, grading: Grading, domain: Callable[[], Domain]
) -> None:
    source = domain().source
    require_use(source, challenge, domain())
    shape = source.shape(6, 5) if isinstance(source, Sized) else (6, 5)
    means, logvariances = domain().within(challenge.normal(*shape), challenge.normal(*shape))
    reply = submission.call("sample_latent", means, logvariances, seed=challenge.seed(), results=1, unpack=True)
    result = reply.outputs[0].shape
    other_layout = in_shape(reply.outputs[0], shape).shape == shape != result
    if (reply.packing or other_layout) and forward_runs(submission, challenge):
        if reply.packing:
            grading.in_use.add("sample_latent")
        else:
            grading.layouts["sample_latent"] = layout_in(result, shape)
    if reply.packing:
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
