"""The graded checks: pytest files, one a part, in the order of the notebook. `harness` is what they are written with."""
