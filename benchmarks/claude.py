"""What Claude as the researcher takes: calls and tokens per cycle, against a server that answers by a fixed script.

Service, store, notebooks, loop, researcher and HTTP are the product's own; only the runs end at once.
"""

import asyncio
import json
import random
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_deepresearch.app import SystemClock
from jupyter_deepresearch.config.loading import Options
from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.ports import RunSpec
from jupyter_deepresearch.core.project import Project
from jupyter_deepresearch.core.types import Handle, Outcome, RunState
from jupyter_deepresearch.execution.paths import ProjectPaths
from jupyter_deepresearch.execution.runner.reports import as_json
from jupyter_deepresearch.execution.spec import MetricLine
from jupyter_deepresearch.researchers.llm.prices import Counts, Rate
from jupyter_deepresearch.service.opened import OpenedProject
from jupyter_deepresearch.service.registry import Registry
from jupyter_deepresearch.service.service import Service
from jupyter_deepresearch.testing import MessagesServer, SentRequest

from .claude_script import BRIEF, Answered, Script, phase_of
from .cycle import InstantLauncher, InstantMakers
from .projects import EXAMPLES, folder
from .result import Result, Row, median

MODEL = "claude-haiku-5-5"
MODELLED = (MODEL, "claude-sonnet-5-5", "claude-opus-5-5")
CHARS_PER_TOKEN = 4  # as the rival's tokens were counted
MODELLED_CHARS_PER_TOKEN = 2.5  # what Anthropic says of its tokenizer since Opus 4.7
THINKING_OUT = 3300  # plan 1,000, patch 1,500, reflect 800, thinking included: an assumption, nobody has measured it
EPOCHS = 10
PATIENCE_S = 60.0
_GIVES_UP = "the researcher cannot answer"
_RUNAWAY = (
    "runaway: a code worker that reads four places with each call and never answers, the plan before it counted, until "
    "the step is put off; sweep: the most calls between two of five trials (plan and lesson are one call each); "
    "tool bytes: the definitions as sent, as JSON"
)
_RIVAL = (
    "Deep Researcher Agent 0.1.1, measured in the same way on a brief of 2,728 characters: 7 calls and 15,271 tokens "
    "per cycle, 1.11 at cycle 10, 2,020,000 tokens of a runaway worker, 0.54 of the tool text (its code worker)"
)


@dataclass
class _Launcher(InstantLauncher):
    """Leaves the curve in the run's folder that its value belongs to."""

    async def launch(self, spec: RunSpec) -> Handle:
        handle = await super().launch(spec)
        lines = (as_json(line) for line in _curve(_value(spec)))
        await asyncio.to_thread(ProjectPaths(self.folder).run(spec.run.id).metrics.write_text, "".join(lines))
        return handle


class _Makers(InstantMakers):
    """Everything as it is in the product, but for the runs."""

    def launcher(self, folder: Path, project: Project) -> _Launcher:
        def ending(spec: RunSpec) -> Outcome:
            value = _value(spec)
            reported = tuple((line.step or 0.0, line.values["val_accuracy"]) for line in _curve(value))
            return Outcome(spec.run.id, RunState.SUCCEEDED, value, reported, {"train_loss": 0.08}, elapsed_s=21.4)

        return _Launcher(ending, folder=folder)


def _value(spec: RunSpec) -> float:
    """By the experiment's number: most are a little worse than the baseline, one in 20 is better than all before."""
    number = spec.experiment.number
    chance = random.Random(f"{number} {spec.run.seed_index}")
    gain = 0.0004 * number if number % 20 == 7 else -0.004 if number else 0.0
    return round(0.9416 + gain + chance.uniform(-0.001, 0.001), 4)


def _curve(value: float) -> Iterator[MetricLine]:
    for epoch in range(1, EPOCHS + 1):
        accuracy = round(value - 0.4 / epoch**2 + 0.4 / EPOCHS**2, 4)
        yield MetricLine(2.1 * epoch, 5, float(epoch), {"val_accuracy": accuracy, "train_loss": 2.0 / epoch}, "report")


@dataclass
class _Research:
    """A project at work on a script. ``marks`` are how many requests had been sent at the end of each cycle, the
    baseline's first; ``trials`` the same when each trial of a sweep was proposed."""

    project: OpenedProject
    service: Service
    server: MessagesServer
    script: Script
    marks: list[int] = field(default_factory=list)
    trials: list[int] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    def __call__(self, record: ev.Record) -> None:
        match record.event:
            case ev.Reflected():
                self.marks.append(len(self.server.requests))
            case ev.Proposed(experiment=experiment) if experiment.sweep is not None:
                self.trials.append(len(self.server.requests))
            case ev.Announced(text=text) if text.startswith(_GIVES_UP):
                self.trouble.append(text)
            case ev.Failed():
                self.trouble.append(str(record.event))

    def cycles(self) -> list[Sequence[SentRequest]]:
        """What was sent in each cycle after the baseline."""
        pairs = zip(self.marks, self.marks[1:], strict=False)
        return [self.server.requests[a:b] for a, b in pairs]

    def finish(self) -> None:
        """Research until a budget ends it. Raises RuntimeError where it ends otherwise: the figures would lie."""
        self._go_on()
        if self.trouble:
            raise RuntimeError(f"the script was not followed to its end: {self.trouble}; {self.server.refused}")

    def give_up(self) -> None:
        """Research until the researcher gives up a step. Raises RuntimeError where it never does."""
        self._go_on()
        if not any(text.startswith(_GIVES_UP) for text in self.trouble):
            raise RuntimeError(f"the researcher did not give up: {self.trouble}")

    def _go_on(self) -> None:
        """Until the project is finished, in trouble, or for a long time without anything new."""
        self.service.start(self.project)
        seq, since = 0, time.monotonic()
        while not self.project.state.finished and not self.trouble:
            if self.project.state.seq > seq:
                seq, since = self.project.state.seq, time.monotonic()
            reason = self.service.status(self.project).reason
            if reason.startswith("the loop ended") or time.monotonic() - since > PATIENCE_S:
                self.trouble.append(reason or "nothing happens any more")
            time.sleep(0.1)


@contextmanager
def _researched(cycles: int, script: Script) -> Iterator[_Research]:
    """``digits_torch`` with a brief of 2,700 characters, prepared for so many cycles."""
    with folder() as root, MessagesServer(script) as server:
        home = root / "digits_torch"
        shutil.copytree(EXAMPLES / "digits_torch", home)
        (home / "PROJECT_BRIEF.md").write_text(BRIEF)
        service = Service(_Makers(), Registry(root / "projects.json"), SystemClock())
        researcher = {"kind": "claude", "base_url": server.base_url, "leader_model": MODEL}
        tables = {"researcher": researcher, "budget": {"cycles": cycles}}
        project = service.prepare(home, Options(tables=tables))
        research = _Research(project, service, server, script)
        project.ledger.listeners.append(research)
        try:
            yield research
        finally:
            service.close()


def measure(quick: bool) -> Result:
    """Research a project to its end, one with a sweep, one with a runaway worker, one in which all agents work."""
    rows, notes = _code_cycles(6 if quick else 200)
    return Result("Claude as the researcher", (*rows, _runaway(), _sweep(), _tools()), (*notes, _RUNAWAY, _RIVAL))


def _code_cycles(cycles: int) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    script = Script()
    with _researched(cycles, script) as research:
        research.finish()
        sent, before = research.cycles(), research.marks[0]
        memory = len(research.project.memory().log)
    assert len(sent) == cycles, (len(sent), cycles)
    tokens = [sum(request.chars for request in cycle) / CHARS_PER_TOKEN for cycle in sent]
    last = tokens[-max(1, cycles // 10) :]
    calls = [float(len(cycle)) for cycle in sent]
    rows = (
        Row("calls per cycle with a code change", max(calls), "", 4, 3),
        Row("tokens in per such cycle", median(tokens), "", 7600, 5000),
        Row(f"tokens in at cycle {cycles} / at cycle 1", median(last) / tokens[0], "", 1.10, 1.0),
    )
    parts = ", ".join(f"{phase} {chars:,.0f}" for phase, chars in _by_phase(sent).items())
    note = (
        f"{cycles} cycles; calls: the most of any; tokens = characters / {CHARS_PER_TOKEN} of everything sent (system, "
        f"turns, tools, answer schema), {min(tokens):,.0f} to {max(tokens):,.0f}, in the first cycle {tokens[0]:,.0f}, "
        f"in the last {len(last)} {min(last):,.0f} to {max(last):,.0f}; mean characters: {parts}; the memory has "
        f"{memory:,} characters in the end; {before} small calls before the first cycle ask what the model can do"
    )
    return rows, (note, *_modelled(script.calls[before:], cycles))


def _by_phase(sent: Sequence[Sequence[SentRequest]]) -> Mapping[str, float]:
    """Mean characters per cycle of each kind of call."""
    total: dict[str, float] = {}
    for request in (request for cycle in sent for request in cycle):
        total[phase_of(request)] = total.get(phase_of(request), 0.0) + request.chars / len(sent)
    return total


def _modelled(answers: Sequence[Answered], cycles: int) -> Iterator[str]:
    """What the measured characters would cost, with answers as in the script and with some thinking before them."""
    scripted = sum(_tokens(each.out) for each in answers) / cycles
    for words, out in (("answers as in the script and no thinking", scripted), ("assumed", float(THINKING_OUT))):
        shown = []
        for model in MODELLED:
            rate = Rate(model)
            sent = sum(rate.usd(Counts(_tokens(each.chars), 0, 0, 0)) for each in answers) / cycles
            usd = sent + rate.usd(Counts(0, 0, 0, round(out)))
            shown.append(f"{model} ${usd:.5f} a cycle, ${1000 * usd:,.2f} per 1,000")
        yield (
            f"modelled, not measured: {'; '.join(shown)}; characters at {MODELLED_CHARS_PER_TOKEN} to a token, "
            f"{out:,.0f} tokens out a cycle ({words}), no cache, list prices"
        )


def _tokens(chars: int) -> int:
    return round(chars / MODELLED_CHARS_PER_TOKEN)


def _runaway() -> Row:
    with _researched(1, Script(is_runaway=True)) as research:
        research.give_up()
        sent = research.server.requests[research.marks[0] :]
        return Row("tokens in of a runaway worker", sum(r.chars for r in sent) / CHARS_PER_TOKEN, "", 60_000, 30_000)


def _sweep() -> Row:
    """Between the proposals of a sweep's trials nothing is asked; before the first is its plan, after the last its
    lesson."""
    with _researched(5, Script(plans=("sweep",))) as research:
        research.finish()
        calls = [b - a for a, b in zip(research.trials, research.trials[1:], strict=False)]
    assert len(calls) == 4, research.trials
    return Row("calls of a parameters-only cycle inside a sweep", float(max(calls)), "", 0, 0)


def _tools() -> Row:
    """The tools as they were sent, by agent."""
    with _researched(3, Script(plans=("code", "idea", "code", "report", "code"))) as research:
        research.finish()
        sent = research.server.requests[research.marks[0] :]
    agents: dict[str, Mapping[str, int]] = {}
    for request in sent:
        agents[phase_of(request)] = {tool["name"]: _bytes(tool) for tool in request.body.get("tools") or ()}
    all_tools = {name: size for tools in agents.values() for name, size in tools.items()}
    four = [sum(agents[phase].values()) for phase in ("plan", "idea", "patch", "writing")]
    assert len(all_tools) == 12, sorted(all_tools)
    return Row("tool bytes, mean of the agents / all twelve", sum(four) / 4 / sum(all_tools.values()), "", 0.33, 0.30)


def _bytes(tool: Mapping[str, object]) -> int:
    plain = {key: value for key, value in tool.items() if key != "cache_control"}
    return len(json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode())
