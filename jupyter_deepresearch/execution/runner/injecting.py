"""What is put on the path of a run's Python processes, beside what their own environment holds."""

import contextlib
import py_compile
import shutil
import sys
from importlib.util import cache_from_source
from pathlib import Path

_PACKAGE = Path(__file__).parents[2]
_SHIM = _PACKAGE / "report.py"
_FILES = (
    "sitecustomize.py",
    "_deepresearch_hooks.py",
    "_deepresearch_libraries.py",
    "_deepresearch_bars.py",
    "_deepresearch_endings.py",
    "_deepresearch_paths.py",
)


def inject(folder: Path) -> None:
    """Fill the folder, made if absent. Raises OSError."""
    folder.mkdir(exist_ok=True)
    _copy(_SHIM, folder / "jupyter_deepresearch.py")
    for name in _FILES:
        _copy(_PACKAGE / "execution" / "inject" / name, folder / name)


def _copy(source: Path, target: Path) -> None:
    """The file, and what a kernel of this very Python would compile it to at its start: 5 ms for all of them."""
    shutil.copy2(source, target)
    with contextlib.suppress(OSError, py_compile.PyCompileError):
        compiled = Path(cache_from_source(str(source)))
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            if sys.dont_write_bytecode:
                return
            py_compile.compile(str(source), doraise=True)
        to = Path(cache_from_source(str(target)))
        to.parent.mkdir(exist_ok=True)
        shutil.copyfile(compiled, to)
