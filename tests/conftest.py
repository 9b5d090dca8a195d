"""How Hypothesis runs in these tests: the same examples each time, and no example judged by the clock."""

from hypothesis import settings

settings.register_profile("tests", derandomize=True, deadline=None, database=None, max_examples=50)
settings.load_profile("tests")
