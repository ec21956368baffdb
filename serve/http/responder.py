"""The life of an invocation: from its body and headers to the response.

Source: contract 3.1 to 3.14.
"""

import logging
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from serve.codecs import CODECS, LINE_CODECS
from serve.codecs.lines import SLICE_BYTES
from serve.codecs.row_errors import Tally
from serve.errors import AbortedStream, NotAcceptable
from serve.http.admission import InFlightLimit
from serve.http.content_encoding import decode_content
from serve.http.error_responses import log_aborted_stream
from serve.http.messages import (
    REQUEST_ID,
    HttpRequest,
    HttpResponse,
    build_log_fields,
    echo_custom_attributes,
    identify,
)
from serve.inference import Invocation, infer, infer_row_by_row, infer_slices, predict_columns
from serve.logs import is_logged, log_event
from serve.media_types import CSV, JSON, JSON_LINES, MediaType, negotiate, parse_content_type
from serve.model.model import Model
from serve.outputs.explanations import EXPLAIN
from serve.outputs.selection import find_null_keys
from serve.parallel import ParallelMap
from serve.settings import Settings
from serve.text import quoted

# If a response takes at most this long, handing its payload to a thread would not pay off.
MAX_INLINE_SECONDS = 0.004
MAX_INLINE_BYTES = 1 << 16
MIN_CELL_BYTES = 2
# The parameter of Accept that requests a streamed response: contract 7.14.
STREAM = "stream"
NO_BAD_RECORDS = Tally()
# Clients send the same few headers again and again.
CACHED_TERMS = 256
OUTPUT_VARIABLE = "SAGEMAKER_INFERENCE_OUTPUT"


class Terms(NamedTuple):
    """The media types of a payload and its response, and how the response may be sent."""

    media_type: MediaType
    accept: MediaType
    streamable: bool
    row_errors: bool


class Responder:
    """Responds to invocations of one model, under the server's settings."""

    def __init__(self, model: Model, settings: Settings, parallel: ParallelMap) -> None:
        self.max_payload_bytes = settings.max_payload_bytes
        self.in_flight = InFlightLimit(settings.max_in_flight)
        self._model = model
        self._default_accept = settings.default_accept
        self._row_errors = settings.row_errors
        self._streaming = settings.streaming
        self._parallel = parallel
        self._output_keys = settings.inference_output
        _warn_about_null_keys(model, self._output_keys)
        self._negotiate_cached = lru_cache(CACHED_TERMS)(self._negotiate)
        max_rows = MAX_INLINE_SECONDS / model.seconds_per_row if model.seconds_per_row else 0
        self._max_inline_bytes = min(
            MAX_INLINE_BYTES, max_rows * model.schema.width * MIN_CELL_BYTES
        )

    def should_run_inline(self, request: HttpRequest, body: bytes) -> bool:
        """Return whether the response takes so little time that a thread would not pay off."""
        if len(body) > self._max_inline_bytes or request.content_encoding:
            return False
        return not (request.accept and EXPLAIN in request.accept.lower())

    def respond(self, request: HttpRequest, body: bytes) -> HttpResponse:
        """Return the response to an invocation; raises InvocationError."""
        payload = decode_content(body, request.content_encoding, self.max_payload_bytes)
        terms = self._negotiate_cached(request.content_type, request.accept)
        request.payload_bytes = len(payload)
        request.stopwatch.end("read")
        if not payload:
            return HttpResponse(204, echo_custom_attributes(request))
        invocation = Invocation(
            payload,
            terms.media_type.name,
            terms.media_type.parameters,
            terms.accept.name,
            terms.accept.parameters,
        )
        streamed = terms.streamable and request.accepts_chunked and len(payload) > SLICE_BYTES
        if terms.row_errors or streamed:
            return self._respond_in_slices(
                request, invocation, row_errors=terms.row_errors, streamed=streamed
            )
        return self._respond_at_once(request, invocation)

    def _respond_at_once(self, request: HttpRequest, invocation: Invocation) -> HttpResponse:
        response = infer(
            self._model, invocation, request.stopwatch, self._parallel, self._output_keys
        )
        if is_logged(logging.DEBUG):
            _log_success(request, NO_BAD_RECORDS, len(response.body))
        headers = (("Content-Type", response.media_type), *echo_custom_attributes(request))
        return HttpResponse(200, headers, response.body)

    def _respond_in_slices(
        self, request: HttpRequest, invocation: Invocation, *, row_errors: bool, streamed: bool
    ) -> HttpResponse:
        """Return a response whose slices are encoded one by one.

        It must be line-based; ``row_errors`` also requires a line-based payload. An error in the
        first slice raises InvocationError, even if the response is streamed.
        """
        tally = Tally()
        if row_errors:
            slices = infer_row_by_row(
                self._model, invocation, tally, self._parallel, self._output_keys
            )
        else:
            slices = infer_slices(
                self._model, invocation, request.stopwatch, self._parallel, self._output_keys
            )
        headers = (("Content-Type", invocation.accept), *echo_custom_attributes(request))
        if not streamed:
            body = b"".join(slices)
            _log_success(request, tally, len(body))
            if tally.bad_records:
                headers = (*headers, (REQUEST_ID, identify(request)))
            return HttpResponse(200, headers, body)
        # The log may report bad records, or an error that aborts the stream.
        headers = (*headers, (REQUEST_ID, identify(request)))
        slices = self.in_flight.count_while_streaming(slices)
        first_slice = next(slices, b"")
        return HttpResponse(200, headers, chunks=_stream(request, first_slice, slices, tally))

    def _negotiate(self, content_type: str | None, accept_header: str | None) -> Terms:
        """Return the media types of the payload and the response; raises NotAcceptable.

        If Accept leaves the choice open, the response has the default media type of the settings.
        Without a default, it is JSON for JSON, JSON Lines for JSON Lines, and CSV otherwise.
        """
        media_type = parse_content_type(content_type)
        fallback_type = media_type.name if media_type.name in (JSON, JSON_LINES) else CSV
        accept = negotiate(accept_header, (self._default_accept or fallback_type, *CODECS))
        if accept is None:
            raise NotAcceptable(
                f"cannot respond to Accept: {quoted(accept_header)}: expected {', '.join(CODECS)}"
            )
        stream_requested = accept.parameters.get(STREAM, "").lower() == "true"
        is_line_based = accept.name in LINE_CODECS
        return Terms(
            media_type,
            accept,
            streamable=is_line_based and (self._streaming or stream_requested),
            row_errors=is_line_based and self._row_errors and media_type.name in LINE_CODECS,
        )


def _warn_about_null_keys(model: Model, output_keys: Sequence[str]) -> None:
    """Log the keys of SAGEMAKER_INFERENCE_OUTPUT that are null in every response of this model."""
    if not output_keys:
        return
    columns = predict_columns(
        model, np.zeros((1, model.schema.width), dtype=np.float32), output_keys
    )
    if null_keys := find_null_keys(output_keys, columns):
        log_event(
            logging.WARNING,
            "inference output always null",
            variable=OUTPUT_VARIABLE,
            keys=null_keys,
            objective=model.objective,
        )


def _stream(
    request: HttpRequest, first_slice: bytes, slices: Iterator[bytes], tally: Tally
) -> Iterator[bytes]:
    """Yield the slices of a streamed response; raises AbortedStream after logging the cause."""
    response_bytes = len(first_slice)
    try:
        yield first_slice
        for slice_ in slices:
            response_bytes += len(slice_)
            yield slice_
    # The status has been sent, so only an abort shows the client that the response is incomplete.
    except Exception as error:  # noqa: BLE001
        log_aborted_stream(request, error)
        raise AbortedStream("the response stream was aborted") from None
    _log_success(request, tally, response_bytes)


def _log_success(request: HttpRequest, tally: Tally, response_bytes: int) -> None:
    if tally.bad_records:
        fields = build_log_fields(request)
        log_event(logging.WARNING, "row errors", bad_records=tally.bad_records, **fields)
    if is_logged(logging.DEBUG):
        fields = build_log_fields(request)
        log_event(
            logging.DEBUG, "request succeeded", status=200, response_bytes=response_bytes, **fields
        )
