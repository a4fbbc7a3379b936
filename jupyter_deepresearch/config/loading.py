"""``deepresearch.toml`` and the options of a start -> one frozen, validated ``Project``. Nothing here writes."""

import ast
import dataclasses
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.project import LauncherKind, Project, SandboxKind, guess_direction
from ..errors import InvalidConfig, NotFound
from .brief import read_text
from .keys import TABLES, Entry, option, read_tables, refused, shown

CONFIG_NAME = "deepresearch.toml"


@dataclass(frozen=True)
class Options:
    """What a person or program gave at a start, laid over the file; None is "not given".

    ``tables`` has the file's shape; the named options win over it. ``live_kernels``: open notebooks, by absolute path,
    and the kernels that they are open with.
    """

    notebook: str | None = None
    metric: str | None = None
    direction: str | None = None
    researcher: str | None = None
    approval: str | None = None
    cycles: int | None = None
    hours: float | None = None
    usd: float | None = None
    kernel: str | None = None
    tables: Mapping[str, object] = field(default_factory=dict)
    live_kernels: Mapping[Path, str] = field(default_factory=dict)


_OPTION_KEYS: Mapping[str, tuple[str, str]] = {
    "notebook": ("", "notebook"),
    "metric": ("objective", "metric"),
    "direction": ("objective", "direction"),
    "researcher": ("researcher", "kind"),
    "approval": ("approval", "mode"),
    "kernel": ("launcher", "kernel"),
    "cycles": ("budget", "cycles"),
    "hours": ("budget", "hours"),
    "usd": ("budget", "usd"),
}


def tables_of(options: Options) -> dict[str, Any]:
    """The tables that say the same as ``options``, for a request."""
    tables: dict[str, Any] = {k: dict(v) if isinstance(v, Mapping) else v for k, v in options.tables.items()}
    for name, (table, key) in _OPTION_KEYS.items():
        raw = getattr(options, name)
        if raw is not None:
            place = tables.setdefault(table, {}) if table else tables
            place[key] = raw
    return tables


def _option_entries(options: Options) -> Iterator[Entry]:
    for name, (table, key) in _OPTION_KEYS.items():
        raw = getattr(options, name)
        if raw is not None:
            yield option(name, table, key, raw)


def _read_toml(folder: Path) -> Mapping[str, object]:
    text = read_text(folder / CONFIG_NAME) or ""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        last = f"at line {text.count(chr(10)) + 1}, the end"
        why = " ".join(str(error).replace("at end of document", last).split())
        raise InvalidConfig(f"{CONFIG_NAME}: not valid TOML: {why}") from None
    except RecursionError:
        raise InvalidConfig(f"{CONFIG_NAME}: nested too deeply; accepted: tables of plain values") from None


# The notebook


def _notebook(folder: Path, given: Entry | None) -> str:
    """The notebook's path relative to the folder: the one given, else the only one there."""
    there = sorted(p.name for p in folder.glob("*.ipynb") if p.is_file() and not p.name.startswith("."))
    listed = ", ".join(there[:10]) + (", ..." if len(there) > 10 else "")
    how = f'give notebook = "NAME.ipynb" in {CONFIG_NAME} or --notebook NAME.ipynb'
    if given is None and len(there) != 1:
        found = f"several notebooks ({listed})" if there else "no notebook (*.ipynb)"
        raise InvalidConfig(f"{folder}: found {found}; accepted: one to research; {how}", "notebook")
    where, name = (given.where, given.value) if given else (str(folder), there[0])
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise refused(where, name, "a notebook inside the project folder (a link leads out of it)", "notebook")
        if not path.is_file():
            raise refused(where, name, f"a notebook that exists: {listed or 'the folder has none'}", "notebook")
    except (OSError, RuntimeError, ValueError):
        raise refused(where, name, "a notebook that can be read", "notebook") from None
    return name


def _reported(path: Path) -> Sequence[str]:
    """Names that the notebook's ``report(name=...)`` calls use, for a message; none where it cannot be read."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ()
    names: list[str] = []
    for start in re.finditer(r"\breport\(", code):
        for end in list(re.finditer(r"\)", code[start.start() : start.start() + 2000]))[:20]:
            try:
                call = ast.parse(code[start.start() : start.start() + end.end()], mode="eval").body
            except (SyntaxError, ValueError):
                continue
            names += [k.arg for k in call.keywords if k.arg and k.arg != "step"] if isinstance(call, ast.Call) else []
            break
    return tuple(dict.fromkeys(names))[:8]


# What others call


def load(folder: Path, overrides: Options | None = None) -> Project:
    """The project in ``folder`` as configured, its file overlaid by ``overrides``.

    Raises NotFound (no such folder), InvalidConfig (one line: where, found, accepted), StorageFailed.
    """
    if not os.path.isdir(folder):
        raise NotFound(f"{folder}: no such project folder")
    options = overrides or Options()
    entries = (
        *said(folder),
        *read_tables("request", options.tables),
        *_option_entries(options),
    )
    given = {(entry.table, entry.key): entry for entry in entries}
    notebook = _notebook(folder, given.get(("", "notebook")))
    metric = given.get(("objective", "metric"))
    if metric is None:
        raise _no_metric(notebook, _reported(folder / notebook))
    direction = Entry("default", "objective", "direction", guess_direction(metric.value))
    given.setdefault(("objective", "direction"), direction)
    parts: dict[str, Any] = {name: _table(name, cls, tuple(given.values())) for name, cls in TABLES.items()}
    project = Project(name=folder.resolve().name, notebook=notebook, **parts)
    return _checked(project, entries)


def said(folder: Path) -> tuple[Entry, ...]:
    """What the file in ``folder`` says, nothing where there is none. Raises InvalidConfig, StorageFailed."""
    return tuple(read_tables(CONFIG_NAME, _read_toml(folder)))


def _checked(project: Project, entries: Sequence[Entry]) -> Project:
    """What no single key can say. Every way to a Project ends here."""
    gpus, wanted = project.launcher.gpus, project.launcher.gpus_per_run
    if not isinstance(gpus, str) and wanted > len(gpus):
        said = [entry.where for entry in entries if entry.key in ("gpus", "gpus_per_run")]
        accepted = f"gpus_per_run at most {len(gpus)}, the number of GPUs in gpus"
        raise refused((said or ["[launcher]"])[-1], wanted, accepted, "launcher.gpus_per_run")
    return project


def _table(name: str, cls: type, entries: Sequence[Entry]) -> Any:
    return cls(**_known(name, entries))


def _no_metric(notebook: str, reported: Sequence[str]) -> InvalidConfig:
    seen = f"; {notebook} reports {', '.join(reported)}" if reported else ""
    example = reported[0] if reported else "val_accuracy"
    accepted = f'metric = "{example}" there or --metric {example}'
    return InvalidConfig(
        f"{CONFIG_NAME}: [objective] metric is missing; accepted: {accepted}{seen}", "objective.metric"
    )


def refuse_unbuilt(project: Project) -> None:
    """Raise InvalidConfig where the configuration asks for what this version does not do yet."""
    for key, found, accepted in (
        ("kind", project.launcher.kind, (LauncherKind.LOCAL,)),
        ("sandbox", project.launcher.sandbox, (SandboxKind.AUTO, SandboxKind.NONE)),
    ):
        if found not in accepted:
            names = ", ".join(f'"{name.value}"' for name in accepted)
            raise InvalidConfig(
                f'{CONFIG_NAME}: [launcher] {key}: "{found.value}" is not available in this version yet; '
                f"accepted: {names}",
                f"launcher.{key}",
            )


def reconfigure(project: Project, tables: Mapping[str, object]) -> Project:
    """``project`` with these tables' values laid over it; the objective stays. Raises InvalidConfig in one line."""
    entries = tuple(read_tables("configure", tables))
    for entry in entries:
        if entry.table == "objective" and entry.value != getattr(project.objective, entry.key):
            raise InvalidConfig(
                f"{entry.where} cannot change while a project is at work; change it in {CONFIG_NAME} and start again",
                f"objective.{entry.key}",
            )
    return _lay_over(project, entries)


def reload(folder: Path, project: Project, overrides: Options) -> Project:
    """A started ``project`` with what its file and ``overrides`` now say laid over it; what neither names stays.

    Raises InvalidConfig, NotFound, StorageFailed.
    """
    entries = (*said(folder), *read_tables("request", overrides.tables), *_option_entries(overrides))
    wanted = _lay_over(project, entries)
    metric = wanted.objective.metric
    if metric == project.objective.metric or any((e.table, e.key) == ("objective", "direction") for e in entries):
        return wanted
    objective = dataclasses.replace(wanted.objective, direction=guess_direction(metric))
    return dataclasses.replace(wanted, objective=objective)


def _lay_over(project: Project, entries: Sequence[Entry]) -> Project:
    """The notebook is for life: an entry that says another one is refused."""
    for entry in entries:
        if entry.table == "" and entry.value != project.notebook:
            raise InvalidConfig(
                f"{entry.where} cannot change in a project that was started (found {shown(entry.value)}, "
                f"started with {shown(project.notebook)}); start another folder for that",
                "notebook",
            )
    changed = {name: dataclasses.replace(getattr(project, name), **_known(name, entries)) for name in TABLES}
    return _checked(dataclasses.replace(project, **changed), entries)


def _known(table: str, entries: Sequence[Entry]) -> dict[str, Any]:
    names = {f.name for f in dataclasses.fields(TABLES[table])}
    return {entry.key: entry.value for entry in entries if entry.table == table and entry.key in names}
