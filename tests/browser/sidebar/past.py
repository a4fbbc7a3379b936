"""A project with a past: a real ledger, real notebooks and run folders, paused, so that nothing runs by itself.

Fourteen experiments of every kind of verdict, two of them waiting for a person: #12 with parameters, #13 with code.
"""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Lesson, Usage
from jupyter_deepresearch.core.project import (
    Approval,
    ApprovalMode,
    Budget,
    Direction,
    LauncherOptions,
    Objective,
    Project,
    Trust,
)
from jupyter_deepresearch.core.types import (
    Decision,
    Edit,
    Experiment,
    Handle,
    Hypothesis,
    HypothesisKind,
    Outcome,
    Parameters,
    Purpose,
    Run,
    RunError,
    RunState,
    Verdict,
)
from jupyter_deepresearch.execution.notebooks.source import read_source
from jupyter_deepresearch.execution.paths import ProjectPaths
from jupyter_deepresearch.service.registry import Registry
from jupyter_deepresearch.store.sqlite import SqliteStore

METRIC = "val_accuracy"
OWN: Parameters = {"lr": 0.001, "width": 64, "act": "relu", "seed": 1}
PARAMETERS = """lr = 0.001  # sweep: 1e-4..1e-1 log
width = 64  # sweep: 16..512 log
act = "relu"  # sweep: relu | tanh
seed = 1"""
MODEL = """def build(width, act):
    return ("dense", width, act)"""
TRAIN = """from jupyter_deepresearch import report

model = build(width, act)
for epoch in range(8):
    report(step=epoch, train_loss=1 / (epoch + 1))"""
SCORE = "report(step=8, val_accuracy=0.9 + 0.01 * (lr > 0.002))"
CLIP = Edit("model = build(width, act)", "model = build(width, act)\nclip = 1.0  # <b>bold</b>", cell="train")
CONFIG = """[objective]
metric = "val_accuracy"
[approval]
mode = "ask"
[trust]
seeds = 1
[launcher]
gpus = "none"
"""
BRIEF = "Lift the validation accuracy of the digits classifier without making it slower."


@dataclass(frozen=True)
class Tried:
    """One experiment of the past. Without a ``decision`` it waits for a person."""

    claim: str
    decision: Decision | None
    values: Sequence[float] = ()
    parameters: Mapping[str, bool | int | float | str | None] | None = None
    edits: tuple[Edit, ...] = ()
    state: RunState = RunState.SUCCEEDED
    parent: int = 0


STORY = (
    Tried("baseline: the notebook as it is", Decision.BASELINE, (0.9411, 0.9402, 0.942)),
    Tried("Width 128 will lift accuracy", Decision.WORSE, (0.938,), {"width": 128}),
    Tried("Adam-like lr 3e-3 will converge within 8 epochs", Decision.CONFIRMED, (0.9602, 0.9611), {"lr": 0.003}),
    Tried("tanh will smooth the loss", Decision.INCONCLUSIVE, (0.961, 0.9598), {"act": "tanh"}, parent=2),
    Tried("Width 4096 will overfit", Decision.FAILED, (), {"width": 4096}, (), RunState.OUT_OF_MEMORY, 2),
    Tried("Clip the gradient at 1.0", Decision.CONFIRMED, (0.9822, 0.983, 0.9815), {}, (CLIP,), parent=2),
    Tried("lr 0.1 will diverge", Decision.FAILED, (), {"lr": 0.1}, (), RunState.DIVERGED, 5),
    Tried("Warm-up of one epoch alone will not help", Decision.WORSE, (0.979,), {"lr": 0.002}, parent=5),
    Tried("Tried by hand in the spring", Decision.REJECTED, (), {"width": 96}, parent=5),
    Tried("Width 80 is enough", Decision.RETRACTED, (0.9829, 0.98), {"width": 80}, parent=5),
    Tried("<img src=x onerror=alert(1)> must be seen as text", Decision.WORSE, (0.975,), {"width": 48}, parent=5),
    Tried("Übergröße 256 hilft nicht", Decision.WORSE, (0.9777,), {"width": 256}, parent=5),
    Tried("A cosine schedule will cut the loss spike at epoch 5", None, (), {"lr": 0.004, "act": "tanh"}, (), parent=5),
    Tried("Dropout after the second layer will close the gap", None, (), {}, (
        Edit('return ("dense", width, act)', 'return ("dense", width, act, "dropout 0.5")', cell="model"),
    ), parent=5),
)  # fmt: skip


def write_past(root: Path, name: str, registry: Registry, story: Sequence[Tried] = STORY) -> Path:
    """The project ``name`` under ``root``, known to the server that reads ``registry``; its folder."""
    folder = root / name
    folder.mkdir(parents=True)
    write_notebook(folder / "train.ipynb")
    (folder / "deepresearch.toml").write_text(CONFIG)
    (folder / "PROJECT_BRIEF.md").write_text(BRIEF)
    paths = ProjectPaths(folder)
    paths.ledger.parent.mkdir()
    (paths.ledger.parent / ".gitignore").write_text("*\n")
    store = SqliteStore(paths.ledger, _clock(len(story)))
    store.query("PRAGMA synchronous=OFF")  # only to write the past quickly
    for event in _events(folder, f"{name}-1", story):
        store.append(event)
    store.close()
    registry.add(f"{name}-1", folder)
    return folder


def write_notebook(path: Path) -> None:
    """The person's notebook: parameters, a model, a training loop, a locked score."""
    new = nbformat.v4.new_code_cell
    cells = [
        new(PARAMETERS, id="parameters", metadata={"tags": ["parameters"]}),
        new(MODEL, id="model"),
        new(TRAIN, id="train"),
        new(SCORE, id="score", metadata={"tags": ["locked"]}),
    ]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


def _events(folder: Path, project_id: str, story: Sequence[Tried]) -> Iterator[ev.Event]:
    project = Project(
        folder.name,
        "train.ipynb",
        Objective(METRIC, Direction.MAXIMIZE),
        budget=Budget(cycles=50),
        approval=Approval(ApprovalMode.ASK),
        trust=Trust(seeds=1),
        launcher=LauncherOptions(gpus="none"),
    )
    survey = ev.Survey(parameters=OWN, locked_cells=1)
    yield ev.Opened(project_id, project, read_source(folder / "train.ipynb"), survey, BRIEF)
    champion: float | None = None
    for number, tried in enumerate(story):
        yield from _tried(folder, number, tried, story, champion)
        if tried.decision in (Decision.BASELINE, Decision.CONFIRMED):
            champion = sum(tried.values) / len(tried.values)
    yield ev.Directive("prefer small models; stay <i>below</i> width 512")
    yield ev.Pause()


def _tried(
    folder: Path, number: int, tried: Tried, story: Sequence[Tried], champion: float | None
) -> Iterator[ev.Event]:
    experiment = _experiment(number, tried, story)
    is_baseline = tried.decision is Decision.BASELINE
    if not is_baseline:
        usage = Usage("plan", "model", 4000, 300, 2500, 0.0021, latency_s=3.5)
        yield ev.Answered(f"plan-{number}", usage, "an answer", number)
    yield ev.Proposed(experiment)
    if tried.decision is None:
        return
    if tried.decision is Decision.REJECTED:
        yield ev.Reject(number, "this was tried in the spring")
        return
    notebook = f"experiments/{number:04d}-idea.ipynb"
    yield from _runs(folder, number, tried)
    _write_executed(folder / notebook, number, tried)
    yield ev.Judged(number, _verdict(tried, champion), notebook)
    yield ev.Reflected(number, Lesson(f"lesson of experiment {number}: {tried.claim.lower()[:80]}"))


def _experiment(number: int, tried: Tried, story: Sequence[Tried]) -> Experiment:
    if tried.decision is Decision.BASELINE:
        return Experiment(number, Hypothesis(tried.claim, HypothesisKind.BASELINE))
    parameters = dict(tried.parameters or {})
    kind = HypothesisKind.CODE if tried.edits else HypothesisKind.PARAMETERS
    why = "runs 9 and 11 spiked after the step decay, and the loss was still falling at the end"
    hypothesis = Hypothesis(tried.claim, kind, why, "a gain of about 0.002", parameters, tried.edits)
    settings, code = _inherited(tried, story), f"code-{number}" if tried.edits else _code(tried.parent, story)
    return Experiment(number, hypothesis, tried.parent, number, settings=settings, code=code, sense=code)


def _inherited(tried: Tried, story: Sequence[Tried]) -> dict[str, bool | int | float | str | None]:
    above = {} if tried.decision is Decision.BASELINE else _inherited(story[tried.parent], story)
    return {**above, **(tried.parameters or {})}


def _code(number: int, story: Sequence[Tried]) -> str:
    tried = story[number]
    if tried.edits:
        return f"code-{number}"
    return "" if tried.decision is Decision.BASELINE else _code(tried.parent, story)


def _runs(folder: Path, number: int, tried: Tried) -> Iterator[ev.Event]:
    purpose = Purpose.BASELINE if tried.decision is Decision.BASELINE else Purpose.CANDIDATE
    for seed, value in enumerate(tried.values or (None,), 1):
        run = Run(number, purpose, seed)
        yield ev.Planned(run)
        yield ev.Launched(Handle(run.id, "local", "4711", 4711, 1, "a-boot"))
        _write_run(folder, run, value)
        yield ev.Ended(_outcome(run, tried, value))


def _outcome(run: Run, tried: Tried, value: float | None) -> Outcome:
    if value is None:
        error = RunError("RuntimeError", f"the run ended {tried.state.value}", 2, "Traceback of cell 2", 1)
        return Outcome(run.id, tried.state, elapsed_s=21.0, peak_memory_bytes=2_000_000_000, error=error)
    return Outcome(
        run.id,
        RunState.SUCCEEDED,
        value,
        curve=tuple((float(step), _reported(value, step)) for step in range(1, 9)),
        finals={METRIC: value, "train_loss": 0.125},
        elapsed_s=61.5,
        peak_memory_bytes=812_000_000,
        locked_score=True,
        environment={"python": "3.11.9", "torch": "2.4.0"},
    )


def _reported(value: float, step: int) -> float:
    return value * (1 - math.exp(-step / 2)) / (1 - math.exp(-4))


def _write_run(folder: Path, run: Run, value: float | None) -> None:
    paths = ProjectPaths(folder).run(run.id)
    paths.root.mkdir(parents=True)
    lines = []
    for step in range(1, 9 if value is not None else 4):
        values = {METRIC: _reported(value or 0.5, step), "train_loss": 1 / step}
        lines.append({"t": 1.7e9 + step, "cell": 2, "step": step, "values": values, "source": "report"})
    paths.metrics.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    printed = "".join(f"epoch {step}: loss {1 / step:.3f}\n" for step in range(1, 9))
    output = {"cell": 2, "output_type": "stream", "name": "stdout", "text": printed, "t": 1.7e9}
    paths.outputs.write_text(f"{json.dumps(output)}\n")


def _verdict(tried: Tried, champion: float | None) -> Verdict:
    assert tried.decision is not None
    if not tried.values:
        return Verdict(tried.decision, f"the run ended {tried.state.value}: no value", state=tried.state)
    value, seeds = sum(tried.values) / len(tried.values), len(tried.values)
    interval = (value - 0.0016, value + 0.0016) if seeds > 1 else None
    reason = f"{value:.4f} against {champion or value:.4f}"
    return Verdict(tried.decision, reason, value, seeds, interval, champion, tried.state)


def _write_executed(path: Path, number: int, tried: Tried) -> None:
    """The executed notebook of an experiment, as far as a person sees it in Jupyter."""
    path.parent.mkdir(exist_ok=True)
    output = nbformat.v4.new_output("stream", name="stdout", text=f"experiment {number} ran here\n")
    cells = [
        nbformat.v4.new_markdown_cell(f"# Experiment {number}"),
        nbformat.v4.new_code_cell(TRAIN, outputs=[output], execution_count=1),
    ]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    purpose = Purpose.BASELINE if tried.decision is Decision.BASELINE else Purpose.CANDIDATE
    facts = {"kernelspec": kernel, "deepresearch": {"experiment": number, "run": Run(number, purpose).id}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=facts), path)


def _clock(experiments: int) -> Callable[[], float]:
    """Twenty seconds between two events, so that the past ends about now."""
    began, ticks = time.time() - experiments * 160.0, itertools.count(1)
    return lambda: began + 20.0 * next(ticks)


__all__ = ["BRIEF", "METRIC", "STORY", "Tried", "write_notebook", "write_past"]
