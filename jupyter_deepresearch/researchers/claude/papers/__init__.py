"""Published papers, searched for and read by their abstracts: arXiv and Semantic Scholar, politely, with a cache."""

from .library import Found, Papers
from .paper import Paper, Source

__all__ = ["Found", "Paper", "Papers", "Source"]
