"""A limit on the memory for the payloads that one worker holds."""

import math
import threading

from serve.errors import Overloaded, PayloadTooLarge

HELD_VARIABLE = "SERVE_MAX_HELD_IN_MB"


class HeldBytes:
    """The total size of the payloads that have arrived, or will, and have no response yet.

    Thread-safe.
    """

    def __init__(self, maximum: float = math.inf) -> None:
        self.maximum = maximum
        self._total = 0
        self._lock = threading.Lock()

    def add(self, size: int, payload_bytes: int) -> None:
        """Add ``size`` bytes of a payload of now ``payload_bytes``.

        Raises Overloaded, or PayloadTooLarge for a payload that exceeds the limit on its own.
        """
        with self._lock:
            if self._total + size > self.maximum:
                raise self._build_error(payload_bytes)
            self._total += size

    def remove(self, size: int) -> None:
        """Remove ``size`` bytes of a payload."""
        with self._lock:
            self._total -= size

    def _build_error(self, payload_bytes: int) -> Overloaded | PayloadTooLarge:
        if payload_bytes > self.maximum:
            return PayloadTooLarge(
                "payload too large for the memory of this container: "
                f"expected at most {int(self.maximum):,} bytes, got {payload_bytes:,}; "
                f"{HELD_VARIABLE} sets the limit"
            )
        return Overloaded(
            f"the payloads in flight fill the memory, with {self._total:,} of "
            f"{int(self.maximum):,} bytes; retry later, or change {HELD_VARIABLE}"
        )


class Reservation:
    """The bytes that one payload holds until every user of it has released them."""

    def __init__(self, held: HeldBytes) -> None:
        self._held = held
        self._size = 0
        self._users = 1

    def grow_to(self, size: int) -> None:
        """Reserve ``size`` bytes in total; raises Overloaded and PayloadTooLarge."""
        if size > self._size:
            self._held.add(size - self._size, size)
            self._size = size

    def share(self) -> None:
        """Add a user, which must call ``release``."""
        self._users += 1

    def release(self) -> None:
        """Remove a user; the last one returns the bytes."""
        self._users -= 1
        if not self._users:
            self._held.remove(self._size)
            self._size = 0
