"""The live curve of the objective against the champion's."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.front.sections import EXPORTS, play, status
from tests.browser.front.stage import Stage

pytestmark = pytest.mark.browser

CHAMPION = {"experiment": 7, "points": [[1, 0.5], [2, 0.6], [3, 0.7], [4, 0.75]]}
LIVE = {"run": "a", "experiment": 9, "seed": 2, "points": [[1, 0.4], [2, None], [3, 0.72]]}


def draw(stage: Stage, live: list[Any], champion: object, running: int) -> None:
    state = {"status": status(running=[{}] * running), "curves": {"live": live, "champion": champion}}
    play(stage, "makeCurves", state)


def test_live_curves_are_seen_against_the_champions(stage: Stage) -> None:
    stage.build(exports=EXPORTS)
    waiting = {"run": "b", "experiment": 10, "seed": 1, "points": []}
    draw(stage, [LIVE, waiting], CHAMPION, 2)
    stage.page.wait_for_selector(".dr-chart[viewBox]")
    assert [" ".join(text.split()) for text in stage.page.locator(".dr-curve-values li").all_inner_texts()] == [
        "#9 seed 2 0.72 at step 3 +0.02 against the champion there",
        "champion #7 0.75 at step 4",
    ]
    assert "1 run without a report yet" in stage.page.locator("figcaption").inner_text()
    assert stage.page.get_by_role("img", name="val_accuracy by step: #9 seed 2 0.72 at step 3").is_visible()
    live = stage.page.locator('.dr-chart path[data-kind="live-0"]').get_attribute("d") or ""
    best = stage.page.locator('.dr-chart path[data-kind="champion"]').get_attribute("d") or ""
    (x1, y1), (x3, y3) = [(float(x), float(y)) for x, y in re.findall(r"M([\d.]+),([\d.]+)h0", live)]
    xs = [float(x) for x in re.findall(r"[ML]([\d.]+),", best)]
    assert (x1, x3, len(xs)) == (xs[0], xs[2], 4)
    assert y1 > y3
    # A further report moves the line and leaves its node where it is.
    stage.page.evaluate(
        """([live, champion]) => {
            document.querySelector('.dr-chart path[data-kind="live-0"]').id = "same";
            stage.panel.state.curves = { live: [live], champion };
            stage.section.update(stage.panel.state);
        }""",
        [{**LIVE, "points": [[1, 0.4], [2, 0.5], [3, 0.72], [5, 0.8]]}, CHAMPION],
    )
    assert (stage.page.locator("#same").get_attribute("d") or "").count("L") == 3
    assert "+0.05 against the champion there" in stage.page.locator(".dr-curve-values").inner_text()


def test_without_a_report_or_a_run_it_says_so(stage: Stage) -> None:
    stage.build("dark", width=300, exports=EXPORTS)
    draw(stage, [{**LIVE, "points": [[1, None]]}], None, 1)
    assert stage.page.get_by_text("no report yet").is_visible()
    assert stage.page.locator(".dr-chart").is_hidden()
    draw(stage, [], CHAMPION, 0)
    stage.page.wait_for_selector(".dr-chart[viewBox]")
    assert "nothing is running: the champion's curve" in stage.page.locator("figcaption").inner_text()
    draw(stage, [{**LIVE, "points": [[0.5, 3]]}], None, 1)
    stage.page.wait_for_selector(".dr-chart[viewBox]")
    assert "NaN" not in stage.page.locator("#views").inner_html()


def test_a_step_far_off_leaves_the_picture_and_names_do_not_lie_on_each_other(stage: Stage) -> None:
    stage.build(exports=EXPORTS)
    spike = [[step, 1e9 if step == 20 else 1 / step] for step in range(1, 41)]
    runs = [{"run": str(seed), "experiment": 9, "seed": seed, "points": spike} for seed in range(3)]
    draw(stage, runs, CHAMPION, 3)
    stage.page.wait_for_selector(".dr-chart[viewBox]")
    live = stage.page.locator('.dr-chart path[data-kind="live-0"]').get_attribute("d") or ""
    heights = [float(y) for y in re.findall(r",(-?[\d.]+)", live)]
    assert min(heights) == heights[19] < -1e6
    assert max(heights[20:]) - min(heights[20:]) > 1
    names = stage.page.locator(".dr-curve-name").evaluate_all(
        "all => all.map((n) => [n.textContent, n.getAttribute('y')])"
    )
    assert [name for name, _ in names] == ["#9 seed 0", "#9 seed 1", "#9 seed 2", "best #7"]
    levels = sorted(float(y) for _, y in names[:3])
    assert levels[1] - levels[0] >= 13
    assert levels[2] - levels[1] >= 13
