"""Reader of metrics in what a notebook prints: takes stream chunks as they come, gives reports. Pure, no I/O.

One reader serves one stream (stdout or stderr) of a run. It keeps at most one cut line and the last numbers of a few
progress bars, whatever is printed.
"""

import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from .printed_line import LineParser, PrintedReport, header_step

__all__ = ["PrintedReader", "PrintedReport"]

LINE_CHARS = 4096  # a line's further characters are not read
_BREAKS = re.compile("[\r\n\b]+")
_CONTROL = re.compile(r"\x1b(?:\[[0-9;?]{0,16}[@-~]|\][^\x07\x1b]{0,256}(?:\x07|\x1b\\)|[@-Z\\-_])")
_BAR = re.compile(r"%\||\[[0-9:]{4,12}(?:<|, )")
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


class PrintedReader:
    """Reads reports out of a stream's text.

    ``wanted``: names that are metrics for certain, such as the objective's; they are found in any form, and given in
    exactly this spelling. Lines count when they end. On a line that is drawn again and again (a progress bar), only
    values that changed count, at most once a change; of Keras's running averages only the last state does.
    """

    def __init__(self, wanted: Collection[str] = ()) -> None:
        self._parser = LineParser(wanted)
        self._rest = ""
        self._cut = False
        self._bars: dict[str, _Bar] = {}
        self._drawn = _Bar()
        self._held: PrintedReport | None = None
        self._header: int | None = None

    def feed(self, text: str) -> list[PrintedReport]:
        """The reports in the lines and redraws that this chunk completes."""
        last = max(text.rfind("\n"), text.rfind("\r"), text.rfind("\b"))
        if last < 0:
            self._keep(text)
            return []
        found: list[PrintedReport] = []
        if self._held is not None or self._drawn.text or _is_marked(self._rest) or _is_marked(text):
            for segment, ended, cut in self._segments(text[: last + 1]):
                found.extend(self._line(segment, ended, cut))
        self._rest, self._cut = "", False
        self._keep(text[last + 1 :])
        return found

    def close(self) -> list[PrintedReport]:
        """The reports in what is left without a line's end, at the end of a cell. The reader can be fed again."""
        found = self.feed("\n")
        self._header = None
        self._bars.clear()
        return found

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
        report = None
        if _is_marked(segment):
            text = _CONTROL.sub("", segment) if "\x1b" in segment else segment
            is_bar = ("%|" in text or "[" in text) and _BAR.search(text)
            report = self._bar(text, cut) if is_bar else self._plain(text, ended, cut)
        found = [report] if report is not None else []
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
        report = self._parser.parse(text, cut=cut or is_open)
        label = _label(text)
        if report is None:
            if not is_open:
                self._bars.pop(label, None)
            return None
        if label not in self._bars and len(self._bars) >= _MOST_BARS:
            self._bars.clear()
        changed = self._bars.setdefault(label, _Bar()).changes(text, report)
        return None if changed is None else self._with_header(changed)

    def _plain(self, text: str, ended: bool, cut: bool) -> PrintedReport | None:
        header = header_step(text)
        if header is not None:
            self._header = header
            return None
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
    return " ".join(_DIGITS.sub("#", front[:80]).split())


def _is_marked(text: str) -> bool:
    """Whether there can be anything for us: every line that we read holds one of these. Cheap, for it sees all text."""
    return "=" in text or ":" in text or "|" in text or "@" in text or "poch" in text or "POCH" in text
