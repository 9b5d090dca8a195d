# score: full

import torch
import torch.nn.functional as F
from torch import nn


class Pointwise(nn.Module):
    """A linear layer as a convolution whose kernel is one number wide."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.convolution = nn.Conv1d(inputs, outputs, 1)

    def forward(self, x):
        return self.convolution(x[:, :, None])[:, :, 0]


def stack(*sizes):
    return [layer for pair in zip(sizes, sizes[1:]) for layer in (Pointwise(*pair), nn.ReLU())]



class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        self.input_dim = input_dim
        self.num_categories = num_categories
        self.latent_dimensionality = latent_dimensionality
        self.hidden_size = h = 64
        self.encoder = nn.Sequential(*stack(input_dim + num_categories, h, h, h))
        self.mean_layer, self.logvariance_layer = (Pointwise(h, latent_dimensionality) for _ in range(2))
        layers = stack(latent_dimensionality + num_categories, h, h, h)
        self.decoder = nn.Sequential(*layers, Pointwise(h, input_dim), nn.Sigmoid())

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
