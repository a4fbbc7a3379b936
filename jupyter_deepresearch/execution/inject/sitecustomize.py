"""Runs at the start of every Python process of a run: imports mended, hooks put in place, then the place's own file.

Nothing that goes wrong here may keep the person's program from running: it is noted in the run's record instead.
"""

import os
import sys


def _begin() -> None:
    if sys.version_info[0] < 3 or not os.environ.get("DEEPRESEARCH_REPORTS"):
        return
    for name in ("_deepresearch_paths", "_deepresearch_hooks"):
        try:
            __import__(name).install()
        except Exception as error:  # noqa: BLE001 (whatever it is, the person's program must start)
            _note(name + " could not be installed: " + repr(error))


def _note(text: str) -> None:
    import json
    import time

    line = json.dumps({"t": time.time(), "note": text}) + "\n"
    try:
        with open(os.environ["DEEPRESEARCH_REPORTS"], "a") as reports:
            reports.write(line)
    except OSError:
        sys.stderr.write("deepresearch: " + text + "\n")


def _chain() -> None:
    """Run the ``sitecustomize`` that ours hides: Debian's Python has one, a virtual environment may."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    here = os.path.dirname(os.path.abspath(__file__))
    others = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


_begin()
_chain()
