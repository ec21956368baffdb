"""Data capture: requests and responses as JSON lines in SageMaker's format (contract 10.4)."""

import json
import random
import threading
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from local_test.runtime.endpoint_request import EndpointRequest

# The SageMaker SDK's defaults; payloads of all other types are written in base64.
TEXT_ENCODINGS = {"text/csv": "CSV", "application/json": "JSON"}


@dataclass(slots=True)
class DataCapture:
    """Captures a share of the requests and their responses.

    The files are ``folder``/ENDPOINT/VARIANT/yyyy/mm/dd/hh/ID.jsonl: one per hour and process.
    """

    folder: Path
    sampling_percentage: int = 100
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _id: str = field(default_factory=lambda: str(uuid4()))

    def write(self, request: EndpointRequest, body: bytes, content_type: str | None) -> None:
        """Append a request and its response to the current file, unless sampling skips it."""
        if random.uniform(0, 100) >= self.sampling_percentage:  # noqa: S311  # not cryptographic
            return
        now = datetime.now(UTC)
        request_type = request.parameters.get("ContentType")
        record = {
            "captureData": {
                "endpointInput": _payload_record("INPUT", request.payload, request_type),
                "endpointOutput": _payload_record("OUTPUT", body, content_type),
            },
            "eventMetadata": _event_metadata(request, now),
            "eventVersion": "0",
        }
        variant_folder = self.folder / request.endpoint_name / request.variant.name
        path = variant_folder / now.strftime("%Y/%m/%d/%H") / f"{self._id}.jsonl"
        with self._lock:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")


def _event_metadata(request: EndpointRequest, now: datetime) -> dict[str, object]:
    metadata: dict[str, object] = {
        "eventId": str(uuid4()),
        "inferenceTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if "InferenceId" in request.parameters:
        metadata["inferenceId"] = request.parameters["InferenceId"]
    if "CustomAttributes" in request.parameters:
        metadata["customAttributes"] = [request.parameters["CustomAttributes"]]
    return metadata


def _payload_record(mode: str, payload: bytes, content_type: str | None) -> dict[str, str]:
    data, encoding = _encode_payload(payload, content_type or "")
    return {
        "observedContentType": content_type or "",
        "mode": mode,
        "data": data,
        "encoding": encoding,
    }


def _encode_payload(payload: bytes, content_type: str) -> tuple[str, str]:
    """Return the payload as text and the name of its encoding: CSV, JSON or BASE64."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in TEXT_ENCODINGS:
        try:
            return payload.decode(), TEXT_ENCODINGS[media_type]
        except UnicodeDecodeError:
            pass
    return b64encode(payload).decode(), "BASE64"
