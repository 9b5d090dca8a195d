# score: full

import torch
import torch.nn as nn
import torch.nn.functional as F
import math


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

        h, c, l = self.hidden_size, num_categories, latent_dimensionality

        def weight(n_out, n_in):
            return nn.Parameter(torch.empty(n_out, n_in).uniform_(-1, 1) / math.sqrt(n_in))

        def bias(n):
            return nn.Parameter(torch.zeros(n))

        self.w1, self.b1 = weight(h, input_dim + c), bias(h)
        self.w2, self.b2 = weight(h, h), bias(h)
        self.w3, self.b3 = weight(h, h), bias(h)

        self.mean_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)
        self.logvariance_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)

        self.v1, self.c1 = weight(h, l + c), bias(h)
        self.v2, self.c2 = weight(h, h), bias(h)
        self.v3, self.c3 = weight(h, h), bias(h)
        self.v4, self.c4 = weight(input_dim, h), bias(input_dim)

    def encoder(self, x):
        x = F.relu(F.linear(x, self.w1, self.b1))
        x = F.relu(F.linear(x, self.w2, self.b2))
        return F.relu(F.linear(x, self.w3, self.b3))

    def decoder(self, z):
        z = F.relu(F.linear(z, self.v1, self.c1))
        z = F.relu(F.linear(z, self.v2, self.c2))
        z = F.relu(F.linear(z, self.v3, self.c3))
        return torch.sigmoid(F.linear(z, self.v4, self.c4))

    def forward(self, data_input, condition):
        h = self.encoder(torch.cat([data_input, condition], dim=1))
        mean_params, logvariance_params = self.mean_layer(h), self.logvariance_layer(h)
        z = sample_latent(mean_params, logvariance_params)
        data_recon = self.decoder(torch.cat([z, condition], dim=1))
        return data_recon, mean_params, logvariance_params
