"""Public doubles of every seam, for tests of this package and of programs built on it.

Each keeps the protocol's promises, so that what passes with the double passes with the real part; where both exist,
one contract test holds them. ``MessagesServer`` plays a server of language models: real HTTP, the Messages API's own
events, refusals and complaints, and no cost.
"""

from ..execution.gpus.double import ScriptedGpus, scripted_gpu
from ..store.contract import StoreContract
from .doubles import (
    FakeClock,
    FakeDesk,
    FakeEvidence,
    FakeLauncher,
    FakeNotebooks,
    FakeRecords,
    ScriptedResearcher,
    memory_store,
    parameters,
    succeed,
)
from .messages import Answer, Call, Fault, MessagesServer, SentRequest, times

__all__ = [
    "Answer",
    "Call",
    "FakeClock",
    "FakeDesk",
    "FakeEvidence",
    "FakeLauncher",
    "FakeNotebooks",
    "FakeRecords",
    "Fault",
    "MessagesServer",
    "ScriptedGpus",
    "ScriptedResearcher",
    "SentRequest",
    "StoreContract",
    "memory_store",
    "parameters",
    "scripted_gpu",
    "succeed",
    "times",
]
