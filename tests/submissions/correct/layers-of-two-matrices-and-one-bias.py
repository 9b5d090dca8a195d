# score: full

import torch
import torch.nn as nn
import torch.nn.functional as F


class Affine(nn.Module):
    """y = x @ w + b, with w (in, out) as in Haiku."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.w = nn.Parameter(torch.randn(n_in, n_out) * (1.0 / n_in) ** 0.5)
        self.b = nn.Parameter(torch.zeros(n_out))

    def forward(self, x):
        return x @ self.w + self.b


class AffineOfTwo(nn.Module):
    """y = x @ w_x + c @ w_c + b for an input [x | c]; the same as an affine map of the concatenation."""

    def __init__(self, n_x, n_c, n_out):
        super().__init__()
        self.n_x = n_x
        self.w_x = nn.Parameter(torch.randn(n_x, n_out) * (1.0 / (n_x + n_c)) ** 0.5)
        self.w_c = nn.Parameter(torch.randn(n_c, n_out) * (1.0 / (n_x + n_c)) ** 0.5)
        self.b = nn.Parameter(torch.zeros(n_out))

    def forward(self, xc):
        x, c = xc[..., : self.n_x], xc[..., self.n_x :]
        return x @ self.w_x + c @ self.w_c + self.b


class MLP(nn.Module):
    def __init__(self, layers, last):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.last = last

    def forward(self, h):
        *hidden, final = self.layers
        for layer in hidden:
            h = torch.maximum(layer(h), torch.zeros_like(h[..., :1]))
        return self.last(final(h))


class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        self.input_dim = input_dim
        self.num_categories = num_categories
        self.latent_dimensionality = latent_dimensionality
        self.hidden_size = 64
        n = self.hidden_size
        self.encoder = MLP([AffineOfTwo(input_dim, num_categories, n), Affine(n, n), Affine(n, n)], last=torch.relu)
        self.mean_layer = Affine(n, latent_dimensionality)
        self.logvariance_layer = Affine(n, latent_dimensionality)
        self.decoder = MLP(
            [
                AffineOfTwo(latent_dimensionality, num_categories, n),
                Affine(n, n),
                Affine(n, n),
                Affine(n, input_dim),
            ],
            last=torch.sigmoid,
        )

    def forward(self, data_input, condition):
        h = self.encoder(torch.cat((data_input, condition), -1))
        mu, logvar = self.mean_layer(h), self.logvariance_layer(h)
        z = sample_latent(mu, logvar)
        return self.decoder(torch.cat((z, condition), -1)), mu, logvar


def sample_latent(means, logvariances):
    key = torch.randn_like(logvariances)
    return means + key * torch.exp(0.5 * logvariances)


def loss_function(reconstructions, originals, means, logvariances):
    n = originals.shape[0]
    nll = F.binary_cross_entropy(reconstructions.reshape(n, -1), originals.reshape(n, -1), reduction="none").sum(-1)
    kl = 0.5 * (means**2 + torch.exp(logvariances) - 1.0 - logvariances).sum(-1)
    return torch.mean(nll + kl, dim=0)
