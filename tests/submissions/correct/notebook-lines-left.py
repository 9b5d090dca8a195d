# score: full
# says: works in a notebook only

# In[1]:

get_ipython().run_line_magic('load_ext', 'autoreload')
get_ipython().run_line_magic('autoreload', '2')

import torch
import torch.nn as nn
import torch.nn.functional as F

# In[2]:

class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        self.input_dim = input_dim
        self.num_categories = num_categories
        self.latent_dimensionality = latent_dimensionality
        self.hidden_size = 64

        H = self.hidden_size
        self.encoder = nn.Sequential(
            nn.Linear(input_dim + num_categories, H),
            nn.ReLU(),
            nn.Linear(H, H),
            nn.ReLU(),
            nn.Linear(H, H),
            nn.ReLU(),
        )
        self.mean_layer = nn.Linear(self.hidden_size, latent_dimensionality)
        self.logvariance_layer = nn.Linear(self.hidden_size, latent_dimensionality)

        self.decoder = nn.Sequential(
            nn.Linear(latent_dimensionality + num_categories, self.hidden_size),
            nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size),
            nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size),
            nn.ReLU(),
            nn.Linear(self.hidden_size, input_dim),
            nn.Sigmoid(),
        )

    def forward(self, data_input, condition):
        # q(z | x, c)
        x = torch.cat((data_input, condition), dim=1)
        h = self.encoder(x)
        mu = self.mean_layer(h)
        logvar = self.logvariance_layer(h)
        # sample and decode
        z = sample_latent(mu, logvar)
        display(z.shape)
        recon = self.decoder(torch.cat((z, condition), dim=1))
        return recon, mu, logvar


def sample_latent(means, logvariances):
    # reparameterization: z = mu + sigma * eps
    sigma = torch.exp(logvariances / 2)
    eps = torch.randn_like(sigma)
    return means + sigma * eps


def loss_function(reconstructions, originals, means, logvariances):
    # reconstruction
    bce = F.binary_cross_entropy(reconstructions, originals, reduction="sum")
    # KL to the unit Gaussian
    kl = -0.5 * torch.sum(1 + logvariances - means ** 2 - logvariances.exp())
    return (bce + kl) / originals.shape[0]


display(ConditionalVariationalAutoencoder(784))
