"""What the run folders of a project tell, to whoever watches it."""

import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..core.ports import Curves, Progress, Resources, Track
from .metrics.series import MetricsFile, Series, parse_line
from .metrics.tracks import tracks
from .paths import ProjectPaths, RunPaths
from .printed_tail import printed_tail
from .published import published_notebooks
from .reading import last_lines, last_sample, read_live, read_owner
from .spec import MetricLine

_TAIL_LINES = 200
_TAIL_BYTES = 1 << 20
_CACHED_RUNS = 16
_MOST_POINTS = 10_000
_FRESH_S = 30.0
"""A sample that is older says nothing of a run: samples are made every 5 s at least."""


class FolderRecords:
    """See ``core.ports.RunRecords``. ``folder`` is the project's. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._project = ProjectPaths(folder.absolute())
        self._lock = threading.Lock()
        self._metrics: OrderedDict[str, MetricsFile] = OrderedDict()
        self._ended: OrderedDict[str, Mapping[str, Track]] = OrderedDict()
        self._sizes: dict[str, tuple[int, int]] = {}

    def progress(self, run: str) -> Progress | None:
        """A live run at a glance: its latest report among the last 64 kB of them. None where no runner owns it."""
        paths = self._project.run(run)
        owner = read_owner(paths)
        if owner is None:
            return None
        live, latest = read_live(paths), _latest(paths)
        waits = live is not None and live.waits and not paths.exit.exists()
        since = live.since if live is not None and live.since is not None else owner.started_at
        return Progress(
            pid=owner.pid,
            kernel_pid=live.kernel_pid if live is not None else None,
            elapsed_s=None if waits else max(0.0, (_ended_at(paths) or time.time()) - since),
            step=latest.step if latest is not None else None,
            values=latest.values if latest is not None else {},
            note=live.note if live is not None else "",
            gpus=live.gpus if live is not None else (),
            tracks=self._tracks(run, paths),
            resources=_resources(paths),
        )

    def _tracks(self, run: str, paths: RunPaths) -> Mapping[str, Track]:
        """An ended run's are kept: every status of a live one asks for them."""
        has_ended = paths.exit.exists()
        if not has_ended or run not in self._ended:
            found = tracks(paths.metrics)
            if not has_ended:
                return found
            with self._lock:
                self._ended[run] = found
                while len(self._ended) > _CACHED_RUNS:
                    self._ended.popitem(last=False)
        return self._ended.get(run, {})

    def curves(self, run: str, points: int, metric: str | None = None) -> Curves:
        """See ``core.ports.RunRecords``. Values that are not finite are left out; each look reads only what is new."""
        with self._lock:
            metrics = self._metrics.pop(run, None) or MetricsFile(self._project.run(run).metrics)
            self._metrics[run] = metrics
            while len(self._metrics) > _CACHED_RUNS:
                self._metrics.popitem(last=False)
        with metrics.lock:  # the first look at a long run takes seconds, and others need not wait for it
            metrics.refresh()
            most = min(points, _MOST_POINTS)
            shown = metrics.series.items() if metric is None else _only(metrics.series, metric)
            return Curves(run, {name: series.points(most) for name, series in shown})

    def output(self, run: str, chars: int) -> str:
        """See ``core.ports.RunRecords``. "" where the run folder is gone."""
        return printed_tail(self._project.run(run), chars)

    def notebooks(self, experiment: int) -> Mapping[str, str]:
        """See ``core.ports.RunRecords``."""
        folder = self._project.experiments
        return {run: f"{folder.name}/{name}" for run, name in published_notebooks(folder, experiment).items()}

    def waits(self, run: str) -> bool:
        """Whether the run waits for GPUs that others have."""
        live = read_live(self._project.run(run))
        return live is not None and live.waits

    def tail(self, run: str, lines: int) -> tuple[str, ...]:
        """The last lines that the run's cells printed, its errors' tracebacks included; oldest first."""
        logged = last_lines(self._project.run(run).outputs, _TAIL_BYTES, _TAIL_BYTES)
        text = "".join(filter(None, map(_printed, logged)))
        shown = [line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").split("\n")]
        if shown and not shown[-1]:
            shown.pop()
        return tuple(shown[-lines:]) if lines > 0 else ()

    def disk_bytes(self) -> int:
        """What all run folders take on disk; links are not followed. An ended run is measured once."""
        try:
            names = sorted(os.listdir(self._project.runs))
        except OSError:
            return 0
        with self._lock:
            self._sizes = {name: size for name, size in self._sizes.items() if name in names}
            return sum(self._bytes_of(name) for name in names)

    def _bytes_of(self, name: str) -> int:
        paths = RunPaths(self._project.runs / name)
        changed = _changed_ns(paths)
        known = self._sizes.get(name)
        if known is not None and known[0] == changed:
            return known[1]
        size = sum(_file_bytes(paths.root))
        if changed is not None and paths.exit.exists():
            self._sizes[name] = changed, size
        return size


def _only(series: Mapping[str, Series], name: str) -> Iterable[tuple[str, Series]]:
    return ((name, series[name]),) if name in series else ()


def _latest(paths: RunPaths) -> MetricLine | None:
    """The latest report, whole: parts given in several lines under one step are one report."""
    reports = (parse_line(line.encode()) for line in last_lines(paths.metrics, _TAIL_LINES))
    found: MetricLine | None = None
    for report in filter(None, reports):
        is_same = found is not None and report.step is not None and report.step == found.step
        before = found.values if is_same and found is not None else {}
        found = MetricLine(report.t, report.cell, report.step, {**before, **report.values}, report.source)
    return found


def _resources(paths: RunPaths) -> Resources | None:
    """What a live run takes now; None for one that has ended, or whose runner has not sampled it for a while."""
    sample = None if paths.exit.exists() else last_sample(paths)
    if sample is None or time.time() - sample.t > _FRESH_S:
        return None
    if not sample.processes:  # a run that waits or begins has none: that is not 0 % of anything
        return Resources(gpu_percent=sample.gpu_percent, gpu_memory_bytes=sample.gpu_memory_bytes)
    return Resources(sample.cpu_percent, sample.memory_bytes, sample.gpu_percent, sample.gpu_memory_bytes)


def _printed(line: str) -> str | None:
    """The text of a line of ``outputs.jsonl``: of streams and errors."""
    try:
        output: Any = json.loads(line)
        if output["output_type"] == "stream":
            return str(output["text"])
        if output["output_type"] == "error":
            return "\n".join([*output["traceback"], ""])
    except (ValueError, TypeError, KeyError):
        return None
    return None


def _changed_ns(paths: RunPaths) -> int | None:
    """When something was made or removed in the folder or its tree's root; None where it is gone."""
    try:
        work = paths.work.stat().st_mtime_ns if paths.work.is_dir() else 0
        return max(paths.root.stat().st_mtime_ns, work)
    except OSError:
        return None


def _ended_at(paths: RunPaths) -> float | None:
    """When the run's end was recorded, in seconds since 1970; None for a live run."""
    try:
        return paths.exit.stat().st_mtime
    except OSError:
        return None


def _file_bytes(folder: Path | str) -> Iterator[int]:
    """The space taken by each file under ``folder``; what vanishes meanwhile takes none."""
    try:
        with os.scandir(folder) as listing:
            entries = list(listing)
    except OSError:
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _file_bytes(entry.path)
            else:
                yield entry.stat(follow_symlinks=False).st_blocks * 512
        except FileNotFoundError:
            continue
