"""Kernels of many makes: how they are started, what they are in, and what is said where they do not start."""

import json
import stat
import sys
import types
import venv
from pathlib import Path

import pytest

from jupyter_deepresearch.core.types import Outcome, RunState
from jupyter_deepresearch.errors import InvalidNotebook
from jupyter_deepresearch.execution.environment import find_kernel
from jupyter_deepresearch.execution.fingerprint import fingerprint
from jupyter_deepresearch.execution.mending import install_line
from jupyter_deepresearch.execution.runner.not_started import NotStarted
from tests.execution import one_run as runs

IPYKERNEL = ("-m", "ipykernel_launcher", "-f", "{connection_file}")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of Jupyter's outside of the server's own paths, which JUPYTER_PATH names."""
    folder = tmp_path / "other-prefix" / "share" / "jupyter"
    folder.mkdir(parents=True)
    monkeypatch.setenv("JUPYTER_PATH", str(folder))
    return folder


def install(data: Path, name: str, *argv: str, **told: object) -> Path:
    """A kernelspec with this command; its folder."""
    folder = data / "kernels" / name
    folder.mkdir(parents=True)
    whole = {"argv": argv, "display_name": name, "language": "python", **told}
    (folder / "kernel.json").write_text(json.dumps(whole))
    return folder


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def bare_environment(folder: Path, pip: bool = False) -> Path:
    """A new environment without ipykernel, and without pip as uv makes them; its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    with (folder / "pyvenv.cfg").open("a") as settings:
        settings.write("uv = 0.9.1\n")
    if pip:
        [site] = folder.glob("lib/python*/site-packages")
        (site / "pip").mkdir()
    return python


SHOW = runs.REPORT + "import json, os, sys\nprint(json.dumps([sys.executable, os.environ.get('CONDA_PREFIX')]))\n"
SHOW += "report(score=1.0)"


def test_an_activation_script_beside_its_kernelspec_starts_a_kernel_that_reports(tmp_path: Path, data: Path) -> None:
    folder = install(
        data, "conda-like", "{resource_dir}/activate.sh", "python", *IPYKERNEL, env={"CONDA_PREFIX": "{prefix}/env"}
    )
    script = f'#!/bin/sh\nexport ACTIVATED=yes PATH="{Path(sys.executable).parent}:$PATH"\nexec "$@"\n'
    executable(folder / "activate.sh", script)
    show = SHOW + "\nassert os.environ['ACTIVATED'] == 'yes'"
    run = runs.one_run(tmp_path, show, kernel="conda-like")
    outcome = run.execute()
    assert outcome.state is RunState.SUCCEEDED and outcome.value == 1.0, outcome.error
    told, _ = json.loads(run.text(0))
    assert outcome.environment["executable"] == told == sys.executable, "not the script's path"
    assert outcome.environment["packages"] == fingerprint(sys.path)


NB_CONDA = """
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

class CondaKernelSpecManager(KernelSpecManager):
    def find_kernel_specs(self):
        return {**super().find_kernel_specs(), "conda-env-torch-py": "/conda"}

    def get_kernel_spec(self, name):
        if name != "conda-env-torch-py":
            return super().get_kernel_spec(name)
        argv = ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="torch", language="python", env={"CONDA_PREFIX": "/conda/envs/torch"})
"""


def test_kernels_that_nb_conda_kernels_makes_up_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "nb_conda_kernels.py").write_text(NB_CONDA)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))
    made = types.ModuleType("nb_conda_kernels")
    exec(NB_CONDA, vars(made))
    monkeypatch.setitem(sys.modules, made.__name__, made)
    run = runs.one_run(tmp_path, SHOW, kernel="conda-env-torch-py")
    outcome = run.execute()
    assert outcome.state is RunState.SUCCEEDED, outcome.error
    assert json.loads(run.text(0))[1] == "/conda/envs/torch"
    assert find_kernel("conda-env-torch-py").display_name == "torch"
    with pytest.raises(InvalidNotebook, match=r'kernel "nope" of .* found conda-env-torch-py, '):
        find_kernel("nope")


def not_started(run: runs.OneRun) -> str:
    """What is said of a kernel that did not start."""
    outcome: Outcome = run.execute()
    assert outcome.state is RunState.CRASHED and outcome.error is not None and outcome.value is None
    assert outcome.error.kind == "KernelNotStarted" and "\n" not in outcome.error.message, outcome.error
    return outcome.error.message


def test_an_environment_without_ipykernel_is_told_how_to_get_it(tmp_path: Path, data: Path) -> None:
    python = bare_environment(tmp_path / "bare")
    install(data, "bare", str(python), *IPYKERNEL)
    said = not_started(runs.one_run(tmp_path / "a", "1", kernel="bare"))
    assert said == (
        f'the kernel "bare" did not start: ipykernel is not installed for {python}; mend it with: '
        f'uv pip install --python "{python}" ipykernel'
    )


def test_a_program_that_is_gone_is_named(tmp_path: Path, data: Path) -> None:
    install(data, "gone", str(tmp_path / "gone" / "bin" / "python"), *IPYKERNEL)
    said = not_started(runs.one_run(tmp_path, "1", kernel="gone"))
    assert said.startswith(f'the kernel "gone" did not start: its program {tmp_path}/gone/bin/python is not there;')
    assert "--kernel NAME" in said


def test_a_wrapper_that_fails_has_the_last_word(tmp_path: Path, data: Path) -> None:
    script = executable(
        tmp_path / "conda", "#!/bin/sh\necho 'EnvironmentLocationNotFound: Not a conda environment' >&2\nexit 1\n"
    )
    install(data, "broken", str(script), "run", "-n", "gone", "python", *IPYKERNEL)
    said = not_started(runs.one_run(tmp_path, "1", kernel="broken"))
    assert said.endswith("EnvironmentLocationNotFound: Not a conda environment (its process ended with 1)")


# In words


def test_the_line_fits_the_environments_maker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conda, uv, pip = tmp_path / "conda", tmp_path / "uv", tmp_path / "pip"
    (conda / "conda-meta").mkdir(parents=True)
    assert install_line(f"{conda}/bin/python", ["ipykernel"]) == f'conda install -p "{conda}" ipykernel'
    assert install_line(f"{conda}/bin/python", ["x"]) == f'"{conda}/bin/python" -m pip install x'
    python = bare_environment(uv)
    assert install_line(str(python), ["a", "b"]) == f'uv pip install --python "{python}" a b'
    (uv / "pyvenv.cfg").write_text("home = /usr/bin\n")
    monkeypatch.setenv("PATH", "/nowhere")
    assert install_line(str(python), ["a"]) == f'"{python}" -m ensurepip && "{python}" -m pip install a'
    (uv / "pyvenv.cfg").write_text("include-system-site-packages = true\n")
    assert install_line(str(python), ["a"]) == f'"{python}" -m pip install a'
    python = bare_environment(pip, pip=True)
    assert install_line(str(python), ["a"]) == f'"{python}" -m pip install a'


BROKEN = 'Traceback (most recent call last):\n  File "<frozen runpy>", line 198\n'


@pytest.mark.parametrize(
    ("stderr", "code", "said"),
    [
        (
            "/env/bin/python: No module named ipykernel_launcher\n",
            1,
            'mend it with: "/env/bin/python" -m pip install ipyk',
        ),
        (
            "/env/bin/python: Error while finding module specification for 'ipykernel.x' "
            "(ModuleNotFoundError: No module named 'ipykernel')",
            1,
            "ipykernel is not installed for /env/bin/python;",
        ),
        (
            BROKEN + "ModuleNotFoundError: No module named 'ipykernel'\n",
            1,
            "ipykernel is not installed for /spec/python;",
        ),
        (BROKEN + "ModuleNotFoundError: No module named 'zmq.backend'\n", 1, "which ipykernel needs; mend it with:"),
        (
            BROKEN + "ImportError: libstdc++.so.6: version not found\n",
            1,
            "libstdc++.so.6: version not found (its process ended with 1)",
        ),
        ("", -9, "it said nothing (its process was ended by signal 9)"),
        ("", None, "it said nothing (no answer in 120 s)"),
    ],
)
def test_the_cause_is_read_from_the_last_words(stderr: str, code: int | None, said: str) -> None:
    message = NotStarted("torch", "/spec/python", RuntimeError("no answer in 120 s"), stderr, code).message
    assert said in message and message.startswith('the kernel "torch" did not start: ') and "\n" not in message


def test_a_program_that_may_not_be_run_is_told_from_one_that_is_gone() -> None:
    error = PermissionError(13, "Permission denied", "/spec/python")
    assert "its program /spec/python may not be run" in NotStarted("torch", "x", error).message
    assert "Cannot allocate memory (x)" in NotStarted("torch", "x", OSError(12, "Cannot allocate memory")).message


def test_a_fingerprint_changes_with_what_is_installed(tmp_path: Path) -> None:
    (tmp_path / "torch-2.1.dist-info").mkdir()
    before = fingerprint([str(tmp_path), "", "/nowhere"])
    (tmp_path / "torch").mkdir()
    assert fingerprint([str(tmp_path)]) == before and len(before) == 16
    (tmp_path / "torch-2.1.dist-info").rename(tmp_path / "torch-2.2.dist-info")
    assert fingerprint([str(tmp_path)]) not in (before, "")
    assert fingerprint([]) == ""
