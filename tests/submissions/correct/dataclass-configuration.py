# score: full

import torch
import torch.nn as nn
import torch.nn.functional as F
from dataclasses import dataclass, field


def sample_latent(means, logvariances):
    return means + torch.randn_like(means) * torch.exp(logvariances / 2)


def loss_function(reconstructions, originals, means, logvariances):
    bce = F.binary_cross_entropy(reconstructions, originals, reduction="sum")
    kl = 0.5 * (means**2 + logvariances.exp() - 1 - logvariances).sum()
    return (bce + kl) / len(means)


@dataclass
class Config:
    image: int
    classes: int = 10
    latent: int = 15
    hidden: int = 64
    depth: int = 3
    widths: list = field(init=False)

    def __post_init__(self):
        self.widths = [self.hidden] * self.depth

    def layers(self, width):
        for hidden in self.widths:
            yield from (nn.Linear(width, hidden), nn.ReLU())
            width = hidden

class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        self.config = cfg = Config(input_dim, num_categories, latent_dimensionality)
        self.input_dim, self.num_categories, self.latent_dimensionality = cfg.image, cfg.classes, cfg.latent
        self.hidden_size = cfg.hidden
        self.encoder = nn.Sequential(*cfg.layers(cfg.image + cfg.classes))
        self.mean_layer = nn.Linear(cfg.hidden, cfg.latent)
        self.logvariance_layer = nn.Linear(cfg.hidden, cfg.latent)
        self.decoder = nn.Sequential(
            *cfg.layers(cfg.latent + cfg.classes), nn.Linear(cfg.hidden, cfg.image), nn.Sigmoid())

    def forward(self, data_input, condition):
        h = self.encoder(torch.cat([data_input, condition], dim=1))
        mean_params, logvariance_params = self.mean_layer(h), self.logvariance_layer(h)
        z = sample_latent(mean_params, logvariance_params)
        data_recon = self.decoder(torch.cat([z, condition], dim=1))
        return data_recon, mean_params, logvariance_params
