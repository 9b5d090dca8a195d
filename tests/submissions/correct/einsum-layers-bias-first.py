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


class Affine(nn.Module):
    def __init__(self, fan_in, fan_out):
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(1, fan_out))
        self.matrix = nn.Parameter(nn.init.xavier_normal_(torch.empty(fan_out, fan_in)))

    def forward(self, x):
        return torch.einsum("oi,ni->no", self.matrix, x) + self.offset

class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super(ConditionalVariationalAutoencoder, self).__init__()
        self.input_dim = input_dim
        self.latent_dimensionality = latent_dimensionality
        self.num_categories = num_categories
        self.hidden_size = 64

        h = self.hidden_size
        self.encoder = nn.Sequential(
            Affine(input_dim + num_categories, h), nn.ReLU(), Affine(h, h), nn.ReLU(), Affine(h, h), nn.ReLU())
        self.mean_layer, self.logvariance_layer = Affine(h, latent_dimensionality), Affine(h, latent_dimensionality)
        self.decoder = nn.Sequential(
            Affine(latent_dimensionality + num_categories, h), nn.ReLU(), Affine(h, h), nn.ReLU(), Affine(h, h),
            nn.ReLU(), Affine(h, input_dim), nn.Sigmoid())

    def forward(self, data_input, condition):
        h = self.encoder(torch.cat([data_input, condition], dim=1))
        mean_params, logvariance_params = self.mean_layer(h), self.logvariance_layer(h)
        z = sample_latent(mean_params, logvariance_params)
        data_recon = self.decoder(torch.cat([z, condition], dim=1))
        return data_recon, mean_params, logvariance_params
