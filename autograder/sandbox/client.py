"""The trusted side: start a sandbox, send it a submission, ask for values, and check what comes back.

A `Sandbox` is a warm worker. A `Submission` is one module inside it. Its process is started when first needed, and
again after each crash, so a crash costs only one call.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from autograder.assignment import Assignment, load
from autograder.sandbox import isolation
from autograder.sandbox.confine import hide_memory, remove_contents
from autograder.sandbox.edits import MOST, Edit
from autograder.sandbox.errors import MAX_NAME, Died, Raised, SubmissionError, TimedOut, Unfit, received
from autograder.sandbox.limits import LIMITS
from autograder.sandbox.outline import Outline
from autograder.sandbox.outputs import Shown, read
from autograder.sandbox.protocol import NEWER_TYPING, ChannelClosed, Message, ProtocolError, is_usual, receive, send

if TYPE_CHECKING:
    from torch import Tensor, dtype

READY_S = 120.0  # importing torch from a cold disk is slow
GONE_S = 10.0
MOST_NUMBERS = LIMITS.body // 8  # of a tensor that comes back, and of a model's parameters: half of a frame
MOST_IN_REPLY = LIMITS.body // 4  # numbers: a frame of smaller ones grows when they become float32
OTHER_FLOATS = "float64", "float16", "bfloat16"
MOST_CROWDED = 3.0
MOST_PENDING = 16  # calls of stand-ins whose gradients may still be wanted, at most, and numbers in their arguments
MOST_PENDING_NUMBERS = 1 << 20

# Computes a function's value from its arguments; gradients are taken through it.
StandIn = Callable[..., "Tensor"]


class SandboxError(Exception):
    """The sandbox itself does not work, which is never the submission's fault."""


@dataclass
class Reply:
    """The checked results of a call: every tensor is dense, float32 and of bounded size, but may have NaN.

    Attributes:
        outputs: what the call returned, one tensor or more.
        dtypes: the types of the outputs before they became float32.
        changed: the places of the arguments that the call changed.
        reached: the names of the parameters that the outputs in `reach` depend on.
        tensors: all that came back, by name.
        packing: what is wrong with how the outputs were packed, where any packing was accepted.
        seed: of torch's generator after the call; None where that cannot be read.
    """

    outputs: list[Tensor]
    dtypes: list[dtype]
    changed: list[int]
    reached: list[str]
    tensors: dict[str, Tensor]
    packing: Unfit | None = None
    seed: int | None = None

    def captured(self, name: str, kind: str, call: int = 0) -> list[Tensor]:
        """The tensors among the arguments ("argument") or results ("result") of a call of `name`, in order.

        Each has an axis: a single number comes as a vector of one. They come from the submission's process: compare
        them with your own results before you use them.
        """
        keys = (key for key in self.tensors if key.startswith(f"{name}.{kind}.{call}."))
        found = (self.tensors[key] for key in sorted(keys)[: LIMITS.results])
        return [tensor if tensor.dim() else tensor[None] for tensor in found]

    def gradients(self, prefix: str) -> dict[str, Tensor]:
        """The gradients with respect to the arguments ("argument") or the parameters ("parameter"), by name."""
        start = f"gradient.{prefix}."
        return {name.removeprefix(start): tensor for name, tensor in self.tensors.items() if name.startswith(start)}


class Step(NamedTuple):
    """A call in a pass through the pieces of a model.

    Attributes:
        result: what the rest of the pass calls its result.
        piece: an attribute that can be called.
        arguments: for each argument, the values whose columns it consists of: inputs or results of earlier steps.
        on: whose attribute the piece is, "model" or "module".
    """

    result: str
    piece: str
    arguments: Sequence[Sequence[str]]
    on: str = "model"


class Trained(NamedTuple):
    """The result of a training run: the loss of each step, and the trained parameters by name, all float32."""

    losses: Tensor  # (steps,)
    parameters: dict[str, Tensor]


class Sandbox:
    """A warm worker at one isolation level, for the submissions of one assignment.

    The defaults are the strongest level that works and the installed assignment. Starting returns at once: the worker
    and the caller can import torch at the same time.
    """

    def __init__(self, level: str | None = None, assignment: Assignment | None = None) -> None:
        self.assignment = assignment or load()
        folder = self.assignment.folder
        if level is not None and (reason := isolation.why_not(level) or isolation.why_exposed(level, folder)):
            raise SandboxError(f"isolation level {level!r} does not work here: {reason}")
        self.level = isolation.level(level) if level else isolation.strongest(folder)
        if not self.level.strong:
            hide_memory()  # from a submission of the same user, which could read and write it by /proc/PID/mem
        self._start()

    def _start(self) -> None:
        ours, theirs = _channel()
        try:
            self._process, self._scratch = isolation.start_worker(
                self.level.name, theirs.fileno(), self.assignment.module, self.assignment.training_file
            )
        finally:
            theirs.close()
        self._control = ours
        self._events = b""
        self._ready = False
        self._failure: str | None = None  # why the last process was not confined, and so saw no submission

    def require_strong(self) -> None:
        """SandboxError if only weak isolation works."""
        if not self.level.strong:
            reason = isolation.why_not("confined") or isolation.why_exposed("confined", self.assignment.folder)
            if reason is None:
                raise SandboxError(f"{self.level.name!r} isolation is weak, and a strong level works here")
            raise SandboxError(
                f"only {self.level.name!r} isolation works here, a weak one; no 'confined': {reason}; "
                "see `autograder doctor`"
            )

    def wait_until_ready(self) -> None:
        """Wait for the worker's imports. SandboxError if it cannot start."""
        if self._ready:
            return
        event = self._event(READY_S)
        if not event or not event.get("ready"):
            self.close()
            assert self._process.stderr is not None
            said = self._process.stderr.read().decode(errors="replace").strip()
            raise SandboxError(f"the worker did not start at isolation level {self.level.name!r}: {said[-2000:]}")
        self._ready = True

    def _event(self, seconds: float) -> Message | None:
        """The worker's next message, or None if it is gone or silent."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._events:
            try:
                self._control.settimeout(max(deadline - time.monotonic(), 0.001))
                data = self._control.recv(4096)
            except OSError:  # also where starting another worker failed half-way
                return None
            if not data:
                return None
            self._events += data
        line, self._events = self._events.split(b"\n", 1)
        event: Message = json.loads(line)
        return event

    def submission(self, source: bytes, seconds: float | None = None) -> Submission:
        """A submission in this sandbox, with the usual time or these seconds in all; use it as a context manager."""
        return Submission(self, source, LIMITS.total_s if seconds is None else seconds)

    def shown(self, cells: Mapping[int, bytes]) -> list[Shown]:
        """What the outputs of a notebook's cells show, each cell's given as the JSON of a list.

        A SubmissionError where reading them takes more than the limits allow.
        """
        sent = {f"{cell}": _as_tensor(data) for cell, data in cells.items() if data}
        with self.submission(b"") as process:
            process._start()
            answer, tensors = process._exchange(
                {"do": "outputs", "cells": sorted(map(int, sent))}, sent, LIMITS.outputs_s
            )
        return read(answer.get("shown"), tensors, cells)

    def _spawn(self) -> tuple[socket.socket, int]:
        """Fork a process for a submission: its channel, and the reading end of its output."""
        self.wait_until_ready()
        ours, theirs = _channel()
        reading, writing = os.pipe()
        try:
            socket.send_fds(self._control, [b"S"], [theirs.fileno(), writing])
        except OSError:
            ours.close()
            os.close(reading)
            self.restart()
            return self._spawn()
        finally:
            theirs.close()
            os.close(writing)
        return ours, reading

    def _reap(self) -> int | None:
        """End the submission's process; its wait status, or None if the whole worker crashed."""
        with contextlib.suppress(OSError):
            self._control.settimeout(GONE_S)
            self._control.sendall(b"K")
        event = self._event(GONE_S)
        if event is None or type(event.get("status")) is not int:
            self.restart()
            return None
        self._failure = event["failure"]
        return int(event["status"])

    def restart(self) -> None:
        """Replace a crashed worker."""
        self.close()
        assert self._process.stderr is not None
        if said := self._process.stderr.read().decode(errors="replace").strip():
            logging.getLogger(__name__).warning("A grading worker ended: %r", said[-2000:])
        self._start()

    def close(self) -> None:
        """End the worker and everything in it."""
        self._control.close()  # then the worker ends its submission, cleans up and exits
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GONE_S if self._ready else 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._scratch is not None:
            with contextlib.suppress(FileNotFoundError):
                remove_contents(Path(self._scratch.name))
            self._scratch.cleanup()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self._process.stderr is not None:
            self._process.stderr.close()


class Submission:
    """One module inside a sandbox. Every method raises a `SubmissionError` for what the submission did wrong."""

    def __init__(self, sandbox: Sandbox, source: bytes, seconds: float) -> None:
        self._sandbox = sandbox
        self.source = source
        self._outline: Outline | None = None
        self._channel: socket.socket | None = None
        self._count = 0
        self._seconds = seconds  # that are left for all exchanges together
        self._import_error: SubmissionError | None = None
        self.notebook_line: int | None = None  # of the module, which needs a notebook and was passed over at its import
        self.newer: dict[str, int] = {}  # names that newer Pythons have in `typing`, and the lines that take them
        self._hung: dict[tuple[str, str], TimedOut] = {}  # by what was to be done, and with what
        self._seed = 0  # of the stand-ins' draws
        self._stand_ins: dict[str, StandIn] = {}
        self._import_seed = 0
        self._shapes: dict[str, dict[str, tuple[int, ...]]] = {}  # of parameters, by the model's handle
        # State of the current process, dropped with it:
        self.stood_in: dict[str, Tensor] = {}  # the last result of each stand-in
        self._held: set[str] = set()  # handles of objects
        self._pending: dict[tuple[str, int], tuple[list[Tensor], Tensor]] = {}  # calls that await their gradient
        self._asked = 0  # of stand-ins
        self.lazy: list[str] = []  # parameters that the model asked about last has no shape for yet
        self.ones: list[str] = []  # parameters of it that are vectors of ones, as the gains of a normalization are
        self.types: dict[str, str] = {}  # of its parameters, where they are other floating numbers than float32
        self.frozen: list[str] = []  # parameters of linear layers that the model built last would not train
        self.unregistered: list[str] = []  # parameters of it that PyTorch would not find
        self.aliased: list[tuple[str, str]] = []  # parameters of it, and earlier ones that were the same numbers
        self.shared: list[str] = []  # parameters that any model has in common with one that was built before
        self._collected = bytearray()
        self._dropped = False
        self._reader: threading.Thread | None = None

    @property
    def output(self) -> str:
        """What the submission has printed so far, cut at the limit."""
        text = self._collected.decode("utf-8", errors="replace")
        return text + f"\n[cut after {LIMITS.output // 1024} KiB]" if self._dropped else text

    @property
    def outline(self) -> Outline:
        """What the source shows; empty before the first `load`, and where it cannot be parsed within the limits."""
        return self._outline or Outline()

    def load(self) -> None:
        """Import the module, if it is not imported in the current process."""
        if self._import_error is not None:
            raise self._import_error.with_traceback(None)  # or its traceback grows each time it is raised
        if self._channel is not None:
            return
        self._start()
        source = {"source": _as_tensor(self.source or b"\n")}
        if self._outline is None:  # by the first process, before the submission runs there
            self._outline = Outline()
            with contextlib.suppress(SubmissionError):
                answer, _ = self._exchange({"do": "outline"}, source, LIMITS.outline_s)
                self._outline = Outline.read(answer.get("outline"))
        if self._channel is None:  # describing the source ended the process
            self._start()
        try:
            answer, _ = self._exchange({"do": "load", "seed": self._import_seed}, source, LIMITS.import_s)
            line, newer = answer.get("notebook"), answer.get("newer")
            self.notebook_line = line if _is_line(line) else None
            taken = newer if isinstance(newer, dict) else {}
            self.newer = {name: taken[name] for name in NEWER_TYPING if _is_line(taken.get(name))}
            if self._stand_ins:
                functions = {name: list(signature(each).parameters) for name, each in self._stand_ins.items()}
                self._exchange({"do": "stand_in", "functions": functions}, {}, LIMITS.call_s)
        except SubmissionError as error:
            if isinstance(error, Raised):
                error.at_import = True
            self._import_error = error
            self.stop()
            raise

    def edits(self, places: Sequence[Sequence[str]]) -> list[Edit]:
        """Small changes of the source, in the definitions at these places. It ends the submission's process."""
        self.stop()
        self._start()
        answer: Message = {}
        with contextlib.suppress(SubmissionError):
            request = {"do": "edits", "places": [list(place) for place in places]}
            answer, _ = self._exchange(request, {"source": _as_tensor(self.source or b"\n")}, LIMITS.outline_s)
        self.stop()
        found, records = [], answer.get("edits")
        for record in records[: 6 * MOST] if isinstance(records, list) else []:
            with contextlib.suppress(TypeError, ValueError):
                found.append(Edit.read(record))
        return found

    def _start(self) -> None:
        """Start a process for the submission."""
        self._count = self._asked = 0
        self._channel, reading = self._sandbox._spawn()
        self._reader = threading.Thread(target=self._collect, args=(reading,), daemon=True)
        self._reader.start()

    def stand_in(self, functions: dict[str, StandIn], seed: int = 0) -> None:
        """Restart with these functions of the module replaced by ones that the grader computes.

        Their random numbers depend only on `seed` and on the number of calls in the current process.
        """
        self.stop()
        self._hung.clear()  # the replaced function may be what hung
        self._stand_ins, self._seed = functions, seed

    def construct(self, handle: str, name: str, *args: int, seed: int = 0, **named: int) -> SubmissionError | None:
        """Build an object of class `name` and keep it under `handle`; `named` are its arguments by keyword.

        Returns None, or what its constructor raised half-way (the object is kept all the same). From now on, its frozen
        linear layers are trained, and so are layers that PyTorch does not find.
        """
        self._shapes.pop(handle, None)
        request = {"do": "construct", "as": handle, "name": name, "args": args, "named": named, "seed": seed}
        answer = self._request(request)
        self._held.add(handle)
        self.frozen, self.unregistered = (
            _words(answer.get(each))[: LIMITS.submodules] for each in ("frozen", "unregistered")
        )
        aliased = answer.get("aliased")
        pairs = [_words(each) for each in aliased] if isinstance(aliased, list) else []
        self.aliased = [(each[0], each[1]) for each in pairs[: LIMITS.submodules] if len(each) == 2]
        self.shared, incomplete = _words(answer.get("shared")) or self.shared, answer.get("incomplete")
        return None if incomplete is None else received(incomplete)

    def holds(self, handle: str) -> bool:
        """Whether the current process has an object under `handle`: one is lost with its process."""
        return handle in self._held

    def attributes(self, handle: str, names: Sequence[str]) -> dict[str, int | str | None]:
        """Attributes of an object: integers as they are, anything else as the name of its type, None if missing."""
        attributes = self._request({"do": "attributes", "object": handle, "names": names}).get("attributes")
        known = attributes if isinstance(attributes, dict) else {}
        return {
            name: value for name in names if (value := known.get(name)) is None or type(value) is int or _is_word(value)
        }

    def parameters(self, handle: str) -> dict[str, tuple[int, ...]]:
        """The shapes of a model's trainable parameters, by name, in the order of their registration.

        Parameters that are too large to send, or hold no numbers, are left out: the rest can still be judged.
        """
        answer = self._request({"do": "parameters", "object": handle})
        shapes, self.lazy, self.ones = answer.get("shapes"), _words(answer.get("lazy")), _words(answer.get("ones"))
        types = answer.get("types")
        pairs = [tuple(each) for each in types if isinstance(each, list)] if isinstance(types, list) else []
        self.types = dict(each for each in pairs if len(each) == 2 and _is_word(each[0]) and each[1] in OTHER_FLOATS)
        found: dict[str, tuple[int, ...]] = {}
        for entry in shapes if isinstance(shapes, list) else []:
            match entry:
                case [name, [*sizes]] if _is_word(name):
                    if not all(type(size) is int and 0 <= size < 1 << 63 for size in sizes):
                        raise Unfit("impossible-shape")
                    if is_usual(sizes) and 0 < math.prod(sizes) <= MOST_NUMBERS:
                        found[name] = tuple(sizes)
        if sum(math.prod(shape) for shape in found.values()) > MOST_NUMBERS:
            raise Unfit("too-many-parameters")
        self._shapes[handle] = found
        return found

    def as_float32(self, handle: str, names: Sequence[str]) -> None:
        """Convert submodules of a model to float32: all of it if one is no module, or if no parameter is float32."""
        self._request({"do": "as_float32", "object": handle, "names": names})

    def submodules(self, handle: str) -> dict[str, str]:
        """The types' names of a model's submodules, by dotted name, as the submission reports them."""
        found = self._request({"do": "submodules", "object": handle}).get("submodules")
        known = found[: LIMITS.submodules] if isinstance(found, list) else []
        entries = [each for each in known if isinstance(each, list)]
        return {each[0]: each[1] for each in entries if len(each) == 2 and all(map(_is_word, each))}

    def stand_in_layer(
        self, handle: str, name: str, inputs: int, outputs: int, sigmoid: bool = False, seed: int = 0
    ) -> None:
        """Set an attribute to a linear layer, with a sigmoid behind it or not, so that the rest can be judged."""
        request = {"do": "stand_in_layer", "object": handle, "name": name, "inputs": inputs, "outputs": outputs}
        self._request(request | {"sigmoid": sigmoid, "seed": seed})

    def stand_in_pass(self, handle: str, inputs: Sequence[str], steps: Sequence[Step], results: Sequence[str]) -> None:
        """Let a pass through the model's pieces stand in for its own `forward`.

        The submission's process can read the steps. Ask only after its own pass was judged.
        """
        request = {"do": "stand_in_pass", "object": handle, "inputs": inputs, "steps": steps, "results": results}
        self._request(request)

    def complete_results(self, handle: str, names: Sequence[str]) -> None:
        """Let what the submodules `names` gave last stand in for a None among as many results of a model."""
        self._request({"do": "complete_results", "object": handle, "names": names})

    def set_parameters(self, handle: str, parameters: dict[str, Tensor]) -> None:
        """Overwrite parameters of a model, by name."""
        self._request({"do": "set_parameters", "object": handle}, _named("parameter", parameters))

    def call(
        self,
        name: str,
        *arguments: Tensor,
        on: str | None = None,
        seed: int | None = 0,
        cotangents: dict[int, Tensor] | None = None,
        reach: Sequence[int] = (),
        capture: Sequence[str] = (),
        evaluate: bool = False,
        gradients: bool = False,
        constants: Sequence[int] = (),
        results: int | None = None,
        unpack: bool = False,
        rows: int | None = None,
    ) -> Reply:
        """Call the function `name` of the module, or the attribute `name` ("" for itself) of the object `on`.

        Its random numbers follow from `seed`, or where that is None from what was drawn before in this process.
        With `cotangents` (by index of the output, in its shape, or a number for all of its elements), gradients come
        along; see `Reply.gradients`. With `reach` (indices of outputs), the names of the parameters that these depend
        on; see `Reply.reached`. With `capture` (names of attributes of `on`, or of functions), what these were given
        and gave; see `Reply.captured`. With `evaluate`, the object is in evaluation mode meanwhile, and gradients are
        off unless they are asked for, or `gradients` is true.
        No gradient is taken with respect to the arguments with the indices `constants`, nor to any argument of an
        object. Unfit for another number of tensors than `results`, where it is given, for a tuple where that is 1, for
        tensors of another number of rows than `rows`, and for tensors without numbers. With `unpack`, the tensors may
        be in containers of any kind; see `Reply.packing`.
        """
        request: Message = {"do": "call", "name": name, "arguments": len(arguments), "seed": seed, "reach": reach}
        request |= {"capture": capture, "evaluate": evaluate, "gradients": gradients or bool(cotangents)}
        request |= {"constants": list(constants), "unpack": unpack}
        if on is not None:
            request |= {"object": on, "constants": list(range(len(arguments)))}
        tensors = {f"argument.{index}": argument for index, argument in enumerate(arguments)}
        tensors |= {f"cotangent.{index}": cotangent for index, cotangent in (cotangents or {}).items()}
        answer, found = self._ask(request, tensors)
        reply = _reply(answer, found, _called(request), results, unpack)
        for index, output in enumerate(reply.outputs):
            if rows is not None and output.shape[:1] != (rows,):
                about = {"call": _called(request), "value": f"result {index + 1}" if len(reply.outputs) > 1 else ""}
                raise Unfit("wrong-rows", **about, shape=str(tuple(output.shape)), rows=rows)
        expected = {f"argument.{index}": tuple(argument.shape) for index, argument in enumerate(arguments)}
        expected |= {f"parameter.{each}": shape for each, shape in self._shapes.get(on or "", {}).items()}
        for each, shape in expected.items():
            if (gradient := reply.tensors.get(f"gradient.{each}")) is not None and gradient.shape != shape:
                raise self._broken(request, "a gradient has another shape than what it is of")
        return reply

    def run(self, lines: str, seed: int = 0, fresh: bool = True) -> str:
        """What lines of a notebook print, in a fresh process that has the module as it was handed in.

        That is the submission's word, cut. Its import finds the random state of `seed`. Nothing stands in any more.
        Without `fresh`, the process is the one that the last call of this has started.
        """
        if fresh:
            self.stop()
            self._stand_ins, self._import_seed = {}, seed
        answer, _ = self._ask({"do": "run", "lines": lines}, {}, LIMITS.run_s)
        if not _is_word(printed := answer.get("printed")):
            raise Unfit("unreadable-answer")
        return printed

    def work(self, name: str, *arguments: Tensor) -> dict[str, int]:
        """The numbers of torch operators and of the module's bytecodes in a call of the function `name`."""
        tensors = {f"argument.{index}": argument for index, argument in enumerate(arguments)}
        answer = self._request({"do": "work", "name": name, "arguments": len(arguments)}, tensors)
        counts = {kind: answer.get(kind) for kind in ("operators", "bytecodes")}
        return {kind: count if type(count) is int and count < 1 << 62 else 0 for kind, count in counts.items()}

    def train(
        self,
        handle: str,
        *functions: str,
        tensors: Mapping[str, Tensor],
        options: Mapping[str, float],
        seed: int,
    ) -> Trained:
        """Train a model by the assignment's loop.

        The loop's arguments are the model, the named functions of the module, the parameters, and by their names the
        `tensors` and `options`.
        """
        request = {"do": "train", "object": handle, "functions": functions, "options": dict(options), "seed": seed}
        _, found = self._ask(request, dict(tensors), LIMITS.training_s)
        losses = _floats({"losses": found.pop("losses")}).get("losses") if "losses" in found else None
        if losses is None or losses.dim() != 1:
            raise self._broken(request, "the losses are missing")
        parameters = {}
        for name, shape in self._shapes.get(handle, {}).items():
            if (parameter := found.get(f"parameter.{name}")) is not None:
                about = {"value": f"parameter {name}"[:MAX_NAME]}
                if parameter.shape != shape:
                    raise Unfit("reshaped", **about, shape=str(tuple(parameter.shape)), expected_shape=str(shape))
                parameters[name] = _as_float(parameter, **about)
        return Trained(losses, parameters)

    def _broken(self, message: Message, why: str) -> Died:
        """End the process after an answer that no correct worker gives; return the error to raise."""
        self.stop()
        return Died("channel-broken", **_step(message), detail=why)

    def _request(self, message: Message, tensors: dict[str, Tensor] | None = None) -> Message:
        return self._ask(message, tensors or {})[0]

    def _ask(
        self, message: Message, tensors: dict[str, Tensor], seconds: float | None = None
    ) -> tuple[Message, dict[str, Tensor]]:
        self.load()
        step = message["do"], _called(message)
        if hung := self._hung.get(step):  # do not wait for the same endless loop again
            raise hung.with_traceback(None)
        try:
            return self._exchange(message, tensors, LIMITS.call_s if seconds is None else seconds, crowded())
        except TimedOut as error:
            self._hung[step] = error
            raise

    def _exchange(
        self, message: Message, tensors: dict[str, Tensor], seconds: float, patience: float = 1.0
    ) -> tuple[Message, dict[str, Tensor]]:
        assert self._channel is not None
        self._count += 1
        now = time.monotonic()
        last = now + self._seconds
        deadline = min(now + seconds * patience, last)
        try:
            if deadline <= now:
                raise TimeoutError
            self._channel.settimeout(deadline - now)
            send(self._channel, {**message, "id": self._count}, tensors)
            while "ask" in (frame := receive(self._channel, deadline))[0]:
                asked = time.monotonic()
                self._answer(*frame, deadline)
                deadline = min(deadline + time.monotonic() - asked, last)  # the grader used that time
            answer, results = frame
            if answer.get("id") != self._count:
                raise ProtocolError("an answer to another question came back")
        except TimeoutError:
            self.stop()
            if time.monotonic() >= last:
                raise TimedOut("total-time", **_step(message), seconds=LIMITS.total_s) from None
            raise TimedOut("call-time", **_step(message), seconds=seconds) from None
        except _Unusable as error:
            self.stop()
            function, detail = error.args
            raise Unfit("stand-in-arguments", **_step(message), function=function, detail=detail) from None
        except ProtocolError as error:
            raise self._broken(message, str(error)) from None
        except ChannelClosed:
            status = self.stop()
            if failure := self._sandbox._failure:
                level = self._sandbox.level.name
                raise SandboxError(f"a process cannot be isolated here at the level {level!r}: {failure}") from None
            raise _death(status, message) from None
        finally:
            self._seconds = last - time.monotonic()
        if failure := answer.get("error"):
            raise received(failure, _called(message))
        return answer, results

    def _answer(self, message: Message, tensors: dict[str, Tensor], deadline: float) -> None:
        """Compute a stand-in's value, or its gradients, for the worker."""
        import torch

        assert self._channel is not None
        name, call = message["ask"], message.get("call")
        function = self._stand_ins.get(name) if isinstance(name, str) else None
        if function is None or type(call) is not int:
            raise ProtocolError("it asks for a function that has no stand-in")
        arguments = [tensors[f"argument.{index}"] for index in range(len(tensors)) if f"argument.{index}" in tensors]
        # Otherwise the state left by one process would tell the next what it was given.
        torch.default_generator.manual_seed((self._seed + self._asked) % 2**63)
        self._asked += 1
        try:
            if message.get("gradient"):
                inputs, value = self._pending.pop((name, call))
                answers = _gradients(value, inputs, arguments[0].reshape(value.shape))
            else:
                needed = zip(arguments, message["needed"], strict=True)
                inputs = [argument.requires_grad_() for argument, is_needed in needed if is_needed]
                try:
                    value = function(*arguments)
                except Exception as error:  # of a function of ours, so that the arguments are what is wrong
                    raise _Unusable(name, str(error)[:200]) from None
                self.stood_in[name] = value.detach()
                answers = [value]
                if value.dim() == 0:
                    answers += _gradients(value, inputs, torch.ones(()))
                elif inputs:
                    self._keep((name, call), inputs, value)
        except _Unusable:
            raise
        except Exception as error:
            raise ProtocolError(f"it passed unusable arguments to {name!r}: {str(error)[:200]}") from None
        self._channel.settimeout(max(deadline - time.monotonic(), 0.001))
        send(self._channel, {}, {f"answer.{index}": answer for index, answer in enumerate(answers)})

    def _keep(self, call: tuple[str, int], inputs: list[Tensor], value: Tensor) -> None:
        """Keep what a stand-in's gradients are computed from, and forget the oldest calls beyond the limits."""
        self._pending[call] = (inputs, value)
        while (
            len(self._pending) > MOST_PENDING
            or sum(each.numel() for kept, _ in self._pending.values() for each in kept) > MOST_PENDING_NUMBERS
        ):
            self._pending.pop(next(iter(self._pending)))

    def _collect(self, reading: int) -> None:
        """Keep the first part of the output and drain the rest, so that a flood does not block."""
        with open(reading, "rb", buffering=0) as pipe:
            while data := pipe.read(65536):
                room = LIMITS.output - len(self._collected)
                self._collected += data[: max(room, 0)]
                self._dropped |= len(data) > room

    def stop(self) -> int | None:
        """End the submission's process; its wait status, if known. The next request starts another process."""
        if self._channel is None:
            return None
        self._channel.close()
        self._channel = None
        self._pending.clear()
        self._held.clear()
        self.stood_in.clear()
        status = self._sandbox._reap()
        if self._reader is not None:
            self._reader.join(GONE_S)
        return status

    def __enter__(self) -> Submission:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def crowded() -> float:
    """How much more wall time a call needs where more processes want to run than there are processors: from 1 to 3."""
    return min(max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), MOST_CROWDED)


def _channel() -> tuple[socket.socket, socket.socket]:
    """Two ends of a channel that block, even where a library has set a default time-out for all sockets."""
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(True)
    return ends


def _gradients(value: Tensor, inputs: list[Tensor], cotangent: Tensor) -> list[Tensor]:
    import torch

    found = torch.autograd.grad(value, inputs, cotangent, allow_unused=True) if inputs else ()
    return [
        torch.zeros_like(each) if gradient is None else gradient for gradient, each in zip(found, inputs, strict=True)
    ]


def _as_tensor(data: bytes) -> Tensor:
    """Bytes as a frame carries them; there must be some."""
    import torch

    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


def _is_line(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 < value <= LIMITS.source


def _is_word(value: object) -> TypeGuard[str]:
    """Whether it is a string that can be used as a name, without the surrogates that JSON allows."""
    return isinstance(value, str) and len(value) <= 1000 and not any("\ud800" <= each <= "\udfff" for each in value)


def _words(value: object) -> list[str]:
    """The strings in a list."""
    return [each for each in value if _is_word(each)] if isinstance(value, list) else []


def _places(value: object) -> list[int]:
    """The places in a list, each once and in order; the first one where nothing else can be read."""
    if value == []:
        return []
    found = {each for each in value if type(each) is int and 0 <= each < 20} if isinstance(value, list) else ()
    return sorted(found) or [0]


def _as_float(tensor: Tensor, **about: str) -> Tensor:
    """The tensor as float32. Unfit, with the fields `about` it, if its numbers are not real or far too many."""
    import torch

    if tensor.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        raise Unfit("not-real", **about, dtype=str(tensor.dtype).removeprefix("torch."))
    if tensor.numel() > MOST_NUMBERS:
        raise Unfit("too-large", **about, shape=str(tuple(tensor.shape)))
    return tensor.float()


def _floats(tensors: dict[str, Tensor], most: int = MOST_IN_REPLY) -> dict[str, Tensor]:
    """The tensors that can be converted to float32, and hold no more numbers than `most` together."""
    found = {}
    for name, tensor in tensors.items():
        with contextlib.suppress(Unfit):
            if tensor.numel() <= most:
                found[name] = _as_float(tensor)
                most -= tensor.numel()
    return found


def _named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def _reply(answer: Message, found: dict[str, Tensor], call: str, results: int | None, unpack: bool) -> Reply:
    """The reply to a call of the function `call`; for `results` and `unpack`, and what is raised, see `call`."""
    kind, count, problems = (answer.get(key) for key in ("kind", "count", "problems"))
    kind = kind if _is_word(kind) else "tuple"
    problems = problems if isinstance(problems, list) else []
    count = count if type(count) is int and 0 <= count < 1 << 63 else len(problems)
    if len(problems) > LIMITS.results:
        raise Unfit("too-many-results", call=call, kind=kind, count=count, expected=results or 1)
    otherwise = {len(problems), count} != {results} or (results == 1 and answer.get("packed") is True)
    types = ", ".join(_words(answer.get("types"))[: LIMITS.results])
    packing = Unfit("result-count", call=call, kind=kind, count=count, types=types, expected=results or 1)
    if not problems or (results is not None and otherwise and not unpack):
        raise packing
    if problem := next(filter(None, problems), None):
        raise received(problem, call)
    given = [found.pop(name) for index in range(len(problems)) if (name := f"output.{index}") in found]
    numbers = sum(output.numel() for output in given)
    if len(given) != len(problems) or numbers > MOST_IN_REPLY:
        raise Unfit("unreadable-answer")
    outputs = [
        _as_float(output, call=call, value=f"result {index}" if len(given) > 1 else "")
        for index, output in enumerate(given, 1)
    ]
    for index, output in enumerate(outputs, 1):
        if not output.numel():
            value = f"result {index}" if len(outputs) > 1 else ""
            raise Unfit("no-numbers", call=call, value=value, shape=str(tuple(output.shape)))
    dtypes = [output.dtype for output in given]
    changed, reached = _places(answer.get("changed")), _words(answer.get("reached"))
    tensors = _floats(found, MOST_IN_REPLY - numbers)
    seed = answer.get("seed")
    seed = seed if type(seed) is int and 0 <= seed < 1 << 64 else None
    return Reply(outputs, dtypes, changed, reached, tensors, packing if results and otherwise else None, seed)


def _called(message: Message) -> str:
    """The name of what a request builds or calls: calling an object runs its `forward`."""
    return str(message.get("name", "")) or "forward"


class _Unusable(Exception):
    """A submission gave a stand-in what it cannot take: the function's name, and what it said."""


def _step(message: Message) -> dict[str, str]:
    return {"during": message["do"], "name": _called(message)}


def _death(status: int | None, message: Message) -> Died:
    """How a process with this request ended."""
    step = _step(message)
    if status is None:
        return Died("worker-lost", **step)
    if not os.WIFSIGNALED(status):
        return Died("exited", **step, status=os.WEXITSTATUS(status))
    number = os.WTERMSIG(status)
    if number == signal.SIGXCPU or (number == signal.SIGKILL and sys.platform == "darwin"):
        return Died("cpu-time", **step, seconds=LIMITS.cpu_s)
    known = number in {each.value for each in signal.Signals}
    return Died("killed", **step, signal=signal.Signals(number).name if known else f"signal {number}")
