"""The whole of it: Claude researches the PyTorch example by the command line, real kernels and all.

Its server refuses, fails, repeats itself and breaks code. Every number of the history is held against its run.
"""

import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.types import RunState
from jupyter_deepresearch.store.sqlite import SqliteStore
from jupyter_deepresearch.testing import Answer, Fault, MessagesServer
from tests.claude.mind import Mind
from tests.claude.world import FALLBACK, LEADER, code, parameters, patch

REPOSITORY = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

KEY = "the-key-of-this-test"
NORM = patch(
    "    nn.Conv2d(1, channels, kernel_size=3, padding=1),\n",
    "    nn.Conv2d(1, channels, kernel_size=3, padding=1),\n    nn.BatchNorm2d(channels),\n",
)
MISSPELT = patch("torch.optim.AdamW(", "torch.optim.AdamX(", "cell training")
MENDED = patch("torch.optim.AdamW(", "torch.optim.NAdam(", "cell training")
SMOOTHED = patch("nn.CrossEntropyLoss()", "nn.CrossEntropyLoss(label_smoothing=0.05)", "cell training")
SWEEP = {
    "kind": "sweep",
    "claim": "The learning rate decides",
    "why": "it was never moved",
    "expected": "a gain",
    "space": ["lr: 1e-3..2e-2 log"],
    "trials": 3,
}
PLANS = [
    code("Batch norm after the first convolution helps", "add batch norm"),  # 1
    parameters("More dropout", dropout=0.35),  # 2
    parameters("More dropout, once more", dropout=0.35),  # a duplicate,
    parameters("More channels", channels=24),  # and what comes instead: 3
    code("NAdam converges sooner", "use NAdam"),  # 4, whose dry run fails
    Answer.refusal("frontier_llm"),
    parameters("Less decay", weight_decay=0.003),  # 5, by the fallback
    SWEEP,  # 6 to 8
    Fault.overloaded(),
    Fault.in_stream(),
    code("Smoother labels", "smooth the labels"),  # 9
    parameters("Smaller batches", batch_size=32),  # 10
]
PATCHES = [NORM, MISSPELT, MENDED, Fault.truncated(), SMOOTHED]


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    name, *options = words
    line = [sys.executable, "-m", "jupyter_deepresearch.cli", name, str(folder), *options]
    env = {**os.environ, "ANTHROPIC_API_KEY": KEY}
    return subprocess.run(line, env=env, capture_output=True, text=True, timeout=500, check=False)


def told(folder: Path, *words: str) -> Any:
    done = command(folder, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def researched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mind, MessagesServer, str]:
    """The folder after ten cycles, the mind, the server, and what was printed."""
    folder = tmp_path_factory.mktemp("claude") / "digits_torch"
    shutil.copytree(REPOSITORY / "example_notebooks" / "digits_torch", folder, ignore=shutil.ignore_patterns(".*"))
    mind = Mind(PLANS, PATCHES)
    with MessagesServer(mind, key=KEY) as server:
        toml = (folder / "deepresearch.toml").read_text(encoding="utf-8").split("[researcher]")[0]
        toml = toml.replace("cycles = 20", "cycles = 10\nusd = 0.50\nusd_per_day = 0.40")
        toml += f"""[researcher]
kind = "claude"
base_url = "{server.base_url}/v1/"
leader_model = "{LEADER}"
fallback_model = "{FALLBACK}"
price = {{input = 0.1, output = 0.5}}

[trust]
seeds = 1

[launcher]
gpus = "none"
"""
        (folder / "deepresearch.toml").write_text(toml, encoding="utf-8")
        notebook = folder / "train.ipynb"
        text = notebook.read_text(encoding="utf-8")
        assert text.count("epochs = 10") == 1
        notebook.write_text(text.replace("epochs = 10", "epochs = 3"), encoding="utf-8")
        done = command(folder, "run")
        assert done.returncode == 0, done.stdout + done.stderr
    return folder, mind, server, done.stdout


@pytest.fixture(scope="module")
def log(researched: tuple[Path, Mind, MessagesServer, str]) -> list[ev.Record]:
    with closing(SqliteStore(researched[0] / ".deepresearch" / "ledger.db")) as store:
        return list(store.records())


def test_ten_cycles_end_by_their_budget(researched: tuple[Path, Mind, MessagesServer, str]) -> None:
    status = told(researched[0], "status")
    assert (status["state"], status["stop_reason"], status["cycle"]) == ("finished", "cycles", 10)
    history = told(researched[0], "history")
    kinds = ["baseline", "code", "parameters", "parameters", "code", "parameters", *["sweep"] * 3, "code", "parameters"]
    assert [row["kind"] for row in history] == kinds
    assert [row["claim"] for row in history[1:6]] == [
        "Batch norm after the first convolution helps",
        "More dropout",
        "More channels",
        "NAdam converges sooner",
        "Less decay",
    ]


def test_every_number_of_the_history_is_the_one_its_run_reported(
    researched: tuple[Path, Mind, MessagesServer, str], log: list[ev.Record]
) -> None:
    folder = researched[0]
    outcomes = {r.event.outcome.run: r.event.outcome for r in log if isinstance(r.event, ev.Ended)}
    for row in told(folder, "history"):
        assert row["state"] == "succeeded", row
        runs = [name for name in outcomes if name.startswith(f"{row['experiment']:04d}-") and "dry_run" not in name]
        values = [last_report(folder, name) for name in runs]
        assert len(values) == row["seeds"] == 1 and row["value"] == values[0]
        notebook = nbformat.read(folder / row["notebook"], as_version=4)
        facts = notebook.metadata["deepresearch"]
        assert (facts["value"], facts["hypothesis"]) == (row["value"], row["claim"])
        code_now = "\n".join(cell.source for cell in notebook.cells)
        assert all(edit["replace"] in code_now for edit in row["edits"])
        for name, value in row["parameters"].items():
            assert facts["parameters"][name] == value


def last_report(folder: Path, run: str) -> float:
    lines = (folder / ".deepresearch" / "runs" / run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    reported = [json.loads(line)["values"] for line in lines]
    return float(next(values["val_accuracy"] for values in reversed(reported) if "val_accuracy" in values))


def test_a_failed_dry_run_was_fixed_and_cost_no_training(log: list[ev.Record]) -> None:
    ends = [r.event.outcome for r in log if isinstance(r.event, ev.Ended) and r.event.outcome.run.startswith("0004-")]
    assert [(o.run, o.state) for o in ends] == [
        ("0004-dry_run-seed-1", RunState.CRASHED),
        ("0004-dry_run-seed-1-attempt-2", RunState.SUCCEEDED),
        ("0004-candidate-seed-1", RunState.SUCCEEDED),
    ]
    repaired = next(r.event for r in log if isinstance(r.event, ev.Repaired))
    assert "NAdam" in repaired.experiment.hypothesis.edits[0].replace


def test_a_duplicate_was_told_and_used_no_gpu(researched: tuple[Path, Mind, MessagesServer, str]) -> None:
    again = researched[1].of("plan")[3]
    assert "More dropout" in again.text and "experiment 2" in again.text.lower().replace("#2", "experiment 2")


def test_a_refusal_is_recorded_and_another_model_asked(log: list[ev.Record], researched: Any) -> None:
    answered = [r.event for r in log if isinstance(r.event, ev.Answered)]
    refused = [a for a in answered if json.loads(a.answer).get("stop_reason") == "refusal"]
    assert len(refused) == 1 and "frontier_llm" in refused[0].answer and refused[0].usage.model == LEADER
    models = [request.body["model"] for request in researched[1].of("plan")]
    assert models.count(FALLBACK) == 1 and models[models.index(FALLBACK) - 1] == LEADER
    assert any("frontier_llm" in r.event.text for r in log if isinstance(r.event, ev.Announced))


def test_the_bill_is_what_the_server_counted(
    researched: tuple[Path, Mind, MessagesServer, str], log: list[ev.Record]
) -> None:
    folder, mind, server, _ = researched
    cost = told(folder, "cost")
    answered = [r.event.usage for r in log if isinstance(r.event, ev.Answered)]
    served = len(mind.asked) - 2  # an outage is not an answer; a stream that breaks off is paid for
    assert cost["calls"] == len(answered) == served and server.refused == []
    assert cost["tokens_in"] == sum(u.tokens_in for u in answered) and cost["tokens_out"] == sum(
        u.tokens_out for u in answered
    )
    usd = sum(0.1e-6 * u.tokens_in + 0.5e-6 * u.tokens_out for u in answered)
    assert cost["usd"] == pytest.approx(usd, rel=0.02) and 0 < cost["usd"] < 0.5
    assert cost["calls_while_training"] == 0 and cost["calls_about_live_runs"] == 0
    assert set(cost["by_phase"]) >= {"plan", "patch", "fix", "reflect"}
    assert sum(phase["calls"] for phase in cost["by_phase"].values()) == cost["calls"]
    paid = sum(row["usd"] for row in told(folder, "history"))
    probes = cost["by_phase"].get("probe", {"usd": 0.0})["usd"]
    assert paid == pytest.approx(cost["usd"] - probes, abs=1e-9), "every answer but the probes belongs to an experiment"


def test_a_sweep_of_three_trials_cost_one_plan_and_one_lesson(log: list[ev.Record], researched: Any) -> None:
    by_experiment: dict[int | None, list[str]] = {}
    for event in (r.event for r in log if isinstance(r.event, ev.Answered)):
        by_experiment.setdefault(event.experiment, []).append(event.usage.phase)
    assert 6 not in by_experiment and 7 not in by_experiment and by_experiment[8] == ["reflect"]


def test_no_prompt_holds_a_raw_log_and_all_are_bounded(researched: tuple[Path, Mind, MessagesServer, str]) -> None:
    mind = researched[1]
    assert max(request.chars for request in mind.seen) < 16_000
    for request in mind.of("plan"):
        assert "ten passes over the data" in request.text, "the brief"
        assert "training on cpu" not in request.text, "what was printed"


def test_the_key_is_in_no_file_and_in_nothing_that_was_printed(
    researched: tuple[Path, Mind, MessagesServer, str],
) -> None:
    folder, _, _, printed = researched
    assert "claude" in printed and KEY not in printed
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 100 and not [path for path in files if KEY.encode() in path.read_bytes()]
