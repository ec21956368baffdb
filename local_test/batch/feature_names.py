"""Asks a container for the names of the model's features, in the model's order.

The container checks the names of a header that has no records. Their order is in the explanation
of any prediction: of a record without values or, if the model requires values, of the file's
records.
"""

import json
from typing import Any

import requests

from local_test.batch.header import Header, set_header_parameter, split_cells
from local_test.batch.session import open_session
from serve.media.types import JSON
from serve.text import counted

TIMEOUT_SECONDS = 60
EXPLAINED = f"{JSON}; explain=contributions"
MISMATCH, NO_NAMES, NOT_EXPLAINABLE = "HeaderMismatch", "SchemaMismatch", "NotAcceptable"


class NotReported(Exception):
    """The container is not this project's: it neither checks a header nor explains predictions."""


class NamesDiffer(Exception):
    """The header does not have the names of the model; the message is the container's."""


class NoNames(Exception):
    """The model has no names that a header could match."""


class OrderUnknown(Exception):
    """The container does not report the order of the features; the message is the reason."""


class Rejected(Exception):
    """The container rejected a request, with an error of this name and message."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def check_names(url: str, header: Header, media_type: str) -> None:
    """Ask the container whether a header has the model's names, in any order.

    Raises:
        NamesDiffer: the names in the header are others.
        NoNames: the model has no names.
        NotReported: the container is not this project's, or does not respond.
    """
    declared = set_header_parameter(media_type, "present")
    try:
        predictions = _invoke(url, header.line, declared, JSON)
    except Rejected as error:
        if error.name == NO_NAMES:
            raise NoNames from error
        if error.name == MISMATCH:
            raise NamesDiffer(str(error).removeprefix("header: ")) from error
        raise NotReported from error
    except requests.RequestException as error:
        raise NotReported from error
    if predictions:  # the container took the header for a record
        raise NotReported


def fetch_feature_names(url: str, header: Header, media_type: str, delimiter: str) -> list[str]:
    """Return the names of the features in the model's order; empty if the model has no names.

    Raises:
        NamesDiffer: the names in the header are others.
        OrderUnknown: the container explains no record, or does not respond.
        NotReported: the container is not this project's.
    """
    try:
        check_names(url, header, media_type)
        declared = set_header_parameter(media_type, "present")
        return _fetch_explained_names(url, header, declared, delimiter)
    except NoNames:
        return []
    except Rejected as error:
        raise OrderUnknown(str(error)) from error
    except requests.RequestException as error:
        raise OrderUnknown(f"no response from the container: {error}") from error


def _fetch_explained_names(url: str, header: Header, media_type: str, delimiter: str) -> list[str]:
    """Return the names in the explanation of a record; raises OrderUnknown and NotReported."""
    width = len(split_cells(header.line, delimiter))
    if names := _explain(url, json.dumps([[None] * width]).encode(), JSON, []):
        return names
    reasons: list[str] = []
    for record in header.records:
        if names := _explain(url, header.line + record, media_type, reasons):
            return names
    if not reasons:
        raise OrderUnknown("the file has no records")
    count = counted(len(reasons), "record")
    raise OrderUnknown(f"expected a valid record in the first {count}, got {reasons[0]}")


def _explain(url: str, payload: bytes, content_type: str, reasons: list[str]) -> list[str]:
    """Return the names in the explanation of a payload's only record.

    If the record is invalid, the list is empty, and the container's message is added to
    ``reasons``. Raises OrderUnknown if no record can be explained, and NotReported.
    """
    try:
        return list(_invoke(url, payload, content_type, EXPLAINED)[0]["contributions"])
    except Rejected as error:
        if error.name == NOT_EXPLAINABLE:
            raise OrderUnknown(str(error)) from error
        reasons.append(str(error))
        return []
    except (LookupError, TypeError) as error:
        raise NotReported from error


def _invoke(url: str, payload: bytes, content_type: str, accept: str) -> list[dict[str, Any]]:
    """Return the predictions; raises Rejected, NotReported and requests.RequestException."""
    with open_session() as session:
        response = session.post(
            f"{url}/invocations",
            payload,
            headers={"Content-Type": content_type, "Accept": accept},
            timeout=TIMEOUT_SECONDS,
        )
    try:
        document = response.json()
        if response.ok:
            return list(document["predictions"])
        name, message = document["error"], document["message"]
    except (ValueError, LookupError, TypeError) as error:
        raise NotReported from error
    raise Rejected(name, message)
