"""A bare page on which the panel's scripts run as in a notebook, but for the kernel, which the test itself plays."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from jupyter_deepresearch.jupyter.panel import front

THEMES = Path(sys.prefix) / "share" / "jupyter" / "lab" / "themes" / "@jupyterlab"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>stage</title><style>{style}</style></head>
<body data-jp-theme-light="{light}"><div id="views" style="width: {width}px"></div></body></html>"""


def theme_variables(theme: str) -> str:
    """The variables of JupyterLab's own "light" or "dark" theme."""
    whole = (THEMES / f"theme-{theme}-extension" / "index.css").read_text(encoding="utf-8")
    return "\n".join(re.findall(r":root\s*\{[^}]*\}", whole))


def carried(value: object) -> object:
    """A trait's value as the page gets it: bytes become a DataView there, all else is JSON."""
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


@dataclass
class Stage:
    """The page, and what it complained about."""

    page: Page
    errors: list[str] = field(default_factory=list)

    def build(self, theme: str = "light", width: int = 1000, exports: Sequence[str] = ()) -> None:
        """An empty page with the scripts loaded; ``exports`` are names of functions wanted in ``stage.module``."""
        ground = "body { margin: 0; padding: 8px; background: var(--jp-layout-color0); color: var(--jp-ui-font-color1);"
        ground += " font: var(--jp-ui-font-size1)/1.4 var(--jp-ui-font-family); }"
        style = "\n".join((theme_variables(theme), ground, front.style()))
        self.page.set_content(PAGE.format(style=style, light=json.dumps(theme == "light"), width=width))
        self.page.add_script_tag(path=Path(__file__).with_name("stage.js"))
        wanted = f"\nexport {{ {', '.join(exports)} }};" if exports else ""
        self.page.evaluate("source => stage.load(source)", front.script() + wanted)

    def show(self, **traits: object) -> None:
        """A model with these traits, and a first view of it."""
        self.page.evaluate("traits => stage.put(traits)", {name: carried(value) for name, value in traits.items()})
        self.again()

    def again(self) -> None:
        """A further view of the model."""
        self.page.evaluate("() => stage.render()")

    def set(self, name: str, value: object) -> None:
        """The kernel replaces a trait."""
        self.page.evaluate("([name, value]) => stage.set(name, value)", [name, carried(value)])

    def deliver(self, content: Mapping[str, object], *buffers: bytes) -> None:
        """The kernel sends a message."""
        packed = [base64.b64encode(buffer).decode() for buffer in buffers]
        self.page.evaluate("([content, buffers]) => stage.deliver(content, buffers)", [content, packed])

    def sent(self) -> list[dict[str, Any]]:
        """What the view sent so far, oldest first."""
        found: list[dict[str, Any]] = self.page.evaluate("() => stage.model.sent")
        return found

    def clear(self) -> None:
        """All views are closed."""
        self.page.evaluate("() => stage.clear()")
