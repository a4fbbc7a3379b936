"""What a person presses: each command is sent once and whole, what is refused is said, nothing typed is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.front import research
from tests.browser.front.kernel import answer, commands, refuse, sent
from tests.browser.front.stage import Stage

pytestmark = pytest.mark.browser


def focused(within: Locator) -> str:
    """The accessible name, or else the text, of what has the focus."""
    named = "() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
    return str(within.page.evaluate(named))


def test_what_costs_work_asks_once_and_is_sent_once(stage: Stage) -> None:
    page = stage.page
    stage.build()
    stage.show(**research.traits(status=research.status(running=[research.run(), research.run(5, seed=2)])))
    head = page.locator(".dr-head-section")
    head.get_by_role("button", name="Stop").click()
    question = head.get_by_role("group", name="Stop and cancel 2 live runs (#12 seed 1, #5 seed 2)?")
    expect(question).to_be_visible()
    assert (focused(head), commands(stage)) == ("Go on", [])
    stage.set("status", research.status(running=[research.run(5, seed=2)]))
    question = head.get_by_role("group", name="Stop and cancel 1 live run (#5 seed 2)?")
    expect(question).to_be_visible()
    assert focused(head) == "Go on"
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    assert (focused(head), commands(stage)) == ("Stop", [])
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert commands(stage) == [{"kind": "stop"}]
    stop = head.locator(".dr-steering").get_by_role("button", name="Stop")
    expect(stop).to_be_disabled()
    refuse(stage, "the project is stopped already")
    expect(head).to_contain_text("the project is stopped already")
    expect(stop).to_be_enabled()

    run = page.locator(".dr-run")
    run.get_by_role("button", name="Cancel #5, seed 2").click()
    run.get_by_role("button", name="Cancel the run").click()
    assert commands(stage)[1:] == [{"kind": "cancel", "run": "r5"}]
    answer(stage, {"seq": 141})
    expect(page.locator(".dr-now-section")).to_contain_text("Cancelled #5, seed 2.")

    stage.set("status", research.status(running=[], seq=142))
    head.get_by_role("button", name="Stop").click()  # nothing would be lost, so nothing is asked
    assert commands(stage)[2:] == [{"kind": "stop"}]


def test_a_hypothesis_is_approved_rejected_or_edited(stage: Stage) -> None:
    page = stage.page
    stage.build()
    sweep = {"trials": 12, "space": ["lr 1e-5..1e-1 log", "act relu | tanh"]}
    second = research.waiting(14, edits=[], sweep=sweep, nearest=None, claim="A sweep will find a better lr")
    stage.show(**research.traits(status=research.status(waiting=[research.waiting(), second])))
    answer(stage, [{"name": "lr", "value": 0.001, "own": 0.01, "range": None}], "ask")
    card = page.get_by_role("article", name="hypothesis 13")
    expect(card).to_contain_text("lr: 0.001 → 0.003; schedule = cosine; edits cell model-1")
    expect(card).to_contain_text("#7 Warm-up of one epoch alone will not help: WORSE (0.9589)")
    expect(page.get_by_role("article", name="hypothesis 14")).to_contain_text("12 trials over lr 1e-5..1e-1 log, act")

    card.get_by_role("button", name="Diff").click()
    changed = {"place": "cell model-1", "lines": ["@@ -1 +1 @@", "-step = StepLR(opt)", "+step = CosineLR(opt)", " x"]}
    asked = answer(stage, {"before": 10, "after": 13, "changes": [changed]}, "ask")
    assert (asked["what"], asked["experiment"]) == ("diff", 13)
    lines = card.get_by_role("group", name="changes in cell model-1").locator(".dr-line")
    assert [line.split("\n")[0] for line in lines.all_inner_texts()][1:3] == ["-", "+"]

    card.get_by_role("button", name="Edit").click()
    card.get_by_label("Claim").fill("Cosine will cut the spike, and lr may be higher")
    card.get_by_label("lr", exact=True).fill("5e-3")
    card.get_by_label("New text in cell model-1").fill("step = CosineLR(opt, 8)\n")
    stage.set("status", research.status(waiting=[research.waiting(claim="other"), second], seq=150))
    expect(card.get_by_label("lr", exact=True)).to_have_value("5e-3")
    card.get_by_role("button", name="Save and approve").click()
    edit = {"cell": "model-1", "file": None, "search": "step = StepLR(opt)", "replace": "step = CosineLR(opt, 8)\n"}
    said = {"claim": "Cosine will cut the spike, and lr may be higher"}
    said |= {"parameters": {"lr": "5e-3", "schedule": "cosine"}, "edits": [edit]}
    assert commands(stage) == [{"kind": "edit", "hypothesis": 13, **said}]
    refuse(stage, "edit: lr is 0.005; the cell has no such line")
    expect(card).to_contain_text("the cell has no such line")
    expect(card.get_by_label("lr", exact=True)).to_have_value("5e-3")
    card.get_by_role("button", name="Save and approve").click()
    answer(stage, {"seq": 151})
    page.wait_for_function("() => stage.model.sent.at(-1).command?.kind === 'approve'")
    refuse(stage, "hypothesis 13 was already decided")
    expect(card).to_contain_text("hypothesis 13 was already decided")
    stage.set("status", research.status(waiting=[second], seq=152))
    expect(card).to_contain_text("was already decided elsewhere; what you wrote is kept")
    expect(card.get_by_label("Claim")).to_have_value(said["claim"])
    card.get_by_role("button", name="Cancel").click()
    expect(card).to_have_count(0)

    other = page.get_by_role("article", name="hypothesis 14")
    other.get_by_role("button", name="Reject").click()
    page.keyboard.type("too dear")
    page.keyboard.press("Enter")
    assert commands(stage)[3:] == [{"kind": "reject", "hypothesis": 14, "reason": "too dear"}]
    answer(stage, {"seq": 153})
    expect(page.locator(".dr-waiting-section")).to_contain_text("Rejected hypothesis 14.")
    expect(other.get_by_role("button", name="Approve")).to_be_disabled()
    third = research.waiting(15, edits=[])
    stage.set("status", research.status(waiting=[third], seq=154))
    approve = page.get_by_role("button", name="Approve hypothesis 15")
    approve.press("Enter")
    assert commands(stage)[4:] == [{"kind": "approve", "hypothesis": 15}]
    answer(stage, {"seq": 155})
    expect(approve).to_be_disabled()
    stage.set("status", research.status(waiting=[third | {"claim": "mended"}, research.waiting(16)], seq=156))
    expect(approve).to_be_enabled()  # a repair of it is asked for anew
    approve.focus()
    stage.set("status", research.status(waiting=[research.waiting(16)], seq=157))
    assert focused(approve) == "Approve hypothesis 16"


def test_a_directive_and_an_idea_of_ones_own(stage: Stage) -> None:
    page = stage.page
    stage.build()
    stage.show(**research.traits())
    steer = page.locator(".dr-controls-section")
    box = steer.get_by_label("Directive")
    steer.get_by_role("button", name="Send").click()
    expect(steer).to_contain_text("Write what the researcher should know")
    box.fill("look at the data\nnot at the optimizer")
    stage.set("status", research.status(seq=141, cycle=13))
    stage.set("rows", [research.row(12)])
    assert page.evaluate("() => document.activeElement.value") == "look at the data\nnot at the optimizer"
    steer.get_by_role("button", name="Send").click()
    assert commands(stage) == [{"kind": "directive", "text": "look at the data\nnot at the optimizer"}]
    refuse(stage, "directive: the text has 2,001 characters; at most 2,000 are accepted")
    expect(steer).to_contain_text("at most 2,000 are accepted")
    expect(box).to_have_value("look at the data\nnot at the optimizer")
    steer.get_by_role("button", name="Send").click()
    answer(stage, {"seq": 142})
    expect(steer).to_contain_text("Written; it is read before the next hypothesis.")
    expect(box).to_have_value("")

    steer.get_by_text("Try an idea of your own").click()
    expect(steer).to_contain_text("asking for the parameters")
    refuse(stage, "no answer yet", "ask")
    expect(steer).to_contain_text("no answer yet")
    steer.get_by_role("button", name="Ask again").click()
    lr = {"name": "lr", "value": 0.003, "own": 0.01, "range": "1e-5..1e-1 log"}
    names = [("act", "relu"), ("layers", 2), ("bn", True), ("tag", "1"), ("note", None)]
    parameters = [lr, *({"name": name, "value": value, "own": value, "range": None} for name, value in names)]
    assert answer(stage, parameters, "ask")["what"] == "parameters"
    shown = {name: steer.get_by_label(name, exact=True).input_value() for name in ("lr", *(n for n, _ in names))}
    assert shown == {"lr": "0.003", "act": "relu", "layers": "2", "bn": "True", "tag": '"1"', "note": "None"}
    steer.get_by_role("button", name="Try it").click()
    expect(steer).to_contain_text("Change a value first")
    steer.get_by_label("lr", exact=True).fill(" 3e-2 ")
    steer.get_by_label("bn", exact=True).fill("False")
    steer.get_by_label("Claim").fill("Ten times faster")
    steer.get_by_role("button", name="Try it").click()
    sent_values = {"lr": "3e-2", "bn": "False"}
    assert commands(stage)[2:] == [{"kind": "try", "parameters": sent_values, "claim": "Ten times faster"}]
    refuse(stage, "lr: 0.03 is outside of 1e-5..1e-2")
    expect(steer).to_contain_text("outside of")
    expect(steer.get_by_label("lr", exact=True)).to_have_value(" 3e-2 ")
    assert len({message["id"] for message in sent(stage, "tell")}) == len(commands(stage))
