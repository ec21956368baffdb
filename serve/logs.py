"""The log: each event is one line of JSON on standard output.

Successful requests are logged only at DEBUG, because CloudWatch charges by the byte. No event
contains payload data. Source: contract 10.1.
"""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

log = logging.getLogger("serve")


class JsonFormatter(logging.Formatter):
    """Formats a log record as a line of JSON: the message as ``event``, then its ``fields``."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(level: int) -> None:
    """Log events of at least this level to standard output.

    Messages of other libraries are logged at WARNING and above only.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    log.setLevel(max(level, 1))  # 0 would inherit the root logger's level


def log_event(
    level: int, name: str, error: BaseException | None = None, /, **fields: object
) -> None:
    """Log an event with its fields, and with the traceback of ``error``."""
    if is_logged(level):
        log.log(level, name, exc_info=error, extra={"fields": fields})


def is_logged(level: int) -> bool:
    """Return whether events of this level are logged, so callers can avoid building them."""
    return log.isEnabledFor(level)


@contextmanager
def collecting_events(level: int) -> Iterator[list[dict[str, Any]]]:
    """Collect the events of at least this level in a list, instead of printing them.

    Each has the key "event" and those of its fields.
    """
    events: list[dict[str, Any]] = []
    handler = _Collector(events)
    previous = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(level)
    log.propagate = False
    try:
        yield events
    finally:
        log.removeHandler(handler)
        log.setLevel(previous[0])
        log.propagate = previous[1]


class _Collector(logging.Handler):
    def __init__(self, events: list[dict[str, Any]]) -> None:
        super().__init__()
        self._events = events

    def emit(self, record: logging.LogRecord) -> None:
        self._events.append({"event": record.getMessage(), **getattr(record, "fields", {})})
