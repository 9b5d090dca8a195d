"""GitHub: the template repository for students, and reports in a workflow."""
