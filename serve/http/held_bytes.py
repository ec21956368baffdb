"""A limit on the memory for the payloads and responses that one worker holds."""

import math
import threading

from serve.errors import Overloaded, PayloadTooLarge, ResponseTooLarge

HELD_VARIABLE = "SERVE_MAX_HELD_IN_MB"
# Decoding and predicting a payload needs at most four times its size: tests/contract/test_batch.py.
# That includes the response, unless the response is larger than three payloads.
BYTES_PER_PAYLOAD_BYTE = 4
# Smaller responses are not counted.
MIN_RESPONSE_BYTES = 1 << 16


class HeldBytes:
    """The total size of the payloads that have arrived, or will, and have no response yet.

    A response also counts until it is sent, with a quarter of its size, because it needs no further
    memory. Thread-safe: a reservation changes only while ``lock`` is held.
    """

    def __init__(self, maximum: float = math.inf) -> None:
        self.maximum = maximum
        self.total = 0
        self.lock = threading.Lock()

    def build_overloaded(self) -> Overloaded:
        """Return the error for a reservation that only the others make impossible."""
        return Overloaded(
            f"the payloads and responses in flight fill the memory, with {self.total:,} of "
            f"{int(self.maximum):,} bytes; retry later, or change {HELD_VARIABLE}"
        )


class Reservation:
    """The bytes that one payload holds until it is released, and then its response."""

    def __init__(self, held: HeldBytes) -> None:
        self._held = held
        self._size = self._payload_bytes = self._response_bytes = 0
        self._is_released = False

    def grow_to(self, payload_bytes: int) -> None:
        """Reserve memory for a payload of this size; raises Overloaded and PayloadTooLarge."""
        if payload_bytes <= self._payload_bytes:
            return
        maximum = self._held.maximum
        if payload_bytes > maximum:
            raise PayloadTooLarge(
                "payload too large for the memory of this container: "
                f"expected at most {int(maximum):,} bytes, got {payload_bytes:,}; "
                f"{HELD_VARIABLE} sets the limit"
            )
        self._reserve(payload_bytes, self._response_bytes)
        self._payload_bytes = payload_bytes

    def hold_response(self, response_bytes: int, *, estimated: bool = False) -> None:
        """Reserve memory for a response of this size; raises Overloaded and ResponseTooLarge.

        An estimate is never too large, but reserves all the memory that there is.
        """
        if response_bytes <= max(MIN_RESPONSE_BYTES, self._response_bytes):
            return
        max_bytes = self._held.maximum * BYTES_PER_PAYLOAD_BYTE - self._payload_bytes
        if response_bytes > max_bytes:
            if not estimated:
                raise _build_response_too_large(max_bytes)
            response_bytes = int(max_bytes)
        self._reserve(self._payload_bytes, response_bytes)
        self._response_bytes = response_bytes

    def release_payload(self, response_bytes: int) -> None:
        """Keep only the memory of a complete response; without a large one, release everything."""
        if not self._response_bytes:
            self.release()
            return
        self._payload_bytes, self._response_bytes = 0, response_bytes
        self._reserve(0, response_bytes)

    def release(self) -> None:
        """Return all bytes, for good."""
        if self._is_released:
            return
        with self._held.lock:
            self._is_released = True
            self._held.total -= self._size
            self._size = 0

    def _reserve(self, payload_bytes: int, response_bytes: int) -> None:
        size = max(payload_bytes, (payload_bytes + response_bytes) // BYTES_PER_PAYLOAD_BYTE)
        with self._held.lock:
            # A thread may still work for a client that has disconnected.
            if self._is_released:
                return
            if size > self._size and self._held.total - self._size + size > self._held.maximum:
                raise self._held.build_overloaded()
            self._held.total += size - self._size
            self._size = size


def _build_response_too_large(max_bytes: float) -> ResponseTooLarge:
    return ResponseTooLarge(
        "response too large for the memory of this container: "
        f"expected at most {int(max_bytes):,} bytes; send fewer records at a time, or stream the "
        f"response, as with Accept: text/csv; stream=true; {HELD_VARIABLE} sets the limit"
    )
