"""A notebook around a script: real scripts are asked in processes of their own."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from jupyter_deepresearch.core.project import LauncherOptions
from jupyter_deepresearch.errors import InvalidInput
from jupyter_deepresearch.intake import asked_options
from jupyter_deepresearch.intake.from_script import propose_for_script
from jupyter_deepresearch.intake.proposal import Wishes
from tests.intake.writing import cells, parameters, propose

ARGPARSE = """
    import argparse, os, time
    from options import add_more
    p = argparse.ArgumentParser(add_help=False)
    p.add_argument("--lr", "-l", type=lambda text: float(text), default=0.5, help="the rate")
    p.add_argument("--act", choices=["relu", "tanh"], default="relu")
    p.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    p.add_argument("--started", default=str(time.time()))
    p.add_argument("--sizes", nargs="+", type=int, default=[64, 32])
    p.add_argument("--amp", action="store_true")
    p.add_argument("--ema", action=argparse.BooleanOptionalAction, default=True)
    p.add_argument("--limit", type=int)
    p.add_argument("--random-seed", type=int, default=3)
    add_more(argparse.ArgumentParser(parents=[p]))
    open("a file that nobody wants", "w")
    print("val_accuracy=", 0.5)
"""
MODULE = """
    def add_more(p):
        p.add_argument_group("more").add_argument("--weight-decay", type=float, default=1e-4)
        p.parse_args()
"""


def test_every_option_of_a_parser_becomes_a_parameter_and_a_word(tmp_path: Path) -> None:
    proposal = propose(tmp_path, ARGPARSE, "--limit 7 extra", options__py=MODULE)
    about, settings, start = cells(proposal)
    assert about.startswith("# train.py\n") and about.count(".") < 8
    assert settings.splitlines() == [
        "lr = 0.5  # sweep: 0.05..0.95 log  # the rate",
        'act = "relu"  # sweep: relu | tanh',
        'device = "cpu"',
        "sizes = [64, 32]",
        "amp = False",
        "ema = True",
        "limit = 7",
        "seed = 3",
        "weight_decay = 0.0001  # sweep: 1e-05..0.001 log",
    ]
    assert start.splitlines()[3:] == [
        "command = [",
        "    sys.executable,",
        '    "train.py",',
        '    "extra",',
        '    f"--lr={lr}",',
        '    f"--act={act}",',
        '    f"--device={device}",',
        '    "--sizes", *map(str, sizes),',
        '    *(["--amp"] if amp else []),',
        '    "--ema" if ema else "--no-ema",',
        '    f"--limit={limit}",',
        '    f"--random-seed={seed}",',
        '    f"--weight-decay={weight_decay}",',
        "]",
        "!{shlex.join(command)}",
    ]
    assert proposal.notes == ("left to the script, which works their defaults out: --started",)
    assert (proposal.goal.metric, proposal.goal.direction.value) == ("val_accuracy", "maximize")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["options.py", "train.py"]


def test_without_choices_no_sweep_is_written_and_the_usual_rule_holds(tmp_path: Path) -> None:
    proposal = propose(
        tmp_path,
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', type=float, default=0.5)\n"
        "p.add_argument('--width', type=int, default=8)\np.parse_args()\nprint('loss:', 0.1)",
    )
    assert cells(proposal)[1] == "lr = 0.5\nwidth = 8"
    assert proposal.space == ("lr: 0.05..0.95 log",)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("import a_module_that_is_not_there", "ended with status 1: ModuleNotFoundError"),
        ("import time; time.sleep(60)", "still running after 2 s"),
    ],
)
def test_a_script_that_cannot_be_asked_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, why: str
) -> None:
    monkeypatch.setattr(asked_options, "ASK_SECONDS", 2.0)
    script = (
        f"{body}\nimport argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', type=float, default=0.5)\n"
    )
    proposal = propose(tmp_path, f"{script}p.parse_args()\nprint('loss:', 0.1)")
    assert parameters(proposal) == {"lr": 0.5}
    (note,) = proposal.notes
    assert note.startswith("train.py --help told nothing") and why in note


def test_click_and_typer_are_asked_as_well(tmp_path: Path) -> None:
    click = """
        import click
        @click.command()
        @click.option("--lr", default=0.1, help="rate")
        @click.option("--act", type=click.Choice(["relu", "tanh"]), default="relu")
        @click.option("--amp/--no-amp", default=False)
        @click.option("--fast", is_flag=True)
        @click.option("--name")
        def main(**given): print("val_loss:", 0.5)
        main()
    """
    proposal = propose(tmp_path, click)
    assert parameters(proposal) == {"lr": 0.1, "act": "relu", "amp": False, "fast": False, "name": None}
    assert '"--amp" if amp else "--no-amp",' in cells(proposal)[2]
    typer = """
        import typer
        app = typer.Typer()
        @app.command()
        def main(lr: float = 0.1, amp: bool = False, name: str = "x"): print("val_loss:", 0.5)
        app()
    """
    assert parameters(propose(tmp_path, typer)) == {"lr": 0.1, "amp": False, "name": "x"}


SUBCOMMANDS = """
    import argparse
    p = argparse.ArgumentParser()
    p.add_argument("--verbose", action="store_true")
    commands = p.add_subparsers(required=True)
    train = commands.add_parser("train")
    train.add_argument("--lr", type=float, default=0.1)
    train.add_argument("--data", required=True)
    commands.add_parser("eval")
    p.parse_args()
    print("loss=", 0.1)
"""


@pytest.mark.parametrize(
    ("script", "words", "complaint"),
    [
        (SUBCOMMANDS, "", r"subcommands and none is given; accepted: one of train, eval .*: init train\.py -- train$"),
        (SUBCOMMANDS, "train", r"needs --data VALUE; accepted: init train\.py -- train --data VALUE$"),
        (
            "import argparse\np = argparse.ArgumentParser()\np.add_argument('--a-b')\np.add_argument('--a_b')\n"
            "p.parse_args()\nprint('loss=', 0.1)",
            "",
            "--a_b and --a-b would both be the parameter `a_b`",
        ),
        ("print('loss=', 0.1) or (", "", r"train\.py, line 1: not Python \('\(' was never closed\)"),
        ("print('hello')", "", r"train\.py: found no metric that it prints or logs; accepted: --metric NAME"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path: Path, script: str, words: str, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint) as refused:
        propose(tmp_path, script, words)
    assert "\n" not in str(refused.value)


def test_a_subcommand_stands_before_its_options(tmp_path: Path) -> None:
    proposal = propose(tmp_path, SUBCOMMANDS, "train --data here")
    assert parameters(proposal) == {"lr": 0.1, "data": "here"}
    assert cells(proposal)[2].splitlines()[5:8] == ['    "train.py",', '    "train",', '    f"--lr={lr}",']


def test_a_script_with_nothing_to_set_gets_a_valid_empty_cell_and_a_note(tmp_path: Path) -> None:
    proposal = propose(tmp_path, "print('loss=', 0.1)")
    assert cells(proposal)[1] == "# The script has no option to set."
    assert proposal.notes[0].startswith("train.py reads no command line")


def test_a_script_of_a_package_is_started_as_a_module(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "rates.py").write_text("RATE = 0.25\n")
    script = (
        "import argparse\nfrom .rates import RATE\np = argparse.ArgumentParser()\n"
        "p.add_argument('--lr', type=float, default=RATE)\nprint('loss=', p.parse_args().lr)\n"
    )
    (tmp_path / "pack" / "train.py").write_text(script)
    proposal = propose_for_script(tmp_path, tmp_path / "pack" / "train.py", (), Wishes())
    assert parameters(proposal) == {"lr": 0.25}
    assert '    "-m", "pack.train",' in cells(proposal)[2].splitlines()
    assert run_cells(list(cells(proposal)), tmp_path, "lr = 0.5") == "loss= 0.5\n"


def test_a_folder_that_is_written_to_is_fresh_in_each_run(tmp_path: Path) -> None:
    options = "".join(
        f"p.add_argument('--{name}', default='{value}')\n"
        for name, value in (("save-dir", "results/a"), ("log_dir", "runs"), ("data", "data"), ("out", "/else"))
    )
    proposal = propose(
        tmp_path, f"import argparse\np = argparse.ArgumentParser()\n{options}p.parse_args()\nprint('loss=', 0.1)"
    )
    settings = tomllib.loads(dict(proposal.files)["deepresearch.toml"])
    usual = LauncherOptions().private
    assert settings["launcher"]["private"] == [*usual, "results"]


def run_cells(proposal_cells: list[str], folder: Path, change: str) -> str:
    """What the script prints when the notebook's cells run in ``folder`` with ``change`` after the parameters."""
    settings, *others = proposal_cells[1:]
    others[-1] = others[-1].replace("!{shlex.join(command)}", "import subprocess\nsubprocess.run(command, check=True)")
    code = "\n".join([settings, change, *others])
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True, timeout=60
    ).stdout


YAML = "lr: 1e-3\nmodel:\n  width: 3\n  name: null\n"


@pytest.mark.parametrize(
    ("script", "files", "found"),
    [
        (
            "import yaml\nc = yaml.safe_load(open('conf.yaml'))\nprint('loss=', c['lr'] * c['model']['width'])",
            {"conf__yaml": YAML},
            {"lr": 0.001, "model_width": 3, "model_name": None},
        ),
        (
            "import argparse, yaml\np = argparse.ArgumentParser()\np.add_argument('--config', default='conf.yaml')\n"
            "p.add_argument('--lr', type=float)\np.add_argument('--scale', type=float, default=1.0)\n"
            "a = p.parse_args()\nc = yaml.safe_load(open(a.config))\n"
            "print('loss=', c['lr'] * c['model']['width'] * a.scale)",
            {"conf__yaml": YAML},
            {"scale": 1.0, "lr": 0.001, "model_width": 3, "model_name": None},
        ),
        (
            "from omegaconf import OmegaConf\nc = OmegaConf.merge(OmegaConf.load('conf.yaml'), OmegaConf.from_cli())\n"
            "print('loss=', c.lr * c.model.width)",
            {"conf__yaml": YAML},
            {"lr": 0.001, "model_width": 3, "model_name": None},
        ),
        (
            "from dataclasses import dataclass\nlr = 1e-3\n@dataclass\nclass Config:\n    model_width: int = 3\n"
            "c = Config()\nprint('loss=', lr * c.model_width)",
            {},
            {"lr": 0.001, "model_width": 3},
        ),
    ],
)
def test_settings_in_files_and_in_the_text_reach_the_script(
    tmp_path: Path, script: str, files: dict[str, str], found: dict[str, object]
) -> None:
    proposal = propose(tmp_path, script, **files)
    assert parameters(proposal) == found
    before = {path: path.read_text() for path in tmp_path.iterdir()}
    assert run_cells(list(cells(proposal)), tmp_path, "") == "loss= 0.003\n"
    assert run_cells(list(cells(proposal)), tmp_path, "lr = 0.5; model_width = 4") == "loss= 2.0\n"
    assert {path: path.read_text() for path in before} == before


HYDRA = """
    import hydra
    @hydra.main(version_base=None, config_path="conf", config_name="config")
    def main(cfg):
        print("loss=", cfg.optim.lr, cfg.name, cfg.note, list(cfg.sizes), cfg.model.act)
    main()
"""


def test_hydra_tells_its_composed_configuration(tmp_path: Path) -> None:
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "model" / "small.yaml").write_text("act: relu\n")
    (tmp_path / "conf" / "model" / "big.yaml").write_text("act: tanh\n")
    (tmp_path / "conf" / "config.yaml").write_text(
        "defaults: [{model: small}, _self_]\noptim: {lr: 1e-3}\nname: a b\nnote: null\nsizes: [1, 2]\nalso: ${name}\n"
    )
    proposal = propose(tmp_path, HYDRA, "model=big optim.lr=0.5")
    found = {"model_act": "tanh", "optim_lr": 0.5, "name": "a b", "note": None, "sizes": (1, 2)}
    assert parameters(proposal) == found
    assert cells(proposal)[2].splitlines()[7] == '    "model=big",'
    said = run_cells(list(cells(proposal)), tmp_path, 'optim_lr = 1e-5; name = "it\'s, {odd}"')
    assert said == "loss= 1e-05 it's, {odd} None [1, 2] tanh\n"
    (tmp_path / "conf" / "config.yaml").write_text("name: ???\noptim: {lr: 1}\n")
    with pytest.raises(InvalidInput, match=r"needs name=VALUE; accepted: init train\.py -- name=VALUE"):
        propose(tmp_path, HYDRA)
