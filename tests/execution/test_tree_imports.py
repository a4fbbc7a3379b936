"""A run imports its own copies of code that was installed with ``pip install -e``, or says that it did not."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from jupyter_deepresearch.core.types import Outcome, RunState
from jupyter_deepresearch.execution.local import LocalLauncher
from jupyter_deepresearch.execution.paths import RunPaths
from jupyter_deepresearch.execution.runner.injecting import inject
from jupyter_deepresearch.execution.trees.tree import make_tree
from tests.execution.run_specs import ended, make_spec, run_paths, write_notebook

PYPROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "{name}"
version = "1"
[tool.setuptools]
{packages}
"""
LAYOUTS = {
    "flat": ("pk_flat", 'packages = ["pk_flat"]\npy-modules = ["single"]'),
    "src": ("src/pk_src", 'packages.find = { where = ["src"] }'),
    "strict": ("src/pk_strict", 'packages.find = { where = ["src"] }'),
}
WHERE = "import {0}.model\nprint({0}.model.__file__, {0}.model.WHO)\n"


@dataclass(frozen=True)
class Installed:
    """A project whose package an environment of its own knows by ``pip install -e``."""

    project: Path
    python: Path
    package: str

    @property
    def name(self) -> str:
        return Path(self.package).name

    @property
    def paths(self) -> RunPaths:
        return RunPaths(self.project / ".deepresearch" / "runs" / "r")

    def run(self, *arguments: str, mended: bool = True) -> str:
        """What the environment's Python prints in the run's tree, and without our files where it is not mended."""
        told = {"PROJECT": self.project, "WORK": self.paths.work, "REPORTS": self.paths.root / "reports.jsonl"}
        env = {name: value for name, value in os.environ.items() if not name.startswith(("DEEPRESEARCH", "PYTHON"))}
        env.update({f"DEEPRESEARCH_{name}": str(value) for name, value in told.items()})
        inject(self.paths.inject)
        if mended:
            env["PYTHONPATH"] = str(self.paths.inject)
        told_by = subprocess.run(
            [str(self.python), *arguments], cwd=self.paths.work, env=env, capture_output=True, text=True, timeout=60
        )
        assert told_by.returncode == 0, told_by.stderr
        return told_by.stdout

    def notes(self) -> list[str]:
        """The notes in the reports file."""
        file = self.paths.root / "reports.jsonl"
        return [json.loads(line)["note"] for line in file.read_text().splitlines()] if file.exists() else []


def install(folder: Path, layout: str) -> Installed:
    """A project in ``folder`` and an environment beside it, made by ``venv`` and ``pip`` without a network."""
    package, packages = LAYOUTS[layout]
    project = folder / "a project"
    (project / "scripts").mkdir(parents=True)
    (project / package).mkdir(parents=True)
    (project / package / "__init__.py").touch()
    (project / package / "model.py").write_text("WHO = 'original'\n")
    (project / "single.py").write_text("WHO = 'original'\n")
    name = Path(package).name
    (project / "scripts" / "train.py").write_text(WHERE.format(name))
    (project / "pyproject.toml").write_text(PYPROJECT.format(name=name.replace("_", "-"), packages=packages))
    write_notebook(project / "train.ipynb")
    python = _environment(folder / "place")
    site = next((folder / "place" / "lib").glob("python3*/site-packages"))
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet", "--disable-pip-version-check"]
    mode = ["--config-settings", f"editable_mode={'strict' if layout == 'strict' else ''}"]
    pip = [sys.executable, "-m", "pip", "install", "--target", str(site), *offline, *mode, "--editable", str(project)]
    subprocess.run(pip, check=True, timeout=120, capture_output=True)
    return Installed(project, python, package)


def _environment(folder: Path) -> Path:
    """A virtual environment that sees what this one has installed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=60)
    site = next((folder / "lib").glob("python3*/site-packages"))
    (site / "as_here.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "python"


@pytest.fixture(scope="module", params=sorted(LAYOUTS))
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    layout: str = request.param
    made = install(tmp_path_factory.mktemp(layout), layout)
    edits = {f"{made.package}/model.py": "WHO = 'copy'\n", "single.py": "WHO = 'copy'\n"}
    make_tree(made.project, made.paths.work, make_spec(made.project).project, edits)
    return made


def test_without_the_mend_a_script_in_a_folder_imports_the_persons_files(installed: Installed) -> None:
    assert "original" in installed.run("scripts/train.py", mended=False)


def test_a_script_in_a_folder_imports_the_copies(installed: Installed) -> None:
    assert installed.run("scripts/train.py").split()[-1] == "copy"
    assert installed.notes() == []


def test_so_do_children_of_it_and_modules_beside_packages(installed: Installed) -> None:
    child = WHERE.format(installed.name)
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], cwd={os.sep!r}, check=True)"
    assert installed.run("-c", code).split()[-1] == "copy"
    if installed.package == "pk_flat":
        alone = f"import os; os.chdir({os.sep!r}); import single; print(single.WHO)"
        assert installed.run("-P", "-c", alone) == "copy\n"


def test_originals_that_were_imported_after_all_are_named_once(installed: Installed) -> None:
    source = str((installed.project / installed.package).parent)
    first = f"import sys; sys.path.insert(0, {source!r}); import {installed.name}.model as m; print(m.WHO)"
    assert installed.run("-c", first) == "original\n"
    names = f"{installed.package}/__init__.py, {installed.package}/model.py"
    assert installed.notes() == [f"imported from the project itself, not from the run's copies: {names}"]
    (installed.paths.root / "reports.jsonl").unlink()


def test_finders_of_other_builders_are_mended_by_their_shape(installed: Installed) -> None:
    # As scikit-build-core and editables (hatch, pdm) keep them: dicts of the finder, of its class or of its module.
    package = installed.project / installed.package
    finder = (
        "import importlib.machinery, sys\n"
        "class Finder:\n"
        f"    _redirections = {{'other': {str(package / '__init__.py')!r}}}\n"
        "    def __init__(self):\n"
        f"        self.known = {{'alone': {str(package / 'model.py')!r}}}\n"
        f"        self.places = {{'other': {{{str(package)!r}}}, 'listed': [{str(package)!r}, 'relative']}}\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in self.known:\n"
        "            return importlib.machinery.PathFinder.find_spec('model', list(self.places['other']))\n"
        "sys.meta_path.append(Finder())\n"
    )
    site = next((installed.python.parent.parent / "lib").glob("python3*/site-packages"))
    (site / "_demo_editable.py").write_text(finder)
    (site / "_demo_editable.pth").write_text("import _demo_editable\n")
    found = "import alone, sys; f = sys.meta_path[-1]; print(alone.WHO, f._redirections, f.known, f.places)"
    seen = installed.run("-c", found)
    assert seen.startswith("copy ") and "'relative'" in seen
    assert seen.count(f"{installed.paths.work}/{installed.package}") == 4
    (site / "_demo_editable.pth").unlink()


def test_a_python_inside_the_project_keeps_its_own_libraries(installed: Installed) -> None:
    home = installed.project / "tools" / "python"
    site = home / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    site.mkdir(parents=True)
    copy = installed.paths.work / site.relative_to(installed.project)
    copy.mkdir(parents=True)
    inside = (
        f"import sys; sys.prefix = {str(home)!r}; sys.path.append({str(site)!r}); import _deepresearch_paths as p; "
    )
    inside += f"p._place.clear(); p.install(); print({str(site)!r} in sys.path, {str(copy)!r} in sys.path)"
    assert installed.run("-c", inside) == "True False\n"
    assert installed.run("-c", inside.replace(f"sys.prefix = {str(home)!r}; ", "")) == "False True\n"


def test_a_real_run_and_its_scripts_say_what_they_imported_even_if_the_kernel_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = install(tmp_path, "flat")
    _know_kernel(made.python, tmp_path / "jupyter", monkeypatch)
    reach = f"import sys\nsys.path.insert(0, {str(made.project)!r})\nimport "
    (made.project / "scripts" / "reach.py").write_text(f"{reach}pk_flat.model\n")
    cells = (
        (None, "import sys, pk_flat.model\nassert pk_flat.model.WHO == 'copy'\n!{sys.executable} scripts/train.py"),
        (None, "!{sys.executable} scripts/reach.py"),
        (None, f"{reach}single"),
        (None, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"),
    )
    write_notebook(made.project / "train.ipynb", cells, "place")
    spec = make_spec(made.project, kernel="place")
    source = replace(spec.build.source, files={"pk_flat/model.py": "WHO = 'copy'\n"})
    edited = replace(spec, build=replace(spec.build, source=source))

    async def scenario() -> Outcome:
        one = LocalLauncher(made.project)
        return await ended(one, await one.launch(edited))

    outcome = asyncio.run(scenario())
    assert outcome.state is RunState.CRASHED and outcome.error is not None and outcome.error.kind == "KernelDied"
    said = [note for note in outcome.notes if note.startswith("imported from the project itself")]
    assert [note.rpartition(": ")[2] for note in said] == ["pk_flat/__init__.py, pk_flat/model.py", "single.py"]
    assert "copy" in run_paths(made.project).outputs.read_text()


def _know_kernel(python: Path, jupyter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = jupyter / "kernels" / "place"
    kernel.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "place", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(jupyter))
    for name in [name for name in os.environ if name.startswith("PYTEST")]:
        monkeypatch.delenv(name)
