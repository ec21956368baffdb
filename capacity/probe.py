"""The first request of a load test: if it fails, the test stops before it generates any load."""

import socket
from http import HTTPStatus

import requests

from capacity.load import LoadRequest
from capacity.load_client import RESPONSE_TIMEOUT_SECONDS

MAX_QUOTED_CHARACTERS = 300


class ProbeFailed(Exception):
    """The load test cannot start; the message is one line and says why."""


def probe(request: LoadRequest) -> int:
    """Send the payload once, and return the length of the response body in bytes.

    Raises ProbeFailed, with the server's own message, unless the response is a 200.
    """
    _verify_listener(request)
    response = _post(request)
    if response.status_code == HTTPStatus.OK:
        return len(response.content)
    quoted = f"{response.status_code}: {_quote_message(response)}"
    if HTTPStatus.BAD_REQUEST <= response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ProbeFailed(
            f"the server rejected the payload ({request.media_type}) with {quoted}; "
            "choose another with --payload and --content-type"
        )
    raise ProbeFailed(f"the first request failed with {quoted}; see the server's log")


def _verify_listener(request: LoadRequest) -> None:
    try:
        address = request.address
    except ValueError as error:
        raise ProbeFailed(f"--url: {error}") from error
    try:
        socket.create_connection(address, RESPONSE_TIMEOUT_SECONDS).close()
    except OSError as error:
        raise ProbeFailed(
            f"cannot connect to {request.url} ({error}): "
            "start a container there, or omit --url to start one here"
        ) from error


def _post(request: LoadRequest) -> requests.Response:
    try:
        with requests.Session() as session:
            session.trust_env = False  # ignore proxy variables
            return session.post(
                f"{request.url}/invocations",
                data=request.payload,
                headers={"Content-Type": request.media_type},
                timeout=RESPONSE_TIMEOUT_SECONDS,
                allow_redirects=False,
            )
    except requests.Timeout as error:
        raise ProbeFailed(
            f"{request.url} did not respond to the first request "
            f"within {RESPONSE_TIMEOUT_SECONDS:.0f} s"
        ) from error
    except requests.RequestException as error:
        raise ProbeFailed(
            f"{request.url} did not send an HTTP response: check that a container listens there"
        ) from error


def _quote_message(response: requests.Response) -> str:
    try:
        message = response.json()["message"]
    except (ValueError, KeyError, TypeError):
        message = response.text
    return " ".join(str(message).split())[:MAX_QUOTED_CHARACTERS] or "(empty response)"
