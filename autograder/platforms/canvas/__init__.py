"""Canvas: grades for its gradebook, and feedback in the names that its "Upload submissions" takes back."""
