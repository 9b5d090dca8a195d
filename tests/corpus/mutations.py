"""Wrong modules, made systematically: every small change of a correct module that a student could make.

An operator looks at one node of the syntax tree and gives the nodes that could stand in its place. Many mutants
compute the same as before, some compute something else that is right: the `oracle` sets those aside.
"""

import ast
import copy
import functools
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import autograder.assignments.cvae.solution.cs5814_vae as solution

from . import styles

CLASS = "ConditionalVariationalAutoencoder"
METHODS = ("__init__", "forward")
FUNCTIONS = ("sample_latent", "loss_function")


@dataclass(frozen=True)
class Mutant:
    """A mutated module: the correct one it was made from, what was changed and in which function, and its source."""

    base: str
    operator: str
    where: str
    change: str
    source: str

    @property
    def name(self) -> str:
        return f"{self.base}/{self.where}/{self.operator}: {self.change}"


@functools.cache
def bases() -> dict[str, str]:
    """Correct modules of different spelling, by name, without comments and docstrings."""
    assert solution.__file__ is not None
    sources = {
        "solution": Path(solution.__file__).read_text("utf-8"),
        # Terms by hand for each image, layers with names, activations called as functions.
        "by-hand": styles.module(
            "randn-of-shape", "cross-entropy-by-hand", "plain", "own-class", "linear", "method-over-layers",
            "encode-and-decode", "plain",
        ),
        # Distributions of torch, stacks built by loops.
        "library": styles.module(
            "rsample", "kl-divergence-of-distributions", "short-super", "list-unpacked", "sequential", "own-class",
            "step-by-step", "plain",
        ),
    }  # fmt: skip
    return {name: ast.unparse(_plain(ast.parse(source))) for name, source in sources.items()}


def _plain(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree


# --- operators on expressions -------------------------------------------------------------------------------------

Replacements = Iterator[tuple[str, ast.AST]]  # what changed, and the node to put in the place
Operator = Callable[[ast.AST, frozenset[str]], Replacements]  # of a node and the local names of its function

OPERATORS: dict[str, Operator] = {}


def operator(function: Operator) -> Operator:
    OPERATORS[function.__name__.replace("_", "-")] = function
    return function


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


ARITHMETIC = {"+": ast.Add, "-": ast.Sub, "*": ast.Mult, "/": ast.Div, "**": ast.Pow, "@": ast.MatMult}


@operator
def arithmetic(node: ast.AST, names: frozenset[str]) -> Replacements:
    if isinstance(node, ast.BinOp):
        for kind in ARITHMETIC.values():
            if not isinstance(node.op, kind):
                yield "", ast.BinOp(node.left, kind(), node.right)
        if isinstance(node.op, (ast.Sub, ast.Div, ast.Pow, ast.MatMult)):
            yield "", ast.BinOp(node.right, node.op, node.left)


@operator
def operand_missing(node: ast.AST, names: frozenset[str]) -> Replacements:
    match node:
        case ast.BinOp():
            yield "", node.left
            yield "", node.right
        case ast.UnaryOp():
            yield "", node.operand


@operator
def sign(node: ast.AST, names: frozenset[str]) -> Replacements:
    if isinstance(node, (ast.BinOp, ast.Call)) and not _is_layer(node):
        yield "", ast.UnaryOp(ast.USub(), cast(ast.expr, node))


@operator
def constant(node: ast.AST, names: frozenset[str]) -> Replacements:
    match node:
        case ast.Constant(value=bool()):
            yield "", ast.Constant(not node.value)
        case ast.Constant(value=int() as value):
            for other in {0, 1, value + 1, value - 1, 2 * value, -value} - {value}:
                yield "", ast.Constant(other)
        case ast.Constant(value=float() as value):
            yield from (("", ast.Constant(other)) for other in (2 * value, value / 2, -value, 0.0))
        case ast.keyword(arg="reduction", value=ast.Constant(value=str() as value)):
            for word in {"sum", "mean", "none"} - {value}:
                yield "", ast.keyword("reduction", ast.Constant(word))


# What a student may take one name for.
CONFUSED = (
    ("exp", "log", "sqrt", "sigmoid", "square", "exp2", "expm1"),
    ("sum", "mean", "max", "prod"),
    ("log", "exp", "log2", "log1p", "log10", "sqrt"),
    ("pow", "mul"),
    ("randn_like", "rand_like", "ones_like", "zeros_like"),
    ("randn", "rand", "ones", "zeros"),
    ("ones_like", "zeros_like", "randn_like"),
    ("zeros_like", "ones_like", "randn_like"),
    ("binary_cross_entropy", "mse_loss", "l1_loss", "binary_cross_entropy_with_logits", "cross_entropy", "kl_div"),
    ("rsample", "sample"),
    ("Normal", "Laplace", "LogNormal"),
    ("cat", "stack"),
    ("flatten", "unique", "squeeze"),
    ("ReLU", "LeakyReLU", "Tanh", "Sigmoid", "GELU", "ELU", "SiLU", "Softplus", "Identity"),
    ("relu", "leaky_relu", "tanh", "sigmoid", "gelu", "elu", "silu"),
    ("Sigmoid", "ReLU", "Tanh", "Hardsigmoid", "Softplus", "LogSigmoid", "Identity"),
    ("sigmoid", "relu", "tanh", "exp"),
    ("mean_layer", "logvariance_layer"),
    ("logvariance_layer", "mean_layer"),
    ("encoder", "decoder"),
    ("decoder", "encoder"),
    ("Linear", "Bilinear", "LazyLinear", "Identity"),
    ("ModuleList", "list"),
)
CONFUSIONS = {name: others for name, *others in CONFUSED}


@operator
def confused_name(node: ast.AST, names: frozenset[str]) -> Replacements:
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        for other in CONFUSIONS.get(node.attr, ()):
            yield "", ast.Attribute(node.value, other, node.ctx)


@operator
def other_variable(node: ast.AST, names: frozenset[str]) -> Replacements:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        for other in sorted(names - {node.id, "self"}):
            yield "", ast.Name(other, node.ctx)


SIZES = {"input_dim": "784", "num_categories": "10", "latent_dimensionality": "15", "hidden": "64"}


@operator
def size_written_in(node: ast.AST, names: frozenset[str]) -> Replacements:
    match node:
        case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()) if name in SIZES:
            yield "", _expression(SIZES[name])
        case ast.Name(id="hidden", ctx=ast.Load()) | ast.Attribute(attr="hidden_size", ctx=ast.Load()):
            yield "", _expression("128")


@operator
def call_left_out(node: ast.AST, names: frozenset[str]) -> Replacements:
    """f(x) becomes x, x.f() becomes x."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Call() | ast.BinOp() | ast.Subscript() as receiver)):
            yield "", receiver
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name) as receiver)) if name in names - {"self"}:
            yield "", receiver
        case ast.Call(args=[first, *_]) if not _is_layer(node):
            yield "", first


@operator
def arguments(node: ast.AST, names: frozenset[str]) -> Replacements:
    """Neighbors exchanged, one missing, a keyword forgotten."""
    if isinstance(node, ast.Call) and not _is_stack(node):
        for index in range(len(node.args) - 1):
            exchanged = [*node.args]
            exchanged[index : index + 2] = exchanged[index + 1], exchanged[index]
            yield "", ast.Call(node.func, exchanged, node.keywords)
        for index in range(len(node.args)) if len(node.args) > 1 else ():
            yield "", ast.Call(node.func, [*node.args[:index], *node.args[index + 1 :]], node.keywords)
        for keyword in node.keywords:
            yield "", ast.Call(node.func, node.args, [each for each in node.keywords if each is not keyword])


@operator
def order(node: ast.AST, names: frozenset[str]) -> Replacements:
    """A tuple or list in another order, or with an element missing."""
    if isinstance(node, (ast.Tuple, ast.List)) and 2 <= len(node.elts) <= 3 and isinstance(node.ctx, ast.Load):
        for elements in itertools.permutations(node.elts):
            if list(elements) != node.elts:
                yield "", type(node)(list(elements), node.ctx)
        for index in range(len(node.elts)):
            yield "", type(node)([*node.elts[:index], *node.elts[index + 1 :]], node.ctx)


@operator
def wrapped(node: ast.AST, names: frozenset[str]) -> Replacements:
    """An activation, or a cut in the graph, around something that is computed."""
    if (
        isinstance(node, ast.Call)
        and not _is_layer(node)
        and ast.unparse(node.func) not in ("super", "super().__init__")
    ):
        for function in ("torch.relu", "torch.sigmoid", "torch.tanh", "torch.exp", "torch.abs"):
            yield "", ast.Call(_expression(function), [node], [])
        yield "", ast.Call(_expression("torch.unsqueeze"), [node, ast.Constant(1)], [])
        for method in ("detach", "item", "round"):
            yield "", ast.Call(ast.Attribute(node, method), [], [])
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names - {"self"}:
        yield "", ast.Attribute(node, "data")


@operator
def in_place(node: ast.AST, names: frozenset[str]) -> Replacements:
    match node:
        case ast.Call(func=ast.Attribute(attr="exp" | "pow" | "square" as name, value=ast.Name() as receiver)):
            if receiver.id in names:
                yield "", ast.Call(ast.Attribute(receiver, name + "_"), node.args, [])
        case ast.Call(func=ast.Attribute(attr="exp", value=ast.Name(id="torch")), args=[argument]):
            yield "", ast.Call(ast.Attribute(argument, "exp_"), [], [])
        case ast.BinOp(left=ast.Name(), op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
            method = {ast.Add: "add_", ast.Sub: "sub_", ast.Mult: "mul_", ast.Div: "div_"}[type(node.op)]
            yield "", ast.Call(ast.Attribute(node.left, method), [node.right], [])
        case ast.BinOp(right=ast.Name(), op=ast.Mult()):
            yield "", ast.Call(ast.Attribute(node.right, "mul_"), [node.left], [])


def _is_layer(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr[:1].isupper()


def _is_stack(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "nn.Sequential"


@operator
def layers(node: ast.AST, names: frozenset[str]) -> Replacements:
    """In a stack: a layer missing, two exchanged, one too many."""
    if isinstance(node, ast.Call) and _is_stack(node):
        extra = ["nn.ReLU()", "nn.Dropout(0.2)", "nn.BatchNorm1d(hidden)", "nn.LayerNorm(hidden)", "nn.Tanh()"]
        extra += ["nn.Linear(hidden, hidden)", "nn.Softmax(dim=-1)", "nn.Sigmoid()"]
        for index, each in enumerate(node.args):
            before, after = node.args[:index], node.args[index + 1 :]
            yield f"without {index + 1}, {ast.unparse(each)}", ast.Call(node.func, [*before, *after], [])
            if after:
                yield (
                    f"{index + 1} and {index + 2} exchanged",
                    ast.Call(node.func, [*before, after[0], each, *after[1:]], []),
                )
            for text in extra:
                yield f"{text} after {index + 1}", ast.Call(node.func, [*before, each, _expression(text), *after], [])
        block = [_expression("nn.Linear(hidden, hidden)"), _expression("nn.ReLU()")]
        yield "one layer more", ast.Call(node.func, [*node.args[:2], *block, *node.args[2:]], [])
        yield "one layer less", ast.Call(node.func, [*node.args[:2], *node.args[4:]], [])
        yield "two layers less", ast.Call(node.func, [*node.args[:2], *node.args[6:]], [])
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "nn.Linear":
        yield "", ast.Call(node.func, node.args, [*node.keywords, ast.keyword("bias", ast.Constant(False))])


# --- operators on statements and definitions ----------------------------------------------------------------------


@operator
def statement(node: ast.AST, names: frozenset[str]) -> Replacements:
    """A statement forgotten, left unfinished, or run without gradients."""
    match node:
        case ast.Return(value=value) if value is not None:
            yield "return forgotten", ast.Assign([ast.Name("result", ast.Store())], value, lineno=0)
            yield "return without a value", ast.Return(None)
        case ast.Assign() | ast.Expr():
            yield f"without {ast.unparse(node)[:60]}", ast.Pass()
    if isinstance(node, (ast.Assign, ast.Return)):
        guard = [ast.withitem(_expression("torch.no_grad()"))]
        yield f"no_grad around {ast.unparse(node)[:60]}", ast.With(guard, [node], lineno=0)


@operator
def body(node: ast.AST, names: frozenset[str]) -> Replacements:
    """Something said before, or instead of, what a function does."""
    if isinstance(node, ast.FunctionDef):
        first = {
            "sample_latent": ["torch.manual_seed(0)", "means = means.detach()", "logvariances = logvariances * 2",
                              "logvariances = logvariances.exp()", "means = means[:1]", "means.zero_()"],
            "loss_function": ["originals = (originals > 0.5) * 1.0", "reconstructions = torch.sigmoid(reconstructions)",
                              "logvariances = 2 * logvariances", "means = means.detach()",
                              "logvariances = logvariances.detach()"],
            "forward": ["condition = torch.zeros_like(condition)", "data_input = data_input.round()",
                        "condition = condition.argmax(1)", "data_input = data_input.detach() * 2 - 1"],
        }  # fmt: skip
        for text in first.get(node.name, ()):
            yield text, _with_body(node, [*ast.parse(text).body, *node.body])
        if node.name == "__init__":
            for text in ("nn.init.zeros_(each)", "each.requires_grad_(False)"):
                loop = ast.parse(f"for each in self.parameters():\n    {text}").body
                yield text, _with_body(node, [*node.body, *loop])
            extra = ast.parse("self.more = nn.Linear(64, 64)").body
            yield "a layer never used", _with_body(node, [*node.body, *extra])


def _with_body(node: ast.FunctionDef, body: list[ast.stmt]) -> ast.FunctionDef:
    new = copy.copy(node)
    new.body = body
    return new


@operator
def afterwards(node: ast.AST, names: frozenset[str]) -> Replacements:
    """An argument spoiled once the result is there."""
    if not isinstance(node, ast.FunctionDef) or (node.name not in FUNCTIONS and "condition" not in names):
        return
    if isinstance(last := node.body[-1], ast.Return) and last.value is not None:
        for argument in node.args.args:
            lines = ast.parse(f"result = {ast.unparse(last.value)}\n{argument.arg}.data.zero_()\nreturn result").body
            if argument.arg != "self":
                yield f"{argument.arg}.data.zero_()", _with_body(node, [*node.body[:-1], *lines])


@operator
def signature(node: ast.AST, names: frozenset[str]) -> Replacements:
    """Parameters exchanged, one missing or one too many; `self` forgotten or misplaced."""
    if isinstance(node, ast.FunctionDef):
        for index in range(len(node.args.args) - 1):
            if node.args.args[index].arg != "self":
                new = copy.deepcopy(node)
                pair = new.args.args[index : index + 2]
                new.args.args[index : index + 2] = reversed(pair)
                yield f"{pair[0].arg} and {pair[1].arg} exchanged", new
        for index, argument in enumerate(node.args.args):
            new = copy.deepcopy(node)
            del new.args.args[index]
            yield f"without {argument.arg}", new
        for extra in ("self", "device") if node.name in FUNCTIONS else ("device",):
            new = copy.deepcopy(node)
            new.args.args.insert(0 if extra == "self" else len(new.args.args), ast.arg(extra))
            if len(new.args.defaults) and extra != "self":
                continue
            yield f"with {extra}", new


def _definitions(base: str, tree: ast.Module) -> Iterator[Mutant]:
    """Names misspelled throughout, functions inside the class, loops: changes of a module rather than of a node."""
    source = ast.unparse(tree)

    def mutant(operator: str, where: str, change: str, text: str) -> Mutant:
        return Mutant(base, operator, where, change, text)

    renamed = {
        "sample_latent": ("sample_latents", "reparameterize", "SampleLatent"),
        "loss_function": ("loss_fn", "vae_loss", "lossfunction"),
        CLASS: ("CVAE", "ConditionalVAE", "ConditionalVariationalAutoEncoder"),
        "self.encoder": ("self.encode", "self.enc"),
        "self.decoder": ("self.decode", "self.dec"),
        "self.mean_layer": ("self.mu_layer", "self.means_layer"),
        "self.logvariance_layer": ("self.logvar_layer", "self.logvariances_layer"),
        "self.hidden_size": ("self.hidden",),
        "self.latent_dimensionality": ("self.latent_dim",),
        "self.input_dim": ("self.input_size",),
        "self.num_categories": ("self.num_classes",),
        "def forward": ("def fowrard", "def call"),
        "def __init__": ("def __int__",),
        "(nn.Module)": ("", "(nn.Sequential)"),
    }
    for old, others in renamed.items():
        if old in source:
            for new in others:
                yield mutant("renamed", "module", f"{old} → {new}", source.replace(old, new))
    for name in FUNCTIONS:
        function = next(each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == name)
        for with_self in (True, False):
            method = copy.deepcopy(function)
            if with_self:
                method.args.args.insert(0, ast.arg("self"))
            changed = copy.deepcopy(tree)
            changed.body = [each for each in changed.body if getattr(each, "name", "") != name]
            next(each for each in changed.body if getattr(each, "name", "") == CLASS).body.append(method)  # type: ignore[attr-defined]
            text = ast.unparse(ast.fix_missing_locations(changed)).replace(f" {name}(", f" self.{name}(")
            text = text.replace(f"def self.{name}", f"def {name}")
            change = f"{name} in the class, with{'' if with_self else 'out'} self"
            yield mutant("method", "module", change, text)
    # Of an image, of many into a list, and of a latent dimension at a time.
    each_image = "_whole(*(each[i:i + 1] for each in all)) for i in range(len(all[0]))"
    alone = "0 * y.flatten(1)[:, :1] + 0.5, 0 * x.flatten(1)[:, :1]"
    loops = {
        "over images": f"    return sum({each_image}) / len(all[0])",
        "over images, collected": f"    return torch.stack([{each_image}]).mean()",
        "over latents": "    y, x, m, v = all\n    rest = _whole(y, x, 0 * m, 0 * v)\n    for j in range(m.shape[1]):\n"
        f"        rest = rest + _whole({alone}, m[:, j:j + 1], v[:, j:j + 1])"
        f" - _whole({alone}, 0 * m[:, :1], 0 * v[:, :1])\n    return rest",
    }
    for change, lines in loops.items():
        text = source.replace("def loss_function(", "def _whole(")
        yield mutant("loop", "loss_function", change, f"{text}\n\ndef loss_function(*all):\n{lines}\n")


# --- putting them to work -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Change:
    """A node to be put in the place of another: field `field` of `parent`, number `index` where that is a list."""

    operator: str
    where: str
    said: str
    parent: ast.AST
    field: str
    index: int | None
    node: ast.AST
    new: ast.AST

    def mutant(self, base: str, tree: ast.Module) -> Mutant:
        self._put(self.new)
        source = ast.unparse(ast.fix_missing_locations(tree))
        self._put(self.node)
        said = self.said or f"{ast.unparse(self.node)} → {ast.unparse(self.new)}"
        at = f"line {getattr(self.node, 'lineno', 0)}:{getattr(self.node, 'col_offset', 0)}"
        return Mutant(base, self.operator, self.where, f"{' '.join(said.split())[:120]} ({at})", source)

    def _put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def _changes(tree: ast.Module) -> Iterator[_Change]:
    """Every change that an operator makes in a function."""
    for owner in [node for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef))]:
        for function in [node for node in owner.body if isinstance(node, ast.FunctionDef)]:
            names = {argument.arg for argument in function.args.args}
            names |= {
                node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
            places: list[tuple[ast.AST, str, int | None, ast.AST]]
            places = [(owner, "body", owner.body.index(function), function)]
            for parent in ast.walk(function):
                for field, value in ast.iter_fields(parent):
                    children = enumerate(value) if isinstance(value, list) else [(None, value)]
                    places += [(parent, field, index, child) for index, child in children if isinstance(child, ast.AST)]
            for parent, field, index, node in places:
                for name, change in OPERATORS.items():
                    for said, new in change(node, frozenset(names)):
                        yield _Change(name, function.name, said, parent, field, index, node, new)


# How many changes of a base one operator may make in one function: of the solution most, of the other spellings as
# many as show whether the spelling matters.
TAKEN = {"solution": 6, "by-hand": 1, "library": 1}
LIKELY = {"layers": 5, "arithmetic": 2, "confused-name": 2, "constant": 2}  # so many times as many
PAIRS = 60


@functools.cache
def corpus() -> tuple[Mutant, ...]:
    """The mutants that are graded, the same ones each time."""
    found: dict[str, Mutant] = {}
    for base, source in bases().items():
        tree = ast.parse(source)
        groups: dict[tuple[str, str], list[_Change]] = {}
        for change in _changes(tree):
            groups.setdefault((change.where, change.operator), []).append(change)
        chosen: list[_Change] = []
        for (where, name), group in groups.items():
            generator = random.Random(f"{base} {where} {name}")  # a new operator changes nothing for the others
            chosen += generator.sample(group, min(len(group), TAKEN[base] * LIKELY.get(name, 1)))
        whole = _definitions(base, tree) if base == "solution" else ()  # these do not depend on the spelling
        for mutant in (*whole, *(change.mutant(base, tree) for change in chosen)):
            if mutant.source != source:
                found.setdefault(mutant.source, mutant)
    return tuple(found.values())


def pairs(count: int) -> list[Mutant]:
    """Modules with two changes: mutants of mutants of the solution."""
    generator = random.Random(5814)
    first = [mutant for mutant in corpus() if mutant.base == "solution" and mutant.where != "module"]
    found = []
    for one in generator.sample(first, count):
        tree = ast.parse(one.source)
        other = generator.choice(list(_changes(tree))).mutant(one.name, tree)
        found.append(replace(other, operator=f"then {other.operator}"))
    return found
