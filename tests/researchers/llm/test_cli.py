"""The claude command as a model, with a stand-in of that name on the PATH: a real process each time."""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jupyter_deepresearch.core.answers import Phase
from jupyter_deepresearch.core.project import ResearcherOptions
from jupyter_deepresearch.errors import InvalidConfig, ResearcherFailed, ResearcherStopped
from jupyter_deepresearch.researchers.llm.cli import CommandModel, prompt
from jupyter_deepresearch.researchers.llm.cli_reset import seconds_to_reset
from jupyter_deepresearch.researchers.llm.talk import Abilities, AnswerForm, Reply, Request, Said, Stop, ToolResult


@dataclass(frozen=True)
class Verdict:
    good: bool


REQUEST = Request("haiku", "Be brief.", (Said("How are you?"),), form=AnswerForm.TEXT, max_tokens=3000)

RESULT = {
    "type": "result",
    "subtype": "success",
    "is_error": False,
    "api_error_status": None,
    "duration_ms": 900,
    "num_turns": 1,
    "result": "Well.",
    "stop_reason": "end_turn",
    "session_id": "30f7a294-526a-483e-b9c4-4384deb09e79",
    "total_cost_usd": 0.02,
    "usage": {
        "input_tokens": 3,
        "cache_creation_input_tokens": 200,
        "cache_read_input_tokens": 1000,
        "output_tokens": 17,
        "server_tool_use": {"web_search_requests": 0},
        "service_tier": "standard",
    },
    "permission_denials": [],
}

Stand = Callable[..., CommandModel]


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """A model whose command is a script: ``body`` may use ``say(result)``, sys, os and time."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "bin").mkdir()

    def stand(body: str, timeout_s: float = 30.0, **environ: str) -> CommandModel:
        script = tmp_path / "bin" / "claude"
        script.write_text(
            f"#!{sys.executable} -IS\nimport json, os, sys, time\n"
            f"def say(**changed):\n    print(json.dumps({{**json.loads({json.dumps(RESULT)!r}), **changed}}))\n{body}\n"
        )
        script.chmod(0o755)
        path = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "HOME": "/home/ada"}
        return CommandModel(ResearcherOptions(), {**path, **environ}, timeout_s=timeout_s)

    return stand


def ask(model: CommandModel, request: Request = REQUEST) -> Reply:
    text, _ = asyncio.run(model.ask(request, Phase.PLAN))
    return model.reply(text)


def test_an_answer_is_heard_counted_and_read_from_the_log(stand: Stand) -> None:
    model = stand("sys.stdin.read(); say()")
    text, usage = asyncio.run(model.ask(REQUEST, Phase.PLAN))
    reply = model.reply(text)
    assert (reply.text, reply.stop, reply.calls) == ("Well.", Stop.END, ())
    assert (usage.phase, usage.model, usage.tokens_in, usage.tokens_out, usage.tokens_cached) == (
        "plan",
        "haiku",
        1203,
        17,
        1000,
    )
    assert usage.usd is None
    assert usage.latency_s is not None and usage.latency_s > 0
    assert "session" not in text


def test_the_command_gets_no_tools_no_settings_and_no_key(stand: Stand, tmp_path: Path) -> None:
    keys = {
        "ANTHROPIC_API_KEY": "sk-ant-1",
        "ANTHROPIC_AUTH_TOKEN": "t",
        "DEEPRESEARCH_RUN": "7",
        "CLAUDECODE": "1",
        "CLAUDE_CODE_OAUTH_TOKEN": "theirs",
    }
    body = (
        "seen = dict(argv=sys.argv[1:], env=dict(os.environ), cwd=os.getcwd(), files=os.listdir())\n"
        "seen['text'] = sys.stdin.read()\n"
        f"open({str(tmp_path / 'seen')!r}, 'w').write(json.dumps(seen)); say()"
    )
    ask(stand(body, **keys), replace(REQUEST, answer=Verdict))
    seen = json.loads((tmp_path / "seen").read_text())
    argv = seen["argv"]
    assert argv[:5] == ["-p", "--model", "haiku", "--system-prompt", "Be brief."]
    for flag, value in (("--output-format", "json"), ("--tools", ""), ("--setting-sources", "")):
        assert argv[argv.index(flag) + 1] == value
    assert {"--no-session-persistence", "--strict-mcp-config", "--disable-slash-commands"} <= set(argv)
    env = seen["env"]
    assert not {"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "DEEPRESEARCH_RUN", "CLAUDECODE"} & set(env)
    assert (env["HOME"], env["CLAUDE_CODE_OAUTH_TOKEN"]) == ("/home/ada", "theirs")
    assert (env["CLAUDE_CODE_MAX_OUTPUT_TOKENS"], env["CLAUDE_CODE_EFFORT_LEVEL"]) == ("3000", "medium")
    assert env["CLAUDE_CODE_DISABLE_CLAUDE_MDS"] == "1"
    assert seen["files"] == []
    assert Path(seen["cwd"]).stat().st_uid == os.getuid()
    assert seen["text"].startswith("How are you?\n\nAnswer with one JSON object of this schema")
    assert '"good":{"type":"boolean"}' in seen["text"]


def test_the_folder_it_runs_in_is_the_same_and_empty(stand: Stand, tmp_path: Path) -> None:
    model = stand(f"open({str(tmp_path / 'seen')!r}, 'a').write(os.getcwd() + '\\n'); open('litter', 'w'); say()")
    for _ in range(3):
        ask(model)
    usual, second, third = (tmp_path / "seen").read_text().split()
    assert Path(usual).name == f"deepresearch-claude-{os.getuid()}"
    assert len({usual, second, third}) == 3  # littered: a fresh one each time, which is gone afterwards
    assert not Path(second).exists()


def test_several_turns_are_one_text() -> None:
    turns = (Said("First?"), Reply("[]", Stop.END, "One."), Said("And?", (ToolResult("c1", "nothing", is_error=True),)))
    assert prompt(replace(REQUEST, turns=turns)) == (
        "A conversation so far. Answer its last message.\n\n[1: they]\nFirst?\n\n[2: you]\nOne.\n\n"
        "[3: they]\nResult of call c1 (an error): nothing\nAnd?"
    )


def test_the_identity_is_that_of_all_that_is_given(stand: Stand) -> None:
    model = stand("")
    others = [
        replace(REQUEST, model="opus"),
        replace(REQUEST, system="Be long."),
        replace(REQUEST, turns=(Said("How?"),)),
        replace(REQUEST, answer=Verdict),
        replace(REQUEST, max_tokens=1),
    ]
    assert len({model.identity(request) for request in (REQUEST, *others)}) == 6
    assert model.identity(REQUEST) == stand("", HOME="/elsewhere").identity(replace(REQUEST))


def test_the_ceiling_holds_what_the_answer_takes(stand: Stand) -> None:
    model = stand("sys.stdin.read(); say()")
    ceiling = model.ceiling(REQUEST, Phase.PLAN)
    _, usage = asyncio.run(model.ask(REQUEST, Phase.PLAN))
    assert ceiling.usd is None
    assert ceiling.tokens_in >= usage.tokens_in
    assert ceiling.tokens_out == 3000


@pytest.mark.parametrize("usage", ["None", "{}", "'many'", "{'input_tokens': 'three'}"])
def test_tokens_that_are_not_told_are_estimated(stand: Stand, usage: str) -> None:
    _, taken = asyncio.run(stand(f"say(usage={usage})").ask(REQUEST, Phase.PLAN))
    assert 5 <= taken.tokens_in < 40
    assert 2 <= taken.tokens_out < 10
    assert taken.tokens_cached == 0


@pytest.mark.parametrize(
    ("said", "stop"),
    [
        ({"stop_reason": "max_tokens"}, Stop.CUT),
        ({"stop_reason": "refusal"}, Stop.REFUSED),
        ({"stop_reason": None}, Stop.END),
        (
            {
                "is_error": True,
                "result": "API Error: Claude is unable to respond to this request, which violates our Usage Policy",
            },
            Stop.REFUSED,
        ),
    ],
)
def test_why_it_ended(stand: Stand, said: dict[str, Any], stop: Stop) -> None:
    assert ask(stand(f"say(**{said})")).stop is stop


def test_an_answer_that_speaks_of_limits_and_logins_is_an_answer(stand: Stand) -> None:
    text = '{"claim": "usage limit reached; please run /login · resets 3pm"}'
    assert ask(stand(f"say(result={text!r})")).text == text


def test_warnings_before_the_answer_do_no_harm(stand: Stand) -> None:
    assert ask(stand("print('npm WARN old'); say(); sys.stderr.write('noise')")).text == "Well."


def test_a_large_question_and_answer_pass_the_pipes(stand: Stand) -> None:
    model = stand("say(result=sys.stdin.read())")
    long = "wörter " * 200_000
    assert ask(model, replace(REQUEST, turns=(Said(long),))).text == long


def test_text_that_no_pipe_can_hold_is_replaced(stand: Stand) -> None:
    odd = replace(REQUEST, system="a\0b\ud800", turns=(Said("x\ud800"),))
    model = stand("say(result=sys.stdin.read() + '|' + sys.argv[5])")
    assert ask(model, odd).text == "x?|ab?"
    assert model.identity(odd)


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("say(is_error=True, result='Not logged in · Please run /login'); sys.exit(1)", "type /login, and resume"),
        ("say(result='Not logged in · Please run /login')", "type /login, and resume"),
        ("say(is_error=True, api_error_status=401, result='OAuth token revoked')", "type /login"),
        ("sys.stderr.write('Invalid API key · Please run /login'); sys.exit(1)", "type /login"),
        (
            "say(is_error=True, api_error_status=404, result='There is an issue with the selected model (haiku).')",
            "has no model haiku: set [researcher] leader_model",
        ),
        ("sys.stderr.write(\"error: unknown option '--tools'\"); sys.exit(1)", "run `claude update`"),
        ("say(is_error=True, result='Credit balance is too low'); sys.exit(1)", "may not ask haiku"),
        ("say(is_error=True, result='Prompt is too long'); sys.exit(1)", "too large"),
    ],
)
def test_what_only_the_person_can_mend_stops(stand: Stand, body: str, part: str) -> None:
    with pytest.raises(ResearcherStopped) as stopped:
        ask(stand(f"sys.stdin.read(); {body}"))
    assert part in str(stopped.value)
    assert "\n" not in str(stopped.value)


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("say(is_error=True, api_error_status=529, result='API Error: Overloaded'); sys.exit(1)", "(exit 1, 529): API"),
        ("say(is_error=True, subtype='error_during_execution', result=None)", "error_during_execution"),
        ("say(subtype='error_max_turns', result=None)", "error_max_turns"),
        ("pass", "printed what is no answer: nothing"),
        ("print('garbage {'); print('more')", "printed what is no answer: garbage { more"),
        ("print('[]'); print('{\"type\": \"system\"}')", "printed what is no answer"),
        ("sys.stdout.buffer.write(bytes(range(256)))", "printed what is no answer"),
        (
            "sys.stderr.write('Segmentation fault sk-ant-oat01-secret'); sys.exit(139)",
            "(exit 139): Segmentation fault ***",
        ),
        ("os.kill(os.getpid(), 9)", "(exit -9)"),
        ("print('x' * 9_000_000)", "more than 8 MB"),
    ],
)
def test_what_may_pass_is_tried_later(stand: Stand, body: str, part: str) -> None:
    with pytest.raises(ResearcherFailed) as failed:
        ask(stand(body))
    assert part in str(failed.value)
    assert "\n" not in str(failed.value)
    assert failed.value.retry_after_s is None


def test_a_limit_says_when_it_ends(stand: Stand) -> None:
    body = "say(result=f'Claude AI usage limit reached|{int(time.time()) + 7200}')"
    with pytest.raises(ResearcherFailed, match="limit of the subscription is reached") as failed:
        ask(stand(body))
    assert failed.value.retry_after_s is not None
    assert 7170 < failed.value.retry_after_s < 7300


def test_a_limit_without_a_time_is_waited_out(stand: Stand) -> None:
    body = 'say(is_error=True, api_error_status=429, result="You\'ve hit your weekly limit"); sys.exit(1)'
    with pytest.raises(ResearcherFailed) as failed:
        ask(stand(body))
    assert failed.value.retry_after_s == 1800.0


NOON = datetime(2026, 4, 22, 12, 0, tzinfo=ZoneInfo("America/Recife")).timestamp()


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("You've hit your limit · resets 3:20pm (America/Recife)", 12_000),
        ("You've hit your session limit • resets 11am (America/Recife)", 82_800),
        ("You've hit your limit · resets Apr 23 at 4pm (America/Recife)", 100_800),
        ("You've hit your weekly limit · resets Apr 25, 12am (America/Recife)", 216_000),
        ("Claude usage limit reached. Your limit will reset at 5pm (UTC).", 7_200),
        (f"Claude AI usage limit reached|{int(NOON) + 90}", 90),
        (f"Claude AI usage limit reached|{int(NOON) - 90}", 0),
        ("You've hit your limit · resets Jan 3 at 4pm (America/Recife)", None),
        ("You've hit your limit · resets Feb 31 at 4pm (America/Recife)", None),
        ("You've hit your limit · resets soon", None),
    ],
)
def test_the_end_of_a_limit_is_read(said: str, seconds: float | None) -> None:
    found = seconds_to_reset(said, NOON)
    assert found == (None if seconds is None else seconds + 60)


def test_a_time_in_an_unknown_zone_is_taken_as_local() -> None:
    found = seconds_to_reset("limit · resets 3pm (Mars/Olympus)", NOON)
    assert found is not None and 0 < found <= 86_460


def test_no_command_stops_with_what_to_do(tmp_path: Path) -> None:
    model = CommandModel(ResearcherOptions(), {"PATH": str(tmp_path)})
    with pytest.raises(ResearcherStopped, match="no command 'claude' on the PATH: install Claude Code"):
        ask(model)


def test_a_command_whose_interpreter_is_gone_stops(stand: Stand, tmp_path: Path) -> None:
    model = stand("")
    (tmp_path / "bin" / "claude").write_text("#!/nowhere/node\n")
    with pytest.raises(ResearcherStopped, match="cannot be started"):
        ask(model)


def test_a_base_url_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="does not go with kind"):
        CommandModel(ResearcherOptions(base_url="http://localhost:11434"), {})


_WITH_CHILD = """
import subprocess
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])
open({pids!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')
"""


def test_one_that_hangs_is_ended_with_all_it_started(stand: Stand, tmp_path: Path) -> None:
    model = stand(_WITH_CHILD.format(pids=str(tmp_path / "pids")) + "time.sleep(300)", timeout_s=1.5)
    with pytest.raises(ResearcherFailed, match=r"claude did not answer within 1\.5 s"):
        ask(model)
    assert gone(tmp_path / "pids")


def test_cancelling_ends_the_process(stand: Stand, tmp_path: Path) -> None:
    model = stand(_WITH_CHILD.format(pids=str(tmp_path / "pids")) + "time.sleep(300)")

    async def cancelled() -> None:
        asking = asyncio.create_task(model.ask(REQUEST, Phase.PLAN))
        while not (tmp_path / "pids").exists() or " " not in (tmp_path / "pids").read_text():
            await asyncio.sleep(0.02)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(asyncio.wait_for(cancelled(), 30))
    assert gone(tmp_path / "pids")


def test_a_child_that_holds_the_pipes_does_not_hold_the_answer(stand: Stand, tmp_path: Path) -> None:
    model = stand(_WITH_CHILD.format(pids=str(tmp_path / "pids")) + "say()")
    assert ask(model).text == "Well."
    assert gone(tmp_path / "pids")


def gone(pids: Path) -> bool:
    """Whether all of these processes end, within seconds."""
    until = time.monotonic() + 10
    while alive := [pid for pid in map(int, pids.read_text().split()) if running(pid)]:
        if time.monotonic() > until:
            return not alive
        time.sleep(0.02)
    return True


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_it_talks_and_no_more(stand: Stand) -> None:
    asked: list[Request] = []
    model = stand("sys.stdin.read(); say(result='OK')")

    async def probe(request: Request) -> Reply:
        asked.append(request)
        text, _ = await model.ask(request, Phase.PROBE)
        return model.reply(text)

    assert asyncio.run(model.abilities("haiku", probe)) == Abilities(AnswerForm.TEXT, tools=False)
    assert len(asked) == 1
    logged_out = stand("say(is_error=True, result='Not logged in · Please run /login'); sys.exit(1)")
    model = logged_out
    with pytest.raises(ResearcherStopped, match="/login"):
        asyncio.run(model.abilities("haiku", probe))
