"""Which metrics a program will report, read from its source or from what it printed; and which one to improve."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from ..core.project import Direction, guess_direction
from ..execution.metrics.printed import PrintedReader
from ..execution.metrics.printed_words import is_metric
from .source_options import parsed

_STEPS = re.compile(r"\b(epochs?|ep|steps?|iters?|iterations?|it|i|t|n|batch_idx|round)\b")
_PERCENT = re.compile(r"%\(?\w*\)?[-+ #0]*[\d*]*(?:\.\d+)?([diouxXeEfFgGrs])")
_BRACES = re.compile(r"\{([^{}:!]*)(?:![rsa])?(?::([^{}]*))?\}")
_NUMBER, _COUNT = "0.512", "7"
_BEFORE_NUMBER = re.compile(rf"([A-Za-z][\w/@.-]*)['\"]?\s*[=:]\s*{re.escape(_NUMBER)}")
_PRINTING = {"print", "info", "debug", "warning", "write", "echo", "log_message", "pprint", "secho", "print_fn"}
_LOGGING = {"log", "log_dict", "log_metrics", "report", "set_postfix", "add_scalars", "logkv_mean", "log_row"}
_NAMED = {"log", "add_scalar", "log_metric", "record", "logkv", "log_value", "scalar"}
_VALID, _TEST, _TRAIN = (
    {"val", "valid", "validation", "dev", "eval", "holdout", "heldout"},
    {"test"},
    {"train", "training"},
)
_ONLY_TRAINING_WORDS = {"best", "max", "min"}


def ranked(names: Iterable[str]) -> tuple[str, ...]:
    """The names that are metrics, the best to improve first: validation, then scores before losses."""
    return tuple(sorted((n for n in dict.fromkeys(names) if is_metric(n)), key=_rank))


def _rank(name: str) -> tuple[int, int, int]:
    words = set(re.split(r"[\W_]+", name.lower()))
    split = 0 if words & _VALID else 1 if words & _TEST else 3 if words & _TRAIN else 2
    return split, int(guess_direction(name) is Direction.MINIMIZE), int(bool(words & _ONLY_TRAINING_WORDS))


def printed_names(text: str, wanted: Sequence[str] = ()) -> tuple[str, ...]:
    """The names that our reader finds in what a program has printed; ``wanted`` ones in any form."""
    reader = PrintedReader(wanted)
    reports = [*reader.feed(text), *reader.close()]
    return tuple(dict.fromkeys(name for report in reports for name, _ in report.values))


def source_names(texts: Sequence[str]) -> tuple[str, ...]:
    """The names that sources print or log, as a run would be read; those of Trainer and Keras by their rules."""
    names: list[str] = []
    for text in texts:
        tree = parsed(text)
        calls = sorted((n for n in ast.walk(tree) if isinstance(n, ast.Call)), key=lambda c: (c.lineno, c.col_offset))
        for call in calls:
            names += _logged(call)
            for line in _printed(call):
                # A run's reader is told which name is the objective, so one that may be it is told here.
                names += printed_names(f"{line}\n", [n for n in _BEFORE_NUMBER.findall(line) if is_metric(n)])
        names += _of_trainer(tree, calls)
        names += _of_keras(calls)
    return tuple(dict.fromkeys(names))


def _called(call: ast.Call) -> str:
    function = call.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def _text(node: ast.expr) -> str:
    """A constant as the text that prints it."""
    return str(node.value) if isinstance(node, ast.Constant) and not isinstance(node.value, bytes) else ""


def _logged(call: ast.Call) -> Iterator[str]:
    name = _called(call)
    if name in _NAMED and call.args and isinstance(call.args[0], ast.Constant) and len(call.args) > 1:
        yield _text(call.args[0])
    if name in _LOGGING:
        yield from (k.arg for k in call.keywords if k.arg and k.arg != "step")
        for argument in call.args:
            yield from _keys(argument)


def _keys(node: ast.expr, before: str = "") -> Iterator[str]:
    """The keys of a dict as wandb joins them: the inner ones after a slash."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                name = f"{before}/{_text(key)}" if before else _text(key)
                yield from _keys(value, name) if isinstance(value, ast.Dict) else (name,)
    elif isinstance(node, ast.Call) and _called(node) == "dict":
        yield from (k.arg for k in node.keywords if k.arg)


def _printed(call: ast.Call) -> Iterator[str]:
    """The lines that a printing call would print, with a number in each gap."""
    if _called(call) not in _PRINTING or not call.args:
        return
    arguments = call.args if _called(call) == "print" else call.args[:1]
    yield " ".join(_rendered(argument) for argument in arguments)


def _rendered(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return _PERCENT.sub(_percent, str(node.value))
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_part, node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add):
        right = _rendered(node.right) if isinstance(node.op, ast.Add) else ""
        return _rendered(node.left) + right
    if isinstance(node, ast.Call) and _called(node) == "format" and isinstance(node.func, ast.Attribute):
        return _BRACES.sub(lambda m: _gap(m[1], m[2] or ""), _rendered(node.func.value))
    if isinstance(node, ast.Call) and _called(node) in ("dumps", "dict", "str") and node.args:
        return _rendered(node.args[0])
    if isinstance(node, ast.Dict):
        return "{" + ", ".join(f'"{key}": {_NUMBER}' for key in _keys(node)) + "}"
    return _gap(ast.unparse(node), "")


def _part(node: ast.expr) -> str:
    if isinstance(node, ast.FormattedValue):
        spec = "".join(map(_part, node.format_spec.values)) if isinstance(node.format_spec, ast.JoinedStr) else ""
        return _gap(ast.unparse(node.value), spec)
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _gap(expression: str, spec: str) -> str:
    counts = spec.endswith("d") or _STEPS.search(expression) is not None
    return _COUNT if counts else f"{_NUMBER}%" if spec.endswith("%") else _NUMBER


def _percent(match: "re.Match[str]") -> str:
    return _COUNT if match[1] in "diouxX" else _NUMBER


def _of_trainer(tree: ast.AST, calls: Sequence[ast.Call]) -> Iterator[str]:
    """Hugging Face's Trainer reports ``eval_loss``, and what ``compute_metrics`` returns with ``eval_`` before it."""
    trainers = [c for c in calls if _called(c).endswith("Trainer") and any(k.arg == "eval_dataset" for k in c.keywords)]
    if not trainers:
        return
    used = {
        k.value.id for c in trainers for k in c.keywords if k.arg == "compute_metrics" and isinstance(k.value, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in used:
            returned = [n.value for n in ast.walk(node) if isinstance(n, ast.Return) and n.value is not None]
            yield from (f"eval_{key}" for value in returned for key in _keys(value))
    yield "eval_loss"


def _of_keras(calls: Sequence[ast.Call]) -> Iterator[str]:
    """Keras reports the metrics that a model was compiled with, those of validation with ``val_`` before them."""
    validates = any(
        _called(c) == "fit" and any(k.arg in ("validation_data", "validation_split") for k in c.keywords) for c in calls
    )
    for call in calls:
        metrics = [k.value for k in call.keywords if k.arg == "metrics"] if _called(call) == "compile" else []
        for listed in metrics:
            words = [_text(e) for e in getattr(listed, "elts", [listed]) if isinstance(e, ast.Constant)]
            yield from (f"val_{word}" if validates else word for word in words)
        if metrics and validates:
            yield "val_loss"
