"""Inference: turn an invocation into a response by decode → align → predict → encode."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from serve.codecs import CODECS, LINE_CODECS, choose_schema, find_decoder
from serve.codecs.row_errors import AlignedLines, Tally, align_lines, insert_errors
from serve.forecast import ResponseForecast, check_record_count
from serve.invocation import Invocation, Response
from serve.limits import Limits
from serve.media.types import EXPLAIN
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
# A slice of 1 MiB may have 100,000 records, each with a thousand predictions.
MAX_PREDICTED_VALUES = 1 << 22
# The response to fewer predictions is too small for a forecast.
MIN_FORECAST_VALUES = 1 << 13


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
    pieces = list(limit_size(slices, invocation))
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
    forecast = ResponseForecast(model.schema.width, scorer.predict, scorer.encode)
    _check_forecast(invocation, forecast, scorer)
    features = align(invocation, model.schema, stopwatch)
    values_per_record = _count_values(model, invocation)
    if len(invocation.payload) * values_per_record > MIN_FORECAST_VALUES:
        features = _hold_and_split(features, values_per_record, invocation, forecast)
    for predictions in parallel.map(scorer.predict, features):
        stopwatch.end("predict")
        for part in scorer.split(predictions):
            encoded = scorer.encode(part)
            stopwatch.end("encode")
            invocation.check_caller()
            yield encoded


def limit_size(pieces: Iterable[bytes], invocation: Invocation) -> Iterator[bytes]:
    """Yield the pieces of a response; raises ResponseTooLarge once they exceed a limit."""
    response_bytes = 0
    for piece in pieces:
        response_bytes += len(piece)
        invocation.limits.check_response(response_bytes)
        invocation.hold_response(response_bytes)
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
    forecast = ResponseForecast(model.schema.width, scorer.predict, scorer.encode)
    _check_forecast(invocation, forecast, scorer)
    codec = LINE_CODECS[invocation.media_type]
    schema = choose_schema(invocation.media_type, invocation.parameters, model.schema)
    lines = align_lines(codec, invocation.payload, invocation.parameters, schema)
    slices = _limit_lines(lines, invocation.limits)

    def predict(aligned: AlignedLines) -> tuple[Any, Mapping[int, str]]:
        features = [aligned.features] if len(aligned.features) else []
        return scorer.concatenate([*map(scorer.predict, features)]), aligned.errors

    for predictions, errors in parallel.map(predict, slices):
        invocation.check_caller()
        tally.bad_records += len(errors)
        parts = map(scorer.encode, scorer.split(predictions))
        if errors:
            yield insert_errors(invocation.accept, b"".join(parts), errors)
        else:
            yield from parts


def decode(invocation: Invocation, schema: Schema) -> Iterator[Records]:
    """Return an iterator over slices of the payload's records; raises UnsupportedMediaType."""
    decoder = find_decoder(invocation.media_type)
    return decoder.decode(invocation.payload, invocation.parameters, schema)


def align(invocation: Invocation, schema: Schema, stopwatch: Stopwatch) -> Iterator[Features]:
    """Yield each slice of the records as features, float32 (n, f), and skip empty slices.

    Raises SchemaMismatch, and PayloadTooLarge for too many records.
    """
    schema = choose_schema(invocation.media_type, invocation.parameters, schema)
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


def _check_forecast(invocation: Invocation, forecast: ResponseForecast, scorer: Scorer) -> None:
    """Raise PayloadTooLarge or ResponseTooLarge if the payload's lines already exceed a limit."""
    count = check_record_count(invocation.payload, invocation.media_type, invocation.limits)
    if count and not scorer.names_differ:
        invocation.limits.check_response(forecast.minimum(count))
        invocation.hold_response(forecast.estimate(count), estimated=True)


def _count_values(model: Model, invocation: Invocation) -> int:
    """Return about how many values XGBoost computes for each record."""
    values = model.class_count or 1
    return values * (model.schema.width + 1) if EXPLAIN in invocation.accept_parameters else values


def _hold_and_split(
    slices: Iterable[Features],
    values_per_record: int,
    invocation: Invocation,
    forecast: ResponseForecast,
) -> Iterator[Features]:
    """Reserve memory for the response to each slice, and split slices with many predictions."""
    max_records = max(1, MAX_PREDICTED_VALUES // values_per_record)
    count = 0
    for features in slices:
        count += len(features)
        if count * values_per_record > MIN_FORECAST_VALUES:
            invocation.hold_response(forecast.estimate(count), estimated=True)
        for start in range(0, len(features), max_records):
            yield features[start : start + max_records]


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
