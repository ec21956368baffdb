"""Judge: what both front ends must do with any head at all."""

import json
import re
from collections.abc import Mapping, Sequence

from tests.adversary.heads.exchange import Response

ALLOWED_FAILURES = (501, 503, 505)
ERROR_KEYS = {"error", "message", "request_id"}
MAX_ERROR_BYTES = 2048
# One request, whose end both the client and the server must find at the same byte.
COMPLETE_HEAD = re.compile(rb"[^\r\n][^\n]*\r\n(?:[^\r\n][^\n]*\r\n)*\r\n")


def judge(request: bytes, responses: Mapping[str, Sequence[Response]]) -> str | None:
    """Return the first problem of the front ends' responses to a request, or None."""
    for front_end, received in responses.items():
        if not received and COMPLETE_HEAD.match(request):
            return f"{front_end}: no response"
        if len(received) > 1 and not _may_contain_requests(request):
            return f"{front_end}: {len(received)} responses"
        for response in received:
            if problem := _find_problem(response, is_head=request.startswith(b"HEAD ")):
                return f"{front_end}: {problem}"
    # A HEAD has no body in its response, which would name the error.
    return None if request.startswith(b"HEAD ") else _find_difference(responses)


def _find_difference(responses: Mapping[str, Sequence[Response]]) -> str | None:
    """Return the statuses if only one front end accepts the head, or None.

    If a head is invalid in several ways, the front ends may find different ones. Only one of them
    reads bodies for routes that ignore these, or counts headers that it drops.
    """
    statuses = {
        front_end: received[0].status
        for front_end, received in responses.items()
        if received and received[0].status != 431 and b'"IncompleteBody"' not in received[0].body
    }
    accepted = {status < 400 for status in statuses.values()}
    return f"the front ends differ: {statuses}" if len(accepted) > 1 else None


def _may_contain_requests(request: bytes) -> bool:
    """Return whether the bytes after the first head may be further requests."""
    return bool(request.partition(b"\r\n\r\n")[2])


def _find_problem(response: Response, *, is_head: bool) -> str | None:
    status = response.status
    if status >= 500 and status not in ALLOWED_FAILURES:
        return f"status {status}"
    if status < 400 or (is_head and not response.body):
        return None
    problem = _find_error_problem(response)
    return f"status {status} {problem}" if problem else None


def _find_error_problem(response: Response) -> str | None:
    """Return the first problem of the JSON of an error, or None."""
    if response.headers.get("content-type") != "application/json":
        return f"with Content-Type {response.headers.get('content-type')}"
    try:
        error = json.loads(response.body)
    except ValueError:
        return f"whose body is not JSON: {response.body[:80]!r}"
    if set(error) != ERROR_KEYS or not all(error.values()):
        return f"with the keys {sorted(error)}"
    if not response.body.endswith(b"}\n") or len(response.body) > MAX_ERROR_BYTES:
        return "whose body is not one short line"
    if response.headers.get("x-request-id") != error["request_id"]:
        return "with two request IDs"
    return None
