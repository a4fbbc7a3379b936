"""What the ``claude`` command printed in print mode, as an answer or as the error that it means."""

import contextlib
import re
from dataclasses import dataclass

import msgspec

from ...core.notes import one_line
from ...errors import DeepResearchError, ResearcherFailed, ResearcherStopped
from .cli_process import Ended
from .cli_reset import seconds_to_reset
from .logged import Logged, written

WITHOUT_A_TIME_S = 1800.0
"""How long a limit is waited out that does not say when it ends: a question meanwhile costs nothing."""

_MOST_CHARS = 300
_KEYS = re.compile(r"sk-[\w-]{6,}")
_REFUSED = re.compile(r"unable to respond to this request\b.*\busage policy", re.I | re.S)
_LIMIT = re.compile(r"\b(?:usage|session|weekly) limit\b|\blimit reached\b|\bhit your (?:[\w-]+ ){0,3}limit\b", re.I)
_ONLY_A_LIMIT = re.compile(
    r"\s*(?:Claude AI usage limit reached\|\d+|You['’]ve hit your [^\n{]{0,80}limit[^\n{]{0,80})\s*"
)
_LOGIN = re.compile(r"not logged in|/login\b|invalid api key|oauth token|authenticat|\b401\b", re.I)
_ONLY_A_LOGIN = re.compile(r"\s*(?:Not logged in|Invalid API key) · [^\n{]{0,60}\s*")
_MODEL = re.compile(
    r"issue with the selected model|model[^.\n]{0,80}(?:not exist|not found|no access|not have access)", re.I
)
_OLD = re.compile(r"unknown option|unknown argument|invalid option", re.I)
_CREDIT = re.compile(r"credit balance|subscription|\b40[23]\b", re.I)
_TOO_LONG = re.compile(r"prompt is too long|request too large|\b413\b", re.I)


class _Counted(msgspec.Struct):
    input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    output_tokens: int = 0


class _Result(msgspec.Struct):
    """The fields of its JSON that matter; ``usage`` is read apart, so that a strange one costs no answer."""

    type: str
    subtype: str | None = None
    is_error: bool = False
    result: str | None = None
    stop_reason: str | None = None
    api_error_status: int | str | None = None
    usage: msgspec.Raw = msgspec.Raw(b"null")


@dataclass(frozen=True)
class Heard:
    """An answer: its text, the text for the log, and tokens as counted; 0 where the command did not say."""

    text: str
    logged: str
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0


def heard(ended: Ended, model: str, moment: float) -> Heard:
    """The answer of a process that ended; a refusal is one. ``moment`` is the wall time.

    Raises ResearcherFailed where it will answer later, ResearcherStopped where the person has to do something.
    """
    result = _result(ended.out)
    if result is None:
        raise _error(_said(ended), ended.code, None, model, moment)
    text = result.result or ""
    failed = result.is_error or ended.code != 0 or (result.subtype or "").startswith("error")
    if result.stop_reason == "refusal" or (failed and _REFUSED.search(text)):
        return _answer(text, "refusal", result)
    if failed or _ONLY_A_LIMIT.fullmatch(text) or _ONLY_A_LOGIN.fullmatch(text):
        said = text or ended.err or result.subtype or ""
        raise _error(said, ended.code, str(result.api_error_status or ""), model, moment)
    return _answer(text, result.stop_reason or "end_turn", result)


def _answer(text: str, stop: str, result: _Result) -> Heard:
    content = [{"type": "text", "text": text}] if text and stop != "refusal" else []
    counted = _Counted()
    with contextlib.suppress(msgspec.DecodeError):
        counted = msgspec.json.decode(result.usage, type=_Counted | None) or counted
    cached = max(0, counted.cache_read_input_tokens)
    return Heard(
        text=text,
        logged=written(Logged(content=content, stop_reason=stop)),
        tokens_in=max(0, counted.input_tokens) + max(0, counted.cache_creation_input_tokens) + cached,
        tokens_out=max(0, counted.output_tokens),
        tokens_cached=cached,
    )


def _result(out: str) -> _Result | None:
    """The last line that is a result; lines before it may be warnings."""
    for text in (out, *reversed(out.splitlines()[-50:])):
        with contextlib.suppress(msgspec.DecodeError, RecursionError):
            result = msgspec.json.decode(text, type=_Result)
            if result.type == "result":
                return result
    return None


def _said(ended: Ended) -> str:
    return ended.err.strip()[-2000:] or ended.out.strip()[-2000:]


def _error(said: str, code: int, status: str | None, model: str, moment: float) -> DeepResearchError:
    """What the person reads. The patterns are looked for in error messages alone, never in an answer."""
    words = one_line(_KEYS.sub("***", said), _MOST_CHARS)
    because = f": {words}" if words else ""
    if _LIMIT.search(said):
        wait = seconds_to_reset(said, moment)
        return ResearcherFailed(f"the limit of the subscription is reached{because}", wait or WITHOUT_A_TIME_S)
    if status == "401" or _LOGIN.search(said):
        return ResearcherStopped(f"the claude command is not logged in: run `claude`, type /login, and resume{because}")
    if status == "404" or _MODEL.search(said):
        return ResearcherStopped(
            f"the claude command has no model {model}: set [researcher] leader_model / worker_model and resume{because}"
        )
    if _OLD.search(said):
        return ResearcherStopped(f"the claude command is too old: run `claude update` and resume{because}")
    if status == "413" or _TOO_LONG.search(said):
        return ResearcherStopped(f"the request for {model} is too large: shorten the brief or the code{because}")
    if status in ("402", "403") or _CREDIT.search(said):
        return ResearcherStopped(
            f"the account of the claude command may not ask {model}: see to it and resume{because}"
        )
    if status is None and code == 0:
        return ResearcherFailed(f"the claude command printed what is no answer{because or ': nothing'}")
    return ResearcherFailed(f"the claude command failed (exit {code}{f', {status}' if status else ''}){because}")
