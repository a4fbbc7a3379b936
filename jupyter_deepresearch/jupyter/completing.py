"""What Tab offers behind ``%deepresearch``: only what this kernel knows already, so it never waits for a server."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..service.views import StatusView
from .nearby import Offer, kernels, paths, quoted
from .words import WORDS, Argument, Fill

_LINE = re.compile(r"\s*(?:[\w., ]+=\s*)?%{0,2}deepresearch[ \t]+(.*)", re.DOTALL)
_QUOTED = re.compile(r""""[^"]*(?:"|$)|'[^']*(?:'|$)""")


@dataclass
class Known:
    """What the latest answers said of each project, by its id; ``current`` is that of the last one.

    A panel's thread may tell it something while Tab is pressed: ``projects`` is only ever replaced.
    """

    projects: dict[str, StatusView] = field(default_factory=dict)
    current: str | None = None

    def learn(self, view: StatusView) -> None:
        """Keep what an answer says of the project that is talked of."""
        self.hear([view])
        self.current = view.id

    def hear(self, views: Iterable[StatusView]) -> None:
        """Keep what an answer says of any projects."""
        self.projects = {**self.projects, **{view.id: view for view in views}}

    def of(self, name: str | None) -> StatusView | None:
        """The project of this name or id, else the one talked of last."""
        named = [view for view in self.projects.values() if name in (view.id, view.project)]
        return named[0] if name is not None and named else self.projects.get(self.current or "")


@dataclass(frozen=True)
class Typed:
    """What stands before the cursor: whole words, and the fragment that is being typed."""

    words: tuple[str, ...]
    fragment: str


def typed(text_until_cursor: str) -> Typed | None:
    """A line of the magic up to the cursor, None where it is none or its word is still being typed."""
    found = _LINE.fullmatch(text_until_cursor)
    if found is None:
        return None
    words, start = [], 0
    rest = found[1]
    for piece in re.finditer(r"\s+", _masked(rest)):
        words += [rest[start : piece.start()]] if piece.start() > start else []
        start = piece.end()
    return Typed(tuple(words), rest[start:])


def _masked(text: str) -> str:
    """``text`` with what is quoted made opaque, so that its spaces part no words."""
    return _QUOTED.sub(lambda found: "x" * len(found[0]), text)


def offers(line: Typed, known: Known, cwd: Path) -> tuple[Offer, ...]:
    """What may take the fragment's place."""
    if not line.words:
        return _matching(line.fragment, (Offer(word, "command") for word in WORDS))
    word, *before = line.words
    if word not in WORDS:
        return ()
    filler = _Filler(word, tuple(before), known, cwd)
    return _matching(line.fragment, filler.offers(line.fragment))


def _matching(fragment: str, found: Iterable[Offer]) -> tuple[Offer, ...]:
    """The offers that go on from the fragment, whichever quotes either of them is in."""
    bare = re.sub("[\"']", "", fragment)
    fitting = (offer for offer in found if re.sub("[\"']", "", offer.text).startswith(bare))
    return tuple({offer.text: offer for offer in fitting}.values())


@dataclass(frozen=True)
class _Filler:
    """One word of the magic with the arguments before the cursor."""

    word: str
    before: tuple[str, ...]
    known: Known
    cwd: Path

    def offers(self, fragment: str) -> Iterator[Offer]:
        name, sign, value = fragment.partition("=")
        option = self._option(name) if sign else self._option(self.before[-1]) if self.before else None
        if option is not None and option.shown:
            prefix = f"{name}=" if sign else ""
            typed_value = value if sign else fragment
            yield from (Offer(f"{prefix}{o.text}", o.kind) for o in self._filled(option, typed_value))
            return
        if not fragment.startswith("-"):
            for argument in self._open():
                yield from self._filled(argument, fragment)
        given = {word.partition("=")[0] for word in self.before}
        is_text = WORDS[self.word].is_free and self._plain()
        for argument in WORDS[self.word].arguments:
            if argument.is_option and argument.name not in given and not is_text:
                yield Offer(argument.name, "option")

    def _option(self, name: str) -> Argument | None:
        return next((a for a in WORDS[self.word].arguments if a.is_option and a.name == name), None)

    def _plain(self) -> list[str]:
        """The words before the cursor that are neither options nor their values."""
        plain, is_value = [], False
        for word in self.before:
            if not is_value and not word.startswith("--"):
                plain.append(word)
            option = self._option(word)
            is_value = not is_value and option is not None and bool(option.shown)
        return plain

    def _open(self) -> Iterator[Argument]:
        """Arguments without an option that may still take a word."""
        filled = len(self._plain())
        for argument in WORDS[self.word].arguments:
            if argument.is_option:
                continue
            if argument.most is None or filled < argument.most:
                yield argument
                return
            filled -= argument.most

    def _filled(self, argument: Argument, fragment: str) -> Iterator[Offer]:
        if argument.choices:
            yield from (Offer(choice, "value") for choice in argument.choices)
        view = self.known.of(self._named())
        match argument.fill:
            case Fill.WORD:
                yield from (Offer(word, "command") for word in WORDS)
            case Fill.KERNEL:
                yield from (Offer(name, "kernel") for name in kernels())
            case Fill.PROJECT:
                names = sorted(view.project for view in self.known.projects.values())
                yield from (Offer(quoted(name), "project") for name in names)
            case Fill.PLACE:
                yield from paths(fragment, self.cwd)
            case Fill.NOTEBOOK:
                yield from paths(fragment, self._folder(view))
            case _ if view is not None:
                yield from _of_project(argument.fill, view)

    def _named(self) -> str | None:
        """The project that the words before the cursor name."""
        for word, value in zip(self.before, self.before[1:], strict=False):
            if word == "--project":
                return value.strip("\"'")
        return None

    def _folder(self, view: StatusView | None) -> Path:
        """Where notebooks are looked for: in the folder named, else in the project's."""
        if self.word == "start":
            plain = self._plain()
            return (self.cwd / Path(plain[0].strip("\"'")).expanduser()) if plain else self.cwd
        return Path(view.path) if view is not None else self.cwd


def _of_project(fill: Fill, view: StatusView) -> Iterator[Offer]:
    """What a project's last status names."""
    match fill:
        case Fill.WAITING:
            yield from (Offer(str(waiting.hypothesis), "hypothesis") for waiting in view.waiting)
        case Fill.RUN:
            yield from (Offer(run.run, "run") for run in view.running)
        case Fill.EXPERIMENT:
            ranked = [rank.experiment for rank in (view.champion, view.baseline) if rank is not None]
            numbers = sorted({*ranked, *(run.experiment for run in view.running)}, reverse=True)
            yield from (Offer(str(number), "experiment") for number in numbers)
        case Fill.VALUE | Fill.RANGE:
            sign = "=" if fill is Fill.VALUE else ":"
            yield from (Offer(f"{name}{sign}", "parameter") for name in _parameters(view))


def _parameters(view: StatusView) -> tuple[str, ...]:
    """The names in what is searched (``lr: 0.001..1.0 log``) and in what waits."""
    searched = (re.match(r"[^\W\d]\w*", part) for part in view.space)
    names = [*(found[0] for found in searched if found), *(n for w in view.waiting for n in w.parameters)]
    return tuple(dict.fromkeys(names))
