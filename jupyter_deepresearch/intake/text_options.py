"""Values that stand in a script's own text: fields of configuration dataclasses, and constants at its top."""

import ast
from collections.abc import Iterator, Sequence

from .options import Option, Passing, Setting
from .source_options import kind_of, literal, parsed

_LINE_CHARS = 60


def text_options(text: str) -> tuple[Option, ...]:
    """The values that can be set by replacing their text: those of dataclasses that the script makes without a word
    (``Config()``), and plain values at its top. A value whose line is not alone of its kind is left out.
    """
    tree = parsed(text)
    made = {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call) and not n.args and not n.keywords}
    statements = [s for cls in _dataclasses(tree) if cls.name in made for s in cls.body]
    found = [*_assigned(tree.body, text), *_assigned(statements, text)]
    names = [option.flag for option in found]
    return tuple(option for option in found if names.count(option.flag) == 1)


def command_line_fields(texts: Sequence[str]) -> tuple[Option, ...]:
    """The options of ``tyro.cli(Config)``: fields of the dataclass with hyphens, those of inner ones after a dot."""
    trees = [parsed(text) for text in texts]
    classes = {cls.name: cls for tree in trees for cls in _dataclasses(tree)}
    calls = [n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Call) and n.args]
    wanted = [c.args[0].id for c in calls if ast.unparse(c.func) == "tyro.cli" and isinstance(c.args[0], ast.Name)]
    return tuple(o for name in wanted if name in classes for o in _fields(classes[name], classes, "", 0))


def function_flags(texts: Sequence[str]) -> tuple[Option, ...]:
    """The options of ``fire.Fire(function)``: the function's arguments that have a default."""
    trees = [parsed(text) for text in texts]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    fired = [n.args[0] for n in nodes if isinstance(n, ast.Call) and n.args and ast.unparse(n.func) == "fire.Fire"]
    names = {node.id for node in fired if isinstance(node, ast.Name)}
    return tuple(o for n in nodes if isinstance(n, ast.FunctionDef) and n.name in names for o in _arguments(n))


def _arguments(function: ast.FunctionDef) -> Iterator[Option]:
    given = function.args
    places = [*given.posonlyargs, *given.args]
    pairs = [*zip(places[len(places) - len(given.defaults) :], given.defaults, strict=True)]
    for argument, default in (*pairs, *zip(given.kwonlyargs, given.kw_defaults, strict=True)):
        value = literal(default, {})
        if value is None or isinstance(value, bool | int | float | str):
            yield Option(f"--{argument.arg}", value, kind=kind_of(value), spellings=(f"--{argument.arg}",))


def constants_as_flags(text: str) -> tuple[Option, ...]:
    """The plain values at the top of a script that takes ``--name=value`` for each, as nanoGPT's configurator does."""
    return tuple(
        Option(flag=f"--{o.flag}", value=o.value, kind=o.kind, spellings=(f"--{o.flag}",))
        for o in _assigned(parsed(text).body, text)
    )


def _dataclasses(tree: ast.Module) -> Iterator[ast.ClassDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            marks = [ast.unparse(d.func if isinstance(d, ast.Call) else d) for d in node.decorator_list]
            if any(mark.endswith("dataclass") for mark in marks):
                yield node


def _fields(cls: ast.ClassDef, classes: dict[str, ast.ClassDef], before: str, depth: int) -> Iterator[Option]:
    for statement in cls.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        name = f"{before}{statement.target.id.replace('_', '-')}"
        inner = classes.get(ast.unparse(statement.annotation))
        if inner is not None and depth < 3:
            yield from _fields(inner, classes, f"{name}.", depth + 1)
        elif statement.value is not None:
            yield _field(name, statement)


def _field(name: str, statement: ast.AnnAssign) -> Option:
    value = literal(statement.value, {})
    known = value is None or isinstance(value, bool | int | float | str | tuple)
    is_bool, is_list = isinstance(value, bool), isinstance(value, tuple)
    return Option(
        flag=f"--{name}",
        value=value if known else None,  # type: ignore[arg-type]
        passing=Passing.PAIR if is_bool else Passing.WORDS if is_list else Passing.VALUE,
        kind=kind_of(value),
        spellings=(f"--{name}",),
        off=f"--no-{name}" if is_bool else "",
        computed=not known,
    )


def _assigned(statements: Sequence[ast.stmt], text: str) -> Iterator[Option]:
    for statement in statements:
        if isinstance(statement, ast.Assign):
            target: ast.expr | None = statement.targets[0] if len(statement.targets) == 1 else None
        else:
            target = statement.target if isinstance(statement, ast.AnnAssign) else None
        value_node = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        if not isinstance(target, ast.Name) or value_node is None or target.id.startswith("_"):
            continue
        value, place = literal(value_node, {}), _place(statement, value_node, text)
        if place and isinstance(value, bool | int | float | str) and kind_of(value):
            yield _in_text(target.id, value, place)


def _in_text(name: str, value: Setting, place: tuple[str, str]) -> Option:
    return Option(flag=name, value=value, passing=Passing.TEXT, kind=kind_of(value), spellings=(name,), place=place)


def _place(statement: ast.stmt, value: ast.expr, text: str) -> tuple[str, str] | None:
    """The text before the value on its line, and the value's; None where that is not found exactly once."""
    old = ast.get_source_segment(text, value)
    whole = ast.get_source_segment(text, statement)
    if old is None or whole is None or "\n" in whole or len(whole) > _LINE_CHARS or not whole.endswith(old):
        return None
    before = whole[: len(whole) - len(old)]
    if text.count(whole) != 1:
        indent = " " * statement.col_offset
        before = f"\n{indent}{before}"
    return (before, old) if text.count(before + old) == 1 else None
