"""The instructor's solution: what submissions are compared with. Never in a student kit, never in the sandbox."""
