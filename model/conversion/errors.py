"""The error of a file that is not converted."""


class CannotConvert(Exception):
    """The file cannot be converted; the message says why, and what to do, in one line."""
