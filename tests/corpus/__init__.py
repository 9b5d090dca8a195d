"""A measured corpus: wrong modules made by mutation, correct ones by composition, and what grading makes of them."""
