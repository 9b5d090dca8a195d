"""The sandbox: what a submission can and cannot do at each isolation level, and what the client makes of it."""

import contextlib
import json
import math
import os
import resource
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from autograder.sandbox import client, isolation, protocol
from autograder.sandbox.client import Sandbox, SandboxError, StandIn, Submission
from autograder.sandbox.errors import Died, Raised, TimedOut, Unfit
from autograder.sandbox.limits import LIMITS, Limits
from tests.settings import Setting

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module", params=[level.name for level in isolation.LEVELS])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    if reason := isolation.why_not(request.param):
        pytest.skip(f"isolation level {request.param}: {reason}")
    with Sandbox(request.param) as running:
        yield running


@pytest.fixture
def weak_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LIMITS", Limits(import_s=3.0, call_s=1.0))


def run(sandbox: Sandbox, source: str) -> str:
    """Import a module and return what it printed."""
    with sandbox.submission(source.encode()) as submission:
        submission.load()
        submission.stop()
        return submission.output


def attempt(action: str) -> str:
    """Source that prints "done" if an action succeeds and the error's name if it is refused."""
    return f"try:\n    {action}\n    print('done')\nexcept Exception as error:\n    print(type(error).__name__)\n"


def test_values_and_gradients_come_back(sandbox: Sandbox) -> None:
    source = b"def f(x, y):\n    return x * y, x + 1\n"
    with sandbox.submission(source) as submission:
        x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 5.0])
        reply = submission.call("f", x, y, cotangents={0: torch.tensor([1.0, 10.0])})
    assert [output.tolist() for output in reply.outputs] == [[3.0, 10.0], [2.0, 3.0]]
    assert reply.gradients("argument")["0"].tolist() == [3.0, 50.0]


def test_gradients_come_in_the_order_of_their_names(sandbox: Sandbox) -> None:
    source = b"import torch\nclass Many(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    source += b"        self.each = torch.nn.ParameterList([torch.ones(2) for _ in range(9)])\n"
    source += b"    def forward(self):\n        return sum(self.each)\n"
    with sandbox.submission(source) as submission:
        submission.construct("many", "Many")
        reply = submission.call("", on="many", cotangents={0: torch.ones(2)})
    assert list(reply.gradients("parameter")) == [f"each.{number}" for number in range(9)]


def test_names_of_newer_pythons_for_annotations_are_there(sandbox: Sandbox) -> None:
    assert run(sandbox, "from typing import TypeIs, override\n@override\ndef f(x): return x\nprint(f(3))\n") == "3\n"


def test_names_of_newer_pythons_are_for_the_module_alone(sandbox: Sandbox) -> None:
    """Packages that find them believe to be on a newer Python: torch.fx, which this import brings, stops then."""
    source = "import torch, typing\nfrom torch.distributions import MultivariateNormal\nnormal = MultivariateNormal("
    assert run(sandbox, f"{source}torch.zeros(3, 2), torch.eye(2))\nprint(normal.sample().numel())\n") == "6\n"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("x = 1\nget_ipython().run_line_magic('a', 'b')\n", 2),
        ("def show():\n    display(3)\nshow()\n", 2),
        ("def show():\n    display(3)\n", None),
        ("try:\n    get_ipython()\nexcept NameError:\n    pass\n", None),
    ],
)
def test_lines_for_notebooks_are_passed_over(sandbox: Sandbox, source: str, line: int | None) -> None:
    with sandbox.submission(source.encode()) as submission:
        submission.load()
        assert submission.notebook_line == line


def test_an_own_raise_comes_with_its_condition(sandbox: Sandbox) -> None:
    source = "def f(x):\n    n = len(x)\n    if n > 2:\n        raise ValueError('many')\n"
    with sandbox.submission(source.encode()) as submission, pytest.raises(Raised, match="many") as raised:
        submission.call("f", torch.ones(3))
    assert (raised.value.own, raised.value.condition, raised.value.given) == (True, "if n > 2", "`n` is 3")


def test_every_module_meets_the_same_sandbox_at_its_import() -> None:
    source = "import os, torch\nprint(torch.rand(3).tolist(), os.path.basename(os.path.dirname(__file__)))\n"
    said = []
    for _ in range(2):
        with Sandbox() as sandbox:
            said += [run(sandbox, source) for _ in range(2)]
    assert "0." in said[0]
    assert set(said) == {said[0]}


@pytest.mark.parametrize(
    "action",
    [
        "import os; os.fork()",
        "import subprocess; subprocess.run(['true'], check=True)",
        "import os; os.execv('/bin/true', ['true'])",
        "import socket; socket.create_connection(('127.0.0.1', 9), timeout=1)",
        "import os, signal; os.kill(os.getppid(), signal.SIGTERM)",
        "import os, signal; os.kill(-1, 0)",
        "import os; open(f'/proc/{os.getppid()}/environ').read()",
        "import ctypes; assert ctypes.CDLL(None).ptrace(16, 1, 0, 0) == 0",
    ],
)
def test_processes_network_and_signals_are_refused(sandbox: Sandbox, action: str) -> None:
    assert run(sandbox, attempt(action)).strip() in ("PermissionError", "AssertionError")


@pytest.mark.parametrize(
    "path", ["autograder/assignments/cvae/solution/cs5814_vae.py", "autograder/grading/harness.py", "README.md"]
)
def test_solution_and_checks_cannot_be_read(sandbox: Sandbox, path: str) -> None:
    if not sandbox.level.strong:
        pytest.skip("the level `process` does not hide files, which is why it counts as weak")
    assert "Error" in run(sandbox, attempt(f"open({str(ROOT / path)!r}).read()"))
    assert "Error" in run(sandbox, attempt("import autograder.assignments.cvae.solution.cs5814_vae"))


def test_nothing_but_the_scratch_folder_can_be_written(sandbox: Sandbox, tmp_path: Path) -> None:
    for place in (tmp_path / "x", Path("/tmp/autograder-escape"), Path("/dev/shm/autograder-escape")):
        assert "Error" in run(sandbox, attempt(f"open({str(place)!r}, 'w').write('x')"))
        assert not place.exists()
    assert run(sandbox, attempt("open('here', 'w').write('x')")).strip() == "done"


def test_a_grader_with_many_open_files_can_grade(sandbox: Sandbox) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limits[0] < 1200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(limits[1], 1200), limits[1]))
    open_files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]  # select() takes no descriptor above 1023
    try:
        with Sandbox(sandbox.level.name) as fresh, fresh.submission(b"import time\ntime.sleep(0.2)") as submission:
            submission.load()
            assert submission.stop() is not None
    finally:
        for descriptor in open_files:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_default_time_out_of_sockets_does_not_reach_the_worker(sandbox: Sandbox) -> None:
    socket.setdefaulttimeout(5)
    try:
        with Sandbox(sandbox.level.name) as fresh, fresh.submission(b"def f(x): return x") as submission:
            assert submission.call("f", torch.ones(2)).outputs[0].tolist() == [1.0, 1.0]
            assert submission.stop() is not None
    finally:
        socket.setdefaulttimeout(None)


def test_nothing_is_left_for_the_next_submission(sandbox: Sandbox) -> None:
    assert run(sandbox, "import os\nopen('message', 'w').write('x')\nos.makedirs('a/b')\nprint(os.getcwd())").strip()
    listing = "import os\nhere = os.getcwd()\nprint(sorted(os.listdir(here)))\n"
    above = "try:\n    print(os.listdir(os.path.dirname(here)))\nexcept OSError:\n    print('hidden')\n"
    printed = run(sandbox, listing + above)
    assert "message" not in printed
    assert "a" not in json.loads(printed.splitlines()[0].replace("'", '"'))


def test_the_environment_of_the_grader_is_not_inherited(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    with Sandbox(sandbox.level.name) as fresh:
        assert "hunter2" not in run(fresh, "import os\nprint(dict(os.environ))")


@pytest.mark.parametrize(
    ("source", "error", "told"),
    [
        ("import os\nos._exit(3)", Died, "exited with code 3"),
        ("import ctypes\nctypes.string_at(0)", Died, "SIGSEGV"),
        ("import os\nos.abort()", Died, "SIGABRT"),
        ("import os\nos.closerange(0, 256)", Died, "ended the process"),
        ("import sys\nsys.exit(0)", Raised, "SystemExit"),
        ("raise KeyboardInterrupt", Raised, "KeyboardInterrupt"),
        ("x = 0" + " + 1" * 6000, Unfit, "too many parts"),
        ("x = ''" + ".strip()" * 6000, Unfit, "too many parts"),
        ("if 0: pass\n" + "elif 1: pass\n" * 6000, Unfit, "too many parts"),
        ("def f(): f()\nf()", Raised, "RecursionError"),
        ("def f(:\n    pass", Raised, "SyntaxError"),
        ("x = 1\n\nprint(undefined)", Raised, "line 3: `print(undefined)`"),
        ("x = bytearray(64 << 30)", Raised, "MemoryError"),
        ("class E(Exception):\n    def __str__(self): raise self\nraise E", Raised, "E"),
        ("raise ValueError('x' * 10**7)", Raised, "ValueError"),
        ("while True: pass", TimedOut, "did not finish within 3 s"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", TimedOut, "did not finish within 3 s"),
    ],
)
def test_a_broken_import_is_told(
    sandbox: Sandbox, weak_limits: None, source: str, error: type[Exception], told: str
) -> None:
    with sandbox.submission(source.encode()) as submission, pytest.raises(error) as raised:
        submission.load()
    assert told in str(raised.value)
    assert len(str(raised.value)) < 3000


def test_a_crash_costs_only_the_call_that_crashed(sandbox: Sandbox) -> None:
    source = b"import os\ndef crash(x): os._exit(1)\ndef fine(x): return x + 1\n"
    with sandbox.submission(source) as submission:
        with pytest.raises(Died):
            submission.call("crash", torch.zeros(2))
        assert submission.call("fine", torch.zeros(2)).outputs[0].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("None", "None"),
        ("1.5", "a float"),
        ("'text'", "a str"),
        ("x.numpy()", "a ndarray"),
        ("x.to_sparse()", "sparse"),
        ("x.to(torch.complex64)", "complex"),
        ("x.to(torch.float8_e5m2fnuz)", "holds float8_e5m2fnuz numbers, not real ones"),
        ("x.to('meta')", "meta"),
        ("torch.quantize_per_tensor(x, 0.1, 0, torch.quint8)", "quantized"),
        ("torch.zeros(1).expand(10**12)", "nothing like"),
        ("x.as_subclass(type('Mine', (torch.Tensor,), {}))", "a subclass of Tensor"),
        ("[x] * 100", "100 values"),
    ],
)
def test_only_plain_tensors_are_accepted(sandbox: Sandbox, expression: str, told: str) -> None:
    source = f"import torch\ndef f(x): return {expression}\n".encode()
    with sandbox.submission(source) as submission, pytest.raises(Unfit) as raised:
        submission.call("f", torch.ones(2, 2))
    assert told in str(raised.value)


_ODD = """
import sys, types, torch
count = 0

class Meta(type):
    @property
    def __name__(cls): raise SystemExit(0)

class Odd(Exception, metaclass=Meta): pass

class Sly(Exception):
    __class__ = property(lambda self: 1 / 0)
    def __str__(self): raise SystemExit(0)

class Text(str):
    def __eq__(self, other): raise SystemExit(0)

def far(error):
    frame = sys._getframe()
    return error.with_traceback(types.TracebackType(None, frame, 10**6, -7))

def syntax(**given):
    error = SyntaxError("x")
    for name, value in given.items(): setattr(error, name, value)
    return error

def f(x):
    global count
    count += 1
    EXPRESSION
    return x

def counted(x): return x + count
"""


@pytest.mark.parametrize(
    "expression",
    [
        "raise Odd()",
        "raise Sly()",
        "raise far(ValueError('x'))",
        "raise syntax(filename=Text(__file__))",
        "raise syntax(filename=__file__, lineno=[object()], msg=Sly())",
        "raise SystemExit",
        "return Odd()",
        "return x.rename('N')",
        "return (torch.zeros(3, 1_000_000),) * 8",
    ],
)
def test_only_what_ends_its_process_is_told_to_exit(sandbox: Sandbox, expression: str) -> None:
    with sandbox.submission(_ODD.replace("EXPRESSION", expression).encode()) as submission:
        with pytest.raises((Raised, Unfit)):
            submission.call("f", torch.zeros(2))
        assert submission.call("counted", torch.zeros(2)).outputs[0].tolist() == [1.0, 1.0]  # by the same process


def test_the_number_of_results_is_bounded_outside(sandbox: Sandbox) -> None:
    source = (
        "import dataclasses, sys\n"
        "service = sys.modules['autograder.sandbox.service']\n"
        "service.LIMITS = dataclasses.replace(service.LIMITS, results=10**6)\n"
        "def f(x): return ([[x] * 100] * 65,) * 2\n"
    )
    with sandbox.submission(source.encode()) as submission:
        started = time.process_time()
        for results in (None, 1):
            with pytest.raises(Unfit) as raised:
                submission.call("f", torch.zeros(()), results=results, unpack=True)
            assert raised.value.code == "too-many-results"
        assert time.process_time() - started < 5


_CALLED_AGAIN = """
import torch
class M(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.piece = torch.nn.Identity()
    def forward(self, x, n, *given):
        for _ in range(4):
            x = self.piece(torch.zeros(int(n), dtype=torch.DTYPE), *given)
        return RESULT
"""


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("result", ["x.flatten()[:3]", "(x,) * 7"])
@pytest.mark.parametrize("numbers", [1000, 4_000_000])
def test_a_reply_takes_no_more_memory_than_a_frame(sandbox: Sandbox, dtype: str, result: str, numbers: int) -> None:
    """However much is captured, what fits comes back, and the process goes on."""
    source = _CALLED_AGAIN.replace("DTYPE", dtype).replace("RESULT", result)
    with sandbox.submission(source.encode()) as submission:
        submission.construct("m", "M")
        with contextlib.nullcontext() if numbers == 1000 else contextlib.suppress(Unfit):
            reply = submission.call("", torch.zeros(3), torch.tensor(float(numbers)), on="m", capture=["piece"])
            tensors = [*reply.outputs, *reply.tensors.values()]
            assert sum(each.nbytes for each in tensors) <= LIMITS.body
            assert numbers > 1000 or len(reply.captured("piece", "result", 3)) == 1
        submission.call("", torch.zeros(3), torch.tensor(1.0), on="m")


def test_output_is_cut(sandbox: Sandbox) -> None:
    printed = run(sandbox, "for _ in range(20000): print('x' * 99)")
    assert len(printed) < LIMITS.output + 100
    assert printed.endswith("[cut after 64 KiB]")


def test_a_forged_frame_is_only_ever_an_answer_of_the_forger(sandbox: Sandbox) -> None:
    source = """
import os, struct
def f(x):
    for descriptor in range(256):
        try:
            os.write(descriptor, struct.pack('!II', 2**31, 2**31) + b'{"id": 1}')
        except OSError:
            pass
    return x
"""
    with sandbox.submission(source.encode()) as submission, pytest.raises(Died) as raised:
        submission.call("f", torch.zeros(1))
    assert "broke the channel" in str(raised.value)


def test_threads_left_behind_end_with_their_process(sandbox: Sandbox) -> None:
    source = "import threading, time\nthreading.Thread(target=lambda: time.sleep(600)).start()\nprint('started')"
    started = time.monotonic()
    assert run(sandbox, source).strip() == "started"
    assert time.monotonic() - started < 10


def test_a_dead_worker_is_replaced() -> None:
    with Sandbox() as sandbox, sandbox.submission(b"def f(x): return x + 1\n") as submission:
        submission.call("f", torch.zeros(1))
        sandbox._process.kill()
        sandbox._process.wait()
        time.sleep(1)  # what is inside goes with it, in a moment
        with pytest.raises(Died):
            submission.call("f", torch.zeros(1))
        assert submission.call("f", torch.zeros(1)).outputs[0].item() == 1.0


def test_a_stand_in_is_computed_outside_and_differentiable(sandbox: Sandbox) -> None:
    source = b"def square(x): raise NotImplementedError\ndef f(x): return square(x).sum()\n"
    with sandbox.submission(source) as submission:
        submission.stand_in({"square": lambda x: x * x})
        reply = submission.call("f", torch.tensor([2.0, 3.0]), cotangents={0: torch.ones(())})
    assert reply.outputs[0].item() == 13.0
    assert reply.gradients("argument")["0"].tolist() == [4.0, 6.0]


def test_a_stand_in_for_a_single_number_is_differentiable_too(sandbox: Sandbox) -> None:
    source = b"def norm(x): raise NotImplementedError\ndef f(x): return 5 * norm(x) + norm(2 * x)\n"
    with sandbox.submission(source) as submission:
        submission.stand_in({"norm": lambda x: (x * x).sum()})
        reply = submission.call("f", torch.tensor([2.0, 3.0]), cotangents={0: torch.ones(())})
    assert reply.outputs[0].item() == 117.0
    assert reply.gradients("argument")["0"].tolist() == [36.0, 54.0]


@pytest.mark.parametrize("function", [lambda n, x: n * x, lambda n, x: (n * x).sum()])
def test_a_stand_in_takes_what_needs_no_gradient(sandbox: Sandbox, function: StandIn) -> None:
    source = b"import torch\ndef times(n, x): pass\ndef f(x): return times(torch.tensor([2, 5]), x).sum()\n"
    with sandbox.submission(source) as submission:
        submission.stand_in({"times": function})
        reply = submission.call("f", torch.tensor([1.0, 3.0]), cotangents={0: torch.ones(())})
        assert submission.call("f", torch.tensor([1.0, 1.0])).outputs[0].item() == 7.0
    assert reply.outputs[0].item() == 17.0
    assert reply.gradients("argument")["0"].tolist() == [2.0, 5.0]


def test_nobody_stands_in_unasked(sandbox: Sandbox) -> None:
    source = b"""
import gc
def f(x):
    service = next(each for each in gc.get_objects() if type(each).__name__ == 'Service')
    service.channel.sendall(__import__('struct').pack('!II', 24, 0) + b'{"ask": "sample_latent"}')
    return x
"""
    with sandbox.submission(source) as submission, pytest.raises(Died):
        submission.call("f", torch.zeros(1))


# --- choosing a level -------------------------------------------------------------------------------------------------


def test_the_strongest_level_that_works_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    refused: set[str] = set()
    monkeypatch.setattr(isolation, "why_not", lambda name: "refused by the test" if name in refused else None)
    chosen = []
    for level in isolation.LEVELS:
        chosen.append(isolation.strongest().name)
        refused.add(level.name)
    assert chosen == ["bubblewrap", "confined", "process"]


NOT_CONFINED = (
    Setting("bubblewrap", ("filter",)),
    Setting("confined", ("filter",)),
    Setting("confined", ("landlock", "capabilities")),
)


@pytest.mark.parametrize("setting", NOT_CONFINED, ids=lambda setting: setting.name)
def test_what_cannot_be_confined_is_the_graders_error(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    if reason := setting.why_not():
        pytest.skip(reason)
    setting.enter(monkeypatch)
    with Sandbox(setting.level) as running, running.submission(b"print('ran')") as submission:
        for _ in range(2):
            with pytest.raises(SandboxError, match="cannot be isolated"):
                submission.load()
        assert submission.output == ""


def test_a_level_that_does_not_work_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "bubblewrap", lambda: None)
    with pytest.raises(SandboxError, match="no bwrap"):
        Sandbox("bubblewrap")


@pytest.mark.parametrize("level", [level.name for level in isolation.LEVELS])
def test_nothing_is_imported_from_the_folder_that_it_runs_in(
    level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("struct", "platform", "autograder", "torch"):
        (tmp_path / f"{name}.py").write_text("open('imported', 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    isolation.why_not(level)
    assert not (tmp_path / "imported").exists()


def test_the_graders_memory_is_out_of_reach(sandbox: Sandbox) -> None:
    assert run(sandbox, attempt(f"open('/proc/{os.getpid()}/mem', 'rb').close()")).strip() in (
        "PermissionError",
        "FileNotFoundError",
    )


# --- the protocol -----------------------------------------------------------------------------------------------------


def pair() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    return ours, theirs


def test_a_frame_survives_the_journey() -> None:
    ours, theirs = pair()
    tensors = {"a": torch.randn(3, 4), "b": torch.arange(5)}
    sender = threading.Thread(target=protocol.send, args=(ours, {"text": "σ"}, tensors))
    sender.start()
    message, received = protocol.receive(theirs, time.monotonic() + 10)
    sender.join()
    assert message == {"text": "σ"}
    assert all(torch.equal(received[name], tensors[name]) for name in tensors)


@pytest.mark.parametrize(
    "frame",
    [
        struct.pack("!II", LIMITS.header + 1, 0),
        struct.pack("!II", 0, LIMITS.body + 1),
        struct.pack("!II", 4, 0) + b"\xff\xfe\x00\x01",
        struct.pack("!II", 2, 0) + b"[]",
        struct.pack("!II", 100_000, 0) + b"[" * 100_000,
        struct.pack("!II", 2, 8) + b"{}" + b"\xff" * 8,
        struct.pack("!II", 2, 10) + b"{}" + struct.pack("<Q", 2) + b"[]",
    ],
)
def test_what_is_no_frame_is_refused(frame: bytes) -> None:
    ours, theirs = pair()
    threading.Thread(target=ours.sendall, args=(frame,), daemon=True).start()
    with pytest.raises(protocol.ProtocolError):
        protocol.receive(theirs, time.monotonic() + 10)


def test_a_silent_end_is_not_waited_for() -> None:
    ours, theirs = pair()
    with pytest.raises(TimeoutError):
        protocol.receive(theirs, time.monotonic() + 0.05)
    ours.close()
    with pytest.raises(protocol.ChannelClosed):
        protocol.receive(theirs, time.monotonic() + 1)


def test_descriptors_do_not_leak() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        with Sandbox() as sandbox, sandbox.submission(b"def f(x): return x\n") as submission:
            assert isinstance(submission, Submission)
            submission.call("f", torch.zeros(1))
    assert len(os.listdir("/proc/self/fd")) <= before + 1


# --- what comes back ----------------------------------------------------------------------------------------------

_PARTS = """
import os, sys, torch
def parts():
    frame = sys._getframe()
    while type(frame.f_locals.get("operations")) is not dict:
        frame = frame.f_back
    return frame.f_globals["send"], frame.f_globals["receive"], frame.f_locals["self"].channel
def asked(message, **tensors):
    send, receive, channel = parts()
    send(channel, message, {f"argument.{index}": each for index, each in enumerate(tensors.values())})
    return receive(channel)[1]
"""


def test_a_stand_in_tells_one_process_nothing_of_another(sandbox: Sandbox) -> None:
    source = _PARTS + (
        "def put(x): asked({'ask': 'double', 'call': 7, 'needed': [True]}, x=x); return x\n"
        "def get(x): return asked({'ask': 'double', 'call': 7, 'gradient': True}, x=x)['answer.0']\n"
        "def draw(x): return asked({'ask': 'noise', 'call': 1, 'needed': [False]}, x=x)['answer.0']\n"
    )
    with sandbox.submission(source.encode()) as submission:
        submission.stand_in({"double": lambda x: x * x, "noise": lambda x: torch.randn_like(x)}, seed=3)
        first = [submission.call("draw", torch.zeros(4)).outputs[0].tolist() for _ in range(2)]
        submission.call("put", torch.ones(5))
        assert submission.stood_in
        submission.stop()
        assert not submission.stood_in
        again = [submission.call("draw", torch.zeros(4)).outputs[0].tolist() for _ in range(2)]
        with pytest.raises(Died, match="unusable arguments"):
            submission.call("get", torch.ones(5))
    assert first == again
    assert first[0] != first[1]


def test_a_none_among_results_is_completed(sandbox: Sandbox) -> None:
    source = (
        b"import torch\nclass M(torch.nn.Module):\n"
        b"    def __init__(self): super().__init__(); self.one, self.two = torch.nn.ReLU(), torch.nn.Tanh()\n"
        b"    def forward(self, x): self.one(x); return None, self.two(x)\n"
    )
    with sandbox.submission(source) as submission:
        submission.construct("model", "M")
        with pytest.raises(Unfit, match="is None"):
            submission.call("", torch.tensor([-1.0, 2.0]), on="model")
        submission.complete_results("model", ["one", "two"])
        first, second = submission.call("", torch.tensor([-1.0, 2.0]), on="model").outputs
    assert first.tolist() == [0.0, 2.0]
    assert second.tolist() == pytest.approx([math.tanh(-1), math.tanh(2)])


def test_a_stand_in_says_what_it_cannot_take(sandbox: Sandbox) -> None:
    source = b"def log(x): pass\ndef f(x): return log(x - 2)\n"

    def log(x: torch.Tensor) -> torch.Tensor:
        if (x < 0).any():
            raise ValueError("all numbers should be above 0")
        return x.log()

    with sandbox.submission(source) as submission:
        submission.stand_in({"log": log})
        said = r"Calling `f` was stopped\. The grader's `log`, .* cannot take .*: all numbers should be above 0"
        with pytest.raises(Unfit, match=said):
            submission.call("f", torch.ones(3))
        assert submission.call("f", 3 * torch.ones(3)).outputs[0].tolist() == [0.0] * 3


def test_what_is_kept_for_stand_ins_is_bounded(sandbox: Sandbox) -> None:
    source = _PARTS + (
        "def f(x):\n"
        "    for call in range(60):\n"
        "        asked({'ask': 'double', 'call': call, 'needed': [True]}, x=torch.zeros(40_000))\n"
        "    return x\n"
    )
    with sandbox.submission(source.encode()) as submission:
        submission.stand_in({"double": lambda x: x * x})
        submission.call("f", torch.ones(1))
        kept = [each.numel() for inputs, _ in submission._pending.values() for each in inputs]
        assert len(kept) <= client.MOST_PENDING
        assert sum(kept) <= client.MOST_PENDING_NUMBERS


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("x > 0", "bool numbers"),
        ("x.long()", "int64 numbers"),
        ("x.to(torch.uint8)", "uint8 numbers"),
        ("x.to(torch.float8_e4m3fn)", "float8"),
        ("()", "0 values"),
        ("[]", "0 values"),
        ("x.sum()", r"shape \(\); the minibatch has 3 rows"),
        ("x[:2]", r"shape \(2, 2\)"),
        ("(x, x.sum())", r"Value 2 .* has shape \(\)"),
        ("torch.zeros(3, 3_000_000)", "far more numbers"),
        ("x + 1j", "complex"),
        ("None", "None"),
    ],
)
def test_an_answer_of_another_kind_is_the_submissions_error(sandbox: Sandbox, value: str, said: str) -> None:
    with (
        sandbox.submission(f"import torch\ndef f(x): return {value}\n".encode()) as submission,
        pytest.raises(Unfit, match=said),
    ):
        submission.call("f", torch.ones(3, 2), rows=3)


ALL_TYPES = sorted({str(each).removeprefix("torch.") for each in vars(torch).values() if isinstance(each, torch.dtype)})


def test_no_type_of_numbers_breaks_the_channel(sandbox: Sandbox) -> None:
    source = "import torch\ndef f(x): return torch.empty(4, dtype=getattr(torch, NAMES[int(x)]))\nNAMES = " + str(
        ALL_TYPES
    )
    with sandbox.submission(source.encode()) as submission:
        for number, _ in enumerate(ALL_TYPES):
            with contextlib.suppress(Unfit, Raised):  # any other error ends the test
                submission.call("f", torch.tensor(float(number)))


BUILT = {
    "its own new": ("class M(torch.nn.Module):\n    def __new__(cls, size): return super().__new__(cls)", 7),
    "a metaclass": (
        "class Meta(type):\n    def __call__(cls, size):\n        made = super().__call__(size)\n"
        "        made.size += 1\n        return made\nclass M(torch.nn.Module, metaclass=Meta):",
        8,
    ),
    "another class": ("class M(torch.nn.Module):\n    def __new__(cls, size): return torch.nn.Flatten(size)", None),
}


@pytest.mark.parametrize("how", BUILT)
def test_an_object_is_built_as_python_does(sandbox: Sandbox, how: str) -> None:
    start, size = BUILT[how]
    source = (
        f"import torch\n{start}\n    def __init__(self, size):\n        super().__init__()\n        self.size = size\n"
    )
    with sandbox.submission(source.encode()) as submission:
        submission.construct("m", "M", 7)
        assert submission.attributes("m", ["size"]) == {"size": size}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        *(("3", 3), ("numpy.int32(3)", 3), ("numpy.uint8(3)", 3), ("torch.tensor(3)", 3), ("True", "bool")),
        *(("torch.tensor(True)", "Tensor"), ("torch.tensor([3])", "Tensor"), ("3.0", "float"), ("'3'", "str")),
        *(("torch.tensor(3.0)", "Tensor"), ("numpy.float64(3)", "float64"), ("None", "NoneType")),
    ],
)
def test_an_integer_is_one_of_any_library(sandbox: Sandbox, value: str, found: int | str) -> None:
    source = f"import numpy, torch\nclass M(torch.nn.Module):\n    size = {value}\n"
    with sandbox.submission(source.encode()) as submission:
        submission.construct("m", "M")
        assert submission.attributes("m", ["size"]) == {"size": found}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_real_numbers_come_back_as_float32(sandbox: Sandbox, dtype: str) -> None:
    source = f"import torch\ndef f(x): return x.to(torch.{dtype}).requires_grad_() * 1\n"
    with sandbox.submission(source.encode()) as submission:
        reply = submission.call("f", torch.ones(3, 2))
    assert reply.outputs[0].dtype is torch.float32
    assert not reply.outputs[0].requires_grad
    assert reply.dtypes == [getattr(torch, dtype)]


def test_a_parameter_may_have_any_name_and_no_axis(sandbox: Sandbox) -> None:
    source = (
        "import torch\nclass M(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.register_parameter('__metadata__', torch.nn.Parameter(torch.tensor(1.0)))\n"
        "        self.register_parameter('\u00e9 b', torch.nn.Parameter(torch.zeros(2, 3)))\n"
        "        self.register_parameter('empty', torch.nn.Parameter(torch.zeros(0, 3)))\n"
        "    def forward(self): return getattr(self, '__metadata__') * 1\n"
    )
    with sandbox.submission(source.encode()) as submission:
        submission.construct("m", "M")
        assert submission.parameters("m") == {"__metadata__": (), "\u00e9 b": (2, 3)}  # there is nothing in the third
        submission.set_parameters("m", {"__metadata__": torch.tensor(5.0), "\u00e9 b": torch.zeros(2, 3)})
        assert submission.call("", on="m").outputs[0] == 5
