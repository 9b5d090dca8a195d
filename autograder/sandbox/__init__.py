"""Run untrusted modules: a worker inside the sandbox, a client outside, and the frames they exchange.

Nothing here knows what the assignment is about. This folder is all of the autograder that a submission can read.
"""
