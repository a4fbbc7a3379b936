"""A research in its twelfth cycle, as the kernel tells it to a view: what the front's tests begin with."""

from __future__ import annotations

from typing import Any

from jupyter_deepresearch.core.enums import Decision, RunState
from tests.browser.front.sections import Spot, packed

CLAIMS = {
    0: "The notebook as it is",
    4: "A cosine schedule will keep the last epochs from oscillating",
    7: "Warm-up of one epoch alone will not help",
    9: "Width 4096 will overfit within two epochs",
    10: "Adam with lr 3e-3 will beat SGD within 8 epochs, because the loss surface is badly scaled in the first layer",
    11: "Dropout 0.5 after the second layer will close the gap between training and validation",
    12: "A wider hidden layer will lift accuracy, as training loss still falls when the epochs end",
}
WORDS = {0: "baseline", 4: "confirmed", 7: "worse", 9: "failed", 10: "confirmed", 11: "worse"}
VALUES = {0: 0.9411, 4: 0.9602, 7: 0.9589, 10: 0.9822, 11: 0.962}


def row(number: int, **other: Any) -> dict[str, Any]:
    """One row of the history."""
    decision = None if number == 12 else WORDS.get(number, "inconclusive")
    value = None if number in (9, 12) else VALUES.get(number, 0.95 + number / 1000)
    many = decision in ("baseline", "confirmed")
    state = {12: "running", 9: "out_of_memory"}.get(number, "succeeded")
    found: dict[str, Any] = {
        "experiment": number,
        "cycle": number,
        "parent": None if number == 0 else 0,
        "kind": "parameters",
    }
    found |= {"claim": CLAIMS.get(number, f"Learning rate number {number} will do better"), "edits": []}
    found |= {"parameters": {"lr": 0.001 * (number + 1)}, "state": state, "decision": decision, "value": value}
    found |= {"interval": [value - 0.0016, value + 0.0016] if many and value else None, "seeds": 3 if many else 1}
    found |= {"elapsed_s": None if number == 12 else 61.0 + 9 * number, "usd": 0.0011 * number, "measure": 1}
    found |= {"notebook": f"experiments/{number:04d}-idea no {number}.ipynb", "reason": "one seed was enough"}
    found |= {"delta": None if value is None or number == 0 else value - 0.9602}
    return found | other


def rank(number: int) -> dict[str, Any]:
    of = row(number)
    return {key: of[key] for key in ("experiment", "value", "interval", "seeds", "notebook", "claim")}


def run(number: int = 12, **other: Any) -> dict[str, Any]:
    """A live run."""
    found: dict[str, Any] = {"run": f"r{number}", "experiment": number, "purpose": "candidate", "seed": 1, "pid": 41}
    found |= {"kernel_pid": 42, "elapsed_s": 140.0, "remaining_s": 232.0, "note": ""}
    found |= {"latest": {"step": 3, "values": {"val_accuracy": 0.97113, "train_loss": 0.0843}}}
    found["resources"] = {
        "cpu_percent": 181.3,
        "memory_bytes": 1_240_000_000,
        "gpu_percent": 71.0,
        "gpu_memory_bytes": 9_200_000_000,
    }
    return found | other


def waiting(number: int = 13, **other: Any) -> dict[str, Any]:
    """A hypothesis that waits."""
    near = {"experiment": 7, "claim": CLAIMS[7], "decision": "worse", "value": 0.9589}
    edit = {"cell": "model-1", "file": None, "search": "step = StepLR(opt)", "replace": "step = CosineLR(opt)"}
    return {
        "hypothesis": number,
        "claim": "Cosine schedule will cut the loss spike at epoch 5",
        "rationale": "Experiments 9 and 11 spiked right after the step decay",
        "kind": "code",
        "parameters": {"lr": 0.003, "schedule": "cosine"},
        "edits": [edit],
        "estimate": {"minutes": 6.2, "usd": 0.0, "basis": "the median of 9 runs"},
        "nearest": near,
        "sweep": None,
    } | other


def status(**other: Any) -> dict[str, Any]:
    return {
        "id": "p1",
        "project": "digits",
        "path": "/home/ann/digits",
        "state": "running",
        "reason": "Cycle 12: training “wider hidden layer”, step 3 of 8, about 4 min left.",
        "stop_reason": None,
        "cycle": 12,
        "cycles": 50,
        "objective": {
            "metric": "val_accuracy",
            "direction": "maximize",
            "min_delta": 0.0,
            "target": 0.99,
            "value": "last",
            "constraints": [],
        },
        "baseline": rank(0),
        "champion": rank(10),
        "running": [run()],
        "waiting": [waiting()],
        "usage": {"calls": 31, "tokens_in": 90_000, "tokens_out": 9_000, "usd": 0.31, "by_phase": {}},
        "memory": {"brief_chars": 1612, "log_chars": 843, "limit_chars": 5000},
        "space": ["lr 1e-5..1e-1 log"],
        "remarks": ["The scorer is not locked: val_accuracy is reported by a cell that may be edited."],
        "seq": 140,
        "place": "work in progress/digits",
    } | other


def memory(**other: Any) -> dict[str, Any]:
    lines = ["# Memory: maximize val_accuracy (target 0.99)", "", "## Key Results"]
    lines += ["- champion #10 0.9822 ± 0.0016: Adam, lr 3e-3", "- baseline #0 0.9411", "- #9 OUT OF MEMORY: width 4096"]
    lines += ["", "## Recent Decisions", "- #11 WORSE 0.962: dropout 0.5", "- #10 CONFIRMED 0.9822: Adam, lr 3e-3"]
    return {
        "brief": "# Digits\n\nClassify 8x8 digits with a small MLP. Keep training under two minutes on a CPU; what "
        "counts is validation accuracy. Do not touch the split.\n",
        "log": "\n".join(lines) + "\n",
        "notes": "",
        "brief_limit_chars": 3000,
        "log_limit_chars": 2000,
        "entered": ["- #11 WORSE 0.962: dropout 0.5"],
        "changed": ["- #10 CONFIRMED 0.9822: Adam, lr 3e-3"],
        "dropped": ["- #3 INCONCLUSIVE 0.953: learning rate number 3"],
    } | other


def spent(calls: int, usd: float | None) -> dict[str, Any]:
    counts: dict[str, Any] = {"calls": calls, "tokens_in": 2900 * calls, "tokens_out": 310 * calls, "usd": usd}
    return {**counts, "tokens_cached": 100 * calls, "unpriced_calls": 0, "latency_s": 3.1}


def cost(today: str, **other: Any) -> dict[str, Any]:
    phases = {"think": spent(14, 0.2113), "repair": spent(3, 0.0281), "reflect": spent(14, 0.0706)}
    budget = {"key": "usd", "limit": 1.0, "spent": 0.31, "left": 0.69}
    found: dict[str, Any] = {**spent(31, 0.31), "by_phase": phases, "by_day": {today: spent(2, 0.012)}, "by_model": {}}
    found |= {"calls_while_training": 0, "calls_about_live_runs": 0, "budgets": [budget]}
    return found | other


def curves() -> dict[str, Any]:
    live = [[step, 0.90 + 0.07 * (1 - 0.5**step)] for step in range(1, 4)]
    best = [[step, 0.92 + 0.0625 * (1 - 0.6**step)] for step in range(1, 9)]
    of_run = {"run": "r12", "experiment": 12, "seed": 1, "points": live}
    return {"live": [of_run], "champion": {"experiment": 10, "points": best}}


def points(upto: int = 12) -> bytes:
    """All experiments, packed."""
    spots = []
    for number in range(upto + 1):
        of = row(number)
        low, high = of["interval"] or (float("nan"), float("nan"))
        decision = of["decision"] and Decision(of["decision"])
        value = float("nan") if of["value"] is None else of["value"]
        spots.append(Spot(number, decision, value, low, high, state=RunState(of["state"])))
    return packed(spots)


def traits(today: str = "2026-11-23", **other: Any) -> dict[str, Any]:
    """Everything that a view is told at once."""
    found: dict[str, Any] = {"status": status(), "rows": [row(n) for n in range(12, -1, -1)], "curves": curves()}
    found |= {"memory": memory(), "cost": cost(today), "trouble": "", "points": points(), "points_seq": 140}
    return found | other
