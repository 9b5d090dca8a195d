"""Makes these files graded checks."""

from autograder.grading.fixtures import *  # noqa: F403
