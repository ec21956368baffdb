"""Payload: one request, and what its response must contain."""

import gzip
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Payload:
    """One request.

    ``features`` are the known records, float32 (n, f), or None if a mutation may have changed
    them. The rows in ``bad_rows`` must be reported as errors in their place.
    """

    body: bytes
    content_type: str | None
    form: str
    features: NDArray[np.float32] | None = None
    accept: str | None = None
    content_encoding: str | None = None
    mutation: str = ""
    bad_rows: frozenset[int] = field(default_factory=frozenset)

    def compressed(self) -> "Payload":
        """Return this payload with ``Content-Encoding: gzip``."""
        body = gzip.compress(self.body, compresslevel=1, mtime=0)
        return replace(self, body=body, content_encoding="gzip")

    def headers(self) -> dict[str, str]:
        """Return the headers of the request."""
        values = {
            "Content-Type": self.content_type,
            "Accept": self.accept,
            "Content-Encoding": self.content_encoding,
        }
        return {name: value for name, value in values.items() if value is not None}
