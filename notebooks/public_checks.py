"""Checks for cs5814_vae.py that you can run as often as you like.

In the notebook: check("encoder"). In a terminal: pytest public_checks.py (one part: -k encoder).
They look at what your code does, never at how it is written: they give it fixed inputs and weights, and look up what
comes out in hints.json, which knows the numbers of many mistakes. The graded checks ask the same with other numbers.
"""

import ast
import difflib
import functools
import inspect
import itertools
import json
import math
import re
import sys
import textwrap
import time
import traceback
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, suppress
from pathlib import Path

import torch
from torch import Tensor, nn

MODULE = "cs5814_vae.py"
CLASS = "ConditionalVariationalAutoencoder"
# Where each part is written, and the checks of it in order: (what holds, function that raises where it does not).
PLACES = {
    "encoder": (CLASS, "__init__"),
    "decoder": (CLASS, "__init__"),
    "sample_latent": ("sample_latent",),
    "forward": (CLASS, "forward"),
    "loss_function": ("loss_function",),
    "training": (CLASS,),
}
CHECKS: dict[str, list[tuple[str, Callable[[], None]]]] = {part: [] for part in PLACES}


class HintError(Exception):
    """Why a check did not hold: what was observed, and the mistakes in hints.json that explain it."""

    def __init__(self, message: str, *mistakes: str | None) -> None:
        super().__init__(message)
        self.mistakes = [name for name in dict.fromkeys(mistakes) if name]


class NotYetError(Exception):
    """A check cannot say anything before another part is right."""


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
        if _path().exists():
            print(f"Looking at {_path()}, saved at {time.strftime('%H:%M:%S', time.localtime(_path().stat().st_mtime))}.")
        for label, hint, _ in outcomes(part):
            failed += bool(hint)
            print(f"{'✗' if hint else '✓'} {label}")
            for paragraph in hint.splitlines():  # broken here, so that no window breaks it within a word
                print(textwrap.fill(paragraph, 90, initial_indent="    ", subsequent_indent="    "))
    if failed:
        raise ChecksFailedError(f"{part} is not done yet: edit {MODULE}, save it, and run this cell again.")
    print(f"All checks of {part} pass.")


def outcomes(part: str) -> Iterator[tuple[str, str, int | None]]:
    """What holds, or the hint why not and the line at which the code stopped, for each check of a part in turn."""
    told = ""
    with torch.random.fork_rng(devices=[]):
        for label, function in CHECKS[part]:
            torch.manual_seed(table()["seed"])
            try:
                with torch.enable_grad():  # whatever an earlier call has left behind
                    function()
            except Exception as error:
                hint, line = _explain(error, part)
                if hint != told:
                    yield label, hint, line
                told = hint
                if not isinstance(error, (HintError, NotYetError)):  # the code does not run: the rest would repeat it
                    return
            else:
                yield label, "", None


def pytest_generate_tests(metafunc) -> None:
    metafunc.parametrize("part", CHECKS)


def test_part(part: str) -> None:
    __tracebackhide__ = True
    check(part)


@functools.cache
def table() -> dict:
    """The sizes of the assignment, the numbers of right code and of many mistakes, and the hints, by name."""
    return json.loads(Path(__file__).with_name("hints.json").read_text("utf-8"))


# Your code ------------------------------------------------------------------------------------------------------

_loaded: dict[bytes, types.ModuleType] = {}


def _path() -> Path:
    """cs5814_vae.py: next to this file in the kit, one folder up in the course's repository."""
    here = Path(__file__).resolve().with_name(MODULE)
    return here if here.exists() else here.parents[1] / here.name


def _submission() -> types.ModuleType:
    """The module as it is saved now, not as the notebook has imported it."""
    source = _path().read_bytes()
    if source not in _loaded:
        module = types.ModuleType("cs5814_vae")
        module.__file__ = str(_path())
        exec(compile(source, module.__file__, "exec"), module.__dict__)
        _loaded.clear()
        _loaded[source] = module
    return _loaded[source]


def _defined(name: str) -> Callable:
    """A function or class of the module."""
    found = getattr(_submission(), name, None)
    if found is not None:
        return found
    methods = [node for owner in _nodes(ast.ClassDef) for node in owner.body if getattr(node, "name", "") == name]
    if methods:
        raise HintError(
            f"Your module does not define `{name}`; in line {methods[0].lineno} it is defined inside a class.",
            "definition-in-class",
        )
    kind = ast.ClassDef if name == CLASS else ast.FunctionDef
    raise HintError(
        f"Your module does not define `{name}`{_nearest(name, {node.name for node in _nodes(kind)}, '; it defines `{}`')}.",
        "definition-missing",
    )


def _attribute(model: nn.Module, name: str) -> Callable:
    """A layer of the model that can be called."""
    found = getattr(model, name, None)
    if found is None:
        state = f"has no attribute `{name}`" if not hasattr(model, name) else f"keeps None in `self.{name}`"
        local = [node.lineno for node in _nodes(ast.Name) if node.id == name and isinstance(node.ctx, ast.Store)]
        there = _nearest(name, {*vars(model), *model._modules} - {*table()["interface"]}, "; there is `self.{}`")
        if local:
            there = f"; line {local[0]} assigns to the variable `{name}`, without `self.`, so the model forgets it"
        missing = "attribute-none" if hasattr(model, name) else "attribute-missing"
        raise HintError(f"Your model {state}{there}.", missing)
    if not callable(found) or isinstance(found, (nn.ModuleList, nn.ModuleDict)):
        raise HintError(f"`self.{name}` is a {type(found).__name__}, so it cannot be called.", "not-callable")
    return found


def _nodes(kind: type) -> list:
    """The parts of the source of one kind, in order."""
    with suppress(SyntaxError, ValueError):
        return sorted((n for n in ast.walk(ast.parse(_path().read_bytes())) if isinstance(n, kind)), key=lambda n: n.lineno)
    return []


def _nearest(name: str, others: set[str], words: str) -> str:
    """`words` with the name among `others` that is most like `name`; nothing if none is."""
    plain = {other.lower().replace("_", ""): other for other in sorted(others) if not other.startswith("_")}
    found = difflib.get_close_matches(name.lower().replace("_", ""), plain, n=1, cutoff=0.55)
    return words.format(plain[found[0]]) if found else ""


def _line_of(part: str) -> int | None:
    """The line in which a part's function or method begins; that of its class where it has none."""
    line = None
    with suppress(SyntaxError, ValueError, StopIteration):
        body = ast.parse(_path().read_bytes()).body
        for name in PLACES[part]:
            node = next(node for node in body if getattr(node, "name", "") == name)
            line, body = node.lineno, node.body
    return line


def _explain(error: Exception, part: str) -> tuple[str, int | None]:
    """What to say of an error, in paragraphs, and the line at which it stopped the code."""
    if isinstance(error, NotYetError):
        return f"Skipped: {error}", None
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(_path())]
    line = frames[-1].lineno if frames else None
    mistakes: list[str] = []
    if isinstance(error, SyntaxError):
        line, text = error.lineno, (error.text or "").strip()
        message = f"Python cannot read line {line}, `{text}`: {error.msg}."
        mistakes = ["notebook-command" if text.startswith(("%", "!")) else "syntax"]
    elif isinstance(error, HintError):
        message, mistakes, line = str(error), error.mistakes, None
    elif isinstance(error, NotImplementedError) and frames and "raise" in (frames[-1].line or ""):
        message = f"Not written yet: line {line} still raises NotImplementedError. {error}"
    else:
        message = f"Your code stopped with {type(error).__name__}: {error}"
        mistakes = _cause(error, frames)
    place = line or _line_of(part)
    where = f"{MODULE}, line {place}" if place else MODULE
    hints = (table()["hints"][name] for name in mistakes)
    return "\n".join((f"{message} ({where})", *(f"{title}. {text}" for title, text in hints))), line


def _cause(error: Exception, frames: list) -> list[str]:
    """The mistake behind an error of Python's or PyTorch's."""
    said = f"{type(error).__name__}: {error}"
    called = re.match(r"(?:\w+\.)?(\w+)\(\) (?:takes|missing|got)", str(error))
    if isinstance(error, TypeError) and not frames and called:
        node = next((node for node in _nodes(ast.FunctionDef) if node.name == called[1]), None)
        first = node.args.args[0].arg if node and node.args.args else ""
        if called[1] in ("__init__", "forward"):
            return ["self-missing" if node and first != "self" else "wrong-parameters"]
        return ["self-superfluous" if first == "self" else "wrong-parameters"]
    if f'[{CLASS}] is missing the required "forward"' in said:
        return ["forward-missing"]
    return [name for pattern, name in table()["errors"] if re.search(pattern, said)][:1]


def _follow_edits(shell) -> None:
    """In a notebook: take over each edit, and say a mistake in one line, where %autoreload prints a traceback."""
    seen = {"source": _path().read_bytes() if _path().exists() else b""}

    def take_over(info=None) -> None:
        module = sys.modules.get("cs5814_vae")
        if module is None or not _path().exists() or _path().read_bytes() == seen["source"]:
            return
        seen["source"] = _path().read_bytes()
        try:
            exec(compile(seen["source"], str(_path()), "exec"), module.__dict__)
        except Exception as error:
            if "check(" not in (getattr(info, "raw_cell", "") or ""):  # which says so itself
                print(f"{MODULE} was not taken over: {type(error).__name__}: {error}")

    if "aimport" in shell.magics_manager.magics["line"]:
        shell.run_line_magic("aimport", "-cs5814_vae")
    shell.events.register("pre_run_cell", take_over)


if "IPython" in sys.modules and (shell := sys.modules["IPython"].get_ipython()) is not None:
    _follow_edits(shell)


# Tools of the checks --------------------------------------------------------------------------------------------


def holds(part: str, label: str) -> Callable:
    """Register a check of `part`."""

    def register(function: Callable[[], None]) -> Callable[[], None]:
        CHECKS[part].append((label, function))
        return function

    return register


def expect(condition: bool | Tensor, message: str, *mistakes: str | None) -> None:
    if not condition:
        raise HintError(message, *mistakes)


def tensor_of(value: object, shape: tuple[int, ...], name: str) -> Tensor:
    """`value`, which must be a tensor of this shape."""
    expect(value is not None, f"{name} is None.", "nothing-returned")
    if isinstance(value, (tuple, list)):
        raise HintError(f"{name} is a {type(value).__name__} of {len(value)} values.", "wrong-number-of-results")
    expect(isinstance(value, Tensor), f"{name} is a {type(value).__name__}, not a tensor.", "no-tensor-returned")
    expect(value.shape == shape, f"{name} has shape {tuple(value.shape)}; it should have {shape}.", "wrong-shape")
    expect(value.isfinite().all(), f"{name} holds nan or infinity.", "not-finite")
    return value


def near(value: float | None, expected: float | None, tolerance: float = 2e-4) -> bool:
    """Whether two numbers agree; None is one that is not finite."""
    if value is None or expected is None:
        return value is expected
    return math.isclose(value, expected, rel_tol=tolerance, abs_tol=tolerance / 100)


def close(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool((one - other).abs().max() <= 1e-4 * (1 + other.abs().max()))


def numbers(*shape: int) -> Tensor:
    """Numbers from 0 to 1, the same at each call and for a matrix and its transpose, and others for other shapes."""
    sizes = sorted(size for size in shape if size > 1)
    generator = torch.Generator().manual_seed(sum(size * 4099**index for index, size in enumerate(sizes)))
    drawn = torch.rand(sizes, generator=generator)
    if len(sizes) == 2 and sizes[0] == sizes[1]:
        drawn = (drawn + drawn.T) / 2
    return (drawn if [size for size in shape if size > 1] == sizes else drawn.T).reshape(shape)


def classes_of(count: int, categories: int) -> Tensor:
    """(count, categories) one-hot classes, in turn."""
    return torch.eye(categories)[torch.arange(count) % categories]


def planted(shape: Sequence[int]) -> Tensor:
    """What the checks write into a parameter of this shape."""
    size = math.prod(shape)
    scale = 6 / size**0.25 if len([each for each in shape if each > 1]) == 2 else 1.0
    return scale * (numbers(*shape) - 0.5)


def summary(*tensors: Tensor) -> list[float]:
    """The average and the spread of each tensor: few numbers that tell one network from another."""
    found = (value for each in tensors for value in (each.double().mean(), each.double().std()))
    return [float(f"{value:.6g}") for value in found]


def look_up(rows: list, observed: list[float]) -> tuple[list[str], str] | None:
    """The mistakes that give these numbers and what to say of them; none for right code; None for unknown numbers."""
    for values, mistakes, said in rows:
        if all(map(near, observed, values)):
            return mistakes, said
    return None


# The network ----------------------------------------------------------------------------------------------------

ROWS = 6  # images in the checks' minibatch
ODD_SIZES = (20, 4, 7)  # so that sizes written into the code come to light; the other checks use the usual ones
HEADS = ("mean_layer", "logvariance_layer")
DEPTHS = {"encoder": 3, "decoder": 4}


def usual_sizes() -> tuple[int, int, int]:
    sizes = table()["sizes"]
    return sizes["input_dim"], sizes["num_categories"], sizes["latent_dimensionality"]


def build(*needs: str, sizes: tuple[int, int, int] | None = None, own_weights: bool = False) -> nn.Module:
    """Your network with the checks' numbers in it; where it `needs` only some layers, the others may be unwritten."""
    sizes = sizes or usual_sizes()
    cls = _defined(CLASS)
    expect(isinstance(cls, type) and issubclass(cls, nn.Module), f"`{CLASS}` is no subclass of nn.Module.", "not-a-module")
    model = cls.__new__(cls)
    try:
        cls.__init__(model, *sizes)
    except NotImplementedError:
        if not needs or any(getattr(model, name, None) is None for name in needs):
            raise
    model.lazy = [name for name, each in model.named_parameters() if isinstance(each, nn.UninitializedParameter)]
    if model.lazy:  # they take their size from a first pass
        with suppress(Exception):
            model(numbers(ROWS, sizes[0]), classes_of(ROWS, sizes[1]))
    if own_weights:
        return model
    with torch.no_grad():
        for each in model.parameters():
            each.copy_(planted(each.shape))
        heads = [getattr(model, name, None) for name in HEADS]
        if isinstance(heads[1], nn.Module) and heads[0] is not heads[1]:
            for each in heads[1].parameters():
                each.mul_(-0.5)
    return model


def images_and_classes(sizes: tuple[int, int, int] | None = None) -> tuple[Tensor, Tensor]:
    pixels, categories, _ = sizes or usual_sizes()
    return numbers(ROWS, pixels), classes_of(ROWS, categories)


def latents_and_classes(sizes: tuple[int, int, int] | None = None) -> tuple[Tensor, Tensor]:
    _, categories, latent = sizes or usual_sizes()
    return 4 * numbers(ROWS, latent) - 2, classes_of(ROWS, categories)


def run_piece(model: nn.Module, name: str, data: Tensor, classes: Tensor) -> object:
    """What the encoder or the decoder makes of [data | one-hot classes], in evaluation mode."""
    piece, asked = _attribute(model.eval(), name), data.shape[-1] + classes.shape[-1]
    try:
        return piece(torch.cat((data, classes), -1))
    except Exception:
        widths = {size for key, each in model.named_parameters() if key.startswith(f"{name}.") for size in each.shape}
        others = [((data, classes), "two arguments", "two-arguments"), ((data,), f"{data.shape[-1]} numbers", "without-condition")]
        others += [((numbers(ROWS, width),), f"{width} numbers", "input-width") for width in sorted(widths)]
        for arguments, takes, mistake in others:
            try:
                piece(*arguments)
            except Exception:  # noqa: S112 - another way to call it
                continue
            said = f"Your {name} takes {takes}; it must take one tensor, {asked} numbers wide."
            raise HintError(said, f"{name}-{mistake}") from None
        raise


def parameters_behind(model: nn.Module, output: Tensor) -> dict[str, Tensor]:
    """The parameters that an output depends on."""
    named = {name: each for name, each in model.named_parameters() if each.requires_grad}
    if not output.requires_grad:
        return {}
    found = torch.autograd.grad(output.sum(), list(named.values()), allow_unused=True, retain_graph=True)
    return {name: each for (name, each), gradient in zip(named.items(), found, strict=True) if gradient is not None}


def expect_layers(part: str, behind: dict[str, Tensor], inputs: int, outputs: int) -> None:
    """Expect the matrices and biases of so many linear layers, however they are kept."""
    hidden, depth = table()["sizes"]["hidden_size"], DEPTHS[part]
    expect(bool(behind), f"No trainable parameters are behind the output of your {part}.", "not-trainable")
    shapes = [sorted(each.shape) for each in behind.values() if each.dim() == 2 and 1 not in each.shape]
    said = f"Your {part} has {len(shapes)} linear layer{'s' * (len(shapes) != 1)}; the assignment asks for {depth}."
    expect(len(shapes) == depth, said, f"{part}-depth")
    asked = [(inputs, hidden), *[(hidden, hidden)] * (depth - 2), (hidden, outputs)]
    said = f"The layers of your {part} have sizes {', '.join(f'{a} × {b}' for a, b in shapes)}; every hidden one should be {hidden} wide."
    expect(sorted(shapes) == sorted(map(sorted, asked)), said, f"{part}-width")
    biases = sum(each.numel() in (hidden, outputs) for each in behind.values())
    expect(biases >= depth, f"A linear layer of your {part} has no bias.", f"{part}-bias")


def expect_one_output(model: nn.Module, part: str, run: Callable[[], Tensor]) -> None:
    """Expect nothing random, and nothing that differs between training and evaluation."""
    plain, (first, second) = run(), [run() for _ in range(2) if model.train()]
    model.eval()
    named = unexpected(model, part)
    expect(close(first, second), f"Your {part} gives different outputs for the same input{named}.", f"{part}-normalisation")
    said = f"Your {part} gives other outputs in training mode than in evaluation mode{named}."
    expect(close(first, plain), said, f"{part}-normalisation")


def unexpected(model: nn.Module, part: str) -> str:
    """What of PyTorch's stands in a part of the network and is not asked for, for a message."""
    known = (nn.Linear, nn.ReLU, nn.Sigmoid, nn.Sequential, nn.ModuleList, nn.Identity, nn.Flatten, nn.Unflatten)
    inside = getattr(model, part).modules() if isinstance(getattr(model, part, None), nn.Module) else ()
    kinds = dict.fromkeys(type(each).__name__ for each in inside if not isinstance(each, known) and hasattr(nn, type(each).__name__))
    return f": it holds {', '.join(kinds)}" if kinds else ""


def expect_known(model: nn.Module, part: str, found: tuple[list[str], str] | None) -> None:
    """Expect the numbers of the network that is asked for."""
    if found is None:
        if named := unexpected(model, part):
            raise HintError(f"Something other than linear layers and ReLU acts in your {part}{named}.", f"{part}-normalisation")
        raise HintError(f"Your {part} does not act like linear layers with one activation after each.", f"{part}-other")
    expect(not found[0], found[1], *found[0])


def expect_attributes(model: nn.Module, sizes: tuple[int, int, int]) -> None:
    """Expect the model to keep the sizes that it was built with."""
    usual = table()["sizes"]
    for name, value in zip(usual, (*sizes, usual["hidden_size"]), strict=True):
        found = getattr(model, name, None)
        named = "attribute-missing" if found is None else "attribute-wrong"
        if found == usual[name] != value:
            named = "encoder-sizes-hard-coded"
        expect(found == value, f"`self.{name}` is {found}; it should be {value} here.", named)


def works_with_sizes(part: str, run: Callable[[tuple[int, int, int]], object]) -> None:
    """Expect a part of the network to follow the arguments of the constructor."""
    pixels, categories, latent = ODD_SIZES
    try:
        run(ODD_SIZES)
    except Exception as error:
        mistake = f"{part}-sizes-hard-coded"
        with suppress(Exception):
            run((25, categories, latent))
            mistake = "square-images-assumed"
        sizes = f"input_dim={pixels}, num_categories={categories}, latent_dimensionality={latent}"
        raise HintError(f"With {sizes}, your {part} does not work. {error}", mistake) from None


def encode(model: nn.Module, sizes: tuple[int, int, int] | None = None) -> tuple[Tensor | None, list[Tensor]]:
    """What the encoder gives, unless it holds the heads, and the means and log-variances."""
    images, classes = images_and_classes(sizes)
    latent = (sizes or usual_sizes())[2]
    hidden = run_piece(model, "encoder", images, classes)
    heads = [_attribute(model, name) for name in HEADS]
    if not isinstance(hidden, Tensor) or hidden.dim() != 2:
        hidden, outputs = None, model(images, classes)[1:3]
    else:
        outputs = [head(hidden) for head in heads]
    return hidden, [tensor_of(each, (ROWS, latent), f"The output of `{name}`") for each, name in zip(outputs, HEADS, strict=True)]


class Pass:
    """One pass of forward, with a stand-in for sample_latent, and for the layers as well where they are `replaced`.

    A stand-in gives made-up numbers, so that nothing here depends on what the pieces do that it replaces. What each
    was given and gave is kept, and a gain that it multiplies by, which shows where a gradient gets to.
    """

    def __init__(self, model: nn.Module, replaced: bool = True, draws: bool = True) -> None:
        self.images, self.classes = images_and_classes()
        self.given: dict[str, list[Tensor]] = {}
        self.gave: dict[str, Tensor] = {}
        self.gains = {name: torch.ones((), requires_grad=True) for name in ("encoder", *HEADS, "sample_latent", "decoder")}
        pixels, _, latent = usual_sizes()
        widths = {"encoder": table()["sizes"]["hidden_size"], "mean_layer": latent, "logvariance_layer": latent, "decoder": pixels}
        for name, width in widths.items() if replaced else ():
            object.__setattr__(model, name, functools.partial(self.answer, name, lambda *given, name=name, width=width: layer(name, width, *given)))
        module, original = _submission(), getattr(_submission(), "sample_latent", None)
        if draws and callable(original):
            module.sample_latent = lambda *given, **named: self.answer("sample_latent", known_draw, *in_order(original, given, named))
        try:
            self.results = results_of(model(self.images, self.classes), self.gave.get("decoder"))
        finally:
            if callable(original):
                module.sample_latent = original

    def answer(self, name: str, function: Callable[..., Tensor], *given: Tensor) -> Tensor:
        self.given[name], self.gave[name] = list(given), self.gains[name] * function(*given)
        return self.gave[name]


def layer(name: str, width: int, *given: Tensor) -> Tensor:
    """What stands in for a layer of the network: some matrix, another one for each layer."""
    data = torch.cat(given, -1)
    mixed = data @ (numbers(data.shape[-1], width + 1)[:, 1:] - 0.5)
    return {"logvariance_layer": -0.5 * mixed, "decoder": 0.1 * mixed.cos() + 0.5}.get(name, mixed)


def known_draw(means: Tensor, logvariances: Tensor) -> Tensor:
    """What stands in for sample_latent: some mixture."""
    return means + 0.3 * logvariances + 4 * numbers(*means.shape) - 2


def in_order(function: Callable, given: tuple, named: dict) -> tuple:
    """The arguments of a call in the order of the function's parameters."""
    with suppress(TypeError, ValueError):
        return tuple(inspect.signature(function).bind(*given, **named).arguments.values())[:2]
    return given


def results_of(returned: object, decoded: Tensor | None) -> list[Tensor]:
    """The three results of forward, their shapes checked; the reconstruction may have the shape that the decoder gave."""
    pixels, _, latent = usual_sizes()
    asked = [(ROWS, size) for size in (pixels, latent, latent)]
    expect(returned is not None, "Your `forward` returned None.", "nothing-returned")
    count = f"{len(returned)} values" if isinstance(returned, (tuple, list, dict)) else "a single one"
    said = f"Your `forward` returned a {type(returned).__name__}, {count}; it should return three tensors."
    expect(isinstance(returned, (tuple, list)) and len(returned) == 3, said, "wrong-number-of-results")
    shapes = [tuple(getattr(each, "shape", ())) for each in returned]
    said = f"Your `forward` returns shapes {shapes}; they should be {asked}."
    expect(shapes == asked or sorted(shapes) != sorted(asked), said, "outputs-swapped")
    for value, shape, name in zip(returned[1:], asked[1:], ("means", "log-variances"), strict=True):
        tensor_of(value, shape, f"Your tensor of {name}")
    image = returned[0]
    if isinstance(image, Tensor) and image.numel() == math.prod(asked[0]) and image.shape != asked[0]:
        said = f"Your reconstruction has shape {shapes[0]}; it should have {asked[0]}."
        expect(decoded is not None and decoded.shape == image.shape, said, "reconstruction-shape")
        image = image.reshape(asked[0])
    return [tensor_of(image, asked[0], "Your reconstruction"), *returned[1:]]


def wiring(found: tuple[list[str], str] | None, part: str) -> list[str]:
    """Those of the mistakes that forward makes which belong to a part."""
    return [name for name in (found[0] if found else []) if table()["parts"][name] == part]


# encoder --------------------------------------------------------------------------------------------------------


@holds("encoder", "gives a mean and a log-variance for each latent dimension")
def encoder_shapes() -> None:
    model = build("encoder", *HEADS)
    encode(model)
    lazy = [name for name in model.lazy if name.startswith(("encoder.", *HEADS))]
    expect(not lazy, f"Before the first pass `{''.join(lazy[:1])}` has no shape.", "lazy-layer")


@holds("encoder", "has three linear layers to hidden_size, with a ReLU after each")
def encoder_layers() -> None:
    model = build("encoder", *HEADS)
    hidden, outputs = encode(model)
    rows, sizes = table()["encoder"], usual_sizes()
    if hidden is not None:
        behind, found = parameters_behind(model, hidden), look_up(rows["alone"], summary(hidden))
    else:
        of_means, of_logvariances = (parameters_behind(model, each) for each in outputs)
        behind, found = {name: of_means[name] for name in of_means if name in of_logvariances}, None
    if found is None or found[0]:  # a ReLU, or all of it, may stand in forward
        in_forward = None
        with suppress(Exception):
            in_forward = look_up(rows["means"], summary(Pass(model, replaced=False).results[1]))
        found = in_forward if in_forward and (found is None or not in_forward[0]) else found
    expect_layers("encoder", behind, sizes[0] + sizes[1], table()["sizes"]["hidden_size"])
    expect_known(model, "encoder", found)
    if hidden is not None:
        expect_one_output(model, "encoder", lambda: run_piece_as_is(model, "encoder"))


def run_piece_as_is(model: nn.Module, name: str) -> Tensor:
    inputs = images_and_classes() if name == "encoder" else latents_and_classes()
    return _attribute(model, name)(torch.cat(inputs, -1)).flatten(1)


@holds("encoder", "has two heads of one linear layer each, without an activation")
def encoder_heads() -> None:
    model = build("encoder", *HEADS)
    hidden, outputs = encode(model)
    given = 4 * numbers(ROWS, table()["sizes"]["hidden_size"]) - 2
    behind: list[dict[str, Tensor]] = []
    for name, linear in zip(HEADS, outputs, strict=True):
        output = linear
        with suppress(RuntimeError):  # of another width, which is told above
            output = _attribute(model, name)(given)
        behind.append(parameters_behind(model, output))
        expect(bool(behind[-1]), f"No trainable parameters are behind the output of `{name}`.", "not-trainable")
        layers = sum(each.dim() == 2 and 1 not in each.shape for each in behind[-1].values())
        expect(layers == 1, f"`{name}` has {layers} linear layers; the assignment asks for one.", "head-depth")
        expect(len(behind[-1]) > 1, f"`{name}` has no bias.", "encoder-bias")
        found = look_up(table()["encoder"][name], summary(output))
        if output is not linear and found is None:
            raise HintError(f"`{name}` does not act like a linear layer.", "encoder-other")
        if found:
            expect(not found[0], f"The output of `{name}` {found[1]}.", *found[0])
    expect(not set.intersection(*map(set, behind)), "`mean_layer` and `logvariance_layer` share their parameters.", "heads-shared")
    found = None
    with suppress(Exception):
        found = look_up(table()["forward"], summary(*Pass(model).results))
    expect(not wiring(found, "encoder"), found[1] if found else "", *wiring(found, "encoder"))


@holds("encoder", "follows the sizes that the constructor is given, and keeps them")
def encoder_sizes() -> None:
    works_with_sizes("encoder", lambda sizes: encode(build("encoder", *HEADS, sizes=sizes), sizes))
    expect_attributes(build("encoder", *HEADS, sizes=ODD_SIZES), ODD_SIZES)


# decoder --------------------------------------------------------------------------------------------------------


def decode(model: nn.Module, sizes: tuple[int, int, int] | None = None) -> Tensor:
    pixels = (sizes or usual_sizes())[0]
    images = run_piece(model, "decoder", *latents_and_classes(sizes))
    name = "The output of your decoder"
    if isinstance(images, Tensor) and images.numel() == ROWS * pixels and images.shape != (ROWS, pixels):
        raise HintError(f"{name} has shape {tuple(images.shape)}; it should have {(ROWS, pixels)}.", "decoder-shape")
    return tensor_of(images, (ROWS, pixels), name)


@holds("decoder", "gives a row of pixels for each [latent | one-hot] vector")
def decoder_shape() -> None:
    model = build("decoder")
    decode(model)
    lazy = [name for name in model.lazy if name.startswith("decoder.")]
    expect(not lazy, f"Before the first pass `{''.join(lazy[:1])}` has no shape.", "lazy-layer")


@holds("decoder", "has three linear layers to hidden_size, and one to the pixels")
def decoder_layers() -> None:
    model, (pixels, categories, latent) = build("decoder"), usual_sizes()
    expect_layers("decoder", parameters_behind(model, decode(model)), latent + categories, pixels)


@holds("decoder", "ends in a sigmoid")
def decoder_output() -> None:
    model = build("decoder")
    pixels = decode(model)
    ends = [each for each in parameters_behind(model, pixels).values() if pixels.shape[-1] in each.shape]
    grid = torch.linspace(-4, 4, pixels.shape[-1])
    with torch.no_grad():  # without its weights, the last layer gives its bias, and the output what follows
        for each in ends:
            each.copy_(grid.reshape(each.shape) if each.numel() == len(grid) else 0 * each)
        shown = decode(model)
    found = look_up(table()["decoder"]["output"], summary(shown))
    said = f"The output of your decoder goes from {pixels.min():.2f} to {pixels.max():.2f}"
    if found is None or not ends:
        outside = bool(pixels.min() < 0 or pixels.max() > 1)
        raise HintError(f"{said}.", "decoder-no-sigmoid" if outside else "decoder-output-activation")
    expect(not found[0], f"{said}: {found[1]}.", *found[0])


@holds("decoder", "has a ReLU after each of the first three layers, and nothing else")
def decoder_relus() -> None:
    model, rows = build("decoder"), table()["decoder"]["whole"]
    expect_known(model, "decoder", look_up(rows, summary(decode(model))))
    expect_one_output(model, "decoder", lambda: run_piece_as_is(model, "decoder"))


@holds("decoder", "follows the sizes that the constructor is given")
def decoder_sizes() -> None:
    works_with_sizes("decoder", lambda sizes: decode(build("decoder", sizes=sizes), sizes))


# sample_latent --------------------------------------------------------------------------------------------------

DRAWS = 20_000
FAR = 7  # standard errors: right code is as far off once in some 10^11 times
MEANS, LOGVARIANCES = (2.0, -3.0, 1.5, -2.0, 3.0, -1.5), (-3.0, -1.0, -0.5, 0.5, 1.0, 2.0)


def sample(means: Tensor, logvariances: Tensor) -> Tensor:
    latents = _defined("sample_latent")(means, logvariances)
    return tensor_of(latents, tuple(means.shape), "What your `sample_latent` returned")


def centers_and_spreads(draws: Tensor) -> list[list[float]]:
    """The average and the standard deviation of each column of (N, D) draws."""
    return [[float(f"{value:.6g}") for value in each.tolist()] for each in (draws.double().mean(0), draws.double().std(0))]


def expect_draws(draws: Tensor) -> None:
    """Expect (N, 6) draws to have the center and the spread that belong to MEANS and LOGVARIANCES."""
    observed, rows = centers_and_spreads(draws), table()["sample_latent"]
    named = None
    for (centers, spreads), mistakes, _ in rows[1:]:
        off = [
            max(abs(center - given) - 0.12 * spread, abs(width - spread) - 0.1 * spread)
            for given, width, center, spread in zip(*observed, centers, spreads, strict=True)
        ]
        named = named or (mistakes[0] if max(off) < 1e-4 else None)
    right, error = rows[0][0], FAR / len(draws) ** 0.5
    scaled = [width / spread for width, spread in zip(observed[1], right[1], strict=True)]
    factor = sum(scaled) / len(scaled)
    constant = max(scaled) - min(scaled) < 0.1 * factor
    for mean, logvariance, given, width, center, spread in zip(MEANS, LOGVARIANCES, *observed, *right, strict=True):
        case = f"With mean {mean:g} and log-variance {logvariance:g}, {len(draws):,} draws"
        off = named or ("spread-scaled" if constant else "spread-wrong")
        expect(abs(given - center) < error * max(spread, width), f"{case} average {given:.2f}.", named or "centre-wrong")
        said = f"{case} have standard deviation {width:.2f}; it should be {spread:.2f}."
        expect(abs(width / spread - 1) < error, said, off)


@holds("sample_latent", "draws with the mean and the spread it is given")
def sample_statistics() -> None:
    expect_draws(sample(torch.tensor(MEANS).repeat(DRAWS, 1), torch.tensor(LOGVARIANCES).repeat(DRAWS, 1)))


@holds("sample_latent", "draws noise of a normal shape")
def sample_shape() -> None:
    draws = sample(torch.tensor(MEANS).repeat(DRAWS, 1), torch.tensor(LOGVARIANCES).repeat(DRAWS, 1))
    expect(draws.std(0).min() > 1e-6, "Some of your draws do not vary.", "no-noise")
    noise = (draws - draws.mean(0)) / draws.std(0)
    count = noise.numel() if torch.corrcoef(noise.T).fill_diagonal_(0).abs().max() < 0.5 else len(noise)
    tails, lean = (noise**4).mean(), (noise**3).mean()
    named = "uniform-noise" if abs(tails - 1.8) < 0.1 else "positive-noise" if noise.min() > -1.5 else "noise-not-normal"
    said = f"Your noise has kurtosis {tails:.2f} and skewness {lean:.2f}; normal noise has 3 and 0."
    expect(abs(tails - 3) < FAR * (24 / count) ** 0.5 and abs(lean) < FAR * (6 / count) ** 0.5, said, named)
    found = torch.special.ndtr(noise.flatten().double()).sort().values
    apart = (found - torch.linspace(0, 1, len(found), dtype=found.dtype)).abs().max()
    said = f"The distribution of your noise differs from a normal one by up to {apart:.2f}."
    expect(apart < 4.5 / count**0.5, said, "noise-not-normal")


@holds("sample_latent", "draws fresh noise at each call, for each row and each dimension")
def sample_noise() -> None:
    means, logvariances = (6 * numbers(120) - 3).repeat(128, 1), (2 * numbers(121)[1:] - 1).repeat(128, 1)
    first, second = sample(means, logvariances), sample(means, logvariances)
    alike = close(first, first[:1].expand_as(first))
    expect(not close(first, second), "Two calls give the same draw.", "no-noise" if alike else "fixed-seed")
    expect(not alike, "All rows get the same noise.", "noise-shared-across-rows")
    one, other = ((each - each.median(0).values).sign() for each in (first, second))
    expect(one.mean(1).std() < 0.5, "All dimensions of a row get the same noise.", "noise-shared-across-columns")
    expect((one * other).mean().abs() < FAR / one.numel() ** 0.5, "The noise of two calls is correlated.", "fixed-seed")
    for noise, what in ((one, "rows"), (one.T, "dimensions")):
        related = torch.corrcoef(noise).fill_diagonal_(0).abs().max()
        expect(related < FAR / noise.shape[1] ** 0.5, f"The noise of two {what} is correlated.", "noise-correlated")


@holds("sample_latent", "lets gradients through to both arguments, and leaves these as they were")
def sample_gradient() -> None:
    given = [4 * numbers(6, 5) - 2, (2 * numbers(5, 6) - 1).T.contiguous()]
    kept = [each.clone() for each in given]
    draws = sample(*given)
    expect(all(map(torch.equal, given, kept)), "After the call, your arguments hold other numbers.", "inputs-modified")
    expect(draws.dtype == torch.float32, f"For means of float32 the latents are {draws.dtype}.", "precision-mixed")
    repeats = close(*(seeded(sample, given) for _ in range(2)))
    for place, (name, mistake) in enumerate((("means", "sample-detached"), ("log-variances", "std-detached"))):
        gradient = gradients(sample, given)[place]
        slope = slope_along(sample, given, place, torch.ones(6, 5)) if repeats else gradient
        if slope is None or slope.any():  # an argument that makes no difference is told above
            expect(gradient is not None and gradient.any(), f"No gradient reaches the {name}.", mistake)
            said = f"The gradient of the {name} is not how your draw changes with them."
            expect((gradient - slope).abs().max() < 0.02 * (1 + slope.abs().max()), said, "sample-gradient-partial")


def seeded(run: Callable[..., Tensor], arguments: Sequence[Tensor]) -> Tensor:
    """The result of a call whose noise is the same each time."""
    torch.manual_seed(table()["seed"])
    return run(*arguments)


def gradients(run: Callable[..., Tensor], arguments: Sequence[Tensor]) -> list[Tensor | None]:
    """Of the sum of the result, with respect to each argument."""
    leaves = [each.clone().requires_grad_() for each in arguments]
    result = seeded(run, leaves)
    if not result.requires_grad:
        return [None] * len(leaves)
    return list(torch.autograd.grad(result.sum(), leaves, allow_unused=True))


def slope_along(run: Callable[..., Tensor], arguments: Sequence[Tensor], place: int, direction: Tensor) -> Tensor:
    """How fast the result changes when one argument goes in a direction, from one small step each way."""
    ahead, behind = (
        seeded(run, [each + step * direction if at == place else each.clone() for at, each in enumerate(arguments)])
        for step in (0.02, -0.02)
    )
    return (ahead - behind) / 0.04


# forward --------------------------------------------------------------------------------------------------------


@holds("forward", "returns the reconstruction, the mean and the log-variance")
def forward_results() -> None:
    model = build()
    expect(any(each.dim() == 2 for each in model.parameters()), "Your model has no trainable layer.", "not-trainable")
    one = Pass(model)
    given = all(map(torch.equal, (one.images, one.classes), images_and_classes()))
    expect(given, "After the call, your inputs hold other numbers.", "inputs-modified")
    for each, name in zip(one.results, ("reconstructions", "means", "log-variances"), strict=True):
        expect(not close(each, each.roll(1, 0)), f"The {name} are the same for every image.", "same-for-every-image")


@holds("forward", "encodes [image | class], draws with sample_latent, and decodes [draw | class]")
def forward_wiring() -> None:
    one = Pass(build())
    found = look_up(table()["forward"], summary(*one.results))
    if found is None and "sample_latent" not in one.gave:
        judge_own_draw()
        return
    if found is None:  # some of the layers may stand in forward itself
        whole = Pass(build().eval(), replaced=False)
        if look_up(table()["network"], summary(*whole.results)):
            return
        unexplained(one)
    mistakes = wiring(found, "forward")
    if mistakes == ["reconstruction-changed"] and "sigmoid" in found[1] and decoder_has_no_sigmoid():
        return  # which costs the decoder
    expect(not mistakes, found[1], *mistakes)


def decoder_has_no_sigmoid() -> bool:
    pixels = decode(build("decoder"))
    return bool(pixels.min() < 0 or pixels.max() > 1)


def unexplained(one: Pass) -> None:
    """Say where a pass goes another way, if its numbers are not known."""
    for part in ("encoder", "decoder"):
        if part not in one.given or failed(part):
            raise NotYetError(f"fix the {part} first.")
    (joined, *_), (latents, rest) = one.given["encoder"], one.given["decoder"][0].split([usual_sizes()[2], one.classes.shape[1]], -1)
    said = "Your encoder does not get [image | one-hot]."
    expect(close(joined, torch.cat((one.images, one.classes), -1)), said, "encoding-other")
    same = all(map(close, one.given["sample_latent"], (one.gave[name] for name in HEADS)))
    expect(same, "Your `sample_latent` does not get what the two heads give.", "sample-arguments-changed")
    away = float((latents - one.gave["sample_latent"]).abs().mean())
    said = f"Your decoder does not get what `sample_latent` returned: on average, the latents differ by {away:.3g}."
    expect(close(latents, one.gave["sample_latent"]), said, "draw-changed")
    expect(close(rest, one.classes), "Your decoder does not get [draw | one-hot].", "decoding-other")
    said = "Your reconstruction is not what your decoder gives for its input."
    expect(close(one.results[0], one.gave["decoder"]), said, "decoding-other")
    raise HintError("Your means and log-variances are not what your heads give.", "encoding-other")


def judge_own_draw() -> None:
    """For a forward that draws without sample_latent: judge the latents that the decoder gets, over many rows."""
    model, (pixels, categories, latent) = build(), usual_sizes()
    taken: list[Tensor] = []
    means, logvariances = (torch.tensor([*values, *[0.0] * (latent - 6)]).repeat(DRAWS, 1) for values in (MEANS, LOGVARIANCES))
    pieces = {
        "encoder": lambda *given: torch.cat(given, -1)[:, : table()["sizes"]["hidden_size"]],
        "mean_layer": lambda _: means,
        "logvariance_layer": lambda _: logvariances,
        "decoder": lambda *given: taken.append(torch.cat(given, -1)) or numbers(1, pixels).repeat(DRAWS, 1),
    }
    for name, piece in pieces.items():
        object.__setattr__(model, name, piece)
    classes = classes_of(DRAWS, categories)
    model(numbers(1, pixels).repeat(DRAWS, 1), classes)
    if not taken:
        raise NotYetError("make the decoder callable on [latent | one-hot] first.")
    varies = taken[0][:, 0].std() > 1e-6
    expect(varies, "Nothing is drawn: your decoder gets the same latent each time.", "no-draw-in-forward")
    expect_draws(taken[0][:, :6])
    expect(torch.equal(taken[0][:, latent:], classes), "Your decoder does not get [draw | one-hot].", "decoding-other")


@holds("forward", "lets gradients from its results reach every parameter behind them")
def forward_gradients() -> None:
    one = Pass(build())
    gains = [one.gains[name] for name in one.gave]
    for result, name, reaches in zip(one.results, ("reconstruction", "means", "log-variances"), (one.gave, ["encoder"], ["encoder"]), strict=True):
        found = torch.autograd.grad(result.sum(), gains, allow_unused=True, retain_graph=True) if result.requires_grad else [None] * len(gains)
        cut = [each for each, gradient in zip(one.gave, found, strict=True) if gradient is None and each in reaches]
        if name == "reconstruction" and len(cut) == len(one.gave) or cut and name == "reconstruction":
            wired = look_up(table()["forward"], summary(*one.results))
            expect(wired is None or bool(wired[0]), f"No gradient of your {name} reaches {', '.join(cut)}.", "forward-detached")
        elif name != "reconstruction":
            expect(not cut, f"No gradient of your {name} reaches the encoder.", "results-detached")
    model = build()
    whole = Pass(model, replaced=False)
    behind = parameters_behind(model, whole.results[0])
    idle = [name for name, _ in model.named_parameters() if name not in behind]
    if idle and not failed("encoder") and not failed("decoder"):
        said = f"No gradient of your reconstruction reaches {', '.join(idle[:4])}."
        raise HintError(said, "unused-parameters")


# loss_function --------------------------------------------------------------------------------------------------


class Form:
    """The images that your loss takes: flat, or shaped (N, 1, 28, 28). The shape has a check of its own."""

    def __init__(self) -> None:
        self.flat = True
        try:
            self(*loss_inputs(usual_sizes()[0])[0])
        except HintError:
            pass
        except Exception:
            self.flat = False
            try:
                self(*loss_inputs(usual_sizes()[0])[0])
            except Exception:
                self.flat = True

    def __call__(self, reconstructions: Tensor, originals: Tensor, *parameters: Tensor) -> Tensor:
        images = (reconstructions, originals)
        if not self.flat:
            side = math.isqrt(images[0].shape[-1])
            images = tuple(each.reshape(len(each), 1, side, side) for each in images)
        return loss(*images, *parameters)


def loss(*arguments: Tensor) -> Tensor:
    value = _defined("loss_function")(*arguments)
    expect(value is not None, "Your `loss_function` returned None.", "nothing-returned")
    expect(not isinstance(value, (tuple, list)), "Your `loss_function` returned several values.", "wrong-number-of-results")
    said = f"Your `loss_function` returned a {type(value).__name__}, not a tensor."
    expect(isinstance(value, Tensor), said, "no-tensor-returned")
    named = "loss-per-image" if value.numel() == len(arguments[2]) > 1 else "loss-not-scalar"
    expect(value.numel() == 1, f"Your loss has shape {tuple(value.shape)}; it should be a single number.", named)
    return value.reshape(())


def loss_inputs(pixels: int) -> list[tuple[Tensor, ...]]:
    """Reconstructions, originals, means and log-variances: one image, three, and three with positive log-variances."""
    inputs = []
    for images, latent, lowest in ((1, 20, -2.0), (3, 30, -2.0), (3, 25, 0.2)):
        pictures = [0.05 + 0.9 * numbers(images, pixels + at)[:, at:].reshape(images, pixels) for at in (0, 1)]
        means, logvariances = (numbers(images, latent + at)[:, at:] for at in (0, 1))
        inputs.append((*pictures, 10 * means - 5, lowest + (2 - lowest) * logvariances))
    return inputs


def worked_example() -> tuple[Tensor, ...]:
    """The notebook's: one image of shape (1, 1, 2, 2)."""
    example = table()["loss_function"]["example"]
    images = (torch.tensor(each).sigmoid().view(1, 1, 2, 2) for each in example["logits"])
    latent = usual_sizes()[2]
    return *images, torch.ones(1, latent), torch.zeros(1, latent)


def value_or_none(run: Callable, arguments: tuple[Tensor, ...]) -> float | None:
    with suppress(Exception):
        value = float(run(*arguments))
        return value if math.isfinite(value) else None
    return None


def mistakes_in_the_loss(form: Form) -> list[str]:
    """The mistakes that explain the values of your loss on the checks' inputs, the fewest that do."""
    inputs, known = loss_inputs(usual_sizes()[0]), table()["loss_function"]
    twice = [value_or_none(form, inputs[0]) for _ in range(2)]
    if twice[0] is not None and twice[0] != twice[1]:
        return ["loss-changes"]
    observed = [value_or_none(form, each) for each in inputs] + [value_or_none(loss, worked_example())]
    explained = []
    for (first, pixels), (second, latents), (third, weights) in itertools.product(*(known[name] for name in ("reconstructions", "divergences", "averages"))):
        expected = [None if r is None or k is None else r * w + k * v for r, k, (w, v) in zip(pixels, latents, weights, strict=True)]
        shown = [(one, other) for one, other in zip(observed, expected, strict=True)]
        if all(near(one, other, 3e-4) for one, other in shown[:3]) and (observed[3] is None or near(*shown[3], 3e-4)):
            explained.append([*first, *second, *third])
    return min(explained, key=len, default=[])


def changes(inputs: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
    """The arguments with other reconstructions; with other means; and with other log-variances, twice."""
    pixels, originals, means, logvariances = inputs
    better = (0.8 * originals + 0.2 * pixels, originals, means, logvariances)
    return [better, *((pixels, originals, a * means, b * logvariances + c) for a, b, c in ((0.2, 1, 0), (1, 1, 1), (1, 0.3, 0.1)))]


def ratios(form: Form) -> list[float]:
    """How your loss changes where one argument does, over how it should change; for each of the `changes`."""
    inputs = loss_inputs(usual_sizes()[0])[2][:]
    one = tuple(each[:1] for each in inputs)
    start = float(form(*one))
    expected = table()["loss_function"]["changes"]
    return [(start - float(form(*other))) / right for other, right in zip(changes(one), expected, strict=True)]


def judge_term(term: str, found: list[float], form: Form, what: str) -> None:
    """Expect a term's changes to be right, or all that the loss does to be off by one factor: a wrong average."""
    everything = ratios(form)
    one_factor = all(near(each, everything[0], 1e-3) for each in everything) and everything[0] > 0
    if all(near(each, 1) for each in found) or (one_factor and not near(everything[0], 1)):
        return
    mistakes = mistakes_in_the_loss(form)
    named = [name for name in mistakes if name.startswith(term)] or mistakes
    scaled = all(near(each, found[0], 1e-3) for each in found) and math.isfinite(found[0])
    said = f"Where only {what}, your loss changes by {', '.join(f'{each:.3f}' for each in found)} times what it should."
    missing = all(near(each, 0) for each in found)
    raise HintError(said, *(named or [f"{term}-{'missing' if missing else 'scaled' if scaled and found[0] > 0 else 'other'}"]))


@holds("loss_function", "takes the cross-entropy, summed over the pixels")
def loss_reconstruction() -> None:
    form = Form()
    judge_term("reconstruction", ratios(form)[:1], form, "the reconstruction is another one")


@holds("loss_function", "adds the KL divergence, summed over the latent dimensions")
def loss_divergence() -> None:
    form = Form()
    judge_term("kl", ratios(form)[1:], form, "the means or the log-variances are others")


@holds("loss_function", "averages over the minibatch")
def loss_average() -> None:
    form = Form()
    for inputs in loss_inputs(usual_sizes()[0])[1:]:
        count = len(inputs[2])
        single = sum(float(form(*(each[at : at + 1] for each in inputs))) for at in range(count)) / count
        value = float(form(*inputs))
        said = f"For {count} images of {inputs[1].shape[1]} pixels your loss is {value:.4f}; your losses of each alone average {single:.4f}."
        expect(near(value, single), said, *(mistakes_in_the_loss(form) or ["batch-other"]))
    expected = table()["loss_function"]["averages"][0][1][0][0]
    everything = ratios(form)
    off = all(near(each, everything[0], 1e-3) for each in everything) and not near(everything[0], expected)
    said = f"Both terms of your loss are {everything[0]:.4g} times what they should be."
    expect(not off, said, *(mistakes_in_the_loss(form) or ["divided-by-constant"]))


@holds("loss_function", "takes image-shaped input as well as flat, and gives the worked example's number")
def loss_images() -> None:
    form = Form()
    try:
        value = float(loss(*worked_example()))
    except HintError:
        raise
    except Exception as error:
        form(*loss_inputs(usual_sizes()[0])[0])  # if this fails too, the shape is not what is wrong
        raise HintError(f"On images of shape (1, 1, 2, 2) your code stopped. {error}", "loss-image-shape") from None
    if all(near(each, 1, 1e-3) for each in ratios(form)):
        expected = table()["loss_function"]["example"]["value"]
        said = f"On the notebook's worked example your loss is {value:.4f}; it should be {expected:.4f}."
        expect(near(value, expected, 1e-4), said, *(mistakes_in_the_loss(form) or ["loss-constant-off"]))
    expect(form.flat, "Your loss takes images of shape (N, 1, H, W), but not flat ones, (N, 784).", "loss-image-shape")
    pixels, latents = [0.1 + 0.8 * numbers(3, size)[:, -20:] for size in (20, 21)], [0.2 + numbers(3, size) for size in (6, 6)]
    flat, shaped = loss(*pixels, *latents), loss(*(each.reshape(3, 1, 5, 4) for each in pixels), *latents)
    said = f"Shaped (3, 20), some images give {flat:.4f}; shaped (3, 1, 5, 4), the same give {shaped:.4f}."
    expect(near(float(flat), float(shaped)), said, "loss-image-shape")


@holds("loss_function", "lets gradients through to the reconstructions, the means and the log-variances")
def loss_gradient() -> None:
    form, inputs = Form(), loss_inputs(usual_sizes()[0])[0]
    kept = [each.clone() for each in inputs]
    form(*inputs)
    expect(all(map(torch.equal, inputs, kept)), "After the call, your arguments hold other numbers.", "inputs-modified")
    found = gradients(form, inputs)
    expect(any(each is not None for each in found), "No gradient comes back through your loss.", "loss-detached")
    for place, name in ((0, "reconstructions"), (2, "means"), (3, "log-variances")):
        gradient = found[place] if found[place] is not None else torch.zeros_like(inputs[place])
        direction = gradient.sign() if gradient.any() else 2 * numbers(*gradient.shape) - 1
        slope = float(slope_along(form, inputs, place, direction))
        said = f"Your loss changes with the {name} otherwise than its gradient says."
        right = abs(float((gradient * direction).sum()) - slope) < 0.02 * max(abs(slope), 1)
        expect(right, said, "kl-detached" if place else "reconstruction-detached")


@holds("loss_function", "stays finite for pixels of exactly 0 and 1, as MNIST has them")
def loss_finite() -> None:
    # In float32 a sigmoid is exactly 0 from -89 on, and comes to 1 - 6e-8. At 0, clamped logarithms have no slope.
    form, count = Form(), usual_sizes()[0]
    for lowest, what in ((0.0, "loss"), (1e-38, "gradient")):
        pixels = torch.tensor([lowest, 1e-38, 0.5, 1 - 6e-8]).repeat_interleave(3).repeat(4, count // 12 + 1)[:, :count]
        originals = torch.tensor([0.0, 0.5, 1.0]).repeat(4, count // 3 + 1)[:, :count]
        arguments = pixels, originals, torch.ones(4, 3), torch.tensor([-30.0, 0.0, 20.0]).repeat(4, 1)
        found = [form(*arguments)] if what == "loss" else [each for each in gradients(form, arguments) if each is not None]
        said = f"For pixels of 0 and 1 and reconstructions from {lowest:g} to 1 - 6e-8, your {what} is not finite."
        expect(all(bool(torch.isfinite(each).all()) for each in found), said, "loss-not-finite")


def steps(images: int, pixels: int, latent: int) -> int:
    """How many lines of Python run for one loss: a loop runs some for each round."""
    count, before = itertools.count(), sys.gettrace()

    def step(*_):
        next(count)
        return step

    sys.settrace(step)
    try:
        loss(*(torch.full((images, size), 0.4) for size in (pixels, pixels, latent, latent)))
    finally:
        sys.settrace(before)
    return next(count)


@holds("loss_function", "has no loop over the minibatch")
def loss_vectorized() -> None:
    usual = {"images": 4, "pixels": usual_sizes()[0], "latent": 3}
    few = steps(**usual)
    for size, more in (("images", 64), ("latent", 64), ("pixels", 2 * usual["pixels"])):
        with suppress(RuntimeError, ValueError):  # of a size that it does not take, which is told above
            many = steps(**usual | {size: more})
            said = f"With {usual[size]} {size} your loss takes {few} steps of Python; with {more} it takes {many}."
            expect(many <= 1.2 * few + 20, said, "loop-over-batch" if size == "images" else "loop-over-elements")


# training -------------------------------------------------------------------------------------------------------


@functools.cache
def _failed(part: str, source: bytes) -> bool:
    return any(hint for _, hint, _ in outcomes(part))


def failed(part: str) -> bool:
    """Whether a check of the part does not hold for the module as it is saved now."""
    return _failed(part, _path().read_bytes())


@holds("training", "can learn from the weights that it starts with")
def training_start() -> None:
    model = build(own_weights=True)
    results = Pass(model, replaced=False).results
    torch.stack([each.sum() * factor for each, factor in zip(results, (0.9, 1.1, 1.3), strict=True)]).sum().backward()
    found = {name: each.grad for name, each in model.named_parameters() if each.grad is not None}
    expect(bool(found), "No gradient reaches any parameter.", "not-trainable")
    stuck = [name for name, each in found.items() if not each.any()]
    expect(not stuck, f"The gradient is zero for {', '.join(stuck[:4])}.", "stuck-start")


@holds("training", "learns ten patterns and draws the one it is asked for")
def training_patterns() -> None:
    for name in ("sample_latent", "loss_function"):
        if failed(name):
            raise NotYetError(f"training uses your `{name}`, so fix that first.")
    pixels, classes, _ = usual_sizes()
    latent = 2
    patterns = (torch.rand(classes, pixels) < 0.5).float()
    model = build(sizes=(pixels, classes, latent), own_weights=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(120):
        labels = torch.randint(classes, (64,))
        images = (patterns[labels] - (torch.rand(64, pixels) < 0.05).float()).abs()
        value = loss(*in_training(model(images, torch.eye(classes)[labels]), images))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    first, last = losses[0], sum(losses[-10:]) / 10
    expect(math.isfinite(last), "The loss became nan or infinite.", "not-finite")
    expect(last < first / 2, f"The loss only went from {first:.1f} to {last:.1f}. Do the checks above all pass?")
    labels = torch.arange(100) % classes
    with torch.no_grad():
        drawn = model.decoder(torch.cat((torch.randn(100, latent), torch.eye(classes)[labels]), -1)).flatten(1)
    right = (torch.cdist(drawn, patterns).argmin(1) == labels).float().mean()
    expect(right >= 0.8, f"Only {right:.0%} of the images drawn show the class asked for. Does the decoder see it?")


def in_training(results: Sequence[Tensor], images: Tensor) -> tuple[Tensor, ...]:
    return results[0], images, results[1], results[2]
