"""CS 5814, homework 3, part 3: a conditional variational autoencoder.

Fill in the class and the two functions below, in the order of the notebook `cvae.ipynb`, which explains each step
and checks it. Shapes: N images in a minibatch, each flattened to `input_dim` numbers in [0, 1]; K categories;
a latent vector of `latent` numbers.

Sources: Kingma & Welling, "Auto-Encoding Variational Bayes" (2014), with the KL divergence in its appendix B;
Sohn, Lee & Yan, "Learning Structured Output Representation using Deep Conditional Generative Models" (2015).
"""

import torch
import torch.nn as nn
import torch.nn.functional as F


class ConditionalVariationalAutoencoder(nn.Module):
    """A variational autoencoder of images, conditioned on their class (Sohn, Lee & Yan 2015).

    Arguments:
        input_dim: number of pixels of a flattened image.
        num_categories: number of classes, K.
        latent_dimensionality: width of the latent vector.

    Attributes:
        encoder: (N, input_dim + K) -> (N, hidden_size), applied to [image | one-hot class].
        mean_layer, logvariance_layer: (N, hidden_size) -> (N, latent), the heads that predict μ and log σ².
        decoder: (N, latent + K) -> (N, input_dim) in (0, 1), applied to [latent | one-hot class].
    """

    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        self.input_dim = input_dim
        self.num_categories = num_categories
        self.latent_dimensionality = latent_dimensionality
        self.hidden_size = 64

        # The encoder: three linear layers to hidden_size, ReLU after each; then the two heads, each one linear
        # layer without an activation.
        ### BEGIN SOLUTION: Set `self.encoder`, `self.mean_layer` and `self.logvariance_layer`.
        hidden = self.hidden_size
        self.encoder = nn.Sequential(
            nn.Linear(input_dim + num_categories, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
        )
        self.mean_layer = nn.Linear(hidden, latent_dimensionality)
        self.logvariance_layer = nn.Linear(hidden, latent_dimensionality)
        ### END SOLUTION

        # The decoder: three linear layers to hidden_size, ReLU after each; then one linear layer to the pixels
        # and a sigmoid.
        ### BEGIN SOLUTION: Set `self.decoder`.
        self.decoder = nn.Sequential(
            nn.Linear(latent_dimensionality + num_categories, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, input_dim),
            nn.Sigmoid(),
        )
        ### END SOLUTION

    def forward(self, data_input, condition):
        """Encode, sample and decode a minibatch.

        Arguments:
            data_input: (N, input_dim) tensor, flattened images, pixels in [0, 1].
            condition: (N, K) tensor, one-hot classes.

        Returns:
            data_recon: (N, input_dim) tensor in [0, 1], the reconstructions.
            mean_params: (N, latent) tensor, μ.
            logvariance_params: (N, latent) tensor, log σ².
        """
        ### BEGIN SOLUTION: Encode with the classes, draw with `sample_latent`, decode with the classes.
        hidden = self.encoder(torch.cat((data_input, condition), dim=-1))
        mean_params = self.mean_layer(hidden)
        logvariance_params = self.logvariance_layer(hidden)
        latents = sample_latent(mean_params, logvariance_params)
        data_recon = self.decoder(torch.cat((latents, condition), dim=-1))
        return data_recon, mean_params, logvariance_params
        ### END SOLUTION


def sample_latent(means, logvariances):
    """Draw latent vectors by the reparameterization trick, z = μ + σ·ε with ε ~ N(0, 1).

    The noise ε is drawn anew, independently for every element, at each call. The draw stays differentiable
    with respect to both arguments. (Kingma & Welling 2014, section 2.4.)

    Arguments:
        means: (N, latent) tensor, μ, any real numbers.
        logvariances: (N, latent) tensor, log σ², any real numbers.

    Returns:
        latents: (N, latent) tensor, one draw for each row.
    """
    ### BEGIN SOLUTION: Draw one latent vector for each row, differentiably.
    std = torch.exp(0.5 * logvariances)
    return means + std * torch.randn_like(std)
    ### END SOLUTION


def loss_function(reconstructions, originals, means, logvariances):
    """The negative evidence lower bound: reconstruction error plus KL divergence, averaged over the minibatch.

    The reconstruction term is the pixelwise binary cross-entropy, summed over the pixels of an image. The
    regularization term is KL(N(μ, σ²) ‖ N(0, I)) in closed form, summed over the latent dimensions:
        -½ Σ_j (1 + log σ_j² - μ_j² - σ_j²)        (Kingma & Welling 2014, appendix B).
    No loops: the whole minibatch at once.

    Arguments:
        reconstructions: (N, input_dim) or (N, 1, H, W) tensor of probabilities in [0, 1];
            rounding can make one exactly 0 or 1.
        originals: tensor of the same shape, pixels in [0, 1].
        means: (N, latent) tensor, μ.
        logvariances: (N, latent) tensor, log σ².

    Returns:
        loss: scalar tensor, in nats per image.
    """
    ### BEGIN SOLUTION: Add the two terms and average over the minibatch, without loops.
    reconstruction = F.binary_cross_entropy(reconstructions, originals, reduction="sum")
    divergence = -0.5 * torch.sum(1 + logvariances - means.pow(2) - logvariances.exp())
    return (reconstruction + divergence) / means.shape[0]
    ### END SOLUTION
