"""Metrics that libraries log become reports of the run."""


def install() -> None:
    """Put in place what this file is for, in this process."""
