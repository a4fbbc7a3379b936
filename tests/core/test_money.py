"""Amounts of money as people read them."""

import pytest

from jupyter_deepresearch.core.money import dollars


@pytest.mark.parametrize(
    ("usd", "said"),
    [
        *((0.0, "$0.00"), (0.25, "$0.25"), (0.1, "$0.10"), (0.0037123, "$0.00371"), (0.9999, "$1.00"), (1.0, "$1.00")),
        *((12.345, "$12.35"), (1234.5, "$1,234.50"), (1e-7, "$0.0000001"), (None, "$?")),
    ],
)
def test_an_amount_has_the_digits_that_count(usd: float | None, said: str) -> None:
    assert dollars(usd) == said
