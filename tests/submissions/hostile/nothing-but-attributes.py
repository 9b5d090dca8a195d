# attack: verdict
# score: 0
# says: nothing to train

import torch, torch.nn as nn
def sample_latent(means, logvariances): return None
def loss_function(r, o, m, v): return None
class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        self.encoder = nn.Linear(1, 1); self.mean_layer = nn.Linear(1, 1); self.logvariance_layer = nn.Linear(1, 1); self.decoder = nn.Linear(1, 1)
    def forward(self, x, c):
        h = self.encoder(torch.cat((x, c), 1)); m = self.mean_layer(h); v = self.logvariance_layer(h)
        r = self.decoder(torch.cat((m, c), 1))
        return r
