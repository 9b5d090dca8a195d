# score: full

import copy

import torch
from torch import nn
from torch.nn import functional as F


class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        self.input_dim, self.num_categories = input_dim, num_categories
        self.latent_dimensionality, self.hidden_size = latent_dimensionality, 64
        h = self.hidden_size
        self.encoder = nn.Sequential(
            nn.Linear(input_dim + num_categories, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU()
        )
        self.mean_layer, self.logvariance_layer = nn.Linear(h, latent_dimensionality), nn.Linear(h, latent_dimensionality)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dimensionality + num_categories, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU(), nn.Linear(h, input_dim), nn.Sigmoid(),
        )  # fmt: skip
        self.pieces = {"encoder": self.encoder, "heads": (self.mean_layer, self.logvariance_layer)}
        self.at_the_start = [copy.deepcopy(self.encoder), copy.deepcopy(self.decoder)]  # to see how far training gets
        self.everything = [self]

    def forward(self, data_input, condition):
        hidden = self.pieces["encoder"](torch.cat([data_input, condition], 1))
        means, logvariances = (head(hidden) for head in self.pieces["heads"])
        latents = sample_latent(means, logvariances)
        return self.decoder(torch.cat([latents, condition], 1)), means, logvariances


def sample_latent(means, logvariances):
    return means + (logvariances / 2).exp() * torch.randn_like(means)


def loss_function(reconstructions, originals, means, logvariances):
    reconstruction = F.binary_cross_entropy(reconstructions, originals, reduction="sum")
    divergence = (logvariances.exp() + means**2 - 1 - logvariances).sum() / 2
    return (reconstruction + divergence) / len(means)
