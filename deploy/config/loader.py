"""Reads the file of an endpoint into its configuration; each fault names its key and the fix."""

import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from deploy.config.configuration import Configuration
from deploy.config.rules import find_conflicts
from deploy.config.strict_yaml import NO_VALUE, load_document
from deploy.errors import BadConfiguration, escape_unprintable

SHOWN = 80  # of a value, at its beginning and at its end
WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
    tuple: "a list",
    Mapping: "keys and values",
}


def load(path: Path) -> Configuration:
    """Read the file of an endpoint; raises BadConfiguration."""
    try:
        configuration: Configuration = _section(Configuration, load_document(path), "")
        configuration = _with_paths_from(path.parent, configuration)
        if faults := find_conflicts(configuration):
            raise BadConfiguration("; ".join(faults))
    except BadConfiguration as error:
        raise BadConfiguration(escape_unprintable(f"{path}: {error}")) from error
    return configuration


def _section(kind: type[Any], value: object, place: str) -> Any:
    value = {} if value in (None, NO_VALUE) else value
    if not isinstance(value, dict):
        raise BadConfiguration(
            f"{place or 'the file'}: expected keys and values, not {_shown(value)}"
        )
    known = {field.name: field for field in fields(kind)}
    for name in value:
        if name not in known:
            raise BadConfiguration(
                _unknown(
                    f"{place}{'.' if place else ''}{str(name)[:60]}", str(name)[:60], list(known)
                )
            )
    hints = get_type_hints(kind)
    load: dict[str, Any] = {}
    for name, field in known.items():
        inner = f"{place}.{name}" if place else name
        one = value.get(name, NO_VALUE)
        if one is None and type(None) in get_args(hints[name]):
            load[name] = None  # a written null switches off what can be off, whatever the default
        elif one is not None and one is not NO_VALUE:
            load[name] = _value(hints[name], one, inner, field)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise BadConfiguration(
                f"{inner}: missing: {field.metadata.get('meaning', 'it is needed')}"
            )
        elif name in value and is_dataclass(_plain(hints[name])):
            load[name] = _section(_plain(hints[name]), {}, inner)
    return kind(**load)


def _unknown(place: str, name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"{place}: unknown key; " + (
        f'did you mean "{near[0]}"?' if near else f"known here: {', '.join(known)}"
    )


def _plain(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(choice for choice in get_args(hint) if choice is not type(None))
    return hint


def _value(hint: Any, value: object, place: str, field: "Field[Any]") -> Any:
    kind = _plain(hint)
    if isinstance(kind, type) and is_dataclass(kind):
        return _section(kind, value, place)
    origin = get_origin(kind) or kind
    if origin is tuple and isinstance(value, list):
        return tuple(
            _scalar(str, item, f"{place}[{number}]", field) for number, item in enumerate(value)
        )
    if origin is Mapping and isinstance(value, dict):
        if odd := [name for name in value if not isinstance(name, str)]:
            raise BadConfiguration(
                f'{place}: expected text as a key, not {_shown(odd[0])}: put it into quotes, "..."'
            )
        return {name: _scalar(str, item, f"{place}.{name}", field) for name, item in value.items()}
    if origin in (tuple, Mapping):
        brackets = (
            f": write [{value}]"
            if origin is tuple and isinstance(value, str) and len(value) <= SHOWN
            else ""
        )
        raise BadConfiguration(f"{place}: expected {WORDS[origin]}, not {_shown(value)}{brackets}")
    return _scalar(kind, value, place, field)


def _scalar(kind: type[Any], value: object, place: str, field: "Field[Any]") -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if isinstance(value, float) and not isfinite(value):
        raise BadConfiguration(f"{place}: expected a number, not {_shown(value)}")
    wanted: type[Any] = str if kind is Path else kind
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        raise BadConfiguration(
            f"{place}: expected {WORDS[kind]}, not {_shown(value)}{_about_quotes(wanted, value)}"
        )
    limits = field.metadata
    if "choices" in limits and value not in limits["choices"]:
        raise BadConfiguration(
            f"{place}: expected one of {', '.join(map(str, limits['choices']))}, not {_shown(value)}"
        )
    if "pattern" in limits and not re.fullmatch(limits["pattern"], str(value), re.ASCII):
        raise BadConfiguration(
            f"{place}: {_shown(value)} does not fit: expected {limits.get('expected', limits['pattern'])}"
        )
    if isinstance(value, int) and not limits.get("least", value) <= value <= limits.get(
        "most", value
    ):
        bounds = f"from {limits['least']}" + (f" to {limits['most']}" if "most" in limits else "")
        raise BadConfiguration(f"{place}: expected a whole number {bounds}, not {value}")
    if kind is Path and not value:
        raise BadConfiguration(f"{place}: expected a path, not nothing")
    return kind(value)


def _with_paths_from(folder: Path, configuration: Configuration) -> Configuration:
    model, formats = configuration.model, configuration.data_format
    model = replace(model, artifact=_path(folder, model.artifact, "model.artifact"))
    sample = _path(folder, formats.sample, "data_format.sample") if formats.sample else None
    return replace(configuration, model=model, data_format=replace(formats, sample=sample))


def _path(folder: Path, path: Path, place: str) -> Path:
    try:
        return folder / path.expanduser()
    except RuntimeError as error:  # ~ of nobody
        raise BadConfiguration(
            f"{place}: {path}: there is no such home: write the path out"
        ) from error


def _shown(value: object) -> str:
    # What is nested is not shown: a few lines of YAML may refer to each other until their text fills the memory.
    if isinstance(value, dict | set):
        return "keys and values"
    if isinstance(value, list | tuple):
        return "a list"
    if value is NO_VALUE or value is None:
        return "nothing"
    if isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    text = str(value)
    return f'"{text}"' if len(text) <= 2 * SHOWN else f'"{text[:SHOWN]}…{text[-SHOWN:]}"'


def _about_quotes(wanted: type[Any], value: object) -> str:
    if wanted is str and isinstance(value, bool | int | float):
        return f': put it into quotes, "{_shown(value)}"'
    return (
        ": take its quotes away"
        if wanted in (int, float) and isinstance(value, str) and value.isdecimal()
        else ""
    )
