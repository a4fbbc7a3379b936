"""Reader of metrics in what a notebook prints: takes stream chunks as they come, gives reports. Pure, no I/O.

One reader serves one stream (stdout or stderr) of a run. It keeps at most one cut line and the last numbers of a few
progress bars, whatever is printed.
"""

import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from .printed_line import LineParser, header_step
from .printed_names import Names, PrintedReport
from .printed_table import Tables

__all__ = ["PrintedReader", "PrintedReport"]

LINE_CHARS = 4096  # a line's further characters are not read
_BREAKS = re.compile("[\r\n\b]+")
_CONTROL = re.compile(r"\x1b(?:\[[0-9;?]{0,16}[@-~]|\][^\x07\x1b]{0,256}(?:\x07|\x1b\\)|[@-Z\\-_])")
_MOVE = re.compile(r"\x1b\[[0-9;]{0,16}[ABEFGHdf]")
_FORWARD = re.compile(r"\x1b\[[0-9]{0,8}C")
_BAR = re.compile(r"%\||\[[0-9:]{4,12}(?:<|, )")
_RETURNS = ("\r", "\b")
_DIGITS = re.compile("[0-9]+")
_KERAS = re.compile(r"\s{0,8}[0-9]{1,12}/(?:[0-9]{1,12}|Unknown)\s.{0,400}? - ")
_MOST_BARS, _MOST_NAMES = 32, 256


@dataclass(slots=True)
class _Bar:
    """What a progress bar last showed."""

    text: str = ""
    values: dict[str, float] = field(default_factory=dict)

    def changes(self, text: str, report: PrintedReport) -> PrintedReport | None:
        """The values that differ from the ones shown before; NaN and infinity count again with every new state."""
        if text == self.text:
            return None
        new = tuple(p for p in report.values if self.values.get(p[0]) != p[1] or not math.isfinite(p[1]))
        self.text = text
        if len(self.values) > _MOST_NAMES:
            self.values.clear()
        self.values.update(report.values)
        return PrintedReport(report.step, new) if new else None


@dataclass(slots=True)
class _Live:
    """A block of bars that rich draws again and again, with metrics below and beside the bars."""

    shown: _Bar = field(default_factory=_Bar)
    step: int | None = None

    def is_part(self, text: str) -> bool:
        """Whether a line belongs to the block: a bar, or what is drawn to the right below it."""
        return "━" in text or text.startswith(" " * 16)

    def changes(self, text: str, report: PrintedReport | None) -> PrintedReport | None:
        """The values that differ from the ones drawn before, with the step of the bar above them."""
        if report is None:
            return None
        self.step = report.step if report.step is not None else self.step
        changed = self.shown.changes(text, report)
        return None if changed is None else PrintedReport(self.step, changed.values)


class PrintedReader:
    """Reads reports out of a stream's text.

    ``wanted``: names that are metrics for certain, such as the objective's; they are found in any form, and given in
    exactly this spelling. Lines count when they end. On a line that is drawn again and again (a progress bar), only
    values that changed count, at most once a change; of Keras's running averages only the last state does.
    """

    def __init__(self, wanted: Collection[str] = ()) -> None:
        names = Names(wanted)
        self._parser = LineParser(names)
        self._tables = Tables(names)
        self._marks = tuple(dict.fromkeys(mark for name in wanted for mark in _marks(name) if mark))
        self._rest = ""
        self._cut = self._returned = False
        self._bars: dict[str, _Bar] = {}
        self._drawn = _Bar()
        self._held: PrintedReport | None = None
        self._header: int | None = None
        self._live: _Live | None = None

    def feed(self, text: str) -> list[PrintedReport]:
        """The reports in the lines and redraws that this chunk completes."""
        if self._returned:
            text, self._returned = "\r" + text, False
        if text[-1:] in _RETURNS and text:  # only the next character tells whether the line ends here or is drawn over
            text, self._returned = text.rstrip("\r\b"), True
        last = max(text.rfind("\n"), text.rfind("\r"), text.rfind("\b"))
        if last < 0:
            self._keep(text)
            return []
        found: list[PrintedReport] = []
        if self._waits or self._is_marked(text) or (self._rest and self._is_marked(self._rest + text[:LINE_CHARS])):
            for segment, ended, cut in self._segments(text[: last + 1]):
                if "=" in segment or ":" in segment or self._is_marked(segment) or self._waits:
                    found.extend(self._line(segment, ended, cut))
        self._rest, self._cut = "", False
        self._keep(text[last + 1 :])
        return found

    def close(self) -> list[PrintedReport]:
        """The reports in what is left without a line's end, at the end of a cell. The reader can be fed again."""
        found = self.feed("\n") + self._tables.close()
        self._header = self._live = None
        self._bars.clear()
        return found

    @property
    def _waits(self) -> bool:
        """Whether the next line concerns us, whatever it holds."""
        return self._held is not None or self._drawn.text != "" or self._tables.is_open

    def _is_marked(self, text: str) -> bool:
        """Whether there can be anything for us: every line read holds one of these. Cheap, for it sees all text."""
        return (
            "=" in text
            or ":" in text
            or "|" in text
            or "loss" in text
            or "poch" in text
            or "@" in text
            or "POCH" in text
            or "│" in text
            or "┃" in text
            or "\x1b" in text
            or ("  " in text and ("Loss" in text or "LOSS" in text or "recision" in text))
            or (self._marks != () and any(mark in text for mark in self._marks))
        )

    def _keep(self, text: str) -> None:
        room = LINE_CHARS - len(self._rest)
        self._cut = self._cut or len(text) > room
        if room > 0:
            self._rest += text[:room]

    def _segments(self, text: str) -> Iterator[tuple[str, bool, bool]]:
        """Each drawn text, whether its line ended (else it is drawn over), and whether it was cut."""
        first, was_cut = self._rest, self._cut
        start = 0
        for match in _BREAKS.finditer(text):
            segment = first + text[start : min(match.start(), start + LINE_CHARS + 1)]
            yield segment[:LINE_CHARS], "\n" in match[0], was_cut or len(segment) > LINE_CHARS
            first, was_cut, start = "", False, match.end()

    def _line(self, segment: str, ended: bool, cut: bool) -> list[PrintedReport]:
        text = segment
        if "\x1b" in segment:
            text = _shown(segment)
            if "\x1b[?25" in segment:  # rich hides the cursor while it draws a block of bars again and again
                self._live = _Live() if segment.rfind("\x1b[?25l") > segment.rfind("\x1b[?25h") else None
        if ("%|" in text or "[" in text) and _BAR.search(text):
            report = self._bar(text, cut)
            found = [report] if report is not None else []
        elif self._live is not None and self._live.is_part(text):
            report = self._live.changes(text, self._parser.parse(text, cut=cut))
            found = [report] if report is not None else []
        else:
            found = self._plain(text, ended, cut)
        if ended:
            if self._held is not None:
                found.insert(0, self._held)
                self._held = None
            if self._drawn.text:
                self._drawn = _Bar()
        return found

    def _bar(self, text: str, cut: bool) -> PrintedReport | None:
        # A terminal's bar is cut at the terminal's width: without its closing bracket the last number may lack digits.
        is_open = text.rfind("]") < text.rfind("[")
        row = self._tables.drawn(text) if self._tables.is_open or "mAP" in text else None
        report = row or self._parser.parse(text, cut=cut or is_open)
        label = _label(text)
        if report is None:
            if not is_open:
                self._bars.pop(label, None)
            return None
        if label not in self._bars and len(self._bars) >= _MOST_BARS:
            self._bars.clear()
        changed = self._bars.setdefault(label, _Bar()).changes(text, report)
        return None if changed is None else self._with_header(changed)

    def _plain(self, text: str, ended: bool, cut: bool) -> list[PrintedReport]:
        header = header_step(text)
        if header is not None:
            self._header = header
            return []
        found: list[PrintedReport] = []
        if ended and not cut and (self._tables.is_open or Tables.concern(text)):
            is_row, found = self._tables.take(text)
            if is_row:
                return found
        report = self._single(text, ended, cut)
        return found if report is None else [*found, report]

    def _single(self, text: str, ended: bool, cut: bool) -> PrintedReport | None:
        report = self._parser.parse(text, cut=cut)
        if report is None:
            return None
        report = self._with_header(report)
        if not _KERAS.match(text):
            return report if ended and not self._drawn.text else self._drawn.changes(text, report)
        if not ended:
            self._held = report
            return None
        self._held = self._header = None
        return report

    def _with_header(self, report: PrintedReport) -> PrintedReport:
        if report.step is not None or self._header is None:
            return report
        return PrintedReport(self._header, report.values)


def _label(text: str) -> str:
    """What names a bar while its numbers change."""
    front = text.split("%|" if "%|" in text else "[", 1)[0]
    return " ".join(_DIGITS.sub("#", front[:200]).split())[:80]


def _shown(segment: str) -> str:
    """A segment without control characters: of what the cursor's moves put at different places, the last."""
    parts = [_CONTROL.sub("", part) for part in _MOVE.split(_FORWARD.sub(" ", segment))]
    return next((part for part in reversed(parts) if part.strip()), "")


def _marks(name: str) -> tuple[str, ...]:
    """What a line holds that says a wanted name without ``=`` or ``:``, in most of the ways to write it."""
    longest = max(re.split(r"[\W_]+", name), key=len)
    return (longest[1:],) if len(longest) > 4 else (longest, longest.capitalize(), longest.upper())
