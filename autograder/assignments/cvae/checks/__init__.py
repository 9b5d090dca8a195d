"""The graded checks: pytest files, one a part. `harness` is what they are written with."""
