"""What we grade against, proven by itself: properties that the solution must have whatever numbers it is given.

In double precision, so that a property holds to rounding and the bounds leave a wrong formula no room.
"""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from autograder.assignments.cvae.assignment import (
    EXAMPLE_ORIGINAL_LOGITS,
    EXAMPLE_RECONSTRUCTION_LOGITS,
    HIDDEN_SIZE,
    LATENT_DIMENSIONALITY,
    SEED,
)
from autograder.assignments.cvae.solution.cs5814_vae import (
    ConditionalVariationalAutoencoder,
    loss_function,
    sample_latent,
)

sizes = st.integers(1, 6)
seeds = st.integers(0, 2**31)


def numbers(low: float, high: float, *shape: int) -> st.SearchStrategy[Tensor]:
    return arrays(np.float64, shape, elements=st.floats(low, high)).map(torch.from_numpy)


@st.composite
def gaussians(draw: Any, low: float = -30, high: float = 10) -> tuple[Tensor, Tensor]:
    """(N, latent) means and log-variances."""
    shape = draw(sizes), draw(sizes)
    return draw(numbers(-20, 20, *shape)), draw(numbers(low, high, *shape))


@st.composite
def minibatches(draw: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Arguments of the loss: (N, H·W) twice, (N, latent) twice."""
    means, logvariances = draw(gaussians())
    shape = len(means), draw(st.sampled_from((1, 4, 6)))
    return draw(numbers(1e-6, 1 - 1e-6, *shape)), draw(numbers(0, 1, *shape)), means, logvariances


def divergence(means: Tensor, logvariances: Tensor) -> Tensor:
    """The loss of images without a pixel."""
    return loss_function(means.new_zeros(len(means), 0), means.new_zeros(len(means), 0), means, logvariances)


def cross_entropy(reconstructions: Tensor, originals: Tensor) -> Tensor:
    """The loss where the posterior is the prior."""
    prior = reconstructions.new_zeros(len(reconstructions), 1)
    return loss_function(reconstructions, originals, prior, prior)


def drawn(seed: int, means: Tensor, logvariances: Tensor) -> Tensor:
    torch.manual_seed(seed)
    return sample_latent(means, logvariances)


def assert_equal(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)


# --- loss_function ----------------------------------------------------------------------------------------------------


@given(gaussians())
def test_divergence_is_never_negative(parameters: tuple[Tensor, Tensor]) -> None:
    assert divergence(*parameters) >= -1e-12


@given(sizes, sizes)
def test_divergence_is_zero_at_the_prior(batch: int, latent: int) -> None:
    prior = torch.zeros(batch, latent)
    assert divergence(prior, prior) == 0


@given(gaussians(), st.floats(0.01, 3), st.sampled_from((-1, 1)), st.booleans())
def test_divergence_is_zero_nowhere_else(
    parameters: tuple[Tensor, Tensor], step: float, sign: int, of_mean: bool
) -> None:
    means, logvariances = (torch.zeros_like(each) for each in parameters)
    (means if of_mean else logvariances)[0, 0] = sign * step
    assert divergence(means, logvariances) * len(means) > step**2 / 20


@given(gaussians())
def test_divergence_is_that_of_torch_distributions(parameters: tuple[Tensor, Tensor]) -> None:
    means, logvariances = parameters
    posterior = Independent(Normal(means, torch.exp(logvariances / 2)), 1)
    prior = Independent(Normal(torch.zeros_like(means), torch.ones_like(means)), 1)
    assert_equal(divergence(means, logvariances), kl_divergence(posterior, prior).mean())


@given(minibatches())
def test_reconstruction_is_the_bernoulli_likelihood(minibatch: tuple[Tensor, ...]) -> None:
    reconstructions, originals, *_ = minibatch
    pixels = Independent(Bernoulli(probs=reconstructions, validate_args=False), 1)  # of gray pixels too
    assert_equal(cross_entropy(reconstructions, originals), -pixels.log_prob(originals).mean())


@given(minibatches())
def test_reconstruction_is_best_where_it_equals_the_original(minibatch: tuple[Tensor, ...]) -> None:
    reconstructions, originals, *_ = minibatch
    assert cross_entropy(originals, originals) <= cross_entropy(reconstructions, originals) + 1e-12
    inside = originals.clamp(0.01, 0.99).requires_grad_()
    (gradient,) = torch.autograd.grad(cross_entropy(inside, inside.detach()), inside)
    assert_equal(gradient, torch.zeros_like(gradient))


@given(minibatches())
def test_loss_is_the_sum_of_its_terms(minibatch: tuple[Tensor, ...]) -> None:
    expected = cross_entropy(*minibatch[:2]) + divergence(*minibatch[2:])
    assert_equal(loss_function(*minibatch), expected)


@given(minibatches(), st.randoms(use_true_random=False))
def test_loss_does_not_depend_on_the_order_of_the_minibatch(minibatch: tuple[Tensor, ...], random: Any) -> None:
    order = list(range(len(minibatch[0])))
    random.shuffle(order)
    assert_equal(loss_function(*(each[order] for each in minibatch)), loss_function(*minibatch))


@given(minibatches())
def test_loss_averages_the_losses_of_the_images(minibatch: tuple[Tensor, ...]) -> None:
    one_by_one = [loss_function(*(each[i : i + 1] for each in minibatch)) for i in range(len(minibatch[0]))]
    assert_equal(loss_function(*minibatch), torch.stack(one_by_one).mean())


@given(minibatches(), st.integers(2, 4))
def test_loss_of_a_minibatch_repeated_is_the_same(minibatch: tuple[Tensor, ...], times: int) -> None:
    assert_equal(loss_function(*(each.repeat(times, 1) for each in minibatch)), loss_function(*minibatch))


@given(minibatches())
def test_loss_of_images_is_the_loss_of_flat_images(minibatch: tuple[Tensor, ...]) -> None:
    height = 2 if minibatch[0].shape[1] % 2 == 0 else 1
    images = (each.reshape(len(each), 1, height, -1) for each in minibatch[:2])
    assert_equal(loss_function(*images, *minibatch[2:]), loss_function(*minibatch))


@given(minibatches())
def test_gradients_of_the_loss_are_the_derivatives_on_paper(minibatch: tuple[Tensor, ...]) -> None:
    reconstructions, originals, means, logvariances = (each.clone().requires_grad_() for each in minibatch)
    leaves = (reconstructions, means, logvariances)
    found = torch.autograd.grad(loss_function(reconstructions, originals.detach(), means, logvariances), leaves)
    expected = (
        (reconstructions - originals) / (reconstructions * (1 - reconstructions)),
        means,
        0.5 * (logvariances.exp() - 1),
    )
    for gradient, derivative in zip(found, expected, strict=True):
        torch.testing.assert_close(gradient, derivative.detach() / len(means), rtol=1e-6, atol=1e-9)


def test_worked_example_of_the_loss_by_hand() -> None:
    def sigmoid(logit: float) -> float:
        return 1 / (1 + math.exp(-logit))

    pixels = [
        (sigmoid(r), sigmoid(x))
        for rows in zip(EXAMPLE_RECONSTRUCTION_LOGITS, EXAMPLE_ORIGINAL_LOGITS, strict=True)
        for r, x in zip(*rows, strict=True)
    ]
    by_hand = -sum(x * math.log(r) + (1 - x) * math.log(1 - r) for r, x in pixels)
    by_hand += LATENT_DIMENSIONALITY * -0.5 * (1 + 0 - 1**2 - math.exp(0))
    reconstruction, original = (
        torch.sigmoid(torch.tensor(logits)).reshape(1, 1, 2, 2)
        for logits in (EXAMPLE_RECONSTRUCTION_LOGITS, EXAMPLE_ORIGINAL_LOGITS)
    )
    parameters = torch.ones(1, LATENT_DIMENSIONALITY), torch.zeros(1, LATENT_DIMENSIONALITY)
    assert float(loss_function(reconstruction, original, *parameters)) == pytest.approx(by_hand, abs=1e-5)


@pytest.mark.parametrize(
    ("mean", "logvariance", "nats"),
    [
        (0, 0, 0),
        (1, 0, 0.5),
        (3, 0, 4.5),
        (0, math.log(4), 1.5 - math.log(2)),
        (-2, math.log(0.25), math.log(2) + 1.625),
    ],
)
def test_divergence_by_hand(mean: float, logvariance: float, nats: float) -> None:
    parameters = (torch.tensor([[float(each)]], dtype=torch.float64) for each in (mean, logvariance))
    assert float(divergence(*parameters)) == pytest.approx(nats, abs=1e-12)


# --- sample_latent ----------------------------------------------------------------------------------------------------


@given(gaussians(), seeds)
def test_gradients_of_a_draw(parameters: tuple[Tensor, Tensor], seed: int) -> None:
    means, logvariances = (each.requires_grad_() for each in parameters)
    latents = drawn(seed, means, logvariances)
    by_mean, by_logvariance = torch.autograd.grad(latents.sum(), (means, logvariances))
    assert torch.equal(by_mean, torch.ones_like(means))
    # μ + σε rounds to the scale of μ: where σ is some 1e-7 of it, the difference z - μ has lost digits.
    torch.testing.assert_close(by_logvariance, 0.5 * (latents - means).detach(), rtol=1e-6, atol=1e-12)


@given(gaussians(), seeds)
def test_a_draw_shifts_with_the_mean_and_scales_with_the_std(parameters: tuple[Tensor, Tensor], seed: int) -> None:
    means, logvariances = parameters
    noise = drawn(seed, torch.zeros_like(means), torch.zeros_like(means))
    assert_equal(drawn(seed, means, logvariances), means + logvariances.exp().sqrt() * noise)


@given(gaussians(), seeds)
def test_a_draw_is_that_of_torch_distributions(parameters: tuple[Tensor, Tensor], seed: int) -> None:
    means, logvariances = parameters
    latents = drawn(seed, means, logvariances)
    torch.manual_seed(seed)
    assert_equal(latents, Normal(means, torch.exp(logvariances / 2)).rsample())


@given(st.floats(-5, 5), st.floats(-4, 3), seeds)
@settings(max_examples=10)
def test_draws_are_normal(mean: float, logvariance: float, seed: int) -> None:
    count = 40_000
    latents = drawn(seed, torch.full((count, 2), mean), torch.full((count, 2), logvariance))
    noise = (latents.double() - mean) / math.exp(logvariance / 2)
    moments = noise.mean(), (noise**2).mean() - 1, (noise**3).mean(), (noise**4).mean() - 3
    # Standard errors of the moments of a normal: 1, 2, 15 and 96 over the count, squared. Five of them.
    for moment, variance in zip(moments, (1, 2, 15, 96), strict=True):
        assert abs(moment) < 5 * math.sqrt(variance / (2 * count))
    first, second = noise.T
    assert abs((first * second).mean()) < 5 / math.sqrt(count)
    assert not torch.equal(latents, sample_latent(torch.full((count, 2), mean), torch.full((count, 2), logvariance)))


@given(gaussians(), seeds)
def test_a_draw_leaves_its_arguments_alone(parameters: tuple[Tensor, Tensor], seed: int) -> None:
    before = [each.clone() for each in parameters]
    assert drawn(seed, *parameters).shape == parameters[0].shape
    assert all(map(torch.equal, parameters, before))


def test_worked_example_of_the_draw_by_hand() -> None:
    latents = drawn(SEED, torch.zeros(1, LATENT_DIMENSIONALITY), torch.ones(1, LATENT_DIMENSIONALITY))
    torch.manual_seed(SEED)
    by_hand = [math.exp(0.5) * noise for noise in torch.randn(LATENT_DIMENSIONALITY).tolist()]
    assert latents[0].tolist() == pytest.approx(by_hand, abs=1e-6)


# --- the network ------------------------------------------------------------------------------------------------------


@st.composite
def networks(draw: Any) -> tuple[ConditionalVariationalAutoencoder, Tensor, Tensor]:
    """A network of any sizes with (N, input_dim) images and (N, K) one-hot classes for it."""
    batch, pixels, categories, latent = (draw(st.integers(1, most)) for most in (5, 40, 12, 20))
    torch.manual_seed(draw(seeds))
    classes = torch.randint(categories, (batch,))
    model = ConditionalVariationalAutoencoder(pixels, categories, latent)
    return model, torch.rand(batch, pixels), torch.eye(categories)[classes]


@given(networks())
def test_shapes_follow_the_sizes(network: tuple[ConditionalVariationalAutoencoder, Tensor, Tensor]) -> None:
    model, images, one_hots = network
    reconstructions, means, logvariances = model(images, one_hots)
    assert reconstructions.shape == images.shape
    assert means.shape == logvariances.shape == (len(images), model.latent_dimensionality)
    assert (reconstructions > 0).all()
    assert (reconstructions < 1).all()
    pixels, categories, latent = model.input_dim, model.num_categories, model.latent_dimensionality
    widths = [[each.in_features, each.out_features] for each in model.modules() if isinstance(each, torch.nn.Linear)]
    assert widths == [
        [pixels + categories, HIDDEN_SIZE],
        *2 * [[HIDDEN_SIZE, HIDDEN_SIZE]],
        *2 * [[HIDDEN_SIZE, latent]],
        [latent + categories, HIDDEN_SIZE],
        *2 * [[HIDDEN_SIZE, HIDDEN_SIZE]],
        [HIDDEN_SIZE, pixels],
    ]


@given(networks(), seeds)
def test_forward_is_composed_of_its_parts(
    network: tuple[ConditionalVariationalAutoencoder, Tensor, Tensor], seed: int
) -> None:
    model, images, one_hots = network
    torch.manual_seed(seed)
    reconstructions, means, logvariances = model(images, one_hots)
    hidden = model.encoder(torch.cat((images, one_hots), 1))
    latents = drawn(seed, model.mean_layer(hidden), model.logvariance_layer(hidden))
    assert torch.equal(means, model.mean_layer(hidden))
    assert torch.equal(logvariances, model.logvariance_layer(hidden))
    assert torch.equal(reconstructions, model.decoder(torch.cat((latents, one_hots), 1)))


@given(networks())
def test_every_parameter_gets_a_gradient_of_the_loss(
    network: tuple[ConditionalVariationalAutoencoder, Tensor, Tensor],
) -> None:
    model, images, one_hots = network
    reconstructions, means, logvariances = model(images, one_hots)
    loss_function(reconstructions, images, means, logvariances).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@given(networks(), st.randoms(use_true_random=False))
def test_an_image_is_encoded_by_itself(
    network: tuple[ConditionalVariationalAutoencoder, Tensor, Tensor], random: Any
) -> None:
    model, images, one_hots = network
    order = list(range(len(images)))
    random.shuffle(order)
    _, means, logvariances = model(images, one_hots)
    _, shuffled_means, shuffled_logvariances = model(images[order], one_hots[order])
    torch.testing.assert_close(shuffled_means, means[order])
    torch.testing.assert_close(shuffled_logvariances, logvariances[order])
