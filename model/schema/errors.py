"""The error of a schema.json that is not written."""


class CannotDescribe(Exception):
    """schema.json cannot be written; the message says why, and what to do, in one line."""
