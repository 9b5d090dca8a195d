"""What each mistake in the draw would give, and the diagnosis of draws by their center and spread."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

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
