"""What the agents may ask for: three to five tools each, typed, with short answers."""
