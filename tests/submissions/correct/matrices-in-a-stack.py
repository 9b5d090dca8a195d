# score: full

import torch
import torch.nn.functional as F
from torch import nn


class Trunk(nn.Module):
    """Three linear layers with ReLUs: the square matrices of the last two are one parameter."""

    def __init__(self, inputs, h):
        super().__init__()
        self.first = nn.Linear(inputs, h)
        self.weights = nn.Parameter(torch.randn(2, h, h) / h**0.5)
        self.biases = nn.Parameter(torch.zeros(2, h))

    def forward(self, x):
        x = self.first(x).relu()
        for weight, bias in zip(self.weights, self.biases):
            x = F.linear(x, weight, bias).relu()
        return x



class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        self.input_dim = input_dim
        self.num_categories = num_categories
        self.latent_dimensionality = latent_dimensionality
        self.hidden_size = h = 64
        self.encoder = Trunk(input_dim + num_categories, h)
        self.heads = nn.Parameter(torch.randn(2, latent_dimensionality, h) / h**0.5)
        self.shifts = nn.Parameter(torch.zeros(2, 1, latent_dimensionality))
        trunk = Trunk(latent_dimensionality + num_categories, h)
        self.decoder = nn.Sequential(trunk, nn.Linear(h, input_dim), nn.Sigmoid())

    def mean_layer(self, hidden):
        return F.linear(hidden, self.heads[0], self.shifts[0, 0])

    def logvariance_layer(self, hidden):
        return F.linear(hidden, self.heads[1], self.shifts[1, 0])

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
