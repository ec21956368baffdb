"""Inference: turn an invocation into a response by decode → align → predict → encode."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from serve.codecs import CODECS, LINE_CODECS, find_decoder
from serve.codecs.row_errors import AlignedLines, Tally, align_lines, insert_errors
from serve.forecast import check_record_count, check_response_size
from serve.limits import UNLIMITED, Limits
from serve.model.model import Model
from serve.outputs.scorer import Features, Scorer, choose_scorer
from serve.parallel import ParallelMap
from serve.records import Records
from serve.schema.alignment import align_records
from serve.schema.schema import Schema
from serve.stopwatch import Stopwatch

SINGLE_THREAD = ParallelMap()
# Records without any value are counted in slices of at least this many records.
MIN_COUNTED = 1_000


def ignore_caller() -> None:
    """Do nothing, because no client is waiting for the response."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A payload with its media type, the media type of its response, and the limits of both.

    ``check_caller`` is called between slices, and may raise an error to end the invocation.
    """

    payload: bytes
    media_type: str
    parameters: Mapping[str, str]
    accept: str
    accept_parameters: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = UNLIMITED
    check_caller: Callable[[], None] = ignore_caller


@dataclass(frozen=True, slots=True)
class Response:
    """Encoded predictions, one for each record of the payload, in order.

    A large response consists of several pieces, which are not joined to save memory.
    """

    pieces: list[bytes]
    media_type: str

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


def infer(
    model: Model,
    invocation: Invocation,
    stopwatch: Stopwatch | None = None,
    parallel: ParallelMap = SINGLE_THREAD,
    output_keys: Sequence[str] = (),
) -> Response:
    """Return the response to an invocation; raises InvocationError.

    ``output_keys`` are the keys of SAGEMAKER_INFERENCE_OUTPUT, which apply if Accept selects none.
    Without keys, the response contains the score of each record. ``stopwatch`` receives the
    duration of each stage.
    """
    stopwatch = stopwatch or Stopwatch()
    slices = infer_slices(model, invocation, stopwatch, parallel, output_keys)
    pieces = list(limit_size(slices, invocation.limits))
    if len(pieces) > 1:
        pieces = CODECS[invocation.accept].join(pieces)
    elif not pieces:
        scorer = _choose_scorer(model, invocation, output_keys)
        pieces = [scorer.encode(scorer.concatenate([]))]
    return Response(pieces, invocation.accept)


def infer_slices(
    model: Model,
    invocation: Invocation,
    stopwatch: Stopwatch,
    parallel: ParallelMap,
    output_keys: Sequence[str] = (),
) -> Iterator[bytes]:
    """Yield the encoded predictions slice by slice.

    They are the response if its codec has CONCATENATES = True. Otherwise, ``join`` must follow.
    """
    scorer = _choose_scorer(model, invocation, output_keys)
    _check_forecast(model, invocation, scorer)
    features = align(invocation, model.schema, stopwatch)
    for predictions in parallel.map(scorer.predict, features):
        stopwatch.end("predict")
        for part in scorer.split(predictions):
            encoded = scorer.encode(part)
            stopwatch.end("encode")
            invocation.check_caller()
            yield encoded


def limit_size(pieces: Iterable[bytes], limits: Limits) -> Iterator[bytes]:
    """Yield the pieces of a response; raises ResponseTooLarge once they exceed the limit."""
    response_bytes = 0
    for piece in pieces:
        response_bytes += len(piece)
        limits.check_response(response_bytes)
        yield piece


def infer_row_by_row(
    model: Model,
    invocation: Invocation,
    tally: Tally,
    parallel: ParallelMap,
    output_keys: Sequence[str] = (),
) -> Iterator[bytes]:
    """Yield the response slice by slice, with an error line in place of each bad record.

    Both media types must have a LineCodec. ``tally`` counts the bad records.
    """
    scorer = _choose_scorer(model, invocation, output_keys)
    _check_forecast(model, invocation, scorer)
    codec = LINE_CODECS[invocation.media_type]
    lines = align_lines(codec, invocation.payload, invocation.parameters, model.schema)
    slices = _limit_lines(lines, invocation.limits)

    def predict(aligned: AlignedLines) -> tuple[Any, Mapping[int, str]]:
        features = [aligned.features] if len(aligned.features) else []
        return scorer.concatenate([*map(scorer.predict, features)]), aligned.errors

    for predictions, errors in parallel.map(predict, slices):
        invocation.check_caller()
        tally.bad_records += len(errors)
        encoded = b"".join(map(scorer.encode, scorer.split(predictions)))
        yield insert_errors(invocation.accept, encoded, errors)


def decode(invocation: Invocation, schema: Schema) -> Iterator[Records]:
    """Return an iterator over slices of the payload's records; raises UnsupportedMediaType."""
    decoder = find_decoder(invocation.media_type)
    return decoder.decode(invocation.payload, invocation.parameters, schema)


def align(invocation: Invocation, schema: Schema, stopwatch: Stopwatch) -> Iterator[Features]:
    """Yield each slice of the records as features, float32 (n, f), and skip empty slices.

    Raises SchemaMismatch, and PayloadTooLarge for too many records.
    """
    count = empty_count = 0
    for records in decode(invocation, schema):
        stopwatch.end("decode")
        invocation.check_caller()
        features = align_records(records, schema)
        stopwatch.end("align")
        count += len(features)
        if len(features) >= MIN_COUNTED:
            empty_count += _count_empty(features)
        invocation.limits.check_records(count, empty_count)
        if len(features):
            yield features


def _choose_scorer(model: Model, invocation: Invocation, output_keys: Sequence[str]) -> Scorer:
    return choose_scorer(model, invocation.accept, invocation.accept_parameters, output_keys)


def _check_forecast(model: Model, invocation: Invocation, scorer: Scorer) -> None:
    """Raise PayloadTooLarge or ResponseTooLarge if the payload's lines already exceed a limit."""
    limits = invocation.limits
    count = check_record_count(invocation.payload, invocation.media_type, limits)
    if count and not scorer.names_differ:
        check_response_size(count, model.schema.width, scorer.predict, scorer.encode, limits)


def _limit_lines(slices: Iterable[AlignedLines], limits: Limits) -> Iterator[AlignedLines]:
    """Yield slices of lines; raises PayloadTooLarge for too many of them."""
    count = 0
    for aligned in slices:
        count += len(aligned.features) + len(aligned.errors)
        limits.check_records(count)
        yield aligned


def _count_empty(features: Features) -> int:
    """Return the number of records without any value."""
    candidates = features[np.isnan(features[:, 0])]
    return int(np.count_nonzero(np.isnan(candidates).all(axis=1)))
