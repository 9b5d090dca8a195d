"""A small assignment: fit a line to points. The tests grade it to show what the engine asks of an assignment."""

from pathlib import Path

from autograder.assignment import Assignment, Part

ASSIGNMENT = Assignment(
    folder=Path(__file__).parent,
    course="CS 1000",
    title="Homework 1: fit a line",
    module="line.py",
    parts=(
        Part("slope", 6, "The slope", ("fit",)),
        Part("intercept", 4, "The intercept", ("fit",), follows=("slope",)),
    ),
    due="2026-10-01T23:59:00-04:00",
    kit="hw1-line",
    notebook="line.ipynb",
    kit_files={"README.md": "README.md", "public_checks.py": "public_checks.py"},
)
