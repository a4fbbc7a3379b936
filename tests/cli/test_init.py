"""`init` as a person uses it: what it shows, asks, writes and refuses; and research right after it, for real."""

from __future__ import annotations

import json
import os
import pty
import sys
from pathlib import Path
from textwrap import dedent

import nbformat
import pytest

from jupyter_deepresearch.cli import main
from jupyter_deepresearch.cli.parser import parse
from jupyter_deepresearch.config.loading import load
from tests.terminal import PROGRAM, history, status, tell

Capture = pytest.CaptureFixture[str]
V4 = nbformat.v4

SCRIPT = """
    import argparse
    p = argparse.ArgumentParser()
    p.add_argument("--lr", type=float, default=0.5)
    a = p.parse_args()
    print(f"val_loss={a.lr:.4f}")
"""
CELLS = (
    "import math",
    "x = 0.5\nseed = 0",
    "numbers = load_numbers = [1, 2, 3]",
    "for epoch in range(3):\n    print(f'epoch {epoch} loss={abs(x - 0.2) / (epoch + 1):.4f}')",
    "def evaluate(x):\n    return 1 - abs(x - 0.2)\nprint(f'val_score: {evaluate(x):.4f}')",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a script and nothing else."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    Path("train.py").write_text(dedent(SCRIPT))
    return tmp_path / "work"


def write_notebook(path: Path, *cells: str) -> Path:
    made = V4.new_notebook(cells=[V4.new_code_cell(text.replace("\\\n", "\n")) for text in cells])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, path)
    return path


def test_the_words_of_init(folder: Path) -> None:
    request = parse(["init", "train.py", "--metric", "m", "--yes", "--", "--lr", "1", "--json"])
    assert (request.folder, request.words, request.arguments) == (folder, ("train.py",), ("--lr", "1", "--json"))
    assert (request.options.metric, request.yes, request.as_json) == ("m", True, False)
    assert parse(["init", "--direction", "minimize"]).options.direction == "minimize"


def test_a_script_becomes_a_project_that_loads(folder: Path, capsys: Capture) -> None:
    assert main(["init", "train.py", "--", "--lr", "0.25"]) == 0
    said = capsys.readouterr().out
    assert "lr = 0.25" in said and "minimize val_loss" in said and "--cycles 3" in said
    assert sorted(os.listdir()) == ["PROJECT_BRIEF.md", "deepresearch.toml", "train.ipynb", "train.py"]
    project = load(folder)
    assert (project.notebook, project.objective.metric, project.objective.direction.value) == (
        "train.ipynb",
        "val_loss",
        "minimize",
    )


def test_every_key_that_is_off_may_be_taken_on(folder: Path) -> None:
    assert main(["init", "train.py", "--kernel", "python3"]) == 0
    settings = folder / "deepresearch.toml"
    lines = settings.read_text().splitlines()
    off = [line for line in lines if line.startswith("# ") and " = " in line]
    assert len(off) > 12
    settings.write_text("\n".join(line.removeprefix("# ") if line in off else line for line in lines))
    project = load(folder)
    assert (project.objective.target, project.launcher.kernel, project.budget.patience) == (0.99, "python3", 10)


def test_json_tells_what_was_proposed_and_written(folder: Path, capsys: Capture) -> None:
    Path("PROJECT_BRIEF.md").write_text("mine")
    assert main(["init", "train.py", "--metric", "other_acc", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["written"] == ["train.ipynb", "deepresearch.toml"] and told["parameters"] == {"lr": 0.5}
    assert (told["metric"], told["direction"], told["metrics_seen"]) == ("other_acc", "maximize", ["val_loss"])
    assert Path("PROJECT_BRIEF.md").read_text() == "mine"


def test_a_notebook_gets_a_marked_copy_and_stays_as_it_is(folder: Path, capsys: Capture) -> None:
    notebook = write_notebook(folder / "work.ipynb", *CELLS)
    before = notebook.read_bytes()
    assert main(["init", "."]) == 0
    said = capsys.readouterr().out
    assert "+tags: parameters\n x = 0.5" in said and "maximize val_score" in said
    assert notebook.read_bytes() == before
    copy = nbformat.read("work.research.ipynb", 4)
    assert [cell.metadata.get("tags") for cell in copy.cells] == [None, ["parameters"], None, None, ["locked"]]
    assert load(folder).notebook == "work.research.ipynb"


def test_a_notebook_with_all_its_tags_serves_itself_and_its_outputs_name_the_metric(folder: Path) -> None:
    made = V4.new_notebook(cells=[V4.new_code_cell("lr = 0.5\nrun(lr)", metadata={"tags": ["parameters"]})])
    made.cells[0].outputs = [V4.new_output("stream", text="epoch 1 valid_f1: 0.25\n")]
    made.cells[0].metadata["tags"] = ["parameters", "locked"]
    nbformat.write(made, "work.ipynb")
    assert main(["init", "work.ipynb"]) == 0
    assert (load(folder).notebook, load(folder).objective.metric) == ("work.ipynb", "valid_f1")
    assert not Path("work.research.ipynb").exists()


def test_a_notebook_that_starts_a_script_reports_what_the_script_prints(folder: Path) -> None:
    made = write_notebook(folder / "work.ipynb", "lr = 0.5", "!python train.py --lr {lr}")
    assert main(["init", str(made)]) == 0
    assert load(folder).objective.metric == "val_loss"


def test_where_a_script_below_is_started_from(folder: Path) -> None:
    inner = folder / "code" / "fit.py"
    inner.parent.mkdir()
    inner.write_text(dedent(SCRIPT))
    assert main(["init", "code/fit.py"]) == 0
    assert (inner.parent / "fit.ipynb").exists() and not (folder / "fit.ipynb").exists()
    (inner.parent / "deepresearch.toml").unlink()
    assert main(["init", ".", "code/fit.py"]) == 0
    assert (folder / "fit.ipynb").exists()
    for name in ("fit.ipynb", "deepresearch.toml"):
        (folder / name).unlink()
    (folder / "pyproject.toml").write_text("")
    assert main(["init", "code/fit.py"]) == 0
    assert '"code/fit.py",' in (folder / "fit.ipynb").read_text().replace('\\"', '"')


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("gone.py", "gone.py: there is no such script"),
        ("gone.ipynb", "gone.ipynb: there is no such notebook"),
        ("train.txt", "train.txt: accepted: a Python script (.py), a notebook (.ipynb) or a folder"),
        ("nowhere", "nowhere: there is no such folder, script or notebook"),
        (".", "found no notebook (*.ipynb); it has the scripts train.py: init"),
        ("two", "found 2 notebooks (a.ipynb, b.ipynb); accepted: init"),
        ("two/a.ipynb -- x", "found 'x' after --"),
        ("two ../train.py", "accepted: a file in the project folder"),
        ("train.py --kernel none", 'kernel "none" of train.py is not installed'),
        ("done/train.py", "deepresearch.toml is there, and nothing is overwritten"),
        ("way/train.py", "train.ipynb is in the way, and nothing is overwritten"),
    ],
)
def test_a_refusal_is_one_line_and_writes_nothing(folder: Path, capsys: Capture, words: str, complaint: str) -> None:
    for inner in ("two", "done", "way"):
        (folder / inner).mkdir()
        (folder / inner / "train.py").write_text(dedent(SCRIPT))
    Path("train.txt").write_text("text")
    write_notebook(folder / "two" / "a.ipynb", *CELLS)
    write_notebook(folder / "two" / "b.ipynb", *CELLS)
    (folder / "done" / "deepresearch.toml").write_text("")
    write_notebook(folder / "way" / "train.ipynb", *CELLS)
    before = sorted(folder.rglob("*"))
    assert main(["init", *words.split()]) == 1
    said = capsys.readouterr()
    assert complaint in said.err and said.err.count("\n") == 1
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(("answer", "written"), [("n\n", False), ("\n", True)])
def test_on_a_terminal_it_asks_once(folder: Path, answer: str, written: bool) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [*PROGRAM, "init", "train.py"])
    shown = b""
    while b"[Y/n]" not in shown:
        shown += os.read(terminal, 4096)
    assert not Path("train.ipynb").exists()
    os.write(terminal, answer.encode())
    while True:
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert Path("train.ipynb").exists() is written
    assert (b"nothing was written" in shown) is not written


DIGITS = """
    import argparse
    from pathlib import Path
    from sklearn.datasets import load_digits
    from sklearn.linear_model import SGDClassifier
    from sklearn.model_selection import train_test_split

    def main():
        parser = argparse.ArgumentParser()
        parser.add_argument("--alpha", type=float, default=0.5, help="strength of the penalty")
        parser.add_argument("--penalty", choices=["l1", "l2"], default="l2")
        parser.add_argument("--epochs", type=int, default=3)
        parser.add_argument("--random-seed", type=int, default=0)
        parser.add_argument("--dry-run", action="store_true")
        args = parser.parse_args()
        x, y = load_digits(return_X_y=True)
        x, xv, y, yv = train_test_split(x / 16, y, test_size=0.4, random_state=0)
        model = SGDClassifier(alpha=args.alpha, penalty=args.penalty, random_state=args.random_seed)
        Path("checkpoints").mkdir(exist_ok=True)
        assert not list(Path("checkpoints").iterdir()), "another run's checkpoint"
        for epoch in range(1, 2 if args.dry_run else args.epochs + 1):
            model.partial_fit(x, y, classes=range(10))
            Path(f"checkpoints/{epoch}.txt").write_text("saved")
            print(f"epoch {epoch} val_accuracy={model.score(xv, yv):.4f}")

    if __name__ == "__main__":
        main()
"""


def researched(folder: Path, cycles: int) -> list[dict[str, object]]:
    """The experiments after ``run``, one seed each; they were measured, and the search has varied something."""
    settings = folder / "deepresearch.toml"
    text = settings.read_text().replace("seeds = 3", "seeds = 1").replace("# max_parallel = 1", "max_parallel = 2")
    settings.write_text(text)
    said = tell("run", folder, "--cycles", str(cycles))
    assert said.code == 0, said.err
    rows: list[dict[str, object]] = history(folder)
    assert len(rows) == cycles + 1 and all(row["state"] == "succeeded" for row in rows), said.out
    assert all(isinstance(row["value"], float) and row["parameters"] for row in rows[1:])
    return rows


@pytest.mark.slow
def test_research_of_a_script_right_after_init(folder: Path) -> None:
    Path("train.py").write_text(dedent(DIGITS))
    assert tell("init", "train.py", "--", "--epochs", "2").code == 0
    rows = researched(folder, 3)
    assert len({row["value"] for row in rows}) > 1
    assert status(folder)["objective"]["metric"] == "val_accuracy"
    executed = nbformat.read(next(folder.glob("experiments/0000*.ipynb")), 4)
    printed = "".join(output.get("text", "") for cell in executed.cells for output in cell.get("outputs", []))
    assert printed.count("val_accuracy=") == 2
    assert not Path("checkpoints").exists()


@pytest.mark.slow
def test_research_of_a_hydra_script_right_after_init(folder: Path) -> None:
    script = """
        import logging
        import hydra
        log = logging.getLogger(__name__)

        @hydra.main(version_base=None, config_path="conf", config_name="config")
        def main(cfg):
            for epoch in range(cfg.epochs):
                log.info("epoch %d val_loss=%.4f", epoch, (cfg.optim.lr - 0.3) ** 2 + 1 / (epoch + 1))

        main()
    """
    Path("train.py").write_text(dedent(script))
    Path("conf").mkdir()
    Path("conf/config.yaml").write_text("epochs: 3\noptim:\n  lr: 0.05\n  name: adam\n")
    assert tell("init", "train.py").code == 0
    rows = researched(folder, 1)
    assert rows[0]["value"] == pytest.approx(0.0625 + 1 / 3, abs=1e-3)
    assert all(set(row["parameters"]) == {"optim_lr"} for row in rows[1:])  # type: ignore[call-overload]
    assert not Path("outputs").exists()


@pytest.mark.slow
def test_research_of_a_notebook_without_tags_right_after_init(folder: Path) -> None:
    Path("train.py").unlink()
    write_notebook(folder / "work.ipynb", *CELLS)
    assert tell("init", folder).code == 0
    rows = researched(folder, 1)
    assert rows[0]["value"] == pytest.approx(0.7)
    assert all(set(row["parameters"]) == {"x"} for row in rows[1:])  # type: ignore[call-overload]
    assert not any("not locked" in note for note in status(folder).get("remarks", []))
