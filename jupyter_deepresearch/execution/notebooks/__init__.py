"""A person's notebook read, an experiment's composed and published."""
