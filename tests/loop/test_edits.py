"""Edits of the person's files while the loop works: what is noticed, said once, and left alone."""

from dataclasses import dataclass, field

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Proposal
from jupyter_deepresearch.core.project import Budget, Trust
from jupyter_deepresearch.core.types import Hypothesis, HypothesisKind, RunState, Source
from jupyter_deepresearch.errors import InvalidNotebook
from jupyter_deepresearch.testing import FakeNotebooks
from tests.simulation import Oracle, Simulation, Universe, base_project, ended

WIDE = Source("{}", {"model.py": "wide"})


@dataclass
class Breaking(FakeNotebooks):
    """A notebook that cannot be read, as long as there is a reason."""

    broken: str = ""
    said: list[str] = field(default_factory=list)

    def edited(self) -> tuple[Source, ev.Survey] | None:
        if self.broken and self.broken not in self.said:
            self.said.append(self.broken)
            raise InvalidNotebook(self.broken)
        return super().edited()


def simulated(cycles: int = 3) -> tuple[Simulation, Breaking]:
    answers = (Proposal(Hypothesis(f"x {x}", HypothesisKind.PARAMETERS, parameters={"x": x})) for x in range(1, 9))
    project = base_project(budget=Budget(cycles=cycles), trust=Trust(seeds=1))
    universe = Universe(lambda spec: ended(spec, RunState.SUCCEEDED, 1.0))
    sim = Simulation(project, universe, Oracle(answers, iter(())))
    sim.notebooks = notebooks = Breaking(ev.Survey(parameters={"x": 0.0}))
    return sim, notebooks


def told(sim: Simulation, kind: type[ev.Event]) -> list[ev.Event]:
    return [record.event for record in sim.log() if isinstance(record.event, kind)]


def test_a_broken_notebook_is_said_once_and_stops_nothing() -> None:
    sim, notebooks = simulated()
    notebooks.broken = "train.ipynb: not a notebook"
    state = sim.run()
    assert state.finished is not None and state.cycles == 3
    assert told(sim, ev.Announced) == [
        ev.Announced("train.ipynb: not a notebook: the research goes on with what it was")
    ]
    notebooks.said.clear()  # another process meets it again
    sim.run()
    assert len(told(sim, ev.Announced)) == 1
    notebooks.broken, notebooks.source = "", WIDE
    assert sim.run().offer is not None


def test_files_that_the_log_takes_in_are_no_edit_and_end_an_offer() -> None:
    sim, notebooks = simulated()
    notebooks.source = WIDE
    offer = sim.run().offer
    assert offer is not None and offer.experiment.source == WIDE

    def take_in(look: int) -> None:
        if look == 2:
            sim.ledger.append(ev.Sourced(WIDE, notebooks.survey, new_measure=False))
        if look == 20:
            sim.ledger.append(ev.Stop())

    sim.ledger.append(ev.Configure(base_project(budget=Budget(cycles=99), trust=Trust(seeds=1))))
    state = sim.run(take_in)
    assert told(sim, ev.Reject) == [ev.Reject(offer.number, "the project has taken it in", by="files")]
    assert state.offer is None and len([e for e in told(sim, ev.Proposed) if e.experiment.source]) == 1  # type: ignore[union-attr]
