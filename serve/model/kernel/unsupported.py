"""The reason why the kernel does not predict with a model."""


class Unsupported(Exception):
    """The kernel does not support a model; the message completes "because …"."""
