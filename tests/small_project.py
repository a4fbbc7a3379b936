"""A tiny project for tests that run things for real: its notebook takes no time, and the best x is known."""

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

PARAMETERS = "x = 0.5  # sweep: 0.0..6.0\nseed = 0\npause = {pause}"
TRAIN = """import time
from jupyter_deepresearch import report

for step in range(1, 4):
    report(step=step, distance=abs(x - 3) / step)
    print("step", step)
    time.sleep(pause / 3)
"""
SCORE = "report(step=3, score=-((x - 3) ** 2) + 0.001 * seed)"


def write_notebook(path: Path, *, pause: float = 0.0, train: str = TRAIN) -> Path:
    """A notebook that reports score = -(x - 3)^2, best at x = 3, after ``pause`` seconds."""
    cells = [
        new_code_cell(PARAMETERS.format(pause=pause), metadata={"tags": ["parameters"]}),
        new_code_cell(train),
        new_code_cell(SCORE, metadata={"tags": ["locked"]}),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def write_project(folder: Path, *, pause: float = 0.0, toml: str = "", train: str = TRAIN) -> Path:
    """A folder that can be researched: notebook, metric, and one seed where ``toml`` says nothing of trust."""
    folder.mkdir(parents=True, exist_ok=True)
    write_notebook(folder / "train.ipynb", pause=pause, train=train)
    tables = toml or "[trust]\nseeds = 1\n"
    (folder / "deepresearch.toml").write_text(f'[objective]\nmetric = "score"\n\n{tables}', encoding="utf-8")
    return folder
