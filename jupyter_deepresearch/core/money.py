"""Money and counts as people read them."""

from decimal import Decimal


def dollars(usd: float | None) -> str:
    """An amount in three digits that count, cents at least: ``$12.50``, ``$0.25``, ``$0.00371``; ``$?`` for None."""
    if usd is None:
        return "$?"
    rounded = Decimal(f"{usd:.2f}") if abs(usd) >= 1 else Decimal(f"{usd:.3g}")
    cents = rounded.quantize(Decimal("0.01"))
    return f"${cents if cents == rounded else rounded:,f}"
