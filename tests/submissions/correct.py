"""Modules that do what was asked, each in a different style. Every one of them must get full marks.

Each program in the folder `correct` is one. Those below differ in one piece, or in how they are encoded. In all of them
and in `wrong`, the number 64 stands for the term's hidden size and 15 for its latent dimensionality.
"""

import re
import tokenize
from pathlib import Path

from autograder.assignments.cvae.assignment import HIDDEN_SIZE, LATENT_DIMENSIONALITY

from .programs import read

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
        "root-of-variance-plus-1e-5",
        "",
        """
def sample_latent(means, logvariances):
    std = torch.sqrt(logvariances.exp() + 1e-5)
    return means + std * torch.randn_like(std)
""",
    ),
    (
        "std-plus-1e-3",
        "",
        """
def sample_latent(means, logvariances):
    std = torch.exp(0.5 * logvariances) + 1e-3
    return means + std * torch.randn_like(std)
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

MODELS = {
    "heads-before-encoder": INIT + HEADS + ENCODER + DECODER + FORWARD,
    "decoder-before-encoder": INIT + DECODER + ENCODER + HEADS + FORWARD,
    "relu-in-place": INIT
    + ENCODER.replace("nn.ReLU()", "nn.ReLU(True)")
    + HEADS
    + DECODER.replace("nn.ReLU()", "nn.ReLU(inplace=True)")
    + FORWARD,
    "relu-as-threshold": INIT
    + ENCODER.replace("nn.ReLU()", "nn.Threshold(0.0, 0.0)")
    + HEADS
    + DECODER.replace("nn.ReLU()", "nn.LeakyReLU(0.0)").replace("nn.Sigmoid()", "nn.Flatten(), nn.Sigmoid()")
    + FORWARD,
}
DRAWS = {  # of the same numbers as the plain one, in another layout, in parts, or one of several
    "draw-in-columns": "sample_latent(mean_params.T, logvariance_params.T).T",
    "draw-of-three-axes": "sample_latent(mean_params[:, None], logvariance_params[:, None]).squeeze(1)",
    "draw-of-flat-numbers": "sample_latent(mean_params.flatten(), logvariance_params.flatten()).view_as(mean_params)",
    "draw-row-by-row": "torch.stack([*map(sample_latent, mean_params, logvariance_params)])",
    "draw-by-vmap": 'torch.vmap(sample_latent, randomness="different")(mean_params, logvariance_params)',
    "first-of-three-draws": "sample_latent(mean_params.expand(3, -1, -1), logvariance_params.expand(3, -1, -1))[0]",
}
MODELS |= {name: MODEL.replace("sample_latent(mean_params, logvariance_params)", text) for name, text in DRAWS.items()}
CORRECT |= {name: module(model=text) for name, text in MODELS.items()}
# Parts that are computed again in the backward pass, which such a checkpoint starts by `backward` alone.
CHECKPOINT = "from torch.utils.checkpoint import checkpoint\n"
CORRECT["reentrant-checkpoints"] = module(
    header=HEADER + CHECKPOINT,
    sample="""
def _draw(means, logvariances):
    return means + torch.randn_like(means) * torch.exp(logvariances / 2)

def sample_latent(means, logvariances):
    return checkpoint(_draw, means, logvariances, use_reentrant=True)
""",
    loss=LOSS.replace("def loss_function", "def _loss")
    + "\ndef loss_function(*arguments):\n    return checkpoint(_loss, *arguments, use_reentrant=True)\n",
    model=MODEL.replace("self.decoder(torch", "checkpoint(self.decoder, torch").replace(
        "condition], dim=1))\n        return", "condition], dim=1), use_reentrant=True)\n        return"
    ),
)

# ---------------------------------------------------------------- the module as a whole

CORRECT |= {
    "class-first": module(sample=MODEL, loss=SAMPLE, model=LOSS),
    "crlf": module().replace("\n", "\r\n"),
    "mac-line-endings": module().replace("\n", "\r"),
    "byte-order-mark": "\N{BYTE ORDER MARK}" + module(),
    "latin-1-cookie": "# -*- coding: latin-1 -*-\n# Autor: José Müller, 3° año\nNAME = 'Müller'\n" + module(),
    "tabs-and-form-feeds": module().replace("    ", "\t").replace("\nclass", "\n\x0cclass"),
}
WRITTEN = list(read(Path(__file__).with_suffix(""), frozenset({"score", "says"})))
CORRECT |= {program.name: program.source.decode() for program in WRITTEN}

CORRECT = {name: of_this_term(source) for name, source in CORRECT.items()}
# What the notes of some must say, as a pattern.
SAYS = {program.name: program.expected["says"] for program in WRITTEN if "says" in program.expected}
