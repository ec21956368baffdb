"""Responder: from a payload that has arrived whole, and what its headers ask for, to the answer.

Source: contract 3.1 to 3.14.
"""

import logging
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from serve.codecs import CODECS, LINE_CODECS
from serve.codecs.lines import SLICE_BYTES
from serve.codecs.row_errors import Tally
from serve.errors import AbortedStream, NotAcceptable
from serve.http.admission import InFlightLimit
from serve.http.content_encoding import decoded
from serve.http.messages import (
    HttpRequest,
    HttpResponse,
    echoed_attributes,
    log_aborted_stream,
    log_fields,
)
from serve.inference import Invocation, infer, infer_row_by_row, infer_slices, predict_columns
from serve.logs import event, is_logged
from serve.media_types import CSV, JSON, JSON_LINES, MediaType, acceptable, content_type
from serve.model.model import Model
from serve.outputs.explanations import EXPLAIN
from serve.outputs.selection import find_null_keys
from serve.parallel import ParallelMap
from serve.settings import Settings
from serve.text import quoted

# A payload that is read and predicted within this time holds nobody up; what takes longer is work for a thread.
MOMENT_SECONDS = 0.004
LONGEST_MOMENTARY_BYTES = 1 << 16
LEAST_CELL_BYTES = 2
# The parameter of Accept that asks for a reply in slices: contract 7.14.
STREAM = "stream"
NO_FAULTS = Tally()
# Callers send the same few headers again and again.
KEPT_TERMS = 256
VARIABLE = "SAGEMAKER_INFERENCE_OUTPUT"


class Responder:
    """The answers of one model, under the settings of the server."""

    def __init__(self, model: Model, settings: Settings, parallel: ParallelMap) -> None:
        self.most_bytes = settings.max_payload_bytes
        self._model = model
        self._default_accept = settings.default_accept
        self._row_errors = settings.row_errors
        self._streaming = settings.streaming
        self._parallel = parallel
        self._keys = settings.inference_output
        _warn_of_nulls(model, self._keys)
        self._terms = lru_cache(KEPT_TERMS)(self._agreed)
        self.queue = InFlightLimit(settings.max_in_flight)
        rows = MOMENT_SECONDS / model.seconds_per_row if model.seconds_per_row else 0
        self._momentary_bytes = min(
            LONGEST_MOMENTARY_BYTES, rows * model.schema.width * LEAST_CELL_BYTES
        )

    def momentary(self, asked: HttpRequest, body: bytes) -> bool:
        """Tell whether the answer takes no longer than handing the body to a thread would be worth."""
        if len(body) > self._momentary_bytes or asked.content_encoding:
            return False
        return not (asked.accept and EXPLAIN in asked.accept.lower())

    def answer(self, asked: HttpRequest, body: bytes) -> HttpResponse:
        """Return the answer to one invocation; raises InvocationError."""
        payload = decoded(body, asked.content_encoding, self.most_bytes)
        media_type, accept, streamed = self._terms(asked.content_type, asked.accept)
        asked.payload_bytes = len(payload)
        asked.stopwatch.end("read")
        if not payload:
            return HttpResponse(204, echoed_attributes(asked))
        invocation = Invocation(
            payload, media_type.name, media_type.parameters, accept.name, accept.parameters
        )
        lenient = self._row_errors and media_type.name in LINE_CODECS and accept.name in LINE_CODECS
        if lenient or (streamed and asked.takes_chunks and len(payload) > SLICE_BYTES):
            return self._in_slices(asked, invocation, lenient=lenient, streamed=streamed)
        reply = infer(self._model, invocation, asked.stopwatch, self._parallel, self._keys)
        if is_logged(logging.DEBUG):
            _tell(asked, NO_FAULTS, len(reply.body))
        return HttpResponse(
            200, (("Content-Type", reply.media_type), *echoed_attributes(asked)), reply.body
        )

    def _in_slices(
        self, asked: HttpRequest, invocation: Invocation, *, lenient: bool, streamed: bool
    ) -> HttpResponse:
        """Return the answer of line formats, streamed if that was asked for, there is more than a slice and the caller can tell.

        What goes wrong in the first slice raises InvocationError.
        """
        tally = Tally()
        if lenient:
            slices = infer_row_by_row(self._model, invocation, tally, self._parallel, self._keys)
        else:
            slices = infer_slices(
                self._model, invocation, asked.stopwatch, self._parallel, self._keys
            )
        headers = (("Content-Type", invocation.accept), *echoed_attributes(asked))
        if not (streamed and asked.takes_chunks and len(invocation.payload) > SLICE_BYTES):
            body = b"".join(slices)
            _tell(asked, tally, len(body))
            return HttpResponse(200, headers, body)
        pieces = self.queue.holding(slices)
        first = next(pieces, b"")
        return HttpResponse(200, headers, pieces=_rest(asked, first, pieces, tally))

    def _agreed(
        self, content_type_header: str | None, accept_header: str | None
    ) -> tuple[MediaType, MediaType, bool]:
        """Return the payload's media type, the reply's, and whether that may be streamed.

        The reply's is what Accept likes best, else the default, else the payload's own.
        """
        media_type = content_type(content_type_header)
        first_choice = self._default_accept or (
            media_type.name if media_type.name in (JSON, JSON_LINES) else CSV
        )
        accept = acceptable(accept_header, (first_choice, *CODECS))
        if accept is None:
            raise NotAcceptable(
                f"no reply can be made for Accept: {quoted(accept_header)}; expected {', '.join(CODECS)}"
            )
        streamed = self._streaming or accept.parameters.get(STREAM, "").lower() == "true"
        return media_type, accept, streamed and accept.name in LINE_CODECS


def _warn_of_nulls(model: Model, keys: Sequence[str]) -> None:
    """Log the keys of SAGEMAKER_INFERENCE_OUTPUT that no reply has a value for."""
    if not keys:
        return
    columns = predict_columns(model, np.zeros((1, model.schema.width), dtype=np.float32), keys)
    if nulls := find_null_keys(keys, columns):
        event(
            logging.WARNING,
            "inference output of nulls",
            variable=VARIABLE,
            keys=nulls,
            objective=model.objective,
        )


def _rest(
    asked: HttpRequest, first: bytes, pieces: Iterator[bytes], tally: Tally
) -> Iterator[bytes]:
    """Yield the pieces of a reply that is under way; raises AbortedStream, without what was sent, when it cannot go on."""
    reply_bytes = len(first)
    try:
        yield first
        for piece in pieces:
            reply_bytes += len(piece)
            yield piece
    except Exception as error:  # noqa: BLE001  # the status is sent: whatever it is, the reply must not look complete
        log_aborted_stream(asked, error)
        raise AbortedStream("the reply broke off") from None
    _tell(asked, tally, reply_bytes)


def _tell(asked: HttpRequest, tally: Tally, reply_bytes: int) -> None:
    if tally.bad_records:
        event(logging.WARNING, "bad records", bad_records=tally.bad_records, **log_fields(asked))
    event(logging.DEBUG, "answered", status=200, reply_bytes=reply_bytes, **log_fields(asked))
