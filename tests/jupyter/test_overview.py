"""What a sidebar asks a server: the list of all projects, settings, directives, a search."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jupyter.asking import Api, finished, until
from tests.jupyter.doubles import CONFIG, write_project


async def test_the_list_of_all_and_one_of_it(api: Api, folder: Path, jp_root_dir: Path) -> None:
    assert (await api.get("overview")).body == []
    first = await finished(api)
    write_project(jp_root_dir / "deep" / "other", CONFIG)
    second = (await api.post("projects", body={"path": "deep/other", "budget": {"cycles": 1}})).body["id"]
    await until(api, second, "finished")
    rows = (await api.get("overview")).body
    assert [(row["id"], row["place"], row["state"]) for row in rows] == [
        (first, "small", "finished"),
        (second, "deep/other", "finished"),
    ]
    assert (await api.get("overview", project=second)).body == rows[1:]
    status = (await api.get("projects", second)).body
    assert {key: rows[1][key] for key in rows[1] if key in status and key not in ("waiting", "running")} == {
        key: status[key] for key in status if key in rows[1] and key not in ("waiting", "running")
    }
    assert set(rows[1]) - set(status) == {"metric", "direction", "usd_today", "calls_today", "spark"}
    assert rows[1]["spark"] == pytest.approx([0.3, 0.6]) and rows[1]["champion"]["experiment"] == 1


async def test_settings_change_by_configure_and_a_raised_limit_goes_on(api: Api, folder: Path) -> None:
    project = await finished(api)
    settings = (await api.get("projects", project, "settings")).body
    assert settings["approval"] == {"mode": "auto", "auto_after_minutes": None}
    assert (settings["researcher"]["kind"], settings["max_parallel"], settings["seeds"]) == ("sweep", 1, 1)
    assert {"key": "cycles", "limit": None, "spent": 2} in settings["budgets"] and len(settings["budgets"]) == 12
    body = {"kind": "configure", "budget": {"cycles": 2, "usd": 1.5}, "approval": {"mode": "ask"}}
    assert (await api.post("projects", project, "commands", body=body)).code == 202
    body = {"kind": "configure", "budget": {"usd": None}}
    assert (await api.post("projects", project, "commands", body=body)).code == 202
    settings = (await api.get("projects", project, "settings")).body
    limits = {line["key"]: line["limit"] for line in settings["budgets"]}
    assert (limits["cycles"], limits["usd"], settings["approval"]["mode"]) == (2, None, "ask")


async def test_directives_in_force(api: Api, folder: Path) -> None:
    project = await finished(api)
    body = {"kind": "directive", "text": "smaller steps"}
    seq = (await api.post("projects", project, "commands", body=body)).body["seq"]
    (event,) = (await api.get("projects", project, "events", after=seq - 1)).body["events"][:1]
    (found,) = (await api.get("projects", project, "directives")).body["directives"]
    assert {**found, "unread": True} == {"seq": seq, "at": event["at"], "text": "smaller steps", "unread": True}


async def test_a_search_as_it_is_typed(api: Api, folder: Path) -> None:
    project = await finished(api)
    search = ("projects", project, "search")
    assert (await api.get(*search, text="LARGER st")).body == {"experiments": [1], "more": False}
    assert (await api.get(*search, text="step", limit=1)).body == {"experiments": [2], "more": True}
    assert (await api.get(*search, text="#0")).body["experiments"] == [0]
    assert (await api.get(*search)).body["experiments"] == [2, 1, 0]
