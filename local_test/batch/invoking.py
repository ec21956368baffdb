"""Responder of a job: one slice out, its reply back, tried again where the service would.

Source: contract 5.12 and 5.13. Which failures the service tries again is not documented: here it is no answer, 429 and 5xx.
"""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

import requests

from local_test.batch.errors import JobFailed
from local_test.batch.slices import Slice

PIECE_BYTES = 1 << 20
MOST_WAIT_SECONDS = 30.0
SHOWN = 500


@dataclass(frozen=True, slots=True)
class Container:
    """Where the slices go, and how they are sent."""

    url: str
    content_type: str
    accept: str | None
    at_once: int
    chunked: bool
    retries: int
    timeout_seconds: float
    stopped: threading.Event = field(default_factory=threading.Event)
    sessions: threading.local = field(default_factory=threading.local)

    def invoke(self, part: Slice) -> bytes:
        """Return the reply to a slice; raises JobFailed when it was refused, or failed once more than it may."""
        for attempt in range(self.retries + 1):
            last = attempt == self.retries
            try:
                response = self._session().post(
                    f"{self.url}/invocations", data=self._body(part), timeout=self.timeout_seconds
                )
            except requests.RequestException as error:
                if last or self.stopped.is_set():
                    raise JobFailed(
                        f"{part}: no answer from the container, {_times(attempt + 1)} asked: {_cause(error)}"
                    ) from error
                self.stopped.wait(2.0**attempt)
                continue
            if response.ok:
                return response.content
            again = (
                response.status_code == HTTPStatus.TOO_MANY_REQUESTS
                or response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
            )
            if last or not again or self.stopped.is_set():
                raise JobFailed(_refusal(part, response, attempt + 1))
            self.stopped.wait(_wait_seconds(response, attempt))
        raise AssertionError("the last attempt returns or raises")

    def _session(self) -> requests.Session:
        """Return this thread's session, whose connection stays open."""
        if not hasattr(self.sessions, "session"):
            session = requests.Session()
            session.trust_env = False  # no proxy stands between the service and its container
            session.headers["Content-Type"] = self.content_type
            session.headers["Accept"] = self.accept or "*/*"
            self.sessions.session = session
        kept: requests.Session = self.sessions.session
        return kept

    def _body(self, part: Slice) -> bytes | Iterator[bytes]:
        """Return the payload, or its pieces where it goes without Content-Length: contract 5.16."""
        if not self.chunked:
            return part.body
        return (
            part.body[start : start + PIECE_BYTES]
            for start in range(0, len(part.body), PIECE_BYTES)
        )


def _refusal(part: Slice, response: requests.Response, attempts: int) -> str:
    """Return one line that names the slice, what the container said, and the row of the file that it meant."""
    said = " ".join(response.text.split())[:SHOWN]
    tried = f", {_times(attempts)} asked" if attempts > 1 else ""
    place = re.search(r"\brow ([0-9,]+)", said)
    meant = ""
    if place and part.first_row > 1:
        meant = f" (row {part.first_row + int(place[1].replace(',', '')) - 1:,} of the file)"
    return f"{part}: the container answered {response.status_code}{tried}: {said}{meant}"


def _wait_seconds(response: requests.Response, attempt: int) -> float:
    told = response.headers.get("Retry-After", "")
    return min(float(told) if told.isdigit() else 2.0**attempt, MOST_WAIT_SECONDS)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _cause(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "not in time"
    return (
        "nothing listens there, or the connection broke"
        if isinstance(error, requests.ConnectionError)
        else str(error)
    )
