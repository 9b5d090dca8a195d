"""The bank of named mistakes behind the hints.

A check that fails compares what came back with what each mistake would have given. A hint says what was observed and
what that usually means, never the corrected line.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.grading.hints import Misconception


def _bank(part_name: str | None, texts: dict[str, str]) -> dict[str, Misconception]:
    return {name: Misconception(name, part_name, text) for name, text in texts.items()}


# What torch says, and the name of the mistake behind it, before those that the engine knows.
CAUSES = (
    (r"one_hot is only applicable", "one-hot-already"),
    (r"to satisfy the constraint|expects (all elements of )?std >= 0", "parameter-out-of-range"),
    (r"between 0 and 1", "not-probabilities"),
)

MISCONCEPTIONS: dict[str, Misconception] = {
    **_bank(
        None,
        {
            "one-hot-already": "The classes come as one-hot rows already: nothing is left to encode.",
            "not-probabilities": "The binary cross-entropy takes probabilities: something outside of 0 to 1 came where the reconstructions should be.",
            "parameter-out-of-range": "A distribution is given a parameter that it cannot have; the message names it. A scale is a standard deviation, which is positive however the log-variance lies, and a probability lies from 0 to 1.",
        },
    ),
    **_bank(
        "sample_latent",
        {
            "variance-as-std": "The noise is scaled by exp(logvariances): that is the variance, and the draw needs the standard deviation.",
            "logvariance-as-std": "The noise is scaled by the log-variance itself: it is a logarithm and can be negative, so it has to be turned into a standard deviation first.",
            "half-logvariance-as-std": "The noise is scaled by half the log-variance: halving is a square root only on the log scale, and you are still on that scale.",
            "inverse-std": "The spread shrinks where the variance grows: the sign in the exponent is the wrong way round.",
            "squared-std": "The spread grows far too fast with the log-variance: check by what the log-variance is multiplied in the exponent, and why.",
            "no-noise": "The same arguments always give the same draw: no noise enters, so the latent space is that of a plain autoencoder.",
            "no-mean": "The draws are centred on zero whatever the means are: the means never enter.",
            "no-scale": "The spread is 1 whatever the log-variances are: the noise is added without being scaled.",
            "noise-scales-mean": "The means are multiplied by the noise: the noise belongs to the standard deviation, the means only shift it.",
            "mean-scaled": "The means are scaled by the standard deviation together with the noise: only the noise should be.",
            "std-returned": "What comes back is the standard deviation: no draw is made with it.",
            "sample-arguments-exchanged": "The two arguments seem to have changed places: the means drive the spread and the log-variances the centre.",
            "uniform-noise": "The noise is not Gaussian but looks uniform: torch.rand and torch.randn differ by one letter.",
            "noise-not-normal": "The noise does not have the shape of a Gaussian: something bends or cuts it after it is drawn, or it comes from another distribution.",
            "positive-noise": "The noise is never negative: a standard normal is symmetric about zero.",
            "fixed-seed": "Two calls give the very same noise: something inside the function fixes the seed, or the noise is drawn only once.",
            "noise-shared-across-rows": "Every row of the minibatch gets the same noise: it must be drawn for each element, so look at the shape you draw.",
            "noise-shared-across-columns": "All latent dimensions of a row get the same noise: it must be drawn for each element, so look at the shape you draw.",
            "sample-detached": "No gradient flows back to the arguments. This is what the trick is for: draw the noise alone, and let the arguments enter by ordinary arithmetic, outside no_grad(), detach() and .data.",
            "std-detached": "The gradient reaches the means but not the log-variances: the standard deviation is cut out of the graph.",
            "spread-scaled": "The spread follows the standard deviation, but is off by the same factor everywhere: something beside the standard deviation scales the noise.",
            "spread-wrong": "The spread of the draws is not the standard deviation that the log-variance stands for. Try values by hand: where the log-variance is 0, the spread is 1.",
            "centre-wrong": "The draws are not centred on the means: the noise is symmetric about zero, so something beside it shifts them, or the means do not enter as they are.",
            "argument-ignored": "One of the two arguments makes no difference to the draw: both must enter.",
            "sample-gradient-partial": "Gradients come back, but not those of a draw: every element should follow its own mean and its own log-variance. Part of the calculation may be cut out of the graph, or rows may share what each should have for itself.",
            "noise-correlated": "The noise of different elements is correlated: each element gets a draw of its own.",
        },
    ),
    **_bank(
        "loss_function",
        {
            "kl-without-exp": "The last term of the KL divergence is the variance, but the log-variance came in its place, so that it cancels against the other one.",
            "kl-with-log": "A logarithm is taken of the log-variance in the KL divergence: the way from a log-variance to the variance is the other direction.",
            "kl-sign-flipped": "The KL divergence enters with the wrong sign: training would push the latents away from the prior. A divergence is never negative.",
            "kl-missing": "Only the reconstruction term is there: the loss does not change with means and log-variances as it should.",
            "kl-without-half": "The KL divergence is twice what it should be: look at the factor before the sum.",
            "kl-mean-not-squared": "The means enter the KL divergence without being squared.",
            "kl-averaged-over-latent": "The KL divergence is averaged over the latent dimensions: within an image it is a sum, and only the minibatch is averaged.",
            "kl-without-constant": "The KL divergence is off by a constant for each latent dimension: it should be exactly zero at the prior, where mean and log-variance are zero.",
            "kl-without-logvariance": "The log-variance itself is missing from the KL divergence, beside the variance and the squared mean.",
            "kl-without-variance": "The variance is missing from the KL divergence, beside the log-variance and the squared mean.",
            "kl-without-mean": "The means do not enter the KL divergence.",
            "kl-std-for-variance": "The KL divergence uses the standard deviation where the formula has the variance.",
            "kl-logvariance-as-log-std": "The KL divergence treats the log-variances as the logarithm of the standard deviation: a factor of two on the log scale.",
            "kl-scaled": "The KL divergence is right up to a constant factor: the two terms are added without weights.",
            "kl-term-sign": "Inside the KL divergence, one term (or more) has the wrong sign: compare the signs with the formula's, one by one, the factor in front included.",
            "kl-other": "What the loss makes of means and log-variances is not the closed form of the KL divergence. Try values by hand: it is zero at the prior, where both are zero, and grows in every direction from there.",
            "kl-detached": "The KL divergence has the right value, but not its gradient: part of it is cut out of the graph, or what the gradient needs is overwritten.",
            "loss-arguments-exchanged": "Means and log-variances have changed places in the KL divergence.",
            "terms-not-added": "How much the reconstruction counts depends on means and log-variances: the two terms are added, never multiplied or divided.",
            "reconstruction-mse": "The reconstruction term is a squared error: the pixels are compared by binary cross-entropy here.",
            "reconstruction-l1": "The reconstruction term is an absolute error: the pixels are compared by binary cross-entropy here.",
            "reconstruction-missing": "Only the KL divergence is there: the loss does not depend on the reconstructions.",
            "reconstruction-arguments-swapped": "Reconstructions and originals changed places in the cross-entropy: the logarithm is taken of the prediction, the original weighs it.",
            "reconstruction-averaged-over-pixels": "The cross-entropy is averaged over the pixels: within an image it is a sum, and only the minibatch is averaged. (Library losses average over everything unless told otherwise.)",
            "reconstruction-sign-flipped": "The reconstruction term has the wrong sign: the loss should fall when reconstructions improve.",
            "reconstruction-sigmoid-twice": "The cross-entropy treats the reconstructions as logits, but the decoder's sigmoid has already been applied.",
            "reconstruction-half": "Only one of the two terms of the binary cross-entropy is there: black pixels count as well as white ones.",
            "reconstruction-scaled": "The cross-entropy is right up to a constant factor: the two terms are added without weights.",
            "reconstruction-other": "What the loss makes of reconstructions and originals is not the pixelwise binary cross-entropy, summed over the pixels.",
            "reconstruction-detached": "The reconstruction term has the right value, but not its gradient: it is cut out of the graph, or what the gradient needs is overwritten.",
            "summed-over-batch": "The loss grows with the size of the minibatch: it is summed over the images where the text asks for the average.",
            "reconstruction-summed-over-batch": "The reconstruction term is summed over the minibatch while the KL divergence is averaged: both are averaged.",
            "kl-summed-over-batch": "The KL divergence is summed over the minibatch while the reconstruction term is averaged: both are averaged.",
            "averaged-over-everything": "Both terms are averaged over pixels and latent dimensions as well: those are summed, and only the minibatch is averaged.",
            "divided-by-latent": "The loss is divided by the number of latent dimensions: it is averaged over the images and nothing else.",
            "divided-by-pixels": "The loss is divided by the number of pixels: it is averaged over the images and nothing else.",
            "divided-by-all-pixels": "The sum of the two terms is divided by the number of pixels in the whole minibatch: divide by the number of images.",
            "divided-by-constant": "The loss is divided by a fixed number: the number of images in the minibatch is not always the same.",
            "divided-by-batch-twice": "The loss is divided by the number of images more than once: the average divides by it once.",
            "batch-other": "For one image the loss may be right, but a minibatch does not give the average over its images: look at what is summed and by what it is divided.",
            "loss-constant-off": "The loss changes as it should, but is off by a constant: something is added that depends on neither term, or a constant of the KL divergence is missing.",
            "loss-not-scalar": "The loss is not a single number: somewhere a sum or an average is missing, or runs over too few axes.",
            "loss-per-image": "One number for each image comes back: average them into a single scalar.",
            "loss-detached": "No gradient flows through the loss: it was turned into a plain number, or cut out of the graph, on the way.",
            "loss-image-shape": "The loss must not depend on how the pixels of an image are laid out, nor on how many there are: it is called on (N, input_dim) and on (N, 1, H, W).",
            "loop-over-elements": "The work grows with the number of pixels or latent dimensions: a loop visits them one by one where a whole-tensor operation can do it at once.",
            "loop-over-batch": "The work grows with the number of images: a loop visits them one by one where a whole-tensor operation can do it at once.",
        },
    ),
    **_bank(
        "encoder",
        {
            "encoder-depth": "The encoder has the wrong number of linear layers: three are asked for, the two heads not counted.",
            "encoder-missing-relu": "A ReLU is missing between the encoder's linear layers: without it two of them collapse into one.",
            "encoder-missing-last-relu": "The ReLU after the encoder's last linear layer is missing: all three layers are followed by one.",
            "encoder-activation": "The encoder's layers are followed by another activation than ReLU.",
            "encoder-width": "The encoder's layers do not have the hidden size that is asked for.",
            "encoder-without-condition": "The encoder takes the image alone: its input is the image with the one-hot class beside it.",
            "encoder-normalisation": "The encoder contains something beside linear layers and ReLU, such as dropout or batch normalisation.",
            "mean-head-activated": "The predicted means pass through an activation: a mean can be any real number, so the head is one linear layer and nothing after it.",
            "logvariance-head-activated": "The predicted log-variances pass through an activation: a log-variance can be any real number, also a negative one, so the head is one linear layer and nothing after it.",
            "head-depth": "A head has more than one linear layer: the three hidden layers come before, and are shared.",
            "heads-shared": "Means and log-variances come from the same layer: each head needs weights of its own.",
            "encoder-bias": "A linear layer has no bias.",
            "encoder-other": "The encoder or a head could not be recognised as what is described, linear layers of hidden_size numbers with one activation after each: count its layers, look at their sizes and at what follows each, and see that each takes what the one before gives.",
            "encoder-sizes-hard-coded": "Sizes are written into the code as numbers: they must follow the constructor's arguments.",
        },
    ),
    **_bank(
        "decoder",
        {
            "decoder-depth": "The decoder has the wrong number of linear layers: four are asked for, the one to the pixels counted.",
            "decoder-missing-relu": "A ReLU is missing between the decoder's linear layers: without it two of them collapse into one.",
            "decoder-activation": "The decoder's hidden layers are followed by another activation than ReLU.",
            "decoder-no-sigmoid": "The decoder's output is not squashed: pixels are probabilities between 0 and 1.",
            "decoder-sigmoid-twice": "The decoder's output passes through a sigmoid twice: it can never be dark or bright.",
            "decoder-relu-before-sigmoid": "A ReLU stands before the decoder's sigmoid: no pixel can then be darker than one half.",
            "decoder-output-activation": "The decoder's output passes through another activation than the sigmoid.",
            "decoder-width": "The decoder's hidden layers do not have the hidden size that is asked for.",
            "decoder-without-condition": "The decoder takes the latent alone: its input is the latent with the one-hot class beside it.",
            "decoder-normalisation": "The decoder contains something beside linear layers, ReLU and the sigmoid, such as dropout or batch normalisation.",
            "decoder-bias": "A linear layer has no bias.",
            "decoder-other": "The decoder could not be recognised as what is described, linear layers of hidden_size numbers with one activation after each: count its layers, look at their sizes and at what follows each, and see that each takes what the one before gives.",
            "decoder-sizes-hard-coded": "Sizes are written into the code as numbers: they must follow the constructor's arguments.",
        },
    ),
    **_bank(
        "forward",
        {
            "condition-first": "The one-hot class stands before the data it is concatenated with: the order is data first, class last. The notebook calls the decoder in that order.",
            "condition-missing": "The class does not reach the network: zeros or something else take the place of the one-hot vector.",
            "mean-instead-of-sample": "The decoder is given the mean: two passes over the same image should differ by the noise of the draw.",
            "logvariance-instead-of-sample": "The decoder is given the log-variances instead of a draw.",
            "sample-arguments-swapped": "Means and log-variances changed places on their way into sample_latent.",
            "sample-arguments-changed": "sample_latent is given something made from the log-variances, not the log-variances themselves.",
            "heads-swapped": "Means and log-variances changed places in what forward returns.",
            "one-head-twice": "Means and log-variances come from the same head.",
            "outputs-swapped": "The three results come back in another order than (reconstruction, means, log-variances).",
            "forward-detached": "No gradient of the reconstruction reaches some of the parameters: part of the pass is cut out of the graph.",
            "same-for-every-image": "The result is the same whatever the image: what comes in never reaches it.",
            "encoding-other": "The means and log-variances are not what your encoder and heads give for the image with its class: something is changed on the way in, in between, or on the way out.",
            "decoding-other": "The reconstruction is not what your decoder gives for a draw with its class: something is changed on the way in or on the way out, or it is no draw from the means and log-variances.",
            "reconstruction-changed": "What the decoder gives passes through another activation in forward: the decoder's output is the reconstruction.",
            "latent-returned": "The draw is returned where the means are asked for.",
            "unused-parameters": "Some parameters never take part in the reconstruction.",
            "reconstruction-shape": "The reconstruction should be flat, like the input: one row of input_dim numbers for each image.",
        },
    ),
    **_bank(
        "training",
        {
            "stuck-start": "At its own starting weights some parameters get no gradient at all, so they can never move: look at how they are initialised.",
        },
    ),
}  # fmt: skip


# --- sample_latent ------------------------------------------------------------------------------------------------

Draw = Callable[[Tensor, Tensor, Tensor], Tensor]  # of means, logvariances and standard normal noise

WRONG_DRAWS: dict[str, Draw] = {
    "variance-as-std": lambda mu, logvar, noise: mu + logvar.exp() * noise,
    "logvariance-as-std": lambda mu, logvar, noise: mu + logvar * noise,
    "half-logvariance-as-std": lambda mu, logvar, noise: mu + 0.5 * logvar * noise,
    "inverse-std": lambda mu, logvar, noise: mu + (-0.5 * logvar).exp() * noise,
    "squared-std": lambda mu, logvar, noise: mu + (2 * logvar).exp() * noise,
    "no-noise": lambda mu, logvar, noise: mu,
    "no-mean": lambda mu, logvar, noise: (0.5 * logvar).exp() * noise,
    "no-scale": lambda mu, logvar, noise: mu + noise,
    "noise-scales-mean": lambda mu, logvar, noise: mu * noise + (0.5 * logvar).exp(),
    "mean-scaled": lambda mu, logvar, noise: (mu + noise) * (0.5 * logvar).exp(),
    "std-returned": lambda mu, logvar, noise: (0.5 * logvar).exp() + 0 * noise,
    "sample-arguments-exchanged": lambda mu, logvar, noise: logvar + (0.5 * mu).exp() * noise,
    "uniform-noise": lambda mu, logvar, noise: mu + (0.5 * logvar).exp() * _uniform(noise),
    "positive-noise": lambda mu, logvar, noise: mu + (0.5 * logvar).exp() * noise.abs(),
}
_SYMMETRIC_UNIFORM: Draw = lambda mu, logvar, noise: mu + (0.5 * logvar).exp() * (2 * _uniform(noise) - 1)  # noqa: E731

_ONE_SIGMA: Draw = lambda mu, logvar, noise: mu + (0.5 * logvar).exp()  # noqa: E731


def _uniform(noise: Tensor) -> Tensor:
    return torch.special.ndtr(noise)


def diagnose_draws(draws: Tensor, means: Tensor, logvariances: Tensor) -> str | None:
    """The mistake whose centre and spread these draws have: (N, D) draws, (D,) means and log-variances."""
    quantiles = torch.special.ndtri((torch.arange(256) + 0.5) / 256)  # of the normal noise
    noise = quantiles[:, None].expand(-1, len(means))
    mean, std = draws.mean(0), draws.std(0)
    for name, wrong in (*WRONG_DRAWS.items(), ("uniform-noise", _SYMMETRIC_UNIFORM), ("no-noise", _ONE_SIGMA)):
        expected = wrong(means.expand_as(noise), logvariances.expand_as(noise), noise)
        scale = (expected - expected[0]).std(0)  # exactly zero where there is no noise
        close = (mean - expected.mean(0)).abs() <= 0.12 * scale + 1e-4
        if bool((close & ((std - scale).abs() <= 0.1 * scale + 1e-4)).all()):
            return name
    return None


# --- loss_function ------------------------------------------------------------------------------------------------

Term = Callable[[Tensor, Tensor], Tensor]  # of (N, D) twice, or (N, L) twice, to (N,)


def _cross_entropy(reconstructions: Tensor, originals: Tensor) -> Tensor:
    return F.binary_cross_entropy(reconstructions, originals, reduction="none").sum(-1)


def _divergence(means: Tensor, logvariances: Tensor) -> Tensor:
    return -0.5 * (1 + logvariances - means.square() - logvariances.exp()).sum(-1)


RECONSTRUCTIONS: dict[str, Term] = {
    "": _cross_entropy,
    "reconstruction-mse": lambda r, x: (r - x).square().sum(-1),
    "reconstruction-mse ": lambda r, x: (r - x).square().mean(-1),
    "reconstruction-l1": lambda r, x: (r - x).abs().sum(-1),
    "reconstruction-l1 ": lambda r, x: (r - x).abs().mean(-1),
    "reconstruction-missing": lambda r, x: 0 * r.sum(-1),
    "reconstruction-arguments-swapped": lambda r, x: _cross_entropy(x, r),
    "reconstruction-averaged-over-pixels": lambda r, x: _cross_entropy(r, x) / r.shape[-1],
    "reconstruction-sign-flipped": lambda r, x: -_cross_entropy(r, x),
    "reconstruction-sigmoid-twice": lambda r, x: _cross_entropy(torch.sigmoid(r), x),
    "reconstruction-half": lambda r, x: -(x * r.log()).sum(-1),
    "reconstruction-half ": lambda r, x: -((1 - x) * (1 - r).log()).sum(-1),
}
DIVERGENCES: dict[str, Term] = {
    "": _divergence,
    "kl-without-exp": lambda mu, logvar: -0.5 * (1 + logvar - mu.square() - logvar).sum(-1),
    "kl-with-log": lambda mu, logvar: -0.5 * (1 + logvar - mu.square() - logvar.log()).sum(-1),
    "kl-with-log ": lambda mu, logvar: -0.5 * (1 + logvar.log() - mu.square() - logvar).sum(-1),
    "kl-sign-flipped": lambda mu, logvar: -_divergence(mu, logvar),
    "kl-missing": lambda mu, logvar: 0 * mu.sum(-1),
    "kl-without-half": lambda mu, logvar: 2 * _divergence(mu, logvar),
    "kl-without-half kl-sign-flipped": lambda mu, logvar: -2 * _divergence(mu, logvar),
    "kl-mean-not-squared": lambda mu, logvar: -0.5 * (1 + logvar - mu - logvar.exp()).sum(-1),
    "kl-averaged-over-latent": lambda mu, logvar: _divergence(mu, logvar) / mu.shape[-1],
    "kl-without-constant": lambda mu, logvar: -0.5 * (logvar - mu.square() - logvar.exp()).sum(-1),
    "kl-without-logvariance": lambda mu, logvar: -0.5 * (1 - mu.square() - logvar.exp()).sum(-1),
    "kl-without-variance": lambda mu, logvar: -0.5 * (1 + logvar - mu.square()).sum(-1),
    "kl-without-mean": lambda mu, logvar: -0.5 * (1 + logvar - logvar.exp()).sum(-1),
    "kl-std-for-variance": lambda mu, logvar: -0.5 * (1 + logvar - mu.square() - (0.5 * logvar).exp()).sum(-1),
    "kl-logvariance-as-log-std": lambda mu, logvar: _divergence(mu, 2 * logvar),
    "loss-arguments-exchanged": lambda mu, logvar: _divergence(logvar, mu),
}
# How the two terms of each image become one number: weights of the summed terms, from N, D and L.
REDUCTIONS: dict[str, Callable[[int, int, int], tuple[float, float]]] = {
    "": lambda n, d, latent: (1 / n, 1 / n),
    "summed-over-batch": lambda n, d, latent: (1, 1),
    "reconstruction-summed-over-batch": lambda n, d, latent: (1, 1 / n),
    "kl-summed-over-batch": lambda n, d, latent: (1 / n, 1),
    "averaged-over-everything": lambda n, d, latent: (1 / (n * d), 1 / (n * latent)),
    "reconstruction-averaged-over-pixels kl-summed-over-batch": lambda n, d, latent: (1 / (n * d), 1),
    "reconstruction-summed-over-batch kl-averaged-over-latent": lambda n, d, latent: (1, 1 / (n * latent)),
    "divided-by-latent": lambda n, d, latent: (1 / latent, 1 / latent),
    "divided-by-latent ": lambda n, d, latent: (1 / (n * latent), 1 / (n * latent)),
    "divided-by-pixels": lambda n, d, latent: (1 / d, 1 / d),
    "divided-by-all-pixels": lambda n, d, latent: (1 / (n * d), 1 / (n * d)),
}


@dataclass(frozen=True)
class LossProbe:
    """One call of loss_function and what it gave: (N, D) images twice, (N, L) parameters twice, a number."""

    reconstructions: Tensor
    originals: Tensor
    means: Tensor
    logvariances: Tensor
    value: float


def diagnose_loss(probes: list[LossProbe]) -> list[str]:
    """The mistakes that together explain every probe, the fewest that do; empty if none are known to."""
    candidates: list[list[str]] = []
    terms = [
        (
            {name: float(term(p.reconstructions, p.originals).sum()) for name, term in RECONSTRUCTIONS.items()},
            {name: float(term(p.means, p.logvariances).sum()) for name, term in DIVERGENCES.items()},
            {name: weigh(len(p.means), p.originals.shape[-1], p.means.shape[-1]) for name, weigh in REDUCTIONS.items()},
            p.value,
        )
        for p in probes
    ]
    if all(value != value for *_, value in terms):  # NaN alone says nothing
        return []
    for names in product(RECONSTRUCTIONS, DIVERGENCES, REDUCTIONS):
        reconstruction, divergence, reduction = names
        if all(
            _same(r[reconstruction] * w[reduction][0] + kl[divergence] * w[reduction][1], value)
            for r, kl, w, value in terms
        ):
            candidates.append(" ".join(names).split())
    if candidates:
        return min(candidates, key=len)
    # A weight of the divergence that explains every probe, taken from the one where the divergence says most.
    r, kl, w, value = max(terms, key=lambda term: abs(term[1][""] / (term[0][""] or 1)))
    factor = (value - r[""] * w[""][0]) / (kl[""] * w[""][1]) if kl[""] else 1.0
    scaled = all(_same(r[""] * w[""][0] + factor * kl[""] * w[""][1], value) for r, kl, w, value in terms)
    return ["kl-scaled"] if scaled and abs(factor - 1) > 0.01 else []


# What a wrong term may be made of: the right features first, then those that are mistaken for them.
KL_FEATURES: dict[str, Term] = {
    "kl-without-logvariance": lambda mu, logvar: logvar.sum(-1),
    "kl-without-mean": lambda mu, logvar: mu.square().sum(-1),
    "kl-without-variance": lambda mu, logvar: logvar.exp().sum(-1),
    "kl-mean-not-squared": lambda mu, logvar: mu.sum(-1),
    "kl-std-for-variance": lambda mu, logvar: (0.5 * logvar).exp().sum(-1),
    "kl-logvariance-as-log-std": lambda mu, logvar: (2 * logvar).exp().sum(-1),
}
KL_WEIGHTS = (-0.5, 0.5, 0.5)
RECONSTRUCTION_FEATURES: dict[str, Term] = {
    "reconstruction-half": lambda r, x: (x * r.log()).sum(-1),
    "reconstruction-half ": lambda r, x: ((1 - x) * (1 - r).log()).sum(-1),
    "reconstruction-mse": lambda r, x: (r - x).square().sum(-1),
    "reconstruction-l1": lambda r, x: (r - x).abs().sum(-1),
    "reconstruction-sigmoid-twice": lambda r, x: _cross_entropy(torch.sigmoid(r), x),
    "reconstruction-arguments-swapped": lambda r, x: _cross_entropy(x, r),
}
RECONSTRUCTION_WEIGHTS = (-1.0, -1.0)


def diagnose_terms(loss: Callable[[list[Tensor]], float], images: list[list[Tensor]]) -> list[str]:
    """What can be said of each term by itself, for a loss that no combination in the bank explains.

    Arguments:
        loss: gives the loss of reconstructions and originals (N, D), means and log-variances (N, L).
        images: many such arguments for one image, N = 1.

    Each term is fitted as a weighted sum of features, all else held fixed. How a term grows from one image to several
    like it shows the average.
    """
    sizes = []
    for pair in (images[:2], images[2:4], images[4:6]):  # one pair may have two reconstructions that are equally good
        crossed = [loss(images_of[:2] + parameters_of[2:]) for images_of in pair for parameters_of in pair]
        sizes.append(max(map(abs, crossed)))
        if not sizes[-1] < float("inf"):  # NaN, too
            return ["not-finite"]
        if abs(crossed[0] - crossed[1] - crossed[2] + crossed[3]) > 1e-3 * sizes[-1]:
            return ["terms-not-added"]
    one, size = images[0], sizes[0]
    mistakes: list[str] = []
    factors: list[float | None] = []
    growth: list[float] = []  # of a term's change, from one image to four like it
    for term, vary, features, right in (
        ("reconstruction", slice(0, 2), RECONSTRUCTION_FEATURES, RECONSTRUCTION_WEIGHTS),
        ("kl", slice(2, 4), KL_FEATURES, KL_WEIGHTS),
    ):
        points = [[*one[: vary.start], *each[vary], *one[vary.stop :]] for each in images]
        values = torch.tensor([loss(point) for point in points])
        matrix = torch.stack(
            [
                feature(*(torch.cat(each) for each in zip(*(p[vary] for p in points), strict=True)))
                for feature in features.values()
            ],
            1,
        )
        mistake, factor = _about_term(term, values, matrix, list(features), right)
        mistakes += mistake
        factors.append(factor)
        alone = float(values[0] - values[1])
        if abs(alone) > 1e-4 * size:
            together = [loss([each.repeat(4, 1) for each in point]) for point in points[:2]]
            growth.append((together[0] - together[1]) / alone)
    pixels, latent = one[0].shape[-1], one[2].shape[-1]
    match factors:
        case [float(first), float(second)]:
            by_one_number = _same(first, second, 1e-3) and not _same(1.0, first, 1e-3)
        case _:
            by_one_number = False
    if growth and all(_same(4.0, each, 0.01) for each in growth):
        mistakes.append("divided-by-constant" if by_one_number else "summed-over-batch")
    else:
        for factor, average, scaled in (
            (factors[0], 1 / pixels, "reconstruction-averaged-over-pixels reconstruction-scaled"),
            (factors[1], 1 / latent, "kl-averaged-over-latent kl-scaled"),
        ):
            if factor is not None and not _same(1.0, factor, 1e-3):
                mistakes.append(scaled.split()[not _same(average, factor, 1e-3)])
        if growth and all(_same(0.25, each, 0.01) for each in growth):
            mistakes.append("divided-by-batch-twice")
        elif not all(_same(1.0, each, 0.01) for each in growth):
            mistakes.append("batch-other")
    return mistakes or ["loss-constant-off"]


def _about_term(
    term: str, values: Tensor, features: Tensor, names: list[str], right: tuple[float, ...]
) -> tuple[list[str], float | None]:
    """The mistake in one term, and the factor that it is off by where it is right but for that.

    Arguments:
        values: (P,) losses, where only this term varies.
        features: (P, F) what the term may be a weighted sum of, called `names`; the first have the weights `right`.

    Nothing is said of a term that is lost in the rounding of a far larger one.
    """
    spread = float(values.std())
    due = float((features[:, : len(right)] @ torch.tensor(right)).std())
    if 1e-6 * float(values.abs().max()) > 1e-3 * max(due, spread):
        return [], None
    if spread < 1e-6 * max(1.0, float(values.abs().max())):
        return [f"{term}-missing"], None
    if not torch.isfinite(values).all():
        return ["not-finite"], None
    constant = torch.ones(len(values), 1)
    matrix = torch.cat((features, constant), 1).double()
    found = torch.linalg.lstsq(matrix, values.double()[:, None], driver="gelsd").solution
    if float((matrix @ found - values.double()[:, None]).abs().max()) > 2e-3 * spread:
        return [f"{term}-other"], None
    weights = found[:-1, 0] * (found[:-1, 0].abs() * features.std(0) > 5e-3 * spread)
    extra = [name for name, weight in zip(names[len(right) :], weights[len(right) :], strict=True) if weight]
    ratios = [float(weight) / expected for weight, expected in zip(weights, right, strict=False)]
    there = [ratio for ratio in ratios if ratio]
    alike = all(_same(abs(there[0]), abs(ratio), 0.01) for ratio in there)
    if extra:
        replaces = len(extra) == 1 and (not there or (alike and len(there) == len(ratios) - 1))
        return [extra[0].strip() if replaces else f"{term}-other"], None
    if not alike:
        return [f"{term}-other"], None
    if len(there) < len(ratios):
        absent = [name.strip() for name, ratio in zip(names, ratios, strict=False) if not ratio]
        return [*absent, *(["kl-term-sign"] if len({ratio > 0 for ratio in there}) > 1 and term == "kl" else [])], None
    if len({ratio > 0 for ratio in ratios}) > 1:
        return ["kl-term-sign" if term == "kl" else "reconstruction-other"], None
    return ([f"{term}-sign-flipped"], None) if ratios[0] < 0 else ([], ratios[0])


def _same(expected: float, value: float, tolerance: float = 3e-4) -> bool:
    if expected != expected or value != value:  # NaN
        return expected != expected and value != value
    return abs(expected - value) <= tolerance * max(abs(value), 1e-2)


# --- networks -----------------------------------------------------------------------------------------------------

Activation = Callable[[Tensor], Tensor]


def _identity(x: Tensor) -> Tensor:
    return x


ACTIVATIONS: dict[str, Activation] = {
    "ReLU": torch.relu,
    "none": _identity,
    "leaky ReLU": F.leaky_relu,
    "ELU": F.elu,
    "GELU": F.gelu,
    "SiLU": F.silu,
    "softplus": F.softplus,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softmax": lambda x: torch.softmax(x, -1),
    "ReLU, then tanh": lambda x: torch.tanh(torch.relu(x)),
    "ReLU, then sigmoid": lambda x: torch.sigmoid(torch.relu(x)),
    "ReLU, then softmax": lambda x: torch.softmax(torch.relu(x), -1),
    "tanh, then ReLU": lambda x: torch.relu(torch.tanh(x)),
    "softmax, then ReLU": lambda x: torch.relu(torch.softmax(x, -1)),
}
HEAD_ACTIVATIONS: dict[str, Activation] = {
    "none": _identity,
    "ReLU": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": F.softplus,
    "exp": torch.exp,
    "exp of its half": lambda x: torch.exp(0.5 * x),
    "leaky ReLU": F.leaky_relu,
    "absolute value": torch.abs,
    "square": torch.square,
}
OUTPUT_ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": torch.sigmoid,
    "none": _identity,
    "two sigmoids": lambda x: torch.sigmoid(torch.sigmoid(x)),
    "ReLU, then sigmoid": lambda x: torch.sigmoid(torch.relu(x)),
    "tanh": torch.tanh,
    "ReLU": torch.relu,
    "clamping": lambda x: x.clamp(0, 1),
    "softmax": lambda x: torch.softmax(x, -1),
    "tanh, rescaled": lambda x: (torch.tanh(x) + 1) / 2,
    "tanh, then sigmoid": lambda x: torch.sigmoid(torch.tanh(x)),
    "hard sigmoid": F.hardsigmoid,
    "softplus": F.softplus,
    "logarithm of a sigmoid": F.logsigmoid,
    "sigmoid, then tanh": lambda x: torch.tanh(torch.sigmoid(x)),
    "sigmoid, then softmax": lambda x: torch.softmax(torch.sigmoid(x), -1),
    "softmax, then sigmoid": lambda x: torch.sigmoid(torch.softmax(x, -1)),
}


def hidden_activations(depth: int) -> Iterator[tuple[str, ...]]:
    """Ways to follow `depth` linear layers by activations, the right one first, the likelier mistakes early."""
    right = ("ReLU",) * depth
    yield right
    yield from sorted(set(product(("ReLU", "none"), repeat=depth)) - {right}, key=lambda names: names.count("none"))
    for name in (name for name in ACTIVATIONS if name not in ("ReLU", "none")):
        yield (name,) * depth
        yield (*((name,) * (depth - 1)), "none")
        for place in range(depth):
            yield (*right[:place], name, *right[place + 1 :])
