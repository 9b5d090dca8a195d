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
    hidden_size = 64

    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        vars(self).update(
            input_dim=input_dim, num_categories=num_categories, latent_dimensionality=latent_dimensionality)
        self.add_module("encoder", self._hidden(input_dim + num_categories))
        self.add_module("mean_layer", nn.Linear(self.hidden_size, latent_dimensionality))
        self.add_module("logvariance_layer", nn.Linear(self.hidden_size, latent_dimensionality))
        self.add_module("decoder", self._hidden(latent_dimensionality + num_categories))
        self.decoder.append(nn.Linear(self.hidden_size, input_dim)).append(nn.Sigmoid())

    @classmethod
    def _hidden(cls, width):
        layers = nn.Sequential()
        for _ in range(3):
            layers.append(nn.Linear(width, cls.hidden_size))
            layers.append(nn.ReLU())
            width = cls.hidden_size
        return layers

    def forward(self, data_input, condition):
        h = self.encoder(torch.cat([data_input, condition], dim=1))
        mean_params, logvariance_params = self.mean_layer(h), self.logvariance_layer(h)
        z = sample_latent(mean_params, logvariance_params)
        data_recon = self.decoder(torch.cat([z, condition], dim=1))
        return data_recon, mean_params, logvariance_params
