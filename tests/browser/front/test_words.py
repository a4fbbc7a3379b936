"""The panel says numbers as the magic and the command line do, and keeps the nodes of what stays."""

from __future__ import annotations

import pytest

from jupyter_deepresearch.core.money import dollars
from jupyter_deepresearch.text import number_text, seconds_text, value_of
from tests.browser.front.stage import Stage

pytestmark = pytest.mark.browser

NUMBERS = (0.0, 0.98216, 1.0, -2.5, 1234.5678, 99999.4, 0.00012345, 12.0, 0.1 + 0.2, 100.0, -0.001)
SECONDS = (0.04, 9.94, 10.4, 89.4, 90.0, 240.0, 5399.0, 5400.0, 36_000.0)
USD = (0.0, 0.25, 0.00371, 0.012, 0.31, 0.1234, 12.5, 1234.0, 0.000004)
VALUES = (
    0.003,
    2.27e-06,
    64,
    "relu",
    True,
    False,
    None,
    "1",
    "1e-3",
    "None",
    "true",
    "a b",
    "it's",
    'say "x"',
    "",
    " x",
    -3,
)


def test_one_word_for_one_thing(stage: Stage) -> None:
    stage.build(exports=("number", "duration", "dollars", "typed", "bytes", "measured", "signed", "decisionMark"))
    run = "([name, values]) => values.map((value) => stage.module[name](value))"

    def said(name: str, values: tuple[object, ...]) -> list[str]:
        found: list[str] = stage.page.evaluate(run, [name, list(values)])
        return found

    assert said("number", NUMBERS) == [number_text(value) for value in NUMBERS]
    assert said("duration", SECONDS) == [seconds_text(value) for value in SECONDS]
    assert said("dollars", USD) == [dollars(value) for value in USD]
    # What a form shows is read back as the same value.
    assert [value_of(text.strip()) for text in said("typed", VALUES)] == list(VALUES)
    unknown = (None,)
    assert said("dollars", unknown) == ["price unknown"]
    assert said("number", unknown) + said("duration", unknown) + said("bytes", unknown) == ["-", "-", "-"]
    assert said("bytes", (0, 999, 1240, 9.2e9, 24e9)) == ["0 B", "999 B", "1.2 kB", "9.2 GB", "24.0 GB"]
    assert said("signed", (0.0411, -0.002, 0)) == ["+0.0411", "−0.002", "±0"]
    assert (
        stage.page.evaluate("() => stage.module.measured(0.98216, [0.9806, 0.9838], 3)") == "0.98216 ± 0.0016 (3 seeds)"
    )
    mark = stage.page.evaluate("() => stage.module.decisionMark('failed', 'out_of_memory')")
    assert (mark["word"], mark["kind"]) == ("OUT OF MEMORY", "failed")


def test_nodes_that_stay_are_not_touched(stage: Stage) -> None:
    stage.build(exports=("h", "keyed"))
    found = stage.page.evaluate("""() => {
        const { h, keyed } = stage.module;
        const list = h("ul", {}, h("li", {}, "head"));
        document.getElementById("views").append(list);
        const draw = (items) => keyed(list, items, (item) => item, (item) => h("input", { value: item }));
        draw(["a", "b", "c"]);
        const b = [...list.children][2];
        b.value = "typed";
        b.focus();
        let moved = 0;
        const removed = (all) => all.flatMap((one) => [...one.removedNodes]);
        const watch = new MutationObserver((all) => { moved += removed(all).filter((node) => node === b).length; });
        watch.observe(list, { childList: true });
        const seen = [["new", "a", "b"], ["b", "d"], ["x", "y", "b", "a"], ["b"]].map((items) => {
            draw(items);
            return [...list.children].slice(1).map((node) => node.value).join();
        });
        return new Promise((resolve) => setTimeout(() => resolve([seen, moved, document.activeElement === b])));
    }""")
    assert found == [["new,a,typed", "typed,d", "x,y,typed,a", "typed"], 0, True]
