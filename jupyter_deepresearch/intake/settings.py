"""The texts of a new project: a commented ``deepresearch.toml``, and a brief to be filled in."""

import json
from collections.abc import Sequence

from ..core.project import Direction, LauncherOptions

_SETTINGS = """\
# What `jupyter deepresearch run` reads here. A line that begins with # is off; take the sign away to use it.

notebook = {notebook}

[objective]
metric = {metric}{seen}
direction = {direction}  # or "{other}"
# min_delta = 0.002  # a smaller difference is none
# target = 0.99  # stop once a confirmed champion reaches it
# value = "best"  # the best report of a run counts in place of the last
# constraints = ["params_m <= 10"]  # on other reported metrics

[code]
# files = ["src/**/*.py", "configs/*.yaml"]  # copied for each run; all small .py .yaml .yml .toml without this line
# locked = ["src/eval.py"]  # files that no researcher may edit

[budget]
cycles = 20  # hypotheses after the baseline
# hours = 8
# run_minutes = 30  # of one run
# gpu_hours = 8
# usd = 1.00  # of calls to a language model
# patience = 10  # cycles without a confirmed gain

[approval]
mode = "auto"  # "ask": each hypothesis waits for you

[researcher]
# kind = "sweep"  # searches the parameters, offline; "claude" changes code too (the default where a key is set)
# leader_model = "claude-haiku-5-5"
# base_url = "http://localhost:11434"  # another server that speaks the Messages API; leader_model is one of its own

[trust]
seeds = 3  # a champion must win on so many

[guard]
# stall_minutes = 15  # no output and no use of CPU, GPU, disk or network ends a run

[launcher]
{own}  # the kernel of every run, in place of the notebook's own
# gpus = "auto"  # or "none", or numbers such as [0, 1]
# max_parallel = 1  # runs at once
{sign}private = [{names}]  # fresh in each run
# env = ["HF_TOKEN"]  # secrets that a run may see
"""


def settings_text(
    notebook: str,
    metric: str,
    direction: Direction,
    also_seen: Sequence[str],
    kernel: str | None,
    private: Sequence[str],
) -> str:
    """A ``deepresearch.toml`` with every key that matters; those that begin with # are off.

    ``kernel``: one that is not the notebook's own. ``private``: what each run gets fresh beside the usual.
    """
    return _SETTINGS.format(
        notebook=_text(notebook),
        metric=_text(metric),
        seen=f"  # also seen: {', '.join(also_seen[:6])}" if also_seen else "",
        direction=_text(direction.value),
        other="minimize" if direction is Direction.MAXIMIZE else "maximize",
        own=f"kernel = {_text(kernel)}" if kernel else '# kernel = "python3"',
        sign="" if private else "# ",
        names=", ".join(map(_text, (*LauncherOptions().private, *private))),
    )


def brief_text(name: str, metric: str, direction: Direction) -> str:
    """A ``PROJECT_BRIEF.md`` to be filled in."""
    verb = "Raise" if direction is Direction.MAXIMIZE else "Lower"
    return f"""\
# {name}

{verb} `{metric}`.

Worth knowing (what was tried, what is noise, what must stay as it is; at most 3,000 characters in all):

-
"""


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
