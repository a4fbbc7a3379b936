"""Numbers, times and words as the command line and the magic print them."""

from collections.abc import Sequence

from ..core.types import Decision
from ..service.views import ExperimentView

CLAIM_CHARS = 70
_LABEL_CHARS = 10
_BYTES = ("B", "kB", "MB", "GB", "TB")


def one_line(text: str, limit: int = CLAIM_CHARS) -> str:
    """``text`` on one line of at most ``limit`` characters, without anything that steers a terminal."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= limit else f"{plain[: limit - 1]}…"


def plain(text: str) -> str:
    """``text`` with its lines, without anything that steers a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)


def number_text(value: float | None) -> str:
    """A measured number in at most five significant digits; a dash where there is none."""
    return "-" if value is None else f"{value:.5g}"


def measured_text(value: float | None, interval: Sequence[float] | None, seeds: int) -> str:
    """A value with what is known of its uncertainty, such as ``0.9822 ± 0.0016 (3 seeds)``."""
    if value is None:
        return "-"
    spread = f" ± {(interval[1] - interval[0]) / 2:.2g}" if interval is not None else ""
    return f"{number_text(value)}{spread} ({seeds} {'seed' if seeds == 1 else 'seeds'})"


def delta_text(delta: float | None) -> str:
    """A difference with its sign, "" where there is none to tell."""
    return "" if delta is None else f"{delta:+.3g}"


def decision_text(row: ExperimentView) -> str:
    """The verdict in capitals, the kind of failure in its place, else where the experiment stands."""
    if row.decision is None:
        return row.state.value.replace("_", " ")
    word = row.state if row.decision is Decision.FAILED and not row.state.is_live else row.decision
    return word.value.replace("_", " ").upper()


def seconds_text(seconds: float | None) -> str:
    """A duration for people."""
    if seconds is None:
        return "-"
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def bytes_text(count: int | None) -> str:
    """So many bytes for people, "" where it is not known."""
    if count is None:
        return ""
    power = min(len(_BYTES) - 1, (len(str(max(count, 1))) - 1) // 3)
    value = count / 1000**power
    return f"{value:.0f} {_BYTES[power]}" if power == 0 or value >= 100 else f"{value:.1f} {_BYTES[power]}"


def count_text(count: float, unit: str) -> str:
    """A number with its unit in words, such as ``1 cycle`` or ``2 cycles``."""
    return f"{count:g} {unit}{'' if count == 1 else 's'}"


def used_text(text: str, limit_chars: int) -> str:
    """How much of its limit a text takes."""
    return f"{len(text):,} of {limit_chars:,} characters"


def aligned(table: Sequence[Sequence[str]]) -> str:
    """Rows of cells as columns of text, two spaces apart."""
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in table)


def labelled(label: str, text: str) -> list[str]:
    """One line of a block whose texts begin in one column."""
    return [f"{label:<{_LABEL_CHARS}}{text}"]
