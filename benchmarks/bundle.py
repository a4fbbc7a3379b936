"""How large the sidebar's scripts are: a production build in a copy of ``labextension/``, minified bytes on disk.

What a page loads at first apart from what it loads once a diff is opened; source maps and licences are not counted.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .projects import folder
from .result import Result, Row

_SOURCES = Path(__file__).resolve().parent.parent / "labextension"
_INTERPRETER = Path(sys.executable).parent
_BUILT_BY_HAND = ("node_modules", "lib", "tsconfig.tsbuildinfo")
_TIMEOUT_S = 300
_LATER = re.compile(rb"unifiedMergeView|MergeView|collapseUnchanged")  # only what shows diffs has these words


def measure(quick: bool) -> Result:
    """Build once and weigh. Raises RuntimeError where the build fails."""
    title = "The sidebar's bundle"
    if shutil.which("node") is None or not (_SOURCES / "node_modules").is_dir():
        return Result(title, (), ("no Node.js or no node_modules here (make build): nothing was measured",))
    with folder() as root:
        sizes = {file: len(file.read_bytes()) for file in _built(root).glob("*.js")}
        later = {file for file in sizes if _LATER.search(file.read_bytes())}
    lazily = sum(sizes[file] for file in later)
    rows = (
        Row("minified, all", sum(sizes.values()) / 1000, "kB", 200),
        Row("of these at a page's start", (sum(sizes.values()) - lazily) / 1000, "kB", None, 170),
        Row("of these with the first diff", lazily / 1000, "kB"),
    )
    largest = sorted(sizes.values(), reverse=True)[:5]
    note = f"{len(sizes)} files, the largest {', '.join(f'{size / 1000:.1f} kB' for size in largest)}"
    return Result(title, rows, (note,))


def _built(root: Path) -> Path:
    """The scripts of a production build; the working tree stays as it is."""
    copy = root / "labextension"
    shutil.copytree(_SOURCES, copy, ignore=shutil.ignore_patterns(*_BUILT_BY_HAND))
    (copy / "node_modules").symlink_to(_SOURCES / "node_modules")
    environ = {**os.environ, "PATH": f"{_INTERPRETER}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["jlpm", "build:prod"], cwd=copy, env=environ, capture_output=True, text=True, timeout=_TIMEOUT_S
    )
    if done.returncode != 0:
        raise RuntimeError(f"the build failed: {(done.stdout + done.stderr)[-2000:]}")
    return root / "jupyter_deepresearch" / "labextension" / "static"
