"""Cells of printed tables: columns by blanks, by bars or by commas; numbers; a header with rows below it."""

import re
from dataclasses import dataclass

from .printed_names import Name, Names, PrintedReport

_CELL = re.compile(r"\S+(?: \S+)*")
_WORDS = re.compile(r"\S+")
_NUMBER = re.compile(
    r"\*{0,2}([-+]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,4})?|[-+]?(?:nan|inf))"
    r"(?: ?%)?(?: ?(?:±|\+/-) ?[0-9.e+-]{1,20} ?%?)?\*{0,2}",
    re.IGNORECASE,
)
_COUNT = re.compile(r"([0-9]{1,15})(?: ?/ ?[0-9]{1,15})?")
_STEPS = {"#": 3, "global_step": 3, "total_timesteps": 3, "step": 3, "steps": 3, "iter": 2, "iteration": 2, "it": 2}
_STEPS |= {"round": 2, "update": 2, "epoch": 1, "ep": 1, "epochs": 1, "e": 1}
MOST_COLUMNS = 48


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's text and where it stands in the line."""

    text: str
    start: int
    end: int


def by_blanks(line: str) -> list[Cell]:
    """The cells of a line whose columns are two blanks, or a tab, apart."""
    return [Cell(found[0], found.start(), found.end()) for found in _CELL.finditer(line.expandtabs())]


def by_words(line: str) -> list[Cell]:
    """The cells of a line whose columns are of one word each."""
    return [Cell(found[0], found.start(), found.end()) for found in _WORDS.finditer(line.expandtabs())]


def by_commas(line: str) -> list[Cell]:
    """The cells of a line of comma-separated values; none of them is placed."""
    return [Cell(part.strip(), 0, 0) for part in line.split(",")]


def number(text: str) -> float | None:
    """A cell's number: ``0.5``, ``1e-3``, ``91.2 %``, ``0.5 ± 0.1``; None for anything else."""
    found = _NUMBER.fullmatch(text)
    return float(found[1]) if found else None


def count(text: str) -> int | None:
    """A step's number: ``3`` or ``3/10``."""
    found = _COUNT.fullmatch(text)
    return int(found[1]) if found else None


def step_rank(name: str) -> int:
    """How well a column or row of this name tells the step; 0 for no step at all."""
    return _STEPS.get(name.rpartition("/")[2].lower(), 0)


class Header:
    """The names of a table's columns. ``ends``: where each cell of the header ends, None where that says nothing."""

    def __init__(self, cells: list[Cell], names: Names, *, placed: bool) -> None:
        self._ends = {cell.end: index for index, cell in enumerate(cells)} if placed else {}
        texts = [cell.text.strip("()").rpartition("(")[2] for cell in cells]  # "Box(P          R      mAP50  mAP50-95)"
        self._columns = [None if step_rank(text) else names.cell(text) for text in texts]
        ranks = [step_rank(cell.text) for cell in cells]
        self._step = ranks.index(max(ranks)) if any(ranks) else None
        self._names = names
        self.is_dull = self._step is None and self.metrics == 0

    @property
    def counts(self) -> bool:
        """Whether a column tells the step."""
        return self._step is not None

    @property
    def metrics(self) -> int:
        """How many columns are metrics."""
        return sum(1 for name in self._columns if name is not None and _is_metric(name))

    @property
    def detects(self) -> bool:
        """Whether a column is a detector's mean average precision."""
        return any(name is not None and name.text.startswith("mAP") for name in self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def is_like(self, cells: list[Cell]) -> bool:
        """Whether this looks like a row that reports nothing, such as a numbered one among named ones."""
        return 0 <= len(cells) - len(self) <= 1 and number(cells[-1].text) is not None

    def row(self, cells: list[Cell]) -> PrintedReport | None:
        """What a row reports; None for a row of another table."""
        if self._step is not None:
            return self._counted(cells, self._step)
        label = self._label(cells)
        return None if label is None else self._labelled(label, cells[1:])

    def _counted(self, cells: list[Cell], step_column: int) -> PrintedReport | None:
        placed = self._placed(cells)
        if placed is None or step_column not in placed:
            return None
        step = count(placed[step_column])
        if step is None:
            return None
        values = []
        for column, text in placed.items():
            name, value = self._columns[column], number(text)
            if name is not None and value is not None and (name.wanted or not name.denied):
                values.append((name.text, value))
        return PrintedReport(step, tuple(values)) if values else None

    def _placed(self, cells: list[Cell]) -> dict[int, str] | None:
        """Each cell under its column: by order where none is empty, else by where the (right-aligned) cells end."""
        if len(cells) == len(self._columns):
            return {index: cell.text for index, cell in enumerate(cells)}
        if len(cells) > len(self._columns) or not all(cell.end in self._ends for cell in cells):
            return None
        return {self._ends[cell.end]: cell.text for cell in cells}

    def _label(self, cells: list[Cell]) -> str | None:
        """The row's name in a table of results, such as ``macro avg`` or a model's; None for a numbered row."""
        first = cells[0].text if cells else ""
        is_named = first[:1].isalpha() and len(first) < 60 and len(cells) > 1
        return first if is_named else None

    def _labelled(self, label: str, cells: list[Cell]) -> PrintedReport | None:
        columns = self._columns[1:] if len(cells) + 1 == len(self) else self._columns
        own = self._names.cell(label)
        if own is not None and len(cells) < len(columns):  # "accuracy      0.99   400" in a classification report
            value = number(cells[0].text)
            return PrintedReport(None, ((own.text, value),)) if _is_metric(own) and value is not None else None
        if len(cells) != len(columns):
            return None
        values = []
        for name, cell in zip(columns, cells, strict=True):
            value = number(cell.text)
            if name is not None and value is not None and _is_metric(name):
                full = None if label == "all" else self._names.cell(f"{label} {name.text}")  # detectors: all classes
                values.append(((full or name).text, value))
        return PrintedReport(None, tuple(values)) if values else None


def _is_metric(name: Name) -> bool:
    return name.wanted or (name.metric and not name.denied)
