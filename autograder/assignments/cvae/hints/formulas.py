"""What a wrong term computes, as a formula that a student can compare with their own.

The values of a term at many points are fitted by few summands out of a list: the fewest that give all of them.
"""

from dataclasses import dataclass
from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Tensor

MOST = 4  # summands
EXACT = 2e-5  # of the values' range: some more than the rounding of a loss
POINTS = 32  # at which a term is compared, far more than a formula has weights


@dataclass(frozen=True)
class Formula:
    """A weighted sum: the weight of each summand by its name."""

    weights: dict[str, float]

    def at(self, summands: dict[str, Tensor]) -> Tensor:
        """Its values where the summands have these."""
        return torch.stack([weight * summands[name] for name, weight in self.weights.items()]).sum(0)

    def __str__(self) -> str:
        """`0.5 · mean² - logvariance`."""
        said = ""
        for name, weight in self.weights.items():
            size = f"{abs(weight):.3g}"
            said += f" {'-' if weight < 0 else '+'} {name if size == '1' else f'{size} · {name}'}"
        return "-" + said.removeprefix(" - ") if said.startswith(" - ") else said.removeprefix(" + ")


def of_divergence(means: Tensor, logvariances: Tensor, exponent: float = 1.0) -> dict[str, Tensor]:
    """Summands of a divergence in one latent dimension, of any shape; some are finite for log-variances above 0 alone.

    Arguments:
        exponent: a factor of the log-variance in one more exponential.
    """
    mu, logvar, s = means, logvariances, F.softplus(logvariances)
    usual = min(abs(exponent - each) for each in (-1, 0, 0.5, 1, 2)) < 0.01
    return {
        "mean²": mu.square(),
        "exp(logvariance)": logvar.exp(),
        "logvariance": logvar,
        "mean": mu,
        "|mean|": mu.abs(),
        "logvariance²": logvar.square(),
        "exp(logvariance / 2)": (logvar / 2).exp(),
        "exp(2 · logvariance)": (2 * logvar).exp(),
        "exp(-logvariance)": (-logvar).exp(),
        "10^logvariance": 10**logvar,
        "log(logvariance)": logvar.log(),
        "softplus(logvariance)": s,
        "softplus(logvariance)²": s.square(),
        "log(softplus(logvariance))": s.log(),
        "mean² · exp(-logvariance)": mu.square() * (-logvar).exp(),
        "mean² · exp(logvariance)": mu.square() * logvar.exp(),
        "mean² / logvariance": mu.square() / logvar,
        "mean · logvariance": mu * logvar,
        **({} if usual else {f"exp({exponent:.3g} · logvariance)": (exponent * logvar).exp()}),
    }


def of_pixel(reconstructions: Tensor, originals: Tensor) -> dict[str, Tensor]:
    """Summands of a reconstruction term of one pixel, (P,), for numbers between 0 and 1."""
    r, x = reconstructions, originals
    return {
        "original · log(reconstruction)": x * r.log(),
        "(1 - original) · log(1 - reconstruction)": (1 - x) * (1 - r).log(),
        "reconstruction": r,
        "original": x,
        "original · reconstruction": x * r,
        "log(reconstruction)": r.log(),
        "log(1 - reconstruction)": (1 - r).log(),
        "original · log(1 - reconstruction)": x * (1 - r).log(),
        "original · log(original)": x * x.log(),
        "(original - reconstruction)²": (x - r).square(),
        "|original - reconstruction|": (x - r).abs(),
        "reconstruction · log(reconstruction)": r * r.log(),
        "reconstruction · log(original)": r * x.log(),
        "original²": x.square(),
        "reconstruction²": r.square(),
        "log(1 + reconstruction)": (1 + r).log(),
    }


def exponent_in(values: Tensor, means: Tensor, logvariances: Tensor) -> float:
    """The factor in the exponential that explains most of (P,) values of a divergence, with powers of its arguments."""
    mu, logvar = means.double(), logvariances.double()
    values = values.double() - values.double().mean()
    best, step = 0.0, 3.0
    for _ in range(6):
        tried = best + step * torch.linspace(-1, 1, 61, dtype=torch.float64)
        exponentials = (tried[:, None] * logvar).exp()
        others = (mu, logvar, mu.square())
        columns = torch.stack((exponentials, *(each.expand_as(exponentials) for each in others)), -1)
        columns = columns - columns.mean(1, keepdim=True)
        weights = torch.linalg.lstsq(columns, values[:, None].expand(len(tried), -1, 1)).solution
        best = float(tried[int(((columns @ weights)[..., 0] - values).abs().amax(1).argmin())])
        step /= 20
    return best


def formula(values: Tensor, summands: dict[str, Tensor]) -> Formula | None:
    """The sum of fewest summands that gives (P,) values, up to a constant; None where none of at most `MOST` does.

    Arguments:
        values: (P,).
        summands: (P,) each, by what a message calls them. Those that are not finite are no part of it.
    """
    values = values.double() - values.double().mean()
    names = [name for name, each in summands.items() if each.isfinite().all()]
    columns = torch.stack([summands[name].double() - summands[name].double().mean() for name in names], 1)
    allowed = EXACT * float(values.max() - values.min())
    for count in range(1, MOST + 1) if allowed else ():
        chosen = torch.tensor(list(combinations(range(len(names)), count)))
        matrices = columns[:, chosen].movedim(1, 0)  # (subsets, P, count)
        weights = torch.linalg.lstsq(matrices, values[:, None].expand(len(chosen), -1, 1)).solution
        error = ((matrices @ weights)[..., 0] - values).abs().amax(1)
        best = int(error.argmin())
        if float(error[best]) <= allowed:
            found = weights[best, :, 0].tolist()
            return Formula({names[at]: weight for at, weight in zip(chosen[best].tolist(), found, strict=True)})
    return None
