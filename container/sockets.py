"""What the kernel knows about a client's socket."""

import fcntl
import select
import struct
import termios
from typing import Protocol

INTEGER = struct.Struct("i")


class HasFileNumber(Protocol):
    """A socket, or a transport's view of one."""

    def fileno(self) -> int:
        """Return the number of the file, or -1 if it is closed."""


def has_unread_data(client: HasFileNumber) -> bool:
    """Return whether data has arrived that nobody has read yet."""
    poll = select.poll()
    poll.register(client.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def count_queued_bytes(client: HasFileNumber) -> int:
    """Return how many bytes the kernel has been given that the client has not acknowledged.

    The kernel takes more only once a third of its queue is free, so this shows sooner than anything
    else that a slow client reads.
    """
    if client.fileno() < 0:
        return 0
    try:
        queued = fcntl.ioctl(client.fileno(), termios.TIOCOUTQ, bytes(INTEGER.size))
    except OSError:  # the connection is gone
        return 0
    return int(INTEGER.unpack(queued)[0])
