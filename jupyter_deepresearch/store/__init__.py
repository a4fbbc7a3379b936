"""The log in SQLite, and how its events are written."""
