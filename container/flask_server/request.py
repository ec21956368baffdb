"""gunicorn's parser of WSGI requests, with the project's checks of the head."""

from typing import Any

from gunicorn.http.message import Request

from container.request_head import CHECKED_HEADERS, check_head

CHECKED = {name.upper(): name for name in CHECKED_HEADERS}


class CheckedRequest(Request):
    """A request whose parser raises InvalidHead for the heads that ``check_head`` rejects."""

    def parse(self, unreader: Any) -> bytes:
        unused: bytes = super().parse(unreader)
        headers = [(CHECKED[name], value) for name, value in self.headers if name in CHECKED]
        check_head(self.version, self.uri, headers)
        return unused
