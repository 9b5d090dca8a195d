"""What each mistake in the draw would give, and the diagnosis of draws by their center and spread.

Where no mistake that is known by name gives them, the function that a center or a spread follows is told in words.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.assignments.cvae.hints.network import HEAD_ACTIVATIONS

SMALL = 2e-3  # far below every standard deviation in the checks


@dataclass(frozen=True)
class Draw:
    """A wrong draw: the mistake, and what it makes of means, log-variances and standard normal noise."""

    mistake: str
    predict: Callable[[Tensor, Tensor, Tensor], Tensor]


def _uniform(noise: Tensor) -> Tensor:
    return cast(Tensor, torch.special.ndtr(noise))


DRAWS = (
    Draw("variance-as-std", lambda mu, logvar, noise: mu + logvar.exp() * noise),
    Draw("logvariance-as-std", lambda mu, logvar, noise: mu + logvar * noise),
    Draw("half-logvariance-as-std", lambda mu, logvar, noise: mu + 0.5 * logvar * noise),
    Draw("inverse-std", lambda mu, logvar, noise: mu + (-0.5 * logvar).exp() * noise),
    Draw("squared-std", lambda mu, logvar, noise: mu + (2 * logvar).exp() * noise),
    Draw("softplus-as-std", lambda mu, logvar, noise: mu + F.softplus(logvar) * noise),
    Draw("logvariance-as-variance", lambda mu, logvar, noise: mu + logvar.abs().sqrt() * noise),
    Draw("logvariance-as-variance", lambda mu, logvar, noise: mu + logvar.clamp(min=0).sqrt() * noise),
    Draw("no-noise", lambda mu, logvar, noise: mu),
    Draw("no-mean", lambda mu, logvar, noise: (0.5 * logvar).exp() * noise),
    Draw("arguments-unused", lambda mu, logvar, noise: noise),
    Draw("no-scale", lambda mu, logvar, noise: mu + noise),
    Draw("noise-scales-mean", lambda mu, logvar, noise: mu * noise + (0.5 * logvar).exp()),
    Draw("noise-multiplied", lambda mu, logvar, noise: mu * noise),
    Draw("noise-multiplied", lambda mu, logvar, noise: mu * (0.5 * logvar).exp() * noise),
    Draw("noise-multiplied", lambda mu, logvar, noise: mu * (1 + (0.5 * logvar).exp() * noise)),
    Draw("mean-scaled", lambda mu, logvar, noise: (mu + noise) * (0.5 * logvar).exp()),
    Draw("std-scales-mean", lambda mu, logvar, noise: mu * (0.5 * logvar).exp() + noise),
    Draw("std-returned", lambda mu, logvar, noise: (0.5 * logvar).exp() + 0 * noise),
    Draw("sample-arguments-exchanged", lambda mu, logvar, noise: logvar + (0.5 * mu).exp() * noise),
    Draw("uniform-noise", lambda mu, logvar, noise: mu + (0.5 * logvar).exp() * _uniform(noise)),
    Draw("positive-noise", lambda mu, logvar, noise: mu + (0.5 * logvar).exp() * noise.abs()),
    Draw("uniform-noise", lambda mu, logvar, noise: mu + (0.5 * logvar).exp() * (2 * _uniform(noise) - 1)),
    Draw("no-noise", lambda mu, logvar, noise: mu + (0.5 * logvar).exp()),
)


def diagnose(draws: Tensor, means: Tensor, logvariances: Tensor) -> str | None:
    """The mistake whose center and spread these draws have: (N, D) draws, (D,) means and log-variances."""
    quantiles = torch.special.ndtri((torch.arange(256) + 0.5) / 256)  # of the normal noise
    noise = quantiles[:, None].expand(-1, len(means))
    mean, std = draws.mean(0), draws.std(0)
    for wrong in DRAWS:
        expected = wrong.predict(means.expand_as(noise), logvariances.expand_as(noise), noise)
        scale = (expected - expected[0]).std(0)  # exactly zero where there is no noise
        close = (mean - expected.mean(0)).abs() <= 0.12 * scale + SMALL
        if bool((close & ((std - scale).abs() <= 0.1 * scale + SMALL)).all()):
            return wrong.mistake
    return None


def normalized(several: Sequence[Tensor]) -> bool:
    """Whether the (N, D) draws of several calls, each from other means and log-variances in every row, are normalized.

    Their average, their spread or their length is one number: in each row, in each column or of each call.
    """
    size = float(torch.stack([*several]).std())
    for dims in ((0,), (1,), (0, 1))[: 3 if len(several) > 1 else 2]:  # one number says nothing
        for statistic in (torch.mean, torch.std, torch.linalg.vector_norm):
            found = torch.cat([statistic(each, dim=dims).flatten() for each in several])
            if float(found.max() - found.min()) < 1e-4 * max(float(found.abs().max()), size) and size > SMALL:
                return True
    return False


# Functions of the log-variance, and of the mean, that people take for the standard deviation.
SPREADS: dict[str, Callable[[Tensor], Tensor]] = {
    "softplus({})": F.softplus,
    "softplus({})^0.5": lambda x: F.softplus(x).sqrt(),
    "softplus(0.5 · {})": lambda x: F.softplus(0.5 * x),
    "elu({}) + 1": lambda x: F.elu(x) + 1,
    "(elu({}) + 1)^0.5": lambda x: (F.elu(x) + 1).sqrt(),
    "elu(0.5 · {}) + 1": lambda x: F.elu(0.5 * x) + 1,
    "ReLU({}) + 1": lambda x: torch.relu(x) + 1,
    "(exp({}) - 1)^0.5": lambda x: x.expm1().sqrt(),
    "max(0, exp({}) - 1)^0.5": lambda x: x.expm1().clamp(min=0).sqrt(),
    "|exp({}) - 1|^0.5": lambda x: x.expm1().abs().sqrt(),
}
# Functions of the mean and σ, the right standard deviation, that draws lie around instead of the mean.
CENTERS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "0": lambda mu, sigma: 0 * mu,
    "σ": lambda mu, sigma: sigma,
    "mean · σ": lambda mu, sigma: mu * sigma,
    "mean · σ²": lambda mu, sigma: mu * sigma**2,
    "mean / σ": lambda mu, sigma: mu / sigma,
    "mean · (1 + σ)": lambda mu, sigma: mu * (1 + sigma),
    "mean + the log-variance": lambda mu, sigma: mu + 2 * sigma.log(),
    "mean · the log-variance": lambda mu, sigma: mu * 2 * sigma.log(),
    "|mean|": lambda mu, sigma: mu.abs(),
    "mean²": lambda mu, sigma: mu**2,
    "exp(mean)": lambda mu, sigma: mu.exp(),
    "max(0, mean)": lambda mu, sigma: mu.clamp(min=0),
}
SHIFTS: dict[str, Callable[[Tensor], Tensor]] = {"": torch.ones_like, "σ": lambda sigma: sigma, "σ²": torch.square}


def known_law_of(spread: Tensor, x: Tensor, name: str) -> str | None:
    """The function of x among SPREADS that the spread in every column is; None if it is another."""
    laws = [(each.format(name), function(x)) for each, function in SPREADS.items()]
    return _only((each, law) for each, law in laws if _spread_fits(spread, law))


def _spread_fits(spread: Tensor, expected: Tensor, error: float = SMALL) -> bool:
    return bool(((spread - expected).abs() <= 0.05 * expected + error).all())


def law_of(spread: Tensor, x: Tensor, name: str) -> str | None:
    """The function of x, one of those that people write, that the spread in every column is; None if it is another."""

    def fits(expected: Tensor) -> bool:
        return _spread_fits(spread, expected)

    one, logs = torch.ones_like(x), spread.clamp(min=1e-6).log()
    if fits(spread.mean() * one):
        return in_digits(float(spread.mean()))
    if known := known_law_of(spread, x, name):
        return known
    slope, offset = _fit(x, one, to=logs)
    if fits((slope * x + offset).exp()) and abs(slope) > 0.02:
        return f"{factor(math.exp(offset))}exp({factor(slope)}{name})"
    power, offset = _fit(x.abs().log(), one, to=logs)
    if fits(math.exp(offset) * x.abs() ** power) and abs(power) > 0.1:
        exponent = "" if abs(power - 1) < 0.03 else f"^{power:.2g}"
        return f"{factor(math.exp(offset))}|{name}|{exponent}"
    square, product, _ = _fit(x * x, x, one, to=spread**2)
    slope = max(square, 1e-6) ** 0.5
    if fits((slope * x + product / slope / 2).abs()):
        return f"|{factor(slope)}{name}{added(product / slope / 2)}|"
    for slope in (0.5, 1.0, -0.5):
        shift = float((spread - (slope * x).exp()).median())
        if fits((slope * x).exp() + shift):
            return f"exp({factor(slope)}{name}){added(shift)}"
    low = int(x.argmin())  # where the exponential hides least of what is added to it
    shift = float(spread[low] ** 2 - x[low].exp())
    if fits((x.exp() + shift).sqrt()):
        return f"(exp({name}){added(shift)})^0.5"
    activations = (activation for activation, function in HEAD_ACTIVATIONS.items() if fits(function(x).abs()))
    return next((f"the {activation} of the {name}" for activation in activations), None)


def raised_law_of(spread: Tensor, x: Tensor, name: str) -> str | None:
    """The right spread for log-variances x with a constant added to it or in its root; None if it is another."""
    sigma, low, high = (0.5 * x).exp(), int(x.argmin()), int(x.argmax())  # a constant shows most where x is low
    noise = float(spread[high] / sigma[high])
    spread = spread / noise if abs(noise - 1) < 0.02 else spread  # as of all draws from one seed
    to_spread, in_root = float((spread - sigma)[low]), float((spread**2 - sigma**2)[low])
    if to_spread > 0.1 * sigma[low]:
        if _spread_fits(spread, sigma + to_spread, 0):
            return f"exp(0.5 · {name}){added(to_spread)}"
        if _spread_fits(spread, (sigma**2 + in_root).sqrt(), 0):
            return f"(exp({name}){added(in_root)})^0.5"
    return None


def law_of_centers(centers: Tensor, error: Tensor, means: Tensor, logvariances: Tensor) -> str | None:
    """The function of mean and σ, one of those that people write, that the center of every column is; else None.

    Arguments:
        centers, error, means, logvariances: (D,) each, the error what a center may be off by.
    """
    sigma = (0.5 * logvariances).exp()
    laws = [(name, function(means, sigma)) for name, function in CENTERS.items()]
    weight = 1 / error
    (slope,) = _fit(means * weight, to=centers * weight)
    laws.append((f"{factor(slope)}mean", slope * means))
    for name, function in SHIFTS.items():
        summand = function(sigma)
        (slope,) = _fit(summand * weight, to=(centers - means) * weight)
        said = added(slope) if not name else f" {'-' if slope < 0 else '+'} {factor(abs(slope))}{name}"
        laws.append((f"mean{said}", means + slope * summand))
    return _only((name, law) for name, law in laws if bool(((centers - law).abs() <= error).all()))


def _only(laws: Iterable[tuple[str, Tensor]]) -> str | None:
    """The name of the first law, if all of them give the same values."""
    laws = [*laws]
    alike = all(torch.allclose(law, laws[0][1], rtol=1e-3, atol=1e-4) for _, law in laws)
    return laws[0][0] if laws and alike else None


def _fit(*terms: Tensor, to: Tensor) -> list[float]:
    """The weights of (P,) terms whose sum is closest to these (P,) values."""
    found: Tensor = torch.linalg.lstsq(torch.stack(terms, 1), to[:, None]).solution
    return found.flatten().tolist()


def factor(number: float) -> str:
    """A factor in front of a term, for a message: its sign alone where it is 1 or -1."""
    if abs(abs(number) - 1) < 0.03:
        return "-" if number < 0 else ""
    return f"{in_digits(number)} · "


def in_digits(number: float) -> str:
    """A number with two digits that count, for a message: 100, and not 1e+02."""
    return f"{float(f'{number:.2g}'):g}"


def added(number: float) -> str:
    """A number after another term of a sum, for a message."""
    return f" {'-' if number < 0 else '+'} {abs(number):.2g}"
