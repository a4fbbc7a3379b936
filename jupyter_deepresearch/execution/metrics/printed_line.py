"""Which numbers one printed line reports: ``name=value`` and ``name: value`` as libraries and people print them.

Every pattern is bounded (no nested or unbounded repetition before a failing part), so time is linear in the line.
"""

import json
import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice

from . import printed_words as words

_NAMES_KEPT = 4096
_PAIRS = 64  # numbers taken of one line at most; more is a table or a dump, not a report
_NUMBER = r"[-+]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,4})?|[-+]?(?i:nan|inf(?:inity)?)"
_PAIR = re.compile(
    rf"""
    (?P<separator> [ \t:=] (?<![ \t:=][ \t:=]) [ \t:=]{{0,47}} ) (?= ["'0-9.+\-nNiItaf] )
    (?: (?:torch\.)? (?:tensor|array|(?:np\.|numpy\.)?float[0-9]{{0,2}}) \( )?    # tensor(0.5), np.float64(0.5)
    ["']? (?P<number> {_NUMBER} ) (?P<of> /[0-9]{{1,15}} [ ]? \( (?P<share> [0-9.]{{1,10}} ) [ ]? %\) )?
    (?! [\w/] | \.\w | :\w | ,[0-9] | -\w )         # 12ms, 3/10, 2.1.0, 12:00, 1,000, 2026-11
    (?! [ ]?%[ ]?\| | [ ]?\*[ ]?\w )                # a progress bar's percentage; a product in source code
    (?! [ ] (?: {words.UNITS} ) (?: / | \b (?! [ ]?[=:] | [ ]\[?[0-9] ) ) )   # 0.5 s, but not "0.5 step 3"
    (?P<percent> [ ]?% )?
    """,
    re.VERBOSE,
)
_STEP = re.compile(
    r"(?<![\w/])(?<!best )(?P<unit>global[_ ]?step|epoch|ep|step|iteration|iters?|round|update)\b['\"]?[ \t]{0,8}[:=#]?"
    r"[ \t]{0,8}\[?[ \t]{0,8}(?P<step>[0-9]{1,15})(?P<total>[ ]?(?:/|of[ ])[ ]?[0-9]{1,15})?(?![\w'\"]|\.[0-9]|:[0-9])",
    re.IGNORECASE,
)
_LEADING_STEP = re.compile(r"\s{0,40}(?:\[([0-9]{1,15})\](?=\s)|([0-9]{1,15}):(?=\s)|Train: ([0-9]{1,15}) \[)")
_HEADER = re.compile(r"\W{0,40}epoch\W{0,4}([0-9]{1,15})(?:[ ]?(?:/|of)[ ]?[0-9]{1,15})?\W{0,4096}", re.IGNORECASE)
_BREAK = re.compile(r"[,;|()\[\]{}<>\t→│:\"]")
_WORD = re.compile(r"[^\W\d][\w@/.\-'+%]{0,79}")
_AFTER_NUMBER = frozenset(" \t,;:|)]}'\"")
_SPLIT = re.compile(r"\b(train|training|valid|val|validation|test|eval|evaluation|dev)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PrintedReport:
    """Numbers read in one printed line: names as printed, their blanks as ``_``; None for a line without a step."""

    step: int | None
    values: tuple[tuple[str, float], ...]


@dataclass(slots=True)
class _Name:
    text: str
    wanted: bool
    metric: bool
    denied: bool


@dataclass(slots=True)
class _Pair:
    name: _Name
    value: float
    whole: bool  # printed as a whole number, which most often counts something
    start: int


def header_step(text: str) -> int | None:
    """The epoch of a line that says nothing else, such as ``Epoch 3/10``."""
    match = _HEADER.fullmatch(text) if "poch" in text or "POCH" in text else None
    return int(match[1]) if match else None


class LineParser:
    """Reads one line at a time. ``wanted``: metrics for certain (the objective) in any case, with blanks or hyphens."""

    def __init__(self, wanted: Collection[str] = ()) -> None:
        self._wanted = {_form(name): name for name in wanted}
        self._found: dict[tuple[str, bool], _Name | None] = {}  # lines repeat their names: 3 us saved at each number

    def parse(self, text: str, *, cut: bool = False) -> PrintedReport | None:
        """The report in a line without control characters, or None. In a ``cut`` line a number counts if it has an end.

        Percentages count as written: ``95.2%`` is 95.2. Whole numbers count only beside a step, in dicts and bars, or
        under the name of a known metric; anything counts under a wanted name.
        """
        text = text.rstrip()
        stripped = text.lstrip()
        if stripped.startswith(words.FOREIGN_LINES):
            return None
        pairs = self._json_pairs(stripped) if stripped.startswith('{"') and stripped.endswith("}") else None
        if pairs is None:
            pairs = self._pairs(text, cut)
        if not pairs:
            return None
        step = _step(text)
        structured = stripped.startswith(("{", "[{")) or "%|" in text or "it/s" in text or "s/it" in text
        kept = _kept(pairs, steady=structured or step is not None, needs_word=stripped.startswith('"'))
        if not kept or (step is None and _is_configuration(kept)):
            return None
        return PrintedReport(step, _values(kept, text))

    def _pairs(self, text: str, cut: bool) -> list[_Pair]:
        pairs = []
        region_start = 0
        for match in islice(_PAIR.finditer(text), _PAIRS):
            start = match.start()
            before, region_start = text[region_start:start], match.end()
            separator, number, share, percent = match.group("separator", "number", "share", "percent")
            sign = separator.strip()
            if len(sign) > 1 or (cut and text[region_start : region_start + 1] not in _AFTER_NUMBER):
                continue
            name = self._name(before, not sign or separator == "=")
            if name is None or not (sign or name.metric or name.wanted) or ("(" in text and _in_call(text, start)):
                continue
            value = _float(share or number)
            if value is not None:
                pairs.append(_Pair(name, value, not share and not percent and number.lstrip("+-").isdigit(), start))
        return pairs

    def _name(self, before: str, tight: bool) -> _Name | None:
        key = (before[-120:], tight)
        if key not in self._found:
            if len(self._found) >= _NAMES_KEPT:
                self._found.clear()
            text = _name_before(*key)
            self._found[key] = self._judged(text) if text else None
        return self._found[key]

    def _judged(self, text: str) -> _Name:
        form = _form(text)
        text = self._wanted.get(form, text)
        return _Name(text, form in self._wanted, words.is_metric(text), words.is_denied(text))

    def _json_pairs(self, text: str) -> list[_Pair] | None:
        try:
            decoded = json.loads(text)
        except (ValueError, RecursionError):
            return None
        numbers = [("_".join(name.split()), value) for name, value in islice(_flat(decoded, ""), _PAIRS)]
        return [_Pair(self._judged(name), float(value), isinstance(value, int), 0) for name, value in numbers]


def _name_before(before: str, tight: bool) -> str | None:
    """The metric's name at the end of the text before a number; ``tight``: of one word and its qualifiers."""
    before = before.rstrip().removesuffix("(%)").rstrip()
    if before.endswith(("'", '"')):
        opening = before.rfind(before[-1], 0, -1)
        quoted = before[opening + 1 : -1]
        return "_".join(quoted.split()) if opening >= 0 and _WORD.match(quoted) else None
    found: list[str] = []
    phrase = _BREAK.split(before)[-1].split()
    while phrase and not tight and phrase[-1].lower() in words.STOP_WORDS:  # "accuracy so far is: 0.9"
        phrase.pop()
    for word in reversed(phrase):
        if not _WORD.fullmatch(word):
            break
        lower = word.lower()
        if found and (lower in words.STOP_WORDS or (tight and lower.rstrip(".") not in words.QUALIFIERS)):
            break
        found.append(word.rstrip(".'"))
    if len(found) > 4:  # prose: its last word only
        found = found[:1]
    return "_".join(reversed(found)) or None


def _in_call(text: str, at: int) -> bool:
    """Whether the position is inside ``Name( ... )``: arguments and hyper-parameters of an object's repr."""
    opening = text.rfind("(", 0, at)
    if opening < 1 or opening < text.rfind(")", 0, at):
        return False
    return text[opening - 1].isalnum() or text[opening - 1] == "_"


def _float(number: str) -> float | None:
    try:
        return float(number)
    except ValueError:  # a share such as 9.9.9
        return None


def _flat(node: object, name: str, depth: int = 0) -> Iterator[tuple[str, float]]:
    if isinstance(node, dict) and depth < 4:
        for key, child in node.items():
            yield from _flat(child, f"{name}/{key}" if name else str(key), depth + 1)
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield name, node if abs(node) < 2**53 or isinstance(node, float) else math.inf
    elif isinstance(node, str) and len(node) < 100 and re.fullmatch(_NUMBER, node):
        yield name, float(node)


def _kept(pairs: list[_Pair], *, steady: bool, needs_word: bool) -> list[_Pair]:
    kept = []
    for pair in pairs:
        name = pair.name
        plain = not needs_word and (not pair.whole or (steady and name.text.lower() not in words.QUALIFIERS))
        if name.wanted or (not name.denied and (plain or name.metric)):
            kept.append(pair)
    return kept


def _is_configuration(pairs: list[_Pair]) -> bool:
    """Whether a line without a step shows hyper-parameters: one is named, and no metric."""
    if any(pair.name.wanted or pair.name.metric for pair in pairs):
        return False
    return any(pair.name.text.lower() in words.HYPER_PARAMETERS for pair in pairs)


def _values(pairs: list[_Pair], text: str) -> tuple[tuple[str, float], ...]:
    """Values by name. A name printed twice gets the train, val or test before it as a prefix; else the first counts."""
    values = {pair.name.text: pair.value for pair in reversed(pairs)}
    if len(values) == len(pairs):
        return tuple((pair.name.text, pair.value) for pair in pairs)
    labels = list(islice(_SPLIT.finditer(text), _PAIRS))
    names = [pair.name.text for pair in pairs]
    labelled: dict[str, float] = {}
    for pair, name in zip(pairs, names, strict=True):
        before = [label[0] for label in labels if label.start() < pair.start]
        labelled.setdefault(f"{before[-1]}_{name}" if before and names.count(name) > 1 else name, pair.value)
    return tuple(labelled.items())


def _step(text: str) -> int | None:
    """The step a line names. A count over all epochs beats the epoch; a count with a total starts anew each epoch."""
    leading = _LEADING_STEP.match(text)
    if leading:
        return int(leading[1] or leading[2] or leading[3])
    best, best_rank = None, -1
    for match in islice(_STEP.finditer(text), 8):
        unit = match["unit"].lower()
        rank = 3 if unit.startswith("global") else 1 if unit in ("epoch", "ep") else 0 if match["total"] else 2
        if rank > best_rank:
            best, best_rank = int(match["step"]), rank
    return best


def _form(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")
