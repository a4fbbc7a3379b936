"""The stage itself: what is written here about a view is true only if the stage plays the kernel rightly."""

from __future__ import annotations

import pytest

from tests.browser.front.stage import Stage

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_view_gets_traits_bytes_and_messages_and_is_taken_away(
    stage: Stage, theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = """export default { render({ model, el }) {
        const show = () => { el.textContent = `${model.get("a")} ${model.get("b").getUint8(0)}`; };
        const hear = (message, buffers) => { el.textContent = message.kind + buffers[0].byteLength; };
        model.on("change:a change:b", show); model.on("msg:custom", hear); show(); model.send({ kind: "hello" });
        return () => { model.off("change:a change:b", show); model.off("msg:custom", hear); };
    } };"""
    monkeypatch.setattr("tests.browser.front.stage.front.script", lambda: module)
    stage.build(theme)
    stage.show(a=1, b=b"\x07")
    view = stage.page.locator("#views > div")
    assert (view.inner_text(), stage.sent()) == ("1 7", [{"kind": "hello"}])
    stage.set("a", 2)
    assert view.inner_text() == "2 7"
    stage.deliver({"kind": "points"}, b"\x01\x02\x03")
    assert view.inner_text() == "points3"
    stage.clear()
    assert (view.count(), stage.page.evaluate("() => stage.model.listeners.length")) == (0, 0)
    ground = stage.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 17, 17)"}[theme]
