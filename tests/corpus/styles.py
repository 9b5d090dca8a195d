"""Correct modules, composed: a style for each piece, drawn so that every style meets many others."""

import random
from dataclasses import dataclass
from typing import Any

from tests.submissions import correct

MODULES = 320
Style = tuple[str, str]  # what is imported or defined beside torch, and the text
WITH_TORCH = correct.HEADER

SAMPLES: dict[str, Style] = {name: (header, text) for name, header, text in correct.SAMPLES} | {
    "device-of-the-means": (
        "",
        """
def sample_latent(mu, logvar):
    std = torch.exp(0.5 * logvar)
    eps = torch.randn_like(std).to(mu.device)
    return mu + eps * std
""",
    ),
    "zeros-made-normal": (
        "",
        """
def sample_latent(mu, log_var):
    epsilon = torch.zeros(mu.shape, device=mu.device).normal_()
    return mu + (log_var / 2).exp() * epsilon
""",
    ),
    "to-var-helper": (
        """
def to_var(x):
    if torch.cuda.is_available():
        x = x.cuda()
    return x
""",
        """
def sample_latent(z_mean, z_log_var):
    eps = to_var(torch.randn(z_mean.size(0), z_mean.size(1)))
    z = z_mean + eps * torch.exp(z_log_var / 2)
    return z
""",
    ),
    "float-tensor": (
        "",
        """
def sample_latent(means, logvariances):
    eps = torch.FloatTensor(means.size()).normal_()
    std = torch.exp(logvariances * .5)
    latents = eps.mul(std).add(means)
    return latents
""",
    ),
    "normal-of-size": (
        "",
        """
def sample_latent(means, logvariances):
    eps = torch.normal(0.0, 1.0, size=means.shape)
    return means + logvariances.exp().sqrt() * eps
""",
    ),
    "standard-normal-distribution": (
        "from torch.distributions import Normal\nstandard = Normal(torch.tensor(0.0), torch.tensor(1.0))\n",
        """
def sample_latent(m, lv):
    return m + torch.exp(0.5 * lv) * standard.sample(m.shape)
""",
    ),
    "multivariate-normal": (
        "from torch.distributions import MultivariateNormal\n",
        """
def sample_latent(means, logvariances):
    return MultivariateNormal(means, scale_tril=torch.diag_embed(torch.exp(0.5 * logvariances))).rsample()
""",
    ),
    "numpy-global-generator": (
        "import numpy as np\n",
        """
def sample_latent(means, logvariances):
    n, d = means.shape
    noise = torch.tensor(np.random.normal(0, 1, (n, d)), dtype=torch.float32)
    noise = noise.to(means)
    return means + noise * torch.exp(0.5 * logvariances)
""",
    ),
    "unpacked-shape-and-checks": (
        "",
        """
def sample_latent(means, logvariances):
    assert means.shape == logvariances.shape, "means and log-variances must match"
    if means.dim() != 2:
        raise ValueError("two dimensions expected")
    sigma = torch.exp(logvariances) ** (1 / 2)
    noise = torch.randn(*means.shape, requires_grad=False)
    return torch.add(means, torch.mul(sigma, noise))
""",
    ),
    "minus-the-noise": (
        "",
        """
def sample_latent(means, logvariances):
    return means - torch.randn_like(means) * torch.exp(0.5 * logvariances)
""",
    ),
}

LOSSES: dict[str, Style] = {
    name: (header, text) for name, header, text in correct.LOSSES if name != "bce-size-average-of-old-tutorials"
} | {
    "divided-at-the-end": (
        "",
        """
def loss_function(x_hat, x, mu, logvar):
    N = x.shape[0]
    loss = F.binary_cross_entropy(x_hat, x, reduction="sum")
    loss += -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    loss /= N
    return loss
""",
    ),
    "view-as-rows": (
        "",
        """
def loss_function(recon_x, x, mu, logvar):
    BCE = nn.functional.binary_cross_entropy(recon_x.view(x.size(0), -1), x.view(x.size(0), -1), reduction='sum')
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return (BCE + KLD) / x.size(0)
""",
    ),
    "logs-with-epsilon": (
        "",
        """
def loss_function(y, t, m, v):
    B = t.shape[0]
    y, t = y.reshape(B, -1), t.reshape(B, -1)
    rec = t * torch.log(1e-8 + y) + (1 - t) * torch.log(1e-8 + 1 - y)
    rec = torch.sum(rec, dim=1)
    kl = 0.5 * torch.sum(1 + v - m ** 2 - torch.exp(v), dim=1)
    return -torch.mean(rec + kl)
""",
    ),
    "clamped-reconstructions": (
        "",
        """
def loss_function(reconstructions, originals, means, logvariances):
    recon = torch.clamp(reconstructions, min=1e-6, max=1 - 1e-6)
    bce = nn.BCELoss(reduction="none")(recon, originals).flatten(1).sum(-1)
    kld = torch.sum(torch.exp(logvariances) + means ** 2 - 1. - logvariances, dim=-1) / 2
    return (bce + kld).sum() / len(bce)
""",
    ),
    "mean-of-sums-over-many-axes": (
        "",
        """
def loss_function(reconstructions, originals, means, logvariances):
    pixel_axes = [axis for axis in range(originals.dim()) if axis > 0]
    cross = F.binary_cross_entropy(reconstructions, originals, reduction="none").sum(dim=pixel_axes)
    var = torch.exp(logvariances)
    kl = 0.5 * (var + means ** 2 - 1 - torch.log(var)).sum(dim=1)
    return cross.mean(0) + kl.mean(0)
""",
    ),
    "device-and-accumulator": (
        "",
        """
def loss_function(reconstructions, originals, means, logvariances):
    total = torch.zeros(1, device=means.device)
    total = total + F.binary_cross_entropy(reconstructions, originals, reduction="sum")
    total = total + (-0.5) * (1 + logvariances - means * means - logvariances.exp()).sum()
    return (total / reconstructions.size(0)).squeeze()
""",
    ),
    "numpy-constant": (
        "import numpy as np\n",
        """
def loss_function(reconstructions, originals, means, logvariances):
    pixels = int(np.prod(originals.shape[1:]))
    bce = F.binary_cross_entropy(reconstructions, originals, reduction="mean") * pixels
    kl = -np.float32(0.5) * (1 + logvariances - means.pow(2) - logvariances.exp()).sum(1).mean()
    return bce + kl
""",
    ),
    "named-terms-by-keyword": (
        """
def reconstruction_term(prediction, target):
    return F.binary_cross_entropy(prediction, target, reduction="sum")

def kl_term(mu, log_var):
    return torch.sum(mu ** 2 + log_var.exp() - log_var - 1) / 2
""",
        """
def loss_function(reconstructions, originals, means, logvariances):
    reconstruction = reconstruction_term(target=originals, prediction=reconstructions)
    return (reconstruction + kl_term(log_var=logvariances, mu=means)) / originals.shape[0]
""",
    ),
}

INITS = {
    "plain": correct.INIT,
    "short-super": """
class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        self.hidden_size = 64
        self.input_dim, self.num_categories = input_dim, num_categories
        self.latent_dimensionality = latent_dimensionality
""",
    "hidden-size-an-argument": """
class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15, hidden_size=64):
        nn.Module.__init__(self)
        self.input_dim = input_dim
        self.latent_dimensionality = latent_dimensionality
        self.num_categories = num_categories
        self.hidden_size = hidden_size
""",
    "hints-and-docstring": '''
class ConditionalVariationalAutoencoder(torch.nn.Module):
    """A CVAE."""

    def __init__(self, input_dim: int, num_categories: int = 10, latent_dimensionality: int = 15):
        super(ConditionalVariationalAutoencoder, self).__init__()

        self.input_dim: int = input_dim
        self.latent_dimensionality: int = latent_dimensionality
        self.num_categories: int = num_categories
        self.hidden_size: int = 64
        self.mean_layer = self.logvariance_layer = None
''',
    "other-parameter-names": """
HIDDEN = 64

class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, D, num_categories=10, latent_dimensionality=15):  # the notebook names the other two
        super().__init__()
        C, Z = num_categories, latent_dimensionality
        self.input_dim, self.num_categories, self.latent_dimensionality, self.hidden_size = D, C, Z, HIDDEN
""",
}


@dataclass(frozen=True)
class Network:
    """A way to write an encoder or a decoder: what stands before the class, in the constructor, and as methods."""

    before: str = ""
    init: str = ""
    methods: str = ""


ENCODERS = {
    "sequential": Network(init=correct.ENCODER),
    "sequential-in-place": Network(init=correct.ENCODER.replace("nn.ReLU()", "nn.ReLU(inplace=True)")),
    "flatten-first": Network(
        init=correct.ENCODER.replace("nn.Sequential(\n", "nn.Sequential(\n            nn.Flatten(),\n")
    ),
    "list-unpacked": Network(
        init="""
        layers = []
        width = self.input_dim + self.num_categories
        for _ in range(3):
            layers += [nn.Linear(width, self.hidden_size), nn.ReLU()]
            width = self.hidden_size
        self.encoder = nn.Sequential(*layers)
"""
    ),
    "blocks": Network(
        before="""
def block(n_in, n_out):
    return nn.Sequential(nn.Linear(n_in, n_out), nn.ReLU())
""",
        init="""
        self.encoder = nn.Sequential(
            block(self.input_dim + self.num_categories, self.hidden_size),
            block(self.hidden_size, self.hidden_size),
            block(self.hidden_size, self.hidden_size),
        )
""",
    ),
    "own-class": Network(
        before="""
class Encoder(nn.Module):
    def __init__(self, n_in, n_hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(n_in, n_hidden), nn.Linear(n_hidden, n_hidden)
        self.fc3 = nn.Linear(n_hidden, n_hidden)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        x = F.relu(self.fc3(x))
        return x
""",
        init="\n        self.encoder = Encoder(self.input_dim + self.num_categories, self.hidden_size)\n",
    ),
    "method-over-layers": Network(
        init="""
        self.enc_fc1 = nn.Linear(self.input_dim + self.num_categories, self.hidden_size)
        self.enc_fc2 = nn.Linear(self.hidden_size, self.hidden_size)
        self.enc_fc3 = nn.Linear(self.hidden_size, self.hidden_size)
""",
        methods="""
    def encoder(self, x):
        h = torch.relu(self.enc_fc1(x))
        h = torch.relu(self.enc_fc2(h))
        return torch.relu(self.enc_fc3(h))
""",
    ),
    "module-list": Network(
        before="""
class Tower(nn.Module):
    def __init__(self, *sizes):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x).clamp(min=0)
        return x
""",
        init="""
        h = self.hidden_size
        self.encoder = Tower(self.input_dim + self.num_categories, h, h, h)
""",
    ),
    "he-start": Network(
        init=correct.ENCODER
        + """
        for layer in self.encoder:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
"""
    ),
    "add-module": Network(
        init="""
        self.encoder = nn.Sequential()
        self.encoder.add_module("fc1", nn.Linear(self.input_dim + self.num_categories, self.hidden_size))
        self.encoder.add_module("relu1", nn.ReLU())
        self.encoder.add_module("fc2", nn.Linear(self.hidden_size, self.hidden_size))
        self.encoder.add_module("relu2", nn.ReLU())
        self.encoder.add_module("fc3", nn.Linear(self.hidden_size, self.hidden_size))
        self.encoder.add_module("relu3", nn.ReLU())
"""
    ),
}

HEADS = {
    "linear": correct.HEADS,
    "other-order": """
        self.logvariance_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)
        self.mean_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)
""",
    "sequential": """
        self.mean_layer = nn.Sequential(nn.Linear(self.hidden_size, self.latent_dimensionality))
        self.logvariance_layer = nn.Sequential(nn.Linear(self.hidden_size, self.latent_dimensionality))
""",
    "loop": """
        for head in ("mean_layer", "logvariance_layer"):
            setattr(self, head, nn.Linear(self.hidden_size, self.latent_dimensionality))
""",
    "by-keyword": """
        self.mean_layer, self.logvariance_layer = (
            nn.Linear(in_features=self.hidden_size, out_features=self.latent_dimensionality, bias=True)
            for _ in range(2))
""",
}

DECODERS = {
    "sequential": Network(init=correct.DECODER),
    "sequential-in-place": Network(init=correct.DECODER.replace("nn.ReLU()", "nn.ReLU(True)")),
    "flatten-last": Network(init=correct.DECODER.replace("nn.Sigmoid()", "nn.Sigmoid(), nn.Flatten()")),
    "list-unpacked": Network(
        init="""
        sizes = [self.latent_dimensionality + self.num_categories] + [self.hidden_size] * 3
        stack = [module for a, b in zip(sizes, sizes[1:]) for module in (nn.Linear(a, b), nn.ReLU())]
        self.decoder = nn.Sequential(*stack, nn.Linear(sizes[-1], self.input_dim), nn.Sigmoid())
"""
    ),
    "own-class": Network(
        before="""
class Decoder(nn.Module):
    def __init__(self, n_in, n_hidden, n_out):
        super(Decoder, self).__init__()
        self.hidden = nn.ModuleList(
            [nn.Linear(n_in, n_hidden), nn.Linear(n_hidden, n_hidden), nn.Linear(n_hidden, n_hidden)])
        self.final = nn.Linear(n_hidden, n_out)

    def forward(self, z):
        for layer in self.hidden:
            z = F.relu(layer(z))
        return torch.sigmoid(self.final(z))
""",
        init="""
        self.decoder = Decoder(self.latent_dimensionality + self.num_categories, self.hidden_size, self.input_dim)
""",
    ),
    "method-over-layers": Network(
        init="""
        self.fc1 = nn.Linear(self.latent_dimensionality + self.num_categories, self.hidden_size)
        self.fc2 = nn.Linear(self.hidden_size, self.hidden_size)
        self.fc3 = nn.Linear(self.hidden_size, self.hidden_size)
        self.fc4 = nn.Linear(self.hidden_size, self.input_dim)
""",
        methods="""
    def decoder(self, z):
        h = F.relu(self.fc1(z))
        h = F.relu(self.fc2(h))
        h = F.relu(self.fc3(h))
        return torch.special.expit(self.fc4(h))
""",
    ),
    "logistic-by-hand": Network(
        before="""
class Squash(nn.Module):
    def forward(self, x):
        return 1 / (1 + torch.exp(-x))
""",
        init=correct.DECODER.replace("nn.Sigmoid()", "Squash()"),
    ),
    "body-and-last": Network(
        init="""
        h = self.hidden_size
        body = nn.Sequential(
            nn.Linear(self.latent_dimensionality + self.num_categories, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU())
        self.decoder = nn.Sequential(body, nn.Sequential(nn.Linear(h, self.input_dim), nn.Sigmoid()))
"""
    ),
    "xavier-start": Network(
        init=correct.DECODER
        + """
        for parameter in self.decoder.parameters():
            if parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)
"""
    ),
    "ordered-dict": Network(
        before="from collections import OrderedDict\n",
        init="""
        h = self.hidden_size
        self.decoder = nn.Sequential(OrderedDict(
            fc1=nn.Linear(self.latent_dimensionality + self.num_categories, h), a1=nn.ReLU(), fc2=nn.Linear(h, h),
            a2=nn.ReLU(), fc3=nn.Linear(h, h), a3=nn.ReLU(), out=nn.Linear(h, self.input_dim), squash=nn.Sigmoid()))
""",
    ),
}

FORWARDS = {
    "plain": correct.FORWARD,
    "step-by-step": """
    def forward(self, data_input, condition):
        data_recon = None
        mean_params = None
        logvariance_params = None
        encoder_input = torch.cat((data_input, condition), dim=1)
        encoded = self.encoder(encoder_input)
        mean_params = self.mean_layer(encoded)
        logvariance_params = self.logvariance_layer(encoded)
        latents = sample_latent(mean_params, logvariance_params)
        decoder_input = torch.cat((latents, condition), dim=1)
        data_recon = self.decoder(decoder_input)
        return data_recon, mean_params, logvariance_params
""",
    "other-parameter-names": """
    def forward(self, x, c):
        x = x.view(-1, self.input_dim)
        h = self.encoder(torch.cat([x, c], 1))
        mu, logvar = self.mean_layer(h), self.logvariance_layer(h)
        z = sample_latent(mu, logvar)
        return self.decoder(torch.cat([z, c], 1)), mu, logvar
""",
    "encode-and-decode": """
    def encode(self, x, y):
        hidden = self.encoder(torch.cat((x, y), dim=-1))
        return self.mean_layer(hidden), self.logvariance_layer(hidden)

    def reparametrize(self, mu, logvar):
        return sample_latent(mu, logvar)

    def decode(self, z, y):
        return self.decoder(torch.cat((z, y), dim=-1))

    def forward(self, data_input, condition):
        mu, logvar = self.encode(data_input, condition)
        z = self.reparametrize(mu, logvar)
        recon = self.decode(z, condition)
        return recon, mu, logvar
""",
    "device-guarded": """
    def forward(self, data_input, condition):
        device = next(self.parameters()).device
        data_input, condition = data_input.to(device), condition.to(device).float()
        hidden = self.encoder(torch.hstack([data_input, condition]))
        mean_params = self.mean_layer(hidden)
        logvariance_params = self.logvariance_layer(hidden)
        latents = sample_latent(mean_params, logvariance_params).to(device)
        data_recon = self.decoder(torch.hstack([latents, condition]))
        return data_recon, mean_params, logvariance_params
""",
    "by-keyword": """
    def forward(self, data_input, condition):
        hidden = self.encoder(torch.concat(tensors=(data_input, condition), dim=-1))
        outputs = [layer(hidden) for layer in (self.mean_layer, self.logvariance_layer)]
        latents = sample_latent(*outputs)
        recon = self.decoder(torch.concat(tensors=(latents, condition), dim=-1))
        return (recon, *outputs)
""",
    "list-returned": """
    def forward(self, data_input, condition):
        batch_size = data_input.shape[0]
        data_input = data_input.reshape(batch_size, -1)
        h = self.encoder(torch.cat((data_input, condition), axis=1))
        mean_params, logvariance_params = self.mean_layer(h), self.logvariance_layer(h)
        latents = sample_latent(mean_params, logvariance_params)
        return [self.decoder(torch.cat((latents, condition), axis=1)), mean_params, logvariance_params]
""",
}

# The order of a module, and what else stands in it.
PARTS = "{sample}\n{loss}\n{model}\n"
WHOLES = {
    "plain": "{header}\n" + PARTS,
    "class-first": "{header}\n{model}\n{sample}\n{loss}\n",
    "many-imports": "import os, sys, math, time, random\nimport numpy as np\n{header}\n" + PARTS,
    "future": "from __future__ import annotations\n{header}\n" + PARTS,
    "device-and-seeds": "{header}\ndevice = torch.device('cuda' if torch.cuda.is_available() else 'cpu')\n"
    "torch.manual_seed(5814)\ntorch.backends.cudnn.deterministic = True\n" + PARTS,
    "prints": "{header}\nprint(torch.__version__)\n" + PARTS + "print(ConditionalVariationalAutoencoder(784))\n",
    "main-block": "{header}\n" + PARTS + "if __name__ == '__main__':\n    raise SystemExit('trains here')\n",
    "tries-itself": "{header}\n" + PARTS + "model = ConditionalVariationalAutoencoder(784, 10, 15)\n"
    "recon, mu, logvar = model(torch.rand(4, 784), torch.eye(10)[:4])\n"
    "loss = loss_function(recon, torch.rand(4, 784), mu, logvar)\nloss.backward()\nassert recon.shape == (4, 784)\n",
}


def compose(count: int = MODULES) -> dict[str, str]:
    """`count` correct modules by name, the same ones each time; every style of a piece about equally often."""
    generator = random.Random(5814)
    pieces: list[dict[str, Any]] = [SAMPLES, LOSSES, INITS, ENCODERS, HEADS, DECODERS, FORWARDS, WHOLES]
    columns = []
    for piece in pieces:
        column = (list(piece) * (count // len(piece) + 1))[:count]
        generator.shuffle(column)
        columns.append(column)
    return {" + ".join(names): module(*names) for names in zip(*columns, strict=True)}


def module(sample: str, loss: str, init: str, encoder: str, heads: str, decoder: str, forward: str, whole: str) -> str:
    """The module of these styles."""
    networks = ENCODERS[encoder], DECODERS[decoder]
    before = [SAMPLES[sample][0], LOSSES[loss][0], *(network.before for network in networks)]
    model = INITS[init] + networks[0].init + HEADS[heads] + networks[1].init
    methods = "".join(network.methods for network in networks)
    return WHOLES[whole].format(
        header=WITH_TORCH + "\n".join(before),
        sample=SAMPLES[sample][1],
        loss=LOSSES[loss][1],
        model=model + methods + FORWARDS[forward],
    )
