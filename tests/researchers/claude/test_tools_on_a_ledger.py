"""The tools on what a real loop left in a real ledger."""

import asyncio

import pytest

from jupyter_deepresearch.core import events as ev
from jupyter_deepresearch.core.answers import Proposal
from jupyter_deepresearch.core.research import Seen
from jupyter_deepresearch.core.types import Edit, Hypothesis, HypothesisKind, Source
from jupyter_deepresearch.errors import NotFound
from jupyter_deepresearch.researchers.claude.tools.code import ListCode, ReadCode, ReadOutput, SearchCode, code_tools
from jupyter_deepresearch.researchers.claude.tools.leader import Compare, ReadExperiment, Recall, leader_tools
from tests.loop.test_driver import PATIENT, by_x, x
from tests.loop.test_evidence import CODE, Curious, Records
from tests.simulation import Simulation, Universe


@pytest.fixture
def seen() -> Seen:
    """Experiment 1 is the champion, 2 was worse and had changed the code."""
    edit = Edit("return 1", "return 2", file="model.py")
    worse = Hypothesis("twice the step", HypothesisKind.CODE, edits=(edit,), parameters={"x": -1.0})
    oracle = Curious(iter([x(1.0), Proposal(worse)]), iter(()))
    oracle.seen = []
    sim = Simulation(PATIENT, Universe(by_x), oracle)
    sim.records, sim.notebooks.source = Records(), Source("{}", {"model.py": CODE})
    sim.ledger.append(ev.Sourced(sim.notebooks.source, sim.notebooks.survey, new_measure=False))
    sim.run()
    return oracle.seen[-1]


def call(seen: Seen, asked: object) -> str:
    tools = (*leader_tools(seen), *code_tools(seen, None))
    text = asyncio.run(next(tool for tool in tools if tool.spec.takes is type(asked)).run(asked))
    assert text
    return text


def test_the_leader_reads_the_ledger(seen: Seen) -> None:
    one, two = call(seen, ReadExperiment(1)), call(seen, ReadExperiment(2))
    assert one.startswith("Experiment 1 (parameters): confirmed, score 1 ") and "Changed: x = 1\n" in one
    assert "Claim: twice the step" in two and "Grew from 1. Changed: x = -1" in two
    assert "<code>\nfile model.py\n- return 1\n+ return 2\n</code>" in two
    assert call(seen, Recall("the step, twice")).startswith("#2 worse -1: twice the step")
    assert "Parameters: x 1 | -1\nCode: " in call(seen, Compare(1, 2))
    with pytest.raises(NotFound, match=r"no experiment 7; there are: baseline 0, champion 1, judged last 2; recall"):
        call(seen, ReadExperiment(7))


def test_the_code_worker_reads_code_and_output(seen: Seen) -> None:
    assert call(seen, ListCode()) == "<code>\nfile model.py, 2 lines: def step():\n</code>"
    assert call(seen, ReadCode("model.py")) == f"<code>\n=== file model.py, lines 1-2 of 2\n{CODE}</code>"
    assert call(seen, SearchCode("return")) == "<code>\nfile model.py:2: return 1\n</code>"
    assert call(seen, ReadOutput(2)) == "<output>\nprinted by 0002-candidate-seed-1\n</output>"
