# score: full

"""My solution."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def sample_latent(means: Tensor, logvariances: Tensor) -> Tensor:
    """Draw z."""
    std: Tensor = torch.exp(0.5 * logvariances)
    return means + std * torch.randn_like(std)


def loss_function(reconstructions: Tensor, originals: Tensor, means: Tensor, logvariances: Tensor) -> Tensor:
    batch_size: int = means.shape[0]
    bce: Tensor = F.binary_cross_entropy(reconstructions, originals, reduction="sum") / batch_size
    kld: Tensor = -0.5 * torch.sum(1 + logvariances - means**2 - logvariances.exp()) / batch_size
    return bce + kld


class ConditionalVariationalAutoencoder(nn.Module):
    input_dim: int
    encoder: nn.Sequential

    def __init__(self, input_dim: int, num_categories: int = 10, latent_dimensionality: int = 15) -> None:
        super().__init__()
        self.input_dim = input_dim
        self.num_categories = num_categories
        self.latent_dimensionality = latent_dimensionality
        self.hidden_size = hidden_size = 64
        self.encoder = self._mlp([input_dim + num_categories, *[hidden_size] * 3])
        self.mean_layer = nn.Linear(hidden_size, latent_dimensionality)
        self.logvariance_layer = nn.Linear(hidden_size, latent_dimensionality)
        decoder: list[nn.Module] = [*self._mlp([latent_dimensionality + num_categories, *[hidden_size] * 3])]
        self.decoder = nn.Sequential(*decoder, nn.Linear(hidden_size, input_dim), nn.Sigmoid())

    @staticmethod
    def _mlp(sizes: list[int]) -> nn.Sequential:
        layers: list[nn.Module] = []
        for fan_in, fan_out in zip(sizes, sizes[1:]):
            layers += nn.Linear(fan_in, fan_out), nn.ReLU()
        return nn.Sequential(*layers)

    def forward(self, data_input: Tensor, condition: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self.encoder(torch.cat((data_input, condition), dim=-1))
        mean_params, logvariance_params = self.mean_layer(hidden), self.logvariance_layer(hidden)
        latents = sample_latent(mean_params, logvariance_params)
        return self.decoder(torch.cat((latents, condition), dim=-1)), mean_params, logvariance_params
