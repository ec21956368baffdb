"""Clients' addresses, as the log contains them."""

from typing import Any


def format_address(address: Any) -> str:
    """Return the IP address in a socket address, or "unknown" for a departed client."""
    return str(address[0]) if address else "unknown"
