"""Loads endpoint.yaml into a Configuration; every error names the key and the fix."""

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

SHOWN_CHARACTERS = 80  # of a long value, at its start and at its end
TYPE_NAMES = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
    tuple: "a list",
    Mapping: "a mapping",
}


def load(path: Path) -> Configuration:
    """Load and validate an endpoint configuration; raises BadConfiguration.

    Relative paths in the file are resolved against its folder.
    """
    try:
        configuration: Configuration = _parse_section(Configuration, load_document(path), "")
        configuration = _resolve_paths(path.parent, configuration)
        if conflicts := find_conflicts(configuration):
            raise BadConfiguration("; ".join(conflicts))
    except BadConfiguration as error:
        raise BadConfiguration(escape_unprintable(f"{path}: {error}")) from error
    return configuration


def _parse_section(section: type[Any], value: object, key: str) -> Any:
    """Return a dataclass from the mapping at ``key``; "" means the root of the file."""
    if value is None or value is NO_VALUE:
        value = {}
    if not isinstance(value, dict):
        raise BadConfiguration(f"{key or 'file'}: expected a mapping, got {_shown(value)}")
    known = {field.name: field for field in fields(section)}
    _verify_known(value, list(known), key)
    hints = get_type_hints(section)
    arguments: dict[str, Any] = {}
    for name, field in known.items():
        parsed = _parse_field(field, hints[name], value.get(name, MISSING), _join(key, name))
        if parsed is not MISSING:
            arguments[name] = parsed
    return section(**arguments)


def _verify_known(mapping: dict[Any, Any], known: list[str], key: str) -> None:
    for name in mapping:
        if name in known:
            continue
        shown = str(name)[:60]
        similar = get_close_matches(shown, known, n=1)
        hint = f'did you mean "{similar[0]}"?' if similar else f"expected {', '.join(known)}"
        raise BadConfiguration(f"{_join(key, shown)}: unknown key; {hint}")


def _parse_field(field: "Field[Any]", hint: Any, value: object, key: str) -> Any:
    """Return the value of a field, or MISSING for its default."""
    if value is None and type(None) in get_args(hint):
        return None  # an explicit null disables what is optional, whatever its default
    if value is None or value is NO_VALUE or value is MISSING:
        if field.default is MISSING and field.default_factory is MISSING:
            meaning = field.metadata.get("meaning", "required section")
            raise BadConfiguration(f"{key}: missing required key ({meaning})")
        kind = _without_none(hint)
        if value is not MISSING and is_dataclass(kind):
            return _parse_section(kind, {}, key)  # type: ignore[arg-type] # a class
        return MISSING
    return _parse_value(_without_none(hint), value, key, field.metadata)


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        return next(kind for kind in get_args(hint) if kind is not type(None))
    return hint


def _parse_value(kind: Any, value: object, key: str, limits: Mapping[str, Any]) -> Any:
    if isinstance(kind, type) and is_dataclass(kind):
        return _parse_section(kind, value, key)
    origin = get_origin(kind) or kind
    if origin is tuple:
        return _parse_list(value, key, limits)
    if origin is Mapping:
        return _parse_mapping(value, key, limits)
    return _parse_scalar(kind, value, key, limits)


def _parse_list(value: object, key: str, limits: Mapping[str, Any]) -> tuple[str, ...]:
    if not isinstance(value, list):
        hint = ""
        if isinstance(value, str) and len(value) <= SHOWN_CHARACTERS:
            hint = f"; write [{value}]"
        raise BadConfiguration(f"{key}: expected a list, got {_shown(value)}{hint}")
    return tuple(
        _parse_scalar(str, element, f"{key}[{index}]", limits)
        for index, element in enumerate(value)
    )


def _parse_mapping(value: object, key: str, limits: Mapping[str, Any]) -> dict[str, str]:
    if not isinstance(value, dict):
        raise BadConfiguration(f"{key}: expected a mapping, got {_shown(value)}")
    for name in value:
        if not isinstance(name, str):
            raise BadConfiguration(
                f'{key}: expected a string as a key, got {_shown(name)}; put it in quotes: "..."'
            )
    return {
        name: _parse_scalar(str, element, f"{key}.{name}", limits)
        for name, element in value.items()
    }


def _parse_scalar(kind: type[Any], value: object, key: str, limits: Mapping[str, Any]) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    _verify_type(kind, value, key)
    _verify_limits(value, key, limits)
    return kind(value)


def _verify_type(kind: type[Any], value: object, key: str) -> None:
    yaml_kind: type[Any] = str if kind is Path else kind
    is_kind = isinstance(value, yaml_kind) and (kind is bool or not isinstance(value, bool))
    if not is_kind:
        hint = _quotes_hint(yaml_kind, value)
        raise BadConfiguration(f"{key}: expected {TYPE_NAMES[kind]}, got {_shown(value)}{hint}")
    if isinstance(value, float) and not isfinite(value):
        raise BadConfiguration(f"{key}: expected a finite number, got {_shown(value)}")
    if kind is Path and not value:
        raise BadConfiguration(f"{key}: expected a path, got an empty string")


def _verify_limits(value: Any, key: str, limits: Mapping[str, Any]) -> None:
    choices = limits.get("choices")
    if choices and value not in choices:
        listed = ", ".join(map(str, choices))
        raise BadConfiguration(f"{key}: expected one of {listed}; got {_shown(value)}")
    pattern = limits.get("pattern")
    if pattern and not re.fullmatch(pattern, str(value), re.ASCII):
        raise BadConfiguration(f"{key}: expected {limits['expected']}; got {_shown(value)}")
    if "min" in limits and not limits["min"] <= value <= limits["max"]:
        bounds = f"from {limits['min']} to {limits['max']}"
        raise BadConfiguration(f"{key}: expected a whole number {bounds}, got {value}")


def _resolve_paths(folder: Path, configuration: Configuration) -> Configuration:
    model, data_format = configuration.model, configuration.data_format
    model = replace(model, artifact=_resolve(folder, model.artifact, "model.artifact"))
    if data_format.sample:
        sample = _resolve(folder, data_format.sample, "data_format.sample")
        data_format = replace(data_format, sample=sample)
    return replace(configuration, model=model, data_format=data_format)


def _resolve(folder: Path, path: Path, key: str) -> Path:
    try:
        return folder / path.expanduser()
    except RuntimeError as error:
        raise BadConfiguration(
            f'{key}: no home directory for "{path}"; write out the full path'
        ) from error


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _shown(value: object) -> str:
    # Nested values are not shown: YAML aliases in a few lines can expand until memory is full.
    if isinstance(value, dict | set):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is NO_VALUE or value is None:
        return "no value"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    if len(text) > 2 * SHOWN_CHARACTERS:
        text = f"{text[:SHOWN_CHARACTERS]}…{text[-SHOWN_CHARACTERS:]}"
    return f'"{text}"'


def _quotes_hint(kind: type[Any], value: object) -> str:
    if kind is str and isinstance(value, bool | int | float):
        return f'; put it in quotes: "{_shown(value)}"'
    if kind in (int, float) and isinstance(value, str) and value.isdecimal():
        return "; remove the quotes"
    return ""
