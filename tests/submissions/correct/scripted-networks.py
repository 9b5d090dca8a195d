# score: full

import torch
import torch.nn as nn
import torch.nn.functional as F
import warnings

warnings.simplefilter('ignore')


def sample_latent(means, logvariances):
    return means + torch.exp(0.5 * logvariances) * torch.randn_like(means)


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

        self.encoder = torch.jit.script(nn.Sequential(
            nn.Linear(self.input_dim + self.num_categories, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size), nn.ReLU(),
        ))

        self.mean_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)
        self.logvariance_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)

        self.decoder = torch.jit.trace(nn.Sequential(
            nn.Linear(self.latent_dimensionality + self.num_categories, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.input_dim), nn.Sigmoid(),
        ), torch.zeros(2, self.latent_dimensionality + self.num_categories))

    def forward(self, data_input, condition):
        h = self.encoder(torch.cat([data_input, condition], dim=1))
        mean_params, logvariance_params = self.mean_layer(h), self.logvariance_layer(h)
        z = sample_latent(mean_params, logvariance_params)
        data_recon = self.decoder(torch.cat([z, condition], dim=1))
        return data_recon, mean_params, logvariance_params
