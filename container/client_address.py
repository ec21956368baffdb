"""Clients' addresses, as the log contains them."""

from typing import Any

MAPPED_PREFIX = "::ffff:"


def format_address(address: Any) -> str:
    """Return the IP address in a socket address, or "unknown" for a client that has disconnected.

    On a socket for both IP versions, the kernel writes an IPv4 address as ::ffff:192.0.2.1.
    """
    if not address:
        return "unknown"
    return str(address[0]).removeprefix(MAPPED_PREFIX)
