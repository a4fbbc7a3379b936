"""Runs at the start of every Python process of a run: imports mended, hooks put in place, then the place's own file.

Nothing that goes wrong here may keep the person's program from running: it is noted in the run's record instead.
Even a Python 2 gets through this file: annotations are comments.
"""

import os
import sys


def _begin():
    # type: () -> None
    if not os.environ.get("DEEPRESEARCH_REPORTS"):
        return
    for name in ("_deepresearch_paths", "_deepresearch_hooks"):
        try:
            __import__(name).install()
        except Exception as error:  # noqa: BLE001 (whatever it is, the person's program must start)
            _note(name + " could not be installed: " + repr(error))


def _note(text):
    # type: (str) -> None
    import json
    import time

    line = json.dumps({"t": time.time(), "note": text}) + "\n"
    try:
        with open(os.environ["DEEPRESEARCH_REPORTS"], "a") as reports:
            reports.write(line)
    except OSError:
        sys.stderr.write("deepresearch: " + text + "\n")


def _chain():
    # type: () -> None
    """Run the ``sitecustomize`` that ours hides: Debian's Python has one, a virtual environment may.

    Its errors leave this file as they would leave that one, so that the interpreter prints what it prints without us.
    """
    # What importlib.machinery and importlib.util hand on; those two would take longer to import than all of ours.
    from _frozen_importlib import module_from_spec
    from _frozen_importlib_external import PathFinder

    here = os.path.dirname(os.path.abspath(__file__))
    others = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


if sys.version_info[0] >= 3:  # noqa: UP036 (a Python 2 may be a child of the notebook)
    _begin()
    _chain()
