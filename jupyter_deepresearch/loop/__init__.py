"""The driver and what its steps do."""
