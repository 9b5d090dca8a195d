"""Describe a module's source without running it: definitions, their parameters, and loops.

Parsing a hostile source can take quadratic time or gigabytes, or crash the process. So `describe` runs in the
submission's process, within its limits and before the submission runs there. The grader reads the record that comes
back, once, and writes hints from it.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Container, Iterator
from dataclasses import dataclass
from typing import Any

MOST = 200  # entries of each kind: a module for an assignment has about ten
MOST_NAMES = 2000
LONGEST = 80  # characters of a name
NEAREST = 5  # functions that are named next to the one that calls them

_Function = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINES = (ast.ClassDef, *_Function, ast.Import, ast.ImportFrom)
# Of tensors, or of torch's modules: what only gives a result. `add`, `to`, `log` and others may do more elsewhere.
_RESULTS = {
    *("relu", "leaky_relu", "sigmoid", "tanh", "softplus", "exp", "sqrt", "square", "pow", "mul", "sub", "div", "neg"),
    *("sum", "mean", "view", "reshape", "flatten", "squeeze", "unsqueeze", "transpose", "permute", "expand", "cat"),
    *("concat", "stack", "clamp", "clip", "detach", "clone", "randn_like", "binary_cross_entropy"),
}
_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class Definition:
    """A class or a function of the module.

    Attributes:
        place: the names of the classes and functions around it, then its own.
        line: of its `class` or `def`, from 1.
        kind: "class" or "function".
        parameters: of a function, those that can be passed by position.
        signature: of a function, as written, shortened.
        decorated: whether it has a decorator.
    """

    place: tuple[str, ...]
    line: int
    kind: str
    parameters: tuple[str, ...] = ()
    signature: str = ""
    decorated: bool = False

    @property
    def name(self) -> str:
        return self.place[-1]


@dataclass(frozen=True)
class Outline:
    """What is known of a source: nothing, if it cannot be parsed within the limits.

    Attributes:
        definitions: in the order of the source.
        stored: attributes with an assignment, such as `layer` in `self.layer = …`, each after the name of its
            class.
        made_of: attributes and what is called to make them, such as `self.layer = nn.Sequential(*layers(3))`: the name
            of the class around them, their own, and that of the class, function or method of the module.
        calls: definitions of the module, and names that are set from calls of these at its left margin, each after the
            place or the name of what calls it. Methods begin with `self.`
        loops: the lines of loops and comprehensions.
        loop_at_import: the line of the first loop that runs when the module is imported.
        tuples: the lines of assignments and returns whose value a comma at the end makes a tuple of one element.
        unused: the line of each statement that only computes a result, which nothing uses, and how it begins.
        stubs: the line of each `raise NotImplementedError` in a function's body, with the lines of the last statement
            before it and of the first one after it that are more than docstrings and such raises, 0 for none.
        run_at_import: the first and the last line of each statement that is neither definition nor import.
        names: those of variables, attributes and imports, the words in short texts, and the operators "+=" for any that
            assigns, "[]=" and "**".
        variables: local variables of a constructor, each with its class and a line that sets it.
    """

    definitions: tuple[Definition, ...] = ()
    stored: frozenset[tuple[str, ...]] = frozenset()
    made_of: frozenset[tuple[str, ...]] = frozenset()
    calls: frozenset[tuple[str, ...]] = frozenset()
    loops: tuple[int, ...] = ()
    loop_at_import: int | None = None
    tuples: tuple[int, ...] = ()
    unused: tuple[tuple[int, str], ...] = ()
    stubs: tuple[tuple[int, int, int], ...] = ()
    run_at_import: tuple[tuple[int, int], ...] = ()
    names: frozenset[str] = frozenset()
    variables: tuple[tuple[str, str, int], ...] = ()

    @classmethod
    def read(cls, record: object) -> Outline:
        """The outline that `describe` recorded; an empty one for anything else."""
        try:
            return cls._read(record)
        except (KeyError, TypeError, ValueError):
            return cls()

    @classmethod
    def _read(cls, record: Any) -> Outline:
        return cls(
            tuple(
                Definition(_names(place), _line(line), str(kind), _names(parameters), str(signature), bool(decorated))
                for place, line, kind, parameters, signature, decorated in record["definitions"]
                if place
            ),
            frozenset(map(_names, record["stored"])),
            frozenset(map(_names, record["made_of"])),
            frozenset(map(_names, record["calls"])),
            tuple(map(_line, record["loops"])),
            None if record["loop_at_import"] is None else _line(record["loop_at_import"]),
            tuple(map(_line, record["tuples"])),
            tuple((_line(line), str(text)) for line, text in record["unused"]),
            tuple((_line(line), _line(before, 0), _line(after, 0)) for line, before, after in record["stubs"]),
            tuple((_line(first), _line(last)) for first, last in record["run_at_import"]),
            frozenset(_names(record["names"])),
            tuple((str(owner), str(name), _line(line)) for owner, name, line in record["variables"]),
        )

    def runs_at_import(self, line: int | None) -> bool:
        """Whether the line is of a statement that is more than a definition or an import."""
        return line is not None and any(first <= line <= last for first, last in self.run_at_import)

    def find(self, place: tuple[str, ...]) -> Definition | None:
        """The definition at this place; the last of several, which is the one that Python keeps."""
        return next((each for each in reversed(self.definitions) if each.place == place), None)

    def line(self, place: tuple[str, ...]) -> int | None:
        """The line of the definition at this place, or else of the class around it; None if there is neither."""
        found = (self.find(place[:length]) for length in range(len(place), 0, -1))
        return next((each.line for each in found if each), None)

    def around(self, line: int | None) -> Definition | None:
        """The function that this line is in, if none of those before it has ended; None before the first."""
        functions = (each for each in reversed(self.definitions) if each.kind == "function")
        return next((each for each in functions if line is not None and each.line <= line), None)

    def uses(self, pattern: str) -> bool:
        """Whether one of the names in the source is what the pattern describes."""
        return any(re.fullmatch(pattern, name) for name in self.names)

    def functions(self, owner: str | None = None) -> Iterator[Definition]:
        """The module's functions; with `owner`, the methods of the class with this name."""
        classes = {each.place for each in self.definitions if each.kind == "class" and each.name == owner}
        scopes = {()} if owner is None else classes
        return (each for each in self.definitions if each.kind == "function" and each.place[:-1] in scopes)

    def stored_in(self, owner: str) -> set[str]:
        """The names of the attributes with an assignment in the class of this name."""
        return {each[1] for each in self.stored if each[:1] == (owner,) and len(each) == 2}

    def made_by(self, owner: str, attributes: Collection[str]) -> dict[str, int]:
        """What of the module makes these attributes of a class, and what makes that, with the lines where it begins."""
        made_of = sorted(each for each in self.made_of if len(each) == 3)
        named = [name for *place, name in made_of if place[0] == owner and place[1] in attributes]
        found: dict[str, int] = {}
        for name in named:  # which grows
            definition = self.find((name,)) or self.find((owner, name))
            if definition and name not in found:
                found[name] = definition.line
                named += [inner for outer, _, inner in made_of if outer == name]
        return found

    def called_by(self, place: tuple[str, ...], apart: Container[tuple[str, ...]] = ()) -> dict[str, int]:
        """What of the module the function at this place calls, and what that calls, with the lines where it begins.

        What is defined at a place in `apart` is left out, and of many those that are more calls away.
        """
        caller = self.find(place)
        todo = [place] if caller and caller.kind == "function" else []
        found: dict[str, int] = {}
        for outer in todo:  # which grows
            for *caller_place, name in sorted(each for each in self.calls if each[: len(outer)] == outer != each):
                owner = caller_place[:1] if name.startswith("self.") else []
                inner = (*owner, name.removeprefix("self."))
                definition = self.find(inner)
                if inner not in todo and inner not in apart:
                    todo.append(inner)
                    found |= {inner[-1]: definition.line} if definition else {}
        return dict(sorted([*found.items()][:NEAREST], key=lambda each: each[1]))

    def place_of(self, place: tuple[str, ...], name: str) -> tuple[str, ...]:
        """Where the part of this name is: in a method or a property of its class so called, or else at its place.

        Where a class lacks the method: in a function of its name, or in the class.
        """
        places = [(*place[:1], name), place, place[-1:], place[:1]] if len(place) > 1 else []
        return next((each for each in places if self.find(each)), place)

    def methods(self) -> Iterator[Definition]:
        """The methods of all classes."""
        classes = {each.place for each in self.definitions if each.kind == "class"}
        return (each for each in self.definitions if each.kind == "function" and each.place[:-1] in classes)


def _names(names: Any) -> tuple[str, ...]:
    if not isinstance(names, list):
        raise TypeError(names)
    return tuple(map(str, names))


def _line(number: Any, lowest: int = 1) -> int:
    if type(number) is not int or not lowest <= number < 1 << 31:
        raise ValueError(number)
    return number


def describe(source: bytes) -> dict[str, Any]:
    """The outline of a source as plain data; SyntaxError, ValueError, RecursionError or MemoryError if it has none."""
    with warnings.catch_warnings(action="ignore"):
        tree = ast.parse(source)
    definitions: list[list[Any]] = []
    variables: dict[tuple[str, str], int] = {}
    stored, made_of, loops, tuples, names = set(), set(), set(), set[int](), set[str]()
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    called: set[tuple[str, ...]] = {pair for node in tree.body for pair in _set_from(node, classes)}
    stubs: list[tuple[int, int, int]] = []
    unused: list[tuple[int, str]] = []
    todo: list[tuple[ast.AST, tuple[str, ...]]] = [(tree, ())]
    while todo:
        node, place = todo.pop()
        if len(names) < MOST_NAMES:
            names.update(_mentioned(node))
        if isinstance(node, (ast.ClassDef, *_Function)):
            place = (*place, node.name)
            if len(definitions) < MOST and len(place) <= 4 and max(map(len, place)) <= LONGEST:
                definitions.append(_definition(node, place))
            stubs += _stubs(node.body)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and len(node.attr) <= LONGEST:
            stored.add((*place[:1], node.attr))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and place[1:] == ("__init__",):
            if len(variables) < MOST and max(len(place[0]), len(node.id)) <= LONGEST:
                variables.setdefault((place[0], node.id), node.lineno)
        elif isinstance(node, (ast.Assign, ast.Return)) and _ends_with_comma(node.value):
            tuples.add(node.end_lineno or node.lineno)
        elif isinstance(node, ast.Expr) and len(unused) < MOST and _only_gives_a_result(node.value):
            unused.append((node.lineno, ast.unparse(node)[:LONGEST].partition("\n")[0]))
        elif isinstance(node, ast.Assign):
            made_of |= {(*place[:1], *pair) for pair in _made(node)}
        elif isinstance(node, _LOOPS):
            loops.add(node.lineno)
        elif isinstance(node, ast.Call):
            called |= {(*place[:2], name) for name in _called(node, classes) if place}
        todo += ((child, place) for child in reversed(list(ast.iter_child_nodes(node))))
    own = {each[0][-1] for each in definitions} | {each[0] for each in called if len(each) == 2}
    called = {each for each in called if each[-1].removeprefix("self.") in own and max(map(len, each)) <= LONGEST}
    return {
        "definitions": definitions,
        "calls": [list(each) for each in sorted(called)[:MOST]],
        "stored": [list(each) for each in sorted(stored)[:MOST]],
        "made_of": [list(each) for each in sorted(made_of)[:MOST]],
        "loops": sorted(loops)[:MOST],
        "tuples": sorted(tuples)[:MOST],
        "unused": sorted(unused),
        "stubs": sorted(stubs)[:MOST],
        "loop_at_import": _loop_at_import(tree),
        "run_at_import": [(node.lineno, node.end_lineno) for node in tree.body if not isinstance(node, _DEFINES)][
            :MOST
        ],
        "names": sorted(names),
        "variables": [[*each, line] for each, line in variables.items()],
    }


def _mentioned(node: ast.AST) -> list[str]:
    """The names in a node itself; see `Outline.names`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name, ctx=ast.Load()):
            found = [name]
        case ast.alias(name=name):
            found = name.split(".")
        case ast.Constant(value=str(text)) if len(text) <= 20:
            found = re.findall(r"\w+", text)
        case ast.AugAssign():
            found = ["+="]
        case ast.Subscript(ctx=ast.Store()):
            found = ["[]="]
        case ast.BinOp(op=ast.Pow()):
            found = ["**"]
        case _:
            found = []
    return [name for name in found if len(name) <= LONGEST]


def _made(node: ast.Assign) -> list[tuple[str, str]]:
    """The attributes that are set, each with each name that is called in their value, also after `self.`."""
    attributes = [each.attr for each in node.targets if isinstance(each, ast.Attribute) and len(each.attr) <= LONGEST]
    called = set[str]()
    for each in ast.walk(node.value) if attributes else ():
        match each:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self"), attr=name)):
                called.add(name)
    return [(attribute, name) for attribute in attributes for name in called if len(name) <= LONGEST]


def _called(node: ast.Call, classes: Container[str]) -> list[str]:
    """What a call may run of the module: `name(…)`, `self.name(…)` or, of one of the classes, `Name.apply(…)`."""
    match node.func:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return [f"self.{name}"]
        case ast.Name(id=name):
            return [name]
        case ast.Attribute(value=ast.Name(id=name)) if name in classes:
            return [name]
    return []


def _set_from(node: ast.stmt, classes: Container[str]) -> list[tuple[str, str]]:
    """The names that a statement at the left margin sets, each with each name that is called in their value."""
    names = [each.id for each in node.targets if isinstance(each, ast.Name)] if isinstance(node, ast.Assign) else []
    calls = (each for each in ast.walk(node) if isinstance(each, ast.Call)) if names else ()
    called = {name for each in calls for name in _called(each, classes)}
    return [(name, each) for name in names for each in called]


def _ends_with_comma(value: ast.expr | None) -> bool:
    """Whether a value is a tuple of one element without parentheses, which are written on purpose."""
    match value:
        case ast.Tuple(elts=[only]):
            return (value.lineno, value.col_offset) == (only.lineno, only.col_offset)
    return False


def _only_gives_a_result(value: ast.expr) -> bool:
    """Whether an expression changes nothing, as far as its form tells."""
    match value:
        case ast.BinOp() | ast.UnaryOp():
            return True
        case ast.Call(func=ast.Attribute(value=owner, attr=name), keywords=options):
            while isinstance(owner, ast.Attribute):
                owner = owner.value
            a_layer = isinstance(owner, ast.Name) and owner.id == "self"  # which may work in place
            return name in _RESULTS and not a_layer and not {each.arg for each in options} & {"out", "inplace"}
    return False


def _definition(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, place: tuple[str, ...]) -> list[Any]:
    """The fields of a `Definition`."""
    if isinstance(node, ast.ClassDef):
        return [list(place), node.lineno, "class", [], "", bool(node.decorator_list)]
    parameters = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
    if len(parameters) > 20 or max(map(len, parameters), default=0) > LONGEST:
        parameters = []
    signature = f"def {node.name}({ast.unparse(node.args)[:150]})"
    return [list(place), node.lineno, "function", parameters, signature, bool(node.decorator_list)]


def _stubs(body: list[ast.stmt]) -> Iterator[tuple[int, int, int]]:
    """The raises of NotImplementedError among these statements; see `Outline.stubs`."""
    raises = [at for at, node in enumerate(body) if isinstance(node, ast.Raise) and _names_not_implemented(node)]
    code = [at for at, node in enumerate(body) if at not in raises and not isinstance(node, ast.Expr | ast.Pass)]
    for at in raises[:MOST]:
        before = next((body[each].end_lineno or 0 for each in reversed(code) if each < at), 0)
        after = next((body[each].lineno for each in code if each > at), 0)
        yield body[at].lineno, before, after


def _names_not_implemented(node: ast.Raise) -> bool:
    match node.exc:
        case ast.Name(id="NotImplementedError") | ast.Call(func=ast.Name(id="NotImplementedError")):
            return True
    return False


def _loop_at_import(tree: ast.Module) -> int | None:
    """The line of the first loop that runs at import, also inside `if`, `with`, `try` and functions called there."""
    todo: list[ast.stmt] = tree.body[::-1]
    functions = {node.name: node.body for node in tree.body if isinstance(node, ast.FunctionDef)}
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.For, ast.While)):
            return node.lineno
        if isinstance(node, (ast.With, ast.Try, ast.If)) and not (isinstance(node, ast.If) and _is_main(node.test)):
            todo += node.body[::-1]
        if isinstance(node, (ast.Expr, ast.Assign)) and isinstance(node.value, ast.Call):
            called = node.value.func
            if isinstance(called, ast.Name):
                todo += functions.pop(called.id, [])[::-1]
    return None


def _is_main(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Constant) and node.value == "__main__" for node in ast.walk(test))
