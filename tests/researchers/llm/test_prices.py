"""Prices to the cent, and bounds that no prompt passes."""

from __future__ import annotations

import json
import random

import pytest

from jupyter_deepresearch.core.answers import Phase
from jupyter_deepresearch.core.project import Price, ResearcherOptions
from jupyter_deepresearch.researchers.claude.plans import Plan
from jupyter_deepresearch.researchers.llm.prices import Counts, Rate, price_of, snapshot
from jupyter_deepresearch.researchers.llm.sdk import MessagesModel
from jupyter_deepresearch.researchers.llm.server import Server
from jupyter_deepresearch.researchers.llm.talk import Request, Said
from jupyter_deepresearch.researchers.llm.tokens import bound

CLAUDE = Server("https://api.anthropic.com")
NOTHING = ResearcherOptions()
# USD per million tokens as Anthropic's model pages had them on 2026-11-23: fresh, answer, written to the cache, read.
LISTED = {
    "claude-haiku-5-5": (0.10, 0.50, 0.125, 0.01),
    "claude-sonnet-5-5": (2, 10, 2.50, 0.10),
    "claude-opus-5-5": (4, 20, 5, 0.20),
    "claude-fable-5-2": (8, 40, 10, 0.20),
    "claude-fable-5-1": (10, 50, 12.5, 0.25),
    "claude-sonnet-5": (2, 10, 2.5, 0.20),
    "claude-opus-5": (5, 25, 6.25, 0.50),
    "claude-haiku-4-5": (1, 5, 1.25, 0.10),
}


def rate(model: str) -> Rate:
    found = price_of(model, NOTHING, CLAUDE)
    assert found is not None
    return found


@pytest.mark.parametrize("model", LISTED)
def test_the_price_list_of_the_snapshot_is_anthropics(model: str) -> None:
    fresh, out, written, read = LISTED[model]
    of = rate(model)
    assert of.usd(Counts(100_000, 0, 0, 0)) == pytest.approx(fresh / 10)
    assert of.usd(Counts(0, 0, 0, 100_000)) == pytest.approx(out / 10)
    assert of.usd(Counts(10_000, 70_000, 20_000, 10_000)) == pytest.approx(
        (fresh * 1 + read * 7 + written * 2 + out * 1) / 100
    )


def test_a_longer_prompt_is_dearer_as_a_whole() -> None:
    assert rate("claude-haiku-5-5").usd(Counts(100_000, 50_000, 50_000, 10_000)) == pytest.approx(
        (0.50 * 100 + 0.05 * 50 + 0.625 * 50 + 2.50 * 10) / 1000
    )


def test_the_most_is_all_of_the_prompt_written_to_the_cache() -> None:
    assert rate("claude-sonnet-5-5").most(10_000, 4_000) == pytest.approx((2.5 * 10 + 10 * 4) / 1000)


def test_others_cost_what_is_configured_and_nobody_knows_otherwise() -> None:
    here, price = Server("http://localhost:11434"), ResearcherOptions(price=Price(0.3, 1.2))
    assert price_of("qwen", NOTHING, here) is None
    assert price_of("claude-haiku-5-5", NOTHING, Server("https://claude.example.com")) is None
    assert price_of("claude-haiku-9", NOTHING, CLAUDE) is None
    for server, model in ((here, "qwen"), (CLAUDE, "claude-opus-5-5")):
        of = price_of(model, price, server)
        assert of is not None and of.usd(Counts(500, 300, 200, 100)) == pytest.approx((0.3 * 1000 + 1.2 * 100) / 1e6)
    assert snapshot().startswith("genai-prices 0.")


def test_the_ceiling_has_the_whole_answer_and_no_price_where_there_is_none() -> None:
    request = Request("claude-sonnet-5-5", "x" * 25_000, (Said("go"),), answer=Plan, max_tokens=4_096)
    most = MessagesModel(NOTHING, {}).ceiling(request, Phase.PLAN)
    assert most.tokens_out == 4_096 and most.tokens_in > 10_000 and (most.calls, most.phase) == (1, "plan")
    assert most.usd == pytest.approx(rate("claude-sonnet-5-5").most(most.tokens_in, 4_096))
    local = MessagesModel(ResearcherOptions(base_url="http://localhost"), {})
    assert local.ceiling(request, Phase.PLAN).usd is None and not local.is_priced(request.model)


# The fewest characters that one token was found to hold in text of each sort.
DENSITY = {
    "prose": (2.5, "The learning rate was too high, so the loss rose after some hundred steps and never came back. "),
    "code": (3.0, "def forward(self, x):\n    return self.head(self.norm(x + self.block(x)))\n"),
    "json": (2.2, json.dumps({"lr": 0.001, "layers": [64, 64], "act": "relu", "nested": {"a": None}})),
    "diff": (2.3, "@@ -1,4 +1,4 @@\n-lr = 1e-3\n+lr = 3e-4\n"),
    "log": (1.2, "epoch 12/50 - loss: 0.4312 - val_loss: 0.5120 - 3s 41ms/step\n"),
    "numbers": (0.9, "-0.4821, 1.2093, 0.0003, -2.1174, "),
    "chinese": (1.0, "学习率太高，损失在几百步之后上升，再也没有恢复。"),
    "korean": (1.0, "학습률이 너무 높아서 손실이 증가했습니다."),
    "emoji": (1 / 3, "🔥🧪🚀👩‍🔬"),
}


@pytest.mark.parametrize("sort", DENSITY)
def test_no_sort_of_text_has_more_tokens_than_the_bound(sort: str) -> None:
    chars_per_token, sample = DENSITY[sort]
    text = sample * 50
    emoji = sum(ord(char) > 0xFFFF for char in text)
    least = emoji * 3 if sort == "emoji" else len(text) / chars_per_token
    assert least <= bound(text) <= 4 * len(text)


def test_more_text_never_has_a_lower_bound() -> None:
    chance = random.Random(7)
    letters = 'ab 1{\n"é漢😀'
    text, before = "", bound("")
    for _ in range(200):
        text += chance.choice(letters)
        assert bound(text) >= before
        before = bound(text)
    assert bound(text, turns=3) > before and bound(text, has_tools=True) >= before + 300
