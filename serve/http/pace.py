"""The pace at which a client must send a request and read its response.

A slow client occupies a connection. SageMaker sends and reads without pauses.
"""

from serve.text import counted

# How long a client may send nothing in the middle of a request.
STALL_SECONDS = 30.0
# The average rate, once a request has taken STALL_SECONDS.
MIN_BYTES_PER_SECOND = 500
# How long a client may read nothing of a response that waits for it. SageMaker ends an invocation
# after 60 s.
MAX_UNREAD_SECONDS = 60.0


def is_too_slow(received_bytes: int, seconds: float) -> bool:
    """Return whether this is less than the minimum rate."""
    return received_bytes < seconds * MIN_BYTES_PER_SECOND


def describe_pace(received_bytes: int, seconds: float) -> str:
    """Return what was received, and what was expected, for an error message."""
    received = counted(received_bytes, "byte")
    return (
        f"received {received} in {seconds:.0f} seconds; "
        f"send at least {MIN_BYTES_PER_SECOND} bytes per second"
    )


def describe_stall(seconds: float = STALL_SECONDS) -> str:
    """Return that nothing was received, for an error message."""
    return f"received nothing for {seconds:.0f} seconds"
