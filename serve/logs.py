"""The log: one line of JSON on standard output for each event.

Source: contract 10.1. Successes are events at DEBUG only, since CloudWatch bills by the byte; payloads are in no event.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

log = logging.getLogger("serve")


class JsonFormatter(logging.Formatter):
    """Writes a record as a line of JSON: its message is the event, its ``fields`` the rest."""

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
    """Send every event of this level and above to standard output, whoever logs it."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    log.setLevel(max(level, 1))  # 0 would mean that of the root


def event(
    level: int, name: str, traceback_of: BaseException | None = None, /, **fields: object
) -> None:
    """Log an event, and the traceback of what caused it."""
    if is_logged(level):
        log.log(level, name, exc_info=traceback_of, extra={"fields": fields})


def is_logged(level: int) -> bool:
    """Tell whether events of this level are in the log, so that one need not be put together in vain."""
    return log.isEnabledFor(level)
