"""tqdm's bars of notebooks, which print nothing that could be read: their postfix becomes numbers as if printed.

Bars of terminals are left alone: they print their postfix.
"""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_shim = __import__("jupyter_deepresearch")  # type: Any
_wrapped = __import__("_deepresearch_libraries").wrapped  # type: Any

_PERIOD_S = 0.1
_NOT_METRICS = ("v_num",)


class _Bar:
    """What one bar shows and has not been told yet."""

    def __init__(self) -> None:
        self.values = {}  # type: dict[str, float | None]
        self.text = ""
        self.due = 0.0


_lasts = {}  # type: dict[tuple[str, ...], tuple[_Bar, int, int]]


def _state(bar: "Any") -> _Bar:
    state = getattr(bar, "_deepresearch_bar", None)
    if state is None:
        state = bar._deepresearch_bar = _Bar()
    return state


def _postfix(bar: "Any", ordered_dict: "Any" = None, refresh: bool = True, **kwargs: "Any") -> None:
    if hasattr(bar, "container"):  # not of a disabled bar, which shows nothing
        state = _state(bar)
        shows = dict(ordered_dict or (), **kwargs)
        state.values = {name: _number(shows[name]) for name in shows if name not in _NOT_METRICS}
        _tell_if_due(bar, state)


def _text(bar: "Any", text: "Any" = None, refresh: bool = True) -> None:
    if hasattr(bar, "container"):
        state = _state(bar)
        state.text = str(text or "")
        _tell_if_due(bar, state)


def _close(bar: "Any") -> None:
    state = getattr(bar, "_deepresearch_bar", None)
    if state is not None:
        _tell(bar, state)


def _tell_if_due(bar: "Any", state: _Bar) -> None:
    now = time.monotonic()
    if now >= state.due:
        state.due = now + _PERIOD_S
        _tell(bar, state)


def _tell(bar: "Any", state: _Bar) -> None:
    values, text = state.values, state.text
    state.values, state.text = {}, ""
    if values:
        _shim.logged("tqdm", _step(bar, state, tuple(values)), values)
    if text:
        _shim.shown(text)


def _number(value: "Any") -> "float | None":
    if not isinstance(value, str):
        return _shim.as_number(value)  # type: ignore[no-any-return]
    try:
        return float(value.strip().rstrip("%"))
    except ValueError:
        return None


def _step(bar: "Any", state: _Bar, names: "tuple[str, ...]") -> int:
    """The bar's count, on top of those of the bars before it that showed the same names: one bar an epoch."""
    last, before, count = _lasts.get(names, (state, 0, 0))
    if last is not state:
        before += count
    count = int(bar.n)
    _lasts[names] = (state, before, count)
    return before + count


def wrap_bars(module: "ModuleType") -> None:
    """Wrap, on the notebook's own class, what changes the words beside a bar."""
    owner = module.tqdm_notebook
    readers = (
        ("set_postfix", _postfix),
        ("set_postfix_str", _text),
        ("set_description", _text),
        ("set_description_str", _text),
        ("close", _close),
    )
    for name, read in readers:
        method = getattr(owner, name)
        if not hasattr(method, "_deepresearch_read"):
            setattr(owner, name, _wrapped(method, "tqdm", read))
