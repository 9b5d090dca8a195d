"""Small changes of a source, to find the place that a wrong answer depends on: see `autograder.grading.locate`.

The operators are those of mutation analysis: something is taken out, or replaced by another of its kind. Parsing a
hostile source is left to the submission's process, as in `outline`.
"""

from __future__ import annotations

import ast
import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

MOST = 80  # changes of a kind
LONGEST = 60  # characters of what is shown of a place
LONGEST_TEXT = 2000  # characters that replace others

_LIBRARIES = {"torch", "nn", "F", "np", "numpy", "math", "self", "super()"}
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
_IN_PARENTHESES = ast.BinOp | ast.Compare | ast.BoolOp | ast.IfExp  # as an operand
_SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Pow: "**", ast.MatMult: "@"}
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div)
# Functions and methods that are taken for each other.
_ALIKE = (
    ("sum", "mean"), ("exp", "log"), ("randn_like", "rand_like"), ("randn", "rand"), ("zeros_like", "ones_like"),
    ("zeros", "ones"), ("view", "reshape"), ("cat", "stack"), ("log", "log1p"), ("exp", "expm1"), ("exp", "sqrt"),
    ("pow", "mul"), ("square", "abs"), ("var", "std"), ("max", "min"), ("relu", "sigmoid"), ("tanh", "sigmoid"),
)  # fmt: skip
_WORDS = ("sum", "mean", "none")
_OF_SIZES = {"randn", "rand", "zeros", "ones", "empty", "new_zeros", "new_ones", "new_empty"}

# What is replaced, by what (None for a whole statement that is left out), what is changed in it, how the first of these
# is shown, with `{}` for its text, and whether it is only taken out.
Change = tuple[Any, ast.AST | None, list[Any], str, bool]


@dataclass(frozen=True)
class Edit:
    """A change of one place, or of several that read alike.

    Attributes:
        lines: of the places, from 1.
        spans: the bytes of the source that are replaced, first and end, in order.
        by: what each is replaced by.
        shown: what the place holds, shortened.
        removes: whether something is only taken out.
    """

    lines: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    by: str
    shown: str
    removes: bool

    @classmethod
    def read(cls, record: Any) -> Edit:
        """The edit of a record that `edits` made; TypeError or ValueError for anything else."""
        lines, spans, by, shown, removes = record
        borders = [0, *(each for first, end in spans for each in (first, end))]
        if not all(type(each) is int for each in (*lines, *borders)) or borders != sorted(borders) or min(lines) < 1:
            raise ValueError(record)
        if not (isinstance(by, str) and isinstance(shown, str)):
            raise TypeError(record)
        return cls(tuple(lines), tuple(map(tuple, spans)), by[:LONGEST_TEXT], shown[: LONGEST + 1], removes is True)

    def of(self, source: bytes) -> bytes:
        """The source with this change."""
        for first, end in reversed(self.spans):
            source = source[:first] + self.by.encode(errors="replace") + source[end:]
        return source


def edits(source: bytes, places: list[list[str]]) -> list[list[Any]]:
    """Changes in the definitions at these places, as plain data: place by place, and what takes something out first."""
    with warnings.catch_warnings(action="ignore"):
        tree = ast.parse(source)
    starts = [0]
    for row in source.split(b"\n"):
        starts.append(starts[-1] + len(row) + 1)
    scopes = [node for place in places for node in [_at(tree, place)] if node is not None]

    def span(node: Any) -> tuple[int, int]:
        return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset

    def text(node: Any, alone: bool) -> str:
        first, end = span(node)
        words = " ".join(source[first:end].decode().replace("`", "\N{MODIFIER LETTER GRAVE ACCENT}").split())
        return f"({words})" if isinstance(node, _IN_PARENTHESES) and not alone else words

    found: dict[tuple[Any, ...], list[Any]] = {}  # by what is replaced, for a class holds what its methods hold
    for scope, rule in product(scopes, (_taken_out, _undone, _exchanged, _renamed)):
        changes: dict[tuple[Any, ...], list[Any]] = {}
        alike: dict[tuple[str, str], list[Any]] = {}
        for old, new, changed, form, removes in islice(rule(scope), 2 * MOST):
            by = "pass" if new is None else ast.unparse(new) if isinstance(new, ast.stmt) else f"({ast.unparse(new)})"
            if len(by) > LONGEST_TEXT or (span(old), by) in changes:
                continue
            shown = form.replace("{}", text(changed[0], alone=form in ("{}", "if {}")))
            shown = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
            lines = [each.lineno for each in changed]
            changes[span(old), by] = [lines, [span(old)], by, shown, removes]
            several = alike.setdefault((ast.unparse(old), by), [[], [], by, shown, removes])
            several[0] += lines
            several[1] = sorted([*several[1], span(old)])
        together = {(*each[1], each[2]): each for each in alike.values() if len(each[1]) > 1}
        for key, change in (*islice(changes.items(), MOST), *islice(together.items(), MOST)):
            found.setdefault(key, change)
    return [*found.values()]


def _at(tree: ast.Module, place: list[str]) -> ast.AST | None:
    """The last definition at a place, which is the one that Python keeps."""
    node: Any = tree
    for name in place:
        named = [each for each in node.body if getattr(each, "name", None) == name and hasattr(each, "body")]
        if not named:
            return None
        node = named[-1]
    return None if node is tree else node


def _inside(scope: ast.AST) -> Iterator[Any]:
    """The nodes of a definition that run when it does, in the order of the source."""
    todo = [scope]
    while todo:
        node = todo.pop()
        yield node
        # Decorators, annotations and defaults are no part of what a function computes.
        apart = {"decorator_list", "returns", "args"} if isinstance(node, _FUNCTIONS) else {"annotation"}
        if _takes_sizes(node):
            apart |= {"args", "slice"}
        children = [each for name, value in ast.iter_fields(node) if name not in apart for each in _nodes(value)]
        todo += reversed(children)


def _nodes(value: object) -> list[ast.AST]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, ast.AST)]


def _with(node: Any, **fields: Any) -> Any:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _taken_out(scope: ast.AST) -> Iterator[Change]:
    """A call around a value, an operand, an argument, an element, an index, a branch or a statement is left out."""
    for node in _inside(scope):
        match node:
            case ast.Call() if not _takes_sizes(node):
                yield from _unwrapped(node)
            case ast.List(elts=items) | ast.Tuple(elts=items, ctx=ast.Load()):
                yield from _without_some(node, "elts", items)
            case ast.BinOp(left=left, op=operator, right=right):
                sign = _SIGNS.get(type(operator), "…")
                yield node, left, [right], f"{sign} {{}}", True
                yield node, right, [left], f"{{}} {sign}", True
            case ast.UnaryOp(operand=inner) if not isinstance(inner, ast.Constant):
                yield node, inner, [node], "{}", True
            case ast.Subscript(ctx=ast.Load(), value=inner) if not _takes_sizes(node):
                yield node, inner, [node], "{}", True
            case ast.IfExp(body=first, orelse=second):
                yield node, first, [node], "{}", False
                yield node, second, [node], "{}", False
            case ast.If(test=test):
                for answer in (True, False):
                    yield test, ast.Constant(answer), [test], "if {}", False
            case ast.AugAssign() | ast.Expr(value=ast.Call()) | ast.Assign(targets=[ast.Subscript()]):
                yield node, None, [node], "{}", True


def _undone(scope: ast.AST) -> Iterator[Change]:
    """A variable gets what another one holds, or keeps what it held, without what is computed from it."""
    for node in _inside(scope):
        if isinstance(node, ast.Assign) and not (isinstance(node.value, ast.Name) or _takes_sizes(node.value)):
            names = dict.fromkeys(each.id for each in ast.walk(node.value) if isinstance(each, ast.Name))
            for name in [each for each in names if each not in _LIBRARIES]:
                yield node.value, ast.Name(name), [node.value], "{}", True


def _unwrapped(node: ast.Call) -> Iterator[Change]:
    """A call without itself, or without one of its arguments."""
    name = ast.unparse(node.func)
    if isinstance(node.func, ast.Attribute) and name.partition(".")[0] not in _LIBRARIES:
        arguments = ", ".join(map(ast.unparse, (*node.args, *node.keywords)))
        yield node, node.func.value, [node], f".{node.func.attr}({arguments})", True
    for each in node.args[:2]:
        if not _makes_object(node) and not isinstance(each, ast.Constant | ast.Starred):
            yield node, each, [node], f"{name}(…)", True
    yield from _without_some(node, "args", node.args)
    yield from _without_some(node, "keywords", node.keywords)


def _without_some(node: Any, name: str, items: list[Any]) -> Iterator[Change]:
    """A node without one of its items, and without all that make an object of the same class."""
    for each in items:
        if len(items) > 1 or isinstance(each, ast.keyword):
            rest = [other for other in items if other is not each]
            yield node, _with(node, **{name: rest}), [each], "{}", True
    classes = [ast.unparse(each.func) for each in items if isinstance(each, ast.Call)]
    for called in dict.fromkeys(each for each in classes if classes.count(each) > 1):
        those = [each for each in items if isinstance(each, ast.Call) and ast.unparse(each.func) == called]
        rest = [other for other in items if other not in those]
        yield node, _with(node, **{name: rest}), those, f"{called}(…)", True


def _makes_object(node: ast.Call) -> bool:
    """Whether a call makes a layer or another object, as far as the name tells."""
    return _called(node)[:1].isupper()


def _takes_sizes(node: ast.AST) -> bool:
    """Whether a call or a slice says how many numbers there are: with more, the lines below take others of them."""
    if isinstance(node, ast.Subscript):
        return any(isinstance(each, ast.Slice) for each in ast.walk(node.slice))
    return isinstance(node, ast.Call) and _called(node) in _OF_SIZES


def _called(node: ast.Call) -> str:
    """The last name of what is called."""
    return ast.unparse(node.func).rpartition(".")[2]


def _exchanged(scope: ast.AST) -> Iterator[Change]:
    """An operator, a number, a word, a function or the order of two is another one, or a function does nothing."""
    for node in _inside(scope):
        if isinstance(node, ast.FunctionDef) and isinstance(node.body[-1], ast.Return):
            names = [each.arg for each in node.args.args if each.arg != "self"]
            yield from (
                (node.body[-1], ast.Return(ast.Name(name)), [node], f"def {node.name}", False) for name in names[:1]
            )
        for other in _others(node):
            yield node, other, [node], "{}", False


def _others(node: Any) -> Iterator[ast.AST]:
    """What may be meant in place of a node."""
    match node:
        case ast.BinOp(left=left, op=operator, right=right):
            yield from (_with(node, op=each()) for each in _OPERATORS if not isinstance(operator, each))
            if isinstance(operator, ast.Sub | ast.Div | ast.Pow):
                yield _with(node, left=right, right=left)
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            others = (0, 1, 2, 0.5, -1, value + 1, -value, value / 2, 2 * value)
            yield from (ast.Constant(each) for each in dict.fromkeys(others) if each != value)
        case ast.Constant(value=str(value)) if value in _WORDS:
            yield from (ast.Constant(each) for each in _WORDS if each != value)
        case ast.Attribute(attr=name, ctx=ast.Load()):
            yield from (_with(node, attr=pair[1 - pair.index(name)]) for pair in _ALIKE if name in pair)
        case ast.Tuple(elts=[one, other, *rest], ctx=ast.Load()):
            yield _with(node, elts=[other, one, *rest])
        case ast.Compare(ops=[_]):
            yield ast.UnaryOp(ast.Not(), node)
        case ast.Call(args=[ast.Name() | ast.BinOp() | ast.Call() as one, *rest]) if not (
            _makes_object(node) or _takes_sizes(node)
        ):
            yield _with(node, args=[ast.UnaryOp(ast.USub(), one), *rest])
            if rest:
                yield _with(node, args=[rest[0], one, *rest[1:]])
            yield from (_with(node, args=[ast.BinOp(ast.Constant(by), ast.Mult(), one), *rest]) for by in (0.5, 2))


def _renamed(scope: ast.AST) -> Iterator[Change]:
    """A name is another one of the same function."""
    functions = [node for node in _inside(scope) if isinstance(node, _FUNCTIONS)]
    for function in functions:
        parameters = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
        nodes = [node for node in _inside(function) if isinstance(node, ast.Name)]
        names = dict.fromkeys([*parameters, *(each.id for each in nodes if isinstance(each.ctx, ast.Store))])
        names.pop("self", None)
        for node in nodes:
            if isinstance(node.ctx, ast.Load) and node.id in names:
                for other in islice((each for each in names if each != node.id), 8):
                    yield node, ast.Name(other, ast.Load()), [node], "{}", False
