"""What must stay in step across the repository's files."""

import tomllib
from pathlib import Path

import pytest
import torch
import yaml

from autograder import assignment
from autograder.fill_in import fill_in
from autograder.solution import cs5814_vae as reference

ROOT = Path(__file__).parents[1]


def test_the_fill_in_is_generated_from_the_solution() -> None:
    assert (ROOT / assignment.MODULE).read_text("utf-8") == fill_in(), "run: make fill-in"


def test_the_fill_in_says_at_each_gap_what_is_asked() -> None:
    assert fill_in().count('raise NotImplementedError("') == 5


@pytest.mark.parametrize(
    "solution",
    ["### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n", "### BEGIN SOLUTION: x\nx = 1\n", "x = 1\n### END SOLUTION\n"],
)
def test_a_mistyped_solution_marker_is_refused(solution: str) -> None:
    with pytest.raises(ValueError, match="solution marker"):
        fill_in(solution)


def test_conda_environment_lists_what_the_package_requires() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    installed = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    packages = [entry for entry in installed if not entry.startswith("--")]
    assert sorted(packages) == sorted(project["dependencies"] + project["optional-dependencies"]["notebook"])


def test_worked_example_of_sample_latent() -> None:
    torch.manual_seed(assignment.SEED)
    latents = reference.sample_latent(torch.zeros(1, 15), torch.ones(1, 15))
    assert [round(value, 4) for value in latents[0].tolist()] == list(assignment.EXAMPLE_LATENTS)
    assert round(latents.mean().item(), 4) == assignment.EXAMPLE_LATENT_MEAN
    assert round(latents.std().item(), 4) == assignment.EXAMPLE_LATENT_STD


def test_worked_example_of_loss_function() -> None:
    images = [
        torch.sigmoid(torch.tensor(logits)).reshape(1, 1, 2, 2)
        for logits in (assignment.EXAMPLE_RECONSTRUCTION_LOGITS, assignment.EXAMPLE_ORIGINAL_LOGITS)
    ]
    loss = reference.loss_function(*images, torch.ones(1, 15), torch.zeros(1, 15))
    assert loss.item() == assignment.EXAMPLE_LOSS
    assert reference.loss_function(*images, torch.zeros(1, 15), torch.zeros(1, 15)).item() == pytest.approx(
        assignment.EXAMPLE_LOSS - 7.5, abs=1e-6
    )


def test_the_automatic_points_and_the_visual_ones_make_a_hundred() -> None:
    assert assignment.AUTOMATIC_POINTS + assignment.VISUALIZATION_POINTS == 100
