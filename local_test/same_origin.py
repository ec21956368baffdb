"""Recognize requests that a page of another web site makes a browser send."""

from werkzeug.wrappers import Request


def is_same_origin(sent: Request) -> bool:
    """Return whether a request comes from this program's own pages, or not from a browser."""
    site = sent.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    return sent.headers.get("Origin") in (None, sent.host_url.rstrip("/"))
