"""The first invocation, whose failure ends a load test before it begins."""

import socket
from http import HTTPStatus

import requests

from capacity.load import REPLY_SECONDS, Invocation

MOST_QUOTED = 300


class NoAnswer(Exception):
    """There is nobody to load, or it does not take the payload; the message says so in one line."""


def probe(invocation: Invocation) -> int:
    """Send the payload once; return how many bytes the reply has. Raises NoAnswer, with the server's own words."""
    _verify_listener(invocation)
    try:
        reply = _post(invocation)
    except requests.Timeout as error:
        raise NoAnswer(
            f"{invocation.url} did not answer the first invocation within {REPLY_SECONDS:.0f} s"
        ) from error
    except requests.RequestException as error:
        raise NoAnswer(
            f"{invocation.url} gave no HTTP reply to the first invocation: is it a container's?"
        ) from error
    if reply.status_code == HTTPStatus.OK:
        return len(reply.content)
    words = _own_words(reply)
    if HTTPStatus.BAD_REQUEST <= reply.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise NoAnswer(
            f"the server refuses the payload as {invocation.media_type}: {reply.status_code} {words}: give one that it takes with "
            "--payload and --content-type"
        )
    raise NoAnswer(
        f"the server answered the first invocation with {reply.status_code} {words}: see its log"
    )


def _verify_listener(invocation: Invocation) -> None:
    try:
        address = invocation.address
    except ValueError as error:
        raise NoAnswer(f"--url: {error}") from error
    try:
        socket.create_connection(address, REPLY_SECONDS).close()
    except OSError as error:
        raise NoAnswer(
            f"nothing listens on {invocation.url} ({error}): start a container there, or leave --url out"
        ) from error


def _post(invocation: Invocation) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False  # a proxy has no place between
        return session.post(
            f"{invocation.url}/invocations",
            data=invocation.payload,
            headers={"Content-Type": invocation.media_type},
            timeout=REPLY_SECONDS,
            allow_redirects=False,
        )


def _own_words(reply: requests.Response) -> str:
    try:
        said = reply.json()["message"]
    except (ValueError, KeyError, TypeError):
        said = reply.text
    return " ".join(str(said).split())[:MOST_QUOTED] or "without a word"
