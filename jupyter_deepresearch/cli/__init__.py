"""`jupyter deepresearch COMMAND PROJECT [--json]`: the loop and everything around it without a browser."""

from .main import main

__all__ = ["main"]
