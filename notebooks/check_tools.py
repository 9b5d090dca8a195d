"""What public_checks.py is written with: read it if you like. The checks themselves are there.

From your file to a hint: `outcomes` runs the checks of a part on the module as it is saved, and `_explain` words what
they raise, with the hints of hints.json. That table also holds the numbers that right code and many mistakes give on
the fixed inputs and weights of the checks.
"""

import ast
import difflib
import functools
import html
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
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, suppress
from pathlib import Path

import torch
from torch import Tensor, nn

MODULE, CLASS = "cs5814_vae.py", "ConditionalVariationalAutoencoder"
# Where each part is written.
PLACES = {
    "encoder": (CLASS, "__init__"), "decoder": (CLASS, "__init__"), "sample_latent": ("sample_latent",),
    "forward": (CLASS, "forward"), "loss_function": ("loss_function",), "training": (CLASS,),
}  # fmt: skip
# The checks of each part, in the order of the notebook: (what holds, function that raises where it does not).
CHECKS: dict[str, list[tuple[str, Callable[[], None]]]] = {part: [] for part in PLACES}
SHOULD, SKIPPED = "the assignment asks for", "Skipped: "
_printed: dict[str, tuple[str, bytes]] = {}  # why a check did not hold, of which part and file first


class HintError(Exception):
    """Why a check did not hold: what was observed, and the names of the mistakes that explain it."""

    def __init__(self, message: str, *mistakes: str) -> None:
        super().__init__(message)
        self.mistakes = mistakes


class NotYetError(Exception):
    """What has to be right before a check can say anything."""


class ChecksFailedError(Exception):
    """Some checks of a part did not hold. Jupyter shows its first words, which fit one line of any window."""

    def _render_traceback_(self) -> list[str]:
        return [f"{str(self).partition(':')[0]}."]


def check(part: str) -> None:
    """Run the checks of one part and print the outcome; ChecksFailedError, at the end, unless all of them hold."""
    __tracebackhide__ = True
    if part not in CHECKS:
        raise ValueError(f"no part {part!r}: choose from {', '.join(CHECKS)}")
    lines, failed = [], 0
    if _path().exists():
        lines.append(
            f"{_path()}, saved on {time.strftime('%b %d at %H:%M:%S', time.localtime(_path().stat().st_mtime))}:"
        )
    # nbgrader gives no points to a test cell that writes to stderr, be it only a warning.
    with redirect_stderr(sys.stdout):
        for label, hint, _ in outcomes(part):
            failed += bool(hint)
            lines.append(f"{'–' if hint.startswith(SKIPPED) else '✗' if hint else '✓'} {label}")
            lines += _not_yet_said(hint, part, lines) if hint else []
    if failed:
        lines.append(f"Edit {MODULE}, save it, and run this check again.")
    show(lines)
    if failed:
        raise ChecksFailedError(f"{part} is not done yet.")
    print(f"All checks of {part} pass.")


def _not_yet_said(hint: str, part: str, lines: Sequence[str]) -> list[str]:
    """The paragraphs of a hint that are not among the lines already, or what to say in place of them."""
    source = _path().read_bytes() if _path().exists() else b""
    first, before = _printed.get(hint, (part, b""))
    if first != part and before == source and not hint.startswith(SKIPPED):
        return [f"    Same error as in `{first}`."]
    if not hasattr(_shell(), "kernel"):  # there, each part has a cell, and only this one may be run again
        _printed[hint] = part, source
    paragraphs = [f"    {each}" for each in hint.splitlines()]
    new = [each for each in paragraphs if each not in lines]
    titles = [each.strip().partition(". ")[0] for each in paragraphs if each not in new]
    return new if len(new) > 1 or not titles else [*new, f"    See above: {'; '.join(titles)}."]


def show(lines: Sequence[str]) -> None:
    """Print lines; in a notebook as HTML, because JupyterLab breaks printed lines within words."""
    shell = _shell()
    margins = [" " * (len(line) - len(line.lstrip())) for line in lines]
    whole = {"break_long_words": False, "break_on_hyphens": False}  # paths, above all
    plain = "\n".join(
        textwrap.fill(line, 90, subsequent_indent=margin, **whole) for line, margin in zip(lines, margins, strict=True)
    )
    if not hasattr(shell, "kernel"):
        print(plain)
        return
    marked = (re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(line.strip(), quote=False)) for line in lines)
    styles = (f"margin-left: {len(margin) / 2}em; overflow-wrap: anywhere" for margin in margins)
    rows = (f'<div style="{style}">{line or "<br>"}</div>' for style, line in zip(styles, marked, strict=True))
    sys.modules["IPython.display"].display({"text/plain": plain, "text/html": "".join(rows)}, raw=True)


def outcomes(part: str) -> Iterator[tuple[str, str, int | None]]:
    """What holds, or the hint why not and the line at which the code stopped, for each check of a part in turn."""
    told = set()
    with torch.random.fork_rng(devices=[]):
        for label, function in CHECKS[part]:
            torch.manual_seed(table()["seed"])
            try:
                with torch.enable_grad():  # whatever an earlier call has left behind
                    function()
            except (Exception, SystemExit) as error:
                hint, line = _explain(error, part)
                if hint not in told:
                    yield label, hint, line
                told.add(hint)
                if not isinstance(error, (HintError, NotYetError)):  # the code does not run: the rest would repeat it
                    return
            else:
                yield label, "", None


@functools.cache
def _failed(part: str, source: bytes) -> bool:
    return any(hint for _, hint, _ in outcomes(part))


def failed(part: str) -> bool:
    """Whether a check of the part does not hold for the module as it is saved now."""
    return _failed(part, _path().read_bytes())


# Your code ------------------------------------------------------------------------------------------------------

_loaded: dict[bytes, types.ModuleType] = {}


@functools.cache
def table() -> dict:
    """Sizes, the numbers that right code and many mistakes give, and the hints, by name."""
    return json.loads(Path(__file__).with_name("hints.json").read_text("utf-8"))


def _path() -> Path:
    """cs5814_vae.py: next to this file in the kit, one folder up in the course's repository."""
    here = Path(__file__).resolve().with_name(MODULE)
    return here if here.exists() else here.parents[1] / here.name


def submission() -> types.ModuleType:
    """The module as it is saved now, not as the notebook has imported it."""
    source = _path().read_bytes()
    if source not in _loaded:
        module = types.ModuleType("cs5814_vae")
        module.__file__ = str(_path())
        if b"\0" in source:
            raise SyntaxError(_about_null_bytes(source))
        arguments, sys.argv = sys.argv, [module.__file__]  # those of the notebook are none of the module's
        imported, sys.modules[module.__name__] = sys.modules.get(module.__name__), module  # dataclasses look here
        try:
            _run(compile(source, module.__file__, "exec"), vars(module))
        finally:
            sys.argv = arguments
            sys.modules.pop(module.__name__, None)
            if imported is not None:
                sys.modules[module.__name__] = imported
        _loaded.clear()
        _loaded[source] = module
    return _loaded[source]


def _run(code: types.CodeType, names: dict) -> None:
    """Run a module's code; where no notebook is, lines that need one do nothing."""
    inert = {} if _shell() else dict.fromkeys(OF_NOTEBOOKS, _InNotebook())
    try:
        exec(code, names)
    except NameError as error:
        if error.name not in inert:
            raise
        names.update(inert)
        exec(code, names)
    names.update(inert | names)  # for calls in functions


OF_NOTEBOOKS = ("get_ipython", "display", "__IPYTHON__")


class _InNotebook:
    """In place of these names in a terminal: any use of it works and has no effect."""

    def __call__(self, *_: object, **__: object) -> "_InNotebook":
        return self

    def __getattr__(self, name: str) -> "_InNotebook":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __iter__(self) -> Iterator:
        return iter(())

    def __bool__(self) -> bool:
        return False


def _about_null_bytes(source: bytes) -> str:
    """Why there are null bytes in a source: half of UTF-16 are, and three quarters of UTF-32."""
    share = source.count(b"\0") / len(source)
    if share > 0.3:
        return f"the file is saved as {'UTF-32' if share > 0.6 else 'UTF-16'}, and Python reads UTF-8"
    return f"line {source[: source.index(0)].count(10) + 1} has a null byte, which no source may have"


def _nodes(*kinds: type) -> list:
    """What the source holds of some kinds, in order."""
    with suppress(SyntaxError, ValueError):
        found = (node for node in ast.walk(ast.parse(_path().read_bytes())) if isinstance(node, kinds))
        return sorted(found, key=lambda node: node.lineno)
    return []


def _nearest(name: str, others: set[str], words: str) -> str:
    """`words` with the name among `others` that is most like `name`; nothing if none is."""
    plain = {other.lower().replace("_", ""): other for other in sorted(others) if not other.startswith("_")}
    found = difflib.get_close_matches(name.lower().replace("_", ""), plain, n=1, cutoff=0.55)
    return words.format(plain[found[0]]) if found else ""


def defined(name: str) -> Callable:
    """A function or class of the module."""
    found = getattr(submission(), name, None)
    if found is not None:
        return found
    inside = [node for owner in _nodes(ast.ClassDef) for node in owner.body if getattr(node, "name", "") == name]
    if inside:
        said = f"Your module does not define `{name}`; line {inside[0].lineno} defines it inside a class."
        raise HintError(said, "definition-in-class")
    others = {node.name for node in _nodes(ast.ClassDef if name == CLASS else ast.FunctionDef)}
    near_by = _nearest(name, others, "; it defines `{}`")
    raise HintError(f"Your module does not define `{name}`{near_by}.", "definition-missing")


def attribute(model: nn.Module, name: str) -> Callable:
    """A layer of the model that can be called."""
    found = getattr(model, name, None)
    if found is None:
        said = f"`self.{name}` is None" if hasattr(model, name) else f"Your model has no attribute `{name}`"
        near_by = _nearest(name, {*vars(model), *model._modules} - {*table()["interface"]}, "; there is `self.{}`")
        for node in _nodes(ast.Name):
            if node.id == name and isinstance(node.ctx, ast.Store):
                near_by = f"; line {node.lineno} makes a local variable `{name}`, without `self.`, which is lost"
        raise HintError(f"{said}{near_by}.", "attribute-none" if hasattr(model, name) else "attribute-missing")
    if not callable(found) or type(found) in (nn.ModuleList, nn.ModuleDict):  # which have no forward
        raise HintError(f"`self.{name}` is a {type(found).__name__}, so it cannot be called.", "not-callable")
    return found


def _explain(error: BaseException, part: str) -> tuple[str, int | None]:
    """What to say of an error, in paragraphs, and the line at which it stopped the code."""
    if isinstance(error, NotYetError):
        return f"{SKIPPED}{error}", None
    frames = _frames(error)
    line = frames[-1].lineno if frames else None
    mistakes: Sequence[str] = ()
    if isinstance(error, SyntaxError) and error.lineno:
        line, text = error.lineno, (error.text or "").strip()
        end = "" if error.msg[-1:] in ".?!" else "."
        message = f"{type(error).__name__} in line {line}, `{text}`: {error.msg}{end}"
        mistakes = ["notebook-command"] if text.startswith(("%", "!")) else _cause(error, True)
    elif isinstance(error, HintError):
        message, mistakes, line = str(error), error.mistakes, None
    elif isinstance(error, NotImplementedError) and frames and "raise" in (frames[-1].line or ""):
        message = f"Not written yet: line {line} still raises NotImplementedError. {error}"
        function = next(node for node in _nodes(ast.FunctionDef) if node.lineno < line <= node.end_lineno)
        if any(isinstance(each, (ast.Assign, ast.Return)) and each.lineno > line for each in function.body):
            message += " What you wrote below that line never runs: delete the line."
    else:
        statement = frames[-1].line or "" if frames else ""
        mistakes = _cause(error, bool(frames), statement)
        message = f"Your code stopped. {type(error).__name__}: {error}"
        lengths = re.search(r"mat1 and mat2 shapes cannot be multiplied \(\d+x(\d+) and (\d+)x", message)
        if lengths:
            message += f". Each row has {lengths[1]} numbers, and {lengths[2]} are needed."
        if frames and (frames[-1].line or "").startswith("raise") and not isinstance(error, SystemExit):
            mistakes = []  # your own code says why
        if frames and frames[0].name == "<module>" and not re.match(r"import|from|class|def|@", frames[0].line or ""):
            message += f"; line {frames[0].lineno} runs when your file is imported. Code that only tries out your "
            message += 'functions belongs in the notebook, or under `if __name__ == "__main__"`.'
    commas = [str(node.end_lineno) for node in _nodes(ast.Assign, ast.Return) if _ends_with_comma(node.value)]
    if commas and re.search(r"\btuple\b(?! of (?!one\b))|multiply sequence", message):
        lines = f"Line {commas[0]} ends" if len(commas) == 1 else f"Lines {', '.join(commas)} end"
        message, mistakes = f"{message} {lines} with a comma.", ["trailing-comma"]
    strays = [node.lineno for node in _nodes(ast.FunctionDef) if node.name == "forward" and not node.col_offset]
    if mistakes == ["forward-missing"] and strays:
        message, mistakes = f"{message} Line {strays[-1]} defines `forward` outside of it.", ["method-outside-class"]
    cause = "forward" if message.startswith("Your `forward`") else part
    said = "" if re.search(r"\blines? \d", message) else f"line {line}" if line else _beginning_of(cause)
    where = ", ".join(filter(None, (MODULE, said)))
    if part in ("encoder", "decoder", "forward") and "input_dim=" not in message and isinstance(error, HintError):
        where += "; with input_dim={}, num_categories={}, latent_dimensionality={}".format(*usual_sizes())
    hints = (table()["hints"][name] for name in dict.fromkeys(mistakes))
    return "\n".join((f"{message} ({where})", *(f"{title}. {text}" for title, text in hints))), line


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    """The lines of your file that an error came through; the last one stopped."""
    return [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(_path())]


def said_of_error(error: Exception) -> str:
    """What stopped your code within a check, and at which line."""
    if isinstance(error, HintError):
        return str(error)
    lines = [f" (line {frame.lineno}: `{frame.line}`)" for frame in _frames(error)[-1:]]
    return f"{type(error).__name__}: {error}{''.join(lines)}"


def _ends_with_comma(value: ast.expr | None) -> bool:
    """Whether a value is a tuple of one element without parentheses."""
    only = value.elts[0] if isinstance(value, ast.Tuple) and len(value.elts) == 1 else None
    return only is not None and (value.lineno, value.col_offset) == (only.lineno, only.col_offset)


def _beginning_of(part: str) -> str:
    """Which function or method a part is, or else its class, and the line in which it begins; empty for neither."""
    found = [node for name in PLACES[part] for node in _nodes(ast.ClassDef, ast.FunctionDef) if node.name == name]
    return f"`{found[-1].name}` from line {found[-1].lineno}" if found else ""


def said_of_loops() -> str:
    """In which lines there are loops outside of the model, as a sentence."""
    models = [node for node in _nodes(ast.ClassDef) if node.name == CLASS]
    loops = _nodes(ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    outside = [each for each in loops if not any(node.lineno <= each.lineno <= node.end_lineno for node in models)]
    lines = [str(line) for line in dict.fromkeys(each.lineno for each in outside)][:5]
    which = lines[0] if len(lines) == 1 else f"{', '.join(lines[:-1])} and {lines[-1]}" if lines else ""
    return f" There {'is a loop in line' if len(lines) == 1 else 'are loops in lines'} {which}." if lines else ""


def _cause(error: BaseException, inside: bool, statement: str = "") -> list[str]:
    """The mistake behind an error of Python's or PyTorch's, raised `inside` the module or by the call of it."""
    said = f"{type(error).__name__}: {error}"
    called = re.match(r"(?:\w+\.)?(\w+)\(\) (?:takes|missing|got)", str(error))
    if isinstance(error, TypeError) and not inside and called:
        functions = [node for node in _nodes(ast.FunctionDef) if node.name == called[1]]
        first = functions[0].args.args[0].arg if functions and functions[0].args.args else ""
        if called[1] in ("__init__", "forward"):
            return ["self-missing" if functions and first != "self" else "wrong-parameters"]
        return ["self-superfluous" if first == "self" else "wrong-parameters"]
    if f'[{CLASS}] is missing the required "forward"' in said:
        return ["forward-missing"]
    found = [name for pattern, name in table()["errors"] if re.search(pattern, said)][:1]
    closer = [other for name, pattern, other in table()["closer"] if name in found and re.search(pattern, statement)]
    return closer[:1] or found


def _shell():
    """IPython's shell, if there is one."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def _follow_edits(shell) -> None:
    """In a notebook: take over each edit. Where one does not run, say why at the first use instead of using the old."""
    used = {"source": _path().read_bytes() if _path().exists() else b""}

    def take_over(*_: object) -> None:
        module, source = sys.modules.get("cs5814_vae"), _path().read_bytes() if _path().exists() else b""
        if module is None or source == used["source"]:
            return
        used["source"] = source
        try:
            exec(compile(source, str(_path()), "exec"), module.__dict__)
        except (Exception, SystemExit) as error:
            said, _ = _explain(error, "training")
            for name in (CLASS, "sample_latent", "loss_function"):
                setattr(module, name, functools.partial(refuse, said))

    def refuse(said: str, *_: object, **__: object) -> None:
        show([f"Your last edit of {MODULE} does not run.", *(f"    {line}" for line in said.splitlines())])
        raise ChecksFailedError(f"{MODULE} does not run: fix it and save it.")

    if "aimport" in shell.magics_manager.magics["line"]:
        shell.run_line_magic("aimport", "-cs5814_vae")
    shell.events.register("pre_run_cell", take_over)


if _shell() is not None:
    _follow_edits(_shell())


# Tools of the checks --------------------------------------------------------------------------------------------


def holds(part: str, label: str) -> Callable:
    """Register a check of `part`."""

    def register(function: Callable[[], None]) -> Callable[[], None]:
        CHECKS[part] = [each for each in CHECKS[part] if each[0] != label] + [(label, function)]
        return function

    return register


def expect(condition: bool | Tensor, message: str, *mistakes: str) -> None:
    if not condition:
        raise HintError(message, *mistakes)


def tensor_of(value: object, shape: tuple[int, ...], name: str, width: str = "wrong-shape") -> Tensor:
    """`value`, which must be a tensor of this shape; `width` is the mistake in rows of another width."""
    expect(value is not None, f"{name} is None.", "nothing-returned")
    several = isinstance(value, (tuple, list, dict))
    named = "collection-returned" if name.startswith("The result of ") else "wrong-number-of-results"
    expect(not several, f"{name} is a {type(value).__name__}, not one tensor.", named)
    expect(isinstance(value, Tensor), f"{name} is a {type(value).__name__}, not a tensor.", "no-tensor-returned")
    rows = value.dim() == len(shape) and value.shape[:-1] == shape[:-1]
    said = f"{name} has shape {tuple(value.shape)}; it should have {shape}."
    expect(value.shape == shape, said, width if rows else "wrong-shape")
    expect(value.isfinite().all(), f"{name} holds nan or infinity.", "not-finite")
    return value


def near(value: float | None, expected: float | None, tolerance: float = 2e-4) -> bool:
    """Whether two numbers agree. None is one that is not finite."""
    if value is None or expected is None:
        return value is expected
    return math.isclose(value, expected, rel_tol=tolerance, abs_tol=tolerance / 100)


def close(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool((one - other).abs().max() <= 1e-4 * (1 + other.abs().max()))


def expect_untouched(name: str, function: Callable, given: Sequence[Tensor], kept: Sequence[Tensor]) -> None:
    """Expect that a function has not written into its arguments, of which copies were kept when they were new."""
    names: list[str] = []
    with suppress(TypeError, ValueError):
        names += inspect.signature(function).parameters
    changed = [
        f"`{names[at]}`" if at < len(names) else f"number {at + 1}"
        for at, (each, copy) in enumerate(zip(given, kept, strict=True))
        if each._version or not torch.equal(each, copy)
    ]
    said = f"Your `{name}` changes its argument{'s' * (len(changed) > 1)} {' and '.join(changed)}."
    expect(not changed, said, "inputs-modified")


def numbers(*shape: int) -> Tensor:
    """Numbers from 0 to 1, the same at each call and for a matrix and its transpose, and others for other shapes."""
    sizes = sorted(size for size in shape if size > 1)
    generator = torch.Generator().manual_seed(sum(size * 4099**index for index, size in enumerate(sizes)))
    drawn = torch.rand(sizes, generator=generator)
    if len(sizes) == 2 and sizes[0] == sizes[1]:
        drawn = (drawn + drawn.T) / 2
    return (drawn if [size for size in shape if size > 1] == sizes else drawn.T).reshape(shape)


def shortened(values: Iterable[float]) -> list[float]:
    """Numbers with six digits: those that all processors agree on. What rounding left of a 0 is 0."""
    return [0.0 if abs(value) < 1e-12 else float(f"{value:.6g}") for value in values]


def summary(*tensors: Tensor) -> list[float]:
    """The average and the spread of each tensor: few numbers that tell one network from another."""
    return shortened(value.item() for each in tensors for value in (each.double().mean(), each.double().std()))


def at_both_scales(output: Tensor) -> list[float]:
    """The summary of what came of the small inputs of `given_to`, then of the large ones."""
    return summary(output[::2], output[1::2])


def look_up(rows: list, observed: list[float]) -> tuple[list[str], str] | None:
    """The mistakes that give these numbers and what to say of them; none for right code; None for unknown numbers."""
    found = ((mistakes, said) for values, mistakes, said in rows if all(map(near, observed, values)))
    return next(found, None)


def seeded(run: Callable[..., Tensor], arguments: Sequence[Tensor]) -> Tensor:
    """The result of a call whose noise is the same each time."""
    torch.manual_seed(table()["seed"])
    return run(*arguments)


def gradients(run: Callable[..., Tensor], arguments: Sequence[Tensor]) -> list[Tensor | None]:
    """Of the sum of the result, with respect to each argument."""
    leaves = [each.clone().requires_grad_() for each in arguments]
    return gradients_of(seeded(run, leaves), leaves)


def gradients_of(result: Tensor, leaves: list[Tensor]) -> list[Tensor | None]:
    """Of the sum of a result, by `backward` as in training: some checkpoints refuse `torch.autograd.grad`."""
    if not result.requires_grad:
        return [None] * len(leaves)
    for each in leaves:
        each.grad = None
        each.retain_grad()
    result.sum().backward(retain_graph=True)
    found = [each.grad for each in leaves]
    for each in leaves:
        each.grad = None
    return found


def slope_along(run: Callable[..., Tensor], arguments: Sequence[Tensor], place: int, direction: Tensor) -> Tensor:
    """How fast the result changes when one argument goes in a direction, from one small step each way."""
    ahead, behind = (
        seeded(
            run, [each + (at == place) * step * direction if at == place else each for at, each in enumerate(arguments)]
        )
        for step in (0.02, -0.02)
    )
    return (ahead - behind) / 0.04


# The network ----------------------------------------------------------------------------------------------------

ROWS = 6  # images in the checks' minibatch
ODD_SIZES = (20, 4, 7)  # so that sizes written into the code come to light; the other checks use the usual ones
HEADS = ("mean_layer", "logvariance_layer")
DEPTHS = {"encoder": 3, "decoder": 4}
Sizes = tuple[int, int, int]


def usual_sizes() -> Sizes:
    """Pixels, categories, latent dimensions."""
    return tuple(table()["sizes"].values())[:3]


def planted(shape: Sequence[int]) -> Tensor:
    """What the checks write into a parameter of this shape."""
    matrix = len([size for size in shape if size > 1]) == 2
    return (6 / math.prod(shape) ** 0.25 if matrix else 1.0) * (numbers(*shape) - 0.5)


def plant(model: nn.Module, sizes: Sizes) -> None:
    """Write the checks' numbers into a network: the same into the same layer, in any layout.

    A layer may be one of a stack, hold its bias in its last row or column, be cut in two for the two parts of its
    input, or be both heads, one after the other.
    """
    latent, named = sizes[2], dict(model.named_parameters())
    *inputs, hidden = layer_inputs(sizes)
    stacked = [each.shape for each in named.values() if each.dim() == 3 and 1 not in each.shape]
    means, logvariances = ({id(each) for each in own_parameters(model, name)} for name in HEADS)
    for name, each in named.items():
        shape = tuple(each.shape)
        rows, part = shape[0] if shape else 1, name.partition(".")[0]
        siblings = [tuple(other.shape) for key, other in named.items() if key.partition(".")[0] == part]
        halves = [
            (along, other)
            for along, other in itertools.product((1, 0), siblings)
            if len(shape) == len(other) == 2 and other[1 - along] == shape[1 - along] and other != shape
            if shape[along] + other[along] in inputs and shape[along] not in inputs
        ]
        if len(shape) > 1 and any(rows == each[0] and shape[-1] in each[1:] for each in stacked):
            values = planted(shape[1:]).repeat(rows, *[1] * (len(shape) - 1)).reshape(shape)
            values[1:] *= -0.5 if rows == 2 and latent in shape[1:] else 1
        elif bias_inside(model, shape, sizes):
            values = with_bias(shape, sizes)
        elif halves:
            along, other = halves[0]
            whole = planted((shape[0] + other[0], shape[1]) if along == 0 else (rows, shape[1] + other[1]))
            start = 0 if siblings.index(shape) < siblings.index(other) else other[along]
            values = whole.narrow(along, start, shape[along])
        elif rows == 2 * latent and shape in ((rows, hidden), (rows,)):
            half = planted((latent, *shape[1:]))
            values = torch.cat((half, -0.5 * half))
        else:
            values = planted(shape)
        apart = name.startswith("logvariance_layer") or (id(each) in logvariances - means)
        each.data.copy_(values * (-0.5 if apart else 1))


def own_parameters(model: nn.Module, name: str) -> list[Tensor]:
    """The parameters of a layer under this name, if it is one."""
    piece = getattr(model, name, None)
    return [*piece.parameters()] if isinstance(piece, nn.Module) else []


def layer_inputs(sizes: Sizes) -> tuple[int, int, int]:
    """How many numbers go into the encoder, into the decoder, and into every later layer."""
    pixels, categories, latent = sizes
    return pixels + categories, latent + categories, table()["sizes"]["hidden_size"]


def bias_inside(model: nn.Module, shape: Sequence[int], sizes: Sizes) -> bool:
    """Whether a matrix has its layer's bias as its last row or column, in a network that has biases nowhere else."""
    alone = all(len(each.shape) == 2 and 1 not in each.shape for each in model.parameters())
    return alone and any(size - 1 in layer_inputs(sizes) for size in shape)


def with_bias(shape: Sequence[int], sizes: Sizes) -> Tensor:
    """What the checks write into a matrix that has the bias as its last row or column."""
    columns = shape[1] - 1 in layer_inputs(sizes)
    outputs, taken = shape if columns else shape[::-1]
    whole = torch.cat((planted((outputs, taken - 1)), planted((outputs,))[:, None]), 1)
    return whole if columns else whole.T


def build(*needs: str, sizes: Sizes | None = None, own_weights: bool = False, unfinished: bool = False) -> nn.Module:
    """Your network with the checks' numbers in it; where it `needs` only some layers, others may be unwritten.

    With `unfinished`, your constructor may stop anywhere: the error is then kept as the network's `stopped`.
    """
    cls, sizes = defined(CLASS), sizes or usual_sizes()
    is_module = isinstance(cls, type) and issubclass(cls, nn.Module)
    expect(is_module, f"`{CLASS}` is no subclass of nn.Module.", "not-a-module")
    model, names = cls.__new__(cls), ("num_categories", "latent_dimensionality")
    misnamed = stopped = None
    try:
        try:
            cls.__init__(model, sizes[0], **dict(zip(names, sizes[1:], strict=True)))
        except TypeError as error:
            if not re.search(rf"unexpected keyword argument '({'|'.join(names)})'", str(error)):
                raise
            misnamed = error
            cls.__init__(model, *sizes)
    except Exception as error:  # what was built before is judged all the same
        lacks = not needs or any(getattr(model, name, None) is None for name in needs)
        if "_modules" not in vars(model) or (lacks and not unfinished):
            raise
        stopped = error
    model.misnamed, model.stopped, model.unfit = misnamed, stopped, with_methods_of_torch(model)
    model.lazy = [name for name, each in model.named_parameters() if isinstance(each, nn.UninitializedParameter)]
    if model.lazy:  # they take their size from a first pass
        with suppress(Exception):
            model(*images_and_classes(sizes))
    if not own_weights:
        plant(model, sizes)
    return model


METHODS = ("to", "train", "eval", "children", "named_children", "modules", "named_modules", "__eq__", "__hash__")
METHODS += ("parameters", "named_parameters", "zero_grad")


def with_methods_of_torch(model: nn.Module) -> HintError | None:
    """Why a method that the notebook calls to train does not work: that costs the training. Then PyTorch's replace it.

    So the other checks can still judge the layers.
    """
    try:
        for name, *given in (("to", torch.device("cpu")), ("parameters",), ("train",), ("eval",)):
            answer = getattr(model, name)(*given)
            if name == "to" and not isinstance(answer, nn.Module):
                raise TypeError(f"it returned {type(answer).__name__}, not the model")
            if name == "parameters":
                list(answer)
        model.train()
    except Exception as error:
        said = f"`model.{name}()`, which the notebook calls, does not work: {type(error).__name__}: {error}."
        for each in METHODS:
            vars(model).pop(each, None)
        own = type(model)
        model.__class__ = type(own.__name__, (own,), {each: getattr(nn.Module, each) for each in METHODS})
        return HintError(said, "hash-lost" if "unhashable type" in said else "method-replaced")
    return None


def classes_of(count: int, categories: int) -> Tensor:
    """(count, categories) one-hot classes, in turn."""
    return torch.eye(categories)[torch.arange(count) % categories]


def images_and_classes(sizes: Sizes | None = None) -> tuple[Tensor, Tensor]:
    pixels, categories, _ = sizes or usual_sizes()
    return numbers(ROWS, pixels), classes_of(ROWS, categories)


def given_to(name: str, sizes: Sizes | None = None) -> tuple[Tensor, Tensor]:
    """What the encoder or the decoder is given: half of it so large that an activation with an upper limit shows."""
    pixels, categories, latent = sizes or usual_sizes()
    data = numbers(ROWS, pixels) if name == "encoder" else 4 * numbers(ROWS, latent) - 2
    scale = torch.tensor([1.0, 500.0]).repeat(ROWS // 2)
    return scale[:, None] * data, classes_of(ROWS, categories)


def given_to_heads() -> Tensor:
    """What the heads are given: half of it larger, so that a bound on what they give shows."""
    scale = torch.tensor([1.0, 4.0]).repeat(ROWS // 2)
    return scale[:, None] * (4 * numbers(ROWS, table()["sizes"]["hidden_size"]) - 2)


def run_piece(model: nn.Module, name: str, sizes: Sizes | None = None) -> object:
    """What the encoder or the decoder makes of [data | one-hot classes]."""
    piece = attribute(model, name)
    data, classes = given_to(name, sizes)
    try:
        return piece(torch.cat((data, classes), -1))
    except Exception:
        asked = data.shape[-1] + classes.shape[-1]
        widths = {size for key, each in model.named_parameters() if key.startswith(f"{name}.") for size in each.shape}
        others = [((data, classes), "two arguments", "two-arguments"), ((data,), "no class", "without-condition")]
        others += [((numbers(ROWS, width),), f"{width} numbers", "input-width") for width in sorted(widths)]
        for arguments, takes, mistake in others:
            try:
                piece(*arguments)
            except Exception:
                continue
            said = f"Your {name} takes {takes}; it must take one tensor, {asked} numbers wide."
            if mistake == "input-width":
                said = f"Your {name} takes {takes} for each image; it must take {asked}."
            raise HintError(said, f"{name}-{mistake}") from None
        raise


def expect_one_row(model: nn.Module, name: str, rows: Tensor, width: int) -> None:
    """Expect a layer that gives so many numbers for each of several rows to do so for a single row."""
    mistake = f"{'decoder' if name == 'decoder' else 'encoder'}-of-one-row"
    try:
        shape = tuple(attribute(model, name)(rows[:1]).shape)
    except Exception as error:
        raise HintError(f"`{name}` stops on a single row. {said_of_error(error)}", mistake) from None
    said = f"For a single row, the output of `{name}` has shape {shape}; it should have {(1, width)}."
    expect(shape == (1, width), said, mistake)


def behind(model: nn.Module, output: Tensor) -> dict[str, Tensor]:
    """The parameters that an output depends on."""
    named = {name: each for name, each in model.named_parameters() if each.requires_grad}
    found = gradients_of(output, [*named.values()])
    return {name: each for (name, each), gradient in zip(named.items(), found, strict=True) if gradient is not None}


def rows_apart(outputs: Sequence[Tensor], parameter: Tensor) -> bool:
    """Whether no two outputs depend on the same rows of a parameter, as those of two halves of one layer do not."""
    found = [gradients_of(each, [parameter])[0] for each in outputs]
    rows = [each.reshape(len(each), -1).ne(0).any(1) for each in found]
    return not torch.stack(rows).all(0).any()


def matrices(parameters: dict[str, Tensor]) -> list[list[int]]:
    shapes = [tuple(each.shape[:2] if set(each.shape[2:]) == {1} else each.shape) for each in parameters.values()]
    found = [shape for shape in shapes if len(shape) == 2] + [
        shape[1:] for shape in shapes if len(shape) == 3 for _ in range(shape[0])
    ]
    return sorted(sorted(shape) for shape in found if 1 not in shape)


def unexpected(model: nn.Module, part: str) -> tuple[str, str] | None:
    """What of PyTorch's stands in a part of the network and is not asked for: the mistake, and its kinds."""
    known = (nn.Linear, nn.ReLU, nn.Sigmoid, nn.Sequential, nn.ModuleList, nn.Identity, nn.Flatten, nn.Unflatten)
    piece = getattr(model, part, None)
    inside = [each for each in piece.modules() if not isinstance(each, known)] if isinstance(piece, nn.Module) else []
    kinds = {type(each) for each in inside if type(each).__module__.startswith("torch.nn")}
    activations = all(kind.__module__ == nn.ReLU.__module__ for kind in kinds)
    named = ", ".join(sorted(kind.__name__ for kind in kinds))
    return (f"{part}-{'activation' if activations else 'normalisation'}", named) if kinds else None


def judge_layers(
    model: nn.Module,
    part: str,
    known: tuple[list[str], str] | None,
    parameters: dict[str, Tensor],
    ends: tuple[int, int],
) -> None:
    """Expect linear layers from and to so many numbers, a ReLU after each hidden one, and nothing else."""
    hidden, depth, found = table()["sizes"]["hidden_size"], DEPTHS[part], matrices(parameters)
    expect(
        bool(parameters), f"The output of your {part} depends on no layer that training can change.", "not-trainable"
    )
    another = {id(each) for each in build(own_weights=True, unfinished=True).parameters()}
    said = f"Two models that you build have layers of the {part} in common."
    expect(not any(id(each) in another for each in parameters.values()), said, "layers-kept")
    classes = usual_sizes()[1]
    apart = [sorted((each, hidden)) in found for each in (ends[0] - classes, classes, ends[0])]
    said = f"One linear layer of your {part} takes {ends[0] - classes} numbers, and another one takes {classes}."
    expect(known is not None or apart != [True, True, False], said, f"{part}-input-apart")
    if known != ([], ""):
        said = f"Your {part} has {len(found)} linear layer{'s' * (len(found) != 1)}; {SHOULD} {depth}."
        expect(len(found) == depth, said, f"{part}-depth")
        again = [each for each in found if hidden + classes in each and ends[0] not in each]
        said = f"A layer of your {part} after the first takes {hidden + classes} = {hidden} + {classes} numbers."
        expect(not again, said, f"{part}-class-again")
        asked = sorted(map(sorted, ((ends[0], hidden), *[(hidden, hidden)] * (depth - 2), (hidden, ends[1]))))
        shown = ", ".join(f"{b} → {a}" for a, b in (each.shape for each in parameters.values() if each.dim() == 2))
        expect(
            found == asked, f"The layers of your {part} have sizes {shown}; {SHOULD} width {hidden}.", f"{part}-width"
        )
        biases = [each for each in parameters.values() if each.numel() in (hidden, ends[1])]
        expect(len(biases) >= depth, f"A linear layer of your {part} has no bias.", f"{part}-bias")
    extra, changing = unexpected(model, part), False
    named = f": it holds {extra[1]}" if extra else ""
    with suppress(HintError):  # of a list of layers, which is told above
        plain, first, second = (run_piece(each(), part) for each in (model.eval, model.train, model.train))
        changing = isinstance(plain, Tensor) and not (close(first, second) and close(first, plain))
    expect(not changing, f"Your {part} gives changing outputs for one input{named}.", f"{part}-normalisation")
    if known is None or len(found) < depth:  # the same layer twice gives the right numbers too
        said = f"Something other than linear layers and ReLU acts in your {part}{named}."
        if extra:
            raise HintError(said, extra[0])
        raise HintError(f"Your {part} does not act like {depth} linear layers with ReLUs.", f"{part}-other")
    expect(not known[0], known[1], *known[0])


def expect_sizes(part: str, run: Callable[[Sizes], object]) -> None:
    """Expect a part of the network to follow the arguments of the constructor."""
    run(usual_sizes())  # what is wrong with these is told above
    try:
        run(ODD_SIZES)
    except Exception as error:
        mistake = f"{part}-sizes-hard-coded"
        with suppress(Exception):
            run((25, *ODD_SIZES[1:]))
            mistake = "square-images-assumed"
        sizes = "input_dim={}, num_categories={}, latent_dimensionality={}".format(*ODD_SIZES)
        raise HintError(f"With {sizes}, your {part} does not work. {said_of_error(error)}", mistake) from None


class Pass:
    """One pass of forward, with stand-ins for sample_latent and for the layers that are `replaced`.

    A stand-in gives made-up numbers, so that what is seen does not depend on how right the piece is that it replaces.
    What each was given and gave is kept, with a factor in it that shows where a gradient gets to: 1, or as in `scaled`.
    """

    def __init__(
        self,
        model: nn.Module,
        replaced: Sequence[str] = ("encoder", *HEADS, "decoder"),
        fresh_draws: bool = False,
        sizes: Sizes | None = None,
        rows: int = ROWS,
        first: int = 0,
        scaled: Mapping[str, float] | None = None,
        noisy: bool = False,
        same: bool = False,
    ) -> None:
        self.inputs = tuple(each.roll(-first, 0)[:rows] for each in images_and_classes(sizes))
        if same:  # image and class in all rows
            self.inputs = tuple(each[:1].repeat(len(each), 1) for each in self.inputs)
        self.scaled, self.noisy, self.fresh_draws = scaled or {}, noisy, fresh_draws
        for name in replaced:
            object.__setattr__(model, name, self._stand_in(name, functools.partial(layer, name)))
        names, original = vars(submission()), getattr(submission(), "sample_latent", None)
        try:
            try:
                returned = self._run(model, original, as_own=False)
            except Exception as error:
                try:
                    returned = self._run(model, original, as_own=True)
                except Exception:
                    raise error from None
            decoded = self.gave.get("decoder")
            if decoded is None and "decoder" not in replaced:
                with suppress(Exception):
                    decoded = run_piece(model, "decoder", sizes)
            self.results = three_results(returned, decoded, len(self.inputs[0]), sizes)
        finally:
            names["sample_latent"] = original
            if original is None:
                del names["sample_latent"]

    def _run(self, model: nn.Module, original: Callable | None, as_own: bool) -> object:
        """What forward returns where the draw that it gets is one tensor, or packed `as_own` draws of the file are."""
        self.decoded, self.drawn, self.calls = [], [], Counter[str]()
        self.given: dict[str, list[Tensor]] = {}
        self.gave: dict[str, Tensor] = {}
        self.factors: dict[str, Tensor] = {}
        stand_in = self._stand_in("sample_latent", known_draw, original, as_own)
        vars(submission())["sample_latent"] = stand_in
        return model(*self.inputs)

    def _stand_in(
        self, name: str, function: Callable[..., Tensor], original: Callable | None = None, as_own: bool = False
    ) -> Callable:
        def stand_in(*given: Tensor, **named: Tensor) -> object:
            if named and original:
                given = tuple(inspect.signature(original).bind(*given, **named).arguments.values())
            self.given[name] = list(given)
            self.calls[name] += 1
            another = self.calls[name] - 1 if self.fresh_draws and name == "sample_latent" else 0
            start = torch.full((), self.scaled.get(name, 1.0), requires_grad=True)
            factor = self.factors.setdefault(name, start)
            self.gave[name] = factor * function(*given) + 0.5 * another**2  # no draw is the average of others
            if self.noisy and name == "sample_latent":
                self.gave[name] = self.gave[name] + torch.empty_like(self.gave[name]).normal_()
            self.decoded += [self.gave[name]] if name == "decoder" else []
            self.drawn += [self.gave[name]] if name == "sample_latent" else []
            with suppress(Exception):  # what is wrong with it is told elsewhere
                return packed_as(original(*given), self.gave[name]) if original and as_own else self.gave[name]
            return self.gave[name]

        return stand_in


def packed_as(own: object, latents: Tensor) -> object:
    """The latents as the file's `own` draw comes: in a tuple with the rest of it, or in its shape."""
    if isinstance(own, tuple):
        return (latents, *own[1:])
    turned = [each for each in own.shape if each > 1] == [*latents.T.shape]
    return (latents.T if turned else latents).reshape(own.shape)


def layer(name: str, *given: Tensor) -> Tensor:
    """What stands in for a layer of the network: some matrix, another one for each layer."""
    pixels, _, latent = usual_sizes()
    width = {"encoder": table()["sizes"]["hidden_size"], "decoder": pixels}.get(name, latent)
    data, factor = torch.cat(given, -1), {"logvariance_layer": -0.5, "decoder": 0.05}.get(name, 1)
    return factor * (data @ (numbers(data.shape[-1], width + 1)[:, 1:] - 0.5)) + 0.5 * (name == "decoder")


def known_draw(means: Tensor, logvariances: Tensor, *_: object) -> Tensor:
    """What stands in for sample_latent: some mixture."""
    return means + 0.3 * logvariances + 4 * numbers(*means.shape) - 2


def three_results(returned: object, decoded: object, rows: int, sizes: Sizes | None = None) -> list[Tensor]:
    """What forward returned for so many rows; the reconstruction may have the shape that the decoder gave."""
    pixels, _, latent = sizes or usual_sizes()
    asked = [(rows, size) for size in (pixels, latent, latent)]
    expect(returned is not None, "Your `forward` returned None.", "nothing-returned")
    count = f" of {len(returned)} values" if isinstance(returned, (tuple, list, dict)) else ""
    said = f"Your `forward` returned a {type(returned).__name__}{count}; {SHOULD} three tensors."
    expect(isinstance(returned, (tuple, list)) and len(returned) == 3, said, "wrong-number-of-results")
    image, shapes = returned[0], [tuple(getattr(each, "shape", ())) for each in returned]
    swapped = shapes != asked and sorted(shapes) == sorted(asked)
    expect(not swapped, f"Your `forward` returns shapes {shapes}; they should be {asked}.", "outputs-swapped")
    if isinstance(image, Tensor) and image.numel() == rows * pixels and shapes[0] != asked[0]:
        said = f"Your reconstruction has shape {shapes[0]}; it should have {asked[0]}."
        expect(isinstance(decoded, Tensor) and decoded.shape == image.shape, said, "reconstruction-shape")
        image = image.reshape(asked[0])
    names = ("Your reconstruction", "Your tensor of means", "Your tensor of log-variances")
    return [tensor_of(*each) for each in zip((image, *returned[1:]), asked, names, strict=True)]


# Draws ------------------------------------------------------------------------------------------------------------

# What many draws are asked for with, column by column.
MEANS, LOGVARIANCES = (2.0, -3.0, 1.5, -2.0, 3.0, -1.5), (-3.0, -1.0, -0.5, 0.5, 1.0, 2.0)


def centers_and_spreads(draws: Tensor) -> list[list[float]]:
    """The average and the standard deviation of each column of (N, D) draws."""
    found = (draws.double().mean(0), draws.double().std(0))
    return [shortened(each.tolist()) for each in found]


# The loss ---------------------------------------------------------------------------------------------------------


def loss(*arguments: Tensor) -> Tensor:
    value = defined("loss_function")(*(each.clone() for each in arguments))
    if isinstance(value, Tensor) and value.numel() == 1:
        return value.reshape(())
    if isinstance(value, Tensor):
        named = "loss-per-image" if value.numel() == len(arguments[2]) > 1 else "loss-not-scalar"
        raise HintError(f"Your loss has shape {tuple(value.shape)}; {SHOULD} a single number.", named)
    return tensor_of(value, (), "The result of your `loss_function`")


def usual_loss(*arguments: Tensor) -> Tensor:
    """The loss of flat images, or of the same as (N, 1, 28, 28) where only this works, which has a check of its own."""
    try:
        return loss(*arguments)
    except HintError:
        raise
    except Exception:
        side = math.isqrt(arguments[0].shape[-1])
        with suppress(Exception):
            return loss(*(each.reshape(-1, 1, side, side) for each in arguments[:2]), *arguments[2:])
        raise


def loss_inputs(pixels: int) -> list[tuple[Tensor, ...]]:
    """Reconstructions, originals, means and log-variances: one image, three, and three with positive log-variances."""
    inputs = []
    for images, latent, lowest in ((1, 20, -2.0), (3, 30, -2.0), (3, 25, 0.2)):
        pictures = [0.05 + 0.9 * numbers(images, pixels + at)[:, at:].reshape(images, pixels) for at in (0, 1)]
        means, logvariances = (numbers(images, latent + at)[:, at:] for at in (0, 1))
        inputs.append((*pictures, 10 * means - 5, lowest + (2 - lowest) * logvariances))
    return inputs


def changes(inputs: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
    """The arguments with other reconstructions, twice; with other means; and with other log-variances, twice."""
    pixels, originals, *latents = inputs
    reconstructions = (0.8 * originals + 0.2 * pixels, 0.5 + 0.2 * pixels)
    parameters = ((0.2, 1, 0), (1, 1, 1), (1, 0.3, 0.1))
    return [
        *((each, originals, *latents) for each in reconstructions),
        *((pixels, originals, a * latents[0], b * latents[1] + c) for a, b, c in parameters),
    ]


def extremes(inputs: tuple[Tensor, ...]) -> list[tuple[tuple[Tensor, ...], tuple[Tensor, ...]]]:
    """Pairs of arguments, each far from where they usually are, and there.

    With good reconstructions for pixels of 0 and 1; with white pixels reconstructed as nearly black, and black ones as
    nearly white; with log-variances far from 0, twice; and with such means, twice.
    """
    pixels, originals, means, logvariances = inputs
    edges, zeros, base = originals.round(), 0 * means, (pixels, originals, 0 * means, 0 * logvariances)
    return [
        ((pixels, edges, means, logvariances), (0.1 + 0.8 * edges, edges, means, logvariances)),
        *(
            tuple((0 * pixels + each, 0 * originals + color, means, logvariances) for each in (reached, 0.5))
            for color, reached in ((1, 0.0005), (0, 0.9995))
        ),
        *(((pixels, originals, zeros, 0 * logvariances + each), base) for each in (-12.5, 12.0)),
        *(((pixels, originals, zeros + each, 0 * logvariances), base) for each in (-12.0, 12.0)),
    ]


def one_image() -> tuple[Tensor, ...]:
    """Arguments of the loss for one image, with log-variances above 0."""
    return tuple(each[:1] for each in loss_inputs(usual_sizes()[0])[2])


def expect_extremes(place: slice, said: str, mistake: str, tolerance: float = 1e-3) -> None:
    """Expect the loss of one image to change between extreme arguments as it should."""
    for pair, right in list(zip(extremes(one_image()), table()["loss_function"]["extremes"], strict=True))[place]:
        change = float(usual_loss(*pair[0])) - float(usual_loss(*pair[1]))
        fits = near(change, right, tolerance) or not math.isfinite(change)  # which another check judges
        expect(fits, f"{said}, your loss changes by {change:.4g}; it should by {right:.4g}.", mistake)


def stops(place: slice, argument: int, shift: float) -> bool:
    """Whether the loss no longer changes with an argument, by its place, at some extremes: toward the usual ones."""
    for far, usual in extremes(one_image())[place]:
        nearer = list(far)
        nearer[argument] = far[argument] + shift * (usual[argument] - far[argument]).sign()
        if float(usual_loss(*nearer)) == float(usual_loss(*far)):
            return True
    return False


def ratios() -> tuple[list[float], list[float]]:
    """How your loss of one image changes where one argument does, over how it should: for pixels, for latents."""
    one = one_image()
    start = float(usual_loss(*one))
    pairs = zip(changes(one), table()["loss_function"]["changes"], strict=True)
    found = [(start - float(usual_loss(*other))) / expected for other, expected in pairs]
    return found[:2], found[2:]


def worked_example() -> tuple[Tensor, ...]:
    """The notebook's: one image of shape (1, 1, 2, 2)."""
    images = (torch.tensor(each).sigmoid().view(1, 1, 2, 2) for each in table()["loss_function"]["example"]["logits"])
    return *images, torch.ones(1, usual_sizes()[2]), torch.zeros(1, usual_sizes()[2])


def value_or_none(run: Callable, arguments: tuple[Tensor, ...]) -> float | None:
    with suppress(Exception):
        value = float(run(*arguments))
        return value if math.isfinite(value) else None
    return None


def mistakes_in_the_loss() -> list[str]:
    """The mistakes that explain the values of your loss on the checks' inputs, the fewest that do."""
    inputs, known = loss_inputs(usual_sizes()[0]), table()["loss_function"]
    pixels, originals, means, logvariances = one = inputs[0]
    other = 0.8 * originals + 0.2 * pixels, originals, 0.3 * means, 0.4 * logvariances
    crossed = [value_or_none(usual_loss, (*a[:2], *b[2:])) for a in (one, other) for b in (one, other)]
    if value_or_none(usual_loss, inputs[0]) != value_or_none(usual_loss, inputs[0]):
        return ["loss-changes"]
    if None not in crossed:
        values = torch.tensor(crossed)
        if len({*crossed}) > 1 and values.equal(values.bfloat16().float()):  # which other numbers are not, by chance
            return ["half-precision"]
        a, b, c, d = crossed
        if abs(a - b - c + d) > 1e-3 * max(map(abs, crossed)):
            return ["terms-not-added"]
    observed = [value_or_none(usual_loss, each) for each in inputs] + [value_or_none(loss, worked_example())]
    explained = []
    for (first, pixels), (second, latents), (third, weights) in itertools.product(*list(known.values())[:3]):
        sums = (
            None if r is None or k is None else r * v + k * w
            for r, k, (v, w) in zip(pixels, latents, weights, strict=True)
        )
        fits = [near(value, expected, 3e-4) for value, expected in zip(observed, sums, strict=True)]
        if all(fits[:3]) and (fits[3] or observed[3] is None):
            explained.append([*first, *second, *third])
    return min(explained, key=len, default=[])
