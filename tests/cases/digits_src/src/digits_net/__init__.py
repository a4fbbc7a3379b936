"""A small classifier of digits."""
