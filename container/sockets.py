"""The kernel's view of a client's socket: data that has not been read or acknowledged yet."""

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
    """Return whether data from the client has arrived and is still unread."""
    poll = select.poll()
    poll.register(client.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def count_queued_bytes(client: HasFileNumber) -> int:
    """Return how many bytes are in the kernel's queue that the client has not acknowledged.

    This number falls as soon as a slow client reads. The program itself notices later, because the
    kernel accepts more data only once a third of its queue is free.
    """
    if client.fileno() < 0:
        return 0
    try:
        queued = fcntl.ioctl(client.fileno(), termios.TIOCOUTQ, bytes(INTEGER.size))
    except OSError:  # the connection is gone
        return 0
    return int(INTEGER.unpack(queued)[0])
