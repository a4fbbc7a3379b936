"""Schemas of what agents answer, and answers out of the texts that models write."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass, make_dataclass

import pytest

from jupyter_deepresearch.researchers.claude.plans import (
    Findings,
    Patch,
    PatchEdit,
    Plan,
    PlanKind,
    Reflection,
    Setting,
    Written,
)
from jupyter_deepresearch.researchers.llm.schemas import bare, parse, schema

SETTINGS = (
    '{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},'
    '"value":{"type":["number","boolean","string"]}},"required":["name","value"],"additionalProperties":false}}'
)
GOLDEN = {
    Plan: (
        '{"type":"object","properties":{"kind":{"enum":["code","parameters","sweep","idea","report","wait"]},'
        '"claim":{"type":"string"},"why":{"type":"string"},"expected":{"type":"string"},"change":{"type":"string"},'
        f'"parameters":{SETTINGS},"space":{{"type":"array","items":{{"type":"string"}}}},"trials":{{"type":"integer"}},'
        '"minutes":{"type":"integer"}},"required":["kind"],"additionalProperties":false}'
    ),
    Patch: (
        '{"type":"object","properties":{"edits":{"type":"array","items":{"type":"object","properties":'
        '{"place":{"type":"string"},"search":{"type":"string"},"replace":{"type":"string"}},'
        '"required":["place","search","replace"],"additionalProperties":false}},'
        f'"parameters":{SETTINGS},"note":{{"type":"string"}}}},"additionalProperties":false}}'
    ),
    Reflection: (
        '{"type":"object","properties":{"lesson":{"type":"string"},"obsolete":{"type":"array","items":'
        '{"type":"integer"}}},"required":["lesson"],"additionalProperties":false}'
    ),
    Findings: (
        '{"type":"object","properties":{"findings":{"type":"string"}},"required":["findings"],'
        '"additionalProperties":false}'
    ),
    Written: (
        '{"type":"object","properties":{"path":{"type":"string"},"summary":{"type":"string"}},'
        '"required":["path","summary"],"additionalProperties":false}'
    ),
}


class Colour(enum.StrEnum):
    RED = "red"
    GREEN = "green"


@dataclass(frozen=True)
class Odd:
    """Everything that the plans do not need."""

    colour: Colour | None
    pairs: tuple[Setting, ...]
    setting: Setting | str
    count: int = 0


@pytest.mark.parametrize("cls", GOLDEN)
def test_the_schemas_of_the_plans_are_these(cls: type) -> None:
    assert schema(cls) == GOLDEN[cls]


def test_unions_of_more_than_words_are_spelled_out() -> None:
    drawn = json.loads(schema(Odd))["properties"]
    assert drawn["colour"] == {"anyOf": [{"enum": ["red", "green"]}, {"type": "null"}]}
    assert drawn["setting"]["anyOf"][1] == {"type": "string"} and drawn["count"] == {"type": "integer"}


def test_what_structured_outputs_cannot_say_is_a_mistake_of_ours() -> None:
    for cls in (
        make_dataclass("Free", [("anything", dict[str, int])], frozen=True),
        make_dataclass("Wide", [(f"f{n}", int, n) for n in range(25)], frozen=True),
        make_dataclass("Mixed", [(f"f{n}", int | str) for n in range(17)], frozen=True),
    ):
        with pytest.raises(TypeError):
            schema(cls)


PLAN = Plan(PlanKind.PARAMETERS, claim="a {b}", parameters=(Setting("lr", 0.1), Setting("bn", True)), trials=3)
PLAIN = (
    '{"kind": "parameters", "claim": "a {b}", "trials": 3,'
    ' "parameters": [{"name": "lr", "value": 0.1}, {"name": "bn", "value": true}]}'
)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        f"\n  {PLAIN}\n",
        f"```json\n{PLAIN}\n```",
        f"The set {{x}} of plans is {{}}; I choose:\n\n{PLAIN}\nDone {{",
        f'First {{"kind": "wait"}}, but no: {PLAIN}',
        PLAIN.replace('"parameters", ', '" Parameters", ').replace("3,", '3.0, "why": null, "mood": {"a": 1},'),
    ],
)
def test_an_answer_is_found_wherever_it_stands(text: str) -> None:
    assert parse(text, Plan) == PLAN


def test_a_patch_keeps_its_lines_and_line_ends_inside_of_strings_are_let_pass() -> None:
    text = '{"edits": [{"place": "cell a", "search": "x = 1\n\ty", "replace": "x = 2\\ny"}]}'
    assert parse(text, Patch).edits == (PatchEdit("cell a", "x = 1\n\ty", "x = 2\ny"),)


def test_objects_of_another_shape_are_not_taken_for_an_empty_answer() -> None:
    edit = '{"edits": [{"place": "cell a", "search": "x", "replace": "y"}]}'
    for text in (f'{edit} as in {{"a": 1}} or {{}}', f'`{{"lr": 3}}` becomes {edit}'):
        assert parse(text, Patch).edits == (PatchEdit("cell a", "x", "y"),)
    assert parse("{}", Patch) == Patch()
    assert "edits[0]" in complained('{} {"edits": ["x"]}') and "value" in complained(
        '{"parameters": [{"name": "a", "value": NaN}]}'
    )


def complained(text: str) -> str:
    with pytest.raises(ValueError) as raised:
        parse(text, Patch)
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no JSON object in the answer; found ''"),
        ('{"kind": "code"', "no JSON object in the answer"),
        ('{"kind": "dance"}', "$.kind: found 'dance'; accepted: code, parameters, sweep, idea, report, wait"),
        ('{"claim": "x"}', "$: found no `kind`, which is required"),
        ('{"kind": "code", "trials": "3"}', "$.trials: found `str`; accepted: `int`"),
        ('{"kind": "code", "claim": ["x"]}', "$.claim: found `array`; accepted: `str`"),
        (
            '{"kind": "code", "parameters": [{"name": "a", "value": null}]}',
            "$.parameters[0].value: found `null`; accepted: `bool | float | str`",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse(text, Plan)
    assert str(raised.value).startswith(complaint) and "\n" not in str(raised.value)


def test_no_text_takes_long_or_raises_anything_else() -> None:
    for text in ("{" * 50_000, '{"a":' * 20_000, "[" * 100_000 + "{", '{"kind": NaN}', '{"kind": 1e999}', "\ud800{}"):
        with pytest.raises(ValueError):
            parse(text, Plan)


def test_only_a_text_that_is_nothing_else_is_bare() -> None:
    assert bare(f" {PLAIN}\n", Plan) == PLAN
    assert bare(f"```\n{PLAIN}\n```", Plan) is None and bare("[]", Plan) is None
