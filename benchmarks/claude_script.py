"""The language model of ``benchmarks.claude``: what it answers is fixed, and of the length that such answers have."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_deepresearch.testing import Answer, Call, SentRequest

BRIEF = """\
# Handwritten digits, in PyTorch

Find a small convolutional network, and a way to train it, that names the most of the 719 validation digits rightly in
ten passes over the data. As it stands it gets about 94 % right; above 98 % is known to be possible on this split.

## What it is for

The network runs on a microcontroller that sorts scanned forms, so it has to stay below 60,000 weights, and one image
has to take less than a millisecond on one core. Accuracy counts first, and its spread over seeds second.

## What is known

- Ten passes are few: a learning rate that is too careful does not get far enough, one above 0.05 diverges.
- More channels help up to about 32; the largest networks take longer for little.
- Two runs with different seeds differ by up to half a percent. Anything smaller than that is noise here.
- A colleague has tried plain SGD with momentum: it was no better than AdamW and needed a longer warm-up.
- The scans come from 43 people, and the split is by image, not by person: the same hand is on both sides of it.

## What may be changed

- The network: its layers, activations, normalisation, how it pools, how it is initialised.
- The training: optimiser, schedule, loss, label smoothing, mixup, small shifts and rotations of the images.
- Not the data, not the split, not how accuracy is counted, and not the number of passes.

## How I would like it done

- One idea at a time, so that we learn which of them helps. Say beforehand by how much it should help, and why.
- Simple before clever: a change that takes three lines and gains as much wins over one that takes thirty.
- If several numbers have to be tuned together, let a sweep do it rather than guessing them one after another.
- Look at the train and validation gap before reaching for a larger network: it has been small so far.
- Do not spend more than five minutes on one run. We have a quota on the shared GPUs and others wait for it.

## What the result is for

- The three best networks go to the people who build the sorter. They train them again on their own scans, with the same
  code, so a trick that only works with one seed or with this one order of the images is of no use to them.
- They read the notebook before they use it. A line of reason above each change saves us a long call later on.
- The confusion of 1 and 7, and of 3 and 8, costs most in practice. If two networks are equally good, take the one that
  makes fewer of these two mistakes, and say in the lesson which digits were confused.
- We decide on the first of the month. A network of 97.5 % that is well understood by then is worth more to us than one
  of 98.2 % that came out of the last night of search.

Thanks to you!
"""

_IDEAS = (
    ("label smoothing keeps the network from being too sure of digits that people write in two ways", "loss_of"),
    ("a softer target evens out the gradient of the last passes", "the line that makes loss_of"),
    ("with fewer confident mistakes on 3 and 8 the borders of the last layer move less between passes, so that the "
     "tenth one is closer to the best", "loss_of"),
    ("smoothing helps", "loss_of, nothing else"),
    ("targets that leave something for the other classes act like weight decay on the last layer alone, which is where "
     "the network of this size overfits first", "loss_of in the training cell"),
)  # fmt: skip
_LESSONS = (
    "No gain beyond noise.",
    "Smoothing of this size costs a little accuracy and makes seeds agree more; the gap to training stays small.",
    "Inside the interval: neither better nor worse. The last layer is not where it overfits; look at the features.",
    "It helped in the first five passes and lost it again in the last ones, so the schedule is what to look at next.",
    "Slightly better on one seed, not on the mean.",
)
_LOSS = re.compile(r"^loss_of = nn\.CrossEntropyLoss\(.*\)$", re.MULTILINE)
_PHASES = {
    "shade": "probe",
    "edits": "patch",
    "lesson": "reflect",
    "findings": "idea",
    "summary": "writing",
    "space": "plan",
}


@dataclass(frozen=True)
class Answered:
    """One request as it was answered. ``out`` counts the characters of the answer."""

    phase: str
    chars: int
    out: int


@dataclass
class Script:
    """``plans`` are the kinds of plan in turn, the last of them for ever. With ``is_runaway`` the code worker wants to
    look something up, and never ends by itself. ``calls`` is all that was asked."""

    plans: tuple[str, ...] = ("code",)
    is_runaway: bool = False
    calls: list[Answered] = field(default_factory=list)
    planned: int = 0

    def __call__(self, request: SentRequest) -> Answer:
        phase = phase_of(request)
        answer = self._answer(phase, request)
        out = len(answer.text) + sum(len(call.text) for call in answer.calls)
        self.calls.append(Answered(phase, request.chars, out))
        return answer

    def _answer(self, phase: str, request: SentRequest) -> Answer:
        match phase:
            case "probe":
                is_tool = bool(request.body.get("tools"))
                call = Call("look", {"place": "here"})
                return Answer(calls=(call,)) if is_tool else Answer.json({"shade": "umber", "parts": [1, 2]})
            case "plan":
                return Answer.json(self._plan())
            case "patch" if self.is_runaway:
                return self._runaway(request)
            case "patch":
                return Answer.json(self._patch(request))
            case "reflect":
                return Answer.json({"lesson": f"{_LESSONS[self.planned % len(_LESSONS)]}", "obsolete": []})
            case "idea":
                return Answer.json({"findings": "Small shifts of the images help networks of this size [1905.01489]."})
        return Answer.json({"path": "reports/summary.md", "summary": "What was tried so far, and what is open."})

    def _plan(self) -> Mapping[str, Any]:
        kind = self.plans[min(self.planned, len(self.plans) - 1)]
        self.planned += 1
        idea, where = _IDEAS[self.planned % len(_IDEAS)]
        plan = {
            "kind": kind,
            "claim": f"with {self.smoothing} of it: {idea}",
            "why": "The train and validation gap is small, yet the last passes lose accuracy on single seeds.",
            "expected": "0.002 to 0.005 more val_accuracy, and less spread over seeds",
            "change": f"In {where}, give CrossEntropyLoss label_smoothing={self.smoothing}; leave the rest as it is.",
            "parameters": [],
            "space": [],
            "trials": 0,
            "minutes": 0,
        }
        if kind == "sweep":
            return {**plan, "space": ["lr: 1e-4..1e-2 log", "dropout: 0.0..0.6"], "trials": 5}
        return plan

    @property
    def smoothing(self) -> str:
        """Another amount in every cycle: nothing is tried twice."""
        return f"{self.planned / 2000:.4f}"

    def _patch(self, request: SentRequest) -> Mapping[str, Any]:
        """An edit of the one line, as it is in the code that was sent."""
        found = _LOSS.search(request.text)
        assert found is not None, "the code that is to be changed was not sent"
        new = f"loss_of = nn.CrossEntropyLoss(label_smoothing={self.smoothing})"
        return {
            "edits": [{"place": "cell training", "search": found[0], "replace": new}],
            "parameters": [],
            "note": "",
        }

    def _runaway(self, request: SentRequest) -> Answer:
        """Another look at something, as large as it can be; chatter where no tool may be called."""
        if not request.body.get("tools") or (request.body.get("tool_choice") or {}).get("type") == "none":
            return Answer("Let me look at a few more places first. " * 20)
        places = ("cell model", "cell training", "cell data", "cell setup", "cell parameters", "cell evaluate")
        calls = [Call("read_code", {"place": places[(len(self.calls) + n) % len(places)], "line": n}) for n in range(4)]
        return Answer("I need to see more of the code. " * 20, calls=tuple(calls))


def phase_of(request: SentRequest) -> str:
    """What a request is for, told by the answer that it wants."""
    schema = ((request.body.get("output_config") or {}).get("format") or {}).get("schema") or {}
    named = schema.get("properties", {})
    return next((phase for key, phase in _PHASES.items() if key in named), "other")
