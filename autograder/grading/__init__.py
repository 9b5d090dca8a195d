"""Grading one submission: the session of checks, what they are written with, and the results that are kept."""


class GraderError(Exception):
    """The grader itself failed; the submission is not to blame and gets no grade."""
