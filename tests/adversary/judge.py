"""Judge: compare a response with what XGBoost predicts for exactly the records that were sent."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xgboost
from numpy.typing import NDArray

from tests.adversary.columns import Invalid
from tests.adversary.connection import Reply
from tests.adversary.expected import Outputs, compute_outputs, replace_infinity
from tests.adversary.generator import JSON_TYPES, LINE_TYPES, resolve_accept
from tests.adversary.models import Model
from tests.adversary.payloads import Payload
from tests.adversary.readers.payload import decompress, read_payload
from tests.adversary.readers.response import (
    BadResponse,
    Row,
    Shape,
    find_difference,
    read_response,
)
from tests.adversary.tables import to_features

PREDICTED, REJECTED, EMPTY, FINDING = "predicted", "rejected", "empty", "FINDING"
CLIENT_ERRORS = (400, 406, 413, 415)
MAX_ERROR_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one payload, the number of predictions, and the reason for a finding."""

    outcome: str
    rows: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Judge:
    """Judges the responses of one model."""

    model: Model

    @cached_property
    def boosters(self) -> list[xgboost.Booster]:
        return self.model.load()

    @cached_property
    def widths(self) -> dict[str, int]:
        """The number of values per record of each output."""
        probe = np.zeros((1, len(self.model.columns)), dtype=np.float32)
        return {key: values.shape[1] for key, values in self.predict(probe).items()}

    def predict(self, features: NDArray[np.float32]) -> Outputs:
        """Return the outputs for a matrix, float32 (n, f)."""
        if not len(features):
            empty = np.empty(0, dtype=np.float32)
            return {key: empty.reshape(0, width) for key, width in self.widths.items()}
        return compute_outputs(self.model, self.model.predict(self.boosters, features))

    def judge(self, payload: Payload, expected: Outputs | None, reply: Reply) -> Verdict:
        """Return the verdict on a response; ``expected`` are the outputs of known records."""
        if reply.status == 204:
            is_empty = decompress(payload) == b""
            return Verdict(EMPTY if is_empty else FINDING, reason="204 for a payload")
        if reply.status != 200:
            return self._judge_error(payload, reply)
        if not reply.complete:
            was_streamed = payload.mutation and len(payload.body) > 1 << 20
            return Verdict(REJECTED if was_streamed else FINDING, reason="incomplete response")
        try:
            return self._judge_predictions(payload, expected, reply)
        except (BadResponse, Invalid) as error:
            return Verdict(FINDING, reason=f"{type(error).__name__}: {error}"[:300])

    def _judge_error(self, payload: Payload, reply: Reply) -> Verdict:
        text = reply.body.decode(errors="replace")
        shown = f"{reply.status} {text[:300]}"
        if not payload.mutation:
            return Verdict(FINDING, reason=f"a valid payload was rejected: {shown}")
        if reply.status not in CLIENT_ERRORS or not _is_error_line(reply):
            return Verdict(FINDING, reason=f"not an error of the client in one line: {shown}")
        return Verdict(REJECTED)

    def _judge_predictions(
        self, payload: Payload, expected: Outputs | None, reply: Reply
    ) -> Verdict:
        accept = resolve_accept(payload.accept, payload.content_type, self.model)
        if reply.content_type.partition(";")[0] != accept:
            raise BadResponse(f"expected {accept}, got {reply.content_type}")
        sent_type = (payload.content_type or LINE_TYPES[0]).partition(";")[0].strip().lower()
        is_line_based = accept in LINE_TYPES and sent_type in (*LINE_TYPES, "csv")
        row_errors = self.model.row_errors and is_line_based
        rows = read_response(accept, reply.body, Shape(self.widths, row_errors))
        if expected is None:
            expected, indices = self._read_again(payload, rows, row_errors=row_errors)
        else:
            indices = _check_bad_rows(payload, rows)
        if accept in JSON_TYPES:
            expected = replace_infinity(expected)
        difference = find_difference(expected, rows, indices)
        if difference:
            raise BadResponse(difference)
        return Verdict(PREDICTED, len(rows))

    def _read_again(
        self, payload: Payload, rows: Sequence[Row], *, row_errors: bool
    ) -> tuple[Outputs, list[int]]:
        """Return the outputs for a strict reading of the payload, and the rows to compare."""
        sent = read_payload(payload, self.model, row_errors=row_errors)
        if len(sent) != len(rows):
            raise BadResponse(f"expected {len(sent)} predictions, got {len(rows)}")
        indices = [index for index, row in enumerate(rows) if row is not None]
        known = [sent[index] for index in indices]
        good = [row for row in known if row is not None]
        if len(good) < len(known):
            raise BadResponse("a prediction for a bad row")
        return self.predict(to_features(good, len(self.model.columns))), indices


def _check_bad_rows(payload: Payload, rows: Sequence[Row]) -> list[int]:
    """Return the rows with predictions; raises BadResponse if other rows are errors."""
    errors = {index for index, row in enumerate(rows) if row is None}
    if errors != payload.bad_rows:
        difference = sorted(errors ^ payload.bad_rows)
        raise BadResponse(f"rows that should (not) be errors, from 0: {difference[:10]}")
    return [index for index in range(len(rows)) if index not in errors]


def _is_error_line(reply: Reply) -> bool:
    """Return whether an error is one short line of JSON that says what is wrong."""
    if reply.body.count(b"\n") > 1 or len(reply.body) > MAX_ERROR_BYTES:
        return False
    try:
        document = json.loads(reply.body)
    except ValueError:
        return False
    return isinstance(document, dict) and {"error", "message", "request_id"} <= document.keys()
