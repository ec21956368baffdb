"""The way to AWS: one client for each service, and calls by name."""

import os
from typing import Any

import boto3
from botocore.config import Config

from deploy.errors import DeployError

# More than boto3's three: one throttled call of thirty must not end an update that takes an hour.
ATTEMPTS = 8
MOST_ATTEMPTS = 100


class Aws:
    """Calls AWS in a region, with the credentials and addresses that boto3 finds in the environment."""

    def __init__(self, region: str) -> None:
        self.region = region
        self._session = boto3.Session(region_name=region)
        self._clients: dict[str, Any] = {}

    @property
    def has_credentials(self) -> bool:
        return self._session.get_credentials() is not None

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation by boto3's names; raises botocore's errors."""
        answer: dict[str, Any] = getattr(self.client(service), operation)(**parameters)
        return answer

    def paginate(
        self, service: str, operation: str, key: str, **parameters: Any
    ) -> list[dict[str, Any]]:
        """Return all that an operation lists under a key, over all its pages."""
        pages = self.client(service).get_paginator(operation).paginate(**parameters)
        return [one for page in pages for one in page.get(key, [])]

    def client(self, service: str) -> Any:
        """Return boto3's client of a service."""
        if service not in self._clients:
            settings = Config(
                retries={"mode": "standard", "total_max_attempts": _attempts()}, read_timeout=70
            )
            try:
                self._clients[service] = self._session.client(service, config=settings)
            except ValueError as error:  # of an address in the environment that is none
                raise DeployError(f"{error}: see AWS_ENDPOINT_URL and ~/.aws/config") from error
        return self._clients[service]


def _attempts() -> int:
    given = os.environ.get("AWS_MAX_ATTEMPTS") or str(ATTEMPTS)
    if not given.isdecimal() or not 1 <= int(given[:4]) <= MOST_ATTEMPTS:
        raise DeployError(
            f'AWS_MAX_ATTEMPTS: expected a whole number from 1 to {MOST_ATTEMPTS}, not "{given[:60]}"'
        )
    return int(given)
