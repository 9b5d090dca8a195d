"""Checks for cs5814_vae.py that you can run as often as you like.

In the notebook: check("encoder"). In a terminal: pytest public_checks.py (one part: -k encoder).
They look at what your code does, never at how it is written. They give it fixed inputs and fixed weights, and look up
the numbers that come out in hints.json, which knows what many mistakes give. The graded checks ask the same with other
numbers.
"""

import itertools
import math
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parent))  # wherever this file is loaded from
# isort: off
from check_tools import (
    CHECKS, CLASS, ChecksFailedError, HEADS, HintError, LOGVARIANCES, MEANS, NotYetError, ODD_SIZES, Pass, ROWS,
    SHOULD, Sizes, at_both_scales, attribute, behind, bias_inside, build, centers_and_spreads, check, classes_of,
    close, defined, expect, expect_extremes, expect_one_row, expect_sizes, expect_untouched, failed, given_to,
    given_to_heads, gradients, gradients_of, holds, images_and_classes, judge_layers, known_draw, layer, look_up, loss,
    loss_inputs, matrices, mistakes_in_the_loss, near, numbers, one_image, outcomes, ratios, rows_apart, run_piece,
    said_of_error, said_of_loops, seeded, slope_along, stops, submission, summary, table, tensor_of, usual_loss,
    usual_sizes, value_or_none, worked_example,
)  # fmt: skip
# isort: on

__all__ = ["CHECKS", "ChecksFailedError", "check", "outcomes"]


def pytest_generate_tests(metafunc) -> None:
    metafunc.parametrize("part", CHECKS)


def test_part(part: str) -> None:
    __tracebackhide__ = True
    check(part)


def encode(model: nn.Module, sizes: Sizes | None = None) -> tuple[Tensor | None, list[Tensor]]:
    """What the encoder gives, None if it cannot be called alone, and the means and log-variances, which must fit."""
    latent, hidden = (sizes or usual_sizes())[2], None
    heads = [attribute(model.eval(), name) for name in HEADS]
    try:
        hidden = run_piece(model, "encoder", sizes)
    except HintError as error:
        if error.mistakes != ("not-callable",):  # which only forward needs to get round
            raise
    if isinstance(hidden, Tensor) and hidden.dim() == 2:
        outputs = [head(hidden) for head in heads]
    else:
        hidden, outputs = None, model(*images_and_classes(sizes))[1:3]
    width = "wrong-shape" if hidden is None else "head-output-width"
    named = [(each, (ROWS, latent), f"The output of `{name}`") for each, name in zip(outputs, HEADS, strict=True)]
    return hidden, [tensor_of(*each, width) for each in named]


def expect_no_lazy(model: nn.Module, *names: str) -> None:
    lazy = [name for name in model.lazy if name.startswith(names)]
    expect(not lazy, f"Before the first pass `{''.join(lazy[:1])}` has no shape.", "lazy-layer")


# encoder --------------------------------------------------------------------------------------------------------


@holds("encoder", "gives a mean and a log-variance for each latent dimension")
def encoder_shapes() -> None:
    model = build("encoder", *HEADS)
    hidden, _ = encode(model)
    expect_no_lazy(model, "encoder.", *HEADS)
    expect_one_row_of_encoder(model, hidden)


def expect_one_row_of_encoder(model: nn.Module, hidden: Tensor | None) -> None:
    """Expect encoder and heads to work on one row, unless forward gives means and log-variances of one image."""
    latent = usual_sizes()[2]
    with suppress(Exception):
        results = model(*(each[:1] for each in images_and_classes()))
        if all(each.shape == (1, latent) for each in results[1:3]):
            return
    if hidden is not None:
        expect_one_row(model, "encoder", torch.cat(given_to("encoder"), -1), hidden.shape[1])
        for name in HEADS:
            expect_one_row(model, name, hidden, latent)


@holds("encoder", "has three linear layers to hidden_size, with a ReLU after each")
def encoder_layers() -> None:
    model, rows = build("encoder", *HEADS), table()["encoder"]
    hidden, outputs = encode(model)
    found = None if hidden is None else look_up(rows["alone"], at_both_scales(hidden))
    if found is None or any("missing" in name for name in found[0]):  # a ReLU, or all of it, may stand in forward
        with suppress(Exception):
            in_forward = look_up(rows["means"], summary(Pass(model, replaced=()).results[1]))
            found = in_forward if found is None or (in_forward == ([], "") and not relu_before_one_head()) else found
    shared = set.intersection(*(set(behind(model, each)) for each in outputs))
    parameters = {name: each for name, each in model.named_parameters() if name in shared}
    if hidden is not None:
        parameters = behind(model, hidden)
    pixels, categories, _ = usual_sizes()
    judge_layers(model, "encoder", found, parameters, (pixels + categories, table()["sizes"]["hidden_size"]))


def relu_before_one_head() -> bool:
    """Whether forward gives one head what the encoder gives, and the other one what a ReLU makes of that."""
    model = build()
    encoded, results = model.encoder(torch.cat(images_and_classes(), -1)), Pass(model, replaced=()).results[1:]
    heads = [attribute(model, name) for name in HEADS]
    plain, behind_relu = (
        [close(head(given), result) for head, result in zip(heads, results, strict=True)]
        for given in (encoded, encoded.clamp(min=0))
    )
    return sorted(plain) == sorted(behind_relu) == [False, True] and plain != behind_relu


@holds("encoder", "has two heads of one linear layer each, without an activation")
def encoder_heads() -> None:
    model, rows = build("encoder", *HEADS), table()["encoder"]
    _, outputs = encode(model)
    given = given_to_heads()
    with suppress(RuntimeError):  # for hidden numbers of another width, which is told above
        outputs = [attribute(model, name)(given) for name in HEADS]
        given = None
    reached = [behind(model, each) for each in outputs]
    shared = reached[0].keys() & reached[1].keys() if given is None else set()
    halves = bool(shared) and all(rows_apart(outputs, reached[0][name]) for name in shared)
    expect(not shared or halves, "`mean_layer` and `logvariance_layer` share their parameters.", "heads-shared")
    for name, output, parameters in () if halves else zip(HEADS, outputs, reached, strict=True):
        expect(
            bool(parameters), f"The output of `{name}` depends on no layer that training can change.", "not-trainable"
        )
        if given is None:
            layers = len(matrices(parameters))
            named = "head-depth" if layers else "head-constant"
            expect(layers == 1, f"`{name}` has {layers} linear layers; {SHOULD} one.", named)
            inside = any(bias_inside(model, each.shape, usual_sizes()) for each in parameters.values())
            expect(inside or len(parameters) > 1, f"`{name}` has no bias.", "encoder-bias")
            unknown = ["encoder-other"], "does not act like one linear layer"
            mistakes, said = look_up(rows[name], at_both_scales(output)) or unknown
            expect(not mistakes, f"The output of `{name}` {said}.", *mistakes)
    found = None
    with suppress(Exception):
        found = look_up(table()["forward"], summary(*Pass(build()).results))
    mistakes = of_part(found, "encoder")
    expect(not mistakes, found[1] if found else "", *mistakes)


@holds("encoder", "follows the sizes that the constructor is given, and keeps them")
def encoder_sizes() -> None:
    expect_sizes("encoder", lambda sizes: encode(build("encoder", *HEADS, sizes=sizes), sizes))
    model, usual = build("encoder", *HEADS, sizes=ODD_SIZES), table()["sizes"]
    if model.misnamed:
        raise model.misnamed
    again = build("encoder", *HEADS, sizes=ODD_SIZES)
    by_order = shapes = [each.shape for each in again.parameters()]
    with suppress(Exception):  # by name alone is enough
        by_order = [each.shape for each in defined(CLASS)(*ODD_SIZES).parameters()]
    said = f"With {ODD_SIZES} in this order, your constructor makes another model than by name."
    grows = shapes != [each.shape for each in model.parameters()]  # in any order, which is told elsewhere
    expect(by_order == shapes or grows, said, "wrong-parameters")
    for name, value in zip(usual, (*ODD_SIZES, usual["hidden_size"]), strict=True):
        found = getattr(model, name, None)
        wrong = "encoder-sizes-hard-coded" if found == usual[name] else "attribute-wrong"
        said = f"With other sizes, `self.{name}` is {found}; it should be {value}."
        expect(found == value, said, "attribute-missing" if found is None else wrong)


# decoder --------------------------------------------------------------------------------------------------------


def decode(model: nn.Module, sizes: Sizes | None = None) -> Tensor:
    """What the decoder gives, which must be rows of pixels."""
    images, shape = run_piece(model.eval(), "decoder", sizes), (ROWS, (sizes or usual_sizes())[0])
    if isinstance(images, Tensor) and images.numel() == math.prod(shape) and images.shape != shape:
        raise HintError(f"Your decoder gives shape {tuple(images.shape)}; it should give {shape}.", "decoder-shape")
    return tensor_of(images, shape, "The output of your decoder", "decoder-output-width")


@holds("decoder", "gives a row of pixels for each [latent | one-hot] vector")
def decoder_shape() -> None:
    model = build("decoder")
    images = decode(model)
    expect_no_lazy(model, "decoder.")
    expect_one_row(model, "decoder", torch.cat(given_to("decoder"), -1), images.shape[1])


@holds("decoder", "has three linear layers to hidden_size, and one to the pixels, with a ReLU after each but the last")
def decoder_layers() -> None:
    model, (pixels, categories, latent) = build("decoder"), usual_sizes()
    images = decode(model)
    encoder = set()
    with suppress(Exception):  # which is judged above
        hidden, outputs = encode(model)
        parameters = behind(model, outputs[0] if hidden is None else hidden)
        encoder = {each.data_ptr() for each in parameters.values()}  # another view of one may be registered
    shared = [name for name, each in behind(model, images).items() if each.data_ptr() in encoder]
    names = ", ".join(f"`{name}`" for name in shared[:4])
    expect(not shared, f"Your encoder and your decoder both use {names}.", "decoder-not-apart")
    found = look_up(table()["decoder"]["whole"], at_both_scales(images))
    judge_layers(model, "decoder", found, behind(model, images), (latent + categories, pixels))


@holds("decoder", "ends in a sigmoid")
def decoder_output() -> None:
    model = build("decoder")
    pixels = decode(model)
    expect(bool(behind(model, pixels)), "No trainable parameters are behind your decoder's output.", "not-trainable")
    grid = torch.linspace(-4, 4, pixels.shape[-1])
    inside = any(bias_inside(model, each.shape, usual_sizes()) for each in model.parameters())
    if not inside and not any(each.numel() == len(grid) for each in behind(model, pixels).values()):
        raise NotYetError("give the last layer of your decoder a bias first.")
    for each in behind(model, pixels).values():  # without its weights, the last layer gives its bias
        if len(grid) in each.shape:
            each.data.copy_(grid.reshape(each.shape) if each.numel() == len(grid) else 0 * each)
        if len(grid) in each.shape and inside:
            (each.data if each.shape[1] == len(grid) else each.data.T)[-1] = grid
    found = look_up(table()["decoder"]["output"], summary(decode(model)))
    unknown = "decoder-no-sigmoid" if pixels.min() < 0 or pixels.max() > 1 else "decoder-output-activation"
    mistakes, said = found or ([unknown], "how it ends is not known")
    said = f"The output of your decoder goes from {pixels.min():.2f} to {pixels.max():.2f}: {said}."
    expect(not mistakes, said, *mistakes)


@holds("decoder", "follows the sizes that the constructor is given")
def decoder_sizes() -> None:
    expect_sizes("decoder", lambda sizes: decode(build("decoder", sizes=sizes), sizes))


# sample_latent --------------------------------------------------------------------------------------------------

DRAWS = 20_000
FAR = 7  # standard errors: right code is as far off once in some 10^11 times


def sample(means: Tensor, logvariances: Tensor) -> Tensor:
    latents = defined("sample_latent")(means.clone(), logvariances.clone())
    return tensor_of(latents, tuple(means.shape), "The result of your `sample_latent`")


def many_draws() -> Tensor:
    given = torch.tensor(MEANS).repeat(DRAWS, 1), torch.tensor(LOGVARIANCES).repeat(DRAWS, 1)
    try:
        return sample(*given)
    except HintError as error:
        draws = defined("sample_latent")(*given) if error.mistakes == ("not-finite",) else torch.zeros(DRAWS, 0)
        known = [at for at, each in enumerate(draws.T) if each.isfinite().all()]
        if not known:
            raise
        lost = next(at for at in range(len(MEANS)) if at not in known)
        named = known_draws(draws[:, known], known) or "not-finite"
    said = f"With mean {MEANS[lost]:g} and log-variance {LOGVARIANCES[lost]:g}, your draw is NaN or infinite."
    raise HintError(said, named)


def normal_shape(draws: Tensor) -> tuple[float, float, float, int]:
    """Kurtosis, skewness and distance from a normal distribution, and of how many independent draws."""
    noise = (draws - draws.mean(0)) / draws.std(0)
    shared = torch.corrcoef(noise.T).fill_diagonal_(0).abs().max() > 0.5  # which is told below
    found = torch.special.ndtr(noise.flatten().double()).sort().values
    apart = (found - torch.linspace(0, 1, len(found), dtype=found.dtype)).abs().max()
    return float((noise**4).mean()), float((noise**3).mean()), float(apart), len(noise) if shared else noise.numel()


def known_draws(draws: Tensor, columns: Sequence[int] = range(len(MEANS))) -> str:
    """The mistake that gives the centers and spreads of these draws, if one of those known does, in these columns."""
    observed = centers_and_spreads(draws)
    for (centers, spreads), mistakes, _ in table()["sample_latent"][1:]:
        off = (
            max(abs(given - centers[at]) - 0.12 * spreads[at], abs(width - spreads[at]) - 0.1 * spreads[at])
            for given, width, at in zip(*observed, columns, strict=True)
        )
        if max(off) < 1e-4 and (mistakes != ["uniform-noise"] or abs(normal_shape(draws)[0] - 1.8) < 0.1):
            return mistakes[0]
    if not draws.std(0).any():
        if not close(many_draws(), draws):
            return "noise-shared-across-rows"
        return old_noise() or "no-noise"
    return ""


def old_noise() -> str:
    """The mistake where draws are always the same, and yet hold noise; empty where they hold none."""
    zeros = torch.zeros(1, 512)
    drawn, wider = sample(zeros, zeros), sample(zeros, zeros + 1)  # which is 1.64872 times as wide
    if drawn.std() > 1e-6:
        return "fixed-seed"
    one_number = close(wider, 1.64872 * drawn) and not close(drawn, zeros) and not close(drawn, zeros + 1)
    return "noise-drawn-once" if one_number else ""


def varied_draws() -> list[Tensor]:
    """Draws of three calls, each element from other means and log-variances."""
    means, logvariances = 2 * numbers(24, 8) - 1, (2 * numbers(8, 24) - 1).T
    return [sample(means * (each + 2) + each, logvariances) for each in range(3)]


def normalized(several: list[Tensor]) -> bool:
    """Whether one statistic of such draws is the same number in each row, in each column or in each call."""
    size = float(torch.stack(several).std()) if several else 0.0
    for dims in ((0,), (1,), (0, 1))[: 3 if len(several) > 1 else 2]:  # one number says nothing
        for statistic in (torch.mean, torch.std, torch.linalg.vector_norm):
            found = torch.cat([statistic(each, dim=dims).flatten() for each in several])
            if found.max() - found.min() < 1e-4 * max(float(found.abs().max()), size) and size > 2e-3:
                return True
    return False


def expect_draws(draws: Tensor, what: str, varied: Callable[[], list[Tensor]] = varied_draws) -> None:
    """Expect the centers, or the spreads, of (N, 6) draws to be those that belong to MEANS and LOGVARIANCES.

    Equal rows do not show all that is done to a draw: `varied` gives some from other arguments in every row.
    """
    named, observed, right = known_draws(draws), centers_and_spreads(draws), table()["sample_latent"][0][0]
    with suppress(HintError):
        named = "draw-normalized" if normalized(varied()) else named
    scaled = [width / spread for width, spread in zip(observed[1], right[1], strict=True)]
    error = FAR / len(draws) ** 0.5
    if what == "spreads" and not named:
        constant = max(scaled) - min(scaled) < 0.1 * max(scaled)
        normal = not constant or normal_shape(draws)[2] < 4.5 / draws.numel() ** 0.5
        named = ("spread-scaled" if constant else "spread-wrong") if normal else "noise-not-normal"
    for mean, logvariance, given, width, center, spread in zip(MEANS, LOGVARIANCES, *observed, *right, strict=True):
        case = f"With mean {mean:g} and log-variance {logvariance:g}, {len(draws):,} draws"
        if what == "centers":
            off = abs(given - center) >= error * max(spread, width)
            expect(not off, f"{case} average {given:.2f}; {mean:.2f} is right.", named or "centre-wrong")
        else:
            said = f"{case} have standard deviation {width:.2f}; {spread:.2f} is right."
            expect(abs(width / spread - 1) < error, said, named)


def limit_of(left: Tensor, sign: int) -> float:
    """The number that many of each column of (N, 6) share as their last one on this side; infinite without one."""
    ends = (sign * left).max(0).values
    shared = ends.std() < 1e-4 and (sign * left == ends).float().mean(0).min() > 0.1
    return sign * (float(ends[0]) if shared else math.inf)


def expect_no_limits() -> None:
    """Expect wide draws not to be cut off: at one number, or at one distance from their means."""
    means, wide, said = torch.tensor(MEANS), torch.linspace(4.6, 5.2, len(MEANS)), ""
    with suppress(HintError):
        draws = sample(means.repeat(2000, 1), wide.repeat(2000, 1))
        quiet = sample(means[None], torch.full((1, len(MEANS)), -30.0))[0]
        for center, where in ((0 * means, ""), (means, " away from their means")):
            low, high = (limit_of(draws - center, sign) for sign in (-1, 1))
            apart = low < 0 < high if where else low < high
            if apart and close(quiet, (means - center).clamp(low, high) + center):
                ends = " and ".join(f"{each:.3g}" for each in (low, high) if abs(each) < math.inf)
                said = said or (ends and f"With log-variances near 5, many of your draws are exactly {ends}{where}.")
    expect(not said, said, "draw-cut-off")


@holds("sample_latent", "draws around the means that it is given")
def sample_centers() -> None:
    expect_no_limits()
    expect_draws(many_draws(), "centers")
    for far in (-12.0, 12.0):
        drawn, nearer = (
            float(sample(*(torch.full((512, 16), each) for each in (mean, -30.0))).mean()) for mean in (far, 0.9 * far)
        )
        named = "mean-cut-off" if abs(drawn - nearer) < 0.1 else "centre-wrong"
        expect(abs(drawn - far) < 0.2, f"With mean {far:g}, your draws average {drawn:.2f}.", named)


@holds("sample_latent", "draws with the spread that the log-variances stand for")
def sample_spreads() -> None:
    expect_no_limits()
    expect_draws(many_draws(), "spreads")
    for logvariance, spread, most in (
        (-6.0, 0.0498, 0.1),
        (5.0, 12.18, 0.1),
        (-12.0, 0.00248, 0.65),
        (12.0, 403.4, 0.65),
    ):
        drawn = sample(torch.zeros(4096, 16), torch.full((4096, 16), logvariance)).std()
        said = f"With log-variance {logvariance:g}, draws have standard deviation {drawn:.3g}; {spread} is right."
        named = "spread-cut-off" if same_draws(logvariance, 1.1 * logvariance) else "spread-wrong"
        expect(drawn == 0 or abs(drawn / spread - 1) < most, said, named)
    for nearer, farther in ((-12.5, -13.0), (12.5, 13.0)):
        said = f"With the same noise, log-variances of {nearer:g} and {farther:g} give exactly the same draws."
        expect(not same_draws(nearer, farther), said, "spread-cut-off")


def same_draws(*logvariances: float) -> bool:
    """Whether two log-variances give the same draws with the same noise, and draws that vary."""
    one, other = (seeded(sample, [torch.zeros(8, 8), torch.full((8, 8), each)]) for each in logvariances)
    return bool(one.std() > 0 and torch.equal(one, other))


@holds("sample_latent", "draws noise of a normal shape")
def sample_shape() -> None:
    expect_no_limits()
    expect_normal(many_draws(), [many_draws() for _ in range(8)])


def expect_normal(draws: Tensor, more: Sequence[Tensor] = ()) -> None:
    """Expect the noise in (N, 6) draws to be normal: its kurtosis and skewness with those of `more` draws."""
    named = known_draws(draws)
    if not draws.std(0).any():
        raise HintError("Your draws do not vary from row to row.", named)
    expect(draws.std(0).all(), "Some of your draws do not vary.", named or "spread-wrong")
    *_, apart, few = normal_shape(draws)
    tails, lean, _, count = normal_shape(torch.cat((draws, *more)))
    kind = "uniform-noise" if abs(tails - 1.8) < 0.1 else "positive-noise" if lean > 0.5 else "noise-not-normal"
    symmetric = abs(lean) < FAR * (6 / count) ** 0.5
    said = f"Too {'few' if tails < 3 else 'many'} of your draws are far from their average: their kurtosis is "
    said += f"{tails:.2f}, and that of a normal distribution is 3."
    if not symmetric:
        said = f"Your draws are not symmetric around their average: their skewness is {lean:.2f}, and that of a normal "
        said += "distribution is 0."
    right = abs(tails - 3) < FAR * (24 / count) ** 0.5 and symmetric
    expect(right, said, kind if kind == "uniform-noise" else named or kind)
    said = f"The distribution of your noise differs from a normal one by up to {apart:.2f}."
    expect(apart < 4.5 / few**0.5, said, named or "noise-not-normal")
    noise = (draws - draws.mean(0)) / draws.std(0)
    far = -float(torch.special.ndtri(torch.tensor(20 / few)))
    for end, side in ((float(noise.max()), "above"), (-float(noise.min()), "below")):
        said = f"None of your draws is more than {end:.2f} standard deviations {side} the average. Of {few} normal "
        said += f"numbers, about 20 are more than {far:.2f}."
        expect(end >= far, said, named or "noise-not-normal")


def repeated(draw: Callable[[], Tensor]) -> str:
    """The mistake of draws that come again: they do after any seeds, or where nothing sets one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        one = draw()
        torch.manual_seed(2)
        follows = not close(one, draw())
        return "generator-restarted" if follows and torch.initial_seed() == 2 else "fixed-seed"


@holds("sample_latent", "draws fresh noise at each call, for each row and each dimension")
def sample_noise() -> None:
    means, logvariances = (6 * numbers(120) - 3).repeat(128, 1), (2 * numbers(121)[1:] - 1).repeat(128, 1)
    first, second = sample(means, logvariances), sample(means, logvariances)
    alike = close(first, first[:1].expand_as(first))
    if alike and close(first, second):
        named, said = old_noise(), "Two calls give the same draw, and all rows get the same noise."
        raise HintError(said, named) if named else NotYetError("your draws do not vary yet.")
    expect(not close(first, second), "Two calls give the same draw.", repeated(lambda: sample(means, logvariances)))
    if alike:
        equal = sample(torch.zeros(128, 120), torch.zeros(128, 120))
        expect(equal.std() < 1e-6, "All rows get the same noise.", "noise-shared-across-rows")
        raise HintError("All elements get one number of noise.", "noise-shared-by-all")
    one, other = ((each - each.median(0).values).sign() for each in (first, second))
    expect_noise_of_each_dimension(one)
    expect((one * other).mean().abs() < FAR / one.numel() ** 0.5, "The noise of two calls is correlated.", "fixed-seed")
    with torch.no_grad():
        quiet = [sample(means, logvariances) for _ in range(2)]
    expect(not close(*quiet), "Under `torch.no_grad()`, two calls give the same draw.", "no-draw-without-gradients")
    calls = torch.cat([sample(means[:1], logvariances[:1]) for _ in range(30)])
    expect(len(calls.unique(dim=0)) == 30, "Of 30 calls, two give the same draw.", "fixed-seed")
    expect_no_limits()
    noise = (first - first.mean(0)) / first.std(0)
    for signs, each, place in ((one, noise, "{}"), (one.T, noise.T, ":, {}")):
        pairs = torch.corrcoef(signs).fill_diagonal_(0).abs().nan_to_num()  # what does not vary is told above
        pair = divmod(int(pairs.argmax()), len(pairs))
        names = " and ".join(f"`latents[{place.format(at)}]`" for at in pair)
        said = f"The noise of {names} has correlation {torch.corrcoef(each[[*pair]])[0, 1]:.2f}."
        expect(pairs.max() < FAR / signs.shape[1] ** 0.5, said, "noise-correlated")
    if said := tied_noise():
        raise HintError(said, "draw-normalized" if normalized(varied_draws()) else "noise-normalized")
    for rows, columns, place in ((DRAWS, 8, ":, {}"), (8, 1000, "{}")):
        noise = sample(torch.zeros(rows, columns), torch.zeros(rows, columns))
        noise = noise if rows < columns else noise.T
        pairs = torch.corrcoef((noise - noise.median(1, keepdim=True).values).sign()).fill_diagonal_(0)
        pair = divmod(int(pairs.abs().nan_to_num().argmax()), len(pairs))
        names = " and ".join(f"`latents[{place.format(at)}]`" for at in pair)
        said = f"The noise of {names} has correlation {torch.corrcoef(noise[[*pair]])[0, 1]:.2f}."
        expect(pairs.abs().nan_to_num().max() < FAR / noise.shape[1] ** 0.5, said, "noise-correlated")


def tied_noise() -> str:
    """Which statistic of the noise varies far less than where the numbers of all calls are shuffled, in words."""
    noise = torch.stack([sample(torch.zeros(12, 8), torch.zeros(12, 8)) for _ in range(30)])
    columns = [each[torch.randperm(len(each))] for each in noise.flatten(0, 1).T]
    shuffled = torch.stack(columns, 1).reshape(noise.shape)
    statistics = {
        "average": Tensor.mean,
        "standard deviation": Tensor.std,
        "root mean square": lambda each, dims: (each * each).mean(dims).sqrt(),
        "average of the absolute values": lambda each, dims: each.abs().mean(dims),
        "largest absolute value": lambda each, dims: each.abs().amax(dims),
    }
    for place, dims in (("row", (2,)), ("column", (1,)), ("call", (1, 2))):
        for name, statistic in statistics.items():
            found, usual = (statistic(each, dims) for each in (noise, shuffled))
            if found.std() < 0.3 * usual.std():
                span, usual_span = (float(each.max() - each.min()) for each in (found, usual))
                return (
                    f"In 30 calls, the {name} of the noise in each {place} changes by at most {span:.1g}; "
                    f"with the same numbers shuffled, by up to {usual_span:.1g}."
                )
    return ""


@holds("sample_latent", "lets gradients through to both arguments, and leaves these as they were")
def sample_gradients() -> None:
    kept = [4 * numbers(6, 5) - 2, (2 * numbers(5, 6) - 1).T.contiguous()]
    given = [each.clone() for each in kept]
    draws = tensor_of(defined("sample_latent")(*given), (6, 5), "The result of your `sample_latent`")
    expect_untouched("sample_latent", defined("sample_latent"), given, kept)
    sample(torch.zeros(1, 5), torch.zeros(1, 5))  # its shape is that of one image
    expect(draws.dtype == torch.float32, f"For float32 means, your latents are {draws.dtype}.", "draw-precision")
    repeats = close(*(seeded(sample, given) for _ in range(2)))
    found = gradients(sample, given)
    named = "draw-normalized" if normalized(varied_draws()) else ""
    for place, (name, mistake) in enumerate((("means", "sample-detached"), ("log-variances", "std-detached"))):
        gradient = found[place]
        slope = slope_along(sample, given, place, torch.ones(6, 5)) if repeats else gradient
        if slope is None or slope.any():  # an argument that makes no difference is told above
            expect(gradient is not None, f"No gradient reaches the {name}.", named or mistake)
            said = f"The gradient of the {name} is 0 everywhere."
            expect(gradient.any(), said, named or "sample-gradient-zero")
            said = f"The gradient of the {name} is not how your draw changes with them."
            right = (gradient - slope).abs().max() < 0.02 * (1 + slope.abs().max())
            expect(right, said, named or "sample-gradient-partial")


def expect_noise_of_each_dimension(signs: Tensor) -> None:
    """Expect the noise in a row, of which (N, D) signs are given, to be more than one number."""
    expect(signs.mean(1).std() < 0.5, "All dimensions of a row get the same noise.", "noise-shared-across-columns")


# forward --------------------------------------------------------------------------------------------------------


def of_part(found: tuple[list[str], str] | None, part: str) -> list[str]:
    """The mistakes of a part among those that forward shows."""
    return [name for name in (found[0] if found else []) if table()["parts"][name] == part]


@holds("forward", "returns the reconstruction, the mean and the log-variance")
def forward_results() -> None:
    model = build(unfinished=True)
    missing = [name for name in ("encoder", *HEADS, "decoder") if getattr(model, name, None) is None]
    networks = "encoder" not in missing and "decoder" not in missing
    if networks:
        expect(
            bool(matrices(dict(model.named_parameters()))),
            "Your model has no layer that training can change.",
            "not-trainable",
        )
    kept = dict(model.named_parameters())
    try:
        one = Pass(model, replaced=missing)
    except Exception:
        if model.stopped:  # before it set what forward needs
            raise model.stopped from None
        if not (failed("encoder") or failed("decoder")):
            raise
        one = Pass(model := build(unfinished=True))  # their own parts judge that the sizes do not fit
        kept = dict(model.named_parameters())
    made = [name for name, each in model.named_parameters() if kept.get(name) is not each]
    expect(not made, f"A pass through your `forward` replaces {', '.join(made[:4])}.", "layers-made-in-forward")
    expect_untouched("forward", model.forward, one.inputs, images_and_classes())
    constant = constant_heads()
    for each, name in zip(one.results, ("reconstructions", "means", "log-variances"), strict=True):
        alike = name not in constant and close(each, each.roll(1, 0))
        expect(not alike, f"Your {name} are the same for every image.", "same-for-every-image")
    if networks:
        expect_one_image()


def constant_heads() -> list[str]:
    """What comes of heads that do not look at the image, which their own check tells."""
    with suppress(Exception):
        outputs = encode(build("encoder", *HEADS))[1]
        named = zip(("means", "log-variances"), outputs, strict=True)
        return [name for name, each in named if close(each, each.roll(1, 0))]
    return []


def expect_one_image() -> None:
    """Expect forward to take one image of an unusual size, where encoder and decoder do."""
    try:
        encode(build("encoder", *HEADS, sizes=ODD_SIZES), ODD_SIZES)
        decode(build("decoder", sizes=ODD_SIZES), ODD_SIZES)
        encoder_shapes()
        decoder_shape()
    except Exception:  # which is told above
        return
    model = build(sizes=ODD_SIZES).eval()
    try:
        works = bool(Pass(model, replaced=(), sizes=ODD_SIZES, rows=1).results)
    except HintError as error:
        works = error.mistakes == ("not-finite",)  # which has nothing to do with the sizes
    except Exception:
        works = False
    expect(works, f"With sizes {ODD_SIZES}, your `forward` does not work on one image.", "forward-sizes-hard-coded")


def replaced_or_whole(model: nn.Module) -> Pass:
    """A pass with stand-ins for all layers; without them for a forward that does not call each layer as a whole."""
    try:
        return Pass(model)
    except Exception:
        if model.stopped:  # before it set what forward needs
            raise model.stopped from None
        return Pass(build().eval(), replaced=())


@holds("forward", "encodes [image | one-hot], draws with sample_latent, and decodes [draw | one-hot]")
def forward_wiring() -> None:
    one = replaced_or_whole(model := build(unfinished=True))
    expect_full_precision(one)
    found = judge_wiring(one, training=True)
    if decodes_class(one):
        said = "In a second pass, your decoder does not get the class of that pass."
        expect(decodes_class(Pass(model, first=1)), said, "decoder-class-changed")
    if found == ([], "") and {*HEADS} <= one.gave.keys():
        expect_far_numbers()
    expect_fresh_draws(build(unfinished=True), "")
    if found is not None:
        expect_one_of_several(one, training=True)
    judge_quiet(one, "in evaluation mode")
    with torch.no_grad():
        judge_quiet(one, "under `torch.no_grad()`")


def expect_full_precision(one: Pass) -> None:
    """Expect nothing in a pass to be computed in half precision."""
    seen = [*one.results, *one.gave.values(), *(each for given in one.given.values() for each in given)]
    half = [str(each.dtype) for each in seen if each.dtype in (torch.bfloat16, torch.float16)]
    expect(not half, f"A part of your `forward` computes in {''.join(half[:1])}, with few digits.", "half-precision")


def judge_quiet(one: Pass, where: str) -> None:
    """Expect a pass in evaluation mode to be wired like the one in training mode, and to draw."""
    expect_fresh_draws(build(unfinished=True).eval(), where)
    quiet = replaced_or_whole(build(unfinished=True).eval())
    if "encoder" in quiet.gave and ("sample_latent" in quiet.gave or decodes_draw(one)):
        try:
            if judge_wiring(quiet, training=False) is not None:
                expect_one_of_several(quiet, training=False)
        except HintError as error:
            raise HintError(f"Only {where}: {error}", *error.mistakes) from None


def expect_one_of_several(one: Pass, training: bool) -> None:
    """Expect a pass that draws or decodes several times to use one of the draws, and one of what comes back."""
    several = one
    if len(one.decoded) > 1 or len(one.drawn) > 1:
        several = Pass(build(unfinished=True).train(training), fresh_draws=True)
    if len(one.decoded) > 1:
        said = f"Your `forward` decodes {len(one.decoded)} times, and its reconstruction is none of what comes back."
        single = any(close(several.results[0], each.reshape(several.results[0].shape)) for each in several.decoded)
        expect(single, said, "decoding-other")
    if len(one.drawn) > 1 and "decoder" in one.given:
        latents = torch.cat(several.given["decoder"], -1)[:, : usual_sizes()[2]]
        said = f"Your `forward` draws {len(one.drawn)} times, and your decoder gets none of the draws as it is."
        expect(any(close(latents, each) for each in several.drawn), said, "draw-changed")


def expect_fresh_draws(model: nn.Module, where: str) -> None:
    """Expect passes of a model over the same images to give its decoder other latents each time."""

    def decoded(same: bool = False) -> Tensor:
        return torch.cat(Pass(model, noisy=True, same=same).given["decoder"], -1)

    try:
        alike = close(decoded(), decoded()) or close(decoded(), decoded())
        drawn = not alike or not where or bool(decoded(same=True).std(0).max() > 0.01)
    except Exception:  # of a decoder that is not called as a whole
        return
    said = f"In training mode your decoder gets a draw; {where} it does not."
    expect(drawn, said, "no-draw-in-evaluation")
    if alike:
        said = f"Two passes over the same images{where and ' '}{where} decode the same latents."
        raise HintError(said, repeated(decoded))


def expect_far_numbers() -> None:
    """Expect forward to return means and log-variances from -6 to 5 as its heads give them."""
    model, latent = build(unfinished=True), usual_sizes()[2]
    far = torch.linspace(-6, 5, ROWS * latent).reshape(ROWS, latent)
    for name in HEADS:
        object.__setattr__(model, name, lambda *_: far)
    for name, result in zip(HEADS, Pass(model, replaced=("encoder", "decoder")).results[1:], strict=True):
        said = f"Your `forward` changes what `{name}` gives: numbers from -6 to 5 come back from {result.min():.3g} to "
        cut_off = close(result, far.clamp(float(result.min()), float(result.max())))
        expect(close(result, far), f"{said}{result.max():.3g}.", "encoding-cut-off" if cut_off else "encoding-other")


def judge_wiring(one: Pass, training: bool) -> tuple[list[str], str] | None:
    """Expect a pass to give what right wiring gives; the mistake that is known to give its results, if any."""
    found = look_up(table()["forward" if "encoder" in one.gave else "network"], summary(*one.results))
    drawn = one.gave.get("sample_latent", torch.empty(0))
    if found is None and drawn.shape != (len(one.inputs[0]), usual_sizes()[2]):  # in parts, several at once, or not
        if drawn.numel() and failed("sample_latent"):
            raise NotYetError("fix `sample_latent` first.")
        judge_own_draw(one, training)
    elif found is None:
        with suppress(Exception):  # some activations may stand in forward itself
            found = look_up(table()["network"], summary(*Pass(build().train(training), replaced=()).results))
        if found is None:
            say_where_it_goes_wrong(one)
    elif (mistakes := of_part(found, "forward")) and not costs_another_part(mistakes, found[1]):
        raise HintError(found[1], *mistakes)
    expect_in_place(one)
    return found


def expect_in_place(one: Pass) -> None:
    """Expect what the pieces give to come back where it was, which averages and spreads do not tell."""
    names = "reconstruction has", "means are", "log-variances are"
    for result, name, what in zip(one.results, ("decoder", *HEADS), names, strict=True):
        gave = one.gave.get(name, torch.empty(0))
        same = close(*(each.flatten().sort().values for each in (result, gave)))
        moved = same and not close(result, gave.reshape(result.shape))
        said = f"Your {what} the numbers that `{name}` gives, in other places."
        expect(not moved, said, "numbers-rearranged")


def decodes_draw(one: Pass) -> bool:
    """Whether the decoder got what sample_latent gave, where both were called."""
    given, drawn = one.given.get("decoder"), one.gave.get("sample_latent")
    return given is not None and drawn is not None and close(torch.cat(given, -1)[:, : drawn.shape[-1]], drawn)


def decodes_class(one: Pass) -> bool:
    """Whether the decoder got the classes of this pass, in the last columns."""
    given, classes = one.given.get("decoder"), one.inputs[1]
    return given is not None and close(torch.cat(given, -1)[:, -classes.shape[-1] :], classes)


def costs_another_part(mistakes: list[str], said: str) -> bool:
    """Whether forward only makes up for what the encoder or the decoder lacks, which their own parts judge."""
    if mistakes == ["reconstruction-changed"] and "sigmoid" in said:
        return bool(decode(build("decoder")).min() < 0)
    takes = []
    for part in ("encoder", "decoder"):
        try:
            run_piece(build(part), part)
        except HintError as error:
            takes += error.mistakes
    return mistakes == ["condition-missing"] and any(each.endswith("-without-condition") for each in takes)


def say_where_it_goes_wrong(one: Pass) -> None:
    """For a pass that gives unknown numbers, the first step at which it does not do what it should."""
    for part in ("encoder", "decoder"):
        if failed(part):
            raise NotYetError(f"fix the {part} first.")
        expect(part in one.given, f"Your `forward` does not call `self.{part}`.", part.removesuffix("er") + "ing-other")
    (images, classes), latent = one.inputs, usual_sizes()[2]
    decoder = torch.cat(one.given["decoder"], -1)
    latents, drawn = decoder[:, :latent], one.gave["sample_latent"]
    away = float((latents - drawn).detach().abs().mean()) if latents.shape == drawn.shape else math.inf
    heads = [one.gave[name] for name in HEADS if name in one.gave]
    for right, said, mistake in (
        (close(torch.cat(one.given["encoder"], -1), torch.cat((images, classes), -1)),
         "Your encoder does not get [image | one-hot].", "encoding-other"),
        (len(heads) == 2 and all(map(close, one.given["sample_latent"], heads)),
         "Your `sample_latent` does not get what the two heads give.", "sample-arguments-changed"),
        (away < 1e-4, f"Your decoder gets other latents than `sample_latent` returned: {away:.3g} away, on average.",
         "draw-changed"),
        (close(decoder[:, latent:], classes), "Your decoder does not get the one-hot class as it is.",
         "decoder-class-changed"),
        (close(one.results[0], one.gave["decoder"].reshape(one.results[0].shape)),
         "Your reconstruction is not what your decoder gives.", "decoding-other"),
        (False, "Your means and log-variances are not what your heads give.", "encoding-other"),
    ):  # fmt: skip
        expect(right, said, mistake)


def judge_own_draw(one: Pass, training: bool) -> None:
    """For a forward that draws without sample_latent: judge the latents that the decoder gets, over many rows."""
    varied = [torch.cat(one.given["decoder"], -1)[:, : usual_sizes()[2]].detach()] if "decoder" in one.given else []
    model, (pixels, categories, latent) = build().train(training), usual_sizes()
    taken: list[Tensor] = []
    heads = (torch.tensor([*each, *[0.0] * (latent - 6)]).repeat(DRAWS, 1) for each in (MEANS, LOGVARIANCES))
    for name, result in zip(HEADS, heads, strict=True):
        object.__setattr__(model, name, lambda _, result=result: result)
    object.__setattr__(model, "encoder", lambda *given: torch.cat(given, -1)[:, : table()["sizes"]["hidden_size"]])
    images = numbers(1, pixels).repeat(DRAWS, 1)
    object.__setattr__(model, "decoder", lambda *given: taken.append(torch.cat(given, -1)) or images)
    classes = classes_of(DRAWS, categories)
    model(images, classes)
    if not taken:
        raise NotYetError("make the decoder callable on [latent | one-hot] first.")
    drawn = taken[0][:, :latent].detach()
    varies = drawn[:, 0].std() > 1e-6
    expect(varies, "Nothing is drawn: your decoder gets the same latent each time.", "no-draw-in-forward")
    for what in ("centers", "spreads"):
        expect_draws(drawn[:, :6], what, lambda: varied)
    expect_normal(drawn[:, :6])
    expect_noise_of_each_dimension((drawn - drawn.median(0).values).sign())
    expect(torch.equal(taken[0][:, latent:], classes), "Your decoder does not get [draw | one-hot].", "decoding-other")
    judge_own_results(one)


def judge_own_results(one: Pass) -> None:
    """Expect means and log-variances to come back as the heads gave them, where the draw was made from these."""
    heads = [one.gave[name] for name in HEADS if name in one.gave]
    if len(heads) < 2 or all(map(close, one.results[1:], heads)):
        return
    decoded = layer("decoder", known_draw(*heads), one.inputs[1])  # as if the draw were the one of the table
    found = look_up(table()["forward"], summary(decoded, *one.results[1:]))
    mistakes = of_part(found, "forward") or ["encoding-other"]
    raise HintError(found[1] if found else "Your means and log-variances are not what your heads give.", *mistakes)


@holds("forward", "lets gradients flow from its results to every parameter they depend on")
def forward_gradients() -> None:
    one = replaced_or_whole(build(unfinished=True))
    expect_full_precision(one)
    wired = look_up(table()["forward"], summary(*one.results)) or ([""], "")
    names = ("reconstruction", "means", "log-variances")
    for result, name in zip(one.results, names, strict=True) if "encoder" in one.gave else ():
        factors = list(one.factors.values())
        found = gradients_of(result, factors)
        cut = [each for each, gradient in zip(one.factors, found, strict=True) if gradient is None]
        if name == "reconstruction":
            said = f"No gradient of your reconstruction reaches {' and '.join(f'`{each}`' for each in cut)}."
            expect(not cut or (bool(wired[0]) and len(cut) < len(factors)), said, "forward-detached")
            zero = [
                f"`{each}`"
                for each, gradient in zip(one.factors, found, strict=True)
                if not (gradient is None or gradient)
            ]
            said = f"The gradient of your reconstruction is 0 for {' and '.join(zero)}."
            expect(not zero or wired[0] not in ([], [""]), said, "forward-gradient-zero")
        else:
            expect("encoder" not in cut, f"No gradient of your {name} reaches the encoder.", "results-detached")
    if "encoder" in one.gave and not wired[0] and all(map(close, one.results, Pass(build(unfinished=True)).results)):
        expect_slopes(one, names)


def expect_slopes(one: Pass, names: Sequence[str]) -> None:
    """Expect each gradient to say what becomes of a result where a piece gives a little more, with the same draws."""
    passes = {
        piece: [Pass(build(unfinished=True), scaled={piece: factor}).results for factor in (0.99, 1.01)]
        for piece in one.factors
    }
    for at in (1, 2, 0):  # a wrong gradient of the means is in the reconstruction, too
        weighted = numbers(*one.results[at].shape) * one.results[at]
        found, least = gradients_of(weighted, list(one.factors.values())), 1e-3 * weighted.detach().abs().sum()
        for piece, gradient in zip(one.factors, found, strict=True):
            less, more = (float((numbers(*each[at].shape) * each[at].detach()).sum()) for each in passes[piece])
            slope, said = (more - less) / 0.02, 0.0 if gradient is None else float(gradient)
            expect(
                abs(slope - said) <= 0.05 * max(abs(slope), abs(said)) + least,
                f"Along what `{piece}` gives, the gradient of your {names[at]} is {said:.3g}; {slope:.3g} is right.",
                "gradient-changed",
            )


# loss_function --------------------------------------------------------------------------------------------------


def right_terms() -> tuple[bool, bool]:
    """Whether the reconstruction term and the divergence are right, but for a factor of both, which is judged alone."""
    pixels, latents = ratios()
    one_factor = all(near(each, pixels[0], 1e-3) for each in (*pixels, *latents)) and pixels[0] > 0
    return tuple(one_factor or all(near(each, 1) for each in found) for found in (pixels, latents))


def one_right_term() -> tuple[bool, bool]:
    right = right_terms()
    if not any(right):
        raise NotYetError("one of the two terms of the loss must be right first.")
    return right


def judge_term(term: str, found: list[float], right: bool, what: str, size: int) -> None:
    """Expect the loss to change as one term should, which is a sum over so many numbers."""
    if not right:
        mistakes = mistakes_in_the_loss()
        alike = all(near(each, found[0], 1e-3) for each in found)
        *others, last = (f"{each:.4g}" for each in (found[:1] if alike else found))
        times = f"{', '.join(others)} and {last}" if others else last
        kind = "missing" if near(found[0], 0) else "scaled" if found[0] > 0 else "sign-flipped"
        if near(found[0] * size, 1, 1e-3):
            kind = {"kl": "averaged-over-latent"}.get(term, "averaged-over-pixels")
        (other,) = {"kl", "reconstruction"} - {term}
        named = [name for name in mistakes if name.startswith(term)]
        named = named or [name for name in mistakes if not name.startswith(other)]
        if named == [f"{term}-missing"] and found[0] > 0:  # only next to a far larger term
            named = [f"{term}-scaled"]
        weak = f"changed {1 / found[0]:.4g} times too little" if alike and 0 < found[0] < 0.99 else ""
        ways = {2: "two", 3: "three"}[len(found)]
        said = f"The check changed {what} of one image of {usual_sizes()[0]} pixels in {ways} ways, and nothing else. "
        said += f"Your loss {weak or f'changed by {times} times the right amount'}."
        raise HintError(said, *(named or [f"{term}-{kind if alike else 'other'}"]))


@holds("loss_function", "takes the cross-entropy, summed over the pixels")
def loss_reconstruction() -> None:
    judge_term("reconstruction", ratios()[0], right_terms()[0], "the reconstruction", usual_sizes()[0])
    if near(ratios()[0][0], 1):
        expect_extremes(slice(0, 1), "For pixels of exactly 0 and 1", "reconstruction-other")
        named = "reconstruction-cut-off" if stops(slice(1, 3), 0, 1e-4) else "reconstruction-other"
        said = "Between reconstructions of 0.5 and of 0.0005 for white pixels, or 0.9995 for black ones"
        expect_extremes(slice(1, 3), said, named, 0.02)


@holds("loss_function", "adds the KL divergence, summed over the latent dimensions")
def loss_divergence() -> None:
    size = loss_inputs(usual_sizes()[0])[2][2].shape[1]
    judge_term("kl", ratios()[1], right_terms()[1], "the means or the log-variances", size)
    if near(ratios()[1][0], 1):
        named = "kl-clamped" if stops(slice(3, 5), 3, 0.5) else "kl-other"
        expect_extremes(slice(3, 5), "Between log-variances of 0 and of -12.5 or 12", named, tolerance=0.03)
        named = "kl-mean-clamped" if stops(slice(5, 7), 2, 0.5) else "kl-other"
        expect_extremes(slice(5, 7), "Between means of 0 and of -12 or 12", named)


@holds("loss_function", "averages over the minibatch")
def loss_average() -> None:
    both, factor = all(one_right_term()), ratios()[0][0]
    constant = both and not near(factor, 1)
    several = loss_inputs(usual_sizes()[0])[1 if both else 2 :]
    *images, means, logvariances = (each.repeat(4, 1) for each in several[-1])
    for inputs in (*several, (*images, means[:, :5], logvariances[:, :5])):  # fewer and more images than latents
        count, value = len(inputs[2]), float(usual_loss(*inputs))
        single = average_of_each(usual_loss, inputs)
        said = f"For {count} images of {usual_sizes()[0]} pixels your loss is {value:.4f}; "
        said += f"your losses of each alone average {single:.4f}."
        named = mistakes_in_the_loss()
        if near(value, single * count):
            named = named or ["divided-by-constant" if constant else "summed-over-batch"]
        expect(
            near(value, single),
            said,
            *(named or ["divided-by-batch-twice" if near(value * count, single) else "batch-other"]),
        )
    said = f"Both terms of your loss are {factor:.4g} times what they should be."
    expect(not constant, said, *(mistakes_in_the_loss() or ["loss-scaled"]))


def average_of_each(function: Callable[..., Tensor], inputs: Sequence[Tensor]) -> float:
    """The average of the losses of each image alone."""
    ones = list(zip(*(each.split(1) for each in inputs), strict=True))
    return sum(float(function(*one)) for one in ones) / len(ones)


def takes_usual_pixels_only() -> bool:
    """Whether your loss is the same for flat and for shaped images, and stops for another number of pixels."""
    pixels, (*images, means, logvariances) = usual_sizes()[0], loss_inputs(usual_sizes()[0])[2]

    def of(*shape: int) -> float | None:
        reshaped = (each[:, : math.prod(shape)].reshape(3, *shape) for each in images)
        return value_or_none(loss, (*reshaped, means, logvariances))

    side = math.isqrt(pixels)
    return of(12) is None and of(pixels) is not None and near(of(pixels), of(1, side, side))


def loss_in_shape(shape: tuple[int, ...], reconstructions: Tensor, originals: Tensor, *latents: Tensor) -> float:
    """The loss of images that are reshaped first."""
    return float(loss(reconstructions.reshape(shape), originals.reshape(shape), *latents))


def said_of_shape() -> str:
    """Which term of the loss is another one for 3 images of 5 by 4 pixels than for flat ones, and by which size."""
    one, other = ([*(0.1 + 0.8 * numbers(3, at)[:, -20:] for at in (first, first + 1)), numbers(3, 6 + first)[:, :6]]
                  for first in (20, 22))  # fmt: skip
    ratios = []
    for changed in ([*other[:2], one[2]], [*one[:2], 3 * other[2]]):
        values = []
        for shape in ((3, 20), (3, 1, 5, 4)):
            try:
                start, end = (loss_in_shape(shape, *each, each[2]) for each in (one, changed))
            except Exception as error:
                return f" For 3 images in shape {shape}, it stops. {said_of_error(error)}"
            values.append(end - start)
        ratios.append(values[1] / values[0] if values[0] else math.nan)
    sizes = {"N": 3, "H": 5, "W": 4, "H·W": 20, "N·H": 15, "N·W": 12, "N·H·W": 60}
    off = [
        f"your {name} is too {'small' if ratio < 1 else 'large'} by a factor of {size}"
        for name, ratio in zip(("reconstruction term", "KL divergence"), ratios, strict=True)
        for size, value in sizes.items()
        if ratio > 0 and near(max(ratio, 1 / ratio), value, 1e-3)
    ]
    return f" For images of shape (N, 1, H, W), {', and '.join(off)}." if off else ""


@holds("loss_function", "takes images of shape (N, 1, H, W) as well as flat ones")
def loss_images() -> None:
    both = all(one_right_term()) and near(ratios()[0][0], 1)
    known, flat_input = table()["loss_function"], loss_inputs(usual_sizes()[0])[0]
    reconstruction, original, *parameters = worked_example()
    try:
        value = float(loss(*worked_example()))
    except HintError:
        raise
    except Exception as error:
        usual_loss(*flat_input)  # if this fails too, the shape is not what is wrong
        named = "loss-pixels-only" if takes_usual_pixels_only() else "loss-image-shape"
        said = f"Your code stopped on images of shape (1, 1, 2, 2). {said_of_error(error)}"
        raise HintError(said, named) from None
    if both and not near(value, known["example"]["value"], 1e-3):
        plain = value_or_none(loss, (reconstruction.flatten(1), original.flatten(1), *parameters))
        terms = ((names, pixels[3] + known["divergences"][0][1][3]) for names, pixels in known["reconstructions"])
        named = ["loss-image-shape"] if near(plain, known["example"]["value"], 1e-3) else mistakes_in_the_loss()
        named = named or next((names for names, sums in terms if near(value, sums)), ["loss-constant-off"])
        said = (
            f"On the notebook's worked example your loss is {value:.4f}; it should be {known['example']['value']:.4f}."
        )
        raise HintError(said + (said_of_shape() if named == ["loss-image-shape"] else ""), *named)
    flat_works = value_or_none(loss, flat_input) is not None or value_or_none(usual_loss, flat_input) is None
    expect(flat_works, "Your loss takes images of shape (N, 1, H, W), but not flat ones, (N, 784).", "loss-image-shape")
    pixels, latents = [0.1 + 0.8 * numbers(3, at)[:, -20:] for at in (20, 21)], [0.2 + numbers(3, 6)] * 2
    flat = loss_in_shape((3, 20), *pixels, *latents)
    try:
        shaped = loss_in_shape((3, 1, 5, 4), *pixels, *latents)
    except HintError:
        raise
    except Exception as error:
        said = "Your code takes images in shape (3, 20), and stopped on the same in shape (3, 1, 5, 4). "
        raise HintError(said + said_of_error(error), "loss-image-shape") from None
    said = f"Some images give {flat:.4f} in shape (3, 20); in shape (3, 1, 5, 4), the same give {shaped:.4f}."
    if not near(flat, shaped):
        raise HintError(said + said_of_shape(), "loss-image-shape")
    single = average_of_each(loss, [*(each.reshape(3, 20) for each in pixels), *latents])
    usual = [(float(usual_loss(*each)), average_of_each(usual_loss, each)) for each in loss_inputs(usual_sizes()[0])]
    said = f"For 3 images of 20 pixels your loss is {flat:.4f}; your losses of each alone average {single:.4f}."
    if not all(near(*each) for each in usual):
        return
    expect(near(flat, single), said, "pixels-written-in")
    for width, latent in ((20, 1), (1, 6), (1, 1)):
        few = [*(each.reshape(3, 20)[:, :width] for each in pixels), *(each[:, :latent] for each in latents)]
        value, alone = value_or_none(loss, few), average_of_each(loss, few)
        said = f"For 3 images of {width} pixels with {latent} latent dimensions, your loss is not the average of each."
        expect(value is not None and near(value, alone), said, "loss-size-of-one")


@holds("loss_function", "lets gradients through to the reconstructions, the means and the log-variances")
def loss_gradients() -> None:
    kept, function = loss_inputs(usual_sizes()[0])[2], defined("loss_function")
    inputs = [each.clone() for each in kept]
    with suppress(RuntimeError):  # of a loss that takes shaped images only
        function(*inputs)
    expect_untouched("loss_function", function, inputs, kept)
    found, right = gradients(usual_loss, inputs), one_right_term()
    expect(any(each is not None for each in found), "No gradient comes back through your loss.", "loss-detached")
    for place, name in ((0, "reconstructions"), (2, "means"), (3, "log-variances")):
        gradient = found[place] if found[place] is not None else torch.zeros_like(inputs[place])
        direction = gradient.sign() if gradient.any() else 2 * numbers(*gradient.shape) - 1
        slope = float(slope_along(usual_loss, inputs, place, direction))
        fits = abs(float((gradient * direction).sum()) - slope) < 0.02 * max(abs(slope), 1)
        said = f"Your loss changes with the {name} otherwise than its gradient says."
        expect(fits or not right[place > 0], said, "kl-detached" if place else "reconstruction-detached")


@holds("loss_function", "stays finite for pixels of exactly 0 and 1, as MNIST has them")
def loss_finite() -> None:
    # In float32 a sigmoid is exactly 0 below -89 and exactly 1 above 17; a note tells of the latter, without points. At
    # 0, clamped logarithms have no slope.
    right, pixels = one_right_term(), usual_sizes()[0]
    if right[0]:
        expect_no_jump()
    for lowest, what in ((0.0, "your loss"), (1e-38, "the gradient of your loss")):
        *images, means, logvariances = loss_inputs(pixels)[2]
        if right[0]:
            reached = torch.tensor([lowest, 1e-38, 0.5, 1 - 6e-8]).repeat(3 * pixels)[: 3 * pixels].view(3, -1)
            originals = torch.tensor([0.0, 0.5, 1.0]).repeat(pixels).view(3, -1)
            where = f"pixels of 0, 0.5 and 1 and reconstructions from {lowest:g} to just below 1"
            finite = is_finite(what, reached, originals, means.clone(), logvariances.clone())
            said = first_not_finite() or f"For {where}, {what} is not finite."
            expect(finite, said, "loss-not-finite")
        if right[1]:
            finite = is_finite(what, *images, means, 50 * numbers(*logvariances.shape) - 30)
            expect(finite, f"For log-variances from -30 to 20, {what} is not finite.", "not-finite")


def expect_no_jump() -> None:
    """Expect white pixels that are reconstructed as 0 to cost more than at 0.0005, and not absurdly much."""
    images, _, *latents = one_image()
    middle, low, zero = (float(usual_loss(0 * images + each, 0 * images + 1, *latents)) for each in (0.5, 0.0005, 0.0))
    said = f"For white pixels, your loss is {low:.6g} at reconstructions of 0.0005, and {zero:.6g} at 0."
    grows = low == middle or 0.95 <= (zero - middle) / (low - middle) <= 150
    expect(not math.isfinite(zero) or grows, said, "loss-jumps-at-zero")


def first_not_finite() -> str:
    """The first pair of a reconstruction and an original for which the loss is not finite, in words; else empty."""
    images, _, *latents = one_image()
    for reached, original in itertools.product((0.0, 1e-38, 1 - 6e-8), (0.0, 0.5, 1.0)):
        value = float(usual_loss(0 * images + reached, 0 * images + original, *latents))
        if not math.isfinite(value):
            return f"For an original of {original:g} and a reconstruction of {reached:.8g}, your loss is {value}."
    return ""


def is_finite(what: str, *arguments: Tensor) -> bool:
    """Whether "your loss" is finite, or each gradient of it that trains something."""
    found = [usual_loss(*arguments)] if what == "your loss" else gradients(usual_loss, arguments)
    return all(bool(each.isfinite().all()) for at, each in enumerate(found) if each is not None and at != 1)


def steps(images: int, pixels: int, latent: int) -> int:
    """How many lines of Python run for one loss: a loop runs some for each round."""
    count, before = itertools.count(), sys.gettrace()
    arguments = [torch.full((images, size), 0.4) for size in (pixels, pixels, latent, latent)]
    usual_loss(*arguments)  # a compiled function compiles for each size that it meets

    def step(*_: object) -> Callable:
        next(count)
        return step

    sys.settrace(step)
    try:
        usual_loss(*arguments)
    finally:
        sys.settrace(before)
    return next(count)


@holds("loss_function", "has no loop over the minibatch")
def loss_vectorized() -> None:
    one_right_term()
    usual = {"images": 4, "pixels": usual_sizes()[0], "latent": 3}
    few = steps(**usual)
    for size, more in (("images", 64), ("latent", 64), ("pixels", 2 * usual["pixels"])):
        with suppress(RuntimeError, ValueError):  # of a size that it does not take, which is told above
            many = steps(**usual | {size: more})
            said = f"With {usual[size]} {size} your loss takes {few} steps of Python; with {more} it takes {many}."
            said += said_of_loops()
            expect(many <= 1.2 * few + 20, said, "loop-over-batch" if size == "images" else "loop-over-elements")


# training -------------------------------------------------------------------------------------------------------


def needs_all_parts() -> None:
    submission()  # which says why, where Python cannot read the file
    for part in list(CHECKS)[:-1]:
        if failed(part):
            raise NotYetError(f"training uses everything above, so fix `{part}` first.")


def starting_gradients(model: nn.Module) -> dict[str, Tensor]:
    """The gradients of a weighted sum of everything that a pass gives, by the names of the parameters."""
    model.zero_grad()
    results = Pass(model, replaced=()).results
    sum((each * (1 + numbers(*each.shape))).sum() for each in results).backward()
    return {name: each.grad for name, each in model.named_parameters() if each.grad is not None}


@holds("training", "can learn from the weights that it starts with")
def training_start() -> None:
    needs_all_parts()
    model = build(own_weights=True)
    images, classes = images_and_classes()
    results = model(0.6 * images, classes)  # about as dark as digits are
    said = "With your starting weights, your `forward` gives NaN or infinite numbers for a first minibatch."
    expect(all(each.isfinite().all() for each in results), said, "start-too-large")
    value, largest = (each.item() for each in (loss(results[0], images, *results[1:]), results[2].max()))
    said = f"With your starting weights, the log-variances of a first minibatch go up to {largest:.3g}. The loss is "
    expect(value < 1e14, f"{said}{value:.1e}.", "start-too-large")
    share = ((results[0] == 0) | (results[0] == 1)).float().mean()
    said = f"With your starting weights, {share:.0%} of the pixels of a first minibatch come out as exactly 0 or 1."
    expect(share < 0.93 or value > 1e6, said, "start-too-large")
    found = starting_gradients(model)
    expect(bool(found), "No gradient reaches any parameter.", "not-trainable")
    stuck = {name for name, each in found.items() if not each.any()}
    for _ in range(5 if stuck else 0):  # behind layers that start at zero, and learn at once, it is zero for a step
        for name, each in model.named_parameters():
            each.data -= 1e-3 * found.get(name, 0 * each.data).sign()
        found = starting_gradients(model)
        stuck -= {name for name, each in found.items() if each.any()}
    stuck = [name for name in found if name in stuck]
    expect(not stuck, f"The gradient is zero for {', '.join(stuck[:4])}.", "stuck-start")
    alike = [name for name, each in found.items() if each.dim() == 2 and len(each) > 1 and close(each, each.roll(1, 0))]
    expect(not alike, f"All units of a layer get the same gradient: see {', '.join(alike[:4])}.", "units-alike")


@holds("training", "learns ten patterns and draws the one it is asked for")
def training_patterns() -> None:
    needs_all_parts()
    (pixels, classes, _), latent = usual_sizes(), 2
    patterns, model = (
        (torch.rand(classes, pixels) < 0.5).float(),
        build(sizes=(pixels, classes, latent), own_weights=True),
    )
    if model.unfit:
        raise model.unfit
    for each in model.parameters():  # so that no way of initializing them matters
        if each.dim() == 2:
            nn.init.normal_(each, std=math.sqrt(2 / sum(each.shape)))
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=5e-3), []
    for _ in range(120):
        labels = torch.randint(classes, (64,))
        images = (patterns[labels] - (torch.rand(64, pixels) < 0.05).float()).abs()
        reconstructions, *parameters = model(images, torch.eye(classes)[labels])
        value = loss(reconstructions, images, *parameters)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    first, last = losses[0], sum(losses[-10:]) / 10
    expect(math.isfinite(last), "The loss became nan or infinite.", "not-finite")
    expect(last < first / 2, f"The loss only went from {first:.1f} to {last:.1f}. Do the checks above all pass?")
    labels = torch.arange(100) % classes
    with torch.no_grad():
        drawn = model.decoder(torch.cat((torch.randn(100, latent), torch.eye(classes)[labels]), -1)).flatten(1)
    right = (torch.cdist(drawn, patterns).argmin(1) == labels).float().mean()
    expect(right >= 0.8, f"Only {right:.0%} of the images drawn show the requested class. Does the decoder see it?")
