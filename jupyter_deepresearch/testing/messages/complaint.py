"""A request that the API refuses, with the words of its error body."""

from __future__ import annotations


class Complaint(Exception):
    """Answered with ``code`` and an error body of ``type``."""

    def __init__(self, message: str, code: int = 400, type: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.code = code
        self.type = type


def must(condition: object, message: str) -> None:
    """Complain with status 400 unless the condition holds."""
    if not condition:
        raise Complaint(message)
