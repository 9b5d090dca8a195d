"""Submissions to test the grader with, kept as data: right ones, wrong ones and hostile ones.

None of them is imported by a test. Each is written to a file and graded, as a student's would be.
"""
