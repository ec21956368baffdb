"""Reads a YAML document strictly: what YAML would take silently, or by a rule that few know, is refused with its line."""

from pathlib import Path
from typing import Any

import yaml

from deploy.errors import BadConfiguration

NO_VALUE = object()  # the value of a key that has none; a written null is None
MOST_BYTES = 1_000_000
MOST_INTEGER = 2**63
# YAML makes dates of text such as 2024-01-31, and takes keys from elsewhere by <<; here both are what they look like.
LEFT_OUT = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge")


class _Loader(yaml.SafeLoader):
    """Takes each key once, and tells the line of each value that cannot be made."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML has it
        first: [(tag, form) for tag, form in forms if tag not in LEFT_OUT]
        for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's own
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refusal("a key is a word, not a list or other keys", key)
            if not key.value:
                raise _refusal("a key is missing before the colon", key)
            if key.value in lines:
                raise _refusal(
                    f"the key {key.value} is given twice, first in line {lines[key.value]}: take one out",
                    key,
                )
            lines[key.value] = key.start_mark.line + 1
        return dict(yaml.constructor.BaseConstructor.construct_mapping(self, node, deep))

    def construct_object(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - the same
        if node.tag == "tag:yaml.org,2002:null" and node.value == "":
            return NO_VALUE
        try:
            value = super().construct_object(node, deep)
            if isinstance(value, str):
                value.encode()
        except (
            ValueError,
            KeyError,
            AttributeError,
            TypeError,
        ) as error:  # which PyYAML raises of text such as !!int foo
            shown = node.value[:60] if isinstance(node, yaml.ScalarNode) else "this"
            raise _refusal(
                f"{shown} cannot be read as {node.tag.rpartition(':')[2]}", node
            ) from error
        if isinstance(value, str) and "\0" in value:
            raise _refusal("a text has a NUL character: take it out", node)
        if isinstance(value, int) and abs(value) >= MOST_INTEGER:
            raise _refusal("a number has more digits than any key takes", node)
        return value


def load_document(path: Path) -> Any:
    """Return what a YAML file says, with EMPTY for what has no value; raises BadConfiguration."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadConfiguration(
            f"{error.strerror}: name the YAML file of an endpoint, as deploy/endpoint.example.yaml is"
        ) from error
    if len(content) > MOST_BYTES:
        raise BadConfiguration(
            "more than a megabyte: name the YAML file of an endpoint, as deploy/endpoint.example.yaml is"
        )
    try:
        return yaml.load(content.decode(), _Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise BadConfiguration(f"cannot be read as YAML: {line}{_words(error)}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"cannot be read as YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise BadConfiguration("cannot be read as YAML: nested too deeply") from error


def _refusal(words: str, node: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=words, problem_mark=node.start_mark)


def _words(error: yaml.MarkedYAMLError) -> str:
    return " ".join(" ".join(part for part in (error.context, error.problem) if part).split())
