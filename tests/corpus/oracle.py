"""What a mutant does otherwise than the correct module that it was made from, and so which parts it must lose.

Nothing here is shared with the graded checks: the module runs in this process, in float64, with noise that is given to
it and with the parameters of the correct one, and everything that comes out is compared.
"""

import functools
import math
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from .mutations import CLASS

PIECES = {"encoder": "encoder", "mean_layer": "encoder", "logvariance_layer": "encoder", "decoder": "decoder"}
ATTRIBUTES = ("input_dim", "num_categories", "latent_dimensionality", "hidden_size")
SIZES = ((784, 10, 15), (21, 4, 7))  # input_dim, num_categories, latent
NETWORK = frozenset({"encoder", "decoder", "forward", "training"})
FILE = "<corpus>"

Behavior = dict[str, Any]  # by what was looked at: tensors, numbers, or the exception raised


@dataclass(frozen=True)
class Verdict:
    """The parts that must lose points, those of which one must, and those that may, as the difference reaches them."""

    loses: frozenset[str] = frozenset()
    one_of: frozenset[str] = frozenset()
    may_lose: frozenset[str] = frozenset()

    @property
    def equivalent(self) -> bool:
        return not self.loses and not self.one_of

    def spared(self, lost: frozenset[str]) -> frozenset[str]:
        """The parts that should have lost points."""
        return (self.loses - lost) | (frozenset() if self.one_of & lost else self.one_of)

    def robbed(self, lost: frozenset[str]) -> frozenset[str]:
        """The parts that should not have lost points."""
        return lost - self.loses - self.one_of - self.may_lose


def judge(base: str, source: str) -> Verdict:
    """What the module `source`, made from the correct module `base`, does otherwise."""
    right, observed = _behavior(base), behavior(source)
    differs = {part for part in right if not _same(right[part], observed.get(part))}
    if "module" in differs:
        return Verdict(NETWORK | {"sample_latent", "loss_function"})
    may_lose: set[str] = set()
    if differs & {"encoder", "decoder", "forward", "start"}:
        may_lose.add("training")
    if "start" in differs:
        differs.remove("start")
        differs |= {"training"} if not differs & {"encoder", "decoder", "forward"} else set()
    if "class" in differs:
        return Verdict(NETWORK | differs & {"sample_latent", "loss_function"})
    if "forward" in differs and differs & {"encoder", "decoder"}:
        # What forward gives follows from its pieces. Whether it is wrong by itself cannot be seen from here.
        differs.remove("forward")
        may_lose.add("forward")
    if "heads in forward" in differs:
        # An activation after a head is the encoder's mistake or forward's, as one sees it.
        differs.remove("heads in forward")
        if differs == {"forward"}:
            return Verdict(one_of=frozenset({"encoder", "forward"}), may_lose=frozenset({"training"}))
    return Verdict(frozenset(differs), may_lose=frozenset(may_lose - differs))


@functools.cache
def _behavior(base: str) -> dict[str, Behavior]:
    return behavior(base)


def behavior(source: str) -> dict[str, Behavior]:
    """Everything that is compared, by part."""
    with in_float64():
        module = load(source)
        if module is None:
            return {"module": {"imports": False}}
        return {
            "module": {"imports": True},
            "sample_latent": _sample_latent(module),
            "loss_function": _loss_function(module),
            **_network(module),
        }


def load(source: str) -> types.ModuleType | None:
    """The module of this source; None if it cannot be imported."""
    module = types.ModuleType("cs5814_vae")
    sys.modules["cs5814_vae"] = module
    try:
        exec(compile(source, FILE, "exec"), module.__dict__)
    except Exception:
        return None
    return module


@contextmanager
def in_float64() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def numbers(*shape: int, seed: int = 0, low: float | None = None, high: float = 1.0) -> Tensor:
    """Normal numbers of this shape and seed, or uniform ones from `low` to `high`."""
    generator = torch.Generator().manual_seed(1000 * seed + math.prod(shape) + len(shape))
    drawn = torch.empty(shape)
    return drawn.normal_(generator=generator) if low is None else drawn.uniform_(low, high, generator=generator)


@contextmanager
def given_noise(sign: float = 1.0) -> Iterator[None]:
    """Every standard normal draw gives the same numbers, times `sign`."""

    def noise(*shape: Any, size: Any = None, **_: Any) -> Tensor:
        dims = size if size is not None else shape[0] if shape and not isinstance(shape[0], int) else shape
        return sign * numbers(*dims, seed=99)

    def like(tensor: Tensor, **_: Any) -> Tensor:
        return noise(tensor.shape)

    with (
        mock.patch("torch.randn", noise),
        mock.patch("torch.randn_like", like),
        mock.patch("torch.distributions.normal._standard_normal", lambda shape, dtype, device: noise(shape)),
    ):
        yield


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns, or the exception's name."""
    try:
        return function(*arguments)
    except Exception as error:
        return f"raised {type(error).__name__}"


def gradients(outputs: Any, wanted: Sequence[Tensor]) -> list[Tensor | None]:
    """Of the outputs, weighed by given numbers, with respect to `wanted`; None for what nothing reaches."""
    items = [
        each for each in (outputs if isinstance(outputs, (tuple, list)) else [outputs]) if isinstance(each, Tensor)
    ]
    total = sum((each * numbers(*each.shape, seed=7)).sum() for each in items if each.requires_grad)
    if not isinstance(total, Tensor):
        return [None for _ in wanted]
    return list(torch.autograd.grad(total, wanted, allow_unused=True, retain_graph=True))


def _sample_latent(module: types.ModuleType) -> Behavior:
    def observe(sign: float) -> Behavior:
        means, logvariances = 2 * numbers(6, 5, seed=1), numbers(6, 5, seed=2, low=-3.0, high=2.0)
        before = means.clone(), logvariances.clone()
        with given_noise(sign):
            value = attempt(module.sample_latent, means, logvariances)
            changed = [torch.equal(*each) for each in zip(before, (means, logvariances), strict=True)]
            leaves = [each.clone().requires_grad_() for each in before]
            slopes = attempt(lambda: gradients(module.sample_latent(*leaves), leaves))
        return {"value": value, "changed": changed, "gradients": slopes}

    if not hasattr(module, "sample_latent"):
        return {"missing": True}
    # The negative noise is noise as good.
    means = torch.zeros(40, 30)
    fresh = attempt(lambda: bool((module.sample_latent(means, means) != module.sample_latent(means, means)).all()))
    return {"either": [observe(1.0), observe(-1.0)], "fresh": fresh}


def _loss_function(module: types.ModuleType) -> Behavior:
    if not hasattr(module, "loss_function"):
        return {"missing": True}
    observed: Behavior = {}
    for shape, latent in (((1, 12), 5), ((4, 20), 3), ((9, 6), 8), ((3, 1, 5, 4), 6), ((1, 1, 2, 2), 15)):
        arguments = [numbers(*shape, seed=seed, low=0.02, high=0.98) for seed in (1, 2)]
        arguments += [2 * numbers(shape[0], latent, seed=3), numbers(shape[0], latent, seed=4, low=-2.0, high=2.0)]
        before = [each.clone() for each in arguments]
        value = attempt(module.loss_function, *arguments)
        observed[f"{shape} changed"] = [torch.equal(*each) for each in zip(before, arguments, strict=True)]
        value = value.reshape(()) if isinstance(value, Tensor) and value.numel() == 1 else value
        leaves = [each.clone().requires_grad_() for each in before]
        slopes = attempt(lambda leaves=leaves: gradients(module.loss_function(*leaves).sum(), leaves))
        if isinstance(slopes, list):
            slopes = [slopes[0], *slopes[2:]]  # the originals need none
        observed |= {f"{shape} value": value, f"{shape} gradients": slopes}
    work = []
    for batch, pixels, latent in ((4, 6, 3), (64, 6, 3), (4, 64, 3), (4, 6, 64)):
        arguments = [numbers(batch, pixels, low=0.1, high=0.9)] * 2 + [numbers(batch, latent)] * 2
        work.append(attempt(lines_run, module.loss_function, *arguments))
    return observed | {"work": work if any(isinstance(each, str) for each in work) else len(set(work)) == 1}


def lines_run(function: Callable[..., Any], *arguments: Any) -> int:
    """How often a line of the module runs in a call."""
    count = 0

    def trace(frame: types.FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if frame.f_code.co_filename != FILE:
            return None
        count += event == "line"
        return trace

    outer = sys.gettrace()
    sys.settrace(trace)
    try:
        function(*arguments)
    finally:
        sys.settrace(outer)
    return count


def partly_built(module: types.ModuleType, sizes: tuple[int, int, int] = SIZES[0]) -> Any:
    """A model as far as its constructor comes."""
    factory = getattr(module, CLASS)
    model = factory.__new__(factory)
    attempt(model.__init__, *sizes)
    attempt(_give_shapes, model, sizes)
    return model


def _give_shapes(model: Any, sizes: tuple[int, int, int]) -> None:
    """Let lazy layers see an input, and note which they were: they cost the piece that they are in, and no other."""
    model.lazy_before = [name for name, each in model.named_parameters() if nn.parameter.is_lazy(each)]
    if model.lazy_before:
        model(torch.zeros(8, sizes[0]), torch.zeros(8, sizes[1]))


def build(module: types.ModuleType, sizes: tuple[int, int, int]) -> Any:
    """A model of these sizes, as far as its constructor comes, with parameters of given numbers."""
    model = partly_built(module, sizes)
    with torch.no_grad():
        count: Counter[str] = Counter()  # of the parameters of a piece, for a layer more shifts the names in it
        for name, parameter in model.named_parameters():
            piece = name.split(".")[0]
            count[piece] += 1
            scale = (2 / parameter.shape[-1]) ** 0.5 if parameter.dim() > 1 else 0.3
            parameter.copy_(scale * numbers(*parameter.shape, seed=sum(piece.encode()) + count[piece]))
    return model


def _network(module: types.ModuleType) -> dict[str, Behavior]:
    found: dict[str, Behavior] = {part: {} for part in ("class", "encoder", "decoder", "forward", "heads in forward")}
    for sizes in SIZES:
        model = attempt(build, module, sizes)
        usable = isinstance(model, nn.Module) and "_parameters" in vars(model)
        if sizes == SIZES[0]:
            found["class"] = {"usable": usable}
            found["start"] = {"moves": usable and attempt(moves, module, sizes)}
        if not usable:
            for part in ("encoder", "decoder", "forward"):
                found[part][f"{sizes}"] = "no model"
            continue
        for part, observed in _pieces(model, sizes).items():
            found[part] |= {f"{sizes} {what}": value for what, value in observed.items()}
    return found


def moves(module: types.ModuleType, sizes: tuple[int, int, int]) -> bool:
    """Whether, as the constructor left it, each parameter that gets a gradient gets one other than zero."""
    torch.manual_seed(0)
    model = getattr(module, CLASS)(*sizes)
    attempt(_give_shapes, model, sizes)
    parameters = [each for each in model.parameters() if each.requires_grad]
    x, c = numbers(8, sizes[0], low=0.0), torch.eye(sizes[1])[torch.arange(8) % sizes[1]]
    with right_draws(model):
        return all(each is None or bool(each.any()) for each in gradients(model(x, c), parameters))


@contextmanager
def right_draws(model: Any) -> Iterator[None]:
    """The module's sample_latent replaced by a correct one whose noise is given."""

    def draw(means: Tensor, logvariances: Tensor) -> Tensor:
        return means + torch.exp(0.5 * logvariances) * numbers(*means.shape, seed=99)

    with mock.patch.dict(type(model).forward.__globals__, {"sample_latent": draw}), given_noise():
        yield


def _pieces(model: Any, sizes: tuple[int, int, int]) -> dict[str, Behavior]:
    input_dim, categories, latent = sizes
    images, classes = numbers(8, input_dim, low=0.0), torch.eye(categories)[torch.arange(8) % categories]
    inputs = {
        "encoder": torch.cat((images, classes), -1),
        "mean_layer": numbers(8, 64),
        "logvariance_layer": numbers(8, 64, seed=5),
        "decoder": torch.cat((numbers(8, latent), classes), -1),
    }
    found: dict[str, Behavior] = {"encoder": {}, "decoder": {}, "forward": {}, "heads in forward": {}}
    for name, x in inputs.items():
        piece = getattr(model, name, None)
        found[PIECES[name]][name] = [attempt(piece, x) if callable(piece) else None for _ in range(2)]
    for name in getattr(model, "lazy_before", ()):
        found[PIECES.get(name.split(".")[0], "forward")]["lazy"] = True
    found["encoder"]["attributes"] = [getattr(model, name, None) for name in ATTRIBUTES]
    for name, parameter in model.named_parameters():
        part = next((PIECES[piece] for piece in PIECES if name.split(".")[0] == piece), "")
        part = part or ("encoder" if _reached(model, "encoder", inputs["encoder"], parameter) else "")
        part = part or ("decoder" if _reached(model, "decoder", inputs["decoder"], parameter) else "forward")
        found[part].setdefault("parameters", []).append((tuple(parameter.shape), parameter.requires_grad))
    raw: dict[str, Tensor] = {}
    hooks = [
        getattr(model, name).register_forward_hook(lambda _, __, output, name=name: raw.update({name: output}))
        for name in ("mean_layer", "logvariance_layer")
        if isinstance(getattr(model, name, None), nn.Module)
    ]
    named = dict(model.named_parameters())
    given = [images.clone(), classes.clone()]
    with right_draws(model):
        outputs = attempt(model, *given)
    found["forward"]["changed"] = [torch.equal(given[0], images), torch.equal(given[1], classes)]
    for hook in hooks:
        hook.remove()
    found["forward"]["outputs"] = list(outputs) if isinstance(outputs, tuple) else outputs
    if isinstance(outputs, (tuple, list)):
        for index, output in enumerate(outputs):
            slopes = attempt(gradients, output, [each for each in named.values() if each.requires_grad])
            found["forward"][f"gradients {index}"] = slopes
    found["heads in forward"]["activated"] = _activated(outputs, raw)
    return found


def _reached(model: Any, piece: str, x: Tensor, parameter: Tensor) -> bool:
    function = getattr(model, piece, None)
    output = attempt(function, x) if callable(function) else None
    if not isinstance(output, Tensor) or not output.requires_grad or not parameter.requires_grad:
        return False
    return torch.autograd.grad(output.sum(), parameter, allow_unused=True)[0] is not None


def _activated(outputs: Any, raw: dict[str, Tensor]) -> bool:
    """Whether forward returns a head's output changed, each number by itself."""
    if not isinstance(outputs, (tuple, list)) or len(outputs) != 3:
        return False
    for output, name in zip(outputs[1:], ("mean_layer", "logvariance_layer"), strict=True):
        head = raw.get(name)
        if not isinstance(output, Tensor) or head is None or output.shape != head.shape or output.equal(head):
            continue
        if (
            output.requires_grad
            and (slope := torch.autograd.grad(output.sum(), head, allow_unused=True, retain_graph=True)[0]) is not None
        ):
            alone = torch.autograd.grad(output[0, 0], head, retain_graph=True)[0]
            if slope.shape == head.shape and alone.count_nonzero() <= 1:
                return True
    return False


def _same(right: Any, observed: Any) -> bool:
    """Equal, tensors up to rounding."""
    match right:
        case Tensor():
            return (
                isinstance(observed, Tensor)
                and observed.shape == right.shape
                and torch.allclose(observed.double(), right.double(), rtol=1e-5, atol=1e-7, equal_nan=True)
            )
        case dict():
            if "either" in right and isinstance(observed, dict) and "either" in observed:
                either = any(_same(right["either"][0], each) for each in observed["either"])
                return either and _same(right["fresh"], observed["fresh"])
            return (
                isinstance(observed, dict)
                and right.keys() == observed.keys()
                and all(_same(right[key], observed[key]) for key in right)
            )
        case list() | tuple():
            return (
                isinstance(observed, (list, tuple)) and len(observed) == len(right) and all(map(_same, right, observed))
            )
    return type(right) is type(observed) and right == observed
