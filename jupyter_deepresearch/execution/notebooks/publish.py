"""The notebooks of a project folder: the person's is read, an experiment's is checked, an executed one is published."""

import math
import os
import re
import unicodedata
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
from nbformat import NotebookNode

from ...core.events import Survey
from ...core.ports import Build, HandedBack, Origin
from ...core.project import Project
from ...core.types import (
    Experiment,
    HypothesisKind,
    Outcome,
    Parameters,
    Piece,
    Purpose,
    Run,
    Source,
    Value,
    Verdict,
    seed_name,
)
from ...errors import InvalidNotebook, StorageFailed
from ..paths import ProjectPaths
from ..reading import read_spec
from ..trees.code import read_code
from ..trees.layout import Layout
from .cells import write
from .compose import check, compose, pieces
from .forking import handed_back, origin_of
from .source import measure_digest, read_source
from .space import parameters_of, survey
from .watch import Watch

_SLUG_CHARS = 40
_RUN_NOTES_CELL = ("execution", "papermill", "ExecuteTime")
_RUN_NOTES_NOTEBOOK = ("papermill", "signature")
# What nbformat raises for text that is JSON of some kind, or none, but no notebook.
_MALFORMED = (ValueError, TypeError, KeyError)


class ProjectNotebooks:
    """The notebook side of one project folder; see ``core.ports.Notebooks``."""

    def __init__(self, folder: Path, project: Project | None = None, watch: Watch | None = None) -> None:
        """``project`` says which notebook and code is meant and what is locked; without it the documented defaults
        hold, and nothing is watched. ``watch`` tells when they change."""
        self._paths = ProjectPaths(folder)
        self._project = project
        self._watch = Watch(folder, Layout.of(project)) if watch is None and project is not None else watch

    def read(self, notebook: str) -> tuple[Source, Survey]:
        """The person's notebook with the code files beside it, and what it offers. Raises InvalidNotebook."""
        relative = PurePosixPath(notebook)
        if relative.is_absolute() or ".." in relative.parts:
            raise InvalidNotebook(f"notebook {notebook!r}: accepted: a path inside the project folder")
        layout = Layout(notebook) if self._project is None else replace(Layout.of(self._project), notebook=notebook)
        files, remarks = read_code(self._paths.root, layout)
        source = replace(read_source(self._paths.root / relative), files=files)
        offered = survey(source)
        return source, replace(offered, remarks=(*offered.remarks, *remarks))

    def edited(self) -> tuple[Source, Survey] | None:
        """See ``core.ports.Notebooks``. Raises InvalidNotebook."""
        if self._project is None or self._watch is None or not self._watch.has_changed():
            return None
        return self.read(self._project.notebook)

    def measure(self, source: Source, metric: str) -> str:
        """A digest of what a value is measured by: the locked cells, the locked files and the metric."""
        return measure_digest(source, metric, self._locked_files)

    @property
    def _locked_files(self) -> tuple[str, ...]:
        return () if self._project is None else self._project.code.locked

    def check(self, build: Build, survey: Survey) -> None:
        """Raise InvalidNotebook where an edit or a parameter does not fit the source of ``build``."""
        check(build, self._locked_files)

    def pieces(self, build: Build) -> tuple[Piece, ...]:
        """See ``core.ports.Notebooks``."""
        return pieces(build, self._locked_files)

    def parameters(self, build: Build) -> Parameters:
        """See ``core.ports.Notebooks``."""
        return compose(build, Run(0, Purpose.CANDIDATE), self._locked_files).parameters

    def origin(self, notebook: str) -> Origin | None:
        """See ``core.ports.Notebooks``."""
        return origin_of(self._paths.root / PurePosixPath(notebook))

    def handed_back(self, fork: Source, build: Build) -> HandedBack:
        """See ``core.ports.Notebooks``. Raises InvalidNotebook."""
        return handed_back(fork, build)

    def publish(self, experiment: Experiment, run: Run, verdict: Verdict, outcome: Outcome) -> str | None:
        """Put a run's executed notebook into ``experiments/`` by rename; its relative path, None where there is none.

        Called again, it renews the facts in ``metadata.deepresearch``. A file whose cells a person has changed is left
        alone. Raises StorageFailed.
        """
        try:
            target = self._target(experiment, run)
            made = self._executed(run.id)
            if target.exists():
                made = self._renewed(target, run, made)
            if made is not None:
                made.metadata["deepresearch"] = self._facts(experiment, run, verdict, outcome, made)
                text = write(made)
                if not target.exists() or target.read_text(encoding="utf-8") != text:
                    _write_atomically(target, text)
            return target.relative_to(self._paths.root).as_posix() if target.exists() else None
        except OSError as error:
            raise StorageFailed(f"experiments/ cannot be written: {error.strerror or error}") from error

    def _target(self, experiment: Experiment, run: Run) -> Path:
        """Where the run's notebook lies or will lie: the name chosen first stays, whatever the claim says later."""
        folder = self._paths.experiments
        number = f"{experiment.number:04d}-"
        suffix = f".seed-{run.seed_index}.ipynb" if run.seed_index > 1 else ".ipynb"
        stem = number + slug(experiment)
        if (folder / (stem + suffix)).exists():
            return folder / (stem + suffix)
        there = [path.name for path in folder.glob(f"{number}*.ipynb")] if folder.is_dir() else []
        # The shortest name is the first one: copies made by hand carry something more in theirs.
        stems = sorted({name.partition(".")[0] for name in there}, key=lambda name: (len(name), name))
        return folder / ((stems[0] if stems else stem) + suffix)

    def _executed(self, run_id: str) -> NotebookNode | None:
        """The run's notebook without the notes of its execution, None where there is no whole one."""
        try:
            notebook = _loaded(self._paths.run(run_id).output)
            for key in _RUN_NOTES_NOTEBOOK:
                notebook.metadata.pop(key, None)
            for cell in notebook.cells:
                for key in _RUN_NOTES_CELL:
                    cell.metadata.pop(key, None)
            nbformat.validate(notebook)
        except (FileNotFoundError, AttributeError, nbformat.ValidationError, *_MALFORMED):
            return None
        return notebook

    def _renewed(self, target: Path, run: Run, made: NotebookNode | None) -> NotebookNode | None:
        """What may replace the file at ``target``; None when a person changed its cells or it shows a better run."""
        try:
            there = _loaded(target)
            shown = str(there.metadata.deepresearch.run)
            cells = _cells(there)
        except (AttributeError, *_MALFORMED):
            return None  # not ours, or not a notebook any more
        before = made if shown == run.id else self._executed(shown)
        if before is None or cells != _cells(before):
            return None
        if shown == run.id:
            return there
        shows_training = f"-{Purpose.DRY_RUN.value}-" not in shown
        if shows_training == (run.purpose is Purpose.DRY_RUN):
            return None if shows_training else made
        attempt = re.search(r"-attempt-(\d+)$", shown)
        return None if run.attempt < (int(attempt[1]) if attempt else 1) else made

    def _facts(
        self, experiment: Experiment, run: Run, verdict: Verdict, outcome: Outcome, made: NotebookNode
    ) -> dict[str, Any]:
        try:
            parameters = parameters_of(made)
        except InvalidNotebook:
            parameters = {}  # a code edit may have spoilt the cell; the run has failed then and says so itself
        told = read_spec(self._paths.run(run.id))
        return {
            "project": self._paths.root.resolve().name,
            "experiment": experiment.number,
            "run": run.id,
            "parent": experiment.parent,
            "hypothesis": experiment.hypothesis.claim,
            "parameters": {name: _as_json(value) for name, value in parameters.items()},
            "seed": _as_json(parameters.get(seed_name(parameters) or "")),
            "metric": None if told is None else told.objective.metric,
            "value": _as_json(outcome.value),
            "state": outcome.state.value,
            "decision": verdict.decision.value,
            "elapsed_s": _as_json(outcome.elapsed_s),
            "environment": dict(outcome.environment),
        }


def slug(experiment: Experiment) -> str:
    """The claim as a file name: ASCII, whole words, at most 40 characters."""
    if experiment.hypothesis.kind is HypothesisKind.BASELINE:
        return "baseline"
    plain = unicodedata.normalize("NFKD", experiment.hypothesis.claim).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    made = ""
    for word in words:
        longer = f"{made}-{word}" if made else word[:_SLUG_CHARS]
        if len(longer) > _SLUG_CHARS:
            break
        made = longer
    return made or "experiment"


def _loaded(path: Path) -> NotebookNode:
    notebook: NotebookNode = nbformat.v4.reads(path.read_text(encoding="utf-8"))
    return notebook


def _cells(notebook: NotebookNode) -> list[tuple[Any, ...]]:
    """What a person could have changed in the cells."""
    return [
        (cell.get("id"), cell.cell_type, cell.source, cell.metadata.get("tags", []), cell.get("outputs", []))
        for cell in notebook.cells
    ]


def _as_json(value: Value) -> Value:
    """A value that JSON can hold: what is not finite becomes its name."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _write_atomically(target: Path, text: str) -> None:
    target.parent.mkdir(exist_ok=True)
    waiting = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with waiting.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(waiting, target)
    finally:
        waiting.unlink(missing_ok=True)
