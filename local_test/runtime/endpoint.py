"""The endpoint that the emulator serves, with its variants and limits."""

from collections.abc import Sequence
from dataclasses import dataclass

from local_test.runtime.container_client import RESPONSE_TIMEOUT_SECONDS, STREAM_TIMEOUT_SECONDS
from local_test.runtime.data_capture import DataCapture
from local_test.runtime.variants import Variant


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint's name, variants and limits; ``data_capture`` is None if it is disabled."""

    name: str
    variants: Sequence[Variant]
    max_body_bytes: int = 6 << 20
    response_timeout_seconds: float = RESPONSE_TIMEOUT_SECONDS
    stream_timeout_seconds: float = STREAM_TIMEOUT_SECONDS
    data_capture: DataCapture | None = None
