"""Whatever a submission's process sends: a frame or the documented error, and to the real checks a grade.

Never a failure of the grader, in bounded time and memory. A worker that knows the solution answers, in a thread of this
process; Hypothesis spoils some of its frames. A sample is tried in CI, 5,000 and more by `make test-exhaustive`.
"""

import contextlib
import ctypes
import json
import math
import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from autograder.assignments.cvae import training
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.grading.grade import UNJUDGED, grade_source
from autograder.sandbox import client, isolation, protocol
from autograder.sandbox.client import Submission
from autograder.sandbox.limits import LIMITS, Limits
from autograder.sandbox.protocol import ChannelClosed, ProtocolError, receive
from autograder.sandbox.service import Service
from tests.frames import bodies, framed, frames, safetensors, values
from tests.memory import watch_memory
from tests.submissions import correct

FEW, MANY = 20, 350
M_MMAP_THRESHOLD = -3  # malloc.h
SHORT = Limits(import_s=2.0, call_s=2.0, training_s=10.0, total_s=30.0)
MOST_CPU_S = 30.0  # of one grade, the worker's and the grader's work together; some 0.5 is usual
MOST_MORE_GIB = 0.7  # than the process held before: ten frames of the largest size

Frame = tuple[dict[str, Any], dict[str, Tensor]]
Spoil = Callable[[dict[str, Any], dict[str, Tensor]], None]

# --- frames -----------------------------------------------------------------------------------------------------------


def received(data: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    ours, theirs = socket.socketpair()

    def send() -> None:
        ours.sendall(data)
        ours.shutdown(socket.SHUT_WR)

    with ours, theirs:
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        try:
            return protocol.receive(theirs, time.monotonic() + 30)
        finally:
            theirs.close()
            sender.join()


@settings(max_examples=200)
@given(frames)
def test_any_bytes_are_a_message_or_a_protocol_error(data: bytes) -> None:
    try:
        message, tensors = received(data)
    except (protocol.ProtocolError, protocol.ChannelClosed):
        return
    assert isinstance(message, dict)
    for tensor in tensors.values():
        assert tensor.layout is torch.strided
        assert tensor.dim() <= 8
        tensor.expand(4, *tensor.shape).contiguous()  # one can compute with it


@given(st.lists(st.sampled_from((0, 1, 2, 2**13, 2**26, 2**62)), max_size=9) | st.just([1] * 100))
def test_no_tensor_has_more_axes_or_longer_ones_than_usual(shape: list[int]) -> None:
    count = math.prod(shape)
    if count > 2**26:
        return
    header = {"output.0": {"dtype": "U8", "shape": shape, "data_offsets": [0, count]}}
    try:
        found = received(framed(b"{}", safetensors(header, bytes(count), 0)))[1]["output.0"]
    except protocol.ProtocolError:
        assert len(shape) > 8 or math.prod(size or 1 for size in shape) > 2**26
    else:
        assert list(found.shape) == shape


def test_a_frame_of_very_many_tensors_is_refused() -> None:
    header = {str(number): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for number in range(30_000)}
    with pytest.raises(protocol.ProtocolError, match="too many"):
        received(framed(b"{}", safetensors(header, b"", 0)))


# --- what may happen to an answer -------------------------------------------------------------------------------------

DTYPES = tuple(
    getattr(torch, name)
    for name in (
        "float64", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "int64", "int32", "int16", "int8", "uint8",
        "uint16", "uint32", "bool", "complex64",
    )
)  # fmt: skip
RESHAPE: dict[str, Callable[[Tensor], Tensor]] = {
    "a scalar": lambda x: x.flatten()[:1].reshape(()) if x.numel() else torch.zeros(()),
    "nothing": lambda x: x[:0] if x.dim() else torch.zeros(0),
    "no columns": lambda x: x[..., :0] if x.dim() else torch.zeros(3, 0),
    "flat": lambda x: x.flatten(),
    "one column": lambda x: x[..., 0] if x.dim() and x.shape[-1] else x,
    "an axis more": lambda x: x[None],
    "an axis more at the end": lambda x: x[..., None],
    "transposed": lambda x: x.T if x.dim() == 2 else x[None].mT if x.dim() == 1 else x,
    "a row less": lambda x: x[1:] if x.dim() else x,
    "a row more": lambda x: torch.cat((x, x[:1])) if x.dim() else x.repeat(2),
    "one row": lambda x: x[:1] if x.dim() else x,
    "many columns": lambda x: x.repeat(*[1] * (x.dim() - 1), 40) if x.dim() else x.repeat(40),
    "many axes": lambda x: x.reshape(*x.shape, *[1] * 20),
    "very many axes": lambda x: x.reshape(-1, *[1] * 60),
    "an axis of the largest length": lambda x: torch.zeros(0, LIMITS.body),
    "an axis that none can have": lambda x: torch.zeros(0, 2**62),
    "empty, of many long axes": lambda x: torch.zeros(*[2**7] * 8, 0),
    "huge": lambda x: torch.zeros(1, 9_000_000),
}
NUMBERS: dict[str, Callable[[Tensor], Tensor]] = {
    "zeros": torch.zeros_like,
    "ones": torch.ones_like,
    "NaN": lambda x: torch.full_like(x, float("nan")),
    "one NaN": lambda x: torch.where(torch.arange(x.numel()).reshape(x.shape) == 0, float("nan"), x),
    "infinity": lambda x: torch.full_like(x, float("inf")),
    "one infinity": lambda x: torch.where(torch.arange(x.numel()).reshape(x.shape) == 0, float("-inf"), x),
    "very large": lambda x: x.sign() * 3e38,
    "very small": lambda x: x * 1e-44,
    "negative": lambda x: -x,
    "constant rows": lambda x: x[:1].expand_as(x).clone() if x.dim() and len(x) else x,
    "constant columns": lambda x: x[..., :1].expand_as(x).clone() if x.dim() and x.shape[-1] else x,
    "noise": torch.randn_like,
}
KEYS = ("error", "incomplete", "attributes", "shapes", "problems", "changed", "reached", "lazy", "submodules",
        "operators", "bytecodes", "id", "kind", "ask", "outline", "edits")  # fmt: skip
NAMES = ("__metadata__", "", "output.0", "output.1", "output.9", "gradient.argument.0", "gradient.argument.", "losses",
         "parameter.", "parameter.encoder.0.weight", "gradient.parameter.encoder.0.weight", "é\x00\x1b")  # fmt: skip
NESTED = "[" * 5000 + "]" * 5000  # deeper than Python's own encoder goes
SHAPES = st.lists(
    st.tuples(
        st.sampled_from(
            ("encoder.0.weight", "decoder.6.bias", "__metadata__", "p", "", "encoder.weight_g", "encoder.weight_v")
        )
        | st.text(max_size=4),
        st.lists(st.sampled_from((0, 1, 2, 10, 15, 64, 784, 794, 4096, -1, 2**40, True, 1.5, None)), max_size=4)
        | st.lists(st.sampled_from((0, 1, 2**26)), max_size=9),
    ),
    max_size=8,
)
ERRORS = st.fixed_dictionaries({}, optional=dict.fromkeys(("kind", "text", "line", "code"), values))


def in_type(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    numbers = tensor.real if tensor.is_complex() else tensor
    return numbers.float().nan_to_num().clamp(-100, 100).to(dtype)


TYPES: dict[str, Callable[[Tensor], Tensor]] = {str(each): partial(in_type, dtype=each) for each in DTYPES}


def on_a_tensor(change: Callable[[Tensor], Tensor]) -> Callable[[int], Spoil]:
    def of(which: int) -> Spoil:
        def spoil(answer: dict[str, Any], tensors: dict[str, Tensor]) -> None:
            if tensors:
                name = sorted(tensors)[which % len(tensors)]
                with contextlib.suppress(RuntimeError):  # not every change suits every type
                    tensors[name] = change(tensors[name]).contiguous()

        return spoil

    return of


def without(which: int) -> Spoil:
    return renamed(which, None)


def renamed(which: int, new: str | None) -> Spoil:
    def spoil(answer: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        if tensors:
            tensor = tensors.pop(sorted(tensors)[which % len(tensors)])
            if new is not None:
                tensors[new] = tensor

    return spoil


def with_key(key: str, value: Any) -> Spoil:
    return lambda answer, tensors: answer.update({key: value})


def as_if_raised(error: dict[str, Any]) -> Spoil:
    def spoil(answer: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        tensors.clear()
        answer["error"] = error or {"kind": "x"}

    return spoil


changes = st.one_of(
    *(
        st.builds(on_a_tensor(each), st.integers(0, 30))
        for each in (
            *RESHAPE.values(),
            *NUMBERS.values(),
            *TYPES.values(),
        )
    ),
    st.builds(without, st.integers(0, 30)),
    st.builds(renamed, st.integers(0, 30), st.sampled_from(NAMES)),
    st.builds(with_key, st.sampled_from(KEYS), values),
    st.builds(with_key, st.just("shapes"), SHAPES),
    st.builds(with_key, st.sampled_from(KEYS), st.just("NESTED")),
    st.builds(as_if_raised, ERRORS),
)
asks = st.fixed_dictionaries(
    {"ask": st.sampled_from(("sample_latent", "loss_function")) | values},
    optional={
        "call": st.integers(0, 2) | values,
        "gradient": st.booleans() | values,
        "needed": st.lists(st.booleans(), max_size=5) | values,
    },
)
arguments = st.dictionaries(
    st.sampled_from([f"argument.{index}" for index in range(5)]),
    st.sampled_from(((), (1,), (2, 3), (32, 784), (1, 3_000_000), (3_000_000, 1), (0,))).map(torch.ones)
    | st.sampled_from(DTYPES).map(lambda dtype: torch.zeros(2, 3).to(dtype)),
    max_size=4,
)
questions = st.lists(st.tuples(asks, arguments), max_size=12)
# When an answer is spoilt: from its number on, so many times; how; and what comes before it.
spoils = st.tuples(
    st.integers(0, 220), st.sampled_from((1, 2, 5, 20, 60, 300)), changes | frames | bodies, questions | st.just([])
)
once: st.SearchStrategy[Any] = st.tuples(
    st.integers(0, 220), st.just(1), changes, st.just([])
)  # all else being right, checks go deepest
plans = st.one_of(st.lists(once, min_size=1, max_size=1), st.lists(spoils, min_size=1, max_size=8))
WRONG_DRAW = correct.module(sample="\ndef sample_latent(means, logvariances):\n    return means * 0\n")
WRONG_LOSS = correct.module(
    loss="\ndef loss_function(reconstructions, originals, means, logvariances):\n    return means.sum()\n"
)
sources = st.sampled_from((correct.module(), correct.module(), WRONG_DRAW, WRONG_LOSS))


# --- the worker that answers ------------------------------------------------------------------------------------------


class Spoiler(Service):
    """Answers like a worker, but for the frames that the plan spoils."""

    def __init__(self, channel: socket.socket, source: bytes, sandbox: "SpoiltSandbox") -> None:
        super().__init__(channel, Path("cs5814_vae.py"), training)
        self.source, self.sandbox = source, sandbox

    def do_load(self, message: dict[str, Any], tensors: dict[str, Tensor]) -> Frame:
        self.module = ModuleType("cs5814_vae")
        exec(compile(self.source, "cs5814_vae.py", "exec"), self.module.__dict__)
        return {}, {}

    def serve(self) -> None:
        try:
            while True:
                message, tensors = receive(self.channel)
                try:
                    answer, results = getattr(self, f"do_{message['do']}")(message, tensors)
                except (ChannelClosed, ProtocolError):
                    raise
                except BaseException as error:
                    answer, results = {"error": self._describe(error)}, {}
                self.answer({"id": message["id"], **answer}, dict(results))
        except (ChannelClosed, ProtocolError, OSError):
            self.channel.close()

    def answer(self, answer: dict[str, Any], results: dict[str, Tensor]) -> None:
        number = self.sandbox.answers
        self.sandbox.answers += 1
        body = None
        for start, times, change, questions in self.sandbox.plan:
            if start <= number < start + times:
                COUNTS["spoilt"] += 1
                for ask, arguments in questions:
                    COUNTS["spoilt"] += 1
                    self.channel.sendall(framed(json.dumps(ask).encode(), save(arguments) if arguments else b""))
                    receive(self.channel)
                if callable(change):
                    change(answer, results)
                elif number % 2:
                    body = change
                else:
                    self.channel.sendall(change)
        header = json.dumps(answer).replace('"NESTED"', NESTED)
        try:
            body = save({name: tensor.contiguous() for name, tensor in results.items()}) if body is None else body
        except (SafetensorError, RuntimeError, ValueError):
            body = b""
        COUNTS["answers"] += 1
        results.clear()
        self.channel.sendall(struct.pack("!II", len(header.encode()), len(body)) + header.encode())
        self.channel.sendall(body)


COUNTS: Counter[str] = Counter()


class SpoiltSandbox:
    """In a sandbox's place: a thread of this process in each process's place."""

    assignment = CVAE
    level = isolation.level("bubblewrap")

    def __init__(self, source: bytes, plan: list[Any]) -> None:
        self.source, self.plan, self.answers = source, plan, 0

    def wait_until_ready(self) -> None: ...

    def submission(self, source: bytes, seconds: float = LIMITS.total_s) -> Submission:
        sandbox: Any = self
        return Submission(sandbox, source, seconds)

    def _spawn(self) -> tuple[socket.socket, int]:
        ours, theirs = socket.socketpair()
        reading, writing = os.pipe()
        os.close(writing)
        worker = Spoiler(theirs, self.source, self)
        self.thread = threading.Thread(target=worker.serve, daemon=True)
        self.thread.start()
        return ours, reading

    def _reap(self) -> int:
        self.thread.join(30)
        return 0


def holds(source: str, plan: list[Any]) -> None:
    sandbox: Any = SpoiltSandbox(source.encode(), plan)
    started = time.process_time()
    report = grade_source(CVAE.module, source.encode(), sandbox, seed=5814, pictures=True)
    assert time.process_time() - started < MOST_CPU_S
    assert not report.grader_failed, report.error
    assert not any(each.startswith(UNJUDGED) for each in report.attention), report.attention
    for part in report.parts:
        assert 0 <= part.score <= part.max_score
        assert sum(check.max_score for check in part.checks) == pytest.approx(part.max_score)
    json.dumps(report.to_json()).encode()


@pytest.mark.parametrize("examples", [FEW, pytest.param(MANY, marks=pytest.mark.exhaustive)])
def test_no_answer_makes_the_grader_fail(examples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LIMITS", SHORT)
    ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 1 << 20)  # as for the workers of a class
    COUNTS.clear()
    more_memory = watch_memory()
    healthy = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]

    @settings(max_examples=examples, derandomize=examples == FEW, suppress_health_check=healthy)
    @given(sources, plans)
    def every(source: str, plan: list[Any]) -> None:
        holds(source, plan)

    try:
        every()
    finally:
        peak = more_memory()
        print(f"{COUNTS['answers']} answers, {COUNTS['spoilt']} spoilt or forged; {peak:.2f} GiB more memory")
    assert peak < MOST_MORE_GIB
    assert examples == FEW or COUNTS["spoilt"] >= 5000


ADDED = st.lists(
    st.tuples(
        st.sampled_from(("", ".encoder", ".decoder", ".encoder[0]", ".decoder[-2]", ".mean_layer")),
        st.sampled_from(("weight_g", "weight_v", "weight_u", "bias_g", "scale", "original0")),
        st.lists(st.sampled_from((0, 1, 2, 15, 64, 784)), max_size=4).filter(lambda shape: math.prod(shape) < 10**5)
        | st.just([1] * 9),
    ),
    min_size=1,
    max_size=4,
)
NORMALIZED = st.tuples(
    st.sampled_from(("weight_norm", "parametrizations.weight_norm", "parametrizations.spectral_norm")),
    st.sampled_from(("encoder[0]", "encoder[2]", "decoder[0]", "decoder[6]", "mean_layer")),
    st.sampled_from((0, 1, "None")),
).map(lambda each: f"    nn.utils.{each[0]}(model.{each[1]}, dim={each[2] if 'weight' in each[0] else 0})\n")


# The encoder and the decoder add the sum of theirs to what they give.
USE = (
    "    for network in (model.encoder, model.decoder):\n"
    "        more = [p for name, p in network.named_parameters() if name.split('.')[-1] not in ('weight', 'bias')]\n"
    "        network.register_forward_hook(lambda _, given, result, more=more: result + sum(p.sum() for p in more))\n"
)


def with_more_parameters(added: list[tuple[str, str, list[int]]], normalized: list[str], used: bool) -> str:
    """A right module whose model has these parameters, too."""
    lines = [
        f'    model{where}.register_parameter("{name}", nn.Parameter(torch.zeros({shape})))\n'
        for where, name, shape in {(where, name): (where, name, shape) for where, name, shape in added}.values()
    ]
    return (
        correct.module()
        + "\n_build = ConditionalVariationalAutoencoder.__init__\n"
        + "def more(model, *sizes, **named):\n    _build(model, *sizes, **named)\n"
        + "".join([*lines, *normalized, USE * used])
        + "ConditionalVariationalAutoencoder.__init__ = more\n"
    )


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
@pytest.mark.parametrize("examples", [6, pytest.param(MANY, marks=pytest.mark.exhaustive)])
def test_no_parameters_make_the_grader_fail(examples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LIMITS", SHORT)
    healthy = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

    @settings(max_examples=examples, derandomize=examples == 6, suppress_health_check=healthy)
    @given(ADDED, st.lists(NORMALIZED, max_size=1), st.booleans())
    def every(added: list[tuple[str, str, list[int]]], normalized: list[str], used: bool) -> None:
        holds(with_more_parameters(added, normalized, used), [])

    every()


EVERY = RESHAPE | {name: change for name, change in NUMBERS.items() if name != "noise"}
EVERY |= TYPES


@pytest.mark.exhaustive
@pytest.mark.parametrize("change", EVERY)
def test_no_kind_of_tensor_makes_the_grader_fail(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One tensor of every answer is spoilt: the first by name, then the second, up to as many as an answer has."""
    monkeypatch.setattr(client, "LIMITS", SHORT)
    for source in (correct.module(), WRONG_DRAW):
        for which in range(14):
            holds(source, [(0, 300, on_a_tensor(EVERY[change])(which), [])])


def test_an_unspoilt_worker_gets_full_marks() -> None:
    sandbox: Any = SpoiltSandbox(correct.module().encode(), [])
    assert grade_source(CVAE.module, correct.module().encode(), sandbox).score == CVAE.points
