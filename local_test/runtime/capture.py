"""Data capture: what went in and came out, as JSON lines in SageMaker's format (contract 10.4)."""

import json
import random
import threading
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from local_test.runtime.invocation import Invocation

# What the SageMaker SDK configures by default; all else is written in base64.
CSV_TYPES = ("text/csv",)
JSON_TYPES = ("application/json",)


@dataclass(slots=True)
class Capture:
    """Files of captured invocations under ``folder``/ENDPOINT/VARIANT/yyyy/mm/dd/hh/, a file an hour and process."""

    folder: Path
    percent: int = 100
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _id: str = field(default_factory=lambda: str(uuid4()))

    def write(self, invocation: Invocation, reply: bytes, reply_type: str | None) -> None:
        """Write an invocation down, or leave it out by the percentage."""
        if random.uniform(0, 100) >= self.percent:  # noqa: S311  # a sample is no secret
            return
        fields, now = invocation.fields, datetime.now(UTC)
        event = {"eventId": str(uuid4()), "inferenceTime": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
        if "InferenceId" in fields:
            event["inferenceId"] = fields["InferenceId"]
        line = json.dumps(
            {
                "captureData": {
                    "endpointInput": _side("INPUT", invocation.payload, fields.get("ContentType")),
                    "endpointOutput": _side("OUTPUT", reply, reply_type),
                },
                "eventMetadata": event
                | (
                    {"customAttributes": [fields["CustomAttributes"]]}
                    if "CustomAttributes" in fields
                    else {}
                ),
                "eventVersion": "0",
            }
        )
        path = (
            self.folder
            / invocation.endpoint
            / invocation.variant.name
            / now.strftime("%Y/%m/%d/%H")
            / f"{self._id}.jsonl"
        )
        with self._lock:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")


def _side(mode: str, body: bytes, media_type: str | None) -> dict[str, str]:
    bare = (media_type or "").partition(";")[0].strip().lower()
    encoding = "CSV" if bare in CSV_TYPES else "JSON" if bare in JSON_TYPES else "BASE64"
    try:
        data = b64encode(body).decode() if encoding == "BASE64" else body.decode()
    except UnicodeDecodeError:
        data, encoding = b64encode(body).decode(), "BASE64"
    return {
        "observedContentType": media_type or "",
        "mode": mode,
        "data": data,
        "encoding": encoding,
    }
