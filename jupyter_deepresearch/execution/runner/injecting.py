"""What is put on the path of a run's Python processes, beside what their own environment holds."""

import shutil
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
    shutil.copyfile(_SHIM, folder / "jupyter_deepresearch.py")
    for name in _FILES:
        shutil.copyfile(_PACKAGE / "execution" / "inject" / name, folder / name)
