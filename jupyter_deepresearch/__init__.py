"""A research loop that lives in the Jupyter server.

In a notebook `from jupyter_deepresearch import report, dry_run, artifacts`; everything else is reached through
`%load_ext jupyter_deepresearch`, the sidebar, REST or `jupyter deepresearch`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_deepresearch._version import __version__

# Eager, unlike all else here: `report` is also the name of the module, and the import system would put the module in
# the function's place if it were imported later. It needs the standard library only.
from jupyter_deepresearch.report import artifacts, dry_run, report

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["__version__", "artifacts", "dry_run", "report"]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where the built sidebar lies, for `jupyter labextension develop`."""
    return [{"src": "labextension", "dest": "jupyter-deepresearch"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """The server extension, for `jupyter server extension`."""
    from jupyter_deepresearch.jupyter.extension import DeepResearchApp

    return [{"module": "jupyter_deepresearch", "app": DeepResearchApp}]


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Add `%deepresearch` to `ipython`; called by `%load_ext jupyter_deepresearch`."""
    from jupyter_deepresearch.jupyter.magic import load

    load(ipython)
