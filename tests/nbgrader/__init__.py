"""nbgrader: from a course to the feedback."""
