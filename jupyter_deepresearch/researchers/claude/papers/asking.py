"""One polite attempt: who we are, how long between two, and not before a server wants to hear from us again."""

import asyncio
import contextlib
import email.utils
import fcntl
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

USER_AGENT = "jupyter-deepresearch (a research loop for Jupyter; asks seldom, keeps answers)"
_HEADERS = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}  # nothing that could unfold without end
MOST_BYTES = 2_000_000
_PAUSE_WITHOUT_WORD_S = 60.0
_LONGEST_PAUSE_S = 24 * 3600.0

_not_before: dict[str, float] = {}
"""The wall time before which this process does not ask a host again, whichever project asks."""


class Unreachable(Exception):
    """Why a source did not answer, in a few words that begin with its name."""


class NoSuchPaper(Exception):
    """The source answers that it has no such thing."""


@dataclass(frozen=True)
class Asking:
    """``turns`` is the folder where processes tell each other when a host may be asked again, by a file's time stamp. A
    turn that is more than ``longest_wait_s`` away is not waited for."""

    turns: Path
    timeout_s: float = 10.0
    longest_wait_s: float = 15.0

    async def get(self, source: str, url: str, gap_s: float) -> bytes:
        """The body of the answer. Raises Unreachable, NoSuchPaper."""
        import httpx2  # takes a while, and most projects never ask

        await asyncio.sleep(self._turn(source, url, gap_s))
        try:
            async with (
                asyncio.timeout(self.timeout_s),
                httpx2.AsyncClient(headers=_HEADERS, follow_redirects=True, timeout=None) as client,
                client.stream("GET", url) as answer,
            ):
                self._heed(source, url, answer.status_code, answer.headers.get("retry-after"))
                return await _body(source, answer.aiter_raw())
        except TimeoutError as error:
            raise Unreachable(f"{source} did not answer within {self.timeout_s:.0f} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise Unreachable(f"{source} cannot be reached") from error

    def _turn(self, source: str, url: str, gap_s: float) -> float:
        """Takes the next turn and answers how many seconds away it is."""
        with self._locked(url) as mark:
            now = time.time()
            before = max(_not_before.get(urlsplit(url).netloc, 0.0), _stamp(mark))
            wait = max(0.0, before - now)
            if wait > _LONGEST_PAUSE_S:  # somebody's clock was wrong
                wait = 0.0
            if wait > self.longest_wait_s:
                raise Unreachable(f"{source} wants no question for another {wait / 60:.0f} minutes")
            self._note(url, mark, now + wait + gap_s)
        return wait

    def _heed(self, source: str, url: str, status: int, retry_after: str | None) -> None:
        if status == 200:
            return
        if status in (429, 503):
            pause = _seconds(retry_after)
            with self._locked(url) as mark:
                self._note(url, mark, time.time() + min(pause, _LONGEST_PAUSE_S))
            raise Unreachable(f"{source} is busy ({status})")
        if status == 404:
            raise NoSuchPaper
        raise Unreachable(f"{source} answered {status}")

    def _note(self, url: str, mark: Path, moment: float) -> None:
        _not_before[urlsplit(url).netloc] = moment
        with contextlib.suppress(OSError):
            os.utime(mark, (moment, moment))

    @contextlib.contextmanager
    def _locked(self, url: str) -> Iterator[Path]:
        """The host's file, held for a moment. Where there can be none, this process goes by its own memory."""
        mark = self.turns / f"{urlsplit(url).netloc.replace(':', '-')}.turn"
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):
                self.turns.mkdir(parents=True, exist_ok=True)
                is_new = not mark.exists()
                file = stack.enter_context(mark.open("ab"))
                if is_new:
                    os.utime(mark, (0, 0))
                fcntl.flock(file, fcntl.LOCK_EX)
            yield mark


async def _body(source: str, parts: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for part in parts:
        body += part
        if len(body) > MOST_BYTES:
            raise Unreachable(f"{source} answered more than {MOST_BYTES // 1_000_000} MB")
    return bytes(body)


def _stamp(mark: Path) -> float:
    try:
        return mark.stat().st_mtime
    except OSError:
        return 0.0


def _seconds(retry_after: str | None) -> float:
    """What a Retry-After header asks for: seconds or a date."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    return _PAUSE_WITHOUT_WORD_S
