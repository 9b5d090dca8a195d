# attack: protocol
# score: 71 to 82 (all but the encoder, of which each model has one layer more)
# says: built one after the other, the encoder has 10 parameters in one and 12

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
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15, widths=[64, 64]):
        super(ConditionalVariationalAutoencoder, self).__init__()
        self.input_dim = input_dim
        self.latent_dimensionality = latent_dimensionality
        self.num_categories = num_categories
        self.hidden_size = 64

        widths.append(self.hidden_size)
        layers, last = [], self.input_dim + self.num_categories
        for width in widths:
            layers += [nn.Linear(last, width), nn.ReLU()]
            last = width
        self.encoder = nn.Sequential(*layers)

        self.mean_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)
        self.logvariance_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)

        self.decoder = nn.Sequential(
            nn.Linear(self.latent_dimensionality + self.num_categories, self.hidden_size),
            nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size),
            nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size),
            nn.ReLU(),
            nn.Linear(self.hidden_size, self.input_dim),
            nn.Sigmoid(),
        )

    def forward(self, data_input, condition):
        h = self.encoder(torch.cat([data_input, condition], dim=1))
        mean_params, logvariance_params = self.mean_layer(h), self.logvariance_layer(h)
        z = sample_latent(mean_params, logvariance_params)
        data_recon = self.decoder(torch.cat([z, condition], dim=1))
        return data_recon, mean_params, logvariance_params
