# score: full

# CS 5814 HW3 part 3
import math
import numpy as np
import torch
import torch.utils.data
from torch import nn, optim
from torch.nn import functional as F
from torch import Tensor
from typing import Tuple
from collections import OrderedDict
from torch.distributions import Normal, kl_divergence, Independent


def sample_latent(means, logvariances):
    noise = torch.normal(0.0, 1.0, size=tuple(means.size()), dtype=means.dtype, device=means.device)
    return torch.addcmul(means, noise, logvariances.div(2).exp())


class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        nn.Module.__init__(self)
        self.input_dim = input_dim
        self.num_categories = num_categories
        self.latent_dimensionality = latent_dimensionality
        self.hidden_size = hs = 64

        self.encoder = nn.Sequential(OrderedDict([
            ("fc1", nn.Linear(input_dim + num_categories, hs)),
            ("act1", nn.ReLU()),
            ("fc2", nn.Linear(hs, hs)),
            ("act2", nn.ReLU()),
            ("fc3", nn.Linear(hs, hs)),
        ]))
        self.mean_layer = nn.Linear(hs, latent_dimensionality)
        self.logvariance_layer = nn.Linear(hs, latent_dimensionality)
        self.decoder = nn.Sequential(OrderedDict([
            ("fc4", nn.Linear(latent_dimensionality + num_categories, hs)),
            ("act4", nn.ReLU()),
            ("fc5", nn.Linear(hs, hs)),
            ("act5", nn.ReLU()),
            ("fc6", nn.Linear(hs, hs)),
            ("act6", nn.ReLU()),
            ("fc7", nn.Linear(hs, input_dim)),
            ("out", nn.Sigmoid()),
        ]))

    def forward(self, data_input, condition):
        inp = torch.hstack([data_input, condition])
        hidden = torch.relu(self.encoder(inp))
        mean_params = self.mean_layer(hidden)
        log_var = self.logvariance_layer(hidden)
        latent = sample_latent(mean_params, log_var)
        x_hat = self.decoder(torch.hstack([latent, condition]))
        return x_hat, mean_params, log_var


def loss_function(reconstructions, originals, means, logvariances):
    n = means.shape[0]
    rec = nn.functional.binary_cross_entropy(
        torch.flatten(reconstructions, 1), torch.flatten(originals, 1), reduction="sum"
    )
    mu_sq = torch.einsum("nj,nj->", means, means)
    kl = 0.5 * (mu_sq + torch.expm1(logvariances).sum() - logvariances.sum())
    return torch.div(rec + kl, n)
