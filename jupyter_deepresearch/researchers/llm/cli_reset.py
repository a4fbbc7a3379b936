"""When a subscription's limit ends, out of the sentence that says so."""

import contextlib
import re
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_STAMP = re.compile(r"limit reached\|(\d{10})\b")
_CLOCK = re.compile(
    r"\bresets?(?: at)? (?:(?P<month>[A-Z][a-z]{2}) (?P<day>\d{1,2})(?:,| at)? (?:at )?)?"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))? ?(?P<half>am|pm)(?: \((?P<zone>[\w/+-]+)\))?",
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MARGIN_S = 60.0
_LONGEST = timedelta(days=8)  # the longest limits are weekly


def seconds_to_reset(said: str, moment: float) -> float | None:
    """Seconds from ``moment`` (wall time) to a little after the limit's end; None where the sentence names no time.

    Understood are "limit reached|1762952400", "resets 3:20pm (Asia/Shanghai)", "resets Apr 23 at 4pm (America/Recife)"
    and "will reset at 9am", in the local time zone where none is named.
    """
    if match := _STAMP.search(said):
        return _wait(float(match[1]) - moment)
    if match := _CLOCK.search(said):
        with contextlib.suppress(ValueError):
            now = datetime.fromtimestamp(moment, _zone(match["zone"]))
            return _wait((_end(match, now) - now).total_seconds())
    return None


def _end(match: re.Match[str], now: datetime) -> datetime:
    """The next time that the clock, or the calendar, shows what the sentence says. Raises ValueError for no time."""
    hour = int(match["hour"]) % 12 + (12 if match["half"] == "pm" else 0)
    end = now.replace(hour=hour, minute=int(match["minute"] or 0), second=0, microsecond=0)
    if match["month"] is None:
        return end if end > now else end + timedelta(days=1)
    end = end.replace(month=_MONTHS.index(match["month"]) + 1, day=int(match["day"]))
    return end if end > now - timedelta(days=1) else end.replace(year=end.year + 1)


def _wait(seconds: float) -> float | None:
    return max(0.0, seconds) + _MARGIN_S if seconds < _LONGEST.total_seconds() else None


def _zone(name: str | None) -> tzinfo | None:
    with contextlib.suppress(ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(name) if name else None
    return None
