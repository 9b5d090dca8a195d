# attack: resources
# score: 0
# says: memory|allocate|SIGKILL

import torch
import torch.nn as nn
import torch.nn.functional as F


class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        raise NotImplementedError

    def forward(self, data_input, condition):
        raise NotImplementedError


def sample_latent(means, logvariances):
    raise NotImplementedError


def loss_function(reconstructions, originals, means, logvariances):
    raise NotImplementedError


class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, *args, **kwargs):
        super().__init__()
        self.encoder = nn.Linear(40000, 40000)
        self.decoder = nn.Linear(40000, 40000)
