"""What a project's code needs of the Python that its kernel runs in, and whether it is there."""
