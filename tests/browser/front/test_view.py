"""The panel as a whole: everything is drawn whatever is in it, and a view comes, waits and goes as it should."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.front import research
from tests.browser.front.kernel import answer, commands, sent
from tests.browser.front.stage import Stage

pytestmark = pytest.mark.browser

HOSTILE = "</script><img src=x onerror=\"throw new Error('ran')\"> ${alert(1)} <b>bold</b> \u202e"
LONG = "a very long sentence without an end; " * 60
UNBROKEN = "x" * 2000


def hostile(text: str) -> dict[str, Any]:
    """A research in which whatever a model or a person writes is this text."""
    row = research.row(12, claim=text, notebook=text, reason=text, parameters={text: text})
    waits = research.waiting(claim=text, rationale=text, parameters={text: text})
    waits["edits"] = [{"cell": text, "file": None, "search": text, "replace": text}]
    waits["estimate"] = {"minutes": None, "usd": None, "basis": text}
    waits["sweep"] = {"trials": 3, "space": [text]}
    run = research.run(note=text, latest={"step": None, "values": {text: None}})
    status = research.status(project=text, reason=text, remarks=[text], running=[run], waiting=[waits])
    status["champion"]["claim"] = status["objective"]["metric"] = text
    memory = research.memory(brief=text, log=text, entered=[text], dropped=[text])
    cost = research.cost("2026-11-23", by_phase={text: research.spent(1, None)})
    return research.traits(status=status, rows=[row], memory=memory, cost=cost, trouble=text)


def test_texts_stay_texts_and_stay_within_the_panel(stage: Stage) -> None:
    for text, width in ((HOSTILE, 1000), (LONG, 1000), (UNBROKEN, 420)):
        stage.build(width=width)
        stage.show(**hostile(text))
        panel = stage.page.locator(".dr-panel")
        expect(panel.locator(".dr-title")).to_contain_text(text[:60])
        for button in ("Edit", "Reject"):
            panel.get_by_role("button", name=f"{button} hypothesis 13").click()
            panel.get_by_role("button", name="Cancel" if button == "Edit" else "Keep it waiting", exact=True).click()
        assert panel.locator("img:not([alt]):not([role]), script, b:text-is('bold')").count() == 0
        wide = "() => document.querySelector('.dr-panel').scrollWidth - document.querySelector('.dr-panel').clientWidth"
        assert stage.page.evaluate(wide) <= 0
        stage.clear()


def test_what_is_not_known_is_not_shown_as_zero_and_empty_parts_say_what_to_do(stage: Stage) -> None:
    stage.build()
    stage.show(**dict.fromkeys(("status", "curves", "memory", "cost", "trouble", "points")), rows=[], points_seq=0)
    panel = stage.page.locator(".dr-panel")
    for text in ("Nothing has been heard", "No run yet", "Nothing waits", "No experiment yet", "No memory yet"):
        expect(panel).to_contain_text(text)
    assert panel.get_by_role("button", name="Stop").count() == 0

    unknown = research.run(
        elapsed_s=None, remaining_s=None, resources=None, latest=None, purpose="dry_run", run="r1", experiment=1
    )
    unpriced = research.cost("2026-11-23", usd=None, by_day={}, unpriced_calls=2, budgets=[])
    unpriced["by_phase"] = {"think": research.spent(2, None)}
    stage.set("cost", unpriced)
    stage.set(
        "status", research.status(baseline=None, champion=None, running=[unknown, research.run(), research.run(5)])
    )
    expect(panel.locator(".dr-run")).to_have_count(3)
    first = panel.locator(".dr-run").first
    assert (first.locator("progress").is_visible(), first.locator(".dr-figures span").count()) == (False, 0)
    expect(first).to_contain_text("#1 dry run, seed 1")
    second = panel.locator(".dr-run").nth(1)
    expect(second).to_contain_text("about 4 min left")
    expect(second).to_contain_text("GPU memory 9.2 GB")
    assert second.locator("progress").evaluate("bar => bar.value") == pytest.approx(140 / 372)
    assert "$0.00" not in panel.locator(".dr-cost-section").inner_text().replace("$0.00, no call", "")
    expect(panel.locator(".dr-cost-section")).to_contain_text("price unknown, 31 calls")
    expect(panel.locator(".dr-cost-section")).to_contain_text("LLM calls while training")


def test_a_part_that_cannot_be_shown_says_so_and_stops_no_other(stage: Stage) -> None:
    stage.build()
    stage.show(**research.traits(memory={"brief": None}))
    expect(stage.page.locator(".dr-memory-section")).to_contain_text("This part cannot be shown")
    expect(stage.page.locator(".dr-cost-section")).to_contain_text("$0.31, 31 calls")
    stage.set("memory", research.memory(brief="x" * 1612))
    memory = stage.page.locator(".dr-memory-section")
    expect(memory).not_to_contain_text("This part cannot be shown")
    expect(memory.get_by_role("meter").first).to_have_attribute("aria-valuetext", "1,612 of 3,000 characters")
    marks = memory.locator(".dr-line:not(.dr-same)").all_inner_texts()
    assert [text.split()[0] for text in marks] == ["+", "~", "−"]


def test_a_view_says_hello_and_here_and_knows_when_nobody_answers(stage: Stage) -> None:
    page = stage.page
    page.clock.install(time="2026-11-23T10:00:00Z")
    stage.build()
    stage.show(**research.traits())
    assert sent(stage, "hello") == [{"kind": "hello", "seq": 140}]
    page.clock.run_for(39_000)
    assert len(sent(stage, "here")) == 1
    trouble = page.locator(".dr-trouble")
    expect(trouble).to_have_text("")
    stage.deliver({"kind": "beat"})
    page.clock.run_for(39_000)
    expect(trouble).to_have_text("")
    page.clock.run_for(7_000)
    expect(trouble).to_contain_text("Detached")
    stage.set("trouble", "reconnecting: the server does not answer")
    expect(trouble).to_have_text("reconnecting: the server does not answer")

    stage.deliver({"kind": "points", "after": 200, "seq": 210}, b"\0\0\0\0")
    assert sent(stage, "hello")[1:] == [{"kind": "hello", "seq": 140}]  # something between was missed

    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(31_000)
    head = page.locator(".dr-head-section")
    expect(head).to_contain_text("it is done when the kernel is free")
    expect(page.get_by_role("button", name="Pause")).to_be_disabled()
    answer(stage, {"seq": 141})
    expect(head).to_contain_text("Paused: nothing new is started")
    expect(head).not_to_contain_text("the kernel is busy")
    assert commands(stage) == [{"kind": "pause"}]
    page.clock.run_for(10_000)
    expect(head).to_contain_text("Paused: nothing new is started")
    stage.set("status", research.status(state="paused", reason="Paused by you.", seq=141))
    expect(head).not_to_contain_text("nothing new is started")
    assert head.locator(".dr-steering").get_by_role("button").all_inner_texts() == ["Resume", "Stop"]

    page.evaluate("() => { stage.model.send = () => { throw new Error('Cannot send'); }; }")  # as after a restart
    page.clock.run_for(20_000)
    expect(trouble).to_contain_text("Detached")
    page.get_by_role("button", name="Resume").click()
    expect(head).to_contain_text("this view is detached")


def test_a_view_that_is_closed_leaves_nothing_behind(stage: Stage) -> None:
    watch = """() => {
        window.timers = new Set();
        for (const kind of ["Interval", "Timeout"]) {
            const [set, clear] = [window[`set${kind}`], window[`clear${kind}`]];
            window[`set${kind}`] = (...rest) => { const timer = set(...rest); timers.add(timer); return timer; };
            window[`clear${kind}`] = (timer) => { timers.delete(timer); clear(timer); };
        }
        window.documents = 0;
        const [add, remove] = [document.addEventListener, document.removeEventListener];
        document.addEventListener = (...rest) => { documents += 1; add.apply(document, rest); };
        document.removeEventListener = (...rest) => { documents -= 1; remove.apply(document, rest); };
    }"""
    stage.build()
    stage.page.evaluate(watch)
    stage.page.evaluate("() => document.getElementById('views').classList.add('jp-OutputArea')")
    stage.show(**research.traits())
    stage.again()
    expect(stage.page.locator(".dr-panel")).to_have_count(2)
    stage.page.get_by_role("button", name="Pause").first.click()
    assert len(commands(stage)) == 1
    stage.page.wait_for_function("() => document.getElementById('views').classList.contains('dr-has-live')")
    asked = len(sent(stage, "ask")) + len(sent(stage, "tell"))
    assert stage.page.evaluate("() => [timers.size, documents]") == [2 * 2 + asked, 2]
    stage.clear()
    left = stage.page.evaluate("() => [timers.size, documents, stage.model.listeners.length]")
    assert left == [0, 0, 0]
    assert stage.page.locator(".dr-has-live").count() == 0
