"""Modules that do what was asked, each in a style of its own. Every one of them must get full marks.

Here and in `wrong`, the number 64 stands for the term's hidden size and 15 for its latent dimensionality.
"""

import re
import tokenize

from autograder.assignments.cvae.assignment import HIDDEN_SIZE, LATENT_DIMENSIONALITY

HEADER = """\
import torch
import torch.nn as nn
import torch.nn.functional as F
"""

SAMPLE = """
def sample_latent(means, logvariances):
    return means + torch.randn_like(means) * torch.exp(logvariances / 2)
"""

LOSS = """
def loss_function(reconstructions, originals, means, logvariances):
    bce = F.binary_cross_entropy(reconstructions, originals, reduction="sum")
    kl = 0.5 * (means**2 + logvariances.exp() - 1 - logvariances).sum()
    return (bce + kl) / len(means)
"""


def of_this_term(source: str) -> str:
    """A piece of a module with the term's sizes in it."""
    sizes = {"64": str(HIDDEN_SIZE), "15": str(LATENT_DIMENSIONALITY)}
    return re.sub(r"\b(64|15)\b", lambda size: sizes[size[0]], source)


INIT = of_this_term("""
class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super(ConditionalVariationalAutoencoder, self).__init__()
        self.input_dim = input_dim
        self.latent_dimensionality = latent_dimensionality
        self.num_categories = num_categories
        self.hidden_size = 64
""")

ENCODER = """
        self.encoder = nn.Sequential(
            nn.Linear(self.input_dim + self.num_categories, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size), nn.ReLU(),
        )
"""

HEADS = """
        self.mean_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)
        self.logvariance_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)
"""

DECODER = """
        self.decoder = nn.Sequential(
            nn.Linear(self.latent_dimensionality + self.num_categories, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.hidden_size), nn.ReLU(),
            nn.Linear(self.hidden_size, self.input_dim), nn.Sigmoid(),
        )
"""

FORWARD = """
    def forward(self, data_input, condition):
        h = self.encoder(torch.cat([data_input, condition], dim=1))
        mean_params, logvariance_params = self.mean_layer(h), self.logvariance_layer(h)
        z = sample_latent(mean_params, logvariance_params)
        data_recon = self.decoder(torch.cat([z, condition], dim=1))
        return data_recon, mean_params, logvariance_params
"""

MODEL = INIT + ENCODER + HEADS + DECODER + FORWARD


def module(*, header: str = HEADER, sample: str = SAMPLE, loss: str = LOSS, model: str = MODEL) -> str:
    """A whole submission: these pieces where given, plain ones elsewhere."""
    return "\n".join((header, sample, loss, model))


def encoded(source: str) -> bytes:
    """The file as the student's editor would save it: in the encoding that its coding cookie names, UTF-8 if none."""
    cookie = next((found for line in source.splitlines()[:2] if (found := tokenize.cookie_re.match(line))), None)
    return source.encode(cookie[1] if cookie else "utf-8")


CORRECT: dict[str, str] = {"plain": module()}

# ---------------------------------------------------------------- sample_latent

SAMPLES = (  # name, what is imported beside torch, text
    (
        "rsample",
        "",
        """
def sample_latent(means, logvariances):
    return torch.distributions.Normal(means, torch.exp(0.5 * logvariances)).rsample()
""",
    ),
    (
        "rsample-multivariate",
        "from torch.distributions import Independent, Normal\n",
        """
def sample_latent(means, logvariances):
    posterior = Independent(Normal(loc=means, scale=logvariances.mul(0.5).exp()), 1)
    return posterior.rsample()
""",
    ),
    (
        "torch-normal",
        "",
        """
def sample_latent(means, logvariances):
    eps = torch.normal(torch.zeros_like(means), torch.ones_like(means))
    return means + eps * torch.exp(0.5 * logvariances)
""",
    ),
    (
        "randn-of-shape",
        "",
        """
def sample_latent(means, logvariances):
    epsilon = torch.randn(means.shape, dtype=means.dtype, device=means.device)
    return torch.sqrt(torch.exp(logvariances)) * epsilon + means
""",
    ),
    (
        "randn-of-sizes",
        "",
        """
def sample_latent(means, logvariances):
    n, d = means.size()
    sigma = logvariances.exp() ** 0.5
    return means.add(sigma.mul(torch.randn(n, d)))
""",
    ),
    (
        "empty-normal",
        "",
        """
def sample_latent(means, logvariances):
    std = logvariances.mul(0.5).exp_()
    eps = torch.empty(std.size()).normal_()
    return eps.mul(std).add_(means)
""",
    ),
    (
        "new-normal-of-old-tutorials",
        "from torch.autograd import Variable\n",
        """
def sample_latent(means, logvariances):
    std = logvariances.mul(0.5).exp_()
    eps = Variable(std.data.new(std.size()).normal_())
    return eps.mul(std).add_(means)
""",
    ),
    (
        "double-precision-draw",
        "",
        """
def sample_latent(means, logvariances):
    eps = torch.randn(means.shape, dtype=torch.float64)
    return means + torch.exp(0.5 * logvariances) * eps.to(means.dtype)
""",
    ),
    (
        "transposed-draw",
        "",
        """
def sample_latent(means, logvariances):
    num_samples, num_latents = means.shape
    eps = torch.randn(num_latents, num_samples).T
    return means + torch.exp(logvariances / 2) * eps
""",
    ),
    (
        "numpy-draw",
        "import numpy as np\n",
        """
def sample_latent(means, logvariances):
    eps = torch.from_numpy(np.random.default_rng().standard_normal(tuple(means.shape), dtype=np.float32))
    return means + torch.exp(logvariances / 2) * eps
""",
    ),
    (
        "addcmul",
        "",
        """
def sample_latent(means, logvariances):
    return torch.addcmul(means, torch.exp(0.5 * logvariances), torch.randn_like(logvariances))
""",
    ),
    (
        "exp2-std",
        "import math\n",
        """
def sample_latent(means, logvariances):
    std = torch.exp2(logvariances / (2 * math.log(2)))
    return torch.randn_like(std) * std + means
""",
    ),
    (
        "own-generator",
        "",
        """
NOISE = torch.Generator()
NOISE.seed()

def sample_latent(means, logvariances):
    eps = torch.randn(means.shape, generator=NOISE)
    return means + torch.exp(0.5 * logvariances) * eps
""",
    ),
    (
        "noise-without-grad",
        "",
        """
def sample_latent(means, logvariances):
    with torch.no_grad():
        noise = torch.randn(*means.shape)
    return torch.lerp(means, means + noise, torch.exp(0.5 * logvariances))
""",
    ),
    (
        "box-muller",
        "import math\n",
        """
def sample_latent(means, logvariances):
    # The Box-Muller transform of two uniform draws; 1 - u keeps the logarithm finite.
    u, v = torch.rand(2, *means.shape, dtype=torch.float64).unbind(0)
    eps = (torch.sqrt(-2 * torch.log(1 - u)) * torch.cos(2 * math.pi * v)).to(means.dtype)
    return means + torch.exp(0.5 * logvariances) * eps
""",
    ),
)
CORRECT |= {name: module(header=HEADER + header, sample=text) for name, header, text in SAMPLES}

# ---------------------------------------------------------------- loss_function

LOSSES = (  # name, what is imported beside torch, text
    (
        "cross-entropy-by-hand",
        "",
        """
def loss_function(reconstructions, originals, means, logvariances):
    n = originals.shape[0]
    x, y = originals.reshape(n, -1), reconstructions.reshape(n, -1).clamp(1e-7, 1 - 1e-7)
    bce = -(x * torch.log(y) + (1 - x) * torch.log(1 - y)).sum(dim=1)
    kld = -0.5 * (1 + logvariances - means.pow(2) - logvariances.exp()).sum(dim=1)
    return (bce + kld).mean()
""",
    ),
    (
        "cross-entropy-by-hand-clamped",
        "",
        """
EPS = 1e-7

def loss_function(reconstructions, originals, means, logvariances):
    y = torch.clamp(reconstructions, EPS, 1 - EPS)
    bce = originals * torch.log(y) + (1.0 - originals) * torch.log(1.0 - y)
    bce = -bce.flatten(start_dim=1).sum(1)
    kl = -0.5 * torch.sum(1 + logvariances - torch.square(means) - torch.exp(logvariances), 1)
    return torch.mean(bce + kl, dim=0)
""",
    ),
    (
        "cross-entropy-by-hand-log1p",
        "",
        """
def loss_function(reconstructions, originals, means, logvariances):
    batch = originals.size(0)
    reconstructions = reconstructions.clamp(1e-7, 1 - 1e-7)
    ones = torch.xlogy(originals, reconstructions)
    zeros = (1 - originals) * torch.log1p(-reconstructions)
    rec = -(ones + zeros).sum() / batch
    kl = (means.square() + torch.expm1(logvariances) - logvariances).sum() / (2 * batch)
    return rec + kl
""",
    ),
    (
        "cross-entropy-by-hand-eps-in-log",
        "",
        """
def loss_function(reconstructions, originals, means, logvariances):
    eps = 1e-8
    a = originals * torch.log(reconstructions + eps)
    b = (1 - originals) * torch.log(1 - reconstructions + eps)
    dims = tuple(range(1, originals.ndim))
    kl = 1 + logvariances - means * means - torch.exp(logvariances)
    return torch.mean(-(a + b).sum(dim=dims) - 0.5 * kl.sum(dim=-1))
""",
    ),
    (
        "cross-entropy-per-pixel",
        "",
        """
def loss_function(reconstructions, originals, means, logvariances):
    per_pixel = F.binary_cross_entropy(reconstructions, originals, reduction="none")
    per_image = per_pixel.view(per_pixel.size(0), -1).sum(-1)
    kl_per_image = 0.5 * (means.pow(2) + logvariances.exp() - logvariances - 1).sum(-1)
    return per_image.mean() + kl_per_image.mean()
""",
    ),
    (
        "cross-entropy-mean-times-pixels",
        "",
        """
def loss_function(reconstructions, originals, means, logvariances):
    N = originals.shape[0]
    bce = F.binary_cross_entropy(reconstructions, originals) * originals.numel()
    kl = -0.5 * torch.sum(1 + logvariances - means.pow(2) - logvariances.exp())
    return bce / N + kl / N
""",
    ),
    (
        "bce-module",
        "",
        """
criterion = nn.BCELoss(reduction="sum")

def loss_function(reconstructions, originals, means, logvariances):
    reconstruction_loss = criterion(reconstructions.flatten(1), originals.flatten(1))
    regularization = -torch.sum(1 + logvariances - means ** 2 - logvariances.exp()) / 2
    return torch.div(reconstruction_loss + regularization, originals.shape[0])
""",
    ),
    (
        "bce-size-average-of-old-tutorials",
        "import warnings\n\nwarnings.simplefilter('ignore')\n",
        """
def loss_function(reconstructions, originals, means, logvariances):
    bce = F.binary_cross_entropy(reconstructions, originals, size_average=False)
    kld = -0.5 * torch.sum(1 + logvariances - means.pow(2) - logvariances.exp())
    return (bce + kld) / reconstructions.shape[0]
""",
    ),
    (
        "kl-divergence-of-distributions",
        "from torch.distributions import Normal, kl_divergence\n",
        """
def loss_function(reconstructions, originals, means, logvariances):
    posterior = Normal(means, torch.exp(0.5 * logvariances))
    prior = Normal(torch.zeros_like(means), torch.ones_like(means))
    kl = kl_divergence(posterior, prior).sum(dim=1)
    bce = F.binary_cross_entropy(reconstructions, originals, reduction="none").flatten(1).sum(dim=1)
    return (kl + bce).mean()
""",
    ),
    (
        "bernoulli-log-prob",
        "import torch.distributions as D\n",
        """
def loss_function(reconstructions, originals, means, logvariances):
    logits = torch.logit(reconstructions, eps=1e-7)
    likelihood = D.Bernoulli(logits=logits, validate_args=False).log_prob(originals)
    kl = -0.5 * (1 + logvariances - means**2 - torch.exp(logvariances))
    return (kl.sum() - likelihood.sum()) / means.size(0)
""",
    ),
    (
        "cross-entropy-with-logits",
        "",
        """
def loss_function(reconstructions, originals, means, logvariances):
    probabilities = reconstructions.clamp(1e-7, 1 - 1e-7)
    logits = torch.log(probabilities) - torch.log1p(-probabilities)
    bce = F.binary_cross_entropy_with_logits(logits, originals, reduction="sum")
    kl = 0.5 * torch.sum(logvariances.exp() + means**2 - 1.0 - logvariances)
    return (bce + kl) / float(means.shape[0])
""",
    ),
    (
        "einsum",
        "",
        """
def loss_function(reconstructions, originals, means, logvariances):
    x, y = originals.flatten(1), reconstructions.flatten(1)
    log_y = torch.log(y).clamp(min=-100)
    log_not_y = torch.log(1 - y).clamp(min=-100)
    bce = -torch.einsum("np,np->", x, log_y) - torch.einsum("np,np->", 1 - x, log_not_y)
    squares = torch.einsum("nl,nl->", means, means)
    kl = 0.5 * (squares + torch.einsum("nl->", torch.exp(logvariances) - logvariances - 1))
    return (bce + kl) / x.shape[0]
""",
    ),
    (
        "vmap",
        "from torch.func import vmap\n",
        """
def _loss_of_one(reconstruction, original, mean, logvariance):
    bce = F.binary_cross_entropy(reconstruction, original, reduction="sum")
    kl = -0.5 * torch.sum(1 + logvariance - mean**2 - torch.exp(logvariance))
    return bce + kl

def loss_function(reconstructions, originals, means, logvariances):
    return vmap(_loss_of_one)(reconstructions, originals, means, logvariances).mean()
""",
    ),
    (
        "kl-from-sigma",
        "",
        """
def loss_function(reconstructions, originals, means, logvariances):
    sigma = torch.exp(0.5 * logvariances)
    kl = -torch.log(sigma) + (sigma**2 + means**2) / 2 - 1 / 2
    bce = F.binary_cross_entropy(reconstructions, originals, reduction="sum")
    return sum((bce, kl.sum())) / means.shape[0]
""",
    ),
    (
        "float64-inside",
        "",
        """
def loss_function(reconstructions, originals, means, logvariances):
    y, x, m, v = (t.double() for t in (reconstructions, originals, means, logvariances))
    bce = F.binary_cross_entropy(y, x, reduction="sum")
    kl = -0.5 * torch.sum(1 + v - m**2 - v.exp())
    return ((bce + kl) / m.shape[0]).to(means.dtype)
""",
    ),
    (
        "image-helpers",
        "",
        """
def _per_image(t):
    return torch.flatten(t, 1).sum(1, keepdim=True)

def _bce(p, q):
    return _per_image(nn.functional.binary_cross_entropy(input=p, target=q, reduction="none"))

def _kl(mu, logvar):
    return _per_image(-0.5 * (1 + logvar - mu.pow(2) - logvar.exp()))

def loss_function(reconstructions, originals, means, logvariances):
    return torch.mean(_bce(reconstructions, originals) + _kl(means, logvariances))
""",
    ),
)
CORRECT |= {name: module(header=HEADER + header, loss=text) for name, header, text in LOSSES}

# ---------------------------------------------------------------- the model

MODELS = (  # name, what is imported beside torch, text
    (
        "sub-modules",
        "",
        """
class Encoder(nn.Module):
    def __init__(self, n_in, n_hidden):
        super().__init__()
        self.fc1 = nn.Linear(n_in, n_hidden)
        self.fc2 = nn.Linear(n_hidden, n_hidden)
        self.fc3 = nn.Linear(n_hidden, n_hidden)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return F.relu(self.fc3(x))

class Decoder(nn.Module):
    def __init__(self, n_in, n_hidden, n_out):
        super().__init__()
        self.fc1 = nn.Linear(n_in, n_hidden)
        self.fc2 = nn.Linear(n_hidden, n_hidden)
        self.fc3 = nn.Linear(n_hidden, n_hidden)
        self.out = nn.Linear(n_hidden, n_out)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        x = F.relu(self.fc3(x))
        return torch.sigmoid(self.out(x))
"""
        + INIT
        + """
        self.encoder = Encoder(input_dim + num_categories, self.hidden_size)
"""
        + HEADS
        + """
        self.decoder = Decoder(latent_dimensionality + num_categories, self.hidden_size, input_dim)
"""
        + FORWARD,
    ),
    (
        "sub-modules-registered-backwards",
        "",
        """
class Decoder(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.last = nn.Linear(sizes[-2], sizes[-1])
        self.third = nn.Linear(sizes[2], sizes[3])
        self.second = nn.Linear(sizes[1], sizes[2])
        self.first = nn.Linear(sizes[0], sizes[1])

    def forward(self, x):
        return self.last(self.third(self.second(self.first(x).relu()).relu()).relu()).sigmoid()
"""
        + INIT
        + """
        h = self.hidden_size
        self.decoder = Decoder([latent_dimensionality + num_categories, h, h, h, input_dim])
"""
        + HEADS
        + ENCODER
        + FORWARD,
    ),
    (
        "inherited-sequential",
        "",
        """
class Hidden(nn.Sequential):
    def __init__(self, *sizes):
        layers = []
        for n_in, n_out in zip(sizes, sizes[1:]):
            layers += [nn.Linear(n_in, n_out), nn.ReLU(inplace=True)]
        super().__init__(*layers)
"""
        + INIT
        + """
        h = self.hidden_size
        self.encoder = Hidden(input_dim + num_categories, h, h, h)
        self.decoder = nn.Sequential(
            Hidden(latent_dimensionality + num_categories, h, h, h), nn.Linear(h, input_dim), nn.Sigmoid()
        )
"""
        + HEADS
        + FORWARD,
    ),
    (
        "module-list",
        "",
        """
class Stack(nn.Module):
    def __init__(self, sizes, squash):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:])])
        self.squash = squash

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.squash(self.layers[-1](x))
"""
        + INIT
        + """
        hidden = [self.hidden_size] * 3
        self.encoder = Stack([input_dim + num_categories] + hidden, F.relu)
        self.decoder = Stack([latent_dimensionality + num_categories] + hidden + [input_dim], torch.sigmoid)
"""
        + HEADS
        + FORWARD,
    ),
    (
        "module-list-encoder-not-callable",
        "",
        INIT
        + """
        widths = [input_dim + num_categories, self.hidden_size, self.hidden_size, self.hidden_size]
        self.encoder = nn.ModuleList(nn.Linear(widths[i], widths[i + 1]) for i in range(3))
"""
        + HEADS
        + DECODER
        + """
    def forward(self, data_input, condition):
        h = torch.cat((data_input, condition), 1)
        for layer in self.encoder:
            h = torch.relu(layer(h))
        mu, logvar = self.mean_layer(h), self.logvariance_layer(h)
        return self.decoder(torch.cat((sample_latent(mu, logvar), condition), 1)), mu, logvar
""",
    ),
    (
        "functional-parameters",
        "import math\n",
        INIT
        + """
        h, c, l = self.hidden_size, num_categories, latent_dimensionality

        def weight(n_out, n_in):
            return nn.Parameter(torch.empty(n_out, n_in).uniform_(-1, 1) / math.sqrt(n_in))

        def bias(n):
            return nn.Parameter(torch.zeros(n))

        self.w1, self.b1 = weight(h, input_dim + c), bias(h)
        self.w2, self.b2 = weight(h, h), bias(h)
        self.w3, self.b3 = weight(h, h), bias(h)
"""
        + HEADS
        + """
        self.v1, self.c1 = weight(h, l + c), bias(h)
        self.v2, self.c2 = weight(h, h), bias(h)
        self.v3, self.c3 = weight(h, h), bias(h)
        self.v4, self.c4 = weight(input_dim, h), bias(input_dim)

    def encoder(self, x):
        x = F.relu(F.linear(x, self.w1, self.b1))
        x = F.relu(F.linear(x, self.w2, self.b2))
        return F.relu(F.linear(x, self.w3, self.b3))

    def decoder(self, z):
        z = F.relu(F.linear(z, self.v1, self.c1))
        z = F.relu(F.linear(z, self.v2, self.c2))
        z = F.relu(F.linear(z, self.v3, self.c3))
        return torch.sigmoid(F.linear(z, self.v4, self.c4))
"""
        + FORWARD,
    ),
    (
        "functional-parameter-lists",
        "",
        INIT
        + """
        h, k = self.hidden_size, num_categories
        self.enc_w, self.enc_b = self._parameters_for([input_dim + k, h, h, h])
        self.dec_w, self.dec_b = self._parameters_for([latent_dimensionality + k, h, h, h, input_dim])
"""
        + HEADS
        + """
    @staticmethod
    def _parameters_for(sizes):
        weights = [nn.init.kaiming_uniform_(torch.empty(b, a), nonlinearity="relu") for a, b in zip(sizes, sizes[1:])]
        return nn.ParameterList(weights), nn.ParameterList([torch.zeros(b) for b in sizes[1:]])

    def encoder(self, x):
        for w, b in zip(self.enc_w, self.enc_b):
            x = (x @ w.t() + b).clamp(min=0)
        return x

    def decoder(self, x):
        last = len(self.dec_w) - 1
        for i, (w, b) in enumerate(zip(self.dec_w, self.dec_b)):
            x = x @ w.t() + b
            x = torch.sigmoid(x) if i == last else x.clamp(min=0)
        return x
"""
        + FORWARD,
    ),
    (
        "weights-transposed",
        "",
        """
class Dense(nn.Module):
    # Weights as (in, out), the way numpy code has them.
    def __init__(self, n_in, n_out):
        super().__init__()
        self.W = nn.Parameter(torch.randn(n_in, n_out) * (2 / n_in) ** 0.5)
        self.b = nn.Parameter(torch.zeros(n_out))

    def forward(self, x):
        return x @ self.W + self.b
"""
        + INIT
        + """
        h = self.hidden_size
        self.encoder = nn.Sequential(
            Dense(input_dim + num_categories, h), nn.ReLU(), Dense(h, h), nn.ReLU(), Dense(h, h), nn.ReLU())
        self.mean_layer = Dense(h, latent_dimensionality)
        self.logvariance_layer = Dense(h, latent_dimensionality)
        self.decoder = nn.Sequential(
            Dense(latent_dimensionality + num_categories, h), nn.ReLU(), Dense(h, h), nn.ReLU(), Dense(h, h),
            nn.ReLU(), Dense(h, input_dim), nn.Sigmoid())
"""
        + FORWARD,
    ),
    (
        "einsum-layers-bias-first",
        "",
        """
class Affine(nn.Module):
    def __init__(self, fan_in, fan_out):
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(1, fan_out))
        self.matrix = nn.Parameter(nn.init.xavier_normal_(torch.empty(fan_out, fan_in)))

    def forward(self, x):
        return torch.einsum("oi,ni->no", self.matrix, x) + self.offset
"""
        + INIT
        + """
        h = self.hidden_size
        self.encoder = nn.Sequential(
            Affine(input_dim + num_categories, h), nn.ReLU(), Affine(h, h), nn.ReLU(), Affine(h, h), nn.ReLU())
        self.mean_layer, self.logvariance_layer = Affine(h, latent_dimensionality), Affine(h, latent_dimensionality)
        self.decoder = nn.Sequential(
            Affine(latent_dimensionality + num_categories, h), nn.ReLU(), Affine(h, h), nn.ReLU(), Affine(h, h),
            nn.ReLU(), Affine(h, input_dim), nn.Sigmoid())
"""
        + FORWARD,
    ),
    (
        "ordered-dict",
        "from collections import OrderedDict\n",
        INIT
        + """
        h = self.hidden_size
        self.encoder = nn.Sequential(OrderedDict([
            ("linear1", nn.Linear(input_dim + num_categories, h)), ("relu1", nn.ReLU()),
            ("linear2", nn.Linear(h, h)), ("relu2", nn.ReLU()),
            ("linear3", nn.Linear(h, h)), ("relu3", nn.ReLU()),
        ]))
"""
        + HEADS
        + """
        self.decoder = nn.Sequential(OrderedDict([
            ("linear1", nn.Linear(latent_dimensionality + num_categories, h)), ("relu1", nn.ReLU()),
            ("linear2", nn.Linear(h, h)), ("relu2", nn.ReLU()),
            ("linear3", nn.Linear(h, h)), ("relu3", nn.ReLU()),
            ("linear4", nn.Linear(h, input_dim)), ("sigmoid", nn.Sigmoid()),
        ]))
"""
        + FORWARD,
    ),
    (
        "named-layers-gathered",
        "",
        INIT
        + """
        h = self.hidden_size
        self.enc1 = nn.Linear(input_dim + num_categories, h)
        self.enc2 = nn.Linear(h, h)
        self.enc3 = nn.Linear(h, h)
        self.dec1 = nn.Linear(latent_dimensionality + num_categories, h)
        self.dec2 = nn.Linear(h, h)
        self.dec3 = nn.Linear(h, h)
        self.dec4 = nn.Linear(h, input_dim)
        self.relu = nn.ReLU()
        self.encoder = nn.Sequential(self.enc1, self.relu, self.enc2, self.relu, self.enc3, self.relu)
        self.decoder = nn.Sequential(
            self.dec1, self.relu, self.dec2, self.relu, self.dec3, self.relu, self.dec4, nn.Sigmoid())
"""
        + HEADS
        + FORWARD,
    ),
    ("heads-before-encoder", "", INIT + HEADS + ENCODER + DECODER + FORWARD),
    ("decoder-before-encoder", "", INIT + DECODER + ENCODER + HEADS + FORWARD),
    (
        "heads-in-other-order",
        "",
        INIT
        + ENCODER
        + """
        self.logvariance_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)
        self.mean_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)
"""
        + DECODER
        + FORWARD,
    ),
    (
        "xavier",
        "",
        INIT
        + ENCODER
        + HEADS
        + DECODER
        + """
        self.apply(self._init)

    @staticmethod
    def _init(layer):
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
"""
        + FORWARD,
    ),
    (
        "orthogonal",
        "",
        INIT
        + ENCODER
        + HEADS
        + DECODER
        + """
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.orthogonal_(parameter)
"""
        + FORWARD,
    ),
    (
        "he-and-constant-bias",
        "",
        INIT
        + ENCODER
        + HEADS
        + DECODER
        + """
        for part in (self.encoder, self.decoder):
            for layer in part:
                if hasattr(layer, "weight"):
                    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                    nn.init.constant_(layer.bias, 0.0)
"""
        + FORWARD,
    ),
    (
        "small-normal",
        "",
        INIT
        + ENCODER
        + HEADS
        + DECODER
        + """
        with torch.no_grad():
            for name, p in self.named_parameters():
                p.normal_(0, 0.02) if name.endswith("weight") else p.zero_()
"""
        + FORWARD,
    ),
    (
        "logvariance-starts-at-zero",
        "",
        INIT
        + ENCODER
        + HEADS
        + DECODER
        + """
        nn.init.zeros_(self.logvariance_layer.weight)
        nn.init.zeros_(self.logvariance_layer.bias)
"""
        + FORWARD,
    ),
    (
        "heads-in-sequential",
        "",
        INIT
        + ENCODER
        + """
        self.mean_layer = nn.Sequential(nn.Linear(self.hidden_size, self.latent_dimensionality))
        self.logvariance_layer = nn.Sequential(nn.Linear(self.hidden_size, self.latent_dimensionality), nn.Identity())
"""
        + DECODER
        + FORWARD,
    ),
    (
        "lambda-activations",
        "",
        """
class Activation(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)

relu = lambda x: x * (x > 0)
sigmoid = lambda x: 1 / (1 + torch.exp(-x))
"""
        + INIT
        + """
        h = self.hidden_size
        self.encoder = nn.Sequential(
            nn.Linear(input_dim + num_categories, h), Activation(relu), nn.Linear(h, h), Activation(relu),
            nn.Linear(h, h), Activation(relu))
        self.decoder = nn.Sequential(
            nn.Linear(latent_dimensionality + num_categories, h), Activation(relu), nn.Linear(h, h), Activation(relu),
            nn.Linear(h, h), Activation(relu), nn.Linear(h, input_dim), Activation(sigmoid))
"""
        + HEADS
        + FORWARD,
    ),
    (
        "relu-in-place",
        "",
        INIT
        + ENCODER.replace("nn.ReLU()", "nn.ReLU(True)")
        + HEADS
        + DECODER.replace("nn.ReLU()", "nn.ReLU(inplace=True)")
        + FORWARD,
    ),
    (
        "relu-as-threshold",
        "",
        INIT
        + ENCODER.replace("nn.ReLU()", "nn.Threshold(0.0, 0.0)")
        + HEADS
        + DECODER.replace("nn.ReLU()", "nn.LeakyReLU(0.0)").replace("nn.Sigmoid()", "nn.Flatten(), nn.Sigmoid()")
        + FORWARD,
    ),
    (
        "lazy-linear",
        "",
        INIT
        + ENCODER
        + HEADS
        + DECODER.replace("nn.Linear(self.latent_dimensionality + self.num_categories, ", "nn.LazyLinear(")
        + """
        with torch.no_grad():
            self.decoder(torch.zeros(1, latent_dimensionality + num_categories))
"""
        + FORWARD,
    ),
    (
        "hstack-and-concat",
        "",
        INIT
        + ENCODER
        + HEADS
        + DECODER
        + """
    def forward(self, data_input, condition):
        hidden = self.encoder(torch.hstack((data_input, condition)))
        mean_params = self.mean_layer(hidden)
        logvariance_params = self.logvariance_layer(hidden)
        latents = sample_latent(means=mean_params, logvariances=logvariance_params)
        data_recon = self.decoder(torch.concat([latents, condition], axis=-1))
        return (data_recon, mean_params, logvariance_params)
""",
    ),
    (
        "image-shapes-inside",
        "",
        INIT
        + ENCODER
        + HEADS
        + DECODER
        + """
    def forward(self, data_input, condition):
        batch = data_input.size(0)
        flat = data_input.view(batch, -1)
        hidden = self.encoder(torch.cat((flat, condition.to(flat.dtype)), dim=1))
        mu = self.mean_layer(hidden)
        logvar = self.logvariance_layer(hidden)
        recon = self.decoder(torch.cat((sample_latent(mu, logvar), condition.float()), dim=1))
        return recon.view(batch, self.input_dim), mu, logvar
""",
    ),
    (
        "extra-methods",
        "",
        INIT
        + ENCODER
        + HEADS
        + DECODER
        + """
    def encode(self, x, c):
        h = self.encoder(torch.cat((x, c), dim=-1))
        return self.mean_layer(h), self.logvariance_layer(h)

    def reparameterize(self, mu, logvar):
        return sample_latent(mu, logvar)

    def decode(self, z, c):
        return self.decoder(torch.cat((z, c), dim=-1))

    @torch.no_grad()
    def generate(self, digits):
        c = F.one_hot(torch.as_tensor(digits), self.num_categories).float()
        return self.decode(torch.randn(len(c), self.latent_dimensionality), c)

    def forward(self, data_input, condition):
        mu, logvar = self.encode(data_input, condition)
        return self.decode(self.reparameterize(mu, logvar), condition), mu, logvar
""",
    ),
    (
        "draw-written-in-forward",
        "",
        INIT
        + ENCODER
        + HEADS
        + DECODER
        + """
    def forward(self, data_input, condition):
        h = self.encoder(torch.cat((data_input, condition), dim=-1))
        mu, logvar = self.mean_layer(h), self.logvariance_layer(h)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        return self.decoder(torch.cat((z, condition), dim=-1)), mu, logvar
""",
    ),
    (
        "sampled-twice",
        "",
        INIT
        + ENCODER
        + HEADS
        + DECODER
        + """
    def forward(self, data_input, condition):
        h = self.encoder(torch.cat((data_input, condition), dim=-1))
        mu, logvar = self.mean_layer(h), self.logvariance_layer(h)
        z = sample_latent(mu, logvar)
        z = sample_latent(mu, logvar)
        return self.decoder(torch.cat((z, condition), dim=-1)), mu, logvar
""",
    ),
    (
        "properties-and-constants",
        "",
        """
class ConditionalVariationalAutoencoder(nn.Module):
    hidden_size = 64

    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        vars(self).update(
            input_dim=input_dim, num_categories=num_categories, latent_dimensionality=latent_dimensionality)
        self.add_module("encoder", self._hidden(input_dim + num_categories))
        self.add_module("mean_layer", nn.Linear(self.hidden_size, latent_dimensionality))
        self.add_module("logvariance_layer", nn.Linear(self.hidden_size, latent_dimensionality))
        self.add_module("decoder", self._hidden(latent_dimensionality + num_categories))
        self.decoder.append(nn.Linear(self.hidden_size, input_dim)).append(nn.Sigmoid())

    @classmethod
    def _hidden(cls, width):
        layers = nn.Sequential()
        for _ in range(3):
            layers.append(nn.Linear(width, cls.hidden_size))
            layers.append(nn.ReLU())
            width = cls.hidden_size
        return layers
"""
        + FORWARD,
    ),
    (
        "decoder-split-in-two",
        "",
        INIT
        + ENCODER
        + HEADS
        + """
        h = self.hidden_size
        self.body = nn.Sequential(
            nn.Linear(latent_dimensionality + num_categories, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU())
        self.pixels = nn.Linear(h, input_dim)

    def decoder(self, latents_and_condition):
        return torch.sigmoid(self.pixels(self.body(latents_and_condition)))
"""
        + FORWARD,
    ),
    (
        "base-class-and-mixin",
        "from abc import ABC, abstractmethod\n",
        """
class Autoencoder(nn.Module, ABC):
    @abstractmethod
    def encode(self, x): ...

class Shapes:
    def join(self, *tensors):
        return torch.cat(tensors, dim=-1)
"""
        + INIT.replace("(nn.Module)", "(Autoencoder, Shapes)")
        + ENCODER
        + HEADS
        + DECODER
        + """
    def encode(self, x):
        return (head(self.encoder(x)) for head in (self.mean_layer, self.logvariance_layer))

    def forward(self, data_input, condition):
        mean, logvar = self.encode(self.join(data_input, condition))
        return self.decoder(self.join(sample_latent(mean, logvar), condition)), mean, logvar
""",
    ),
)
CORRECT |= {name: module(header=HEADER + header, model=text) for name, header, text in MODELS}

# ---------------------------------------------------------------- the module as a whole

CORRECT["class-first"] = module(sample=MODEL, loss=SAMPLE, model=LOSS)

CORRECT["type-hints"] = '''\
"""My solution."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def sample_latent(means: Tensor, logvariances: Tensor) -> Tensor:
    """Draw z."""
    std: Tensor = torch.exp(0.5 * logvariances)
    return means + std * torch.randn_like(std)


def loss_function(reconstructions: Tensor, originals: Tensor, means: Tensor, logvariances: Tensor) -> Tensor:
    batch_size: int = means.shape[0]
    bce: Tensor = F.binary_cross_entropy(reconstructions, originals, reduction="sum") / batch_size
    kld: Tensor = -0.5 * torch.sum(1 + logvariances - means**2 - logvariances.exp()) / batch_size
    return bce + kld


class ConditionalVariationalAutoencoder(nn.Module):
    input_dim: int
    encoder: nn.Sequential

    def __init__(self, input_dim: int, num_categories: int = 10, latent_dimensionality: int = 15) -> None:
        super().__init__()
        self.input_dim = input_dim
        self.num_categories = num_categories
        self.latent_dimensionality = latent_dimensionality
        self.hidden_size = hidden_size = 64
        self.encoder = self._mlp([input_dim + num_categories, *[hidden_size] * 3])
        self.mean_layer = nn.Linear(hidden_size, latent_dimensionality)
        self.logvariance_layer = nn.Linear(hidden_size, latent_dimensionality)
        decoder: list[nn.Module] = [*self._mlp([latent_dimensionality + num_categories, *[hidden_size] * 3])]
        self.decoder = nn.Sequential(*decoder, nn.Linear(hidden_size, input_dim), nn.Sigmoid())

    @staticmethod
    def _mlp(sizes: list[int]) -> nn.Sequential:
        layers: list[nn.Module] = []
        for fan_in, fan_out in zip(sizes, sizes[1:]):
            layers += nn.Linear(fan_in, fan_out), nn.ReLU()
        return nn.Sequential(*layers)

    def forward(self, data_input: Tensor, condition: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self.encoder(torch.cat((data_input, condition), dim=-1))
        mean_params, logvariance_params = self.mean_layer(hidden), self.logvariance_layer(hidden)
        latents = sample_latent(mean_params, logvariance_params)
        return self.decoder(torch.cat((latents, condition), dim=-1)), mean_params, logvariance_params
'''

CORRECT["keyword-defaults"] = module(
    sample="""
def sample_latent(means, logvariances, *, draw=torch.randn_like, temperature=1.0):
    std = torch.exp(0.5 * logvariances)
    return means + temperature * std * draw(std)
""",
    loss="""
def loss_function(reconstructions, originals, means, logvariances, beta=1.0, reduction="mean"):
    bce = F.binary_cross_entropy(reconstructions, originals, reduction="none").flatten(1).sum(1)
    kl = -0.5 * (1 + logvariances - means**2 - logvariances.exp()).sum(1)
    return getattr(torch, reduction)(bce + beta * kl)
""",
)

CORRECT["dataclass-configuration"] = module(
    header=HEADER + "from dataclasses import dataclass, field\n",
    model="""
@dataclass
class Config:
    image: int
    classes: int = 10
    latent: int = 15
    hidden: int = 64
    depth: int = 3
    widths: list = field(init=False)

    def __post_init__(self):
        self.widths = [self.hidden] * self.depth

    def layers(self, width):
        for hidden in self.widths:
            yield from (nn.Linear(width, hidden), nn.ReLU())
            width = hidden

class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        self.config = cfg = Config(input_dim, num_categories, latent_dimensionality)
        self.input_dim, self.num_categories, self.latent_dimensionality = cfg.image, cfg.classes, cfg.latent
        self.hidden_size = cfg.hidden
        self.encoder = nn.Sequential(*cfg.layers(cfg.image + cfg.classes))
        self.mean_layer = nn.Linear(cfg.hidden, cfg.latent)
        self.logvariance_layer = nn.Linear(cfg.hidden, cfg.latent)
        self.decoder = nn.Sequential(
            *cfg.layers(cfg.latent + cfg.classes), nn.Linear(cfg.hidden, cfg.image), nn.Sigmoid())
"""
    + FORWARD,
)

CORRECT["prints-everywhere"] = module(
    header=HEADER + "print('importing', torch.__version__)\n",
    sample=SAMPLE.replace("    return", "    print('sampling', means.shape)\n    return"),
    loss=LOSS.replace("    return", "    print('bce', bce.item(), 'kl', kl.item())\n    return"),
    model=MODEL.replace(
        "        h = self", "        print('forward', data_input.shape, condition.argmax(1))\n        h = self"
    ),
)

CORRECT["warns-and-logs"] = module(
    header=HEADER
    + """
import logging
import sys
import warnings

logging.basicConfig(level=logging.DEBUG)
log = logging.getLogger(__name__)
log.info("loaded %s", __name__)
warnings.warn("this module warns at import")
print("to stderr, too", file=sys.stderr)
""",
    sample=SAMPLE.replace("    return", "    warnings.warn('sampling')\n    return"),
    loss=LOSS.replace("    return", "    log.debug('bce %s', bce)\n    log.warning('kl %s', kl)\n    return"),
)

CORRECT["main-block"] = (
    module()
    + """

def train(model, loader, epochs):
    for epoch in range(epochs):
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        for images, labels in loader:
            condition = F.one_hot(labels, 10).float()
            recon, mu, logvar = model(images.view(len(images), -1), condition)
            loss = loss_function(recon, images.view(len(images), -1), mu, logvar)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    from torchvision import datasets, transforms

    data = datasets.MNIST("MNIST_data_directory", train=True, download=True, transform=transforms.ToTensor())
    train(ConditionalVariationalAutoencoder(784), torch.utils.data.DataLoader(data, batch_size=128, shuffle=True), 20)
"""
)

CORRECT["trains-at-import"] = (
    module()
    + """

model = ConditionalVariationalAutoencoder(784, latent_dimensionality=2)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for step in range(10):
    x, c = torch.rand(32, 784), F.one_hot(torch.randint(10, (32,)), 10).float()
    recon, mu, logvar = model(x, c)
    loss = loss_function(recon, x, mu, logvar)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"step {step}: {loss.item():.2f}")
"""
)

CORRECT["plots-at-import"] = (
    module(header=HEADER + "import matplotlib\n\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\n")
    + """

for index in range(3):
    plt.subplot(1, 3, index + 1)
    plt.imshow(torch.rand(28, 28), cmap="gray")
plt.savefig("digits.png")
"""
)

CORRECT["checks-itself-at-import"] = (
    module()
    + """

torch.manual_seed(5814)
assert sample_latent(torch.zeros(1, 15), torch.ones(1, 15)).shape == (1, 15)
a = torch.sigmoid(torch.tensor([[[[7.0, 3.0], [2.0, 6.0]]]]))
b = torch.sigmoid(torch.tensor([[[[5.0, 2.0], [4.0, 2.0]]]]))
assert torch.isclose(loss_function(a, b, torch.ones(1, 2), torch.zeros(1, 2)), torch.tensor(2.334553718566895))
del a, b
"""
)

CORRECT["notebook-export"] = (
    """\
#!/usr/bin/env python
# coding: utf-8

# # Homework 3, part 3

# In[1]:


"""
    + module().replace("\ndef ", "\n# In[ ]:\n\n\ndef ").replace("\nclass ", "\n# In[ ]:\n\n\nclass ")
    + """

# In[ ]:


if "get_ipython" in globals():
    get_ipython().run_line_magic("matplotlib", "inline")
"""
)

CORRECT["unicode-identifiers"] = module(
    sample="""
def sample_latent(means, logvariances):
    μ, logσ2 = means, logvariances
    σ = torch.exp(logσ2 / 2)
    ε = torch.randn_like(σ)
    return μ + σ * ε  # z = μ + σ·ε — 重参数化
""",
    loss="""
def loss_function(reconstructions, originals, means, logvariances):
    x̂, x, μ, logσ2 = reconstructions, originals, means, logvariances
    größe = x.shape[0]
    ошибка = F.binary_cross_entropy(x̂, x, reduction="sum")
    散度 = -0.5 * torch.sum(1 + logσ2 - μ**2 - logσ2.exp())
    return (ошибка + 散度) / größe
""",
)

CORRECT["crlf"] = module().replace("\n", "\r\n")

CORRECT["mac-line-endings"] = module().replace("\n", "\r")

CORRECT["byte-order-mark"] = "\N{BYTE ORDER MARK}" + module()

CORRECT["latin-1-cookie"] = "# -*- coding: latin-1 -*-\n# Autor: José Müller, 3° año\nNAME = 'Müller'\n" + module()

CORRECT["tabs-and-form-feeds"] = module().replace("    ", "\t").replace("\nclass", "\n\x0cclass")

CORRECT["other-names"] = """\
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
"""

CORRECT["star-imports"] = module(header="from torch import *\nfrom torch.nn import *\n" + HEADER)

CORRECT["everything-imported-at-use"] = module(
    header="import torch\nfrom torch import nn\n",
    loss=LOSS.replace("    bce", "    import torch.nn.functional as F\n\n    bce"),
)

CORRECT["threads-and-seeds-set"] = module(
    header=HEADER + "import random\n\ntorch.set_num_threads(2)\ntorch.manual_seed(0)\nrandom.seed(0)\n"
)

CORRECT["functions-as-lambdas"] = module(
    sample="""
_std = lambda logvariances: torch.exp(0.5 * logvariances)
sample_latent = lambda means, logvariances: means + _std(logvariances) * torch.randn_like(means)
""",
    loss="""
_bce = lambda y, x: F.binary_cross_entropy(y, x, reduction="sum")
_kl = lambda mu, logvar: -0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp())
loss_function = lambda reconstructions, originals, means, logvariances: (
    _bce(reconstructions, originals) + _kl(means, logvariances)
) / means.shape[0]
""",
)

CORRECT["functions-as-callables"] = module(
    header=HEADER + "import functools\n",
    sample="""
class Sampler:
    def __call__(self, means, logvariances):
        return means + torch.exp(0.5 * logvariances) * torch.randn_like(means)

sample_latent = Sampler()
""",
    loss="""
def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper

@logged
"""
    + LOSS.lstrip(),
)

CORRECT["scripted"] = module(
    sample="""
@torch.jit.script
def sample_latent(means, logvariances):
    return means + torch.exp(0.5 * logvariances) * torch.randn_like(means)
""",
    header=HEADER + "import warnings\n\nwarnings.simplefilter('ignore')\n",
)

CORRECT = {name: of_this_term(source) for name, source in CORRECT.items()}
