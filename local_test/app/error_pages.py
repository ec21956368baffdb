"""The pages for requests that no other page accepts, such as 404 and 413."""

from http import HTTPStatus

from flask import render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import (
    HTTPException,
    InternalServerError,
    NotFound,
    RequestEntityTooLarge,
    SecurityError,
)

MEBIBYTE = 1 << 20
UNTRUSTED_HOST_MESSAGE = (
    "This host name is not allowed. "
    "Open the application at its address on 127.0.0.1 or localhost.\n"
)


def show_error(error: HTTPException) -> ResponseReturnValue:
    """Return the page and the status for an HTTP error."""
    if isinstance(error, SecurityError):
        # Flask builds no links for a host name that it does not trust, so this is plain text.
        return UNTRUSTED_HOST_MESSAGE, HTTPStatus.BAD_REQUEST
    page = render_template("error.html", title=error.name, message=_describe_error(error))
    return page, error.code or HTTPStatus.INTERNAL_SERVER_ERROR


def _describe_error(error: HTTPException) -> str:
    if isinstance(error, RequestEntityTooLarge):
        limit = (request.max_content_length or 0) / MEBIBYTE
        return f"The upload is larger than {limit:g} MiB. Split the file into smaller ones."
    if isinstance(error, NotFound) and request.endpoint is None:
        return "This page does not exist."
    if isinstance(error, InternalServerError):
        return "The application failed. See the error in its terminal."
    return error.description or ""
