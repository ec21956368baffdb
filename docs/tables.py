"""Generates tables in the documentation from the code, the sample schema and the tests."""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args, get_type_hints

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from clauses import Claim, find_claims, load_clauses

from deploy.config.configuration import Configuration
from serve.codecs import CODECS, DECODERS
from serve.errors import InvocationError
from serve.media.types import ALIASES
from serve.settings import Settings
from serve.variables.other_images import OTHER_VARIABLES
from serve.variables.parsers import parse_log_level

SCHEMA = ROOT / "model" / "artifact" / "schema.json"
# Words that keep their capital at the start of a table cell.
PROPER_NAMES = {"Accept", "Clarify", "Docker", "Flask", "Python"}
CHAPTERS = sorted({clause.chapter for clause in load_clauses()})


def main() -> None:
    """Rewrite the generated tables of all documents."""
    for path in list_documents():
        path.write_text(fill_tables(path.read_text(encoding="utf-8")), encoding="utf-8")


def list_documents() -> list[Path]:
    """Return the documents that contain generated tables."""
    names = ("requests", "responses", "settings", "contract", "deploying")
    return [ROOT / "model" / "README.md", *(ROOT / "docs" / f"{name}.md" for name in names)]


def fill_tables(text: str) -> str:
    """Return a document with a current table between each pair of marker comments."""
    for name, build in list_tables():
        start, end = f"<!-- {name}: written by make docs -->\n", f"<!-- end of {name} -->\n"
        if start in text:
            before, _, rest = text.partition(start)
            text = before + start + build() + end + rest.partition(end)[2]
    return text


def list_tables() -> Iterable[tuple[str, Callable[[], str]]]:
    """Yield the name of each generated table, and the function that builds it."""
    yield "columns", build_columns
    yield "media types", build_media_types
    yield "statuses", build_statuses
    yield "settings", build_settings
    yield "other variables", build_other_variables
    yield "keys", build_keys
    for chapter in CHAPTERS:
        yield f"chapter {chapter}", partial(build_chapter, chapter)
    yield "untested", build_untested


def build_columns() -> str:
    """Return the features of the sample model, in order."""
    rows = []
    for number, feature in enumerate(json.loads(SCHEMA.read_text(encoding="utf-8"))["features"], 1):
        values = ", ".join(f"`{label}`" for label in feature.get("categories", []))
        if not values:
            values = "number from {} to {} in training".format(*feature["range"])
        unit = f", in {feature['unit']}" if "unit" in feature else ""
        missing = "yes" if feature["missing"] else "no"
        rows.append(
            (number, f"`{feature['name']}`", f"{feature['description']}{unit}", values, missing)
        )
    return format_table(("#", "column", "meaning", "values", "may be missing"), rows)


def build_media_types() -> str:
    """Return the media types of requests and responses."""
    rows = []
    for name in DECODERS:
        aliases = ", ".join(f"`{alias}`" for alias, target in ALIASES.items() if target == name)
        is_response_type = name in CODECS
        concatenates = ""
        if is_response_type:
            concatenates = yes_or_no(CODECS[name].CONCATENATES)
        rows.append((f"`{name}`", aliases, "yes", yes_or_no(is_response_type), concatenates))
    head = (
        "media type",
        "other names",
        "request (Content-Type)",
        "response (Accept)",
        "responses can be concatenated",
    )
    return format_table(head, rows)


def yes_or_no(value: object) -> str:
    """Return a truth value as a table cell."""
    return "yes" if value else "no"


def build_statuses() -> str:
    """Return the status codes of responses."""
    rows: list[tuple[int, str]] = [
        (200, "predictions, one for each record, in order"),
        (204, "the request body was empty"),
        (404, "unknown path"),
        (405, "the path does not support this method; `Allow` lists the methods it supports"),
        (500, "internal server error; the log has its traceback, under `request_id`"),
    ]
    rows += [
        (error.status.value, _format_error(error))
        for error in list_errors_with_status(InvocationError)
    ]
    return format_table(("status", "meaning"), sorted(rows))


def _format_error(error: type[InvocationError]) -> str:
    meaning = lower_first(str(error.__doc__).rstrip("."))
    return f"{meaning} (`{error.__name__}`)"


def list_errors_with_status(error: type[InvocationError]) -> Iterable[type[InvocationError]]:
    """Yield the errors of a class hierarchy that have a status."""
    if hasattr(error, "status"):
        yield error
    for child in error.__subclasses__():
        yield from list_errors_with_status(child)


def build_settings() -> str:
    """Return the environment variables that configure the server."""
    rows = []
    for field in fields(Settings):
        default = _format_setting(field)
        rows.append((f"`{field.metadata['variable']}`", default, field.metadata["meaning"]))
    return format_table(("variable", "default", "meaning"), rows)


def build_other_variables() -> str:
    """Return the variables of other images, with the reason why each has no effect."""
    rows = [
        (", ".join(f"`{name}`" for name in other.names), other.reason) for other in OTHER_VARIABLES
    ]
    return format_table(("variable", "reason, or what to use instead"), rows)


def _format_setting(field: Field[Any]) -> str:
    """Return the default of a setting as a user writes it in the environment."""
    default: Any = field.default
    if default in (None, ()):
        return ""
    if isinstance(default, bool):
        default = str(default).lower()
    elif field.metadata["parse"] is parse_log_level:
        default = logging.getLevelName(default)
    return f"`{default}`"


def build_chapter(chapter: int) -> str:
    """Return the clauses of a chapter of the contract, with the tests that claim them."""
    rows = []
    for clause in load_clauses():
        if clause.chapter == chapter:
            claims = [claim for claim in find_claims() if clause.id in claim.ids]
            tests = "<br>".join(map(_format_claim, claims)) or "[none](#rules-without-a-test)"
            source = f"{clause.source}<br>*{clause.certainty}*"
            rows.append((clause.id, clause.rule, source, tests))
    return format_table(("clause", "AWS's rule", "source and certainty", "promise and test"), rows)


def _format_claim(claim: Claim) -> str:
    promise = lower_first(claim.promise).replace("|", "\\|")
    return f"{promise} [{claim.test}](../{claim.path})"


def lower_first(text: str) -> str:
    """Return a sentence as a phrase for a table cell: an ordinary first word in lower case."""
    word = re.match(r"[A-Z][a-z]*(?![\w-])", text)
    if word is None or word[0] in PROPER_NAMES:
        return text
    return text[0].lower() + text[1:]


def build_untested() -> str:
    """Return the clauses of the contract that no test claims, with the reason."""
    rows = [
        (clause.id, clause.rule, clause.untested) for clause in load_clauses() if clause.untested
    ]
    return format_table(("clause", "AWS's rule", "reason"), rows)


def build_keys() -> str:
    """Return the keys of a deployment file."""
    return format_table(("key", "default", "meaning"), list(_rows_of_section(Configuration, "")))


def _rows_of_section(section: Any, prefix: str) -> Iterable[tuple[str, str, str]]:
    for name, hint in get_type_hints(section).items():
        field = next(field for field in fields(section) if field.name == name)
        inner = next((type_ for type_ in (hint, *get_args(hint)) if is_dataclass(type_)), None)
        if inner is not None:
            yield from _rows_of_section(inner, f"{prefix}{name}.")
            continue
        yield f"`{prefix}{name}`", _format_default(field), field.metadata["meaning"]


def _format_default(field: Field[Any]) -> str:
    if field.default is MISSING and field.default_factory is MISSING:
        return "required"
    if field.default in (MISSING, None):
        return ""
    if isinstance(field.default, tuple):
        default = ", ".join(field.default)
    elif isinstance(field.default, bool):
        default = str(field.default).lower()
    else:
        default = str(field.default)
    return f"`{default}`" if default else ""


def format_table(head: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


if __name__ == "__main__":
    main()
