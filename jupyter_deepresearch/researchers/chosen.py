"""The researcher that the configuration chooses at the moment of asking."""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping

from ..core.answers import Lesson, Proposal
from ..core.project import ResearcherKind, ResearcherOptions
from ..core.research import Meter, Researcher, RunFailure, Seen
from ..core.types import Experiment, Verdict
from ..errors import InvalidConfig, ResearcherStopped
from .llm.prices import price_of
from .llm.server import server_of

_KEY_IS_GONE = (
    "answers were paid for so far, but no key is set any more: set ANTHROPIC_API_KEY where the research runs and "
    "resume, or go on offline with --researcher sweep"
)


class ChosenResearcher:
    """Whoever ``seen.options`` choose, decided at every ask: a new kind, model or address holds from the next one on.

    ``decide`` fills in what the options leave open and says in one sentence who it is (raises InvalidConfig where it
    cannot work); ``make`` builds that one, and may take long. It is kept while the choice is the same.
    """

    can_repair = True  # one that cannot says so when it is asked

    def __init__(
        self,
        decide: Callable[[ResearcherOptions], tuple[ResearcherOptions, str]],
        make: Callable[[ResearcherOptions], Researcher],
    ) -> None:
        self._decide = decide
        self._make = make
        self._made: tuple[ResearcherOptions, Researcher] | None = None
        self._news: tuple[str, ...] = ()

    async def prepare(self, seen: Seen, meter: Meter) -> tuple[str, ...]:
        """See ``Researcher``."""
        researcher, seen = await self._chosen(seen)
        return self._told(await researcher.prepare(seen, meter))

    async def think(self, seen: Seen, meter: Meter) -> Proposal:
        """See ``Researcher``; a change of researcher since the last answer is among the remarks."""
        researcher, seen = await self._chosen(seen)
        proposal = await researcher.think(seen, meter)
        return dataclasses.replace(proposal, remarks=self._told(proposal.remarks))

    async def repair(self, seen: Seen, failure: RunFailure, meter: Meter) -> Proposal:
        """See ``Researcher``."""
        researcher, seen = await self._chosen(seen)
        if not researcher.can_repair:
            return Proposal(exhausted="this researcher does not repair code")
        return await researcher.repair(seen, failure, meter)

    async def reflect(self, seen: Seen, experiment: Experiment, verdict: Verdict, meter: Meter) -> Lesson:
        """See ``Researcher``."""
        researcher, seen = await self._chosen(seen)
        return await researcher.reflect(seen, experiment, verdict, meter)

    async def _chosen(self, seen: Seen) -> tuple[Researcher, Seen]:
        """Who answers, and what is seen with the options filled in. Raises ResearcherStopped."""
        try:
            options, sentence = self._decide(seen.options)
        except InvalidConfig as error:
            raise ResearcherStopped(str(error)) from error
        if options.kind is ResearcherKind.SWEEP and seen.options.kind is None and seen.calls > 0:
            raise ResearcherStopped(_KEY_IS_GONE)
        if self._made is None or self._made[0] != options:
            # Also where a project that nobody was paid for so far, by whoever ran it, now has somebody who is.
            is_new = options.kind is not ResearcherKind.SWEEP and seen.calls == 0 and seen.cycle > 1
            self._news = (sentence,) if self._made is not None or is_new else ()
            self._made = options, await self._new(options)
        return self._made[1], dataclasses.replace(seen, options=options)

    async def _new(self, options: ResearcherOptions) -> Researcher:
        """Made beside the event loop: a model's library takes a second to import."""
        try:
            return await asyncio.to_thread(self._make, options)
        except InvalidConfig as error:
            raise ResearcherStopped(str(error)) from error

    def _told(self, remarks: tuple[str, ...]) -> tuple[str, ...]:
        news, self._news = self._news, ()
        return (*news, *remarks)


def is_priced(model: str, options: ResearcherOptions, environ: Mapping[str, str]) -> bool:
    """Whether anybody told what ``model`` costs. What the command line tool costs is a matter of its account."""
    if options.kind is ResearcherKind.CLAUDE_CLI:
        return options.price is not None
    return price_of(model, options, server_of(options, environ)) is not None
