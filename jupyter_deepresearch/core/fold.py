"""The fold: ``apply(state, record)`` takes a log to its State. Pure, total, and the same on every machine."""

from collections.abc import Callable

from . import events as ev
from .course import fold_course, reopened
from .frozen import changed
from .research import Instruction
from .sources import fingerprint
from .state import DIRECTIVES_IN_FORCE, SOURCES_MET, Attempt, Before, Note, OpenRun, State, Work
from .types import Decision, Experiment, HypothesisKind, OpenSweep, Outcome, Verdict

_SAY_NOTHING_NEW = (ev.Worked, ev.Answered, ev.Announced, ev.Postponed)
"""What does not make a researcher that wanted to wait think again."""


def fold_first(record: ev.Record) -> State:
    """The state after the first record, which must be an ``Opened`` (ValueError otherwise)."""
    event = record.event
    if not isinstance(event, ev.Opened):
        raise ValueError(f"a log starts with 'opened', this one with '{ev.kind_of(event)}'")
    own = fingerprint(event.source)
    return State(event, project=event.project, survey=event.survey, brief=event.brief, own=own, seq=record.seq)


def apply(state: State | None, record: ev.Record) -> State:
    """The state after one more record. Raises ValueError where the record does not follow the last one."""
    if state is None:
        return fold_first(record)
    if record.seq != state.seq + 1:
        raise ValueError(f"record {record.seq} does not follow {state.seq}")
    if state.postponed is not None and not isinstance(record.event, _SAY_NOTHING_NEW):
        state = changed(state, postponed=None)
    return changed(_fold(state, record), seq=record.seq)


def _fold(state: State, record: ev.Record) -> State:
    match record.event:
        case ev.Proposed() | ev.Try() | ev.Repaired() | ev.EditHypothesis() | ev.Reproduce() as event:
            return _fold_hypothesis(state, event, record.at)
        case ev.Planned() | ev.Launched() | ev.Ended() | ev.Cancel() as event:
            return _fold_run(state, event, record.at)
        case ev.Judged() | ev.Reflected() | ev.Reject() | ev.Approve() as event:
            return _fold_decision(state, event)
        case ev.Sourced(source=source, survey=survey, new_measure=new, sentence=sentence):
            state = changed(
                state, survey=survey, failed=None, own=fingerprint(source), announced=sentence or state.announced
            )
            return _open_measure(state) if new else state
        case ev.Directive(text=text, digest=digest):
            note = Note(Instruction(record.seq, text), digest)
            return changed(reopened(state), directives=(*state.directives, note)[-DIRECTIVES_IN_FORCE:])
        case ev.Branch(experiment=experiment, values=values):
            branch = None if experiment is None else Work(experiment, record.at, values=dict(values))
            return changed(reopened(state), branch=branch, sweep=None)  # a sweep's trials have one parent
        case ev.Noted(text=text):
            return changed(state, notes=text, memory=state.memory.with_notes(text))
        case ev.Answered(usage=usage):
            return changed(state, bill=state.bill.with_usage(usage, record.at))
        case ev.Worked(seconds=seconds):
            return changed(state, worked_s=state.worked_s + seconds)
        case event:
            return fold_course(state, event)


def _fold_hypothesis(
    state: State, event: ev.Proposed | ev.Try | ev.Repaired | ev.EditHypothesis | ev.Reproduce, at: float
) -> State:
    experiment = event.experiment
    work = state.works.get(experiment.number)
    match event:
        case ev.Reproduce(seeds=seeds, known=known, verdict=verdict, made=made):
            again = work or Work(experiment, at, values=dict(known), verdict=verdict, made=dict(made))
            wanted = max(len(known) + seeds, again.wanted or 0)
            return _with_work(changed(state, finished=None), changed(again, wanted=wanted))
        case ev.EditHypothesis() if work is not None:
            since = work.proposed_at if experiment.source == work.experiment.source else at
            state = _meet(_forget(state, work.experiment), experiment)
            return _with_work(state, changed(work, experiment=experiment, proposed_at=since))
        case ev.Repaired(ask=ask) if work is not None:
            again = changed(work, experiment=experiment, proposed_at=at, waiting=ask, repairs=work.repairs + 1)
            return _with_work(state, changed(again, fixes=work.fixes + event.fixes))
        case ev.Proposed(directives=used):
            state = _with_sweep(state, experiment)
            state = _with_work(state, Work(experiment, at, waiting=_is_asked(state, experiment), fixes=event.fixes))
            notes = tuple(
                changed(n, instruction=changed(n.instruction, fresh=False)) if n.instruction.seq in used else n
                for n in state.directives
            )
            state = changed(state, directives=notes, turn=0)
        case ev.Try():
            state = changed(_with_work(state, Work(experiment, at)), finished=None, stopped=False)
        case _:
            return state
    counted = experiment.cycle is not None
    return changed(
        _meet(state, experiment),
        next_experiment=experiment.number + 1,
        cycles=state.cycles + counted,
        next_cycle=state.next_cycle + counted,
    )


def _is_asked(state: State, experiment: Experiment) -> bool:
    """Whether a proposal waits for the person: an edit of theirs always does, a further trial of a sweep never."""
    kind = experiment.hypothesis.kind
    if kind is HypothesisKind.BY_HAND:
        return True
    is_trial = kind is HypothesisKind.SWEEP and experiment.hypothesis.sweep is None
    return state.project.approval.mode == "ask" and kind is not HypothesisKind.BASELINE and not is_trial


def _with_sweep(state: State, experiment: Experiment) -> State:
    """A sweep begins with its first trial, counts its further ones, and is over once something else is proposed."""
    hypothesis = experiment.hypothesis
    if hypothesis.kind in (HypothesisKind.BY_HAND, HypothesisKind.BASELINE):
        return state
    if hypothesis.sweep is not None:
        return changed(state, sweep=OpenSweep(experiment.number, hypothesis.claim, hypothesis.sweep))
    if state.sweep is not None and experiment.sweep == state.sweep.first:
        return changed(state, sweep=changed(state.sweep, made=state.sweep.made + 1))
    return changed(state, sweep=None)


def _fold_run(state: State, event: ev.Planned | ev.Launched | ev.Ended | ev.Cancel, at: float) -> State:
    match event:
        case ev.Planned(run=run):
            return changed(state, runs={**state.runs, run.id: OpenRun(run, at)})
        case ev.Launched(handle=handle) if handle.run in state.runs:
            return _with_run(state, changed(state.runs[handle.run], handle=handle))
        case ev.Cancel(run=run_id) if run_id in state.runs:
            return _with_run(state, changed(state.runs[run_id], cancelled=True))
        case ev.Ended(outcome=outcome) if outcome.run in state.runs:
            return _end_run(state, outcome)
        case _:
            return state


def _end_run(state: State, outcome: Outcome) -> State:
    run, by_person = state.runs[outcome.run].run, state.runs[outcome.run].cancelled
    runs = {k: v for k, v in state.runs.items() if k != outcome.run}
    state = changed(state, runs=runs, gpu_s=state.gpu_s + outcome.gpu_s)
    if outcome.value is not None and outcome.elapsed_s is not None:
        typical = outcome.elapsed_s if state.typical_s is None else 0.8 * state.typical_s + 0.2 * outcome.elapsed_s
        state = changed(state, typical_s=typical)

    def ended(work: Work) -> Work:
        values = work.values if outcome.value is None else {**work.values, run.seed_index: outcome.value}
        attempt = Attempt(run, outcome, by_person, by_stop=state.stopped)
        return changed(work, attempts=(*work.attempts, attempt), values=values)

    return _update(state, run.experiment, ended)


def _fold_decision(state: State, event: ev.Judged | ev.Reflected | ev.Reject | ev.Approve) -> State:
    number = event.hypothesis if isinstance(event, ev.Reject | ev.Approve) else event.experiment
    work = state.works.get(number)
    if isinstance(event, ev.Reflected):
        state = changed(state, memory=state.memory.with_lesson(number, event.lesson))
        return changed(state, works={k: w for k, w in state.works.items() if k != number})
    if isinstance(event, ev.Judged):
        return _judge(state, number, event.verdict)
    if work is None or not work.waiting:
        return state
    if isinstance(event, ev.Approve):
        return _approve(state, work, event)
    sweep = None if state.sweep is not None and state.sweep.first == number else state.sweep
    state = changed(state, works={k: w for k, w in state.works.items() if k != number}, sweep=sweep)
    if event.by != "person":
        return _forget(state, work.experiment)
    before = state.before.verdict(number, state.memory)
    memory = state.memory.with_rejection(number, work.experiment.hypothesis.claim, event.reason)
    return changed(state, memory=memory, before=before, cycles=state.cycles - (work.experiment.cycle is not None))


def _approve(state: State, work: Work, event: ev.Approve) -> State:
    """What waited may run. An edit found on disk becomes the person's own hypothesis, as ``Try`` is."""
    if not work.is_offer:
        return _with_work(state, changed(work, waiting=False))
    experiment = changed(work.experiment, cycle=state.next_cycle)
    state = _with_work(state, changed(work, experiment=experiment, waiting=False))
    if event.by == "person":
        state = changed(state, finished=None, stopped=False)
    return changed(state, cycles=state.cycles + 1, next_cycle=state.next_cycle + 1)


def _meet(state: State, experiment: Experiment) -> State:
    """Remember code that the person need not be asked about again: it was offered, or tried as it is."""
    met = tuple(dict.fromkeys((*state.met, *_codes(experiment))))
    return changed(state, met=met[-SOURCES_MET:]) if met != state.met else state


def _forget(state: State, experiment: Experiment) -> State:
    """An offer that was withdrawn or replaced may be made again."""
    gone = _codes(experiment)
    return changed(state, met=tuple(code for code in state.met if code not in gone)) if gone else state


def _codes(experiment: Experiment) -> tuple[str, ...]:
    """What the person's files would hold if they were the experiment, or what it was made of."""
    own = () if experiment.source is None else (fingerprint(experiment.source),)
    return (*own, experiment.code) if experiment.code and not experiment.settings else own


def _judge(state: State, number: int, verdict: Verdict) -> State:
    work = state.work(number)
    if work is None:
        return state
    first = work.verdict is None or not work.verdict.decision.is_final
    state = _update(state, number, lambda w: changed(w, verdict=verdict, judged=len(w.attempts)))
    if work.wanted is not None:
        state = changed(state, works={k: w for k, w in state.works.items() if k != number})
    if work.experiment.measure != state.measure:
        return state
    claim, before = work.experiment.hypothesis.claim, state.before.verdict(number, state.memory)
    memory = state.memory.with_verdict(number, claim, verdict, work.is_baseline)
    state = changed(state, memory=memory, before=before)
    work = changed(work, verdict=verdict, judged=len(work.attempts))
    if work.wanted is not None:
        return state
    if first and verdict.decision.is_final:
        state = changed(state, latest=number)
    if verdict.decision is Decision.BASELINE and first:
        return changed(state, baseline=work, champion=state.champion or work)
    if verdict.decision is Decision.CONFIRMED and first:
        is_reached = state.branch is not None and work.experiment.parent == state.branch.number
        return changed(state, champion=work, since_gain=0, branch=None if is_reached else state.branch)
    if first and verdict.decision.is_final:
        return changed(state, since_gain=state.since_gain + 1)
    return state


def _open_measure(state: State) -> State:
    """A new measure: values so far are shown, never compared. Of the old one only what is live goes on to its end."""
    works = {k: w for k, w in state.works.items() if state.runs_of(k)}
    gone = [w for k, w in state.works.items() if k not in works]
    memory = state.memory.forget_measure()
    unspent = sum(w.experiment.cycle is not None and not w.attempts and w.wanted is None for w in gone)
    return changed(
        state,
        measure=state.measure + 1,
        met=(),
        works=works,
        cycles=state.cycles - unspent,
        baseline=None,
        champion=None,
        branch=None,
        since_gain=0,
        latest=None,
        sweep=None,
        memory=memory,
        before=Before(memory),
    )


def _with_work(state: State, work: Work) -> State:
    return changed(state, works={**state.works, work.number: work})


def _update(state: State, number: int, change: Callable[[Work], Work]) -> State:
    """``change`` applied wherever this experiment stands: open, as baseline, champion or branch."""
    if number in state.works:
        state = _with_work(state, change(state.works[number]))
    if state.baseline is not None and state.baseline.number == number:
        state = changed(state, baseline=change(state.baseline))
    if state.champion is not None and state.champion.number == number:
        state = changed(state, champion=change(state.champion))
    if state.branch is not None and state.branch.number == number:
        state = changed(state, branch=change(state.branch))
    return state


def _with_run(state: State, open_run: OpenRun) -> State:
    return changed(state, runs={**state.runs, open_run.run.id: open_run})
