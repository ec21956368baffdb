"""Invocation: what a caller asks of an endpoint, and the variant that it goes to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from local_test.runtime.fields import PASSED_ON
from local_test.runtime.variants import Variant


@dataclass(frozen=True, slots=True)
class Invocation:
    """An endpoint's name, the variant to call, the API's fields by their names, and the payload."""

    endpoint: str
    variant: Variant
    fields: Mapping[str, str]
    payload: bytes

    @property
    def headers(self) -> dict[str, str]:
        """The headers that reach the container."""
        return {
            header: self.fields[name] for name, header in PASSED_ON.items() if name in self.fields
        }

    def with_payload(self, payload: bytes) -> Self:
        """Return the invocation of another payload."""
        return replace(self, payload=payload)
