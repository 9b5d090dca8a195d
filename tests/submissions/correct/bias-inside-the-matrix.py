# score: full

import torch
import torch.nn.functional as F
from torch import nn


class Affine(nn.Module):
    """A linear layer in homogeneous coordinates: its bias is the last row of its matrix."""

    def __init__(self, inputs, outputs, activation=lambda x: x):
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(inputs + 1, outputs) / inputs**0.5)
        self.activation = activation

    def forward(self, x):
        return self.activation(torch.cat((x, torch.ones_like(x[:, :1])), 1) @ self.matrix)



class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        self.input_dim = input_dim
        self.num_categories = num_categories
        self.latent_dimensionality = latent_dimensionality
        self.hidden_size = h = 64
        relu, sigmoid = torch.relu, torch.sigmoid
        self.encoder = nn.Sequential(
            Affine(input_dim + num_categories, h, relu), Affine(h, h, relu), Affine(h, h, relu)
        )
        self.mean_layer, self.logvariance_layer = (Affine(h, latent_dimensionality) for _ in range(2))
        self.decoder = nn.Sequential(
            Affine(latent_dimensionality + num_categories, h, relu), Affine(h, h, relu), Affine(h, h, relu),
            Affine(h, input_dim, sigmoid),
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
