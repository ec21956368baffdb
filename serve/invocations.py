"""Invocations: from a payload that has arrived whole, and what its headers ask for, to the answer.

Source: contract 3.1 to 3.14.
"""

import logging

from serve.answer import Answer, Asked, returned_attributes, told_of
from serve.codecs import CODECS
from serve.errors import NotAcceptable
from serve.inference import Invocation, infer
from serve.logs import event, is_logged
from serve.media_types import CSV, JSON, JSON_LINES, acceptable, content_type
from serve.model import Model
from serve.queue import Queue
from serve.settings import Settings
from serve.spread import Spread
from serve.wording import quoted

# A payload that is read and predicted within this time holds nobody up; what takes longer is work for a thread.
MOMENT_SECONDS = 0.004
LONGEST_MOMENTARY_BYTES = 1 << 16
LEAST_CELL_BYTES = 2


class Invocations:
    """The answers of one model, under the settings of the server."""

    def __init__(self, model: Model, settings: Settings, spread: Spread) -> None:
        self.most_bytes = settings.max_payload_bytes
        self._model = model
        self._default_accept = settings.default_accept
        self._spread = spread
        self.queue = Queue(settings.queue_size)
        rows = MOMENT_SECONDS / model.row_seconds if model.row_seconds else 0
        self._momentary_bytes = min(LONGEST_MOMENTARY_BYTES, rows * model.schema.width * LEAST_CELL_BYTES)

    def momentary(self, payload: bytes) -> bool:
        """Tell whether the answer takes no longer than handing the payload to a thread would be worth."""
        return len(payload) <= self._momentary_bytes

    def answer(self, asked: Asked, payload: bytes) -> Answer:
        """Return the answer to one invocation; raises InvocationError."""
        media_type = content_type(asked.content_type)
        accept = self._accept(asked.accept, media_type.name)
        asked.payload_bytes = len(payload)
        asked.stages.end("read")
        if not payload:
            return Answer(204, returned_attributes(asked))
        invocation = Invocation(payload, media_type.name, media_type.parameters, accept)
        reply = infer(self._model, invocation, asked.stages, self._spread)
        if is_logged(logging.DEBUG):
            event(logging.DEBUG, "answered", status=200, reply_bytes=len(reply.body), **told_of(asked))
        return Answer(200, (("Content-Type", reply.media_type), *returned_attributes(asked)), reply.body)

    def _accept(self, header: str | None, media_type: str) -> str:
        """Return the reply's media type: what Accept likes best, and where it leaves that open the default or the payload's own."""
        first_choice = self._default_accept or (media_type if media_type in (JSON, JSON_LINES) else CSV)
        accept = acceptable(header, (first_choice, *CODECS))
        if accept is None:
            raise NotAcceptable(f"no reply can be made for Accept: {quoted(header)}; expected {', '.join(CODECS)}")
        return accept
