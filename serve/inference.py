"""Inference: turn an invocation into a response by decode → align → predict → encode."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from serve.codecs import CODECS, LINE_CODECS, find_decoder
from serve.codecs.row_errors import AlignedLines, Tally, align_lines, insert_errors
from serve.columns import Columns, concatenate_columns
from serve.media_types import EXPLAIN
from serve.model.model import Model
from serve.output_keys import SPREAD
from serve.outputs.explanations import ExplainOptions, explain, parse_explain_options
from serve.outputs.selection import SCORE, select_outputs
from serve.parallel import ParallelMap
from serve.records import Records
from serve.schema.alignment import align_records
from serve.schema.schema import Schema
from serve.stopwatch import Stopwatch

SINGLE_THREAD = ParallelMap()
NO_SCORES = np.empty(0, dtype=np.float32)

Features = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Invocation:
    """A payload with its media type, and the media type that its response must have."""

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


class Scorer(NamedTuple):
    """Functions that predict a slice, concatenate the predictions of slices, and encode them.

    Predictions are an array of scores, or Columns if the invocation selects other outputs.
    """

    predict: Callable[[Features], Any]
    concatenate: Callable[[Sequence[Any]], Any]
    encode: Callable[[Any], bytes]


def infer(
    model: Model,
    invocation: Invocation,
    stopwatch: Stopwatch | None = None,
    parallel: ParallelMap = SINGLE_THREAD,
    output_keys: Sequence[str] = (),
) -> Response:
    """Return the response to an invocation; raises InvocationError.

    ``output_keys`` are the keys of SAGEMAKER_INFERENCE_OUTPUT. If there are none, the response
    contains the score of each record. ``stopwatch`` receives the duration of each stage.
    """
    stopwatch = stopwatch or Stopwatch()
    records = decode(invocation, model.schema)
    features = align(records, model.schema, stopwatch)
    scorer = choose_scorer(model, invocation, output_keys)
    predictions = scorer.concatenate(list(parallel.map(scorer.predict, features)))
    stopwatch.end("predict")
    body = scorer.encode(predictions)
    stopwatch.end("encode")
    return Response(body, invocation.accept)


def infer_slices(
    model: Model,
    invocation: Invocation,
    stopwatch: Stopwatch,
    parallel: ParallelMap,
    output_keys: Sequence[str] = (),
) -> Iterator[bytes]:
    """Yield the response slice by slice; its codec must have CONCATENATES = True."""
    records = decode(invocation, model.schema)
    features = align(records, model.schema, stopwatch)
    scorer = choose_scorer(model, invocation, output_keys)
    predictions = parallel.map(scorer.predict, features)
    return map(scorer.encode, predictions)


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
    codec = LINE_CODECS[invocation.media_type]
    slices = align_lines(codec, invocation.payload, invocation.parameters, model.schema)
    scorer = choose_scorer(model, invocation, output_keys)

    def predict(aligned: AlignedLines) -> tuple[Any, Mapping[int, str]]:
        features = [aligned.features] if len(aligned.features) else []
        return scorer.concatenate([*map(scorer.predict, features)]), aligned.errors

    for predictions, errors in parallel.map(predict, slices):
        tally.bad_records += len(errors)
        yield insert_errors(invocation.accept, scorer.encode(predictions), errors)


def decode(invocation: Invocation, schema: Schema) -> Iterator[Records]:
    """Return an iterator over slices of the payload's records; raises UnsupportedMediaType."""
    decoder = find_decoder(invocation.media_type)
    return decoder.decode(invocation.payload, invocation.parameters, schema)


def align(slices: Iterable[Records], schema: Schema, stopwatch: Stopwatch) -> Iterator[Features]:
    """Yield each slice of records as features, float32 (n, f), and skip empty slices."""
    for records in slices:
        stopwatch.end("decode")
        features = align_records(records, schema)
        stopwatch.end("align")
        if len(features):
            yield features
        stopwatch.end("predict")


def choose_scorer(model: Model, invocation: Invocation, output_keys: Sequence[str]) -> Scorer:
    """Return the scorer for the outputs that an invocation selects.

    Raises NotAcceptable for an explanation that the model or the media type does not support.
    """
    codec = CODECS[invocation.accept]
    if not output_keys and EXPLAIN not in invocation.accept_parameters:
        return Scorer(model.predict, _concatenate_scores, codec.encode)
    explanation = parse_explain_options(invocation.accept_parameters, invocation.accept, model)

    def predict(features: Features) -> Columns:
        return predict_columns(model, features, output_keys, explanation)

    return Scorer(predict, concatenate_columns, codec.encode_columns)


def predict_columns(
    model: Model,
    features: Features,
    output_keys: Sequence[str],
    explanation: ExplainOptions | None = None,
) -> Columns:
    """Return one column per output key, then the columns of the explanation.

    Without output keys, the score is the only output.
    """
    columns = _compute_output_columns(model, features, output_keys)
    if explanation is None:
        return columns
    return {**columns, **explain(model, features, explanation)}


def _compute_output_columns(
    model: Model, features: Features, output_keys: Sequence[str]
) -> Columns:
    if not output_keys:
        return {SCORE: model.predict(features)}
    if SPREAD in output_keys:
        predictions, spread = model.predict_with_spread(features)
    else:
        predictions, spread = model.predict(features), None
    return select_outputs(output_keys, model.objective, model.class_count, predictions, spread)


def _concatenate_scores(slices: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the scores of all slices, without a copy if there is only one slice."""
    if not slices:
        return NO_SCORES
    return slices[0] if len(slices) == 1 else np.concatenate(slices)
