"""What a report says of what a check waited for, and of what the grader put in the place of a student's code."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.grading.grade import grade_source
from autograder.report.model import Outcome, Report
from autograder.report.summary import complete, stood_in
from autograder.sandbox.client import Sandbox

SOLUTION = CVAE.solution.read_text("utf-8")
BLANK = (Path(__file__).parents[1] / CVAE.module).read_text("utf-8")
RAISE = 'raise NotImplementedError("Later.")'
FIRST, SECOND = "        self.encoder = nn.Sequential(\n", "        self.decoder = nn.Sequential(\n"
FORWARD, DRAW = "        hidden = self.encoder(", "    std = torch.exp(0.5 * logvariances)\n"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def graded(sandbox: Sandbox, source: str, pictures: bool = False) -> Report:
    return grade_source(CVAE.module, source.encode(), sandbox, seed=1, pictures=pictures)


def unwritten(*lines: str) -> str:
    """The solution with a raise in front of these lines."""
    source = SOLUTION
    for line in lines:
        assert source.count(line) == 1
        indent = line[: len(line) - len(line.lstrip())]
        source = source.replace(line, f"{indent}{RAISE}\n{line}")
    return source


@pytest.mark.parametrize(
    "source",
    [BLANK, unwritten(FIRST), unwritten(SECOND), unwritten(FIRST, SECOND), unwritten(FORWARD, DRAW)],
    ids=["blank", "first", "second", "both", "functions"],
)
def test_a_line_not_written_yet_is_charged_to_one_part(source: str, sandbox: Sandbox) -> None:
    report = graded(sandbox, source)
    checks = [(part.name, check) for part in report.parts for check in part.checks]
    owner = {check.line: name for name, check in checks if check.outcome is Outcome.NOT_WRITTEN}
    assert owner
    for name, check in checks:
        if check.outcome is Outcome.NOT_WRITTEN:
            assert owner[check.line] == name
        if check.line in owner and owner[check.line] != name:
            assert check.outcome is Outcome.SKIPPED
            assert check.message.startswith(f"Not reached yet: line {check.line} stops `")
            assert check.hints == []
    builds_on = [each for part in CVAE.parts for each in part.follows]
    first = next((check.line for name, check in checks if name in builds_on and owner.get(check.line) == name), None)
    waiting = [check.line for name, check in checks if CVAE.part(name).follows and check.outcome is Outcome.SKIPPED]
    assert set(waiting) <= {first}


@pytest.mark.parametrize(
    ("old", "new", "replaced"),
    [
        ("nn.Linear(hidden, input_dim)", "nn.Linear(hidden, input_dim + 10)", {"decoder"}),
        ("nn.Linear(hidden, latent_dimensionality)", "nn.Linear(latent_dimensionality, hidden)",
         {"mean_layer", "logvariance_layer"}),
        ("torch.exp(0.5 * logvariances)", "torch.exp(logvariances)", {"sample_latent"}),
        ("reduction=\"sum\"", "reduction=\"mean\"", {"loss_function"}),
        ("", "", set()),
    ],
)  # fmt: skip
def test_what_the_grader_put_in_place_is_said(old: str, new: str, replaced: set[str], sandbox: Sandbox) -> None:
    report = graded(sandbox, SOLUTION.replace(old, new) if old else SOLUTION, pictures=True)
    parts = {part.name: part for part in report.parts}
    assert report.gallery is not None
    notes = [note.partition(", the grader used ") for part in report.parts for note in part.notes]
    told = {where: [said for begins, _, said in notes if f"`{where}`" in begins] for where in ("training", "forward")}
    told["pictures"] = [report.gallery.lead, *(f"`{name}`" for name in (*report.gallery.stood_in, *stood_in(report)))]
    for where, texts in told.items():
        used, text = replaced - ({"loss_function"} if where == "forward" else set()), " ".join(texts)
        names = re.findall(
            "|".join(f"`{name}`" for name in ("decoder", "mean_layer", "logvariance_layer", *parts)), text
        )
        assert sorted(each.strip("`") for each in names) == sorted(used), "each is said once"
    assert all(complete(parts[name]) for name in ("forward", "training"))


MODES = {
    "": "True",
    "In training mode only, ": "self.training",
    "In evaluation mode only, ": "not self.training",
    "Under `torch.no_grad()` only, ": "not torch.is_grad_enabled()",
}
ENCODE, DECODE = "        hidden = self.encoder(torch", "        data_recon = self.decoder(torch"
RETURN = "        return data_recon, mean_params, logvariance_params\n"


@pytest.mark.parametrize("where", MODES)
@pytest.mark.parametrize(
    ("line", "change"),
    [
        (ENCODE, "data_input = data_input.round()"),
        (ENCODE, "condition = condition.roll(1, 1)"),
        (DECODE, "latents = mean_params"),
        (DECODE, "latents = sample_latent(0 * mean_params, 0 * logvariance_params)"),
        (RETURN, "data_recon = data_recon.round()"),
    ],
)
def test_the_mode_in_which_forward_is_wrong_is_said(where: str, line: str, change: str, sandbox: Sandbox) -> None:
    report = graded(sandbox, SOLUTION.replace(line, f"        if {MODES[where]}:\n            {change}\n{line}"))
    (forward,) = (part for part in report.parts if part.name == "forward")
    told = next(check.message for check in forward.checks if check.outcome is Outcome.FAILED)
    assert told.startswith(where)
    assert not told.removeprefix(where).startswith(tuple(each for each in MODES if each))


KEEP = "        condition = one_hots\n"
EMBED = "        one_hots = condition\n        condition = self.embedding(condition.argmax(-1))\n"
EMBEDDING = ("super().__init__()\n", "super().__init__()\n        self.embedding = nn.Embedding(num_categories, {})\n")


@pytest.mark.parametrize(
    "edits",
    [
        [(EMBEDDING[0], EMBEDDING[1].format("num_categories")), (ENCODE, EMBED + ENCODE)],
        [(ENCODE, "        condition = 0 * condition\n" + ENCODE)],
        [(EMBEDDING[0], EMBEDDING[1].format(7)), (DECODE, EMBED + DECODE),
         ("nn.Linear(latent_dimensionality + num_categories", "nn.Linear(latent_dimensionality + 7")],
        [("nn.Linear(hidden, input_dim)", "nn.Linear(hidden, input_dim + 10)"),
         (RETURN, RETURN.replace("data_recon", "data_recon[:, : self.input_dim]"))],
        [(EMBEDDING[0], EMBEDDING[1].format(7)), (ENCODE, EMBED + ENCODE), (DECODE, KEEP + DECODE),
         ("nn.Linear(input_dim + num_categories", "nn.Linear(input_dim + 7")],
        [("            nn.Sigmoid(),\n", ""), (RETURN, RETURN.replace("data_recon", "data_recon.sigmoid()"))],
    ],
    ids=["class embedded for both", "class missing in both", "class embedded for the decoder", "more than the pixels",
         "class embedded for the encoder", "sigmoid"],
)  # fmt: skip
def test_what_must_change_with_a_mistake_is_said(edits: list[tuple[str, str]], sandbox: Sandbox) -> None:
    source = SOLUTION
    for old, new in edits:
        assert source.count(old) == 1
        source = source.replace(old, new)
    report = graded(sandbox, source)
    assert len([check for part in report.parts for check in part.checks if check.score == 0]) == 1
    (forward,) = (part for part in report.parts if part.name == "forward")
    (told,) = (check.message for check in forward.checks if check.outcome is Outcome.PASSED and check.message)
    assert any(words in told for words in ("both", "must", "Once the decoder is right", "Let the decoder alone"))


@pytest.mark.parametrize("right", [True, False])
def test_pictures_are_decoded_from_the_means_for_everyone(right: bool, sandbox: Sandbox) -> None:
    draw = "sample_latent(mean_params, logvariance_params)"
    assert SOLUTION.count(draw) == 1
    report = graded(sandbox, SOLUTION.replace(draw, draw if right else f"{draw} * self.training"), pictures=True)
    assert report.gallery is not None
    assert report.gallery.figures[0].caption == "Reconstructions, decoded from the means"
    assert "For your pictures" not in report.gallery.lead
    assert all(complete(part) for part in report.parts if right or part.name != "forward")


@pytest.mark.parametrize(
    ("inner", "said"),
    [(("96", "32"), "widths 96, 32 and 64"), (("64", "32"), "widths 64, 32 and 64"), (("hidden", "hidden"), "")],
)
def test_widths_are_said_in_the_order_of_the_layers(inner: tuple[str, str], said: str, sandbox: Sandbox) -> None:
    relu, square = r",\s+nn\.ReLU\(\),\s+", r"nn\.Linear\(hidden, hidden\)"
    layers = "{0}), nn.ReLU(), nn.Linear({0}, {1}), nn.ReLU(), nn.Linear({1}, hidden)"
    source, count = re.subn(rf"hidden\){relu}{square}{relu}{square}", layers.format(*inner), SOLUTION)
    assert count == 2
    report = graded(sandbox, source)
    told = [check.message for part in report.parts for check in part.checks if "have width" in check.message]
    assert [message.partition(" have ")[2].partition(";")[0] for message in told] == [said] * 2 * bool(said)


def test_nothing_waits_where_the_module_cannot_be_imported(sandbox: Sandbox) -> None:
    report = graded(sandbox, f"{SOLUTION}\n{CVAE.parts[2].place[0]}()\n")
    checks = [check for part in report.parts for check in part.checks]
    assert {check.outcome for check in checks} == {Outcome.ERROR}
    (message,) = {check.message for check in checks}
    assert report.error is not None
    said, *hints = report.error.split("\n")
    assert said == message
    assert hints == [f"Hint: {hint}" for hint in checks[0].hints]


def test_a_call_of_what_is_not_written_stops_an_import(sandbox: Sandbox) -> None:
    report = graded(sandbox, f"{SOLUTION}\n\ndef later():\n    {RAISE}\n\n\nlater()\n")
    assert {check.outcome for part in report.parts for check in part.checks} == {Outcome.NOT_WRITTEN}


def test_an_import_error_sends_nobody_to_other_parts(sandbox: Sandbox) -> None:
    report = graded(sandbox, f"{SOLUTION}\nD = torch.flot32\n")
    titles = {hint.title for part in report.parts for check in part.checks for hint in check.hints}
    assert not any(title.endswith(" first") for title in titles)


def test_what_makes_the_heads_is_looked_at_with_the_encoder(sandbox: Sandbox) -> None:
    made = "    def head(self, *sizes):\n        return nn.Sequential(nn.Linear(*sizes), nn.Tanh())\n\n    def forward"
    source = SOLUTION.replace("nn.Linear(hidden, latent_dimensionality)", "self.head(hidden, latent_dimensionality)")
    report = graded(sandbox, source.replace("    def forward", made))
    uses = {part.name: [*part.uses] for part in report.parts}
    assert uses["encoder"] == ["head"]
    assert uses["decoder"] == []


@pytest.mark.parametrize(
    ("returned", "start_of_loss", "fit"),
    [
        ("{}.exp()", "logvariances = logvariances.log()", True),
        ("(0.5 * {}).exp()", "logvariances = 2 * logvariances.log()", True),
        ("-{}", "logvariances = -logvariances", True),
        ("{}.exp()", "logvariances = logvariances.exp()", False),
        ("{}", "logvariances = logvariances.log()", False),
        ("{}.exp()", "pass", False),
        ("{}", "pass", False),
    ],
)
def test_mistakes_that_undo_each_other_are_fixed_together(
    returned: str, start_of_loss: str, fit: bool, sandbox: Sandbox
) -> None:
    source = SOLUTION.replace(", logvariance_params\n", f", {returned.format('logvariance_params')}\n")
    reconstruction = "    reconstruction = "
    assert source.count(reconstruction) == 1
    report = graded(sandbox, source.replace(reconstruction, f"    {start_of_loss}\n{reconstruction}"))
    told = {part.name for part in report.parts for check in part.checks if "so change both" in check.message}
    assert told == ({"forward", "loss_function"} if fit else set())


@pytest.mark.parametrize(
    ("end", "cross_entropy", "fit"),
    [
        ("", "binary_cross_entropy_with_logits(reconstructions,", True),
        ("nn.Tanh(),", "binary_cross_entropy((reconstructions.atanh() * 1.0).sigmoid(),", True),
        ("nn.Tanh(),", "binary_cross_entropy_with_logits(reconstructions,", False),
        ("", "mse_loss(reconstructions,", False),
        ("nn.Sigmoid(),", "binary_cross_entropy_with_logits(reconstructions,", False),
    ],
)
def test_a_decoder_and_a_loss_for_logits_are_fixed_together(
    end: str, cross_entropy: str, fit: bool, sandbox: Sandbox
) -> None:
    source = SOLUTION.replace("nn.Sigmoid(),", end)
    report = graded(sandbox, source.replace("binary_cross_entropy(reconstructions,", cross_entropy))
    told = {part.name for part in report.parts for check in part.checks if "so change both" in check.message}
    assert told == ({"decoder", "loss_function"} if fit else set())
