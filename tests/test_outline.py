"""What is told of a source without running it: the truth, and never at the grader's cost."""

import contextlib
import dataclasses
import inspect
import time
from collections.abc import Iterator
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.assignments.cvae.assignment import PARTS
from autograder.sandbox.client import Sandbox
from autograder.sandbox.errors import SubmissionError
from autograder.sandbox.limits import LIMITS
from autograder.sandbox.outline import Outline, describe
from tests.memory import watch_memory
from tests.submissions import correct
from tests.submissions.heavy import HEAVY

MODULE = """import torch

class ConditionalVariationalAutoencoder(torch.nn.Module):
    @staticmethod
    def helper(): ...

    def __init__(self): ...

    @torch.no_grad()
    def forward(self): ...

def sample_latent(): ...

def sample_latent(again): ...

def other():
    def loss_function(): ...
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        with running.submission(correct.module().encode()) as submission:
            submission.load()  # what the grader itself imports at the first one is no cost of a source
        yield running


@pytest.mark.parametrize(
    ("part", "line"),
    [("sample_latent", 14), ("loss_function", None), ("encoder", 7), ("decoder", 7), ("forward", 10), ("training", 3)],
)
def test_a_part_is_found_where_it_is_defined(part: str, line: int | None) -> None:
    place = next(each.place for each in PARTS if each.name == part)
    found = Outline.read(describe(MODULE.encode())).find(place)
    assert (found and found.line) == line


@pytest.mark.parametrize("name", sorted(correct.CORRECT)[:12])
def test_lines_and_parameters_are_those_that_python_finds(name: str) -> None:
    source = correct.encoded(correct.CORRECT[name])
    module = ModuleType(name)
    exec(compile(source, name, "exec"), module.__dict__)
    outline = Outline.read(describe(source))
    for each in outline.functions():
        if not each.decorated:
            own = getattr(module, each.name)
            assert own.__code__.co_firstlineno == each.line
            assert tuple(inspect.getfullargspec(own).args) == each.parameters


def test_local_variables_of_a_constructor_are_found_with_a_line() -> None:
    source = b"""
class Network:
    def __init__(self, size):
        self.inner = size
        encoder = decoder = size
        encoder, (self.other, last) = decoder, (size, size)
    def forward(self, x):
        result = x
"""
    found = Outline.read(describe(source)).variables
    assert {*found} == {("Network", "encoder", 5), ("Network", "decoder", 5), ("Network", "last", 6)}


NETWORK = """class {used}: ...
class Other: ...
def Function(): ...
class Network:
    def __init__(self):
        self.{attribute} = {called}(1)
        self.other = Other()
    def layers(self): ...
"""


@pytest.mark.parametrize(
    ("called", "found"),
    [
        ("Encoder", {"Encoder": 1}),
        ("Function", {"Function": 3}),
        ("nn.Sequential(*Function(2), Encoder(1), Encoder(1)).to", {"Encoder": 1, "Function": 3}),
        ("self.layers", {"layers": 8}),
        ("nn.Encoder", {}),
        ("other.layers", {}),
        ("Unknown", {}),
        ("Network", {"Network": 4, "Other": 2}),
    ],
)
def test_what_of_the_module_makes_an_attribute_is_found(called: str, found: dict[str, int]) -> None:
    source = NETWORK.format(used="Encoder", attribute="encoder", called=called)
    outline = Outline.read(describe(source.encode()))
    assert outline.made_by("Network", ["encoder"]) == found
    assert outline.made_by("Network", ["decoder"]) == outline.made_by("Other", ["encoder"]) == {}


def test_what_makes_a_class_that_a_part_is_made_of_is_found() -> None:
    source = b"""
class Scale:
    def __init__(self): self.scale = Scale()
class Decoder:
    def __init__(self): self.inner = Scale()
class Network:
    def __init__(self): self.decoder = Decoder()
"""
    assert Outline.read(describe(source)).made_by("Network", ["decoder"]) == {"Decoder": 4, "Scale": 2}


HELPERS = b"""def scale(x): return half(x)
def half(x): return x / half(2)
class Noise:
    def __call__(self): return weight()
noise = Noise()
weight = lambda: half(1)
class Network:
    def encode(self, x): return self.layer(x)
    def forward(self, x): return {called}
    def unused(self): ...
def sample_latent(means): return means
"""


@pytest.mark.parametrize(
    ("called", "found"),
    [
        ("self.encode(x)", {"encode": 8}),
        ("[scale(each) for each in x]", {"scale": 1, "half": 2}),
        ("(lambda y: half(y))(x)", {"half": 2}),
        ("noise() * x", {"half": 2, "Noise": 3}),
        ("Noise.apply(x)", {"half": 2, "Noise": 3}),
        ("sample_latent(x) + self.forward(x)", {}),
        ("x.half()", {}),
        ("half.scale(x)", {}),
        ("torch.scale(unused(x), self.scale())", {}),
        ("self.unused", {}),
    ],
)
def test_what_of_the_module_a_function_calls_is_found(called: str, found: dict[str, int]) -> None:
    outline = Outline.read(describe(HELPERS.replace(b"{called}", called.encode())))
    assert outline.called_by(("Network", "forward"), apart=[("sample_latent",)]) == found
    assert outline.called_by(("Network",)) == outline.called_by(("nothing",)) == {}


def test_of_many_functions_the_nearest_are_named() -> None:
    source = "".join(f"def f{at}(): f{at + 1}()\n" for at in range(9))
    assert Outline.read(describe(source.encode())).called_by(("f0",)) == {f"f{at}": at + 1 for at in range(1, 6)}


def test_a_part_that_is_a_method_or_a_property_is_there() -> None:
    place = ("Network", "__init__")
    source = "class Network:\n  def __init__(self): ...\n  @property\n  def decoder(self): ...\ndef encoder(): ..."
    outline = Outline.read(describe(source.encode()))
    assert outline.place_of(place, "decoder") == ("Network", "decoder")
    assert outline.place_of(place, "encoder") == Outline().place_of(place, "decoder") == place
    assert outline.place_of(("Network", "forward"), "forward") == ("Network",)
    assert Outline.read(describe(b"class A: ...\ndef forward(): ...")).place_of(("A", "forward"), "forward") == (
        "forward",
    )
    assert outline.place_of(("encoder",), "encoder") == ("encoder",)
    assert outline.place_of((), "encoder") == ()


def test_statements_at_the_left_margin_run_at_import() -> None:
    source = b"import torch\n\ndef f():\n    return 1\n\nx = [\n    f()]\nclass A:\n    y = 2\nif x:\n    f()\n"
    outline = Outline.read(describe(source))
    assert [line for line in range(1, 12) if outline.runs_at_import(line)] == [6, 7, 10, 11]


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda each: st.lists(each, max_size=6) | st.dictionaries(st.text(max_size=5), each, max_size=3),
)
lists = st.lists(st.lists(st.text(max_size=5), max_size=4), max_size=4)
fields = [each.name for each in dataclasses.fields(Outline)]
records = json | st.fixed_dictionaries(dict.fromkeys(fields, json | lists))


@pytest.mark.parametrize(
    ("statement", "unused"),
    [
        ("F.relu(x)", True),
        ("torch.nn.functional.relu(x)", True),
        ("self.layer(x).relu()", True),
        ("x.view(-1, 784)", True),
        ("+ x.sum()", True),
        ("x * 2", True),
        ("self.relu(x)", False),  # which may work in place
        ("self.block.relu(x)", False),
        ("F.relu(x, inplace=True)", False),
        ("torch.exp(x, out=x)", False),
        ("F.relu_(x)", False),
        ("seen.add(x)", False),
        ("model.to(x)", False),
        ("super().__init__()", False),
        ("print(x * 2)", False),
        ("'x * 2'", False),
        ("...", False),
        ("y = x * 2", False),
        ("return x * 2", False),
    ],
)
def test_a_result_that_nothing_uses_is_found(statement: str, unused: bool) -> None:
    found = Outline.read(describe(f"def f(x):\n    {statement}\n".encode())).unused
    assert [line for line, _ in found] == [2] * unused


@pytest.mark.parametrize("value", ["a", "(a + b) * c", "f(a, b)", "[a, b]", "a if b else c", "(\n    a\n) + b"])
def test_a_comma_that_makes_a_tuple_is_found(value: str) -> None:
    last = 2 + value.count("\n")
    for statement in (f"x = {value}", f"return {value}", f"self.x = {value}"):
        found = {
            end: Outline.read(describe(f"def f(a, b, c):\n    {statement}{end}".encode())).tuples
            for end in (",", ",  # one", "", ", b")
        }
        assert found == {",": (last,), ",  # one": (last,), "": (), ", b": ()}
    assert Outline.read(describe(f"x = ({value},)".encode())).tuples == ()  # written on purpose


@given(records)
def test_any_record_is_an_outline(record: object) -> None:
    outline = Outline.read(record)
    assert all(each.place and each.line > 0 for each in outline.definitions)
    assert outline.made_by("A", ["b"]) == outline.called_by(("A",)) == {}


@pytest.mark.parametrize("name", ["byte-order-mark", "form-feeds", "carriage-returns-alone", "line-of-62-kilobytes"])
def test_an_odd_source_has_an_outline(name: str) -> None:
    assert Outline.read(describe(HEAVY[name])).find(("sample_latent",))


@pytest.mark.slow
@pytest.mark.parametrize("name", HEAVY)
def test_a_heavy_source_costs_the_grader_nothing(sandbox: Sandbox, name: str) -> None:
    used, started, more_memory = time.process_time(), time.monotonic(), watch_memory()
    with sandbox.submission(HEAVY[name]) as submission, contextlib.suppress(SubmissionError):
        submission.load()
    assert time.process_time() - used < 1.0
    assert time.monotonic() - started < LIMITS.outline_s + LIMITS.import_s + 5
    assert more_memory() < 0.1
