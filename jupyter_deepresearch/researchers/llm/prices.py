"""What tokens cost: Anthropic's prices from the snapshot that comes with genai-prices, others' as configured."""

from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import version

from ...core.project import Price, ResearcherOptions
from .server import Server

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Counts:
    """The tokens of one call: of the prompt the ``fresh`` ones, those read from a cache and those written to it."""

    fresh: int
    read: int
    written: int
    out: int

    @property
    def all_in(self) -> int:
        """The whole prompt."""
        return self.fresh + self.read + self.written


@dataclass(frozen=True)
class Rate:
    """What one model costs. ``configured`` goes before Anthropic's price list, in which it is looked up by name."""

    model: str
    configured: Price | None = None

    def usd(self, counts: Counts) -> float:
        """The price of a call, with the tier that its whole prompt falls in and the rates of cached tokens."""
        if self.configured is None:
            return float(_listed(self.model, counts))
        into, out = Decimal(str(self.configured.input)), Decimal(str(self.configured.output))
        return float((into * counts.all_in + out * counts.out) / _MILLION)

    def most(self, tokens_in: int, tokens_out: int) -> float:
        """The most that so many tokens can cost: all of the prompt written to the cache, the dearest of all rates."""
        return max(
            self.usd(Counts(tokens_in, 0, 0, tokens_out)),
            self.usd(Counts(0, 0, tokens_in, tokens_out)),
        )


def price_of(model: str, options: ResearcherOptions, server: Server) -> Rate | None:
    """What ``model`` costs on ``server``; None where nobody told: servers of others without ``[researcher] price``."""
    if options.price is not None:
        return Rate(model, options.price)
    if not server.is_anthropic:
        return None
    try:
        _listed(model, Counts(1, 0, 0, 1))
    except LookupError:
        return None
    return Rate(model)


def snapshot() -> str:
    """Which price list is used: nothing is ever fetched."""
    return f"genai-prices {version('genai-prices')}"


def _listed(model: str, counts: Counts) -> Decimal:
    """The price by the list. Raises LookupError for a model that is not in it."""
    from genai_prices import Usage, calc_price  # here, for pydantic is slow to import

    usage = Usage(
        input_tokens=counts.all_in,
        cache_read_tokens=counts.read,
        cache_write_tokens=counts.written,
        output_tokens=counts.out,
    )
    return calc_price(usage, model, provider_id="anthropic").total_price
