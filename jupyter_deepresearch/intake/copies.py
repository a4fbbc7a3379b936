"""Cells that write changed copies of a person's files: of a YAML file that is just read, of a script."""

import json
from collections.abc import Sequence

from .options import Parameter, Passing, copy_name


def file_copies(parameters: Sequence[Parameter]) -> tuple[str, ...]:
    """A cell for each YAML file whose values are parameters; in its copy they have the notebook's."""
    files = dict.fromkeys(p.option.file for p in parameters if p.option.passing is Passing.FILE)
    return tuple(_file_copy(file, [p for p in parameters if p.option.file == file]) for file in files if file)


def _file_copy(file: str, parameters: Sequence[Parameter]) -> str:
    sets = "\n".join(f"settings{_keys(p.option.flag)} = {p.name}" for p in parameters)
    return (
        "from pathlib import Path\n\nimport yaml\n\n"
        f"# A copy of {file} with the values above; the file itself stays as it is.\n"
        f"settings = yaml.safe_load(Path({_text(file)}).read_text())\n{sets}\n"
        f"Path({_text(copy_name(file))}).write_text(yaml.safe_dump(settings, sort_keys=False))"
    )


def _keys(name: str) -> str:
    return "".join(f"[{_text(key)}]" for key in name.split("."))


def script_copy(path: str, renamed: tuple[str, str] | None, parameters: Sequence[Parameter]) -> tuple[str, ...]:
    """A cell that writes a copy of the script with the notebook's values in its text; none where nothing changes."""
    changes = [(_text("".join(p.option.place)), _value(p)) for p in parameters if p.option.passing is Passing.TEXT]
    if renamed is not None:
        changes.append((_text(renamed[0]), _text(renamed[1])))
    if not changes:
        return ()
    listed = "".join(f"    {old}: {new},\n" for old, new in changes)
    return (
        "from pathlib import Path\n\n"
        f"# A copy of {path} with the values above; the script itself stays as it is.\n"
        f"code = Path({_text(path)}).read_text()\n"
        f"for old, new in {{\n{listed}}}.items():\n"
        f'    assert code.count(old) == 1, f"{path} no longer says once: {{old}}"\n'
        "    code = code.replace(old, new)\n"
        f"Path({_text(copy_name(path))}).write_text(code)",
    )


def _value(parameter: Parameter) -> str:
    return f"{_text(parameter.option.place[0])} + repr({parameter.name})"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
