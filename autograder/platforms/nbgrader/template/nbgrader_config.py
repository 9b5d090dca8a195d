"""nbgrader for COURSE, TITLE. README.md says how to run the course."""

import os

from autograder.platforms.nbgrader.course import configure

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "COURSE_ID"

# Grades: SQLite in this folder, or PostgreSQL by its address, as in
#   export NBGRADER_DB="postgresql+psycopg://nbgrader:password@localhost/COURSE_ID"
if "NBGRADER_DB" in os.environ:
    c.CourseDirectory.db_url = os.environ["NBGRADER_DB"]

# The sandboxed autograder gives the points, and runs each notebook for its pictures.
configure(c, "WHERE")

# Late submissions: points for each day begun, after some minutes of grace. 0 points: no penalty.
c.LatePenalty.points_per_day = 10
c.LatePenalty.grace_minutes = 15

# Grading without pictures, which is much faster: c.RunNotebook.enabled = False
# Pictures made with the data that students use:    c.RunNotebook.data = "/path/to/data"

# Where students fetch and submit with nbgrader. This folder is yours alone: docs/ta.md says how to share one.
c.Exchange.root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "exchange")
