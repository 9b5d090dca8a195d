"""Where a hint leaves open where a mistake is, the report names the place in the source that the check depends on."""

import re
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.grading import locate
from autograder.grading.grade import grade_source
from autograder.sandbox.client import Sandbox
from autograder.sandbox.edits import Edit, edits
from tests.submissions import correct
from tests.submissions.wrong import WRONG, source

SOURCES = {wrong.name: source(wrong) for wrong in WRONG}
PLACES = [["sample_latent"], ["loss_function"], ["ConditionalVariationalAutoencoder"]]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def on_a_busy_machine_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locate, "SECONDS", 60.0)


def parsed(text: str) -> bool:
    try:
        compile(text, "module", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


@given(st.sampled_from(sorted(name for name, text in SOURCES.items() if parsed(text))), st.data())
def test_every_change_is_of_one_piece_of_code_that_python_reads(name: str, data: st.DataObject) -> None:
    text = SOURCES[name].encode()
    edit = Edit.read(data.draw(st.sampled_from(edits(text, PLACES)), label="edit"))
    changed = edit.of(text)
    assert changed != text
    assert parsed(changed.decode())
    rest = text
    for first, end in reversed(edit.spans):
        rest = rest[:first] + rest[end:]
    assert len(changed) == len(rest) + len(edit.spans) * len(edit.by.encode())
    assert max(edit.lines) <= text.count(b"\n") + 1


def test_a_change_outside_of_ascii_is_at_its_place() -> None:
    text = 'def f(x):\n    "µ"; é = "ü", x * 3\n    return é[1]\n'.encode()
    results = []
    for record in edits(text, [["f"]]):
        module = ModuleType("changed")
        exec(compile(Edit.read(record).of(text), "changed", "exec"), module.__dict__)
        try:
            results.append(module.f(5))
        except Exception:
            results.append(None)
    assert {5, 3, 0, 30, 8} <= set(results)


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        [[1], [[0, 1]], "by", "shown"],
        [[0], [[0, 1]], "by", "shown", True],
        [[1], [[2, 1]], "by", "shown", True],
        [[1, 2], [[4, 5], [1, 2]], "by", "shown", True],
        [[True], [[0, 1]], "by", "shown", True],
        [[1], [[0, 1.5]], "by", "shown", True],
        [[1], [[-1, 1]], "by", "shown", True],
        [[1], [[0, 1]], None, "shown", True],
        [[], [], "by", "shown", True],
    ],
)
def test_no_other_record_is_read(record: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        Edit.read(record)


def located(text: str, sandbox: Sandbox) -> list[tuple[str, str, list[str]]]:
    """How, what and the source of the lines that failed checks name."""
    report = grade_source("module", text.encode(), sandbox, seed=1)
    messages = [check.message for part in report.parts for check in part.checks]
    found = [
        match for each in messages for match in re.finditer(r"Look at `(.*)` in lines? (.*): (without|with)\b", each)
    ]
    lines = text.split("\n")
    return [
        (match[3], match[1], [lines[int(number) - 1].strip() for number in re.findall(r"\d+", match[2])])
        for match in found
    ]


@pytest.mark.parametrize(
    ("name", "how", "shown", "line"),
    [
        ("hidden-activated-again-in-forward", "without", "torch.tanh(…)", "torch.tanh("),
        ("images-rearranged", "without", ".roll(1, 0)", ".roll(1, 0)"),
        ("logvariances-lowered", "without", "- 5", "- 5"),
        ("encoder-with-dropout", "without", "nn.Dropout(0.2)", "nn.Dropout(0.2)"),
        ("means-doubled-in-training", "with", "if self.training", "if self.training"),
        ("black-pixels-left-out", "without", "* (originals > 0)", "originals > 0"),
        ("pixels-over-255", "without", "/ 255", "/ 255"),
    ],
)
def test_the_place_is_named(name: str, how: str, shown: str, line: str, sandbox: Sandbox) -> None:
    ((said, place, lines),) = located(SOURCES[name], sandbox)
    assert (said, place) == (how, shown)
    assert all(line in each for each in lines)


def test_what_several_changes_would_undo_is_left_out_at_once(sandbox: Sandbox) -> None:
    begins = re.search(r"def forward\(self, (\w+), \w+\):\n", correct.module())
    assert begins is not None
    changes = f"        {begins[1]} = ({begins[1]} - 0.1307) / 0.3081\n"
    text = correct.module().replace(begins[0], begins[0] + changes)
    ((how, shown, _),) = located(text, sandbox)
    assert (how, shown) == ("without", f"({begins[1]} - 0.1307) / 0.3081")


def test_several_places_that_read_alike_are_one(sandbox: Sandbox) -> None:
    text = correct.module()
    layer = re.search(r"( *)nn\.ReLU\(\),\n", text)
    assert layer is not None
    start, end = text.index("self.encoder ="), text.index("self.mean_layer =")
    encoder = text[start:end].replace(layer[0], f"{layer[1]}nn.Dropout(0.1),\n{layer[0]}")
    ((how, shown, lines),) = located(text[:start] + encoder + text[end:], sandbox)
    assert (how, shown) == ("without", "nn.Dropout(…)")
    assert len(lines) > 1
    assert all("nn.Dropout(0.1)" in each for each in lines)


@pytest.mark.parametrize(
    ("noise", "place"),
    [
        ("nn.init.trunc_normal_(torch.empty_like(means), a=-2.5, b=2.5)", "`2.5`, twice in line"),
        ("nn.init.trunc_normal_(torch.empty_like(means), std=1.0, a=-1.0, b=20)", ""),  # which of the two 1.0?
        ("torch.cat([(half := torch.randn((len(means) + 1) // 2, means.shape[1])), -half])[: len(means)]", ""),
        ("torch.cat([(half := torch.randn(len(means), means.shape[1])[::2]), -half])[: len(means)]", ""),
    ],
)
def test_a_place_is_told_from_others_and_is_no_size(noise: str, place: str, sandbox: Sandbox) -> None:
    text = correct.module().replace("torch.randn_like(means)", noise)
    report = grade_source("module", text.encode(), sandbox, seed=1)
    (said,) = [check.message for part in report.parts for check in part.checks if check.message]
    assert place in said
    assert bool(place) == ("Look at" in said)


def test_a_named_mistake_and_two_mistakes_name_no_place(sandbox: Sandbox) -> None:
    assert located(SOURCES["variance-as-std"], sandbox) == []
    twice = SOURCES["black-pixels-left-out"].replace("originals > 0", "originals > 0) * (originals < 1")
    assert located(twice, sandbox) == []


def test_a_source_that_is_nested_too_deeply_has_no_changes(sandbox: Sandbox) -> None:
    deep = f"def sample_latent(x, y): return {'-' * 20_000}x\n"
    with sandbox.submission(deep.encode()) as submission:
        assert submission.edits([("sample_latent",)]) == []
    many = "def sample_latent(x, y):\n" + "    x = x + y * 2\n" * 20_000
    with sandbox.submission(many.encode()) as submission:
        assert len(submission.edits([("sample_latent",)])) < sys.getrecursionlimit()
