"""How fast it is, and what it needs: for example `python -m benchmarks.worst`, from the root of the repository."""
