"""Reads the file of an endpoint into its configuration; each fault names its key and the fix."""

import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml

from deploy.configuration import Configuration
from deploy.failures import BadConfiguration
from deploy.rules import faults_of

WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
    tuple: "a list",
    Mapping: "keys and values",
}


def read(path: Path) -> Configuration:
    """Read the file of an endpoint; raises BadConfiguration."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadConfiguration(
            f"{path}: {error.strerror}: name the YAML file of an endpoint, as deploy/endpoint.example.yaml is"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{path}: cannot be read as YAML: {' '.join(str(error).split())}") from error
    try:
        configuration: Configuration = _section(Configuration, document, "")
        configuration = _with_paths_from(path.parent, configuration)
        if faults := faults_of(configuration):
            raise BadConfiguration("; ".join(faults))
    except BadConfiguration as error:
        raise BadConfiguration(f"{path}: {error}") from error
    return configuration


def _section(kind: type[Any], value: object, place: str) -> Any:
    value = {} if value is None else value
    if not isinstance(value, dict):
        raise BadConfiguration(f"{place or 'the file'}: expected keys and values, not {_shown(value)}")
    known = {field.name: field for field in fields(kind)}
    for name in value:
        if name not in known:
            raise BadConfiguration(_unknown(f"{place}{'.' if place else ''}{name}", str(name), list(known)))
    hints = get_type_hints(kind)
    read = {}
    for name, field in known.items():
        inner = f"{place}.{name}" if place else name
        if value.get(name) is not None:
            read[name] = _value(hints[name], value[name], inner, field)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise BadConfiguration(f"{inner}: missing: {field.metadata.get('meaning', 'it is needed')}")
        elif name in value and is_dataclass(_plain(hints[name])):
            read[name] = _section(_plain(hints[name]), {}, inner)
    return kind(**read)


def _unknown(place: str, name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"{place}: unknown key; " + (f'did you mean "{near[0]}"?' if near else f"known here: {', '.join(known)}")


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
        return tuple(_scalar(str, item, f"{place}[{number}]", field) for number, item in enumerate(value))
    if origin is Mapping and isinstance(value, dict):
        return {str(name): _scalar(str, item, f"{place}.{name}", field) for name, item in value.items()}
    if origin in (tuple, Mapping):
        raise BadConfiguration(f"{place}: expected {WORDS[origin]}, not {_shown(value)}")
    return _scalar(kind, value, place, field)


def _scalar(kind: type[Any], value: object, place: str, field: "Field[Any]") -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    wanted: type[Any] = str if kind is Path else kind
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        quotes = ': put it into quotes, "..."' if wanted is str and not isinstance(value, dict | list) else ""
        raise BadConfiguration(f"{place}: expected {WORDS[kind]}, not {_shown(value)}{quotes}")
    limits = field.metadata
    if "choices" in limits and value not in limits["choices"]:
        raise BadConfiguration(f"{place}: expected one of {', '.join(map(str, limits['choices']))}, not {_shown(value)}")
    if "pattern" in limits and not re.fullmatch(limits["pattern"], str(value)):
        raise BadConfiguration(f"{place}: {_shown(value)} does not fit: expected {limits.get('expected', limits['pattern'])}")
    if isinstance(value, int) and not limits.get("least", value) <= value <= limits.get("most", value):
        bounds = f"from {limits['least']}" + (f" to {limits['most']}" if "most" in limits else "")
        raise BadConfiguration(f"{place}: expected a whole number {bounds}, not {value}")
    return kind(value)


def _with_paths_from(folder: Path, configuration: Configuration) -> Configuration:
    model, formats = configuration.model, configuration.data_format
    model = replace(model, artefact=folder / model.artefact.expanduser())
    sample = folder / formats.sample.expanduser() if formats.sample else None
    return replace(configuration, model=model, data_format=replace(formats, sample=sample))


def _shown(value: object) -> str:
    text = {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    return f'"{text[:60]}"'
