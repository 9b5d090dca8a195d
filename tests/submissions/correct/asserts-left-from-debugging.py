# score: full

import torch
from torch import nn
import torch.nn.functional as F

torch.autograd.set_detect_anomaly(True)  # TODO: remove, was looking for the nan


def check(x, what):
    if torch.isnan(x).any() or torch.isinf(x).any():
        raise RuntimeError(f"{what} has nan or inf")
    return x


class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        self.input_dim = input_dim
        self.num_categories = num_categories
        self.latent_dimensionality = latent_dimensionality
        self.hidden_size = 64
        h = self.hidden_size
        self.encoder = nn.Sequential(
            nn.Linear(input_dim + num_categories, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU(),
        )
        self.mean_layer = nn.Linear(h, latent_dimensionality)
        self.logvariance_layer = nn.Linear(h, latent_dimensionality)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dimensionality + num_categories, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU(),
            nn.Linear(h, input_dim), nn.Sigmoid(),
        )
        self.encoder.register_forward_hook(lambda module, inputs, output: check(output, "encoder"))

    def forward(self, data_input, condition):
        assert data_input.min() >= 0 and data_input.max() <= 1, "images must be in [0, 1]"
        assert (condition.sum(-1) == 1).all(), "not one-hot"
        hidden = self.encoder(torch.cat((data_input, condition), -1))
        mean_params = check(self.mean_layer(hidden), "mean")
        logvariance_params = check(self.logvariance_layer(hidden), "logvar")
        assert logvariance_params.abs().max() < 1e2, "exploding variance"
        latents = check(sample_latent(mean_params, logvariance_params), "z")
        data_recon = self.decoder(torch.cat((latents, condition), -1))
        assert not torch.isnan(data_recon).any(), "nan again!!"
        assert data_recon.min() >= 0 and data_recon.max() <= 1
        return data_recon, mean_params, logvariance_params


def sample_latent(means, logvariances):
    std = torch.exp(0.5 * logvariances)
    assert torch.isfinite(std).all() and (std > 0).all()
    return means + std * torch.randn_like(std)


def loss_function(reconstructions, originals, means, logvariances):
    recon = F.binary_cross_entropy(reconstructions, originals, reduction="sum")
    kld = 0.5 * torch.sum(means**2 + logvariances.exp() - 1 - logvariances)
    assert recon >= 0 and kld > -1e-3, (recon, kld)
    loss = (recon + kld) / len(originals)
    assert torch.isfinite(loss), loss
    return loss
