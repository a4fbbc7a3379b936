"""``python -m benchmarks [NAME ...] [--quick]``: measure, print one table each, end with 1 where a "must" is broken."""

import argparse
import importlib
import os
import sys
import tempfile
import time
from pathlib import Path

from .result import Result

NAMES = (
    "memory",
    "cycle",
    "flood",
    "tree",
    "run",
    "noticed",
    "reported",
    "server",
    "hooks",
    "claude",
    "panel",
    "sidebar",
    "sidebar_page",
    "bundle",
)


def main() -> int:
    """Measure what was asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all of them by default")
    parser.add_argument("--quick", action="store_true", help="few repetitions: to see that it works, not to compare")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; accepted: {', '.join(NAMES)}")
    with tempfile.TemporaryDirectory(prefix="deepresearch-bench-") as home:
        _live_in(Path(home))
        results = [_measured(name, chosen.quick) for name in chosen.names or NAMES]
    broken = [row.what for result in results for row in result.rows if not row.holds]
    print(f"broken: {'; '.join(broken)}" if broken else "every must holds")
    return 1 if broken else 0


def _live_in(home: Path) -> None:
    """The person's own Jupyter folders, projects and keys stay out of reach."""
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        os.environ[name] = str(home / name.lower())
    for name in [name for name in os.environ if name.startswith("ANTHROPIC_")]:
        del os.environ[name]


def _measured(name: str, quick: bool) -> Result:
    started = time.monotonic()
    result: Result = importlib.import_module(f"benchmarks.{name}").measure(quick)
    print(f"{result.table()}\n  ({name}: {time.monotonic() - started:.0f} s)\n", flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
