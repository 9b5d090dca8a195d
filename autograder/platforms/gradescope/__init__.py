"""Gradescope: the zip that it runs on each upload, and the results that it reads."""
