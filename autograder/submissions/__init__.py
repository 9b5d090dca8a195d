"""Untrusted uploads: find the module in a file, folder or archive, and each student's files in a class."""
