"""Sends mini-batches to a container, with the retries of a batch transform job.

Source: contract 5.12 and 5.13. AWS does not document which failures are retried. This client
retries connection errors, timeouts, 429 and 5xx.
"""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

import requests

from local_test.batch.errors import JobFailed
from local_test.batch.mini_batch import MiniBatch
from local_test.batch.session import open_session

CHUNK_BYTES = 1 << 20
MAX_WAIT_SECONDS = 30.0
MAX_MESSAGE_LENGTH = 500
ROW_NUMBER = re.compile(r"\brow ([0-9,]+)")


@dataclass(frozen=True, slots=True)
class BatchResponse:
    """The response to a mini-batch; the media type is empty if the container sent none."""

    body: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class ContainerClient:
    """The container's URL, and how mini-batches are sent to it; ``stopped`` prevents retries."""

    url: str
    content_type: str
    accept: str | None
    max_concurrency: int
    is_chunked: bool
    max_retries: int
    timeout_seconds: float
    stopped: threading.Event = field(default_factory=threading.Event)
    sessions: threading.local = field(default_factory=threading.local)

    def invoke(self, mini_batch: MiniBatch) -> BatchResponse:
        """Return the response to a mini-batch.

        Raises:
            JobFailed: the container rejected it, or the last retry failed.
        """
        for attempt in range(1, self.max_retries + 2):
            try:
                response = self._post(mini_batch)
            except requests.RequestException as error:
                if not self._may_retry(attempt):
                    message = _describe_exception(mini_batch, error, attempt)
                    raise JobFailed(message) from error
                self.stopped.wait(_backoff_seconds(attempt))
                continue
            if response.ok:
                return BatchResponse(response.content, response.headers.get("Content-Type", ""))
            if not _is_retryable(response) or not self._may_retry(attempt):
                raise JobFailed(_describe_error_response(mini_batch, response, attempt))
            self.stopped.wait(_retry_after_seconds(response, attempt))
        raise AssertionError("the last attempt returns or raises")

    def _may_retry(self, attempt: int) -> bool:
        return attempt <= self.max_retries and not self.stopped.is_set()

    def _post(self, mini_batch: MiniBatch) -> requests.Response:
        return self._session().post(
            f"{self.url}/invocations",
            data=self._body(mini_batch.payload),
            timeout=self.timeout_seconds,
        )

    def _session(self) -> requests.Session:
        """Return this thread's session, which keeps its connection alive."""
        if not hasattr(self.sessions, "session"):
            session = open_session()
            session.headers["Content-Type"] = self.content_type
            session.headers["Accept"] = self.accept or "*/*"
            self.sessions.session = session
        thread_session: requests.Session = self.sessions.session
        return thread_session

    def _body(self, payload: bytes) -> bytes | Iterator[bytes]:
        """Return the payload, or its chunks if it is sent without Content-Length: contract 5.16."""
        if not self.is_chunked:
            return payload
        starts = range(0, len(payload), CHUNK_BYTES)
        return (payload[start : start + CHUNK_BYTES] for start in starts)


def _is_retryable(response: requests.Response) -> bool:
    status = response.status_code
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _retry_after_seconds(response: requests.Response, attempt: int) -> float:
    retry_after = response.headers.get("Retry-After", "")
    seconds = float(retry_after) if retry_after.isdigit() else _backoff_seconds(attempt)
    return min(seconds, MAX_WAIT_SECONDS)


def _backoff_seconds(attempt: int) -> float:
    return float(2 ** (attempt - 1))


def _describe_error_response(
    mini_batch: MiniBatch, response: requests.Response, attempts: int
) -> str:
    """Return one line with the mini-batch, the container's message and the row of the file."""
    message = " ".join(response.text.split())[:MAX_MESSAGE_LENGTH]
    file_row = ""
    if mini_batch.first_row > 1 and (match := ROW_NUMBER.search(message)):
        row = mini_batch.first_row + int(match[1].replace(",", "")) - 1
        file_row = f" (row {row:,} of the file)"
    after = f" after {attempts} attempts" if attempts > 1 else ""
    status = f"HTTP {response.status_code} from the container{after}"
    return f"{mini_batch}: {status}: {message}{file_row}"


def _describe_exception(
    mini_batch: MiniBatch, error: requests.RequestException, attempts: int
) -> str:
    if isinstance(error, requests.Timeout):
        cause = "timed out"
    elif isinstance(error, requests.ConnectionError):
        cause = "connection refused or closed"
    else:
        cause = str(error)
    attempts_text = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    return f"{mini_batch}: no response from the container after {attempts_text}: {cause}"
