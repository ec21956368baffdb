"""The sockets on which the server listens: IPv4, and IPv6 where the machine has it.

Two sockets, because a single one for both would show IPv4 clients as ::ffff:192.0.2.1.
Source: contract 1.6; RFC 3493, section 5.3.
"""

import errno
import socket
from collections.abc import Sequence
from typing import Any

from gunicorn.sock import TCP6Socket, TCPSocket

from serve.errors import BadSetting

GUNICORN_SOCKETS = {socket.AF_INET: TCPSocket, socket.AF_INET6: TCP6Socket}
BACKLOG = 2048  # gunicorn's default; the kernel's limit may be lower


def bind(port: int) -> list[socket.socket]:
    """Return sockets bound to a port of all addresses, which do not listen yet.

    Raises BadSetting if the port cannot be used, for example because it is in use.
    """
    try:
        return [_bind(socket.AF_INET, "0.0.0.0", port), *_bind_ipv6(port)]
    except OSError as error:
        raise _build_port_error(port, error) from error


def listen(listeners: Sequence[socket.socket]) -> None:
    """Start listening; raises BadSetting if another process listens on the port by now."""
    for listener in listeners:
        try:
            listener.listen(BACKLOG)
        except OSError as error:
            raise _build_port_error(listener.getsockname()[1], error) from error


def hand_over(listeners: Sequence[socket.socket], config: Any, log: Any) -> list[TCPSocket]:
    """Return the sockets as gunicorn's, which alone own them from now on."""
    return [
        GUNICORN_SOCKETS[listener.family](listener.getsockname(), config, log, listener.detach())
        for listener in listeners
    ]


def describe(listeners: Sequence[socket.socket]) -> list[str]:
    """Return the addresses of listeners, such as 0.0.0.0:8080 and [::]:8080."""
    addresses = []
    for listener in listeners:
        host, port, *_ = listener.getsockname()
        addresses.append(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    return addresses


def _bind_ipv6(port: int) -> list[socket.socket]:
    """Return a socket for IPv6, or none if the kernel or the container has no IPv6."""
    try:
        return [_bind(socket.AF_INET6, "::", port)]
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise
        return []


def _bind(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listener = socket.socket(family)
    try:
        if family == socket.AF_INET6:  # otherwise net.ipv6.bindv6only decides
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # A restarted server may use its port while connections of the previous one are closing.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _build_port_error(port: int, error: OSError) -> BadSetting:
    return BadSetting(
        f"cannot listen on port {port}: {error.strerror}; "
        "set SAGEMAKER_BIND_TO_PORT to another port (make serve: PORT)"
    )
