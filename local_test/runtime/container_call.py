"""One POST to a container's /invocations, under the service's time limit."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import requests
import urllib3

from local_test.runtime.failures import TIMED_OUT, ModelError, ServiceUnavailable
from local_test.runtime.invocation import Invocation

ACCEPT_SECONDS = 0.25  # within which a container takes a connection: contract 1.7
REPLY_SECONDS = 60.0  # contract 9
STREAM_SECONDS = 480.0  # contract 7.14
READ_BYTES = 1 << 16
BROKEN = "the reply broke off, and its rest could not be loaded"

_LOCAL = threading.local()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a container answers: its status and headers at once, its body as it comes."""

    endpoint: str
    response: requests.Response
    deadline: float

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx; any other is an error (contract 3.10)."""
        return HTTPStatus.OK <= self.response.status_code < HTTPStatus.MULTIPLE_CHOICES

    def parts(self) -> Iterator[bytes]:
        """Yield the body as it arrives; raises ModelError when it breaks off or the time is over."""
        try:
            while data := self.response.raw.read1(READ_BYTES):
                if time.monotonic() > self.deadline:
                    raise ModelError(self.endpoint, 0, TIMED_OUT)
                yield data
        except (TimeoutError, urllib3.exceptions.TimeoutError) as error:
            raise ModelError(self.endpoint, 0, TIMED_OUT) from error
        except (OSError, urllib3.exceptions.HTTPError) as error:
            raise ModelError(self.endpoint, self.response.status_code, BROKEN) from error

    def body(self) -> bytes:
        """Return the whole body; raises ModelError as parts does, and for a status other than 2xx."""
        body = b"".join(self.parts())
        if not self.is_success:
            raise ModelError(
                self.endpoint, self.response.status_code, body.decode("utf-8", "replace").strip()
            )
        return body


@contextmanager
def calling(
    invocation: Invocation, seconds: float, stream_seconds: float | None = None
) -> Iterator[Answer]:
    """Post an invocation to its variant's container, and hand over the answer as soon as its headers are there.

    Args:
        invocation: its headers are all that the container gets to see, beside what HTTP itself needs.
        seconds: until the answer begins, and between its parts.
        stream_seconds: until it ends; by default the same.

    Raises:
        ModelError: no answer in time, or none that is HTTP.
        ServiceUnavailable: nobody takes the connection.
    """
    endpoint, url = invocation.endpoint, invocation.variant.url
    deadline = time.monotonic() + (stream_seconds or seconds)
    try:
        response = _session().post(
            f"{url}/invocations",
            data=invocation.payload,
            headers=invocation.headers,
            stream=True,
            timeout=seconds,
            allow_redirects=False,
        )
    except requests.ReadTimeout as error:
        raise ModelError(endpoint, 0, TIMED_OUT) from error
    except requests.ConnectionError as error:
        reason = error.args[0] if error.args else None
        if isinstance(reason, urllib3.exceptions.ProtocolError) and isinstance(
            reason.args[-1], TimeoutError
        ):
            raise ModelError(endpoint, 0, TIMED_OUT) from error
        if isinstance(reason, urllib3.exceptions.ProtocolError):
            raise ModelError(
                endpoint, 0, "the container closed the connection without an answer"
            ) from error
        raise ServiceUnavailable(
            f"no container of endpoint {endpoint} takes connections under {url}"
        ) from error
    with closing(response):
        yield Answer(endpoint, response, deadline)


class _Connection(urllib3.connection.HTTPConnection):
    """A connection that is taken at once or not at all, while what is sent over it has the whole time."""

    def connect(self) -> None:
        seconds, self.timeout = self.timeout, ACCEPT_SECONDS
        super().connect()
        self.timeout = seconds
        self.sock.settimeout(seconds)


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _Adapter(requests.adapters.HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool}


def _session() -> requests.Session:
    """Return this thread's session, which keeps its connections and adds no header of its own that HTTP does not need."""
    session: requests.Session | None = getattr(_LOCAL, "session", None)
    if session is None:
        session = _LOCAL.session = requests.Session()
        session.headers.clear()
        session.headers["Accept-Encoding"] = urllib3.util.SKIP_HEADER
        session.headers["User-Agent"] = urllib3.util.SKIP_HEADER
        session.mount("http://", _Adapter())
        session.trust_env = False  # no proxy stands between this runtime and its containers
    return session
