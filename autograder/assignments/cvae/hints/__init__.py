"""The bank of named mistakes, and how a mistake is recognized in what a submission computes."""
