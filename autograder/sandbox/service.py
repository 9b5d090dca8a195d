"""The submission's process: imports the module, builds objects, calls functions and trains, as the client's frames ask.

It is the untrusted side: the client believes nothing but the numbers, and checks those.
"""

from __future__ import annotations

import ast
import contextlib
import dis
import functools
import importlib.util
import inspect
import itertools
import linecache
import re
import socket
import sys
import typing
from collections.abc import Callable, Iterator
from numbers import Integral
from pathlib import Path
from types import FrameType, ModuleType, TracebackType
from typing import Any, cast

import torch
from torch import Tensor, nn

from autograder.sandbox import outputs
from autograder.sandbox.edits import edits
from autograder.sandbox.errors import MAX_NAME, MAX_TEXT, shortened
from autograder.sandbox.instruments import (
    OF_NOTEBOOKS,
    Elsewhere,
    InNotebook,
    NewerTyping,
    OperatorCount,
    in_order,
    is_module,
    named_modules,
    named_parameters,
    needs_notebook,
    register,
    set_mode,
    stand_in,
    type_name,
    unpacked,
)
from autograder.sandbox.limits import LIMITS
from autograder.sandbox.outline import describe
from autograder.sandbox.protocol import ChannelClosed, Message, is_usual, receive, send

MAX_PRINTED = 1000  # characters


_FORMATS = (  # how files begin that people rename
    (rb"PK\x03\x04", "a zip archive or an Office document"),
    (rb"\x1f\x8b", "packed with gzip"),
    (rb"%PDF-", "a PDF"),
    (rb"\{\\rtf", "rich text (RTF)"),
    (rb"\s*(?i:<!doctype html|<html)", "a web page"),
    (rb"\s*\{\s*\"(?:cells|metadata|nbformat)\"", "a notebook"),
)


def _no_source(source: bytes) -> str:
    """Why these bytes are no Python, where Python's own words would mislead; empty if they may be."""
    if kind := next((kind for start, kind in _FORMATS if re.match(start, source)), ""):
        return f"the file is {kind}, not Python"
    if b"\0" not in source:
        return ""
    # Half of UTF-16 are null bytes, and three quarters of UTF-32.
    share = source.count(b"\0") / len(source)
    if 0.3 < share < 0.9:
        return f"the file is saved as {'UTF-32' if share > 0.6 else 'UTF-16'}, and Python reads UTF-8"
    return f"line {source[: source.index(0)].count(10) + 1} has a null byte, which no source may have"


def load(name: str, file: Path, newer: NewerTyping | None = None, **known: object) -> ModuleType:
    """The module in `file`, imported under `name`, with names that are known there before.

    What is imported meanwhile finds `newer` in place of `typing`; packages that asked before do not.
    """
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    vars(module).update(known)
    sys.modules["typing"] = newer or typing
    try:
        spec.loader.exec_module(module)
    finally:
        sys.modules["typing"] = typing
    return module


_MISSING = object()


def looked_up(owner: Any, name: str, default: Any = None) -> Any:
    """An attribute, or the default where looking it up raises anything: a submission may define `__getattr__`."""
    try:
        return getattr(owner, name, default)
    except Exception:
        return default


_CARRIED = {  # the types of numbers that a frame can hold
    getattr(torch, name, None)
    for name in (
        *("float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "bool"),
        *("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8"),
    )
}
_NAME = vars(type)["__name__"]  # of a class, which no metaclass can replace


def _gradients_of(value: Tensor, wanted: list[Tensor]) -> list[Tensor | None]:
    """The gradients of a scalar by `backward`, as in training: a reentrant checkpoint refuses `torch.autograd.grad`."""
    for each in wanted:
        each.grad = None
        each.retain_grad()
    value.backward()
    found = [each.grad for each in wanted]
    for each in wanted:
        each.grad = None
    return found


def _own_parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters of a module that have a shape, without those of its submodules, by name."""
    found = {name: each for name, each in named_parameters(module) if "." not in name}
    return {name: each for name, each in found.items() if not torch.nn.parameter.is_lazy(each)}


def _is_linear(module: nn.Module) -> bool:
    """Whether it is an `nn.Linear`, or of a class that is not torch's and holds a matrix and a bias that fits it.

    What else is frozen may be a constant that has to keep its numbers, such as a table.
    """
    own = _own_parameters(module)
    if isinstance(module, nn.Linear):
        return type(module) is nn.Linear or own.keys() <= {"weight", "bias"}
    shapes = sorted((tuple(each.shape) for each in own.values()), key=len)
    ours = type(module).__module__.partition(".")[0] != "torch"
    return ours and [len(each) for each in shapes] == [1, 2] and shapes[0][0] in shapes[1]


def _clear_constant_biases(model: nn.Module) -> None:
    """Set the biases of layers to 0 that are no parameters, such as buffers, so that the rest can be judged."""
    for _, module in named_modules(model):
        held = vars(module)
        bias = held.get("bias", (held.get("_buffers") or {}).get("bias"))
        layer = any(each.dim() == 2 for each in _own_parameters(module).values())
        if layer and isinstance(bias, Tensor) and bias.is_leaf:
            with contextlib.suppress(Exception):
                bias.data.zero_()


def _leave_inference_mode(model: nn.Module) -> bool:
    """Put usual parameters in place of those made in inference mode, so that the rest can be judged.

    Returns whether there were any.
    """
    known = (each for _, each in named_parameters(model) if not torch.nn.parameter.is_lazy(each))
    made = [each for each in known if each.is_inference()]
    usual = {id(each): nn.Parameter(each.clone(), each.requires_grad) for each in made}
    for _, module in named_modules(model) if made else ():
        held = vars(module).get("_parameters") or {}
        held.update({name: usual[id(each)] for name, each in held.items() if id(each) in usual})
    return bool(made)


def _part_aliases(model: nn.Module) -> list[tuple[str, str]]:
    """Give parameters that overlap an earlier one in memory numbers of their own; the names of both.

    So the rest can be judged, which sets the parameters one after the other.
    """
    pairs: list[tuple[str, str]] = []
    known: list[tuple[str, int, int]] = []
    for name, each in named_parameters(model):
        if torch.nn.parameter.is_lazy(each) or each.layout != torch.strided or each.is_meta or not each.numel():
            continue
        with contextlib.suppress(RuntimeError):  # of a tensor without memory
            start = each.data_ptr()
            steps = sum((size - 1) * stride for size, stride in zip(each.shape, each.stride(), strict=True))
            end = start + (steps + 1) * each.element_size()
            earlier = next((other for other, first, past in known if first < end and start < past), None)
            if earlier is None:
                known.append((name, start, end))
            else:
                each.data = each.data.clone()
                pairs.append((name[:100], earlier[:100]))
    return pairs[: LIMITS.submodules]


class Invalid(Exception):
    """The submission lacks what the client asked for: a code of `errors`, with its fields."""

    def __init__(self, code: str, **fields: str | int) -> None:
        super().__init__(code)
        cut = {name: value[:MAX_NAME] if isinstance(value, str) else value for name, value in fields.items()}
        self.sent: Message = {"code": code, **cut}


class Service:
    """The submission's process: keeps the imported module and the objects built from it, and answers frames."""

    def __init__(self, channel: socket.socket, path: Path, training: ModuleType | None) -> None:
        self.channel, self.path, self.training = channel, path, training
        self.module: ModuleType | None = None
        self.objects: dict[str, Any] = {}
        self.without_gradients = False  # whether the module, or a constructor, turned them off for what follows
        self.inference = False  # whether a constructor has made parameters in inference mode

    def serve(self) -> None:
        """Answer frames until the client hangs up (ChannelClosed)."""
        operations: dict[str, Callable[[Message, dict[str, Tensor]], tuple[Message, dict[str, Tensor]]]] = {
            name.removeprefix("do_"): getattr(self, name) for name in dir(self) if name.startswith("do_")
        }
        while True:
            message, tensors = receive(self.channel)
            try:
                with torch.enable_grad():  # also where an earlier call turned gradients off
                    answer, results = operations[message["do"]](message, tensors)
            except ChannelClosed:
                raise
            except BaseException as error:
                answer, results = {"error": self._describe(error)}, {}
            with contextlib.suppress(BaseException):
                sys.stdout.flush()
                sys.stderr.flush()
            try:
                send(self.channel, {"id": message["id"], **answer}, results)
            except ChannelClosed:
                raise
            except BaseException:  # of what cannot be encoded: nothing is sent yet
                send(self.channel, {"id": message["id"], "error": {"code": "unreadable-answer"}})

    def do_outline(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """What the source shows, parsed and not run."""
        return {"outline": describe(tensors["source"].numpy().tobytes())}, {}

    def do_edits(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Small changes of the source, which is parsed and not run."""
        return {"edits": edits(tensors["source"].numpy().tobytes(), message["places"])}, {}

    def do_outputs(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """What a notebook was handed in with, decoded. Nothing of the submission has run in this process."""
        shown, found = outputs.decode({cell: tensors[f"{cell}"].numpy().tobytes() for cell in message["cells"]})
        return {"shown": shown}, found

    def do_load(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Import the module from its source.

        A line that needs a notebook is passed over, and comes back; so do lines that need a newer Python.
        """
        source = tensors["source"].numpy().tobytes()
        self.path.write_bytes(source)
        if said := _no_source(source):
            raise SyntaxError(said)
        sys.argv = [str(self.path)]  # a command line without arguments, for a module that reads one
        sys.path.insert(0, str(self.path.parent))
        line, names, newer = None, dict.fromkeys(OF_NOTEBOOKS, InNotebook()), NewerTyping(str(self.path))
        torch.default_generator.manual_seed(message["seed"])
        try:
            self.module = load(self.path.stem, self.path, newer)
        except (NameError, AttributeError) as error:
            if not needs_notebook(error):
                raise
            line = self._details(error)["line"]
            if "IPython" in sys.modules:
                sys.modules["IPython"].get_ipython = names["get_ipython"]  # type: ignore[attr-defined]
            torch.default_generator.manual_seed(message["seed"])
            self.module = load(self.path.stem, self.path, newer, **names)
        except (RecursionError, MemoryError) as error:
            if any(entry.tb_frame.f_code.co_filename == str(self.path) for entry in _entries(error.__traceback__)):
                raise
            raise Invalid("not-compiled") from error  # nothing of it has run
        for name, value in names.items():  # for calls in functions
            vars(self.module).setdefault(name, value)
        self.without_gradients = not torch.is_grad_enabled()
        taken = {name: at for name, at in newer.taken.items() if not _in_try(source, at)}
        return {"notebook": line, "newer": taken}, {}

    def do_construct(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Build an object of a class and keep it, even when its constructor raises half-way."""
        factory = self._attribute(self.module, message["name"])
        torch.default_generator.manual_seed(message["seed"])
        if not isinstance(factory, type):
            raise Invalid("not-a-class", name=message["name"])
        arguments, named = message["args"], message["named"]
        # As type.__call__ does, but that the object is kept; one of the submission's own builds in its own way.
        by_type = type(factory).__call__ is type.__call__
        new: Any = factory.__new__
        instance: Any
        if not by_type:
            instance = factory(*arguments, **named)
        elif new is object.__new__:  # which takes no arguments
            instance = new(factory)
        else:
            instance = new(factory, *arguments, **named)
        self.objects[message["as"]] = instance
        try:
            if by_type and type.__instancecheck__(factory, instance):
                instance.__init__(*arguments, **named)
            self.without_gradients |= not torch.is_grad_enabled()
        except BaseException as error:
            return {"incomplete": self._describe(error)}, {}
        if not is_module(instance):
            return {"incomplete": None}, {}
        others = [model for key, model in self.objects.items() if key != message["as"] and is_module(model)]
        theirs = {id(each) for model in others for _, each in named_parameters(model)}
        self.inference |= _leave_inference_mode(instance)
        _clear_constant_biases(instance)
        return {
            "incomplete": None,
            "unregistered": register(instance),
            "frozen": self._unfreeze(instance),
            "aliased": _part_aliases(instance),
            "shared": [name for name, each in named_parameters(instance) if id(each) in theirs],
        }, {}

    @staticmethod
    def _unfreeze(model: nn.Module) -> list[str]:
        """Let frozen linear layers be trained, so that the rest can be judged; the names of their parameters."""
        layers = [each for _, each in named_modules(model) if _is_linear(each)]
        inside = {id(each) for layer in layers for _, each in named_parameters(layer)}
        named = [(name, each) for name, each in named_parameters(model) if id(each) in inside]
        frozen = [(name[:100], each) for name, each in named if not each.requires_grad and each.is_floating_point()]
        for _, each in frozen:
            each.requires_grad_(True)
        return [name for name, _ in frozen[: LIMITS.submodules]]

    def do_attributes(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Some attributes' values: an integer, also of NumPy or in a tensor, or the name of another type.

        A missing attribute gives None, an attribute that is None gives "NoneType".
        """
        instance = self.objects[message["object"]]
        found: dict[str, int | str | None] = {}
        for name in message["names"]:
            value = looked_up(instance, name, _MISSING)
            if value is _MISSING:
                found[name] = None
            else:
                number = _integer(value)
                found[name] = type(value).__name__[:100] if number is None else number
        return {"attributes": found}, {}

    def do_submodules(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """The dotted names of a model's submodules and the names of their types, in order, only for hints."""
        self._parameters(message["object"])  # Invalid if it is not a module
        modules = itertools.islice(named_modules(self.objects[message["object"]]), 1, LIMITS.submodules)
        return {"submodules": [(name[:100], type(module).__name__[:100]) for name, module in modules]}, {}

    def do_parameters(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """The names and shapes of a model's trainable parameters, in order; those without a shape, those of ones."""
        named = self._parameters(message["object"])
        lazy = [name for name, value in named if torch.nn.parameter.is_lazy(value)]
        shapes = [
            (name, list(self._require_dense(value, f"parameter {name}").shape))
            for name, value in named
            if name not in lazy
        ]
        known = [(name, value) for name, value in named if name not in lazy]
        vectors = ((name, value) for name, value in known if value.numel() == max(value.shape, default=1))
        return {
            "shapes": shapes,
            "lazy": lazy,
            "ones": [name for name, value in vectors if bool((value == 1).all())],
            "types": [(name, str(value.dtype).removeprefix("torch.")) for name, value in named],
        }, {}

    def do_as_float32(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Convert submodules of a model to float32: all of it if one is no module, or if no parameter is float32."""
        model, parameters = self.objects[message["object"]], self._parameters(message["object"])
        pieces = [self._submodule(model, name) for name in message["names"]]
        whole = not all(map(is_module, pieces)) or all(each.dtype != torch.float32 for _, each in parameters)
        for each in [model] if whole else pieces:
            nn.Module.float(each)
        return {}, {}

    def do_stand_in_layer(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Set an attribute of a model to a linear layer, so that the rest can be judged."""
        model = self.objects[message["object"]]
        self._parameters(message["object"])
        torch.default_generator.manual_seed(message["seed"])
        layer: nn.Module = nn.Linear(message["inputs"], message["outputs"])
        layer = nn.Sequential(layer, nn.Sigmoid()) if message["sigmoid"] else layer
        setattr(model, message["name"], layer)
        if looked_up(model, message["name"]) is not layer:  # an attribute of the class hides it, perhaps a property
            vars(model)[message["name"]] = layer
            kind = type(model)
            model.__class__ = type(kind.__name__, (kind,), {message["name"]: layer})
        return {}, {}

    def do_complete_results(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """From now on, put what submodules gave last where a model returns None among as many results."""
        model, names = self.objects[message["object"]], message["names"]
        self._parameters(message["object"])
        last: dict[str, Any] = {}
        for name in names:
            if (piece := self._submodule(model, name)) is not None:
                _hook(piece, lambda _, given, named, result, name=name: last.update({name: result}))

        def complete(_: nn.Module, given: Any, named: Any, results: Any) -> Any:
            if not isinstance(results, (tuple, list)) or len(results) != len(names):
                return results
            if not any(isinstance(each, Tensor) for each in results):
                return results
            return tuple(last.get(name) if each is None else each for name, each in zip(names, results, strict=True))

        nn.Module.register_forward_pre_hook(model, lambda *_: last.clear())
        _hook(model, complete)
        return {}, {}

    def do_stand_in_pass(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Replace a model's own pass by steps through its pieces, which the client names only when they are needed."""
        model = self.objects[message["object"]]
        self._parameters(message["object"])

        def forward(*inputs: Tensor) -> tuple[Any, ...]:
            values = dict(zip(message["inputs"], inputs, strict=True))
            for result, name, arguments, on in message["steps"]:
                piece = self._attribute(model if on == "model" else self.module, name)
                columns = ([values[each] for each in argument] for argument in arguments)
                values[result] = piece(*(torch.cat(each, -1) if len(each) > 1 else each[0] for each in columns))
            return tuple(values[each] for each in message["results"])

        object.__setattr__(model, "forward", forward)
        return {}, {}

    def do_set_parameters(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Overwrite parameters of a model, by name."""
        with torch.no_grad():
            for name, parameter in self._parameters(message["object"]):
                if f"parameter.{name}" in tensors:
                    parameter.copy_(tensors[f"parameter.{name}"])
        return {}, {}

    def do_call(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Call a function of the module, an object, or a callable attribute of one.

        With `gradients`, differentiate the sum of each output times its cotangent (cotangent.i):
        with respect to the arguments (argument.i) but the `constants`, and, for an object, to its parameters
        (parameter.NAME). With `reach`, name the parameters of the object that these outputs depend on differentiably.
        With `evaluate`, the call is as one evaluates: in evaluation mode, and without gradients. `capture` names
        callables, attributes of the object or functions of the module, whose first call during this one comes back: its
        arguments and results. With `unpack`, the results may be in containers of any kind: see `unpacked`.
        """
        leaves = [tensors[f"argument.{index}"] for index in range(message["arguments"])]
        differentiate = any(name.startswith("cotangent.") for name in tensors)
        for index, leaf in enumerate(leaves):
            leaf.requires_grad_(differentiate and index not in message["constants"])
        # As in a network, where an argument is the result of a layer and may be changed in place.
        arguments = [leaf.clone() if leaf.requires_grad else leaf for leaf in leaves]
        before = [(argument._version, argument.detach().clone()) for argument in arguments]
        if message["seed"] is not None:
            torch.default_generator.manual_seed(message["seed"])
        with self._mode(message), self._captured(message) as captured:
            result = self._target(message)(*arguments)
        changed = [
            index
            for index, (argument, (version, value)) in enumerate(zip(arguments, before, strict=True))
            if argument._version != version or not torch.equal(argument.detach(), value)
        ]
        items = list(result) if isinstance(result, (tuple, list)) else [result]
        count, types = len(items), [type_name(each)[:MAX_NAME] for each in items[: LIMITS.results]]
        if message["unpack"]:
            items = list(itertools.islice(unpacked(result), LIMITS.results + 1))
        if len(items) > LIMITS.results:
            raise Invalid("too-many-results", kind=type_name(result), count=count)
        outputs: dict[str, Tensor] = {}
        problems: list[Message | None] = []
        for index, item in enumerate(items):
            try:
                outputs[f"output.{index}"] = self._plain(item, "result" if len(items) == 1 else f"result {index + 1}")
                problems.append(None)
            except Invalid as problem:
                problems.append(problem.sent)
        answer = {
            "kind": type_name(result),
            "count": count,
            "types": types,
            "packed": not items or items[0] is not result,
            "problems": problems,
            "changed": changed,
            "seed": torch.default_generator.initial_seed(),
        }
        outputs |= captured
        if message["reach"] and not any(problems):
            answer["reached"] = self._reached(message, items)
        if differentiate and not any(problems):
            outputs |= self._gradients(message, items, leaves, tensors)
        return answer, outputs

    @contextlib.contextmanager
    def _mode(self, message: Message) -> Iterator[None]:
        """With `evaluate`, evaluation mode for the object, and no gradients but those that are asked for."""
        if not message["evaluate"]:
            yield
            return
        model = self.objects.get(message.get("object", ""))
        if isinstance(model, nn.Module):
            set_mode(model, training=False)
        try:
            with contextlib.nullcontext() if message["reach"] or message["gradients"] else torch.no_grad():
                yield
        finally:
            if isinstance(model, nn.Module):
                set_mode(model, training=True)

    @contextlib.contextmanager
    def _captured(self, message: Message) -> Iterator[dict[str, Tensor]]:
        """Record the first calls of each name in `capture`: NAME.argument.CALL.i, NAME.result.CALL.i, where tensors."""
        found: dict[str, Tensor] = {}
        undo: list[Callable[[], None]] = []
        calls = dict.fromkeys(message["capture"], 0)
        room = LIMITS.body // 2  # the results need the rest of the frame

        def record(name: str, arguments: Any, result: Any) -> None:
            nonlocal room
            if calls[name] < LIMITS.captured:
                for kind, values in (("argument", arguments), ("result", result)):
                    some = itertools.islice(values if isinstance(values, (tuple, list)) else [values], LIMITS.results)
                    for index, value in enumerate(some):
                        with contextlib.suppress(Invalid):
                            size = self._require_dense(value, name).nbytes
                            if size <= room:
                                found[f"{name}.{kind}.{calls[name]}.{index}"] = self._plain(value, name)
                                room -= size
            calls[name] += 1

        def wrapped(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(function)
            def call(*arguments: Any, **named: Any) -> Any:
                result = function(*arguments, **named)
                record(name, in_order(function, arguments, named), result)
                return result

            return call

        model = self.objects.get(message.get("object", ""))
        for name in message["capture"]:
            piece = self._submodule(model, name)
            if isinstance(piece, nn.Module):
                undo.append(
                    _hook(
                        piece,
                        lambda _, given, named, result, name=name: record(name, [*given, *named.values()], result),
                    )
                )
            elif inspect.isfunction(function := looked_up(self.module, name)):
                setattr(self.module, name, wrapped(name, function))
                undo.append(functools.partial(setattr, self.module, name, function))
        try:
            yield found
        finally:
            for each in reversed(undo):
                each()

    @staticmethod
    def _submodule(model: Any, name: str) -> Any:
        try:
            return nn.Module.get_submodule(model, name) if isinstance(model, nn.Module) else None
        except AttributeError:
            return None

    def _reached(self, message: Message, items: list[Any]) -> list[str]:
        named = self._parameters(message["object"])
        outputs = [
            items[index].sum() for index in message["reach"] if index < len(items) and items[index].requires_grad
        ]
        if not outputs or not named:
            return []
        found = _gradients_of(sum(outputs[1:], outputs[0]), [value for _, value in named])
        return [name for (name, _), gradient in zip(named, found, strict=True) if gradient is not None]

    def _gradients(
        self, message: Message, items: list[Any], arguments: list[Tensor], tensors: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        wanted = {f"argument.{index}": argument for index, argument in enumerate(arguments) if argument.requires_grad}
        if "object" in message:
            named = self._parameters(message["object"])
            wanted |= {f"parameter.{name}": parameter for name, parameter in named}
        cotangents = [tensors.get(f"cotangent.{index}") for index in range(len(items))]
        weighted = [
            (item * cotangent).sum()
            for item, cotangent in zip(items, cotangents, strict=True)
            if cotangent is not None and item.requires_grad and cotangent.shape in (item.shape, ())
        ]
        if not weighted:
            return {}
        # Of a scalar, because explicit cotangents make torch import its symbolic shapes, which is slow.
        found = _gradients_of(sum(weighted[1:], weighted[0]), [*wanted.values()])
        return {
            f"gradient.{name}": self._plain(gradient, "gradient")
            for name, gradient in zip(wanted, found, strict=True)
            if gradient is not None
        }

    def do_work(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Count the work of a call: calls of torch, and bytecodes executed in the submission's code."""
        arguments = [tensors[f"argument.{index}"] for index in range(message["arguments"])]
        target = self._target(message)
        bytecodes = 0

        def trace(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal bytecodes
            if frame.f_code.co_filename != str(self.path):
                return None
            frame.f_trace_opcodes = True
            bytecodes += event == "opcode"
            return trace

        for _ in range(2):  # Python 3.12 and newer report the bytecodes of a function from its second traced call on
            bytecodes = 0
            with OperatorCount() as operators:
                sys.settrace(trace)
                try:
                    target(*arguments)
                finally:
                    sys.settrace(None)
        return {"operators": operators.count, "bytecodes": bytecodes}, {}

    def do_run(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """What lines of a notebook print in which the module is imported."""
        printed: list[str] = []

        def show(*values: object) -> None:
            printed.append(" ".join(map(str, values)))

        names = {"torch": torch, "F": nn.functional, "print": show, self.path.stem: self.module}
        names["elsewhere"] = Elsewhere
        exec(compile(message["lines"], "<notebook>", "exec"), names)
        return {"printed": "\n".join(printed)[:MAX_PRINTED]}, {}

    def do_train(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Train a model with the assignment's loop, which gets the named functions and the tensors."""
        if self.without_gradients:
            raise Invalid("gradients-off")
        if self.inference:
            raise Invalid("inference-tensors")
        model = self.objects[message["object"]]
        functions = [self._attribute(self.module, name) for name in message["functions"]]
        parameters = self._parameters(message["object"])
        told = self._prepare(model)
        set_mode(model, training=True)
        torch.default_generator.manual_seed(message["seed"])
        assert self.training is not None
        losses = self.training.train(
            model,
            *functions,
            parameters=[parameter for _, parameter in parameters if id(parameter) in told],
            **tensors,
            **message["options"],
        )
        return {}, {"losses": losses} | {
            f"parameter.{name}": self._plain(parameter, f"parameter {name}") for name, parameter in parameters
        }

    @staticmethod
    def _prepare(model: nn.Module) -> set[int]:
        """Do with a model what a notebook does to train one; the ids of the parameters for its optimizer.

        Invalid, where a method of nn.Module does not work, such as one that the class replaces.
        """
        told = set[int]()
        for name, *given in (("to", torch.device("cpu")), ("parameters",), ("train",), ("eval",)):
            try:
                answer = getattr(model, name)(*given)
                if name == "to" and not isinstance(answer, nn.Module):
                    raise TypeError(f"it returned {type_name(answer)}, not the model")
                if name == "parameters":
                    told = {id(each) for each in answer}
            except Exception as error:
                raise Invalid(
                    "method-fails", name=name, detail=f"{type(error).__name__}: {error}".rstrip(".")
                ) from None
        return told

    def do_stand_in(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Replace functions of the module with ones that the client computes, so that their mistakes cost no more."""
        for name, parameters in message["functions"].items():
            own = vars(self.module).get(name)  # not by a `__getattr__` of the module, which may raise or hang
            setattr(self.module, name, stand_in(self.channel, name, parameters, own))
        return {}, {}

    def _target(self, message: Message) -> Callable[..., Any]:
        if "object" not in message:
            target = self._attribute(self.module, message["name"])
        elif message["name"]:
            target = self._attribute(self.objects[message["object"]], message["name"])
        else:
            target = self.objects[message["object"]]
        if not callable(target) or type(target) in (nn.ModuleList, nn.ModuleDict):  # which have no forward
            raise Invalid("not-callable", name=message["name"], kind=type_name(target))
        return cast(Callable[..., Any], target)

    @classmethod
    def _attribute(cls, owner: Any, name: str) -> Any:
        """An attribute, or by a dotted name that of a submodule; Invalid where it is missing or None."""
        value = cls._submodule(owner, name) if "." in name else getattr(owner, name, None)
        if value is None and isinstance(owner, ModuleType):
            raise Invalid("definition-missing", name=name)
        if value is None:
            raise Invalid("attribute-missing", owner=type_name(owner), name=name)
        return value

    def _parameters(self, handle: str) -> list[tuple[str, Tensor]]:
        model = self.objects[handle]
        if not isinstance(model, nn.Module):
            raise Invalid("not-a-module", owner=type_name(model))
        if "_parameters" not in vars(model):
            raise Invalid("super-init-missing", owner=type_name(model))
        return [(name, parameter) for name, parameter in named_parameters(model) if parameter.requires_grad]

    def _plain(self, value: Any, what: str) -> Tensor:
        """The value as a dense, real tensor with little memory; Invalid if it is something else.

        `what` is "result", "result NUMBER", "gradient" or "parameter NAME".
        """
        self._require_dense(value, what)
        if not is_usual(value.shape):
            raise Invalid("unusual-shape", value=what, shape=str(tuple(value.shape)))
        if value.numel() * value.element_size() > LIMITS.body // 2:
            raise Invalid("too-large", value=what, shape=str(tuple(value.shape)))
        return cast(Tensor, value.detach().contiguous().clone())

    @staticmethod
    def _require_dense(value: Any, what: str) -> Tensor:
        """The value if it is a dense, real tensor on the CPU; Invalid if not."""
        if not isinstance(value, Tensor):
            raise Invalid("not-a-tensor", value=what, kind=type_name(value))
        if type(value) not in (Tensor, nn.Parameter):
            raise Invalid("tensor-subclass", value=what, kind=type_name(value))
        inside = torch._C._functorch.is_functorch_wrapped_tensor(value)  # of `torch.vmap` or `torch.func.grad`, alone
        if value.layout is not torch.strided or value.is_quantized or value.is_nested or inside:
            raise Invalid("not-dense", value=what)
        if value.device.type != "cpu":
            raise Invalid("wrong-device", value=what, device=value.device.type)
        if value.dtype.is_complex:
            raise Invalid("complex-numbers", value=what)
        if value.dtype not in _CARRIED:
            raise Invalid("not-real", value=what, dtype=str(value.dtype).removeprefix("torch."))
        return value

    def _describe(self, error: BaseException) -> Message:
        """What was raised, and where in the submission's own source; without the place where that cannot be read."""
        try:
            return error.sent if isinstance(error, Invalid) else self._details(error)
        except BaseException:  # of what the submission's classes answer
            return {"code": "raised", "kind": _NAME.__get__(type(error))[:MAX_NAME]}

    def _details(self, error: BaseException) -> Message:
        try:
            text = shortened(str(error))
            if isinstance(error, ImportError):  # where a package is on this machine helps no student
                text = text.removesuffix(f" ({error.path})")
        except BaseException:
            text = ""
        line, statement, own, known = None, "", False, dict[str, Any]()
        for entry in _entries(error.__traceback__):
            own = False
            if entry.tb_frame.f_code.co_filename == str(self.path):
                line = entry.tb_lineno
                own = entry.tb_frame.f_code.co_code[entry.tb_lasti] == dis.opmap["RAISE_VARARGS"]
                known = entry.tb_frame.f_locals if own else {}
        if isinstance(error, SyntaxError) and error.filename == str(self.path):
            line, text = error.lineno, str(error.msg)[:MAX_TEXT]
        if type(line) is int:
            with contextlib.suppress(Exception):  # of the source's own encoding, such as a UnicodeError
                statement = linecache.getline(str(self.path), line).strip()[:MAX_NAME]
        kind = type(error).__name__[:MAX_NAME]
        condition = given = ""
        if own and line:
            with contextlib.suppress(Exception):
                condition = _condition("".join(linecache.getlines(str(self.path))), line)
                given = _values(condition, known)
        told = {"code": "raised", "kind": kind, "text": text, "line": line, "statement": statement, "own": own}
        return told | {"condition": condition[:MAX_NAME], "given": given[:MAX_NAME]}


def _in_try(source: bytes, line: int) -> bool:
    """Whether a line of a source is inside a `try`, which may have another way."""
    tries = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Try))
    return any(node.lineno <= line <= (node.end_lineno or 0) for node in tries)


def _condition(source: str, line: int) -> str:
    """The innermost `if` or `assert` around a line of a source that raises; empty where there is none."""
    found = ""
    for node in ast.walk(ast.parse(source)):  # what is inside comes later
        if isinstance(node, (ast.stmt, ast.ExceptHandler)) and node.lineno <= line <= (node.end_lineno or 0):
            match node:
                case ast.If(orelse=[first, *_]) if first.lineno <= line:
                    found = f"else of if {ast.unparse(node.test)}"
                case ast.If():
                    found = f"if {ast.unparse(node.test)}"
                case ast.Assert():
                    found = f"assert {ast.unparse(node.test)}"
                case ast.FunctionDef() | ast.ExceptHandler():
                    found = ""
    return found


def _values(condition: str, known: dict[str, Any]) -> str:
    """What the names in a condition are, in words: tensors by their shape and range."""
    told = []
    for name in dict.fromkeys(re.findall(r"\b[a-zA-Z_]\w*", condition)):
        value = known.get(name)
        if isinstance(value, Tensor) and value.numel():
            low, high = (float(each) for each in value.detach().aminmax())
            told.append(f"`{name}` has shape {tuple(value.shape)} and values from {low:.3g} to {high:.3g}")
        elif type(value) in (int, float):
            told.append(f"`{name}` is {value:.6g}")
    return "; ".join(told[:3])


def _hook(piece: nn.Module, function: Callable[..., Any]) -> Callable[[], None]:
    """Call a function after each call of a module; what undoes that.

    By the method of nn.Module, because modules that TorchScript has compiled refuse theirs, though they run hooks.
    """
    return nn.Module.register_forward_hook(piece, function, with_kwargs=True).remove


def _integer(value: Any) -> int | None:
    """The value as an integer, which a tensor without dimensions may hold; None if it is none, or a truth value."""
    if isinstance(value, Tensor):
        value = value.item() if value.dim() == 0 and value.dtype != torch.bool else None
    return int(value) if isinstance(value, Integral) and not isinstance(value, bool) else None


def _entries(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next
