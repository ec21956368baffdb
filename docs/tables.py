"""Writes the tables of the documents that the code, the schema and the tests can tell, each between its two marks."""

import ast
import json
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from deploy.config.configuration import Configuration
from serve.codecs import CODECS, DECODERS
from serve.errors import InvocationError
from serve.media_types import ALIASES
from serve.settings import Settings

SCHEMA = ROOT / "model" / "artifact" / "schema.json"
CLAUSE = re.compile(r"(?<![\d.])(\d{1,2}\.\d{1,2})(?![\d.])")


def main() -> None:
    """Write the tables into the documents that hold their marks."""
    for path in documents():
        path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")


def documents() -> list[Path]:
    """Return the documents that hold generated tables."""
    names = ("requests", "responses", "settings", "contract", "deploying")
    return [ROOT / "model" / "README.md", *(ROOT / "docs" / f"{name}.md" for name in names)]


def with_tables(text: str) -> str:
    """Return a document with each of its marked tables as it should be."""
    for name, written in (
        ("columns", columns),
        ("media types", media_types),
        ("statuses", statuses),
        ("settings", settings),
        ("clauses", clauses),
        ("keys", keys),
    ):
        start, end = f"<!-- {name}: written by make docs -->\n", f"<!-- end of {name} -->\n"
        if start in text:
            before, _, rest = text.partition(start)
            text = before + start + written() + end + rest.partition(end)[2]
    return text


def columns() -> str:
    """Return the columns of the sample model, in order."""
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
    return table(("#", "column", "meaning", "values", "may be missing"), rows)


def media_types() -> str:
    """Return what can be sent and asked for."""
    rows = []
    for name in DECODERS:
        also = ", ".join(f"`{alias}`" for alias, meant in ALIASES.items() if meant == name)
        out, concatenates = (
            ("yes", "yes" if CODECS[name].CONCATENATES else "no") if name in CODECS else ("no", "")
        )
        rows.append((f"`{name}`", also, "yes", out, concatenates))
    return table(
        (
            "media type",
            "in also called",
            "in: Content-Type",
            "out: Accept",
            "replies to slices concatenate",
        ),
        rows,
    )


def statuses() -> str:
    """Return what is answered, and when."""
    rows: list[tuple[int, str]] = [
        (200, "predictions, one for each record, in order"),
        (204, "to a body of no bytes"),
        (404, "to an unknown path"),
        (405, "to a method that the path does not take; `Allow` names those it does"),
        (
            500,
            "to a failure of the server itself: a fixed sentence and a request id; the log tells more",
        ),
    ]
    rows += [
        (error.status.value, str(error.__doc__).rstrip(".") + f" (`{error.__name__}`)")
        for error in leaves(InvocationError)
    ]
    return table(("status", "answered"), sorted(rows))


def leaves(error: type[InvocationError]) -> Iterable[type[InvocationError]]:
    """Yield the failures of a tree that have a status."""
    if hasattr(error, "status"):
        yield error
    for child in error.__subclasses__():
        yield from leaves(child)


def settings() -> str:
    """Return the environment variables that are read."""
    rows = []
    for field in fields(Settings):
        default = "" if field.default in (None, ()) else f"`{field.default}`"
        rows.append((f"`{field.metadata['variable']}`", default, field.metadata["meaning"]))
    return table(("variable", "default", "meaning"), rows)


def clauses() -> str:
    """Return the clauses that the tests quote, each with what is promised and the test that proves it."""
    rows: list[tuple[str, str, str]] = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for test in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
                quoted, _, promise = (
                    str(ast.get_docstring(test)).partition("\n\n")[0].partition(": ")
                )
                link = f"[{test.name}](../{path.relative_to(ROOT)})"
                rows += [(clause, promise, link) for clause in CLAUSE.findall(quoted) if promise]
    rows.sort(key=lambda row: ([int(number) for number in row[0].split(".")], row[2]))
    return table(("clause", "promise", "test"), rows)


def keys() -> str:
    """Return the keys of the file of an endpoint."""
    return table(("key", "default", "meaning"), list(_keys(Configuration, "")))


def _keys(section: Any, place: str) -> Iterable[tuple[str, str, str]]:
    for name, hint in get_type_hints(section).items():
        field = next(field for field in fields(section) if field.name == name)
        inner = next((kind for kind in (hint, *get_args(hint)) if is_dataclass(kind)), None)
        if inner is not None:
            yield from _keys(inner, f"{place}{name}.")
            continue
        default = field.default if field.default is not MISSING else None
        shown = (
            ", ".join(default)
            if isinstance(default, tuple)
            else str(default).lower()
            if isinstance(default, bool)
            else default
        )
        needed = field.default is MISSING and field.default_factory is MISSING
        yield (
            f"`{place}{name}`",
            "must be given" if needed else "" if shown in (None, "") else f"`{shown}`",
            field.metadata["meaning"],
        )


def table(head: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    """Return a table of Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


if __name__ == "__main__":
    main()
