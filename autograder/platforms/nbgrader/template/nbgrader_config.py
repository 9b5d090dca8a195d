"""nbgrader for COURSE, TITLE. README.md says how to run the course."""

import os

try:
    from autograder.platforms.nbgrader.course import configure
except ImportError as error:  # nbgrader would go on without this file, and run what students handed in unprotected
    raise SystemExit(f"nbgrader is not started: {error}. Activate the environment of the autograder.") from error

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "COURSE_ID"

# Grades: SQLite in this folder, or PostgreSQL by its address, as in
#   export NBGRADER_DB="postgresql+psycopg://nbgrader:password@localhost/COURSE_ID"
if "NBGRADER_DB" in os.environ:
    c.CourseDirectory.db_url = os.environ["NBGRADER_DB"]

# The sandboxed autograder gives the points. Figures are those that students handed in; a notebook whose figures leave a
# doubt is run again in the sandbox.
configure(c, "WHERE")

# Late submissions: points for each day begun, after some minutes of grace. 0 points: no penalty.
c.LatePenalty.points_per_day = 10
c.LatePenalty.grace_minutes = 15

# Points alone, without figures:                    c.RunNotebook.enabled = False
# Run every notebook again, or none:                c.RunNotebook.rerun = "all", or "never"
# Run them with the data that students use:         c.RunNotebook.data = "/path/to/data"

# Where students fetch and submit with nbgrader. This folder is yours alone: docs/ta.md says how to share one.
c.Exchange.root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "exchange", "root")
