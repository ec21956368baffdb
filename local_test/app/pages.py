"""The application's pages: one record, a file, and what went wrong."""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from flask import Flask, abort, render_template, request, send_file
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import (
    HTTPException,
    InternalServerError,
    NotFound,
    RequestEntityTooLarge,
    SecurityError,
)

from local_test.app import record_form, response
from local_test.app.browser_security import guard
from local_test.app.csv_layout import DELIMITERS
from local_test.app.csv_records import BadFile
from local_test.app.downloads import Downloads
from local_test.app.endpoint import Endpoint, EndpointError, ErrorResponse
from local_test.app.example_record import example
from local_test.app.file_predictions import Scoring, score
from local_test.app.schema import Schema
from local_test.app.waterfall import waterfall

MEBIBYTE = 1 << 20
MAX_FORM_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Application:
    """What the pages are about: the model's schema and folder, its endpoint, and the longest upload."""

    schema: Schema
    folder: Path
    endpoint: Endpoint
    max_upload_bytes: int
    downloads: Downloads


def create_app(
    schema: Schema, folder: Path, endpoint: Endpoint, max_upload_mb: int, downloads: Path
) -> Flask:
    """Return the application in front of an endpoint, which keeps files with predictions in the folder ``downloads``."""
    application = Application(
        schema, folder, endpoint, max_upload_mb * MEBIBYTE, Downloads(downloads)
    )
    app = Flask("local_test.app")
    app.config["MAX_CONTENT_LENGTH"] = application.max_upload_bytes
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        amount=response.amount,
        fixed=response.fixed,
        signed=response.signed,
        percent=response.percent,
        wire=_wire,
    )
    app.jinja_env.globals.update(
        schema=schema, endpoint=endpoint, max_upload_mb=max_upload_mb, delimiters=list(DELIMITERS)
    )
    guard(app)
    app.register_error_handler(HTTPException, _failed)
    app.add_url_rule("/", "record", lambda: _record(application), methods=["GET", "POST"])
    app.add_url_rule("/file", "file", lambda: _file(application), methods=["GET", "POST"])
    app.add_url_rule("/file/<key>", "download", lambda key: _download(application, key))
    return app


def _record(app: Application) -> ResponseReturnValue:
    """Answer the form for one record, and with its prediction once it was sent."""
    if request.method != "POST":
        wanted = "example" in request.args
        form = (
            record_form.filled(app.schema, example(app.folder, app.schema))
            if wanted
            else record_form.blank(app.schema)
        )
        return render_template("record.html", form=form)
    request.max_content_length = MAX_FORM_BYTES
    form = record_form.checked(app.schema, request.form)
    if form.errors:
        return render_template("record.html", form=form), HTTPStatus.UNPROCESSABLE_ENTITY
    try:
        exchange = app.endpoint.invoke(form.payload(), "application/json", response.ACCEPT)
        answer = response.read(exchange, app.schema.prediction, app.schema.names)
    except ErrorResponse as failure:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if failure.is_input_error else failure.status
        form = form.refused(str(failure)) if failure.is_input_error else form
        return render_template(
            "record.html", form=form, failure=failure, exchange=failure.exchange
        ), status
    except EndpointError as failure:
        return render_template(
            "record.html", form=form, failure=failure, exchange=failure.exchange
        ), failure.status
    picture = waterfall(answer.explanation, form.fields) if answer.explanation else None
    return render_template(
        "record.html", form=form, answer=answer, picture=picture, exchange=exchange
    )


def _file(app: Application) -> ResponseReturnValue:
    """Answer the form for a file, and with its predictions once it was sent."""
    if request.method != "POST":
        return render_template("file.html")
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        return render_template(
            "file.html", error="choose a CSV file"
        ), HTTPStatus.UNPROCESSABLE_ENTITY
    delimiter = request.form.get("delimiter", "comma")
    if delimiter not in DELIMITERS:
        abort(HTTPStatus.BAD_REQUEST, f"The delimiter is one of {', '.join(DELIMITERS)}.")
    key, path = app.downloads.new(_name(upload.filename))
    try:
        scoring = _scored(app, upload, path, delimiter)
    except BadFile as error:
        app.downloads.drop(key)
        return render_template(
            "file.html", error=str(error), delimiter=delimiter
        ), HTTPStatus.UNPROCESSABLE_ENTITY
    except EndpointError as failure:
        app.downloads.drop(key)
        if isinstance(failure, ErrorResponse) and failure.is_input_error:
            return render_template(
                "file.html", error=str(failure), delimiter=delimiter
            ), HTTPStatus.UNPROCESSABLE_ENTITY
        return render_template(
            "file.html", failure=failure, exchange=failure.exchange
        ), failure.status
    name = _name(upload.filename)
    histogram = scoring.distribution.histogram()
    return render_template(
        "file.html",
        scoring=scoring,
        histogram=histogram,
        key=key,
        name=name,
        exchange=scoring.exchange,
    )


def _scored(app: Application, upload: FileStorage, path: Path, delimiter: str) -> Scoring:
    with path.open("wb") as out:
        return score(upload.stream, out, app.endpoint, app.schema, delimiter)


def _name(uploaded: str) -> str:
    """Return the name of the file with predictions."""
    name = uploaded.replace("\\", "/").rpartition("/")[2]
    stem = name[: -len(".csv")] if name.lower().endswith(".csv") else name
    return f"{stem[:80] or 'file'}-predicted.csv"


def _download(app: Application, key: str) -> ResponseReturnValue:
    download = app.downloads.get(key)
    if download is None:
        abort(HTTPStatus.NOT_FOUND, "This file is no longer kept. Upload it again.")
    return send_file(
        download.path, mimetype="text/csv", as_attachment=True, download_name=download.name
    )


def _failed(error: HTTPException) -> ResponseReturnValue:
    """Answer a request that no page takes, in a page."""
    if isinstance(error, SecurityError):
        # Of a name that is not ours not even a link can be made.
        return (
            "This is not the application’s address: open it under http://127.0.0.1 or http://localhost.\n",
            HTTPStatus.BAD_REQUEST,
        )
    words = error.description or ""
    if isinstance(error, RequestEntityTooLarge):
        words = f"What was sent is larger than {(request.max_content_length or 0) / MEBIBYTE:g} MiB. Split it into several."
    elif isinstance(error, NotFound) and request.endpoint is None:
        words = "There is no page at this address."
    elif isinstance(error, InternalServerError):
        words = "The application failed. Its terminal tells more."
    return render_template(
        "error.html", title=error.name, words=words
    ), error.code or HTTPStatus.INTERNAL_SERVER_ERROR


def _wire(body: bytes) -> str:
    """Return a body as text for the page: its beginning, if it is long."""
    most = 20_000
    text = body[:most].decode("utf-8", "replace")
    return text if len(body) <= most else f"{text}\n… and {len(body) - most:,} bytes more"
