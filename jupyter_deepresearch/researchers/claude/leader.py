"""What the leader is shown when it plans: bounded parts, what changes least first. Pure."""

from collections.abc import Iterator, Sequence

from ...core.notes import one_line, shortened
from ...core.project import Objective
from ...core.research import Instruction, Seen, Standing
from ...core.types import seed_name
from ..directive import NEVER_SEARCHED
from .blocks import block, quoted
from .digest import DIGEST_CHARS, number, plain, standing_line, values_line
from .showing import overview

PLAN_CHARS = 11_000
"""What the leader is shown is never longer, its job and its tools not counted."""

_BRIEF_CHARS = 3000
_MEMORY_CHARS = 2000
_NOTES_CHARS = 300
_PARAMETERS_CHARS = 700
_PLACES_CHARS = 900
_ROOM_CHARS = 3600
"""For code, memory and the latest outcome together: what a young project's memory leaves of it shows its code."""
_DIRECTIVES_CHARS = 2000
_DIRECTIVE_CHARS = 1500
_OLD_DIRECTIVE_CHARS = 300
_WAITING_CHARS = 280
_LINE_CHARS = 300


def plan_text(seen: Seen, notes: Sequence[str], outcome: str) -> str:
    """All that the leader sees; ``notes`` are the names of the person's, ``outcome`` is what came of the latest."""
    return "\n\n".join(part for part in _parts(seen, notes, outcome) if part)


def _parts(seen: Seen, notes: Sequence[str], outcome: str) -> Iterator[str]:
    memory, course = shortened(seen.memory, _MEMORY_CHARS), quoted("\n".join(_course(seen)))
    room = _ROOM_CHARS - len(memory) - len(shortened(outcome, DIGEST_CHARS)) - len(course)
    code = overview(seen.evidence.pieces(None), _PLACES_CHARS, room)
    yield objective_line(seen.objective)
    yield block("brief", seen.brief, _BRIEF_CHARS) if seen.brief.strip() else ""
    yield f"Notes, which a colleague can read (idea): {_names(notes, _NOTES_CHARS)}" if notes else ""
    yield block("code", code, max(room, _PLACES_CHARS))
    yield block("parameters", _parameters(seen), _PARAMETERS_CHARS)
    yield block("memory", memory, _MEMORY_CHARS)
    yield block("latest_outcome", outcome, DIGEST_CHARS) if outcome else ""
    yield course
    yield directives_text(seen.directives)
    yield "What is tried next?"


def objective_line(objective: Objective) -> str:
    """What the project is about."""
    line = f"Objective: {objective.direction.value} {one_line(objective.metric, 80)}"
    if objective.target is not None:
        line += f"; target {number(objective.target)}"
    if objective.min_delta:
        line += f"; a gain below {number(objective.min_delta)} does not count"
    if objective.constraints:
        line += f"; keeping {', '.join(one_line(str(c), 60) for c in objective.constraints)}"
    return shortened(quoted(line), _LINE_CHARS)


def _parameters(seen: Seen) -> str:
    """Values in force; those that a sweep may search first, with their ranges."""
    values = {**seen.survey.parameters, **(seen.base.parameters if seen.base else {})}
    space = {d.name: d for d in seen.survey.space}
    searched = [f"{one_line(n, 40)} = {plain(values.get(n))}  (sweep {_range(str(d))})" for n, d in space.items()]
    others = [f"{one_line(n, 40)} = {plain(v)}" for n, v in values.items() if n not in space and _is_free(n)]
    seed = seed_name(values)
    kept: list[str] = []
    left = _PARAMETERS_CHARS - 120
    for line in [*searched, *others]:
        if len(line) < left:
            kept.append(line)
            left -= len(line) + 1
    rest = len(searched) + len(others) - len(kept)
    more = [f"and {rest} more"] if rest else []
    fixed = [f"{one_line(seed, 40)} is set by code for each run"] if seed else []
    return "\n".join([*kept, *more, *fixed])


def _range(dimension: str) -> str:
    return one_line(dimension.split(": ", 1)[-1], 60)


def _is_free(name: str) -> bool:
    return name.lower() not in NEVER_SEARCHED


def _course(seen: Seen) -> Iterator[str]:
    """Where the project stands."""
    if seen.champion is not None:
        yield shortened(standing_line("Champion", seen.champion, seen.objective), _LINE_CHARS)
    if seen.baseline is not None and (seen.champion is None or seen.champion.experiment != seen.baseline.experiment):
        yield shortened(standing_line("Baseline", seen.baseline, seen.objective), _LINE_CHARS)
    if seen.branch is not None:
        yield shortened(grown_line(seen.branch, seen.objective), _LINE_CHARS)
    if seen.waiting:
        waiting = "; ".join(shortened(values_line(w), 120) for w in seen.waiting[-2:])
        yield shortened(f"Proposed and not judged yet: {len(seen.waiting)}, the last with {waiting}", _WAITING_CHARS)
    yield f"Cycles without a confirmed gain: {seen.since_gain}."


def grown_line(branch: Standing, objective: Objective) -> str:
    """That the person wants hypotheses to grow from an experiment which is not the champion, and what it came to."""
    what = f"{number(branch.value)} {one_line(objective.metric, 40)}, {one_line(branch.claim, 120)}"
    return f"Grow from experiment {branch.experiment}, as the person asked: code and parameters above are its ({what})."


def directives_text(directives: Sequence[Instruction]) -> str:
    """What the person directs, oldest first; where it does not all fit, the oldest go."""
    kept: list[str] = []
    left = _DIRECTIVES_CHARS
    for instruction in reversed(directives):
        most = _DIRECTIVE_CHARS if instruction.fresh else _OLD_DIRECTIVE_CHARS
        mark = "NEW: " if instruction.fresh else "still in force: "
        line = f"- {mark}{one_line(instruction.text, most)}"
        if len(line) > left:
            break
        kept.append(line)
        left -= len(line) + 1
    if not kept:
        return ""
    is_new = any(i.fresh for i in directives)
    urge = "follow what is NEW with this plan" if is_new else "plan within what they say"
    head = f"The person directs, above everything else; {urge}:"
    return f"{head}\n{block('directives', chr(10).join(reversed(kept)), _DIRECTIVES_CHARS)}"


def _names(names: Sequence[str], chars: int) -> str:
    return shortened(", ".join(one_line(name, 60) for name in names), chars)
