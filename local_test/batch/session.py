"""HTTP sessions with the container, without a proxy."""

import requests


def open_session() -> requests.Session:
    """Return a session that ignores HTTP_PROXY and other variables of the environment."""
    session = requests.Session()
    session.trust_env = False
    return session
