"""The hooks on libraries of the known layout, in programs of their own: what is taken, left alone, what fails."""

import ast
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_deepresearch.execution.runner import injecting
from tests.execution.hooked import LIBRARIES, LOGGING, TAKEN, WANDB, Place
from tests.test_report_processes import pythons

INJECTED = sorted(Path(injecting.__file__).parents[1].joinpath("inject").glob("*.py"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize("path", INJECTED, ids=lambda path: path.stem)
def test_every_file_parses_on_python_3_6(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 6))


@pytest.mark.parametrize("version", sorted({*pythons()} & {"3.9", f"3.{sys.version_info[1]}"}))
def test_what_libraries_log_is_reported_under_its_own_names(place: Place, version: str) -> None:
    place.write(LIBRARIES)
    done = place.run(LOGGING, "-W", "error", python=pythons()[version])
    assert (done.code, done.out, done.err, done.notes) == (0, "", "", [])
    (parts,) = [line["values"] for line in done.lines if "part" in line["values"]]
    assert math.isnan(parts["part"])
    assert [report for report in done.reports if "part" not in report[2]] == TAKEN


def test_classes_stay_what_they_were_for_everybody_else(place: Place) -> None:
    place.write({"wandb.sdk.wandb_run": WANDB})
    code = """
        import importlib, inspect, pickle
        from wandb.sdk import wandb_run
        from wandb.sdk.wandb_run import Run

        assert str(inspect.signature(Run.log)) == "(self, data, step=None, commit=None)"
        assert Run.log.__doc__ == "Log a dictionary." and Run.log.__qualname__ == "Run.log"
        assert "Log a dictionary" in inspect.getsource(wandb_run) and "data must be" in inspect.getsource(Run.log)
        assert type(wandb_run.__loader__).__name__ == type(wandb_run.__spec__.loader).__name__ == "SourceFileLoader"
        run = pickle.loads(pickle.dumps(Run()))
        assert pickle.loads(pickle.dumps(Run)) is Run and pickle.loads(pickle.dumps(run.log))({"a": 1}) == 1
        try:
            run.log("no dictionary")
        except TypeError as error:
            assert error.args == ("data must be a dictionary",) and error.__cause__ is error.__context__ is None
        fresh = importlib.reload(wandb_run)
        assert fresh.Run is not Run and fresh.Run().log({"b": 2}) == 1
        data = {"c": {"d": 3}}
        fresh.Run().log(data)
        assert data == {"c": {"d": 3}}
    """
    done = place.run(code)
    assert (done.code, done.err, done.notes) == (0, "", [])
    assert [values for _, _, values in done.reports] == [{"a": 1.0}, {"b": 2.0}, {"c/d": 3.0}]


BROKEN = {
    "keras.src.callbacks.callback_list": "class Renamed:\n    pass\n",
    "fastai.learner": "class Recorder:\n    log = None\n    def after_epoch(self):\n        return 'kept'\n",
    "wandb.sdk.wandb_run": "class Run:\n    def log(self, data, step=None, new=None):\n        return 'kept'\n",
    "tensorboardX.writer": "SummaryWriter = None\n",
    "accelerate.accelerator": "class Accelerator:\n    def log(self, values, step=None):\n        return 'kept'\n",
}


def test_a_library_of_an_unknown_shape_is_said_once_and_runs_on(place: Place) -> None:
    place.write(BROKEN)
    code = """
        import keras.src.callbacks.callback_list, tensorboardX.writer
        from fastai.learner import Recorder
        from wandb.sdk.wandb_run import Run
        from accelerate.accelerator import Accelerator

        class Strange:
            def item(self):
                raise KeyError("strange")
            def __float__(self):
                return 1 / 0

        for _ in range(3):
            assert Recorder().after_epoch() == "kept"
            assert Run().log({"a": 1}) == "kept"
            assert Run().log({"a": 1}, new=2) == "kept"
            assert Accelerator().log({"strange": Strange(), "many": [1, 2], "good": 0.5}, step=Strange()) == "kept"
    """
    done = place.run(code)
    assert (done.code, done.err) == (0, "")
    assert done.reports == [("accelerate", None, {"good": 0.5})] * 3
    found = {note.split(": its metrics could not be read: ")[0]: note for note in done.notes}
    assert sorted(found) == ["fastai", "keras", "tensorboard", "wandb"] and len(done.notes) == 4
    assert "keras.src.callbacks.callback_list has no CallbackList.on_epoch_end" in found["keras"]
    assert "AttributeError" in found["wandb"] and "_local_step" in found["wandb"]


def test_reports_that_cannot_be_written_stop_nothing_and_are_said_in_the_output(place: Place) -> None:
    place.write({"wandb.sdk.wandb_run": WANDB})
    code = "from wandb.sdk.wandb_run import Run\nrun = Run()\nprint(run.log({'a': 1}), run.log({'a': 2}))\n"
    for path in ("/dev/full", str(place.root / "no" / "reports")):
        done = place.run(code, DEEPRESEARCH_REPORTS=path)
        assert (done.code, done.out) == (0, "1 2\n")
        assert done.err.count("wandb: its metrics could not be read") == done.err.count("\n") == 1


def test_a_library_that_was_imported_before_is_hooked_late_and_once(place: Place) -> None:
    place.write({"wandb.sdk.wandb_run": WANDB})
    code = """
        import sys
        sys.path[:0] = ["lib", "inject"]
        from wandb.sdk.wandb_run import Run
        run = Run()
        run.log({"early": 1})
        import _deepresearch_hooks
        _deepresearch_hooks.install()
        _deepresearch_hooks.install()
        run.log({"late": 1})
    """
    done = place.run(code, "-E")
    assert (done.code, done.err) == (0, "")
    assert done.reports == [("wandb", 1, {"late": 1.0})]


def test_another_finder_that_asks_all_finders_is_no_circle(place: Place) -> None:
    place.write({"wandb.sdk.wandb_run": WANDB})
    code = """
        import importlib.util, sys

        class Asking:
            asked = []
            def find_spec(self, name, path=None, target=None):
                if name == "wandb.sdk.wandb_run" and name not in self.asked:
                    self.asked.append(name)
                    return importlib.util.find_spec(name)

        sys.meta_path.insert(0, Asking())
        from wandb.sdk.wandb_run import Run
        Run().log({"a": 1})
    """
    done = place.run(code)
    assert (done.code, done.err, done.reports) == (0, "", [("wandb", 0, {"a": 1.0})])


@pytest.mark.parametrize("variable", ["RANK", "LOCAL_RANK"])
def test_only_the_first_rank_counts(place: Place, variable: str) -> None:
    place.write({"wandb.sdk.wandb_run": WANDB})
    code = "from wandb.sdk.wandb_run import Run\nassert Run().log({'a': 1}) == 1\n"
    for rank in ("1", "0"):
        done = place.run(code, **{variable: rank})
        assert (done.code, done.err) == (0, "")
    assert done.reports == [("wandb", 0, {"a": 1.0})]


CHILDREN = """
    import multiprocessing, os, subprocess, sys, types

    def work(rank):
        if rank is not None:
            distributed = types.ModuleType("torch.distributed")
            distributed.is_available = lambda: True
            distributed.is_initialized = lambda: alive
            distributed.get_rank = lambda: rank
            sys.modules["torch.distributed"] = distributed
        from wandb.sdk.wandb_run import Run
        alive = True
        Run().log({"rank_%s" % rank: 1})
        alive = False  # the process group was destroyed: its rank is still what it was
        Run().log({"later_%s" % rank: 1})

    if __name__ == "__main__":
        for method in ("fork", "spawn"):
            context = multiprocessing.get_context(method)
            children = [context.Process(target=work, args=(rank,)) for rank in (0, 1, None)]
            [child.start() for child in children]
            [child.join() for child in children]
            assert [child.exitcode for child in children] == [0, 0, 0]
        one = "from wandb.sdk.wandb_run import Run\\nRun().log({'child': 1})\\nprint('ran')"
        subprocess.run([sys.executable, "-c", one], check=True)
        lib = {"PYTHONPATH": "lib"}
        subprocess.run([sys.executable, "-c", one], check=True, env=lib)
        subprocess.run([sys.executable, "-I", "-c", "print('ran')"], check=True, env={})
"""


def test_children_are_hooked_and_those_of_another_environment_run_as_ever(place: Place) -> None:
    place.write({"wandb.sdk.wandb_run": WANDB})
    done = place.run(CHILDREN)
    assert (done.code, done.err, done.out) == (0, "", "ran\nran\nran\n")
    names = sorted(name for _, _, values in done.reports for name in values)
    assert names == sorted(["rank_0", "later_0", "rank_None", "later_None"] * 2 + ["child"])


CHAINED = "import sys\nsys.path.append('mended')\nprint('own file', __name__, 'sitecustomize' in sys.modules)\n"


@pytest.mark.parametrize("own", [CHAINED, CHAINED + "raise ValueError('its own fault')\n", "import nowhere\n"])
def test_the_sitecustomize_that_ours_hides_runs_as_without_us(place: Place, own: str) -> None:
    place.write({"sitecustomize": own, "wandb.sdk.wandb_run": WANDB})
    code = """
        import sys
        from wandb.sdk.wandb_run import Run
        Run().log({"a": 1})
        print(sys.path[-1], sys.modules.get("sitecustomize") is None)
    """
    ours = place.run(code)
    theirs = place.run(code, PYTHONPATH=str(place.root / "lib"))
    assert (ours.code, ours.out, ours.err) == (theirs.code, theirs.out, theirs.err)
    assert ours.code == 0 and ours.reports == [("wandb", 0, {"a": 1.0})]


def test_a_fault_of_ours_at_the_start_is_noted_and_the_program_runs(place: Place) -> None:
    place.run("")
    (place.root / "inject" / "_deepresearch_hooks.py").write_text("def install():\n    raise OSError('ours')\n")
    os.utime(place.root / "inject" / "_deepresearch_hooks.py", (1, 1))  # another age than the compiled file says
    done = subprocess.run(
        [sys.executable, "-c", "print('ran')"], env=place.environment(), capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("ran\n", "")
    (line,) = [json.loads(line) for line in place.reports.read_text().splitlines()]
    assert line["note"] == "_deepresearch_hooks could not be installed: OSError('ours')"


def test_a_program_that_imports_none_of_the_libraries_gets_next_to_nothing(place: Place) -> None:
    code = "import sys\nprint(sorted(set(sys.modules)))\n"
    ours = set(ast.literal_eval(place.run(code).out))
    plain = set(ast.literal_eval(place.run(code, PYTHONPATH="").out))
    assert ours - plain - {"sitecustomize"} == {"_deepresearch_hooks", "_deepresearch_paths"} | (ours & {"atexit"})


def test_a_kernel_of_the_same_python_finds_our_files_compiled(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    injecting.inject(place.root / "inject")
    compiled = {path.name.split(".")[0] for path in (place.root / "inject" / "__pycache__").iterdir()}
    assert compiled == {path.stem for path in (place.root / "inject").glob("*.py")}
    code = "import sys; assert sys.modules['_deepresearch_hooks'].__cached__; print('ran')"
    done = subprocess.run(
        [sys.executable, "-v", "-c", code], env=place.environment(), capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "ran\n"
    for name in ("sitecustomize", "_deepresearch_hooks", "_deepresearch_paths"):
        assert f"matches {place.root / 'inject' / name}.py" in done.stderr  # the compiled file was good for this one
