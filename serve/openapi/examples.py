"""Example payloads: the artifact's self-test, or a record of values that the schema allows."""

import csv
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

from serve.media.types import CSV, JSON, JSON_LINES, SUFFIXES
from serve.model.model import Model
from serve.schema.feature import Feature
from serve.schema.label_feature import LabelFeature
from serve.schema.schema import Schema

MAX_EXAMPLE_CHARACTERS = 1 << 13
MAX_RECORDS = 3
LINE_TYPES = {CSV, JSON_LINES}
NUMBER = 1.0


class Example(NamedTuple):
    """A payload, or a response, of a media type: a text, or for JSON the document."""

    media_type: str
    value: Any


def load_examples(model: Model) -> tuple[Example | None, Example | None]:
    """Return the request and the response of the self-test, None where there is none to show.

    Of lines, the first records are shown; a document is shown only if it is short.
    """
    if model.file.self_test is None:
        return None, None
    request, response = map(_read, model.file.self_test)
    if request and response and {request.media_type, response.media_type} <= LINE_TYPES:
        return _cut(request, model.schema), _cut(response, model.schema)
    return _keep_short(request), _keep_short(response)


def build_record(schema: Schema) -> list[Any]:
    """Return the values of a record that the model accepts."""
    return [_choose_value(feature) for feature in schema.features]


def build_row(schema: Schema) -> Any:
    """Return a record as a row of JSON."""
    values = build_record(schema)
    return values if schema.names is None else dict(zip(schema.names, values, strict=True))


def build_csv(schema: Schema) -> str:
    """Return a record as a line of CSV, without a line ending."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(build_record(schema))
    return line.getvalue()


def find_csv_line(model: Model) -> str:
    """Return the first plain record of a CSV self-test, or else one of the schema."""
    request, _ = load_examples(model)
    if request and request.media_type == CSV:
        for line in str(request.value).splitlines()[:2]:  # the first one may be a header
            if '"' not in line and model.schema.could_be_record(line.split(",")):
                return line
    return build_csv(model.schema)


def _read(path: Path) -> Example | None:
    """Return the content of a file, or None if it is no longer as readable as at startup."""
    media_type = SUFFIXES[path.suffix]
    try:
        text = path.read_text("utf-8-sig")
        return Example(media_type, json.loads(text) if media_type == JSON else text)
    except (OSError, ValueError):
        return None


def _cut(example: Example, schema: Schema) -> Example | None:
    """Return the first records of lines, below the header if there is one.

    With a quote, a record may consist of several lines.
    """
    if example.media_type == CSV and '"' in example.value:
        return _keep_short(example)
    lines = example.value.splitlines(keepends=True)
    has_header = bool(lines) and schema.match_names(lines[0].strip().split(",")) is not None
    return _keep_short(Example(example.media_type, "".join(lines[: MAX_RECORDS + has_header])))


def _keep_short(example: Example | None) -> Example | None:
    if example is None or len(json.dumps(example.value)) > MAX_EXAMPLE_CHARACTERS:
        return None
    return example


def _choose_value(feature: Feature) -> Any:
    if isinstance(feature, LabelFeature):
        return feature.categories[0]
    if feature.type == "c":
        return 0
    return NUMBER + 1 if feature.is_missing_value(NUMBER) else NUMBER
