"""What ``deepresearch.toml`` and the options of a start accept, and how they refuse."""

import dataclasses
import json
import re
import typing
from pathlib import Path

import pytest

from jupyter_deepresearch.config import keys as config_keys
from jupyter_deepresearch.config import loading as config
from jupyter_deepresearch.config.brief import read_brief, write_project_files
from jupyter_deepresearch.config.loading import Options, load, reconfigure, reload
from jupyter_deepresearch.config.researcher import Choice, refuse_unpriced, resolve_researcher
from jupyter_deepresearch.core import project as values
from jupyter_deepresearch.core.project import (
    Constraint,
    Direction,
    Price,
    Project,
    ResearcherKind,
    ResearcherOptions,
    ValueRule,
)
from jupyter_deepresearch.errors import Conflict, DeepResearchError, InvalidConfig, NotFound, StorageFailed

WHOLE = """
notebook = "train.ipynb"
[objective]
metric = "val/loss"
direction = "minimize"
min_delta = 0.01
target = -1
value = "best"
constraints = ["params_m <= 10", "val acc>0.5", "a==1e3"]
[code]
files = ["src/**/*.py", "configs/*.yaml"]
locked = ["src/eval.py"]
[budget]
cycles = 50
hours = 8
usd = 1.00
usd_per_day = 0.25
tokens = 1000
tokens_per_day = 100
calls = 10
calls_per_day = 5
gpu_hours = 8
run_minutes = 30
patience = 30
disk_gb = 50
[approval]
mode = "ask"
auto_after_minutes = 60
[researcher]
kind = "claude-cli"
leader_model = "l"
worker_model = "w"
fallback_model = "f"
base_url = "http://localhost:8000/v1"
price = {input = 0.1, output = 1}
[trust]
seeds = 5
[guard]
stall_minutes = 1.5
diverge = false
[launcher]
kernel = "torch-2.1"
kind = "slurm"
gpus = [0, 1]
gpus_per_run = 2
gpu_free_gb = 20
max_parallel = 2
dry_run_minutes = 1
private = ["checkpoints", "*.pt"]
env = ["HF_TOKEN"]
sandbox = "bwrap"
"""


def notebook_text(*cells: str) -> str:
    listed = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
    return json.dumps({"cells": listed, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "my-research"
    made.mkdir()
    (made / "train.ipynb").write_text(notebook_text("report(step=1, val_accuracy=0.5)"))
    return made


def refusal(folder: Path, toml: str = "", options: Options | None = None) -> str:
    """The one line that a configuration is refused with; nothing is written by it."""
    (folder / "deepresearch.toml").write_text(toml)
    before = sorted(folder.rglob("*"))
    with pytest.raises(InvalidConfig) as caught:
        load(folder, options)
    assert sorted(folder.rglob("*")) == before
    message = str(caught.value)
    assert message and "\n" not in message and len(message) < 600
    return message


def with_metric(toml: str) -> str:
    return f'[objective]\nmetric = "acc"\n{toml}'


# Accepted


def test_a_notebook_and_a_metric_are_a_project(folder: Path) -> None:
    project = load(folder, Options(metric="val_accuracy"))
    objective = values.Objective("val_accuracy", Direction.MAXIMIZE)
    assert project == Project(name="my-research", notebook="train.ipynb", objective=objective)


@pytest.mark.parametrize(("metric", "direction"), [("val/loss", "minimize"), ("top-5 acc@1", "maximize")])
def test_the_direction_follows_from_the_metric(folder: Path, metric: str, direction: str) -> None:
    assert load(folder, Options(metric=metric)).objective.direction == direction


def test_every_key_of_the_contract_is_read(folder: Path) -> None:
    (folder / "deepresearch.toml").write_text(WHOLE)
    project = load(folder)
    objective = project.objective
    assert (objective.metric, objective.direction, objective.value) == ("val/loss", Direction.MINIMIZE, ValueRule.BEST)
    assert (objective.min_delta, objective.target) == (0.01, -1.0)
    assert objective.constraints == (
        Constraint("params_m", "<=", 10.0),
        Constraint("val acc", ">", 0.5),
        Constraint("a", "==", 1000.0),
    )
    assert project.researcher.price == Price(0.1, 1.0)
    assert (project.launcher.gpus, project.launcher.gpus_per_run) == ((0, 1), 2)
    assert project.launcher.kernel == "torch-2.1"
    assert project.budget == values.Budget(50, 8.0, 1.0, 0.25, 1000, 100, 10, 5, 8.0, 30.0, 30, 50.0)
    untouched = [
        f"{table.name}.{key.name}"
        for table in dataclasses.fields(project)
        if dataclasses.is_dataclass(part := getattr(project, table.name))
        for key in dataclasses.fields(part)
        if key.default is not dataclasses.MISSING and getattr(part, key.name) == key.default
    ]
    assert untouched == []


def test_whole_numbers_are_read_as_numbers(folder: Path) -> None:
    (folder / "deepresearch.toml").write_text(with_metric("[budget]\nhours = 8"))
    assert type(load(folder).budget.hours) is float


def test_options_win_over_request_tables_which_win_over_the_file(folder: Path) -> None:
    (folder / "deepresearch.toml").write_text(with_metric("[budget]\ncycles = 1\nhours = 1\nusd = 1\npatience = 4"))
    tables = {"budget": {"cycles": 2, "hours": 2, "patience": None}, "trust": {"seeds": 1}}
    project = load(folder, Options(cycles=3, approval="ask", researcher="sweep", direction="minimize", tables=tables))
    budget = project.budget
    assert (budget.cycles, budget.hours, budget.usd, budget.patience) == (3, 2.0, 1.0, None)
    assert (project.trust.seeds, project.approval.mode, project.objective.direction) == (1, "ask", "minimize")
    assert project.researcher.kind is ResearcherKind.SWEEP
    assert (folder / "deepresearch.toml").read_text().endswith("patience = 4")


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_is_read(folder: Path) -> None:
    (folder / "deepresearch.toml").write_bytes(b'\xef\xbb\xbf[objective]\r\nmetric = "acc"\r\n')
    assert load(folder).objective.metric == "acc"


def test_rules_and_tables_name_keys_that_exist() -> None:
    known = {"notebook"}
    for name, cls in config_keys.TABLES.items():
        known |= {f"{name}.{key}" for key in typing.get_type_hints(cls)}
    assert set(config_keys._RULES) <= known
    assert {table for table, _ in config._OPTION_KEYS.values()} <= {"", *config_keys.TABLES}


# The notebook


def test_notebooks_of_other_folders_are_left_aside(folder: Path) -> None:
    (folder / ".hidden.ipynb").write_text(notebook_text())
    for name in ("experiments", "forks", ".ipynb_checkpoints"):
        (folder / name).mkdir()
        (folder / name / "other.ipynb").write_text(notebook_text())
    (folder / "deepresearch.toml").write_text(with_metric(""))
    assert load(folder).notebook == "train.ipynb"


def test_a_notebook_in_a_subfolder_is_named_with_forward_slashes(folder: Path) -> None:
    (folder / "nb").mkdir()
    (folder / "nb" / "deep.ipynb").write_text(notebook_text())
    assert load(folder, Options(metric="acc", notebook="./nb//deep.ipynb")).notebook == "nb/deep.ipynb"


def test_two_notebooks_and_none_named(folder: Path) -> None:
    (folder / "other.ipynb").write_text(notebook_text())
    message = refusal(folder, with_metric(""))
    assert "other.ipynb, train.ipynb" in message and "--notebook" in message and "deepresearch.toml" in message


def test_no_notebook(folder: Path) -> None:
    (folder / "train.ipynb").unlink()
    assert "no notebook (*.ipynb)" in refusal(folder, with_metric(""))


@pytest.mark.parametrize(
    "name",
    [
        "../train.ipynb",
        "/etc/train.ipynb",
        "C:\\\\train.ipynb",
        "a/../../train.ipynb",
        "train.py",
        "",
        "a\\u0000.ipynb",
    ],
)
def test_a_notebook_outside_or_of_another_kind(folder: Path, name: str) -> None:
    (folder.parent / "train.ipynb").write_text(notebook_text())
    message = refusal(folder, f'notebook = "{name}"\n{with_metric("")}')
    assert message.startswith("deepresearch.toml: notebook: found ") and "inside the project folder" in message


@pytest.mark.parametrize("named", [True, False])
def test_a_link_that_leads_out_of_the_folder(folder: Path, named: bool) -> None:
    (folder.parent / "outside.ipynb").write_text(notebook_text())
    (folder / "train.ipynb").unlink()
    (folder / "link.ipynb").symlink_to(folder.parent / "outside.ipynb")
    options = Options(notebook="link.ipynb") if named else None
    assert "a link leads out of it" in refusal(folder, with_metric(""), options)


def test_a_notebook_that_is_not_there(folder: Path) -> None:
    message = refusal(folder, with_metric(""), Options(notebook="trian.ipynb"))
    assert message == '--notebook: found "trian.ipynb"; accepted: a notebook that exists: train.ipynb'
    (folder / "loop.ipynb").symlink_to("loop.ipynb")
    refusal(folder, with_metric(""), Options(notebook="loop.ipynb"))
    refusal(folder, with_metric(""), Options(notebook=f"{'a' * 400}.ipynb"))


# The metric


def test_a_missing_metric_names_what_the_notebook_reports(folder: Path) -> None:
    cells = ("%matplotlib inline\nreport(", "for e in x:\n    report(step=e, acc=f(y), loss=float(z))\nreport(acc=1)")
    (folder / "train.ipynb").write_text(notebook_text(*cells))
    message = refusal(folder)
    assert "[objective] metric is missing" in message and "--metric acc" in message
    assert message.endswith("train.ipynb reports acc, loss")


def test_a_missing_metric_with_an_unreadable_notebook(folder: Path) -> None:
    (folder / "train.ipynb").write_text("not json")
    assert "reports" not in refusal(folder)


@pytest.mark.parametrize("name", ["", "   ", "a\\nb", "3.5", "acc;drop", "=", "x" * 101, " acc"])
def test_a_name_that_no_metric_has(folder: Path, name: str) -> None:
    assert "[objective] metric: found" in refusal(folder, f'[objective]\nmetric = "{name}"')


# Refused values


@pytest.mark.parametrize(
    ("toml", "where", "found", "accepted"),
    [
        ("min_delta = -0.1", "[objective] min_delta", "-0.1", "at least 0"),
        ("min_delta = true", "[objective] min_delta", "true", "a number"),
        ("target = nan", "[objective] target", "nan", "a number"),
        ("target = inf", "[objective] target", "inf", "a number"),
        ('direction = "up"', "[objective] direction", '"up"', '"minimize" or "maximize"'),
        ("direction = 1", "[objective] direction", "1", '"minimize" or "maximize"'),
        ('value = "mean"', "[objective] value", '"mean"', '"last" or "best"'),
        ('constraints = ["params_m ~ 10"]', "[objective] constraints", "['params_m ~ 10']", "params_m <= 10"),
        ('constraints = ["params_m <= many"]', "[objective] constraints", "many", "params_m <= 10"),
        ('constraints = ["params_m <= nan"]', "[objective] constraints", "nan", "params_m <= 10"),
        ('constraints = ["<= 3"]', "[objective] constraints", "<= 3", "params_m <= 10"),
        ('constraints = "a <= 3"', "[objective] constraints", '"a <= 3"', "a list"),
        ("[budget]\ncycles = -3", "[budget] cycles", "-3", "a whole number, at least 0"),
        ("[budget]\ncycles = 3.5", "[budget] cycles", "3.5", "a whole number"),
        ("[budget]\ncycles = true", "[budget] cycles", "true", "a whole number"),
        ('[budget]\ncycles = "50"', "[budget] cycles", '"50"', "a whole number"),
        ("[budget]\ncycles = 99999999999999999999", "[budget] cycles", "99999", "a whole number"),
        ("[budget]\nhours = -1", "[budget] hours", "-1", "greater than 0"),
        ("[budget]\nhours = 0", "[budget] hours", "0", "greater than 0"),
        ("[budget]\nusd = -0.5", "[budget] usd", "-0.5", "at least 0"),
        ("[budget]\nusd = 2024-01-01", "[budget] usd", "date", "a number"),
        ("[budget]\npatience = 0", "[budget] patience", "0", "at least 1"),
        ('[approval]\nmode = "maybe"', "[approval] mode", '"maybe"', '"auto" or "ask"'),
        ('[researcher]\nkind = "gpt"', "[researcher] kind", '"gpt"', '"claude" or "sweep" or "claude-cli"'),
        ('[researcher]\nbase_url = "localhost"', "[researcher] base_url", '"localhost"', "http://"),
        ('[researcher]\nleader_model = " "', "[researcher] leader_model", '" "', "not empty"),
        ("[researcher]\nprice = 3", "[researcher] price", "3", "{input = USD, output = USD}"),
        ("[researcher]\nprice = {input = 1}", "[researcher] price", "{'input': 1}", "output = USD"),
        ("[researcher]\nprice = {input = 1, output = -1}", "[researcher] price.output", "-1", "at least 0"),
        ("[trust]\nseeds = 0", "[trust] seeds", "0", "at least 1"),
        ("[guard]\ndiverge = 1", "[guard] diverge", "1", "true or false"),
        ("[guard]\nstall_minutes = 0", "[guard] stall_minutes", "0", "greater than 0"),
        ('[launcher]\ngpus = "all"', "[launcher] gpus", '"all"', '"auto", "none" or a list'),
        ("[launcher]\ngpus = [0, 0]", "[launcher] gpus", "[0, 0]", '"auto", "none" or a list'),
        ("[launcher]\ngpus = [-1]", "[launcher] gpus", "[-1]", '"auto", "none" or a list'),
        ("[launcher]\ngpus = []", "[launcher] gpus", "[]", '"auto", "none" or a list'),
        ("[launcher]\ngpus = 0", "[launcher] gpus", "0", '"auto", "none" or a list'),
        ("[launcher]\ngpus = [0]\ngpus_per_run = 2", "[launcher] gpus_per_run", "2", "at most 1, the number"),
        ("[launcher]\nmax_parallel = 0", "[launcher] max_parallel", "0", "at least 1"),
        ('[launcher]\nsandbox = "docker"', "[launcher] sandbox", '"docker"', '"auto" or "bwrap" or "none"'),
        ('[launcher]\nenv = ["A B"]', "[launcher] env", "['A B']", "environment variables"),
        ('[launcher]\nprivate = ["../x"]', "[launcher] private", "['../x']", "inside the project"),
        ('[code]\nfiles = ["/etc/*"]', "[code] files", "['/etc/*']", "inside the project"),
        ("[code]\nlocked = [3]", "[code] locked", "[3]", "inside the project"),
    ],
)
def test_a_refusal_names_where_what_and_what_is_accepted(
    folder: Path, toml: str, where: str, found: str, accepted: str
) -> None:
    message = refusal(folder, with_metric(toml))
    match = re.fullmatch(r"deepresearch\.toml: (.+?): found (.+); accepted: (.+)", message)
    assert match is not None, message
    assert match[1] == where and found in match[2] and accepted in match[3]


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ('notebok = "a"', 'unknown key "notebok"; did you mean notebook?; accepted: notebook, objective, code'),
        ('metric = "a"', 'unknown key "metric"; it belongs in [objective]; accepted: notebook, objective'),
        ('[objectives]\nmetric = "a"', 'unknown key "objectives"; did you mean objective?'),
        (
            '[objective]\nmetrc = "a"',
            'unknown key "metrc" in [objective]; did you mean metric?; accepted: metr',
        ),
        ("[trust]\ncycles = 3", 'unknown key "cycles" in [trust]; it belongs in [budget]; accepted: seeds'),
        ('name = "x"', 'unknown key "name"'),
        ("budget = 3", "budget: found 3; accepted: a table [budget] with any of cycles, hours"),
        ("[[budget]]\ncycles = 3", "budget: found [{'cycles': 3}]; accepted: a table [budget]"),
        ("[notebook]\nx = 1", "notebook: found {'x': 1}; accepted: a notebook"),
        ('[objective]\nmetric = "a', "not valid TOML"),
        ("a = 1\na = 2", "not valid TOML"),
        ("x = " + "[" * 5000, "deepresearch.toml: "),
    ],
)
def test_unknown_keys_tables_and_broken_files(folder: Path, toml: str, expected: str) -> None:
    message = refusal(folder, toml)
    assert message.startswith("deepresearch.toml: ") and expected in message


def test_a_syntax_error_names_its_line(folder: Path) -> None:
    assert "at line 2" in refusal(folder, '[objective]\nmetric = "a')
    assert "at line 3" in refusal(folder, '[objective]\nmetric = "a"\nvalue: "best"')


def test_options_and_requests_are_held_to_the_same(folder: Path) -> None:
    toml = with_metric("")
    assert refusal(folder, toml, Options(cycles=-1)) == "--cycles: found -1; accepted: a whole number, at least 0"
    assert refusal(folder, toml, Options(direction="up")).startswith('--direction: found "up"; accepted: "minimize"')
    message = refusal(folder, toml, Options(tables={"budget": {"cycle": 3}}))
    assert message.startswith('request: unknown key "cycle" in [budget]; did you mean cycles?')
    assert refusal(folder, toml, Options(tables={"objective": {"metric": None}})).startswith("request: [objective] met")


def test_a_wrong_value_is_refused_though_an_option_replaces_it(folder: Path) -> None:
    assert "[budget] cycles" in refusal(folder, with_metric("[budget]\ncycles = -3"), Options(cycles=3))


def test_files_that_are_no_text(folder: Path) -> None:
    (folder / "deepresearch.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidConfig, match=r"deepresearch.toml: not valid UTF-8 at byte 0; accepted: UTF-8 text"):
        load(folder)
    (folder / "deepresearch.toml").unlink()
    (folder / "deepresearch.toml").mkdir()
    with pytest.raises(InvalidConfig, match=r"deepresearch.toml: found a folder"):
        load(folder)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such project folder"):
        load(tmp_path / "gone")
    with pytest.raises(NotFound):
        load(tmp_path / ("x" * 300))


# The brief


def test_the_brief_is_read_whole_or_refused(folder: Path) -> None:
    assert read_brief(folder) == ""
    path = folder / "PROJECT_BRIEF.md"
    path.write_bytes("héllo\r\n".encode() + b"x" * 2994)
    assert read_brief(folder) == "héllo\n" + "x" * 2994
    path.write_text("x" * 3412)
    with pytest.raises(InvalidConfig) as caught:
        read_brief(folder)
    expected = "PROJECT_BRIEF.md has 3,412 characters; at most 3,000 are accepted: move the rest to notes/*.md"
    assert str(caught.value) == expected
    path.write_bytes(b"abc\xff")
    with pytest.raises(InvalidConfig, match="not valid UTF-8 at byte 3"):
        read_brief(folder)


def test_a_brief_given_is_kept_and_never_overwrites(folder: Path) -> None:
    path = folder / "PROJECT_BRIEF.md"
    write_project_files(folder, None)
    write_project_files(folder, "  \n")
    assert not path.exists()
    write_project_files(folder, "Find out.")
    write_project_files(folder, "Find out.\n")
    with pytest.raises(Conflict, match=r"PROJECT_BRIEF.md already exists and differs"):
        write_project_files(folder, "Something else")
    assert path.read_text() == "Find out."


@pytest.mark.parametrize("brief", ["x" * 3001, "\ud800"])
def test_a_brief_that_cannot_be_kept_leaves_nothing(folder: Path, brief: str) -> None:
    with pytest.raises(InvalidConfig, match="the brief given"):
        write_project_files(folder, brief)
    assert [p.name for p in folder.iterdir()] == ["train.ipynb"]


def test_a_brief_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match=r"PROJECT_BRIEF.md cannot be written"):
        write_project_files(tmp_path / "gone", "Find out.")


# A project that was started


def test_what_is_named_later_is_laid_over_a_started_project(folder: Path) -> None:
    toml = folder / "deepresearch.toml"
    toml.write_text('notebook = "./train.ipynb"\n' + with_metric("[budget]\ncycles = 5\nhours = 1"))
    project = load(folder, Options(approval="ask"))
    assert reload(folder, project, Options()) == project
    toml.write_text(with_metric("[budget]\ncycles = 9"))
    again = reload(folder, project, Options(usd=2.0))
    assert (again.budget.cycles, again.budget.hours, again.budget.usd) == (9, 1.0, 2.0)
    assert (again.approval.mode, again.objective) == ("ask", project.objective)
    assert reconfigure(again, {"budget": {"hours": None}}).budget.hours is None


def test_the_notebook_of_a_started_project_stays_and_at_work_its_objective_too(folder: Path) -> None:
    project = load(folder, Options(metric="acc"))
    (folder / "other.ipynb").write_text(notebook_text())
    with pytest.raises(InvalidConfig, match="cannot change in a project that was started"):
        reload(folder, project, Options(notebook="other.ipynb"))
    with pytest.raises(InvalidConfig, match=r"\[objective\] direction cannot change while a project is at work"):
        reconfigure(project, {"objective": {"direction": "minimize"}})
    assert reconfigure(project, {"objective": {"direction": "maximize"}}) == project


def test_a_new_start_may_name_another_metric(folder: Path) -> None:
    project = load(folder, Options(metric="acc", cycles=4))
    again = reload(folder, project, Options(metric="val_loss"))
    assert (again.objective.metric, again.objective.direction, again.budget.cycles) == ("val_loss", "minimize", 4)
    assert reload(folder, project, Options(metric="val_loss", direction="maximize")).objective.direction == "maximize"


def test_a_started_project_is_held_to_the_same_rules(folder: Path) -> None:
    project = load(folder, Options(metric="acc", tables={"launcher": {"gpus": [0, 1], "gpus_per_run": 2}}))
    with pytest.raises(InvalidConfig, match=r"configure: \[launcher\] gpus: found 2; accepted: gpus_per_run at most 1"):
        reconfigure(project, {"launcher": {"gpus": [0]}})
    with pytest.raises(InvalidConfig, match="did you mean cycles"):
        reconfigure(project, {"budget": {"cycle": 1}})


# The researcher


KEY = {"ANTHROPIC_API_KEY": "sk-a-secret"}
LOCAL = "http://localhost:11434"


def chosen(environ: dict[str, str] | None = None, **options: object) -> Choice:
    """Who proposes; a secret of the environment is in nothing that comes of it."""
    choice = resolve_researcher(ResearcherOptions(**options), environ or {})  # type: ignore[arg-type]
    assert "secret" not in repr(choice)
    return choice


def test_without_key_and_address_the_offline_researcher_proposes_and_says_so() -> None:
    choice = chosen({"ANTHROPIC_API_KEY": "", "ANTHROPIC_BASE_URL": "https://api.anthropic.com"})
    assert (choice.kind, choice.options.kind, choice.models) == (ResearcherKind.SWEEP, ResearcherKind.SWEEP, ())
    assert choice.sentence == "no researcher configured: using the offline researcher (sweep)"
    assert chosen(KEY, kind=ResearcherKind.SWEEP, base_url=LOCAL).kind is ResearcherKind.SWEEP


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
def test_with_a_key_claude_proposes_on_its_default_models(name: str) -> None:
    choice = chosen({name: "sk-a-secret"})
    options = choice.options
    assert (choice.kind, options.leader_model, options.worker_model) == (
        ResearcherKind.CLAUDE,
        *["claude-haiku-5-5"] * 2,
    )
    assert choice.sentence == (
        f"using the researcher claude: claude-haiku-5-5 leads and works, at api.anthropic.com ({name} is set)"
    )
    mixed = chosen(KEY, kind=ResearcherKind.CLAUDE, leader_model="claude-opus-5-5", fallback_model="claude-sonnet-5")
    assert mixed.models == ("claude-opus-5-5", "claude-haiku-5-5", "claude-sonnet-5")
    assert "claude-opus-5-5 leads, claude-haiku-5-5 works, claude-sonnet-5 where one refuses, at" in mixed.sentence


def test_another_server_needs_no_key_but_the_name_of_its_model() -> None:
    choice = chosen(base_url=LOCAL, leader_model="qwen3:8b")
    assert choice.options.worker_model == "qwen3:8b" and choice.options.base_url == LOCAL
    assert choice.sentence.endswith("qwen3:8b leads and works, at localhost:11434 (base_url is set)")
    by_environment = chosen({"ANTHROPIC_BASE_URL": f"{LOCAL}/v1/"}, leader_model="m")
    assert by_environment.options.base_url == LOCAL and "ANTHROPIC_BASE_URL is set" in by_environment.sentence
    with pytest.raises(InvalidConfig, match=r"leader_model: missing, and base_url is localhost:11434; accepted: the n"):
        chosen(KEY, base_url=LOCAL)
    with pytest.raises(InvalidConfig, match="leader_model: missing, and ANTHROPIC_BASE_URL is localhost:11434"):
        chosen({"ANTHROPIC_BASE_URL": LOCAL})


def test_claude_without_a_key_and_the_command_without_a_command_are_refused(tmp_path: Path) -> None:
    for options in ({"kind": ResearcherKind.CLAUDE}, {"base_url": "https://api.anthropic.com"}):
        with pytest.raises(InvalidConfig, match=r'"claude" without a key; accepted: ANTHROPIC_API_KEY set where'):
            chosen(**options)
    with pytest.raises(InvalidConfig, match=r"no command `claude` on PATH; install Claude Code and log in"):
        chosen({"PATH": str(tmp_path)}, kind=ResearcherKind.CLAUDE_CLI)
    (tmp_path / "claude").write_text("#!/bin/sh")
    (tmp_path / "claude").chmod(0o755)
    with pytest.raises(InvalidConfig, match=r"base_url: does not go with kind = \"claude-cli\""):
        chosen({"PATH": str(tmp_path)}, kind=ResearcherKind.CLAUDE_CLI, base_url=LOCAL)
    choice = chosen({"PATH": str(tmp_path)}, kind=ResearcherKind.CLAUDE_CLI)
    assert choice.models == ("claude-haiku-5-5",) and choice.options.base_url is None
    assert choice.sentence.endswith("through the command `claude` and its account")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://localhost:8000/v1/", "http://localhost:8000"),
        ("http://[::1]:8000/v1/messages", "http://[::1]:8000"),
        ("https://api.deepseek.com/anthropic/v1/messages/", "https://api.deepseek.com/anthropic"),
        ("https://example.com/v1/v11", "https://example.com/v1/v11"),
    ],
)
def test_an_address_is_that_before_v1_messages(folder: Path, given: str, meant: str) -> None:
    tables = {"researcher": {"base_url": given}}
    assert load(folder, Options(metric="acc", tables=tables)).researcher.base_url == meant
    assert chosen(base_url=given, leader_model="m").options.base_url == meant  # of a log from before


@pytest.mark.parametrize(
    "given", ["localhost:8000", "ftp://a/b", "http://", "http:///v1", "http://me:secret@a", "http://a/?key=secret"]
)
def test_what_is_no_address_or_carries_a_secret_is_refused(folder: Path, given: str) -> None:
    assert "base_url" in refusal(folder, with_metric(f'[researcher]\nbase_url = "{given}"'))
    with pytest.raises(InvalidConfig, match="ANTHROPIC_BASE_URL: not an address; accepted: an http://") as refused:
        chosen({"ANTHROPIC_BASE_URL": given})
    assert "secret" not in str(refused.value)


def test_a_budget_in_usd_is_refused_for_a_model_whose_price_nobody_knows() -> None:
    choice = chosen(KEY, worker_model="novel-1", fallback_model="novel-2")

    def refuse(budget: values.Budget, choice: Choice = choice) -> None:
        refuse_unpriced(budget, choice, lambda model: model.startswith("claude-"))

    for budget in (values.Budget(usd=1.0), values.Budget(usd_per_day=0.0)):
        with pytest.raises(
            InvalidConfig, match=r'\[budget\] usd\w*: the price of "novel-1" is not known; .* price = {'
        ):
            refuse(budget)
    refuse(values.Budget(tokens=1000))
    refuse(values.Budget(usd=1.0), chosen(KEY, worker_model="novel-1", price=Price(1.0, 2.0)))
    refuse(values.Budget(usd=1.0), chosen(KEY))
    refuse(values.Budget(usd=1.0), chosen(leader_model="novel-1"))


def test_every_refusal_is_of_our_tree() -> None:
    assert issubclass(InvalidConfig, DeepResearchError) and InvalidConfig.reason == "invalid_config"


@pytest.mark.parametrize("table", ['[launcher]\nkind = "slurm"', '[launcher]\nsandbox = "bwrap"'])
def test_what_is_still_to_come_is_refused_not_ignored(folder: Path, table: str) -> None:
    (folder / "deepresearch.toml").write_text(with_metric("") + "\n" + table)
    with pytest.raises(InvalidConfig, match="not available in this version yet; accepted:"):
        config.refuse_unbuilt(load(folder))
