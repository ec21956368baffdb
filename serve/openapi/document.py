"""Build the OpenAPI document of a model's routes.

Source: OpenAPI 3.1; contract 2.1, 3.1, 5.2.
"""

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from serve import __version__
from serve.codecs import CODECS, DECODERS, TEXT_TYPES
from serve.errors import InvocationError
from serve.media.types import CSV, JSON
from serve.model.model import Model
from serve.openapi.examples import Example, build_csv, build_row, load_examples
from serve.openapi.record_schema import (
    build_error_schema,
    build_payload_schema,
    build_prediction_schema,
    build_predictions_schema,
    build_record_schemas,
)

Object = dict[str, Any]

DESCRIPTION = (
    "Predictions of an XGBoost model. Accept selects the media type of a response, and with its "
    "parameters what it contains: `outputs=class+probability` (keys as in a prediction), "
    "`cells=flat`, `explain=contributions+margin+leaves`, `top=3`, `stream=true`. Content-Type has "
    "the parameters `header=present`, `delimiter=semicolon`, `ignore=id` and `charset=`. "
    'In JSON, "feature_names" beside "instances" names the values of lists. A body may have '
    "Content-Encoding: gzip."
)
INTERNAL_ERROR = "internal server error; the log has its traceback, under `request_id`"


def build_document(model: Model) -> Object:
    """Return the OpenAPI document that describes the API of a model."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "xgb-endpoint",
            "version": __version__,
            "summary": f"An XGBoost model with the objective {model.objective}",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": {
            "/invocations": {"post": _describe_invocations(model)},
            "/ping": {method: _describe_ping(method) for method in ("get", "post")},
            "/execution-parameters": {"get": _describe_execution_parameters()},
            "/openapi.json": {"get": _describe_route("getDocument", "This document", JSON)},
            "/": {"get": _describe_route("getPage", "What this is, in plain text", "text/plain")},
        },
        "components": {"schemas": _build_schemas(model)},
    }


def _build_schemas(model: Model) -> Object:
    records = build_record_schemas(model.schema)
    return {
        **records,
        "Payload": build_payload_schema([_refer(name) for name in records]),
        "Prediction": build_prediction_schema(),
        "Predictions": build_predictions_schema(_refer("Prediction")),
        "Error": build_error_schema(),
    }


def _describe_invocations(model: Model) -> Object:
    request, response = load_examples(model)
    return {
        "operationId": "invoke",
        "summary": "Predict each record of a payload",
        "requestBody": {
            "required": True,
            "content": {
                media_type: _describe_payload(model, media_type, request) for media_type in DECODERS
            },
        },
        "responses": {
            "200": {
                "description": "predictions, one for each record, in order",
                "content": {
                    media_type: _describe_predictions(media_type, response) for media_type in CODECS
                },
            },
            "204": {"description": "the request body was empty"},
            **_describe_errors(),
        },
    }


def _describe_payload(model: Model, media_type: str, example: Example | None) -> Object:
    content = _describe_content(media_type, "Payload")
    if example and example.media_type == media_type:
        return {**content, "example": example.value}
    if media_type == JSON:
        return {**content, "example": {"instances": [build_row(model.schema)]}}
    return {**content, "example": build_csv(model.schema) + "\n"} if media_type == CSV else content


def _describe_predictions(media_type: str, example: Example | None) -> Object:
    content = _describe_content(media_type, "Predictions")
    if example and example.media_type == media_type:
        return {**content, "example": example.value}
    return content


def _describe_content(media_type: str, schema_name: str) -> Object:
    """Return the schema of a body; OpenAPI 3.1 describes a binary one by an empty schema."""
    if media_type == JSON:
        return {"schema": _refer(schema_name)}
    return {"schema": {"type": "string"}} if media_type in TEXT_TYPES else {}


def _describe_errors() -> Object:
    """Return the responses to errors by status, with the names of those that can occur."""
    names, meanings = defaultdict(set), defaultdict(list)
    for error in _list_errors(InvocationError):
        names[error.status].add(error.__name__)
        meanings[error.status].append(str(error.__doc__).partition("\n")[0].rstrip("."))
    responses = {
        str(status.value): _describe_error(
            "; ".join(meanings[status]), build_error_schema(names[status])
        )
        for status in sorted(names)
    }
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    responses[str(status.value)] = _describe_error(INTERNAL_ERROR, _refer("Error"))
    return responses


def _list_errors(error: type[InvocationError]) -> Iterable[type[InvocationError]]:
    """Yield the errors of a class hierarchy that have a status."""
    if hasattr(error, "status"):
        yield error
    for child in error.__subclasses__():
        yield from _list_errors(child)


def _describe_error(description: str, schema: Object) -> Object:
    return {
        "description": description,
        "headers": {"X-Request-Id": {"schema": {"type": "string"}}},
        "content": {JSON: {"schema": schema}},
    }


def _describe_ping(method: str) -> Object:
    return {
        "operationId": f"{method}Ping",
        "summary": "Whether the server is ready",
        "responses": {"200": {"description": "ready; the body is empty"}},
    }


def _describe_execution_parameters() -> Object:
    operation = _describe_route("getExecutionParameters", "The limits of batch transform", JSON)
    integers = {"type": "object", "additionalProperties": {"type": "integer"}}
    operation["responses"]["200"]["content"][JSON]["schema"] = integers
    return operation


def _describe_route(operation_id: str, summary: str, media_type: str) -> Object:
    schema = {"type": "object" if media_type == JSON else "string"}
    content = {media_type: {"schema": schema}}
    return {
        "operationId": operation_id,
        "summary": summary,
        "responses": {"200": {"description": summary, "content": content}},
    }


def _refer(name: str) -> Object:
    return {"$ref": f"#/components/schemas/{name}"}
