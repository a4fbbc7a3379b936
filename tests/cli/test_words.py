"""Which words of a command line mean what."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_deepresearch.cli import main
from jupyter_deepresearch.cli.parser import COMMANDS, parse
from jupyter_deepresearch.config.loading import Options

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("line", "folder", "words"),
    [
        ("status", ".", ()),
        ("status there", "there", ()),
        ("status elsewhere --json", "elsewhere", ()),
        ("diff 3", ".", ("3",)),
        ("diff 3 2", ".", ("3", "2")),
        ("diff there 3 2", "there", ("3", "2")),
        ("diff elsewhere 3", "elsewhere", ("3",)),
        ("logs", ".", ()),
        ("logs there", "there", ()),
        ("logs 0003-confirm-seed-2", ".", ("0003-confirm-seed-2",)),
        ("logs there 0003-confirm-seed-2 -f", "there", ("0003-confirm-seed-2",)),
        ("logs -f elsewhere odd", "elsewhere", ("odd",)),
        ("try lr=3e-4 act=tanh", ".", ("lr=3e-4", "act=tanh")),
        ("try there lr=1", "there", ("lr=1",)),
        ("try elsewhere lr=1", "elsewhere", ("lr=1",)),
        ("approve", ".", ()),
        ("approve there", "there", ()),
        ("approve --json 4", ".", ("4",)),
        ("approve elsewhere 4", "elsewhere", ("4",)),
        ("reject", ".", ()),
        ("reject 4 too slow", ".", ("4", "too", "slow")),
        ("reject too slow", ".", ("too", "slow")),
        ("reject there too slow", "there", ("too", "slow")),
        ("reject elsewhere 4 too slow", "elsewhere", ("4", "too", "slow")),
        ("directive lr below 0.1", ".", ("lr", "below", "0.1")),
        ("directive there lr below 0.1", "there", ("lr", "below", "0.1")),
        ("directive away/elsewhere hello", "away/elsewhere", ("hello",)),
        ("cancel 0003-candidate-seed-1", ".", ("0003-candidate-seed-1",)),
        ("cancel there odd", "there", ("odd",)),
        ("cancel odd", ".", ("odd",)),
        ("reproduce 3 --seeds 2", ".", ("3",)),
        ("reproduce there 3 --seeds 2", "there", ("3",)),
    ],
)
def test_the_first_word_is_the_project_where_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, folder: str, words: tuple[str, ...]
) -> None:
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    request = parse(line.split())
    assert (request.folder, request.words) == (tmp_path / folder, words)


def test_a_text_with_a_slash_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse(["directive", "try 1e-3/2 as lr"]).words == ("try 1e-3/2 as lr",)


def test_options_of_a_start() -> None:
    line = "run p --notebook a.ipynb --metric m --direction minimize --researcher sweep --approval ask --cycles 3"
    request = parse([*line.split(), "--hours", "1.5", "--usd", "0.2", "--kernel", "torch", "--json"])
    assert request.options == Options("a.ipynb", "m", "minimize", "sweep", "ask", 3, 1.5, 0.2, "torch")
    assert request.as_json


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", "usage: jupyter deepresearch COMMAND"),
        ("bogus", "invalid choice: 'bogus'"),
        ("status a b", "found 'b' too much"),
        ("status --after 3", "unrecognized arguments: --after"),
        ("diff", "nothing given for N"),
        ("diff 3 two", "found 'two'"),
        ("diff 1 2 3", "found '3' too much"),
        ("directive", "nothing given for TEXT"),
        ("branch 3 4", "found '4' too much"),
        ("branch p three", "found 'three'; accepted: the number of an experiment, or champion"),
        ("fork", "nothing given for N"),
        ("cancel", "nothing given for RUN"),
        ("reproduce 3", "the following arguments are required: --seeds"),
        ("run --cycles many", "invalid int value: 'many'"),
        ("run --direction up", "invalid choice: 'up'"),
        ("events --after x", "invalid int value: 'x'"),
    ],
)
def test_a_usage_error_says_what_is_accepted(capsys: Capture, line: str, complaint: str) -> None:
    assert main(line.split()) == 2
    said = capsys.readouterr()
    assert complaint in said.out + said.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(capsys: Capture, command: str) -> None:
    assert main([command, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: jupyter deepresearch {command} [PROJECT]")


def test_the_help_lists_every_command(capsys: Capture) -> None:
    assert main(["--help"]) == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.split("commands:")[1].splitlines() if line.strip()}
    assert set(COMMANDS) <= listed
