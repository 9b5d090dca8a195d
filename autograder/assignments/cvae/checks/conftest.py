"""Makes these files graded checks. Plain pytest runs them too:

pytest --pyargs autograder.assignments.cvae.checks --submission cs5814_vae.py
"""

from autograder.grading.fixtures import *  # noqa: F403
