# score: full
# says: Your `forward` never uses some parameters of your model: class_layer.weight, class_layer.bias.

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

        self.encoder = nn.Sequential(
            nn.Linear(self.input_dim + self.num_categories, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size), nn.ReLU(),
        )

        self.class_layer = nn.Linear(self.num_categories, self.hidden_size)  # from an earlier try
        self.mean_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)
        self.logvariance_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)

        self.decoder = nn.Sequential(
            nn.Linear(self.latent_dimensionality + self.num_categories, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.input_dim), nn.Sigmoid(),
        )

    def forward(self, data_input, condition):
        hidden = self.encoder(torch.cat((data_input, condition), dim=-1))
        mean_params, logvariance_params = self.mean_layer(hidden), self.logvariance_layer(hidden)
        latents = sample_latent(mean_params, logvariance_params)
        return self.decoder(torch.cat((latents, condition), dim=-1)), mean_params, logvariance_params
