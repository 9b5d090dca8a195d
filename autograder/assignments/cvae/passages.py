"""What a new term changes: every passage that holds a copy of one of the assignment's constants, and what goes there.

Its words stand as they do in the file, with a {field} for what follows from the assignment. The words find the place,
and a passage that is not found is an error, so that no number is ever replaced because it happens to look like another.
"""

import json
from datetime import datetime
from pathlib import Path
from types import ModuleType

from autograder.assignment import BadAssignment, due_date
from autograder.assignments.cvae import assignment
from autograder.authoring.rollover import CannotRollOver
from autograder.points import shown, split

ROOT = assignment.ASSIGNMENT.root
_HERE = "autograder/assignments/cvae"

Curve = dict[int, tuple[float, float]]  # lowest and highest average loss, by epoch

_MODULE = ("latent_dimensionality={latent}):", "self.hidden_size = {hidden}")
_EXAMPLES = [
    path
    for path in sorted(ROOT.glob(f"examples/*/{assignment.MODULE}"))
    if path.parent.name != "functions-only"  # holds no network
]
_POINTS = tuple(f"| `{name}` | {{points_{name}}} |" for name in ("sample_latent", "loss_function", "forward"))

PASSAGES: dict[str, tuple[str, ...]] = {
    # The figures that are measured, not chosen.
    f"{_HERE}/assignment.py": (
        "REFERENCE_SETTINGS = {reference_settings}\n",
        "REFERENCE_CURVE = {\n{reference_curve}\n}",
    ),
    f"{_HERE}/solution/{assignment.MODULE}": _MODULE,
    "notebooks/cvae_helpers.py": ('UPLOAD = "{upload}"', "REFERENCE_CURVE = {\n{reference_curve}\n}"),
    "docs/student.md": (
        *_POINTS,
        "| encoder | {points_encoder} |",
        "| decoder | {points_decoder} |",
        "| training works | {points_training} |",
        "read by a TA | {points_visualization} |",
        "The first {automatic_points} points come",
        "Upload `handin.zip` to {upload}, by {due_in_words}.",
        "**Google Colab**:\n\n1. {open_in_colab}\n2. Upload",
        "**784, 10 or {latent} written",
    ),
    "docs/ta.md": ('--duedate="{due}"',),
    "docs/ci.md": (
        "with {automatic_points} autograder points and {points_visualization} for manual grading",
        f"`{_HERE}/solution/{assignment.MODULE}` ({{automatic_points}} points)",
    ),
    **{path.relative_to(ROOT).as_posix(): _MODULE for path in _EXAMPLES},
}


def _by_hand(cell: str, first: str, second: str) -> tuple[str, ...]:
    """The passages of a task cell with two criteria, which share its points; these begin with the words given."""
    return (
        f"Graded by hand, {{points_of_{cell}}} points",
        f"- ({{first_of_{cell}}}) {first}",
        f"- ({{second_of_{cell}}}) {second}",
    )


# The notebook's, by cell. The points in nbgrader's metadata follow as well.
CELLS: dict[str, tuple[str, ...]] = {
    "intro": (
        "| encoder | `__init__` of the class | {points_encoder} |",
        "| decoder | `__init__` of the class | {points_decoder} |",
        "| `sample_latent` | {points_sample_latent} |",
        "| `forward` of the class | {points_forward} |",
        "| `loss_function` | {points_loss_function} |",
        "| all of the above | {points_training} |",
        "| this notebook | {points_visualization} |",
    ),
    "setup": ("torch.manual_seed({seed})",),
    "starter": ("*On Google Colab*{start_in_colab} `hw3-part3.zip` in the Files pane",),
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
    "train": (
        "num_epochs = {num_epochs}  # feel",
        "latent_dimensionality = {training_latent}  # feel",
        "torch.manual_seed({seed})",
        "lr={learning_rate},",
    ),
    "curve-text": (
        "lies on MNIST with {settings_in_words}, over {seeds} seeds",
        "is about {batch_size} times too high",
    ),
    "visualizations": ("drew, after {num_epochs} epochs",),
    "question-sampling": _by_hand("question_sampling", "Which layers", "The other term"),
    "question-zero": _by_hand("question_zero", "For which", "Why can the two"),
    "visualization": _by_hand("visualization", "The figures", "In the cell"),
    "hand-in": ("to **{upload}**, by **{due_in_words}**",),
}


# --- what follows from the assignment -----------------------------------------------------------------------------


def fields(reference: ModuleType, curve: Curve | None = None) -> dict[str, str]:
    """What stands for each field, as text.

    Arguments:
        reference: the solution as the assignment makes it.
        curve: replaces the reference curve with one that was measured for the constants as they are now.
    """
    import torch  # late: most commands can do without

    from autograder.assignments.cvae.reference_curve import SEEDS

    size = (1, assignment.LATENT_DIMENSIONALITY)
    logits = {
        "reconstruction": assignment.EXAMPLE_RECONSTRUCTION_LOGITS,
        "original": assignment.EXAMPLE_ORIGINAL_LOGITS,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(assignment.SEED)
        latents = reference.sample_latent(torch.zeros(size), torch.ones(size))
    images = (torch.sigmoid(torch.tensor(each)).view(1, 1, 2, 2) for each in logits.values())
    loss = reference.loss_function(*images, torch.ones(size), torch.zeros(size))
    printed = (
        f"Sampled latent:\n{latents}",
        f"Average latent: {torch.mean(latents, dim=-1)}",
        f"StD of latent: {torch.std(latents, dim=-1)}",
    )
    due = _due()
    by_hand = assignment.ASSIGNMENT.by_hand
    assert by_hand is not None
    shares = {
        f"{which}_of_{cell}": shown(value)
        for cell, points in by_hand.shares.items()
        for which, value in zip(("points", "first", "second"), (points, *split(points, (1, 1))), strict=True)
    }
    return {
        **sizes(),
        **_reference(curve),
        "seeds": str(SEEDS),
        **_colab(),
        "seed": str(assignment.SEED),
        "example_printed": "\n".join(printed),
        "example_loss": str(loss.item()),
        "example_divergence": f"{size[1] / 2:g}",
        **{f"{name}_rows": str([list(row) for row in rows]) for name, rows in logits.items()},
        "num_epochs": str(assignment.NUM_EPOCHS),
        "training_latent": str(assignment.TRAINING_LATENT_DIMENSIONALITY),
        "batch_size": str(assignment.BATCH_SIZE),
        "learning_rate": f"{assignment.LEARNING_RATE:g}",
        **{f"points_{part.name}": shown(part.points) for part in assignment.ASSIGNMENT.parts},
        "automatic_points": shown(assignment.ASSIGNMENT.points),
        "points_visualization": shown(by_hand.points),
        **shares,
        "upload": assignment.UPLOAD,
        "due": assignment.DUE,
        "due_in_words": f"{due:%A, %B} {due.day}, {due:%Y, %H:%M (%Z)}",
    }


def generated() -> dict[str, str]:
    """The files that are made as a whole."""
    from autograder.assignments.cvae.kit import table_of_hints  # late, as torch above

    return {"notebooks/hints.json": table_of_hints()}


def sizes() -> dict[str, str]:
    """The fields of the solution."""
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


def _colab() -> dict[str, str]:
    """How a student opens the notebook in Colab: with a badge if it is on GitHub, whose copy must be saved in Drive.

    Source: https://colab.research.google.com/github/googlecolab/colabtools/blob/main/notebooks/colab-github-demo.ipynb
    """
    site = "https://colab.research.google.com"
    if not assignment.COLAB:
        return {
            "open_in_colab": "Upload `cvae.ipynb` at colab.research.google.com (*File > Upload notebook*).",
            "start_in_colab": f" ([open Colab]({site}/)), upload this notebook, then",
        }
    badge = f"[![Open in Colab]({site}/assets/colab-badge.svg)]({site}/github/{assignment.COLAB})"
    return {
        "open_in_colab": f"{badge} Then choose *File > Save a copy in Drive*.",
        "start_in_colab": f": {badge} Then choose *File > Save a copy in Drive*, and upload",
    }


def _due() -> datetime:
    try:
        return due_date(assignment.DUE)
    except BadAssignment as error:
        raise CannotRollOver(str(error)) from None


def require_sound() -> None:
    """CannotRollOver if the checks could not tell right from wrong with these constants.

    The checks build networks of other sizes too (20 to 36 pixels, 3 to 6 classes, 7 to 12 latent dimensions), and know
    a layer by its widths: the term's own sizes must not be among those, or sums of them.
    """
    for name, lowest, highest in (("HIDDEN_SIZE", 48, 256), ("LATENT_DIMENSIONALITY", 13, 32)):
        value = getattr(assignment, name)
        if not (isinstance(value, int) and lowest <= value <= highest):
            raise CannotRollOver(f"{name} is {value!r}; choose a whole number from {lowest} to {highest}")
    _due()


def measure(data: Path, reference: ModuleType) -> Curve:
    """The reference curve on the MNIST in the folder `data`; see `reference_curve.measure`."""
    from autograder.assignments.cvae.reference_curve import measure as measure_curve

    return measure_curve(data, reference)


def warning(solution: str) -> str | None:
    """What lets last term's answers pass with this `solution` as it stands on the disk, or None."""
    if f"self.hidden_size = {assignment.HIDDEN_SIZE}\n" in solution:
        return "HIDDEN_SIZE stays: in a new term, last term's answers would still pass."
    return None
