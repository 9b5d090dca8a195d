# score: full

import torch
import torch.nn as nn
import torch.nn.functional as F


class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        self.input_dim = input_dim
        self.num_categories = num_categories
        self.latent_dimensionality = latent_dimensionality
        self.hidden_size = 64

        def hidden(n_in):
            lin = nn.Linear(n_in, self.hidden_size)
            nn.init.kaiming_normal_(lin.weight, nonlinearity="relu")
            return [lin, nn.ReLU()]

        self.encoder = nn.Sequential(
            *hidden(input_dim + num_categories), *hidden(self.hidden_size), *hidden(self.hidden_size)
        )
        # As in Glow: zero-init the layers that output distribution parameters. At step 0 the posterior IS the
        # prior (mu = 0, log var = 0, KL = 0) and the weights move off zero with the first gradient.
        self.mean_layer = nn.Linear(self.hidden_size, latent_dimensionality)
        self.logvariance_layer = nn.Linear(self.hidden_size, latent_dimensionality)
        for head in (self.mean_layer, self.logvariance_layer):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

        self.decoder = nn.Sequential(
            *hidden(latent_dimensionality + num_categories),
            *hidden(self.hidden_size),
            *hidden(self.hidden_size),
            nn.Linear(self.hidden_size, input_dim),
            nn.Sigmoid(),
        )

    def forward(self, data_input, condition):
        h = self.encoder(torch.cat([data_input, condition], dim=-1))
        mean_params = self.mean_layer(h)
        logvariance_params = self.logvariance_layer(h)
        z = sample_latent(mean_params, logvariance_params)
        return self.decoder(torch.cat([z, condition], dim=-1)), mean_params, logvariance_params


def sample_latent(means, logvariances):
    return torch.exp(logvariances * 0.5).mul(torch.randn_like(logvariances)).add(means)


def loss_function(reconstructions, originals, means, logvariances):
    rec = F.binary_cross_entropy(reconstructions, originals, reduction="none").flatten(1).sum(1)
    # exp(v) - 1 - v, without cancellation around v = 0
    kl = 0.5 * (means**2 + torch.expm1(logvariances) - logvariances).sum(1)
    return (rec + kl).mean()
