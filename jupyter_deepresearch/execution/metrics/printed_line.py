"""Which numbers one printed line reports: ``name=value`` and ``name: value`` as libraries and people print them.

Every pattern is bounded (no nested or unbounded repetition before a failing part), so time is linear in the line.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from . import printed_words as words
from .printed_names import Name, Names, PrintedReport

_PAIRS = 64  # numbers taken of one line at most; more is a table or a dump, not a report
_NUMBER = r"[-+]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,4})?|[-+]?(?i:nan|inf(?:inity)?)"
_PAIR = re.compile(
    rf"""
    (?P<separator> [ \t:=] (?<![ \t:=][ \t:=]) [ \t:=]{{0,47}} ) (?= ["'0-9.+\-nNiItaf[] )
    (?: (?= [\[tanf] ) (?: \[ (?= [-+0-9.e]{{1,24}} [ ]?\] )                           # episodic_return=[20.]
      | (?:torch\.)? (?:tensor|array|(?:np\.|numpy\.)?float[0-9]{{0,2}}) \( ) )?      # tensor(0.5), np.float64(0.5)
    ["']? (?P<number> {_NUMBER} ) (?P<of> /[0-9]{{1,15}} [ ]? \( (?P<share> [0-9.]{{1,10}} ) [ ]? %\) )?
    (?! [\w/] | \.\w | :\w | ,[0-9] | -\w )         # 12ms, 3/10, 2.1.0, 12:00, 1,000, 2026-11
    (?! [ ]?%[ ]?\| | [ ]?\*[ ]?\w )                # a progress bar's percentage; a product in source code
    (?! [ ] (?: {words.UNITS} ) (?: / | \b (?! [ ]?[=:] | [ ]\[?[0-9] ) ) )   # 0.5 s, but not "0.5 step 3"
    (?P<percent> [ ]?% )?
    """,
    re.VERBOSE,
)
_STEP = re.compile(
    r"(?<![\w/])(?<!best )(?<!is )(?P<unit>global[_ ]?step|(?:total|num)_timesteps|epoch|ep|step|iteration|iters?|round"
    r"|update|trial)\b(?:\(\w{1,12}\))?['\"]?[ \t]{0,8}[:=#]?"
    r"[ \t]{0,8}\[?[ \t]{0,8}(?P<step>[0-9]{1,15})(?P<total>[ ]?(?:/|of[ ])[ ]?[0-9]{1,15})?(?![\w'\"]|\.[0-9]|:[0-9])",
    re.IGNORECASE,
)
_LEADING_STEP = re.compile(
    r"\s{0,40}(?:\[([0-9]{1,15})(?:/[0-9]{1,15})?\](?=\s)|([0-9]{1,15}):(?=\s)|Train: ([0-9]{1,15}) \["
    r"|steps: ([0-9]{1,15})\s)"
)
_CLU_STEP = re.compile(r"[^\]]{8,80}\.py:[0-9]{1,6}\] \[([0-9]{1,15})\]\s")  # after the prefix of Google's logging
_HEADER = re.compile(r"\W{0,40}epoch\W{0,4}([0-9]{1,15})(?:[ ]?(?:/|of)[ ]?[0-9]{1,15})?\W{0,4096}", re.IGNORECASE)
_FOLDED = re.compile(r"([\w.\-]{1,60})(?:: |=)\((?:train=([0-9.naif-]{1,30}), )?test=([0-9.naif-]{1,30})\)")
_TUTORIAL = re.compile(r"Accuracy of the (?:network|model) on the [0-9]{1,9} [a-z]{1,20} images: ")  # PyTorch's
_FOLDERS = ("[", "A")  # how lines begin that _unfolded may change
_RAISED = re.compile(r"[\w.]{1,80}(?:Error|Exception|Warning): ")
_SETTINGS = re.compile(r"(?:\band )?\b(?:parameters|params|config|hparams|hyperparameters|args): \{[^{}]{0,2000}\}")
_AFTER_NUMBER = frozenset(" \t,;:|)]}'\"")
_SPLIT = re.compile(r"\b(train|training|valid|val|validation|test|eval|evaluation|dev)\b", re.IGNORECASE)


@dataclass(slots=True)
class _Pair:
    name: Name
    value: float
    whole: bool  # printed as a whole number, which most often counts something
    start: int


def header_step(text: str) -> int | None:
    """The epoch of a line that says nothing else, such as ``Epoch 3/10``."""
    match = _HEADER.fullmatch(text) if "poch" in text or "POCH" in text else None
    return int(match[1]) if match else None


class LineParser:
    """Reads one line at a time."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def parse(self, text: str, *, cut: bool = False) -> PrintedReport | None:
        """The report in a line without control characters, or None. In a ``cut`` line a number counts if it has an end.

        Percentages count as written: ``95.2%`` is 95.2. Whole numbers count only beside a step, in dicts and bars, or
        under the name of a known metric; anything counts under a wanted name.
        """
        text = text.rstrip()
        stripped = text.lstrip()
        if "{" in text or stripped[:1] in _FOLDERS:
            text = _unfolded(text, stripped)
        pairs = self._json_pairs(stripped) if stripped.startswith('{"') and stripped.endswith("}") else None
        if pairs is None:
            pairs = self._pairs(text, cut)
        if not pairs or stripped.startswith(words.FOREIGN_LINES) or _RAISED.match(stripped):
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
            separator, number, share, percent = match.group("separator", "number", "share", "percent")
            before = text[region_start:start]
            if separator == ":" and "@" in before[-6:] and number in ("0.95", ".95", "95"):  # of mAP@0.5:0.95
                continue
            region_start = match.end()
            sign = separator.strip()
            if len(sign) > 1 or (cut and text[region_start : region_start + 1] not in _AFTER_NUMBER):
                continue
            name = self._names.before(before, not sign or separator == "=")
            if name is None or not (sign or name.metric or name.wanted) or ("(" in text and _in_call(text, start)):
                continue
            value = _float(share or number)
            if value is not None:
                pairs.append(_Pair(name, value, not share and not percent and number.lstrip("+-").isdigit(), start))
        return pairs

    def _json_pairs(self, text: str) -> list[_Pair] | None:
        try:
            decoded = json.loads(text)
        except (ValueError, RecursionError):
            return None
        numbers = [("_".join(name.split()), value) for name, value in islice(_flat(decoded, ""), _PAIRS)]
        return [_Pair(self._names.judged(name), float(value), isinstance(value, int), 0) for name, value in numbers]


def _unfolded(text: str, stripped: str) -> str:
    """The line with what two libraries fold into it spread out: scikit-learn's scores, the settings of a trial."""
    if stripped.startswith("[CV") and "test=" in text:
        return _FOLDED.sub(_spread, text)
    if "{" in text and ": {" in text:
        return _SETTINGS.sub("", text)
    if stripped.startswith("Accuracy of the "):
        return _TUTORIAL.sub("Accuracy: ", text)
    return text


def _spread(scores: re.Match[str]) -> str:
    train = f"train_{scores[1]}={scores[2]} " if scores[2] else ""
    return f"{train}test_{scores[1]}={scores[3]}"


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
        setting = pair.whole and name.text.lower() in words.HYPER_PARAMETERS
        if name.wanted or (not name.denied and not setting and (plain or name.metric)):
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
    leading = _LEADING_STEP.match(text) or ("] [" in text and _CLU_STEP.match(text))
    if leading:
        return int(leading[leading.lastindex or 1])
    best, best_rank = None, -1
    for match in islice(_STEP.finditer(text), 8):
        unit = match["unit"].lower()
        rank = 3 if unit.startswith("global") else 1 if unit in ("epoch", "ep") else 0 if match["total"] else 2
        if rank > best_rank:
            best, best_rank = int(match["step"]), rank
    return best
