"""HTTP sessions with a container: no extra headers, no proxies, and AWS's connection timeout."""

import threading
from typing import Any

import requests
import urllib3

CONNECT_TIMEOUT_SECONDS = 0.25  # contract 1.7

_LOCAL = threading.local()


def get_session() -> requests.Session:
    """Return this thread's session, which keeps its connections alive."""
    session: requests.Session | None = getattr(_LOCAL, "session", None)
    if session is None:
        session = _LOCAL.session = _create_session()
    return session


def _create_session() -> requests.Session:
    session = requests.Session()
    session.headers.clear()
    session.headers["Accept-Encoding"] = urllib3.util.SKIP_HEADER
    session.headers["User-Agent"] = urllib3.util.SKIP_HEADER
    session.mount("http://", _Adapter())
    session.trust_env = False  # ignore HTTP_PROXY
    return session


class _Connection(urllib3.connection.HTTPConnection):
    """Connects within CONNECT_TIMEOUT_SECONDS; reads and writes have the request's timeout."""

    def connect(self) -> None:
        timeout_seconds, self.timeout = self.timeout, CONNECT_TIMEOUT_SECONDS
        super().connect()
        self.timeout = timeout_seconds
        self.sock.settimeout(timeout_seconds)


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _Adapter(requests.adapters.HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool}
