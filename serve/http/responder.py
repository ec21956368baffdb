"""The life of an invocation: from its body and headers to the response.

Source: contract 3.1 to 3.14.
"""

import logging
import math
from collections import deque
from dataclasses import replace
from functools import lru_cache, partial

from serve.codecs.charset import transcode
from serve.codecs.lines import SLICE_BYTES
from serve.codecs.row_errors import Tally
from serve.errors import ClientDisconnected
from serve.http.admission import InFlightLimit
from serve.http.body import check_size
from serve.http.content_encoding import decode_content
from serve.http.error_responses import log_disconnect
from serve.http.held_bytes import HeldBytes, Reservation
from serve.http.messages import (
    REQUEST_ID,
    Headers,
    HttpRequest,
    HttpResponse,
    check_header_lengths,
    echo_custom_attributes,
    identify,
)
from serve.http.model_settings import verify_model_settings
from serve.http.negotiation import negotiate_terms
from serve.http.streaming import log_success, stream
from serve.inference import infer, infer_row_by_row, infer_slices, limit_size
from serve.invocation import Invocation
from serve.limits import ignore_size
from serve.logs import is_logged
from serve.media.types import EXPLAIN, OUTPUTS
from serve.model.model import Model
from serve.parallel import ParallelMap
from serve.settings import MIB, Settings

# If a response takes at most this long, handing its payload to a thread would not pay off.
MAX_INLINE_SECONDS = 0.004
MAX_INLINE_BYTES = 1 << 16
MIN_CELL_BYTES = 2
# A response with other outputs than the score takes about this many times as long.
OUTPUTS_COST = 8
NO_BAD_RECORDS = Tally()
# Clients send the same few headers again and again.
CACHED_TERMS = 256


class Responder:
    """Responds to invocations of one model, under the server's settings."""

    def __init__(
        self,
        model: Model,
        settings: Settings,
        parallel: ParallelMap,
        max_held_bytes: float = math.inf,
    ) -> None:
        """Respond with this model.

        The payloads in flight hold at most ``max_held_bytes``, unless the settings say otherwise.
        """
        self.max_payload_bytes = settings.max_payload_bytes
        if settings.max_held_mib is not None:
            max_held_bytes = settings.max_held_mib * MIB or math.inf
        self.held_bytes = HeldBytes(max_held_bytes)
        self.in_flight = InFlightLimit(settings.max_in_flight)
        self.model = model
        self._parallel = parallel
        self._output_keys = settings.inference_output
        self._limits = settings.limits.scale(model.schema.width)
        # A streamed response is computed as fast as the client reads it, and never held in memory.
        self._stream_limits = replace(self._limits, max_response_bytes=math.inf)
        self._payload_limits = self.max_payload_bytes, settings.max_gzip_ratio or math.inf
        self._explains_by_default = verify_model_settings(model, settings)
        self._negotiate_terms = lru_cache(CACHED_TERMS)(partial(negotiate_terms, settings))
        max_rows = MAX_INLINE_SECONDS / model.seconds_per_row if model.seconds_per_row else 0
        self._max_inline_bytes = min(
            MAX_INLINE_BYTES,
            max_rows * model.schema.width * MIN_CELL_BYTES,
            self.max_payload_bytes,
            max_held_bytes,
        )
        default = settings.default_accept
        if self._output_keys or (default and OUTPUTS in default.parameters):
            self._max_inline_bytes /= OUTPUTS_COST

    def should_run_inline(self, request: HttpRequest, body: bytes) -> bool:
        """Return whether the response takes so little time that a thread would not pay off."""
        if len(body) > self._max_inline_bytes or request.content_encoding:
            return False
        if self._explains_by_default:
            return False
        if not request.accept:
            return True
        accept = request.accept.lower()
        if EXPLAIN in accept:
            return False
        return OUTPUTS not in accept or len(body) * OUTPUTS_COST <= self._max_inline_bytes

    def reserve(self, request: HttpRequest) -> Reservation:
        """Reserve memory for a payload, if its size is known and allowed, before it arrives.

        Raises Overloaded and PayloadTooLarge. The caller releases the payload once there is a
        response, unless it is streamed, and the reservation once it is sent.
        """
        reservation = request.reservation = Reservation(self.held_bytes)
        size = request.payload_bytes or 0
        if request.awaits_continue:
            check_size(size, self.max_payload_bytes)
            self.in_flight.check()
        if size <= self.max_payload_bytes:
            reservation.grow_to(size)
        request.awaits_continue = False  # the front end will read the body
        return reservation

    def respond(self, request: HttpRequest, body: bytes) -> HttpResponse:
        """Return the response to an invocation.

        Raises InvocationError, and ClientDisconnected, which is already in the log.
        """
        try:
            return self._respond(request, body)
        except ClientDisconnected as error:
            log_disconnect(request, error)
            raise

    def _respond(self, request: HttpRequest, body: bytes) -> HttpResponse:
        check_header_lengths(request)
        reservation = request.reservation  # the fast path has none
        hold_payload = reservation.grow_to if reservation else ignore_size
        payload = decode_content(
            body, request.content_encoding, *self._payload_limits, hold_payload
        )
        request.payload_bytes = len(payload)
        request.stopwatch.end("read")
        if not payload:
            return HttpResponse(204, echo_custom_attributes(request))
        terms = self._negotiate_terms(request.content_type, request.accept)
        payload = transcode(payload, terms.charset)
        streamed = terms.streamable and request.accepts_chunked and len(payload) > SLICE_BYTES
        invocation = Invocation(
            payload,
            terms.media_type.name,
            terms.media_type.parameters,
            terms.accept.name,
            terms.accept.parameters,
            self._stream_limits if streamed else self._limits,
            request.caller.check,
            reservation.hold_response if reservation and not streamed else ignore_size,
        )
        if terms.row_errors or streamed:
            return self._respond_in_slices(
                request, invocation, row_errors=terms.row_errors, streamed=streamed
            )
        return self._respond_at_once(request, invocation)

    def _respond_at_once(self, request: HttpRequest, invocation: Invocation) -> HttpResponse:
        response = infer(
            self.model, invocation, request.stopwatch, self._parallel, self._output_keys
        )
        if is_logged(logging.DEBUG):
            log_success(request, NO_BAD_RECORDS, sum(map(len, response.pieces)))
        headers = (("Content-Type", response.media_type), *echo_custom_attributes(request))
        return _build_response(headers, response.pieces)

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
                self.model, invocation, tally, self._parallel, self._output_keys
            )
        else:
            slices = infer_slices(
                self.model, invocation, request.stopwatch, self._parallel, self._output_keys
            )
        headers = (("Content-Type", invocation.accept), *echo_custom_attributes(request))
        if not streamed:
            pieces = list(limit_size(slices, invocation))
            log_success(request, tally, sum(map(len, pieces)))
            if tally.bad_records:
                headers = (*headers, (REQUEST_ID, identify(request)))
            return _build_response(headers, pieces)
        # The log may report bad records, or an error that aborts the stream.
        headers = (*headers, (REQUEST_ID, identify(request)))
        slices = self.in_flight.count_while_streaming(slices)
        first_slice = next(slices, b"")
        request.caller.begin_response()
        return HttpResponse(200, headers, chunks=stream(request, first_slice, slices, tally))


def _build_response(headers: Headers, pieces: list[bytes]) -> HttpResponse:
    """Return a response whose pieces are not joined, because that would need twice the memory."""
    if len(pieces) == 1:
        return HttpResponse(200, headers, pieces[0])
    return HttpResponse(200, headers, pieces=deque(pieces))
