"""A new term: bring every file that holds a copy of the assignment's constants in step with `autograder.assignments.cvae.assignment`.

What students get has to stand by itself, so it cannot import the constants. Below is every passage that holds one: its
words as they stand in the file, with a {field} for what follows from the assignment. The words find the place, and a
passage that is not found is an error, so that no number is ever replaced because it happens to look like another.
"""

import difflib
import json
import math
import re
import types
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

from autograder.assignments.cvae import assignment
from autograder.authoring.fill_in import fill_in

REPOSITORY = Path(__file__).parents[2]
ASSIGNMENT, SOLUTION, NOTEBOOK = (
    "autograder/assignments/cvae/assignment.py",
    f"autograder/assignments/cvae/solution/{assignment.MODULE}",
    "notebooks/cvae.ipynb",
)

Curve = dict[int, tuple[float, float]]  # lowest and highest average loss, by epoch

_MODULE = ("latent_dimensionality={latent}):", "self.hidden_size = {hidden}")
_EXAMPLES = [
    path
    for path in sorted(REPOSITORY.glob(f"examples/*/{assignment.MODULE}"))
    if path.parent.name != "functions-only"  # holds no network
]
_POINTS = tuple(f"| `{name}` | {{points_{name}}} |" for name in ("sample_latent", "loss_function", "forward"))

PASSAGES: dict[str, tuple[str, ...]] = {
    # The figures that are measured, not chosen.
    ASSIGNMENT: ("REFERENCE_SETTINGS = {reference_settings}\n", "REFERENCE_CURVE = {\n{reference_curve}\n}"),
    SOLUTION: _MODULE,
    "notebooks/public_checks.py": (
        "\nSEED = {seed}\n",
        "\nHIDDEN_SIZE = {hidden}\n",
        "EXAMPLE_LATENTS = (\n{example_latents}\n)",
        "EXAMPLE_RECONSTRUCTION_LOGITS = {reconstruction_logits}\n",
        "EXAMPLE_ORIGINAL_LOGITS = {original_logits}\n",
        "EXAMPLE_LOSS = {example_loss}\n",
    ),
    "docs/student.md": (
        *_POINTS,
        "| encoder | {points_encoder} |",
        "| decoder | {points_decoder} |",
        "| training works | {points_training} |",
        "read by a TA | {points_visualization} |",
        "The first {automatic_points} points come",
        "with its figures, by {due_in_words}.",
        "**784, 10 or {latent} written",
    ),
    "README.md": (
        *_POINTS,
        "| `encoder` | {points_encoder} |",
        "| `decoder` | {points_decoder} |",
        "| `training` | {points_training} |",
        "| `visualization` | {points_visualization} |",
    ),
    "docs/ta.md": ('--duedate="{due}"',),
    "docs/ci.md": (
        "with {automatic_points} autograder points and {points_visualization} for manual grading",
        f"`autograder/assignments/cvae/solution/{assignment.MODULE}` ({{automatic_points}} points)",
    ),
    "autograder/platforms/nbgrader/template/README.md": (
        '--duedate="{due}"',
        "`visualization` ({points_visualization} points)",
    ),
    **{path.relative_to(REPOSITORY).as_posix(): _MODULE for path in _EXAMPLES},
}

# The notebook's, by cell. The points in nbgrader's metadata follow as well.
CELLS: dict[str, tuple[str, ...]] = {
    "intro": (
        "| encoder | `ConditionalVariationalAutoencoder.__init__` | {points_encoder} |",
        "| decoder | `ConditionalVariationalAutoencoder.__init__` | {points_decoder} |",
        "| `sample_latent` | {points_sample_latent} |",
        "| `ConditionalVariationalAutoencoder.forward` | {points_forward} |",
        "| `loss_function` | {points_loss_function} |",
        "| all of the above | {points_training} |",
        "| the last section of this notebook | {points_visualization} |",
    ),
    "setup": ("torch.manual_seed({seed})",),
    "load-digits": ("\nbatch_size = {batch_size}\n",),
    "architecture": ("rather than 784, 10 and {latent}:",),
    "encoder": ("projects to the hidden size, {hidden};",),
    "sample-example-text": ("With the seed {seed},", "```\n{example_printed}\n```"),
    "sample-example": ("torch.manual_seed({seed})", "size = (1, {latent})"),
    "loss-example-text": (
        "in {latent} dimensions, the loss is {example_loss}. You",
        r"$\frac{1}{2} \cdot {latent} = {example_divergence}$",
    ),
    "loss-example": (
        "size = (1, {latent})",
        "reconstruction = torch.sigmoid(torch.tensor({reconstruction_rows})).view",
        "original = torch.sigmoid(torch.tensor({original_rows})).view",
    ),
    "train-model": ("lr={learning_rate},",),
    "train": (
        "num_epochs = {num_epochs}  # feel",
        "latent_dimensionality = {training_latent}  # feel",
        "torch.manual_seed({seed})",
    ),
    "curve-text": ("lies on MNIST with {settings_in_words}, over a few seeds", "is about {batch_size} times too high"),
    "curve": ("REFERENCE_CURVE = {\n{reference_curve}\n}",),
    "visualization": (
        "Graded by eye, {points_visualization} points:",
        "- ({points_figures}) The figures",
        "- ({points_answer}) In the cell",
    ),
    "hand-in": ("by **{due_in_words}**",),
}


class CannotRollOver(ValueError):
    """The assignment file holds a value that will not do, or a passage is not where it should be."""


class OutOfStep(CannotRollOver):
    """Files differ from what the assignment makes of them."""


def out_of_step(curve: Curve | None = None) -> dict[Path, tuple[str, str]]:
    """The files that differ from what the assignment makes of them: as they are, and as they should be.

    `curve` replaces the reference curve with one that was measured for the constants as they are now. CannotRollOver
    if the assignment cannot be taught so or a passage is missing; FileNotFoundError outside of the repository.
    """
    require_sound()
    if not (REPOSITORY / NOTEBOOK).exists():
        raise FileNotFoundError(f"{NOTEBOOK} is missing: work in a checkout of the course's repository")
    values = fields(curve)
    files = {}
    for name in (*PASSAGES, NOTEBOOK):
        text = (REPOSITORY / name).read_text("utf-8")
        renew = _renew_notebook if name == NOTEBOOK else partial(_renew, passages=PASSAGES[name])
        try:
            files[name] = (text, renew(text, values=values))
        except CannotRollOver as error:
            raise CannotRollOver(f"{name}: {error}") from None
    files[assignment.MODULE] = ((REPOSITORY / assignment.MODULE).read_text("utf-8"), fill_in(files[SOLUTION][1]))
    return {REPOSITORY / name: texts for name, texts in files.items() if texts[0] != texts[1]}


def require_in_step() -> None:
    """OutOfStep if any file is, so that nothing can be published that contradicts the grading."""
    if files := out_of_step():
        names = ", ".join(path.relative_to(REPOSITORY).as_posix() for path in files)
        raise OutOfStep(f"out of step with {ASSIGNMENT}: {names}; run `autograder rollover`")


def changed_lines(old: str, new: str) -> list[str]:
    """The lines that go, marked -, and those that come, marked +."""
    difference = difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
    return [line for line in list(difference)[2:] if not line.startswith("@@")]


def solution() -> types.ModuleType:
    """The solution as the assignment makes it, whatever has been imported."""
    module = types.ModuleType("solution")
    source = _renew((REPOSITORY / SOLUTION).read_text("utf-8"), _MODULE, _sizes())
    exec(compile(source, SOLUTION, "exec"), module.__dict__)
    return module


def keeps_hidden_size() -> bool:
    """Whether the solution on the disk has the assignment's hidden size: if so, last term's networks still pass."""
    return f"self.hidden_size = {assignment.HIDDEN_SIZE}\n" in (REPOSITORY / SOLUTION).read_text("utf-8")


# --- passages -----------------------------------------------------------------------------------------------------


_NUMBER = r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?"


def _renew(text: str, passages: Iterable[str], values: Mapping[str, str]) -> str:
    """`text` with the fields of all passages, wherever they occur, as they are in `values`."""
    renewed: list[str] = []
    for passage in passages:
        words = re.split(r"\{([a-z_]+)\}", passage)  # words, field, words, field, …, words
        fields = words[1::2]
        pattern = "".join(_like(values[word]) if index % 2 else re.escape(word) for index, word in enumerate(words))
        found = list(re.finditer(pattern, text, flags=re.DOTALL))
        if not found:
            raise CannotRollOver(f"{passage!r} is not there; if you have reworded it, do so in rollover.py too")
        for place in reversed(found):  # the last first: the others stay where they were found
            words[1::2] = [
                _settle(field, old, values[field]) for field, old in zip(fields, place.groups(), strict=True)
            ]
            renewed.append("".join(words))
            text = text[: place.start()] + renewed[-1] + text[place.end() :]
    if lost := next((each for each in renewed if each not in text), None):
        raise CannotRollOver(f"{lost!r} was overwritten: two passages in rollover.py mean the same place")
    return text


def _like(value: str) -> str:
    """Matches what `value` may take the place of: a number that of a number, else anything up to the next words."""
    return f"({_NUMBER if re.fullmatch(_NUMBER, value) else '.+?'})"


def _settle(field: str, old: str, new: str) -> str:
    """`new`, or `old` for a computed figure that differs only as it may between processors, by rounding."""
    if not field.startswith("example_") or re.sub(_NUMBER, "", old) != re.sub(_NUMBER, "", new):
        return new
    pairs = zip(*(map(float, re.findall(_NUMBER, each)) for each in (old, new)), strict=True)
    return old if all(math.isclose(*pair, abs_tol=1.1e-4) for pair in pairs) else new


def _renew_notebook(text: str, values: Mapping[str, str]) -> str:
    notebook = json.loads(text)
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    for name, passages in CELLS.items():
        if name not in cells:
            raise CannotRollOver(f"there is no cell {name!r}")
        source = _renew("".join(cells[name]["source"]), passages, values)
        cells[name]["source"] = source.splitlines(keepends=True)
    points = {part.name: part.points for part in assignment.PARTS}
    points["visualization"] = assignment.VISUALIZATION_POINTS
    for cell in notebook["cells"]:
        if data := cell["metadata"].get("nbgrader"):
            data["points"] = points[data["grade_id"]]
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


# --- what follows from the assignment -----------------------------------------------------------------------------


def fields(curve: Curve | None = None) -> dict[str, str]:
    """What stands for each field, as text."""
    import torch  # late: most commands can do without

    size = (1, assignment.LATENT_DIMENSIONALITY)
    logits = {
        "reconstruction": assignment.EXAMPLE_RECONSTRUCTION_LOGITS,
        "original": assignment.EXAMPLE_ORIGINAL_LOGITS,
    }
    reference = solution()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(assignment.SEED)
        latents = reference.sample_latent(torch.zeros(size), torch.ones(size))
    images = (torch.sigmoid(torch.tensor(each)).view(1, 1, 2, 2) for each in logits.values())
    loss = reference.loss_function(*images, torch.ones(size), torch.zeros(size))
    printed = (
        f"Sampled latent: {latents}",
        f"Average latent: {torch.mean(latents, dim=-1)}",
        f"StD of latent: {torch.std(latents, dim=-1)}",
    )
    numbers = [f"{value:.4f}," for value in latents[0].tolist()]
    due = _due()
    answer = round(0.4 * assignment.VISUALIZATION_POINTS)
    return {
        **_sizes(),
        **_reference(curve),
        "seed": str(assignment.SEED),
        "example_printed": "\n".join(printed),
        "example_latents": "\n".join(f"    {' '.join(numbers[start : start + 8])}" for start in range(0, size[1], 8)),
        "example_loss": str(loss.item()),
        "example_divergence": f"{size[1] / 2:g}",
        **{f"{name}_logits": str(rows) for name, rows in logits.items()},
        **{f"{name}_rows": str([list(row) for row in rows]) for name, rows in logits.items()},
        "num_epochs": str(assignment.NUM_EPOCHS),
        "training_latent": str(assignment.TRAINING_LATENT_DIMENSIONALITY),
        "batch_size": str(assignment.BATCH_SIZE),
        "learning_rate": f"{assignment.LEARNING_RATE:g}",
        **{f"points_{part.name}": f"{part.points:g}" for part in assignment.PARTS},
        "automatic_points": f"{assignment.AUTOMATIC_POINTS:g}",
        "points_visualization": f"{assignment.VISUALIZATION_POINTS:g}",
        "points_figures": f"{assignment.VISUALIZATION_POINTS - answer:g}",
        "points_answer": f"{answer:g}",
        "due": assignment.DUE,
        "due_in_words": f"{due:%A}, {due.day} {due:%B %Y, %H:%M (%Z)}",
    }


def _sizes() -> dict[str, str]:
    return {"hidden": str(assignment.HIDDEN_SIZE), "latent": str(assignment.LATENT_DIMENSIONALITY)}


def training_settings() -> dict[str, float]:
    """What the loss of the notebook's training depends on."""
    return {
        "hidden size": assignment.HIDDEN_SIZE,
        "latent dimensionality": assignment.TRAINING_LATENT_DIMENSIONALITY,
        "batch size": assignment.BATCH_SIZE,
        "learning rate": assignment.LEARNING_RATE,
    }


def _reference(curve: Curve | None) -> dict[str, str]:
    """The reference curve, and what the notebook says of the settings that it belongs to."""
    settings = training_settings()
    measured = assignment.REFERENCE_SETTINGS if curve is None else settings
    differing = [f"{name} {value:g}" for name, value in measured.items() if value != settings[name]]
    return {
        "reference_settings": json.dumps(measured),
        "reference_curve": "\n".join(
            f"    {epoch}: ({lowest}, {highest}),"
            for epoch, (lowest, highest) in (curve or assignment.REFERENCE_CURVE).items()
        ),
        "settings_in_words": "the settings above"
        + (f" (but with {' and '.join(differing)}, so that only the shape compares)" if differing else ""),
    }


def _due() -> datetime:
    try:
        return datetime.strptime(assignment.DUE, "%Y-%m-%d %H:%M %z")
    except ValueError:
        raise CannotRollOver(f"DUE is {assignment.DUE!r}; write it like '2026-11-30 23:59 -0500'") from None


def require_sound() -> None:
    """CannotRollOver if the checks could not tell right from wrong with these constants, or the points make no sense.

    The checks build networks of other sizes too (20 to 36 pixels, 3 to 6 classes, 7 to 12 latent dimensions), and know
    a layer by its widths: the term's own sizes must not be among those, or sums of them.
    """
    for name, lowest, highest in (("HIDDEN_SIZE", 48, 256), ("LATENT_DIMENSIONALITY", 13, 32)):
        value = getattr(assignment, name)
        if not (isinstance(value, int) and lowest <= value <= highest):
            raise CannotRollOver(f"{name} is {value!r}; choose a whole number from {lowest} to {highest}")
    points = {part.name: part.points for part in assignment.PARTS} | {"visualization": assignment.VISUALIZATION_POINTS}
    for name, each in points.items():
        if not each > 0:
            raise CannotRollOver(f"{name} has {each:g} points; each part needs some")
    _due()
