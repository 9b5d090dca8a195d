"""Untrusted uploads: the one module in a file, folder or archive, and who of a class handed in what."""
