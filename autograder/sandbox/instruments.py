"""What the submission's process looks into a student's objects with, and what stands in for their functions."""

from __future__ import annotations

import contextlib
import dataclasses
import dis
import functools
import inspect
import itertools
import re
import socket
import sys
import typing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any, cast

import torch
import typing_extensions
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from autograder.sandbox.limits import LIMITS
from autograder.sandbox.protocol import NEWER_TYPING, Message, receive, send

MAX_HELD = 100  # values in a container, in which tensors are looked for


class OperatorCount(TorchFunctionMode):
    """Counts the calls of torch inside the `with` block.

    A function mode, because entering a dispatch mode imports the compiler, which is slow.
    """

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


class Elsewhere(TorchFunctionMode):
    """Raises RuntimeError in the `with` block where a GPU would: where tensors of two devices meet.

    A tensor that is made with no device and from no tensor lies on the CPU, what it is given does not. Torch's own meta
    device would say so too, but imports the compiler for it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Tensor] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if not isinstance(result, Tensor):
            return result
        name = getattr(func, "__name__", "")
        if name in ("to", "type_as", "cuda"):
            return result.view_as(result)  # a new tensor, as on a GPU
        nested = (each if isinstance(each, (tuple, list)) else (each,) for each in (*args, *kwargs.values()))
        given = [each for some in nested for each in some if isinstance(each, Tensor) and each.dim()]  # a number may be
        own = [each for each in given if any(each is other for other in self.made)]
        if own and len(own) < len(given) and name not in ("expand_as", "view_as", "reshape_as", "copy_"):
            raise RuntimeError(MEET)
        if result.dim() and (own or (not given and "device" not in kwargs)):
            self.made.append(result)
        return result


MEET = "a tensor made on the CPU meets one that may lie on a GPU"


class InNotebook:
    """In place of a name that only notebooks have: any use of it works and has no effect. It counts as false."""

    def __call__(self, *_: Any, **__: Any) -> InNotebook:
        return self

    def __getattr__(self, name: str) -> InNotebook:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, _: Any) -> InNotebook:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __bool__(self) -> bool:
        return False


class NewerTyping(ModuleType):
    """`typing` with what newer Pythons have there for annotations alone.

    Attributes:
        taken: the names of these that a file takes, with the line where it first does.
    """

    def __init__(self, file: str) -> None:
        super().__init__("typing")
        self._file, self.taken = file, dict[str, int]()
        vars(self).update(vars(typing))

    def __getattr__(self, name: str) -> Any:
        if name not in NEWER_TYPING:
            raise AttributeError(f"module 'typing' has no attribute {name!r}")
        caller = sys._getframe(1)
        if caller.f_code.co_filename == self._file:
            self.taken.setdefault(name, caller.f_lineno)
        return getattr(typing_extensions, name)


OF_NOTEBOOKS = ("get_ipython", "display", "__IPYTHON__")  # what IPython adds to Python's own names


def needs_notebook(error: Exception) -> bool:
    """Whether code stopped for want of what only a notebook has."""
    if isinstance(error, NameError):
        return error.name in OF_NOTEBOOKS
    return bool(re.match(r"'NoneType' object has no attribute '(?:\w+_magic|system|getoutput|config)'", str(error)))


def stand_in(channel: socket.socket, name: str, parameters: list[str], own: Any) -> Callable[..., Tensor]:
    """A differentiable function whose values and gradients the client computes, over the channel.

    Arguments passed by keyword go where `parameters` names them, or else where the submission's `own` function does.
    The gradients of a single number come along with it, those of a tensor are asked for.
    """
    calls = itertools.count()

    def ask(message: Message, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        send(channel, message, {f"argument.{index}": tensor for index, tensor in enumerate(tensors)})
        _, answer = receive(channel)
        return tuple(answer[f"answer.{index}"] for index in range(len(answer)))

    class StandIn(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *arguments: Tensor) -> Any:
            ctx.call = next(calls)
            value, *ctx.slopes = ask({"ask": name, "call": ctx.call, "needed": ctx.needs_input_grad}, arguments)
            return value

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor) -> Any:
            known = [gradients[0] * slope for slope in ctx.slopes]
            found = iter(known or ask({"ask": name, "call": ctx.call, "gradient": True}, gradients))
            return tuple(next(found) if needed else None for needed in ctx.needs_input_grad)

    def stand_in(*arguments: Tensor, **named: Tensor) -> Tensor:
        if named.keys() <= set(parameters):
            arguments += tuple(named[each] for each in parameters if each in named)
        else:
            arguments = inspect.signature(own).bind(*arguments, **named).args
        return cast(Tensor, StandIn.apply(*arguments))

    stand_in.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(each, inspect.Parameter.POSITIONAL_OR_KEYWORD) for each in parameters]
    )
    return stand_in


def in_order(function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
    """The arguments of a call in the order of the function's parameters."""
    try:
        bound = inspect.signature(function).bind(*arguments, **named)
    except (TypeError, ValueError):
        return [*arguments, *named.values()]
    return [*bound.args, *bound.kwargs.values()]


def is_module(value: Any) -> bool:
    """Whether it is an nn.Module whose constructor has called that of nn.Module."""
    return isinstance(value, nn.Module) and "_parameters" in vars(value)


def named_modules(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """A model and the modules registered in it, each once and with its dotted name, in PyTorch's order.

    PyTorch's own method calls methods that a class may replace, and needs a hash of the model.
    """
    seen, todo = set[int](), [("", model)]
    while todo:
        path, module = todo.pop()
        if id(module) in seen:
            continue
        seen.add(id(module))
        yield path, module
        inner = [(name, each) for name, each in _registered(module, "_modules") if isinstance(each, nn.Module)]
        todo += [(f"{path}.{name}" if path else name, each) for name, each in reversed(inner)]


def named_parameters(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """The parameters registered in a model, each once and with its dotted name, in PyTorch's order."""
    found: dict[int, tuple[str, nn.Parameter]] = {}
    for path, module in named_modules(model):
        for name, each in _registered(module, "_parameters"):
            if each is not None:
                found.setdefault(id(each), (f"{path}.{name}" if path else name, each))
    return list(found.values())


def _registered(module: nn.Module, kind: str) -> list[tuple[str, Any]]:
    held = vars(module).get(kind)
    return list((getattr(module, kind, {}) if held is None else held).items())  # a traced module has them elsewhere


def set_mode(model: nn.Module, training: bool) -> None:
    """Set training or evaluation mode, without the model's own method where that does not work."""
    try:
        model.train(training)
    except Exception:
        for _, each in named_modules(model):
            each.training = training


def register(model: nn.Module) -> list[str]:
    """Register the layers and tensors that PyTorch would not train, so that the rest can be judged; their names.

    They are in lists, dictionaries, plain objects and functions, attributes of a class, or made at first use. A tensor
    that is no parameter is registered where it requires a gradient, or where it is one of a layer: see `_as_layers`.
    """
    for each in type(model).__mro__[: -len(nn.Module.__mro__)]:
        for name, value in vars(each).items():
            if isinstance(value, functools.cached_property):
                with contextlib.suppress(Exception):
                    getattr(model, name)
    for _, module in named_modules(model):
        _let_train(_as_layers(module))
    found = {id(module) for _, module in named_modules(model)}
    names: list[str] = []
    for path, value in itertools.islice(_held(model), LIMITS.submodules):
        if isinstance(value, Tensor):
            parameters = named_parameters(model)
            if all(value is not each for _, each in parameters) and _is_new(value, parameters):
                model._parameters[path] = cast(nn.Parameter, value)
                names.append(path)
            continue
        own = {id(module) for _, module in named_modules(value)}
        if found.isdisjoint(own) and (inside := named_parameters(value)):
            model._modules[path] = value
            found |= own
            names += [f"{path}.{name}" for name, _ in inside]
    return names[: LIMITS.submodules]


def _as_layers(module: nn.Module) -> list[Tensor]:
    """The tensors that a module without parameters holds, if they are matrices with a vector that fits each; else none.

    Other tensors may be constants that have to keep their numbers, such as a table.
    """
    if named_parameters(module):
        return []
    held = [each for each in unpacked(vars(module)) if isinstance(each, Tensor) and each.is_floating_point()]
    matrices, vectors = ([each for each in held if each.dim() == axes] for axes in (2, 1))
    fit = len(matrices) == len(vectors) and all(any(len(b) in w.shape for b in vectors) for w in matrices)
    return held if matrices and fit and len(held) == 2 * len(matrices) else []


def _let_train(tensors: Iterable[Tensor]) -> None:
    for each in tensors:
        with contextlib.suppress(Exception):
            each.requires_grad_(True)


def _is_new(value: Tensor, parameters: list[tuple[str, nn.Parameter]]) -> bool:
    """Whether a tensor, made a leaf where it is none, can be trained by itself: it follows from no parameter."""
    try:
        if not value.is_leaf:
            known = [each for _, each in parameters]
            made_of = torch.autograd.grad(value.sum(), known, retain_graph=True, allow_unused=True) if known else ()
            if any(each is not None for each in made_of):
                return False
            value.detach_().requires_grad_(True)
        return not value.is_inference() and value.layout is torch.strided
    except Exception:
        return False


def _held(model: nn.Module) -> Iterator[tuple[str, nn.Module | Tensor]]:
    """The modules that a model and its submodules hold in any way but by registration, each with where it is held.

    So are tensors that require a gradient. What functions hold has no name in Python: its path has parentheses.
    """
    seen = set[int]()  # functions
    todo = deque((path, value, 0) for path, value in _attributes(model))
    for _ in range(20 * LIMITS.submodules):
        if not todo:
            return
        path, value, deep = todo.popleft()
        if isinstance(value, (staticmethod, classmethod)):
            value = value.__func__
        elif isinstance(value, property):
            value = value.fget
        if is_module(value) or (isinstance(value, Tensor) and value.requires_grad):
            yield path[:100], value
        elif deep < 4 and isinstance(value, (list, tuple)):
            todo += ((f"{path}[{at}]", each, deep + 1) for at, each in enumerate(value[: LIMITS.submodules]))
        elif deep < 4 and isinstance(value, dict):
            some = itertools.islice(value.items(), LIMITS.submodules)
            todo += ((f"{path}[{key!r}]"[:200], each, deep + 1) for key, each in some)
        elif deep < 4 and isinstance(value, functools.partial):
            todo.append((f"{path}()", [value.func, *value.args, *value.keywords.values()], deep + 1))
        elif deep < 4 and inspect.isfunction(value) and value.__module__ == model.__module__ and id(value) not in seen:
            seen.add(id(value))
            kept = [*(value.__defaults__ or ()), *_around(value)]
            todo += ((f"{path}()[{at}]", each, deep + 1) for at, each in enumerate(kept[: LIMITS.submodules]))
            todo += ((f"{value.__module__}.{name}", each, deep + 1) for name, each in _used_globals(value))
        elif deep < 4 and type(value).__module__ == model.__module__ and hasattr(value, "__dict__"):
            todo += ((f"{path}.{name}", each, deep + 1) for name, each in vars(value).items())


def _attributes(model: nn.Module) -> Iterator[tuple[str, Any]]:
    """What a model and its submodules have as attributes, buffers among them, and what their classes have, by path."""
    classes = {id(each): ("", each) for each in type(model).__mro__[: -len(nn.Module.__mro__)]}
    for path, module in named_modules(model):
        for each in type(module).__mro__:
            if each.__module__ == model.__module__:
                classes.setdefault(id(each), (f"{path}.", each))
    places: list[tuple[str, Mapping[str, Any]]] = [(start, vars(each)) for start, each in classes.values()]
    for path, module in named_modules(model):
        places += [(f"{path}." if path else "", each) for each in (vars(module), dict(_registered(module, "_buffers")))]
    yield from ((start + name, each) for start, held in places for name, each in held.items() if name not in _OWN)


def _around(function: Callable[..., Any]) -> Iterator[Any]:
    """What a function uses of the function that it is defined in."""
    for cell in getattr(function, "__closure__", None) or ():
        with contextlib.suppress(ValueError):  # which it never got
            yield cell.cell_contents


def _used_globals(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """The module's own names that a function uses, with what they are now."""
    known = function.__globals__
    yield from ((name, known[name]) for name in _global_names(function.__code__) if name in known)


@functools.lru_cache(MAX_HELD)
def _global_names(code: CodeType) -> tuple[str, ...]:
    """The names that code, and what is defined in it, takes from its module."""
    own = [each.argval for each in dis.get_instructions(code) if each.opname == "LOAD_GLOBAL"]
    inner = (name for each in code.co_consts if isinstance(each, CodeType) for name in _global_names(each))
    return (*dict.fromkeys((*own, *inner)),)


_OWN = frozenset(vars(nn.Module()))  # what every module holds


def unpacked(result: Any, deep: int = 3) -> Iterator[Any]:
    """The tensors in tuples, lists, dictionaries and data classes, nested so deep; the result if there are none."""
    values: Iterable[Any] = ()
    if isinstance(result, (tuple, list)):
        values = result
    elif isinstance(result, dict):
        values = result.values()
    elif dataclasses.is_dataclass(result) and not isinstance(result, type):
        values = [getattr(result, each.name) for each in dataclasses.fields(result)]
    some = itertools.islice(values, MAX_HELD if deep else 0)
    inner = (each for value in some for each in unpacked(value, deep - 1))
    tensors = (each for each in inner if isinstance(each, Tensor))
    yield next(tensors, result)
    yield from tensors


def type_name(value: Any) -> str:
    return "None" if value is None else type(value).__name__
