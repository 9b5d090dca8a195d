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

        h, k = self.hidden_size, num_categories
        self.enc_w, self.enc_b = self._parameters_for([input_dim + k, h, h, h])
        self.dec_w, self.dec_b = self._parameters_for([latent_dimensionality + k, h, h, h, input_dim])

        self.mean_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)
        self.logvariance_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)

    @staticmethod
    def _parameters_for(sizes):
        weights = [nn.init.kaiming_uniform_(torch.empty(b, a), nonlinearity="relu") for a, b in zip(sizes, sizes[1:])]
        return nn.ParameterList(weights), nn.ParameterList([torch.zeros(b) for b in sizes[1:]])

    def encoder(self, x):
        for w, b in zip(self.enc_w, self.enc_b):
            x = (x @ w.t() + b).clamp(min=0)
        return x

    def decoder(self, x):
        last = len(self.dec_w) - 1
        for i, (w, b) in enumerate(zip(self.dec_w, self.dec_b)):
            x = x @ w.t() + b
            x = torch.sigmoid(x) if i == last else x.clamp(min=0)
        return x

    def forward(self, data_input, condition):
        h = self.encoder(torch.cat([data_input, condition], dim=1))
        mean_params, logvariance_params = self.mean_layer(h), self.logvariance_layer(h)
        z = sample_latent(mean_params, logvariance_params)
        data_recon = self.decoder(torch.cat([z, condition], dim=1))
        return data_recon, mean_params, logvariance_params
