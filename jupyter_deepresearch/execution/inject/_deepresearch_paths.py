"""A run imports its own copies of the project's code, and says which originals it used after all."""


def install() -> None:
    """Put in place what this file is for, in this process."""
