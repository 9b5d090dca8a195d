# score: full

from __future__ import annotations

import logging
import pickle
import sys
import typing
from dataclasses import asdict, dataclass
from typing import ClassVar, NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F

__all__ = ["ConditionalVariationalAutoencoder", "Sizes", "loss_function", "sample_latent"]

logger = logging.getLogger(__name__)
this = sys.modules[__name__]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of the network. A dataclass, get_type_hints and pickle all look its module up by name."""

    HIDDEN: ClassVar[int] = 64

    image: int
    classes: int = 10
    latent: int = 15

    def __post_init__(self) -> None:
        if min(asdict(self).values()) < 1:
            raise ValueError(f"sizes must be positive: {self}")


class Passed(NamedTuple):
    reconstructions: torch.Tensor
    means: torch.Tensor
    logvariances: torch.Tensor


assert typing.get_type_hints(Sizes)["image"] is int
assert pickle.loads(pickle.dumps(Sizes(784))) == Sizes(784)
assert this.Sizes is Sizes


def sample_latent(means: torch.Tensor, logvariances: torch.Tensor) -> torch.Tensor:
    return means + torch.randn_like(means) * torch.exp(logvariances / 2)


def loss_function(reconstructions, originals, means, logvariances) -> torch.Tensor:
    bce = F.binary_cross_entropy(reconstructions, originals, reduction="sum")
    kl = 0.5 * (means**2 + logvariances.exp() - 1 - logvariances).sum()
    return (bce + kl) / len(means)


def layers(given: int, *widths: int) -> list[nn.Module]:
    made: list[nn.Module] = []
    for width in widths:
        made += [nn.Linear(given, width), nn.ReLU()]
        given = width
    return made


class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim: int, num_categories: int = 10, latent_dimensionality: int = 15) -> None:
        super().__init__()
        self.sizes = sizes = Sizes(input_dim, num_categories, latent_dimensionality)
        self.input_dim, self.num_categories, self.latent_dimensionality = sizes.image, sizes.classes, sizes.latent
        self.hidden_size = hidden = sizes.HIDDEN
        logger.debug("sizes: %s", sizes)
        self.encoder = nn.Sequential(*layers(input_dim + num_categories, hidden, hidden, hidden))
        self.mean_layer = nn.Linear(hidden, latent_dimensionality)
        self.logvariance_layer = nn.Linear(hidden, latent_dimensionality)
        self.decoder = nn.Sequential(
            *layers(latent_dimensionality + num_categories, hidden, hidden, hidden),
            nn.Linear(hidden, input_dim),
            nn.Sigmoid(),
        )

    def forward(self, data_input: torch.Tensor, condition: torch.Tensor) -> Passed:
        hidden = self.encoder(torch.cat((data_input, condition), dim=-1))
        means, logvariances = self.mean_layer(hidden), self.logvariance_layer(hidden)
        latents = sample_latent(means, logvariances)
        return Passed(self.decoder(torch.cat((latents, condition), dim=-1)), means, logvariances)
