"""Calls AWS with one boto3 client per service."""

import os
from typing import Any

import boto3
from botocore.config import Config

from deploy.errors import DeployError

# boto3's default is 3. A throttled call must not end an update that takes an hour.
DEFAULT_ATTEMPTS = 8
MAX_ATTEMPTS = 100
READ_TIMEOUT_SECONDS = 70


class Aws:
    """The AWS API in one Region, with boto3's usual credentials and endpoint URLs."""

    def __init__(self, region: str) -> None:
        self.region = region
        self._session = boto3.Session(region_name=region)
        self._clients: dict[str, Any] = {}

    @property
    def has_credentials(self) -> bool:
        return self._session.get_credentials() is not None

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation by its boto3 name; raises ClientError and BotoCoreError."""
        response: dict[str, Any] = getattr(self.client(service), operation)(**parameters)
        return response

    def paginate(
        self, service: str, operation: str, key: str, **parameters: Any
    ) -> list[dict[str, Any]]:
        """Call a list operation, and return the elements under ``key`` of all its pages."""
        pages = self.client(service).get_paginator(operation).paginate(**parameters)
        return [element for page in pages for element in page.get(key, [])]

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service."""
        if service not in self._clients:
            config = Config(
                retries={"mode": "standard", "total_max_attempts": _max_attempts()},
                read_timeout=READ_TIMEOUT_SECONDS,
            )
            try:
                self._clients[service] = self._session.client(service, config=config)
            except ValueError as error:  # an invalid endpoint URL
                raise DeployError(f"{error}; check AWS_ENDPOINT_URL and ~/.aws/config") from error
        return self._clients[service]


def _max_attempts() -> int:
    text = os.environ.get("AWS_MAX_ATTEMPTS") or str(DEFAULT_ATTEMPTS)
    if not text.isdecimal() or not 1 <= int(text[:4]) <= MAX_ATTEMPTS:
        raise DeployError(
            f'AWS_MAX_ATTEMPTS: expected a whole number from 1 to {MAX_ATTEMPTS}, got "{text[:60]}"'
        )
    return int(text)
