"""Roles for the cells of a person's notebook: proposed by what they do, marked in a copy, never restructured."""

import ast
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from ..core.types import Source
from ..execution.notebooks.cells import LOCKED, PARAMETERS, parameters_cell, parse, roles, write
from .source_options import literal, parsed

_TRAINING = re.compile(
    r"\.(?:fit|partial_fit|fit_transform|backward|train_on_batch|train_step|zero_grad)\(|\btrainer\.train\(|\bTrainer\("
    r"|\boptimi[sz]er\b|\boptim\.|\btorch\.optim\b|\bAdamW?\(|\bSGD\(|\bGridSearchCV\(|\bcross_val_score\("
)
_MODEL = re.compile(
    r"^class \w+\(.*(?:Module|Model)\b|\bnn\.(?:Linear|Conv|Sequential)|\bSequential\(|(?:Classifier|Regressor)\(", re.M
)
_DATA = re.compile(
    r"\b(?:load_\w+|fetch_\w+|make_(?:classification|regression|moons|blobs|circles))\(|\bread_(?:csv|parquet|json|table)\("
    r"|\btrain_test_split\(|\brandom_split\(|\bDataLoader\(|\bTensorDataset\(|\bImageFolder\(|\bdatasets\.\w+\("
    r"|\bnp\.load\(|\bkeras\.datasets\b|\b(?:Stratified)?KFold\("
)
_NOT_DATA = re.compile(r"\b(?:load_state_dict|load_checkpoint|load_model|load_ext|load_weights)\(")
_MEASURING = re.compile(
    r"\b(?:accuracy|f1|roc_auc|average_precision|precision|recall|r2|log_loss|mean_squared_error|mean_absolute_error"
    r"|balanced_accuracy)_?(?:score)?\(|\.(?:score|evaluate|test|validate)\(|\bmodel\.eval\(\)"
    r"|^def (?:\w+_)?(?:eval\w*|test|validate|score)\w*\(|\bclassification_report\(",
    re.M,
)


@dataclass(frozen=True)
class Mark:
    """One cell's proposed role, with the reason in a clause. ``cell`` counts from 1."""

    cell: int
    role: str
    why: str


@dataclass(frozen=True)
class Marked:
    """A notebook with its marks set."""

    source: Source
    marks: tuple[Mark, ...]
    diff: tuple[str, ...]


def marked(source: Source) -> Marked:
    """The notebook with roles as tags; tags that are there stay, and none of a kind is added to a person's own.

    Raises InvalidNotebook where several cells are tagged `parameters`.
    """
    notebook = parse(source)
    marks = (*_parameters(notebook), *_locked(notebook))
    lines: list[str] = []
    for mark in marks:
        cell = notebook.cells[mark.cell - 1]
        before = _shown(cell)
        cell.metadata["tags"] = [*cell.metadata.get("tags", ()), mark.role]
        lines += [f"@@ cell {mark.cell} @@", *_hunk(before, _shown(cell))]
    return Marked(Source(write(notebook)), marks, tuple(lines))


def code_of(notebook: NotebookNode) -> str:
    """The Python of all code cells, without magics and shell lines."""
    return "\n".join(_python(cell.source) for cell in notebook.cells if cell.cell_type == "code")


def _python(cell: str) -> str:
    if cell.startswith("%%"):
        return ""
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in cell.split("\n"))


def _shown(cell: NotebookNode) -> list[str]:
    tags = [f"tags: {', '.join(cell.metadata['tags'])}"] if cell.metadata.get("tags") else []
    return [*tags, *cell.source.splitlines()]


def _hunk(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    for line in difflib.unified_diff(before, after, lineterm="", n=2):
        if not line.startswith(("---", "+++", "@@")):
            yield line


def _code_cells(notebook: NotebookNode) -> Iterator[tuple[int, str]]:
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code" and not cell.source.startswith("%%"):
            yield number, _python(cell.source)


def _parameters(notebook: NotebookNode) -> Iterator[Mark]:
    """The first cell of nothing but plain values with a number among them; else one that also imports."""
    if parameters_cell(notebook) is not None:
        return
    found = [
        (number, _plain_numbers(text, imports=False), _plain_numbers(text, imports=True))
        for number, text in _code_cells(notebook)
    ]
    for number, alone, _ in found:
        if alone:
            yield Mark(number, PARAMETERS, "nothing but `name = value` lines")
            return
    for number, _, mixed in found:
        if mixed > 1:
            yield Mark(number, PARAMETERS, "imports and `name = value` lines")
            return


def _plain_numbers(text: str, *, imports: bool) -> int:
    """How many numbers a cell sets, 0 where it does anything else than set plain values (and import, if it may)."""
    numbers = 0
    for statement in parsed(text).body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        if imports and isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        target = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        is_name = len(target) == 1 and isinstance(target[0], ast.Name)
        if not is_name or not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
            return 0
        value = literal(statement.value, {})
        if not (value is None or isinstance(value, bool | int | float | str | tuple)):
            return 0
        numbers += type(value) in (int, float)
    return numbers


def _locked(notebook: NotebookNode) -> Iterator[Mark]:
    if any(LOCKED in roles(cell) for cell in notebook.cells):
        return
    taken = {i + 1 for i in [parameters_cell(notebook)] if i is not None} | {m.cell for m in _parameters(notebook)}
    for number, text in _code_cells(notebook):
        bare = _without_imports(text)
        if number in taken or _TRAINING.search(bare) or _MODEL.search(bare):
            continue
        if _DATA.search(_NOT_DATA.sub("", bare)):
            yield Mark(number, LOCKED, "loads or splits the data")
        elif _MEASURING.search(bare):
            yield Mark(number, LOCKED, "measures the result")


def _without_imports(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not re.match(r"\s*(?:from\s+\S+\s+)?import\s", line))
