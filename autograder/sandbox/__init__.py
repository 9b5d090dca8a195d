"""Run untrusted modules: a worker inside the sandbox, a client outside, and the frames they exchange.

This folder knows no assignment. It is the only part of the autograder that a submission can read.
"""
