"""Detect whether a request has arrived completely, before a thread is spent on it."""

from container.asgi_server.parser import HeadParser

# A larger request is read by a thread: its client is fast, and its body needs memory.
MAX_BYTES = 1 << 20


class RequestDetector:
    """Parses one request as far as it has arrived, only to find its end."""

    def __init__(self) -> None:
        self._parser = HeadParser()
        self._received_bytes = 0

    def feed(self, data: bytes) -> bool:
        """Return whether a thread should read the request now.

        It should if the request is complete, invalid or large, or if its client waits for status
        100 before it sends the body.
        """
        self._received_bytes += len(data)
        try:
            self._parser.feed(data)
        except Exception:  # noqa: BLE001  # the thread reports what is invalid
            return True
        return (
            self._parser.is_complete
            or self._received_bytes > MAX_BYTES
            or any(name.lower() == b"expect" for name, _ in self._parser.headers)
        )
