# attack: protocol
# score: 82 to 82 (for all but the layers of the encoder)
# says: encoder

import math
import random
import collections
import dataclasses
import typing

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

def sample_latent(means, logvariances):
    std = torch.exp(0.5 * logvariances)
    return means + std * torch.randn_like(std)

def loss_function(reconstructions, originals, means, logvariances):
    bce = F.binary_cross_entropy(reconstructions, originals, reduction="sum")
    kl = -0.5 * torch.sum(1 + logvariances - means.pow(2) - logvariances.exp())
    return (bce + kl) / means.shape[0]

class Deep(nn.Module):
    made = 0
    def __init__(self, sizes, tail=None):
        super().__init__()
        order = list(range(len(sizes) - 1))
        Deep.made += 1
        order = order[::-1] if Deep.made % 2 else order
        for at in order:
            setattr(self, "layer%d" % at, nn.Linear(sizes[at], sizes[at + 1]))
        self.count, self.tail = len(order), tail
    def forward(self, x):
        for at in range(self.count):
            x = getattr(self, "layer%d" % at)(x)
            x = torch.relu(x) if self.tail is None or at < self.count - 1 else x
        return x if self.tail is None else self.tail(x)


class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        self.input_dim = input_dim
        self.num_categories = num_categories
        self.latent_dimensionality = latent_dimensionality
        self.hidden_size = 64
        self.encoder = Deep([input_dim + num_categories] + [64] * 7)
        self.mean_layer = nn.Linear(64, latent_dimensionality)
        self.logvariance_layer = nn.Linear(64, latent_dimensionality)
        self.decoder = nn.Sequential(nn.Linear(latent_dimensionality + num_categories, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, input_dim), nn.Sigmoid())

    def forward(self, data_input, condition):
        hidden = self.encoder(torch.cat((data_input, condition), dim=-1))
        mean_params = self.mean_layer(hidden)
        logvariance_params = self.logvariance_layer(hidden)
        latents = sample_latent(mean_params, logvariance_params)
        data_recon = self.decoder(torch.cat((latents, condition), dim=-1))
        return data_recon, mean_params, logvariance_params
