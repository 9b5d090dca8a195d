"""The worker: imports torch once, then forks one child for each submission and each crash of one.

The parent never sees a submission: it hands each child a channel to the client and tidies up after it. The child
gives up what it can (see `confine`), then does what the client's frames ask: import the module, build objects, call
functions, train. It is the untrusted side: the client believes nothing but the numbers, and checks those.
"""

from __future__ import annotations

import contextlib
import dataclasses
import dis
import errno
import functools
import gc
import importlib.util
import inspect
import itertools
import json
import linecache
import os
import re
import resource
import select
import shutil
import signal
import socket
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType, ModuleType, TracebackType
from typing import Any, cast

import torch
import torch.distributions
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from autograder.sandbox import confine, filter, isolation, outputs
from autograder.sandbox.errors import MAX_NAME, MAX_TEXT
from autograder.sandbox.limits import LIMITS
from autograder.sandbox.outline import describe
from autograder.sandbox.protocol import ChannelClosed, Message, is_usual, receive, send
from autograder.sandbox.supervisor import Supervisor

MAX_CAPTURED = 4  # calls of one callable
MAX_PRINTED = 1000  # characters
MAX_RESULTS = 8  # of a call
MAX_SUBMODULES = 500  # of a model, in what is told of them
USERS = range(60706, 61184)  # unused by people and services, by systemd's table of user ids
CONFINED = b"confined"  # what a child says before it sees a submission


# --- the parent ---------------------------------------------------------------------------------------------------


def main(level: str, control: socket.socket, module: str, scratch: Path, training_file: Path | None) -> None:
    """Serve the client's orders until it hangs up: b"S" with two descriptors spawns a child, b"K" kills it.

    Submissions are imported from a file called `module`; `training_file` has the loop that trains them.
    """
    confine.hide_memory()
    confine.adopt_orphans()
    torch.set_num_threads(1)
    torch.compile = _leave_as_it_is  # a compiled function computes the same, but the compiler starts processes
    _remove_folders_by_path()
    separate = level == "confined" and confine.can_become(USERS[0])
    training = None if training_file is None else _load("training", training_file)
    _warm_up(training)
    torch.default_generator.manual_seed(0)  # or random numbers at import would differ between workers
    gc.collect()
    gc.freeze()  # children share these pages instead of touching them
    wakeup, wakeup_write = os.pipe()
    os.set_blocking(wakeup_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
    control.sendall(json.dumps({"ready": True, "torch": torch.__version__}).encode() + b"\n")
    while True:
        orders, descriptors, _, _ = socket.recv_fds(control, 16, 2)  # a channel, and where output goes
        if not orders:
            os._exit(0)  # at once: unloading torch takes seconds
        if not orders.endswith(b"S"):
            continue  # a kill that crossed with its child's own end
        home = scratch / "submission"  # no number: a module must not see how many came before it
        home.mkdir(mode=0o700)
        with contextlib.ExitStack() as stack:
            user = stack.enter_context(_user()) if separate else None
            told, telling = (stack.enter_context(end) for end in socket.socketpair())
            parent, child = os.getpid(), os.fork()
            if child == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                control.close()
                _become_child(level, home / module, training, user, parent, telling, *descriptors)
            telling.close()
            for descriptor in descriptors:
                os.close(descriptor)
            status, failure = _attend(child, control, wakeup, told, home, user)
            _kill_descendants()
            confine.remove_contents(scratch)
        if status is None:
            os._exit(0)
        control.sendall(json.dumps({"status": status, "failure": failure}).encode() + b"\n")


@contextlib.contextmanager
def _user() -> Iterator[int]:
    """A user that no other worker's submission has, while the context lasts."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as claim:
        yield next(user for user in USERS if _claimed(claim, user))


def _claimed(claim: socket.socket, user: int) -> bool:
    try:
        claim.bind(f"\0autograder-user-{user}")
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def _leave_as_it_is(model: Any = None, **_: Any) -> Any:
    """Replace torch.compile: return the function or module itself, also as a decorator with options."""
    return _leave_as_it_is if model is None else model


def _remove_folders_by_path() -> None:
    """Have shutil, and so tempfile, remove folders by path: the supervisor cannot tell what a descriptor is open on."""
    # Python has no public switch. Where these names are gone, such a removal fails as it would without them.
    if hasattr(shutil, "_use_fd_functions"):
        shutil._use_fd_functions = False
    if hasattr(shutil, "_rmtree_impl"):  # since Python 3.14
        shutil._rmtree_impl = shutil._rmtree_unsafe  # type: ignore[attr-defined]


def _load(name: str, file: Path) -> ModuleType:
    """The module in `file`, imported under `name`."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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


def _warm_up(training: ModuleType | None) -> None:
    """Do once what each child would otherwise do first: a training step, and a frame sent and read."""
    if training is not None:
        training.warm_up()
    describe(b"def warm(up): ...")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send(ours, {}, {"numbers": torch.rand(2, 64)})
        receive(theirs)


def _attend(
    child: int, control: socket.socket, wakeup: int, told: socket.socket, home: Path, user: int | None
) -> tuple[int | None, str | None]:
    """Answer the child's calls until it ends or is killed.

    Through `told`, the child sends its descriptors for the supervisor, and what it says of its confinement: CONFINED,
    or why that failed. It then closes its end, before it sees a submission.

    Returns its wait status, or None if the client left, and why the child was not confined, or None if it was.
    """
    supervisor: Supervisor | None = None
    said = b""
    waiting: list[Any] = [control, wakeup, told]
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        ready, _, _ = select.select(waiting, [], [])
        if wakeup in ready:
            os.read(wakeup, 4096)
        if told in ready:
            heard, descriptors, _, _ = socket.recv_fds(told, 4096, 2)
            said += heard
            if descriptors:
                supervisor = Supervisor(descriptors[0], descriptors[1], home, user, LIMITS)
                waiting.append(supervisor)
            elif not heard:
                waiting.remove(told)
        elif supervisor and supervisor in ready:
            supervisor.answer()
        if control in ready:
            os.kill(child, signal.SIGKILL)
            if not control.recv(16):
                waiting.remove(control)
    if supervisor:
        supervisor.close()
    while told in waiting and (heard := told.recv(4096)):
        said += heard
    failure = None if said.strip() == CONFINED else said.decode(errors="replace").strip() or "the process ended"
    return (status if control in waiting else None), failure


def _kill_descendants() -> None:
    """End every process that the child left behind; orphans have become this process's children."""
    if sys.platform == "linux":
        for _ in range(1000):
            own = f"/proc/self/task/{os.getpid()}/children"
            children = Path(own).read_text().split() if Path(own).exists() else []
            for pid in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            try:
                while os.waitpid(-1, 0 if children else os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return


def _become_child(
    level: str,
    path: Path,
    training: ModuleType | None,
    user: int | None,
    parent: int,
    telling: socket.socket,
    channel: int,
    output: int,
) -> None:
    """Turn this fork into the process of a submission that will lie at `path`. Never returns."""
    code, home = 1, path.parent
    try:
        os.setsid()
        gone = os.open(os.devnull, os.O_RDONLY)
        os.dup2(gone, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        kept = os.dup2(channel, 3, inheritable=False)
        telling = socket.socket(fileno=os.dup2(telling.detach(), 4, inheritable=False))
        os.closerange(5, 4096)
        sys.stdin = os.fdopen(0)
        sys.stdout, sys.stderr = (os.fdopen(each, "w", buffering=1, errors="replace") for each in (1, 2))
        os.chdir(home)
        os.environ["HOME"] = os.environ["TMPDIR"] = str(home)
        with telling:
            try:
                _confine(level, home, user, parent, telling)
            except Exception as error:
                telling.sendall(f"{type(error).__name__}: {error}".encode()[:2000])
                return
            telling.sendall(CONFINED)
        Worker(socket.socket(fileno=kept), path, training).serve()
        code = 0
    except ChannelClosed:
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _confine(level: str, home: Path, user: int | None, parent: int, telling: socket.socket) -> None:
    memory = confine.open_memory()
    confine.die_first()
    confine.limit_resources(LIMITS)
    if level == "confined":
        if user is not None:
            os.chown(home, user, user)
        landlock = confine.has_landlock()
        if user is None and not landlock:
            raise confine.NotSupportedError(0, "neither Landlock nor another user confines this process")
        if landlock:
            readable, listable = _visible_files()
            confine.restrict_files(readable, [home, Path("/dev/null")], listable)
        if user is not None:  # without Landlock, file modes alone protect what can be read
            confine.become(user, keep_reading=landlock)
    if user is None:
        confine.keep_capabilities()
    confine.end_with_parent(parent)
    try:
        listener = filter.supervise()
        socket.send_fds(telling, [b" "], [listener, memory])
        os.close(listener)
    except confine.NotSupportedError:
        pass  # then its files and threads are not counted; `autograder doctor` says so
    os.close(memory)
    try:
        filter.restrict()
    except confine.NotSupportedError:
        if level != "process":
            raise
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _visible_files() -> tuple[list[Path], list[Path]]:
    """What Landlock lets a submission read and list: the interpreter and packages, without the autograder."""
    readable, listable = list(isolation.WORKER_FILES), []
    for path in isolation.interpreter_paths():
        protected = [
            each for each in (isolation.PACKAGE.parent, isolation.PACKAGE) if each.is_relative_to(path) and each != path
        ]
        if not protected:
            readable.append(path)
            continue
        # Grant all siblings on the way down to the protected folder.
        keep = protected[0] if (protected[0] / "pyproject.toml").exists() else protected[-1]
        folder = path
        listable.append(path)
        while folder != keep:
            step = next(each for each in (keep, *keep.parents) if each.parent == folder)
            readable.extend(each for each in folder.iterdir() if each != step)
            folder = step
    readable += [Path(f"/dev/{name}") for name in ("null", "zero", "random", "urandom")]
    readable += [Path("/proc/cpuinfo"), Path("/sys/devices/system/cpu")]  # torch asks for the processor's features
    return readable, listable


# --- the child ----------------------------------------------------------------------------------------------------


_MISSING = object()


class Invalid(Exception):
    """The submission lacks what the client asked for: a code of `errors`, with its fields."""

    def __init__(self, code: str, **fields: str | int) -> None:
        super().__init__(code)
        cut = {name: value[:MAX_NAME] if isinstance(value, str) else value for name, value in fields.items()}
        self.sent: Message = {"code": code, **cut}


class Worker:
    """The submission's process: keeps the imported module and the objects built from it, and answers frames."""

    def __init__(self, channel: socket.socket, path: Path, training: ModuleType | None) -> None:
        self.channel, self.path, self.training = channel, path, training
        self.module: ModuleType | None = None
        self.objects: dict[str, Any] = {}

    def serve(self) -> None:
        """Answer frames until the client hangs up (ChannelClosed)."""
        operations: dict[str, Callable[[Message, dict[str, Tensor]], tuple[Message, dict[str, Tensor]]]] = {
            name.removeprefix("do_"): getattr(self, name) for name in dir(self) if name.startswith("do_")
        }
        while True:
            message, tensors = receive(self.channel)
            try:
                answer, results = operations[message["do"]](message, tensors)
            except ChannelClosed:
                raise
            except BaseException as error:
                answer, results = {"error": self._describe(error)}, {}
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            send(self.channel, {"id": message["id"], **answer}, results)

    def do_outline(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """What the source shows, parsed and not run."""
        return {"outline": describe(tensors["source"].numpy().tobytes())}, {}

    def do_outputs(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """What a notebook was handed in with, decoded. Nothing of the submission has run in this process."""
        shown, found = outputs.decode({cell: tensors[f"{cell}"].numpy().tobytes() for cell in message["cells"]})
        return {"shown": shown}, found

    def do_load(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Import the module from its source."""
        source = tensors["source"].numpy().tobytes()
        self.path.write_bytes(source)
        if said := _no_source(source):
            raise SyntaxError(said)
        sys.argv = [str(self.path)]  # a command line without arguments, for a module that reads one
        sys.path.insert(0, str(self.path.parent))
        torch.default_generator.manual_seed(message["seed"])
        self.module = _load(self.path.stem, self.path)
        return {}, {}

    def do_construct(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Build an object of a class and keep it, even when its constructor raises half-way."""
        factory = self._attribute(self.module, message["name"])
        torch.default_generator.manual_seed(message["seed"])
        if not isinstance(factory, type):
            raise Invalid("not-a-class", name=message["name"])
        instance: Any = factory.__new__(factory)  # type: ignore[call-overload]
        self.objects[message["as"]] = instance
        try:
            instance.__init__(*message["args"], **message["named"])
        except BaseException as error:
            return {"incomplete": self._describe(error)}, {}
        if not _is_module(instance):
            return {"incomplete": None}, {}
        others = [model for key, model in self.objects.items() if key != message["as"] and _is_module(model)]
        theirs = {id(each) for model in others for each in nn.Module.parameters(model)}
        return {
            "incomplete": None,
            "unregistered": _register(instance),
            "frozen": self._unfreeze(instance),
            "shared": [name for name, each in nn.Module.named_parameters(instance) if id(each) in theirs],
        }, {}

    @staticmethod
    def _unfreeze(model: nn.Module) -> list[str]:
        """Let frozen linear layers be trained, so that the rest can be judged; the names of their parameters."""
        layers = [each for each in nn.Module.modules(model) if type(each) is nn.Linear]
        inside = {id(each) for layer in layers for each in nn.Module.parameters(layer)}
        named = [(name, each) for name, each in nn.Module.named_parameters(model) if id(each) in inside]
        frozen = [(name[:100], each) for name, each in named if not each.requires_grad and each.is_floating_point()]
        for _, each in frozen:
            each.requires_grad_(True)
        return [name for name, _ in frozen[:MAX_SUBMODULES]]

    def do_attributes(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Some attributes' values: an integer as itself, anything else as the name of its type.

        A missing attribute gives None, an attribute that is None gives "NoneType".
        """
        instance = self.objects[message["object"]]
        found: dict[str, int | str | None] = {}
        for name in message["names"]:
            value = getattr(instance, name, _MISSING)
            if value is _MISSING:
                found[name] = None
            else:
                found[name] = value if type(value) is int else type(value).__name__[:100]
        return {"attributes": found}, {}

    def do_submodules(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """The dotted names of a model's submodules and the names of their types, in order, only for hints."""
        self._parameters(message["object"])  # Invalid if it is not a module
        modules = itertools.islice(nn.Module.named_modules(self.objects[message["object"]]), 1, MAX_SUBMODULES)
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
        vectors = ((name, value) for name, value in named if name not in lazy and value.dim() == 1)
        return {
            "shapes": shapes,
            "lazy": lazy,
            "ones": [name for name, value in vectors if bool((value == 1).all())],
        }, {}

    def do_stand_in_layer(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Set an attribute of a model to a linear layer, so that the rest can be judged."""
        model = self.objects[message["object"]]
        self._parameters(message["object"])
        torch.default_generator.manual_seed(message["seed"])
        layer: nn.Module = nn.Linear(message["inputs"], message["outputs"])
        layer = nn.Sequential(layer, nn.Sigmoid()) if message["sigmoid"] else layer
        setattr(model, message["name"], layer)
        if getattr(model, message["name"], None) is not layer:  # an attribute of the class hides it
            vars(model)[message["name"]] = layer
        return {}, {}

    def do_complete_results(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """From now on, put what submodules gave last where a model returns None among as many results."""
        model, names = self.objects[message["object"]], message["names"]
        self._parameters(message["object"])
        last: dict[str, Any] = {}
        for name in names:
            if (piece := self._submodule(model, name)) is not None:
                piece.register_forward_hook(lambda _, given, result, name=name: last.update({name: result}))

        def complete(_: nn.Module, given: Any, results: Any) -> Any:
            if not isinstance(results, (tuple, list)) or len(results) != len(names):
                return results
            if not any(isinstance(each, Tensor) for each in results):
                return results
            return tuple(last.get(name) if each is None else each for name, each in zip(names, results, strict=True))

        model.register_forward_pre_hook(lambda *_: last.clear())
        model.register_forward_hook(complete)
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
        arguments and results. With `unpack`, the results may be in containers of any kind: see `_unpacked`.
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
        count = len(items)
        if message["unpack"]:
            items = list(itertools.islice(_unpacked(result), MAX_RESULTS + 1))
        if len(items) > MAX_RESULTS:
            raise Invalid("too-many-results", kind=_kind(result), count=count)
        outputs: dict[str, Tensor] = {}
        problems: list[Message | None] = []
        for index, item in enumerate(items):
            try:
                outputs[f"output.{index}"] = self._plain(item, "result" if len(items) == 1 else f"result {index + 1}")
                problems.append(None)
            except Invalid as problem:
                problems.append(problem.sent)
        answer = {
            "kind": _kind(result),
            "count": count,
            "packed": not items or items[0] is not result,
            "problems": problems,
            "changed": changed,
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
            nn.Module.eval(model)
        try:
            with contextlib.nullcontext() if message["reach"] or message["gradients"] else torch.no_grad():
                yield
        finally:
            if isinstance(model, nn.Module):
                nn.Module.train(model)

    @contextlib.contextmanager
    def _captured(self, message: Message) -> Iterator[dict[str, Tensor]]:
        """Record the first calls of each name in `capture`: NAME.argument.CALL.i, NAME.result.CALL.i, where tensors."""
        found: dict[str, Tensor] = {}
        undo: list[Callable[[], None]] = []
        calls = dict.fromkeys(message["capture"], 0)

        def record(name: str, arguments: Any, result: Any) -> None:
            if calls[name] < MAX_CAPTURED:
                for kind, values in (("argument", arguments), ("result", result)):
                    for index, value in enumerate(values if isinstance(values, (tuple, list)) else [values]):
                        with contextlib.suppress(Invalid):
                            found[f"{name}.{kind}.{calls[name]}.{index}"] = self._plain(value, name)
            calls[name] += 1

        def wrapped(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(function)
            def call(*arguments: Any, **named: Any) -> Any:
                result = function(*arguments, **named)
                record(name, _in_order(function, arguments, named), result)
                return result

            return call

        model = self.objects.get(message.get("object", ""))
        for name in message["capture"]:
            piece = self._submodule(model, name)
            if isinstance(piece, nn.Module):
                hook = piece.register_forward_hook(
                    lambda _, arguments, named, result, name=name: record(name, [*arguments, *named.values()], result),
                    with_kwargs=True,
                )
                undo.append(hook.remove)
            elif inspect.isfunction(function := getattr(self.module, name, None)):
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
        found = torch.autograd.grad(sum(outputs[1:], outputs[0]), [value for _, value in named], allow_unused=True)
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
            if cotangent is not None and item.requires_grad and item.shape == cotangent.shape
        ]
        if not weighted:
            return {}
        # Of a scalar, because explicit cotangents make torch import its symbolic shapes, which is slow.
        found = torch.autograd.grad(sum(weighted[1:], weighted[0]), list(wanted.values()), allow_unused=True)
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
            with _OperatorCount() as operators:
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
        names["elsewhere"] = _Elsewhere
        exec(compile(message["lines"], "<notebook>", "exec"), names)
        return {"printed": "\n".join(printed)[:MAX_PRINTED]}, {}

    def do_train(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Train a model with the assignment's loop, which gets the named functions and the tensors."""
        model = self.objects[message["object"]]
        functions = [self._attribute(self.module, name) for name in message["functions"]]
        parameters = self._parameters(message["object"])
        told = {id(each) for each in model.parameters()}  # of which the notebook's optimizer hears
        nn.Module.train(model)
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

    def do_stand_in(self, message: Message, tensors: dict[str, Tensor]) -> tuple[Message, dict[str, Tensor]]:
        """Replace functions of the module with ones that the client computes, so that their mistakes cost no more."""
        for name, parameters in message["functions"].items():
            own = getattr(self.module, name, None)
            setattr(self.module, name, _stand_in(self.channel, name, parameters, own))
        return {}, {}

    def _target(self, message: Message) -> Callable[..., Any]:
        if "object" not in message:
            target = self._attribute(self.module, message["name"])
        elif message["name"]:
            target = self._attribute(self.objects[message["object"]], message["name"])
        else:
            target = self.objects[message["object"]]
        if not callable(target) or type(target) in (nn.ModuleList, nn.ModuleDict):  # which have no forward
            raise Invalid("not-callable", name=message["name"], kind=_kind(target))
        return cast(Callable[..., Any], target)

    @classmethod
    def _attribute(cls, owner: Any, name: str) -> Any:
        """An attribute, or by a dotted name that of a submodule; Invalid where it is missing or None."""
        value = cls._submodule(owner, name) if "." in name else getattr(owner, name, None)
        if value is None and isinstance(owner, ModuleType):
            raise Invalid("definition-missing", name=name)
        if value is None:
            raise Invalid("attribute-missing", owner=_kind(owner), name=name)
        return value

    def _parameters(self, handle: str) -> list[tuple[str, Tensor]]:
        model = self.objects[handle]
        if not isinstance(model, nn.Module):
            raise Invalid("not-a-module", owner=_kind(model))
        if "_parameters" not in vars(model):
            raise Invalid("super-init-missing", owner=_kind(model))
        return [(name, parameter) for name, parameter in nn.Module.named_parameters(model) if parameter.requires_grad]

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
            raise Invalid("not-a-tensor", value=what, kind=_kind(value))
        if type(value) not in (Tensor, nn.Parameter):
            raise Invalid("tensor-subclass", value=what, kind=_kind(value))
        if value.layout is not torch.strided or value.is_quantized or value.is_nested:
            raise Invalid("not-dense", value=what)
        if value.device.type != "cpu":
            raise Invalid("wrong-device", value=what, device=value.device.type)
        if value.dtype.is_complex:
            raise Invalid("complex-numbers", value=what)
        return value

    def _describe(self, error: BaseException) -> Message:
        """What was raised, and where in the submission's own source."""
        if isinstance(error, Invalid):
            return error.sent
        try:
            text = str(error)[:MAX_TEXT]
        except BaseException:
            text = ""
        line, statement, own = None, "", False
        for entry in _entries(error.__traceback__):
            own = False
            if entry.tb_frame.f_code.co_filename == str(self.path):
                line = entry.tb_lineno
                own = entry.tb_frame.f_code.co_code[entry.tb_lasti] == dis.opmap["RAISE_VARARGS"]
        if isinstance(error, SyntaxError) and error.filename == str(self.path):
            line, text = error.lineno, str(error.msg)[:MAX_TEXT]
        if type(line) is int:
            with contextlib.suppress(Exception):  # of the source's own encoding, such as a UnicodeError
                statement = linecache.getline(str(self.path), line).strip()[:MAX_NAME]
        kind = type(error).__name__[:MAX_NAME]
        return {"code": "raised", "kind": kind, "text": text, "line": line, "statement": statement, "own": own}


def _entries(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


class _OperatorCount(TorchFunctionMode):
    """Counts the calls of torch inside the `with` block.

    A function mode, because entering a dispatch mode imports the compiler, which is slow.
    """

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


class _Elsewhere(TorchFunctionMode):
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
            return result.view_as(result)  # a tensor of its own, as it would be
        nested = (each if isinstance(each, (tuple, list)) else (each,) for each in (*args, *kwargs.values()))
        given = [each for some in nested for each in some if isinstance(each, Tensor) and each.dim()]  # a number may be
        own = [each for each in given if any(each is other for other in self.made)]
        if own and len(own) < len(given) and name not in ("expand_as", "view_as", "reshape_as", "copy_"):
            raise RuntimeError(MEET)
        if result.dim() and (own or (not given and "device" not in kwargs)):
            self.made.append(result)
        return result


MEET = "a tensor made on the CPU meets one that may lie on a GPU"


def _stand_in(channel: socket.socket, name: str, parameters: list[str], own: Any) -> Callable[..., Tensor]:
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


def _in_order(function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
    """The arguments of a call in the order of the function's parameters."""
    try:
        bound = inspect.signature(function).bind(*arguments, **named)
    except (TypeError, ValueError):
        return [*arguments, *named.values()]
    return [*bound.args, *bound.kwargs.values()]


def _is_module(value: Any) -> bool:
    """Whether it is an nn.Module whose constructor has called that of nn.Module."""
    return isinstance(value, nn.Module) and "_parameters" in vars(value)


def _register(model: nn.Module) -> list[str]:
    """Register the layers that PyTorch does not find, so that the rest can be judged; the names of their parameters.

    They are in lists, dictionaries and plain objects, or attributes of a class.
    """
    found = {id(module) for module in nn.Module.modules(model)}
    names: list[str] = []
    for path, value in itertools.islice(_held(model), MAX_SUBMODULES):
        own = {id(module) for module in nn.Module.modules(value)}
        if found.isdisjoint(own) and (parameters := list(nn.Module.named_parameters(value))):
            model._modules[path] = value
            found |= own
            names += [f"{path}.{name}" for name, _ in parameters]
    return names[:MAX_SUBMODULES]


def _held(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The modules that a model and its submodules hold in any way but by registration, each with where it is held."""
    places = [("", vars(each)) for each in type(model).__mro__[: -len(nn.Module.__mro__)]]
    places += [(f"{path}." if path else "", vars(module)) for path, module in nn.Module.named_modules(model)]
    todo = deque((start + name, value, 0) for start, held in places for name, value in held.items() if name not in _OWN)
    for _ in range(20 * MAX_SUBMODULES):
        if not todo:
            return
        path, value, deep = todo.popleft()
        if _is_module(value):
            yield path[:100], value
        elif deep < 4 and isinstance(value, (list, tuple)):
            todo += ((f"{path}[{at}]", each, deep + 1) for at, each in enumerate(value[:MAX_SUBMODULES]))
        elif deep < 4 and isinstance(value, dict):
            some = itertools.islice(value.items(), MAX_SUBMODULES)
            todo += ((f"{path}[{key!r}]"[:200], each, deep + 1) for key, each in some)
        elif deep < 4 and type(value).__module__ == model.__module__ and hasattr(value, "__dict__"):
            todo += ((f"{path}.{name}", each, deep + 1) for name, each in vars(value).items())


_OWN = frozenset(vars(nn.Module()))  # what every module holds


def _unpacked(result: Any, deep: int = 3) -> Iterator[Any]:
    """The tensors in tuples, lists, dictionaries and data classes, nested so deep; the result if there are none."""
    values: Iterable[Any] = ()
    if isinstance(result, (tuple, list)):
        values = result
    elif isinstance(result, dict):
        values = result.values()
    elif dataclasses.is_dataclass(result) and not isinstance(result, type):
        values = [getattr(result, each.name) for each in dataclasses.fields(result)]
    inner = (each for value in (values if deep else ()) for each in _unpacked(value, deep - 1))
    tensors = (each for each in inner if isinstance(each, Tensor))
    yield next(tensors, result)
    yield from tensors


def _kind(value: Any) -> str:
    return "None" if value is None else type(value).__name__


if __name__ == "__main__":
    # Under the lowest number that is free: select() and closerange() below take no large ones.
    inherited = int(sys.argv[2])
    lowest = os.dup(inherited)
    os.close(inherited)
    main(
        sys.argv[1],
        socket.socket(fileno=lowest),
        sys.argv[3],
        Path(sys.argv[4]),
        Path(sys.argv[5]) if len(sys.argv) > 5 else None,
    )
