"""What a wrong term computes, as a formula that a student can compare with their own.

The values of a term at many points are fitted by few summands out of a list: the fewest that give all of them.
"""

from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Tensor

MOST = 4  # summands
EXACT = 1e-4  # of the values' range
POINTS = 32  # at which a term is compared, far more than a formula has weights


def of_divergence(means: Tensor, logvariances: Tensor) -> dict[str, Tensor]:
    """Summands of a divergence in one latent dimension, (P,), for log-variances above 0."""
    mu, logvar, s = means, logvariances, F.softplus(logvariances)
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


def formula(values: Tensor, summands: dict[str, Tensor]) -> str | None:
    """The sum of fewest summands that gives (P,) values, up to a constant; None where none of at most `MOST` does.

    Arguments:
        values: (P,).
        summands: (P,) each, by what a message calls them.
    """
    values = values.double() - values.double().mean()
    columns = torch.stack([each.double() - each.double().mean() for each in summands.values()], 1)
    allowed = EXACT * float(values.max() - values.min())
    for count in range(1, MOST + 1) if allowed else ():
        chosen = torch.tensor(list(combinations(range(len(summands)), count)))
        matrices = columns[:, chosen].movedim(1, 0)  # (subsets, P, count)
        weights = torch.linalg.lstsq(matrices, values[:, None].expand(len(chosen), -1, 1)).solution
        error = ((matrices @ weights)[..., 0] - values).abs().amax(1)
        best = int(error.argmin())
        if float(error[best]) <= allowed:
            names = [list(summands)[at] for at in chosen[best].tolist()]
            return _in_words(weights[best, :, 0].tolist(), names)
    return None


def _in_words(weights: list[float], names: list[str]) -> str:
    """`0.5 · mean² - logvariance`."""
    said = ""
    for weight, name in zip(weights, names, strict=True):
        sign = "-" if weight < 0 else "+"
        size = f"{abs(weight):.3g}"
        said += f" {sign} {name if size == '1' else f'{size} · {name}'}"
    return "-" + said.removeprefix(" - ") if said.startswith(" - ") else said.removeprefix(" + ")
