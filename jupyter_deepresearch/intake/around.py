"""A notebook around a script: what it is, its options as parameters, and a cell that runs it as a child."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import nbformat

from ..core.types import SEED_NAMES, Dimension, Source, Value
from ..execution.notebooks.cells import DRY_RUN, PARAMETERS, write
from ..execution.notebooks.space import survey
from ..execution.notebooks.sweep_comment import dimension_of
from .copies import file_copies, script_copy
from .options import Option, Parameter, Passing, copy_name

_ABOUT_CHARS = 70
# Choices of these names say what is measured or where it runs, not how well.
_NEVER_VARIED = {
    *("device", "data", "dataset", "split", "mode", "task", "accelerator", "backend", "metric", "verbose", "verbosity"),
    *(
        "log_level",
        "level",
        "logger",
        "output",
        "format",
        "strategy",
        "precision",
        "dtype",
        "phase",
        "stage",
        "command",
    ),
}


@dataclass(frozen=True)
class Script:
    """A script and how it is started.

    ``launch``: its path, or ``-m`` and its module; ``words`` come right after; ``renamed``: see ``Reading``.
    """

    path: str
    launch: tuple[str, ...]
    words: tuple[str, ...] = ()
    kernel: str = "python3"
    display: str = "Python 3"
    renamed: tuple[str, str] | None = None


def settable(options: Sequence[Option]) -> tuple[Option, ...]:
    """The options that a parameters cell can hold: no default that the script works out, no file, no NaN."""
    return tuple(o for o in options if not o.computed and not o.is_positional and _is_written(o))


def _is_written(option: Option) -> bool:
    values = option.value if isinstance(option.value, tuple) else (option.value,)
    return all(not isinstance(v, float) or math.isfinite(v) for v in values)


def notebook_around(script: Script, parameters: Sequence[Parameter]) -> Source:
    """The notebook. Its choices become sweeps; where any does, so do the numbers that would be searched without."""
    plain = _composed(script, parameters, {})
    sweeps = {p.name: words for p in parameters if (words := _choice_words(p))}
    if sweeps:
        sweeps = {d.name: _range_words(d) for d in survey(plain).space} | sweeps
    return _composed(script, parameters, sweeps)


def _composed(script: Script, parameters: Sequence[Parameter], sweeps: dict[str, str]) -> Source:
    made = nbformat.v4.new_notebook()
    made.metadata = nbformat.from_dict(
        {
            "kernelspec": {"name": script.kernel, "display_name": script.display, "language": "python"},
            "language_info": {"name": "python"},
        }
    )
    settings = "\n".join(_line(p, sweeps.get(p.name, "")) for p in parameters) or "# The script has no option to set."
    changed = script_copy(script.path, script.renamed, parameters)
    copies = [*file_copies(parameters), *changed]
    launch = (copy_name(script.path),) if changed else script.launch
    made.cells = [
        nbformat.v4.new_markdown_cell(_title(script), id="about"),
        nbformat.v4.new_code_cell(settings, id="parameters", metadata={"tags": [PARAMETERS]}),
        *(nbformat.v4.new_code_cell(text, id=f"copy-{i}") for i, text in enumerate(copies, 1)),
        nbformat.v4.new_code_cell(_start(script, parameters, launch), id="run"),
    ]
    return Source(write(made))


def _title(script: Script) -> str:
    return (
        f"# {script.path}\n\nThis notebook runs `{script.path}` with the values of the next cell, "
        "as you would in a terminal. "
        "The script stays where it is: change its code there, and its settings here."
    )


def _line(parameter: Parameter, sweep: str) -> str:
    value = parameter.option.value
    shown = f"[{', '.join(map(_shown, value))}]" if isinstance(value, tuple) else _shown(value)
    about = " ".join(parameter.option.about.replace("%%", "%").replace("#", "").split())
    comments = [f"# sweep: {sweep}"] if sweep else []
    if 0 < len(about) <= _ABOUT_CHARS and "%(" not in about and not about.lower().startswith("sweep"):
        comments.append(f"# {about}")
    return "  ".join([f"{parameter.name} = {shown}", *comments])


def _shown(value: Value) -> str:
    """A value as Python, a text in double quotes where it can be."""
    is_simple = isinstance(value, str) and value.isprintable() and not set(value) & set('"\\')
    return f'"{value}"' if is_simple else repr(value)


def _choice_words(parameter: Parameter) -> str:
    """What stands after ``sweep:`` for an option with choices; nothing where it would not be read back the same."""
    option, name = parameter.option, parameter.name
    is_set_by_us = name in (*SEED_NAMES, DRY_RUN)
    is_varied = not is_set_by_us and not {name, *name.split("_")} & _NEVER_VARIED
    if not is_varied or isinstance(option.value, tuple) or option.value not in option.choices:
        return ""
    words = " | ".join(map(str, option.choices))
    read = dimension_of(name, option.value, f"sweep: {words}") if "#" not in words else ""
    return words if isinstance(read, Dimension) and read.choices == option.choices else ""


def _range_words(dimension: Dimension) -> str:
    return f"{dimension.low:g}..{dimension.high:g}{' log' if dimension.log else ''}"


def _start(script: Script, parameters: Sequence[Parameter], launch: tuple[str, ...]) -> str:
    """The cell that runs the script, or its copy, as a child."""
    words = [", ".join(map(_literal, launch)), *map(_literal, script.words)]
    passed = [p for p in parameters if p.option.passing not in (Passing.FILE, Passing.TEXT)]
    lines = ["sys.executable", *words, *(_words(p) for p in passed)]
    listed = "".join(f"    {line},\n" for line in lines)
    uses_json = any("json." in line for line in lines)
    imports = "import json\nimport shlex\nimport sys" if uses_json else "import shlex\nimport sys"
    return f"{imports}\n\ncommand = [\n{listed}]\n!{{shlex.join(command)}}"


def _words(parameter: Parameter) -> str:
    """The item of the command's list that hands a parameter over."""
    option, name = parameter.option, parameter.name
    if option.passing is Passing.OVERRIDE:
        return f'f"{option.flag}={{{_override(name, option.value)}}}"'
    if option.passing is Passing.SWITCH:
        return f"*([{_literal(option.flag)}] if {name} else [])"
    if option.passing is Passing.PAIR:
        item = f"{_literal(option.flag)} if {name} else {_literal(option.off)}"
    elif option.passing is Passing.WORDS:
        item = f"{_literal(option.flag)}, *map(str, {name})"
    elif option.flag.startswith("--"):
        item = f'f"{option.flag}={{{name}}}"'
    else:
        item = f"{_literal(option.flag)}, str({name})"
    return f"*([{item}] if {name} is not None else [])" if option.value is None else item


def _override(name: str, value: object) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return name if is_number else f"json.dumps({name})"


def _literal(word: Value) -> str:
    return json.dumps(word, ensure_ascii=False)
