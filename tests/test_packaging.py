"""What `pip install .` puts where: built from the committed tree, installed afresh, asked by Jupyter's own lists."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_deepresearch import __version__

NODE_COMMANDS = {"node", "nodejs", "npm", "npx", "corepack", "yarn", "jlpm"}
BUILD_S = 400


@dataclass(frozen=True)
class Installed:
    """A fresh environment with our wheel in it, and the rest of this environment's packages behind."""

    python: Path
    environment: dict[str, str]

    def ask(self, *arguments: str) -> str:
        """What `python -m ...` prints there, both streams."""
        command = [str(self.python), "-m", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


def without_node(folder: Path) -> str:
    """A PATH with every command of this machine's but Node.js."""
    folder.mkdir()
    for place in reversed(os.environ["PATH"].split(os.pathsep)):
        for command in Path(place).iterdir() if Path(place).is_dir() else ():
            link = folder / command.name
            link.unlink(missing_ok=True)
            if command.name not in NODE_COMMANDS:
                link.symlink_to(command)
    assert shutil.which("node", path=str(folder)) is None
    return str(folder)


def committed_tree(repository: Path, target: Path) -> Path:
    """A copy of the files that git tracks: what a fresh clone holds."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (repository / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / name, target / name)
    return target


def run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=BUILD_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module", params=["node as the machine has it", "no node"])
def installed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, environment_with_index: dict[str, str]
) -> Installed:
    folder = tmp_path_factory.mktemp("packaging")
    path = os.environ["PATH"] if request.param != "no node" else without_node(folder / "bin")
    environment = {**environment_with_index, "PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        environment[name] = str(folder / name.lower())
    source = committed_tree(Path(__file__).parent.parent, folder / "source")
    pip = [sys.executable, "-m", "pip"]
    run([*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source)], environment)
    run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], environment)
    python = folder / "venv" / "bin" / "python"
    [wheel] = folder.glob("*.whl")
    run([*pip, "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)], environment)
    [packages] = (folder / "venv" / "lib").glob("python*/site-packages")
    # A .pth file in a folder that a .pth file names is not read, so an editable install of ours stays out of sight.
    (packages / "rest.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(python, environment)


@pytest.mark.index
@pytest.mark.slow
@pytest.mark.timeout(BUILD_S)
def test_sidebar_is_enabled_by_the_install(installed: Installed) -> None:
    listed = installed.ask("jupyterlab.labextensions", "list")
    line = next(line for line in listed.splitlines() if "jupyter-deepresearch" in line)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", line).split()
    assert plain[:4] == ["jupyter-deepresearch", f"v{__version__}", "enabled", "OK"], listed


@pytest.mark.index
@pytest.mark.slow
@pytest.mark.timeout(BUILD_S)
def test_server_extension_is_enabled_by_the_install(installed: Installed) -> None:
    listed = re.sub(r"\x1b\[[0-9;]*m", "", installed.ask("jupyter_server.extension.serverextension", "list"))
    assert re.search(r"^\s*jupyter_deepresearch enabled$", listed, re.MULTILINE), listed
    assert re.search(rf"jupyter_deepresearch {re.escape(__version__)} OK", listed), listed


@pytest.mark.index
@pytest.mark.slow
@pytest.mark.timeout(BUILD_S)
def test_command_is_installed_and_runs_from_the_wheel(installed: Installed) -> None:
    asked = [str(installed.python.parent / "jupyter-deepresearch"), "--help"]
    done = subprocess.run(asked, env=installed.environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "history" in done.stdout
    prompts = installed.python.parents[1].glob("lib/python*/site-packages/jupyter_deepresearch/**/prompts/*.md")
    assert {prompt.stem for prompt in prompts} == {"leader", "reflect", "code", "idea", "writing"}


def test_versions_of_package_and_sidebar_are_the_same(repository: Path) -> None:
    assert json.loads((repository / "labextension" / "package.json").read_text())["version"] == __version__


def test_lock_file_names_no_host(repository: Path) -> None:
    assert "://" not in (repository / "labextension" / "yarn.lock").read_text()


def test_torch_is_never_a_dependency(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]
    assert not [name for name in named if name.startswith("torch")]
