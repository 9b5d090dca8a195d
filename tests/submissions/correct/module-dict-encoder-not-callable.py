# score: full

import torch
import torch.nn as nn
import torch.nn.functional as F


def sample_latent(means, logvariances):
    return means + torch.randn_like(means) * torch.exp(logvariances / 2)


def loss_function(reconstructions, originals, means, logvariances):
    bce = F.binary_cross_entropy(reconstructions, originals, reduction="sum")
    kl = 0.5 * (means**2 + logvariances.exp() - 1 - logvariances).sum()
    return (bce + kl) / len(means)


class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super(ConditionalVariationalAutoencoder, self).__init__()
        self.input_dim = input_dim
        self.latent_dimensionality = latent_dimensionality
        self.num_categories = num_categories
        self.hidden_size = 64

        widths = [input_dim + num_categories, self.hidden_size, self.hidden_size, self.hidden_size]
        self.encoder = nn.ModuleDict({f"layer_{i}": nn.Linear(widths[i], widths[i + 1]) for i in range(3)})

        self.mean_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)
        self.logvariance_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)

        self.decoder = nn.Sequential(
            nn.Linear(self.latent_dimensionality + self.num_categories, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.input_dim), nn.Sigmoid(),
        )

    def forward(self, data_input, condition):
        h = torch.cat((data_input, condition), 1)
        for layer in self.encoder.values():
            h = torch.relu(layer(h))
        mu, logvar = self.mean_layer(h), self.logvariance_layer(h)
        return self.decoder(torch.cat((sample_latent(mu, logvar), condition), 1)), mu, logvar
