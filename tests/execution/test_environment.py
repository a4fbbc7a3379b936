"""What a run may see: no secrets unless allowed, Weights & Biases offline, and a kernel that exists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_deepresearch.errors import InvalidNotebook
from jupyter_deepresearch.execution.environment import find_kernel, run_environment, with_wandb_names

SECRETS = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
    "JUPYTER_TOKEN",
    "JPY_API_TOKEN",
    "JPY_PARENT_PID",
    "JUPYTERHUB_API_URL",
    "AWS_SECRET_ACCESS_KEY",
    "my_password",
    "DB_PASSWD",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "hf_token",
    "WANDB_API_KEY",
    "DEEPRESEARCH_RUN",
)
KEPT = {
    "PATH": "/bin",
    "HOME": "/nowhere",
    "LANG": "C.UTF-8",
    "CUDA_HOME": "/cuda",
    "CUDA_VISIBLE_DEVICES": "",
    "LD_LIBRARY_PATH": "/lib",
    "CONDA_PREFIX": "/conda",
    "VIRTUAL_ENV": "/venv",
    "JUPYTER_PATH": "/kernels",
    "PYTHONPATH": "src",
}


def test_secrets_are_dropped_and_everything_else_is_kept() -> None:
    seen = run_environment({**KEPT, **dict.fromkeys(SECRETS, "x")}, ()).variables
    assert seen == {**KEPT, "WANDB_MODE": "offline"}


def test_a_secret_that_is_allowed_by_name_is_kept() -> None:
    seen = run_environment(dict.fromkeys(SECRETS, "x"), ("hf_token", "ANTHROPIC_API_KEY", "absent")).variables
    assert dict(seen) == {"hf_token": "x", "ANTHROPIC_API_KEY": "x", "WANDB_MODE": "offline"}


@pytest.mark.parametrize(
    ("environ", "mode", "is_said"),
    [
        ({}, "offline", True),
        ({"WANDB_MODE": ""}, "offline", True),
        ({"WANDB_MODE": "online"}, "online", False),
        ({"WANDB_API_KEY": "x"}, "offline", True),
    ],
)
def test_wandb_is_offline_where_unset_without_a_key_and_it_is_said(
    environ: dict[str, str], mode: str, is_said: bool
) -> None:
    seen = run_environment(environ, ())
    assert seen.variables["WANDB_MODE"] == mode
    assert (seen.wandb_note is not None) is is_said


def test_wandb_with_a_visible_key_is_left_alone(tmp_path: Path) -> None:
    seen = run_environment({"WANDB_API_KEY": "x"}, ("WANDB_API_KEY",))
    assert "WANDB_MODE" not in seen.variables and seen.wandb_note is None
    (tmp_path / ".netrc").write_text("machine api.wandb.ai login user password x\n")
    assert "WANDB_MODE" not in run_environment({"HOME": str(tmp_path)}, ()).variables


def test_wandb_is_off_in_a_dry_run() -> None:
    assert run_environment({"WANDB_MODE": "online"}, (), dry_run=True).variables["WANDB_MODE"] == "disabled"


def test_wandb_groups_by_project_and_names_by_run_unless_the_person_chose() -> None:
    seen = with_wandb_names(run_environment({"WANDB_NAME": "mine", "WANDB_RUN_GROUP": ""}, ()), "digits", "0001-x")
    assert seen.variables == {"WANDB_NAME": "mine", "WANDB_RUN_GROUP": "digits", "WANDB_MODE": "offline"}
    assert seen.wandb_note is not None
    assert with_wandb_names(run_environment({}, ()), "digits", "0001-x").variables["WANDB_NAME"] == "0001-x"


def test_a_kernel_is_found_by_name() -> None:
    assert find_kernel("python3", "train.ipynb").language == "python"


def test_a_missing_kernel_is_one_line_that_names_those_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kernels" / "other"
    folder.mkdir(parents=True)
    spec = {"argv": ["python"], "display_name": "Other", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    with pytest.raises(InvalidNotebook) as caught:
        find_kernel("foo", "train.ipynb")
    message = str(caught.value)
    assert message.startswith('kernel "foo" of train.ipynb is not installed: found other, python3')
    assert message.endswith("; install it or choose another in the notebook") and "\n" not in message


@pytest.mark.parametrize("name", ["", "a b", "../python3"])
def test_a_kernel_name_that_no_kernel_can_have_is_a_missing_kernel(name: str) -> None:
    with pytest.raises(InvalidNotebook, match="is not installed"):
        find_kernel(name, "train.ipynb")
