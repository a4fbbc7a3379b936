"""The research so far as a picture: every mark where its value is, told to mouse and keyboard alike."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from jupyter_deepresearch.core.enums import Decision, RunState
from tests.browser.front.sections import EXPORTS, Spot, packed, play, read, status
from tests.browser.front.stage import Stage

pytestmark = pytest.mark.browser

BASELINE = Spot(1, Decision.BASELINE, 0.5, 0.48, 0.52)
RESEARCH = (
    BASELINE,
    Spot(2, Decision.WORSE, 0.25),
    Spot(3, Decision.CONFIRMED, 0.75, 0.7, 0.8),
    Spot(4, Decision.FAILED, state=RunState.OUT_OF_MEMORY),
    Spot(5, Decision.INCONCLUSIVE, 0.76, 0.5, 1.0),
    Spot(6, Decision.RETRACTED, 0.9),
    Spot(7, Decision.CONFIRMED, 0.8),
    Spot(8, None, state=RunState.RUNNING),
)
WIDER = {"claim": "a wider layer helps", "parameters": {"hidden": 256}, "edits": [], "delta": 0.25, "reason": None}
CLAIMS = {
    3: {**WIDER, "value": 0.75, "interval": [0.7, 0.8], "seeds": 3},
    4: {**WIDER, "value": None, "interval": None, "seeds": 0, "delta": None, "reason": "9 GB of 8 GB asked for"},
}
CHAMPION = {"experiment": 7, "value": 0.8, "interval": None, "seeds": 1, "claim": "Adam instead of SGD"}


def paint(stage: Stage, spots: tuple[Spot, ...] | list[Spot], direction: str = "maximize", **state: Any) -> None:
    """The picture of these, drawn."""
    stage.build(exports=EXPORTS)
    play(stage, "makePicture", {"status": status(direction, CHAMPION), **state}, spots, CLAIMS)
    if any(math.isfinite(spot.value) for spot in spots):
        stage.page.wait_for_selector(".dr-chart[viewBox]")


def path(stage: Stage, selector: str) -> str:
    return stage.page.locator(f".dr-chart {selector}").get_attribute("d") or ""


def places(stage: Stage, kind: str) -> list[tuple[float, float]]:
    """Where the marks of a verdict are, roughly: where each begins to be drawn."""
    found = re.findall(r"M([\d.]+),([\d.]+)", path(stage, f'[data-kind="{kind}"]'))
    return [(float(x), float(y)) for x, y in found]


def legend(stage: Stage) -> dict[str, int]:
    items = stage.page.locator(".dr-legend li").all_inner_texts()
    return {
        word.strip(): int(count.replace(",", "")) for word, count in (re.split(r"\s+(?=[\d,]+$)", i) for i in items)
    }


def test_points_are_unpacked_and_merged_wherever_the_bytes_begin(stage: Stage) -> None:
    stage.build(exports=EXPORTS)
    whole = """([first, second, broken]) => {
        const view = (bytes) => { const all = new Uint8Array(bytes.length + 3); all.set(bytes, 3);
            return new DataView(all.buffer, 3, bytes.length); };
        const points = new stage.module.Points();
        points.read(view(first), 7); const once = points.revision;
        points.read(view(first), 5); const twice = points.revision;
        points.read(view(second), 9);
        let error = ""; try { points.read(view(broken)); } catch (e) { error = e.message; }
        const column = (name) => points.experiments.map((n) => points[name][n]);
        return { once, twice, seq: points.seq, error, experiments: points.experiments, value: column("value"),
            decision: column("decision"), state: column("state"), measure: column("measure"),
            decisions: stage.module.DECISIONS, states: stage.module.STATES,
            best: [...points.bestLines("maximize")], least: [...points.bestLines("minimize")] };
    }"""
    further = [Spot(5, Decision.WORSE, 0.5, measure=2), Spot(4, Decision.BASELINE, 0.5, measure=2)]
    late = [Spot(2, Decision.CONFIRMED, 0.75), *further]
    first = [BASELINE, Spot(3, Decision.CONFIRMED, 0.25), Spot(4, None, state=RunState.RUNNING)]
    sent = [list(packed(first)), list(packed(late)), list(packed(first))[:-1]]
    found = stage.page.evaluate(whole, sent)
    assert (found["once"], found["twice"], found["seq"]) == (3, 3, 9)
    assert found["error"] == "points: 3 experiments take 64 bytes, found 63"
    assert found["experiments"] == [1, 2, 3, 4, 5]
    assert found["value"] == [0.5, 0.75, 0.25, 0.5, 0.5]
    assert found["decision"] == ["baseline", "confirmed", "confirmed", "baseline", "worse"]
    assert found["measure"] == [1, 1, 1, 2, 2]
    assert found["state"] == ["succeeded"] * 5
    assert found["decisions"] == [None, *map(str, Decision)]
    assert found["states"] == list(map(str, RunState))
    assert found["best"] == [[1, [1, 2]], [2, [4]]]
    assert found["least"] == [[1, [1, 3]], [2, [4]]]


def test_marks_lines_and_bars_lie_where_their_values_are(stage: Stage) -> None:
    paint(stage, RESEARCH)
    counts = {"baseline": 1, "confirmed": 2, "inconclusive": 1, "retracted": 1, "worse": 1, "failed": 1}
    assert legend(stage) == {**counts, "not judged yet": 1}
    assert {kind: len(places(stage, kind)) for kind in counts} == counts
    (confirmed, better), (worse,), (failed,) = (places(stage, kind) for kind in ("confirmed", "worse", "failed"))
    assert worse[0] < confirmed[0] < failed[0] < better[0]
    assert better[1] < confirmed[1] < worse[1] < failed[1]
    # From the baseline to the first confirmed one, on to the second, to the right edge: the retracted one is not in it.
    steps = re.fullmatch(
        r"M([\d.]+),([\d.]+)H([\d.]+)V([\d.]+)H([\d.]+)V([\d.]+)H([\d.]+)",
        path(stage, ".dr-best-line:not(.dr-older-line)"),
    )
    assert steps is not None
    x0, y0, x1, y1, x2, y2, end = map(float, steps.groups())
    assert x0 < x1 < x2 < end
    assert y0 > y1 > y2
    assert (x1 - x0) / (x2 - x1) == pytest.approx(2 / 4, abs=0.01)
    assert (y0 - y1) / (y1 - y2) == pytest.approx(0.25 / 0.05, rel=0.03)
    assert path(stage, ".dr-base-line").startswith(f"M{steps[1]},{steps[2]}H")
    bars = re.findall(r"M([\d.]+),([\d.]+)V([\d.]+)", path(stage, ".dr-bars"))
    assert [float(x) for x, _, _ in bars[:2]] == [x0, x1]
    assert len(bars) == 3
    assert all(float(low) > float(high) for _, low, high in bars)
    assert stage.page.locator(".dr-best-name").text_content() == "best 0.8"
    label = stage.page.get_by_role("img").get_attribute("aria-label") or ""
    assert label.startswith("val_accuracy of 8 experiments; best 0.8 of number 7; baseline 0.5 of number 1.")
    # Where less is better, the value axis is as before, but the running champion is another.
    paint(stage, [BASELINE, Spot(2, Decision.CONFIRMED, 0.25), Spot(3, Decision.CONFIRMED, 0.75)], "minimize")
    line = path(stage, ".dr-best-line:not(.dr-older-line)")
    assert (line.count("V"), stage.page.locator(".dr-best-name").text_content()) == (1, "best 0.25")
    assert places(stage, "confirmed")[0][1] > places(stage, "confirmed")[1][1]


def test_what_a_mark_is_told_to_mouse_and_keyboard(stage: Stage) -> None:
    paint(stage, RESEARCH, rows=[{"experiment": 2, "claim": "from the history", "value": 0.25, "seeds": 1}])
    said, chart = stage.page.locator(".dr-pointed"), stage.page.locator(".dr-chart")
    assert said.inner_text() == "best #7 0.8 (1 seed) Adam instead of SGD"
    x, y = places(stage, "confirmed")[0]
    box = chart.bounding_box()
    assert box is not None
    stage.page.mouse.move(box["x"] + x + 2, box["y"] + y + 4)
    stage.page.wait_for_function("() => document.querySelector('.dr-pointed').innerText.includes('helps')")
    told = "#3 CONFIRMED 0.75 ± 0.05 (3 seeds) a wider layer helps hidden = 256; +0.25 to the champion then"
    assert said.inner_text() == told
    stage.page.mouse.down()
    stage.page.mouse.up()
    assert stage.page.evaluate("() => stage.panel.opened") == [3]
    stage.page.mouse.move(0, 0)
    assert said.inner_text().startswith("best #7")
    chart.focus()
    keys = {"ArrowLeft": "#7 CONFIRMED 0.8", "End": "#8 running", "ArrowRight": "#8 running", "Home": "#1 BASELINE 0.5"}
    for key, begins in keys.items():
        stage.page.keyboard.press(key)
        assert said.inner_text().startswith(begins), key
    for key in ("ArrowRight", "Enter"):
        stage.page.keyboard.press(key)
    assert said.inner_text() == "#2 WORSE 0.25 (1 seed) from the history"
    assert stage.page.evaluate("() => stage.panel.opened") == [3, 2]
    stage.page.keyboard.press("ArrowRight")
    stage.page.keyboard.press("ArrowRight")
    stage.page.wait_for_function("() => document.querySelector('.dr-pointed').innerText.includes('hidden')")
    assert said.inner_text() == "#4 OUT OF MEMORY a wider layer helps hidden = 256; 9 GB of 8 GB asked for"
    # What was pointed at is told anew when its verdict changes; asked once more, and only then.
    before = stage.page.evaluate("() => stage.panel.asked.length")
    read(stage, [Spot(9, None, state=RunState.PENDING)])
    assert stage.page.evaluate("() => stage.panel.asked.length") == before
    read(stage, [Spot(4, Decision.WORSE, 0.3)])
    assert said.inner_text().startswith("#4 WORSE 0.3")
    assert stage.page.evaluate("() => stage.panel.asked.length") == before + 1
    stage.page.keyboard.press("ArrowRight")
    stage.page.wait_for_function("() => document.querySelector('.dr-pointed').innerText.includes('no such experiment')")
    stage.page.keyboard.press("Escape")
    assert said.inner_text().startswith("best #7")


def test_a_new_point_keeps_every_node_and_ten_thousand_are_as_few(stage: Stage) -> None:
    paint(stage, RESEARCH)
    mark = "() => { for (const node of document.querySelectorAll('#views *')) node.dataset.before = 'yes'; }"
    count = "() => [document.querySelectorAll('#views *').length, document.querySelectorAll('[data-before]').length]"
    stage.page.evaluate(mark)
    nodes = stage.page.evaluate(count)[0]
    read(stage, [Spot(8, Decision.WORSE, 0.6)])
    assert legend(stage)["worse"] == 2
    after, kept = stage.page.evaluate(count)
    assert nodes - kept == 4  # the line of what is no longer running in the legend, alone
    kinds = [Decision.WORSE, Decision.INCONCLUSIVE, Decision.CONFIRMED, Decision.FAILED]
    spots = [BASELINE]
    for number in range(2, 10_001):
        kind = kinds[number % 4] if number % 500 < 4 else kinds[number % 2]
        value = math.nan if kind is Decision.FAILED else 0.5 + (number % 97) / 1000
        spots.append(Spot(number, kind, value, value - 0.01, value + 0.01))
    paint(stage, spots)
    assert sum(legend(stage).values()) == 10_000
    assert legend(stage)["inconclusive"] == len(places(stage, "inconclusive")) > 4_000
    assert path(stage, '[data-kind="worse"]').startswith("M")
    assert path(stage, '[data-kind="worse"]').endswith("h0")
    champions = path(stage, ".dr-best-line:not(.dr-older-line)").count("V")
    assert len(re.findall("V", path(stage, ".dr-bars"))) == champions + 1
    assert stage.page.evaluate(count)[0] < 130 > after


def test_what_would_flatten_the_rest_and_what_is_not_compared(stage: Stage) -> None:
    spots = [BASELINE, *(Spot(n, Decision.WORSE, 0.5 + n / 100) for n in range(2, 12)), Spot(12, Decision.WORSE, -1e30)]
    paint(stage, spots)
    assert len(places(stage, "worse")) == 10
    assert path(stage, ".dr-outside").count("M") == 1
    assert "1 value outside, at the edge" in stage.page.locator("figcaption").inner_text()
    heights = [y for _, y in places(stage, "worse")]
    assert max(heights) - min(heights) > 100
    # A new measure: what came before is grey, has no part in the best line, and is no outlier either.
    paint(
        stage, [*RESEARCH, Spot(9, Decision.BASELINE, 40.0, measure=2), Spot(10, Decision.CONFIRMED, 41.0, measure=2)]
    )
    assert legend(stage) == {"baseline": 1, "confirmed": 1, "by an older measure": 8}
    assert path(stage, ".dr-best-line:not(.dr-older-line)").count("V") == 1
    assert path(stage, ".dr-outside") == ""


def test_one_value_or_none_and_a_narrow_page(stage: Stage) -> None:
    paint(stage, [Spot(1, None, state=RunState.RUNNING)])
    assert stage.page.get_by_text("no experiment has a value yet").is_visible()
    assert stage.page.locator(".dr-chart").is_hidden()
    read(stage, [Spot(1, Decision.BASELINE, 0.5)])
    stage.page.wait_for_selector(".dr-chart[viewBox]")
    assert legend(stage) == {"baseline": 1}
    assert stage.page.get_by_text("no experiment has a value yet").is_hidden()
    assert path(stage, ".dr-best-line:not(.dr-older-line)") == ""
    assert "NaN" not in stage.page.locator("#views").inner_html()
    # Two lines at nearly one height: their names do not lie on each other.
    read(stage, [Spot(2, Decision.CONFIRMED, 0.502), Spot(3, Decision.WORSE, 0.4)])
    best, base = (stage.page.locator(f".dr-{word}-name").get_attribute("y") or "" for word in ("best", "base"))
    assert float(base) - float(best) == pytest.approx(15, abs=0.2)
    stage.page.evaluate("() => { document.getElementById('views').style.width = '300px'; }")
    stage.page.wait_for_selector('.dr-chart[viewBox^="0 0 300"]')
    assert stage.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert stage.page.locator(".dr-tick-line").count() >= 2
