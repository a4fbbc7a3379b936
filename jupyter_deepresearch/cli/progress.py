"""What `run` prints while it researches: one line for whatever happens, and on a terminal one live line below them."""

import shutil
import sys
import threading
import time
from types import TracebackType

from .. import text
from ..core import events as ev
from ..core.types import Decision, HypothesisKind
from ..errors import DeepResearchError
from ..service.opened import OpenedProject
from .opening import command_line

LIVE_S = 0.5
_INDENT = "    "


class Progress:
    """Prints the records of one project, from whichever thread they come. ``is_live`` draws the live line."""

    def __init__(self, project: OpenedProject, is_live: bool) -> None:
        self._project = project
        self._metric = project.state.project.objective.metric
        self._is_live = is_live
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep_live, name="live line", daemon=True)

    def __enter__(self) -> "Progress":
        if self._is_live:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        if self._is_live:
            self._thread.join()
            self._draw("")

    def show(self, project_id: str, record: ev.Record) -> None:
        """Print one record, if it says anything to a person. Given to ``Service.announce``."""
        line = self._line(record.event)
        if line is None:
            return
        at = time.strftime("%H:%M:%S", time.localtime(record.at))
        with self._lock:
            before = "\r\x1b[K" if self._is_live else ""
            print(f"{before}{at}  {line}", flush=True)

    def _line(self, event: ev.Event) -> str | None:
        match event:
            case ev.Proposed() | ev.Try() | ev.Repaired():
                return self._hypothesis(event)
            case ev.Ended() | ev.Judged() | ev.Reflected():
                return self._result(event)
            case ev.Approve(hypothesis=number, by=by):
                return f"#{number} approved{' because nobody answered in time' if by == 'timeout' else ''}"
            case ev.Reject(hypothesis=number, reason=reason, by=by):
                word = "withdrawn" if by == "files" else "rejected"
                return f"#{number} {word}{f': {text.one_line(reason, 200)}' if reason else ''}"
            case ev.EditHypothesis(experiment=experiment):
                return f"#{experiment.number} edited: {text.one_line(experiment.hypothesis.claim, 200)}"
            case ev.Reproduce(experiment=experiment, seeds=seeds):
                return f"#{experiment.number} gets {seeds} further seed(s)"
            case ev.Announced(text=said):
                return f"note: {text.one_line(said, 300)}"
            case _:
                return _course(event)

    def _hypothesis(self, event: ev.Proposed | ev.Try | ev.Repaired) -> str:
        experiment, number = event.experiment, event.experiment.number
        claim = text.one_line(experiment.hypothesis.claim, 200)
        if isinstance(event, ev.Repaired):
            return f"{_INDENT}#{number} mended: {claim}"
        if experiment.hypothesis.kind is HypothesisKind.BASELINE:
            return f"#{number} {claim}"
        whose = " (yours)" if isinstance(event, ev.Try) else ""
        cycle = "" if experiment.cycle is None else f"cycle {experiment.cycle}: "
        line = f"{cycle}#{number}{whose} {claim}"
        work = self._project.state.works.get(number)
        if work is not None and work.waiting:
            line += f"\n{' ' * 10}waits for you: {command_line('approve', self._project.folder, str(number))}"
        return line

    def _result(self, event: ev.Ended | ev.Judged | ev.Reflected) -> str | None:
        match event:
            case ev.Ended(outcome=outcome):
                parts = [outcome.state.value.replace("_", " "), f"after {text.seconds_text(outcome.elapsed_s)}"]
                if outcome.value is not None:
                    parts.insert(1, f"{text.one_line(self._metric, 40)} {text.number_text(outcome.value)}")
                if outcome.error is not None:
                    parts.append(text.one_line(outcome.error.line, 200))
                return f"{_INDENT}run {outcome.run}: {', '.join(parts)}"
            case ev.Judged(experiment=number, verdict=verdict):
                more = "; further seeds decide" if verdict.decision is Decision.PROMISING else ""
                said = f"{verdict.decision.value.upper()}: {text.one_line(verdict.reason, 200)}"
                return f"{_INDENT}#{number} {said}{more}"
            case ev.Reflected(lesson=lesson):
                return f"{_INDENT}learnt: {text.one_line(lesson.text, 300)}" if lesson.text else None

    # The live line

    def _keep_live(self) -> None:
        while not self._end.wait(LIVE_S):
            try:
                line = _live_line(self._project)
            except DeepResearchError as error:  # the loop meets it too, and ends by it or waits it out
                line = str(error)
            self._draw(line)

    def _draw(self, line: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        with self._lock:
            sys.stdout.write(f"\r\x1b[K{text.one_line(line, width)}")
            sys.stdout.flush()


def _live_line(project: OpenedProject) -> str:
    view = project.status()
    latest = next((run.latest for run in view.running if run.latest is not None), None)
    values = ""
    if latest is not None:
        values = ", ".join(f"{name} {text.number_text(v)}" for name, v in list(latest.values.items())[:2])
    return "  ".join(filter(None, [values, view.reason]))  # what changes most first: a terminal may be narrow


def _course(event: ev.Event) -> str | None:
    """What happens to the whole project."""
    match event:
        case ev.Pause():
            return "paused by you: live runs finish"
        case ev.Resume():
            return "resumed"
        case ev.Stop():
            return "stopped by you: live runs are cancelled"
        case ev.Directive(text=said):
            return f"directive: {text.one_line(said, 200)}"
        case ev.Configure():
            return "the configuration changed"
        case ev.Sourced(new_measure=is_new, sentence=sentence):
            plain = "the notebook changed" + (": a new measure, values so far are not compared" if is_new else "")
            return text.one_line(sentence, 300) or plain
        case ev.Briefed():
            return "the brief changed"
        case ev.Noted():
            return "your lines in MEMORY_LOG.md were taken in"
        case ev.Cancel(run=run):
            return f"{_INDENT}run {run}: being cancelled"
        case ev.Finished(sentence=sentence):
            return f"finished: {text.one_line(sentence, 300)}"
        case ev.Failed(sentence=sentence):
            return f"failed: {text.one_line(sentence, 300)}"
        case _:
            return None
