"""Claude as the researcher: a leader that thinks and reflects, workers that write code, read and write. Everything that
must be trusted (measuring, judging, launching, remembering) is done elsewhere."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from ...core.answers import Lesson, Phase, Proposal, Usage
from ...core.research import Meter, RunFailure, Seen
from ...core.types import Decision, Experiment, HypothesisKind, Verdict
from ...errors import DeepResearchError, ResearcherStopped
from ..llm.talk import AnswerForm, Effort, Model
from ..sweep import SweepResearcher
from .conversation import IN_VAIN
from .digest import digest
from .leader import plan_text
from .line import Line, Step
from .mending import Mending
from .papers import Papers
from .plans import Reflection
from .prompts import Prompts
from .reflecting import lesson_of, reflect_text
from .shelf import Shelf
from .sweeping import Sweeps, sweep_digest
from .team import Team, leader_model, worker_model
from .thinking import NoPlan, Think

_FORMS = {
    AnswerForm.STRUCTURED: "structured answers",
    AnswerForm.TOOL: "answers as calls of a tool",
    AnswerForm.TEXT: "answers as JSON in text",
}


class ClaudeResearcher:
    """Proposes code, values and sweeps by asking ``model``; see ``core.research.Researcher``.

    One cycle with a code change is three calls (plan, patch, reflect), one with values two; a sweep's trials are
    proposed by ``sweep`` and cost none. What it asks depends on the log and the project's files alone, so that a
    restarted step finds its answers in the log.
    """

    can_repair = True

    def __init__(self, model: Model, shelf: Shelf, papers: Papers, prompts: Prompts, sweep: SweepResearcher) -> None:
        self._team = Team(Line(model), prompts, shelf, papers)
        self._sweeps = Sweeps(sweep)
        self._fruitless: dict[str, int] = {}

    async def prepare(self, seen: Seen, meter: Meter) -> tuple[str, ...]:
        """What the models can do, asked of the server: a wrong key or model shows before anything runs."""
        leader, worker = leader_model(seen), worker_model(seen)
        able = {model: await self._team.line.abilities(model, meter) for model in dict.fromkeys((leader, worker))}
        said = [f"{m}: {_FORMS[a.form]}, tools {'work' if a.tools else 'do not work'}" for m, a in able.items()]
        who = f"{leader} leads and works" if leader == worker else f"{leader} leads, {worker} works"
        own = self._team.prompts.overridden
        mine = (f"prompts of the project's own: {', '.join(f'prompts/{name}.md' for name in own)}",) if own else ()
        return (f"{who} ({'; '.join(said)})", *mine)

    async def think(self, seen: Seen, meter: Meter) -> Proposal:
        """The next trial of an open sweep, unless the person directs something new; else what the leader plans."""
        if seen.sweep is not None and not seen.sweep.is_done and not any(d.fresh for d in seen.directives):
            trial = await self._sweeps.trial(seen, seen.sweep.sweep, meter)
            if trial.hypothesis is not None:
                return trial
        text = plan_text(seen, self._team.shelf.by_hand(), self._latest(seen))
        name = f"{seen.measure}.{seen.cycle}.{seen.turn}"
        while True:
            again = self._fruitless.get(name, 0)
            watch = _Watch(meter)
            step = f"{name} again {again}" if again else name
            try:
                return await Think(self._team, self._sweeps, seen, watch, step, text).proposal()
            except NoPlan as problem:
                self._fruitless = {name: again + 1}
                if watch.has_paid:  # else these are answers from an earlier life, and the next ones may be too
                    raise _given_up(problem, again + 1) from problem

    async def repair(self, seen: Seen, failure: RunFailure, meter: Meter) -> Proposal:
        """The code worker's patch, mended after a failed dry run."""
        return await Mending(self._team, seen, failure, meter).proposal()

    async def reflect(self, seen: Seen, experiment: Experiment, verdict: Verdict, meter: Meter) -> Lesson:
        """What an experiment taught, in one call; none for a baseline, and none for a sweep before its end."""
        if verdict.decision is Decision.BASELINE or experiment.hypothesis.kind is HypothesisKind.BASELINE:
            return Lesson("")  # its claim says all
        if experiment.sweep is not None and not await self._is_last(seen, experiment, meter):
            return await self._sweeps.lesson(seen, experiment, verdict, meter)
        text = reflect_text(seen, experiment, self._digest(seen, experiment))
        leader = self._team.reflecting(seen, meter, Step(f"reflect {experiment.number}", experiment.number))
        answer = await leader.ask(Phase.REFLECT, text, Reflection, Effort.LOW)
        return replace(lesson_of(answer, seen, experiment, verdict), remarks=tuple(filter(None, [leader.turned])))

    async def _is_last(self, seen: Seen, experiment: Experiment, meter: Meter) -> bool:
        """Whether the sweep of this trial is over with it."""
        sweep = seen.sweep
        if sweep is None or sweep.first != experiment.sweep:
            return True
        return sweep.unjudged == 0 and (sweep.is_done or await self._sweeps.is_exhausted(seen, sweep.sweep, meter))

    def _latest(self, seen: Seen) -> str:
        if seen.latest is None:
            return ""
        return self._digest(seen, seen.evidence.account(seen.latest).experiment)

    def _digest(self, seen: Seen, experiment: Experiment) -> str:
        """What came of an experiment, or of the whole sweep that it is the last trial of."""
        if experiment.sweep is not None:
            return sweep_digest(seen, experiment.sweep)
        number = experiment.number
        return digest(seen.evidence.account(number), seen.evidence.curves(number), seen.objective)


def _given_up(problem: NoPlan, times: int) -> DeepResearchError:
    """The problem itself, until it has cost enough."""
    if times < IN_VAIN:
        return problem
    return ResearcherStopped(
        f"{problem}: {times} times over; set another leader_model under [researcher], or mend the brief; then resume"
    )


@dataclass
class _Watch:
    """A meter that says whether anything was paid through it."""

    meter: Meter
    has_paid: bool = False

    async def ask(
        self, key: str, ceiling: Usage, call: Callable[[], Awaitable[tuple[str, Usage]]], experiment: int | None = None
    ) -> str:
        async def paid() -> tuple[str, Usage]:
            self.has_paid = True
            return await call()

        return await self.meter.ask(key, ceiling, paid, experiment)
