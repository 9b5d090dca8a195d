# score: full

import torch as th
import torch.nn as tnn
from torch.nn import Linear as L, Module, ReLU as R, Sequential as S, functional as Fn


def sample_latent(means, logvariances):
    return means + th.exp(logvariances * 0.5) * th.randn_like(means)


def loss_function(reconstructions, originals, means, logvariances):
    A = Fn.binary_cross_entropy(reconstructions, originals, reduction="sum")
    B = th.sum(means**2 + th.exp(logvariances) - logvariances - 1.0) * 0.5
    return (A + B) / originals.shape[0]


class ConditionalVariationalAutoencoder(Module):
    def __init__(this, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        this.input_dim, this.num_categories = input_dim, num_categories
        this.latent_dimensionality, this.hidden_size = latent_dimensionality, 64
        i, h, o = input_dim + num_categories, 64, latent_dimensionality
        this.encoder = S(L(i, h), R(), L(h, h), R(), L(h, h), R())
        this.mean_layer, this.logvariance_layer = L(h, o), L(h, o)
        this.decoder = S(L(o + num_categories, h), R(), L(h, h), R(), L(h, h), R(), L(h, input_dim), tnn.Sigmoid())

    def forward(this, data_input, condition):
        hid = this.encoder(th.cat((data_input, condition), 1))
        m, v = this.mean_layer(hid), this.logvariance_layer(hid)
        return this.decoder(th.cat((sample_latent(m, v), condition), 1)), m, v
