"""A whole class: graded on Dask, its page, and modules that are nearly the same."""
