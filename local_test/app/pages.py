"""The application's two pages: predict one record, and predict a CSV file."""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from flask import Flask, abort, render_template, request, send_file
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import HTTPException

from local_test.app import number_format
from local_test.app.browser_security import protect
from local_test.app.endpoints.endpoint import Endpoint, EndpointError, ErrorResponse
from local_test.app.error_pages import MEBIBYTE, show_error
from local_test.app.file.downloads import Downloads
from local_test.app.file.layout import DELIMITER_CHOICES
from local_test.app.file.predictions import predict_file
from local_test.app.file.records import BadFile
from local_test.app.file.result import FileResult
from local_test.app.record.example import load_example
from local_test.app.record.form import RecordForm, blank_form, prefilled_form, validate_form
from local_test.app.record.response import ACCEPT, parse_prediction
from local_test.app.record.waterfall import build_waterfall
from local_test.app.schema import Schema, capitalize_first

MAX_FORM_BYTES = 1 << 18
MAX_SHOWN_BYTES = 20_000
MAX_NAME_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Application:
    """The objects that the pages share; ``folder`` is the artifact's."""

    schema: Schema
    folder: Path
    endpoint: Endpoint
    downloads: Downloads


def create_app(
    schema: Schema, folder: Path, endpoint: Endpoint, max_upload_mib: int, downloads: Path
) -> Flask:
    """Return the application in front of an endpoint.

    Args:
        schema: the features of the form and the columns of a file.
        folder: the artifact, whose self-test provides the example record.
        endpoint: where records are sent.
        max_upload_mib: the maximum size of an upload, in MiB.
        downloads: an existing folder for files with predictions.
    """
    application = Application(schema, folder, endpoint, Downloads(downloads))
    app = Flask("local_test.app")
    app.config["MAX_CONTENT_LENGTH"] = max_upload_mib * MEBIBYTE
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        amount=number_format.format_amount,
        fixed=number_format.format_fixed,
        signed=number_format.format_signed,
        percent=number_format.format_percent,
        capitalize_first=capitalize_first,
        body_text=_decode_body,
    )
    app.jinja_env.globals.update(
        schema=schema,
        endpoint=endpoint,
        max_upload_mib=max_upload_mib,
        delimiters=DELIMITER_CHOICES,
    )
    protect(app)
    app.register_error_handler(HTTPException, show_error)
    app.add_url_rule("/", "record", lambda: _show_record(application), methods=["GET", "POST"])
    app.add_url_rule("/file", "file", lambda: _show_file(application), methods=["GET", "POST"])
    app.add_url_rule("/file/<key>", "download", lambda key: _send_download(application, key))
    return app


def _show_record(app: Application) -> ResponseReturnValue:
    """Return the form for one record, with its prediction if the form was submitted."""
    if request.method != "POST":
        return _render_record(_initial_form(app))
    request.max_content_length = MAX_FORM_BYTES
    form = validate_form(app.schema, request.form)
    if form.errors:
        return _render_record(form), HTTPStatus.UNPROCESSABLE_ENTITY
    try:
        exchange = app.endpoint.invoke(form.payload(), "application/json", ACCEPT)
        prediction = parse_prediction(exchange, app.schema.target, app.schema.names)
    except EndpointError as error:
        return _show_record_error(form, error)
    explanation = prediction.explanation
    chart = build_waterfall(explanation, form.fields) if explanation else None
    return _render_record(form, prediction=prediction, chart=chart, exchange=exchange)


def _initial_form(app: Application) -> RecordForm:
    if "example" in request.args:
        return prefilled_form(app.schema, load_example(app.folder, app.schema))
    return blank_form(app.schema)


def _show_record_error(form: RecordForm, error: EndpointError) -> ResponseReturnValue:
    status = error.status
    if _is_input_error(error):
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        form = form.with_endpoint_error(str(error))
    return _render_record(form, failure=error, exchange=error.exchange), status


def _render_record(form: RecordForm, **context: object) -> str:
    return render_template("record.html", form=form, **context)


def _show_file(app: Application) -> ResponseReturnValue:
    """Return the form for a file, with its predictions if the form was submitted."""
    if request.method != "POST":
        return _render_file()
    delimiter = request.form.get("delimiter", "comma")
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        return _show_bad_file("choose a CSV file", delimiter)
    if delimiter not in DELIMITER_CHOICES:
        abort(
            HTTPStatus.BAD_REQUEST, f"The delimiter must be one of {', '.join(DELIMITER_CHOICES)}."
        )
    name = _name_download(upload.filename)
    key, path = app.downloads.add(name)
    try:
        result = _predict_upload(app, upload, path, delimiter)
    except (BadFile, EndpointError) as error:
        app.downloads.delete(key)
        return _show_file_error(error, delimiter)
    return _render_file(
        result=result,
        histogram=result.distribution.compute_histogram(),
        key=key,
        name=name,
        exchange=result.exchange,
    )


def _predict_upload(
    app: Application, upload: FileStorage, path: Path, delimiter: str
) -> FileResult:
    with path.open("wb") as out:
        return predict_file(upload.stream, out, app.endpoint, app.schema, delimiter)


def _show_file_error(error: BadFile | EndpointError, delimiter: str) -> ResponseReturnValue:
    if isinstance(error, BadFile) or _is_input_error(error):
        return _show_bad_file(str(error), delimiter)
    return _render_file(failure=error, exchange=error.exchange), error.status


def _show_bad_file(message: str, delimiter: str) -> ResponseReturnValue:
    return _render_file(error=message, delimiter=delimiter), HTTPStatus.UNPROCESSABLE_ENTITY


def _render_file(**context: object) -> str:
    return render_template("file.html", **context)


def _name_download(uploaded: str) -> str:
    """Return the download's file name, derived from the uploaded file's name."""
    name = uploaded.replace("\\", "/").rpartition("/")[2]
    stem = name[: -len(".csv")] if name.lower().endswith(".csv") else name
    return f"{stem[:MAX_NAME_CHARACTERS] or 'file'}-predicted.csv"


def _send_download(app: Application, key: str) -> ResponseReturnValue:
    download = app.downloads.get(key)
    if download is None:
        abort(HTTPStatus.NOT_FOUND, "This file is no longer available. Upload it again.")
    return send_file(
        download.path, mimetype="text/csv", as_attachment=True, download_name=download.name
    )


def _is_input_error(error: EndpointError) -> bool:
    return isinstance(error, ErrorResponse) and error.is_input_error


def _decode_body(body: bytes) -> str:
    """Return a body as text for the page, cut after MAX_SHOWN_BYTES."""
    text = body[:MAX_SHOWN_BYTES].decode("utf-8", "replace")
    if len(body) <= MAX_SHOWN_BYTES:
        return text
    return f"{text}\n… and {len(body) - MAX_SHOWN_BYTES:,} more bytes"
