"""Inference: from an invocation to its reply: decode, align, predict, encode."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.codecs import CODECS, LINE_CODECS, Decoder, decoder_for
from serve.codecs.row_errors import Scorable, Tally, scorable_slices, with_faults
from serve.columns import Columns, joined
from serve.model.model import Model
from serve.outputs.explanations import EXPLAIN, ExplainOptions, explain, parse_explain_options
from serve.outputs.selection import SCORE, SPREAD, select_outputs
from serve.parallel import ParallelMap
from serve.stopwatch import Stopwatch

ALONE = ParallelMap()
NOTHING = np.empty(0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Invocation:
    """A payload, the media type it comes in with its parameters, and the one its reply leaves in."""

    payload: bytes
    media_type: str
    parameters: Mapping[str, str]
    accept: str
    accept_parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """Encoded predictions, one for each record of the payload, in order."""

    body: bytes
    media_type: str


def infer(
    model: Model,
    invocation: Invocation,
    stopwatch: Stopwatch | None = None,
    parallel: ParallelMap = ALONE,
    keys: Sequence[str] = (),
) -> Response:
    """Return the reply to an invocation, its time told by ``stopwatch``; raises InvocationError for what is wrong with the payload.

    ``keys`` are those of SAGEMAKER_INFERENCE_OUTPUT; without them the reply has the score of each record.
    """
    stopwatch = stopwatch or Stopwatch()
    slices = _features(model, decoder_for(invocation.media_type), invocation, stopwatch)
    if keys or EXPLAIN in invocation.accept_parameters:
        tell = teller(model, invocation, keys)
        columns = joined(list(parallel.each(tell, slices)))
        stopwatch.end("predict")
        body = CODECS[invocation.accept].encode_columns(columns)
    else:
        predictions = list(parallel.each(model.predict, slices))
        stopwatch.end("predict")
        together = (
            np.concatenate(predictions)
            if len(predictions) > 1
            else predictions[0]
            if predictions
            else NOTHING
        )
        body = CODECS[invocation.accept].encode(together)
    stopwatch.end("encode")
    return Response(body, invocation.accept)


def infer_slices(
    model: Model,
    invocation: Invocation,
    stopwatch: Stopwatch,
    parallel: ParallelMap,
    keys: Sequence[str] = (),
) -> Iterator[bytes]:
    """Yield the reply to an invocation in encoded slices, one after the other; its Accept is a type whose slices concatenate."""
    slices = _features(model, decoder_for(invocation.media_type), invocation, stopwatch)
    score, encode = _way(model, invocation, keys)
    return map(encode, parallel.each(score, slices))


def infer_row_by_row(
    model: Model,
    invocation: Invocation,
    tally: Tally,
    parallel: ParallelMap,
    keys: Sequence[str] = (),
) -> Iterator[bytes]:
    """Yield such slices, lines in and lines out, with a fault's line in the place of each bad record, which ``tally`` counts."""
    codec = LINE_CODECS[invocation.media_type]
    slices = scorable_slices(codec, invocation.payload, invocation.parameters, model.schema)
    score, encode = _way(model, invocation, keys)

    def scored(slice_: Scorable) -> tuple[Any, Mapping[int, str]]:
        return score(slice_.features) if len(slice_.features) else None, slice_.faults

    for result, faults in parallel.each(scored, slices):
        tally.bad_records += len(faults)
        yield with_faults(invocation.accept, b"" if result is None else encode(result), faults)


def _way(
    model: Model, invocation: Invocation, keys: Sequence[str]
) -> tuple[Callable[[NDArray[np.float32]], Any], Callable[[Any], bytes]]:
    """Return what scores a slice of features, and what encodes that; raises NotAcceptable as ``teller`` does."""
    codec = CODECS[invocation.accept]
    if keys or EXPLAIN in invocation.accept_parameters:
        return teller(model, invocation, keys), codec.encode_columns
    return model.predict, codec.encode


def teller(
    model: Model, invocation: Invocation, keys: Sequence[str]
) -> Callable[[NDArray[np.float32]], Columns]:
    """Return what tells of features all that is asked for; raises NotAcceptable for an explanation that cannot be given."""
    explanation = parse_explain_options(invocation.accept_parameters, invocation.accept, model)
    return lambda features: told(model, features, keys, explanation)


def told(
    model: Model,
    features: NDArray[np.float32],
    keys: Sequence[str],
    explanation: ExplainOptions | None = None,
) -> Columns:
    """Return the columns of the keys, or of the score without them, and those of the explanation."""
    predictions, deviation = (
        model.predict_with_spread(features) if SPREAD in keys else (model.predict(features), None)
    )
    known = (
        select_outputs(keys, model.objective, model.class_count, predictions, deviation)
        if keys
        else {SCORE: predictions}
    )
    return {**known, **explain(model, features, explanation)} if explanation else known


def _features(
    model: Model, decoder: Decoder, invocation: Invocation, stopwatch: Stopwatch
) -> Iterator[NDArray[np.float32]]:
    """Yield the payload's slices as features, none of them empty."""
    for records in decoder.decode(invocation.payload, invocation.parameters, model.schema):
        stopwatch.end("decode")
        features = model.schema.align(records)
        stopwatch.end("align")
        if len(features):
            yield features
        stopwatch.end("predict")
