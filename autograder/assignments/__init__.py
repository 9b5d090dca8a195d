"""Assignments, a folder each. The engine loads them by name and imports none of them."""
