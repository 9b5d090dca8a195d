"""Checks for cs5814_vae.py that you can run as often as you like.

In the notebook: check("encoder"). In a terminal: pytest public_checks.py (one part: -k encoder).
They look at what your code does, never at how it is written. The graded checks ask the same questions with
other numbers.
"""

import math
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, suppress
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

SEED = 5814
HIDDEN_SIZE = 64
EXAMPLE_LATENTS = (
    0.4761, 1.3325, -0.7178, 0.3497, -0.2346, -0.0667, -0.4426, -0.6182,
    -0.5145, -2.1463, -1.4753, -0.9416, 0.6395, 1.2382, 0.7332,
)  # fmt: skip
EXAMPLE_RECONSTRUCTION_LOGITS = ((7.0, 3.0), (2.0, 6.0))
EXAMPLE_ORIGINAL_LOGITS = ((5.0, 2.0), (4.0, 2.0))
EXAMPLE_LOSS = 8.834553718566895

# The checks build a network of odd sizes, so that sizes written into the code come to light.
PIXELS, CLASSES, LATENT = 20, 4, 7
SIZES = {"input_dim": PIXELS, "num_categories": CLASSES, "latent_dimensionality": LATENT, "hidden_size": HIDDEN_SIZE}
HIDDEN_LAYER = HIDDEN_SIZE * HIDDEN_SIZE + HIDDEN_SIZE  # numbers in a linear layer between two hidden ones
ENCODER = (PIXELS + CLASSES + 1) * HIDDEN_SIZE + 2 * HIDDEN_LAYER + 2 * (HIDDEN_SIZE + 1) * LATENT
DECODER = (LATENT + CLASSES + 1) * HIDDEN_SIZE + 2 * HIDDEN_LAYER + (HIDDEN_SIZE + 1) * PIXELS

# The checks of each part, in the order of the notebook: (what holds, function that raises where it does not).
CHECKS: dict[str, list[tuple[str, Callable[[], None]]]] = {
    part: [] for part in ("encoder", "decoder", "sample_latent", "forward", "loss_function", "training")
}


class HintError(Exception):
    """Why a check did not hold, in words for the student."""


class ChecksFailedError(Exception):
    """Some checks of a part did not hold. Jupyter shows it as one line."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def check(part: str) -> None:
    """Run the checks of one part and print the outcome; ChecksFailedError, at the end, unless all of them hold."""
    __tracebackhide__ = True
    if part not in CHECKS:
        raise ValueError(f"no part {part!r}: choose from {', '.join(CHECKS)}")
    failed = 0
    # nbgrader gives no points to a test cell that writes to stderr, be it only a warning.
    with redirect_stderr(sys.stdout):
        for label, hint, _ in outcomes(part):
            failed += bool(hint)
            print(f"✗ {label}\n    {hint}" if hint else f"✓ {label}")
    if failed:
        raise ChecksFailedError(f"{part} is not done yet: edit cs5814_vae.py, save it, and run this cell again.")
    print(f"All checks of {part} pass.")


def outcomes(part: str) -> Iterator[tuple[str, str, int | None]]:
    """What holds, or the hint why not and the line at which the code stopped, for each check of a part in turn."""
    with torch.random.fork_rng(devices=[]):
        for label, function in CHECKS[part]:
            torch.manual_seed(SEED)
            try:
                with torch.enable_grad():  # whatever an earlier call has left behind
                    function()
            except (Exception, SystemExit) as error:
                yield label, _explain(error), _line(error)
                if not isinstance(error, HintError):  # the code does not run: the other checks would only repeat it
                    return
            else:
                yield label, "", None


def pytest_generate_tests(metafunc) -> None:
    metafunc.parametrize("part", CHECKS)


def test_part(part: str) -> None:
    __tracebackhide__ = True
    check(part)


# The student's code ---------------------------------------------------------------------------------------------

_loaded: dict[bytes, types.ModuleType] = {}


def _path() -> Path:
    """cs5814_vae.py: beside this file in the kit, one folder up in the course's repository."""
    here = Path(__file__).resolve().with_name("cs5814_vae.py")
    return here if here.exists() else here.parents[1] / here.name


def _submission() -> types.ModuleType:
    """The student's module as it is saved now, whatever version of it a notebook has imported."""
    source = _path().read_bytes()
    if source not in _loaded:
        module = types.ModuleType("cs5814_vae")
        module.__file__ = str(_path())
        exec(compile(source, module.__file__, "exec"), module.__dict__)
        _loaded.clear()
        _loaded[source] = module
    return _loaded[source]


def _explain(error: Exception | SystemExit) -> str:
    if isinstance(error, HintError):
        return str(error)
    if isinstance(error, SyntaxError):
        return f"cs5814_vae.py, line {error.lineno}, cannot be read as Python: {error.msg}."
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(_path())]
    if not frames:
        return f"{type(error).__name__}: {error}"
    place = f"cs5814_vae.py, line {frames[-1].lineno}"
    if _is_stub(error):
        return f"`{frames[-1].name}` is not written yet ({place}): {error}"
    return f"Your code stopped with {type(error).__name__} ({place}): {error}"


def _line(error: Exception | SystemExit) -> int | None:
    """The line of cs5814_vae.py at which `error` stopped the code."""
    if isinstance(error, SyntaxError):
        return error.lineno
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(_path())]
    return frames[-1].lineno if frames else None


def _is_stub(error: Exception) -> bool:
    """Whether `error` is a `raise NotImplementedError` in the student's file, not one of PyTorch's own."""
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, NotImplementedError) and bool(frames) and frames[-1].filename == str(_path())


# Tools of the checks --------------------------------------------------------------------------------------------


def holds(part: str, label: str) -> Callable:
    """Register a check of `part`."""

    def register(function: Callable[[], None]) -> Callable[[], None]:
        CHECKS[part].append((label, function))
        return function

    return register


def expect(condition: bool | Tensor, hint: str) -> None:
    if not condition:
        raise HintError(hint)


def expect_tensor(value: object, shape: tuple[int, ...], name: str) -> None:
    expect(isinstance(value, Tensor), f"{name} should be a tensor, but is {type(value).__name__}.")
    expect(value.shape == shape, f"{name} should have shape {shape}, but has {tuple(value.shape)}.")
    expect(value.isfinite().all(), f"{name} holds nan or infinity.")


def near(value: Tensor | float, expected: float) -> bool:
    return math.isclose(float(value), expected, rel_tol=1e-4, abs_tol=1e-4)


def build(needs: tuple[str, ...] = ()) -> nn.Module:
    """A small network of the student's; where it `needs` only some layers, `__init__` may stop short of the others."""
    cls = _submission().ConditionalVariationalAutoencoder
    model = cls.__new__(cls)
    try:
        cls.__init__(model, PIXELS, num_categories=CLASSES, latent_dimensionality=LATENT)
    except NotImplementedError:
        if not needs or any(getattr(model, name, None) is None for name in needs):
            raise
    with suppress(Exception, SystemExit):  # lazy layers take their size from a first pass
        model(*batch(2))
    return model


def batch(count: int) -> tuple[Tensor, Tensor]:
    """Random images and one-hot classes."""
    return torch.rand(count, PIXELS), torch.eye(CLASSES)[torch.arange(count) % CLASSES]


@torch.no_grad()
def redraw(model: nn.Module, scale: float = 1.0) -> nn.Module:
    """Draw all weights anew, so that no way of initialising them matters."""
    for weights in model.parameters():
        weights.normal_(0, scale * math.sqrt(2 / math.sqrt(weights.numel())))
    return model


def count_numbers(*modules: object) -> int:
    """How many trainable numbers the modules hold together."""
    found = {id(p): p.numel() for m in modules if isinstance(m, nn.Module) for p in m.parameters()}
    return sum(found.values())


@torch.no_grad()
def count_relus(model: nn.Module, run: Callable[[], Tensor]) -> int | None:
    """How many layers let nothing through once all their units are below zero; None if their biases cannot be found.

    With small positive weights every unit is above zero, until the bias of one layer pushes that layer below; the
    biases of the layers after it are large enough to let a value through that no ReLU has stopped.
    """
    biases = [weights for weights in model.parameters() if weights.numel() == HIDDEN_SIZE]
    if len(biases) < 3:
        return None
    for weights in model.parameters():
        weights.uniform_(0, 0.96 / HIDDEN_SIZE)
    for bias in biases:
        bias.fill_(1)
    stopped = 0
    for bias in biases:
        bias.fill_(-1.5)
        output = run()
        stopped += bool((output - output[:1]).abs().max() < 1e-6)
        bias.fill_(1)
    return stopped


def expect_size(model: nn.Module, modules: tuple[str, ...], expected: int, rest: int) -> None:
    """Expect as many trainable numbers in the named modules, however they are kept, as the layers asked for hold."""
    own = count_numbers(*(getattr(model, name, None) for name in modules))
    total = count_numbers(model)
    if own == expected or total in (expected, expected + rest):
        return
    layers, left = divmod((own or total) - expected, HIDDEN_LAYER)
    hint = f"It holds {own or total} trainable numbers, and the layers asked for hold {expected}."
    if layers and not left:
        hint += f" That is {abs(layers)} hidden layer(s) too {'many' if layers > 0 else 'few'}."
    raise HintError(hint)


def expect_relus(found: int | None) -> None:
    expect(found in (3, None), f"A ReLU acts on {found} of the layers, and 3 are asked for.")


# encoder --------------------------------------------------------------------------------------------------------

HEADS = ("encoder", "mean_layer", "logvariance_layer")


def encoder_holds(label: str) -> Callable:
    """Register a check of the encoder, given (model, encode): one of two views of it must hold.

    The encoder and its heads alone are seen before forward is written; the forward pass is what counts for a network
    that keeps a ReLU, say, there.
    """

    def alone(model: nn.Module, images: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        hidden = model.encoder(torch.cat((images, classes), -1))
        return model.mean_layer(hidden), model.logvariance_layer(hidden)

    def whole(model: nn.Module, images: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        return model(images, classes)[1:]

    def register(function: Callable[[nn.Module, Callable], None]) -> Callable:
        def either() -> None:
            errors = []
            for view in (alone, whole):
                model = build(needs=HEADS)
                try:
                    return function(model, partial(view, model))
                except (Exception, SystemExit) as error:
                    errors.append(error)
            # A hint says more than an error, and an error in the encoder more than an unwritten forward.
            raise min(
                errors, key=lambda error: (not isinstance(error, HintError), isinstance(error, NotImplementedError))
            )

        return holds("encoder", label)(either)

    return register


@encoder_holds("gives a mean and a log-variance for each latent dimension")
def encoder_shapes(model: nn.Module, encode: Callable) -> None:
    for name in HEADS:
        expect(getattr(model, name, None) is not None, f"self.{name} is missing.")
    for name, value in SIZES.items():
        expect(getattr(model, name, None) == value, f"self.{name} should be {value} here.")
    means, logvariances = encode(*batch(5))
    expect_tensor(means, (5, LATENT), "the mean")
    expect_tensor(logvariances, (5, LATENT), "the log-variance")


@encoder_holds(f"has three linear layers to {HIDDEN_SIZE} numbers, and two heads")
def encoder_layers(model: nn.Module, encode: Callable) -> None:
    expect_size(model, HEADS, ENCODER, DECODER)


@encoder_holds("has a ReLU after each of the three layers")
def encoder_relus(model: nn.Module, encode: Callable) -> None:
    images, classes = batch(8)
    expect_relus(count_relus(model, lambda: torch.cat(encode(images, classes), -1)))


@encoder_holds("sees the image and the class, and has no noise of its own")
def encoder_inputs(model: nn.Module, encode: Callable) -> None:
    redraw(model)
    images, classes = batch(8)
    output = torch.cat(encode(images, classes), -1)
    again = torch.cat(encode(images, classes), -1)
    expect(output.equal(again), "The same image and class give other means each time; noise belongs to the sampling.")
    for name, changed in (("image", (1 - images, classes)), ("class", (images, classes.roll(1, -1)))):
        moved = (torch.cat(encode(*changed), -1) - output).abs().max()
        expect(moved > 1e-4, f"Another {name} gives the same output: the {name} does not reach the encoder.")


@encoder_holds("leaves the two heads without an activation")
def encoder_heads(model: nn.Module, encode: Callable) -> None:
    outputs = [encode(*batch(64)) for _ in range(5) if redraw(model, scale=2)]
    means, logvariances = (torch.cat(values) for values in zip(*outputs, strict=True))
    for name, values in (("mean", means), ("log-variance", logvariances)):
        free = values.min() < -1.5 and values.max() > 1.5
        expect(free, f"The {name} cannot take all values, negative and positive. What follows its linear layer?")
    expect(not means.equal(logvariances), "The mean and the log-variance are equal: give each a layer of its own.")


# decoder --------------------------------------------------------------------------------------------------------


def decoder_of(model: nn.Module) -> Callable[[Tensor], Tensor]:
    expect(
        callable(model.decoder) and not isinstance(model.decoder, nn.ModuleList),
        "model.decoder(...) must be callable: the notebook calls it to generate digits.",
    )
    return model.decoder


def codes(count: int) -> Tensor:
    """Random [latent | one-hot class], the decoder's input."""
    return torch.cat((torch.rand(count, LATENT), batch(count)[1]), -1)


@holds("decoder", "gives an image for each [latent | one-hot] vector")
def decoder_shape() -> None:
    expect_tensor(decoder_of(build(needs=("decoder",)))(codes(5)), (5, PIXELS), "the decoder's output")


@holds("decoder", f"has three linear layers to {HIDDEN_SIZE} numbers, and one to the pixels")
def decoder_layers() -> None:
    expect_size(build(needs=("decoder",)), ("decoder",), DECODER, ENCODER)


@holds("decoder", "has a ReLU after each of the first three layers")
def decoder_relus() -> None:
    model, code = build(needs=("decoder",)), codes(8)
    expect_relus(count_relus(model, lambda: decoder_of(model)(code)))


@holds("decoder", "gives pixels between 0 and 1, dark and bright ones")
def decoder_range() -> None:
    model = build(needs=("decoder",))
    pixels = torch.cat([decoder_of(redraw(model))(codes(64)) for _ in range(5)])
    expect(pixels.min() > 0 and pixels.max() < 1, f"Pixels go from {pixels.min():.2f} to {pixels.max():.2f}.")
    spread = pixels.min() < 0.4 and pixels.max() > 0.6
    one = (pixels.sum(-1) - 1).abs().max() < 1e-3
    expect(not one, "The pixels of each image sum to 1, but each of them should be free to be dark or bright.")
    expect(spread, f"Pixels only go from {pixels.min():.2f} to {pixels.max():.2f}. What acts on the last layer?")


@holds("decoder", "sees the latent and the class, and has no noise of its own")
def decoder_inputs() -> None:
    model, code = build(needs=("decoder",)), codes(8)
    decode = decoder_of(redraw(model))
    output = decode(code)
    expect(output.equal(decode(code)), "The same input gives another image each time; noise belongs to the sampling.")
    latents, classes = code.split((LATENT, CLASSES), -1)
    for name, changed in (("latent", (1 - latents, classes)), ("class", (latents, classes.roll(1, -1)))):
        moved = (decode(torch.cat(changed, -1)) - output).abs().max()
        expect(moved > 1e-4, f"Another {name} gives the same image: the {name} is ignored.")


# sample_latent --------------------------------------------------------------------------------------------------


def sample(means: Tensor, logvariances: Tensor) -> Tensor:
    latents = _submission().sample_latent(means, logvariances)
    expect_tensor(latents, tuple(means.shape), "what sample_latent returns")
    return latents


@holds("sample_latent", "draws with the mean and the spread it is given")
def sample_statistics() -> None:
    count = 20_000
    for mean, logvariance in ((0.0, 0.0), (3.0, 0.0), (-1.0, 1.5), (0.0, -2.0)):
        draws = sample(torch.full((count, 3), mean), torch.full((count, 3), logvariance))
        std = math.exp(logvariance / 2)
        asked = f"With mean {mean:g} and log-variance {logvariance:g}"
        expect(
            (draws.mean(0) - mean).abs().max() < 6 * std / math.sqrt(count),
            f"{asked}, the draws average {draws.mean():.2f}.",
        )
        expect(
            (draws.std(0) / std - 1).abs().max() < 6 / math.sqrt(2 * count),
            f"{asked}, the draws have standard deviation {draws.std():.2f}, not {std:.2f}. "
            "Go from the log-variance to the standard deviation step by step: what is σ² here, and then σ?",
        )
        far = ((draws - mean).abs() > 2 * std).float().mean()
        expect(0.035 < far < 0.056, f"{far:.1%} of the noise lies beyond two σ; of normal noise, 4.6% does.")


@holds("sample_latent", "draws fresh noise at each call, for each row and each dimension")
def sample_noise() -> None:
    means, logvariances = torch.zeros(2000, 5), torch.zeros(2000, 5)
    first, second = sample(means, logvariances), sample(means, logvariances)
    expect(not first.equal(second), "Two calls give the same draw.")
    expect(first.std(0).min() > 0.5, "All rows get the same noise.")
    expect(first.std(1).min() > 0.01, "All dimensions of a row get the same noise.")
    related = torch.corrcoef(torch.cat((first, second), 1).T) - torch.eye(10)
    expect(related.abs().max() < 0.15, "The noise of different dimensions or calls is related.")


@holds("sample_latent", "lets gradients through to both arguments, and leaves these as they were")
def sample_gradient() -> None:
    means, logvariances = torch.zeros(6, 5, requires_grad=True), torch.ones(6, 5, requires_grad=True)
    draws = sample(means, logvariances)
    expect(draws.requires_grad, "The draw is cut off from its arguments: no gradient could reach the encoder.")
    by_mean, by_logvariance = torch.autograd.grad(draws.sum(), (means, logvariances), allow_unused=True)
    expect(by_mean is not None and near(by_mean.min(), 1) and near(by_mean.max(), 1), "∂z/∂μ should be 1.")
    expect(by_logvariance is not None and by_logvariance.abs().min() > 0, "No gradient reaches the log-variances.")
    plain = torch.zeros(6, 5), torch.ones(6, 5)
    sample(*plain)
    expect(not plain[0].any() and bool((plain[1] == 1).all()), "The arguments were changed in place.")


@holds("sample_latent", "gives the worked example's numbers, or an unusual but correct draw")
def sample_example() -> None:
    draw = sample(torch.zeros(1, len(EXAMPLE_LATENTS)), torch.ones(1, len(EXAMPLE_LATENTS)))
    if not torch.allclose(draw, torch.tensor([EXAMPLE_LATENTS]), atol=1e-4):
        sample_statistics()
        sample_noise()


# forward --------------------------------------------------------------------------------------------------------


@holds("forward", "returns the reconstruction, the mean and the log-variance")
def forward_shapes() -> None:
    model = build()
    for count in (5, 1):
        returned = model(*batch(count))
        expect(isinstance(returned, tuple) and len(returned) == 3, "forward should return three tensors.")
        for value, width, name in zip(
            returned, (PIXELS, LATENT, LATENT), ("reconstruction", "mean", "log-variance"), strict=True
        ):
            expect_tensor(value, (count, width), f"the {name}")


@holds("forward", "gives the encoder the image, then its class, and each head its place")
@torch.no_grad()
def forward_encodes() -> None:
    model = redraw(build())
    images, classes = batch(8)
    _, means, logvariances = model(images, classes)
    moved = (model(images, classes.roll(1, -1))[1] - means).abs().max()
    expect(moved > 1e-4, "The mean does not depend on the class.")
    for order, name in (((images, classes), "image"), ((classes, images), "class")):
        try:
            hidden = model.encoder(torch.cat(order, -1))
            mean, logvariance = model.mean_layer(hidden), model.logvariance_layer(hidden)
        except (Exception, SystemExit):
            continue  # an encoder that works only inside forward
        swapped = torch.allclose(means, logvariance, atol=1e-5) or torch.allclose(logvariances, mean, atol=1e-5)
        expect(not swapped, "The mean and the log-variance have changed places.")
        first = torch.allclose(means, mean, atol=1e-5)
        expect(not first or name == "image", "The encoder gets the class first; the image should come first.")


@holds("forward", "decodes a fresh draw from the predicted distribution, with the class")
@torch.no_grad()
def forward_samples() -> None:
    model, count = redraw(build()), 4000
    for image, one_hot in zip(*batch(3), strict=True):
        images, classes = image.expand(count, -1), one_hot.expand(count, -1)
        pixels, means, logvariances = model(images, classes)
        varies = pixels.std(0).max() > 1e-4
        expect(varies, "The reconstruction does not vary from draw to draw. Does it use sample_latent?")
        expected = decoder_of(model)(torch.cat((sample(means, logvariances), classes), -1))
        apart = max((pixels.mean(0) - expected.mean(0)).abs().max(), (pixels.std(0) - expected.std(0)).abs().max())
        expect(apart < 0.05, "The reconstruction is not model.decoder of a draw as returned, with the one-hot class.")


@holds("forward", "lets a gradient from the reconstruction reach every weight, and leaves its inputs as they were")
def forward_gradient() -> None:
    model = redraw(build())
    images, classes = batch(16)
    kept = images.clone(), classes.clone()
    model(images, classes)[0].square().sum().backward()
    idle = [name for name, weights in model.named_parameters() if weights.grad is None]
    expect(not idle, f"These get no gradient, so they could not learn to reconstruct: {', '.join(idle)}.")
    expect(images.equal(kept[0]) and classes.equal(kept[1]), "The inputs were changed in place.")


# loss_function --------------------------------------------------------------------------------------------------


def loss(reconstructions: Tensor, originals: Tensor, means: Tensor, logvariances: Tensor) -> Tensor:
    value = _submission().loss_function(reconstructions, originals, means, logvariances)
    expect(isinstance(value, Tensor), f"The loss should be a tensor, but is {type(value).__name__}.")
    expect(value.numel() == 1, f"The loss should be one number, but has shape {tuple(value.shape)}.")
    return value


def divergence(mean: float, logvariance: float) -> float:
    """What the KL term adds for 4 images with 3 latent dimensions each."""
    gray, prior = torch.full((4, 6), 0.5), torch.zeros(4, 3)
    return float(loss(gray, gray, prior + mean, prior + logvariance) - loss(gray, gray, prior, prior))


@holds("loss_function", "sums the cross-entropy over the pixels and averages it over the images")
def loss_reconstruction() -> None:
    # At the prior the KL term is zero, and a gray pixel costs log 2 whatever it should have been.
    gray, originals, prior = torch.full((4, 6), 0.5), torch.rand(4, 6), torch.zeros(4, 3)
    value, expected = loss(gray, originals, prior, prior), 6 * math.log(2)
    hint = f"Four gray images of 6 pixels, with μ = log σ² = 0, should give 6·log 2 = {expected:.4f}, not {value:.4f}."
    expect(not near(value, expected * 4), f"{hint} It looks summed over the minibatch.")
    expect(not near(value, expected / 6), f"{hint} It looks averaged over the pixels.")
    expect(near(value, expected), hint)


@holds("loss_function", "adds the KL divergence, zero at the prior")
def loss_divergence() -> None:
    # By hand, per dimension: μ = 2 costs 2²/2; σ² = 4 costs (4 - 1 - log 4)/2.
    for mean, logvariance, each, case in (
        (2.0, 0.0, 2.0, "μ = 2, σ² = 1"),
        (0.0, math.log(4), (3 - math.log(4)) / 2, "μ = 0, σ² = 4"),
    ):
        value, expected = divergence(mean, logvariance), 3 * each
        hint = f"Three latent dimensions with {case} should add {expected:.4f}; yours add {value:.4f}."
        expect(not near(value, expected * 4), f"{hint} It looks summed over the minibatch.")
        expect(not near(value, each), f"{hint} It looks averaged over the latent dimensions.")
        expect(not near(value, -expected), f"{hint} Look at its sign.")
        expect(near(value, expected), f"{hint} Compare each term with the formula: which of them are σ², which log σ²?")


@holds("loss_function", "does not change when the minibatch is repeated")
def loss_average() -> None:
    values = torch.rand(4, 6) * 0.8 + 0.1, torch.rand(4, 6), torch.randn(4, 3), torch.randn(4, 3)
    once, twice = loss(*values), loss(*(value.repeat(2, 1) for value in values))
    expect(near(once, float(twice)), f"Four images give {once:.4f}, the same four twice {twice:.4f}.")


@holds("loss_function", "takes image-shaped input as well as flat")
def loss_images() -> None:
    pixels, latents = (torch.rand(4, 6) * 0.8 + 0.1, torch.rand(4, 6)), (torch.randn(4, 3), torch.randn(4, 3))
    flat, shaped = loss(*pixels, *latents), loss(*(image.view(4, 1, 2, 3) for image in pixels), *latents)
    expect(near(flat, float(shaped)), f"Shaped (4, 6): {flat:.4f}. The same as (4, 1, 2, 3): {shaped:.4f}.")


@holds("loss_function", "lets gradients through to the reconstructions, the means and the log-variances")
def loss_gradient() -> None:
    pixels = torch.full((4, 6), 0.4, requires_grad=True)
    means, logvariances = torch.ones(4, 3, requires_grad=True), torch.ones(4, 3, requires_grad=True)
    value = loss(pixels, torch.rand(4, 6), means, logvariances)
    expect(value.requires_grad, "The loss is cut off from its arguments: nothing could be learnt from it.")
    gradients = torch.autograd.grad(value.sum(), (pixels, means, logvariances), allow_unused=True)
    for name, gradient in zip(("reconstructions", "means", "log-variances"), gradients, strict=True):
        expect(gradient is not None and gradient.abs().max() > 0, f"No gradient reaches the {name}.")


@holds("loss_function", "stays finite for pixels of exactly 0 and 1, as MNIST has them")
def loss_finite() -> None:
    # In float32 a sigmoid is exactly 0 from -89 on, and comes to 1 - 6e-8. At 0, clamped logarithms have no slope.
    originals, reminder = torch.tensor([0.0, 0.5, 1.0]).repeat(4, 4), "What is the logarithm of 0, and 0 times that?"
    for lowest, what in ((0.0, "loss"), (1e-38, "gradient")):
        pixels = torch.tensor([lowest, 1e-38, 0.5, 1 - 6e-8]).repeat_interleave(3).repeat(4, 1).requires_grad_()
        means, logvariances = torch.ones(4, 3), torch.tensor([-30.0, 0.0, 20.0]).repeat(4, 1)
        value = loss(pixels, originals, means, logvariances)
        if what == "gradient" and value.requires_grad:  # a loss that is cut off is told so by the check above
            (value,) = torch.autograd.grad(value.sum(), pixels, allow_unused=True, materialize_grads=True)
        hint = f"For pixels of 0 and 1 and reconstructions from {lowest:g} to 1 - 6e-8, your {what} is not finite."
        expect(bool(torch.isfinite(value).all()), f"{hint} {reminder}")


class CountOperations(TorchDispatchMode):
    """Count the tensor operations that run."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += 1
        return func(*args, **(kwargs or {}))


@holds("loss_function", "has no loop over the minibatch")
def loss_vectorized() -> None:
    counts = []
    for count in (3, 12):
        with CountOperations() as operations:
            loss(torch.full((count, 6), 0.4), torch.full((count, 6), 0.7), torch.ones(count, 3), torch.ones(count, 3))
        counts.append(operations.count)
    expect(counts[0] == counts[1], f"3 images take {counts[0]} tensor operations, 12 images {counts[1]}.")


@holds("loss_function", "gives the worked example's number")
def loss_example() -> None:
    reconstructions, originals = (
        torch.tensor(logits).sigmoid().view(1, 1, 2, 2)
        for logits in (EXAMPLE_RECONSTRUCTION_LOGITS, EXAMPLE_ORIGINAL_LOGITS)
    )
    latent = len(EXAMPLE_LATENTS)
    value = loss(reconstructions, originals, torch.ones(1, latent), torch.zeros(1, latent))
    expect(
        near(value, EXAMPLE_LOSS),
        f"It should be {EXAMPLE_LOSS:.4f}, of which {latent / 2:g} is the KL term; yours is {value:.4f}. "
        "Is the order of the arguments respected: reconstructions first, originals second?",
    )


# training -------------------------------------------------------------------------------------------------------


@holds("training", "learns ten patterns and draws the one it is asked for")
def training_patterns() -> None:
    side, classes, latent = 8, 10, 2
    patterns = (torch.rand(classes, side * side) < 0.5).float()
    model = _submission().ConditionalVariationalAutoencoder(side * side, classes, latent)
    redraw(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(150):
        labels = torch.randint(classes, (64,))
        flipped = (torch.rand(64, side * side) < 0.05).float()
        images = (patterns[labels] - flipped).abs()
        reconstructions, means, logvariances = model(images, torch.eye(classes)[labels])
        value = loss(reconstructions, images, means, logvariances)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    first, last = losses[0], sum(losses[-10:]) / 10
    expect(math.isfinite(last), "The loss became nan or infinite.")
    expect(last < first / 2, f"The loss only went from {first:.1f} to {last:.1f}. Do the checks above all pass?")
    labels = torch.arange(100) % classes
    with torch.no_grad():
        drawn = model.decoder(torch.cat((torch.randn(100, latent), torch.eye(classes)[labels]), -1))
    right = (torch.cdist(drawn, patterns).argmin(1) == labels).float().mean()
    expect(right >= 0.8, f"Only {right:.0%} of the images drawn show the class asked for. Does the decoder see it?")
