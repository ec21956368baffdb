"""Loads YAML strictly: duplicate keys and other silent surprises are errors with a line number."""

from pathlib import Path
from typing import Any

import yaml

from deploy.errors import BadConfiguration

NO_VALUE = object()  # the value of a key with nothing after the colon; an explicit null is None
MAX_BYTES = 1_000_000
MAX_INTEGER = 2**63
# Dates such as 2024-01-31 stay strings, and << is an ordinary key.
DISABLED_TAGS = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge")
NULL_TAG = "tag:yaml.org,2002:null"
EXPECTED = "expected an endpoint configuration such as deploy/endpoint.example.yaml"


def load_document(path: Path) -> Any:
    """Load a YAML file; raises BadConfiguration.

    Keys without a value have the value ``NO_VALUE``.
    """
    content = _read_limited(path)
    try:
        return yaml.load(content.decode(), _Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise BadConfiguration(f"invalid YAML: {line}{_describe(error)}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"invalid YAML: {_on_one_line(str(error))}") from error
    except RecursionError as error:
        raise BadConfiguration("invalid YAML: nested too deeply") from error


class _Loader(yaml.SafeLoader):
    """A SafeLoader that rejects duplicate keys and values that a configuration cannot hold."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML declares it so
        first: [(tag, regexp) for tag, regexp in resolvers if tag not in DISABLED_TAGS]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        lines: dict[str, int] = {}
        for key, _ in node.value:
            _verify_key(key, lines)
            lines[key.value] = key.start_mark.line + 1
        return dict(yaml.constructor.BaseConstructor.construct_mapping(self, node, deep))

    def construct_object(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - PyYAML's signature
        if node.tag == NULL_TAG and node.value == "":
            return NO_VALUE
        try:
            value = super().construct_object(node, deep)
            if isinstance(value, str):
                value.encode()
        # PyYAML raises any of these for text such as !!int foo.
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            shown = node.value[:60] if isinstance(node, yaml.ScalarNode) else "the value"
            kind = node.tag.rpartition(":")[2]
            raise _yaml_error(f'"{shown}" is not a valid {kind}', node) from error
        if isinstance(value, str) and "\0" in value:
            raise _yaml_error("the string contains a NUL character; remove it", node)
        if isinstance(value, int) and abs(value) >= MAX_INTEGER:
            raise _yaml_error("number has too many digits", node)
        return value


def _verify_key(key: Any, lines: dict[str, int]) -> None:
    if not isinstance(key, yaml.ScalarNode):
        raise _yaml_error("expected a string as a key, got a list or mapping", key)
    if not key.value:
        raise _yaml_error("missing key before the colon", key)
    if key.value in lines:
        raise _yaml_error(
            f'duplicate key "{key.value}", first used on line {lines[key.value]}; remove one', key
        )


def _read_limited(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadConfiguration(f"{error.strerror}; {EXPECTED}") from error
    if len(content) > MAX_BYTES:
        raise BadConfiguration(f"file is larger than {MAX_BYTES:,} bytes; {EXPECTED}")
    return content


def _yaml_error(problem: str, node: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _describe(error: yaml.MarkedYAMLError) -> str:
    parts = [part for part in (error.context, error.problem) if part]
    return _on_one_line(" ".join(parts))


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
