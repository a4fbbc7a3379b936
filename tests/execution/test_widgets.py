"""Output widgets, in which rich draws its bars: what they show goes back to the kernel, and the run goes on."""

from pathlib import Path

from tests.execution.one_run import REPORT, one_run

MAKE = """
import ipywidgets
from IPython.display import display
out = ipywidgets.Output()
display(out)
"""
DRAW = """
for number in range(20):
    with out:
        out.clear_output(wait=True)
        display(number)
"""


def test_a_reply_that_meets_a_widgets_answer_is_read(tmp_path: Path) -> None:
    run = one_run(tmp_path, MAKE, *[DRAW] * 25, REPORT + "report(score=len(out.outputs))\n")
    outcome = run.execute()
    assert outcome.error is None and outcome.value == 1.0
