"""Options read from a script's source, without running it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from jupyter_deepresearch.errors import InvalidInput
from jupyter_deepresearch.intake import asked_options
from jupyter_deepresearch.intake.around import settable
from jupyter_deepresearch.intake.options import Option, Passing, given, named, parameter_name
from jupyter_deepresearch.intake.source_options import source_options
from jupyter_deepresearch.intake.text_options import (
    command_line_fields,
    constants_as_flags,
    function_flags,
    text_options,
)


def only(call: str, before: str = "") -> Option:
    (option,) = source_options([f"{before}\nparser.add_argument({call})"])
    return option


@pytest.mark.parametrize(
    ("call", "flag", "value", "passing"),
    [
        ('"--lr", type=float, default=1e-3', "--lr", 1e-3, Passing.VALUE),
        ('"--lr", type=float, default=1', "--lr", 1.0, Passing.VALUE),
        ('"--lr", type=float, default="0.1"', "--lr", 0.1, Passing.VALUE),
        ('"-e", "--epochs", type=int, default=3', "--epochs", 3, Passing.VALUE),
        ('"-n", type=int, default=3', "-n", 3, Passing.VALUE),
        ('"--limit", type=int', "--limit", None, Passing.VALUE),
        ('"--name", default="a b"', "--name", "a b", Passing.VALUE),
        ('"--lr", type=lambda x: float(x), default=0.5', "--lr", 0.5, Passing.VALUE),
        ('"--data", type=Path, default=Path("data")', "--data", "data", Passing.VALUE),
        ('"--seconds", type=int, default=5 * 60', "--seconds", 300, Passing.VALUE),
        ('"--shift", type=float, default=-0.5', "--shift", -0.5, Passing.VALUE),
        ('"--amp", action="store_true"', "--amp", False, Passing.SWITCH),
        ('"--no-cuda", dest="cuda", action="store_false"', "--no-cuda", False, Passing.SWITCH),
        ('"--sizes", nargs="+", type=int, default=[64, 32]', "--sizes", (64, 32), Passing.WORDS),
        ('"--betas", nargs=2, type=float, default=(0.9, 0.999)', "--betas", (0.9, 0.999), Passing.WORDS),
        ('"--ema", action=argparse.BooleanOptionalAction, default=True', "--ema", True, Passing.PAIR),
    ],
)
def test_an_option_of_a_parser(call: str, flag: str, value: object, passing: Passing) -> None:
    option = only(call)
    assert (option.flag, option.value, option.passing, option.computed) == (flag, value, passing, False)
    assert type(option.value) is type(value)


def test_a_default_from_a_constant_is_known_and_one_from_a_call_is_not() -> None:
    assert only('"--lr", type=float, default=LR', "LR = 0.25").value == 0.25
    for default in ("time.time()", '"cuda" if torch.cuda.is_available() else "cpu"', "os.environ['X']", "UNKNOWN"):
        option = only(f'"--x", default={default}')
        assert option.computed and settable([option]) == ()


def test_options_in_groups_and_functions_are_found_and_others_are_not() -> None:
    source = """
def make(p):
    group = p.add_argument_group("model")
    group.add_argument("--width", type=int, default=64, help="units")
    p.add_argument("--version", action="version", version="1")
    p.add_argument("-v", action="count")
    p.add_argument("--tag", action="append")
    p.add_argument("data")
    either = p.add_mutually_exclusive_group()
    either.add_argument("--adam", action="store_true")
    add_argument("--not-a-method")
"""
    found = source_options([source])
    assert [(o.flag, o.is_positional, o.required) for o in found] == [
        ("--width", False, False),
        ("data", True, True),
        ("--adam", False, False),
    ]
    assert found[0].about == "units"
    assert source_options(["this is (no Python"]) == ()


@pytest.mark.parametrize(
    ("words", "values", "rest"),
    [
        ("--lr 0.1", {"--lr": 0.1}, ()),
        ("-l=0.1 --sizes 1 2 --amp", {"--lr": 0.1, "--sizes": (1, 2), "--amp": True}, ()),
        ("--no-ema --other 3 data.csv", {"--ema": False}, ("--other", "3", "data.csv")),
        ("--lr -1 --sizes -1 2 --amp", {"--lr": -1.0, "--sizes": (-1, 2), "--amp": True}, ()),
        ("--lr 1", {"--lr": 1.0}, ()),
        ("", {}, ()),
    ],
)
def test_a_command_line_sets_what_it_knows_and_leaves_the_rest(
    words: str, values: dict[str, object], rest: tuple[str, ...]
) -> None:
    options = source_options(
        [
            'p.add_argument("-l", "--lr", type=float, default=1.5)\n'
            'p.add_argument("--sizes", nargs="*", type=int, default=[9])\n'
            'p.add_argument("--amp", action="store_true")\n'
            'p.add_argument("--ema", action=argparse.BooleanOptionalAction, default=True)'
        ]
    )
    before = {"--lr": 1.5, "--sizes": (9,), "--amp": False, "--ema": True}
    set_ = given(options, words.split())
    assert {o.flag: o.value for o in set_.options} == before | values
    assert (set_.rest, set_.set_flags) == (rest, frozenset(values))


def test_the_probe_can_be_read_by_old_pythons() -> None:
    probe = Path(asked_options.__file__).with_name("probe.py").read_text(encoding="utf-8")
    assert ast.parse(probe, feature_version=(3, 7)).body


def test_a_flag_without_its_value_is_refused() -> None:
    with pytest.raises(InvalidInput, match="--lr has no value; accepted: --lr VALUE"):
        given([Option("--lr", 0.1, spellings=("--lr",))], ["--lr"])


@pytest.mark.parametrize(
    ("flag", "name"),
    [
        ("--weight-decay", "weight_decay"),
        ("model.lr", "model_lr"),
        ("--lambda", "lambda_"),
        ("--sys", "sys_"),
        ("-1", "option_1"),
        ("--model.hidden-size", "model_hidden_size"),
    ],
)
def test_an_option_has_an_identifier(flag: str, name: str) -> None:
    assert parameter_name(flag) == name


def test_a_seed_becomes_seed_and_two_options_never_share_a_name() -> None:
    def names(*flags: str) -> list[str]:
        return [p.name for p in named([Option(flag) for flag in flags])]

    assert names("--lr", "--random-seed") == ["lr", "seed"]
    assert names("--random-seed", "--seed") == ["random_seed", "seed"]
    with pytest.raises(InvalidInput, match="--a_b and --a-b would both be the parameter `a_b`"):
        names("--a-b", "--a_b")


def test_constants_and_configuration_dataclasses_are_set_in_their_text() -> None:
    source = """
from dataclasses import dataclass, field
LR = 1e-3
_HIDDEN = 4
NAMES = ["a"]
twice = 1
twice = 2
@dataclass
class Config:
    width: int = 64
    act: str = "relu"
    sizes: list = field(default_factory=list)
@dataclass
class Unused:
    depth: int = 2
config = Config()
"""
    found = {o.flag: (o.value, o.place) for o in text_options(source)}
    assert found == {
        "LR": (1e-3, ("LR = ", "1e-3")),
        "width": (64, ("width: int = ", "64")),
        "act": ("relu", ("act: str = ", '"relu"')),
    }


def test_text_that_stands_twice_is_told_apart_by_its_line_or_left_out() -> None:
    (found,) = text_options("base_lr = float('0.1')\nlr = 0.1\nother_lr = 0.1 + x")
    assert found.flag == "lr" and found.place == ("\nlr = ", "0.1")
    assert text_options("if a:\n    pass\nlr = 0.1\ndef f():\n  x = '''\nlr = 0.1'''") == ()


def test_tyro_and_the_configurator_take_flags() -> None:
    source = """
@dataclasses.dataclass(frozen=True)
class Model:
    hidden_size: int = 8
@dataclass
class Config:
    model: Model
    lr: float = 0.1
    amp: bool = False
    device: str = pick()
config = tyro.cli(Config)
"""
    found = {o.flag: (o.value, o.passing, o.computed) for o in command_line_fields([source])}
    assert found == {
        "--model.hidden-size": (8, Passing.VALUE, False),
        "--lr": (0.1, Passing.VALUE, False),
        "--amp": (False, Passing.PAIR, False),
        "--device": (None, Passing.VALUE, True),
    }
    fire = "def train(data, lr=0.1, *, width=3, device=pick()): ...\nfire.Fire(train)"
    assert [(o.flag, o.value) for o in function_flags([fire])] == [("--lr", 0.1), ("--width", 3)]
    assert [o.flag for o in constants_as_flags("lr = 0.1\nx = f()\nname = 'a'")] == ["--lr", "--name"]
