"""What must stay in step across the repository's files."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml

from autograder.assignments.cvae import assignment
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.solution import cs5814_vae as reference
from autograder.authoring import rollover
from autograder.fill_in import fill_in, without_solutions

ROOT = Path(__file__).parents[1]


def test_everything_is_in_step_with_the_assignment() -> None:
    drift = [line for texts in rollover.out_of_step(CVAE).values() for line in rollover.changed_lines(*texts)]
    assert not drift, "run: autograder rollover"


def test_the_fill_in_says_at_each_gap_what_is_asked() -> None:
    gaps = CVAE.solution.read_text("utf-8").count("### BEGIN SOLUTION")
    assert fill_in(CVAE).count('raise NotImplementedError("') == gaps > 0


@pytest.mark.parametrize(
    "solution",
    ["### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n", "### BEGIN SOLUTION: x\nx = 1\n", "x = 1\n### END SOLUTION\n"],
)
def test_a_mistyped_solution_marker_is_refused(solution: str) -> None:
    with pytest.raises(ValueError, match="solution marker"):
        without_solutions(solution)


def test_conda_environment_lists_what_the_package_requires() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    installed = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    packages = [entry for entry in installed if not entry.startswith("--")]
    assert sorted(packages) == sorted(project["dependencies"] + project["optional-dependencies"]["notebook"])


def functions(*folders: str) -> Iterator[tuple[Path, ast.FunctionDef]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.parent.parent.name == "submissions":  # whole programs: nobody's code
                continue
            tree = ast.walk(ast.parse(path.read_bytes()))
            yield from ((path, each) for each in tree if isinstance(each, ast.FunctionDef))


def test_a_function_fits_a_screen() -> None:
    """After its first statement: the options of a command are a table, and its docstring is the help."""
    sizes = {
        f"{path.name}: {each.name}": (each.end_lineno or 0) - (each.body[1:] or each.body)[0].lineno + 1
        for path, each in functions("autograder", "notebooks", "benchmarks", "tests")
    }
    assert {name: size for name, size in sizes.items() if size > 60} == {}


def test_the_name_of_a_test_fits_a_line() -> None:
    assert [each.name for _, each in functions("tests") if len(each.name) > 60] == []


# The figures of the first term, which were there before this solution was.


def test_the_solution_draws_the_latents_of_the_first_term() -> None:
    torch.manual_seed(5814)
    latents = reference.sample_latent(torch.zeros(1, 15), torch.ones(1, 15))
    assert [round(value, 4) for value in latents[0].tolist()] == [
        0.4761, 1.3325, -0.7178, 0.3497, -0.2346, -0.0667, -0.4426, -0.6182,
        -0.5145, -2.1463, -1.4753, -0.9416, 0.6395, 1.2382, 0.7332,
    ]  # fmt: skip
    assert round(latents.mean().item(), 4) == -0.1592
    assert round(latents.std().item(), 4) == 0.9751


def test_the_solution_gives_the_loss_of_the_first_term() -> None:
    logits = ([[7.0, 3.0], [2.0, 6.0]], [[5.0, 2.0], [4.0, 2.0]])
    one, other = (torch.sigmoid(torch.tensor(each)).reshape(1, 1, 2, 2) for each in logits)
    loss = reference.loss_function(one, other, torch.ones(1, 15), torch.zeros(1, 15))
    assert loss.item() == 8.834553718566895
    prior = reference.loss_function(one, other, torch.zeros(1, 15), torch.zeros(1, 15))
    assert prior.item() == pytest.approx(8.834553718566895 - 7.5, abs=1e-6)


def test_the_automatic_points_and_the_visual_ones_make_a_hundred() -> None:
    assert assignment.ASSIGNMENT.points + assignment.VISUALIZATION_POINTS == 100
