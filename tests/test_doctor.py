"""`doctor`: what the environment of a project's kernel lacks, and the line that mends it."""

from __future__ import annotations

import json
import os
import stat
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

import msgspec
import nbformat
import pytest

from jupyter_deepresearch.config.loading import Options, load
from jupyter_deepresearch.core.types import Outcome, RunState, Source
from jupyter_deepresearch.doctor.check import Check
from jupyter_deepresearch.doctor.kernel import examine_kernel
from jupyter_deepresearch.doctor.researcher import examine_researcher
from jupyter_deepresearch.execution.checkup.imports import Imports, imports_of
from jupyter_deepresearch.execution.checkup.packages import package_names
from jupyter_deepresearch.execution.fingerprint import fingerprint
from jupyter_deepresearch.testing import MessagesServer

IPYKERNEL = ("-m", "ipykernel_launcher", "-f", "{connection_file}")


def imported(cells: tuple[str, ...], files: Mapping[str, str] | None = None, notebook: str = "train.ipynb") -> Imports:
    nodes = [nbformat.v4.new_code_cell(cell) for cell in cells]
    return imports_of(Source(nbformat.writes(nbformat.v4.new_notebook(cells=nodes)), files or {}), notebook)


# What is imported


def test_imports_of_cells_are_found_through_magics() -> None:
    cells = (
        "%matplotlib inline\nimport numpy as np, PIL.Image\n!pip list\nfiles = !ls\nnp?",
        "%%time\nfrom sklearn.svm import SVC",
        "%%bash\nimport nothing",
        "this is no Python",
        "from jupyter_deepresearch import report\nfrom __future__ import annotations",
    )
    assert imported(cells).needed == {"numpy", "PIL", "sklearn", "__future__"}


def test_imports_that_may_fail_are_none_and_those_of_functions_are_late() -> None:
    cell = (
        "try:\n    import apex\nexcept ImportError:\n    apex = None\n"
        "try:\n    import json5\nfinally:\n    pass\n"
        "if TYPE_CHECKING:\n    import onlytypes\nelse:\n    import really\n"
        "def f():\n    import late\n    import json5\n"
        "class C:\n    import inside\n"
    )
    found = imported((cell,))
    assert (found.needed, found.late) == ({"json5", "really", "inside"}, {"late"})


FILES = {
    "src/net/__init__.py": "from .model import Net",
    "src/net/model.py": "import torch\nfrom ..net import parts",
    "src/net/parts.py": "import einops",
    "src/unused.py": "import never",
    "train.py": "import yaml\nfrom tools import log",
    "tools.py": "import rich",
    "tests/test_net.py": "import pytest",
    "lib/deep/mod.py": "import deeper",
}


def test_code_counts_as_far_as_the_notebook_reaches_it() -> None:
    assert imported(("import math",), FILES).needed == {"math"}
    package = imported(("from net import Net",), FILES)
    assert package.needed == {"torch", "einops"} and package.own == {"net": "src"}
    script = imported(("!python train.py --lr 1",), FILES)
    assert script.needed == {"yaml", "rich"} and script.own == {"tools": ""}
    module = imported(("!torchrun -m lib.deep.mod",), FILES)
    assert module.needed == {"deeper"}
    beside = imported(("import helpers",), {"notebooks/helpers.py": "import x"}, notebook="notebooks/a.ipynb")
    assert (beside.needed, beside.own) == ({"x"}, {"helpers": "notebooks"})


def test_modules_are_installed_by_their_packages_names() -> None:
    modules = ("yaml", "sklearn", "cv2", "PIL", "skimage", "torch")
    assert package_names(modules) == ("pillow", "opencv-python", "scikit-image", "scikit-learn", "torch", "pyyaml")


# What is there


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose kernel is an environment of its own, which its test fills."""
    made = tmp_path / "project"
    made.mkdir()
    (made / "deepresearch.toml").write_text('[objective]\nmetric = "score"\n')
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    with (tmp_path / "env" / "pyvenv.cfg").open("a") as settings:
        settings.write("uv = 0.9.1\n")
    install_kernel(tmp_path, str(tmp_path / "env" / "bin" / "python"), *IPYKERNEL)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return made


def install_kernel(data: Path, *argv: str, **told: object) -> None:
    spec = data / "kernels" / "other"
    spec.mkdir(parents=True, exist_ok=True)
    whole = {"argv": argv, "display_name": "Other", "language": "python", **told}
    (spec / "kernel.json").write_text(json.dumps(whole))


def site(folder: Path) -> Path:
    [found] = (folder.parent / "env").glob("lib/python*/site-packages")
    return found


def install(folder: Path, name: str, text: str = "", **files: str) -> Path:
    """A package in the kernel's environment."""
    package = site(folder) / name
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text(text)
    for file, content in files.items():
        (package / f"{file}.py").write_text(content)
    (site(folder) / f"{name}-1.0.dist-info").mkdir(exist_ok=True)
    return package


def looked(folder: Path, *cells: str, environ: Mapping[str, str] | None = None, gpus: int = 0) -> dict[str, Check]:
    """The checks of the kernel of a project whose notebook has these cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "other", "display_name": "Other", "language": "python"}
    nbformat.write(notebook, folder / "train.ipynb")
    given = {"PATH": os.environ["PATH"], **(environ or {})}
    return {check.name: check for check in examine_kernel(folder, load(folder), given, gpus)}


def test_what_is_missing_is_named_with_the_line_that_mends_it(folder: Path) -> None:
    python = folder.parent / "env" / "bin" / "python"
    checks = looked(folder, "import yaml, json\ndef f():\n    import sklearn")
    assert list(checks) == ["kernel", "imports"]
    version = ".".join(map(str, sys.version_info[:3]))
    assert not checks["kernel"].ok and checks["kernel"].said == (
        f"other (Other): Python {version} at {python} has no ipykernel; "
        f'mend it with: uv pip install --python "{python}" ipykernel'
    )
    mends = f'yaml: not installed; mend it with: uv pip install --python "{python}" pyyaml'
    assert checks["imports"] == Check("imports", False, mends)
    install(folder, "ipykernel")
    install(folder, "yaml", "raise RuntimeError('nothing of the project or its packages is run')")
    checks = looked(folder, "import yaml, json\ndef f():\n    import sklearn")
    now = fingerprint([str(site(folder))])
    late = "not installed, but only imported inside of functions: sklearn"
    assert checks["kernel"].ok
    assert checks["imports"] == Check("imports", True, f"2 imported module(s) are there; environment {now}; {late}")


def test_an_environment_that_changed_since_the_last_run_is_told(folder: Path) -> None:
    install(folder, "ipykernel")
    ran = folder / ".deepresearch" / "runs" / "0000-baseline-seed-1"
    ran.mkdir(parents=True)
    then = Outcome(ran.name, RunState.SUCCEEDED, environment={"packages": fingerprint([str(site(folder))])})
    (ran / "exit.json").write_bytes(msgspec.json.encode(then))
    assert looked(folder, "1")["imports"].said.endswith(", as in the last run")
    install(folder, "torch")
    assert "CHANGED since the last run" in looked(folder, "1")["imports"].said


def test_a_wrapper_script_is_asked_as_the_kernel_is_started(folder: Path) -> None:
    install(folder, "ipykernel")
    install(folder, "hidden")
    script = folder.parent / "kernels" / "other" / "activate.sh"
    script.write_text(
        f'#!/bin/sh\nshift\nPYTHONPATH="{site(folder)}:$PYTHONPATH"; export PYTHONPATH\nexec "{sys.executable}" "$@"\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    install_kernel(folder.parent, "{resource_dir}/activate.sh", "python", *IPYKERNEL, env={"EXTRA": "${PATH}"})
    checks = looked(folder, "import hidden, absent_of_all")
    assert checks["imports"].said.startswith("absent_of_all: not installed; mend it with: ")
    assert sys.executable in checks["kernel"].said


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (
            ("/nowhere/python", *IPYKERNEL),
            "other (Other): /nowhere/python cannot be started: No such file or directory",
        ),
        (("xpython", "-f", "{connection_file}"), "starts no ipykernel: what it needs cannot be looked up"),
        (("false", *IPYKERNEL), "other (Other): false ended with 1: it said nothing"),
    ],
)
def test_a_kernel_that_cannot_be_asked_says_why(folder: Path, argv: tuple[str, ...], said: str) -> None:
    install_kernel(folder.parent, *argv)
    [check] = looked(folder, "1").values()
    assert not check.ok and said in check.said


def test_a_copy_of_the_projects_package_is_told_from_one_installed_in_place(folder: Path) -> None:
    install(folder, "ipykernel")
    python = folder.parent / "env" / "bin" / "python"
    (folder / "src" / "net").mkdir(parents=True)
    (folder / "src" / "net" / "__init__.py").touch()
    said = looked(folder, "import net")["code"]
    assert not said.ok and 'sys.path.insert(0, "src")' in said.said
    assert "code" not in looked(folder, "import sys\nsys.path.insert(0, 'src')\nimport net")
    (folder / "pyproject.toml").touch()
    installable = looked(folder, "import net")["code"]
    assert not installable.ok and installable.said.endswith(f'pip install --python "{python}" -e {folder}')
    install(folder, "net")
    copied = looked(folder, "import net")["code"]
    assert (
        not copied.ok and f"net from {site(folder)}/net/__init__.py: edits in this folder would change" in copied.said
    )
    (site(folder) / "net" / "__init__.py").unlink()
    (site(folder) / "net").rmdir()
    (site(folder) / "net.pth").write_text(str(folder / "src"))
    told = site(folder) / "net-1.0.dist-info"
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: net\nVersion: 1.0\n")
    (told / "direct_url.json").write_text(json.dumps({"url": f"file://{folder}", "dir_info": {"editable": True}}))
    in_place = looked(folder, "import net")["code"]
    assert in_place == Check("code", True, "net is installed from this folder: each run imports its own copy")


def test_torch_without_cuda_is_told_where_there_are_gpus(folder: Path) -> None:
    install(folder, "ipykernel")
    install(folder, "torch", "raise RuntimeError('never imported')", version="__version__ = '2.9'\ncuda: str = None\n")
    alone, beside = looked(folder, "import torch")["torch"], looked(folder, "import torch", gpus=2)["torch"]
    assert (alone.ok, alone.said) == (True, "2.9, for the CPU")
    assert not beside.ok and "2.9 is built without CUDA, so the 2 GPU(s) here stay unused" in beside.said
    install(folder, "torch", version="__version__ = '2.9+cu130'\ncuda: str = '13.0'\n")
    assert looked(folder, "import torch", gpus=2)["torch"].said == "2.9+cu130 for CUDA 13.0"
    assert "torch" not in looked(folder, "import json")


def test_wandb_says_where_runs_will_log(folder: Path) -> None:
    install(folder, "ipykernel")
    install(folder, "wandb")
    assert "WANDB_MODE=offline" in looked(folder, "import wandb")["wandb"].said
    online = looked(folder, "import wandb", environ={"WANDB_MODE": "online"})["wandb"]
    assert online == Check("wandb", True, "logs as you set it up (WANDB_MODE online)")


# The researcher


def researcher(folder: Path, environ: Mapping[str, str] | None = None, **tables: Mapping[str, object]) -> list[Check]:
    """What is said of who proposes; never a key."""
    project = load(folder, Options(metric="score", notebook="train.ipynb", tables=tables))
    checks = list(examine_researcher(folder, project, environ or {}))
    assert "secret" not in repr(checks)
    return checks


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    (tmp_path / "train.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook()))
    return tmp_path


def test_doctor_tells_who_proposes_with_what_key_and_price(bare: Path) -> None:
    assert researcher(bare) == [
        Check("researcher", True, "no researcher configured: using the offline researcher (sweep)")
    ]
    [claude] = researcher(bare, {"ANTHROPIC_API_KEY": "sk-secret"}, budget={"usd": 1.0})
    assert claude.ok and "claude-haiku-5-5 leads and works, at api.anthropic.com" in claude.said
    assert claude.said.endswith("; ANTHROPIC_API_KEY is set; prices known")
    [keyless] = researcher(bare, researcher={"kind": "claude"})
    assert not keyless.ok and 'found "claude" without a key; accepted: ANTHROPIC_API_KEY' in keyless.said
    far = {"base_url": "https://models.example.com", "leader_model": "novel"}
    [unpriced] = researcher(bare, researcher=far)
    assert (
        unpriced.ok and "no key is set; price of novel not known, so a budget in USD needs price = {" in unpriced.said
    )
    [refused] = researcher(bare, researcher=far, budget={"usd_per_day": 1.0})
    assert not refused.ok and 'the price of "novel" is not known; accepted: price = {' in refused.said
    [plain] = researcher(bare, {"ANTHROPIC_API_KEY": "secret"}, researcher={**far, "base_url": "http://example.com"})
    assert not plain.ok and "in clear text" in plain.said


def test_doctor_asks_a_server_of_this_machine_whether_it_is_there_and_no_other(bare: Path) -> None:
    with MessagesServer() as server:
        there = {"base_url": f"{server.base_url}/v1", "leader_model": "qwen3:8b"}
        [found] = researcher(bare, researcher=there)
    assert found.ok and server.requests == []
    [gone] = researcher(bare, researcher=there)
    assert not gone.ok and "nobody answers at 127.0.0.1:" in gone.said and "start that server" in gone.said


def test_doctor_reads_a_persons_own_prompts(bare: Path) -> None:
    (bare / "prompts").mkdir()
    (bare / "prompts" / "leader.md").write_text("Be bold.")
    key = {"ANTHROPIC_API_KEY": "sk-secret"}
    assert researcher(bare, key)[1] == Check("prompts", True, "the project's own: prompts/leader.md")
    (bare / "prompts" / "code.md").write_text("x" * 9000)
    broken = researcher(bare, key)[1]
    assert not broken.ok and "prompts/code.md: longer than 8,000 characters" in broken.said
    assert len(researcher(bare)) == 1  # the offline researcher reads none
