"""Stream a response, and log the success of a response, streamed or not."""

import logging
from collections.abc import Iterator

from serve.codecs.row_errors import Tally
from serve.errors import AbortedStream, ClientDisconnected
from serve.http.caller import DISCONNECTED
from serve.http.error_responses import log_aborted_stream, log_disconnect
from serve.http.messages import HttpRequest, build_log_fields
from serve.logs import is_logged, log_event


def stream(
    request: HttpRequest, first_slice: bytes, slices: Iterator[bytes], tally: Tally
) -> Iterator[bytes]:
    """Yield the slices of a streamed response; raises AbortedStream after logging the cause."""
    response_bytes = len(first_slice)
    try:
        yield first_slice
        for slice_ in slices:
            response_bytes += len(slice_)
            yield slice_
    except GeneratorExit:  # the front end does not want the rest
        log_disconnect(request, ClientDisconnected(DISCONNECTED))
        raise
    # The status has been sent, so only an abort shows the client that the response is incomplete.
    except Exception as error:  # noqa: BLE001
        log_aborted_stream(request, error)
        raise AbortedStream("the response stream was aborted") from None
    log_success(request, tally, response_bytes)


def log_success(request: HttpRequest, tally: Tally, response_bytes: int) -> None:
    """Log a response with bad records as a warning, and every response at DEBUG."""
    if tally.bad_records:
        fields = build_log_fields(request)
        log_event(logging.WARNING, "row errors", bad_records=tally.bad_records, **fields)
    if is_logged(logging.DEBUG):
        fields = build_log_fields(request)
        log_event(
            logging.DEBUG,
            "request succeeded",
            status=200,
            response_bytes=response_bytes,
            fast_path=request.on_fast_path,
            **fields,
        )
