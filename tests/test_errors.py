"""What a student reads about an error names the cause that the source shows."""

import contextlib
import gzip
import re
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import nbformat
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.hints.bank import CLAIMS as BANK_CLAIMS
from autograder.grading.errors import explain, note_on_newer, note_on_work
from autograder.grading.harness import Wrong, require_arguments_unchanged
from autograder.grading.hints import CLAIMS, bank
from autograder.report.model import Outcome
from autograder.sandbox.client import Sandbox, _places
from autograder.sandbox.errors import Died, Raised, SubmissionError, TimedOut, Unfit, received, shortened
from autograder.sandbox.outline import Outline, describe
from autograder.sandbox.service import Service

NO_FORWARD = 'Module [{}] is missing the required "forward" function'


@pytest.mark.parametrize("step", [name.removeprefix("do_") for name in vars(Service) if name.startswith("do_")])
def test_an_end_at_any_step_has_words(step: str) -> None:
    assert "exited with code 1" in str(Died("exited", during=step, name="forward", status=1))


def outline(source: bytes) -> Outline:
    """The outline of a source, an empty one if it cannot be parsed."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return Outline.read(describe(source))
    return Outline()


def missing(name: str) -> Unfit:
    return Unfit("definition-missing", name=name)


def returned(kind: str) -> Unfit:
    return Unfit("not-a-tensor", call="f", value="result", kind=kind)


def counted(*types: str) -> Unfit:
    named = ", ".join(types)
    return Unfit("result-count", call="f", kind="tuple", count=len(types), types=named, expected=3)


def no_match(statement: str) -> Raised:
    return Raised("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (24x15 and 25x64)", 3, statement)


def called(function: str, said: str) -> Raised:
    return Raised("TypeError", f"{function}() {said}", None, "")


@pytest.mark.parametrize(
    ("error", "source", "misconception", "named"),
    [
        (missing("sample_latent"), "def SampleLatent(m, v): ...", "definition-missing", "`SampleLatent`"),
        (
            missing("sample_latent"),
            "def reparametrize(m, v): ...",
            "definition-missing",
            "`reparametrize`",
        ),
        (
            missing("ConditionalVariationalAutoencoder"),
            "class ConditionalVAE: ...",
            "definition-missing",
            "`ConditionalVAE`",
        ),
        (
            missing("loss_function"),
            "class CVAE:\n    def loss_function(self): ...",
            "definition-in-class",
            "inside a class",
        ),
        (
            Unfit("attribute-missing", owner="C", name="encoder"),
            "class C:\n    def __init__(self):\n        self.Encoder = 1",
            "attribute-missing",
            "`self.Encoder`",
        ),
        (
            called("sample_latent", "missing 1 required positional argument: 'logvariances'"),
            "def sample_latent(self, means, logvariances): ...",
            "self-superfluous",
            "(self, means, logvariances)",
        ),
        (
            called("ConditionalVariationalAutoencoder.forward", "takes 2 positional arguments but 3 were given"),
            "class ConditionalVariationalAutoencoder:\n    def forward(data_input, condition): ...",
            "self-missing",
            "(data_input, condition)",
        ),
        (
            called("ConditionalVariationalAutoencoder.__init__", "missing 1 required positional argument: 'depth'"),
            "class ConditionalVariationalAutoencoder:\n    def __init__(self, a, b, c, depth): ...",
            "wrong-parameters",
            "depth",
        ),
        (called("sample_latent", "missing 1 required positional argument: 'v'"), "def (", "wrong-call", ""),
        (
            Raised("SyntaxError", "invalid syntax", 6, "type Latent = Tensor"),
            "",
            "syntax",
            f"Grading uses Python {sys.version_info.major}.{sys.version_info.minor}",
        ),
        (
            Raised("SyntaxError", "invalid syntax", 1, "%matplotlib inline"),
            "%matplotlib inline",
            "notebook-command",
            "",
        ),
        (Raised("NameError", "name 'std' is not defined", 3, "std"), "", "name-undefined", "std"),
        (Raised("ZeroDivisionError", "division by zero", 3, "1 / 0"), "", None, "division by zero"),
        (Raised("EOFError", "EOF when reading a line", 3, "input()"), "", "nothing-outside", "reading a line"),
        (Raised("RuntimeError", "Dataset not found.", 3, "MNIST('data')"), "", "nothing-outside", "Dataset"),
        (
            Raised("AssertionError", "Torch not compiled with CUDA enabled", 3, "x.cuda()"),
            "x.cuda()",
            "no-gpu-here",
            "CUDA",
        ),
        (Raised("RuntimeError", "No CUDA GPUs are available", 3, "x.cuda()"), "x.cuda()", "no-gpu-here", "CUDA"),
        (Raised("ValueError", "too many values", 3, "a, b = x.to('cuda')"), "", "wrong-call", "too many values"),
        (
            Raised("NotImplementedError", NO_FORWARD.format("ModuleList"), None, ""),
            "class ConditionalVariationalAutoencoder:\n    def forward(self, x, c): ...",
            "not-callable",
            "ModuleList",
        ),
        (
            Raised("NotImplementedError", NO_FORWARD.format("CVAE"), None, ""),
            "class Block:\n    def forward(self, x): ...\nclass CVAE:\n    def Forward(self, x, c): ...",
            "forward-missing",
            "`Forward`",
        ),
        (Raised("TypeError", "x", None, ""), "(" * 5000, "wrong-call", ""),
        (
            Raised("TypeError", "x", 2, "f()", at_import=True),
            "def f(a): ...\nf()",
            None,
            "Line 2 runs when your file is imported",
        ),
        (
            Raised("TypeError", "x", 1, "ONE = torch.ones('1')", at_import=True),
            "ONE = torch.ones('1')\ndef f(a): ...",
            "wrong-call",
            "Line 1 runs when your file is imported",
        ),
        (Unfit("too-many-parameters"), "\0", None, ""),
        (
            Raised("ImportError", "cannot import name 'x' from 'typing'", 1, "from typing import x"),
            "",
            "import-missing",
            "Grading uses Python 3.",
        ),
        (
            Raised("ImportError", "cannot import name 'x' from 'torch'", 1, "from torch import x"),
            "",
            "import-missing",
            "'torch' (line 1: `from torch import x`)",
        ),
        (Raised("AssertionError", "no GPU", 1, "assert torch.cuda.is_available()"), "", "no-gpu-here", "no GPU"),
        (Raised("AssertionError", "no GPU", 1, "assert x.shape[0] == 1"), "", "assertion", "no GPU"),
        (
            Raised("ValueError", "odd", 3, "raise ValueError('odd')", True, condition="if n % 2", given="`n` is 3"),
            "",
            "assertion",
            "under `if n % 2`. There, `n` is 3.",
        ),
        (
            Raised("RuntimeError", "no", 3, "raise RuntimeError", True, condition="if not torch.cuda.is_available()"),
            "",
            "no-gpu-here",
            "cuda",
        ),
        (Raised("ValueError", "odd", 3, "raise ValueError('odd')", True), "", None, "odd"),
        (
            Raised("ValueError", "not enough values to unpack (expected 4, got 2)", 1, "n, c, h, w = x.shape"),
            "",
            "unpacking",
            "got 2",
        ),
        (returned("None"), "", "nothing-returned", "None"),
        (returned("float"), "", "no-tensor-returned", "a float"),
        (Unfit("result-count", call="f", kind="dict", count=1, expected=3), "", "wrong-number-of-results", "a dict"),
        (counted("Tensor", "Normal"), "", "wrong-number-of-results", "a tuple of 2 values (Tensor, Normal); the"),
        (counted("Tensor", "Tensor"), "", "wrong-number-of-results", "a tuple of 2 values; the"),
        (Unfit("result-count", call="f", kind="tuple", count=2, expected=1), "", "collection-returned", "a tuple of 2"),
        (
            Unfit("too-many-results", call="f", kind="list", count=9, expected=1),
            "",
            "collection-returned",
            "a list of 9",
        ),
        (Unfit("result-count", call="f", kind="list", count=1, expected=1), "", "collection-returned", "of one"),
        (Raised("IndentationError", "unexpected indent", 3, "x = 1"), "", "indentation", "unexpected"),
        (Raised("TabError", "inconsistent use of tabs", 3, "x = 1"), "", "indentation", "tabs"),
        (
            Raised("AttributeError", "module 'torch.nn' has no attribute 'Relu'", 3, "nn.Relu()"),
            "",
            "not-in-library",
            "",
        ),
        (no_match("hidden = block(x)"), "", "row-length", "Each row has 15 numbers, and 25 are needed."),
        (no_match("return self.decoder(latents)"), "", "decoder-row-length", "Each row has 15 numbers"),
        (no_match("return self.decoder(self.encoder(x))"), "", "row-length", "Each row has 15 numbers"),
        (no_match("x = self.encoder_two(x)"), "", "row-length", "Each row has 15 numbers"),
    ],
)
def test_names_the_cause(error: SubmissionError, source: str, misconception: str | None, named: str) -> None:
    cause = explain(error, outline(source.encode()), CVAE)
    assert cause.misconceptions == ([misconception] if misconception else [])
    assert named in cause.message


def test_a_wrong_call_inside_is_not_blamed_on_the_signature() -> None:
    error = Raised("TypeError", "sample_latent() missing 1 required positional argument: 'v'", 9, "sample_latent(m)")
    assert explain(error, outline(b"def sample_latent(m, v): ..."), CVAE).misconceptions == ["wrong-call"]


def test_an_import_that_takes_too_long_is_told_where_it_loops() -> None:
    error = TimedOut("call-time", during="load", name="", seconds=30)
    assert "line 2" in explain(error, outline(b"x = 1\nwhile x:\n    pass\n"), CVAE).message


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("raise NotImplementedError('Draw.')", Outcome.NOT_WRITTEN),
        ("raise NotImplementedError", Outcome.NOT_WRITTEN),
        ("return torch.nn.Module()(x)", Outcome.ERROR),
        ("return torch.quantize_per_tensor(x, 0.1, 0, torch.quint8).sin_()", Outcome.ERROR),
        ("return 1 / 0", Outcome.ERROR),
        ("return None", Outcome.FAILED),
    ],
)
def test_only_the_fill_ins_own_raise_is_not_written(body: str, outcome: Outcome, sandbox: Sandbox) -> None:
    source = f"import torch\ndef f(x):\n    {body}\n".encode()
    with sandbox.submission(source) as submission, pytest.raises(SubmissionError) as raised:
        submission.call("f", torch.ones(2))
    assert explain(raised.value, outline(source), CVAE).outcome is outcome


STUB = "raise NotImplementedError('Draw.')"
METHOD = "class C:\n    def f(self): return 1\n"


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        (f"def f(x):\n    'It draws.'\n    {STUB}\n", 3, ""),
        (f"def f(x):\n    {STUB}\n    y = x\n    return y\n", 2, "from line 3, never runs"),
        (f"def f(x):\n    y = x\n    {STUB}\n", 3, "line 3 must be a `return`"),
        (f"def f(x):\n    return x\ndef f(x):\n    {STUB}\n", 4, "in line 1 too"),
        (f"{METHOD}def f(x):\n    {STUB}\n", 4, "Line 2 defines another `f`, inside `C`"),
        (f"def f(x): return x\nclass C:\n    def f(self):\n        {STUB}\n", 4, "Line 1 defines another `f`, outside"),
        (f"class C:\n    def foward(self): ...\n    def forward(self):\n        {STUB}\n", 4, "a misspelling"),
        (f"class C:\n    def __init__(self):\n        self.a = 1\n        {STUB}\n        {STUB}\n", 4, ""),
        ("raise NotImplementedError('Draw.')", 1, ""),
        ("(", 1, ""),
    ],
)  # fmt: skip
def test_a_stub_that_is_left_tells_of_code_in_its_place(source: str, line: int, said: str) -> None:
    cause = explain(Raised("NotImplementedError", "Draw.", line, STUB, own=True), outline(source.encode()), CVAE)
    start = f"Not written yet: line {line} still raises NotImplementedError. Draw."
    assert cause.message.startswith(start)
    assert said in cause.message
    assert cause.misconceptions == (["definition-in-class"] if source.startswith(METHOD) else [])
    assert said or cause.message == start


@pytest.mark.parametrize("kind", ["list", "dict", "ModuleList", "ModuleDict", "Parts"])
def test_what_holds_layers_but_has_no_forward_is_told(kind: str, sandbox: Sandbox) -> None:
    source = (
        "from torch.nn import Module, ModuleDict, ModuleList\n"
        "class Parts(ModuleList):\n    def forward(self, x): return x\n"
        f"class Model(Module):\n    def __init__(self):\n        super().__init__()\n        self.part = {kind}()\n"
    ).encode()
    with sandbox.submission(source) as submission:
        submission.construct("model", "Model")
        if kind == "Parts":
            assert submission.call("part", torch.ones(2), on="model").outputs[0].sum() == 2
            return
        with pytest.raises(Unfit) as raised:
            submission.call("part", torch.ones(2), on="model")
    cause = explain(raised.value, outline(source), CVAE)
    assert cause.message == f"`part` is a {kind}, so it cannot be called."
    assert cause.misconceptions == ["not-callable"]


NAMES = st.lists(st.from_regex("x[0-9]{1,3}", fullmatch=True), max_size=4, unique=True)


@given(NAMES, st.booleans(), st.sets(st.integers(0, 5), min_size=1))
def test_a_changed_argument_is_named_as_the_student_does(names: list[str], is_method: bool, places: set[int]) -> None:
    function = f"def run({', '.join(['self'] * is_method + names)}): ..."
    source = f"class Model:\n    {function}\n" if is_method else f"{function}\n"
    place = ("Model", "run") if is_method else ("run",)
    submission, reply = SimpleNamespace(outline=outline(source.encode())), SimpleNamespace(changed=sorted(places))
    with pytest.raises(Wrong, match="`run` changes its argument") as raised:
        require_arguments_unchanged(submission, reply, place)  # type: ignore[arg-type]
    told = re.findall(r"`(x\w+)`|number (\d+)", str(raised.value))
    assert told == [(names[at], "") if at < len(names) else ("", str(at + 1)) for at in sorted(places)]


SOURCE = "name = 'naïve'\nimport torch\n"


@pytest.mark.parametrize(
    ("source", "misconception", "named"),
    [
        (SOURCE.encode("utf-16"), "encoding", "UTF-16"),  # PowerShell's >
        (SOURCE.encode("utf-16-le"), "encoding", "UTF-16"),
        (SOURCE.encode("utf-16-be"), "encoding", "UTF-16"),
        (SOURCE.encode("utf-32"), "encoding", "UTF-32"),
        (SOURCE.encode("cp1252"), "encoding", "0xef"),
        (b"# coding: klingon\n", "encoding", "klingon"),
        (b"# coding: rot13\n", "encoding", "rot13"),
        (b"# coding: punycode\n", "encoding", "punycode"),
        (SOURCE.encode() + b"x = 1\n# \0\n", "null-byte", "line 4"),
        (b"x = 'C:\\Users'\n", "syntax", "unicodeescape"),
        (gzip.compress(SOURCE.encode()), "another-format", "gzip"),
        (b"PK\x03\x04\x14\0\0\0", "another-format", "Office"),
        (b"%PDF-1.7\n\xe2\xe3\n", "another-format", "PDF"),
        (b"{\\rtf1\\ansi\n", "another-format", "RTF"),
        (b"\n<!DOCTYPE html>\n", "another-format", "web page"),
        (nbformat.writes(nbformat.v4.new_notebook()).encode(), "another-format", "a notebook"),
    ],
)
def test_bytes_that_are_no_text_are_told_as_such(
    source: bytes, misconception: str, named: str, sandbox: Sandbox
) -> None:
    with sandbox.submission(source) as submission, pytest.raises(SubmissionError) as raised:
        submission.call("f", torch.ones(2))
    cause = explain(raised.value, outline(source), CVAE)
    assert cause.misconceptions == [misconception]
    assert named in cause.message
    assert ("newer" in cause.message) == (misconception == "syntax")


NOT_IN_CODE = "\u2212\u00d7\u2044\u201c\u201d\u2018\u2019\u00b2\u00bd\u20ac\u00a0\u3000\u200b\u00ad\ufeff"


@given(st.sampled_from(NOT_IN_CODE), st.sampled_from(["x = 1 {} 2\n", "{}x = 1\n", "x{} = 1\n", "def f({}): ...\n"]))
def test_a_character_that_no_code_has_is_named(character: str, line: str) -> None:
    with pytest.raises(SyntaxError) as raised:
        compile(f"# as a user: {character}\n{line.format(character)}", CVAE.module, "exec")
    cause = explain(Raised("SyntaxError", raised.value.msg, 2, line.format(character)), Outline(), CVAE)
    assert cause.misconceptions == ["invalid-character"]
    assert f"U+{ord(character):04X}" in cause.message
    assert "newer" not in cause.message


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


# What a worker may send, and anything else that JSON can hold in its place.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=9), values, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["code", "kind", "text", "line", "statement", "own", "name", "owner", "value", "count", "shape"]
)
CODES = st.sampled_from(["raised", "definition-missing", "not-a-tensor", "too-many-results", "too-large", "exited"])


@given(JSON | st.builds(lambda code, fields: fields | {"code": code}, CODES, st.dictionaries(FIELDS, JSON)))
def test_anything_that_a_worker_sends_becomes_a_bounded_error(sent: object) -> None:
    error = received(sent, "f")
    assert isinstance(error, (Raised, Unfit))
    assert len(str(error)) < 4000
    assert explain(error, Outline(), CVAE).message


@given(JSON | st.lists(st.integers(-3, 30) | JSON))
def test_places_that_a_worker_sends_are_few_and_small(sent: object) -> None:
    places = _places(sent)
    assert (places == []) == (sent == [])
    assert places == sorted(set(places) & set(range(20)))


@pytest.mark.parametrize("cookie", ["punycode", "utf-16", "zlib", "klingon"])
def test_an_encoding_that_fails_is_told_as_an_error(cookie: str, sandbox: Sandbox) -> None:
    source = f"# coding: {cookie}\nx = '{'a' * 60}.{'b' * 70}-{'c' * 300}'\n".encode()
    with sandbox.submission(source) as submission, pytest.raises(Raised):
        submission.load()


@pytest.mark.parametrize(
    ("source", "noted"),
    [
        ("for epoch in range(3):\n    train()\n", True),
        ("with open('log') as log:\n    for line in log: ...\n", True),
        ("if __name__ == '__main__':\n    for epoch in range(3): ...\n", False),
        ("def train():\n    for epoch in range(3): ...\n", False),
        ("print('hello')\n", False),
    ],
)
def test_loops_at_import_are_noted(source: str, noted: bool) -> None:
    assert (note_on_work(outline(source.encode())) is not None) == noted


@pytest.mark.parametrize(
    ("said", "source", "misconceptions"),
    [
        ("one_hot is only applicable to index tensor.", "F.one_hot(c)", ["one-hot-already"]),
        ("one_hot is only applicable to index tensor.", "encode(c)", ["wrong-call"]),
        ("dropout probability has to be between 0 and 1, but got 2", "nn.Dropout(2)", ["wrong-call"]),
        ("all elements of input should be between 0 and 1", "F.binary_cross_entropy(r, x)", ["not-probabilities"]),
        ("Can't call numpy() on Tensor that requires grad.", "x.numpy()", ["numpy-for-torch"]),
        ("a view of a leaf Variable is being used in an in-place operation.", "x += 1", ["in-place"]),
        ("a view of a leaf Variable is being used in an in-place operation.", "x[0] = 1", ["in-place"]),
        ("a view of a leaf Variable is being used in an in-place operation.", "x.mul_(2)", ["in-place"]),
        ("a view of a leaf Variable is being used in an in-place operation.", "x = 1", ["wrong-call"]),
        ("No CUDA GPUs are available", "x.to('cuda:0')", ["no-gpu-here"]),
        ("No CUDA GPUs are available", "x.to(0)", ["no-gpu-here"]),
        ("Device index must not be negative", "x.to(y.get_device())", ["no-such-device"]),
        ("Expected one of cpu, cuda device type at start of device string: gpu", "x.to('gpu')", ["no-such-device"]),
        ("Invalid device string: 'cuda:-1'", "x.to(f'cuda:{n}')", ["no-such-device"]),
        ("Could not run 'aten::empty' with arguments from the 'MPS' backend.", "x.to('mps')", ["no-gpu-here"]),
        ("Could not run 'aten::add' with arguments from the 'SparseCPU' backend.", "x + y", ["wrong-call"]),
    ],
)
def test_no_hint_names_what_the_source_lacks(said: str, source: str, misconceptions: list[str]) -> None:
    assert explain(Raised("RuntimeError", said, 1, ""), outline(source.encode()), CVAE).misconceptions == misconceptions


def test_every_claim_is_of_a_hint_and_can_fail() -> None:
    claims = CLAIMS | BANK_CLAIMS
    assert claims.keys() <= bank(CVAE).keys()
    assert not any(claim(Outline()) for claim in claims.values())


@pytest.mark.parametrize(
    ("source", "line", "at_import", "told"),
    [
        ("square = lambda x: x @ x", 1, True, True),
        ("square = lambda x: x @ x", 1, False, False),
        ("try:\n    import missing\nexcept ValueError:\n    pass", 2, True, False),
    ],
)
def test_code_that_fails_at_the_import_is_told_to_run_there(
    source: str, line: int, at_import: bool, told: bool
) -> None:
    statement = source.splitlines()[line - 1].strip()
    error = Raised("RuntimeError", "x", line, statement, at_import=at_import)
    said = explain(error, Outline.read(describe(source.encode())), CVAE).message
    assert ("runs when your file is imported" in said) == told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"bad: {[0.25] * 200} here", f"bad: [{'0.25, ' * 8}0.25, …] here"),
        ("values: tensor([[1.],\n        [3.]])", "values: tensor([[1.],\n        [3.]])"),
        ("shape '[128, -1]' is invalid", "shape '[128, -1]' is invalid"),
    ],
)
def test_an_error_prints_one_line_of_values(text: str, said: str) -> None:
    assert shortened(text) == said


def test_names_of_newer_pythons_are_noted() -> None:
    assert note_on_newer({}) is None
    assert "Line 2 takes `override` from `typing`" in str(note_on_newer({"override": 2}))
