"""A validated request to an endpoint, with the variant chosen for it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from local_test.runtime.parameters import CONTAINER_HEADERS
from local_test.runtime.variants import Variant


@dataclass(frozen=True, slots=True)
class EndpointRequest:
    """The endpoint's name, the variant to call, the API's request parameters, and the payload."""

    endpoint_name: str
    variant: Variant
    parameters: Mapping[str, str]
    payload: bytes

    @property
    def container_headers(self) -> dict[str, str]:
        """The headers sent to the container."""
        return {
            header: self.parameters[name]
            for name, header in CONTAINER_HEADERS.items()
            if name in self.parameters
        }

    def with_payload(self, payload: bytes) -> Self:
        """Return a copy of the request with another payload."""
        return replace(self, payload=payload)
