"""Where `autograder.platforms.nbgrader` was: courses that were set up before name its modules here.

Their nbgrader_config.py would fail to load, and nbgrader go on without it.
"""

from autograder.platforms.nbgrader import __path__ as __path__
