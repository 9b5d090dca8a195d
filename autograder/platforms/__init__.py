"""Where courses hand in: a room a platform, from the upload to the grades."""
