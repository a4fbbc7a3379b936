"""Tables in printed text: columns under a header, and boxes of names and values as RL libraries and rich print them."""

import re

from .printed_cells import MOST_COLUMNS, Cell, Header, by_blanks, by_commas, by_words, count, number, step_rank
from .printed_names import Names, PrintedReport

_BARS = "|│┃║"
_RULE = re.compile(r"[\s\-=+|:┏┳┓┡╇┩├┼┤└┴┘┌┬┐╭╮╰╯╒╤╕╞╪╡╘╧╛━─═┗┻┛┠╂┨┣╋┫╔╦╗╠╬╣╚╩╝╟╫╢]+")
_TOP = "┏┌╭╒╔"
_CELLS = re.compile(f"[{_BARS}]")
_COLUMN_NAME = re.compile(r"#|[^\W\d][\w@/.\-'%#:()]{0,59}(?: \w[\w@/.\-'%]{0,39}){0,3}")
_LINE_CHARS = 1000  # longer lines are no tables for us
_MOST_PAIRS = 256  # of one box
_PATIENCE = 8  # so many other lines may stand between two rows


class Tables:
    """Follows the tables of one stream. Lines come without control characters; ``None`` is not a table's line."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._header: Header | None = None
        self._split = by_blanks
        self._patience = 0
        self._box = _Box(names)

    @property
    def is_open(self) -> bool:
        """Whether the next lines may be rows, whatever they hold."""
        return self._header is not None or self._box.is_open

    @staticmethod
    def concern(line: str) -> bool:
        """Whether a line can be a table's at all. Cheap, for it sees every line that may report."""
        if ":" not in line and "=" not in line:
            return True
        return ("|" in line or "│" in line or "┃" in line) and line.lstrip()[:1] in _BARS

    def take(self, line: str) -> tuple[bool, list[PrintedReport]]:
        """Whether the line is a table's, and what is reported with it: a row, or a box that has ended."""
        if len(line) > _LINE_CHARS:
            return False, self.close()
        stripped = line.strip()
        if stripped[:1] in _BARS and stripped[-1:] in _BARS and len(stripped) > 1:
            return _one(self._box.row(stripped))
        ended = []
        if self._box.is_open:
            report = self._box.end(stripped)
            ended = [report] if report is not None else []
        elif stripped and stripped[0] in _TOP:
            self._box.start()
        is_row, rows = _one(self._columns(line))
        return is_row, ended + rows

    def drawn(self, line: str) -> PrintedReport | None:
        """What a progress bar with a row before its ``:`` reports, as detection libraries draw them."""
        front, sign, _ = line.partition(":")
        if not sign or len(front) > _LINE_CHARS or not (self._header is not None or "mAP" in front):
            return None
        return self._columns(front)[1]

    def close(self) -> list[PrintedReport]:
        """What the box that is still open reports; forgets the header."""
        self._header = None
        report = self._box.end("")
        return [report] if report is not None else []

    def _columns(self, line: str) -> tuple[bool, PrintedReport | None]:
        if self._header is not None:
            cells = self._split(line)
            report = self._header.row(cells)
            if report is not None or self._header.is_like(cells):
                self._patience = _PATIENCE
                return True, report
            if _RULE.fullmatch(line):
                return True, None
            self._patience -= 1
            if self._patience <= 0:
                self._header = None
        return not (":" in line or "=" in line or "|" in line) and self._opened(line), None

    def _opened(self, line: str) -> bool:
        for split in (by_blanks, by_commas, by_words):
            cells = split(line)
            if not 2 <= len(cells) <= MOST_COLUMNS or not all(_COLUMN_NAME.fullmatch(cell.text) for cell in cells):
                continue
            header = Header(cells, self._names, placed=split is not by_commas)
            if _is_table(header, step_rank(cells[0].text) > 0, strict=split is not by_blanks):
                self._header, self._split, self._patience = header, split, _PATIENCE
                return True
        return False


def _one(found: tuple[bool, PrintedReport | None]) -> tuple[bool, list[PrintedReport]]:
    return found[0], [found[1]] if found[1] is not None else []


def _is_table(header: Header, steps_first: bool, *, strict: bool) -> bool:
    """Whether these columns are a log's. Of tables without a step column at least three in four must be metrics."""
    if header.counts:
        return header.metrics > 0 and (steps_first or not strict)
    return not strict and len(header) > 2 and (header.metrics * 4 >= len(header) * 3 or header.detects)


class _Box:
    """The rows between bars: names and values, or columns under a header."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._header: Header | None = None
        self._group = ""
        self._pairs: list[tuple[str, str]] = []
        self._is_log = False
        self.is_open = False

    def start(self) -> None:
        """A box begins."""
        self._header, self._group, self._pairs, self._is_log = None, "", [], False

    def row(self, line: str) -> tuple[bool, PrintedReport | None]:
        """Take a row; whether it is one, and what it reports by itself."""
        cells = [Cell(part.strip(), 0, 0) for part in _CELLS.split(line)[1:-1]]
        if not 2 <= len(cells) <= MOST_COLUMNS:
            return False, None
        if len(cells) > 2 and self._header is not None and self._header.is_dull and len(cells) == len(self._header):
            return True, None
        if all(_RULE.fullmatch(cell.text) for cell in cells if cell.text):  # markdown's line below the header
            return True, None
        first, second = cells[0].text, cells[1].text
        if len(cells) == 2 and self._is_pair(first, second):
            self._take(first, second)
            self.is_open = True
            return True, None
        if self._header is not None:
            report = self._header.row(cells)
            if report is not None:
                return True, report
        if all(not cell.text or _COLUMN_NAME.fullmatch(cell.text) for cell in cells):
            self._header = Header(cells, self._names, placed=False)
            self.is_open = True
            return True, None
        return False, None

    def _is_pair(self, first: str, second: str) -> bool:
        """Whether the two cells are a group's name, or a name and its value."""
        if not first[:1].isalpha() or len(first) > 80:
            return False
        if self._header is not None and (self._header.counts or self._header.metrics):
            return False
        return (not second and first.endswith("/")) or number(second) is not None

    def _take(self, name: str, value: str) -> None:
        if not value:
            self._group, self._is_log = name, True
            return
        if len(self._pairs) < _MOST_PAIRS:
            self._pairs.append((self._group + name if not name.startswith(self._group) else name, value))

    def end(self, line: str) -> PrintedReport | None:
        """What the pairs so far report, as a line that is no row comes."""
        report = self._report() if self._pairs else None
        self._pairs, self._group, self._is_log = [], "", False
        if not _RULE.fullmatch(line):
            self._header, self.is_open = None, False
        return report

    def _report(self) -> PrintedReport | None:
        step, best = None, 0
        values = []
        for text, cell in self._pairs:
            rank, name, value = step_rank(text), self._names.cell(text), number(cell)
            if rank and count(cell) is not None:
                step, best = (count(cell), rank) if rank > best else (step, best)
            elif name is not None and value is not None and (name.wanted or not name.denied):
                values.append((name, value))
        is_log = self._is_log or step is not None or self._header is not None
        kept = tuple((n.text, v) for n, v in values if is_log or n.wanted or n.metric)
        return PrintedReport(step, kept) if kept else None
