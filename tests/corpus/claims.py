"""What each hint says of a module, tested on the module itself.

A hint is false where its claim does not hold. The claims share nothing with the bank that the hints come from: they run
the module in this process, in float64, fit its terms by regression, watch which functions of torch it calls, and look
at what its pieces are given. A hint without a claim here counts as false.
"""

import dis
import inspect
import math
import re
import types
from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import pairwise
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from . import oracle
from .mutations import CLASS
from .oracle import attempt, given_noise, numbers

ACTIVATIONS = {
    "relu", "relu_", "leaky_relu", "elu", "gelu", "silu", "softplus", "tanh", "sigmoid", "softmax", "hardsigmoid",
    "logsigmoid", "log_sigmoid", "clamp", "exp", "abs", "expit", "special_expit", "square", "selu", "hardtanh",
    "threshold", "prelu",
}  # fmt: skip
OTHER_LAYERS = {"dropout", "batch_norm", "layer_norm", "softmax", "alpha_dropout", "group_norm"}
STATISTICS = {"mean", "std", "var", "norm", "normalize", "amax", "amin"}
RELU = {"relu", "relu_", "clamp", "threshold"}

Claim = Callable[["Subject"], bool]
CLAIMS: dict[str, Claim] = {}


def claim(*names: str) -> Callable[[Claim], Claim]:
    """Register what the hints of these names say."""

    def register(function: Claim) -> Claim:
        CLAIMS.update(dict.fromkeys(names, function))
        return function

    return register


def false_of(source: str, names: Iterable[str]) -> list[str]:
    """Those of the named mistakes that the module does not make."""
    names = list(names)
    if not names:
        return []
    with oracle.in_float64():
        subject = Subject(source)
        return [name for name in names if name not in CLAIMS or attempt(CLAIMS[name], subject) is not True]


def near(value: Any, expected: Any, tolerance: float = 1e-4) -> bool:
    """Equal up to rounding, as numbers or elementwise."""
    value, expected = torch.as_tensor(value).double(), torch.as_tensor(expected).double()
    return value.shape == expected.shape and torch.allclose(value, expected, rtol=tolerance, atol=tolerance)


# What the terms of the loss may be made of.
Features = dict[str, Callable[[Tensor, Tensor], Tensor]]
KL: Features = {
    "lv": lambda m, v: v, "m²": lambda m, v: m**2, "var": lambda m, v: v.exp(), "m": lambda m, v: m,
    "std": lambda m, v: (v / 2).exp(), "var²": lambda m, v: (2 * v).exp(), "e^m": lambda m, v: m.exp(),
    "v²": lambda m, v: v**2, "1/var": lambda m, v: (-v).exp(),
}  # fmt: skip
RECONSTRUCTION: Features = {
    "x log r": lambda r, x: x * r.log(), "(1-x) log(1-r)": lambda r, x: (1 - x) * (1 - r).log(),
    "r log x": lambda r, x: r * x.log(), "(1-r) log(1-x)": lambda r, x: (1 - r) * (1 - x).log(),
    "squared": lambda r, x: (r - x) ** 2, "absolute": lambda r, x: (r - x).abs(),
    "log r": lambda r, x: r.log(), "log(1-r)": lambda r, x: (1 - r).log(),
    "logits": lambda r, x: nn.functional.binary_cross_entropy_with_logits(r, x, reduction="none"),
}  # fmt: skip


class Subject:
    """A module, and what can be measured of it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.module = oracle.load(source)

    # -- sample_latent

    means = numbers(8, seed=1, low=-3.0, high=3.0).double()
    logvariances = numbers(8, seed=2, low=-3.0, high=2.5).double()

    def draw(self, rows: int = 20000, seed: int = 0) -> Tensor:
        torch.manual_seed(seed)
        m, v = (each.repeat(rows, 1) for each in (self.means, self.logvariances))
        return self.module.sample_latent(m, v).detach()  # type: ignore[union-attr]

    @cached_property
    def draws(self) -> Tensor:
        return self.draw()

    def wide_spread(self, logvariance: float) -> Tensor:
        torch.manual_seed(0)
        zeros = torch.zeros(5000, 8)
        return self.module.sample_latent(zeros, zeros + logvariance).detach().std()  # type: ignore[union-attr]

    @cached_property
    def center(self) -> Tensor:
        return self.draws.mean(0)

    @cached_property
    def spread(self) -> Tensor:
        return self.draws.std(0)

    @cached_property
    def standardized(self) -> Tensor:
        return (self.draws - self.center) / self.spread

    @cached_property
    def small_draw(self) -> tuple[Tensor, list[Tensor | None], bool]:
        """A draw of (6, 5), its gradients, and whether the arguments were changed."""
        leaves = [numbers(6, 5, seed=1).requires_grad_(), numbers(6, 5, seed=2).requires_grad_()]
        plain = [each.detach().clone() for each in leaves]
        before = [each.clone() for each in plain]
        with given_noise():
            value = attempt(self.module.sample_latent, *plain)  # type: ignore[union-attr]
            slopes = attempt(lambda: oracle.gradients(self.module.sample_latent(*leaves), leaves))  # type: ignore[union-attr]
        return value, slopes, not all(map(torch.equal, plain, before))

    # -- loss_function

    def loss(self, r: Tensor, x: Tensor, m: Tensor, v: Tensor) -> Tensor:
        return self.module.loss_function(r, x, m, v)  # type: ignore[union-attr]

    @staticmethod
    def batch(n: int = 1, pixels: int = 6, latent: int = 4, seed: int = 0, low: float = -2.0) -> list[Tensor]:
        images = [numbers(n, pixels, seed=10 * seed + each, low=0.05, high=0.95) for each in (1, 2)]
        return [
            *images,
            2 * numbers(n, latent, seed=10 * seed + 3),
            numbers(n, latent, seed=10 * seed + 4, low=low, high=2.0),
        ]

    def _fit(self, features: Features, vary: slice, low: float) -> dict[str, float]:
        """Least squares: the loss of one image as a sum of features of the arguments that vary; {} if it is none."""
        fixed, rows, values = self.batch(low=low), [], []
        for seed in range(1, 4 * len(features)):
            arguments = [*fixed]
            arguments[vary] = self.batch(seed=seed, low=low)[vary]
            values.append(float(self.loss(*arguments)))
            rows.append([float(each(*arguments[vary]).sum()) for each in features.values()] + [1.0])
        matrix, target = torch.tensor(rows), torch.tensor(values)
        found = torch.linalg.lstsq(matrix, target, driver="gelsd").solution
        if not near(matrix @ found, target, 1e-5):
            return {}
        return dict(zip(features, found.tolist(), strict=False))

    @cached_property
    def kl(self) -> dict[str, float]:
        """Weights of the divergence's terms: right are lv -1/2, m² 1/2, var 1/2."""
        found = attempt(self._fit, KL, slice(2, 4), -2.0)
        return found if isinstance(found, dict) else {}

    @cached_property
    def reconstruction(self) -> dict[str, float]:
        """Weights of the reconstruction's terms: right are x log r -1, (1-x) log(1-r) -1."""
        found = attempt(self._fit, RECONSTRUCTION, slice(0, 2), -2.0)
        return found if isinstance(found, dict) else {}

    def change(self, vary: slice, n: int = 1, pixels: int = 6, latent: int = 4, low: float = -2.0) -> float:
        """How the loss of n equal images changes with a change of the arguments, against what a correct one does."""
        one, other = self.batch(1, pixels, latent, 1, low), self.batch(1, pixels, latent, 2, low)
        changed = [*one]
        changed[vary] = other[vary]

        def right(r: Tensor, x: Tensor, m: Tensor, v: Tensor) -> Tensor:
            return nn.functional.binary_cross_entropy(r, x, reduction="sum") - 0.5 * (1 + v - m**2 - v.exp()).sum()

        observed = [float(self.loss(*(each.repeat(n, 1) for each in arguments))) for arguments in (changed, one)]
        return (observed[0] - observed[1]) / float(right(*changed) - right(*one))

    def growth(self, vary: slice, **sizes: int) -> float:
        """How the change grows when the one size named becomes twice as large."""
        start = {"n": 3, "pixels": 6, "latent": 4}
        larger = start | {name: factor * start[name] for name, factor in sizes.items()}
        return self.change(vary, **larger) / self.change(vary, **start)

    # -- the network

    def model(self, sizes: tuple[int, int, int] = oracle.SIZES[0]) -> Any:
        return oracle.build(self.module, sizes)  # type: ignore[arg-type]

    def piece(self, name: str, x: Tensor | None = None) -> list[tuple[str, int, bool]]:
        """The functions of torch that a call of the piece makes: name, width of what comes out, whether with a bias."""
        model = self.model()
        widths = {"encoder": 794, "decoder": 25, "mean_layer": 64, "logvariance_layer": 64}
        calls: list[tuple[str, int, bool]] = []

        class Watch(TorchFunctionMode):
            def __torch_function__(self, func: Any, kinds: Any, args: Any = (), kwargs: Any = None) -> Any:
                result = func(*args, **(kwargs or {}))
                if isinstance(result, Tensor):
                    bias = (len(args) > 2 and args[2] is not None) or (kwargs or {}).get("bias") is not None
                    calls.append((getattr(func, "__name__", ""), result.shape[-1] if result.dim() else 0, bias))
                return result

        with Watch():
            getattr(model, name)(numbers(8, widths[name], seed=3) if x is None else x)
        return calls

    def linear(self, name: str) -> list[tuple[str, int, bool]]:
        return [each for each in self.piece(name) if each[0] in ("linear", "matmul", "__matmul__")]

    def after(self, name: str) -> list[list[str]]:
        """For each linear layer of a piece, the activations and other layers that follow it."""
        found: list[list[str]] = []
        for function, _, _ in self.piece(name):
            if function in ("linear", "matmul"):
                found.append([])
            elif found and function in ACTIVATIONS | OTHER_LAYERS and found[-1][-1:] != [function.rstrip("_")]:
                found[-1].append(function.rstrip("_"))
        return found

    @cached_property
    def passed(self) -> types.SimpleNamespace:
        """A forward pass with given noise: what went in and out, and what the pieces were given."""
        model = self.model()
        x, c = numbers(8, 784, low=0.0), torch.eye(10)[torch.arange(8)]
        seen: dict[str, list[tuple[Any, ...]]] = {name: [] for name in (*oracle.PIECES, "sample_latent")}
        given: dict[str, Any] = {}

        def watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **named: Any) -> Any:
                seen[name].append((*arguments, *named.values()))
                result = function(*arguments, **named)
                given.setdefault(name, result)
                return result

            return call

        for name in oracle.PIECES:
            piece = getattr(model, name, None)
            if callable(piece):
                object.__setattr__(model, name, watched(name, piece))
                model._modules.pop(name, None)
                model.__dict__[name] = watched(name, piece)
        draw = watched("sample_latent", lambda m, v: m + torch.exp(v / 2) * numbers(*m.shape, seed=99))
        with mock.patch.dict(type(model).forward.__globals__, {"sample_latent": draw}), given_noise():
            outputs = attempt(model, x, c)
        return types.SimpleNamespace(x=x, c=c, seen=seen, given=given, outputs=outputs)


# --- sample_latent ------------------------------------------------------------------------------------------------


def _spread_is(expected: Callable[[Subject], Tensor]) -> Claim:
    return lambda s: near(s.spread, expected(s), 0.05)


CLAIMS |= {
    "variance-as-std": _spread_is(lambda s: s.logvariances.exp()),
    "logvariance-as-std": _spread_is(lambda s: s.logvariances.abs()),
    "half-logvariance-as-std": _spread_is(lambda s: s.logvariances.abs() / 2),
    "no-scale": _spread_is(lambda s: torch.ones(8)),
    "arguments-unused": lambda s: near(s.spread, torch.ones(8), 0.05) and near(s.center, torch.zeros(8), 0.05),
    "softplus-as-std": _spread_is(lambda s: nn.functional.softplus(s.logvariances)),
    "noise-scales-mean": _spread_is(lambda s: s.means.abs()),
}


def _slope(s: Subject) -> float:
    """Of the logarithm of the spread on the log-variance: right is 1/2."""
    v = s.logvariances - s.logvariances.mean()
    return float((v * s.spread.log()).sum() / (v * v).sum())


@claim("inverse-std")
def _(s: Subject) -> bool:
    return _slope(s) < -0.2


@claim("squared-std")
def _(s: Subject) -> bool:
    return _slope(s) > 1.5


@claim("spread-wrong")
def _(s: Subject) -> bool:
    far = (abs(float(s.wide_spread(each)) / math.exp(each / 2) - 1) > 0.1 for each in (-12.0, 12.0))
    return not near(s.spread, (s.logvariances / 2).exp(), 0.03) or any(far)


@claim("spread-scaled")
def _(s: Subject) -> bool:
    ratio = s.spread / (s.logvariances / 2).exp()
    return near(ratio, ratio.mean().expand(8), 0.06) and abs(float(ratio.mean()) - 1) > 0.03


@claim("noise-multiplied")
def _(s: Subject) -> bool:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        one = s.module.sample_latent(s.means[None], s.logvariances[None])  # type: ignore[union-attr]
        torch.manual_seed(3)
        twice = s.module.sample_latent(2 * s.means[None], s.logvariances[None])  # type: ignore[union-attr]
    return near(2 * one, twice)


@claim("draw-activated")
def _(s: Subject) -> bool:
    """Next to no noise gives a function of the mean that is not the mean, and repeats where the mean does."""
    quiet = torch.full_like(s.means, -30.0)[None]
    one, other = (s.module.sample_latent(s.means[None], quiet) for _ in range(2))  # type: ignore[union-attr]
    return near(one, other, 1e-3) and not near(one, s.means[None], 0.1)


@claim("draw-cut-off")
def _(s: Subject) -> bool:
    """Many wide draws are exactly at the smallest or the largest one of their column."""
    draws = s.module.sample_latent(s.means.repeat(999, 1), torch.full((999, 8), 5.0)).detach()  # type: ignore[union-attr]
    return any(bool(((draws == end).double().mean(0) > 0.05).all()) for end in draws.aminmax(dim=0))


@claim("centre-wrong")
def _(s: Subject) -> bool:
    return not near(s.center, s.means, 0.1) or not all(near(_quiet(s, each), each, 0.1) for each in (-12.0, 12.0))


@claim("mean-cut-off")
def _(s: Subject) -> bool:
    return near(_quiet(s, 1.0), 1.0, 0.1) and any(near(_quiet(s, each), _quiet(s, 2 * each)) for each in (-12.0, 12.0))


def _quiet(s: Subject, mean: float) -> float:
    """The average of draws that hold next to no noise."""
    means = torch.full((99, 8), mean)
    return float(s.module.sample_latent(means, 0 * means - 30.0).mean())  # type: ignore[union-attr]


@claim("no-noise")
def _(s: Subject) -> bool:
    return bool((s.spread < 1e-6).all())


@claim("no-mean")
def _(s: Subject) -> bool:
    return bool((s.center.abs() < 0.1 * (1 + s.spread)).all())


@claim("mean-scaled")
def _(s: Subject) -> bool:
    std = (s.logvariances / 2).exp()
    return near(s.spread, std, 0.05) and near(s.center, s.means * std, 0.15)


@claim("std-scales-mean")
def _(s: Subject) -> bool:
    std = (s.logvariances / 2).exp()
    return near(s.spread, torch.ones_like(std), 0.05) and near(s.center, s.means * std, 0.15)


@claim("std-returned")
def _(s: Subject) -> bool:
    return near(s.draws[0], (s.logvariances / 2).exp())


@claim("sample-arguments-exchanged")
def _(s: Subject) -> bool:
    return near(s.spread, (s.means / 2).exp(), 0.05) and near(s.center, s.logvariances, 0.15)


@claim("uniform-noise")
def _(s: Subject) -> bool:
    return near((s.standardized**4).mean(), 1.8, 0.05)


@claim("noise-not-normal")
def _(s: Subject) -> bool:
    noise = s.standardized
    found = torch.special.ndtr(noise.flatten()).sort().values
    if float((found - torch.linspace(0, 1, len(found))).abs().max()) > 0.02:
        return True
    many = s.module.sample_latent(torch.zeros(1000000, 1), torch.zeros(1000000, 1)).detach()  # type: ignore[union-attr]
    many = (many - many.mean()) / many.std()
    return abs(float((many**4).mean()) - 3) > 0.03 or min(float(many.max()), -float(many.min())) < 3.8


@claim("noise-in-exponent")
def _(s: Subject) -> bool:
    log = (s.draws - s.means).log()  # NaN where the noise is negative
    noise = (log - log.mean(0)) / log.std(0)
    return near((noise**4).mean(), 3.0, 0.1) and near((noise**3).mean(), 0.0, 0.1)


@claim("positive-noise")
def _(s: Subject) -> bool:
    return bool(((s.draws - s.means) >= -1e-9).all())


def _passes_alike(s: Subject, seeds: tuple[int | None, ...], training: bool = True) -> bool:
    """Whether passes of a model over some images give the same reconstructions after these seeds."""
    model, found = s.model().train(training), []
    model(*_inputs())  # after which a seed may be set
    for seed in seeds:
        if seed is not None:
            torch.manual_seed(seed)
        found.append(model(*_inputs())[0])
    return near(found[0], found[1], 1e-12)


@claim("generator-restarted")
def _(s: Subject) -> bool:
    def draws(*seeds: int | None) -> bool:
        found = [s.draw(3, seed) for seed in seeds if seed is not None]
        found += [
            s.module.sample_latent(s.means[None], s.logvariances[None]).detach()  # type: ignore[union-attr]
            for seed in seeds
            if seed is None
        ]
        return near(found[0], found[1], 1e-12)

    if draws(None, None):
        return not draws(1, 2)
    return _passes_alike(s, (None, None)) and not _passes_alike(s, (1, 2))


@claim("fixed-seed")
def _(s: Subject) -> bool:
    if any(_passes_alike(s, seeds, training) for seeds in ((1, 2), (None, None)) for training in (True, False)):
        return True
    with torch.no_grad():
        quiet = [s.module.sample_latent(s.means[None], s.logvariances[None]) for _ in range(2)]  # type: ignore[union-attr]
    if near(quiet[0], quiet[1], 1e-12) and not near(quiet[0][0], s.means, 1e-6):
        return True
    a = s.draw(300, seed=1), s.draw(300, seed=2)
    in_a_row = [s.module.sample_latent(s.means[None], s.logvariances[None]).detach() for _ in range(2)]  # type: ignore[union-attr]
    if near(in_a_row[0], in_a_row[1], 1e-12):
        return True
    b = [(each - each.mean(0)) / each.std(0) for each in a]
    if abs(float((b[0] * b[1]).mean())) > 0.2:
        return True
    calls = [s.module.sample_latent(s.means[None], s.logvariances[None]).detach() for _ in range(30)]  # type: ignore[union-attr]
    return len(torch.cat(calls).unique(dim=0)) < len(calls)


@claim("noise-shared-across-rows")
def _(s: Subject) -> bool:
    one = s.draw(50, 1)
    noise = (one[0] - s.means) / (s.logvariances / 2).exp()
    return near(one, one[:1].expand(50, 8)) and not near(noise, noise.mean().expand(8))


@claim("noise-shared-across-columns")
def _(s: Subject) -> bool:
    noise = s.standardized
    return near(noise.abs(), noise[:, :1].abs().expand_as(noise), 0.1)


@claim("sample-detached")
def _(s: Subject) -> bool:
    return isinstance(s.small_draw[1], list) and s.small_draw[1][0] is None


@claim("std-detached")
def _(s: Subject) -> bool:
    slopes = s.small_draw[1]
    return slopes[0] is not None and (slopes[1] is None or not slopes[1].any()) and _slope(s) != 0


@claim("sample-gradient-zero")
def _(s: Subject) -> bool:
    return any(each is not None and not each.any() for each in s.small_draw[1])


@claim("forward-gradient-zero")
def _(s: Subject) -> bool:
    model = s.model()
    model(*_inputs())[0].square().sum().backward()
    slopes = [each.grad for each in model.parameters()]
    return any(each is not None and not each.any() for each in slopes)


@claim("sample-gradient-partial")
def _(s: Subject) -> bool:
    leaves = [numbers(6, 5, seed=1).requires_grad_(), numbers(6, 5, seed=2).requires_grad_()]
    with given_noise():
        value = s.module.sample_latent(*leaves)  # type: ignore[union-attr]
    slopes = torch.autograd.grad(value.sum(), leaves, allow_unused=True)
    right = torch.ones(6, 5), (value - leaves[0]).detach() / 2
    return any(slope is None or not near(slope, each) for slope, each in zip(slopes, right, strict=True))


@claim("sample-gradient-scaled")
def _(s: Subject) -> bool:
    leaves = [numbers(6, 5, seed=1).requires_grad_(), numbers(6, 5, seed=2).requires_grad_()]
    with given_noise():
        value = s.module.sample_latent(*leaves)  # type: ignore[union-attr]
    slopes = torch.autograd.grad(value.sum(), leaves)
    right = torch.ones(6, 5), (value - leaves[0]).detach() / 2
    factors = [slope / each for slope, each in zip(slopes, right, strict=True)]
    return all(near(each, each.mean().expand(6, 5), 1e-3) for each in factors) and not near(
        torch.stack(factors), torch.ones(2, 6, 5)
    )


@claim("draw-normalized")
def _(s: Subject) -> bool:
    if near(s.center, s.means, 0.2) and near(s.spread, (s.logvariances / 2).exp(), 0.05):  # forward normalizes
        several = [s.passed.seen["decoder"][0][0][:, :15]]
    else:
        given = [[numbers(9, 7, seed=2 * call + each, low=-2.0) for each in range(2)] for call in range(3)]
        several = [s.module.sample_latent(*each).detach() for each in given]  # type: ignore[union-attr]
    for dims in ((0,), (1,), (0, 1))[: 3 if len(several) > 1 else 2]:
        for statistic in (torch.mean, torch.std, torch.linalg.vector_norm):
            found = torch.cat([statistic(each, dim=dims).flatten() for each in several])
            if near(found, found.mean().expand_as(found), 1e-4):
                return True
    return False


@claim("noise-normalized")
def _(s: Subject) -> bool:
    draws = torch.stack([s.module.sample_latent(torch.zeros(12, 7), torch.zeros(12, 7)) for _ in range(20)]).detach()  # type: ignore[union-attr]
    shuffled = draws.flatten()[torch.randperm(draws.numel())].view_as(draws)
    for dims in ((2,), (1,), (1, 2)):
        for size in (lambda each: each, torch.square):
            adjusted, usual = (size(each).mean(dims).std() for each in (draws, shuffled))
            spread = size(draws - draws.mean(dims, keepdim=True)).mean(dims).std()
            if min(adjusted, spread if size is torch.square else adjusted) < 0.4 * usual:
                return True
    return False


@claim("noise-shared-by-all")
def _(s: Subject) -> bool:
    draws = s.module.sample_latent(torch.zeros(9, 7), torch.zeros(9, 7))  # type: ignore[union-attr]
    return near(draws, draws[:1, :1].expand(9, 7), 1e-9)


@claim("noise-drawn-once")
def _(s: Subject) -> bool:
    wide = s.logvariances + 1
    draws = [s.draw(3, seed=1), s.draw(3, seed=2)]
    other = s.module.sample_latent((s.means + 1).repeat(3, 1), wide.repeat(3, 1)).detach()  # type: ignore[union-attr]
    noise = (draws[0] - s.means) / (s.logvariances / 2).exp()
    return near(draws[0], draws[1], 1e-9) and near(noise, (other - s.means - 1) / (wide / 2).exp(), 1e-6)


@claim("noise-size-written-in")
def _(s: Subject) -> bool:
    found = [attempt(s.module.sample_latent, *torch.zeros(2, *shape)) for shape in ((6, 5), (8192, 5), (6, 120))]  # type: ignore[union-attr]
    return any(isinstance(each, str) for each in found)


@claim("loss-scaled")
def _(s: Subject) -> bool:
    found = [s.change(each) for each in (slice(0, 1), slice(2, 4))]
    return near(found[0], found[1], 1e-3) and not near(found[0], 1.0, 1e-3)


@claim("logvariance-as-variance")
def _(s: Subject) -> bool:
    large = s.logvariances > 0.3
    return bool(large.any()) and near(s.spread[large], s.logvariances[large].sqrt(), 0.05)


@claim("spread-cut-off")
def _(s: Subject) -> bool:
    right = (s.spread / torch.exp(s.logvariances / 2) - 1).abs() < 0.05
    if right.all():
        return any((s.wide_spread(each) / math.exp(each / 2) - 1).abs() > 0.05 for each in (-13.0, 13.0))
    return bool(right.any())


@claim("noise-correlated")
def _(s: Subject) -> bool:
    torch.manual_seed(0)
    noise = s.module.sample_latent(torch.zeros(100, 100), torch.zeros(100, 100)).detach()  # type: ignore[union-attr]
    if any(float(torch.corrcoef(each).fill_diagonal_(0).abs().max()) > 0.6 for each in (noise, noise.T)):
        return True
    for shape in ((8, 5000), (5000, 8)):
        noise = s.module.sample_latent(torch.zeros(shape), torch.zeros(shape)).detach()  # type: ignore[union-attr]
        noise = noise if len(noise) == 8 else noise.T
        for each in (noise, noise.abs()):
            if float(torch.corrcoef(each).fill_diagonal_(0).abs().max()) > 0.2:
                return True
    return False


@claim("inputs-modified")
def _(s: Subject) -> bool:
    if s.small_draw[2]:
        return True
    x, c = numbers(8, 784, low=0.0), torch.eye(10)[torch.arange(8)]
    given = [x, c, *s.batch(3)]
    before = [each.clone() for each in given]
    attempt(lambda: s.model()(x, c))
    attempt(s.loss, *given[2:])
    return not all(map(torch.equal, before, given)) or any(each._version for each in given)


# --- loss_function ------------------------------------------------------------------------------------------------

RIGHT_KL = {"lv": -0.5, "m²": 0.5, "var": 0.5}
IMAGES, PARAMETERS = slice(0, 1), slice(2, 4)  # the reconstructions, means and log-variances


def _weights(s: Subject, **expected: float | None) -> bool:
    """Of the divergence: these, up to a common positive factor; None for any other than zero; the others zero."""
    names = {"lv": "lv", "m2": "m²", "var": "var", "m": "m", "std": "std", "var2": "var²"}
    wanted = {names[name]: value for name, value in expected.items()}
    if not s.kl:
        return False
    known = [name for name, value in wanted.items() if value]
    factor = s.kl[known[0]] / wanted[known[0]] if known else 1.0  # type: ignore[operator]
    return factor > 1e-6 and all(
        abs(value) > 1e-6
        if name in wanted and wanted[name] is None
        else near(value, factor * (wanted.get(name) or 0.0))
        for name, value in s.kl.items()
    )


def _without(s: Subject, name: str, *others: str) -> bool:
    return bool(s.kl) and abs(s.kl[name]) < 1e-6 and all(abs(s.kl[each]) > 1e-6 for each in others)


CLAIMS |= {
    "kl-without-exp": lambda s: _without(s, "var") and abs(s.kl["lv"]) < 1e-6 and abs(s.kl["m²"]) > 1e-6,
    "kl-sign-flipped": lambda s: all(s.kl[name] * right < -1e-9 for name, right in RIGHT_KL.items()),
    "kl-missing": lambda s: near(s.change(PARAMETERS), 0.0),
    "kl-without-half": lambda s: all(near(abs(s.kl[name]), 1.0) for name in RIGHT_KL),
    "kl-mean-not-squared": lambda s: _without(s, "m²", "m"),
    "kl-without-logvariance": lambda s: _without(s, "lv", "var"),
    "kl-without-variance": lambda s: _without(s, "var", "lv"),
    "kl-without-mean": lambda s: _without(s, "m²") and abs(s.kl["m"]) < 1e-6,
    "kl-std-for-variance": lambda s: _without(s, "var", "std"),
    "kl-logvariance-as-log-std": lambda s: _without(s, "var", "var²"),
    "reconstruction-mse": lambda s: abs(s.reconstruction["squared"]) > 1e-6,
    "reconstruction-l1": lambda s: abs(s.reconstruction["absolute"]) > 1e-6,
    "reconstruction-missing": lambda s: near(s.change(IMAGES, pixels=784), 0.0),
    "reconstruction-arguments-swapped": lambda s: abs(s.reconstruction["r log x"]) > 1e-6,
    "reconstruction-sign-flipped": lambda s: (
        s.reconstruction["x log r"] > 1e-6 and s.reconstruction["(1-x) log(1-r)"] > 1e-6
    ),
    "reconstruction-sigmoid-twice": lambda s: abs(s.reconstruction["logits"]) > 1e-6,
    "reconstruction-half": lambda s: (
        (abs(s.reconstruction["x log r"]) < 1e-6) != (abs(s.reconstruction["(1-x) log(1-r)"]) < 1e-6)
    ),
    "reconstruction-averaged-over-pixels": lambda s: near(s.growth(IMAGES, pixels=2), 0.5),
    "kl-averaged-over-latent": lambda s: near(s.growth(PARAMETERS, latent=2), 0.5),
    "reconstruction-divided-by-pixels": lambda s: (
        near(s.growth(IMAGES, pixels=2), 0.5) and near(s.growth(IMAGES, n=2), 2.0)
    ),
    "kl-divided-by-latent": lambda s: (
        near(s.growth(PARAMETERS, latent=2), 0.5) and near(s.growth(PARAMETERS, n=2), 2.0)
    ),
    "averaged-over-everything": lambda s: (
        near(s.growth(IMAGES, pixels=2), 0.5) and near(s.growth(PARAMETERS, latent=2), 0.5)
    ),
    "divided-by-latent": lambda s: near(s.growth(IMAGES, latent=2), 0.5) and near(s.growth(PARAMETERS, latent=2), 0.5),
    "divided-by-pixels": lambda s: near(s.growth(PARAMETERS, pixels=2), 0.5),
    "divided-by-all-pixels": lambda s: (
        near(s.growth(PARAMETERS, pixels=2), 0.5) and near(s.growth(PARAMETERS, n=2), 1.0)
    ),
    "summed-over-batch": lambda s: _grow(s, IMAGES, 2.0) and _grow(s, PARAMETERS, 2.0),
    "reconstruction-summed-over-batch": lambda s: _grow(s, IMAGES, 2.0) and not _grow(s, PARAMETERS, 2.0),
    "kl-summed-over-batch": lambda s: not _grow(s, IMAGES, 2.0) and _grow(s, PARAMETERS, 2.0),
}  # fmt: skip


def _grow(s: Subject, vary: slice, factor: float) -> bool:
    """With the number of images; a term that is not there grows with anything."""
    changes = s.change(vary), s.change(vary, n=2)
    return near(changes, (0.0, 0.0)) or near(changes[1] / changes[0], factor)


@claim("kl-with-log")
def _(s: Subject) -> bool:
    logs = {"log v": lambda m, v: v.log(), "lv": lambda m, v: v, "m²": lambda m, v: m**2, "var": lambda m, v: v.exp()}
    arguments = s.batch()
    return bool(s.loss(*arguments).isnan()) and abs(s._fit(logs, PARAMETERS, 0.2)["log v"]) > 1e-6


@claim("kl-without-constant")
def _(s: Subject) -> bool:
    """Zero for each latent at the prior, less what a factor explains."""
    r, x = s.batch()[:2]
    few, many = (s.loss(r, x, torch.zeros(1, count), torch.zeros(1, count)) for count in (2, 8))
    return not near(few, many) and not near(s.growth(IMAGES, latent=4), 0.25)


@claim("kl-scaled")
def _(s: Subject) -> bool:
    factors = [s.kl[name] / right for name, right in RIGHT_KL.items()]
    return near(torch.tensor(factors), torch.full((3,), factors[0])) and not near(factors[0], s.change(IMAGES))


@claim("loss-arguments-exchanged")
def _(s: Subject) -> bool:
    exchanged = {"e^m": 0.5, "v²": 0.5, "m": -0.5}
    return bool(s.kl) and all(near(value, exchanged.get(name, 0.0)) for name, value in s.kl.items())


@claim("kl-term-sign")
def _(s: Subject) -> bool:
    signs = {s.kl[name] * right > 0 for name, right in RIGHT_KL.items() if abs(s.kl[name]) > 1e-6}
    return len(signs) == 2


@claim("kl-other")
def _(s: Subject) -> bool:
    return not s.kl or not _weights(s, lv=-0.5, m2=0.5, var=0.5)


@claim("reconstruction-other")
def _(s: Subject) -> bool:
    right = {"x log r", "(1-x) log(1-r)"}
    r, _, m, v = s.batch(1)
    pixels = [float(s.loss(0 * r + each, 0 * r + x, m, v)) for x in (0.0, 1.0) for each in (0.2, 0.8)]
    slopes = [(pixels[at + 1] - pixels[at]) / r.numel() for at in (0, 2)]
    return (
        not near(slopes[0], math.log(4))
        or not near(slopes[1], -math.log(4))
        or not s.reconstruction
        or any((abs(value) > 1e-6) != (name in right) for name, value in s.reconstruction.items())
        or (not near(s.reconstruction["x log r"], s.reconstruction["(1-x) log(1-r)"]))
    )


@claim("reconstruction-scaled")
def _(s: Subject) -> bool:
    weights = [s.reconstruction[name] for name in ("x log r", "(1-x) log(1-r)")]
    return near(weights[0], weights[1]) and weights[0] < 0 and not near(weights[0], -1.0)


@claim("kl-in-every-pixel")
def _(s: Subject) -> bool:
    return all(near(s.change(PARAMETERS, pixels=pixels), pixels) for pixels in (6, 9))


@claim("reconstruction-in-every-dimension")
def _(s: Subject) -> bool:
    return all(near(s.change(IMAGES, latent=latent), latent) for latent in (4, 7))


@claim("terms-not-added")
def _(s: Subject) -> bool:
    one, other = s.batch(seed=1), s.batch(seed=2)
    values = [float(s.loss(*each[:2], *which[2:])) for each in (one, other) for which in (one, other)]
    return abs(values[0] - values[1] - values[2] + values[3]) > 1e-6 * max(map(abs, values))


@claim("kl-detached", "reconstruction-detached")
def _(s: Subject) -> bool:
    """Right values, and gradients that are not theirs."""
    leaves = [each.requires_grad_() for each in s.batch(3)]
    value = s.loss(*leaves)
    found = torch.autograd.grad(value, leaves, allow_unused=True)
    wrong = []
    for index in (0, 2, 3):
        step = [each.detach() for each in leaves]
        direction = numbers(*step[index].shape, seed=50)
        ahead, behind = ([*step[:index], step[index] + h * direction, *step[index + 1 :]] for h in (1e-5, -1e-5))
        slope = (s.loss(*ahead) - s.loss(*behind)) / 2e-5
        gradient = found[index]
        wrong.append(gradient is None or not near((gradient * direction).sum(), slope, 1e-3))
    return any(wrong)


@claim("divided-by-constant")
def _(s: Subject) -> bool:
    return _grow(s, IMAGES, 2.0) and _grow(s, PARAMETERS, 2.0) and not near(s.change(PARAMETERS), 1.0)


@claim("reconstruction-divided-by-constant")
def _(s: Subject) -> bool:
    return _grow(s, IMAGES, 2.0) and abs(s.change(IMAGES)) < 1.0


@claim("kl-divided-by-constant")
def _(s: Subject) -> bool:
    return _grow(s, PARAMETERS, 2.0) and abs(s.change(PARAMETERS)) < 1.0


def _mixes(s: Subject, places: tuple[int, int]) -> bool:
    """Whether a change of one image in these arguments counts otherwise next to another change of a second image."""
    start, other = (s.batch(2, seed=seed, low=0.2) for seed in (1, 2))

    def value(*rows: int) -> float:
        arguments = [each.clone() for each in start]
        for at in places:
            arguments[at][list(rows)] = other[at][list(rows)]
        return float(s.loss(*arguments))

    return not near(value(0, 1) - value(0), value(1) - value())


CLAIMS |= {
    "reconstruction-mixes-images": lambda s: _mixes(s, (0, 1)),
    "kl-mixes-images": lambda s: _mixes(s, (2, 3)),
}


@claim("kl-capacity")
def _(s: Subject) -> bool:
    """Falls, then rises, as the divergence grows."""
    r, x, m, v = s.batch(1)
    values = [float(s.loss(r, x, 0 * m + mean / 10, 0 * v)) for mean in range(200)]
    lowest = values.index(min(values))
    return 0 < lowest < 199 and values[0] > values[lowest] < values[-1]


CLAIMS |= {
    "divided-by-batch-twice": lambda s: _grow(s, IMAGES, 0.5) and _grow(s, PARAMETERS, 0.5),
    "reconstruction-divided-by-batch-twice": lambda s: _grow(s, IMAGES, 0.5),
    "kl-divided-by-batch-twice": lambda s: _grow(s, PARAMETERS, 0.5),
}


@claim("divided-by-other-size")
def _(s: Subject) -> bool:
    """The number of images in some minibatches and not in others."""
    right = []
    for images, latent in ((3, 20), (40, 5)):
        r, x, m, v = s.batch(images, latent=latent)
        terms = nn.functional.binary_cross_entropy(r, x, reduction="sum") - 0.5 * (1 + v - m**2 - v.exp()).sum()
        right.append(near(s.loss(r, x, m, v), terms / images))
    return any(right) and not all(right)


@claim("loss-off-by-originals")
def _(s: Subject) -> bool:
    """Right changes with all other arguments, and another value on a gray image."""
    r, _, m, v = s.batch(1)
    gray = 0 * r + 0.5
    value = s.loss(gray, gray, 0 * m, 0 * v)
    same = near(s.change(slice(0, 1)), 1.0) and near(s.change(PARAMETERS), 1.0)
    return same and not near(value, r.numel() * math.log(2))


@claim("kl-mixes-dimensions")
def _(s: Subject) -> bool:
    """What one dimension changes is another number next to another value of a second one."""
    r, x, m, v = s.batch(1, latent=2, low=0.2)
    for at in (0, 1):

        def value(*changed: int, at: int = at) -> float:
            latents = [m.clone(), v.clone()]
            for each in changed:
                latents[at][:, each] += 2
            return float(s.loss(r, x, *latents))

        if not near(value(0, 1) - value(0), value(1) - value()):
            return True
    return False


@claim("batch-other")
def _(s: Subject) -> bool:
    return not (_grow(s, IMAGES, 1.0) and _grow(s, PARAMETERS, 1.0))


@claim("loss-constant-off")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch()
    right = nn.functional.binary_cross_entropy(r, x, reduction="sum") - 0.5 * (1 + v - m**2 - v.exp()).sum()
    return near(s.change(IMAGES), 1.0) and near(s.change(PARAMETERS), 1.0) and not near(s.loss(r, x, m, v), right)


@claim("loss-constant-counts-images")
def _(s: Subject) -> bool:
    off = []
    for count in (2, 5):
        r, x, m, v = s.batch(count)
        right = nn.functional.binary_cross_entropy(r, x, reduction="sum") - 0.5 * (1 + v - m**2 - v.exp()).sum()
        off.append(s.loss(r, x, m, v) - right / count)
    return not near(off[0], off[1])


@claim("terms-broadcast")
def _(s: Subject) -> bool:
    """With more rows of images than of means, each term counts as often as the other has rows."""
    r, x, m, v = s.batch(4)
    counts = []
    for rows in (2, 1):
        start, images, latents = (
            float(s.loss(each, x, m[:rows] + more, v[:rows])) for each, more in ((r, 0), (0.5 * r, 0), (r, 1))
        )
        counts.append((images - start) * float((m[:rows] + 0.5).sum()) / (latents - start))
    return near(counts[0] / counts[1], 2.0)


@claim("loss-not-scalar")
def _(s: Subject) -> bool:
    return any(s.loss(*s.batch(count)).numel() > 1 for count in (1, 5))


@claim("loss-per-image")
def _(s: Subject) -> bool:
    return s.loss(*s.batch(5)).numel() == 5


@claim("loss-detached")
def _(s: Subject) -> bool:
    leaves = [each.requires_grad_() for each in s.batch(3)]
    slopes = oracle.gradients(s.loss(*leaves), leaves)
    return slopes[0] is None and slopes[2] is None and slopes[3] is None


@claim("loss-image-shape")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch(3)
    images = [each.reshape(3, 1, 2, 3) for each in (r, x)]
    flat, shaped = attempt(s.loss, r, x, m, v), attempt(s.loss, *images, m, v)
    return not (isinstance(flat, Tensor) and isinstance(shaped, Tensor) and near(flat, shaped))


@claim("loss-square-images")
def _(s: Subject) -> bool:
    root = "sqrt" in s.source or "**" in s.source
    return root and isinstance(s.loss(*s.batch(3, pixels=9)), Tensor) and isinstance(attempt(s.loss, *s.batch(3)), str)


@claim("latents-written-in")
def _(s: Subject) -> bool:
    """Right for some numbers of latents, and for others wrong or an error."""
    changes = [attempt(lambda latent: s.change(PARAMETERS, latent=latent), each) for each in (2, 10, 15, 20, 23, 100)]
    right = [isinstance(each, float) and near(each, 1.0) for each in changes]
    return any(right) and not all(right)


@claim("reconstruction-rescaled")
def _(s: Subject) -> bool:
    """A cross-entropy of other probabilities: those of white and of black add up to 1."""
    r, _, m, v = s.batch(1)
    at_once, twice = (0.3, 0.6, 0.8), torch.cat((r, r), 1)
    given = []
    for each in at_once:
        few, many = (
            [float(s.loss(0 * images + each, 0 * images + original, m, v)) for original in (0.0, 1.0)]
            for images in (r, twice)
        )
        black, white = (math.exp(-(two - one) / r.numel()) for one, two in zip(few, many, strict=True))
        if not near(black + white, 1.0, 1e-3):
            return False
        given.append(white)
    return not near(given, at_once, 1e-6)


@claim("loss-pixels-only")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch(3, pixels=784)
    shaped = s.loss(r.reshape(3, 1, 28, 28), x.reshape(3, 1, 28, 28), m, v)
    return near(s.loss(r, x, m, v), shaped) and isinstance(attempt(s.loss, *s.batch(3)), str)


def _work(s: Subject, *grown: dict[str, int]) -> bool:
    small = {"n": 4, "pixels": 6, "latent": 3}
    lines = [oracle.lines_run(s.loss, *s.batch(**(small | each), low=0.2)) for each in ({}, *grown)]
    return any(each > lines[0] + 10 for each in lines[1:])


@claim("loop-over-batch")
def _(s: Subject) -> bool:
    return _work(s, {"n": 64})


@claim("loop-over-elements")
def _(s: Subject) -> bool:
    return _work(s, {"pixels": 64}, {"latent": 64})


# --- encoder and decoder ------------------------------------------------------------------------------------------


def _network_claims(part: str, depth: int) -> dict[str, Claim]:
    hidden = depth if part == "encoder" else depth - 1
    inputs = 784 if part == "encoder" else 15

    def hard_coded(s: Subject) -> bool:
        x = numbers(8, 25 if part == "encoder" else 11, seed=3)
        model = attempt(s.model, oracle.SIZES[1])
        heads = [name for name, of in oracle.PIECES.items() if of == part and name != part]
        shapes = [
            getattr(attempt(getattr(model, name, None) or (lambda _: None), y), "shape", None)
            for name, y in ((part, x), *((head, numbers(8, 64)) for head in heads))
        ]
        widths = [64, 7, 7] if part == "encoder" else [21]
        return [shape and shape[-1] for shape in shapes] != widths

    def unlike(s: Subject) -> bool:
        """Not linear layers with one activation after each, as many as are asked for."""
        heads = [name for name, of in oracle.PIECES.items() if of == part and name != part]
        traces = [attempt(s.piece, each) for each in (part, *heads)]
        if any(isinstance(each, str) for each in traces):  # a piece that cannot be called on its 64 numbers
            return True
        calls = {name for each in traces for name, _, _ in each}
        chains = attempt(s.after, part)
        odd_widths = any(width != 64 for _, width, _ in s.linear(part)[:hidden])
        odd_calls = bool(calls - {"linear"} - ACTIVATIONS) or any(len(each) > 1 for each in chains)
        return odd_widths or odd_calls or len(chains) != depth

    return {
        f"{part}-depth": lambda s: len(s.linear(part)) != depth,
        f"{part}-missing-relu": lambda s: any(not set(names) & ACTIVATIONS for names in s.after(part)[:hidden]),
        f"{part}-activation": lambda s: any(set(names) & ACTIVATIONS - RELU for names in s.after(part)[:hidden]),
        f"{part}-width": lambda s: any(width != 64 for _, width, _ in s.linear(part)[:hidden]),
        f"{part}-without-condition": lambda s: bool(s.piece(part, numbers(8, inputs))),
        f"{part}-normalisation": lambda s: (
            any(name in OTHER_LAYERS | STATISTICS for name, _, _ in s.piece(part)) or unlike(s)
        ),
        f"{part}-bias": lambda s: (
            any(not bias for name, of in oracle.PIECES.items() if of == part for _, _, bias in s.linear(name))
            or any("bias" in dict(each.named_buffers(recurse=False)) for each in s.model().modules())
        ),
        f"{part}-sizes-hard-coded": lambda s: hard_coded(s) or _attributes(s) != [*oracle.SIZES[1], 64],
        f"{part}-other": lambda s: unlike(s),
    }


CLAIMS |= _network_claims("encoder", 3) | _network_claims("decoder", 4)
CLAIMS |= {
    "encoder-missing-last-relu": lambda s: not set(s.after("encoder")[-1]) & ACTIVATIONS,
    "decoder-no-sigmoid": lambda s: not set(s.after("decoder")[-1]) & {"sigmoid", "expit", "special_expit"},
    "decoder-sigmoid-twice": lambda s: [name for name, _, _ in s.piece("decoder")].count("sigmoid") > 1,
    "decoder-relu-before-sigmoid": lambda s: s.after("decoder")[-1] == ["relu", "sigmoid"],
    "decoder-output-activation": lambda s: (
        s.after("decoder")[-1] != ["sigmoid"] or not 0 <= s.passed.outputs[0].min() <= s.passed.outputs[0].max() <= 1
    ),
}


def _head_activated(index: int, head: str) -> Claim:
    def holds(s: Subject) -> bool:
        if isinstance(calls := attempt(s.piece, head), list) and {name for name, _, _ in calls} & ACTIVATIONS:
            return True
        raw = s.passed.given.get(head)
        return raw is not None and not near(s.passed.outputs[index], raw)

    return holds


CLAIMS |= {
    "mean-head-activated": _head_activated(1, "mean_layer"),
    "logvariance-head-activated": _head_activated(2, "logvariance_layer"),
}


def _attributes(s: Subject) -> list[Any]:
    model = s.model(oracle.SIZES[1])
    return [getattr(model, name, None) for name in oracle.ATTRIBUTES]


@claim("attribute-wrong")
def _(s: Subject) -> bool:
    return _attributes(s) != [*oracle.SIZES[1], 64]


@claim("head-depth")
def _(s: Subject) -> bool:
    return any(len(s.linear(head)) > 1 for head in ("mean_layer", "logvariance_layer"))


@claim("head-output-width")
def _(s: Subject) -> bool:
    heads = (getattr(s.model(), head) for head in ("mean_layer", "logvariance_layer"))
    return any(tuple(getattr(attempt(head, numbers(8, 64)), "shape", ()))[1:] != (15,) for head in heads)


@claim("head-sizes-swapped")
def _(s: Subject) -> bool:
    heads = (getattr(s.model(), head) for head in ("mean_layer", "logvariance_layer"))
    return any(tuple(getattr(attempt(head, numbers(8, 15)), "shape", ())) == (8, 64) for head in heads)


@claim("head-input-other")
def _(s: Subject) -> bool:
    model = s.model()
    heads = (getattr(model, head) for head in ("mean_layer", "logvariance_layer"))
    runs = not isinstance(attempt(model, *_inputs()), str)  # so that a head gets what it takes
    return runs and any(isinstance(attempt(head, numbers(8, 64)), str) for head in heads)


@claim("head-normalisation")
def _(s: Subject) -> bool:
    for head in (s.model().mean_layer, s.model().logvariance_layer):
        x, own = numbers(8, 64), {each.dim(): each for each in head.parameters()}
        if len(own) != 2 or not torch.allclose(attempt(head, x), torch.nn.functional.linear(x, own[2], own[1])):
            return True
    return False


@claim("layers-detached")
def _(s: Subject) -> bool:
    model = s.model()
    latents, hidden = numbers(8, 25), numbers(8, 64)
    outputs = (model.encoder(numbers(8, 794)), model.mean_layer(hidden), model.decoder(latents))
    given = [each for each in model.parameters() if each.requires_grad]
    reached = {id(leaf) for leaf in _leaves(*outputs)}
    return any(id(each) not in reached for each in given)


@claim("not-trainable")
def _(s: Subject) -> bool:
    model = s.model()
    trainable = {name: each for name, each in model.named_parameters() if each.requires_grad}
    outputs = attempt(model, numbers(8, 784), torch.eye(10)[:8])
    known = {id(each) for each in trainable.values()}
    return any(not any(name.startswith(piece) for name in trainable) for piece in oracle.PIECES) or (
        isinstance(outputs, tuple) and any(id(leaf) not in known for leaf in _leaves(*outputs))
    )


def _leaves(*outputs: Tensor) -> list[Tensor]:
    """The tensors that these outputs were computed from, as far as a gradient gets."""
    todo, seen, found = [each.grad_fn for each in outputs], set[Any](), []
    while todo:
        step = todo.pop()
        if step is None or step in seen:
            continue
        seen.add(step)
        found += [step.variable] if hasattr(step, "variable") else []
        todo += [each for each, _ in step.next_functions]
    return found


@claim("imports-itself")
def _(s: Subject) -> bool:
    return "from cs5814_vae import" in s.source


@claim("layers-kept")
def _(s: Subject) -> bool:
    one, other = ({id(each) for each in s.model().parameters()} for _ in range(2))
    return bool(one & other)


@claim("layers-frozen")
def _(s: Subject) -> bool:
    return any(not each.requires_grad for each in s.model().parameters())


@claim("heads-shared")
def _(s: Subject) -> bool:
    model = s.model()
    return bool(
        {id(each) for each in model.mean_layer.parameters()}
        & {id(each) for each in model.logvariance_layer.parameters()}
    )


# --- forward ------------------------------------------------------------------------------------------------------


def _given(s: Subject, name: str) -> Tensor:
    """What a piece was called on first."""
    return s.passed.seen[name][0][0]


@claim("condition-first")
def _(s: Subject) -> bool:
    inputs = [_given(s, name) for name in ("encoder", "decoder") if s.passed.seen[name]]
    return any(near(x[:, :10], s.passed.c) and x.shape[1] > 20 for x in inputs)


@claim("condition-missing")
def _(s: Subject) -> bool:
    inputs = [_given(s, name) for name in ("encoder", "decoder") if s.passed.seen[name]]
    return any(not near(x[:, -10:], s.passed.c) and not near(x[:, :10], s.passed.c) for x in inputs)


def _decoded(s: Subject, *heads: str) -> bool:
    return any(near(_given(s, "decoder")[:, :15], s.passed.given[head]) for head in heads)


CLAIMS |= {
    "mean-instead-of-sample": lambda s: _decoded(s, "mean_layer"),
    "logvariance-instead-of-sample": lambda s: _decoded(s, "logvariance_layer"),
    "sample-arguments-swapped": lambda s: near(_given(s, "sample_latent"), s.passed.given["logvariance_layer"]),
    "heads-swapped": lambda s: (
        near(s.passed.outputs[1], s.passed.given["logvariance_layer"])
        and near(s.passed.outputs[2], s.passed.given["mean_layer"])
    ),
    "one-head-twice": lambda s: near(s.passed.outputs[1], s.passed.outputs[2]),
    "outputs-swapped": lambda s: [tuple(each.shape) for each in s.passed.outputs] != [(8, 784), (8, 15), (8, 15)],
    "reconstruction-shape": lambda s: tuple(s.passed.outputs[0].shape) != (8, 784),
}


@claim("latent-returned")
def _(s: Subject) -> bool:
    return near(s.passed.outputs[1], s.passed.given["sample_latent"])


def _unreached(s: Subject) -> set[str]:
    model = s.model()
    named = {name: each for name, each in model.named_parameters() if each.requires_grad}
    x, c = numbers(8, 784, low=0.0), torch.eye(10)[torch.arange(8)]
    with oracle.right_draws(model):
        found = oracle.gradients(model(x, c)[0], list(named.values()))
    return {name for name, gradient in zip(named, found, strict=True) if gradient is None}


@claim("forward-detached")
def _(s: Subject) -> bool:
    """From the reconstruction to any parameter, or from a head's result to the encoder."""
    model = s.model()
    x, c = numbers(8, 784, low=0.0), torch.eye(10)[torch.arange(8)]
    behind = list(model.encoder.parameters()) if isinstance(model.encoder, nn.Module) else []
    with oracle.right_draws(model):
        cut = [None in oracle.gradients(output, behind) for output in model(x, c)]
    return any(cut) or bool(_unreached(s))


@claim("gradient-changed")
def _(s: Subject) -> bool:
    """Along a direction in which all parameters move, or one alone, in double precision."""
    model, x, c = s.model(), numbers(8, 784, low=0.0), torch.eye(10)[torch.arange(8)]
    named = [each for each in model.parameters() if each.requires_grad]

    def passed() -> list[Tensor]:
        with oracle.right_draws(model):
            return [100 * each for each in model(x, c)]

    for at in range(3):
        for each, gradient in zip(named, oracle.gradients(passed()[at], named), strict=True):
            along = torch.zeros_like(each) if gradient is None else gradient
            totals = []
            for step in (1e-6, -1e-6):
                with torch.no_grad():
                    each += step * along
                totals.append(float(passed()[at].sum().detach()))
                with torch.no_grad():
                    each -= step * along
            slope, said = (totals[0] - totals[1]) / 2e-6, float((along * along).sum())
            if abs(slope - said) > 0.01 * max(abs(slope), abs(said)):
                return True
    return False


@claim("same-for-every-image")
def _(s: Subject) -> bool:
    return any(near(each[0], each[1]) for each in s.passed.outputs)


@claim("encoding-other")
def _(s: Subject) -> bool:
    model, passed = s.model(), s.passed
    hidden = attempt(lambda: model.encoder(torch.cat((passed.x, passed.c), -1)))
    right = [attempt(head, hidden) for head in (model.mean_layer, model.logvariance_layer)]
    return not all(
        isinstance(each, Tensor) and near(output, each) for output, each in zip(passed.outputs[1:], right, strict=True)
    )


@claim("encoding-cut-off")
def _(s: Subject) -> bool:
    """Of a head that gives numbers from -20 to 20, those between two limits come back as they are."""
    wide = torch.linspace(-20, 20, 8 * 15).reshape(8, 15)
    model = s.model()
    for head in (model.mean_layer, model.logvariance_layer):
        head.register_forward_hook(lambda *_: wide)
    found = model(numbers(8, 784, low=0.0), torch.eye(10)[torch.arange(8)])[1:]
    return any(not near(each, wide) and near(each, wide.clamp(each.min(), each.max())) for each in found)


@claim("numbers-rearranged")
def _(s: Subject) -> bool:
    """In what the encoder gets, between it and a head, in the results of the heads, or in the reconstruction."""
    passed, given = s.passed, s.passed.given
    pairs = [
        (_given(s, "encoder"), torch.cat((passed.x, passed.c), -1)),
        *((_given(s, head), given["encoder"]) for head in ("mean_layer", "logvariance_layer")),
        (torch.cat(passed.outputs[1:], -1), torch.cat((given["mean_layer"], given["logvariance_layer"]), -1)),
        (passed.outputs[0], given["decoder"]),
    ]
    return any(
        not near(found, plain) and near(found.flatten().sort().values, plain.flatten().sort().values)
        for found, plain in pairs
    )


@claim("decoding-other", "reconstruction-changed")
def _(s: Subject) -> bool:
    model, passed = s.model(), s.passed
    means, logvariances = passed.outputs[1:]
    if near(passed.seen["sample_latent"][-1][0], passed.given["mean_layer"]):
        means = passed.given["mean_layer"]
    latents = means + torch.exp(logvariances / 2) * numbers(*means.shape, seed=99)
    right = attempt(lambda: model.decoder(torch.cat((latents, passed.c), -1)))
    return not (isinstance(right, Tensor) and near(passed.outputs[0], right))


@claim("loss-changes")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch(3)
    return len({float(s.loss(r, x, 20 * m, v)) for _ in range(3)}) > 1


@claim("loss-not-finite")
def _(s: Subject) -> bool:
    edges = torch.tensor([0.0, 0.0, 1e-38, 1e-38, 1 - 6e-8, 1 - 6e-8] * 2, dtype=torch.float32).reshape(2, 6)
    pixels = torch.tensor([0.0, 1.0] * 6, dtype=torch.float32).reshape(2, 6)
    v = torch.tensor([[-30.0, 0, 20]] * 2, dtype=torch.float32)
    return not torch.isfinite(s.loss(edges, pixels, 0 * v, v)).all()


@claim("pixels-written-in")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch(1)
    other = 0.5 * r + 0.25
    right = [nn.functional.binary_cross_entropy(each, x, reduction="mean") for each in (r, other)]
    if near((s.loss(r, x, m, v) - s.loss(other, x, m, v)) / (right[0] - right[1]), 784.0):
        return True
    usual, few = (
        [near(s.change(each, n=3, pixels=pixels), 1.0) for each in (IMAGES, PARAMETERS)] for pixels in (784, 6)
    )
    return all(usual) and not all(few)


def _kl_weight(s: Subject, mean: float, logvariance: float, right: float) -> bool:
    r, x, m, v = s.batch(1)
    base = s.loss(r, x, 0 * m, 0 * v)
    return not near(s.loss(r, x, 0 * m + mean, 0 * v + logvariance) - base, right * m.shape[1])


CLAIMS |= {
    "kl-mean-weight": lambda s: _kl_weight(s, 2.0, 0.0, 2.0),
    "kl-logvariance-weight": lambda s: _kl_weight(s, 0.0, -8.0, 0.5 * (8 + math.exp(-8) - 1)),
    "kl-variance-weight": lambda s: _kl_weight(s, 0.0, 3.0, 0.5 * (math.exp(3) - 1 - 3)),
}


@claim("kl-half-misplaced")
def _(s: Subject) -> bool:
    weights = [s.kl.get(name, 0.0) for name in ("lv", "m²", "var")]
    return (near(weights[2], -1.0, 1e-2) and near(weights[0], -0.5, 1e-2)) or near(weights[0], 1.0, 1e-2)


@claim("kl-sum-squared")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch(1)
    base = s.loss(r, x, 0 * m, 0 * v)
    alike, opposed = torch.ones_like(m), torch.ones_like(m)
    opposed[:, ::2] = -1
    return near(s.loss(r, x, opposed, 0 * v), base) and near(s.loss(r, x, alike, 0 * v) - base, m.shape[1] ** 2 / 2)


@claim("reconstruction-one-plus")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch(1)
    black = [float(s.loss(0 * r + each, 0 * x, m, v)) for each in (0.2, 0.8)]
    return near(black[1] - black[0], -x.numel() * (math.log(1.8) - math.log(1.2)))


@claim("reconstruction-cut-off")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch(1)
    white = [float(s.loss(0 * r + each, 0 * x + 1, m, v)) for each in (0.0005, 0.0006)]
    black = [float(s.loss(0 * r + each, 0 * x, m, v)) for each in (0.9994, 0.9995)]
    return near(white[0], white[1], 1e-9) or near(black[0], black[1], 1e-9)


@claim("kl-reversed")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch(1)
    right = 0.5 * (v - 1 + (1 + m**2) * (-v).exp()).sum()
    return near(s.loss(r, x, m, v) - s.loss(r, x, 0 * m, 0 * v), right)


@claim("originals-rounded")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch(1)
    return near(s.loss(r, x, m, v), s.loss(r, (x > 0.5).to(x.dtype), m, v), 1e-9)


@claim("originals-changed")
def _(s: Subject) -> bool:
    """From one reconstruction to the next, a cross-entropy changes as with another original, and always the same."""
    r, _, m, v = s.batch(1)
    changed = []
    for original in (0.0, 0.2, 0.6, 1.0):
        losses = [float(s.loss(0 * r + each, 0 * r + original, m, v)) / r.numel() for each in (0.2, 0.5, 0.9)]
        counted = []
        for (one, first), (other, second) in pairwise(zip((0.2, 0.5, 0.9), losses, strict=True)):
            black, white = math.log((1 - one) / (1 - other)), math.log(one / other)
            counted.append((second - first - black) / (white - black))
        if not near(counted[0], counted[1], 1e-3):
            return False
        changed.append(not near(counted[0], original, 1e-6))
    return any(changed)


@claim("loss-of-one-image")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch(1)
    return not near(s.loss(r, x, m, v), s.loss(*(each.repeat(2, 1) for each in (r, x, m, v))))


@claim("loss-size-of-one")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch(5)
    wrong = []
    for pixels, latent in ((784, 1), (1, 6), (1, 1)):
        few = r[:, :pixels], x[:, :pixels], m[:, :latent], v[:, :latent]
        values = [s.loss(*(each[at : at + 1] for each in few)) for at in range(5)]
        wrong.append(not near(s.loss(*few), sum(values) / 5))
    return any(wrong)


@claim("kl-clamped")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch(1)
    base = s.loss(r, x, 0 * m, 0 * v)
    far = [(s.loss(r, x, 0 * m, 0 * v + at) - base, 0.5 * m.shape[1] * (math.exp(at) - 1 - at)) for at in (-12.0, 12.0)]
    return not all(near(*each) for each in far)


@claim("half-precision")
def _(s: Subject) -> bool:
    """The loss is off by more than float32 is, and by little; or a result of forward has few digits."""
    off = []
    for seed in range(5):
        r, x, m, v = (each.float() for each in s.batch(1, seed=seed))
        right = nn.functional.binary_cross_entropy(r, x, reduction="sum") - 0.5 * (1 + v - m**2 - v.exp()).sum()
        off.append(abs(float(s.loss(r, x, m, v)) / float(right) - 1))
    results = attempt(s.model(), numbers(8, 784), torch.eye(10)[:8])
    return 2e-5 < max(off) < 0.05 or any(
        torch.equal(each.float(), each.to(kind).float())
        for each in (results if isinstance(results, tuple) else ())
        for kind in (torch.bfloat16, torch.float16)
    )


@claim("loss-infinite")
def _(s: Subject) -> bool:
    return not any(
        math.isfinite(float(s.loss(*(each.float() for each in s.batch(1, 784, seed=seed))))) for seed in range(3)
    )


@claim("kl-mean-clamped")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch(1)
    at = [float(s.loss(r, x, 0 * m + each, 0 * v)) for each in (-25.0, -12.0, 0.0, 1.0, 12.0, 25.0)]
    return near(at[3] - at[2], 0.5 * m.shape[1]) and (near(at[0], at[1], 1e-9) or near(at[4], at[5], 1e-9))


@claim("loss-jumps-at-zero")
def _(s: Subject) -> bool:
    r, x, m, v = (each.float() for each in s.batch(1))
    middle, low, zero = (float(s.loss(0 * r + each, 0 * x + 1, m, v)) for each in (0.5, 1e-3, 0.0))
    return math.isfinite(zero) and not 0.95 < (zero - middle) / (low - middle) < 200


@claim("kl-cut-off")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch(1)
    at = [float(s.loss(r, x, 0 * m + mean, 0 * v)) for mean in (0.0, 0.05, 4.0, 5.0)]
    return near(at[0], at[1], 1e-9) and near(at[3] - at[2], 4.5 * m.shape[1])


@claim("reconstruction-softmax")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch(1)
    return near(s.loss(r, x, m, v), s.loss(r + 0.01, x, m, v), 1e-9)


@claim("value-outside-support")
def _(s: Subject) -> bool:
    r, x, m, v = s.batch(1)
    return isinstance(attempt(s.loss, r, x, m, v), str) and not isinstance(attempt(s.loss, r, x.round(), m, v), str)


@claim("encoder-pixels-changed")
def _(s: Subject) -> bool:
    return not near(_given(s, "encoder")[:, : s.passed.x.shape[1]], s.passed.x)


@claim("encoder-class-changed")
def _(s: Subject) -> bool:
    return not near(_given(s, "encoder")[:, s.passed.x.shape[1] :], s.passed.c)


@claim("draw-changed")
def _(s: Subject) -> bool:
    return not near(_given(s, "decoder")[:, :15], s.passed.given["sample_latent"])


@claim("no-draw-in-forward")
def _(s: Subject) -> bool:
    first, second = s.passed, Subject(s.source).passed
    return not s.passed.seen["sample_latent"] and near(first.outputs[0], second.outputs[0])


@claim("results-detached")
def _(s: Subject) -> bool:
    model = s.model()
    x, c = numbers(8, 784, low=0.0), torch.eye(10)[torch.arange(8)]
    with oracle.right_draws(model):
        return any(None in oracle.gradients(each, list(model.encoder.parameters())) for each in model(x, c)[1:])


def _takes_apart(s: Subject, part: str, data: int) -> bool:
    taken = {each.in_features for each in getattr(s.model(), part).modules() if isinstance(each, nn.Linear)}
    return {data, 10} <= taken and data + 10 not in taken


def _shape_of_one(s: Subject, name: str, width: int) -> tuple[int, ...]:
    result = attempt(getattr(s.model(), name), numbers(1, width))
    return tuple(result.shape) if isinstance(result, Tensor) else ()


def _first_width(s: Subject, part: str) -> int:
    return next(each.shape[1] for each in getattr(s.model(), part).parameters() if each.dim() == 2)


CLAIMS |= {
    "encoder-input-width": lambda s: _first_width(s, "encoder") != 794,
    "decoder-input-width": lambda s: _first_width(s, "decoder") != 25,
    "encoder-two-arguments": lambda s: isinstance(
        attempt(s.model().encoder, numbers(8, 784), torch.eye(10)[:8]), Tensor | tuple
    ),
    "decoder-two-arguments": lambda s: isinstance(
        attempt(s.model().decoder, numbers(8, 15), torch.eye(10)[:8]), Tensor
    ),
    "decoder-shape": lambda s: tuple(s.model().decoder(numbers(8, 25)).shape) != (8, 784),
    "decoder-of-one-row": lambda s: _shape_of_one(s, "decoder", 25) != (1, 784),
    "encoder-of-one-row": lambda s: any(
        _shape_of_one(s, name, taken)[:-1] != (1,)
        for name, taken in (("encoder", 794), ("mean_layer", 64), ("logvariance_layer", 64))
    ),
    "layer-made-late": lambda s: any(getattr(s.model(), name, None) is None for name in oracle.PIECES),
    "decoder-output-width": lambda s: s.model().decoder(numbers(8, 25)).shape[1] != 784,
    "encoder-input-apart": lambda s: _takes_apart(s, "encoder", 784),
    "decoder-input-apart": lambda s: _takes_apart(s, "decoder", 15),
    "square-images-assumed": lambda s: "sqrt" in s.source or "**" in s.source,
    "attribute-none": lambda s: any(each is None for each in vars(s.model()).values()),
}


@claim("sample-arguments-changed")
def _(s: Subject) -> bool:
    heads = s.passed.given["mean_layer"], s.passed.given["logvariance_layer"]
    return not all(map(near, s.passed.seen["sample_latent"][-1], heads))


@claim("no-draw-in-evaluation")
def _(s: Subject) -> bool:
    model, (x, c) = s.model(), _inputs()
    equal = {}
    for training in (True, False):
        model.train(training)
        equal[training] = near(model(x, c)[0], model(x, c)[0], 1e-12)
    return equal == {True: False, False: True}


@claim("no-draw-without-gradients")
def _(s: Subject) -> bool:
    def twice() -> bool:
        one, other = (s.module.sample_latent(s.means[None], s.logvariances[None]) for _ in range(2))  # type: ignore[union-attr]
        return near(one, other, 1e-12)

    with torch.no_grad():
        quiet = twice()
    return quiet and not twice()


@claim("layers-made-in-forward")
def _(s: Subject) -> bool:
    model = s.model()
    before = {name: each.clone() for name, each in model.state_dict().items()}
    model(*_inputs())
    after = model.state_dict()
    return before.keys() != after.keys() or not all(torch.equal(each, after[name]) for name, each in before.items())


@claim("encoder-layer-twice", "decoder-layer-twice")
def _(s: Subject) -> bool:
    calls: dict[int, int] = {}
    model = s.model()
    for each in model.modules():
        if not list(each.children()):
            each.register_forward_hook(lambda layer, *_: calls.update({id(layer): calls.get(id(layer), 0) + 1}))
    model(*_inputs())
    return any(calls.get(id(each), 0) > 1 for each in model.modules() if list(each.parameters(recurse=False)))


@claim("forward-sizes-hard-coded")
def _(s: Subject) -> bool:
    model = getattr(s.module, CLASS)(23, num_categories=4, latent_dimensionality=3)
    found = attempt(model, numbers(1, 23, low=0.0), torch.eye(4)[:1])
    return isinstance(found, str) or [tuple(each.shape) for each in found] != [(1, 23), (1, 3), (1, 3)]


@claim("decoding-repeated")
def _(s: Subject) -> bool:
    calls = s.passed.seen["decoder"]
    rows = len(s.passed.c)
    return len(calls) > 1 or (bool(calls) and calls[0][0].numel() > rows * 25)


@claim("result-changed")
def _(s: Subject) -> bool:
    gave = [s.passed.given[name] for name in ("mean_layer", "logvariance_layer")]
    if s.passed.seen["sample_latent"]:
        drawn = all(map(near, s.passed.seen["sample_latent"][-1], gave))
    else:
        noise = (_given(s, "decoder")[:, :15] - gave[0]) / (gave[1] / 2).exp()
        drawn = bool(abs(noise.mean()) < 0.5 and 0.6 < noise.std() < 1.4)
    return drawn and not all(map(near, s.passed.outputs[1:], gave))


@claim("decoder-not-apart")
def _(s: Subject) -> bool:
    model = s.model()
    of_encoder = {each.data_ptr() for each in model.encoder.parameters()}
    slopes = torch.autograd.grad(
        model.decoder(numbers(8, 25)).sum(), list(model.encoder.parameters()), allow_unused=True
    )
    return bool(of_encoder) and any(each is not None for each in slopes)


@claim("units-alike")
def _(s: Subject) -> bool:
    weights = [each for each in getattr(s.module, CLASS)(*oracle.SIZES[0]).parameters() if each.dim() == 2]
    return any(bool((each == each[:1]).all()) for each in weights)


def _inputs() -> tuple[Tensor, Tensor]:
    return numbers(8, 784, low=0.0), torch.eye(10)[torch.arange(8)]


@claim("start-too-large")
def _(s: Subject) -> bool:
    pixels, _, logvariances = getattr(s.module, CLASS)(*oracle.SIZES[0])(*_inputs())
    steep = (pixels > 1e-7) & (pixels < 1 - 1e-7)
    return not float(logvariances.max()) < 30 or float(steep.double().mean()) < 0.2


@claim("stuck-start")
def _(s: Subject) -> bool:
    return not oracle.moves(s.module, oracle.SIZES[0])  # type: ignore[arg-type]


# --- what Python and torch say ------------------------------------------------------------------------------------


def _in_another_order(s: Subject) -> bool:
    """Whether the constructor takes its second argument for something else than the number of classes."""
    return list(inspect.signature(getattr(s.module, CLASS)).parameters)[1:3] != [
        "num_categories",
        "latent_dimensionality",
    ]


def _raises(*kinds: str) -> Claim:
    def holds(s: Subject) -> bool:
        built = attempt(getattr(s.module, CLASS, None) or str, *oracle.SIZES[0])
        found = f"{oracle.behavior(s.source)} {attempt(_step, s)} {built}"
        return any(f"raised {kind}" in found for kind in kinds)

    return holds


def _step(s: Subject) -> Tensor:
    """The loss of a step of training."""
    x, c = numbers(8, 784, low=0.0), torch.eye(10)[torch.arange(8)]
    results = s.model()(x, c)
    return s.loss(results[0], x, *results[1:])


def _for_many_logvariances(s: Subject) -> list[Any]:
    """What both functions give for log-variances of either sign that lie so close that a few are almost zero."""
    results = []
    for sign in (-1, 1):
        logvariances = sign * torch.linspace(3e-4, 3, 10000)[:, None]
        means, pixels = torch.zeros_like(logvariances), torch.full_like(logvariances, 0.5)
        results += [
            attempt(s.module.sample_latent, means, logvariances),  # type: ignore[union-attr]
            attempt(s.loss, pixels, pixels, means, logvariances),
        ]
    return results


def _said_while_built(s: Subject) -> str:
    try:
        getattr(s.module, CLASS)(*oracle.SIZES[0])
    except Exception as error:
        return str(error)
    return ""


def _codes(code: types.CodeType) -> Iterable[types.CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _codes(inner)


def _defines(s: Subject, *names: str) -> bool:
    return all(hasattr(s.module, name) for name in names)


def _signature(s: Subject, name: str) -> list[str]:
    owner = s.module if name in ("sample_latent", "loss_function") else getattr(s.module, CLASS)
    return list(inspect.signature(getattr(owner, name)).parameters)


PARAMETERS_OF = {"sample_latent": 2, "loss_function": 4, "__init__": 4, "forward": 3}


def _odd_signatures(s: Subject) -> list[list[str]]:
    """The parameters of what is defined with another number of them, or without the `self` that it needs."""
    found = {name: attempt(_signature, s, name) for name in PARAMETERS_OF}
    return [each for name, each in found.items() if isinstance(each, list) and len(each) != PARAMETERS_OF[name]]


CLAIMS |= {
    "memory": _raises("RuntimeError", "MemoryError"),
    "lazy-layer": lambda s: "Lazy" in s.source,
    "precision-mixed": _raises("RuntimeError"),
    "layers-of-another-type": lambda s: any(each.dtype != torch.float32 for each in s.model().parameters()),
    "draw-precision": lambda s: any(word in s.source for word in ("double", "float64", "half", "float16", "numpy")),
    "no-gpu-here": lambda s: any(each in s.source for each in ("cuda", "mps", "device", ".to(0)")),
    "no-such-device": lambda s: _raises("RuntimeError")(s) and any(each in s.source for each in ("device", ".to(")),
    "numpy-for-torch": lambda s: "numpy" in s.source,
    "one-hot-already": lambda s: "one_hot" in s.source,
    "index-not-whole": _raises("IndexError", "RuntimeError"),
    "joined-along": _raises("RuntimeError"),
    "unpacking": _raises("ValueError"),
    "assertion": lambda s: (
        _raises("AssertionError", "ValueError")(s)
        or ("raise " in s.source and any(isinstance(each, str) for each in _for_many_logvariances(s)))
    ),
    "endless-recursion": _raises("RecursionError"),
    "not-probabilities": lambda s: _raises("RuntimeError", "ValueError")(s),
    "parameter-out-of-range": lambda s: any(isinstance(each, str) for each in _for_many_logvariances(s)),
    "definition-missing": lambda s: not _defines(s, "sample_latent", "loss_function", CLASS),
    "definition-in-class": lambda s: any(
        hasattr(getattr(s.module, CLASS), name) and not _defines(s, name) for name in ("sample_latent", "loss_function")
    ),
    "attribute-missing": lambda s: any(
        getattr(oracle.partly_built(s.module), name, None) is None  # type: ignore[arg-type]
        for name in (*oracle.PIECES, *oracle.ATTRIBUTES)
    ),
    "forward-missing": lambda s: getattr(s.module, CLASS).forward is nn.Module.forward,
    "method-outside-class": lambda s: (
        getattr(s.module, CLASS).forward is nn.Module.forward and "def forward(" in s.source
    ),
    "self-missing": lambda s: any("self" not in each for each in _odd_signatures(s)),
    "self-superfluous": lambda s: any(
        "self" in _signature(s, name) for name in ("sample_latent", "loss_function") if _defines(s, name)
    ),
    "wrong-parameters": lambda s: bool(_odd_signatures(s)) or _in_another_order(s),
    "merge-conflict": lambda s: "<<<<<<<" in s.source,
    "invalid-character": lambda s: not s.source.isascii(),
    "not-callable": lambda s: any(
        not callable(piece) or isinstance(piece, (nn.ModuleList, nn.ModuleDict))
        for piece in (getattr(oracle.partly_built(s.module), name, None) for name in oracle.PIECES)  # type: ignore[arg-type]
    ),
    "super-init-missing": lambda s: "before Module.__init__() call" in _said_while_built(s),
    "hash-lost": lambda s: getattr(s.module, CLASS).__hash__ is None,
    "method-replaced": lambda s: any(
        getattr(getattr(s.module, CLASS), name) is not getattr(nn.Module, name)
        for name in ("to", "train", "eval", "parameters", "named_parameters", "children")
    ),
    "not-a-module": lambda s: not issubclass(getattr(s.module, CLASS), nn.Module),
    "name-undefined": _raises("NameError", "UnboundLocalError"),
    "attribute-undefined": _raises("AttributeError"),
    "not-in-library": _raises("AttributeError"),
    "layer-not-applied": lambda s: (
        _raises("TypeError", "AttributeError")(s) and bool(re.search(r"nn\.[A-Z]|import [A-Z]", s.source))
    ),
    "no-layer-there": lambda s: "is not a Module subclass" in _said_while_built(s),
    "tensor-as-condition": _raises("RuntimeError"),
    "no-such-element": _raises("IndexError", "KeyError"),
    "wrong-call": _raises("TypeError", "ValueError", "IndexError", "KeyError", "RuntimeError"),
    "row-length": _raises("RuntimeError"),
    "encoder-row-length": _raises("RuntimeError"),
    "decoder-row-length": _raises("RuntimeError"),
    "sizes-do-not-fit": _raises("RuntimeError", "ValueError", "IndexError"),
    "tensor-as-number": _raises("RuntimeError", "ValueError", "TypeError"),
    "in-place": _raises("RuntimeError"),
    "nothing-returned": lambda s: _returns(s, lambda each: each is None or (isinstance(each, tuple) and None in each)),
    "no-tensor-returned": lambda s: _returns(s, lambda each: each is not None and not isinstance(each, (Tensor, str))),
    "wrong-number-of-results": lambda s: (
        _returns(s, lambda each: isinstance(each, (tuple, dict)))
        or not isinstance(s.passed.outputs, (list, tuple))
        or len(s.passed.outputs) != 3
    ),
    "collection-returned": lambda s: _returns(s, lambda each: isinstance(each, (tuple, list, dict))),
    "trailing-comma": lambda s: bool(re.search(r"^ +(?:return |[\w.]+ = ).*[\w)],$", s.source, re.MULTILINE)),
    "result-unused": lambda s: any(
        one.opname.startswith(("BINARY", "UNARY", "CALL")) and other.opname == "POP_TOP"
        for code in _codes(compile(s.source, "", "exec"))
        for one, other in pairwise(dis.get_instructions(code))
    ),
    "not-finite": lambda s: (
        any(word in str(oracle.behavior(s.source)) for word in ("nan", "inf"))
        or any(isinstance(each, Tensor) and not each.isfinite().all() for each in _for_many_logvariances(s))
    ),
    "wrong-shape": lambda s: (
        tuple(getattr(attempt(s.module.sample_latent, torch.zeros(1, 5), torch.zeros(1, 5)), "shape", ())) != (1, 5)  # type: ignore[union-attr]
        or _shapes(s) != _SHAPES
    ),
}
_SHAPES: list[Any] = [(6, 5), (8, 64), (8, 15), (8, 15), (8, 784), (8, 784), (8, 15), (8, 15)]


def _returns(s: Subject, odd: Callable[[Any], bool]) -> bool:
    values = [attempt(s.module.sample_latent, torch.zeros(6, 5), torch.zeros(6, 5)), attempt(s.loss, *s.batch())]  # type: ignore[union-attr]
    outputs = attempt(lambda: s.passed.outputs)
    if isinstance(outputs, tuple):
        values += [each for each in outputs if not isinstance(each, tuple)]
    else:
        values.append(outputs)
    return any(odd(each) for each in values)


def _shapes(s: Subject) -> list[Any]:
    """Of a draw, of what the pieces give, and of the three results."""
    model = attempt(s.model)
    inputs = {"encoder": 794, "mean_layer": 64, "logvariance_layer": 64, "decoder": 25}
    values = [
        s.small_draw[0],
        *(attempt(lambda n=name, w=width: getattr(model, n)(numbers(8, w))) for name, width in inputs.items()),
    ]
    outputs = attempt(lambda: s.passed.outputs)
    values += list(outputs) if isinstance(outputs, (list, tuple)) else [None] * 3
    return [tuple(each.shape) if isinstance(each, Tensor) else None for each in values]
