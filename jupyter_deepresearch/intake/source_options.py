"""What a script's source says of its options: the ``add_argument`` calls, read without running anything."""

import ast
import math
from collections.abc import Iterator, Mapping, Sequence

from ..core.types import Value
from .options import Kind, Option, Passing, Setting, longest, settled

_KINDS: Mapping[str, Kind] = {"int": "int", "float": "float", "str": "str", "bool": "bool", "Path": "str"}
_SWITCHES = {"store_true": False, "store_false": True}
_UNSETTABLE = {"help", "version", "count", "append", "append_const", "extend", "store_const", "parsers"}
_COMPUTED = object()


def source_options(texts: Sequence[str]) -> tuple[Option, ...]:
    """The options that these sources add to a parser, in order, the last of each flag. What is no Python has none."""
    found: dict[str, Option] = {}
    trees = [parsed(text) for text in texts]
    everywhere = {name: value for tree in trees for name, value in _constants(tree).items()}
    for tree in trees:
        constants = {**everywhere, **_constants(tree)}
        for call in _calls(tree, "add_argument"):
            option = _option(call, constants)
            if option is not None:
                found[option.flag] = option
    return tuple(found.values())


def parsed(text: str) -> ast.Module:
    """The tree of a source, an empty one where it is no Python."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return ast.Module(body=[], type_ignores=[])


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda c: (c.lineno, c.col_offset)):
        if isinstance(call.func, ast.Attribute) and call.func.attr == name:
            yield call


def _constants(tree: ast.Module) -> Mapping[str, Setting]:
    """The names that a module gives one literal, and nothing else."""
    values: dict[str, list[object]] = {}
    for node in ast.walk(tree):
        for target in node.targets if isinstance(node, ast.Assign) else ():
            if isinstance(target, ast.Name) and isinstance(node, ast.Assign):
                values.setdefault(target.id, []).append(literal(node.value, {}))
    alone = {name: found[0] for name, found in values.items() if len(found) == 1 and found[0] is not _COMPUTED}
    return alone  # type: ignore[return-value]


def literal(node: ast.expr | None, constants: Mapping[str, Setting]) -> object:
    """The value of an expression of literals, named constants, signs and arithmetic; else a mark of its own."""
    if isinstance(node, ast.Constant):
        plain = node.value is None or isinstance(node.value, bool | int | float | str)
        return node.value if plain else _COMPUTED
    if isinstance(node, ast.Name | ast.Attribute):  # LR, settings.LR
        return constants.get(node.id if isinstance(node, ast.Name) else node.attr, _COMPUTED)
    if isinstance(node, ast.List | ast.Tuple):
        values = [literal(item, constants) for item in node.elts]
        return _COMPUTED if any(v is _COMPUTED or isinstance(v, tuple) for v in values) else tuple(values)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        return literal(node.args[0], constants) if called in ("Path", "PurePath") and len(node.args) == 1 else _COMPUTED
    return _arithmetic(node, constants)


def _arithmetic(node: ast.expr | None, constants: Mapping[str, Setting]) -> object:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = literal(node.operand, constants)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        left, right = literal(node.left, constants), literal(node.right, constants)
        if type(left) in (int, float) and type(right) in (int, float):
            return _computed(node.op, left, right)  # type: ignore[arg-type]
    return _COMPUTED


def _computed(operator: ast.operator, left: float, right: float) -> object:
    try:
        if isinstance(operator, ast.Add):
            return left + right
        if isinstance(operator, ast.Sub):
            return left - right
        if isinstance(operator, ast.Mult):
            return left * right
        if isinstance(operator, ast.Div):
            return left / right
        if isinstance(operator, ast.FloorDiv):
            return left // right
        if isinstance(operator, ast.Pow) and abs(right) < 64:
            return left**right
    except (ArithmeticError, ValueError):
        pass
    return _COMPUTED


def _option(call: ast.Call, constants: Mapping[str, Setting]) -> Option | None:
    words = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    if not words or len(words) != len(call.args):
        return None
    given = {k.arg: k.value for k in call.keywords if k.arg}
    action = _action(given.get("action"))
    if action in _UNSETTABLE:
        return None
    spellings = tuple(words) if words[0].startswith("-") else ()
    passing = _passing(action, given.get("nargs"))
    default = literal(given["default"], constants) if "default" in given else None
    computed = default is _COMPUTED
    required = literal(given.get("required"), constants) is True
    option = Option(
        flag=longest(words),
        value=False if passing is Passing.SWITCH else None if computed else default,  # type: ignore[arg-type]
        passing=passing,
        kind="bool" if passing in (Passing.SWITCH, Passing.PAIR) else _kind(given.get("type"), default),
        choices=_choices(given.get("choices"), constants),
        spellings=spellings,
        off=f"--no-{longest(words)[2:]}" if passing is Passing.PAIR else "",
        required=required or (not spellings and "default" not in given and not _is_optional(given.get("nargs"))),
        computed=computed,
        about=_about(given.get("help"), constants),
    )
    return settled(option)


def _action(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return "pair" if name == "BooleanOptionalAction" else name


def _passing(action: str, nargs: ast.expr | None) -> Passing:
    if action in _SWITCHES:
        return Passing.SWITCH
    if action == "pair":
        return Passing.PAIR
    several = (isinstance(nargs, ast.Constant) and nargs.value in ("+", "*")) or _count(nargs) is not None
    return Passing.WORDS if several else Passing.VALUE


def _count(node: ast.expr | None) -> int | None:
    is_count = isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool)
    return node.value if is_count and isinstance(node, ast.Constant) else None  # type: ignore[return-value]


def _is_optional(nargs: ast.expr | None) -> bool:
    return isinstance(nargs, ast.Constant) and nargs.value in ("?", "*")


def _kind(node: ast.expr | None, default: object) -> Kind | None:
    if isinstance(node, ast.Name | ast.Attribute):
        return _KINDS.get(node.id if isinstance(node, ast.Name) else node.attr)
    return None if node is not None else kind_of(default) or "str"


def kind_of(value: object) -> Kind | None:
    """The type of a plain value by its name."""
    for kind, cls in (("bool", bool), ("int", int), ("float", float), ("str", str)):
        if type(value) is cls and not (isinstance(value, float) and not math.isfinite(value)):
            return kind  # type: ignore[return-value]
    return None


def _choices(node: ast.expr | None, constants: Mapping[str, Setting]) -> tuple[Value, ...]:
    value = literal(node, constants) if node is not None else ()
    return value if isinstance(value, tuple) else ()


def _about(node: ast.expr | None, constants: Mapping[str, Setting]) -> str:
    value = literal(node, constants) if node is not None else ""
    return value if isinstance(value, str) else ""
