"""Which runs an experiment still needs, and what its ended ones are worth. Pure."""

from collections.abc import Iterator

from .state import Attempt, State, Work
from .types import MACHINE_FAULTS, Decision, Purpose, Run, RunState

MAX_REPAIRS = 2
MAX_ATTEMPTS = 5


def needed(state: State, work: Work) -> Iterator[Run]:
    """The runs that this work still needs, the next ones first; several may be live at once."""
    if work.experiment.measure != state.measure:
        return
    if work.wanted is not None:
        for seed in range(1, work.wanted + 1):
            if seed not in work.values:
                yield from _again(work, Purpose.REPRODUCE, seed)
    elif work.is_baseline:
        yield from _again(work, Purpose.BASELINE, 1)
    elif state.baseline is None:
        return
    elif _is_untested(state, work):
        yield from _dry_run(work)
    else:
        yield from _again(work, Purpose.CANDIDATE, 1)
        yield from _confirming(state, work)


def _confirming(state: State, work: Work) -> Iterator[Run]:
    """Once it is promising: the champion's missing seeds, then the work's own."""
    if work.verdict is None or work.verdict.decision is not Decision.PROMISING:
        return
    if state.champion is not None and state.champion.number != work.number:
        yield from missing_seeds(state, state.champion)
    for seed in range(2, state.project.trust.seeds + 1):
        yield from _again(work, Purpose.CONFIRM, seed)


def missing_seeds(state: State, rank: Work) -> Iterator[Run]:
    """Further seeds of the baseline or the champion, up to ``trust.seeds``, that are not live."""
    for seed in range(2, state.project.trust.seeds + 1):
        if seed not in rank.values:
            yield from (r for r in _again(rank, Purpose.CONFIRM, seed) if r.id not in state.runs)


def is_ready(state: State, work: Work) -> bool:
    """Whether the work's outcomes can be judged: nothing of it is live, has to run or be repaired before a verdict."""
    if work.waiting or state.runs_of(work.number):
        return False
    if work.experiment.measure != state.measure:
        return True
    is_done = next(needed(state, work), None) is None
    if work.wanted is not None:
        return is_done
    promising = work.verdict is not None and work.verdict.decision is Decision.PROMISING
    if len(work.attempts) <= work.judged:
        return promising and is_done
    if work.attempts[-1].run.purpose is Purpose.DRY_RUN:
        return not may_repair(work) and is_done
    if any(is_void(work, a) for a in _latest(work)):
        return False
    return not promising or _is_champion_measured(state)


def _is_champion_measured(state: State) -> bool:
    """Whether the champion has all the seeds that it is compared on, as far as they can be had."""
    champion = state.champion
    if champion is None:
        return True
    is_live = any(r.run.purpose is Purpose.CONFIRM for r in state.runs_of(champion.number))
    return not is_live and next(missing_seeds(state, champion), None) is None


def is_void(work: Work, attempt: Attempt) -> bool:
    """Whether an attempt says nothing of its experiment and is made again: a first loss, an end by nobody's wish.

    What a person cancelled stays cancelled; what a stop of the whole project ended is always made again.
    """
    made = work.of_seed(attempt.run.purpose, attempt.run.seed_index)
    if attempt.by_person:
        return False
    if _is_lost(attempt):
        return sum(map(_is_lost, made)) == 1
    if attempt.outcome.state is RunState.CANCELLED:
        return attempt.by_stop or sum(not a.by_stop for a in made) < MAX_ATTEMPTS
    return False


def may_repair(work: Work) -> bool:
    """Whether the last attempt is a failed dry run of code that has not been mended since, nor too often."""
    if not work.attempts or work.repairs + work.fixes >= MAX_REPAIRS:
        return False
    last = work.attempts[-1]
    failed = last.run.purpose is Purpose.DRY_RUN and last.outcome.state is not RunState.SUCCEEDED
    return failed and not _is_interrupted(last) and _tested(work) > work.repairs


def artifacts_of(work: Work | None, run: Run) -> str:
    """The run whose ``artifacts()`` folder this one goes on in: the first of the interrupted attempts before it."""
    first = run
    for attempt in reversed(work.of_seed(run.purpose, run.seed_index) if work else ()):
        if not _is_interrupted(attempt):
            break
        first = attempt.run if attempt.run.attempt < first.attempt else first
    return first.id


def _is_untested(state: State, work: Work) -> bool:
    """Whether changed code has to pass a dry run first."""
    if not state.survey.dry_run or not (work.experiment.hypothesis.edits or work.experiment.source):
        return False
    made = work.of_seed(Purpose.DRY_RUN, 1)
    return not any(a.outcome.state is RunState.SUCCEEDED for a in made)


def _dry_run(work: Work) -> Iterator[Run]:
    """The first dry run, one for an interrupted one, and one after each repair."""
    made = work.of_seed(Purpose.DRY_RUN, 1)
    if made and not _is_interrupted(made[-1]) and _tested(work) <= work.repairs:
        yield made[-1].run.again()
    else:
        yield from _again(work, Purpose.DRY_RUN, 1)


def _again(work: Work, purpose: Purpose, seed: int) -> Iterator[Run]:
    """The run of this purpose and seed, unless it has been made; a void one is made once more."""
    made = work.of_seed(purpose, seed)
    if not made:
        earlier = work.made.get(seed, 0) if purpose is Purpose.REPRODUCE else 0
        yield Run(work.number, purpose, seed, earlier + 1)
    elif is_void(work, made[-1]):
        yield made[-1].run.again()


def _latest(work: Work) -> tuple[Attempt, ...]:
    """The last attempt of every purpose and seed."""
    return tuple({(a.run.purpose, a.run.seed_index): a for a in work.attempts}.values())


def _tested(work: Work) -> int:
    """How many dry runs said something of the code."""
    return sum(not _is_interrupted(a) for a in work.of_seed(Purpose.DRY_RUN, 1))


def _is_interrupted(attempt: Attempt) -> bool:
    return _is_lost(attempt) or attempt.outcome.state is RunState.CANCELLED


def _is_lost(attempt: Attempt) -> bool:
    """Whether the run got lost, or was ended by a fault of the machine."""
    error = attempt.outcome.error
    return attempt.outcome.state is RunState.LOST or (error is not None and error.kind in MACHINE_FAULTS)
