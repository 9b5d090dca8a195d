"""The renderings of a report: one module a format, each a pure function of `autograder.report.model.Report`.

Every string in a report may quote a submission, so each module escapes for its own format.
"""
